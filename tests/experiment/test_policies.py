"""Lists of a model become lists of the shop; what cannot be shown is refused by the name of its arm."""

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import TopK, recommend
from reco_utils.data.registry import load_dataset
from reco_utils.data.split import make_split
from reco_utils.experiment.policies import Arms, in_shop
from reco_utils.models.popularity import PopularityRecommender


class Shop:
    """Three users and five things by name."""

    users, items = pd.Index(["ann", "bob", "cat"]), pd.Index(["tea", "mug", "oak", "elm", "pen"])


def lists(users, items, **notes):
    items = np.array(items, np.int32)
    return TopK(pd.Index(users), items, np.arange(items.size, dtype=np.float32).reshape(items.shape), notes)


# --------------------------------------------------------------------------------------------------------- positions
def test_by_hand_positions_go_by_name():
    """The dataset counts pen 0, tea 1, elm 2 and does not know mug and oak."""
    note = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    theirs = lists(["cat", "ann", "bob"], [[0, 1], [2, -1], [1, 2]], propensity=note)
    ours = in_shop(theirs, pd.Index(["pen", "tea", "elm"]), Shop)
    assert ours.users.tolist() == ["ann", "bob", "cat"]
    assert ours.items.tolist() == [[3, -1], [0, 3], [4, 0]]
    assert ours.notes["propensity"].tolist() == [[0.3, 0.4], [0.5, 0.6], [0.1, 0.2]]
    assert ours.scores.tolist() == [[2, 3], [4, 5], [0, 1]] and ours.items.dtype == np.int32


def test_a_models_lists_name_the_same_items_in_the_shop():
    tables = load_dataset("shop", size="small")
    train, shop = make_split(tables).train, tables.tastes
    assert len(train.items) < len(shop.items)  # what arrived after the cut, and what was sold out
    batch = train.batch(shop.users[::-1])
    theirs = recommend(PopularityRecommender().fit(train), batch, 7)
    ours = in_shop(theirs, train.items, shop)
    assert ours.users.equals(shop.users)
    assert (shop.items.to_numpy()[ours.items] == train.items.to_numpy()[theirs.items[::-1]]).all()


def test_users_without_a_list_or_with_two_are_refused():
    items = pd.Index(["tea"])
    with pytest.raises(ValueError, match=r"no list for 1 of the shop's 3 users, like \['cat'\]"):
        in_shop(lists(["ann", "bob"], [[0], [0]]), items, Shop)
    with pytest.raises(ValueError, match=r"a user has one list, got several for \['ann'\]"):
        in_shop(lists(["ann", "ann", "bob", "cat"], [[0]] * 4), items, Shop)
    with pytest.raises(KeyError, match=r"the shop has no items \['gin'\]"):
        in_shop(lists(["ann", "bob", "cat"], [[0]] * 3), pd.Index(["gin"]), Shop)


# -------------------------------------------------------------------------------------------------------- assignment
def test_arms_may_be_named_in_order_or_in_a_frame():
    arms = Arms({"control": np.zeros((3, 1), int), "new": np.ones((3, 1), int)}, Shop)
    assert arms.codes(["new", "control", None], Shop.users).tolist() == [1, 0, -1]
    assert arms.codes(pd.Categorical(["new", "control", "new"]), Shop.users).tolist() == [1, 0, 1]
    who, arm = ["cat", "ann", "cat", "bob"], ["new", "control", "new", None]
    frame = pd.DataFrame({"user_id": who, "arm": arm, "experiment": "x"})
    assert arms.codes(frame, Shop.users).tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    "assignment, message",
    [
        (["new", "old", "holdout"], r"no policy for the arms \['holdout', 'old'\]; arms has \['control', 'new'\]"),
        (["new"], r"assignment must name one arm per shopper \(3\), got 1"),
        (
            pd.DataFrame({"user_id": ["ann", "ann"], "arm": ["new", "control"]}),
            r"1 users are in two arms, such as 'ann' in \['control', 'new'\]",
        ),
        (pd.DataFrame({"user_id": ["dan"], "arm": ["new"]}), r"1 assigned users are no shoppers, like \['dan'\]"),
    ],
)
def test_assignments_that_make_no_sense_are_refused(assignment, message):
    arms = Arms({"control": np.zeros((3, 1), int), "new": np.ones((3, 1), int)}, Shop)
    with pytest.raises(ValueError, match=message):
        arms.codes(assignment, Shop.users)


# --------------------------------------------------------------------------------------------------------- the lists
def test_each_arm_shows_its_lists_and_chances():
    own = lists(Shop.users, [[1, 2], [3, -1], [0, 4]], propensity=np.full((3, 2), 0.5))
    arms = Arms(
        {"control": np.array([[0], [1], [2]]), "new": own, "by day": lambda users, day: users[:, None] + day}, Shop
    )
    items, chance = arms.lists(np.array([1, 0, 2, 1]), np.array([0, 1, 2, 1]), 2)
    assert items.tolist() == [[1, 2], [1, -1], [4, -1], [3, -1]]
    np.testing.assert_array_equal(chance, [[0.5, 0.5], [1, np.nan], [1, np.nan], [0.5, np.nan]])
    assert [part.shape for part in arms.lists(np.array([], int), np.array([], int), 0)] == [(0, 1), (0, 1)]


@pytest.mark.parametrize(
    "policy, message",
    [
        (np.zeros((2, 3), int), r"lists of 'new' must be whole numbers \(3 users, K\), got int64 \(2, 3\)"),
        (np.zeros((3, 3)), r"lists of 'new' must be whole numbers \(3 users, K\), got float64 \(3, 3\)"),
        (np.full((3, 3), 5), "lists of 'new' hold positions 5 to 5; the shop counts its items from 0 to 4"),
        (np.full((3, 3), -2), "lists of 'new' hold positions -2 to -2"),
        (lists(["bob", "ann", "cat"], [[0]] * 3), "the lists of 'new' must be for the shop's users in their order"),
    ],
)
def test_lists_that_cannot_be_shown_are_refused(policy, message):
    with pytest.raises(ValueError, match=message):
        Arms({"new": policy}, Shop)


def test_what_a_policy_answers_is_checked_on_the_day():
    arms = Arms({"new": lambda users, day: np.zeros((1, 2), int)}, Shop)
    with pytest.raises(ValueError, match="lists of 'new' must be whole numbers"):
        arms.lists(np.array([0, 0]), np.array([1, 2]), 0)
    with pytest.raises(ValueError, match="arms must name at least one policy"):
        Arms({}, Shop)


def test_the_callers_lists_are_not_held_on_to():
    mine = np.zeros((3, 2), np.int32)
    arms = Arms({"new": mine}, Shop)
    mine[:] = 4
    assert (arms.lists(np.zeros(3, int), np.arange(3), 0)[0] == 0).all()
