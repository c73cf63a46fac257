"""Exploration: places given to items that little is known of, with the chances they were shown by.

Who only ever shows what did well before never learns about the rest. These policies give away some places, and note
for each place the propensity: the chance that this item stood here, given the places above. Clicks divided by it
estimate what another policy would have earned; without it the log of an experiment cannot be used again.

Letters: B lists, C candidates of a list, K length of the new list, I items, N items of a pool.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_matrix

from reco_utils.core import TopK, UserBatch, check_k
from reco_utils.highest import N_GRID, chance_highest, log_cdfs
from reco_utils.rerank.cosines import cosines_to_profile, unit_rows
from reco_utils.rerank.interests import check_items, label_codes, label_weights, look_up
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

        return _explore(self, self.epsilon, lists, batch, k)

    def _rules(self, members):
        """How to draw from the free items (B, N) of a pool (N,), and the chance of the one in a column (B,)."""

        def draw(free):
            return _nth_of(free, np.floor(self.rng.random(len(free)) * free.sum(axis=1)).astype(int))

        def chance(free, column):
            return 1 / free.sum(axis=1)

        return draw, chance


@dataclass(frozen=True, eq=False)
class Thompson:
    """Each place is given with probability `share` to the pool's item of the highest draw of what it may be worth.

    What is known of an item after `trials` showings with `successes` clicks is a Beta(1 + successes, 1 + failures)
    distribution of its rate. Each such place draws a rate for every item of the pool that is not in the list yet, and
    shows the highest; otherwise the place goes to the best candidate that is not in the list yet. An item nobody has
    tried is drawn high about as often as low; one that failed a hundred times is hardly ever. So places move from what
    is unknown to what does well, without a schedule:

        propensity = share * P(item has the highest draw) + (1 - share) * [item is the best unused candidate]

    The probability is no simulation but an integral, see `reco_utils.highest`.

    Parameters
    ----------
    successes, trials : (I,) numbers, 0 <= successes <= trials
        Of each item of the catalogue, e.g. clicks and showings in this place of the shop.
    pool, rng, share : see `EpsilonGreedy`

    Notes on the lists
    ------------------
    "propensity" (B, K) float64, NaN in padding; "explored" (B, K) bool, whether the draw or the list chose the item

    Source: Thompson (1933); Chapelle and Li (2011), "An empirical evaluation of Thompson sampling".
    """

    successes: np.ndarray
    trials: np.ndarray
    pool: TopK | np.ndarray
    share: float = 0.12
    rng: np.random.Generator = field(kw_only=True)

    def __post_init__(self):
        _check_policy(self.pool, "share", self.share, self.rng)
        successes, trials = np.asarray(self.successes, float), np.asarray(self.trials, float)
        if successes.ndim != 1 or successes.shape != trials.shape:
            raise ValueError(f"successes and trials must be one per item, got {successes.shape} and {trials.shape}")
        wrong = np.flatnonzero(~((0 <= successes) & (successes <= trials) & (trials < np.inf)))
        if len(wrong):
            at = wrong[0]
            raise ValueError(
                f"0 <= successes <= trials must hold, not so for {len(wrong)} items, e.g. position {at}: "
                f"{successes[at]:g} of {trials[at]:g}"
            )
        object.__setattr__(self, "_beta", (1 + successes, 1 + trials - successes))

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The lists with explored places, and the notes "propensity" and "explored"."""
        check_items("successes", len(self._beta[0]), batch.history.shape[1])
        return _explore(self, self.share, lists, batch, k)

    def _rules(self, members):
        """How to draw from the free items (B, N) of a pool (N,), and the chance of the one in a column (B,)."""
        a, b = (parameter[members] for parameter in self._beta)
        logs = log_cdfs(a, b)

        def draw(free):
            row, column = np.nonzero(free)
            rates = self.rng.beta(a[column], b[column])
            highest = np.maximum.reduceat(rates, np.searchsorted(row, np.arange(len(free))))
            best = np.flatnonzero(rates == highest[row])
            return column[best[np.searchsorted(row[best], np.arange(len(free)))]]

        def chance(free, column):
            return chance_highest(logs, free, column)

        return draw, chance


# ------------------------------------------------------------------------------------------------------ place by place
def _check_policy(pool, name, share, rng):
    """Refuse what no policy can work with."""
    if isinstance(share, bool) or not 0 <= share <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {share!r}")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a np.random.Generator, got {rng!r}; np.random.default_rng(seed) makes one")
    if not isinstance(pool, TopK) and not (np.ndim(pool) == 1 and np.asarray(pool).dtype == bool):
        raise TypeError(f"pool must be a TopK or one bool per item, got {type(pool).__name__}")


