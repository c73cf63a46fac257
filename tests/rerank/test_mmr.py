"""MMR: five items by hand, and the loop over all candidates and all chosen ones as the oracle."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from reco_utils.rerank.mmr import MMR

# the angles of five items: 0 and 1 nearly the same, 2 and 3 apart, 4 opposite
ANGLES = np.radians([0, 10, 60, 90, 180])
FIVE = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])


def by_loop(lists, vectors, lam, k):
    """Items chosen for every list, one cosine of one pair at a time."""
    found = []
    for items, scores in zip(lists.items, lists.scores.astype(float)):
        left = [(i, s) for i, s in zip(items, scores) if i >= 0]
        low, high = min([s for _, s in left], default=0), max([s for _, s in left], default=0)
        chosen = []
        while left and len(chosen) < k:
            values = []
            for item, score in left:
                worth = (score - low) / (high - low) if high > low else 1
                near = max((like(vectors[item], vectors[other]) for other in chosen), default=0)
                values.append(lam * worth - (1 - lam) * near)
            chosen.append(left.pop(int(np.argmax(values)))[0])
        found.append(chosen + [-1] * (k - len(chosen)))
    return np.array(found)


def like(a, b):
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return a @ b / lengths if lengths > 0 else 0.0


def test_five_items_by_hand(make_lists):
    lists = make_lists([[0, 1, 2, 3, 4]], [[1, 0.9, 0.6, 0.5, 0]])
    # after 0, with lam 0.5: 1 is worth 0.45 - 0.492, 2 is 0.3 - 0.25 = 0.05, 3 is 0.25 - 0 = 0.25, 4 is 0 + 0.5
    # after 4: 1 stays at -0.042, 2 at 0.05, 3 at 0.25; after 3: 1 at -0.042, 2 at 0.3 - cos 30 / 2 = -0.133
    assert MMR(FIVE, 0.5)(lists, None, 5).items.tolist() == [[0, 4, 3, 1, 2]]
    # lam 0.9: 1 is 0.81 - 0.098, 2 is 0.54 - 0.05, 3 is 0.45, 4 is 0.1
    assert MMR(FIVE, 0.9)(lists, None, 2).items.tolist() == [[0, 1]]


def test_what_counts_is_the_nearest_of_the_chosen_and_not_their_mean(make_lists):
    lists = make_lists([[0, 3, 2, 1]], [[1, 1, 1, 1]])
    # 2 is 60 and 30 degrees from 0 and 3: largest cosine 0.87, mean 0.68; 1 is 10 and 80: largest 0.98, mean 0.58
    assert MMR(FIVE, 0)(lists, None, 4).items.tolist() == [[0, 3, 2, 1]]


def test_the_length_of_a_vector_does_not_count(make_lists):
    lists = make_lists([[0, 1, 2, 3, 4]], [[1, 0.9, 0.6, 0.5, 0]])
    scaled = FIVE * np.array([[1], [0.01], [100], [7], [0.5]])
    assert MMR(scaled, 0.5)(lists, None, 5).items.tolist() == [[0, 4, 3, 1, 2]]


def test_of_equal_candidates_the_earlier_is_taken(make_lists):
    twins = np.array([[1.0, 0], [0, 1], [0, 1], [0, 2]])
    for order in ([0, 1, 2, 3], [0, 3, 2, 1], [0, 2, 1, 3]):
        found = MMR(twins, 0.3)(make_lists([order], [[2, 1, 1, 1]]), None, 2)
        assert found.items.tolist() == [order[:2]]


def test_an_unknown_item_is_like_nothing(make_lists):
    vectors = np.array([[1.0, 0], [1, 0.1], [np.nan, 1], [0, 0]])
    found = MMR(vectors, 0)(make_lists([[0, 1, 2, 3]]), None, 4)
    assert found.items.tolist() == [[0, 2, 3, 1]]


@pytest.mark.parametrize("layout", [np.array, csr_matrix])
@pytest.mark.parametrize("lam", [0, 0.3, 0.7, 0.95, 1])
@pytest.mark.parametrize("k", [1, 5, 20])
@pytest.mark.parametrize("signed", [True, False])
def test_the_list_is_that_of_the_loop(make_random, layout, lam, k, signed):
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(30, 6)) * (rng.random((30, 6)) < 0.7)
    vectors = vectors if signed else np.abs(vectors)
    lists = make_random(25, 12, 30, decimals=9)
    found = MMR(layout(vectors), lam)(lists, None, k).items
    np.testing.assert_array_equal(found, by_loop(lists, vectors, lam, k))


def test_coarse_scores_and_categories_make_ties_that_the_loop_settles_alike(make_random):
    vectors = np.eye(4)[np.random.default_rng(3).integers(0, 4, 30)]  # cosines are 0 or 1 to the bit
    lists = make_random(25, 12, 30, decimals=0)
    for lam in (0, 0.5, 0.9):
        np.testing.assert_array_equal(MMR(vectors, lam)(lists, None, 8).items, by_loop(lists, vectors, lam, 8))


def test_vectors_stay_as_they_are(make_lists):
    vectors, sparse = FIVE * 3, csr_matrix(FIVE * 3)
    for given in (vectors, sparse):
        MMR(given)(make_lists([[0, 1, 2]]), None, 2)
    np.testing.assert_array_equal(vectors, FIVE * 3)
    np.testing.assert_array_equal(sparse.toarray(), FIVE * 3)


@pytest.mark.parametrize("lam", [-0.1, 1.5, np.nan, True])
def test_lam_is_a_share(lam):
    with pytest.raises(ValueError, match="lam must be a number from 0"):
        MMR(FIVE, lam)


def test_items_without_a_vector_are_refused(make_lists):
    with pytest.raises(ValueError, match="vectors are those of 5 items, lists hold item position 5"):
        MMR(FIVE)(make_lists([[0, 5]]), None, 1)
