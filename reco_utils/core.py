"""The words every room of the package speaks: Tables, Dataset, UserBatch, Split, TopK, and `recommend`.

    events, catalog, profiles --data--> Dataset --models--> scores (B, I) --recommend--> TopK --rerank--> TopK

An *id* is what the shop calls a user or an item (any hashable); a *position* is a row or column number. Ids go in and
out at the edges, positions never leave the process, and position -1 (a stranger, padding) never indexes anything.

Letters: U users, I items, B rows of a batch, K list length, C candidates, D width of a vector, nnz stored entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from reco_utils.topk import select, select_dot

USER, ITEM, EVENT, TIME = "user_id", "item_id", "event", "timestamp"
EVENT_TYPES = ("view", "click", "add_to_cart", "purchase", "rating")
BLOCK_BYTES = 16 * 2**20  # scores held at once by `recommend`; blocks of 64 and 256 MB were no faster


# ---------------------------------------------------------------------------------------------- tables and their split
@dataclass(frozen=True)
class Defaults:
    """What makes sense for one dataset; every notebook starts from it.

    Parameters
    ----------
    target : tuple of str
        Events that count as success, e.g. ("purchase",) or ("rating",).
    positive_from : float or None
        A rating below this is seen, but carries no weight and is no truth.
    window_days, half_life_days : float or None
        Events older than the window carry no weight; an event loses half its weight every half-life. None: neither.
    split : "time" or "leave-last-out"
    keep_seen : bool
        May a list repeat what the user already has?
    """

    target: tuple[str, ...] = ("purchase",)
    positive_from: float | None = None
    window_days: float | None = None
    half_life_days: float | None = None
    split: str = "time"
    keep_seen: bool = False

    def __post_init__(self):
        if self.split not in ("time", "leave-last-out"):
            raise ValueError(f"split must be 'time' or 'leave-last-out', got {self.split!r}")
        for name in ("window_days", "half_life_days", "positive_from"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, (bool, str)) or not np.isfinite(value)):
                raise ValueError(f"{name} must be a finite number or None, got {value!r}")
        for name in ("window_days", "half_life_days"):
            if not (getattr(self, name) is None or getattr(self, name) > 0):
                raise ValueError(f"{name} must be more than 0 days, or None for no limit, got {getattr(self, name)}")


class Tastes(Protocol):
    """The planted truth of a synthetic shop, asked pair by pair and never laid out as a matrix."""

    def preference(self, users, items) -> np.ndarray: ...  # ids (n,), ids (n,) -> (n,)


@dataclass(frozen=True, eq=False)
class Tables:
    """What `load_dataset` returns: the publisher's rows, made canonical (see `data.schema` for the columns).

    `events` is sorted by time and its ids are categorical; `report` counts the rows that were rejected or mended, one
    row per reason; `tastes` is the planted truth where there is one.
    """

    name: str
    events: pd.DataFrame
    catalog: pd.DataFrame
    profiles: pd.DataFrame
    defaults: Defaults
    report: pd.DataFrame
    tastes: Tastes | None = None

    @property
    def offers(self) -> frozenset[str]:
        """What this dataset can feed: text, category, brand, price, funnel, ratings, sessions, demographics, revenue.

        A notebook skips the section whose feed is missing. "funnel" means more than one event type, "text" more than
        a made-up title.
        """

        def has(table, *columns):
            return any(c in table and table[c].notna().any() for c in columns)

        found = {name for name in ("category", "brand", "price") if has(self.catalog, name)}
        made_up = "item " + self.catalog[ITEM].astype(str)
        if has(self.catalog, "description", "tags") or (self.catalog["title"].astype(str) != made_up).any():
            found.add("text")
        if self.events[EVENT].nunique() > 1:
            found.add("funnel")
        found |= {
            offer
            for offer, column in (("ratings", "rating"), ("sessions", "session_id"), ("revenue", "value"))
            if has(self.events, column)
        }
        if has(self.profiles, "age", "gender", "location"):
            found.add("demographics")
        return frozenset(found)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything a model may learn from, as known at one instant. Holds no event frame; its arrays are read-only.

    Parameters
    ----------
    users : (U,) ids, unique
    items : (I,) ids, unique
        The catalogue at `asof`, sold or not, in seeded-hash order: ties broken by position are broken by chance.
    weights : csr (U, I) float32 > 0
        Strength of each interaction.
    last : (nnz,) datetime64, aligned with weights.data
        When the pair last happened.
    seen : csr (U, I) bool
        What the user already has: target events; ratings of any value.
    catalog : DataFrame, I rows
        Row j describes items[j]; nothing in it was derived from events after `asof`.
    profiles : DataFrame, U rows
    asof : Timestamp
        Nothing later is inside.
    """

    users: pd.Index
    items: pd.Index
    weights: csr_matrix
    last: np.ndarray
    seen: csr_matrix
    catalog: pd.DataFrame
    profiles: pd.DataFrame
    asof: pd.Timestamp

    def __post_init__(self):
        shape = (len(self.users), len(self.items))
        if self.weights.shape != shape or self.seen.shape != shape:
            raise ValueError(
                f"weights {self.weights.shape} and seen {self.seen.shape} must both be users x items, {shape}"
            )
        if len(self.last) != self.weights.nnz:
            raise ValueError(f"last must have one time per stored weight ({self.weights.nnz}), got {len(self.last)}")
        if len(self.catalog) != shape[1] or len(self.profiles) != shape[0]:
            raise ValueError(
                f"catalog ({len(self.catalog)} rows) and profiles ({len(self.profiles)} rows) must have one row per "
                f"item and user, {shape[1]} and {shape[0]}"
            )
        for ids, name in ((self.users, "users"), (self.items, "items")):
            if not ids.is_unique:
                raise ValueError(f"{name} must be unique, got {ids[ids.duplicated()][:3].tolist()} more than once")
        if not _positive(self.weights.data):
            raise ValueError("weights must be positive numbers; drop the zero, negative, infinite and NaN entries")

    def positions(self, item_ids) -> np.ndarray:
        """Positions (n,) of item ids; raises KeyError that names the first unknown ones."""
        return _positions(self.items, item_ids, "item")

    def batch(self, user_ids, *, history=None, profiles: pd.DataFrame | None = None) -> UserBatch:
        """Requests by `user_ids` (any ids; unknown ones are strangers) with what is known of each user.

        Parameters
        ----------
        history : csr (B, I), or B sequences of item ids, optional
            A live session per request, added to the stored history with its weight (1 for ids) and time `asof`.
        profiles : DataFrame, B rows, optional
            Replaces the stored profiles, e.g. for strangers who are logged in elsewhere.
        """
        ids = pd.Index(user_ids)
        if len(ids) and pd.api.types.is_numeric_dtype(ids) != pd.api.types.is_numeric_dtype(self.users):
            raise TypeError(f"user ids are {self.users.dtype} here, got {ids.dtype} ({ids[:3].tolist()})")
        at = self.users.get_indexer(ids).astype(np.int32)
        weights, take = take_rows(self.weights, at)
        last = self.last[take]
        if history is not None:
            weights, last = self._with_session(weights, last, history)
        if profiles is None:
            profiles = self.profiles.reindex(at)  # position -1 is no label: a stranger's row is empty
            profiles = profiles.assign(**{USER: np.asarray(ids)})
        elif len(profiles) != len(ids):
            raise ValueError(f"profiles must have one row per request ({len(ids)}), got {len(profiles)}")
        return UserBatch(ids, at, weights, last, take_rows(self.seen, at)[0], profiles.reset_index(drop=True))

    def _with_session(self, weights, last, history):
        if not isinstance(history, csr_matrix):
            positions = [self.positions(list(items)) for items in history]
            indptr = np.concatenate([[0], np.cumsum([len(p) for p in positions])]).astype(np.int32)
            indices = np.concatenate([*positions, np.empty(0, np.int32)])
            ones = np.ones(len(indices), np.float32)
            history = csr_matrix((ones, indices, indptr), (len(positions), len(self.items)))
        if history.shape != weights.shape:
            raise ValueError(f"history must be requests x items, {weights.shape}, got {history.shape}")
        history = history.astype(np.float32)  # a copy: the caller's matrix keeps its duplicates
        history.sum_duplicates()
        if not _positive(history.data):
            raise ValueError("history must hold positive weights only, and finite ones")
        now = np.full(history.nnz, self.asof.to_datetime64().astype(last.dtype).astype(np.int64))
        times = csr_matrix((last.astype(np.int64), weights.indices, weights.indptr), weights.shape)
        times = times.maximum(csr_matrix((now, history.indices, history.indptr), history.shape))
        times.sort_indices()
        weights = weights + history
        weights.sort_indices()
        return weights, times.data.astype(last.dtype)


