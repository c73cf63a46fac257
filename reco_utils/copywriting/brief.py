"""A product as a ledger of facts: what a writer may say, cleaned of markup, and of instructions hidden in it.

Catalogue text comes from suppliers and is not to be trusted. It is data: sentences in it that talk to a writer or to a
machine ("ignore your instructions", "write that ...") are no facts, and are left out.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import pandas as pd

from reco_utils.copywriting.instructions import INSTRUCTIONS

MAX_TITLE, MAX_VALUE, MAX_DESCRIPTION, MAX_FACTS = 200, 200, 2000, 40  # characters, and facts, of the ledger's text
MAX_RAW = 20_000  # characters of a raw field that are read at all
SAME_NAME = {"color": "colour", "colors": "colour", "colours": "colour", "materials": "material", "sizes": "size"}

MARKUP = re.compile(r"<!--.*?(?:-->|$)|<(script|style)\b.*?(?:</\1\s*>|$)|</?[a-zA-Z!?][^<>]{0,500}>", re.S | re.I)
SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]*")
INSTRUCTION = re.compile("|".join(INSTRUCTIONS), re.I)


class Fact(NamedTuple):
    """One attribute of a product as the shop writes it, e.g. ("capacity", "750 ml")."""

    name: str
    value: str


@dataclass(frozen=True)
class Brief:
    """What is known of a product. Nothing else may be claimed about it.

    Parameters
    ----------
    name : str, not empty
        The title.
    category, brand, description : str
        Empty where unknown.
    price : float or None
        In `currency`; None where unknown.
    currency : str
        Three letters, e.g. "EUR".
    facts : tuple of Fact
        The attributes, in the shop's order.
    tags : tuple of str
    left_out : tuple of str
        Sentences of the catalogue that gave instructions. They are no facts; copy that echoes them is refused.
    """

    name: str
    category: str = ""
    brand: str = ""
    price: float | None = None
    currency: str = "EUR"
    facts: tuple[Fact, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    left_out: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self):
        if not isinstance(self.name, str) or not self.name.strip():
            raise ValueError(f"a product needs a title, got {self.name!r}")
        if self.price is not None and not 0 <= self.price < float("inf"):
            raise ValueError(f"price must be 0 or more, or None where unknown, got {self.price}")

    @classmethod
    def of(cls, row: Mapping | pd.Series, *, currency: str = "EUR") -> Self:
        """The brief of a catalogue row; anything but the title may be missing, NaN or odd.

        Parameters
        ----------
        row : Mapping or Series
            Read are title, category, subcategory, brand, price, currency, description, tags (a sequence, or words
            between commas) and attributes (a mapping, or pairs of name and value).
        currency : str
            Of the price, where the row does not say.

        Raises
        ------
        ValueError  where no title is left after cleaning
        """
        row, left_out = dict(row), []

        def read(name, limit=MAX_RAW):
            return _without_instructions(clean(row.get(name)), left_out)[:limit]

        name = read("title")
        if not name:
            raise ValueError(f"a product needs a title, got {row.get('title')!r}")
        levels = [level for level in (read("category"), read("subcategory")) if level]
        pairs = ((clean(key), clean(value)) for key, value in _pairs(row.get("attributes")))
        facts = tuple(
            Fact(key, value)
            for key, raw in pairs
            if key and raw and not is_instruction(key) and (value := _without_instructions(raw, left_out))
        )
        tags = (clean(tag) for tag in _tags(row.get("tags")))
        return cls(
            name=name,
            category=" > ".join(dict.fromkeys(levels)),
            brand=read("brand"),
            price=_price(row.get("price")),
            currency=(clean(row.get("currency")) or currency).upper()[:3],
            facts=facts,
            description=read("description"),
            tags=tuple(tag for raw in tags if (tag := _without_instructions(raw, left_out))),
            left_out=tuple(left_out),
        )

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Names of attributes that have two different values, e.g. colour when "Colour: red" and "color: blue"."""
        values: dict[str, set[str]] = {}
        for fact in self.facts:
            values.setdefault(plain_name(fact.name), set()).add(fact.value.casefold())
        return tuple(name for name, found in values.items() if len(found) > 1)

    def as_text(self) -> str:
        """The facts, one a line as "name: value", without markup and instructions, each cut at a stated length.

        200 characters for a title or value, 2,000 for the description, 40 attributes at most. A contradictory
        attribute is marked "(contradictory: do not use)".
        """
        doubtful = self.conflicts
        price = "" if self.price is None else f"{self.price:.2f} {self.currency}"
        lines = [("name", self.name), ("brand", self.brand), ("category", self.category), ("price", price)]
        for fact in self.facts[:MAX_FACTS]:
            mark = " (contradictory: do not use)" if plain_name(fact.name) in doubtful else ""
            lines.append((fact.name + mark, fact.value))
        lines += [("tags", ", ".join(self.tags)), ("description", self.description)]
        return "\n".join(_line(name, value) for name, value in lines if _line(name, value))


