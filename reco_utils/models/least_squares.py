"""Small least-squares problems, one per row of a sparse matrix: the compiled heart of the factor models.

A row with entries i, their pulls a_i and targets b_i, and the vectors y_i of its columns ask for the x that makes

    x'(G + ridge * 1) x + sum_i (a_i (x'y_i)^2 - 2 b_i x'y_i)

smallest: all columns pull x towards 0 through G, the row's own ones pull x'y_i towards b_i / a_i. `solve` finds this x;
`improve` takes a step or two towards it, which is enough where x and the vectors are found by turns.

On the principal axes of the vectors G is diagonal. A step of conjugate gradients is then cheap, and G + ridge makes a
preconditioner with which one or two steps do what many do without it, and ten or so find x.

Every row is a problem of its own, solved by one thread in a fixed order: neither the number of threads nor the other
rows change a bit of it. Another processor may add up a sum of products in another order, which moves the last of 16
digits.

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
SPAN, N_SPANS = 2**21, 64  # products of numbers per span of rows for the threads to take in turn; spans at most
BLOCK, N_BLOCKS = 2**26, 16  # the same for dense matrices: a thread is worth its start only for a large product
EASY = 2.0  # below this curvature along a step, that of G + ridge being 1, a row needs no second step
EXACT = 1e-20  # what is left of the squared gradient when a row counts as solved: ten digits


class System(NamedTuple):
    """The linear systems of some rows: gram (D, D), pull `a` and target `b` (nnz,), ridge (R,); all float64."""

    gram: np.ndarray
    pull: np.ndarray
    target: np.ndarray
    ridge: np.ndarray


def solve(system: System, matrix: csr_matrix, vectors: np.ndarray) -> np.ndarray:
    """The best x of every row: (R, D) float64, NaN for a row without a column that has a vector.

    By conjugate gradients where G is diagonal, and by Cholesky where it is not or they would take more than 2 D steps.

    Parameters
    ----------
    system : System
        G + ridge must be positive definite.
    matrix : csr (R, C)
        Only its pattern is read.
    vectors : (C, D) float64
        A row of NaN is left out of every problem.
    """
    rows = _known_entries(system, matrix, vectors)
    gram, vectors = read_only(system.gram, np.float64), read_only(vectors, np.float64)
    x, open_rows = np.zeros((matrix.shape[0], vectors.shape[1])), np.arange(matrix.shape[0])
    diagonal = read_only(np.diag(gram), np.float64)
    if not (gram - np.diag(diagonal)).any():
        losses = _improve(rows, diagonal, x, vectors, n_steps=2 * vectors.shape[1], easy=0.0, tolerance=EXACT)
        open_rows = np.flatnonzero(np.isnan(losses))
    everywhere(
        lambda start, stop: _solve_rows(open_rows[start:stop], *rows, gram, vectors, x),
        blocks(len(open_rows), vectors.shape[1] ** 3),
    )
    x[np.diff(rows.indptr) == 0] = np.nan
    return x


class Rows(NamedTuple):
    """The problems of the rows of a matrix: three arrays of its csr form and the pull in place of values, and more."""

    indptr: np.ndarray
    indices: np.ndarray
    pull: np.ndarray
    target: np.ndarray
    ridge: np.ndarray


def make_rows(matrix: csr_matrix, pull, target, ridge) -> Rows:
    """Problems from a csr matrix (R, C), pulls and targets (nnz,) of its entries and ridges (R,) above 0."""
    indices = read_only(np.asarray(matrix.indices, np.int32).view(np.uint32), np.uint32)  # no test for negatives
    values = (read_only(part, np.float64) for part in (pull, target, ridge))
    return Rows(read_only(matrix.indptr, np.int64), indices, *values)


def improve(rows: Rows, share: float, x: np.ndarray, vectors: np.ndarray, n_steps: int) -> float:
    """Move every x (R, D) up to `n_steps` steps nearer to its best, in place, with G = `share` times the vectors' gram.

    Both x and `vectors` (C, D) are first turned to the principal axes of the vectors; products x'y stay what they are.
    One step is enough where the entries of a row bend the sum little more than G + ridge does, which is usual.

    Returns
    -------
    The sum over rows of x'(G + ridge) x + sum_i (a_i (x'y_i)^2 - 2 b_i x'y_i + b_i) after the steps. It is known from
    the first x, and each step says by how much it lowers it, so the sum costs nothing.

    Source: Takács, Pilászy and Tikk (2011) for the steps; the axes are ours.
    """
    gram = read_only(share * turn_to_axes(vectors, x), np.float64)
    return _improve(rows, gram, x, vectors, n_steps=n_steps, easy=EASY, tolerance=0.0).sum()


def _improve(rows, gram, x, vectors, *, n_steps, easy, tolerance):
    """Improve x; the losses (R,), NaN where `tolerance` was not reached."""
    losses, vectors, rules = np.empty(len(x)), read_only(vectors, np.float64), (n_steps, float(easy), tolerance)
    everywhere(
        lambda start, stop: _improve_rows(start, stop, *rows, gram, vectors, x, *rules, losses),
        even_spans(rows.indptr, vectors.shape[1]),
    )
    return losses


def _known_entries(system, matrix, vectors):
    """The problems without the columns that have no vector."""
    rows = make_rows(matrix, system.pull, system.target, system.ridge)
    known = ~np.isnan(vectors[rows.indices, 0])
    if known.all():
        return rows
    before = np.concatenate([[0], np.cumsum(known)])
    entries = (read_only(part[known], part.dtype) for part in rows[1:4])
    return Rows(read_only(before[rows.indptr], np.int64), *entries, rows.ridge)


def turn_to_axes(vectors: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """Rotate `vectors` (C, D) to their principal axes, in place, and others with them; their gram's diagonal (D,)."""
    spread, axes = np.linalg.eigh(gram_of(vectors))
    for rows in (vectors, *others):

        def turn(start, stop, rows=rows):
            rows[start:stop] = rows[start:stop] @ axes

        everywhere(turn, blocks(len(rows), axes.size))
    return np.maximum(spread, 0)


