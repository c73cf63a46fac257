"""Training anew by the clock: factors daily, content weekly, and nothing is published that is worse than what serves.

    found = retrain(home, tables, EventLog("events.db"))       # what cron calls: does what is due
    found.status                                               # 0: all is well, 1: the old version goes on serving

What people did changes every hour, what is written on the boxes does not. So the factors, and all else that learns from
events, are fitted every day. The content model (its words, their weights and the vector of every item) is taken over
from the version that serves if the catalogue is the same, word for word and price for price; once a week it is fitted
again in any case. The search is made each time: it knows what is new and what is popular. Factors cannot be taken over
beside a new content model: the figures that `artifact.check` compares are those of both together.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from reco_utils.core import EVENT, ITEM, TIME, USER, Recommender, Reranker, Tables
from reco_utils.data.schema import canonical
from reco_utils.serve import artifact
from reco_utils.serve.artifact import Artifact, ArtifactError
from reco_utils.serve.event_log import EventLog
from reco_utils.serve.forgotten import forgotten
from reco_utils.serve.lock import HOUR, Lock, Locked

log_of_this = logging.getLogger(__name__)

WHAT = ("factors", "content", "all", "due")
EVERY_HOURS = {"factors": 24.0, "content": 168.0}
EARLY_HOURS = 1.0  # cron is not punctual: what falls due within the hour is due
FITTED = {"factors": "factors_fitted_at", "content": "content_fitted_at"}  # in `manifest.models`
LOCK = "training.lock"


@dataclass(frozen=True)
class Retrained:
    """What a training came to.

    Parameters
    ----------
    version : str or None
        The new version on disk, published or not; None when nothing was trained.
    published : bool
    trained : tuple of str
        "factors", or "factors" and "content".
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
        "factors": all that learns from events; the content model comes from the version that serves, if the catalogue
        is the same. "content" and "all": everything. "due": what has not been fitted for its hours.
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
    if what not in WHAT:
        raise ValueError(f"what must be one of {', '.join(WHAT)}, got {what!r}")
    run = _Run(Path(home), every_hours, canary, keep, clock)
    try:
        with Lock(run.home / LOCK, "a training", clock) as lock:
            run.notes += [lock.leftover] if lock.leftover else []
            return run.finish(tables, log, what, {"model": model, "rerankers": rerankers})
    except Locked as held:
        return Retrained(None, False, reasons=(str(held),))


class _Run:
    """One training under its lock; what it found out so far is in `notes` and `seconds`."""

    def __init__(self, home, every_hours, canary, keep, clock):
        self.home, self.every_hours, self.canary, self.keep, self.clock = home, every_hours, canary, keep, clock
        self.notes, self.seconds, self.version, self.trained = [], {}, None, ()

    def finish(self, tables, log, what, recipe) -> Retrained:
        """Do it, or say why not. Whatever goes wrong, the version that served goes on serving."""
        try:
            reasons = self._reasons(tables, log, what, recipe)
        except Exception as error:  # cron must hear of all of them, and the next run may go better
            log_of_this.exception("the training failed")
            reasons = [f"{type(error).__name__}: {error}"]
        published = self.version is not None and not reasons
        return Retrained(self.version, published, self.trained, tuple(reasons), tuple(self.notes), dict(self.seconds))

    def _reasons(self, tables, log, what, recipe) -> list[str]:
        """Train, save, check and publish; why nothing new was published."""
        old = self._served()
        wanted = self._due(old) if what == "due" else {"factors"} if what == "factors" else {"factors", "content"}
        if not wanted:
            return []
        began = self.clock()  # whoever asks to be forgotten from now on is taken out by `artifact.save`
        with self._timed("tables"):
            tables, asof = self._joined(tables() if callable(tables) else tables, log, old)
        with self._timed("train"):
            old_content = None if "content" in wanted else old
            new = artifact.train(tables, asof=asof, previous=old_content, clock=lambda: began, **recipe)
        new = self._stamped(new, old, wanted)
        with self._timed("save"):
            self.version = artifact.save(new, self.home)
        with self._timed("check"):
            reasons = artifact.check(artifact.load(self.home, self.version), against=old)
        if not reasons:
            with self._timed("publish"):
                self._publish()
        return reasons

    def _served(self) -> Artifact | None:
        """The version that serves, or None."""
        try:
            version = artifact.published(self.home).version
            return None if version is None else artifact.load(self.home, version)
        except ArtifactError as error:
            self.notes.append(f"what serves cannot be read ({error}), so the new version is compared with nothing")
            return None

    def _due(self, old) -> set[str]:
        """What has not been fitted for its hours; everything when nothing serves, or the clock went back."""
        if old is None:
            return {"factors", "content"}
        ages = {part: (self.clock() - _fitted_at(old, part)) / HOUR for part in EVERY_HOURS}
        due = {part for part, age in ages.items() if not 0 <= age < self.every_hours[part] - EARLY_HOURS}
        if not due:
            told = " and ".join(
                f"{part} {age:.1f} hours old (due every {self.every_hours[part]:g})" for part, age in ages.items()
            )
            self.notes.append(f"nothing is due: {told}")
        return due | {"factors"} if due else due

    def _joined(self, tables, log, old) -> tuple[Tables, pd.Timestamp]:
        """The tables with what the service was told and without the forgotten; and the time up to which they know."""
        gone, times = forgotten(self.home), []
        if log is not None:
            tables, counts = join_events(tables, log)
            self.notes += [f"{count:,} {what}" for what, count in counts.items() if count]
        times.append(tables.events[TIME].max())
        if old is not None and gone.since(old.manifest.began):
            times.append(old.data.asof)  # the last to do something may be forgotten; time does not go back for that
        asked = gone.asked_at(tables.profiles[USER])
        if asked:
            self.notes.append(f"{len(asked)} users of the tables asked to be forgotten: all before was left out")
        return gone.left(tables), max(time for time in times if not pd.isna(time))

    def _stamped(self, new, old, wanted) -> Artifact:
        """The artifact with the times at which its parts were fitted."""
        began, taken = new.manifest.trained_at, str(new.manifest.models.get("content", "")).startswith("taken over")
        if taken:
            self.notes.append(f"the content model is that of {old.manifest.version}")
        elif "content" not in wanted and old is not None:
            self.notes.append("the content model was fitted too, because the catalogue has changed")
        self.trained = ("factors",) if taken else ("factors", "content")
        content = old.manifest.models.get(FITTED["content"], old.manifest.trained_at) if taken else began
        models = new.manifest.models | {FITTED["factors"]: began, FITTED["content"]: content}
        return replace(new, manifest=replace(new.manifest, models=models))

    def _publish(self):
        now = artifact.published(self.home)
        canary = self.canary if now.version is not None else None
        if canary is None and now.canary_version is not None:
            self.notes.append(f"the trial of {now.canary_version} has ended, the new version serves everybody")
        artifact.publish(self.home, self.version, canary=canary)
        artifact.prune(self.home, self.keep)

    @contextmanager
    def _timed(self, step) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - began


