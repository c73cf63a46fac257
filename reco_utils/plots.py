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
    """One line with its band per value of `by`, a dot at every row; the values of x stand in equal steps, sorted, or in
    the order of their categories."""
    ordered = isinstance(table[x].dtype, pd.CategoricalDtype)
    steps = list(table[x].cat.categories) if ordered else sorted(table[x].unique())
    for n, (name, part) in enumerate(table.groupby(by, sort=False)):
        at, color = [steps.index(v) for v in part[x]], COLORS[n % len(COLORS)]
        ax.plot(at, part[value], marker="o", color=color, label=name)
        ax.fill_between(at, part[low], part[high], color=color, alpha=0.12)
    ax.set_xticks(range(len(steps)), [f"{step}" for step in steps])
    ax.set_xlabel(x)
    return ax


def bands(ax: Axes, table: pd.DataFrame, *, x: str, value: str, spans: Mapping[str, tuple[str, str]]) -> Axes:
    """One line over x with several bands around it, such as two kinds of interval; the first band is the darkest.

    Parameters
    ----------
    spans : mapping of label to the columns (low, high)
    """
    ax.plot(table[x], table[value], marker="o", color="black", linewidth=1.2)
    for n, (label, (low, high)) in enumerate(spans.items()):
        color = COLORS[n % len(COLORS)]
        ax.fill_between(table[x], table[low], table[high], color=color, alpha=max(0.3 - 0.1 * n, 0.1), label=label)
    ax.set_xlabel(x)
    ax.legend()
    return ax


def side_by_side(ax: Axes, tables: Mapping[str, pd.DataFrame], *, value="mean", low="low", high="high") -> Axes:
    """Dots with intervals, one colour per table, at the rows that the tables share; row labels become tick labels."""
    step = min(0.14, 0.8 / max(len(tables), 1))  # many tables stay closer to their own row than to the next
    for n, (name, table) in enumerate(tables.items()):
        at = np.arange(len(table)) + (n - (len(tables) - 1) / 2) * step
        spans = np.abs(table[[low, high]].to_numpy().T - table[value].to_numpy())
        ax.errorbar(at, table[value], yerr=spans, fmt="o", capsize=4, color=COLORS[n % len(COLORS)], label=name)
    ax.set_xticks(range(len(table)), [str(label) for label in table.index])
    ax.grid(axis="x", visible=False)
    return ax


