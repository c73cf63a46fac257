"""Does a text say only what the facts support? A fact checker for copy, and the plainer checks beside it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.claims import claims
from reco_utils.copywriting.instructions import LEAKS

CLAIM_KINDS = (
    "number", "unit", "price", "material", "colour", "certification", "warranty", "origin", "superlative", "urgency",
    "health", "social-proof", "feature",
)  # fmt: skip
OTHER_KINDS = ("length", "banned", "readability", "language", "instruction", "unread")
BANNED = (  # spam triggers
    "100% free", "act now", "apply now", "as seen on tv", "buy now", "call now", "cash bonus",
    "click below", "click here",
    "congratulations", "dear friend", "double your", "earn money", "extra cash", "free money", "guaranteed results",
    "no catch", "no obligation", "no strings attached", "once in a lifetime", "risk free", "risk-free",
    "this is not spam",
    "urgent", "what are you waiting for", "winner", "you have been selected", "you won", "$$$",
)  # fmt: skip
MAX_CHECKED = 4000  # characters; a longer text is refused unread, some rules take quadratic time
MAX_SENTENCE = 45  # words; of people who write for shops hardly anybody needs more
FOREIGN = {  # frequent words that English does not have
    "german": "und der das ist mit nicht f\u00fcr ein eine auf sich auch wird sind von zu den dem",
    "french": "le les une est pour dans avec sur pas vous votre qui que des et du",
    "spanish": "el los las una para con por que es su del y muy m\u00e1s",
    "italian": "il gli una per con che \u00e8 di della sono pi\u00f9 questo e nel",
    "dutch": "het een van voor met niet zijn ook deze uw wordt en op te",
    "portuguese": "uma para com que n\u00e3o os as do da em seu mais \u00e9",
}
_FOREIGN = {name: frozenset(words.split()) for name, words in FOREIGN.items()}
ENGLISH = frozenset(
    "the and of to in is it for with you your that this on are as be at from our a an or by not but all".split()
)
_LEAK = re.compile("|".join(LEAKS), re.I)
_WORDS = re.compile(r"[^\W\d_]+")


class Finding(NamedTuple):
    """Something in a text that the brief does not support, or that a limit forbids: text[start:end], and why."""

    kind: str
    start: int
    end: int
    why: str


class Span(NamedTuple):
    """text[start:end] is backed by a fact."""

    start: int
    end: int
    fact: str


@dataclass(frozen=True)
class Limits:
    """What a text must keep to besides the facts.

    Parameters
    ----------
    max_words, max_chars : int or None, at least 1
    banned : tuple of str
        Words and phrases, in any case.
    language : "en"
        The only one checked so far.
    """

    max_words: int | None = None
    max_chars: int | None = None
    banned: tuple[str, ...] = BANNED
    language: str = "en"

    def __post_init__(self):
        for name in ("max_words", "max_chars"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} must be a whole number of at least 1, or None for no limit, got {value!r}")
        if self.language != "en":
            raise ValueError(f"language must be 'en', got {self.language!r}")


@dataclass(frozen=True)
class Checked:
    """A text, what speaks against it and what is backed by the facts, both in order of appearance."""

    text: str
    findings: tuple[Finding, ...]
    supported: tuple[Span, ...]

    @property
    def ok(self) -> bool:
        """Nothing speaks against the text."""
        return not self.findings


def check_text(text: str, brief: Brief, *, limits: Limits = Limits()) -> Checked:
    """What in `text` the facts of `brief` do not support, and what the limits forbid.

    A claim is refused unless the title, brand, category, price, attributes, tags or description say so, or it follows
    from them: by conversion ("0.75 l" of 750 ml), by a bound ("under 25 euros" of 24.90), by what a word includes (oak
    is wood). Where one part of the text is refused and another supports the same words, the refusal stands.

    Parameters
    ----------
    text : str
    brief : Brief
    limits : Limits

    Returns
    -------
    Checked; `.ok` when nothing was found

    Raises
    ------
    TypeError  for a text that is no str
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, got {type(text).__name__}")
    if len(text) > MAX_CHECKED:
        why = f"{len(text)} characters, at most {MAX_CHECKED} can be checked"
        return Checked(text, (Finding("length", 0, len(text), why),), ())
    made = claims(text, brief)
    findings = set(_plainest([Finding(c.kind, c.start, c.end, c.why) for c in made if not c.supported]))
    for check in (_length, _banned, _readability, _language, _instructions):
        findings.update(check(text, limits))
    spans = {Span(c.start, c.end, c.why) for c in made if c.supported}
    by_place = {"key": lambda found: (found.start, found.end, found)}  # the same order in every process
    return Checked(text, tuple(sorted(findings, **by_place)), tuple(sorted(spans, **by_place)))


