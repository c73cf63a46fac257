"""The storefront: every page and click on Streamlit's own test bench, both ways to the engine, pictures, words."""

import json
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("streamlit", reason="needs the extra serve")
pytest.importorskip("fastapi", reason="needs the extra serve")

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from reco_utils.data.shop_words import SHELVES
from reco_utils.serve import storefront
from reco_utils.serve.ask import (
    Answer,
    Ask,
    BadRequest,
    Forgotten,
    Health,
    Ingested,
    Listed,
    NotFound,
    SearchAnswer,
    Unavailable,
)  # fmt: skip
from reco_utils.serve.storefront import app, pages, pictures, window
from reco_utils.serve.storefront.client import Customer, InProcess, KeyMissing, OverHttp, Rows, sample_customers
from reco_utils.serve.storefront.results import Effect, read_results

KEY = "a key for the tests only"
K = 4  # products of a list in these tests: pages are drawn in a third of the time
EVIL = '<script>alert(1)</script> :material/home: **bold** [x](javascript:1) $a$ \u202eעברית\u0000 🙂 & "q"'
NOUNS = {"Kitchen": "mug", "Outdoor": "tent", "Beauty": "shampoo"}


class ToyEngine:
    """A shop of 45 products that learns from clicks at once: what was looked at last decides which category leads.

    p0 to p14 are mugs (1 to 15 euros), p15 to p29 tents, p30 to p44 shampoos. "ann" bought p0.
    """

    def __init__(self):
        self.rows = {}
        for n, (category, noun) in enumerate(NOUNS.items()):
            for k in range(15):
                item = f"p{15 * n + k}"
                title = f"Brand {noun} {k}, size {k}"
                self.rows[item] = {"item_id": item, "title": title, "category": category, "price": float(k + 1),
                                   "in_stock": True, "tags": "one, two", "description": "Good."}  # fmt: skip
        self.events, self.asked, self.down, self.degraded, self.known = [], [], set(), (), {"ann", "ben"}
        self.monitor = SimpleNamespace(prometheus=lambda: "")
        stable = SimpleNamespace(features=[], manifest=SimpleNamespace(version="v1"))
        self.live = SimpleNamespace(stable=stable)

    def _check(self, what):
        if what in self.down:
            raise Unavailable(f"{what} is down")

    def recommend(self, ask):
        self._check("recommend")
        if ask.user == "bad":
            raise BadRequest("user must not be bad")
        self.asked.append(ask)
        mine = [e for e in self.events if e["user_id"] == ask.user]
        clicks = [e["item_id"] for e in mine if e["event"] != "purchase"] + list(ask.session)
        bought = {e["item_id"] for e in mine if e["event"] == "purchase"} | ({"p0"} if ask.user == "ann" else set())
        lead = self.rows[clicks[-1]]["category"] if clicks else ("Kitchen" if ask.user == "ann" else "Outdoor")
        low, high = ask.price
        fits = [
            row for row in self.rows.values()
            if (not ask.categories or row["category"] in ask.categories) and row["item_id"] not in bought
            and (low is None or row["price"] >= low) and (high is None or row["price"] <= high)
        ]  # fmt: skip
        first = sorted(fits, key=lambda row: row["category"] != lead)[: ask.k]
        step = "popular" if ask.model == "popular" else "hybrid" if ask.user in self.known or clicks else "cohort"
        because = "p0" if ask.user == "ann" and ask.reasons else None
        items = tuple(Listed(r["item_id"], n + 1, 1.0, step, because, None) for n, r in enumerate(first))
        said = {i.item: "because you bought Brand mug 0, size 0" for i in items} if because else {}
        return Answer(ask.user, items, step, "v1", False, self.degraded, said, "live")

    def at_once(self, ask):
        return None

    def similar(self, item, k=10):
        if item not in self.rows:
            raise NotFound("no such item")
        same = [i for i, row in self.rows.items() if row["category"] == self.rows[item]["category"] and i != item]
        items = tuple(Listed(i, n + 1, 0.5, "similar", None, None) for n, i in enumerate(same[:k]))
        return Answer("", items, "similar", "v1", path="similar")

    def search(self, query, user=None, k=10):
        if len(query) > 100:
            raise BadRequest("q is too long")
        word = {"shampo": "shampoo"}.get(query, query)
        hits = [i for i, row in self.rows.items() if word in row["title"]]
        found = tuple(Listed(i, n + 1, 1.0, "search", None, None) for n, i in enumerate((hits or list(self.rows))[:k]))
        understood = {"query": query, "words": [word] if hits else [], "unknown": [] if hits else [query],
                      "corrected": {query: word} if word != query else {}, "filters": {}, "boosts": {},
                      "relaxed": [] if hits else ["words"]}  # fmt: skip
        return SearchAnswer(user or "", found, "search", "v1", path="live", understood=understood)

    def features(self, user):
        if user == "bad":
            raise BadRequest("no such id")
        clicks = [e["item_id"] for e in self.events if e["user_id"] == user]
        known = user in self.known
        old = {"age_seconds": 7_200.0, "stale": True, "source": "batch"} if known else {}
        default = {"age_seconds": 0.0, "stale": False, "source": "default"}
        values = {"user_embedding_64d": None, "recent_categories": ["Kitchen"] if known else [],
                  "avg_price_range": [3.0, 9.0] if known else None, "purchase_count_30d": int(known),
                  "cold_start_flag": not known, "session_click_ids": clicks}  # fmt: skip
        return {name: {"value": value, **(old or default)} for name, value in values.items()}

    def item(self, item):
        if item not in self.rows:
            raise NotFound("no such item")
        return self.rows[item]

    def categories(self):
        return tuple(NOUNS)

    def models(self):
        return ("hybrid", "cohort", "popular")

    def ingest(self, events):
        self._check("log")
        self.events += [dict(event) for event in events]
        return Ingested(len(events), 0)

    def forget(self, user):
        self._check("forget")
        n, self.events = len(self.events), [e for e in self.events if e["user_id"] != user]
        self.known.discard(user)
        return Forgotten(user, {"events": n - len(self.events), "artifact v1": {"weights": 3}}, ())

    def health(self):
        return Health(True, (), "v1", 1.0, {})

    def refresh(self):
        return False

    def close(self):
        pass


