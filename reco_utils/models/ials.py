"""Alternating least squares by our own solver, in the form that is best understood and easiest to tune.

Letters: U users, I items, B requests, D factors, nnz stored interactions.
"""

import copy
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits
from tqdm.auto import trange

from reco_utils.core import Dataset
from reco_utils.models.factors import FactorRecommender
from reco_utils.models.least_squares import System, improve, make_rows, turn_to_axes

N_STEPS = 2  # of conjugate gradients per row and turn; a third moved the loss by less than 0.01 %


@dataclass
class IALSRecommender(FactorRecommender):
    """Factors x of users and y of items such that x'y is near 1 where something was taken and near 0 elsewhere.

    What is made small, by turns over all users and over all items, is

        sum over taken pairs of w * (1 - x'y)^2 + unobserved_weight * sum over all pairs of (x'y)^2
        + regularization * (sum over users of f_u * |x|^2 + sum over items of f_i * |y|^2),

    f_u = (items that u took + unobserved_weight * I) ** frequency_scaling, and f_i likewise with the users.

    Parameters
    ----------
    n_factors : int
        Length of the vectors. More of them tell finer tastes apart and need more data; 32 to 512 is usual.
    unobserved_weight : float, above 0
        How much a pair counts that was not taken, beside 1 for one that was.
    regularization : float, above 0
        Keeps factors small. Tune it together with `unobserved_weight`.
    frequency_scaling : float, 0 to 1
        1 holds back busy users and popular items as much as others, per pair; 0 holds back all vectors alike.
    n_iterations : int
        Turns over users and items.
    seed : int
        Of the random factors to begin with. The number of threads makes no difference.
    progress : bool
        Show a bar while fitting.

    Attributes
    ----------
    item_factors_ : (I, D) float64, NaN where nobody has the item
    losses_ : (n_iterations,) float64
        The sum above after each iteration.

    Source: Rendle, Krichene, Zhang and Koren (2021), equations 1 to 5; the solver is ours, see `least_squares`.
    """

    n_factors: int = 64
    unobserved_weight: float = 0.1
    regularization: float = 0.01
    frequency_scaling: float = 1.0
    n_iterations: int = 15
    seed: int = 0
    progress: bool = False

    def __post_init__(self):
        for name in ("n_factors", "n_iterations"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        for name in ("unobserved_weight", "regularization"):
            value = getattr(self, name)
            if not 0 < value < np.inf:
                raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
        if not 0 <= self.frequency_scaling <= 1:
            raise ValueError(f"frequency_scaling must be 0 (plain) to 1 (fully scaled), got {self.frequency_scaling!r}")

    def fit(self, data: Dataset) -> "IALSRecommender":
        """Learn the item factors; those of users are always folded in from their history, see `fold_in`."""
        weights = data.weights
        scale = weights.data.mean() if weights.nnz else 1.0
        with threadpool_limits(1, "blas"):
            learn = self._alternate if weights.nnz else self._nothing
            items, spread, losses = learn(self._strength(weights, scale))
        items[weights.getnnz(axis=0) == 0] = np.nan
        learnt = copy.copy(self)  # folding in can be interrupted too, and must leave this model as it was
        learnt.item_factors_, learnt.gram_, learnt.losses_ = items, np.diag(self.unobserved_weight * spread), losses
        learnt.scale_, learnt.n_items_ = scale, len(data.items)
        learnt._remember(weights)
        vars(self).update(vars(learnt))
        return self

    def _strength(self, weights, scale):
        return csr_matrix((weights.data / np.float32(scale), weights.indices, weights.indptr), weights.shape)

    def _ridge(self, counts, n_columns):
        return self.regularization * (counts + self.unobserved_weight * n_columns) ** self.frequency_scaling

    def _system(self, history: csr_matrix) -> System:
        known = csr_matrix(
            (~np.isnan(self.item_factors_[history.indices, 0]), history.indices, history.indptr), history.shape
        )
        counts = np.asarray(known.sum(axis=1, dtype=float)).ravel()
        strength = self._strength(history, self.scale_).data.astype(float)
        return System(self.gram_, strength, strength, self._ridge(counts, self.n_items_))

    def _nothing(self, strength):
        """What is learnt when nobody has taken anything."""
        return np.zeros((strength.shape[1], self.n_factors)), np.zeros(self.n_factors), np.zeros(self.n_iterations)

    def _alternate(self, strength):
        """Item factors (I, D) on their principal axes, the gram's diagonal there (D,), and the losses."""
        rng = np.random.default_rng(self.seed)
        sides = []
        for matrix in (strength, strength.T.tocsr()):
            counts = np.diff(matrix.indptr)
            start = rng.standard_normal((matrix.shape[0], self.n_factors)) / np.sqrt(self.n_factors)
            start[counts == 0] = 0
            sides.append((make_rows(matrix, matrix.data, matrix.data, self._ridge(counts, matrix.shape[1])), start))
        (of_users, users), (of_items, items) = sides
        losses = []
        for _ in trange(self.n_iterations, disable=not self.progress):
            improve(of_users, self.unobserved_weight, users, items, N_STEPS)
            loss = improve(of_items, self.unobserved_weight, items, users, N_STEPS)
            losses.append(loss + np.vdot(of_users.ridge, (users**2).sum(axis=1)))
        return items, turn_to_axes(items), np.array(losses)
