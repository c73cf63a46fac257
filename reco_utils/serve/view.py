"""An artifact made ready for single requests: everything of the size of the catalogue is worked out once, here.

Letters: U users, I items, B requests (here mostly 1), C candidates.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from reco_utils.core import Recommender, Reranker, TopK, UserBatch, recommend
from reco_utils.data.weighting import WEIGHTS
from reco_utils.rerank.because import Because
from reco_utils.rerank.rules import allowed
from reco_utils.rerank.session import SessionLift
from reco_utils.serve.artifact import Artifact
from reco_utils.serve.ask import BadRequest
from reco_utils.serve.deeds import DEEDS, SAID, strongest
from reco_utils.serve.feature_store import LiveItem
from reco_utils.serve.freshness import seconds_of
from reco_utils.serve.monitor import Reference
from reco_utils.serve.stock import Change

N_MASKS = 64  # filters remembered, one byte per item each
N_SIMILAR = 100  # similar items looked up at once, some of which may be sold out
N_NEIGHBOURHOODS = 10_000  # items whose similar ones are remembered
POPULAR = "popular"  # the name of the last resort
N_FIRST = 10  # places that count as shown


class View:
    """What an engine needs of one artifact. Read-only but for the stock, and safe to be used by many threads.

    Parameters
    ----------
    artifact : Artifact
    changes : mapping of item id to Change
        What was sold out or came back since; what the training knew already is passed over.
    like : View, optional
        Of the same artifact before somebody was forgotten: all that is the catalogue's is shared with it.
    """

    def __init__(self, artifact: Artifact, changes: Mapping[str, Change] | None = None, *, like: "View | None" = None):
        self.artifact, self.data = artifact, artifact.data
        self.version, self.keep_seen = artifact.manifest.version, artifact.keep_seen
        self.asof = seconds_of(artifact.manifest.asof)
        self.user_at = {user: at for at, user in enumerate(self.data.users.tolist())}
        same = like is not None and like.data.catalog is self.data.catalog and like.version == self.version
        self.items = like.items if same else Items(artifact)
        self.steps = tuple(getattr(artifact.pipeline.model, "names", ()))
        self.models = _models_of(artifact.pipeline.model)
        self.step_at = artifact.candidates.notes.get("step")
        self._blank = self.data.profiles.iloc[:0].reindex([-1]).reset_index(drop=True)
        self.slots = next((r.names for r in reversed(artifact.pipeline.rerankers) if hasattr(r, "names")), ())
        self.random = any(hasattr(reranker, "rng") for reranker in artifact.pipeline.rerankers)
        self.anonymous: tuple | None = None
        self.change_stock(changes or {})

    # ----------------------------------------------------------------------------------------------------------- stock
    def change_stock(self, changes: Mapping[str, Change]) -> None:
        """Which items may be shown from now on: `allow` (I,) bool and `sold_out`, replaced as a whole."""
        allow = self.items.in_stock.copy()
        trained = seconds_of(self.artifact.manifest.trained_at)
        for item, change in changes.items():
            at = self.items.at.get(item, -1)
            if at >= 0 and not change.at < trained:
                allow[at] = change.in_stock
        self.stock = Shown(allow, frozenset(self.items.ids[~allow].tolist()))

    def allow(
        self, categories: Sequence[str], price: tuple[float | None, float | None], stock: "Shown | None" = None
    ) -> np.ndarray:
        """Which items may be shown to somebody who asked for these (I,) bool, as things stand (or stood).

        Raises
        ------
        BadRequest  for a category that no item has, or a column the catalogue lacks
        """
        stock = stock or self.stock
        if not categories and price == (None, None):
            return stock.allow
        return stock.masks.found((tuple(categories), price), lambda: self.items.mask(categories, price) & stock.allow)

    # --------------------------------------------------------------------------------------------------------- request
    def request(self, user: str, live: Sequence[LiveItem] = (), session: Sequence[int] = (), *, target=()) -> UserBatch:
        """A batch of one: the stored history, the events since (`target` ones are seen) and the clicks of the session.

        A click of the session that came in as an event too counts once, a bad rating not at all.
        """
        at = self.user_at.get(user, -1)
        history, last = _row(self.data.weights, at), self.data.last[_span(self.data.weights, at)]
        seen = _row(self.data.seen, at)
        added: dict[int, tuple[float, float]] = {}
        for event in live:
            item = self.items.at.get(event.item_id, -1)
            if item >= 0 and self._deed(event) is not None:
                weight, when = added.get(item, (0.0, event.timestamp))
                added[item] = weight + WEIGHTS.get(event.event, 1), max(when, event.timestamp)
        now = max((when for _, when in added.values()), default=self.asof)
        for item in session:
            added.setdefault(int(item), (float(WEIGHTS["click"]), now))
        if added:
            history, last = _merged(history, last, added)
        bought = [self.items.at[e.item_id] for e in live if e.event in target and e.item_id in self.items.at]
        if bought:
            seen = _with(seen, bought)
        return Request(self, user, at, history, last, seen)

    def profile(self, at: int) -> pd.DataFrame:
        """What is known of the user at a seat, as one row; nothing of a stranger."""
        if at < 0:
            return self._blank
        row = self.data.profiles.iloc[at : at + 1]
        row.index = _ONE
        return row

    # ------------------------------------------------------------------------------------------------------ candidates
    def stored(self, at: int, allow: np.ndarray, unwanted: np.ndarray, n: int) -> TopK:
        """The candidates made at the training for user `at`, without what may not be shown: at most n."""
        items, scores = self.artifact.candidates.items[at], self.artifact.candidates.scores[at]
        keep = (items >= 0) & allow[items]
        if len(unwanted):
            keep &= ~np.isin(items, unwanted)
        keep = np.flatnonzero(keep)[:n]
        steps = {} if self.step_at is None else {"step": self.step_at[at][keep][None].astype(np.int8)}
        return TopK(_NOBODY, np.asarray(items[keep], np.int32)[None], np.asarray(scores[keep], np.float32)[None], steps)

    def is_enough(self, lists: TopK, at: int, k: int) -> bool:
        """Are k of the stored candidates left, or were there no more to begin with?"""
        return lists.k >= k or lists.k == np.count_nonzero(self.artifact.candidates.items[at] >= 0)

    def scored(self, model: Recommender, batch: UserBatch, allow: np.ndarray, n: int) -> TopK:
        """The n best of a model for a batch of one, padding cut off, with the note "step" if the model has steps."""
        lists = recommend(model, batch, n, allow=allow, keep_seen=self.keep_seen)
        lists = lists.cut(int(np.count_nonzero(lists.items[0] >= 0)))
        return replace(lists, notes={"step": model.steps(lists)}) if hasattr(model, "steps") else lists

    def for_strangers(self, allow: np.ndarray, unwanted: np.ndarray, n: int) -> TopK:
        """What the model says of somebody it knows nothing of, best first; what is popular if it was never asked."""
        if self.anonymous is None:
            top = self.most_popular(allow, unwanted, n)[None]
            blank = np.full(top.shape, np.nan, np.float32)
            return TopK(_NOBODY, top, blank, {"step": np.full(top.shape, -1, np.int8)})
        return _first(*self.anonymous, allow, unwanted, n)

    def most_popular(self, allow: np.ndarray, unwanted: np.ndarray, n: int) -> np.ndarray:
        """Positions (n,) of what most people took: needs no model."""
        popular = self.artifact.popular
        keep = allow[popular]
        if len(unwanted):
            keep &= ~np.isin(popular, unwanted)
        return popular[np.flatnonzero(keep)[:n]]

    def prepare(self) -> None:
        """Ask the model what it thinks of all items for a stranger; before, strangers get what is popular."""
        model = self.artifact.pipeline.model
        lists = recommend(model, self.request(""), len(self.items.ids))
        lists = lists.cut(int(np.count_nonzero(lists.items[0] >= 0)))
        steps = model.steps(lists)[0] if hasattr(model, "steps") else None
        self.anonymous = lists.items[0], lists.scores[0], steps

    def step_name(self, step: int) -> str:
        """What the cascade calls a step; "popular" for -1."""
        return self.steps[step] if 0 <= step < len(self.steps) else POPULAR

    # -------------------------------------------------------------------------------------------------------- the rest
    @cached_property
    def reasons(self) -> tuple[Because, ...]:
        """What explains a list, the better reason first; () without vectors to compare by."""
        vectors, at_least = self.items.vectors
        if vectors is None:
            return ()
        return tuple(Because(vectors, own=own, at_least=at_least) for own in ("seen", "history"))

    def why(self, at: int, item: int, live: Sequence[LiveItem] = ()) -> str:
        """The sentence that an item is a reason with: what user `at` did with it, before the training or since.

        What nobody was told of is a click of this visit.
        """
        span = _span(self.data.weights, at)
        place = span.start + int(np.searchsorted(self.data.weights.indices[span], item))
        before = place < span.stop and self.data.weights.indices[place] == item and self.artifact.deeds[place] >= 0
        done = [self._deed(event) for event in live if self.items.at.get(event.item_id) == item]
        done += [DEEDS[self.artifact.deeds[place]]] if before else []
        return SAID[strongest(filter(None, done)) or "click"].format(self.items.titles[item])

    def _deed(self, event: LiveItem) -> str | None:
        """What an event is in `DEEDS`; None for a rating that is no sign of taste."""
        least = self.artifact.positive_from
        if event.event != "rating" or least is None or event.rating is None:
            return event.event
        return "like" if event.rating >= least else None

    def similar(self, at: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions (n,) and likeness of what is most similar to an item, best first; looked up once."""
        return self.items.neighbourhoods.found(at, lambda: self._similar(at))

    def _similar(self, at):
        found, likeness = self.artifact.similar.similar_items(np.array([at]), N_SIMILAR)
        n = int(np.count_nonzero(found[0] >= 0))
        return found[0, :n].copy(), likeness[0, :n].copy()

    def reference(self) -> Reference:
        """What the lists of the training looked like, for the monitor."""
        first = np.asarray(self.artifact.candidates.items[:, :N_FIRST]).ravel()
        codes = self.items.category_codes[first[first >= 0]]
        counts = np.bincount(codes + 1, minlength=len(self.items.category_names) + 1)
        names = (None, *self.items.category_names)
        shares = {name: float(n / max(counts.sum(), 1)) for name, n in zip(names, counts) if n}
        categories = dict(zip(self.items.ids.tolist(), (names[code + 1] for code in self.items.category_codes)))
        manifest, quantiles = self.artifact.manifest, np.asarray(self.artifact.score_quantiles)
        return Reference(self.version, manifest.trained_at, len(self.items.ids), quantiles, categories, shares)


