"""How well ranked lists hit the truth: one number per user and metric, all of them from one pass over the lists.

The pass (`_pass`) notes per user what every formula needs at each cut k; a formula is then one line:

    hits            truth items among the first k
    first           rank of the first hit, 0 if there is none
    precision_sum   sum over hits of the precision at the hit's rank
    pairs           pairs of a truth item and one of the k first other items that the list puts in the right order
    dcg, ideal      sum over hits of gain / log2(1 + rank); the same for the best possible list
    n               truth items of the user

Lists are judged as they stand: rank 1 is column 0, padding (-1) holds a place and is no hit. A user without truth gets
NaN, never 0: average with `nanmean` and say how many were left out. What other libraries mean by the same names is in
`docs/metrics.md`.

Letters: B lists, I items, K list length, C cuts (values of k), G gains, M metrics.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numba import njit
from scipy.sparse import csr_matrix, issparse

from reco_utils.core import USER, TopK, check_k
from reco_utils.topk import N_THREADS, everywhere, spans

BLOCK = 16_384  # lists whose counts and values are made together, so that they stay in the cache
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
    pairs: np.ndarray
    dcg: np.ndarray | None = None
    ideal: np.ndarray | None = None


# libraries divide by four different things and call each of them "MAP", so the denominator has a name
DENOMINATORS = {
    "min_k_n": lambda at: np.minimum(at.k, at.n),
    "n": lambda at: at.n,
    "k": lambda at: at.k,
    "hits": lambda at: np.maximum(at.hits, 1),
}


def _average_precision(denominator):
    return lambda at: at.precision_sum / DENOMINATORS[denominator](at)


def _ndcg(at: _Counts):
    return at.dcg / at.ideal


_METRICS: dict[str, tuple[str | None, Callable]] = {  # name in labels -> (gain if it needs one, formula)
    "precision": (None, lambda at: at.hits / at.k),
    "recall": (None, lambda at: at.hits / at.n),
    "f1": (None, lambda at: 2 * at.hits / (at.k + at.n)),
    "ndcg": ("binary", _ndcg),
    "ndcg_linear": ("linear", _ndcg),
    "ndcg_exponential": ("exponential", _ndcg),
    "map": (None, _average_precision("min_k_n")),
    **{f"map_{name}": (None, _average_precision(name)) for name in DENOMINATORS},
    "hit_rate": (None, lambda at: at.hits > 0),
    "mrr": (None, lambda at: (at.first > 0) / np.maximum(at.first, 1)),
    "pauc": (None, lambda at: at.pairs / (at.k * at.n)),
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
        Names: precision, recall, f1, ndcg (gain 1 for every truth item), ndcg_linear, ndcg_exponential, map
        (denominator min(k, n)), map_min_k_n (the same, spelt out), map_n, map_k, map_hits, hit_rate, mrr, pauc.

    Returns
    -------
    DataFrame (B, M) float64, index `user_id`, one column per label; NaN where the user has no truth

    Raises
    ------
    ValueError  for an unknown metric, a k below 1 or beyond the lists, an item twice in a list, a truth that does not
        belong to the lists, and gains that are not positive numbers
    """
    wanted = {label: parse_label(label) for label in _as_labels(metrics)}
    values = _values(topk, truth, list(wanted.values()))
    return pd.DataFrame(values.T, pd.Index(topk.users, name=USER), list(wanted), copy=False)


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
    return _values(topk, truth, [("precision", k)])[0]


def recall(topk: TopK, truth: csr_matrix, k: int | None = None) -> np.ndarray:
    """Share of the user's truth items that are among the first k: hits / n. Arguments as for `precision`.

    Returns
    -------
    (B,) float64 in [0, 1], at most k / n; NaN where the user has no truth
    """
    return _values(topk, truth, [("recall", k)])[0]


def f1(topk: TopK, truth: csr_matrix, k: int | None = None) -> np.ndarray:
    """Harmonic mean of precision and recall: 2 hits / (k + n). Arguments as for `precision`.

    Returns
    -------
    (B,) float64 in [0, 1], 0 for a list without a hit; NaN where the user has no truth

    Source: van Rijsbergen (1979), chapter 7.
    """
    return _values(topk, truth, [("f1", k)])[0]


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
    name = "ndcg" if gain == "binary" else f"ndcg_{gain}"
    return _values(topk, truth, [(name, k)])[0]


