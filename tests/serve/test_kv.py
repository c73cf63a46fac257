"""Bytes under keys: one contract for memory, SQLite and Redis; then what only one of them can get wrong."""

import math
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from reco_utils.serve.kv import MAX_VALUE, MemoryKV, RedisKV, SqliteKV, StoreDown, hashed, open_kv
from reco_utils.serve.local_redis import LocalRedis

ODD_KEYS = [
    "", " ", "a", "a:b", "a/b\\c", "line\nbreak", "tab\t", "nul\0nul", "*", "a*[b]?^-", "é", "e\u0301", "日本語", "🦊",
    "\ud800", "'; DROP TABLE kv; --", "x" * 10_000, "{a}", "%d", "\r\n+PONG\r\n",
]  # fmt: skip


@pytest.fixture(params=["memory", "sqlite"])
def timed(request, tmp_path, clock):
    """A store that reads the clock of the test. (Redis keeps the time itself.)"""
    store = MemoryKV(clock=clock) if request.param == "memory" else SqliteKV(tmp_path / "kv.db", clock=clock)
    yield store
    store.close()


# ------------------------------------------------------------------------------------------------- the contract
def test_what_was_set_is_there_and_nothing_else(kv):
    kv.set("a", b"1")
    kv.set("b", b"")
    kv.set("a", b"2")
    assert (kv.get("a"), kv.get("b"), kv.get("c")) == (b"2", b"", None)
    assert kv.get_many(["c", "b", "a", "a"]) == [None, b"", b"2", b"2"]
    assert kv.get_many([]) == []


def test_several_values_are_set_at_once(kv):
    kv.set_many({f"k{n}": str(n).encode() for n in range(2_500)}, ttl=60)
    assert kv.get_many(["k0", "k1250", "k2499", "k2500"]) == [b"0", b"1250", b"2499", None]
    assert 30 < kv.expires_in("k2499") <= 60
    kv.set_many({})


def test_any_text_is_a_key_and_no_two_are_the_same(kv):
    kv.set_many({key: str(n).encode() for n, key in enumerate(ODD_KEYS)})
    assert kv.get_many(ODD_KEYS) == [str(n).encode() for n in range(len(ODD_KEYS))]
    assert sorted(kv.keys("")) == sorted(ODD_KEYS)
    assert kv.delete(*ODD_KEYS) == len(ODD_KEYS)
    assert kv.keys("") == []


def test_any_bytes_are_a_value(kv):
    value = bytes(range(256)) * 10
    kv.set("a", value)
    assert kv.get("a") == value


def test_the_largest_value_fits_and_one_byte_more_is_refused(kv):
    kv.set("a", b"x" * MAX_VALUE)
    assert len(kv.get("a")) == MAX_VALUE
    with pytest.raises(ValueError, match="at most 1,048,576 bytes, got 1,048,577"):
        kv.set("b", b"x" * (MAX_VALUE + 1))
    assert kv.get("b") is None


@pytest.mark.parametrize("ttl", [0, -1, math.nan, math.inf])
def test_a_time_to_live_that_is_none_is_refused(kv, ttl):
    with pytest.raises(ValueError, match="ttl must be more than 0 seconds and finite"):
        kv.set("a", b"1", ttl=ttl)
    with pytest.raises(ValueError, match="ttl must be more than 0 seconds and finite"):
        kv.push("a", [b"1"], max_bytes=10, ttl=ttl)


def test_keys_are_text_and_values_are_bytes(kv):
    with pytest.raises(TypeError, match="a key must be text, got int"):
        kv.set(1, b"1")
    with pytest.raises(TypeError, match="a value must be bytes, got str"):
        kv.set("a", "1")


def test_delete_counts_the_keys_that_were_there(kv):
    kv.set_many({"a": b"1", "b": b"2"})
    assert kv.delete("a", "a", "c") == 1
    assert kv.delete() == 0
    assert kv.get_many(["a", "b"]) == [None, b"2"]


