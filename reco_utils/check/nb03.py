"""Graders of notebook 03: one user's factors, what each product adds to a score, and a matrix of confidences."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, issparse

from reco_utils.check import Wrong, a_function, grader

_Y = np.array([[1.0, 0.2], [0.1, 0.9], [0.5, 0.5], [0.8, -0.3]])
_CASES = [(np.array([2.0, 0, 1, 0]), 3.0, 0.5), (np.array([0.0, 4, 0, 0.5]), 8.0, 2.0)]  # weights, alpha, penalty


def _row(found, n, what):
    """An array (n,) of numbers, or advice on what should come back."""
    if issparse(found) or np.shape(found) != (n,):
        raise Wrong(f"the function must return {n} numbers, {what}, got {found!r}")
    return np.asarray(found, float)


def _solve(c, p, penalty, *, right=None):
    return np.linalg.solve((_Y.T * c) @ _Y + penalty * np.eye(2), _Y.T @ (c * p if right is None else right))


def _same(found, right):
    return np.allclose(found, right, rtol=1e-6, atol=1e-9)


@grader(
    "03.1", hint="c = 1 + alpha * weights for every product; then np.linalg.solve of the sum of c y y' plus penalty"
)
def solve_user(answer):
    for weights, alpha, penalty in _CASES:
        p, c = (weights > 0).astype(float), 1 + alpha * weights
        found = _row(a_function(answer)(_Y.copy(), weights.copy(), alpha, penalty), 2, "one per factor")
        if _same(found, _solve(c, p, penalty)):
            continue
        twice = 1 + alpha * c
        advice = [
            (_solve(alpha * weights, p, penalty), "the 1 of 1 + alpha * weight is missing: silence counts for nothing"),
            (_solve(c * p, p, penalty), "products that were not taken are left out; they count too, with confidence 1"),
            (_solve(c, p, 0), "the penalty is missing on the diagonal"),
            (_solve(c, p, len(_Y) * penalty), "the penalty is added once, not once per product"),
            (
                _solve(c, p, penalty, right=p),
                "the right side sums c * y over what was taken: the confidence is missing",
            ),
            (_solve(c, p, penalty, right=c), "the right side counts everything as taken: p is 0 for the others"),
            (_solve(c, p, penalty, right=weights), "the right side needs the confidence, not the weight"),
            (_solve(twice, p, penalty), "alpha was used twice: 1 + alpha * (1 + alpha * weight)"),
        ]
        for wrong, why in advice:
            if _same(found, wrong):
                raise Wrong(why)
        raise Wrong(f"weights {weights.tolist()}, alpha {alpha:g}: got {found.round(3).tolist()}; solve it on paper")
    return "One small system per user, whatever the size of the catalogue: that is all that a fold-in is."


@grader("03.2", hint="solve the system for c_i y_i of each taken product instead of for their sum; then times y_j")
def reasons(answer):
    for weights, alpha, penalty in _CASES:
        p, c = (weights > 0).astype(float), 1 + alpha * weights
        for j in (1, 3):
            found = _row(a_function(answer)(_Y.copy(), weights.copy(), alpha, penalty, j), 4, "one per product")
            matrix = (_Y.T * c) @ _Y + penalty * np.eye(2)
            each = _Y[j] @ np.linalg.solve(matrix, _Y.T * (c * p))
            if _same(found, each):
                continue
            score = each.sum()
            advice = [
                (_Y @ _Y[j], "how alike two products are is no contribution: the weights and the system are missing"),
                (_Y[j] @ np.linalg.solve(matrix, _Y.T * c), "products that were not taken add nothing: times p"),
                (_Y[j] @ np.linalg.solve(matrix, _Y.T * p), "each taken product enters with its confidence c"),
                (each / score, "these are shares of the score; return what each product adds"),
                (_Y @ _solve(c, p, penalty) * p, "those are the scores of the taken products, not what they add to j"),
            ]
            for wrong, why in advice:
                if _same(found, wrong):
                    raise Wrong(why)
            if not np.isclose(found.sum(), score):
                raise Wrong(
                    f"together they must be the score of product {j}, {score:.4f}, but add up to {found.sum():.4f}"
                )
            raise Wrong(f"the sum is the score of product {j}, but the parts are not {each.round(3).tolist()}")
    return "The score is a sum over the history, so every product in it has its share, and some shares are negative."


def _events():
    """Pairs that come twice, a weight of 0, a user without events and a product nobody has: 3 users, 4 items."""
    columns = {"user": [0, 0, 0, 1, 2], "item": [1, 1, 0, 2, 0], "weight": [1.0, 2.0, 0.5, 0.0, 4.0]}
    return pd.DataFrame(columns)


@grader(
    "03.3", hint="build the matrix of weights, sum_duplicates, eliminate_zeros, and only then 1 + alpha on its data"
)
def confidence_matrix(answer):
    events, alpha = _events(), 10.0
    found = a_function(answer)(events, 3, 4, alpha)
    if not (issparse(found) or isinstance(found, np.ndarray)):
        raise Wrong(f"the function must return a sparse matrix, users x items, got {type(found).__name__}")
    if not events.equals(_events()):
        raise Wrong("the events of the caller were changed; work on a copy")
    if found.shape == (4, 3):
        raise Wrong("items are the rows: users must be, and the library does not notice when they are not")
    if found.shape != (3, 4):
        raise Wrong(f"the matrix must be 3 users x 4 items, got {found.shape}")
    matrix = csr_matrix(found)
    stored = matrix.nnz
    values = matrix.toarray()
    if values[1, 2] == 1:
        raise Wrong("a row of weight 0 became a taken product with confidence 1: drop what sums to 0 first")
    twice = {
        32.0: "user 0 has product 1 in two rows, and the 1 was added twice: add up the weights first",
        21.0: "user 0 has product 1 in two rows, and only the last counted: add them up",
        11.0: "user 0 has product 1 in two rows, and only the first counted: add them up",
        16.0: "user 0 has product 1 in two rows, and their mean was taken: add them up",
        30.0: "the 1 of 1 + alpha * weight is missing",
        3.0: "these are the weights: alpha is missing",
        311.0: "alpha was used twice",
    }
    if values[0, 1] in twice:
        raise Wrong(twice[values[0, 1]])
    right = np.array([[6.0, 31, 0, 0], [0, 0, 0, 0], [41, 0, 0, 0]])
    if (values == 1).any() or (values[right == 0] != 0).any():
        raise Wrong("pairs that nobody took must not be stored: their confidence of 1 is understood")
    if not np.allclose(values, right):
        raise Wrong(f"the confidences must be {right.tolist()}, got {values.tolist()}")
    if stored != 3:
        raise Wrong(f"{stored} entries are stored for 3 pairs; eliminate_zeros drops the rest")
    return "Aggregate first, then 1 + alpha, in one place. None of the three bugs would have raised an error."
