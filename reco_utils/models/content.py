"""Recommend what reads like the things you took: cosine between a profile of words and the words of every item.

Needs no other user, so it has an opinion on an item that was added this morning; sees nothing that is not written down.

Letters: B requests, I items, V words.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, UserBatch, check_k
from reco_utils.models.fitted import check_fitted, check_positions
from reco_utils.models.knn import age_days
from reco_utils.models.similar import SimilarRows, frozen, weighted_sum
from reco_utils.models.tfidf import TfidfVectors, unit_rows

DAMPINGS = {"none": lambda w: w, "log": np.log1p, "one": np.ones_like}


@dataclass
class ContentRecommender:
    """Score = cosine between a user's profile and an item's words; profile = mean of the vectors of the history.

    The mean is weighted by the strength of each interaction, damped, and by its age. Every item with a word in common
    has a score above 0, sold or not; without a common word, a history or a text there is no opinion.

    Parameters
    ----------
    tfidf : TfidfVectors
        How words become vectors: fields and their weights, pairs of words.
    damping : {"none", "log", "one"}
        What a strength w counts in the profile: w, ln(1 + w), or 1. Damped, what was bought ten times does not drown
        the rest; at 1, a single view counts as much as a purchase, which was clearly worse on the built-in shop.
    half_life_days : float, days, optional
        An item of the history loses half its weight per half-life of age, beyond the decay in the weights themselves.
        Ages are counted from the newest item of the history, since the profile has length 1 in any case.

    Attributes
    ----------
    vectors_ : csr (I, V) float32, rows of length 1, or empty
    words_ : (V,) object, names of the columns

    Source: Pazzani and Billsus (2007), "Content-based recommendation systems", for the profile.
    """

    tfidf: TfidfVectors = field(default_factory=TfidfVectors)
    damping: str = "log"
    half_life_days: float | None = 90.0

    def __post_init__(self):
        if self.damping not in DAMPINGS:
            raise ValueError(f"damping must be one of {list(DAMPINGS)}, got {self.damping!r}")
        if self.half_life_days is not None and not self.half_life_days > 0:
            raise ValueError(f"half_life_days must be above 0, or None for no decay, got {self.half_life_days}")

    def fit(self, data: Dataset) -> "ContentRecommender":
        """Make a vector of every item of the catalogue, which is only read."""
        tfidf = replace(self.tfidf)
        vectors = tfidf.fit_transform(data.catalog)
        by_word, similar = frozen(vectors.tocsc()), SimilarRows(vectors, "cosine")
        self.tfidf_, self.vectors_, self.words_ = tfidf, vectors, tfidf.words_
        self.by_word_, self.similar_, self.n_items_ = by_word, similar, len(data.items)
        return self

    def profile(self, batch: UserBatch) -> csr_matrix:
        """What each request likes, in words: csr (B, V) float32, rows of length 1, empty without a known history."""
        check_fitted(self, batch)
        strengths = DAMPINGS[self.damping](batch.history.data.astype(float))
        if self.half_life_days is not None:
            strengths = strengths * 0.5 ** (age_days(batch) / self.half_life_days)
        vectors, columns = self.vectors_, batch.history.indices
        if batch.history.nnz < self.n_items_:  # a product copies all vectors first, in double precision
            used, columns = np.unique(columns, return_inverse=True)
            vectors = vectors[used]
        weighted = csr_matrix((strengths, columns, batch.history.indptr), (len(batch), vectors.shape[0]))
        profile = unit_rows(weighted @ vectors).astype(np.float32)
        profile.sort_indices()
        return profile

    def score(self, batch: UserBatch) -> np.ndarray:
        """Cosines (B, I) float32 above 0; NaN where profile and item have no word in common."""
        profile = self.profile(batch)
        return weighted_sum(profile.indptr, profile.indices, profile.data, self.by_word_, self.n_items_)

    def similar_items(self, items, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k items whose words are most alike (cosine), never the item itself; exact.

        Parameters
        ----------
        items : (n,) positions; `data.positions(ids)` gives them
        k : int
            May exceed the catalogue.

        Returns
        -------
        positions (n, k) int32, -1 pads; cosines (n, k) float32 > 0, NaN pads

        Raises
        ------
        IndexError  when a position is outside the catalogue
        """
        check_fitted(self)
        items = check_positions(items, self.n_items_)
        return self.similar_.nearest(self.vectors_[items], check_k(k), me=items)
