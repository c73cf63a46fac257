"""The k best columns of every row: a compiled selection, and the same over dot products without the full product.

Pure arrays in, arrays out, so that the kernels can be tested against a naive sort and measured beside those of other
libraries. People call `core.recommend`; other kernels of the package reuse the heap and `everywhere`. (numba's cache on
disk does not notice an edit here in the kernels of other files that call these: `make clean` empties it.)

Letters: B rows (requests), I columns (items), K list length, D width of the vectors.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

N_THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
TILE = 64  # scores looked at together: one comparison of a tile's maximum skips nearly all of a long row


@njit(nogil=True, cache=True, inline="always")
def worse(score_a, item_a, score_b, item_b):
    """Is a to be thrown out before b? The lower score is; of equal scores the higher position."""
    return score_a < score_b or (score_a == score_b and item_a > item_b)


@njit(nogil=True, cache=True)
def sift_down(best, items, size, at):
    """Restore the heap (worst entry on top) below `at`."""
    score, item = best[at], items[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and worse(best[child + 1], items[child + 1], best[child], items[child]):
            child += 1
        if not worse(best[child], items[child], score, item):
            break
        best[at], items[at] = best[child], items[child]
        at = child
    best[at], items[at] = score, item


@njit(nogil=True, cache=True)
def _scan(scores, first, allow, forbidden, best, items, size):
    """Offer scores of columns first, first + 1, ... to one row's heap; returns the heap's new size (at most K)."""
    k, n = best.size, scores.size
    threshold = best[0] if size == k else np.float32(-np.inf)
    for start in range(0, n, TILE):
        stop = min(start + TILE, n)
        promising = 0
        for j in range(start, stop):
            promising |= scores[j] > threshold
        if not promising:
            continue
        for j in range(start, stop):
            score, item = scores[j], first + j
            if not score > threshold or (allow.size and not allow[item]):
                continue
            if forbidden.size:
                near = np.searchsorted(forbidden, item)
                if near < forbidden.size and forbidden[near] == item:
                    continue
            if size < k:
                best[size], items[size] = score, item
                size += 1
                if size < k:
                    continue
                for at in range(k // 2 - 1, -1, -1):
                    sift_down(best, items, k, at)
            else:
                best[0], items[0] = score, item
                sift_down(best, items, k, 0)
            threshold = best[0]
    return size


@njit(nogil=True, cache=True)
def finish(best, items, size):
    """Turn one row's heap into a list, best first, padded with NaN and -1."""
    for at in range(size // 2 - 1, -1, -1):
        sift_down(best, items, size, at)
    for end in range(size - 1, 0, -1):  # heap sort: the worst goes to the end
        best[0], best[end] = best[end], best[0]
        items[0], items[end] = items[end], items[0]
        sift_down(best, items, end, 0)
    best[size:] = np.nan
    items[size:] = -1


@njit(nogil=True, cache=True)
def _scan_rows(scores, first, allow, indptr, indices, best, items, sizes):
    for row in range(scores.shape[0]):
        forbidden = indices[indptr[row] : indptr[row + 1]]
        sizes[row] = _scan(scores[row], first, allow, forbidden, best[row], items[row], sizes[row])


@njit(nogil=True, cache=True)
def _finish_rows(best, items, sizes):
    for row in range(sizes.size):
        finish(best[row], items[row], sizes[row])


def spans(n_rows, n_spans):
    """Cut rows 0 to n_rows into about equal spans: a list of (start, stop)."""
    edges = np.linspace(0, n_rows, min(n_spans, max(n_rows, 1)) + 1).astype(int)
    return list(zip(edges[:-1], edges[1:]))


def everywhere(task, spans):
    """Run task(start, stop) for every span on all cores; tasks gain from it if they release the interpreter lock.

    After an error or Ctrl-C, tasks that have begun come to their end, and no other begins.
    """
    if len(spans) == 1 or N_THREADS == 1:
        for start, stop in spans:
            task(start, stop)
        return
    with ThreadPoolExecutor(N_THREADS) as pool:
        try:
            for done in [pool.submit(task, start, stop) for start, stop in spans]:
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _exclusions(allow, forbid, n_rows):
    """`allow` and the index arrays of `forbid` as the kernel wants them: empty arrays stand for "no such rule"."""
    allow = np.empty(0, bool) if allow is None else np.ascontiguousarray(allow, bool)
    if forbid is None:
        return allow, np.zeros(n_rows + 1, np.int32), np.empty(0, np.int32)
    if not forbid.has_sorted_indices:
        forbid = forbid.sorted_indices()
    return allow, forbid.indptr, forbid.indices


def _select_blocks(n_rows, k, blocks_of, allow, forbid):
    """Run the selection over blocks (rows, first column, scores), which `blocks_of(start, stop)` yields."""
    items, best = np.empty((n_rows, k), np.int32), np.empty((n_rows, k), np.float32)
    sizes = np.zeros(n_rows, np.int32)
    allow, indptr, indices = _exclusions(allow, forbid, n_rows)

    def task(start, stop):
        for rows, first, scores in blocks_of(start, stop):
            ends = indptr[rows.start : rows.stop + 1]
            _scan_rows(scores, first, allow, ends, indices, best[rows], items[rows], sizes[rows])
        _finish_rows(best[start:stop], items[start:stop], sizes[start:stop])

    everywhere(task, spans(n_rows, N_THREADS))
    return items, best


def select(scores, k, *, allow=None, forbid=None):
    """The k highest-scored columns of every row, best first; equal scores go to the lower column.

    Parameters
    ----------
    scores : (B, I) float32
        Read only. NaN and -inf mean "no opinion" and are never selected.
    allow : (I,) bool, optional
        Columns that may be selected, for all rows.
    forbid : csr (B, I), optional
        Columns that must not be selected, per row; stored entries count, whatever their value.

    Returns
    -------
    items (B, K) int32, -1 pads; scores (B, K) float32, NaN pads

    Source: ours; a bounded heap behind a tile-wise threshold test.
    """
    scores = np.ascontiguousarray(scores, np.float32)

    def blocks_of(start, stop):
        yield slice(start, stop), 0, scores[start:stop]

    return _select_blocks(len(scores), k, blocks_of, allow, forbid)


def select_dot(queries, vectors, k, *, allow=None, forbid=None, block=(512, 512)):
    """`select(queries @ vectors.T, k)` in blocks that stay in the cache; the (B, I) product never exists as a whole.

    Parameters
    ----------
    queries : (B, D) float32; vectors : (I, D) float32
        A row with a NaN has no opinion: its dot products are NaN.
    block : (rows, columns)
        Size of a block of the product; 512 x 512 floats are 1 MB, half of a usual second-level cache.

    Returns
    -------
    items (B, K) int32, -1 pads; scores (B, K) float32, NaN pads
    """
    queries = np.ascontiguousarray(queries, np.float32)
    transposed = np.ascontiguousarray(vectors, np.float32).T
    height, width = block

    def blocks_of(start, stop):
        for top in range(start, stop, height):
            rows = slice(top, min(top + height, stop))
            for first in range(0, transposed.shape[1], width):
                yield rows, first, queries[rows] @ transposed[:, first : first + width]

    return _select_blocks(len(queries), k, blocks_of, allow, forbid)
