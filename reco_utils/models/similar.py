"""The n most similar rows of a sparse matrix: what user-kNN and item-kNN are both made of.

A compiled kernel adds up the products of one query row with all rows in an accumulator of one number per row and keeps
the n best, so that the full matrix of similarities, R x R, never exists.

Letters: Q query rows, R rows they are compared with, C columns of both, n neighbours.
"""

import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from reco_utils.topk import everywhere, finish, sift_down, spans, worse

WEIGHTINGS = ("none", "tfidf", "bm25")
SIMILARITIES = ("cosine", "jaccard", "lift")  # what a person may ask item-kNN for
OF_VALUES = ("cosine", "dot")  # the similarities that look at the values, not only at which columns are filled
BM25_K1, BM25_B = 1.2, 0.75  # how fast repeats saturate, share of the length correction (the authors' usual values)
CHUNK = 64  # query rows per task: small enough to keep all cores busy to the end
DENSE_SHARE = 0.25  # a column filled more than this is added as a whole, without looking up row numbers
DENSE_BYTES = 32 * 2**20  # room for such columns
FEW_SHARE = 0.2  # a query that meets fewer than R / 5 entries looks at the rows it met, not at all rows
N_BINS = 256  # of the histogram that tells how high the n-th best similarity is at least


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
        return cls(name, rarity, float(matrix.data.sum(dtype=float)) / max(n, 1))  # matrix.sum() would sort it

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
    similarity : {"cosine", "jaccard", "lift", "dot"}
        With a, b two rows, |a| the columns that a fills, |ab| those that both fill:
        cosine = a . b / (norm a * norm b); jaccard = |ab| / (|a| + |b| - |ab|); lift = |ab| * C / (|a| * |b|), how
        much more often the two meet than if they met by chance; dot = a . b, for values that are normalised already.
        Jaccard and lift do not look at the values.
    min_overlap : int
        Two rows with |ab| below this are not similar at all.
    shrinkage : float, columns
        Multiplies by |ab| / (|ab| + shrinkage): a likeness that rests on few columns is trusted less.

    Source: Deshpande and Karypis (2004) for the neighbourhoods; Bell and Koren (2007) for the shrinkage.
    """

    def __init__(self, rows, similarity: str, *, min_overlap: int = 1, shrinkage: float = 0.0):
        self.similarity, self.min_overlap, self.shrinkage = similarity, min_overlap, shrinkage
        by_column = rows.tocsc()
        self._sizes = self._size(rows.tocsr())
        self._columns = _by_column(by_column if similarity in OF_VALUES else _ones(by_column))
        counting = similarity in OF_VALUES and (min_overlap > 1 or shrinkage > 0)
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
        size, me = self._size(queries), read_only(me, np.int32)
        parts = frozen(queries if self.similarity in OF_VALUES else _ones(queries))
        few = int(FEW_SHARE * len(self._sizes))
        rules = (self.similarity == "jaccard", float(self.min_overlap), float(self.shrinkage))

        columns, counts = _again(self._columns), _again(self._counts)
        sizes = read_only(self._sizes, np.float64)

        def task(start, stop):
            _nearest_rows(start, stop, *parts, size, me, columns, counts, sizes, few, *rules, best, found)

        everywhere(task, spans(len(found), -(-len(found) // CHUNK)))
        return found, best

    def without(self, rows) -> "SimilarRows":
        """The same with these rows emptied, so that they are similar to nothing; all others stay as they are."""
        less = copy.copy(self)
        less._columns, less._counts = _without(self._columns, rows), _without(self._counts, rows)
        less._sizes = self._sizes.copy()
        less._sizes[rows] = self._size(csr_matrix((1, len(self._columns.slot)), dtype=np.float32))[0]
        return less

    def _size(self, rows):
        """What a similarity divides by (R,) float64: 1 / norm, the count, sqrt(C) / count, or 1."""
        counts = np.maximum(np.diff(rows.indptr), 1)
        if self.similarity == "jaccard":
            size = counts
        elif self.similarity == "lift":
            size = np.sqrt(rows.shape[1]) / counts
        elif self.similarity == "dot":
            size = np.ones(len(counts))
        else:
            squares = csr_matrix((rows.data.astype(float) ** 2, rows.indices, rows.indptr), rows.shape)
            norm = np.sqrt(np.asarray(squares.sum(axis=1)).ravel())
            size = np.divide(1, norm, out=np.zeros_like(norm), where=norm > 0)
        return read_only(size, np.float64)


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
    return _Columns(*frozen(matrix), read_only(slot, np.int32), read_only(dense, np.float32))


def _without(columns, rows):
    """The columns without the entries of some rows."""
    if not len(columns.rows):
        return columns
    gone = np.zeros(columns.dense.shape[1], bool)
    gone[rows] = True
    kept = ~gone[columns.rows]
    indptr = np.concatenate([[0], np.cumsum(kept)])[columns.indptr]
    dense = np.where(gone, np.float32(0), columns.dense)
    indptr, dense = read_only(indptr, np.int64), read_only(dense, np.float32)
    return _Columns(indptr, columns.rows[kept], columns.values[kept], columns.slot, dense)


def frozen(matrix):
    """indptr, indices (unsigned: no test for negatives) and values of a sparse matrix as the kernels want them."""
    indices = np.asarray(matrix.indices, np.int32).view(np.uint32)
    return read_only(matrix.indptr, np.int64), read_only(indices, np.uint32), read_only(matrix.data, np.float32)


def _again(columns):
    """The same arrays, read-only again: a model that was pickled comes back with writable ones."""
    return _Columns(*(read_only(part, part.dtype) for part in columns))


def read_only(values, dtype):
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


@njit(nogil=True, cache=True, inline="always")
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


@njit(nogil=True, cache=True)
def _pick_met(query, columns, me, total, overlap, sizes, met, dots, shared, others):
    """Sums, counts and sizes of the rows that were met, one after the other; the sums are set back to 0 on the way."""
    n = 0
    for item in query:
        for r in columns.rows[columns.indptr[item] : columns.indptr[item + 1]]:
            met[n], dots[n] = r, total[r]
            n += total[r] > 0 and r != me
            total[r] = 0
    for i in range(n):
        others[i] = sizes[met[i]]
    if overlap.size:
        for i in range(n):
            shared[i] = overlap[met[i]]
        for item in query:
            for r in columns.rows[columns.indptr[item] : columns.indptr[item + 1]]:
                overlap[r] = 0
    return n


@njit(nogil=True, cache=True, inline="always")
def _similarity(dot, overlap, size, other, of_union, min_overlap, shrinkage):
    """How similar two rows are, or -inf when they have nothing, or too little, in common."""
    similar = dot / (size + other - dot) if of_union else dot * (size * other)
    if shrinkage > 0:
        similar *= overlap / (overlap + shrinkage)
    return np.float32(similar) if dot > 0 and overlap >= min_overlap else np.float32(-np.inf)


@njit(nogil=True, cache=True)
def _compare(dots, overlap, size, others, of_union, min_overlap, shrinkage, similar):
    """Similarities from the sums of products, and from the counts of shared columns where they matter."""
    if min_overlap > 1 or shrinkage > 0:
        counts = overlap if overlap.size else dots  # without values the sums are the counts
        for r in range(dots.size):
            similar[r] = _similarity(dots[r], counts[r], size, others[r], of_union, min_overlap, shrinkage)
    else:
        for r in range(dots.size):
            similar[r] = _similarity(dots[r], 1.0, size, others[r], of_union, 1.0, 0.0)


@njit(nogil=True, cache=True)
def _offer(score, item, best, items, size):
    """Put an entry into a heap of at most K entries if it is among the best; returns the heap's new size."""
    if size < best.size:
        best[size], items[size] = score, item
        if size + 1 == best.size:
            for at in range(best.size // 2 - 1, -1, -1):
                sift_down(best, items, best.size, at)
        return size + 1
    if worse(best[0], items[0], score, item):
        best[0], items[0] = score, item
        sift_down(best, items, best.size, 0)
    return size


@njit(nogil=True, cache=True)
def _floor(groups, n):
    """A number that at least n of the groups reach, as high as a histogram of them can tell; 0 if there are too few."""
    top = groups[0]
    for g in range(groups.size):
        top = max(top, groups[g])
    if not top > 0:
        return np.float32(0)
    counts, scale = np.zeros(N_BINS, np.int32), np.float32((N_BINS - 1) / top)
    for g in range(groups.size):
        counts[int(groups[g] * scale) if groups[g] > 0 else 0] += 1
    above, at = 0, N_BINS
    while above < n and at > 0:
        at -= 1
        above += counts[at]
    return np.float32(at / scale * 0.99999)  # a little lower: rounding must not lose an entry


@njit(nogil=True, cache=True)
def _keep_best(similar, met, groups, best, found):
    """The best entries of a row as a heap; returns its size. `met` names the entries, if it is not empty.

    Entries r, r + G, r + 2G, ... are a group. At least n groups, hence n entries, reach the floor, so most groups need
    no second look.
    """
    groups = groups[: min(groups.size, similar.size)]
    groups[:] = similar[: groups.size]
    for start in range(groups.size, similar.size, max(groups.size, 1)):
        for g in range(min(groups.size, similar.size - start)):
            groups[g] = max(groups[g], similar[start + g])
    floor, filled = _floor(groups, best.size) if groups.size else np.float32(0), 0
    for g in range(groups.size):
        if groups[g] >= floor and groups[g] > 0:
            for r in range(g, similar.size, groups.size):
                if similar[r] >= floor and similar[r] > 0:
                    filled = _offer(similar[r], met[r] if met.size else r, best, found, filled)
    return filled


@njit(nogil=True, cache=True)
def _nearest_rows(
    start, stop, indptr, indices, values, size, me, columns, counts, sizes, few, of_union, min_overlap, shrinkage, best,
    found,
):  # fmt: skip
    """Write the nearest rows of the queries start to stop, and their similarities, into `found` and `best`."""
    total, similar = np.zeros(sizes.size, np.float32), np.empty(sizes.size, np.float32)
    overlap = np.zeros(sizes.size if counts.rows.size else 0, np.float32)
    met, others = np.empty(few + 1, np.int32), np.empty(few + 1, np.float64)
    dots, shared = np.empty(few + 1, np.float32), np.empty(few + 1 if counts.rows.size else 0, np.float32)
    groups = np.empty(int(np.sqrt(sizes.size * best.shape[1])) + 1, np.float32)
    for row in range(start, stop):
        inside = slice(indptr[row], indptr[row + 1])
        query = indices[inside]
        work = _add_products(query, values[inside], columns, total)
        if overlap.size:
            _add_products(query, np.ones(query.size, np.float32), counts, overlap)
        rules = (of_union, min_overlap, shrinkage, similar)
        if work < few:
            n = _pick_met(query, columns, me[row], total, overlap, sizes, met, dots, shared, others)
            _compare(dots[:n], shared[:n], size[row], others[:n], *rules)
            filled = _keep_best(similar[:n], met, groups, best[row], found[row])
        else:
            _compare(total, overlap, size[row], sizes, *rules)
            if me[row] >= 0:
                similar[me[row]] = -np.inf
            filled = _keep_best(similar, met[:0], groups, best[row], found[row])
            total[:] = 0
            overlap[:] = 0
        finish(best[row], found[row], filled)


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


def weighted_sum(indptr, positions, values, rows, n_items):
    """Sparse queries (B, R) times sparse rows (R, I), as their three arrays: (B, I) float32, NaN for no entry."""
    queries = read_only(indptr, np.int64), read_only(positions, np.int32), read_only(values, np.float32)
    rows = [read_only(part, part.dtype) for part in rows]
    scores = np.empty((len(indptr) - 1, n_items), np.float32)
    everywhere(
        lambda start, stop: _sum_rows(start, stop, *queries, *rows, scores),
        spans(len(scores), -(-len(scores) // CHUNK)),
    )
    return scores