@pytest.fixture
def engine():
    return ToyEngine()


# ------------------------------------------------------------------------------------------------------- the two ways
@pytest.fixture(params=["in process", "over http"])
def shop(request, engine):
    if request.param == "in process":
        yield InProcess(engine)
        return
    from reco_utils.serve.api import create_app
    from reco_utils.serve.server import running
    from reco_utils.serve.settings import Settings

    with running(create_app(engine, Settings(port=0, admin_key=KEY, rate=0, log="errors"))) as url:
        yield OverHttp(url, KEY)


def test_both_ways_ask_the_same_question_and_bring_the_same_answer(shop, engine):
    ask = Ask("ann/é .. %2F", 5, True, ("p1", "p2"), ("Kitchen", "Outdoor"), (1.25, 12.0), "hybrid", "b")
    answer = shop.recommend(ask)
    assert engine.asked == [ask]
    assert answer == engine.recommend(ask)
    assert shop.recommend(Ask("ann", 3, True)).reasons == engine.recommend(Ask("ann", 3, True)).reasons != {}
    assert shop.similar("p3", 4) == engine.similar("p3", 4)
    assert shop.search("shampo", "ann", 3) == engine.search("shampo", "ann", 3)
    assert shop.features("ann") == engine.features("ann")
    assert (shop.categories(), shop.models()) == (engine.categories(), engine.models())


def test_both_ways_find_rows_take_events_and_forget(shop, engine):
    assert shop.items(["p1", "no", "p2", "p1"]) == {"p1": engine.rows["p1"], "p2": engine.rows["p2"]}
    event = {"event_id": "1", "user_id": "ann", "item_id": "p1", "event": "click"}
    assert shop.ingest([event]) == Ingested(1, 0)
    assert engine.events == [event]
    assert shop.forget("ann") == Forgotten("ann", {"events": 1, "artifact v1": {"weights": 3}}, ())
    assert engine.events == []


def test_both_ways_raise_the_errors_of_the_engine(shop, engine):
    with pytest.raises(NotFound):
        shop.similar("no")
    with pytest.raises(BadRequest, match="too long"):
        shop.search("x" * 101)
    engine.down = {"recommend"}
    with pytest.raises(Unavailable):
        shop.recommend(Ask("ann"))


def test_a_user_whose_id_is_dots_is_not_another_page(shop, engine):
    shop.recommend(Ask(".."))
    assert engine.asked[-1].user == ".."


def test_a_wrong_key_is_named_as_such(engine):
    from reco_utils.serve.api import create_app
    from reco_utils.serve.server import running
    from reco_utils.serve.settings import Settings

    with running(create_app(engine, Settings(port=0, admin_key=KEY, log="none"))) as url:
        for key in ("", "wrong"):
            with pytest.raises(KeyMissing, match="key"):
                OverHttp(url, key).forget("ann")


