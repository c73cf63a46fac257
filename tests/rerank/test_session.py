"""Lifting what is near the session: by hand, against a version for one user at a time, and what is not known."""

import copy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils.core import TopK, UserBatch
from reco_utils.rerank.session import SessionLift

LABELS = np.array(["pots", "pots", "pots", "tea", "tea", "oil", None], object)
PRICES = np.array([10.0, 20.0, 40.0, 10.0, np.nan, 80.0, 20.0])


def lists_of(items, scores):
    items = np.array(items, np.int32)
    users = pd.Index([f"u{b}" for b in range(len(items))])
    return TopK(users, items, np.where(items >= 0, scores, np.nan).astype(np.float32))


def batch_of(n_users, n_items=7):
    nothing, users = csr_matrix((n_users, n_items), dtype=np.float32), pd.Index([f"u{b}" for b in range(n_users)])
    profiles = pd.DataFrame({"user_id": users})
    return UserBatch(users, np.full(n_users, -1, np.int32), nothing, np.zeros(0, "M8[us]"), nothing > 0, profiles)


def close(session, items, **fields):
    """Closeness of the listed items for one session, by item."""
    found = SessionLift([session], **fields)(lists_of([items], [np.arange(len(items), 0, -1)]), batch_of(1), len(items))
    return dict(zip(found.items[0].tolist(), found.notes["closeness"][0].tolist()))


def test_closeness_to_categories_is_the_share_of_clicks():
    found = close([0, 0, 1, 3, 6], [5, 2, 4], labels=LABELS)  # 3 of 4 known clicks on pots, 1 on tea
    assert found == {5: 0, 2: 0.75, 4: 0.25}


def test_closeness_to_prices_is_a_gaussian_of_the_factor():
    found = close(
        [0, 1, 2, 4], [0, 1, 2, 5], prices=PRICES, price_factor=2
    )  # middle 20; 10 and 40 are a factor of 2 away, 80 of 4
    assert_allclose([found[i] for i in (0, 1, 2, 5)], [np.exp(-0.5), 1, np.exp(-0.5), np.exp(-2)], rtol=1e-6)
    found = close([1], [0, 5], prices=PRICES, price_factor=4.0)
    assert_allclose([found[0], found[5]], [np.exp(-1 / 8), np.exp(-0.5)], rtol=1e-6)


def test_the_middle_price_of_an_even_session_is_half_way_on_the_scale_of_factors():
    assert_allclose(close([0, 2], [1], prices=PRICES)[1], 1, rtol=1e-6)  # 10 and 40: 20


def test_closeness_is_the_product_of_both():
    found = close([0, 1, 2, 3], [0, 3, 5], labels=LABELS, prices=PRICES, price_factor=2)
    near = np.exp(-0.5 * 0.5**2)  # the middle is sqrt(10 * 20), half a factor of two above 10
    assert_allclose([found[0], found[3], found[5]], [0.75 * near, 0.25 * near, 0], rtol=1e-6)


def test_values_and_order_by_hand():
    # relevance 1, 0.8, 0.5, 0; the session is tea only: closeness 0, 0, 1, 0
    lists = lists_of([[0, 5, 3, 1]], [[10, 8, 5, 0]])
    order = [SessionLift([[4]], LABELS, lift=lift)(lists, batch_of(1), 4) for lift in (0, 0.5, 0.7, 1.1)]
    # 0.5 becomes 0.5, 0.75, 0.85 and 1.05
    assert [found.items[0].tolist() for found in order] == [[0, 5, 3, 1], [0, 5, 3, 1], [0, 3, 5, 1], [3, 0, 5, 1]]
    assert order[3].scores.tolist() == [[5, 10, 8, 0]]


def test_what_is_not_known_counts_as_the_mean_of_the_others():
    found = close([0, 3], [0, 3, 5, 6], labels=LABELS)  # 1/2, 1/2, 0, and 6 has no category
    assert found[6] == pytest.approx(1 / 3)
    found = close([1], [0, 1, 4], prices=PRICES, price_factor=2)  # 4 has no price
    assert found[4] == pytest.approx((1 + np.exp(-0.5)) / 2)


def test_zero_and_negative_prices_are_not_known():
    prices = np.array([10, 20, 0, -5, np.nan, np.inf, 20.0])
    assert close([1, 2, 3, 5], [0, 2, 3, 5], prices=prices, price_factor=2) == {
        i: pytest.approx(np.exp(-0.5)) for i in (0, 2, 3, 5)
    }


def test_a_session_that_says_nothing_of_a_kind_leaves_it_out():
    found = close([4], [0, 3], labels=LABELS, prices=PRICES)  # tea without a price
    assert found == {0: 0, 3: 1}
    found = close([6], [0, 1], labels=LABELS, prices=PRICES, price_factor=2)  # a price without a category
    assert_allclose([found[0], found[1]], [np.exp(-0.5), 1], rtol=1e-6)


def test_without_a_session_the_list_stays_as_it_is():
    lists = lists_of([[3, 0, 5, -1]], [[3, 2, 1, 0]])
    found = SessionLift([[]], LABELS, PRICES, lift=5)(lists, batch_of(1), 4)
    assert_array_equal(found.items, lists.items)
    assert np.isnan(found.notes["closeness"]).all()


def test_nothing_is_dropped_and_padding_stays_at_the_end():
    lists = lists_of([[3, 0, -1, -1], [-1, -1, -1, -1]], [[3, 2, 0, 0], [0, 0, 0, 0]])
    found = SessionLift([[0], [1]], LABELS, PRICES, lift=5)(lists, batch_of(2), 6)
    assert sorted(found.items[0].tolist()) == [-1, -1, -1, -1, 0, 3] and (found.items[0, 2:] == -1).all()
    assert (found.items[1] == -1).all() and np.isnan(found.scores[1]).all()
    assert SessionLift([[0], [1]], LABELS)(lists, batch_of(2), 1).items.shape == (2, 1)


