"""Search: a formula by hand, words as people type them, prices in words, and lists that are never a crash."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reco_utils.core import Dataset, TopK, recommend
from reco_utils.models.knn import ItemKNNRecommender
from reco_utils.models.popularity import PopularityRecommender
from reco_utils.models.search import CatalogSearch

ROWS = [  # title, category, brand, price, days since it came in; who has it is OWNERS
    ("Norrland frying pan, red", "Kitchen", "Norrland", 40.0, 100),
    ("Copper pan", "Kitchen", "Tavola Verde", 80.0, 100),
    ("Norrland kettle", "Kitchen", "Norrland", 25.0, 100),
    ("Red wool jacket", "Outdoor", "Fjellheim", 120.0, 100),
    ("Kitchen garden seeds", "Garden", "Rootwell", 3.0, 100),
    ("Blue kettle", "Kitchen", "Tavola Verde", 15.0, 3),
]
OWNERS = [[1, 0, 1, 0, 0, 0], [1, 1, 0, 0, 0, 1], [0, 1, 0, 1, 0, 1], [1, 0, 0, 1, 0, 0]]


def with_catalog(data: Dataset, **columns) -> Dataset:
    """The same people and events, with these columns in the catalogue."""
    return replace(data, catalog=pd.DataFrame({"item_id": data.items, **columns}))


@pytest.fixture
def shop(make_data):
    data = make_data(OWNERS)
    title, category, brand, price, days = map(list, zip(*ROWS))
    created = data.asof - pd.to_timedelta(days, unit="D")
    return with_catalog(data, title=title, category=category, brand=brand, price=price, created_at=created)


@pytest.fixture
def search(shop):
    return CatalogSearch().fit(shop)


def found(result, row=0):
    return [int(i) for i in result.items[row] if i >= 0]


# -------------------------------------------------------------------------------------------------------------- prices
def test_a_price_filters_and_items_without_a_price_fail_it(search, shop):
    assert found(search.search("kettle under 20", 9)) == [5]
    assert found(search.search("kettle over 20", 9)) == [2]
    unpriced = with_catalog(shop, title=shop.catalog["title"], price=[np.nan, 80, np.nan, 120, 3, 15])
    assert 2 not in found(CatalogSearch().fit(unpriced).search("kettle under 99", 9))


def test_cheap_is_the_cheapest_third_of_what_is_asked_for(search):
    result = search.search("cheap pan", 9)
    assert found(result) == [0]  # of 40 and 80; the whole shop has cheaper things
    assert result.understood[0].filters == {"price": (0, 40)}
    assert found(search.search("expensive kettle", 9)) == [2]
    assert set(found(search.search("cheap", 9))) == {4, 5}
    assert set(found(search.search("expensive", 9))) == {1, 3}


def test_without_prices_in_the_catalogue_price_words_are_words(shop):
    films = with_catalog(shop, title=["Under Siege", "Up", "Max", "20 to 50", "Cheap Thrills", "Heat"])
    result = CatalogSearch().fit(films).search("under 20", 9)
    assert set(found(result)) == {0, 3}
    assert not result.understood[0].filters


# ---------------------------------------------------------------------------------------------------------- the formula
def test_the_score_is_bm25f_by_hand(make_data):
    data = with_catalog(
        make_data(np.ones((1, 3))), title=["red pan", "red", "blue"], description=["a red red lid", None, "with lid"]
    )
    search = CatalogSearch(weights={"title": 2.0, "description": 1.0}).fit(data)
    # idf of red: 2 of 3 items; lengths 2, 1, 1 in titles (mean 4/3), 4 and 2 in the two descriptions there are (mean 3)
    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    first = 2 * 1 / (0.25 + 0.75 * 2 / (4 / 3)) + 1 * 2 / (0.25 + 0.75 * 4 / 3)
    second = 2 * 1 / (0.25 + 0.75 * 1 / (4 / 3))
    expected = [idf * first / (1.2 + first), idf * second / (1.2 + second), 0]
    row = search.impacts_[search.words_["red"]].toarray()[0]
    assert_allclose(row, expected, rtol=1e-6)
    result = search.search("red", 3)
    assert found(result) == [0, 1]
    assert_allclose(result.notes["relevance"][0, :2], [1, expected[1] / expected[0]], rtol=1e-6)


def test_a_rare_word_counts_more_than_a_common_one(search):
    # both items have one of the two words in a title of two: copper is in one item, kettle in two
    assert found(search.search("copper kettle", 9, new_boost=0))[0] == 1


def test_items_with_all_words_come_first_whatever_anybody_likes(search, shop):
    class Fan:
        def score(self, batch):
            return np.tile(np.float32([0, 1, 1, 1, 1, 1]), (len(batch), 1))

    result = search.search("red pan", 9, batch=shop.batch(["u0"]), model=Fan(), personal_share=1.0)
    assert found(result)[0] == 0
    assert set(found(result)[1:]) == {1, 3}
    assert result.notes["matched"][0, :4].tolist() == [2, 1, 1, -1]
    assert result.scores[0, 0] >= 1 > result.scores[0, 1]


# -------------------------------------------------------------------------------------------------------- understanding
def test_a_misspelt_word_is_read_as_its_neighbour_and_said(search):
    result = search.search("keTTel", 9)
    assert set(found(result)) == {2, 5}
    assert result.understood[0].corrected == {"kettel": "kettle"}
    assert "read kettle for kettel" in str(result.understood[0])


def test_a_brand_filters(search):
    result = search.search("norland kettles", 9)
    assert found(result) == [2]
    understood = result.understood[0]
    assert understood.filters == {"brand": "Norrland"}
    assert understood.words == ("kettle",)
    assert understood.corrected == {"norland": "Norrland".lower()}


def test_a_brand_of_two_words_is_one_name(search):
    assert search.understand("tavola verde").filters == {"brand": "Tavola Verde"}
    assert set(found(search.search("verde tavola", 9))) == {1, 5}


def test_a_category_that_others_speak_of_too_is_only_a_boost(search, shop):
    # four items are of category Kitchen; here one more says kitchen, there two more
    assert search.understand("kitchen").filters == {"category": "Kitchen"}  # 4 of 5
    titles = ["kitchen pan", "pan", "kettle", "kitchen jacket", "kitchen seeds", "kettle"]
    louder = CatalogSearch().fit(replace(shop, catalog=shop.catalog.assign(title=titles)))
    understood = louder.understand("kitchen pan")  # 4 of 6
    assert understood.filters == {}
    assert understood.boosts == {"category": "Kitchen"}
    assert understood.words == ("kitchen", "pan")
    assert set(found(louder.search("kitchen", 9))[:4]) == {0, 1, 2, 5}


def test_small_words_do_not_matter_unless_there_is_nothing_else(search, shop):
    assert found(search.search("the kettle for my", 9)) == found(search.search("kettle", 9))
    films = with_catalog(shop, title=["It", "Up", "The Who", "Heat", "Ran", "M"])
    assert found(CatalogSearch().fit(films).search("it", 9)) == [0]


def test_unknown_words_are_left_out_and_said(search):
    result = search.search("kettle xylophone", 9)
    assert set(found(result)) == {2, 5}
    assert result.understood[0].unknown == ("xylophone",)
    assert result.scores[0, 0] >= 1


# ------------------------------------------------------------------------------------------------------- nothing found
def test_a_price_nothing_has_is_dropped_first(search):
    result = search.search("norrland kettle under 5", 9)
    assert found(result) == [2]
    assert result.understood[0].relaxed == ("price",)
    assert result.understood[0].filters == {"brand": "Norrland"}


def test_then_the_brand_is_dropped(search):
    result = search.search("fjellheim kettle", 9)
    assert set(found(result)) == {2, 5}
    assert result.understood[0].relaxed == ("brand",)


def test_without_any_known_word_people_get_the_popular_list(search):
    result = search.search("xylophone", 9)
    assert result.understood[0].relaxed == ("words",)
    owners = np.sum(OWNERS, axis=0)
    assert owners[found(result)].tolist() == sorted(owners, reverse=True)


def test_words_that_never_meet_give_items_with_some_of_them(search):
    result = search.search("copper jacket", 9)
    assert set(found(result)) == {1, 3}
    assert result.understood[0].relaxed == ()
    assert result.scores[0, 0] < 1


# ------------------------------------------------------------------------------------------------------------ personal
def test_an_empty_query_is_the_models_own_list(search, shop):
    model, batch = ItemKNNRecommender(n_neighbors=5).fit(shop), shop.batch(shop.users)
    own = recommend(model, batch, 3)
    result = search.search("", 3, batch=batch, model=model)
    for mine, theirs in zip(own.items, result.items):
        assert theirs[mine >= 0].tolist() == mine[mine >= 0].tolist()


def test_what_the_model_does_not_know_follows_by_popularity(search, shop):
    class Narrow:
        def score(self, batch):
            return np.tile(np.float32([np.nan, np.nan, np.nan, np.nan, 7, np.nan]), (len(batch), 1))

    result = search.search("", 9, batch=shop.batch(["nobody"]), model=Narrow())
    owners = np.sum(OWNERS, axis=0)
    assert found(result)[0] == 4
    assert owners[found(result)[1:]].tolist() == sorted(np.delete(owners, 4), reverse=True)


def test_only_the_empty_query_hides_what_the_user_has(search, shop):
    batch = shop.batch(["u0"])  # has items 0 and 2
    assert not {0, 2} & set(found(search.search("", 9, batch=batch)))
    assert {0, 2} <= set(found(search.search("", 9, batch=batch, keep_seen=True)))
    assert 2 in found(search.search("kettle", 9, batch=batch))
    assert set(found(search.search("norrland", 9, batch=batch))) == {0, 2}


def test_taste_decides_between_equal_texts_and_a_stranger_gets_the_text_order(search, shop):
    class Likes:
        def score(self, batch):
            return np.where(batch.at[:, None] < 0, np.nan, np.float32([0, 9, 0, 0, 0, 0])[None]).astype(np.float32)

    batch = shop.batch(["u0", "nobody"])
    plain = found(search.search("pan", 2))
    result = search.search("pan", 2, batch=batch, model=Likes(), personal_share=0.9)
    assert found(result, 0) == [1, 0]
    assert found(result, 1) == plain
    assert np.isnan(result.notes["personal"][1]).all()


def test_a_share_of_0_is_the_same_list_for_everybody(search, shop):
    model, batch = PopularityRecommender().fit(shop), shop.batch(["u0", "u3"])
    result = search.search("kettle", 2, batch=batch, model=model, personal_share=0)
    assert found(result, 0) == found(result, 1) == found(search.search("kettle", 2))


def test_a_new_item_rises_by_its_boost_and_only_while_it_is_new(search, shop):
    assert found(search.search("kettle", 2, new_boost=0)) == [2, 5]  # equal texts: by position
    assert found(search.search("kettle", 2)) == [5, 2]
    old = replace(shop, catalog=shop.catalog.assign(created_at=pd.NaT))
    plain = CatalogSearch().fit(old).search("kettle", 2, new_boost=0)
    assert_array_equal(plain.items, CatalogSearch().fit(old).search("kettle", 2, new_boost=5).items)


def test_several_queries_and_one_query_by_several_users(search, shop):
    model, batch = PopularityRecommender().fit(shop), shop.batch(["u0", "u1", "nobody"])
    many = search.search(["pan", "", "kettle"], 4, batch=batch, model=model)
    for row, query in enumerate(["pan", "", "kettle"]):
        alone = search.search(query, 4, batch=batch[row : row + 1], model=model)
        assert_array_equal(many.items[row], alone.items[0])
        assert_array_equal(many.scores[row], alone.scores[0])
    assert len(search.search("pan", 4, batch=batch).understood) == 3
    assert len(search.search([], 4)) == 0


def test_items_that_may_not_be_shown_are_not(search):
    allow = np.array([True, True, False, True, True, True])
    assert found(search.search("kettle", 9, allow=allow)) == [5]
    assert found(search.search("kettle", 9, allow=np.zeros(6, bool))) == []


def test_the_result_is_a_topk_with_titles(search, shop):
    result = search.search("kettle", 9)
    assert isinstance(result, TopK)
    assert result.items.dtype == np.int32
    assert result.scores.dtype == np.float32
    assert set(result.to_frame(shop)["title"]) == {"Norrland kettle", "Blue kettle"}
    assert (result.items[0, 2:] == -1).all()
    assert np.isnan(result.scores[0, 2:]).all()
    assert (np.diff(result.scores[0, :2]) <= 0).all()


# ------------------------------------------------------------------------------------------------------------ bad input
@pytest.mark.parametrize(
    "query",
    ["", None, "   ", "🎉🔥", "مصباح أحمر", "'\"\\''", "the of and", "pan " * 10_000, "a" * 100_000, "\x00\ud800",
     "%s {0}",
     "-", "€", "<", "20-", "under", "between 20", "²⅓ pan", "pan' OR 1=1;--", "1e999", "İ", "under " + "9" * 500],
)  # fmt: skip
def test_no_query_is_a_crash(search, shop, query):
    assert found(search.search(query, 6))
    result = search.search(query, 3, batch=shop.batch(["u0", "nobody"]), model=PopularityRecommender().fit(shop))
    assert len(result) == 2


def test_a_long_query_is_read_from_its_beginning(search):
    assert search.understand("kettle " + "pan " * 10_000).words == ("kettle", "pan")
    assert len(search.understand(" ".join(f"w{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(300))).unknown) == 32


@pytest.mark.parametrize("columns", [{}, {"title": [None] * 6}, {"title": [""] * 6, "price": [np.nan] * 6}])
def test_a_catalogue_without_words_gives_the_popular_list(shop, columns):
    result = CatalogSearch().fit(with_catalog(shop, **columns)).search("kettle under 20", 6)
    assert len(found(result)) == 6
    assert result.understood[0].relaxed == ("words",)


def test_a_catalogue_without_items_gives_empty_lists(make_data):
    result = CatalogSearch().fit(make_data(np.zeros((2, 0)))).search("kettle", 3)
    assert found(result) == []
    assert result.items.shape == (1, 3)


def test_category_columns_of_any_dtype_will_do(shop):
    typed = shop.catalog.astype({"brand": "category", "category": "category"})
    typed.loc[3, "brand"] = None
    assert CatalogSearch().fit(replace(shop, catalog=typed)).understand("norrland").filters == {"brand": "Norrland"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"personal_share": 1.5}, r"personal_share must be 0 to 1, got 1.5"),
        ({"new_boost": -1}, r"new_boost must be 0 or more, got -1"),
        ({"allow": np.ones(5, bool)}, r"allow must be bool of shape \(6,\), got \(5,\)"),
        ({"model": PopularityRecommender()}, "pass batch too"),
    ],
)
def test_options_that_mean_nothing_are_refused(search, options, message):
    with pytest.raises(ValueError, match=message):
        search.search("pan", 3, **options)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match=r"weights must be above 0, got {'title': -1}"):
        CatalogSearch(weights={"title": -1})
    with pytest.raises(ValueError, match="new_days must be above 0, got 0"):
        CatalogSearch(new_days=0)
    with pytest.raises(ValueError, match="n_candidates must be at least 1, got 0"):
        CatalogSearch(n_candidates=0)


def test_queries_and_batch_must_fit(search, shop, make_data):
    with pytest.raises(ValueError, match=r"one request per query \(2\), got 3"):
        search.search(["pan", "kettle"], 3, batch=shop.batch(["u0", "u1", "u2"]))
    with pytest.raises(RuntimeError, match="not fitted"):
        CatalogSearch().search("pan", 3)
    with pytest.raises(ValueError, match="was fitted on 6 items, the batch has 2"):
        search.search("pan", 3, batch=make_data([[1, 1]]).batch(["u0"]))
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        search.search("pan", 0)


def test_a_search_survives_pickle_and_deepcopy_and_leaves_the_catalogue_alone(search, shop):
    before = shop.catalog.copy()
    for twin in (pickle.loads(pickle.dumps(search)), copy.deepcopy(search), search.fit(shop)):
        assert_array_equal(twin.search("red pan", 5).items, CatalogSearch().fit(shop).search("red pan", 5).items)
    pd.testing.assert_frame_equal(shop.catalog, before)
