"""What the shoppers of the built-in shop like, and how they respond to a list: the planted truth.

    preference(u, i, t) = taste(u, t) . factors(i)                 a dot product, nothing else
    P(examined)           = rank ** -decay[device]                 position bias; ranks count from 1
    P(clicked | examined) = sigmoid(click_base + preference)
    P(carted | clicked)   = sigmoid(cart_base + cart_slope * preference)
    P(bought | carted)    = sigmoid(buy_base + buy_slope * preference + buy_shift[device])

The factors are named. There is one per category (interest), one per style, then "appeal" (every shopper has 1 there, so
an item's appeal is its popularity among people who see it) and "price" (an item's price level; a shopper has minus the
price sensitivity there, so dear items lose, with some shoppers more than with others). Tastes drift in a straight line
from the first to the last day. The shop's own history was made with the same response model.

Letters: U users, I items, D factors, n shoppers, K listed items.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

DEVICES = ("desktop", "mobile", "tablet")
ROWS = 8192  # shoppers handled at once: their item factors stay near 30 MB


@dataclass(frozen=True)
class ResponseModel:
    """The constants of the formulas above; one number per device where there are three, in the order of `DEVICES`.

    Parameters
    ----------
    decay : examination falls as rank ** -decay; larger means that only the top is looked at
    click_base, cart_base, buy_base : log-odds of going on at preference 0
    cart_slope, buy_slope : what a unit of preference adds to the log-odds (a click: 1)
    buy_shift : people browse on phones and buy on desktops
    """

    decay: tuple[float, float, float] = (0.40, 0.55, 0.45)
    click_base: float = -3.0
    cart_base: float = -2.1
    cart_slope: float = 0.5
    buy_base: float = -0.7
    buy_slope: float = 0.3
    buy_shift: tuple[float, float, float] = (0.2, -0.3, 0.0)


@dataclass(frozen=True, eq=False)
class Chances:
    """Probabilities (n, K) of each step, given the step before; 0 where the list is padding."""

    examine: np.ndarray
    click: np.ndarray
    cart: np.ndarray
    buy: np.ndarray


@dataclass(frozen=True, eq=False)
class Response:
    """What shoppers did with their lists: (n, K) arrays, each step only where the one before happened.

    `quantity` and `revenue` (price x quantity) are 0 where nothing was bought, `dwell_ms` 0 where nothing was clicked.
    """

    examined: np.ndarray
    clicked: np.ndarray
    carted: np.ndarray
    purchased: np.ndarray
    quantity: np.ndarray
    revenue: np.ndarray
    dwell_ms: np.ndarray


@dataclass(frozen=True, eq=False)
class ShopTastes:
    """The truth behind the built-in shop, asked pair by pair; the (U, I) matrix of preferences never exists.

    Parameters
    ----------
    users : (U,) ids; items : (I,) ids
        In the order of the shop's profiles and catalogue.
    factor_names : (D,) str
    user_factors : (U, D); user_drift : (U, D)
        Tastes on the last day, and their change since the first day.
    item_factors : (I, D)
    prices : (I,) euros; consumable : (I,) bool; user_device : (U,) int8
        Each shopper's usual device, a position in `DEVICES`.
    start, end : Timestamp
        First and last instant of the shop's history.
    bots, flat_raters : ids
        Accounts that are not shoppers, and people who give five stars to everything: the truth for cleaning.
    """

    users: pd.Index
    items: pd.Index
    factor_names: tuple[str, ...]
    user_factors: np.ndarray
    user_drift: np.ndarray
    item_factors: np.ndarray
    prices: np.ndarray
    consumable: np.ndarray
    user_device: np.ndarray
    start: pd.Timestamp
    end: pd.Timestamp
    bots: pd.Index
    flat_raters: pd.Index
    model: ResponseModel = ResponseModel()

    # -------------------------------------------------------------------------------------------------- preferences
    def preference(self, users, items, *, at=None) -> np.ndarray:
        """How much each user likes the item beside it, `taste(user, at) . factors(item)`, to 6 decimals.

        Parameters
        ----------
        users, items : ids (n,)
        at : time or times (n,), optional
            Default: the last day. Outside the history tastes stay as on its first or last day.

        Returns
        -------
        (n,) float64, on the log-odds scale of a click

        Raises
        ------
        KeyError  for ids the shop does not have; ValueError  when the two are not equally long
        """
        user_at, item_at = _find(self.users, users, "user"), _find(self.items, items, "item")
        if len(user_at) != len(item_at):
            raise ValueError(f"users and items are pairs, got {len(user_at)} users and {len(item_at)} items")
        return self.preference_at(user_at, item_at, at=at)

    def preference_at(self, user_at, item_at, *, at=None) -> np.ndarray:
        """`preference` by positions: users (n,), items (n,) or (n, K); NaN where an item is -1 (padding)."""
        user_at, item_at = np.asarray(user_at), np.asarray(item_at)
        wide = item_at if item_at.ndim == 2 else item_at[:, None]
        found = np.empty(wide.shape)
        when = None if at is None else np.broadcast_to(np.asarray(at, "datetime64[us]"), user_at.shape)
        for first in range(0, len(user_at), ROWS):
            rows = slice(first, first + ROWS)
            taste = self.taste_at(user_at[rows], at=None if when is None else when[rows])
            found[rows] = np.einsum("nd,nkd->nk", taste, self.item_factors[wide[rows]])
        found[wide < 0] = np.nan
        return np.round(found, 6).reshape(item_at.shape)

    def taste_at(self, user_at, *, at=None) -> np.ndarray:
        """Tastes (n, D) of users by position, at a time or times (n,); default: the last day."""
        if at is None:
            return self.user_factors[user_at]
        ago = (np.datetime64(self.end, "us") - np.asarray(at, "datetime64[us]")) / np.timedelta64(1, "us")
        share = np.clip(ago / ((self.end - self.start) / pd.Timedelta(microseconds=1)), 0.0, 1.0)
        return self.user_factors[user_at] - np.reshape(share, (-1, 1)) * self.user_drift[user_at]

    def factor(self, name: str) -> int:
        """The column of a factor by its name, e.g. "rugged"; KeyError lists the names."""
        if name not in self.factor_names:
            raise KeyError(f"no factor named {name!r}; the shop has {list(self.factor_names)}")
        return self.factor_names.index(name)

    # ---------------------------------------------------------------------------------------------------- responses
    def respond(self, users, items, *, rng, ranks=None, device=None, at=None) -> Response:
        """What shoppers do with the lists in front of them, drawn from the response model.

        Parameters
        ----------
        users : ids (n,), may repeat
        items : ids (n, K), best first; None pads
        rng : Generator
            The only source of chance: the same generator state gives the same response.
        ranks : (K,) or (n, K) int from 1, optional
            Where each item stood; default 1 to K.
        device : name or names (n,), optional
            Default: each shopper's usual device.
        at : time or times (n,), optional
            When, as tastes drift; default: the last day.

        Raises
        ------
        KeyError  for ids the shop does not have; ValueError  for an unknown device or a rank below 1
        """
        items = np.asarray(items, dtype=object)
        padding = pd.isna(items)
        item_at = np.full(items.shape, -1, np.int32)
        item_at[~padding] = _find(self.items, items[~padding], "item")
        return self.respond_at(_find(self.users, users, "user"), item_at, rng=rng, ranks=ranks, device=device, at=at)

    def respond_at(self, user_at, item_at, *, rng, ranks=None, device=None, at=None) -> Response:
        """`respond` by positions: users (n,), items (n, K) with -1 for padding."""
        chances = self.chances_at(user_at, item_at, ranks=ranks, device=device, at=at)
        luck = rng.random((4, *item_at.shape))
        examined = luck[0] < chances.examine
        clicked = examined & (luck[1] < chances.click)
        carted = clicked & (luck[2] < chances.cart)
        purchased = carted & (luck[3] < chances.buy)
        quantity = np.zeros(item_at.shape, np.int16)
        quantity[purchased] = self._quantity(item_at[purchased], rng)
        revenue = np.round(self.prices[item_at] * quantity, 2)
        dwell_ms = np.zeros(item_at.shape, np.int32)
        dwell_ms[clicked] = _dwell_ms(chances.click[clicked], rng)
        return Response(examined, clicked, carted, purchased, quantity, revenue, dwell_ms)

    def chances_at(self, user_at, item_at, *, ranks=None, device=None, at=None) -> Chances:
        """The probabilities behind `respond_at`, to 6 decimals: the truth for off-policy estimates."""
        item_at = np.asarray(item_at)
        if item_at.ndim != 2 or len(item_at) != len(user_at):
            raise ValueError(f"items must be (shoppers, K) with {len(user_at)} shoppers, got {item_at.shape}")
        ranks = np.arange(1, item_at.shape[1] + 1) if ranks is None else np.asarray(ranks)
        if ranks.size and ranks.min() < 1:
            raise ValueError(f"ranks count from 1, got {ranks.min()}")
        model, device = self.model, self._device(user_at, device)[:, None]
        liking = self.preference_at(user_at, item_at, at=at)
        examine = ranks ** -np.take(model.decay, device)
        cart = _sigmoid(model.cart_base + model.cart_slope * liking)
        buy = _sigmoid(model.buy_base + model.buy_slope * liking + np.take(model.buy_shift, device))
        steps = (examine, _sigmoid(model.click_base + liking), cart, buy)
        return Chances(*(np.where(item_at < 0, 0.0, np.round(step, 6)) for step in steps))

    def _device(self, user_at, device):
        """Device codes (n,): the shopper's own, or those of the names given."""
        if device is None:
            return self.user_device[user_at]
        names = np.broadcast_to(np.asarray(device, dtype=object), np.shape(user_at))
        codes = pd.Index(DEVICES).get_indexer(names)
        if (codes < 0).any():
            raise ValueError(f"device must be one of {list(DEVICES)}, got {names[codes < 0][0]!r}")
        return codes

    def _quantity(self, item_at, rng):
        """Pieces per purchase: mostly 1; what is used up is more often bought in twos and threes."""
        more = np.where(self.consumable[item_at], 0.3, 0.08)
        luck = rng.random(len(item_at))
        return 1 + (luck < more).astype(np.int16) + (luck < more / 3)


def _dwell_ms(click_chance, rng):
    """Milliseconds on the item's page: log-normal around 14 s, longer for what is liked."""
    middle = np.log(14_000) + 1.2 * (click_chance - 0.3)
    return np.exp(np.clip(rng.normal(middle, 0.8), 6.5, 13.0)).round().astype(np.int32)


def _sigmoid(log_odds):
    return 1.0 / (1.0 + np.exp(-log_odds))


def _find(index, ids, word):
    """Positions of ids, all of which must be known."""
    positions = index.get_indexer(pd.Index(ids))
    if (positions < 0).any():
        unknown = np.asarray(ids, dtype=object)[positions < 0]
        raise KeyError(f"unknown {word} id {unknown[:3].tolist()}; the shop has {len(index)}, like {index[0]!r}")
    return positions.astype(np.int32)
