"""The service as a process: an engine out of settings, a socket, uvicorn around the app, a clean end.

    status = run(settings)                       # until Ctrl-C or SIGTERM
    with running(app) as url: ...                # in a thread, for tests and notebooks

uvicorn takes uvloop and httptools where they are installed; without them (on Windows) asyncio and h11.
"""

import contextlib
import gc
import logging
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from reco_utils.serve.api import create_app
from reco_utils.serve.artifact import ArtifactError
from reco_utils.serve.ask import Unavailable
from reco_utils.serve.cache import ListCache
from reco_utils.serve.engine import Engine
from reco_utils.serve.event_log import EventLog
from reco_utils.serve.feature_store import FeatureStore, catalog_facts
from reco_utils.serve.freshness import Freshness
from reco_utils.serve.kv import MemoryKV, open_kv
from reco_utils.serve.live import Live
from reco_utils.serve.logs import JsonLines
from reco_utils.serve.monitor import Monitor
from reco_utils.serve.settings import Settings
from reco_utils.serve.upkeep import Upkeep, settle

log = logging.getLogger("reco_utils.serve")

EVENTS = "events.db"  # the event log, in the home of the artifacts
FEATURE_BYTES = 512 * 2**20  # in memory; a user takes about 1 KB
HEADER_SECONDS = 10  # a request whose head has not arrived by then is given up
WAITING = 2_048  # connections that nobody has let in yet
IDLE_SECONDS = 30  # how long a connection may be silent between requests
DOORS = 16  # with one, somebody new waited up to 5 s when 2,000 requests/s were asked for
LARGEST_HEAD = 32_768  # bytes of a request's line and headers


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
    server = _server(create_app(engine, settings), settings)
    settle()
    with _ended_by_signals(server), listening:
        log.info({"message": "serving", "url": url_of(listening)})
        server.run(sockets=_doors(listening))
        close(engine)
    gc.unfreeze()  # or compiled packages complain at the end that somebody still holds their objects
    log.info({"message": "stopped"})
    return 0


@contextlib.contextmanager
def running(app: Callable, settings: Settings | None = None) -> Iterator[str]:
    """Serve an app on a thread of this process, by default on a free port of the loopback; gives the url.

    Leaving the block lets requests under way finish.
    """
    settings = settings or Settings(port=0)
    with bind(settings.host, settings.port) as listening:
        server = _server(app, settings)
        serving = threading.Thread(target=server.run, kwargs={"sockets": _doors(listening)}, daemon=True)
        serving.start()
        try:
            while not server.started and serving.is_alive():
                time.sleep(0.005)
            yield url_of(listening)
        finally:
            server.should_exit = True
            serving.join(settings.grace_seconds + 5)


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on this port, free until now; who comes waits until it is served. Or a clear refusal.

    Raises
    ------
    OSError  when the port is taken or the address is not one of this machine
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, socket.IPPROTO_TCP)  # of no protocol, asyncio would let packets wait
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(WAITING)  # now: uvloop says nothing when another process that has bound it too was faster
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}, port {port}: {error.strerror}; RECO_PORT and RECO_HOST, or --port and --host, "
            "name others"
        ) from None
    return listening


def _doors(listening: socket.socket) -> list[socket.socket]:
    """The same socket several times: uvloop lets one connection in per door and turn, and turns are long under load.

    Source: libuv 1.45, "don't accept() connections in a loop".
    """
    return [listening, *(listening.dup() for _ in range(DOORS - 1 if os.name == "posix" else 0))]


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
    """A connection that is closed when the head of a request does not arrive in some seconds, or does not end.

    uvicorn has no such limit of time, and with httptools none of size.
    """

    _late, _known, _size = None, None, 0

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
        begun = self.cycle is not self._known or (busy and self.cycle.more_body)
        self._known, self._size = self.cycle, 0 if begun else self._size + len(data)
        if self._size > LARGEST_HEAD:
            self.transport.close()

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
def _ended_by_signals(server):
    """Ctrl-C, SIGTERM and a terminal that is closed end the server in order.

    uvicorn hears the first two while it runs, and hands them on afterwards, when there is something left to close.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_):
        server.should_exit = True

    heard = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in heard}
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
