"""Precision, recall and their intervals, by hand; and the sentences the checker was written with."""

import math

import pytest

from reco_utils.copywriting.scores import judge, sentences, wilson

FACTS = {"title": "Blue mug 350 ml", "price": 9.0}


def sentence(text, label, claim="colour"):
    return {"facts": FACTS, "text": text, "label": label, "claim": claim}


def test_precision_and_recall_by_hand():
    # refused: red (invented), leather (labelled supported); passed: blue (supported), and "mug" labelled invented
    scores = judge([
        sentence("A red mug.", "invented"), sentence("A leather mug.", "supported", "material"),
        sentence("A blue mug.", "supported"), sentence("A mug.", "invented", "none"),
    ])  # fmt: skip
    assert (scores.precision, scores.recall) == (0.5, 0.5)
    assert scores.refused == (True, True, False, False)
    assert scores.by_claim.loc["colour", ["invented", "refused", "supported", "wrongly_refused"]].tolist() == [
        1,
        1,
        1,
        0,
    ]
    assert scores.by_claim.loc["material", "wrongly_refused"] == 1
    assert math.isnan(scores.by_claim.loc["material", "recall"])


def test_findings_of_other_kinds_are_no_refusal():
    assert math.isnan(judge([sentence("Look!!! A blue mug!!!", "supported")]).precision)


def test_no_sentences_have_no_scores():
    scores = judge([])
    assert math.isnan(scores.precision) and math.isnan(scores.recall_interval[0])


def test_wilson_by_hand():
    # 8 of 10, z = 1.96: middle (0.8 + 3.8415 / 20) / 1.38415 = .7167, reach 1.96 sqrt(.016 + .0096037) / 1.38415 = .2266  # noqa: E501
    assert wilson(8, 10) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert wilson(0, 10)[0] == pytest.approx(0) and wilson(10, 10)[1] == pytest.approx(1)
    with pytest.raises(ValueError, match="hits must lie between 0 and n = 2, got 3"):
        wilson(3, 2)


def test_every_sentence_has_its_own_id_and_marks_what_is_invented():
    rows = sentences("practice") + sentences("exam")
    assert len({row["id"] for row in rows}) == len(rows) >= 500
    assert all((row["label"] == "invented") == bool(row["span"]) and row["span"] in row["text"] for row in rows)


def test_the_practice_sentences_are_judged_as_promised():
    scores = judge(sentences("practice"))
    assert scores.recall >= 0.93 and scores.precision >= 0.88  # learned from them; docs/checker.md has the exams


def test_an_unknown_part_is_refused():
    with pytest.raises(ValueError, match="part must be 'practice' or 'exam', got 'test'"):
        sentences("test")
