"""Figures: what is drawn where, read back from the Axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.plots import concentration, curves, intervals, side_by_side, sparse_matrix, timelines, use_style


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