def average_precision(
    topk: TopK, truth: csr_matrix, k: int | None = None, *, denominator: str = "min_k_n"
) -> np.ndarray:
    """Sum of the precisions at the ranks of the hits, over a denominator that must be named; its mean is "MAP".

    Parameters
    ----------
    topk, truth, k
        As for `precision`.
    denominator : "min_k_n", "n", "k" or "hits"
        - min_k_n: min(k, n), the most hits a list can have, so that a perfect list scores 1.
        - n: all truth items, as in TREC and ranx; a perfect list of k < n scores k / n.
        - k: the places; a perfect list for a user with n < k scores n / k.
        - hits: the hits found among the first k. It asks how early they are and not how many there were to find: a
          model that hits one item of a hundred, at rank 1, scores 1. Here users without a hit still count as 0; where
          they are dropped too, as is often done, one lucky user among ten makes a MAP of 1.000. Never rank models by
          it.

    Returns
    -------
    (B,) float64 in [0, 1], 0 for a list without a hit; NaN where the user has no truth

    Source: Voorhees and Harman (2005) for n; the others are what libraries do, see `docs/metrics.md`.
    """
    if denominator not in DENOMINATORS:
        raise ValueError(f"denominator must be one of {list(DENOMINATORS)}, got {denominator!r}")
    return _values(topk, truth, [(f"map_{denominator}", k)])[0]


def hit_rate(topk: TopK, truth: csr_matrix, k: int | None = None) -> np.ndarray:
    """1 if at least one truth item is among the first k, else 0. Arguments as for `precision`.

    Returns
    -------
    (B,) float64, 0 or 1; NaN where the user has no truth
    """
    return _values(topk, truth, [("hit_rate", k)])[0]


def mrr(topk: TopK, truth: csr_matrix, k: int | None = None) -> np.ndarray:
    """Reciprocal rank: 1 / rank of the first hit, 0 if none is among the first k. Arguments as for `precision`.

    Returns
    -------
    (B,) float64 in [0, 1]; NaN where the user has no truth
    """
    return _values(topk, truth, [("mrr", k)])[0]


def pauc(topk: TopK, truth: csr_matrix, k: int | None = None) -> np.ndarray:
    """Partial AUC at k: of all pairs of a truth item and one of the k highest-ranked other items, the share in order.

        pauc = sum over hits of max(k - (rank - hits so far), 0) / (k n)

    Here k counts the other items, the negatives, and not the places: the whole list is looked at, down to the k-th
    negative, and n + k places are always enough. A truth item that is not listed is taken to come after all negatives,
    so a shorter list gives a lower bound. An empty place is a negative.

    Parameters
    ----------
    topk, truth
        As for `precision`.
    k : int, optional
        Negatives looked at, at most the length of the lists; by default that length.

    Returns
    -------
    (B,) float64 in [0, 1]; NaN where the user has no truth

    Source: Budhiraja et al. (2020), arXiv 2001.10495; as RecTools documents its `PartialAUC`, there with
    `insufficient_handling="ignore"`.
    """
    return _values(topk, truth, [("pauc", k)])[0]


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


def check_truth(topk: TopK, truth) -> csr_matrix:
    """The truth as canonical csr (B, I) float64, or a ValueError where it cannot be that of these lists."""
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


def _refuse_repeats(topk, repeats):
    if repeats.any():
        row = repeats.argmax()
        items = topk.items[row]
        kept, times = np.unique(items[items >= 0], return_counts=True)
        raise ValueError(
            f"{repeats.sum()} of {len(topk)} lists hold an item twice, the first for user {topk.users[row]!r} "
            f"(row {row}, position {kept[times > 1][0]}); a list must hold every item once"
        )


