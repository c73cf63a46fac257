"""How well ranked lists hit the truth: six measures, one number per user, all of them from one pass over the lists.

The pass (`_count`) notes per user what every formula needs at each cut k; a formula is then one line:

    hits            truth items among the first k
    first           rank of the first hit, 0 if there is none
    precision_sum   sum over hits of the precision at the hit's rank
    dcg, ideal      sum over hits of gain / log2(1 + rank); the same for the best possible list
    n               truth items of the user

Lists are judged as they stand: rank 1 is column 0, padding (-1) holds a place and is no hit. A user without truth gets
NaN, never 0: average with `nanmean` and say how many were left out.

Letters: B lists, I items, K list length, C cuts (values of k), M metrics.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numba import njit
from scipy.sparse import csr_matrix, issparse

from reco_utils.core import USER, TopK, check_k

GAINS = {
    "binary": np.ones_like,  # a truth item is a truth item
    "linear": np.copy,  # Jarvelin and Kekalainen (2002)
    "exponential": lambda gain: np.expm1(gain * np.log(2)),  # 2^gain - 1, Burges et al. (2005)
}


@dataclass(frozen=True)
class _Counts:
    """What the formulas need about B users at one cut k; n is at least 1, users without truth are masked later."""

    k: int
    n: np.ndarray
    hits: np.ndarray
    first: np.ndarray
    precision_sum: np.ndarray
    dcg: np.ndarray
    ideal: np.ndarray


def _precision(at: _Counts):
    return at.hits / at.k


def _recall(at: _Counts):
    return at.hits / at.n


def _ndcg(at: _Counts):
    return at.dcg / at.ideal


def _hit_rate(at: _Counts):
    return (at.hits > 0).astype(float)


def _mrr(at: _Counts):
    return np.where(at.first > 0, 1 / np.maximum(at.first, 1), 0.0)


# "MAP" is five different things in six libraries, so the denominator has a name
_AVERAGE_PRECISION = {
    "min_k_n": lambda at: at.precision_sum / np.minimum(at.k, at.n),
    "n": lambda at: at.precision_sum / at.n,
}
_METRICS: dict[str, tuple[str, Callable]] = {  # name in labels -> (gain, formula)
    "precision": ("binary", _precision),
    "recall": ("binary", _recall),
    "ndcg": ("binary", _ndcg),
    "ndcg_linear": ("linear", _ndcg),
    "ndcg_exponential": ("exponential", _ndcg),
    "map": ("binary", _AVERAGE_PRECISION["min_k_n"]),
    **{f"map_{name}": ("binary", formula) for name, formula in _AVERAGE_PRECISION.items()},
    "hit_rate": ("binary", _hit_rate),
    "mrr": ("binary", _mrr),
}
NAMES = tuple(_METRICS)


# ------------------------------------------------------------------------------------------------- the public measures
def measure(
    topk: TopK,
    truth: csr_matrix,
    metrics: Sequence[str] = ("precision@10", "recall@10", "ndcg@10", "map@10", "hit_rate@10", "mrr@10"),
) -> pd.DataFrame:
    """Any metrics at any k, one row per user, from one pass over the lists.

    Parameters
    ----------
    topk : TopK, B lists
    truth : csr (B, I), gains > 0
        Row b holds what the user of list b really wanted; a user may have none.
    metrics : labels `name@k`
        Names: precision, recall, ndcg (gain 1 for every truth item), ndcg_linear, ndcg_exponential, map (denominator
        min(k, n)), map_min_k_n (the same, spelt out), map_n, hit_rate, mrr.

    Returns
    -------
    DataFrame (B, M) float64, index `user_id`, one column per label; NaN where the user has no truth

    Raises
    ------
    ValueError  for an unknown metric, a k below 1 or beyond the lists, an item twice in a list, a truth that does not
        belong to the lists, and gains that are not positive numbers
    """
    wanted = [(label, *parse_label(label)) for label in _as_labels(metrics)]
    cuts = sorted({_check_cut(k, topk) for _, _, k in wanted})
    truth = _check_truth(topk, truth)
    counts = {gain: _count(topk, truth, cuts, gain) for gain in {_METRICS[name][0] for _, name, _ in wanted}}
    columns = {}
    for label, name, k in wanted:
        gain, formula = _METRICS[name]
        columns[label] = _mask(formula(counts[gain][k]), truth)
    return pd.DataFrame(columns, index=pd.Index(topk.users, name=USER))


def precision(topk: TopK, truth: csr_matrix, k: int | None = None) -> np.ndarray:
    """Share of the first k places that hold a truth item: hits / k, also where the list is shorter than k.

    Parameters
    ----------
    topk : TopK, B lists
    truth : csr (B, I), gains > 0
    k : int, optional
        How far down the list to look; by default its whole length.

    Returns
    -------
    (B,) float64 in [0, 1]; NaN where the user has no truth

    Raises
    ------
    ValueError  see `measure`
    """
    return _one(_precision, topk, truth, k)


def recall(topk: TopK, truth: csr_matrix, k: int | None = None) -> np.ndarray:
    """Share of the user's truth items that are among the first k: hits / n. Arguments as for `precision`.

    Returns
    -------
    (B,) float64 in [0, 1], at most k / n; NaN where the user has no truth
    """
    return _one(_recall, topk, truth, k)


def ndcg(topk: TopK, truth: csr_matrix, k: int | None = None, *, gain: str = "binary") -> np.ndarray:
    """Gain, discounted by rank, over that of the best list: sum of gain / log2(1 + rank) over its largest value.

    Parameters
    ----------
    topk, truth, k
        As for `precision`.
    gain : "binary", "linear" or "exponential"
        What a truth item of value g is worth: 1, g, or 2^g - 1. The best list holds the min(k, n) largest gains.

    Returns
    -------
    (B,) float64 in [0, 1]; NaN where the user has no truth

    Source: Jarvelin and Kekalainen (2002), with the log2(1 + rank) discount of Burges et al. (2005).
    """
    if gain not in GAINS:
        raise ValueError(f"gain must be one of {list(GAINS)}, got {gain!r}")
    return _one(_ndcg, topk, truth, k, gain)


def average_precision(
    topk: TopK, truth: csr_matrix, k: int | None = None, *, denominator: str = "min_k_n"
) -> np.ndarray:
    """Sum of the precisions at the ranks of the hits, over a denominator that must be named; its mean is "MAP".

    Parameters
    ----------
    topk, truth, k
        As for `precision`.
    denominator : "min_k_n" or "n"
        min(k, n): the most hits a list can have, so that a perfect list scores 1. n: all truth items, as in TREC and
        ranx; a perfect list of k < n scores k / n.

    Returns
    -------
    (B,) float64 in [0, 1], 0 for a list without a hit; NaN where the user has no truth
    """
    if denominator not in _AVERAGE_PRECISION:
        raise ValueError(f"denominator must be one of {list(_AVERAGE_PRECISION)}, got {denominator!r}")
    return _one(_AVERAGE_PRECISION[denominator], topk, truth, k)


def hit_rate(topk: TopK, truth: csr_matrix, k: int | None = None) -> np.ndarray:
    """1 if at least one truth item is among the first k, else 0. Arguments as for `precision`.

    Returns
    -------
    (B,) float64, 0 or 1; NaN where the user has no truth
    """
    return _one(_hit_rate, topk, truth, k)


def mrr(topk: TopK, truth: csr_matrix, k: int | None = None) -> np.ndarray:
    """Reciprocal rank: 1 / rank of the first hit, 0 if none is among the first k. Arguments as for `precision`.

    Returns
    -------
    (B,) float64 in [0, 1]; NaN where the user has no truth
    """
    return _one(_mrr, topk, truth, k)


def parse_label(label: str) -> tuple[str, int]:
    """Name and k of a label such as "ndcg@10"; a ValueError names the nearest metric where there is none."""
    name, at, k = str(label).partition("@")
    if name not in _METRICS:
        near = "".join(f"did you mean {n!r}? " for n in get_close_matches(name, NAMES, n=1))
        raise ValueError(f"unknown metric {name!r}; {near}known: {list(NAMES)}")
    if not at or not k.lstrip("-").isdecimal():
        raise ValueError(f"a metric's label must be name@k, such as '{name}@10', got {label!r}")
    return name, check_k(int(k))


# -------------------------------------------------------------------------------------------------------------- checks
def _as_labels(metrics):
    labels = [metrics] if isinstance(metrics, str) else list(metrics)
    if not labels:
        raise ValueError(f"metrics must name at least one of {list(NAMES)}, such as 'ndcg@10', got none")
    return labels


def _check_cut(k, topk):
    k = check_k(topk.k if k is None else k)
    if k > topk.k:
        raise ValueError(f"k must be at most the width of the lists, {topk.k}, got {k}; recommend with k={k} first")
    return k


def _check_truth(topk, truth):
    """The truth as canonical csr (B, I) float64, after all checks that need no look into the lists' order."""
    if len(getattr(truth, "shape", ())) != 2 or truth.shape[0] != len(topk):
        shape = getattr(truth, "shape", type(truth).__name__)
        raise ValueError(f"truth must have one row per list, ({len(topk)}, items), got {shape}")
    truth = csr_matrix(truth, dtype=np.float64, copy=issparse(truth) and not truth.has_canonical_format)
    truth.sum_duplicates()
    if not (np.isfinite(truth.data) & (truth.data > 0)).all():
        bad = truth.data[~(np.isfinite(truth.data) & (truth.data > 0))]
        raise ValueError(
            f"truth must hold finite gains > 0 only, got {bad[:3].tolist()} ({len(bad)} of {truth.nnz}); "
            "drop what nobody wanted (eliminate_zeros() for stored zeros)"
        )
    if topk.items.size and not -1 <= topk.items.min() <= topk.items.max() < truth.shape[1]:
        worst = topk.items.min() if topk.items.min() < -1 else topk.items.max()
        raise ValueError(
            f"lists hold item position {worst}, but truth has {truth.shape[1]} columns; "
            "positions are 0 to columns - 1, or -1 for padding: were both made from the same Dataset?"
        )
    return truth


