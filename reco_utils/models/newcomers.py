"""New items: factors borrowed from similar items, and a bonus that fades.

A factor model knows an item by the people who took it. On its first day nobody did, so the model has no opinion, nobody
is shown it, nobody takes it, and there is no second day. Two things break the circle: the words of a new item say which
older ones it resembles, and for a week its scores are a little higher than earned.

Letters: U users, I items, B requests, D factors, N newcomers, n parents.
"""

import copy
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from reco_utils.core import Dataset, Recommender, UserBatch
from reco_utils.models.content import ContentRecommender
from reco_utils.models.fitted import FrozenRecommender, check_fitted
from reco_utils.models.ials import IALSRecommender
from reco_utils.models.scales import minmax
from reco_utils.models.similar import SimilarRows


def freshness(catalog: pd.DataFrame, asof: pd.Timestamp, fade_days: float, *, column: str = "created_at") -> np.ndarray:
    """max(0, 1 - age in days / fade_days): 1 for an item that has just come in, 0 from `fade_days` on.

    Parameters
    ----------
    catalog : DataFrame, I rows
        Without the column, nothing is new.
    asof : Timestamp
        When the age is taken.
    fade_days : float, days

    Returns
    -------
    (I,) float64 in [0, 1]; 0 where the age is unknown
    """
    if column not in catalog:
        return np.zeros(len(catalog))
    age = (asof - pd.to_datetime(catalog[column], errors="coerce")) / pd.Timedelta(days=1)
    return np.nan_to_num(np.clip(1 - age.to_numpy(float) / fade_days, 0, 1), nan=0.0)


