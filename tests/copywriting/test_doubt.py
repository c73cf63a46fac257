"""The skeleton of a sentence, its doubt by hand, and what becomes of weak objections."""

import pytest

from reco_utils.copywriting import doubt
from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.checks import check_text
from reco_utils.copywriting.claims import objections
from reco_utils.copywriting.doubt import firm, read_weights, sentences_of
from reco_utils.copywriting.ledger import Claim, ledger_of
from reco_utils.copywriting.words import FULL_STOP

MUG = Brief.of({"title": "Blue enamel mug 350 ml", "price": 9.0})


def read(text, brief=MUG):
    plain, found, words, made = objections(text, brief)
    return list(sentences_of(plain, found, words, ledger_of(brief), made))


def test_a_skeleton_shows_what_the_facts_know():
    (sentence,) = read("A blue mug, 350 ml, with a grumbling hat.")
    assert " ".join(mark.mark for mark in sentence.marks) == "a + + , 0 0w , with a ~ing ~ ."
    assert sentence.unknown == 2


def test_what_a_rule_objects_to_is_its_name():
    (sentence,) = read("A titanium mug.")
    assert [mark.mark for mark in sentence.marks] == ["a", "!firm", "+", "."]
    assert [claim.kind for claim in sentence.firm] == ["material"] and not sentence.weak


def test_runs_hold_up_to_three_marks_or_a_gap_and_know_their_place():
    (sentence,) = read("A mug.")
    runs = sentence.runs()
    assert set(runs) == {
        "^", "a", "+", ".", "$", "^ a", "a +", "+ .", ". $", "^ a +", "a + .", "+ . $", "^ _ +", "a _ .", "+ _ $",
    }  # fmt: skip
    assert runs["a +"] == (0, 2)


def test_the_doubt_is_the_sum_of_its_weights(monkeypatch):
    weights = {"threshold": 1.0, "always": -1.0, "a ~": 1.5, "1 unknown, 1 affirmed": 0.5}
    monkeypatch.setattr(doubt, "read_weights", lambda: weights)
    assert [f.why for f in check_text("A bumblefluff mug.", MUG).findings] == [
        "'bumblefluff': sounds like a claim, and is not in the facts"
    ]  # -1 + 1.5 + 0.5 = 1
    weights["threshold"] = 1.01
    assert check_text("A bumblefluff mug.", MUG).ok


def test_the_refused_words_are_those_between_the_stops_that_add_most(monkeypatch):
    weights = {"threshold": 0.0, "with a ~": 1.0}
    monkeypatch.setattr(doubt, "read_weights", lambda: weights)
    (found,) = check_text("A bumblefluff mug, with a snozzle.", MUG).findings
    assert found.why.startswith("'snozzle'")


def test_sentences_are_judged_one_by_one():
    assert FULL_STOP.split('Mug! "Blue?" A 3.5 l pot.\nEnd') == ["Mug!", '"Blue?', "A 3.5 l pot.", "End"]
    assert len(read("A mug. A blue mug.")) == 2


@pytest.mark.parametrize(
    "kind, why, expected",
    [
        ("material", "'oak': not in the facts", True), ("feature", "'lid': not in the facts", False),
        ("number", "'12 cm': no such number in the facts", True), ("number", "'three': no such number in the facts", False),  # noqa: E501
        ("number", "'three litres': no such number in the facts", True),
        ("material", "'oak': the facts do not say that there is none", False),
        ("feature", "'oven-safe': not in the facts", True),
    ],
)  # fmt: skip
def test_rules_that_are_nearly_always_right_are_firm(kind, why, expected):
    assert firm(Claim(kind, 0, 3, why, False)) is expected


def test_a_supported_claim_is_no_objection():
    assert not firm(Claim("material", 0, 3, "oak", True))


def test_the_weights_are_read_in_hundredths():
    weights = read_weights()
    assert {"threshold", "always", "1 unknown, 1 affirmed"} <= set(weights)
    assert all(round(100 * value) == pytest.approx(100 * value) for value in weights.values())