def _refuse_repeats(topk, repeats, row):
    if repeats:
        items = topk.items[row]
        kept, times = np.unique(items[items >= 0], return_counts=True)
        raise ValueError(
            f"{repeats} of {len(topk)} lists hold an item twice, the first for user {topk.users[row]!r} (row {row}, "
            f"position {kept[times > 1][0]}); a list must hold every item once"
        )


# ------------------------------------------------------------------------------------------------------------ counting
def _one(formula, topk, truth, k, gain="binary"):
    k = _check_cut(k, topk)
    truth = _check_truth(topk, truth)
    return _mask(formula(_count(topk, truth, [k], gain)[k]), truth)


def _mask(values, truth):
    """NaN for the users without truth."""
    values[np.diff(truth.indptr) == 0] = np.nan
    return values


def _count(topk, truth, cuts, gain) -> dict[int, _Counts]:
    """One pass over lists and truth: k -> _Counts, for the increasing values of k in `cuts`."""
    with np.errstate(over="ignore"):
        gains = GAINS[gain](truth.data)
    if not np.isfinite(gains).all():
        raise ValueError(f"gain {gain!r} overflows for gains up to {truth.data.max():g}; rescale the truth")
    items = np.ascontiguousarray(topk.items, np.int32)
    ranks = np.array(cuts, np.int64)
    discounts = 1 / np.log2(np.arange(cuts[-1]) + 2)
    sums = np.zeros((4, len(cuts), len(topk)))
    repeats, row = _pass(items, truth.shape[1], truth.indptr, truth.indices, gains, ranks, discounts, sums)
    _refuse_repeats(topk, repeats, row)
    n = np.maximum(np.diff(truth.indptr), 1)
    if gain == "binary":
        best = np.cumsum(discounts)
        ideal = [best[np.minimum(n, k) - 1] for k in cuts]
    else:
        ideal = np.ones((len(cuts), len(topk)))
        _best(truth.indptr, gains, ranks, discounts, ideal)
    return {k: _Counts(k, n, *sums[:, c], ideal[c]) for c, k in enumerate(cuts)}


