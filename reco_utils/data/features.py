"""What the service keeps of every user besides the model: recent categories, price range, purchases, cold or warm.

Written once, for both sides: `user_features` makes a row per user from a table of events, and the service's feature
store goes on from that row event by event with the same small functions. So a row also carries what is needed to go
on exactly: the last prices, the times of the purchases, the first items.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from reco_utils.core import EVENT, ITEM, TIME, USER, Dataset, Tables
from reco_utils.data.build import codes_of, events_until
from reco_utils.data.weighting import as_instant

N_CATEGORIES = 5  # recent categories kept
N_PRICES = 50  # prices behind the price range
PURCHASE_DAYS = 30
N_PURCHASES = 1_000  # their times kept; nobody buys more in 30 days
N_WARM = 5  # distinct items from which a user is no longer cold


def user_features(source: Tables | Dataset, asof=None, *, users: Iterable[str] | None = None) -> pd.DataFrame:
    """One row per user, as known at `asof`.

    Parameters
    ----------
    source : Tables or Dataset
        Of Tables, all events up to `asof` within `defaults.window_days` count. A Dataset holds no events: each of its
        weighted pairs counts as one event at its last time, a purchase if it is seen.
    asof : time, optional
        Events later than this are left out. Default: the last event, or the Dataset's own.
    users : ids, optional
        Whose rows, in this order; an unknown one has done nothing. Default: all profiles, or the Dataset's users.

    Returns
    -------
    DataFrame; `attrs["asof"]` is the time as ISO 8601 text
        user_id
        recent_categories   list of up to 5 str, newest first, each once
        avg_price_range     (low, high): quartiles of recent_prices; None without any
        purchase_count_30d  int: purchases with asof - 30 days < t <= asof
        cold_start_flag     bool: fewer than 5 distinct items
        recent_prices       list of up to 50 float, newest first: of the items of the last events, repeats included
        purchase_times      list of the times of these purchases, seconds since 1970, newest first (at most 1,000)
        known_items         list of up to 5 distinct item ids, newest first

    Raises
    ------
    ValueError  without events and `asof`, or when `asof` lies after a Dataset's own
    """
    events, catalog, known, asof = _events_of(source, asof)
    ids = known if users is None else pd.Index(list(users), dtype=object)
    row = ids.get_indexer(known)  # of each known user; -1: not asked for
    user = np.append(row, -1)[events[USER]]
    order = np.flatnonzero(user >= 0)[::-1]  # newest first
    order = order[np.argsort(user[order], kind="stable")]
    user, item, time = user[order], events[ITEM][order], events[TIME][order]
    category, labels = _labels(catalog)
    price = _prices(catalog)
    bought = events["bought"][order] & (time > asof - pd.Timedelta(days=PURCHASE_DAYS).to_timedelta64())
    seconds = time.astype("M8[us]").astype(np.int64) / 1e6
    lists = {
        "recent_categories": _first(user, labels, category[item], category[item] >= 0, N_CATEGORIES, len(ids), True),
        "recent_prices": _first(user, price, item, np.isfinite(price[item]), N_PRICES, len(ids)),
        "purchase_times": _first(user, seconds, np.arange(len(user)), bought, N_PURCHASES, len(ids)),
        "known_items": _first(user, catalog[ITEM].to_numpy(object), item, item >= 0, N_WARM, len(ids), True),
    }
    ranges = np.empty(len(ids), object)
    ranges[:] = [price_range(prices) for prices in lists["recent_prices"]]
    frame = pd.DataFrame(
        {
            USER: ids.to_numpy(),
            "recent_categories": lists["recent_categories"],
            "avg_price_range": ranges,
            "purchase_count_30d": [len(times) for times in lists["purchase_times"]],
            "cold_start_flag": [is_cold(len(items)) for items in lists["known_items"]],
            **{name: lists[name] for name in ("recent_prices", "purchase_times", "known_items")},
        }
    ).astype({"purchase_count_30d": np.int64, "cold_start_flag": bool})
    frame.attrs["asof"] = pd.Timestamp(asof).isoformat()
    return frame


def recent_categories(newest_first: Iterable[str | None]) -> list[str]:
    """The first 5 distinct ones, missing ones left out."""
    return [name for name in dict.fromkeys(newest_first) if name is not None][:N_CATEGORIES]


def price_range(prices: Sequence[float]) -> tuple[float, float] | None:
    """The lower and upper quartile (linear interpolation) of prices; None without any."""
    if not len(prices):
        return None
    ascending = sorted(prices)
    return _quantile(ascending, 0.25), _quantile(ascending, 0.75)


def is_cold(n_items: int) -> bool:
    """Are these distinct items too few to know somebody by?"""
    return n_items < N_WARM


def _quantile(ascending, share):
    """Linear interpolation between the two nearest ranks: numpy's default, without its overhead for a few numbers."""
    below, part = divmod(share * (len(ascending) - 1), 1)
    low = ascending[int(below)]
    return float(low + part * (ascending[math.ceil(below + part)] - low))


