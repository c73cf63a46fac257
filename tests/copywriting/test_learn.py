"""Weights from sentences: signs by construction, rare traits left out, the threshold by hand."""

import numpy as np

from reco_utils.copywriting.learn import RARE, author, best_threshold, fit, read, written

FACTS = {"title": "Blue mug 350 ml", "price": 9.0}


def test_a_trait_of_inventions_weighs_more_than_one_of_honest_sentences():
    traits = [["with a ~"]] * 5 + [["when you"]] * 5 + [["rare"]] * (RARE - 1)
    invented = np.array([True] * 5 + [False] * (5 + RARE - 1))
    weights = fit([["always", *trait] for trait in traits], invented, np.ones(len(traits)))
    assert weights["with a ~"] > 0 > weights["when you"] and "rare" not in weights


def test_the_threshold_of_the_best_f1_by_hand():
    # refusing from 1 on: 2 of 2 invented and 1 honest, F1 = 4 / 5; from 2 on: 1 invented, F1 = 2 / 3; from 0 on: 4 / 6
    doubt, invented = np.array([2.0, 1.0, 1.0, 0.0]), np.array([True, True, False, False])
    assert best_threshold(doubt, invented) == 1.0


def test_only_the_sentence_with_the_span_is_invented():
    row = {"facts": FACTS, "text": "A blue mug. A bumblefluff lid, too.", "span": "bumblefluff lid"}
    _, invented, at, _ = read([row])
    assert invented.tolist() == [False, True] and at.tolist() == [0, 0]


def test_the_template_writers_copy_is_supported_and_has_no_author_of_its_own():
    told = written([{"facts": FACTS}, {"facts": FACTS}])
    assert told and {row["label"] for row in told} == {"supported"} and {author(row) for row in told} == {"template"}
