"""One visit, step by step, compiled: what a shopper does with the list in front of her, and what she remembers of it.

    leave early (slow page) | errand: straight to the search box | browse the list from the top:
        look at a place (rank ** -decay), click, put into the cart, buy; stop when bored
    perhaps search, less likely after a click in the list; perhaps buy what was found
    remember: the list, how often in a row it was the same, whether the visit was a good one, what was bought

Every draw has a number of its own (`NUMBERS` below), so two different lists meet the same luck place by place. People
use `shoppers.Shoppers`; the tests hold a version in plain Python, one visit at a time, as the oracle.

Letters: n shoppers, V visits, K places of a list, D factors, I items.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from reco_utils.experiment.luck import bell, luck, visit_key

# numbers of the draws of one visit: those of the visit itself, then PER_PLACE for each place of the list
EARLY, ERRAND, SEARCH, MORE_CLICKS, SEARCH_BUY, SEARCH_UNITS, LATENCY, SEARCH_DWELL, FOUND = 0, 1, 2, 3, 4, 5, 6, 8, 10
N_FOUND, FIRST_PLACE, PER_PLACE = 8, 20, 8  # what a search finds: the best liked of so many items
LOOK, CLICK, CART, BUY, UNITS, STOP, DWELL = 0, 1, 2, 3, 4, 5, 6
COUNTS = ("bounced", "examined", "shown", "clicks", "carts", "orders", "units", "search_clicks")
AMOUNTS = ("revenue", "dwell_s", "latency_ms")
SAME_VISITS, MOOD_LIMIT = 4.0, 1.0  # no list is staler than after so many visits, no mood better or worse than this


class World(NamedTuple):
    """What there is to buy and how its list is answered: arrays and numbers as the kernel wants them."""

    item_factors: np.ndarray  # (I, D)
    prices: np.ndarray  # (I,)
    consumable: np.ndarray  # (I,) bool
    kinds: np.ndarray  # (I,) int32
    decay: np.ndarray  # (devices,)
    buy_shift: np.ndarray  # (devices,)
    click_base: float
    cart_base: float
    cart_slope: float
    buy_base: float
    buy_slope: float


class Ways(NamedTuple):
    """The numbers of `shoppers.Behaviour` on one day, as the kernel wants them."""

    errand: float
    taste_share: float
    novelty: float  # faded to this day
    monotony: float
    staleness: float
    bored: float
    search: float
    search_after_click: float
    search_order: float
    hurry: float
    glance_s: float
    pleased: float
    displeased: float
    half_life_days: float


class Memory(NamedTuple):
    """What shoppers remember from visit to visit; one row per shopper, written by the kernel."""

    last_day: np.ndarray  # (n,) int64
    mood: np.ndarray  # (n,) float64 on the last day
    same: np.ndarray  # (n,) float64: visits in a row with the same list
    bought: np.ndarray  # (n,) int32: the durable item bought last, -1: none
    last: np.ndarray  # (n, K) int32: the list seen last
    usual: np.ndarray  # (n, K) int32: the list seen last before day 0


class Record(NamedTuple):
    """What happened, one row per visit; `steps` and `earned` (V, K) are empty unless impressions are logged."""

    counts: np.ndarray  # (V, 8) int32, columns as COUNTS
    amounts: np.ndarray  # (V, 3) float64, columns as AMOUNTS
    steps: np.ndarray  # (V, K) int8: 0 shown, 1 looked at, 2 clicked, 3 in the cart, 4 bought
    earned: np.ndarray  # (V, K) float64


@njit(nogil=True, cache=True, inline="always")
def chance(log_odds):
    """The probability of some log-odds, to 6 decimals: the last bits of `exp` differ from machine to machine."""
    return round(1e6 / (1.0 + math.exp(-log_odds))) / 1e6


@njit(nogil=True, cache=True, inline="always")
def rounded(value):
    """A probability to 6 decimals."""
    return round(value * 1e6) / 1e6


@njit(nogil=True, cache=True)
def liking(taste, factors):
    """taste . factors to 6 decimals, added up in the order of the factors."""
    total = 0.0
    for d in range(taste.size):
        total += taste[d] * factors[d]
    return round(total * 1e6) / 1e6


@njit(nogil=True, cache=True)
def share_in(items, others):
    """The share of a list's items that another list has too; 0 for an empty list."""
    listed = common = 0
    for item in items:
        if item >= 0:
            listed += 1
            for other in others:
                if other == item:
                    common += 1
                    break
    return common / listed if listed else 0.0


