"""Intervals and tests: by hand, by exact enumeration, against scipy, and at the edges."""

from itertools import product

import numpy as np
import pytest
from scipy import stats as scipy_stats

from reco_utils.evaluate.stats import (
    bootstrap_interval,
    effect_size,
    groups_of,
    jackknife_interval,
    paired_permutation,
)

SIX = np.array([0.3, -0.1, 0.4, 0.2, 0.25, 0.05])


def seeded(seed=0):
    return np.random.default_rng(seed)


# ----------------------------------------------------------------------------------------------------------- bootstrap
def test_the_interval_of_a_coin_is_that_of_the_binomial():
    # 100 users, 30 hits: a resampled mean is Binomial(100, 0.3) / 100, whose 2.5 % and 97.5 % points are .21 and .39
    values = np.repeat([1.0, 0.0], [30, 70])
    expected = scipy_stats.binom.ppf([0.025, 0.975], 100, 0.3) / 100
    np.testing.assert_allclose(bootstrap_interval(values, rng=seeded(), n=20_000), expected, atol=0.01)


def test_the_interval_agrees_with_scipy():
    values = seeded(3).exponential(size=80)
    theirs = scipy_stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=seeded(1))
    expected = theirs.confidence_interval
    width = expected.high - expected.low
    np.testing.assert_allclose(bootstrap_interval(values, rng=seeded(2), n=20_000), expected, atol=0.03 * width)


def test_a_lower_level_gives_a_narrower_interval_inside():
    low, high = bootstrap_interval(SIX, rng=seeded(), level=0.5)
    wide_low, wide_high = bootstrap_interval(SIX, rng=seeded(), level=0.99)
    assert wide_low < low < SIX.mean() < high < wide_high


def test_columns_share_their_resamples():
    # b = a + 1 for every user: had the columns drawn different users, the two intervals would not differ by exactly 1
    ends = bootstrap_interval(np.column_stack([SIX, SIX + 1]), rng=seeded())
    np.testing.assert_allclose(ends[:, 1] - ends[:, 0], 1, rtol=1e-12)
    np.testing.assert_allclose(ends[:, 0], bootstrap_interval(SIX, rng=seeded()), rtol=1e-12)


def test_many_users_are_drawn_in_chunks_of_the_same_kind():
    # 600,000 users exceed a chunk; the mean of a fair coin has standard error .5 / sqrt(600,000) = .00065
    low, high = bootstrap_interval(np.tile([0.0, 1.0], 300_000), rng=seeded(), n=100)
    assert 0.5 - 4 * 0.00065 < low < 0.5 < high < 0.5 + 4 * 0.00065


def test_users_without_a_value_are_left_out():
    np.testing.assert_array_equal(
        bootstrap_interval([*SIX, np.nan, np.nan], rng=seeded()), bootstrap_interval(SIX, rng=seeded())
    )


def test_a_column_with_gaps_is_averaged_over_its_own_users():
    # the second column is 5 wherever it is known; counting its gaps as zeros would pull it down
    values = np.column_stack([SIX, [5, 5, 5, np.nan, 5, np.nan]])
    np.testing.assert_allclose(bootstrap_interval(values, rng=seeded())[:, 1], [5, 5], rtol=1e-12)


def test_equal_values_have_an_interval_of_no_width():
    np.testing.assert_allclose(bootstrap_interval(np.full(9, 0.3), rng=seeded()), [0.3, 0.3], rtol=1e-12)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [0.4], [0.4, np.nan]])
def test_fewer_than_two_users_have_no_interval(values):
    assert np.isnan(bootstrap_interval(values, rng=seeded())).all()


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    assert bootstrap_interval(SIX, rng=seeded(1)).tolist() == bootstrap_interval(SIX, rng=seeded(1)).tolist()
    assert bootstrap_interval(SIX, rng=seeded(1)).tolist() != bootstrap_interval(SIX, rng=seeded(2)).tolist()


# --------------------------------------------------------------------------------------------------------- permutation
def exact_p(differences):
    """Share of all 2^n choices of signs whose mean is at least as far from 0 as the one seen."""
    means = np.array([np.mean(np.multiply(signs, differences)) for signs in product([-1, 1], repeat=len(differences))])
    return np.mean(np.abs(means) >= abs(np.mean(differences)) - 1e-12)


def test_six_users_against_all_64_sign_choices():
    # the sum is 1.1, and 1.3 without signs: at least 1.1 is reached with all plus (1.3), with only the .05 minus (1.2)
    # and with only the .1 minus (1.1, as seen); with their mirror images that makes 6 of 64
    assert exact_p(SIX) == 6 / 64
    n = 40_000
    error = np.sqrt(6 / 64 * 58 / 64 / n)
    assert paired_permutation(SIX, rng=seeded(), n=n) == pytest.approx(6 / 64, abs=4 * error)


def test_scipy_counts_the_same():
    theirs = scipy_stats.permutation_test((SIX, np.zeros(6)), lambda a, b: np.mean(a - b), permutation_type="samples")
    assert theirs.pvalue == pytest.approx(exact_p(SIX))


def test_p_is_one_plus_count_over_one_plus_n():
    # 40 equal differences: a random choice of signs reaches the seen mean once in 2^39, so count is 0
    assert paired_permutation(np.full(40, 0.1), rng=seeded(), n=99) == 1 / 100
    assert paired_permutation(np.full(40, 0.1), rng=seeded(), n=999) == 1 / 1000


