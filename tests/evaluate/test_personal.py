"""Lists beside their users: numbers worked out by hand, naive loops and others' formulas as oracles, the edges."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import entropy

from reco_utils.core import Dataset, TopK
from reco_utils.evaluate.personal import (
    Calibration,
    Personalisation,
    PopularityLift,
    Serendipity,
    calibration,
    personalisation,
    popularity_lift,
    serendipity,
)


def lists_of(items, users=None):
    items = np.array(items, np.int32)
    users = pd.Index([f"u{b}" for b in range(len(items))] if users is None else users)
    return TopK(users, items, np.zeros(items.shape, np.float32))


def train_of(owned):
    """A Dataset of a dense (U, I) array of weights."""
    weights = csr_matrix(np.asarray(owned, np.float32))
    users, items = (pd.Index([f"{c}{n}" for n in range(size)]) for c, size in zip("ui", weights.shape))
    catalog, profiles = pd.DataFrame({"item_id": items}), pd.DataFrame({"user_id": users})
    last = np.full(weights.nnz, np.datetime64("2024-01-01", "us"))
    return Dataset(users, items, weights, last, weights > 0, catalog, profiles, pd.Timestamp("2024-01-02"))


def truth_of(*rows, n_items=5):
    truth = np.zeros((len(rows), n_items))
    for b, row in enumerate(rows):
        truth[b, list(row)] = 1
    return csr_matrix(truth)


TRAIN = train_of([[1, 1, 0, 0, 0], [2, 1, 1, 0, 0], [5, 0, 0, 1, 0]])  # 3, 2, 1, 1 and 0 of 3 users had them
LABELS = ["a", "a", "b", "c", None]


def at_random(seed=0, n_users=40, n_items=12, k=5):
    """Lists of all lengths from 0 to k, a truth, and the Dataset they belong to; nobody had the first item."""
    rng = np.random.default_rng(seed)
    items = np.array([rng.permutation(n_items)[:k] for _ in range(n_users)])
    items[np.arange(k) >= rng.integers(0, k + 1, n_users)[:, None]] = -1
    owned = rng.integers(1, 6, (n_users, n_items)) * (rng.random((n_users, n_items)) < 0.3)
    owned[:, 0], owned[:3] = 0, 0
    return lists_of(items), csr_matrix(rng.random((n_users, n_items)) < 0.25, dtype=float), train_of(owned)


# --------------------------------------------------------------------------------------------------------- serendipity
def test_serendipity_by_hand():
    # popularity ranks 1, 2, 3, 3 and none: q is 5/5, 4/5, 3/5, 3/5 and 0; p is 5/5, 4/5, 3/5
    lists = lists_of([[4, 2, 0], [2, 3, 1], [3, -1, -1], [4, 2, 0]])
    found = serendipity(lists, truth_of([4, 2], [2, 3, 1], [3], []), TRAIN)
    np.testing.assert_allclose(found, [(1 + 1 / 5) / 3, (2 / 5 + 1 / 5 + 0) / 3, (2 / 5) / 3, np.nan])


def test_bestsellers_in_their_order_are_no_surprise():
    assert serendipity(lists_of([[0, 1, 2]]), truth_of([0, 1, 2]), TRAIN).tolist() == [0]


def test_serendipity_of_an_example_by_rectools():
    # its documentation, lists cut to full ones: two items a user, of which nobody had the third
    train = train_of([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0]])
    lists, truth = lists_of([[0, 1], [1, 2], [1, 2]]), truth_of([0, 1], [1, 2], [1], n_items=4)
    np.testing.assert_allclose(serendipity(lists, truth, train), [0, 0.5, 0.125])
    np.testing.assert_allclose(serendipity(lists.cut(1), truth, train), [0, 0.25, 0.25])


def naive_serendipity(lists, truth, train):
    """RecTools' documented formula, in loops."""
    owners, n_items = (train.weights.toarray() > 0).sum(axis=0), len(train.items)
    ranks = {count: 1 + r for r, count in enumerate(sorted({c for c in owners if c}, reverse=True))}
    found = []
    for row, wanted in zip(lists.items, truth.toarray()):
        total = 0.0
        for place, item in enumerate(row, 1):
            if item >= 0 and wanted[item]:
                p = (n_items + 1 - place) / n_items
                q = (n_items + 1 - ranks[owners[item]]) / n_items if owners[item] else 0
                total += max(p - q, 0)
        found.append(total / len(row) if wanted.any() else np.nan)
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_serendipity_is_that_of_a_loop(seed):
    lists, truth, train = at_random(seed)
    found = serendipity(lists, truth, train)
    np.testing.assert_allclose(found, naive_serendipity(lists, truth, train), atol=1e-12)
    assert np.nanmax(found) > 0.05


