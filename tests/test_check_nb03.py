"""Notebook 03's graders: right answers pass, typical wrong ones get the advice that fits them."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from reco_utils.check import Wrong, check, exercises


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("03") == ("03.1", "03.2", "03.3")
    for exercise in exercises("03"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 3


# -------------------------------------------------------------------------------------------------------------- 03.1
def system(Y, c, penalty):
    return Y.T @ np.diag(c) @ Y + penalty * np.eye(Y.shape[1])


def solve_user(Y, weights, alpha, penalty):
    c = 1 + alpha * weights
    return np.linalg.inv(system(Y, c, penalty)) @ (Y.T @ (c * (weights > 0)))


def test_a_solved_user_passes(capsys):
    check("03.1", solve_user)
    check("03.1", lambda *args: solve_user(*args).tolist())
    assert capsys.readouterr().out.count("03.1: correct") == 2


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda Y, w, a, r: np.linalg.solve(system(Y, a * w, r), Y.T @ (a * w)), "the 1 of 1 \\+ alpha"),
        (
            lambda Y, w, a, r: np.linalg.solve(system(Y, (1 + a * w) * (w > 0), r), Y.T @ ((1 + a * w) * (w > 0))),
            "not taken are left out",
        ),
        (lambda Y, w, a, r: solve_user(Y, w, a, 0), "penalty is missing"),
        (lambda Y, w, a, r: solve_user(Y, w, a, r * len(Y)), "once, not once per product"),
        (lambda Y, w, a, r: np.linalg.solve(system(Y, 1 + a * w, r), Y.T @ (w > 0)), "the confidence is missing"),
        (lambda Y, w, a, r: np.linalg.solve(system(Y, 1 + a * w, r), Y.T @ (1 + a * w)), "everything as taken"),
        (lambda Y, w, a, r: np.linalg.solve(system(Y, 1 + a * w, r), Y.T @ w), "not the weight"),
        (lambda Y, w, a, r: np.zeros(2), "solve it on paper"),
        (lambda Y, w, a, r: solve_user(Y, w, a, r)[:, None], "2 numbers, one per factor"),
        (lambda Y, w, a, r: solve_user(Y.T, w, a, r), "cannot be graded, ValueError"),
        (3.5, "must be the function itself"),
    ],
)
def test_each_wrong_user_gets_its_own_advice(answer, advice):
    expect("03.1", answer, advice)


def test_alpha_given_twice_is_noticed():
    def twice(Y, w, a, r):
        c = 1 + a * (1 + a * w)
        return np.linalg.solve(system(Y, c, r), Y.T @ (c * (w > 0)))

    expect("03.1", twice, "alpha was used twice")


# -------------------------------------------------------------------------------------------------------------- 03.2
def reasons(Y, weights, alpha, penalty, j):
    c = 1 + alpha * weights
    return Y[j] @ np.linalg.inv(system(Y, c, penalty)) @ (Y.T * c * (weights > 0))


def test_reasons_that_add_up_pass(capsys):
    check("03.2", reasons)
    assert "03.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda Y, w, a, r, j: Y @ Y[j], "how alike two products are"),
        (
            lambda Y, w, a, r, j: Y[j] @ np.linalg.inv(system(Y, 1 + a * w, r)) @ (Y.T * (1 + a * w)),
            "not taken add nothing",
        ),
        (
            lambda Y, w, a, r, j: Y[j] @ np.linalg.inv(system(Y, 1 + a * w, r)) @ (Y.T * (w > 0)),
            "enters with its confidence",
        ),
        (lambda *args: reasons(*args) / reasons(*args).sum(), "shares of the score"),
        (lambda Y, w, a, r, j: Y @ solve_user(Y, w, a, r) * (w > 0), "the scores of the taken products"),
        (lambda *args: 2 * reasons(*args), "together they must be the score of product 1"),
        (lambda *args: np.full(4, reasons(*args).sum() / 4), "but the parts are not"),
        (lambda *args: reasons(*args).sum(), "4 numbers, one per product"),
        (lambda *args: csr_matrix(reasons(*args)), "4 numbers, one per product"),
    ],
)
def test_each_wrong_reason_gets_its_own_advice(answer, advice):
    expect("03.2", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 03.3
def weights_of(events, n_users, n_items):
    entries = (events["weight"].to_numpy(), (events["user"].to_numpy(), events["item"].to_numpy()))
    matrix = csr_matrix(entries, (n_users, n_items))
    matrix.eliminate_zeros()
    return matrix


def confidence_matrix(events, n_users, n_items, alpha):
    matrix = weights_of(events, n_users, n_items)
    matrix.data = 1 + alpha * matrix.data
    return matrix


def careless(events, n_users, n_items, alpha):
    """All three bugs but the transposed matrix."""
    return weights_of(events.assign(weight=1 + alpha * events["weight"]), n_users, n_items)


def grouped(how):
    def build(events, n_users, n_items, alpha):
        kept = events[events["weight"] > 0].groupby(["user", "item"], as_index=False)["weight"].agg(how)
        return confidence_matrix(kept, n_users, n_items, alpha)

    return build


def test_a_matrix_that_was_summed_first_passes(capsys):
    check("03.3", confidence_matrix)
    check("03.3", lambda *args: confidence_matrix(*args).tocsc())
    check("03.3", lambda *args: confidence_matrix(*args).toarray())
    check("03.3", grouped("sum"))
    assert capsys.readouterr().out.count("03.3: correct") == 4


def changing(events, n_users, n_items, alpha):
    events["weight"] = events["weight"] * alpha
    return weights_of(events, n_users, n_items)


def keeping_zeros(events, n_users, n_items, alpha):
    matrix = confidence_matrix(events, n_users, n_items, alpha).tolil()
    return csr_matrix((np.append(matrix.tocsr().data, 0), np.append(matrix.tocsr().indices, 3), [0, 2, 2, 4]), (3, 4))


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (careless, "weight 0 became a taken product"),
        (lambda e, u, i, a: careless(e[e["weight"] > 0], u, i, a), "the 1 was added twice"),
        (grouped("last"), "only the last counted"),
        (grouped("first"), "only the first counted"),
        (grouped("mean"), "their mean was taken"),
        (lambda e, u, i, a: a * weights_of(e, u, i), "the 1 of 1"),
        (lambda e, u, i, a: weights_of(e, u, i), "alpha is missing"),
        (lambda e, u, i, a: confidence_matrix(e.assign(weight=a * e["weight"]), u, i, a), "the confidences must be"),
        (lambda *args: confidence_matrix(*args).T, "users must be"),
        (lambda *args: confidence_matrix(*args)[:2], "3 users x 4 items"),
        (lambda *args: np.maximum(confidence_matrix(*args).toarray(), 1), "became a taken"),
        (keeping_zeros, "4 entries are stored for 3 pairs"),
        (changing, "were changed"),
        (lambda *args: 42, "must return a sparse matrix"),
    ],
)
def test_each_wrong_matrix_gets_its_own_advice(answer, advice):
    expect("03.3", answer, advice)


def test_alpha_given_twice_in_the_matrix_is_noticed():
    def twice(events, n_users, n_items, alpha):
        matrix = confidence_matrix(events, n_users, n_items, alpha)
        matrix.data = 1 + alpha * matrix.data
        return matrix

    expect("03.3", twice, "alpha was used twice")
