"""The facts' side of the claim checker: what a brief says, as sets to look words and numbers up in."""

import re
from functools import lru_cache
from typing import NamedTuple, Self

from reco_utils.copywriting.brief import Brief, is_instruction
from reco_utils.copywriting.lexicon import CLAIMS, COUNTRIES, FUNCTION_WORDS
from reco_utils.copywriting.quantities import UNIT, Quantity, quantities
from reco_utils.copywriting.words import Token, phrases, stem, stems, tokens, with_implied

PLAIN = ("name", "brand", "category", "tag", "")  # pieces whose own name says nothing about the product
MAX_PIECE = 2000  # characters of one fact that are read
NONE = re.compile(
    r"(?:no|none|not|false|without|n/a|0|unsuitable)(?: (?:needed|required|included|suitable|recommended|necessary|allowed|available))?",  # noqa: E501
    re.I,
)
FREE, INCLUDED = stem("free"), stem("included")
NO = {stem(w) for w in "no not without never neither nor none zero non nobody cannot avoid".split()}
FUNCTION = {stem(w) for w in FUNCTION_WORDS.split()}
FAKE = {
    stem(w)
    for w in "vegan faux imitation artificial mock synthetic fake pu look effect style optic plated coloured".split()
}
EMPTY_NO = {stem(w) for w in "only just to match less matter wonder doubt more longer".split()}  # no match for
MONTHS = {m: i for i, m in enumerate(
    "january february march april may june july august september october november december".split()
)}  # fmt: skip
COUNTRY = {
    stem(w): stem(line.split()[0]) for line in re.split(r"[;\n]", COUNTRIES) if line.split() for w in line.split()
}
CLAIM_WORDS = frozenset(phrase[0] for table in CLAIMS.values() for phrase in phrases(table) if len(phrase) == 1)
NUMBER_UNITS = {stem(unit) for unit in UNIT if unit.isalpha()}
_LEFT_OUT = re.compile(
    r"([\w\s-]+?)\s\(?(?:(?:is|are)\s)?(?:not included|sold separately|not supplied|not part of)", re.I
)
_DENIES = re.compile(r"un(\w{4,}ed)|(\w{3,})less|(?:de)?(caf)(?:feinated)?")
_LISTED = re.compile(r"\s?(?:x|\u00d7|by)\s?|,\s|,?\s(?:and|or)\s|/", re.I)
PLUS = re.compile(r"\s?(?:\+|plus|and another)\s?", re.I)
_KEEP_OUT = {"keep", "stai", "stay"}


class Claim(NamedTuple):
    """text[start:end] claims something of a kind; `why` says what is missing, or is the fact behind it."""

    kind: str
    start: int
    end: int
    why: str
    supported: bool

    @classmethod
    def of(cls, kind: str, start: int, end: int, text: str, good: bool, why: str = "not in the facts") -> Self:
        """A claim that quotes its words; with `why` where it is not good."""
        said = text[start:end]
        return cls(kind, start, end, said if good else f"{said!r}: {why}", good)


class Known(NamedTuple):
    """A quantity of the facts, the words near it, all the words of its fact, and the fact."""

    quantity: Quantity
    near: frozenset[str]
    around: frozenset[str]
    fact: str
    strict: bool = False  # counts only what it is named after


class Ledger(NamedTuple):
    """What a brief says."""

    affirmed: frozenset[str]
    named: frozenset[str]  # the words of the title
    negated: frozenset[str]
    absent: frozenset[str]
    fakes: frozenset[str]
    clauses: tuple[frozenset[str], ...]
    known: tuple[Known, ...]
    numbers: frozenset[str]
    text: str
    currency: str
    echoes: frozenset[tuple[str, ...]]


