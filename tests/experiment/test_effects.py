"""One metric, two arms: by hand, against scipy, statsmodels and tea-tasting, and by simulation."""

import builtins

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reco_utils.experiment.effects import effect_between
from reco_utils.experiment.metrics import Coverage, Mean, Proportion, Quantile, Ratio, winsorise

tea = pytest.importorskip("tea_tasting", reason="needs the extra `experiments`")


def shop(n=1500, seed=0):
    """Heavy-tailed users of two arms, who were there before; arm b clicks and spends more."""
    rng = np.random.default_rng(seed)
    arm = np.where(rng.random(n) < 0.6, "control", "b")
    wealth = rng.gamma(0.5, 2, n)
    spent = lambda gain: np.where(rng.random(n) < 0.3, wealth * rng.lognormal(2, 1, n) * gain, 0)
    frame = pd.DataFrame({"user_id": np.arange(n), "arm": arm, "before_revenue": spent(1.0)})
    frame["revenue"] = spent(np.where(arm == "b", 1.3, 1.0))
    for when in ("before_", ""):
        frame[f"{when}shown"] = rng.poisson(5 * wealth) + (when == "")
        frame[f"{when}clicks"] = rng.binomial(frame[f"{when}shown"], np.clip(0.1 + 0.05 * wealth, 0, 0.6))
    return frame


TOTALS = shop()
CONTROL, TREATED = (TOTALS[TOTALS["arm"] == arm] for arm in ("control", "b"))


def test_a_mean_by_hand():
    totals = pd.DataFrame({"user_id": range(5), "arm": ["control"] * 2 + ["b"] * 3, "orders": [1, 3, 3, 5, 7]})
    found = effect_between(Mean("orders"), totals, "b")
    assert (found.control, found.treatment, found.effect, found.users, found.weight) == (2, 5, 3, 5, 5)
    assert found.se == pytest.approx(np.sqrt(2 / 2 + 4 / 3))  # variances 2 and 4, of 2 and 3 users
    assert found.relative == 1.5


def test_a_share_counts_who_is_above_the_threshold_and_not_on_it():
    totals = pd.DataFrame({"user_id": range(6), "arm": ["control"] * 3 + ["b"] * 3, "orders": [0, 1, 2, 1, 2, 2]})
    for above, shares in ((0, (2 / 3, 1)), (1, (1 / 3, 2 / 3))):
        found = effect_between(Proportion("orders", above=above), totals, "b")
        assert (found.control, found.treatment) == pytest.approx(shares)


def test_a_ratio_by_hand():
    totals = pd.DataFrame(
        {"user_id": range(4), "arm": ["control"] * 2 + ["b"] * 2, "clicks": [1, 1, 2, 2], "shown": [1, 3, 2, 2]}
    )
    found = effect_between(Ratio("clicks", "shown"), totals, "b")
    assert (found.control, found.treatment) == (2 / 4, 4 / 4)
    # control: y - 0.5 d = 0.5 and -0.5, variance 0.5, over (mean d)^2 = 4, over 2 users; treatment: no variance
    assert found.se == pytest.approx(np.sqrt(0.5 / 4 / 2))


def test_welch_of_scipy_agrees():
    found = effect_between(Mean("revenue"), TOTALS, "b", alpha=0.1)
    theirs = stats.ttest_ind(TREATED["revenue"], CONTROL["revenue"], equal_var=False)
    span = theirs.confidence_interval(0.9)
    assert [found.p, found.low, found.high] == pytest.approx([theirs.pvalue, span.low, span.high], rel=1e-9)
    assert found.effect / found.se == pytest.approx(theirs.statistic, rel=1e-9)


def test_a_share_agrees_with_scipy_and_statsmodels():
    found = effect_between(Proportion("revenue", above=20.0), TOTALS, "b")
    bought = [(part["revenue"] > 20).astype(float) for part in (TREATED, CONTROL)]
    assert found.p == pytest.approx(stats.ttest_ind(*bought, equal_var=False).pvalue, rel=1e-9)
    weightstats = pytest.importorskip("statsmodels.stats.weightstats", reason="needs the extra `extension`")
    low, high = weightstats.CompareMeans.from_data(*bought).tconfint_diff(usevar="unequal")
    assert [found.low, found.high] == pytest.approx([low, high], rel=1e-9)


