"""The engine over HTTP, for one process; all of what may be asked stands in `contract`.

    app = create_app(engine, settings)           # an ASGI app
    status = run(settings)                       # until Ctrl-C or SIGTERM
    with running(app) as url: ...                # in a thread, for tests and notebooks

A list that lies ready is answered on the event loop; what must be made, and what waits for the disk or the network, on
a thread, and a thread costs a request twice what the list does.
"""

import asyncio
import contextlib
import gc
import hmac
import json
import logging
import math
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import uvicorn
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from reco_utils import __version__
from reco_utils.serve import artifact, contract, reference
from reco_utils.serve.artifact import ArtifactError, Published
from reco_utils.serve.ask import MAX_K, Answer, Ask, BadRequest, NotFound, Unavailable
from reco_utils.serve.cache import ListCache
from reco_utils.serve.engine import Engine
from reco_utils.serve.event_log import EventLog
from reco_utils.serve.feature_store import FeatureStore, catalog_facts
from reco_utils.serve.freshness import Freshness
from reco_utils.serve.guard import Guard, JsonLines
from reco_utils.serve.kv import MemoryKV, open_kv
from reco_utils.serve.live import Live
from reco_utils.serve.monitor import Monitor
from reco_utils.serve.problems import Problem
from reco_utils.serve.settings import SECRET_LENGTH, Settings
from reco_utils.serve.upkeep import Upkeep, settle
from reco_utils.serve.view import POPULAR

log = logging.getLogger("reco_utils.serve")

EVENTS = "events.db"  # the event log, in the home of the artifacts
FEATURE_BYTES = 512 * 2**20  # in memory; a user takes about 1 KB
HEADER_SECONDS = 10  # a request whose head has not arrived by then is given up
IDLE_SECONDS = 30  # how long a connection may be silent between requests
LARGEST_HEAD = 32_768  # bytes of a request's line and headers


# --------------------------------------------------------------------------------------------------------------- app
def create_app(engine: Engine, settings: Settings, clock: Callable[[], float] = time.monotonic) -> FastAPI:
    """The app: every operation of the contract over an engine, behind the guard.

    While it runs, a thread looks for newly published versions. The engine stays the caller's to close.

    Parameters
    ----------
    engine : Engine
    settings : Settings
    clock : function () -> seconds
        Fills the token buckets of the rate limit.
    """
    counts: Counter = Counter()
    rooms = Rooms(engine, settings, counts)
    app = FastAPI(
        title="Recommendations", version=__version__, openapi_url=None, docs_url=None, redoc_url=None,
        redirect_slashes=False, lifespan=lambda app: _looking_after(rooms),
    )  # fmt: skip
    for name, operation in contract.OPERATIONS.items():
        path = operation.path.replace("}", ":path}")
        app.router.routes.append(_Quick(path, rooms.endpoint(name), methods=[operation.method], name=name))
    described = contract.document(__version__)
    app.openapi = lambda: described
    _add_page(app, "/openapi.json", json.dumps(described).encode(), "application/json")
    _add_page(app, "/docs", reference.page(described).encode(), "text/html; charset=utf-8")
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_middleware(Guard, settings=settings, counts=counts, clock=clock)
    return app


class _Quick(Route):
    """A route that hands the request over as it is: what is in it is read by the contract, three times as fast."""

    def matches(self, scope):
        found, child = super().matches(scope)
        return found, {**child, "asked": self.name} if child else child


def _add_page(app, path, content, media) -> None:
    """Serve something that never changes."""

    async def page(request):
        return Response(content, media_type=media)

    app.router.routes.append(_Quick(path, page, methods=["GET"], name=path.strip("/")))


async def _not_routed(request: Request, error: HTTPException):
    """No such path, or not with this method."""
    if error.status_code == 405:
        raise Problem(405, f"allowed here: {error.headers.get('Allow', '')}", error.headers)
    raise Problem(404, "there is nothing at this address; /docs lists what there is")


