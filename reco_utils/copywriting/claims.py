"""Claims in a text against the facts of a brief: words, polarity and numbers.

The world is closed: what the facts do not say, or what does not follow from them, is an invention. Words that promise
something about a product (`lexicon.CLAIMS`) need a fact that says the same, with the same sign; numbers need a fact of
the same dimension, value and subject; other words need one only where a sentence presents them as part of the product
("with a ...", "includes a ...", a name in capitals).
"""

import re
from functools import lru_cache
from typing import NamedTuple

from reco_utils.copywriting.brief import Brief, is_instruction
from reco_utils.copywriting.lexicon import (
    ACRONYMS_OK,
    CLAIMS,
    COMMON,
    COUNTRIES,
    EMPTY_WITH_FREE,
    EVERYDAY,
    IDIOMS,
    NOT_SUPERLATIVE,
    OPPOSITES,
    PATTERNS,
    SCOPE,
)  # fmt: skip
from reco_utils.copywriting.quantities import CURRENCIES, UNIT, Quantity, agrees, quantities
from reco_utils.copywriting.words import Token, phrases, stem, stems, tokens, with_implied


class Claim(NamedTuple):
    """text[start:end] claims something of a kind; `why` says what is missing, or is the fact behind it."""

    kind: str
    start: int
    end: int
    why: str
    supported: bool


class Known(NamedTuple):
    """A quantity of the facts, the words near it, all the words of its fact, and the fact."""

    quantity: Quantity
    near: frozenset[str]
    around: frozenset[str]
    fact: str
    strict: bool = False  # counts only what it is named after


class Ledger(NamedTuple):
    """What a brief says, as sets to look things up in."""

    affirmed: frozenset[str]
    negated: frozenset[str]
    absent: frozenset[str]
    fakes: frozenset[str]
    clauses: tuple[frozenset[str], ...]
    known: tuple[Known, ...]
    numbers: frozenset[str]
    text: str
    currency: str
    echoes: frozenset[tuple[str, ...]]


FREE, INCLUDED, CERTIFIED, WARRANTY, COME, WITH = (
    stem(w) for w in ("free", "included", "certified", "warranty", "comes", "with")
)
NO = {stem(w) for w in "no not without never neither nor none avoid zero non nobody cannot".split()}
FUNCTION = {stem(w) for w in (
    "a an the of for and or to in on at by with from as is are be it its this that these your you "
    "our we up per each than then so but if "
    "into onto over under about just only up very more most all any both every has have had will "
    "can may not no one out "
).split()}  # fmt: skip
NUMBERISH = {stem(w) for w in (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen "
    "twenty thirty forty fifty sixty seventy eighty ninety minus half quarter third dozen pair trio hundred thousand"
).split()} | {stem(unit) for unit in UNIT if unit.isalpha()}  # fmt: skip
AGE = stem("age")
LIFE = {"s", "min", "h"}  # "twenty minutes to yourself"
PURE = {stem(w) for w in "pure purely all entirely only solely".split()}
READER = {stem(w) for w in "your you whose their his her my every everybody anybody everyone".split()}
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[;:\u2014\n]")
FAKE = {
    stem(w)
    for w in "vegan faux imitation artificial mock synthetic fake pu look effect style optic plated coloured".split()
}
COMMON_STEMS = frozenset(stem(w) for w in COMMON.split())
GENERAL_STEMS = COMMON_STEMS | {stem(w) for w in EVERYDAY.split()}
_TELLS = re.compile(
    r"(?!This|Its|Always|Perhaps|Sometimes|Mornings|Sundays|Weekends|Evenings|Thanks)[A-Z][a-z]{1,}(?:[^s\W]s|ed)\b"
)
OPPOSITE = {
    stem(word): frozenset(stem(other) for other in group.split() if other != word)
    for group in OPPOSITES.replace("\n", ";").split(";")
    for word in group.split()
}
CLAIM_FREE = frozenset(stem(w) for w in EMPTY_WITH_FREE.split())
SIZES = frozenset(stem(w) for w in "length width height depth thickness diameter".split())
PROOFS = {
    stem(w) for w in "proof resistant repellent safe certified tested approved friendly washable compatible".split()
}
MADE = {
    stem(w)
    for w in "made lined coated filled infused powered controlled based scented flavoured plated grade rated backed shaped".split()  # noqa: E501
}
HEADS = {stem(w) for w in (
    "with include includes including featuring features contains containing plus comes equipped "
    "supplied filled enriched infused lined "
    "fitted topped finished trimmed packed wrapped offers blended flavoured boasts incorporates made crafted"
).split()}  # fmt: skip
MONTHS = {m: i for i, m in enumerate(
    "january february march april may june july august september october november december".split()
)}  # fmt: skip
MONTH_STEMS = {stem(m) for m in MONTHS} - {"may", "march"}
_LISTED = re.compile(r"\s?(?:x|\u00d7|by)\s?|,\s|,?\s(?:and|or)\s|/", re.I)
_DENIES = re.compile(r"un(\w{4,}ed)|(\w{3,})less|(?:de)?(caf)(?:feinated)?")
_EST = re.compile(r"\b(?:most|best|finest|[a-z]{3,}est)\b", re.I)
_EST_NOT = frozenset(NOT_SUPERLATIVE.split())
_SCOPES = re.compile(r"\b(?:" + "|".join(re.escape(p.strip()) for p in SCOPE.split(",")) + r")\b", re.I)
_PATTERNS = [(kind, re.compile("|".join(patterns), re.I)) for kind, patterns in PATTERNS.items()]
_IDIOM_PHRASES = [p for p in phrases(IDIOMS) if p]
_COUNTRY = {
    stem(w): stem(line.split()[0]) for line in re.split(r"[;\n]", COUNTRIES) if line.split() for w in line.split()
}
_ONES = {"one", "1"}


