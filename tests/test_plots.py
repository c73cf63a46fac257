"""Figures: what is drawn where, read back from the Axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.plots import (
    concentration,
    curves,
    heatmap,
    intervals,
    scoreboard,
    side_by_side,
    sparse_matrix,
    timelines,
    tradeoff,
    use_style,
)


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_the_style_is_set_for_every_later_figure():
    with plt.rc_context():
        use_style()
        assert not plt.rcParams["axes.spines.top"] and plt.rcParams["axes.titlelocation"] == "left"


def test_the_first_row_of_a_table_of_intervals_is_on_top(ax):
    table = pd.DataFrame({"mean": [2.0, 1.0], "low": [1.0, 0.5], "high": [4.0, 1.5]}, index=["best", "rest"])
    assert intervals(ax, table) is ax
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert dict(zip(names, ax.get_yticks())) == {"best": 1, "rest": 0}


def test_each_group_has_a_curve_and_a_band_at_equal_steps(ax):
    table = pd.DataFrame(
        {"n": [5, 800, 5, 50], "kind": ["b", "b", "a", "a"], "mean": [1.0, 2, 3, 4], "low": 0.5, "high": 5.0}
    )
    assert curves(ax, table, x="n", by="kind") is ax
    assert [label.get_text() for label in ax.get_xticklabels()] == ["5", "50", "800"]
    assert [line.get_label() for line in ax.lines] == ["b", "a"]  # in the order of the table
    assert ax.lines[0].get_xdata().tolist() == [0, 2] and ax.lines[1].get_ydata().tolist() == [3, 4]
    assert len(ax.collections) == 2 and ax.get_xlabel() == "n"


def test_the_steps_of_a_categorical_stand_in_the_order_of_its_categories(ax):
    steps = pd.Categorical(["20 and more", "5 to 19"], categories=["1 to 4", "5 to 19", "20 and more"])
    curves(ax, pd.DataFrame({"n": steps, "kind": "a", "mean": [1.0, 2], "low": 0.5, "high": 5.0}), x="n", by="kind")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1 to 4", "5 to 19", "20 and more"]
    assert ax.lines[0].get_xdata().tolist() == [2, 1]


def test_tables_stand_side_by_side_at_the_rows_they_share(ax):
    one = pd.DataFrame({"mean": [1.0, 2], "low": [0.5, 1.5], "high": [2.0, 3.0]}, index=["few", "many"])
    side_by_side(ax, {"ours": one, "theirs": one + 1})
    left, right = (container.lines[0] for container in ax.containers)
    assert left.get_ydata().tolist() == [1, 2] and right.get_ydata().tolist() == [2, 3]
    assert (left.get_xdata() < right.get_xdata()).all()
    np.testing.assert_allclose((left.get_xdata() + right.get_xdata()) / 2, [0, 1])
    ends = ax.containers[0].lines[2][0].get_segments()[0]
    assert ends[:, 1].tolist() == [0.5, 2.0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["few", "many"]


def test_many_tables_stay_nearer_to_their_own_row_than_to_the_next(ax):
    one = pd.DataFrame({"mean": [1.0, 2], "low": [0.5, 1.5], "high": [2.0, 3.0]}, index=["few", "many"])
    side_by_side(ax, {str(n): one for n in range(9)})
    at = np.array([container.lines[0].get_xdata() for container in ax.containers])
    assert (np.diff(at, axis=0) > 0).all() and at[:, 0].max() < 0.5 < at[:, 1].min()


@pytest.fixture
def grid():
    """Two alphas and two ridges, one pair missing, in no order."""
    return pd.DataFrame({"alpha": [10, 1, 10], "ridge": [0.5, 0.5, 2], "mean": [0.02, 0.01, 0.05]})


def test_a_grid_of_settings_has_one_number_per_cell_in_the_order_of_its_values(ax, grid):
    assert heatmap(ax, grid, x="alpha", y="ridge") is ax
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "10"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2.0", "0.5"]  # image rows run downward
    cells = {t.get_position(): t.get_text() for t in ax.texts}
    assert cells == {(0, 1): "0.010", (1, 1): "0.020", (1, 0): "0.050"}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("alpha", "ridge")


def test_the_best_cell_of_a_grid_is_framed_and_can_be_read(ax, grid):
    heatmap(ax, grid, x="alpha", y="ridge")
    assert [frame.get_xy() for frame in ax.patches] == [(0.5, -0.5)]
    assert {t.get_text(): t.get_color() for t in ax.texts} == {"0.010": "white", "0.020": "white", "0.050": "black"}


def test_a_grid_where_nothing_is_known_is_empty(ax, grid):
    heatmap(ax, grid.assign(mean=np.nan), x="alpha", y="ridge")
    assert not ax.texts and not ax.patches


@pytest.fixture
def board():
    return pd.DataFrame({"ndcg": [0.1, 0.3, 0.2], "gini": [0.9, np.nan, 0.50004]}, index=["a", "b", "c"])


def test_a_scoreboard_writes_every_number_and_frames_the_best_of_each_column(ax, board):
    before = board.copy()
    assert scoreboard(ax, board, lower_is_better=["gini"]) is ax
    assert {t.get_position(): t.get_text() for t in ax.texts} == {
        (0, 0): "0.1", (0, 1): "0.3", (0, 2): "0.2", (1, 0): "0.9", (1, 2): "0.5",
    }  # fmt: skip
    assert sorted(frame.get_xy() for frame in ax.patches) == [(-0.48, 0.52), (0.52, 1.52)]  # b by ndcg, c by gini
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b", "c"]
    pd.testing.assert_frame_equal(board, before)


def test_a_scoreboard_gives_each_column_its_own_scale_and_no_winner_where_all_are_equal(ax, board):
    scoreboard(ax, board.assign(same=7.0, unknown=np.nan))
    shades = ax.images[0].get_array()
    np.testing.assert_allclose(shades[:, 0], [0, 1, 0.5])
    np.testing.assert_allclose(shades[[0, 2], 1], [1, 0])
    np.testing.assert_allclose(shades[:, 2], 0.5)
    assert shades.mask[:, 3].all() and shades.mask[1, 1] and len(ax.patches) == 2


def test_two_tables_meet_at_the_labels_of_their_rows(ax):
    x = pd.DataFrame({"mean": [0.2, 0.6], "low": [0.1, 0.5], "high": [0.4, 0.7]}, index=["a", "b"])
    y = pd.DataFrame({"mean": [8.0, 3.0], "low": [7.0, 1.0], "high": [9.0, 4.0]}, index=["b", "a"])
    assert tradeoff(ax, x, y) is ax
    (dots,) = (line for line in ax.lines if line.get_marker() == "o")
    assert dots.get_xdata().tolist() == [0.2, 0.6] and dots.get_ydata().tolist() == [3, 8]
    assert [t.get_text() for t in ax.texts] == ["a", "b"] and ax.texts[0].xy == (0.2, 3)
    across, up = (bars.get_segments() for bars in ax.containers[0].lines[2])
    np.testing.assert_allclose(across[0], [[0.1, 3], [0.4, 3]])
    np.testing.assert_allclose(up[1], [[0.6, 7], [0.6, 9]])


def test_names_beside_dots_that_are_close_do_not_cover_one_another(ax):
    near = pd.DataFrame({"mean": [1.0, 1.01, 1.02, 3]}, index=["user-kNN", "item-kNN", "ALS", "far"])
    near["low"] = near["high"] = near["mean"]
    tradeoff(ax, near, near)
    boxes = [t.get_window_extent() for t in ax.texts]
    assert not any(a.overlaps(b) for n, a in enumerate(boxes) for b in boxes[:n])


def test_the_lorenz_curve_begins_with_the_most_popular(ax):
    concentration(ax, [1, 3, 0, 0])
    x, y = ax.lines[0].get_data()
    assert x.tolist() == [0, 0.25, 0.5, 0.75, 1] and y.tolist() == [0, 0.75, 1, 1, 1]


def test_each_user_has_a_line_and_held_out_events_another_colour(ax):
    times = pd.to_datetime(["2024-05-01", "2024-05-02", "2024-05-03"])
    timelines(ax, ["ann", "ben", "ann"], times, [False, False, True], at="2024-05-02T12:00")
    learn, held_out, cut = ax.lines
    assert learn.get_ydata().tolist() == [0, -1] and held_out.get_ydata().tolist() == [0]
    assert pd.Timestamp(cut.get_xdata()[0]) == pd.Timestamp("2024-05-02 12:00")
    assert learn.get_color() != held_out.get_color()


def test_a_small_matrix_is_drawn_with_the_arrays_that_store_it(ax):
    matrix = csr_matrix(np.array([[7.0, 0, 1], [0, 0, 0], [0, 5, 0]]))
    sparse_matrix(ax, matrix, ["ann", "ben", "cat"], ["tea", "pot", "cup"])
    texts = [t.get_text() for t in ax.texts]
    assert texts.count("7") == 2 and texts.count("5") == 2  # on the sheet and in data
    after = texts.index("indptr") + 1
    assert texts[after : after + 4] == ["0", "2", "2", "3"]
    assert len(ax.patches) == 9 + 3 + 3 + 4