@contextlib.asynccontextmanager
async def _looking_after(rooms):
    """While the app runs: the upkeep of the engine, on a thread of its own."""
    with rooms.upkeep:
        yield
    for pool in rooms.open():  # anew, for an app may be started again
        await asyncio.to_thread(pool.shutdown)


# -------------------------------------------------------------------------------------------------------- operations
class Rooms:
    """What is behind each operation of the contract: a method of its name, values in, response out."""

    def __init__(self, engine: Engine, settings: Settings, counts: Counter):
        self.engine, self.settings, self.counts = engine, settings, counts
        self.upkeep = Upkeep(engine, settings.refresh_seconds)
        self.open()

    def open(self) -> tuple[ThreadPoolExecutor, ...]:
        """Threads for what waits, and others to make lists; returns those there were before.

        Where everything lies in memory one thread makes all lists: several would take the interpreter from one another
        and from the event loop, and each list would be later. Of 500 new lists a second 95 % are ready within 45 ms
        with one thread, 89 with two, 121 with eight.
        """
        before = tuple(getattr(self, name) for name in ("pool", "makers") if hasattr(self, name))
        n_makers = 1 if self.settings.store == "memory:" else self.settings.threads
        self.pool = ThreadPoolExecutor(self.settings.threads, "reco-waiting")
        self.makers = ThreadPoolExecutor(n_makers, "reco-making")
        return before

    def endpoint(self, name: str) -> Callable:
        """What the route of an operation calls: reads key, query, path and body, then hands over the values."""
        operation, room = contract.OPERATIONS[name], getattr(self, name)
        params = operation.params or {}

        async def endpoint(request: Request) -> Response:
            if operation.admin:
                self.admit(request)
            given = contract.read_query(request.scope["query_string"], params)
            for part, quoted in request.path_params.items():
                given[part] = contract.read_id(quoted)
            if operation.body:
                given["body"] = contract.read_json(await request.body(), request.headers.get("content-type", ""))
            return await room(request, given)

        return endpoint

    def admit(self, request: Request) -> None:
        """Refuse whoever does not know the admin key; how long that takes says nothing about it."""
        key = self.settings.admin_key
        if not key:
            raise Problem(
                403, f"admin routes are off; set RECO_ADMIN_KEY ({SECRET_LENGTH} or more characters) and start again"
            )
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if not hmac.compare_digest(given.strip().encode(), key.encode()) or scheme.lower() != "bearer":
            raise Problem(401, "send the admin key as Authorization: Bearer <key>", {"WWW-Authenticate": "Bearer"})

    async def apart(self, function: Callable, *args) -> Any:
        """Call what may wait for disk or network on a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, function, *args)

    async def made(self, function: Callable, *args) -> Any:
        """Call what takes processor time on a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.makers, function, *args)

    # ------------------------------------------------------------------------------------------------------ questions
    async def recommend(self, request, given) -> Response:
        """A list for a user."""
        ask = Ask(
            given["user"],
            given.get("k", 10),
            given.get("reasons", False),
            tuple(given.get("session", ())),
            tuple(given.get("category", ())),
            (given.get("min_price"), given.get("max_price")),
            given.get("model"),
            given.get("arm", ""),
        )
        answer = self.engine.at_once(ask) or await self._in_time(ask)
        return _list(request, answer, reasons=ask.reasons)

    async def _in_time(self, ask) -> Answer:
        """The list made on a thread; what is popular if no thread gets round to it within half the deadline."""
        job = self.makers.submit(self.engine.recommend, ask)
        making = asyncio.wrap_future(job)
        await asyncio.wait([making], timeout=self.settings.deadline_ms / 2_000)
        if making.done() or not job.cancel():  # what has begun is bound by the engine's own deadline
            return await making
        answer = self.engine.recommend(replace(ask, model=POPULAR))
        return replace(answer, degraded=(*answer.degraded, "busy"))

    async def similar(self, request, given) -> Response:
        """What goes with an item."""
        return _list(request, await self.made(self.engine.similar, given["item"], given.get("k", 10)))

    async def search(self, request, given) -> Response:
        """Items for words."""
        answer = await self.made(self.engine.search, given["q"], given.get("user"), given.get("k", 10))
        return _list(request, answer, understood=plain(answer.understood))

    async def features(self, request, given) -> Response:
        """What is known of a user."""
        return _json(plain(await self.apart(self.engine.features, given["user"])))

    async def item(self, request, given) -> Response:
        """A row of the catalogue."""
        return _json(plain(await self.apart(self.engine.item, given["item"])))

    async def items(self, request, given) -> Response:
        """Several rows of the catalogue."""
        if len(given["id"]) > MAX_K:
            raise BadRequest(f"id may be given {MAX_K} times, got {len(given['id'])}")
        found, unknown = await self.apart(_rows, self.engine, given["id"])
        return _json({"items": found, "unknown": unknown})

    async def categories(self, request, given) -> Response:
        """Names for the filter."""
        return _json({"categories": plain(await self.apart(self.engine.categories))})

    async def models(self, request, given) -> Response:
        """Names for the switch."""
        return _json({"models": plain(await self.apart(self.engine.models))})

    # -------------------------------------------------------------------------------------------------------- changes
    async def events(self, request, given) -> Response:
        """Take events in."""
        events = given["body"]
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise BadRequest("the body must be a list of events, each an object")
        if not 1 <= len(events) <= self.settings.max_events:
            raise BadRequest(f"1 to {self.settings.max_events} events may be sent at once, got {len(events)}")
        taken = await self.apart(self.engine.ingest, events)
        found = {"accepted": taken.accepted, "duplicates": taken.duplicates, "degraded": list(taken.degraded)}
        return _json(found, 202)

    async def forget(self, request, given) -> Response:
        """Remove every trace of a user."""
        gone = await self.apart(self._forget, given["user"])
        return _json({"removed": plain(gone.removed), "trace": list(gone.trace), "clean": not gone.trace})

    def _forget(self, user):
        """Forget a user while nobody writes features."""
        with self.upkeep.feeding:
            return self.engine.forget(user)

    async def versions(self, request, given) -> Response:
        """What is stored and what is served."""
        home = self.engine.live.home
        table, served = await self.apart(lambda: (artifact.versions(home), artifact.published(home)))
        return _json({"published": _published(served), "versions": plain(table.to_dict("records"))})

    async def publish(self, request, given) -> Response:
        """Serve a version to everybody."""
        (version,) = contract.read_object(given["body"], version=str)
        return _json(_published(await self.apart(self._change, artifact.publish, version)))

    async def canary(self, request, given) -> Response:
        """Try a version on some."""
        version, share = contract.read_object(given["body"], version=str, share=float)
        if not 0 < share < 1:
            raise BadRequest(f"share must be above 0 and below 1, got {share}")
        change = partial(artifact.publish, canary=float(share))
        return _json(_published(await self.apart(self._change, change, version)))

    async def rollback(self, request, given) -> Response:
        """End the canary, or serve the version before."""
        return _json(_published(await self.apart(self._change, artifact.rollback)))

    async def stock(self, request, given) -> Response:
        """An item is there or not."""
        item, in_stock = contract.read_object(given["body"], item=str, in_stock=bool)
        await self.apart(self.engine.stock, item, in_stock)
        return _json({"item": item, "in_stock": in_stock})

    def _change(self, change, *version) -> Published:
        """Publish or roll back, and serve it at once."""
        home = self.engine.live.home
        try:
            served = change(home, *version)
        except ArtifactError as refusal:
            raise Problem(409, str(refusal).replace(str(home), "the store")) from None
        self.engine.refresh()
        return served

    # --------------------------------------------------------------------------------------------------------- upkeep
    async def live(self, request, given) -> Response:
        """The process is up, or this would not answer."""
        return _json({"status": "alive"})

    async def ready(self, request, given) -> Response:
        """May it serve?"""
        health = await self.apart(self.engine.health)
        found = {"version": health.version, "age_hours": plain(health.age_hours), "breakers": plain(health.breakers)}
        if not health.ready:
            raise Problem(503, f"not ready: {'; '.join(health.reasons)}", reasons=list(health.reasons), **found)
        return _json({"ready": True, **found, "reasons": list(health.reasons)})

    async def metrics(self, request, given) -> Response:
        """Counters of the engine and of the requests."""
        text = await self.apart(self.engine.monitor.prometheus)
        return Response(text + _counted(self.counts), media_type="text/plain; version=0.0.4")