@njit(nogil=True, cache=True)
def _pass(items, n_items, indptr, indices, gains, cuts, discounts, sums):
    """Fill sums (4, C, B): hits, first, precision_sum, dcg; returns how many lists repeat an item, and the first."""
    gain_of = np.zeros(n_items)
    listed_in = np.full(n_items, -1, np.int32)
    n_repeats, first_repeat = 0, -1
    for row in range(items.shape[0]):
        for at in range(indptr[row], indptr[row + 1]):
            gain_of[indices[at]] = gains[at]
        hits, first, precision_sum, dcg = 0, 0, 0.0, 0.0
        cut, repeated = 0, False
        for column in range(items.shape[1]):
            item, rank = items[row, column], column + 1
            if item >= 0:
                repeated |= listed_in[item] == row
                listed_in[item] = row
                if gain_of[item] > 0 and cut < cuts.size:
                    hits += 1
                    precision_sum += hits / rank
                    dcg += gain_of[item] * discounts[column]
                    if hits == 1:
                        first = rank
            if cut < cuts.size and rank == cuts[cut]:
                sums[0, cut, row], sums[1, cut, row] = hits, first
                sums[2, cut, row], sums[3, cut, row] = precision_sum, dcg
                cut += 1
        if repeated:
            n_repeats += 1
            if n_repeats == 1:
                first_repeat = row
        for at in range(indptr[row], indptr[row + 1]):
            gain_of[indices[at]] = 0
    return n_repeats, first_repeat


@njit(nogil=True, cache=True)
def _best(indptr, gains, cuts, discounts, ideal):
    """Fill ideal (C, B): the DCG of each user's largest gains in order; rows without truth are left alone."""
    best = np.empty(discounts.size)  # the largest gains so far, largest first
    for row in range(indptr.size - 1):
        size = 0
        for gain in gains[indptr[row] : indptr[row + 1]]:
            if size < best.size:
                size += 1
            elif gain <= best[size - 1]:
                continue
            at = size - 1
            while at > 0 and best[at - 1] < gain:
                best[at] = best[at - 1]
                at -= 1
            best[at] = gain
        total, cut = 0.0, 0
        for column in range(discounts.size if size else 0):
            if column < size:
                total += best[column] * discounts[column]
            if column + 1 == cuts[cut]:
                ideal[cut, row] = total
                cut += 1