def test_equal_values_keep_their_order():
    lists = lists_of([[2, 0, 1]], [[1, 1, 1]])
    assert SessionLift([[3]], LABELS, lift=1)(lists, batch_of(1), 3).items.tolist() == [[2, 0, 1]]


# ---------------------------------------------------------------------------------------------------------- the oracle
def one_by_one(items, scores, clicks, lift, factor):
    """The new order for one user, in plain words; `clicks` is item: how often."""
    items = [i for i in items if i >= 0]
    if not items:
        return []
    scores = scores[: len(items)]
    spread = scores.max() - scores.min()
    worth = [(s - scores.min()) / spread if spread else 1.0 for s in scores]
    known = {i: n for i, n in clicks.items() if LABELS[i] is not None}
    prices = [np.log(PRICES[i]) for i in clicks if PRICES[i] > 0]
    share = near = [None] * len(items)
    if known:
        of = {i: sum(n for j, n in known.items() if LABELS[j] == LABELS[i]) / sum(known.values()) for i in items}
        share = [None if LABELS[i] is None else of[i] for i in items]
    if prices:
        near = [
            np.exp(-((np.log(PRICES[i]) - np.median(prices)) ** 2) / 2 / np.log(factor) ** 2) if PRICES[i] > 0 else None
            for i in items
        ]
    parts = []
    for part in (share, near):
        there = [p for p in part if p is not None]
        if there:
            parts.append([np.mean(there) if p is None else p for p in part])
    closeness = np.prod(parts, axis=0) if parts else np.zeros(len(items))
    value = np.array(worth) * (1 + lift * closeness)
    return [items[i] for i in sorted(range(len(items)), key=lambda i: (-round(value[i], 9), i))]


@pytest.mark.parametrize("seed", range(3))
def test_all_users_at_once_get_what_one_by_one_they_would(seed):
    rng = np.random.default_rng(seed)
    items = np.array([rng.permutation(7)[:6] for _ in range(80)])
    items[np.arange(6) >= rng.integers(0, 7, 80)[:, None]] = -1
    lists = lists_of(items, -np.sort(-rng.random((80, 6)), axis=1))
    clicks = rng.integers(1, 4, (80, 7)) * (rng.random((80, 7)) < 0.3)
    found = SessionLift(csr_matrix(clicks), LABELS, PRICES, lift=2, price_factor=1.5)(lists, batch_of(80), 6)
    positions = [np.repeat(np.arange(7), row) for row in clicks]
    same = SessionLift(positions, LABELS, PRICES, lift=2, price_factor=1.5)(lists, batch_of(80), 6)
    assert_array_equal(found.items, same.items)
    for b in range(80):
        mine = {i: int(n) for i, n in enumerate(clicks[b]) if n}
        expected = one_by_one(items[b], lists.scores[b].astype(float), mine, 2, 1.5)
        assert found.items[b].tolist() == expected + [-1] * (6 - len(expected))


def test_nothing_of_the_callers_is_changed():
    lists, session = lists_of([[3, 0, 5]], [[3, 2, 1]]), csr_matrix([[0, 0, 2, 0, 0, 1.0, 0]])
    before = copy.deepcopy((lists.items, lists.scores, session.data, PRICES))
    SessionLift(session, LABELS, PRICES)(lists, batch_of(1), 3)
    for old, new in zip(before, (lists.items, lists.scores, session.data, PRICES)):
        assert_array_equal(old, new)


def test_no_users_no_lists():
    found = SessionLift([], LABELS, PRICES)(lists_of(np.empty((0, 4)), np.empty((0, 4))), batch_of(0), 2)
    assert found.items.shape == (0, 2)


@pytest.mark.parametrize(
    "fields, error, match",
    [
        (dict(lift=-1), ValueError, "lift must be a finite number of at least 0, got -1"),
        (dict(price_factor=1), ValueError, "price_factor must be a finite number above 1, got 1"),
        (dict(labels=None, prices=None), ValueError, "needs labels, prices or both, got neither"),
        (dict(labels=LABELS[:3]), ValueError, "labels must describe the 7 items of the batch, got 3"),
        (dict(prices=PRICES[:3]), ValueError, "prices must describe the 7 items of the batch, got 3"),
        (dict(prices=[[1.0]]), ValueError, r"prices must be one per item, got an array of shape \(1, 1\)"),
        (dict(session=[[0], [1]]), ValueError, r"session must be requests x items, \(1, 7\), got \(2, 7\)"),
        (dict(session=[[7]]), IndexError, r"positions must be 0 to 6, got \[7\]"),
        (dict(session=[[-1]]), IndexError, r"positions must be 0 to 6, got \[-1\]"),
    ],
)
def test_what_cannot_be_is_refused(fields, error, match):
    with pytest.raises(error, match=match):
        SessionLift(**{"session": [[0]], "labels": LABELS, **fields})(lists_of([[0]], [[1]]), batch_of(1), 1)


def test_the_same_lift_for_another_session_is_as_if_made_for_it():
    lists, batch = lists_of([[5, 2, 4, 0]], [[4, 3, 2, 1]]), batch_of(1)
    before = SessionLift([[5]], LABELS, PRICES, lift=2.0)
    after, new = before.of([[0, 3]]), SessionLift([[0, 3]], LABELS, PRICES, lift=2.0)
    assert_array_equal(after(lists, batch, 4).items, new(lists, batch, 4).items)
    assert_allclose(after(lists, batch, 4).notes["closeness"], new(lists, batch, 4).notes["closeness"])
    assert before.session == [[5]]
