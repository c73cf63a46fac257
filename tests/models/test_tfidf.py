"""Vectors of words: by hand on three titles, against scikit-learn on one field, and on catalogues with holes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import TfidfVectorizer

from reco_utils.models.tfidf import TfidfVectors, top_words, unit_rows

TITLES = ["red oak chair", "red oak table", "blue oak shelf", "Blue steel lamp!"]


def shelf(**columns):
    return pd.DataFrame(columns)


def vectors_of(catalog, **options):
    made = TfidfVectors(**options).fit(catalog)
    return made, made.transform(catalog)


def cosine(vectors, a, b):
    return float((vectors[[a]] @ vectors[[b]].T).toarray()[0, 0])


def test_count_times_idf_then_length_1_by_hand():
    made, vectors = vectors_of(shelf(title=TITLES), weights={"title": 1}, pairs=False)
    assert list(made.words_) == ["blue", "oak", "red"]  # the other words stand in one title only
    red, oak = np.log(5 / 3) + 1, np.log(5 / 4) + 1  # of 4 titles 2 have "red", 3 have "oak"
    assert_allclose(vectors[0].toarray(), [[0, oak / np.hypot(red, oak), red / np.hypot(red, oak)]], rtol=1e-6)
    assert cosine(vectors, 0, 1) == pytest.approx(1)
    assert cosine(vectors, 0, 2) == pytest.approx(oak**2 / (red**2 + oak**2))  # "blue" is as rare as "red"
    assert cosine(vectors, 0, 3) == 0


def test_pairs_of_words_are_columns_of_their_own():
    made, vectors = vectors_of(shelf(title=TITLES), weights={"title": 1})
    assert list(made.words_) == ["blue", "oak", "red", "red oak"]
    assert vectors[0].toarray()[0, 3] > 0
    assert vectors[2].toarray()[0, 3] == 0


@pytest.mark.parametrize("pairs, min_items", [(False, 1), (True, 1), (True, 2)])
def test_one_field_equals_scikit_learn(pairs, min_items):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list("abcdefghij"), rng.integers(1, 12))) for _ in range(60)]
    made, vectors = vectors_of(shelf(description=texts), weights={"description": 2}, pairs=pairs, min_items=min_items)
    theirs = TfidfVectorizer(token_pattern=r"\w+", ngram_range=(1, 1 + pairs), min_df=min_items)
    expected = theirs.fit_transform(texts)[:, [theirs.vocabulary_[word] for word in made.words_]]
    assert vectors.shape == expected.shape
    assert_allclose(vectors.toarray(), expected.toarray(), rtol=1e-5)


def test_fields_are_brought_to_length_1_before_they_are_weighted():
    texts = {"title": ["oak", "elm", "elm"], "description": ["red red red red", "red", "oak"]}
    catalog = shelf(**texts, category=["x", "y", "x"])
    weights = {"title": 2.0, "description": 1.0, "category": 0.5}
    x, y = 0.5 * np.log(4 / 3) / np.log(4 / 2), 0.5  # of 3 items 2 are in x; nothing is rarer than y
    made, vectors = vectors_of(catalog, weights=weights, pairs=False, min_items=1)
    assert list(made.words_) == ["elm", "oak", "red", "category: x", "category: y"]
    whole = np.array([[0, 2, 1, x, 0], [2, 0, 1, 0, y], [2, 1, 0, x, 0]])  # one word a field: its length is 1
    assert_allclose(vectors.toarray(), whole / np.linalg.norm(whole, axis=1, keepdims=True), rtol=1e-6)


def test_a_word_counts_once_per_item_however_many_fields_have_it():
    made, _ = vectors_of(shelf(title=["oak oak", "elm"], tags=["oak", "oak"]), pairs=False, min_items=1)
    assert_allclose(made.idf_, np.log([3 / 2, 3 / 3]) + 1)  # elm in 1 of 2 items, oak in both


def test_other_fields_stand_in_for_a_missing_one():
    catalog = shelf(title=["oak chair", "oak table", "oak bed"], description=["oak", None, np.nan])
    _, vectors = vectors_of(catalog, weights={"title": 1, "description": 1}, pairs=False)
    assert_allclose(vectors.toarray(), 1, rtol=1e-6)


def test_an_item_without_any_known_word_is_empty():
    _, vectors = vectors_of(shelf(title=["oak", "oak", "unique", ""]), pairs=False)
    assert_array_equal(np.diff(vectors.indptr), [1, 1, 0, 0])


def test_made_up_titles_say_nothing():
    catalog = shelf(item_id=["a1", "b2", "c3"], title=["item a1", "item b2", "item a1"])
    made, vectors = vectors_of(catalog, min_items=1)
    assert list(made.words_) == ["a1", "item", "item a1"]  # the third is a real title: it is not its own id
    assert_array_equal(np.diff(vectors.indptr), [0, 0, 3])


@pytest.mark.parametrize(
    "catalog",
    [
        pd.DataFrame(index=range(3)),
        shelf(item_id=["1", "2", "3"], title=["item 1", "item 2", "item 3"]),
        shelf(title=[None, None, None], category=pd.Categorical([None] * 3), price=[np.nan, 0, np.nan]),
        shelf(title=["...", "!", "-"]),
    ],
    ids=["no column", "made-up titles", "only gaps", "no letter"],
)
def test_a_catalogue_without_words_has_empty_vectors(catalog):
    made, vectors = vectors_of(catalog)
    assert vectors.shape == (3, 0)
    assert len(made.words_) == 0


def test_an_empty_catalogue_can_be_read():
    _, vectors = vectors_of(shelf(title=[], category=[], price=[]))
    assert vectors.shape == (0, 0)


def test_words_keep_apostrophes_and_accents_and_lose_case():
    made, _ = vectors_of(shelf(title=["Chef's CRÈME, H&M_x 3.5 l"] * 2), pairs=False)
    assert set(made.words_) == {"chef's", "crème", "h&m", "x", "3", "5", "l"}


def test_categories_and_brands_are_taken_whole():
    shelves = ["Soft Toys", "Games", "Games", "Soft Toys"]
    catalog = shelf(category=pd.Categorical(["Toys", "Toys", None, None]), subcategory=shelves, brand=["B", "B", 3, 3])
    made, vectors = vectors_of(catalog)
    names = ["category: Toys", "subcategory: Games", "subcategory: Soft Toys", "brand: 3", "brand: B"]
    assert list(made.words_) == names
    assert cosine(vectors, 0, 1) > 0
    assert cosine(vectors, 0, 2) == 0


def test_a_category_of_all_items_says_nothing_and_one_of_a_single_item_is_left_out():
    made, vectors = vectors_of(shelf(category=["x", "x", "x"], brand=["a", "b", "b"]))
    assert list(made.words_) == ["category: x", "brand: b"]
    assert_allclose(made.idf_, [0, np.log(4 / 3) / np.log(4 / 2)])
    assert_allclose(vectors.toarray(), [[0, 0], [0, 1], [0, 1]])
    assert vectors.nnz == 2


def test_near_prices_are_alike_and_far_ones_are_not():
    prices = [10, 10.5, 10 * 1.25, 100, np.nan, 0]
    _, vectors = vectors_of(shelf(price=prices))
    assert_array_equal(np.diff(vectors.indptr) > 0, [True] * 4 + [False] * 2)
    assert cosine(vectors, 0, 1) > 0.9
    assert 0 < cosine(vectors, 0, 2) < cosine(vectors, 0, 1)
    assert cosine(vectors, 0, 3) == 0


def test_a_price_in_the_middle_of_two_bands_belongs_to_both():
    made, vectors = vectors_of(shelf(price=[1.25**8, 1.25**8.5]), weights={"price": 1})
    assert list(made.words_) == ["price: about 5.96", "price: about 7.45"]
    assert_allclose(vectors.toarray(), [[1, 0], [0.5**0.5, 0.5**0.5]], atol=1e-6)


def test_max_words_keeps_the_most_frequent():
    catalog = shelf(title=["a b", "a b", "a c", "a c", "a b"])
    made, _ = vectors_of(catalog, max_words=2, pairs=False)
    assert list(made.words_) == ["a", "b"]
    made, _ = vectors_of(catalog, max_words=3)
    assert list(made.words_) == ["a", "b", "a b"]


def test_new_rows_are_read_with_the_words_that_were_learnt():
    made = TfidfVectors(weights={"title": 1}).fit(shelf(title=TITLES))
    fresh = made.transform(shelf(title=["a red oak stool", "glass"]))
    assert_allclose(fresh[0].toarray(), made.transform(shelf(title=TITLES))[0].toarray())
    assert fresh[1].nnz == 0
    assert made.transform(pd.DataFrame(index=range(2))).shape == (2, 4)


def test_fit_transform_is_fit_and_transform():
    catalog = shelf(title=[*TITLES, None], category=["x", None, "x", "y", "y"], price=[1.0, 2.0, np.nan, 3.0, 0.0])
    assert "category: y" in TfidfVectors().fit(catalog).words_
    _, vectors = vectors_of(catalog)
    at_once = TfidfVectors().fit_transform(catalog)
    assert_array_equal(at_once.toarray(), vectors.toarray())


def test_a_new_category_or_price_is_unknown():
    made = TfidfVectors().fit(shelf(category=["x", "x", "y", "y"], price=[1.0, 1.0, 2.0, 2.0]))
    assert made.transform(shelf(category=["z"], price=[1e6])).nnz == 0


def test_the_frame_of_the_caller_is_left_alone():
    catalog = shelf(title=["a b", None, "a"], category=["x", None, "x"], price=[1.0, np.nan, 2.0])
    before = catalog.copy()
    vectors_of(catalog)
    pd.testing.assert_frame_equal(catalog, before)


def test_top_words_are_sorted_by_weight_then_by_name():
    made, vectors = vectors_of(shelf(title=TITLES), weights={"title": 1}, pairs=False)
    found = top_words(vectors[0], made.words_, 5)
    assert list(found.index) == ["red", "oak"]
    assert_allclose((found**2).sum(), 1, rtol=1e-6)
    twice = vectors[0] + vectors[3]  # red and blue are equally rare, but blue stands alone in its title
    assert list(top_words(twice, made.words_, 2).index) == ["blue", "red"]
    assert top_words(vectors[0][:, :0], made.words_[:0]).empty


def test_unit_rows_leave_empty_rows_empty():
    rows = unit_rows(TfidfVectors().fit(shelf(title=["a", "a"])).transform(shelf(title=["a", "?"])))
    assert_array_equal(rows.toarray(), [[1], [0]])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"weights": {"colour": 1}}, r"must name fields among \['title', .*\], got \['colour'\]"),
        ({"weights": {"title": -1}}, "weight of title must be a finite number of at least 0, got -1"),
        ({"weights": {"title": np.nan}}, "got nan"),
        ({"min_items": 0}, "min_items must be a whole number of at least 1, got 0"),
        ({"max_words": 2.5}, "max_words must be a whole number of at least 1, got 2.5"),
    ],
)
def test_settings_that_mean_nothing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TfidfVectors(**options)


def test_vectors_without_fit_say_what_to_do():
    with pytest.raises(RuntimeError, match=r"is not fitted; call fit\(catalog\) first"):
        TfidfVectors().transform(shelf(title=["a"]))