def _explore(policy, share, lists, batch, k):
    """Lists of a policy that gives each place with chance `share` to a draw from its pool, with their notes."""
    k, n_items = check_k(k), batch.history.shape[1]
    if not isinstance(policy.pool, TopK):
        check_items("pool", len(policy.pool), n_items)
    pool = aligned(policy.pool, lists, "pool") if isinstance(policy.pool, TopK) else None
    members = np.flatnonzero(policy.pool) if pool is None else np.unique(pool.items[pool.items >= 0])
    column = np.full(n_items + 1, -1)  # the last one for padding
    column[members] = np.arange(len(members))
    rules, at_random = policy._rules(members), policy.rng.random((len(lists), k)) < share
    chosen = np.full((len(lists), k), -1, np.int32)
    explored, propensity = np.zeros(chosen.shape, bool), np.full(chosen.shape, np.nan)
    height = max(1, CELLS // max(len(members), N_GRID))
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
    usable, rows, n_free = items >= 0, np.arange(len(items)), np.count_nonzero(free, axis=1)
    for place in range(chosen.shape[1]):
        best, any_free = first_unused(usable, items), n_free > 0
        lucky = any_free & (at_random[:, place] | (best < 0))
        shown = best.copy()
        if lucky.any():
            shown[lucky] = members[draw(free[lucky])]
        pooled = (shown >= 0) & (column[shown] >= 0)
        pooled[pooled] = free[rows[pooled], column[shown[pooled]]]
        from_pool, from_list = np.zeros(len(items)), (shown == best).astype(float)
        if pooled.any():
            from_pool[pooled] = chance(free[pooled], column[shown[pooled]])
        odds = np.where(any_free, np.where(best < 0, 1.0, share), 0.0)
        chosen[:, place], explored[:, place] = shown, lucky
        propensity[:, place] = np.where(shown >= 0, odds * from_pool + (1 - odds) * from_list, np.nan)
        usable &= items != shown[:, None]
        free[rows[pooled], column[shown[pooled]]] = False
        n_free -= pooled


def _nth_of(free, n):
    """The column of the n-th (from 0) True of each row."""
    return (np.cumsum(free, axis=1, dtype=np.int32) > n[:, None]).argmax(axis=1)


# ---------------------------------------------------------------------------------------------------------- serendipity
@dataclass(frozen=True, eq=False)
class Serendipity:
    """Some places, spread over the list, go to the best candidates that are far from the user's history.

    Of k places n = floor(share * k + 1/2) are surprises, at most every second one: the last of each n-th part of the
    list (of ten places the 5th and the 10th), so never the first. Each takes the best candidate that is far and not in
    the list yet; all other places, and a surprise that finds none, take the best candidate that is not in the list yet.
    A stranger has no history to be far from: the list stays as it is. No randomness.

    Parameters
    ----------
    traits : (I,) labels, or (I, D) vectors, dense or csr
        Labels: far is an item of a known label that is not in the history. Vectors: far is an item among the
        `far_share` of the user's candidates with the lowest cosine to the history's weighted sum of unit vectors. An
        item without a label or vector is not known to be far.
    share : float from 0 to 0.5
        0.1 to 0.2 is usual.
    far_share : float in (0, 1]
        For vectors: 0.25 is the farthest quarter of the candidates that have a vector, rounded up.

    Notes on the lists
    ------------------
    "surprise" (B, K) bool, whether the place was given to a far candidate by the rule

    Source: ours; what is surprising and still relevant, after Ge, Delgado-Battenfeld and Jannach (2010).
    """

    traits: np.ndarray | csr_matrix
    share: float = 0.15
    far_share: float = 0.25

    def __post_init__(self):
        if isinstance(self.share, bool) or not 0 <= self.share <= 0.5:
            raise ValueError(f"share must be from 0 to 0.5, got {self.share!r}")
        if isinstance(self.far_share, bool) or not 0 < self.far_share <= 1:
            raise ValueError(f"far_share must be above 0 and at most 1, got {self.far_share!r}")
        labels = np.ndim(self.traits) == 1
        object.__setattr__(self, "_codes", label_codes(self.traits)[0] if labels else None)
        object.__setattr__(self, "_unit", None if labels else unit_rows(self.traits))

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The lists with surprises, and the note "surprise"."""
        k = check_k(k)
        check_items("traits", len(self._codes) if self._unit is None else self._unit.shape[0], batch.history.shape[1])
        far = self.far(lists, batch)
        free, rows = lists.items >= 0, np.arange(len(lists))
        order, surprise = np.full((len(lists), k), -1), np.zeros((len(lists), k), bool)
        n = min(int(np.floor(self.share * k + 0.5)), k // 2)
        surprises = {-(-(part + 1) * k // n) - 1 for part in range(n)}
        for place in range(k):
            wanted = free & far if place in surprises else np.zeros_like(free)
            surprise[:, place] = wanted.any(axis=1)
            wanted = np.where(surprise[:, place, None], wanted, free)
            column = wanted.argmax(axis=1)
            order[:, place] = np.where(wanted[rows, column], column, -1)
            free[rows, column] = False
        found = lists.take(order)
        return replace(found, notes={**found.notes, "surprise": surprise})

    def far(self, lists: TopK, batch: UserBatch) -> np.ndarray:
        """Which candidates are far from the history: (B, C) bool, none of a stranger's."""
        if self._unit is None:
            codes = np.where(lists.items >= 0, self._codes[lists.items], -1)
            weights = label_weights(batch.history, self._codes)
            return (codes >= 0) & (np.diff(weights.indptr)[:, None] > 0) & (look_up(weights, codes) == 0)
        cosines = cosines_to_profile(self._unit, batch.history, lists.items)
        known = np.count_nonzero(~np.isnan(cosines), axis=1)
        last = np.clip(np.ceil(self.far_share * known).astype(int) - 1, 0, None)[:, None]
        limit = np.take_along_axis(np.sort(cosines, axis=1), last, axis=1)  # NaN is sorted to the end
        return cosines <= limit
