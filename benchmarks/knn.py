"""User-kNN or item-kNN, cosine, 50 neighbours: fit and the top 10 of everybody, on a matrix shaped like MovieLens 1M.

    python benchmarks/knn.py --peers PYTHON --rounds 5
    python benchmarks/knn.py --peers PYTHON --rounds 5 --item 1      # item-kNN instead

Everybody gets the same csr matrix (6,040 x 3,706, about a million ratings, a long tail) and all cores. Libraries that
end at neighbours (sparse_dot_topn, implicit) or at scores (irspack) are finished by the same few lines of scipy and
numpy. The result is the share of listed items that the exact dense computation lists too (irspack's
item-kNN differs mostly because each item of the history speaks for its own 50 nearest).
"""

import os
from pathlib import Path

import bench
import numpy as np
from scipy.sparse import csr_matrix, load_npz, save_npz

N, K, CORES = 50, 10, os.cpu_count()


def ratings(n_users: int, n_items: int) -> csr_matrix:
    """Stars in a matrix of MovieLens' shape: a long tail of items, and users of very different diligence."""
    rng = np.random.default_rng(0)
    tail = 1 / (np.arange(n_items) + 40.0) ** 1.1
    tail *= 0.56 * n_users / tail[0]  # the most popular item meets more than half of the users
    activity = rng.lognormal(0, 0.9, n_users)
    chance = 1 - np.exp(-np.outer(activity / activity.mean(), tail / n_users * 2.5))
    rated = csr_matrix(rng.random(chance.shape) < chance).astype(np.float32)
    rated.data[:] = rng.choice([1, 2, 3, 4, 5], rated.nnz, p=[0.06, 0.11, 0.26, 0.35, 0.22])
    return rated


def prepare(folder: Path, options) -> None:
    rated = ratings(options.users, options.items)
    save_npz(folder / "ratings.npz", rated)
    if options.item:
        (folder / "item").touch()
    dense = (rated.T if options.item else rated).toarray().astype(float)
    norm = np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
    similar = (dense / norm) @ (dense / norm).T
    np.fill_diagonal(similar, -1)
    np.save(folder / "exact.npy", top_items(rated, sparse_best(similar, N), options.item))


def sparse_best(similar, n):
    """The n largest of every row of a dense matrix, as csr."""
    best = np.argpartition(similar, -n, axis=1)[:, -n:]
    values = np.take_along_axis(similar, best, axis=1)
    ends = np.arange(len(similar) + 1) * n
    return csr_matrix((values.ravel(), best.ravel(), ends), similar.shape)


def top_items(rated, similar, item):
    """The K best unseen items by the sum over similar users, or over similar items of the history, weighted."""
    if item:
        companions = similar.T.tocsr()  # row j of `similar` holds the items that speak for j
        return best_unseen(rated, lambda rows: (rated[rows] @ companions).toarray())
    return best_unseen(rated, lambda rows: (similar[rows] @ rated).toarray())


def best_unseen(rated, score, block=512):
    found = np.empty((rated.shape[0], K), np.int64)
    for start in range(0, len(found), block):
        rows = slice(start, start + block)
        scores = score(rows)
        scores[rated[rows].nonzero()] = -np.inf
        best = np.argpartition(scores, -K, axis=1)[:, -K:]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        found[rows] = np.take_along_axis(best, order, axis=1)
    return found


def timed(folder, find, warm_up=True):
    """The call: find(rated, subjects, item), the subjects being the rows that are compared, users or items."""
    rated, exact = load_npz(folder / "ratings.npz"), np.load(folder / "exact.npy")
    item = (folder / "item").exists()
    subjects = rated.T.tocsr() if item else rated
    if warm_up:
        find(rated[:200], subjects[:, :200] if item else subjects[:200], item)
    return lambda: (find(rated, subjects, item), exact)


def ours(folder):
    import pandas as pd

    from reco_utils.core import Dataset, recommend
    from reco_utils.models.knn import ItemKNNRecommender, UserKNNRecommender

    def find(rated, subjects, item):
        users, items = pd.RangeIndex(rated.shape[0]), pd.RangeIndex(rated.shape[1])
        asof = pd.Timestamp("2025-01-01")
        last = np.full(rated.nnz, asof.to_datetime64())
        catalog, profiles = pd.DataFrame(index=items), pd.DataFrame(index=users)
        data = Dataset(users, items, rated, last, rated.astype(bool), catalog, profiles, asof)
        if item:
            plain = ItemKNNRecommender(N, weighting="none", shrinkage=0, half_life_days=None)  # what the others compute
        else:
            plain = UserKNNRecommender(N, weighting="none", shrinkage=0, votes="weight")
        return recommend(plain.fit(data), data.batch(users), K).items

    return timed(folder, find)


def without_self(similar):
    similar = csr_matrix(similar)
    similar.setdiag(0)
    similar.eliminate_zeros()
    return similar


def sparse_dot_topn(folder):
    from sklearn.preprocessing import normalize
    from sparse_dot_topn import sp_matmul_topn

    def find(rated, subjects, item):
        unit = normalize(subjects)
        similar = sp_matmul_topn(unit, unit.T.tocsr(), top_n=N + 1, n_threads=CORES)
        return top_items(rated, without_self(similar), item)

    return timed(folder, find)


def implicit(folder):
    from implicit.nearest_neighbours import CosineRecommender

    def find(rated, subjects, item):
        model = CosineRecommender(K=N + 1, num_threads=CORES)
        model.fit(subjects.T.tocsr(), show_progress=False)  # its "items" are what we compare
        return top_items(rated, without_self(model.similarity), item)

    return timed(folder, find)


def irspack(folder):
    from irspack import CosineKNNRecommender, CosineUserKNNRecommender

    def find(rated, subjects, item):
        kind = CosineKNNRecommender if item else CosineUserKNNRecommender
        model = kind(rated.astype(float), top_k=N, n_threads=CORES).learn()
        return best_unseen(rated, lambda rows: model.get_score_block(rows.start, min(rows.stop, rated.shape[0])))

    return timed(folder, find)


def dense(folder):
    from sklearn.metrics.pairwise import cosine_similarity

    def find(rated, subjects, item):
        similar = cosine_similarity(subjects, dense_output=True)
        np.fill_diagonal(similar, -1)
        return top_items(rated, sparse_best(similar, N), item)

    return timed(folder, find, warm_up=False)


def exact_share(result):
    found, exact = result
    return f"{np.mean([np.isin(a, b).mean() for a, b in zip(found, exact)]):.4f}"


CONTENDERS = {
    "ours": ours, "sparse_dot_topn": sparse_dot_topn, "implicit": implicit, "irspack": irspack,
    "scikit-learn, dense": dense,
}  # fmt: skip

if __name__ == "__main__":
    sizes = {"users": 6_040, "items": 3_706, "item": 0}
    bench.main(__file__, CONTENDERS, prepare, digest=exact_share, options=sizes)
