"""What was asked and how it went: an id, a line of JSON and a counter per request, without a word about anybody.

No user id and no address is ever written down; who is who in the log is a hash under a key that is made at the start
and gone at the end.
"""

import hashlib
import logging
import re
import secrets
import time
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter

from reco_utils.serve.limits import client_of
from reco_utils.serve.logs import failure_of
from reco_utils.serve.problems import as_problem
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
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_ANSWER = 499  # the client went away before there was one
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Journal:
    """The outermost ASGI middleware: whatever happens inside, there is an answer with an id, and a line about it.

    Parameters
    ----------
    app : ASGI app
        May leave in `request.state.noted` what the line is to hold besides.
    settings : Settings
        log counts here.
    registry : CollectorRegistry
        Gets a counter of requests by route, method and status.
    """

    def __init__(self, app, settings: Settings, registry: CollectorRegistry):
        self.app, self.wanted = app, settings.log
        about = "Requests by route, method and status."
        self.counter = Counter("reco_http_requests", about, ("route", "method", "status"), registry=registry)
        self.hashed = lru_cache(10_000)(_hasher())

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin, status, failed = time.perf_counter(), NO_ANSWER, {}
        name = scope.setdefault("state", {})["request_id"] = _id_of(scope["headers"])

        async def answer(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *HEADERS, (b"x-request-id", name.encode())]
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            problem = as_problem(error)
            failed = failure_of(error) if problem.status == 500 else {}
            if status == NO_ANSWER:  # otherwise it is too late: the answer has begun
                await problem.response(name)(scope, receive, answer)
        finally:
            self._note(scope, status, time.perf_counter() - begin, failed)

    def _note(self, scope, status, seconds, failed) -> None:
        """Count the request and write its line."""
        route = getattr(scope.get("route"), "name", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.counter.labels(route, method, status).inc()
        level = logging.ERROR if failed else logging.INFO
        if self.wanted == "none" or (self.wanted == "errors" and status < 500) or not log.isEnabledFor(level):
            return
        state = scope["state"]
        line = {"request": state["request_id"], "route": route, "method": method, "status": status}
        line |= {"ms": round(seconds * 1e3, 2), "client": self.hashed((scope.get("client") or ("",))[0])}
        line |= state.get("noted", {}) | failed
        log.handle(log.makeRecord(log.name, level, "", 0, line, (), None))  # `log.log` would look for its caller first


def _id_of(headers) -> str:
    """The id that the client gave, if it cannot forge a log, or one of ours."""
    given = next((value for name, value in headers if name == b"x-request-id"), b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _hasher():
    """A function that makes eight letters of an address, which stand for a client until the process ends."""
    key = secrets.token_bytes(16)
    return lambda address: hashlib.blake2b(client_of(address).encode(), key=key, digest_size=4).hexdigest()
