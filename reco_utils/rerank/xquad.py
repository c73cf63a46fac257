"""xQuAD: each item for an interest of the user that the items above have not served yet.

Letters: B lists, C candidates of a list, K length of the new list, I items, L distinct labels.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from reco_utils.core import TopK, UserBatch, check_k
from reco_utils.rerank.interests import label_codes, labelled
from reco_utils.rerank.relevance import check_share, relevance
from reco_utils.topk import everywhere, spans

CHUNK = 256  # lists per task


@dataclass(frozen=True, eq=False)
class XQuAD:
    """Again and again the candidate with the highest lam * r + (1 - lam) * P(label | user) * r * unserved(label).

    r is the candidate's relevance. P(label | user) is the label's share of the weight of the user's history; a user
    without a labelled history has the same interest in every label. unserved(label) is the product of 1 - r over the
    items with that label chosen so far: a good one has served the interest, a poor one hardly has. As the best item of
    a list has r = 1, its label is served at once.

    An item without a label serves no interest. Of equal candidates the earlier one is taken. Shares of many labels are
    small beside r: the more labels, the lower the `lam` that changes anything.

    Parameters
    ----------
    labels : (I,), e.g. `train.catalog["category"]`
        None and NaN are missing.
    lam : float in [0, 1]
        1: relevance only, the list stays as it is. 0: interests only. (Santos et al. weigh the other way round.)

    Source: Santos, Macdonald and Ounis (2010), "Exploiting query reformulations for web search result diversification",
    with labels for sub-queries and P(item | label) = r for items of the label; relevance is that of `rerank.relevance`.
    """

    labels: np.ndarray
    lam: float = 0.7

    def __post_init__(self):
        check_share("lam", self.lam)
        codes, names = label_codes(self.labels)
        object.__setattr__(self, "_codes", codes)
        object.__setattr__(self, "_n_labels", len(names))

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The k chosen items, in the order of choice."""
        order, worth = np.full((len(lists), check_k(k)), -1, np.int32), relevance(lists)
        codes, interests = labelled(lists, batch, self._codes)
        everywhere(
            lambda start, stop: _choose_rows(
                start, stop, codes, worth, float(self.lam), *interests, self._n_labels, order
            ),
            spans(len(codes), -(-len(codes) // CHUNK)),
        )
        return lists.take(order)


@njit(nogil=True, cache=True)
def _choose_rows(start, stop, codes, worth, lam, indptr, indices, shares, n_labels, order):
    """Fill `order` (B, K) with the columns chosen from candidates with these codes (B, C)."""
    n = codes.shape[1]
    wanted, taken = np.empty(n_labels + 1), np.empty(n, np.bool_)  # code -1 is the last place: nobody wants it
    for b in range(start, stop):
        wanted[:] = 1 / max(n_labels, 1) if indptr[b] == indptr[b + 1] else 0.0
        for p in range(indptr[b], indptr[b + 1]):
            wanted[indices[p]] = shares[p]
        wanted[n_labels] = 0.0
        for c in range(n):
            taken[c] = codes[b, c] < -1
        for place in range(order.shape[1]):
            best, top = -1, -np.inf
            for c in range(n):
                if taken[c]:
                    continue
                value = lam * worth[b, c] + (1 - lam) * wanted[codes[b, c]] * worth[b, c]
                if value > top:
                    best, top = c, value
            if best < 0:
                break
            order[b, place], taken[best] = best, True
            wanted[codes[b, best]] *= 1 - worth[b, best]
