"""How fast the service answers, and at which load it breaks: open arrivals from a process of their own.

    python benchmarks/load.py [--size medium large] [--store memory redis] [--cache warm cold none] [--rates 100 300]

No contest. For each shop a model is trained once (`runs/load/<size>`), then for each row the real service is started
and asked by a second process over keep-alive connections.

- Arrivals are open (Poisson): a slow answer does not keep the next visitor from coming. A latency counts from the
  moment when the request was meant to start, so that waiting for the generator or for a connection is part of it (no
  coordinated omission).
- Who asks is drawn by Zipf's law from the users of the shop; one in twenty is a stranger never seen before.
- warm: everybody in the plan has asked before; cold: the cache is empty at the start; none: no request is like one
  before, so every list is made. `cached` is the share of answers that came out of the cache, `degraded` of those for
  which a part failed or was late.
- mixed: of a hundred requests 70 are for lists, 10 for similar items, 5 are searches and 15 bring an event.
- headroom: rates grow by a quarter until the p99 is above 50 ms, or somebody gets an error or is sent away.
- Latencies in ms, of all that were not sent away; processor in % of one core. `shed` is the share that was sent away
  with 503 because too much was under way, and `shed p99` how long that took. Any other answer but 200 and 202 is an
  error, and so is none within 5 s.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from bisect import bisect
from collections import Counter, deque
from contextlib import contextmanager, nullcontext
from itertools import accumulate
from pathlib import Path
from urllib.parse import quote

import bench

HERE = Path(__file__).parent
RATES, SECONDS = (100, 300, 1000), 20.0
LIMIT_MS, GIVE_UP_SECONDS, GROWTH = 50.0, 5.0, 1.25
STRANGERS, ZIPF_SHIFT = 0.05, 10
CONNECTIONS = 400  # at most; select() cannot watch more than 1,000
MIX = (("list", 70), ("similar", 10), ("search", 5), ("event", 15))
WORDS = ("blue", "mug", "wooden", "toy", "tea", "lamp", "gift", "red", "shirt", "garden")
TRAIN = """import sys
from reco_utils.data.registry import load_dataset
from reco_utils.serve import artifact
size, home = sys.argv[1:]
made = artifact.train(load_dataset("shop", size=size), measure=False)
artifact.publish(home, artifact.save(made, home))
"""
IDS = """import json, sys
from reco_utils.serve import artifact
data = artifact.load(sys.argv[1]).data
print(json.dumps([list(data.users), list(data.items)]))
"""
SERVE = """import os, sys
from reco_utils.serve import server, settings
sys.exit(server.run(settings.Settings.from_environment(os.environ)))
"""
COLUMNS = (
    "rate",
    "done/s",
    "p50",
    "p95",
    "p99",
    "max",
    "errors",
    "shed",
    "shed p99",
    "cached",
    "degraded",
    "late p99",
    "server %",
    "generator %",
)


# -------------------------------------------------------------------------------------------------------------- plans
def plan_of(
    rate: float, seconds: float, users: list[str], items: list[str], *, cache="warm", mixed=False, seed=0
) -> dict:
    """What is sent when: times in seconds, requests in bytes, and those that warm the cache.

    Parameters
    ----------
    rate : float
        Requests per second in the mean; the gaps are exponential.
    users, items : lists of ids
        The first of them ask, and are asked for, most often: the r-th as often as 1 / (r + 10).
    """
    rng = random.Random(seed)
    who, what = drawer(users, rng), drawer(items, rng)
    kinds = rng.choices([k for k, _ in MIX], [n for _, n in MIX], k=2**12) if mixed else ["list"]
    times, requests, warm, at, n = [], [], {}, 0.0, 0
    while (at := at + rng.expovariate(rate)) < seconds:
        user = f"stranger-{seed}-{rate}-{n}" if rng.random() < STRANGERS else who()
        request = written(kinds[n % len(kinds)], user, what(), f"{cache}-{seed}-{rate}-{n}", cache, rng)
        times.append(at)
        requests.append(request)
        if cache == "warm" and request.startswith(b"GET /v1/users/") and not user.startswith("stranger-"):
            warm[request] = None
        n += 1
    return {"times": times, "requests": requests, "warm": list(warm)}


def drawer(ids, rng):
    """A function that draws from ids by Zipf's law; which of them are popular is drawn first."""
    ids = rng.sample(ids, len(ids))
    sums = list(accumulate(1 / (rank + ZIPF_SHIFT) for rank in range(len(ids))))
    return lambda: ids[bisect(sums, rng.random() * sums[-1])]


