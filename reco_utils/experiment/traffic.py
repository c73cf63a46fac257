"""What simulated shoppers did, as tables: visits, totals per user, impressions, and the metrics of an arm."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from reco_utils.core import USER

SUMS = (
    "bounced", "examined", "shown", "clicks", "carts", "orders", "units", "revenue", "search_clicks", "dwell_s",
    "latency_ms",
)  # fmt: skip
VISITS = (USER, "arm", "day", "session", *SUMS)

# the business metrics of an arm: one sum over its users divided by another
METRICS = {
    "visits per user": ("sessions", "users"),
    "return visits": ("returned", "came"),
    "buyers": ("buyers", "users"),
    "revenue per user": ("revenue", "users"),
    "conversion": ("orders", "sessions"),
    "order value": ("revenue", "orders"),
    "click-through": ("clicks", "shown"),
    "bounce": ("bounced", "sessions"),
    "search clicks": ("search_clicks", "sessions"),
    "seconds": ("dwell_s", "sessions"),
}


@dataclass(frozen=True, eq=False)
class Traffic:
    """What came of a simulated experiment.

    Parameters
    ----------
    users : frame, one row per shopper in the test: user_id, arm, device, shop_user (whose lists she saw)
    visits : frame, one row per visit
        user_id (categorical, over all shoppers in their order), arm (categorical), day (from 0), session (numbered by
        day and shopper: the one column that hangs on who else came), bounced (bool), examined, shown, clicks, carts,
        orders (0 or 1: one checkout per visit), units, revenue, search_clicks, dwell_s, latency_ms. clicks and carts
        are those of the list; orders, units and revenue also count what was found by searching.
    before : frame like visits, of the days before the test (day < 0)
    log : frame or None, one row per item shown on the days of the test
        user_id, arm, day, session, user_at (position in the shop's users), item_at (position in its catalogue), rank
        (from 1), propensity, examined, clicked, carted, bought (bool), revenue. `Log.from_frame(log, reward="clicked")`
        makes a log for off-policy estimates of it.
    """

    users: pd.DataFrame
    visits: pd.DataFrame
    before: pd.DataFrame
    log: pd.DataFrame | None = None

    def totals(self, days: int | None = None) -> pd.DataFrame:
        """One row per shopper, of the first `days` days (default: all); see `totals`."""
        return totals(self.visits, self.users, before=self.before, days=days)


def totals(
    visits: pd.DataFrame, users: pd.DataFrame, *, before: pd.DataFrame | None = None, days: int | None = None
) -> pd.DataFrame:
    """One row per user of the experiment, who came and who did not: the table that experiments are analysed from.

    Parameters
    ----------
    visits : frame as `Traffic.visits`
    users : frame with user_id and arm, and any cohort columns (device, ...), one row per user
    before : frame as visits, optional
        Visits before the test: covariates that no arm can have changed.
    days : int, optional
        Count the days 0 to days - 1 only: the table as it stood on the morning of that day.

    Returns
    -------
    frame, in the order of `users`: its columns; sessions; the sums of bounced, examined, shown, clicks, carts, orders,
    units, revenue, search_clicks, dwell_s, latency_ms; returned (bool: came on another day after her first); and, with
    `before`, before_sessions, before_clicks, ... and newcomer (bool: had not come before the test)

    Raises
    ------
    ValueError  for a user twice in `users`, or visits of users who are not in it
    """
    at = _rows(visits, users, days)
    found = users.reset_index(drop=True).copy()
    found["sessions"] = np.bincount(at.row, minlength=len(users))
    for name in SUMS:
        found[name] = _sum(at, at.visits[name], len(users))
    found["returned"] = _days_of(at, len(users)) > 1
    if before is not None:
        earlier = _rows(before, users, None)
        found["before_sessions"] = np.bincount(earlier.row, minlength=len(users))
        for name in SUMS:
            found[f"before_{name}"] = _sum(earlier, earlier.visits[name], len(users))
        found["newcomer"] = found["before_sessions"] == 0
    return found


class _Placed(NamedTuple):
    """Visits, and the row of each one's user."""

    visits: pd.DataFrame
    row: np.ndarray


def _rows(visits, users, days):
    ids = pd.Index(users[USER])
    if not ids.is_unique:
        raise ValueError(f"users must have one row each, got several for {ids[ids.duplicated()][:3].tolist()}")
    if days is not None:
        visits = visits[visits["day"] < days]
    row = _codes(visits[USER], ids)
    if (row < 0).any():
        strangers = visits[USER][row < 0].unique()[:3].tolist()
        raise ValueError(f"visits of users who are not in the experiment, like {strangers}")
    return _Placed(visits, row)


def _codes(column, ids):
    """Rows of users, looked up once per category rather than once per visit."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        return np.where(codes < 0, -1, np.append(ids.get_indexer(column.cat.categories), -1)[codes])
    return ids.get_indexer(column)


def _sum(placed, values, n_users):
    """Sums per user (n,): whole numbers stay whole, amounts are rounded to cents."""
    values = values.to_numpy()
    total = np.bincount(placed.row, weights=values, minlength=n_users)
    return np.round(total, 2) if values.dtype.kind == "f" else np.round(total).astype(np.int64)


def _days_of(placed, n_users):
    """On how many days each user came (n,)."""
    pairs = pd.DataFrame({"row": placed.row, "day": placed.visits["day"].to_numpy()}).drop_duplicates()
    return np.bincount(pairs["row"], minlength=n_users)


def values(totals: pd.DataFrame) -> pd.Series:
    """The metrics of `METRICS` over all rows of a table of totals; NaN where nothing can be divided by."""
    sums = totals.select_dtypes(["number", "bool"]).sum()
    sums["users"], sums["came"] = len(totals), (totals["sessions"] > 0).sum()
    sums["buyers"] = (totals["orders"] > 0).sum()
    found = {name: sums[top] / sums[bottom] if sums[bottom] else np.nan for name, (top, bottom) in METRICS.items()}
    return pd.Series(found, dtype=float)
