"""What is known of a user at this moment: six features, from last night's batch and from the events since.

    store = FeatureStore(open_kv(), facts=lambda item_id: ("Toys", 9.99))
    store.write_batch(user_features(tables, asof), embeddings, asof)     # once a night
    store.update(*log.append(events).accepted)                           # with every event
    store.read("ann").recent_categories                                  # Feature(value=("Toys",), age_seconds=3.2, ...)

Two entries per user: the batch row, and a short list of the events since. A feature is worked out when it is read, from
both, by the same functions that made the batch row (`data.features`): what a model is trained on and what it is served
with cannot drift apart. An event that comes twice counts once.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from reco_utils.serve.event_log import Event
from reco_utils.serve.kv import KeyValue

HOUR, DAY = 3_600.0, 86_400.0
TTL = {
    "user_embedding_64d": 36 * HOUR,
    "recent_categories": 36 * HOUR,
    "avg_price_range": 36 * HOUR,
    "purchase_count_30d": 36 * HOUR,
    "cold_start_flag": 36 * HOUR,
    "session_click_ids": 0.5 * HOUR,
}


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
    """An event since the batch: what was done to which item, and when (seconds since 1970)."""

    item_id: str
    event: str
    timestamp: float


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
        raise NotImplementedError


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

    def write_batch(self, frame: pd.DataFrame, embeddings: np.ndarray | None = None, asof=None) -> int:
        """Write a row per user; how many.

        Parameters
        ----------
        frame : DataFrame
            As `data.features.user_features` makes it (user_id as a column).
        embeddings : (U, D) float32, optional
            Row u is the vector of frame row u; a row with NaN is none.
        asof : time
            Events up to here are inside; later ones stay live. Default: what the frame says in `frame.attrs["asof"]`.
        """
        raise NotImplementedError

    def update(self, *events: Event) -> None:
        """Take in what users just did. Sent again, or in another order, the result is the same."""
        raise NotImplementedError

    def read(self, user_id: str, *, since: float | None = None) -> Features:
        """All that is known of a user now; defaults for a stranger.

        Parameters
        ----------
        since : seconds since 1970, optional
            `live` begins after this, e.g. the artifact's asof. Default: the asof of the batch row.
        """
        raise NotImplementedError

    def live_items(self, user_id: str, *, since: float | None = None) -> list[LiveItem]:
        """The user's events since the batch (or since `since`), oldest first, to be folded in."""
        raise NotImplementedError

    def forget(self, user_id: str) -> int:
        """Remove a user; how many entries there were (0 to 2)."""
        raise NotImplementedError

    def trace(self, user_id: str) -> list[str]:
        """Keys that still hold the user; [] after `forget`."""
        raise NotImplementedError
