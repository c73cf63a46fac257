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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

WAYS = ("normal", "bootstrap")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What all metrics have. Take one of the classes below.

    Parameters
    ----------
    label : str, optional
        The name in tables; default: made from the columns.
    unit : str
        What effects are measured in, e.g. "euros per user"; for reports only.
    lower_is_better : bool
        True for bounces, latency, returns.
    guardrail : float in (0, 1), optional
        The metric need not gain, but must not lose more than this share of the control's value: 0.02 is 2 %.
    """

    label: str | None = None
    unit: str = ""
    lower_is_better: bool = False
    guardrail: float | None = None

    reads = "totals"  # the table that holds the columns

    def __post_init__(self):
        if self.guardrail is not None and not 0 < self.guardrail < 1:
            raise ValueError(
                f"guardrail of {self.name!r} must lie between 0 and 1, the share of the control's value that may be "
                f"lost, got {self.guardrail}"
            )

    @property
    def name(self) -> str:
        """The label, or a name made from the columns."""
        return self.label or self._made_name()

    def _made_name(self):
        raise NotImplementedError

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the metric reads."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class _OfUsers(Metric):
    """A metric made from one row per user.

    Parameters
    ----------
    cuped : str, or pair of str for a ratio
        Columns known before the experiment, such as "before_revenue": what they explain is taken out of the noise.
    winsorise : float in (0.5, 1), optional
        Values above this quantile of all users together are set to it: less noise, but a question about slightly other
        numbers. The covariate is cut at its own quantile.
    by : "normal" or "bootstrap"
        How interval and p are made; see `effects.effect_between`.
    """

    cuped: str | tuple[str, str] | None = None
    winsorise: float | None = None
    by: str = "normal"

    def __post_init__(self):
        super().__post_init__()
        if self.winsorise is not None and not 0.5 < self.winsorise < 1:
            raise ValueError(f"winsorise of {self.name!r} must lie between 0.5 and 1, got {self.winsorise}")
        if self.by not in WAYS:
            raise ValueError(f"by of {self.name!r} must be one of {list(WAYS)}, got {self.by!r}")

    def rows(self, totals: pd.DataFrame) -> np.ndarray:
        """Values of all users as (users, 4) float64: numerator, denominator, and the same before the experiment.

        What a metric does not have is 1 (a denominator) or 0 (a covariate). Winsorising happens here, over all users
        of the table, so that all arms are cut at the same value.
        """
        columns = self._values(totals)
        if self.winsorise is not None:
            y, d, x, e = columns
            columns = [self._cut(y), d, self._cut(x), e]
        return np.column_stack(columns)

    def _cut(self, values):
        """Winsorised numerators, unless that would leave nothing of them."""
        cut = winsorise(values, self.winsorise)
        if np.ptp(values) > 0 and np.ptp(cut) == 0:
            raise ValueError(
                f"winsorise={self.winsorise} of {self.name!r} cuts all users at {cut[0]:g}; only "
                f"{np.mean(values > cut[0]):.2%} are above it: take a higher quantile"
            )
        return cut

    def _before(self, totals):
        """Numerator and denominator before the experiment."""
        if self.cuped is None:
            return [np.zeros(len(totals)), np.ones(len(totals))]
        if isinstance(self.cuped, str):
            return [_numbers(totals, self.cuped), np.ones(len(totals))]
        return [_numbers(totals, column) for column in self.cuped]

    @property
    def covariates(self) -> tuple[str, ...]:
        """The columns from before the experiment."""
        return (self.cuped,) if isinstance(self.cuped, str) else tuple(self.cuped or ())


@dataclass(frozen=True)
class Mean(_OfUsers):
    """A sum per user, averaged over all assigned users, whether they came or not: revenue per user, orders per user."""

    column: str

    def __post_init__(self):
        super().__post_init__()
        _check_one_covariate(self)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the metric reads."""
        return (self.column, *self.covariates)

    def _made_name(self):
        return f"{self.column} per user"

    def _values(self, totals):
        return [_numbers(totals, self.column), np.ones(len(totals)), *self._before(totals)]


