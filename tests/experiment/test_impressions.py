"""Logs of what was shown: chances of places by enumeration and by simulation, tables there and back, refusals."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils.core import TopK, UserBatch
from reco_utils.experiment.impressions import Log, epsilon_greedy_chances, log_lists
from reco_utils.rerank.explore import EpsilonGreedy


def lists_of(items):
    items = np.array(items, np.int32)
    return TopK(pd.RangeIndex(len(items)), items, np.where(items >= 0, 1, np.nan).astype(np.float32))


def every_list(base, pool, epsilon, k):
    """All lists that epsilon-greedy can make, with their chances: the rule of its docstring, place by place."""
    found = {(): 1.0}
    for _ in range(k):
        longer = {}
        for shown, chance in found.items():
            free = [item for item in pool if item not in shown]
            best = [item for item in base if item not in shown][:1]
            odds = 0 if not free else epsilon if best else 1
            steps = [(item, odds / len(free)) for item in free] + [(item, 1 - odds) for item in best]
            for item, step in steps or [(-1, 1.0)]:
                longer[(*shown, item)] = longer.get((*shown, item), 0) + chance * step
        found = longer
    return found


CASES = [
    ([3, 1, 4, 0], [1, 7, 8, 3, 6], 0.4),  # some of the list are in the pool
    ([3, 1, 4, 0], [3, 1, 4, 0, 9, 5], 0.12),  # all are
    ([3, 1, 4, 0], [7, 8, 9], 0.3),  # none is
    ([3, 1], [1, 7, 8], 0.5),  # the list runs out
    ([3, 1, 4], [7], 0.5),  # the pool runs out
    ([3, 1], [1], 0.5),  # both do
    ([3, 1, 4, 0], [], 0.5),
    ([3, 1, 4, 0], [1, 2], 0.0),
    ([3, 1, 4, 0], [1, 2], 1.0),
]


@pytest.mark.parametrize("base, pool, epsilon", CASES)
def test_chances_of_places_are_those_of_all_lists_that_can_come_out(base, pool, epsilon):
    k = 4
    found = epsilon_greedy_chances(lists_of([base]), lists_of([pool]), epsilon, k).of([0], [range(10)])[0]
    expected = np.zeros((10, k))
    for shown, chance in every_list(base, pool, epsilon, k).items():
        for place, item in enumerate(shown):
            if item >= 0:
                expected[item, place] += chance
    assert_allclose(found, expected, atol=1e-14)


def test_chances_of_places_are_those_of_the_policy_itself():
    # 40,000 lists: a share has a standard error of at most 0.0025
    n, base, pool = 40_000, [3, 1, 4, 0], [1, 7, 8, 3, 6]
    nothing = csr_matrix((n, 9), dtype=np.float32)
    batch = UserBatch(pd.RangeIndex(n), np.arange(n), nothing, np.zeros(0, "M8[us]"), nothing > 0, None)
    many = lists_of(np.tile(pool, (n, 1)))
    shown = EpsilonGreedy(many, 0.4, rng=np.random.default_rng(0))(lists_of(np.tile(base, (n, 1))), batch, 3)
    share = [[(shown.items[:, place] == item).mean() for place in range(3)] for item in range(9)]
    chances = epsilon_greedy_chances(lists_of([base]), lists_of([pool]), 0.4, 3)
    assert_allclose(chances.of([0], [range(9)])[0], share, atol=0.01)


def test_users_have_chances_of_their_own():
    found = epsilon_greedy_chances(lists_of([[0, 1], [2, 1]]), lists_of([[5, 6], [5, -1]]), 0.5, 2)
    # place 1: the best with 1/2, else the pool; item 2 is nothing to user 0, item 6 nothing to user 1
    assert_allclose(found.of([0, 1, 1], [[0, 5], [2, 5], [6, -1]])[:, :, 0], [[0.5, 0.25], [0.5, 0.5], [0, 0]])
    assert_allclose(found.of([0, 1], [[2], [0]]), 0)


def test_users_of_one_pattern_share_a_table():
    base = lists_of([[0, 1, 2], [5, 6, 7], [1, 2, 3]])
    pool = lists_of([[0, 1, 2, 9], [7, 6, 5, 9], [8, 9, 10, 11]])
    assert len(epsilon_greedy_chances(base, pool, 0.1, 3).tables) == 2


@pytest.mark.parametrize(
    "change, message",
    [
        ({"k": 15}, "at most 14, got 15"),
        ({"k": 0}, "k must be at least 1"),
        ({"epsilon": 1.2}, "from 0 to 1, got 1.2"),
        ({"pool": lists_of([[1], [2]])}, "the same users"),
    ],
)
def test_chances_that_cannot_be_had_are_refused(change, message):
    given = {"base": lists_of([[0, 1]]), "pool": lists_of([[2]]), "epsilon": 0.1, "k": 2} | change
    with pytest.raises(ValueError, match=message):
        epsilon_greedy_chances(**given)


# ---------------------------------------------------------------------------------------------------------------- logs
def frame_of(**changes):
    columns = {
        "user_at": [4, 4, 2],
        "session": ["s1", "s1", "s0"],
        "item_at": [7, 8, 9],
        "rank": [1, 3, 1],
        "propensity": [0.5, 0.25, 1.0],
        "reward": [1.0, 0.0, 0.0],
    }
    return pd.DataFrame(columns | changes, index=["a", "b", "c"])


def test_a_table_becomes_lists():
    log = Log.from_frame(frame_of())
    assert_array_equal(log.users, [4, 2])
    assert_array_equal(log.items, [[7, -1, 8], [9, -1, -1]])
    assert_array_equal(log.propensity, [[0.5, np.nan, 0.25], [1, np.nan, np.nan]])
    assert_array_equal(log.reward, [[1, 0, 0], [0, 0, 0]])
    assert len(log) == 2 and log.k == 3


def test_a_log_survives_pickle():
    log = Log.from_frame(frame_of())
    again = pickle.loads(pickle.dumps(log))
    for name in ("users", "items", "propensity", "reward"):
        assert_array_equal(getattr(again, name), getattr(log, name))


def test_any_column_may_be_the_reward():
    log = Log.from_frame(frame_of().assign(clicked=[False, True, True]), reward="clicked")
    assert_array_equal(log.reward, [[0, 0, 1], [1, 0, 0]])
    with pytest.raises(KeyError, match="impressions lack the columns .'bought'."):
        Log.from_frame(frame_of(), reward="bought")


def test_an_empty_table_is_an_empty_log():
    log = Log.from_frame(frame_of().iloc[:0])
    assert log.items.shape == (0, 0) and len(log) == 0


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"propensity": [0.5, np.nan, 1]}, "missing in 1 of 3 impressions, e.g. nan in row 'b'"),
        ({"propensity": [0.5, 0.1, 0]}, "not above 0 in 1 of 3 impressions, e.g. 0.0 in row 'c'"),
        ({"propensity": [-0.5, -1, 1]}, "not above 0 in 2 of 3 impressions, e.g. -0.5 in row 'a'"),
        ({"propensity": [0.5, 1.5, 1]}, "above 1 in 1 of 3 impressions, e.g. 1.5 in row 'b'"),
        ({"reward": [0, 0, np.nan]}, "rewards must be finite numbers, not so in 1 of 3 .* nan in row 'c'"),
        ({"rank": [1, 1, 1]}, "two items are in one place .* row 'b'"),
        ({"rank": [1, 0, 1]}, "rank must be at least 1, got 0 in row 'b'"),
        ({"session": ["s1", None, None]}, "session is missing in 2 of 3 impressions, e.g. row 'b'"),
        ({"item_at": [7, -1, 9]}, "item_at must be at least 0, got -1 in row 'b'"),
        ({"session": ["s1", "s1", "s1"], "rank": [1, 2, 3]}, "session 's1' has several users, see row 'a'"),
    ],
)
def test_a_row_that_cannot_be_weighed_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        Log.from_frame(frame_of(**changes))


def test_missing_columns_are_named():
    with pytest.raises(KeyError, match="impressions lack the columns .'propensity'."):
        Log.from_frame(frame_of().drop(columns="propensity"))
    with pytest.raises(TypeError, match="user_at must be whole numbers"):
        Log.from_frame(frame_of(user_at=["x", "y", "z"]))


def log_of(**changes):
    given = {"users": [0, 1], "items": [[3, 4], [5, -1]], "propensity": [[0.5, 0.5], [1, np.nan]]}
    return Log(**{name: np.array(value) for name, value in (given | {"reward": [[1, 0], [0, 7]]} | changes).items()})


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"propensity": [[0.5, 0], [1, np.nan]]}, "not above 0 in 1 of 3 .* session 0, place 2"),
        ({"propensity": [[0.5, 1], [np.nan, 1]]}, "missing in 1 of 3 .* session 1, place 1"),
        ({"reward": [[1, np.inf], [0, 0]]}, "finite numbers.* session 0, place 2"),
        ({"users": [0, -1]}, "positions from 0, got -1 in session 1; leave strangers out"),
        ({"users": [0, 1, 2]}, "one user each"),
        ({"reward": [[1], [0]]}, "reward must have the shape of items"),
        ({"context": [[1.0, 2.0]]}, "context must have one row per session .2."),
    ],
)
def test_lists_that_cannot_be_weighed_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        log_of(**changes)


def test_padding_earns_nothing_and_needs_no_chance():
    assert_array_equal(log_of().reward, [[1, 0], [0, 0]])


def test_the_note_of_explored_lists_makes_a_log():
    shown = lists_of([[3, 1], [2, 0]])
    shown.notes["propensity"] = np.array([[0.5, 1], [0.1, 0.2]])
    log = log_lists(shown, np.array([[True, False], [False, True]]), users=[7, 7])
    assert_array_equal(log.users, [7, 7])
    assert_array_equal(log.propensity, shown.notes["propensity"])
    assert log.reward.dtype == float and log.reward.sum() == 2


def test_lists_without_chances_teach_nothing():
    with pytest.raises(ValueError, match="no note 'propensity'"):
        log_lists(lists_of([[3, 1]]), np.zeros((1, 2)))
