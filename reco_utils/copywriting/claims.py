"""Claims in a text against the facts of a brief: words, polarity and what they belong to.

The world is closed: what the facts do not say, or what does not follow from them, is an invention. Words that promise
something about a product (`lexicon.CLAIMS`) need a fact that says the same, with the same sign; numbers (`numbers.py`)
need a fact of the same dimension, value and subject; names (`names.py`) need the facts to have them. What no list holds
is left to `doubt.py`, which also decides which of the weaker objections stand.
"""

import re
from collections.abc import Iterator

from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.doubt import settle
from reco_utils.copywriting.ledger import (
    CLAIM_WORDS,
    FAKE,
    FREE,
    FUNCTION,
    INCLUDED,
    NO,
    Claim,
    denied,
    ledger_of,
    negations,
)
from reco_utils.copywriting.lexicon import (
    CLAIMS,
    COUNTRIES,
    PATTERNS,
    PROOFS,
    SAME_CLAIMS,
    SCOPE,
)
from reco_utils.copywriting.names import names
from reco_utils.copywriting.numbers import discount_holds, number_claims, old_prices
from reco_utils.copywriting.ordinary import COMMON_STEMS, HEADS
from reco_utils.copywriting.quantities import agrees, quantities
from reco_utils.copywriting.words import Token, phrases, root, spelled, stem, stems, tokens

CERTIFIED, BUT, NOTHING = stem("certified"), stem("but"), stem("nothing")
CERTIFICATES = {phrase[0] for phrase in phrases(CLAIMS["certification"]) if len(phrase) == 1}
PURE = {stem(w) for w in "pure purely all entirely only solely".split()}
PROVEN = frozenset(stem(w) for w in PROOFS.split())
TREATED = {stem(w) for w in (
    "made lined coated filled infused powered controlled based scented flavoured plated grade rated backed shaped fed "
    "raised caught grown farmed cured smoked pressed roasted dried sewn tied blown turned welded dyed spun woven "
    "tufted painted polished"
).split()}  # fmt: skip
SAME_CLAIM = [
    ({stems(word) for word in group}, group)
    for line in SAME_CLAIMS.strip().splitlines()
    for group in [[word.strip() for word in line.split(",")]]
]
TESTED = stems("tested")
_CODE = re.compile(r"\b(?:en|iso|din|ansi|bs)[ -]?\d|\b(?:ce|gs|t\u00fcv|vde)\b|certifi", re.I)
SCARCE = {stems(w) for w in (
    "nearly gone", "almost gone", "low stock", "running low", "last few", "few left", "limited stock", "going fast"
)}  # fmt: skip
_FEW = re.compile(r"\bonly \d+ (?:left|remaining|in stock)|\b\d+ left\b|\blow stock\b|\blast (?:few|pieces|pairs|\d+)")
NO_CLAIM_IF_DENIED = ("superlative", "urgency", "social-proof", "colour", "origin", "price")
SKIES = {stem(w) for w in "sky morning evening afternoon night day monday weekend november mood light moment".split()}
_EST = re.compile(r"\b(?!forest|interest|suggest|request|honest|modest|latest)(?:most|best|[a-z]{3,}est)\b", re.I)
_SCOPES = re.compile(r"\b(?:" + "|".join(re.escape(p.strip()) for p in re.split(r"[,\n]", SCOPE) if p) + r")\b", re.I)
_PATTERNS = [(kind, re.compile("|".join(patterns), re.I)) for kind, patterns in PATTERNS.items()]


def _index(tables):
    """First root to (roots, stems, the spellings it must have or none, kind), longest phrase first.

    A phrase is found by its roots, so that "grip" is no handle, and supported by its stems, among which synonyms count.
    Materials and colours are found as they are spelled: ironing is no metal.
    """
    index: dict[str, list] = {}
    for kind, table in tables:
        for entry in re.split(r"[,\n]", table):
            if phrase := stems(entry):
                written = spelled(entry)
                exact = re.findall(r"=(\w+)", entry) or re.findall(r"^\s*(\w{3,}(?:able|ed|ing))\s*$", entry)
                if kind in ("material", "colour") and len(written) == 1 and not exact:
                    exact = [written[0] + ending for ending in ("", "s", "es")]
                words = tuple(root(word) for word in written)
                index.setdefault(words[0], []).append((words, phrase, frozenset(exact), kind))
    return {first: sorted(rest, key=lambda found: (-len(found[0]), not found[2])) for first, rest in index.items()}


