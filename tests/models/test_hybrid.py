"""The hybrid: blends by hand, silence that wins nothing, candidates, and parts that stay as they were."""

import copy
import pickle
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from reco_utils.core import recommend
from reco_utils.models import hybrid
from reco_utils.models.als import ALSRecommender
from reco_utils.models.fitted import FrozenRecommender
from reco_utils.models.hybrid import HybridRecommender, SilentRecommender
from reco_utils.models.knn import ItemKNNRecommender, UserKNNRecommender
from reco_utils.models.popularity import CohortRecommender, PopularityRecommender

NAN = np.nan


@dataclass
class Table:
    """A part that says what it is told: scores (U, I), looked up by the row of the user."""

    scores: list = field(default_factory=list)

    def fit(self, data):
        self.n_items_ = len(data.items)
        return self

    def score(self, batch):
        return np.asarray(self.scores, np.float32)[batch.at]


def blended(make_data, collab, content, *, weights=None, **options):
    """Scores of a hybrid of two tables; unless told otherwise by rank, without popularity, one item each."""
    shape = np.shape(collab)
    data = make_data(np.eye(*shape) if weights is None else weights)
    options = {"popularity_share": 0, "scale": "rank", **options}
    model = HybridRecommender(Table(collab), Table(content), **options).fit(data)
    return model.score(data.batch(data.users))


# ---------------------------------------------------------------------------------------------------------- by hand
def test_the_shares_weigh_the_ranks(make_data):
    scores = blended(make_data, [[9, 5, 1, 0]], [[0.1, 0.2, 0.3, 0.4]], collab_share=0.75)
    collab, content = np.array([7, 5, 3, 1]) / 8, np.array([1, 3, 5, 7]) / 8
    assert_allclose(scores, [0.75 * collab + 0.25 * content])


@pytest.mark.parametrize("scale, values", [("minmax", [0, 0.25, 1]), ("reciprocal-rank", 1 / np.array([63, 62, 61]))])
def test_any_scale_can_be_chosen(make_data, scale, values):
    scores = blended(make_data, [[1, 2, 5]], [[5, 4, 1]], collab_share=1.0, scale=scale)
    assert_allclose(scores, [values], rtol=1e-6)


def test_units_do_not_matter(make_data):
    content = [[0.3, 0.1, 0.2]]
    assert_array_equal(blended(make_data, [[1, 2, 3]], content), blended(make_data, [[-4e6, 0.001, 5e6]], content))


def test_popularity_is_the_rank_of_the_users_who_have_the_item(make_data):
    weights = [[9, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 0]]  # owned by 4, 2 and 1
    scores = blended(make_data, [[5, 5, 5]] * 4, [[5, 5, 5]] * 4, weights=weights, popularity_share=0.1)
    assert_allclose(scores, [0.9 * 0.5 + 0.1 * np.array([5, 3, 1]) / 6] * 4, rtol=1e-6)


def test_popularity_may_be_that_of_the_users_cohort(make_data):
    weights, places = [[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]], ["north", "north", "south", "south", "south"]
    data = make_data(weights, profiles={"location": places})
    cohort = PopularityRecommender(by=("location",), min_users=2)
    everything = Table([[5, 5]] * 5)
    model = HybridRecommender(everything, everything, popularity_share=1, popularity=cohort).fit(data)
    assert_array_equal(model.score(data.batch(data.users)), [[1, 0]] * 2 + [[0, 1]] * 3)
    assert not hasattr(cohort, "n_items_")


@pytest.mark.parametrize("silent", [0, 1])
def test_without_one_part_the_other_speaks_alone(silent, make_data):
    data = make_data(np.eye(2, 3))
    parts = [Table([[1, 2, 3], [NAN] * 3])] * 2
    parts[silent] = SilentRecommender()
    model = HybridRecommender(*parts, popularity_share=0).fit(data)
    assert_array_equal(model.score(data.batch(data.users)), [[0, 0.5, 1], [NAN] * 3])


def test_popularity_is_damped_by_the_log(make_data):
    weights = np.zeros((7, 3))
    weights[:7, 0], weights[:1, 1] = 1, 1  # 7, 1 and 0 users: ln 8, ln 2 and ln 1
    everywhere = [[5, 5, 5]] * 7
    scores = blended(make_data, everywhere, everywhere, weights=weights, popularity_share=1, scale="minmax")
    assert_allclose(scores[0], [1, 1 / 3, 0], atol=1e-7)


def test_a_table_of_shares_goes_by_the_items_in_the_history(make_data):
    weights = np.tril(np.ones((6, 6)))  # user u has u + 1 items
    collab, content = [[1, 2, 3, 4, 5, 6]] * 6, [[6, 5, 4, 3, 2, 1]] * 6
    table = blended(make_data, collab, content, weights=weights, collab_share={2: 0.2, 4: 0.9})
    for user, share in enumerate([0.2, 0.2, 0.2, 0.9, 0.9, 0.9]):
        one = blended(make_data, collab, content, weights=weights, collab_share=share)
        assert_array_equal(table[user], one[user])


