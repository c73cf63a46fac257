"""What the service keeps of every user besides the model: recent categories, price range, purchases, cold or warm.

Written once, for both sides: `user_features` makes a row per user from a table of events, and the service's feature
store goes on from that row event by event with the same small functions. So a row also carries what is needed to go
on exactly: the last prices, the times of the purchases, the first items.
"""

from collections.abc import Iterable, Sequence

import pandas as pd

from reco_utils.core import Dataset, Tables

N_CATEGORIES = 5  # recent categories kept
N_PRICES = 50  # prices behind the price range
PURCHASE_DAYS = 30
N_WARM = 5  # distinct items from which a user is no longer cold


def user_features(source: Tables | Dataset, asof=None, *, users: Iterable[str] | None = None) -> pd.DataFrame:
    """One row per user, as known at `asof`.

    Parameters
    ----------
    source : Tables or Dataset
        A Dataset holds no events: each of its pairs counts as one event at its last time, a purchase if it is seen.
    asof : time, optional
        Events later than this are left out. Default: the last event, or the Dataset's own.
    users : ids, optional
        Whose rows, in this order. Default: all profiles, or the Dataset's users.

    Returns
    -------
    DataFrame; `attrs["asof"]` is the time as ISO 8601 text
        user_id
        recent_categories   list of up to 5 str, newest first, each once
        avg_price_range     (low, high) quartiles of recent_prices, or None
        purchase_count_30d  int
        cold_start_flag     bool: fewer than 5 distinct items
        recent_prices       list of up to 50 float, newest first: of the items of the last events, repeats included
        purchase_times      list of the purchases' times within 30 days, seconds since 1970, newest first
        known_items         list of up to 5 distinct item ids, newest first
    """
    raise NotImplementedError


def recent_categories(newest_first: Iterable[str | None]) -> list[str]:
    """The first 5 distinct ones, missing ones left out."""
    raise NotImplementedError


def price_range(prices: Sequence[float]) -> tuple[float, float] | None:
    """The lower and upper quartile (linear interpolation) of prices; None without any."""
    raise NotImplementedError


def is_cold(n_items: int) -> bool:
    """Are these distinct items too few to know somebody by?"""
    return n_items < N_WARM
