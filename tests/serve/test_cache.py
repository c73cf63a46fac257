"""The cache of lists: what makes a key, what ends an entry, and one maker for a hundred who ask."""

import threading
import time

import pytest

from reco_utils.serve.cache import EMPTY, MOST_OWED, STAMP_TTL, ListCache
from reco_utils.serve.kv import MAX_VALUE, MemoryKV, SqliteKV, StoreDown, hashed

LIST = b'["mug", "pan"]'


@pytest.fixture
def cache(kv):
    """A cache on each kind of store."""
    return ListCache(kv)


def key_of(cache, user="ann", k=10, options=None, version="v1", arm=""):
    return cache.key(user, k, options or {}, version, arm)


# ------------------------------------------------------------------------------------------------- keys
def test_everything_that_changes_a_list_changes_its_key():
    cache = ListCache(MemoryKV())
    asked = {"user": "ann", "k": 10, "options": {"reasons": True, "categories": ["Toys"]}, "version": "v1", "arm": "a"}
    keys = {
        key_of(cache, **{**asked, **other})
        for other in (
            {}, {"user": "bob"}, {"k": 11}, {"options": {"reasons": False, "categories": ["Toys"]}}, {"version": "v2"},
            {"options": {"reasons": True, "categories": ["Tools"]}}, {"options": {}}, {"arm": "b"}, {"arm": ""},
            {"version": "v1a", "arm": ""}, {"options": {"reasons": True, "categories": ["Toys"], "x": None}},
        )
    }  # fmt: skip
    assert len(keys) == 11


def test_options_in_another_order_are_the_same_key():
    cache = ListCache(MemoryKV())
    assert key_of(cache, options={"a": 1, "b": 2}) == key_of(cache, options={"b": 2, "a": 1})


@pytest.mark.parametrize("user", ["ann@shop.example", "a:b/c", "line\nbreak", "日本語", "\ud800", "x" * 10_000, ""])
def test_a_key_holds_the_hash_of_the_user_and_not_the_id(user):
    cache = ListCache(MemoryKV(), secret=b"secret")
    key = key_of(cache, user)
    assert len(key) < 100 and key.isascii() and hashed(user, b"secret") in key
    assert not user or user not in key
    assert key != key_of(ListCache(MemoryKV(), secret=b"other"), user)


def test_users_are_spread_over_the_shards():
    cache = ListCache(MemoryKV())
    shards = [key_of(cache, f"u{n}").split(":")[1] for n in range(1_600)]
    counts = [shards.count(f"{shard:02d}") for shard in range(16)]
    assert sum(counts) == 1_600 and min(counts) > 60 and max(counts) < 150  # 100 each, give or take 5 deviations


# ------------------------------------------------------------------------------------------------- get and put
def test_what_was_put_is_there_for_an_hour(cache, kv):
    key = key_of(cache)
    assert cache.get(key) is None
    assert cache.put(key, LIST)
    assert cache.get(key) == LIST
    assert 3_590 < kv.expires_in(key) <= 3_600
    assert cache.get(key_of(cache, "bob")) is None


@pytest.mark.parametrize("value", EMPTY)
def test_an_empty_list_is_refused(cache, value):
    with pytest.raises(ValueError, match="an empty list is not cached"):
        cache.put(key_of(cache), value + b"\n")
    assert cache.get(key_of(cache)) is None


@pytest.mark.parametrize("ttl", [0, 3_599, 86_401, float("nan")])
def test_a_list_is_kept_from_1_to_24_hours(ttl):
    with pytest.raises(ValueError, match="ttl must be 3,600 to 86,400 seconds"):
        ListCache(MemoryKV(), ttl=ttl)
    ListCache(MemoryKV(), ttl=86_400)


def test_a_list_ends_by_the_clock_and_a_clock_set_back_keeps_it_no_longer_than_its_ttl(tmp_path, clock):
    for kv in (MemoryKV(clock=clock), SqliteKV(tmp_path / "kv.db", clock=clock)):
        cache = ListCache(kv, ttl=7_200)
        key = key_of(cache)
        cache.put(key, LIST)
        clock.now += 7_199
        assert cache.get(key) == LIST
        clock.now += 2
        assert cache.get(key) is None
        cache.put(key, LIST)
        clock.now -= 10**8
        assert cache.get(key) == LIST
        clock.now += 7_201
        assert cache.get(key) is None


# ------------------------------------------------------------------------------------------------- purges
def test_a_purge_ends_all_lists_of_one_user(cache):
    mine = [key_of(cache, arm=arm, k=k) for arm in "ab" for k in (5, 10)]
    other = key_of(cache, "bob")
    for key in (*mine, other):
        cache.put(key, LIST)
    cache.purge_user("ann")
    assert [cache.get(key) for key in mine] == [None] * 4
    assert cache.get(other) == LIST
    cache.put(mine[0], b"[1]")
    assert cache.get(mine[0]) == b"[1]" and cache.get(mine[1]) is None


