"""Similar products: the 20 nearest of every text in a fashion catalogue of 105,000, by cosine of tf-idf vectors.

    python benchmarks/content.py --peers PYTHON --rounds 3

The texts are made up in the shape of a large fashion shop's: products in about 2.2 colours under one description of 20
words, half of them words of their kind of product, all with frequencies after Zipf's law; names, departments, sections.
Everybody gets the same csr matrix of unit vectors and all cores; "ours from text" also makes that matrix, and "SVD"
shows what an approximation loses. The result is the share of exact neighbours found, for 200 rows (an item as near as
the last exact one counts).
"""

import os
from pathlib import Path

import bench
import numpy as np
from scipy.sparse import csr_matrix, load_npz, save_npz

K, CORES, CHECKED = 20, os.cpu_count(), 200
PATTERNS = [
    "solid",
    "solid",
    "solid",
    "solid",
    "stripe",
    "all over pattern",
    "all over pattern",
    "melange",
    "check",
    "dot",
]
SYLLABLES = "ba ce di fo gu la me ni po ru sa te vi zo bra cle dri fla gro pla sti tre vel wor".split()


def made_up_words(n, rng):
    """n different words."""
    return np.array(["".join(rng.choice(SYLLABLES, 3)) + f"{i:x}"[-2:] for i in range(n)], dtype=object)


def zipf(n_words, size, rng, *, flat=3.0):
    """Word numbers from 0: the r-th word is drawn with a chance in proportion to 1 / (r + 1 + flat)."""
    chance = 1 / (np.arange(n_words) + 1 + flat)
    return rng.choice(n_words, size, p=chance / chance.sum())


def texts(owner, mean_length, common, own, own_share, rng):
    """One text per entry of `owner`: words of its kind with a chance of `own_share`, otherwise words anybody uses."""
    lengths = 3 + rng.poisson(mean_length - 3, len(owner))
    total, kind = lengths.sum(), np.repeat(owner, lengths)
    special = own[kind, zipf(own.shape[1], total, rng)]
    drawn = np.where(rng.random(total) < own_share, special, common[zipf(len(common), total, rng, flat=0.0)])
    ends = np.cumsum(lengths)
    return [" ".join(drawn[end - n : end]) for end, n in zip(ends, lengths)]


def fashion(n_items, rng):
    """A catalogue of products in several colours, the words of the built-in shop among them."""
    import pandas as pd

    from reco_utils.data.shop_words import STYLES, read_shelves, words

    things = [product for shelf in read_shelves() if shelf.category == "Fashion" for product in shelf.products]
    colours = sorted({colour for _, palette in STYLES.values() for colour in words(palette)})
    n_products = int(n_items / 2.2)
    product = np.sort(rng.integers(0, n_products, n_items))
    kind = zipf(len(things), n_products, rng)
    noun = [things[k].noun for k in kind]
    material = [rng.choice(things[k].materials) for k in kind]
    own = made_up_words(200 * len(things), rng).reshape(len(things), 200)
    description = texts(kind, 20, made_up_words(6_000, rng), own, 0.5, rng)
    name = texts(kind, 4, made_up_words(4_000, rng), own[:, :20], 0.2, rng)
    department = rng.integers(0, 250, n_products)
    return pd.DataFrame(
        {
            "title": [f"{name[p]} {noun[p]}" for p in product],
            "category": [f"section {department[p] % 56}" for p in product],
            "subcategory": [noun[p] for p in product],
            "tags": [
                f"{rng.choice(colours)}, {rng.choice(PATTERNS)}, department{department[p]}, {material[p]}"
                for p in product
            ],
            "description": [f"{description[p]} {material[p]}" for p in product],
        }
    )


def prepare(folder: Path, options) -> None:
    from reco_utils.models.tfidf import TfidfVectors

    catalog = fashion(options.items, np.random.default_rng(0))
    catalog.to_parquet(folder / "catalog.parquet")
    vectors = TfidfVectors().fit(catalog).transform(catalog)
    save_npz(folder / "vectors.npz", vectors, compressed=False)
    rows = np.sort(np.random.default_rng(1).choice(options.items, min(CHECKED, options.items), replace=False))
    exact = (vectors[rows] @ vectors.T).toarray()
    exact[np.arange(len(rows)), rows] = 0
    np.savez(folder / "exact.npz", rows=rows, cosines=exact, last=-np.sort(-exact, axis=1)[:, K - 1])