def test_a_ratio_agrees_with_clustered_least_squares():
    """The ratio of sums is a regression of clicks / shown on a constant, weighted by shown, clustered by user."""
    api = pytest.importorskip("statsmodels.api", reason="needs the extra `extension`")
    errors = []
    for part in (CONTROL, TREATED):
        part = part[part["shown"] > 0]
        fit = api.WLS(part["clicks"] / part["shown"], np.ones(len(part)), weights=part["shown"])
        errors.append(fit.fit(cov_type="HC0").bse.iloc[0] * np.sqrt(len(part) / (len(part) - 1)))
    found = effect_between(Ratio("clicks", "shown"), TOTALS, "b")
    assert found.se == pytest.approx(np.hypot(*errors), rel=1e-6)


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (Mean("revenue"), lambda: tea.Mean("revenue")),
        (Mean("revenue", cuped="before_revenue"), lambda: tea.Mean("revenue", "before_revenue")),
        (Ratio("clicks", "shown"), lambda: tea.RatioOfMeans("clicks", "shown")),
        (
            Ratio("clicks", "shown", cuped=("before_clicks", "before_shown")),
            lambda: tea.RatioOfMeans("clicks", "shown", "before_clicks", "before_shown"),
        ),
    ],
)
def test_tea_tasting_agrees_from_the_raw_table(ours, theirs):
    found = effect_between(ours, TOTALS, "b")
    read = tea.Experiment({"it": theirs()}, variant="arm").analyze(TOTALS, control="control")["it"]
    names = ("control", "treatment", "effect_size", "effect_size_ci_lower", "effect_size_ci_upper")
    names += ("rel_effect_size", "rel_effect_size_ci_lower", "rel_effect_size_ci_upper", "pvalue")
    mine = (found.control, found.treatment, found.effect, found.low, found.high)
    mine += (found.relative, found.relative_low, found.relative_high, found.p)
    assert mine == pytest.approx([getattr(read, name) for name in names], rel=1e-6)
    assert found.effect / found.se == pytest.approx(read.statistic, rel=1e-6)


def test_cuped_agrees_with_a_regression_on_the_covariate():
    """With one slope from both arms, the adjusted difference is that of y - slope * (x - mean x)."""
    x, y = TOTALS["before_revenue"], TOTALS["revenue"]
    slope = np.polyfit(x, y, 1)[0]
    left = y - slope * (x - x.mean())
    theirs = stats.ttest_ind(left[TOTALS["arm"] == "b"], left[TOTALS["arm"] == "control"], equal_var=False)
    found = effect_between(Mean("revenue", cuped="before_revenue"), TOTALS, "b")
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-6)


def test_cuped_takes_out_the_squared_correlation():
    rng = np.random.default_rng(0)
    n, rho = 40_000, 0.8
    before = rng.normal(size=n)
    totals = pd.DataFrame({"user_id": range(n), "arm": np.where(rng.random(n) < 0.5, "control", "b"), "before": before})
    totals["value"] = 5 + rho * before + np.sqrt(1 - rho**2) * rng.normal(size=n)
    plain, adjusted = (effect_between(Mean("value", cuped=by), totals, "b").se for by in (None, "before"))
    assert (adjusted / plain) ** 2 == pytest.approx(1 - rho**2, abs=0.012)  # 4 standard errors of a correlation


def test_a_covariate_that_never_varies_changes_nothing():
    flat = TOTALS.assign(before_revenue=0.0, before_clicks=0, before_shown=0)
    assert effect_between(Mean("revenue", cuped="before_revenue"), flat, "b") == effect_between(
        Mean("revenue"), flat, "b"
    )
    cuped = ("before_clicks", "before_shown")
    for by in ("normal", "bootstrap"):
        pair = [
            effect_between(Ratio("clicks", "shown", cuped=c, by=by), flat, "b", rng=np.random.default_rng(0))
            for c in (cuped, None)
        ]
        assert pair[0] == pair[1]


