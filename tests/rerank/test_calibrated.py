"""Calibration: by hand, and KL from whole distributions as the oracle."""

import numpy as np
import pytest

from reco_utils.rerank.calibrated import Calibrated
from reco_utils.rerank.relevance import relevance

# items 0 to 5 are romance, 6 to 9 action, 10 has no label, 11 is of a kind nobody had
LABELS = np.array(["romance"] * 6 + ["action"] * 4 + [None, "war"], object)
SEVENTY_THIRTY = np.zeros((1, 12))
SEVENTY_THIRTY[0, [0, 6]] = 7, 3


def kl(chosen, weights, labels, prior):
    """Divergence of the list from the history, both as whole distributions over all labels."""
    names = [name for name in dict.fromkeys(labels) if name is not None]
    p = np.array([weights[[label == name for label in labels]].sum() for name in names])
    if not p.sum():
        return 0.0
    p = p / p.sum()
    n = np.array([sum(labels[item] == name for item in chosen) for name in names], float)
    q = n / n.sum() if n.sum() else n
    return sum(a * np.log(a / ((1 - prior) * b + prior * a)) for a, b in zip(p, q) if a > 0)


def by_loop(lists, history, labels, lam, prior, k):
    found = []
    for items, worth, weights in zip(lists.items, relevance(lists), history):
        left, chosen = list(np.flatnonzero(items >= 0)), []
        while left and len(chosen) < k:
            values = [
                lam * worth[[*chosen, c]].sum() - (1 - lam) * kl(items[[*chosen, c]], weights, labels, prior)
                for c in left
            ]
            chosen.append(left.pop(int(np.argmax(np.round(values, 12)))))
        found.append([*items[chosen], *[-1] * (k - len(chosen))])
    return np.array(found)


def test_seven_of_ten_stay_seven_of_ten(make_lists, make_batch):
    # the ten best are all romances, the history is 70 % romance: proportion alone takes seven
    more = np.array(["romance"] * 10 + ["action"] * 10, object)
    history = np.zeros((1, 20))
    history[0, [0, 10]] = 7, 3
    lists = make_lists([[*range(10), *range(10, 20)]])
    found = Calibrated(more, 0)(lists, make_batch(history), 10).items[0]
    assert (found < 10).sum() == 7
    assert (Calibrated(more, 1)(lists, make_batch(history), 10).items[0] < 10).sum() == 10


def test_two_places_by_hand(make_lists, make_batch):
    lists, batch = make_lists([[0, 1, 6]], [[1, 0.9, 0]]), make_batch(SEVENTY_THIRTY)
    # with prior 0.5, romance twice: q = (1, 0), KL = 0.7 log(0.7 / 0.85) + 0.3 log(0.3 / 0.15) = 0.0720;
    # once each: 0.7 log(0.7 / 0.6) + 0.3 log(0.3 / 0.4) = 0.0216. The gain of 0.0504 is worth 0.9 of relevance when
    # (1 - lam) * 0.0504 > lam * 0.9, lam < 0.0530
    assert Calibrated(LABELS, 0.055, 0.5)(lists, batch, 2).items.tolist() == [[0, 1]]
    assert Calibrated(LABELS, 0.051, 0.5)(lists, batch, 2).items.tolist() == [[0, 6]]


def test_items_without_a_label_neither_help_nor_harm_and_foreign_ones_harm(make_lists, make_batch):
    batch = make_batch(SEVENTY_THIRTY)
    # after one romance, a war would halve its share and give nothing for it; no label leaves all as it is
    assert Calibrated(LABELS, 0.1)(make_lists([[0, 11, 10]]), batch, 3).items.tolist() == [[0, 10, 11]]


def test_an_empty_list_is_as_far_as_can_be(make_lists, make_batch):
    # an item without label leaves KL at log(1 / prior) = 4.6, a romance brings it to 0.7 log(0.7 / 0.997) + 0.3 log 100
    # = 1.13: worth 3.5 * (1 - lam) against all of relevance, lam * 1, up to lam 0.77
    lists, batch = make_lists([[10, 0]], [[1, 0]]), make_batch(SEVENTY_THIRTY)
    assert Calibrated(LABELS, 0.75)(lists, batch, 1).items.tolist() == [[0]]
    assert Calibrated(LABELS, 0.79)(lists, batch, 1).items.tolist() == [[10]]


def test_weights_and_not_counts_make_the_proportions(make_lists, make_batch):
    history = np.zeros((1, 12))
    history[0, :6], history[0, 6] = 0.1, 9
    assert Calibrated(LABELS, 0)(make_lists([[0, 6]]), make_batch(history), 1).items.tolist() == [[6]]


def test_strangers_and_histories_without_labels_leave_the_list_as_it_is(make_lists, make_batch):
    history = np.zeros((2, 12))
    history[1, 10] = 5
    lists = make_lists([[3, 7, 1, 11, 10]] * 2)
    np.testing.assert_array_equal(Calibrated(LABELS, 0)(lists, make_batch(history), 5).items, lists.items)


@pytest.mark.parametrize("lam", [0, 0.2, 0.5, 0.8, 1])
@pytest.mark.parametrize("k", [1, 5, 15])
@pytest.mark.parametrize("prior", [0.01, 0.3])
def test_the_list_is_that_of_whole_distributions(make_random, make_batch, lam, k, prior):
    rng = np.random.default_rng(4)
    labels = np.array(["pots", "tea", "oil", "cups", None, "rare"], object)[rng.integers(0, 6, 30)]
    history = rng.random((25, 30)) * (rng.random((25, 30)) < 0.2)
    history[:3] = 0
    lists = make_random(25, 12, 30, decimals=9)
    found = Calibrated(labels, lam, prior)(lists, make_batch(history), k).items
    history = history.astype(np.float32).astype(float)
    np.testing.assert_array_equal(found, by_loop(lists, history, labels, lam, prior, k))


@pytest.mark.parametrize("prior", [0, 1, -0.1, np.nan, True])
def test_prior_lies_between_0_and_1(prior):
    with pytest.raises(ValueError, match="prior must be a number above 0 and below 1"):
        Calibrated(LABELS, prior=prior)


def test_labels_of_another_catalogue_are_refused(make_lists, make_batch):
    with pytest.raises(ValueError, match="labels must describe the 5 items of the batch, got 12"):
        Calibrated(LABELS)(make_lists([[0]]), make_batch(np.ones((1, 5))), 1)
