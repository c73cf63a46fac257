"""Neighbours: by hand on five people, and against dense matrices of numpy, scipy and scikit-learn.

Most tests are about the plain models, without the weighting, shrinkage and decay that the defaults have.
"""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics.pairwise import cosine_similarity

from reco_utils import topk
from reco_utils.models import similar
from reco_utils.models.knn import ItemKNNRecommender, UserKNNRecommender
from reco_utils.models.similar import SimilarRows, Weighting


def user_knn(n_neighbors=50, **options):
    """The plain user-kNN: the cosine of the weights as they are, and a neighbour gives its weights."""
    return UserKNNRecommender(n_neighbors, **{"weighting": "none", "shrinkage": 0, "votes": "weight"} | options)


def item_knn(n_neighbors=50, **options):
    """The plain item-kNN."""
    return ItemKNNRecommender(n_neighbors, **{"weighting": "none", "shrinkage": 0, "half_life_days": None} | options)


def nearest_by_sort(similarity, n, me=None):
    """The n best columns of a dense similarity matrix; equal ones by position, 0 and row `me` left out."""
    similarity = np.array(similarity, np.float32)
    if me is not None:
        rows = np.flatnonzero(np.asarray(me) >= 0)
        similarity[rows, np.asarray(me)[rows]] = 0
    order = np.argsort(-similarity, axis=1, kind="stable")[:, :n]
    best = np.take_along_axis(similarity, order, axis=1)
    order, best = np.where(best > 0, order, -1), np.where(best > 0, best, np.nan)
    short = ((0, 0), (0, n - order.shape[1]))
    return np.pad(order, short, constant_values=-1), np.pad(best, short, constant_values=np.nan)


def same_neighbours(got, likeness, me):
    """The best similarities of a dense matrix, and each belongs to its neighbour (rounding may swap equal ones)."""
    found, best = got
    assert_allclose(best, nearest_by_sort(likeness, found.shape[1], me)[1], rtol=2e-6)
    there = found >= 0
    rows, _ = np.nonzero(there)
    assert_allclose(best[there], likeness[rows, found[there]], rtol=2e-6)
    assert len(set(zip(rows, found[there]))) == there.sum()


# ------------------------------------------------------------------------------------------------------------- by hand
def test_cosine_neighbours_of_five_people_by_hand(five):
    found, similarities = user_knn(n_neighbors=3).fit(five).neighbors(five.batch(["ann", "eve"]))
    assert_array_equal(found, [[1, 2, -1], [-1, -1, -1]])  # Dan shares nothing with Ann, Eve has nothing
    bob, cat = 4 / np.sqrt(5 * 14), 3 / np.sqrt(5 * 18)
    assert_allclose(similarities, [[bob, cat, np.nan], [np.nan] * 3], rtol=1e-6)


def test_user_scores_of_five_people_by_hand(five):
    scores = user_knn(n_neighbors=2).fit(five).score(five.batch(["ann"]))
    bob, cat = 4 / np.sqrt(5 * 14), 3 / np.sqrt(5 * 18)
    assert_allclose(scores, [[bob + cat, 2 * bob + cat, 3 * bob, 4 * cat, np.nan]], rtol=1e-6)


def test_jaccard_neighbours_of_five_people_by_hand(five):
    model = user_knn(n_neighbors=3, similarity="jaccard").fit(five)
    found, similarities = model.neighbors(five.batch(["bob"]))
    assert_array_equal(found, [[0, 2, 3]])  # Ann 2 of 3 and Cat 2 of 4 shared, Dan 1 of 4
    assert_allclose(similarities, [[2 / 3, 2 / 4, 1 / 4]], rtol=1e-6)