def test_winsorising_cuts_both_arms_at_the_quantile_of_all_users():
    cut = TOTALS.assign(revenue=winsorise(TOTALS["revenue"], 0.98))
    found, theirs = (
        effect_between(m, t, "b") for m, t in ((Mean("revenue", winsorise=0.98), TOTALS), (Mean("revenue"), cut))
    )
    assert found == theirs
    assert found.se < effect_between(Mean("revenue"), TOTALS, "b").se


@pytest.mark.parametrize(
    "metric",
    [
        Mean("revenue"),
        Mean("revenue", cuped="before_revenue"),
        Ratio("clicks", "shown", cuped=("before_clicks", "before_shown")),
    ],
)
def test_bootstrap_and_formula_tell_the_same_of_many_users(metric):
    big = shop(20_000, seed=1)
    plain = effect_between(metric, big, "b")
    drawn = effect_between(type(metric)(**{**vars(metric), "by": "bootstrap"}), big, "b", rng=np.random.default_rng(0))
    width = plain.high - plain.low
    assert drawn.effect == pytest.approx(plain.effect, abs=1e-3 * width)
    assert [drawn.low, drawn.high] == pytest.approx([plain.low, plain.high], abs=0.08 * width)
    assert drawn.se == pytest.approx(plain.se, rel=0.07)
    assert drawn.relative_low == pytest.approx(plain.relative_low, abs=0.1 * (plain.relative_high - plain.relative_low))


def test_users_who_repeat_themselves_do_not_count_as_many():
    """20 users with 50 visits each know less than 1,000 visits: a quantile of them is as uncertain as that of 20."""
    rng = np.random.default_rng(0)
    speed = rng.lognormal(4, 0.5, 400)
    visits = pd.DataFrame({"user_id": np.repeat(np.arange(400), 20), "ms": np.repeat(speed, 20)})
    visits["arm"] = np.where(visits["user_id"] < 200, "control", "b")
    once = visits.drop_duplicates("user_id")
    many, few = (effect_between(Quantile("ms", 0.75), table, "b") for table in (visits, once))
    assert many.effect == pytest.approx(few.effect)
    assert many.se == pytest.approx(few.se, rel=0.1)


def test_the_interval_of_a_quantile_holds_the_truth():
    rng = np.random.default_rng(0)
    held, truth = 0, 100 * stats.norm.ppf(0.9)
    for _ in range(300):
        users = np.repeat(np.arange(400), rng.integers(1, 6, 400))
        own = rng.normal(0, 60, 400)[users] + rng.normal(0, 80, len(users))  # standard deviation 100
        visits = pd.DataFrame({"user_id": users, "ms": 300 + own + 50 * (users % 2)})
        visits["arm"] = np.where(users % 2, "b", "control")
        found = effect_between(Quantile("ms", 0.9), visits, "b")
        held += found.low <= 50 <= found.high
        assert abs(found.control - 300 - truth) < 60
    assert 0.91 <= held / 300 <= 0.985  # 0.95 within 3 standard errors


def test_coverage_by_hand_and_by_leaving_users_out():
    """Four users of an arm: leaving one out loses what only that one saw."""
    shown = {0: [1, 2], 1: [2, 3], 2: [3, 4, 5], 3: [1]}
    rows = [(user, item, "control") for user, items in shown.items() for item in items]
    rows += [(user + 10, item, "b") for user, item in zip(range(4), (1, 1, 2, 2))]
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "arm"])
    found = effect_between(Coverage(10), table, "b", rng=np.random.default_rng(0))
    assert (found.control, found.treatment, found.users) == (0.5, 0.2, 8)
    without = []
    for user in shown:
        rest = {item for other, items in shown.items() if other != user for item in items}
        without.append(len(rest) / 10)
    assert found.se == pytest.approx(np.sqrt(3 * np.var(without)))  # b loses nothing
    assert found.high - found.effect == pytest.approx(stats.t.isf(0.025, 3) * found.se)  # four groups


def test_relative_effects_need_two_positive_arms():
    totals = TOTALS.assign(profit=TOTALS["revenue"] - 30)
    found = effect_between(Mean("profit"), totals, "b")
    assert found.control < 0
    assert np.isnan([found.relative, found.relative_low, found.relative_high]).all()