@dataclass(frozen=True, eq=False)
class UserBatch:
    """Who is asking, one row per request; users may repeat or be strangers.

    Parameters
    ----------
    users : (B,) ids
    at : (B,) int32
        Row in the Dataset the batch was made from, -1 for a stranger. Masks, never indexes.
    history : csr (B, I) float32; last : (nnz,) datetime64 aligned with history.data
        Weights and times, a live session folded in.
    seen : csr (B, I) bool
    profiles : DataFrame, B rows
    """

    users: pd.Index
    at: np.ndarray
    history: csr_matrix
    last: np.ndarray
    seen: csr_matrix
    profiles: pd.DataFrame

    @property
    def n_items(self) -> np.ndarray:
        """Distinct items in each history (B,), session included: the cold-start clock."""
        return np.diff(self.history.indptr)

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, rows: slice | np.ndarray) -> UserBatch:
        """The requests at `rows` (a slice, positions, or a mask (B,))."""
        at = np.arange(len(self))[rows]
        history, take = take_rows(self.history, at)
        seen, _ = take_rows(self.seen, at)
        profiles = self.profiles.iloc[at].reset_index(drop=True)
        return UserBatch(self.users[at], self.at[at], history, self.last[take], seen, profiles)


@dataclass(frozen=True, eq=False)
class Split:
    """A Dataset to learn from, the users to serve, and what they did next.

    Parameters
    ----------
    truth : csr (B, I) float32
        Held-out target events of each request, as gains > 0. Unless `keep_seen`, pairs already seen are left out;
        items unknown at the cut cannot be in it (`report` says what share of the held-out events that was).
    report : Series
        Counts behind every figure: warm and cold users and items, events left out and why.
    """

    train: Dataset
    batch: UserBatch
    truth: csr_matrix
    target: tuple[str, ...]
    keep_seen: bool
    report: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))

    def __post_init__(self):
        if self.truth.shape != self.batch.history.shape:
            raise ValueError(f"truth {self.truth.shape} must have the shape of the batch {self.batch.history.shape}")

    def take(self, rows: slice | np.ndarray) -> Split:
        """The same split for some of its requests, e.g. the warm ones: `split.take(split.batch.n_items > 0)`."""
        at = np.arange(len(self.batch))[rows]
        return replace(self, batch=self.batch[at], truth=take_rows(self.truth, at)[0])