def test_a_prefix_is_no_pattern(kv):
    kv.set_many(dict.fromkeys(["u*:1", "u*:2", "ux:1", "[u]:1", "u", "u\\:1", "U*:1"], b""))
    assert sorted(kv.keys("u*:")) == ["u*:1", "u*:2"]
    assert kv.delete_prefix("u*:") == 2
    assert kv.delete_prefix("[u]") == 1
    assert kv.delete_prefix("u\\") == 1
    assert sorted(kv.keys("")) == ["U*:1", "u", "ux:1"]
    assert kv.delete_prefix("") == 3
    assert kv.delete_prefix("") == 0


def test_many_keys_are_deleted_by_their_prefix(kv):
    kv.set_many(dict.fromkeys((f"{'ab'[n % 2]}:{n}" for n in range(5_000)), b"x"))
    assert kv.delete_prefix("a:") == 2_500
    assert len(kv.keys("b:")) == 2_500


def test_a_value_is_gone_when_its_time_is_over(kv):
    kv.set("a", b"1", ttl=0.05)
    kv.set("b", b"1", ttl=60)
    kv.set("c", b"1")
    assert (kv.expires_in("a") or 0.05) <= 0.05 and 30 < kv.expires_in("b") <= 60  # on a busy machine a is gone
    assert kv.expires_in("c") == math.inf and kv.expires_in("d") is None
    time.sleep(0.1)
    assert kv.get_many(["a", "b", "c"]) == [None, b"1", b"1"]
    assert kv.expires_in("a") is None and kv.delete("a") == 0 and sorted(kv.keys("")) == ["b", "c"]


def test_setting_a_key_anew_begins_a_new_time(kv):
    kv.set("a", b"1", ttl=60)
    kv.set("a", b"2")
    assert kv.expires_in("a") == math.inf
    kv.set("a", b"2", ttl=30)
    assert 15 < kv.expires_in("a") <= 30


def test_lines_are_appended_and_the_oldest_go_first(kv):
    kv.push("a", [b"one", b"two"], max_bytes=12)
    assert kv.get("a") == b"one\ntwo\n"
    kv.push("a", [b"six"], max_bytes=12)
    assert kv.get("a") == b"one\ntwo\nsix\n"  # 12 bytes just fit
    kv.push("a", [b"x"], max_bytes=12)
    assert kv.get("a") == b"two\nsix\nx\n"
    kv.push("a", [b"0123456789", b"y", b""], max_bytes=12)
    assert kv.get("a") == b"y\n\n"
    kv.push("a", [], max_bytes=12)
    assert kv.get("a") == b"y\n\n"


def test_a_line_that_could_never_fit_is_refused(kv):
    kv.push("a", [b"12345678901"], max_bytes=12)  # with its end, 12
    with pytest.raises(ValueError, match="fewer than 12 bytes, got 12"):
        kv.push("a", [b"123456789012"], max_bytes=12)
    with pytest.raises(ValueError, match="no line end inside"):
        kv.push("a", [b"1\n2"], max_bytes=12)
    with pytest.raises(ValueError, match="max_bytes must be 1 to 1,048,576"):
        kv.push("a", [b"1"], max_bytes=MAX_VALUE + 1)
    assert kv.get("a") == b"12345678901\n"


def test_appending_sets_the_time_anew(kv):
    kv.push("a", [b"1"], max_bytes=12, ttl=60)
    kv.push("a", [b"2"], max_bytes=12, ttl=90)
    assert 60 < kv.expires_in("a") <= 90
    kv.push("a", [b"3"], max_bytes=12)
    assert kv.expires_in("a") == math.inf
    kv.push("b", [b"1"], max_bytes=12, ttl=0.05)
    time.sleep(0.1)
    kv.push("b", [b"2"], max_bytes=12, ttl=60)
    assert kv.get("b") == b"2\n"  # what was over does not come back


def test_no_line_is_lost_between_threads(kv):
    def write(name):
        for n in range(50):
            kv.push("a", [f"{name}{n}".encode()], max_bytes=100_000)

    in_threads(write, "abcdefgh")
    lines = kv.get("a").split()
    assert len(lines) == len(set(lines)) == 400
    for name in "abcdefgh":  # and each one's are in order
        assert [line for line in lines if line[:1] == name.encode()] == [f"{name}{n}".encode() for n in range(50)]


