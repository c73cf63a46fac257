"""What every model promises. A new model joins by one line in MODELS."""

import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils.core import recommend
from reco_utils.models.als import ALSRecommender
from reco_utils.models.cascade import CascadeRecommender
from reco_utils.models.content import ContentRecommender
from reco_utils.models.hybrid import HybridRecommender
from reco_utils.models.ials import IALSRecommender
from reco_utils.models.knn import ItemKNNRecommender, UserKNNRecommender
from reco_utils.models.linear import EASERecommender, RP3betaRecommender, SLIMRecommender
from reco_utils.models.newcomers import NewcomersRecommender
from reco_utils.models.popularity import CohortRecommender, PopularityRecommender

MODELS = {  # name: () -> a new model, its randomness fixed
    "popularity": lambda: PopularityRecommender(),
    "popularity of the week": lambda: PopularityRecommender(window_days=7),
    "popularity per cohort": lambda: PopularityRecommender(by=("location",), min_users=2),
    "popularity from cohort to all": lambda: CohortRecommender(("location",), min_users=2),
    "user-knn": lambda: UserKNNRecommender(n_neighbors=5),
    "user-knn jaccard": lambda: UserKNNRecommender(n_neighbors=5, similarity="jaccard", min_overlap=2),
    "user-knn plain": lambda: UserKNNRecommender(n_neighbors=5, weighting="none", shrinkage=0, votes="weight"),
    "item-knn": lambda: ItemKNNRecommender(n_neighbors=5),
    "item-knn lift": lambda: ItemKNNRecommender(n_neighbors=5, similarity="lift", min_overlap=2),
    "item-knn plain": lambda: ItemKNNRecommender(n_neighbors=5, weighting="none", shrinkage=0, half_life_days=None),
    "als": lambda: ALSRecommender(n_factors=4, n_iterations=3),
    "als of a high rank": lambda: ALSRecommender(n_factors=64, regularization=0.1, n_iterations=3),
    "ials": lambda: IALSRecommender(n_factors=4, n_iterations=3),
    "ials of a high rank": lambda: IALSRecommender(n_factors=64, n_iterations=3),
    "ease": lambda: EASERecommender(),
    "ease of ones": lambda: EASERecommender(1, entries="one"),
    "slim": lambda: SLIMRecommender(),
    "slim of few": lambda: SLIMRecommender(0, 1, n_neighbors=3, entries="weight"),
    "rp3beta": lambda: RP3betaRecommender(),
    "rp3beta of few": lambda: RP3betaRecommender(1, 0, n_neighbors=3, entries="log"),
    "content": lambda: ContentRecommender(),
    "content recent": lambda: ContentRecommender(half_life_days=14, damping="one"),
    "hybrid": lambda: HybridRecommender(ALSRecommender(n_factors=4, n_iterations=3), popularity_share=0.1),
    "hybrid of neighbours": lambda: HybridRecommender(UserKNNRecommender(), ItemKNNRecommender(), {3: 0.5, 6: 0.9}),
    "cascade": lambda: CascadeRecommender(),
    "newcomers": lambda: NewcomersRecommender(IALSRecommender(n_factors=4, n_iterations=3)),
}
SCORES_EVERYTHING = {name for name in MODELS if name.startswith("popularity")}  # 0 is "nobody took it", not "unknown"
IGNORES_HISTORY = SCORES_EVERYTHING
KNOWS_NEWCOMERS = {"content", "content recent", "hybrid", "cascade", "newcomers"}  # what nobody had can have a score
FILLED = SCORES_EVERYTHING | {"cascade"}  # where nothing personal is known, popularity answers
FROM_0_TO_1 = {"newcomers", "hybrid", "hybrid of neighbours"}  # 0 is the worst of a row


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture
def model(name):
    return MODELS[name]()


@pytest.fixture
def data(make_random):
    return make_random(40, 25, seed=1)


@pytest.fixture
def fitted(model, data):
    return model.fit(data)


def test_fit_returns_the_model(model, data):
    assert model.fit(data) is model


def test_an_unfitted_model_says_what_to_do(model, data):
    with pytest.raises(RuntimeError, match=r"is not fitted; call fit\(data\) first"):
        model.score(data.batch(data.users))