def _index(pairs):
    """First stem to (stems, kind), longest phrase first."""
    index: dict[str, list] = {}
    for phrase, kind in pairs:
        if phrase:
            index.setdefault(phrase[0], []).append((phrase, kind))
    return {first: sorted(rest, key=lambda pair: -len(pair[0])) for first, rest in index.items()}


_CLAIM_INDEX = _index(
    [(phrase, kind) for kind, table in CLAIMS.items() for phrase in phrases(table)]
    + [((word,), "origin") for word in _COUNTRY if word not in ("black", "forest")]
    + [(stems("black forest"), "origin")]
)
CERTIFICATES = {phrase[0] for phrase in phrases(CLAIMS["certification"]) if len(phrase) == 1}
_IDIOM_INDEX = _index([(phrase, "") for phrase in _IDIOM_PHRASES])
CLAIM_WORDS = frozenset(word for phrases_ in _CLAIM_INDEX.values() for phrase, _ in phrases_ for word in phrase)


# ------------------------------------------------------------------------------------------------------ the facts' side
@lru_cache(maxsize=4096)
def ledger_of(brief: Brief) -> Ledger:
    """The ledger of a brief; kept, because one brief is checked against many texts."""
    pieces = [("name", brief.name), ("brand", brief.brand), ("category", brief.category)]
    pieces += [("", sentence) for sentence in re.split(r"(?<=[.!?])\s+", brief.description)]
    pieces += [("tag", tag) for tag in brief.tags] + [(fact.name, fact.value) for fact in brief.facts]
    pieces = [(name, text[:2000]) for name, text in pieces if text and not is_instruction(text)]
    affirmed, negated, clauses = set(), set(), []
    absent, fakes, real = set(), set(), set()
    for name, text in pieces:
        named = set(stems(name)) if name not in ("name", "brand", "category", "tag") else set()
        low = text.strip().lower()
        if low in ("no", "none", "false", "not included", "0", "without", "n/a", "nein"):
            negated |= named
            absent |= named - {INCLUDED}
            continue
        found = tokens(text)
        signs = _negations(found, text)
        affirmed |= named | {t.stem for t, no in zip(found, signs) if not no}
        negated |= {t.stem for t, no in zip(found, signs) if no}
        negated |= {base for t in found if (base := _denied(text[t.start : t.end]))}
        for before, token in zip([None, *found], found):
            (fakes if before is not None and before.stem in FAKE else real).add(token.stem)
        parts: dict[int, set[str]] = {}
        for token in found:
            parts.setdefault(token.clause, set()).add(token.stem)
        clauses += [frozenset(with_implied(part | named)) for part in parts.values()]
        if name not in ("name", "brand", "category", "tag", ""):
            clauses.append(frozenset(with_implied(named | {t.stem for t in found})))
    affirmed = with_implied(affirmed - (fakes - real)) | affirmed
    affirmed |= {word for word, country in _COUNTRY.items() if country in {_COUNTRY.get(a) for a in affirmed} - {None}}
    known = [k for name, text in pieces for k in _known(name, text)]
    if brief.price is not None:
        price = brief.price
        known.append(Known(Quantity(0, 0, price, price, "money", "euro", "", True), frozenset(), frozenset(), "price"))
    text = "\n".join(f"{name}: {text}" for name, text in pieces).lower()
    numbers = frozenset(re.findall(r"[a-z0-9]*\d[a-z0-9.]*|[a-z]{2,}", text))
    echoes = frozenset(gram for sentence in brief.left_out for gram in _grams(stems(sentence)))
    echoes -= {gram for _, piece in pieces for gram in _grams(stems(piece))}
    return Ledger(
        frozenset(affirmed), frozenset(negated), frozenset(absent), frozenset(fakes - real), tuple(clauses), tuple(known), numbers,  # noqa: E501
        text, brief.currency, echoes,
    )  # fmt: skip


def _grams(words, n=4):
    return {words[i : i + n] for i in range(len(words) - n + 1)}


