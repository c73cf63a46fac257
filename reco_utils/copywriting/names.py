"""Names, codes and sizes in a text that the facts do not have: capitals inside a sentence, letters with digits."""

import re
from collections.abc import Iterator

from reco_utils.copywriting.ledger import MONTHS, Claim, Ledger
from reco_utils.copywriting.lexicon import ACRONYMS_OK
from reco_utils.copywriting.ordinary import COMMON_STEMS
from reco_utils.copywriting.quantities import UNIT, quantities
from reco_utils.copywriting.words import Token


def names(text: str, found: list[Token], ledger: Ledger) -> Iterator[Claim]:
    """Every name, code or size of a text that the facts do not have, as a claim."""
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
            if word not in ACRONYMS_OK.split() and low not in UNIT and token.stem not in COMMON_STEMS:
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
    return place and token.stem not in COMMON_STEMS and low not in MONTHS and low not in UNIT


def _size_holds(word, ledger):
    order = ["xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"]
    low = word.lower()
    spans = re.findall(r"\b(x*[sl]|m)\s?(?:-|\u2013|to)\s?(x*[sl]|m)\b", ledger.text)
    return low in order and any(
        order.index(a) <= order.index(low) <= order.index(b) for a, b in spans if a in order and b in order
    )
