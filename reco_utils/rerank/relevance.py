"""How good a candidate is for this user, on one scale for all users: what every reranker weighs its own aim against.

Letters: B lists, C candidates of a list.
"""

import numpy as np
from numba import njit

from reco_utils.core import TopK


def relevance(lists: TopK) -> np.ndarray:
    """(score - lowest) / (highest - lowest) of a list: the first candidate is worth 1, the last 0.

    The order of a list is the truth, its scores only say how far apart the places are: where an earlier reranker has
    changed the order, the j-th place has the j-th highest score. So relevance never rises along a list, and the next
    reranker builds on what the last one did. A candidate without a score counts as the lowest; in a list of equal
    scores (one candidate alone is such a list) all are worth 1.

    Returns
    -------
    (B, C) float64 in [0, 1], NaN for padding

    Raises
    ------
    ValueError  for an infinite score

    Source: ours; min-max scaling per list.
    """
    if np.isinf(lists.scores).any():
        raise ValueError("scores must be finite to be put on a scale from 0 to 1, got infinite ones")
    # the kernel is compiled for writable arrays alone
    return _scale_rows(np.require(lists.items, np.int32, "CW"), np.require(lists.scores, np.float32, "CW"))


def check_share(name: str, value: float) -> None:
    """Refuse a weight of relevance, `lam` or `theta`, that is no number from 0 to 1.

    Raises
    ------
    ValueError
    """
    if isinstance(value, (bool, str)) or not 0 <= value <= 1:
        raise ValueError(
            f"{name} must be a number from 0 (the reranker's own aim only) to 1 (relevance only), got {value!r}"
        )


@njit(nogil=True, cache=True)
def _scale_rows(items, scores):
    """`relevance` of items and scores (B, C)."""
    found, row = np.full(items.shape, np.nan), np.empty(items.shape[1])
    for b in range(items.shape[0]):
        n, low = 0, np.inf
        for c in range(row.size):
            if items[b, c] >= 0:
                row[n] = scores[b, c]
                low = row[n] if row[n] < low else low
                n += 1
        for j in range(n):  # by insertion: nearly all rows are in order
            score, at = low if np.isnan(row[j]) else row[j], j
            while at > 0 and row[at - 1] < score:
                row[at] = row[at - 1]
                at -= 1
            row[at] = score
        width, j = (row[0] - low if n else 0.0), 0
        for c in range(row.size):
            if items[b, c] >= 0:
                found[b, c] = (row[j] - low) / width if width > 0 else 1.0
                j += 1
    return found
