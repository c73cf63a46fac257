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

# the business metrics of an arm: sums over users of the first, divided by the second (None: by the users)
METRICS = {
    "visits per user": ("sessions", None),
    "return visits": ("returned", None),
    "buyers": ("bought", None),
    "revenue per user": ("revenue", None),
    "conversion per visit": ("orders", "sessions"),
    "order value": ("revenue", "orders"),
    "click-through": ("clicks", "shown"),
    "bounce": ("bounced", "sessions"),
    "search clicks per visit": ("search_clicks", "sessions"),
    "seconds per visit": ("dwell_s", "sessions"),
}


@dataclass(frozen=True, eq=False)
class Traffic:
    """What came of a simulated experiment.

    Parameters
    ----------
    users : frame, one row per shopper in the test: user_id, arm, device, shop_user (whose lists she saw)
    visits : frame, one row per visit
        user_id (categorical), arm (categorical), day (from 0), session (numbered in order of time), bounced (bool),
        examined, shown, clicks, carts, orders (0 or 1: one checkout per visit), units, revenue, search_clicks, dwell_s,
        latency_ms. carts counts the list's; orders, units and revenue also what was found by searching.
    before : frame like visits, of the days before the test (day < 0)
    log : frame or None, one row per item shown on the days of the test
        user_id, arm, day, session, user (position in the shop's users), item (position in its catalogue), rank (from
        1), propensity, examined, clicked, carted, bought (bool), revenue.
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
    raise NotImplementedError
