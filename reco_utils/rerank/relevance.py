"""How good a candidate is for this user, on one scale for all users: what every reranker weighs its own aim against.

Letters: B lists, C candidates of a list.
"""

import numpy as np

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

    Source: ours; min-max scaling per list.
    """
    inside = lists.items >= 0
    scores = np.where(inside, np.nan_to_num(lists.scores.astype(np.float64), nan=np.nan), np.nan)
    low = np.fmin.reduce(scores, axis=1, keepdims=True, initial=np.inf)
    high = np.fmax.reduce(scores, axis=1, keepdims=True, initial=-np.inf)
    flat = ~(low < high)  # one candidate, none, or no score at all
    low, width = np.where(flat, 0, low), np.where(flat, 1, high - low)
    worth = np.where(flat, 1, np.where(np.isnan(scores), 0, (scores - low) / width))
    ordered = -np.sort(np.where(inside, -worth, 1), axis=1)  # padding goes to the end
    found = np.full(scores.shape, np.nan)
    found[inside] = ordered[np.arange(scores.shape[1]) < inside.sum(axis=1, keepdims=True)]
    return found
