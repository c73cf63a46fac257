"""Trying settings: every combination is judged, and the best is the one that was built to be best."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Split
from reco_utils.evaluate.tune import try_settings

N_ITEMS = 12


@pytest.fixture
def split():
    """Three strangers who all want item 7."""
    users, items = pd.Index(["a", "b", "c"]), pd.Index([f"i{j}" for j in range(N_ITEMS)])
    nothing = csr_matrix((3, N_ITEMS), dtype=np.float32)
    catalog, profiles = pd.DataFrame({"item_id": items, "title": items}), pd.DataFrame({"user_id": users})
    last = np.empty(0, "datetime64[us]")
    data = Dataset(users, items, nothing, last, nothing.astype(bool), catalog, profiles, pd.Timestamp("2024-01-02"))
    truth = np.zeros((3, N_ITEMS), np.float32)
    truth[:, 7] = 1
    return Split(data, data.batch(users), csr_matrix(truth), ("purchase",), False)


@dataclass
class Places:
    """Puts item 7 at a rank of its own, counted from 1."""

    rank: int
    mirrored: bool = False

    def fit(self, data):
        self.fitted_ = True
        return self

    def score(self, batch):
        assert self.fitted_
        order = [j for j in range(N_ITEMS) if j != 7]
        order.insert(self.rank - 1, 7)
        order = order[::-1] if self.mirrored else order
        scores = np.empty(batch.history.shape, np.float32)
        scores[:, order] = -np.arange(N_ITEMS, dtype=np.float32)
        return scores


def test_every_combination_is_tried_and_the_best_one_named(split):
    tried = try_settings(Places, split, {"rank": (3, 1, 12), "mirrored": (False, True)}, rng=np.random.default_rng(0))
    table = tried.table()
    assert table[["rank", "mirrored"]].values.tolist() == [
        [3, False], [3, True], [1, False], [1, True], [12, False], [12, True]
    ]  # fmt: skip
    ranks = np.array([3, 10, 1, 12, 12, 1])
    np.testing.assert_allclose(table["mean"], np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0))
    assert tried.best == {"rank": 1, "mirrored": False}  # the first of the two that are equally good
    assert Places(**tried.best) == Places(1)
    assert tried.found.models[0] == "rank=3, mirrored=False"
    assert table["users"].tolist() == [3] * 6


def test_the_metric_and_the_length_of_the_lists_can_be_chosen(split):
    tried = try_settings(Places, split, {"rank": (2, 5)}, "recall", 3, rng=np.random.default_rng(0))
    assert tried.found.metrics == ["recall@3"] and tried.table()["mean"].tolist() == [1, 0]


@pytest.mark.parametrize("grid", [{}, {"rank": ()}])
def test_a_grid_without_a_combination_is_refused(split, grid):
    with pytest.raises(ValueError, match="grid must hold at least one value"):
        try_settings(Places, split, grid, rng=np.random.default_rng(0))
