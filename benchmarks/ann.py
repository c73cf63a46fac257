"""The 10 highest dot products among 200,000 vectors, one query at a time: exact, two graphs, bytes; numpy.

    python benchmarks/ann.py --peers PYTHON      # of an environment with numpy

Items and queries lie around 1,000 topics; lengths differ as popularity does. Each index is built once, before the
clock, by one thread; graphs have 16 links, 128 vertices in view while building and while searching. The clock runs over
500 queries, one by one, as a service asks. The result is the share of the ten best of numpy in float64 that was found,
then the seconds of the build and the memory of vectors and graph.
"""

import pickle
import time
from pathlib import Path

import bench
import numpy as np

K = 10
OURS = {
    "ours exact": {"kind": "exact"},
    "ours exact, int8": {"kind": "exact", "stored": "int8"},
    "ours usearch": {"kind": "usearch"},
    "ours usearch, int8": {"kind": "usearch", "stored": "int8"},
    "ours faiss": {"kind": "faiss"},
    "ours faiss, int8": {"kind": "faiss", "stored": "int8"},
}


# ---------------------------------------------------------------------------------------------------------------- data
def prepare(folder: Path, options) -> None:
    rng = np.random.default_rng(0)
    topics = rng.normal(size=(1000, options.width))

    def around(n):
        return topics[rng.integers(0, len(topics), n)] + rng.normal(size=(n, options.width))

    vectors = (around(options.items) * rng.lognormal(0, 0.5, (options.items, 1))).astype(np.float32)
    queries = around(options.queries).astype(np.float32)
    exact = np.array([best(vectors.astype(float) @ query.astype(float)) for query in queries])
    np.savez(folder / "arrays.npz", vectors=vectors, queries=queries, exact=exact)
    from reco_utils.models.ann import VectorIndex

    for name, settings in OURS.items():
        if name in options.only:
            start = time.perf_counter()
            index = VectorIndex(**settings).fit(vectors)
            (folder / name).write_bytes(pickle.dumps((index, time.perf_counter() - start, index.n_bytes)))


def best(scores):
    """Places of the K highest scores, best first."""
    top = np.argpartition(-scores, K)[:K]
    return top[np.argsort(-scores[top], kind="stable")]


def load(folder):
    return dict(np.load(folder / "arrays.npz"))


def one_by_one(arrays, search, seconds, n_bytes):
    """The call to be timed: search(query (1, D)) -> items (K,), for each query."""
    search(arrays["queries"][:1])
    return lambda: (
        np.array([search(arrays["queries"][i : i + 1]) for i in range(len(arrays["queries"]))]),
        arrays["exact"],
        seconds,
        n_bytes,
    )


def found(result):
    items, exact, seconds, n_bytes = result
    share = np.mean([len(set(a) & set(b)) / K for a, b in zip(items, exact)])
    return f"{share:.3f}, {seconds:.1f} s, {n_bytes / 1e6:.0f} MB"


# ---------------------------------------------------------------------------------------------------------- contenders
def ours(name):
    def contender(folder):
        index, seconds, n_bytes = pickle.loads((folder / name).read_bytes())
        return one_by_one(load(folder), lambda query: index.search(query, K)[0][0], seconds, n_bytes)

    return contender


def numpy(folder):
    arrays = load(folder)
    vectors = arrays["vectors"]
    return one_by_one(arrays, lambda query: best(vectors @ query[0]), 0, vectors.nbytes)


CONTENDERS = {**{name: ours(name) for name in OURS}, "numpy": numpy}

if __name__ == "__main__":
    bench.main(__file__, CONTENDERS, prepare, digest=found, options={"items": 200_000, "width": 64, "queries": 500})
