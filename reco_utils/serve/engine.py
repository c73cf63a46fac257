"""From a question to a list in milliseconds, whatever fails on the way.

    cache -> features -> candidates -> rules -> session -> rerankers -> reasons          each may fail or be late;
      |                                                                                 the best list that is left is
      +--> a list that was made before                              popular <--- last resort    served, and named

Ids come in and go out; positions live only inside. All ids are text.

Letters: U users, I items, K list length, C candidates.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MAX_K = 100  # longest list anybody may ask for
MAX_ID = 256  # characters of an id
MAX_SESSION = 100  # clicks of a session
MAX_NAMES = 50  # categories of a filter


class BadRequest(ValueError):
    """The question makes no sense: what is wrong with it, and what is allowed."""


class NotFound(LookupError):
    """The question is about an item that the shop does not have."""


class Unavailable(RuntimeError):
    """Not even a fallback is possible; the text says which part is missing. Try again."""


@dataclass(frozen=True)
class Ask:
    """Who wants a list of what. Everything is checked here; a bad value is a `BadRequest`.

    Parameters
    ----------
    user : str, 1 to 256 characters
        Known or not: strangers are welcome.
    k : int, 1 to 100
    reasons : bool
        Say why an item is in the list, where there is an honest reason.
    session : up to 100 item ids, oldest first
        Clicks of this visit. Items that the model does not know are left out. They are added to those that came in as
        events.
    categories : up to 50 names
        Only items of these; () for no such filter.
    price : (lowest, highest), both included; None for no limit on that side
    model : str, optional
        One of `Engine.models()`; None is the whole cascade.
    arm : str
        Of an experiment; lists of different arms are cached apart.
    """

    user: str
    k: int = 10
    reasons: bool = False
    session: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    price: tuple[float | None, float | None] = (None, None)
    model: str | None = None
    arm: str = ""

    def __post_init__(self):
        put = object.__setattr__
        put(self, "user", _text("user", self.user))
        put(self, "k", _whole("k", self.k, MAX_K))
        put(self, "session", tuple(_text("session", item) for item in _several("session", self.session, MAX_SESSION)))
        names = _several("categories", self.categories, MAX_NAMES)
        put(self, "categories", tuple(sorted({_text("categories", name) for name in names})))
        put(self, "price", _price_range(self.price))
        if not isinstance(self.reasons, bool):
            raise BadRequest(f"reasons must be true or false, got {_short(self.reasons)}")
        if self.model is not None:
            _text("model", self.model)
        if self.arm != "":
            _text("arm", self.arm)

    @property
    def filtered(self) -> bool:
        """Does the question rule items out?"""
        return bool(self.categories) or self.price != (None, None)


def _text(name, value) -> str:
    """An id or name as such, or a refusal that does not repeat all of it."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID or not value.isprintable():
        size = f" of {len(value)} characters" if isinstance(value, str) else ""
        raise BadRequest(f"{name} must be text of 1 to {MAX_ID} printable characters, got {_short(value)}{size}")
    return value


def _short(value) -> str:
    """The beginning of what somebody sent."""
    text = repr(value[:60] if isinstance(value, (str, bytes, list, tuple)) else value)
    return text if len(text) <= 80 else text[:77] + "..."


