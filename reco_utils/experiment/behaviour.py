"""How the simulated shoppers behave, and what they are asked to know of the shop: constants with their meaning.

The constants are ours: assumptions of a model, not findings about people. They were chosen so that the built-in shop
(medium) looks like a shop. With lists of ten by popularity, and by the cascade of notebook 06, over two weeks:

    visits per user 2.04 and 2.11, of those who came 65 % again on another day, bounce 47 and 40 %, clicks per place 2.3
    and 3.6 %, orders per visit 2.1 and 2.5 %, order value 35 and 36 euros

so the cascade sells a fifth more, and 20,000 users per arm show that in more than nine tests of ten.

A disagreement of offline and online figures can be planted: with `Behaviour(monotony=1.0)` people tire of lists of one
kind, which an offline test cannot know. Item-kNN has an NDCG@10 of .067, its MMR (lam 0.4, words of the catalogue)
.055; these shoppers click 1.8 and 2.7 % of the places, and 7 % more of them buy with MMR.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from reco_utils.experiment.checks import check_not_negative, check_positive, check_share
from reco_utils.experiment.session import Ways, World

DEVICES = ("desktop", "mobile", "tablet")  # in the order of the shop's device codes
SHARES = ("errand", "taste_share", "bored", "search", "search_after_click", "search_order")
RATES = ("visits_per_week", "activity_shape", "novelty_half_life_days", "half_life_days")
STRENGTHS = ("monotony", "staleness", "novelty", "pleased", "displeased", "hurry", "glance_s")
SATURDAY = 5
TASTELESS = ("appeal", "price")  # factors that are no taste: everybody's 1, and minus the price sensitivity


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

    novelty is for a list none of whose items were in the list that the shopper met last before day 0; 0 switches it
    off, and without days before the test nobody is used to anything. weekend_errand: people browse more on Saturday and
    Sunday, so lists matter more; that is why a test runs for whole weeks. The difference between the two chances of a
    search is what a better list cannibalises. A shopper never clicks again on the durable item that she bought last
    from a list. A visit bounces when it ends without a click, in the list or in a search.
    """

    visits_per_week: float = 1.0  # of a shopper of average activity
    activity_shape: float = 1.2  # of the gamma distribution of activities
    weekday: tuple[float, ...] = (1.05, 0.95, 0.95, 1.00, 0.85, 0.95, 1.25)  # from Monday, as multiples of a usual day
    errand: float = 0.30  # share of visits that go straight to the search box and do not look at the list
    weekend_errand: float = 0.7  # that share on Saturday and Sunday, as a multiple
    attention: float = -0.9  # log-odds: the response model is about lists people asked for, this one is clicked less
    caution: float = -1.4  # to those of cart and order: who has not asked for a thing buys it less readily
    taste_share: float = 0.6  # how much of a preference speaks in a list; what one wants today besides no list knows
    monotony: float = 0.25  # log-odds, taken off for every item of the same kind looked at further up in the list
    staleness: float = 0.05  # taken off for every visit in a row with the same list (at most 4; half the items, half)
    novelty: float = 0.3  # log-odds, added on day 0 to a list that is new to the shopper
    novelty_half_life_days: float = 4.0
    bored: float = 0.05  # chance to stop looking after each place that was looked at and not clicked
    search: float = 0.12  # chance to use the search box after a list without a click; an errand always does
    search_after_click: float = 0.06
    search_order: float = 0.05  # chance that a search ends in an order, unless something from the list was bought
    pleased: float = 0.25  # what a click or an order adds to the mood; the rate of visits is multiplied by exp(mood)
    displeased: float = 0.10  # what a bounce takes off
    half_life_days: float = 7.0  # of mood and staleness
    hurry: float = 0.05  # chance per second of latency to leave before the list was seen
    glance_s: float = 2.0  # seconds spent on a place that is looked at

    def __post_init__(self):
        for check, names in ((check_share, SHARES), (check_positive, RATES), (check_not_negative, STRENGTHS)):
            for name in names:
                check(name, getattr(self, name))
        for name in ("attention", "caution"):
            if not np.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be a finite number, got {getattr(self, name)!r}")
        if len(self.weekday) != 7 or not all(0 <= share < np.inf for share in self.weekday):
            raise ValueError(f"weekday must be 7 finite numbers of at least 0, from Monday, got {self.weekday!r}")
        check_share("errand * weekend_errand", self.errand * self.weekend_errand)

    def on(self, day: int) -> Ways:
        """What the compiled visit needs to know on a day of the test (day 0 is a Monday, days before it negative)."""
        errand = self.errand * (self.weekend_errand if day % 7 >= SATURDAY else 1.0)
        novelty = 0.0 if day < 0 else self.novelty * 0.5 ** (day / self.novelty_half_life_days)
        same = {name: float(getattr(self, name)) for name in Ways._fields if name not in ("errand", "novelty")}
        return Ways(errand=round(errand, 6), novelty=round(novelty, 6), **same)


def world_of(tastes: Truth, behaviour: Behaviour, kinds: np.ndarray) -> World:
    """The shop and its response model as plain arrays and numbers."""
    model = tastes.model
    return World(
        np.ascontiguousarray(tastes.item_factors, np.float64),
        np.ascontiguousarray(tastes.prices, np.float64),
        np.ascontiguousarray(tastes.consumable, np.bool_),
        np.ascontiguousarray(kinds, np.int32),
        np.array(model.decay, np.float64),
        np.array(model.buy_shift, np.float64),
        float(model.click_base + behaviour.attention),
        float(model.cart_base + behaviour.caution),
        float(model.cart_slope),
        float(model.buy_base + behaviour.caution),
        float(model.buy_slope),
    )


def strongest_factor(tastes: Truth) -> np.ndarray:
    """The taste factor (I,) int32 in which each item is strongest: what counts as its kind unless told otherwise."""
    taste = np.array([name not in TASTELESS for name in tastes.factor_names])
    return tastes.item_factors[:, taste].argmax(axis=1).astype(np.int32)
