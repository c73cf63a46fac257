"""One at a time: a lock on a file that dies with its process, so that a crash leaves nothing locked."""

import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

HOUR = 3600.0


class Locked(BlockingIOError):
    """Somebody else is at it; the sentence says who and since when."""


def held(path: Path | str, flags: int = os.O_RDONLY, *, wait: bool = True) -> int | None:
    """A file or folder, opened and locked until `os.close`; None if somebody else has it and we do not wait.

    Raises
    ------
    OSError  on Windows, which locks no folders and does not let a file be replaced that somebody has mapped
    """
    if fcntl is None:
        raise OSError("versions and lists are kept with locks of a Unix system; on Windows use WSL or a container")
    handle = os.open(path, flags, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return handle
    except BlockingIOError:
        os.close(handle)
        return None
    except BaseException:
        os.close(handle)
        raise


@dataclass(eq=False)
class Lock:
    """A context manager that holds a file locked, or raises `Locked` at once.

    The operating system keeps the lock and drops it when the process ends, however it ends. So a file that was left
    behind by a killed process or a power cut locks nobody out: `leftover` then says whose it was. The file's text is
    for people alone. All who shall exclude each other must see the same file: one machine, or a network file system
    with locks (NFS 4 has them, mounted buckets have not).

    Parameters
    ----------
    path : path
        Of the lock file; made with its folder if it is not there, and never removed.
    what : str
        What goes on under the lock, for the sentence: "a training".
    clock : function that returns seconds since 1970
    """

    path: Path | str
    what: str = "a run"
    clock: Callable[[], float] = time.time
    leftover: str | None = field(default=None, init=False)
    _file: int | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> "Lock":
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        file = held(self.path, os.O_RDWR | os.O_CREAT, wait=False)
        if file is None:
            holder = self._told(Path(self.path).read_bytes())
            raise Locked(f"{self.what} is under way: {holder or 'it began this moment'}")
        told = self._told(os.pread(file, 1000, 0))
        self.leftover = told and f"{self.what} was cut off: {told}"
        me = {"pid": os.getpid(), "host": socket.gethostname(), "since": self.clock()}
        self._write(file, json.dumps(me))
        self._file = file
        return self

    def __exit__(self, *error) -> None:
        file, self._file = self._file, None
        self._write(file, "")  # done: nothing is left over
        os.close(file)

    def _write(self, file, text):
        os.ftruncate(file, 0)
        os.pwrite(file, text.encode(), 0)

    def _told(self, text) -> str | None:
        """What a file's text says of its owner, None if nothing that makes sense."""
        try:
            owner = json.loads(text)
            hours = (self.clock() - owner["since"]) / HOUR
            return f"process {owner['pid']} on {owner['host']}, since {hours:.1f} hours"
        except (ValueError, TypeError, LookupError):
            return None
