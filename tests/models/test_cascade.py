"""The cascade: who is asked first, what is filled from below, and an order that no number can break."""

import copy
import pickle
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_almost_equal, assert_array_equal

from reco_utils.core import recommend
from reco_utils.models import cascade
from reco_utils.models.cascade import Band, CascadeRecommender, leaning_bands, stepped_bands
from reco_utils.models.fitted import FrozenRecommender
from reco_utils.models.knn import ItemKNNRecommender, UserKNNRecommender
from reco_utils.models.popularity import PopularityRecommender

NAN = np.nan
# `make_data` is a function without memory, so it may be shared between examples
examples = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Says:
    """A model with the same scores (I,) for everybody; counts the requests it was asked about."""

    scores: list = field(default_factory=list)

    def fit(self, data):
        self.n_items_, self.asked_ = len(data.items), 0
        return self

    def score(self, batch):
        self.asked_ += len(batch)
        return np.tile(np.asarray(self.scores, np.float32), (len(batch), 1))


def bands(*steps):
    return tuple((start, Says(scores), f"from {start}") for start, scores in steps)


def people(make_data, n_items=6):
    """Users with 0, 1, ..., n_items items in their history."""
    return make_data(np.tril(np.ones((n_items + 1, n_items)), -1))


# --------------------------------------------------------------------------------------------------------- the bands
@examples
@given(starts=st.sets(st.integers(1, 8), max_size=4), n_items=st.integers(0, 8))
def test_the_last_step_that_begins_at_or_below_the_history_leads(make_data, starts, n_items):
    starts = [0, *sorted(starts)]
    data = people(make_data, 8)
    model = CascadeRecommender(bands(*((start, [1.0] * 8) for start in starts))).fit(data)
    batch = data.batch(data.users[[n_items]])
    lists = recommend(model, batch, 3, keep_seen=True)
    expected = max(step for step, start in enumerate(starts) if start <= n_items)
    assert (model.steps(lists) == expected).all()
    assert model.first_step(batch) == [expected]


STEPPED = ["cohort", "content", "content", "neighbours", "neighbours", "hybrid", "hybrid"]


@pytest.mark.parametrize("n_items, name", list(enumerate(STEPPED)))
def test_the_stepped_bands_are_0_then_1_to_2_then_3_to_4_then_5_and_more(n_items, name, make_data):
    data = people(make_data)
    model = CascadeRecommender(stepped_bands).fit(data)
    assert model.names[model.first_step(data.batch(data.users))[n_items]] == name


def test_a_live_session_moves_a_stranger_up(make_data):
    data = people(make_data)
    model = CascadeRecommender(stepped_bands).fit(data)
    sessions = [[], ["i1"], ["i1", "i2", "i3"], [f"i{i}" for i in range(6)]]
    assert model.first_step(data.batch(["nobody"] * 4, history=sessions)).tolist() == [0, 1, 2, 3]


# ------------------------------------------------------------------------------------------------------------- by hand
def test_a_score_is_the_step_and_the_share_of_its_opinions_below(make_data):
    model = CascadeRecommender(bands((0, [5, 1, 2, 2]), (1, [NAN, NAN, 7, 9])))
    data = make_data([[0, 0, 0, 0], [1, 0, 0, 0]])
    scores = model.fit(data).score(data.batch(data.users))
    assert_array_equal(scores, [[0.875, 0.125, 0.5, 0.5], [0.875, 0.125, 1.25, 1.75]])


def test_what_a_step_leaves_open_is_filled_from_the_steps_below_in_their_order(make_data):
    model = CascadeRecommender(bands((0, [1, 2, 3, 4]), (1, [2, 1, NAN, NAN]), (2, [NAN, NAN, 1, NAN])))
    data = make_data([[1, 1, 0, 0]])
    lists = recommend(model.fit(data), data.batch(data.users), 6, keep_seen=True)
    assert_array_equal(lists.items, [[2, 0, 1, 3, -1, -1]])
    assert_array_equal(model.steps(lists), [[2, 1, 1, 0, -1, -1]])
    assert model.steps(lists).dtype == np.int8


def test_a_step_without_any_opinion_falls_through(make_data):
    model = CascadeRecommender(bands((0, [1, 2]), (1, [NAN, NAN])))
    data = make_data([[1, 0]])
    lists = recommend(model.fit(data), data.batch(data.users), 2, keep_seen=True)
    assert_array_equal(model.steps(lists), [[0, 0]])
    assert_array_equal(lists.items, [[1, 0]])


