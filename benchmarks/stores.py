"""A hundred thousand calls of a cache of lists, nine in ten of them reads: our stores against others'.

    python benchmarks/stores.py --peers PYTHON       # of an environment with diskcache and cachetools

Values of 1 kB with a time to live of an hour under 20,000 keys, a few of them asked for very often; keys that were not
there are written. `--threads 16` shares the calls between threads, as in a server. Redis is a real server on this
machine, reached over loopback. The result is how many reads found something: all contenders do the same work (between
threads it depends a little on who comes first). Memory is what the others pay for surviving the process or for being
shared; the fair pairs are memory with cachetools, and SQLite with diskcache, which both may lose the last moments in a
power cut.
"""

import atexit
import json
import random
import threading
from pathlib import Path

import bench

VALUE = b"x" * 1_000
TTL = 3_600
SHARE_WRITTEN = 0.1


def prepare(folder: Path, options) -> None:
    rng = random.Random(0)
    calls = [(rng.random() < SHARE_WRITTEN, int(options.keys * rng.random() ** 4)) for _ in range(options.calls)]
    (folder / "calls.json").write_text(json.dumps({"threads": options.threads, "calls": calls}))


def timed(folder, get, put):
    """The call to be timed: all reads and writes in turn, or shared between threads; returns how many reads found."""
    plan = json.loads((folder / "calls.json").read_text())
    n, calls = plan["threads"], [(written, f"lists:{key % 16:02d}:{key:032x}") for written, key in plan["calls"]]
    found = [0] * n

    def work(at):
        for written, key in calls[at::n]:
            if written:
                put(key)
            elif get(key) is None:
                put(key)
            else:
                found[at] += 1

    def call():
        bench.in_threads(n, work)
        return sum(found)

    return call


def of_ours(folder, store):
    return timed(folder, store.get, lambda key: store.set(key, VALUE, TTL))


def ours_memory(folder):
    from reco_utils.serve.kv import MemoryKV

    return of_ours(folder, MemoryKV())


def ours_sqlite(folder):
    from reco_utils.serve.kv import SqliteKV

    path = folder / "kv.db"
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    return of_ours(folder, SqliteKV(path, timeout_ms=5_000))


def ours_redis(folder):
    from reco_utils.serve.kv import RedisKV
    from reco_utils.serve.local_redis import LocalRedis

    server = LocalRedis().start()
    atexit.register(server.stop)
    return of_ours(folder, RedisKV(server.url, timeout_ms=5_000))


def cachetools(folder):
    from cachetools import TTLCache

    cache, lock = TTLCache(64 * 2**20, TTL, getsizeof=len), threading.Lock()

    def get(key):
        with lock:
            return cache.get(key)

    def put(key):
        with lock:
            cache[key] = VALUE

    return timed(folder, get, put)


def diskcache(folder):
    import shutil

    from diskcache import Cache

    shutil.rmtree(folder / "diskcache", ignore_errors=True)
    cache = Cache(str(folder / "diskcache"))
    return timed(folder, cache.get, lambda key: cache.set(key, VALUE, expire=TTL))


CONTENDERS = {
    "ours in memory": ours_memory,
    "ours in SQLite": ours_sqlite,
    "ours in Redis": ours_redis,
    "cachetools": cachetools,
    "diskcache": diskcache,
}

if __name__ == "__main__":
    sizes = {"calls": 100_000, "keys": 20_000, "threads": 1}
    bench.main(__file__, CONTENDERS, prepare, digest=lambda found: found, options=sizes)
