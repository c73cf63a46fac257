"""One small store of bytes under text keys, three times: in this process, in a SQLite file, in Redis.

    store = open_kv("memory:")                 # or "sqlite:///shop.db", "redis://host:6379/0"; None asks REDIS_URL
    store.set("greeting", b"hello", ttl=60)

All three pass the same tests. Whatever goes wrong on the other side (killed, slow, full, broken) is one error,
`StoreDown`, within the timeout; when the store is back, the next call works again.

People's ids are any text and must not be readable in a key, so keys hold `hashed(id, secret)`.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_VALUE = 2**20  # bytes of one value; a list of recommendations has a few thousand


class StoreDown(ConnectionError):
    """The store cannot answer; the text says which one and why. Nothing is known about what was asked of it."""


class KeyValue(Protocol):
    """What the feature store and the cache need of a store. Safe to share between threads.

    Keys are any text, values are bytes, at most 1 MB. A `ttl` is in seconds, more than 0, None for ever. Every method
    may raise StoreDown; ValueError and TypeError are the caller's mistakes.

    - `push` appends lines to a value, as one step; the oldest lines go when it grows beyond `max_bytes`.
    - `delete` and `delete_prefix` return how many keys there were.
    - `expires_in` is in seconds, at least 0, infinity for ever, None without such a key.
    - `scrub` makes sure that what was deleted cannot be read in the store's files either.
    - `ping` returns when all is well.
    """

    def get(self, key: str) -> bytes | None: ...

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]: ...

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None: ...

    def set_many(self, values: Mapping[str, bytes], ttl: float | None = None) -> None: ...

    def push(self, key: str, lines: Iterable[bytes], *, max_bytes: int, ttl: float | None = None) -> None: ...

    def delete(self, *keys: str) -> int: ...

    def delete_prefix(self, prefix: str) -> int: ...

    def expires_in(self, key: str) -> float | None: ...

    def scrub(self) -> None: ...

    def ping(self) -> None: ...

    def close(self) -> None: ...


def hashed(user_id: str, secret: bytes = b"") -> str:
    """The part of a key that stands for a person: 32 hexadecimal digits, the same for the same id and secret.

    Keyed, because ids can be guessed: of e-mail addresses or small numbers a plain hash is undone by trying them all,
    one with a secret only by whoever has the secret. It is an argument, not a constant: all processes that share a
    store must be given the same one, and a new one makes everything stored before unfindable (it expires unread).
    Without a secret it is a plain hash, good enough where the store is a file beside the event log, which holds the
    ids anyway.

    Source: BLAKE2b (Aumasson et al. 2013), keyed, 128 bits.
    """
    raise NotImplementedError


@dataclass(eq=False)
class MemoryKV:
    """A store in this process that forgets what was used longest ago when it is full.

    Parameters
    ----------
    max_bytes : int
        Keys, values and what Python adds to them (about 200 bytes an entry) never take more than this.
    clock : function () -> seconds
        Monotonic by default, so that a jump of the wall clock neither ends nor prolongs a ttl.
    """

    max_bytes: int = 64 * 2**20
    clock: Callable[[], float] = time.monotonic


@dataclass(eq=False)
class SqliteKV:
    """A store in a file that several processes of one machine may share, and that outlives them.

    Parameters
    ----------
    path : path
        Made if it is not there. "" or ":memory:" is refused: that is `MemoryKV`.
    timeout_ms : float
        How long a call waits for another process that is writing.
    clock : function () -> seconds since 1970
        A ttl ends by the wall clock. When it was set back, an entry is kept as long as its ttl says, counted anew.
    """

    path: str | os.PathLike
    timeout_ms: float = 50.0
    clock: Callable[[], float] = time.time


@dataclass(eq=False)
class RedisKV:
    """A store in a Redis server; it keeps the time itself.

    Parameters
    ----------
    url : "redis://[[user]:password@]host:port/database", also "rediss://" and "unix://"
    timeout_ms : float
        How long to wait for a connection and for an answer.
    prefix : str
        Put before all keys, so that several shops can share a server.
    """

    url: str
    timeout_ms: float = 50.0
    prefix: str = "reco:"


def open_kv(url: str | None = None) -> KeyValue:
    """The store behind a url: "memory:", "sqlite:///folder/file.db" or "redis://host:port/database".

    Without one, the environment's REDIS_URL; without that, memory. Redis need not be up yet.

    Raises
    ------
    ValueError  for another url
    """
    raise NotImplementedError
