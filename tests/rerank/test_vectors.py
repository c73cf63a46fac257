"""Vectors of length 1, dense or sparse, and their cosines."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csc_matrix, csr_matrix

from reco_utils.rerank.vectors import check_positions, clear, cosine, lay_out, unit_vectors

ROWS = np.array([[3.0, 4, 0], [0, 0, 0], [np.nan, 1, 2], [-1, 0, 0], [0.6, 0.8, 0]])


def cosines(unit, n):
    """All cosines, as a kernel asks for them."""
    row, found = np.zeros(unit.width), np.empty((n, n))
    for a in range(n):
        lay_out(unit.sparse, a, row)
        found[a] = [cosine(unit.dense, unit.sparse, a, b, row) for b in range(n)]
        clear(unit.sparse, a, row)
    assert not row.any()
    return found


@pytest.mark.parametrize("layout", [np.array, csr_matrix, csc_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosines_by_hand_unknown_vectors_being_like_nothing(layout, dtype):
    # the first and the last point the same way; 0.6 is the first's share of the fourth's only direction
    expected = [[1, 0, 0, -0.6, 1], [0] * 5, [0] * 5, [-0.6, 0, 0, 1, -0.6], [1, 0, 0, -0.6, 1]]
    assert_allclose(cosines(unit_vectors(layout(ROWS), dtype), 5), expected, atol=1e-7)


def test_repeated_entries_of_a_sparse_row_add_up():
    repeated = csr_matrix((np.array([1.0, 2, 4]), np.array([0, 0, 1]), np.array([0, 3])), (1, 2))
    assert_allclose(unit_vectors(repeated, np.float64).sparse[2], [0.6, 0.8])
    assert repeated.nnz == 3


def test_the_lowest_cosine_is_0_where_no_entry_is_negative():
    assert unit_vectors(np.abs(np.nan_to_num(ROWS)), np.float32).lowest == 0
    assert unit_vectors(csr_matrix(np.eye(2)), np.float32).lowest == 0
    assert unit_vectors(np.array([[-1, -1e-12]]), np.float32).lowest < -1
    assert unit_vectors(csr_matrix(-np.eye(2)), np.float32).lowest < -1


@pytest.mark.parametrize("layout", [np.array, csr_matrix])
def test_infinite_vectors_are_refused(layout):
    with pytest.raises(ValueError, match="vectors must be finite, or NaN where not known; 1 rows are infinite"):
        unit_vectors(layout([[1.0, np.inf], [1, 2]]), np.float32)


@pytest.mark.parametrize("vectors", [np.arange(3.0), None, [[1, 2]]])
def test_vectors_have_two_dimensions(vectors):
    with pytest.raises(ValueError, match=r"vectors must be an array or csr \(items, width\)"):
        unit_vectors(vectors, np.float32)


def test_a_position_beyond_the_catalogue_is_refused(make_lists):
    assert check_positions(make_lists([[1, -1]]), 2, "vectors").dtype == np.int32
    with pytest.raises(ValueError, match="vectors are those of 2 items, lists hold item position 2"):
        check_positions(make_lists([[0, 2]]), 2, "vectors")