def heatmap(ax: Axes, table: pd.DataFrame, *, x: str, y: str, value="mean", digits: int = 3) -> Axes:
    """A grid of settings, one number per cell, brighter for more; the best cell is framed, a missing one left white.

    Parameters
    ----------
    table : DataFrame
        One row per cell, e.g. `Trials.table()`; x, y and value are its columns. Columns and rows stand in the order of
        their values, the largest y on top.
    """
    grid = table.pivot(index=y, columns=x, values=value)[::-1]
    numbers = grid.to_numpy(float)
    image = ax.imshow(np.ma.masked_invalid(numbers), cmap="cividis", aspect="auto")
    for row, column in zip(*np.nonzero(~np.isnan(numbers))):
        dark = image.norm(numbers[row, column]) < 0.6
        text = f"{numbers[row, column]:.{digits}f}"
        ax.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
    if not np.isnan(numbers).all():
        row, column = np.unravel_index(np.nanargmax(numbers), numbers.shape)
        corner = (column - 0.5, row - 0.5)
        ax.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=COLORS[5], linewidth=3, clip_on=False, zorder=3))
    ax.set_xticks(range(len(grid.columns)), [f"{v}" for v in grid.columns])
    ax.set_yticks(range(len(grid.index)), [f"{v}" for v in grid.index])
    ax.set(xlabel=x, ylabel=y)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def scoreboard(ax: Axes, table: pd.DataFrame, *, lower_is_better=(), digits: int = 3) -> Axes:
    """Rows compared by many measures at once: every number in its cell, brighter is better within its column.

    Each column has its own scale, from its worst to its best row, and its best cell is framed; a missing number is left
    white, and a column whose numbers are all the same has one middle colour.

    Parameters
    ----------
    table : DataFrame
        One row per model, one column per measure; the first row on top.
    lower_is_better : names of columns
        Their smallest number is the best.
    digits : int
        Significant digits of the numbers in the cells, which have at most four decimals.
    """
    numbers = table.to_numpy(float)
    signed = np.where(np.isin(table.columns, list(lower_is_better)), -numbers, numbers)
    signed = np.column_stack([_from_worst_to_best(column) for column in signed.T])
    ax.imshow(np.ma.masked_invalid(signed), cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for row, column in zip(*np.nonzero(~np.isnan(numbers))):
        color = "white" if signed[row, column] < 0.6 else "black"
        text = f"{round(numbers[row, column], 4):.{digits}g}"
        sharp = {
            "fontsize": 8.5,
            "antialiased": False,
        }  # soft edges on so many colours make the picture 3 times as large
        ax.text(column, row, text, ha="center", va="center", color=color, **sharp)
        if signed[row, column] == 1:
            corner = (column - 0.48, row - 0.48)
            ax.add_patch(Rectangle(corner, 0.96, 0.96, fill=False, edgecolor=COLORS[5], linewidth=2, zorder=3))
    ax.xaxis.tick_top()
    ax.set_xticks(range(len(table.columns)), [str(name) for name in table], rotation=45, ha="left", fontsize=9)
    ax.set_yticks(range(len(table)), [str(name) for name in table.index], fontsize=9)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _from_worst_to_best(column):
    """A column on a scale from 0 to 1, NaN left out; 1/2 where all is the same."""
    known = column[~np.isnan(column)]
    if not len(known) or np.ptp(known) == 0:
        return np.where(np.isnan(column), np.nan, 0.5)
    return (column - known.min()) / np.ptp(known)


def tradeoff(ax: Axes, x: pd.DataFrame, y: pd.DataFrame, *, value="mean", low="low", high="high", line=False) -> Axes:
    """One dot per row that two tables of intervals share, with both intervals and its name beside it.

    Parameters
    ----------
    x, y : DataFrame
        E.g. `found.table("coverage")` and `found.table("ndcg")`; rows are matched by their labels.
    line : bool
        Join the dots in the order of the rows, e.g. for the values of one setting.
    """
    y = y.loc[x.index]
    reach = [np.abs(t[[low, high]].to_numpy().T - t[value].to_numpy()) for t in (x, y)]
    ax.errorbar(
        x[value], y[value], xerr=reach[0], yerr=reach[1], fmt="none", ecolor=COLORS[0], alpha=0.4, linewidth=1.2
    )
    ax.plot(x[value], y[value], marker="o", linestyle="-" if line else "", color=COLORS[0], linewidth=1.2)
    ax.margins(x=0.12, y=0.12)
    _write_beside(ax, np.column_stack([x[value], y[value]]), [str(name) for name in x.index])
    return ax


def _write_beside(ax, dots, names):
    """A name beside each dot, right above it or at another corner where it would cover a name or a dot."""
    ax.figure.draw_without_rendering()  # settles where the axes are
    per_point = ax.figure.dpi / 72
    at = ax.transData.transform(dots)
    taken = [(*(dot - 3 * per_point), *(dot + 3 * per_point)) for dot in at]
    for dot, (left, bottom), name in zip(dots, at, names):
        wide, tall = np.array([0.6 * len(name), 1.0]) * plt.rcParams["font.size"] * per_point
        ways = [(right, up) for up in (1, -1) for right in (1, -1)]
        boxes = {}
        for right, up in ways:
            x0 = left + right * 6 * per_point - (right < 0) * wide
            y0 = bottom + up * 5 * per_point - (up < 0) * tall
            boxes[right, up] = (x0, y0, x0 + wide, y0 + tall)
        free = [way for way in ways if not any(_overlap(boxes[way], other) for other in taken)]
        right, up = (free or ways)[0]
        taken.append(boxes[right, up])
        sides = {"ha": "left" if right > 0 else "right", "va": "bottom" if up > 0 else "top"}
        ax.annotate(name, dot, xytext=(6 * right, 5 * up), textcoords="offset points", **sides)


def _overlap(a, b):
    """Do two boxes (left, bottom, right, top) share a point?"""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


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
