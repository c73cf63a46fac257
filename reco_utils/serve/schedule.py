"""Training anew by the clock: factors daily, content weekly, and nothing is published that is worse than what serves.

    found = retrain(home, tables, EventLog("events.db"))       # what cron calls: does what is due
    found.status                                               # 0: all is well, 1: the old version goes on serving

What people did changes every hour, what is written on the boxes does not. So only the collaborative part is fitted
every day; the content model and the search are taken over from the version that serves as long as the catalogue is the
same, word for word, and both are fitted again once a week in any case.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reco_utils.core import Recommender, Reranker, Tables
from reco_utils.serve.event_log import EventLog

WHAT = ("factors", "content", "all", "due")
EVERY_HOURS = {"factors": 24.0, "content": 168.0}
EARLY_HOURS = 1.0  # cron is not punctual: what falls due within the hour is due


@dataclass(frozen=True)
class Retrained:
    """What a training came to.

    Parameters
    ----------
    version : str or None
        The new version on disk, published or not; None when nothing was trained.
    published : bool
    trained : tuple of str
        "factors", "content" or both.
    reasons : tuple of str
        Why nothing new is served; empty when it is, or when nothing was due.
    notes : tuple of str
        What a person should know: what was taken over, which events were left out, whose lock was found.
    seconds : dict of str to float
        How long each step took.
    """

    version: str | None
    published: bool
    trained: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The exit status for cron: 1 when something should be served and is not."""
        return int(bool(self.reasons))


def retrain(
    home: Path | str,
    tables: Tables | Callable[[], Tables],
    log: EventLog | None = None,
    *,
    what: str = "due",
    every_hours: Mapping[str, float] = EVERY_HOURS,
    model: Recommender | None = None,
    rerankers: Sequence[Reranker] | None = None,
    canary: float | None = None,
    keep: int = 3,
    clock: Callable[[], float] = time.time,
) -> Retrained:
    """Train what is due, save it as a new version, and publish it if it passes `artifact.check` against what serves.

    Parameters
    ----------
    home : path of the store
    tables : Tables, or a function that loads them
        The function is called only when something is due.
    log : EventLog, optional
        What the service acknowledged since; joined to the tables.
    what : "factors", "content", "all" or "due"
        "factors": all that learns from events; content and search come from the version that serves, if the catalogue
        is the same. "content": all that learns from texts; the factors come from the version that serves, if the items
        are the same. "due": those of both whose hours are over.
    every_hours : mapping of "factors" and "content" to hours
    model, rerankers : as in `artifact.train`
    canary : float above 0 and below 1, optional
        Publish to this share of the users only.
    keep : int
        Versions that stay, see `artifact.prune`.
    clock : function that returns seconds since 1970

    Returns
    -------
    Retrained; what fails is in its `reasons`, the version that served goes on serving

    Raises
    ------
    ValueError  for an unknown `what`
    """
    raise NotImplementedError


def join_events(tables: Tables, log: EventLog) -> tuple[Tables, dict[str, int]]:
    """The tables with all that a log holds, and counts of what was joined and what was left out.

    Events that the tables have already (same user, item, type and time: the warehouse was faster) count once. Users who
    are new get an empty profile. Events on items that the catalogue lacks are left out.
    """
    raise NotImplementedError
