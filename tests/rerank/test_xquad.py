"""xQuAD: by hand, and one user and one candidate at a time as the oracle."""

import numpy as np
import pytest

from reco_utils.rerank.relevance import relevance
from reco_utils.rerank.xquad import XQuAD

LABELS = np.array(["pots", "pots", "tea", "oil", None, "tea"], object)


def by_loop(lists, history, labels, lam, k):
    found = []
    names = [name for name in dict.fromkeys(labels) if name is not None]
    for items, worth, weights in zip(lists.items, relevance(lists), history):
        mass = {name: weights[[label == name for label in labels]].sum() for name in names}
        total = sum(mass.values())
        wish = {name: mass[name] / total if total else 1 / len(names) for name in names}
        left, chosen = list(np.flatnonzero(items >= 0)), []
        while left and len(chosen) < k:
            values = []
            for c in left:
                extra = 0
                for name in names:
                    fits = {c: worth[c] * (labels[items[c]] == name) for c in [c, *chosen]}
                    extra += wish[name] * fits[c] * np.prod([1 - fits[other] for other in chosen])
                values.append(lam * worth[c] + (1 - lam) * extra)
            chosen.append(left.pop(int(np.argmax(values))))
        found.append([*items[chosen], *[-1] * (k - len(chosen))])
    return np.array(found)


def test_three_of_five_by_hand(make_lists, make_batch):
    lists = make_lists([[0, 1, 2, 3, 4]], [[1, 0.9, 0.8, 0.6, 0]])
    batch = make_batch([[3, 1, 1, 3, 50, 0]])  # pots 4/8, tea 1/8, oil 3/8; the unlabelled 50 does not count
    # 0 is the best in both respects and serves pots. lam 0.5, twice the value: 1 is 0.9 + 0, 2 is 0.8 + 0.8 / 8 = 0.9,
    # 3 is 0.6 + 0.6 * 3/8 = 0.825, 4 is 0; lam 0.4 in fifths: 1 is 1.8, 2 is 1.6 + 0.3 = 1.9, 3 is 1.2 + 0.675 = 1.875
    assert XQuAD(LABELS, 0.6)(lists, batch, 3).items.tolist() == [[0, 1, 2]]
    # after 2: tea is served to 0.8, and 3 with 1.875 beats 1 with 1.8
    assert XQuAD(LABELS, 0.4)(lists, batch, 4).items.tolist() == [[0, 2, 3, 1]]


def test_an_interest_is_served_the_more_the_better_the_items_shown_are(make_lists, make_batch):
    labels = np.array([None, "tea", "tea", "oil", None], object)
    batch = make_batch([[0, 2, 0, 1, 0]])  # tea 2/3, oil 1/3
    good = make_lists([[0, 1, 2, 3, 4]], [[1, 0.9, 0.8, 0.7, 0]])
    poor = make_lists([[0, 1, 2, 3, 4]], [[1, 0.3, 0.2, 0.18, 0]])
    # lam 0: first the best tea; a second tea then has 2/3 * 0.8 * 0.1 against oil's 1/3 * 0.7, or 2/3 * 0.2 * 0.7
    # against 1/3 * 0.18
    assert XQuAD(labels, 0)(good, batch, 2).items.tolist() == [[1, 3]]
    assert XQuAD(labels, 0)(poor, batch, 2).items.tolist() == [[1, 2]]


def test_a_stranger_wants_every_label_alike(make_lists, make_batch):
    lists = make_lists([[0, 1, 2, 5, 3]], [[1, 0.9, 0.8, 0.7, 0.6]] * 1)
    # relevance 1, 0.75, 0.5, 0.25, 0; lam 0: pots first; pots are served, so tea; then tea by what is left of it
    assert XQuAD(LABELS, 0)(lists, make_batch(np.zeros((1, 6))), 3).items.tolist() == [[0, 2, 5]]


def test_a_history_without_labels_is_that_of_a_stranger(make_lists, make_batch):
    lists = make_lists([[0, 1, 2, 3, 4]])
    stranger, unlabelled = np.zeros((1, 6)), np.array([[0, 0, 0, 0, 7, 0]])
    found = [XQuAD(LABELS, 0.2)(lists, make_batch(history), 5).items.tolist() for history in (stranger, unlabelled)]
    assert (
        found == [[[0, 2, 1, 3, 4]]] * 2
    )  # after 0: 2 has 0.5 * (0.2 + 0.8 / 3), 1 has 0.75 * 0.2, 3 half as much as 2


@pytest.mark.parametrize("lam", [0, 0.2, 0.5, 0.8, 1])
@pytest.mark.parametrize("k", [1, 5, 15])
def test_the_list_is_that_of_the_loop(make_random, make_batch, lam, k):
    rng = np.random.default_rng(4)
    labels = np.array(["pots", "tea", "oil", "cups", None], object)[rng.integers(0, 5, 30)]
    history = rng.random((25, 30)) * (rng.random((25, 30)) < 0.2)
    history[:3] = 0
    lists = make_random(25, 12, 30, decimals=9)
    found = XQuAD(labels, lam)(lists, make_batch(history), k).items
    np.testing.assert_array_equal(found, by_loop(lists, history.astype(np.float32).astype(float), labels, lam, k))


def test_items_without_any_label_stay_as_they_are(make_lists, make_batch):
    lists = make_lists([[3, 0, 1]])
    assert XQuAD([None] * 4, 0)(lists, make_batch(np.ones((1, 4))), 2).items.tolist() == [[3, 0]]


def test_labels_and_batch_of_others_are_refused(make_lists, make_batch):
    with pytest.raises(ValueError, match="labels must describe the 5 items of the batch, got 6"):
        XQuAD(LABELS)(make_lists([[0]]), make_batch(np.ones((1, 5))), 1)
    with pytest.raises(ValueError, match="lists and batch must be of the same requests, got 1 and 2"):
        XQuAD(LABELS)(make_lists([[0]]), make_batch(np.ones((2, 6))), 1)
    with pytest.raises(ValueError, match="lam must be a number from 0"):
        XQuAD(LABELS, 2)
