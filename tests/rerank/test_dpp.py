"""DPP: by hand, and against determinants of whole matrices."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from reco_utils.rerank.dpp import DPP
from reco_utils.rerank.relevance import relevance

ANGLES = np.radians([0, 10, 60, 90, 180])
FIVE = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])


def similarity(vectors):
    """S = (1 + cosines) / 2 (I, I), 1 on the diagonal."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(lengths > 0, lengths, 1)
    s = (1 + unit @ unit.T) / 2
    np.fill_diagonal(s, 1)
    return s


def by_determinants(lists, vectors, theta, k):
    """Greedily the list of the largest theta * sum of relevance + (1 - theta) * log det S, each from scratch."""
    s, found = similarity(vectors), []
    for items, worth in zip(lists.items, relevance(lists)):
        left, chosen = list(np.flatnonzero(items >= 0)), []
        while left and len(chosen) < k:
            values = []
            for c in left:
                tried = [*chosen, c]
                log_det = np.linalg.slogdet(s[np.ix_(items[tried], items[tried])])[1]
                values.append(theta * worth[tried].sum() + (1 - theta) * log_det)
            chosen.append(left.pop(int(np.argmax(values))))
        found.append([*items[chosen], *[-1] * (k - len(chosen))])
    return np.array(found)


def test_three_of_five_by_hand(make_lists):
    lists = make_lists([[0, 1, 2, 3, 4]], [[1, 0.9, 0.6, 0.5, 0]])
    # S with 0: 0.992, 0.75, 0.5, 0; what 0 leaves free: 1 - S^2 = 0.015, 0.4375, 0.75, 1. theta 0.5 adds half of
    # relevance + log free: 0.9 - 4.19, 0.6 - 0.827, 0.5 - 0.288 = 0.212, 0 - 0 = 0, so 3.
    # S of 3 with 1, 2, 4: 0.587, 0.933, 0.5; the shares left by 0 and 3 are S^2 less: (S - S_0 S_03)^2 / 0.75
    # 1: 0.0151 - (0.587 - 0.496)^2 / 0.75 = 0.0042; 2: 0.4375 - (0.933 - 0.375)^2 / 0.75 = 0.0223; 4: 1 - 0.333
    # so 4 is 0 - 0.405, 2 is 0.6 - 3.80 and 1 is 0.9 - 5.5
    assert DPP(FIVE, 0.5)(lists, None, 3).items.tolist() == [[0, 3, 4]]


@pytest.mark.parametrize("layout", [np.array, csr_matrix])
@pytest.mark.parametrize("theta", [0, 0.3, 0.7, 0.95, 1])
@pytest.mark.parametrize("k", [1, 6])
@pytest.mark.parametrize("signed", [True, False])
def test_the_list_is_that_of_the_determinants(make_random, layout, theta, k, signed):
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(30, 8)) * (rng.random((30, 8)) < 0.8)
    vectors = vectors if signed else np.abs(vectors)
    lists = make_random(20, 12, 30, decimals=9)
    found = DPP(layout(vectors), theta)(lists, None, k).items
    np.testing.assert_array_equal(found, by_determinants(lists, vectors, theta, k))


def test_the_trade_off_is_the_kernel_of_the_process(make_random):
    rng = np.random.default_rng(2)
    vectors, lists, theta = rng.normal(size=(20, 8)), make_random(15, 9, 20, decimals=9), 0.6
    alpha, s = theta / (2 * (1 - theta)), similarity(vectors)
    found = DPP(vectors, theta)(lists, None, 5).items
    for items, worth, mine in zip(lists.items, relevance(lists), found):
        quality = np.exp(alpha * np.nan_to_num(worth))
        kernel, chosen = quality[:, None] * s[np.ix_(items, items)] * quality, []
        left = list(np.flatnonzero(items >= 0))
        while left and len(chosen) < 5:
            volumes = [np.linalg.det(kernel[np.ix_([*chosen, c], [*chosen, c])]) for c in left]
            chosen.append(left.pop(int(np.argmax(volumes))))
        assert [i for i in mine if i >= 0] == items[chosen].tolist()


def test_copies_come_last_and_in_their_order(make_lists):
    vectors = np.array([[1.0, 2], [1, 2], [2, 4], [0, 1], [1, 0]])
    found = DPP(vectors, 0.2)(make_lists([[0, 1, 2, 3, 4]]), None, 5)
    assert set(found.items[0, 1:3]) == {3, 4} and found.items[0].tolist()[3:] == [1, 2]


def test_a_copy_that_was_chosen_takes_nothing_from_the_others(make_lists):
    turned = np.radians([0, 0, 16, 180]) + [0, 1e-5, 0, 0]  # as far apart as rounding may bring a copy, and farther
    vectors = np.column_stack([np.cos(turned), np.sin(turned)])
    lists = make_lists([[0, 1, 2, 3]], [[1, 0.95, 0.1, 0]])
    # theta 0.98: the copy loses 0.02 * 20.7, less than relevance is ahead. Of 2 then 0.98 * 0.1 + 0.02 * log(0.038) =
    # 0.033 is left, were it not for the copy, whose last digits would seem to span the rest of it; 3 has 0
    assert DPP(vectors, 0.98)(lists, None, 4).items.tolist() == [[0, 1, 2, 3]]


def test_more_places_than_dimensions_are_filled_by_relevance(make_lists):
    one_way = np.array([[1.0], [2], [3], [-1], [-5]])  # S has rank 2
    found = DPP(one_way, 0.5)(make_lists([[2, 1, 0, 4, 3]]), None, 5)
    assert found.items.tolist() == [[2, 4, 1, 0, 3]]


def test_an_unknown_item_is_half_like_all(make_lists):
    vectors = np.array([[1.0, 0], [1, 0.1], [-1, 0.1], [0, 0], [np.nan, 0]])
    # free of 0: next to nothing for 1, next to all for 2, 1 - 1/4 for 3 and 4; and 3 and 4 are half like each other
    assert DPP(vectors, 0)(make_lists([[0, 1, 3, 4, 2]]), None, 5).items.tolist() == [[0, 2, 3, 4, 1]]


@pytest.mark.parametrize("theta", [-0.1, 1.5, np.nan, True])
def test_theta_is_a_share(theta):
    with pytest.raises(ValueError, match="theta must be a number from 0"):
        DPP(FIVE, theta)
