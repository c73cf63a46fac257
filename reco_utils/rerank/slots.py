"""A carousel by the places it has to fill: so many from the main interest, one that is trending, one that is new.

Letters: B lists, C candidates of a list, K length of the new list, I items.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from typing import NamedTuple

import numpy as np

from reco_utils.core import TopK, UserBatch, check_k
from reco_utils.rerank.interests import check_items, favourites, label_codes, label_weights, look_up
from reco_utils.rerank.pools import assemble, first_unused, pool_lists, to_the_front


class Slot(NamedTuple):
    """`n` neighbouring places of a list that are filled by the same rule or from the same pool."""

    name: str
    n: int


INTERESTS = ("primary", "secondary", "surprise")  # the rules; every other name is that of a pool
CAROUSEL = (Slot("primary", 4), Slot("secondary", 3), Slot("trending", 1), Slot("new", 1), Slot("surprise", 1))


@dataclass(frozen=True, eq=False)
class Slots:
    """Fills the places of a list slot by slot: the best candidate of the main interest first, and so on.

    - "primary": candidates of the label with the largest weight in the user's history.
    - "secondary": candidates of the labels after it, as many as `n_secondary`, in the order of the list.
    - "surprise": candidates of a known label that is not in the history at all.
    - any other name: items of that pool, in the order of the pool. A pool called like a rule goes before the rule.

    First every place takes the best unused item of its own kind, from the first place to the last. Then the places that
    stayed empty take the best unused candidates of the list, whatever their kind, and are marked as a fallback. So a
    fallback never takes an item from a slot that it suits. A stranger has no interest, and so nothing that could
    surprise: all three rules fall back, the pools do not. Where the candidates have run out too, the list closes up and
    ends in padding. Beyond the layout the list goes on with the best unused candidates; a `k` below its length cuts it.

    Pools are lists for the same users. Cut them by `recommend` with the same masks as the list, so that nothing seen or
    forbidden gets in; an item that only a pool has gets the lowest score of the user's list (see `pools.assemble`).

    Parameters
    ----------
    labels : (I,)
        Category of each item; None or NaN where it is not known. Of two labels of equal weight the one that comes
        first in the catalogue counts as larger.
    layout : tuple of (name, n)
    pools : dict of TopK, or of functions (batch, k) -> TopK, e.g. `Pipeline(model)`
        A TopK holds for the users it was cut for, a function for any batch.
    n_secondary : int, at least 1
        How many labels after the first are secondary interests.

    Notes on the lists
    ------------------
    "slot" (B, K) int8, index into `names`, -1 in padding; "fallback" (B, K) bool

    Source: ours; the layout is that of the warehouse textbooks' carousel of ten.
    """

    labels: np.ndarray
    layout: tuple[Slot, ...] = CAROUSEL
    pools: Mapping[str, TopK | Callable[[UserBatch, int], TopK]] = field(default_factory=dict)
    n_secondary: int = 3

    def __post_init__(self):
        layout = tuple(Slot(*slot) for slot in self.layout)
        for name, n in layout:
            if name == "rest":
                raise ValueError("no slot may be called 'rest', which is what follows the layout")
            if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
                raise ValueError(f"slot {name!r} must have at least 1 place, got {n!r}")
            if name not in self.pools and name not in INTERESTS:
                near = "".join(f"; did you mean {w!r}?" for w in get_close_matches(name, [*INTERESTS, *self.pools], 1))
                raise ValueError(
                    f"slot {name!r} has no pool; without one there are {list(INTERESTS)}, pools are "
                    f"{list(self.pools)}{near}"
                )
            if not isinstance(self.pools.get(name), (TopK, type(None))) and not callable(self.pools[name]):
                raise TypeError(f"pool {name!r} must be a TopK or a function (batch, k), got {self.pools[name]!r}")
        if isinstance(self.n_secondary, bool) or not self.n_secondary >= 1:
            raise ValueError(f"n_secondary must be at least 1 label, got {self.n_secondary!r}")
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "_codes", label_codes(self.labels)[0])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the numbers of the note "slot" mean: the slots of the layout in order, then "rest" for what follows."""
        return (*dict.fromkeys(slot.name for slot in self.layout), "rest")

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The lists, slot by slot, and the notes "slot" and "fallback"."""
        k = check_k(k)
        check_items("labels", len(self._codes), batch.history.shape[1])
        kinds = self._kinds(k)
        sources = self._sources(lists, batch, k, {self.names[kind] for kind in kinds})
        chosen = np.full((len(lists), k), -1, np.int32)
        for place in np.flatnonzero(kinds < self.names.index("rest")):
            self._take(sources[self.names[kinds[place]]], place, chosen, sources)
        own = chosen >= 0
        for place in range(k):
            self._take(sources["rest"], place, chosen, {"rest": sources["rest"]})
        own |= kinds == self.names.index("rest")
        front = to_the_front(chosen >= 0)
        chosen, own, kinds = (
            np.take_along_axis(a, front, axis=1) for a in (chosen, own, np.tile(kinds, (len(own), 1)))
        )
        found = assemble(lists, chosen)
        notes = {"slot": np.where(chosen >= 0, kinds, -1).astype(np.int8), "fallback": (chosen >= 0) & ~own}
        return replace(found, notes={**found.notes, **notes})

    def _kinds(self, k):
        """The slot of each place (K,), as an index into `names`."""
        kinds = [self.names.index(slot.name) for slot in self.layout for _ in range(slot.n)]
        return np.array((kinds + [len(self.names) - 1] * k)[:k])

    def _sources(self, lists, batch, k, names):
        """What each slot takes from: items (B, C) and which of them are still usable (B, C), by name."""
        sources = {"rest": (lists.items, lists.items >= 0)}
        for name in names & set(self.pools):
            items = pool_lists(self.pools[name], lists, batch, k, name).items
            sources[name] = (items, items >= 0)
        rules = names & set(INTERESTS) - set(sources)
        if rules:
            kinds = self._of_interest(lists, batch)
            sources |= {name: (lists.items, kinds[name]) for name in rules}
        return sources

    def _of_interest(self, lists, batch):
        """Which candidates are of which kind: bool (B, C) by name; no kind for a candidate without a label."""
        codes = np.where(lists.items >= 0, self._codes[lists.items], -1)
        weights = label_weights(batch.history, self._codes)
        first = favourites(weights, 1 + self.n_secondary)
        known, warm = codes >= 0, np.diff(weights.indptr)[:, None] > 0
        primary = known & (codes == first[:, :1])
        secondary = known & (codes[:, :, None] == first[:, None, 1:]).any(axis=2)
        return {"primary": primary, "secondary": secondary, "surprise": known & warm & (look_up(weights, codes) == 0)}

    @staticmethod
    def _take(source, place, chosen, sources):
        """Fill a place, where it is empty, with the first usable item of a source, and use it up everywhere."""
        items, usable = source
        empty = chosen[:, place] < 0
        found = np.where(empty, first_unused(usable, items), -1)
        chosen[empty, place] = found[empty]
        for others, free in sources.values():
            free &= (others != found[:, None]) | (found[:, None] < 0)