def test_threads_never_see_half_a_value(kv):
    def work(name):
        for n in range(100):
            kv.set(f"k{n % 3}", name.encode() * 1_000, ttl=60)
            for value in kv.get_many(["k0", "k1", "k2"]):
                assert value is None or (len(value) == 1_000 and len(set(value)) == 1)

    in_threads(work, "abcdefgh")


def test_random_calls_give_what_a_dictionary_gives(kv):
    rng, model = random.Random(0), {}
    names = [f"{p}:{n}" for p in "ab" for n in range(6)]
    for _ in range(600):
        key, value, what = rng.choice(names), rng.randbytes(5).hex().encode(), rng.randrange(6)
        if what == 0:
            kv.set(key, value, ttl=rng.choice([None, 1_000]))
            model[key] = value
        elif what == 1:
            kv.push(key, [value], max_bytes=40)
            model[key] = b"".join([*model.get(key, b"").splitlines(True), value + b"\n"])
            while len(model[key]) > 40:
                model[key] = model[key].partition(b"\n")[2]
        elif what == 2:
            assert kv.delete(key) == (model.pop(key, None) is not None)
        elif what == 3 and rng.random() < 0.1:
            gone = [k for k in model if k.startswith(key[:1])]
            assert kv.delete_prefix(key[:1]) == len(gone)
            model = {k: v for k, v in model.items() if k not in gone}
        else:
            assert kv.get_many(names) == [model.get(k) for k in names]
            assert sorted(kv.keys("a")) == sorted(k for k in model if k[0] == "a")


def test_a_closed_store_opens_again(kv):
    kv.set("a", b"1")
    kv.close()
    kv.set("b", b"2")
    assert kv.get("b") == b"2"


# ------------------------------------------------------------------------------------------------- clocks that jump
def test_a_clock_that_jumps_forward_ends_what_is_over(timed, clock):
    timed.set_many({"a": b"1"}, ttl=60)
    timed.set("b", b"1")
    clock.now += 60
    assert timed.get_many(["a", "b"]) == [None, b"1"]


def test_a_clock_that_is_set_back_prolongs_nothing_beyond_its_ttl(timed, clock):
    timed.set("a", b"1", ttl=60)
    clock.now -= 86_400 * 365
    assert timed.get("a") == b"1"
    assert timed.expires_in("a") == 60  # counted anew, not a year and a minute
    clock.now += 61
    assert timed.get("a") is None


def test_what_is_left_is_never_negative(timed, clock):
    timed.set("a", b"1", ttl=10)
    rng = random.Random(0)
    for _ in range(200):
        clock.now += rng.choice([-1e6, -7, -1, 1, 3, 9])
        left = timed.expires_in("a")
        assert left is None or 0 < left <= 10


# ------------------------------------------------------------------------------------------------- memory
def test_memory_never_holds_more_than_it_may():
    store, rng = MemoryKV(max_bytes=50_000), random.Random(0)
    for _ in range(3_000):
        store.set(f"k{rng.randrange(500)}", bytes(rng.randrange(3_000)), ttl=60)
        assert store.n_bytes <= 50_000
    held = sum(sys.getsizeof(key) + len(store.get(key)) + store.ENTRY_BYTES for key in store.keys(""))
    assert store.n_bytes == held > 40_000
    assert store.delete_prefix("") > 0 and store.n_bytes == 0


def test_the_estimate_of_an_entry_is_not_below_what_python_takes():
    import tracemalloc

    keys = [f"key {n}" for n in range(20_000)]  # made before: they are counted by their size
    tracemalloc.start()
    store = MemoryKV(max_bytes=10**9)
    for key in keys:
        store.set(key, bytes(2), ttl=60)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < store.n_bytes - sum(map(sys.getsizeof, keys)) < 2 * used


def test_what_was_used_longest_ago_goes_first():
    store = MemoryKV(max_bytes=3_500)
    for key in "abc":
        store.set(key, b"x" * 700)
    assert store.get("a") is not None  # now b is the one used longest ago
    store.set("d", b"x" * 700)
    assert [key for key in "abcd" if store.get(key)] == ["a", "c", "d"]