_CLAIM_INDEX = _index(
    [
        *CLAIMS.items(),
        ("country", COUNTRIES.replace("black forest", "").replace(" ", ",")),
        ("country", "black forest"),
    ]
)


def claims(text: str, brief: Brief) -> list[Claim]:
    """Every claim of a text, supported or not, in no order."""
    plain, found, words, made = objections(text, brief)
    return list(settle(plain, found, words, ledger_of(brief), made))


def objections(text: str, brief: Brief) -> tuple[str, list[Token], list[str], list[Claim]]:
    """(the text, its words and their spelling, what the rules say of it); `settle` decides which of it stands."""
    ledger = ledger_of(brief)
    plain = text.replace("\u2019", "'").replace("\u00a0", " ")
    found = tokens(plain)
    signs = negations(found, plain)
    words = spelled(plain)
    roots = [root(word) for word in words]
    made = [*number_claims(plain, found, ledger), *_phrases(plain, roots, found, signs, ledger)]
    made += _patterns(plain, ledger)
    made += _superlatives(plain, ledger)
    made += _suffixes(plain, found, signs, ledger)
    made += _pure(plain, found, ledger)
    made += _echoes(found, ledger)
    made += names(plain, found, ledger)
    made += _left_out(plain, found, signs, ledger)
    true = {(t.start, t.end) for t in found if denied(plain[t.start : t.end]) in ledger.negated}
    return plain, found, words, [claim for claim in made if claim.supported or (claim.start, claim.end) not in true]


# -------------------------------------------------------------------------------------------------- words that promise
def _match(index, roots, found, text):
    """(first, last + 1, phrase, kind) of the longest phrase at each place."""
    at = 0
    while at < len(found):
        for words, phrase, exact, kind in index.get(roots[at], ()):
            here = found[at : at + len(words)]
            if len(words) > 1 and (tuple(roots[at : at + len(words)]) != words or here[0].clause != here[-1].clause):
                continue
            if exact and exact.isdisjoint(text[t.start : t.end].lower() for t in here):
                continue
            yield at, at + len(words), phrase, kind
            at += len(words) - 1
            break
        at += 1


def _phrases(text, roots, found, signs, ledger) -> Iterator[Claim]:
    """Words and phrases of the claim lists."""
    for first, last, phrase, kind in _match(_CLAIM_INDEX, roots, found, text):
        if kind == "colour" and _of_a_scene(text, found, last, ledger):
            continue
        if kind == "country":
            if text[found[first].start].islower():  # chilly is no Chile
                continue
            kind = "origin"
        if signs[first] and kind in NO_CLAIM_IF_DENIED:
            continue
        content = [word for word in phrase if word not in FUNCTION] or list(phrase)
        if signs[first] and kind == "feature" and not set(content) & ledger.affirmed:
            continue  # no pump, no bracket: what the facts do not speak of, and nobody puts into a product
        if signs[first]:
            good = (
                all(word in ledger.negated for word in content if word != FREE)
                or len(phrase) > 1
                and " ".join(phrase) in ledger.text
            )
            why = "the facts do not say that there is none"
        else:
            good = _affirmed(content, found, first, ledger) or (
                not set(content) & ledger.negated and _same_thing(phrase, kind, ledger)
            )
            why = "the facts say no" if set(content) & ledger.negated else "not in the facts"
        yield Claim.of(kind, found[first].start, found[last - 1].end, text, good, why)


def _same_thing(phrase, kind, ledger):
    """ "Crafted in" where the facts say "made in"; "nearly gone" where they say that few are left."""
    if kind == "urgency" and phrase in SCARCE:
        return bool(_FEW.search(ledger.text))
    if phrase == TESTED:
        return bool(_CODE.search(ledger.text))
    return any(phrase in group and any(word in ledger.text for word in words) for group, words in SAME_CLAIM)


def _of_a_scene(text, found, last, ledger):
    """Is a colour that of a morning or a mood, and not of the product?"""
    if last == len(found) or text[found[last - 1].end : found[last].start] != " ":
        return False
    return found[last].stem in SKIES - ledger.affirmed


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


# -------------------------------------------------------------------------------------------------- turns of phrase
def _patterns(text, ledger) -> Iterator[Claim]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            words = [w for w in stems(match[0]) if w not in FUNCTION and not w.isdigit()]
            yield Claim.of(kind, *match.span(), text, _pattern_holds(kind, match[0], words, ledger))