class Request(UserBatch):
    """A batch of one; its profile is looked up when somebody asks for it: most lists need none, and pandas is slow."""

    def __init__(self, view: View, user: str, at: int, history: csr_matrix, last: np.ndarray, seen: csr_matrix):
        users, seats = pd.Index([user], dtype=object), np.array([at], np.int32)
        vars(self).update(users=users, at=seats, history=history, last=last, seen=seen, _view=view)

    @cached_property
    def profiles(self) -> pd.DataFrame:
        """The row of whoever asks."""
        return self._view.profile(int(self.at[0]))


class Items:
    """The catalogue's side of a view: ids, categories, prices and vectors by position."""

    def __init__(self, artifact: Artifact):
        catalog = self.catalog = artifact.data.catalog
        self.ids = np.asarray(artifact.data.items, dtype=object)
        self.at = {item: at for at, item in enumerate(self.ids.tolist())}
        self.in_stock = allowed(catalog)
        self.titles = catalog["title"].astype(object).to_numpy()
        self.category_codes, self.category_names = _codes(catalog, "category")
        self.prices = _numbers(catalog, "price")
        self.lift = self._lift()
        self.vectors = _vectors_of(artifact)
        self.neighbourhoods = Recent(N_NEIGHBOURHOODS)
        self._masks = Recent(N_MASKS)

    def mask(self, categories, price) -> np.ndarray:
        """Items (I,) bool of these categories, within this range; see `rerank.rules.allowed`."""

        def make():
            try:
                return allowed(self.catalog, in_stock=False, categories=categories or None, price=price)
            except ValueError as error:
                raise BadRequest(str(error)) from None

        return self._masks.found((tuple(categories), price), make)

    def row(self, at: int) -> dict[str, Any]:
        """A row of the catalogue as plain values."""
        return {name: _plain(self.catalog[name].array[at]) for name in self.catalog.columns}

    def _lift(self):
        """A lift by what is known of the items, for a session to come; None where neither labels nor prices are."""
        label = "subcategory" if _codes(self.catalog, "subcategory")[1] else "category"
        labels = self.catalog[label] if _codes(self.catalog, label)[1] else None
        prices = None if np.isnan(self.prices).all() else self.prices
        return None if labels is None and prices is None else SessionLift((), labels, prices)


