"""Power: the formula by hand, statsmodels as the oracle, simulated experiments, and what is refused."""

import math

import numpy as np
import pytest
from scipy import stats

from reco_utils.experiment.power import Pilot, detectable_effect, power_of, sample_size

SHOP = Pilot.proportion(0.021)
REVENUE = Pilot.mean(4.2, 31.0)
Z_ALPHA, Z_POWER = 1.959964, 0.841621  # of a table: 97.5 % and 80 % of a normal distribution lie below


@pytest.fixture(scope="module")
def clicks():
    """A ratio whose denominator varies: lists shown to a user, and clicks on them."""
    rng = np.random.default_rng(0)
    shown = rng.geometric(0.3, 4000)
    return Pilot.ratio(rng.binomial(shown, rng.beta(2, 18, 4000)), shown)


# ------------------------------------------------------------------------------------------------------------- by hand
def test_five_percent_of_a_small_conversion_need_three_hundred_thousand_users():
    # the guide's "10,000 to 50,000 users for a 5 % MDE" is wrong: 2.1 % baseline, 5 % more of it, alpha .05, power .8
    before, after = 0.021, 0.021 * 1.05
    n = (Z_ALPHA + Z_POWER) ** 2 * (before * (1 - before) + after * (1 - after)) / (after - before) ** 2
    plan = sample_size(SHOP, 0.05)
    assert plan.per_arm == (pytest.approx(n, abs=2), pytest.approx(n, abs=2))
    assert round(n, -2) == 299_900
    assert plan.users == sum(plan.per_arm) and plan.power == pytest.approx(0.8, abs=1e-6)


def test_a_mean_needs_sixteen_variances_over_the_effect_squared():
    # Lehr's rule of thumb: 2 (1.96 + 0.84)^2 = 15.7, about 16
    n = 2 * (Z_ALPHA + Z_POWER) ** 2 * (31 / 0.42) ** 2
    assert sample_size(REVENUE, 0.1).per_arm[0] == pytest.approx(n, abs=2)
    assert n * 16 / 15.7 == pytest.approx(16 * (31 / 0.42) ** 2, rel=1e-3)


def test_absolute_and_relative_effects_are_the_same_plan():
    relative, absolute = sample_size(REVENUE, 0.1), sample_size(REVENUE, 0.42, relative=False)
    assert absolute.per_arm == relative.per_arm and absolute.relative_effect == pytest.approx(0.1)


def test_cuped_saves_its_share_of_the_users():
    full, half = sample_size(SHOP, 0.05), sample_size(SHOP, 0.05, variance_left=1 - 0.7**2)
    assert half.users == pytest.approx(0.51 * full.users, rel=1e-5)


def test_unequal_arms_cost_one_over_four_shares():
    # 1/s_0 + 1/s_1 instead of 2 + 2: at 90 / 10 that is 11.11 / 4 as many users; variances are equal in a mean
    even, uneven = sample_size(REVENUE, 0.1), sample_size(REVENUE, 0.1, shares=(0.9, 0.1))
    assert uneven.users / even.users == pytest.approx((1 / 0.9 + 1 / 0.1) / 4, rel=1e-4)
    assert uneven.per_arm[0] / uneven.per_arm[1] == pytest.approx(9, rel=1e-4)


def test_several_arms_share_alpha_and_the_smallest_decides():
    plan = sample_size(REVENUE, 0.1, shares=(0.5, 0.3, 0.2))
    z = stats.norm.ppf(1 - 0.05 / 4) + Z_POWER  # two comparisons, two sides
    users = z**2 * (31 / 0.42) ** 2 * (1 / 0.5 + 1 / 0.2)
    assert plan.comparisons == 2 and plan.users == pytest.approx(users, rel=1e-4)
    assert np.array(plan.per_arm) / plan.users == pytest.approx([0.5, 0.3, 0.2], abs=1e-4)
    one_metric = sample_size(REVENUE, 0.1, comparisons=1)
    assert sample_size(REVENUE, 0.1, comparisons=6).users > one_metric.users == sample_size(REVENUE, 0.1).users


def test_one_side_is_alpha_doubled():
    assert sample_size(SHOP, 0.05, sides=1, alpha=0.025).users == pytest.approx(sample_size(SHOP, 0.05).users, rel=1e-5)


def test_the_variance_of_a_ratio_is_the_delta_method():
    top, bottom = np.array([0.0, 2, 1, 4, 0, 3]), np.array([1.0, 4, 2, 5, 0, 3])
    ratio, m = 10 / 15, 15 / 6
    cov = np.cov(top, bottom)
    variance = (cov[0, 0] - 2 * ratio * cov[0, 1] + ratio**2 * cov[1, 1]) / m**2
    found = Pilot.ratio(top, bottom)
    assert (found.baseline, found.sd) == (pytest.approx(ratio), pytest.approx(math.sqrt(variance)))


