"""The sample ratio: chi-square by hand, exact tests against scipy, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reco_utils.experiment.assign import Experiment
from reco_utils.experiment.sample_ratio import sample_ratio

HALVES = {"control": 0.5, "hybrid": 0.5}


def test_the_sample_ratio_is_a_chi_square():
    # (5104 - 5000)^2 / 5000 twice: 4.3264; p of one degree of freedom is erfc(sqrt(4.3264 / 2))
    found = sample_ratio({"control": 5104, "hybrid": 4896}, HALVES)
    assert found.statistic == pytest.approx(4.3264) and not found.exact
    assert found.p_value == pytest.approx(math.erfc(math.sqrt(4.3264 / 2))) and found.passed
    assert found.sentence == (
        "The sample ratio is as planned: control 5,104 (planned 5,000), hybrid 4,896 (planned 5,000), p = 0.0375."
    )


def test_a_broken_ratio_stops_everything():
    found = sample_ratio({"a": 5300, "b": 2450, "c": 2250}, {"a": 0.5, "b": 0.25, "c": 0.25})
    # 300^2 / 5000 + 50^2 / 2500 + 250^2 / 2500 = 44; p of two degrees of freedom is exp(-44 / 2)
    assert not found.passed and found.p_value == pytest.approx(math.exp(-22))
    assert found.sentence.startswith("The sample ratio is broken: a 5,300 (planned 5,000), b 2,450")
    assert found.sentence.endswith("p < 0.0001; nothing may be concluded until the cause is found.")


@pytest.mark.parametrize(
    "seen, share", [((9, 0), 0.5), ((3, 2), 0.9), ((399, 1), 0.99), ((1, 0), 0.5), ((20, 80), 0.04)]
)
def test_few_users_are_counted_exactly(seen, share):
    found = sample_ratio(dict(zip("ab", seen)), {"a": share, "b": 1 - share})
    assert found.exact and found.p_value == pytest.approx(stats.binomtest(seen[0], sum(seen), share).pvalue)


def test_few_users_in_three_arms_are_counted_exactly():
    # 2 users in 3 equal arms: both in one arm has chance 3/9 in all, apart 6/9: "both in a" is no less likely than that
    assert sample_ratio({"a": 2, "b": 0, "c": 0}, dict.fromkeys("abc", 1 / 3)).p_value == pytest.approx(3 / 9)
    assert sample_ratio({"a": 1, "b": 1, "c": 0}, dict.fromkeys("abc", 1 / 3)).p_value == pytest.approx(1)


def test_alarms_are_as_rare_as_promised():
    # exact at 40 users: the chance of p < 0.05 under an honest coin, added up over all outcomes, must not exceed 0.05
    heads = np.arange(41)
    shares = {"a": 0.1, "b": 0.9}  # 4 expected: exact
    p = np.array([sample_ratio({"a": n, "b": 40 - n}, shares).p_value for n in heads])
    assert 0 < stats.binom.pmf(heads, 40, 0.1)[p < 0.05].sum() <= 0.05


@pytest.mark.parametrize(
    "counts, shares, message",
    [
        ({"a": 1, "c": 1}, {"a": 0.5, "b": 0.5}, "must name the same arms, got \\['a', 'c'\\] and \\['a', 'b'\\]"),
        ({"a": 1}, {"a": 0.5, "b": 0.5}, "must name the same arms"),
        ({"a": 0, "b": 0}, {"a": 0.5, "b": 0.5}, "some users must be there"),
        ({"a": -1, "b": 5}, {"a": 0.5, "b": 0.5}, "counts must be whole numbers of users.*'a': -1"),
        ({"a": 1.5, "b": 5}, {"a": 0.5, "b": 0.5}, "counts must be whole numbers"),
        ({"a": float("nan"), "b": 5}, {"a": 0.5, "b": 0.5}, "counts must be whole numbers"),
        ({"a": 1, "b": 1}, {"a": 0.5, "b": 0.6}, "shares must add up to 1"),
    ],
)
def test_ratios_of_something_else_are_refused(counts, shares, message):
    with pytest.raises(ValueError, match=message):
        sample_ratio(counts, shares)


def test_a_ratio_may_count_the_holdout():
    test = Experiment("t", HALVES, holdout=0.2)
    assert sample_ratio(pd.Series(test.assign(range(20_000))).value_counts(), test.expected).passed