def _known(name, text):
    """The quantities of one fact, and those that follow from it: how many a list names, how far a range goes."""
    found = tokens(text)
    named = frozenset(stems(name)) - FUNCTION if name not in ("name", "brand", "category", "tag") else frozenset()
    around = named | {t.stem for t in found}
    all_q = quantities(text)
    for q, (left, right) in zip(all_q, _rooms(text, all_q)):
        near = named | {t.stem for t in found if left <= t.start < q.start and _joined(text, t.end, q.start)}
        near |= {t.stem for t in found if q.end <= t.start < right and _joined(text, q.end, t.start)}
        fact = f"{name}: {text}" if name else text
        yield Known(q, frozenset(near - FUNCTION), frozenset(around), fact)
        before = [p for p in all_q if p.end <= q.start and p.unit]
        if q.dimension == "count" and before and not re.match(r"\s?\w", text[q.end :]):  # 24 hours ... and hot for 12
            size = UNIT[before[-1].unit][1]
            shared = q._replace(
                low=q.low * size, high=q.high * size, dimension=before[-1].dimension, unit=before[-1].unit
            )
            yield Known(shared, frozenset(near - FUNCTION), frozenset(around), fact)
        if q.low < q.high:
            gap = q.high - q.low
            yield Known(q._replace(low=gap, high=gap), frozenset(near - FUNCTION), frozenset(around), fact)
            if q.dimension == "count":
                for value in range(int(q.low) + 1, min(int(q.high), int(q.low) + 60)):
                    yield Known(q._replace(low=value, high=value), frozenset(), frozenset(around), fact)
        if q.dimension == "count" and re.search(r"\d\s?[x\u00d7]\s?\d", text):
            size = q._replace(low=q.low / 100, high=q.high / 100, dimension="length", unit="cm")
            yield Known(size, frozenset(), frozenset(around), fact)
    parts = [part for part in re.split(r",|;|\band\b|\bor\b|/", re.sub(r"\([^)]*\)", "", text)) if part.strip()]
    if len(parts) > 1 and named:
        n = float(len(parts))
        yield Known(Quantity(0, 0, n, n, "count", "", "", True), named, named, f"{name}: {text}", True)
    months = re.findall("|".join(MONTHS), text.lower())
    if len(months) == 2:
        n = 730.0 * ((MONTHS[months[1]] - MONTHS[months[0]]) % 12 + 1)
        yield Known(Quantity(0, 0, n, n, "time", "month", "", True), named, frozenset(around), text)


def _rooms(text, all_q):
    """From where to where words may speak of each quantity: up to the next one, but 2 x 3 and lists share theirs."""
    rooms = []
    for i in range(len(all_q)):
        first = last = i
        while first and _LISTED.fullmatch(text[all_q[first - 1].end : all_q[first].start]):
            first -= 1
        while last + 1 < len(all_q) and _LISTED.fullmatch(text[all_q[last].end : all_q[last + 1].start]):
            last += 1
        begin = all_q[first - 1].end if first else 0
        rooms.append((begin, all_q[last + 1].start if last + 1 < len(all_q) else len(text)))
    return rooms


def _joined(text, start, end):
    return not re.search(r"[,.;:()!?]\s|\b(?:and|but)\b", text[start:end]) or end - start < 2


def _denied(word):
    """The stem of what a word says there is none of: scent in unscented, bag in bagless; None for other words."""
    match = _DENIES.fullmatch(word.lower())
    return stem(next(filter(None, match.groups()))) if match else None


def _negations(found: list[Token], text: str) -> list[bool]:
    """Which tokens are said not to be: after "no", "without", "free of", or before "-free"."""
    signs = [False] * len(found)
    for i, token in enumerate(found):
        for j in range(i - 1, max(-1, i - 5), -1):
            other = found[j]
            if other.clause != token.clause or other.stem in ("but", "with", "and") and other.stem != "and":
                break
            if other.stem == FREE:
                if j + 1 < i and found[j + 1].stem in ("of", "from"):
                    signs[i] = True
                continue
            if other.stem in NO and other.stem not in ("less", "non", "avoid") or other.stem in ("non", "avoid"):
                if j + 1 <= i and found[j + 1].stem in ("onl", "just", "to"):
                    break
                signs[i] = True
                break
            if other.stem == "away" and j + 1 < i and found[j + 1].stem == "from":
                signs[i] = True
            if (
                other.stem == "out"
                and j + 1 < i
                and found[j + 1].stem == "of"
                and j
                and found[max(0, j - 3)].stem != ""
            ):
                before = {t.stem for t in found[max(0, j - 4) : j]}
                if "keep" in before or "stai" in before or "stay" in before:
                    signs[i] = True
        if i + 1 < len(found) and found[i + 1].stem == FREE and found[i + 1].start - token.end == 1:
            after = found[i + 2].stem if i + 2 < len(found) else ""
            hyphen = text[token.end : found[i + 1].start] in "-\u2011\u2010"
            signs[i] = signs[i] or hyphen or (after not in ("of", "from", "to") and token.stem in CLAIM_WORDS)
            for j in range(i - 1, max(-1, i - 2), -1):
                if text[found[j].end : found[j + 1].start] == "-":
                    signs[j] = True
    return signs