# ------------------------------------------------------------------------------------------------------------ counting
def _values(topk, truth, wanted) -> np.ndarray:
    """The metrics `wanted`, (name, k) each, of every user: (M, B); NaN for the users without truth."""
    wanted = [(*_METRICS[name], _check_cut(k, topk)) for name, k in wanted]
    truth = check_truth(topk, truth)
    cuts = sorted({k for *_, k in wanted})
    gains = [name for name in GAINS if name in {gain for gain, *_ in wanted}]
    items = np.ascontiguousarray(topk.items, np.int32)
    values, repeats = np.empty((len(wanted), len(items))), np.zeros(len(items), bool)

    def task(start, stop):
        seen = np.zeros((truth.shape[1], 2), truth.indices.dtype)
        for top in range(start, stop, BLOCK):
            rows = slice(top, min(top + BLOCK, stop))
            counts = _count(items, truth, gains, cuts, rows, seen, repeats)
            for at, (gain, formula, k) in enumerate(wanted):
                values[at, rows] = formula(counts[gain, k])
            values[:, rows][:, np.diff(truth.indptr[rows.start : rows.stop + 1]) == 0] = np.nan

    everywhere(task, spans(len(items), min(N_THREADS, 1 + len(items) // BLOCK)))
    _refuse_repeats(topk, repeats)
    return values


def _count(items, truth, gains, cuts, rows, seen, repeats) -> dict[tuple[str | None, int], _Counts]:
    """One pass over the lists at `rows`, a slice: the counts by gain and cut; those by None are without a DCG."""
    indptr, ranks = truth.indptr[rows.start : rows.stop + 1], np.array(cuts, np.int64)
    worth = np.empty((len(gains), indptr[-1] - indptr[0]))
    for g, gain in enumerate(gains):
        worth[g] = _worth(truth.data[indptr[0] : indptr[-1]], gain)
    discounts = 1 / np.log2(np.arange(items.shape[1]) + 2)
    shape = len(cuts), rows.stop - rows.start
    sums, dcg, ideal = np.zeros((4, *shape)), np.zeros((len(gains), *shape)), np.ones((len(gains), *shape))
    _pass(items[rows], indptr, truth.indices, worth, ranks, discounts, seen, rows.start, sums, dcg, repeats[rows])
    if gains:
        _best(indptr, worth, ranks, discounts, ideal)
    n, counts = np.maximum(np.diff(indptr), 1.0), {}
    for c, k in enumerate(cuts):
        counts[None, k] = _Counts(k, n, *sums[:, c])
        for g, gain in enumerate(gains):
            counts[gain, k] = _Counts(k, n, *sums[:, c], dcg[g, c], ideal[g, c])
    return counts


def _worth(gains, name):
    """What truth items with these gains are worth."""
    with np.errstate(over="ignore"):
        worth = GAINS[name](gains)
    if not np.isfinite(worth).all():
        raise ValueError(f"gain {name!r} overflows for gains up to {gains.max():g}; rescale the truth")
    return worth


@njit(nogil=True, cache=True)
def _pass(items, indptr, indices, worth, cuts, discounts, seen, first_row, sums, dcg, repeats):
    """Fill sums (4, C, B): hits, first, precision_sum, pairs; dcg (G, C, B); and repeats (B,).

    `indptr` (B + 1,) points into the whole truth, `worth` (G, n) holds these rows' part of it.
    `seen` (I, 2) is room to work in, kept for the rows to come: the last row that listed an item, and the last place in
    the truth where it stood, both from 1. Of earlier rows are the rows before this one, and the places up to `begin`.
    """
    gained = np.empty(worth.shape[0])
    for row in range(items.shape[0]):
        begin, end, stamp = indptr[row], indptr[row + 1], first_row + row + 1
        for at in range(begin, end):
            seen[indices[at], 1] = at + 1
        hits, first, precision_sum, repeated, start = 0, 0, 0.0, False, 0
        gained[:] = 0
        for cut in range(cuts.size + 1):
            stop = cuts[cut] if cut < cuts.size else items.shape[1]
            for column in range(start, stop):
                item, rank = items[row, column], column + 1
                if item < 0:
                    continue
                repeated |= seen[item, 0] == stamp
                seen[item, 0] = stamp
                at = seen[item, 1] - 1
                if at < begin:
                    continue
                hits += 1
                if hits == 1:
                    first = rank
                precision_sum += hits / rank
                for gain in range(gained.size):
                    gained[gain] += worth[gain, at - indptr[0]] * discounts[column]
                for c in range(cuts.size):
                    sums[3, c, row] += max(cuts[c] - (rank - hits), 0)
            if cut < cuts.size:
                sums[0, cut, row], sums[1, cut, row], sums[2, cut, row] = hits, first, precision_sum
                for gain in range(gained.size):
                    dcg[gain, cut, row] = gained[gain]
            start = stop
        repeats[row] = repeated


@njit(nogil=True, cache=True)
def _best(indptr, worth, cuts, discounts, ideal):
    """Fill ideal (G, C, B): the DCG of each user's best items in order; rows without truth are left alone.

    All gains grow with the truth, so one order serves them all: that of the last, which has the fewest ties.
    """
    best = np.empty(cuts[-1], np.int64)  # the most wanted so far, best first
    last = worth[-1]
    for row in range(indptr.size - 1):
        size = 0
        for at in range(indptr[row] - indptr[0], indptr[row + 1] - indptr[0]):
            if size < best.size:
                size += 1
            elif last[at] <= last[best[size - 1]]:
                continue
            place = size - 1
            while place > 0 and last[best[place - 1]] < last[at]:
                best[place] = best[place - 1]
                place -= 1
            best[place] = at
        for gain in range(worth.shape[0] if size else 0):
            total, cut = 0.0, 0
            for place in range(size):
                total += worth[gain, best[place]] * discounts[place]
                if place + 1 == cuts[cut]:
                    ideal[gain, cut, row] = total
                    cut += 1
            for c in range(cut, cuts.size):
                ideal[gain, c, row] = total
