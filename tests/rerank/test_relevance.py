"""Relevance from 0 to 1: by hand, and the edges."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from reco_utils.core import TopK
from reco_utils.rerank.relevance import check_share, relevance


def test_the_best_is_worth_1_the_worst_0_and_padding_nothing(make_lists):
    lists = make_lists([[4, 2, 7, 1], [3, 1, -1, -1]], [[10, 4, 3, 2], [-1, -5, 0, 0]])
    assert_array_equal(relevance(lists), [[1, 0.25, 0.125, 0], [1, 0, np.nan, np.nan]])


def test_equal_scores_are_all_worth_1(make_lists):
    lists = make_lists([[0, 1, 2], [5, -1, -1], [-1, -1, -1]], [[3, 3, 3], [-7, 0, 0], [0, 0, 0]])
    assert_array_equal(relevance(lists), [[1, 1, 1], [1, np.nan, np.nan], [np.nan] * 3])


def test_a_list_out_of_order_keeps_its_order(make_lists):
    lists = make_lists([[4, 2, 7, 1]], [[2, 10, 3, 4]])  # an earlier reranker put 4 on top
    assert_array_equal(relevance(lists), [[1, 0.25, 0.125, 0]])


def test_padding_in_the_middle_is_passed_over(make_lists):
    assert_array_equal(relevance(make_lists([[4, -1, 7, 1]], [[2, 0, 0, 1]])), [[1, np.nan, 0.5, 0]])


def test_a_candidate_without_a_score_counts_as_the_lowest(make_lists):
    lists = make_lists([[4, 2, 7], [4, 2, 7]], [[3, 2, np.nan], [np.nan] * 3])
    assert_array_equal(relevance(lists), [[1, 0, 0], [1, 1, 1]])


def test_only_the_distances_count(make_random):
    lists = make_random(30, 8, 20)
    scaled = TopK(lists.users, lists.items, lists.scores * 8 - 4)  # exact in float32 but for the last digits
    np.testing.assert_allclose(relevance(scaled), relevance(lists), atol=1e-5)


def test_huge_scores_do_not_overflow(make_lists):
    assert_array_equal(relevance(make_lists([[0, 1, 2]], [[3e38, 0, -3e38]])), [[1, 0.5, 0]])


def test_infinite_scores_are_refused(make_lists):
    with pytest.raises(ValueError, match="scores must be finite to be put on a scale from 0 to 1, got infinite ones"):
        relevance(make_lists([[0, 1]], [[np.inf, 0]]))


def test_no_lists_and_no_places(make_lists):
    assert relevance(make_lists(np.empty((0, 3)))).shape == (0, 3)
    assert relevance(make_lists(np.empty((2, 0)))).shape == (2, 0)


@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan, True, "0.5"])
def test_a_share_is_a_number_from_0_to_1(share):
    with pytest.raises(ValueError, match="lam must be a number from 0"):
        check_share("lam", share)