def test_nobody_at_the_address_is_unavailable_and_so_is_somebody_else():
    import httpx

    for url in ("http://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(Unavailable, match="nobody answers"):
            OverHttp(url).categories()
    other = httpx.MockTransport(lambda request: httpx.Response(200, text="<html>"))
    with pytest.raises(Unavailable, match="no JSON"):
        OverHttp("http://elsewhere", transport=other).categories()
    busy = httpx.MockTransport(lambda request: httpx.Response(429, text="slow down"))
    with pytest.raises(Unavailable, match="429"):
        OverHttp("http://elsewhere", transport=busy).categories()


def test_rows_are_asked_for_once_and_again_when_they_are_old(clock):
    asked = []
    shop = SimpleNamespace(items=lambda ids: asked.append(ids) or {i: {"item_id": i} for i in ids if i != "gone"})
    rows = Rows(shop, seconds=60, most=3, clock=clock)
    assert list(rows.of(["b", "a", "b", "gone"])) == ["b", "a"]
    assert list(rows.of(["a", "c"])) == ["a", "c"]
    clock.now += 61
    rows.of(["a"])
    assert asked == [["b", "a", "gone"], ["c"], ["a"]]
    rows.of(["d", "e", "f"])
    assert list(rows._kept) == ["d", "e", "f"]


def test_a_catalogue_without_prices_is_known_as_such_once_rows_were_seen():
    for price, priced in ((None, False), (0.0, True)):
        rows = Rows(SimpleNamespace(items=lambda ids, price=price: {i: {"item_id": i, "price": price} for i in ids}))
        assert rows.priced
        rows.of(["a"])
        assert rows.priced == priced


def test_sample_customers_are_of_every_kind_and_nobody_forgotten():
    frame = pd.DataFrame({
        "user_id": ["e", "d", "c", "b", "a", "forgotten-1"],
        "known_items": [["p"] * 5, ["p"] * 5, ["p"] * 5, ["p"], [], None],
        "cold_start_flag": [False, False, False, True, True, False],
        "purchase_count_30d": [4, 1, 0, 0, 0, 0],
    })  # fmt: skip
    found = sample_customers(SimpleNamespace(features=frame))
    assert [customer.user for customer in found] == ["e", "d", "c", "b", "a"]
    assert len({customer.kind for customer in found}) == 5


# ------------------------------------------------------------------------------------------------------------ the pages
def page():
    from reco_utils.serve.storefront import app

    app.main()


@pytest.fixture
def browse(engine, monkeypatch, tmp_path):
    """Opens a page of the shop over the toy engine, as a visitor's browser would."""

    def use(shop):
        monkeypatch.setattr(app, "open_shop", lambda api, home: shop)
        monkeypatch.setattr(app, "open_rows", lambda shop, api, home: Rows(shop))

    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda: [])  # reads all packages, every time
    monkeypatch.setattr(pages, "K", K)
    monkeypatch.setattr(pages, "N_TILES", K)
    monkeypatch.setattr(pages, "N_PICKED", K)
    monkeypatch.setattr(app, "find_customers", lambda home: [Customer("ann", "regular"), Customer("bad", "odd")])
    monkeypatch.setenv("RECO_HOME", str(tmp_path))
    monkeypatch.delenv("RECO_API", raising=False)
    use(InProcess(engine))

    def opened(shop=None, **query):
        if shop is not None:
            use(shop)
        at = AppTest.from_function(page, default_timeout=20)
        for name, value in query.items():
            at.query_params[name] = value
        return at.run()

    return opened


def said(at) -> str:
    """All HTML of a page, the styles left out."""
    return "\n".join(html.value for html in at.html if not html.value.startswith("<style"))


def shown(at, shelf) -> list[str]:
    """Items of a shelf, in order."""
    start = f"open-{shelf}-"
    return [button.key.removeprefix(start) for button in at.button if button.key and button.key.startswith(start)]


def fine(at) -> bool:
    return not at.exception and "We are closed" not in said(at)


def test_the_first_page_recommends_with_reasons_and_names_the_step(browse):
    at = browse()
    assert fine(at)
    assert shown(at, "home") == ["p1", "p2", "p3", "p4"]
    text = said(at)
    assert "<h1>Recommended for you</h1>" in text
    assert "your own choices" in text
    assert "Because you bought Brand mug 0<" in text
    assert "<h2>Because you bought <bdi>Brand mug 0</bdi></h2>" in text
    assert shown(at, "like-p0") == ["p5", "p6", "p7", "p8", "p9", "p10"]
    assert 'alt="Drawing of Brand mug 1, size 1"' in text


def test_a_heading_says_what_the_reason_says():
    product = {"title": "Tea <b>, 1 kg"}
    for said, heading in (
        ("because you liked Tea <b>, 1 kg", "Because you liked <bdi>Tea &lt;b&gt;</bdi>"),
        ("because you added Tea <b>, 1 kg to your cart", "Because you added <bdi>Tea &lt;b&gt;</bdi> to your cart"),
        ("", "Because of <bdi>Tea &lt;b&gt;</bdi>"),
    ):
        assert pages._as_heading(said, product) == heading


