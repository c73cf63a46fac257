"""What is wrong is refused by name, what is undefined is NaN and counted: one table of bad input for all of evaluate/.

Every public function of lists must stand in MEASURES; a new one that does not turns a test red.
"""

import inspect

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Split, TopK
from reco_utils.evaluate import accuracy, beyond, compare, fairness, personal
from reco_utils.evaluate.fairness import gap, item_gap
from reco_utils.evaluate.shorten import shorten, strangers
from reco_utils.evaluate.slices import by_history, only_items, sliced, sliced_items
from reco_utils.evaluate.stats import bootstrap_interval, effect_size, groups_of, jackknife_interval, paired_permutation
from reco_utils.evaluate.tune import Between, try_settings, tune

N_ITEMS = 6
VECTORS = np.eye(N_ITEMS)
FLAGS = np.arange(N_ITEMS) < 3
LABELS = list("aabbcc")
PRICES = np.arange(N_ITEMS) + 1.0


def rng():
    return np.random.default_rng(0)


def make_split(n_users=3, wants=2):
    """Every user has had item 5 and wants the first `wants` items, but the last user wants nothing."""
    users, items = pd.Index([f"u{b}" for b in range(n_users)]), pd.Index([f"i{j}" for j in range(N_ITEMS)])
    history, truth = np.zeros((n_users, N_ITEMS), np.float32), np.zeros((n_users, N_ITEMS), np.float32)
    history[:, 5] = 1
    truth[:-1, :wants] = 1
    weights = csr_matrix(history)
    catalog, profiles = pd.DataFrame({"item_id": items, "title": items}), pd.DataFrame({"user_id": users})
    last = np.full(weights.nnz, np.datetime64("2024-01-01", "us"))
    data = Dataset(users, items, weights, last, weights > 0, catalog, profiles, pd.Timestamp("2024-01-02"))
    return Split(data, data.batch(users), csr_matrix(truth), ("purchase",), False)


SPLIT = make_split()
TRUTH = SPLIT.truth


def lists_of(rows, split=SPLIT):
    rows = np.array(rows)
    return TopK(split.batch.users, rows, np.zeros(rows.shape, np.float32))


GOOD = lists_of([[0, 3], [3, 4], [0, 1]])

OF_TRUTH = {
    "precision": accuracy.precision,
    "recall": accuracy.recall,
    "f1": accuracy.f1,
    "ndcg": accuracy.ndcg,
    "average_precision": accuracy.average_precision,
    "hit_rate": accuracy.hit_rate,
    "mrr": accuracy.mrr,
    "pauc": accuracy.pauc,
    "measure": lambda lists, truth, k=2: accuracy.measure(
        lists, truth, [f"{n}@{k}" for n in accuracy.NAMES]
    ).to_numpy(),
    "serendipity": lambda lists, truth: personal.serendipity(lists, truth, SPLIT.train),
}
OF_LISTS = {
    "coverage": lambda lists: beyond.coverage(lists, N_ITEMS),
    "gini": lambda lists: beyond.gini(lists, N_ITEMS),
    "intra_list_diversity": lambda lists: beyond.intra_list_diversity(lists, VECTORS),
    "newcomer_share": lambda lists: beyond.newcomer_share(lists, FLAGS),
    "novelty": lambda lists: beyond.novelty(lists, SPLIT.train),
    "popularity_percentile": lambda lists: beyond.popularity_percentile(lists, SPLIT.train),
    "long_tail_share": lambda lists: beyond.long_tail_share(lists, SPLIT.train),
    "calibration": lambda lists: personal.calibration(lists, SPLIT.batch[: len(lists)], LABELS),
    "personalisation": lambda lists: personal.personalisation(lists),
    "popularity_lift": lambda lists: personal.popularity_lift(lists, SPLIT.train),
    "average_price": lambda lists: fairness.average_price(lists, PRICES),
    "exposure": lambda lists: fairness.exposure(lists, LABELS),
}
MEASURES = OF_LISTS | {name: lambda lists, f=f: f(lists, TRUTH[: len(lists)]) for name, f in OF_TRUTH.items()}
WITHOUT_POSITIONS = {"personalisation"}  # knows no catalogue, so no position lies outside of it
every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
every_measure_of_truth = pytest.mark.parametrize("measure", OF_TRUTH.values(), ids=OF_TRUTH)


