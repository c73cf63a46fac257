"""Exploration: propensities by hand, by simulation and in use; Beta draws against numerical integration; surprises."""

import copy
from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils.core import TopK, UserBatch
from reco_utils.rerank.explore import EpsilonGreedy, Serendipity, Thompson, burst
from tests.test_highest import integrated


def lists_of(items, users=None):
    items = np.array(items, np.int32)
    users = pd.Index([f"u{b}" for b in range(len(items))] if users is None else users)
    scores = np.tile(np.linspace(1, 0.1, items.shape[1], dtype=np.float32), (len(items), 1))
    return TopK(users, items, np.where(items >= 0, scores, np.nan).astype(np.float32))


def batch_of(history, seen=None):
    history = csr_matrix(np.array(history, np.float32))
    users = pd.Index([f"u{b}" for b in range(history.shape[0])])
    seen = history > 0 if seen is None else csr_matrix(np.array(seen, bool))
    profiles = pd.DataFrame({"user_id": users})
    return UserBatch(
        users, np.arange(len(users), dtype=np.int32), history, np.zeros(history.nnz, "M8[us]"), seen, profiles
    )


def many(row, n):
    """The same list for n users."""
    return lists_of(np.tile(row, (n, 1)), users=np.arange(n))


def nobody(n, n_items):
    """A batch of n strangers."""
    users, nothing = pd.Index(np.arange(n)), csr_matrix((n, n_items), dtype=np.float32)
    at = np.full(n, -1, np.int32)
    return UserBatch(users, at, nothing, np.zeros(0, "M8[us]"), nothing > 0, pd.DataFrame({"user_id": users}))


def rng(seed=0):
    return np.random.default_rng(seed)


# -------------------------------------------------------------------------------------------------------------- bursts
def test_a_burst_comes_on_the_first_days_of_every_cycle():
    assert [burst(day, 0.1, 0.4, 5, 2) for day in range(7)] == [0.4, 0.4, 0.1, 0.1, 0.1, 0.4, 0.4]
    assert burst(np.array([[0, 2], [5, 9]]), 0.1, 0.4, 5, 2).tolist() == [[0.4, 0.1], [0.4, 0.1]]
    assert burst(-1, 0.1, 0.4, 5, 2) == 0.1 and isinstance(burst(3), float)
    assert {burst(day, 0.1, 0.4, 5, 0) for day in range(9)} == {0.1}
    assert {burst(day, 0.1, 0.4, 5, 5) for day in range(9)} == {0.4}


@pytest.mark.parametrize(
    "days, error, match",
    [
        (dict(usual=0.4, peak=0.1), ValueError, "usual <= peak <= 1 must hold, got usual=0.4 and peak=0.1"),
        (dict(peak=1.2), ValueError, "usual <= peak <= 1"),
        (dict(every_days=3, lasts_days=4), ValueError, "must last 0 to every_days=3 days, got lasts_days=4"),
        (dict(every_days=0, lasts_days=0), ValueError, "every_days=0"),
        (dict(day=1.5), TypeError, "day must be a whole number of days, got 1.5"),
    ],
)
def test_a_burst_that_cannot_be_is_refused(days, error, match):
    with pytest.raises(error, match=match):
        burst(**{"day": 1, **days})


# ------------------------------------------------------------------------------------------- all lists of a policy
def worked_out(base, pool, share, k, odds):
    """Every list a policy can make with its probability: {items: [propensity of each place]}, for one user, plainly.

    `odds(free)` gives the chance of each of the pool's items that are free.
    """
    found = {(): []}
    for _ in range(k):
        longer = {}
        for items, chances in found.items():
            best = next((i for i in base if i not in items), None)
            free = [i for i in pool if i not in items]
            explore = 0 if not free else 1 if best is None else share
            step = {} if best is None else {best: 1 - explore}
            for item, chance in zip(free, odds(free) if free else []):
                step[item] = step.get(item, 0) + explore * chance
            longer |= {(*items, i): [*chances, p] for i, p in step.items() if p > 0} or {items: chances}
        found = longer
    return found


def evenly(free):
    return [1 / len(free)] * len(free)


def check_lists(found, expected, precision):
    """Every list is a possible one, notes its propensities, and comes about as often as they say."""
    n = len(found)
    rows, counts = np.unique(found.items, axis=0, return_counts=True)
    seen = {tuple(item for item in row if item >= 0): at for at, row in enumerate(rows.tolist())}
    assert set(seen) <= set(expected)
    for items, chances in expected.items():
        p, at = np.prod(chances), seen.get(items)
        count = 0 if at is None else counts[at]
        assert abs(count / n - p) <= 5 * np.sqrt(p * (1 - p) / n) + precision
        if at is not None:
            padded = [*chances, *[np.nan] * (found.k - len(chances))]
            same = (found.items == rows[at]).all(axis=1)
            assert_allclose(found.notes["propensity"][same], np.tile(padded, (count, 1)), atol=precision)


