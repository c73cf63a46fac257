"""What every request passes on its way in and every answer on its way out, whatever is being asked.

    request -> id -> not too often -> body, in time and not too large -> room -> the app
    answer  <- id, headers that keep browsers careful <- log and counters, without a word about anybody

Plain ASGI: it costs some 20 microseconds. No user id and no address is ever written down; who is who in the log is a
hash under a key that is made at the start and gone at the end.
"""

import asyncio
import hashlib
import json
import logging
import re
import secrets
import time
import traceback
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network
from urllib.parse import quote

from reco_utils.serve.ask import BadRequest, NotFound, Unavailable
from reco_utils.serve.problems import MEDIA_TYPE, Problem
from reco_utils.serve.settings import Settings

log = logging.getLogger("reco_utils.serve")

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; style-src 'unsafe-inline'"),
    (b"cache-control", b"no-store"),  # lists are personal
]
UNCOUNTED = ("/health/", "/metrics")  # whoever watches the service must not be told to wait
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_ANSWER = 499  # the client went away before there was one
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SWALLOW = 8  # times the largest body: so much is read and dropped, so that the sender gets to see the refusal


# ------------------------------------------------------------------------------------------------------- rate limits
@dataclass
class TokenBuckets:
    """A bucket per client: it holds `burst` tokens, a request takes one, `rate` of them come back per second.

    Parameters
    ----------
    rate : float, per second, above 0
    burst : float, at least 1
    clock : function () -> seconds; only differences count, and a step back gives nothing
    most : int
        Buckets kept; the one untouched for longest goes first, and is full again by then unless very many ask.
    """

    rate: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    most: int = 50_000
    _buckets: OrderedDict = field(default_factory=OrderedDict, init=False, repr=False)

    def take(self, client: str) -> float:
        """0 when a token was taken, otherwise the seconds until there is one."""
        now = self.clock()
        tokens, before = self._buckets.get(client, (self.burst, now))
        tokens = min(self.burst, tokens + max(0.0, now - before) * self.rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self.rate
        self._buckets[client] = (tokens - (wait == 0), max(now, before))
        self._buckets.move_to_end(client)
        if len(self._buckets) > self.most:
            self._buckets.popitem(last=False)
        return wait


@lru_cache(10_000)
def client_of(address: str) -> str:
    """Who shares a bucket: an IPv4 address, or the /64 network that one subscriber has of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(parsed if parsed.version == 4 else ip_network((parsed, 64), strict=False))


# ---------------------------------------------------------------------------------------------------------- the guard
class Guard:
    """ASGI middleware around an app that raises `Problem`, `BadRequest`, `NotFound` and `Unavailable`.

    Parameters
    ----------
    app : ASGI app
    settings : Settings
        rate, max_bytes, max_waiting, body_seconds and log count here.
    counts : Counter
        Of (route, method, status), for the metrics.
    clock : function () -> seconds
        Fills the buckets.
    """

    def __init__(self, app, settings: Settings, counts: Counter, clock: Callable[[], float] = time.monotonic):
        self.app, self.settings, self.counts = app, settings, counts
        self.buckets = TokenBuckets(settings.rate, max(1.0, 2 * settings.rate), clock) if settings.rate else None
        self.under_way: Counter = Counter()
        self._key = secrets.token_bytes(16)
        self._hashes: dict[str, str] = {}

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = Visit(scope, send)
        scope["path"] = visit.path  # as it was sent: in an id a quoted slash is no slash
        watched = visit.path.startswith(UNCOUNTED)
        try:
            if self.buckets and not watched:
                self._count(visit.client)
            if scope["method"] in ("POST", "PUT", "PATCH", "DELETE"):
                with self._room("bodies"):  # apart: who sends slowly must not keep out those who ask
                    receive = _once(await self._body(visit, receive))
            with self._room("watching" if watched else "questions"):
                await self.app(scope, receive, visit.answer)
        except Exception as error:
            await self._refuse(visit, error)
        finally:
            self._note(visit)

    def _count(self, client) -> None:
        """Has this client not asked too often?"""
        wait = self.buckets.take(client)
        if wait:
            seconds = str(int(wait) + 1)
            raise Problem(
                429, f"more than {self.settings.rate:g} requests per second; wait {seconds} s", {"Retry-After": seconds}
            )

    @contextmanager
    def _room(self, kind):
        """A place among those under way, if there is one left."""
        if self.under_way[kind] >= self.settings.max_waiting and kind != "watching":
            raise Problem(503, "too many requests are under way; try again in a second", {"Retry-After": "1"})
        self.under_way[kind] += 1
        try:
            yield
        finally:
            self.under_way[kind] -= 1

    async def _body(self, visit, receive) -> bytes:
        """The whole body, refused when it is too large or does not arrive."""
        length = visit.header(b"content-length")
        if length is not None and length.isdigit() and int(length[:12]) == 0:
            return b""
        most = self.settings.max_bytes
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                body, more, size = bytearray(), True, 0
                while more and size <= _SWALLOW * most:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Problem(400, "the body was cut short")
                    part, more = message.get("body", b""), message.get("more_body", False)
                    size += len(part)
                    body += part if size <= most else b""
        except TimeoutError:
            visit.closes = True
            raise Problem(408, f"the body did not arrive within {self.settings.body_seconds:g} s") from None
        if size > most:
            visit.closes = more
            raise Problem(413, f"the body must be at most {most} bytes")
        return bytes(body)

    async def _refuse(self, visit, error) -> None:
        """Answer with a problem; what nobody expected is logged by where it happened, not by what it says."""
        problem = as_problem(error)
        if problem.status == 500:
            visit.failed = failure_of(error)
        if visit.status is not None:  # too late: the answer has begun
            return
        body = problem.body(visit.id)
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body))]
        headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        await visit.answer({"type": "http.response.start", "status": problem.status, "headers": headers})
        await visit.answer({"type": "http.response.body", "body": body if visit.scope["method"] != "HEAD" else b""})

    def _note(self, visit) -> None:
        """Count the request and write its line."""
        route, status = visit.scope.get("asked", "none"), visit.status or NO_ANSWER
        method = visit.scope["method"] if visit.scope["method"] in METHODS else "other"
        self.counts[route, method, status] += 1
        wanted, level = self.settings.log, logging.ERROR if visit.failed else logging.INFO
        if wanted == "none" or (wanted == "errors" and status < 500) or not log.isEnabledFor(level):
            return
        line = {"request": visit.id, "route": route, "method": method, "status": status}
        line |= {"ms": round((time.perf_counter() - visit.begin) * 1e3, 2), "client": self._hash(visit.client)}
        line |= visit.scope.get("noted", {}) | visit.failed
        log.handle(log.makeRecord(log.name, level, "", 0, line, (), None))  # `log.log` would look for its caller first

    def _hash(self, client) -> str:
        """Eight letters that stand for a client until the process ends."""
        if client not in self._hashes:
            if len(self._hashes) > 10_000:
                self._hashes.clear()
            self._hashes[client] = hashlib.blake2b(client.encode(), key=self._key, digest_size=4).hexdigest()
        return self._hashes[client]


class Visit:
    """One request: its id, its path as it was sent, when it began and how it was answered."""

    __slots__ = ("scope", "send", "id", "path", "client", "begin", "status", "closes", "failed")

    def __init__(self, scope, send):
        self.scope, self.send, self.begin = scope, send, time.perf_counter()
        given = self.header(b"x-request-id")
        self.id = given.decode() if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        raw = scope.get("raw_path")
        self.path = quote(scope["path"]) if raw is None else raw.decode("latin-1")
        self.client = client_of((scope.get("client") or ("",))[0])
        self.status, self.closes, self.failed = None, False, {}

    def header(self, name: bytes) -> bytes | None:
        """The first header of this name."""
        return next((value for key, value in self.scope["headers"] if key == name), None)

    async def answer(self, message) -> None:
        """Pass on a part of the answer, the first one with our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = [*message["headers"], *HEADERS, (b"x-request-id", self.id.encode())]
            message = {**message, "headers": [*own, (b"connection", b"close")] if self.closes else own}
        await self.send(message)


def _once(body: bytes):
    """A `receive` that hands out a body which is here already."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        return next(messages, {"type": "http.disconnect"})

    return receive


def as_problem(error: Exception) -> Problem:
    """What a client is told of an exception: the words of those that are meant for it, nothing of any other."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, BadRequest):
        return Problem(400, str(error), **_by_index(error.problems))
    if isinstance(error, NotFound):
        return Problem(404, str(error.args[0]) if error.args else "there is no such thing")
    if isinstance(error, Unavailable):
        return Problem(503, str(error), {"Retry-After": "1"})
    return Problem(500, "this was not your fault; the request's id finds it in the log")


def _by_index(problems) -> dict:
    """What is wrong with each event of a list, for the first hundred."""
    found = [{"event": at, "detail": what} for at, what in list(problems.items())[:100]]
    return {"problems": found} if found else {}


def failure_of(error: BaseException) -> dict:
    """An exception as its class and the places it came through. What it says may hold anybody's data and stays out."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": places}


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time in UTC, level, logger, and the message or its members."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line = {"time": when, "level": record.levelname.lower(), "logger": record.name}
        line |= record.msg if isinstance(record.msg, dict) else {"message": record.getMessage()}
        if record.exc_info and record.exc_info[1] is not None:
            line |= failure_of(record.exc_info[1])
        return _encode(line)


_encode = json.JSONEncoder(default=str).encode