def test_ties_with_the_mean_seen_are_counted():
    # one user: either sign is as far from 0, count = n; three equal ones: 2 of 8 choices are all alike, p = 1/4
    assert paired_permutation([0.3], rng=seeded(), n=99) == 1
    assert paired_permutation([0.1, 0.1, 0.1], rng=seeded(), n=40_000) == pytest.approx(0.25, abs=0.01)


def test_the_test_has_two_sides():
    assert paired_permutation(SIX, rng=seeded()) == paired_permutation(-SIX, rng=seeded())


def test_under_no_difference_p_is_uniform():
    noise = seeded(5).normal(size=(30, 400))
    p = paired_permutation(noise, rng=seeded(), n=999)
    assert abs(np.mean(p <= 0.1) - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 400)


def test_nobody_differs_is_p_one_and_nobody_known_is_nan():
    assert paired_permutation(np.zeros(5), rng=seeded()) == 1
    assert np.isnan(paired_permutation([np.nan, np.nan], rng=seeded()))
    assert np.isnan(paired_permutation([], rng=seeded()))


def test_a_user_without_a_value_changes_no_p():
    assert paired_permutation([*SIX, np.nan], rng=seeded()) == paired_permutation(SIX, rng=seeded())
    # a gap beside a known value: that user keeps a row, and the first column's p stays that of its five known users
    gappy = np.column_stack([[0.1, 0.1, 0.1, 0.1, 0.1, np.nan], SIX])
    assert paired_permutation(gappy, rng=seeded(), n=40_000)[0] == pytest.approx(2 / 2**5, abs=0.005)


# --------------------------------------------------------------------------------------------------------- effect size
def test_effect_size_by_hand():
    # 1, 2, 3: mean 2, standard deviation 1
    assert effect_size([1, 2, 3, np.nan]) == pytest.approx(2)
    assert effect_size(np.column_stack([[1, 2, 3], [-1, -2, -3]])).tolist() == pytest.approx([2, -2])


def test_effect_size_without_spread():
    assert effect_size([0.0, 0, 0]) == 0
    assert effect_size([0.5 - 0.4, 0.3 - 0.2]) == np.inf  # equal but for the last digit
    assert effect_size([-0.1, -0.1]) == -np.inf
    assert np.isnan(effect_size([0.3])) and np.isnan(effect_size([]))


# ----------------------------------------------------------------------------------------------------------- bad input
def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 95"):
        bootstrap_interval(SIX, rng=seeded(), level=95)
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        bootstrap_interval(SIX, rng=seeded(), n=0)
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        paired_permutation(SIX, rng=seeded(), n=0)
    with pytest.raises(ValueError, match="values must be finite or NaN, got 1 infinite"):
        paired_permutation([1, np.inf], rng=seeded())
    with pytest.raises(ValueError, match=r"values must be \(users,\) or \(users, columns\), got shape \(1, 1, 1\)"):
        bootstrap_interval([[[1]]], rng=seeded())


# ------------------------------------------------------------------------------------------------- leaving groups out
def test_groups_share_all_users_evenly():
    for n_users, n_groups in ((12, 12), (60, 30), (100, 50), (7, 7), (1000, 50)):
        sizes = np.bincount(groups_of(n_users, rng=np.random.default_rng(0)))
        assert len(sizes) == n_groups and sizes.min() == sizes.max()
    assert np.bincount(groups_of(7, rng=np.random.default_rng(0), n=3)).tolist() == [3, 3, 1]
    assert len(groups_of(0, rng=np.random.default_rng(0))) == 0


def test_the_jackknife_of_a_mean_is_the_t_test():
    # leaving one value out at a time: the error of a mean is its usual standard error, by algebra
    values = np.random.default_rng(2).normal(1, 3, 20)
    without = np.array([[np.delete(values, b).mean()] for b in range(20)])
    low, high, p = jackknife_interval([values.mean()], without)
    expected = scipy_stats.ttest_1samp(values, 0)
    assert (low[0], high[0]) == pytest.approx(expected.confidence_interval(0.95))
    assert p[0] == pytest.approx(expected.pvalue)


def test_p_is_below_5_percent_just_where_the_interval_leaves_0_out():
    rng = np.random.default_rng(5)
    value, without = rng.normal(0, 2, 200), rng.normal(0, 0.2, (30, 200))
    low, high, p = jackknife_interval(value, without)
    assert ((p < 0.05) == ((low > 0) | (high < 0))).all() and 0 < (p < 0.05).mean() < 1


def test_without_spread_or_without_groups():
    low, high, p = jackknife_interval([0.0, 0.5], np.array([[0.0, 0.5]] * 4))
    assert low.tolist() == high.tolist() == [0, 0.5] and p[0] == 1 and np.isnan(p[1])
    assert np.isnan(jackknife_interval([0.5], np.empty((1, 1)))).all()
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 95"):
        jackknife_interval([0.5], np.zeros((3, 1)), level=95)


def distinct(drawn):
    return len(np.unique(drawn))


def test_the_interval_of_a_number_of_distinct_items_holds_what_it_promises():
    # 80 people draw 3 of 300 items each; by hand, a draw of all misses an item with chance (1 - 3/300) ** 80
    rng, hits = np.random.default_rng(1), 0
    expected = 300 * (1 - (1 - 3 / 300) ** 80)
    for _ in range(200):
        drawn = rng.permuted(np.tile(np.arange(300), (80, 1)), axis=1)[:, :3]
        groups = groups_of(80, rng=rng)
        without = np.array([[distinct(drawn[groups != g])] for g in range(40)])
        low, high, _ = jackknife_interval([distinct(drawn)], without)
        hits += low[0] <= expected <= high[0]
    assert hits / 200 > 0.93  # a bootstrap of the same never holds it: its draws have 63 % of the people
