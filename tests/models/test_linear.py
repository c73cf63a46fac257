"""EASE, SLIM and RP3beta: by hand on two or three items, and against dense numpy and scikit-learn."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.linear_model import ElasticNet

from reco_utils import topk
from reco_utils.models import gram, linear
from reco_utils.models.linear import EASERecommender, RP3betaRecommender, SLIMRecommender

KINDS = (EASERecommender, SLIMRecommender, RP3betaRecommender)


def counted(data, entries):
    """The dense matrix X (U, I) float64."""
    weights = data.weights.toarray().astype(float)
    return {"weight": weights, "log": np.log(1 + weights), "one": np.sign(weights)}[entries]


def mean_square(x):
    return (x[x > 0] ** 2).mean()


def no_zero(scores):
    return np.where(scores != 0, scores, np.nan)


# ---------------------------------------------------------------------------------------------------------------- EASE
def test_ease_of_two_items_by_hand(make_data):
    data = make_data([[1, 1], [1, 0], [0, 1], [1, 1], [0, 0]])  # two have both, one each has one
    model = EASERecommender(regularization=1, entries="one").fit(data)
    # X'X + I = [[4, 2], [2, 4]], its inverse is [[4, -2], [-2, 4]] / 12, so B = [[0, 1/2], [1/2, 0]]
    assert_allclose(model.score(data.batch(["u0", "u1", "u4"])), [[0.5, 0.5], [np.nan, 0.5], [np.nan, np.nan]])


def ease_by_numpy(x, regularization):
    """B of the formula, item by item as the paper has it, with numpy's general inverse."""
    sold = x.any(axis=0)
    x = x[:, sold]
    inverse = np.linalg.inv(x.T @ x + regularization * mean_square(x) * np.eye(x.shape[1]))
    weights = np.eye(x.shape[1]) - inverse @ np.diag(1 / np.diag(inverse))
    whole = np.zeros((len(sold), len(sold)))
    whole[np.ix_(sold, sold)] = weights
    return whole


@pytest.mark.parametrize("entries", ["weight", "log", "one"])
@pytest.mark.parametrize("strip", [7, 256])
def test_ease_is_the_closed_form_of_the_paper(make_random, monkeypatch, entries, strip):
    monkeypatch.setattr(linear, "STRIP", strip)
    data = make_random(80, 30, seed=3)
    model, x = EASERecommender(5.0, entries=entries).fit(data), counted(data, entries)
    wanted = x @ ease_by_numpy(x, 5.0)
    scores = model.score(data.batch(data.users))
    assert_allclose(scores[1:, 1:], wanted[1:, 1:], rtol=1e-4, atol=1e-5)
    assert np.isnan(scores[0]).all() and np.isnan(scores[:, 0]).all()  # nobody's history, an item nobody had


def test_no_item_of_ease_speaks_for_itself(make_random):
    data = make_random(80, 30, seed=4)
    assert (np.diag(EASERecommender().fit(data).weights_) == 0).all()


def test_ease_minimises_the_squared_error_with_a_zero_diagonal(make_random):
    data = make_random(60, 12, seed=5)
    x, b = counted(data, "log")[:, 1:], EASERecommender(3.0).fit(data).weights_.astype(float)
    penalty = 3.0 * mean_square(x)
    slope = x.T @ (x @ b - x) + penalty * b  # 0 in every direction that is free
    np.fill_diagonal(slope, 0)
    assert np.abs(slope).max() < 1e-3
    assert np.abs(penalty * b).max() > 1


def test_too_many_items_are_refused_before_memory_is_taken(make_random, monkeypatch):
    monkeypatch.setattr(linear, "gram", None)  # it is never called
    data = make_random(50, 30)
    message = r"29 x 29 matrix.*GB.*s on one core; max_items is 28.*keep_popular\(data, 28\)"
    with pytest.raises(ValueError, match=message):
        EASERecommender(max_items=28).fit(data)


def test_only_items_with_history_count(make_random):
    data = make_random(50, 30)  # item 0 was never sold
    assert EASERecommender(max_items=29).fit(data).weights_.shape == (29, 29)


def test_the_refusal_tells_gigabytes_and_seconds():
    with pytest.raises(ValueError, match=r"20,000 x 20,000 matrix, about 4\.8 GB and 400 s"):
        EASERecommender()._refuse_too_many(20_000)