# ---------------------------------------------------------------------------------------------------------- silence
def test_only_what_no_part_knows_has_no_score(make_data):
    scores = blended(make_data, [[1, NAN, NAN, 2]], [[NAN, 1, NAN, 2]], popularity_share=0.3)
    assert_array_equal(np.isnan(scores), [[False, False, True, False]])


def test_a_part_without_opinion_on_a_request_leaves_its_share_to_the_other(make_data):
    known, silent = [[1, 2, 3]], [[NAN] * 3]
    expected = [np.array([1, 3, 5]) / 6]
    assert_allclose(blended(make_data, silent, known), expected)
    assert_allclose(blended(make_data, known, silent), expected)


def test_two_silent_parts_have_no_opinion_and_popularity_makes_none(make_data):
    assert np.isnan(blended(make_data, [[NAN] * 3], [[NAN] * 3], popularity_share=0.5)).all()


def test_an_item_that_one_part_knows_counts_there_as_the_others_value_but_at_most_as_the_mean(make_data):
    collab, content = [[NAN, NAN, 1, 2]], [[4, 1, 2, 3]]
    scores = blended(make_data, collab, content, collab_share=0.5)
    content = np.array([7, 1, 3, 5]) / 8
    assert_allclose(scores, [(np.array([0.5, 1 / 8, 1 / 4, 3 / 4]) + content) / 2])


def test_an_item_does_not_win_because_one_part_never_heard_of_it(make_data):
    """0.9 by both beats 0.95 by one: with the share simply passed on, the half-known item would come first."""
    collab = [[NAN, 20, *range(18)]]
    content = [[20, 19, *range(18)]]
    scores = blended(make_data, collab, content, collab_share=0.5)
    assert scores[0, 1] > scores[0, 0]


@settings(max_examples=80, deadline=None)
@given(
    opinions=arrays(np.float32, (2, 9), elements=st.sampled_from([NAN, 1.0, 2.0, 3.0, 4.0, 5.0])),
    share=st.floats(0, 1),
    scale=st.sampled_from(sorted(hybrid.SCALES)),
)
def test_silence_never_helps(opinions, share, scale):
    """What is filled in lies neither above the other part's value nor above the silent part's mean."""
    scaled = [hybrid.SCALES[scale](part[None]) for part in opinions]
    for part, other in (scaled, scaled[::-1]):
        filled = hybrid._filled(part, other)
        assert_array_equal(np.isnan(filled), np.isnan(part) & np.isnan(other))
        gaps = np.isnan(part) & ~np.isnan(other)
        assert (filled[gaps] <= other[gaps]).all()
        assert np.isnan(part).all() or (filled[gaps] <= np.nanmean(part) + 1e-6).all()


# ------------------------------------------------------------------------------------------------ large catalogues
PARTS = {
    "neighbours": lambda: (UserKNNRecommender(n_neighbors=5), ItemKNNRecommender(n_neighbors=5)),
    "factors": lambda: (ALSRecommender(n_factors=4), ItemKNNRecommender(n_neighbors=5)),
}


OPTIONS = {
    "one share": {"collab_share": 0.6},
    "a table of shares": {"collab_share": {3: 0.3, 6: 0.8}},
    "popular in the cohort": {"popularity": CohortRecommender(min_users=2), "popularity_share": 0.4},
}


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("options", OPTIONS)
def test_with_enough_candidates_a_large_catalogue_is_scored_like_a_small_one(parts, options, make_random, monkeypatch):
    data = make_random(40, 25, seed=1)
    model = HybridRecommender(*PARTS[parts](), n_candidates=25, **OPTIONS[options]).fit(data)
    batch = data.batch([*data.users, "nobody"])
    small = model.score(batch)
    monkeypatch.setattr(hybrid, "SMALL_CATALOG", 0)
    assert_allclose(model.score(batch), small, rtol=1e-4)  # products in another order, then stretched to 0 to 1


def test_candidates_are_the_best_of_either_part_and_both_score_them_all(make_data, monkeypatch):
    monkeypatch.setattr(hybrid, "SMALL_CATALOG", 0)
    collab, content = [[6, 5, 4, 3, 2, 1], [NAN, NAN, 3, 2, 1, 4]], [[1, 2, 3, 4, 6, 5], [NAN, 1, NAN, NAN, NAN, NAN]]
    scores = blended(make_data, collab, content, n_candidates=2, collab_share=0.5)
    first = (np.array([7, 5, 3, 1]) + np.array([1, 3, 7, 5])) / 16  # i0, i1, i4, i5: each ranked among these four
    assert_allclose(scores[0], [first[0], first[1], NAN, NAN, first[2], first[3]])
    assert_allclose(scores[1], [NAN, 0.5, 0.5 * 1 / 4 + 0.5 * 1 / 4, NAN, NAN, 0.5 * 3 / 4 + 0.5 * 0.5])


