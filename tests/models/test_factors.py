"""What follows from item factors alone: fold-in, scores, similar items, reasons; on a model whose factors are given."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reco_utils.core import recommend
from reco_utils.models import factors as factors_room
from reco_utils.models.factors import FactorRecommender, System


class Given(FactorRecommender):
    """Factors by hand; an entry of weight w pulls with w and wants 1 + w; the ridge is 1."""

    def fit(self, data, factors=()):
        self.item_factors_ = np.array(factors, float)
        self.n_items_ = len(data.items)
        return self

    def _system(self, history):
        known = np.nan_to_num(self.item_factors_)
        weights = history.data.astype(float)
        return System(known.T @ known, weights, 1 + weights, np.ones(history.shape[0]))


NONE = [np.nan, np.nan]
LINE = [[1], [2], [np.nan]]  # one factor: everything can be done by hand; G = 1 + 4


@pytest.fixture
def line(make_data):
    data = make_data([[3, 0, 0], [0, 1, 2], [0, 0, 1], [1, 2, 0], [0, 0, 0]])
    return data, Given().fit(data, LINE)


@pytest.fixture
def plane(make_random):
    """Random factors in four dimensions; item 0 has no history, and no factors."""
    data = make_random(30, 20, seed=3)
    factors = np.random.default_rng(3).normal(size=(20, 4))
    factors[0] = np.nan
    return data, Given().fit(data, factors)


# ------------------------------------------------------------------------------------------------------------- vectors
def test_item_factors_are_rounded_once_and_are_what_rounding_gives(plane):
    data, model = plane
    batch, exact = data.batch(data.users), np.array(model.item_factors_)
    first, again = model.vectors(batch)[1], model.vectors(batch[:1])[1]
    assert again is first and first.dtype == np.float32 and first.tobytes() == exact.astype(np.float32).tobytes()
    with pytest.raises(ValueError, match="read-only"):
        first[1] = 0
    with pytest.raises(ValueError, match="read-only"):  # or the rounded ones would be those of before
        model.item_factors_[1] = 0


def test_factors_that_are_replaced_are_rounded_anew(plane):
    data, model = plane
    batch = data.batch(data.users)
    model.vectors(batch)
    model.item_factors_ = model.item_factors_ * 2
    assert_array_equal(model.vectors(batch)[1], (model.item_factors_).astype(np.float32))
    model.fit(data, np.ones((20, 4)))
    assert (model.vectors(batch)[1] == 1).all()


def test_rounded_factors_are_in_no_copy_and_go_with_the_model(plane):
    data, model = plane
    batch, before, size = data.batch(data.users), len(factors_room._ROUNDED), len(pickle.dumps(model))
    rounded = model.vectors(batch)[1]
    assert len(pickle.dumps(model)) == size and set(vars(model)) == {"item_factors_", "n_items_"}
    twins = [copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    assert twins[0].vectors(batch)[1] is rounded
    for twin in twins[1:]:
        assert twin.vectors(batch)[1] is not rounded
        assert_array_equal(twin.vectors(batch)[1], rounded)
    assert len(factors_room._ROUNDED) == before + 3
    del twin, twins
    model.fit(data, np.ones((20, 4)))
    assert len(factors_room._ROUNDED) == before


# ------------------------------------------------------------------------------------------------------------- fold-in
def test_one_factor_is_folded_in_by_hand(line):
    data, model = line
    # u0: (5 + 3*1*1 + 1) x = 4*1; u1: (5 + 1*2*2 + 1) x = 2*2, item 2 adds nothing; u3: (5 + 1 + 8 + 1) x = 2*1 + 3*2
    assert_allclose(model.fold_in(data.weights)[[0, 1, 3], 0], [4 / 9, 4 / 10, 8 / 15])


def test_a_history_without_a_known_item_has_no_factors(line):
    data, model = line
    assert np.isnan(model.fold_in(data.weights)[[2, 4]]).all()


def test_the_order_of_the_entries_of_a_history_does_not_matter(line, make_data):
    data, model = line
    turned = data.weights.copy()
    row = slice(turned.indptr[3], turned.indptr[4])
    turned.indices[row], turned.data[row] = turned.indices[row][::-1].copy(), turned.data[row][::-1].copy()
    assert_allclose(model.fold_in(turned), model.fold_in(data.weights))


def test_a_stranger_with_the_same_history_gets_the_same_factors_and_list(plane):
    data, model = plane
    known = data.batch(data.users[5:6])
    stranger = data.batch(["nobody"], history=known.history)
    assert_array_equal(model.fold_in(known.history), model.fold_in(stranger.history))
    lists = [recommend(model, batch, 5, keep_seen=True) for batch in (known, stranger)]
    assert_array_equal(lists[0].items, lists[1].items)
    assert_array_equal(lists[0].scores, lists[1].scores)


def test_factors_do_not_depend_on_the_rest_of_the_batch(plane):
    data, model = plane
    together = model.fold_in(data.weights)
    alone = [model.fold_in(data.batch([user]).history)[0] for user in data.users]
    assert_array_equal(together, alone)


# -------------------------------------------------------------------------------------------------------------- scores
def test_a_score_is_the_product_of_the_factors(line):
    data, model = line
    scores = model.score(data.batch(data.users))
    assert_allclose(scores[0, :2], [4 / 9, 8 / 9], rtol=1e-6)
    assert np.isnan(scores[0, 2])
    assert np.isnan(scores[[2, 4]]).all()


def test_the_lists_of_vectors_are_those_of_the_scores(plane):
    data, model = plane
    batch = data.batch([*data.users, "nobody"])
    scores = np.where(batch.seen.toarray(), np.nan, model.score(batch))
    lists = recommend(model, batch, 3)
    expected = np.argsort(np.where(np.isnan(scores), np.inf, -scores), axis=1, kind="stable")[:, :3]
    assert_array_equal(lists.items[1:30], expected[1:30])
    assert (lists.items[[0, 30]] == -1).all()  # no history, and a stranger without a session


# ------------------------------------------------------------------------------------------------------- similar items
def test_similar_items_point_the_same_way_whatever_their_length(make_data):
    data = make_data(np.ones((1, 6)))
    model = Given().fit(data, [[1, 0], [5, 5], [9, 0], [0, 2], [-1, 0], NONE])
    found, cosines = model.similar_items([0], 9)
    assert_array_equal(found[0], [2, 1, 3, 4, -1, -1, -1, -1, -1])
    assert_allclose(cosines[0, :4], [1, np.sqrt(0.5), 0, -1], atol=1e-6)
    assert np.isnan(cosines[0, 4:]).all()


def test_an_item_is_left_out_by_identity_and_its_twins_stay(make_data):
    data = make_data(np.ones((1, 3)))
    model = Given().fit(data, [[1, 2], [1, 2], [2, 4]])
    found, _ = model.similar_items([0, 1, 2, 2], 2)
    assert_array_equal(found, [[1, 2], [0, 2], [0, 1], [0, 1]])


def test_an_item_without_factors_or_with_empty_ones_is_similar_to_nothing(make_data):
    data = make_data(np.ones((1, 4)))
    model = Given().fit(data, [[1, 2], NONE, [0, 0], [3, 4]])
    found, _ = model.similar_items(np.arange(4), 3)
    assert_array_equal(found, [[3, -1, -1], [-1] * 3, [-1] * 3, [0, -1, -1]])


def test_nothing_asked_for_gives_no_similar_items(plane):
    assert plane[1].similar_items([], 3)[0].shape == (0, 3)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([3, -1], r"must be 0 to 19, got \[-1\]"),
        ([20], r"must be 0 to 19, got \[20\]"),
        ([1.5], "must be whole numbers, got float64"),
        (["i3"], r"must be whole numbers, got <U2; data.positions\(ids\) gives them"),
    ],
)
def test_positions_that_are_none_of_the_catalogue_are_refused(plane, bad, message):
    with pytest.raises(IndexError, match=message):
        plane[1].similar_items(bad, 3)


def test_an_unfitted_model_says_what_to_do(plane):
    data, _ = plane
    for ask in (
        lambda model: model.vectors(data.batch(data.users)),
        lambda model: model.similar_items([0], 3),
        lambda model: model.explain(data.batch(data.users[:1]), [[0]]),
    ):
        with pytest.raises(RuntimeError, match=r"Given is not fitted; call fit\(data\) first"):
            ask(Given())


# ------------------------------------------------------------------------------------------------------------- reasons
def test_reasons_by_hand(line):
    data, model = line
    # u3 has items 0 and 1: x = (2*1 + 3*2) / 15, and item 1 weighs y = 2
    reasons, contributions = model.explain(data.batch(["u3"]), [[1, 0]], n=3)
    assert_array_equal(reasons, [[[1, 0, -1], [1, 0, -1]]])
    assert_allclose(contributions[0, :, :2], [[12 / 15, 4 / 15], [6 / 15, 2 / 15]], rtol=1e-6)
    assert np.isnan(contributions[0, :, 2]).all()


def test_all_reasons_together_are_the_score(plane):
    data, model = plane
    batch = data.batch(data.users, history=[["i2"]] * 30)
    everything = np.tile(np.arange(20), (30, 1))
    _, contributions = model.explain(batch, everything, n=20)
    scores = model.score(batch)
    assert_array_equal(np.isnan(contributions).all(axis=2), np.isnan(scores))
    assert_allclose(np.nansum(contributions, axis=2), np.nan_to_num(scores), atol=1e-5)


def test_reasons_come_from_the_history_largest_first_each_once(plane):
    data, model = plane
    batch = data.batch(data.users)
    reasons, contributions = model.explain(batch, recommend(model, batch, 4).items, n=20)
    assert not (np.diff(contributions, axis=2) > 0).any()  # padding, NaN, is not
    for row in range(len(batch)):
        had = set(batch.history[row].indices) - {0}
        assert all(set(named[named >= 0]) == had and (named >= 0).sum() == len(had) for named in reasons[row])


def test_padding_strangers_and_items_without_factors_have_no_reasons(plane):
    data, model = plane
    reasons, contributions = model.explain(data.batch(["nobody", "u4"]), [[3, 4, 5], [-1, 0, 3]], n=2)
    assert (reasons[0] == -1).all()
    assert (reasons[1, :2] == -1).all()
    assert (reasons[1, 2] >= 0).all()
    assert_array_equal(np.isnan(contributions), reasons == -1)


def test_items_of_another_number_of_requests_are_refused(plane):
    data, model = plane
    with pytest.raises(ValueError, match=r"items must be \(requests, K\) with 2 requests, got \(1, 3\)"):
        model.explain(data.batch(data.users[:2]), [[1, 2, 3]])


def test_copies_and_pickles_answer_the_same(plane):
    data, model = plane
    batch = data.batch(data.users)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_array_equal(twin.score(batch), model.score(batch))


def test_a_forgotten_user_is_looked_up_no_more_and_folded_in_when_asked(make_random):
    data = make_random(12, 6)
    factors = np.random.default_rng(0).standard_normal((6, 2))
    model = Given().fit(data, factors)
    model._remember(data.weights)
    old, before = model.user_factors_, model.score(data.batch(data.users))
    model.forget(np.array([4]))
    assert np.isnan(model.user_factors_[4]).all()
    assert model.histories_[4] == 0
    assert not np.isnan(old[4]).any()
    after = model.score(data.batch(data.users))
    others = np.arange(12) != 4
    assert_array_equal(after[others], before[others])
    assert_allclose(after[4], before[4], rtol=1e-5)
    assert Given().fit(data, factors).forget(np.array([4])) is None  # nothing was remembered
