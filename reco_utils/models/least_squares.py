"""Small least-squares problems, one per row of a sparse matrix: the compiled heart of the factor models.

A row with entries i, their pulls a_i and targets b_i, and the vectors y_i of its columns ask for the x that makes

    x'(G + ridge * 1) x + sum_i (a_i (x'y_i)^2 - 2 b_i x'y_i)

smallest: all columns pull x towards 0 through G, the row's own ones pull x'y_i towards b_i / a_i. `solve` finds this x
exactly; `improve` walks from where x is, which is enough when x has to be found again and again.

Every row is a problem of its own, solved by one thread in a fixed order: neither the number of threads nor the other
rows change a bit of it. Sums of products may be added up in another order on another processor, which moves the last of
16 digits.

Letters: R rows, C columns, D width of the vectors, nnz entries, n entries of one row.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from reco_utils.models.similar import read_only
from reco_utils.topk import everywhere, spans

FAST = {"reassoc", "contract", "nsz"}  # lets the compiler add up several partial sums; NaN stays NaN
CHUNK = 32  # vectors used together: they stay in the first-level cache
N_SPANS = 64  # parts of about equal work for the threads to take in turn
N_BLOCKS = 16  # parts of a dense product; a fixed number, so that sums are the same for any number of threads


class System(NamedTuple):
    """The linear systems of some rows: gram (D, D), pull `a` and target `b` (nnz,), ridge (R,); all float64."""

    gram: np.ndarray
    pull: np.ndarray
    target: np.ndarray
    ridge: np.ndarray


def solve(system: System, matrix: csr_matrix, vectors: np.ndarray) -> np.ndarray:
    """The x of every row, exactly: (R, D) float64, NaN for a row without a column that has a vector.

    If G is diagonal, a row with n < D entries takes n^2 D / 2 + n^3 / 6 steps instead of n D^2 / 2 + D^3 / 6.

    Parameters
    ----------
    system : System
        G and the ridges must be such that G + ridge is positive definite.
    matrix : csr (R, C)
        Only its pattern is read.
    vectors : (C, D) float64
        A row of NaN is left out of every problem.

    Source: Cholesky; for short rows by the identity of Woodbury (1950).
    """
    gram = read_only(system.gram, np.float64)
    short = not (gram - np.diag(np.diag(gram))).any()
    parts = _entries(matrix, system.pull, system.target, np.float64)
    ridge, vectors = read_only(system.ridge, np.float64), read_only(vectors, np.float64)
    found = np.empty((matrix.shape[0], vectors.shape[1]))
    everywhere(
        lambda start, stop: _solve_rows(start, stop, *parts, ridge, gram, short, vectors, found),
        even_spans(parts[0], vectors.shape[1]),
    )
    return found


class Rows(NamedTuple):
    """The problems of the rows of a matrix as `improve` takes them: see `make_rows`."""

    indptr: np.ndarray
    indices: np.ndarray
    pull: np.ndarray
    target: np.ndarray
    ridge: np.ndarray


def make_rows(matrix: csr_matrix, pull, target, ridge) -> Rows:
    """Problems from a csr matrix (R, C), pulls and targets (nnz,) of its entries and a ridge (R,) > 0."""
    return Rows(*_entries(matrix, pull, target, np.float32), read_only(ridge, np.float64))


def improve(rows: Rows, share: float, x: np.ndarray, vectors: np.ndarray, n_steps: int) -> float:
    """Move every x (R, D) some steps nearer to its best, in place, G being `share` times the gram of `vectors` (C, D).

    Both are first turned to the principal axes of `vectors`, where G is diagonal: products x'y stay what they are,
    a step costs no product with G, and G + ridge makes a preconditioner with which two or three steps suffice.

    Returns
    -------
    The sum over rows of x'(G + ridge) x + sum_i (a_i (x'y_i)^2 - 2 b_i x'y_i + b_i) after the steps. A step of length
    t lowers it by t times the square of the gradient in the metric of the preconditioner, so it costs nothing.

    Source: Takács, Pilászy and Tikk (2011) for the steps; the axes are ours.
    """
    spread = turn_to_axes(vectors, x)
    losses = np.empty(len(x))
    gram, n_steps = read_only(share * spread, np.float64), int(n_steps)
    everywhere(
        lambda start, stop: _improve_rows(start, stop, *rows, gram, vectors, x, n_steps, losses),
        even_spans(rows.indptr, vectors.shape[1]),
    )
    return losses.sum()


def turn_to_axes(vectors: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """Rotate vectors (C, D) so that their gram is diagonal, and others with them, in place; returns its diagonal (D,)."""
    spread, axes = np.linalg.eigh(gram_of(vectors))
    for rows in (vectors, *others):

        def turn(start, stop, rows=rows):
            rows[start:stop] = rows[start:stop] @ axes

        everywhere(turn, spans(len(rows), N_BLOCKS))
    return np.maximum(spread, 0)


def gram_of(vectors: np.ndarray) -> np.ndarray:
    """Y'Y (D, D) of vectors Y (C, D)."""
    parts = {}

    def add(start, stop):
        parts[start] = vectors[start:stop].T @ vectors[start:stop]

    everywhere(add, spans(len(vectors), N_BLOCKS))
    return sum(parts[start] for start in sorted(parts))