def test_every_measure_of_lists_is_in_the_table():
    public = {
        name
        for module in (accuracy, beyond, personal, fairness)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == module.__name__
        if next(iter(inspect.signature(function).parameters), "") in ("lists", "topk")
    }
    assert public - {"check_truth"} == set(MEASURES)


# ------------------------------------------------------------------------------------------------------------ the lists
@every_measure
def test_an_item_twice_in_a_list(measure):
    with pytest.raises(ValueError, match="1 of 3 lists hold an item twice, the first for user 'u1'"):
        measure(lists_of([[0, 3], [4, 4], [0, 1]]))


@pytest.mark.parametrize("measure", [m for n, m in MEASURES.items() if n not in WITHOUT_POSITIONS])
@pytest.mark.parametrize("position", [N_ITEMS, -2])
def test_a_position_outside_of_the_catalogue(measure, position):
    with pytest.raises(ValueError, match=f"lists hold item position {position}"):
        measure(lists_of([[0, 3], [position, 4], [0, 1]]))


def test_positions_that_are_no_whole_numbers():
    with pytest.raises(ValueError, match="items must be whole numbers, positions or -1 for padding, got float64"):
        lists_of([[0.5, 3.0], [3.0, 4.0], [0.0, np.nan]])


@every_measure
def test_padding_is_no_item(measure):
    short, wide = lists_of([[0, -1], [3, -1], [-1, -1]]), lists_of([[0, -1, -1], [3, -1, -1], [-1, -1, -1]])
    found = measure(short)
    if np.ndim(found) == 1:
        assert np.isnan(found[2])  # an empty list, for a user who wants nothing
    if measure in OF_LISTS.values() and not isinstance(found, pd.DataFrame):
        np.testing.assert_array_equal(found, measure(wide))


@every_measure
def test_no_lists_at_all(measure):
    nobody = make_split()
    found = measure(TopK(nobody.batch.users[:0], np.empty((0, 2), np.int32), np.empty((0, 2), np.float32)))
    numbers = np.asarray(found["places"] if isinstance(found, pd.DataFrame) else found, float)
    assert numbers.shape[:1] == (0,) or np.isnan(numbers).all() or measure is OF_LISTS["coverage"]


# --------------------------------------------------------------------------------------------------------------- k
WITH_K = {name: f for name, f in OF_TRUTH.items() if name != "serendipity"}


@pytest.mark.parametrize("measure", WITH_K.values(), ids=WITH_K)
@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one(measure, k):
    with pytest.raises(ValueError, match=f"k must be at least 1, got {k}"):
        measure(GOOD, TRUTH, k)


@pytest.mark.parametrize("measure", WITH_K.values(), ids=WITH_K)
def test_fewer_places_than_k(measure):
    with pytest.raises(ValueError, match="k must be at most the width of the lists, 2, got 3"):
        measure(GOOD, TRUTH, 3)


@pytest.mark.parametrize("k, error", [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)])
def test_k_of_what_makes_lists(k, error):
    calls = [
        lambda: compare.compare({"a": First()}, SPLIT, k=k, rng=rng()),
        lambda: try_settings(First, SPLIT, {"start": [0]}, k=k, rng=rng()),
        lambda: tune(First, SPLIT, {"start": [0, 1]}, k=k, rng=rng()),
    ]
    for call in calls:
        with pytest.raises(error, match="k must be"):
            call()


def test_a_list_shorter_than_k_holds_empty_places():
    # one hit in two places, the second of them empty
    assert accuracy.precision(lists_of([[0, -1]] * 3), TRUTH).tolist() == pytest.approx([0.5, 0.5, np.nan], nan_ok=True)
    found = compare.compare({"a": First()}, SPLIT, ["precision"], k=20, rng=rng())
    assert found.lists["a"].items.shape == (3, 20) and found.table("precision")["mean"].tolist() == [2 / 20]


