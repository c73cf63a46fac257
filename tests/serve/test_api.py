"""The service over HTTP: every route, every refusal, limits, what is logged, and what no request may do to it."""

import asyncio
import json
import logging
import random
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import quote, unquote

import jsonschema
import numpy as np
import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="the service needs the extra `serve`")
pytest.importorskip("uvicorn", reason="the service needs the extra `serve`")

from reco_utils.serve import api
from reco_utils.serve.ask import (
    Answer,
    Ask,
    BadRequest,
    Forgotten,
    Health,
    Ingested,
    Listed,
    NotFound,
    SearchAnswer,
    Unavailable,
)
from reco_utils.serve.limits import SENDERS, TokenBuckets, client_of
from reco_utils.serve.logs import JsonLines
from reco_utils.serve.reference import example_of
from reco_utils.serve.settings import Settings

KEY = "a-key-for-the-tests"
ADMIN = {"authorization": f"Bearer {KEY}"}
SETTINGS = Settings(admin_key=KEY, rate=0, log="none")
DOCUMENT = api.create_app(None, SETTINGS).openapi()
FORMS = DOCUMENT["components"]["schemas"]
OPERATIONS = [
    {"path": path, "method": method.upper(), **operation}
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


class StandIn:
    """An engine that answers from a few lines, and does wrong what a test tells it to."""

    def __init__(self, fault=None):
        self.fault, self.asked, self.events, self.lock = fault, [], {}, threading.Lock()
        self.live = SimpleNamespace(home="nowhere")
        self.monitor = SimpleNamespace(prometheus=lambda: "reco_lists_total 1\n")
        self.stocked, self.n_refreshed = {}, 0
        self.state = Health(True, (), "v1", 5.0, {"model": "closed"})

    def _heard(self, *what):
        self.asked.append(what)
        if self.fault is not None:
            raise self.fault

    def at_once(self, ask: Ask) -> Answer | None:
        return Answer(ask.user, (), "hybrid", "v1", True, path="cached") if ask.user == "regular" else None

    def recommend(self, ask: Ask) -> Answer:
        self._heard(ask)
        if ask.model not in (None, "popular"):
            raise BadRequest("model must be popular")
        places = [Listed(f"i{n}", n + 1, 1 / (n + 1), "cohort", "i9" if ask.reasons else None) for n in range(ask.k)]
        reasons = {"i0": "because you bought i9"} if ask.reasons else {}
        return Answer(ask.user, tuple(places), "cohort", "v1", degraded=("cache",), reasons=reasons, path="stranger")

    def similar(self, item, k=10) -> Answer:
        self._heard(item, k)
        if item == "none":
            raise NotFound("there is no item 'none'")
        return Answer("", (Listed("i1", 1, float("nan"), "similar"),), "similar", "v1")

    def search(self, query, user=None, k=10) -> SearchAnswer:
        self._heard(query, user, k)
        return SearchAnswer("", (), "search", "v1", understood={"words": ("blue",), "price": (np.float32(1), None)})

    def features(self, user):
        self._heard(user)
        value = np.array([0.5, np.nan], np.float32)
        return {"user_embedding_64d": {"value": value, "age_seconds": 1.0, "stale": False, "source": "batch"}}

    def item(self, item):
        self._heard(item)
        if item == "none":
            raise NotFound("there is no item 'none'")
        return {
            "item_id": item,
            "price": np.float64(9.5),
            "created_at": pd.Timestamp("2026-01-02", tz="UTC"),
            "rating": np.nan,
        }

    def categories(self):
        return ("Tea", "Toys")

    def models(self):
        return ("hybrid", "popular")

    def ingest(self, events):
        self._heard(events)
        bad = {at: "user_id is missing" for at, event in enumerate(events) if "user_id" not in event}
        if bad:
            raise BadRequest(f"{len(bad)} bad events", bad)
        with self.lock:
            new = {event["event_id"]: event for event in events if event["event_id"] not in self.events}
            self.events |= new
        return Ingested(len(new), len(events) - len(new))

    def forget(self, user):
        self._heard(user)
        return Forgotten(user, {"events": np.int64(3), "artifact v1": {"weights": 2}})

    def stock(self, item, in_stock):
        self._heard(item, in_stock)
        self.stocked[item] = in_stock

    def refresh(self):
        self.n_refreshed += 1
        return False

    def health(self):
        return self.state


class Reply(NamedTuple):
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Caller:
    """Sends requests straight into an app, as a server would, on one event loop for all tests."""

    runner = asyncio.Runner()

    def __init__(self, engine=None, settings=SETTINGS, **options):
        self.engine = engine or StandIn()
        self.app = api.create_app(self.engine, settings, **options)

    def __call__(self, method, path, query=b"", body=b"", headers=None, *, client="192.0.2.7", parts=None, raw=True):
        return self.runner.run(self._send(method, path, query, body, headers or {}, client, parts, raw))

    async def _send(self, method, path, query, body, headers, client, parts, raw):
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        if body and "content-type" not in headers:
            pairs.append((b"content-type", b"application/json"))
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(path) if raw else path, "root_path": "",
            "query_string": query.encode() if isinstance(query, str) else query,
            "headers": pairs, "client": (client, 5), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        if raw:
            scope["raw_path"] = path.encode("latin-1")
        coming = iter(parts if parts is not None else [(body, False)])
        sent = []

        async def receive():
            part = next(coming, None)
            if part is None:
                return {"type": "http.disconnect"}
            if part == "never":
                await asyncio.sleep(60)
            return {"type": "http.request", "body": part[0], "more_body": part[1]}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))

    def post(self, path, value, headers=None, **options):
        return self("POST", path, b"", json.dumps(value).encode(), headers, **options)