def test_arms_and_order_of_rows_do_not_matter():
    turned = TOTALS.sample(frac=1, random_state=0).astype({"arm": "category"})
    found, again = (effect_between(Mean("revenue", cuped="before_revenue"), t, "b") for t in (TOTALS, turned))
    assert found.effect == pytest.approx(again.effect)
    swapped = effect_between(Mean("revenue"), TOTALS, "control", control="b")
    assert swapped.effect == pytest.approx(-effect_between(Mean("revenue"), TOTALS, "b").effect)


def test_the_table_of_the_caller_stays_as_it_was():
    before = TOTALS.copy()
    effect_between(Mean("revenue", winsorise=0.9, cuped="before_revenue"), TOTALS, "b")
    pd.testing.assert_frame_equal(TOTALS, before)


@pytest.mark.parametrize(
    "metric, change, arm, words",
    [
        (Mean("revenue"), {"revenue": 3.0}, "b", "'revenue per user' has no variance"),
        (Mean("revenue", by="bootstrap"), {"revenue": 3.0}, "b", "'revenue per user': no variance"),
        (Proportion("revenue"), {"revenue": 0.0}, "b", "'users with revenue' has no variance"),
        (Ratio("clicks", "shown"), {"shown": 0}, "b", "the denominator of 'clicks / shown' is 0 for all users of"),
        (Mean("revenue"), {}, "c", "arm 'c' has no users; the arms are"),
        (Mean("revenue"), {}, "control", "arm must be another than the control"),
        (Mean("revenue", winsorise=0.6), {}, "b", "cuts all users at 0; only .* are above it: take a higher"),
    ],
)
def test_what_has_no_effect_is_refused(metric, change, arm, words):
    with pytest.raises(ValueError, match=words):
        effect_between(metric, TOTALS.assign(**change), arm, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    "metric, change, words",
    [
        (Mean("revenue"), {"revenue": np.nan}, "'revenue' is missing or infinite in 1500 rows of totals"),
        (Quantile("revenue"), {"revenue": np.nan}, "'revenue' is missing or infinite in 1500 rows of visits"),
        (Coverage(10, "item"), {"item": [None] + ["x"] * 1499}, "'item' is missing in some"),
        (Coverage(1, "user_id"), {}, "says n_items=1, but .* items were shown"),
        (Coverage(10, "arm"), {}, "'coverage' has no variance"),
        (Quantile("arms"), {"arms": 7.0}, "'arms p95' has no variance"),
    ],
)
def test_tables_that_cannot_be_read_are_refused(metric, change, words):
    with pytest.raises(ValueError, match=words):
        effect_between(metric, TOTALS.assign(**change), "b", rng=np.random.default_rng(0))


def test_a_missing_generator_is_asked_for():
    with pytest.raises(TypeError, match="'revenue per user' needs rng"):
        effect_between(Mean("revenue", by="bootstrap"), TOTALS, "b")


def test_without_tea_tasting_the_extension_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "tea_tasting":
            raise ModuleNotFoundError(name=name.partition(".")[0])
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match=r"EXTENSION=1, or pip install reco-utils\[experiments\]"):
        effect_between(Mean("revenue"), TOTALS, "b")
    effect_between(Mean("revenue", by="bootstrap"), TOTALS, "b", rng=np.random.default_rng(0))  # needs none


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Mean("revenue", guardrail=2), "guardrail of 'revenue per user' must lie between 0 and 1.* got 2"),
        (lambda: Mean("revenue", winsorise=0.2), "winsorise of .* must lie between 0.5 and 1, got 0.2"),
        (lambda: Mean("revenue", by="magic"), r"by of .* must be one of \['normal', 'bootstrap'\], got 'magic'"),
        (lambda: Mean("revenue", cuped=("a", "b")), "cuped of .* must be one column"),
        (lambda: Ratio("clicks", "shown", cuped="a"), "must be a pair of columns"),
        (lambda: Proportion("orders", winsorise=0.9), "a share has no tail"),
        (lambda: Quantile("ms", 1.0), "q of 'ms p100' must lie between 0 and 1"),
        (lambda: Coverage(0), "n_items of 'coverage' must be a whole number of at least 1"),
    ],
)
def test_metrics_with_wrong_settings_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
