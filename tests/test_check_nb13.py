"""Notebook 13's graders: right answers pass, typical wrong ones get the advice that fits them."""

from math import ceil

import numpy as np
import pytest

from reco_utils.check import Wrong, check, exercises


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("13") == ("13.1", "13.2", "13.3", "13.4")
    for exercise in exercises("13"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 4


# -------------------------------------------------------------------------------------------------------------- 13.1
def per_arm(baseline, lift, z=1.96 + 0.84):
    better = baseline * (1 + lift)
    noise = baseline * (1 - baseline) + better * (1 - better)
    return ceil(z**2 * noise / (better - baseline) ** 2)


def plan(baseline, lift, users_per_week):
    n = per_arm(baseline, lift)
    return n, max(2, ceil(2 * n / users_per_week))


def test_a_plan_with_users_and_whole_weeks(capsys):
    check("13.1", plan)
    assert "13.1: correct" in capsys.readouterr().out


def test_the_short_formula_with_one_variance_twice_is_right_too(capsys):
    def short(baseline, lift, users_per_week):
        n = ceil(16 * baseline * (1 - baseline) / (baseline * lift) ** 2)
        return n, max(2, ceil(2 * n / users_per_week))

    check("13.1", short)
    assert "13.1: correct" in capsys.readouterr().out


def test_the_plan_of_the_exercise_at_two_per_cent_needs_about_300_000():
    assert abs(per_arm(0.021, 0.05, 2.8016) - 299_900) < 300


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda b, lift, w: (per_arm(b, lift / b), 2), "lift is relative"),
        (lambda b, lift, w: (per_arm(b, lift) / 2, 2), "the sum of two variances"),
        (lambda b, lift, w: (2 * per_arm(b, lift), 2), "both arms together"),
        (lambda b, lift, w: (per_arm(b, lift, 1.96), 2), "missed every second time"),
        (lambda b, lift, w: (per_arm(b, lift, np.hypot(1.96, 0.84)), 2), "added first and squared together"),
        (lambda b, lift, w: (per_arm(b, lift, 1.645 + 0.84), 2), "one-sided"),
        (lambda b, lift, w: (per_arm(b, lift) * b * lift, 2), "the whole ratio is squared"),
        (lambda b, lift, w: (1_000, 2), "takes about 39,427"),
        (lambda b, lift, w: (per_arm(b, lift), 2 * per_arm(b, lift) / w), "whole weeks"),
        (lambda b, lift, w: (per_arm(b, lift), ceil(2 * per_arm(b, lift) / w)), "run two at least"),
        (lambda b, lift, w: (per_arm(b, lift), max(2, ceil(per_arm(b, lift) / w))), "shared by two arms"),
        (lambda b, lift, w: (per_arm(b, lift), max(2, round(2 * per_arm(b, lift) / w))), "got 3: round up"),
        (lambda b, lift, w: (per_arm(b, lift), 52), "weeks, got 52"),
        (lambda b, lift, w: per_arm(b, lift), "two numbers"),
        (lambda b, lift, w: (per_arm(b, lift), 2, 2), "two numbers"),
        (40_000, "must be the function itself"),
    ],
)
def test_each_wrong_plan_gets_its_own_advice(answer, advice):
    expect("13.1", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 13.2
RIGHT = {
    "A": "sample ratio", "B": "peeking", "C": "sessions", "D": "many questions", "E": "sound", "F": "too small",
}  # fmt: skip


def test_what_is_broken_is_named(capsys):
    check("13.2", RIGHT)
    assert "13.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (RIGHT | {"A": "sound"}, "from an even split"),
        (RIGHT | {"B": "sound"}, "Who chose the day"),
        (RIGHT | {"C": "too small"}, "as if each had been drawn"),
        (RIGHT | {"D": "sound"}, "twenty metrics at 5 %"),
        (RIGHT | {"E": "sample ratio"}, "are luck"),
        (RIGHT | {"F": "sound"}, "no proof of no effect"),
        (RIGHT | {"F": "unlucky"}, "must be .sample ratio. or .peeking. or"),
        ({"A": "sound"}, "no answer for B, C, D, E, F"),
        (["sound"] * 6, "must be a dict"),
    ],
)
def test_each_wrong_diagnosis_gets_its_own_advice(answer, advice):
    expect("13.2", answer, advice)


