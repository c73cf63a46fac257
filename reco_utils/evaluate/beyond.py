"""What accuracy does not see: how much of the shop is shown, how alike a list is, and how new or popular its items are.

What lists mean to their own users (calibration, serendipity, popularity lift) is in `personal`.

Each measure is a function of lists, and an object that has its data bound, for `compare`:

    compare(models, split, ("ndcg", Coverage(n_items), Diversity(vectors)), rng=rng)

One number for all lists (coverage, Gini) or one per user. Padding (-1) holds no item and counts nowhere.

Letters: B lists, I items, K list length, D width of a vector.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags_array, issparse

from reco_utils.core import Dataset, TopK
from reco_utils.evaluate.listed import as_rows, checked_items, mean_over, owners_of, places_of

BLOCK = 4096  # lists whose summed vectors are held at once


# ------------------------------------------------------------------------------------------- one number for all lists
def coverage(lists: TopK, n_items: int) -> float:
    """Catalogue coverage: the share of the n_items items that stand in at least one list.

    It grows with the number of lists, so compare only over the same users.

    Returns
    -------
    float in [0, 1], 0 without lists

    Raises
    ------
    ValueError  for a catalogue without items, a position outside of it, or an item twice in a list

    Source: Ge, Delgado-Battenfeld and Jannach (2010).
    """
    return np.count_nonzero(places_of(lists, n_items)) / n_items


def gini(lists: TopK, n_items: int) -> float:
    """Inequality of exposure: sum over j of (2 j - I - 1) x_j / (I sum x), x_j places given to the j-th rarest item.

    Returns
    -------
    float: 0 when all n_items items stand in equally many lists, 1 - 1/I when one has them all; NaN for empty lists

    Raises
    ------
    ValueError  see `coverage`

    Source: Shani and Gunawardana (2011), section 8.3.3.
    """
    places = np.sort(places_of(lists, n_items))
    total = n_items * places.sum()
    return float((2 * np.arange(1, n_items + 1) - n_items - 1) @ places / total) if total else np.nan


# ------------------------------------------------------------------------------------------------ one number per user
def intra_list_diversity(lists: TopK, vectors) -> np.ndarray:
    """1 - the mean cosine of all pairs of items in a list.

    The pairs are never formed: the cosines of L items sum to |sum of their unit vectors|^2 - L.

    Parameters
    ----------
    vectors : (I, D) array or csr
        Any description of the items, of any length. An item whose vector is zero or NaN is not known and left out of
        its lists. For categories see `one_hot`; diversity is then the share of pairs from different ones.

    Returns
    -------
    (B,) float64 in [0, 2], at most 1 where no vector has negative entries; NaN with fewer than two known items

    Raises
    ------
    ValueError  for a position without a vector, or an item twice in a list

    Source: Smyth and McClave (2001); Ziegler et al. (2005).
    """
    if getattr(vectors, "ndim", None) != 2:
        raise ValueError(f"vectors must be an array or csr (items, width), got {type(vectors).__name__}")
    items = checked_items(lists, vectors.shape[0])
    unit, known = _unit(vectors)
    listed = as_rows(items, known)
    counts = np.diff(listed.indptr)
    blocks = [listed[start : start + BLOCK] @ unit for start in range(0, len(items), BLOCK)]
    squares = np.concatenate([np.empty(0), *(_squared_lengths(block) for block in blocks)])
    pairs = np.where(counts > 1, counts * (counts - 1), np.nan)
    return np.clip(1 - (squares - counts) / pairs, 0, 2)


def newcomer_share(lists: TopK, is_new: np.ndarray) -> np.ndarray:
    """Share of a list's items that are new: flagged / listed. What is new is the caller's to say.

    Parameters
    ----------
    is_new : (I,) bool

    Returns
    -------
    (B,) float64 in [0, 1]; NaN for an empty list

    Raises
    ------
    ValueError  for flags that are not bool (I,), a position without one, or an item twice in a list

    Source: ours.
    """
    is_new = np.asarray(is_new)
    if is_new.dtype != bool or is_new.ndim != 1:
        raise ValueError(f"is_new must be one bool per item, got {is_new.dtype} {is_new.shape}")
    return mean_over(lists, is_new)


def novelty(lists: TopK, train: Dataset) -> np.ndarray:
    """Mean surprise of a list's items in bits, -log2 of the share of users who had the item: (n + 1) / (U + 1).

    The added ones keep an item that nobody had at a finite log2(U + 1). An item everybody had is worth 0 bits.

    Returns
    -------
    (B,) float64 in [0, log2(U + 1)]; NaN for an empty list

    Source: Zhou et al. (2010), "surprisal"; the added ones: ours.
    """
    return mean_over(lists, -np.log2((owners_of(train) + 1) / (len(train.users) + 1)))


def popularity_percentile(lists: TopK, train: Dataset) -> np.ndarray:
    """Mean popularity rank of a list's items: 0 is the item that fewest users had, 1 the bestseller; ties share a rank.

    Returns
    -------
    (B,) float64 in [0, 1], 0.5 for items drawn by chance; NaN for an empty list

    Source: ours; the complement of the rank in Celma and Herrera (2008).
    """
    owners = owners_of(train)
    ordered = np.sort(owners)
    rank = (np.searchsorted(ordered, owners, "left") + np.searchsorted(ordered, owners, "right") - 1) / 2
    return mean_over(lists, rank / (len(owners) - 1) if len(owners) > 1 else np.full(len(owners), 0.5))


def long_tail_share(lists: TopK, train: Dataset, head_share: float = 0.2) -> np.ndarray:
    """Share of a list's items that are not bestsellers: those outside the head_share of items that most users had.

    The head holds at most head_share of the catalogue; items that tie at its edge are in the tail, all of them.

    Parameters
    ----------
    head_share : float, above 0 and below 1
        Share of the catalogue that is called the head.

    Returns
    -------
    (B,) float64 in [0, 1]; NaN for an empty list

    Raises
    ------
    ValueError  for a head_share outside of 0 to 1; for lists see `coverage`

    Source: Abdollahpouri, Burke and Mobasher (2019), "average percentage of long tail items", with the head as a share
    of the items; that ties are in the tail: ours.
    """
    if not 0 < head_share < 1:
        raise ValueError(f"head_share must be above 0 and below 1, got {head_share}")
    owners = owners_of(train)
    at_least_as_popular = len(owners) - np.searchsorted(np.sort(owners), owners, "left")
    return mean_over(lists, at_least_as_popular > head_share * len(owners) + 1e-9)  # 0.29 * 100 is 28.999999999999996


def one_hot(labels) -> csr_matrix:
    """Labels as vectors, for `intra_list_diversity`: csr (I, distinct labels), an empty row where the label is missing.

    Parameters
    ----------
    labels : (I,), e.g. `train.catalog["category"]`; None and NaN are missing
    """
    codes, names = pd.factorize(np.asarray(labels, dtype=object))
    rows = np.flatnonzero(codes >= 0)
    return csr_matrix((np.ones(len(rows)), (rows, codes[rows])), (len(codes), max(len(names), 1)))


# ------------------------------------------------------------------------------------------- bound, to be compared by
@dataclass(frozen=True, eq=False)
class Coverage:
    """`coverage` of a catalogue of n_items."""

    n_items: int
    label: str = "coverage"

    def __call__(self, lists: TopK) -> float:
        """One number for all lists."""
        return coverage(lists, self.n_items)


@dataclass(frozen=True, eq=False)
class Gini:
    """`gini` of the exposure in a catalogue of n_items."""

    n_items: int
    label: str = "gini"

    def __call__(self, lists: TopK) -> float:
        """One number for all lists."""
        return gini(lists, self.n_items)


@dataclass(frozen=True, eq=False)
class Diversity:
    """`intra_list_diversity` by these vectors (I, D); give two of them two labels."""

    vectors: np.ndarray | csr_matrix
    label: str = "diversity"

    def __call__(self, lists: TopK) -> np.ndarray:
        """(B,), one number per user."""
        return intra_list_diversity(lists, self.vectors)


@dataclass(frozen=True, eq=False)
class NewcomerShare:
    """`newcomer_share` of the items flagged in is_new (I,)."""

    is_new: np.ndarray
    label: str = "newcomer_share"

    def __call__(self, lists: TopK) -> np.ndarray:
        """(B,), one number per user."""
        return newcomer_share(lists, self.is_new)


@dataclass(frozen=True, eq=False)
class Novelty:
    """`novelty`, in bits, to the users of `train`."""

    train: Dataset
    label: str = "novelty"

    def __call__(self, lists: TopK) -> np.ndarray:
        """(B,), one number per user."""
        return novelty(lists, self.train)


@dataclass(frozen=True, eq=False)
class PopularityPercentile:
    """`popularity_percentile` among the items of `train`."""

    train: Dataset
    label: str = "popularity_percentile"

    def __call__(self, lists: TopK) -> np.ndarray:
        """(B,), one number per user."""
        return popularity_percentile(lists, self.train)


@dataclass(frozen=True, eq=False)
class LongTailShare:
    """`long_tail_share` behind the bestsellers of `train`."""

    train: Dataset
    head_share: float = 0.2
    label: str = "long_tail_share"

    def __call__(self, lists: TopK) -> np.ndarray:
        """(B,), one number per user."""
        return long_tail_share(lists, self.train, self.head_share)


# ------------------------------------------------------------------------------------------------------------- pieces
def _unit(vectors):
    """Rows divided by their length, float64, and which of them can be: neither zero nor with a NaN (I,) bool."""
    vectors = csr_matrix(vectors, dtype=np.float64) if issparse(vectors) else np.asarray(vectors, np.float64)
    lengths = np.sqrt(_squared_lengths(vectors))
    known = lengths > 0  # False for NaN
    if np.isinf(lengths).any():
        raise ValueError(f"vectors must be finite, or NaN where not known; {np.isinf(lengths).sum()} rows are infinite")
    scale = np.divide(1, lengths, out=np.zeros(len(lengths)), where=known)
    return (csr_matrix(diags_array(scale) @ vectors) if issparse(vectors) else vectors * scale[:, None]), known


def _squared_lengths(vectors):
    if issparse(vectors):
        return np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    return np.einsum("id,id->i", vectors, vectors)