def take_rows(matrix: csr_matrix, at: np.ndarray) -> tuple[csr_matrix, np.ndarray | slice]:
    """Rows `at` of a csr matrix, position -1 giving an empty row; and where their entries stood in `matrix.data`.

    Rows that follow one another come as a view, without a copy.
    """
    at = np.asarray(at)
    if len(at) and at[0] >= 0 and (np.diff(at) == 1).all():
        indptr = matrix.indptr[at[0] : at[-1] + 2]
        take = slice(indptr[0], indptr[-1])
        entries = (matrix.data[take], matrix.indices[take], indptr - indptr[0])
        return csr_matrix(entries, (len(at), matrix.shape[1])), take
    inside = np.maximum(at, 0)
    begins = matrix.indptr[inside] if matrix.shape[0] else np.zeros(len(at), np.int32)
    counts = np.where(at >= 0, matrix.indptr[inside + 1] - begins, 0) if matrix.shape[0] else begins
    indptr = np.zeros(len(at) + 1, np.int64)
    np.cumsum(counts, out=indptr[1:])
    take = np.repeat(begins - indptr[:-1], counts) + np.arange(indptr[-1])
    rows = csr_matrix((matrix.data[take], matrix.indices[take], indptr), (len(at), matrix.shape[1]))
    return rows, take


def _positive(values: np.ndarray) -> bool:
    """Are all values above 0 and finite? NaN is neither."""
    return not len(values) or bool(values.min() > 0 and values.max() < np.inf)


