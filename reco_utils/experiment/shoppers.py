"""Simulated shoppers: visitors with the planted tastes of the built-in shop, who see the lists of an experiment's arms.

    arms (lists) + who is in which arm --days--> visits, before, log --totals--> one row per user

Only a simulator knows what would have happened: `true_effect` sends every shopper through every arm. Nobody hears of
anybody else: a shopper's luck hangs on (seed, shopper, day, visit) and her memory holds her own visits only, so the
outcome of one user never depends on the arm of another ("no network effects", which a real shop can only hope for).

How they behave, and which constants that takes, stands in `behaviour.Behaviour`. Letters: n shoppers, m of them, U
users of the shop, I items, V visits, K places of a list, D factors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import gammaincinv, ndtri

from reco_utils.core import USER
from reco_utils.experiment.behaviour import TASTELESS, Behaviour, Truth, strongest_factor, world_of
from reco_utils.experiment.checks import check_count, check_not_negative
from reco_utils.experiment.days import Simulation, blank_memory, blank_record, run_day, visit_columns
from reco_utils.experiment.luck import luck_table
from reco_utils.experiment.policies import Arms, Policy
from reco_utils.experiment.traffic import Traffic, values

ACTIVITY, TASTE = 1, 2  # seeds of what shoppers are like, whatever happens to them


@dataclass(frozen=True, eq=False)
class Shoppers:
    """The people of a shop, ready to take part in experiments.

    Parameters
    ----------
    tastes : ShopTastes (see `Truth`)
        The planted truth; tastes are those of the last day of the shop's history. Its bots are no shoppers.
    n : int, optional
        How many shoppers; default: every user of the shop once. Beyond that the users are gone through again: a fresh
        visitor "u0001~1" shares the taste of "u0001" up to `taste_noise`, sees the lists made for "u0001", and has
        luck and activity of her own.
    taste_noise : float
        Standard deviation of what a fresh visitor's interests and styles differ from the user's (whose own spread is
        about 0.5). Appeal and price sensitivity stay.
    kinds : (I,) int, optional
        What counts as the same kind of thing, e.g. codes of the subcategory, in the order of the shop's catalogue.
        Default: the taste factor in which an item is strongest.

    Raises
    ------
    ValueError  for n < 1, negative noise, or kinds of another length
    """

    tastes: Truth
    n: int | None = None
    taste_noise: float = field(default=0.1, kw_only=True)
    kinds: np.ndarray | None = field(default=None, kw_only=True)
    behaviour: Behaviour = field(default=Behaviour(), kw_only=True)

    def __post_init__(self):
        if self.n is not None:
            check_count("n", self.n)
        check_not_negative("taste_noise", self.taste_noise)
        if self.kinds is not None:
            kinds, n_items = np.asarray(self.kinds), len(self.tastes.items)
            if kinds.shape != (n_items,) or kinds.dtype.kind not in "iu":
                raise ValueError(f"kinds must be whole numbers ({n_items},), got {kinds.dtype} {kinds.shape}")

    @cached_property
    def at(self) -> np.ndarray:
        """Positions (n,) int32 in `tastes.users`: whose lists and device each shopper has."""
        people = np.flatnonzero(~self.tastes.users.isin(self.tastes.bots)).astype(np.int32)
        return people[np.arange(len(people) if self.n is None else self.n) % len(people)]

    @cached_property
    def users(self) -> pd.Index:
        """Ids (n,) of the shoppers, unique: those of the shop's users, with "~1", "~2", ... for fresh visitors."""
        copy = np.arange(len(self.at)) // self._n_people
        ids = np.asarray(self.tastes.users, dtype=object)[self.at]
        for row in np.flatnonzero(copy):
            ids[row] = f"{ids[row]}~{copy[row]}"
        return pd.Index(ids, name=USER)

    @cached_property
    def _n_people(self):
        return int((~self.tastes.users.isin(self.tastes.bots)).sum())

    @cached_property
    def _tastes(self):
        """Tastes (n, D) float64: a fresh visitor's differ a little from the user's."""
        tastes = self.tastes.user_factors[self.at].astype(np.float64)
        fresh = np.arange(self._n_people, len(tastes))
        if len(fresh) and self.taste_noise:
            columns = [at for at, name in enumerate(self.tastes.factor_names) if name not in TASTELESS]
            draws = np.maximum(luck_table(TASTE, fresh, len(columns)), 1e-12)
            tastes[np.ix_(fresh, columns)] += (self.taste_noise * ndtri(draws)).round(6)
        return tastes

    @cached_property
    def _rates(self):
        """Visits per day (n,) of each shopper in an ordinary mood on an ordinary day."""
        shape, numbers = self.behaviour.activity_shape, np.arange(len(self.at))
        activity = (gammaincinv(shape, luck_table(ACTIVITY, numbers, 1)[:, 0]) / shape).round(6)
        return activity * self.behaviour.visits_per_week / 7

    @cached_property
    def _devices(self):
        return np.asarray(self.tastes.user_device)[self.at].astype(np.int64)

    @cached_property
    def _world(self):
        kinds = strongest_factor(self.tastes) if self.kinds is None else self.kinds
        return world_of(self.tastes, self.behaviour, kinds)

    def simulate(
        self,
        arms: Mapping[str, Policy],
        assignment,
        *,
        days: int = 14,
        before_days: int = 0,
        control: str = "control",
        latency_ms: float | Mapping[str, float] = 80.0,
        seed: int = 0,
        log: bool = False,
    ) -> Traffic:
        """What happens when every shopper is shown the lists of her arm for some days.

        Parameters
        ----------
        arms : name -> policy
            A policy is a TopK or an array (U, K): one list per user of the shop, in the order of `tastes.users`, as
            positions in the shop's catalogue (`policies.in_shop` makes them from a model's lists), -1 pads. Or a
            callable (users (m,) positions in `tastes.users`, day) -> (m, K) lists or a TopK of them, asked once per
            day for the users who come; what it shows one user must not depend on who else is asked for.
        assignment : (n,) arm names in the order of `users`, or a frame with user_id and arm; None: not in the test,
            does not come
        days, before_days : int
            Days 0, 1, ... of the test; days -before_days, ..., -1 before it, on which everybody sees `control`.
        control : arm shown before the test
        latency_ms : milliseconds in the middle, for all arms or by arm
        seed : int
            Names a world of luck: another seed is another fortnight for the same people. The same seed, shopper and
            list give the same outcome in any arm (common random numbers). Day 0 is a Monday.
        log : bool
            Keep every impression (`Traffic.log`), with the propensities that the policy's TopK notes, else 1.

        Raises
        ------
        ValueError  for names that are no arm, users in two arms, lists of another shape or with unknown positions
        """
        check_count("days", days)
        check_count("before_days", before_days, 0)
        policies = Arms(arms, self.tastes)
        codes = policies.codes(assignment, self.users)
        if before_days and control not in policies.names:
            raise ValueError(f"before the test everybody sees {control!r}, which is none of {list(policies.names)}")
        run = Simulation(self, policies, codes, _by_arm(latency_ms, policies.names), _checked_seed(seed), log)
        for day in range(-before_days, days):
            run.live(day, policies.names.index(control) if day < 0 else None)
        return run.traffic()

    def look(self, rows, items, *, day: int = 0, latency_ms: float = 80.0, seed: int = 0) -> "Looks":
        """One first visit of shoppers `rows` (m,) on a day, with the lists `items` (m, K) in front of them.

        Without a memory: no mood, staleness or novelty. The same shopper on the same day has the same luck; give
        another `day` for another visit. For bandits, interleaving and logs made visit by visit.

        Raises
        ------
        ValueError  for rows that are no shoppers, or lists of another shape or with unknown positions
        """
        rows, items = np.ascontiguousarray(rows, np.int64), np.ascontiguousarray(items, np.int32)
        if rows.ndim != 1 or items.ndim != 2 or len(rows) != len(items) or not items.shape[1]:
            raise ValueError(f"look wants shoppers (m,) and lists (m, K), K >= 1, got {rows.shape} and {items.shape}")
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self.at)):
            raise ValueError(f"shoppers count from 0 to {len(self.at) - 1}, got {rows.min()} to {rows.max()}")
        if items.size and not (items.min() >= -1 and items.max() < len(self.tastes.items)):
            raise ValueError(f"items count from 0 to {len(self.tastes.items) - 1}, got {items.min()} to {items.max()}")
        record, memory = blank_record(len(rows), items.shape[1], True), blank_memory(len(rows), items.shape[1])
        run_day(self, _checked_seed(seed), day, rows, np.ones(len(rows), np.int64), latency_ms, items, memory, record)
        return Looks(visit_columns(record), record.steps, record.earned)

    def true_effect(
        self,
        arms: Mapping[str, Policy],
        *,
        control: str = "control",
        repeats: int = 10,
        seed: int = 1_000_000,
        **options,
    ) -> pd.DataFrame:
        """What each arm would do to everybody: both potential outcomes of every shopper, which nobody else can know.

        Every shopper goes through every arm with the same luck, in `repeats` worlds (seeds `seed`, `seed` + 1, ...).

        Parameters
        ----------
        options : days, before_days, latency_ms, as for `simulate`

        Returns
        -------
        one row per metric (`traffic.METRICS`) and arm: metric, arm, value; effect (value minus control's), relative
        (effect / control's value); se, the Monte Carlo error of the effect, NaN for one repeat

        Raises
        ------
        ValueError  when `control` is no arm, or for repeats < 1
        """
        check_count("repeats", repeats)
        if control not in arms:
            raise ValueError(f"control must be one of {list(arms)}, got {control!r}")
        worlds = range(_checked_seed(seed), seed + repeats)
        found = {arm: [self._all_in(arm, arms, world, control, options) for world in worlds] for arm in arms}
        found = {arm: pd.DataFrame(worlds) for arm, worlds in found.items()}
        tables = [_effects(arm, worlds, found[control]) for arm, worlds in found.items()]
        return pd.concat(tables, ignore_index=True)

    def _all_in(self, arm, arms, seed, control, options):
        """The metrics of one world in which everybody is in one arm."""
        everybody = np.full(len(self.at), arm, dtype=object)
        return values(self.simulate(arms, everybody, control=control, seed=seed, **options).totals())


