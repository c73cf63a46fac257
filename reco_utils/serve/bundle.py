"""What is trained, stored and served as one: a fitted pipeline and all that belongs to it.

Letters: U users, I items, C candidates per user, nnz entries of the histories.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

import numpy as np
import pandas as pd

from reco_utils.core import USER, Dataset, Pipeline, TopK
from reco_utils.data import privacy
from reco_utils.models.search import CatalogSearch
from reco_utils.serve.graph import parts, rebuilt


@dataclass(frozen=True)
class Manifest:
    """What a version is made of and how good it was.

    Parameters
    ----------
    version : str
        Its name on disk, "" before it is saved.
    trained_at : str
        When the training began, ISO 8601 in UTC.
    data_hash : str
        sha256 of the Dataset: the same data, the same hash.
    asof : str
        The last instant the data knows of, ISO 8601.
    n_users, n_items : int
    models : dict
        What was fitted: name of the part to its description.
    versions : dict of package to version
    metrics : dict
        Label to value on the test split, empty if not measured.
    format : int
    files : dict of name to sha256
    """

    version: str
    trained_at: str
    data_hash: str
    asof: str
    n_users: int
    n_items: int
    models: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    metrics: dict = field(default_factory=dict)
    format: int = 1
    files: dict = field(default_factory=dict)

    @property
    def began(self) -> float:
        """`trained_at` in seconds since 1970."""
        return datetime.fromisoformat(self.trained_at).timestamp()


@dataclass(frozen=True, eq=False)
class Artifact:
    """Everything a request needs, fitted at one instant; nothing in it is ever changed.

    Parameters
    ----------
    pipeline : Pipeline
        The fitted model and its rerankers.
    data : Dataset
        What it was fitted on.
    search : CatalogSearch or None
        None where the catalogue has no text.
    similar : model with `similar_items(positions, k)`
    candidates : TopK (U, C)
        The best candidates of every known user, in the order of `data.users`: cut from the model before any reranker
        and without any rule but "not seen". Note "step", if the model has steps.
    popular : (I,) int32
        All positions, the most popular first.
    features : DataFrame, U rows in the order of `data.users`
        The batch features of `data.features`.
    embeddings : (U, 64) float32
        The user factors, NaN for users without history.
    deeds : (nnz,) int8
        For each entry of `data.weights` what the user did with the item, a position in `deeds.DEEDS`, -1 unknown.
    score_quantiles : (101,) float32
        Percentiles of the scores in the first ten places of all candidates: what the monitor compares with.
    keep_seen : bool
        May lists repeat what a user has? As the dataset's defaults say.
    positive_from : float or None
        A rating below this is no sign of taste. As the dataset's defaults say.
    manifest : Manifest
    """

    pipeline: Pipeline
    data: Dataset
    search: CatalogSearch | None
    similar: object
    candidates: TopK
    popular: np.ndarray
    features: pd.DataFrame
    embeddings: np.ndarray
    deeds: np.ndarray
    score_quantiles: np.ndarray
    keep_seen: bool
    positive_from: float | None
    manifest: Manifest

    def forget(self, user_ids: Sequence[str]) -> "Artifact":
        """A copy without anything about these users, which shares with this one all that is not theirs.

        The seat of a user stays, empty and nameless, so that all positions hold. Everybody else's lists are bit for bit
        what they were, unless the model compares users with each other (user-kNN).
        """
        rows = privacy.seats(self.data.users, user_ids)
        if not len(rows):
            return self
        data = privacy.forget(self.data, user_ids)

        def change(value):
            if value is self.data:
                return data
            return _without_lists(value, user_ids, data.users) if isinstance(value, TopK) else value

        def touch(clone):
            forget = getattr(type(clone), "forget", None)
            return forget is not None and (forget(clone, rows), True)[1]

        changed = rebuilt(contents(self), change, touch)
        features = privacy.emptied(self.features, rows)
        if USER in features:
            features[USER] = pd.Series(data.users.to_numpy(), features.index, dtype=self.features[USER].dtype)
        features.attrs.update(self.features.attrs)
        embeddings = self.embeddings.copy()
        embeddings[rows] = np.nan
        changed |= {"features": features, "embeddings": embeddings, "deeds": self.deeds[self._stays(rows)]}
        return Artifact(**changed, manifest=self.manifest)

    def _stays(self, rows) -> np.ndarray:
        """Which entries of the histories are of other users than these (nnz,) bool."""
        gone = np.zeros(len(self.data.users), bool)
        gone[rows] = True
        return ~np.repeat(gone, np.diff(self.data.weights.indptr))

    def knows(self, user_id: str) -> bool:
        """Is this user one of those it was fitted on?"""
        return user_id in self.data.users


def contents(artifact) -> dict:
    """All fields but the manifest, which has a file of its own."""
    return {f.name: getattr(artifact, f.name) for f in fields(Artifact) if f.name != "manifest"}


def traces(artifact, user_id) -> dict[str, int]:
    """What an artifact knows of a user, counted."""
    if not artifact.knows(user_id):
        return {}
    row = int(artifact.data.users.get_loc(user_id))
    models = sum(hasattr(type(part), "forget") for part in parts(artifact.pipeline))
    return {
        "weights": int(np.diff(artifact.data.weights.indptr[row : row + 2])[0]),
        "seen": int(np.diff(artifact.data.seen.indptr[row : row + 2])[0]),
        "profiles": 1,
        "features": 1,
        "embeddings": int(not np.isnan(artifact.embeddings[row, 0])),
        "models": models,
        "candidates": int((artifact.candidates.items[row] >= 0).sum()),
    }


def _without_lists(lists, user_ids, users) -> TopK:
    """The lists of these users emptied, and their names replaced."""
    rows = privacy.seats(lists.users, user_ids)
    if not len(rows):
        return lists
    order = np.tile(np.arange(lists.k), (len(lists), 1))
    order[rows] = -1
    emptied = lists.take(order)
    users = users if len(users) == len(lists) else privacy.renamed(lists.users, rows)
    return TopK(users, emptied.items, emptied.scores, emptied.notes)
