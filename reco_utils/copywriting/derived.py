"""Numbers that follow from the facts: twelve cans of 330 ml are just under four litres, and 16 euros for 8 are 2 each.

One step of arithmetic with two numbers, of which the facts have at least one and the text may have the other. The text
must speak of what it counts or divides by: name it, say its number, or say "each" or "together".
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from reco_utils.copywriting.ledger import FUNCTION, NUMBER_UNITS, Known, Ledger
from reco_utils.copywriting.quantities import CURRENCIES, UNIT, Quantity, agrees, quantities
from reco_utils.copywriting.words import stem

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
PIECES = {stem(w) for w in (
    "piece part item thing set portion serving can pouch jar bottle pack packet tin bag sachet bar tube unit box shot "
    "cup brew mug coffee"
).split()}  # fmt: skip
ADDS = ("count", "length", "mass", "money", "volume")  # two of 30 degrees are no 60
KILO = UNIT["kg"][1] / UNIT["l"][1]  # what a litre of water weighs
FULL = {stem(w) for w in "filled brim full water".split()}


class Said(NamedTuple):
    """A quantity of a text with what stands around it: stems and their distances, and the stems of what it counts."""

    quantity: Quantity
    near: list[tuple[str, int]]
    head: list[str]
    clause: str  # the part of the sentence between commas, as text
    words: frozenset[str]  # stems of the whole sentence
    others: tuple[Quantity, ...]  # the other quantities of the sentence
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
    q = said.quantity
    if q.dimension == "pounds" and ledger.currency == "GBP":
        q = q._replace(dimension="money", unit="gbp")
        said = said._replace(quantity=q)
    if q.dimension == "money" and not in_currency(q, ledger):
        return None
    known = [k for k in ledger.known if _is_one(k.quantity) and not k.strict]
    known = [k for k in known if k.near or k.quantity.dimension != "count"]  # not each size between two
    heard = [Known(o, frozenset(), frozenset(), "") for o in said.others if _is_one(o)]
    touched = [(k, _touched(k, said)) for k in known + heard]
    for a, mine in touched[: len(known)]:
        if a.quantity.dimension != q.dimension and q.dimension not in ("count", "area"):
            continue
        shared = bool(SHARED.search(a.fact) and not WHOLE.search(a.fact))
        for b, theirs in touched:
            for value, dimension, meant in _steps(a, b, mine, theirs, shared, said):
                if dimension == q.dimension and _near_enough(q, value, a.quantity.unit) and meant():
                    return f"{a.fact}, and {b.fact or 'a number of the sentence'}"
    return None


def _steps(a, b, mine, theirs, shared, said) -> Iterator[tuple[float, str, Callable[[], bool]]]:
    """(value, dimension, does the text mean it) of what two numbers make.

    `mine`, `theirs`: does the sentence speak of a and of b; `shared`: is a about one of several.
    """
    x, y, one, other = a.quantity.low, b.quantity.low, a.quantity.dimension, b.quantity.dimension
    two = a.quantity != b.quantity
    if one == other and two and a.fact == b.fact:
        yield x - y, one, lambda: one != "count"
    if one == "money" and said.follower and said.follower.dimension == other:  # 4.20 for 100 g are 42 a kilo
        yield x * said.follower.low / y, one, lambda: True
    if one not in ADDS:
        return
    if one == other == "count":
        both = mine and theirs and two
        yield x * y, one, lambda: both and (said.total or y < 1 or x != y and _heard(a, said) and _heard(b, said))
        yield x / y, one, lambda: both and (said.each or x < y)
    elif other == "count" and y > 1:
        yield x * y, one, lambda: said.total or (theirs or shared) and not said.counted and not said.each
        yield x / y, one, lambda: (theirs or said.each) and not (shared and one != "money")
    elif other == "percent":
        yield x * y / 100, one, lambda: theirs
    elif one == other == "length":
        yield x * y, "area", lambda: a.fact == b.fact
    elif one == "mass" and other == "volume":
        yield x + y * KILO, one, lambda: not FULL.isdisjoint(said.words)
    if one == other and two and b.fact:
        pieces = one != "count" or not PIECES.isdisjoint(said.head[:1])
        yield x + y, one, lambda: said.total or mine and theirs and pieces
        yield x - y, one, lambda: mine and theirs
        yield x / y, "count", lambda: one not in ("count", "money") and theirs


def _touched(k: Known, said: Said) -> bool:
    """Does the sentence speak of a fact: by one of its words, or by its number?"""
    return bool(k.around & said.words - FUNCTION - NUMBER_UNITS) or _heard(k, said)


def _heard(k: Known, said: Said) -> bool:
    return any(o.low == k.quantity.low for o in said.others)


def _is_one(q: Quantity) -> bool:
    return q.low == q.high > 0


def in_currency(said: Quantity, ledger: Ledger) -> bool:
    """Is an amount of money in the currency of the facts?"""
    return said.unit in CURRENCIES.get(ledger.currency, said.unit).split()


def _near_enough(said: Quantity, value: float, unit: str) -> bool:
    """Does a derived value agree with what is said, cents and the last digit rounded?"""
    if said.dimension == "money":
        value = round(value, 2)
    if abs(value - said.low) > 0.1 * said.low:
        return False
    one = said._replace(low=value, high=value, unit=unit or said.unit, bound="")
    return agrees(said, one) or said.bound == "" and abs(said.low - value) <= 0.005 * value


def part_of(text: str, q: Quantity, ledger: Ledger) -> bool:
    """Four parts of one to one part of another: shares of the facts."""
    parts = list(re.finditer(r"(\w+) parts?\b", text, re.I))
    values = [read[0].low if (read := quantities(part[1] + " parts")) else 1.0 for part in parts]
    here = next((v for part, v in zip(parts, values) if part.start() <= q.start < part.end()), None)
    if here is None or len(parts) < 2:
        return False
    share = 100 * here / sum(values)
    return any(k.quantity.dimension == "percent" and abs(k.quantity.low - share) < 0.5 for k in ledger.known)
