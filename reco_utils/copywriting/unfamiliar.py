"""Words that neither the facts nor ordinary talk know, where a sentence presents them as part of the product.

"With a magnetic whistle", "includes a stand", a list whose other members are facts, names and codes in capitals: there
a word that the facts do not say is an invention. Elsewhere a word is left alone unless it is an unknown noun or
participle in a sentence about the product; verbs, adverbs and abstract nouns tell stories, and claim nothing.
"""

import re
from collections.abc import Iterator

from reco_utils.copywriting.ledger import FUNCTION, INCLUDED, MONTHS, Claim, Ledger
from reco_utils.copywriting.lexicon import ACRONYMS_OK, CLAIMS
from reco_utils.copywriting.ordinary import COMMON_STEMS, GENERAL_STEMS, HEADS, NUMBERISH
from reco_utils.copywriting.quantities import UNIT, quantities
from reco_utils.copywriting.words import Token, phrases, stem

BOX = stem("box")
COME, WITH, CERTIFIED = stem("comes"), stem("with"), stem("certified")
CERTIFICATES = {phrase[0] for phrase in phrases(CLAIMS["certification"]) if len(phrase) == 1}
PHRASE_ENDS = {stem(w) for w in (
    "for to that which from you when until who so with but than as like if while is are because"
).split()}  # fmt: skip
DOERS = {stem(w) for w in (
    "to you we they it i he she that which who can will may might could would should must let lets us don not never "
    "always just simply please won doesn cannot help helps then they everyone nobody nothing there whatever what how"
).split()}  # fmt: skip
OBJECTS = {stem(w) for w in (
    "you your yours yourself the a an it its itself them their us our him her his my me this these those that every "
    "into onto away up down off out through over across past along alongside beside around between like as if "
    "everything anything nothing something someone anyone everyone"
).split()}  # fmt: skip
STORY_ENDS = ("ly", "ness", "ity", "ance", "ence", "ship", "hood", "dom", "ism", "ing")
_CUT = re.compile(r",\s(?:and|or)\s|,\s|\s(?:and|or)\s|\s&\s")


def unfamiliar(text: str, found: list[Token], signs: list[bool], masked: set[int], ledger: Ledger) -> Iterator[Claim]:
    """Every word in a product's place that the facts do not know."""
    yield from _capitals(text, found, ledger)
    yield from _frames(text, found, signs, masked, ledger)
    yield from _mates(text, found, signs, ledger)
    yield from _modifiers(text, found, masked, ledger)


def unknown(word: str, ledger: Ledger, ordinary: frozenset[str] = GENERAL_STEMS) -> bool:
    """Is the word neither in the facts nor ordinary?"""
    if len(word) < 3 or not word.isalpha() or word in FUNCTION or word in NUMBERISH or word in ordinary:
        return False
    if word == CERTIFIED and ledger.affirmed & CERTIFICATES or word.endswith("est"):
        return False
    return word not in ledger.affirmed and word not in ledger.negated


# ----------------------------------------------------------------------------------------------------- names and codes
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
                yield Claim.of("feature", token.start, token.end, text, False)
        elif word.isupper() and 1 < len(word) < 7 and not shouted:
            if word not in ACRONYMS_OK.split() and low not in UNIT and token.stem not in GENERAL_STEMS:
                yield Claim.of("feature", token.start, token.end, text, _size_holds(word, ledger))
        elif word[0].isupper() and len(word) > 2 and not titled and not shouted:
            if _is_name(text, token, low):
                kind = "origin" if i and found[i - 1].stem in ("from", "in", "of") else "feature"
                yield Claim.of(kind, token.start, token.end, text, False)


def _is_name(text, token, low):
    """Does a capital stand where only a name has one?"""
    before = text[: token.start].rstrip(" \"'\u201c\u2018(")
    if not before or before[-1] in ".!?:;\u2014\u2013|*\u2022\n-/" or ord(before[-1]) >= 0x2190:
        return False
    place = re.search(r"\b(?:in|from|of|by|with|near|via|using)$", before) is not None
    ordinary = COMMON_STEMS if place else GENERAL_STEMS
    return place and token.stem not in ordinary and low not in MONTHS and low not in UNIT


def _size_holds(word, ledger):
    order = ["xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"]
    low = word.lower()
    spans = re.findall(r"\b(x*[sl]|m)\s?(?:-|\u2013|to)\s?(x*[sl]|m)\b", ledger.text)
    return low in order and any(
        order.index(a) <= order.index(low) <= order.index(b) for a, b in spans if a in order and b in order
    )


