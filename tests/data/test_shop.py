"""The built-in shop: its tables, the truth behind them, and the response model that made them."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import EVENT, ITEM, TIME, USER
from reco_utils.data.schema import canonical
from reco_utils.data.shop import END, SIZES, START, make_shop
from reco_utils.data.shop_catalog import STYLE_NAMES
from reco_utils.data.shop_tastes import ResponseModel, ShopTastes
from reco_utils.data.shop_words import BRANDS, CARE, STYLES, SUITS, read_shelves, words


@pytest.fixture(scope="module")
def shop():
    return make_shop("small")


@pytest.fixture(scope="module")
def medium():
    return make_shop()


def make_tastes(prices=(10.0, 10.0, 10.0), model=None):
    """Two shoppers (one thrifty) and three items that differ in one factor each: rugged, appeal, price."""
    return ShopTastes(
        pd.Index(["ann", "bob"]), pd.Index(["boot", "hit", "gem"]), ("rugged", "appeal", "price"),
        user_factors=np.array([[2.0, 1.0, -0.5], [-1.0, 1.0, -3.0]]),
        user_drift=np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        item_factors=np.array([[1.0, 0.0, 0.0], [0.0, 1.5, 0.0], [0.0, 0.0, 1.0]]),
        prices=np.array(prices), consumable=np.array([False, False, False]), user_device=np.array([0, 1], np.int8),
        start=START, end=END, bots=pd.Index([]), flat_raters=pd.Index([]), model=model or ResponseModel(),
    )  # fmt: skip


def digest(tables):
    """A fingerprint of whole numbers, cents and text only: nothing in it depends on the last bit of a float."""
    events, catalog, profiles = tables.events, tables.catalog, tables.profiles
    numbers = [
        events[USER].cat.codes, events[ITEM].cat.codes, events["session_id"].cat.codes, events[TIME].astype("int64"),
        (events["value"].fillna(0) * 100).round(), events["quantity"].fillna(0), events["rating"].fillna(0),
        events["dwell_ms"].fillna(0), (catalog["price"] * 100).round(), catalog["created_at"].astype("int64"),
        catalog["in_stock"].astype(int), profiles["age"].fillna(0), profiles["signup_at"].astype("int64"),
    ]  # fmt: skip
    found = hashlib.sha256()
    for column in numbers:
        found.update(np.ascontiguousarray(column.to_numpy(), dtype="<i8").tobytes())
    for column in (events[EVENT], events["device"], catalog["title"], catalog["description"], catalog["tags"]):
        found.update("\n".join(column.astype(object).where(column.notna(), "")).encode())
    return found.hexdigest()


# ------------------------------------------------------------------------------------------------------ the tables
def test_the_tables_pass_the_gate_again_unchanged(shop):
    again = canonical("shop", shop.events, shop.catalog, shop.profiles, defaults=shop.defaults, asof=END)
    pd.testing.assert_frame_equal(again.events, shop.events)
    pd.testing.assert_frame_equal(again.catalog, shop.catalog)
    pd.testing.assert_frame_equal(again.profiles, shop.profiles)


@pytest.mark.parametrize("size", ["small", "medium"])
def test_sizes_are_as_named(size, shop, medium):
    tables = {"small": shop, "medium": medium}[size]
    assert (len(tables.profiles), len(tables.catalog)) == SIZES[size]
    assert tables.name == "shop" and tables.tastes is not None


def test_medium_is_the_default_and_has_the_promised_volume(medium):
    assert 150_000 < len(medium.events) < 400_000


@pytest.mark.parametrize("size", ["huge", "Medium", None, 3])
def test_an_unknown_size_is_refused(size):
    with pytest.raises(ValueError, match=r"size must be one of \['small', 'medium', 'large'\], got"):
        make_shop(size)


def test_it_offers_every_feed(shop):
    feeds = {"text", "category", "brand", "price", "funnel", "ratings", "sessions", "demographics", "revenue"}
    assert shop.offers == feeds


def test_the_same_seed_gives_the_same_shop(shop):
    assert digest(make_shop("small", seed=0)) == digest(shop)


def test_another_seed_gives_another_shop(shop):
    other = make_shop("small", seed=1)
    assert digest(other) != digest(shop)
    assert other.catalog["title"].tolist() != shop.catalog["title"].tolist()


def test_seed_0_is_the_same_shop_on_every_machine(shop):
    """Frozen: whole numbers, cents and text only (see `digest`). Change it when the shop is changed on purpose."""
    assert digest(shop)[:16] == "da28f2080d667a27"


def test_the_period_is_the_180_days_to_june_30(medium):
    assert medium.events[TIME].min() >= START and medium.events[TIME].max() <= END
    assert END == pd.Timestamp("2025-06-30 23:59:59") and (END - START).days == 179
    assert medium.events[TIME].dt.normalize().nunique() == 180


# --------------------------------------------------------------------------------------------------------- events
def test_each_step_in_a_session_follows_the_one_before(medium):
    events = medium.events[medium.events[EVENT] != "rating"]
    keys = ["session_id", ITEM]
    first = events.groupby([*keys, EVENT], observed=True)[TIME].min().unstack()
    for before, after in (("view", "click"), ("click", "add_to_cart"), ("add_to_cart", "purchase")):
        reached = first[first[after].notna()]
        assert len(reached) and (reached[before] < reached[after]).all(), after


def test_a_session_has_one_user_and_one_device(medium):
    sessions = medium.events.dropna(subset="session_id").groupby("session_id", observed=True)
    assert sessions[USER].nunique().eq(1).all() and sessions["device"].nunique().eq(1).all()


def test_nothing_happens_before_the_item_or_the_user_is_there(medium):
    created = medium.catalog.set_index(ITEM)["created_at"]
    signup = medium.profiles.set_index(USER)["signup_at"]
    assert (medium.events[TIME] >= medium.events[ITEM].astype(object).map(created)).all()
    assert (medium.events[TIME] >= medium.events[USER].astype(object).map(signup)).all()


def test_only_a_purchase_has_revenue_and_it_is_price_times_quantity(medium):
    sold = medium.events[EVENT] == "purchase"
    assert medium.events.loc[~sold, ["value", "quantity"]].isna().all().all()
    price = medium.events.loc[sold, ITEM].astype(object).map(medium.catalog.set_index(ITEM)["price"])
    sold = medium.events[sold]
    np.testing.assert_allclose(sold["value"], price * sold["quantity"], atol=0.005)
    assert set(sold["quantity"]) == {1, 2, 3}


def test_stars_are_whole_and_follow_preference(medium):
    rated = medium.events[(medium.events[EVENT] == "rating") & ~medium.events[USER].isin(medium.tastes.flat_raters)]
    assert set(rated["rating"]) == {1, 2, 3, 4, 5}
    liking = medium.tastes.preference(rated[USER], rated[ITEM])
    assert np.corrcoef(liking, rated["rating"])[0, 1] > 0.4


def test_flat_raters_give_five_stars_to_everything(medium):
    rated = medium.events[(medium.events[EVENT] == "rating") & medium.events[USER].isin(medium.tastes.flat_raters)]
    assert (rated["rating"] == 5).all()
    assert rated.groupby(USER, observed=True).size().median() >= 8


def test_bots_view_hundreds_of_items_in_minutes_and_buy_nothing(medium):
    visits = medium.events[medium.events[USER].isin(medium.tastes.bots)].groupby("session_id", observed=True)
    assert set(medium.events[medium.events[USER].isin(medium.tastes.bots)][EVENT]) == {"view"}
    assert visits.size().median() > 200
    assert (visits[TIME].max() - visits[TIME].min()).max() < pd.Timedelta(minutes=20)
    people = medium.events[~medium.events[USER].isin(medium.tastes.bots)].dropna(subset="session_id")
    assert people.groupby("session_id", observed=True).size().max() < 60


def test_some_clicks_are_counted_twice_within_half_a_second(medium):
    clicks = medium.events[medium.events[EVENT] == "click"]
    gap = clicks.groupby([USER, ITEM], observed=True)[TIME].diff()
    assert 0.01 < (gap < pd.Timedelta(seconds=0.5)).mean() < 0.02


def test_thrifty_users_buy_cheaper_items(medium):
    sold, price = medium.events[medium.events[EVENT] == "purchase"], medium.tastes.factor("price")
    thrift = -medium.tastes.user_factors[sold[USER].cat.codes, price]
    level = medium.tastes.item_factors[sold[ITEM].cat.codes, price]
    low, high = np.quantile(thrift, [0.25, 0.75])
    assert (thrift > 0).all() and level[thrift > high].mean() < level[thrift < low].mean() - 0.05


def test_used_up_goods_are_bought_again_more_often_than_others(medium):
    sold = medium.events[medium.events[EVENT] == "purchase"]
    again = sold.duplicated([USER, ITEM])
    used_up = medium.tastes.consumable[sold[ITEM].cat.codes]
    assert again[used_up].mean() > 3 * again[~used_up].mean()


def test_a_time_cut_leaves_cold_users_and_cold_items(medium):
    cut = END - pd.Timedelta(days=28)
    late = medium.events[(medium.events[TIME] > cut) & (medium.events[EVENT] == "purchase")]
    early = medium.events[medium.events[TIME] <= cut]
    warm = late[USER].isin(early[USER].unique())
    assert late[USER][warm].nunique() > 1000 and late[USER][~warm].nunique() > 50
    assert late[ITEM][~late[ITEM].isin(early[ITEM].unique())].nunique() > 20


def test_some_items_are_days_old_some_sold_out_some_never_sold(shop, medium):
    for tables in (shop, medium):
        fresh = tables.catalog["created_at"] > END - pd.Timedelta(days=7)
        assert fresh.sum() >= 3
        sold = tables.events[tables.events[EVENT] == "purchase"][ITEM]
        assert not tables.catalog[ITEM].isin(sold).all()
        gone = tables.catalog[~tables.catalog["in_stock"]][ITEM]
        assert 0.02 < len(gone) / len(tables.catalog) < 0.06 and tables.events[ITEM].isin(gone).any()


def test_sundays_are_busier_than_fridays(medium):
    starts = medium.events.drop_duplicates("session_id")[TIME]
    by_day = starts.dt.day_of_week.value_counts()
    assert by_day[6] > 1.2 * by_day[4]


# ------------------------------------------------------------------------------------------------------------ text
def test_titles_are_unique_and_name_the_brand(medium):
    assert medium.catalog["title"].is_unique
    assert all(title.startswith(brand) for title, brand in zip(medium.catalog["title"], medium.catalog["brand"]))


def test_some_descriptions_and_tags_are_missing(medium):
    assert 0.04 < medium.catalog["description"].isna().mean() < 0.12
    assert 0.02 < medium.catalog["tags"].isna().mean() < 0.08


def test_a_style_word_speaks_of_the_style_factor_but_not_always(medium):
    for style in STYLE_NAMES:
        column = medium.tastes.item_factors[:, medium.tastes.factor(style)]
        named = medium.catalog["tags"].fillna("").str.contains(style).to_numpy()
        top = medium.tastes.item_factors[:, [medium.tastes.factor(s) for s in STYLE_NAMES]].argmax(1)
        assert column[named].mean() > column[~named].mean() + 0.5, style
        assert 0.3 < (top[named] == STYLE_NAMES.index(style)).mean() < 0.98, style


def test_people_who_like_a_style_prefer_the_items_that_name_it(medium):
    tastes, rng = medium.tastes, np.random.default_rng(0)
    fans = np.argsort(-tastes.user_factors[:, tastes.factor("rugged")])[:200]
    named = np.flatnonzero(medium.catalog["tags"].fillna("").str.contains("rugged"))
    others = np.flatnonzero(~medium.catalog["tags"].fillna("").str.contains("rugged"))
    liked = tastes.preference_at(fans, rng.choice(named, 200)).mean()
    assert liked > tastes.preference_at(fans, rng.choice(others, 200)).mean() + 0.3


def test_prices_are_long_tailed_and_end_as_in_a_shop(medium):
    cents = (medium.catalog["price"] * 100).round().astype(int) % 100
    assert set(cents) == {99, 95, 50, 0}
    assert medium.catalog["price"].mean() > 1.3 * medium.catalog["price"].median()


def test_every_shelf_can_be_read():
    shelves = read_shelves()
    assert len(shelves) == 50 and all(len(s.products) == 4 for s in shelves)
    assert set(BRANDS) == set(SUITS) == set(CARE) and all(len(words(b)) == 7 for b in BRANDS.values())
    assert all(set(words(s)) <= set(STYLES) for s in SUITS.values())
    assert all(p.price > 0 and all([*p.materials, *p.sizes]) for s in shelves for p in s.products)


# ------------------------------------------------------------------------------------------------------ preference
def test_preference_is_the_dot_product_by_hand():
    tastes = make_tastes()
    found = tastes.preference(["ann", "ann", "bob", "bob"], ["boot", "gem", "hit", "gem"])
    assert found.tolist() == [2.0, -0.5, 1.5, -3.0]


def test_preference_in_the_shop_is_the_dot_product(shop):
    tastes, pairs = shop.tastes, [(0, 0), (17, 299), (499, 42)]
    expected = [sum(a * b for a, b in zip(tastes.user_factors[u], tastes.item_factors[i])) for u, i in pairs]
    users, items = [tastes.users[u] for u, _ in pairs], [tastes.items[i] for _, i in pairs]
    np.testing.assert_allclose(tastes.preference(users, items), expected, atol=1e-6)


def test_tastes_drift_in_a_straight_line():
    tastes = make_tastes()
    middle = START + (END - START) / 2
    times = [START - pd.Timedelta(days=9), START, middle, END, END + pd.Timedelta(days=9)]
    found = [tastes.preference(["ann"], ["boot"], at=t)[0] for t in times]
    assert found == [1.0, 1.0, 1.5, 2.0, 2.0]
    assert tastes.preference(["ann"] * 2, ["boot"] * 2, at=times[1:3]).tolist() == [1.0, 1.5]


def test_padding_has_no_preference():
    found = make_tastes().preference_at([0, 1], np.array([[0, -1], [-1, 2]]))
    np.testing.assert_equal(found, [[2.0, np.nan], [np.nan, -3.0]])


def test_no_pairs_give_no_preferences():
    assert make_tastes().preference([], []).shape == (0,)


@pytest.mark.parametrize(("users", "items", "word"), [(["eve"], ["hit"], "user id"), (["ann"], ["hat"], "item id")])
def test_a_stranger_has_no_preference(users, items, word):
    with pytest.raises(KeyError, match=f"unknown {word}"):
        make_tastes().preference(users, items)


def test_users_and_items_must_be_pairs():
    with pytest.raises(ValueError, match="pairs, got 2 users and 1 items"):
        make_tastes().preference(["ann", "bob"], ["hit"])


def test_a_factor_is_found_by_name():
    assert make_tastes().factor("appeal") == 1
    with pytest.raises(KeyError, match="no factor named 'blue'; the shop has"):
        make_tastes().factor("blue")


def test_demographics_tell_a_little_about_tastes(medium):
    band = pd.cut(medium.profiles["age"], [0, 30, 45, 60, 99]).cat.codes.to_numpy()
    tastes = medium.tastes.user_factors[:, :18]
    between = sum((band == b).sum() * (tastes[band == b].mean(0) - tastes.mean(0)) ** 2 for b in range(4))
    share = between.sum() / ((tastes - tastes.mean(0)) ** 2).sum()
    assert 0.01 < share < 0.2


# ------------------------------------------------------------------------------------------------------- responses
def test_chances_are_the_documented_formulas_by_hand():
    model = ResponseModel(
        decay=(1.0, 0.5, 0.0), click_base=0.0, cart_base=np.log(3), cart_slope=0.0, buy_base=0.0, buy_slope=0.0,
        buy_shift=(0.0, -np.log(3), 0.0),
    )  # fmt: skip
    chances = make_tastes(model=model).chances_at(np.array([0, 1]), np.array([[1, 1, 1, -1], [1, 1, 1, 1]]))
    np.testing.assert_allclose(chances.examine, [[1, 1 / 2, 1 / 3, 0], [1, 2**-0.5, 3**-0.5, 0.5]], atol=1e-6)
    np.testing.assert_allclose(chances.click[1], 1 / (1 + np.exp(-1.5)), atol=1e-6)
    np.testing.assert_allclose(chances.cart[1], 0.75, atol=1e-6)
    np.testing.assert_allclose(chances.buy[:, 0], [0.5, 0.25], atol=1e-6)


def test_position_bias_falls_with_rank():
    item = np.ones((20_000, 8), int)
    response = make_tastes().respond_at(np.zeros(20_000, int), item, rng=np.random.default_rng(0))
    seen = response.examined.mean(0)
    assert seen[0] == 1 and (np.diff(seen) < 0).all()
    np.testing.assert_allclose(seen, np.arange(1, 9) ** -0.40, atol=0.015)
    clicks = response.clicked.sum(0) / response.examined.sum(0)
    np.testing.assert_allclose(clicks, 1 / (1 + np.exp(3.0 - 1.5)), atol=0.02)


def test_ranks_say_where_an_item_stood():
    chances = make_tastes().chances_at(np.array([0]), np.array([[1, 1]]), ranks=[16, 1])
    np.testing.assert_allclose(chances.examine, [[16**-0.4, 1.0]], atol=1e-6)


def test_dear_items_are_bought_less_by_thrifty_shoppers():
    tastes, n = make_tastes(model=ResponseModel(click_base=1.0)), 50_000
    rng = np.random.default_rng(0)
    bought = [tastes.respond_at(np.full(n, u), np.full((n, 1), 2), rng=rng).purchased.mean() for u in (0, 1)]
    assert bought[0] > 3 * bought[1] > 0


def test_what_has_appeal_is_clicked_more():
    clicks = make_tastes().chances_at(np.array([1]), np.array([[0, 1]])).click[0]
    assert clicks[1] > clicks[0]


def test_each_step_needs_the_one_before(shop):
    tastes, rng = shop.tastes, np.random.default_rng(0)
    users, items = rng.integers(0, 500, 3000), rng.integers(-1, 300, (3000, 10))
    response = tastes.respond_at(users, items, rng=rng)
    assert (response.examined >= response.clicked).all() and (response.clicked >= response.carted).all()
    assert (response.carted >= response.purchased).all() and response.purchased.any()
    assert not response.examined[items < 0].any()
    np.testing.assert_array_equal(response.quantity > 0, response.purchased)
    np.testing.assert_array_equal(response.dwell_ms > 0, response.clicked)
    expected = np.where(response.purchased, tastes.prices[items] * response.quantity, 0.0)
    np.testing.assert_allclose(response.revenue, expected, atol=0.005)


def test_ids_and_positions_give_the_same_response():
    tastes = make_tastes()
    by_id = tastes.respond(["ann", "bob"], [["hit", "gem"], ["boot", None]], rng=np.random.default_rng(3))
    by_position = tastes.respond_at(np.array([0, 1]), np.array([[1, 2], [0, -1]]), rng=np.random.default_rng(3))
    for name, array in vars(by_id).items():
        np.testing.assert_array_equal(array, getattr(by_position, name))


def test_the_same_generator_state_gives_the_same_response(shop):
    users, items = np.arange(100), np.arange(200).reshape(100, 2)
    first, second = (shop.tastes.respond_at(users, items, rng=np.random.default_rng(5)) for _ in range(2))
    for name, array in vars(first).items():
        np.testing.assert_array_equal(array, getattr(second, name))


def test_nobody_and_empty_lists_give_empty_responses():
    tastes, rng = make_tastes(), np.random.default_rng(0)
    assert tastes.respond_at(np.empty(0, int), np.empty((0, 3), int), rng=rng).clicked.shape == (0, 3)
    assert tastes.respond_at(np.array([0]), np.empty((1, 0), int), rng=rng).clicked.shape == (1, 0)
    assert not tastes.respond_at(np.array([0]), np.full((1, 3), -1), rng=rng).examined.any()


def test_phones_look_less_far_down_and_buy_less():
    tastes, user, item = make_tastes(), np.array([0, 0]), np.ones((2, 5), int)
    chances = tastes.chances_at(user, item, device=["desktop", "mobile"])
    assert (chances.examine[1, 1:] < chances.examine[0, 1:]).all() and (chances.buy[1] < chances.buy[0]).all()
    own = tastes.chances_at(np.array([0, 1]), item).examine
    np.testing.assert_array_equal(own, chances.examine)  # ann has a desktop, bob a phone


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match=r"device must be one of \['desktop', 'mobile', 'tablet'\], got 'watch'"):
        make_tastes().chances_at(np.array([0]), np.array([[1]]), device="watch")


def test_rank_0_and_lists_of_another_length_are_refused():
    with pytest.raises(ValueError, match="ranks count from 1, got 0"):
        make_tastes().chances_at(np.array([0]), np.array([[1]]), ranks=[0])
    with pytest.raises(ValueError, match=r"items must be \(shoppers, K\) with 2 shoppers, got \(1, 1\)"):
        make_tastes().chances_at(np.array([0, 1]), np.array([[1]]))


# --------------------------------------------------------------------------------------------- what can be learned
def test_the_truth_ranks_better_than_popularity_and_popularity_better_than_chance(medium):
    cut, tastes = END - pd.Timedelta(days=28), medium.tastes
    sold = medium.events[medium.events[EVENT] == "purchase"]
    late = sold[sold[TIME] > cut].head(1500)
    counts = np.bincount(sold[sold[TIME] <= cut][ITEM].cat.codes, minlength=len(tastes.items))
    users, bought = late[USER].cat.codes.to_numpy(), late[ITEM].cat.codes.to_numpy()
    n_items = np.arange(len(tastes.items))
    liking = np.stack([tastes.preference_at(np.full(len(n_items), u), n_items) for u in users])
    at = np.arange(len(users))
    by_taste = (liking > liking[at, bought][:, None]).mean(1)
    by_sales = (counts[None, :] > counts[bought][:, None]).mean(1)
    assert by_taste.mean() < 0.6 * by_sales.mean() and by_sales.mean() < 0.8 * 0.5