# ------------------------------------------------------------------------------------------------------ the text's side
def claims(text: str, brief: Brief) -> list[Claim]:
    """Every claim of a text, supported or not, in no order."""
    ledger = ledger_of(brief)
    plain = text.replace("\u2019", "'").replace("\u00a0", " ")
    found = tokens(plain)
    signs = _negations(found, plain)
    masked = _idioms(found)
    made = [*_numbers(plain, found, ledger), *_phrases(plain, found, signs, masked, ledger)]
    made += _patterns(plain, found, ledger)
    made += _superlatives(plain, found, ledger)
    made += _suffixes(plain, found, ledger, signs)
    made += _capitals(plain, found, ledger)
    made += _frames(plain, found, signs, ledger, masked)
    made += _mates(plain, found, ledger)
    made += _months(plain, found, ledger)
    made += _strangers(plain, found, masked, ledger)
    made += _pure(plain, found, ledger)
    made += _opposites(plain, found, signs, ledger)
    made += _echoes(found, ledger)
    true = {(t.start, t.end) for t in found if _denied(plain[t.start : t.end]) in ledger.negated}
    return [claim for claim in made if claim.supported or (claim.start, claim.end) not in true]


def _match(index, found):
    """(first, last + 1, phrase, kind) of the longest phrase at each place."""
    at = 0
    while at < len(found):
        for phrase, kind in index.get(found[at].stem, ()):
            if len(phrase) == 1 or tuple(t.stem for t in found[at : at + len(phrase)]) == phrase:
                yield at, at + len(phrase), phrase, kind
                at += len(phrase) - 1
                break
        at += 1


def _idioms(found):
    masked = set()
    for first, last, _, _ in _match(_IDIOM_INDEX, found):
        masked.update(range(first, last))
    return masked


def _phrases(text, found, signs, masked, ledger):
    sentences = _sentences(text, found)
    for first, last, phrase, kind in _match(_CLAIM_INDEX, found):
        if masked.issuperset(range(first, last)):
            continue
        if kind == "colour" and not _about(found[first].start, sentences, ledger):
            if not first or found[first - 1].stem not in ("in", "or", "and", "also"):
                continue
        start, end = found[first].start, found[last - 1].end
        content = [word for word in phrase if word not in FUNCTION] or list(phrase)
        if signs[first] and kind in ("superlative", "urgency", "social-proof", "colour", "origin", "price"):
            continue
        if signs[first]:
            good = all(word in ledger.negated for word in content) or " ".join(phrase) in ledger.text
            why = "the facts do not say that there is none"
        else:
            good = _affirmed(content, found, first, ledger)
            why = "the facts say no" if set(content) & ledger.negated else "not in the facts"
        said = text[start:end]
        yield Claim(kind, start, end, said if good else f"{said!r}: {why}", good)


def _affirmed(content, found, first, ledger):
    """Do the facts say all these words, together where they are two, and not of a mere imitation?"""
    if content == [CERTIFIED]:
        return bool(ledger.affirmed & CERTIFICATES)
    known = ledger.affirmed | ledger.negated if found[first].stem in NO else ledger.affirmed
    if not all(word in known for word in content):
        return False
    if any(word in ledger.fakes for word in content):
        before = found[first - 1].stem if first else ""
        return before in FAKE or content[0] in FAKE
    return len(content) == 1 or any(clause.issuperset(content) for clause in ledger.clauses)


def _patterns(text, found, ledger):
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span()
            words = [w for w in stems(match[0]) if w not in FUNCTION and not w.isdigit()]
            good = _pattern_holds(kind, match[0], words, ledger)
            yield Claim(kind, start, end, match[0] if good else f"{match[0]!r}: not in the facts", good)


def _pattern_holds(kind, said, words, ledger):
    if said.lower() in ledger.text:
        return True
    if kind == "price" and re.match(r"free\s", said, re.I):
        return _free_holds(words, ledger)
    if kind in ("price", "urgency"):
        amounts = quantities(said)
        old = _old_prices(ledger)
        if kind == "price" and old:
            return _discount_holds(amounts, old, ledger)
        if kind == "urgency" and amounts:
            stock = [k for k in ledger.known if k.near & {"stock", "available", "avail"}]
            return any(agrees(a, k.quantity) for a in amounts for k in stock)
        return False
    known = ledger.affirmed | ledger.negated if kind == "feature" else ledger.affirmed
    return bool(words) and all(w in known for w in words)


def _free_holds(words, ledger):
    """Free shipping needs a fact that says so, and a price above its threshold."""
    price = next((k.quantity.low for k in ledger.known if k.fact == "price"), None)
    for k in ledger.known:
        if k.quantity.dimension == "money" and FREE in k.around and set(words) <= k.around | {FREE}:
            return price is not None and price >= k.quantity.low
    return any(clause.issuperset(words) for clause in ledger.clauses)


def _old_prices(ledger):
    names = {"old", "rrp", "before", "previous", "former", "regular", "original", "list", "wa", "was", "retail"}
    names |= {stem(n) for n in names}
    return [k.quantity.low for k in ledger.known if k.fact != "price" and k.around & names]