def test_item_similarities_by_hand(five):
    together = {  # i0 with i1: three users each, all in common; i0 with i2 and i3: one user in common
        "cosine": [[1, 2, 3], [(2 + 2 + 1) / 6, 3 / np.sqrt(6 * 13), 4 / np.sqrt(6 * 17)]],
        "jaccard": [[1, 2, 3], [1, 1 / 4, 1 / 4]],
        "lift": [[1, 2, 3], [3 * 5 / (3 * 3), 5 / (3 * 2), 5 / (3 * 2)]],
    }
    for similarity, (items, scores) in together.items():
        expected = sorted(zip(items, scores), key=lambda pair: (-pair[1], pair[0]))
        model = item_knn(similarity=similarity).fit(five)
        found, similarities = model.similar_items([0], 3)
        assert_array_equal(found[0], [item for item, _ in expected])
        assert_allclose(similarities[0], [score for _, score in expected], rtol=1e-6)


def test_item_scores_by_hand(five):
    scores = item_knn(similarity="jaccard").fit(five).score(five.batch(["dan"]))
    i23 = 1 / 3  # Dan has i2 twice and i3 once; they share Dan, and Bob and Cat have one each
    assert_allclose(scores, [[2 / 4 + 1 / 4, 2 / 4 + 1 / 4, i23, 2 * i23, np.nan]], rtol=1e-6)


def test_one_weak_neighbour_does_not_beat_ten_close_ones(make_data):
    me, close, weak = [1] * 9 + [0, 0], [1] * 9 + [4, 0], [0] * 8 + [1, 0, 5]
    data = make_data([me] + [close] * 10 + [weak])
    scores = user_knn(n_neighbors=11).fit(data).score(data.batch(["u0"]))
    assert scores[0, 9] > scores[0, 10]


# ------------------------------------------------------------------------------------------------------------ by oracle
@pytest.mark.parametrize("n", [1, 7, 200])
def test_cosine_neighbours_agree_with_scikit_learn(make_random, n):
    data = make_random(90, 40, seed=3)
    got = user_knn(n_neighbors=n).fit(data).neighbors(data.batch(data.users))
    same_neighbours(got, cosine_similarity(data.weights.astype(float)), np.arange(90))


def test_jaccard_neighbours_agree_with_scipy(make_random):
    data = make_random(90, 40, seed=4)
    likeness = np.nan_to_num(1 - cdist(*[data.weights.toarray() > 0] * 2, "jaccard"))
    got = user_knn(n_neighbors=9, similarity="jaccard").fit(data).neighbors(data.batch(data.users))
    wanted = nearest_by_sort(likeness, 9, np.arange(90))
    assert_allclose(got[1][1:], wanted[1][1:], rtol=2e-6)
    assert_array_equal(got[0][1:], wanted[0][1:])  # shares of small numbers tie often: the lower position wins
    assert (got[0][0] == -1).all()


def test_user_scores_are_the_unnormalised_sum_over_the_neighbours(make_random):
    data = make_random(60, 30, seed=5)
    model, batch = user_knn(n_neighbors=4).fit(data), data.batch(data.users)
    found, similarities = nearest_by_sort(cosine_similarity(data.weights.astype(float)), 4, np.arange(60))
    weights, wanted = data.weights.toarray(), np.zeros((60, 30))
    for user, (neighbours, closeness) in enumerate(zip(found, similarities)):
        for neighbour, close in zip(neighbours[neighbours >= 0], closeness):
            wanted[user] += close * weights[neighbour]
    assert_allclose(model.score(batch), np.where(wanted > 0, wanted, np.nan), rtol=1e-5)


def test_item_scores_are_history_times_the_kept_similarities(make_random):
    data = make_random(60, 30, seed=6)
    found, similarities = nearest_by_sort(cosine_similarity(data.weights.T.astype(float)), 5, np.arange(30))
    kept = np.zeros((30, 30))
    for item, (neighbours, closeness) in enumerate(zip(found, similarities)):
        kept[item, neighbours[neighbours >= 0]] = closeness[neighbours >= 0]
    wanted = data.weights.toarray() @ kept.T
    scores = item_knn(n_neighbors=5).fit(data).score(data.batch(data.users))
    assert_allclose(scores, np.where(wanted > 0, wanted, np.nan), rtol=1e-5)