def event(n, **more):
    return {"event_id": f"e{n}", "user_id": "ann", "item_id": "i1", "event": "click", **more}


@pytest.fixture
def call():
    return Caller()


# ---------------------------------------------------------------------------------------------------------- questions
def test_a_stranger_gets_a_list_and_is_told_which_step_made_it(call):
    reply = call("GET", "/v1/users/nobody/recommendations", "k=2")
    assert reply.status == 200 and reply.headers["content-type"] == "application/json"
    assert reply.json == {
        "user": "nobody", "version": "v1", "step": "cohort", "path": "stranger", "degraded": ["cache"],
        "cached": False,
        "items": [
            {"item": "i0", "rank": 1, "score": 1.0, "step": "cohort", "because": None, "slot": None},
            {"item": "i1", "rank": 2, "score": 0.5, "step": "cohort", "because": None, "slot": None},
        ],
    }  # fmt: skip


def test_a_list_that_lies_ready_is_given_without_a_thread(call, monkeypatch):
    monkeypatch.setattr(api.Desk, "in_time", None)
    reply = call("GET", "/v1/users/regular/recommendations").json
    assert reply["cached"] is True and reply["path"] == "cached" and not call.engine.asked


def test_every_parameter_reaches_the_engine(call):
    query = "k=3&reasons=true&category=Tea&category=Toys&min_price=1.5&max_price=20&session=a&session=b%26c&arm=b"
    query += "&model=popular"
    places = call("GET", "/v1/users/ann/recommendations", query).json["items"]
    assert call.engine.asked == [(Ask("ann", 3, True, ("a", "b&c"), ("Tea", "Toys"), (1.5, 20.0), "popular", "b"),)]
    assert [place["reason"] for place in places] == ["because you bought i9", None, None]
    assert places[0]["because"] == "i9"


@pytest.mark.parametrize(
    "user", ["a/b", "a b", "50%", "%2F", "å∂ 漢", "a?b#c", "a&b=c", "..", "recommendations", "a/features", "'\"<x>"]
)
def test_any_text_is_an_id(call, user):
    for quoted in {quote(user, safe=""), quote(user, safe="!$&'()*+,;=:@")}:
        assert call("GET", f"/v1/users/{quoted}/recommendations").json["user"] == user
        assert call("GET", f"/v1/users/{quoted}/features").status == 200 and call.engine.asked[-1] == (user,)


def test_a_quoted_slash_is_part_of_the_id_and_a_plain_one_need_not_be(call):
    assert call("GET", "/v1/items/mug%2Fsimilar").json["item_id"] == "mug/similar"
    assert call("GET", "/v1/items/mug/similar").json["step"] == "similar"
    assert call("GET", "/v1/items/mug/7").json["item_id"] == "mug/7"
    assert call("GET", "/v1/items/a/b/similar").json["step"] == "similar" and call.engine.asked[-1] == ("a/b", 10)


def test_a_server_that_passes_no_raw_path_is_served_too(call):
    assert call("GET", "/v1/users/a b%/recommendations", raw=False).json["user"] == "a b%"


def test_similar_search_items_categories_and_models(call):
    assert call("GET", "/v1/items/i5/similar", "k=3").json["items"][0]["score"] is None  # NaN is no JSON
    assert call.engine.asked[-1] == ("i5", 3)
    found = call("GET", "/v1/search", "q=blue+mug&user=ann").json
    assert found["user"] is None and found["understood"] == {"words": ["blue"], "price": [1.0, None]}
    assert call.engine.asked[-1] == ("blue mug", "ann", 10)
    row = {"item_id": "i5", "price": 9.5, "created_at": "2026-01-02T00:00:00Z", "rating": None}
    assert call("GET", "/v1/items/i5").json == row
    several = call("GET", "/v1/items", "id=i5&id=none&id=i5").json
    assert [row["item_id"] for row in several["items"]] == ["i5"] and several["unknown"] == ["none"]
    assert call("GET", "/v1/categories").json == {"categories": ["Tea", "Toys"]}
    assert call("GET", "/v1/models").json == {"models": ["hybrid", "popular"]}