def test_a_purge_of_all_ends_all_and_costs_one_write_a_shard(cache, kv):
    keys = [key_of(cache, f"u{n}") for n in range(50)]
    for key in keys:
        cache.put(key, LIST)
    before = set(kv.keys(""))
    cache.purge_all()
    assert [cache.get(key) for key in keys] == [None] * 50
    assert len(set(kv.keys("")) - before) == 16
    cache.put(keys[0], LIST)
    assert cache.get(keys[0]) == LIST


def test_another_process_sees_the_purge(kv):
    one, two = ListCache(kv), ListCache(kv)
    key = key_of(one)
    one.put(key, LIST)
    assert two.get(key) == LIST
    two.purge_user("ann")
    assert one.get(key) is None


def test_a_list_that_was_being_made_during_a_purge_is_given_but_not_kept(cache):
    for purge in (lambda: cache.purge_user("ann"), cache.purge_all, lambda: cache.forget("ann")):
        key = key_of(cache)

        def make(purge=purge):
            purge()  # the user buys something while the list is made
            return LIST

        assert cache.get_or_make(key, make) == LIST
        assert cache.get(key) is None
        assert not cache.kv.get_many([key])[0]
        stamp = cache.look(key).stamp
        purge()
        assert cache.put(key, LIST, stamp) is False and cache.get(key) is None


def test_a_stamp_outlives_the_lists_it_ends(cache, kv):
    cache.purge_user("ann")
    (stamp,) = cache.trace("ann")
    assert kv.expires_in(stamp) > 86_400 + 3_000 and STAMP_TTL == 90_000


def test_forgetting_leaves_no_key_of_the_user(cache, kv):
    for k in range(5):
        cache.put(key_of(cache, k=k), LIST)
    cache.put(key_of(cache, "bob"), LIST)
    cache.purge_user("ann")
    cache.put(key_of(cache), LIST)
    assert len(cache.trace("ann")) == 7  # 6 lists (k = 0 to 4, and 10) and the stamp
    assert cache.forget("ann") == 7
    assert cache.trace("ann") == []
    assert not any(hashed("ann") in key for key in kv.keys(""))
    assert len(cache.trace("bob")) == 1
    assert cache.forget("nobody") == 0


def test_nothing_of_a_forgotten_user_is_in_the_files(tmp_path):
    cache = ListCache(SqliteKV(tmp_path / "kv.db"))
    for n in range(200):
        cache.put(key_of(cache, f"u{n}"), b'["a list of u%d"]' % n)
    for n in range(0, 200, 10):
        cache.forget(f"u{n}")
        for file in tmp_path.iterdir():
            assert hashed(f"u{n}").encode() not in file.read_bytes()
            assert b'list of u%d"' % n not in file.read_bytes()


