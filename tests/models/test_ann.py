"""The index against a full product and sort: exactly, and by how much the graphs and the bytes miss."""

import copy
import pickle

import numpy as np
import pytest

from reco_utils.core import recommend
from reco_utils.models.ann import KINDS, RetrievalRecommender, VectorIndex, quantise
from reco_utils.models.hybrid import HybridRecommender
from reco_utils.models.ials import IALSRecommender
from reco_utils.models.popularity import PopularityRecommender
from tests.models.conftest import at_random

RNG = np.random.default_rng(0)
TOPICS = RNG.normal(size=(40, 24))
VECTORS = ((TOPICS[RNG.integers(0, 40, 3000)] + RNG.normal(size=(3000, 24))) * RNG.lognormal(0, 0.5, (3000, 1))).astype(
    np.float32
)
QUERIES = (TOPICS[RNG.integers(0, 40, 50)] + RNG.normal(size=(50, 24))).astype(np.float32)


def of(kind, **options):
    if kind != "exact":
        pytest.importorskip({"faiss": "faiss", "usearch": "usearch"}[kind], reason=f"{kind} is an optional extra")
    return VectorIndex(kind, **options)


def by_sorting(queries, vectors, k, allow=None):
    """Items (B, k) and scores (B, k) of the full product; equal scores in the order of the items."""
    scores = queries.astype(float) @ vectors.T.astype(float)
    scores[:, np.isnan(vectors).any(axis=1) | (~allow if allow is not None else False)] = -np.inf
    items = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return items, np.take_along_axis(scores, items, axis=1)


def shared(found, truth):
    return np.mean([len(set(f) & set(t)) / len(t) for f, t in zip(found, truth)])


@pytest.mark.parametrize("k", [1, 7, 100])
def test_an_exact_search_is_a_full_product_and_a_sort(k):
    items, scores = VectorIndex().fit(VECTORS).search(QUERIES, k)
    wanted, dots = by_sorting(QUERIES, VECTORS, k)
    np.testing.assert_array_equal(items, wanted)
    np.testing.assert_allclose(scores, dots, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["usearch", "faiss"])
def test_a_graph_finds_nearly_all_of_the_largest_dot_products_though_lengths_differ(kind):
    items, scores = of(kind).fit(VECTORS).search(QUERIES, 10)
    assert shared(items, by_sorting(QUERIES, VECTORS, 10)[0]) > 0.97
    np.testing.assert_allclose(scores, np.take_along_axis(QUERIES @ VECTORS.T, items, axis=1), rtol=1e-4, atol=1e-4)
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("kind", ["usearch", "faiss"])
def test_a_wider_search_finds_no_less(kind):
    wanted = by_sorting(QUERIES, VECTORS, 10)[0]
    narrow, wide = (
        shared(of(kind, n_links=4, n_build=8, n_search=n).fit(VECTORS).search(QUERIES, 10)[0], wanted)
        for n in (10, 400)
    )
    assert narrow < wide  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_cost_little_recall_and_take_a_quarter_of_the_memory(kind):
    plain, small = of(kind).fit(VECTORS), of(kind, stored="int8").fit(VECTORS)
    found = small.search(QUERIES, 10)[0]
    assert 0.9 < shared(found, by_sorting(QUERIES, VECTORS, 10)[0]) < 1
    assert small.vectors_.nbytes * 4 == plain.vectors_.nbytes and small.n_bytes < plain.n_bytes


def test_blocks_of_bytes_give_what_one_block_gives(monkeypatch):
    index = VectorIndex(stored="int8").fit(VECTORS)
    allow = RNG.random(3000) < 0.5
    whole = index.search(QUERIES, 30, allow=allow)
    monkeypatch.setattr("reco_utils.models.ann.BLOCK", 700)
    for one, other in zip(whole, index.search(QUERIES, 30, allow=allow)):
        np.testing.assert_array_equal(one, other)


def test_a_quantised_vector_is_the_vector_to_within_half_a_step():
    codes, steps = quantise(np.array([[1.0, -0.5, 0.1], [0, 0, 0]], np.float32))
    assert codes.tolist() == [[127, -64, 13], [0, 0, 0]]
    np.testing.assert_allclose(steps, [1 / 127, 0], rtol=1e-6)
    codes, steps = quantise(VECTORS)
    assert (np.abs(codes * steps[:, None] - VECTORS) <= 0.5001 * steps[:, None]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.5, 0.01, 0])
