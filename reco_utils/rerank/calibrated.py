"""Calibration: a list shows the user's interests in the proportions of the history.

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
ROUNDING = 1e-12  # values that differ by less are equal: the same distance comes from sums in another order


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Again and again the candidate with the highest lam * relevance - (1 - lam) * KL(history || list with it).

    KL = sum over labels g of p_g log(p_g / ((1 - prior) q_g + prior p_g)), p_g being the label's share of the weight of
    the user's history, q_g its share of the list so far, the candidate included; items without a label count in
    neither. The mixture keeps the logarithm finite: a list with nothing of the history has KL = log(1 / prior).

    The list of a user without a labelled history stays as it is. Of equal candidates the earlier one is taken.

    Parameters
    ----------
    labels : (I,), e.g. `train.catalog["category"]`
        None and NaN are missing.
    lam : float in [0, 1]
        1: relevance only, the list stays as it is. 0: proportions only. (Steck weighs the other way round.)
    prior : float between 0 and 1
        How much of p is mixed into q; the author's value.

    Source: Steck (2018), "Calibrated recommendations", one label per item; relevance is that of `rerank.relevance`.
    """

    labels: np.ndarray
    lam: float = 0.7
    prior: float = 0.01

    def __post_init__(self):
        check_share("lam", self.lam)
        if isinstance(self.prior, (bool, str)) or not 0 < self.prior < 1:
            raise ValueError(f"prior must be a number above 0 and below 1, got {self.prior!r}")
        object.__setattr__(self, "_codes", label_codes(self.labels)[0])

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The k chosen items, in the order of choice."""
        order, worth = np.full((len(lists), check_k(k)), -1, np.int32), relevance(lists)
        codes, interests = labelled(lists, batch, self._codes)
        rules = float(self.lam), float(self.prior), int(self._codes.max(initial=-1)) + 1
        everywhere(
            lambda start, stop: _choose_rows(start, stop, codes, worth, *rules, *interests, order),
            spans(len(codes), -(-len(codes) // CHUNK)),
        )
        return lists.take(order)


@njit(nogil=True, cache=True)
def _choose_rows(start, stop, codes, worth, lam, prior, n_labels, indptr, indices, shares, order):
    """Fill `order` (B, K) with the columns chosen from candidates with these codes (B, C).

    What is kept per label of the user has two places more: 0 for items without a label, 1 for labels of no interest.
    """
    n = codes.shape[1]
    taken, place_of = np.empty(n, np.bool_), np.ones(n_labels + 2, np.int64)
    place_of[-1] = 0  # code -1
    for b in range(start, stop):
        own, p = indices[indptr[b] : indptr[b + 1]], shares[indptr[b] : indptr[b + 1]]
        shown, far = np.zeros(own.size + 2), np.empty(own.size + 2)
        for g in range(own.size):
            place_of[own[g]] = g + 2
        for c in range(n):
            taken[c] = codes[b, c] < -1
        for place in range(order.shape[1]):
            _distances(p, shown, prior, far)
            best, top = -1, -np.inf
            for c in range(n):
                if taken[c]:
                    continue
                value = lam * worth[b, c] - (1 - lam) * far[place_of[codes[b, c]]]
                if value > top + ROUNDING:
                    best, top = c, value
            if best < 0:
                break
            order[b, place], taken[best] = best, True
            shown[place_of[codes[b, best]]] += 1
        for label in own:
            place_of[label] = 1


@njit(nogil=True, cache=True)
def _distances(p, shown, prior, far):
    """Fill `far` with the KL of the list with one more item of each label: with 0s for a user without interests."""
    n, now, then = shown[1:].sum(), 0.0, 0.0
    for g in range(p.size):
        now -= p[g] * np.log(_mixed(shown[g + 2], max(n, 1), p[g], prior) / p[g])
        then -= p[g] * np.log(_mixed(shown[g + 2], n + 1, p[g], prior) / p[g])
    far[0], far[1] = now, then
    for g in range(p.size):
        before = _mixed(shown[g + 2], n + 1, p[g], prior)
        after = _mixed(shown[g + 2] + 1, n + 1, p[g], prior)
        far[g + 2] = then - p[g] * np.log(after / before)


@njit(nogil=True, cache=True)
def _mixed(n_label, n_list, p, prior):
    """(1 - prior) * share of the list + prior * share of the history."""
    return (1 - prior) * n_label / n_list + prior * p
