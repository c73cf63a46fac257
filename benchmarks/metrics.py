"""Every metric of accuracy at k = 1, 5, 10 and 20 for 138,000 users: ours, a pandas merge, numpy keys, ranx.

    python benchmarks/metrics.py --peers PYTHON      # of an environment with pandas and ranx; ranx takes its minutes:
    python benchmarks/metrics.py --only ours "pandas merge" "numpy keys"

Ours, the merge and the keys make one table of 13 metrics at four k. ranx knows eight of the metrics; a contender of
ours does just these, so that the results can be compared. The result is a weighted mean over all users and columns: it
is the same only if the values of every user are.

Everybody starts from the form that suits them best: the merge from frames with integer ids, the keys from arrays, ours
from a TopK and a csr matrix, ranx from its own dictionaries (and once more from frames of text). All run once before
the clock starts.
"""

import warnings
from pathlib import Path

import bench
import numpy as np

CUTS = (1, 5, 10, 20)
K = CUTS[-1]
RANKS = np.arange(1, K + 1)
DISCOUNTS = 1 / np.log2(RANKS + 1)
NAMES = (
    "precision", "recall", "f1", "hit_rate", "mrr", "map_min_k_n", "map_n", "map_k", "map_hits", "pauc",
    "ndcg", "ndcg_linear", "ndcg_exponential",
)  # fmt: skip
OF_RANX = {
    "precision": "precision", "recall": "recall", "f1": "f1", "hit_rate": "hit_rate", "mrr": "mrr", "map": "map_n",
    "ndcg": "ndcg_linear", "ndcg_burges": "ndcg_exponential",
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------- data
def prepare(folder: Path, options) -> None:
    """Lists (B, K) without repeats, and about six truths a user with gains 1 to 5, a fifth of them in the list."""
    rng = np.random.default_rng(0)
    n_users, width = options.users, options.items // 40
    items = np.argsort(rng.random((n_users, 40)), axis=1)[:, :K] * width + rng.integers(0, width, (n_users, K))
    user = np.repeat(np.arange(n_users), rng.geometric(1 / 6, n_users))
    listed = items[user, rng.integers(0, K, len(user))]
    item = np.where(rng.random(len(user)) < 0.2, listed, rng.integers(0, options.items, len(user)))
    keys = np.unique(user * np.int64(options.items) + item)
    user, item = np.divmod(keys, options.items)
    gain = rng.integers(1, 6, len(keys))
    np.savez(folder / "arrays.npz", items=items, user=user, item=item, gain=gain, keys=keys, n_items=options.items)


def frames(folder):
    """Lists and truth as frames (user, item[, rank or gain])."""
    import pandas as pd

    arrays = np.load(folder / "arrays.npz")
    n_users = len(arrays["items"])
    listed = pd.DataFrame(
        {"user": np.repeat(np.arange(n_users), K), "item": arrays["items"].ravel(), "rank": np.tile(RANKS, n_users)}
    )
    return listed, pd.DataFrame({name: arrays[name] for name in ("user", "item", "gain")})


def formulas(k, n, hits, first, precision, pairs, *dcg_and_ideal):
    """The 13 values of every user at one k, a list of (B,), from the sums over the user's hits."""
    reciprocal = np.where(first > 0, 1 / np.maximum(first, 1), 0.0)
    by_precision = [precision / by for by in (np.minimum(k, n), n, k, np.maximum(hits, 1))]
    ndcg = [dcg / ideal for dcg, ideal in dcg_and_ideal]
    return [hits / k, hits / n, 2 * hits / (k + n), hits > 0, reciprocal, *by_precision, pairs / (k * n), *ndcg]


# ---------------------------------------------------------------------------------------------------------- contenders
def ours(folder, names=NAMES):
    import pandas as pd
    from scipy.sparse import csr_matrix

    from reco_utils.core import TopK
    from reco_utils.evaluate.accuracy import measure

    arrays = np.load(folder / "arrays.npz")
    shape = (len(arrays["items"]), int(arrays["n_items"]))
    truth = csr_matrix((arrays["gain"].astype(np.float32), (arrays["user"], arrays["item"])), shape)
    topk = TopK(pd.RangeIndex(shape[0]), arrays["items"].astype(np.int32), np.zeros((shape[0], K), np.float32))
    labels = [f"{name}@{k}" for k in CUTS for name in names]
    measure(topk, truth, labels)
    return lambda: measure(topk, truth, labels)


def ours_like_ranx(folder):
    return ours(folder, OF_RANX.values())


def pandas_merge(folder):
    listed, wanted = frames(folder)

    def call():
        by_user = wanted.groupby("user")
        n = by_user.size()
        hits = listed.merge(wanted, on=["user", "item"])  # keeps the order of the lists
        number = hits.groupby("user").cumcount() + 1
        hits["precision"], hits["before"] = number / hits["rank"], hits["rank"] - number
        for gain, worth in (("binary", 1), ("linear", hits["gain"]), ("exponential", 2.0 ** hits["gain"] - 1)):
            hits[gain] = worth * DISCOUNTS[hits["rank"] - 1]
        best = wanted.sort_values(["user", "gain"], ascending=[True, False])
        best["rank"] = best.groupby("user").cumcount() + 1
        best = best[best["rank"] <= K]
        best = best.assign(linear=best["gain"] * DISCOUNTS[best["rank"] - 1])
        best["exponential"] = (2.0 ** best["gain"] - 1) * DISCOUNTS[best["rank"] - 1]
        columns = []
        for k in CUTS:
            part = hits[hits["rank"] <= k].groupby("user").agg(
                hits=("rank", "size"), first=("rank", "min"), precision=("precision", "sum"),
                binary=("binary", "sum"), linear=("linear", "sum"), exponential=("exponential", "sum"),
            ).reindex(n.index, fill_value=0)  # fmt: skip
            pairs = (k - hits["before"]).clip(lower=0).groupby(hits["user"]).sum().reindex(n.index, fill_value=0)
            ideal = best[best["rank"] <= k].groupby("user")[["linear", "exponential"]].sum()
            ideal["binary"] = np.cumsum(DISCOUNTS)[np.minimum(n, k) - 1]
            ndcg = [(part[gain].to_numpy(), ideal[gain].to_numpy()) for gain in ("binary", "linear", "exponential")]
            sums = (column.to_numpy() for column in (n, part["hits"], part["first"], part["precision"], pairs))
            columns += formulas(k, *sums, *ndcg)
        return np.column_stack(columns)

    call()
    return call


def numpy_keys(folder):
    """User x item as one number, looked up among the sorted numbers of the truth; then dense (B, K) arrays of hits."""
    arrays = np.load(folder / "arrays.npz")
    items, truth, gains, n_items = arrays["items"], arrays["keys"], arrays["gain"], np.int64(arrays["n_items"])
    user = arrays["user"]
    n = np.bincount(user, minlength=len(items))

    def call():
        keys = (items + np.arange(len(items))[:, None] * n_items).ravel()
        at = np.searchsorted(truth, keys).clip(max=len(truth) - 1)
        hit = (truth[at] == keys).reshape(items.shape)
        gain = np.where(hit, gains[at].reshape(items.shape), 0)
        number = hit.cumsum(axis=1)
        precision = (hit * number / RANKS).cumsum(axis=1)
        first = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, 0)
        order = np.lexsort((-gains, user))
        place = np.arange(len(user)) - np.repeat(np.cumsum(n) - n, n)
        best = np.zeros(items.shape)
        inside = place < K
        best[user[inside], place[inside]] = gains[order][inside]
        worths = [(hit, place_of(n)), (gain, best), (2.0**gain - 1, 2.0**best - 1)]
        ndcg = [tuple((w * DISCOUNTS).cumsum(axis=1) for w in pair) for pair in worths]
        columns = []
        for k in CUTS:
            pairs = (hit * np.maximum(k - (RANKS - number), 0)).sum(axis=1)
            first_k = np.where(first <= k, first, 0)
            at_k = [(dcg[:, k - 1], ideal[:, k - 1]) for dcg, ideal in ndcg]
            columns += formulas(k, n, number[:, k - 1], first_k, precision[:, k - 1], pairs, *at_k)
        return np.column_stack(columns)

    call()
    return call