def duplicate_openings(texts: Sequence[str], n: int = 4) -> tuple[tuple[int, Finding], ...]:
    """Texts that begin with the same n words as an earlier one: (position in `texts`, finding) each.

    Case and punctuation do not count; a text of fewer words than n is compared whole, an empty one not at all.

    Raises
    ------
    ValueError  for n below 1
    """
    if n < 1:
        raise ValueError(f"n must be at least 1 word, got {n}")
    first: dict[tuple[str, ...], int] = {}
    found = []
    for at, text in enumerate(texts):
        words = list(re.finditer(r"\w+", text))[:n]
        opening = tuple(word[0].casefold() for word in words)
        if opening and first.setdefault(opening, at) != at:
            why = f"begins like text {first[opening]}"
            found.append((at, Finding("readability", words[0].start(), words[-1].end(), why)))
    return tuple(found)


class Mark(NamedTuple):
    """text[start:end] is to be shown as supported or as refused, and why."""

    start: int
    end: int
    why: str
    supported: bool


def marks(checked: Checked) -> tuple[Mark, ...]:
    """What to colour in a text, in order and nothing twice.

    Of marks that overlap the first is kept, of those that begin together the refused, then the longest. Findings about
    the length of a text have no place in it.
    """
    every = [Mark(f.start, f.end, f.why, False) for f in checked.findings if f.kind != "length"]
    every += [Mark(s.start, s.end, s.fact, True) for s in checked.supported]
    kept, at = [], 0
    for mark in sorted(every, key=lambda mark: (mark.start, mark.supported, -mark.end)):
        if at <= mark.start < mark.end:
            kept.append(mark)
            at = mark.end
    return tuple(kept)


def _plainest(findings):
    """The findings without the features that lie inside another one."""
    firm = [f for f in findings if f.kind != "feature"]
    for found in sorted((f for f in findings if f.kind == "feature"), key=lambda f: (f.start - f.end, f.start)):
        if not any(f.start <= found.start and found.end <= f.end for f in firm):
            firm.append(found)
    return firm


def _length(text, limits):
    words = len(text.split())
    if limits.max_words is not None and words > limits.max_words:
        yield Finding("length", 0, len(text), f"{words} words, at most {limits.max_words}")
    if limits.max_chars is not None and len(text) > limits.max_chars:
        yield Finding("length", 0, len(text), f"{len(text)} characters, at most {limits.max_chars}")
    if not words:
        yield Finding("length", 0, len(text), "no words")


def _banned(text, limits):
    low = text.lower()
    for phrase in limits.banned:
        match = re.search(rf"(?<!\w){re.escape(phrase.lower())}(?!\w)", low) if phrase.lower() in low else None
        if match:
            yield Finding("banned", match.start(), match.end(), f"{phrase!r} is banned")


def _readability(text, limits):
    """Sentences too long to read, shouting, and stammering."""
    for match in re.finditer(r"[^.!?\n]+(?:[.!?](?=\S)[^.!?\n]*)*", text):
        words = len(match[0].split())
        if words > MAX_SENTENCE:
            why = f"a sentence of {words} words, at most {MAX_SENTENCE}"
            yield Finding("readability", match.start(), match.end(), why)
    for match in re.finditer(r"[!?]{3,}|\b([^\W\d]{2,})(?:\s+\1\b){2,}", text, re.I):
        yield Finding("readability", match.start(), match.end(), "the same again and again")
    letters = [c for c in text if c.isalpha()]
    if len(letters) > 20 and sum(c.isupper() for c in letters) > 0.6 * len(letters):
        yield Finding("readability", 0, len(text), "all in capitals")


def _language(text, limits):
    """Another script, or more little words of another language than of English."""
    letters = [c for c in text if c.isalpha()]
    if not text.isascii() and sum("LATIN" in unicodedata.name(c, "") for c in letters) < 0.7 * len(letters):
        yield Finding("language", 0, len(text), "not in Latin letters")
    words = [word.lower() for word in _WORDS.findall(text)]
    english = sum(word in ENGLISH for word in words)
    for name, little in _FOREIGN.items():
        if sum(word in little for word in words) > max(2, english):
            yield Finding("language", 0, len(text), f"reads like {name}")


def _instructions(text, limits):
    for match in _LEAK.finditer(text):
        yield Finding("instruction", match.start(), match.end(), f"{match[0]!r} is no copy")