def _discount_holds(amounts, old, ledger):
    price = next((k.quantity.low for k in ledger.known if k.fact == "price"), None)
    for a in amounts:
        if a.dimension == "percent" and price is not None:
            if not any(abs(100 * (1 - price / o) - a.low) < 1 for o in old if o):
                return False
        elif not any(abs(a.low - o) < 0.005 or (price is not None and abs(o - price - a.low) < 0.005) for o in old):
            return False
    return True


def _superlatives(text, found, ledger):
    for match in _EST.finditer(text):
        word = match[0].lower()
        if word in _EST_NOT:
            continue
        rest = text[match.end() : match.end() + 70]
        rest = re.split(r"[.!?;]", rest)[0]
        after = stems(rest)[:4]
        scope = _SCOPES.search(rest)
        about = [w for w in after if w in ledger.affirmed and w not in FUNCTION and w not in GENERAL_STEMS]
        known = stem(word) in ledger.affirmed and not (scope and scope[0].lower() not in ledger.text)
        root = {stem(word), word}
        if word in ("most", "best") and not known:
            known = bool(set(after[:1]) & ledger.affirmed) and word in ledger.text
        if word == "most" and (after[:1] in ((), ("of",)) or not after[0].isalpha()):
            continue
        if not (about or scope):
            continue
        end = match.end() + (scope.end() if scope else 0)
        said = text[match.start() : end]
        yield Claim(
            "superlative", match.start(), end, said if known else f"{said!r}: {root and 'not in the facts'}", known
        )


def _suffixes(text, found, ledger, signs):
    """frost-proof, vet-approved, gluten-free: a word and what it makes of it, joined by a hyphen."""
    for left, right in zip(found, found[1:]):
        joined = text[left.end : right.start] == "-" or left.start == right.start
        if right.stem == FREE and (joined or text[right.end :].lstrip()[:2] == "of"):
            if joined and left.stem not in CLAIM_FREE:
                good = left.stem in ledger.negated
                yield _claim("feature", left.start, right.end, text, good)
        elif right.stem in PROOFS and joined:
            both = {left.stem, right.stem}
            good = any(clause.issuperset(both) for clause in ledger.clauses)
            yield _claim("feature", left.start, right.end, text, good)
        elif right.stem in MADE and joined and left.stem not in GENERAL_STEMS:
            yield _claim("feature", left.start, right.end, text, left.stem in ledger.affirmed)
    for i, token in enumerate(found[:-2]):
        if token.stem == FREE and found[i + 1].stem in ("of", "from"):
            words = [t for t in found[i + 2 : i + 5] if t.clause == token.clause and t.stem not in FUNCTION][:2]
            if words and words[0].stem not in CLAIM_FREE | GENERAL_STEMS | {"charge"}:
                good = words[0].stem in ledger.negated
                yield _claim("feature", token.start, words[0].end, text, good)


def _claim(kind, start, end, text, good):
    said = text[start:end]
    return Claim(kind, start, end, said if good else f"{said!r}: not in the facts", good)


def _capitals(text, found, ledger):
    """Names, codes and sizes: capitals inside a sentence, letters with digits."""
    long = [t for t in found if t.end - t.start > 3]
    titled = sum(text[t.start].isupper() for t in long) > 0.6 * len(long)
    shouted = sum(text[t.start : t.end].isupper() for t in long) > 0.5 * len(long)
    for i, token in enumerate(found):
        word = text[token.start : token.end]
        low = word.lower()
        if low in ledger.numbers or token.stem in ledger.affirmed or token.stem in ledger.negated:
            continue
        if any(c.isdigit() for c in word) and any(c.isalpha() for c in word):
            if not quantities(word) and not re.fullmatch(r"\d+(?:st|nd|rd|th|s|am|pm|x|d)", low):
                yield _claim("feature", token.start, token.end, text, False)
        elif word.isupper() and len(word) > 1 and not shouted and len(word) < 7:
            if word not in ACRONYMS_OK.split() and low not in UNIT and token.stem not in GENERAL_STEMS:
                yield _claim("feature", token.start, token.end, text, _size_holds(word, ledger))
        elif word[0].isupper() and len(word) > 2 and not titled and not shouted:
            before = text[: token.start].rstrip(" \"'\u201c\u2018(")
            if before and before[-1] not in ".!?:;\u2014\u2013|*\u2022\n-/" and token.stem not in GENERAL_STEMS:
                if ord(before[-1]) < 0x2190 and low not in MONTHS and low not in UNIT:
                    kind = "origin" if i and found[i - 1].stem in ("from", "in", "of") else "feature"
                    yield _claim(kind, token.start, token.end, text, False)


def _size_holds(word, ledger):
    order = ["xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"]
    low = word.lower()
    spans = re.findall(r"\b(x*[sl]|m)\s?(?:-|\u2013|to)\s?(x*[sl]|m)\b", ledger.text)
    return low in order and any(
        order.index(a) <= order.index(low) <= order.index(b) for a, b in spans if a in order and b in order
    )


