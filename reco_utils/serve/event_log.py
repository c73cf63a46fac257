"""What visitors did, kept for good: an append-only SQLite file that loses nothing it has acknowledged.

    log = EventLog("events.db")
    accepted, duplicates = log.append([{"event_id": "7f3", "user_id": "ann", "item_id": "mug", "event": "click"}])

`append` returns when the events are on the disk. Threads that append at the same time share one write to it (group
commit). An event is taken once, however often it is sent: its id decides.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a visitor did: a row of the canonical events, and its id; `timestamp` in seconds since 1970 (UTC)."""

    event_id: str
    user_id: str
    item_id: str
    event: str
    timestamp: float
    session_id: str | None = None
    value: float | None = None
    quantity: float | None = None
    rating: float | None = None
    device: str | None = None
    dwell_ms: float | None = None


class BadEvents(ValueError):
    """Events that cannot be taken; `problems` maps the position in the list to what is wrong. Nothing was written."""

    def __init__(self, problems: Mapping[int, str]):
        self.problems = dict(problems)
        first = "; ".join(f"event {at}: {what}" for at, what in list(self.problems.items())[:3])
        super().__init__(f"{len(self.problems)} bad event{'s' * (len(self.problems) > 1)}, nothing was taken: {first}")


class Appended(NamedTuple):
    """`accepted`: the events that are new, checked and complete; `duplicates`: ids that were there already."""

    accepted: list[Event]
    duplicates: list[str]


class Since(NamedTuple):
    """`last`: the number to ask from next time; `events`: in the order in which they were taken."""

    last: int
    events: list[Event]


def read_event(raw: Event | Mapping, now: float) -> Event:
    """One event as it came in, checked.

    Parameters
    ----------
    raw : mapping or Event
        event_id, user_id, item_id and event must be there; timestamp is ISO 8601 text or a datetime (without a zone it
        is UTC), `now` if missing; numbers are refused, they might be seconds or milliseconds. The optional fields are
        those of `Event`.
    now : seconds since 1970

    Raises
    ------
    ValueError  that says what is wrong, without repeating anybody's id
    """
    raise NotImplementedError


@dataclass(eq=False)
class EventLog:
    """Append-only events in a SQLite file (write-ahead log, every commit on the disk before it is acknowledged).

    Parameters
    ----------
    path : path
        Made if it is not there. Several processes of one machine may append to it.
    timeout_ms : float
        How long to wait for another process that is writing.
    clock : function () -> seconds since 1970
        Stamps events that come without a time, and says which are too far in the future (more than a day) to be true.
    """

    path: str | os.PathLike
    timeout_ms: float = 5_000.0
    clock: Callable[[], float] = time.time

    def append(self, events: Sequence[Event | Mapping]) -> Appended:
        """Take events, all or none; when this returns they survive a crash and a power cut.

        Events whose id is there already, or comes twice in the list, are not written again: the first one counts.

        Raises
        ------
        BadEvents  with all that is wrong by position; nothing was written
        StoreDown  when the disk does not take them; nothing was acknowledged, send them again
        """
        raise NotImplementedError

    def since(self, n: int = 0, limit: int | None = None) -> Since:
        """The events taken after number `n` (0: from the beginning), at most `limit`."""
        raise NotImplementedError

    def to_frame(self, since: int = 0) -> pd.DataFrame:
        """The events as a canonical table, sorted by time; optional columns only where something is in them."""
        raise NotImplementedError

    def __len__(self) -> int:
        """How many events are kept."""
        raise NotImplementedError

    def forget(self, user_id: str) -> int:
        """Remove all events of a user, and every byte of the id from the files; how many events there were."""
        raise NotImplementedError

    def trace(self, user_id: str) -> list[str]:
        """Where the log still holds a user, in words; [] after `forget`."""
        raise NotImplementedError

    def ping(self) -> None:
        """Raise StoreDown unless the log can be written."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file; appends under way are finished first."""
        raise NotImplementedError