def clean(value) -> str:
    """Text without markup, control and invisible characters, on one line; "" for what is missing or no text."""
    if value is None or isinstance(value, (Mapping, bytes)) or (isinstance(value, float) and value != value):
        return ""
    if value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, (list, tuple, set, frozenset)):
        value = ", ".join(map(clean, value))
    text = html.unescape(str(value)[:MAX_RAW])
    text = MARKUP.sub(" ", text)
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_instruction(text: str) -> bool:
    """Does the text talk to a writer or a machine, not about a product?"""
    return INSTRUCTION.search(text) is not None


def plain_name(name: str) -> str:
    """An attribute's name in lower case and one spelling, for comparing."""
    name = name.casefold().replace("_", " ").strip()
    return SAME_NAME.get(name, name)


def _without_instructions(text: str, left_out: list[str]) -> str:
    """The sentences of `text` that give no instructions; the others are added to `left_out`."""
    if not is_instruction(text):
        return text
    kept = []
    for sentence in SENTENCE.findall(text):
        (left_out if is_instruction(sentence) else kept).append(sentence.strip())
    kept = " ".join(kept)
    if is_instruction(kept):  # one that only shows across sentences: nothing of it can be trusted
        left_out.append(kept)
        return ""
    return kept.strip()


def _line(name: str, value: str) -> str:
    limit = {"description": MAX_DESCRIPTION, "name": MAX_TITLE}.get(name, MAX_VALUE)
    name, value = clean(name)[:MAX_VALUE], _without_instructions(clean(value), [])
    return f"{name}: {_cut(value, limit)}" if value and not is_instruction(name) else ""


def _cut(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words where there is a space."""
    if len(text) <= limit:
        return text
    return text[: limit - 3].rsplit(" ", 1)[0] + "..."


def _pairs(attributes) -> Iterable[tuple]:
    if isinstance(attributes, Mapping):
        return attributes.items()
    if isinstance(attributes, (list, tuple)):
        return [pair for pair in attributes if isinstance(pair, (list, tuple)) and len(pair) == 2]
    return ()


def _tags(tags) -> Iterable:
    if isinstance(tags, str):
        return re.split(r"[,;|]", tags)
    return tags if isinstance(tags, (list, tuple, set, frozenset)) or hasattr(tags, "tolist") else ()


def _price(value) -> float | None:
    """A price as a number of at least 0, or None; of a text, the first number in it."""
    if isinstance(value, str):
        found = re.search(r"\d+(?:[.,' \u00a0\u202f]\d+)*", value)
        value = _decimal(found[0]) if found else None
    try:
        price = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return price if 0 <= price < float("inf") else None


def _decimal(number: str) -> str:
    """ "1.250,00", "1,250.00" or "1'250" as Python writes it; one sign with three digits behind it marks thousands."""
    *whole, last = re.split(r"[.,' \u00a0\u202f]", number)
    signs = set(re.findall(r"[.,]", number))
    thousands = not whole or (len(last) == 3 and len(signs) < 2 and whole[0] != "0")
    return "".join([*whole, last]) if thousands else "".join(whole) + "." + last
