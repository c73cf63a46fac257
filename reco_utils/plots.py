"""The house style of every figure: a question as title, few lines, colours that a colour-blind reader can tell apart.

Every function takes an Axes and returns it. Call `use_style()` once, at the top of a notebook.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.patches import Rectangle
from scipy.sparse import csr_matrix

# Okabe and Ito (2008), ordered so that the first three also differ in grey
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")


def use_style() -> None:
    """Set matplotlib's defaults: readable at notebook width, no frame, a light grid behind the data."""
    plt.rcParams.update(
        {
            "figure.figsize": (8, 4), "figure.dpi": 96, "savefig.dpi": 96, "figure.constrained_layout.use": True,
            "font.size": 11, "axes.titlesize": 12, "axes.titlelocation": "left", "axes.titleweight": "bold",
            "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#e6e6e6",
            "axes.axisbelow": True, "axes.prop_cycle": plt.cycler(color=COLORS), "legend.frameon": False,
            "lines.linewidth": 2,
        }
    )  # fmt: skip


def intervals(ax: Axes, table: pd.DataFrame, *, value="mean", low="low", high="high") -> Axes:
    """One dot with its interval per row of `table`, the first row on top; the row labels become the tick labels."""
    at = np.arange(len(table))[::-1]
    spans = np.abs(table[[low, high]].to_numpy().T - table[value].to_numpy())
    ax.errorbar(table[value], at, xerr=spans, fmt="o", capsize=4, color=COLORS[0])
    ax.set_yticks(at, [str(label) for label in table.index])
    ax.set_ylim(-0.6, len(table) - 0.4)
    ax.grid(axis="y", visible=False)
    return ax


def curves(ax: Axes, table: pd.DataFrame, *, x: str, by: str, value="mean", low="low", high="high") -> Axes:
    """One line with its band per value of `by`, a dot at every row; the values of x stand in equal steps."""
    steps = sorted(table[x].unique())
    for n, (name, part) in enumerate(table.groupby(by, sort=False)):
        at, color = [steps.index(v) for v in part[x]], COLORS[n % len(COLORS)]
        ax.plot(at, part[value], marker="o", color=color, label=name)
        ax.fill_between(at, part[low], part[high], color=color, alpha=0.12)
    ax.set_xticks(range(len(steps)), [f"{step}" for step in steps])
    ax.set_xlabel(x)
    return ax


def side_by_side(ax: Axes, tables: Mapping[str, pd.DataFrame], *, value="mean", low="low", high="high") -> Axes:
    """Dots with intervals, one colour per table, at the rows that the tables share; row labels become tick labels."""
    for n, (name, table) in enumerate(tables.items()):
        at = np.arange(len(table)) + (n - (len(tables) - 1) / 2) * 0.14
        spans = np.abs(table[[low, high]].to_numpy().T - table[value].to_numpy())
        ax.errorbar(at, table[value], yerr=spans, fmt="o", capsize=4, color=COLORS[n % len(COLORS)], label=name)
    ax.set_xticks(range(len(table)), [str(label) for label in table.index])
    ax.grid(axis="x", visible=False)
    return ax


def concentration(ax: Axes, counts: np.ndarray, label: str | None = None) -> Axes:
    """The Lorenz curve of popularity: the share of all events that the x most popular share of items receives."""
    counts = np.sort(np.asarray(counts, float))[::-1]
    share = np.concatenate([[0], np.cumsum(counts) / counts.sum()])
    ax.plot(np.linspace(0, 1, len(share)), share, label=label)
    ax.set_xlabel("share of items, most popular first")
    ax.set_ylabel("share of events")
    return ax


def timelines(ax: Axes, users, times, held_out, *, at=None) -> Axes:
    """One line per user and a dot per event: blue to learn from, orange held out to be judged on.

    Parameters
    ----------
    users, times : (n,) ids and times of the events; users are drawn from the top in the order they first appear
    held_out : (n,) bool
    at : time, optional
        Draws the instant of the cut.
    """
    lane, names = pd.factorize(pd.Series(np.asarray(users, dtype=object)))
    times, held_out = np.asarray(times, "datetime64[us]"), np.asarray(held_out, bool)
    ax.hlines(-np.arange(len(names)), times.min(), times.max(), color="#e6e6e6", linewidth=1)
    for mask, color, label in ((~held_out, COLORS[0], "to learn from"), (held_out, COLORS[5], "held out")):
        ax.plot(times[mask], -lane[mask], "o", color=color, markersize=5, label=label)
    if at is not None:
        ax.axvline(np.datetime64(at), color="black", linewidth=1.2, linestyle="--")
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=6))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))
    return ax


def sparse_matrix(ax: Axes, matrix: csr_matrix, rows, columns) -> Axes:
    """A small matrix as a sheet of paper, and beside it the three arrays that store it, coloured by row.

    Parameters
    ----------
    matrix : csr (R, C), a few rows and columns
    rows, columns : names, R and C
    """
    n_rows, n_columns = matrix.shape
    ax.set_axis_off()
    ax.set_aspect("equal")
    left = n_columns + 3.2
    ax.set_xlim(-1.4, left + max(matrix.nnz, n_rows + 1) + 0.2)
    ax.set_ylim(max(n_rows, 5) + 0.1, -1)
    for j, name in enumerate(columns):
        ax.text(j + 0.5, -0.35, name, ha="center", va="center")
    for i, name in enumerate(rows):
        ax.text(-0.2, i + 0.5, name, ha="right", va="center")
        stored = {j: value for j, value in zip(matrix[i].indices, matrix[i].data)}
        for j in range(n_columns):
            _box(ax, j, i, f"{stored[j]:g}" if j in stored else "", COLORS[i % len(COLORS)] if j in stored else "white")
    owner = np.repeat(np.arange(n_rows), np.diff(matrix.indptr))
    arrays = (("data", matrix.data, owner), ("indices", matrix.indices, owner), ("indptr", matrix.indptr, None))
    for line, (name, values, owners) in enumerate(arrays):
        top = 1.6 * line + 0.3
        ax.text(left - 0.2, top + 0.5, name, ha="right", va="center", family="monospace")
        for j, value in enumerate(values):
            _box(ax, left + j, top, f"{value:g}", "#e6e6e6" if owners is None else COLORS[owners[j] % len(COLORS)])
    return ax


def _box(ax, x, y, text, color):
    """One square of a drawn matrix, 1 x 1, pale in its colour."""
    ax.add_patch(Rectangle((x, y), 1, 1, facecolor=to_rgba(color, 0.3), edgecolor="#808080", linewidth=0.8))
    ax.text(x + 0.5, y + 0.5, text, ha="center", va="center")