def written(kind: str, user: str, item: str, name: str, cache: str, rng) -> bytes:
    """A request as it goes over the wire."""
    if kind == "event":
        event = {"event_id": name, "user_id": user, "item_id": item, "event": "click"}
        body = json.dumps([event]).encode()
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        )
        return head.encode() + b"\r\n\r\n" + body
    user, item = quote(user, safe=""), quote(item, safe="")
    query = f"&arm={name}" if cache == "none" else ""
    path = {
        "list": f"/v1/users/{user}/recommendations?k=10{query}",
        "similar": f"/v1/items/{item}/similar?k=10",
        "search": f"/v1/search?q={rng.choice(WORDS)}+{rng.choice(WORDS)}&k=10",
    }[kind]
    return f"GET {path} HTTP/1.1\r\nHost: shop\r\nAccept: application/json\r\n\r\n".encode()


# ---------------------------------------------------------------------------------------------------------- generator
class Connection(asyncio.Protocol):
    """A keep-alive connection that asks one thing at a time."""

    def __init__(self, load):
        self.load, self.at, self.buffer, self.need, self.transport = load, None, b"", 0, None

    def connection_made(self, transport):
        """It is open: ask what is waiting."""
        self.transport = transport
        self.load.free(self)

    def ask(self, at: int) -> None:
        """Send the request `at` of the plan."""
        self.at, self.buffer, self.need = at, b"", 0
        self.load.sent[at] = time.perf_counter()
        self.transport.write(self.load.requests[at])

    def data_received(self, data):
        """Collect an answer; when it is complete, note it and ask the next."""
        self.buffer += data
        if not self.need and (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            begin = self.buffer.lower().index(b"content-length:") + 15
            self.need = end + 4 + int(self.buffer[begin : self.buffer.index(b"\r\n", begin)])
        if self.need and len(self.buffer) >= self.need and self.at is not None:
            self.load.done(self.at, self.buffer)
            self.at = None
            self.load.free(self)

    def connection_lost(self, error):
        """What was being asked has failed."""
        self.load.lost(self)


class Load:
    """Sends the requests of a plan at their times and notes when the answers came."""

    def __init__(self, host, port, requests, times):
        self.address, self.requests, self.times = (host, port), requests, times
        self.sent, self.ended, self.codes = ([None] * len(times) for _ in range(3))
        self.statuses, self.cached, self.degraded, self.n_open, self.next = Counter(), 0, 0, 0, 0
        self.idle, self.waiting = [], deque()

    async def run(self, connections: int, give_up: float = GIVE_UP_SECONDS) -> None:
        """All of it; with a few connections open from the start."""
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        for _ in range(min(connections, CONNECTIONS)):
            self._connect()
        while len(self.idle) < min(connections, CONNECTIONS):
            await asyncio.sleep(0.01)
        self.begin = time.perf_counter() + 0.05
        self._pump()
        limit = (self.times[-1] if self.times else 0) + give_up
        try:
            await asyncio.wait_for(self.over.wait(), limit)
        except TimeoutError:
            pass

    def _connect(self):
        self.n_open += 1
        opening = self.loop.create_task(self.loop.create_connection(lambda: Connection(self), *self.address))
        opening.add_done_callback(lambda task: task.exception() and self._no_connection())

    def _no_connection(self):
        self.n_open -= 1
        self.statuses["no connection"] += 1

    def _pump(self):
        """Send what is due, then sleep until the next."""
        now = time.perf_counter() - self.begin
        while self.next < len(self.times) and self.times[self.next] <= now:
            self.waiting.append(self.next)
            self.next += 1
        while self.waiting and self.idle:
            self.idle.pop().ask(self.waiting.popleft())
        if self.waiting and self.n_open < CONNECTIONS:
            self._connect()
        if self.next < len(self.times):
            self.loop.call_later(max(0, self.times[self.next] - (time.perf_counter() - self.begin)), self._pump)

    def free(self, connection):
        """A connection has nothing to do."""
        if self.waiting:
            connection.ask(self.waiting.popleft())
        else:
            self.idle.append(connection)

    def done(self, at, answer):
        """An answer is complete."""
        self.ended[at] = time.perf_counter()
        self.codes[at] = answer[9:12].decode()
        self.statuses[self.codes[at]] += 1
        self.cached += b'"cached":true' in answer
        self.degraded += b'"degraded":["' in answer
        if sum(self.statuses.values()) >= len(self.times):
            self.over.set()

    def lost(self, connection):
        """A connection was closed by the other side."""
        self.n_open -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        if connection.at is not None:
            self.statuses["lost"] += 1


def generate(plan_file: Path, host: str, port: int) -> dict:
    """Send a plan and return what came of it. What a child does."""
    plan = json.loads(plan_file.read_text())
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())  # the others wake up a millisecond late
    warm = [request.encode() for request in plan["warm"]]
    if warm:
        loop.run_until_complete(Load(host, port, warm, [0.0] * len(warm)).run(4, give_up=600))
    load = Load(host, port, [request.encode() for request in plan["requests"]], plan["times"])
    before, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    watched = cpu_seconds(plan["pid"])
    loop.run_until_complete(load.run(16))
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - begin
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return figures(load, seconds, busy, cpu_seconds(plan["pid"]) - watched)


