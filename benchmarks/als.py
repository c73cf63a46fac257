"""Alternating least squares: 64 factors x 15 turns, and then the top 10 of all users, on a million interactions.

    python benchmarks/als.py --peers PYTHON --other LensKit=PYTHON2 --other cornac=PYTHON2 --rounds 5
    python benchmarks/als.py --peers PYTHON --recommend 1 --only "ours iALS" implicit irspack

The first times the fit, the second everything from the histories of all users to their lists. Everybody gets the same
csr matrix of ones, of the size and shape of MovieLens 1M with planted tastes, all cores, and the settings that a random
search found best for them on a part of the training interactions (`--validation 1` takes that part). The result is
recall@10 on interactions held out. Libraries that end at scores are finished by a few lines of numpy. cornac's weighted
factorisation needs TensorFlow, so its ranking one, BPR, stands for it; its epochs are tuned too.
"""

import os
from pathlib import Path

import bench
import numpy as np
from knn import best_unseen
from scipy.sparse import csr_matrix, load_npz, save_npz

FACTORS, TURNS, K, CORES = 64, 15, 10, os.cpu_count()
SETTINGS = {  # found with --validation 1; recall@10 there .189, .184, .184, .189, .170 and .172
    "ours iALS": {"unobserved_weight": 0.35, "regularization": 0.0087},
    "ours ALS": {"alpha": 1.4, "regularization": 38},
    "implicit": {"alpha": 1.4, "regularization": 38},
    "irspack": {"alpha0": 0.35, "reg": 0.0087},
    "LensKit": {"weight": 1.3, "regularization": 36.5},
    "cornac": {"learning_rate": 0.024, "lambda_reg": 0.002, "max_iter": 30},
}


# ---------------------------------------------------------------------------------------------------------- the matrix
def planted(n_users, n_items, rng, rank=20, strength=1.2):
    """Who took what (n_users, n_items): a long tail of items, a longer one of users, and tastes of the given rank."""
    tail = 1 / (np.arange(n_items) + 40.0) ** 1.1
    activity = rng.lognormal(0, 0.9, n_users)
    importance = np.arange(1, rank + 1) ** -0.5
    importance *= strength / np.linalg.norm(importance)
    users, items = rng.standard_normal((n_users, rank)), rng.standard_normal((n_items, rank))
    appeal = np.exp((users * importance) @ items.T) * tail
    appeal *= (activity / activity.mean() * 0.072 * n_items / appeal.sum(axis=1))[:, None]
    return csr_matrix(rng.random(appeal.shape) < 1 - np.exp(-appeal)).astype(np.float32)


def prepare(folder: Path, options) -> None:
    rng = np.random.default_rng(0)
    taken = planted(options.users, options.items, rng)
    part = rng.integers(10, size=taken.nnz)  # 9 is held out for the result, 8 was for tuning
    train, truth = (part < 8, part == 8) if options.validation else (part < 9, part == 9)
    save_npz(folder / "train.npz", entries(taken, train))
    save_npz(folder / "truth.npz", entries(taken, truth))
    (folder / "step").write_text("recommend" if options.recommend else "fit")


def entries(matrix, mask):
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return csr_matrix((matrix.data[mask], (row[mask], matrix.indices[mask])), matrix.shape)


# ---------------------------------------------------------------------------------------------------------- the contest
def contest(folder, fit, top, prepared=lambda train: train):
    """The call to be timed: `fit(data) -> model` or `top(model, data) -> lists`, data being what `prepared` makes."""
    train = load_npz(folder / "train.npz")
    data, small = prepared(train), prepared(train[:200])
    top(fit(small), small)  # imports and compiles
    if (folder / "step").read_text() == "fit":
        return lambda: (top, fit(data), data, folder)
    model = fit(data)
    return lambda: (lambda lists, _: lists, top(model, data), data, folder)


def recall(result):
    """Mean over users of the share of what was held out that is among their ten."""
    top, model, data, folder = result
    lists, truth = np.asarray(top(model, data)), load_npz(folder / "truth.npz")
    row = np.repeat(np.arange(len(lists)), lists.shape[1])
    hits = np.zeros(len(lists))
    np.add.at(hits, row, np.asarray(truth[row, np.maximum(lists.ravel(), 0)]).ravel() * (lists.ravel() >= 0))
    held_out = np.diff(truth.indptr)
    return f"{np.mean(hits[held_out > 0] / np.minimum(held_out[held_out > 0], lists.shape[1])):.4f}"


