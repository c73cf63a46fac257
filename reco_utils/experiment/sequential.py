"""Looking every day without fooling oneself: always-valid p-values and intervals, and bounds that spend alpha over time.

A test that is right once is wrong when asked daily: under 14 equal looks an A/A test at 5 % says "significant" at least
once in more than 20 of 100 experiments. Two cures stand here. `always_valid` may be asked at any time and for ever, and
pays with wider intervals. `spending_bounds` divides the 5 % among planned looks and costs little.

Letters: L looks.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reco_utils.experiment.metrics import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def spending_bounds(information, *, times=None, alpha: float = 0.05, sides: int = 2, spend: str = "obrien-fleming"):
    """How large |z| must be at each look to stop, so that all looks together raise a false alarm with chance alpha.

    Parameters
    ----------
    information : (L,) float > 0, growing, in any unit
        How much is known at each look: the number of users or visits, or 1 / variance.
    times : (L,) float in (0, 1], optional
        Share of the plan that has passed, by which alpha is spent; default: information / its last.
    alpha : float in (0, 1)
    sides : 1 or 2
    spend : "obrien-fleming" or "pocock"
        Hard at first and nearly the usual bound at the end, or about as hard at every look.

    Returns
    -------
    (L,) float

    Source: Lan and DeMets (1983); integration by Armitage, McPherson and Rowe (1969).
    """
    raise NotImplementedError


def crossing_chance(bounds, information, *, sides: int = 2) -> np.ndarray:
    """Chance (L,) to have crossed the bounds by each look though nothing differs: 1.96 at every look is naive peeking."""
    raise NotImplementedError


def always_valid(effect, se, information, *, tuned_at, alpha: float = 0.05) -> pd.DataFrame:
    """p-values and intervals that hold at all looks together, whenever one stops: mSPRT with a normal mixture.

    Parameters
    ----------
    effect, se : (L,) float
        The estimate at each look and its standard error.
    information : (L,) float > 0
        Variance of the sum so far, in any unit that stays the same: users for a mean.
    tuned_at : float > 0
        The information at which the interval is to be narrowest, fixed before looking; it is valid everywhere.

    Returns
    -------
    DataFrame of L rows: p (never growing), low, high

    Source: Robbins (1970); Johari, Koomen, Pekelis and Walsh (2017); Howard et al. (2021) for the tuning.
    """
    raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Monitoring:
    """A test seen day by day. `monitor` makes it; `looks` has one row per day."""

    metric: str
    arm: str
    looks: pd.DataFrame
    alpha: float

    @property
    def stops(self) -> pd.Series:
        """First day at which each way says "they differ": naive, always_valid, spending; NaN if never."""
        raise NotImplementedError

    def plot(self, ax: "Axes") -> "Axes":
        """The effect by day, with the naive and the always-valid interval."""
        raise NotImplementedError


def monitor(
    visits: pd.DataFrame,
    metric: Metric,
    *,
    users: pd.DataFrame,
    arm: str,
    control: str = "control",
    days: int | None = None,
    alpha: float = 0.05,
    spend: str = "obrien-fleming",
) -> Monitoring:
    """One metric of one arm, analysed at the end of each day with what is known by then.

    Parameters
    ----------
    visits : DataFrame
        One row per visit: user_id, day (int from 0), and the metric's columns, which are summed by user.
    metric : Mean, Proportion or Ratio
    users : DataFrame
        user_id and arm of all assigned users, and the columns from before the experiment that CUPED asks for.
    days : int, optional
        Planned number of days; default: up to the last day seen.

    Returns
    -------
    Monitoring, whose looks have the index `day` and the columns users, effect, low, high, z, p (naive), always_p,
    always_low, always_high, bound (of |z|, by alpha spending)
    """
    raise NotImplementedError
