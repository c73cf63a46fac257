"""What visitors did, kept for good: an append-only SQLite file that loses nothing it has acknowledged.

    log = EventLog("events.db")
    accepted, duplicates = log.append([{"event_id": "7f3", "user_id": "ann", "item_id": "mug", "event": "click"}])

`append` returns when the events are on the disk. Threads that append at the same time share one write to it (group
commit). An event is taken once, however often it is sent: its id decides.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, fields
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

from reco_utils.core import EVENT, EVENT_TYPES, ITEM, TIME, USER
from reco_utils.data.schema import EARLIEST, STR
from reco_utils.serve.sqlite import SqliteFile, StoreDown

MAX_CHARACTERS = {USER: 10_000}  # of an id; of the other texts:
MAX_TEXT = 1_000
AHEAD_SECONDS = 86_400.0  # clocks of visitors may be that much ahead of ours
MICRO = 1_000_000
MOST = 1e18  # no price, count or time of a visit is larger


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


@dataclass(eq=False, slots=True)
class _Ticket:
    """Events that wait to be written, and what became of them."""

    events: list[Event]
    done: bool = False
    found: Appended | None = None
    failed: str = ""


FIELDS = tuple(f.name for f in fields(Event))
REQUIRED = FIELDS[:4]
NUMBERS = ("value", "quantity", "rating", "dwell_ms")


def read_event(raw: Event | Mapping, now: float, *, latest: float | None = None) -> Event:
    """One event as it came in, checked.

    Parameters
    ----------
    raw : mapping or Event
        event_id, user_id, item_id and event must be there; timestamp is ISO 8601 text or a datetime (without a zone it
        is UTC), `now` if missing; numbers are refused, they might be seconds or milliseconds. The optional fields are
        those of `Event`.
    now : seconds since 1970
    latest : seconds since 1970, optional
        The latest time that is known to have been, if the clock was set back since.

    Raises
    ------
    ValueError  that says what is wrong, without repeating anybody's id
    """
    if isinstance(raw, Event):
        raw = {name: value for name in FIELDS if (value := getattr(raw, name)) is not None}
        seconds = raw.pop(TIME, None)
    elif isinstance(raw, Mapping):
        seconds = _seconds(raw.get(TIME), now)
    else:
        raise ValueError(f"must be a mapping or an Event, got {type(raw).__name__}")
    strange = [str(name)[:40] for name in raw if name not in FIELDS]
    missing = [name for name in REQUIRED if raw.get(name) is None]
    if strange or missing:
        raise ValueError(f"has the unknown fields {strange[:3]}" if strange else f"lacks {missing}")
    for name in ("event_id", USER, ITEM, "session_id", "device"):
        _check_text(name, raw.get(name))
    for name in NUMBERS:
        _check_number(name, raw.get(name))
    if raw[EVENT] not in EVENT_TYPES:
        raise ValueError(f"event must be one of {list(EVENT_TYPES)}, got {str(raw[EVENT])[:40]!r}")
    if raw[EVENT] == "rating" and raw.get("rating") is None:
        raise ValueError("an event of type rating needs a rating")
    _check_time(seconds, max(now, latest or now))
    numbers = {name: float(raw[name]) for name in NUMBERS if raw.get(name) is not None}
    return Event(**{**raw, **numbers, TIME: round(seconds * MICRO) / MICRO})


def _check_text(name, value):
    """Refuse what is no text that a table of events can hold."""
    if value is None:
        return
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, got {type(value).__name__}")
    most = MAX_CHARACTERS.get(name, MAX_TEXT)
    if not 1 <= len(value) <= most:
        raise ValueError(f"{name} must have 1 to {most:,} characters, got {len(value):,}")
    if value[0].isspace() or value[-1].isspace():
        raise ValueError(f"{name} must not begin or end with a space")
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise ValueError(f"{name} is no text: half of a surrogate pair is in it")


def _check_number(name, value):
    if value is None:
        return
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not -MOST <= value <= MOST:
        raise ValueError(f"{name} must be a finite number, got {type(value).__name__} {str(value)[:20]}")
    if value < 0 and name != "rating":
        raise ValueError(f"{name} must be 0 or more, got {value}")


def _seconds(when, now):
    """A time in seconds since 1970; `now` if there is none."""
    if when is None:
        return now
    if isinstance(when, str):
        try:
            when = datetime.fromisoformat(when)
        except ValueError:
            raise ValueError(f"timestamp must be ISO 8601, e.g. 2024-06-30T12:00:00Z, got {when[:40]!r}") from None
    if not isinstance(when, datetime) or pd.isna(when):
        raise ValueError(f"timestamp must be ISO 8601 text, got {type(when).__name__}")
    try:
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):  # the year 1 in a zone east of Greenwich
        raise ValueError("timestamp is out of range") from None


def _check_time(seconds, now):
    if not seconds >= EARLIEST.timestamp():
        raise ValueError(f"timestamp must be after {EARLIEST.date()}")
    if seconds > now + AHEAD_SECONDS:
        raise ValueError("timestamp is more than a day in the future")


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
        If it is set back, times that it has shown already are still believed.
    """

    path: str | os.PathLike
    timeout_ms: float = 5_000.0
    clock: Callable[[], float] = time.time
    _latest: float = field(default=0.0, init=False, repr=False)

    def __post_init__(self):
        self.file = SqliteFile(self.path, TABLE, "event log", self.timeout_ms, "FULL")
        self._door, self._busy, self._waiting = threading.Condition(), False, []  # one writes, the others queue up
        self.ping()

    def append(self, events: Sequence[Event | Mapping]) -> Appended:
        """Take events, all or none; when this returns they survive a crash and a power cut.

        Events whose id is there already, or comes twice in the list, are not written again: the first one counts.

        Raises
        ------
        BadEvents  with all that is wrong by position; nothing was written
        StoreDown  when the disk does not take them; nothing was acknowledged, send them again
        """
        ticket = _Ticket(self._checked(events))
        if not ticket.events:
            return Appended([], [])
        with self._door:
            self._waiting.append(ticket)
            while self._busy and not ticket.done:
                self._door.wait()
            if not ticket.done:  # nobody writes: write for all who wait
                self._busy, tickets, self._waiting = True, self._waiting, []
        if not ticket.done:
            self._write(tickets)
        if ticket.failed:
            raise StoreDown(ticket.failed)
        return ticket.found

    def since(self, n: int = 0, limit: int | None = None) -> Since:
        """The events taken after number `n` (0: from the beginning), at most `limit`."""
        rows = self._read(
            f"SELECT n, {', '.join(FIELDS)} FROM events WHERE n > ? ORDER BY n LIMIT ?",
            n,
            -1 if limit is None else limit,
        )
        return Since(rows[-1][0] if rows else n, [_event(row[1:]) for row in rows])

    def to_frame(self, since: int = 0) -> pd.DataFrame:
        """The events taken after number `since` as a canonical table, sorted by time.

        Ids are text; optional columns are there only if something is in them.
        """
        names = FIELDS[1:]
        rows = self._read(f"SELECT {', '.join(names)} FROM events WHERE n > ? ORDER BY timestamp, n", since)
        columns = dict(zip(names, zip(*rows))) if rows else {name: [] for name in REQUIRED[1:] + (TIME,)}
        frame = {name: columns[name] for name in names if name in columns and any(v is not None for v in columns[name])}
        frame = pd.DataFrame({**{name: columns[name] for name in (USER, ITEM, EVENT, TIME)}, **frame})
        types = {name: float for name in NUMBERS} | {USER: STR, ITEM: STR, "session_id": STR}
        types |= {EVENT: "category", "device": "category", TIME: "datetime64[us]"}
        return frame.astype({name: kind for name, kind in types.items() if name in frame})

    def __len__(self) -> int:
        """How many events are kept."""
        return self._read("SELECT COUNT(*) FROM events")[0][0]

    def forget(self, user_id: str) -> int:
        """Remove all events of a user, and every byte of the id from the files; how many events there were.

        The file is searched for the id afterwards; if it is found in what SQLite left behind, the file is written anew
        (as it is when the id happens to be part of something else). Appends wait meanwhile.

        Raises
        ------
        StoreDown  when another process keeps reading, so that the old content cannot be removed; ask again
        """
        with self._alone():
            with self.file.change() as con:
                n = con.execute("DELETE FROM events WHERE user_id = ?", (user_id,)).rowcount
            self.file.scrub(user_id)
            return n

    def trace(self, user_id: str) -> list[str]:
        """Where the log still holds a user, in words; [] after `forget`."""
        n = self._read("SELECT COUNT(*) FROM events WHERE user_id = ?", user_id)[0][0]
        return [f"{n} rows of {self.file.path.name}"] if n else []

    def ping(self) -> None:
        """Raise StoreDown unless the log can be written."""
        with self._alone(), self.file.change():
            pass

    def close(self) -> None:
        """Close the file; an append under way is finished first. The next call opens it again."""
        with self._alone():
            self.file.close()

    def _checked(self, events):
        """The events as `Event`, or BadEvents with everything that is wrong."""
        if isinstance(events, (Event, Mapping, str, bytes)):
            raise TypeError("events must be a list of events, got a single one")
        now, read, problems = self.clock(), [], {}
        self._latest = max(self._latest, now)
        for at, raw in enumerate(events):
            try:
                read.append(read_event(raw, now, latest=self._latest))
            except ValueError as problem:
                problems[at] = str(problem)
        if problems:
            raise BadEvents(problems)
        return read

    def _write(self, tickets):
        """Write what several threads want written, in one transaction, and tell them."""
        try:
            with self.file.change() as con:
                found = [_insert(con, ticket.events, self.clock()) for ticket in tickets]
            for ticket, each in zip(tickets, found):
                ticket.found = each
        except StoreDown as error:
            for ticket in tickets:
                ticket.failed = str(error)
        except BaseException:  # Ctrl-C: nobody is told that anything was written
            for ticket in tickets:
                ticket.failed = f"{self.file.name}: interrupted"
            raise
        finally:
            for ticket in tickets:
                ticket.done = True
            self._leave()

    @contextmanager
    def _alone(self):
        """While nobody appends."""
        with self._door:
            while self._busy:
                self._door.wait()
            self._busy = True
        try:
            yield
        finally:
            self._leave()

    def _leave(self):
        with self._door:
            self._busy = False
            self._door.notify_all()

    def _read(self, sql, *values):
        """Rows of a query, beside whoever is writing."""
        with self.file.use("read") as con:
            return con.execute(sql, values).fetchall()


TABLE = """
CREATE TABLE IF NOT EXISTS events (
    n INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, item_id TEXT NOT NULL,
    event TEXT NOT NULL, timestamp INTEGER NOT NULL, session_id TEXT, value REAL, quantity REAL, rating REAL,
    device TEXT, dwell_ms REAL, received INTEGER NOT NULL
)"""  # times in microseconds since 1970; a number is never used again
INSERT = (
    f"INSERT INTO events ({', '.join(FIELDS)}, received) VALUES ({', '.join('?' * (len(FIELDS) + 1))}) "
    "ON CONFLICT (event_id) DO NOTHING"
)
AT = FIELDS.index(TIME)


def _insert(con, events, now):
    """Write events into the open transaction; which were new and which were not."""
    found = Appended([], [])
    for event in events:
        row = list(astuple(event))
        row[AT] = round(event.timestamp * MICRO)
        if con.execute(INSERT, (*row, round(now * MICRO))).rowcount:
            found.accepted.append(event)
        else:
            found.duplicates.append(event.event_id)
    return found


def _event(row):
    """A row of the table as an Event."""
    return Event(*row[:AT], row[AT] / MICRO, *row[AT + 1 :])
