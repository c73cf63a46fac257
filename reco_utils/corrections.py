"""P-values corrected for having asked several questions at once."""

import numpy as np
from scipy.stats import false_discovery_control


def adjust(p, how: str | None = "holm") -> np.ndarray:
    """P-values corrected by "holm", "bh" (Benjamini-Hochberg) or not at all (None); NaN stays NaN and does not count.

    Parameters
    ----------
    p : (m,) float in [0, 1] or NaN
    how : "holm", "bh" or None
        Holm keeps the chance of any false alarm below alpha; Benjamini-Hochberg the expected share of false alarms
        among the alarms.

    Returns
    -------
    (m,) float64

    Raises
    ------
    ValueError  for values outside 0 to 1, or an unknown way

    Source: Holm (1979); Benjamini and Hochberg (1995).
    """
    if how not in CORRECTIONS:
        raise ValueError(f"correction must be one of {list(CORRECTIONS)}, got {how!r}")
    p = np.asarray(p, float)
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p-values must lie between 0 and 1, got {p[(p < 0) | (p > 1)][:3].tolist()}")
    known = ~np.isnan(p)
    adjusted = np.full(p.shape, np.nan)
    adjusted[known] = CORRECTIONS[how](p[known])
    return adjusted


def _holm(p):
    """The j-th smallest times m - j + 1, never decreasing."""
    order = np.argsort(p, kind="stable")
    raised = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return raised[np.argsort(order)]


CORRECTIONS = {"holm": _holm, "bh": false_discovery_control, None: lambda p: p}
