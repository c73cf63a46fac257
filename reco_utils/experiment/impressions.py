"""What was shown, by which chance, and what came of it: the log that off-policy estimates and bandits live on.

A log holds sessions: in each, one list of K places was shown to one user. The *propensity* of a place is the chance
that this item stood there, given the places above it; `rerank.explore` notes it on the lists. A list of one place is
the log of a bandit, its items the arms.

Given the places above is not the same as over all: the bestseller that a policy puts first nine times out of ten can
hardly ever be seen in place 5, and when it is, the chance given the places above is 0.9 again. `PlaceChances` holds
the chance over all, which is what a single place must be weighed by.

Letters: n sessions, K places of a list, U users, I items, N items of a pool, A arms, D width of a context.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from reco_utils.core import TopK, check_k
from reco_utils.experiment.checks import check_columns, check_share

COLUMNS = ("user_at", "session", "item_at", "rank", "propensity")  # and the reward
MOST_PLACES = 14  # the chances of places go through all subsets of the list: 2^14 of them take a second


@dataclass(frozen=True, eq=False)
class PlaceChances:
    """P(item stands in place k) over everything that may stand above it, for every user of a policy.

    Made by `epsilon_greedy_chances`. Users who see the same pattern share a table, so that nothing of (U, I) exists.
    Its row r has the chances of the item of rank r + 1 of the base list in every place, its last row those of every
    item of the pool that is not in the base list.
    """

    base: np.ndarray  # (U, K) the list that the policy would show without exploring; -1 pads
    pool: np.ndarray  # (U, N) what it may explore; -1 pads
    tables: np.ndarray  # (T, K + 1, K)
    table: np.ndarray  # (U,) which table is a user's

    def of(self, users, items) -> np.ndarray:
        """Chances of items (n, C) of users (n,), by position, in every place: (n, C, K) float64; 0 for padding."""
        users, items = np.asarray(users, np.int64), np.asarray(items)
        k = self.base.shape[1]
        row = np.where(self._pooled(users, items), k, -1)
        for rank in range(k):
            row[(items == self.base[users, rank][:, None]) & (items >= 0)] = rank
        return np.where(row[:, :, None] >= 0, self.tables[self.table[users][:, None], row], 0.0)

    def _pooled(self, users, items):
        """Is the item (n, C) in the pool of the user (n,)?"""
        width, keys = self._keys
        wanted = np.where(items >= 0, users[:, None] * width + items, -1)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return (keys[at] == wanted) & (items < width)

    @cached_property
    def _keys(self):
        """A number above all items, and user * number + item of every pair of the pool, sorted; -2 so none is empty."""
        width = int(max(self.pool.max(initial=-1), self.base.max(initial=-1))) + 1
        user, column = np.nonzero(self.pool >= 0)
        return width, np.sort(np.append(user * width + self.pool[user, column], -2))


def epsilon_greedy_chances(base: TopK, pool: TopK, epsilon: float, k: int) -> PlaceChances:
    """P(item stands in place k) of the lists that `rerank.explore.EpsilonGreedy(pool, epsilon)` makes of `base`.

    Exact: place by place, the chance of every set of items of the base list that may have been used above is followed.

    Parameters
    ----------
    base, pool : TopK
        What the policy was given, for the same users in the same order; one row per user position.
    k : int, 1 to 14
        Places of the lists that were shown.
    """
    k = check_k(k)
    if k > MOST_PLACES:
        raise ValueError(f"k must be at most {MOST_PLACES}, got {k}; cut the lists, or assume 'above'")
    check_share("epsilon", epsilon)
    if not base.users.equals(pool.users):
        raise ValueError("base and pool must hold the same users in the same order; cut both for the same batch")
    listed = np.full((len(base), k), -1)
    listed[:, : base.k] = base.items[:, :k]
    found = PlaceChances(listed, pool.items, np.empty((0, k + 1, k)), np.empty(0, int))
    flags = np.where(listed < 0, -1, found._pooled(np.arange(len(base)), listed))
    sizes = np.count_nonzero(pool.items >= 0, axis=1)
    kinds, table = np.unique(np.column_stack([flags, sizes]), axis=0, return_inverse=True)
    tables = [_chances(kind[:-1], int(kind[-1]), float(epsilon)) for kind in kinds]
    return PlaceChances(listed, pool.items, np.reshape(tables, (-1, k + 1, k)), table.ravel())


def _chances(flags, n_pool, epsilon):
    """Chances (K + 1, K) of the base list's items and of any other of the pool.

    flags (K,): 1 in the pool, 0 not in it, -1 padding. State: which items of the base list are used, one bit each;
    all other places above were other items of the pool.
    """
    k = len(flags)
    bits = 1 << np.arange(k)
    used = np.arange(2**k)[:, None] & bits != 0
    padding, pooled = flags < 0, flags > 0
    n_others = n_pool - int(pooled.sum())
    state = np.zeros(2**k)
    state[bits[padding].sum()] = 1.0
    n_used, usable = (used & ~padding).sum(axis=1), ~used.all(axis=1)
    best = np.where(usable, (~used).argmax(axis=1), -1)
    found = np.zeros((k + 1, k))
    for place in range(k):
        others = np.maximum(n_others - (place - n_used), 0)
        free = others + (pooled & ~used).sum(axis=1)
        odds = np.where(free > 0, np.where(usable, epsilon, 1.0), 0.0)
        each = odds / np.maximum(free, 1)
        moved = state * each * others
        found[k, place] = moved.sum() / max(n_others, 1)
        for rank in range(k):
            step = state * np.where(used[:, rank], 0.0, each * pooled[rank] + (1 - odds) * (best == rank))
            found[rank, place] = step.sum()
            open_ = np.flatnonzero(~used[:, rank])
            moved[open_ | bits[rank]] += step[open_]
        state = moved
    return found


@dataclass(frozen=True, eq=False)
class Log:
    """Lists that were shown, with the chances they were shown by and their rewards. Refuses what cannot be weighed.

    Parameters
    ----------
    users : (n,) int
        Positions; a user may have many sessions, which are then correlated: intervals go by user.
    items : (n, K) int
        Positions, -1 pads. For a bandit: arms (n, 1).
    propensity : (n, K) float in (0, 1], NaN where an item is padding
        P(this item in this place, given the places above).
    reward : (n, K) float
        What came of each place: a click (0 or 1), units, euros. Ignored where an item is padding.
    places : PlaceChances, optional
        The chances over all; estimates that assume something about single places need them when K > 1.
    context : (n, D) float, optional
        What the policy knew of each session, for bandits.

    Raises
    ------
    ValueError  for missing, zero, negative or too large propensities and missing rewards: how many, and the first row
    """

    users: np.ndarray
    items: np.ndarray
    propensity: np.ndarray
    reward: np.ndarray
    places: PlaceChances | None = None
    context: np.ndarray | None = None

    def __post_init__(self):
        users, items = np.asarray(self.users), np.asarray(self.items)
        if items.ndim != 2 or users.shape != items.shape[:1]:
            raise ValueError(f"items must be (sessions, places) with one user each, got {items.shape}, {users.shape}")
        for name, array in (("users", users), ("items", items)):
            if array.dtype.kind not in "iu":
                raise TypeError(f"{name} must be positions, whole numbers, got {array.dtype}")
        if users.min(initial=0) < 0:
            row = int(np.flatnonzero(users < 0)[0])
            raise ValueError(f"users must be positions from 0, got {users[row]} in session {row}; leave strangers out")
        propensity, reward = np.asarray(self.propensity, float), np.asarray(self.reward, float)
        for name, array in (("propensity", propensity), ("reward", reward)):
            if array.shape != items.shape:
                raise ValueError(f"{name} must have the shape of items {items.shape}, got {array.shape}")
        shown = items >= 0
        session, place = np.nonzero(shown)
        _check_weighable(propensity[shown], reward[shown], lambda at: f"session {session[at]}, place {place[at] + 1}")
        if self.places is not None and self.places.base.shape[1] != items.shape[1]:
            raise ValueError(f"places must be for {items.shape[1]} places, got {self.places.base.shape[1]}")
        if self.places is not None and users.max(initial=-1) >= len(self.places.base):
            raise ValueError(f"places knows {len(self.places.base)} users, the log has user {users.max()}")
        context = None if self.context is None else np.asarray(self.context, float)
        if context is not None and (context.ndim != 2 or len(context) != len(users)):
            raise ValueError(f"context must have one row per session ({len(users)}), got shape {context.shape}")
        values = (users, items, np.where(shown, propensity, np.nan), np.where(shown, reward, 0.0), context)
        for name, value in zip(("users", "items", "propensity", "reward", "context"), values):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def k(self) -> int:
        """Places of a list, padding included."""
        return self.items.shape[1]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, reward: str = "reward", places: PlaceChances | None = None) -> "Log":
        """The log in a table of one row per impression, columns user_at, session, item_at, rank, propensity, reward.

        `rank` counts from 1, places without a row are padding; sessions keep the order of their first row. The log of
        `Shoppers.simulate` is such a table but for the reward: name the column that shall be it. Keep the rows of one
        policy; where its lists differ from those of another, so do the chances of places.

        Parameters
        ----------
        reward : str
            Column of the rewards, e.g. "clicked", "bought" or "revenue".

        Raises
        ------
        ValueError, KeyError  for missing columns, bad propensities or rewards (named by the frame's index), two items
        in one place, or a session of two users
        """
        _check_impressions(frame, reward)
        numbers = (frame[name].to_numpy(float, na_value=np.nan) for name in ("propensity", reward))
        _check_weighable(*numbers, lambda at: f"row {frame.index[at]!r}")
        session, names = pd.factorize(frame["session"])
        place = frame["rank"].to_numpy(int) - 1
        shape = (len(names), int(place.max(initial=-1)) + 1)
        users = np.zeros(len(names), int)
        users[session] = frame["user_at"]
        mixed = np.flatnonzero(users[session] != frame["user_at"].to_numpy())
        if len(mixed):
            name, row = frame["session"].iloc[mixed[0]], frame.index[mixed[0]]
            raise ValueError(f"session {name!r} has several users, see row {row!r}")
        items, propensity, earned = np.full(shape, -1), np.full(shape, np.nan), np.zeros(shape)
        for array, name in ((items, "item_at"), (propensity, "propensity"), (earned, reward)):
            array[session, place] = frame[name]
        return cls(users, items, propensity, earned, places)


def log_lists(shown: TopK, reward, *, users=None, places: PlaceChances | None = None) -> Log:
    """The log of lists that carry the note "propensity", as those of `rerank.explore` do.

    Parameters
    ----------
    reward : (B, K)
        E.g. `response.clicked` of `ShopTastes.respond_at`, or euros.
    users : (B,) int, optional
        User positions; by default list b was shown to user b.
    """
    if "propensity" not in shown.notes:
        raise ValueError(
            f"lists have no note 'propensity', only {sorted(shown.notes)}; without the chances they were shown by, "
            "nothing can be learnt from them: show lists of EpsilonGreedy or Thompson (rerank/explore.py)"
        )
    users = np.arange(len(shown)) if users is None else np.asarray(users)
    return Log(users, shown.items, shown.notes["propensity"], np.asarray(reward, float), places)


def _check_weighable(propensity, reward, row_of):
    """Refuse propensities (n,) that are missing, not above 0, or above 1, and rewards (n,) that are no numbers."""
    chances = "propensities must be above 0 and at most 1", "log the chance by which each item was shown"
    numbers = "rewards must be finite numbers", "nothing happened is 0"
    for values, wrong, what, (rule, advice) in (
        (propensity, np.isnan(propensity), "missing", chances),
        (propensity, ~(propensity > 0), "not above 0", chances),
        (propensity, propensity > 1 + 1e-9, "above 1", chances),
        (reward, ~np.isfinite(reward), "not so", numbers),
    ):
        at = np.flatnonzero(wrong)
        if len(at):
            raise ValueError(
                f"{rule}, {what} in {len(at)} of {len(values)} impressions, e.g. {values[at[0]]} in {row_of(at[0])}; "
                f"{advice}"
            )


def _check_impressions(frame, reward):
    """Refuse a table that is not one row per impression."""
    check_columns(frame, "impressions", [*COLUMNS, reward])
    for name, lowest in (("user_at", 0), ("item_at", 0), ("rank", 1)):
        column = frame[name]
        if column.dtype.kind not in "iu":
            raise TypeError(f"{name} must be whole numbers, got {column.dtype}")
        if len(column) and column.min() < lowest:
            row = frame.index[column.to_numpy().argmin()]
            raise ValueError(f"{name} must be at least {lowest}, got {column.min()} in row {row!r}")
    for wrong, what in (
        (frame["session"].isna(), "session is missing"),
        (frame.duplicated(["session", "rank"]), "two items are in one place of a session"),
    ):
        if wrong.any():
            row = frame.index[wrong.to_numpy().argmax()]
            raise ValueError(f"{what} in {wrong.sum()} of {len(frame)} impressions, e.g. row {row!r}")
