"""What an experiment is judged by: a share of users, a mean per user, a ratio of sums, a quantile, a coverage.

    metrics = [
        Mean("revenue", cuped="before_revenue", winsorise=0.99, unit="euros"),
        Proportion("orders", label="conversion"),
        Ratio("clicks", "shown", label="click-through rate"),
        Ratio("bounced", "sessions", label="bounce rate", lower_is_better=True, guardrail=0.02),
        Quantile("latency_ms", 0.95, lower_is_better=True, guardrail=0.05),
    ]

The user is what was assigned at random, so the user is what is counted: visits and impressions of one user resemble one
another, and an interval that takes them for independent is too narrow.

Letters: n users of an arm.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reco_utils.experiment.checks import check_between, check_count

WAYS = ("normal", "bootstrap")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What all metrics have. Take one of the classes below.

    A metric with a `guardrail` need not gain, but must not lose more than this share of the control's value.
    """

    label: str | None = None  # the name in tables; default: made from the columns
    unit: str = ""  # what effects are measured in, e.g. "euros per user"; for reports only
    lower_is_better: bool = False  # bounces, latency, returns
    guardrail: float | None = None  # 0.02 is 2 %

    reads = "totals"  # the table that holds the columns
    covariates = ()  # columns from before the experiment

    def __post_init__(self):
        if self.guardrail is not None:
            check_between(f"guardrail of {self.name!r}", self.guardrail)

    @property
    def name(self) -> str:
        """The label, or a name made from the columns."""
        return self.label or self._made_name()

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The columns that are measured: one, or numerator and denominator."""
        return (self.column,)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the metric reads."""
        return (*self.outcomes, *self.covariates)


@dataclass(frozen=True, kw_only=True)
class _OfUsers(Metric):
    """A metric made from one row per user.

    cuped: columns known before the experiment, such as "before_revenue"; what they explain is taken out of the noise.
    winsorise: values above this quantile of all users together are set to it: less noise, but a question about slightly
    other numbers. The covariate is cut at its own quantile.
    """

    cuped: str | tuple[str, str] | None = None  # a pair for a ratio
    winsorise: float | None = None  # in (0.5, 1)
    by: str = "normal"  # or "bootstrap": how interval and p are made

    def __post_init__(self):
        super().__post_init__()
        if self.winsorise is not None and not 0.5 < self.winsorise < 1:
            raise ValueError(f"winsorise of {self.name!r} must lie between 0.5 and 1, got {self.winsorise}")
        if self.by not in WAYS:
            raise ValueError(f"by of {self.name!r} must be one of {list(WAYS)}, got {self.by!r}")
        if self.cuped is not None and len(self.covariates) != len(self.outcomes):
            wanted = ("one column", "a pair of columns (numerator, denominator)")[len(self.outcomes) - 1]
            raise ValueError(f"cuped of {self.name!r} must be {wanted}, got {self.cuped!r}")

    @property
    def covariates(self) -> tuple[str, ...]:
        """The columns from before the experiment."""
        return (self.cuped,) if isinstance(self.cuped, str) else tuple(self.cuped or ())

    def rows(self, totals: pd.DataFrame) -> np.ndarray:
        """Values of all users as (users, 4) float64: numerator, denominator, and the same before the experiment.

        What a metric does not have is 1 (a denominator) or 0 (a covariate). Winsorising happens here, over all users
        of the table, so that all arms are cut at the same value.
        """
        rows = np.tile([0.0, 1.0, 0.0, 1.0], (len(totals), 1))
        for first, columns in ((0, self.outcomes), (2, self.covariates)):
            for place, column in enumerate(columns, first):
                rows[:, place] = totals[column].to_numpy(dtype=float)
            if self.winsorise is not None:
                rows[:, first] = self._cut(rows[:, first])
        return rows

    def _cut(self, values):
        """Winsorised numerators, unless that would leave nothing of them."""
        cut = winsorise(values, self.winsorise)
        if np.ptp(values) > 0 and np.ptp(cut) == 0:
            raise ValueError(
                f"winsorise={self.winsorise} of {self.name!r} cuts all users at {cut[0]:g}; only "
                f"{np.mean(values > cut[0]):.2%} are above it: take a higher quantile"
            )
        return cut


@dataclass(frozen=True)
class Mean(_OfUsers):
    """A sum per user, averaged over all assigned users, whether they came or not: revenue per user, orders per user."""

    column: str

    def _made_name(self):
        return f"{self.column} per user"


@dataclass(frozen=True)
class Proportion(_OfUsers):
    """The share of users whose column is above a threshold: `Proportion("orders")` is the share who bought."""

    column: str  # numbers or booleans
    above: float = 0.0  # a user exactly on it does not count

    def __post_init__(self):
        super().__post_init__()
        if self.winsorise is not None:
            raise ValueError(f"winsorise of {self.name!r} must be None: a share has no tail")

    def rows(self, totals: pd.DataFrame) -> np.ndarray:
        """As for the other metrics (users, 4): the numerator is 1 for a user above the threshold."""
        rows = super().rows(totals)
        rows[:, 0] = rows[:, 0] > self.above
        return rows

    def _made_name(self):
        return f"users with {self.column}" + f" above {self.above:g}" * (self.above != 0)


@dataclass(frozen=True)
class Ratio(_OfUsers):
    """Sum over all users divided by another sum over all users: clicks / shown, bounced / sessions, revenue / orders.

    The denominator is as random as the numerator, so the variance comes from the delta method over users.
    `winsorise` cuts the numerator. `cuped` takes a pair, e.g. ("before_clicks", "before_shown").
    """

    numerator: str
    denominator: str

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Both columns."""
        return (self.numerator, self.denominator)

    def _made_name(self):
        return f"{self.numerator} / {self.denominator}"


@dataclass(frozen=True)
class Quantile(Metric):
    """A quantile over visits, such as the 95th percentile of latency, with an interval that knows about users.

    Reads the table of visits (user_id, arm, and the column), in which a user may have many rows.
    """

    column: str
    q: float = 0.95

    reads = "visits"

    def __post_init__(self):
        super().__post_init__()
        check_between(f"q of {self.name!r}", self.q)

    def _made_name(self):
        return f"{self.column} p{100 * self.q:g}"


@dataclass(frozen=True)
class Coverage(Metric):
    """The share of the catalogue that an arm's users were shown: one number of all lists of an arm.

    Reads the table of impressions (user_id, arm, and the item column), one row per item shown. Arms of unequal size
    are not comparable: more users are shown more items.
    """

    n_items: int  # size of the catalogue
    column: str = "item_id"  # ids or positions

    reads = "impressions"

    def __post_init__(self):
        super().__post_init__()
        check_count(f"n_items of {self.name!r}", self.n_items)

    def _made_name(self):
        return "coverage"


def winsorise(values, q: float) -> np.ndarray:
    """Values (n,) above their q-quantile set to it; give it all arms together, so that they are cut at the same value.

    The quantile is the smallest value with at least a share q of the values at or below it.

    Source: Tukey (1962); the upper tail only, as revenue has no lower one.
    """
    values = np.asarray(values, float)
    return np.minimum(values, np.quantile(values, q, method="inverted_cdf")) if len(values) else values