def gram_of(vectors: np.ndarray) -> np.ndarray:
    """Y'Y (D, D) of vectors Y (C, D)."""
    found = {}

    def add(start, stop):
        found[start] = vectors[start:stop].T @ vectors[start:stop]

    everywhere(add, blocks(len(vectors), vectors.shape[1] ** 2))
    return sum(found[start] for start in sorted(found))


def blocks(n_rows: int, work: int) -> list[tuple[int, int]]:
    """Spans of rows of equal work (products per row), the same for any number of threads, so that sums are the same."""
    return spans(n_rows, min(max(n_rows * work // BLOCK, 1), N_BLOCKS))


def even_spans(indptr: np.ndarray, width: int) -> list[tuple[int, int]]:
    """Rows cut into spans of about equal work: entries, and for each row an eighth of the width."""
    work = indptr + np.arange(len(indptr)) * (width / 8)
    n_spans = min(max(int(work[-1] * width / SPAN), 1), N_SPANS)
    edges = np.searchsorted(work, np.linspace(0, work[-1], n_spans + 1)[1:-1])
    edges = np.unique([0, *edges, len(indptr) - 1])
    return list(zip(edges[:-1], edges[1:])) or [(0, 0)]


# ------------------------------------------------------------------------------------------------------------- kernels
@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _inner(a, b):
    total = 0.0
    for d in range(a.size):
        total += a[d] * b[d]
    return total


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
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


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
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


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _cholesky(matrix, order, by):
    """Replace the upper triangle by R with R'R = matrix."""
    for i in range(len(matrix)):
        for k in range(i):
            by[k] = -matrix[k, i]
        row = matrix[i, i:]
        _add(matrix, order[:i], i, by, row)
        scale = 1 / np.sqrt(row[0])
        for j in range(row.size):
            row[j] *= scale


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _substitute(matrix, x):
    """Replace x (D,) by the solution z of R'R z = x."""
    for i in range(x.size):
        row = matrix[i]
        x[i] /= row[i]
        for j in range(i + 1, x.size):
            x[j] -= x[i] * row[j]
    for i in range(x.size - 1, -1, -1):
        x[i] = (x[i] - _inner(matrix[i, i + 1 :], x[i + 1 :])) / matrix[i, i]


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _solve_rows(wanted, indptr, indices, pull, target, ridge, gram, vectors, found):
    """found[row] = (G + ridge + sum of a y y')^-1 sum of b y for every wanted row, by a D x D matrix."""
    width = found.shape[1]
    matrix, order, by = np.empty((width, width)), np.arange(width), np.empty(max(width, CHUNK))
    for row in wanted:
        x = found[row]
        matrix[:], x[:] = gram, 0
        for d in range(width):
            matrix[d, d] += ridge[row]
        for start in range(indptr[row], indptr[row + 1], CHUNK):
            part = slice(start, min(start + CHUNK, indptr[row + 1]))
            at, a = indices[part], pull[part]
            for d in range(width):
                for k in range(at.size):
                    by[k] = a[k] * vectors[at[k], d]
                _add(vectors, at, d, by, matrix[d, d:])
            _add(vectors, at, 0, target[part], x)
        _cholesky(matrix, order, by)
        _substitute(matrix, x)


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _residual(at, a, b, diagonal, vectors, x, dots, rest):
    """rest = sum of b y - A x with A = diagonal + sum of a y y'; returns the loss at x."""
    for d in range(x.size):
        rest[d] = -diagonal[d] * x[d]
    loss = -_inner(rest, x)
    for start in range(0, at.size, CHUNK):
        part = slice(start, min(start + CHUNK, at.size))
        _dots(vectors, at[part], x, dots[part])
        for k in range(part.start, part.stop):
            loss += b[k] + (a[k] * dots[k] - 2 * b[k]) * dots[k]
            dots[k] = b[k] - a[k] * dots[k]
        _add(vectors, at[part], 0, dots[part], rest)
    return loss


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _curvature(at, a, diagonal, vectors, step, dots, change, whole):
    """step'A step; change = A step, without its sum over the entries unless `whole`; dots = a y'step."""
    for d in range(step.size):
        change[d] = diagonal[d] * step[d]
    curvature = _inner(change, step)
    for start in range(0, at.size, CHUNK):
        part = slice(start, min(start + CHUNK, at.size))
        _dots(vectors, at[part], step, dots[part])
        for k in range(part.start, part.stop):
            curvature += a[k] * dots[k] * dots[k]
            dots[k] *= a[k]
        if whole:
            _add(vectors, at[part], 0, dots[part], change)
    return curvature


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _walk(at, a, diagonal, vectors, x, rest, n_steps, easy, tolerance, step, change, dots):
    """Conjugate gradients from x: by how much they lower the loss, and whether `tolerance` was reached."""
    gain = size = 0.0
    for d in range(x.size):
        step[d] = rest[d] / diagonal[d]
        size += rest[d] * step[d]
    enough = tolerance * size
    for n in range(n_steps):
        if size <= enough:
            break
        curvature = _curvature(at, a, diagonal, vectors, step, dots, change, easy == 0)
        length = size / curvature
        gain += length * size
        for d in range(x.size):
            x[d] += length * step[d]
        if curvature < easy * size or (n + 1 == n_steps and tolerance == 0):
            break
        if easy > 0:
            _add(vectors, at, 0, dots, change)
        before, size = size, 0.0
        for d in range(x.size):
            rest[d] -= length * change[d]
            size += rest[d] * rest[d] / diagonal[d]
        for d in range(x.size):
            step[d] = rest[d] / diagonal[d] + size / before * step[d]
    return gain, size <= enough


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _improve_rows(
    start, stop, indptr, indices, pull, target, ridge, gram, vectors, found, n_steps, easy, tolerance, losses,
):  # fmt: skip
    """Improve found[row] for the rows start to stop; what the loss is then, NaN where `tolerance` was not reached."""
    width, longest = found.shape[1], 0
    for row in range(start, stop):
        longest = max(longest, indptr[row + 1] - indptr[row])
    diagonal, rest, step, change = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    dots = np.empty(longest)
    for row in range(start, stop):
        x, inside = found[row], slice(indptr[row], indptr[row + 1])
        at, a = indices[inside], pull[inside]
        if at.size == 0:
            x[:], losses[row] = 0, 0
            continue
        for d in range(width):
            diagonal[d] = gram[d] + ridge[row]
        loss = _residual(at, a, target[inside], diagonal, vectors, x, dots, rest)
        gain, solved = _walk(at, a, diagonal, vectors, x, rest, n_steps, easy, tolerance, step, change, dots)
        losses[row] = loss - gain if tolerance == 0 or solved else np.nan
