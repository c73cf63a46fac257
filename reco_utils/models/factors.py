"""What every matrix factorisation does once its factors are known: fold in, score, find similar items, explain.

For one history with interaction strengths, a user's factors solve a small linear system,

    (G + sum_i a_i y_i y_i' + ridge * 1) x = sum_i b_i y_i        over the items i of the history,

y_i being the item's factors and G what all items weigh together. A model says what a, b, ridge and G are
(`_system`); everything here follows from that, for known users, strangers with a session, and explanations alike.

Letters: U users, I items, B requests, D factors, nnz entries of the histories.
"""

import weakref

import numpy as np
from scipy.sparse import csr_matrix

from reco_utils.core import UserBatch, check_k, take_rows
from reco_utils.models.fitted import check_fitted, check_positions
from reco_utils.models.least_squares import System, solve
from reco_utils.topk import select_dot

_ROUNDED: dict[int, np.ndarray] = {}  # id of item factors -> the same in float32, for as long as the factors live


class FactorRecommender:
    """Base of ALS and iALS: subclasses learn `item_factors_` (I, D) float64 and define `_system(history)`.

    A row of `item_factors_` is NaN where the item has no history: no opinion. A subclass whose `fit` ends with
    `_remember(weights)` folds its own users in once and for all; until their history changes, they cost no more.
    """

    def _system(self, history: csr_matrix) -> System:
        raise NotImplementedError

    def fold_in(self, history: csr_matrix) -> np.ndarray:
        """The factors of people with these histories (B, I): (B, D) float64, NaN where no item of it is known.

        The item factors stay as they are. Known user or stranger, the same history gives the same factors.
        """
        return solve(self._system(history), history, self.item_factors_)

    def _remember(self, weights: csr_matrix) -> None:
        """Fold in everybody the model learnt from, for `vectors` and `score` to look up."""
        self.user_factors_ = self.fold_in(weights).astype(np.float32)
        self.histories_ = fingerprints(weights)

    def forget(self, rows) -> None:
        """Drop what was remembered of the users at these positions; the item factors, to which all gave, stay."""
        if hasattr(self, "histories_"):
            factors, histories = self.user_factors_.copy(), self.histories_.copy()
            factors[rows], histories[rows] = np.nan, 0
            self.user_factors_, self.histories_ = factors, histories

    def _queries(self, batch: UserBatch) -> np.ndarray:
        """User factors (B, D) float32: looked up where the history is that of the fit, otherwise folded in."""
        check_fitted(self, batch)
        known = np.zeros(len(batch), bool)
        if hasattr(self, "histories_"):
            inside = (batch.at >= 0) & (batch.at < len(self.histories_))
            known[inside] = self.histories_[batch.at[inside]] == fingerprints(batch.history)[inside]
        factors = np.empty((len(batch), self.item_factors_.shape[1]), np.float32)
        if known.any():
            factors[known] = self.user_factors_[batch.at[known]]
        if not known.all():
            factors[~known] = self.fold_in(take_rows(batch.history, np.flatnonzero(~known))[0])
        return factors

    def _normal_equations(self, system, history, row):
        """One history's known items (n,), its matrix (D, D), and what each item adds to the right side (D, n)."""
        inside = np.arange(history.indptr[row], history.indptr[row + 1])
        inside = inside[~np.isnan(self.item_factors_[history.indices[inside], 0])]
        items = self.item_factors_[history.indices[inside]]
        left = system.gram + (items.T * system.pull[inside]) @ items + system.ridge[row] * np.eye(items.shape[1])
        return history.indices[inside], left, items.T * system.target[inside]

    def vectors(self, batch: UserBatch) -> tuple[np.ndarray, np.ndarray]:
        """User factors (B, D) and item factors (I, D), float32; scores are their dot products, NaN is no opinion.

        The item factors are rounded at the first call and kept, 4 I D bytes more; they cannot be changed in place from
        then on, only replaced.
        """
        return self._queries(batch), _rounded(self.item_factors_)

    def score(self, batch: UserBatch) -> np.ndarray:
        """Scores (B, I) float32, about 0 to 1; NaN for an item without history, and for a user without one."""
        return (self._queries(batch).astype(float) @ self.item_factors_.T).astype(np.float32)

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


def _rounded(factors: np.ndarray) -> np.ndarray:
    """Factors (I, D) as float32, made once; kept beside the model, so that no copy or file of it holds them twice."""
    known = _ROUNDED.get(id(factors))
    if known is None:
        known = factors.astype(np.float32)
        factors.flags.writeable = known.flags.writeable = False
        weakref.finalize(factors, _ROUNDED.pop, id(factors), None)
        _ROUNDED[id(factors)] = known
    return known


def fingerprints(history: csr_matrix) -> np.ndarray:
    """One number per row (B,) uint64, the same for the same items with the same weights, whatever the other rows are.

    The sum over the entries of a well mixed hash of item and weight: two different histories have the same number with
    a chance of 2^-64. An empty row has 0.

    Source: the mixing of SplitMix64, Steele, Lea and Flood (2014).
    """
    weights = np.ascontiguousarray(history.data, np.float32).view(np.uint32)
    mixed = history.indices.astype(np.uint64) << np.uint64(32) | weights
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    return total[history.indptr[1:]] - total[history.indptr[:-1]]
