"""Nearest neighbours on sparse matrices: people like you (user-kNN) and things that go together (item-kNN).

Both rest on `SimilarRows`, which finds the n most similar rows of a matrix for every query row. A compiled kernel adds
up the products of one query with all rows in an accumulator of one number per row and keeps the n best, so that the
full matrix of similarities, U x U or I x I, never exists.

Letters: U users, I items, B requests, Q query rows, R rows they are compared with, C columns of both, n neighbours.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, UserBatch, check_k
from reco_utils.models.fitted import check_fitted
from reco_utils.topk import _everywhere, _finish, _sift_down, _spans, _worse

WEIGHTINGS = ("none", "tfidf", "bm25")
SIMILARITIES = ("cosine", "jaccard", "lift")
BM25_K1, BM25_B = 1.2, 0.75  # how fast repeats saturate, share of the length correction (the authors' usual values)
CHUNK = 64  # query rows per task: small enough to keep all cores busy to the end
DENSE_SHARE = 0.25  # a column filled more than this is added as a whole, without looking up row numbers
DENSE_BYTES = 32 * 2**20  # room for such columns
FEW_SHARE = 0.1  # a query that meets fewer than R / 10 entries looks at the rows it met, not at all rows
DAY = np.timedelta64(1, "D")


# ----------------------------------------------------------------------------------------------------- entry weighting
@dataclass(frozen=True)
class Weighting:
    """What an entry counts in a similarity: learnt from one matrix, then applied to any rows over its columns.

    - "none": the weights as they are.
    - "tfidf": weight * (ln((1 + R) / (1 + df)) + 1), df being the filled rows of the column: rare columns say more.
    - "bm25": weight * (k1 + 1) / (weight + k1 * (1 - b + b * length / mean length)) * ln(1 + (R - df + 0.5) / (df +
      0.5)), length being the sum of the row: repeats saturate, and an entry of a long row counts less.

    Source: scikit-learn's smooth tf-idf; Robertson and Zaragoza (2009), "The probabilistic relevance framework".
    """

    name: str
    rarity: np.ndarray
    mean_length: float

    @classmethod
    def learn(cls, name: str, matrix) -> "Weighting":
        """The weighting called `name`, with column frequencies and mean length of a sparse matrix (R, C)."""
        n, df = matrix.shape[0], matrix.getnnz(axis=0)
        rarity = {
            "none": np.ones(len(df)),
            "tfidf": np.log((1 + n) / (1 + df)) + 1,
            "bm25": np.log1p((n - df + 0.5) / (df + 0.5)),
        }[name]
        return cls(name, rarity, float(matrix.sum(dtype=float)) / max(n, 1))

    def __call__(self, rows: csr_matrix) -> csr_matrix:
        """The rows (Q, C) with new values; the argument is left as it is."""
        if self.name == "none":
            return rows
        values, counts = rows.data.astype(float), np.diff(rows.indptr)
        if self.name == "bm25":
            length = np.asarray(rows.sum(axis=1, dtype=float)).ravel() / max(self.mean_length, 1e-12)
            values *= (BM25_K1 + 1) / (values + np.repeat(BM25_K1 * (1 - BM25_B + BM25_B * length), counts))
        values *= self.rarity[rows.indices]
        return csr_matrix((values.astype(np.float32), rows.indices, rows.indptr), rows.shape)


# ------------------------------------------------------------------------------------------------------- similar rows
class _Columns(NamedTuple):
    """A sparse matrix (R, C) read by column; `dense` (H, R) repeats the fullest, `slot` (C,) says where, or -1."""

    indptr: np.ndarray
    rows: np.ndarray
    values: np.ndarray
    slot: np.ndarray
    dense: np.ndarray


class SimilarRows:
    """The rows of a sparse matrix, ready to be compared with any query rows over the same columns.

    Parameters
    ----------
    rows : sparse (R, C), positive
    similarity : {"cosine", "jaccard", "lift"}
        With a, b two rows, |a| the columns that a fills, |ab| those that both fill:
        cosine = a . b / (norm a * norm b); jaccard = |ab| / (|a| + |b| - |ab|); lift = |ab| * C / (|a| * |b|), how
        much more often the two meet than if they met by chance. The last two do not look at the values.
    min_overlap : int
        Two rows with |ab| below this are not similar at all.
    shrinkage : float, columns
        Multiplies by |ab| / (|ab| + shrinkage): a likeness that rests on few columns is trusted less.

    Source: Deshpande and Karypis (2004) for the neighbourhoods; Bell and Koren (2007), eq. 6, for the shrinkage.
    """

    def __init__(self, rows, similarity: str, *, min_overlap: int = 1, shrinkage: float = 0.0):
        self.similarity, self.min_overlap, self.shrinkage = similarity, min_overlap, shrinkage
        by_column = rows.tocsc()
        self._sizes = self._size(rows.tocsr())
        self._columns = _by_column(by_column if similarity == "cosine" else _ones(by_column))
        counting = similarity == "cosine" and (min_overlap > 1 or shrinkage > 0)
        self._counts = _by_column(_ones(by_column)) if counting else _by_column(by_column[:0])

    def nearest(self, queries: csr_matrix, n: int, *, me: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The n most similar rows of every query row, best first, equal ones by position; never row `me` of its query.

        Parameters
        ----------
        queries : csr (Q, C), positive
        n : int
            May exceed R: lists that are short end in padding.
        me : (Q,) int
            The query's own row, which is left out; -1 where it has none.

        Returns
        -------
        positions (Q, n) int32, -1 pads; similarities (Q, n) float32 > 0, NaN pads
        """
        found, best = np.empty((queries.shape[0], n), np.int32), np.empty((queries.shape[0], n), np.float32)
        size, me = self._size(queries), _array(me, np.int32)
        parts = _frozen(queries if self.similarity == "cosine" else _ones(queries))
        few = int(FEW_SHARE * len(self._sizes))
        rules = (self.similarity == "jaccard", float(self.min_overlap), float(self.shrinkage))

        def task(start, stop):
            _nearest_rows(
                start, stop, *parts, size, me, self._columns, self._counts, self._sizes, few, *rules, best, found
            )

        _everywhere(task, _spans(len(found), -(-len(found) // CHUNK)))
        return found, best

    def _size(self, rows):
        """What a similarity divides by (R,) float64: 1 / norm, the count, or sqrt(C) / count."""
        counts = np.maximum(np.diff(rows.indptr), 1)
        if self.similarity == "jaccard":
            size = counts
        elif self.similarity == "lift":
            size = np.sqrt(rows.shape[1]) / counts
        else:
            squares = csr_matrix((rows.data.astype(float) ** 2, rows.indices, rows.indptr), rows.shape)
            norm = np.sqrt(np.asarray(squares.sum(axis=1)).ravel())
            size = np.divide(1, norm, out=np.zeros_like(norm), where=norm > 0)
        return _array(size, np.float64)


def _ones(matrix):
    """The pattern of a sparse matrix, all values 1."""
    ones = np.ones(matrix.nnz, np.float32)
    return type(matrix)((ones, matrix.indices, matrix.indptr), matrix.shape)


def _by_column(matrix) -> _Columns:
    """Column-wise arrays of a csc matrix (R, C), its fullest columns also laid out densely."""
    counts, n_rows = np.diff(matrix.indptr), max(matrix.shape[0], 1)
    fullest = np.argsort(-counts, kind="stable")[: DENSE_BYTES // (4 * n_rows)]
    fullest = np.sort(fullest[counts[fullest] > DENSE_SHARE * n_rows])
    slot = np.full(matrix.shape[1], -1)
    slot[fullest] = np.arange(len(fullest))
    dense = matrix[:, fullest].T.toarray() if len(fullest) else np.zeros((0, n_rows))
    return _Columns(*_frozen(matrix), _array(slot, np.int32), _array(dense, np.float32))


def _frozen(matrix):
    """indptr, indices and values of a sparse matrix as the kernels want them (unsigned: no test for negatives)."""
    indices = np.asarray(matrix.indices, np.int32).view(np.uint32)
    return _array(matrix.indptr, np.int64), _array(indices, np.uint32), _array(matrix.data, np.float32)


def _array(values, dtype):
    """A read-only contiguous view or copy: kernels are compiled for one kind of array, whatever the caller has."""
    view = np.ascontiguousarray(values, dtype).view()
    view.flags.writeable = False
    return view


# ------------------------------------------------------------------------------------------------------------- kernels
@njit(nogil=True, cache=True)
def _add_dense(slots, values, dense, total):
    """total += sum of value * dense[slot], in this order, four at a time so that `total` is read less often."""
    n = slots.size
    for p in range(0, n - 3, 4):
        a, b, c, d = dense[slots[p]], dense[slots[p + 1]], dense[slots[p + 2]], dense[slots[p + 3]]
        at_a, at_b, at_c, at_d = values[p], values[p + 1], values[p + 2], values[p + 3]
        for r in range(total.size):
            total[r] = (((total[r] + at_a * a[r]) + at_b * b[r]) + at_c * c[r]) + at_d * d[r]
    for p in range(n - n % 4, n):
        column, value = dense[slots[p]], values[p]
        for r in range(total.size):
            total[r] += value * column[r]


@njit(nogil=True, cache=True)
def _add_sparse(rows, column, value, total):
    """total[rows] += value * column, four at a time."""
    whole = rows.size - rows.size % 4
    for q in range(0, whole, 4):
        total[rows[q]] += value * column[q]
        total[rows[q + 1]] += value * column[q + 1]
        total[rows[q + 2]] += value * column[q + 2]
        total[rows[q + 3]] += value * column[q + 3]
    for q in range(whole, rows.size):
        total[rows[q]] += value * column[q]


@njit(nogil=True, cache=True)
def _add_products(items, values, columns, total):
    """total[r] += sum of value * column[r] over the items, dense columns first; returns how many entries it met."""
    slots, dense_values = np.empty(items.size, np.int32), np.empty(items.size, np.float32)
    n_dense = work = 0
    for p in range(items.size):
        if columns.slot[items[p]] >= 0:
            slots[n_dense], dense_values[n_dense] = columns.slot[items[p]], values[p]
            n_dense += 1
    _add_dense(slots[:n_dense], dense_values[:n_dense], columns.dense, total)
    for p in range(items.size):
        first, last, value = columns.indptr[items[p]], columns.indptr[items[p] + 1], values[p]
        work += last - first
        if columns.slot[items[p]] < 0:
            _add_sparse(columns.rows[first:last], columns.values[first:last], value, total)
    return work


@njit(nogil=True, cache=True, inline="always")
def _similarity(dot, overlap, size, other, of_union, min_overlap, shrinkage):
    """How similar two rows are, or -inf when they have nothing, or too little, in common."""
    similar = dot / (size + other - dot) if of_union else dot * (size * other)
    similar *= overlap / max(overlap + shrinkage, 1.0)
    return np.float32(similar) if dot > 0 and overlap >= min_overlap else np.float32(-np.inf)


@njit(nogil=True, cache=True)
def _compare_all(total, overlap, size, sizes, of_union, min_overlap, shrinkage, similar):
    """Similarities with all rows; the sums are set back to 0. Without counts of their own, the sums are the counts."""
    if overlap.size:
        for r in range(total.size):
            similar[r] = _similarity(total[r], overlap[r], size, sizes[r], of_union, min_overlap, shrinkage)
        overlap[:] = 0
    elif min_overlap > 1 or shrinkage > 0:
        for r in range(total.size):
            similar[r] = _similarity(total[r], total[r], size, sizes[r], of_union, min_overlap, shrinkage)
    else:
        for r in range(total.size):
            similar[r] = _similarity(total[r], 1.0, size, sizes[r], of_union, 1.0, 0.0)
    total[:] = 0


@njit(nogil=True, cache=True)
def _offer(score, item, best, items, size):
    """Put an entry into a heap of at most K entries if it is among the best; returns the heap's new size."""
    if size < best.size:
        best[size], items[size] = score, item
        if size + 1 == best.size:
            for at in range(best.size // 2 - 1, -1, -1):
                _sift_down(best, items, best.size, at)
        return size + 1
    if _worse(best[0], items[0], score, item):
        best[0], items[0] = score, item
        _sift_down(best, items, best.size, 0)
    return size


@njit(nogil=True, cache=True)
def _keep_best(similar, groups, best, found):
    """The best entries of a row as a heap; returns its size.

    Rows r, r + G, r + 2G, ... are a group. The n-th best of the G group maxima is a floor that n entries reach, so
    most groups need no second look.
    """
    groups[:] = similar[: groups.size]
    for start in range(groups.size, similar.size, groups.size):
        for g in range(min(groups.size, similar.size - start)):
            groups[g] = max(groups[g], similar[start + g])
    filled, floor = 0, np.float32(-np.inf)
    for g in range(groups.size):
        if groups[g] > floor:
            filled = _offer(groups[g], g, best, found, filled)
            floor = best[0] if filled == best.size else floor
    filled = 0
    for g in range(groups.size):
        if groups[g] >= floor and groups[g] > 0:
            for r in range(g, similar.size, groups.size):
                if similar[r] >= floor and similar[r] > 0:
                    filled = _offer(similar[r], r, best, found, filled)
    return filled


@njit(nogil=True, cache=True)
def _compare_met(query, columns, total, overlap, size, sizes, of_union, min_overlap, shrinkage, me, best, found):
    """The same for the few rows that were met: each is offered once, for its sum is set back to 0 at once."""
    filled = 0
    for item in query:
        for q in range(columns.indptr[item], columns.indptr[item + 1]):
            r = columns.rows[q]
            dot = total[r]
            if dot == 0:
                continue
            shared = dot
            if overlap.size:
                shared, overlap[r] = overlap[r], 0
            elif min_overlap <= 1 and shrinkage == 0:
                shared = np.float32(1)
            total[r] = 0
            similar = _similarity(dot, shared, size, sizes[r], of_union, min_overlap, shrinkage)
            if r != me and similar > 0:
                filled = _offer(similar, r, best, found, filled)
    return filled


@njit(nogil=True, cache=True)
def _nearest_rows(
    start,
    stop,
    indptr,
    indices,
    values,
    size,
    me,
    columns,
    counts,
    sizes,
    few,
    of_union,
    min_overlap,
    shrinkage,
    best,
    found,
):
    """Write the nearest rows of the queries start to stop, and their similarities, into `found` and `best`."""
    total, similar = np.zeros(sizes.size, np.float32), np.empty(sizes.size, np.float32)
    groups = np.empty(min(int(np.sqrt(sizes.size * best.shape[1])) + 1, sizes.size), np.float32)
    overlap = np.zeros(sizes.size if counts.rows.size else 0, np.float32)
    for row in range(start, stop):
        inside = slice(indptr[row], indptr[row + 1])
        query = indices[inside]
        work = _add_products(query, values[inside], columns, total)
        if overlap.size:
            _add_products(query, np.ones(query.size, np.float32), counts, overlap)
        rules = (size[row], sizes, of_union, min_overlap, shrinkage)
        if work < few:
            filled = _compare_met(query, columns, total, overlap, *rules, me[row], best[row], found[row])
        else:
            _compare_all(total, overlap, *rules, similar)
            if me[row] >= 0:
                similar[me[row]] = -np.inf
            filled = _keep_best(similar, groups, best[row], found[row])
        _finish(best[row], found[row], filled)


@njit(nogil=True, cache=True)
def _sum_rows(start, stop, indptr, indices, values, row_indptr, row_items, row_values, scores):
    """scores[b] = sum of value * row over the rows that b names (-1 names none); NaN where none has an entry."""
    for b in range(start, stop):
        line = scores[b]
        line[:] = 0
        for p in range(indptr[b], indptr[b + 1]):
            if indices[p] >= 0:
                entries = slice(row_indptr[indices[p]], row_indptr[indices[p] + 1])
                _add_sparse(row_items[entries], row_values[entries], values[p], line)
        for j in range(line.size):
            if line[j] == 0:
                line[j] = np.nan


def _weighted_sum(indptr, positions, values, rows, n_items):
    """Sparse queries (B, R) times sparse rows (R, I), as their three arrays: (B, I) float32, NaN for no entry."""
    queries = _array(indptr, np.int64), _array(positions, np.int32), _array(values, np.float32)
    scores = np.empty((len(indptr) - 1, n_items), np.float32)
    _everywhere(
        lambda start, stop: _sum_rows(start, stop, *queries, *rows, scores),
        _spans(len(scores), -(-len(scores) // CHUNK)),
    )
    return scores


# -------------------------------------------------------------------------------------------------------------- models
def _check_options(model, similarities):
    """Refuse hyperparameters that mean nothing."""
    for name in ("n_neighbors", "min_overlap"):
        value = getattr(model, name)
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    for name, allowed in (("similarity", similarities), ("weighting", WEIGHTINGS)):
        if getattr(model, name) not in allowed:
            raise ValueError(f"{name} must be one of {list(allowed)}, got {getattr(model, name)!r}")
    if model.weighting != "none" and model.similarity != "cosine":
        raise ValueError(f"{model.similarity} does not look at weights: use weighting='none', got {model.weighting!r}")
    if not model.shrinkage >= 0:
        raise ValueError(f"shrinkage must be 0 or more, got {model.shrinkage}")


@dataclass
class UserKNNRecommender:
    """What the most similar users took: score = sum over neighbours of similarity * the neighbour's weight.

    The sum is not divided by the similarities: that form predicts ratings, and in a ranking it lets one distant
    neighbour's favourite beat what ten close ones share. Nobody is their own neighbour. The history of the request is
    compared, so strangers with a live session have neighbours too; without any history there is no opinion.

    Parameters
    ----------
    n_neighbors : int
        More neighbours reach more items and smooth out taste; 20 to 200 is usual.
    similarity : {"cosine", "jaccard"}
        Jaccard looks only at which items are shared, not at the weights.
    weighting : {"none", "tfidf", "bm25"}
        What an entry counts in the cosine, see `Weighting`: the last two make shared rare items say more.
    min_overlap : int, items
        Users who share fewer items are not similar at all.
    shrinkage : float, items
        Multiplies by shared / (shared + shrinkage): 0 trusts one shared item as much as fifty.

    Source: Herlocker et al. (1999) for the neighbourhood; Cremonesi, Koren and Turrin (2010), eq. 7, for the sum.
    """

    n_neighbors: int = 50
    similarity: str = "cosine"
    weighting: str = "none"
    min_overlap: int = 1
    shrinkage: float = 0.0

    def __post_init__(self):
        _check_options(self, ("cosine", "jaccard"))

    def fit(self, data: Dataset) -> "UserKNNRecommender":
        """Turn the matrix so that it can be read by item; similarities wait until somebody asks."""
        self.weighting_ = Weighting.learn(self.weighting, data.weights)
        options = {"min_overlap": self.min_overlap, "shrinkage": self.shrinkage}
        self.similar_ = SimilarRows(self.weighting_(data.weights), self.similarity, **options)
        self.weights_ = _frozen(data.weights)
        self.n_items_ = len(data.items)
        return self

    def neighbors(self, batch: UserBatch) -> tuple[np.ndarray, np.ndarray]:
        """The most similar users of every request, best first.

        Returns
        -------
        positions (B, n) int32, -1 pads; similarities (B, n) float32 > 0, NaN pads
        """
        check_fitted(self, batch)
        return self.similar_.nearest(self.weighting_(batch.history), self.n_neighbors, me=batch.at)

    def score(self, batch: UserBatch) -> np.ndarray:
        """Scores (B, I) float32; NaN for items that no neighbour has."""
        found, similarities = self.neighbors(batch)
        ends = np.arange(len(found) + 1) * self.n_neighbors
        return _weighted_sum(ends, found.ravel(), similarities.ravel(), self.weights_, self.n_items_)


@dataclass
class ItemKNNRecommender:
    """What goes with what you have: score of j = sum over your items i of weight of i * similarity(j, i).

    Only the `n_neighbors` items most similar to j take part. Also answers "frequently bought together" for one item,
    see `similar_items`.

    Parameters
    ----------
    n_neighbors : int
        Similar items kept per item.
    similarity : {"cosine", "jaccard", "lift"}
        Cosine favours popular companions a little, lift (P(ij) / (P(i) P(j))) strongly favours rare ones: give lift a
        `min_overlap` of 5 or more.
    weighting : {"none", "tfidf", "bm25"}
        What an entry counts in the cosine, see `Weighting`; here a user with a long history says less.
    min_overlap : int, users
        Items that fewer users have in common are not similar at all.
    shrinkage : float, users
        Multiplies by common / (common + shrinkage).
    half_life_days : float, days, optional
        At scoring, an item of the history loses half its weight per half-life of age, so that recent ones lead.

    Source: Deshpande and Karypis (2004); the lift of Brin et al. (1997), there called interest.
    """

    n_neighbors: int = 50
    similarity: str = "cosine"
    weighting: str = "none"
    min_overlap: int = 1
    shrinkage: float = 0.0
    half_life_days: float | None = None

    def __post_init__(self):
        _check_options(self, SIMILARITIES)
        if self.half_life_days is not None and not self.half_life_days > 0:
            raise ValueError(f"half_life_days must be above 0, or None for no decay, got {self.half_life_days}")

    def fit(self, data: Dataset) -> "ItemKNNRecommender":
        """Find the most similar items of every item."""
        users = data.weights.T.tocsr()  # one row per item: who has it
        self.users_ = Weighting.learn(self.weighting, users)(users)
        options = {"min_overlap": self.min_overlap, "shrinkage": self.shrinkage}
        self.similar_ = SimilarRows(self.users_, self.similarity, **options)
        self.n_items_, self.asof_ = len(data.items), data.asof.to_datetime64()
        found, similarities = self.similar_.nearest(self.users_, self.n_neighbors, me=np.arange(self.n_items_))
        row, _ = np.nonzero(found >= 0)
        entries = (similarities[found >= 0], (found[found >= 0], row))  # row i: whose neighbour i is
        self.neighbors_ = _frozen(csr_matrix(entries, (self.n_items_, self.n_items_)))
        return self

    def score(self, batch: UserBatch) -> np.ndarray:
        """Scores (B, I) float32; NaN for items with no neighbour in the history."""
        check_fitted(self, batch)
        history, values = batch.history, batch.history.data
        if self.half_life_days is not None:
            age_days = np.maximum((self.asof_ - batch.last) / DAY, 0)
            values = values * 0.5 ** (age_days / self.half_life_days)
        return _weighted_sum(history.indptr, history.indices, values, self.neighbors_, self.n_items_)

    def similar_items(self, items, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k items most similar to each of `items` ("frequently bought together"), never the item itself.

        Parameters
        ----------
        items : (n,) positions; `data.positions(ids)` gives them
        k : int
            May exceed `n_neighbors` and the catalogue.

        Returns
        -------
        positions (n, k) int32, -1 pads; similarities (n, k) float32 > 0, NaN pads

        Raises
        ------
        IndexError  when a position is outside the catalogue
        """
        check_fitted(self)
        items = np.atleast_1d(np.asarray(items))
        outside = items[(items < 0) | (items >= self.n_items_)]
        if len(outside):
            raise IndexError(f"item positions must be 0 to {self.n_items_ - 1}, got {outside[:3].tolist()}")
        return self.similar_.nearest(self.users_[items], check_k(k), me=items)
