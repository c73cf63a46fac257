"""Notebook 02's graders: right answers pass, typical wrong ones get the advice that fits them."""

import numpy as np
import pytest

from reco_utils.check import Wrong, check, exercises


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("02") == ("02.1", "02.2", "02.3")
    for exercise in exercises("02"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 3


# -------------------------------------------------------------------------------------------------------------- 02.1
def jaccard(a, b):
    return len(a & b) / len(a | b) if a | b else 0.0


def test_jaccard_is_shared_over_either(capsys):
    check("02.1", jaccard)
    assert "02.1: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda a, b: len(a & b) / (len(a) + len(b)), "stand twice"),
        (lambda a, b: 2 * len(a & b) / (len(a) + len(b)), "Dice"),
        (lambda a, b: len(a & b) / np.sqrt(len(a) * len(b)), "cosine"),
        (lambda a, b: len(a & b) / min(len(a), len(b)), "must not look identical"),
        (lambda a, b: len(a & b) / max(len(a), len(b)), "larger than the larger"),
        (lambda a, b: len(a & b), "that is a count"),
        (lambda a, b: 0.123, "2 items are in both and 5 in at least one"),
        (lambda a, b: len(a & b) / len(a | b), "cannot be graded, ZeroDivisionError"),
        (lambda a, b: jaccard(a, b) if a | b else 1.0, "without any item must get 0"),
        (lambda a, b: a & b, "must return one number, the similarity, got {2, 3}"),
        (0.4, "must be the function itself, got 0.4"),
    ],
)
def test_each_wrong_jaccard_gets_its_own_advice(answer, advice):
    expect("02.1", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 02.2
def owners(neighbors, item):
    return [(similarity, items[item]) for similarity, items in neighbors if item in items]


def weighted_sum(neighbors, item):
    return sum(s * w for s, w in owners(neighbors, item)) if owners(neighbors, item) else np.nan


def test_the_weighted_sum_is_not_divided(capsys):
    check("02.2", weighted_sum)
    assert "02.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda n, i: weighted_sum(n, i) / sum(s for s, _ in owners(n, i)), "one weak neighbour's 5 wins"),
        (lambda n, i: weighted_sum(n, i) / sum(s for s, _ in n), "all neighbours"),
        (lambda n, i: sum(w for _, w in owners(n, i)), "counts the same"),
        (lambda n, i: sum(s for s, _ in owners(n, i)), "the weights are missing"),
        (lambda n, i: weighted_sum(n, i) / len(owners(n, i)), "an average over the neighbours"),
        (lambda n, i: sum(s * w for s, w in owners(n, i)), "nobody has a kettle, yet it gets 0"),
        (lambda n, i: sum(s * items[i] for s, items in n), "cannot be graded, KeyError"),
        (lambda n, i: weighted_sum(n, i) if i != "kettle" else {}[i], "not every neighbour has every item"),
        (lambda n, i: 42, "lamp gets 42"),
        (lambda n, i: sum(s * items.get(i, np.nan) for s, items in n), "rug|lamp gets NaN, but somebody has it"),
        (lambda n, i: owners(n, i), "must return one number, the score"),
        ("weighted_sum", "must be the function itself"),
    ],
)
def test_each_wrong_sum_gets_its_own_advice(answer, advice):
    expect("02.2", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 02.3
def nearest(histories, user, n, min_overlap, *, itself=False, least=True, best_first=True):
    mine = histories[user]
    near = [
        (jaccard(mine, items), other)
        for other, items in histories.items()
        if (itself or other != user) and len(mine & items) >= (min_overlap if least else 0)
    ]
    return [other for _, other in sorted(near, reverse=best_first)][:n]


def test_neighbours_that_keep_the_rule_pass(capsys):
    check("02.3", nearest)
    check("02.3", lambda *args: [(name, 0.5) for name in nearest(*args)])  # names with similarities are fine too
    assert capsys.readouterr().out.count("02.3: correct") == 2


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda *args: nearest(*args, itself=True), "her own nearest neighbour"),
        (lambda *args: nearest(*args, least=False), "stored but not used"),
        (lambda *args: nearest(*args, best_first=False), "comes first"),
        (lambda h, u, n, m: nearest(h, u, n, m + 1), "with min_overlap 2 ann's neighbours are"),
        (lambda h, u, n, m: nearest(h, u, n, max(m, 2)), "is the rule `at least`"),
        (lambda h, u, n, m: nearest(h, u, n, m if m > 1 else 0), "eve shares nothing"),
        (lambda h, u, n, m: nearest(h, u, 9, m), "n is 1, got"),
        (lambda h, u, n, m: [0.5, 0.6], "must be names of users"),
        (lambda *args: set(nearest(*args)), "must return a list of names"),
        (lambda *args: 2, "must return a list of names"),
        (["dan", "ben"], "must be the function itself"),
    ],
)
def test_each_wrong_neighbourhood_gets_its_own_advice(answer, advice):
    expect("02.3", answer, advice)


def test_a_cut_before_the_sort_is_noticed():
    def careless(histories, user, n, min_overlap):
        return nearest({k: histories[k] for k in list(histories)[: n + 1]}, user, n, min_overlap)

    expect("02.3", careless, "n is 1, got")