def _positions(index: pd.Index, ids, word: str) -> np.ndarray:
    positions = index.get_indexer(pd.Index(ids)) if len(ids) else np.empty(0, np.int64)
    if (positions < 0).any():
        unknown = [i for i, p in zip(ids, positions) if p < 0]
        known = f"{len(index)} {word}s are known"
        raise KeyError(f"unknown {word} id {unknown[:3]} ({len(unknown)} of the {len(ids)} given; {known})")
    return positions.astype(np.int32)


# -------------------------------------------------------------------------------------------------- models and lists
class Recommender(Protocol):
    """A model: learns from a Dataset, scores every item for every request. It never filters, cuts or maps ids.

    Optional methods, used by `recommend` and by hybrids when present:

    - `vectors(batch) -> (queries (B, D), items (I, D))`: scores are their dot products; a NaN row is no opinion.
    - `score_at(batch, items) -> (B, C)`: scores of the positions items (B, C) only.
    """

    def fit(self, data: Dataset) -> Self: ...

    def score(self, batch: UserBatch) -> np.ndarray: ...  # (B, I) float32, NaN = no opinion


@dataclass(frozen=True, eq=False)
class TopK:
    """Ranked lists, best first.

    Parameters
    ----------
    users : (B,) ids
    items : (B, K) int32
        Positions; -1 pads a list that is shorter than K.
    scores : (B, K) float32
        NaN pads.
    notes : dict of (B, K) arrays
        What was learnt on the way (propensity, step, slot, because ...); permuted and cut together with the items.
    """

    users: pd.Index
    items: np.ndarray
    scores: np.ndarray
    notes: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        if self.items.ndim != 2 or len(self.items) != len(self.users):
            raise ValueError(f"items must be (requests, k) with {len(self.users)} requests, got {self.items.shape}")
        if self.items.dtype.kind not in "iu":
            raise ValueError(f"items must be whole numbers, positions or -1 for padding, got {self.items.dtype}")
        for name, array in {"scores": self.scores, **self.notes}.items():
            if array.shape != self.items.shape:
                raise ValueError(f"{name} must have the shape of items {self.items.shape}, got {array.shape}")

    def __len__(self) -> int:
        return len(self.users)

    @property
    def k(self) -> int:
        """Length of the lists, padding included."""
        return self.items.shape[1]

    def take(self, order: np.ndarray) -> TopK:
        """Lists rearranged by `order` (B, K'), column numbers per row; -1 leaves padding there."""
        inside = np.maximum(order, 0)

        def pick(array, padding):
            picked = np.take_along_axis(array, inside, axis=1)
            if padding is not None:
                picked[order < 0] = padding
            return picked

        def blank(array):
            return {"f": np.nan, "i": -1, "b": False, "M": np.datetime64("NaT", "us")}.get(array.dtype.kind)

        notes = {name: pick(array, blank(array)) for name, array in self.notes.items()}
        return TopK(self.users, pick(self.items, -1), pick(self.scores, np.nan), notes)

    def cut(self, k: int) -> TopK:
        """The first k of every list."""
        notes = {name: array[:, :k] for name, array in self.notes.items()}
        return TopK(self.users, self.items[:, :k], self.scores[:, :k], notes)

    def to_frame(self, data: Dataset, columns: Sequence[str] = ("title",)) -> pd.DataFrame:
        """One row per listed item, padding left out: user_id, rank (from 1), item_id, `columns`, score and notes."""
        row, column = np.nonzero(self.items >= 0)
        items = self.items[row, column]
        frame = {USER: np.asarray(self.users)[row], "rank": column + 1, ITEM: np.asarray(data.items)[items]}
        frame |= {name: data.catalog[name].to_numpy()[items] for name in columns}
        frame |= {name: array[row, column] for name, array in {"score": self.scores, **self.notes}.items()}
        return pd.DataFrame(frame)