class Shown:
    """What may be shown at one moment: `allow` (I,) bool, the `sold_out` ids, and what was worked out from them.

    A request takes it once and keeps it, so that nothing of an earlier moment is remembered for a later one.
    """

    def __init__(self, allow: np.ndarray, sold_out: frozenset[str]):
        self.allow, self.sold_out = allow, sold_out
        self.masks = Recent(N_MASKS)  # filters applied to `allow`
        self.answers = Recent(N_MASKS)  # to strangers, who all get the same


class Recent:
    """What was worked out last, at most n results."""

    def __init__(self, n):
        self._n, self._lock, self._kept = n, threading.Lock(), OrderedDict()

    def get(self, key: Hashable) -> Any:
        """The result for a key, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, made: Any) -> None:
        """Remember a result."""
        with self._lock:
            self._kept[key] = made
            if len(self._kept) > self._n:
                self._kept.popitem(last=False)

    def found(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The result for a key, made now if it is not remembered."""
        known = self.get(key)
        if known is None:
            known = make()
            self.put(key, known)
        return known


_ONE = pd.RangeIndex(1)
_NOBODY = pd.Index([""], dtype=object)


def run_all(rerankers: Sequence[Reranker], lists: TopK, batch: UserBatch, k: int) -> TopK:
    """What a `Pipeline` does after the cut: every reranker passes all candidates on, the last one cuts to k."""
    width = max(k, lists.k)
    for rerank in rerankers[:-1]:
        lists = rerank(lists, batch, width)
    return rerankers[-1](lists, batch, k) if rerankers else lists.cut(k)


