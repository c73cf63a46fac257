"""One small store of bytes under text keys, three times: in this process, in a SQLite file, in Redis.

    store = open_kv("memory:")                 # or "sqlite:///shop.db", "redis://host:6379/0"; None asks REDIS_URL
    store.set("greeting", b"hello", ttl=60)

All three pass the same tests. Whatever goes wrong on the other side (killed, slow, full, broken) is one error,
`StoreDown`, within the timeout; when the store is back, the next call works again.

People's ids are any text and must not be readable in a key, so keys hold `hashed(id, secret)`.
"""

import hashlib
import math
import os
import re
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from reco_utils.serve.sqlite import UTF8, SqliteFile, StoreDown

MAX_VALUE = 2**20  # bytes of one value; a list of recommendations has a few thousand


class KeyValue(ABC):
    """What the feature store and the cache need of a store. Safe to share between threads.

    Keys are any text, values are bytes, at most 1 MB. A `ttl` is in seconds, more than 0, None for ever. Every method
    may raise StoreDown; ValueError and TypeError are the caller's mistakes, and leave the store as it was.
    """

    answers_within_ms = math.inf  # a question is answered or given up by then

    @abstractmethod
    def get_many(self, keys: Sequence[str]) -> list[bytes | None]: ...

    @abstractmethod
    def delete(self, *keys: str) -> int: ...

    @abstractmethod
    def keys(self, prefix: str) -> list[str]: ...

    @abstractmethod
    def expires_in(self, key: str) -> float | None: ...

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def _write(self, values: Mapping[str, bytes], ttl: float | None): ...

    @abstractmethod
    def _append(self, key: str, added: bytes, max_bytes: int, ttl: float | None): ...

    def get(self, key: str) -> bytes | None:
        """The value under a key, or None."""
        return self.get_many([key])[0]

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """Keep a value under a key for `ttl` seconds."""
        self.set_many({key: value}, ttl)

    def set_many(self, values: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Keep several values; on disk and in Redis two hundred at a time, so that others get their turn."""
        for key, value in values.items():
            _check(key, value, ttl)
        self._write(values, ttl)

    def push(self, key: str, lines: Iterable[bytes], *, max_bytes: int, ttl: float | None = None) -> None:
        """Append lines to the value under a key, as one step; the oldest lines go when it grows beyond `max_bytes`."""
        added = _joined(lines, max_bytes)
        _check(key, b"", ttl)
        self._append(key, added, max_bytes, ttl)

    def delete_prefix(self, prefix: str) -> int:
        """Remove the keys that begin so; how many there were."""
        return self.delete(*self.keys(prefix))

    def scrub(self, text: str) -> None:
        """Make sure that a text that was part of deleted keys is not left in the store's files; most have none."""
        return None


def hashed(user_id: str, secret: bytes = b"") -> str:
    """The part of a key that stands for a person: 32 hexadecimal digits, the same for the same id and secret.

    Keyed, because ids can be guessed: of e-mail addresses or small numbers a plain hash is undone by trying them all,
    one with a secret only by whoever has the secret. It is an argument, not a constant: all processes that share a
    store must be given the same one, and a new one makes everything stored before unfindable (it expires unread).
    Without a secret it is a plain hash, good enough where the store is a file beside the event log, which holds the
    ids anyway.

    Source: BLAKE2b (Aumasson et al. 2013), keyed, 128 bits.
    """
    return hashlib.blake2b(user_id.encode(*UTF8), digest_size=16, key=secret).hexdigest()


def _check(key, value=b"", ttl=None):
    """Refuse what no store takes."""
    if not isinstance(key, str):
        raise TypeError(f"a key must be text, got {type(key).__name__}")
    if not isinstance(value, bytes):
        raise TypeError(f"a value must be bytes, got {type(value).__name__}")
    if len(value) > MAX_VALUE:
        raise ValueError(f"a value has at most {MAX_VALUE:,} bytes, got {len(value):,}")
    if ttl is not None and not 0 < ttl < math.inf:
        raise ValueError(f"ttl must be more than 0 seconds and finite, or None for ever, got {ttl}")


def _joined(lines, max_bytes):
    """Lines as one text, each with its end; refuses lines that could never be kept."""
    lines = list(lines)
    if not 1 <= max_bytes <= MAX_VALUE:
        raise ValueError(f"max_bytes must be 1 to {MAX_VALUE:,}, got {max_bytes}")
    for line in lines:
        if b"\n" in line or len(line) >= max_bytes:
            raise ValueError(f"a line has no line end inside and fewer than {max_bytes:,} bytes, got {len(line):,}")
    return b"".join(line + b"\n" for line in lines)


def _cut(text, max_bytes):
    """The last whole lines of a text that fit."""
    over = len(text) - max_bytes
    return text[text.index(b"\n", over - 1) + 1 :] if over > 0 else text


def _parts(items, size):
    """A sequence in lists of at most `size`."""
    items = iter(items)
    while part := list(islice(items, size)):
        yield part


@dataclass(eq=False)
class MemoryKV(KeyValue):
    """A store in this process that forgets what was used longest ago when it is full.

    Parameters
    ----------
    max_bytes : int
        Keys, values and what Python adds to them (some 250 bytes an entry) never take more than this.
    clock : function () -> seconds
        Monotonic by default, so that a jump of the wall clock neither ends nor prolongs a ttl.
    """

    max_bytes: int = 64 * 2**20
    clock: Callable[[], float] = time.monotonic
    n_bytes: int = field(default=0, init=False)

    answers_within_ms = 0.0
    ENTRY_BYTES = 250  # of the dictionary, the tuple and two numbers: measured, 150 to 230

    def __post_init__(self):
        if not self.max_bytes >= 1:
            raise ValueError(f"max_bytes must be at least 1, got {self.max_bytes}")
        self._entries: OrderedDict[str, tuple] = OrderedDict()  # key -> value, end, ttl; used longest ago first
        self._lock = threading.Lock()

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values under some keys, None where there is none."""
        with self._lock:
            return [self._read(key) for key in keys]

    def delete(self, *keys: str) -> int:
        """Remove keys; how many there were."""
        with self._lock:
            return sum(self._read(key) is not None and self._drop(key) for key in dict.fromkeys(keys))

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin so, in no order."""
        with self._lock:
            found = [key for key in self._entries if key.startswith(prefix)]
            return [key for key in found if self._read(key) is not None]

    def expires_in(self, key: str) -> float | None:
        """Seconds left, infinity for ever, None without such a key."""
        with self._lock:
            if self._read(key) is None:
                return None
            _, end, _ = self._entries[key]
            return math.inf if end is None else max(0.0, end - self.clock())

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self.n_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def _size(self, key, value):
        return sys.getsizeof(key) + len(value) + self.ENTRY_BYTES

    def _check_room(self, key, value):
        """Refuse an entry that would not fit even alone."""
        if self._size(key, value) > self.max_bytes:
            raise ValueError(f"an entry of {self._size(key, value):,} bytes does not fit max_bytes {self.max_bytes:,}")

    def _read(self, key):
        """The value if it is there and its time is not over; it is now the one used last."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, end, ttl = entry
        if end is not None:
            left = end - self.clock()
            if left <= 0:
                self._drop(key)
                return None
            if left > ttl:  # the clock was set back
                self._entries[key] = value, self.clock() + ttl, ttl
        self._entries.move_to_end(key)
        return value

    def _write(self, values, ttl):
        for key, value in values.items():
            self._check_room(key, value)
        with self._lock:
            for key, value in values.items():
                self._put(key, value, ttl)

    def _append(self, key, added, max_bytes, ttl):
        with self._lock:
            value = _cut((self._read(key) or b"") + added, max_bytes)
            self._check_room(key, value)
            self._put(key, value, ttl)

    def _put(self, key, value, ttl):
        self._drop(key)
        self._entries[key] = value, None if ttl is None else self.clock() + ttl, ttl
        self.n_bytes += self._size(key, value)
        while self.n_bytes > self.max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key):
        """Remove an entry; was there one?"""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.n_bytes -= self._size(key, entry[0])
        return entry is not None


@dataclass(eq=False)
class SqliteKV(KeyValue):
    """A store in a file that several processes of one machine may share, and that outlives them.

    A crash of a process loses nothing; a power cut may lose the last moments, but never damages the file.

    Parameters
    ----------
    path : path
        Made if it is not there, with its folder. ":memory:" is refused: that is `MemoryKV`.
    timeout_ms : float
        How long a call waits for another process that is writing.
    clock : function () -> seconds since 1970
        A ttl ends by the wall clock. When it was set back, an entry is kept as long as its ttl says, counted anew.
    """

    path: str | os.PathLike
    timeout_ms: float = 50.0
    clock: Callable[[], float] = time.time

    SWEEP = 1_000  # writes between two looks at twice as many rows for those whose time is over

    def __post_init__(self):
        self.file = SqliteFile(self.path, TABLE, "sqlite file", self.timeout_ms, "NORMAL")
        self._n_writes = self._swept = 0
        with self.file.change() as con:
            self._sweep(con)

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values under some keys, None where there is none."""
        with self.file.use("read") as con:
            return [self._read(con, key) for key in keys]

    def delete(self, *keys: str) -> int:
        """Remove keys; how many there were."""
        with self.file.change() as con:
            found = [key for key in dict.fromkeys(keys) if self._read(con, key) is not None]
            con.executemany("DELETE FROM kv WHERE key = ?", [(_coded(key),) for key in keys])
        return len(found)

    def delete_prefix(self, prefix: str) -> int:
        """Remove the keys that begin so, also those whose time is over; how many were alive."""
        where, span = _span(prefix)
        with self.file.change() as con:
            n = len(self._found(con, prefix))
            con.execute(f"DELETE FROM kv WHERE {where}", span)
        return n

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin so, in order."""
        with self.file.use("read") as con:
            return self._found(con, prefix)

    def expires_in(self, key: str) -> float | None:
        """Seconds left, infinity for ever, None without such a key."""
        with self.file.use("read") as con:
            if self._read(con, key) is None:
                return None
            (end,) = con.execute("SELECT expires FROM kv WHERE key = ?", (_coded(key),)).fetchone()
        return math.inf if end is None else max(0.0, end - self.clock())

    def scrub(self, text: str) -> None:
        """Search the file for a text, and write it anew if the text is there; takes as long as reading the file."""
        self.file.scrub(text)

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        self.file.close()

    def _read(self, con, key):
        row = con.execute("SELECT value, expires, ttl FROM kv WHERE key = ?", (_coded(key),)).fetchone()
        if row is None or row[1] is None:
            return row and row[0]
        value, end, ttl = row
        left = end - self.clock()
        if left > ttl:  # the clock was set back
            con.execute("UPDATE kv SET expires = ? WHERE key = ?", (self.clock() + ttl, _coded(key)))
        return value if left > 0 else None

    def _found(self, con, prefix):
        """The keys that begin so and whose time is not over."""
        where, span = _span(prefix)
        alive = f"SELECT key FROM kv WHERE {where} AND (expires IS NULL OR expires > ?) ORDER BY key"
        return [key.decode(*UTF8) for (key,) in con.execute(alive, (*span, self.clock()))]

    def _write(self, values, ttl):
        for part in _parts(values.items(), 200):
            with self.file.change() as con:
                self._put(con, part, ttl)

    def _append(self, key, added, max_bytes, ttl):
        with self.file.change() as con:
            value = _cut((self._read(con, key) or b"") + added, max_bytes)
            self._put(con, [(key, value)], ttl)

    def _put(self, con, entries, ttl):
        end = None if ttl is None else self.clock() + ttl
        rows = [(_coded(key), end, ttl, value) for key, value in entries]
        con.executemany(UPSERT, rows)
        self._n_writes += len(rows)
        if self._n_writes >= self.SWEEP:
            self._sweep(con)

    def _sweep(self, con):
        """Remove what is over among the next rows; at the end of the table, from its beginning again.

        An index by the end of the time would find them at once, but doubles the work of every write.
        """
        rows = con.execute("SELECT rowid, expires FROM kv WHERE rowid > ? LIMIT ?", (self._swept, 2 * self.SWEEP))
        rows, now = rows.fetchall(), self.clock()
        over = [(rowid,) for rowid, end in rows if end is not None and end <= now]
        con.executemany("DELETE FROM kv WHERE rowid = ?", over)
        self._swept = rows[-1][0] if len(rows) == 2 * self.SWEEP else 0
        self._n_writes = 0


TABLE = "CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, expires REAL, ttl REAL, value BLOB NOT NULL)"
# in place, where INSERT OR REPLACE would move the row and its key
UPSERT = """
INSERT INTO kv (key, expires, ttl, value) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET expires = excluded.expires, ttl = excluded.ttl, value = excluded.value
"""


def _span(prefix):
    """The condition that a key begins so, and its values."""
    begin = _coded(prefix)
    if not begin:
        return "key >= ?", (b"",)
    return "key >= ? AND key < ?", (begin, begin[:-1] + bytes([begin[-1] + 1]))  # no byte of UTF-8 is the last one


def _coded(key):
    """A key as SQLite keeps it: bytes, in the order of their prefixes."""
    return key.encode(*UTF8)


# append lines; when that is too much, keep the last whole ones
PUSH = """
local over = redis.call('APPEND', KEYS[1], ARGV[1]) - ARGV[2]
if over > 0 then
    local text = redis.call('GET', KEYS[1])
    redis.call('SET', KEYS[1], string.sub(text, string.find(text, '\\n', over, true) + 1))
end
if ARGV[3] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
"""


@dataclass(eq=False)
class RedisKV(KeyValue):
    """A store in a Redis server; it keeps the time itself.

    What was deleted is gone from its memory; its own files, if it was set up to write any, follow when it saves next.

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

    def __post_init__(self):
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        if not self.timeout_ms > 0:
            raise ValueError(f"timeout_ms must be more than 0, got {self.timeout_ms}")
        seconds = self.timeout_ms / 1000
        self._client = redis.Redis.from_url(
            self.url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0)
        )
        self._errors = (redis.RedisError, OSError)
        self._push = self._client.register_script(PUSH)
        at = self._client.connection_pool.connection_kwargs
        self._name = f"redis at {at.get('path') or '{}:{}'.format(at.get('host'), at.get('port'))}"  # no password

    @property
    def answers_within_ms(self) -> float:
        """How long it waits for an answer; as long again when it has to connect first."""
        return self.timeout_ms

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values under some keys, None where there is none."""
        return self._do(lambda client: client.mget([self._key(key) for key in keys])) if len(keys) else []

    def delete(self, *keys: str) -> int:
        """Remove keys; how many there were."""
        parts = _parts((self._key(key) for key in dict.fromkeys(keys)), 1_000)
        return sum(self._do(lambda client, part=part: client.unlink(*part)) for part in parts)

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin so, in no order. Walks through all keys of the server."""
        pattern = re.sub(rb"([*?\[\]\\])", rb"\\\1", self._key(prefix)) + b"*"
        found = self._do(lambda client: set(client.scan_iter(match=pattern, count=1_000)))  # it may tell one twice
        return [key.decode(*UTF8)[len(self.prefix) :] for key in found]

    def expires_in(self, key: str) -> float | None:
        """Seconds left, infinity for ever, None without such a key."""
        left = self._do(lambda client: client.pttl(self._key(key)))
        return {-2: None, -1: math.inf}.get(left, max(0.0, left / 1000))

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._client.close()

    def _write(self, values, ttl):
        def write(client, part):
            if len(part) == 1:  # a pipeline of one costs half as much again
                ((key, value),) = part
                return client.set(self._key(key), value, px=_milliseconds(ttl))
            with client.pipeline(transaction=False) as pipeline:
                for key, value in part:
                    pipeline.set(self._key(key), value, px=_milliseconds(ttl))
                return pipeline.execute()

        for part in _parts(values.items(), 200):
            self._do(lambda client, part=part: write(client, part))

    def _append(self, key, added, max_bytes, ttl):
        milliseconds = "" if ttl is None else _milliseconds(ttl)
        self._do(lambda client: self._push(keys=[self._key(key)], args=[added, max_bytes, milliseconds]))

    def _key(self, key):
        return (self.prefix + key).encode(*UTF8)

    def _do(self, call):
        """call(client), with any failure as StoreDown."""
        try:
            return call(self._client)
        except self._errors as error:
            raise StoreDown(f"{self._name}: {error}") from error


def _milliseconds(ttl):
    """A ttl as Redis takes it, at least 1; None stays None."""
    return None if ttl is None else max(1, math.ceil(ttl * 1000))


def open_kv(url: str | None = None) -> KeyValue:
    """The store behind a url: "memory:", "sqlite:///folder/file.db" or "redis://host:port/database".

    Three slashes and a relative path, four for an absolute one. Without a url, the environment's REDIS_URL; without
    that, memory. Redis need not be up yet.

    Raises
    ------
    ValueError  for another url
    """
    url = url or os.environ.get("REDIS_URL") or "memory:"
    if url == "memory:":
        return MemoryKV()
    if url.startswith("sqlite:///"):
        return SqliteKV(url.removeprefix("sqlite:///"))
    if url.startswith(("redis://", "rediss://", "unix://")):
        return RedisKV(url)
    kind = url.partition(":")[0]
    raise ValueError(
        f"a store is 'memory:', 'sqlite:///file' or 'redis://host:port/database', got {kind!r} as its kind"
    )