def test_without_any_truth_serendipity_is_undefined():
    assert np.isnan(serendipity(lists_of([[0, 1]]), truth_of([]), TRAIN)).all()


# --------------------------------------------------------------------------------------------------------- calibration
def test_calibration_by_hand():
    # by weight the history is 3/4 a and 1/4 b (the last item has no label), the list 1/3 of each of a, b and c
    train = train_of([[2, 1, 1, 0, 7]])
    found = calibration(lists_of([[1, 2, 3, 4]]), train.batch(["u0"]), LABELS)
    a = 3 / 4 * np.log((3 / 4) / (0.99 / 3 + 0.01 * 3 / 4))
    b = 1 / 4 * np.log((1 / 4) / (0.99 / 3 + 0.01 * 1 / 4))
    np.testing.assert_allclose(found, [a + b])


def test_a_list_with_the_mix_of_the_history_is_calibrated_and_one_with_none_of_it_is_as_far_off_as_can_be():
    batch = train_of([[1, 1, 1, 1, 0], [0, 0, 4, 0, 0]]).batch(["u0", "u1"])
    found = calibration(lists_of([[0, 1, 2, 3], [0, 1, 3, -1]]), batch, LABELS)
    np.testing.assert_allclose(found, [0, np.log(100)], atol=1e-12)
    assert calibration(lists_of([[0], [0]]), batch, LABELS, prior=0.1)[1] == pytest.approx(np.log(10))


