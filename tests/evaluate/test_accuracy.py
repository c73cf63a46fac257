"""The measures of accuracy: by hand, at the edges, against bad input, and against ranx where the definitions agree."""

import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import TopK
from reco_utils.evaluate.accuracy import (
    NAMES,
    average_precision,
    f1,
    hit_rate,
    measure,
    mrr,
    ndcg,
    parse_label,
    pauc,
    precision,
    recall,
)
from reco_utils.topk import select

ALL = (precision, recall, f1, ndcg, average_precision, hit_rate, mrr, pauc)
LOG3 = np.log2(3)  # the discount of rank 2


def lists(*rows):
    """Lists of positions, padded to the longest with -1; users are called u0, u1, ..."""
    width = max((len(row) for row in rows), default=0)
    items = np.array([[*row, *[-1] * (width - len(row))] for row in rows], np.int32).reshape(len(rows), width)
    return TopK(pd.Index([f"u{b}" for b in range(len(rows))]), items, np.where(items < 0, np.nan, 1).astype(np.float32))


def wanted(*rows, n_items=10):
    """The truth as csr from one dict {position: gain}, or a collection of positions, per user."""
    matrix = np.zeros((len(rows), n_items), np.float32)
    for b, row in enumerate(rows):
        for item in row:
            matrix[b, item] = row[item] if isinstance(row, dict) else 1
    return csr_matrix(matrix)


# ------------------------------------------------------------------------------------------------------------- by hand
# One list 5 3 8 1 and the truth {3, 1, 7}: hits at ranks 2 and 4, three truth items.
GOLDEN = {
    "precision@4": 2 / 4,
    "recall@4": 2 / 3,
    "ndcg@4": (1 / LOG3 + 1 / np.log2(5)) / (1 + 1 / LOG3 + 1 / 2),  # the best list: ranks 1, 2, 3, and log2(4) = 2
    "map@4": (1 / 2 + 2 / 4) / 3,  # min(4, 3) = 3
    "map_n@4": (1 / 2 + 2 / 4) / 3,
    "map_k@4": (1 / 2 + 2 / 4) / 4,
    "map_hits@4": (1 / 2 + 2 / 4) / 2,
    "f1@4": 2 / (4 / 2 + 3 / 2),  # the harmonic mean of 2 / 4 and 2 / 3
    "hit_rate@4": 1.0,
    "mrr@4": 1 / 2,
    "pauc@4": (3 + 2 + 0) / (4 * 3),  # one and two of four negatives stand before the hits; 7 comes after them all
    "precision@2": 1 / 2,
    "recall@2": 1 / 3,
    "ndcg@2": (1 / LOG3) / (1 + 1 / LOG3),
    "map@2": (1 / 2) / 2,  # min(2, 3) = 2
    "map_n@2": (1 / 2) / 3,
    "map_k@2": (1 / 2) / 2,
    "map_hits@2": 1 / 2,
    "f1@2": 2 / (2 / 1 + 3 / 1),
    "mrr@2": 1 / 2,
    "pauc@2": (1 + 0 + 0) / (2 * 3),
    "hit_rate@1": 0.0,
    "mrr@1": 0.0,
    "ndcg@1": 0.0,
    "map@1": 0.0,
    "map_hits@1": 0.0,
    "f1@1": 0.0,
    "pauc@1": 0.0,
}


@pytest.mark.parametrize("label", GOLDEN)
def test_each_measure_equals_its_golden_number(label):
    topk, truth = lists([5, 3, 8, 1]), wanted([3, 1, 7])
    assert measure(topk, truth, [label])[label].tolist() == pytest.approx([GOLDEN[label]], rel=1e-12)


def test_one_call_with_every_label_equals_the_golden_numbers():
    found = measure(lists([5, 3, 8, 1]), wanted([3, 1, 7]), list(GOLDEN))
    assert list(found.columns) == list(GOLDEN)
    assert found.iloc[0].tolist() == pytest.approx(list(GOLDEN.values()), rel=1e-12)