def test_an_entry_larger_than_the_store_is_refused():
    store = MemoryKV(max_bytes=1_000)
    store.set("a", b"1")
    with pytest.raises(ValueError, match="does not fit max_bytes 1,000"):
        store.set("b", b"x" * 1_000)
    with pytest.raises(ValueError, match="does not fit max_bytes 1,000"):
        store.push("a", [b"x" * 998], max_bytes=2_000)
    assert store.get("a") == b"1"
    with pytest.raises(ValueError, match="max_bytes must be at least 1, got 0"):
        MemoryKV(max_bytes=0)


# ------------------------------------------------------------------------------------------------- SQLite
def test_a_file_outlives_the_store_and_the_process(tmp_path):
    SqliteKV(tmp_path / "kv.db").set("a", b"1", ttl=60)  # neither closed nor waited for
    script = "import sys, os; from reco_utils.serve.kv import SqliteKV; s = SqliteKV(sys.argv[1]); " \
        "s.push('b', [s.get('a')], max_bytes=9); os.kill(os.getpid(), 9)"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "kv.db"])
    assert done.returncode == -signal.SIGKILL
    assert SqliteKV(tmp_path / "kv.db").get("b") == b"1\n"


def test_two_stores_on_one_file_see_each_other(tmp_path):
    one, two = SqliteKV(tmp_path / "kv.db", timeout_ms=5_000), SqliteKV(tmp_path / "kv.db", timeout_ms=5_000)
    in_threads(lambda store: [store.push("a", [b"x"], max_bytes=10_000) for _ in range(100)], [one, two])
    assert one.get("a") == two.get("a") == b"x\n" * 200