@njit(nogil=True, cache=True, inline="always")
def pieces(is_consumable, draw):
    """Pieces per purchase, as in the shop: mostly 1; of what is used up more often 2 or 3."""
    more = 0.3 if is_consumable else 0.08
    return 1 + (draw < more) + (draw < more / 3)


@njit(nogil=True, cache=True)
def count_visits(seed, day, share, half_life_days, rows, rates, memory, counts):
    """How often each shopper (rows) comes on a day, 0, 1 or 2 times: Poisson in activity, weekday and mood."""
    for at in range(rows.size):
        row = rows[at]
        faded = 0.5 ** ((day - memory.last_day[row]) / half_life_days)
        rate = rates[row] * share * math.exp(memory.mood[row] * faded)
        none = rounded(math.exp(-rate))
        draw = luck(visit_key(seed, row, day, 0), 0)
        counts[at] = (draw >= none) + (draw >= rounded(none * (1.0 + rate)))


@njit(nogil=True, cache=True)
def browse(key, taste, device, items, extra, bought, world, ways, record, at):
    """Look at the list from the top; returns what was spent and the durable item bought last (before: `bought`)."""
    revenue, counts, amounts = 0.0, record.counts, record.amounts
    looked_at, already = np.empty(items.size, np.int32), bought
    for place in range(items.size):
        item = items[place]
        if item < 0:
            continue
        base = FIRST_PLACE + PER_PLACE * place
        if luck(key, base + LOOK) >= rounded((place + 1.0) ** -world.decay[device]):
            continue
        kind, alike = world.kinds[item], 0
        for before in range(counts[at, 1]):
            alike += looked_at[before] == kind
        looked_at[counts[at, 1]] = kind
        counts[at, 1] += 1
        amounts[at, 1] += ways.glance_s
        step, earned, likes = 1, 0.0, ways.taste_share * liking(taste, world.item_factors[item])
        click = chance(world.click_base + likes + extra - ways.monotony * alike)
        if item != already and luck(key, base + CLICK) < click:
            step = 2
            amounts[at, 1] += page_s(key, base + DWELL, click)
            if luck(key, base + CART) < chance(world.cart_base + world.cart_slope * likes):
                step = 3
                shift = world.buy_shift[device]
                if luck(key, base + BUY) < chance(world.buy_base + world.buy_slope * likes + shift):
                    step, n = 4, pieces(world.consumable[item], luck(key, base + UNITS))
                    counts[at, 6] += n
                    earned = world.prices[item] * n
                    revenue += earned
                    bought = bought if world.consumable[item] else item
        counts[at, 3] += step >= 2
        counts[at, 4] += step >= 3
        counts[at, 5] |= step == 4
        if record.steps.size:
            record.steps[at, place], record.earned[at, place] = step, earned
        if step == 1 and luck(key, base + STOP) < ways.bored:
            break
    return revenue, bought


@njit(nogil=True, cache=True)
def page_s(key, number, click):
    """Seconds on an item's page, as in the shop: log-normal around 14 s, longer for what is liked."""
    return math.exp(min(max(bell(key, number) * 0.8 + 1.2 * (click - 0.3) + math.log(14.0), -0.4), 6.1))