def _frames(text, found, signs, ledger, masked):
    """ "with a ...", "includes ...", "... included": what is named there is part of the product."""
    spans = []
    for i, token in enumerate(found):
        if token.stem in HEADS and not (token.stem == COME and not _next_is(found, i, WITH)):
            spans.append(_noun_phrase(found, i + 1, token.clause))
        if token.stem == INCLUDED and i:
            back = [j for j in range(max(0, i - 3), i) if found[j].clause == token.clause]
            spans.append(back)
        if token.stem in ("suit", "suitable", "compat", "compatible") and i + 1 < len(found):
            spans.append(_noun_phrase(found, i + 2, token.clause))
        if (
            token.stem == COME
            and _next_is(found, i, WITH)
            and found[i + 2 : i + 3]
            and found[i + 2].stem in ("it", "them")
        ):
            spans.append([j for j in range(max(0, i - 3), i) if found[j].clause == token.clause])
    for span in spans:
        missing = [j for j in span if found[j].stem in ledger.absent and not signs[j]]
        if missing:
            yield _claim("feature", found[missing[0]].start, found[missing[-1]].end, text, False)
        unknown = [j for j in span if j not in masked and _unknown(found[j].stem, ledger, COMMON_STEMS)]
        if unknown:
            yield _claim("feature", found[unknown[0]].start, found[unknown[-1]].end, text, False)


def _next_is(found, i, word):
    return i + 1 < len(found) and found[i + 1].stem == word


def _noun_phrase(found, at, clause):
    """Places of up to four words from `at`, up to the end of the clause or a word that begins something new."""
    places = []
    for j in range(at, min(len(found), at + 5)):
        word = found[j].stem
        if found[j].clause != clause or word in (
            "for",
            "to",
            "that",
            "which",
            "from",
            "you",
            "when",
            "until",
            "who",
            "so",
        ):
            break
        if word in ("with", "but", "than", "as", "like", "if", "while", "is", "are", "becaus", "because"):
            break
        places.append(j)
    return places


def _unknown(word, ledger, ordinary=GENERAL_STEMS):
    """Is the word neither in the facts nor ordinary?"""
    if (
        len(word) < 3
        or not word.isalpha()
        or word in FUNCTION
        or word in NUMBERISH
        or word in ordinary
        or word in ledger.affirmed
    ):
        return False
    if word == CERTIFIED and ledger.affirmed & CERTIFICATES or word.endswith("est"):
        return False
    return word not in ledger.negated


def _mates(text, found, ledger):
    """A list whose other members are facts: the one that is not, is invented."""
    for match in re.finditer(r"[^.!?;:\u2014\n]+", text):
        base = match.start()
        parts, at = [], 0
        for cut in [*re.finditer(r",\s(?:and|or)\s|,\s|\s(?:and|or)\s|\s&\s", match[0]), None]:
            end = cut.start() if cut else len(match[0])
            parts.append((base + at, base + end))
            at = cut.end() if cut else end
        if len(parts) < 2:
            continue
        inside = [[t for t in found if a <= t.start < b and t.stem not in FUNCTION] for a, b in parts]
        for k, words in enumerate(inside):
            if not 1 <= len(words) <= 2 or parts[k][1] - parts[k][0] > 30:
                continue
            mates = [inside[j] for j in (k - 1, k + 1) if 0 <= j < len(inside)]
            good = [m for m in mates if m and m[-1 if m is inside[k - 1] and k else 0].stem in ledger.affirmed]
            short = [m for m in good if len(m) <= 4 and not any(t.stem in GENERAL_STEMS for t in m[-1:])]
            head = words[-1].stem
            if short and all(_unknown(w.stem, ledger) for w in words) and not head.endswith("l") | (len(head) < 3):
                yield _claim("feature", words[0].start, words[-1].end, text, False)


def _sentences(text, found):
    """The tokens of each sentence or part of one up to a colon."""
    parts, last = [], 0
    for end in [*(m.start() for m in _SENTENCE_END.finditer(text)), len(text)]:
        parts.append([t for t in found if last <= t.start < end])
        last = end
    return parts


def _about(start, sentences, ledger):
    """Does the sentence at `start` name anything of the facts?"""
    here = next((part for part in sentences if part and part[0].start <= start <= part[-1].start), ())
    return any(t.stem in ledger.affirmed and not _ordinary(t.stem) for t in here)


def _strangers(text, found, masked, ledger):
    """A word that is neither in the facts nor ordinary, in a sentence about the product and not about the reader."""
    last = 0
    for end in [*(m.start() for m in _SENTENCE_END.finditer(text)), len(text)]:
        inside = [i for i, t in enumerate(found) if last <= t.start < end]
        last = end
        about = any(found[i].stem in ledger.affirmed and not _ordinary(found[i].stem) for i in inside)
        if not about and not (inside and _TELLS.match(text, found[inside[0]].start)):
            continue
        for i in inside:
            if i in masked or not _unknown(found[i].stem, ledger) or len(found[i].stem) < 4:
                continue
            before = {found[j].stem for j in range(max(0, i - 3), i) if found[j].clause == found[i].clause}
            if not before & READER:
                yield _claim("feature", found[i].start, found[i].end, text, False)