@dataclass(frozen=True, eq=False)
class Looks:
    """What came of visits made one by one, and what happened at every place (m, K)."""

    visits: pd.DataFrame  # one row each: bounced, examined, shown, clicks, ..., as in `Traffic.visits`
    steps: np.ndarray  # how far it went: 0 shown (or padding), 1 looked at, 2 clicked, 3 put into the cart, 4 bought
    revenue: np.ndarray  # euros


def _by_arm(latency_ms, names):
    """Milliseconds (arms,) in the middle."""
    if isinstance(latency_ms, Mapping):
        missing = [name for name in names if name not in latency_ms]
        if missing:
            raise ValueError(f"no latency_ms for the arms {missing}; it covers {list(latency_ms)}")
        latency_ms = [latency_ms[name] for name in names]
    found = np.broadcast_to(np.asarray(latency_ms, np.float64), len(names)).copy()
    if not ((found >= 0) & np.isfinite(found)).all():
        raise ValueError(f"latency_ms must be finite numbers of at least 0, got {found.tolist()}")
    return found


def _checked_seed(seed):
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to 2**63 - 1, got {seed!r}")
    return int(seed)


def _effects(arm, worlds, control):
    """One row per metric of an arm; the worlds of both arms have the same luck, so their differences have little."""
    differences = worlds - control
    value, effect = worlds.mean(), differences.mean()
    table = pd.DataFrame(
        {"arm": arm, "value": value, "effect": effect, "relative": effect / control.mean(),
         "se": differences.std(ddof=1) / np.sqrt(len(worlds))}
    )  # fmt: skip
    return table.rename_axis("metric").reset_index()
