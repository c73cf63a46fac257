"""One scale for every request: makes the scores of different models comparable before they are blended.

A factor model's scores lie about 0 to 1, most cosines of texts are near 0, a neighbourhood's sum has no upper end. Each
function takes scores (B, C), higher is better, and rescales every row on its own:

    rank              share of the row's opinions that lie below: only the order matters
    minmax            worst 0, best 1: distances matter, one outlier squeezes all the others together
    zscore            standard deviations above the row's mean: distances matter, there is no upper end
    reciprocal-rank   1 / (60 + place from the top): the first places matter, the others hardly

They agree about the edges. NaN (no opinion) stays NaN and does not count, equal scores stay equal, a higher score never
comes out lower. A row of equal scores (one opinion alone is such a row) knows no good or bad: all get the middle.

Letters: B requests, C candidates, n opinions of a row.
"""

from collections.abc import Callable

import numpy as np

from reco_utils.topk import everywhere

RRF_CONSTANT = 60  # what the authors use
CHUNK = 2**17  # scores sorted at once by one thread: all copies of them stay in the cache


def rank(scores: np.ndarray) -> np.ndarray:
    """(opinions below + half of the equal ones, itself among them) / n, per row.

    The middle of a row is 1/2, and its best gets 1 - 1/(2n): the favourite among three counts less than the favourite
    among a thousand.

    Parameters
    ----------
    scores : (B, C) float, NaN = no opinion

    Returns
    -------
    (B, C) float32 in (0, 1), NaN where `scores` is

    Source: mid-ranks as in Wilcoxon (1945), as a share.
    """
    below, n = _below(scores)
    return (below + np.float32(0.5)) / n


def reciprocal_rank(scores: np.ndarray) -> np.ndarray:
    """1 / (60 + place), the best place being 1 and equal scores sharing the mean of their places, per row.

    Parameters
    ----------
    scores : (B, C) float, NaN = no opinion

    Returns
    -------
    (B, C) float32 in (0, 1/61], NaN where `scores` is

    Source: Cormack, Clarke and Buettcher (2009), reciprocal rank fusion.
    """
    below, n = _below(scores)
    return 1 / (RRF_CONSTANT + n - below)


def minmax(scores: np.ndarray) -> np.ndarray:
    """(score - lowest) / (highest - lowest), per row; 1/2 in a row of equal scores.

    Parameters
    ----------
    scores : (B, C) float, NaN = no opinion

    Returns
    -------
    (B, C) float32 in [0, 1], NaN where `scores` is
    """
    scores = np.asarray(scores, np.float64)  # the difference of two large floats must not overflow
    low, high = _ends(scores)
    flat = high <= low
    scaled = (scores - np.where(flat, low - 0.5, low)) / np.where(flat, 1, high - low)
    return scaled.astype(np.float32)


def zscore(scores: np.ndarray) -> np.ndarray:
    """(score - mean) / standard deviation (divided by n), per row; 0 in a row of equal scores.

    Parameters
    ----------
    scores : (B, C) float, NaN = no opinion

    Returns
    -------
    (B, C) float32, NaN where `scores` is
    """
    scores = np.asarray(scores, np.float64)
    low, high = _ends(scores)
    n = np.maximum(np.count_nonzero(~np.isnan(scores), axis=1, keepdims=True), 1)
    gap = scores - np.nansum(scores, axis=1, keepdims=True) / n
    spread = np.sqrt(np.nansum(gap**2, axis=1, keepdims=True) / n)
    flat = high <= low  # then the gaps are nothing but rounding
    return (np.where(flat, scores - low, gap) / np.where(flat, 1, spread)).astype(np.float32)


SCALES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "rank": rank,
    "minmax": minmax,
    "zscore": zscore,
    "reciprocal-rank": reciprocal_rank,
}


def _ends(scores):
    """Lowest and highest opinion of every row (B, 1) each; 0 and 0 in a row without any."""
    with np.errstate(invalid="ignore"):
        low = np.fmin.reduce(scores, axis=1, keepdims=True, initial=np.inf)
        high = np.fmax.reduce(scores, axis=1, keepdims=True, initial=-np.inf)
    none = low > high
    return np.where(none, 0, low), np.where(none, 0, high)


def _below(scores):
    """Opinions of the row below each one, plus half of the other equal ones, (B, C) float32; and n (B, 1) float32."""
    scores = np.asarray(scores, np.float32)
    below, n = np.empty(scores.shape, np.float32), np.empty((len(scores), 1), np.float32)

    def task(start, stop):
        rows = slice(start, stop)
        below[rows], n[rows, 0] = _places(scores[rows])

    step = max(1, CHUNK // max(scores.shape[1], 1))
    everywhere(task, [(start, min(start + step, len(scores))) for start in range(0, len(scores), step)])
    return below, n


def _places(scores):
    """`_below` of a few rows: sort, number the places from 0, and let equal neighbours share the mean of theirs."""
    order = np.argsort(scores, axis=1)  # NaN comes last
    ordered = np.take_along_axis(scores, order, axis=1)
    places = np.broadcast_to(np.arange(scores.shape[1], dtype=np.float32), scores.shape)
    equal = ordered[:, 1:] == ordered[:, :-1]
    tied = equal.any(axis=1)
    if tied.any():
        places = places.copy()
        places[tied] = (_run_starts(equal[tied], places[0]) + _run_ends(equal[tied], places[0])) / 2
    below = np.empty_like(scores)
    np.put_along_axis(below, order, places, axis=1)
    unknown = np.isnan(scores)
    below[unknown] = np.nan
    return below, scores.shape[1] - np.count_nonzero(unknown, axis=1)


def _run_starts(equal, places):
    """First place of the run of equal scores that each place is in; equal (B, C - 1) compares neighbours."""
    starts = np.broadcast_to(places, (len(equal), len(places))).copy()
    starts[:, 1:][equal] = 0
    return np.maximum.accumulate(starts, axis=1)


def _run_ends(equal, places):
    """Last place of that run."""
    ends = np.broadcast_to(places, (len(equal), len(places))).copy()
    ends[:, :-1][equal] = len(places)
    return np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
