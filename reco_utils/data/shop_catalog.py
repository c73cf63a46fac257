"""The built-in shop's catalogue: items with named taste factors, and text and prices that tell of them imperfectly."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reco_utils.core import ITEM
from reco_utils.data.shop_words import BRANDS, CARE, LINES, ORIGINS, STYLES, SUITS, Shelf, read_shelves, words

CATEGORIES = tuple(SUITS)
STYLE_NAMES = tuple(STYLES)
FACTOR_NAMES = (*CATEGORIES, *STYLE_NAMES, "appeal", "price")
N_INTERESTS, N_TASTES = len(CATEGORIES), len(CATEGORIES) + len(STYLE_NAMES)  # tastes: all but appeal and price
NEW_SHARE, FRESH_SHARE, SOLD_OUT_SHARE = 0.30, 0.01, 0.04  # arrived in the period, in its last week; no longer on sale
WORDLESS, MISLEADING = 0.15, 0.10  # share of items whose text names no style, or a wrong one
NO_DESCRIPTION, NO_TAGS = 0.08, 0.05
# spreads of taste factors: of a shelf around its category, of a kind of product around its shelf, of an item around its
# kind, of its style beyond that, and the strength of a brand's style; of appeal, and of what the shop promotes
SHELF_CHARACTER, KIND_CHARACTER, OWN_TASTE, OWN_STYLE, HOUSE_STYLE = 0.35, 0.35, 0.15, 0.3, 1.1
APPEAL, PROMOTION = 0.55, 0.5
PRICE_ENDS = (0.99, 0.95, 0.50, 0.00)
WEEK = 7.0


@dataclass(frozen=True, eq=False)
class Stock:
    """What the shop sells. All arrays are (I,) but `factors` (I, D), `shelf_factors` (S, tastes) and `spans` (S, 2).

    `created_ms` and `gone_ms` count from the first instant of the period; `pull` is how much the shop shows an item,
    as whole numbers; `order` lists items by shelf, `spans` says where each shelf begins and ends in it.
    """

    table: pd.DataFrame
    factors: np.ndarray
    prices: np.ndarray
    consumable: np.ndarray
    created_ms: np.ndarray
    gone_ms: np.ndarray
    pull: np.ndarray
    order: np.ndarray
    spans: np.ndarray
    shelf_factors: np.ndarray
    shelf_pull: np.ndarray


@dataclass(frozen=True, eq=False)
class Brand:
    """A maker of one shelf's things, with a taste and a price level of its own."""

    name: str
    origin: str
    warranty_years: int
    dearness: float  # factor on prices
    lean: np.ndarray  # (styles,) taste of the house


def make_stock(n_items: int, start: pd.Timestamp, n_days: int, rng: np.random.Generator) -> Stock:
    """Draw a catalogue of `n_items`: shelves, brands, factors, prices, dates, then the text that describes them."""
    shelves = read_shelves()
    shelf_factors, brands = _shelf_factors(shelves, rng), _brands(rng)
    shelf, product = _pick(rng.normal(0, 0.5, len(shelves)), n_items, rng), rng.integers(0, 4, n_items)
    brand = _pick(-0.7 * np.log(np.arange(1, 8)), n_items, rng)
    size, luck = rng.random(n_items), rng.random((n_items, 11))
    house = [brands[shelves[s].category][b] for s, b in zip(shelf, brand)]
    kinds = rng.normal(0, KIND_CHARACTER, (len(shelves), 4, N_TASTES))
    tastes = shelf_factors[shelf] + kinds[shelf, product] + rng.normal(0, OWN_TASTE, (n_items, N_TASTES))
    tastes[:, N_INTERESTS:] += rng.normal(0, OWN_STYLE, (n_items, len(STYLE_NAMES))) + [h.lean for h in house]
    appeal = rng.normal(0, APPEAL, n_items)
    things = [shelves[s].products[p] for s, p in zip(shelf, product)]
    prices = _prices(things, house, size, tastes[:, N_INTERESTS + STYLE_NAMES.index("luxurious")], rng)
    factors = np.column_stack([tastes, appeal, _price_level(prices, shelves, shelf)]).round(6)
    created, gone = _lifetimes(n_items, n_days, rng)
    told = _told_style(tastes[:, N_INTERESTS:], shelves, shelf, rng)
    table = _text(shelves, shelf, things, house, told, size, luck)
    ids = [f"p{i:0{len(str(n_items))}d}" for i in range(1, n_items + 1)]
    table = table.assign(
        price=prices,
        created_at=start + pd.to_timedelta((created * 86_400).round(), unit="s"),
        in_stock=np.isinf(gone),
    )
    table.insert(0, ITEM, ids)
    pull = np.exp((appeal + rng.normal(0, PROMOTION, n_items)).round(6))
    order = np.argsort(shelf, kind="stable")
    ends = np.cumsum(np.bincount(shelf, minlength=len(shelves)))
    return Stock(
        table, factors, prices, np.array([shelves[s].consumable for s in shelf]),
        (created * 86_400).round() * 1e3, gone * 86_400e3, (pull * 1e6).astype(np.int64), order,
        np.column_stack([ends - np.bincount(shelf, minlength=len(shelves)), ends]), shelf_factors,
        np.bincount(shelf, minlength=len(shelves)).astype(float),
    )  # fmt: skip