def test_what_the_shop_knows_comes_with_its_age(browse):
    text = said(browse())
    assert "Usual price</dt><dd>€3.00 to €9.00<small>from the last training, 2 hours ago" in text
    assert 'class="stale"' in text


def test_another_customer_has_another_list_and_a_stranger_the_popular_one(browse, engine):
    at = browse()
    at.selectbox(key="user").set_value(pages.STRANGER).run()
    assert fine(at)
    assert shown(at, "home") == ["p15", "p16", "p17", "p18"]
    assert "<h1>Popular right now</h1>" in said(at)
    assert "New here</dt><dd>yes" in said(at)
    assert engine.asked[-1].user == pages.STRANGER
    assert "changed" not in said(at)


def test_an_impossible_customer_is_told_so(browse, engine):
    at = browse()
    at.selectbox(key="user").set_value("bad").run()
    assert fine(at)
    assert "no customer’s id" in said(at)
    assert "That cannot be asked" in said(at)


def test_a_like_changes_the_list_at_once_and_a_note_says_what(browse, engine):
    at = browse(page="search", q="tent")
    at.button(key="like-found-p20").click().run()
    at.button(key="to-home").click().run()
    assert shown(at, "home")[0] == "p15"
    at.button(key="like-home-p15").click().run()
    assert fine(at)
    assert [e["event"] for e in engine.events] == ["click", "click"]
    assert engine.asked[-1].session == ("p20", "p15")
    at = browse()
    at.session_state["clicks"] = {"ann": ["p40"]}
    at.run()
    assert "Your list has changed" in said(at)
    assert "<b>Your list has changed</b>. 4 new products" in said(at)


def test_the_note_names_the_cause_and_new_products_have_a_badge(browse):
    at = browse()
    at.query_params["page"] = "search"
    at.query_params["q"] = "shampoo"
    at.run()
    at.button(key="like-found-p31").click().run()
    at.button(key="to-home").click().run()
    text = said(at)
    assert "<b>Your list has changed</b> because you liked <bdi>Brand shampoo 1</bdi>. 4 new products" in text
    assert text.count("New in your list") == 4
    at.button(key="like-home-p31").click().run()
    assert "your list stays as it is" in said(at)


def test_looking_at_a_product_opens_it_and_tells_the_shop(browse, engine):
    at = browse()
    at.button(key="open-home-p3").click().run()
    assert fine(at)
    assert (at.query_params["page"], at.query_params["item"]) == ("item", "p3")
    event = engine.events[-1]
    assert (event["user_id"], event["item_id"], event["event"]) == ("ann", "p3", "click")
    text = said(at)
    assert '<h1 dir="auto">Brand mug 3, size 3</h1>' in text and "€4.00" in text and "Good." in text
    assert "Goes with this" in text
    assert shown(at, "now")[0] == "p1"
    at.button(key="back").click().run()
    assert "You looked at these" in said(at)
    assert shown(at, "looked") == ["p3"]


def test_what_is_bought_leaves_the_cart_and_the_list(browse, engine):
    at = browse()
    at.button(key="add-home-p2").click().run()
    at.button(key="add-home-p4").click().run()
    assert "It is in your cart." in said(at)
    at.button(key="buy-cart").click().run()
    assert [e["event"] for e in engine.events] == ["add_to_cart"] * 2 + ["purchase"] * 2
    assert engine.events[-1]["value"] == 5.0 and engine.events[-1]["quantity"] == 1
    assert "Thank you. You bought <bdi>Brand mug 2</bdi> and <bdi>Brand mug 4</bdi>" in said(at)
    assert not {"p2", "p4"} & set(shown(at, "home"))
    assert not [button for button in at.button if button.key == "buy-cart"]


def test_one_product_is_bought_at_once_and_a_cart_is_emptied(browse, engine):
    at = browse(page="item", item="p7")
    at.button(key="add-this").click().run()
    at.button(key="empty-cart").click().run()
    assert at.session_state["carts"]["ann"] == []
    at.button(key="buy-this").click().run()
    assert engine.events[-1]["event"] == "purchase"
    assert "p7" not in shown(at, "now")


def test_filters_rule_out_before_the_cut_so_that_the_list_stays_as_long(browse, engine):
    at = browse()
    at.get("button_group")[0].set_value(["Beauty"]).run()
    assert fine(at)
    assert shown(at, "home") == ["p30", "p31", "p32", "p33"]
    assert engine.asked[-1].categories == ("Beauty",)
    at.select_slider(key="prices").set_value((5, 10)).run()
    assert engine.asked[-1].price == (5.0, 10.0)
    assert shown(at, "home") == ["p34", "p35", "p36", "p37"]
    at.button(key="to-you").click().run()
    at.button(key="to-home").click().run()
    assert engine.asked[-1].categories == ("Beauty",)
    assert engine.asked[-1].price == (5.0, 10.0)