def test_a_batch_of_another_catalogue_is_refused(fitted, make_random):
    other = make_random(40, 24)
    with pytest.raises(ValueError, match="was fitted on 25 items, the batch has 24"):
        fitted.score(other.batch(other.users))


def test_scores_are_float32_requests_by_items(fitted, data):
    scores = fitted.score(data.batch(data.users[:7]))
    assert scores.shape == (7, 25)
    assert scores.dtype == np.float32
    assert not np.isinf(scores).any()


def test_no_opinion_is_nan_and_never_zero(name, fitted, data):
    scores = fitted.score(data.batch(data.users))
    assert np.isnan(scores).any() == (name not in FILLED)
    assert name in SCORES_EVERYTHING | FROM_0_TO_1 or not (scores == 0).any()


def test_an_item_nobody_ever_had_is_0_or_nan(name, fitted, data):
    column = fitted.score(data.batch(data.users))[:, 0]
    if name in KNOWS_NEWCOMERS:
        assert (column[1:] >= 0).all()  # the first user has no history
    else:
        assert (column == 0).all() if name in SCORES_EVERYTHING else np.isnan(column).all()


def test_fit_twice_forgets_the_first_data(name, model, data, make_random):
    other = make_random(17, 30, seed=2)
    again = model.fit(other).fit(data).score(data.batch(data.users))
    assert_array_equal(again, MODELS[name]().fit(data).score(data.batch(data.users)))


class Interrupt(BaseException):
    """Ctrl-C."""


def interrupted_fit(model, data, at):
    """Fit, but stop before the line number `at` of those that the models' own code runs; how many lines were run."""
    lines = 0

    def trace(frame, event, arg):
        nonlocal lines
        if "models" not in Path(frame.f_code.co_filename).parts or "tests" in Path(frame.f_code.co_filename).parts:
            return None
        lines += event == "line"
        if lines == at:
            raise Interrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        model.fit(data)
    except Interrupt:
        pass
    finally:
        sys.settrace(before)
    return lines


def test_an_interrupted_fit_leaves_the_model_as_it_was(name, fitted, data, make_random):
    if name.startswith(("hybrid", "cascade")):
        pytest.skip("made of models that are tested here themselves")
    other, batch = make_random(30, 20, seed=2), data.batch(data.users)
    scores = fitted.score(batch)
    whole = interrupted_fit(deepcopy(fitted), other, at=-1)
    for lines in {max(1, whole - back) for back in (8, 12, 20, 40)}:  # the last few lines assign what was learnt
        assert interrupted_fit(fitted, other, at=lines) == lines
        assert_array_equal(fitted.score(batch), scores)


def test_the_same_data_gives_the_same_scores(name, fitted, data):
    batch = data.batch(data.users)
    assert_array_equal(fitted.score(batch), MODELS[name]().fit(data).score(batch))
    assert_array_equal(fitted.score(batch), fitted.score(batch))


def test_fit_and_score_leave_their_arguments_alone(name, data):
    batch = data.batch(data.users)
    arrays = [data.weights.data, data.weights.indices, data.last, batch.history.data, batch.history.indices, batch.at]
    before = [array.copy() for array in arrays]
    frames = data.catalog.copy(), data.profiles.copy()
    for array in arrays:
        array.flags.writeable = False
    MODELS[name]().fit(data).score(batch)
    for array, copy in zip(arrays, before):
        assert_array_equal(array, copy)
    pd.testing.assert_frame_equal(data.catalog, frames[0])
    pd.testing.assert_frame_equal(data.profiles, frames[1])


def test_weights_in_no_order_are_read_as_they_stand(name, fitted, data):
    rng, w = np.random.default_rng(0), data.weights
    order = np.concatenate([rng.permutation(np.arange(*w.indptr[u : u + 2])) for u in range(w.shape[0])])
    entries = (w.data[order], w.indices[order], w.indptr.copy())
    mixed = replace(data, weights=csr_matrix(entries, w.shape), last=data.last[order])
    scores = MODELS[name]().fit(mixed).score(mixed.batch(data.users))
    assert_array_equal(mixed.weights.indices, w.indices[order])
    assert_allclose(scores, fitted.score(data.batch(data.users)), rtol=1e-3, atol=1e-6)


