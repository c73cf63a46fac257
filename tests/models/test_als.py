"""ALS: the loss against a dense sum and the library's own, fold-in against the equations, and what could go wrong."""

import os
import subprocess
import sys

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from numpy.testing import assert_allclose, assert_array_equal

from reco_utils.core import recommend
from reco_utils.models import als
from reco_utils.models.als import ALSRecommender, mean_loss


def confidences(data, alpha):
    """Dense (U, I): 1, and alpha times the weight on top."""
    return 1 + alpha * data.weights.toarray().astype(float)


def dense_loss(confidence, users, items, regularization):
    """The loss as its formula says, over every pair."""
    errors = confidence * ((confidence > 1) - users @ items.T) ** 2
    penalty = regularization * ((users**2).sum() + (items**2).sum())
    return (errors.sum() + penalty) / confidence.sum()


# ---------------------------------------------------------------------------------------------------------------- loss
def test_the_loss_by_hand(make_data):
    # one user, two items, one taken with weight 2: c = 1 + 3*2 = 7 and 1; predictions 0.5 * 1 and 0.5 * 2
    data = make_data([[2, 0]])
    confidence = ALSRecommender(alpha=3)._confidence(data.weights)
    found = mean_loss(confidence, np.array([[0.5]]), np.array([[1.0], [2.0]]), 10)
    assert_allclose(found, (7 * 0.5**2 + 1 * 1**2 + 10 * (0.25 + 1 + 4)) / (7 + 1))


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_the_loss_is_that_of_all_pairs_however_it_is_cut(make_random, monkeypatch, chunk):
    monkeypatch.setattr(als, "CHUNK", chunk)
    data, rng = make_random(30, 20), np.random.default_rng(0)
    users, items = rng.normal(size=(30, 3)), rng.normal(size=(20, 3))
    found = mean_loss(ALSRecommender(alpha=2)._confidence(data.weights), users, items, 5)
    assert_allclose(found, dense_loss(confidences(data, 2), users, items, 5), rtol=1e-12)


def test_the_losses_are_those_of_the_library_and_fall(make_random):
    data = make_random(60, 40)
    model = ALSRecommender(n_factors=4, alpha=2, regularization=3, n_iterations=8).fit(data)
    inner = AlternatingLeastSquares(
        factors=4, alpha=1, regularization=3, iterations=8, dtype=np.float64, random_state=0, num_threads=1,
        calculate_training_loss=True,
    )  # fmt: skip
    theirs = []
    matrix = data.weights.copy()
    matrix.data = 1 + 2 * matrix.data
    inner.fit(matrix.copy(), show_progress=False, callback=lambda iteration, seconds, loss: theirs.append(loss))
    assert_allclose(model.losses_, theirs, rtol=1e-12)
    assert_array_equal(model.item_factors_[1:], inner.item_factors[1:])  # one thread there, all cores here
    assert (np.diff(model.losses_) < 0).all()


# ------------------------------------------------------------------------------------------------------------- fold-in
def test_fold_in_solves_the_equations_of_the_user(make_random):
    data = make_random(30, 20)
    model = ALSRecommender(n_factors=5, alpha=4, regularization=2).fit(data)
    found, items = model.fold_in(data.weights), np.nan_to_num(model.item_factors_)
    for user, c in enumerate(confidences(data, 4)):
        if (c > 1).any():
            left = (items.T * c) @ items + 2 * np.eye(5)
            assert_allclose(found[user], np.linalg.inv(left) @ items.T @ (c * (c > 1)))


def test_folding_in_lowers_the_loss_of_the_users_as_far_as_it_goes(make_random):
    data, rng = make_random(30, 20), np.random.default_rng(0)
    model = ALSRecommender(n_factors=3, alpha=2, regularization=1).fit(data)
    users, items = np.nan_to_num(model.fold_in(data.weights)), np.nan_to_num(model.item_factors_)
    best = dense_loss(confidences(data, 2), users, items, 1)
    for _ in range(20):
        assert dense_loss(confidences(data, 2), users + rng.normal(0, 0.05, users.shape), items, 1) > best