def test_a_penalty_lost_in_rounding_is_refused(make_data):
    data = make_data([[1, 1]])  # two equal columns: X'X has rank 1
    with pytest.raises(ValueError, match="raise regularization"):
        EASERecommender(1e-30, entries="one").fit(data)


def test_gram_is_the_lower_triangle_of_the_products(make_random):
    x = make_random(70, 150, seed=6).weights
    wanted = np.tril(x.toarray().astype(float).T @ x.toarray())
    assert_allclose(gram.gram(x), wanted)
    turned = csr_matrix((x.data[::-1], x.indices[::-1], x.nnz - x.indptr[::-1]), x.shape)  # unsorted rows
    assert_allclose(gram.gram(turned), np.tril(turned.toarray().astype(float).T @ turned.toarray()))


# ---------------------------------------------------------------------------------------------------------------- SLIM
def test_slim_of_two_items_by_hand(make_data):
    data = make_data([[1, 1], [1, 0], [0, 1], [1, 1], [0, 0]])
    model = SLIMRecommender(l1=0.5, l2=1, entries="one").fit(data)
    b = (2 - 0.5) / (3 + 1)  # two users have both, three have the item that explains
    assert_allclose(model.score(data.batch(["u0", "u1", "u4"])), [[b, b], [np.nan, b], [np.nan, np.nan]])


def test_what_explains_less_than_l1_stays_out(make_data):
    data = make_data([[1, 1], [1, 0], [0, 1], [1, 1]])
    model = SLIMRecommender(l1=2, l2=1, entries="one").fit(data)
    assert np.isnan(model.score(data.batch(data.users))).all()


def slim_by_sklearn(x, l1, l2, candidates):
    """B of scikit-learn's elastic net, whose objective is ours divided by the number of users."""
    n_users, n_items = x.shape
    l1, l2 = l1 * mean_square(x), l2 * mean_square(x)
    weights = np.zeros((n_items, n_items))
    for j in range(n_items):
        if len(candidates[j]):
            options = {"alpha": (l1 + l2) / n_users, "l1_ratio": l1 / (l1 + l2)}
            net = ElasticNet(**options, positive=True, fit_intercept=False, tol=1e-12, max_iter=100_000)
            weights[candidates[j], j] = net.fit(x[:, candidates[j]], x[:, j]).coef_
    return weights


@pytest.mark.parametrize("entries", ["weight", "log", "one"])
@pytest.mark.parametrize("n_neighbors", [4, 100])
@pytest.mark.parametrize("l1, l2", [(0.5, 2.0), (2.0, 30.0)])
def test_slim_is_scikit_learns_non_negative_elastic_net(make_random, monkeypatch, entries, n_neighbors, l1, l2):
    monkeypatch.setattr(linear, "TOLERANCE", 1e-9)
    monkeypatch.setattr(linear, "MAX_SWEEPS", 10_000)
    data = make_random(90, 25, seed=7)
    x = counted(data, entries)
    unit = x / np.maximum(np.linalg.norm(x, axis=0), 1e-12)
    cosine = unit.T @ unit - 2 * np.eye(25)
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :n_neighbors]
    candidates = [row[cosine[j, row] > 0] for j, row in enumerate(nearest)]
    wanted = slim_by_sklearn(x, l1, l2, candidates)
    model = SLIMRecommender(l1, l2, n_neighbors=n_neighbors, entries=entries).fit(data)
    assert (wanted > 0).sum() > 50
    assert_allclose(model.score(data.batch(data.users)), no_zero(x @ wanted), rtol=1e-4, atol=1e-6)


def test_the_usual_tolerance_is_close_to_the_minimum(make_random):
    data = make_random(90, 25, seed=8)
    x = counted(data, "log")
    others = [np.delete(np.arange(25), [0, j]) for j in range(1, 25)]
    wanted = slim_by_sklearn(x, 0.3, 5.0, [[], *others])  # nobody had item 0
    scores = SLIMRecommender(0.3, 5.0).fit(data).score(data.batch(data.users))
    assert_allclose(np.nan_to_num(scores), x @ wanted, atol=2e-3)