def test_a_row_does_not_depend_on_the_rest_of_the_batch(fitted, data):
    batch = data.batch(data.users)
    rows = np.array([33, 0, 5, 5])
    assert_array_equal(fitted.score(batch[rows]), fitted.score(batch)[rows])
    assert_array_equal(fitted.score(batch[33:34])[0], fitted.score(batch)[33])


def test_the_order_of_the_requests_does_not_matter(fitted, data):
    forward, backward = fitted.score(data.batch(data.users)), fitted.score(data.batch(data.users[::-1]))
    assert_array_equal(forward, backward[::-1])


def test_strangers_alone_can_be_scored(name, fitted, data):
    scores = fitted.score(data.batch(["nobody", "no one"]))
    assert scores.shape == (2, 25)
    assert np.isnan(scores).any() == (name not in FILLED)


def test_nobody_at_all_can_be_scored(fitted, data):
    assert fitted.score(data.batch([])).shape == (0, 25)


def test_a_known_user_without_history_is_scored_like_a_stranger(fitted, data):
    profile = data.profiles[:1]
    known, stranger = data.batch(data.users[:1]), data.batch(["nobody"], profiles=profile)
    assert_array_equal(fitted.score(known), fitted.score(stranger))


def test_a_live_session_changes_what_a_stranger_is_shown(name, fitted, data):
    plain, live = data.batch(["nobody"]), data.batch(["nobody"], history=[["i3", "i4"]])
    changed = not np.array_equal(fitted.score(plain), fitted.score(live), equal_nan=True)
    assert changed == (name not in IGNORES_HISTORY)


def test_one_user_and_one_item_are_enough(model, make_data):
    data = make_data([[3]], profiles={"location": ["north"]})
    scores = model.fit(data).score(data.batch(["u0", "nobody"]))
    assert scores.shape == (2, 1)
    assert not (scores < 0).any()


def test_an_empty_shop_can_be_fitted(name, model, make_data):
    data = make_data(np.zeros((3, 4)), profiles={"location": ["north"] * 3})
    scores = model.fit(data).score(data.batch(data.users))
    if name in FILLED:
        assert (scores == (0 if name in SCORES_EVERYTHING else scores[0, 0])).all()
    else:
        assert np.isnan(scores).all()


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 0)], ids=["no users", "no items", "neither"])
def test_a_shop_without_users_or_without_items_can_be_fitted(model, make_data, shape):
    data = make_data(np.zeros(shape), profiles={"location": ["north"] * shape[0]})
    scores = model.fit(data).score(data.batch([*data.users, "nobody"]))
    assert scores.shape == (shape[0] + 1, shape[1]) and not np.isinf(scores).any()


def test_lists_longer_than_the_catalogue_end_in_padding(fitted, data):
    lists = recommend(fitted, data.batch([*data.users, "nobody"]), 60)
    assert lists.items.shape == (41, 60)
    assert (lists.items[:, 25:] == -1).all()
    seen = data.seen.toarray()
    assert not any(seen[u, i] for u, row in enumerate(lists.items[:40]) for i in row if i >= 0)


@pytest.fixture(params=[name for name, make in MODELS.items() if hasattr(make(), "similar_items")])
def similar_items(request, data):
    """The method of a fitted model that offers it."""
    return MODELS[request.param]().fit(data).similar_items


def test_similar_items_are_others_the_most_similar_first(similar_items):
    positions, similarities = similar_items(np.arange(25), 30)
    assert (positions.shape, positions.dtype, similarities.dtype) == ((25, 30), np.int32, np.float32)
    assert_array_equal(positions < 0, np.isnan(similarities))
    assert (positions[:, 24:] == -1).all() and not (positions == np.arange(25)[:, None]).any()
    for found, similarity in zip(positions, similarities):
        n = np.count_nonzero(found >= 0)
        assert (found[n:] == -1).all() and len(set(found[:n])) == n and (np.diff(similarity[:n]) <= 0).all()


def test_one_item_or_none_may_be_asked_about(similar_items):
    assert_array_equal(similar_items(7, 3)[0], similar_items(np.arange(25), 3)[0][7:8])
    assert similar_items([], 3)[0].shape == (0, 3)


@pytest.mark.parametrize("items", [[25], [-1], [1.5], ["i1"], [True]])
def test_what_is_no_position_of_an_item_is_refused(similar_items, items):
    with pytest.raises(IndexError, match="item positions must be"):
        similar_items(items, 3)
