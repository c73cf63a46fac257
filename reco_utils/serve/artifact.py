"""What the service runs on: a fitted pipeline with all that belongs to it, in versions side by side on disk.

    artifact = train(tables)
    version = save(artifact, home)
    publish(home, version)                  # or publish(home, version, canary=0.05), or rollback(home)
    artifact = load(home)                   # the published one

Nothing is ever half there: a version is a folder that appears under its name when it is complete, and which of them is
served is one small file that is replaced in one step. Files are data, not code, see `plain`.

Letters: U users, I items, C candidates per user.
"""

import copy
import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

from reco_utils.core import USER, Dataset, Pipeline, Recommender, Reranker, Tables, TopK, recommend
from reco_utils.data import privacy
from reco_utils.data.build import build_dataset, events_until
from reco_utils.data.features import user_features
from reco_utils.data.split import make_split
from reco_utils.data.weighting import as_instant
from reco_utils.evaluate.accuracy import measure as measured
from reco_utils.evaluate.beyond import coverage
from reco_utils.models.cascade import CascadeRecommender, leaning_bands
from reco_utils.models.content import ContentRecommender
from reco_utils.models.factors import FactorRecommender
from reco_utils.models.fitted import FrozenRecommender
from reco_utils.models.hybrid import HybridRecommender
from reco_utils.models.popularity import PopularityRecommender
from reco_utils.models.search import CatalogSearch
from reco_utils.rerank.mmr import MMR
from reco_utils.serve import plain
from reco_utils.serve.graph import parts, rebuilt
from reco_utils.serve.plain import ArtifactError

try:
    import fcntl
except ImportError:  # Windows: no two processes may publish at once there
    fcntl = None

__all__ = [
    "Artifact", "ArtifactError", "Manifest", "Published", "check", "forget_user", "load", "prune", "publish",
    "published", "rollback", "save", "train", "versions",
]  # fmt: skip

