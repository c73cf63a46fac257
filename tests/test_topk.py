"""The compiled selection against a naive sort, over any pattern of scores and masks."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils import topk
from reco_utils.topk import select, select_dot

# few different values make many ties; inf is a score, NaN and -inf are no opinion
SCORES = st.sampled_from([np.nan, -np.inf, np.inf, -1.5, -0.0, 0.0, 0.25, 1, 2, 3])
ROW_SHAPES = st.tuples(st.integers(0, 6), st.integers(1, 150))


def naive(scores, k, allow=None, forbid=None):
    """One row after the other: sort by score and position, leave out what may not be listed, pad."""
    items = np.full((len(scores), k), -1)
    best = np.full((len(scores), k), np.nan)
    for row, line in enumerate(np.asarray(scores, float)):
        banned = set() if forbid is None else set(forbid[row].indices)
        good = [
            j for j, score in enumerate(line) if score > -np.inf and j not in banned and (allow is None or allow[j])
        ]
        listed = sorted(good, key=lambda j: (-line[j], j))[:k]
        items[row, : len(listed)], best[row, : len(listed)] = listed, line[listed]
    return items, best


def same(got, wanted):
    assert got[0].dtype == np.int32 and got[1].dtype == np.float32
    assert_array_equal(got[0], wanted[0])
    assert_array_equal(got[1], np.asarray(wanted[1], np.float32))


@st.composite
def requests(draw):
    """Scores (B, I), a list length and two masks, each of which may be missing."""
    shape = draw(ROW_SHAPES)
    scores = draw(arrays(np.float32, shape, elements=SCORES, fill=SCORES))
    allow = draw(st.none() | arrays(bool, shape[1]))
    forbid = draw(st.none() | arrays(bool, shape).map(csr_matrix))
    return scores, draw(st.integers(1, 170)), allow, forbid


@settings(max_examples=150, deadline=None)
@given(requests())
def test_select_agrees_with_a_naive_sort(request_):
    scores, k, allow, forbid = request_
    same(select(scores, k, allow=allow, forbid=forbid), naive(scores, k, allow, forbid))


@settings(max_examples=80, deadline=None)
@given(requests(), st.integers(0, 2**32 - 1), st.sampled_from([(1, 1), (3, 7), (64, 5), (512, 512)]))
def test_select_dot_agrees_with_a_naive_sort_of_the_full_product(request_, seed, block):
    scores, k, allow, forbid = request_
    rng = np.random.default_rng(seed)
    queries = rng.integers(-3, 4, (scores.shape[0], 3)).astype(np.float32)  # whole numbers: the products are exact
    vectors = rng.integers(-3, 4, (scores.shape[1], 3)).astype(np.float32)
    queries[rng.random(len(queries)) < 0.2] = np.nan
    vectors[rng.random(len(vectors)) < 0.2] = np.nan
    got = select_dot(queries, vectors, k, allow=allow, forbid=forbid, block=block)
    same(got, naive(queries @ vectors.T, k, allow, forbid))


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, ROW_SHAPES, elements=st.floats(width=32, allow_nan=False)), st.integers(1, 20))
def test_lists_of_any_finite_numbers_are_in_falling_order_and_repeat_nothing(scores, k):
    items, best = select(scores, k)
    for row, listed in enumerate(items):
        listed = listed[listed >= 0]
        assert len(set(listed)) == len(listed)
        assert_array_equal(best[row, : len(listed)], scores[row, listed])
        assert (np.diff(best[row, : len(listed)].astype(float)[np.isfinite(best[row, : len(listed)])]) <= 0).all()


@pytest.mark.parametrize("n_threads", [1, 2, 3, 16])
def test_the_number_of_threads_changes_nothing(monkeypatch, n_threads):
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 9, (101, 300)).astype(np.float32)
    forbid = csr_matrix(rng.random((101, 300)) < 0.1)
    wanted = naive(scores, 12, forbid=forbid)
    monkeypatch.setattr(topk, "N_THREADS", n_threads)
    same(select(scores, 12, forbid=forbid), wanted)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (3, 0)])
def test_no_rows_or_no_columns_give_empty_lists(shape):
    items, best = select(np.zeros(shape, np.float32), 4)
    assert items.shape == best.shape == (shape[0], 4)
    assert (items == -1).all() and np.isnan(best).all()


def test_all_nan_gives_padding_only():
    items, best = select(np.full((2, 100), np.nan, np.float32), 3)
    assert_array_equal(items, np.full((2, 3), -1))
    assert np.isnan(best).all()


def test_equal_scores_go_to_the_lower_position_also_across_tiles_and_blocks():
    ones = np.ones((2, 1000), np.float32)
    assert_array_equal(select(ones, 5)[0], [[0, 1, 2, 3, 4]] * 2)
    assert_array_equal(select_dot(ones[:, :1], ones[0, :, None], 5, block=(1, 3))[0], [[0, 1, 2, 3, 4]] * 2)


def test_stored_zeros_of_forbid_count_and_its_indices_may_be_unsorted():
    forbid = csr_matrix((np.zeros(3), np.array([4, 0, 2]), np.array([0, 3])), (1, 5))
    assert_array_equal(select(np.ones((1, 5), np.float32), 5, forbid=forbid)[0], [[1, 3, -1, -1, -1]])


def test_float64_strided_and_read_only_inputs_are_taken_and_left_alone():
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 50, (6, 40)).astype(float)
    allow, forbid = rng.random(40) < 0.8, csr_matrix(rng.random((6, 40)) < 0.3)
    wanted = naive(scores, 7, allow, forbid)
    for view in (scores, np.asfortranarray(scores), np.repeat(scores, 2, axis=1)[:, ::2], scores.astype(np.float32)):
        copy = view.copy()
        for array in (view, allow, forbid.data, forbid.indices, forbid.indptr):
            array.flags.writeable = False
        same(select(view, 7, allow=allow, forbid=forbid), wanted)
        assert_array_equal(view, copy)
    row = np.broadcast_to(scores[:1], (6, 40))
    same(select(row, 7), naive(row, 7))


def test_a_nan_vector_is_never_listed_and_a_nan_query_lists_nothing():
    queries = np.array([[1, 1], [np.nan, 1]], np.float32)
    vectors = np.array([[9, np.nan], [1, 0], [2, 2]], np.float32)
    items, _ = select_dot(queries, vectors, 3)
    assert_array_equal(items, [[2, 1, -1], [-1, -1, -1]])


def test_after_an_error_no_other_task_begins(monkeypatch):
    monkeypatch.setattr(topk, "N_THREADS", 2)
    begun, failed = [], threading.Event()

    def task(start, stop):
        begun.append(start)
        if start == 0:
            failed.set()
            raise KeyboardInterrupt
        failed.wait(10)
        time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        topk.everywhere(task, topk.spans(1000, 1000))
    assert len(begun) < 1000
