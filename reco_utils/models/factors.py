"""What every matrix factorisation does once its factors are known: fold in, score, find similar items, explain.

For one history with interaction strengths, a user's factors solve a small linear system,

    (G + sum_i a_i y_i y_i' + ridge * 1) x = sum_i b_i y_i        over the items i of the history,

y_i being the item's factors and G what all items weigh together. A model says what a, b, ridge and G are
(`_system`); everything here follows from that, for known users, strangers with a session, and explanations alike.

Letters: U users, I items, B requests, D factors, nnz entries of the histories.
"""

import numpy as np
from scipy.sparse import csr_matrix

from reco_utils.core import UserBatch, check_k
from reco_utils.models.fitted import check_fitted, check_positions
from reco_utils.models.least_squares import System, solve
from reco_utils.topk import select_dot


class FactorRecommender:
    """Base of ALS and iALS: subclasses learn `item_factors_` (I, D) float64 and define `_system(history)`.

    A row of `item_factors_` is NaN where the item has no history: no opinion.
    """

    def _system(self, history: csr_matrix) -> System:
        raise NotImplementedError

    def fold_in(self, history: csr_matrix) -> np.ndarray:
        """The factors of people with these histories (B, I): (B, D) float64, NaN where no item of it is known.

        The item factors stay as they are. Known user or stranger, the same history gives the same factors.
        """
        return solve(self._system(history), history, self.item_factors_)

    def _normal_equations(self, system, history, row):
        """One history's known items (n,), its matrix (D, D), and what each item adds to the right side (D, n)."""
        inside = np.arange(history.indptr[row], history.indptr[row + 1])
        inside = inside[~np.isnan(self.item_factors_[history.indices[inside], 0])]
        items = self.item_factors_[history.indices[inside]]
        left = system.gram + (items.T * system.pull[inside]) @ items + system.ridge[row] * np.eye(items.shape[1])
        return history.indices[inside], left, items.T * system.target[inside]

    def vectors(self, batch: UserBatch) -> tuple[np.ndarray, np.ndarray]:
        """User factors (B, D) and item factors (I, D), float32; scores are their dot products, NaN is no opinion."""
        check_fitted(self, batch)
        return self.fold_in(batch.history).astype(np.float32), self.item_factors_.astype(np.float32)

    def score(self, batch: UserBatch) -> np.ndarray:
        """Scores (B, I) float32, about 0 to 1; NaN for an item without history, and for a user without one."""
        check_fitted(self, batch)
        return (self.fold_in(batch.history) @ self.item_factors_.T).astype(np.float32)

    def similar_items(self, items, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k items whose factors point most nearly the same way (cosine), never the item itself.

        Parameters
        ----------
        items : (n,) positions; `data.positions(ids)` gives them
        k : int
            May exceed the catalogue.

        Returns
        -------
        positions (n, k) int32, -1 pads; cosines (n, k) float32, NaN pads. An item without history has none.

        Raises
        ------
        IndexError  when a position is outside the catalogue
        """
        check_fitted(self)
        items = check_positions(items, self.n_items_)
        length = np.linalg.norm(self.item_factors_, axis=1, keepdims=True)
        unit = np.divide(self.item_factors_, length, out=np.full_like(self.item_factors_, np.nan), where=length > 0)
        itself = csr_matrix((np.ones(len(items)), items, np.arange(len(items) + 1)), (len(items), self.n_items_))
        return select_dot(unit[items], unit, check_k(k), forbid=itself)

    def explain(self, batch: UserBatch, items, n: int = 3) -> tuple[np.ndarray, np.ndarray]:
        """ "Because you had X": what each item of the history adds to a score.

        The score of j is a sum over the history, sum_i y_j' A^-1 (b_i y_i) with A the matrix of the linear system, so
        each term is the contribution of i. Terms can be negative; all of them together are the score.

        Parameters
        ----------
        items : (B, K) positions, -1 pads; e.g. `lists.items`
        n : int
            Reasons per item, the largest contributions first.

        Returns
        -------
        reasons (B, K, n) int32, -1 pads; contributions (B, K, n) float32, NaN pads

        Source: Hu, Koren and Volinsky (2008), section 5.
        """
        check_fitted(self, batch)
        items, n = np.asarray(items), check_k(n)
        if items.ndim != 2 or len(items) != len(batch):
            raise ValueError(f"items must be (requests, K) with {len(batch)} requests, got {items.shape}")
        system = self._system(batch.history)
        reasons = np.full((*items.shape, n), -1, np.int32)
        contributions = np.full(reasons.shape, np.nan, np.float32)
        for row, listed in enumerate(items):
            had, left, right = self._normal_equations(system, batch.history, row)
            shown = np.flatnonzero(listed >= 0)
            shown = shown[~np.isnan(self.item_factors_[listed[shown], 0])]
            parts = self.item_factors_[listed[shown]] @ np.linalg.solve(left, right)  # (shown, had)
            best = np.argsort(-parts, axis=1, kind="stable")[:, :n]
            reasons[row, shown, : best.shape[1]] = had[best]
            contributions[row, shown, : best.shape[1]] = np.take_along_axis(parts, best, axis=1)
        return reasons, contributions