@dataclass(frozen=True)
class Proportion(_OfUsers):
    """The share of users whose column is above a threshold: `Proportion("orders")` is the share who bought.

    Parameters
    ----------
    column : str
        Numbers or booleans.
    above : float
        The threshold; a user exactly on it does not count.
    """

    column: str
    above: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        _check_one_covariate(self)
        if self.winsorise is not None:
            raise ValueError(f"winsorise of {self.name!r} must be None: a share has no tail")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the metric reads."""
        return (self.column, *self.covariates)

    def _made_name(self):
        return f"users with {self.column}" + f" above {self.above:g}" * (self.above != 0)

    def _values(self, totals):
        reached = (_numbers(totals, self.column) > self.above).astype(float)
        return [reached, np.ones(len(totals)), *self._before(totals)]


@dataclass(frozen=True)
class Ratio(_OfUsers):
    """Sum over all users divided by another sum over all users: clicks / shown, bounced / sessions, revenue / orders.

    The denominator is as random as the numerator, so the variance comes from the delta method over users.
    `winsorise` cuts the numerator. `cuped` takes a pair, e.g. ("before_clicks", "before_shown").
    """

    numerator: str
    denominator: str

    def __post_init__(self):
        super().__post_init__()
        pair = self.cuped is None or (not isinstance(self.cuped, str) and len(self.cuped) == 2)
        if not pair:
            raise ValueError(
                f"cuped of {self.name!r} must be a pair of columns (numerator, denominator), got {self.cuped!r}"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the metric reads."""
        return (self.numerator, self.denominator, *self.covariates)

    def _made_name(self):
        return f"{self.numerator} / {self.denominator}"

    def _values(self, totals):
        return [_numbers(totals, self.numerator), _numbers(totals, self.denominator), *self._before(totals)]


@dataclass(frozen=True)
class Quantile(Metric):
    """A quantile over visits, such as the 95th percentile of latency, with an interval that knows about users.

    Reads the table of visits (user_id, arm, and the column), in which a user may have many rows.

    Parameters
    ----------
    column : str
    q : float in (0, 1)
    """

    column: str
    q: float = 0.95

    reads = "visits"

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.q < 1:
            raise ValueError(f"q of {self.name!r} must lie between 0 and 1, got {self.q}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the metric reads."""
        return (self.column,)

    def _made_name(self):
        return f"{self.column} p{100 * self.q:g}"


@dataclass(frozen=True)
class Coverage(Metric):
    """The share of the catalogue that an arm's users were shown: one number of all lists of an arm.

    Reads the table of impressions (user_id, arm, and the item column), one row per item shown. Arms of unequal size
    are not comparable: more users are shown more items.

    Parameters
    ----------
    n_items : int, at least 1
        Size of the catalogue.
    column : str
        Item ids or positions.
    """

    n_items: int
    column: str = "item_id"

    reads = "impressions"

    def __post_init__(self):
        super().__post_init__()
        if self.n_items < 1:
            raise ValueError(f"n_items of {self.name!r} must be at least 1, got {self.n_items}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the metric reads."""
        return (self.column,)

    def _made_name(self):
        return "coverage"


def winsorise(values, q: float) -> np.ndarray:
    """Values above their q-quantile set to it; give it all arms together, so that they are cut at the same value.

    Parameters
    ----------
    values : (n,) float
    q : float in (0, 1)
        The quantile, taken as the smallest value with at least a share q of the values at or below it.

    Returns
    -------
    (n,) float64

    Source: Tukey (1962); the upper tail only, as revenue has no lower one.
    """
    values = np.asarray(values, float)
    return np.minimum(values, np.quantile(values, q, method="inverted_cdf")) if len(values) else values


def names_of(metrics: Sequence[Metric]) -> list[str]:
    """The names of metrics, which must all differ."""
    names = [metric.name for metric in metrics]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two metrics are called {twice[0]!r}; give one of them another label")
    return names


def _numbers(totals, column):
    """A column as float64."""
    return totals[column].to_numpy(dtype=float)


def _check_one_covariate(metric):
    """A mean has one covariate column."""
    if not (metric.cuped is None or isinstance(metric.cuped, str)):
        raise ValueError(f"cuped of {metric.name!r} must be one column, got {metric.cuped!r}")