def test_what_no_step_knows_has_no_score(make_data):
    model = CascadeRecommender(bands((0, [1, NAN]), (1, [NAN, NAN])))
    data = make_data([[1, 0]])
    assert_array_equal(model.fit(data).score(data.batch(data.users)), [[0.5, NAN]])


@examples
@given(data=st.data())
def test_no_step_ever_outranks_a_higher_one(make_data, data):
    scores = st.lists(st.sampled_from([NAN, -1e30, -1.0, 0.0, 1e-30, 1.0, 1e30]), min_size=6, max_size=6)
    steps = [(start, data.draw(scores)) for start in (0, 1, 3)]
    people_ = people(make_data)
    model = CascadeRecommender(bands(*steps)).fit(people_)
    batch = people_.batch(people_.users)
    found, first = model.score(batch), model.first_step(batch)
    for row, top in zip(found, first):
        for item in range(6):
            answers = [step for step in range(top + 1) if not np.isnan(steps[step][1][item])]
            assert np.isnan(row[item]) if not answers else np.floor(row[item]) == max(answers)
        for step, (_, said) in enumerate(steps):
            mine = np.flatnonzero(np.floor(np.nan_to_num(row, nan=-1)) == step)
            said = np.asarray(said, np.float32)[mine]
            assert_array_equal(np.sign(np.subtract.outer(said, said)), np.sign(np.subtract.outer(row[mine], row[mine])))


def test_a_hundred_thousand_items_keep_their_order_within_a_step(make_data):
    rng = np.random.default_rng(0)
    order = rng.permutation(100_000)
    said = np.empty(100_000)
    said[order] = np.arange(100_000)
    data = make_data(np.ones((1, 100_000)))
    steps = [(start, np.full(100_000, NAN)) for start in range(6)] + [(7, said)]
    scores = CascadeRecommender(bands(*steps)).fit(data).score(data.batch(data.users))[0]
    assert (np.diff(scores[order]) > 0).all()
    assert (np.floor(scores) == 6).all()


# ---------------------------------------------------------------------------------------------- only what is needed
def test_a_step_is_asked_only_about_the_requests_that_need_it(make_data):
    data = people(make_data)  # 0 to 6 items
    model = CascadeRecommender(bands((0, [1] * 6), (1, [1] * 6), (3, [1, 1, 1, 1, 1, NAN]))).fit(data)
    model.score(data.batch(data.users))
    assert [band.model.asked_ for band in model.bands_] == [1, 2 + 4, 4]


def test_a_row_with_enough_opinions_is_filled_from_the_lowest_step_at_once(make_data):
    data = people(make_data)
    steps = ((0, [1, 2, 3, 4, 5, 6]), (1, [9, 9, 9, 9, NAN, NAN]), (3, [1, 2, NAN, NAN, NAN, NAN]))
    model = CascadeRecommender(bands(*steps), n_enough=2).fit(data)
    scores = model.score(data.batch(data.users[[6]]))
    assert model.bands_[1].model.asked_ == 0
    assert_array_equal(np.floor(scores), [[2, 2, 0, 0, 0, 0]])


def test_a_cohort_is_ranked_once(monkeypatch, make_data):
    data = make_data(np.zeros((9, 4)))
    ranked = []
    monkeypatch.setattr(cascade, "rank", lambda scores: ranked.append(len(scores)) or scores)
    model = CascadeRecommender(bands((0, [0.1, 0.3, 0.2, 0.4]))).fit(data)
    scores = model.score(data.batch(data.users))
    assert ranked == [1]
    assert_array_equal(scores, np.tile(np.float32([0.1, 0.3, 0.2, 0.4]), (9, 1)))


def test_rows_of_two_cohorts_keep_their_own_ranks():
    a, b = np.float32([1, 2, 3]), np.float32([3, 2, 1])
    assert_array_equal(cascade._rank_once(np.array([b, a, b, a, a])), cascade.rank(np.array([b, a, b, a, a])))


# ------------------------------------------------------------------------------------------------------ the usual steps
def test_the_stepped_bands_share_one_fitted_content_model(five):
    model = CascadeRecommender(stepped_bands).fit(five)
    content = [band.model.content_.model for band in model.bands_[1:]]
    assert content[0] is content[1] is content[2]
    assert model.names == ("cohort", "content", "neighbours", "hybrid")


