"""Newcomers: what they inherit, worked out by hand, and a bonus that fades and never takes away."""

import copy
import pickle
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils.core import recommend
from reco_utils.models.fitted import FrozenRecommender
from reco_utils.models.ials import IALSRecommender
from reco_utils.models.knn import ItemKNNRecommender
from reco_utils.models.newcomers import NewcomersRecommender, freshness, inherit
from reco_utils.models.popularity import PopularityRecommender

FACTORS = np.array([[np.nan, np.nan], [3.0, 0.0], [0.0, 4.0], [-1.0, 0.0]])  # nobody has i0
WORDS = np.array([[3.0, 4, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])  # i0 is 0.6 like i1, 0.8 like i2, nothing like i3
WEIGHTS = [[0, 1, 0, 1], [0, 1, 1, 0], [0, 0, 1, 0]]


@dataclass
class Factors:
    """Knows these factors; everybody's own are (1, 1), strangers' NaN."""

    factors: np.ndarray

    def fit(self, data):
        self.item_factors_, self.n_items_ = self.factors, len(data.items)
        return self

    def score(self, batch):
        mine = np.where(batch.n_items[:, None] > 0, 1.0, np.nan) * np.ones((1, self.factors.shape[1]))
        return (mine @ self.item_factors_.T).astype(np.float32)


@dataclass
class Words:
    """Knows these vectors."""

    vectors: np.ndarray

    def fit(self, data):
        self.vectors_, self.n_items_ = csr_matrix(self.vectors, dtype=np.float32), len(data.items)
        return self

    def score(self, batch):
        raise NotImplementedError


def newcomers(**settings):
    return NewcomersRecommender(Factors(FACTORS), Words(WORDS), **settings)


@pytest.fixture
def shop(make_data):
    return make_data(WEIGHTS)


def aged(data, days):
    """The data with items that came in so many days ago; NaN for unknown."""
    created = data.asof - pd.to_timedelta(days, unit="D")
    return replace(data, catalog=data.catalog.assign(created_at=created))


# ----------------------------------------------------------------------------------------------------------- freshness
def test_freshness_fades_in_a_line_and_is_0_where_the_age_is_unknown(shop):
    data = aged(shop, [0, 3.5, 7, np.nan])
    assert_allclose(freshness(data.catalog, data.asof, 7), [1, 0.5, 0, 0])
    assert_allclose(freshness(data.catalog, data.asof, 14), [1, 0.75, 0.5, 0])


def test_without_a_column_nothing_is_new_and_the_future_is_as_new_as_today(shop):
    assert_array_equal(freshness(shop.catalog, shop.asof, 7), np.zeros(4))
    assert_array_equal(freshness(aged(shop, [-3, 100, 100, 100]).catalog, shop.asof, 7), [1, 0, 0, 0])
    text = shop.catalog.assign(created_at=["2024-06-30", "long ago", None, "2024-06-23"])
    assert_array_equal(freshness(text, shop.asof, 7), [1, 0, 0, 0])


# --------------------------------------------------------------------------------------------------------- inheritance
def test_inherited_factors_by_hand(shop):
    model = newcomers(temperature=0.5).fit(shop)
    # cosines 0.6 and 0.8: shares exp(1.2) and exp(1.6) over their sum
    share = np.exp(1.2) / (np.exp(1.2) + np.exp(1.6))
    assert model.newcomers_.tolist() == [0]
    assert model.parents_.tolist() == [[2, 1] + [-1] * 18]
    assert_allclose(model.shares_[0, :2], [1 - share, share], rtol=1e-6)
    assert_allclose(model.item_factors_[0], [3 * share, 4 * (1 - share)], rtol=1e-6)  # of unknown age: the plain mean
    assert_array_equal(model.item_factors_[1:], FACTORS[1:])


def test_on_its_first_day_an_item_is_as_long_as_its_parents(shop):
    arrows, half = np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([0.5, 0.5])
    # the mean is (1.5, 2), 2.5 long; the parents are 3.5 long on average
    assert_allclose(inherit(arrows, half, 0), [1.5, 2])
    assert_allclose(inherit(arrows, half, 1), np.array([1.5, 2]) * 3.5 / 2.5)
    assert_allclose(inherit(arrows, half, 0.5), np.array([1.5, 2]) * np.sqrt(3.5 / 2.5))
    for age, youth in ((0, 1), (15, 0.5), (30, 0), (99, 0)):
        model = newcomers(temperature=1e6).fit(aged(shop, [age, 99, 99, 99]))
        assert_allclose(model.item_factors_[0], np.array([1.5, 2]) * (3.5 / 2.5) ** youth, rtol=1e-5)


def test_parents_that_cancel_out_leave_nothing_and_no_error():
    assert_array_equal(inherit(np.array([[1.0, 0], [-1, 0]]), np.array([0.5, 0.5]), 1), [0, 0])


def test_a_low_temperature_leaves_everything_to_the_most_similar(shop):
    assert_allclose(newcomers(temperature=1e-3).fit(shop).item_factors_[0], FACTORS[2], atol=1e-6)
    assert newcomers(n_similar=1).fit(shop).parents_.tolist() == [[2]]
    assert_allclose(newcomers(n_similar=1).fit(shop).item_factors_[0], FACTORS[2])


def test_young_items_with_few_users_inherit_and_old_ones_stand_on_their_own(shop):
    few = {"min_users": 2}  # i3 has one user, i1 and i2 have two
    assert newcomers(**few).fit(shop).newcomers_.tolist() == [0]
    assert newcomers(**few).fit(aged(shop, [99, 1, 1, 99])).newcomers_.tolist() == [0]
    assert newcomers(**few, young_days=20).fit(aged(shop, [99, 99, 99, 25])).newcomers_.tolist() == [0]
    model = newcomers(**few).fit(aged(shop, [99, 99, 99, 25]))
    assert model.newcomers_.tolist() == [0, 3]
    assert_array_equal(model.item_factors_[3], FACTORS[3])  # it resembles nothing that is settled, and keeps its own
    assert newcomers(min_users=1).fit(aged(shop, [1, 1, 1, 1])).newcomers_.tolist() == [0]


def test_newcomers_are_nobodys_parents(shop):
    words = np.array([[1.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1]])
    model = NewcomersRecommender(Factors(FACTORS), Words(words), min_users=3).fit(aged(shop, [99, 1, 99, 99]))
    assert model.newcomers_.tolist() == [0, 1]
    assert model.parents_[:, 0].tolist() == [2, 2]
    assert (model.parents_[:, 1:] == -1).all()


def test_an_item_that_resembles_nothing_stays_without_opinion(shop):
    words = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    model = NewcomersRecommender(Factors(FACTORS), Words(words)).fit(aged(shop, [0, 0, 0, 0]))
    scores = model.score(shop.batch(["u0", "nobody"]))
    assert np.isnan(scores[0]).tolist() == [True, False, False, False]
    assert np.isnan(scores[1]).all()


def test_a_session_with_a_newcomer_alone_makes_a_personal_list(make_data):
    data = make_data([[0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 1, 1]])
    data = replace(data, catalog=data.catalog.assign(title=["red pan", "red", "pan", "blue", "blue kettle"]))
    model = NewcomersRecommender(IALSRecommender(n_factors=2, n_iterations=5)).fit(data)
    stranger = data.batch(["nobody"], history=[["i0"]])
    assert set(recommend(model, stranger, 3).items[0].tolist()) == {0, 1, 2}
    assert np.isnan(model.heir_.score(data.batch(["nobody"]))).all()


# --------------------------------------------------------------------------------------------------------------- bonus
def test_whoever_had_a_young_item_is_scored_like_a_stranger_with_the_same_history(make_random):
    data = aged(make_random(60, 20, seed=3), np.where(np.arange(20) % 4 == 0, 1, 100))
    model = NewcomersRecommender(IALSRecommender(n_factors=4, n_iterations=3), min_users=60).fit(data)
    batch = data.batch(data.users)
    assert batch.history[:, model.newcomers_].nnz > 0
    strangers = replace(batch, at=np.full(len(batch), -1, np.int32))
    assert_array_equal(model.score(batch), model.score(strangers))


def test_scores_with_a_bonus_by_hand(shop):
    batch = shop.batch(["u0"])
    # the plain sums are (inherited) 3.5, 3, 4, -1 with equal shares; brought to 0 to 1: 0.9, 0.8, 1, 0
    plain = newcomers(temperature=1e6, bonus=0).fit(shop).score(batch)
    assert_allclose(plain, [[0.9, 0.8, 1, 0]], rtol=1e-5)
    # with min_users 1 these two stand on their own factors, fresh or not: only the bonus changes anything
    settings = {"temperature": 1e6, "min_users": 1, "bonus": 0.2}
    young = newcomers(**settings).fit(aged(shop, [99, 0, 3.5, 99])).score(batch)
    assert_allclose(young, [[0.9, 0.8 * 1.2, 1 * 1.1, 0]], rtol=1e-5)


def test_the_bonus_never_lowers_a_score(make_random):
    data = make_random(40, 25, seed=3)
    rng = np.random.default_rng(0)
    data = aged(data, rng.choice([0.0, 2.0, 6.9, 7.0, 50.0, np.nan], 25))
    model = NewcomersRecommender(IALSRecommender(n_factors=4, n_iterations=3), bonus=0.0).fit(data)
    batch = data.batch([*data.users, "nobody"])
    before = model.score(batch)
    after = replace(model, bonus=0.15).fit(data).score(batch)
    assert_array_equal(np.isnan(before), np.isnan(after))
    assert (after >= before)[~np.isnan(before)].all()
    assert np.nanmin(before) >= 0
    assert np.nanmax(after) <= 1.15 + 1e-6
    old = ~(freshness(data.catalog, data.asof, 7) > 0)
    assert_array_equal(before[:, old], after[:, old])


def test_without_newcomers_and_bonus_the_lists_are_the_models_own(make_data):
    rng = np.random.default_rng(1)
    data = make_data(rng.integers(0, 2, (30, 8)) + np.eye(30, 8, dtype=int))
    model = IALSRecommender(n_factors=4, n_iterations=3).fit(data)
    own, theirs = (recommend(m, data.batch(data.users), 5) for m in (model, NewcomersRecommender(model).fit(data)))
    assert_array_equal(own.items, theirs.items)


def test_similar_items_know_newcomers(shop):
    model = NewcomersRecommender(IALSRecommender(n_factors=2, n_iterations=3)).fit(shop)
    positions, cosines = model.similar_items([0], 3)
    assert set(positions[0]) == {1, 2, 3}
    assert not np.isnan(cosines).any()


# --------------------------------------------------------------------------------------------------- parts and settings
def test_frozen_parts_are_taken_as_they_are_and_stay_so(shop):
    model, words = IALSRecommender(n_factors=2, n_iterations=3).fit(shop), Words(WORDS).fit(shop)
    before = model.item_factors_.copy()
    frozen = NewcomersRecommender(FrozenRecommender(model, shop), FrozenRecommender(words, shop)).fit(shop)
    assert_array_equal(model.item_factors_, before)
    assert np.isnan(model.score(shop.batch(["u0"]))[0, 0])
    assert not np.isnan(frozen.score(shop.batch(["u0"]))[0, 0])
    fitted = NewcomersRecommender(IALSRecommender(n_factors=2, n_iterations=3), Words(WORDS)).fit(shop)
    assert_array_equal(frozen.score(shop.batch(["u0", "u2"])), fitted.score(shop.batch(["u0", "u2"])))


def test_the_given_parts_are_never_fitted_themselves(shop):
    model = IALSRecommender(n_factors=2, n_iterations=3)
    NewcomersRecommender(model, Words(WORDS)).fit(shop)
    assert not hasattr(model, "item_factors_")


def test_a_catalogue_of_newcomers_only_has_no_opinion(make_data):
    data = aged(make_data(np.zeros((2, 4))), [0, 0, 0, 0])
    model = NewcomersRecommender(IALSRecommender(n_factors=2, n_iterations=2), Words(WORDS)).fit(data)
    assert np.isnan(model.score(data.batch(["u0"]))).all()
    assert (recommend(model, data.batch(["u0"]), 3).items == -1).all()


def test_models_without_factors_or_vectors_are_refused(shop):
    with pytest.raises(TypeError, match="ItemKNNRecommender has no item_factors_"):
        NewcomersRecommender(ItemKNNRecommender()).fit(shop)
    with pytest.raises(TypeError, match="PopularityRecommender has no vectors_"):
        NewcomersRecommender(
            IALSRecommender(n_factors=2, n_iterations=1), FrozenRecommender(PopularityRecommender().fit(shop), shop)
        ).fit(shop)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_similar": 0}, "n_similar must be a whole number of at least 1, got 0"),
        ({"min_users": 1.5}, "min_users must be a whole number of at least 1, got 1.5"),
        ({"temperature": 0}, "temperature must be a finite number above 0, got 0"),
        ({"fade_days": np.inf}, "fade_days must be a finite number above 0, got inf"),
        ({"young_days": -1}, "young_days must be a finite number above 0, got -1"),
        ({"bonus": -0.1}, "bonus must be a finite number of at least 0, got -0.1"),
        ({"bonus": np.nan}, "bonus must be a finite number of at least 0, got nan"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        NewcomersRecommender(**settings)


def test_a_fitted_model_survives_pickle_and_deepcopy(make_random):
    data = make_random(20, 10, seed=5)
    model = NewcomersRecommender(IALSRecommender(n_factors=2, n_iterations=2)).fit(data)
    batch = data.batch(data.users)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(twin.score(batch), model.score(batch))
