"""Lists and batches made by hand, or at random."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import TopK, UserBatch


def lists_of(items, scores=None, **notes) -> TopK:
    """A TopK of items (B, C), -1 for padding; without scores the j-th place of C has 1 - j / C."""
    items = np.array(items, np.int32)
    if scores is None:
        scores = np.broadcast_to(1 - np.arange(items.shape[1]) / max(items.shape[1], 1), items.shape)
    scores = np.where(items >= 0, np.array(scores), np.nan).astype(np.float32)
    return TopK(pd.Index([f"u{b}" for b in range(len(items))]), items, scores, notes)


def batch_of(history) -> UserBatch:
    """Requests with these histories, a dense (B, I) array of weights; row b belongs to user u{b}."""
    history = csr_matrix(np.asarray(history, np.float32))
    users = pd.Index([f"u{b}" for b in range(history.shape[0])])
    at, last = np.arange(len(users), dtype=np.int32), np.zeros(history.nnz, "M8[us]")
    return UserBatch(users, at, history, last, history > 0, pd.DataFrame({"user_id": users}))


def lists_at_random(n_lists, n_candidates, n_items, *, seed=0, decimals=3) -> TopK:
    """Lists in the order of random scores, some with padding; few decimals make ties."""
    rng = np.random.default_rng(seed)
    items = np.array([rng.permutation(n_items)[:n_candidates] for _ in range(n_lists)])
    items[np.arange(n_candidates) >= rng.integers(0, 2 * n_candidates, n_lists)[:, None]] = -1
    return lists_of(items, -np.sort(-rng.normal(size=items.shape).round(decimals), axis=1))


@pytest.fixture
def make_lists():
    """The function `lists_of(items, scores, **notes)`."""
    return lists_of


@pytest.fixture
def make_batch():
    """The function `batch_of(history)`."""
    return batch_of


@pytest.fixture
def make_random():
    """The function `lists_at_random(n_lists, n_candidates, n_items, seed, decimals)`."""
    return lists_at_random