def test_without_labels_in_history_or_list_calibration_is_undefined():
    batch = train_of([[1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]).batch(["u0", "u1", "u2"])
    found = calibration(lists_of([[4, -1], [0, 1], [0, 1]]), batch, LABELS)
    assert np.isnan(found).all()


def naive_calibration(lists, history, labels):
    names, found = sorted({label for label in labels if label}), []
    for row, weights in zip(lists.items, history.toarray()):
        p = np.array([sum(w for w, label in zip(weights, labels) if label == name) for name in names])
        q = np.array([sum(labels[i] == name for i in row if i >= 0) for name in names])
        if p.sum() and q.sum():
            p, q = p / p.sum(), q / q.sum()
            found.append(entropy(p, 0.99 * q + 0.01 * p))  # scipy's own Kullback-Leibler divergence
        else:
            found.append(np.nan)
    return found


def test_calibration_is_the_divergence_of_a_loop():
    lists, _, train = at_random()
    labels = np.array([None, "a", "b", "c"], object)[np.arange(12) % 4]
    found = calibration(lists, train.batch(lists.users), labels)
    np.testing.assert_allclose(found, naive_calibration(lists, train.weights, labels), atol=1e-9)
    assert np.isnan(found[:3]).all() and np.nanmax(found) > 1


# ----------------------------------------------------------------------------------------------------- personalisation
def test_personalisation_by_hand():
    # overlaps 2/3, 0 and 0
    assert personalisation(lists_of([[0, 1, 2], [1, 0, 3], [4, 5, 6]])) == pytest.approx(1 - 2 / 9)
    assert personalisation(lists_of([[0, 1], [1, 0], [0, 1]])) == pytest.approx(0, abs=1e-12)
    assert personalisation(lists_of([[0, 1], [2, 3]])) == 1


def test_padding_makes_a_list_shorter_and_empty_lists_are_left_out():
    assert personalisation(lists_of([[0, 1, -1], [0, -1, -1], [-1, -1, -1]])) == pytest.approx(1 - 1 / np.sqrt(2))
    assert np.isnan(personalisation(lists_of([[0, 1], [-1, -1]])))
    assert np.isnan(personalisation(lists_of(np.empty((0, 3)))))


@pytest.mark.parametrize("seed", [0, 1])
def test_personalisation_is_that_of_all_pairs(seed):
    lists, *_ = at_random(seed)
    sets = [{i for i in row if i >= 0} for row in lists.items]
    overlaps = [len(a & b) / np.sqrt(len(a) * len(b)) for a, b in combinations([s for s in sets if s], 2)]
    assert personalisation(lists) == pytest.approx(1 - np.mean(overlaps), abs=1e-12)


# ----------------------------------------------------------------------------------------------------- popularity lift
def test_popularity_lift_by_hand():
    # items are had by 3/3, 2/3, 1/3, 1/3 and 0/3 of the users; profiles mean 5/6, 2/3 and 2/3, lists 1/3, 1/3 and 2/3
    lists = lists_of([[2, -1], [3, -1], [1, -1]])
    assert popularity_lift(lists, TRAIN) == pytest.approx((4 / 9) / (13 / 18) - 1)


def test_those_without_history_or_list_do_not_count_for_the_lift():
    lists = lists_of([[0, 1], [-1, -1], [0, 1]], ["u0", "u1", "a stranger"])
    assert popularity_lift(lists, TRAIN) == pytest.approx(0, abs=1e-12)
    assert np.isnan(popularity_lift(lists_of([[0]], ["a stranger"]), TRAIN))


def test_popularity_lift_is_a_ratio_of_means_over_users():
    lists, _, train = at_random()
    owned = train.weights.toarray() > 0
    popularity = owned.mean(axis=0)
    pairs = [
        (popularity[[i for i in row if i >= 0]].mean(), popularity[had].mean())
        for row, had in zip(lists.items, owned)
        if had.any() and (row >= 0).any()
    ]
    listed, had = np.mean(pairs, axis=0)
    assert popularity_lift(lists, train) == pytest.approx(listed / had - 1)


# ---------------------------------------------------------------------------------------------- bound, edges, bad input
def test_bound_to_their_data_they_are_called_with_lists_alone():
    lists, truth, train = at_random()
    batch, labels = train.batch(lists.users), ["a", "b", "c"] * 4
    for bound, values in (
        (Serendipity(train)(lists, truth), serendipity(lists, truth, train)),
        (Calibration(batch, labels, 0.1)(lists), calibration(lists, batch, labels, prior=0.1)),
        (Personalisation()(lists), personalisation(lists)),
        (PopularityLift(train)(lists), popularity_lift(lists, train)),
    ):
        np.testing.assert_array_equal(bound, values)


def test_nobody_has_no_values():
    nobody, batch = lists_of(np.empty((0, 3)), []), TRAIN.batch(pd.Index([], dtype=object))
    assert serendipity(nobody, csr_matrix((0, 5)), TRAIN).shape == calibration(nobody, batch, LABELS).shape == (0,)
    assert np.isnan(popularity_lift(nobody, TRAIN))


MEASURES = {
    "serendipity": lambda lists: serendipity(lists, truth_of(*[[0]] * len(lists)), TRAIN),
    "calibration": lambda lists: calibration(lists, TRAIN.batch(lists.users), LABELS),
    "personalisation": personalisation,
    "popularity lift": lambda lists: popularity_lift(lists, TRAIN),
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_lists_with_repeats_or_of_another_catalogue_are_refused(measure):
    with pytest.raises(ValueError, match="1 of 2 lists hold an item twice, the first for user 'u1'"):
        measure(lists_of([[0, 1], [2, 2]]))
    with pytest.raises(ValueError, match="lists hold item position -2"):
        measure(lists_of([[0, -2]]))
    if measure is not personalisation:
        with pytest.raises(ValueError, match="lists hold item position 5"):
            measure(lists_of([[0, 5]]))


def test_bad_data_is_refused():
    lists, batch = lists_of([[0, 1]]), TRAIN.batch(["u0"])
    with pytest.raises(ValueError, match="truth must have one column per item of train, 5, got 6"):
        serendipity(lists, truth_of([0], n_items=6), TRAIN)
    with pytest.raises(ValueError, match="labels must be one per item, 5, got 2"):
        calibration(lists, batch, ["a", "b"])
    with pytest.raises(ValueError, match="prior must be above 0 and below 1, got 0"):
        calibration(lists, batch, LABELS, prior=0)
    with pytest.raises(ValueError, match="lists must be for the 1 users of the batch, in their order"):
        calibration(lists_of([[0, 1]], ["u1"]), batch, LABELS)