def _rows(engine, ids):
    """Rows of the catalogue, and the ids that have none."""
    found, unknown = [], []
    for item in dict.fromkeys(ids):
        try:
            found.append(plain(engine.item(item)))
        except NotFound:
            unknown.append(item)
    return found, unknown


def _published(served: Published) -> dict:
    """Which versions are served, for JSON."""
    return {
        "version": served.version, "canary_version": served.canary_version, "canary_share": served.canary_share,
        "previous": served.previous,
    }  # fmt: skip


def _counted(counts) -> str:
    """Requests by route, method and status in the text format of Prometheus."""
    lines = ["# HELP reco_http_requests_total Requests by route, method and status.",
             "# TYPE reco_http_requests_total counter"]  # fmt: skip
    for (route, method, status), n in sorted(counts.items()):
        lines.append(f'reco_http_requests_total{{route="{route}",method="{method}",status="{status}"}} {n}')
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------------------------------------------------- answers
def _json(value, status: int = 200) -> Response:
    """A value as a response."""
    return Response(_written(value), status, media_type="application/json")


_written = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def _list(request: Request, answer: Answer, *, reasons: bool = False, **more) -> Response:
    """A list as a response; the log learns how it was made, not for whom."""
    places = [dict(zip(place._fields, place)) for place in answer.items]
    for place in places:
        if place["score"] is not None and not math.isfinite(place["score"]):
            place["score"] = None
        if reasons:
            place["reason"] = answer.reasons.get(place["item"])
    noted = {"step": answer.step, "path": answer.path, "degraded": list(answer.degraded)}
    request.scope["noted"] = noted
    found = {"user": answer.user or None, "version": answer.version, **noted, "cached": answer.cached}
    return _json({**found, "items": places, **more})