def test_slim_weights_are_positive_and_never_on_the_diagonal(make_random):
    data = make_random(90, 40, seed=9)
    indptr, items, weights = SLIMRecommender(l2=1).fit(data).rows_
    assert len(weights) and (weights > 0).all()
    assert (items != np.repeat(np.arange(40), np.diff(indptr))).all()


def test_slim_gives_a_copy_no_second_vote(make_data):
    rng = np.random.default_rng(10)
    x = (rng.random((200, 3)) < 0.4).astype(int)
    wanted = (x[:, 0] | x[:, 1]) & (rng.random(200) < 0.9)
    alone = make_data(np.column_stack([x, wanted]))
    twice = make_data(np.column_stack([x, wanted, x[:, 0]]))  # the first item again under another number

    def votes(data):
        model = SLIMRecommender(l1=0, l2=0.01, entries="one").fit(data)
        indptr, items, weights = model.rows_
        whole = csr_matrix((weights, items.astype(int), indptr), (len(data.items),) * 2).toarray()
        return whole[:, 3]

    single, double = votes(alone), votes(twice)
    assert_allclose(double[0] + double[4], single[0], atol=1e-3)


# ------------------------------------------------------------------------------------------------------------- RP3beta
def test_three_steps_by_hand(make_data):
    data = make_data([[3, 1, 0], [1, 0, 1], [0, 0, 2]])
    scores = RP3betaRecommender(alpha=1, beta=0).fit(data).score(data.batch(["u0", "u2"]))
    first, second, third = 3 / 4 * (3 / 4 * 1 / 4), 1 / 4 * (1 * 3 / 4), 3 / 4 * (1 / 4 * 1 / 2)
    assert_allclose(scores[0], [second, first, third], rtol=1e-6)  # to i0 by way of i1, to i1 and i2 by way of i0
    assert_allclose(scores[1], [1 / 3 * 1 / 2, np.nan, np.nan], rtol=1e-6)  # u2 has i2, which u1 has with i0


def test_popular_ends_are_held_back_by_hand(make_data):
    data = make_data([[3, 1, 0], [1, 0, 1], [0, 0, 2]])
    scores = RP3betaRecommender(alpha=1, beta=0.5).fit(data).score(data.batch(["u2"]))
    assert_allclose(scores, [[1 / 3 * 1 / 2 / np.sqrt(4), np.nan, np.nan]], rtol=1e-6)  # i0 has weight 4 in all


def rp3beta_by_numpy(x, alpha, beta, n_neighbors):
    """Scores by matrices of chances, all dense."""
    with np.errstate(invalid="ignore", divide="ignore"):
        user_to_item = np.nan_to_num(x / x.sum(axis=1, keepdims=True)) ** alpha
        item_to_user = np.nan_to_num(x.T / x.T.sum(axis=1, keepdims=True)) ** alpha
        walks = np.nan_to_num(item_to_user @ user_to_item / x.sum(axis=0) ** beta)
    np.fill_diagonal(walks, 0)
    for row in walks:
        row[np.argsort(-row, kind="stable")[n_neighbors:]] = 0
    return user_to_item @ walks


@pytest.mark.parametrize("entries", ["weight", "log", "one"])
@pytest.mark.parametrize("alpha, beta, n_neighbors", [(1, 0, 100), (0.7, 0.5, 100), (1.3, 0.9, 7)])
def test_rp3beta_is_three_products_of_matrices(make_random, entries, alpha, beta, n_neighbors):
    data = make_random(60, 30, seed=11)
    wanted = rp3beta_by_numpy(counted(data, entries), alpha, beta, n_neighbors)
    model = RP3betaRecommender(alpha, beta, n_neighbors, entries).fit(data)
    assert_allclose(model.score(data.batch(data.users)), no_zero(wanted), rtol=1e-4)


# ------------------------------------------------------------------------------------------------------- all the three
@pytest.mark.parametrize("kind", KINDS)
def test_similar_items_are_what_is_shown_to_somebody_who_has_only_that_item(make_random, kind):
    data = make_random(60, 30, seed=12)
    model = kind(entries="one").fit(data)
    scores = model.score(data.batch(["a", "b"], history=[["i5"], ["i9"]]))
    found, weights = model.similar_items([5, 9], 29)  # those that EASE speaks against are left out
    for row in range(2):
        order = np.argsort(-np.nan_to_num(scores[row]), kind="stable")[:29]
        order = order[np.nan_to_num(scores[row])[order] > 0]
        assert_array_equal(found[row], np.pad(order, (0, 29 - len(order)), constant_values=-1))
        assert_allclose(weights[row, : len(order)], scores[row, order])
    assert 5 not in found[0] and 9 not in found[1]


