"""Figures: what is drawn where, read back from the Axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.plots import concentration, intervals, sparse_matrix, timelines, use_style


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
