"""MMR for 10,000 users x 100 candidates x 64 dimensions to the top 10: ours, pyversity, langchain, numpy, a plain loop.

    python benchmarks/mmr.py --peers PYTHON      # of an environment with pyversity, langchain-core and scikit-learn

Candidates are the 100 items nearest to a random taste, as a model would hand them on. Everybody gets the same float32
vectors of length 1; relevance is the cosine to the taste, brought to 0 to 1 per user. Peers get it ready-made, ours
makes it within the clock. langchain has only cosines to a query and no scale; it gets the query, and for each user the
lambda that means the same on its scale. pyversity takes a negative cosine for 0, which the others do not: there is none
here. All take the earlier of two equal candidates. The plain loop of tutorials asks scikit-learn for one cosine at a
time; it runs for two users only: its seconds times the number of users / 2 are those to compare.

The result is the share of places that hold the same item as a list computed in float64 by numpy. The other rerankers of
ours are timed on the same lists, by vectors or by 30 random categories; they choose by other rules.
"""

from pathlib import Path

import bench
import numpy as np

K, FEW = 10, 2


# ---------------------------------------------------------------------------------------------------------------- data
def prepare(folder: Path, options) -> None:
    rng = np.random.default_rng(0)
    topics = rng.random((100, options.width)) < 0.1
    vectors = (
        np.maximum(rng.normal(size=(options.items, options.width)), 0) + topics[rng.integers(0, 100, options.items)]
    )
    tastes = (
        np.maximum(rng.normal(size=(options.users, options.width)), 0) + topics[rng.integers(0, 100, options.users)]
    )
    vectors, tastes = (unit(rows).astype(np.float32) for rows in (vectors, tastes))
    items, scores = nearest(tastes, vectors, options.candidates)
    low, high = scores[:, -1:].astype(float), scores[:, :1].astype(float)
    relevance, lam = (scores - low) / (high - low), options.lam / 100
    exact = by_blocks(vectors.astype(float), items, relevance, lam)
    arrays = {"vectors": vectors, "tastes": tastes, "items": items, "scores": scores, "relevance": relevance}
    np.savez(folder / "arrays.npz", **arrays, width=(high - low).ravel(), lam=lam, exact=exact)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def nearest(tastes, vectors, n):
    """The n items of the highest cosine and their cosines, best first, (B, C) each."""
    items, scores = np.empty((len(tastes), n), np.int32), np.empty((len(tastes), n), np.float32)
    for start in range(0, len(tastes), 256):
        cosines = tastes[start : start + 256] @ vectors.T
        found = np.argsort(-cosines, axis=1, kind="stable")[:, :n]
        items[start : start + 256], scores[start : start + 256] = found, np.take_along_axis(cosines, found, axis=1)
    return items, scores


def by_blocks(vectors, items, relevance, lam, block=64):
    """MMR by numpy for 64 users at once, with a running maximum: columns chosen (B, K)."""
    chosen = np.zeros((len(items), K), np.int64)
    for start in range(0, len(items), block):
        rows = slice(start, start + block)
        candidates, worth, near = vectors[items[rows]], relevance[rows], None
        taken = np.zeros(worth.shape, bool)
        users = np.arange(len(worth))
        for place in range(K):
            value = worth if near is None else lam * worth - (1 - lam) * near
            best = np.argmax(np.where(taken, -np.inf, value), axis=1)
            chosen[rows, place], taken[users, best] = best, True
            cosines = np.matmul(candidates, candidates[users, best][:, :, None])[:, :, 0]
            near = cosines if near is None else np.maximum(near, cosines)
    return chosen


def load(folder):
    return dict(np.load(folder / "arrays.npz"))


def timed(arrays, choose):
    """The call to be timed: choose(number of users) -> columns (B, K), after one small run to compile and warm up."""
    choose(FEW)
    return lambda: (choose(len(arrays["items"])), arrays["exact"])


def one_by_one(arrays, choose):
    """`timed` for a peer that serves one user at a time: choose(vectors (C, D), relevance (C,), user) -> columns."""

    def all_users(n):
        vectors, items, relevance = arrays["vectors"], arrays["items"], arrays["relevance"].astype(np.float32)
        return np.array([choose(vectors[items[b]], relevance[b], b) for b in range(n)])

    return timed(arrays, all_users)


