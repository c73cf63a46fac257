"""What the user is after right now: items near this session's categories and price range move up.

Letters: B lists, C candidates of a list, K length of the new list, I items.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix, issparse

from reco_utils.core import TopK, UserBatch, check_k
from reco_utils.rerank.interests import check_items, label_codes, label_weights, look_up
from reco_utils.rerank.relevance import relevance


@dataclass(frozen=True, eq=False)
class SessionLift:
    """Orders by relevance * (1 + lift * closeness) to the session; relevance and closeness are in [0, 1].

        closeness = share * nearness
        share = clicks of the session in the item's category / its clicks in any known category
        nearness = exp(-(ln price - ln middle)^2 / (2 (ln price_factor)^2)), middle = median price of the items clicked

    The list stays the same set of items, nothing is dropped; of equal values the earlier item is first. What is not
    known counts neutral: a candidate without category (or price) gets the mean share (nearness) of the list's other
    candidates; of a session without any known category (or price) only the other factor is left. Without a click, the
    list stays as it is.

    Worth it even for a model that knows the session: on the test part of the built-in shop (the first purchases of
    1,297 sessions, iALS with the clicks folded in) the item bought stood among the first ten in 23 % of the cases, and
    in 34 % after the lift by category, 38 % by subcategory (a gain of 13 to 17 points at 95 %). The defaults are those
    of the validation part, where more `lift` gained still more. Its sessions have one aim each; where yours wander,
    lift less.

    Parameters
    ----------
    session : csr (B, I), or B sequences of item positions
        The clicks of each request: how often, or one position per click.
    labels : (I,), optional
        Category of each item; None or NaN where it is not known.
    prices : (I,), optional
        NaN, or 0 and less: not known.
    lift : float, 0 or more
        The most that an item can gain: 1 doubles the relevance of one that is as close as can be. 0: no change.
    price_factor : float above 1
        An item dearer or cheaper than the middle by this factor has a nearness of exp(-1/2) = 0.61.

    Notes on the lists
    ------------------
    "closeness" (B, K) float32 in [0, 1], NaN in padding and without a session

    Source: ours.
    """

    session: csr_matrix | Sequence[Sequence[int]]
    labels: np.ndarray | None = None
    prices: np.ndarray | None = None
    lift: float = 4.0
    price_factor: float = 3.0

    def __post_init__(self):
        if isinstance(self.lift, bool) or not 0 <= self.lift < np.inf:
            raise ValueError(f"lift must be a finite number of at least 0, got {self.lift!r}")
        if not 1 < self.price_factor < np.inf:
            raise ValueError(f"price_factor must be a finite number above 1, got {self.price_factor!r}")
        if self.labels is None and self.prices is None:
            raise ValueError("SessionLift needs labels, prices or both, got neither")
        codes = None if self.labels is None else label_codes(self.labels)[0]
        object.__setattr__(self, "_codes", codes)
        object.__setattr__(self, "_log_prices", None if self.prices is None else _log_prices(self.prices))

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The first k of the new order, and the note "closeness"."""
        k, session = check_k(k), _clicks(self.session, batch)
        for name, known in (("labels", self._codes), ("prices", self._log_prices)):
            if known is not None:
                check_items(name, len(known), batch.history.shape[1])
        close = self.closeness(lists, session)
        value = relevance(lists) * (1 + self.lift * np.nan_to_num(close))
        order = np.argsort(np.where(lists.items >= 0, -value, np.inf), axis=1, kind="stable")[:, :k]
        order = np.where(np.take_along_axis(lists.items, order, axis=1) >= 0, order, -1)
        order = np.pad(order, ((0, 0), (0, k - order.shape[1])), constant_values=-1)
        return replace(lists, notes={**lists.notes, "closeness": close.astype(np.float32)}).take(order)

    def of(self, session: csr_matrix | Sequence[Sequence[int]]) -> "SessionLift":
        """The same lift for another session; labels and prices are not read again."""
        other = copy.copy(self)
        object.__setattr__(other, "session", session)
        return other

    def closeness(self, lists: TopK, session: csr_matrix) -> np.ndarray:
        """How close each candidate is to the session csr (B, I): (B, C) float64 in [0, 1], NaN where nobody can say."""
        parts = []
        if self._codes is not None:
            parts.append(
                _neutral(_share(np.where(lists.items >= 0, self._codes[lists.items], -1), session, self._codes))
            )
        if self._log_prices is not None:
            wide = np.where(lists.items >= 0, self._log_prices[lists.items], np.nan)
            middle = _medians(session, self._log_prices)
            parts.append(_neutral(np.exp(-(((wide - middle[:, None]) / np.log(self.price_factor)) ** 2) / 2)))
        known = ~np.isnan(parts)
        close = np.where(known.any(axis=0), np.where(known, parts, 1).prod(axis=0), np.nan)
        return np.where(lists.items >= 0, close, np.nan)


def _log_prices(prices):
    """ln price (I,), NaN where it is not known."""
    prices = np.asarray(prices, float)
    if prices.ndim != 1:
        raise ValueError(f"prices must be one per item, got an array of shape {prices.shape}")
    return np.log(np.where((prices > 0) & np.isfinite(prices), prices, np.nan))


def _clicks(session, batch):
    """The session as csr (B, I): how often each item was clicked."""
    if not issparse(session):
        rows = [np.asarray(row, int).ravel() for row in session]
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(int)
        indices = np.concatenate([np.empty(0, int), *rows])
        outside = indices[(indices < 0) | (indices >= batch.history.shape[1])]
        if len(outside):
            raise IndexError(f"positions must be 0 to {batch.history.shape[1] - 1}, got {outside[:3].tolist()}")
        session = csr_matrix((np.ones(len(indices)), indices, indptr), (len(rows), batch.history.shape[1]))
        session.sum_duplicates()
    if session.shape != batch.history.shape:
        raise ValueError(f"session must be requests x items, {batch.history.shape}, got {session.shape}")
    return session


def _share(listed, session, codes):
    """Share of the session's clicks in the category of each candidate (B, C); NaN where one of the two is not known."""
    clicks = label_weights(csr_matrix(session), codes)
    total = np.asarray(clicks.sum(axis=1)).reshape(-1, 1)
    share = np.divide(look_up(clicks, listed), total, out=np.full(listed.shape, np.nan), where=total > 0)
    return np.where(listed >= 0, share, np.nan)


def _medians(session, values):
    """Median of `values` over the items of each row (B,), each item once; NaN where none is known."""
    session = csr_matrix(session)
    rows, known = np.repeat(np.arange(session.shape[0]), np.diff(session.indptr)), values[session.indices]
    rows, known = rows[~np.isnan(known)], known[~np.isnan(known)]
    known = known[np.lexsort((known, rows))]
    counts = np.bincount(rows, minlength=session.shape[0])
    first = np.cumsum(counts) - counts
    middle = np.full(len(counts), np.nan)
    some = counts > 0
    low, high = (first + (counts - 1) // 2)[some], (first + counts // 2)[some]
    middle[some] = (known[low] + known[high]) / 2
    return middle


def _neutral(part):
    """NaN replaced by the row's mean of what is known; a row that knows nothing stays NaN."""
    known = ~np.isnan(part)
    total = np.where(known, part, 0).sum(axis=1, keepdims=True)
    counts = known.sum(axis=1, keepdims=True)
    mean = np.divide(total, counts, out=np.full(total.shape, np.nan), where=counts > 0)
    return np.where(known, part, mean)