def test_filters_that_nothing_passes_are_answered_by_a_sentence(browse):
    at = browse()
    at.select_slider(key="prices").set_value((500, 1000)).run()
    assert fine(at)
    assert "No product passes these filters" in said(at)


def test_the_switch_asks_another_model(browse, engine):
    at = browse()
    assert engine.asked[-1].model is None
    at.selectbox(key="model").set_value("popular").run()
    assert engine.asked[-1].model == "popular"
    assert "what most people buy" in said(at)
    at.selectbox(key="model").set_value(pages.ALL).run()
    assert engine.asked[-1].model is None


def test_a_typo_is_mended_and_said(browse):
    at = browse()
    at.text_input(key="query").set_value("shampo").run()
    text = said(at)
    assert "The best 8 for “<bdi>shampo</bdi>”" in text
    assert "Showing results for <b>shampoo</b>" in text
    assert shown(at, "found")[0] == "p30"
    at.text_input(key="query").set_value("").run()
    assert shown(at, "home")


def test_a_search_without_any_sense_shows_something_else(browse):
    at = browse(page="search", q="qqq<b>")
    text = said(at)
    assert "Nothing for “<bdi>qqq&lt;b&gt;</bdi>”" in text
    assert shown(at, "instead")
    assert at.text_input(key="query").value == "qqq<b>"


def test_a_search_that_is_refused_says_why(browse):
    assert "q is too long" in said(browse(page="search", q="x" * 101))


def test_every_pick_changes_the_list_and_nothing_is_written_down(browse, engine):
    at = browse(page="pick")
    assert fine(at)
    assert "after 0 picks" in said(at)
    assert shown(at, "picks")[0] == "p15"
    assert shown(at, "pick")[:3] == ["p15", "p0", "p30"]
    at.button(key="open-pick-p30").click().run()
    assert "after 1 pick" in said(at)
    assert engine.asked[-1].session == ("p30",)
    assert shown(at, "picks") == ["p31", "p32", "p33", "p34"]
    assert "New since your last pick" in said(at)
    at.button(key="open-pick-p0").click().run()
    assert shown(at, "picks")[0] == "p1"
    at.button(key="open-pick-p0").click().run()
    assert engine.asked[-1].session == ("p30",)
    at.button(key="others").click().run()
    assert shown(at, "pick")[0] != "p15" and len(shown(at, "pick")) == K
    at.button(key="none").click().run()
    assert "after 0 picks" in said(at)
    assert engine.events == []
    assert {ask.user for ask in engine.asked} <= {at.session_state["visitor"], at.session_state["visitor"] + "-picks"}


def test_being_forgotten_takes_a_tick_and_shows_what_went(browse, engine):
    at = browse()
    at.button(key="like-home-p3").click().run()
    at.button(key="to-you").click().run()
    assert at.button(key="forget").disabled
    at.checkbox(key="sure").check().run()
    at.button(key="forget").click().run()
    text = said(at)
    assert fine(at)
    assert engine.events == [] and at.session_state["clicks"] == {}
    assert "You are forgotten here" in text and "<td>events</td><td>1</td>" in text
    assert "<td>artifact v1</td><td>weights: 3</td>" in text
    assert "no trace was found" in text
    assert at.button(key="forget").disabled
    at.button(key="to-home").click().run()
    assert "Popular right now" in said(at)


@pytest.mark.parametrize("error, words", [(KeyMissing("k"), "RECO_ADMIN_KEY"), (Unavailable("u"), "please ask again")])
def test_who_cannot_be_forgotten_is_told_why(browse, engine, error, words):
    def refuse(user):
        raise error

    engine.forget = refuse
    at = browse(page="you")
    at.checkbox(key="sure").check().run()
    at.button(key="forget").click().run()
    assert fine(at)
    assert words in said(at)
    assert "You are forgotten" not in said(at)


def test_a_shop_that_does_not_answer_is_a_kind_page_until_it_is_back(browse, engine):
    engine.down = {"recommend"}
    at = browse()
    assert not at.exception
    assert "We are closed for a moment" in said(at) and "python -m reco_utils serve" in said(at)
    engine.down = set()
    at.button(key="again").click().run()
    assert fine(at)
    assert shown(at, "home")


def test_a_click_while_the_shop_is_down_is_no_exception(browse, engine):
    at = browse()
    engine.down = {"recommend", "log"}
    at.button(key="open-home-p3").click().run()
    assert not at.exception
    assert "We are closed" in said(at)


def test_without_the_event_log_a_click_counts_for_this_visit(browse, engine):
    at = browse()
    engine.down = {"log"}
    at.button(key="like-home-p3").click().run()
    assert fine(at)
    assert "could not be written down" in said(at)
    assert engine.asked[-1].session == ("p3",)