def test_the_functions_look_as_far_as_k_and_by_default_at_the_whole_list():
    topk, truth = lists([5, 3, 8, 1]), wanted([3, 1, 7])
    for function, name in zip(ALL, ("precision", "recall", "f1", "ndcg", "map", "hit_rate", "mrr", "pauc")):
        assert function(topk, truth).tolist() == pytest.approx([GOLDEN[f"{name}@4"]])
        if f"{name}@2" in GOLDEN:
            assert function(topk, truth, 2).tolist() == pytest.approx([GOLDEN[f"{name}@2"]])


def test_ndcg_by_gain():
    # list 4 2, truth worth 1 and 3: DCG is g(1) + g(3) / log2(3), the best order puts the 3 first
    topk, truth = lists([4, 2]), wanted({4: 1, 2: 3})
    assert ndcg(topk, truth).tolist() == [1.0]
    assert ndcg(topk, truth, gain="linear").tolist() == pytest.approx([(1 + 3 / LOG3) / (3 + 1 / LOG3)])
    assert ndcg(topk, truth, gain="exponential").tolist() == pytest.approx([(1 + 7 / LOG3) / (7 + 1 / LOG3)])


def test_the_ideal_list_takes_the_best_gains_that_fit_into_k():
    # three truth items worth 2, 5, 4; at k = 2 the best list is 5, 4; at k = 1 it is 5
    topk, truth = lists([0, 9]), wanted({0: 2, 1: 5, 2: 4})
    assert ndcg(topk, truth, 2, gain="linear").tolist() == pytest.approx([2 / (5 + 4 / LOG3)])
    assert ndcg(topk, truth, 1, gain="linear").tolist() == pytest.approx([2 / 5])
    assert ndcg(topk, truth, 2, gain="binary").tolist() == pytest.approx([1 / (1 + 1 / LOG3)])


def test_several_cuts_of_graded_ndcg_in_one_pass():
    found = measure(lists([0, 9]), wanted({0: 2, 1: 5, 2: 4}), ["ndcg_linear@2", "ndcg_linear@1", "ndcg_exponential@1"])
    assert found.iloc[0].tolist() == pytest.approx([2 / (5 + 4 / LOG3), 2 / 5, 3 / 31])  # 2^2 - 1 and 2^5 - 1


def test_a_perfect_list_scores_one_where_one_is_possible():
    # three truth items, list of two: precision 1, recall 2/3, and only the denominator n keeps MAP below 1
    found = measure(lists([2, 7]), wanted([7, 2, 5]), [f"{name}@2" for name in NAMES]).iloc[0]
    below = {"recall@2": 2 / 3, "f1@2": 4 / 5, "map_n@2": 2 / 3, "pauc@2": 2 / 3}
    assert found[list(below)].to_dict() == pytest.approx(below)
    assert (found.drop(list(below)) == 1.0).all()


def test_map_by_k_is_below_one_for_a_perfect_list_that_has_places_left():
    topk, truth = lists([4, 0, 1, 2]), wanted([4])
    found = {name: average_precision(topk, truth, denominator=name).tolist() for name in ("min_k_n", "n", "k", "hits")}
    assert found == {"min_k_n": [1], "n": [1], "k": [1 / 4], "hits": [1]}


def test_map_over_hits_of_the_users_with_a_hit_is_perfect_for_a_useless_model():
    # one of ten users wants nine more things than the one that stands at rank 1; the other nine are not hit at all
    topk = lists(*[range(10)] * 10)
    truth = wanted([0, *range(10, 19)], *[[15]] * 9, n_items=20)
    per_user = average_precision(topk, truth, denominator="hits")
    assert per_user[hit_rate(topk, truth) > 0].mean() == 1.0
    assert per_user.mean() == pytest.approx(1 / 10)
    assert average_precision(topk, truth).mean() == pytest.approx(1 / 10 / 10)


