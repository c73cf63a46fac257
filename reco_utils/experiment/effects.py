"""What an arm changed, with its interval: the difference of two arms, one metric at a time.

    effect_between(Mean("revenue"), totals, "hybrid", control="popular")

Means, shares and ratios, with or without CUPED, go through tea-tasting (Welch's t; the delta method for ratios; the
interval of the relative effect on the log scale). Bootstrap, quantiles and coverage are ours.

Letters: n users of an arm, R resamples.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from reco_utils.experiment.bootstrap import bootstrap_difference
from reco_utils.experiment.checks import check_columns, check_numbers, rows_by_arm
from reco_utils.experiment.metrics import Coverage, Metric, Quantile

N_RESAMPLES = 2000
N_GROUPS = 50  # of users, left out in turn for the interval of coverage
MISSING = "tea-tasting is missing; install the extension: make run EXTENSION=1, or pip install reco-utils[experiments]"


@dataclass(frozen=True)
class Effect:
    """Treatment minus control of one metric."""

    metric: str
    arm: str
    control: float  # the metric in this arm; with CUPED, after what the time before explains was taken out
    treatment: float
    effect: float  # the difference
    low: float
    high: float
    relative: float  # the effect as a share of the control's value: 0.05 is 5 % more; NaN unless that is above 0
    relative_low: float  # NaN unless both arms are above 0
    relative_high: float
    p: float  # two-sided, of "there is no difference"
    se: float  # standard error of the effect
    users: int  # of both arms together
    weight: float  # sum of the denominators (for a mean the number of users): the clock of `sequential`


def effect_between(
    metric: Metric,
    table: pd.DataFrame,
    arm: str,
    *,
    control: str = "control",
    alpha: float = 0.05,
    rng: np.random.Generator | None = None,
) -> Effect:
    """The effect of one arm on one metric.

    Parameters
    ----------
    table : DataFrame
        What the metric reads: one row per user and `arm` (totals), per visit, or per impression.
    arm, control : str
        Winsorising looks at all users of the table, CUPED at the users of these two arms.
    alpha : float in (0, 1)
        1 minus the level of the intervals.
    rng : Generator
        Needed by `by="bootstrap"` and by `Coverage`.

    Raises
    ------
    ValueError, KeyError, TypeError  for missing columns or numbers, an arm without users, a metric that never varies,
        rng missing; ModuleNotFoundError  without tea-tasting
    """
    check_columns(table, metric.reads, ["user_id", "arm", *metric.columns])
    check_numbers(table, metric.reads, () if isinstance(metric, Coverage) else metric.columns)
    if arm == control:
        raise ValueError(f"arm must be another than the control, got {arm!r} twice")
    of_arm = rows_by_arm(table, (control, arm))
    if isinstance(metric, Quantile):
        silent = "the visits around the quantile all have the same value"
        return _of_table(metric, table, arm, of_arm, alpha, lambda visits: _quantile(metric, visits), silent)
    if isinstance(metric, Coverage):
        rng, silent = _asked(rng, metric), "leaving users out never changes it"
        return _of_table(metric, table, arm, of_arm, alpha, lambda shown: _coverage(metric, shown, rng), silent)
    rows = metric.rows(table)
    return effect_of_rows(metric, rows[of_arm[control]], rows[of_arm[arm]], arm, alpha=alpha, rng=rng)


def effect_of_rows(metric: Metric, control, treatment, arm: str, *, alpha: float = 0.05, rng=None) -> Effect:
    """`effect_between` from the rows (n, 4) that `metric.rows` makes of each arm."""
    for rows, name in ((control, "the control"), (treatment, arm)):
        if len(rows) < 2:
            raise ValueError(f"{name} must have at least 2 users for {metric.name!r}, got {len(rows)}")
        if rows[:, 1].sum() <= 0:
            raise ValueError(f"the denominator of {metric.name!r} is 0 for all users of {name}; it has no ratio")
    if metric.by == "bootstrap":
        return _of_resamples(metric, control, treatment, arm, alpha, _asked(rng, metric))
    return _of_moments(metric, control, treatment, arm, alpha)


# ------------------------------------------------------------------------------------------------ means, shares, ratios
def _of_moments(metric, control, treatment, arm, alpha):
    """Effect by Welch's t and the delta method, from tea-tasting."""
    tea = _tea_tasting()
    parts = [_aggregates(tea, rows) for rows in (control, treatment)]
    total = parts[0] + parts[1]
    slope = _slope(total) if metric.cuped is not None and min(part.mean("e") for part in parts) > 0 else 0.0
    variances = [_variance(part, slope) for part in parts]
    if max(variances) <= 1e-24 * max(part.var(column) for part in parts for column in "yd"):
        raise ValueError(f"{metric.name!r} has no variance: every user of both arms has the same value")
    covariate = ("x", "e") if slope else (None, None)
    test = tea.RatioOfMeans(
        "y", "d", *covariate, alternative="two-sided", confidence_level=1 - alpha, equal_var=False, use_t=True
    )
    found, n = test.analyze_aggregates(*parts), [part.count() for part in parts]
    return _effect(
        metric, arm, (found.control, found.treatment), (found.effect_size_ci_lower, found.effect_size_ci_upper),
        (found.rel_effect_size_ci_lower, found.rel_effect_size_ci_upper), found.pvalue,
        np.sqrt(np.divide(variances, n).sum()), sum(n), sum(part.mean("d") * part.count() for part in parts),
    )  # fmt: skip