def even_spans(indptr: np.ndarray, width: int) -> list[tuple[int, int]]:
    """Rows cut into spans of about equal work: entries, and for each row an eighth of the width."""
    work = indptr + np.arange(len(indptr)) * (width / 8)
    edges = np.searchsorted(work, np.linspace(0, work[-1], N_SPANS + 1)[1:-1])
    edges = np.unique([0, *edges, len(indptr) - 1])
    return list(zip(edges[:-1], edges[1:])) or [(0, 0)]


def _entries(matrix, pull, target, dtype):
    indices = np.asarray(matrix.indices, np.int32).view(np.uint32)  # unsigned: no test for negatives
    return (
        read_only(matrix.indptr, np.int64),
        read_only(indices, np.uint32),
        read_only(pull, dtype),
        read_only(target, dtype),
    )


# ------------------------------------------------------------------------------------------------------------- kernels
@njit(nogil=True, cache=True, fastmath=FAST)
def _inner(a, b):
    total = 0.0
    for d in range(a.size):
        total += a[d] * b[d]
    return total


@njit(nogil=True, cache=True, fastmath=FAST)
def _dots(vectors, at, x, out):
    """out[k] = vectors[at[k]] . x, four at a time so that x is read less often."""
    whole = at.size - at.size % 4
    for k in range(0, whole, 4):
        a, b, c, d = vectors[at[k]], vectors[at[k + 1]], vectors[at[k + 2]], vectors[at[k + 3]]
        to_a = to_b = to_c = to_d = 0.0
        for j in range(x.size):
            to_a += a[j] * x[j]
            to_b += b[j] * x[j]
            to_c += c[j] * x[j]
            to_d += d[j] * x[j]
        out[k], out[k + 1], out[k + 2], out[k + 3] = to_a, to_b, to_c, to_d
    for k in range(whole, at.size):
        out[k] = _inner(vectors[at[k]], x)


@njit(nogil=True, cache=True, fastmath=FAST)
def _add(vectors, at, first, by, out):
    """out += sum over k of by[k] * vectors[at[k], first:], four at a time so that `out` is read less often."""
    whole = at.size - at.size % 4
    for k in range(0, whole, 4):
        a, b, c, d = vectors[at[k]], vectors[at[k + 1]], vectors[at[k + 2]], vectors[at[k + 3]]
        a, b, c, d = a[first:], b[first:], c[first:], d[first:]
        by_a, by_b, by_c, by_d = by[k], by[k + 1], by[k + 2], by[k + 3]
        for j in range(out.size):
            out[j] += by_a * a[j] + by_b * b[j] + by_c * c[j] + by_d * d[j]
    for k in range(whole, at.size):
        a, by_a = vectors[at[k]][first:], by[k]
        for j in range(out.size):
            out[j] += by_a * a[j]


@njit(nogil=True, cache=True, fastmath=FAST)
def _cholesky(matrix, n, order, by):
    """Replace the upper triangle of the first n rows and columns by R with R'R = matrix."""
    for i in range(n):
        for k in range(i):
            by[k] = -matrix[k, i]
        _add(matrix, order[:i], i, by, matrix[i, i:n])
        scale = 1 / np.sqrt(matrix[i, i])
        for j in range(i, n):
            matrix[i, j] *= scale


@njit(nogil=True, cache=True, fastmath=FAST)
def _substitute(matrix, n, x):
    """Replace x (n,) by the solution of R'R z = x."""
    for i in range(n):
        row = matrix[i]
        x[i] /= row[i]
        for j in range(i + 1, n):
            x[j] -= x[i] * row[j]
    for i in range(n - 1, -1, -1):
        x[i] = (x[i] - _inner(matrix[i, i + 1 : n], x[i + 1 : n])) / matrix[i, i]


