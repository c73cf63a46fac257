"""Events written so that they survive a power cut, one request after another or from 16 threads at once.

    python benchmarks/event_log.py                   # needs no peers
    python benchmarks/event_log.py --threads 1

Every request carries one event and may only be answered when the event is on the disk; an event that came before must
not be written again. Contenders: our log (threads share a commit), SQLite with a commit per event behind a lock, and a
file of lines with fsync per line, which cannot even say whether an event was there before. The result is the number of
events that were new.
"""

import json
import os
import sqlite3
import threading
from pathlib import Path

import bench


def prepare(folder: Path, options) -> None:
    sizes = {"threads": options.threads, "events": options.events}
    (folder / "sizes.json").write_text(json.dumps(sizes))


def timed(folder, append):
    """The call to be timed: append(event) -> was it new?, each event once and every tenth twice."""
    sizes = json.loads((folder / "sizes.json").read_text())
    n, new = sizes["threads"], [0] * sizes["threads"]

    def work(at):
        for number in range(at, sizes["events"], n):
            event = {"event_id": f"event-{number:09d}", "user_id": f"u{number % 5_000}", "item_id": f"p{number % 997}"}
            for _ in range(1 + (number % 10 == 0)):
                new[at] += append({**event, "event": "click", "timestamp": "2025-06-01T12:00:00Z"})

    def call():
        bench.in_threads(n, work)
        return sum(new)

    return call


def fresh(folder, name):
    """A path where nothing is."""
    for path in folder.glob(f"{name}*"):
        path.unlink()
    return folder / name


def ours(folder):
    from reco_utils.serve.event_log import EventLog

    log = EventLog(fresh(folder, "ours.db"))
    return timed(folder, lambda event: len(log.append([event]).accepted))


def commit_each(folder):
    con = sqlite3.connect(fresh(folder, "each.db"), isolation_level=None, check_same_thread=False)
    con.execute("PRAGMA journal_mode = WAL")
    con.execute("PRAGMA synchronous = FULL")
    con.execute("CREATE TABLE events (event_id TEXT PRIMARY KEY, user_id, item_id, event, timestamp)")
    lock = threading.Lock()

    def append(event):
        with lock:
            return con.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)", (*event.values(),)).rowcount

    return timed(folder, append)


def lines(folder):
    file, lock = open(fresh(folder, "lines.jsonl"), "ab", buffering=0), threading.Lock()

    def append(event):
        with lock:
            file.write(json.dumps(event).encode() + b"\n")
            os.fsync(file.fileno())
            return 1

    return timed(folder, append)


CONTENDERS = {"ours": ours, "SQLite, a commit each": commit_each, "lines, fsync each": lines}

if __name__ == "__main__":
    sizes = {"events": 10_000, "threads": 16}
    bench.main(__file__, CONTENDERS, prepare, digest=lambda new: new, options=sizes)
