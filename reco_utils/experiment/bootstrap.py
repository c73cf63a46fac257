"""Bootstrap of a difference between two groups of users, for numbers too heavy-tailed to trust a formula.

Letters: n users of an arm, R resamples.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from reco_utils.experiment.checks import check_between, check_count

CHUNK = 2**20  # users drawn at once, 8 MB


@dataclass(frozen=True)
class Resampled:
    """What the resamples say of a difference and of a ratio of two arms."""

    low: float  # ends of the interval of treatment minus control
    high: float
    relative_low: float  # of treatment / control - 1; NaN unless both are above 0 in the data and all resamples
    relative_high: float
    p: float  # two-sided: twice the alpha of the one-sided interval that just reaches 0, at least 1 / (R + 1)
    se: float  # standard deviation of the resampled differences


def bootstrap_difference(
    control, treatment, *, rng: np.random.Generator, n: int = 2000, alpha: float = 0.05
) -> Resampled:
    """Interval and p of a difference of means, or of ratios of sums: users are drawn with replacement in each arm.

    The interval is BCa: the ends of the percentile interval are moved for skewness and bias.

    Parameters
    ----------
    control, treatment : (n,) float, or (n, 2) numerators and denominators
        One row per user.
    n : int, at least 100
        Resamples R.
    alpha : float in (0, 1)
        1 minus the level.

    Raises
    ------
    ValueError  for fewer than two users in an arm, fewer than 100 resamples, or no variance

    Source: Efron (1987); two samples: Efron and Tibshirani (1993), chapter 14.
    """
    check_count("n", n, 100)
    check_between("alpha", alpha)
    arms = [_rows(control, "control"), _rows(treatment, "treatment")]
    seen = [_ratio(rows.sum(axis=0)) for rows in arms]
    pulls = [_influence(rows, value) for rows, value in zip(arms, seen)]
    if not any(np.ptp(pull) > 0 for pull in pulls):
        raise ValueError("no variance: every user of both arms has the same value")
    drawn = [_ratio(resampled_sums(rows, rng=rng, n=n)) for rows in arms]

    gap, skew = drawn[1] - drawn[0], _acceleration(-pulls[0], pulls[1])
    low, high = _ends(gap, seen[1] - seen[0], skew, alpha)
    relative_low = relative_high = np.nan
    if min(seen) > 0 and min(drawn[0].min(), drawn[1].min()) > 0:
        skew_of_ratio = _acceleration(-pulls[0] * seen[1] / seen[0] ** 2, pulls[1] / seen[0])
        relative_low, relative_high = _ends(drawn[1] / drawn[0] - 1, seen[1] / seen[0] - 1, skew_of_ratio, alpha)
    p = _p_value(gap, seen[1] - seen[0], skew)
    return Resampled(low, high, relative_low, relative_high, p, float(gap.std(ddof=1)))


def resampled_sums(rows: np.ndarray, *, rng: np.random.Generator, n: int) -> np.ndarray:
    """Column sums (R, columns) of n resamples of the rows (users, columns), each as many rows as there are.

    Most users buy nothing, and their rows are all alike: how many of them a resample holds is one binomial draw, and
    only the others are drawn one by one.
    """
    n_rows = len(rows)
    common = rows[np.argmin(rows[:, 0])]
    rare = rows[(rows != common).any(axis=1)]
    times = rng.binomial(n_rows, len(rare) / n_rows, n)
    varies = np.ptp(rows, axis=0) > 0  # sums of the other columns are known
    sums = np.where(varies, np.outer(n_rows - times, common), n_rows * common)
    step = max(CHUNK // max(n_rows, 1), 1)
    for first in range(0, n, step):
        part = times[first : first + step]
        drawn = rng.integers(0, max(len(rare), 1), part.sum())
        owner = np.repeat(np.arange(len(part)), part)
        for column in np.flatnonzero(varies):
            found = np.bincount(owner, weights=rare[drawn, column], minlength=len(part))
            sums[first : first + step, column] += found
    return sums


def _rows(values, arm):
    """Values of one arm as (n, 2) float64."""
    values = np.asarray(values, float)
    rows = np.column_stack([values, np.ones(len(values))]) if values.ndim == 1 else values
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise ValueError(f"{arm} must be (users,) or (users, 2), got shape {values.shape}")
    if len(rows) < 2:
        raise ValueError(f"{arm} must hold at least two users, got {len(rows)}")
    if not np.isfinite(rows).all():
        raise ValueError(f"{arm} must be finite, got {np.count_nonzero(~np.isfinite(rows))} other values")
    if rows[:, 1].sum() <= 0:
        raise ValueError(f"the denominators of {arm} must add up to more than 0, got {rows[:, 1].sum():g}")
    return rows


def _ratio(sums):
    """Numerator over denominator in the last axis; a resample without any denominator counts as 0."""
    top, bottom = sums[..., 0], sums[..., 1]
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def _influence(rows, ratio):
    """How much each user moves the ratio (n,), to first order: (y - ratio * d) / sum of d."""
    return (rows[:, 0] - ratio * rows[:, 1]) / rows[:, 1].sum()


def _acceleration(*pulls):
    """The a of BCa: sum of cubes / (6 * (sum of squares) ** 1.5) of all users' influences."""
    cubes, squares = (sum((pull**power).sum() for pull in pulls) for power in (3, 2))
    return cubes / (6 * squares**1.5)


def _bias(drawn, seen):
    """The z0 of BCa: where the data stand among the resamples, on the normal scale; ties count half."""
    share = (np.count_nonzero(drawn < seen) + np.count_nonzero(drawn <= seen)) / (2 * len(drawn))
    return norm.ppf(np.clip(share, 1 / (len(drawn) + 1), len(drawn) / (len(drawn) + 1)))


def _ends(drawn, seen, skew, alpha):
    """Both ends of the interval."""
    z0 = _bias(drawn, seen)
    z = z0 + norm.ppf([alpha / 2, 1 - alpha / 2])
    low, high = np.quantile(drawn, norm.cdf(z0 + z / (1 - skew * z)))
    return float(low), float(high)


def _p_value(drawn, seen, skew):
    """The two-sided p that belongs to the interval: the alpha at which an end reaches 0."""
    below = (1 + np.count_nonzero(drawn < 0) + np.count_nonzero(drawn <= 0)) / (2 * len(drawn) + 2)
    z0 = _bias(drawn, seen)
    z = norm.ppf(below) - z0
    z = z / (1 + skew * z) - z0
    return float(max(2 * norm.sf(abs(z)), 1 / (len(drawn) + 1)))