@lru_cache(maxsize=4096)
def ledger_of(brief: Brief) -> Ledger:
    """The ledger of a brief; kept, because one brief is checked against many texts."""
    pieces = _pieces(brief)
    words = _Words()
    for name, text in pieces:
        words.read(name, text)
    known = [k for name, text in pieces for k in _known(name, text)]
    if brief.price is not None:
        price = Quantity(0, 0, brief.price, brief.price, "money", "euro", "", True)
        known.append(Known(price, frozenset(), frozenset(), "price"))
    text = "\n".join(f"{name}: {text}" for name, text in pieces).lower()
    echoes = frozenset(gram for sentence in brief.left_out for gram in grams(stems(sentence)))
    return Ledger(
        affirmed=words.all_affirmed(),
        named=frozenset(stems(brief.name)) - FUNCTION,
        negated=frozenset(words.negated),
        absent=frozenset(words.absent),
        fakes=frozenset(words.fakes - words.real),
        clauses=tuple(words.clauses),
        known=tuple(known),
        numbers=frozenset(re.findall(r"[a-z0-9]*\d[a-z0-9.]*|[a-z]{2,}", text)),
        text=text,
        currency=brief.currency,
        echoes=echoes - {gram for _, piece in pieces for gram in grams(stems(piece))},
    )


def grams(words: tuple[str, ...], n: int = 4) -> set[tuple[str, ...]]:
    """Every n words in a row."""
    return {words[i : i + n] for i in range(len(words) - n + 1)}


def denied(word: str) -> str | None:
    """The stem of what a word says there is none of: scent in unscented, bag in bagless; None for other words."""
    match = _DENIES.fullmatch(word.lower())
    return stem(next(filter(None, match.groups()))) if match else None


def rooms(text: str, all_q: tuple[Quantity, ...]) -> list[tuple[int, int]]:
    """From where to where words may speak of each quantity: up to the next one, but 2 x 3 and lists share theirs."""
    found = []
    for i in range(len(all_q)):
        first = last = i
        while first and _LISTED.fullmatch(text[all_q[first - 1].end : all_q[first].start]):
            first -= 1
        while last + 1 < len(all_q) and _LISTED.fullmatch(text[all_q[last].end : all_q[last + 1].start]):
            last += 1
        begin = all_q[first - 1].end if first else 0
        found.append((begin, all_q[last + 1].start if last + 1 < len(all_q) else len(text)))
    return found


def negations(found: list[Token], text: str) -> list[bool]:
    """Which tokens are said not to be: after "no", "without", "free of", "keep out of", or before "-free"."""
    return [_after_no(found, i) or _before_free(found, i, text) or _then_no(found, i, text) for i in range(len(found))]


def _after_no(found, i):
    for j in range(i - 1, max(-1, i - 5), -1):
        word, after = found[j].stem, found[j + 1].stem
        if found[j].clause != found[i].clause or word in (
            "but",
            "with",
            "in",
            "on",
            "at",
            "inside",
            "thank",
            "becaus",
            "when",
        ):
            return False
        if word in NO:
            return after not in EMPTY_NO
        if j + 1 < i and (word == FREE and after in ("of", "from") or word == "away" and after == "from"):
            return True
        if word == "out" and after == "of" and _KEEP_OUT & {t.stem for t in found[max(0, j - 4) : j]}:
            return True
    return False


def _then_no(found, i, text):
    """Microwave: no."""
    if i + 1 >= len(found) or found[i + 1].stem != "no":
        return False
    return text[found[i].end : found[i + 1].start].strip() in (",", ":") and text[found[i + 1].end :][:1] in (
        "",
        ".",
        ",",
        ";",
        "!",
    )


def _before_free(found, i, text):
    """Is the word before "-free", or a claim before " free", or the first of two words before "-free"?"""
    for k in (i + 1, i + 2):
        if k >= len(found) or found[k].stem != FREE or found[k].start - found[k - 1].end != 1:
            continue
        if k == i + 2:
            return text[found[i].end : found[i + 1].start] == "-"
        after = found[k + 1].stem if k + 1 < len(found) else ""
        hyphen = text[found[i].end : found[k].start] in "-\u2011\u2010"
        if hyphen or after not in ("of", "from", "to") and found[i].stem in CLAIM_WORDS:
            return True
    return False


