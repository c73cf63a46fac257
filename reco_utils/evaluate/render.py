"""A table of results as LaTeX, for a paper: escaped, in the booktabs style, best in bold.

It needs `\\usepackage{booktabs}` in the preamble, and stands in a `table` environment of yours.
"""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

MISSING = "--"
ESCAPED = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"}, **{sign: f"${sign}$" for sign in "<>|"}, "\n": " ",
}  # fmt: skip


def escape(text) -> str:
    """The text with everything that LaTeX would read as a command made plain: `50%_off` becomes `50\\%\\_off`."""
    return "".join(ESCAPED.get(sign, sign) for sign in str(text))


def booktabs(header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """A tabular of ready cells, the first column to the left and the others to the right; notes run below it."""
    width = len(header)
    lines = [
        rf"\begin{{tabular}}{{l{'r' * (width - 1)}}}",
        r"\toprule",
        " & ".join(header) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        *(rf"\multicolumn{{{width}}}{{l}}{{\footnotesize {note}}} \\" for note in notes),
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def number(value: float, digits: int, *, bold: bool = False, after: str = "") -> str:
    """A number in math mode to so many digits, `after` (an error, a mark) behind it; "--" for NaN."""
    if np.isnan(value):
        return MISSING
    text = f"{value:.{digits}f}"
    if bold:
        text = rf"\mathbf{{{text}}}"
    return f"${text}{after}$"


def best_of(means: pd.Series, label: str, lower_is_better: Collection[str], no_best: Collection[str]) -> pd.Series:
    """Which of these means is the best; all of them when several are equal, none when all are NaN or none is meant."""
    if is_in(label, no_best):
        return means != means
    return means == (means.min() if is_in(label, lower_is_better) else means.max())


def overview(table: pd.DataFrame, digits: int, lower_is_better, no_best, marked: Collection, notes) -> str:
    """Models as rows and metrics as columns: mean and half the width of its interval.

    Parameters
    ----------
    table : DataFrame, index (model, metric), columns mean, low, high
    marked : pairs (model, metric) that get a star
    """
    models, labels = (list(dict.fromkeys(table.index.get_level_values(level))) for level in ("model", "metric"))
    means = {label: table.xs(label, level="metric")["mean"] for label in labels}
    best = {label: best_of(mean, label, lower_is_better, no_best) for label, mean in means.items()}
    rows = []
    for model in models:
        row = [escape(model)]
        for label in labels:
            mean, low, high = table.loc[(model, label), ["mean", "low", "high"]]
            error = "" if np.isnan(high - low) else rf" \pm {(high - low) / 2:.{digits}f}"
            star = "^{*}" * ((model, label) in marked)
            row.append(number(mean, digits, bold=best[label][model], after=star + error))
        rows.append(row)
    return booktabs(["model", *(escape(label) for label in labels)], rows, notes)


def one_metric(table: pd.DataFrame, label: str, digits: int, lower_is_better, no_best, marked, notes) -> str:
    """Models as rows; mean, both ends of its interval and the users behind it as columns.

    Parameters
    ----------
    table : DataFrame, index model, columns mean, low, high, users
    marked : models that get a star
    """
    best = best_of(table["mean"], label, lower_is_better, no_best)
    rows = []
    for model, (mean, low, high, users) in table[["mean", "low", "high", "users"]].iterrows():
        span = MISSING if np.isnan(high - low) else f"${low:.{digits}f}$ to ${high:.{digits}f}$"
        star = "^{*}" * (model in marked)
        rows.append([escape(model), number(mean, digits, bold=best[model], after=star), span, f"{users:,.0f}"])
    return booktabs(["model", escape(label), r"95\,\% interval", "users"], rows, notes)


def is_in(label: str, names: Collection[str]) -> bool:
    """Is the metric among names, by its whole label or by its name alone?"""
    return label in names or str(label).partition("@")[0] in names
