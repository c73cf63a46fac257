"""Precision, recall, NDCG, MAP, hit rate and MRR at 10 for 138,000 users: ours, a pandas merge, numpy keys, ranx.

    python benchmarks/metrics.py --peers PYTHON      # of an environment with pandas and ranx; ranx takes its minutes:
    python benchmarks/metrics.py --only ours "pandas merge" "numpy keys"

Everybody starts from the form that suits them best: the merge from frames with integer ids, the keys from arrays, ours
from a TopK and a csr matrix, ranx from its own dictionaries (and once more from frames of text). All run once before
the clock starts. The result is a weighted mean over all users and metrics: it is the same only if every user's values
are. MAP is divided by the number of truth items, as in ranx.
"""

import warnings
from pathlib import Path

import bench
import numpy as np

K = 10
RANKS = np.arange(1, K + 1)


# ---------------------------------------------------------------------------------------------------------------- data
def prepare(folder: Path, options) -> None:
    """Lists (B, K) without repeats, and about six truths a user, a fifth of them in the list; pairs are sorted."""
    rng = np.random.default_rng(0)
    n_users, width = options.users, options.items // 40
    items = np.argsort(rng.random((n_users, 40)), axis=1)[:, :K] * width + rng.integers(0, width, (n_users, K))
    user = np.repeat(np.arange(n_users), rng.geometric(1 / 6, n_users))
    listed = items[user, rng.integers(0, K, len(user))]
    item = np.where(rng.random(len(user)) < 0.2, listed, rng.integers(0, options.items, len(user)))
    keys = np.unique(user * np.int64(options.items) + item)
    user, item = np.divmod(keys, options.items)
    np.savez(folder / "arrays.npz", items=items, user=user, item=item, keys=keys, n_items=options.items)


def frames(folder):
    """Lists and truth as frames (user, item[, rank])."""
    import pandas as pd

    arrays = np.load(folder / "arrays.npz")
    n_users = len(arrays["items"])
    listed = pd.DataFrame(
        {"user": np.repeat(np.arange(n_users), K), "item": arrays["items"].ravel(), "rank": np.tile(RANKS, n_users)}
    )
    return listed, pd.DataFrame({"user": arrays["user"], "item": arrays["item"]})


def formulas(n, hits, first, dcg, precision):
    """The six values of every user (B, 6) from the sums of the user's hits."""
    ideal = np.cumsum(1 / np.log2(RANKS + 1))[np.minimum(n, K) - 1]
    reciprocal = np.where(first > 0, 1 / np.maximum(first, 1), 0.0)
    return np.column_stack([hits / K, hits / n, dcg / ideal, precision / n, hits > 0, reciprocal])


# ---------------------------------------------------------------------------------------------------------- contenders
def ours(folder, metrics=("precision", "recall", "ndcg", "map_n", "hit_rate", "mrr"), cuts=(K,)):
    import pandas as pd
    from scipy.sparse import csr_matrix

    from reco_utils.core import TopK
    from reco_utils.evaluate.accuracy import measure

    arrays = np.load(folder / "arrays.npz")
    shape = (len(arrays["items"]), int(arrays["n_items"]))
    pairs = (np.ones(len(arrays["user"]), np.float32), (arrays["user"], arrays["item"]))
    truth, scores = csr_matrix(pairs, shape), np.zeros((shape[0], K), np.float32)
    topk = TopK(pd.RangeIndex(shape[0]), arrays["items"].astype(np.int32), scores)
    labels = [f"{name}@{k}" for k in cuts for name in metrics]
    measure(topk, truth, labels)
    return lambda: measure(topk, truth, labels)


def ours_all(folder):
    """Every metric there is, at four cuts."""
    from reco_utils.evaluate.accuracy import NAMES

    return ours(folder, NAMES, (1, 3, 5, 10))


def pandas_merge(folder):
    listed, wanted = frames(folder)

    def call():
        n = wanted.groupby("user").size()
        hits = listed.merge(wanted, on=["user", "item"])  # keeps the order of the lists
        hits["gain"] = 1 / np.log2(1 + hits["rank"])
        hits["precision"] = (hits.groupby("user").cumcount() + 1) / hits["rank"]
        sums = hits.groupby("user").agg(
            hits=("rank", "size"), first=("rank", "min"), dcg=("gain", "sum"), precision=("precision", "sum")
        )
        sums = sums.reindex(n.index, fill_value=0)
        return formulas(n.to_numpy(), *(sums[column].to_numpy() for column in ("hits", "first", "dcg", "precision")))

    call()
    return call


def numpy_keys(folder):
    """User x item as one number, looked up among the sorted numbers of the truth."""
    arrays = np.load(folder / "arrays.npz")
    items, truth, n_items = arrays["items"], arrays["keys"], np.int64(arrays["n_items"])
    n = np.bincount(arrays["user"], minlength=len(items))

    def call():
        keys = (items + np.arange(len(items))[:, None] * n_items).ravel()
        hit = (truth[np.searchsorted(truth, keys).clip(max=len(truth) - 1)] == keys).reshape(items.shape)
        first = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, 0)
        precision = (hit * hit.cumsum(axis=1) / RANKS).sum(axis=1)
        return formulas(n, hit.sum(axis=1), first, hit @ (1 / np.log2(RANKS + 1)), precision)

    call()
    return call


def ranx_convert(listed, wanted):
    """Frames to ranx's dictionaries; it wants ids as Python text."""
    import ranx

    listed, wanted = (
        f.astype({"user": str, "item": str}).astype({"user": object, "item": object}) for f in (listed, wanted)
    )
    columns = {"q_id_col": "user", "doc_id_col": "item", "score_col": "score"}
    return (
        ranx.Qrels.from_df(wanted.assign(score=1), **columns),
        ranx.Run.from_df(listed.assign(score=1 / listed["rank"]), **columns),
    )


def ranx_evaluate(qrels, run):
    import ranx

    warnings.simplefilter("ignore")
    metrics = ["precision", "recall", "ndcg", "map", "hit_rate", "mrr"]
    found = ranx.evaluate(qrels, run, [f"{name}@{K}" for name in metrics], return_mean=False)
    order = np.argsort(np.array(sorted(run.keys())).astype(int))  # ranx orders its users as text
    return np.column_stack([found[f"{name}@{K}"] for name in metrics])[order]


def ranx(folder):
    qrels, run = ranx_convert(*frames(folder))
    ranx_evaluate(qrels, run)
    return lambda: ranx_evaluate(qrels, run)


def ranx_from_frames(folder):
    listed, wanted = frames(folder)
    few = (frame[frame["user"] < 100] for frame in (listed, wanted))
    ranx_evaluate(*ranx_convert(*few))
    return lambda: ranx_evaluate(*ranx_convert(listed, wanted))


def weighted_mean(values):
    values = np.asarray(values, float)
    weights = np.add.outer(np.arange(len(values)) % 97, np.arange(values.shape[1])) + 1
    return round(float(np.average(values, weights=weights)), 10)


CONTENDERS = {
    "ours": ours, "pandas merge": pandas_merge, "numpy keys": numpy_keys, "ours, ten metrics at four k": ours_all,
    "ranx": ranx, "ranx from frames": ranx_from_frames,
}  # fmt: skip

if __name__ == "__main__":
    sizes = {"users": 138_000, "items": 27_000}
    bench.main(__file__, CONTENDERS, prepare, digest=weighted_mean, options=sizes)