def _pieces(brief):
    """(name, text) of everything the brief says, without what gives instructions."""
    pieces = [("name", brief.name), ("brand", brief.brand), ("category", brief.category)]
    pieces += [("", sentence) for sentence in re.split(r"(?<=[.!?])\s+", brief.description)]
    pieces += [("tag", tag) for tag in brief.tags] + [(fact.name, fact.value) for fact in brief.facts]
    return [(name, text[:MAX_PIECE]) for name, text in pieces if text and not is_instruction(text)]


class _Words:
    """The words of a brief, sorted by what it says of them."""

    def __init__(self):
        self.affirmed, self.negated, self.absent, self.fakes, self.real = set(), set(), set(), set(), set()
        self.clauses = []

    def read(self, name, text):
        """Add one fact."""
        named = set() if name in PLAIN else set(stems(name))
        if NONE.fullmatch(text.strip()):
            free = named - {FREE} if FREE in named else set()  # "BPA-free: no" affirms BPA
            self.affirmed |= free
            self.negated |= named - free
            self.absent |= named - free - {INCLUDED}
            return
        found = tokens(text)
        signs = negations(found, text)
        self._read_name(name, named)
        for match in _LEFT_OUT.finditer(text):
            self.absent |= set(stems(match[1])[-5:]) - FUNCTION
        self.affirmed |= {t.stem for t, no in zip(found, signs) if not no}
        self.negated |= {t.stem for t, no in zip(found, signs) if no}
        self.negated |= {base for t in found if (base := denied(text[t.start : t.end]))}
        for before, token in zip([None, *found], found):
            fake = before is not None and before.stem in FAKE and before.clause == token.clause
            (self.fakes if fake else self.real).add(token.stem)
        parts: dict[int, set[str]] = {}
        for token in found:
            parts.setdefault(token.clause, set()).add(token.stem)
        self.clauses += [frozenset(with_implied(part | named)) for part in parts.values()]
        if named:
            self.clauses.append(frozenset(with_implied(named | {t.stem for t in found})))

    def _read_name(self, name, named):
        """ "BPA-free: yes" denies BPA; other names are affirmed whole."""
        found = tokens(name)
        less = {t.stem for t, no in zip(found, negations(found, name)) if no} if named else set()
        self.affirmed |= named - less
        self.negated |= less

    def all_affirmed(self):
        """Affirmed, and what follows: merino is wool, Italian is of Italy; an imitation is not the real thing."""
        known = with_implied(self.affirmed - (self.fakes - self.real)) | self.affirmed
        countries = {COUNTRY.get(word) for word in known} - {None}
        return frozenset(known | {word for word, country in COUNTRY.items() if country in countries})


def _known(name, text):
    """The quantities of one fact, and those that follow from it: how many a list names, how far a range goes."""
    found = tokens(text)
    named = frozenset() if name in PLAIN else frozenset(stems(name)) - FUNCTION
    around = named | {t.stem for t in found}
    fact = f"{name}: {text}" if name else text
    all_q = quantities(text)
    unit = UNIT.get(name.lower())
    for i, (q, (left, right)) in enumerate(zip(all_q, rooms(text, all_q))):
        near = named | {t.stem for t in found if left <= t.start < q.start and _joined(text, t.end, q.start)}
        near |= {t.stem for t in found if q.end <= t.start < right and _joined(text, q.end, t.start)}
        itself = Known(q, frozenset(near - FUNCTION), frozenset(around), fact)
        yield itself
        if unit and q.dimension == "count":  # tog: 7.5
            size = {"low": q.low * unit[1], "high": q.high * unit[1]}
            yield itself._replace(quantity=q._replace(dimension=unit[0], unit=unit[2], **size))
        for other, keeps in _variants(text, q, all_q[:i]):
            yield itself._replace(quantity=other, near=itself.near if keeps else frozenset())
    for match in re.finditer(r"\b(?:one|a single)\s([^\W\d]{3,})\b(?!\sof\b)", text, re.I):
        if stem(match[1]) not in NUMBER_UNITS:
            near = frozenset({stem(match[1])})
            yield Known(Quantity(*match.span(), 1, 1, "count", "", "", True), near, near, fact)
    yield from _products(text, all_q, around, fact)
    yield from _added(text, all_q, named, around, fact)
    yield from _spans(all_q, named, around, fact)
    yield from _listed(named, around, name, text)


