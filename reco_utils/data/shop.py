"""The built-in shop: a synthetic web shop whose shoppers' tastes are known, the default dataset of the course.

    catalogue and people --sessions--> lists --response model--> view, click, add_to_cart, purchase, rating

A session has a shopper, a time, a device and a way in: the home page (popular items), a subcategory, or a search (whose
list already leans towards the shopper's taste). The shop lists popular and new items first; the shopper examines the
list from the top and responds as `shop_tastes` says. Around that: repeat orders of goods that are used up, ratings some
days later, double clicks, bots, and people who give five stars to everything.

Every number that is compared or cumulated is rounded first, so a seed gives the same tables on every machine (as long
as NumPy keeps its PCG64 streams, which it has within 2.x).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reco_utils.core import EVENT, EVENT_TYPES, ITEM, TIME, USER, Defaults, Tables
from reco_utils.data.schema import canonical
from reco_utils.data.shop_catalog import FACTOR_NAMES, N_TASTES, Stock, make_stock
from reco_utils.data.shop_people import People, make_people
from reco_utils.data.shop_tastes import DEVICES, ShopTastes

SIZES = {"small": (500, 300), "medium": (5_000, 2_000), "large": (100_000, 20_000)}  # users, items
START, N_DAYS = pd.Timestamp("2025-01-02"), 180
END = START + pd.Timedelta(days=N_DAYS) - pd.Timedelta(seconds=1)  # the last second of 2025-06-30
DAY_MS = 86_400_000
DEFAULTS = Defaults(("purchase",), positive_from=4.0, half_life_days=90.0)

SESSIONS_PER_USER = 11.0  # in 180 days, for a user of average activity who was there from the start
WEEKDAYS = (1.05, 0.95, 0.95, 1.00, 0.85, 0.95, 1.25)  # from Monday
HOURS = (3, 2, 1, 1, 1, 2, 4, 6, 7, 8, 9, 9, 10, 9, 9, 9, 10, 11, 13, 16, 18, 16, 11, 6)
WAYS_IN = (0.25, 0.40, 0.35)  # share of sessions: home page, subcategory, search
LEAN = (0.0, 0.2, 0.5)  # how far the list's order follows the shopper's taste, for each
FOCUS = 1.4  # how strongly tastes decide which subcategory is opened
N_LISTED, N_CANDIDATES, ELSEWHERE = 10, 30, 0.2  # of the candidates, a fifth come from anywhere in the shop
SHELF_BIAS, NEW_BONUS, NEW_DAYS = 0.5, 1.0, 14.0  # the shop lists first what is popular and what is new
CHUNK = 8192  # sessions handled at once
REORDERED, REORDER_DAYS = 0.45, 28.0  # share of purchases of goods that are used up; after how long, in the middle
RATED, PRAISED, STARS = 0.15, 0.8, 2.1  # share of purchases, of a flat rater's clicks; stars at preference 0
DOUBLE_CLICKED, BOTS, FLAT_RATERS = 0.015, 0.0015, 0.01
VIEW, CLICK, CART, PURCHASE, RATING = range(len(EVENT_TYPES))


@dataclass(frozen=True, eq=False)
class Sessions:
    """Who came when (ms since the start), on which device, by which way in; one entry per session, in time order."""

    user: np.ndarray
    start_ms: np.ndarray
    device: np.ndarray
    way: np.ndarray

    def __len__(self):
        return len(self.user)

    def __getitem__(self, rows):
        return Sessions(self.user[rows], self.start_ms[rows], self.device[rows], self.way[rows])


def make_shop(size: str = "medium", *, seed: int = 0) -> Tables:
    """The three tables of a synthetic shop over 180 days to 2025-06-30, and the tastes that made them (`.tastes`).

    Parameters
    ----------
    size : "small" (500 users x 300 items), "medium" (5,000 x 2,000) or "large" (100,000 x 20,000)
    seed : int
        Another seed is another shop: other tastes, brands' characters, titles, prices and events.

    Defaults. No window and a `half_life_days` of 90: tastes drift slowly, and on validation data a window of 90 days
    with a half-life of 30 costs every personal model (user-kNN .0085 of an NDCG@10 of .0706).

    Raises
    ------
    ValueError  for an unknown size

    Source: ours.
    """
    if size not in SIZES:
        raise ValueError(f"size must be one of {list(SIZES)}, got {size!r}")
    n_users, n_items = SIZES[size]
    chance = [np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence(seed).spawn(5)]
    stock, people = make_stock(n_items, START, N_DAYS, chance[0]), make_people(n_users, START, N_DAYS, chance[1])
    tastes = _truth(stock, people, chance[4])
    sessions = _sessions(people, tastes, chance[2])
    log = _odd_events(_shop(sessions, stock, tastes, chance[3]), stock, people, tastes, chance[4])
    del sessions
    return canonical(
        "shop", _event_table(log, tastes), stock.table, people.table, defaults=DEFAULTS, asof=END, tastes=tastes
    )


def _truth(stock: Stock, people: People, rng) -> ShopTastes:
    """The planted truth: factors by name, and which accounts are not what they seem."""
    users = pd.Index(people.table[USER], name=USER)
    n_bots, n_flat = max(1, round(BOTS * len(users))), max(2, round(FLAT_RATERS * len(users)))
    turn, keen = rng.permutation(len(users)), people.activity > np.median(people.activity)
    flat = turn[keen[turn]][:n_flat]
    bots = turn[~keen[turn]][:n_bots]
    return ShopTastes(
        users, pd.Index(stock.table[ITEM], name=ITEM), FACTOR_NAMES, people.factors, people.drift, stock.factors,
        stock.prices, stock.consumable, people.device, START, END, users[np.sort(bots)], users[np.sort(flat)],
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------- sessions
def _sessions(people: People, tastes: ShopTastes, rng) -> Sessions:
    """Draw all sessions: heavy-tailed activity, weekly and daily rhythm, none before sign-up, one right after it."""
    new = people.signup_ms >= 0
    open_share = 1 - np.maximum(people.signup_ms, 0) / (N_DAYS * DAY_MS)
    activity = np.where(tastes.users.isin(tastes.bots), 0.0, people.activity)
    counts = rng.poisson(SESSIONS_PER_USER * activity * open_share)
    user = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    start_ms = _moments(np.maximum(people.signup_ms[user], 0), rng)
    first = np.flatnonzero(new & (activity > 0) & (rng.random(len(new)) < 0.9)).astype(np.int32)
    user = np.concatenate([user, first])
    start_ms = np.concatenate([start_ms, people.signup_ms[first] + 1000 * rng.integers(20, 600, len(first))])
    device = np.where(rng.random(len(user)) < 0.85, people.device[user], rng.integers(0, 2, len(user))).astype(np.int8)
    way = np.searchsorted(np.cumsum(WAYS_IN)[:-1].round(6), rng.random(len(user)), side="right")
    order = np.argsort(start_ms, kind="stable")
    return Sessions(user, start_ms, device, way)[order]


def _moments(not_before_ms, rng):
    """Times (n,) in ms, none before `not_before_ms`: a day by weekday, then an hour by the daily rhythm."""
    weekday = (np.arange(N_DAYS) + START.weekday()) % 7
    days = np.concatenate([[0.0], np.cumsum(np.take(WEEKDAYS, weekday))]).round(6)
    first = days[(not_before_ms // DAY_MS).astype(int)]
    day = np.searchsorted(days, first + rng.random(len(first)) * (days[-1] - first), side="right") - 1
    hours = np.cumsum(HOURS)
    hour = np.searchsorted(hours, rng.random(len(first)) * hours[-1], side="right")
    ms = day * DAY_MS + hour * 3_600_000 + rng.integers(0, 3_600_000, len(first))
    return np.maximum(ms, not_before_ms + 660_000).astype(np.int64)


def _shop(sessions, stock, tastes, rng) -> pd.DataFrame:
    """Run all sessions through lists and responses; returns the log of funnel events."""
    parts = []
    for first in range(0, len(sessions), CHUNK):
        part = sessions[first : first + CHUNK]
        at = np.datetime64(START, "ms") + part.start_ms.astype("timedelta64[ms]")
        listed = _lists(part, at, stock, tastes, rng)
        response = tastes.respond_at(part.user, listed, rng=rng, device=np.take(DEVICES, part.device), at=at)
        parts.append(_timeline(part, listed, response, first, rng))
    return pd.concat(parts, ignore_index=True)


def _lists(sessions, at, stock, tastes, rng):
    """What each session is shown (n, N_LISTED), positions of items, -1 pads."""
    shelf = _shelves(sessions, at, stock, tastes, rng)
    candidates = _candidates(shelf, stock, rng)
    age = sessions.start_ms[:, None] - stock.created_ms[candidates]
    on_sale = (age >= 0) & (sessions.start_ms[:, None] < stock.gone_ms[candidates])
    score = np.take(LEAN, sessions.way)[:, None] * tastes.preference_at(sessions.user, candidates, at=at)
    score += SHELF_BIAS * stock.factors[candidates, N_TASTES] + NEW_BONUS * (age < NEW_DAYS * DAY_MS)
    score += rng.gumbel(0, 1, candidates.shape)
    score[~on_sale | _repeated(candidates)] = -np.inf
    best = np.argsort(-score.round(6), axis=1, kind="stable")[:, :N_LISTED]
    listed = np.take_along_axis(candidates, best, axis=1)
    return np.where(np.isneginf(np.take_along_axis(score, best, axis=1)), -1, listed)


def _shelves(sessions, at, stock, tastes, rng):
    """The subcategory each session opens (n,), drawn by taste; -1 on the home page."""
    taste = tastes.taste_at(sessions.user, at=at)[:, :N_TASTES]
    log_odds = FOCUS * np.einsum("nd,sd->ns", taste, stock.shelf_factors) + 0.5 * np.log(1 + stock.shelf_pull)
    log_odds[:, stock.shelf_pull == 0] = -np.inf
    shelf = (log_odds + rng.gumbel(0, 1, log_odds.shape)).round(6).argmax(1)
    return np.where(sessions.way == 0, -1, shelf)


def _candidates(shelf, stock, rng):
    """Items (n, N_CANDIDATES) drawn by their pull, from the session's subcategory and a few from anywhere."""
    shape = (len(shelf), N_CANDIDATES)
    edges = np.concatenate([[0], np.cumsum(stock.pull[stock.order])])
    spans = np.vstack([edges[stock.spans], [0, edges[-1]]])  # the last row, position -1: the whole shop
    at = np.where(rng.random(shape) < ELSEWHERE, -1, shelf[:, None])
    low, high = spans[at, 0], spans[at, 1]
    found = np.searchsorted(edges, low + rng.random(shape) * (high - low), side="right") - 1
    return stock.order[np.minimum(found, len(stock.order) - 1)].astype(np.int32)


