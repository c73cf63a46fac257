"""Everybody's list as files, for e-mail and push: made at night, resumed after a crash, complete or not there at all.

    artifact = load(home)
    write_lists(artifact, "lists")              # lists/part-00000.parquet, part-00001.parquet, ..., _manifest.json
    pd.read_parquet("lists")                    # any reader of Parquet takes the folder as one table

A run works in a hidden folder beside the one that is read, and takes its place when everything is there. So whoever
sends the mails sees last night's lists or tonight's, never half of each.

Letters: U users, I items, B lists of a block, K list length, C candidates.
"""

import hashlib
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from reco_utils.core import ITEM, USER, TopK, check_k, recommend
from reco_utils.data.privacy import is_nameless
from reco_utils.evaluate.stats import bootstrap_interval
from reco_utils.models.ann import VectorIndex
from reco_utils.serve.artifact import Artifact
from reco_utils.serve.graph import parts
from reco_utils.serve.lock import Lock
from reco_utils.serve.plain import put, sync_folder
from reco_utils.serve.schedule import Retrained, retrain
from reco_utils.serve.stock import Change
from reco_utils.serve.view import View, run_all

__all__ = ["Retrained", "Written", "forget_in_lists", "quantised", "retrain", "write_lists"]

FORMAT = 2
MANIFEST = "_manifest.json"  # readers of Parquet folders pass over names that begin with _ or .
CHUNK = 1024  # lists made at once
UNKNOWN = "unknown to the artifact"


