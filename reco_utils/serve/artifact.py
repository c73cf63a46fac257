"""What the service runs on: a fitted pipeline with all that belongs to it, in versions side by side on disk.

    artifact = train(tables)
    version = save(artifact, home)
    publish(home, version)                  # or publish(home, version, canary=0.05), or rollback(home)
    artifact = load(home)                   # the published one

Nothing is ever half there: a version is a folder that appears under its name when it is complete, and which of them is
served is one small file that is replaced in one step. Files are data, not code, see `plain`.

Letters: U users, I items, C candidates per user.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from reco_utils.core import Dataset, Pipeline, Recommender, Reranker, Tables, TopK
from reco_utils.models.search import CatalogSearch
from reco_utils.serve.plain import ArtifactError

__all__ = [
    "Artifact", "ArtifactError", "Manifest", "Published", "check", "forget_user", "load", "prune", "publish",
    "published", "rollback", "save", "train", "versions",
]  # fmt: skip


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
    score_quantiles : (101,) float32
        Percentiles of the scores in the first ten places of all candidates: what the monitor compares with.
    keep_seen : bool
        May lists repeat what a user has? As the dataset's defaults say.
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
    score_quantiles: np.ndarray
    keep_seen: bool
    manifest: Manifest

    def forget(self, user_ids: Sequence[str]) -> "Artifact":
        """A copy without anything about these users, which shares with this one all that is not theirs.

        The seat of a user stays, empty and nameless, so that all positions hold. Everybody else's lists are bit for bit
        what they were, unless the model compares users with each other (user-kNN).
        """
        raise NotImplementedError

    def knows(self, user_id: str) -> bool:
        """Is this user one of those it was fitted on?"""
        return user_id in self.data.users


@dataclass(frozen=True)
class Published:
    """Which versions are served.

    Parameters
    ----------
    version : str or None
        Served to everybody but the canary's share; None when nothing was ever published.
    canary_version : str or None
    canary_share : float from 0 to 1
        Share of the users that get the canary.
    previous : str or None
        What `rollback` would go back to.
    history : tuple of str
        The stable versions before this one, the oldest first.
    """

    version: str | None = None
    canary_version: str | None = None
    canary_share: float = 0.0
    history: tuple[str, ...] = ()

    @property
    def previous(self) -> str | None:
        """What `rollback` would go back to."""
        return self.history[-1] if self.history else None


# ---------------------------------------------------------------------------------------------------------------- train
def train(
    tables: Tables,
    *,
    asof=None,
    model: Recommender | None = None,
    rerankers: Sequence[Reranker] | Callable[[Dataset], Sequence[Reranker]] | None = None,
    n_candidates: int = 100,
    measure: bool = True,
    previous: Artifact | None = None,
    clock: Callable[[], float] = time.time,
) -> Artifact:
    """Fit a pipeline and all the service needs beside it; measured on the test split, then fitted on everything.

    Parameters
    ----------
    asof : time, optional
        Events later than this are left out. Default: the last event.
    model : Recommender, optional
        Default: `CascadeRecommender()`, which has an answer for strangers too. A copy is fitted.
    rerankers : sequence, or a function of the Dataset, optional
        Default: `MMR(vectors of the content model, lam=0.7)`: words know every item, the one that came in today too,
        and two things that read alike look like a repetition on the page, whoever bought them.
    n_candidates : int
        How many are cut for the rerankers, and for every user in advance.
    measure : bool
        False saves the fit on the training part.
    previous : Artifact, optional
        Its content model and search are taken over where the catalogue is the same.
    clock : function
        Seconds since 1970; gives `trained_at`.
    """
    raise NotImplementedError


def check(artifact: Artifact, against: Artifact | None = None) -> list[str]:
    """Reasons not to publish an artifact, one sentence each; empty when there are none.

    Parameters
    ----------
    against : Artifact, optional
        What is served now: NDCG@10 and coverage must not fall by more than a tenth, nor users and items by a half.
    """
    raise NotImplementedError


# ---------------------------------------------------------------------------------------------------------------- store
def save(artifact: Artifact, home: Path | str) -> str:
    """Store an artifact as a new version, in one step; the name of the version.

    When it fails, or the process is killed, nothing of it is to be seen. Whoever was forgotten since the training began
    is forgotten in what is saved.

    Raises
    ------
    OSError  when the disk is full, say
    TypeError  for a part that cannot be stored, see `plain.write`
    """
    raise NotImplementedError


def load(home: Path | str, version: str | None = None, *, mmap: bool = True) -> Artifact:
    """A stored artifact, every file compared with its sha256.

    Parameters
    ----------
    version : str, optional
        Default: the published one; the newest if nothing was ever published.
    mmap : bool
        See `plain.read`.

    Raises
    ------
    ArtifactError  for a version that is not there, or that was cut short, altered or made by newer code
    """
    raise NotImplementedError


def versions(home: Path | str) -> pd.DataFrame:
    """What is stored, the newest first: version, trained_at, asof, n_users, n_items, bytes, status and metrics.

    `status` is "stable", "canary", "previous", "" or why the manifest cannot be read.
    """
    raise NotImplementedError


def publish(home: Path | str, version: str, *, canary: float | None = None) -> Published:
    """Serve a version from now on: to everybody, or as a canary to a share of the users.

    The version is read and compared with its checksums first. Publishing to everybody ends a canary.

    Parameters
    ----------
    canary : float above 0 and below 1, optional
        Share of the users; who they are depends on the version too, so that not always the same are tried on.

    Raises
    ------
    ArtifactError  for a version that is not there or cannot be read, or a canary beside nothing
    ValueError  for a share that is none
    """
    raise NotImplementedError


def rollback(home: Path | str) -> Published:
    """End the canary if there is one, otherwise serve the version before this one again.

    Raises
    ------
    ArtifactError  when there is nothing to go back to
    """
    raise NotImplementedError


def published(home: Path | str) -> Published:
    """Which versions are served; `Published()` when nothing was ever published."""
    raise NotImplementedError


def prune(home: Path | str, keep: int = 3) -> list[str]:
    """Remove all but the `keep` newest versions and those that are served or would be rolled back to; their names.

    What crashed savings left behind goes too.
    """
    raise NotImplementedError


def forget_user(home: Path | str, user_id: str) -> Mapping[str, dict[str, int]]:
    """Rewrite every version without a user: version to what was removed from it, e.g. {"weights": 12, "lists": 1}.

    A version is replaced in one step. The old files are deleted; processes that have them mapped must forget on their
    own (`Live.forget`). A version whose training had begun before and is saved later is cleaned on its way in.
    """
    raise NotImplementedError
