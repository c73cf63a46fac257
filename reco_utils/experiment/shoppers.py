"""Simulated shoppers: visitors with the planted tastes of the built-in shop, who see the lists of an experiment's arms.

    arms (lists) + who is in which arm --days--> visits, before, log --totals--> one row per user

Only a simulator knows what would have happened: `true_effect` sends every shopper through every arm. Nobody hears of
anybody else: a shopper's luck hangs on (seed, shopper, day, visit) and her memory holds her own visits only, so the
outcome of one user never depends on the arm of another ("no network effects", which a real shop can only hope for).

The constants of `Behaviour` are ours, tuned so that the built-in shop looks like a shop (2 to 4 orders per 100 visits,
30 to 55 % of visits without a click): they are assumptions of a model, not findings about people. Letters: n shoppers,
U users of the shop, I items, V visits, K places of a list, D factors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.special import gammaincinv, ndtri

from reco_utils.core import USER, TopK
from reco_utils.experiment.luck import luck_table
from reco_utils.experiment.session import AMOUNTS, COUNTS, Memory, Record, Ways, World, count_visits, run_visits
from reco_utils.experiment.traffic import Traffic, totals
from reco_utils.topk import N_THREADS, everywhere, spans

Policy = TopK | np.ndarray | Callable[[np.ndarray, int], "np.ndarray | TopK"]
SHARES = ("errand", "bored", "search", "search_after_click", "search_order")


class Truth(Protocol):
    """What is asked of the shop's planted truth: `reco_utils.data.shop_tastes.ShopTastes` has it all."""

    users: pd.Index
    items: pd.Index
    bots: pd.Index
    factor_names: tuple[str, ...]
    user_factors: np.ndarray  # (U, D)
    item_factors: np.ndarray  # (I, D)
    user_device: np.ndarray  # (U,)
    prices: np.ndarray  # (I,)
    consumable: np.ndarray  # (I,) bool
    model: object  # decay, click_base, cart_base, cart_slope, buy_base, buy_slope, buy_shift


@dataclass(frozen=True)
class Behaviour:
    """How shoppers behave around the shop's response model. "log-odds" is what is added to those of a click.

    Parameters
    ----------
    visits_per_week : float
        Of a shopper of average activity; activity is spread as a gamma distribution of shape `activity_shape`.
    weekday : 7 floats from Monday
        How many come on a day, as a multiple of a usual one.
    errand : share of visits that go straight to the search box and do not look at the list
    weekend_errand : float
        The same share on Saturday and Sunday, as a multiple: people browse more, so lists matter more. That is why a
        test runs for whole weeks.
    attention : log-odds
        The shop's response model is about lists that people asked for; a recommended one is clicked less.
    monotony : log-odds, taken off for every item of the same kind that was looked at further up in the list
    staleness : log-odds, taken off for every visit in a row at which the same list was met (at most 4; a list that
        shares half of its items counts half)
    novelty : log-odds, added on day 0 to a list none of whose items were in the list that the shopper met last before
        day 0; halved every `novelty_half_life_days`. 0 switches it off; without days before the test nobody is used to
        anything, and there is none.
    bored : chance to stop looking after each place that was looked at and not clicked
    search, search_after_click : chance to use the search box after a list without and with a click. The difference is
        what a better list cannibalises. An errand always searches.
    search_order : chance that a search ends in an order, unless something from the list was bought in this visit
    pleased, displeased : float
        What a visit with a click or an order adds to the shopper's mood, and a bounce takes off; the rate of visits is
        multiplied by exp(mood). Mood and staleness are halved every `half_life_days`.
    hurry : chance per second of latency to leave before the list was seen
    glance_s : seconds spent on a place that is looked at

    A shopper never clicks again on the durable item that she bought last from a list. A visit bounces when it ends
    without a click, in the list or in a search.
    """

    visits_per_week: float = 1.0
    activity_shape: float = 1.2
    weekday: tuple[float, ...] = (1.05, 0.95, 0.95, 1.00, 0.85, 0.95, 1.25)
    errand: float = 0.30
    weekend_errand: float = 0.7
    attention: float = -1.0
    monotony: float = 0.15
    staleness: float = 0.05
    novelty: float = 0.3
    novelty_half_life_days: float = 4.0
    bored: float = 0.05
    search: float = 0.20
    search_after_click: float = 0.12
    search_order: float = 0.05
    pleased: float = 0.25
    displeased: float = 0.10
    half_life_days: float = 7.0
    hurry: float = 0.05
    glance_s: float = 2.0

    def __post_init__(self):
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be a share from 0 to 1, got {getattr(self, name)!r}")
        for name in ("visits_per_week", "activity_shape", "novelty_half_life_days", "half_life_days"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be a finite number above 0, got {getattr(self, name)!r}")
        for name in ("monotony", "staleness", "novelty", "pleased", "displeased", "hurry", "glance_s"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be a finite number of at least 0, got {getattr(self, name)!r}")
        if len(self.weekday) != 7 or not all(0 <= share < np.inf for share in self.weekday):
            raise ValueError(f"weekday must be 7 finite numbers of at least 0, from Monday, got {self.weekday!r}")
        if not 0 <= self.errand * self.weekend_errand <= 1:
            raise ValueError(f"errand * weekend_errand must be a share from 0 to 1, got {self.weekend_errand!r}")

    def settled(self) -> "Behaviour":
        """The same people once nothing is new any more: without the novelty effect and without staleness."""
        return replace(self, novelty=0.0, staleness=0.0)


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
    activity : (U,) floats, optional
        How often each user of the shop comes, as a multiple; default: drawn.
    behaviour : Behaviour

    Attributes
    ----------
    users : (n,) ids, unique; at : (n,) int32, positions in `tastes.users`: whose lists and device a shopper has

    Raises
    ------
    ValueError  for n < 1, negative noise or activity, kinds or activity of another length
    """

    tastes: Truth
    n: int | None = None
    taste_noise: float = field(default=0.1, kw_only=True)
    kinds: np.ndarray | None = field(default=None, kw_only=True)
    activity: np.ndarray | None = field(default=None, kw_only=True)
    behaviour: Behaviour = field(default=Behaviour(), kw_only=True)

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
        ValueError  for arms nobody is in, names that are no arm, lists of another shape or with unknown positions
        """
        raise NotImplementedError

    def look(self, rows, items, *, day: int = 0, latency_ms: float = 80.0, seed: int = 0, log: bool = False):
        """One first visit of shoppers `rows` (m,) with the lists `items` (m, K): visits, or visits and log.

        Without a memory: no mood, staleness or novelty. The same shopper on the same day has the same luck; give
        another `day` for another visit. For bandits, interleaving and logs made visit by visit.
        """
        raise NotImplementedError

    def true_effect(
        self,
        arms: Mapping[str, Policy],
        *,
        control: str = "control",
        repeats: int = 10,
        seed: int = 1_000_000,
        **options,
    ) -> pd.DataFrame:
        """What each arm would do to everybody: the mean over all shoppers, each sent through every arm.

        Both potential outcomes of everyone, with the same luck in each arm, in `repeats` worlds (seeds `seed`, ...).

        Parameters
        ----------
        options : days, before_days, latency_ms, as for `simulate`

        Returns
        -------
        one row per metric and arm: metric, arm, value, effect (against control), relative, se (Monte Carlo error of
        the effect). Metrics: see `traffic.METRICS`.
        """
        raise NotImplementedError
