"""The house style of every figure: a question as title, few lines, colours that a colour-blind reader can tell apart.

Every function takes an Axes and returns it. Call `use_style()` once, at the top of a notebook.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

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


def concentration(ax: Axes, counts: np.ndarray, label: str | None = None) -> Axes:
    """The Lorenz curve of popularity: the share of all events that the x most popular share of items receives."""
    counts = np.sort(np.asarray(counts, float))[::-1]
    share = np.concatenate([[0], np.cumsum(counts) / counts.sum()])
    ax.plot(np.linspace(0, 1, len(share)), share, label=label)
    ax.set_xlabel("share of items, most popular first")
    ax.set_ylabel("share of events")
    return ax
