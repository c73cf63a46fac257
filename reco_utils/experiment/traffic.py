"""What simulated shoppers did, as tables: visits, totals per user, impressions, and the metrics of an arm."""

from dataclasses import dataclass

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

    visits : one row per visit
        user_id (categorical, over all shoppers in their order), arm (categorical), day (from 0), session (numbered by
        day and shopper: the one column that hangs on who else came), bounced (bool), examined, shown, clicks, carts,
        orders (0 or 1: one checkout per visit), units, revenue, search_clicks, dwell_s, latency_ms. clicks and carts
        are those of the list; orders, units and revenue also count what was found by searching.
    log : one row per item shown on the days of the test
        user_id, arm, day, session, user_at (position in the shop's users), item_at (position in its catalogue), rank
        (from 1), propensity, examined, clicked, carted, bought (bool), revenue. `Log.from_frame(log, reward="clicked")`
        makes a log for off-policy estimates of it.
    """

    users: pd.DataFrame  # one row per shopper in the test: user_id, arm, device, shop_user (whose lists she saw)
    visits: pd.DataFrame
    before: pd.DataFrame  # visits on the days before the test (day < 0)
    log: pd.DataFrame | None = None

    def totals(self) -> pd.DataFrame:
        """One row per shopper; see `totals`."""
        return totals(self.visits, self.users, before=self.before)


def totals(visits: pd.DataFrame, users: pd.DataFrame, *, before: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per user of the experiment, who came and who did not: the table that experiments are analysed from.

    Parameters
    ----------
    visits, before : frames as `Traffic.visits`
        Visits before the test are covariates that no arm can have changed.
    users : frame with user_id and arm, and any cohort columns (device, ...), one row per user

    Returns
    -------
    frame, in the order of `users`: its columns; sessions; the sums of bounced, examined, shown, clicks, carts, orders,
    units, revenue, search_clicks, dwell_s, latency_ms; returned (bool: came on another day after her first); and, with
    `before`, before_sessions, before_clicks, ... and newcomer (bool: had not come before the test)
    """
    ids = pd.Index(users[USER])
    if not ids.is_unique:
        raise ValueError(f"users must have one row each, got several for {ids[ids.duplicated()][:3].tolist()}")
    row = _rows(visits, ids)
    days_of = pd.DataFrame({"row": row, "day": visits["day"].to_numpy()}).drop_duplicates()
    came = np.bincount(days_of["row"], minlength=len(ids))
    found = users.reset_index(drop=True).assign(**_sums(visits, row, len(ids)), returned=came > 1)
    if before is None:
        return found
    earlier = _sums(before, _rows(before, ids), len(ids))
    found = found.assign(**{f"before_{name}": sums for name, sums in earlier.items()})
    return found.assign(newcomer=found["before_sessions"] == 0)


def _rows(visits, ids):
    """The row of each visit's user."""
    row = ids.get_indexer(visits[USER])
    if (row < 0).any():
        strangers = visits[USER][row < 0].unique()[:3].tolist()
        raise ValueError(f"visits of users who are not in the experiment, like {strangers}")
    return row


def _sums(visits, row, n_users):
    """Sessions and sums per user, each (n,): whole numbers stay whole, amounts are rounded to cents."""
    found = {"sessions": np.bincount(row, minlength=n_users)}
    for name in SUMS:
        values = visits[name].to_numpy()
        total = np.bincount(row, weights=values, minlength=n_users)
        found[name] = np.round(total, 2) if values.dtype.kind == "f" else np.round(total).astype(np.int64)
    return found


def values(totals: pd.DataFrame) -> pd.Series:
    """The metrics of `METRICS` over all rows of a table of totals; NaN where nothing can be divided by."""
    sums = totals.select_dtypes(["number", "bool"]).sum()
    sums["users"], sums["came"] = len(totals), (totals["sessions"] > 0).sum()
    sums["buyers"] = (totals["orders"] > 0).sum()
    found = {name: sums[top] / sums[bottom] if sums[bottom] else np.nan for name, (top, bottom) in METRICS.items()}
    return pd.Series(found, dtype=float)