def test_features_hold_no_numpy_and_no_nan(call):
    feature = call("GET", "/v1/users/ann/features").json["user_embedding_64d"]
    assert feature == {"value": [0.5, None], "age_seconds": 1.0, "stale": False, "source": "batch"}


def test_head_is_answered_as_get_would_be(call):
    for path in ("/health/live", "/v1/users/ann/recommendations", "/docs"):
        assert call("HEAD", path).status == 200
    assert call("HEAD", "/v1/events").status == 405


def test_an_unknown_item_is_404_and_says_so(call):
    for path in ("/v1/items/none", "/v1/items/none/similar"):
        reply = call("GET", path)
        assert (reply.status, reply.json["detail"]) == (404, "there is no item 'none'")


# ------------------------------------------------------------------------------------------------------------- events
def test_events_count_once_however_often_they_are_sent(call):
    assert call.post("/v1/events", [event(1), event(2)]).json == {"accepted": 2, "duplicates": 0, "degraded": []}
    again = call.post("/v1/events", [event(2), event(3)])
    assert (again.status, again.json) == (202, {"accepted": 1, "duplicates": 1, "degraded": []})
    assert list(call.engine.events) == ["e1", "e2", "e3"]


def test_all_bad_events_are_named(call):
    reply = call.post("/v1/events", [event(1), {"event_id": "x"}, event(2), {}])
    assert reply.status == 400 and not call.engine.events
    assert [problem["event"] for problem in reply.json["problems"]] == [1, 3]


@pytest.mark.parametrize(
    "body, says",
    [
        (b"", "required"),
        (b"{", "no JSON"),
        (b'{"events": []}', "valid list"),
        (b"[]", "at least 1 item"),
        (b"[1]", "event 0"),
        (b"[NaN]", "event 0"),
        (b"[" * 200_000, "no JSON"),
        (b'["\xff"]', "no JSON"),
        (b'[{"user_id": "\\ud800"}]', "user_id: Input should be a valid string"),
        (b"[" + b"9" * 5000 + b"]", "no JSON"),
        (json.dumps([event(1, wish=True)]).encode(), "wish: nothing here has this name"),
        (json.dumps([event(1, event="wishlist")]).encode(), "'add_to_cart'"),
        (json.dumps([event(1, value="5")]).encode(), "value: Input should be a valid number"),
        (
            b'[{"event_id":"1","user_id":"a","item_id":"b","event":"view","value":1e400}]',
            "value: Input should be a finite",
        ),
    ],
)
def test_a_body_that_is_no_list_of_events_is_refused(call, body, says):
    reply = call("POST", "/v1/events", b"", body, {"content-type": "application/json"})
    assert reply.status == 400 and says in reply.json["detail"] and not call.engine.asked


def test_too_many_events_at_once_are_refused():
    call = Caller(settings=replace(SETTINGS, max_events=2))
    assert call.post("/v1/events", [event(n) for n in range(3)]).status == 400
    assert call.post("/v1/events", [event(n) for n in range(2)]).status == 202


