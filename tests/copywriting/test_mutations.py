"""Supported sentences with one thing changed: nearly every change is refused, whichever sentence it hits."""

import re

import pytest

from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.ledger import ledger_of
from reco_utils.copywriting.lexicon import CLAIMS
from reco_utils.copywriting.quantities import quantities
from reco_utils.copywriting.scores import refused, sentences
from reco_utils.copywriting.words import stem, stems, tokens

SUPPORTED = [row for row in sentences("practice") if row["label"] == "supported" and not refused(row)]
OTHER_UNIT = {
    "cm": "m", "mm": "cm", "m": "km", "g": "kg", "kg": "g", "ml": "l", "l": "ml", "mg": "g", "centimetres": "metres",
    "metres": "kilometres", "grams": "kilograms", "kilos": "grams", "litres": "millilitres", "hours": "days",
    "minutes": "hours", "years": "months", "months": "weeks", "euros": "dollars", "inches": "metres",
}  # fmt: skip
SHARE = 0.96


def caught(changed):
    """Share of the changed sentences that are refused, and those that are not."""
    passed = [row["text"] for row in changed if not refused(row)]
    return 1 - len(passed) / len(changed), passed


def with_text(row, start, end, new):
    return {**row, "text": row["text"][:start] + new + row["text"][end:]}


def one_word_for_another(kind, words):
    """Every supported sentence with a word of a kind that its facts say, with each of `words` in its place."""
    claimed = {stem(word) for word in re.split(r"[,\s]+", CLAIMS[kind]) if word}
    for row in SUPPORTED:
        known = ledger_of(Brief.of(row["facts"])).affirmed
        for token in tokens(row["text"]):
            if token.stem in claimed & known and row["text"][token.start : token.end].islower():
                yield from (with_text(row, token.start, token.end, w) for w in words if not set(stems(w)) & known)
                break


def test_a_changed_number_is_refused():
    changed = []
    for row in SUPPORTED:
        numbers = [q for q in quantities(row["text"]) if q.digits and q.bound in ("", "most") and q.low == q.high]
        known = {k.quantity for k in ledger_of(Brief.of(row["facts"])).known}
        for q in numbers:
            said = re.match(r"\D*(\d[\d.,]*\d|\d)", row["text"][q.start : q.end])
            shown = float(said[1].replace(",", "")) if re.fullmatch(r"[\d,]*\.?\d*", said[1]) else 0
            new = f"{shown * 1.37 + 3:.0f}"
            factor = q.low / shown if shown else 0
            moved = replace_value(q, float(new) * factor)
            if shown and not any(near(moved, k) for k in known):
                changed.append(with_text(row, q.start + said.start(1), q.start + said.end(1), new))
    assert len(changed) > 100
    share, passed = caught(changed)
    assert share >= SHARE, passed


def replace_value(q, value):
    return q._replace(low=value, high=value)


def near(q, known):
    return known.low and abs(q.low / known.low - 1) < 0.02


def test_a_swapped_unit_is_refused():
    changed = []
    for row in SUPPORTED:
        for q in quantities(row["text"]):
            unit = re.search(r"[a-z]+$", row["text"][q.start : q.end])
            if q.unit and unit and unit[0] in OTHER_UNIT:
                start = q.start + unit.start()
                changed.append(with_text(row, start, q.end, OTHER_UNIT[unit[0]]))
    assert len(changed) > 100
    share, passed = caught(changed)
    assert share >= SHARE, passed


@pytest.mark.parametrize(
    "kind, words",
    [
        ("material", ["titanium", "bamboo", "velvet", "cork", "porcelain", "nylon"]),
        ("colour", ["magenta", "turquoise", "mustard", "lilac"]),
        ("certification", ["FSC-certified", "dermatologically tested", "kosher", "Fairtrade"]),
    ],
)
def test_a_word_of_another_product_is_refused(kind, words):
    share, passed = caught(list(one_word_for_another(kind, words)))
    assert share >= SHARE, passed