def check_k(k) -> int:
    """k as an int of at least 1, or a clear refusal."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise TypeError(f"k must be a whole number, got {k!r}")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    return int(k)


def recommend(
    model: Recommender,
    batch: UserBatch,
    k: int,
    *,
    allow: np.ndarray | None = None,
    forbid: csr_matrix | None = None,
    keep_seen: bool = False,
    block: int | None = None,
) -> TopK:
    """The k best items of every request, best first: the one place where lists are cut.

    Never an item twice, never a seen one (unless `keep_seen`), a forbidden one, or one the model has no opinion on
    (NaN or -inf); equal scores go to the lower position; short lists end in padding.

    Parameters
    ----------
    k : int, at least 1
        List length; may exceed the catalogue.
    allow : (I,) bool, optional
        Items that may be shown to anybody, e.g. those in stock.
    forbid : csr (B, I), optional
        Items that must not be shown, per request; every stored entry counts.
    block : int, optional
        Requests scored at once; by default as many as fit into 16 MB of scores.

    Raises
    ------
    TypeError, ValueError  for a bad k, or masks or scores of another shape
    """
    k = check_k(k)
    n_items = batch.history.shape[1]
    if allow is not None:
        allow = np.asarray(allow)
        if allow.shape != (n_items,) or allow.dtype != bool:
            raise ValueError(f"allow must be bool of shape ({n_items},), got {allow.dtype} {allow.shape}")
    forbid = _forbidden(batch, forbid, keep_seen)
    if hasattr(model, "vectors"):
        queries, vectors = model.vectors(batch)
        _check_shape("vectors' queries", queries, (len(batch), vectors.shape[1]))
        _check_shape("vectors' items", vectors, (n_items, queries.shape[1]))
        items, scores = select_dot(queries, vectors, k, allow=allow, forbid=forbid)
        return TopK(batch.users, items, scores)
    if block is not None and block < 1:
        raise ValueError(f"block must be at least 1 request, got {block}")
    block = block or max(1, BLOCK_BYTES // (4 * max(n_items, 1)))
    items, scores = np.empty((len(batch), k), np.int32), np.empty((len(batch), k), np.float32)
    for start in range(0, len(batch), block):
        rows = slice(start, start + block)
        part = batch if block >= len(batch) else batch[rows]
        masked = None if forbid is None else forbid[rows]
        items[rows], scores[rows] = select(_scores(model, part), k, allow=allow, forbid=masked)
    return TopK(batch.users, items, scores)


def _scores(model, batch):
    """The model's scores, their shape checked; not kept under a name, so that one block is freed before the next."""
    scores = model.score(batch)
    _check_shape("score", scores, batch.history.shape)
    return scores


def _forbidden(batch, forbid, keep_seen):
    """Pattern csr (B, I) of what may not be listed, or None."""
    if forbid is not None and forbid.shape != batch.history.shape:
        raise ValueError(f"forbid must be requests x items, {batch.history.shape}, got {forbid.shape}")
    if forbid is None:
        return None if keep_seen else batch.seen
    forbid = csr_matrix(forbid)  # another sparse layout has its index arrays the other way round
    if keep_seen:
        return forbid
    stored = csr_matrix((np.ones(forbid.nnz, bool), forbid.indices, forbid.indptr), forbid.shape)
    return batch.seen + stored


def _check_shape(what, array, shape):
    if array.shape != shape:
        raise ValueError(f"{what} must have shape {shape}, got {array.shape}")


Reranker = Callable[[TopK, UserBatch, int], TopK]
Metric = Callable[[TopK, csr_matrix], np.ndarray]  # -> (B,) float64, NaN = undefined for that user
ListMetric = Callable[[TopK], float]  # one number for all lists


@dataclass(frozen=True)
class Pipeline:
    """A model and its rerankers: `n_candidates` are cut, every reranker passes them on, the last one cuts to k."""

    model: Recommender
    rerankers: tuple[Reranker, ...] = ()
    n_candidates: int = 100

    def __call__(self, batch: UserBatch, k: int, *, allow=None, forbid=None, keep_seen: bool = False) -> TopK:
        k = check_k(k)
        width = max(k, self.n_candidates) if self.rerankers else k
        lists = recommend(self.model, batch, width, allow=allow, forbid=forbid, keep_seen=keep_seen)
        for rerank in self.rerankers[:-1]:
            lists = rerank(lists, batch, width)
        return self.rerankers[-1](lists, batch, k) if self.rerankers else lists
