"""Fit all that the service needs, and look for reasons not to serve it.

Letters: U users, I items, C candidates per user.
"""

import copy
import hashlib
import platform
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib import metadata

import numpy as np
import pandas as pd

from reco_utils.core import Dataset, Pipeline, Recommender, Reranker, Tables, TopK, recommend
from reco_utils.data.build import build_dataset, events_until
from reco_utils.data.features import user_features
from reco_utils.data.privacy import is_nameless
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
from reco_utils.serve.bundle import Artifact, Manifest
from reco_utils.serve.deeds import deeds_of
from reco_utils.serve.graph import parts

WIDTH = 64  # of the embeddings
PLACES = 10  # of a list, as metrics and `score_quantiles` see it
MAY_FALL = 0.1  # share of NDCG and coverage that a new version may lose
N_SAMPLE = 200  # users whose lists `check` looks at
MIN_ITEMS = 10
PACKAGES = ("reco-utils", "numpy", "scipy", "pandas", "numba", "implicit")
CATALOG_TEXTS = ("item_id", "title", "category", "subcategory", "brand", "price", "description", "tags")


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
        deeds=deeds_of(tables, data),
        score_quantiles=quantiles.astype(np.float32),
        keep_seen=tables.defaults.keep_seen,
        positive_from=tables.defaults.positive_from,
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
    forgotten = np.array([is_nameless(user) for user in lists.users], bool)  # their seats are empty, and shall be
    if empty := int((~listed.any(axis=1) & ~forgotten).sum()):
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
