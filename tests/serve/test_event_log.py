"""The log: nothing acknowledged is lost, nothing is there twice, nothing of a forgotten user is left."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data.build import build_dataset
from reco_utils.data.schema import canonical
from reco_utils.serve.event_log import BadEvents, Event, EventLog, read_event
from reco_utils.serve.kv import StoreDown

NOW = 1_750_000_000.0  # 2025-06-15 15:06:40 UTC


def click(event_id, user_id="ann", **more):
    return {"event_id": event_id, "user_id": user_id, "item_id": "mug", "event": "click", **more}


@pytest.fixture
def log(tmp_path, clock):
    """An empty log with the clock of the test."""
    log = EventLog(tmp_path / "events.db", clock=clock)
    yield log
    log.close()


# ------------------------------------------------------------------------------------------------- what is taken
def test_an_event_comes_back_as_it_was(log):
    full = {
        "event_id": "1", "user_id": "ann", "item_id": "mug", "event": "purchase", "timestamp": "2025-06-01T12:00:00.5Z",
        "session_id": "s", "value": 9.5, "quantity": 2, "rating": 4.5, "device": "phone", "dwell_ms": 12.0,
    }  # fmt: skip
    accepted, duplicates = log.append([full, click("2")])
    noon = datetime(2025, 6, 1, 12, 0, 0, 500_000, UTC).timestamp()
    expected = [Event(**{**full, "timestamp": noon}), Event("2", "ann", "mug", "click", NOW)]
    assert accepted == expected and duplicates == []
    assert log.since() == (2, expected)
    assert len(log) == 2


def test_an_event_counts_once_however_often_it_comes(log):
    assert [len(part) for part in log.append([click("1"), click("2"), click("1", "bob")])] == [2, 1]
    accepted, duplicates = log.append([click("2", "eve"), click("3")])
    assert [e.event_id for e in accepted] == ["3"] and duplicates == ["2"]
    assert [(e.event_id, e.user_id) for e in log.since().events] == [("1", "ann"), ("2", "ann"), ("3", "ann")]


def test_since_goes_on_where_it_stopped(log):
    log.append([click(str(n)) for n in range(10)])
    last, events = log.since(0, limit=4)
    assert [e.event_id for e in events] == list("0123")
    last, events = log.since(last)
    assert [e.event_id for e in events] == list("456789")
    assert log.since(last) == (last, [])
    assert log.since(999) == (999, [])


def test_a_number_is_never_used_again(log):
    last = log.append([click("1"), click("2", "bob")]) and log.since().last
    log.forget("bob")
    log.append([click("3")])
    assert log.since(last).events[0].event_id == "3"


def test_nothing_is_taken_of_nothing(log):
    assert log.append([]) == ([], []) and len(log) == 0 and log.since() == (0, [])


@pytest.mark.parametrize(
    "when, seconds",
    [
        ("2025-06-01T12:00:00Z", 0),
        ("2025-06-01T12:00:00", 0),
        ("2025-06-01T14:00:00+02:00", 0),
        ("2025-06-01", -43_200),
        (datetime(2025, 6, 1, 12), 0),
        (datetime(2025, 6, 1, 14, tzinfo=timezone(timedelta(hours=2))), 0),
        (pd.Timestamp("2025-06-01 12:00:00.000001"), 1e-6),
        (None, None),
    ],
)
def test_times_are_iso_8601_in_utc_unless_they_say_otherwise(when, seconds):
    noon = 1_748_779_200
    expected = NOW if seconds is None else noon + seconds
    assert read_event(click("1", timestamp=when), NOW).timestamp == expected


ODD_USERS = [
    "é", "日本語", "🦊", "a:b/c\\d", "line\nbreak", "nul\0nul", "'; DROP TABLE events; --", "%", "x" * 10_000,
    "🦊" * 10_000, "0042", "NULL", "null", "[1]",
]  # fmt: skip


@pytest.mark.parametrize("user", ODD_USERS, ids=range(len(ODD_USERS)))
def test_any_text_is_a_user(log, user):
    log.append([click("1", user), click("2", "other")])
    assert [e.user_id for e in log.since().events] == [user, "other"]
    assert log.to_frame()["user_id"].tolist() == [user, "other"]
    assert log.trace(user) == ["1 rows of events.db"]
    assert log.forget(user) == 1 and log.trace(user) == [] and len(log) == 1


# ------------------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    "wrong, why",
    [
        ({"event_id": None}, "lacks \\['event_id'\\]"),
        ({"user_id": ""}, "user_id must have 1 to 10,000 characters, got 0"),
        ({"user_id": 42}, "user_id must be text, got int"),
        ({"user_id": "x" * 10_001}, "1 to 10,000 characters, got 10,001"),
        ({"item_id": "x" * 1_001}, "item_id must have 1 to 1,000"),
        ({"item_id": " mug"}, "must not begin or end with a space"),
        ({"user_id": "ann\n"}, "must not begin or end with a space"),
        ({"user_id": "\ud800"}, "half of a surrogate pair"),
        ({"event": "buy"}, "event must be one of .*'purchase'.* got 'buy'"),
        ({"event": ["click"]}, "event must be one of"),
        ({"event": "rating"}, "an event of type rating needs a rating"),
        ({"rating": "5"}, "rating must be a finite number"),
        ({"value": float("nan")}, "value must be a finite number"),
        ({"value": float("inf")}, "value must be a finite"),
        ({"quantity": -1}, "quantity must be 0 or more"),
        ({"quantity": True}, "must be a finite number, got bool"),
        ({"dwell_ms": 10**400}, "dwell_ms must be a finite number"),
        ({"colour": "red"}, "has the unknown fields \\['colour'\\]"),
        ({"timestamp": 1_750_000_000}, "timestamp must be ISO 8601 text, got int"),
        ({"timestamp": "noon"}, "got 'noon'"),
        ({"timestamp": pd.NaT}, "timestamp must be ISO 8601"),
        ({"timestamp": "1970-01-01"}, "must be after 1990-01-01"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp"),
        ({"timestamp": "2025-06-17"}, "more than a day in the future"),
    ],
)
def test_an_event_that_cannot_be_is_refused(log, wrong, why):
    with pytest.raises(BadEvents, match=why):
        log.append([click("1"), {**click("2"), **wrong}])
    assert len(log) == 0


def test_everything_that_is_wrong_is_said_by_its_place(log):
    with pytest.raises(BadEvents, match="^3 bad events, nothing was taken: event 1: .*; event 2: ") as refusal:
        log.append([click("1"), "click", {}, {**click("4"), "event": None}, click("5")])
    assert sorted(refusal.value.problems) == [1, 2, 3] and len(log) == 0
    with pytest.raises(TypeError, match="events must be a list"):
        log.append(click("1"))


def test_a_refusal_repeats_nobodys_id():
    for wrong in ({"user_id": "ann@shop.example "}, {"user_id": "ann@shop.example", "event": "buy"}):
        with pytest.raises(ValueError) as refusal:
            read_event({**click("1"), **wrong}, NOW)
        assert "ann" not in str(refusal.value)


def test_the_events_given_are_not_changed(log):
    raw = click("1", value=np.float32(2.5), quantity=np.int64(3))
    before = dict(raw)
    accepted, _ = log.append([raw])
    assert raw == before
    assert log.since().events == accepted and type(accepted[0].quantity) is float


def test_an_event_that_was_read_can_be_appended_elsewhere(log, tmp_path, clock):
    accepted, _ = log.append([click("1", timestamp="2025-06-01T12:00:00.123456Z", rating=-2.0), click("2")])
    other = EventLog(tmp_path / "other.db", clock=clock)
    assert other.append(accepted).accepted == accepted == other.since().events


# ------------------------------------------------------------------------------------------------- clocks that jump
def test_after_the_clock_was_set_back_right_times_are_still_believed(log, clock):
    log.append([click("1")])
    clock.now -= 30 * 86_400
    just_now = datetime.fromtimestamp(NOW + 60, UTC)
    log.append([click("2", timestamp=just_now), click("3")])
    assert [e.timestamp - NOW for e in log.since().events] == [0, 60, -30 * 86_400]
    assert [e for e in log.to_frame()["timestamp"].diff().dropna() if e < pd.Timedelta(0)] == []


def test_a_clock_that_jumped_forward_loses_nothing(log, clock):
    clock.now += 10 * 365 * 86_400
    log.append([click("1")])
    clock.now = NOW
    log.append([click("2")])
    assert [e.event_id for e in log.since().events] == ["1", "2"]


# ------------------------------------------------------------------------------------------------- as a table
def test_the_frame_is_a_canonical_table(log):
    log.append([click("1", timestamp="2025-06-02"), click("2", "bob", timestamp="2025-06-01", value=3)])
    frame = log.to_frame()
    assert frame.columns.tolist() == ["user_id", "item_id", "event", "timestamp", "value"]
    assert frame["user_id"].tolist() == ["bob", "ann"]  # by time
    catalog = pd.DataFrame({"item_id": ["mug"], "title": ["Mug"]})
    tables = canonical("log", frame, catalog, defaults=Defaults())
    data = build_dataset(tables)
    assert data.weights.toarray().tolist() == [[2.0], [2.0]]  # a click weighs 2
    pd.testing.assert_frame_equal(log.to_frame(since=1), frame.iloc[:1], check_categorical=False)


def test_an_empty_log_is_an_empty_table(log):
    frame = log.to_frame()
    assert len(frame) == 0 and frame.dtypes["timestamp"] == "datetime64[us]"
    assert frame.columns.tolist() == ["user_id", "item_id", "event", "timestamp"]


# ------------------------------------------------------------------------------------------------- threads, processes
def test_threads_share_commits_and_lose_nothing(log):
    n_commits = 0
    original = log._write

    def counted(tickets):
        nonlocal n_commits
        n_commits += 1
        time.sleep(0.002)  # a slow disk: the others queue up meanwhile
        original(tickets)

    log._write = counted
    told = {}

    def work(name):
        for n in range(20):
            accepted, duplicates = log.append([click(f"{name}-{n}"), click(f"shared-{n}")])
            told.setdefault(name, []).extend(accepted)
            assert len(accepted) + len(duplicates) == 2

    threads = [threading.Thread(target=work, args=(name,)) for name in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = [e.event_id for e in log.since().events]
    assert sorted(stored) == sorted(e.event_id for events in told.values() for e in events)
    assert len(stored) == len(set(stored)) == 16 * 20 + 20
    assert n_commits < 16 * 20 / 2


def test_bad_events_of_one_thread_do_not_hurt_the_others(log):
    def good(name):
        for n in range(30):
            log.append([click(f"{name}-{n}")])

    def bad(name):
        for _ in range(30):
            with pytest.raises(BadEvents):
                log.append([click("x"), {}])

    threads = [threading.Thread(target=[good, bad][n % 2], args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log) == 4 * 30


def test_two_processes_append_to_one_file(log, tmp_path):
    script = (
        "import sys; from reco_utils.serve.event_log import EventLog; log = EventLog(sys.argv[1])\n"
        "for n in range(100): log.append([{'event_id': f'{sys.argv[2]}-{n}', 'user_id': 'u', 'item_id': 'i', "
        "'event': 'view'}, {'event_id': f'both-{n}', 'user_id': 'u', 'item_id': 'i', 'event': 'view'}])"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, tmp_path / "events.db", name]) for name in "ab"]
    assert [process.wait() for process in running] == [0, 0]
    assert len(log) == 300


WRITER = """
import sys, threading
from reco_utils.serve.event_log import EventLog
log = EventLog(sys.argv[1])
say = threading.Lock()
def work(name):
    for n in range(100_000):
        events = [{"event_id": f"{sys.argv[2]}-{name}-{n}-{m}", "user_id": f"u{n}", "item_id": "mug", "event": "click"}
                  for m in range(3)]
        accepted, _ = log.append(events)
        with say:
            print(*(e.event_id for e in accepted), flush=True)