def test_lift_agrees_with_counts_of_pairs(make_random):
    data = make_random(80, 20, seed=7)
    has = (data.weights.toarray() > 0).astype(float)
    share = np.maximum(has.mean(axis=0), 1e-9)
    lift = (has.T @ has / 80) / np.outer(share, share)
    found, scores = item_knn(similarity="lift").fit(data).similar_items(np.arange(20), 6)
    wanted = nearest_by_sort(lift, 6, np.arange(20))
    assert_allclose(scores, wanted[1], rtol=2e-6)
    assert_array_equal(found, wanted[0])


def test_tfidf_is_that_of_scikit_learn(make_random):
    data = make_random(50, 30, seed=8)
    wanted = TfidfTransformer(norm=None).fit_transform(data.weights)
    assert_allclose(Weighting.learn("tfidf", data.weights)(data.weights).toarray(), wanted.toarray(), rtol=1e-6)


def test_bm25_by_its_formula(five):
    rows, (users, items) = five.weights.toarray().astype(float), (5, 5)
    have = (rows > 0).sum(axis=0)
    wanted = np.zeros((users, items))
    for u in range(users):
        for i in np.flatnonzero(rows[u]):
            length = rows[u].sum() / (rows.sum() / users)
            saturated = rows[u, i] * 2.2 / (rows[u, i] + 1.2 * (0.25 + 0.75 * length))
            wanted[u, i] = saturated * np.log(1 + (users - have[i] + 0.5) / (have[i] + 0.5))
    assert_allclose(Weighting.learn("bm25", five.weights)(five.weights).toarray(), wanted, rtol=1e-6)


@pytest.mark.parametrize("weighting", ["tfidf", "bm25"])
def test_weighting_changes_who_is_near_but_not_what_a_neighbour_gives(make_random, weighting):
    data = make_random(60, 30, seed=9)
    model, batch = user_knn(n_neighbors=1, weighting=weighting).fit(data), data.batch(data.users[5:])
    weighted = Weighting.learn(weighting, data.weights)(data.weights).astype(float)
    got = model.neighbors(batch)
    same_neighbours(got, cosine_similarity(weighted)[5:], np.arange(5, 60))
    given = data.weights.toarray()[got[0][:, 0]] * got[1]
    assert_allclose(model.score(batch), np.where(given > 0, given, np.nan), rtol=1e-6)


@pytest.mark.parametrize("similarity", ["cosine", "jaccard", "lift"])
@pytest.mark.parametrize("min_overlap, shrinkage", [(1, 0.0), (3, 0.0), (1, 2.5), (4, 10.0)])
def test_overlap_and_shrinkage_agree_with_dense_counts(make_random, similarity, min_overlap, shrinkage):
    rows = make_random(50, 30, seed=10).weights
    has = (rows.toarray() > 0).astype(float)
    shared, count = has @ has.T, np.maximum(has.sum(axis=1), 1)
    plain = {
        "cosine": cosine_similarity(rows.astype(float)),
        "jaccard": shared / (count[:, None] + count - shared),
        "lift": shared * 30 / np.outer(count, count),
    }[similarity]
    wanted = np.where(shared >= min_overlap, plain * shared / np.maximum(shared + shrinkage, 1), 0)
    index = SimilarRows(rows, similarity, min_overlap=min_overlap, shrinkage=shrinkage)
    got = index.nearest(rows, 50, me=np.arange(50))
    same = nearest_by_sort(wanted, 50, np.arange(50))
    assert_allclose(got[1], same[1], rtol=2e-6)
    assert ((got[0] == -1) == (same[0] == -1)).all()