def _events_of(source, asof):
    """Arrays of events in order of time, positions in catalogue and users, and the time itself."""
    if isinstance(source, Dataset):
        asof = source.asof if asof is None else as_instant(asof)
        if asof > source.asof:
            raise ValueError(f"asof must not be after that of the Dataset, {source.asof}, got {asof}")
        return _pairs(source, asof), source.catalog, pd.Index(source.users, dtype=object), asof.to_datetime64()
    if asof is None and not len(source.events):
        raise ValueError(f"{source.name} has no events to take the time from; give asof")
    asof = as_instant(source.events[TIME].max() if asof is None else asof)
    events = events_until(source.events, asof)
    if source.defaults.window_days is not None:
        events = events[events[TIME] > asof - pd.Timedelta(days=source.defaults.window_days)]
    if not events[TIME].is_monotonic_increasing:
        events = events.sort_values(TIME, kind="stable")
    columns = {
        USER: codes_of(events[USER], source.profiles[USER]),
        ITEM: codes_of(events[ITEM], source.catalog[ITEM]),
        TIME: events[TIME].to_numpy(),
        "bought": (events[EVENT] == "purchase").to_numpy(),
    }
    return columns, source.catalog, pd.Index(source.profiles[USER], dtype=object), asof.to_datetime64()


def _pairs(data, asof):
    """The weighted pairs of a Dataset as if they were events."""
    user = np.repeat(np.arange(len(data.users)), np.diff(data.weights.indptr))
    item, time = data.weights.indices, data.last
    seen = np.repeat(np.arange(len(data.users)), np.diff(data.seen.indptr)) * len(data.items) + data.seen.indices
    bought = np.isin(user * len(data.items) + item, seen)
    order = np.argsort(time, kind="stable")
    order = order[time[order] <= asof.to_datetime64()]
    return {USER: user[order], ITEM: item[order], TIME: time[order], "bought": bought[order]}


def _labels(catalog):
    """Category of each item as a code, -1 where it is not known, and their names."""
    if "category" not in catalog:
        return np.full(len(catalog), -1), np.empty(0, object)
    codes, names = pd.factorize(catalog["category"])
    return codes, np.asarray(names, dtype=object)


def _prices(catalog):
    """Price of each item (I,), NaN where it is not known."""
    return catalog["price"].to_numpy(float) if "price" in catalog else np.full(len(catalog), np.nan)


def _first(user, values, at, counted, n, n_users, distinct=False):
    """Per user the first n of `values[at]` that count, as lists; `user` ascends. `distinct`: none of them twice."""
    user, at = user[counted], at[counted]
    if distinct:
        fresh = ~pd.Series(user * np.int64(len(values)) + at).duplicated().to_numpy()
        user, at = user[fresh], at[fresh]
    begins = np.searchsorted(user, np.arange(n_users + 1))
    near = np.arange(len(user)) - begins[user] < n
    user, at = user[near], at[near]
    ends, picked = np.searchsorted(user, np.arange(n_users + 1)), values[at].tolist()
    lists = np.empty(n_users, object)
    lists[:] = [picked[begin:end] for begin, end in zip(ends[:-1].tolist(), ends[1:].tolist())]
    return lists
