"""Numbers that follow from the facts: twelve cans of 330 ml are just under four litres, and 16 euros for 8 are 2 each.

Each rule answers one question about a number of the text, and says from which facts it follows, or None. What a text
says around the number decides which rules apply: "each" asks for a share, "together" for a total.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from reco_utils.copywriting.ledger import Known, Ledger
from reco_utils.copywriting.quantities import CURRENCIES, UNIT, Quantity, agrees, quantities
from reco_utils.copywriting.words import stem, with_implied

EACH = re.compile(
    r"\b(?:each|apiece|a piece|per (?!cent)\w+|(?:for )?every (?:one|single)?\s?\w+|individually)\b", re.I
)
A_THING = re.compile(r"\s(?:(?:for|to)\s)?(?:an?|per|the|each|every|one)\s(?:\w+\s)?(\w+)", re.I)
TOTAL = re.compile(
    r"\b(?:together|in (?:total|all|sum)|altogether|all told|totals?|totalling|combined|(?:adds?|adding|makes?) up|the (?:pair|set|lot)"  # noqa: E501
    r"|(?:per|a|whole|entire|in the|to the|to a|every) (?:pair|set|box|pack|case|bundle|multipack|carton|tin)|both|between (?:them|your)|\w+-pack"  # noqa: E501
    r"|all \w+)\b",
    re.I,
)
SHARED = re.compile(
    r"\b(?:per|each|apiece)\b|\d\s?[x\u00d7]\s?\d|\bof \d|\b(?:two|three|four|five|six)\s\d", re.I
)  # a fact about one of several
WHOLE = re.compile(r"\b(?:total|together|in all|altogether|the set|per (?:pair|set|pack))\b", re.I)
PER_UNIT = re.compile(r"(?:\b(?:per|an?|each|every|the)\s|/\s?)(\w+)", re.I)
BY_UNIT = re.compile(r"\s?(?:an?|per|for(?:\severy|\seach)?|the|each|/|every)?\s?", re.I)
SHORT = re.compile(r"\s(?:short of|shy of|under|below|less than|off)\s(?:the\s)?", re.I)
FILLED = re.compile(r"\b(?:filled|brim|full|water)\b", re.I)
PAIR = re.compile(r"\bpair\b", re.I)
PORTION = {stem(w) for w in "serving portion dose cup bowl per each recommended".split()}
PIECES = {stem(w) for w in (
    "piece part item thing set portion serving can pouch jar bottle pack packet tin bag sachet bar tube unit box shot "
    "cup brew mug coffee"
).split()}  # fmt: skip


class Said(NamedTuple):
    """A quantity of a text with what stands around it: stems and their distances, and the stems of what it counts."""

    quantity: Quantity
    near: list[tuple[str, int]]
    head: list[str]
    clause: str  # the part of the sentence between commas, as text
    after: str  # the rest of the text behind the number
    follower: Quantity | None  # the next quantity, where it stands right behind
    label: str  # the stem of the word right before it: "SPF 30", "size 38"
    counted: bool  # does a count stand right before: "two 2.0 Ah batteries"?
    word: str  # the number as it is written, without its article

    @property
    def each(self) -> bool:
        """Does the text speak of one of several?"""
        return bool(EACH.search(self.clause)) or (
            self.quantity.dimension in ("money", "mass", "volume") and bool(A_THING.match(self.after))
        )

    @property
    def total(self) -> bool:
        """Does the text speak of all of several?"""
        return bool(TOTAL.search(self.clause))


def derived(said: Said, ledger: Ledger) -> str | None:
    """The facts from which a number follows, or None."""
    if said.quantity.dimension == "pounds" and ledger.currency == "GBP":
        said = said._replace(quantity=said.quantity._replace(dimension="money", unit="gbp"))
    if said.quantity.dimension == "money" and not in_currency(said.quantity, ledger):
        return None
    rules = (_unit_price, _share, _total, _sum, _gap, _short_of, _sheets, _area, _efficiency, _portions, _for_each)
    for rule in (*rules, _several, _filled, _part, _fraction):
        if found := rule(said, ledger):
            return found
    return None


def in_currency(said: Quantity, ledger: Ledger) -> bool:
    """Is an amount of money in the currency of the facts?"""
    return said.unit in CURRENCIES.get(ledger.currency, said.unit).split()


def is_unit_price(said: Said) -> bool:
    """Is the number an amount of money for the quantity behind it: "4 euros a kilo"?"""
    return said.quantity.dimension == "money" and said.follower is not None and said.follower.dimension != "money"


def _near_enough(said: Quantity, value: float, dimension: str, unit: str = "") -> bool:
    """Does a derived value agree with what is said, cents and the last digit rounded?"""
    if dimension == "money":
        value = round(value, 2)
    one = said._replace(low=value, high=value, dimension=dimension, unit=unit or said.unit, bound="")
    return agrees(said, one) or said.bound == "" and abs(said.low - value) <= 0.005 * value


def _counts(ledger: Ledger, fact: str | None = None) -> set[float]:
    """The counts of the facts, or of one of them."""
    known = [k for k in ledger.known if k.quantity.dimension == "count" and fact in (None, k.fact) and not k.strict]
    return {k.quantity.low for k in known if 1 < k.quantity.low <= 1000}


def _single(ledger: Ledger, dimension: str) -> Iterator[Known]:
    for k in ledger.known:
        if k.quantity.dimension == dimension and k.quantity.low == k.quantity.high:
            yield k


def _totals(ledger: Ledger, dimension: str) -> Iterator[tuple[float, str]]:
    """(value, why) of each fact of a dimension and of what several of it make."""
    for k in _single(ledger, dimension):
        yield k.quantity.low, k.fact
        if SHARED.search(k.fact):
            for n in _counts(ledger):
                yield k.quantity.low * n, f"{k.fact}, times {n:g}"


def _unit_price(said, ledger):
    """42 euros a kilogram, of 4.20 for 100 g."""
    if said.quantity.dimension != "money":
        return None
    for dimension, amount in _asked_units(said):
        for price in _single(ledger, "money"):
            for value, why in _totals(ledger, dimension):
                if value and _near_enough(said.quantity, price.quantity.low * amount / value, "money"):
                    return f"{price.fact}, for {why}"
    return None


def _asked_units(said):
    """(dimension, how much) of what a price is said to be for: a kilo, per litre, a hundred grams."""
    if is_unit_price(said) and BY_UNIT.fullmatch(said.after[: said.follower.start - said.quantity.end]):
        yield said.follower.dimension, said.follower.low
    for match in re.finditer(r"\b(?:per|for(?: a)?|a) hundred (\w+)", said.clause, re.I):
        if match[1].lower() in UNIT:
            yield UNIT[match[1].lower()][0], 100 * UNIT[match[1].lower()][1]
    for match in PER_UNIT.finditer(said.clause):
        if match[1].lower() in UNIT:
            dimension, size, _ = UNIT[match[1].lower()]
            yield dimension, size


def _share(said, ledger):
    """What one of several weighs, holds or costs."""
    q = said.quantity
    if not said.each or q.dimension in ("count", "percent"):
        return None
    for k in _single(ledger, q.dimension):
        if q.dimension != "money" and SHARED.search(k.fact) and not WHOLE.search(k.fact):
            continue  # is of one already
        for n in _counts(ledger):
            if _near_enough(q, k.quantity.low / n, q.dimension, k.quantity.unit):
                return f"{k.fact}, divided by {n:g}"
    return None


def _total(said, ledger):
    """What several make together."""
    q = said.quantity
    if q.dimension in ("percent", "temperature") or said.counted:
        return None
    if q.dimension != "money" and EACH.search(said.clause) and not said.total:
        return None
    for k in _single(ledger, q.dimension):
        if not (said.total or SHARED.search(k.fact)):
            continue
        counts = _counts(ledger, k.fact if q.dimension == "count" else None)
        if PAIR.search(said.clause) and "per" in k.fact:
            counts = counts | {2.0}
        for n in counts - {k.quantity.low}:
            if _near_enough(q, k.quantity.low * n, q.dimension, k.quantity.unit):
                return f"{k.fact}, times {n:g}"
    return None


def _several(said, ledger):
    """Two towels for 39.80, of 19.90 each; four cups of 200 ml, of 0.8 litres."""
    q = said.quantity
    if q.dimension in ("count", "percent", "temperature"):
        return None
    for n in {other.low for other in quantities(said.clause) if other.dimension == "count" and 1 < other.low <= 100}:
        for k in _single(ledger, q.dimension):
            values = [k.quantity.low / n] if said.counted else [k.quantity.low / n, k.quantity.low * n]
            if any(_near_enough(q, value, q.dimension, k.quantity.unit) for value in values):
                return f"{k.fact}, and {n:g}"
    return None


def _filled(said, ledger):
    """A can of 1.1 kg and five litres of water are 6.1 kg."""
    water_said = FILLED.search(said.clause) or any(q.dimension == "volume" for q in quantities(said.clause))
    if said.quantity.dimension != "mass" or not water_said:
        return None
    kilo = UNIT["kg"][1] / UNIT["l"][1]
    for water in _single(ledger, "volume"):
        for can in _single(ledger, "mass"):
            if _near_enough(said.quantity, can.quantity.low + water.quantity.low * kilo, "mass", can.quantity.unit):
                return f"{can.fact}, and {water.fact} of water"
    return None


def _part(said, ledger):
    """26 % of 250 g are 65 g."""
    if said.quantity.dimension not in ("mass", "volume", "length"):
        return None
    around = {word for word, _ in said.near}
    for share in _single(ledger, "percent"):
        for k in _single(ledger, said.quantity.dimension) if share.near & around else ():
            value = k.quantity.low * share.quantity.low / 100
            if _near_enough(said.quantity, value, said.quantity.dimension, k.quantity.unit):
                return f"{share.fact}, of {k.fact}"
    return None


def _sum(said, ledger):
    """One duvet cover and two pillowcases are three pieces."""
    q = said.quantity
    if q.dimension not in ("count", "mass", "length", "volume", "time"):
        return None
    parts: dict[str, list[float]] = {}
    for k in _single(ledger, q.dimension):
        named = q.dimension == "count" and said.head and said.head[-1] in with_implied(set(k.near))
        if not k.strict and (said.total or PIECES & set(said.head[:1]) or named):
            parts.setdefault(k.fact, []).append(k.quantity.low)
    if said.total and q.dimension != "count":  # six metres of hose and five of cable are eleven together
        known = [k for k in _single(ledger, q.dimension) if k.near]
        for a in known:
            for b in known:
                if a.fact < b.fact and _near_enough(q, a.quantity.low + b.quantity.low, q.dimension, a.quantity.unit):
                    return f"{a.fact}, and {b.fact}"
    for fact, values in parts.items():
        if len(values) > 1 and _near_enough(q, sum(values), q.dimension):
            return f"sum of {fact}"
    return None


def _gap(said, ledger):
    """34 mm at the heel and 26 in front are a drop of 8."""
    q = said.quantity
    known = [k for k in _single(ledger, q.dimension) if q.dimension not in ("count", "percent", "money")]
    for a in known:
        for b in known:
            if a.fact == b.fact and a.quantity.low > b.quantity.low:
                if _near_enough(q, a.quantity.low - b.quantity.low, q.dimension, a.quantity.unit):
                    return f"difference in {a.fact}"
    return None


def _short_of(said, ledger):
    """One cent short of 55 euros."""
    q, other = said.quantity, said.follower
    if other is None or other.dimension != q.dimension or not SHORT.fullmatch(said.after[: other.start - q.end]):
        return None
    why = (k.fact for k in _single(ledger, q.dimension) if abs(other.low - q.low - k.quantity.low) < 1e-6)
    return next(why, None)


def _sheets(said, ledger):
    """96 sheets are 192 pages."""
    words = set(said.head[:2])
    for k in _single(ledger, "count"):
        pages = k.near & {"page", "pag"}
        if words & {"sheet", "leaf", "leav", "leaves"} and pages and k.quantity.low == 2 * said.quantity.low:
            return f"{k.fact}, two to a sheet"
        if words & {"page", "pag", "side"} and k.near & {"sheet", "leaf"} and 2 * k.quantity.low == said.quantity.low:
            return f"{k.fact}, two pages each"
    return None


def _fraction(said, ledger):
    """Half of 50 blocks are 25; six of twelve are half."""
    if said.quantity.dimension != "count":
        return None
    counts = [(k.quantity.low, k.fact) for k in _single(ledger, "count")]
    for part, fact in counts:
        for whole, other in counts:
            of_it = part * whole if part < 1 else part / whole
            if 0 < part < whole > 1 and of_it == said.quantity.low and (part < 1) != (of_it < 1):
                return f"{fact}, of {other}"
    return None


def _portions(said, ledger):
    """300 g are twelve portions of 25."""
    if said.quantity.dimension != "count":
        return None
    for part in ledger.known:
        if PORTION & part.around and part.quantity.dimension in ("mass", "volume") and part.quantity.low:
            for whole in _single(ledger, part.quantity.dimension):
                if abs(whole.quantity.low / part.quantity.low - said.quantity.low) < 0.01 * said.quantity.low:
                    return f"{whole.fact}, by {part.fact}"
    return None


def _for_each(said, ledger):
    """350 pictures of 120 birds are almost three for every bird."""
    if said.quantity.dimension != "count" or not EACH.search(said.clause):
        return None
    known = [k for k in _single(ledger, "count") if k.quantity.low > 1]
    for a in known:
        for b in known:
            if a.quantity.low > b.quantity.low and _near_enough(
                said.quantity, a.quantity.low / b.quantity.low, "count"
            ):
                return f"{a.fact}, by {b.fact}"
    return None


def _area(said, ledger):
    """155 x 220 cm are 3.4 square metres."""
    if said.quantity.dimension != "area":
        return None
    for a in _single(ledger, "length"):
        for b in _single(ledger, "length"):
            if (
                a.fact == b.fact
                and abs(said.quantity.low - a.quantity.low * b.quantity.low) <= 0.02 * said.quantity.low
            ):
                return a.fact
    return None


def _efficiency(said, ledger):
    """470 lm of 4.5 W are 104 lumens per watt."""
    if said.quantity.dimension != "efficiency":
        return None
    for light in _single(ledger, "light"):
        for power in _single(ledger, "power"):
            if power.quantity.low and abs(light.quantity.low / power.quantity.low / said.quantity.low - 1) < 0.01:
                return f"{light.fact}, {power.fact}"
    return None


def part_of(text: str, q: Quantity, ledger: Ledger) -> bool:
    """Four parts of one to one part of another: shares of the facts."""
    parts = list(re.finditer(r"(\w+) parts?\b", text, re.I))
    values = [read[0].low if (read := quantities(part[1] + " parts")) else 1.0 for part in parts]
    here = next((v for part, v in zip(parts, values) if part.start() <= q.start < part.end()), None)
    if here is None or len(parts) < 2:
        return False
    share = 100 * here / sum(values)
    return any(k.quantity.dimension == "percent" and abs(k.quantity.low - share) < 0.5 for k in ledger.known)