for name in range(4):
    threading.Thread(target=work, args=(name,)).start()
"""


def test_whatever_was_acknowledged_survives_kill_9_and_is_there_once(log, tmp_path):
    for attempt in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path / "events.db", str(attempt)], stdout=subprocess.PIPE, text=True
        )
        told = [writer.stdout.readline() for _ in range(20 + 25 * attempt)]
        os.kill(writer.pid, signal.SIGKILL)
        told += writer.stdout.read().splitlines()[:-1]  # the last line may be half of one
        writer.wait()
        acknowledged = {event_id for line in told for event_id in line.split()}
        stored = [e.event_id for e in log.since().events if e.event_id.startswith(f"{attempt}-")]
        assert len(acknowledged) >= 3 * 20
        assert acknowledged <= set(stored) and len(stored) == len(set(stored))
        assert len(stored) % 3 == 0  # all of an append or nothing
        again = [{"event_id": e, "user_id": "u", "item_id": "mug", "event": "click"} for e in acknowledged]
        assert len(log.append(again).duplicates) == len(again)  # sent again: there already
    with sqlite3.connect(tmp_path / "events.db") as con:
        assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_every_commit_is_on_the_disk_before_it_is_acknowledged(log):
    with log.file.use("write") as con:
        assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert con.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


# ------------------------------------------------------------------------------------------------- a disk that refuses
def test_a_full_disk_acknowledges_nothing_and_everything_goes_on_afterwards(log):
    log.append([click("1")])
    with log.file.use("write") as con:
        (pages,) = con.execute("PRAGMA page_count").fetchone()
        con.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreDown, match="events.db: database or disk is full"):
        for n in range(50):
            log.append([click(f"big {n} {m}", "x" * 9_000) for m in range(20)])
    known = {e.event_id for e in log.since().events}
    assert "1" in known
    log.append([click("2")])  # the limit was that of one connection
    assert {e.event_id for e in log.since().events} == known | {"2"}


def test_all_who_waited_learn_of_a_failure(log, tmp_path):
    other = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    log.file.timeout_ms = 200
    log.close()
    failed = []

    def work(name):
        try:
            log.append([click(name)])
        except StoreDown as error:
            failed.append(str(error))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert len(failed) == 6 and all("locked" in error for error in failed)
    other.execute("ROLLBACK")
    other.close()
    assert len(log.append([click(name) for name in "abcdef"]).accepted) == 6


def test_a_write_that_is_interrupted_hangs_nobody(log, monkeypatch):
    import reco_utils.serve.event_log as module

    insert, calls = module._insert, []

    def interrupted(con, events, now):
        calls.append(1)
        if len(calls) == 1:
            insert(con, events, now)
            raise KeyboardInterrupt
        return insert(con, events, now)

    monkeypatch.setattr(module, "_insert", interrupted)
    with pytest.raises(KeyboardInterrupt):
        log.append([click("1")])
    assert len(log) == 0
    assert len(log.append([click("1")]).accepted) == 1


def test_a_file_that_is_no_log_is_down(tmp_path):
    (tmp_path / "events.db").write_bytes(b"something else" * 1_000)
    with pytest.raises(StoreDown, match="file is not a database"):
        EventLog(tmp_path / "events.db")
    with pytest.raises(ValueError, match="path must be a file, got ':memory:'"):
        EventLog(":memory:")


# ------------------------------------------------------------------------------------------------- forgetting
def in_files(folder, text):
    return [path.name for path in folder.iterdir() if text.encode() in path.read_bytes()]


def test_a_forgotten_user_is_in_no_byte_of_the_files(log, tmp_path):
    rng = random.Random(0)
    users = [f"user-{rng.getrandbits(64):016x}" for _ in range(60)]
    events = [
        click(f"{user}/{n}", user, session_id=f"{user} visit {n}")
        for user in users for n in range(rng.randrange(1, 40))
    ]  # fmt: skip
    rng.shuffle(events)
    for at in range(0, len(events), 7):
        log.append(events[at : at + 7])
    for user in users[:30]:
        mine = sum(e["user_id"] == user for e in events)
        assert in_files(tmp_path, user)
        assert log.forget(user) == mine
        assert in_files(tmp_path, user) == [] and log.trace(user) == []
    assert [e.user_id for e in log.since().events] == [e["user_id"] for e in events if e["user_id"] in users[30:]]
    assert log.forget("nobody") == 0 and log.forget(users[0]) == 0


def test_an_id_that_is_part_of_another_is_forgotten_alone(log):
    log.append([click("1", "ann"), click("2", "anna"), click("3", "Ann"), click("4", "ann ann")])
    assert log.forget("ann") == 1
    assert [e.user_id for e in log.since().events] == ["anna", "Ann", "ann ann"]


def test_appends_go_on_while_users_are_forgotten(log):
    log.append([click(f"{user}-{n}", user) for user in ("ann", "bob", "cat") for n in range(500)])
    told = []

    def work(name):
        for n in range(40):
            told.extend(e.event_id for e in log.append([click(f"{name}-{n}", "dan")]).accepted)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    assert [log.forget(user) for user in ("ann", "bob", "cat")] == [500, 500, 500]
    for thread in threads:
        thread.join()
    assert sorted(e.event_id for e in log.since().events) == sorted(told) and len(told) == 160


def test_forgetting_is_not_claimed_while_another_process_still_reads_the_old_content(log, tmp_path):
    log.file.timeout_ms = 100
    log.close()
    log.append([click("1", "a rather long user id")])
    reader = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM events").fetchone()
    with pytest.raises(StoreDown, match="another process is reading|locked"):
        log.forget("a rather long user id")
    reader.execute("COMMIT")
    reader.close()
    log.forget("a rather long user id")
    assert in_files(tmp_path, "a rather long user id") == [] and len(log) == 0