@pytest.mark.parametrize("similarity", ["cosine", "jaccard", "lift"])
@pytest.mark.parametrize("min_overlap, shrinkage", [(1, 0.0), (2, 1.0)])
@pytest.mark.parametrize("road", ["dense columns", "all rows", "rows met"])
def test_the_three_roads_of_the_kernel_find_the_same(monkeypatch, similarity, min_overlap, shrinkage, road):
    rng = np.random.default_rng(11)
    rows = csr_matrix(rng.integers(1, 6, (300, 400)) * (rng.random((300, 400)) < 0.02)).astype(np.float32)
    options = {"min_overlap": min_overlap, "shrinkage": shrinkage}
    dense, few = {"dense columns": (0.02, 0), "all rows": (1, 0), "rows met": (1, 10**6)}[road]
    wanted = SimilarRows(rows, similarity, **options).nearest(rows, 20, me=np.arange(300))
    monkeypatch.setattr(similar, "DENSE_SHARE", dense)
    monkeypatch.setattr(similar, "FEW_SHARE", few)
    index = SimilarRows(rows, similarity, **options)
    assert (len(index._columns.dense) > 50) == (road == "dense columns")
    got = index.nearest(rows, 20, me=np.arange(300))
    assert_array_equal(got[0], wanted[0])
    assert_array_equal(got[1], wanted[1])


def weighted_cosine(rows, shrinkage):
    """BM25-weighted cosines of the rows, shrunk by what they share, dense."""
    has = (rows.toarray() > 0).astype(float)
    shared = has @ has.T
    return cosine_similarity(Weighting.learn("bm25", rows)(rows).astype(float)) * shared / (shared + shrinkage)


def test_the_default_user_model_is_bm25_shrunk_by_one_with_logarithmic_votes(make_random):
    data = make_random(120, 30, seed=13)
    found, closeness = nearest_by_sort(weighted_cosine(data.weights, 1), 50, np.arange(120))
    votes, wanted = np.log(1 + data.weights.toarray()), np.zeros((120, 30))
    for user in range(120):
        for neighbour, close in zip(found[user], closeness[user]):
            wanted[user] += close * votes[neighbour] if neighbour >= 0 else 0
    scores = UserKNNRecommender().fit(data).score(data.batch(data.users))
    assert_allclose(scores, np.where(wanted > 0, wanted, np.nan), rtol=1e-4)


def test_the_default_item_model_is_bm25_shrunk_by_ten_with_a_half_life_of_half_a_year(make_random):
    data = make_random(60, 120, seed=14)
    found, closeness = nearest_by_sort(weighted_cosine(data.weights.T.tocsr(), 10), 100, np.arange(120))
    kept = np.zeros((120, 121))
    np.put_along_axis(kept, found, np.nan_to_num(closeness), axis=1)  # column -1 takes the padding
    faded = data.weights.astype(float)
    newest = np.array([data.last[row].max() for row in np.split(np.arange(faded.nnz), faded.indptr[1:-1]) if len(row)])
    newest = np.repeat(newest, np.diff(faded.indptr)[np.diff(faded.indptr) > 0])
    faded.data *= 0.5 ** ((newest - data.last) / np.timedelta64(180, "D"))
    wanted = faded.toarray() @ kept[:, :120].T
    scores = ItemKNNRecommender().fit(data).score(data.batch(data.users))
    assert_allclose(scores, np.where(wanted > 0, wanted, np.nan), rtol=1e-4)


def test_a_neighbours_fifty_purchases_do_not_outvote_three_neighbours_five(make_data):
    data = make_data([[1, 1, 0, 0]] + [[1, 1, 5, 0]] * 3 + [[1, 1, 0, 50]])
    batch, options = data.batch(["u0"]), {"n_neighbors": 4, "similarity": "jaccard"}
    by_weight, by_log = (user_knn(votes=votes, **options).fit(data).score(batch)[0] for votes in ("weight", "log"))
    assert_allclose(by_weight[2:], np.array([3 * 5, 50]) * 2 / 3, rtol=1e-6)
    assert_allclose(by_log[2:], np.array([3 * np.log(6), np.log(51)]) * 2 / 3, rtol=1e-6)