def _pick(log_weights, n, rng):
    """n draws of 0 .. len - 1 with these log weights."""
    edges = np.cumsum(np.round(np.exp(log_weights) * 1e6).astype(np.int64))
    return np.searchsorted(edges, rng.random(n) * edges[-1], side="right").astype(np.int32)


def _shelf_factors(shelves, rng):
    """Where each subcategory stands in taste space (S, tastes): near its category's axis, with its own character."""
    at = rng.normal(0, SHELF_CHARACTER, (len(shelves), N_TASTES))
    at[np.arange(len(shelves)), [CATEGORIES.index(s.category) for s in shelves]] += 1.0
    return at


def _brands(rng):
    """Per category, its brands with origin, warranty, price level and a house style."""
    found, origins = {}, words(ORIGINS)
    for category in CATEGORIES:
        found[category] = []
        for name in words(BRANDS[category]):
            lean = rng.normal(0, 0.2, len(STYLE_NAMES))
            lean[STYLE_NAMES.index(rng.choice(words(SUITS[category])))] += HOUSE_STYLE
            years, dearness = int(rng.choice([2, 3, 5, 10])), float(np.exp(round(rng.normal(0, 0.25), 6)))
            found[category].append(Brand(name, str(rng.choice(origins)), years, dearness, lean))
    return found


def _prices(things, house, size, luxury, rng):
    """Euros: usual price x brand x size x luxury x chance, ending in .99, .95, .50 or .00."""
    usual = np.array([p.price for p in things]) * [h.dearness for h in house]
    raw = np.log(usual) + 0.4 * (size - 0.5) + 0.12 * luxury + rng.normal(0, 0.18, len(usual))
    whole = np.floor(np.exp(raw).round(6))
    ends = np.array(PRICE_ENDS)[_pick(np.log([5, 2, 2, 1]), len(usual), rng)]
    return np.round(np.maximum(whole + ends, 0.99), 2)


def _price_level(prices, shelves, shelf):
    """How dear an item is (I,): mostly against its own shelf, a little against the whole shop; 0 is usual."""
    usual = np.array([np.mean([np.log(p.price) for p in s.products]) for s in shelves])
    return 0.8 * (np.log(prices) - usual[shelf]) + 0.2 * (np.log(prices) - np.log(30.0))


def _lifetimes(n_items, n_days, rng):
    """Days from the start at which items arrive (most long before it) and are sold out (infinity: never)."""
    created = -rng.exponential(300.0, n_items)
    turn = rng.permutation(n_items)
    n_new, n_fresh = round(NEW_SHARE * n_items), max(3, round(FRESH_SHARE * n_items))
    created[turn[:n_new]] = rng.random(n_new) * n_days
    created[turn[:n_fresh]] = n_days - 0.5 - rng.random(n_fresh) * (WEEK - 1)
    gone = np.full(n_items, np.inf)
    sold_out = turn[-max(1, round(SOLD_OUT_SHARE * n_items)) :]
    gone[sold_out] = n_days - rng.random(len(sold_out)) * WEEK
    return created, gone