def _first(order, scores, steps, allow, unwanted, n):
    """The first n of ordered items that may be shown, as a TopK of one row."""
    keep = allow[order]
    if len(unwanted):
        keep &= ~np.isin(order, unwanted)
    keep = np.flatnonzero(keep)[:n]
    notes = {} if steps is None else {"step": steps[keep][None]}
    return TopK(_NOBODY, order[keep][None], scores[keep][None], notes)


def _span(matrix, at):
    return slice(matrix.indptr[at], matrix.indptr[at + 1]) if at >= 0 else slice(0, 0)


def _row(matrix, at):
    """Row `at` of a csr matrix as csr (1, I), a view; an empty one for -1."""
    span = _span(matrix, at)
    return _one_row(matrix.data[span], matrix.indices[span], matrix.shape[1])


def _one_row(data, indices, n_items):
    """csr (1, I) of entries in ascending order; its constructor would check at length what is known."""
    row = copy(_empty_row(n_items))
    row.data, row.indices, row.indptr = data, indices, np.array([0, len(indices)], indices.dtype)
    return row


@lru_cache(8)
def _empty_row(n_items):
    row = csr_matrix((1, n_items))
    row.has_sorted_indices = row.has_canonical_format = True
    return row


def _merged(history, last, added):
    """A history (1, I) and its times with weights and times added, {position: (weight, seconds since 1970)}."""
    weights = dict(zip(history.indices.tolist(), history.data.tolist()))
    times = dict(zip(history.indices.tolist(), last.astype("M8[us]").astype(np.int64).tolist()))
    for item, (weight, when) in added.items():
        weights[item] = weights.get(item, 0.0) + weight
        times[item] = max(times.get(item, -(2**62)), int(when * 1e6))
    indices = np.array(sorted(weights), np.int32)
    order = indices.tolist()
    data = np.array([weights[item] for item in order], np.float32)
    moments = np.array([times[item] for item in order], np.int64).view("M8[us]").astype(last.dtype)
    return _one_row(data, indices, history.shape[1]), moments


def _with(seen, items):
    """A row (1, I) of what somebody has, and these."""
    indices = np.union1d(seen.indices, np.array(items, np.int32)).astype(np.int32)
    return _one_row(np.ones(len(indices), bool), indices, seen.shape[1])


def _codes(catalog, column):
    """The labels of a column as numbers (I,), -1 where missing, and their names; none without the column."""
    if column not in catalog:
        return np.full(len(catalog), -1), ()
    codes, names = pd.factorize(catalog[column].astype(object))
    return codes, tuple(str(name) for name in names)


def _numbers(catalog, column):
    values = pd.to_numeric(catalog[column], errors="coerce") if column in catalog else [np.nan] * len(catalog)
    return np.asarray(values, float)


def _plain(value):
    """A cell as JSON has it: None where nothing is known."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(part) for part in value]
    if value is None or pd.isna(value):
        return None
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return pd.Timestamp(value).isoformat()
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (bool, int, float)) else str(value)


def _models_of(model) -> dict[str, Recommender]:
    """The parts of a model that can answer alone: the steps of a cascade, both sides of its innermost hybrid."""
    found = {band.name: band.model for band in getattr(model, "bands_", ())}
    for part in list(found.values()) or [model]:
        while hasattr(part, "collab_") and hasattr(part.collab_, "content_"):
            part = part.collab_
        if hasattr(part, "collab_") and hasattr(part, "content_"):
            found |= {"collaborative": part.collab_, "content": part.content_}
    return found


def _vectors_of(artifact):
    """What items are compared by when a list is explained (I, D), and the least cosine that explains anything."""
    parts = [artifact.similar, *_models_of(artifact.pipeline.model).values()]
    for part in parts:
        if getattr(part, "vectors_", None) is not None:
            return part.vectors_, 0.2
    for part in parts:
        if getattr(part, "item_factors_", None) is not None:
            return part.item_factors_, 0.5
    return None, 0.0