def test_partial_auc_looks_down_the_whole_list_for_its_negatives():
    # negatives 8, 6, 9 at ranks 1, 3, 5; of k = 2 negatives item 1 at rank 2 beats one, item 2 at rank 4 none
    topk, truth = lists([8, 1, 6, 2, 9, 3]), wanted([1, 2, 3])
    assert pauc(topk, truth, 2).tolist() == pytest.approx([1 / 6])
    assert pauc(topk, truth, 3).tolist() == pytest.approx([(2 + 1) / 9])
    assert pauc(topk.cut(3), truth, 3).tolist() == pytest.approx([2 / 9])  # a lower bound where the list ends early
    assert measure(topk, truth, ["pauc@2", "pauc@3"]).iloc[0].tolist() == pytest.approx([1 / 6, 3 / 9])


def test_partial_auc_of_an_example_by_rectools():
    # its documentation: lists 1 2, 3 1 2 and 3 2 for truths {1, 2}, {1, 3} and {1, 2} give 1, 1, 0 and 1, 1, 1/3
    topk, truth = lists([1, 2], [3, 1, 2], [3, 2]), wanted([1, 2], [1, 3], [1, 2])
    assert pauc(topk, truth, 1).tolist() == [1, 1, 0]
    assert pauc(topk, truth, 3).tolist() == pytest.approx([1, 1, 1 / 3])


def test_one_hit_at_rank_ten_for_one_of_ten_users_is_a_map_of_one_hundredth():
    # averaging over hits only, and over users with a hit only, would call this 0.1; with rank 1 it would be 1.0
    topk = lists(*[range(10)] * 10)
    truth = wanted([9], *[[15]] * 9, n_items=20)
    assert average_precision(topk, truth).mean() == pytest.approx(0.01)


def test_precision_divides_by_k_when_the_list_is_short():
    topk, truth = lists([3], [1, 2, 3, 4, 5]), wanted([3], [3])
    assert precision(topk, truth, 5).tolist() == pytest.approx([1 / 5, 1 / 5])
    assert mrr(topk, truth, 5).tolist() == pytest.approx([1, 1 / 3])


