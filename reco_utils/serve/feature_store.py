"""What is known of a user at this moment: six features, from last night's batch and from the events since.

    store = FeatureStore(open_kv(), facts=lambda item_id: ("Toys", 9.99))
    store.write_batch(user_features(tables, asof), embeddings, asof)     # once a night
    store.update(*log.append(events).accepted)                           # with every event
    store.read("ann").recent_categories.value                            # ("Toys",)

Two entries per user: the batch row, and a short list of the events since. A feature is worked out when it is read, from
both, by the same functions that made the batch row (`data.features`): what a model is trained on and what it is served
with cannot drift apart. An event that comes twice counts once.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from reco_utils.core import USER
from reco_utils.data.features import N_PRICES, PURCHASE_DAYS, is_cold, price_range, recent_categories
from reco_utils.data.weighting import as_instant
from reco_utils.serve.event_log import Event
from reco_utils.serve.kv import KeyValue, hashed

HOUR, DAY = 3_600.0, 86_400.0
TTL = {
    "user_embedding_64d": 36 * HOUR,
    "recent_categories": 36 * HOUR,
    "avg_price_range": 36 * HOUR,
    "purchase_count_30d": 36 * HOUR,
    "cold_start_flag": 36 * HOUR,
    "session_click_ids": 0.5 * HOUR,
}
PAUSE = 0.5 * HOUR  # a longer one ends a visit
N_CLICKS = 50
LOOKS = frozenset(("view", "click", "add_to_cart"))
LIVE_BYTES = 2**14  # of the events kept per user: 150 to 300 of them


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of one user.

    Parameters
    ----------
    value : see `Features`
    age_seconds : float, 0 or more
        Since the batch or the last event behind it; 0 for a default.
    stale : bool
        Older than its ttl. The value is given nevertheless.
    source : {"batch", "stream", "default"}
        The newest part of it: last night's row, an event since, or nothing is known.
    """

    value: object
    age_seconds: float
    stale: bool
    source: str


@dataclass(frozen=True, slots=True)
class LiveItem:
    """An event since the batch: what was done to which item and when (seconds since 1970), and how it was rated."""

    item_id: str
    event: str
    timestamp: float
    rating: float | None = None


@dataclass(frozen=True, slots=True)
class Features:
    """The six features of a user and the events behind the newest of them.

    Parameters
    ----------
    user_embedding_64d : (D,) float32, or None
        The model's vector of the user.
    recent_categories : tuple of up to 5 str, newest first
    avg_price_range : (low, high), the quartiles of the last 50 prices seen or bought; None without any
    purchase_count_30d : int
    cold_start_flag : bool
        Fewer than 5 distinct items so far.
    session_click_ids : tuple of str, newest last, at most 50
        Items viewed, clicked or put into the cart in this visit: no pause above 30 minutes, none up to now either.
    live : tuple of LiveItem, oldest first
        The events since `asof`, purchases included.
    asof : seconds since 1970, or None without a batch row
    """

    user_embedding_64d: Feature
    recent_categories: Feature
    avg_price_range: Feature
    purchase_count_30d: Feature
    cold_start_flag: Feature
    session_click_ids: Feature
    live: tuple[LiveItem, ...] = ()
    asof: float | None = None

    def to_dict(self) -> dict[str, dict]:
        """The six as plain data for JSON: name -> value, age_seconds, stale, source."""
        found = {name: asdict(getattr(self, name)) for name in TTL}
        vector = self.user_embedding_64d.value
        found["user_embedding_64d"]["value"] = None if vector is None else vector.tolist()
        return found


@dataclass(frozen=True, slots=True)
class _Row:
    """What the batch wrote for one user; all lists newest first."""

    asof: float
    categories: tuple = ()
    prices: tuple = ()
    purchases: tuple = ()
    items: tuple = ()
    embedding: np.ndarray | None = None


