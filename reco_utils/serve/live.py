"""The artifacts that are being served, exchanged while requests go on.

live = Live(home)
artifact = live.at(user_id)     # take it once per request and keep it
live.refresh()                  # now and then: has something new been published?
"""

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from reco_utils.serve.artifact import Artifact, ArtifactError, Published, forgotten_since, load, published
from reco_utils.serve.forgotten import LIST, forgotten

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Served:
    """One consistent picture of what is served; requests see the old one or the new one."""

    stable: Artifact | None = None
    canary: Artifact | None = None
    share: float = 0.0
    trouble: tuple[str, ...] = ()


@dataclass(eq=False)
class Live:
    """The published artifact and its canary, in memory.

    A store that cannot be read raises nothing here: the last good artifact goes on serving, at the start an older
    version serves if there is one, and `trouble` says what is wrong.

    Parameters
    ----------
    home : path of the store
    clock : function
        Seconds since 1970.
    """

    home: Path | str
    clock: Callable[[], float] = time.time

    def __post_init__(self):
        self._served, self._wanted, self._lock = _Served(), None, Lock()
        self._salt, self._forgotten, self._told_to_forget = secrets.token_hex(8), {}, None  # hash of an id -> when
        self.deletions = frozenset()  # (keyed hash of an id, when), all that the store was told to forget
        self.refresh()

    @property
    def published(self) -> Published:
        """What is in memory: the versions of `stable` and `canary`, and the canary's share."""
        now = self._served
        names = (None if one is None else one.manifest.version for one in (now.stable, now.canary))
        return Published(*names, now.share)

    @property
    def stable(self) -> Artifact:
        """The artifact for everybody outside the canary.

        Raises
        ------
        ArtifactError  while there is none
        """
        return self._there(self._served)

    @property
    def canary(self) -> Artifact | None:
        """The artifact on trial, if there is one."""
        return self._served.canary

    @property
    def trouble(self) -> tuple[str, ...]:
        """Why what is published is not what is served, one sentence each; empty when all is well."""
        return self._served.trouble

    def at(self, user_id: str | None = None) -> Artifact:
        """The artifact for this user, always the same while nothing is published; None (nobody) gets the stable one.

        Raises
        ------
        ArtifactError  while there is none
        """
        now = self._served  # once: it may be exchanged at any moment
        stable = self._there(now)
        if now.canary is None or user_id is None:
            return stable
        return now.canary if lot(user_id, now.canary.manifest.version) < now.share else stable

    def refresh(self) -> bool:
        """Load what was published since, if anything was; True if something else is served now.

        Requests go on with the old artifact meanwhile, and after it if the new one cannot be loaded. Whoever another
        process had forgotten on disk is forgotten here too.
        """
        with self._lock:
            before, old = self._served, self.published
            try:
                wanted = published(self.home)
                if wanted != self._wanted or before.trouble:
                    self._served, self._wanted = self._load(wanted, before), wanted
                self._follow_the_store()
            except (ArtifactError, OSError) as error:
                self._served = replace(self._served, trouble=(self._told(str(error), before),))
            return self.published != old

    def forget(self, user_id: str) -> int:
        """Forget a user in memory, at once and in what is loaded later; how many artifacts knew them.

        Whatever was trained after this moment may know them again: they may come back.
        """
        with self._lock:
            self._forgotten[lot(user_id, self._salt)] = self.clock()
            return self._without(lambda artifact: [user_id] if artifact.knows(user_id) else [])

    def _without(self, users_of) -> int:
        """Exchange the artifacts that know somebody who is to be forgotten; how many did."""
        served = {name: getattr(self._served, name) for name in ("stable", "canary")}
        users = {name: users_of(artifact) for name, artifact in served.items() if artifact is not None}
        changed = {name: served[name].forget(ids) for name, ids in users.items() if ids}
        self._served = replace(self._served, **changed)
        return len(changed)

    def _follow_the_store(self) -> None:
        """Forget whom the store was told to forget since we looked last."""
        path = Path(self.home) / LIST
        stamp = (path.stat().st_mtime_ns, path.stat().st_ino) if path.exists() else None
        state = stamp, self.published
        if stamp is not None and state != self._told_to_forget:
            self._without(lambda artifact: forgotten_since(self.home, artifact))
            self.deletions = frozenset(forgotten(self.home).ids.items())
        self._told_to_forget = state

    def _there(self, now) -> Artifact:
        if now.stable is None:
            raise ArtifactError(now.trouble[0] if now.trouble else f"nothing is published in {Path(self.home).name}")
        return now.stable

    def _load(self, wanted, before) -> _Served:
        """What can be served of what is wanted."""
        trouble = []
        stable = self._one(wanted.version, before, trouble)
        for name in (*reversed(wanted.history),) if stable is None and before.stable is None else ():
            stable = stable or self._one(name, before, trouble)
        canary = self._one(wanted.canary_version, before, trouble)
        if stable is None:  # the last good one goes on, and its canary with it
            return replace(before, trouble=tuple(trouble))
        return _Served(stable, canary, wanted.canary_share if canary is not None else 0.0, tuple(trouble))

    def _one(self, version, before, trouble) -> Artifact | None:
        """An artifact by its version, from memory if it is there."""
        for known in (before.stable, before.canary):
            if known is not None and known.manifest.version == version:
                return known
        if version is None:
            return None
        try:
            artifact = load(self.home, version)
        except (ArtifactError, OSError) as error:
            trouble.append(self._told(f"{version} cannot be served: {error}", before))
            return None
        trained = artifact.manifest.began
        late = {name for name, at in self._forgotten.items() if at >= trained}
        return artifact.forget([user for user in artifact.data.users if late and lot(user, self._salt) in late])

    def _told(self, sentence, before) -> str:
        """The sentence, logged if it is news."""
        if sentence not in before.trouble:
            log.error("%s", sentence)
        return sentence


def lot(user_id: str, salt: str) -> float:
    """A number from 0 to 1 that depends on user and salt alone: the same on every machine, evenly spread."""
    digest = hashlib.sha256(f"{salt}\0{user_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