@dataclass(frozen=True)
class Written:
    """What a run of lists left behind.

    Parameters
    ----------
    path : path
        The folder, complete.
    version : str
        Of the artifact.
    made_at : str
        When the run began, ISO 8601 in UTC; a resumed run keeps its time.
    n_lists, n_rows, n_parts : int
    n_kept : int
        Parts that were there already, finished by a run before, and whole.
    skipped : dict of reason to number of users without a list
    notes : tuple of str
        What a person should know: why a run began afresh, say.
    """

    path: Path
    version: str
    made_at: str
    n_lists: int
    n_rows: int
    n_parts: int
    n_kept: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def write_lists(
    artifact: Artifact,
    path: Path | str,
    *,
    k: int = 10,
    users: Iterable[str] | None = None,
    block: int = 5_000,
    reasons: bool = False,
    changes: Mapping[str, Change] | None = None,
    forgotten: Callable[[], Iterable[str]] = tuple,
    progress: Callable[[int, int], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> Written:
    """Write everybody's list as one folder of Parquet: user_id, rank (from 1), item_id, score, step, version, made_at.

    A list is what the service would answer to a user who did nothing since the training. After Ctrl-C or a crash, the
    same call goes on where the last one ended: finished parts are compared with their checksums and kept, if the
    version, the options and the users of the part are the same; otherwise the run begins afresh and says why.

    Parameters
    ----------
    path : folder of the lists, and of nothing else
        Stays as it was until all new parts are finished.
    k : int
        List length; filled up with what most people have, and shorter only where the catalogue ends.
    users : ids, optional
        Whose lists; they come in the artifact's order. Those it does not know are passed over and counted: they might
        be people who asked to be forgotten. Default: everybody who did not ask that.
    block : int, at least 1
        Users per part.
    reasons : bool
        Adds `because`: the id of the user's own item that explains the place, and `reason`, the sentence; or None.
    changes : mapping of item id to Change, optional
        What was sold out or came back since the training, as `Stock.changes` tells; the catalogue knows of the rest.
    forgotten : function without arguments
        Asked at the end of the run whom else to leave out, e.g. `lambda: forgotten_since(home, artifact)`.
    progress : function (parts finished, parts in all), optional
    clock : function that returns seconds since 1970

    Returns
    -------
    Written

    Raises
    ------
    ValueError  for a path that holds other files, or a block below 1
    Locked  while another run writes to the same path
    OSError  when the disk is full, say; what is finished is kept for the next run
    """
    path, k = Path(path), check_k(k)
    if isinstance(block, bool) or not isinstance(block, (int, np.integer)) or block < 1:
        raise ValueError(f"block must be a whole number of at least 1 user, got {block!r}")
    if path.exists() and any(path.iterdir()) and not (path / MANIFEST).exists():
        raise ValueError(f"{path} holds other files; give a folder for the lists alone")
    seats, n_unknown = _seats(artifact, users)
    lists = _Lists(artifact, k, bool(reasons), changes)
    asked = {
        "format": FORMAT,
        "version": artifact.manifest.version,
        "k": k,
        "block": int(block),
        "reasons": bool(reasons),
        "stock": _sha256(lists.allow.tobytes())[:12],
    }
    made_at = datetime.fromtimestamp(clock(), UTC).isoformat(timespec="seconds")
    run = _Run(path, asked, made_at, lists, seats, forgotten, progress)
    with _lock(path, clock):
        written = run.finish()
    counts = {UNKNOWN: n_unknown, "asked to be forgotten": run.n_forgotten, "nothing left to show": run.n_empty}
    return replace(written, skipped={reason: n for reason, n in counts.items() if n})


def forget_in_lists(path: Path | str, user_id: str) -> int:
    """Remove a user from written lists, finished or interrupted; how many rows there were.

    Raises
    ------
    Locked  while lists are being written there: ask again when that is over
    """
    path, n_rows = Path(path), 0
    if not path.parent.exists():
        return 0
    with _lock(path):
        for folder in (path, _beside(path, "unfinished"), _beside(path, "old")):
            n_rows += _without(folder, str(user_id))
    return n_rows


def _without(folder, user_id) -> int:
    """Rewrite the parts of a folder that hold a user; how many rows went."""
    manifest, n_rows = _read_json(folder / MANIFEST), 0
    for name, part in manifest.get("parts", {}).items():
        frame = pd.read_parquet(folder / name)
        theirs = (frame[USER] == user_id).to_numpy(bool)
        if theirs.any():
            users = int(part["users"], 16) - int(_hash_of([user_id]), 16)
            manifest["parts"][name] = part | _store(frame[~theirs], folder / name) | {"users": _hex(users)}
            _write_json(manifest, folder / MANIFEST)
            n_rows += int(theirs.sum())
    return n_rows


def quantised(
    artifact: Artifact, k: int = 10, *, kinds: Collection[str] = ("exact",), n_users: int = 1_000, seed: int = 0
) -> pd.DataFrame:
    """What item vectors of one byte per number cost: recall and bytes beside those of four bytes, for one artifact.

    The vectors are those of the factor model inside the artifact, asked for by users it knows. How to serve them:
    `train(tables, model=...)` with `RetrievalRecommender(IALSRecommender(), VectorIndex(stored="int8"))` in the place
    of the collaborative part.

    Parameters
    ----------
    kinds : of "exact", "usearch", "faiss"
        What is measured, each with both ways of storing.
    n_users : int
        So many of them are drawn, all if there are fewer.

    Returns
    -------
    DataFrame, a row per kind and way of storing
        kind, stored    as in `VectorIndex`
        recall          mean share of the k best items (exact search, float32) that is found
        low, high       its 95 % interval over users
        bytes           of vectors and graph
        n_users, n_items, width

    Raises
    ------
    TypeError  for an artifact without a factor model; ValueError  when it knows nobody
    """
    model, rng = _factor_model(artifact.pipeline.model), np.random.default_rng(seed)
    batch = artifact.data.batch(artifact.data.users)
    queries, vectors = model.vectors(batch)
    known = np.flatnonzero(~np.isnan(queries).any(axis=1))
    if not len(known):
        raise ValueError(f"no user of version {artifact.manifest.version!r} has factors to search with")
    queries = queries[rng.choice(known, min(n_users, len(known)), replace=False)]
    truth, _ = VectorIndex().fit(vectors).search(queries, k)
    size, rows = {"n_users": len(queries), "n_items": len(vectors), "width": vectors.shape[1]}, []
    for kind in kinds:
        for stored in ("float32", "int8"):
            index = VectorIndex(kind, stored).fit(vectors)
            recall = _overlap(index.search(queries, k)[0], truth)
            low, high = bootstrap_interval(recall, rng=rng)
            rows.append({"kind": kind, "stored": stored, "recall": recall.mean(), "low": low, "high": high})
            rows[-1] |= {"bytes": index.n_bytes, **size}
    return pd.DataFrame(rows)


def _factor_model(model):
    """The first fitted model inside a model, itself included, whose scores are dot products."""
    for part in (model, *parts(model)):
        if hasattr(part, "vectors") and hasattr(part, "n_items_"):
            return part
    raise TypeError(f"{type(model).__name__} holds no fitted model with `vectors`; there is nothing to quantise")


def _overlap(found, truth) -> np.ndarray:
    """Share of each row of truth (B, k) that is found (B,); positions, -1 pads."""
    hits = [np.isin(own[own >= 0], row) for row, own in zip(found, truth)]
    return np.array([hit.mean() if len(hit) else 1.0 for hit in hits])


# ---------------------------------------------------------------------------------------------------------- the lists
def _seats(artifact, users) -> tuple[np.ndarray, int]:
    """Positions of the users whose lists are wanted, ascending, forgotten ones among them; and how many are unknown."""
    if users is None:
        return np.arange(len(artifact.data.users)), 0
    if isinstance(users, str):
        raise TypeError(f"users must be several ids, got one text of {len(users)} characters; put it into a list")
    ids = pd.Index(list(users)).unique()
    at = artifact.data.users.get_indexer(ids)
    return np.sort(at[at >= 0]), int((at < 0).sum())


class _Lists:
    """Makes the lists of the users at some seats, as the service would answer them."""

    def __init__(self, artifact, k, reasons, changes):
        self.artifact, self.k, self.data = artifact, k, artifact.data
        self.users, self.items = (np.asarray(ids, object) for ids in (self.data.users, self.data.items))
        view = View(artifact, changes)
        self.allow, self.view = view.stock.allow, view if reasons else None
        self.model = artifact.pipeline.model
        self.names = np.array([*(getattr(self.model, "names", None) or ("model",)), "popular"], object)

    def frame(self, seats) -> pd.DataFrame:
        """The rows of these users, padding left out."""
        lists = self._lists(seats)
        row, column = np.nonzero(lists.items >= 0)
        columns = {
            USER: np.asarray(lists.users, object)[row],
            "rank": (column + 1).astype(np.int16),
            ITEM: self.items[lists.items[row, column]],
            "score": lists.scores[row, column],
            "step": self.names[lists.notes["step"][row, column]],
        }
        if self.view is not None:
            own = lists.notes["because"][row, column]
            columns["because"] = np.where(own >= 0, self.items[np.maximum(own, 0)], None)
            at = seats[row].tolist()
            columns["reason"] = [self.view.why(u, i) if i >= 0 else None for u, i in zip(at, own.tolist())]
        texts = {name: "string" for name in columns if name not in ("rank", "score")}  # also where all of it is missing
        return pd.DataFrame(columns).astype(texts)

    def _lists(self, seats) -> TopK:
        """Lists with the note "step", numbers of `names`, and "because" if there shall be reasons."""
        batch = self.data.batch(self.data.users[seats])
        lists = self._candidates(seats, batch)
        lists = run_all(self.artifact.pipeline.rerankers, lists, batch, self.k)
        if self.view is not None:
            lists = replace(lists, notes=lists.notes | {"because": self._reasons(lists, batch)})
        return self._filled(lists, batch)

    def _reasons(self, lists, batch):
        """The position of each place's reason (B, K), the best kind that has one; -1 for none."""
        found = np.full(lists.items.shape, -1, np.int32)
        for because in self.view.reasons:
            own = because(lists, batch, lists.k).notes["because"]
            found = np.where(found < 0, own, found)
        return found

    def _candidates(self, seats, batch) -> TopK:
        """The candidates cut in advance that may be shown; cut anew where too few of them are left."""
        ready = self.artifact.candidates
        items, scores = np.asarray(ready.items[seats]), np.asarray(ready.scores[seats])
        fine = (items >= 0) & self.allow[items]
        order = np.argsort(~fine, axis=1, kind="stable").astype(np.int32)
        order[~np.take_along_axis(fine, order, axis=1)] = -1
        lists = TopK(batch.users, items, scores).take(order)
        if lists.k < self.k:
            lists = lists.take(np.tile(np.where(np.arange(self.k) < lists.k, np.arange(self.k), -1), (len(lists), 1)))
        short = np.flatnonzero((fine.sum(axis=1) < self.k) & (items >= 0).all(axis=1))
        if len(short):  # there are more items where these came from
            keep = self.artifact.keep_seen
            anew = recommend(self.model, batch[short], lists.k, allow=self.allow, keep_seen=keep)
            lists.items[short], lists.scores[short] = anew.items, anew.scores
        steps = self.model.steps(lists) if hasattr(self.model, "steps") else np.where(lists.items >= 0, 0, -1)
        return replace(lists, notes={"step": steps})

    def _filled(self, lists, batch) -> TopK:
        """What most people have in the places for which the model has nothing."""
        popular = np.asarray(self.artifact.popular)
        popular = popular[self.allow[popular]]
        for row in np.flatnonzero((lists.items < 0).any(axis=1)):
            n = int((lists.items[row] >= 0).sum())
            seen = () if self.artifact.keep_seen else batch.seen[row].indices
            best = popular[~np.isin(popular, np.append(lists.items[row, :n], seen))][: lists.k - n]
            lists.items[row, n : n + len(best)] = best
            lists.notes["step"][row, n : n + len(best)] = len(self.names) - 1
        return lists


# ------------------------------------------------------------------------------------------------------------ the run
class _Run:
    """One run of lists: what is there is kept, the rest is made, then all of it is shown at once."""

    def __init__(self, path, asked, made_at, lists, seats, forgotten, progress):
        self.path, self.asked, self.made_at, self.lists = path, asked, made_at, lists
        self.seats, self.forgotten, self.progress = seats, forgotten, progress
        self.work, self.old = _beside(path, "unfinished"), _beside(path, "old")
        self.notes, self.n_forgotten, self.n_empty = [], 0, 0
        self.parts = {}
        for n, at in enumerate(range(0, max(len(seats), 1), asked["block"])):
            part = seats[at : at + asked["block"]]  # limits by seats, so that they hold when somebody is forgotten
            nameless = np.array([is_nameless(user) for user in lists.users[part]], bool)
            self.parts[f"part-{n:05d}.parquet"] = part[~nameless]
            self.n_forgotten += int(nameless.sum())

    def finish(self) -> Written:
        """Do what is left to do."""
        if self.old.exists() and not self.path.exists():  # a crash between the two renames of `_show`
            os.rename(self.old, self.path)
        shown = self._kept(self.path)
        if len(shown) == len(self.parts):
            self.notes.append("all of it was there already")
            return self._written(_read_json(self.path / MANIFEST), len(shown))
        manifest = self._take_up()
        n_kept = len(manifest["parts"])
        for n, name in enumerate(self.parts):
            if name not in manifest["parts"]:
                manifest["parts"][name] = self._make(name, manifest["made_at"])
                _write_json(manifest, self.work / MANIFEST)
            if self.progress is not None:
                self.progress(n + 1, len(self.parts))
        late = sum(_without(self.work, str(user)) > 0 for user in self.forgotten())
        if late:
            manifest, self.n_forgotten = _read_json(self.work / MANIFEST), self.n_forgotten + late
        self._show()
        return self._written(manifest, n_kept)

    def _take_up(self) -> dict:
        """The manifest to go on with: of the interrupted run if it was for the same, else of a new one."""
        before = _read_json(self.work / MANIFEST)
        other = [name for name, value in self.asked.items() if before and before.get(name) != value]
        if other:
            was, now = before.get(other[0]), self.asked[other[0]]
            self.notes.append(f"began afresh: the interrupted run had {other[0]} {was!r}, this one has {now!r}")
        kept = self._kept(self.work)
        if not kept:
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir(parents=True)
            return self.asked | {"made_at": self.made_at, "parts": {}}
        n_lost = len(before["parts"]) - len(kept)
        if n_lost:
            self.notes.append(f"made anew: {n_lost} finished part(s) that were altered, or made for other users")
        for file in self.work.iterdir():
            if file.name not in kept and file.name != MANIFEST:
                file.unlink()
        return before | {"parts": kept}

    def _kept(self, folder) -> dict[str, dict]:
        """The finished parts of a folder, if they were made for the same: whole, and with the same users."""
        manifest = _read_json(folder / MANIFEST)
        if any(manifest.get(name) != value for name, value in self.asked.items()):
            return {}
        there = {name: part for name, part in manifest["parts"].items() if name in self.parts}
        return {name: part for name, part in there.items() if self._is_whole(folder / name, part)}

    def _is_whole(self, file, part) -> bool:
        same = part["users"] == _hash_of(self.lists.users[self.parts[file.name]])
        return same and file.exists() and _sha256(file.read_bytes()) == part["sha256"]

    def _make(self, name, made_at) -> dict:
        """Make and store a part; what the manifest says of it."""
        seats = self.parts[name]
        pieces = [self.lists.frame(seats[at : at + CHUNK]) for at in range(0, max(len(seats), 1), CHUNK)]
        frame = pd.concat(pieces, ignore_index=True)
        made = {"version": self.asked["version"], "made_at": pd.Timestamp(made_at).as_unit("us")}
        frame = frame.assign(**made).astype({"version": "string"})
        return _store(frame, self.work / name) | {"users": _hash_of(self.lists.users[seats])}

    def _show(self):
        """Put the finished folder in the place of the old one; `finish` mends what a crash between the renames left."""
        shutil.rmtree(self.old, ignore_errors=True)
        if self.path.exists():
            os.rename(self.path, self.old)
        os.rename(self.work, self.path)
        sync_folder(self.path.parent)
        shutil.rmtree(self.old, ignore_errors=True)

    def _written(self, manifest, n_kept) -> Written:
        parts = manifest["parts"].values()
        n_lists, n_rows = (sum(part[name] for part in parts) for name in ("lists", "rows"))
        self.n_empty = len(self.seats) - self.n_forgotten - n_lists
        version, made_at = self.asked["version"], manifest["made_at"]
        return Written(self.path, version, made_at, n_lists, n_rows, len(self.parts), n_kept, notes=tuple(self.notes))


# -------------------------------------------------------------------------------------------------------------- files
def _lock(path, clock=time.time) -> Lock:
    return Lock(_beside(path, "lock"), "a run of lists", clock)


def _beside(path, suffix) -> Path:
    """A hidden neighbour of a folder, in the same file system."""
    path = path.absolute()
    return path.with_name(f".{path.name}.{suffix}")


def _store(frame, file) -> dict:
    """Write a part in one step and say what is in it; a crash leaves the file before it, or none."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    content = buffer.getvalue()
    put(file, content)
    return {"sha256": _sha256(content), "rows": len(frame), "lists": int(frame[USER].nunique())}


def _write_json(value, file):
    put(file, json.dumps(value, indent=1).encode())


def _read_json(file) -> dict:
    """What a manifest says; {} if it is not there, or no manifest."""
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of(users) -> str:
    """A fingerprint of a set of ids, from which one of them can be taken away again: the sum of their hashes."""
    hashes = pd.util.hash_array(np.asarray(users, object), categorize=False) if len(users) else np.zeros(0, np.uint64)
    return _hex(int(hashes.sum(dtype=np.uint64)))


def _hex(number) -> str:
    return f"{number % 2**64:016x}"
