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

import numpy as np
import pandas as pd

from reco_utils.core import TopK

COLUMNS = ("user_at", "session", "item_at", "rank", "propensity", "reward")
MOST_PLACES = 14  # the chances of places go through all subsets of the list: 2^14 of them take a second


@dataclass(frozen=True, eq=False)
class PlaceChances:
    """P(item stands in place k) over everything that may stand above it, for every user of a policy.

    Made by `epsilon_greedy_chances`. Users who see the same pattern share a table, so that nothing of (U, I) exists.

    Parameters
    ----------
    base : (U, K) int
        The list that the policy would show without exploring; -1 pads.
    pool : (U, N) int
        What it may explore; -1 pads.
    tables : (T, K + 1, K) float64
        Row r: the chances of the item of rank r + 1 of the base list in every place; last row: those of every item of
        the pool that is not in the base list.
    table : (U,) int
        Which table is a user's.
    """

    base: np.ndarray
    pool: np.ndarray
    tables: np.ndarray
    table: np.ndarray

    def of(self, users, items) -> np.ndarray:
        """Chances of items (n, C) of users (n,), by position, in every place: (n, C, K) float64; 0 for padding."""
        raise NotImplementedError


def epsilon_greedy_chances(base: TopK, pool: TopK, epsilon: float, k: int) -> PlaceChances:
    """P(item stands in place k) of the lists that `rerank.explore.EpsilonGreedy(pool, epsilon)` makes of `base`.

    Exact: place by place, the chance of every set of items of the base list that may have been used above is followed.

    Parameters
    ----------
    base, pool : TopK
        What the policy was given, for the same users in the same order; one row per user position.
    epsilon : float in [0, 1]
    k : int, 1 to 14
        Places of the lists that were shown.

    Raises
    ------
    ValueError  for other users, a k above 14, or an epsilon outside 0 to 1
    """
    raise NotImplementedError


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

    def __len__(self) -> int:
        return len(self.users)

    @property
    def k(self) -> int:
        """Places of a list, padding included."""
        return self.items.shape[1]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, places: PlaceChances | None = None) -> "Log":
        """The log in a table of one row per impression, columns user_at, session, item_at, rank, propensity, reward.

        `rank` counts from 1, places without a row are padding; sessions keep the order of their first row.

        Raises
        ------
        ValueError  for missing columns, bad propensities or rewards (named by the frame's index), two items in one
        place, or a session of two users
        """
        raise NotImplementedError

    def to_frame(self) -> pd.DataFrame:
        """One row per impression, padding left out; the columns of `from_frame`."""
        raise NotImplementedError


def log_lists(shown: TopK, reward, *, users=None, places: PlaceChances | None = None) -> Log:
    """The log of lists that carry the note "propensity", as those of `rerank.explore` do.

    Parameters
    ----------
    shown : TopK, B lists
    reward : (B, K)
        E.g. `response.clicked` of `ShopTastes.respond_at`, or euros.
    users : (B,) int, optional
        User positions; by default list b was shown to user b.

    Raises
    ------
    ValueError  for lists without the note, or a reward of another shape
    """
    raise NotImplementedError
