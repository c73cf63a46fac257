"""Looks at a test while it runs: published bounds, and false alarms counted in simulated walks and shops."""

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reco_utils.experiment.metrics import Mean, Proportion, Quantile, Ratio
from reco_utils.experiment.sequential import always_valid, crossing_chance, monitor, spending_bounds

EQUAL = np.arange(1, 15.0)  # 14 looks


@pytest.fixture(scope="module")
def walks():
    """4,000 tests of 14 days without any difference: z on every day (4000, 14)."""
    steps = np.random.default_rng(0).normal(size=(4000, 14))
    return np.cumsum(steps, axis=1) / np.sqrt(EQUAL)


def noise(share, n=4000):
    return 4 * np.sqrt(share * (1 - share) / n)  # four standard errors


# ------------------------------------------------------------------------------------------------- bounds over time
@pytest.mark.parametrize(
    "information, options, published",
    [  # the usual tables of Lan and DeMets's spending functions
        ([0.2, 0.4, 0.6, 0.8, 1.0], {}, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ([0.2, 0.4, 0.6, 0.8, 1.0], {"spend": "pocock"}, [2.4380, 2.4268, 2.4102, 2.3966, 2.3860]),
        ([0.25, 0.5, 0.75, 1.0], {"sides": 1}, [3.7496, 2.5399, 2.0160, 1.7201]),
    ],
)
def test_bounds_are_the_published_ones(information, options, published):
    assert spending_bounds(information, **options) == pytest.approx(published, abs=2e-4)
    assert spending_bounds(np.multiply(information, 5000), **options) == pytest.approx(published, abs=2e-4)


def test_naive_peeking_is_as_bad_as_published():
    """Armitage, McPherson and Rowe (1969), table 2: 1.96 at 1, 2, 3, 4, 5, 10, 20 and 50 looks."""
    looks = np.array([1, 2, 3, 4, 5, 10, 20, 50])
    found = crossing_chance(stats.norm.isf(0.025), np.arange(1, 51.0))[looks - 1]
    assert found == pytest.approx([0.05, 0.083, 0.107, 0.126, 0.142, 0.193, 0.248, 0.320], abs=5.1e-4)


def test_pococks_constant_bound_spends_five_percent_in_five_looks():
    assert crossing_chance(2.413, np.arange(1, 6.0))[-1] == pytest.approx(0.05, abs=1e-4)


def test_one_look_is_the_usual_test():
    assert spending_bounds([7.0]) == pytest.approx([stats.norm.isf(0.025)], abs=1e-6)
    assert spending_bounds([7.0], sides=1, alpha=0.1) == pytest.approx([stats.norm.isf(0.1)], abs=1e-6)


@pytest.mark.parametrize("spend", ["obrien-fleming", "pocock"])
@pytest.mark.parametrize("information", [EQUAL, [1.0, 1.0002, 5.0, 50.0, 51.0, 400.0]])
def test_bounds_spend_alpha_and_no_more(spend, information):
    bounds = spending_bounds(information, spend=spend)
    assert crossing_chance(bounds, information)[-1] == pytest.approx(0.05, abs=1e-6)


def test_a_plan_stopped_before_its_end_has_not_spent_all():
    bounds = spending_bounds(EQUAL[:7], times=EQUAL[:7] / 14)
    assert bounds == pytest.approx(spending_bounds(EQUAL)[:7], abs=1e-6)
    assert crossing_chance(bounds, EQUAL[:7])[-1] < 0.01


def test_counted_false_alarms_are_those_computed(walks):
    naive = (np.abs(walks) > stats.norm.isf(0.025)).any(axis=1).mean()
    assert naive == pytest.approx(crossing_chance(stats.norm.isf(0.025), EQUAL)[-1], abs=noise(0.22))
    bounds = spending_bounds(EQUAL)
    assert (np.abs(walks) >= bounds).any(axis=1).mean() == pytest.approx(0.05, abs=noise(0.05))


# --------------------------------------------------------------------------------------------------- always valid
def test_always_valid_by_hand():
    """The odds of a mixture of normal effects against none: sqrt(eta / (v + eta)) exp(z^2 v / (2 (v + eta)))."""
    eta = _eta(tuned_at=8.0, alpha=0.05)
    odds = np.sqrt(eta / (4 + eta)) * np.exp(3.0**2 * 4 / (2 * (4 + eta)))
    found = always_valid([6.0], [2.0], [4.0], tuned_at=8.0)
    assert found["p"][0] == pytest.approx(1 / odds, rel=1e-5)


def _eta(tuned_at, alpha):
    """The eta with the narrowest interval at `tuned_at`, by a plain search."""
    grid = tuned_at / np.linspace(1, 30, 2_900_001)
    widths = (1 + grid / tuned_at) * (np.log1p(tuned_at / grid) + 2 * np.log(1 / alpha))
    return grid[np.argmin(widths)]


def test_the_interval_leaves_zero_out_just_where_p_is_below_alpha():
    z = np.linspace(0, 6, 200)
    for v in (0.1, 5.0, 300.0):
        found = pd.concat([always_valid([x], [2.0], [v], tuned_at=20.0) for x in 2 * z])
        assert ((found["low"] > 0) == (found["p"] < 0.05)).all()


def test_the_interval_is_narrowest_where_it_was_tuned_relative_to_other_tunings():
    for v in (3.0, 30.0):
        width = {t: np.ptp(always_valid([0.0], [1.0], [v], tuned_at=t)[["low", "high"]].to_numpy()) for t in (3, 30)}
        assert min(width, key=width.get) == v


def test_p_never_grows_back():
    found = always_valid([5.0, 0.0, 1.0], [1.0, 1.0, 1.0], [1.0, 2.0, 3.0], tuned_at=3.0)
    assert (np.diff(found["p"]) <= 0).all()
    assert always_valid([], [], [], tuned_at=1.0).shape == (0, 3)


def test_always_valid_never_raises_more_false_alarms_than_alpha(walks):
    alarms = [always_valid(z, np.ones(14), EQUAL, tuned_at=14.0)["p"].iloc[-1] < 0.05 for z in walks[:2000]]
    assert np.mean(alarms) <= 0.05
    assert np.mean(alarms) > 0.003  # it does reject: continuous looks for ever would use up the rest


# ------------------------------------------------------------------------------------------------------- day by day
def visits_of(rng, n_users, days, *, gain=0.0):
    """Visits of users with habits of their own, and the users: buyers are few, what they spend is heavy-tailed."""
    users = pd.DataFrame({"user_id": np.arange(n_users), "arm": np.where(rng.random(n_users) < 0.5, "control", "b")})
    keen = rng.gamma(1.0, 0.3, n_users)
    came = rng.poisson(keen[:, None], (n_users, days))
    row, day = np.nonzero(came)
    times = came[row, day]
    row, day = np.repeat(row, times), np.repeat(day, times)
    chance = 0.1 + gain * (users["arm"].to_numpy()[row] == "b")
    visits = pd.DataFrame({"user_id": row, "day": day, "shown": 10, "clicks": rng.binomial(10, chance)})
    visits["revenue"] = np.where(rng.random(len(row)) < chance / 2, rng.lognormal(3, 0.8, len(row)), 0)
    return visits, users


tea = pytest.mark.skipif(find_spec("tea_tasting") is None, reason="needs the extra `experiments`")


@tea
def test_the_last_day_says_what_the_whole_table_says():
    from reco_utils.experiment.effects import effect_between

    visits, users = visits_of(np.random.default_rng(0), 400, 5)
    sums = visits.groupby("user_id")[["clicks", "shown", "revenue"]].sum()
    totals = users.join(sums, on="user_id").fillna(0)
    for metric in (Ratio("clicks", "shown"), Mean("revenue"), Proportion("revenue")):
        found, whole = monitor(visits, metric, users=users, arm="b").looks, effect_between(metric, totals, "b")
        last = found.loc[4, ["effect", "low", "high", "p"]].tolist()
        assert last == pytest.approx([whole.effect, whole.low, whole.high, whole.p])
        half = monitor(visits[visits["day"] < 3], metric, users=users, arm="b", days=5).looks
        pd.testing.assert_frame_equal(half, found.loc[:2])


@tea
def test_totals_of_the_future_are_not_looked_at():
    """The table of users may be the final totals: only the covariate is read from it, and sessions are counted."""
    visits, users = visits_of(np.random.default_rng(0), 400, 3)
    totals = users.assign(clicks=1000, shown=1, sessions=77, before=np.arange(400.0))
    metric = Ratio("clicks", "sessions")
    plain = monitor(visits, metric, users=users, arm="b").looks
    pd.testing.assert_frame_equal(monitor(visits, metric, users=totals, arm="b").looks, plain)
    assert monitor(visits, Mean("clicks", cuped="before"), users=totals, arm="b").looks.notna().all(axis=None)


@tea
def test_a_true_difference_is_found_and_stays_found():
    visits, users = visits_of(np.random.default_rng(1), 3000, 7, gain=0.04)
    found = monitor(visits, Ratio("clicks", "shown"), users=users, arm="b")
    assert (found.stops <= 6).all()
    assert found.stops["naive"] <= min(found.stops["spending"], found.stops["always_valid"])


@tea
def test_days_before_anybody_bought_have_no_effect_and_raise_no_alarm():
    users = pd.DataFrame({"user_id": range(40), "arm": ["control", "b"] * 20})
    visits = pd.DataFrame({"user_id": range(40), "day": [0] * 10 + [1] * 10 + [2] * 20, "orders": 0})
    visits.loc[visits["day"] == 2, "orders"] = [0, 1] * 10
    looks = monitor(visits, Mean("orders"), users=users, arm="b", days=4).looks
    assert looks["effect"].isna().tolist() == [True, True, False]
    assert looks["bound"].isna().tolist() == [True, True, False]


@tea
def test_a_day_that_teaches_nothing_is_no_look():
    """Nobody comes on day 1: it has no bound to cross."""
    visits, users = visits_of(np.random.default_rng(0), 300, 4)
    looks = monitor(visits[visits["day"] != 1], Ratio("clicks", "shown"), users=users, arm="b").looks
    assert np.isinf(looks["bound"]).tolist() == [False, True, False, False]
    assert looks.loc[1, ["effect", "low", "high"]].tolist() == looks.loc[0, ["effect", "low", "high"]].tolist()


@tea
def test_false_alarms_of_shops_under_daily_looks():
    """60 shops without a difference: within four standard errors of what theory allows (the benchmark has 1,000)."""
    rng, stops = np.random.default_rng(3), []
    for _ in range(60):
        visits, users = visits_of(rng, 300, 5)
        stops.append(monitor(visits, Ratio("clicks", "shown"), users=users, arm="b").stops)
    alarms = pd.DataFrame(stops).notna().mean()
    assert alarms["always_valid"] <= 0.05
    assert alarms["spending"] <= 0.05 + noise(0.05, 60)
    assert alarms["naive"] > max(alarms["spending"], alarms["always_valid"])


@tea
def test_the_figure_shows_both_intervals():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    visits, users = visits_of(np.random.default_rng(0), 300, 3)
    figure, ax = plt.subplots()
    assert monitor(visits, Ratio("clicks", "shown"), users=users, arm="b").plot(ax) is ax
    assert len(ax.collections) == 2
    plt.close(figure)


# -------------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: spending_bounds([]), "above 0 and grow"),
        (lambda: spending_bounds([1.0, 1.00005]), "grow from look to look by 0.01% at least"),
        (lambda: crossing_chance(2.0, [2.0, 1.0]), "above 0 and grow"),
        (lambda: spending_bounds([0.0, 1.0]), "above 0 and grow"),
        (lambda: spending_bounds([1.0], alpha=1.0), "alpha must lie between 0 and 1, got 1.0"),
        (lambda: spending_bounds([1.0], sides=3), "sides must be 1 or 2, got 3"),
        (lambda: spending_bounds([1.0], spend="all"), r"spend must be one of .* got 'all'"),
        (lambda: spending_bounds([1.0, 2.0], times=[0.5, 1.5]), "2 shares of the plan up to 1"),
        (lambda: always_valid([1.0], [1.0], [1.0], tuned_at=0), "tuned_at must be a finite number above 0, got 0"),
        (lambda: always_valid([1.0], [1.0, 2.0], [1.0], tuned_at=1), "must be \\(L,\\)"),
        (lambda: always_valid([1.0], [-1.0], [1.0], tuned_at=1), "must not be negative"),
    ],
)
def test_wrong_plans_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    "change, metric, options, error, words",
    [
        ({}, Mean("orders"), {}, KeyError, r"visits lack the columns \['orders'\]"),
        ({}, Mean("clicks", cuped="before"), {}, KeyError, r"users lack the columns \['before'\]"),
        ({}, Quantile("latency_ms"), {}, ValueError, "reads visits"),
        ({}, Mean("clicks"), {"arm": "c"}, ValueError, "arm 'c' has no users"),
        ({}, Mean("clicks"), {"days": 2}, ValueError, "days must lie between 0 and 1, got 0 to 2"),
        ({"clicks": np.nan}, Mean("clicks"), {}, ValueError, "'clicks' is missing or infinite in"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(change, metric, options, error, words):
    visits, users = visits_of(np.random.default_rng(0), 50, 3)
    with pytest.raises(error, match=words):
        monitor(visits.assign(**change), metric, **{"users": users, "arm": "b", **options})


def test_a_user_twice_is_refused():
    visits, users = visits_of(np.random.default_rng(0), 50, 3)
    with pytest.raises(ValueError, match="users have a row per user, got 1 users twice, such as 0"):
        monitor(visits, Mean("clicks"), users=pd.concat([users, users.head(1)]), arm="b")
