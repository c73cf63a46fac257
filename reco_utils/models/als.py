"""Alternating least squares on the `implicit` library: few factors per user and item, learnt from everything not taken.

Letters: U users, I items, B requests, D factors, nnz stored interactions.
"""

from dataclasses import dataclass

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from reco_utils.core import Dataset
from reco_utils.models.factors import FactorRecommender, System

CHUNK = 1024  # interactions whose predictions are computed at once; their factors stay in the cache, 3 times as fast


@dataclass
class ALSRecommender(FactorRecommender):
    """Factors x of users and y of items such that x'y is near 1 where something was taken and near 0 elsewhere.

    Every pair (u, i) counts, each with a confidence c: 1 where nothing was taken, 1 + alpha * weight where it was.
    What is made small, by turns over all users and over all items, is

        sum over all pairs of c * (p - x'y)^2 + regularization * (sum of |x|^2 + sum of |y|^2),    p = 1 if taken else 0

    Parameters
    ----------
    n_factors : int
        Length of the vectors. More of them tell finer tastes apart and need more data; 32 to 256 is usual.
    alpha : float, above 0
        How much more a taken pair of weight 1 counts than one that was not taken. Tune it together with
        `regularization`: they pull against each other.
    regularization : float, above 0
        Keeps factors small; not divided by anything.
    n_iterations : int
        Turns over users and items. The loss is nearly flat after 10 to 20.
    seed : int
        Of the random factors to begin with. The number of threads makes no difference.
    progress : bool
        Show a bar while fitting.

    Attributes
    ----------
    item_factors_ : (I, D) float64, NaN where nobody has the item
    losses_ : (n_iterations,) float64
        The sum above after each iteration, divided by the sum of all confidences: a mean error per unit of confidence.

    Source: Hu, Koren and Volinsky (2008); solved by three conjugate-gradient steps, Takács, Pilászy and Tikk (2011).
    """

    n_factors: int = 64
    alpha: float = 10.0
    regularization: float = 10.0
    n_iterations: int = 15
    seed: int = 0
    progress: bool = False

    def __post_init__(self):
        for name in ("n_factors", "n_iterations"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        for name in ("alpha", "regularization"):
            value = getattr(self, name)
            if not 0 < value < np.inf:
                raise ValueError(f"{name} must be a finite number above 0, got {value!r}")

    def fit(self, data: Dataset) -> "ALSRecommender":
        """Learn the item factors; those of users are always folded in from their history, see `fold_in`."""
        confidence = self._confidence(data.weights)
        items, losses = self._alternate(confidence) if confidence.nnz else self._nothing(confidence)
        items[np.diff(confidence.tocsc().indptr) == 0] = np.nan
        known = np.nan_to_num(items)
        self.item_factors_, self.gram_, self.losses_ = items, known.T @ known, np.array(losses)
        self.n_items_ = len(data.items)
        return self

    def _confidence(self, weights: csr_matrix) -> csr_matrix:
        """1 + alpha * weight for every stored weight: the only place where alpha is used."""
        return csr_matrix((1 + np.float32(self.alpha) * weights.data, weights.indices, weights.indptr), weights.shape)

    def _system(self, history: csr_matrix) -> System:
        confidence = self._confidence(history).data.astype(float)
        return System(self.gram_, confidence - 1, confidence, np.full(history.shape[0], float(self.regularization)))

    def _alternate(self, confidence):
        """Item factors (I, D) and the loss after every iteration, by a new model of the library."""
        losses = []
        with threadpool_limits(1, "blas"):  # the library runs threads of its own and refuses read-only arrays
            inner = AlternatingLeastSquares(
                factors=self.n_factors, alpha=1.0, regularization=self.regularization,
                iterations=self.n_iterations, dtype=np.float64, random_state=self.seed,
            )  # fmt: skip

            def note(*_):
                losses.append(mean_loss(confidence, inner.user_factors, inner.item_factors, self.regularization))

            inner.fit(confidence.copy(), show_progress=self.progress, callback=note)
        return inner.item_factors, losses

    def _nothing(self, confidence):
        """What is learnt when nobody has taken anything."""
        return np.zeros((confidence.shape[1], self.n_factors)), np.zeros(self.n_iterations)


def mean_loss(confidence: csr_matrix, users: np.ndarray, items: np.ndarray, regularization: float) -> float:
    """Loss of the factors over all U x I pairs, per unit of confidence, without visiting the pairs not taken.

    With s = x'y the prediction of a pair, the sum over all pairs of c * (p - s)^2 is

        sum over taken pairs of (c - 2 c s + (c - 1) s^2) + sum over all pairs of s^2,

    and the last sum is that of the products, entry by entry, of the two D x D matrices X'X and Y'Y. To this comes
    regularization * (sum of X^2 + sum of Y^2); the whole is divided by the sum of all confidences.

    Parameters
    ----------
    confidence : csr (U, I), above 1 where taken; users (U, D); items (I, D)
    """
    grams = users.T @ users, items.T @ items
    total = np.vdot(*grams) + regularization * (np.trace(grams[0]) + np.trace(grams[1]))
    rows = np.repeat(np.arange(len(users)), np.diff(confidence.indptr))
    for start in range(0, confidence.nnz, CHUNK):
        part = slice(start, start + CHUNK)
        s = np.einsum("nd,nd->n", users[rows[part]], items[confidence.indices[part]])
        c = confidence.data[part].astype(float)
        total += (c - 2 * c * s + (c - 1) * s**2).sum()
    n_pairs = confidence.shape[0] * confidence.shape[1]
    return float(total / (n_pairs + (confidence.data.astype(float) - 1).sum()))