@pytest.mark.parametrize("media", ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonx"])
def test_another_media_type_is_415(call, media):
    assert call("POST", "/v1/events", b"", b"[]", {"content-type": media}).status == 415


def test_a_charset_beside_the_media_type_is_fine(call):
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert call.post("/v1/events", [event(1)], headers).status == 202


# -------------------------------------------------------------------------------------------------------------- admin
ROUTES = [("DELETE", "/v1/users/ann")] + [
    ("POST", f"/v1/admin/{name}") for name in ("publish", "rollback", "canary", "stock")
] + [("GET", "/v1/admin/versions")]  # fmt: skip


@pytest.mark.parametrize("method, path", ROUTES)
def test_admin_routes_need_the_key(call, method, path):
    for headers in ({}, {"authorization": "Bearer wrong-key-of-16-or-so"}, {"authorization": f"Basic {KEY}"}):
        reply = call(method, path, b"", b"", headers)
        assert reply.status == 401 and reply.headers["www-authenticate"] == "Bearer"
    assert call(method, path, b"", b"", {"authorization": "Bearer é"}).status == 401
    assert not call.engine.asked


@pytest.mark.parametrize("method, path", ROUTES)
def test_without_a_configured_key_admin_routes_say_how_to_set_one(method, path):
    call = Caller(settings=replace(SETTINGS, admin_key=""))
    for headers in ({}, ADMIN, {"authorization": "Bearer "}):
        reply = call(method, path, b"", b"", headers)
        assert reply.status == 403 and "RECO_ADMIN_KEY" in reply.json["detail"]


def test_forgetting_says_what_was_removed_and_that_nothing_is_left(call):
    reply = call("DELETE", "/v1/users/a%2Fb", headers=ADMIN)
    assert reply.json == {"removed": {"events": 3, "artifact v1": {"weights": 2}}, "trace": [], "clean": True}
    assert call.engine.asked == [("a/b",)]


def test_stock_is_set(call):
    assert call.post("/v1/admin/stock", {"item": "i1", "in_stock": False}, ADMIN).json["in_stock"] is False
    assert call.engine.stocked == {"i1": False}
    for wrong in ({"item": "i1"}, {"item": 1, "in_stock": True}, {"item": "i1", "in_stock": 0}, [], None):
        reply = call.post("/v1/admin/stock", wrong, ADMIN)
        assert reply.status == 400 and ("in_stock" in str(wrong)) <= ("valid" in reply.json["detail"])


def test_publishing_is_served_at_once_and_a_refusal_names_no_folder(call, monkeypatch):
    said = []

    def publish(home, version, canary=None):
        said.append((home, version, canary))
        if version == "gone":
            raise api.ArtifactError("nowhere/gone: there is no such version")
        return api.Published(version, None if canary is None else "c", canary or 0.0, ("v0",))

    monkeypatch.setattr(api.artifact, "publish", publish)
    monkeypatch.setattr(api.artifact, "rollback", lambda home: api.Published("v0"))
    published = {"version": "v2", "canary_version": None, "canary_share": 0.0, "previous": "v0"}
    assert call.post("/v1/admin/publish", {"version": "v2"}, ADMIN).json == published
    assert call.post("/v1/admin/canary", {"version": "v3", "share": 0.1}, ADMIN).json["canary_share"] == 0.1
    assert call("POST", "/v1/admin/rollback", headers=ADMIN).json["version"] == "v0"
    assert said == [("nowhere", "v2", None), ("nowhere", "v3", 0.1)] and call.engine.n_refreshed == 3
    reply = call.post("/v1/admin/publish", {"version": "gone"}, ADMIN)
    assert reply.status == 409 and reply.json["detail"] == "the store/gone: there is no such version"
    for share in (0, 1, -0.5, True, "0.1"):
        assert call.post("/v1/admin/canary", {"version": "v3", "share": share}, ADMIN).status == 400


# ----------------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    "query, says",
    [
        ("k=0", "k: Input should be greater than or equal to 1"),
        ("k=101", "k: Input should be less than or equal to 100"),
        ("k=ten", "k: Input should be a valid integer"),
        ("k=1e2", "k: Input should be a valid integer"),
        ("kk=1", "kk: nothing here has this name; /docs lists what has"),
        ("reasons=maybe", "reasons: Input should be a valid boolean"),
        ("min_price=nan", "min_price: Input should be a finite number"),
        ("min_price=-1", "min_price: Input should be greater than or equal to 0"),
        ("min_price=5&max_price=4", "price must be"),
        ("session=", "session: String should have at least 1 character"),
        ("session=%00", "session must be text"),
        ("&".join(["session=a"] * 101), "session: List should have at most 100 items"),
        ("model=x", "model must be"),
        ("k=%ff", "k: Input"),
        (b"k=\xff", "k: Input"),
        ("k=0&min_price=x", "k: Input should be greater than or equal to 1; min_price: Input"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_with_what_is_allowed(call, query, says):
    reply = call("GET", "/v1/users/ann/recommendations", query)
    assert reply.status == 400 and says in reply.json["detail"]


@pytest.mark.parametrize("user", ["", "%00", "a%0Ab", "%ff", "%ed%a0%80", "a" * 257])
def test_what_cannot_be_an_id_is_refused(call, user):
    assert call("GET", f"/v1/users/{user}/recommendations").status == 400


def test_errors_are_problems_with_the_id_of_the_request(call):
    reply = call("GET", "/v1/users/ann/recommendations", "k=0", headers={"x-request-id": "abc-1"})
    assert reply.headers["content-type"] == "application/problem+json"
    assert set(reply.json) == {"type", "title", "status", "detail", "request_id"}
    assert reply.json["type"] == "urn:problem:the-request-makes-no-sense" and reply.json["status"] == 400
    assert reply.json["request_id"] == reply.headers["x-request-id"] == "abc-1"


def test_an_unknown_path_is_404_and_another_method_405_with_those_allowed(call):
    assert call("GET", "/nothing/here").status == 404
    assert call("GET", "/").json["title"] == "Not found"
    reply = call("PUT", "/v1/events")
    assert reply.status == 405 and reply.headers["allow"] == "POST"


def test_the_inside_never_shows():
    call = Caller(StandIn(RuntimeError("password of ann at /srv/secret.py")))
    reply = call("GET", "/v1/users/ann/recommendations")
    assert reply.status == 500 and b"ann" not in reply.body and b"secret" not in reply.body


def test_what_is_not_available_is_503_with_a_reason_and_when_to_come_back():
    reply = Caller(StandIn(Unavailable("no model is loaded")))("GET", "/v1/users/ann/recommendations")
    assert (reply.status, reply.json["detail"]) == (503, "no model is loaded") and reply.headers["retry-after"] == "1"


@pytest.mark.parametrize("given", ["a b", "x" * 65, "é", "<script>", ""])
def test_a_request_id_that_could_forge_a_log_is_replaced(call, given):
    reply = call("GET", "/health/live", headers={"x-request-id": given})
    assert reply.headers["x-request-id"] != given and len(reply.headers["x-request-id"]) == 16


def test_browsers_are_told_to_be_careful_with_every_answer(call):
    for path in ("/v1/users/ann/recommendations", "/nothing", "/docs"):
        headers = call("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'") and "server" not in headers


# ------------------------------------------------------------------------------------------------------------- limits
def test_a_client_that_asks_too_often_waits_and_others_do_not():
    now = [0.0]
    call = Caller(settings=replace(SETTINGS, rate=2), clock=lambda: now[0])
    path = "/v1/users/ann/recommendations"
    assert [call("GET", path).status for _ in range(5)] == [200] * 4 + [429]  # two seconds' worth at once
    assert call("GET", path).headers["retry-after"] == "1"
    assert call("GET", path, client="192.0.2.8").status == 200
    assert call("GET", "/health/live").status == call("GET", "/metrics").status == 200
    now[0] = 0.5
    assert [call("GET", path).status for _ in range(2)] == [200, 429]


def test_buckets_fill_by_the_clock_and_never_beyond_the_burst():
    now = [0.0]
    buckets = TokenBuckets(rate=1, burst=2, clock=lambda: now[0], most=2)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    now[0] = 0.75
    assert buckets.take("a") == 0.25
    now[0] = -100.0  # the clock was set back
    assert buckets.take("a") == 0.25
    now[0] = 1_000.0
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    assert [buckets.take(client) for client in ("b", "c")] == [0, 0]  # a is forgotten: only two are kept
    assert buckets.take("a") == 0


def test_neighbours_of_an_ipv6_network_share_a_bucket():
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff:2") != client_of("2001:db8:0:1::1")
    assert client_of("::ffff:192.0.2.1") == client_of("192.0.2.1") != client_of("::ffff:192.0.2.2")
    assert client_of("") == client_of("testclient") == "unknown"


def test_a_large_body_is_413_announced_or_not():
    call = Caller(settings=replace(SETTINGS, max_bytes=1024))
    large = b"[" + b" " * 1024
    assert call("POST", "/v1/events", b"", large, {"content-length": str(len(large))}).status == 413
    chunks = [(b" " * 100, True)] * 10 + [(b" " * 25, False)]
    assert call("POST", "/v1/events", parts=chunks).status == 413
    assert call("POST", "/v1/events", parts=chunks[:-1] + [(b" " * 24, False)]).status == 415  # it fits


def test_a_body_without_an_end_is_cut_off():
    call = Caller(settings=replace(SETTINGS, max_bytes=1024))
    reply = call("POST", "/v1/events", parts=iter(lambda: (b" " * 1000, True), None))
    assert reply.status == 413 and reply.headers["connection"] == "close"


def test_a_slow_body_is_408_and_the_connection_ends():
    call = Caller(settings=replace(SETTINGS, body_seconds=0.1))
    reply = call("POST", "/v1/events", parts=[(b"[", True), "never"])
    assert reply.status == 408 and reply.headers["connection"] == "close"


def test_a_client_that_goes_away_in_the_middle_does_no_harm(call):
    assert call("POST", "/v1/events", parts=[(b"[", True)]).status == 400


def test_who_would_wait_too_long_for_a_thread_gets_what_is_popular():
    engine, begun, go = StandIn(), threading.Event(), threading.Event()

    def recommend(ask):
        if ask.model == "popular":
            return Answer(ask.user, (), "popular", "v1", degraded=("cache",), path="popular")
        begun.set()
        go.wait(10)
        return Answer(ask.user, (), "hybrid", "v1")

    engine.recommend = recommend
    call = Caller(engine, replace(SETTINGS, threads=1, deadline_ms=20))
    path = "/v1/users/ann/recommendations"

    async def two():
        first = asyncio.create_task(call._send("GET", path, b"", b"", {}, "x", None, True))
        await asyncio.to_thread(begun.wait, 5)
        second = await call._send("GET", path, b"", b"", {}, "x", None, True)
        go.set()
        return (await first).json, second.json

    first, second = call.runner.run(two())
    assert first["step"] == "hybrid" and not first["degraded"]  # what has begun is finished
    assert second["step"] == "popular" and second["degraded"] == ["cache", "busy"]


def test_who_sends_slowly_keeps_nobody_out_who_asks():
    call = Caller(settings=replace(SETTINGS, max_waiting=2, body_seconds=5))

    async def all_of_it():
        post = ("POST", "/v1/events", b"", b"", {}, "x")
        slow = [asyncio.create_task(call._send(*post, [(b"[", True), "never"], True)) for _ in range(2 * SENDERS)]
        await asyncio.sleep(0)
        another = await call._send(*post, [(b"[]", False)], True)
        asks = await call._send("GET", "/v1/users/ann/recommendations", b"", b"", {}, "x", None, True)
        for task in slow:
            task.cancel()
        return another.status, asks.status

    assert call.runner.run(all_of_it()) == (503, 200)


def test_beyond_what_can_be_under_way_requests_are_sent_away_at_once_and_those_inside_are_answered():
    engine, begun, go = StandIn(), threading.Barrier(3), threading.Event()

    def slow(ask):
        begun.wait(5)
        go.wait(5)
        return Answer(ask.user, (), "cohort", "v1")

    engine.recommend = slow
    call = Caller(engine, replace(SETTINGS, max_waiting=2, deadline_ms=60_000, store="sqlite:///kv"))

    async def ask(method, path, body=b"", headers=None):
        return await call._send(method, path, b"", body, headers or {}, "x", None, True)

    async def all_of_it():
        listed = "/v1/users/ann/recommendations"
        two = [asyncio.create_task(ask("GET", listed)) for _ in range(2)]
        await asyncio.to_thread(begun.wait, 5)
        away = [await ask("GET", listed), await ask("POST", "/v1/events", b"[]"), await ask("GET", "/v1/categories")]
        stock = b'{"item": "i1", "in_stock": false}'
        spared = [await ask(*what) for what in (
            ("GET", "/health/live"), ("GET", "/health/ready"), ("GET", "/metrics"),
            ("DELETE", "/v1/users/ann", b"", ADMIN), ("POST", "/v1/admin/stock", stock, ADMIN),
        )]  # fmt: skip
        go.set()
        return away, spared, await asyncio.gather(*two)

    away, spared, inside = call.runner.run(all_of_it())
    assert [reply.status for reply in away] == [503] * 3 and [reply.status for reply in spared] == [200] * 5
    assert {reply.json["type"] for reply in away} == {"urn:problem:overloaded"}
    assert {reply.headers["retry-after"] for reply in away} == {"1"}
    assert b"reco_shed_requests_total 3.0\n" in spared[2].body
    assert [reply.status for reply in inside] == [200, 200]
    assert call("GET", "/v1/categories").status == 200  # there is room again


def test_of_many_who_come_at_the_same_moment_only_so_many_come_in_even_for_what_lies_ready():
    call = Caller(settings=replace(SETTINGS, max_waiting=2))
    path = "/v1/users/regular/recommendations"

    async def together():
        asked = [call._send("GET", path, b"", b"", {}, "x", None, True) for _ in range(5)]
        return [reply.status for reply in await asyncio.gather(*asked)]

    assert call.runner.run(together()) == [200, 200, 503, 503, 503]


def test_who_sends_deletions_slowly_has_a_room_apart():
    call = Caller(settings=replace(SETTINGS, max_waiting=2, body_seconds=5))

    async def all_of_it():
        slow = ("DELETE", "/v1/users/ann", b"", b"", {}, "x", [(b"[", True), "never"], True)
        room = [asyncio.create_task(call._send(*slow)) for _ in range(2 * SENDERS)]
        await asyncio.sleep(0)
        one_more = await call._send(*slow)
        event_of_another = await call._send("POST", "/v1/events", b"", b"[]", {}, "x", None, True)
        for task in room:
            task.cancel()
        return one_more.status, event_of_another.status

    assert call.runner.run(all_of_it()) == (503, 400)


# ---------------------------------------------------------------------------------------------------- health, metrics
def test_live_is_live_and_ready_says_why_not(call):
    assert call("GET", "/health/live").json == {"status": "alive"}
    assert call("GET", "/health/ready").json == {
        "ready": True, "version": "v1", "age_hours": 5.0, "breakers": {"model": "closed"}, "reasons": [],
    }  # fmt: skip
    call.engine.state = Health(False, ("the model is 40.0 h old, 36 are allowed",), "v1", float("nan"), {})
    reply = call("GET", "/health/ready")
    assert reply.status == 503 and reply.json["reasons"] == ["the model is 40.0 h old, 36 are allowed"]
    assert reply.json["age_hours"] is None and "40.0 h old" in reply.json["detail"]


def test_metrics_count_requests_by_route_method_and_status(call):
    call("GET", "/v1/users/ann/recommendations")
    call("GET", "/v1/users/bob/recommendations", "k=0")
    call("BREW", "/v1/events")
    call("GET", "/wp-login.php")
    call("HEAD", "/health/live")
    text = call("GET", "/metrics").body.decode()
    assert text.startswith("reco_lists_total 1\n") and "ann" not in text
    for labels in (
        'method="GET",route="recommend",status="200"', 'method="GET",route="recommend",status="400"',
        'method="other",route="events",status="405"', 'method="GET",route="none",status="404"',
        'method="HEAD",route="live",status="200"',
    ):  # fmt: skip
        assert f"reco_http_requests_total{{{labels}}} 1.0\n" in text


# --------------------------------------------------------------------------------------------------------------- logs
def logged(caplog):
    return [json.loads(JsonLines().format(record)) for record in caplog.records]


def test_a_line_per_request_says_what_happened_and_to_nobody(caplog):
    caplog.set_level(logging.INFO, "reco_utils.serve")
    call = Caller(settings=replace(SETTINGS, log="all"))
    call("GET", "/v1/users/ann-the-first/recommendations", "session=secret-item", headers={"x-request-id": "r1"})
    call.post("/v1/events", [event(1)], client="192.0.2.9")
    first, second = logged(caplog)
    assert {name: first[name] for name in ("request", "route", "method", "status", "step", "path", "degraded")} == {
        "request": "r1", "route": "recommend", "method": "GET", "status": 200, "step": "cohort", "path": "stranger",
        "degraded": ["cache"],
    }  # fmt: skip
    assert second["status"] == 202 and second["client"] != first["client"] and len(first["client"]) == 8
    for told in ("ann", "secret-item", "192.0.2"):
        assert told not in caplog.text and told not in json.dumps([first, second])


def test_a_failure_is_logged_by_place_and_not_by_what_it_says(caplog):
    caplog.set_level(logging.INFO, "reco_utils.serve")
    call = Caller(StandIn(RuntimeError("ann bought a secret")), replace(SETTINGS, log="errors"))
    call("GET", "/v1/users/ann/recommendations", "k=0")
    reply = call("GET", "/v1/users/ann/recommendations")
    (line,) = logged(caplog)  # of errors alone
    assert line["error"] == "RuntimeError" and line["level"] == "error" and line["request"] == reply.json["request_id"]
    assert any("_heard" in place for place in line["at"]) and "secret" not in json.dumps(line)


def test_other_loggers_lines_are_json_without_the_text_of_exceptions():
    try:
        raise ValueError("ann's data")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "it %s", ("broke",), (type(error), error, None))
    line = json.loads(JsonLines().format(record))
    assert line["message"] == "it broke" and line["error"] == "ValueError" and "ann" not in json.dumps(line)


# ----------------------------------------------------------------------------------------------------- the document
def test_the_document_shows_every_operation_with_an_example(call):
    assert call("GET", "/openapi.json").json == DOCUMENT and DOCUMENT["openapi"].startswith("3.1")
    assert len({operation["operationId"] for operation in OPERATIONS}) == len(OPERATIONS) == 18
    for operation in OPERATIONS:
        assert operation["description"]
        (answer,) = [r for status, r in operation["responses"].items() if status < "300"]
        (content,) = answer["content"].values()
        assert content.get("example") or example_of(content["schema"], FORMS)
        for parameter in operation.get("parameters", ()):
            assert parameter["description"] and parameter["schema"]["examples"]


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if "examples" in form])
def test_every_example_is_of_its_form(name):
    jsonschema.validate(FORMS[name]["examples"][0], {**FORMS[name], "components": DOCUMENT["components"]})