def test_vectors_give_the_same_candidates_and_scores_as_the_full_product(make_random, monkeypatch):
    monkeypatch.setattr(hybrid, "SMALL_CATALOG", 0)
    data = make_random(40, 25, seed=1)
    als = FrozenRecommender(ALSRecommender(n_factors=4).fit(data), data)

    @dataclass
    class Scores:
        """ALS without its vectors."""

        def fit(self, data):
            return self

        def score(self, batch):
            return als.score(batch)

    batch = data.batch([*data.users, "nobody"])
    roads = [HybridRecommender(part, ItemKNNRecommender(), n_candidates=6).fit(data) for part in (als, Scores())]
    assert_allclose(roads[0].score(batch), roads[1].score(batch), rtol=1e-4)


# ------------------------------------------------------------------------------------------------------------ parts
@pytest.mark.parametrize("limit", [0, 10_000])
def test_the_parts_add_up_to_the_score_of_every_listed_item(limit, make_random, monkeypatch):
    monkeypatch.setattr(hybrid, "SMALL_CATALOG", limit)
    monkeypatch.setattr(hybrid, "BLOCK_BYTES", 700)  # several blocks of requests
    data = make_random(40, 25, seed=1)
    model = HybridRecommender(*PARTS["neighbours"](), popularity_share=0.1, n_candidates=4).fit(data)
    batch = data.batch([*data.users, "nobody"])
    lists = recommend(model, batch, 12)
    parts = model.parts(batch, lists.items)
    assert list(parts) == ["collab", "content", "popularity"]
    assert_allclose(sum(parts.values()), lists.scores, rtol=1e-6)
    assert_allclose(model.score_at(batch, lists.items), lists.scores, rtol=1e-6)
    for values in parts.values():
        assert_array_equal(np.isnan(values), lists.items < 0)


@pytest.mark.parametrize("limit", [0, 10_000])
def test_an_item_without_a_score_has_no_parts(limit, make_data, monkeypatch):
    monkeypatch.setattr(hybrid, "SMALL_CATALOG", limit)
    data = make_data(np.eye(1, 4))
    model = HybridRecommender(Table([[1, 2, 3, NAN]]), Table([[3, 2, 1, NAN]]), n_candidates=4).fit(data)
    parts = model.parts(data.batch(data.users), np.array([[3, -1, 0]]))
    for values in parts.values():
        assert_array_equal(np.isnan(values), [[True, True, False]])


# -------------------------------------------------------------------------------------------------- parts as they were
def test_fit_learns_on_copies_of_its_parts(five):
    collab, content = UserKNNRecommender(), ItemKNNRecommender()
    HybridRecommender(collab, content).fit(five)
    assert not hasattr(collab, "n_items_")
    assert not hasattr(content, "n_items_")


def test_frozen_parts_are_not_fitted_again(five, monkeypatch):
    parts = [FrozenRecommender(model.fit(five), five) for model in (UserKNNRecommender(), ItemKNNRecommender())]
    for kind in (UserKNNRecommender, ItemKNNRecommender):
        monkeypatch.setattr(kind, "fit", lambda self, data: pytest.fail("fitted again"))
    model = HybridRecommender(*parts).fit(five)
    assert (model.collab_, model.content_) == tuple(parts)


def test_an_interrupted_fit_leaves_the_model_as_it_was(five, make_random, monkeypatch):
    model = HybridRecommender(*PARTS["neighbours"]()).fit(five)
    before = model.score(five.batch(five.users))
    monkeypatch.setattr(ItemKNNRecommender, "fit", lambda self, data: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        model.fit(make_random(9, 7))
    assert_array_equal(model.score(five.batch(five.users)), before)


def test_a_fitted_hybrid_can_be_copied_and_pickled(five):
    model = HybridRecommender(*PARTS["neighbours"]()).fit(five)
    scores = model.score(five.batch(five.users))
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_array_equal(again.score(five.batch(five.users)), scores)


# ------------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    "options, message",
    [
        ({"collab_share": 1.5}, "collab_share must be a number from 0 to 1, got 1.5"),
        ({"collab_share": NAN}, "collab_share must be a number from 0 to 1, got nan"),
        ({"collab_share": {1: 0.5, 5: -1}}, "collab_share must be a number from 0 to 1, got -1"),
        ({"collab_share": {}}, "collab_share must have whole numbers of items as keys, got {}"),
        ({"collab_share": {0.5: 0.5}}, "collab_share must have whole numbers of items as keys, got {0.5: 0.5}"),
        ({"popularity_share": -0.1}, "popularity_share must be a number from 0 to 1, got -0.1"),
        ({"scale": "sum"}, "scale must be one of .*'rank'.*, got 'sum'"),
        ({"n_candidates": 0}, "n_candidates must be at least 1, got 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        HybridRecommender(**options)
