"""What all measures of lists need: the items of the lists, checked and counted, and the mean of a value over each list.

Padding (-1) holds no item and counts nowhere.

Letters: B lists, I items, K list length.
"""

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, TopK


def checked_items(lists: TopK, n_items: int) -> np.ndarray:
    """The items of the lists (B, K) int32: positions of a catalogue of n_items, or -1.

    Raises
    ------
    ValueError  for a catalogue without items, a position outside of it, or an item twice in a list
    """
    return _counted(lists, n_items)[0]


def places_of(lists: TopK, n_items: int) -> np.ndarray:
    """In how many lists each item stands, (I,); the lists are checked as by `checked_items`."""
    return _counted(lists, n_items)[1]


def mean_over(lists: TopK, values: np.ndarray) -> np.ndarray:
    """Mean of an item's value (I,) over each list, (B,); NaN for an empty list, and where the list holds a NaN."""
    items = checked_items(lists, len(values))
    inside = items >= 0
    counts = inside.sum(axis=1)
    sums = np.append(values, 0)[items].sum(axis=1)  # padding, -1, takes the 0 at the end
    return np.divide(sums, counts, out=np.full(len(items), np.nan), where=counts > 0)


def as_rows(items: np.ndarray, known: np.ndarray) -> csr_matrix:
    """Lists (B, K) as rows of ones, csr (B, I), without padding and items that are not `known`, (I,) bool."""
    inside = (items >= 0) & known[items]
    indptr = np.concatenate([[0], np.cumsum(inside.sum(axis=1))])
    return csr_matrix((np.ones(indptr[-1]), items[inside], indptr), (len(items), len(known)))


def owners_of(train: Dataset) -> np.ndarray:
    """How many users had each item, (I,)."""
    return np.bincount(train.weights.indices, minlength=len(train.items))


def _counted(lists, n_items):
    """The items of the lists (B, K), checked, and in how many lists each item stands (I,)."""
    if n_items < 1:
        raise ValueError(f"n_items must be at least 1, got {n_items}")
    items = np.ascontiguousarray(lists.items, np.int32)
    if items.size and not -1 <= items.min() <= items.max() < n_items:
        worst = items.min() if items.min() < -1 else items.max()
        raise ValueError(f"lists hold item position {worst}; positions here are 0 to {n_items - 1}, or -1 for padding")
    counts, n_repeats, first = _count(items, n_items)
    if n_repeats:
        user = lists.users[first]
        raise ValueError(f"{n_repeats} of {len(items)} lists hold an item twice, the first for user {user!r}")
    return items, counts


@njit(nogil=True, cache=True)
def _count(items, n_items):
    """In how many lists each item stands (I,), how many lists hold an item twice, and the first of them."""
    counts, listed_in = np.zeros(n_items, np.int64), np.full(n_items, -1, np.int32)
    n_repeats, first = 0, -1
    for row in range(items.shape[0]):
        repeated = False
        for item in items[row]:
            if item >= 0:
                repeated |= listed_in[item] == row
                listed_in[item] = row
                counts[item] += 1
        n_repeats += repeated
        if repeated and first < 0:
            first = row
    return counts, n_repeats, first
