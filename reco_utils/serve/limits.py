"""How much anybody may ask: not too often, not too much at once, and no body that is too large or never arrives.

Plain ASGI, for all of it is decided before there is a body to be read. uvicorn's own `limit_concurrency` will not do:
it counts connections that are open and silent, sends health checks away too, and says neither why nor for how long.
"""

import asyncio
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as Metric

from reco_utils.serve.problems import Problem
from reco_utils.serve.settings import Settings

UNCOUNTED = ("/health/", "/metrics")  # whoever watches the service must not be told to wait
ADMIN = "/v1/admin/"
BODIES = ("POST", "PUT", "PATCH", "DELETE")
SENDERS = 4  # times as many bodies may be on their way: they cost no time until they are here
SWALLOW = 8  # times the largest body: so much is read and dropped, so that the sender gets to see the refusal
CLOSE, AGAIN = {"Connection": "close"}, {"Retry-After": "1"}


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


class Limits:
    """ASGI middleware that raises `Problem`: 429 and 503 with the seconds to wait, 408 and 413 for bodies.

    Parameters
    ----------
    app : ASGI app
    settings : Settings
        rate, max_bytes, max_waiting and body_seconds count here.
    registry : CollectorRegistry
        Gets a counter of those sent away because too much was under way. Health, metrics, deletions and admin routes
        never are: on a bad day they are needed most.
    clock : function () -> seconds
        Fills the buckets.
    """

    def __init__(
        self, app, settings: Settings, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ):
        self.app, self.settings = app, settings
        self.buckets = TokenBuckets(settings.rate, max(1.0, 2 * settings.rate), clock) if settings.rate else None
        self.under_way: Counter = Counter()
        self.shed = Metric("reco_shed_requests", "Requests sent away: too much was under way.", registry=registry)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        watching = scope["path"].startswith(UNCOUNTED)
        if self.buckets and not watching:
            self._count(client_of((scope.get("client") or ("",))[0]))
        spared = watching or scope["method"] == "DELETE" or scope["path"].startswith(ADMIN)
        if scope["method"] in BODIES:
            most = SENDERS * self.settings.max_waiting
            with self._room(("bodies", spared), most):  # apart: who sends slowly must not keep out those who ask
                receive = _once(await self._body(receive))
        with self._room("questions", math.inf if spared else self.settings.max_waiting):
            await asyncio.sleep(0)  # all who came at the same moment are counted before the first of them is served
            await self.app(scope, receive, send)

    def _count(self, client) -> None:
        """Has this client not asked too often?"""
        wait = self.buckets.take(client)
        if wait:
            seconds = str(int(wait) + 1)
            raise Problem(
                429, f"more than {self.settings.rate:g} requests per second; wait {seconds} s", {"Retry-After": seconds}
            )

    @contextmanager
    def _room(self, kind, most):
        """A place among those under way, if there is one left."""
        if self.under_way[kind] >= most:
            self.shed.inc()
            raise Problem(503, "too much is under way here; try again in a second", AGAIN, title="Overloaded")
        self.under_way[kind] += 1
        try:
            yield
        finally:
            self.under_way[kind] -= 1

    async def _body(self, receive) -> bytes:
        """The whole body, refused when it is too large or does not arrive."""
        most = self.settings.max_bytes
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                body, more, size = bytearray(), True, 0
                while more and size <= SWALLOW * most:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Problem(400, "the body was cut short")
                    part, more = message.get("body", b""), message.get("more_body", False)
                    size += len(part)
                    body += part if size <= most else b""
        except TimeoutError:
            raise Problem(408, f"the body did not arrive within {self.settings.body_seconds:g} s", CLOSE) from None
        if size > most:
            raise Problem(413, f"the body must be at most {most} bytes", CLOSE if more else None)
        return bytes(body)


def _once(body: bytes):
    """A `receive` that hands out a body which is here already."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        return next(messages, {"type": "http.disconnect"})

    return receive