def timed(folder, find):
    """The call to be timed: find(vectors) -> positions (I, K), after a small run to compile and warm up."""
    vectors = load_npz(folder / "vectors.npz")
    find(vectors[:2_000])
    return lambda: (find(vectors), dict(np.load(folder / "exact.npz")))


def ours(folder):
    from reco_utils.models.similar import SimilarRows

    def find(vectors):
        return SimilarRows(vectors, "cosine").nearest(vectors, K, me=np.arange(vectors.shape[0]))[0]

    return timed(folder, find)


def ours_from_text(folder):
    import pandas as pd

    from reco_utils.core import Dataset
    from reco_utils.models.content import ContentRecommender

    catalog = pd.read_parquet(folder / "catalog.parquet")
    asof, nobody = pd.Timestamp("2025-01-01"), csr_matrix((0, len(catalog)), dtype=np.float32)
    times, profiles = np.empty(0, "M8[us]"), pd.DataFrame(index=range(0))

    def find(vectors):
        some, none = catalog[: vectors.shape[0]], nobody[:, : vectors.shape[0]]
        data = Dataset(profiles.index, some.index, none, times, none.astype(bool), some, profiles, asof)
        return ContentRecommender().fit(data).similar_items(np.arange(len(some)), K)[0]

    return timed(folder, find)


def best_others(cosines, first):
    """The K best columns of every row of a dense block but the row itself; its first row is row `first`."""
    cosines[np.arange(len(cosines)), first + np.arange(len(cosines))] = -1
    best = np.argpartition(cosines, -K, axis=1)[:, -K:]
    order = np.argsort(-np.take_along_axis(cosines, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)


def without_self(positions):
    """K + 1 positions per row to K: the row itself left out, or the last where it is not among them."""
    own = positions == np.arange(len(positions))[:, None]
    own[~own.any(axis=1), -1] = True
    return positions[~own].reshape(len(positions), -1)


def sparse_dot_topn(folder):
    from sparse_dot_topn import sp_matmul_topn

    def find(vectors):
        similar = sp_matmul_topn(vectors, vectors.T.tocsr(), top_n=K + 1, sort=True, n_threads=CORES)
        positions = np.full((vectors.shape[0], K + 1), -1)
        positions[np.arange(K + 1) < np.diff(similar.indptr)[:, None]] = similar.indices
        return without_self(positions)

    return timed(folder, find)


def scikit_learn(folder):
    from sklearn.neighbors import NearestNeighbors

    def find(vectors):
        nearest = NearestNeighbors(n_neighbors=K, metric="cosine", algorithm="brute", n_jobs=CORES).fit(vectors)
        return nearest.kneighbors(return_distance=False)

    return timed(folder, find)


def scipy_blocks(folder, block=512):
    def find(vectors):
        turned = vectors.T.tocsr()
        blocks = ((vectors[start : start + block] @ turned, start) for start in range(0, vectors.shape[0], block))
        return np.concatenate([best_others(found.toarray(), start) for found, start in blocks])

    return timed(folder, find)


def svd_and_ann(folder):
    import faiss
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    def find(vectors):
        short = normalize(TruncatedSVD(64, random_state=0).fit_transform(vectors)).astype(np.float32)
        index = faiss.IndexHNSWFlat(64, 32, faiss.METRIC_INNER_PRODUCT)
        index.add(short)
        return without_self(index.search(short, K + 1)[1])

    return timed(folder, find)


def exact_share(result):
    found, exact = result
    cosines = np.take_along_axis(exact["cosines"], found[exact["rows"]].astype(int), axis=1)
    return f"{(cosines >= exact['last'][:, None] - 1e-5).mean():.4f}"


CONTENDERS = {
    "ours": ours, "ours from text": ours_from_text, "sparse_dot_topn": sparse_dot_topn, "scikit-learn": scikit_learn,
    "scipy blocks": scipy_blocks, "SVD to 64, HNSW": svd_and_ann,
}  # fmt: skip

if __name__ == "__main__":
    bench.main(__file__, CONTENDERS, prepare, digest=exact_share, options={"items": 105_000})