def test_a_ratio_of_one_list_per_user_is_a_mean():
    bought = np.repeat([1.0, 0], [30, 970])
    found = Pilot.ratio(bought, np.ones(1000))
    assert found.sd == pytest.approx(bought.std(ddof=1)) and found.baseline == pytest.approx(0.03)


# ------------------------------------------------------------------------------------------------------- there and back
@pytest.mark.parametrize(
    "options", [{}, {"sides": 1}, {"shares": (0.6, 0.2, 0.2)}, {"variance_left": 0.5, "alpha": 0.01}]
)
@pytest.mark.parametrize("direction", [1, -1])
def test_size_effect_and_power_agree(clicks, options, direction):
    for pilot in (SHOP, REVENUE, clicks):
        plan = sample_size(pilot, 0.08, direction=direction, power=0.9, **options)
        assert power_of(pilot, 0.08, plan.users, direction=direction, **options).power == pytest.approx(0.9, abs=1e-3)
        back = detectable_effect(pilot, plan.users, direction=direction, power=0.9, **options)
        assert back.relative_effect == pytest.approx(direction * 0.08, rel=1e-3)
        assert back.power == pytest.approx(0.9, abs=1e-9) and back.users == plan.users


def test_one_user_less_is_too_few():
    plan = sample_size(SHOP, 0.2)
    assert plan.power >= 0.8 > power_of(SHOP, 0.2, plan.users - 2).power


def test_a_rise_of_a_small_proportion_needs_more_than_a_fall():
    assert sample_size(SHOP, 0.05).users > sample_size(SHOP, 0.05, direction=-1).users
    assert sample_size(REVENUE, 0.05).users == sample_size(REVENUE, 0.05, direction=-1).users


def test_no_effect_is_found_as_often_as_alpha_says():
    assert power_of(REVENUE, 1e-9, 10_000).power == pytest.approx(0.05, abs=1e-6)
    assert power_of(REVENUE, 1e-9, 10_000, sides=1).power == pytest.approx(0.05, abs=1e-6)


def test_users_are_dealt_in_whole_numbers():
    assert power_of(SHOP, 0.1, 101, shares=(0.5, 0.25, 0.25)).per_arm == (50, 26, 25)  # cuts at 50.5 (even), 75.75


# --------------------------------------------------------------------------------------------------------------- oracle
USERS = [(20, 1.0), (200, 1.0), (20_000, 1.0), (20_000, 0.25), (300_000, 2.0)]


@pytest.mark.parametrize("users, ratio", USERS)
@pytest.mark.parametrize("sides", [1, 2])
def test_power_of_a_mean_is_that_of_statsmodels(users, ratio, sides):
    power = pytest.importorskip("statsmodels.stats.power", reason="needs the extra extension")
    found = power_of(REVENUE, 0.1, users, shares=(1 / (1 + ratio), ratio / (1 + ratio)), sides=sides)
    theirs = power.TTestIndPower().power(
        0.42 / 31, found.per_arm[0], 0.05, found.per_arm[1] / found.per_arm[0], alternative=alternative(sides)
    )
    assert found.power == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("users, ratio", USERS)
@pytest.mark.parametrize("sides", [1, 2])
def test_power_of_a_proportion_is_that_of_statsmodels(users, ratio, sides):
    # NormalIndPower takes one standardised effect: the unpooled variance of both arms brought to one per user
    power = pytest.importorskip("statsmodels.stats.power", reason="needs the extra extension")
    found = power_of(SHOP, 0.2, users, shares=(1 / (1 + ratio), ratio / (1 + ratio)), sides=sides)
    n_0, n_1 = found.per_arm
    before, after = 0.021, 0.0252
    variance = (before * (1 - before) / n_0 + after * (1 - after) / n_1) / (1 / n_0 + 1 / n_1)
    effect = (after - before) / math.sqrt(variance)
    theirs = power.NormalIndPower(ddof=0).power(effect, n_0, 0.05, n_1 / n_0, alternative=alternative(sides))
    assert found.power == pytest.approx(theirs, abs=1e-6)


def alternative(sides):
    """The word of statsmodels for so many sides."""
    return "two-sided" if sides == 2 else "larger"


