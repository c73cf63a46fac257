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

N_STEPS = 2  # at most, of conjugate gradients per row and turn; exact turns end within 0.02 % of the same loss
RIDGE_SHARE = 0.175  # of the interactions of an average row: the usual regularization, see `_usual_regularization`


@dataclass
class IALSRecommender(FactorRecommender):
    """Factors x of users and y of items such that x'y is near 1 where something was taken and near 0 elsewhere.

    What is made small, by turns over all users and over all items, is

        sum over taken pairs of w * (1 - x'y)^2 + unobserved_weight * sum over all pairs of (x'y)^2
        + regularization * (sum over users of f_u * |x|^2 + sum over items of f_i * |y|^2),

        w = min(weight / mean weight, max_weight),
        f_u = (items that u has + unobserved_weight * I) ** frequency_scaling, and f_i likewise with the users.

    Weights are divided by their mean and cut because every dataset has a scale of its own and a few weights a hundred
    times the others, which would leave the rest unlearnt.

    Parameters
    ----------
    n_factors : int
        Length of the vectors. More of them tell finer tastes apart: 128 or 256 are a little better than 64 on
        MovieLens and no better on the shop.
    unobserved_weight : float, above 0
        What a pair that was not taken counts, beside 1 for one that was. 0.01 to 1 is usual.
    regularization : float, above 0, optional
        Keeps factors small. Tune it together with `unobserved_weight`. By default such that regularization * f,
        averaged over users and items, is 0.175 times their mean number of interactions: near the best on the shop,
        MovieLens and online-retail alike, where single numbers differ by a factor of ten.
    frequency_scaling : float, 0 to 1
        1 asks the same of every interaction, whether its user is busy or its item popular; 0 of every user and item.
    max_weight : float, above 0
        No pair counts more than this many average ones; inf sets no limit.
    n_iterations : int
        Turns over users and items.
    seed : int
        Of the random factors to begin with. The number of threads makes no difference.
    progress : bool
        Show a bar while fitting.

    Attributes
    ----------
    item_factors_ : (I, D) float64, NaN where nobody has the item
        On their principal axes, the least important first.
    user_factors_ : (U, D) float32, NaN without history
        Folded in from the histories of the fit.
    regularization_, mean_weight_ : float
        Those used.
    losses_ : (n_iterations,) float64
        The sum above after each iteration.

    Source: Rendle, Krichene, Zhang and Koren (2021) for the loss; the solver is ours, see `least_squares`.
    """

    n_factors: int = 64
    unobserved_weight: float = 0.2
    regularization: float | None = None
    frequency_scaling: float = 1.0
    max_weight: float = 3.0
    n_iterations: int = 15
    seed: int = 0
    progress: bool = False

    def __post_init__(self):
        for name in ("n_factors", "n_iterations"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        if not 0 < self.unobserved_weight < np.inf:
            raise ValueError(f"unobserved_weight must be a finite number above 0, got {self.unobserved_weight!r}")
        if self.regularization is not None and not 0 < self.regularization < np.inf:
            raise ValueError(f"regularization must be a finite number above 0, or None, got {self.regularization!r}")
        if not 0 <= self.frequency_scaling <= 1:
            raise ValueError(f"frequency_scaling must be 0 (plain) to 1 (fully scaled), got {self.frequency_scaling!r}")
        if not self.max_weight > 0:
            raise ValueError(f"max_weight must be above 0, or inf for no limit, got {self.max_weight!r}")

    def fit(self, data: Dataset) -> "IALSRecommender":
        """Learn the item factors, and fold in the users; others are folded in when they ask, see `fold_in`."""
        weights = data.weights
        learnt = copy.copy(self)  # folding in can be interrupted too, and must leave this model as it was
        learnt.n_items_ = len(data.items)
        learnt.mean_weight_ = float(weights.data.mean(dtype=float)) if weights.nnz else 1.0
        learnt.regularization_ = float(self.regularization or self._usual_regularization(weights))
        with threadpool_limits(1, "blas"):  # sums in the same order for any number of threads
            items, spread, losses = learnt._alternate(weights)
        items[weights.getnnz(axis=0) == 0] = np.nan
        learnt.item_factors_, learnt.gram_, learnt.losses_ = items, np.diag(self.unobserved_weight * spread), losses
        learnt._remember(weights)
        vars(self).update(vars(learnt))
        return self

    def _strength(self, weights):
        """What taken pairs count (nnz,) float64, from their weights."""
        return np.minimum(weights.data.astype(float) / self.mean_weight_, self.max_weight)

    def _frequency(self, counts, n_columns):
        """By how much the regularization of rows with these counts is multiplied."""
        return (counts + self.unobserved_weight * n_columns) ** self.frequency_scaling

    def _usual_regularization(self, weights):
        """The default: on the average over users and items, a share of their mean number of interactions."""
        sides = (weights.getnnz(axis=1), weights.shape[1]), (weights.getnnz(axis=0), weights.shape[0])
        counts = np.concatenate([counts[counts > 0] for counts, _ in sides])
        frequencies = np.concatenate([self._frequency(counts[counts > 0], width) for counts, width in sides])
        return RIDGE_SHARE * counts.mean() / frequencies.mean() if len(counts) else 1.0

    def _system(self, history: csr_matrix) -> System:
        known = ~np.isnan(self.item_factors_[history.indices, 0])
        counts = np.diff(np.concatenate([[0], np.cumsum(known)])[history.indptr])
        strength = self._strength(history)
        return System(self.gram_, strength, strength, self.regularization_ * self._frequency(counts, self.n_items_))

    def _alternate(self, weights):
        """Item factors (I, D) on their principal axes, the diagonal of their gram there (D,), and the losses."""
        rng, sides = np.random.default_rng(self.seed), []
        for matrix in (weights, weights.T.tocsr()):
            counts, strength = np.diff(matrix.indptr), self._strength(matrix)
            ridge = self.regularization_ * self._frequency(counts, matrix.shape[1])
            sides.append(make_rows(matrix, strength, strength, ridge))
            sides.append(rng.standard_normal((matrix.shape[0], self.n_factors)) / np.sqrt(self.n_factors))
            sides[-1][counts == 0] = 0
        of_users, users, of_items, items = sides
        losses = []
        for _ in trange(self.n_iterations, disable=not self.progress):
            improve(of_users, self.unobserved_weight, users, items, N_STEPS)
            loss = improve(of_items, self.unobserved_weight, items, users, N_STEPS)
            losses.append(loss + np.einsum("u,ud,ud", of_users.ridge, users, users))
        return items, turn_to_axes(items), np.array(losses)