def test_propensities_by_hand():
    # base 0, 1, 2; pool 1, 3. First place: 1 and 3 with epsilon / 2 each, 0 with 1 - epsilon.
    # After 0, the best is 1, which can also be drawn: (1 - epsilon) + epsilon / 2. After 1, pool and list both go on.
    found = EpsilonGreedy(many([1, 3], 2000), 0.4, rng=rng())(many([0, 1, 2], 2000), nobody(2000, 4), 2)
    by_hand = {
        (0, 1): [0.6, 0.8], (0, 3): [0.6, 0.2], (1, 0): [0.2, 0.6], (1, 3): [0.2, 0.4], (3, 0): [0.2, 0.6],
        (3, 1): [0.2, 0.4],
    }  # fmt: skip
    assert {tuple(row) for row in found.items.tolist()} == set(by_hand)
    assert_allclose(found.notes["propensity"], [by_hand[tuple(row)] for row in found.items.tolist()], atol=1e-12)
    assert worked_out([0, 1, 2], [1, 3], 0.4, 2, evenly) == {k: pytest.approx(v) for k, v in by_hand.items()}


CASES = [  # base, pool, epsilon, k
    ([0, 1, 2], [1, 3], 0.4, 3),
    ([0, 1, 2, 3], [4, 5, 6], 0.3, 3),
    ([0], [2, 3], 0.5, 3),  # the list runs out: the pool answers
    ([0, 1], [0], 0.5, 3),  # both run out: padding
    ([0, 1, 2], [], 0.5, 2),
    ([0, 1, 2], [0, 1, 2], 1.0, 2),
    ([0, 1, 2], [3], 0.0, 3),
]


@pytest.mark.parametrize("base, pool, epsilon, k", CASES)
@pytest.mark.parametrize("kind", ["lists", "flags"])
def test_propensities_are_exact_and_lists_come_as_often_as_they_say(base, pool, epsilon, k, kind):
    n = 20_000
    pool_of = {"lists": many([*pool, -1], n), "flags": np.isin(np.arange(8), pool)}[kind]
    found = EpsilonGreedy(pool_of, epsilon, rng=rng(3))(many([*base, -1], n), nobody(n, 8), k)
    expected = worked_out(base, pool, epsilon, k, evenly)
    check_lists(found, expected, 1e-12)
    assert sum(np.prod(chances) for chances in expected.values()) == pytest.approx(1)


def test_clicks_over_propensities_tell_what_the_plain_list_would_have_earned():
    n, rates = 40_000, np.array([0.30, 0.20, 0.10, 0.60, 0.05, 0.40])  # planted click rates
    found = EpsilonGreedy(many([3, 4, 5], n), 0.5, rng=rng(1))(many([0, 1, 2], n), nobody(n, 6), 2)
    clicks = rng(2).random(found.items.shape) < rates[found.items]
    weights = 1 / found.notes["propensity"].prod(axis=1)
    as_planned = (found.items == [0, 1]).all(axis=1)
    values = clicks.sum(axis=1) * as_planned * weights
    assert abs(values.mean() - 0.5) < 5 * values.std() / np.sqrt(n)  # 0.30 + 0.20
    assert abs((as_planned * weights).mean() - 1) < 5 * (as_planned * weights).std() / np.sqrt(n)
    assert clicks.sum(axis=1).mean() > 0.54  # the naive mean is that of the exploring lists, not of the plain one
    first = found.items[:, 0]
    for item in (0, 3, 4, 5):  # each item's own rate, from the places it got
        weighted = (first == item) * clicks[:, 0] / found.notes["propensity"][:, 0]
        assert abs(weighted.mean() - rates[item]) < 5 * weighted.std() / np.sqrt(n)


def test_about_epsilon_of_the_places_are_explored():
    n = 5000
    found = EpsilonGreedy(many(range(50, 90), n), 0.12, rng=rng())(many(range(20), n), nobody(n, 90), 10)
    assert abs(found.notes["explored"].mean() - 0.12) < 5 * np.sqrt(0.12 * 0.88 / (10 * n))
    assert_array_equal(found.notes["explored"], found.items >= 50)