def test_parts_and_starts_of_the_stepped_bands_can_be_chosen(five):
    collab = FrozenRecommender(ItemKNNRecommender().fit(five), five)
    chosen = stepped_bands(five, collab=collab, content=UserKNNRecommender(), starts=(0, 2, 4, 8))
    assert [band.n_items for band in chosen] == [0, 2, 4, 8]
    model = CascadeRecommender(chosen).fit(five)
    assert model.bands_[3].model.collab_ is collab


def test_no_part_is_fitted_behind_your_back(five):
    mine = UserKNNRecommender()
    CascadeRecommender(stepped_bands(five, collab=mine, content=mine)).fit(five)
    assert not hasattr(mine, "n_items_")


def test_by_default_the_hybrid_leans_on_the_cohort_less_with_each_item(make_data):
    data = people(make_data)
    crowd, own = Says([1, 0, 0, 0, 0, 0]), Says([0, 0, 0, 0, 0, 1])
    model = CascadeRecommender(leaning_bands(data, personal=own, crowd=crowd, worth=2)).fit(data)
    blend = model.bands_[1].model
    scores = blend.score(data.batch(data.users))[1:]
    assert_array_almost_equal(scores[:, 5], [1 / 3, 2 / 4, 3 / 5, 4 / 6, 5 / 7, 6 / 8])
    assert_array_almost_equal(scores[:, 0], [2 / 3, 2 / 4, 2 / 5, 2 / 6, 2 / 7, 2 / 8])
    assert model.names == ("cohort", "hybrid")
    assert model.first_step(data.batch(data.users)).tolist() == [0, 1, 1, 1, 1, 1, 1]
    assert not hasattr(crowd, "n_items_")  # copies are fitted


@pytest.mark.parametrize("worth", [0, -1, True])
def test_the_cohort_is_worth_a_number_of_items(worth, make_data):
    with pytest.raises(ValueError, match=f"worth must be a number of items above 0, got {worth}"):
        leaning_bands(people(make_data), worth=worth)


def test_everybody_gets_a_full_list_and_nobody_what_they_have(make_random):
    data = make_random(40, 25, seed=1)
    model = CascadeRecommender().fit(data)
    batch = data.batch([*data.users, "nobody"], history=[[]] * 40 + [["i3"]])
    lists = recommend(model, batch, 25)
    for row, seen in zip(lists.items, batch.seen.toarray()):
        assert set(row[row >= 0]) == set(np.flatnonzero(~seen))


def test_without_text_content_is_silent_and_filled_from_below(make_random):
    data = make_random(40, 25, seed=1)
    catalog = data.catalog[["item_id"]].assign(title="")
    bare = type(data)(**{**{f: getattr(data, f) for f in data.__dataclass_fields__}, "catalog": catalog})
    model = CascadeRecommender(stepped_bands).fit(bare)
    batch = bare.batch(["nobody"] * 2, history=[["i1"], ["i1", "i2", "i3"]])
    steps = model.steps(recommend(model, batch, 10, keep_seen=True))
    assert (steps[0] == 0).all()
    assert steps[1, 0] == 2  # three items: the nearest users have an opinion


# -------------------------------------------------------------------------------------------------------------- edges
@pytest.mark.parametrize("starts", [(), (1, 3), (0, 3, 3), (0, 5, 3)])
def test_bands_that_do_not_ascend_from_0_are_refused(starts):
    with pytest.raises(ValueError, match=r"bands must begin at 0 items and ascend, got \["):
        CascadeRecommender(bands(*((start, [1.0]) for start in starts)))


def test_two_steps_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"bands must have different names, got \['a', 'a'\]"):
        CascadeRecommender((Band(0, PopularityRecommender(), "a"), Band(1, PopularityRecommender(), "a")))


@pytest.mark.parametrize("n_enough", [0, True])
def test_enough_is_at_least_one(n_enough):
    with pytest.raises(ValueError, match=f"n_enough must be at least 1 item, got {n_enough}"):
        CascadeRecommender(n_enough=n_enough)


def test_an_interrupted_fit_leaves_the_model_as_it_was(make_data, monkeypatch):
    data = people(make_data)
    model = CascadeRecommender(bands((0, [1, 2, 3, 4, 5, 6]), (1, [1, 2, 3, 4, 5, 6]))).fit(data)
    before = model.score(data.batch(data.users))
    monkeypatch.setattr(Says, "fit", lambda self, data: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        model.fit(data)
    assert_array_equal(model.score(data.batch(data.users)), before)


def test_a_fitted_cascade_can_be_copied_and_pickled(five):
    model = CascadeRecommender().fit(five)
    scores = model.score(five.batch(five.users))
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_array_equal(again.score(five.batch(five.users)), scores)