# ---------------------------------------------------------------------------------------------------------- contenders
def ours(folder, kind, **settings):
    import pandas as pd

    from reco_utils.core import Dataset, recommend

    def prepared(taken):
        users, items = pd.RangeIndex(taken.shape[0]), pd.RangeIndex(taken.shape[1])
        asof = pd.Timestamp("2025-01-01")
        last = np.full(taken.nnz, asof.to_datetime64())
        catalog, profiles = pd.DataFrame(index=items), pd.DataFrame(index=users)
        data = Dataset(users, items, taken, last, taken.astype(bool), catalog, profiles, asof)
        return data, data.batch(users)

    def fit(data):
        return kind(n_factors=FACTORS, n_iterations=TURNS, **settings).fit(data[0])

    return contest(folder, fit, lambda model, data: recommend(model, data[1], K).items, prepared)


def ours_ials(folder):
    from reco_utils.models.ials import IALSRecommender

    return ours(folder, IALSRecommender, **SETTINGS["ours iALS"])


def ours_als(folder):
    from reco_utils.models.als import ALSRecommender

    return ours(folder, ALSRecommender, **SETTINGS["ours ALS"])


def implicit(folder):
    from implicit.als import AlternatingLeastSquares

    def fit(train):
        model = AlternatingLeastSquares(factors=FACTORS, iterations=TURNS, random_state=0, **SETTINGS["implicit"])
        model.fit(train, show_progress=False)
        return model

    return contest(folder, fit, lambda model, train: model.recommend(np.arange(train.shape[0]), train, N=K)[0])


def irspack(folder):
    from irspack import IALSRecommender

    def fit(train):
        options = {"n_components": FACTORS, "train_epochs": TURNS, "n_threads": CORES, **SETTINGS["irspack"]}
        return IALSRecommender(train, **options).learn()

    def top(model, train):
        return best_unseen(train, lambda rows: model.get_score_block(rows.start, min(rows.stop, train.shape[0])))

    return contest(folder, fit, top)


def lenskit(folder):
    import pandas as pd
    from lenskit.als import ImplicitMFScorer
    from lenskit.batch import recommend
    from lenskit.data import from_interactions_df
    from lenskit.pipeline import topn_pipeline

    def prepared(train):
        pairs = train.tocoo()
        return from_interactions_df(pd.DataFrame({"user_id": pairs.row, "item_id": pairs.col})), train.shape[0]

    def fit(data):
        options = {"embedding_size": FACTORS, "epochs": TURNS, "user_embeddings": "prefer", **SETTINGS["LensKit"]}
        pipeline = topn_pipeline(ImplicitMFScorer(**options), n=K)
        pipeline.train(data[0])
        return pipeline

    def top(pipeline, data):
        found = np.full((data[1], K), -1)
        for key, items in recommend(pipeline, np.arange(data[1]), K, n_jobs=CORES):
            found[key.user_id, : len(items)] = items.ids()
        return found

    return contest(folder, fit, top, prepared)


def cornac(folder):
    from cornac.data import Dataset
    from cornac.models import BPR

    def prepared(train):
        pairs = train.tocoo()
        return Dataset.from_uir(list(zip(pairs.row, pairs.col, pairs.data)), seed=0), train

    def fit(data):
        return BPR(k=FACTORS, num_threads=CORES, seed=0, **SETTINGS["cornac"]).fit(data[0])

    def top(model, data):
        dataset, train = data
        users, items = np.zeros((train.shape[0], FACTORS + 1)), np.zeros((train.shape[1], FACTORS + 1))
        rows, columns = list(dataset.uid_map), list(dataset.iid_map)
        users[rows] = np.column_stack([model.u_factors, np.ones(len(rows))])
        items[columns] = np.column_stack([model.i_factors, model.i_biases])
        return best_unseen(train, lambda part: users[part] @ items.T)

    return contest(folder, fit, top, prepared)


CONTENDERS = {
    "ours iALS": ours_ials, "ours ALS": ours_als, "implicit": implicit, "irspack": irspack, "LensKit": lenskit,
    "cornac": cornac,
}  # fmt: skip

if __name__ == "__main__":
    sizes = {"users": 6_040, "items": 3_706, "recommend": 0, "validation": 0}
    bench.main(__file__, CONTENDERS, prepare, digest=recall, options=sizes)
