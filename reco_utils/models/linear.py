"""Linear item-to-item models: score = history @ B, and three ways to learn B. Strong baselines, hard to beat.

- EASE: every item explained by all others at once, ridge regression in closed form; dense, for small catalogues.
- SLIM: every item explained by few others, never negatively; sparse, for catalogues of any size.
- RP3beta: no regression at all; where three random steps lead, popular ends held back; sparse.

B[i, j] is what having i says for j; an item never speaks for itself. A score of exactly 0, where nothing in the history
has a word on the item, is no opinion (NaN). Penalties are in interactions: they are multiplied by the mean square of
the entries, so that all weights times ten need no other penalty.

Letters: U users, I items, B requests, n neighbours, m items with history.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import get_lapack_funcs
from scipy.sparse import csr_matrix

from reco_utils.core import BLOCK_BYTES, Dataset, UserBatch, check_k
from reco_utils.models.fitted import check_fitted, check_positions
from reco_utils.models.gram import dense_sum, elastic_net, gram
from reco_utils.models.similar import SimilarRows, frozen, weighted_sum
from reco_utils.topk import select

ENTRIES = {"weight": lambda weights: weights, "log": np.log1p, "one": np.ones_like}
STRIP = 256  # rows of the inverse that are turned into weights at once
TOLERANCE, MAX_SWEEPS = 1e-4, 200  # of the coordinate descent
FLOPS = 2e10  # multiplications and additions per second of one slow core, for the estimate in EASE's refusal


class LinearRecommender:
    """What the three have in common: subclasses learn B in `fit`, and `_sum(history)` is history @ B."""

    def score(self, batch: UserBatch) -> np.ndarray:
        """Scores (B, I) float32, history @ B; NaN where nothing in the history has a word on the item."""
        check_fitted(self, batch)
        return self._sum(self._counted(batch.history))

    def similar_items(self, items, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k items that having only this one speaks for most: the largest positive B[i, j], never i itself.

        Parameters
        ----------
        items : (n,) positions; `data.positions(ids)` gives them
        k : int
            May exceed the catalogue.

        Returns
        -------
        positions (n, k) int32, -1 pads; weights B[i, j] (n, k) float32 > 0, NaN pads

        Raises
        ------
        IndexError  when a position is outside the catalogue
        """
        check_fitted(self)
        items, k = check_positions(items, self.n_items_), check_k(k)
        found, weights = np.empty((len(items), k), np.int32), np.empty((len(items), k), np.float32)
        block = max(1, BLOCK_BYTES // (4 * max(self.n_items_, 1)))
        for start in range(0, len(items), block):
            rows = slice(start, start + block)
            asked = items[rows]
            ones = np.ones(len(asked), np.float32), asked, np.arange(len(asked) + 1)
            scores = self._sum(csr_matrix(ones, (len(asked), self.n_items_)))
            scores[~(scores > 0)] = np.nan
            found[rows], weights[rows] = select(scores, k)
        return found, weights

    def _counted(self, matrix):
        """The matrix with its values replaced by what they count."""
        return _with_values(matrix, ENTRIES[self.entries](matrix.data))

    def _sum(self, history):
        return weighted_sum(history.indptr, history.indices, history.data, self.rows_, self.n_items_)


@dataclass
class EASERecommender(LinearRecommender):
    """Every item explained by all others at once: B = I - P diag(1 / diag P), with P = (X'X + penalty * I)^-1.

    That is ridge regression of every column of X on all others, in closed form; B has 0 on its diagonal and may be
    negative: having this speaks against that. One number to tune, and one dense matrix: with m items that have a
    history, the fit takes 12 m^2 bytes and about m^3 multiplications, so more than `max_items` are refused.

    The inverse is made in place, by Cholesky, and in float64: a third of the time of a general inverse, and lists that
    do not hang on the last digits; B is kept in float32. The number of threads is left to the linear algebra library
    (OPENBLAS_NUM_THREADS): two threads halve the time of an idle machine and multiply that of a busy one.

    Parameters
    ----------
    regularization : float, above 0, in interactions
        penalty = regularization * mean square of the entries. Larger trusts pairs that few users share less. On
        validation data 100 did best for 600 raters of films and 150 to 300 for 4,000 shoppers; the paper has 500 for
        137,000 raters.
    entries : {"weight", "log", "one"}
        What an interaction counts in X and in the history: its weight, ln(1 + weight), or 1.
    max_items : int
        Refuse to fit more items with history than this.

    Source: Steck (2019), "Embarrassingly shallow autoencoders for sparse data", equations 2 to 8.
    """

    regularization: float = 150.0
    entries: str = "log"
    max_items: int = 5_000

    def __post_init__(self):
        _check_number(self, "regularization", above=0)
        _check_whole(self, "max_items")
        _check_entries(self)

    def fit(self, data: Dataset) -> "EASERecommender":
        """Solve for B.

        Raises
        ------
        ValueError  for more than `max_items` items with history, before any memory is taken
        """
        items = np.flatnonzero(np.bincount(data.weights.indices, minlength=len(data.items)))
        self._refuse_too_many(len(items))
        place = np.zeros(len(data.items), np.int32)
        place[items] = np.arange(len(items))
        counted = self._counted(data.weights)
        compact = csr_matrix((counted.data, place[counted.indices], counted.indptr), (len(data.users), len(items)))
        products = gram(compact)
        products[np.diag_indices(len(items))] += self.regularization * _mean_square(compact)
        self.weights_, self.items_, self.n_items_ = _ridge_weights(products), items, len(data.items)
        return self

    def _refuse_too_many(self, n):
        if n > self.max_items:
            raise ValueError(
                f"EASE would invert a dense {n:,} x {n:,} matrix, about {12e-9 * n**2:,.1f} GB and "
                f"{n**3 / FLOPS:,.0f} s on one core; max_items is {self.max_items:,}. Fit it on the most popular "
                f"items, keep_popular(data, {self.max_items}) of reco_utils.data.debias, or raise max_items"
            )

    def _sum(self, history):
        return dense_sum(history, self.weights_, self.items_)


def _ridge_weights(products):
    """B (m, m) float32 from the lower triangle of X'X + penalty * I, which is overwritten."""
    n = len(products)
    weights = np.zeros((n, n), np.float32)
    if not n:
        return weights
    factorise, invert = get_lapack_funcs(("potrf", "potri"), (products,))
    inverse, failed = factorise(products.T, lower=0, overwrite_a=1, clean=0)  # LAPACK reads it transposed
    inverse, failed = (inverse, failed) if failed else invert(inverse, lower=0, overwrite_c=1)
    if failed:
        raise ValueError("X'X + penalty * I has no inverse in float64; raise regularization")
    inverse, diagonal = inverse.T, np.diag(inverse).copy()
    for start in range(0, n, STRIP):
        rows, later = slice(start, start + STRIP), slice(start + STRIP, n)
        corner, below = np.tril(inverse[rows, rows], -1), inverse[later, rows]
        weights[rows, rows] = -(corner + corner.T) / diagonal[rows]
        weights[later, rows] = -below / diagonal[rows]
        weights[rows, later] = -below.T / diagonal[later]
    return weights


@dataclass
class SLIMRecommender(LinearRecommender):
    """Every item explained by the few others that explain it best, never negatively: an elastic net per item.

    Column j of B minimises |x_j - X b|^2 / 2 + p1 * sum(b) + p2 * |b|^2 / 2 over b >= 0 with b_j = 0, where only the
    `n_neighbors` items with the highest cosine to j take part (the paper's fsSLIM), so that no items x items matrix
    ever exists. Among items that tell the same, the weight is shared or given to one; in item-kNN each would count.

    Parameters
    ----------
    l1 : float, 0 or more, in interactions
        p1 = l1 * mean square of the entries. Items that explain less than this stay out: larger is sparser.
    l2 : float, 0 or more, in interactions
        p2 = l2 * mean square of the entries. Makes weights that rest on few users smaller.
    n_neighbors : int
        Items that may explain one; all others make it the full SLIM.
    entries : {"weight", "log", "one"}
        What an interaction counts in X and in the history: its weight, ln(1 + weight), or 1.

    Source: Ning and Karypis (2011), "SLIM: sparse linear methods for top-n recommender systems", section 4.
    """

    l1: float = 0.3
    l2: float = 100.0
    n_neighbors: int = 100
    entries: str = "log"

    def __post_init__(self):
        _check_number(self, "l1", least=0)
        _check_number(self, "l2", least=0)
        _check_whole(self, "n_neighbors")
        _check_entries(self)

    def fit(self, data: Dataset) -> "SLIMRecommender":
        """Find the items that may explain each one, then their weights."""
        users = self._counted(data.weights).T.tocsr()  # one row per item: who has it
        n_items = len(data.items)
        n_neighbors = min(self.n_neighbors, n_items)
        candidates, _ = SimilarRows(users, "cosine").nearest(users, n_neighbors, me=np.arange(n_items))
        unit = _mean_square(users)
        weights = elastic_net(
            users, candidates, l1=self.l1 * unit, l2=self.l2 * unit, tolerance=TOLERANCE, max_sweeps=MAX_SWEEPS
        )
        item, slot = np.nonzero(weights)
        entries = weights[item, slot], (candidates[item, slot], item)  # row i: what i says for others
        self.rows_, self.n_items_ = frozen(csr_matrix(entries, (n_items, n_items))), n_items
        return self


@dataclass
class RP3betaRecommender(LinearRecommender):
    """Where three random steps lead: from the user to an item, on to another user of it, to another item of theirs.

    With p(a -> b) the chance of a step, proportional to the entry, and d_j the sum of all entries of item j,

        B[i, j] = sum over users v of p(i -> v)^alpha * p(v -> j)^alpha / d_j^beta
        score of j = sum over your items i of p(you -> i)^alpha * B[i, j]

    Only the `n_neighbors` largest B[i, j] of every i are kept, and none leads back to i itself.

    Parameters
    ----------
    alpha : float, above 0
        1 is the plain walk; below 1 likely and unlikely steps become more alike.
    beta : float, 0 or more
        How much popular ends are held back; 0 is not at all, 1 is as much as their popularity.
    n_neighbors : int
        Ends kept per item.
    entries : {"weight", "log", "one"}
        What an interaction counts: its weight, ln(1 + weight), or 1.

    Source: Paudel, Christoffel, Newell and Bernstein (2016), "Updatable, accurate, diverse, and scalable
    recommendations for interactive applications"; alpha is from Cooper, Lee, Radzik and Siantos (2014).
    """

    alpha: float = 0.8
    beta: float = 0.4
    n_neighbors: int = 100
    entries: str = "weight"

    def __post_init__(self):
        _check_number(self, "alpha", above=0)
        _check_number(self, "beta", least=0)
        _check_whole(self, "n_neighbors")
        _check_entries(self)

    def fit(self, data: Dataset) -> "RP3betaRecommender":
        """Walk from every item by way of its users, and keep the likeliest ends."""
        history = self._counted(data.weights)
        items, ends = history.T.tocsr(), self._steps(history).T.tocsr()  # rows are items, columns users
        popularity = np.asarray(items.sum(axis=1, dtype=float)).ravel()
        held_back = np.repeat(popularity, np.diff(ends.indptr)) ** -self.beta
        ends, n_items = SimilarRows(_with_values(ends, ends.data * held_back), "dot"), len(data.items)
        n_neighbors = min(self.n_neighbors, n_items)
        found, chances = ends.nearest(self._steps(items), n_neighbors, me=np.arange(n_items))
        row, slot = np.nonzero(found >= 0)
        entries = chances[row, slot], (row, found[row, slot])
        self.rows_, self.n_items_ = frozen(csr_matrix(entries, (n_items, n_items))), n_items
        return self

    def score(self, batch: UserBatch) -> np.ndarray:
        """Scores (B, I) float32, the sum above; NaN where three steps do not lead."""
        check_fitted(self, batch)
        return self._sum(self._steps(self._counted(batch.history)))

    def _steps(self, matrix):
        """The chances of a step from every row, to the power of alpha."""
        total = np.asarray(matrix.sum(axis=1, dtype=float)).ravel()
        return _with_values(matrix, (matrix.data / np.repeat(total, np.diff(matrix.indptr))) ** self.alpha)


def _with_values(matrix, values):
    """A csr matrix of the same pattern with other values, float32; the pattern is shared."""
    return csr_matrix((np.asarray(values, np.float32), matrix.indices, matrix.indptr), matrix.shape)


def _mean_square(matrix):
    """The mean square of the stored entries; 1 without any."""
    return float(np.mean(matrix.data.astype(float) ** 2)) if matrix.nnz else 1.0


# -------------------------------------------------------------------------------------------------------------- checks
def _check_number(model, name, *, above=None, least=None):
    value = getattr(model, name)
    allowed = f"above {above}" if least is None else f"of at least {least}"
    if isinstance(value, bool) or not np.isfinite(value) or not (value > above if least is None else value >= least):
        raise ValueError(f"{name} must be a finite number {allowed}, got {value!r}")


def _check_whole(model, name):
    value = getattr(model, name)
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")


def _check_entries(model):
    if model.entries not in ENTRIES:
        raise ValueError(f"entries must be one of {list(ENTRIES)}, got {model.entries!r}")
