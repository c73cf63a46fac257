"""The feature store: what the batch and the stream say together, how old it is, and that who is forgotten is gone."""

import json
import random
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data.features import user_features
from reco_utils.data.schema import canonical
from reco_utils.serve.event_log import Event, EventLog
from reco_utils.serve.feature_store import LIVE_BYTES, TTL, Feature, FeatureStore, LiveItem, catalog_facts
from reco_utils.serve.kv import MemoryKV, SqliteKV, StoreDown, hashed

ASOF = 1_750_000_000.0  # of the batch; the clock of the tests begins 100 seconds later
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
FACTS = {f"i{n}": ("abcdefgh"[n], float(n + 1)) for n in range(8)}
ANN = {
    "user_id": "ann", "recent_categories": ["x", "y"], "recent_prices": [10.0, 20.0, 30.0], "known_items": ["p1", "p2"],
    "purchase_times": [ASOF - DAY, ASOF - 20 * DAY],
}  # fmt: skip


def seen(item, ago, event="click", user="ann", event_id=None):
    """An event some seconds before the clock of the tests began."""
    at = ASOF + 100 - ago
    return Event(event_id or f"{item} {event} {at}", user, item, event, at)


@pytest.fixture
def store(kv, clock):
    """A store with a batch row of ann, as old as 100 seconds."""
    clock.now = ASOF + 100
    store = FeatureStore(kv, clock=clock, facts=lambda item: FACTS.get(item, (None, None)))
    store.write_batch(pd.DataFrame([ANN]), np.arange(64, dtype=np.float32)[None] / 7, pd.Timestamp(ASOF, unit="s"))
    return store


def values(features):
    return {name: getattr(features, name).value for name in TTL}


def ages(features):
    return {name: round(getattr(features, name).age_seconds, 3) for name in TTL}


def sources(features):
    return {getattr(features, name).source for name in TTL}


# ------------------------------------------------------------------------------------------------- batch
def test_the_batch_row_comes_back_with_its_age(store):
    ann = store.read("ann")
    np.testing.assert_array_equal(ann.user_embedding_64d.value, np.arange(64, dtype=np.float32) / 7)
    assert ann.user_embedding_64d.value.dtype == np.float32
    assert ann.recent_categories == Feature(("x", "y"), 100.0, False, "batch")
    assert ann.avg_price_range == Feature((15.0, 25.0), 100.0, False, "batch")
    assert ann.purchase_count_30d == Feature(2, 100.0, False, "batch")
    assert ann.cold_start_flag == Feature(True, 100.0, False, "batch")
    assert ann.session_click_ids == Feature((), 0.0, False, "default")
    assert ann.live == () and ann.asof == ASOF


def test_a_stranger_gets_defaults(store):
    bob = store.read("bob")
    assert values(bob) == {
        "user_embedding_64d": None, "recent_categories": (), "avg_price_range": None, "purchase_count_30d": 0,
        "cold_start_flag": True, "session_click_ids": (),
    }  # fmt: skip
    assert sources(bob) == {"default"} and set(ages(bob).values()) == {0.0} and bob.asof is None and bob.live == ()
    assert not any(getattr(bob, name).stale for name in TTL)


def test_a_row_without_a_vector_has_none(store):
    vectors = np.array([[1.0, np.nan], [1.0, 2.0]], np.float32)
    frame = pd.DataFrame([{**ANN, "user_id": "bob"}, {**ANN, "user_id": "cat"}])
    assert store.write_batch(frame, vectors, "2025-06-15") == 2
    assert store.read("bob").user_embedding_64d == Feature(None, 0.0, False, "default")
    assert store.read("cat").user_embedding_64d.value.tolist() == [1.0, 2.0]
    store.write_batch(frame, asof="2025-06-15")
    assert store.read("cat").user_embedding_64d.value is None


def test_a_batch_needs_its_time_and_a_vector_per_user(store):
    with pytest.raises(ValueError, match="asof must be given"):
        store.write_batch(pd.DataFrame([ANN]))
    with pytest.raises(ValueError, match=r"one row per user \(1\), got 2"):
        store.write_batch(pd.DataFrame([ANN]), np.zeros((2, 4)), "2025-06-15")
    assert store.write_batch(pd.DataFrame([ANN]).iloc[:0], asof="2025-06-15") == 0


