"""What is sold out at this moment: the one thing about the catalogue that cannot wait for the next training."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from reco_utils.serve.kv import KeyValue, MemoryKV, SqliteKV

KEY, FILE = "stock", "stock.db"
MAX_BYTES = 2**19  # of the journal in the store: more than 10,000 changes; older ones are those of former trainings


class Change(NamedTuple):
    """Since `at` (seconds since 1970) the item is in stock, or is not."""

    in_stock: bool
    at: float


class Stock:
    """Changes of stock since the training, kept in a store that processes share and that outlives them.

    A model is trained on a catalogue that says what was in stock then; a change counts until a model is trained that
    knows better. A process sees its own changes at once and those of others when it calls `reload`.

    Parameters
    ----------
    kv : KeyValue, optional
        None keeps changes in this process alone.
    clock : function that returns seconds since 1970
    """

    def __init__(self, kv: KeyValue | None = None, *, clock: Callable[[], float] = time.time):
        self.kv, self.clock = kv, clock
        self._lock = threading.Lock()
        self._changes: dict[str, Change] = {}
        self._stored = b""  # the journal as it was read last

    def set(self, item: str, in_stock: bool) -> None:
        """From now on; the store is told last, so that in this process it holds even when the store is down.

        Raises
        ------
        StoreDown  when other processes, and this one after a restart, cannot know
        """
        change = Change(in_stock, self.clock())
        with self._lock:
            self._changes[item] = change
        if self.kv is not None:
            self.kv.push(KEY, [_line(item, change)], max_bytes=MAX_BYTES)

    def reload(self) -> bool:
        """Read what other processes changed; True if anything is new.

        Raises
        ------
        StoreDown
        """
        stored = (self.kv.get(KEY) if self.kv is not None else None) or b""
        if stored == self._stored:  # asked every second, and as a rule there is nothing new
            return False
        self._stored, before = stored, self.changes()
        with self._lock:
            for line in stored.splitlines():
                item, change = _read(line)
                if item is not None and change.at >= self._changes.get(item, change).at:
                    self._changes[item] = change
        return self.changes() != before

    def changes(self) -> Mapping[str, Change]:
        """The last change of each item."""
        with self._lock:
            return dict(self._changes)


def shared(kv: KeyValue | None, home: Path | str | None) -> KeyValue | None:
    """A store for changes of stock that others can read: the given one, or, if that ends with its process, a file."""
    inside = kv is None or isinstance(kv, MemoryKV)
    return SqliteKV(Path(home) / FILE) if inside and home is not None else kv


def _line(item, change) -> bytes:
    return json.dumps([item, change.in_stock, change.at]).encode()


def _read(line):
    """Item and change of a line of the journal; None and None if it is none."""
    try:
        item, in_stock, at = json.loads(line)
        return str(item), Change(bool(in_stock), float(at))
    except (ValueError, TypeError):
        return None, None
