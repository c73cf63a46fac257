"""What a user is interested in, told by the labels (categories, brands) of the items in the history.

Letters: B requests, I items, L distinct labels, C candidates.
"""

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from reco_utils.core import TopK, UserBatch


def label_codes(labels) -> tuple[np.ndarray, np.ndarray]:
    """Labels as numbers: codes (I,) int32, -1 where the label is missing, and the distinct labels (L,).

    Numbered in the order of the items, so that the first label is that of the first item which has one.

    Raises
    ------
    ValueError  when `labels` is not one label per item
    """
    if np.ndim(labels) != 1:
        raise ValueError(f"labels must be one per item, got an array of shape {np.shape(labels)}")
    codes, names = pd.factorize(pd.Series(labels).to_numpy(dtype=object, na_value=None))
    return codes.astype(np.int32), names


def check_items(what: str, n_given: int, n_items: int) -> None:
    """Refuse item descriptions of another catalogue than the batch's."""
    if n_given != n_items:
        raise ValueError(
            f"{what} must describe the {n_items} items of the batch, got {n_given}; take them from its data"
        )


def label_weights(history: csr_matrix, codes: np.ndarray) -> csr_matrix:
    """Sum of the weights of a history per label: csr (B, L) float64; items without a label count nowhere."""
    labels = codes[history.indices]
    known = labels >= 0
    ends = np.concatenate([[0], np.cumsum(known)])[history.indptr]
    entries = (history.data[known].astype(np.float64), labels[known], ends)
    weights = csr_matrix(entries, (history.shape[0], int(codes.max(initial=-1)) + 1))
    weights.sum_duplicates()
    return weights


def favourites(weights: csr_matrix, n: int) -> np.ndarray:
    """The n labels of the largest weight of each row, largest first; equal ones by number: (B, n) int32, -1 pads."""
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    order = np.lexsort((weights.indices, -weights.data, rows))
    place = np.arange(weights.nnz) - np.repeat(weights.indptr[:-1], np.diff(weights.indptr))
    found = np.full((weights.shape[0], n), -1, np.int32)
    first = place < n
    found[rows[first], place[first]] = weights.indices[order][first]
    return found


def look_up(weights: csr_matrix, columns: np.ndarray) -> np.ndarray:
    """What row b of `weights` holds in each of columns[b]: (B, C) float64, 0 for nothing and for column -1."""
    n_columns = weights.shape[1]
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    stored = rows * n_columns + weights.indices  # ascending: rows in order, columns sorted within
    wanted = np.arange(len(columns))[:, None] * n_columns + np.maximum(columns, 0)
    if not len(stored):
        return np.zeros(columns.shape)
    near = np.minimum(np.searchsorted(stored, wanted), len(stored) - 1)
    return np.where((stored[near] == wanted) & (columns >= 0), weights.data[near], 0.0)


def labelled(lists: TopK, batch: UserBatch, codes: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Lists and interests by label, as compiled rerankers want them.

    Returns
    -------
    codes (B, C) int32 of the listed items, -1 without a label, -2 in padding
    indptr, labels, shares : csr arrays (B, L) of the weight of each history per label, as shares that add up to 1

    Raises
    ------
    ValueError  for a batch of other requests than the lists, or of another catalogue than the labels
    """
    if len(batch) != len(lists):
        raise ValueError(f"lists and batch must be of the same requests, got {len(lists)} and {len(batch)}")
    check_items("labels", len(codes), batch.history.shape[1])
    weights = label_weights(batch.history, codes)
    totals = np.asarray(weights.sum(axis=1)).ravel()
    shares = weights.data / np.repeat(totals, np.diff(weights.indptr))
    listed = np.where(lists.items >= 0, np.append(codes, -2)[lists.items], -2)
    return listed.astype(np.int32), (weights.indptr.astype(np.int64), weights.indices.astype(np.int32), shares)