def figures(load: Load, seconds: float, busy: float, server: float) -> dict:
    """Percentiles and shares of a run; what was never answered counts as endless."""
    meant = [load.begin + at for at in load.times]
    took = [(e - m) * 1e3 if e else float("inf") for e, m in zip(load.ended, meant)]
    waited = sorted(ms for ms, code in zip(took, load.codes) if code != "503")
    shed = sorted(ms for ms, code in zip(took, load.codes) if code == "503")
    late = sorted((s - m) * 1e3 for s, m in zip(load.sent, meant) if s)
    good, n = load.statuses["200"] + load.statuses["202"], len(load.times)
    return {
        "n": n, "done/s": good / max(seconds - 0.05, 1e-9), "p50": share(waited, 0.5), "p95": share(waited, 0.95),
        "p99": share(waited, 0.99), "max": share(waited, 1), "errors": n - good - len(shed),
        "shed": len(shed) / max(n, 1), "shed p99": share(shed, 0.99), "cached": load.cached / max(n, 1),
        "degraded": load.degraded / max(n, 1),
        "late p99": share(late, 0.99), "server %": 100 * server / seconds, "generator %": 100 * busy / seconds,
        "statuses": dict(load.statuses), "connections": load.n_open,
    }  # fmt: skip


def share(ordered: list[float], part: float) -> float:
    """The smallest value that this part of the values does not exceed."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its threads so far (Linux)."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


# ------------------------------------------------------------------------------------------------------------- server
def trained(size: str, folder: Path, python: str) -> Path:
    """The home of a published model of a shop; trained when there is none yet."""
    home = folder / size
    if not (home / "published.json").exists():
        print(f"training on the {size} shop", file=sys.stderr, flush=True)
        subprocess.run([python, "-c", TRAIN, size, str(home)], check=True)
    return home


def ids_of(home: Path, python: str) -> tuple[list[str], list[str]]:
    """Users and items of a published model."""
    done = subprocess.run([python, "-c", IDS, str(home)], check=True, stdout=subprocess.PIPE, text=True)
    return tuple(json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def service(home: Path, python: str, redis: str | None, log: Path):
    """The real service in a process of its own, ready; gives its port and process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (home / "events.db").unlink(missing_ok=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("RECO_", "REDIS"))}
    env |= {"RECO_HOME": str(home), "RECO_PORT": str(port), "RECO_RATE": "0", "OPENBLAS_NUM_THREADS": "1"}
    env |= {"RECO_MAX_AGE_HOURS": "8760"} | ({"REDIS_URL": redis} if redis else {})
    with log.open("w") as lines:
        process = subprocess.Popen([python, "-c", SERVE], env=env, stderr=lines)
        try:
            wait_until_ready(port, process)
            yield port, process
        finally:
            process.terminate()
            process.wait(30)


def wait_until_ready(port: int, process, seconds: float = 120) -> None:
    """Come back when the service is ready; raise when it ends or takes too long."""
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the service was not ready after {seconds:g} s (exit code {process.poll()})")