# ---------------------------------------------------------------------------------------------------------- contenders
def ours(folder):
    from reco_utils.rerank.mmr import MMR

    arrays = load(folder)
    return reranked(arrays, MMR(arrays["vectors"], float(arrays["lam"])), arrays["exact"])


def ours_dpp(folder):
    from reco_utils.rerank.dpp import DPP

    arrays = load(folder)
    return reranked(arrays, DPP(arrays["vectors"]))


def ours_xquad(folder):
    from reco_utils.rerank.xquad import XQuAD

    arrays = load(folder)
    return reranked(arrays, XQuAD(labels(arrays)))


def ours_calibrated(folder):
    from reco_utils.rerank.calibrated import Calibrated

    arrays = load(folder)
    return reranked(arrays, Calibrated(labels(arrays)))


def labels(arrays):
    """One of 30 categories for each item."""
    return np.array([f"category {n}" for n in np.random.default_rng(1).integers(0, 30, len(arrays["vectors"]))], object)


def reranked(arrays, rerank, exact=None):
    """The call to be timed, with histories of 20 random items per user; the note "column" says what was chosen."""
    import pandas as pd
    from scipy.sparse import csr_matrix

    from reco_utils.core import TopK, UserBatch

    items, (n_users, n) = arrays["items"], arrays["items"].shape
    users, rng = pd.RangeIndex(n_users), np.random.default_rng(2)
    owned = (np.repeat(np.arange(n_users), 20), rng.integers(0, len(arrays["vectors"]), 20 * n_users))
    history = csr_matrix((np.ones(20 * n_users, np.float32), owned), (n_users, len(arrays["vectors"])))
    last = np.zeros(history.nnz, "M8[us]")
    batch = UserBatch(users, np.arange(n_users), history, last, history > 0, pd.DataFrame(index=users))
    lists = TopK(users, items, arrays["scores"], {"column": np.tile(np.arange(n), (n_users, 1))})
    rerank(lists, batch, K)
    return lambda: (rerank(lists, batch, K).notes["column"], exact)


def pyversity(folder):
    from pyversity import mmr

    arrays = load(folder)
    diversity = 1 - float(arrays["lam"])
    return one_by_one(
        arrays, lambda vectors, worth, b: mmr(vectors, worth, K, diversity=diversity, normalize=False).indices
    )


def langchain(folder):
    from langchain_core.vectorstores.utils import maximal_marginal_relevance

    arrays = load(folder)
    tastes, width, lam = arrays["tastes"], arrays["width"], float(arrays["lam"])
    lam = lam / (lam + (1 - lam) * width)  # lam / width : 1 - lam, as shares of 1
    return one_by_one(
        arrays, lambda vectors, worth, b: maximal_marginal_relevance(tastes[b], vectors, float(lam[b]), K)
    )


def numpy_blocks(folder):
    arrays = load(folder)
    vectors, items, relevance = arrays["vectors"], arrays["items"], arrays["relevance"].astype(np.float32)
    return timed(arrays, lambda n: by_blocks(vectors, items[:n], relevance[:n], np.float32(arrays["lam"])))


def plain_loop(folder):
    from sklearn.metrics.pairwise import cosine_similarity

    arrays = load(folder)
    lam = float(arrays["lam"])

    def choose(vectors, worth, b):
        left, chosen = list(range(len(worth))), []
        while len(chosen) < K:
            values = []
            for c in left:
                near = [cosine_similarity(vectors[c : c + 1], vectors[s : s + 1])[0, 0] for s in chosen]
                values.append(lam * worth[c] - (1 - lam) * max(near, default=0))
            chosen.append(left.pop(int(np.argmax(values))))
        return chosen

    call = one_by_one({**arrays, "items": arrays["items"][:FEW]}, choose)
    return lambda: (call()[0], arrays["exact"][:FEW])


def exact_share(result):
    found, exact = result
    return "other rule" if exact is None else f"{(found == exact).mean():.5f}"


CONTENDERS = {
    "ours": ours, "pyversity": pyversity, "langchain": langchain, "numpy, 64 users at once": numpy_blocks,
    "plain loop, 2 users": plain_loop, "ours, DPP": ours_dpp, "ours, xQuAD": ours_xquad,
    "ours, calibrated": ours_calibrated,
}  # fmt: skip

if __name__ == "__main__":
    sizes = {"users": 10_000, "items": 20_000, "candidates": 100, "width": 64, "lam": 70}  # lam in hundredths
    bench.main(__file__, CONTENDERS, prepare, digest=exact_share, options=sizes)