# ------------------------------------------------------------------------------------------------------------ the truth
@every_measure_of_truth
@pytest.mark.parametrize("truth", [TRUTH[:2], TRUTH.T, TRUTH.toarray()[0], TRUTH.toarray().tolist(), None])
def test_truth_that_is_not_one_row_per_list(measure, truth):
    with pytest.raises(ValueError, match=r"truth must have one row per list, \(3, items\)"):
        measure(GOOD, truth)


@every_measure_of_truth
def test_truth_of_another_catalogue(measure):
    with pytest.raises(ValueError, match="truth has 4 columns|truth must have one column per item of train, 6, got 4"):
        measure(GOOD, TRUTH[:, :4])


@every_measure_of_truth
@pytest.mark.parametrize("gain", [-1.0, 0.0, np.nan, np.inf])
def test_gains_that_are_not_above_zero(measure, gain):
    truth = csr_matrix(([1.0, gain], ([0, 1], [0, 3])), TRUTH.shape)
    with pytest.raises(ValueError, match=r"truth must hold finite gains > 0 only, got \[.*\] \(1 of 2\)"):
        measure(GOOD, truth)


@every_measure_of_truth
def test_a_user_without_truth_is_nan_and_not_zero(measure):
    assert np.isnan(measure(GOOD, TRUTH)[2]).all() and not np.isnan(measure(GOOD, TRUTH)[:2]).any()
    nothing = csr_matrix(TRUTH.shape, dtype=np.float32)
    assert np.isnan(measure(GOOD, nothing)).all()


# ------------------------------------------------------------------------------------------------------- comparisons
class First:
    """Shows the catalogue from item `start` on."""

    def __init__(self, start=0):
        self.start = start

    def fit(self, data):
        return self

    def score(self, batch):
        return np.tile(-np.roll(np.arange(N_ITEMS, dtype=np.float32), self.start), (len(batch), 1))


def compared(split):
    metrics = ["recall", beyond.Coverage(N_ITEMS), personal.Personalisation()]
    return compare.compare({"a": First(), "b": First(3)}, split, metrics, k=2, rng=rng())


def test_repeats_say_whose_lists_they_are_in():
    with pytest.raises(ValueError, match="hold an item twice") as caught:
        compare.compare({"mine": lists_of([[0, 0]] * 3)}, SPLIT, k=2, rng=rng())
    assert caught.value.__notes__ == ["while judging 'mine'"]


def test_means_leave_out_who_has_no_truth_and_say_how_many():
    found = compared(SPLIT)
    assert found.table().loc[("a", "recall@2"), ["mean", "users", "left_out"]].tolist() == [1, 2, 1]
    assert "2 users" in found.note and "1 without truth left out" in found.note


def test_nobody_with_truth_has_no_mean():
    found = compared(make_split(wants=0))
    assert found.table("recall")[["mean", "low", "high"]].isna().all(axis=None)
    assert found.table("recall")["users"].tolist() == [0, 0] and "0 users" in found.note
    row = found.versus("a", "recall").loc["b"]
    assert row[["difference", "low", "high", "p", "p_holm", "effect"]].isna().all() and row["users"] == 0
    assert "cannot be told from" in found.verdict("b", "a")


def test_one_user_has_a_mean_and_no_interval():
    found = compared(SPLIT.take([0]))
    for metric in found.metrics:
        assert found.table(metric)[["low", "high"]].isna().all(axis=None)
    assert found.table("recall")["mean"].tolist() == [1, 0] and found.table("personalisation")["mean"].isna().all()
    row = found.versus("a", "recall").loc["b"]
    assert row["difference"] == -1 and row["p"] == 1 and row[["low", "high", "effect"]].isna().all()
    assert "cannot be told from" in found.verdict("b", "a")


def test_nobody_at_all():
    found = compared(SPLIT.take(np.zeros(3, bool)))
    assert found.table()[["low", "high"]].isna().all(axis=None) and (found.table()["users"] == 0).all()
    assert found.table("recall")["mean"].isna().all() and found.note.startswith("0 users")
    assert found.versus("a", "recall")["p"].isna().all()