def test_a_live_session_leads_to_its_neighbourhood(make_data):
    # two separate tastes, i0 to i3 and i4 to i7, and everybody lacks one item of their own
    ones = 1 - np.eye(4)
    data = make_data(np.kron(np.eye(2), np.vstack([ones] * 3)))
    model = ALSRecommender(n_factors=2, regularization=0.1).fit(data)
    lists = recommend(model, data.batch(["a", "b"], history=[["i0", "i1"], ["i6"]]), 4, keep_seen=True)
    assert_array_equal(np.sort(lists.items, axis=1), [[0, 1, 2, 3], [4, 5, 6, 7]])
    found, _ = model.similar_items(np.arange(8), 3)
    assert (found // 4 == np.arange(8)[:, None] // 4).all()


# ----------------------------------------------------------------------------------------------------------- hard cases
def test_more_factors_than_the_matrix_has_ranks_do_no_harm(make_data):
    data = make_data([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    model = ALSRecommender(n_factors=50, regularization=0.01, n_iterations=30).fit(data)
    assert_allclose(model.score(data.batch(data.users)), [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=0.05)


def test_an_item_nobody_has_and_a_user_without_history_are_unknown(make_random):
    data = make_random(30, 20)
    model = ALSRecommender(n_factors=3).fit(data)
    assert np.isnan(model.item_factors_[0]).all()
    assert np.isfinite(model.item_factors_[1:]).all()
    assert np.isnan(model.fold_in(data.weights)[0]).all()


def test_without_any_event_nothing_is_known_and_the_loss_is_0(make_data):
    data = make_data(np.zeros((3, 4)))
    model = ALSRecommender(n_factors=3, n_iterations=2).fit(data)
    assert np.isnan(model.score(data.batch(data.users))).all()
    assert_array_equal(model.losses_, [0, 0])
    assert (recommend(model, data.batch(data.users), 2).items == -1).all()


def test_by_default_the_penalty_grows_with_alpha_and_with_the_interactions_per_row(make_data):
    # three interactions; two users and two items have any
    data = make_data([[1, 5, 0], [2, 0, 0], [0, 0, 0]])
    model = ALSRecommender(n_factors=2, alpha=8).fit(data)
    assert model.regularization_ == 8 * 3 / 4
    given = ALSRecommender(n_factors=2, alpha=8, regularization=6).fit(data)
    assert_array_equal(model.item_factors_, given.item_factors_)
    assert model.regularization is None


def test_the_seed_decides_the_factors(make_random):
    data = make_random(30, 20)
    one, same, other = (ALSRecommender(n_factors=3, seed=seed).fit(data).item_factors_ for seed in (1, 1, 2))
    assert_array_equal(one, same)
    assert not np.allclose(one[1:], other[1:])


def test_a_fit_that_is_interrupted_changes_nothing(make_random, monkeypatch):
    data, calls = make_random(30, 20), []
    model = ALSRecommender(n_factors=3, n_iterations=4).fit(data)
    before = dict(vars(model))

    def stop_at_the_third(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return mean_loss(*args)

    monkeypatch.setattr(als, "mean_loss", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        model.fit(make_random(25, 20, seed=9))
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())


def test_a_bar_is_shown_when_asked_for_and_only_then(make_random, capfd):
    data = make_random(30, 20)
    ALSRecommender(n_factors=3, n_iterations=4).fit(data)
    assert capfd.readouterr().err == ""
    ALSRecommender(n_factors=3, n_iterations=4, progress=True).fit(data)
    assert "4/4" in capfd.readouterr().err


def test_no_warning_where_nobody_has_limited_the_threads_of_blas():
    code = (
        "import warnings; warnings.simplefilter('error', RuntimeWarning);"
        "import sys; sys.path.insert(0, 'tests/models'); from conftest import at_random;"
        "from reco_utils.models.als import ALSRecommender;"
        "ALSRecommender(n_factors=2).fit(at_random(9, 9)); print('ok')"
    )
    root = os.path.join(os.path.dirname(__file__), "..", "..")
    free = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=free, capture_output=True, text=True)
    assert done.stdout == "ok\n", done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_factors": 0}, "n_factors must be a whole number of at least 1, got 0"),
        ({"n_factors": 2.5}, "n_factors must be a whole number of at least 1, got 2.5"),
        ({"n_iterations": True}, "n_iterations must be a whole number of at least 1, got True"),
        ({"alpha": 0}, "alpha must be a finite number above 0, got 0"),
        ({"alpha": float("nan")}, "alpha must be a finite number above 0, got nan"),
        ({"regularization": -1}, "regularization must be a finite number above 0, or None, got -1"),
        ({"regularization": 0}, "regularization must be a finite number above 0, or None, got 0"),
        ({"regularization": float("inf")}, "regularization must be a finite number above 0, or None, got inf"),
    ],
)
def test_settings_that_mean_nothing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ALSRecommender(**options)