def _variants(text, q, before):
    """(quantity, does it keep the words nearby) of what else a number of the facts says."""
    with_unit = [p for p in before if p.unit]
    if q.dimension == "count" and with_unit and not re.match(r"\s?\w", text[q.end :]):  # 24 hours ... and hot for 12
        last = with_unit[-1]
        size = UNIT[last.unit][1]
        yield q._replace(low=q.low * size, high=q.high * size, dimension=last.dimension, unit=last.unit), True
    if q.low < q.high:
        yield q._replace(low=q.high - q.low, high=q.high - q.low), True
        if q.dimension == "count":
            for value in range(int(q.low) + 1, min(int(q.high), int(q.low) + 60)):
                yield q._replace(low=value, high=value), False


def _products(text, all_q, around, fact):
    """2 x 150 ml and 2 x 260 ml are 820 ml."""
    totals: dict[str, list[Quantity]] = {}
    for n, q in zip(all_q, all_q[1:]):
        if n.dimension == "count" and q.unit and re.fullmatch(r"\s?[x\u00d7]\s?", text[n.end : q.start]):
            totals.setdefault(q.dimension, []).append(q._replace(low=n.low * q.low, high=n.low * q.low))
    for found in totals.values():
        value = sum(q.low for q in found)
        if value:
            yield Known(found[0]._replace(low=value, high=value), frozenset(), frozenset(around), fact)


def _added(text, all_q, named, around, fact):
    """42 cm plus 5 cm extension reach 47 cm."""
    for a, b in zip(all_q, all_q[1:]):
        if a.dimension == b.dimension and a.low == a.high and PLUS.fullmatch(text[a.end : b.start]):
            yield Known(a._replace(low=a.low + b.low, high=a.low + b.low), named, frozenset(around), fact)


def _spans(all_q, named, around, fact):
    """From the least to the most of several ranges: 35-38, 39-42 and 43-46 are sizes from 35 to 46."""
    for dimension in {q.dimension for q in all_q}:
        mine = [q for q in all_q if q.dimension == dimension]
        if len(mine) > 1 and named:
            low, high = min(q.low for q in mine), max(q.high for q in mine)
            yield Known(mine[0]._replace(low=low, high=high), named, frozenset(around), fact)


def _listed(named, around, name, text):
    """How many things a fact lists, and how long from one month to another."""
    parts = [part for part in re.split(r",|;|\band\b|\bor\b|/", re.sub(r"\([^)]*\)", "", text)) if part.strip()]
    if len(parts) > 1 and named:
        n = float(len(parts))
        yield Known(Quantity(0, 0, n, n, "count", "", "", True), named, named, f"{name}: {text}", True)
    months = re.findall("|".join(MONTHS), text.lower())
    if len(months) == 2:
        n = 730.0 * ((MONTHS[months[1]] - MONTHS[months[0]]) % 12 + 1)
        yield Known(Quantity(0, 0, n, n, "time", "month", "", True), named, frozenset(around), text)


def _joined(text, start, end):
    return not re.search(r"[,.;()!?]\s|\b(?:and|but)\b", text[start:end]) or end - start < 2