@dataclass
class NewcomersRecommender:
    """A factor model that also has an opinion on items nobody had yet, and favours what came in this week.

    Two clocks run from the day in `created_column`, and stand at 0 where it is unknown:

        youth = max(0, 1 - age in days / young_days),    freshness = max(0, 1 - age in days / fade_days)

    A newcomer is an item that nobody has, or a young one that fewer than `min_users` users have. Its factors are a mean
    of those of its parents, the `n_similar` most similar items (cosine of their words) that are no newcomers:

        y = mean * (parents' mean length / length of mean) ** youth,
        mean = sum_p share_p y_p,    share_p = exp(cosine_p / temperature) / sum of the same over all parents

    Arrows that point different ways shorten each other when they are added, and a short y means low scores for all.
    On its first day an item gets the full length of its parents; if nobody wants it later, the doubt may stay.

    Each request's scores s are then brought to 0 to 1 (`scales.minmax`) and become

        s * (1 + bonus * freshness)

    which never lowers anything, and leaves the worst where it is. Items without history and without a word in common
    with others stay without opinion, as do users whose history the factor model cannot use.

    Parameters
    ----------
    model : FactorRecommender
    content : model with `vectors_`, csr (I, V), non-negative
        What items are compared by. `fit` fits copies of both; a `FrozenRecommender` is taken as it is.
    n_similar : int, items
    temperature : float, above 0
        Small: the most similar item alone decides. Large: all parents count the same.
    bonus : float, 0 or more
        What an item gains on its first day: the price of getting to know it. 0.1 to 0.2 is usual.
    fade_days : float, days, above 0
        How long the bonus lasts.
    young_days : float, days, above 0
        How long a newcomer has the benefit of the doubt: in its length, and while it has few users.
    min_users : int, at least 1
        From so many users on a young item stands on its own factors. 1: only items that nobody has inherit.
    created_column : str

    Attributes
    ----------
    item_factors_ : (I, D) float64, inherited ones included, NaN where there is no opinion
    newcomers_ : (N,) positions; parents_ (N, n) positions, -1 pads; shares_ (N, n) float64, 0 pads
    freshness_ : (I,) float64

    Source: ours; the mean over similar items is the first of the maps from content to factors that Gantner et al.
    (2010), "Learning attribute-to-feature mappings for cold-start recommendations", compare.
    """

    model: Recommender = field(default_factory=IALSRecommender)
    content: Recommender = field(default_factory=ContentRecommender)
    n_similar: int = 20
    temperature: float = 0.1
    bonus: float = 0.15
    fade_days: float = 7.0
    young_days: float = 30.0
    min_users: int = 20
    created_column: str = "created_at"

    def __post_init__(self):
        for name in ("n_similar", "min_users"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        for name in ("temperature", "fade_days", "young_days"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be a finite number above 0, got {getattr(self, name)}")
        if not 0 <= self.bonus < np.inf:
            raise ValueError(f"bonus must be a finite number of at least 0, got {self.bonus}")

    def fit(self, data: Dataset) -> "NewcomersRecommender":
        """Fit copies of both models and let every newcomer inherit.

        Raises
        ------
        TypeError  when `model` has no factors or `content` no vectors
        """
        model, content = copy.deepcopy(self.model).fit(data), copy.deepcopy(self.content).fit(data)
        for part, name in ((model, "item_factors_"), (content, "vectors_")):
            if not hasattr(part, name):
                raise TypeError(f"{_name(part)} has no {name}; newcomers need item factors and content vectors")
        factors, users = model.item_factors_.copy(), data.weights.getnnz(axis=0)
        fresh, youth = (
            freshness(data.catalog, data.asof, days, column=self.created_column)
            for days in (self.fade_days, self.young_days)
        )
        few = np.isnan(factors[:, 0]) | ((users < self.min_users) & (youth > 0))
        newcomers, settled = np.flatnonzero(few), np.flatnonzero(~few)
        parents, shares = self._parents(content.vectors_, newcomers, settled)
        for item, who, share in zip(newcomers, parents, shares):
            if who[0] >= 0:
                factors[item] = inherit(factors[who[who >= 0]], share[who >= 0], youth[item])
        heir = copy.copy(model.model if isinstance(model, FrozenRecommender) else model)
        heir.item_factors_ = factors
        if hasattr(heir, "histories_"):  # users whose history holds a newcomer are no longer what they were
            heir._remember(data.weights)
        self.heir_, self.item_factors_, self.freshness_ = heir, factors, fresh
        self.newcomers_, self.parents_, self.shares_ = newcomers, parents, shares
        self.n_items_ = len(data.items)
        return self

    def _parents(self, vectors, newcomers, settled):
        """Positions of each newcomer's most similar settled items (N, n), -1 pads, and their shares (N, n)."""
        near = SimilarRows(vectors[settled], "cosine")
        found, cosines = near.nearest(vectors[newcomers], self.n_similar, me=np.full(len(newcomers), -1))
        real = found >= 0
        shares = np.where(real, np.exp((cosines - cosines[:, :1]) / self.temperature), 0.0)  # the first is the largest
        total = shares.sum(axis=1, keepdims=True)
        shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
        parents = np.where(real, settled[found], -1) if len(settled) else found
        return parents.astype(np.int32), shares

    def score(self, batch: UserBatch) -> np.ndarray:
        """Scores (B, I) float32, 0 to 1 and a bonus on top; NaN for items and users without opinion."""
        check_fitted(self, batch)
        return minmax(self.heir_.score(batch)) * (1 + self.bonus * self.freshness_).astype(np.float32)

    def similar_items(self, items, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k items whose factors point most nearly the same way, newcomers among them; see `FactorRecommender`."""
        check_fitted(self)
        return self.heir_.similar_items(items, k)


def inherit(parents: np.ndarray, shares: np.ndarray, youth: float) -> np.ndarray:
    """mean * (parents' mean length / length of mean) ** youth, both means weighted by `shares`.

    Parameters
    ----------
    parents : (n, D) factors
    shares : (n,), adding up to 1
    youth : float in [0, 1]
        1: as long as the parents are on average; 0: the plain mean.

    Returns
    -------
    (D,) float64
    """
    mean, usual = shares @ parents, shares @ np.linalg.norm(parents, axis=1)
    length = np.linalg.norm(mean)
    return mean * (usual / length) ** youth if length > 0 else mean


def _name(part):
    return type(part.model if isinstance(part, FrozenRecommender) else part).__name__
