"""iALS: the loss by its formula, turns against numpy, implicit as the oracle, fold-in, weights, what could go wrong."""

import copy
import pickle

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils import topk
from reco_utils.core import recommend
from reco_utils.models import ials, least_squares
from reco_utils.models.als import mean_loss
from reco_utils.models.ials import IALSRecommender
from reco_utils.models.least_squares import improve, make_rows

SETTINGS = {"unobserved_weight": 0.3, "regularization": 0.02, "frequency_scaling": 0.7, "max_weight": 1.5}


def strengths(data, max_weight):
    """Dense (U, I): weights divided by their mean and cut, 0 where nothing was taken."""
    dense = data.weights.toarray().astype(float)
    return np.minimum(dense / dense[dense > 0].mean(), max_weight)


def dense_loss(w, users, items, *, unobserved_weight, regularization, frequency_scaling):
    """The loss as its formula says, over every pair."""
    scores = users @ items.T
    f_users = ((w > 0).sum(axis=1) + unobserved_weight * w.shape[1]) ** frequency_scaling
    f_items = ((w > 0).sum(axis=0) + unobserved_weight * w.shape[0]) ** frequency_scaling
    penalty = f_users @ (users**2).sum(axis=1) + f_items @ (items**2).sum(axis=1)
    return (w * (1 - scores) ** 2).sum() + unobserved_weight * (scores**2).sum() + regularization * penalty


def turn_by_numpy(w, others, *, unobserved_weight, regularization, frequency_scaling):
    """The best factors (R, D) of all rows of w (R, C), row by row, the factors of the columns being given."""
    found = np.zeros((len(w), others.shape[1]))
    for row, taken in enumerate(w):
        ridge = regularization * ((taken > 0).sum() + unobserved_weight * len(others)) ** frequency_scaling
        left = (
            unobserved_weight * others.T @ others + others.T @ np.diag(taken) @ others + ridge * np.eye(others.shape[1])
        )
        found[row] = np.linalg.solve(left, others.T @ taken)
    return found


def beginning(data, n_factors, seed=0):
    """The random factors that a fit begins with."""
    rng = np.random.default_rng(seed)
    users, items = (rng.standard_normal((n, n_factors)) / np.sqrt(n_factors) for n in data.weights.shape)
    users[data.weights.getnnz(axis=1) == 0], items[data.weights.getnnz(axis=0) == 0] = 0, 0
    return users, items


# ------------------------------------------------------------------------------------------------------ loss and turns
def test_the_losses_are_those_of_all_pairs_and_fall(make_random, monkeypatch):
    data, ends = make_random(40, 30), []

    def noted(rows, share, x, vectors, n_steps):
        loss = improve(rows, share, x, vectors, n_steps)
        ends.append((x.copy(), vectors.copy()))
        return loss

    monkeypatch.setattr(ials, "improve", noted)
    model = IALSRecommender(n_factors=3, n_iterations=6, **SETTINGS).fit(data)
    items, users = ends[-1]  # the last turn is over items
    rules = {name: value for name, value in SETTINGS.items() if name != "max_weight"}
    assert_allclose(model.losses_[-1], dense_loss(strengths(data, 1.5), users, items, **rules), rtol=1e-10)
    assert (np.diff(model.losses_) < 0).all()


@pytest.mark.parametrize("n_turns", [1, 2])
def test_exact_turns_are_those_of_numpy(make_random, monkeypatch, n_turns):
    monkeypatch.setattr(ials, "N_STEPS", 40)  # enough to end at the solution of every row
    monkeypatch.setattr(least_squares, "EASY", 0)
    data = make_random(40, 30)
    model = IALSRecommender(n_factors=3, n_iterations=n_turns, **SETTINGS).fit(data)
    w, rules = strengths(data, 1.5), {name: value for name, value in SETTINGS.items() if name != "max_weight"}
    users, items = beginning(data, 3)
    for _ in range(n_turns):
        users = turn_by_numpy(w, items, **rules)
        items = turn_by_numpy(w.T, users, **rules)
    assert_allclose(model.losses_[-1], dense_loss(w, users, items, **rules), rtol=1e-10)
    known = model.item_factors_[1:]  # turned to other axes, which leaves the products between items
    assert_allclose(known @ known.T, items[1:] @ items[1:].T, atol=1e-8)


def test_usual_turns_are_nearly_exact(make_random, monkeypatch):
    data = make_random(80, 50)
    usual = IALSRecommender(n_factors=6).fit(data).losses_
    monkeypatch.setattr(ials, "N_STEPS", 40)
    monkeypatch.setattr(least_squares, "EASY", 0)
    assert_allclose(usual[-1], IALSRecommender(n_factors=6).fit(data).losses_[-1], rtol=1e-3)


