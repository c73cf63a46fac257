"""Gaps whose size and chance are known by construction, prices and places by hand, simulations of the intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Split, TopK
from reco_utils.evaluate.beyond import Coverage
from reco_utils.evaluate.compare import compare
from reco_utils.evaluate.fairness import (
    AveragePrice,
    average_price,
    exposure,
    gap,
    item_gap,
)
from reco_utils.evaluate.slices import NO_SLICE


def train_of(owned):
    """A Dataset of a dense (U, I) array."""
    weights = csr_matrix(np.asarray(owned, np.float32))
    users, items = (pd.Index([f"{c}{n}" for n in range(size)]) for c, size in zip("ui", weights.shape))
    catalog, profiles = pd.DataFrame({"item_id": items}), pd.DataFrame({"user_id": users})
    last = np.full(weights.nnz, np.datetime64("2024-01-01", "us"))
    return Dataset(users, items, weights, last, weights > 0, catalog, profiles, pd.Timestamp("2024-01-02"))


def lists_of(items):
    items = np.array(items, np.int32)
    return TopK(pd.Index([f"u{b}" for b in range(len(items))]), items, np.zeros(items.shape, np.float32))


def split_of(truth):
    truth = np.asarray(truth, np.float32)
    data = train_of(np.zeros(truth.shape))
    return Split(data, data.batch(data.users), csr_matrix(truth), ("purchase",), False)


def compared(values, seed=0):
    """A comparison of models with these values per user."""
    n = len(next(iter(values.values())))
    split = split_of(np.ones((n, 2)))
    tagged = {
        name: TopK(split.batch.users, np.full((n, 1), at % 2), np.zeros((n, 1))) for at, name in enumerate(values)
    }
    columns = iter(values.values())
    metrics = {"value": lambda lists, truth: next(columns), "coverage": Coverage(2)}
    return compare(tagged, split, metrics, k=1, rng=np.random.default_rng(seed))


# ---------------------------------------------------------------------------------------------------------------- gap
def test_a_gap_by_hand():
    values = np.repeat([1.0, 4.0, 2.0, 7.0], [30, 20, 25, 5])
    labels = np.repeat(["a", "b", "c", None], [30, 20, 25, 5])
    row = gap(compared({"m": values}), labels, "value").loc["m"]
    assert row["gap"] == row["low"] == row["high"] == 3  # nobody differs within a slice
    assert (row["lowest"], row["highest"], row["slices"], row["users"], row["left_out"]) == ("a", "b", 3, 75, 5)
    assert row["p"] == 1 / 2000 and 0 < row["by_chance"] < 1


def test_the_interval_and_the_gap_by_chance_of_coins():
    # two slices of 500 coins: the difference of their means has a standard error of sqrt(2 * .25 / 500) = .0316, and
    # chance alone gives sqrt(2 / pi) of that on average
    values = np.r_[np.arange(500) < 300, np.arange(500) < 200].astype(float)
    row = gap(compared({"m": values}), np.repeat(["a", "b"], 500), "value").loc["m"]
    assert row["gap"] == pytest.approx(0.2) and row["lowest"] == "b"
    error = np.sqrt(2 * 0.24 / 500)
    assert (row["high"] - row["gap"]) / error == pytest.approx(1.96, rel=0.1)
    assert row["gap"] - row["low"] == pytest.approx(row["high"] - row["gap"])
    assert row["by_chance"] == pytest.approx(np.sqrt(2 / np.pi) * np.sqrt(2 * 0.25 / 500), rel=0.1)


def test_slices_that_are_alike_have_a_gap_that_chance_explains():
    rng = np.random.default_rng(0)
    found = compared({str(n): rng.random(200) for n in range(30)})
    table = gap(found, np.arange(200) % 5, "value")
    assert (table["gap"] > 0).all() and (table["low"] == 0).sum() >= 27
    assert table["gap"].mean() == pytest.approx(table["by_chance"].mean(), rel=0.15)
    assert 0.25 < table["p"].mean() < 0.75


def test_where_everybody_is_alike_there_is_no_gap_and_p_is_one():
    row = gap(compared({"m": np.full(60, 0.1)}), np.arange(60) % 3, "value").loc["m"]
    assert row["gap"] == pytest.approx(0) and row["p"] == 1


def test_small_slices_and_users_without_a_value_do_not_count():
    values = np.r_[np.zeros(30), np.ones(30), np.full(3, 50.0), np.full(7, np.nan)]
    labels = np.r_[["a"] * 30, ["b"] * 30, ["tiny"] * 3, ["b"] * 7]
    row = gap(compared({"m": values}), labels, "value").loc["m"]
    assert (row["gap"], row["highest"], row["users"], row["left_out"]) == (1, "b", 60, 3)
    assert gap(compared({"m": values}), labels, "value", min_users=3).loc["m", "highest"] == "tiny"


@pytest.mark.parametrize("labels", [["a"] * 50, [None] * 50, ["a"] * 45 + ["b"] * 5])
def test_a_gap_needs_two_slices_with_users(labels):
    row = gap(compared({"m": np.arange(50.0)}), labels, "value").loc["m"]
    assert row[["gap", "low", "high", "by_chance", "p"]].isna().all() and row["lowest"] is None
    assert row["slices"] == (labels[0] == "a") and row["left_out"] == 50 - row["users"]


def test_asking_twice_or_for_a_model_alone_gives_the_same_gap():
    values = {"m": np.random.default_rng(0).random(80), "n": np.random.default_rng(1).random(80)}
    both, alone = compared(values), compared({"n": values["n"]})
    table = gap(both, np.arange(80) % 2, "value")
    pd.testing.assert_frame_equal(table, gap(both, np.arange(80) % 2, "value"))
    assert table.loc["n"].tolist() == gap(alone, np.arange(80) % 2, "value").loc["n"].tolist()
    assert table[["gap", "low", "high", "by_chance", "p"]].dtypes.eq(float).all()


def test_what_has_no_gap_is_refused():
    found = compared({"m": np.arange(40.0)})
    with pytest.raises(ValueError, match="coverage is one number for all lists"):
        gap(found, ["a"] * 40, "coverage")
    with pytest.raises(ValueError, match="min_users must be at least 2, got 1"):
        gap(found, ["a"] * 40, "value", min_users=1)
    with pytest.raises(ValueError, match=r"labels must be one name per user, \(40,\)"):
        gap(found, ["a"] * 3, "value")
    with pytest.raises(KeyError, match="no metric 'ndcg'"):
        gap(found, ["a"] * 40, "ndcg")


# ----------------------------------------------------------------------------------------------------------- item gap
def test_an_item_gap_by_hand():
    # everybody wants items 0 and 2, half of them item 1 too; lists hold 0 and 1: recall of "a" is 1, of "b" 0
    truth = np.tile([[1, 0, 1], [1, 1, 1]], (20, 1))
    split = split_of(truth)
    found = compare({"m": lists_of([[0, 1]] * 40)}, split, ("recall",), k=2, rng=np.random.default_rng(0))
    row = item_gap(found, split, ["a", "a", "b"], "recall").loc["m"]
    assert row[["gap", "low", "high", "lowest", "highest", "slices", "users"]].tolist() == [1, 1, 1, "b", "a", 2, 40]
    assert item_gap(found, split, ["a", "b", "b"], "recall", min_users=21).loc["m", "gap"] == pytest.approx(0.75)
    assert item_gap(found, split, ["a", "b", "a"], "recall", min_users=20).loc["m", "slices"] == 2
    assert item_gap(found, split, ["a", "b", "a"], "recall", min_users=21).loc["m", ["gap", "low"]].isna().all()
    assert item_gap(found, split, [None, "a", None], "recall").loc["m", ["slices", "users"]].tolist() == [1, 20]


def test_an_item_gap_is_drawn_over_users_for_all_slices_at_once():
    # a user finds both items or neither, so the two means move together and their difference never
    truth = np.ones((60, 2))
    split = split_of(truth)
    lists = lists_of([[0, 1]] * 30 + [[-1, -1]] * 30)
    found = compare({"m": lists}, split, ("recall",), k=2, rng=np.random.default_rng(0))
    assert item_gap(found, split, ["a", "b"], "recall").loc["m", ["gap", "low", "high"]].tolist() == [0, 0, 0]


# -------------------------------------------------------------------------------------------------------------- prices
LISTS = lists_of([[0, 1, 2], [2, 1, -1], [3, -1, -1], [-1, -1, -1]])


def test_an_average_price_leaves_the_unknown_out():
    np.testing.assert_array_equal(average_price(LISTS, [1.0, 3.0, 8.0, np.nan]), [4, 5.5, np.nan, np.nan])
    np.testing.assert_array_equal(average_price(LISTS, [1, np.nan, 8, 2]), [4.5, 8, 2, np.nan])
    np.testing.assert_array_equal(AveragePrice(np.array([0.0, 0, 0, 2]))(LISTS), [0, 0, 2, np.nan])


@pytest.mark.parametrize(
    "prices, says",
    [
        ([1.0, -2.0, 3.0, 4.0], r"prices must be finite and at least 0, or NaN where unknown, got \[-2.0\]"),
        ([1.0, np.inf, 3.0, 4.0], "prices must be finite"),
        ([[1.0, 2.0]], r"prices must be one number per item, got shape \(1, 2\)"),
        ([1.0, 2.0], "lists hold item position 3"),
    ],
)
def test_prices_that_cannot_be_are_refused(prices, says):
    with pytest.raises(ValueError, match=says):
        average_price(LISTS, prices)


# ------------------------------------------------------------------------------------------------------------ exposure
def test_places_beside_catalogue_and_interactions_by_hand():
    train = train_of([[1, 1, 0, 0], [1, 0, 1, 0]])  # 2, 1, 1 and 0 owners
    table = exposure(LISTS, ["big", "big", "small", None], train)
    assert table.index.tolist() == ["big", "small", NO_SLICE]
    assert table["places"].tolist() == pytest.approx([3 / 6, 2 / 6, 1 / 6])
    assert table["catalogue"].tolist() == [0.5, 0.25, 0.25] and table["interactions"].tolist() == [0.75, 0.25, 0]
    assert table["ratio"].tolist() == pytest.approx([2 / 3, 4 / 3, np.nan], nan_ok=True)
    alone = exposure(LISTS, ["big", "big", "small", None])
    assert "interactions" not in alone and alone["ratio"].tolist() == pytest.approx([1, 4 / 3, 2 / 3])


def test_the_interval_of_places_is_the_jackknife_of_lists_left_out_one_by_one():
    rng = np.random.default_rng(0)
    items = np.array([rng.permutation(6)[:3] for _ in range(200)])
    items[::3, 2] = -1
    table = exposure(lists_of(items), list("aabbbb"))
    is_a, listed = ((items >= 0) & (items < 2)).sum(axis=1), (items >= 0).sum(axis=1)
    without = (is_a.sum() - is_a) / (listed.sum() - listed)
    error = np.sqrt(199 / 200 * ((without - without.mean()) ** 2).sum()) / (2 / 6)
    assert (table.loc["a", "high"] - table.loc["a", "low"]) / 2 == pytest.approx(1.972 * error, rel=0.01)  # t, 199 df


def test_lists_that_all_agree_have_no_spread_and_one_list_shows_none():
    assert exposure(lists_of([[0, 1]] * 5), ["a", "b"]).loc["a", ["low", "ratio", "high"]].tolist() == [1, 1, 1]
    assert exposure(lists_of([[0, 1]]), ["a", "b"])[["low", "high"]].isna().all(axis=None)


def test_no_share_of_places_is_below_none_or_above_all():
    table = exposure(lists_of([[0]] * 9 + [[1]]), ["a", "b"])
    assert table["ratio"].tolist() == pytest.approx([1.8, 0.2]) and table.loc["a", "high"] == 2
    assert table.loc["b", "low"] == 0 and table.loc["a", "low"] + table.loc["b", "high"] == pytest.approx(2)


def test_without_lists_there_are_no_places_and_a_group_without_items_has_no_share_to_divide_by():
    table = exposure(lists_of(np.full((2, 3), -1)), ["a", "b"])
    assert table[["places", "ratio", "low", "high"]].isna().all(axis=None) and table["catalogue"].tolist() == [0.5, 0.5]
    labels = pd.Categorical(["a", "a"], categories=["a", "nobody"])
    row = exposure(lists_of([[0, 1]]), labels).loc["nobody"]
    assert row["places"] == row["catalogue"] == 0 and np.isnan(row["ratio"])


def test_exposure_refuses_lists_of_another_catalogue_and_repeats():
    with pytest.raises(ValueError, match="lists hold item position 3"):
        exposure(LISTS, ["a", "b"])
    with pytest.raises(ValueError, match="hold an item twice"):
        exposure(lists_of([[1, 1]]), ["a", "b"])
    with pytest.raises(ValueError, match=r"labels must be one name per item of train, 3, got 4"):
        exposure(LISTS, list("aabb"), train_of(np.ones((2, 3))))
