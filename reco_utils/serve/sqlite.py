"""One SQLite file, used by many threads and processes: opened when it is needed, and clean of what was deleted."""

import mmap
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UTF8 = ("utf-8", "surrogatepass")  # half a surrogate pair is no text, but may well be in a key or an id


class StoreDown(ConnectionError):
    """The store cannot answer; the text says which one and why. Nothing is known about what was asked of it."""


class SqliteFile:
    """Two connections to a file, for who reads does not wait for who writes; one thread at a time has each.

    Write-ahead log, no implicit BEGIN. Whatever goes wrong is StoreDown: the connection is closed, which ends its
    transaction without effect, and the next use opens it again.

    Parameters
    ----------
    path : path
        Made if it is not there, with its folder.
    table : SQL that makes what shall be in it
    name : what it is, for errors: "event log"
    timeout_ms : float
        How long to wait for another process that is writing.
    synchronous : {"NORMAL", "FULL"}
        FULL: a commit has reached the disk when it returns.
    """

    def __init__(self, path: str | os.PathLike, table: str, name: str, timeout_ms: float, synchronous: str):
        if str(path) in ("", ":memory:"):
            raise ValueError(f"path must be a file, got {str(path)!r}: what is in memory ends with the process")
        self.path, self.table, self.timeout_ms, self.synchronous = Path(path), table, timeout_ms, synchronous
        self.name = f"{name} {self.path.name}"
        self._locks = {"read": threading.Lock(), "write": threading.Lock()}
        self._connections: dict[str, sqlite3.Connection] = {}

    @contextmanager
    def use(self, use: str) -> Iterator[sqlite3.Connection]:
        """The connection that reads, or the one that writes, while the block lasts."""
        with self._locks[use]:
            try:
                yield self._connections.get(use) or self._open(use)
            except BaseException as error:
                self._give_up(use)
                if isinstance(error, (sqlite3.Error, OSError)) and not isinstance(error, StoreDown):
                    raise StoreDown(f"{self.name}: {error}") from error
                raise

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """The connection that writes, in a transaction: all of the block, or nothing."""
        with self.use("write") as con:
            con.execute("BEGIN IMMEDIATE")
            yield con
            con.execute("COMMIT")

    def scrub(self, text: str) -> None:
        """Make sure that a text of deleted rows is nowhere in the file and its log; takes as long as reading the file.

        `secure_delete` overwrites deleted rows where they were, but not the copies that are left behind when a page is
        filled anew; only writing the whole file again does. So it is written again if the text is still found.
        """
        with self.use("read"), self.use("write") as con:
            _empty_log(con)
            if any(_contains(Path(f"{self.path}{end}"), text.encode(*UTF8)) for end in ("", "-wal")):
                con.execute("VACUUM")
                _empty_log(con)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        for use, lock in self._locks.items():
            with lock:
                self._give_up(use)

    def _open(self, use):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        con = sqlite3.connect(self.path, timeout=self.timeout_ms / 1000, isolation_level=None, check_same_thread=False)
        self._connections[use] = con
        for setting in ("journal_mode = WAL", f"synchronous = {self.synchronous}", "secure_delete = ON"):
            con.execute(f"PRAGMA {setting}")
        con.execute(self.table)
        return con

    def _give_up(self, use):
        if use in self._connections:
            self._connections.pop(use).close()


def _empty_log(con):
    """Move everything from the write-ahead log into the file, and cut the log to nothing."""
    (busy, _, _) = con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("another process is reading, so the old content is still in the log; try again")


def _contains(path, text):
    """Is a text in a file? The file is not read into memory."""
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(text) >= 0