def test_the_same_solver_ends_at_the_loss_of_implicit(make_random):
    # implicit's problem: G = Y'Y, a = alpha * weight, b = 1 + alpha * weight, and a constant ridge
    data, alpha, ridge = make_random(40, 30), 2.0, 6.0
    confidence = csr_matrix(data.weights)
    confidence.data = (1 + alpha * data.weights.data).astype(np.float32)
    theirs = AlternatingLeastSquares(
        factors=3, alpha=1, regularization=ridge, iterations=150, dtype=np.float64, num_threads=1
    )
    users, items = beginning(data, 3)
    theirs.user_factors, theirs.item_factors = users.copy(), items.copy()
    theirs.fit(confidence.copy(), show_progress=False)
    expected = mean_loss(confidence, theirs.user_factors, theirs.item_factors, ridge)
    sides = []
    for matrix in (confidence, confidence.T.tocsr()):
        values = matrix.data.astype(float)
        sides.append(make_rows(matrix, values - 1, values, np.full(matrix.shape[0], ridge)))
    for _ in range(150):
        improve(sides[0], 1.0, users, items, 2)
        loss = improve(sides[1], 1.0, items, users, 2)
    assert_allclose(mean_loss(confidence, users, items, ridge), expected, rtol=1e-6)
    assert_allclose(loss + ridge * (users**2).sum(), expected * (40 * 30 + (confidence.data - 1).sum()), rtol=1e-6)