def test_a_fault_inside_is_told_without_a_word_of_the_inside(browse, engine):
    engine.recommend = lambda ask: 1 / 0
    at = browse()
    assert not at.exception
    assert "something went wrong here" in said(at)
    assert "ZeroDivision" not in said(at) and "Traceback" not in said(at)


def test_neither_api_nor_home_says_what_to_do(monkeypatch):
    for name in ("RECO_API", "RECO_HOME"):
        monkeypatch.delenv(name, raising=False)
    at = AppTest.from_function(page, default_timeout=20).run()
    assert not at.exception
    assert "RECO_API" in said(at) and "RECO_HOME" in said(at)


def test_a_degraded_answer_is_a_quiet_word(browse, engine):
    engine.degraded = ("cache", "model", "<new>")
    at = browse()
    assert fine(at)
    assert "Part of the shop is resting: lists are made anew each time" in said(at)
    assert "&lt;new&gt; is resting" in said(at)


def test_addresses_that_lead_nowhere(browse):
    assert shown(browse(page="../etc"), "home")
    at = browse(page="item", item="no<such>")
    assert fine(at)
    assert "This product is not here" in said(at)
    at.button(key="back").click().run()
    assert shown(at, "home")


def test_a_sold_out_product_cannot_be_bought(browse, engine):
    engine.rows["p3"]["in_stock"] = False
    at = browse(page="item", item="p3")
    assert "sold out" in said(at)
    assert at.button(key="add-this").disabled and at.button(key="buy-this").disabled


def test_untrusted_text_is_escaped_on_every_page(browse, engine):
    for row in engine.rows.values():
        row |= {"title": EVIL, "description": EVIL, "tags": EVIL, "brand": EVIL}
    engine.item("p3")["category"] = EVIL
    for query in ({}, {"page": "item", "item": "p3"}, {"page": "pick"}, {"page": "search", "q": EVIL}, {"page": "you"}):
        at = browse(**query)
        assert fine(at)
        text = re.sub(r"<script>/\* page \d+ \*/.*?</script>", "", said(at))
        assert "<script" not in text and "\u202e" not in text
        for button in at.button:
            assert "\u202e" not in button.label
            assert ":material/home:" not in button.label and " **bold" not in button.label


def test_rows_without_anything_but_an_id_can_be_shown(browse, engine):
    for item in engine.rows:
        engine.rows[item] = {"item_id": item, "title": None, "category": None, "price": None}
    engine.categories = lambda: ()
    at = browse()
    assert fine(at)
    assert shown(at, "home")
    at.button(key=f"open-home-{shown(at, 'home')[0]}").click().run()
    assert fine(at)
    assert "no title" in said(at)
    at.button(key="back").click().run()
    assert fine(at)
    assert len(at.select_slider) == 0


# -------------------------------------------------------------------------------------------------- experiments
RESULT = {
    "name": "mmr", "question": "Do varied lists sell more?", "source": "simulated shoppers", "verdict": "Keep it.",
    "arms": [{"arm": "control", "users": 1000}],
    "effects": [{"metric": "conversion", "unit": "%", "effect": 0.5, "low": 0.1, "high": 0.9},
                {"metric": "revenue", "effect": -1, "low": -2, "high": 1}],
    "checks": [{"check": "sample ratio", "passed": False, "detail": "p < 0.001"}],
}  # fmt: skip


def test_without_results_the_page_says_so_and_how_to_make_one(browse):
    at = browse(page="experiments")
    assert "There are no results of experiments yet." in said(at)
    assert '"effects"' in at.code[0].value
    assert not re.search(r"\d", at.code[0].value)


def test_results_are_shown_with_their_intervals_and_failed_checks(browse, tmp_path):
    folder = tmp_path / "experiments"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(RESULT))
    (folder / "b.json").write_text("{")
    text = said(browse(page="experiments"))
    assert "Do varied lists sell more?" in text and "simulated shoppers" in text and "control: 1,000 users" in text
    assert "<td>conversion</td><td>+0.5 %</td><td>+0.1 to +0.9</td>" in text
    assert 'alt="0.5, from 0.1 to 0.9"></td><td>better</td>' in text
    assert "no difference shown" in text
    assert "Do not trust this yet: sample ratio p &lt; 0.001" in text
    assert "<code>b.json</code> cannot be read" in text