def _aggregates(tea, rows):
    """Number, means and covariances of the columns of `metric.rows`, as tea-tasting wants them."""
    names, cov = "ydxe", np.cov(rows, rowvar=False)
    pairs = [(i, j) for i in range(4) for j in range(i)]
    return tea.aggr.Aggregates(
        count_=len(rows),
        mean_=dict(zip(names, rows.mean(axis=0).tolist())),
        var_=dict(zip(names, np.diag(cov).tolist())),
        cov_={(names[i], names[j]): float(cov[i, j]) for i, j in pairs},
    )


def _slope(total):
    """What a unit of the covariate is worth, over both arms: cov / var; 0 where the covariate never varies."""
    variance = total.ratio_var("x", "e")
    return total.ratio_cov("y", "d", "x", "e") / variance if variance > 0 else 0.0


def _variance(part, slope):
    """Variance of one user's share in the metric, after CUPED."""
    found = part.ratio_var("y", "d")
    if slope:
        found += slope**2 * part.ratio_var("x", "e") - 2 * slope * part.ratio_cov("y", "d", "x", "e")
    return max(float(found), 0.0)


def _of_resamples(metric, control, treatment, arm, alpha, rng):
    """Effect with a BCa interval; what the covariate explains is taken out of the numerators first."""
    arms = _adjusted(control, treatment)
    try:
        found = bootstrap_difference(*arms, rng=rng, n=N_RESAMPLES, alpha=alpha)
    except ValueError as error:
        raise ValueError(f"{metric.name!r}: {error}") from None
    sums = np.array([rows.sum(axis=0) for rows in arms])
    return _effect(
        metric, arm, sums[:, 0] / sums[:, 1], (found.low, found.high), (found.relative_low, found.relative_high),
        found.p, found.se, sum(map(len, arms)), sums[:, 1].sum(),
    )  # fmt: skip


def _adjusted(control, treatment):
    """Rows (n, 2) with numerators y - slope * (x - ratio * e) in units of y: CUPED, linearised for ratios."""
    y, d, x, e = np.concatenate([control, treatment]).T
    beside = x - x.sum() / e.sum() * e if e.sum() > 0 else np.zeros(len(x))
    if np.ptp(beside) > 0:
        y = y - np.cov(y - y.sum() / d.sum() * d, beside, ddof=0)[0, 1] / np.var(beside) * beside
    rows = np.column_stack([y, d])
    return rows[: len(control)], rows[len(control) :]