# --------------------------------------------------------------------------------------------------------------- edges
def test_a_user_without_truth_gets_nan_from_every_measure_and_no_warning():
    topk, truth = lists([1, 2], [1, 2]), wanted([], [2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure(topk, truth, [f"{name}@2" for name in NAMES])
    assert found.iloc[0].isna().all() and found.iloc[1].notna().all()


def test_an_empty_list_scores_zero():
    found = measure(lists([], [1]), wanted([2], [1]), [f"{name}@1" for name in NAMES])
    assert (found.iloc[0] == 0).all() and (found.iloc[1] == 1).all()


def test_a_hole_in_a_list_keeps_its_rank():
    assert mrr(lists([-1, 4]), wanted([4])).tolist() == [0.5]


def test_padding_never_looks_up_the_last_item():
    assert hit_rate(lists([0], [1, 2, 3]), wanted([9], [9])).tolist() == [0, 0]


def test_no_user_at_all_gives_an_empty_table():
    found = measure(
        TopK(pd.Index([], dtype=str), np.empty((0, 3), np.int32), np.empty((0, 3))), csr_matrix((0, 5)), ["mrr@3"]
    )
    assert found.shape == (0, 1)


def test_one_user_one_item():
    assert [f(lists([0]), wanted([0], n_items=1)).tolist() for f in ALL] == [[1.0]] * len(ALL)


def test_the_table_is_indexed_by_user_and_users_may_repeat():
    topk = TopK(pd.Index(["ann", "bob", "ann"]), np.array([[1], [2], [3]], np.int32), np.ones((3, 1), np.float32))
    found = measure(topk, wanted([1], [1], [1]), ["hit_rate@1"])
    assert found.index.tolist() == ["ann", "bob", "ann"] and found.index.name == "user_id"
    assert found["hit_rate@1"].tolist() == [1, 0, 0]


def test_truth_split_over_duplicate_entries_is_one_item_with_their_sum():
    truth = csr_matrix((np.array([1.0, 2, 3]), np.array([4, 4, 1]), np.array([0, 3])), (1, 10))
    assert recall(lists([4]), truth).tolist() == [1 / 2]
    assert ndcg(lists([4]), truth, gain="linear").tolist() == [1.0]  # 1 + 2 = 3, as good as the other
    assert truth.nnz == 3  # the caller's matrix is left alone


def test_read_only_strided_and_wide_input_is_welcome():
    topk, truth = lists([5, 3, 8, 1]).cut(2), wanted([3, 1, 7])
    for array in (topk.items, truth.data, truth.indices, truth.indptr):
        array.flags.writeable = False
    wide = TopK(topk.users, topk.items.astype(np.int64), topk.scores)
    assert precision(topk, truth).tolist() == precision(wide, truth > 0).tolist() == [1 / 2]


def test_lists_and_truth_are_left_as_they_were():
    topk, truth = lists([5, 3, 8, 1]), wanted({3: 2, 1: 5})
    items, data = topk.items.copy(), truth.data.copy()
    measure(topk, truth, ["ndcg_linear@4", "map@2"])
    assert (topk.items == items).all() and (truth.data == data).all()


# ----------------------------------------------------------------------------------------------------------- bad input
def test_an_item_twice_in_a_list_is_refused_by_name():
    topk = lists([1, 2, 3], [4, 5, 4], [6, 6, 6])
    with pytest.raises(ValueError, match=r"2 of 3 lists .* twice, the first for user 'u1' \(row 1, position 4\)"):
        ndcg(topk, wanted([1], [4], [6]), 1)  # also beyond k, and whether or not it is a hit


def test_padding_twice_is_no_repetition():
    assert precision(lists([1], [1, 2, 3]), wanted([1], [1])).tolist() == pytest.approx([1 / 3, 1 / 3])


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(k):
    for function in ALL:
        with pytest.raises(ValueError, match=f"k must be at least 1, got {k}"):
            function(lists([1]), wanted([1]), k)
    with pytest.raises(ValueError, match=f"k must be at least 1, got {k}"):
        measure(lists([1]), wanted([1]), [f"ndcg@{k}"])


def test_k_beyond_the_lists_is_refused():
    with pytest.raises(ValueError, match="most the width of the lists, 2, got 10; recommend with k=10 first"):
        recall(lists([1, 2]), wanted([1]), 10)
    with pytest.raises(ValueError, match="k must be at most the width of the lists, 2, got 10"):
        measure(lists([1, 2]), wanted([1]), ["ndcg@2", "ndcg@10"])


def test_truth_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"truth must have one row per list, \(1, items\), got \(2, 10\)"):
        mrr(lists([1]), wanted([1], [2]))
    with pytest.raises(ValueError, match=r"truth must have one row per list, \(1, items\), got list"):
        mrr(lists([1]), [[1]])


@pytest.mark.parametrize("gain", [-1.0, np.nan, np.inf, 0.0])
def test_gains_that_are_not_positive_numbers_are_refused(gain):
    truth = csr_matrix((np.array([1.0, gain]), np.array([1, 2]), np.array([0, 2])), (1, 10))
    with pytest.raises(ValueError, match=rf"truth must hold finite gains > 0 only, got \[{gain}\] \(1 of 2\)"):
        precision(lists([1]), truth)


def test_an_item_that_truth_has_no_column_for_is_refused():
    with pytest.raises(ValueError, match="lists hold item position 10, but truth has 10 columns"):
        hit_rate(lists([1, 10]), wanted([1]))
    with pytest.raises(ValueError, match="lists hold item position -2"):
        hit_rate(lists([1, -2]), wanted([1]))


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(ValueError, match="unknown metric 'ncdg'; did you mean 'ndcg'"):
        measure(lists([1]), wanted([1]), ["ncdg@1"])
    with pytest.raises(ValueError, match="unknown metric 'zzz'; known: "):
        parse_label("zzz@1")


@pytest.mark.parametrize("label", ["ndcg", "ndcg@", "ndcg@ten", "ndcg@1.5"])
def test_a_label_without_a_whole_k_is_refused(label):
    with pytest.raises(ValueError, match=f"must be name@k, such as 'ndcg@10', got '{label}'"):
        measure(lists([1]), wanted([1]), [label])


def test_no_metric_at_all_is_refused():
    with pytest.raises(ValueError, match="metrics must name at least one of"):
        measure(lists([1]), wanted([1]), [])


def test_unnamed_gains_and_denominators_are_refused():
    with pytest.raises(ValueError, match=r"gain must be one of \['binary', 'linear', 'exponential'\], got 'graded'"):
        ndcg(lists([1]), wanted([1]), gain="graded")
    with pytest.raises(ValueError, match=r"denominator must be one of \['min_k_n', 'n', 'k', 'hits'\], got 'r'"):
        average_precision(lists([1]), wanted([1]), denominator="r")


def test_gains_too_large_for_the_exponent_are_refused():
    with pytest.raises(ValueError, match="gain 'exponential' overflows for gains up to 2000; rescale the truth"):
        ndcg(lists([1]), wanted({1: 2000}), gain="exponential")


# -------------------------------------------------------------------------------------------------------------- oracle
RANX = """
import json, sys, ranx
case = json.load(sys.stdin)
found = ranx.evaluate(ranx.Qrels(case["truth"]), ranx.Run(case["lists"]), case["labels"], return_mean=False)
users = sorted(case["lists"])  # ranx orders its users as text
print(json.dumps({label: dict(zip(users, map(float, values))) for label, values in found.items()}))
"""


def ranx_says(**case):
    """label -> user -> value; uncompiled in a process of its own, because compiling ranx takes 40 s."""
    pytest.importorskip("ranx")
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RANX], input=json.dumps(case), env=environment, capture_output=True, text=True
    )
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def by_ranx():
    """60 users x 40 items, lists of 10 cut from tied scores, some of them short; what ranx says about them."""
    rng = np.random.default_rng(7)
    scores = rng.integers(0, 6, (60, 40)).astype(np.float32)  # many ties
    scores[scores == 0] = np.nan
    scores[:5, 4:] = np.nan  # at most four items: short lists
    scores[:5, 0] = 1
    items, _ = select(scores, 10)
    gains = np.where(rng.random((60, 40)) < 0.2, rng.integers(1, 6, (60, 40)), 0)
    gains[np.arange(60), rng.integers(0, 40, 60)] = 3  # nobody without truth: ranx knows no NaN
    names = ["precision", "recall", "f1", "map", "hit_rate", "mrr", "ndcg", "ndcg_burges"]
    scored = ranx_says(
        lists={f"u{b}": {f"i{i}": 10.0 - r for r, i in enumerate(row) if i >= 0} for b, row in enumerate(items)},
        truth={f"u{b}": {f"i{i}": int(row[i]) for i in np.flatnonzero(row)} for b, row in enumerate(gains)},
        labels=[f"{name}@{k}" for name in names for k in (3, 10)],
    )
    users = pd.Index([f"u{b}" for b in range(60)])
    return TopK(users, items, np.zeros(items.shape, np.float32)), csr_matrix(gains), scored


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("precision", "precision"),
        ("recall", "recall"),
        ("f1", "f1"),
        ("map_n", "map"),
        ("hit_rate", "hit_rate"),
        ("mrr", "mrr"),
        ("ndcg_linear", "ndcg"),
        ("ndcg_exponential", "ndcg_burges"),
    ],
)
def test_ranx_agrees_user_by_user(by_ranx, ours, theirs):
    topk, truth, scored = by_ranx
    for k in (3, 10):
        found = measure(topk, truth, [f"{ours}@{k}"]).iloc[:, 0]
        expected = [scored[f"{theirs}@{k}"][user] for user in topk.users]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
        assert found.std() > 0.05  # the case is not trivial