VERSION = re.compile(r"\d{6}-[0-9a-f]{8}")
PUBLISHED, MANIFEST, FORGOTTEN = "published.json", "manifest.json", "forgotten.json"
HALF = (".saving-", ".removed-")  # how folders begin that are no versions yet, or no longer
WIDTH = 64  # of the embeddings
PLACES = 10  # of a list, as metrics and `score_quantiles` see it
MAY_FALL = 0.1  # share of NDCG and coverage that a new version may lose
FORGET_DAYS = 7  # for so long a version may come in whose training began before somebody was forgotten
N_SAMPLE = 200  # users whose lists `check` looks at
MIN_ITEMS = 10
PACKAGES = ("reco-utils", "numpy", "scipy", "pandas", "numba", "implicit")
CATALOG_TEXTS = ("item_id", "title", "category", "subcategory", "brand", "price", "description", "tags")


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

        changed = rebuilt(_contents(self), change, touch)
        features = privacy.emptied(self.features, rows)
        if USER in features:
            features[USER] = pd.Series(data.users.to_numpy(), features.index, dtype=self.features[USER].dtype)
        features.attrs.update(self.features.attrs)
        embeddings = self.embeddings.copy()
        embeddings[rows] = np.nan
        return Artifact(**changed | {"features": features, "embeddings": embeddings}, manifest=self.manifest)

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
        Its content model is taken over where the catalogue is the same, word for word. The search is always made anew:
        it knows what is new and what is popular.
    clock : function
        Seconds since 1970; gives `trained_at`.
    """
    began = _iso(clock())
    if asof is not None:
        tables = replace(tables, events=events_until(tables.events, as_instant(asof)).reset_index(drop=True))
    recipe = partial(_fit, model=model, rerankers=rerankers, n_candidates=n_candidates)
    metrics = _measure(tables, recipe) if measure else {}
    data = build_dataset(tables, asof=asof)
    known = _content_of(previous, data)
    pipeline, content = recipe(data, content=known)
    candidates = _candidates(pipeline.model, data, n_candidates, tables.defaults.keep_seen)
    first = candidates.scores[:, :PLACES]
    quantiles = np.nanquantile(first, np.linspace(0, 1, 101)) if (~np.isnan(first)).any() else np.full(101, np.nan)
    return Artifact(
        pipeline=pipeline,
        data=data,
        search=CatalogSearch().fit(data) if "text" in tables.offers else None,
        similar=content,
        candidates=candidates,
        popular=np.argsort(-data.weights.getnnz(axis=0), kind="stable").astype(np.int32),
        features=user_features(tables, data.asof, users=data.users),
        embeddings=_embeddings(pipeline.model, data),
        score_quantiles=quantiles.astype(np.float32),
        keep_seen=tables.defaults.keep_seen,
        manifest=Manifest(
            version="",
            trained_at=began,
            data_hash=_data_hash(data),
            asof=data.asof.isoformat(),
            n_users=len(data.users),
            n_items=len(data.items),
            models=_described(pipeline, None if known is None else previous.manifest.version),
            versions={name: _package(name) for name in PACKAGES} | {"python": platform.python_version()},
            metrics=metrics,
            format=plain.FORMAT,
        ),
    )


def _fit(data, *, model, rerankers, n_candidates, content=None) -> tuple[Pipeline, ContentRecommender]:
    """A fitted pipeline, and the content model that is in it or beside it."""
    if model is None:
        content = content or ContentRecommender().fit(data)
        personal = HybridRecommender(content=FrozenRecommender(content, data))
        model = CascadeRecommender(partial(leaning_bands, personal=personal))  # the default, its content fitted once
    model = copy.deepcopy(model).fit(data)
    if content is None:
        inside = (part for part in parts(model) if type(part) is ContentRecommender and hasattr(part, "vectors_"))
        content = next(inside, None) or ContentRecommender().fit(data)
    if rerankers is None:
        rerankers = (MMR(content.vectors_),)
    rerankers = rerankers(data) if callable(rerankers) else rerankers
    return Pipeline(model, tuple(rerankers), n_candidates), content


def _content_of(previous, data) -> ContentRecommender | None:
    """The content model of an earlier artifact, if the catalogue is still the same."""
    if previous is None or type(previous.similar) is not ContentRecommender:
        return None
    old, new = (_texts(catalog) for catalog in (previous.data.catalog, data.catalog))
    return previous.similar if old.equals(new) else None


def _texts(catalog):
    return catalog[[name for name in CATALOG_TEXTS if name in catalog]].astype(object)


def _measure(tables, recipe) -> dict[str, float]:
    """How good the pipeline is on the test split, with the popularity everybody must beat."""
    split = make_split(tables)
    pipeline, _ = recipe(split.train)
    lists = pipeline(split.batch, PLACES, keep_seen=split.keep_seen)
    labels = [f"{name}@{PLACES}" for name in ("ndcg", "recall", "hit_rate")]
    floor = recommend(PopularityRecommender().fit(split.train), split.batch, PLACES, keep_seen=split.keep_seen)
    values = measured(lists, split.truth, labels).mean().to_dict()
    values[f"coverage@{PLACES}"] = coverage(lists, len(split.train.items))
    values[f"popularity ndcg@{PLACES}"] = measured(floor, split.truth, labels[:1]).mean().iloc[0]
    values |= {"users": len(split.batch), "cold users": int((split.batch.n_items == 0).sum())}
    return {name: float(value) for name, value in values.items()}


def _candidates(model, data, n, keep_seen) -> TopK:
    """The best candidates of every user, and which step of the model they are from."""
    lists = recommend(model, data.batch(data.users), n, keep_seen=keep_seen)
    notes = {"step": model.steps(lists)} if hasattr(model, "steps") else {}
    return TopK(data.users, lists.items, lists.scores, notes)


def _embeddings(model, data) -> np.ndarray:
    """User factors (U, 64) float32, NaN where there are none; longer ones are cut to the 64 that matter most."""
    found = np.full((len(data.users), WIDTH), np.nan, np.float32)
    fitted = (part for part in parts(model) if isinstance(part, FactorRecommender) and hasattr(part, "item_factors_"))
    factors = next(fitted, None)
    if factors is not None:
        users = factors.vectors(data.batch(data.users))[0][:, -WIDTH:]  # on principal axes, the least important first
        found[:, : users.shape[1]] = users
        found[:, users.shape[1] :] = np.where(np.isnan(users[:, :1]), np.nan, 0)
    return found


def _data_hash(data) -> str:
    """sha256 of everything in a Dataset."""
    digest = hashlib.sha256(data.asof.isoformat().encode())
    for array in (data.weights.data, data.weights.indices, data.weights.indptr, data.last, data.seen.indices):
        digest.update(np.ascontiguousarray(array).view(np.uint8))
    for frame in (data.catalog, data.profiles):
        digest.update(pd.util.hash_pandas_object(frame.astype(object).fillna(""), index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _described(pipeline, taken_from) -> dict:
    model = pipeline.model
    found = {"model": type(model).__name__, "rerankers": [type(r).__name__ for r in pipeline.rerankers]}
    if hasattr(model, "names"):
        found["steps"] = list(model.names)
    return found | {
        "content": "fitted" if taken_from is None else f"taken over from {taken_from or 'another artifact'}"
    }


def _package(name) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"


def _iso(seconds) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


# ---------------------------------------------------------------------------------------------------------------- check
def check(artifact: Artifact, against: Artifact | None = None) -> list[str]:
    """Reasons not to publish an artifact, one sentence each; empty when there are none.

    Parameters
    ----------
    against : Artifact, optional
        What is served now: NDCG@10 and coverage must not fall by more than a tenth, nor users and items by a half.
    """
    reasons = _too_small(artifact) + _odd_candidates(artifact) + _odd_lists(artifact)
    return reasons + _too_bad(artifact.manifest, None if against is None else against.manifest)


def _too_small(artifact):
    data, reasons = artifact.data, []
    if len(data.items) < MIN_ITEMS:
        reasons.append(f"there are {len(data.items)} items, at least {MIN_ITEMS} are needed")
    if not data.weights.nnz:
        reasons.append("nobody has taken anything")
    if not np.array_equal(np.sort(artifact.popular), np.arange(len(data.items))):
        reasons.append("the fallback does not hold every item once")
    return reasons


def _odd_candidates(artifact):
    lists = artifact.candidates
    listed = lists.items >= 0
    reasons = []
    if odd := int((listed & ~np.isfinite(lists.scores)).sum()):
        reasons.append(f"{odd} candidates have no finite score")
    if empty := int((~listed.any(axis=1)).sum()):
        reasons.append(f"{empty} of {len(lists)} users have no candidates")
    if len(lists) != len(artifact.data.users) or lists.items.max(initial=-1) >= len(artifact.data.items):
        reasons.append("the candidates are not those of this data")
    return reasons


def _odd_lists(artifact):
    """What is wrong with the lists of some users and a stranger."""
    data = artifact.data
    some = data.users[np.unique(np.linspace(0, len(data.users) - 1, N_SAMPLE).astype(int))] if len(data.users) else []
    batch = data.batch(pd.Index([*some, f"stranger-{secrets.token_hex(8)}"], dtype=data.users.dtype))
    lists = artifact.pipeline(batch, PLACES, keep_seen=artifact.keep_seen)
    reasons = []
    if empty := int((lists.items < 0).all(axis=1).sum()):
        reasons.append(f"{empty} of {len(lists)} lists that were tried are empty")
    ordered = np.sort(lists.items, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        reasons.append("a list holds an item twice")
    rows, places = np.nonzero(lists.items >= 0)
    if not artifact.keep_seen and len(rows) and np.asarray(batch.seen[rows, lists.items[rows, places]]).any():
        reasons.append("a list holds what its user already has")
    return reasons


def _too_bad(manifest, against):
    """What the metrics say."""
    metrics, reasons = manifest.metrics, []
    ndcg, floor = metrics.get(f"ndcg@{PLACES}"), metrics.get(f"popularity ndcg@{PLACES}")
    if ndcg is not None and not ndcg >= floor:
        reasons.append(f"NDCG@{PLACES} is {ndcg:.4f}, that of popularity {floor:.4f}")
    if against is None:
        return reasons
    for name in (f"ndcg@{PLACES}", f"coverage@{PLACES}"):
        new, old = metrics.get(name), against.metrics.get(name)
        if new is not None and old is not None and not new >= (1 - MAY_FALL) * old:
            reasons.append(f"{name} fell from {old:.4f} to {new:.4f}, by more than a tenth")
    for name in ("n_users", "n_items"):
        new, old = getattr(manifest, name), getattr(against, name)
        if new < old / 2:
            reasons.append(f"{name} fell from {old:,} to {new:,}, by more than a half")
    if manifest.asof < against.asof:
        reasons.append(f"its data ends at {manifest.asof}, before that of what is served ({against.asof})")
    return reasons


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
    home = Path(home)
    home.mkdir(parents=True, exist_ok=True)
    folder = home / f"{HALF[0]}{secrets.token_hex(8)}"
    with _locked(home):
        folder.mkdir()
        busy = _held(folder)
    try:
        while True:
            files = plain.write(_contents(artifact), folder)
            with _locked(home):
                late = _forgotten_since(home, artifact)
                if not late:
                    return _put_in_place(home, folder, artifact.manifest, files)
            artifact = artifact.forget(late)
            _keep_only(folder, ())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _release(busy)


def _put_in_place(home, folder, manifest, files) -> str:
    """Give a complete folder its name."""
    numbers = [int(name[:6]) for name in _names(home)]
    version = f"{max(numbers, default=0) + 1:06d}-{secrets.token_hex(4)}"
    _write_manifest(folder, replace(manifest, version=version, files=files, format=plain.FORMAT))
    plain.sync_folder(folder)
    os.rename(folder, home / version)
    plain.sync_folder(home)
    return version


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
    home = Path(home)
    version = version or published(home).version or next(iter(_names(home)), None)
    if version is None:
        raise ArtifactError(f"there is no version in {home.name}; save one first")
    while True:
        manifest = _read_manifest(home, version)
        try:
            contents = plain.read(home / version, manifest.files, mmap=mmap)
            break
        except ArtifactError:
            if _read_manifest(home, version) == manifest:  # else it was rewritten meanwhile, see `forget_user`
                raise
    wanted = {f.name for f in fields(Artifact)} - {"manifest"}
    if not isinstance(contents, dict) or set(contents) != wanted or not isinstance(contents["pipeline"], Pipeline):
        raise ArtifactError(f"{version} holds something else than an artifact")
    return Artifact(**contents, manifest=manifest)


def versions(home: Path | str) -> pd.DataFrame:
    """What is stored, the newest first: version, trained_at, asof, n_users, n_items, bytes, status and metrics.

    `status` is "stable", "canary", "previous", "" or why the manifest cannot be read.
    """
    home, rows = Path(home), []
    now = published(home)
    roles = {now.previous: "previous", now.canary_version: "canary", now.version: "stable"}
    for name in _names(home):
        row = {"version": name, "bytes": sum(path.stat().st_size for path in (home / name).iterdir())}
        try:
            manifest = _read_manifest(home, name)
        except ArtifactError as error:
            rows.append(row | {"status": str(error)})
            continue
        told = {key: getattr(manifest, key) for key in ("trained_at", "asof", "n_users", "n_items")}
        rows.append(row | told | {"status": roles.get(name, "")} | manifest.metrics)
    columns = ["version", "trained_at", "asof", "n_users", "n_items", "bytes", "status"]
    frame = pd.DataFrame(rows, columns=None if rows else columns)
    return frame.reindex(columns=[*columns, *(name for name in frame if name not in columns)])


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
    if canary is not None and (isinstance(canary, bool) or not 0 < canary < 1):
        raise ValueError(f"canary must be a share of the users above 0 and below 1, got {canary!r}; None is everybody")
    home = Path(home)
    if not isinstance(version, str):
        raise ArtifactError(f"there is no version {version!r}; versions(home) lists them")
    load(home, version)
    with _locked(home):
        _read_manifest(home, version)  # still there?
        now = published(home)
        if canary is None:
            history = tuple(name for name in (*now.history, now.version) if name not in (None, version))
            return _set(home, Published(version, history=history))
        if now.version is None or now.version == version:
            other = "nothing else is served" if now.version else "nothing is served yet"
            raise ArtifactError(f"{version} cannot be a canary, {other}; publish it to everybody")
        return _set(home, replace(now, canary_version=version, canary_share=float(canary)))


def rollback(home: Path | str) -> Published:
    """End the canary if there is one, otherwise serve the version before this one again.

    Raises
    ------
    ArtifactError  when there is nothing to go back to
    """
    home = Path(home)
    if not home.is_dir():
        raise ArtifactError(f"{home.name} is no store: there is no such folder")
    with _locked(home):
        now = published(home)
        if now.canary_version is not None:
            return _set(home, replace(now, canary_version=None, canary_share=0.0))
        before = [name for name in now.history if name in _names(home)]
        if not before:
            raise ArtifactError(f"there is no version before {now.version} to go back to")
        return _set(home, Published(before[-1], history=tuple(before[:-1])))


def published(home: Path | str) -> Published:
    """Which versions are served; `Published()` when nothing was ever published.

    Raises
    ------
    ArtifactError  for a file that makes no sense, or of a newer format
    """
    path = Path(home) / PUBLISHED
    try:
        told = json.loads(path.read_bytes())
        if told["format"] > plain.FORMAT:
            raise ArtifactError(f"{PUBLISHED} has format {told['format']}, this code reads {plain.FORMAT}; update it")
        found = Published(told["version"], told["canary_version"], told["canary_share"], tuple(told["history"]))
    except FileNotFoundError:
        return Published()
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"{PUBLISHED} makes no sense ({error}); delete it and publish again") from None
    for name in (found.version, found.canary_version, *found.history):
        if name is not None and not VERSION.fullmatch(str(name)):
            raise ArtifactError(f"{PUBLISHED} names {name!r}, which is no version; delete it and publish again")
    return found


def prune(home: Path | str, keep: int = 3) -> list[str]:
    """Remove all but the `keep` newest versions and those that are served or would be rolled back to; their names.

    What crashed savings left behind goes too.
    """
    if isinstance(keep, bool) or not keep >= 1:
        raise ValueError(f"keep must be at least 1 version, got {keep!r}")
    home = Path(home)
    with _locked(home):
        now = published(home)
        kept = {*_names(home)[:keep], now.version, now.canary_version, now.previous}
        gone = [name for name in _names(home) if name not in kept]
        for name in gone:
            os.rename(home / name, home / f"{HALF[1]}{secrets.token_hex(8)}")
        _sweep(home)
        return gone


# --------------------------------------------------------------------------------------------------------------- forget
def forget_user(
    home: Path | str, user_id: str, *, clock: Callable[[], float] = time.time
) -> Mapping[str, dict[str, int]]:
    """Rewrite every version without a user: version to what was removed from it, e.g. {"weights": 12, "lists": 1}.

    A version is replaced in one step. The old files are deleted; processes that have them mapped must forget on their
    own (`Live.forget`). A version whose training had begun before and is saved within a week is cleaned on its way in:
    until then a salted hash of the id is kept.

    Raises
    ------
    ArtifactError  when a version cannot be read, so that nobody can say whether the user is in it; all others are done
    """
    home, removed, unread = Path(home), {}, []
    if not home.is_dir():
        return removed
    with _locked(home):
        _remember_forgotten(home, user_id, clock())
        _sweep(home)
        for name in _names(home):
            try:
                removed[name] = _rewrite(home, name, user_id)
            except ArtifactError as error:
                unread.append(f"{name} ({error})")
    if unread:
        raise ArtifactError(
            f"forgotten in {len(removed)} versions, but these cannot be read and must be deleted: {'; '.join(unread)}"
        )
    return removed


def _rewrite(home, name, user_id) -> dict[str, int]:
    """One version without a user; what was removed."""
    artifact = load(home, name)
    removed = _traces(artifact, user_id)
    manifest = artifact.manifest
    if removed:
        files = plain.write(_contents(artifact.forget([user_id])), home / name)
        manifest = replace(manifest, files=files)
        _write_manifest(home / name, manifest)
    _keep_only(home / name, manifest.files)
    return removed


def _traces(artifact, user_id) -> dict[str, int]:
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


def _remember_forgotten(home, user_id, now) -> None:
    """Keep a salted hash of an id for a week, for savings whose training began before."""
    told = _forgotten(home)
    ids = {digest: at for digest, at in told["ids"].items() if at > now - FORGET_DAYS * 86_400}
    told["ids"] = ids | {_salted(told["salt"], user_id): now}
    with plain.replacing(home / FORGOTTEN) as file:
        file.write(json.dumps(told).encode())
    plain.sync_folder(home)


def _forgotten(home) -> dict:
    try:
        return json.loads((home / FORGOTTEN).read_bytes())
    except FileNotFoundError:
        return {"salt": secrets.token_hex(16), "ids": {}}


def _forgotten_since(home, artifact) -> list[str]:
    """Users of an artifact who were forgotten after its training began."""
    told = _forgotten(home)
    began = datetime.fromisoformat(artifact.manifest.trained_at).timestamp()
    late = {digest for digest, at in told["ids"].items() if at >= began}
    return [user for user in artifact.data.users if late and _salted(told["salt"], user) in late]


def _salted(salt, user_id) -> str:
    return hashlib.sha256(f"{salt}\0{user_id}".encode("utf-8", "surrogatepass")).hexdigest()


# ----------------------------------------------------------------------------------------------------- files of a store
def _contents(artifact) -> dict:
    """All fields but the manifest, which has a file of its own."""
    return {f.name: getattr(artifact, f.name) for f in fields(Artifact) if f.name != "manifest"}


def _names(home) -> list[str]:
    """The versions of a store, the newest first."""
    if not home.is_dir():
        return []
    return sorted((p.name for p in home.iterdir() if VERSION.fullmatch(p.name) and p.is_dir()), reverse=True)


def _write_manifest(folder, manifest) -> None:
    with plain.replacing(folder / MANIFEST) as file:
        file.write(json.dumps(asdict(manifest), indent=1).encode())
    plain.sync_folder(folder)


def _read_manifest(home, version) -> Manifest:
    """The manifest of a version, its format checked before anything else."""
    if not VERSION.fullmatch(version):
        raise ArtifactError(f"{version!r} is no version; they look like 000001-0123abcd")
    path = home / version / MANIFEST
    try:
        told = json.loads(path.read_bytes())
        if told["format"] != plain.FORMAT:
            raise ArtifactError(f"{version} has format {told['format']!r}, this code reads {plain.FORMAT}; update it")
        found = Manifest(**told)
    except (FileNotFoundError, NotADirectoryError):
        others = f"; there are {_names(home)[:5]}" if _names(home) else ""
        raise ArtifactError(f"there is no version {version} in {home.name}{others}") from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"{version}/{MANIFEST} makes no sense ({error}); it was cut short or altered") from None
    if found.version != version or not isinstance(found.files, dict):
        raise ArtifactError(f"{version}/{MANIFEST} is that of version {found.version!r}")
    return found


def _set(home, now: Published) -> Published:
    told = {"format": plain.FORMAT} | asdict(now)
    with plain.replacing(home / PUBLISHED) as file:
        file.write(json.dumps(told, indent=1).encode())
    plain.sync_folder(home)
    return now


def _keep_only(folder, names) -> None:
    """Delete all files of a folder but these and the manifest."""
    for path in folder.iterdir():
        if path.name not in names and path.name != MANIFEST:
            path.unlink()
    plain.sync_folder(folder)


def _sweep(home) -> None:
    """Delete what crashed processes left behind."""
    for name in _names(home):
        with suppress(ArtifactError):
            _keep_only(home / name, _read_manifest(home, name).files)
    for path in home.iterdir():
        if path.name.endswith(".part"):
            path.unlink()
        elif path.name.startswith(HALF):
            busy = _held(path, wait=False)
            if busy is not None:
                shutil.rmtree(path, ignore_errors=True)
                _release(busy)


@contextmanager
def _locked(home):
    """Alone among all threads and processes that write to this store; the lock dies with its process."""
    if not home.is_dir():
        raise ArtifactError(f"{home.name} is no store: there is no such folder")
    lock = _held(home)
    try:
        yield
    finally:
        _release(lock)


def _held(folder, wait=True):
    """A lock on a folder; None if somebody else has it and we do not wait."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return handle
    except BlockingIOError:
        os.close(handle)
        return None
    except BaseException:
        os.close(handle)
        raise


def _release(handle) -> None:
    os.close(handle)