def test_a_large_batch_is_written_whole(store):
    frame = pd.DataFrame([{**ANN, "user_id": f"u{n}", "known_items": [f"p{n}"]} for n in range(2_345)])
    assert store.write_batch(frame, asof="2025-06-15") == 2_345
    assert [store.read(f"u{n}").asof for n in (0, 999, 1_000, 2_344)] == [pd.Timestamp("2025-06-15").timestamp()] * 4


# ------------------------------------------------------------------------------------------------- stream
def test_events_since_the_batch_change_the_features_at_once(store):
    store.update(seen("i0", 50), seen("i1", 40, "purchase"), seen("i2", 30, "view"))
    ann = store.read("ann")
    assert ann.recent_categories == Feature(("c", "b", "a", "x", "y"), 30.0, False, "stream")
    assert ann.avg_price_range == Feature((2.25, 17.5), 30.0, False, "stream")  # of 1 2 3 10 20 30
    assert ann.purchase_count_30d == Feature(3, 40.0, False, "stream")
    assert ann.cold_start_flag == Feature(False, 30.0, False, "stream")  # p1 p2 i0 i1 i2
    assert ann.session_click_ids == Feature(("i0", "i2"), 30.0, False, "stream")
    assert ann.user_embedding_64d.source == "batch"
    at = ASOF + 100
    assert ann.live == (
        LiveItem("i0", "click", at - 50), LiveItem("i1", "purchase", at - 40), LiveItem("i2", "view", at - 30),
    )  # fmt: skip


def test_a_stranger_is_known_by_the_first_click(store):
    store.update(seen("i3", 5, user="eve"))
    eve = store.read("eve")
    assert eve.recent_categories == Feature(("d",), 5.0, False, "stream")
    assert eve.avg_price_range.value == (4.0, 4.0) and eve.session_click_ids.value == ("i3",)
    assert eve.purchase_count_30d == Feature(0, 0.0, False, "default") and eve.cold_start_flag.value
    assert store.read("ann").live == ()


def test_an_event_counts_once_however_often_it_comes(store):
    event = seen("i1", 40, "purchase")
    for _ in range(3):
        store.update(event, event)
    assert store.read("ann").purchase_count_30d.value == 3 and len(store.read("ann").live) == 1


def test_events_may_come_in_any_order(store):
    events = [seen(f"i{n}", 90 - 10 * n) for n in range(8)]
    expected = [LiveItem(e.item_id, e.event, e.timestamp) for e in events]
    random.Random(0).shuffle(events)
    for event in events:
        store.update(event)
    assert list(store.read("ann").live) == expected
    assert store.read("ann").recent_categories.value == ("h", "g", "f", "e", "d")


def test_how_a_thing_was_rated_is_kept(store):
    store.update(Event("e1", "ann", "i0", "rating", ASOF + 60, rating=2.5), seen("i1", 20))
    assert store.read("ann").live == (LiveItem("i0", "rating", ASOF + 60, 2.5), LiveItem("i1", "click", ASOF + 80))


def test_what_the_batch_knows_already_is_not_live(store):
    store.update(seen("i0", 100), seen("i1", 101), seen("i2", 99))  # the batch was 100 seconds ago
    assert [event.item_id for event in store.read("ann").live] == ["i2"]
    assert store.read("ann").recent_categories.value == ("c", "x", "y")


def test_a_new_batch_takes_over_from_the_stream(store, clock):
    store.update(seen("i0", 50, "purchase"), seen("i1", 10, "purchase"))
    frame = pd.DataFrame([{**ANN, "purchase_times": [ASOF + 50, *ANN["purchase_times"]]}])
    store.write_batch(frame, asof=pd.Timestamp(ASOF + 60, unit="s"))
    assert store.read("ann").purchase_count_30d.value == 4  # 3 in the batch, 1 since
    assert [event.item_id for event in store.read("ann").live] == ["i1"]


