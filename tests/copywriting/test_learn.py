"""Weights from sentences: signs by construction, rare traits left out, the threshold by hand."""

import numpy as np

from reco_utils.copywriting.learn import RARE, author, even_threshold, fit, read, written

FACTS = {"title": "Blue mug 350 ml", "price": 9.0}


def test_a_trait_of_inventions_weighs_more_than_one_of_honest_sentences():
    traits = [["with a ~"]] * 5 + [["when you"]] * 5 + [["rare"]] * (RARE - 1)
    invented = np.array([True] * 5 + [False] * (5 + RARE - 1))
    weights = fit([["always", *trait] for trait in traits], invented, np.ones(len(traits)))
    assert weights["with a ~"] > 0 > weights["when you"] and "rare" not in weights


def test_the_threshold_misses_as_many_as_it_refuses_in_error_by_hand():
    # refusing from 1 on: the invented 0.5 is missed, the honest 1 refused; from 2 on two are missed, from 0.5 on none
    doubt, invented = np.array([2.0, 1.0, 0.5, 0.0]), np.array([True, False, True, False])
    assert even_threshold(doubt, invented) == 1.0
    assert even_threshold(np.array([np.inf, 1.0, -np.inf]), np.array([True, True, False])) == 1.0


def test_only_the_sentence_with_the_span_is_invented():
    row = {"facts": FACTS, "text": "A blue mug. A bumblefluff lid, too.", "span": "bumblefluff lid"}
    _, invented, at, _ = read([row])
    assert invented.tolist() == [False, True] and at.tolist() == [0, 0]


def test_the_template_writers_copy_is_supported_and_has_no_author_of_its_own():
    told = written([{"facts": FACTS}, {"facts": FACTS}])
    assert told and {row["label"] for row in told} == {"supported"} and {author(row) for row in told} == {"template"}