# -------------------------------------------------------------------------------------------------------- promises kept
def test_users_who_share_too_little_are_not_similar(five):
    batch = five.batch(["ann", "cat"])
    found, _ = user_knn(n_neighbors=4, min_overlap=2).fit(five).neighbors(batch)
    assert_array_equal(found, [[1, 2, -1, -1], [0, 1, -1, -1]])  # Cat and Dan share i3 only
    found, _ = user_knn(n_neighbors=4, min_overlap=3).fit(five).neighbors(batch)
    assert_array_equal(found, np.full((2, 4), -1))


def test_shrinkage_puts_many_shared_items_before_one(make_data):
    data = make_data([[1, 1, 0, 1, 1], [1, 1, 5, 1, 1], [0, 0, 0, 1, 0], [9, 9, 9, 9, 0]])
    plain, _ = user_knn(n_neighbors=3).fit(data).neighbors(data.batch(["u0"]))
    assert_array_equal(plain, [[3, 2, 1]])
    shrunk, similarities = user_knn(n_neighbors=3, shrinkage=5).fit(data).neighbors(data.batch(["u0"]))
    assert_array_equal(shrunk, [[3, 1, 2]])
    cosines = np.array([27 / (2 * 18), 4 / (2 * np.sqrt(29)), 1 / 2])
    assert_allclose(similarities, [cosines * [3 / 8, 4 / 9, 1 / 6]], rtol=1e-6)


def test_nobody_is_their_own_neighbour_even_with_a_live_session(make_random):
    data = make_random(30, 20)
    model = user_knn(n_neighbors=30).fit(data)
    live = data.batch(data.users, history=[["i5"]] * 30)
    for batch in (data.batch(data.users), live):
        found, _ = model.neighbors(batch)
        assert not (found == batch.at[:, None]).any()


def test_a_twin_is_a_neighbour_though_they_equal_oneself(make_data):
    data = make_data([[1, 2], [1, 2], [2, 1]])
    found, similarities = user_knn(n_neighbors=2).fit(data).neighbors(data.batch(["u0", "u1"]))
    assert_array_equal(found, [[1, 2], [0, 2]])
    assert_allclose(similarities[:, 0], 1, rtol=1e-6)


def test_a_twin_item_is_similar_though_it_equals_the_item(make_data):
    data = make_data([[1, 1, 0], [2, 2, 1]])
    found, _ = item_knn().fit(data).similar_items([1, 0], 1)
    assert_array_equal(found, [[0], [1]])


def test_equally_near_neighbours_come_in_order_of_position(make_data):
    data = make_data([[1, 0]] * 9 + [[0, 1]])
    found, _ = user_knn(n_neighbors=4).fit(data).neighbors(data.batch(["u4", "nobody"], history=[[], ["i0"]]))
    assert_array_equal(found, [[0, 1, 2, 3], [0, 1, 2, 3]])


def test_a_stranger_with_a_session_has_neighbours(five):
    model, batch = user_knn(n_neighbors=1).fit(five), five.batch(["nobody"], history=[["i3"]])
    found, similarities = model.neighbors(batch)
    assert_array_equal(found, [[2]])
    assert similarities[0, 0] == pytest.approx(4 / np.sqrt(18))


def test_a_live_session_joins_the_stored_history(five):
    model = user_knn(n_neighbors=1).fit(five)
    live = five.batch(["ann"], history=[["i3"] * 5])
    assert model.neighbors(live)[0][0, 0] == 2  # Cat has i3; without the session Bob is nearer


