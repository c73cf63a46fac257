"""Does the effect differ between groups of users? One effect per cohort, corrected, and one test of all of them."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import chi2

from reco_utils.corrections import adjust
from reco_utils.experiment.checks import check_columns, users_of_two
from reco_utils.experiment.effects import effect_of_rows
from reco_utils.experiment.metrics import Metric

ENOUGH_USERS = 100  # per arm and cohort
COLUMNS = ("control", "treatment", "effect", "low", "high", "relative", "relative_low", "relative_high", "p", "se")


@dataclass(frozen=True, eq=False)
class Cohorts:
    """Effects by cohort. `by_cohort` makes it.

    table has one row per cohort: control_users, treatment_users, control, treatment, effect, low, high, relative,
    relative_low, relative_high, p, p_adjusted, few.
    """

    metric: str
    arm: str
    table: pd.DataFrame
    interaction_p: float  # of "the effect is the same in every cohort"
    note: str  # is a difference between cohorts shown, and which cohorts are too small?


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
    if metric.reads != "totals":
        raise ValueError(f"cohorts read a row per user; {metric.name!r} reads {metric.reads}")
    check_columns(totals, "totals", [by])
    totals = users_of_two(totals, "totals", metric.columns, (control, arm))
    if totals[by].isna().any():
        raise ValueError(f"{by!r} is missing for {totals[by].isna().sum()} users; name them, e.g. 'unknown'")
    rows, treated = metric.rows(totals), (totals["arm"] == arm).to_numpy()
    cohort = totals[by].to_numpy()
    names = sorted(totals[by].unique(), key=lambda name: (str(type(name)), name))
    table = pd.DataFrame({name: _row(metric, rows, treated, cohort == name, arm, alpha) for name in names})
    table = table.T.rename_axis(by).infer_objects()
    table.insert(table.columns.get_loc("p") + 1, "p_adjusted", adjust(table["p"].astype(float), correction))
    p = _interaction(table["effect"].to_numpy(float), table.pop("se").to_numpy(float))
    return Cohorts(metric.name, arm, table, p, _note(table, by, p, alpha))


def _row(metric, rows, treated, inside, arm, alpha):
    """One cohort's line; without an effect where nobody differs or an arm has fewer than two users."""
    parts = rows[inside & ~treated], rows[inside & treated]
    row = dict(zip(("control_users", "treatment_users"), map(len, parts)))
    try:
        effect = effect_of_rows(replace(metric, by="normal"), *parts, arm, alpha=alpha)
        row |= {column: getattr(effect, column) for column in COLUMNS}
    except ValueError:
        row |= dict.fromkeys(COLUMNS, np.nan)
    return row | {"few": min(map(len, parts)) < ENOUGH_USERS}


def _interaction(effects, errors):
    """Cochran's test that all effects are one; NaN with fewer than two of them."""
    known = errors > 0
    if known.sum() < 2:
        return np.nan
    weights = 1 / errors[known] ** 2
    mean = weights @ effects[known] / weights.sum()
    return float(chi2.sf(weights @ (effects[known] - mean) ** 2, known.sum() - 1))


def _note(table, by, p, alpha):
    """What the table allows to say."""
    if np.isnan(p):
        said = f"too few users to compare effects by {by}."
    elif p < alpha:
        said = f"the effect differs by {by}, p = {p:.3g}."
    else:
        said = f"no difference of the effect by {by} is shown, p = {p:.2g}."
    few = [str(name) for name in table.index[table["few"].astype(bool)]]
    return said[0].upper() + said[1:] + f" Fewer than {ENOUGH_USERS} users in an arm: {', '.join(few)}." * bool(few)