def test_the_numbers_of_the_exercise_are_what_the_grader_says():
    assert abs(10_000 - 9_200) / np.sqrt(19_200) > 5  # A, and E:
    assert abs(20_030 - 19_970) / np.sqrt(40_000) < 1


# -------------------------------------------------------------------------------------------------------------- 13.3
def theta(y, x):
    return np.cov(y, x)[0, 1] / x.var(ddof=1) if x.var() else 0.0


def cuped(y, x):
    return y - theta(y, x) * (x - x.mean())


def in_place(y, x):
    y -= theta(y, x) * (x - x.mean())
    return y


def test_cuped_keeps_the_average_and_drops_the_noise(capsys):
    check("13.3", cuped)
    check("13.3", lambda y, x: y - (np.cov(y, x, ddof=0)[0, 1] / x.var() if x.var() else 0) * (x - x.mean()))
    check("13.3", lambda y, x: y - (np.cov(y, x)[0, 1] / np.var(x) if x.var() else 0) * (x - x.mean()))
    assert capsys.readouterr().out.count("13.3: correct") == 3


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda y, x: y - theta(y, x) * x, "the average has moved"),
        (lambda y, x: y - np.cov(y, x)[0, 1] / np.var(x) * x, "the average has moved"),
        (lambda y, x: y - np.polyval(np.polyfit(x, y, 1), x), "the average of y must stay"),
        (lambda y, x: y - np.corrcoef(y, x)[0, 1] * (x - x.mean()), "theta is the correlation"),
        (lambda y, x: y - theta(x, y) * (x - x.mean()), "divide by that of x"),
        (lambda y, x: y + theta(y, x) * (x - x.mean()), "that is plus"),
        (lambda y, x: y - (x - x.mean()), "theta is 1"),
        (lambda y, x: y - (np.cov(y, x)[0, 1] / x.var(ddof=1)) * (x - x.mean()), "same for everybody"),
        (lambda y, x: y * 0, "the variance should fall from"),
        (lambda y, x: 0.4, "one adjusted number per user"),
        (in_place, "were changed"),
        (0.6, "must be the function itself"),
    ],
)
def test_each_wrong_adjustment_gets_its_own_advice(answer, advice):
    expect("13.3", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 13.4
def ips(rewards, propensity, new_chance):
    if not (propensity > 0).all():
        raise ValueError("propensities must be above 0")
    return np.mean(rewards * new_chance / propensity)


def snips(rewards, propensity, new_chance):
    return np.sum(rewards * new_chance / propensity) / np.sum(new_chance / propensity)


def upside_down(rewards, propensity, new_chance):
    return np.mean(rewards * np.divide(propensity, new_chance, out=np.zeros(len(rewards)), where=new_chance > 0))


def strict(rewards, propensity, new_chance):
    if not (propensity > 0).all() or not (new_chance > 0).all():
        raise ValueError("bad")
    return np.mean(rewards * new_chance / propensity)


def careless(rewards, propensity, new_chance):
    return np.mean(rewards * new_chance / propensity)


def only_zero(rewards, propensity, new_chance):
    if (propensity <= 0).any():
        raise ValueError("propensities must be above 0")
    return np.nansum(rewards * new_chance / propensity) / len(rewards)


def test_a_weight_is_the_new_chance_over_the_old(capsys):
    check("13.4", ips)
    assert "13.4: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (upside_down, "upside down"),
        (lambda r, p, q: np.mean(r * p / q), "upside down"),
        (snips, "that is SNIPS"),
        (lambda r, p, q: (r * q / p)[r > 0].mean(), "clicked rows only"),
        (lambda r, p, q: np.mean(r / p), "new policy's chance is left out"),
        (lambda r, p, q: np.mean(r * q), "log's propensity is left out"),
        (lambda r, p, q: np.mean(r), "what the log earned"),
        (lambda r, p, q: np.sum(r * q / p), "that is the sum"),
        (lambda r, p, q: 0.123, "it is 0.70, got 0.1230"),
        (strict, "a sound log was refused .bad.: a new_chance of 0 is allowed"),
        (careless, "propensity that is 0 went through"),
        (only_zero, "propensity that is missing went through"),
        (lambda r, p, q: [0.7], "one number"),
        (0.7, "must be the function itself"),
    ],
)
def test_each_wrong_weight_gets_its_own_advice(answer, advice):
    expect("13.4", answer, advice)