def at_random(n_users=50, n_items=14, k=8, seed=3):
    """Lists with holes and padding, and a graded truth; some users want nothing, some more than a list can hold."""
    rng = np.random.default_rng(seed)
    items = np.array([rng.permutation(n_items)[:k] for _ in range(n_users)], np.int32)
    items[rng.random(items.shape) < 0.15] = -1
    gains = rng.integers(1, 6, (n_users, n_items)) * (rng.random((n_users, n_items)) < rng.random((n_users, 1)))
    gains[:3] = 0
    return TopK(pd.RangeIndex(n_users), items, np.zeros(items.shape, np.float32)), csr_matrix(gains)


def in_loops(row, gains, k):
    """The measures of one user, each from its own definition, without sharing sums."""
    wanted = set(np.flatnonzero(gains))
    hit = [int(item >= 0 and item in wanted) for item in row]
    precisions = [sum(hit[: r + 1]) / (r + 1) for r in range(k) if hit[r]]
    first_others = [r for r, is_hit in enumerate(hit) if not is_hit][:k]
    ranks = [row.tolist().index(item) if item in row else np.inf for item in wanted]
    in_order = sum(rank < other for rank in ranks for other in first_others)
    in_order += sum(rank < np.inf for rank in ranks) * (k - len(first_others))  # others that come after the list
    found = {
        "f1": 2 * sum(hit[:k]) / (k + len(wanted)),
        "map_min_k_n": sum(precisions) / min(k, len(wanted)),
        "map_n": sum(precisions) / len(wanted),
        "map_k": sum(precisions) / k,
        "map_hits": np.mean(precisions) if precisions else 0,
        "pauc": in_order / (k * len(wanted)),
        "mrr": next((1 / (r + 1) for r in range(k) if hit[r]), 0),
    }
    for name, worth in {"ndcg": gains > 0, "ndcg_linear": gains, "ndcg_exponential": 2.0**gains - 1}.items():
        dcg = sum(worth[item] / np.log2(r + 2) for r, item in enumerate(row[:k]) if hit[r])
        found[name] = dcg / sum(g / np.log2(r + 2) for r, g in enumerate(sorted(worth, reverse=True)[:k]))
    return found