@pytest.mark.parametrize(
    "change, why",
    [
        ({"effects": []}, "empty"),
        ({"effects": [{"metric": "x", "effect": 2, "low": 0, "high": 1}]}, "low <= effect <= high"),
        ({"effects": [{"metric": "x", "effect": float("nan"), "low": 0, "high": 1}]}, "low <= effect"),
        ({"effects": [{"metric": "x"}]}, "effect is missing"),
        ({"effects": 3}, "not iterable"),
    ],
)
def test_a_result_that_cannot_be_is_refused(tmp_path, change, why):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "a.json").write_text(json.dumps(RESULT | change))
    found, wrong = read_results(tmp_path)
    assert found == []
    assert why in wrong["a.json"]


@pytest.mark.parametrize(
    "low, high, lower_is_better, verdict",
    [(1, 3, False, "better"), (1, 3, True, "worse"), (-3, -1, False, "worse"), (-3, -1, True, "better"),
     (0, 3, False, "no difference shown"), (-3, 0, True, "no difference shown")],
)  # fmt: skip
def test_an_effect_reads_as_its_interval_allows(low, high, lower_is_better, verdict):
    assert Effect("m", (low + high) / 2, low, high, "%", lower_is_better).verdict == verdict


def test_effects_of_one_unit_share_a_scale_that_holds_zero():
    effects = [Effect("a", 2, 1, 5, "%"), Effect("b", -4, -5, -3, "%"), Effect("c", 300, 100, 500, "g")]
    assert window.spans(effects) == {"%": (-5.8, 5.8), "g": (-40.0, 540.0)}
    assert window.spans([Effect("a", 0, 0, 0)]) == {"": (-1.0, 1.0)}


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "experiments").mkdir()
    for name in ("notes.txt", ".half.json", "table.parquet"):
        (tmp_path / "experiments" / name).write_text("no result")
    assert read_results(tmp_path) == read_results(None) == read_results(tmp_path / "nowhere") == ([], {})


# -------------------------------------------------------------------------------------------------------- pictures
def test_a_picture_is_the_same_every_time_and_depends_on_title_category_and_id():
    pictures.picture.cache_clear()
    first = pictures.picture("Brand tent, rust", "Outdoor", "p1")
    pictures.picture.cache_clear()
    assert first == pictures.picture("Brand tent, rust", "Outdoor", "p1")
    others = {
        pictures.picture("Brand tent, olive", "Outdoor", "p1"),
        pictures.picture("Brand tent, rust", "Toys", "p1"),
        pictures.picture("Brand tent, rust", "Outdoor", "p2"),
    }
    assert len({first} | others) == 4
    assert pictures.COLOURS["rust"] in first


@pytest.mark.parametrize("title", [EVIL, "", "\ud800 half", "مرحبا بالعالم", "]]><!--", "&amp;", "{a}{0}%s"])
def test_a_picture_of_any_title_is_well_formed_and_holds_nothing_that_runs_or_loads(title):
    root = ET.fromstring(pictures.picture(title, title, title))
    tags = {element.tag.split("}")[1] for element in root.iter()}
    assert tags <= {"svg", "title", "rect", "circle", "ellipse", "path", "g", "text"}
    names = {name for element in root.iter() for name in element.attrib}
    assert not any("href" in name or name.startswith("on") or name == "style" for name in names)
    assert "url(" not in ET.tostring(root, encoding="unicode")
    assert pictures.as_data_uri(pictures.picture(title, title, title)).startswith("data:image/svg+xml;base64,")


def test_every_thing_the_built_in_shop_sells_has_a_shape():
    lines = [line for shelf in SHELVES.values() for line in shelf.split("\n") if "|" in line]
    nouns = [line.split("|")[0].strip() for line in lines]
    assert len(nouns) > 150
    assert [noun for noun in nouns if pictures.shape_of(f"Brand {noun}, 2 l") is None] == []


@pytest.mark.parametrize(
    "title, category, shape",
    [
        ("Honeydrop dog shampoo, 2 l", "", "pump"),
        ("Brand honey, 250 g", "", "jar"),
        ("A tent, and a mug", "", "tent"),
        ("Toy Story (1995)", "Animation|Comedy", "film"),
        ("Contents unknown", "", None),
        ("intent and capital", "", None),
    ],
)
def test_the_word_that_names_the_thing_decides_its_shape(title, category, shape):
    assert pictures.shape_of(title, category) == shape


def test_things_without_a_shape_show_their_initials():
    assert ">CU</text>" in pictures.picture("contents unknown")
    assert ">?</text>" in pictures.picture("...")


def test_every_shape_that_is_called_for_is_drawn():
    assert {shape for shape, _ in pictures.CALLS} <= set(pictures.SHAPES)
    for shape in pictures.SHAPES.values():
        ET.fromstring(f"<svg>{re.sub('var[(]--[adlwk][)]', '#000000', shape)}</svg>")


