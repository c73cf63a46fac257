"""Notebook 06's graders: right answers pass, typical wrong ones get the advice that fits them."""

import numpy as np
import pytest

from reco_utils.check import Wrong, check, exercises


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("06") == ("06.1", "06.2", "06.3")
    for exercise in exercises("06"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 3


# -------------------------------------------------------------------------------------------------------------- 06.1
def banded(n):
    return "hybrid" if n >= 5 else "neighbours" if n >= 3 else "content" if n >= 1 else "crowd"


def test_a_history_has_one_band(capsys):
    check("06.1", lambda events: banded(len(set(events))))
    assert "06.1: correct" in capsys.readouterr().out


def overlapping(events):
    n = len(set(events))
    return "crowd" if not n else "content" if n < 3 else "neighbours" if n <= 5 else "hybrid"


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda events: banded(max(len(set(events)), 1)), "without any event must get the crowd's list"),
        (lambda events: banded(len(events)), "count different products, not events"),
        (overlapping, "five products belong to two bands"),
        (lambda events: "content" if len(set(events)) == 3 else banded(len(set(events))), "3 different products must"),
        (lambda events: banded(len(set(events))).upper(), "must return one of crowd, content"),
        ("hybrid", "must be the function itself"),
    ],
)
def test_each_wrong_band_gets_its_own_advice(answer, advice):
    expect("06.1", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 06.2
def fill(lists, k):
    return list(dict.fromkeys(item for products in lists for item in products))[:k]


def test_lists_are_filled_from_below(capsys):
    check("06.2", fill)
    assert "06.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda lists, k: [item for products in lists for item in products][:k], "shows a product twice"),
        (lambda lists, k: fill(lists, 99), "stop when the list is full"),
        (lambda lists, k: lists[0][:k], "ends early"),
        (lambda lists, k: fill(lists, k) if lists[0] else [], "that is what lower steps are for"),
        (lambda lists, k: sorted(fill(lists, k)), "never outranks a higher one"),
        (lambda lists, k: fill(lists[::-1], k), "higher steps first"),
        (lambda lists, k: set(fill(lists, k)), "must return a list of products"),
    ],
)
def test_each_wrong_list_gets_its_own_advice(answer, advice):
    expect("06.2", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 06.3
def faded(ages, fade_days):
    return np.nan_to_num(np.clip(1 - ages / fade_days, 0, 1), nan=0.0)


def scaled(scores):
    low, high = np.nanmin(scores), np.nanmax(scores)
    return (scores - low) / (high - low) if high > low else np.where(np.isnan(scores), np.nan, 0.5)


def with_bonus(scores, ages, bonus, fade_days):
    return scaled(scores) * (1 + bonus * faded(ages, fade_days))


def test_a_bonus_on_scores_of_0_to_1(capsys):
    check("06.3", with_bonus)
    assert "06.3: correct" in capsys.readouterr().out


def in_place(scores, ages, bonus, fade_days):
    scores -= np.nanmin(scores)
    return scores


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda s, a, b, f: s * (1 + b * faded(a, f)), "Bring the scores to 0 to 1 first"),
        (lambda s, a, b, f: scaled(s) + b * faded(a, f), "the bonus is a share of the score"),
        (lambda s, a, b, f: scaled(s) * (1 + b * np.nan_to_num(1 - a / f)), "after fade_days the bonus is 0"),
        (lambda s, a, b, f: scaled(s) * (1 + b * np.clip(1 - a / f, 0, 1)), "unknown age has lost its score"),
        (lambda s, a, b, f: scaled(np.nan_to_num(s)) * (1 + b * faded(a, f)), "NaN stays NaN"),
        (lambda s, a, b, f: (s - s.min()) / (s.max() - s.min()), "everything is NaN"),
        (lambda s, a, b, f: scaled(s) * (1 + b * (faded(a, f) > 0)), "it fades in a line"),
        (lambda s, a, b, f: (s - np.nanmin(s)) / np.ptp(s[s == s]) * (1 + b * faded(a, f)), "divide 0 by 0"),
        (in_place, "changed the arrays"),
        (lambda s, a, b, f: np.nanmax(s), "one score per item"),
        (np.ones(5), "must be the function itself"),
    ],
)
def test_each_wrong_bonus_gets_its_own_advice(answer, advice):
    with np.errstate(all="ignore"):
        expect("06.3", answer, advice)