# ------------------------------------------------------------------------------------------------- one maker
def ask_in_threads(cache, key, make, n=100):
    """What each of n threads got that asked at once: values or errors."""
    found, start = [], threading.Barrier(n)

    def ask():
        start.wait()
        try:
            found.append(cache.get_or_make(key, make))
        except Exception as error:
            found.append(error)

    threads = [threading.Thread(target=ask) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
        assert not thread.is_alive(), "somebody still waits"
    return found


def test_a_hundred_who_miss_the_same_list_have_it_made_once(cache):
    made = []

    def make():
        made.append(1)
        time.sleep(0.05)
        return LIST

    cache.wait_seconds = 30
    begin = time.monotonic()
    assert ask_in_threads(cache, key_of(cache), make) == [LIST] * 100
    assert time.monotonic() - begin < 10  # told, not timed out
    assert len(made) == 1
    assert cache.get(key_of(cache)) == LIST and cache._flights == {}


def test_a_list_made_between_the_look_and_the_making_is_not_made_again(cache, monkeypatch):
    original, key, looks = cache.kv.get_many, key_of(cache), []

    def get_many(keys):
        found = original(keys)
        looks.append(1)
        if len(looks) == 1:  # just looked, found nothing; meanwhile somebody else makes it
            other = threading.Thread(target=cache.get_or_make, args=(key, lambda: LIST))
            other.start()
            other.join()
        return found

    monkeypatch.setattr(cache.kv, "get_many", get_many)
    assert cache.get_or_make(key, lambda: b"[2]") == LIST


def test_different_lists_are_made_at_the_same_time(cache):
    together = threading.Barrier(8)

    def make():
        together.wait(timeout=10)  # breaks unless eight makers are here at once
        return LIST

    found = []
    threads = [
        threading.Thread(target=lambda k=k: found.append(cache.get_or_make(key_of(cache, k=k), make))) for k in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [LIST] * 8


def test_a_maker_that_fails_fails_for_all_who_wait_and_nobody_hangs(cache):
    made = []

    def make():
        made.append(1)
        time.sleep(0.05)
        raise KeyError("no model")

    cache.wait_seconds = 10
    found = ask_in_threads(cache, key_of(cache), make)
    assert [str(error) for error in found] == ["'no model'"] * 100
    assert len(made) < 100 and cache._flights == {}
    assert cache.get_or_make(key_of(cache), lambda: LIST) == LIST  # the next one is not burdened by it


def test_those_who_waited_long_enough_make_their_own(cache):
    cache.wait_seconds = 0.05
    release = threading.Event()
    slow = threading.Thread(target=cache.get_or_make, args=(key_of(cache), lambda: release.wait(10) and LIST))
    slow.start()
    while not cache._flights:
        time.sleep(0.001)
    begin = time.monotonic()
    assert cache.get_or_make(key_of(cache), lambda: b"[2]") == b"[2]"
    assert 0.04 < time.monotonic() - begin < 5
    release.set()
    slow.join()
    assert cache.get(key_of(cache)) == LIST


def test_a_maker_that_is_interrupted_leaves_nobody_hanging(cache):
    def make():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.get_or_make(key_of(cache), make)
    assert cache._flights == {}
    assert cache.get_or_make(key_of(cache), lambda: LIST) == LIST


@pytest.mark.parametrize("value", [None, b"", b"[]", b"{}", b"null"])
def test_an_empty_list_is_given_and_made_again_next_time(cache, value):
    made = []

    def make():
        made.append(1)
        return value

    assert [cache.get_or_make(key_of(cache), make) for _ in range(3)] == [value] * 3
    assert len(made) == 3


def test_a_list_too_long_for_the_store_is_given(cache):
    assert len(cache.get_or_make(key_of(cache), lambda: b"x" * MAX_VALUE)) == MAX_VALUE
    assert cache.get(key_of(cache)) is None


# ------------------------------------------------------------------------------------------------- a store that dies
class Mortal:
    """A store in memory that can be switched off."""

    def __init__(self):
        self.kv, self.down = MemoryKV(), False

    def __getattr__(self, name):
        if self.down:
            raise StoreDown("switched off")
        return getattr(self.kv, name)


def test_without_a_store_lists_are_made_and_not_kept():
    cache = ListCache(Mortal())
    cache.kv.down = True
    assert cache.get_or_make(key_of(cache), lambda: LIST) == LIST
    with pytest.raises(StoreDown):
        cache.get(key_of(cache))
    made = ask_in_threads(cache, key_of(cache), lambda: time.sleep(0.05) or LIST)
    assert made == [LIST] * 100
    cache.kv.down = False
    assert cache.get(key_of(cache)) is None


def test_a_store_that_dies_while_a_list_is_made_does_not_spoil_it():
    cache = ListCache(Mortal())

    def make():
        cache.kv.down = True
        return LIST

    assert cache.get_or_make(key_of(cache), make) == LIST


@pytest.mark.parametrize("purge", [lambda c: c.purge_user("ann"), lambda c: c.purge_all()], ids=["user", "all"])
def test_a_purge_that_the_store_did_not_take_is_made_up_for_before_a_list_is_served(purge):
    cache = ListCache(Mortal())
    cache.put(key_of(cache), LIST)
    cache.put(key_of(cache, "bob"), LIST)
    cache.kv.down = True
    with pytest.raises(StoreDown):
        purge(cache)
    cache.kv.down = False  # back, with everything it had
    assert cache.get(key_of(cache)) is None
    assert cache.get_or_make(key_of(cache), lambda: b"[2]") == b"[2]"
    assert cache.get(key_of(cache)) == b"[2]"


def test_a_purge_is_not_done_twice_for_one_that_failed():
    cache = ListCache(Mortal())
    cache.kv.down = True
    with pytest.raises(StoreDown):
        cache.purge_user("ann")
    cache.kv.down = False
    cache.purge_user("ann")
    cache.put(key_of(cache), LIST)
    assert cache.get(key_of(cache)) == LIST


def test_too_many_purges_owed_become_a_purge_of_all():
    cache = ListCache(Mortal())
    cache.put(key_of(cache, "carl"), LIST)
    cache.kv.down = True
    for n in range(MOST_OWED + 1):
        with pytest.raises(StoreDown):
            cache.purge_user(f"u{n}")
    assert len(cache._owed) == 16
    cache.kv.down = False
    assert cache.get(key_of(cache, "carl")) is None


def test_a_killed_redis_costs_the_cache_and_nothing_else(redis_server):
    from reco_utils.serve.kv import RedisKV
    from reco_utils.serve.local_redis import LocalRedis

    with LocalRedis(executable=redis_server.executable) as server:
        cache = ListCache(RedisKV(server.url, timeout_ms=1_000))
        assert cache.get_or_make(key_of(cache), lambda: LIST) == LIST
        server.kill()
        begin = time.monotonic()
        assert cache.get_or_make(key_of(cache), lambda: b"[2]") == b"[2]"
        assert time.monotonic() - begin < 10
        server.start()
        assert cache.get_or_make(key_of(cache), lambda: b"[3]") == b"[3]"
        assert cache.get(key_of(cache)) == b"[3]"