@njit(nogil=True, cache=True, fastmath=FAST)
def _solve_long(at, pull, target, ridge, gram, vectors, order, matrix, by, x):
    """x = (G + ridge + sum of a y y')^-1 sum of b y, by a D x D matrix."""
    matrix[:] = gram
    for d in range(x.size):
        matrix[d, d] += ridge
    for start in range(0, at.size, CHUNK):
        part = slice(start, min(start + CHUNK, at.size))
        items, pulls = at[part], pull[part]
        for d in range(x.size):
            for k in range(items.size):
                by[k] = pulls[k] * vectors[items[k], d]
            _add(vectors, items, d, by, matrix[d, d:])
    x[:] = 0
    _add(vectors, at, 0, target, x)
    _cholesky(matrix, x.size, order, by)
    _substitute(matrix, x.size, x)


@njit(nogil=True, cache=True, fastmath=FAST)
def _solve_short(at, pull, target, ridge, gram, vectors, order, matrix, rows, by, x):
    """The same x by an n x n matrix: x = V'(1 + V V')^-1 (b / sqrt(a)) / sqrt(G + ridge), V = sqrt(a) y / sqrt(..)."""
    n = at.size
    for k in range(n):
        root, y = np.sqrt(pull[k]), vectors[at[k]]
        by[k] = target[k] / root
        for d in range(x.size):
            rows[k, d] = root * y[d] / np.sqrt(gram[d, d] + ridge)
    for k in range(n):
        _dots(rows, order[k:n], rows[k], matrix[k, k:n])
        matrix[k, k] += 1
    answer = by[:n].copy()
    _cholesky(matrix, n, order, by)
    _substitute(matrix, n, answer)
    x[:] = 0
    _add(rows, order[:n], 0, answer, x)
    for d in range(x.size):
        x[d] /= np.sqrt(gram[d, d] + ridge)


@njit(nogil=True, cache=True, fastmath=FAST)
def _solve_rows(start, stop, indptr, indices, pull, target, ridge, gram, short, vectors, found):
    width = vectors.shape[1]
    longest = 0
    for row in range(start, stop):
        longest = max(longest, indptr[row + 1] - indptr[row])
    at, a, b = np.empty(longest, np.uint32), np.empty(longest), np.empty(longest)
    order, by = np.arange(width), np.empty(max(width, CHUNK))
    matrix, rows = np.empty((width, width)), np.empty((width, width))
    for row in range(start, stop):
        n = 0
        for p in range(indptr[row], indptr[row + 1]):
            at[n], a[n], b[n] = indices[p], pull[p], target[p]
            n += not np.isnan(vectors[indices[p], 0])
        x = found[row]
        if n == 0:
            x[:] = np.nan
        elif short and n < width:
            _solve_short(at[:n], a[:n], b[:n], ridge[row], gram, vectors, order, matrix, rows, by, x)
        else:
            _solve_long(at[:n], a[:n], b[:n], ridge[row], gram, vectors, order, matrix, by, x)


@njit(nogil=True, cache=True, fastmath=FAST)
def _improve_rows(start, stop, indptr, indices, pull, target, ridge, gram, vectors, found, n_steps, losses):
    width = found.shape[1]
    diagonal, rest, step, change = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    dots = np.empty(CHUNK)
    for row in range(start, stop):
        x, begin, end = found[row], indptr[row], indptr[row + 1]
        loss = 0.0
        for d in range(width):
            diagonal[d] = gram[d] + ridge[row]
            rest[d] = -diagonal[d] * x[d]
            loss -= rest[d] * x[d]
        for p in range(begin, end, CHUNK):
            part = slice(p, min(p + CHUNK, end))
            at, a, b = indices[part], pull[part], target[part]
            _dots(vectors, at, x, dots)
            for k in range(at.size):
                loss += b[k] + (a[k] * dots[k] - 2 * b[k]) * dots[k]
                dots[k] = b[k] - a[k] * dots[k]
            _add(vectors, at, 0, dots, rest)
        size = 0.0
        for d in range(width):
            step[d] = rest[d] / diagonal[d]
            size += rest[d] * step[d]
        for more in range(n_steps - 1, -1, -1):
            curve = 0.0
            for d in range(width):
                change[d] = diagonal[d] * step[d]
                curve += change[d] * step[d]
            for p in range(begin, end, CHUNK):
                part = slice(p, min(p + CHUNK, end))
                at, a = indices[part], pull[part]
                _dots(vectors, at, step, dots)
                for k in range(at.size):
                    curve += a[k] * dots[k] * dots[k]
                    dots[k] *= a[k]
                if more:
                    _add(vectors, at, 0, dots, change)
            if not curve > 0:
                break
            length = size / curve
            loss -= length * size
            before, size = size, 0.0
            for d in range(width):
                x[d] += length * step[d]
                rest[d] -= length * change[d]
                size += rest[d] * rest[d] / diagonal[d]
            for d in range(width):
                step[d] = rest[d] / diagonal[d] + size / before * step[d]
        losses[row] = loss
