"""A comparison as LaTeX and as a figure: every cell by hand, names LaTeX would stumble over, what is drawn where."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Split, TopK
from reco_utils.evaluate.compare import compare
from reco_utils.evaluate.render import escape

N = 40
USERS, ITEMS = pd.Index([f"u{b}" for b in range(N)]), pd.Index(["i0", "i1"])
VALUES = {
    "low_1": {"gain": np.zeros(N), "gini": np.zeros(N), "nothing": np.full(N, np.nan)},
    "100% & more": {"gain": np.ones(N), "gini": np.ones(N), "nothing": np.full(N, np.nan)},
    "coin": {"gain": np.arange(N) % 2.0, "gini": np.arange(N) % 2.0, "nothing": np.full(N, np.nan)},
}


@pytest.fixture(scope="module")
def found():
    weights = csr_matrix((N, 2), dtype=np.float32)
    catalog, profiles = pd.DataFrame({"item_id": ITEMS}), pd.DataFrame({"user_id": USERS})
    last = np.empty(0, "datetime64[us]")
    data = Dataset(USERS, ITEMS, weights, last, weights.astype(bool), catalog, profiles, pd.Timestamp("2024-01-01"))
    split = Split(data, data.batch(USERS), csr_matrix(np.ones((N, 2), np.float32)), ("purchase",), False)
    lists = {name: TopK(USERS, np.zeros((N, 1), np.int32), np.full((N, 1), at)) for at, name in enumerate(VALUES)}
    names = list(VALUES)

    def value(metric):
        return lambda lists, truth: VALUES[names[int(lists.scores[0, 0])]][metric]

    return compare(lists, split, {m: value(m) for m in ("gain", "gini", "nothing")}, k=1, rng=np.random.default_rng(0))


def cells(latex):
    """The rows of a tabular as lists of cells."""
    body = latex.split(r"\midrule")[1].split(r"\bottomrule")[0]
    return [re.split(r"(?<!\\) & ", row.strip()) for row in body.strip().split(r"\\")[:-1]]


# --------------------------------------------------------------------------------------------------------------- LaTeX
def test_one_metric_has_mean_interval_and_users(found):
    latex = found.latex("gain", digits=2)
    rows = cells(latex)
    assert rows[0] == [r"low\_1", "$0.00$", "$0.00$ to $0.00$", "40"]
    assert rows[1] == [r"100\% \& more", r"$\mathbf{1.00}$", "$1.00$ to $1.00$", "40"]
    low, high = found.table("gain").loc["coin", ["low", "high"]]
    assert rows[2] == ["coin", "$0.50$", f"${low:.2f}$ to ${high:.2f}$", "40"]


def test_all_metrics_have_a_column_with_half_the_width_of_the_interval(found):
    rows = cells(found.latex(digits=3))
    low, high = found.table("gain").loc["coin", ["low", "high"]]
    assert rows[2][:2] == ["coin", rf"$0.500 \pm {(high - low) / 2:.3f}$"]
    assert [row[3] for row in rows] == ["--"] * 3


def test_the_best_is_bold_and_lower_is_better_where_it_is(found):
    rows = cells(found.latex())
    assert [r"\mathbf" in row[1] for row in rows] == [False, True, False]
    assert [r"\mathbf" in row[2] for row in rows] == [True, False, False]
    assert r"\mathbf" not in found.latex(no_best=("gain", "gini"))
    assert [r"\mathbf" in row[2] for row in cells(found.latex(lower_is_better=()))] == [False, True, False]


def test_equally_good_models_are_all_bold(found):
    same = compare_same(found)
    assert same.latex("gain").count(r"\mathbf") == 2


def compare_same(found):
    columns = [("low_1", "gain"), ("low_1", "gain")]
    values = found.per_user[columns].set_axis(pd.MultiIndex.from_tuples([("a", "gain"), ("b", "gain")]), axis=1)
    values.columns.names = found.per_user.columns.names
    lists = {name: found.lists["low_1"] for name in "ab"}
    return type(found)(values, lists, found.warm, 1, 0, {})


def test_a_star_marks_what_differs_from_the_baseline(found):
    rows = cells(found.latex("gain", baseline="low_1"))
    assert ["^{*}" in row[1] for row in rows] == [False, True, True]
    everything = found.latex(baseline="low_1")
    assert [row[1].count("^{*}") for row in cells(everything)] == [0, 1, 1]
    assert r"$^{*}$ differs from low\_1, p $<$ 0.05" in everything and "^{*}" not in found.latex()
    assert "^{*}" not in cells(compare_same(found).latex("gain", baseline="a"))[1][1]


@pytest.mark.parametrize("metric", [None, "gain"])
def test_a_tabular_is_whole(found, metric):
    latex = found.latex(metric, baseline="coin")
    lines = latex.splitlines()
    width = len(re.search(r"\\begin{tabular}{(l[r]+)}", lines[0]).group(1))
    assert lines[-1] == r"\end{tabular}" and [r"\toprule", r"\midrule", r"\bottomrule"] == [
        line for line in lines if line.endswith("rule")
    ]
    assert all(len(row) == width for row in cells(latex))
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    assert latex.replace(r"\$", "").count("$") % 2 == 0
    assert all(line.endswith(r"\\") for line in lines[2:-1] if "rule" not in line)
    assert f"\\multicolumn{{{width}}}{{l}}" in latex and "40 users" in latex


def test_every_sign_that_means_something_to_latex_is_made_plain():
    assert escape(r"50%_off & $3 #1 {a} ~b^c \d") == (
        r"50\%\_off \& \$3 \#1 \{a\} \textasciitilde{}b\textasciicircum{}c \textbackslash{}d"
    )
    assert escape("p < 1 > 0 | x\ny") == "p $<$ 1 $>$ 0 $|$ x y" and escape(3) == "3"


def test_an_unknown_model_or_metric_is_named(found):
    with pytest.raises(KeyError, match="no metric 'ndcg'"):
        found.latex("ndcg")
    with pytest.raises(KeyError, match="no model 'ALS'"):
        found.latex("gain", baseline="ALS")


# -------------------------------------------------------------------------------------------------------------- figure
@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_one_metric_is_drawn_with_a_row_per_model(found, ax):
    assert found.plot(ax, "gini") is ax
    assert dict(zip((t.get_text() for t in ax.get_yticklabels()), ax.lines[0].get_xdata())) == {
        "low_1": 0, "100% & more": 1, "coin": 0.5,
    }  # fmt: skip
    assert ax.get_xlabel() == "gini"


def test_the_first_metric_is_drawn_when_none_is_named(found, ax):
    assert found.plot(ax).get_xlabel() == "gain"


def test_several_metrics_are_drawn_side_by_side(found, ax):
    found.plot(ax, ("gain", "gini"))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["gain", "gini"]
    assert [text.get_text() for text in ax.get_xticklabels()] == list(VALUES)