def test_a_number_that_is_infinite_is_refused():
    metrics = {"odd": lambda lists, truth: np.array([1.0, np.inf, 2.0])}
    found = compare.compare({"a": First()}, SPLIT, metrics, k=2, rng=rng())
    with pytest.raises(ValueError, match="values must be finite or NaN, got 1 infinite"):
        found.table("odd")


# ------------------------------------------------------------------------------------------------------------ slices
def test_a_slice_with_nobody_in_it():
    found = compared(SPLIT)
    labels = pd.Categorical(["x"] * 3, categories=["x", "y"])
    for metric in found.metrics:
        rows = sliced(found, labels, metric).set_index(["slice", "model"]).loc["y"]
        assert rows[["mean", "low", "high"]].isna().all(axis=None) and (rows["users"] == 0).all()
    items = pd.Categorical(["x"] * N_ITEMS, categories=["x", "y"])
    rows = sliced_items(found, SPLIT, items, "recall").set_index("slice").loc["y"]
    assert rows[["mean", "low", "high"]].isna().all(axis=None) and (rows["users"] == 0).all()
    assert gap(found, labels, "recall", min_users=2)["gap"].isna().all()
    assert item_gap(found, SPLIT, items, "recall", min_users=2)["gap"].isna().all()


def test_slices_of_nobody():
    nobody = SPLIT.take(np.zeros(3, bool))
    found = compared(nobody)
    assert sliced(found, [], "recall").empty
    rows = sliced(found, by_history(nobody.batch), "recall")
    assert rows["mean"].isna().all() and (rows["users"] == 0).all() and len(rows) == 8
    assert gap(found, [], "recall")["gap"].isna().all()
    assert item_gap(found, nobody, LABELS, "recall")["gap"].isna().all()
    assert only_items(nobody, FLAGS).truth.shape == (0, N_ITEMS)


@pytest.mark.parametrize("labels", [["x"], [["x"]] * 3, "xyz"])
def test_labels_that_are_not_one_per_user(labels):
    with pytest.raises(ValueError, match=r"labels must be one name per user, \(3,\), got shape"):
        sliced(compared(SPLIT), labels, "recall")


# ------------------------------------------------------------------------------------------------------------- stats
@pytest.mark.parametrize("values", [np.empty(0), np.full(5, np.nan), [1.0]])
def test_statistics_of_no_users_or_of_one(values):
    assert np.isnan(bootstrap_interval(values, rng=rng())).all()
    assert np.isnan(effect_size(values))
    p = paired_permutation(values, rng=rng(), n=99)
    assert p == 1 if len(values) == 1 else np.isnan(p)


def test_statistics_of_infinite_values():
    calls = (bootstrap_interval, paired_permutation, lambda values, rng: effect_size(values))
    for call in calls:
        with pytest.raises(ValueError, match="values must be finite or NaN, got 1 infinite"):
            call([1.0, np.inf], rng=rng())


def test_groups_of_no_users_and_a_number_without_groups():
    assert groups_of(0, rng=rng()).shape == (0,)
    assert np.isnan(jackknife_interval(np.ones(2), np.ones((1, 2)))).all()


# --------------------------------------------------------------------------------------------------------------- tune
def test_settings_that_nobody_can_judge_have_no_best():
    for tried in (
        try_settings(First, make_split(wants=0), {"start": [0, 1]}, k=2, rng=rng()),
        tune(First, make_split(wants=0), {"start": [0, 1, 2, 3]}, k=2, rng=rng()),
    ):
        assert tried.table()["mean"].isna().all() and (tried.table()["users"] == 0).all()
        with pytest.raises(ValueError, match="no setting has a mean: none of the 3 users has truth"):
            _ = tried.best


def test_ranges_and_cuts_that_are_none():
    with pytest.raises(ValueError, match="low must be below high"):
        Between(2, 1)
    for n in (-1, 1.5, True):
        with pytest.raises(ValueError, match="n must be a whole number of at least 0"):
            shorten(SPLIT, n)
    assert len(strangers(SPLIT, np.zeros(3, bool)).batch) == 0 and shorten(SPLIT.take([]), 0).batch.n_items.size == 0
