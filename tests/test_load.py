"""The load generator: who asks, when, and that no wait is hidden."""

import importlib.util
import json
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
USERS, ITEMS = [f"u{n}" for n in range(200)], [f"i{n}" for n in range(50)]


def imported(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def load():
    sys.path.insert(0, str(FOLDER))
    try:
        yield imported("load")
    finally:
        sys.path.remove(str(FOLDER))


def test_a_plan_is_the_same_for_the_same_seed_and_keeps_its_rate(load):
    plan = load.plan_of(200, 30, USERS, ITEMS, seed=3)
    assert plan == load.plan_of(200, 30, USERS, ITEMS, seed=3)
    assert plan["times"] == sorted(plan["times"]) and 0 < plan["times"][0] and plan["times"][-1] < 30
    assert abs(len(plan["times"]) - 6_000) < 5 * 6_000**0.5  # Poisson: the deviation is the root of the mean


def test_users_come_by_zipf_and_one_in_twenty_is_a_stranger(load):
    plan = load.plan_of(400, 25, USERS, ITEMS)
    asked = Counter(request.split(b"/")[3].decode() for request in plan["requests"])
    strangers = sum(n for user, n in asked.items() if user.startswith("stranger-"))
    assert abs(strangers / len(plan["requests"]) - 0.05) < 0.015
    assert all(n == 1 for user, n in asked.items() if user.startswith("stranger-"))
    often = [n for user, n in asked.most_common() if user in USERS]
    sums = sum(1 / (rank + 10) for rank in range(200))
    assert abs(often[0] / (len(plan["requests"]) - strangers) - 1 / 10 / sums) < 0.01
    assert len(plan["warm"]) == len(often)  # everybody but the strangers is asked for beforehand


def test_only_without_a_cache_no_request_is_like_another(load):
    none, cold = (load.plan_of(100, 10, USERS, ITEMS, cache=cache) for cache in ("none", "cold"))
    assert len(set(none["requests"])) == len(none["requests"]) > len(set(cold["requests"]))
    assert not none["warm"] and not cold["warm"]


def test_a_mixed_plan_has_each_kind_and_its_events_are_json(load):
    requests = load.plan_of(300, 10, ["a/b"], ITEMS, cache="cold", mixed=True)["requests"]
    kinds = Counter(request.split(b"?")[0].split(b"/")[-1 if b"GET" in request else 0] for request in requests)
    assert kinds[b"recommendations"] > kinds[b"POST "] > kinds[b"search"] > 0 and kinds[b"similar"] > 0
    post = next(request for request in requests if request.startswith(b"POST") and b"stranger" not in request)
    head, body = post.split(b"\r\n\r\n")
    assert int(head.rpartition(b": ")[2]) == len(body) and json.loads(body)[0]["user_id"] == "a/b"


def test_percentiles_by_hand(load):
    assert load.share(list(range(1, 101)), 0.5) == 51 and load.share(list(range(1, 101)), 0.99) == 100
    assert load.share([7], 0.5) == load.share([7], 0.99) == 7


@pytest.fixture
def stalled():
    """The port of a server that answers nobody until half a second after the first request."""
    go, first = threading.Event(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if first.acquire(blocking=False):
                threading.Timer(0.5, go.set).start()
            go.wait(10)
            body = b'{"cached":true}'
            self.send_response(404 if "u1/" in self.path else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server.server_port
    server.shutdown()
    serving.join()
    server.server_close()


def test_a_latency_counts_from_the_intended_start(load, stalled, tmp_path):
    times = [0.001 * n for n in range(40)]
    requests = [f"GET /v1/users/u{n}/recommendations HTTP/1.1\r\nHost: x\r\n\r\n" for n in range(40)]
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"times": times, "requests": requests, "warm": [], "pid": load.os.getpid()}))
    found = load.generate(file, "127.0.0.1", stalled)
    assert found["n"] == 40 and found["statuses"] == {"200": 39, "404": 1} and found["errors"] == 1
    assert found["cached"] == 1.0
    assert found["p50"] > 450  # all were meant to start within 40 ms, and answered half a second after the first


def run_of(**times):
    """What a load of one request per column has noted."""
    run = SimpleNamespace(begin=0.0, cached=0, degraded=0, n_open=1, **times)
    run.statuses = Counter(code for code in run.codes if code)
    return run


def test_who_is_sent_away_is_counted_apart_from_those_who_are_answered(load):
    run = run_of(
        times=[0.0, 1.0, 2.0], ended=[0.5, 1.002, 2.5], sent=[0.1, 1.0, 2.0], codes=["200", "503", "500"],
    )  # fmt: skip
    found = load.figures(run, 3.05, 0.1, 0.4)
    assert found["max"] == pytest.approx(500) and found["shed p99"] == pytest.approx(2)
    assert found["shed"] == pytest.approx(1 / 3) and found["errors"] == 1


def test_who_is_never_answered_counts_as_an_error_that_waits_for_ever(load):
    found = load.figures(
        run_of(times=[0.0, 1.0], ended=[0.5, None], sent=[0.1, 1.0], codes=["200", None]), 2.05, 0.1, 0.4
    )
    assert found["p50"] == float("inf") and found["errors"] == 1 and found["done/s"] == pytest.approx(0.5)
    assert found["server %"] == pytest.approx(100 * 0.4 / 2.05)
