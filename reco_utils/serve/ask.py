"""The questions an engine is asked, checked, and the answers it gives. Ids go in and come out, all of them text.

Letters: K list length.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MAX_K = 100  # longest list anybody may ask for
MAX_ID = 256  # characters of an id
MAX_SESSION = 100  # clicks of a session
MAX_NAMES = 50  # categories of a filter
MAX_QUERY = 1_000  # characters of a search


class BadRequest(ValueError):
    """The question makes no sense: what is wrong with it, and what is allowed.

    Of a list of events, `problems` maps the position of each bad one to what is wrong with it.
    """

    def __init__(self, message: str, problems: Mapping[int, str] | None = None):
        super().__init__(message)
        self.problems = dict(problems or {})


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
        put(self, "user", text_of("user", self.user))
        put(self, "k", whole("k", self.k, MAX_K))
        put(self, "session", tuple(text_of("session", item) for item in _several("session", self.session, MAX_SESSION)))
        names = _several("categories", self.categories, MAX_NAMES)
        put(self, "categories", tuple(sorted({text_of("categories", name) for name in names})))
        put(self, "price", _price_range(self.price))
        if not isinstance(self.reasons, bool):
            raise BadRequest(f"reasons must be true or false, got {short(self.reasons)}")
        if self.model is not None:
            text_of("model", self.model)
        if self.arm != "":
            text_of("arm", self.arm)

    @property
    def filtered(self) -> bool:
        """Does the question rule items out?"""
        return bool(self.categories) or self.price != (None, None)


def text_of(name: str, value) -> str:
    """An id or name as such, or a refusal that does not repeat all of it."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID or not value.isprintable():
        size = f" of {len(value)} characters" if isinstance(value, str) else ""
        raise BadRequest(f"{name} must be text of 1 to {MAX_ID} printable characters, got {short(value)}{size}")
    return value


def short(value) -> str:
    """The beginning of what somebody sent."""
    text = repr(value[:60] if isinstance(value, (str, bytes, list, tuple)) else value)
    return text if len(text) <= 80 else text[:77] + "..."


def whole(name: str, value, most: int) -> int:
    """A whole number from 1 to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise BadRequest(f"{name} must be a whole number from 1 to {most}, got {short(value)}")
    return value


def _several(name, values, most):
    """Several values; a lone text would be taken letter by letter."""
    if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, frozenset)):
        raise BadRequest(f"{name} must be a list, got {short(values)}")
    if len(values) > most:
        raise BadRequest(f"{name} must be at most {most} entries, got {len(values)}")
    return values


def _price_range(price) -> tuple[float | None, float | None]:
    """(lowest, highest), each a finite number of at least 0, or None."""
    if not isinstance(price, (tuple, list)) or len(price) != 2:
        raise BadRequest(f"price must be (lowest, highest), got {short(price)}")
    for end in price:
        number = isinstance(end, (int, float)) and not isinstance(end, bool)
        if end is not None and not (number and 0 <= end < math.inf):
            raise BadRequest(f"price must be numbers of at least 0, or None, got {short(price)}")
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
        Parts that failed or were late: "cache", "features", "model", "rerank", "reasons", "live", "similar", "search";
        "busy" if there was no thread free before the deadline. () when all is well.
    reasons : dict of item id to sentence
        Empty unless asked for.
    path : {"cached", "precomputed", "live", "stranger", "popular", "similar", "search"}
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
class SearchAnswer(Answer):
    """The answer to a search, and what the query was taken to mean.

    `understood` has words, corrected, unknown, filters, boosts and relaxed, as `models.query.Understood`.
    """

    understood: Mapping[str, Any] = field(default_factory=dict)


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


def pack(answer: Answer) -> bytes:
    """An answer as bytes for the cache, without the user."""
    body = [1, answer.step, answer.version, answer.path, answer.reasons, answer.items]
    return json.dumps(body, separators=(",", ":")).encode()


def unpack(body: bytes | None, user: str) -> Answer | None:
    """The answer for a user from the cache; None for anything that `pack` did not make."""
    try:
        form, step, version, _, reasons, items = json.loads(body)
        if form != 1:
            return None
        items = tuple(Listed(*item) for item in items)
        return Answer(user, items, step, version, True, (), reasons, "cached")
    except (TypeError, ValueError):
        return None