# -------------------------------------------------------------------------------------------------- words and looks
def luminance(colour: str) -> float:
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    parts = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(parts @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_of_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme, at", [(storefront.LIGHT, 0), (storefront.DARK, 1)])
def test_text_stands_out_in_light_and_dark(scheme, at):
    pairs = re.findall(r"--(\w+): light-dark\(([^)]*)\)", app.STYLE.read_text(encoding="utf-8"))
    pairs = {name: value.split(",")[at].strip() for name, value in pairs}
    grounds = (scheme["backgroundColor"], scheme["secondaryBackgroundColor"], pairs["paper"])
    for text in (scheme["textColor"], scheme["linkColor"], pairs["ink"], pairs["mute"]):
        assert min(contrast(text, ground) for ground in grounds) >= 4.5
    assert contrast(scheme["primaryColor"], "#ffffff") >= 4.5
    assert contrast("#8c3b2e", "#ffffff") >= 4.5  # badges


def test_nothing_is_fetched_from_elsewhere():
    sheet = app.STYLE.read_text(encoding="utf-8")
    assert "url(" not in sheet and "@import" not in sheet and "http" not in sheet


def test_labels_carry_no_markdown_icons_or_colours():
    assert window.label("a*b_c") == "\u2068a\\*b\\_c\u2069"
    assert window.label(":red[x]") == "\u2068:\u2060red\\[x\\]\u2069"
    assert window.label("  \u202e ") == "\u2068\\(no title\\)\u2069"
    assert len(window.label("x" * 500)) == 92


@pytest.mark.parametrize(
    "seconds, words",
    [(0, "just now"), (59, "59 seconds ago"), (60, "1 minute ago"), (7_300, "2 hours ago"), (2e5, "2 days ago")],
)
def test_ages_are_in_the_largest_unit(seconds, words):
    assert window.ago(seconds) == words


def test_prices_are_written_as_in_a_shop():
    assert [window.price(p, "£") for p in (1234.5, 0, None, float("nan"))] == ["£1,234.50", "£0.00", "", ""]


def test_changes_name_what_came_went_and_rose():
    found = window.changes(["a", "b", "c", "d"], ["d", "a", "x", "b"])
    assert (found.came, found.went, found.rose) == (("x",), ("c",), ("d",))
    assert not window.changes(["a", "b"], ["b", "a"])
    words = window.changes_in_words(found, {"x": {"title": "Tea <b>, 1 kg"}}, "you bought it")
    assert words == (
        "<b>Your list has changed</b> because you bought it. 1 new product: <bdi>Tea &lt;b&gt;</bdi>; 1 moved up."
    )


def test_a_search_is_explained_in_sentences():
    understood = {
        "corrected": {"mgu": "mug"},
        "unknown": ["zz", "<i>"],
        "words": ["mug"],
        "relaxed": ["price", "words"],
        "filters": {"brand": "A&B", "price": [5, 20]},
    }
    assert window.understood_words(understood) == [
        "Showing results for <b>mug</b>; nothing here is called “mgu”.",
        "Left out “zz” and “&lt;i&gt;”: no product says so.",
        "Only <b>A&amp;B</b> and from €5.00 to €20.00.",
        "Nothing fits all of it, so the price does not count here.",
        "No product has all of these words; these have some of them.",
    ]
    assert window.understood_words({}) == []


def test_models_and_steps_have_names_for_people():
    assert window.model_words("") == "Everything together"
    assert window.model_words("two_tower") == "Two tower"
    assert window.step_words("<x>") == "&lt;x&gt;"


# ---------------------------------------------------------------------------------------------------- the process
def test_the_command_serves_quietly_on_its_address_with_home_and_api():
    argv = storefront.command("http://127.0.0.1:8000", "127.0.0.1", 8501, home="runs/x")
    assert argv[1:4] == ["-m", "streamlit", "run"]
    wanted = {
        "--server.address=127.0.0.1",
        "--server.port=8501",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
        "--server.fileWatcherType=none",
        "--client.showErrorDetails=none",
    }
    assert wanted <= set(argv)
    assert argv[argv.index("--") + 1 :] == ["--api", "http://127.0.0.1:8000", "--home", "runs/x"]
    assert app.where(argv[argv.index("--") + 1 :], {}) == ("http://127.0.0.1:8000", "runs/x")


def test_every_option_of_the_command_exists_in_streamlit():
    from streamlit import config

    assert set(storefront.OPTIONS) <= set(config.get_config_options())


def test_a_command_without_any_shop_is_refused():
    with pytest.raises(ValueError, match="needs api_url, or home"):
        storefront.command(None, "127.0.0.1", 8501)


def test_arguments_come_before_the_environment_and_others_are_passed_over():
    environment = {"RECO_API": "http://a", "RECO_HOME": "h"}
    assert app.where([], environment) == ("http://a", "h")
    assert app.where(["--api", "http://b", "-x", "tests/y"], environment) == ("http://b", "h")
