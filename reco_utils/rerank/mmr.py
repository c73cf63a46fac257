"""Maximal marginal relevance: the next item is good, and unlike those above it.

Letters: B lists, C candidates of a list, K length of the new list, I items, D width of a vector.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from reco_utils.core import TopK, UserBatch, check_k
from reco_utils.rerank.relevance import check_share, relevance
from reco_utils.rerank.vectors import check_positions, clear, cosine, lay_out, unit_vectors
from reco_utils.topk import everywhere, spans

CHUNK = 256  # lists per task


@dataclass(frozen=True, eq=False)
class MMR:
    """Again and again the candidate with the highest lam * relevance - (1 - lam) * largest cosine to those chosen.

    The first item stays the first. Of equal candidates the earlier one is taken. An item whose vector is zero or NaN
    is not known: its cosine to all others is 0.

    Parameters
    ----------
    vectors : (I, D) array or csr
        Any description of the items, of any length: factors, content vectors, categories as 0 and 1.
    lam : float in [0, 1]
        1: relevance only, the list stays as it is. 0: the first item, then what is least like those above.

    Source: Carbonell and Goldstein (1998), with the relevance of `rerank.relevance`; the upper bounds that spare most
    cosines: Minoux (1978), "accelerated greedy".
    """

    vectors: np.ndarray | csr_matrix
    lam: float = 0.7

    def __post_init__(self):
        check_share("lam", self.lam)
        object.__setattr__(self, "_unit", unit_vectors(self.vectors, np.float32))

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The k chosen items, in the order of choice."""
        order = np.full((len(lists), check_k(k)), -1, np.int32)
        items, worth = check_positions(lists, self.vectors.shape[0], "vectors"), relevance(lists)
        everywhere(
            lambda start, stop: _choose_rows(start, stop, items, worth, float(self.lam), *self._unit, order),
            spans(len(items), -(-len(items) // CHUNK)),
        )
        return lists.take(order)


@njit(nogil=True, cache=True)
def _choose_rows(start, stop, items, worth, lam, dense, sparse, width, lowest, order):
    """Fill `order` (B, K) with the columns chosen from `items` (B, C).

    The cosine to the nearest of the chosen only rises, so the value a candidate had some places above is an upper bound
    of what it has now: a candidate is compared with the chosen only as long as its bound beats the best so far. And
    relevance only falls along the list, so the search ends where not even the lowest of cosines could help.
    """
    n = items.shape[1]
    row, nearest, chosen = np.zeros(width), np.empty(n), np.empty(order.shape[1], np.int32)
    compared = np.empty(n, np.int32)  # with how many of the chosen; -1 for padding and the chosen themselves
    for b in range(start, stop):
        nearest[:] = lowest
        for c in range(n):
            compared[c] = 0 if items[b, c] >= 0 else -1
        for place in range(order.shape[1]):
            best, top, floor = -1, -np.inf, lowest if place else 0.0
            for c in range(n):
                if compared[c] < 0:
                    continue
                if lam * worth[b, c] - (1 - lam) * floor <= top:
                    break
                value = lam * worth[b, c] - (1 - lam) * (nearest[c] if place else floor)
                if value > top and compared[c] < place:
                    lay_out(sparse, items[b, c], row)
                    while value > top and compared[c] < place:
                        near = cosine(dense, sparse, items[b, c], chosen[compared[c]], row)
                        nearest[c] = max(nearest[c], near)
                        compared[c] += 1
                        value = lam * worth[b, c] - (1 - lam) * nearest[c]
                    clear(sparse, items[b, c], row)
                if value > top:
                    best, top = c, value
            if best < 0:
                break
            order[b, place], chosen[place], compared[best] = best, items[b, best], -1
