"""What lists mean to the people they are for: beside their history, beside what they wanted, beside each other's lists.

Each measure is a function, and an object that has its data bound, for `compare`:

    compare(models, split, ("ndcg", Serendipity(split.train), Calibration(split.batch, labels)), rng=rng)

Serendipity and calibration are one number per user, personalisation and popularity lift one for all lists. Padding (-1)
holds no item.

Letters: B lists, U users, I items, K list length, G labels.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags_array

from reco_utils.core import Dataset, TopK, UserBatch, take_rows
from reco_utils.evaluate.accuracy import check_truth
from reco_utils.evaluate.beyond import one_hot
from reco_utils.evaluate.listed import as_rows, checked_items, mean_over, owners_of


# ------------------------------------------------------------------------------------------------ one number per user
def serendipity(lists: TopK, truth: csr_matrix, train: Dataset) -> np.ndarray:
    """How far above its place by popularity a wanted item stands: the mean over the K places of max(p - q, 0) * wanted.

    p = (I + 1 - rank) / I is how strongly the list puts the item forward, q = (I + 1 - popularity rank) / I how
    strongly a list of bestsellers would. The popularity rank is 1 for the item that most users had; items that tie
    share a rank and the next one follows without a gap; q is 0 for an item that nobody had. Bestsellers in their order
    are worth 0. An empty place counts as a place.

    Parameters
    ----------
    lists : TopK, B lists
    truth : csr (B, I), gains > 0
        What the users really wanted; every item counts 1.
    train : Dataset
        Its users make the popularity, its items the catalogue.

    Returns
    -------
    (B,) float64 in [0, 1]; NaN where the user has no truth

    Raises
    ------
    ValueError  for a truth that does not belong to the lists or to `train`, or an item twice in a list

    Source: as RecTools documents its `Serendipity` (there 0 without truth, and divided by the items of a short list);
    the idea: Ge, Delgado-Battenfeld and Jannach (2010).
    """
    n_items = len(train.items)
    truth = check_truth(lists, truth)
    if truth.shape[1] != n_items:
        raise ValueError(f"truth must have one column per item of train, {n_items}, got {truth.shape[1]}")
    items = checked_items(lists, n_items)
    forward = (n_items - np.arange(lists.k)) / n_items
    surprise = np.maximum(forward - _chance_by_popularity(owners_of(train))[items], 0)
    found = np.where(_wanted(items, truth), surprise, 0).sum(axis=1) / lists.k
    return np.where(np.diff(truth.indptr) > 0, found, np.nan)


def calibration(lists: TopK, batch: UserBatch, labels, *, prior: float = 0.01) -> np.ndarray:
    """How far the labels in a list are from those in the user's history: KL(p || (1 - prior) q + prior p), in nats.

        sum over labels of p log(p / ((1 - prior) q + prior p))

    p is the label's share of the history by weight, q its share of the list by places. 0 is a list with the mix of the
    history, lower is better. Items without a label are left out of both.

    Parameters
    ----------
    batch : UserBatch, B requests
        Those the lists were made for, in the same order.
    labels : (I,), e.g. `train.catalog["category"]`; None and NaN are missing
    prior : float, above 0 and below 1
        Keeps the divergence finite, at most log(1 / prior) = 4.6, where a list lacks all labels of the history.

    Returns
    -------
    (B,) float64 >= 0; NaN where the history or the list has no item with a label

    Raises
    ------
    ValueError  for lists of other users, labels of another catalogue, or a prior outside of 0 to 1

    Source: Steck (2018), "Calibrated recommendations", with the same weight for every rank.
    """
    if not 0 < prior < 1:
        raise ValueError(f"prior must be above 0 and below 1, got {prior}")
    if not np.array_equal(lists.users, batch.users):
        raise ValueError(f"lists must be for the {len(batch)} users of the batch, in their order")
    groups = one_hot(labels)
    if groups.shape[0] != batch.history.shape[1]:
        raise ValueError(f"labels must be one per item, {batch.history.shape[1]}, got {groups.shape[0]}")
    items = checked_items(lists, groups.shape[0])
    p = _shares(batch.history.astype(np.float64) @ groups)
    q = _shares(as_rows(items, np.ones(groups.shape[0], bool)) @ groups)
    mixed = ((1 - prior) * q + prior * p).multiply(p.astype(bool)).tocsr()  # has the entries of p, in the same order
    mixed.sort_indices()
    rows = np.repeat(np.arange(len(items)), np.diff(p.indptr))
    found = np.bincount(rows, p.data * np.log(p.data / mixed.data), minlength=len(items))
    known = (np.diff(p.indptr) > 0) & (np.diff(q.indptr) > 0)
    return np.where(known, np.maximum(found, 0), np.nan)


# ------------------------------------------------------------------------------------------- one number for all lists
def personalisation(lists: TopK) -> float:
    """1 - the mean overlap of all pairs of lists: 0 when everybody sees the same items, 1 when nobody shares any.

    The overlap of two lists is the number of items in both over the geometric mean of their lengths: for lists of equal
    length K, the share of common items. Padding makes a list shorter; empty lists are left out. The pairs are never
    formed: sum over items of (sum over the lists that hold it of 1 / sqrt(length))^2 counts them all, and for L full
    lists this is

        1 - sum over items of c (c - 1) / (L (L - 1) K), c lists hold the item

    Returns
    -------
    float in [0, 1]; NaN with fewer than two lists that hold anything

    Raises
    ------
    ValueError  for an item twice in a list

    Source: Zhou et al. (2010), "personalization", there for lists of equal length; the cosine for others: ours.
    """
    items = checked_items(lists, int(lists.items.max(initial=0)) + 1)
    inside = items >= 0
    lengths = inside.sum(axis=1)
    n_lists = np.count_nonzero(lengths)
    if n_lists < 2:
        return np.nan
    share = np.broadcast_to(1 / np.sqrt(np.maximum(lengths, 1))[:, None], items.shape)
    shown = np.bincount(items[inside], share[inside])
    overlap = (shown @ shown - n_lists) / (n_lists * (n_lists - 1))
    return float(np.clip(1 - overlap, 0, 1))


def popularity_lift(lists: TopK, train: Dataset) -> float:
    """How much more popular the lists are than what their users had: GAP(lists) / GAP(profiles) - 1.

    GAP is the mean over users of the mean popularity of the items, in the list or in the user's history in `train`; an
    item's popularity is the share of users who had it. +0.5: the lists are half as popular again as the people's own
    choices; 0: the same; below 0: less popular. For a group of users, give their lists alone.

    Parameters
    ----------
    lists : TopK, B lists
        Users are found in `train` by id; those without history there, and empty lists, are left out.
    train : Dataset

    Returns
    -------
    float, -1 or more; NaN where nobody is left

    Raises
    ------
    ValueError  for a position outside of the catalogue, or an item twice in a list

    Source: Abdollahpouri et al. (2019), "The unfairness of popularity bias in recommendation", delta GAP.
    """
    popularity = owners_of(train) / max(len(train.users), 1)
    listed = mean_over(lists, popularity)
    profiles, _ = take_rows(train.weights, train.users.get_indexer(pd.Index(lists.users)))
    n_had = np.diff(profiles.indptr)
    both = (n_had > 0) & ~np.isnan(listed)
    if not both.any():
        return np.nan
    had = (profiles > 0).astype(np.float64)[both] @ popularity / n_had[both]
    return float(listed[both].mean() / had.mean() - 1)


# ------------------------------------------------------------------------------------------- bound, to be compared by
@dataclass(frozen=True, eq=False)
class Serendipity:
    """`serendipity` beside the bestsellers of `train`."""

    train: Dataset
    label: str = "serendipity"

    def __call__(self, lists: TopK, truth: csr_matrix) -> np.ndarray:
        """(B,), one number per user."""
        return serendipity(lists, truth, self.train)


@dataclass(frozen=True, eq=False)
class Calibration:
    """`calibration` to the histories of `batch` by these labels (I,); lower is better."""

    batch: UserBatch
    labels: np.ndarray
    prior: float = 0.01
    label: str = "calibration"

    def __call__(self, lists: TopK) -> np.ndarray:
        """(B,), one number per user."""
        return calibration(lists, self.batch, self.labels, prior=self.prior)


@dataclass(frozen=True, eq=False)
class Personalisation:
    """`personalisation`, the difference between people's lists."""

    label: str = "personalisation"

    def __call__(self, lists: TopK) -> float:
        """One number for all lists."""
        return personalisation(lists)