def _pattern_holds(kind, said, words, ledger):
    if said.lower() in ledger.text:
        return True
    if kind == "price" and re.match(r"free\s", said, re.I):
        return _free_holds(words, ledger)
    amounts = quantities(said)
    if kind == "urgency":
        stock = [k for k in ledger.known if k.near & {"stock", "available", "avail", "left"}]
        return any(agrees(a, k.quantity) for a in amounts for k in stock)
    if kind == "price":
        return bool(old := old_prices(ledger)) and discount_holds(amounts, old, ledger)
    known = ledger.affirmed | ledger.negated if kind == "feature" else ledger.affirmed
    return bool(words) and all(word in known for word in words)


def _free_holds(words, ledger):
    """Free shipping needs a fact that says so, and a price above its threshold."""
    price = next((k.quantity.low for k in ledger.known if k.fact == "price"), None)
    for k in ledger.known:
        if k.quantity.dimension == "money" and FREE in k.around and set(words) <= k.around | {FREE}:
            return price is not None and price >= k.quantity.low
    return any(clause.issuperset(words) for clause in ledger.clauses)


def _superlatives(text, ledger) -> Iterator[Claim]:
    """The lightest tent, the best of all: a superlative about a word of the facts, or with a scope."""
    for match in _EST.finditer(text):
        word, rest = match[0].lower(), re.split(r"[.!?;]", text[match.end() : match.end() + 70])[0]
        after, scope = stems(rest)[:4], _SCOPES.search(rest)
        known = stem(word) in ledger.affirmed and not (scope and scope[0].lower() not in ledger.text)
        if word in ("most", "best") and not known:
            known = bool(set(after[:1]) & ledger.affirmed) and word in ledger.text
        if word == "most" and (after[:1] in ((), ("of",)) or not after[0].isalpha()):
            continue
        if scope or any(w in ledger.affirmed and w not in FUNCTION | COMMON_STEMS for w in after):
            yield Claim.of("superlative", match.start(), match.end() + (scope.end() if scope else 0), text, known)


def _suffixes(text, found, signs, ledger) -> Iterator[Claim]:
    """frost-proof, vet-approved, gluten-free: a word and what it makes of it, joined by a hyphen."""
    for left, right, no in zip(found, found[1:], signs):
        between = text[left.end : right.start]
        named = between == " " and left.stem in CLAIM_WORDS and right.stem in PROVEN  # dishwasher safe
        if not named and between != "-" and left.start != right.start:
            continue
        good = None
        if right.stem == FREE:
            good = left.stem in ledger.negated
        elif right.stem in PROVEN:
            good = any(clause.issuperset({left.stem, right.stem}) for clause in ledger.clauses)
        elif right.stem in TREATED and left.stem not in COMMON_STEMS and not no:
            good = left.stem in ledger.affirmed
        if good is not None:
            yield Claim.of("feature", left.start, right.end, text, good)
    for i, token in enumerate(found[:-2]):
        if token.stem == FREE and found[i + 1].stem in ("of", "from"):
            words = [t for t in found[i + 2 : i + 5] if t.clause == token.clause and t.stem not in FUNCTION][:2]
            if words and words[0].stem not in COMMON_STEMS | {"charge"}:
                yield Claim.of("feature", token.start, words[0].end, text, words[0].stem in ledger.negated)


# -------------------------------------------------------------------------------------------------- what contradicts
def _pure(text, found, ledger) -> Iterator[Claim]:
    """ "Pure" or "nothing but" of what is only a share in the facts."""
    for i, token in enumerate(found[:-1]):
        if token.stem in PURE or (token.stem == BUT and i and found[i - 1].stem == NOTHING):
            word = found[i + 1].stem
            shares = [k.quantity.high for k in ledger.known if k.quantity.dimension == "percent" and word in k.near]
            if shares and max(shares) < 100:
                yield Claim.of("material", token.start, found[i + 1].end, text, False)


def _left_out(text, found, signs, ledger) -> Iterator[Claim]:
    """A thing that the facts say is not included, where a text leaves it out too, or includes it."""
    included = {t.clause for t, no in zip(found, signs) if t.stem in HEADS | {INCLUDED} and not no}
    for token, no in zip(found, signs):
        if token.stem in ledger.absent and (no or token.clause in included):
            why = "the facts say that it is not included"
            yield Claim.of("feature", token.start, token.end, text, no, why)


def _echoes(found, ledger) -> Iterator[Claim]:
    """Four words in a row of a sentence that was left out as an instruction."""
    words = tuple(t.stem for t in found)
    for i in range(len(words) - 3 if ledger.echoes else 0):
        if words[i : i + 4] in ledger.echoes:
            why = "repeats an instruction of the catalogue"
            yield Claim("instruction", found[i].start, found[i + 3].end, why, False)
