"""Scales: numbers by hand, what all four promise, and the same order whatever the units were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose, assert_array_equal

from reco_utils.models.scales import SCALES, minmax, rank, reciprocal_rank, zscore

NAN = np.nan
MIDDLE = {"rank": 0.5, "minmax": 0.5, "zscore": 0.0}


def row(*values):
    return np.array([values], np.float32)


# ---------------------------------------------------------------------------------------------------------- by hand
def test_rank_is_the_share_of_opinions_below_and_half_of_the_equal_ones():
    assert_allclose(rank(row(3, 10, 3, 1)), row(2 / 4, 3.5 / 4, 2 / 4, 0.5 / 4))


def test_minmax_keeps_the_distances():
    assert_allclose(minmax(row(2, 6, 3)), row(0, 1, 0.25))


def test_zscore_counts_standard_deviations():
    assert_allclose(zscore(row(1, 5)), row(-1, 1))  # mean 3, standard deviation 2
    assert_allclose(zscore(row(0, 0, 3)), row(-1, -1, 2) / np.sqrt(2))


def test_reciprocal_rank_is_one_over_60_and_the_place():
    assert_allclose(reciprocal_rank(row(7, 9, 8)), 1 / row(63, 61, 62))
    assert_allclose(reciprocal_rank(row(9, 9, 1)), 1 / row(61.5, 61.5, 63))


def test_one_outlier_squeezes_minmax_and_leaves_the_ranks_alone():
    tame, wild = row(1, 2, 3, 4), row(1, 2, 3, 4000)
    assert_array_equal(rank(tame), rank(wild))
    assert minmax(tame)[0, 2] > 0.6
    assert minmax(wild)[0, 2] < 0.001


def test_the_best_of_few_counts_less_than_the_best_of_many():
    few, many = rank(row(1, 2, 3)), rank(np.arange(1000, dtype=np.float32)[None])
    assert_allclose([few.max(), many.max()], [5 / 6, 0.9995])


# ----------------------------------------------------------------------------------------------- what all promise
@pytest.fixture(params=SCALES)
def scale(request):
    return SCALES[request.param]


def opinions(max_side=12):
    """Rows of scores with ties and gaps."""
    few = st.sampled_from([0.0, 1.0, 2.0, -3.0, NAN])
    some = st.floats(-1e6, 1e6, width=32) | few
    return arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=max_side), elements=some)


@settings(max_examples=60, deadline=None)
@given(scores=opinions())
def test_nan_stays_and_nothing_else_becomes_nan(scores):
    for scale in SCALES.values():
        scaled = scale(scores)
        assert scaled.shape == scores.shape
        assert scaled.dtype == np.float32
        assert_array_equal(np.isnan(scaled), np.isnan(scores))


@settings(max_examples=60, deadline=None)
@given(scores=opinions())
def test_a_higher_score_never_comes_out_lower_and_equal_ones_stay_equal(scores):
    for name, scale in SCALES.items():
        for before, after in zip(scores, scale(scores)):
            order = np.argsort(before)
            step, moved = np.diff(before[order]), np.diff(after[order])
            assert not (moved < 0).any()
            assert (moved[step == 0] == 0).all()
            if "rank" in name:
                assert (moved[step > 0] > 0).all()


@settings(max_examples=60, deadline=None)
@given(scores=opinions(), cut=st.integers(0, 12))
def test_gaps_change_nothing_for_the_rest_of_the_row(scores, cut):
    for scale in SCALES.values():
        padded = np.insert(scores, min(cut, scores.shape[1]), NAN, axis=1)
        assert_array_equal(np.delete(scale(padded), min(cut, scores.shape[1]), axis=1), scale(scores))


@settings(max_examples=60, deadline=None)
@given(scores=opinions())
def test_a_row_is_scaled_on_its_own(scores):
    for scale in SCALES.values():
        assert_array_equal(scale(scores)[:1], scale(scores[:1]))


@settings(max_examples=60, deadline=None)
@given(scores=opinions())
def test_rank_and_minmax_stay_between_0_and_1(scores):
    known = ~np.isnan(scores)
    assert ((rank(scores) > 0) & (rank(scores) < 1))[known].all()
    assert ((minmax(scores) >= 0) & (minmax(scores) <= 1))[known].all()


@settings(max_examples=60, deadline=None)
@given(
    scores=arrays(np.float32, (3, 8), elements=st.integers(-1000, 1000).map(float)),
    factor=st.sampled_from([0.25, 1024.0]),
    shift=st.integers(-1000, 1000),
)
def test_other_units_give_the_same_scale(scores, factor, shift):
    for scale in SCALES.values():
        assert_allclose(scale(scores * np.float32(factor) + shift), scale(scores), atol=1e-6)


@pytest.mark.parametrize("name", MIDDLE)
@pytest.mark.parametrize("scores", [row(7), row(0), row(-2, -2, -2), row(NAN, 3, NAN), row(4, NAN, 4, 4)])
def test_a_row_of_equal_scores_gets_the_middle(name, scores):
    expected = np.where(np.isnan(scores), np.float32(NAN), np.float32(MIDDLE[name]))
    assert_array_equal(SCALES[name](scores), expected)


def test_equal_scores_share_the_mean_of_their_reciprocal_places():
    assert_allclose(reciprocal_rank(row(5)), row(1 / 61))
    assert_allclose(reciprocal_rank(row(5, 5, 5)), row(1, 1, 1) / 62)


def test_equal_scores_that_no_float_holds_exactly_are_still_equal():
    assert_array_equal(zscore(np.full((1, 1000), 0.1, np.float32)), np.zeros((1, 1000)))


def test_a_row_without_opinion_stays_empty_beside_one_with_opinions(scale):
    scaled = scale(np.array([[NAN, NAN], [1, 2]], np.float32))
    assert np.isnan(scaled[0]).all()
    assert not np.isnan(scaled[1]).any()


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0)])
def test_nothing_can_be_scaled(scale, shape):
    assert scale(np.empty(shape, np.float32)).shape == shape


def test_the_scores_of_the_caller_are_left_alone(scale):
    scores = row(3, NAN, 1, 3)
    scores.flags.writeable = False
    scale(scores)
    assert_array_equal(scores, row(3, NAN, 1, 3))


def test_rows_over_many_threads_are_ranked_like_rows_one_by_one():
    scores = np.random.default_rng(0).integers(0, 900, (700, 1000)).astype(np.float32)
    scores[:, ::7] = NAN
    assert_array_equal(rank(scores), np.vstack([rank(one[None]) for one in scores]))


def test_a_hundred_thousand_scores_keep_their_order():
    scores = np.random.default_rng(0).permutation(100_000).astype(np.float32)[None]
    assert (np.diff(rank(scores)[0, np.argsort(scores[0])]) > 0).all()