@pytest.mark.parametrize("similarity", ["cosine", "jaccard", "lift"])
@pytest.mark.parametrize("weighting", ["none", "bm25"])
def test_similarity_is_the_same_from_either_side(make_random, similarity, weighting):
    model = item_knn(similarity=similarity, weighting=weighting, shrinkage=3).fit(make_random(60, 30))
    found, scores = model.similar_items(np.arange(30), 30)
    full = np.zeros((30, 30), np.float32)
    for item in range(30):
        full[item, found[item, found[item] >= 0]] = scores[item, found[item] >= 0]
    assert_array_equal(full, full.T)
    assert full.any() and not full.diagonal().any()


def test_similar_items_may_be_more_than_the_model_keeps(make_random):
    data = make_random(60, 10)
    found, scores = item_knn(n_neighbors=2).fit(data).similar_items([4], 50)
    assert set(found[0, :8]) == set(range(1, 10)) - {4}
    assert (found[0, 8:] == -1).all() and np.isnan(scores[0, 8:]).all()


def test_an_old_item_of_the_history_counts_half_per_half_life(make_data):
    data = make_data([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]], days_ago=[[0] * 4, [0] * 4, [30, 0, 15, 0]])
    batch = data.batch(["u2"])
    plain = item_knn().fit(data).score(batch)[0]
    recent = item_knn(half_life_days=15).fit(data).score(batch)[0]
    assert plain[1] == plain[3]
    assert_allclose(recent[[1, 3]], plain[[1, 3]] * [0.5, 1], rtol=1e-6)  # 15 days older than the newest, and newest


def test_who_has_been_away_for_thousands_of_half_lives_is_scored_like_yesterday(make_data):
    weights = [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]]
    data, long_ago = (make_data(weights, days_ago=[[0] * 4, [0] * 4, [a + 15, 0, a, 0]]) for a in (1, 9_000))
    one, other = (item_knn(half_life_days=2).fit(d).score(d.batch(["u2"])) for d in (data, long_ago))
    assert_array_equal(one, other)


def test_jaccard_and_lift_take_no_notice_of_the_weighting(make_random):
    data = make_random(60, 30)
    for similarity in ("jaccard", "lift"):
        plain, weighted = (item_knn(similarity=similarity, weighting=w).fit(data) for w in ("none", "bm25"))
        assert_array_equal(weighted.score(data.batch(data.users)), plain.score(data.batch(data.users)))


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_neighbours_and_scores_do_not_depend_on_the_number_of_threads(make_random, monkeypatch, n_threads):
    data = make_random(300, 40, seed=12)
    batch = data.batch(data.users)
    model = user_knn(n_neighbors=20, weighting="bm25").fit(data)
    wanted = model.neighbors(batch)[0], model.score(batch)
    monkeypatch.setattr(topk, "N_THREADS", n_threads)
    assert_array_equal(model.neighbors(batch)[0], wanted[0])
    assert_array_equal(model.score(batch), wanted[1])


def test_a_model_that_was_pickled_scores_the_same(make_random):
    data = make_random(60, 30)
    batch = data.batch(data.users)
    for model in (UserKNNRecommender().fit(data), ItemKNNRecommender().fit(data)):
        assert_array_equal(pickle.loads(pickle.dumps(model)).score(batch), model.score(batch))


def test_the_kernels_are_compiled_once_whatever_arrays_come(make_random):
    data = make_random(60, 30)
    for similarity in ("cosine", "jaccard"):
        user = user_knn(similarity=similarity, min_overlap=2).fit(data)
        item = item_knn(similarity=similarity, half_life_days=9).fit(data)
        for model in (user, item, pickle.loads(pickle.dumps(user)), pickle.loads(pickle.dumps(item))):
            model.score(data.batch(data.users))
            model.score(data.batch(["nobody", "u3"], history=[["i3"], []]))
    assert len(similar._nearest_rows.signatures) == len(similar._sum_rows.signatures) == 1


