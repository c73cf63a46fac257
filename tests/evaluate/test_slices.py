"""Slices of users and items: who is where, that nobody vanishes, and that each slice is the Comparison's own."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Split, TopK
from reco_utils.evaluate.beyond import Coverage
from reco_utils.evaluate.compare import compare
from reco_utils.evaluate.slices import (
    NO_SLICE,
    by_age,
    by_cohort,
    by_history,
    by_item_age,
    by_price,
    by_profile,
    by_size,
    only_items,
    sliced,
    sliced_items,
)

B, N_ITEMS = 6, 8


def make_split(n_users=B):
    """User b has had items 0 to b - 1 and wants items 6 and 7, but user 1 only item 6 and user 0 nothing."""
    users, items = pd.Index([f"u{b}" for b in range(n_users)]), pd.Index([f"i{j}" for j in range(N_ITEMS)])
    weights = csr_matrix(np.tri(n_users, N_ITEMS, -1, dtype=np.float32))
    truth = np.zeros((n_users, N_ITEMS), np.float32)
    truth[1:, 6], truth[2:, 7] = 1, 1
    catalog = pd.DataFrame(
        {
            "item_id": items,
            "price": [1.0, 2, 3, 4, 5, 6, 7, np.nan],
            "created_at": pd.to_datetime(
                ["2024-01-01"] * 5 + ["2024-03-24 12:00", "2024-03-25", None], format="ISO8601"
            ),
        }
    )
    profiles = pd.DataFrame(
        {
            "user_id": users,
            "age": [24, 25, np.nan, 34.5, 90, 17][:n_users],
            "gender": pd.Categorical(["f", "m", None, "m", "f", "m"][:n_users], categories=["x", "m", "f"]),
            "signup_at": pd.to_datetime(["2023-12-31", "2024-01-01", None, "2024-02-01", "2024-04-01", "2024-01-31"]),
        }
    )
    last = np.full(weights.nnz, np.datetime64("2024-01-01", "us"))
    data = Dataset(users, items, weights, last, weights > 0, catalog, profiles, pd.Timestamp("2024-04-01"))
    return Split(data, data.batch(users), csr_matrix(truth), ("purchase",), False, pd.Series({"warm": 5}))


SPLIT = make_split()


def lists_of(rows, users=SPLIT.batch.users):
    rows = np.array(rows, np.int32)
    return TopK(users, rows, np.zeros(rows.shape, np.float32))


def compared(metrics=("recall",)):
    """One model shows everybody item 6, the other one item 7 and 0."""
    models = {"six": lists_of([[6, -1]] * B), "seven": lists_of([[7, 0]] * B)}
    return compare(models, SPLIT, metrics, k=2, rng=np.random.default_rng(0))


def many(n=300, seed=0):
    """A comparison of n users with values of chance by two models, the last ten users NaN."""
    rng = np.random.default_rng(seed)
    base = make_split()
    again = np.arange(n) % B
    split = Split(base.train, base.batch[again], base.truth[again], base.target, base.keep_seen)
    values = rng.random(n)
    values[-10:] = np.nan
    lists = lists_of([[6, 7]] * n, split.batch.users)
    metrics = {"value": lambda lists, truth: values, "coverage": Coverage(N_ITEMS)}
    return compare({"a": lists, "b": lists}, split, metrics, k=2, rng=rng), values


def counts(labels):
    return {str(name): int(n) for name, n in labels.value_counts(sort=False, dropna=False).items()}


# -------------------------------------------------------------------------------------------------------------- labels
def test_histories_fall_into_bands_that_begin_at_the_edges():
    labels = by_history(SPLIT.batch, (0, 1, 3, 5))
    assert labels.tolist() == ["0", "1 to 2", "1 to 2", "3 to 4", "3 to 4", "5 and more"]
    assert labels.index.tolist() == SPLIT.batch.users.tolist() and labels.index.name == "user_id"


def test_a_band_nobody_is_in_stays_a_band():
    assert counts(by_history(SPLIT.batch)) == {"0": 1, "1 to 4": 4, "5 to 19": 1, "20 and more": 0}


def test_users_below_the_first_edge_are_in_no_slice():
    assert counts(by_history(SPLIT.batch, (2,))) == {"2 and more": 4, "nan": 2}


def test_ages_end_with_the_year_and_the_unknown_one_is_in_no_slice():
    labels = by_age(SPLIT.batch, (0, 25, 35))
    assert labels.astype(object).where(labels.notna(), None).tolist() == [
        "0 to 24", "25 to 34", None, "25 to 34", "35 and more", "0 to 24",
    ]  # fmt: skip


def test_a_profile_column_gives_the_values_that_occur_sorted():
    assert counts(by_profile(SPLIT.batch, "gender")) == {"f": 2, "m": 3, "nan": 1}


def test_cohorts_are_periods_of_signing_up_in_order():
    assert counts(by_cohort(SPLIT.batch)) == {"2023": 1, "2024": 4, "nan": 1}
    assert counts(by_cohort(SPLIT.batch, "quarter")) == {"2023Q4": 1, "2024Q1": 3, "2024Q2": 1, "nan": 1}
    assert list(by_cohort(SPLIT.batch, "month").cat.categories) == ["2023-12", "2024-01", "2024-02", "2024-04"]


def test_items_fall_into_bands_of_whole_days():
    # at 2024-04-01: 7.5 and 7 days old, and one unknown; the others are three months old
    assert counts(by_item_age(SPLIT.train)) == {"0 to 6": 0, "7 to 29": 2, "30 to 89": 0, "90 and more": 5, "nan": 1}
    assert counts(by_item_age(SPLIT.train, (0, 8))) == {"0 to 7": 2, "8 and more": 5, "nan": 1}


def test_price_bands_hold_about_as_many_items_each():
    labels = by_price(SPLIT.train, 2)
    assert counts(labels) == {"1.00 to 4.00": 4, "4.00 to 7.00": 3, "nan": 1}
    assert labels.index.name == "item_id"


@pytest.mark.parametrize(
    "prices, found",
    [
        ([5.0] * 8, {"5.00 to 5.00": 8}),
        ([np.nan] * 8, {"nan": 8}),
        (
            [0.001, 0.002, 0.003, 0.004] * 2,
            {"0.001 to 0.00175": 2, "0.00175 to 0.0025": 2, "0.0025 to 0.00325": 2, "0.00325 to 0.004": 2},
        ),
    ],
)
def test_prices_that_are_all_alike_or_unknown_or_tiny(prices, found):
    assert counts(by_price(with_prices(prices))) == found


def with_prices(prices):
    data = SPLIT.train
    catalog = data.catalog.assign(price=prices)
    return Dataset(data.users, data.items, data.weights, data.last, data.seen, catalog, data.profiles, data.asof)


def test_sizes_by_hand():
    # users 1 to 5 have had items 0 to b - 1: 5, 4, 3, 2, 1, 0, 0, 0 interactions, 15 in all; before each item stand
    # 0, 5, 9, 12 and 14 of them, and the marks are 7.5 and 12
    sizes = by_size(SPLIT.train)
    assert sizes.tolist() == ["large", "large", "middle", "small", "small", "small", "small", "small"]


def test_a_brand_is_as_large_as_all_its_items():
    # b has 3 + 2 + 1 = 6, a 5, c 4; before them stand 0, 6 and 11; nobody bought d; the last item has no brand
    brands = ["a", "c", "b", "b", "b", "a", "d", None]
    sizes = by_size(SPLIT.train, brands, names=("L", "M", "S"))
    assert sizes.iloc[:7].tolist() == ["L", "M", "L", "L", "L", "L", "S"] and pd.isna(sizes.iloc[7])


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: by_history(SPLIT.batch, ()), "edges must be whole numbers that increase"),
        (lambda: by_history(SPLIT.batch, (0, 5, 5)), r"got \[0, 5, 5\]"),
        (lambda: by_age(SPLIT.batch, (0, 0.5)), "edges must be whole numbers"),
        (lambda: by_profile(SPLIT.batch, "city"), "profiles must have a column 'city'"),
        (lambda: by_cohort(SPLIT.batch, "week"), r"every must be one of \['year', 'quarter', 'month'\], got 'week'"),
        (lambda: by_price(SPLIT.train, 0), "n must be at least 1 band, got 0"),
        (lambda: by_size(SPLIT.train, ["a"]), r"labels must be one name per item, \(8,\), got shape \(1,\)"),
        (lambda: by_size(SPLIT.train, shares=(0.9, 0.1)), "shares must increase within 0 to 1"),
    ],
)
def test_labels_that_cannot_be_made_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# ------------------------------------------------------------------------------------------------------- user slices
def test_a_table_of_slices_by_hand():
    table = sliced(compared(), ["x", "x", "y", "y", "y", None], "recall")
    assert table.columns.tolist() == ["slice", "model", "mean", "low", "high", "users", "too_few"]
    assert table["slice"].tolist() == ["x", "x", "y", "y", NO_SLICE, NO_SLICE]
    assert table["model"].tolist() == ["six", "seven"] * 3
    # user 0 wants nothing and user 1 item 6 alone; the others want 6 and 7, each model finds one of them
    assert table["mean"].tolist() == [1, 0, 0.5, 0.5, 0.5, 0.5]
    assert table["users"].tolist() == [1, 1, 3, 3, 1, 1] and table["too_few"].all()
    assert table["low"].isna().tolist() == [True, True, False, False, True, True]  # one user shows no spread


def test_a_slice_of_everybody_is_the_comparison_itself():
    found, _ = many()
    for metric in ("value", "coverage"):
        table = sliced(found, ["all"] * 300, metric).set_index("model")[["mean", "low", "high", "users"]]
        pd.testing.assert_frame_equal(table, found.table(metric))


def test_a_slice_is_the_comparison_of_its_users():
    found, values = many()
    table = sliced(found, np.arange(300) < 120, "value").set_index(["slice", "model"])
    assert table.loc[(True, "a"), "mean"] == pytest.approx(values[:120].mean())
    assert table.loc[(False, "a"), "mean"] == pytest.approx(np.nanmean(values[120:]))
    assert table["users"].tolist() == [170, 170, 120, 120]  # ten users have no value
    alone = found.take(np.arange(300) < 120).table("value").loc["a"]
    assert table.loc[(True, "a"), ["low", "high"]].tolist() == alone[["low", "high"]].tolist()
    assert not table["too_few"].any()


def test_fewer_than_a_hundred_users_are_too_few():
    found, _ = many()
    table = sliced(found, ["99"] * 99 + ["100"] * 100 + [None] * 101, "value").set_index("slice")
    assert table["too_few"].to_dict() == {"99": True, "100": False, NO_SLICE: True}  # ten of the last have no value


def test_every_user_with_a_value_is_in_one_row():
    found, values = many()
    labels = np.random.default_rng(1).choice(np.array(["x", "y", None], dtype=object), 300)
    assert sliced(found, labels, "value").groupby("model")["users"].sum().tolist() == [290, 290]


def test_an_empty_slice_has_no_users_and_no_mean():
    labels = pd.Categorical(["many"] * B, categories=["none", "many"])
    for metrics in (("recall",), {"coverage": Coverage(N_ITEMS)}):
        found = compared(metrics)
        table = sliced(found, labels, found.metrics[0])
        assert table["slice"].tolist() == ["none", "none", "many", "many"]
        assert table[["mean", "low", "high"]].iloc[:2].isna().all(axis=None)
        assert table["mean"].iloc[2:].notna().all()
        assert table["users"].iloc[:2].tolist() == [0, 0]


def test_a_series_counts_by_its_order_and_not_its_index():
    labels = ["x", "x", "y", "y", "y", "y"]
    shuffled = pd.Series(labels, index=[5, 4, 3, 2, 1, 0])
    pd.testing.assert_frame_equal(sliced(compared(), shuffled, "recall"), sliced(compared(), labels, "recall"))


def test_names_of_several_kinds_are_slices_too():
    assert sliced(compared(), [1, "1+", 1, 2.5, None, 1], "recall")["slice"].cat.categories.tolist() == [
        1, "1+", 2.5, NO_SLICE,
    ]  # fmt: skip


def test_users_of_no_slice_at_all_still_make_a_table():
    table = sliced(compared(), [None] * B, "recall")
    assert table["slice"].tolist() == [NO_SLICE] * 2 and table["users"].tolist() == [5, 5]


def test_a_metric_is_asked_for_as_in_the_comparison():
    with pytest.raises(KeyError, match="no metric 'ndcg' in this comparison"):
        sliced(compared(), ["x"] * B, "ndcg")
    with pytest.raises(ValueError, match=r"labels must be one name per user, \(6,\), got shape \(2,\)"):
        sliced(compared(), ["x", "y"], "recall")


# ------------------------------------------------------------------------------------------------------- item slices
def test_only_items_keeps_their_truth_and_counts_who_has_none_left():
    split = only_items(SPLIT, np.arange(N_ITEMS) == 7)
    assert split.truth.toarray()[:, 7].tolist() == [0, 0, 1, 1, 1, 1] and split.truth.nnz == 4
    assert split.report.to_dict() == {
        "warm": 5,
        "items judged on": 1,
        "users with truth on these items": 4,
        "users without truth on these items": 1,
    }
    assert split.batch is SPLIT.batch and SPLIT.truth.nnz == 9
    found = compare({"a": lists_of([[7, 0]] * B)}, split, ("recall",), k=2, rng=np.random.default_rng(0))
    assert found.table("recall")["users"].tolist() == [4] and "2 without truth left out" in found.note


def test_only_items_of_none_and_of_all():
    assert only_items(SPLIT, np.zeros(N_ITEMS, bool)).truth.nnz == 0
    np.testing.assert_array_equal(only_items(SPLIT, np.ones(N_ITEMS, bool)).truth.toarray(), SPLIT.truth.toarray())


@pytest.mark.parametrize("mask", [np.ones(3, bool), np.arange(N_ITEMS), [[True] * N_ITEMS]])
def test_a_mask_that_is_not_one_bool_per_item_is_refused(mask):
    with pytest.raises(ValueError, match=r"mask must be bool of shape \(8,\), one per item"):
        only_items(SPLIT, mask)


def test_a_table_of_item_slices_by_hand():
    table = sliced_items(compared(), SPLIT, [None] * 5 + ["old", "old", "new"], "recall").set_index(["slice", "model"])
    assert table["users"].tolist() == [4, 4, 5, 5, 0, 0]  # nobody wants an item without a label
    assert table.loc[("new", "six"), "mean"] == 0 and table.loc[("new", "seven"), "mean"] == 1
    assert table.loc[("old", "six"), "mean"] == 1 and table.loc[("old", "seven"), "mean"] == 0
    assert table.loc[NO_SLICE, "mean"].isna().all()


def test_a_table_of_item_slices_is_the_same_when_asked_for_again():
    split = SPLIT.take(np.arange(300) % B)
    items = np.random.default_rng(0).permuted(np.tile(np.arange(N_ITEMS), (300, 1)), axis=1)
    lists = lists_of(items[:, :3], split.batch.users)
    found = compare({"chance": lists}, split, ("ndcg",), k=3, rng=np.random.default_rng(0))
    table = sliced_items(found, split, ["x"] * N_ITEMS, "ndcg")
    pd.testing.assert_frame_equal(table, sliced_items(found, split, ["x"] * N_ITEMS, "ndcg"))
    assert table["mean"].tolist() == found.table("ndcg")["mean"].tolist()
    assert (table["low"] < table["mean"]).all() and (table["mean"] < table["high"]).all()


def test_item_slices_need_a_measure_that_is_judged_on_truth():
    with pytest.raises(ValueError, match="unknown metric 'coverage'"):
        sliced_items(compared({"coverage": Coverage(N_ITEMS)}), SPLIT, ["x"] * N_ITEMS, "coverage")
    with pytest.raises(ValueError, match=r"labels must be one name per item, \(8,\)"):
        sliced_items(compared(), SPLIT, ["x"] * B, "recall")
