"""What is no shopper's doing: bots, double clicks, people who rate everything the same; and two ways to fewer rows.

The rules look at whole histories. None of them looks at what is bought later, but a rule applied before a split decides
with test events in view who is there at all. For bots and double clicks that is harmless: a service would drop them
too. `k_core` is another matter, see there.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from reco_utils.core import EVENT, ITEM, TIME, USER, Tables
from reco_utils.data.build import codes_of, is_kind, seeded_hash
from reco_utils.data.schema import count_rows

BROWSING = ("view", "click")


def clean(
    tables: Tables,
    *,
    bots_per_hour: float | None = 100,
    double_click_s: float | None = 2.0,
    n_flat_ratings: int | None = 10,
) -> Tables:
    """The tables without bots, double clicks and flat ratings; `report` says how many events each rule took.

    Parameters
    ----------
    bots_per_hour, double_click_s, n_flat_ratings
        See `drop_bots`, `drop_double_clicks` and `drop_flat_raters`; None leaves a rule out.

    Returns
    -------
    Tables; catalogue and profiles are whole, the tables passed in are as they were
    """
    rules = (
        ("bots", drop_bots, bots_per_hour),
        ("double clicks", drop_double_clicks, double_click_s),
        ("ratings that are all the same", drop_flat_raters, n_flat_ratings),
    )
    events, rows = tables.events, []
    for what, drop, threshold in rules:
        if threshold is not None:
            kept = drop(events, threshold)
            rows.append(("events", f"{what} dropped", len(events) - len(kept)))
            events = kept
    report = pd.concat([tables.report, count_rows(rows)], ignore_index=True)
    return replace(tables, events=events, report=report)


def drop_bots(events: pd.DataFrame, per_hour: float = 100, *, kinds: tuple[str, ...] = BROWSING) -> pd.DataFrame:
    """Events without those of users who browse faster than people do.

    Parameters
    ----------
    per_hour : float
        A bot has more events of these `kinds` than this per clock hour in which it has any, on average. In
        RetailRocket's log of real visitors the highest such mean is 23 views.
    kinds : event types
        What counts as browsing. Orders do not: a wholesaler puts 300 lines into one.
    """
    _check_least("per_hour", per_hour, 1)
    users, n_users = _codes(events[USER])
    browsing = is_kind(events, kinds)
    hours = events[TIME].to_numpy().astype("datetime64[h]").astype(np.int64)
    counts = np.bincount(users[browsing], minlength=n_users)
    active = pd.unique(hours[browsing] * n_users + users[browsing]) % max(n_users, 1)
    bots = counts > per_hour * np.bincount(active, minlength=n_users)
    return _keep(events, ~bots[users])


def drop_double_clicks(
    events: pd.DataFrame, seconds: float = 2.0, *, kinds: tuple[str, ...] = (*BROWSING, "add_to_cart")
) -> pd.DataFrame:
    """Events without repeats: the same user, item and type at most `seconds` after the one before, dropped or not.

    Parameters
    ----------
    kinds : event types
        Purchases are not among them: two lines of one order are two sales.
    """
    _check_least("seconds", seconds, 0)
    rows = np.flatnonzero(is_kind(events, kinds))
    (users, _), (items, n_items), (types, n_types) = (_codes(events[name].iloc[rows]) for name in (USER, ITEM, EVENT))
    keys = (users * n_items + items) * n_types + types
    times = events[TIME].to_numpy().astype("datetime64[us]").astype(np.int64)[rows]
    order = np.lexsort((times, keys))
    again = (np.diff(keys[order]) == 0) & (np.diff(times[order]) <= seconds * 1e6)
    keep = np.ones(len(events), bool)
    keep[rows[order[1:][again]]] = False
    return _keep(events, keep)


def drop_flat_raters(events: pd.DataFrame, n_ratings: int = 10) -> pd.DataFrame:
    """Events without the ratings of users who gave at least `n_ratings`, all of them the same; other events stay.

    A few equal ratings prove nothing: in the built-in shop 3 of 8 users with five or more equal ratings are simply
    content, and nobody with ten or more is.
    """
    _check_least("n_ratings", n_ratings, 2)
    rows = np.flatnonzero(is_kind(events, ("rating",)))
    if not len(rows):
        return events
    users, n_users = _codes(events[USER])
    ratings = events["rating"].to_numpy(float)[rows]
    low, high = np.full(n_users, np.inf), np.full(n_users, -np.inf)
    np.minimum.at(low, users[rows], ratings)
    np.maximum.at(high, users[rows], ratings)
    flat = (low == high) & (np.bincount(users[rows], minlength=n_users) >= n_ratings)
    keep = np.ones(len(events), bool)
    keep[rows[flat[users[rows]]]] = False
    return _keep(events, keep)


def dropped_by(rule: Callable[[pd.DataFrame], pd.DataFrame], events: pd.DataFrame) -> pd.DataFrame:
    """The events that a rule takes away, e.g. `dropped_by(drop_bots, events)`: look at them before you believe it.

    Parameters
    ----------
    rule : events -> events
        Keeps some rows and all columns, like the rules above; `functools.partial` sets their options.

    Returns
    -------
    DataFrame, the rows of `events` that are missing after the rule, in the same order and with the same index
    """
    gone = np.ones(len(events), bool)
    gone[rule(events.assign(_row=np.arange(len(events))))["_row"]] = False
    return events[gone]


def k_core(events: pd.DataFrame, k_users: int, k_items: int) -> pd.DataFrame:
    """The largest part in which every user has `k_users` different items and every item `k_items` different users.

    Users and items are dropped in turn until nothing changes. Computed before a split, this uses the future to pick
    who is in the test and makes every task look easier; apply it to training events only, or not at all.

    Source: Seidman (1983), k-cores, for a bipartite graph.
    """
    _check_least("k_users", k_users, 1)
    _check_least("k_items", k_items, 1)
    (users, n_users), (items, n_items) = _codes(events[USER]), _codes(events[ITEM])
    row, column = np.divmod(pd.unique(users * n_items + items), max(n_items, 1))
    size = -1
    while size != len(row):
        size = len(row)
        keep = (np.bincount(row, minlength=n_users) >= k_users)[row]
        row, column = row[keep], column[keep]
        keep = (np.bincount(column, minlength=n_items) >= k_items)[column]
        row, column = row[keep], column[keep]
    user_in, item_in = np.zeros(n_users, bool), np.zeros(n_items, bool)
    user_in[row], item_in[column] = True, True
    return _keep(events, user_in[users] & item_in[items])


def sample_users(tables: Tables, n: int, *, seed: int = 0) -> Tables:
    """The tables of n users: those with the smallest seeded hash of their id, so the same on every machine.

    Events and profiles are cut down, the catalogue stays whole. A larger n keeps everybody a smaller n has.
    """
    _check_least("n", n, 1)
    if n >= len(tables.profiles):
        return tables
    chosen = np.zeros(len(tables.profiles), bool)
    chosen[np.argsort(seeded_hash(tables.profiles[USER], seed), kind="stable")[:n]] = True
    profiles = tables.profiles[chosen].reset_index(drop=True)
    events = _keep(tables.events, chosen[codes_of(tables.events[USER], tables.profiles[USER])])
    users = events[USER].astype("category").cat.set_categories(profiles[USER].to_numpy())
    dropped = count_rows([("events", f"not of the {n} users sampled", len(tables.events) - len(events))])
    report = pd.concat([tables.report, dropped], ignore_index=True)
    return replace(tables, events=events.assign(**{USER: users}), profiles=profiles, report=report)


def _codes(column):
    """Integer codes (n,) int64 of a column, and how many different values they may stand for."""
    values = column.astype("category").array
    return values.codes.astype(np.int64), len(values.categories)


def _keep(events, rows):
    """The events at `rows` (n,) bool; the frame itself when that is all of them."""
    return events if rows.all() else events[rows].reset_index(drop=True)


def _check_least(name, value, least):
    if isinstance(value, bool) or not value >= least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
