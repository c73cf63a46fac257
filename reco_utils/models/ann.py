"""The items of the highest dot product out of very many: all compared, or through a graph that looks at few of them.

    index = VectorIndex("usearch").fit(vectors)      # or "exact", the default, or "faiss"
    items, scores = index.search(queries, 100)

A graph index (HNSW) walks from neighbour to neighbour. It finds most of the nearest vectors, not all, in a time that
hardly grows with their number; below a few hundred thousand items an exact search is fast enough and misses nothing.

Letters: B queries, I items, D width, C candidates.
"""

import copy
import weakref
from dataclasses import dataclass, field

import numpy as np

from reco_utils.core import Dataset, Recommender, UserBatch, check_k
from reco_utils.models.fitted import check_fitted
from reco_utils.topk import select, select_dot

KINDS, STORED = ("exact", "usearch", "faiss"), ("float32", "int8")
BLOCK = 16_384  # int8 rows made float32 at once
_OPEN = weakref.WeakKeyDictionary()  # the library's object of each index: made from `graph_`, never stored itself


@dataclass(eq=False)
class VectorIndex:
    """Dot products of queries with item vectors, the best k of each; one `search` in front of three ways to do it.

    The graphs are built by dot products too. The textbook's way, one more coordinate that makes all vectors equally
    long so that the largest dot product is the nearest vector, found less: 0.90 of the ten best items of iALS on the
    shop instead of all, for the same time. What a graph finds is scored with the vectors themselves.

    Parameters
    ----------
    kind : "exact", "usearch" or "faiss"
        Compare with every item, or walk the graph of a library (optional packages: usearch, faiss-cpu).
    stored : "float32" or "int8"
        int8 keeps a quarter of the bytes: each vector is divided by its largest coordinate and rounded to 127 steps.
    n_links : int
        Neighbours per vertex of the graph.
    n_build, n_search : int
        How many vertices are kept in view while building and searching: more find more and take longer.

    Source: HNSW: Malkov and Yashunin (2018). By dot products: Morozov and Babenko (2018). The textbook's way:
    Bachrach et al. (2014).
    """

    kind: str = "exact"
    stored: str = "float32"
    n_links: int = 16
    n_build: int = 128
    n_search: int = 128

    def __post_init__(self):
        for name, allowed in (("kind", KINDS), ("stored", STORED)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}")
        for name in ("n_links", "n_build", "n_search"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 2:
                raise ValueError(f"{name} must be a whole number of at least 2, got {value!r}")

    def fit(self, vectors: np.ndarray) -> "VectorIndex":
        """Take over item vectors (I, D); a row with a NaN is never found. The same vectors give the same graph."""
        vectors = np.asarray(vectors, np.float32)
        if vectors.ndim != 2:
            raise ValueError(f"vectors must be items x width, got shape {vectors.shape}")
        known = np.flatnonzero(~np.isnan(vectors).any(axis=1)).astype(np.int32)
        if np.isinf(vectors[known]).any():
            raise ValueError("vectors must be finite, or NaN for an item without any")
        if self.stored == "int8":
            codes, steps = quantise(vectors[known])
            kept = (codes, steps)
        else:
            kept = (vectors[known], None)
        graph = None if self.kind == "exact" or not len(known) else self._build(_at_most_one(vectors[known]))
        self.n_items_, self.width_, self.known_ = len(vectors), vectors.shape[1], known
        self.vectors_, self.steps_, self.graph_ = *kept, graph
        return self

    @property
    def n_bytes(self) -> int:
        """Memory of vectors and graph."""
        parts = (self.vectors_, self.steps_, self.graph_, self.known_)
        return sum(part.nbytes for part in parts if part is not None)

    def search(self, queries, k: int, *, allow: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The k items of the highest dot product for each query, best first; equal ones in the order of the items.

        Parameters
        ----------
        queries : (B, D); a row with a NaN finds nothing
        allow : (I,) bool, optional
            Items that may be found. A graph is asked for more then, and where that is not enough all are compared.

        Returns
        -------
        items (B, k) int32, -1 pads; scores (B, k) float32, NaN pads

        Raises
        ------
        RuntimeError  before `fit`; ValueError  for other shapes
        """
        check_fitted(self)
        queries, k = np.asarray(queries, np.float32), check_k(k)
        if queries.ndim != 2 or queries.shape[1] != self.width_:
            raise ValueError(f"queries must be (requests, {self.width_}), got {queries.shape}")
        if allow is not None:
            allow = np.asarray(allow)
            if allow.shape != (self.n_items_,) or allow.dtype != bool:
                raise ValueError(f"allow must be bool of shape ({self.n_items_},), got {allow.dtype} {allow.shape}")
            allow = allow[self.known_]
        n_allowed = len(self.known_) if allow is None else int(allow.sum())
        rows, scores = (self._compare_all if self.graph_ is None else self._walk)(queries, k, allow, n_allowed)
        items = np.where(rows >= 0, self.known_[np.maximum(rows, 0)] if len(self.known_) else -1, -1)
        return items.astype(np.int32), scores

    def _compare_all(self, queries, k, allow, _):
        """Rows of the known vectors and scores, (B, k) each."""
        if self.stored == "float32":
            return select_dot(queries, self.vectors_, k, allow=allow)
        parts = []
        for at in range(0, max(len(self.vectors_), 1), BLOCK):
            rows = slice(at, at + BLOCK)
            parts.append(select_dot(queries, self._floats(rows), k, allow=None if allow is None else allow[rows]))
        rows = np.concatenate([np.where(r >= 0, r + n * BLOCK, -1) for n, (r, _) in enumerate(parts)], axis=1)
        scores = np.concatenate([s for _, s in parts], axis=1)
        best, scores = select(scores, k)
        return _taken(rows, best), scores

    def _walk(self, queries, k, allow, n_allowed):
        n_known = len(self.known_)
        wanted = k if allow is None else -(-2 * k * n_known // max(n_allowed, 1))
        rows = np.full((len(queries), min(wanted, n_known)), -1, np.int32)
        sound = np.flatnonzero(~np.isnan(queries).any(axis=1))
        if len(sound) and n_allowed:
            rows[sound] = self._ask(queries[sound], rows.shape[1])
        if allow is not None:
            rows = np.where((rows >= 0) & allow[np.maximum(rows, 0)], rows, -1)
        rows.sort(axis=1)  # equal scores go to the lower row
        scores = self._dots(queries, rows)
        best, scores = select(scores, k)
        rows = _taken(rows, best)
        short = sound[(rows[sound] >= 0).sum(axis=1) < min(k, n_allowed)]
        if len(short):
            rows[short], scores[short] = self._compare_all(queries[short], k, allow, n_allowed)
        return rows, scores

    def _dots(self, queries, rows):
        """Dot products of each query with the vectors of its rows (B, C), NaN for -1."""
        scores = np.full(rows.shape, np.nan, np.float32)
        for query, own, score in zip(queries, rows, scores):
            score[own >= 0] = self._floats(own[own >= 0]) @ query
        return scores

    def _floats(self, rows):
        return self.vectors_[rows] if self.stored == "float32" else self.vectors_[rows] * self.steps_[rows, None]

    def _build(self, vectors):
        """The library's graph over vectors of length 1 or less, as bytes (n,) uint8."""
        if self.kind == "usearch":
            from usearch.index import Index

            index = Index(
                ndim=vectors.shape[1],
                metric="ip",
                dtype="i8" if self.stored == "int8" else "f32",
                connectivity=self.n_links,
                expansion_add=self.n_build,
            )
            index.add(np.arange(len(vectors)), self._as_stored(vectors), threads=1)
            return np.frombuffer(index.save(), np.uint8)
        import faiss

        if self.stored == "int8":
            index = faiss.IndexHNSWSQ(
                vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, self.n_links, faiss.METRIC_INNER_PRODUCT
            )
        else:
            index = faiss.IndexHNSWFlat(vectors.shape[1], self.n_links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = self.n_build
        index.train(vectors)
        before = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)  # several threads would build another graph each time
        try:
            index.add(vectors)
        finally:
            faiss.omp_set_num_threads(before)
        return faiss.serialize_index(index)

    def _ask(self, queries, k):
        """What the graph finds: rows (B, k) int32, -1 pads."""
        queries = _at_most_one(queries, axis=1)
        opened = _OPEN.get(self)
        if opened is None or opened[0] is not self.graph_:
            opened = _OPEN[self] = (self.graph_, self._open())
        index, n_search = opened[1], max(self.n_search, k)
        if self.kind == "usearch":
            index.expansion_search = n_search
            found = index.search(self._as_stored(queries), k)
            keys, counts = np.atleast_2d(found.keys), np.atleast_1d(getattr(found, "counts", len(found)))
            return np.where(np.arange(k) < counts[:, None], keys.astype(np.int64), -1).astype(np.int32)
        import faiss

        return index.search(queries, k, params=faiss.SearchParametersHNSW(efSearch=n_search))[1].astype(np.int32)

    def _as_stored(self, vectors):
        """Vectors of length 1 or less as usearch keeps them: left to itself, it makes bytes of equally long vectors."""
        return np.rint(vectors * 127).astype(np.int8) if self.stored == "int8" else vectors

    def _open(self):
        if self.kind == "usearch":
            from usearch.index import Index

            return Index.restore(self.graph_.tobytes())
        import faiss

        return faiss.deserialize_index(np.array(self.graph_))


def quantise(vectors) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (I, D) as whole numbers -127 to 127 (I, D) int8 and the step of each row (I,) float32: their product is
    the vector to within half a step."""
    vectors = np.asarray(vectors, np.float32)
    steps = np.abs(vectors).max(axis=1, initial=0) / np.float32(127)
    codes = np.divide(vectors, steps[:, None], out=np.zeros_like(vectors), where=steps[:, None] > 0)
    return np.rint(codes).astype(np.int8), steps


@dataclass(eq=False)
class RetrievalRecommender:
    """A model of vectors behind an index: opinions on the `n_candidates` items that it finds, on no others.

    In a catalogue of millions, comparing each request with each item is most of the work. Put this in the place of the
    model, alone or as the collaborative part of a hybrid.

    Parameters
    ----------
    model : Recommender with `vectors`
        A copy is fitted.
    index : VectorIndex
        Its settings; a copy is fitted to the item vectors.
    n_candidates : int, items
        Items already seen or out of stock are among them: ask for more than a list is long.
    """

    model: Recommender
    index: VectorIndex = field(default_factory=VectorIndex)
    n_candidates: int = 500

    def __post_init__(self):
        self.n_candidates = check_k(self.n_candidates)

    def fit(self, data: Dataset) -> "RetrievalRecommender":
        """Fit the model, then the index to its item vectors."""
        model = copy.deepcopy(self.model).fit(data)
        if not hasattr(model, "vectors"):
            raise TypeError(f"model must offer `vectors`, but {type(model).__name__} does not; try IALSRecommender()")
        vectors = model.vectors(data.batch([]))[1]
        self.index_ = copy.deepcopy(self.index).fit(vectors)
        self.model_, self.n_items_ = model, len(data.items)
        return self

    def score(self, batch: UserBatch) -> np.ndarray:
        """The model's scores (B, I) float32 of the items found; NaN elsewhere."""
        check_fitted(self, batch)
        items, found = self.index_.search(self.model_.vectors(batch)[0], self.n_candidates)
        scores = np.full((len(batch), self.n_items_), np.nan, np.float32)
        rows = np.nonzero(items >= 0)[0]
        scores[rows, items[items >= 0]] = found[items >= 0]
        return scores


def _at_most_one(vectors, axis=None):
    """Vectors divided by the longest one, or each by itself: bytes of a graph hold -1 to 1, and the order stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True).max(axis=axis, keepdims=True, initial=0)
    return vectors / np.maximum(lengths, np.float32(1e-30))


def _taken(rows, best):
    """rows (B, C) at the columns `best` (B, k), -1 staying -1."""
    return np.where(best >= 0, np.take_along_axis(rows, np.maximum(best, 0), axis=1), -1).astype(np.int32)
