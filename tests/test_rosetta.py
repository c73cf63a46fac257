"""The page on metrics says what is true of ours: its example, its values, and the names in its Rosetta table."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rosetta():
    spec = importlib.util.spec_from_file_location("rosetta", ROOT / "benchmarks" / "rosetta.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(rosetta):
    return rosetta.ours()


def rows_after(heading):
    """Cells of the table rows below a heading, without the table's head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_the_page_shows_the_example_that_the_benchmark_runs_and_our_values_of_it(rosetta, found):
    assert rosetta.example() in PAGE
    assert rosetta.by_user(found) in PAGE


def test_our_column_of_the_rosetta_table_is_what_we_compute(rosetta, found):
    shown = {row[0].strip("`"): row[1] for row in rows_after("The Rosetta table")}
    assert shown == {label: f"{np.nanmean(found[label]):.4f}" for label in rosetta.ROSETTA}


def test_the_rosetta_table_names_what_the_benchmark_asks_the_libraries_for(rosetta):
    for label, _, same, others in rows_after("The Rosetta table"):
        agree, differ = rosetta.ROSETTA[label.strip("`")]
        assert re.findall(r"([\w-]+) `([^`]+)`", same) == agree
        assert re.findall(r"[\d.]+ ([\w-]+) `([^`]+)`: ([^<]+)", others) == differ


def test_the_values_of_ann_and_bob_by_hand(found):
    # ann: hits at ranks 2, 4, 5 of 7 wanted; bob: at rank 1 of 2; dan: none of 1
    ann, bob = 1 / 2 + 2 / 4 + 3 / 5, 1
    discount = 1 / np.log2(np.arange(2, 7))
    by_hand = {
        "precision@5": [3 / 5, 1 / 5], "recall@5": [3 / 7, 1 / 2], "f1@5": [2 * 3 / (5 + 7), 2 * 1 / (5 + 2)],
        "hit_rate@5": [1, 1], "mrr@5": [1 / 2, 1], "map_min_k_n@5": [ann / 5, bob / 2], "map_n@5": [ann / 7, bob / 2],
        "map_k@5": [ann / 5, bob / 5], "map_hits@5": [ann / 3, bob / 1],
        "ndcg@5": [discount[[1, 3, 4]].sum() / discount.sum(), 1 / discount[:2].sum()],
        "ndcg_linear@5": [discount[[1, 3, 4]] @ [1, 3, 2] / (discount @ [3, 2, 2, 1, 1]), 2 / (discount[:2] @ [3, 2])],
        "ndcg_exponential@5": [
            discount[[1, 3, 4]] @ [1, 7, 3] / (discount @ [7, 3, 3, 1, 1]),
            3 / (discount[:2] @ [7, 3]),
        ],
        "pauc@5": [(4 + 3 + 3) / (5 * 7), 5 / (5 * 2)],
    }  # fmt: skip
    for label, values in by_hand.items():
        np.testing.assert_allclose(found[label], [*values, np.nan, 0], atol=1e-12)


def test_beyond_accuracy_by_hand(rosetta, found):
    # 11 of 15 items are shown: 1, 2 and 3 three times, 0, 4 and 8 twice, 5, 6, 7, 9 and 10 once
    assert found["coverage"] == 11 / 15
    places = np.sort([0] * 4 + [1] * 5 + [2] * 3 + [3] * 3)
    assert found["gini"] == pytest.approx((2 * np.arange(1, 16) - 16) @ places / (15 * 20))
    # popularity ranks: item 10 is 1, items 5 and 11 are 2, those had by one are 3; ann: 1 at rank 2, 3 at 4, 4 at 5
    ann = max(14 / 15 - 13 / 15, 0) + 12 / 15 + 11 / 15
    np.testing.assert_allclose(found["serendipity"], [ann / 5, (15 / 15) / 5, np.nan, 0], atol=1e-12)
    # five users with the added one; items 0, 1, 2, 6 are had by one and 5 by two, the others by none
    had_by = {0: 1, 1: 1, 2: 1, 6: 1, 5: 2, 11: 2, 10: 3}
    bits = [-np.log2((np.array([had_by.get(i, 0) for i in rosetta.LISTS[u]]) + 1) / 5).mean() for u in rosetta.USERS]
    np.testing.assert_allclose(found["novelty"], bits, atol=1e-12)
