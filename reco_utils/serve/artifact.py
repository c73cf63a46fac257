"""What the service runs on: a fitted pipeline with all that belongs to it, in versions side by side on disk.

    artifact = train(tables)
    version = save(artifact, home)
    publish(home, version)                  # or publish(home, version, canary=0.05), or rollback(home)
    artifact = load(home)                   # the published one

Nothing is ever half there: a version is a folder that appears under its name when it is complete, and which of them is
served is one small file that is replaced in one step. Files are data, not code, see `plain`.
"""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import pandas as pd

from reco_utils.core import Pipeline
from reco_utils.serve import plain
from reco_utils.serve.bundle import Artifact, Manifest, contents, traces
from reco_utils.serve.forgotten import forgotten, remember
from reco_utils.serve.lock import held
from reco_utils.serve.plain import ArtifactError
from reco_utils.serve.training import check, train

__all__ = [
    "Artifact", "ArtifactError", "Manifest", "Published", "check", "forget_user", "forgotten_since", "load", "prune",
    "publish", "published", "rollback", "save", "train", "versions",
]  # fmt: skip

VERSION = re.compile(r"\d{6}-[0-9a-f]{8}")
PUBLISHED, MANIFEST = "published.json", "manifest.json"
HALF = (".saving-", ".removed-")  # how folders begin that are no versions yet, or no longer


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
        busy = held(folder)
    try:
        while True:
            files = plain.write(contents(artifact), folder)
            with _locked(home):
                late = forgotten_since(home, artifact)
                if not late:
                    return _put_in_place(home, folder, artifact.manifest, files)
            artifact = artifact.forget(late)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(busy)


def _put_in_place(home, folder, manifest, files) -> str:
    """Give a complete folder its name."""
    numbers = [int(name[:6]) for name in _names(home)]
    version = f"{max(numbers, default=0) + 1:06d}-{secrets.token_hex(4)}"
    _keep_only(folder, files)  # what a forgotten user was in goes
    _write_manifest(folder, replace(manifest, version=version, files=files, format=plain.FORMAT))
    os.rename(folder, home / version)
    try:
        plain.sync_folder(home)
    except OSError:
        os.rename(home / version, folder)
        raise
    return version


def load(home: Path | str, version: str | None = None) -> Artifact:
    """A stored artifact, every file compared with its sha256.

    Parameters
    ----------
    version : str, optional
        Default: the published one; the newest if nothing was ever published.

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
            stored = plain.read(home / version, manifest.files)
            break
        except ArtifactError:
            if _read_manifest(home, version) == manifest:  # else it was rewritten meanwhile, see `forget_user`
                raise
    wanted = {f.name for f in fields(Artifact)} - {"manifest"}
    if not isinstance(stored, dict) or set(stored) != wanted or not isinstance(stored["pipeline"], Pipeline):
        raise ArtifactError(f"{version} holds something else than an artifact of this code; train a new one")
    return Artifact(**stored, manifest=manifest)


def versions(home: Path | str) -> pd.DataFrame:
    """What is stored, the newest first: version, trained_at, asof, n_users, n_items, bytes, status and metrics.

    `status` is "stable", "canary", "previous", "" or why the manifest cannot be read.
    """
    home, rows = Path(home), []
    now = published(home)
    roles = {now.previous: "previous", now.canary_version: "canary", now.version: "stable"}
    for name in _names(home):
        row = {"version": name, "bytes": _bytes(home / name)}
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
            raise plain.other_format(PUBLISHED, told["format"])
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
    own (`Live.forget`). A version whose training had begun before is cleaned when it is saved, and no training learns
    from what the user did until now: a keyed hash of the id is kept for that, see `forgotten`.

    Raises
    ------
    ArtifactError  when a version cannot be read, so that nobody can say whether the user is in it; all others are done
    """
    home, removed, unread = Path(home), {}, []
    if not home.is_dir():
        return removed
    with _locked(home):
        remember(home, user_id, clock())
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


def forgotten_since(home: Path | str, artifact: Artifact) -> list[str]:
    """Users that an artifact knows although the store was told to forget them after its training began."""
    told = forgotten(home)
    began = artifact.manifest.began
    if not told.since(began):
        return []
    return [user for user, at in told.asked_at(artifact.data.users).items() if at >= began]


def _rewrite(home, name, user_id) -> dict[str, int]:
    """One version without a user; what was removed."""
    artifact = load(home, name)
    removed = traces(artifact, user_id)
    manifest = artifact.manifest
    if removed:
        files = plain.write(contents(artifact.forget([user_id])), home / name)
        manifest = replace(manifest, files=files)
        _write_manifest(home / name, manifest)
    _keep_only(home / name, manifest.files)
    return removed


def _names(home) -> list[str]:
    """The versions of a store, the newest first."""
    if not home.is_dir():
        return []
    return sorted((p.name for p in home.iterdir() if VERSION.fullmatch(p.name) and p.is_dir()), reverse=True)


def _bytes(folder) -> int:
    """The size of a version; a file that goes while we look counts for nothing."""
    size = 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def _write_manifest(folder, manifest) -> None:
    plain.put(folder / MANIFEST, json.dumps(asdict(manifest), indent=1).encode())


def _read_manifest(home, version) -> Manifest:
    """The manifest of a version, its format checked before anything else."""
    if not VERSION.fullmatch(version):
        raise ArtifactError(f"{version!r} is no version; they look like 000001-0123abcd")
    path = home / version / MANIFEST
    try:
        told = json.loads(path.read_bytes())
        if told["format"] != plain.FORMAT:
            raise plain.other_format(version, told["format"])
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
    plain.put(home / PUBLISHED, json.dumps({"format": plain.FORMAT} | asdict(now), indent=1).encode())
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
            busy = held(path, wait=False)
            if busy is not None:
                shutil.rmtree(path, ignore_errors=True)
                os.close(busy)


@contextmanager
def _locked(home):
    """Alone among all threads and processes that write to this store; the lock dies with its process."""
    if not home.is_dir():
        raise ArtifactError(f"{home.name} is no store: there is no such folder")
    lock = held(home)
    try:
        yield
    finally:
        os.close(lock)
