"""Which of several unknown rates is the highest? The chances, from Beta distributions of what is known of each.

A bandit of a few arms and a list that explores thousands of items ask the same. Their propensities must be right where
they are small too, for a click is divided by them:

    P_i = integral of f_i(t) * product over j != i of F_j(t) = integral of M d ln F_i,   M = product of all F_j

In each cell of a grid of the distributions' quantiles, M's increase is shared out in proportion to the increases of
ln F_i, which is exact where their proportion is constant over the cell. So the chances add up to 1. Precision: a few
per mille of every chance among a few arms, 0.0005 among many items (tested).

Letters: N distributions, G points of the grid, B rows.

Source: the identity is textbook probability; the quadrature ours.
"""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import betainc, betaincinv

N_GRID = 512  # points at which distribution functions are compared
FEW_SHARE = 0.03  # a block with fewer entries than this is summed entry by entry
LOWEST = -700.0  # the logarithm that stands for 0: still finite, so that sums can be compared


def highest_chances(a, b) -> np.ndarray:
    """P(i has the highest of independent draws from Beta(a_i, b_i)), a and b (N,) above 0: (N,) float64, sum 1."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    return chance_highest(log_cdfs(a, b), np.ones((len(a), len(a)), bool), np.arange(len(a)))


def log_cdfs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """ln of the distribution functions of Beta(a, b) on a common grid: (N, G) float64, cut off at LOWEST."""
    some = np.argsort(a / (a + b))[:: max(1, len(a) // N_GRID)]  # a sample of them from poor to good
    levels = 1 / (1 + np.exp(-np.linspace(-14, 14, max(57, N_GRID // max(len(a), 1)))))
    points = np.unique(betaincinv(a[some, None], b[some, None], levels))
    inner = points[np.unique(np.linspace(0, len(points) - 1, N_GRID).astype(int))] if len(points) else points
    grid = np.concatenate([[0.0], inner[(inner > 0) & (inner < 1)], [1.0]])
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(betainc(a[:, None], b[:, None], grid)), LOWEST)


def chance_highest(logs: np.ndarray, free: np.ndarray, column: np.ndarray) -> np.ndarray:
    """P(the one in `column` (B,) draws highest of those that are free (B, N) bool), by their `log_cdfs`: (B,)."""
    few = np.count_nonzero(free) < FEW_SHARE * free.size
    total, own = (csr_matrix(free, dtype=float) if few else free.astype(float)) @ logs, logs[column]
    share = np.divide(np.diff(own), np.diff(total), out=np.zeros_like(own[:, 1:]), where=np.diff(total) > 0)
    return (np.diff(np.exp(total)) * share).sum(axis=1)
