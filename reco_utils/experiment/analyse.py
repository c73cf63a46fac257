"""Totals in, a verdict out: every metric of every arm against the control, checked, corrected and said in a sentence.

    report = analyse(totals, metrics, control="popular", shares={"popular": 0.5, "hybrid": 0.5})
    report.table()          # one row per metric and arm
    report.decision         # ship, do not ship, not enough, or: nothing may be concluded
    report.plot(ax)
    report.to_json(home, question="Does the hybrid sell more?", source="simulated shoppers")

The first metric without a guardrail is the one to decide on. The numbers of users per arm are checked against the shares
first (`assign.sample_ratio`): when they cannot be chance, users are missing from one arm, and no effect means anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reco_utils.experiment.effects import Effect
from reco_utils.experiment.metrics import Coverage, Mean, Metric, Proportion, Quantile, Ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Coverage", "Mean", "Metric", "Proportion", "Quantile", "Ratio", "Report", "analyse"]


@dataclass(frozen=True, eq=False)
class Report:
    """What an experiment found. `analyse` makes it.

    Parameters
    ----------
    name : str
    effects : tuple of Effect, by metric, then by arm
    metrics : tuple of Metric
    users : dict of arm to number of users
    control : str
    alpha : float
    correction : "holm", "bh" or None
    ratio : SampleRatio
        Are the users of the arms as many as the shares say?
    notes : tuple of str
        What to keep in mind, e.g. very few orders in an arm.
    """

    name: str
    effects: tuple[Effect, ...]
    metrics: tuple[Metric, ...]
    users: dict[str, int]
    control: str
    alpha: float
    correction: str | None
    ratio: object
    notes: tuple[str, ...] = ()

    def table(self) -> pd.DataFrame:
        """One row per metric and arm.

        Returns
        -------
        DataFrame, index (metric, arm), columns control, treatment, effect, low, high, relative, relative_low,
        relative_high, p, p_adjusted, verdict, users. p_adjusted is NaN for guardrails. verdict is "better", "worse" or
        "no difference shown"; for guardrails "kept", "broken" or "open"; "void" when the sample ratio is broken.
        """
        raise NotImplementedError

    @property
    def decision(self) -> str:
        """One sentence: ship, do not ship, not enough, or that nothing may be concluded."""
        raise NotImplementedError

    def plot(self, ax: "Axes") -> "Axes":
        """Relative effects with their intervals, one row per metric and arm; guardrails with their margin."""
        raise NotImplementedError

    def to_json(self, home: Path | str, *, question: str = "", source: str = "", first="", last="") -> Path:
        """Write `<home>/experiments/<name>.json`, which the storefront shows; returns its path.

        Parameters
        ----------
        question, source : str
            What was asked, and where the visits came from.
        first, last : str or date
            The days of the experiment.
        """
        raise NotImplementedError


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
    name : str

    Returns
    -------
    Report

    Raises
    ------
    ValueError, KeyError  for an arm without users, a user in two arms or twice, missing columns, NaN, a metric that
        never varies; all before anything is computed

    Source: delta method: Deng, Knoblich and Lu (2018); CUPED: Deng, Xu, Kohavi and Walker (2013).
    """
    raise NotImplementedError
