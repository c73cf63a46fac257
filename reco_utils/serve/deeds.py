"""What a user did with the item that explains a place of their list, and how that is said.

Letters: U users, I items, nnz entries of the histories.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from reco_utils.core import ITEM, USER, Dataset, Tables
from reco_utils.data.build import events_until, is_kind

DEEDS = ("view", "click", "add_to_cart", "rating", "like", "purchase")  # the later, the more it says of a taste
SAID = {
    "view": "because you looked at {}",
    "click": "because you looked at {}",
    "add_to_cart": "because you added {} to your cart",
    "rating": "because you rated {}",
    "like": "because you liked {}",
    "purchase": "because you bought {}",
}


def deeds_of(tables: Tables, data: Dataset) -> np.ndarray:
    """The strongest deed behind each entry of `data.weights` (nnz,) int8, as a position in `DEEDS`; -1 for none.

    A rating is a "like" from the dataset's `positive_from` upward, and nothing below; without such a limit it is a
    "rating" and no more.
    """
    events = events_until(tables.events, data.asof)
    n_users, n_items = data.weights.shape
    owners = np.repeat(np.arange(n_users), np.diff(data.weights.indptr))
    pairs, found = owners * n_items + data.weights.indices, np.full(data.weights.nnz, -1, np.int8)  # pairs ascend
    done = _positions(events[USER], data.users) * n_items + _positions(events[ITEM], data.items)  # < 0: not inside
    for code, deed in enumerate(DEEDS):
        these = np.unique(done[_are(events, deed, tables.defaults.positive_from)])
        found[np.searchsorted(pairs, these[np.isin(these, pairs, assume_unique=True)])] = code
    return found


def strongest(deeds: Iterable[str]) -> str | None:
    """The one of some deeds that says most; None of none."""
    return max(deeds, key=DEEDS.index, default=None)


def _are(events, deed, positive_from) -> np.ndarray:
    """Which events are such a deed (n,) bool."""
    if deed not in ("rating", "like"):
        return is_kind(events, [deed])
    limited = positive_from is not None and "rating" in events
    if limited != (deed == "like"):
        return np.zeros(len(events), bool)
    rated = is_kind(events, ["rating"])
    return rated & (events["rating"] >= positive_from).to_numpy() if limited else rated


def _positions(ids: pd.Series, index: pd.Index) -> np.ndarray:
    """Where categorical ids stand in an index (n,) int64; far below 0 where they do not."""
    at = index.get_indexer(ids.cat.categories)[ids.cat.codes].astype(np.int64)
    return np.where(at < 0, -(2**40), at)
