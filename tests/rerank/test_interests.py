"""Interests by label: numbered labels, sums of weights, favourites and look-ups, by hand and against dense arrays."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils.rerank.interests import check_items, favourites, label_codes, label_weights, look_up


@pytest.mark.parametrize(
    "labels",
    [
        ["tea", "oil", None, "tea", np.nan],
        pd.Series(["tea", "oil", None, "tea", None]),
        pd.Series(["tea", "oil", None, "tea", None], dtype="category"),
        np.array(["tea", "oil", None, "tea", None], object),
    ],
)
def test_labels_are_numbered_in_the_order_of_the_items(labels):
    codes, names = label_codes(labels)
    assert codes.tolist() == [0, 1, -1, 0, -1] and codes.dtype == np.int32
    assert list(names) == ["tea", "oil"]


def test_labels_may_be_numbers_or_missing_altogether():
    assert label_codes(np.array([7, 3, 7]))[0].tolist() == [0, 1, 0]
    assert label_codes([2.5, np.nan])[0].tolist() == [0, -1]
    assert label_codes([None, None])[0].tolist() == [-1, -1] and len(label_codes([])[1]) == 0


def test_weights_are_summed_by_label():
    history = csr_matrix(np.array([[1, 2, 4, 8], [0, 0, 0, 3], [0, 0, 5, 0], [0, 0, 0, 0.0]]))
    weights = label_weights(history, np.array([1, 0, -1, 1]))
    assert weights.toarray().tolist() == [[2, 9], [0, 3], [0, 0], [0, 0]]
    assert weights.has_sorted_indices and np.diff(weights.indptr).tolist() == [2, 1, 0, 0]
    assert label_weights(history, np.full(4, -1)).shape == (4, 0)


def test_favourites_by_hand():
    weights = csr_matrix(np.array([[1, 5, 5, 0], [0, 0, 0, 2], [0, 0, 0, 0.0]]))
    assert favourites(weights, 3).tolist() == [[1, 2, 0], [3, -1, -1], [-1, -1, -1]]
    assert favourites(weights, 1).tolist() == [[1], [3], [-1]]
    assert favourites(csr_matrix((2, 0)), 2).tolist() == [[-1, -1]] * 2


def test_a_look_up_is_that_of_the_dense_array():
    rng = np.random.default_rng(0)
    dense = rng.integers(1, 9, (50, 6)) * (rng.random((50, 6)) < 0.4)
    columns = rng.integers(-1, 6, (50, 9))
    expected = np.where(columns >= 0, np.take_along_axis(dense, np.maximum(columns, 0), axis=1), 0)
    assert_array_equal(look_up(csr_matrix(dense.astype(float)), columns), expected)
    assert_array_equal(look_up(csr_matrix((50, 6)), columns), np.zeros((50, 9)))


def test_descriptions_of_another_catalogue_are_refused():
    check_items("labels", 3, 3)
    with pytest.raises(ValueError, match="labels must describe the 4 items of the batch, got 3; take them from"):
        check_items("labels", 3, 4)