# ----------------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_neighbors": 0}, "n_neighbors must be a whole number of at least 1, got 0"),
        ({"min_overlap": 2.5}, "min_overlap must be a whole number of at least 1, got 2.5"),
        ({"similarity": "lift"}, r"similarity must be one of \['cosine', 'jaccard'\], got 'lift'"),
        ({"weighting": "idf"}, r"weighting must be one of \['none', 'tfidf', 'bm25'\], got 'idf'"),
        ({"votes": "rank"}, r"votes must be one of \['weight', 'log'\], got 'rank'"),
        ({"shrinkage": -1}, "shrinkage must be 0 or more, got -1"),
        ({"shrinkage": np.nan}, "shrinkage must be 0 or more, got nan"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        UserKNNRecommender(**options)


def test_a_half_life_must_be_positive():
    with pytest.raises(ValueError, match="half_life_days must be above 0, or None for no decay, got 0"):
        ItemKNNRecommender(half_life_days=0)


@pytest.mark.parametrize("position", [-1, 5])
def test_a_position_outside_the_catalogue_is_refused(five, position):
    with pytest.raises(IndexError, match=f"item positions must be 0 to 4, got .{position}"):
        ItemKNNRecommender().fit(five).similar_items([position], 3)


# ------------------------------------------------------------------------------------------------------------- forget
@pytest.mark.parametrize("options", [{}, {"similarity": "jaccard", "min_overlap": 2}, {"shrinkage": 0}])
@pytest.mark.parametrize("density", [0.1, 0.6])  # columns that more than a quarter of the users fill are kept densely
def test_a_forgotten_user_is_nobody_s_neighbour_and_all_others_are_as_they_were(options, density, make_random):
    data = make_random(60, 30, density=density)
    model = UserKNNRecommender(n_neighbors=60, weighting="none", **options).fit(data)
    before, similarities = model.neighbors(data.batch(data.users))
    scores = model.score(data.batch(data.users))
    model.forget(np.array([3, 40]))
    found, again = model.neighbors(data.batch(data.users))
    assert not np.isin(found, [3, 40]).any()
    for row in set(range(60)) - {3, 40}:
        kept = (before[row] >= 0) & ~np.isin(before[row], [3, 40])
        assert_array_equal(found[row][found[row] >= 0], before[row][kept])
        assert_array_equal(again[row][found[row] >= 0], similarities[row][kept])
    weights, after = data.weights.toarray(), model.score(data.batch(data.users))
    for row in (5, 59):  # what the two gave is missing, and nothing else
        given = sum(similarities[row][before[row] == gone].sum() * np.log1p(weights[gone]) for gone in (3, 40))
        assert_allclose(np.nan_to_num(after[row]) + given, np.nan_to_num(scores[row]), rtol=1e-4)


def test_forgetting_makes_new_arrays(make_random):
    data = make_random(20, 10)
    model = UserKNNRecommender().fit(data)
    similar, votes = model.similar_, model.votes_
    copies = [array.copy() for array in (*similar._columns, *votes)]
    model.forget(np.array([2]))
    assert model.similar_ is not similar
    for array, copied in zip((*similar._columns, *votes), copies):
        assert_array_equal(array, copied)


def test_an_item_knn_that_forgets_keeps_its_neighbours_and_loses_the_column(make_random, make_data):
    data = make_random(40, 15)
    model = ItemKNNRecommender(weighting="none").fit(data)
    before = model.score(data.batch(data.users))
    model.forget(np.array([3, 4]))
    assert_array_equal(model.score(data.batch(data.users)), before)
    assert not np.isin(model.users_.indices, [3, 4]).any()
    weights = data.weights.toarray()
    weights[[3, 4]] = 0
    anew = ItemKNNRecommender(weighting="none").fit(make_data(weights))
    for one, two in zip(model.similar_items(np.arange(15), 5), anew.similar_items(np.arange(15), 5)):
        assert_array_equal(one, two)