@dataclass(eq=False)
class FeatureStore:
    """Batch rows and live events of users in a `KeyValue`.

    Parameters
    ----------
    kv : KeyValue
    clock : function () -> seconds since 1970
        Times that lie in its future count as now, so that no age is negative.
    ttl : mapping of feature to seconds
        From when a value is stale. What is left out keeps its default (36 hours; session_click_ids half an hour, after
        which the visit is over and the list empty).
    facts : function item_id -> (category or None, price or None)
        What the catalogue says; asked when features are read. An unknown item: (None, None).
    secret : bytes
        Of `kv.hashed`.
    keep_days : float
        Rows and events that nobody renewed are dropped after this time.
    """

    kv: KeyValue
    clock: Callable[[], float] = time.time
    ttl: Mapping[str, float] = field(default_factory=dict)
    facts: Callable[[str], tuple[str | None, float | None]] = lambda item_id: (None, None)
    secret: bytes = b""
    keep_days: float = 30.0

    def __post_init__(self):
        strange = sorted(set(self.ttl) - set(TTL))
        if strange:
            raise ValueError(f"ttl for the unknown features {strange}; there are {list(TTL)}")
        self.ttl = TTL | dict(self.ttl)
        for name, value in {**self.ttl, "keep_days": self.keep_days}.items():
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be more than 0 and finite, got {value}")

    def write_batch(self, frame: pd.DataFrame, embeddings: np.ndarray | None = None, asof=None) -> int:
        """Write a row per user; how many.

        Parameters
        ----------
        frame : DataFrame
            As `data.features.user_features` makes it.
        embeddings : (U, D) float32, optional
            Row u is the vector of frame row u; a row with NaN is none.
        asof : time
            Events up to here are inside; later ones stay live. Default: what the frame says in `frame.attrs["asof"]`.

        Raises
        ------
        ValueError  without a time, or for embeddings of another length
        StoreDown  some rows may have been written; write them all again
        """
        if asof is None and "asof" not in frame.attrs:
            raise ValueError("asof must be given: the frame does not say it in its attrs")
        if embeddings is not None and len(embeddings) != len(frame):
            raise ValueError(f"embeddings must have one row per user ({len(frame)}), got {len(embeddings)}")
        asof = _instant(frame.attrs["asof"] if asof is None else asof)
        part = {}
        for key, value in self._rows(frame, embeddings, asof):
            part[key] = value
            if len(part) == 1_000:
                self.kv.set_many(part, self.keep_days * DAY)
                part = {}
        self.kv.set_many(part, self.keep_days * DAY)
        return len(frame)

    def update(self, *events: Event) -> None:
        """Take in what users just did. Sent again, or in another order, the result is the same."""
        now, lines = self.clock(), {}
        for event in events:
            lines.setdefault(event.user_id, []).append(_line(event, now))
        for user_id, added in lines.items():
            self.kv.push(self._keys(user_id)[1], added, max_bytes=LIVE_BYTES, ttl=self.keep_days * DAY)

    def read(self, user_id: str) -> Features:
        """All that is known of a user now; defaults for a stranger."""
        row, events = self.kv.get_many(self._keys(user_id))
        row, events = _row(row), _events(events)
        begin = -math.inf if row is None else row.asof
        return self._features(row, [event for event in events if event.timestamp > begin], events)

    def lately(self, user_id: str, since: float) -> tuple[list[LiveItem], list[str]]:
        """All that a list needs: the events after `since` (e.g. the artifact's asof), and the clicks of this visit.

        Both oldest first; the clicks are `session_click_ids` of `read`, at a tenth of what that costs.
        """
        events = _events(self.kv.get(self._keys(user_id)[1]))
        clicks = _visit(events[::-1], self.clock())
        return [event for event in events if event.timestamp > since], [event.item_id for event in clicks]

    def forget(self, user_id: str) -> int:
        """Remove a user; how many entries there were (0 to 2)."""
        n = self.kv.delete(*self._keys(user_id))
        self.kv.scrub(hashed(user_id, self.secret))
        return n

    def trace(self, user_id: str) -> list[str]:
        """Keys that still hold the user; [] after `forget`."""
        keys = self._keys(user_id)
        return [key for key, value in zip(keys, self.kv.get_many(keys)) if value is not None]

    def _keys(self, user_id):
        """Where a user's batch row and events are."""
        user = hashed(user_id, self.secret)
        return [f"features:{user}", f"events:{user}"]

    def _rows(self, frame, embeddings, asof) -> Iterator[tuple[str, bytes]]:
        """Key and value of each user."""
        names = [USER, "recent_categories", "recent_prices", "purchase_times", "known_items"]
        vectors = [None] * len(frame) if embeddings is None else np.asarray(embeddings, np.float32)
        for (user_id, *lists), vector in zip(zip(*(frame[name] for name in names)), vectors):
            head = json.dumps([asof, *(np.asarray(each).tolist() for each in lists)], separators=(",", ":")).encode()
            tail = b"" if vector is None or np.isnan(vector).any() else vector.tobytes()
            yield self._keys(user_id)[0], head + b"\n" + tail

    def _features(self, row, live, events) -> Features:
        """The six, from the batch row and the events since (oldest first); a visit goes on across a batch."""
        now, known = self.clock(), row or _Row(0.0)
        newest = live[::-1]
        facts = [self.facts(event.item_id) for event in newest]
        prices = [float(price) for _, price in facts if price is not None and math.isfinite(price)]
        bought = [event.timestamp for event in newest if event.event == "purchase"]
        month = [t for t in (*bought, *known.purchases) if t > now - PURCHASE_DAYS * DAY]
        clicks = _visit(events[::-1], now)

        def feature(name, value, live_at):
            """The newest of: an event that matters for it, the batch, nothing."""
            at = live_at if live_at is not None else row and row.asof
            source = "stream" if live_at is not None else "batch" if row else "default"
            age = 0.0 if at is None else max(0.0, now - at)
            return Feature(value, age, age > self.ttl[name], source)

        at = {
            "any": newest[0].timestamp if newest else None,
            "category": next((e.timestamp for e, fact in zip(newest, facts) if fact[0] is not None), None),
            "price": next((e.timestamp for e, fact in zip(newest, facts) if fact[1] is not None), None),
            "purchase": bought[0] if bought else None,
        }
        categories = tuple(recent_categories([*(category for category, _ in facts), *known.categories]))
        n_items = len({event.item_id for event in newest}.union(known.items))
        vector = Feature(None, 0.0, False, "default")
        if known.embedding is not None:
            vector = feature("user_embedding_64d", known.embedding, None)
        return Features(
            user_embedding_64d=vector,
            recent_categories=feature("recent_categories", categories, at["category"]),
            avg_price_range=feature("avg_price_range", price_range([*prices, *known.prices][:N_PRICES]), at["price"]),
            purchase_count_30d=feature("purchase_count_30d", len(month), at["purchase"]),
            cold_start_flag=feature("cold_start_flag", is_cold(n_items), at["any"]),
            session_click_ids=(
                Feature(tuple(event.item_id for event in clicks), max(0.0, now - clicks[-1].timestamp), False, "stream")
                if clicks
                else Feature((), 0.0, False, "default")
            ),
            live=tuple(live),
            asof=row and row.asof,
        )


