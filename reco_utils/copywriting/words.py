"""Text as words: tokens with their place, crude stems that make "rib" of "ribbed", phrases found among them."""

import re
from functools import lru_cache
from typing import NamedTuple

from reco_utils.copywriting.lexicon import IMPLIES, SAME

TOKEN = re.compile(r"(?i:wi-fi|e-mail|t-shirt)\b|[^\W_]+(?:'[^\W_]+)*")
BREAK = re.compile(r"[,.;:!?()\[\]\u2013\u2014|\n]|\s-\s")  # what separates clauses
SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[;:\u2014\n]")
FULL_STOP = re.compile(r"(?<=[.!?])[\"'\u2019\u201d)]*\s+(?=\S)|\n+")
_JOINED = re.compile(r"(\w{3,})(proof|resistant|repellent|resistance)")


KEPT = {
    "slimming",
    "approved",
    "added",
    "gots",
    "notes",
    "hardy",
    "silky",
    "velvety",
    "hives",
    "news",
    "lens",
    "bass",
    "always",
    "perhaps",
    "across",
    "less",
    "unless",
    "red",
    "bed",
}


class Token(NamedTuple):
    """A word of a text: text[start:end], its stem, and how often a clause ended before it."""

    start: int
    end: int
    stem: str
    clause: int


def tokens(text: str) -> list[Token]:
    """The words of a text; "waterproof" counts as two, water and proof, both in the place of the whole."""
    text = text.replace("\u2019", "'")
    found, clause, last = [], 0, 0
    for match in TOKEN.finditer(text):
        start, end = match.span()
        if last < start - 1 or (start and text[last:start] not in (" ", "-", "")):
            clause += BREAK.search(text, last, start) is not None
        last = end
        found += [Token(start, end, stem(part), clause) for part in _parts(match[0])]
    return found


def spelled(text: str) -> list[str]:
    """The words of `tokens` as they are spelled, in lower case."""
    return [part for match in TOKEN.finditer(text.replace("\u2019", "'")) for part in _parts(match[0])]


def _parts(word):
    word = word.lower().replace("-", "")
    joined = _JOINED.fullmatch(word)
    return joined.groups() if joined else (word,)


def sentences_in(text: str) -> list[tuple[int, int]]:
    """Where each whole sentence begins and ends, the space behind it included."""
    cuts = [0, *(m.end() for m in FULL_STOP.finditer(text)), len(text)]
    return list(zip(cuts, cuts[1:]))


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where each sentence, or part of one up to a colon, semicolon or dash, begins and ends."""
    cuts = [0, *(m.start() for m in SENTENCE_END.finditer(text)), len(text)]
    return list(zip(cuts, cuts[1:]))


def stems(text: str) -> tuple[str, ...]:
    """The stems of a text's words, in order."""
    return tuple(token.stem for token in tokens(text))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """What words of one family share, more or less: plural, -ing, -ed, -ly and -y go; accepted synonyms become one."""
    return _GROUPS.get(bare := _root(word), bare)


@lru_cache(maxsize=65536)
def root(word: str) -> str:
    """A word without its ending; synonyms stay apart."""
    return _root(word)


def _root(word: str) -> str:
    word = word.lower().split("'")[0] if not word.endswith("n't") else "not"
    if len(word) <= 3 or word in KEPT or not word.isalpha():
        return word
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("sses", "ss")):
        if word.endswith(ending):
            word = word[: -len(ending)] + instead
            break
    else:
        if word.endswith("s") and word[-2] not in "su" and word[-2:] != "is":
            word = word[:-1]
    for ending in ("ness", "ingly", "edly", "ment", "able", "ing", "ed", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= (4 if ending in ("ment", "able") else 3):
            word = word[: -len(ending)]
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]
            break
    if len(word) > 4 and word[-1] in "ey":
        word = word[:-1]
    return word


def _groups():
    """Root to the root that stands for its group of synonyms."""
    groups: dict[str, str] = {}
    for group in SAME.replace("\n", ";").split(";"):
        roots = [_root(word) for part in group.split() for word in [part.replace("-", "")]]
        head = next((groups[r] for r in roots if r in groups), roots[0] if roots else "")
        groups |= dict.fromkeys(roots, head)
    return groups


_GROUPS = _groups()


def _implied():
    implied: dict[str, set[str]] = {}
    for line in IMPLIES.replace("\n", ";").split(";"):
        if ":" in line:
            word, others = line.split(":")
            implied.setdefault(stem(word.strip()), set()).update(stem(other) for other in others.split())
    return implied


IMPLIED = _implied()  # stem to the stems of what it is too, e.g. oak is wood


def with_implied(known: set[str]) -> set[str]:
    """`known` and what follows from it, e.g. merino: wool."""
    grown, new = set(known), known
    while new:
        new = {other for word in new for other in IMPLIED.get(word, ())} - grown
        grown |= new
    return grown


def phrases(table: str) -> list[tuple[str, ...]]:
    """The stems of each phrase of a lexicon; commas and line ends separate phrases."""
    return [stems(phrase) for phrase in re.split(r"[,\n]", table) if phrase.strip()]
