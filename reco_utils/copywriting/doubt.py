"""How much a sentence sounds as if it claimed what its facts do not say, learned from labelled sentences.

No list holds every word in which a feature can be invented. What gives it away is how the sentence is built around the
words that the facts do not know: "with a ~ that ~ ..." claims, "for mornings when you ..." tells a story. A sentence is
read as its skeleton: words that the facts affirm are `+`, ordinary words `=` and others `~` with their ending, numbers
`0` and `0w`, what a rule objects to is the name of the rule after `!`, and little words stand for themselves. Each run
of up to three has a weight, so has each pair with one mark `_` between, and how many words the facts know and do not
know; the sum is the doubt. `weights.tsv` holds the weights in hundredths, `learn.py` learns them.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from reco_utils.copywriting.ledger import FUNCTION, Claim, Ledger
from reco_utils.copywriting.lexicon import PROOFS
from reco_utils.copywriting.ordinary import COMMON_STEMS, HEADS, NUMBERISH
from reco_utils.copywriting.quantities import quantities
from reco_utils.copywriting.words import Token, sentences_in, stem

WEIGHTS = Path(__file__).with_name("weights.tsv")
LONGEST = 3  # marks in a run
ORDINARY = COMMON_STEMS | HEADS
ORDINARY |= {stem(w) for w in "hold measure weigh cost last carry data sheet portion serving".split()}
ENDINGS = ("ing", "ed", "ly", "er", "est", "able", "ness", "s")
PERSONAL = frozenset(
    "you your yours we us our i me my they them he she nobody somebody everyone everybody who what how let please "
    "thanks no not never nothing without only if when do does did is are was be been being here there like too enough "
    "out up down off away back".split()
)
STOPS = {"\u2014": "-", "\u2013": "-", ")": "("} | {c: c for c in ",.;:?!("}
SOFT = ("not say that there is none", "the facts say no")  # reasons that an honest sentence often gives
PROVEN = re.compile(rf"[- ](?:free|{PROOFS.replace(' ', '|')})'$", re.I)


class Mark(NamedTuple):
    """One mark of a skeleton, and which text it stands for."""

    mark: str
    start: int
    end: int


def settle(text: str, found: list[Token], words: list[str], ledger: Ledger, made: Iterable[Claim]) -> Iterator[Claim]:
    """The claims of `made` that stand, and one for each sentence that only sounds like an invention.

    What a rule objects to firmly, stands; what it objects to weakly, only in a sentence of enough doubt.
    """
    made = list(made)
    yield from (claim for claim in made if claim.supported or firm(claim))
    weights = read_weights()
    for sentence in sentences_of(text, found, words, ledger, made):
        if not sentence.weak and (sentence.firm or not sentence.unknown):
            continue
        if sum(weights.get(name, 0.0) for name in sentence.traits()) >= weights["threshold"]:
            yield from sentence.weak or [sentence.most_doubtful(weights, text)]


def firm(claim: Claim) -> bool:
    """Is an objection of a rule right nearly always? Counts in words, denials and lists of features are not."""
    if claim.supported:
        return False
    said, _, reason = claim.why.rpartition(": ")
    if reason.startswith(("no such number", "in the facts this")):
        return claim.kind == "warranty" or any(q.digits or q.unit and q.dimension != "money" for q in quantities(said))
    if claim.kind == "feature" and PROVEN.search(said):
        return True
    return reason.endswith("not included") or claim.kind != "feature" and not reason.endswith(SOFT[0])


class Sentence(NamedTuple):
    """A sentence as the weights see it."""

    marks: tuple[Mark, ...]
    weak: tuple[Claim, ...]
    firm: tuple[Claim, ...]
    n_known: int  # words that the facts affirm

    @property
    def unknown(self) -> int:
        """How many words the facts do not know."""
        return sum(m.mark.startswith("~") for m in self.marks)

    def traits(self) -> Iterator[str]:
        """The name of everything that has a weight."""
        unknown = min(3, self.unknown)
        yield "always"
        yield f"{unknown} unknown, {min(4, sum(m.mark == '+' for m in self.marks))} affirmed"
        yield f"{unknown} unknown, {min(3, self.n_known // 15)} of facts"
        yield from self.runs()

    def runs(self) -> dict[str, tuple[int, int]]:
        """Each run of up to three marks, and each pair around a gap, and from where to where its last one reaches."""
        marks = ["^", *(m.mark for m in self.marks), "$"]
        found = {
            " ".join(marks[i : i + n]): (i - 1, i + n - 1)
            for n in range(1, LONGEST + 1)
            for i in range(len(marks) - n + 1)
        }
        return found | {f"{a} _ {b}": (i - 1, i + 2) for i, (a, b) in enumerate(zip(marks, marks[2:]))}

    def most_doubtful(self, weights: dict[str, float], text: str) -> Claim:
        """The unknown words between two stops that add most to the doubt, as a claim."""
        weight = [0.0] * len(self.marks)
        for run, (first, last) in self.runs().items():
            for at in range(max(0, first), min(last, len(weight))):
                weight[at] += weights.get(run, 0.0) / (last - first)
        parts: list[list[int]] = [[]]
        for at, mark in enumerate(self.marks):
            if mark.mark in STOPS.values():
                parts.append([])
            else:
                parts[-1].append(at)
        known = [(sum(weight[at] for at in part), part) for part in parts if any(self._new(at) for at in part)]
        places = [at for at in max(known)[1] if self._new(at)]
        start, end = self.marks[places[0]].start, self.marks[places[-1]].end
        return Claim.of("feature", start, end, text, False, "sounds like a claim, and is not in the facts")

    def _new(self, at):
        return self.marks[at].mark.startswith("~")


def sentences_of(
    text: str, found: list[Token], words: list[str], ledger: Ledger, made: Iterable[Claim]
) -> Iterator[Sentence]:
    """The sentences of a text, as the weights see them."""
    made = sorted(made, key=lambda claim: claim.supported)  # an objection outweighs what else is said of a word
    for start, end in sentences_in(text):
        mine = [(t, w) for t, w in zip(found, words) if start <= t.start < end]
        if not mine:
            continue
        here = [claim for claim in made if start <= claim.start < end]
        weak, strong = (tuple(c for c in here if not c.supported and firm(c) is kind) for kind in (False, True))
        yield Sentence(tuple(_skeleton(text, start, end, mine, ledger, here)), weak, strong, len(ledger.affirmed))


@cache
def read_weights() -> dict[str, float]:
    """What each trait adds to the doubt, and the threshold from which on a sentence is refused."""
    lines = WEIGHTS.read_text(encoding="utf-8").splitlines()
    return {name: int(value) / 100 for value, name in (line.split("\t") for line in lines if line)}


def _skeleton(text, start, end, mine, ledger, made):
    last = start
    for token, word in mine:
        yield from (Mark(STOPS[c], last, last) for c in text[last : token.start] if c in STOPS)
        claim = next((c for c in made if c.start <= token.start < c.end), None)
        yield Mark(_mark(word, token, ledger, claim), token.start, token.end)
        last = token.end
    yield from (Mark(STOPS[c], last, last) for c in text[last:end] if c in STOPS)


def _mark(word, token, ledger, claim):
    """The mark of a word, and of the claim that it is part of, if any."""
    if claim is not None and not claim.supported:
        return f"!{_name(claim)}"
    if any(c.isdigit() for c in word):
        return "0"
    if token.stem in NUMBERISH:
        return "0w"
    if word in PERSONAL or token.stem in FUNCTION:
        return word
    if token.stem in ledger.affirmed or claim is not None:
        return "+"
    return ("=" if token.stem in ORDINARY else "~") + next((ending for ending in ENDINGS if word.endswith(ending)), "")


def _name(claim):
    """The name of the rule that objects."""
    if firm(claim):
        return "firm"
    reason = claim.why.rpartition(": ")[2]
    if reason.startswith(("no such number", "in the facts this")):
        return f"{claim.kind}-{'none' if reason.startswith('no') else 'other'}"
    return f"{claim.kind}-{'denied' if reason.endswith(SOFT) else 'new'}"
