"""Does the effect differ between groups of users? One effect per cohort, corrected, and one test of all of them."""

from dataclasses import dataclass

import pandas as pd

from reco_utils.experiment.metrics import Metric


@dataclass(frozen=True, eq=False)
class Cohorts:
    """Effects by cohort. `by_cohort` makes it.

    Parameters
    ----------
    table : DataFrame, one row per cohort
        control_users, treatment_users, control, treatment, effect, low, high, relative, p, p_adjusted, few.
    interaction_p : float
        p of "the effect is the same in every cohort".
    note : str
        A sentence: is a difference between cohorts shown, and which cohorts are too small?
    """

    metric: str
    arm: str
    table: pd.DataFrame
    interaction_p: float
    note: str


def by_cohort(
    totals: pd.DataFrame,
    metric: Metric,
    by: str,
    *,
    arm: str,
    control: str = "control",
    alpha: float = 0.05,
    correction: str | None = "holm",
) -> Cohorts:
    """The effect of an arm on a metric in each cohort, and whether it differs between them.

    Parameters
    ----------
    totals : DataFrame
        One row per user: user_id, arm, the metric's columns and `by`.
    by : str
        The column with the cohorts; it must be known before the experiment, or the arm itself moves users between them.

    Source: Cochran (1954): Q = sum of ((effect - weighted mean) / se)^2, chi-square with one degree less than cohorts.
    """
    raise NotImplementedError