def _ordinary(word):
    return word in FUNCTION or word in NUMBERISH or word in COMMON_STEMS


def _opposites(text, found, signs, ledger):
    """A "day serum" where the facts speak of night: one of a group of opposites, beside a word of the facts."""
    for token, beside, no in zip(found, found[1:], signs):
        group = OPPOSITE.get(token.stem)
        if group is None or no or token.stem in ledger.affirmed or not group & ledger.affirmed:
            continue
        if beside.clause == token.clause and beside.stem in ledger.affirmed and not _ordinary(beside.stem):
            yield _claim("feature", token.start, token.end, text, False)


def _pure(text, found, ledger):
    """ "Pure" or "nothing but" of what is only a share in the facts."""
    for i, token in enumerate(found[:-1]):
        if token.stem in PURE or (token.stem == "but" and i and found[i - 1].stem == stem("nothing")):
            word = found[i + 1].stem
            shares = [k.quantity.high for k in ledger.known if k.quantity.dimension == "percent" and word in k.near]
            if shares and max(shares) < 100:
                yield _claim("material", token.start, found[i + 1].end, text, False)


def _months(text, found, ledger):
    """A month that the facts do not name, where they name months."""
    if any(month in ledger.affirmed for month in MONTH_STEMS):
        for token in found:
            if token.stem in MONTH_STEMS and token.stem not in ledger.affirmed and text[token.start].isupper():
                yield _claim("feature", token.start, token.end, text, False)


def _echoes(found, ledger):
    """Four words in a row of a sentence that was left out as an instruction."""
    if not ledger.echoes:
        return
    words = tuple(t.stem for t in found)
    for i in range(len(words) - 3):
        if words[i : i + 4] in ledger.echoes:
            yield Claim(
                "instruction", found[i].start, found[i + 3].end, "repeats an instruction of the catalogue", False
            )


# -------------------------------------------------------------------------------------------------------------- numbers
def _numbers(text, found, ledger):
    each = re.search(r"\b(?:each|every one|apiece|a piece|per \w+)\b|\d\sa\s\w+|cents an? \w+", text, re.I)
    all_q, sentences = quantities(text), _sentences(text, found)
    for q, room in zip(all_q, _rooms(text, all_q)):
        said = text[q.start : q.end]
        near = _nearby(found, q, room)
        head = _counted(found, q)
        if not q.digits and q.dimension == "count" and _harmless(q, head, ledger):
            continue
        if not q.digits and q.unit in LIFE and not _about(q.start, sentences, ledger):
            continue
        agreeing = [k for k in ledger.known if _agrees(q, k.quantity, ledger)]
        agreeing = agreeing or [k for k in ledger.known if _same_digits(q, k, ledger)]
        why = "no such number in the facts"
        if not agreeing and each and q.dimension in ("money", "mass", "volume") and (derived := _apiece(q, ledger)):
            agreeing = [derived]
            near, head = [], []
        elif agreeing and (wrong := _wrong_subject(q, near, head, agreeing, ledger)):
            agreeing, why = [], wrong
        elif not agreeing and q.dimension == "percent" and (old := _old_prices(ledger)):
            if _discount_holds([q], old, ledger):
                agreeing = [Known(q, frozenset(), frozenset(), "old price")]
        elif not agreeing and q.dimension == "money" and (old := _old_prices(ledger)):
            if _discount_holds([q], old, ledger):
                agreeing = [Known(q, frozenset(), frozenset(), "old price")]
        elif not agreeing and _parts(text, q, ledger):
            agreeing = [Known(q, frozenset(), frozenset(), "a ratio of the facts")]
        kind = _kind(q, near, ledger)
        good = bool(agreeing)
        yield Claim(kind, q.start, q.end, agreeing[0].fact if good else f"{said!r}: {why}", good)


def _agrees(said, known, ledger):
    if said.dimension == "money" and said.unit not in CURRENCIES.get(ledger.currency, said.unit).split():
        return False
    if said.dimension == "count" and known.dimension == "percent":  # nine tenths is 90 %
        return not said.digits and abs(said.low * 100 - known.low) < 0.5 and 0 < said.low < 1
    if said.dimension == "count" and known.dimension in ("temperature", "money") and not said.digits | bool(said.unit):
        known = known._replace(dimension="count")
    if said.dimension == "pounds" and known.dimension == "money" and ledger.currency != "GBP":
        return False
    return agrees(said, known)


def _same_digits(q, k, ledger):
    """A number without a unit, where the fact has one ("now 19"), or an age whose fact says no years."""
    known = k.quantity
    if q.dimension == "time" and q.unit == "year" and known.dimension == "count" and AGE in k.around:
        return q.low / UNIT["year"][1] in (known.low, known.high)
    if q.dimension != "count" or known.dimension == "count" or k.strict:
        return False
    size = UNIT[known.unit][1] if known.unit in UNIT else 1.0
    return {round(q.low, 6), round(q.high, 6)} <= {round(known.low / size, 6), round(known.high / size, 6)}


