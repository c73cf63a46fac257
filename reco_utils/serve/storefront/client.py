"""One way to ask the shop, whether the engine is in this process or behind an API somewhere.

    shop = OverHttp("http://127.0.0.1:8000")        # or InProcess(engine)
    shop.recommend(Ask("ann", k=12, reasons=True))  # the same Answer

Both raise the engine's own errors: `BadRequest`, `NotFound`, and `Unavailable` when nobody answers.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from reco_utils.serve.ask import (
    Answer,
    Ask,
    BadRequest,
    Forgotten,
    Ingested,
    Listed,
    NotFound,
    SearchAnswer,
    Unavailable,
)  # fmt: skip
from reco_utils.serve.engine import Engine

MAX_ROWS = 100  # rows of the catalogue in one request


class KeyMissing(Unavailable):
    """The API wants its admin key for this, and this shop window has none, or another one."""


@dataclass(frozen=True)
class InProcess:
    """The shop of an engine in this process, which answers all but two questions itself.

    Parameters
    ----------
    engine : Engine
    busy : context manager
        Held while somebody is forgotten, e.g. the lock of `Upkeep.feeding`.
    """

    engine: Engine
    busy: AbstractContextManager = field(default_factory=nullcontext)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def items(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Rows of the catalogue by id; an unknown id has none."""
        found = {}
        for item in dict.fromkeys(ids):
            with suppress(NotFound, BadRequest):
                found[item] = self.engine.item(item)
        return found

    def forget(self, user: str) -> Forgotten:
        """See `Engine.forget`."""
        with self.busy:
            return self.engine.forget(user)