def _whole(name, value, most) -> int:
    """A whole number from 1 to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise BadRequest(f"{name} must be a whole number from 1 to {most}, got {_short(value)}")
    return value


def _several(name, values, most):
    """Several values; a lone text would be taken letter by letter."""
    if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, set, frozenset)):
        raise BadRequest(f"{name} must be a list, got {_short(values)}")
    if len(values) > most:
        raise BadRequest(f"{name} must be at most {most} entries, got {len(values)}")
    return values


def _price_range(price) -> tuple[float | None, float | None]:
    """(lowest, highest), each a finite number of at least 0, or None."""
    if not isinstance(price, (tuple, list)) or len(price) != 2:
        raise BadRequest(f"price must be (lowest, highest), got {_short(price)}")
    for end in price:
        number = isinstance(end, (int, float)) and not isinstance(end, bool)
        if end is not None and not (number and 0 <= end < math.inf):
            raise BadRequest(f"price must be numbers of at least 0, or None, got {_short(price)}")
    low, high = price
    if low is not None and high is not None and low > high:
        raise BadRequest(f"price must be (lowest, highest), got ({low}, {high})")
    return (None if low is None else float(low)), (None if high is None else float(high))


class Listed(NamedTuple):
    """One place of a list.

    `step` names the part of the cascade that answered for it ("popular" for the fallback), `because` is the id of the
    user's own item that explains it, `slot` the name of the carousel's slot; None where there is no such thing.
    """

    item: str
    rank: int
    score: float | None
    step: str
    because: str | None = None
    slot: str | None = None


@dataclass(frozen=True)
class Answer:
    """A list, where it comes from, and what was missing when it was made.

    Parameters
    ----------
    user : str
    items : tuple of Listed, best first
    step : str
        The part of the cascade that was asked first: "cohort" for a stranger, "popular" for the last resort.
    version : str
        Of the artifact.
    cached : bool
    degraded : tuple of str
        Parts that failed or were late: "cache", "features", "model", "rerank", "reasons", "live". () when all is well.
    reasons : dict of item id to sentence
        Empty unless asked for.
    path : {"cached", "precomputed", "live", "stranger", "popular"}
        Which road the list took.
    """

    user: str
    items: tuple[Listed, ...]
    step: str
    version: str
    cached: bool = False
    degraded: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    path: str = "live"


@dataclass(frozen=True)
class Ingested:
    """How many events were taken, how many had come before; `degraded` names what will only learn of them later."""

    accepted: int
    duplicates: int
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forgotten:
    """What was removed where, and what still holds the user: `trace` is () when nothing does.

    `removed` counts by place: "events", "features", "cache", "memory", and one "artifact <version>" per version kept.
    """

    user: str
    removed: Mapping[str, Any]
    trace: tuple[str, ...] = ()


@dataclass(frozen=True)
class Health:
    """May this process serve? `reasons` says why not; `breakers` the state of each part."""

    ready: bool
    reasons: tuple[str, ...]
    version: str
    age_hours: float
    breakers: Mapping[str, str]


class Engine:
    """Answers for one shop; safe to be called by many threads at once.

    No method raises anything but `BadRequest`, `NotFound` and `Unavailable`.

    Parameters
    ----------
    live : Live
        The artifacts that serve.
    features : FeatureStore
    cache : ListCache
    log : EventLog
    monitor : Monitor
    deadline_ms : float, ms
        Latest answer to `recommend`, `similar` and `search`; what is not ready by then is left out.
    target : tuple of str
        Events after which the user has the item.
    keep_seen : bool
        May a list repeat what the user already has?
    max_age_hours : float, hours
        An older model is not ready for service, though it serves.
    clock : function that returns seconds since 1970
    timer : function that returns seconds; only differences count
    """

    def __init__(
        self,
        live,
        features,
        cache,
        log,
        monitor,
        *,
        deadline_ms: float = 40.0,
        target: Sequence[str] = ("purchase",),
        keep_seen: bool = False,
        max_age_hours: float = 36.0,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.perf_counter,
    ):
        self.live, self.store, self.cache, self.log, self.monitor = live, features, cache, log, monitor
        self.deadline_ms, self.target, self.keep_seen = deadline_ms, tuple(target), keep_seen
        self.max_age_hours, self.clock, self.timer = max_age_hours, clock, timer

    # ------------------------------------------------------------------------------------------------------ questions
    def recommend(self, ask: Ask) -> Answer:
        """The best list that can be made in time.

        Raises
        ------
        BadRequest  for a category or model that does not exist
        Unavailable  when no artifact was ever loaded
        """
        raise NotImplementedError

    def similar(self, item: str, k: int = 10) -> Answer:
        """What goes with an item, best first, only what may be shown; `user` of the answer is "".

        Raises
        ------
        NotFound  for an unknown item
        """
        raise NotImplementedError

    def search(self, query: str, user: str | None = None, k: int = 10) -> "SearchAnswer":
        """Items for what somebody typed, those the user likes first.

        Raises
        ------
        BadRequest  for a query that is no text, or longer than 1,000 characters
        """
        raise NotImplementedError

    def features(self, user: str) -> dict[str, dict]:
        """What is known of a user, by feature: value, age_seconds, stale and source; defaults for a stranger."""
        raise NotImplementedError

    def item(self, item: str) -> dict[str, Any]:
        """The catalogue's row of an item as plain values, None where missing, `in_stock` as of now.

        Raises
        ------
        NotFound  for an unknown item
        """
        raise NotImplementedError

    def categories(self) -> tuple[str, ...]:
        """Names that `Ask.categories` may hold."""
        raise NotImplementedError

    def models(self) -> tuple[str, ...]:
        """Names that `Ask.model` may hold: the steps of the cascade, the parts of its hybrid, and "popular"."""
        raise NotImplementedError

    # --------------------------------------------------------------------------------------------------------- changes
    def ingest(self, events: Sequence[Mapping[str, Any]]) -> Ingested:
        """Take events: durable when this returns, and part of the user's next list.

        Each is a mapping with user_id, item_id, event, and if possible event_id and timestamp.

        Raises
        ------
        BadRequest  for events that make no sense, all of them named by index; none is taken
        Unavailable  when the log cannot write: nothing was taken, send them again
        """
        raise NotImplementedError

    def forget(self, user: str) -> Forgotten:
        """Remove every trace of a user: events, features, cached lists, memory and every artifact kept.

        Raises
        ------
        Unavailable  when a part cannot be reached; what could be removed is removed, and it is safe to ask again
        """
        raise NotImplementedError

    def stock(self, item: str, in_stock: bool) -> None:
        """From now on an item may, or may not, be shown; holds for cached lists too.

        Raises
        ------
        NotFound  for an unknown item
        """
        raise NotImplementedError

    # ---------------------------------------------------------------------------------------------------------- upkeep
    def warm(self) -> float:
        """Answer a few made-up questions so that the first real one is fast; returns the seconds it took."""
        raise NotImplementedError

    def refresh(self) -> bool:
        """Serve what is published now; True if that is another version. Call it every few seconds."""
        raise NotImplementedError

    def replay(self) -> int:
        """Tell the feature store all events since the training: after a restart with a store in memory."""
        raise NotImplementedError

    def health(self) -> Health:
        """Is a model loaded, young enough, and is the fallback armed?"""
        raise NotImplementedError

    def close(self) -> None:
        """Stop the threads."""
        raise NotImplementedError


@dataclass(frozen=True)
class SearchAnswer(Answer):
    """The answer to a search, and what the query was taken to mean.

    `understood` has words, corrected, unknown, filters, boosts and relaxed, as `models.query.Understood`.
    """

    understood: Mapping[str, Any] = field(default_factory=dict)
