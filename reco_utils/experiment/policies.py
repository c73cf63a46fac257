"""What each arm shows: lists of the shop's own positions, from a model's lists, an array or a function of the day."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from reco_utils.core import USER, TopK
from reco_utils.experiment.checks import check_users

Policy = TopK | np.ndarray | Callable[[np.ndarray, int], np.ndarray | TopK]


def in_shop(lists: TopK, items: pd.Index, tastes) -> TopK:
    """Lists of a model as lists of the shop: rows in the order of `tastes.users`, positions in `tastes.items`.

    A Dataset counts its items in an order of its own and knows only those on sale at its cut; the shop's truth counts
    all it ever sold in the order of the catalogue.

    Parameters
    ----------
    lists : TopK, one row for every user of the shop, in any order
        E.g. `recommend(model, data.batch(tastes.users), 10)`: users the model does not know are strangers in it.
    items : (I,) ids that the positions of `lists` stand for: `data.items`

    Raises
    ------
    ValueError  for users without a list, or with two; KeyError  for items that the shop does not have
    """
    listed = pd.Index(lists.users)
    if not listed.is_unique:
        raise ValueError(f"a user has one list, got several for {listed[listed.duplicated()][:3].tolist()}")
    row = listed.get_indexer(tastes.users)
    if (row < 0).any():
        missing = tastes.users[row < 0]
        raise ValueError(f"no list for {len(missing)} of the shop's {len(row)} users, like {missing[:3].tolist()}")
    at = tastes.items.get_indexer(pd.Index(items))
    if (at < 0).any():
        raise KeyError(f"the shop has no items {pd.Index(items)[at < 0][:3].tolist()}")
    known = np.append(at, -1).astype(np.int32)  # position -1, the padding, finds the -1 at the end
    notes = {name: note[row] for name, note in lists.notes.items()}
    return TopK(tastes.users, known[lists.items[row]], lists.scores[row], notes)


class Arms:
    """The policies of an experiment, asked day by day for the lists of those who come."""

    def __init__(self, policies: Mapping[str, Policy], tastes):
        if not policies:
            raise ValueError("arms must name at least one policy, got none")
        self.names, self._shape = tuple(policies), (len(tastes.users), len(tastes.items))
        self._policies = [self._ready(name, policy, tastes) for name, policy in policies.items()]

    def lists(self, arm: np.ndarray, users: np.ndarray, day: int) -> tuple[np.ndarray, np.ndarray]:
        """What is shown on a day to users (m,) of the arms (m,), by number: items (m, K) int32, propensities (m, K)."""
        found = {code: self._ask(code, users[arm == code], day) for code in np.unique(arm)}
        width = max((items.shape[1] for items, _ in found.values()), default=1)
        items, propensities = np.full((len(arm), width), -1, np.int32), np.full((len(arm), width), np.nan)
        for code, (shown, by_chance) in found.items():
            items[arm == code, : shown.shape[1]], propensities[arm == code, : shown.shape[1]] = shown, by_chance
        return items, propensities

    def codes(self, assignment, users: pd.Index) -> np.ndarray:
        """The number (n,) of each user's arm, -1: not in the experiment; from names in order, or a frame of them."""
        if isinstance(assignment, pd.DataFrame):
            assignment = _by_user(assignment, users)
        names = pd.Series(np.asarray(assignment, dtype=object))
        if len(names) != len(users):
            raise ValueError(f"assignment must name one arm per shopper ({len(users)}), got {len(names)}")
        codes = pd.Index(self.names).get_indexer(names)
        unknown = names[(codes < 0) & names.notna()]
        if len(unknown):
            raise ValueError(f"no policy for the arms {sorted(set(map(str, unknown)))}; arms has {list(self.names)}")
        return codes.astype(np.int32)

    def _ready(self, name, policy, tastes):
        """A policy that does not change by day is looked at once."""
        if callable(policy):
            return policy
        if isinstance(policy, TopK) and not policy.users.equals(tastes.users):
            raise ValueError(f"the lists of {name!r} must be for the shop's users in their order; in_shop() does that")
        return self._checked(name, policy, self._shape[0])

    def _ask(self, code, users, day):
        policy = self._policies[code]
        if callable(policy):
            return self._checked(self.names[code], policy(users, day), len(users))
        items, propensities = policy
        return items[users], propensities[users]

    def _checked(self, name, lists, n_rows):
        """Items and propensities (n_rows, K) of lists, or a refusal that names the arm."""
        items, propensity = lists, None
        if isinstance(lists, TopK):
            items, propensity = lists.items, lists.notes.get("propensity")
        items = np.asarray(items)
        if items.ndim != 2 or len(items) != n_rows or items.dtype.kind not in "iu":
            wrong = f"{items.dtype} {items.shape}"
            raise ValueError(f"lists of {name!r} must be whole numbers ({n_rows} users, K), got {wrong}")
        if items.size and not (items.min() >= -1 and items.max() < self._shape[1]):
            raise ValueError(
                f"lists of {name!r} hold positions {items.min()} to {items.max()}; "
                f"the shop counts its items from 0 to {self._shape[1] - 1}, -1 pads"
            )
        propensity = np.ones(items.shape) if propensity is None else np.asarray(propensity, np.float64)
        return items.astype(np.int32), np.where(items < 0, np.nan, propensity)


def _by_user(assignment, users):
    """The arm of each user (n,), None for those without one; nobody is in two."""
    once = assignment[[USER, "arm"]].dropna(subset="arm").drop_duplicates()
    check_users(once, "assignments")
    unknown = ~once[USER].isin(users)
    if unknown.any():
        raise ValueError(
            f"{unknown.sum()} assigned users are no shoppers, like {once[USER][unknown].iloc[:3].tolist()}"
        )
    return once.set_index(USER)["arm"].astype(object).reindex(users).to_numpy()
