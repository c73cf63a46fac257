"""Does a text say only what the facts support? A fact checker for copy, and the plainer checks beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.claims import claims

CLAIM_KINDS = (
    "number", "unit", "price", "material", "colour", "certification", "warranty", "origin", "superlative", "urgency",
    "health", "social-proof", "feature",
)  # fmt: skip
OTHER_KINDS = ("length", "banned", "readability", "language", "instruction")
BANNED = ("click here", "buy now", "act now", "100% free", "risk-free", "risk free", "winner", "guaranteed results")


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

    Returns
    -------
    Checked; `.ok` when nothing was found
    """
    made = claims(text, brief)
    findings = [Finding(c.kind, c.start, c.end, c.why) for c in made if not c.supported]
    findings += [*_length(text, limits), *_banned(text, limits)]
    spans = {Span(c.start, c.end, c.why) for c in made if c.supported}
    return Checked(text, tuple(sorted(set(findings), key=lambda f: (f.start, f.end))), tuple(sorted(spans)))


def duplicate_openings(texts: Sequence[str], n: int = 4) -> tuple[tuple[int, Finding], ...]:
    """Texts that begin with the same n words as an earlier one: (position in `texts`, finding) each."""
    return ()


def as_html(checked: Checked) -> str:
    """The text with supported spans green and refused ones red; everything escaped."""
    return f"<p>{escape(checked.text)}</p>"


def _length(text, limits):
    words = len(text.split())
    if limits.max_words is not None and words > limits.max_words:
        yield Finding("length", 0, len(text), f"{words} words, at most {limits.max_words}")
    if limits.max_chars is not None and len(text) > limits.max_chars:
        yield Finding("length", 0, len(text), f"{len(text)} characters, at most {limits.max_chars}")


def _banned(text, limits):
    low = text.lower()
    for phrase in limits.banned:
        at = low.find(phrase.lower())
        if at >= 0:
            yield Finding("banned", at, at + len(phrase), f"{phrase!r} is banned")