@njit(nogil=True, cache=True)
def search(key, taste, world, ways, record, at):
    """The search box instead of the list, or after it; returns what was spent. Finds the best liked of a few items."""
    counts, draw = record.counts, luck(key, MORE_CLICKS)
    counts[at, 7] = 1 + (draw < 0.4) + (draw < 0.15)
    record.amounts[at, 1] += counts[at, 7] * page_s(key, SEARCH_DWELL, 0.3)
    if counts[at, 5] or luck(key, SEARCH_BUY) >= ways.search_order:
        return 0.0
    best, most = 0, -np.inf
    for number in range(N_FOUND):
        item = int(luck(key, FOUND + number) * world.prices.size)
        likes = liking(taste, world.item_factors[item])
        if likes > most:
            best, most = item, likes
    n = pieces(world.consumable[best], luck(key, SEARCH_UNITS))
    counts[at, 5] = 1
    counts[at, 6] += n
    return world.prices[best] * n


@njit(nogil=True, cache=True)
def visit(key, taste, device, latency_ms, items, extra, bought, world, ways, record, at):
    """One visit; fills row `at` of the record and returns the durable item bought last."""
    counts, amounts = record.counts, record.amounts
    latency = latency_ms * math.exp(0.25 * bell(key, LATENCY))
    amounts[at, 2] = round(latency * 10) / 10
    for item in items:
        counts[at, 2] += item >= 0
    revenue = 0.0
    if luck(key, EARLY) >= rounded(min(1.0, ways.hurry * latency / 1000)):
        wants = 1.0
        if luck(key, ERRAND) >= ways.errand:
            revenue, bought = browse(key, taste, device, items, extra, bought, world, ways, record, at)
            wants = ways.search_after_click if counts[at, 3] else ways.search
        if luck(key, SEARCH) < wants:
            revenue += search(key, taste, world, ways, record, at)
    counts[at, 0] = counts[at, 3] == 0 and counts[at, 7] == 0
    amounts[at, 0] = round(revenue * 100) / 100
    amounts[at, 1] = round(amounts[at, 1] * 10) / 10
    return bought


@njit(nogil=True, cache=True)
def recall(row, day, items, ways, memory):
    """Let a shopper's memory fade to this day, and count how often in a row she has met this list."""
    faded = 0.5 ** ((day - memory.last_day[row]) / ways.half_life_days)
    memory.mood[row] *= faded
    memory.same[row] = min((memory.same[row] * faded + 1.0) * share_in(items, memory.last[row]), SAME_VISITS)
    memory.last_day[row] = day


@njit(nogil=True, cache=True)
def remember(row, day, items, counts, ways, memory):
    """Bring one shopper's memory up to date after a visit."""
    mood = memory.mood[row]
    if counts[3] or counts[5]:
        mood += ways.pleased
    elif counts[0]:
        mood -= ways.displeased
    memory.mood[row] = min(max(mood, -MOOD_LIMIT), MOOD_LIMIT)
    memory.last[row] = items
    if day < 0:
        memory.usual[row] = items


@njit(nogil=True, cache=True)
def run_visits(
    seed, day, rows, numbers, visits, starts, tastes, devices, latency_ms, lists, memory, world, ways, record
):
    """The visits of some shoppers on one day, in turn; nothing is read or written but the shopper's own rows.

    Parameters
    ----------
    rows, numbers : (n,) shoppers: their rows in the memory, and the numbers that their luck hangs on
    visits, starts : (n,) how often each comes, and their first rows in the record
    tastes, devices : (N, D), (N,) of everybody, by number; latency_ms : (n,); lists : (n, K), of these shoppers
    """
    for near in range(rows.size):
        row, who, items = rows[near], numbers[near], lists[near]
        new = 0.0 if memory.usual[row].max() < 0 else 1.0 - share_in(items, memory.usual[row])
        for number in range(visits[near]):
            recall(row, day, items, ways, memory)
            extra = ways.novelty * new - ways.staleness * memory.same[row]
            key, at, person = visit_key(seed, who, day, number + 1), starts[near] + number, (tastes[who], devices[who])
            shown = (items, extra, memory.bought[row])
            memory.bought[row] = visit(key, *person, latency_ms[near], *shown, world, ways, record, at)
            remember(row, day, items, record.counts[at], ways, memory)
