"""How long one list takes, by the road it takes through the engine: no contest, and no network.

    python benchmarks/engine.py [--sizes medium large] [--requests 2000] [--store memory: redis://localhost:6379/0]

The built-in shop is trained (and kept in the folder --home, if one is given), stored, loaded as a service loads it, and
asked one question at a time by one thread; every question of a row is another user's, but for "cached". The times are
microseconds of the clock; "cpu" is the mean processor time of a request over all threads, which a busy machine changes
less. "degraded" is the share of lists that lacked a part, nearly always because the deadline was missed; five times
in a row, and the model is left alone for ten seconds.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import bench
import numpy as np

SESSION, WARM_UP, BUSY = 3, 30, 5  # clicks of a session, requests not counted, items of a user who counts as known
WORDS = ("red", "kitchen", "cotton shirt", "garden chair", "cheap mug", "wireless", "soft towel", "toy for kids")


def trained(size: str, home: Path):
    """A published artifact of the built-in shop, trained now if it is not there yet."""
    from reco_utils.data.registry import load_dataset
    from reco_utils.serve import artifact

    folder = home / size
    if artifact.published(folder).version is None:
        found = artifact.train(load_dataset("shop", size=size), measure=False)
        artifact.publish(folder, artifact.save(found, folder))
    return folder


def engine_of(folder: Path, store: str, scratch: Path, deadline_ms: float):
    """The engine over that artifact, with all its parts, the log in a file."""
    from reco_utils.serve.cache import ListCache
    from reco_utils.serve.engine import Engine
    from reco_utils.serve.event_log import EventLog
    from reco_utils.serve.feature_store import FeatureStore, catalog_facts
    from reco_utils.serve.kv import open_kv
    from reco_utils.serve.live import Live
    from reco_utils.serve.monitor import Monitor

    live, kv = Live(folder), open_kv(store)
    log = EventLog(scratch / f"events-{time.time_ns()}.db")  # a new one: yesterday's events would make every list live
    return Engine(
        live, FeatureStore(kv, facts=catalog_facts(live)), ListCache(kv), log, Monitor(), deadline_ms=deadline_ms
    )


def roads(engine, users, items, rng):
    """Row name to a function of the request's number that asks one question."""
    from reco_utils.serve.ask import Ask

    categories = engine.categories()
    sessions = rng.integers(0, len(items), (10_000, SESSION))

    def session(n):
        return tuple(items[at] for at in sessions[n % len(sessions)])

    def user(n):
        return users[n % len(users)]

    def event(n, name):
        return {"event_id": f"{name}-{time.time_ns()}-{n}", "user_id": user(n), "item_id": items[n], "event": "view"}

    def told(n):
        engine.ingest([event(n, "told")])

    yield "precomputed", lambda n: engine.recommend(Ask(user(n))), None
    yield "cached", lambda n: engine.recommend(Ask(user(0))), None
    yield "precomputed, with reasons", lambda n: engine.recommend(Ask(user(n), reasons=True)), None
    yield "filtered by category", lambda n: engine.recommend(Ask(user(n), categories=[categories[n % 10]])), None
    yield "live, session of 3 clicks", lambda n: engine.recommend(Ask(user(n), session=session(n))), None
    yield "live, known after an event", lambda n: engine.recommend(Ask(user(n))), told
    yield "stranger", lambda n: engine.recommend(Ask(f"stranger {n}")), None
    yield "stranger, session of 3 clicks", lambda n: engine.recommend(Ask(f"stranger {n}", session=session(n))), None
    yield "similar, first time", lambda n: engine.similar(items[n % len(items)]), None
    yield "similar, again", lambda n: engine.similar(items[0]), None
    yield "search, nobody's", lambda n: engine.search(WORDS[n % len(WORDS)]), None
    yield "search, a user's", lambda n: engine.search(WORDS[n % len(WORDS)], user(n)), None
    yield "one event, to the disk", lambda n: engine.ingest([event(n, "row")]), None


def measure(ask, before, n_requests) -> dict:
    """Microseconds of each request, mean processor time, and what came out."""
    took, busy, degraded = [], 0.0, 0
    for n in range(-WARM_UP, n_requests):
        if before is not None:
            before(n + WARM_UP)
        begin, cpu = time.perf_counter(), time.process_time()
        answer = ask(n + WARM_UP)
        end, cpu_end = time.perf_counter(), time.process_time()
        if n >= 0:
            took.append((end - begin) * 1e6)
            busy += (cpu_end - cpu) * 1e6
            degraded += bool(answer.degraded)
    p50, p95, p99 = np.percentile(took, [50, 95, 99])
    row = {"p50": p50, "p95": p95, "p99": p99, "cpu": busy / n_requests, "degraded": degraded / n_requests}
    return {name: float(value) for name, value in row.items()}


def run(size, store, folder, scratch, n_requests, deadline_ms) -> dict:
    """All rows for one size of the shop and one store."""
    engine = engine_of(folder, store, scratch, deadline_ms)
    warm_ms = engine.warm() * 1000
    data, rng = engine.live.stable.data, np.random.default_rng(0)
    known = data.users[np.diff(data.weights.indptr) >= BUSY].tolist()
    users = [known[at] for at in rng.permutation(len(known))]
    items = [data.items[at] for at in rng.permutation(len(data.items))]
    rows = {}
    for name, ask, before in roads(engine, users, items, rng):
        rows[name] = measure(ask, before, min(n_requests, len(items) - WARM_UP - 1, len(users) - WARM_UP - 1))
        print(f"{size} {store.split(':')[0]}: {name}", file=sys.stderr, flush=True)
    engine.close()
    engine.log.close()
    return {"users": len(data.users), "items": len(data.items), "warm_ms": warm_ms, "rows": rows}


def table(found) -> str:
    """Markdown of one run."""
    lines = ["| road | p50 us | p95 us | p99 us | cpu us | degraded |", "|---|---:|---:|---:|---:|---:|"]
    for name, row in found["rows"].items():
        numbers = " | ".join(f"{row[column]:,.0f}" for column in ("p50", "p95", "p99", "cpu"))
        lines.append(f"| {name} | {numbers} | {row['degraded']:.1%} |")
    return "\n".join(lines)


def main() -> None:
    """Train, ask, print a table per size and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["medium"], choices=("small", "medium", "large"))
    parser.add_argument("--store", nargs="+", default=["memory:"])
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--deadline", type=float, default=40.0, help="ms; a busy machine needs more to time live lists")
    parser.add_argument("--home", type=Path, help="where artifacts are kept for the next time")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write all figures and the machine as JSON")
    chosen, record = parser.parse_args(), {"machine": bench.machine(), "runs": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for size in chosen.sizes:
            folder = trained(size, chosen.home or Path(scratch))
            for store in chosen.store:
                found = run(size, store, folder, Path(scratch), chosen.requests, chosen.deadline)
                record["runs"][f"{size}, {store.split(':')[0]}"] = found
                title = f"{size} shop, {found['users']:,} users, {found['items']:,} items, {store.split(':')[0]}"
                print(f"\n### {title} (ready after {found['warm_ms']:.0f} ms)\n\n{table(found)}")
    if chosen.save:
        chosen.save.write_text(json.dumps(record, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
