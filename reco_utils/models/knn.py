"""Nearest neighbours: people like you (user-kNN) and things that go together (item-kNN).

Letters: U users, I items, B requests, n neighbours.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, UserBatch, check_k, take_rows
from reco_utils.models.fitted import check_fitted, check_positions
from reco_utils.models.similar import SIMILARITIES, WEIGHTINGS, SimilarRows, Weighting, frozen, read_only, weighted_sum

DAY = np.timedelta64(1, "D")
VOTES = ("weight", "log")


def _check_options(model, similarities):
    """Refuse hyperparameters that mean nothing."""
    for name in ("n_neighbors", "min_overlap"):
        value = getattr(model, name)
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    for name, allowed in (("similarity", similarities), ("weighting", WEIGHTINGS)):
        if getattr(model, name) not in allowed:
            raise ValueError(f"{name} must be one of {list(allowed)}, got {getattr(model, name)!r}")
    if not model.shrinkage >= 0:
        raise ValueError(f"shrinkage must be 0 or more, got {model.shrinkage}")


@dataclass
class UserKNNRecommender:
    """What the most similar users took: score = sum over neighbours of similarity * the neighbour's vote.

    The sum is not divided by the similarities: that form predicts ratings, and in a ranking it lets one distant
    neighbour's favourite beat what ten close ones share. Nobody is their own neighbour. The history of the request is
    compared, so strangers with a live session have neighbours too; without any history there is no opinion.

    The defaults were chosen on the validation parts of four datasets (NDCG@10, against the plain cosine with
    weighting="none", shrinkage=0, votes="weight"): shop .071 to .066, online-retail .057 to .056,
    movielens-latest-small .047 to .044, retailrocket .014 to .012. More neighbours (100 to 200) are a little better on
    the shop, and worse on ratings.

    Parameters
    ----------
    n_neighbors : int
        More neighbours reach more items and smooth out taste; 20 to 200 is usual.
    similarity : {"cosine", "jaccard"}
        Jaccard looks only at which items are shared, not at the weights.
    weighting : {"none", "tfidf", "bm25"}
        What an entry counts in the cosine, see `Weighting`: the last two make shared rare items say more. Jaccard takes
        no notice of it.
    min_overlap : int, items
        Users who share fewer items are not similar at all.
    shrinkage : float, items
        Multiplies by shared / (shared + shrinkage): 0 trusts one shared item as much as fifty.
    votes : {"weight", "log"}
        What a neighbour's interaction adds to the sum: its weight, or ln(1 + weight), so that fifty purchases of one
        neighbour do not outvote a few of each of ten.

    Source: Herlocker et al. (1999) for the neighbourhood; Cremonesi, Koren and Turrin (2010) for the sum.
    """

    n_neighbors: int = 50
    similarity: str = "cosine"
    weighting: str = "bm25"
    min_overlap: int = 1
    shrinkage: float = 1.0
    votes: str = "log"

    def __post_init__(self):
        _check_options(self, ("cosine", "jaccard"))
        if self.votes not in VOTES:
            raise ValueError(f"votes must be one of {list(VOTES)}, got {self.votes!r}")

    def fit(self, data: Dataset) -> "UserKNNRecommender":
        """Turn the matrix so that it can be read by item; similarities wait until somebody asks."""
        weighting = Weighting.learn(self.weighting, data.weights)
        options = {"min_overlap": self.min_overlap, "shrinkage": self.shrinkage}
        similar = SimilarRows(weighting(data.weights), self.similarity, **options)
        votes = frozen(data.weights)
        votes = (*votes[:2], read_only(np.log1p(votes[2]), np.float32)) if self.votes == "log" else votes
        self.weighting_, self.similar_, self.votes_, self.n_items_ = weighting, similar, votes, len(data.items)
        return self

    def neighbors(self, batch: UserBatch) -> tuple[np.ndarray, np.ndarray]:
        """The most similar users of every request, best first.

        Returns
        -------
        positions (B, n) int32, -1 pads; similarities (B, n) float32 > 0, NaN pads
        """
        check_fitted(self, batch)
        return self.similar_.nearest(self.weighting_(batch.history), self.n_neighbors, me=batch.at)

    def forget(self, rows) -> None:
        """Empty the rows of the users at these positions: they are nobody's neighbours any more."""
        indptr, items, values = self.votes_
        votes = csr_matrix((values, items.view(np.int32), indptr), (len(indptr) - 1, self.n_items_))
        at = np.arange(votes.shape[0])
        at[rows] = -1
        self.similar_, self.votes_ = self.similar_.without(rows), frozen(take_rows(votes, at)[0])

    def score(self, batch: UserBatch) -> np.ndarray:
        """Scores (B, I) float32; NaN for items that no neighbour has."""
        found, similarities = self.neighbors(batch)
        ends = np.arange(len(found) + 1) * self.n_neighbors
        return weighted_sum(ends, found.ravel(), similarities.ravel(), self.votes_, self.n_items_)