def _kind(q, near, ledger):
    if q.dimension == "money":
        return "price"
    if q.dimension == "time" and {stem("warranty")} & {w for w, _ in near}:
        return "warranty"
    same = any(abs(k.quantity.low / UNIT.get(k.quantity.unit, ("", 1))[1] - q.low / UNIT.get(q.unit, ("", 1))[1]) < 1e-9
               and k.quantity.unit != q.unit for k in ledger.known)  # fmt: skip
    return "unit" if q.unit and same else "number"


def _nearby(found, q, room):
    """(stem, distance in words) of the words in the clause of a quantity, nearest first."""
    inside = [i for i, t in enumerate(found) if t.start < q.end and t.end > q.start]
    if not inside:
        return []
    first, last = inside[0], inside[-1]
    words = [(found[i].stem, first - i, i) for i in range(max(0, first - 9), first)]
    words += [(found[i].stem, i - last, i) for i in range(last + 1, min(len(found), last + 10))]
    clauses = {found[first].clause, found[last].clause}
    words = [(w, d) for w, d, i in words if room[0] <= found[i].start < room[1] and found[i].clause in clauses]
    near = [(w, d) for w, d in words if w not in FUNCTION or w == "without"]
    return sorted(near, key=lambda pair: pair[1])


def _counted(found, q):
    """Stems of what a number counts: the words behind it, up to the next break or small word."""
    inside = [i for i, t in enumerate(found) if t.start < q.end and t.end > q.start]
    words = []
    at = inside[-1] + 1 if inside else len(found)
    if not q.digits and at + 1 < len(found) and found[at].stem == "of" and found[at - 1].stem in NUMBERISH:
        at += 1  # a pair of
    for i in range(at, len(found)):
        token = found[i]
        small = token.stem in FUNCTION or token.stem in HEADS or token.stem in ("plu", "plus", INCLUDED)
        if token.clause != found[inside[-1]].clause or small or len(words) == 4 or token.stem.isdigit():
            break
        words.append(token.stem)
    return words


def _harmless(q, head, ledger):
    """A small number in words beside nothing the facts speak of: "two moods", "three cheers"."""
    if any(w in ledger.affirmed or w in CLAIM_WORDS for w in head):
        return False
    return q.high <= 3 and bool(head) or bool(head) and head[-1] in COMMON_STEMS or q.low < 1 and not head


def _wrong_subject(q, near, head, agreeing, ledger):
    """Why the number belongs to something else than the text says, or None."""
    mine = frozenset().union(*(k.near for k in agreeing))
    rivals = [k for k in ledger.known if k.quantity.dimension == q.dimension and k not in agreeing and not k.strict]
    theirs = frozenset().union(*(k.near for k in rivals))
    if q.dimension != "money":
        for word, _ in near:
            if (word in mine) != (word in theirs):
                if word in theirs:
                    return f"in the facts this is not about {word!r}"
                break
    said = next((word for word, distance in near if word in SIZES and distance <= 3), None)
    named = [k.near & SIZES for k in agreeing]
    if said and q.dimension == "length" and all(names and said not in names for names in named):
        return f"in the facts this is not the {said!r}"
    if q.dimension == "count" and head:
        return _miscounts(head, agreeing, ledger)
    return None


def _miscounts(head, agreeing, ledger):
    """Does a number count a thing that its fact does not speak of?"""
    ends = {head[0], head[-1]}
    for k in agreeing:
        around = with_implied(set(k.around))
        if ends & around or not k.strict and (head[-1] in GENERAL_STEMS or ends & ledger.affirmed):
            return None
    return f"in the facts this number does not count {head[-1]!r}"


def _apiece(q, ledger):
    """What one of several weighs or costs: a total of the facts divided by a count of the facts."""
    counts = {k.quantity.low for k in ledger.known if k.quantity.dimension == "count" and k.quantity.low > 1}
    for k in ledger.known:
        for n in counts:
            if k.quantity.dimension == q.dimension != "count" and k.quantity.low == k.quantity.high:
                one = k.quantity._replace(low=k.quantity.low / n, high=k.quantity.high / n)
                if q.dimension == "money":
                    one = one._replace(low=round(one.low, 2), high=round(one.high, 2))
                if agrees(q, one):
                    return Known(one, frozenset(), frozenset(), f"{k.fact}, divided by {n:g}")
    return None


def _parts(text, q, ledger):
    """Four parts of one to one part of another: shares of the facts."""
    ratio = re.search(r"(\w+) parts? .{1,30}? to (\w+) parts?", text, re.I)
    if not ratio or not ratio.start() <= q.start < ratio.end():
        return False
    values = [quantities(w + " kg")[0].low / 1000 if quantities(w + " kg") else 1 for w in ratio.groups()]
    share = 100 * values[0] / sum(values)
    return any(k.quantity.dimension == "percent" and abs(k.quantity.low - share) < 0.5 for k in ledger.known)