def place_of(n):
    """The best binary list of users with n truth items, (B, K)."""
    return (RANKS <= n[:, None]).astype(float)


def ranx_convert(listed, wanted):
    """Frames to ranx's dictionaries; it wants ids as Python text."""
    import ranx

    listed, wanted = (
        f.astype({"user": str, "item": str}).astype({"user": object, "item": object}) for f in (listed, wanted)
    )
    columns = {"q_id_col": "user", "doc_id_col": "item", "score_col": "score"}
    return (
        ranx.Qrels.from_df(wanted.rename(columns={"gain": "score"}), **columns),
        ranx.Run.from_df(listed.assign(score=1 / listed["rank"]), **columns),
    )


def ranx_evaluate(qrels, run):
    import ranx

    warnings.simplefilter("ignore")
    labels = [f"{name}@{k}" for k in CUTS for name in OF_RANX]
    found = ranx.evaluate(qrels, run, labels, return_mean=False)
    order = np.argsort(np.array(sorted(run.keys())).astype(int))  # ranx orders its users as text
    return np.column_stack([found[label] for label in labels])[order]


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
    "ours": ours, "pandas merge": pandas_merge, "numpy keys": numpy_keys, "ours, the eight of ranx": ours_like_ranx,
    "ranx": ranx, "ranx from frames": ranx_from_frames,
}  # fmt: skip

if __name__ == "__main__":
    sizes = {"users": 138_000, "items": 27_000}
    bench.main(__file__, CONTENDERS, prepare, digest=weighted_mean, options=sizes)