@dataclass
class ItemKNNRecommender:
    """What goes with what you have: score of j = sum over your items i of weight of i * similarity(j, i).

    Only the `n_neighbors` items most similar to j take part. Also answers "frequently bought together" for one item,
    see `similar_items`.

    The defaults were chosen on the validation parts of four datasets (NDCG@10, against the plain cosine with 50
    neighbours, weighting="none", shrinkage=0, no half-life): shop .061 to .045, online-retail .062 to .049,
    movielens-latest-small .058 to .046, retailrocket .011 to .007. A shorter half-life gains on ratings and loses on
    the shop; halving by rank of recency instead of by days was no better.

    Parameters
    ----------
    n_neighbors : int
        Similar items kept per item.
    similarity : {"cosine", "jaccard", "lift"}
        Cosine favours popular companions a little, lift (P(ij) / (P(i) P(j))) strongly favours rare ones: give lift a
        `min_overlap` of 5 or more.
    weighting : {"none", "tfidf", "bm25"}
        What an entry counts in the cosine, see `Weighting`; here a user with a long history says less. The other
        similarities take no notice of it.
    min_overlap : int, users
        Items that fewer users have in common are not similar at all.
    shrinkage : float, users
        Multiplies by common / (common + shrinkage): a likeness that rests on few users is trusted less.
    half_life_days : float, days, optional
        At scoring, an item of the history loses half its weight per half-life that it is older than the newest one, so
        that recent ones lead. (Counted from `asof`, the lists would be the same, but those of people who have been away
        for long would be lost in rounding.)

    Source: Deshpande and Karypis (2004); the lift of Brin et al. (1997), there called interest.
    """

    n_neighbors: int = 100
    similarity: str = "cosine"
    weighting: str = "bm25"
    min_overlap: int = 1
    shrinkage: float = 10.0
    half_life_days: float | None = 180.0

    def __post_init__(self):
        _check_options(self, SIMILARITIES)
        if self.half_life_days is not None and not self.half_life_days > 0:
            raise ValueError(f"half_life_days must be above 0, or None for no decay, got {self.half_life_days}")

    def fit(self, data: Dataset) -> "ItemKNNRecommender":
        """Find the most similar items of every item."""
        users, n_items = data.weights.T.tocsr(), len(data.items)  # one row per item: who has it
        users = Weighting.learn(self.weighting, users)(users)
        options = {"min_overlap": self.min_overlap, "shrinkage": self.shrinkage}
        similar = SimilarRows(users, self.similarity, **options)
        found, similarities = similar.nearest(users, self.n_neighbors, me=np.arange(n_items))
        row, _ = np.nonzero(found >= 0)
        entries = (similarities[found >= 0], (found[found >= 0], row))  # row i: whose neighbour i is
        neighbors = frozen(csr_matrix(entries, (n_items, n_items)))
        self.users_, self.similar_, self.neighbors_, self.n_items_ = users, similar, neighbors, n_items
        return self

    def forget(self, rows) -> None:
        """Drop who had what of the users at these positions, for `similar_items`; the neighbours of `score` stay."""
        kept = ~np.isin(self.users_.indices, rows)
        ends = np.concatenate([[0], np.cumsum(kept)])[self.users_.indptr]
        users = csr_matrix((self.users_.data[kept], self.users_.indices[kept], ends), self.users_.shape)
        options = {"min_overlap": self.min_overlap, "shrinkage": self.shrinkage}
        self.users_, self.similar_ = users, SimilarRows(users, self.similarity, **options)

    def score(self, batch: UserBatch) -> np.ndarray:
        """Scores (B, I) float32; NaN for items with no neighbour in the history."""
        check_fitted(self, batch)
        history, values = batch.history, batch.history.data
        if self.half_life_days is not None:
            values = values * 0.5 ** (age_days(batch) / self.half_life_days)
        return weighted_sum(history.indptr, history.indices, values, self.neighbors_, self.n_items_)

    def similar_items(self, items, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k items most similar to each of `items` ("frequently bought together"), never the item itself.

        Parameters
        ----------
        items : (n,) positions; `data.positions(ids)` gives them
        k : int
            May exceed `n_neighbors` and the catalogue.

        Returns
        -------
        positions (n, k) int32, -1 pads; similarities (n, k) float32 > 0, NaN pads

        Raises
        ------
        IndexError  when a position is outside the catalogue
        """
        check_fitted(self)
        items = check_positions(items, self.n_items_)
        return self.similar_.nearest(self.users_[items], check_k(k), me=items)


def age_days(batch: UserBatch) -> np.ndarray:
    """Days between each entry of the histories and the newest one of the same request, (nnz,)."""
    filled = np.diff(batch.history.indptr)
    filled = filled[filled > 0]
    newest = np.maximum.reduceat(batch.last, np.cumsum(filled) - filled) if len(filled) else batch.last
    return (np.repeat(newest, filled) - batch.last) / DAY