def test_groups_with_their_own_tastes_are_told_apart(make_data):
    taken = np.kron(np.eye(3), np.ones((8, 6)))
    missing = 6 * (np.arange(24) // 8) + np.arange(24) % 6
    taken[np.arange(24), missing] = 0  # everybody lacks one item of their group
    data = make_data(taken)
    lists = recommend(IALSRecommender(n_factors=3).fit(data), data.batch(data.users), 1)
    assert_array_equal(lists.items[:, 0], missing)


# ------------------------------------------------------------------------------------------------------------- fold-in
def test_known_users_are_looked_up_and_are_what_folding_in_gives(make_random, monkeypatch):
    data = make_random(40, 25)
    model = IALSRecommender(n_factors=4).fit(data)
    expected = model.fold_in(data.weights).astype(np.float32)
    monkeypatch.setattr(IALSRecommender, "fold_in", None)  # not called
    assert_array_equal(model.vectors(data.batch(data.users))[0], expected)
    assert_array_equal(model.vectors(data.batch(data.users[[7, 3, 7]]))[0], expected[[7, 3, 7]])


@pytest.mark.parametrize("session", [["i3"], ["i24", "i5"]])
def test_a_live_session_is_folded_in_for_known_users_and_strangers_alike(make_random, session):
    data = make_random(40, 25)
    model = IALSRecommender(n_factors=4).fit(data)
    batch = data.batch(["u5", "nobody", "u6"], history=[session, session, []])
    users, _ = model.vectors(batch)
    assert_array_equal(users, model.fold_in(batch.history).astype(np.float32))
    assert (users[0] != model.user_factors_[5]).any()
    assert_array_equal(users[2], model.user_factors_[6])


def test_a_user_of_another_dataset_is_not_mistaken_for_one_of_the_fit(make_random):
    data, other = make_random(40, 25, seed=1), make_random(60, 25, seed=2)
    model = IALSRecommender(n_factors=4).fit(data)
    batch = other.batch(other.users)
    assert_array_equal(model.vectors(batch)[0], model.fold_in(batch.history).astype(np.float32))


def test_a_user_is_the_solution_of_the_row(make_random):
    data = make_random(40, 25)
    model = IALSRecommender(n_factors=4, **SETTINGS).fit(data)
    rules = {name: value for name, value in SETTINGS.items() if name != "max_weight"}
    items = np.nan_to_num(model.item_factors_)
    expected = turn_by_numpy(strengths(data, 1.5), items, **rules)
    assert_allclose(model.user_factors_[1:], expected[1:], atol=1e-6)
    assert np.isnan(model.user_factors_[0]).all()


def test_an_item_nobody_has_counts_for_nothing_in_a_session(make_random):
    data = make_random(40, 25)  # nobody has i0
    model = IALSRecommender(n_factors=4).fit(data)
    one, both, none = model.fold_in(data.batch(["a", "b", "c"], history=[["i3"], ["i0", "i3"], ["i0"]]).history)
    assert_array_equal(one, both)
    assert np.isnan(none).all()


# -------------------------------------------------------------------------------------------------- weights and penalty
def test_the_scale_of_the_weights_does_not_matter(make_data):
    weights = np.random.default_rng(0).integers(0, 3, (20, 12))
    one, thousand = (IALSRecommender(n_factors=3).fit(make_data(weights * scale)) for scale in (1, 1000))
    assert_allclose(one.losses_, thousand.losses_, rtol=1e-5)
    assert thousand.mean_weight_ == 1000 * one.mean_weight_


def test_a_weight_counts_as_many_averages_as_allowed(make_data):
    model = IALSRecommender(n_factors=1, max_weight=2)
    data = make_data([[1, 1, 1, 9]])  # the mean is 3
    model.fit(data)
    assert_allclose(model._strength(data.weights), [1 / 3, 1 / 3, 1 / 3, 2])
    assert_allclose(IALSRecommender(max_weight=np.inf).fit(data)._strength(data.weights), [1 / 3, 1 / 3, 1 / 3, 3])


def test_a_session_is_measured_by_the_mean_weight_of_the_fit(make_data):
    data = make_data(np.full((4, 3), 2))
    model = IALSRecommender(n_factors=2).fit(data)
    assert_allclose(model._strength(data.batch(["new"], history=[["i1"]]).history), [1 / 2])


def test_by_default_the_mean_penalty_is_a_share_of_the_mean_interactions(make_data):
    # u0 has 2 items, u1 has 1, i0 has 2 users, i1 has 1, nobody else has any: 1.5 interactions on the average
    data = make_data([[1, 5, 0], [2, 0, 0], [0, 0, 0]])
    model = IALSRecommender(n_factors=2, unobserved_weight=0.5, frequency_scaling=1).fit(data)
    frequency = np.mean([2 + 0.5 * 3, 1 + 0.5 * 3, 2 + 0.5 * 3, 1 + 0.5 * 3])
    assert_allclose(model.regularization_ * frequency, ials.RIDGE_SHARE * 1.5)
    assert model.regularization is None
    plain = IALSRecommender(n_factors=2, frequency_scaling=0).fit(data)
    assert_allclose(plain.regularization_, ials.RIDGE_SHARE * 1.5)


# --------------------------------------------------------------------------------------------------- threads and copies
def test_the_number_of_threads_makes_no_difference(make_random, monkeypatch):
    data, fitted = make_random(200, 90), []
    monkeypatch.setattr(least_squares, "SPAN", 1000)  # work for several threads even where there is little
    monkeypatch.setattr(least_squares, "BLOCK", 1000)
    for n_threads in (1, 2, 5):
        monkeypatch.setattr(topk, "N_THREADS", n_threads)
        fitted.append(IALSRecommender(n_factors=8).fit(data))
    for other in fitted[1:]:
        assert_array_equal(fitted[0].item_factors_, other.item_factors_)
        assert_array_equal(fitted[0].user_factors_, other.user_factors_)
        assert_array_equal(fitted[0].losses_, other.losses_)


def test_the_seed_decides_the_factors(make_random):
    data = make_random(30, 20)
    one, same, other = (IALSRecommender(n_factors=3, seed=seed).fit(data).item_factors_ for seed in (1, 1, 2))
    assert_array_equal(one, same)
    assert (one[1:] != other[1:]).any()


def test_copies_and_pickles_answer_the_same(make_random):
    data = make_random(40, 25)
    model = IALSRecommender(n_factors=4).fit(data)
    batch = data.batch([*data.users, "new"], history=[["i3"]] * 41)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_array_equal(twin.score(batch), model.score(batch))


# --------------------------------------------------------------------------------------------------------- odd requests
def test_more_factors_than_the_rank_are_harmless(make_data):
    data = make_data([[1, 1, 0], [0, 1, 1]])
    model = IALSRecommender(n_factors=50).fit(data)
    scores = model.score(data.batch(data.users))
    assert np.isfinite(scores).all()
    assert (scores[0, :2] > scores[0, 2]).all()


def test_without_any_event_nothing_is_known_and_the_loss_is_0(make_data):
    data = make_data(np.zeros((3, 4)))
    model = IALSRecommender(n_factors=2, n_iterations=4).fit(data)
    assert np.isnan(model.item_factors_).all()
    assert_array_equal(model.losses_, np.zeros(4))


@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_is_shown_when_asked(make_random, capsys, progress):
    IALSRecommender(n_factors=2, n_iterations=3, progress=progress).fit(make_random(10, 8))
    assert ("3/3" in capsys.readouterr().err) == progress


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_factors": 0}, "n_factors must be a whole number of at least 1, got 0"),
        ({"n_factors": 6.5}, "n_factors must be a whole number of at least 1, got 6.5"),
        ({"n_iterations": True}, "n_iterations must be a whole number of at least 1, got True"),
        ({"unobserved_weight": 0}, "unobserved_weight must be a finite number above 0, got 0"),
        ({"unobserved_weight": float("nan")}, "unobserved_weight must be a finite number above 0, got nan"),
        ({"regularization": 0}, "regularization must be a finite number above 0, or None, got 0"),
        ({"regularization": float("inf")}, "regularization must be a finite number above 0, or None, got inf"),
        ({"frequency_scaling": 1.5}, r"frequency_scaling must be 0 \(plain\) to 1 \(fully scaled\), got 1.5"),
        ({"max_weight": 0}, "max_weight must be above 0, or inf for no limit, got 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        IALSRecommender(**options)
