"""Totals in, a verdict out: every metric of every arm against the control, checked, corrected and said in a sentence.

    report = analyse(totals, metrics, control="popular", shares={"popular": 0.5, "hybrid": 0.5})
    report.table()          # one row per metric and arm
    report.decision         # ship, do not ship, not enough, or: nothing may be concluded
    report.plot(ax)
    report.to_json(home, question="Does the hybrid sell more?", source="simulated shoppers")

The first metric without a guardrail is the one to decide on. The numbers of users per arm are checked against the
shares first (`sample_ratio`): when they cannot be chance, users are missing from one arm, and no effect means anything.
The analysis is made once, at the planned end; who looks every day needs `sequential.monitor`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from reco_utils.corrections import CORRECTIONS
from reco_utils.experiment.checks import check_between, check_columns, check_numbers, check_users, rows_by_arm
from reco_utils.experiment.effects import effect_between
from reco_utils.experiment.metrics import Coverage, Mean, Metric, Proportion, Quantile, Ratio
from reco_utils.experiment.report import Report
from reco_utils.experiment.sample_ratio import sample_ratio

__all__ = ["Coverage", "Mean", "Metric", "Proportion", "Quantile", "Ratio", "Report", "analyse"]

ENOUGH_USERS, ENOUGH_EVENTS = 100, 10  # per arm; below, the normal approximation is not to be trusted


def analyse(
    totals: pd.DataFrame,
    metrics: Sequence[Metric],
    *,
    control: str = "control",
    shares: Mapping[str, float] | None = None,
    alpha: float = 0.05,
    correction: str | None = "holm",
    visits: pd.DataFrame | None = None,
    impressions: pd.DataFrame | None = None,
    rng: np.random.Generator | None = None,
    name: str = "experiment",
) -> Report:
    """Every metric of every arm against the control.

    Parameters
    ----------
    totals : DataFrame
        One row per assigned user: user_id, arm, and the columns of the metrics; users who never came have zeros.
    metrics : sequence of Metric
        The first one without a guardrail decides.
    control : str
        The arm the others are held against.
    shares : mapping of arm to share, optional
        What the assignment promised; default: equal shares for the arms found.
    alpha : float in (0, 1)
        Chance of a false alarm; intervals have the level 1 - alpha, each for itself.
    correction : "holm", "bh" or None
        How the p-values of all metrics without guardrail and all arms are corrected together.
    visits, impressions : DataFrame, optional
        Needed by Quantile and Coverage.
    rng : Generator, optional
        Needed by bootstrap and Coverage.

    Raises
    ------
    ValueError, KeyError, TypeError  for an arm without users, a user in two arms or twice, missing columns, NaN, all
        before anything is computed; and for a metric that never varies

    Source: delta method: Deng, Knoblich and Lu (2018); CUPED: Deng, Xu, Kohavi and Walker (2013).
    """
    of_arm, shares = _checked(totals, metrics, control, shares, alpha, correction)
    tables = {"totals": totals}
    for word, table in (("visits", visits), ("impressions", impressions)):
        wanted = [metric for metric in metrics if metric.reads == word]
        if wanted:
            tables[word] = _with_arms(table, word, wanted, totals)
    effects = [
        effect_between(metric, tables[metric.reads], arm, control=control, alpha=alpha, rng=rng)
        for metric in metrics
        for arm in of_arm
        if arm != control
    ]
    users = {arm: int(mask.sum()) for arm, mask in of_arm.items()}
    ratio, notes = sample_ratio(users, shares), _notes(totals, metrics, of_arm, users)
    return Report(name, tuple(effects), tuple(metrics), users, control, alpha, correction, ratio, notes)


# --------------------------------------------------------------------------------------------------------------- checks
def _checked(totals, metrics, control, shares, alpha, correction):
    """Refuses what cannot be analysed; the rows of every arm, control first, and the arms' shares."""
    if isinstance(metrics, Metric):
        raise TypeError(f"metrics must be a list of metrics, got {metrics.name!r} alone; put it into [ ]")
    if not metrics:
        raise ValueError("metrics must hold at least one metric, got none")
    wrong = [metric for metric in metrics if not isinstance(metric, Metric)]
    if wrong:
        raise TypeError(f"a metric must be a Mean, Proportion, Ratio, Quantile or Coverage, got {wrong[0]!r}")
    names = [metric.name for metric in metrics]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two metrics are called {twice[0]!r}; give one of them another label")
    if shares is not None and not isinstance(shares, Mapping):
        raise TypeError(f"shares must give a share to each arm, such as {{'old': 0.5, 'new': 0.5}}, got {shares!r}")
    check_between("alpha", alpha)
    if correction not in CORRECTIONS:
        raise ValueError(f"correction must be one of {list(CORRECTIONS)}, got {correction!r}")
    columns = [column for metric in metrics if metric.reads == "totals" for column in metric.columns]
    check_columns(totals, "totals", ["user_id", "arm", *columns])
    check_users(totals, "totals")
    arms = _arms(totals, control, shares)
    check_numbers(totals, "totals", columns)
    return rows_by_arm(totals, arms), dict(shares) if shares is not None else dict.fromkeys(arms, 1 / len(arms))


def _arms(totals, control, shares):
    """Names of the arms, control first, the others as in the shares or by name."""
    found = set(totals["arm"])
    if shares is not None and found - set(shares):
        strange = sorted(found - set(shares), key=str)
        raise ValueError(f"users of the arms {strange} have no share; leave them out of totals or name them")
    order = list(shares) if shares is not None else sorted(found, key=str)
    order = [control, *(arm for arm in order if arm != control)]
    if len(order) < 2:
        raise ValueError(f"an experiment has two arms or more, got {order}")
    return order


def _with_arms(table, word, metrics, totals) -> pd.DataFrame:
    """Visits or impressions with the arm that totals know for their user."""
    columns = [column for metric in metrics for column in metric.columns]
    check_columns(table, word, ["user_id", *columns])
    check_numbers(table, word, [c for metric in metrics if isinstance(metric, Quantile) for c in metric.columns])
    at = pd.Index(totals["user_id"]).get_indexer(table["user_id"])
    if (at < 0).any():
        whose = table.loc[at < 0, "user_id"].unique()[:3].tolist()
        raise ValueError(f"{word} name users that totals do not have, such as {whose}")
    return table[["user_id", *dict.fromkeys(columns)]].assign(arm=totals["arm"].to_numpy()[at])


def _notes(totals, metrics, of_arm, users) -> tuple[str, ...]:
    """What to keep in mind while reading the table."""
    notes = []
    few = [arm for arm, n in users.items() if n < ENOUGH_USERS]
    if few:
        notes.append(f"fewer than {ENOUGH_USERS} users in {few}: the intervals are not to be trusted")
    for metric in metrics:
        if isinstance(metric, Proportion):
            reached = totals[metric.column].to_numpy(float) > metric.above
            for arm, n in users.items():
                hits = int(reached[of_arm[arm]].sum())
                if min(hits, n - hits) < ENOUGH_EVENTS:
                    notes.append(f"{metric.name}: {hits} of {n:,} in {arm}, too few on one side for a normal interval")
        if isinstance(metric, Coverage) and max(users.values()) > 1.05 * min(users.values()):
            notes.append(f"{metric.name}: arms of unequal size are not comparable, more users see more items")
    return tuple(notes)