@pytest.mark.parametrize("effect", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_sizes_are_those_of_statsmodels(effect, power):
    theirs = pytest.importorskip("statsmodels.stats.power", reason="needs the extra extension")
    n = theirs.tt_ind_solve_power(effect * 4.2 / 31, alpha=0.05, power=power)
    assert sample_size(REVENUE, effect, power=power).per_arm == (math.ceil(n), math.ceil(n))
    before, after = 0.021, 0.021 * (1 + effect)
    sd = math.sqrt((before * (1 - before) + after * (1 - after)) / 2)
    n = theirs.NormalIndPower(ddof=0).solve_power((after - before) / sd, alpha=0.05, power=power)
    assert sample_size(SHOP, effect, power=power).per_arm == (math.ceil(n), math.ceil(n))


def test_the_effect_has_its_power_by_statsmodels():
    # its own solver for effects stops at a power of .79997 here, so its power function is asked about our effect
    power = pytest.importorskip("statsmodels.stats.power", reason="needs the extra extension")
    effect = detectable_effect(REVENUE, 10_000).effect / 31
    assert power.TTestIndPower().power(effect, 5000, 0.05) == pytest.approx(0.8, abs=1e-6)


def test_other_formulas_for_proportions_differ_by_little():
    # the arcsine transform and the variance pooled under "no difference" are two other textbook forms
    power = pytest.importorskip("statsmodels.stats.power", reason="needs the extra extension")
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    plan = sample_size(SHOP, 0.05)
    arcsine = power.NormalIndPower().solve_power(
        proportion.proportion_effectsize(0.02205, 0.021), alpha=0.05, power=0.8
    )
    pooled = proportion.power_proportions_2indep(0.00105, 0.021, plan.per_arm[0], return_results=False)
    assert plan.per_arm[0] == pytest.approx(arcsine, rel=2e-4)
    assert pooled == pytest.approx(0.8, abs=2e-4)


# ----------------------------------------------------------------------------------------------------------- simulation
RUNS = 4000


def share_found(difference, variance):
    """How often |difference| / sqrt(variance) passes 1.96, and four standard errors of that at a power of 0.8."""
    return (np.abs(difference) > Z_ALPHA * np.sqrt(variance)).mean(), 4 * math.sqrt(0.8 * 0.2 / RUNS)


def test_simulated_proportions_are_found_as_planned():
    plan, rng = sample_size(Pilot.proportion(0.1), 0.1), np.random.default_rng(1)
    arms = [rng.binomial(n, p, RUNS) / n for n, p in zip(plan.per_arm, (0.1, 0.11))]
    variance = sum(p * (1 - p) / n for p, n in zip(arms, plan.per_arm))
    found, error = share_found(arms[1] - arms[0], variance)
    assert plan.per_arm[0] < 20_000 and found == pytest.approx(0.8, abs=error)


def test_simulated_means_are_found_as_planned():
    # spending of exponential size: mean 2, sd 2; the sum of n is a gamma variable, and its spread is drawn as data
    plan, rng = sample_size(Pilot.mean(2.0, 2.0), 0.25, power=0.8), np.random.default_rng(2)
    draws = [rng.exponential(2.0, (RUNS, n)) + shift for n, shift in zip(plan.per_arm, (0, 0.5))]
    variance = sum(arm.var(axis=1, ddof=1) / arm.shape[1] for arm in draws)
    found, error = share_found(draws[1].mean(axis=1) - draws[0].mean(axis=1), variance)
    assert found == pytest.approx(0.8, abs=error)


def test_simulated_ratios_are_found_as_planned():
    # minutes per list: users see a geometric number of lists, and one user's lists are alike; the change adds the same
    # to every list, which leaves numerator - R * denominator as it was
    def users(rng, shape, more):
        shown = rng.geometric(0.3, shape).astype(float)
        return shown * (rng.gamma(2.0, 0.5, shape) + more) + rng.normal(0, 0.2, shape), shown

    pilot = Pilot.ratio(*users(np.random.default_rng(3), 400_000, 0))
    plan, rng = sample_size(pilot, 0.08), np.random.default_rng(4)
    ratios, variances = [], []
    for n, more in zip(plan.per_arm, (0, 0.08 * pilot.baseline)):
        top, bottom = users(rng, (RUNS, n), more)
        ratio = top.sum(axis=1) / bottom.sum(axis=1)
        ratios.append(ratio)
        variances.append((top - ratio[:, None] * bottom).var(axis=1, ddof=1) / bottom.mean(axis=1) ** 2 / n)
    found, error = share_found(ratios[1] - ratios[0], sum(variances))
    assert found == pytest.approx(0.8, abs=error)


# ---------------------------------------------------------------------------------------------------------------- words
def test_a_plan_says_all_its_numbers():
    assert sample_size(SHOP, 0.05).sentence == (
        "299,879 users per arm (599,758 in all) find a change of +5.0% (2.10% to 2.21%) with power 0.80 at alpha 0.05, "
        "two-sided."
    )
    several = power_of(REVENUE, 0.1, 40_000, direction=-1, shares=(0.5, 0.3, 0.2), variance_left=0.64, sides=1).sentence
    assert several.startswith("20,000 / 12,000 / 8,000 users (40,000 in all) find a change of -10.0% (4.2 to 3.78)")
    assert several.endswith(
        "at alpha 0.05 shared among 2 comparisons, one-sided, when CUPED leaves 64% of the variance."
    )
    assert "find a change of +0.5 with" in power_of(Pilot.mean(0, 2), 0.5, 100, relative=False).sentence


# ------------------------------------------------------------------------------------------------------------ bad input
@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Pilot.proportion(0), "baseline must lie between 0 and 1, got 0"),
        (lambda: Pilot.proportion(1.2), "baseline must lie between 0 and 1, got 1.2"),
        (lambda: Pilot.proportion(math.nan), "baseline must lie between 0 and 1, got nan"),
        (lambda: Pilot.mean(4.2, 0), "sd must be a finite number above 0, got 0"),
        (lambda: Pilot.mean(4.2, -1), "sd must be a finite number above 0, got -1"),
        (lambda: Pilot.mean(math.inf, 1), "baseline must be a finite number, got inf"),
        (lambda: Pilot("median", 1, 1), "kind must be 'proportion', 'mean' or 'ratio', got 'median'"),
        (lambda: Pilot.ratio([1, 2], [1, 2, 3]), r"two columns of two users or more, got shapes \(2,\), \(3,\)"),
        (lambda: Pilot.ratio([1], [1]), "two users or more"),
        (lambda: Pilot.ratio([1, math.nan], [1, 1]), "must be finite for every user"),
        (lambda: Pilot.ratio([0, 0], [0, 0]), "denominators must be 0 or more and not all 0"),
        (lambda: Pilot.ratio([1, 1], [3, -1]), "denominators must be 0 or more"),
        (lambda: Pilot.ratio([1, 2], [2, 4]), "sd must be a finite number above 0"),
        (lambda: sample_size(SHOP, 0), "effect must lie between 0 and 1, got 0"),
        (lambda: sample_size(SHOP, 5), "effect must lie between 0 and 1, got 5"),
        (lambda: sample_size(SHOP, -0.05), "effect must lie between 0 and 1, got -0.05"),
        (lambda: sample_size(SHOP, 0.99, relative=False), "effect 0.99 takes the baseline 0.021 to 1.011"),
        (lambda: sample_size(Pilot.proportion(0.8), 0.3), "takes the baseline 0.8 to 1.04; a proportion must stay"),
        (lambda: sample_size(REVENUE, -0.1), "effect must be above 0, got -0.1; a fall has direction=-1"),
        (lambda: sample_size(REVENUE, math.nan), "effect must be above 0, got nan"),
        (lambda: sample_size(Pilot.mean(0, 1), 0.1), "a baseline of 0 has no relative effect"),
        (lambda: sample_size(SHOP, 0.05, direction=0), "direction must be 1 .* or -1 .*, got 0"),
        (lambda: sample_size(SHOP, 0.05, alpha=0), "alpha must lie between 0 and 1, got 0"),
        (lambda: sample_size(SHOP, 0.05, alpha=5), "alpha must lie between 0 and 1, got 5"),
        (lambda: sample_size(SHOP, 0.05, power=1), "power must lie between 0 and 1, got 1"),
        (lambda: sample_size(SHOP, 0.05, power=0.05), "power must be above alpha, which chance alone gives, got 0.05"),
        (lambda: sample_size(SHOP, 0.05, sides=3), "sides must be 1 or 2, got 3"),
        (lambda: sample_size(SHOP, 0.05, shares=(0.5, 0.4)), "shares must add up to 1, got 0.9"),
        (lambda: sample_size(SHOP, 0.05, shares=(1.0,)), "shares must name two arms or more"),
        (lambda: sample_size(SHOP, 0.05, comparisons=0), "comparisons must be a whole number of at least 1, got 0"),
        (lambda: sample_size(SHOP, 0.05, variance_left=0), "variance_left must be above 0 and at most 1, got 0"),
        (lambda: sample_size(SHOP, 0.05, variance_left=1.1), "variance_left must be above 0 and at most 1, got 1.1"),
        (lambda: power_of(SHOP, 0.05, 3), "users must be a whole number of at least 4, got 3"),
        (lambda: power_of(SHOP, 0.05, 100.5), "users must be a whole number"),
        (lambda: power_of(SHOP, 0.05, 20, shares=(0.95, 0.05)), "20 users leave an arm with fewer than two"),
        (lambda: detectable_effect(SHOP, 20, direction=-1), "20 users cannot reach the wanted power"),
        (lambda: sample_size(Pilot.mean(1, 1e6), 1e-4), "an effect of 0.0001 cannot reach the wanted power"),
    ],
)
def test_what_cannot_be_planned_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_shares_may_be_those_of_an_experiment():
    assert sample_size(SHOP, 0.1, shares={"control": 0.7, "new": 0.3}) == sample_size(SHOP, 0.1, shares=(0.7, 0.3))
