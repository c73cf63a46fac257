"""Popularity held back: by hand on three items, and what must not change."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset
from reco_utils.data.build import build_dataset
from reco_utils.data.debias import damp_popularity, inverse_propensity, keep_popular
from reco_utils.data.shop import make_shop

STEPS = {
    "damp": damp_popularity,
    "propensity": inverse_propensity,
    "keep": lambda data: keep_popular(data, 2),
}
ASOF = pd.Timestamp("2025-01-01")
# four users have the first item, two the second, one the third, nobody the last
WEIGHTS = [[1, 2, 4, 0], [3, 0, 0, 0], [1, 2, 0, 0], [1, 0, 0, 0]]


def dataset(weights=WEIGHTS, read_only=True):
    matrix = csr_matrix(np.asarray(weights, np.float32))
    last = ASOF.to_datetime64() - np.arange(matrix.nnz).astype("m8[D]")
    if read_only:
        for array in (matrix.data, matrix.indices, matrix.indptr, last):
            array.flags.writeable = False
    users, items = (pd.Index([f"{letter}{n}" for n in range(size)]) for letter, size in zip("ui", matrix.shape))
    catalog, profiles = pd.DataFrame({"item_id": items}), pd.DataFrame({"user_id": users})
    return Dataset(users, items, matrix, last, matrix.astype(bool), catalog, profiles, ASOF)


# ------------------------------------------------------------------------------------------------------------- by hand
def test_damping_by_hand():
    data = dataset()
    damped = np.array(WEIGHTS) / (1 + 0.5 * np.log([4, 2, 1, 1]))  # ln 1 = 0: an item that one user has keeps its all
    assert_allclose(damp_popularity(data, 0.5).weights.toarray(), damped * 14 / damped.sum(), rtol=1e-6)


def test_inverse_propensities_by_hand():
    data = dataset()
    factor = np.array([1, np.sqrt(2), 2, 1])  # chances are (4/4, 2/4, 1/4) ** 0.5
    weighed = np.array(WEIGHTS) * factor
    assert_allclose(inverse_propensity(data).weights.toarray(), weighed * 14 / weighed.sum(), rtol=1e-6)


def test_no_weight_gains_more_than_the_clip():
    data = dataset()
    factor = np.array([1, 2, 2.5, 1])  # without the clip 1, 2, 4
    weighed = np.array(WEIGHTS) * factor
    assert_allclose(inverse_propensity(data, 1, clip=2.5).weights.toarray(), weighed * 14 / weighed.sum(), rtol=1e-6)


def test_the_most_popular_items_are_kept_and_equal_ones_by_position():
    kept = keep_popular(dataset([[1, 2, 3, 0], [5, 0, 0, 0], [0, 7, 7, 0]]), 2)  # two users each have the first three
    assert_array_equal(kept.weights.toarray(), [[1, 2, 0, 0], [5, 0, 0, 0], [0, 7, 0, 0]])
    assert_array_equal(kept.last, ASOF.to_datetime64() - np.array([0, 1, 3, 4]).astype("m8[D]"))
    assert_array_equal(kept.seen.toarray(), np.array([[1, 1, 1, 0], [1, 0, 0, 0], [0, 1, 1, 0]], bool))


def test_of_many_equal_items_the_first_are_kept():
    weights = np.ones((3, 200))
    weights[0, 150:] = 0  # two users have the last fifty, three the others
    kept = keep_popular(dataset(weights), 70).weights
    assert_array_equal(np.flatnonzero(kept.getnnz(axis=0)), np.arange(70))


def test_keeping_as_many_items_as_there_are_with_history_changes_nothing():
    data = dataset()
    assert keep_popular(data, 3) is data and keep_popular(data, 100) is data


@pytest.mark.parametrize("step", [lambda d: damp_popularity(d, 0), lambda d: inverse_propensity(d, 0)])
def test_no_strength_changes_nothing(step):
    data = dataset()
    assert_array_equal(step(data).weights.toarray(), data.weights.toarray())


# --------------------------------------------------------------------------------------------------------- by contract
@pytest.fixture(params=STEPS)
def step(request):
    return STEPS[request.param]


@pytest.mark.parametrize("read_only", [True, False])
def test_the_data_passed_in_is_left_alone(step, read_only):
    data = dataset(read_only=read_only)
    arrays = [data.weights.data, data.weights.indices, data.weights.indptr, data.last]
    before = [array.copy() for array in arrays]
    step(data)
    for array, copy in zip(arrays, before):
        assert_array_equal(array, copy)
        assert array.flags.writeable != read_only


def test_the_result_is_a_dataset_with_read_only_weights_of_the_same_items_and_users(step):
    data, result = dataset(), step(dataset())
    for array in (result.weights.data, result.weights.indices, result.weights.indptr, result.last):
        assert not array.flags.writeable
    assert result.weights.dtype == np.float32
    assert result.items.equals(data.items) and result.users.equals(data.users)
    assert_array_equal(result.seen.toarray(), data.seen.toarray())
    assert result.batch(data.users).history.shape == (4, 4)


def test_a_real_dataset_passes_through(step):
    data = build_dataset(make_shop("small"))
    result = step(data)
    assert len(result.last) == result.weights.nnz
    assert result.weights.has_sorted_indices
    assert_allclose(result.batch(data.users).history.sum(), result.weights.sum(), rtol=1e-5)


@pytest.mark.parametrize("weights", [np.zeros((2, 3)), np.zeros((0, 3)), np.zeros((2, 0)), [[5.0]]])
def test_nothing_or_a_single_pair_passes_through(step, weights):
    data = dataset(weights)
    assert_array_equal(step(data).weights.toarray(), np.asarray(weights, np.float32))


def test_the_sum_of_all_weights_stays():
    data = build_dataset(make_shop("small"))
    for step in (damp_popularity, inverse_propensity):
        assert_allclose(step(data).weights.sum(dtype=float), data.weights.sum(dtype=float), rtol=1e-5)


def test_popular_items_lose_and_rare_ones_win():
    data = build_dataset(make_shop("small"))
    have = np.bincount(data.weights.indices, minlength=len(data.items))
    for step in (damp_popularity, inverse_propensity):
        before, after = (np.asarray(d.weights.sum(axis=0)).ravel()[have > 0] for d in (data, step(data)))
        by_popularity = (after / before)[np.argsort(have[have > 0], kind="stable")]
        assert (np.diff(by_popularity) <= 1e-4).all()
        assert by_popularity[0] > 1 > by_popularity[-1]


@pytest.mark.parametrize(
    "step, message",
    [
        (lambda d: damp_popularity(d, -1), "strength must be a finite number of at least 0, got -1"),
        (lambda d: damp_popularity(d, np.nan), "strength must be a finite number of at least 0, got nan"),
        (lambda d: inverse_propensity(d, -0.5), "power must be a finite number of at least 0, got -0.5"),
        (lambda d: inverse_propensity(d, clip=0.5), "clip must be at least 1, got 0.5"),
        (lambda d: inverse_propensity(d, clip=np.nan), "clip must be at least 1, got nan"),
        (lambda d: keep_popular(d, 0), "n_items must be a whole number of at least 1, got 0"),
        (lambda d: keep_popular(d, 2.0), "n_items must be a whole number of at least 1, got 2.0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(step, message):
    with pytest.raises(ValueError, match=message):
        step(dataset())