@dataclass(eq=False)
class OverHttp:
    """The shop behind an API.

    Parameters
    ----------
    url : str
        Where the API is, e.g. "http://127.0.0.1:8000".
    key : str
        The admin key; only `forget` needs it.
    seconds : float
        How long to wait for an answer.
    transport : httpx transport, optional
        For tests: an app in this process.
    """

    url: str
    key: str = field(default="", repr=False)
    seconds: float = 5.0
    transport: Any = None

    def __post_init__(self):
        import httpx

        self._down = (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol)
        self._http = httpx.Client(base_url=self.url, timeout=self.seconds, transport=self.transport, trust_env=False)

    def recommend(self, ask: Ask) -> Answer:
        """See `Engine.recommend`."""
        low, high = ask.price
        query = {
            "k": ask.k, "reasons": ask.reasons or None, "min_price": low, "max_price": high, "model": ask.model,
            "arm": ask.arm or None, "category": ask.categories, "session": ask.session,
        }  # fmt: skip
        return Answer(**_answer(self._ask("GET", f"/v1/users/{_part(ask.user)}/recommendations", query)))

    def similar(self, item: str, k: int = 10) -> Answer:
        """See `Engine.similar`."""
        return Answer(**_answer(self._ask("GET", f"/v1/items/{_part(item)}/similar", {"k": k})))

    def search(self, query: str, user: str | None = None, k: int = 10) -> SearchAnswer:
        """See `Engine.search`."""
        found = self._ask("GET", "/v1/search", {"q": query, "user": user, "k": k})
        return SearchAnswer(**_answer(found), understood=found.get("understood") or {})

    def items(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Rows of the catalogue by id; an unknown id has none."""
        ids, rows = list(dict.fromkeys(ids)), []
        for start in range(0, len(ids), MAX_ROWS):
            rows += self._ask("GET", "/v1/items", {"id": ids[start : start + MAX_ROWS]})["items"]
        return {row["item_id"]: row for row in rows}

    def categories(self) -> tuple[str, ...]:
        """See `Engine.categories`."""
        return tuple(self._ask("GET", "/v1/categories")["categories"])

    def models(self) -> tuple[str, ...]:
        """See `Engine.models`."""
        return tuple(self._ask("GET", "/v1/models")["models"])

    def features(self, user: str) -> dict[str, dict]:
        """See `Engine.features`."""
        return self._ask("GET", f"/v1/users/{_part(user)}/features")

    def ingest(self, events: Sequence[Mapping[str, Any]]) -> Ingested:
        """See `Engine.ingest`."""
        taken = self._ask("POST", "/v1/events", body=[dict(event) for event in events])
        return Ingested(taken["accepted"], taken["duplicates"], tuple(taken["degraded"]))

    def forget(self, user: str) -> Forgotten:
        """See `Engine.forget`.

        Raises
        ------
        KeyMissing  when the API does not accept the admin key
        """
        gone = self._ask("DELETE", f"/v1/users/{_part(user)}")
        return Forgotten(user, gone["removed"], tuple(gone["trace"]))

    def _ask(self, method, path, query=None, body=None):
        """The JSON that comes back, or the engine's error that a problem stands for."""
        headers = {"Authorization": f"Bearer {self.key}"} if method == "DELETE" and self.key else {}
        query = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            came = self._http.request(method, path, params=query, json=body, headers=headers)
        except self._down as error:
            raise Unavailable(f"nobody answers at {self.url} ({type(error).__name__})") from None
        if came.is_success:
            return _json(came)
        detail = (_json(came, {}) or {}).get("detail", "")
        if came.status_code in (401, 403):
            raise KeyMissing(detail or "the admin key is missing")
        errors = {400: BadRequest, 404: NotFound, 413: BadRequest}
        raise errors.get(came.status_code, Unavailable)(detail or f"the answer was {came.status_code}")


Shop = InProcess | OverHttp  # what the pages ask


def _json(came, default=None):
    """The body as JSON; what is none is as good as no answer."""
    try:
        return came.json()
    except ValueError:
        if default is not None:
            return default
        raise Unavailable("what came back is no JSON; is this the API of the shop?") from None


def _part(text: str) -> str:
    """An id as one part of a path: dots too, for ".." would lead elsewhere."""
    return quote(text, safe="").replace(".", "%2E")


def _answer(found) -> dict:
    """The fields of an `Answer` from JSON."""
    places = [
        Listed(p["item"], p["rank"], p["score"], p["step"], p.get("because"), p.get("slot")) for p in found["items"]
    ]
    return {
        "user": found["user"] or "", "items": tuple(places), "step": found["step"], "version": found["version"],
        "cached": found["cached"], "degraded": tuple(found["degraded"]), "path": found["path"],
        "reasons": {p["item"]: p["reason"] for p in found["items"] if p.get("reason")},
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------------- customers
@dataclass(frozen=True)
class Customer:
    """Somebody to shop as; `kind` says in a few words who that is."""

    user: str
    kind: str


def sample_customers(artifact, n: int = 2) -> list[Customer]:
    """Known customers of several kinds: up to `n` of each, always the same ones for an artifact.

    Parameters
    ----------
    artifact : Artifact
    n : int
        How many of each kind.
    """
    rows = artifact.features[artifact.features["known_items"].notna()]  # somebody forgotten has none, not even []
    known = rows["known_items"].map(len).to_numpy(int)
    cold, bought = rows["cold_start_flag"].to_numpy(bool), rows["purchase_count_30d"].to_numpy()
    kinds = {
        "regular customer": ~cold & (bought >= 3),
        "bought once or twice this month": ~cold & (bought >= 1) & (bought < 3),
        "has not bought for a month": ~cold & (bought == 0),
        "new, a few clicks so far": cold & (known > 0),
        "signed up, never seen here": cold & (known == 0),
    }
    users = rows["user_id"].astype(str).to_numpy()
    found = []
    for kind, mask in kinds.items():
        found += [Customer(user, kind) for user in sorted(users[mask])[:n]]
    return found


# ------------------------------------------------------------------------------------------------------------ rows
@dataclass(eq=False)
class Rows:
    """Rows of the catalogue, remembered for a while: pages show the same products again and again.

    Parameters
    ----------
    shop : Shop
    seconds : float
        How long a row is believed; prices and stock may have changed after that.
    most : int
        Rows kept; all are dropped when there are more.
    clock : function () -> seconds
    """

    shop: Shop
    seconds: float = 60.0
    most: int = 20_000
    clock: Callable[[], float] = time.monotonic
    _kept: dict = field(default_factory=dict, init=False, repr=False)
    _priced: bool = field(default=False, init=False, repr=False)

    @property
    def priced(self) -> bool:
        """Does the catalogue have prices? Yes until rows were seen, and none had one."""
        return self._priced or not self._kept

    def of(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Rows by id, in the order asked for; items that the shop does not have are left out."""
        ids, now, kept = list(dict.fromkeys(ids)), self.clock(), self._kept
        missing = [item for item in ids if item not in kept or now - kept[item][0] > self.seconds]
        if missing:  # a new dict, for other visitors are reading this one
            fresh = {item: (now, row) for item, row in self.shop.items(missing).items()}
            old = kept if len(kept) + len(fresh) <= self.most else {item: kept[item] for item in ids if item in kept}
            kept = {item: found for item, found in old.items() if item not in missing} | fresh
            self._priced = self._priced or any(row.get("price") is not None for _, row in fresh.values())
            self._kept = kept
        return {item: kept[item][1] for item in ids if item in kept}