def test_only_allowed_items_are_found_and_all_places_filled(kind, share):
    allow = RNG.random(3000) < share
    items, scores = of(kind).fit(VECTORS).search(QUERIES, 20, allow=allow)
    assert allow[items[items >= 0]].all()
    assert ((items >= 0).sum(axis=1) == min(20, allow.sum())).all()
    assert (np.isnan(scores) == (items < 0)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_without_vector_is_never_found_and_a_query_without_finds_nothing(kind):
    vectors, queries = VECTORS[:100].copy(), QUERIES[:3].copy()
    vectors[::2, 3] = np.nan
    queries[1, 0] = np.nan
    items, scores = of(kind).fit(vectors).search(queries, 100)
    assert (items[1] == -1).all() and np.isnan(scores[1]).all()
    assert set(items[0][:50]) == set(range(1, 100, 2)) and (items[0][50:] == -1).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [0, 1])
def test_no_item_or_one(kind, n):
    items, _ = of(kind).fit(VECTORS[:n]).search(QUERIES[:2], 3)
    assert items.tolist() == [[0 if n else -1, -1, -1]] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_equal_vectors_come_in_the_order_of_the_items(kind):
    index = of(kind).fit(np.ones((30, 4), np.float32))
    assert index.search(np.ones((1, 4)), 30)[0].tolist() == [list(range(30))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("twin", [copy.deepcopy, lambda index: pickle.loads(pickle.dumps(index))])
def test_a_copy_finds_the_same_and_so_does_a_second_fit(kind, twin):
    index = of(kind).fit(VECTORS)
    first = index.search(QUERIES, 10)[0]
    np.testing.assert_array_equal(twin(index).search(QUERIES, 10)[0], first)
    again = of(kind).fit(VECTORS)
    np.testing.assert_array_equal(again.search(QUERIES, 10)[0], first)
    index.fit(VECTORS[::-1])
    np.testing.assert_array_equal(np.sort(2999 - index.search(QUERIES, 1)[0]), np.sort(again.search(QUERIES, 1)[0]))


@pytest.mark.parametrize(
    "wrong, error, says",
    [
        (lambda: VectorIndex("annoy"), ValueError, "kind must be one of exact, usearch, faiss, got 'annoy'"),
        (lambda: VectorIndex(stored="int4"), ValueError, "stored must be one of float32, int8"),
        (lambda: VectorIndex(n_links=1), ValueError, "n_links must be a whole number of at least 2, got 1"),
        (lambda: VectorIndex().fit(np.ones(3)), ValueError, "vectors must be items x width"),
        (lambda: VectorIndex().fit(np.full((2, 2), np.inf)), ValueError, "vectors must be finite"),
        (lambda: VectorIndex().search(QUERIES, 3), RuntimeError, "VectorIndex is not fitted"),
        (lambda: VectorIndex().fit(VECTORS).search(QUERIES[:, :3], 3), ValueError, r"queries must be \(requests, 24\)"),
        (lambda: VectorIndex().fit(VECTORS).search(QUERIES, 0), ValueError, "k must be at least 1"),
        (lambda: VectorIndex().fit(VECTORS).search(QUERIES, 3, allow=VECTORS > 0), ValueError, "allow must be bool of"),
        (lambda: RetrievalRecommender(PopularityRecommender()).fit(at_random(9, 9)), TypeError, "must offer `vectors`"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(wrong, error, says):
    with pytest.raises(error, match=says):
        wrong()


# ------------------------------------------------------------------------------------------------- behind a recommender
@pytest.mark.parametrize("kind", KINDS)
def test_behind_an_index_a_model_gives_the_lists_it_gave_before(kind):
    data = at_random(60, 80)
    batch = data.batch([*data.users, "stranger"], history=None)
    alone = IALSRecommender(n_factors=8).fit(data)
    indexed = RetrievalRecommender(IALSRecommender(n_factors=8), of(kind), n_candidates=80).fit(data)
    wanted, lists = recommend(alone, batch, 10), recommend(indexed, batch, 10)
    np.testing.assert_array_equal(lists.items, wanted.items)
    np.testing.assert_allclose(lists.scores, wanted.scores, rtol=1e-4, atol=1e-5)


def test_it_has_opinions_on_as_many_items_as_it_was_asked_for():
    data = at_random(30, 50)
    scores = (
        RetrievalRecommender(IALSRecommender(n_factors=4), n_candidates=7).fit(data).score(data.batch(data.users[1:]))
    )
    assert ((~np.isnan(scores)).sum(axis=1) == 7).all()


def test_a_hybrid_takes_it_as_a_part():
    data = at_random(30, 50)
    hybrid = HybridRecommender(RetrievalRecommender(IALSRecommender(n_factors=4), n_candidates=50)).fit(data)
    plain = HybridRecommender(IALSRecommender(n_factors=4)).fit(data)
    batch = data.batch(data.users)
    np.testing.assert_array_equal(recommend(hybrid, batch, 5).items, recommend(plain, batch, 5).items)
