"""The content model: profiles by hand, neighbours against all pairs, newcomers, and catalogues that say nothing."""

import pickle
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reco_utils.core import recommend
from reco_utils.models.content import ContentRecommender
from reco_utils.models.tfidf import TfidfVectors, top_words

WORDS = TfidfVectors(weights={"title": 1.0}, pairs=False, min_items=1)


def with_titles(data, titles):
    catalog = pd.DataFrame({"item_id": data.items, "title": titles})
    return replace(data, catalog=catalog)


@pytest.fixture
def words_apart(five):
    """Every item has one word of its own but i4, which shares those of i0 and i1: its profile is the history."""
    return with_titles(five, ["oak", "elm", "ash", "fir", "oak elm"])


def plain(**options):
    return ContentRecommender(tfidf=WORDS, **{"damping": "none", "half_life_days": None, **options})


def test_a_profile_is_the_weighted_mean_of_the_history(words_apart):
    model = plain().fit(words_apart)
    profile = model.profile(words_apart.batch(["bob"]))  # 1 oak, 2 elm, 3 ash
    found = top_words(profile, model.words_)
    assert list(found.index) == ["ash", "elm", "oak"]
    assert_allclose(found, np.array([3, 2, 1]) / 14**0.5, rtol=1e-6)


@pytest.mark.parametrize("damping, counts", [("log", np.log([4, 3, 2])), ("one", [1, 1, 1])])
def test_damping_changes_what_a_strength_counts(words_apart, damping, counts):
    profile = plain(damping=damping).fit(words_apart).profile(words_apart.batch(["bob"]))
    assert_allclose(sorted(profile.data), sorted(counts / np.linalg.norm(counts)), rtol=1e-6)


def test_an_item_half_a_life_older_counts_half(make_data):
    data = with_titles(make_data([[1, 1]], days_ago=[[0, 10]]), ["oak", "elm"])
    profile = plain(half_life_days=10).fit(data).profile(data.batch(["u0"])).toarray()[0]
    assert_allclose(profile, np.array([0.5, 1]) / 1.25**0.5, rtol=1e-6)  # elm, oak


def test_ages_count_from_the_newest_of_each_history(make_data):
    days = np.array([[0, 10], [20_000, 20_010]])
    data = with_titles(make_data([[1, 1], [1, 1]], days_ago=days), ["oak", "elm"])
    profiles = plain(half_life_days=10).fit(data).profile(data.batch(["u0", "u1"])).toarray()
    assert_allclose(profiles[0], profiles[1], rtol=1e-6)


def test_a_score_is_the_cosine_of_profile_and_item(words_apart):
    model = plain().fit(words_apart)
    scores = model.score(words_apart.batch(["ann", "eve"]))  # ann: 2 oak, 1 elm; eve: nothing
    rarity = np.log([6 / 3, 6 / 3]) + 1  # oak and elm stand in two titles each: equally rare
    profile, both = np.array([2, 1]) / 5**0.5, rarity / np.linalg.norm(rarity)
    assert_allclose(scores[0], [2 / 5**0.5, 1 / 5**0.5, np.nan, np.nan, profile @ both], rtol=1e-6)
    assert np.isnan(scores[1]).all()


def test_an_item_nobody_ever_had_is_recommended_for_its_words(words_apart):
    lists = recommend(plain().fit(words_apart), words_apart.batch(["ann"]), 1)
    assert words_apart.items[lists.items[0, 0]] == "i4"


def test_a_profile_does_not_depend_on_the_scale_of_the_strengths(make_data):
    one, ten = make_data([[1, 3, 0]]), make_data([[10, 30, 0]])
    titles = ["oak", "elm", "oak elm"]
    scores = [plain().fit(with_titles(d, titles)).score(d.batch(["u0"])) for d in (one, ten)]
    assert_allclose(*scores, rtol=1e-6)


def test_a_catalogue_without_text_has_no_opinion(make_random):
    data = make_random(20, 10)
    data = replace(data, catalog=pd.DataFrame({"item_id": data.items, "title": "item " + data.items.to_series()}))
    model = ContentRecommender().fit(data)
    assert np.isnan(model.score(data.batch(data.users))).all()
    assert (recommend(model, data.batch(data.users), 3).items == -1).all()
    positions, cosines = model.similar_items([0, 9], 4)
    assert (positions == -1).all()
    assert np.isnan(cosines).all()


def test_similar_items_are_the_best_of_all_pairs(make_random):
    rng = np.random.default_rng(3)
    data = make_random(5, 200)
    data = with_titles(data, [" ".join(rng.choice(list("abcdefghijklmnop"), 4)) for _ in range(200)])
    model = ContentRecommender().fit(data)
    dense = model.vectors_.toarray().astype(float)
    every = dense @ dense.T
    np.fill_diagonal(every, -1)
    positions, cosines = model.similar_items(np.arange(200), 7)
    assert_allclose(cosines, -np.sort(-every, axis=1)[:, :7], atol=1e-5)
    assert_allclose(np.take_along_axis(every, positions.astype(int), axis=1), cosines, atol=1e-5)


def test_an_item_is_not_similar_to_itself_but_to_its_twin(make_data):
    data = with_titles(make_data(np.ones((1, 4))), ["oak chair", "oak chair", "oak table", "steel"])
    model = plain().fit(data)
    positions, cosines = model.similar_items([0, 1, 3], 3)
    assert_array_equal(positions, [[1, 2, -1], [0, 2, -1], [-1, -1, -1]])
    assert cosines[0, 0] == pytest.approx(1)
    assert cosines[1, 0] == pytest.approx(1)


def test_items_outside_the_catalogue_are_refused(words_apart):
    with pytest.raises(IndexError, match=r"item positions must be 0 to 4, got \[5, -1\]"):
        plain().fit(words_apart).similar_items([5, 0, -1], 2)


def test_similar_items_need_a_fit_and_a_k(words_apart):
    with pytest.raises(RuntimeError, match="is not fitted"):
        ContentRecommender().similar_items([0], 2)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        plain().fit(words_apart).similar_items([0], 0)


def test_fit_leaves_the_settings_unfitted(words_apart):
    model = plain().fit(words_apart)
    assert not hasattr(model.tfidf, "words_")
    assert model.vectors_.shape == (5, 4)


@pytest.mark.parametrize("copied", [deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["copy", "pickle"])
def test_a_copy_of_a_fitted_model_answers_the_same(make_random, copied):
    data = make_random(20, 30)
    model = ContentRecommender().fit(data)
    again, batch = copied(model), data.batch(data.users)
    assert_array_equal(again.score(batch), model.score(batch))
    assert_array_equal(again.similar_items([3, 4], 5)[0], model.similar_items([3, 4], 5)[0])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"damping": "sqrt"}, r"damping must be one of \['none', 'log', 'one'\], got 'sqrt'"),
        ({"half_life_days": 0}, "half_life_days must be above 0, or None for no decay, got 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ContentRecommender(**options)
