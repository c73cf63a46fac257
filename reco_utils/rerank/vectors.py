"""Item vectors as the compiled rerankers want them: of length 1, dense or sparse, and the cosine of two of them.

Letters: B lists, C candidates of a list, I items, D width of a vector.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix, issparse

from reco_utils.core import TopK


class Unit(NamedTuple):
    """Rows of length 1, or of zeros where an item is not known: an array (I, D) or three csr arrays, the other None.

    numba compiles a kernel for each of the two, without the branch of the one that is None.
    """

    dense: np.ndarray | None
    sparse: tuple[np.ndarray, np.ndarray, np.ndarray] | None
    width: int
    lowest: float  # no cosine is below: 0 without negative entries, or -1; rounding allowed for


def unit_vectors(vectors, dtype) -> Unit:
    """Vectors (I, D), an array or sparse, divided by their lengths; a row with a NaN becomes zeros.

    Raises
    ------
    ValueError  for anything but two dimensions, and for infinite numbers
    """
    if getattr(vectors, "ndim", None) != 2:
        raise ValueError(f"vectors must be an array or csr (items, width), got {type(vectors).__name__}")
    if not issparse(vectors):
        rows = np.asarray(vectors, np.float64)
        scale = _one_over(np.einsum("id,id->i", rows, rows))
        dense = np.nan_to_num(rows * scale[:, None]).astype(dtype)
        return Unit(dense, None, rows.shape[1], _lowest(dense))
    rows = csr_matrix(vectors, dtype=np.float64, copy=True)
    rows.sum_duplicates()
    scale = _one_over(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    values = np.nan_to_num(rows.data * np.repeat(scale, np.diff(rows.indptr))).astype(dtype)
    entries = rows.indptr.astype(np.int64), rows.indices.astype(np.int32), values
    return Unit(None, entries, rows.shape[1], _lowest(values))


def _one_over(squares):
    """1 / length (I,) of squared lengths; 0 for those of nothing or of NaN."""
    if np.isinf(squares).any():
        raise ValueError(f"vectors must be finite, or NaN where not known; {np.isinf(squares).sum()} rows are infinite")
    return np.divide(1, np.sqrt(squares), out=np.zeros(len(squares)), where=squares > 0)  # NaN is not above 0


def _lowest(values):
    return -1.000001 if values.min(initial=0) < 0 else 0.0


def check_positions(lists: TopK, n_items: int, what: str) -> np.ndarray:
    """The items of the lists (B, C) as the kernels want them, after a check that all are among n_items.

    Raises
    ------
    ValueError  for a position beyond them
    """
    items = np.require(lists.items, np.int32, "CW")  # kernels are compiled for writable arrays alone
    if items.size and items.max() >= n_items:
        raise ValueError(f"{what} are those of {n_items} items, lists hold item position {items.max()}")
    return items


@njit(nogil=True, cache=True, fastmath={"reassoc"})
def _dot(a, b):
    """a . b of float32 or float64, added up in double precision: another order of adding hardly changes anything."""
    total = 0.0
    for d in range(a.size):
        total += np.float64(a[d]) * np.float64(b[d])
    return total


@njit(nogil=True, cache=True)
def lay_out(sparse, item, row):
    """Write a sparse vector into `row` (D,), so that `cosine` can read it by column; a dense one needs nothing."""
    if sparse is not None:
        indptr, indices, values = sparse
        for p in range(indptr[item], indptr[item + 1]):
            row[indices[p]] = values[p]


@njit(nogil=True, cache=True)
def clear(sparse, item, row):
    """Set what `lay_out` wrote back to zeros."""
    if sparse is not None:
        indptr, indices, _ = sparse
        for p in range(indptr[item], indptr[item + 1]):
            row[indices[p]] = 0


@njit(nogil=True, cache=True)
def cosine(dense, sparse, item, other, row):
    """Cosine of two items; if vectors are sparse, that of the first is laid out in `row`."""
    if sparse is not None:
        indptr, indices, values = sparse
        total = 0.0
        for p in range(indptr[other], indptr[other + 1]):
            total += row[indices[p]] * np.float64(values[p])
        return total
    if dense is not None:
        return _dot(dense[item], dense[other])
    return 0.0
