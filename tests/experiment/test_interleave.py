"""Interleaving: drafts by hand and over all coins, fairness exactly, the sign test against scipy, refusals."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom

from reco_utils.core import TopK
from reco_utils.experiment.interleave import credit, preference, team_draft


class Coins(np.random.Generator):
    """A generator whose coins are given: a row per list, a column per round."""

    def __init__(self, coins):
        super().__init__(np.random.PCG64())
        self.columns = iter(np.array(coins, np.int8).T)

    def integers(self, *args, **kwargs):
        return next(self.columns)


def lists_of(items, scale=1.0):
    items = np.array(items, np.int32)
    scores = scale * np.tile(np.arange(items.shape[1], 0, -1, dtype=np.float32), (len(items), 1))
    return TopK(pd.RangeIndex(len(items)), items, np.where(items >= 0, scores, np.nan).astype(np.float32))


def every_coin(a, b, k):
    """The drafts of one pair of lists under all coins."""
    coins = list(product((0, 1), repeat=(k + 1) // 2))
    many = [np.tile(row, (len(coins), 1)) for row in (a, b)]
    return team_draft(lists_of(many[0]), lists_of(many[1]), k, rng=Coins(coins))


def test_four_drafts_by_hand():
    found = every_coin([1, 2, 3, 4], [2, 1, 5, 6], 4)
    assert_array_equal(found.items, [[1, 2, 3, 5], [1, 2, 5, 3], [2, 1, 3, 5], [2, 1, 5, 3]])
    assert_array_equal(found.notes["team"], [[0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 1, 0]])


def test_scores_come_from_the_list_that_gave_the_place():
    found = team_draft(lists_of([[1, 2]]), lists_of([[3, 4]], scale=10), 4, rng=Coins([[0, 1]]))
    assert_array_equal(found.items, [[1, 3, 4, 2]])
    assert_array_equal(found.scores, [[2, 20, 10, 1]])


def test_identical_lists_are_kept_and_exactly_fair():
    found = every_coin([7, 3, 9, 1], [7, 3, 9, 1], 4)
    assert_array_equal(found.items, np.tile([7, 3, 9, 1], (4, 1)))
    clicks = np.tile([1.0, 0.5, 0.25, 0.125], (4, 1))  # what shoppers do with this list, whoever gave the places
    assert credit(clicks, found.notes["team"]).sum() == 0


def test_who_clicks_at_random_favours_nobody():
    # lists that differ: clicks that depend on the place alone give both teams the same, over all coins
    found = every_coin([1, 2, 3, 4, 5], [9, 2, 8, 1, 7], 6)
    clicks = np.tile([1.0, 0.7, 0.5, 0.4, 0.3, 0.2], (8, 1))
    assert_allclose(credit(clicks, found.notes["team"]).sum(), 0, atol=1e-12)


def test_swapping_the_lists_swaps_the_teams():
    a, b = lists_of([[1, 2, 3]]), lists_of([[4, 1, 5]])
    for coins in product((0, 1), repeat=2):
        one = team_draft(a, b, 3, rng=Coins([coins]))
        other = team_draft(b, a, 3, rng=Coins([[1 - coin for coin in coins]]))
        assert_array_equal(one.items, other.items)
        assert_array_equal(one.notes["team"], 1 - other.notes["team"])


def test_no_item_twice_and_padding_where_both_have_run_out():
    found = every_coin([1, 2, -1], [2, -1, -1], 4)
    assert_array_equal(np.sort(found.items, axis=1), np.tile([-1, -1, 1, 2], (4, 1)))
    assert_array_equal(found.notes["team"] < 0, found.items < 0)
    assert_array_equal(np.isnan(found.scores), found.items < 0)
    everything = every_coin([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], 6)
    assert all(len(set(row)) == 6 for row in everything.items.tolist())


def test_an_empty_list_leaves_the_places_to_the_other():
    found = every_coin([-1, -1], [4, 5], 2)
    assert_array_equal(found.items, [[4, 5], [4, 5]])
    assert (found.notes["team"] == 1).all()


def test_nobody_asks():
    assert len(team_draft(lists_of(np.empty((0, 3))), lists_of(np.empty((0, 2))), 4, rng=np.random.default_rng())) == 0


def test_the_seed_decides_and_the_lists_given_stay():
    a, b = lists_of([[1, 2, 3]] * 50), lists_of([[4, 5, 6]] * 50)
    before = a.items.copy()
    one, again = (team_draft(a, b, 3, rng=np.random.default_rng(1)) for _ in range(2))
    assert_array_equal(one.items, again.items)
    assert_array_equal(a.items, before)


# ---------------------------------------------------------------------------------------------------------- preference
TEAM = np.array([[0, 1], [1, 0], [0, 1], [1, -1]])


def test_credit_by_hand():
    assert_array_equal(credit([[1, 0], [1, 1], [0, 1], [1, 9]], TEAM), [-1, 0, 1, 1])
    assert_array_equal(credit([[2.5, 0], [1, 3], [0, 1], [0, 9]], TEAM), [-2.5, -2, 1, 0])


def test_wins_ties_and_the_sign_test():
    found = preference([[1, 0], [1, 1], [0, 1], [1, 0]], TEAM)
    assert (found.wins_a, found.wins_b, found.ties) == (1, 2, 1)
    assert (found.share_b, found.p_value) == (2 / 3, 1)  # three coins never fall more evenly
    assert "b wins 2 of 3 (66.7%" in found.sentence and "may be chance" in found.sentence


@pytest.mark.parametrize("wins_a, wins_b", [(0, 5), (5, 0), (30, 12)])
def test_at_an_end_of_the_interval_so_many_wins_are_just_rare_enough(wins_a, wins_b):
    team = np.array([[0, 1]] * (wins_a + wins_b))
    clicks = np.array([[1, 0]] * wins_a + [[0, 1]] * wins_b)
    found = preference(clicks, team, level=0.9)
    n = wins_a + wins_b
    assert found.low == 0 if not wins_b else binom.sf(wins_b - 1, n, found.low) == pytest.approx(0.05)
    assert found.high == 1 if not wins_a else binom.cdf(wins_b, n, found.high) == pytest.approx(0.05)
    p = sum(chance for chance in binom.pmf(range(n + 1), n, 0.5) if chance <= binom.pmf(wins_b, n, 0.5) * (1 + 1e-9))
    assert found.p_value == pytest.approx(p)


def test_a_users_sessions_are_added_up():
    # user 5 prefers a by 1 and b by 2: one win for b; user 6: a tie
    clicks, team = [[1, 0], [0, 1], [0, 1], [1, 1]], np.array([[0, 1]] * 4)
    found = preference(clicks, team, users=[5, 5, 5, 6])
    assert (found.wins_a, found.wins_b, found.ties) == (0, 1, 1)


def test_nobody_clicked():
    found = preference(np.zeros((4, 2)), TEAM)
    assert (found.ties, found.p_value) == (4, 1) and np.isnan(found.share_b)
    assert found.sentence == "Nobody preferred either list (4 ties)."


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: credit([[1, 0]], [[0, 2]]), ValueError, "0 for a, 1 for b and -1 for padding, got .2."),
        (lambda: credit([[1, 0]], [[0]]), ValueError, "must both be .sessions, places., got"),
        (lambda: credit([[np.nan, 0]], [[0, 1]]), ValueError, "finite numbers"),
        (lambda: preference([[1, 0]], [[0, 1]], users=[1, 2]), ValueError, "one per session .1."),
        (lambda: preference([[1, 0]], [[0, 1]], level=0), ValueError, "level must lie between 0 and 1, got 0"),
        (lambda: team_draft(lists_of([[1]]), lists_of([[1], [2]]), 1, rng=Coins([[0]])), ValueError, "same users"),
        (lambda: team_draft(lists_of([[1]]), lists_of([[1]]), 0, rng=Coins([[0]])), ValueError, "k must be at least 1"),
        (lambda: team_draft(lists_of([[1]]), lists_of([[1]]), 1, rng=7), TypeError, "rng must be a np.random"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
