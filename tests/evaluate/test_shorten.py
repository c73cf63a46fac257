"""Shorter histories and forgotten users: what is kept, what is cut, and that nothing else changes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Split, recommend
from reco_utils.evaluate.compare import compare
from reco_utils.evaluate.shorten import shorten, strangers

USERS, ITEMS = ["ann", "bob", "cat", "dan"], [f"i{j}" for j in range(6)]
# when each pair last happened, the day of January; 0 is never. Ann: 2, then 0 and 4 at once, then 1
DAYS = np.array([[5, 9, 2, 0, 5, 0], [0, 0, 7, 0, 0, 0], [0, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6]])


@pytest.fixture
def split():
    """Ann, Bob, Cat (who has nothing) and Dan ask, and a stranger; everybody wants item 3, Dan item 0."""
    dense = DAYS * 10.0
    weights = csr_matrix(dense.astype(np.float32))
    last = np.datetime64("2024-01-01", "us") + (DAYS[DAYS > 0] - 1).astype("m8[D]")
    catalog = pd.DataFrame({"item_id": ITEMS, "title": ITEMS})
    profiles = pd.DataFrame({"user_id": USERS, "age": [20, 30, 40, 50]})
    users, items = pd.Index(USERS, dtype=object), pd.Index(ITEMS, dtype=object)
    data = Dataset(users, items, weights, last, weights > 50, catalog, profiles, pd.Timestamp("2024-02-01"))
    truth = np.zeros((5, 6), np.float32)
    truth[:4, 3], truth[3] = 1, [1, 0, 0, 0, 0, 0]
    report = pd.Series({"users": 5}, dtype=object)
    return Split(data, data.batch([*USERS, "zoe"]), csr_matrix(truth), ("purchase",), False, report)


def test_the_most_recent_items_are_kept_with_their_weights_and_times(split):
    batch = shorten(split, 2).batch
    # of items 0 and 4, which Ann had at the same time, the lower position stays
    expected = [[50, 90, 0, 0, 0, 0], [0, 0, 70, 0, 0, 0], [0] * 6, [0, 0, 0, 0, 50, 60], [0] * 6]
    assert_array_equal(batch.history.toarray(), expected)
    assert batch.last.astype("M8[D]").astype(str).tolist() == [
        "2024-01-05", "2024-01-09", "2024-01-07", "2024-01-05", "2024-01-06"
    ]  # fmt: skip
    assert batch.n_items.tolist() == [2, 1, 0, 2, 0]


def test_without_history_everybody_has_nothing(split):
    batch = shorten(split, 0).batch
    assert batch.history.nnz == 0 and len(batch.last) == 0 and batch.history.shape == (5, 6)


def test_more_than_anybody_has_changes_nothing(split):
    batch = shorten(split, 100).batch
    assert_array_equal(batch.history.toarray(), split.batch.history.toarray())
    assert_array_equal(batch.last, split.batch.last)


def test_shortening_in_two_steps_is_shortening_once(split):
    once, twice = shorten(split, 1), shorten(shorten(split, 3), 1)
    assert_array_equal(once.batch.history.toarray(), twice.batch.history.toarray())
    pd.testing.assert_series_equal(once.report, twice.report)


def test_a_history_in_no_order_is_cut_in_time_all_the_same(split):
    order = np.r_[[3, 1, 0, 2], 4:11]
    history = split.batch.history
    mixed = csr_matrix((history.data[order], history.indices[order], history.indptr), history.shape)
    batch = split.batch.__class__(
        split.batch.users, split.batch.at, mixed, split.batch.last[order], split.batch.seen, split.batch.profiles
    )
    cut = shorten(Split(split.train, batch, split.truth, split.target, False), 2).batch
    assert_array_equal(cut.history.toarray(), shorten(split, 2).batch.history.toarray())
    assert dict(zip(cut.history.indices[:2], cut.last[:2].astype("M8[D]").astype(str))) == {
        0: "2024-01-05", 1: "2024-01-09"
    }  # fmt: skip


def test_truth_seen_training_and_the_caller_stay_as_they_are(split):
    before = split.batch.history.toarray()
    cut = shorten(split, 1)
    assert cut.truth is split.truth and cut.train is split.train and cut.batch.seen is split.batch.seen
    assert_array_equal(cut.batch.at, split.batch.at)
    assert_array_equal(split.batch.history.toarray(), before)
    assert cut.report.to_dict() == {"users": 5, "most items in a history": 1}
    assert split.report.to_dict() == {"users": 5}


@pytest.mark.parametrize("n", [-1, 1.5, True, "2"])
def test_a_length_that_is_none_is_refused(split, n):
    with pytest.raises(ValueError, match="n must be a whole number of at least 0 items, got"):
        shorten(split, n)


def test_training_forgets_strangers_and_they_bring_their_histories(split):
    fresh = strangers(split, [3, 0])
    assert fresh.train.users.tolist() == ["bob", "cat"]
    assert_array_equal(fresh.train.weights.toarray(), DAYS[1:3] * 10)
    assert_array_equal(fresh.train.seen.toarray(), DAYS[1:3] > 5)
    assert fresh.train.last.astype("M8[D]").astype(str).tolist() == ["2024-01-07"]
    assert fresh.train.profiles.to_dict("list") == {"user_id": ["bob", "cat"], "age": [30, 40]}
    assert fresh.train.items is split.train.items and not fresh.train.weights.data.flags.writeable
    assert fresh.batch.users.tolist() == ["dan", "ann"] and fresh.batch.at.tolist() == [-1, -1]
    assert_array_equal(fresh.batch.history.toarray(), DAYS[[3, 0]] * 10)
    assert_array_equal(fresh.batch.seen.toarray(), DAYS[[3, 0]] > 5)
    assert fresh.batch.profiles["age"].tolist() == [50, 20]
    assert_array_equal(fresh.truth.toarray(), split.truth.toarray()[[3, 0]])
    assert fresh.report["users taken out of training"] == 2


def test_the_rows_may_be_a_mask_or_a_slice(split):
    mask = np.array([True, False, False, True, False])
    assert strangers(split, mask).train.users.tolist() == ["bob", "cat"]
    assert strangers(split, slice(3, 5)).train.users.tolist() == ["ann", "bob", "cat"]


def test_everybody_and_nobody_may_be_a_stranger(split):
    everybody = strangers(split, slice(None))
    assert len(everybody.train.users) == 0 and everybody.train.weights.shape == (0, 6)
    nobody = strangers(split, [])
    assert len(nobody.batch) == 0 and nobody.train.users.tolist() == USERS


def test_a_split_of_strangers_asks_again_for_its_batch(split):
    # a profile row is found by position, so positions must be those of the smaller Dataset
    again = strangers(split, [0]).train.batch(["cat", "ann"])
    assert again.profiles["age"].tolist()[0] == 40 and again.at.tolist() == [1, -1]


class Popular:
    """How often the items of a Dataset were taken, and nothing for an empty history."""

    def fit(self, data):
        self.counts_ = np.bincount(data.weights.indices, minlength=len(data.items)).astype(np.float32)
        return self

    def score(self, batch):
        scores = np.tile(self.counts_, (len(batch), 1))
        scores[batch.n_items == 0] = np.nan
        return scores


def test_what_a_stranger_had_does_not_count_in_training(split):
    fresh = strangers(split, [3])
    lists = recommend(Popular().fit(fresh.train), fresh.batch, 6)
    assert lists.scores[0].tolist()[:4] == [2, 1, 1, 1]  # Dan owns item 5; Ann and Bob had 2, Ann also 0, 1 and 4


def test_the_same_people_are_compared_at_every_length(split):
    fresh = strangers(split, [0, 3])
    model = Popular().fit(fresh.train)
    found = {
        n: compare({"m": model}, shorten(fresh, n), ("hit_rate",), 3, rng=np.random.default_rng(0)) for n in (0, 1)
    }
    assert found[0].per_user["m", "hit_rate@3"].tolist() == [0, 0]
    assert found[0].warm.tolist() == [False, False] and found[1].warm.tolist() == [True, True]
    assert found[0].per_user.index.tolist() == found[1].per_user.index.tolist() == ["ann", "dan"]