def _visit(newest_first, now):
    """The looks of the visit that is still going on, oldest first: no pause above half an hour, none up to now."""
    clicks, last = [], now
    for event in newest_first:
        if last - event.timestamp > PAUSE:
            break
        last = event.timestamp
        if event.event in LOOKS:
            clicks.append(event)
    return clicks[:N_CLICKS][::-1]


def _instant(when):
    """A time as seconds since 1970."""
    return as_instant(when).tz_localize("UTC").timestamp()


def _line(event, now):
    """An event as it is kept. What its id was does not matter, only that it is the same one if it comes again."""
    mark = hashlib.blake2b(event.event_id.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    kept = [min(event.timestamp, now), event.item_id, event.event, mark]
    kept += [] if event.rating is None else [event.rating]
    return json.dumps(kept, separators=(",", ":")).encode()


def _row(value):
    """What `write_batch` wrote, None if it wrote nothing."""
    if value is None:
        return None
    head, _, tail = value.partition(b"\n")
    asof, *lists = json.loads(head)
    return _Row(asof, *map(tuple, lists), np.frombuffer(tail, np.float32) if tail else None)


def _events(value):
    """The events kept of a user, oldest first, each once."""
    if value is None:
        return []
    lines = json.loads(b"[" + value[:-1].replace(b"\n", b",") + b"]")
    # of events with the same mark the first one counts
    once = {mark: LiveItem(item, event, at, *rating) for at, item, event, mark, *rating in reversed(lines)}
    return sorted(reversed(once.values()), key=lambda event: event.timestamp)


def catalog_facts(live) -> Callable[[str], tuple[str | None, float | None]]:
    """A function item_id -> (category, price) of the catalogue that serves: for `FeatureStore(facts=...)`."""
    known: list = [None, {}]  # the catalogue, and the facts in it

    def facts(item_id):
        catalog, items = known[0], known[1]
        if live.stable.data.catalog is not catalog:
            catalog = live.stable.data.catalog
            items = _facts_of(catalog)
            known[:] = catalog, items
        return items.get(item_id, (None, None))

    return facts


def _facts_of(catalog):
    """{item id: (category, price)}, None where one is not known."""
    columns = [catalog[name].tolist() if name in catalog else [None] * len(catalog) for name in ("category", "price")]
    rows = zip(catalog["item_id"].tolist(), *columns)
    return {item: tuple(None if v is None or v != v else v for v in facts) for item, *facts in rows}