def test_what_happened_lately_is_counted_from_any_time_and_the_clicks_are_those_of_the_visit(store):
    store.update(seen("i0", 2 * DAY), seen("i1", 50), seen("i2", 10))
    assert [event.item_id for event in store.read("ann").live] == ["i1", "i2"]
    for since, items in ((ASOF - 3 * DAY, ["i0", "i1", "i2"]), (ASOF + 60, ["i2"])):
        live, clicks = store.lately("ann", since)
        assert [event.item_id for event in live] == items and tuple(clicks) == ("i1", "i2")
        assert tuple(clicks) == store.read("ann").session_click_ids.value
    assert store.lately("nobody", 0) == ([], [])


def test_an_item_the_catalogue_lacks_is_seen_but_has_no_facts(store):
    store.update(seen("unknown", 5))
    ann = store.read("ann")
    assert ann.recent_categories == Feature(("x", "y"), 100.0, False, "batch")
    assert ann.avg_price_range.source == "batch" and ann.session_click_ids.value == ("unknown",)
    assert ann.cold_start_flag.source == "stream"


@pytest.mark.parametrize(
    "agos, clicks",
    [
        ([10], 1), ([29 * MINUTE], 1), ([31 * MINUTE], 0), ([10, 20 * MINUTE, 45 * MINUTE], 3),
        ([10, 20 * MINUTE, 51 * MINUTE, 52 * MINUTE], 2), ([], 0),
    ],
)  # fmt: skip
def test_a_visit_ends_with_a_pause_of_half_an_hour(store, agos, clicks):
    store.update(*(seen(f"i{n}", ago) for n, ago in enumerate(agos)))
    found = store.read("ann").session_click_ids.value  # the batch was in the middle of it: the visit goes on
    assert found == tuple(f"i{n}" for n in reversed(range(clicks)))


def test_purchases_and_ratings_are_no_clicks(store):
    kinds = ["view", "click", "add_to_cart", "purchase", "rating"]
    store.update(*(seen(f"i{n}", 50 - n, kind) for n, kind in enumerate(kinds)))
    assert store.read("ann").session_click_ids.value == ("i0", "i1", "i2")


def test_a_user_who_never_stops_is_kept_short(store):
    for n in range(0, 2_000, 50):
        store.update(*(seen(f"i{m % 8}", 90 - m / 100, event_id=f"e{m}") for m in range(n, n + 50)))
    ann = store.read("ann")
    assert len(store.kv.get(store._keys("ann")[1])) <= LIVE_BYTES
    assert 150 <= len(ann.live) < 500 and len(ann.session_click_ids.value) == 50
    assert ann.live[-1].timestamp == pytest.approx(ASOF + 100 - 90 + 19.99)


def test_odd_ids_are_users_and_items_too(store):
    users = ["a:b", "line\nbreak", "日本語", "🦊" * 2_500, "x" * 10_000, "nul\0nul", "ann "]
    for n, user in enumerate(users):
        store.update(Event(f"{n}", user, f'i"\n\\{n}' + "é" * 900, "click", ASOF + 90))
        store.update(Event(f"{n} more", user, "i1", "click", ASOF + 95))
    for n, user in enumerate(users):
        assert [e.item_id for e in store.read(user).live] == [f'i"\n\\{n}' + "é" * 900, "i1"]


# ------------------------------------------------------------------------------------------------- time
def test_a_feature_is_stale_when_it_is_older_than_its_time_to_live(store, clock):
    clock.now = ASOF + 36 * HOUR
    assert not any(getattr(store.read("ann"), name).stale for name in TTL)
    clock.now += 1
    ann = store.read("ann")
    assert {name for name in TTL if getattr(ann, name).stale} == set(TTL) - {"session_click_ids"}
    assert ann.recent_categories.value == ("x", "y")  # given nevertheless


def test_each_feature_can_have_a_time_to_live_of_its_own(kv, clock):
    store = FeatureStore(kv, clock=clock, ttl={"recent_categories": 60.0})
    store.write_batch(pd.DataFrame([ANN]), asof=pd.Timestamp(clock.now - 61, unit="s"))
    assert store.read("ann").recent_categories.stale and not store.read("ann").purchase_count_30d.stale
    with pytest.raises(ValueError, match="unknown features \\['age'\\]"):
        FeatureStore(kv, ttl={"age": 1.0})
    with pytest.raises(ValueError, match="recent_categories must be more than 0 and finite, got 0"):
        FeatureStore(kv, ttl={"recent_categories": 0})