@pytest.mark.parametrize("kind", KINDS)
def test_similar_items_of_a_newcomer_are_none_and_long_lists_end_in_padding(make_random, kind):
    model = kind().fit(make_random(60, 30, seed=13))
    found, weights = model.similar_items([0, 3], 50)
    assert (found[0] == -1).all() and np.isnan(weights[0]).all()
    assert (found[1] >= 0).any() and (found[1, 29:] == -1).all()
    assert model.similar_items([], 3)[0].shape == (0, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_similar_items_do_not_depend_on_the_block(make_random, kind, monkeypatch):
    model = kind().fit(make_random(60, 30, seed=14))
    whole = model.similar_items(np.arange(30), 6)
    monkeypatch.setattr(linear, "BLOCK_BYTES", 4 * 30 * 4)
    for one, other in zip(whole, model.similar_items(np.arange(30), 6)):
        assert_array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_similar_items_outside_the_catalogue_are_refused(make_random, kind):
    model = kind().fit(make_random(20, 10))
    for wrong in (-1, 10):
        with pytest.raises(IndexError, match="0 to 9"):
            model.similar_items([wrong], 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("entries", ["weight", "one"])
def test_ten_times_the_weights_give_the_same_lists(make_data, make_random, kind, entries):
    small = make_random(60, 30, seed=15)
    large = make_data(small.weights.toarray() * 10, users=small.users)
    one, ten = (kind(entries=entries).fit(d).similar_items(np.arange(30), 5)[0] for d in (small, large))
    assert (one == ten).mean() > 0.98  # rounding may swap two that are equal


@pytest.mark.parametrize("kind", KINDS)
def test_scores_do_not_depend_on_the_number_of_threads(make_random, monkeypatch, kind):
    data = make_random(300, 200, density=0.1, seed=16)
    many = kind().fit(data).score(data.batch(data.users))
    monkeypatch.setattr(topk, "N_THREADS", 1)
    assert_array_equal(many, kind().fit(data).score(data.batch(data.users)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_fitted_model_can_be_pickled_and_copied(make_random, kind):
    data = make_random(40, 25, seed=17)
    model, batch = kind().fit(data), data.batch(data.users)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(other.score(batch), model.score(batch))
        assert_array_equal(other.similar_items([3], 5)[0], model.similar_items([3], 5)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_fit_leaves_the_model_as_it_was(make_random, monkeypatch, kind):
    data, other = make_random(40, 25, seed=18), make_random(30, 25, seed=19)
    model = kind().fit(data)
    before = model.score(data.batch(data.users))

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    for name in ("gram", "elastic_net", "frozen"):
        monkeypatch.setattr(linear, name, interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(other)
    assert_array_equal(model.score(data.batch(data.users)), before)


@pytest.mark.parametrize(
    "kind, wrong, message",
    [
        (EASERecommender, {"regularization": 0}, "regularization must be a finite number above 0, got 0"),
        (EASERecommender, {"regularization": np.nan}, "regularization must be a finite number above 0, got nan"),
        (EASERecommender, {"max_items": 0}, "max_items must be a whole number of at least 1, got 0"),
        (SLIMRecommender, {"l1": -1}, "l1 must be a finite number of at least 0, got -1"),
        (SLIMRecommender, {"l2": np.inf}, "l2 must be a finite number of at least 0, got inf"),
        (SLIMRecommender, {"n_neighbors": 2.5}, "n_neighbors must be a whole number of at least 1, got 2.5"),
        (RP3betaRecommender, {"alpha": 0}, "alpha must be a finite number above 0, got 0"),
        (RP3betaRecommender, {"beta": -0.1}, "beta must be a finite number of at least 0, got -0.1"),
        *((kind, {"entries": "binary"}, "entries must be one of .*'one'.*got 'binary'") for kind in KINDS),
    ],
)
def test_settings_that_mean_nothing_are_refused(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        kind(**wrong)
