"""Notebook 08's graders: right answers pass, typical wrong ones get the advice that fits them."""

import numpy as np
import pytest

from reco_utils.check import Wrong, check, exercises


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("08") == ("08.1", "08.2", "08.3", "08.4")
    for exercise in exercises("08"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 4


# -------------------------------------------------------------------------------------------------------------- 08.1
def precisions(items, wanted, k):
    hits, found = 0, []
    for rank, item in enumerate(items[:k], start=1):
        if item in wanted:
            hits += 1
            found.append(hits / rank)
    return found


def average_precision(items, wanted, k):
    return sum(precisions(items, wanted, k)) / min(k, len(wanted)) if wanted else np.nan


def test_average_precision_by_the_right_denominator(capsys):
    check("08.1", average_precision)
    assert "08.1: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda items, wanted, k: np.mean(precisions(items, wanted, k) or [0]), "divide by the number of hits"),
        (lambda items, wanted, k: sum(precisions(items, wanted, k)) / k, "could never get more than 1 / k"),
        (lambda items, wanted, k: sum(precisions(items, wanted, k)) / max(len(wanted), 1), "cannot hold it: min"),
        (lambda items, wanted, k: average_precision(items, wanted, k) or np.nan, "that is a 0"),
        (lambda items, wanted, k: sum(precisions(items, wanted, 99)) / min(k, len(wanted) or 1), "behind place k"),
        (lambda items, wanted, k: len(precisions(items, wanted, k)) / min(k, len(wanted) or 1), "every hit counts 1"),
        (lambda items, wanted, k: average_precision(items, wanted, k) if wanted else 0.0, "return NaN"),
        (lambda items, wanted, k: [0.5], "one number"),
        (0.5, "must be the function itself"),
    ],
)
def test_each_wrong_average_gets_its_own_advice(answer, advice):
    expect("08.1", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 08.2
def negatives(scores, positive, seen, m, rng):
    others = [item for item in range(len(scores)) if item != positive and item not in seen]
    return rng.choice(others, m, replace=False)


def place(scores, positive, drawn):
    scores = np.nan_to_num(scores, nan=-np.inf)
    return 1 + (scores[drawn] > scores[positive]).sum() + (scores[drawn] == scores[positive]).sum() / 2


def sampled_rank(scores, positive, seen, m, rng):
    return place(scores, positive, negatives(scores, positive, seen, m, rng))


def as_printed(scores, positive, seen, m, rng):
    drawn = rng.choice(len(scores), m)
    return 1 + (scores[drawn] > scores[positive]).sum()


def test_a_sampled_rank_from_fair_negatives(capsys):
    check("08.2", sampled_rank)
    assert "08.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (as_printed, "gets rank 1: a tie must count as half"),
        (
            lambda s, p, seen, m, rng: 1 + (s[negatives(s, p, seen, m, rng)] >= s[p]).sum(),
            "gets the last rank: a tie must count as half",
        ),
        (lambda s, p, seen, m, rng: place(s, p, negatives(s, p, set(), m, rng)), "seen items came up"),
        (
            lambda s, p, seen, m, rng: place(s, p, rng.choice(list(set(range(len(s))) - seen - {p}), m)),
            "draw without repetition",
        ),
        (
            lambda s, p, seen, m, rng: place(np.nan_to_num(s, nan=99.0), p, negatives(s, p, seen, m, rng)),
            "must come last",
        ),
        (
            lambda s, p, seen, m, rng: place(s, p, negatives(s, p, seen, m, np.random.default_rng(0))),
            "use the rng that was handed in",
        ),
        (lambda s, p, seen, m, rng: 0, "has a rank from 1 to"),
        (lambda s, p, seen, m, rng: None or "first", "one number"),
    ],
)
def test_each_wrong_sample_gets_its_own_advice(answer, advice):
    expect("08.2", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 08.3
RIGHT = {"A": "yes", "B": "no", "C": "no", "D": "no"}


def test_claims_are_decided_by_the_paired_difference(capsys):
    check("08.3", RIGHT)
    assert "08.3: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (RIGHT | {"A": "no"}, "two intervals may overlap"),
        (RIGHT | {"B": "yes"}, "the number of users"),
        (RIGHT | {"C": "yes"}, "Holm multiplies"),
        (RIGHT | {"D": "yes"}, "which data chose"),
        (RIGHT | {"D": "perhaps"}, "must be 'yes' or 'no'"),
        ({"A": "yes"}, "no answer for B, C, D"),
        (["yes", "no", "no", "no"], "must be a dict"),
    ],
)
def test_each_wrong_decision_gets_its_own_advice(answer, advice):
    expect("08.3", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 08.4
def users_needed(differences, baseline, share):
    return np.ceil(((1.96 + 0.84) * np.nanstd(differences, ddof=1) / (share * baseline)) ** 2)


def test_users_needed_for_a_share_of_the_baseline(capsys):
    check("08.4", users_needed)
    assert "08.4: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda d, b, s: 2.8 * np.nanstd(d, ddof=1) / (s * b), "the whole ratio is squared"),
        (lambda d, b, s: users_needed(d, 1, s), "2 % of the baseline is share"),
        (lambda d, b, s: (1.96 * np.nanstd(d) / (s * b)) ** 2, "missed every second time"),
        (lambda d, b, s: (2.8 * np.nanstd(d) / np.nanmean(d)) ** 2, "say beforehand"),
        (lambda d, b, s: 2 * users_needed(d, b, s), "everybody sees both"),
        (lambda d, b, s: len(d), "need 30,625 users"),
        (lambda d, b, s: np.ceil((2.8 * np.std(d) / (s * b)) ** 2), "np.nanstd"),
        (30_625, "must be the function itself"),
    ],
)
def test_each_wrong_count_gets_its_own_advice(answer, advice):
    expect("08.4", answer, advice)
