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
from reco_utils.experiment.metrics import Coverage, Metric, Quantile

N_RESAMPLES = 2000
N_GROUPS = 50  # of users, left out in turn for the interval of coverage
MISSING = "tea-tasting is missing; install the extension: make run EXTENSION=1, or pip install reco-utils[experiments]"


@dataclass(frozen=True)
class Effect:
    """Treatment minus control of one metric.

    Parameters
    ----------
    metric, arm : str
    control, treatment : float
        The metric in both arms; with CUPED, after what the time before explains was taken out.
    effect, low, high : float
        The difference, and the ends of its interval.
    relative, relative_low, relative_high : float
        The effect as a share of the control's value: 0.05 is 5 % more. NaN unless both arms are above 0.
    p : float in [0, 1]
        Two-sided p of "there is no difference".
    se : float
        Standard error of the effect.
    users : int
        Users of both arms together.
    weight : float
        Sum of the denominators of both arms (the number of users for a mean): the clock of `sequential`.
    """

    metric: str
    arm: str
    control: float
    treatment: float
    effect: float
    low: float
    high: float
    relative: float
    relative_low: float
    relative_high: float
    p: float
    se: float
    users: int
    weight: float


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
    metric : Metric
    table : DataFrame
        What the metric reads: one row per user and `arm` (totals), per visit, or per impression.
    arm, control : str
        Winsorising and CUPED look at the users of these two arms together.
    alpha : float in (0, 1)
        1 minus the level of the intervals.
    rng : Generator
        Needed by `by="bootstrap"` and by `Coverage`.

    Returns
    -------
    Effect

    Raises
    ------
    ValueError  when no user differs from another, or rng is missing; ModuleNotFoundError without tea-tasting
    """
    raise NotImplementedError
