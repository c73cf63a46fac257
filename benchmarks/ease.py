"""EASE, fit: all items explained by all others, on a matrix of the size and shape of MovieLens 1M.

    python benchmarks/ease.py --peers PYTHON --rounds 5

Everybody gets the same csr matrix of ones (6,040 x 3,706, about a million) and the penalty 200, and returns the
weights. "numpy" is the formula as it is usually written: scipy's X'X, made dense, numpy's inverse, a division. It runs
with one thread of linear algebra, as ours does, and with all. The result is the norm of the weights and their largest.
"""

import os
from pathlib import Path

import bench
import numpy as np
from knn import ratings
from scipy.sparse import load_npz, save_npz

PENALTY, CORES = 200.0, os.cpu_count()


def prepare(folder: Path, options) -> None:
    rated = ratings(options.users, options.items)
    rated.data[:] = 1
    save_npz(folder / "ones.npz", rated)


def ours(folder):
    import pandas as pd

    from reco_utils.core import Dataset
    from reco_utils.models.linear import EASERecommender

    def dataset(ones):
        users, items = pd.RangeIndex(ones.shape[0]), pd.RangeIndex(ones.shape[1])
        asof = pd.Timestamp("2025-01-01")
        last = np.full(ones.nnz, asof.to_datetime64())
        catalog, profiles = pd.DataFrame(index=items), pd.DataFrame(index=users)
        return Dataset(users, items, ones, last, ones.astype(bool), catalog, profiles, asof)

    def fit(data):
        return EASERecommender(PENALTY, entries="one").fit(data).weights_

    data = dataset(load_npz(folder / "ones.npz"))
    fit(dataset(load_npz(folder / "ones.npz")[:200]))
    return lambda: fit(data)


def by_numpy(ones):
    products = (ones.T @ ones).toarray().astype(float)
    products[np.diag_indices(len(products))] += PENALTY
    inverse = np.linalg.inv(products)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def numpy(folder):
    ones = load_npz(folder / "ones.npz")
    return lambda: by_numpy(ones)


def numpy_with_all_threads(folder):
    from threadpoolctl import threadpool_limits

    threadpool_limits(CORES, "blas")
    return numpy(folder)


def irspack(folder):
    from irspack import DenseSLIMRecommender

    ones = load_npz(folder / "ones.npz").astype(float)
    DenseSLIMRecommender(ones[:, :50], reg=PENALTY).learn()
    return lambda: DenseSLIMRecommender(ones, reg=PENALTY).learn().W


def norm_and_largest(weights):
    weights = np.asarray(weights, float)
    return f"{np.linalg.norm(weights):.3f}, {weights.max():.4f}"


CONTENDERS = {
    "ours": ours, "numpy": numpy, "numpy, all threads": numpy_with_all_threads, "irspack": irspack,
}  # fmt: skip

if __name__ == "__main__":
    sizes = {"users": 6_040, "items": 3_706}
    bench.main(__file__, CONTENDERS, prepare, digest=norm_and_largest, options=sizes)
