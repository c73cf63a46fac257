"""Maximal marginal relevance: the next item is good, and unlike those above it.

Letters: B lists, C candidates of a list, K length of the new list, I items, D width of a vector.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, issparse

from reco_utils.core import TopK, UserBatch, check_k
from reco_utils.rerank.relevance import relevance


@dataclass(frozen=True, eq=False)
class MMR:
    """Greedily the candidate with the highest lam * relevance - (1 - lam) * largest cosine to an item chosen before.

    The first item stays the first. Of equal candidates the earlier one is taken. An item whose vector is zero or NaN
    is not known: its cosine to all others is 0.

    Parameters
    ----------
    vectors : (I, D) array or csr
        Any description of the items, of any length: factors, content vectors, categories as 0 and 1.
    lam : float in [0, 1]
        1: relevance only, the list stays as it is. 0: unlikeness only.

    Source: Carbonell and Goldstein (1998).
    """

    vectors: np.ndarray | csr_matrix
    lam: float = 0.7

    def __post_init__(self):
        if not 0 <= self.lam <= 1:
            raise ValueError(f"lam must be from 0 to 1, got {self.lam!r}")
        if getattr(self.vectors, "ndim", None) != 2:
            raise ValueError(f"vectors must be an array or csr (items, width), got {type(self.vectors).__name__}")
        vectors = self.vectors.toarray() if issparse(self.vectors) else np.asarray(self.vectors)
        lengths = np.sqrt(np.einsum("id,id->i", vectors, vectors, dtype=float))
        known = lengths > 0
        object.__setattr__(self, "_unit", np.where(known[:, None], vectors / np.where(known, lengths, 1)[:, None], 0))

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The k items that were chosen, in the order of choice."""
        order = np.full((len(lists), check_k(k)), -1)
        for row, (items, worth) in enumerate(zip(lists.items, relevance(lists))):
            unit, left = self._unit[items], list(np.flatnonzero(items >= 0))
            nearest = np.zeros(len(items))
            for place in range(min(k, len(left))):
                value = self.lam * worth[left] - (1 - self.lam) * nearest[left]
                best = left.pop(int(np.argmax(value)))
                order[row, place] = best
                cosines = unit @ unit[best]
                nearest = np.maximum(nearest, cosines) if place else cosines
        return lists.take(order)