@dataclass(frozen=True, eq=False)
class PopularityLift:
    """`popularity_lift` over the histories in `train`."""

    train: Dataset
    label: str = "popularity_lift"

    def __call__(self, lists: TopK) -> float:
        """One number for all lists."""
        return popularity_lift(lists, self.train)


# ------------------------------------------------------------------------------------------------------------- pieces
def _wanted(items, truth):
    """Which places hold a truth item, (B, K) bool; `truth` is canonical."""
    rows, n_items = np.arange(len(items), dtype=np.int64)[:, None], truth.shape[1]
    keys = np.repeat(rows[:, 0], np.diff(truth.indptr)) * n_items + truth.indices
    listed = rows * n_items + items
    at = np.searchsorted(keys, listed).clip(max=max(len(keys) - 1, 0))
    return (items >= 0) & (keys[at] == listed) if len(keys) else np.zeros(items.shape, bool)


def _chance_by_popularity(owners):
    """(I + 1 - popularity rank) / I of every item (I,), 0 for one that nobody had."""
    counts = np.unique(owners[owners > 0])  # rising: the last is rank 1
    rank = len(counts) - np.searchsorted(counts, owners)
    return np.where(owners > 0, (len(owners) + 1 - rank) / len(owners), 0)


def _shares(sums):
    """Rows of a csr divided by their sum; an empty row stays empty."""
    totals = np.asarray(sums.sum(axis=1)).ravel()
    scale = np.divide(1, totals, out=np.zeros(len(totals)), where=totals > 0)
    shares = csr_matrix(diags_array(scale) @ sums)
    shares.sort_indices()
    return shares
