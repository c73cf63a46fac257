"""A list made of several lists: a base list, and pools that some of its places are filled from.

Letters: B requests, C candidates of the base list, P items of a pool, K list length.
"""

import numpy as np
import pandas as pd

from reco_utils.core import TopK, UserBatch


def aligned(pool: TopK, lists: TopK, name: str) -> TopK:
    """The pool's lists for the users of `lists`, row by row.

    Raises
    ------
    ValueError  for a user without a list in the pool, or with several of them in another order
    """
    users, pooled = pd.Index(lists.users), pd.Index(pool.users)
    if users.equals(pooled):
        return pool
    rows = pooled.get_indexer(users) if pooled.is_unique else np.full(len(users), -1)
    if (rows < 0).any():
        missing = np.asarray(users)[rows < 0][:3].tolist()
        raise ValueError(f"pool {name!r} has no list of its own for user {missing}; cut it for the same batch")
    notes = {note: array[rows] for note, array in pool.notes.items()}
    return TopK(lists.users, pool.items[rows], pool.scores[rows], notes)


def pool_lists(pool, lists: TopK, batch: UserBatch, k: int, name: str) -> TopK:
    """The lists of a pool for this batch: those of a TopK, or what a function `(batch, k)` makes of it."""
    found = pool if isinstance(pool, TopK) else pool(batch, k)
    return aligned(found, lists, name)


def first_unused(usable: np.ndarray, items: np.ndarray) -> np.ndarray:
    """The first usable item of each row (B,), -1 where there is none; `usable` and `items` are (B, C)."""
    if not items.shape[1]:
        return np.full(len(items), -1, np.int32)
    column = usable.argmax(axis=1)
    rows = np.arange(len(items))
    return np.where(usable[rows, column], items[rows, column], np.int32(-1))


def assemble(lists: TopK, chosen: np.ndarray) -> TopK:
    """A TopK of the chosen items (B, K), with scores and notes of the base list.

    An item that the base list does not have gets the lowest score of that list: the model left it below all of its
    candidates, so this is the most it can be worth, and one list never mixes the scales of two models. An empty base
    list has no scale: 0. Its notes are blank there, as in padding.

    Parameters
    ----------
    chosen : (B, K) positions, -1 pads at the end; no item twice in a row
    """
    order = np.full(chosen.shape, -1)
    for place in range(chosen.shape[1]):
        here = (lists.items == chosen[:, place, None]) & (chosen[:, place, None] >= 0)
        order[:, place] = np.where(here.any(axis=1), here.argmax(axis=1), -1)
    found, scored = lists.take(order), (lists.items >= 0) & ~np.isnan(lists.scores)
    lowest = np.min(lists.scores, axis=1, initial=np.inf, where=scored)[:, None]
    lowest = np.where(np.isfinite(lowest), lowest, 0)
    scores = np.where((chosen >= 0) & (order < 0), lowest, found.scores)
    return TopK(lists.users, chosen.astype(np.int32), scores.astype(lists.scores.dtype), found.notes)


def to_the_front(filled: np.ndarray) -> np.ndarray:
    """Column numbers (B, K) that bring the filled places of each row to the front, in their order."""
    return np.argsort(~filled, axis=1, kind="stable")