def test_every_measure_is_that_of_a_loop_over_its_own_definition():
    topk, truth = at_random()
    for k in (1, 3, 8):
        expected = pd.DataFrame([in_loops(row, g, k) if g.any() else {} for row, g in zip(topk.items, truth.toarray())])
        found = measure(topk, truth, [f"{name}@{k}" for name in expected])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
        assert found.isna().sum().min() >= 3 and (found.std() > 0.05).all()


def test_partial_auc_of_a_whole_ranking_is_the_area_under_the_roc_curve():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(5)
    scores, wants = rng.random((20, 12)).astype(np.float32), np.zeros((20, 12))
    wants[np.arange(20)[:, None], np.array([rng.permutation(12)[:4] for _ in range(20)])] = 1
    items, _ = select(scores, 12)
    topk = TopK(pd.RangeIndex(20), items, np.zeros(items.shape, np.float32))
    expected = [metrics.roc_auc_score(*user) for user in zip(wants, scores)]
    np.testing.assert_allclose(pauc(topk, csr_matrix(wants), 8), expected, atol=1e-12)  # 12 - 4 = 8 are not wanted


@pytest.mark.parametrize("n_threads, block", [(1, 7), (3, 7), (2, 25)])
def test_neither_threads_nor_blocks_change_a_number(monkeypatch, n_threads, block):
    topk, truth = at_random()
    labels = [f"{name}@{k}" for name in NAMES for k in (2, 8)]
    expected = measure(topk, truth, labels)
    monkeypatch.setattr("reco_utils.evaluate.accuracy.N_THREADS", n_threads)
    monkeypatch.setattr("reco_utils.evaluate.accuracy.BLOCK", block)
    pd.testing.assert_frame_equal(measure(topk, truth, labels), expected, check_exact=True)


def test_the_first_repeat_is_named_however_the_lists_are_cut(monkeypatch):
    topk, truth = at_random()
    topk.items[[19, 40], :2] = 5
    monkeypatch.setattr("reco_utils.evaluate.accuracy.BLOCK", 7)
    with pytest.raises(ValueError, match=r"2 of 50 lists .* twice, the first for user 19 \(row 19, position 5\)"):
        mrr(topk, truth)
