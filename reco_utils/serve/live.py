"""The artifacts that are being served, exchanged while requests go on.

live = Live(home)
artifact = live.at(user_id)     # take it once per request and keep it
live.refresh()                  # now and then: has something new been published?
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reco_utils.serve.artifact import Artifact, Published


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
    mmap : bool
        See `plain.read`.
    """

    home: Path | str
    clock: Callable[[], float] = time.time
    mmap: bool = True

    def __post_init__(self):
        pass

    @property
    def published(self) -> Published:
        """What is in memory: the versions of `stable` and `canary`, and the canary's share."""
        raise NotImplementedError

    @property
    def stable(self) -> Artifact:
        """The artifact for everybody outside the canary.

        Raises
        ------
        ArtifactError  while there is none
        """
        raise NotImplementedError

    @property
    def canary(self) -> Artifact | None:
        """The artifact on trial, if there is one."""
        raise NotImplementedError

    @property
    def trouble(self) -> tuple[str, ...]:
        """Why what is published is not what is served, one sentence each; empty when all is well."""
        raise NotImplementedError

    def at(self, user_id: str | None = None) -> Artifact:
        """The artifact for this user, always the same while nothing is published; None (nobody) gets the stable one.

        Raises
        ------
        ArtifactError  while there is none
        """
        raise NotImplementedError

    def refresh(self) -> bool:
        """Load what was published since, if anything was; True if something else is served now.

        Requests go on with the old artifact meanwhile, and after it if the new one cannot be loaded.
        """
        raise NotImplementedError

    def age_hours(self, now: float | None = None) -> float:
        """Hours since the training of the stable artifact began; NaN while there is none; below 0 if a clock went back."""
        raise NotImplementedError

    def forget(self, user_id: str) -> int:
        """Forget a user in memory, at once and in whatever is loaded later; how many artifacts knew them."""
        raise NotImplementedError