def plain(value: Any) -> Any:
    """A value of Python, numpy or pandas as one of JSON; what is missing, NaN or infinite is None."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, np.ndarray):
        return [plain(member) for member in value.tolist()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(member) for member in value]
    if isinstance(value, (pd.Timestamp, datetime)):
        return None if pd.isna(value) else value.isoformat()
    return None if value is pd.NA else str(value)


# ---------------------------------------------------------------------------------------------------------- process
def settings_of(options) -> Settings:
    """Settings from the environment, and before that from the command line: home, host and port."""
    return Settings.from_environment(os.environ, home=options.home, host=options.host, port=options.port)


def build(settings: Settings, clock: Callable[[], float] = time.time) -> Engine:
    """An engine with all its parts, warmed up, whose feature store knows the training and the events since.

    Raises
    ------
    ArtifactError  when nothing that can be served is in the store; says how to train something
    """
    home = settings.home
    live = Live(home, clock=clock)
    try:
        live.at()
    except ArtifactError as error:
        raise ArtifactError(f"{error}; `python -m reco_utils serve train --home {home}` makes a model") from None
    store, secret = open_kv(settings.store), settings.secret.encode()
    alone = settings.store == "memory:"  # then lists and features are apart, so that neither pushes the other out
    engine = Engine(
        live,
        FeatureStore(
            MemoryKV(max_bytes=FEATURE_BYTES) if alone else store, clock=clock, facts=catalog_facts(live), secret=secret
        ),
        ListCache(store, ttl=settings.cache_seconds, secret=secret),
        EventLog(home / EVENTS, clock=clock),
        Monitor(freshness=Freshness(settings.max_age_hours, clock=clock), clock=clock),
        deadline_ms=settings.deadline_ms,
        target=("purchase", "rating"),
        max_age_hours=settings.max_age_hours,
        clock=clock,
    )
    try:
        engine.replay()
    except Unavailable as error:
        log.warning(str(error))
    if alone:  # a store that others share is filled beside the requests: most likely it is full already
        Upkeep(engine, settings.refresh_seconds).feed(rows=10_000, pause=0)
    engine.warm()
    return engine


def close(engine: Engine) -> None:
    """Close an engine that `build` made, with all its parts."""
    engine.close()
    engine.log.close()
    engine.store.kv.close()
    engine.cache.kv.close()


def run(settings: Settings) -> int:
    """Serve until Ctrl-C or SIGTERM; requests under way are answered first.

    Returns
    -------
    int : 0 after a clean end, 2 when it cannot start; then standard error says why
    """
    _log_as_json()
    for warning in settings.warnings:
        log.warning(warning)
    try:
        listening = bind(settings.host, settings.port)
        engine = build(settings)
    except (ArtifactError, OSError) as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    settle()
    log.info({"message": "serving", "url": url_of(listening)})
    with _deaf(), listening:
        server = _server(create_app(engine, settings), settings)
        server.run(sockets=[listening])
        close(engine)
    gc.unfreeze()  # or compiled packages complain at the end that somebody still holds their objects
    log.info({"message": "stopped"})
    return 0


def main(options) -> int:
    """What `python -m reco_utils serve` calls; see `run`."""
    return run(settings_of(options))


@contextlib.contextmanager
def running(app: FastAPI, settings: Settings | None = None) -> Iterator[str]:
    """Serve an app on a thread of this process, by default on a free port of the loopback; gives the url.

    Leaving the block lets requests under way finish.
    """
    settings = settings or Settings(port=0)
    with bind(settings.host, settings.port) as listening:
        server = _server(app, settings)
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        serving.start()
        try:
            while not server.started and serving.is_alive():
                time.sleep(0.005)
            yield url_of(listening)
        finally:
            server.should_exit = True
            serving.join(settings.grace_seconds + 5)


def bind(host: str, port: int) -> socket.socket:
    """A socket with this port, free until now, that does not listen yet; or a clear refusal.

    Raises
    ------
    OSError  when the port is taken or the address is not one of this machine
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, socket.IPPROTO_TCP)  # of no protocol, asyncio would let packets wait
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}, port {port}: {error.strerror}; --host and --port name others"
        ) from None
    return listening


