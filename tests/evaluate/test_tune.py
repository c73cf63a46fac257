"""Trying settings: every combination is judged, and the best is the one that was built to be best."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Split
from reco_utils.evaluate.tune import Between, try_settings, tune

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
    with pytest.raises(ValueError, match="space must hold at least one value"):
        tune(Places, split, grid, rng=np.random.default_rng(0))


def test_a_word_is_no_sequence_of_letters(split):
    with pytest.raises(ValueError, match="must hold a sequence of values for every setting, got 'abc' for 'rank'"):
        try_settings(Places, split, {"rank": "abc"}, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="must hold a sequence of values for every setting, got 3 for 'rank'"):
        tune(Places, split, {"rank": 3}, rng=np.random.default_rng(0))


# --------------------------------------------------------------------------------------------------------------- ranges
def test_a_range_reaches_from_end_to_end_on_its_scale():
    assert [Between(1.0, 100.0, "log").at(s) for s in (0, 0.5, 1)] == [1, 10, 100]
    assert [Between(1.0, 5.0).at(s) for s in (0, 0.5, 1)] == [1, 3, 5]
    assert Between(0.1, 1.0).at(1 / 3) == 0.4 and isinstance(Between(1, 9.0).at(0.5), float)


def test_whole_ends_give_whole_numbers_equally_often():
    drawn = [Between(2, 5).at(s) for s in (np.arange(400) + 0.5) / 400]
    assert np.bincount(drawn).tolist() == [0, 0, 100, 100, 100, 100] and isinstance(drawn[0], int)
    logs = [Between(1, 1000, "log").at(s) for s in np.linspace(0, 1, 1001)]
    assert (min(logs), max(logs)) == (1, 1000) and np.median(logs) == pytest.approx(np.sqrt(0.5 * 1000.5), abs=1)


def test_ranges_that_mean_nothing_are_refused():
    for low, high, scale, message in (
        (2, 1, "linear", "low must be below high and both finite, got 2 and 1"),
        (0, np.inf, "linear", "low must be below high"),
        (np.nan, 1, "linear", "low must be below high"),
        (0, 1, "log", "a log scale needs low above 0, got 0"),
        (0, 1, "cubic", "scale must be 'linear' or 'log', got 'cubic'"),
    ):
        with pytest.raises(ValueError, match=message):
            Between(low, high, scale)


# --------------------------------------------------------------------------------------------------- successive halving
@dataclass
class Slow(Places):
    """Item 7 gets no higher than `rank`, and each step brings it one place up from the end."""

    steps: int = 12
    log = []

    def fit(self, data):
        self.log.append((self.rank, self.steps))
        return super().fit(data)

    def score(self, batch):
        return Places(max(self.rank, N_ITEMS + 1 - self.steps)).fit(None).score(batch)


@pytest.fixture
def wide(split):
    """The split asked 1,500 times."""
    return split.take(np.arange(1500) % 3)


def test_the_best_third_goes_on_with_three_times_as_much(wide):
    Slow.log.clear()
    space = {"rank": tuple(range(1, 10))}
    found = tune(Slow, wide, space, resource={"steps": 100}, n_settings=9, rng=np.random.default_rng(0))
    # 100 // 9 = 11 steps bring item 7 to place 2: ranks 1 and 2 look the same; 33 steps are enough for everybody
    assert Slow.log == [(rank, 11) for rank in range(1, 10)] + [(1, 33), (2, 33), (3, 33), (1, 100)]
    assert found.best == {"rank": 1, "steps": 100} and found.found.models == ["rank=1, steps=100"]
    table = found.table()
    assert table["rank"].tolist() == list(range(1, 10)) and table["steps"].tolist() == [100] * 9
    assert table["rung"].tolist() == [3, 2, 2, 1, 1, 1, 1, 1, 1]
    assert table["users"].tolist() == [1500, *[1000] * 8]
    np.testing.assert_allclose(table["mean"], 1 / np.log2(np.arange(1, 10) + 1))


def test_one_rung_is_trying_every_setting(split):
    grid = {"rank": (3, 1, 12), "mirrored": (False, True)}
    tuned = tune(Places, split, grid, n_rungs=1, metric="mrr", k=5, rng=np.random.default_rng(4))
    tried = try_settings(Places, split, grid, "mrr", 5, rng=np.random.default_rng(4))
    assert tuned.best == tried.best and tuned.found.models == tried.found.models
    expected = tried.table().sort_values("mean", ascending=False, kind="stable").reset_index(drop=True)
    pd.testing.assert_frame_equal(tuned.table().drop(columns="rung"), expected)


def test_a_best_that_fell_off_early_is_not_the_best(wide):
    # with a third of the steps item 7 stands at places 3, 1, 2 and 8: 4 and 6 go on, and end lower than 1 had been
    def kind(rank, steps):
        return Places(rank if steps == 9 else {1: 3, 4: 1, 6: 2}.get(rank, 8))

    space = {"rank": (1, 4, 6, 7)}
    found = tune(kind, wide, space, n_rungs=2, resource={"steps": 9}, rng=np.random.default_rng(0))
    assert found.best == {"rank": 4, "steps": 9}
    assert found.table()["mean"].iloc[[0, 2]].tolist() == pytest.approx([1 / np.log2(5), 1 / np.log2(4)])


def test_settings_are_drawn_from_every_part_of_every_range(split):
    space = {"rank": Between(1, 9), "mirrored": (False, True, True), "tilt": Between(1.0, 1e6, "log")}
    found = tune(
        lambda tilt, **rest: Places(**rest), split, space, n_settings=18, n_rungs=1, rng=np.random.default_rng(7)
    )
    table = found.table()
    assert sorted(table["rank"]) == sorted([*range(1, 10)] * 2)
    assert table["mirrored"].sum() == 12
    assert np.bincount((np.log10(table["tilt"]) * 3).astype(int)).tolist() == [1] * 18


def test_no_setting_is_tried_twice_and_a_small_space_as_a_whole(split):
    drawn = tune(Places, split, {"rank": Between(1, 3)}, n_settings=20, n_rungs=1, rng=np.random.default_rng(0))
    assert sorted(drawn.table()["rank"]) == [1, 2, 3]
    whole = tune(Places, split, {"rank": (5, 6, 7)}, n_settings=3, rng=np.random.default_rng(0))
    assert sorted(whole.table()["rank"]) == [5, 6, 7]


def test_the_same_state_of_the_generator_gives_the_same_trials(wide):
    def again(seed):
        space = {"rank": Between(1, 9), "mirrored": (False, True)}
        return tune(Places, wide, space, n_settings=8, rng=np.random.default_rng(seed)).table()

    pd.testing.assert_frame_equal(again(1), again(1))
    assert not again(1).equals(again(2))


def test_a_setting_without_an_opinion_comes_last(split):
    class Silent(Places):
        def score(self, batch):
            return np.full(batch.history.shape, np.nan, np.float32)

    kinds = {1: Silent, 2: Places}
    found = tune(
        lambda rank: kinds[rank](12), split, {"rank": (1, 2)}, metric="recall", k=12, rng=np.random.default_rng(0)
    )
    assert found.best == {"rank": 2}


def test_an_error_says_which_setting_it_was(split):
    def kind(rank):
        if rank == 2:
            raise ValueError("rank 2 is not allowed")
        return Places(rank)

    with pytest.raises(ValueError, match="rank 2 is not allowed") as caught:
        tune(kind, split, {"rank": (1, 2)}, rng=np.random.default_rng(0))
    assert caught.value.__notes__ == ["while trying rank=2"]


@pytest.mark.parametrize("bad", [{"n_settings": 0}, {"n_rungs": True}, {"resource": {"steps": 1.5}}])
def test_counts_that_are_none_are_refused(split, bad):
    with pytest.raises(ValueError, match="must be a whole number of at least 1, got"):
        tune(Places, split, {"rank": (1, 2)}, **bad, rng=np.random.default_rng(0))


def test_a_bar_is_shown_only_on_request(split, capsys):
    tune(Places, split, {"rank": (1, 2)}, rng=np.random.default_rng(0))
    assert capsys.readouterr().err == ""
    tune(Places, split, {"rank": (1, 2)}, progress=True, rng=np.random.default_rng(0))
    assert "4/4" in capsys.readouterr().err
