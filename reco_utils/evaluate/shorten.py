"""How good is a list after one event, two, five? The same people and the same truth, with less and less history.

    fresh = strangers(split, rows)                   # some users with long histories; training never met them
    model.fit(fresh.train)
    for n in (0, 1, 2, 5, 10):
        compare({"model": model}, shorten(fresh, n), rng=rng)

Real newcomers are few and differ from regulars in more than their history; this changes the history alone. Both
functions change who asks and with what, never the truth.

Letters: B requests, U users, nnz entries of the histories.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Split, take_rows


def shorten(split: Split, n: int) -> Split:
    """The split with every history cut to its n most recent items, as if the user had come for the first time then.

    The most recent and not the first ones, so that nothing is missing between history and truth. Truth and `seen` stay
    as they are: what somebody already has cannot be truth, so lists of every length of history are drawn from the same
    items and judged on the same truth. Items of the same time are kept in the order of their positions, which is
    chance. An item keeps the weight of all its events, those before the cut history began too.

    The model's training is not touched: fit it on `strangers(split, rows).train`, or it knows these users by heart.

    Parameters
    ----------
    n : int, at least 0, items
        0 leaves nobody any history. Histories that are shorter stay as they are.

    Raises
    ------
    ValueError  for an n that is no whole number of at least 0
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"n must be a whole number of at least 0 items, got {n!r}")
    batch, lengths = split.batch, split.batch.n_items
    rows = np.repeat(np.arange(len(batch)), lengths)
    latest_first = np.lexsort((batch.history.indices, -batch.last.astype(np.int64), rows))
    rank = np.arange(len(rows)) - np.repeat(batch.history.indptr[:-1], lengths)
    kept = np.sort(latest_first[rank < n])
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, n))]).astype(batch.history.indptr.dtype)
    entries = (batch.history.data[kept], batch.history.indices[kept], indptr)
    history = csr_matrix(entries, batch.history.shape)
    batch = replace(batch, history=history, last=batch.last[kept])
    return replace(split, batch=batch, report=_noted(split, "most items in a history", int(n)))


def strangers(split: Split, rows: slice | np.ndarray) -> Split:
    """The requests at `rows` as strangers: training without these users, who bring their histories along themselves.

    A model that was fitted with somebody's whole history is no judge of what it could say after two events: user-kNN
    finds their likes because they shaped them, and factors were fitted to them. Training gets smaller by these users
    (their profiles too), so take a tenth, or several tenths in turn. The items stay, also those that nobody else had.
    Serve only these requests with it: `split.batch` holds positions of users in the larger Dataset.

    Parameters
    ----------
    rows : slice, positions, or mask (B,)
        Requests, e.g. a random tenth of those with long histories.

    Returns
    -------
    Split of these requests, their position -1
    """
    batch = split.batch[rows]
    users = len(split.train.users)
    left = np.setdiff1d(np.arange(users), batch.at)
    report = _noted(split, "users taken out of training", users - len(left))
    asking = replace(split.take(rows), batch=replace(batch, at=np.full(len(batch), -1, np.int32)))
    return replace(asking, train=_only(split.train, left), report=report)


def _only(data: Dataset, users) -> Dataset:
    """The Dataset of the users at these positions, its arrays read-only."""
    weights, take = take_rows(data.weights, users)
    seen, last = take_rows(data.seen, users)[0], data.last[take]
    for array in (last, *(part for m in (weights, seen) for part in (m.data, m.indices, m.indptr))):
        array.flags.writeable = False
    profiles = data.profiles.iloc[users].reset_index(drop=True)
    return replace(data, users=data.users[users], weights=weights, last=last, seen=seen, profiles=profiles)


def _noted(split, what, count):
    """The split's report with one more line."""
    return pd.Series(split.report.to_dict() | {what: count}, dtype=object, name=split.report.name)
