import re

import pytest

from reco_utils.copywriting.brief import Brief, Fact
from reco_utils.copywriting.checks import Checked, Finding, Mark, Span, check_text, marks
from reco_utils.copywriting.show import as_email, beside, receipts

FACTS = (Fact("capacity", "750 ml"), Fact("material", "stainless steel"), Fact("warranty", "2 years"))
BOTTLE = Brief("Brennick bottle", brand="Brennick", price=24.9, facts=FACTS, tags=("insulated",))
LINES = BOTTLE.as_text().split("\n")


def plain(shown):
    """The words of a page without its tags."""
    return re.sub(r"<[^>]+>", "", shown)


@pytest.mark.parametrize(
    ("said", "line"),
    [("0.75 litres", "capacity: 750 ml"), ("stainless steel", "material: stainless steel"),
     ("two years", "warranty: 2 years"), ("25 euros", "price: 24.90 EUR"), ("insulated", "tags: insulated")],
)  # fmt: skip
def test_a_claim_shows_the_line_it_rests_on(said, line):
    checked = check_text(f"An insulated bottle of {said}, for under 25 euros, with two years.", BOTTLE)
    found = {checked.text[s.start : s.end]: n for s, n in receipts(checked, BOTTLE).items()}
    assert LINES[found[said] - 1] == line


def test_a_receipt_is_found_by_fact_and_by_words_and_may_be_missing():
    text = "a of steel b"
    spans = (Span(0, 1, "price"), Span(5, 10, "steel"), Span(11, 12, "no such fact"))
    found = receipts(Checked(text, (), spans), BOTTLE)
    assert [n and LINES[n - 1].partition(":")[0] for n in found.values()] == ["price", "material", None]


def test_a_people_is_backed_by_its_country():
    brief = Brief("Mug", facts=(Fact("capacity", "350 ml"), Fact("made in", "Poland")))
    checked = check_text("A Polish mug.", brief)
    assert list(receipts(checked, brief).values()) == [3]


def test_marks_do_not_overlap_and_the_refusal_stands():
    findings = (Finding("feature", 0, 4, "no"), Finding("feature", 0, 9, "no, no"), Finding("length", 0, 20, "long"))
    checked = Checked("x" * 20, findings, (Span(0, 9, "yes"), Span(5, 12, "yes"), Span(12, 15, "yes")))
    assert marks(checked) == (Mark(0, 9, "no, no", False), Mark(12, 15, "yes", True))


def test_text_ledger_and_reasons_stand_side_by_side():
    checked = check_text("A titanium bottle of 0.75 litres, and a titanium lid.", BOTTLE)
    shown = beside(checked, BOTTLE, "model, refused")
    assert shown.count("<s>titanium</s>") == 2 and "0.75 litres</mark><sup" in shown
    assert "material, not in the facts: titanium" in plain(shown).replace("titanium, titanium", "titanium")
    assert shown.count("<tr>") == len(LINES) and "model, refused" in shown
    assert shown == beside(checked, BOTTLE, "model, refused")


def test_green_covers_no_half_of_a_brand_a_noun_or_a_hyphened_word():
    run = Brief("Old Orchard marble run", brand="Old Orchard", tags=("marble run", "clean-lined"))
    text = "The Old Orchard marble run is clean-lined and lined-marble."
    spans = [Span(text.index(w), text.index(w) + len(w), w) for w in ("Orchard", "marble", "lined")]
    shown = beside(Checked(text, (), (*spans, Span(46, 51, "lined"))), run)
    assert re.findall(r"<mark[^>]*>(.*?)</mark>", shown) == ["Old Orchard", "marble run", "clean-lined", "lined"]
    red = Finding("material", text.index("marble"), text.index("marble") + 6, "no")
    shown = beside(Checked(text, (red,), (spans[0], Span(23, 26, "run"))), run)
    assert re.findall(r"<mark[^>]*>(.*?)</mark>", shown) == ["Old Orchard", "<s>marble</s>", "run"]


def test_findings_about_the_whole_text_are_told_too():
    checked = Checked("too long", (Finding("length", 0, 8, "2 words, at most 1"),), ())
    assert "length: 2 words, at most 1" in plain(beside(checked, BOTTLE)) and "<mark" not in beside(checked, BOTTLE)


@pytest.mark.parametrize("bad", ["<script>alert(1)</script>", "\" onmouseover='x' &"])
def test_everything_is_escaped(bad):
    brief = Brief(bad, facts=(Fact(bad, bad),))
    checked = Checked(bad, (Finding("feature", 0, 5, f"{bad!r}: {bad}"),), (Span(6, 9, bad),))
    for shown in (beside(checked, brief, bad), as_email(bad, bad, [(bad, bad, bad)], bad)):
        assert "<script" not in shown and "onmouseover='" not in shown and '" onmouseover' not in shown


def test_an_email_holds_what_it_was_given_and_nothing_else():
    shown = as_email("For you: a bottle", "Dear Ann,", [("Bottle", "It is blue.", "€24.90"), ("Lid", "Red.", "")])
    told = re.sub(r"<[^>]+>", "|", shown)
    assert [part for part in told.split("|") if part] == [
        "Your shop", "For you: a bottle", "Dear Ann,", "Bottle", "€24.90", "It is blue.", "Lid", "Red."
    ]  # fmt: skip
