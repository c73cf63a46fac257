"""Exploration: places given to items that little is known of, with the chances they were shown by.

Who only ever shows what did well before never learns about the rest. These policies give away some places, and note
for each place the propensity: the chance that this item stood here, given the places above. Clicks divided by it
estimate what another policy would have earned; without it the log of an experiment cannot be used again.

Letters: B lists, C candidates of a list, K length of the new list, I items, N items of a pool.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from reco_utils.core import TopK, UserBatch, check_k
from reco_utils.rerank.interests import check_items
from reco_utils.rerank.pools import aligned, assemble, first_unused

CELLS = 2**22  # entries of a block of rows x pool items that are held at once


def burst(day, usual: float = 0.12, peak: float = 0.3, every_days: int = 28, lasts_days: int = 2):
    """The share of exploration of a day: `peak` on the first `lasts_days` of every `every_days` days, else `usual`.

    Day 0 begins a burst. Long quiet times with short bursts disturb as many places as a steady share in between, but
    all of it on days that can be announced, staffed and measured apart.

    Parameters
    ----------
    day : int or array of int
        Days since a day of your choice.
    usual, peak : float in [0, 1], usual <= peak

    Returns
    -------
    float, or float64 array of the shape of `day`; for `EpsilonGreedy(epsilon=...)`

    Raises
    ------
    ValueError  for shares out of order, or a burst longer than its cycle
    """
    if not 0 <= usual <= peak <= 1:
        raise ValueError(f"0 <= usual <= peak <= 1 must hold, got usual={usual!r} and peak={peak!r}")
    if not (every_days >= 1 and 0 <= lasts_days <= every_days):
        raise ValueError(f"a burst must last 0 to every_days={every_days!r} days, got lasts_days={lasts_days!r}")
    if not np.issubdtype(np.asarray(day).dtype, np.integer):
        raise TypeError(f"day must be a whole number of days, got {day!r}")
    found = np.where(np.asarray(day) % every_days < lasts_days, float(peak), float(usual))
    return found if found.ndim else float(found)


@dataclass(frozen=True, eq=False)
class EpsilonGreedy:
    """Each place is given with probability `epsilon` to an item of the pool, drawn evenly, else to the best candidate.

    Place by place, from the top: with probability epsilon one of the pool's items that are not in the list yet, each
    with the same chance; else the best candidate that is not in the list yet. An item may be reachable both ways:

        propensity = epsilon / m * [item in pool] + (1 - epsilon) * [item is the best unused candidate]

    with m the pool's items that are not in the list yet. Where one of the two has run out, the other one answers.
    Each call draws anew. An item that the list did not have gets the lowest score of the list (`pools.assemble`).

    Parameters
    ----------
    pool : TopK, or (I,) bool
        What may be explored: lists for the same users, cut by `recommend` with the same masks as the list, in any
        order. Or one flag per item of the catalogue; then what a user has seen is left out here, but no other mask
        is known: flag only what everybody may be shown.
    epsilon : float in [0, 1]
        0.10 to 0.15 is usual. 0: the list as it is, with propensity 1.
    rng : np.random.Generator

    Notes on the lists
    ------------------
    "propensity" (B, K) float64, NaN in padding; "explored" (B, K) bool, whether the draw or the list chose the item

    Source: Sutton and Barto (2018), section 2.2; Horvitz and Thompson (1952) for what propensities are good for.
    """

    pool: TopK | np.ndarray
    epsilon: float = 0.12
    rng: np.random.Generator = field(kw_only=True)

    def __post_init__(self):
        _check_policy(self.pool, "epsilon", self.epsilon, self.rng)

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The lists with explored places, and the notes "propensity" and "explored"."""

        def draw(members, free):
            return _nth_of(free, np.floor(self.rng.random(len(free)) * free.sum(axis=1)).astype(int))

        def chance(members, free, column):
            return 1 / free.sum(axis=1)

        return _explore(self, self.epsilon, (draw, chance), lists, batch, k)


# ------------------------------------------------------------------------------------------------------ place by place
def _check_policy(pool, name, share, rng):
    """Refuse what no policy can work with."""
    if isinstance(share, bool) or not 0 <= share <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {share!r}")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a np.random.Generator, got {rng!r}; np.random.default_rng(seed) makes one")
    if not isinstance(pool, TopK) and not (np.ndim(pool) == 1 and np.asarray(pool).dtype == bool):
        raise TypeError(f"pool must be a TopK or one bool per item, got {type(pool).__name__}")


def _explore(policy, share, rules: tuple[Callable, Callable], lists, batch, k):
    """Lists of a policy that gives each place with chance `share` to a draw from its pool, with their notes."""
    k, n_items = check_k(k), batch.history.shape[1]
    if not isinstance(policy.pool, TopK):
        check_items("pool", len(policy.pool), n_items)
    pool = aligned(policy.pool, lists, "pool") if isinstance(policy.pool, TopK) else None
    members = np.flatnonzero(policy.pool) if pool is None else np.unique(pool.items[pool.items >= 0])
    column = np.full(n_items + 1, -1)  # the last one for padding
    column[members] = np.arange(len(members))
    at_random = policy.rng.random((len(lists), k)) < share
    chosen = np.full((len(lists), k), -1, np.int32)
    explored, propensity = np.zeros(chosen.shape, bool), np.full(chosen.shape, np.nan)
    height = max(1, CELLS // max(len(members), 1))
    for start in range(0, len(lists), height):
        rows = slice(start, start + height)
        if pool is None:
            free = ~batch.seen[rows][:, members].toarray()
        else:
            free = np.zeros((len(lists.items[rows]), len(members) + 1), bool)
            np.put_along_axis(free, column[pool.items[rows]], True, axis=1)  # padding: the last column
            free = free[:, :-1]
        block = (chosen[rows], explored[rows], propensity[rows])
        _fill(lists.items[rows], members, column, free, at_random[rows], share, rules, *block)
    found = assemble(lists, chosen)
    return replace(found, notes={**found.notes, "propensity": propensity, "explored": explored})


def _fill(items, members, column, free, at_random, share, rules, chosen, explored, propensity):
    """Fill a block of lists from the top; `free` (B, N) are the items of the pool that are not in the list yet."""
    draw, chance = rules
    usable, rows = items >= 0, np.arange(len(items))
    for place in range(chosen.shape[1]):
        best, any_free = first_unused(usable, items), free.any(axis=1)
        lucky = any_free & (at_random[:, place] | (best < 0))
        shown = best.copy()
        if lucky.any():
            shown[lucky] = members[draw(members, free[lucky])]
        pooled = (shown >= 0) & (column[shown] >= 0)
        pooled[pooled] = free[rows[pooled], column[shown[pooled]]]
        from_pool, from_list = np.zeros(len(items)), (shown == best).astype(float)
        if pooled.any():
            from_pool[pooled] = chance(members, free[pooled], column[shown[pooled]])
        odds = np.where(any_free, np.where(best < 0, 1.0, share), 0.0)
        chosen[:, place], explored[:, place] = shown, lucky
        propensity[:, place] = np.where(shown >= 0, odds * from_pool + (1 - odds) * from_list, np.nan)
        usable &= items != shown[:, None]
        free[rows[pooled], column[shown[pooled]]] = False


def _nth_of(free, n):
    """The column of the n-th (from 0) True of each row."""
    return (np.cumsum(free, axis=1, dtype=np.int32) > n[:, None]).argmax(axis=1)
