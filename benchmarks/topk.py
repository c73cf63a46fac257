"""The 10 best of 41,000 items by dot product for 8,192 users of 64 factors: our selection against others' kernels.

    python benchmarks/topk.py --peers PYTHON       # of an environment with numpy, implicit and faiss-cpu

All get the same float32 arrays, all cores, and one run to warm up. The result is the share of places that hold the item
of the exact (float64) list.
"""

from pathlib import Path

import bench
import numpy as np

K = 10


def prepare(folder: Path, options) -> None:
    rng = np.random.default_rng(0)
    queries = rng.normal(size=(options.users, options.factors)).astype(np.float32)
    vectors = rng.normal(size=(options.items, options.factors)).astype(np.float32)
    exact = by_argpartition(queries.astype(float), vectors.astype(float), K)
    np.savez(folder / "arrays.npz", queries=queries, vectors=vectors, exact=exact)


def by_argpartition(queries, vectors, k, block=256):
    """The usual numpy way: blocks of the product, argpartition, then the k sorted."""
    found = np.empty((len(queries), k), np.int64)
    for start in range(0, len(queries), block):
        scores = queries[start : start + block] @ vectors.T
        best = np.argpartition(scores, -k, axis=1)[:, -k:]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        found[start : start + block] = np.take_along_axis(best, order, axis=1)
    return found


def timed(folder, find):
    """The call to be timed: find(queries, vectors) -> items (B, K), after one run to compile and warm up."""
    arrays = np.load(folder / "arrays.npz")
    queries, vectors, exact = arrays["queries"], arrays["vectors"], arrays["exact"]
    find(queries[:512], vectors)
    return lambda: (find(queries, vectors), exact)


def ours(folder):
    from reco_utils.topk import select_dot

    return timed(folder, lambda queries, vectors: select_dot(queries, vectors, K)[0])


def implicit(folder):
    from implicit.cpu.topk import topk

    return timed(folder, lambda queries, vectors: topk(vectors, queries, K)[0])


def argpartition(folder):
    return timed(folder, lambda queries, vectors: by_argpartition(queries, vectors, K))


def faiss_flat(folder):
    import faiss

    index = faiss.IndexFlatIP(np.load(folder / "arrays.npz")["vectors"].shape[1])
    index.add(np.load(folder / "arrays.npz")["vectors"])  # filling the index is not timed
    return timed(folder, lambda queries, vectors: index.search(queries, K)[1])


def exact_share(result):
    found, exact = result
    return f"{(found == exact).mean():.4f}"


CONTENDERS = {"ours": ours, "implicit": implicit, "numpy argpartition": argpartition, "faiss flat": faiss_flat}

if __name__ == "__main__":
    sizes = {"users": 8_192, "items": 41_000, "factors": 64}
    bench.main(__file__, CONTENDERS, prepare, digest=exact_share, options=sizes)
