"""Determinantal point process: the list whose items span the largest volume, each stretched by its relevance.

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
NOTHING = 1e-9  # a smaller share of an item that the chosen do not span counts as this much


@dataclass(frozen=True, eq=False)
class DPP:
    """Greedily the list with the highest theta * sum of relevance + (1 - theta) * log det S, S = (1 + cosines) / 2.

    An item adds theta * relevance + (1 - theta) * log(the part of it that the chosen do not span): MMR looks at the
    nearest of the chosen, this at all of them together. It is the most probable list, found greedily, of the process
    with kernel q_i q_j S_ij, quality q = exp(alpha * relevance), alpha = theta / (2 (1 - theta)).

    The first item stays the first. Of equal candidates the earlier one is taken. Once nothing new is left (copies of
    the chosen, or more places than dimensions), relevance alone decides. An item whose vector is zero or NaN is not
    known: its cosine to all others is 0.

    Parameters
    ----------
    vectors : (I, D) array or csr
        Any description of the items, of any length: factors, content vectors, categories as 0 and 1.
    theta : float in [0, 1]
        1: relevance only, the list stays as it is. 0: volume only.

    Source: Chen, Zhang and Zhou (2018), "Fast greedy MAP inference for determinantal point process to improve
    recommendation diversity", algorithm 1, the trade-off and the kernel of its section on diversity; relevance is that
    of `rerank.relevance`; upper bounds as in `MMR`.
    """

    vectors: np.ndarray | csr_matrix
    theta: float = 0.7

    def __post_init__(self):
        check_share("theta", self.theta)
        object.__setattr__(self, "_unit", unit_vectors(self.vectors, np.float64))

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The k chosen items, in the order of choice."""
        order = np.full((len(lists), check_k(k)), -1, np.int32)
        items, worth = check_positions(lists, self.vectors.shape[0], "vectors"), relevance(lists)
        everywhere(
            lambda start, stop: _choose_rows(start, stop, items, worth, float(self.theta), *self._unit, order),
            spans(len(items), -(-len(items) // CHUNK)),
        )
        return lists.take(order)


@njit(nogil=True, cache=True)
def _choose_rows(start, stop, items, worth, theta, dense, sparse, width, lowest, order):
    """Fill `order` (B, K) with the columns chosen from `items` (B, C).

    parts[c] is candidate c's row of the Cholesky factor of S, one number per chosen item; 1 minus their squares is what
    the chosen do not span. It only shrinks, so its logarithm some places above is an upper bound, as in `MMR`; `most`
    bounds that of an item which is as unlike the first one as can be.
    """
    n = items.shape[1]
    n_places = min(order.shape[1], n)
    row, parts, roots = np.zeros(width), np.empty((n, n_places)), np.empty(n_places)
    free, bonus, chosen = np.empty(n), np.empty(n), np.empty(n_places, np.int32)
    compared = np.empty(n, np.int32)  # with how many of the chosen; -1 for padding and the chosen themselves
    most = np.log(1 - ((1 + max(lowest, -1.0)) / 2) ** 2)
    for b in range(start, stop):
        free[:], bonus[:] = 1, 0
        for c in range(n):
            compared[c] = 0 if items[b, c] >= 0 else -1
        for place in range(n_places):
            best, top, ceiling = -1, -np.inf, most if place else 0.0
            for c in range(n):
                if compared[c] < 0:
                    continue
                if theta * worth[b, c] + (1 - theta) * ceiling <= top:
                    break
                value = theta * worth[b, c] + (1 - theta) * bonus[c]
                if value > top and compared[c] < place:
                    lay_out(sparse, items[b, c], row)
                    while value > top and compared[c] < place:
                        at = chosen[compared[c]]
                        similar = (1 + cosine(dense, sparse, items[b, c], items[b, at], row)) / 2
                        _project(parts, c, at, compared[c], similar, roots[compared[c]], free)
                        bonus[c] = np.log(max(free[c], NOTHING))
                        compared[c] += 1
                        value = theta * worth[b, c] + (1 - theta) * bonus[c]
                    clear(sparse, items[b, c], row)
                if value > top:
                    best, top = c, value
            if best < 0:
                break
            order[b, place], chosen[place], compared[best] = best, best, -1
            roots[place] = np.sqrt(free[best]) if free[best] > NOTHING else 0.0


@njit(nogil=True, cache=True)
def _project(parts, c, at, place, similar, root, free):
    """Take from candidate c what it shares with column `at` and with none chosen before; root 0: that is nothing."""
    for t in range(place):
        similar -= parts[c, t] * parts[at, t]
    parts[c, place] = similar / root if root > 0 else 0.0
    free[c] -= parts[c, place] ** 2
