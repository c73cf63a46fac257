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
    regularization : float, above 0, optional
        Keeps factors small. It is not divided by anything, so good values grow with alpha and with the data. By
        default alpha * nnz / (number of users and items that have any interaction): alpha times the interactions of
        an average row. On the shop, Online Retail and MovieLens latest-small that is 73, 84 and 21, and within 4 % of
        the best NDCG of a grid on validation data; four times as much halves it.
    n_iterations : int
        Turns over users and items. The loss is nearly flat after 10 to 20.
    seed : int
        Of the random factors to begin with. The number of threads makes no difference.
    progress : bool
        Show a bar while fitting.

    Attributes
    ----------
    item_factors_ : (I, D) float64, NaN where nobody has the item
    regularization_ : float
        The one used.
    losses_ : (n_iterations,) float64
        The sum above after each iteration, divided by the sum of all confidences: a mean error per unit of confidence.

    Source: Hu, Koren and Volinsky (2008); solved by three conjugate-gradient steps, Takács, Pilászy and Tikk (2011).
    """

    n_factors: int = 64
    alpha: float = 3.0
    regularization: float | None = None
    n_iterations: int = 15
    seed: int = 0
    progress: bool = False

    def __post_init__(self):
        for name in ("n_factors", "n_iterations"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        if not 0 < self.alpha < np.inf:
            raise ValueError(f"alpha must be a finite number above 0, got {self.alpha!r}")
        if self.regularization is not None and not 0 < self.regularization < np.inf:
            raise ValueError(f"regularization must be a finite number above 0, or None, got {self.regularization!r}")

    def fit(self, data: Dataset) -> "ALSRecommender":
        """Learn the item factors; those of users are always folded in from their history, see `fold_in`."""
        confidence = self._confidence(data.weights)
        ridge = float(self.regularization or self._usual_ridge(confidence))
        with threadpool_limits(1, "blas"):  # the library runs threads of its own
            items, losses = self._alternate(confidence, ridge) if confidence.nnz else self._nothing(confidence)
            gram = items.T @ items  # items that nobody has are 0 here
        items[confidence.getnnz(axis=0) == 0] = np.nan
        self.item_factors_, self.gram_, self.losses_ = items, gram, np.array(losses)
        self.n_items_, self.regularization_ = len(data.items), ridge
        return self

    def _confidence(self, weights: csr_matrix) -> csr_matrix:
        """1 + alpha * weight for every stored weight: the only place where confidence is made."""
        return csr_matrix((1 + np.float32(self.alpha) * weights.data, weights.indices, weights.indptr), weights.shape)

    def _usual_ridge(self, confidence):
        """The default of `regularization`: alpha times the mean interactions of users and items that have any."""
        rows = (np.diff(confidence.indptr) > 0).sum() + (confidence.getnnz(axis=0) > 0).sum()
        return self.alpha * confidence.nnz / max(rows, 1)

    def _system(self, history: csr_matrix) -> System:
        confidence = self._confidence(history).data.astype(float)
        return System(self.gram_, confidence - 1, confidence, np.full(history.shape[0], self.regularization_))

    def _alternate(self, confidence, ridge):
        """Item factors (I, D) and the loss after every iteration, by a new model of the library."""
        losses = []
        inner = AlternatingLeastSquares(
            factors=self.n_factors, alpha=1.0, regularization=ridge, iterations=self.n_iterations, dtype=np.float64,
            random_state=self.seed,
        )  # fmt: skip

        def note(*_):
            losses.append(mean_loss(confidence, inner.user_factors, inner.item_factors, ridge))

        inner.fit(confidence.copy(), show_progress=self.progress, callback=note)  # it refuses read-only arrays
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