def test_a_locked_file_is_down_within_the_timeout_and_back_afterwards(tmp_path):
    store = SqliteKV(tmp_path / "kv.db", timeout_ms=50)
    other = sqlite3.connect(tmp_path / "kv.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begin = time.monotonic()
    with pytest.raises(StoreDown, match="kv.db: database is locked"):
        store.set("a", b"1")
    assert time.monotonic() - begin < 10
    assert store.get("a") is None and store.keys("") == []  # who reads is not kept waiting
    other.execute("ROLLBACK")
    store.set("a", b"1")
    assert store.get("a") == b"1"
    other.close()


def test_a_file_that_is_no_database_is_down(tmp_path):
    (tmp_path / "kv.db").write_bytes(b"no database at all" * 1_000)
    with pytest.raises(StoreDown, match="file is not a database"):
        SqliteKV(tmp_path / "kv.db")
    with pytest.raises(StoreDown, match="kv.db"):
        SqliteKV(tmp_path / "kv.db" / "inside-a-file.db" / "kv.db")
    with pytest.raises(ValueError, match="path must be a file, got ':memory:'"):
        SqliteKV(":memory:")


def test_a_store_that_was_damaged_while_open_is_down_and_works_again_when_mended(tmp_path):
    path = tmp_path / "kv.db"
    store = SqliteKV(path)
    store.set_many({f"k{n}": os.urandom(500) for n in range(500)})
    store.close()
    good = path.read_bytes()
    path.write_bytes(b"\xff" * len(good))
    with pytest.raises(StoreDown):
        store.get("k1")
    path.write_bytes(good)
    assert len(store.get("k1")) == 500


def test_what_is_over_leaves_the_file(tmp_path, clock):
    store = SqliteKV(tmp_path / "kv.db", clock=clock)
    store.set_many(dict.fromkeys(map(str, range(500)), b"x"), ttl=60)
    clock.now += 61
    store.set_many(dict.fromkeys((f"new {n}" for n in range(store.SWEEP)), b"x"))
    with sqlite3.connect(tmp_path / "kv.db") as con:
        assert con.execute("SELECT COUNT(*) FROM kv").fetchone() == (store.SWEEP,)


def test_a_file_holds_little_more_than_what_is_alive(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(SqliteKV, "SWEEP", 10)
    store = SqliteKV(tmp_path / "kv.db", clock=clock)
    for n in range(600):  # a key a second, each for 20 seconds
        store.set(f"k{n}", b"x", ttl=20)
        clock.now += 1
    with sqlite3.connect(tmp_path / "kv.db") as con:
        (n_rows,) = con.execute("SELECT COUNT(*) FROM kv").fetchone()
    assert len(store.keys("")) == 19 <= n_rows < 80


def test_scrubbed_keys_and_values_are_in_no_file(tmp_path):
    store, rng = SqliteKV(tmp_path / "kv.db"), random.Random(0)
    names = [hashed(str(n)) for n in range(2_000)]
    for name in rng.sample(names, len(names)):  # pages are split all over the place
        store.set(f"features:{name}", f"value of {name}".encode() * rng.randrange(1, 5))
    for name in names[:40]:
        assert store.delete_prefix(f"features:{name}") == 1
        store.scrub(name)
        assert not any(name.encode() in path.read_bytes() for path in tmp_path.iterdir())
    assert len(store.keys("")) == 1_960


def test_copies_that_sqlite_left_behind_are_scrubbed(tmp_path):
    """Pages that were split leave copies that `secure_delete` does not know of; here they are made on purpose."""
    path = tmp_path / "kv.db"
    store = SqliteKV(path)
    with store.file.use("write") as con:
        con.execute("PRAGMA secure_delete = OFF")
    store.set("features:a-long-name", b"and its value")
    store.set("features:another", b"stays")
    store.delete("features:a-long-name")
    with store.file.use("write") as con:
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"a-long-name" in path.read_bytes() and b"and its value" in path.read_bytes()
    store.scrub("a-long-name")
    assert not any(b"a-long-name" in file.read_bytes() for file in tmp_path.iterdir())
    assert b"and its value" not in path.read_bytes()
    assert store.get("features:another") == b"stays"


# ------------------------------------------------------------------------------------------------- Redis
@pytest.fixture
def own_server(redis_server):
    """A server that a test may kill."""
    with LocalRedis(executable=redis_server.executable) as server:
        yield server


def test_a_killed_redis_is_down_within_the_timeout_and_back_when_it_is(own_server):
    store = RedisKV(own_server.url, timeout_ms=1_000)
    in_threads(lambda n: store.set(str(n), b"1"), range(8))  # several connections are open
    own_server.kill()
    calls = [
        lambda: store.get("1"), lambda: store.get_many(["1"]), lambda: store.set("1", b"2"),
        lambda: store.set_many({"1": b"2"}), lambda: store.push("2", [b"3"], max_bytes=9), lambda: store.delete("1"),
        lambda: store.delete_prefix("1"), lambda: store.keys("1"), lambda: store.expires_in("1"),
    ]  # fmt: skip
    for call in calls:
        begin = time.monotonic()
        with pytest.raises(StoreDown, match=f"redis at 127.0.0.1:{own_server.port}"):
            call()
        assert time.monotonic() - begin < 10
    own_server.start()
    in_threads(lambda n: store.set(str(n), b"2"), range(8))  # no call fails because of an old connection
    store.push("list", [b"3"], max_bytes=9)  # the server has forgotten the script too
    assert store.get_many(["7", "list"]) == [b"2", b"3\n"]


def test_threads_survive_redis_dying_under_them(own_server):
    store, over, seen = RedisKV(own_server.url, timeout_ms=1_000), threading.Event(), []

    def work(name):
        while not over.is_set():
            try:
                store.set(name, b"1")
                store.push("list", [b"x"], max_bytes=1_000)
                assert store.get(name) in (b"1", None)  # None: killed in between
                seen.append(name)
            except StoreDown:
                seen.append(None)
                time.sleep(0.005)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    wait_until(lambda: set("abcd") <= set(seen))
    own_server.kill()
    wait_until(lambda: None in seen)
    own_server.start()
    at = len(seen) + 4  # a call of each may be on its way
    wait_until(lambda: set("abcd") <= set(seen[at:]))
    over.set()
    for thread in threads:
        thread.join()
    assert all(store.get(name) == b"1" for name in "abcd")


def test_a_redis_that_hangs_is_down_within_the_timeout(own_server):
    store = RedisKV(own_server.url, timeout_ms=500)
    store.set("a", b"1")
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        with pytest.raises(StoreDown, match="[Tt]imeout"):
            store.get("a")
        assert time.monotonic() - begin < 10
    finally:
        os.kill(own_server.pid, signal.SIGCONT)
    assert store.get("a") == b"1"


def test_an_answer_that_came_too_late_is_nobody_elses(own_server):
    """A connection that timed out is thrown away: its late answer must not be taken for that to the next question."""
    store = RedisKV(own_server.url, timeout_ms=500)
    store.set_many({"a": b"for a", "b": b"for b"})
    for _ in range(2):
        os.kill(own_server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(StoreDown):
                store.get("a")
        finally:
            os.kill(own_server.pid, signal.SIGCONT)
        assert store.get("b") == b"for b"


def test_an_address_nobody_answers_at_is_down_after_one_try():
    pytest.importorskip("redis", reason="needs the extra serve")
    with socket.socket() as listener:  # takes connections, says nothing
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        store = RedisKV(f"redis://:secret@127.0.0.1:{listener.getsockname()[1]}/0", timeout_ms=50)
        begin = time.monotonic()
        with pytest.raises(StoreDown) as failure:
            store.get("a")
        assert time.monotonic() - begin < 10
        assert "secret" not in str(failure.value)
        listener.settimeout(0.2)
        listener.accept()
        with pytest.raises(TimeoutError):  # trying again is for whoever asks
            listener.accept()


def test_a_full_redis_is_down_and_not_silent(own_server):
    import redis

    redis.Redis.from_url(own_server.url).config_set("maxmemory", "1mb")
    with pytest.raises(StoreDown, match="OOM|memory"):
        for n in range(200):
            RedisKV(own_server.url, timeout_ms=1_000).set(f"k{n}", b"x" * 100_000)


def test_two_prefixes_share_a_server_and_nothing_else(redis_server):
    one, two = (RedisKV(redis_server.url, timeout_ms=1_000, prefix=prefix) for prefix in ("shop*:", "shop1:"))
    one.set("a", b"1")
    two.set("a", b"2")
    assert one.keys("") == ["a"] and one.delete_prefix("") == 1
    assert two.get("a") == b"2" and two.delete_prefix("") == 1


def test_a_server_that_cannot_start_says_why(redis_server):
    with socket.socket() as taken:  # by somebody who is no Redis
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RuntimeError, match=f"(?s)did not start on port {port}: .*[Aa]ddress already in use"):
            LocalRedis(port, redis_server.executable).start()


# ------------------------------------------------------------------------------------------------- names
def test_the_hash_depends_on_the_id_and_on_the_secret():
    ids = ["ann", "Ann", "ann ", "a:b", "日本語", "\ud800", "x" * 10_000, "line\nbreak", ""]
    hashes = {hashed(user, secret) for user in ids for secret in (b"", b"one", b"two")}
    assert len(hashes) == 27
    assert all(len(h) == 32 and set(h) <= set("0123456789abcdef") for h in hashes)
    assert hashed("ann", b"one") == hashed("ann", b"one")


def test_open_kv_understands_three_kinds_of_url(tmp_path, monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert isinstance(open_kv(), MemoryKV) and isinstance(open_kv("memory:"), MemoryKV)
    assert isinstance(open_kv(f"sqlite:///{tmp_path}/new/kv.db"), SqliteKV)
    monkeypatch.chdir(tmp_path)
    open_kv("sqlite:///kv.db").set("a", b"1")
    assert (tmp_path / "kv.db").exists() and (tmp_path / "new" / "kv.db").exists()
    for url in ("mysql://root:secret@host", "redis", "sqlite:kv.db"):
        with pytest.raises(ValueError, match="a store is 'memory:', 'sqlite:///file' or") as refusal:
            open_kv(url)
        assert "secret" not in str(refusal.value)


def test_redis_is_taken_from_the_environment_and_need_not_be_up(monkeypatch):
    pytest.importorskip("redis", reason="needs the extra serve")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    store = open_kv()
    with pytest.raises(StoreDown, match="redis at 127.0.0.1:1"):
        store.get("a")


def in_threads(call, arguments):
    """call(argument) for each in a thread of its own; the first error is raised here."""
    errors = []

    def run(argument):
        try:
            call(argument)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def wait_until(true, seconds=10):
    """Wait until something is true, or fail."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.002)