def url_of(listening: socket.socket) -> str:
    """Where a listening socket can be reached."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(app, settings) -> uvicorn.Server:
    """uvicorn around the app, quiet about itself and firm with slow senders."""
    return uvicorn.Server(
        uvicorn.Config(
            app, http=_Patient, ws="none", lifespan="on", log_config=None, access_log=False, server_header=False,
            proxy_headers=bool(settings.proxies), forwarded_allow_ips=settings.proxies or None,
            timeout_keep_alive=IDLE_SECONDS, timeout_graceful_shutdown=math.ceil(settings.grace_seconds),
            h11_max_incomplete_event_size=LARGEST_HEAD,
        )
    )  # fmt: skip


class _Patient(AutoHTTPProtocol):
    """A connection whose next request must have begun within some seconds of its first byte."""

    _late = None

    def connection_made(self, transport):
        super().connection_made(transport)
        self._late = self.loop.call_later(HEADER_SECONDS, self._hang_up)

    def data_received(self, data):
        super().data_received(data)
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy and self._late is not None:
            self._late.cancel()
            self._late = None
        elif not busy and self._late is None:
            self._late = self.loop.call_later(HEADER_SECONDS, self._hang_up)

    def connection_lost(self, exc):
        if self._late is not None:
            self._late.cancel()
        super().connection_lost(exc)

    def _hang_up(self):
        """Close a connection that has not said in time what it wants."""
        self._late = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


@contextlib.contextmanager
def _deaf():
    """Let signals that uvicorn has heard and hands on afterwards do nothing: there is something left to close."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: None) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _log_as_json() -> None:
    """One line of JSON per event on standard error: requests and news of ours, warnings of everybody."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("reco_utils").setLevel(logging.INFO)