def test_without_exploration_the_list_stays_as_it_is():
    lists = many(range(5), 3)
    found = EpsilonGreedy(many([7, 8], 3), 0, rng=rng())(lists, nobody(3, 9), 5)
    assert_array_equal(found.items, lists.items)
    assert_array_equal(found.scores, lists.scores)
    assert (found.notes["propensity"] == 1).all()


def test_flags_leave_out_what_the_user_has_seen():
    seen = np.zeros((2, 4), bool)
    seen[0, [2, 3]] = True
    found = EpsilonGreedy(np.array([False, False, True, True]), 1.0, rng=rng())(
        lists_of([[0, 1], [0, 1]]), batch_of(np.zeros((2, 4)), seen), 2
    )
    assert found.items[0].tolist() == [0, 1] and (found.notes["propensity"][0] == 1).all()
    assert sorted(found.items[1]) == [2, 3] and found.notes["propensity"][1].tolist() == [0.5, 1]


def test_explored_items_get_the_lowest_score_of_the_list():
    found = EpsilonGreedy(many([7, 8], 1), 1.0, rng=rng())(many([0, 1, 2], 1), nobody(1, 9), 3)
    assert set(found.items[0, :2]) == {7, 8} and found.items[0, 2] == 0
    assert_allclose(found.scores[0], [0.1, 0.1, 1])


@pytest.mark.parametrize("policy", ["epsilon", "thompson"])
def test_the_same_seed_gives_the_same_lists_and_the_same_places_whatever_the_blocks(policy, monkeypatch):
    n, pool = 300, many(range(10, 30), 300)

    def run():
        ones = np.ones(30)
        made = (
            EpsilonGreedy(pool, 0.3, rng=rng())
            if policy == "epsilon"
            else Thompson(ones, 2 * ones, pool, 0.3, rng=rng())
        )
        return made(many(range(15), n), nobody(n, 30), 10)

    first, again = run(), run()
    assert_array_equal(first.items, again.items)
    assert_array_equal(first.notes["propensity"], again.notes["propensity"])
    monkeypatch.setattr("reco_utils.rerank.explore.CELLS", 7 * 512)  # seven lists at once
    assert_array_equal(run().notes["explored"], first.notes["explored"])


def test_no_item_twice_and_none_from_elsewhere():
    n = 500
    found = EpsilonGreedy(many(range(3, 9), n), 0.5, rng=rng())(many(range(6), n), nobody(n, 12), 9)
    assert all(sorted(row) == list(range(9)) for row in found.items.tolist())


def test_nothing_of_the_callers_is_changed():
    pool, flags, lists = many([7, 8], 4), np.arange(9) > 6, many([0, 1, 2], 4)
    before = copy.deepcopy((pool.items, flags, lists.items, lists.scores))
    for these in (pool, flags):
        EpsilonGreedy(these, 0.5, rng=rng())(lists, nobody(4, 9), 3)
    for old, new in zip(before, (pool.items, flags, lists.items, lists.scores)):
        assert_array_equal(old, new)


def test_no_users_no_lists():
    found = EpsilonGreedy(np.ones(4, bool), rng=rng())(lists_of(np.empty((0, 3))), nobody(0, 4), 2)
    assert found.items.shape == found.notes["propensity"].shape == (0, 2)


def test_a_policy_that_cannot_be_is_refused():
    flags = np.ones(4, bool)
    with pytest.raises(ValueError, match="epsilon must be from 0 to 1, got 1.2"):
        EpsilonGreedy(flags, 1.2, rng=rng())
    with pytest.raises(TypeError, match=r"rng must be a np.random.Generator, got 0; np.random.default_rng\(seed\)"):
        EpsilonGreedy(flags, rng=0)
    with pytest.raises(TypeError, match="pool must be a TopK or one bool per item, got list"):
        EpsilonGreedy([1, 2], rng=rng())
    with pytest.raises(ValueError, match="pool must describe the 5 items of the batch, got 4"):
        EpsilonGreedy(flags, rng=rng())(many([0], 1), nobody(1, 5), 1)
    with pytest.raises(ValueError, match="pool 'pool' has no list of its own for user"):
        EpsilonGreedy(many([0], 2), rng=rng())(many([0], 3), nobody(3, 5), 1)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        EpsilonGreedy(flags, rng=rng())(many([0], 1), nobody(1, 4), 0)