def test_purchases_grow_out_of_the_30_days_without_a_new_batch(store, clock):
    counts = []
    for days in (0, 9, 11, 28, 30):
        clock.now = ASOF + days * DAY
        counts.append(store.read("ann").purchase_count_30d.value)
    assert counts[:4] == [2, 2, 1, 1]  # one was 20 days before the batch, one a day before
    assert counts[4] == 0


def test_a_clock_that_jumps_never_makes_an_age_negative(store, clock):
    store.update(seen("i0", 10))
    rng = random.Random(0)
    for _ in range(100):
        clock.now = ASOF + rng.choice([-1, 1]) * rng.random() * 20 * DAY
        ann = store.read("ann")
        assert min(ages(ann).values()) >= 0
        for name in TTL:
            assert getattr(ann, name).stale == (getattr(ann, name).age_seconds > TTL[name])


def test_an_event_from_the_future_counts_as_now(store, clock):
    store.update(seen("i0", -20 * HOUR))  # a visitor's clock is wrong
    assert store.read("ann").live == (LiveItem("i0", "click", ASOF + 100),)
    clock.now += 31 * MINUTE
    assert store.read("ann").session_click_ids.value == ()  # the visit does not last until then


def test_after_the_clock_was_set_back_new_events_still_count(store, clock):
    clock.now -= HOUR  # now before the batch
    store.update(seen("i0", 10))
    assert [event.item_id for event in store.lately("ann", ASOF - DAY)[0]] == ["i0"]
    assert min(ages(store.read("ann")).values()) >= 0


def test_what_nobody_renews_is_dropped_after_30_days(store, kv):
    store.update(seen("i0", 10))
    for key in store.trace("ann"):
        assert 29.99 * DAY < kv.expires_in(key) <= 30 * DAY


# ------------------------------------------------------------------------------------------------- one truth
def test_the_stream_alone_the_batch_alone_and_both_say_the_same(kv, clock):
    """What a model is trained on is what it is served with: wherever the batch was cut, the features are equal."""
    rng = random.Random(0)
    catalog = pd.DataFrame({"item_id": list(FACTS), "title": list(FACTS)})
    catalog = catalog.assign(category=[c for c, _ in FACTS.values()], price=[p for _, p in FACTS.values()])
    events = sorted(
        (
            rng.uniform(0, 40),
            rng.choice(["ann", "bob", "cat"]),
            rng.choice(list(FACTS)),
            rng.choice(["view", "purchase"]),
        )
        for _ in range(300)
    )
    start = pd.Timestamp("2025-05-01")
    frame = pd.DataFrame(events, columns=["day", "user_id", "item_id", "event"])
    frame["timestamp"] = (start + pd.to_timedelta(frame.pop("day"), unit="D")).dt.floor("us")
    tables = canonical("hand", frame, catalog, defaults=Defaults())
    end = pd.Timestamp("2025-06-10")
    clock.now = end.timestamp()
    expected = user_features(tables, end).set_index("user_id")
    for cut in (0, 1, 20, 140, 299, 300):
        store = FeatureStore(kv, clock=clock, facts=FACTS.get, keep_days=90)
        kv.delete_prefix("")
        asof = frame["timestamp"].iloc[cut - 1] if cut else start
        store.write_batch(user_features(tables, asof))
        rows = zip(*(frame[name] for name in ("user_id", "item_id", "event", "timestamp")))
        store.update(
            *(Event(str(n), u, i, e, t.timestamp()) for n, (u, i, e, t) in enumerate(rows))
        )  # all, seen or not
        for user in ("ann", "bob", "cat"):
            found, row = values(store.read(user)), expected.loc[user]
            assert list(found["recent_categories"]) == row["recent_categories"]
            assert found["avg_price_range"] == pytest.approx(row["avg_price_range"])
            assert found["purchase_count_30d"] == row["purchase_count_30d"]
            assert found["cold_start_flag"] == row["cold_start_flag"]