def _told_style(styles, shelves, shelf, rng):
    """The style an item's text speaks of (I,): its strongest suitable one, at times a wrong one, at times none (-1)."""
    suits = np.array([[s in words(SUITS[c.category]) for s in STYLE_NAMES] for c in shelves])[shelf]
    luck, other = rng.random(len(shelf)), rng.random(styles.shape)
    true, wrong = np.where(suits, styles, -np.inf).argmax(1), np.where(suits, other, -np.inf).argmax(1)
    return np.where(luck < WORDLESS, -1, np.where(luck < WORDLESS + MISLEADING, wrong, true))


# ------------------------------------------------------------------------------------------------------------- text
def _text(shelves, shelf, things, house, told, size, luck):
    """Title, category, subcategory, brand, description and tags of every item; titles do not repeat."""
    taken, rows = set(), []
    for s, thing, brand, style, large, chance in zip(shelf, things, house, told, size, luck):
        rows.append(_describe(shelves[s], thing, brand, style, large, chance, taken))
    columns = ["title", "category", "subcategory", "brand", "description", "tags"]
    return pd.DataFrame(rows, columns=columns)


def _choose(options, chance):
    return options[int(chance * len(options))]


def _describe(shelf: Shelf, thing, brand, style, large, chance, taken):
    """One row of text; `chance` (11,) decides among the words, `taken` remembers titles."""
    name = STYLE_NAMES[style] if style >= 0 else None
    palette = thing.variants or words(STYLES[name or STYLE_NAMES[int(chance[0] * len(STYLE_NAMES))]][1])
    material, variant = _choose(thing.materials, chance[1]), _choose(palette, chance[2])
    size = thing.sizes[min(int(large * len(thing.sizes)), len(thing.sizes) - 1)]
    word = _choose(words(STYLES[name][0]), chance[3]) if name else ""
    said = word if chance[4] < 0.4 else ""
    thing_name = _join(said, material, thing.noun) if chance[10] < 0.75 else f"{_join(said, thing.noun)}, {material}"
    title = _title(brand.name, thing_name, f"{size}, {variant}", taken)
    description = _description(shelf, thing, brand, word, material, size, variant, chance)
    tags = [thing.noun, material, word or variant, name or shelf.name.lower()]
    tags = ", ".join(dict.fromkeys(tags)) if chance[9] >= NO_TAGS else None
    return title, shelf.category, shelf.name, brand.name, description, tags


def _join(word, *parts):
    """Words side by side, a repeated one only once: "milk chocolate" and "chocolate bar" is "milk chocolate bar"."""
    for part in parts:
        last, first = word.split(" ")[-1], part.split(" ")[0]
        word = word + part[len(first) :] if last == first else f"{word} {part}".strip()
    return word


def _title(brand, thing, details, taken):
    """e.g. "Norrland enamel camping mug, 350 ml, forest green"; a model name is put in where that is taken."""
    for line in ("", *words(LINES)):
        title = f"{_join(brand, line, thing) if line else _join(brand, thing)}, {details}"
        if title not in taken:
            break
    taken.add(title)
    return title


def _description(shelf, thing, brand, word, material, size, variant, chance):
    """One to three sentences with the facts a copywriter may use, or None."""
    if chance[5] < NO_DESCRIPTION:
        return None
    article = "An" if (word or thing.noun)[0] in "aeiou" else "A"
    if thing.noun.endswith("s") and not thing.noun.endswith(("glass", "press")) or " set" in thing.noun:
        article = ""
    opening = _join(article, *filter(None, (word, thing.noun)))
    opening = f"{opening[0].upper()}{opening[1:]} by {brand.name}, made in {brand.origin}."
    size = size if thing.measure in size else f"{thing.measure}: {size}"  # "6 hooks", not "hooks: 6 hooks"
    made = f"{shelf.made}: {material}; {size}; {'variety' if thing.variants else 'colour'}: {variant}."
    promise = f"{brand.warranty_years}-year warranty." if not shelf.consumable and chance[6] < 0.5 else None
    last = promise or _choose(words(CARE[shelf.category], ";"), chance[7])
    n_sentences = 1 + (chance[8] > 0.12) + (chance[8] > 0.45)
    return " ".join((opening, made, last)[:n_sentences])
