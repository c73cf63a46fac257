"""Comparisons of models whose lists, and so their values, are known by construction."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Pipeline, Split, TopK
from reco_utils.corrections import adjust
from reco_utils.evaluate.accuracy import ndcg
from reco_utils.evaluate.beyond import Coverage, Diversity, Gini, coverage
from reco_utils.evaluate.compare import Comparison, compare

B, N_ITEMS = 12, 6
SEEN = 5  # every warm user has item 5; the truth of user b is item b % 3; user 11 has none; users 0 and 1 are cold


def make_split(n_users=B, keep_seen=False):
    users, items = pd.Index([f"u{b}" for b in range(n_users)]), pd.Index([f"i{j}" for j in range(N_ITEMS)])
    history = np.zeros((n_users, N_ITEMS), np.float32)
    history[2:, SEEN] = 1
    wanted = np.eye(N_ITEMS, dtype=np.float32)[np.arange(n_users) % 3]
    wanted[11:12] = 0
    weights = csr_matrix(history)
    catalog, profiles = pd.DataFrame({"item_id": items, "title": items}), pd.DataFrame({"user_id": users})
    last = np.full(weights.nnz, np.datetime64("2024-01-01", "us"))
    asof = pd.Timestamp("2024-01-02")
    data = Dataset(users, items, weights, last, weights.astype(bool), catalog, profiles, asof)
    report = pd.Series({"truth on unknown items": 2, "share": np.nan})
    return Split(data, data.batch(users), csr_matrix(wanted), ("purchase",), keep_seen, report)


@dataclass
class Fixed:
    """Scores items in a fixed order of preference, the same for everybody."""

    order: tuple[int, ...]
    alpha: float = 0.5
    learnt_: int = field(default=3, repr=False)

    def fit(self, data):
        raise AssertionError("compare must not train")

    def score(self, batch):
        scores = np.full(batch.history.shape, np.nan, np.float32)
        scores[:, list(self.order)] = -np.arange(len(self.order), dtype=np.float32)
        return scores


def best_first(batch, k):
    """The truth of everybody at rank 1."""
    items = (np.arange(len(batch))[:, None] + np.arange(k)) % 3
    items[:, 3:] = -1
    return TopK(batch.users, items.astype(np.int32), np.zeros(items.shape, np.float32))


def unchanged(lists, batch, k, lam):
    return lists.cut(k)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def found():
    models = {"good": best_first, "fixed": Fixed((0, 1, 2)), "late": Pipeline(Fixed((SEEN, 4, 3)))}
    return compare(models, make_split(), ("mrr", "recall@1"), k=3, rng=rng())


# ------------------------------------------------------------------------------------------------- values and the table
def test_per_user_values_by_hand(found):
    # "fixed" shows 0 1 2: truths 0, 1, 2 stand at ranks 1, 2, 3; user 11 has no truth
    expected = np.tile([1, 1 / 2, 1 / 3], 4)
    expected[11] = np.nan
    np.testing.assert_allclose(found.per_user["fixed", "mrr@3"], expected)
    np.testing.assert_allclose(found.per_user["good", "mrr@3"], np.where(np.isnan(expected), np.nan, 1))
    assert (found.per_user["late"].iloc[:11] == 0).all(axis=None)
    assert found.per_user.index.tolist() == [f"u{b}" for b in range(B)] and found.per_user.index.name == "user_id"


def test_the_table_of_one_metric_has_one_row_per_model_in_the_order_given(found):
    table = found.table("mrr@3")
    assert table.index.tolist() == ["good", "fixed", "late"] and table.index.name == "model"
    assert table.columns.tolist() == ["mean", "low", "high", "users"]
    # users 0 to 10: four truths of 0, four of 1, three of 2
    assert table["mean"].tolist() == pytest.approx([1, (4 + 4 / 2 + 3 / 3) / 11, 0])
    assert table["users"].tolist() == [11, 11, 11]
    assert table.loc["fixed", "low"] < table.loc["fixed", "mean"] < table.loc["fixed", "high"]


def test_the_whole_table_counts_warm_cold_and_left_out(found):
    table = found.table()
    assert table.index.tolist() == [(m, c) for m in ("good", "fixed", "late") for c in ("mrr@3", "recall@1")]
    assert (table[["users", "warm", "cold", "left_out"]] == [11, 9, 2, 1]).all(axis=None)


def test_a_metric_may_be_asked_for_without_its_k(found):
    pd.testing.assert_frame_equal(found.table("mrr"), found.table("mrr@3"))


def test_the_note_counts_users_and_says_when_they_are_too_few(found):
    assert (
        found.note
        == "11 users (9 warm, 2 cold); 1 without truth left out; fewer than 100 users are too few to rank models"
    )
    assert "too few" not in compare({"a": best_first}, make_split(101), k=2, rng=rng()).note
    assert found.note in repr(found) and found.note in found._repr_html_()


def test_names_mean_name_at_k():
    assert compare({"a": best_first}, make_split(), k=2, rng=rng()).metrics == ["ndcg@2", "recall@2"]
    assert compare({"a": best_first}, make_split(), "mrr", k=2, rng=rng()).metrics == ["mrr@2"]


def test_any_function_of_lists_and_truth_is_a_metric():
    metrics = {"first item": lambda lists, truth: lists.items[:, 0], "graded": partial(ndcg, gain="linear")}
    found = compare({"a": best_first}, make_split(), metrics, k=3, rng=rng())
    assert found.per_user["a", "first item"].tolist() == [b % 3 for b in range(B)]
    assert found.table("graded")["mean"].tolist() == [1]
    assert found.table()["users"].tolist() == [12, 11]


# --------------------------------------------------------------------------------------------------------------- lists
def test_the_split_says_whether_lists_may_repeat_what_users_have():
    for model in (Fixed((SEEN, 0)), Pipeline(Fixed((SEEN, 0)))):
        lists = compare({"a": model}, make_split(keep_seen=False), k=2, rng=rng()).lists["a"]
        assert not (lists.items[2:] == SEEN).any()
        lists = compare({"a": model}, make_split(keep_seen=True), k=2, rng=rng()).lists["a"]
        assert (lists.items[:, 0] == SEEN).all()


def test_ready_lists_may_be_compared_and_are_cut_to_k():
    split = make_split()
    found = compare({"ready": best_first(split.batch, 5)}, split, ("mrr",), k=1, rng=rng())
    assert found.lists["ready"].k == 1 and found.table("mrr")["mean"].tolist() == [1]


def test_lists_for_other_users_are_refused():
    split = make_split()
    other = best_first(split.batch[::-1], 3)
    with pytest.raises(ValueError, match="lists must be for the 12 users of the split, in their order") as caught:
        compare({"mirrored": other}, split, k=3, rng=rng())
    assert caught.value.__notes__ == ["while judging 'mirrored'"]


def test_lists_that_are_too_narrow_are_refused():
    with pytest.raises(ValueError, match="lists must hold at least k=5 places, got 3; pad them with -1"):
        compare({"a": lambda batch, k: best_first(batch, 3)}, make_split(), k=5, rng=rng())


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match="a pipeline must be a fitted model, a Pipeline, a function"):
        compare({"a": "popularity"}, make_split(), rng=rng())
    with pytest.raises(TypeError, match="a pipeline must be a fitted model"):
        compare({"a": Fixed}, make_split(), rng=rng())
    with pytest.raises(TypeError, match="lists must come as a TopK, got ndarray"):
        compare({"a": lambda batch, k: np.zeros((12, k))}, make_split(), rng=rng())
    with pytest.raises(ValueError, match="pipelines must hold at least one model"):
        compare({}, make_split(), rng=rng())


def test_bad_metrics_are_refused_before_any_model_runs():
    def never(batch, k):
        raise AssertionError("a model ran")

    with pytest.raises(ValueError, match="unknown metric 'ndgc'; did you mean 'ndcg'"):
        compare({"a": never}, make_split(), ("ndgc",), rng=rng())
    with pytest.raises(ValueError, match="ndcg@20 looks beyond the lists of k=10; pass a larger k"):
        compare({"a": never}, make_split(), ("ndcg@20",), rng=rng())
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        compare({"a": never}, make_split(), k=0, rng=rng())
    with pytest.raises(TypeError, match="rng must be a numpy Generator, such as .* got 0"):
        compare({"a": never}, make_split(), rng=0)


def test_a_metric_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"metric 'one' must return one number per list, \(12,\), got \(\)"):
        compare({"a": best_first}, make_split(), {"one": lambda lists, truth: 0.5}, k=2, rng=rng())


# -------------------------------------------------------------------------------------------------------------- versus
def test_differences_are_paired_by_user(found):
    against = found.versus("fixed", "mrr")
    assert against.index.tolist() == ["good", "late"]
    # good - fixed is 0, 1/2, 2/3 for truths 0, 1, 2
    differences = np.array([0, 1 / 2, 2 / 3] * 4)[:11]
    row = against.loc["good"]
    assert row["difference"] == pytest.approx(differences.mean())
    assert row["effect"] == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert row["users"] == 11
    # seven users differ, all in favour: a choice of signs is as far out when all seven agree, 2 of 2^7; 9,999 are drawn
    assert row["p"] == pytest.approx(2 / 2**7, abs=4 * np.sqrt(2 / 2**7 / 9999))
    assert row["low"] > 0


def test_p_is_corrected_over_the_models_of_each_metric(found):
    against = found.versus("fixed")
    for metric in ("mrr@3", "recall@1"):
        of_metric = against.xs(metric, level="metric")
        assert of_metric["p_holm"].tolist() == adjust(of_metric["p"]).tolist()
        assert (of_metric["p_holm"] >= of_metric["p"]).all() and (of_metric["p_holm"] > of_metric["p"]).any()
        pd.testing.assert_frame_equal(
            found.versus("fixed", metric).drop(columns="p_holm"), of_metric.drop(columns="p_holm")
        )


def test_a_model_against_its_twin_shows_no_difference():
    found = compare({"a": best_first, "twin": best_first}, make_split(), k=2, rng=rng())
    row = found.versus("a", "ndcg").loc["twin"]
    assert row[["difference", "low", "high", "p", "effect"]].tolist() == [0, 0, 0, 1, 0]


def test_a_paired_interval_is_narrower_than_the_two_alone():
    # b is a plus .1 for everybody: the means overlap widely, the difference is .1 without doubt
    values = rng(4).random(B)
    metrics = {"m": lambda lists, truth: values + 0.1 * (lists.items[:, 0] < 0)}
    split = make_split()
    nothing = TopK(split.batch.users, np.full((B, 2), -1, np.int32), np.zeros((B, 2), np.float32))
    found = compare({"a": best_first, "b": nothing}, split, metrics, k=2, rng=rng())
    low, high = found.versus("a", "m").loc["b", ["low", "high"]]
    assert low == pytest.approx(0.1) == high
    assert found.table("m").loc["b", "low"] < found.table("m").loc["a", "high"]


def test_unknown_models_and_metrics_suggest_the_nearest(found):
    with pytest.raises(KeyError, match="no model 'fixd' in this comparison; did you mean 'fixed'"):
        found.versus("fixd")
    with pytest.raises(KeyError, match="no metric 'ndcg' in this comparison; it has"):
        found.table("ndcg")
    with pytest.raises(ValueError, match="versus needs a second model beside the baseline"):
        compare({"a": best_first}, make_split(), k=2, rng=rng()).versus("a")


# ------------------------------------------------------------------------------------------------- seeds and edge cases
def test_the_same_seed_gives_the_same_tables_in_any_order_of_asking():
    def again(seed):
        values = {"m": lambda lists, truth: np.random.default_rng(lists.items[1, 0]).normal(size=B)}
        return compare({"a": best_first, "b": Fixed((0, 1, 2))}, make_split(), values, k=3, rng=rng(seed))

    first, second, third = again(1), again(1), again(2)
    against, table = first.versus("b"), first.table()  # asked in this order here,
    pd.testing.assert_frame_equal(second.table(), table)  # and in the other there
    pd.testing.assert_frame_equal(second.versus("b"), against)
    assert not third.table().equals(table)


def test_two_comparisons_from_one_generator_are_independent():
    shared = rng()
    seeds = [compare({"a": best_first}, make_split(), k=2, rng=shared).seed for _ in range(2)]
    assert seeds[0] != seeds[1]


def test_one_user_has_a_mean_but_no_interval(found):
    one = found.take([1])  # truth 1, which "fixed" shows at rank 2
    assert one.table("mrr")["mean"].tolist() == [1, 1 / 2, 0]
    assert one.table("mrr")[["low", "high"]].isna().all(axis=None)
    assert one.versus("fixed", "mrr")["p"].tolist() == [1, 1]
    assert one.note.startswith("1 users (0 warm, 1 cold)")


@pytest.mark.parametrize("rows", [[], [11], np.zeros(B, bool)], ids=["nobody", "no truth", "empty mask"])
def test_a_slice_without_anybody_is_nan_and_counted(found, rows):
    empty = found.take(rows)
    assert empty.table("mrr")[["mean", "low", "high"]].isna().all(axis=None)
    assert empty.table("mrr")["users"].tolist() == [0, 0, 0]
    assert empty.versus("fixed")[["difference", "p", "p_holm", "effect"]].isna().all(axis=None)
    assert empty.note.startswith("0 users")


def test_warm_users_apart(found):
    warm = found.take(found.warm)
    assert warm.table("mrr").loc["fixed", "mean"] == pytest.approx((3 + 3 / 2 + 3 / 3) / 9)  # users 2 to 10
    assert warm.lists["good"].users.tolist() == [f"u{b}" for b in range(2, B)]


# -------------------------------------------------------------------------------------------------------------- export
def test_export_writes_what_is_needed_to_do_it_again(tmp_path):
    fixed = Pipeline(Fixed((0, 1, 2), alpha=0.25), (partial(unchanged, lam=0.7),), n_candidates=7)
    models = {"good": best_first, "fixed": fixed}
    found = compare(models, make_split(), ("mrr",), k=3, rng=rng(9))
    path = found.export(tmp_path / "runs" / "first.json")
    record = json.loads(path.read_text())
    model = record["models"]["fixed"]["model"]
    assert model["alpha"] == 0.25 and model["order"] == [0, 1, 2] and model["type"].endswith(".Fixed")
    assert "learnt_" not in model and record["models"]["fixed"]["n_candidates"] == 7
    assert record["models"]["fixed"]["rerankers"][0]["lam"] == 0.7
    assert record["models"]["good"].endswith("best_first")
    assert record["split"]["report"] == {"truth on unknown items": 2, "share": None}
    assert record["split"]["target"] == ["purchase"] and record["split"]["keep_seen"] is False
    assert record["k"] == 3 and record["metrics"] == ["mrr@3"] and record["note"] == found.note
    assert record["table"][1]["mean"] == pytest.approx(7 / 11)
    again = np.random.default_rng()
    again.bit_generator.state = record["rng"]
    assert compare(models, make_split(), ("mrr",), k=3, rng=again).seed == record["seed"] == found.seed


def test_export_keeps_the_per_user_values_beside_the_record(found, tmp_path):
    record = json.loads(found.export(tmp_path / "c.json").read_text())
    file = tmp_path / record["per_user"]["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == record["per_user"]["sha256"]
    values = pd.read_parquet(file)
    assert values["user_id"].tolist() == found.per_user.index.tolist()
    np.testing.assert_array_equal(values["fixed | mrr@3"], found.per_user["fixed", "mrr@3"])


def test_a_failed_export_leaves_the_old_file_and_no_crumbs(found, tmp_path, monkeypatch):
    path = found.export(tmp_path / "c.json")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(*names):
        raise OSError("disk full")

    monkeypatch.setattr("reco_utils.evaluate.compare.os.replace", full)
    with pytest.raises(OSError, match="disk full"):
        found.take(found.warm).export(path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_export_wants_json(found, tmp_path):
    with pytest.raises(ValueError, match="path must end in .json, got 'c.csv'"):
        found.export(tmp_path / "c.csv")


def test_a_comparison_is_what_compare_returns(found):
    assert isinstance(found, Comparison) and found.models == ["good", "fixed", "late"]


def test_a_verdict_says_above_below_or_that_nobody_knows():
    users = pd.Index([f"u{n}" for n in range(20)], name="user_id")
    up = np.r_[np.full(19, 0.5), 0.25]
    columns = pd.MultiIndex.from_product([["base", "better", "same"], ["ndcg@10"]], names=["model", "metric"])
    values = np.column_stack([np.full(20, 0.25), up, np.full(20, 0.25) + np.r_[0.125, -0.125, np.zeros(18)]])
    found = Comparison(pd.DataFrame(values, users, columns), {}, np.ones(20, bool), 10, 0, {})
    assert found.verdict("better", "base").startswith("better is above base: +0.2375 (+0.")
    assert found.verdict("base", "better", "ndcg").startswith("base is below better: -0.2375 (-0.")
    assert found.verdict("same", "base").startswith("same cannot be told from base: +0.0000 (-0.0")
    with pytest.raises(KeyError, match="did you mean 'better'"):
        found.verdict("bettr", "base")


# --------------------------------------------------------------------------------------------- one number for all lists
def shown(items, scores=0.0):
    """A model that shows these items (B, K) whatever is asked."""
    items = np.array(items, np.int32)

    def show(batch, k):
        return TopK(batch.users, items[:, :k], np.full((len(items), k), scores, np.float32))

    return show


@pytest.fixture(scope="module")
def wide():
    """Six users see one item twice over, and a different item each; the truth is b % 3."""
    models = {"narrow": shown([[0]] * 6), "wide": shown([[b] for b in range(6)])}
    metrics = ("mrr", Coverage(N_ITEMS), Diversity(np.eye(N_ITEMS)))
    return compare(models, make_split(6), metrics, 1, rng=rng())


def test_functions_of_lists_stand_beside_labels(wide):
    assert wide.metrics == ["mrr@1", "diversity@1", "coverage@1"]
    assert wide.per_user.columns.tolist() == [(m, c) for m in ("narrow", "wide") for c in ("mrr@1", "diversity@1")]
    table = wide.table()
    assert table.index.tolist() == [(m, c) for m in ("narrow", "wide") for c in wide.metrics]
    assert table.loc[("wide", "coverage@1"), ["mean", "users", "warm", "cold", "left_out"]].tolist() == [1, 6, 4, 2, 0]
    assert table.loc[("wide", "diversity@1"), "users"] == 0  # one item is no pair
    assert wide.table("coverage")["mean"].tolist() == [1 / 6, 1]
    assert wide.note.startswith("6 users (4 warm, 2 cold); 0 without truth left out")


def test_the_interval_of_a_coverage_leaves_one_user_out_at_a_time(wide):
    # "wide" without any one of its six users covers 5/6: no spread at all; "narrow" covers 1/6 without anybody
    assert wide.table("coverage")[["low", "high"]].to_numpy().tolist() == [[1 / 6, 1 / 6], [1, 1]]
    # of eight users four see items 1 to 4, four see item 0: without one of the first 4/6, of the others 5/6
    found = compare({"a": shown([[1], [2], [3], [4], [0], [0], [0], [0]])}, make_split(8), (Coverage(6),), 1, rng=rng())
    error = np.sqrt(7 / 8 * 8 * (1 / 12) ** 2)
    low, high = found.table("coverage").loc["a", ["low", "high"]]
    assert (low, high) == pytest.approx((5 / 6 - 2.3646 * error, 5 / 6 + 2.3646 * error), abs=1e-4)  # t, 7 degrees


def test_differences_of_a_coverage_leave_the_same_users_out_of_both():
    same = [[b % 4] for b in range(8)]
    models = {"a": shown(same), "twin": shown(same), "more": shown([*same[:-1], [5]])}
    against = compare(models, make_split(8), (Coverage(6),), 1, rng=rng()).versus("a", "coverage")
    assert against.loc["twin", ["difference", "low", "high", "p"]].tolist() == [0, 0, 0, 1]
    # a covers 0 to 3 without anybody; "more" covers 5/6, but 4/6 without users 7 or 3, who alone see items 5 and 3
    error = np.sqrt(7 / 8 * (2 * (1 / 6 * 6 / 8) ** 2 + 6 * (1 / 6 * 2 / 8) ** 2))
    row = against.loc["more"]
    assert row["difference"] == pytest.approx(1 / 6)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(2.3646 * error, abs=1e-4)
    assert np.isnan(row["effect"]) and row["users"] == 8 and row["p_holm"] == min(2 * row["p"], 1)


def test_a_difference_without_any_spread_has_no_p(wide):
    row = wide.versus("narrow", "coverage").loc["wide"]
    assert row["difference"] == row["low"] == row["high"] == pytest.approx(5 / 6)
    assert np.isnan(row["p"]) and np.isnan(row["p_holm"])
    assert wide.verdict("wide", "narrow", "coverage").startswith("wide cannot be told from narrow: +0.8333")


def test_a_function_of_lists_alone_may_give_one_number_or_one_per_user():
    metrics = {
        "places": lambda lists: lists.items.size,
        "first": lambda lists, column=0: lists.items[:, column],  # what has a default is not the truth
        "truths": lambda lists, truth: truth.getnnz(axis=1),
    }
    found = compare({"a": best_first}, make_split(), metrics, 3, rng=rng())
    assert found.metrics == ["first", "truths", "places"]
    assert found.table("places")["mean"].tolist() == [36] and found.per_user["a", "first"].tolist()[:4] == [0, 1, 2, 0]


def test_measures_of_all_lists_can_stand_alone(tmp_path):
    models = {"a": best_first, "b": shown([[0]] * B)}
    found = compare(models, make_split(), [Coverage(N_ITEMS), Gini(N_ITEMS)], 1, rng=rng())
    assert found.models == ["a", "b"] and found.metrics == ["coverage@1", "gini@1"] and found.per_user.shape == (B, 0)
    assert found.table()["mean"].tolist() == pytest.approx([3 / 6, 1 / 2, 1 / 6, 5 / 6])
    assert found.versus("a").index.tolist() == [("b", "coverage@1"), ("b", "gini@1")]
    assert found.note.startswith("12 users")
    assert json.loads(found.export(tmp_path / "c.json").read_text())["table"][0]["metric"] == "coverage@1"


def test_taking_some_users_takes_their_lists(wide):
    few = wide.take([0, 1, 2])
    assert few.table("coverage")["mean"].tolist() == [1 / 6, 3 / 6]
    assert few.table()["users"].tolist() == [3, 0, 3] * 2
    assert wide.take([0]).table("coverage").loc["wide"].isna().tolist() == [False, True, True, False]
    nobody = wide.take([])
    assert nobody.table("coverage")["mean"].tolist() == [0, 0] and nobody.versus("wide", "coverage")["p"].isna().all()


def test_the_same_groups_are_left_out_whenever_they_are_asked_for():
    items = rng(3).permuted(np.tile(np.arange(N_ITEMS), (120, 1)), axis=1)[:, :1]
    models = {"a": shown(items), "b": shown(items[::-1])}

    def again(seed):
        return compare(models, make_split(120), ("mrr", Gini(N_ITEMS)), 1, rng=rng(seed))

    first, second = again(1), again(1)
    against, table = first.versus("b", "gini"), first.table("gini")
    pd.testing.assert_frame_equal(second.table("gini"), table)
    pd.testing.assert_frame_equal(second.versus("b", "gini"), against)
    assert not again(2).table("gini")["low"].equals(table["low"])


def test_the_record_says_which_functions_measured(wide, tmp_path):
    record = json.loads(wide.export(tmp_path / "c.json").read_text())
    assert record["metrics"] == ["mrr@1", "diversity@1", "coverage@1"] and record["n_groups"] == 50
    assert record["functions"]["coverage@1"]["n_items"] == N_ITEMS
    values = pd.read_parquet(tmp_path / "c.parquet")
    assert values.columns.tolist() == [
        "user_id",
        *(f"{m} | {c}@1" for m in ("narrow", "wide") for c in ("mrr", "diversity")),
    ]


def test_two_functions_of_one_name_are_refused():
    for metrics in [(Coverage(6), Coverage(7)), (Coverage(6), "mrr", Coverage(7)), ("mrr", Coverage(6, label="mrr"))]:
        with pytest.raises(
            ValueError, match="two metrics are called '(coverage|mrr)@2'; give one of them another label"
        ):
            compare({"a": best_first}, make_split(), metrics, 2, rng=rng())
    both = compare({"a": best_first}, make_split(), ("mrr", partial(coverage, n_items=7), "mrr@2"), 2, rng=rng())
    assert both.metrics == ["mrr@2", "coverage@2"]


def test_what_is_no_metric_is_refused():
    with pytest.raises(TypeError, match="a metric must be a label or a function, got 5"):
        compare({"a": best_first}, make_split(), (5,), rng=rng())
    for nothing in ((), {}):
        with pytest.raises(ValueError, match="metrics must hold at least one of"):
            compare({"a": best_first}, make_split(), nothing, rng=rng())
