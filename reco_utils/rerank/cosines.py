"""Cosines between the items of a list and the items of a history, pair by pair: no array of all pairs ever exists.

Letters: B lists, K items of a list, I items, V width of a vector.
"""

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from reco_utils.rerank.vectors import unit_vectors
from reco_utils.topk import everywhere, spans

CHUNK = 256  # lists per task


def unit_rows(vectors) -> csr_matrix:
    """Rows of length 1, csr (I, V) float32; empty where a row is zero or has a NaN, which means that it is not known.

    Raises
    ------
    ValueError  see `vectors.unit_vectors`
    """
    unit = unit_vectors(vectors, np.float32)
    if unit.dense is not None:
        return csr_matrix(unit.dense)
    indptr, indices, values = unit.sparse
    rows = csr_matrix((values, indices, indptr), (len(indptr) - 1, unit.width))
    rows.eliminate_zeros()
    return rows


def cosines_to_profile(unit: csr_matrix, history: csr_matrix, items: np.ndarray) -> np.ndarray:
    """Cosine of each listed item to the weighted sum of the history's vectors: (B, K) float32.

    NaN in padding, for an item whose vector is not known, and for a history without a known vector.

    Parameters
    ----------
    unit : csr (I, V) from `unit_rows`
    history : csr (B, I), weights
    items : (B, K) positions, -1 pads
    """
    found = np.empty(items.shape, np.float32)
    _by_rows(_profile_rows, unit, history, items, (history.data.astype(np.float32), found))
    return found


def nearest_owned(unit: csr_matrix, owned: csr_matrix, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The user's own item that is most like each listed one, itself left out; of equal ones the lower position.

    Parameters
    ----------
    unit : csr (I, V) from `unit_rows`
    owned : csr (B, I)
        Every stored entry counts.
    items : (B, K) positions, -1 pads

    Returns
    -------
    positions (B, K) int32 and cosines (B, K) float32 above 0; -1 and NaN where no own item has anything in common
    """
    found, best = np.empty(items.shape, np.int32), np.empty(items.shape, np.float32)
    _by_rows(_owned_rows, unit, owned, items, (found, best))
    return found, best


def _by_rows(kernel, unit, rows, items, arrays):
    """Run a kernel over spans of rows on all cores."""
    if not rows.has_sorted_indices:
        rows = rows.sorted_indices()
    width = unit.shape[1]
    unit = [_int64(unit.indptr), unit.indices.view(), unit.data.view()]
    rows, items = [_int64(rows.indptr), rows.indices.astype(np.int32)], np.array(items, np.int32)
    everywhere(
        lambda start, stop: kernel(start, stop, *unit, *rows, items, width, *arrays),
        spans(len(items), -(-len(items) // CHUNK)),
    )


def _int64(indptr):
    return indptr.astype(np.int64)


@njit(nogil=True, cache=True, inline="always")
def _dot(item, indptr, indices, values, dense):
    """Row `item` times a dense vector."""
    total = 0.0
    for q in range(indptr[item], indptr[item + 1]):
        total += values[q] * dense[indices[q]]
    return total


@njit(nogil=True, cache=True)
def _profile_rows(start, stop, indptr, indices, values, begins, own, items, width, weights, found):
    """Write cosines to the profile of the lists start to stop into `found`."""
    profile = np.zeros(width)
    for b in range(start, stop):
        for p in range(begins[b], begins[b + 1]):
            for q in range(indptr[own[p]], indptr[own[p] + 1]):
                profile[indices[q]] += weights[p] * values[q]
        square = 0.0
        for p in range(begins[b], begins[b + 1]):
            square += weights[p] * _dot(own[p], indptr, indices, values, profile)
        for c in range(items.shape[1]):
            item = items[b, c]
            known = item >= 0 and indptr[item + 1] > indptr[item] and square > 0
            found[b, c] = _dot(item, indptr, indices, values, profile) / np.sqrt(square) if known else np.nan
        for p in range(begins[b], begins[b + 1]):
            for q in range(indptr[own[p]], indptr[own[p] + 1]):
                profile[indices[q]] = 0.0


@njit(nogil=True, cache=True)
def _owned_rows(start, stop, indptr, indices, values, begins, own, items, width, found, best):
    """Write the nearest own items of the lists start to stop, and their cosines, into `found` and `best`."""
    listed = np.zeros(width)
    for b in range(start, stop):
        for c in range(items.shape[1]):
            found[b, c], best[b, c] = -1, np.nan
            item = items[b, c]
            if item < 0:
                continue
            for q in range(indptr[item], indptr[item + 1]):
                listed[indices[q]] = values[q]
            highest = 0.0
            for p in range(begins[b], begins[b + 1]):
                cosine = _dot(own[p], indptr, indices, values, listed)
                if own[p] != item and cosine > highest:
                    highest, found[b, c], best[b, c] = cosine, own[p], cosine
            for q in range(indptr[item], indptr[item + 1]):
                listed[indices[q]] = 0.0
