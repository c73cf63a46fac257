"""The compiled parts of the linear models: products of item columns, an elastic net by coordinate descent, a dense sum.

The Gram matrix X'X of a users x items matrix X holds, for every pair of items, the sum over users of the product of
their two weights (with ones: how many users have both). EASE needs all of it; SLIM needs, item by item, the small
corner of it that belongs to that item's candidates, which is made, used and thrown away.

Letters: U users, I items, B requests, n candidates.
"""

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from reco_utils.models.similar import CHUNK, frozen, read_only
from reco_utils.topk import everywhere, spans


def _chunks(n_rows):
    return spans(n_rows, -(-n_rows // CHUNK))


# --------------------------------------------------------------------------------------------------------- whole matrix
@njit(nogil=True, cache=True)
def _gram_rows(start, stop, user_indptr, users, user_values, indptr, items, values, gram):
    for i in range(start, stop):
        row = gram[i]
        row[:] = 0
        for p in range(user_indptr[i], user_indptr[i + 1]):
            weight = np.float64(user_values[p])
            for q in range(indptr[users[p]], indptr[users[p] + 1]):
                if items[q] > i:
                    break
                row[items[q]] += weight * values[q]


def gram(matrix: csr_matrix) -> np.ndarray:
    """The lower triangle of X'X for a csr matrix X (U, I): (I, I) float64, 0 above the diagonal."""
    by_item = matrix.tocsc()
    columns, rows = frozen(by_item), frozen(by_item.tocsr())  # there and back: now the rows are sorted for certain
    out = np.empty((matrix.shape[1], matrix.shape[1]))
    everywhere(lambda start, stop: _gram_rows(start, stop, *columns, *rows, out), _chunks(len(out)))
    return out


@njit(nogil=True, cache=True)
def _dense_rows(start, stop, indptr, indices, values, place, weights, items, scores):
    """scores[b, items] = sum of value * weights[place]; NaN where that is 0, and for all other items."""
    total = np.empty(weights.shape[1], np.float32)
    for b in range(start, stop):
        scores[b] = np.nan
        total[:] = 0
        for p in range(indptr[b], indptr[b + 1]):
            if place[indices[p]] >= 0:
                row, value = weights[place[indices[p]]], values[p]
                for j in range(total.size):
                    total[j] += value * row[j]
        for j in range(total.size):
            if total[j] != 0:
                scores[b, items[j]] = total[j]


def dense_sum(queries: csr_matrix, weights: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Sparse queries (B, I) times dense weights (n, n) among the n `items`: (B, I) float32, NaN where nothing met."""
    n_items = queries.shape[1]
    place = np.full(n_items, -1, np.int32)
    place[items] = np.arange(len(items))
    parts = *frozen(queries), read_only(place, np.int32), read_only(weights, np.float32), read_only(items, np.int32)
    scores = np.empty(queries.shape, np.float32)
    everywhere(lambda start, stop: _dense_rows(start, stop, *parts, scores), _chunks(len(scores)))
    return scores


# ----------------------------------------------------------------------------------------- item by item, its candidates
@njit(nogil=True, cache=True)
def _group_by_user(candidates, indptr, users, values, count, ends, touched):
    """What each user has of the candidates: their slots and values, user after user; and how many users that is.

    `count` (U,) zeros comes back with the number per user, `ends` (U,) with where each user's entries end.
    """
    n_touched = 0
    for item in candidates:
        for p in range(indptr[item], indptr[item + 1]):
            if count[users[p]] == 0:
                touched[n_touched] = users[p]
                n_touched += 1
            count[users[p]] += 1
    total = 0
    for user in touched[:n_touched]:
        ends[user] = total
        total += count[user]
    slots, amounts = np.empty(total, np.int32), np.empty(total, np.float64)
    for slot in range(candidates.size):
        for p in range(indptr[candidates[slot]], indptr[candidates[slot] + 1]):
            at = ends[users[p]]
            slots[at], amounts[at] = slot, values[p]
            ends[users[p]] += 1
    return slots, amounts, n_touched


@njit(nogil=True, cache=True)
def _corner(item, candidates, indptr, users, values, count, ends, touched):
    """Products among the candidates (n, n), and of each candidate with the item (n,)."""
    n = candidates.size
    gram, pull = np.zeros((n, n)), np.zeros(n)
    slots, amounts, n_touched = _group_by_user(candidates, indptr, users, values, count, ends, touched)
    for user in touched[:n_touched]:
        for a in range(ends[user] - count[user], ends[user]):
            row, amount = gram[slots[a]], amounts[a]
            for b in range(ends[user] - count[user], a + 1):  # slots ascend: the lower triangle
                row[slots[b]] += amount * amounts[b]
    for p in range(indptr[item], indptr[item + 1]):
        user = users[p]
        for a in range(ends[user] - count[user], ends[user]):
            pull[slots[a]] += amounts[a] * values[p]
    for user in touched[:n_touched]:
        count[user] = 0
    for a in range(n):
        for b in range(a):
            gram[b, a] = gram[a, b]
    return gram, pull


@njit(nogil=True, cache=True)
def _descend(gram, pull, l1, l2, tolerance, max_sweeps, w):
    """Minimise w'Gw / 2 - w'pull + l1 * sum(w) + l2 * w'w / 2 over w >= 0, one coordinate after the other.

    A sweep over all coordinates is followed by sweeps over the positive ones alone until they stand still; it is done
    when a sweep over all moves none by more than `tolerance` times the largest.
    """
    product = np.zeros(w.size)  # G w
    w[:] = 0
    everyone = True
    for _ in range(max_sweeps):
        moved = largest = 0.0
        for k in range(w.size):
            if not everyone and w[k] == 0:
                continue
            rest = pull[k] - product[k] + gram[k, k] * w[k] - l1
            new = max(rest, 0.0) / (gram[k, k] + l2)
            step = new - w[k]
            if step != 0:
                w[k] = new
                for i in range(w.size):
                    product[i] += step * gram[k, i]
            moved, largest = max(moved, abs(step)), max(largest, new)
        still = moved <= tolerance * largest
        if still and everyone:
            return
        everyone = still


@njit(nogil=True, cache=True)
def _elastic_rows(start, stop, indptr, users, values, n_users, candidates, l1, l2, tolerance, max_sweeps, weights):
    count, touched = np.zeros(n_users, np.int32), np.empty(n_users, np.int32)
    ends = np.empty(n_users, np.int64)
    for item in range(start, stop):
        n = 0
        while n < candidates.shape[1] and candidates[item, n] >= 0:
            n += 1
        w = np.empty(n)
        if n:
            gram, pull = _corner(item, candidates[item, :n], indptr, users, values, count, ends, touched)
            _descend(gram, pull, l1, l2, tolerance, max_sweeps, w)
        weights[item, :n] = w
        weights[item, n:] = 0


def elastic_net(
    users: csr_matrix, candidates: np.ndarray, *, l1: float, l2: float, tolerance: float, max_sweeps: int
) -> np.ndarray:
    """Non-negative weights with which each item's candidates explain it best: (I, n) float32, 0 for padding.

    For item j with column x and candidates' columns C, minimises |x - C w|^2 / 2 + l1 * sum(w) + l2 * |w|^2 / 2 over
    w >= 0. Every item is a problem of its own, so the result does not depend on the number of threads.

    Parameters
    ----------
    users : csr (I, U)
        X transposed, one row per item.
    candidates : (I, n) int32
        Positions of other items, -1 pads at the end.
    tolerance : float
        Stop when no weight moves by more than this share of the largest.
    max_sweeps : int
        Stop at the latest then.

    Source: coordinate descent with covariance updates, Friedman, Hastie and Tibshirani (2010), section 2.2.
    """
    weights = np.empty(candidates.shape, np.float32)
    parts = *frozen(users), users.shape[1], read_only(candidates, np.int32)
    rules = float(l1), float(l2), float(tolerance), int(max_sweeps)
    everywhere(lambda start, stop: _elastic_rows(start, stop, *parts, *rules, weights), _chunks(len(weights)))
    return weights