def test_after_a_crash_the_log_brings_the_store_up_to_date(tmp_path, clock):
    """Events that were acknowledged but had not reached the store are replayed; those that had count once."""
    log, store = EventLog(tmp_path / "events.db", clock=clock), FeatureStore(MemoryKV(), clock=clock)
    accepted, _ = log.append(
        [{"event_id": str(n), "user_id": "ann", "item_id": f"i{n}", "event": "click"} for n in range(5)]
    )
    store.update(*accepted[:2])  # and then the power went
    for _ in range(2):
        store.update(*log.since(0).events)
    assert store.read("ann").session_click_ids.value == ("i0", "i1", "i2", "i3", "i4")


# ------------------------------------------------------------------------------------------------- forgetting, failing
def test_forgetting_leaves_nothing_of_a_user_and_all_of_the_others(store, kv):
    store.update(seen("i0", 10), seen("i0", 10, user="bob"))
    assert len(store.trace("ann")) == 2 and len(store.trace("bob")) == 1
    assert store.forget("ann") == 2
    assert store.trace("ann") == [] and not any(hashed("ann") in key for key in kv.keys(""))
    assert sources(store.read("ann")) == {"default"}
    assert store.read("bob").session_click_ids.value == ("i0",)
    assert store.forget("ann") == 0


def test_no_byte_of_an_id_or_of_its_hash_is_in_the_files(tmp_path, clock):
    store = FeatureStore(SqliteKV(tmp_path / "kv.db"), clock=clock)
    users = [f"a-long-user-id-{n}" for n in range(100)]
    store.write_batch(pd.DataFrame([{**ANN, "user_id": user} for user in users]), asof="2025-06-15")
    for user in users:
        store.update(seen(f"item-of-{user}", 5, user=user, event_id=f"event of {user}"))
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"event of" not in content  # an event's id is kept as a mark only
    assert not any(user.encode() in content.replace(f"item-of-{user}".encode(), b"") for user in users)
    for user in users[::7]:
        store.forget(user)
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert hashed(user).encode() not in content and f'item-of-{user}"'.encode() not in content


def test_without_the_secret_a_user_is_not_found(kv, clock):
    one, two = FeatureStore(kv, clock=clock, secret=b"one"), FeatureStore(kv, clock=clock, secret=b"two")
    one.update(seen("i0", 5))
    assert len(one.trace("ann")) == 1 and two.trace("ann") == [] and two.read("ann").live == ()


def test_facts_are_those_of_the_catalogue_that_serves():
    def serving(**columns):
        return SimpleNamespace(data=SimpleNamespace(catalog=pd.DataFrame({"item_id": ["i0", "i1"], **columns})))

    live = SimpleNamespace(stable=serving(category=["x", None], price=[2.5, np.nan]))
    facts = catalog_facts(live)
    assert [facts(item) for item in ("i0", "i1", "gone")] == [("x", 2.5), (None, None), (None, None)]
    live.stable = serving(price=[3.5, 4.5])
    assert [facts(item) for item in ("i0", "i1")] == [(None, 3.5), (None, 4.5)]


def test_the_features_are_plain_data_for_json(store):
    store.update(seen("i0", 5))
    plain = json.loads(json.dumps(store.read("ann").to_dict()))
    assert list(plain) == list(TTL)
    assert plain["recent_categories"] == {
        "value": ["a", "x", "y"],
        "age_seconds": 5.0,
        "stale": False,
        "source": "stream",
    }
    assert len(plain["user_embedding_64d"]["value"]) == 64
    assert json.loads(json.dumps(store.read("bob").to_dict()))["user_embedding_64d"]["value"] is None


def test_a_dead_store_says_so(redis_server, clock):
    from reco_utils.serve.kv import RedisKV

    store = FeatureStore(RedisKV("redis://127.0.0.1:1/0"), clock=clock)
    for call in (lambda: store.read("ann"), lambda: store.update(seen("i0", 5)), lambda: store.forget("ann")):
        with pytest.raises(StoreDown):
            call()
    with pytest.raises(StoreDown):
        store.write_batch(pd.DataFrame([ANN]), asof="2025-06-15")