# ------------------------------------------------------------------------------------------------------------ Thompson
@pytest.mark.parametrize("kind", ["lists", "flags"])
def test_thompsons_propensities_are_those_of_its_draws(kind):
    n, successes, trials = 20_000, np.array([0, 0, 3, 1, 0]), np.array([9, 0, 9, 1, 0])
    base, pool, share, k = [0, 2], [2, 3, 4], 0.6, 2
    pool_of = {"lists": many(pool, n), "flags": np.isin(np.arange(5), pool)}[kind]
    found = Thompson(successes, trials, pool_of, share, rng=rng(4))(many(base, n), nobody(n, 5), k)
    a, b = 1 + successes, 1 + trials - successes
    expected = worked_out(base, pool, share, k, lambda free: integrated(a[free], b[free]))
    check_lists(found, expected, 5e-4)


def test_few_and_many_pool_items_have_the_same_propensities(monkeypatch):
    n, ones = 50, np.arange(40.0)
    tables = []
    for few in (0.0, 1.1):  # the dense product and the sparse one
        monkeypatch.setattr("reco_utils.highest.FEW_SHARE", few)
        tables.append(
            Thompson(ones, 2 * ones, many(range(20, 40), n), 0.5, rng=rng())(many(range(10), n), nobody(n, 40), 6)
        )
    assert_array_equal(tables[0].items, tables[1].items)
    assert_allclose(tables[0].notes["propensity"], tables[1].notes["propensity"], atol=1e-9)


def test_thompson_finds_the_best_newcomer_sooner_than_even_draws():
    rates, n_days, n = np.linspace(0.02, 0.2, 10), 30, 200
    earned = {}
    for name in ("even", "thompson"):
        successes, trials, clicks = np.zeros(11), np.zeros(11), rng(1)
        for day in range(n_days):
            pool = many(range(1, 11), n)
            even, thompson = (
                EpsilonGreedy(pool, 1.0, rng=rng(day)),
                Thompson(successes, trials, pool, 1.0, rng=rng(day)),
            )
            policy = even if name == "even" else thompson
            shown = policy(many([0], n), nobody(n, 11), 1).items[:, 0]
            hit = clicks.random(n) < rates[shown - 1]
            trials = trials + np.bincount(shown, minlength=11)
            successes = successes + np.bincount(shown, hit, minlength=11)
        earned[name] = successes.sum() / trials.sum()
    assert abs(earned["even"] - 0.11) < 0.02  # the mean rate
    assert earned["thompson"] > 0.16  # near that of the best


def test_counts_that_cannot_be_are_refused():
    flags = np.ones(3, bool)
    with pytest.raises(ValueError, match="not so for 1 items, e.g. position 1: 5 of 4"):
        Thompson([1, 5, 0], [1, 4, 0], flags, rng=rng())
    with pytest.raises(ValueError, match="not so for 2 items, e.g. position 0: nan of 1"):
        Thompson([np.nan, -1, 0], [1, 4, 0], flags, rng=rng())
    with pytest.raises(ValueError, match=r"must be one per item, got \(2,\) and \(3,\)"):
        Thompson([1, 2], [1, 4, 0], flags, rng=rng())
    with pytest.raises(ValueError, match="share must be from 0 to 1, got -0.1"):
        Thompson([1, 2, 0], [1, 4, 0], flags, -0.1, rng=rng())
    with pytest.raises(ValueError, match="successes must describe the 5 items of the batch, got 3"):
        Thompson([1, 2, 0], [1, 4, 0], flags, rng=rng())(many([0], 1), nobody(1, 5), 1)


# --------------------------------------------------------------------------------------------------------- serendipity
LABELS = np.array(["pots"] * 6 + ["tea"] * 4 + ["oil"] * 3 + [None], object)
POTS = np.zeros((1, 14))
POTS[0, [4, 5]] = 1
LONG = [[0, 1, 2, 3, 6, 7, 10, 8, 13, 11]]


def test_surprises_by_hand():
    found = Serendipity(LABELS, share=0.2)(lists_of(LONG), batch_of(POTS), 6)
    # 0.2 of six places are floor(1.2 + 0.5) = 1: the last one. The best far candidate that is left there is 7
    assert found.items.tolist() == [[0, 1, 2, 3, 6, 7]]
    found = Serendipity(LABELS, share=0.4)(lists_of(LONG), batch_of(POTS), 5)
    # 2 of 5: the 3rd and the 5th place; 6 moves up from 5th to 3rd, then 7
    assert found.items.tolist() == [[0, 1, 6, 2, 7]]
    assert found.notes["surprise"].tolist() == [[False, False, True, False, True]]
    assert_allclose(found.scores, lists_of(LONG).scores[:, [0, 1, 4, 2, 5]])