# ------------------------------------------------------------------------------------------------ parts of the product
def _frames(text, found, signs, masked, ledger):
    """ "with a ...", "includes ...", "... included": what is named there is part of the product."""
    for span in _framed(found, signs):
        missing = [j for j in span if found[j].stem in ledger.absent and not signs[j]]
        if missing:
            yield Claim.of("feature", found[missing[0]].start, found[missing[-1]].end, text, False)
        odd = [j for j in span if j not in masked and unknown(found[j].stem, ledger)]
        odd = [j for j in odd if not _tells(text, found, j)]
        if odd:
            yield Claim.of("feature", found[odd[0]].start, found[odd[-1]].end, text, False)


def _framed(found, signs):
    """Places of the words of each frame."""
    for i, token in enumerate(found):
        if token.stem in HEADS and not (token.stem == COME and not _next_is(found, i, WITH)):
            if not signs[i]:
                yield _noun_phrase(found, i + 1, token.clause)
        if token.stem == INCLUDED and i and not signs[i] and found[i - 1].clause == token.clause:
            yield [j for j in range(max(0, i - 3), i) if found[j].clause == token.clause]
        if token.stem == BOX and i > 2 and found[i - 2].stem == "in":  # "batteries are in the box"
            yield [j for j in range(max(0, i - 8), i - 2) if found[j].clause == token.clause]
        if token.stem == COME and _next_is(found, i, WITH):
            if found[i + 2 : i + 3] and found[i + 2].stem in ("it", "them"):
                yield [j for j in range(max(0, i - 3), i) if found[j].clause == token.clause]


def _next_is(found, i, word):
    return i + 1 < len(found) and found[i + 1].stem == word


def _noun_phrase(found, at, clause):
    """Places of up to five words from `at`, up to the end of the clause or a word that begins something new."""
    places = []
    for j in range(at, min(len(found), at + 5)):
        if found[j].clause != clause or found[j].stem in PHRASE_ENDS:
            break
        places.append(j)
    return places


def _mates(text, found, signs, ledger):
    """A list whose other members are facts: the one that is not, is invented."""
    for match in re.finditer(r"[^.!?;:\u2014\n]+", text):
        parts, at = [], 0
        for cut in [*_CUT.finditer(match[0]), None]:
            end = cut.start() if cut else len(match[0])
            parts.append((match.start() + at, match.start() + end))
            at = cut.end() if cut else end
        inside = [[t for t in found if a <= t.start < b and t.stem not in FUNCTION] for a, b in parts]
        for k, words in enumerate(inside):
            if len(parts) < 2 or not 1 <= len(words) <= 2 or parts[k][1] - parts[k][0] > 30:
                continue
            story = any(signs[at] or _tells(text, found, at) for at in map(found.index, words))
            if not story and _has_mate(inside, k, ledger) and all(unknown(w.stem, ledger) for w in words):
                yield Claim.of("feature", words[0].start, words[-1].end, text, False)


def _has_mate(inside, k, ledger):
    """Is a neighbour in the list a fact, told in a few words?"""
    for j in (k - 1, k + 1):
        if 0 <= j < len(inside) and 1 <= len(inside[j]) <= 4:
            beside, last = inside[j][-1 if j < k else 0].stem, inside[j][-1].stem
            if beside in ledger.affirmed and last not in GENERAL_STEMS:
                return True
    return False


def _modifiers(text, found, masked, ledger):
    """An unknown word right before a thing of the facts: "heather honey"."""
    for i, (token, beside) in enumerate(zip(found, found[1:])):
        if i in masked or len(token.stem) < 4 or not unknown(token.stem, ledger) or _tells(text, found, i):
            continue
        if (
            beside.clause == token.clause
            and text[token.end : beside.start] in (" ", "-")
            and beside.stem in ledger.things
        ):
            yield Claim.of("feature", token.start, token.end, text, False)


def _tells(text, found, i):
    """Is a word a verb, an adverb or an abstract noun, by its ending and its neighbours?"""
    token = found[i]
    word = text[token.start : token.end].lower()
    hyphen = text[token.end : token.end + 1] == "-" or text[token.start - 1 : token.start] == "-"
    if hyphen:
        return False
    if word.endswith(STORY_ENDS):
        return True
    before = found[i - 1] if i and found[i - 1].clause == token.clause else None
    after = found[i + 1] if i + 1 < len(found) and found[i + 1].clause == token.clause else None
    if before is not None and before.stem in DOERS:
        return True
    if after is not None and after.stem in OBJECTS:
        return True
    return before is None and text[token.start].isupper() and after is not None and not word.endswith("ed")
