"""Measures beyond accuracy: numbers worked out by hand, naive loops as oracles, and the edges."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import rankdata

from reco_utils.core import Dataset, TopK
from reco_utils.evaluate.beyond import (
    Coverage,
    Diversity,
    Gini,
    LongTailShare,
    NewcomerShare,
    Novelty,
    PopularityPercentile,
    coverage,
    gini,
    intra_list_diversity,
    long_tail_share,
    newcomer_share,
    novelty,
    one_hot,
    popularity_percentile,
)


def lists_of(items):
    items = np.array(items, np.int32)
    users = pd.Index([f"u{b}" for b in range(len(items))])
    return TopK(users, items, np.zeros(items.shape, np.float32))


def train_of(owned):
    """A Dataset of a dense (U, I) array."""
    weights = csr_matrix(np.asarray(owned, np.float32))
    users, items = (pd.Index([f"{c}{n}" for n in range(size)]) for c, size in zip("ui", weights.shape))
    catalog, profiles = pd.DataFrame({"item_id": items}), pd.DataFrame({"user_id": users})
    last = np.full(weights.nnz, np.datetime64("2024-01-01", "us"))
    return Dataset(users, items, weights, last, weights > 0, catalog, profiles, pd.Timestamp("2024-01-02"))


LISTS = lists_of([[0, 1, 2], [0, 3, -1], [0, -1, -1], [-1, -1, -1]])
TRAIN = train_of([[1, 1, 0, 0, 0], [2, 1, 1, 0, 0], [5, 0, 0, 1, 0]])  # 3, 2, 1, 1 and 0 of 3 users had them


def at_random(n_lists=60, k=6, n_items=15, seed=0):
    rng = np.random.default_rng(seed)
    items = np.array([rng.permutation(n_items)[:k] for _ in range(n_lists)])
    items[np.arange(k) >= rng.integers(0, k + 1, n_lists)[:, None]] = -1
    return lists_of(items)


# ------------------------------------------------------------------------------------------------------------ by hand
def test_coverage_counts_every_item_once():
    assert coverage(LISTS, 5) == 4 / 5
    assert coverage(LISTS, 4) == 1
    assert coverage(lists_of([[-1, -1]]), 5) == coverage(lists_of(np.empty((0, 3))), 5) == 0


def test_gini_by_hand():
    # places, rarest first: item 4 has 0, items 1, 2, 3 have 1 each, item 0 has 3
    assert gini(LISTS, 5) == pytest.approx((-4 * 0 + -2 * 1 + 0 * 1 + 2 * 1 + 4 * 3) / (5 * 6))
    assert gini(lists_of([[0, 1], [2, 3]]), 4) == 0
    assert gini(lists_of([[2], [2], [2]]), 5) == pytest.approx(1 - 1 / 5)
    assert np.isnan(gini(lists_of([[-1]]), 5))


def test_diversity_by_hand():
    # 0 and 1 point the same way, 2 at a right angle, 3 the opposite way of 0: cosines 1, 0, 0 in the first list
    vectors = np.array([[2.0, 0], [5, 0], [0, 1], [-1, 0]])
    found = intra_list_diversity(LISTS, vectors)
    np.testing.assert_allclose(found, [1 - 1 / 3, 2, np.nan, np.nan])


def test_unknown_vectors_are_left_out():
    vectors = np.array([[1.0, 0], [0, 0], [0, 3], [np.nan, 1]])
    np.testing.assert_allclose(intra_list_diversity(LISTS, vectors), [1, np.nan, np.nan, np.nan])
    np.testing.assert_allclose(intra_list_diversity(LISTS, csr_matrix(vectors)), [1, np.nan, np.nan, np.nan])


def test_diversity_of_categories_is_the_share_of_pairs_from_different_ones():
    vectors = one_hot(pd.Series(["pots", "pots", "tea", None], dtype="category"))
    assert vectors.toarray().tolist() == [[1, 0], [1, 0], [0, 1], [0, 0]]
    np.testing.assert_allclose(intra_list_diversity(LISTS, vectors), [2 / 3, np.nan, np.nan, np.nan])
    assert one_hot([None, np.nan]).nnz == 0 and one_hot([]).shape == (0, 1)


def test_the_share_of_newcomers_is_of_the_items_listed():
    found = newcomer_share(LISTS, np.array([False, True, True, True]))
    np.testing.assert_allclose(found, [2 / 3, 1 / 2, 0, np.nan])


def test_novelty_by_hand():
    # item 0: 4/4, 0 bits; item 1: 3/4; items 2 and 3: 2/4, 1 bit
    found = novelty(LISTS, TRAIN)
    np.testing.assert_allclose(found, [(-np.log2(0.75) + 1) / 3, 1 / 2, 0, np.nan], atol=1e-15)
    assert novelty(lists_of([[4]]), TRAIN).tolist() == [2]  # nobody had it: log2(3 + 1)


def test_popularity_percentile_by_hand():
    # ranks from the rarest: item 4 is 0, items 2 and 3 share 1.5, item 1 is 3, item 0 is 4; of 4
    found = popularity_percentile(LISTS, TRAIN)
    np.testing.assert_allclose(found, [(4 + 3 + 1.5) / 12, (4 + 1.5) / 8, 1, np.nan])
    assert popularity_percentile(lists_of([[0]]), train_of([[1]])).tolist() == [0.5]


def test_the_long_tail_is_what_is_left_without_the_head():
    # of 5 items, 3, 2, 1, 1 and 0 of 3 users had them: a head of one is item 0, a head of two also item 1
    np.testing.assert_allclose(long_tail_share(LISTS, TRAIN), [2 / 3, 1 / 2, 0, np.nan])
    np.testing.assert_allclose(long_tail_share(LISTS, TRAIN, 0.4), [1 / 3, 1 / 2, 0, np.nan])
    np.testing.assert_allclose(long_tail_share(LISTS, TRAIN, 0.6), [1 / 3, 1 / 2, 0, np.nan])  # 2 and 3 tie at its edge
    np.testing.assert_allclose(long_tail_share(LISTS, TRAIN, 0.8), [0, 0, 0, np.nan])


def test_a_head_of_29_in_100_items_holds_29_though_the_product_is_a_little_less():
    owned = np.tril(np.ones((100, 100)))  # item 0 had by all, item 99 by one
    items = np.array([[28], [29]])
    assert 0.29 * 100 < 29 and long_tail_share(lists_of(items), train_of(owned), 0.29).tolist() == [0, 1]


# ------------------------------------------------------------------------------------------------------------- oracles
def naive_diversity(lists, vectors):
    found = []
    for row in lists.items:
        known = [vectors[i] / np.linalg.norm(vectors[i]) for i in row if i >= 0 and vectors[i].any()]
        cosines = [a @ b for a, b in combinations(known, 2)]
        found.append(1 - np.mean(cosines) if cosines else np.nan)
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_diversity_is_that_of_all_pairs(seed):
    rng = np.random.default_rng(seed)
    lists, vectors = at_random(seed=seed), rng.normal(size=(15, 4)) * (rng.random((15, 4)) < 0.6)
    expected = naive_diversity(lists, vectors)
    np.testing.assert_allclose(intra_list_diversity(lists, vectors), expected, atol=1e-12)
    np.testing.assert_allclose(intra_list_diversity(lists, csr_matrix(vectors)), expected, atol=1e-12)


def test_more_lists_than_fit_a_block(monkeypatch):
    lists, vectors = at_random(), np.random.default_rng(3).normal(size=(15, 4))
    monkeypatch.setattr("reco_utils.evaluate.beyond.BLOCK", 7)
    np.testing.assert_allclose(intra_list_diversity(lists, vectors), naive_diversity(lists, vectors), atol=1e-12)


def test_gini_is_the_mean_difference_of_all_pairs_over_twice_the_mean():
    lists = at_random()
    places = np.bincount(lists.items[lists.items >= 0], minlength=15)
    differences = np.abs(places[:, None] - places[None, :]).mean()
    assert gini(lists, 15) == pytest.approx(differences / (2 * places.mean()))


def test_coverage_is_the_size_of_a_set():
    lists = at_random(n_lists=3)
    assert coverage(lists, 15) == len({i for row in lists.items for i in row if i >= 0}) / 15


def test_means_over_lists_are_those_of_a_loop():
    lists, is_new = at_random(), np.random.default_rng(1).random(15) < 0.4
    expected = [np.mean([is_new[i] for i in row if i >= 0] or [np.nan]) for row in lists.items]
    np.testing.assert_allclose(newcomer_share(lists, is_new), expected)


def test_popularity_measures_are_those_of_loops():
    lists, rng = at_random(), np.random.default_rng(2)
    owned = rng.integers(0, 4, (30, 15)) * (rng.random((30, 15)) < rng.random(15))
    owned[:, 4] = 0
    train, owners = train_of(owned), (owned > 0).sum(axis=0)
    rarity = (rankdata(owners) - 1) / 14
    head = [i for i in range(15) if (owners >= owners[i]).sum() <= 0.3 * 15]
    values = {
        novelty: [-np.log2((n + 1) / 31) for n in owners],
        popularity_percentile: rarity,
        lambda lists, train: long_tail_share(lists, train, 0.3): [i not in head for i in range(15)],
    }
    for measure, worth in values.items():
        expected = [np.mean([worth[i] for i in row if i >= 0] or [np.nan]) for row in lists.items]
        np.testing.assert_allclose(measure(lists, train), expected, atol=1e-12)
    assert 0 < len(head) < 5


# ---------------------------------------------------------------------------------------------------------- properties
def test_neither_the_order_of_a_list_nor_the_length_of_a_vector_matters():
    lists, vectors = at_random(), np.random.default_rng(3).normal(size=(15, 4))
    mirrored, scale = lists_of(lists.items[:, ::-1]), np.arange(1, 16)[:, None]
    expected = intra_list_diversity(lists, vectors)
    np.testing.assert_allclose(intra_list_diversity(mirrored, vectors * scale), expected, atol=1e-12)


def test_copies_of_one_item_are_not_diverse_and_never_below_0():
    vectors = np.tile(np.random.default_rng(0).normal(size=(1, 7)), (15, 1)).astype(np.float32)
    found = intra_list_diversity(at_random(), vectors)
    assert np.nanmin(found) >= 0 and np.nanmax(found) < 1e-12


def test_arguments_stay_as_they_are():
    vectors = csr_matrix(np.random.default_rng(3).random((15, 4)))
    before = vectors.toarray()
    vectors.data.flags.writeable = False
    intra_list_diversity(at_random(), vectors)
    assert (vectors.toarray() == before).all()


def test_bound_to_their_data_they_are_called_with_lists_alone():
    vectors, is_new = np.eye(5), np.arange(5) > 2
    assert Coverage(5)(LISTS) == coverage(LISTS, 5) and Gini(5)(LISTS) == gini(LISTS, 5)
    for bound, values in (
        (Diversity(vectors), intra_list_diversity(LISTS, vectors)),
        (NewcomerShare(is_new), newcomer_share(LISTS, is_new)),
        (Novelty(TRAIN), novelty(LISTS, TRAIN)),
        (LongTailShare(TRAIN, 0.4), long_tail_share(LISTS, TRAIN, 0.4)),
        (PopularityPercentile(TRAIN), popularity_percentile(LISTS, TRAIN)),
    ):
        np.testing.assert_array_equal(bound(LISTS), values)
    assert Diversity(vectors, "diversity of tags").label == "diversity of tags"


def test_nobody_has_no_values():
    nobody = lists_of(np.empty((0, 3)))
    assert intra_list_diversity(nobody, np.eye(3)).shape == newcomer_share(nobody, np.ones(3, bool)).shape == (0,)


# ------------------------------------------------------------------------------------------------------------ bad input
MEASURES = {
    "coverage": lambda lists: coverage(lists, 5),
    "gini": lambda lists: gini(lists, 5),
    "diversity": lambda lists: intra_list_diversity(lists, np.eye(5)),
    "newcomers": lambda lists: newcomer_share(lists, np.ones(5, bool)),
    "novelty": lambda lists: novelty(lists, TRAIN),
    "long tail": lambda lists: long_tail_share(lists, TRAIN),
    "percentile": lambda lists: popularity_percentile(lists, TRAIN),
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_lists_of_another_catalogue_or_with_repeats_are_refused(measure):
    with pytest.raises(ValueError, match="lists hold item position 5; positions here are 0 to 4"):
        measure(lists_of([[0, 5]]))
    with pytest.raises(ValueError, match="lists hold item position -2"):
        measure(lists_of([[0, -2]]))
    with pytest.raises(ValueError, match="2 of 3 lists hold an item twice, the first for user 'u1'"):
        measure(lists_of([[0, 1, -1, -1], [2, -1, 2, -1], [3, 3, 3, 1]]))


def test_bad_data_is_refused():
    with pytest.raises(ValueError, match="head_share must be above 0 and below 1, got 1"):
        long_tail_share(LISTS, TRAIN, 1)
    with pytest.raises(ValueError, match="n_items must be at least 1, got 0"):
        coverage(LISTS, 0)
    with pytest.raises(ValueError, match=r"is_new must be one bool per item, got int64 \(5,\)"):
        newcomer_share(LISTS, np.ones(5, np.int64))
    with pytest.raises(ValueError, match=r"vectors must be an array or csr \(items, width\), got list"):
        intra_list_diversity(LISTS, [[1, 2]])
    with pytest.raises(ValueError, match="vectors must be finite, or NaN where not known; 1 rows are infinite"):
        intra_list_diversity(LISTS, np.array([[np.inf], [1], [1], [1]]))