@pytest.mark.parametrize(
    "k, share, places",
    [
        (10, 0.15, [4, 9]),
        (10, 0.1, [9]),
        (10, 0.2, [4, 9]),
        (1, 0.5, []),
        (2, 0.5, [1]),
        (7, 0.5, [2, 4, 6]),
        (3, 0.15, []),
    ],
)
def test_surprises_are_spread_and_never_first(k, share, places):
    lists = lists_of([np.arange(20)])
    labels, history = np.repeat(["near", "far"], 10), np.zeros((1, 20))
    history[0, 0] = 1
    found = Serendipity(labels, share)(lists, batch_of(history), k)
    assert np.flatnonzero(found.notes["surprise"][0]).tolist() == places
    assert found.items[0, places].tolist() == list(range(10, 10 + len(places)))


def test_a_stranger_is_not_surprised():
    for traits in (LABELS, np.eye(14)):
        found = Serendipity(traits, 0.5)(lists_of(LONG), batch_of(np.zeros((1, 14))), 10)
        assert found.items.tolist() == LONG and not found.notes["surprise"].any()


def test_where_nothing_is_far_the_list_stays_as_it_is():
    found = Serendipity(LABELS, 0.5)(lists_of([[0, 1, 2, 13, -1]]), batch_of(POTS), 5)
    assert found.items.tolist() == [[0, 1, 2, 13, -1]] and not found.notes["surprise"].any()


def test_far_vectors_are_those_with_the_lowest_cosines():
    # the history points to (1, 0); cosines of 0 to 4: 1, 0.8, 0.6, 0, not known
    vectors = np.array([[2.0, 0], [4, 3], [3, 4], [0, 1], [0, 0], [1, 0]])
    history = np.zeros((1, 6))
    history[0, 5] = 2
    lists, batch = lists_of([[0, 1, 4, 2, 3, -1]]), batch_of(history)
    for traits in (vectors, csr_matrix(vectors)):
        assert Serendipity(traits, far_share=0.25).far(lists, batch).tolist() == [[False] * 4 + [True, False]]
        assert Serendipity(traits, far_share=0.26).far(lists, batch).tolist() == [[False] * 3 + [True, True, False]]
        assert Serendipity(traits, far_share=0.5).far(lists, batch).tolist() == [[False] * 3 + [True, True, False]]
        found = Serendipity(traits, 0.5, far_share=0.5)(lists, batch, 4)
        assert found.items.tolist() == [[0, 2, 1, 3]]  # 2nd and 4th place


def surprised_one_by_one(items, far, k, n):
    """Surprises for one user, in plain words."""
    places = {int(np.ceil((part + 1) * k / n)) - 1 for part in range(n)}
    chosen = []
    for place in range(k):
        left = [i for i in items if i >= 0 and i not in chosen]
        wanted = [i for i in left if i in far] if place in places else []
        chosen += (wanted or left)[:1]
    return chosen + [-1] * (k - len(chosen))


@pytest.mark.parametrize("k", [4, 9, 20])
def test_all_users_at_once_get_what_one_by_one_they_would(k):
    draw = rng(9)
    items = np.array([draw.permutation(14)[:12] for _ in range(50)])
    items[np.arange(12) >= draw.integers(0, 13, 50)[:, None]] = -1
    history = (draw.random((50, 14)) < draw.choice([0, 0.1, 0.2], 50)[:, None]).astype(float)
    found = Serendipity(LABELS, 0.3)(lists_of(items), batch_of(history), k)
    for b in range(50):
        mine = set(LABELS[np.flatnonzero(history[b])]) - {None}
        far = {i for i in range(13) if LABELS[i] not in mine} if mine else set()
        assert found.items[b].tolist() == surprised_one_by_one(items[b], far, k, min(int(0.3 * k + 0.5), k // 2))


def test_a_surprise_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="share must be from 0 to 0.5, got 0.6"):
        Serendipity(LABELS, 0.6)
    with pytest.raises(ValueError, match="far_share must be above 0 and at most 1, got 0"):
        Serendipity(LABELS, far_share=0)
    with pytest.raises(ValueError, match="traits must describe the 14 items of the batch, got 3"):
        Serendipity(np.eye(3))(lists_of(LONG), batch_of(POTS), 3)


def test_every_list_of_two_policies_in_a_row_is_whole():
    lists, batch = lists_of([*LONG, *LONG]), batch_of(np.tile(POTS, (2, 1)))
    for order in product([0, 1], repeat=2):
        made = (Serendipity(LABELS, 0.3), EpsilonGreedy(np.arange(14) > 10, 0.3, rng=rng()))
        found = lists
        for which in order:
            found = made[which](found, batch, 10)
        assert all(len(set(row)) == 10 and min(row) >= 0 for row in found.items.tolist())