def test_every_refusal_in_the_document_is_a_problem():
    assert set(FORMS["Problem"]["properties"]) == {"type", "title", "status", "detail", "request_id"}
    for operation in OPERATIONS:
        refusals = {status: answer for status, answer in operation["responses"].items() if status >= "300"}
        assert all(list(answer["content"]) == ["application/problem+json"] for answer in refusals.values())
        assert "422" not in refusals and ({"401", "403"} <= set(refusals)) == ("security" in operation)
        assert ({"400", "415"} <= set(refusals)) >= ("requestBody" in operation)


def test_every_example_of_a_request_is_one_that_works(monkeypatch):
    call = Caller()
    monkeypatch.setattr(call.engine, "recommend", lambda ask: Answer(ask.user, (), "cohort", "v1"))
    published = api.Published("v1")
    stand_in = SimpleNamespace(
        publish=lambda home, version, canary=None: published, rollback=lambda home: published,
        published=lambda home: published, versions=lambda home: pd.DataFrame({"version": ["v1"], "asof": [pd.NaT]}),
    )  # fmt: skip
    monkeypatch.setattr(api, "artifact", stand_in)
    for operation in OPERATIONS:
        query, path, body = [], operation["path"], b""
        for parameter in operation.get("parameters", ()):
            example = parameter["schema"]["examples"][0]
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", quote(example))
            else:
                several = example if isinstance(example, list) else [example]
                words = [each if isinstance(each, str) else json.dumps(each) for each in several]
                query += [parameter["name"] + "=" + quote(word) for word in words]
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            body = json.dumps(example_of(schema, FORMS)).encode()
        reply = call(operation["method"], path, "&".join(query), body, ADMIN)
        assert str(reply.status) in operation["responses"] and reply.status < 300, (operation["operationId"], reply)