# ------------------------------------------------------------------------------------------------- quantiles, coverage
def _of_table(metric, table, arm, of_arm, alpha, measured, silent):
    """Effect of two independent estimates with their standard errors; the relative one on the log scale."""
    values, errors, users, groups = zip(*[measured(table[mask]) for mask in of_arm.values()])
    if max(errors) == 0:
        raise ValueError(f"{metric.name!r} has no variance: {silent}")
    law, effect, se = t(min(groups) - 1), values[1] - values[0], np.hypot(*errors)
    z, relative_ends = law.ppf(1 - alpha / 2), (np.nan, np.nan)
    if min(values) > 0:
        ratio = values[1] / values[0]
        factor = np.exp(z * np.hypot(errors[0] / values[0], errors[1] / values[1]))
        relative_ends = (ratio / factor - 1, ratio * factor - 1)
    ends, p = (effect - z * se, effect + z * se), 2 * law.sf(abs(effect) / se)
    weight = sum(mask.sum() for mask in of_arm.values())
    return _effect(metric, arm, values, ends, relative_ends, p, se, sum(users), weight)


def _quantile(metric, visits):
    """The quantile of an arm, its standard error from the ranks that its users' visits leave open, users, and inf.

    The share of visits at or below the quantile is a ratio over users; its delta-method interval is read as ranks.
    Source: Deng, Knoblich and Lu (2018), section 4.
    """
    values = visits[metric.column].to_numpy(float)
    ordered = np.sort(values)
    found = np.quantile(ordered, metric.q, method="inverted_cdf")
    owner = pd.factorize(visits["user_id"])[0]
    n = np.bincount(owner).astype(float)
    below = np.bincount(owner, weights=values <= found)
    share_se = np.sqrt(((below - below.sum() / n.sum() * n) ** 2).sum() * len(n) / max(len(n) - 1, 1)) / n.sum()
    reach = np.array([-1, 1]) * norm.ppf(0.975) * share_se
    shares = (np.arange(len(ordered)) + 0.5) / len(ordered)  # the middle of each step
    low, high = np.interp(np.clip(metric.q + reach, 0, 1), shares, ordered)
    return float(found), float(high - low) / (2 * norm.ppf(0.975)), len(n), np.inf  # Student's t of inf is normal


def _coverage(metric, impressions, rng):
    """Coverage of an arm, its jackknife standard error, its users and the number of groups of them.

    An item is lost without a group when only that group was shown it.
    """
    user, item = (pd.factorize(impressions[column])[0] for column in ("user_id", metric.column))
    if (item < 0).any():
        raise ValueError(f"{metric.name!r} needs an item in every impression, {metric.column!r} is missing in some")
    n_users = user.max() + 1
    n_groups = min(N_GROUPS, n_users)
    group = rng.permutation(n_users) % n_groups
    pairs = np.unique(item.astype(np.int64) * n_groups + group[user])
    owners = np.bincount(pairs // n_groups)
    lost = np.bincount((pairs % n_groups)[owners[pairs // n_groups] == 1], minlength=n_groups)
    found = len(owners) / metric.n_items
    if found > 1:
        raise ValueError(f"{metric.name!r} says n_items={metric.n_items}, but {len(owners)} items were shown")
    return found, float(np.sqrt((n_groups - 1) * np.var(lost))) / metric.n_items, int(n_users), n_groups


def _effect(metric, arm, values, ends, relative_ends, p, se, users, weight):
    """An effect from the values of both arms and what a test says of them."""
    control, treatment = values
    relative = treatment / control - 1 if control > 0 else np.nan
    if not min(values) > 0:
        relative_ends = (np.nan, np.nan)
    numbers = (control, treatment, treatment - control, *ends, relative, *relative_ends, p, se)
    return Effect(metric.name, arm, *map(float, numbers), int(users), float(weight))


def _asked(rng, metric):
    """The generator, which must have been given."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"{metric.name!r} needs rng, such as np.random.default_rng(0), got {rng!r}")
    return rng


def _tea_tasting():
    """The package, or what to do about its absence."""
    try:
        import tea_tasting
        import tea_tasting.aggr
    except ModuleNotFoundError as error:
        if error.name != "tea_tasting":
            raise
        raise ModuleNotFoundError(MISSING, name="tea_tasting") from None
    return tea_tasting
