"""Row problems: by hand, against plain numpy solves, and the same bits whatever the threads and the other rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix, random_array

from reco_utils import topk
from reco_utils.models import least_squares
from reco_utils.models.least_squares import System, even_spans, gram_of, improve, make_rows, solve, turn_to_axes


def problems(n_rows=50, n_columns=30, width=7, *, density=0.2, ridge=0.5, seed=0):
    """A random pattern with pulls and targets, vectors on their principal axes, and the System of it all."""
    rng = np.random.default_rng(seed)
    matrix = csr_matrix(random_array((n_rows, n_columns), density=density, rng=rng))
    vectors = rng.normal(size=(n_columns, width))
    gram = np.diag(0.3 * turn_to_axes(vectors))
    pull, target = rng.uniform(0.5, 3, matrix.nnz), rng.uniform(0.5, 3, matrix.nnz)
    return matrix, vectors, System(gram, pull, target, ridge * rng.uniform(1, 2, n_rows))


def by_numpy(system, matrix, vectors):
    """The same as `solve`, one dense system after the other; rows without entries are 0."""
    found = []
    for row in range(matrix.shape[0]):
        inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
        y = vectors[matrix.indices[inside]]
        left = system.gram + y.T @ np.diag(system.pull[inside]) @ y + system.ridge[row] * np.eye(len(system.gram))
        found.append(np.linalg.solve(left, y.T @ system.target[inside]))
    return np.array(found)


def loss_of(rows, share, x, vectors):
    """The sum that `improve` returns, as its docstring says, over dense arrays."""
    gram = share * vectors.T @ vectors
    total = 0.0
    for row in range(len(x)):
        inside = slice(rows.indptr[row], rows.indptr[row + 1])
        a, b, s = rows.pull[inside], rows.target[inside], vectors[rows.indices[inside]] @ x[row]
        total += x[row] @ gram @ x[row] + rows.ridge[row] * x[row] @ x[row] + (a * s**2 - 2 * b * s + b).sum()
    return total


# ------------------------------------------------------------------------------------------------------------- solving
def test_one_row_by_hand():
    # (G + ridge + a y y) x = b y with G = 2, ridge = 1, a = 3, y = 2, b = 5: 15 x = 10
    system = System(np.array([[2.0]]), np.array([3.0]), np.array([5.0]), np.array([1.0]))
    assert_allclose(solve(system, csr_matrix([[1]]), np.array([[2.0]])), [[10 / 15]], rtol=1e-12)


@pytest.mark.parametrize("density", [0.03, 0.3, 1.0])
@pytest.mark.parametrize("width", [1, 2, 7, 40])
@pytest.mark.parametrize("axes", ["principal", "any"])
def test_every_row_is_what_a_dense_solve_finds(density, width, axes):
    matrix, vectors, system = problems(width=width, density=density)
    if axes == "any":
        turn = np.linalg.qr(np.random.default_rng(1).normal(size=(width, width)))[0]
        vectors, system = vectors @ turn, system._replace(gram=turn.T @ system.gram @ turn)
    found, expected = solve(system, matrix, vectors), by_numpy(system, matrix, vectors)
    empty = matrix.getnnz(axis=1) == 0
    assert np.isnan(found[empty]).all()
    assert_allclose(found[~empty], expected[~empty], rtol=1e-8, atol=1e-10)


def test_rows_that_take_too_many_steps_are_solved_by_cholesky(monkeypatch):
    matrix, vectors, system = problems()
    monkeypatch.setattr(least_squares, "EXACT", 1e-300)  # never reached, so none counts as solved
    full = matrix.getnnz(axis=1) > 0
    assert_allclose(solve(system, matrix, vectors)[full], by_numpy(system, matrix, vectors)[full], rtol=1e-11)


def test_a_problem_of_ten_orders_of_magnitude_is_solved_too():
    matrix, vectors, system = problems(width=20, density=0.6)
    system = system._replace(
        pull=system.pull * 10 ** np.random.default_rng(2).uniform(-4, 6, matrix.nnz), ridge=system.ridge * 1e-4
    )
    assert_allclose(solve(system, matrix, vectors), by_numpy(system, matrix, vectors), rtol=1e-5, atol=1e-8)


def test_columns_without_a_vector_are_left_out():
    matrix, vectors, system = problems(density=0.05)
    vectors[:10] = np.nan
    known = matrix.indices >= 10
    ends = np.concatenate([[0], np.cumsum(known)])[matrix.indptr]
    fewer = csr_matrix((matrix.data[known], matrix.indices[known], ends), matrix.shape)
    expected = solve(system._replace(pull=system.pull[known], target=system.target[known]), fewer, vectors)
    assert_array_equal(solve(system, matrix, vectors), expected)
    assert np.isnan(expected).any()


def test_no_rows_and_no_entries_have_no_solution():
    _, vectors, system = problems()
    nothing = System(system.gram, np.empty(0), np.empty(0), np.ones(3))
    assert np.isnan(solve(nothing, csr_matrix((3, 30)), vectors)).all()
    assert solve(nothing._replace(ridge=np.ones(0)), csr_matrix((0, 30)), vectors).shape == (0, 7)


def test_the_arrays_of_the_caller_stay_as_they_are():
    matrix, vectors, system = problems()
    before = [part.copy() for part in (*system, vectors, matrix.data, matrix.indices)]
    solve(system, matrix, vectors)
    for part, copy in zip((*system, vectors, matrix.data, matrix.indices), before):
        assert_array_equal(part, copy)


# ----------------------------------------------------------------------------------------------------------- improving
@pytest.mark.parametrize("easy", [0, 2, 1e9])
@pytest.mark.parametrize("n_steps", [1, 2, 5])
def test_the_loss_is_that_of_the_rows_after_the_steps_and_each_step_lowers_it(n_steps, easy, monkeypatch):
    monkeypatch.setattr(least_squares, "EASY", easy)
    matrix, vectors, system = problems()
    rows, x = make_rows(matrix, *system[1:]), np.random.default_rng(1).normal(size=(50, 7))
    x[matrix.getnnz(axis=1) == 0] = 0
    before = loss_of(rows, 0.3, x, vectors)
    after = improve(rows, 0.3, x, vectors, n_steps)
    assert_allclose(after, loss_of(rows, 0.3, x, vectors), rtol=1e-12)
    assert after < before


def test_one_step_by_hand():
    # G + ridge = 0.5 * (1 + 4) + 1.5 = 4, and the row has the second vector, y = 2, with a = b = 3
    rows = make_rows(csr_matrix([[0, 1]]), [3.0], [3.0], [1.5])
    x, vectors = np.array([[1.0]]), np.array([[1.0], [2.0]])
    # one unknown: the first step already ends where (4 + 3*4) x = 3*2
    loss = improve(rows, 0.5, x, vectors, 1)
    assert_allclose(abs(x), [[6 / 16]])
    assert_allclose(loss, 4 * (6 / 16) ** 2 + 3 * (1 - 2 * 6 / 16) ** 2)


def test_many_steps_end_at_the_solution(monkeypatch):
    monkeypatch.setattr(least_squares, "EASY", 0)  # no row is content with one step
    matrix, vectors, system = problems()
    x = np.zeros((50, 7))
    improve(make_rows(matrix, *system[1:]), 0.3, x, vectors, 14)
    full = matrix.getnnz(axis=1) > 0
    gram = np.diag(0.3 * (vectors**2).sum(axis=0))
    assert_allclose(x[full], by_numpy(system._replace(gram=gram), matrix, vectors)[full], rtol=1e-8, atol=1e-10)
    assert (x[~full] == 0).all()


def test_easy_rows_go_one_step_and_hard_ones_two(monkeypatch):
    matrix, vectors, system = problems()
    pull = np.where(np.arange(matrix.nnz) < matrix.indptr[25], 1e-3, 50)  # the first 25 rows have little to say
    rows = make_rows(matrix, pull, system.target, system.ridge)
    ends = {}
    for easy, n_steps in ((2.0, 2), (0.0, 1), (0.0, 2)):
        monkeypatch.setattr(least_squares, "EASY", easy)
        ends[easy, n_steps] = np.random.default_rng(1).normal(size=(50, 7))
        improve(rows, 0.3, ends[easy, n_steps], vectors.copy(), n_steps)
    full = matrix.getnnz(axis=1) > 0
    one, two = (abs(ends[2.0, 2] - ends[0.0, n]).max(axis=1) < 1e-9 for n in (1, 2))
    assert one[:25].all()
    assert not one[25:][full[25:]].any()
    assert two[25:].all()


def test_turning_to_the_axes_keeps_every_product_and_makes_the_gram_diagonal():
    rng = np.random.default_rng(0)
    x, vectors = rng.normal(size=(9, 4)), rng.normal(size=(20, 4))
    products = x @ vectors.T
    spread = turn_to_axes(vectors, x)
    assert_allclose(x @ vectors.T, products, atol=1e-12)
    assert_allclose(vectors.T @ vectors, np.diag(spread), atol=1e-12)
    assert (np.diff(spread) >= 0).all()


# -------------------------------------------------------------------------------------------------------- the same bits
def whole_run():
    matrix, vectors, system = problems(400, 90, 11)
    rows, x = make_rows(matrix, *system[1:]), np.random.default_rng(1).normal(size=(400, 11))
    losses = [improve(rows, 0.3, x, vectors, 2) for _ in range(3)]
    return x, vectors, losses, solve(system, matrix, vectors), gram_of(x)


@pytest.fixture
def many_spans(monkeypatch):
    """Work for several threads even where there is little."""
    monkeypatch.setattr(least_squares, "SPAN", 1000)
    monkeypatch.setattr(least_squares, "BLOCK", 1000)


def test_any_number_of_threads_gives_the_same_bits(monkeypatch, many_spans):
    results = []
    for n_threads in (1, 2, 5):
        monkeypatch.setattr(topk, "N_THREADS", n_threads)
        results.append(whole_run())
    for other in results[1:]:
        for one, two in zip(results[0], other):
            assert_array_equal(one, two)


def test_a_row_does_not_depend_on_the_other_rows():
    matrix, vectors, system = problems(400, 90, 11)
    whole = solve(system, matrix, vectors)
    for row in (0, 17, 399):
        inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
        alone = System(system.gram, system.pull[inside], system.target[inside], system.ridge[row : row + 1])
        assert_array_equal(solve(alone, matrix[row], vectors)[0], whole[row])


@pytest.mark.parametrize("counts", [[], [0], [5], [0, 0, 0], [1000, 0, 1, 2], list(range(300))])
def test_spans_cover_every_row_once(counts, many_spans):
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    rows = [row for start, stop in even_spans(indptr, 8) for row in range(start, stop)]
    assert rows == list(range(len(counts)))


def test_little_work_is_one_span():
    indptr = np.arange(0, 1010, 10)
    assert even_spans(indptr, 8) == [(0, 100)]
    assert least_squares.blocks(100, 64) == [(0, 100)]


def test_a_popular_row_has_a_span_nearly_to_itself(many_spans):
    indptr = np.concatenate([[0], np.cumsum([10] * 500 + [5000] + [10] * 500)])
    span = next((start, stop) for start, stop in even_spans(indptr, 8) if start <= 500 < stop)
    assert span[1] - span[0] < 30