@contextmanager
def redis_server():
    """A Redis server of our own."""
    from reco_utils.serve.local_redis import LocalRedis

    with LocalRedis() as server:
        yield server.url


def forget_lists(redis: str) -> None:
    """Empty the cache of finished lists."""
    from reco_utils.serve.cache import ListCache
    from reco_utils.serve.kv import open_kv

    store = open_kv(redis)
    ListCache(store).purge_all()
    store.close()


# --------------------------------------------------------------------------------------------------------------- rows
def measure(running, plan: dict, folder: Path) -> dict:
    """Send a plan to a running service from another process."""
    port, process = running
    texts = {name: [request.decode() for request in plan[name]] for name in ("requests", "warm")}
    file = folder / "plan.json"
    file.write_text(json.dumps({**plan, **texts, "pid": process.pid}))
    command = [sys.executable, __file__, "--child", str(file), "--port", str(port)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def rows_of(size, store, chosen, redis, folder):
    """All rows of one shop and store, each with a service of its own."""
    home = trained(size, chosen.home, chosen.python)
    users, items = ids_of(home, chosen.python)
    log = folder / "service.log"

    def row(cache, rate, mixed=False, seed=0):
        plan = plan_of(rate, chosen.seconds, users, items, cache=cache, mixed=mixed, seed=seed)
        with service(home, chosen.python, redis, log) as running:
            if redis:  # the lists of the row before; features stay
                forget_lists(redis)
            found = measure(running, plan, folder)
        return {"shop": size, "store": store, "cache": cache + (", mixed" if mixed else ""), "rate": rate, **found}

    for cache in chosen.cache:
        for rate in chosen.rates:
            yield row(cache, rate)
    for rate in chosen.mixed:
        yield row("cold", rate, mixed=True)
    for cache in chosen.headroom:
        rate = chosen.start
        while True:
            found = row(cache, round(rate), seed=1)
            broken = found["p99"] > LIMIT_MS or found["errors"] > 0 or found["shed"] > 0
            yield {**found, "cache": f"{cache}, headroom", "broken": broken}
            if broken:
                break
            rate *= GROWTH


def table(rows: list[dict]) -> str:
    """The rows as Markdown."""
    names = ("shop", "store", "cache", *COLUMNS)
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * 3}{'--:|' * len(COLUMNS)}"]
    for row in rows:
        cells = [row["shop"], row["store"], row["cache"], *(cell(name, row[name]) for name in COLUMNS)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(name: str, value: float) -> str:
    """A figure as text."""
    whole = ("rate", "done/s", "errors", "server %", "generator %")
    digits = dict.fromkeys(whole, 0) | {"shed": 3, "cached": 2, "degraded": 3}
    return "" if value != value else f"{value:.{digits.get(name, 1)}f}"


def main() -> None:
    """Measure what was chosen, print the table, save every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", nargs="+", default=["medium"], choices=("small", "medium", "large"))
    parser.add_argument("--store", nargs="+", default=["memory"], choices=("memory", "redis"))
    parser.add_argument("--cache", nargs="*", default=["cold", "warm"], choices=("cold", "warm", "none"))
    parser.add_argument("--rates", nargs="*", type=float, default=list(RATES), help="requests per second")
    parser.add_argument("--mixed", nargs="*", type=float, default=[], help="rates of the mixed load")
    parser.add_argument("--headroom", nargs="*", default=[], choices=("cold", "warm", "none"))
    parser.add_argument("--start", type=float, default=400, help="first rate of the headroom")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each row")
    parser.add_argument("--home", type=Path, default=HERE.parent / "runs" / "load", help="where models are kept")
    parser.add_argument("--python", default=sys.executable, help="of the service")
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="write every figure, the machine and all versions as JSON"
    )
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(generate(chosen.child, "127.0.0.1", chosen.port)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for store in chosen.store:
            with redis_server() if store == "redis" else nullcontext() as redis:
                for size in chosen.size:
                    for row in rows_of(size, store, chosen, redis, Path(folder)):
                        rows.append(row)
                        print(table([row]).splitlines()[-1], file=sys.stderr, flush=True)
    print(table(rows))
    if chosen.save:
        bench.save(chosen.save, __file__, {"service": chosen.python}, {"rows": rows})


if __name__ == "__main__":
    main()