def _repeated(rows):
    """True where a value has stood further left in its row."""
    order = np.argsort(rows, axis=1, kind="stable")
    ordered = np.take_along_axis(rows, order, axis=1)
    again = np.zeros(rows.shape, bool)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    found = np.empty_like(again)
    np.put_along_axis(found, order, again, axis=1)
    return found


# ----------------------------------------------------------------------------------------------------------- events
# The log is a frame of small numbers, one row per event: user, item (positions), kind, ms, device, session, dwell_ms
# (-1: none), quantity and stars (0: none). It gets its ids and words at the very end.
def _rows(kind, base, ms, *, dwell_ms=-1, quantity=0, stars=0):
    """A piece of the log of one event type; `base` has user, item, device and session."""
    columns = {name: base[name] for name in ("user", "item", "device", "session")}
    numbers = {"dwell_ms": (dwell_ms, np.int32), "quantity": (quantity, np.int8), "stars": (stars, np.int8)}
    numbers = {name: np.broadcast_to(np.asarray(v, how), len(ms)) for name, (v, how) in numbers.items()}
    return pd.DataFrame({**columns, "kind": np.int8(kind), "ms": np.asarray(ms, np.int64), **numbers})


def _timeline(sessions, listed, response, first, rng):
    """Responses as rows with times: items are looked at from the top, pages take their dwell time, orders come last."""
    row, rank = np.nonzero(response.examined)
    clicked, carted, bought = (a[row, rank] for a in (response.clicked, response.carted, response.purchased))
    glance, dwell = rng.integers(500, 4000, len(row)), response.dwell_ms[row, rank].astype(np.int64)
    spent = np.concatenate([[0], np.cumsum(glance + dwell)])
    before = spent[np.searchsorted(row, np.arange(len(sessions) + 1))]
    begin = sessions.start_ms[row] + spent[:-1] - before[row]
    order_ms = sessions.start_ms + np.diff(before) + rng.integers(30_000, 180_000, len(sessions))
    base = pd.DataFrame(
        {
            "user": sessions.user[row], "item": listed[row, rank], "device": sessions.device[row],
            "session": (first + row).astype(np.int32),
        }
    )  # fmt: skip
    parts = [
        _rows(VIEW, base, begin, dwell_ms=glance),
        _rows(CLICK, base[clicked], (begin + glance)[clicked], dwell_ms=dwell[clicked]),
        _rows(CART, base[carted], (begin + glance + dwell * 6 // 10)[carted]),
        _rows(PURCHASE, base[bought], order_ms[row][bought], quantity=response.quantity[row, rank][bought]),
    ]
    return pd.concat(parts, ignore_index=True)


def _odd_events(log, stock, people, tastes, rng):
    """The log with repeat orders, ratings, double clicks and bots; nothing later than the end."""
    orders = _reorders(log[log["kind"] == PURCHASE], int(log["session"].max()) + 1, stock, rng)
    log = pd.concat([log, orders], ignore_index=True)
    views = _bot_views(int(log["session"].max()) + 1, stock, people, tastes, rng)
    log = pd.concat([log, _ratings(log, tastes, rng), _double_clicks(log, rng), views], ignore_index=True)
    return log[log["ms"] <= (END - START) // pd.Timedelta(milliseconds=1)]


def _reorders(bought, n_sessions, stock, rng):
    """Goods that are used up are bought again after about four weeks, some again and again, in short sessions."""
    parts, last = [bought[:0]], bought[stock.consumable[bought["item"]]]
    while len(last):
        last = last[rng.random(len(last)) < REORDERED]
        days = REORDER_DAYS * np.exp(rng.normal(0, 0.35, len(last)).round(6))
        last = last.assign(ms=last["ms"] + (days * DAY_MS).round().astype(np.int64))
        last = last[(last["ms"] < (N_DAYS - 1) * DAY_MS) & (last["ms"] < stock.gone_ms[last["item"]])]
        last = last.assign(session=np.arange(n_sessions, n_sessions + len(last), dtype=np.int32))
        n_sessions += len(last)
        page = last["ms"].to_numpy() + 1_500
        dwell, checkout = rng.integers(4_000, 30_000, len(last)), rng.integers(15_000, 90_000, len(last))
        parts.append(_rows(VIEW, last, last["ms"], dwell_ms=1_500))
        parts.append(_rows(CLICK, last, page, dwell_ms=dwell))
        parts.append(_rows(CART, last, page + dwell))
        last = _rows(PURCHASE, last, page + dwell + checkout, quantity=last["quantity"])
        parts.append(last)
    return pd.concat(parts, ignore_index=True)


def _double_clicks(log, rng):
    """A small share of clicks counted twice, a fraction of a second later."""
    clicks = log[log["kind"] == CLICK]
    twice = clicks[rng.random(len(clicks)) < DOUBLE_CLICKED]
    return twice.assign(ms=twice["ms"] + rng.integers(80, 450, len(twice)))


def _bot_views(n_sessions, stock, people, tastes, rng):
    """Crawlers: hundreds of views of anything on sale within minutes, no click."""
    bots = tastes.users.get_indexer(tastes.bots).astype(np.int32)
    visits = np.repeat(bots, rng.integers(1, 4, len(bots)))
    begin = _moments(np.maximum(people.signup_ms[visits], 0), rng)
    counts = 150 + rng.integers(0, 500, len(visits))
    visit, gaps = np.repeat(np.arange(len(visits)), counts), rng.integers(150, 1_200, counts.sum())
    passed = np.cumsum(gaps)
    ms = begin[visit] + passed - passed[np.cumsum(counts) - counts][visit]
    item = rng.integers(0, len(stock.prices), len(visit)).astype(np.int32)
    session = (n_sessions + visit).astype(np.int32)
    base = pd.DataFrame({"user": visits[visit], "item": item, "device": np.int8(0), "session": session})
    views = _rows(VIEW, base, ms, dwell_ms=gaps)
    return views[(stock.created_ms[item] <= ms) & (ms < stock.gone_ms[item])]


def _ratings(log, tastes, rng):
    """Stars some days after a purchase, by preference and mood; flat raters give five to whatever they clicked."""
    flat = np.isin(log["user"], tastes.users.get_indexer(tastes.flat_raters))
    luck = rng.random(len(log))
    bought = log[(log["kind"] == PURCHASE) & ~flat & (luck < RATED)]
    liking = tastes.preference_at(bought["user"], bought["item"])
    mood = rng.normal(0, 0.5, len(tastes.users))[bought["user"]] + rng.normal(0, 0.8, len(bought))
    stars = np.clip(np.round((STARS + 0.7 * liking + mood).round(6)), 1, 5).astype(np.int8)
    praised = log[(log["kind"] == CLICK) & flat & (luck < PRAISED)]
    rated = pd.concat([bought.assign(stars=stars), praised.assign(stars=np.int8(5))], ignore_index=True)
    rated = rated.drop_duplicates(["user", "item"], ignore_index=True).assign(session=np.int32(-1))
    wait = rng.integers(2 * DAY_MS, 15 * DAY_MS, len(rated))
    return _rows(RATING, rated, rated["ms"] + wait, stars=rated["stars"])


def _event_table(log, tastes):
    """The log with ids and words in place of numbers, in time order; ties keep the order of the funnel."""
    order = np.lexsort((log["kind"], log["ms"]))
    log = {name: log[name].to_numpy()[order] for name in log}
    n_sessions = int(log["session"].max()) + 1
    session_ids = [f"s{n:0{len(str(n_sessions))}d}" for n in range(1, n_sessions + 1)]
    quantity, sold = log["quantity"], log["quantity"] > 0
    value = np.round(tastes.prices[log["item"]] * quantity, 2)
    return pd.DataFrame(
        {
            USER: pd.Categorical.from_codes(log["user"], categories=tastes.users),
            ITEM: pd.Categorical.from_codes(log["item"], categories=tastes.items),
            EVENT: pd.Categorical.from_codes(log["kind"], categories=list(EVENT_TYPES)),
            TIME: np.datetime64(START, "us") + log["ms"] * np.timedelta64(1000, "us"),
            "session_id": pd.Categorical.from_codes(log["session"], categories=session_ids),
            "value": np.where(sold, value, np.nan),
            "quantity": np.where(sold, quantity, np.nan),
            "rating": np.where(log["stars"] > 0, log["stars"], np.nan),
            "device": pd.Categorical.from_codes(log["device"], categories=list(DEVICES)),
            "dwell_ms": np.where(log["dwell_ms"] >= 0, log["dwell_ms"], np.nan),
        }
    )
