"""Notebook 07's graders: right answers pass, typical wrong ones get the advice that fits them."""

import numpy as np
import pytest

from reco_utils.check import Wrong, check, exercises


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("07") == ("07.1", "07.2", "07.3", "07.4")
    for exercise in exercises("07"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 4


# -------------------------------------------------------------------------------------------------------------- 07.1
def step(relevance, cosines, chosen, lam, likeness=np.max, sign=1):
    left = [j for j in range(len(relevance)) if j not in chosen]
    like = [likeness(cosines[j, chosen]) if chosen else 0 for j in left]
    return left[int(np.argmax([lam * relevance[j] - sign * (1 - lam) * x for j, x in zip(left, like)]))]


def test_the_next_pick(capsys):
    check("07.1", step)
    assert "07.1: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda r, c, chosen, lam: 0, "chooses 0 again"),
        (
            lambda r, c, chosen, lam: len(r) - 1 if not chosen else step(r, c, chosen, lam),
            "most relevant product comes",
        ),
        (lambda r, c, chosen, lam: step(r, c, chosen, 1 - lam) if chosen else 0, "relevance alone"),
        (lambda r, c, chosen, lam: step(r, c, chosen, 1), r"0.30 - 0.10 = 0.20"),
        (lambda r, c, chosen, lam: step(r, c, chosen, lam, sign=-1), r"0.30 - 0.10 = 0.20"),
        (lambda r, c, chosen, lam: step(r, c, chosen, lam, likeness=np.mean), "the largest, not the mean"),
        (lambda r, c, chosen, lam: step(r, c, chosen, max(lam, 0.5)), "likeness alone"),
        (lambda r, c, chosen, lam: "lamp", "must return one position"),
        (3, "must be the function itself"),
    ],
)
def test_each_wrong_step_gets_its_own_advice(answer, advice):
    expect("07.1", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 07.2
def scaled(scores):
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.ones(len(scores))


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def mmr(scores, vectors, lam, k, scale=scaled, direct=unit):
    relevance, cosines, chosen = scale(scores), direct(vectors) @ direct(vectors).T, []
    for _ in range(min(k, len(scores))):
        chosen.append(step(relevance, cosines, chosen, lam))
    return chosen


def test_mmr_without_the_bugs(capsys):
    check("07.2", mmr)
    assert "07.2: correct" in capsys.readouterr().out


def as_printed(scores, vectors, lam, k):
    """The guide's loop: raw scores, and `max` of nothing when k is more than there is."""
    chosen, left = [], list(range(len(scores)))
    for _ in range(k):
        like = {j: max((unit(vectors)[j] @ unit(vectors)[c] for c in chosen), default=0) for j in left}
        best = max(left, key=lambda j: lam * scores[j] - (1 - lam) * like[j])
        chosen.append(best)
        left.remove(best)
    return chosen


def endless(scores, vectors, lam, k):
    return as_printed(scaled(scores), vectors, lam, k)


def in_place(scores, vectors, lam, k):
    scores -= scores.min()
    return mmr(scores, vectors, lam, k)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (as_printed, "scores of 8 drown a cosine"),
        (endless, "9 places, 5 products: .* Stop when nothing is left"),
        (in_place, "changed the arrays"),
        (lambda s, v, lam, k: mmr(s, v, lam, k, direct=lambda vectors: vectors), "divided by its length"),
        (lambda s, v, lam, k: mmr(s, v, lam, k, scale=lambda s: s / s.max()), "minus 20"),
        (lambda s, v, lam, k: mmr(s, v, lam, k, scale=lambda s: (s - s.min()) / (s.max() - s.min())), "equal scores"),
        (lambda s, v, lam, k: mmr(s, v, lam, k)[:2], "so 3 must come back"),
        (lambda s, v, lam, k: [0, 0, 0], "shows a product twice"),
        (lambda s, v, lam, k: mmr(-s, v, lam, k), "in the order of their scores"),
        (lambda s, v, lam, k: len(s), "must return a list of products"),
    ],
)
def test_each_wrong_mmr_gets_its_own_advice(answer, advice):
    expect("07.2", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 07.3
def own_kind(layout, ranked, kind_of):
    """The first round: one entry per place, None where nothing suits."""
    shown = []
    for kind in (kind for kind, n in layout for _ in range(n)):
        shown.append(next((p for p in ranked if p not in shown and kind_of[p] == kind), None))
    return shown


def fill(layout, ranked, kind_of):
    shown = own_kind(layout, ranked, kind_of)
    rest = [product for product in ranked if product not in shown]
    filled = [product or (rest.pop(0) if rest else None) for product in shown]
    return [product for product in filled if product]


def at_once(layout, ranked, kind_of):
    """Falls back before the later places had their turn."""
    shown = []
    for kind in (kind for kind, n in layout for _ in range(n)):
        left = [product for product in ranked if product not in shown]
        shown += ([p for p in left if kind_of[p] == kind] or left)[:1]
    return shown


def appended(layout, ranked, kind_of):
    """Has the right products, what fell back at the end."""
    shown = [product for product in own_kind(layout, ranked, kind_of) if product]
    left = [product for product in ranked if product not in shown]
    return shown + left[: sum(n for _, n in layout) - len(shown)]


def test_a_carousel_is_filled_place_by_place(capsys):
    check("07.3", fill)
    assert "07.3: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda la, r, ko: [p for p in own_kind(la, r, ko) if p], "leaves a place empty although .*'stove'.* are left"),
        (lambda la, r, ko: [p for kind, n in la for p in [q for q in r if ko[q] == kind][:n]], "shows a product twice"),
        (lambda la, r, ko: r[:9], "has 3 places, got 6"),
        (lambda la, r, ko: r[: sum(n for _, n in la)], "in the order of the layout"),
        (lambda la, r, ko: sorted(fill(la, r, ko), key=r.index), "in the order of the layout"),
        (lambda la, r, ko: own_kind(la, r[::-1], ko), "best unused product of its kind"),
        (at_once, "waits until the others have taken what suits them"),
        (appended, "in the order of the layout"),
        (lambda la, r, ko: ["gnome"], "'gnome' is none of the products"),
        (lambda la, r, ko: set(fill(la, r, ko)), "must return a list"),
    ],
)
def test_each_wrong_carousel_gets_its_own_advice(answer, advice):
    expect("07.3", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 07.4
def test_a_click_rate_from_propensities(capsys):
    check("07.4", lambda clicked, is_new, epsilon: np.mean(clicked * is_new / epsilon))
    assert "07.4: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda c, new, e: c[new].mean(), "the naive rate"),
        (lambda c, new, e: (c[new] / e[new]).mean(), "divide by all rows"),
        (lambda c, new, e: (c / e).mean(), "clicks on usual products"),
        (lambda c, new, e: (c * new * e).mean(), "divide by epsilon"),
        (lambda c, new, e: (c * new / (1 - e)).mean(), "the chance of a usual product"),
        (lambda c, new, e: (c * new).mean() / e.mean(), "its own epsilon"),
        (lambda c, new, e: (c * new / e).sum(), "divide by the number of rows"),
        (lambda c, new, e: (c * new / e).sum() / (new / e).sum(), "a good estimator too"),
        (lambda c, new, e: 0.5, "yours says 0.5"),
        (lambda c, new, e: c * new / e, "must return one number"),
    ],
)
def test_each_wrong_rate_gets_its_own_advice(answer, advice):
    expect("07.4", answer, advice)