def _fitted_at(served, part) -> float:
    """When a part of an artifact was fitted, in seconds since 1970."""
    fitted_at = served.manifest.models.get(FITTED[part], served.manifest.trained_at)
    return datetime.fromisoformat(fitted_at).timestamp()


# ------------------------------------------------------------------------------------------------------------- tables
def join_events(tables: Tables, log: EventLog) -> tuple[Tables, dict[str, int]]:
    """The tables with all that a log holds, and counts of what was joined and what was left out.

    Events that the tables have already (same user, item, type and time: the warehouse was faster) count once. Users who
    are new get an empty profile. Events on items that the catalogue lacks are left out.
    """
    found = log.to_frame()
    known = found[ITEM].isin(tables.catalog[ITEM]).to_numpy()
    added = found[known]
    twice = _are_among(added, tables.events)
    added = added[~twice]
    counts = {
        "events of the log joined": len(added),
        "events of the log that the tables had already": int(twice.sum()),
        "events of the log on items that the catalogue lacks": int((~known).sum()),
    }
    if not len(added):
        return tables, counts
    new = pd.Index(added[USER].unique()).difference(pd.Index(tables.profiles[USER]))
    users = pd.Index(tables.profiles[USER]).append(new)
    profiles = tables.profiles.set_index(USER).reindex(users.rename(USER)).reset_index()
    ids = {USER: users, ITEM: pd.Index(tables.catalog[ITEM])}
    events = pd.concat([_coded(frame, ids) for frame in (tables.events, added)], ignore_index=True)
    kept = {name: getattr(tables, name) for name in ("defaults", "report", "tastes")}
    joined = canonical(tables.name, events, tables.catalog, profiles, **kept)
    counts["users who are new"] = len(new)
    return joined, counts


def _coded(events, ids) -> pd.DataFrame:
    """Events whose ids are categories of all ids that there are."""
    coded = {name: pd.Categorical(events[name], categories=among) for name, among in ids.items()}
    return events.assign(**coded).astype({EVENT: object})


def _are_among(added, events):
    """Which events of a log (n,) bool are in a table: same user, item, type and time."""
    columns = [USER, ITEM, EVENT, TIME]
    same_time = events[events[TIME].isin(added[TIME])]
    there = pd.MultiIndex.from_frame(same_time[columns].astype({name: object for name in columns[:3]}))
    asked = pd.MultiIndex.from_frame(added[columns].astype({name: object for name in columns[:3]}))
    return asked.isin(there)