def test_the_page_for_people_needs_nothing_from_elsewhere(call):
    reply = call("GET", "/docs")
    page = reply.body.decode()
    assert reply.headers["content-type"].startswith("text/html")
    assert all(f"<code>{operation['path']}</code>" in page for operation in OPERATIONS)
    assert "<script" not in page and "http://" not in page and "https://" not in page


# ------------------------------------------------------------------------------------------------------------ fuzzing
def pieces(rng):
    """Parts of requests, good and bad, to be put together in any way."""
    ids = ["ann", "", "%00", "%", "%zz", "..", "a%2Fb", "%ff%fe", "é", "x" * 300, "%F0%9F%90%88", "'; DROP TABLE"]
    paths = ["/", "//", "/v1", "/v1/users", "/v1/%2e%2e/etc", "*", "/docs"]
    queries = [
        "", "k=5", "k=-1", "k=99999999999999999999", "k=१", "q=", "q=%00", "q=" + "x" * 2000, "&&&", "=", "k",
        "a=b=c", "%", "k=%", "min_price=1e999", "max_price=inf", "session=" + "%20" * 50, "reasons=TRUE",
        "user=%00&q=x", "share=2", "id=&id=%ff",
    ]  # fmt: skip
    bodies = [
        b"", b"[]", b"{}", b"null", b"[[[[", b"\x00\xff", b'{"a":' * 3000, b"[1e400]", b'[{"event_id":{}}]',
        b'"\\ud800"', json.dumps([event(1)]).encode(), json.dumps([event(1, value="x", timestamp=5)]).encode(),
        b"[" + b"{}," * 2000 + b"{}]", b'{"version":"../../etc"}', b'{"item":"i1","in_stock":null}',
        b"[" + b"9" * 9000 + b"]", "[\"é\"]".encode("utf-16"),
    ]  # fmt: skip
    methods = ["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "TRACE", "get", "BREW", "\x00"]
    headers = [
        {}, ADMIN, {"authorization": "Bearer"}, {"authorization": "\x00"}, {"content-type": "application/json"},
        {"content-type": "text/" + "x" * 500}, {"content-length": "-5"}, {"content-length": "1" * 50},
        {"expect": "100-continue"}, {"x-request-id": "\r\nset-cookie: a"}, {"transfer-encoding": "gzip"}, {"host": ""},
    ]  # fmt: skip
    operation = rng.choice(OPERATIONS)
    path = operation["path"].replace("{user}", rng.choice(ids)).replace("{item}", rng.choice(ids))
    path = path if rng.random() < 0.9 else rng.choice(paths)
    method = operation["method"] if rng.random() < 0.8 else rng.choice(methods)
    chosen = (ADMIN if "security" in operation and rng.random() < 0.7 else {}) | rng.choice(headers)
    query = rng.choice(queries) if rng.random() < 0.5 else ""
    body = bytearray(rng.choice(bodies) if "requestBody" in operation or rng.random() < 0.1 else b"")
    if body and rng.random() < 0.2:
        body[rng.randrange(len(body))] = rng.randrange(256)
    return method, path, query.encode(), bytes(body), chosen


def sound(reply) -> bool:
    """No failure but 503, and every refusal is a problem in JSON."""
    if reply.status >= 400 and reply.body:
        assert reply.headers["content-type"] == "application/problem+json" and reply.json["status"] == reply.status
    return reply.status < 500 or reply.status == 503


@pytest.mark.parametrize("seed", range(4))
def test_requests_put_together_at_random_never_break_it(seed, monkeypatch):
    def refused(home, *version, **options):
        raise api.ArtifactError("there is no such version")

    stand_in = SimpleNamespace(
        publish=refused, rollback=refused, published=lambda home: api.Published(), versions=lambda home: pd.DataFrame()
    )
    monkeypatch.setattr(api, "artifact", stand_in)
    call, rng = Caller(), random.Random(seed)
    for _ in range(250):
        request = pieces(rng)
        assert sound(call(*request)), request
