"""Finished lists, kept for an hour or a day: per user, options, model version and experiment arm.

    cache = ListCache(open_kv())
    key = cache.key("ann", 10, {"reasons": True}, version="2026-11-21", arm="b")
    body = cache.get_or_make(key, lambda: make_the_list())

A key starts with the user's shard and hashed id, so that a user's lists can be found and removed without a table of
who has which. What a purge makes invalid is decided by stamps, not by finding and deleting entries: every list carries
the stamps of its shard and of its user, a purge is one new stamp, and a list that was being made while it happened is
not served afterwards.
"""

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reco_utils.serve.kv import KeyValue, StoreDown, hashed

HOUR, DAY = 3_600.0, 86_400.0
STAMP_TTL = DAY + HOUR  # a stamp outlives every list that it makes invalid
EMPTY = (b"", b"[]", b"{}", b"null", b'""')
MOST_OWED = 10_000
N_SHARDS = 16  # users are spread over so many by the hash of their id; forgetting a user empties one shard
STAMPS = [f"lists:{shard:02d}:stamp" for shard in range(N_SHARDS)]


@dataclass(eq=False, slots=True)
class _Flight:
    """A list that is being made, for all who want it."""

    over: threading.Event = field(default_factory=threading.Event)
    made: bool = False
    value: bytes | None = None
    error: Exception | None = None


class Look(NamedTuple):
    """What was found under a key: the list, the stamp it would have if it were made now, lists made before the look."""

    value: bytes | None = None
    stamp: bytes | None = None
    n_landed: int = 0


@dataclass(eq=False)
class ListCache:
    """Lists as bytes under a key that says for whom, of which length, with which options, by which model.

    Parameters
    ----------
    kv : KeyValue
    ttl : seconds, 3,600 to 86,400
        How long a list may be served. A purge ends it sooner.
    secret : bytes
        Of `kv.hashed`.
    wait_seconds : float
        How long `get_or_make` waits for another thread that is making the same list before it makes one of its own.
    """

    kv: KeyValue
    ttl: float = HOUR
    secret: bytes = b""
    wait_seconds: float = 1.0

    def __post_init__(self):
        if not HOUR <= self.ttl <= DAY:
            raise ValueError(f"ttl must be 3,600 to 86,400 seconds (1 to 24 hours), got {self.ttl}")
        self._flights: dict[str, _Flight] = {}
        self._n_landed = 0  # lists made so far
        self._owed: set[str] = set()  # stamps that could not be written yet
        self._lock = threading.Lock()

    def key(self, user_id: str, k: int, options: Mapping[str, object], version: str, arm: str = "") -> str:
        """The key of one list; equal options in another order are the same key. Values of options: JSON's types."""
        asked = json.dumps([k, options, version, arm], sort_keys=True)
        return f"{self._user(user_id)}{hashlib.blake2b(asked.encode(), digest_size=16).hexdigest()}"

    def get(self, key: str) -> bytes | None:
        """The list under a key, or None when there is none, or when it was purged."""
        return self.look(key).value

    def look(self, key: str) -> Look:
        """The list under a key, and what `get_or_make` or `put` must know to go on from here."""
        n_landed, stamps = self._n_landed, _stamps_of(key)
        if self._owed and (owed := self._owed.intersection(stamps)):
            self._renew(*owed)
        found, *now = self.kv.get_many([key, *stamps])
        stamp = _joined(now)
        made_at, _, value = (found or b"").partition(b"\n")
        return Look(value if found is not None and made_at == stamp else None, stamp, n_landed)

    def put(self, key: str, value: bytes, stamp: bytes | None = None) -> bool:
        """Keep a list for `ttl` seconds; was it kept?

        Parameters
        ----------
        stamp : bytes, optional
            What `look(key)` said before the list was made. If there was a purge since, the list is not kept. Without
            it, the list counts as made now.

        Raises
        ------
        ValueError  for an empty list (b"", "[]", "{}", "null")
        """
        if value.strip() in EMPTY:
            raise ValueError(f"an empty list is not cached, got {value!r}")
        now = _joined(self.kv.get_many(_stamps_of(key)))
        if stamp is not None and stamp != now:
            return False
        self.kv.set(key, now + b"\n" + value, self.ttl)
        return True

    def get_or_make(self, key: str, make: Callable[[], bytes | None], looked: Look | None = None) -> bytes | None:
        """The list under a key; if there is none, what `make()` returns, kept unless it is empty or None.

        Who has looked already says what was found, and saves a look.

        Of several threads that ask for the same key at once, one makes and the others wait for it; what it returns or
        raises is everybody's. When the store is down, the list is made as if nothing had been found, and not kept. Nor
        is it if the user was purged while it was made.
        """
        looked = looked or self._try_to_look(key)
        if looked.value is not None:
            return looked.value
        with self._lock:
            flight = self._flights.get(key)
            mine = flight is None
            if mine:
                flight = self._flights[key] = _Flight()
        if mine:  # others landed since the look, maybe with this one: look once more
            return self._make(key, make, flight, looked)
        flight.over.wait(self.wait_seconds)
        if flight.error is not None:
            raise flight.error
        return flight.value if flight.made else make()

    def purge_user(self, user_id: str) -> None:
        """From now on none of the user's lists is served (one write). For a purchase, or a change of consent.

        Raises
        ------
        StoreDown  the purge is remembered, and done before the next list of this user is served by this process
        """
        self._renew(f"{self._user(user_id)}stamp")

    def purge_all(self) -> None:
        """From now on no list made before is served (one write per shard). For a new model or catalogue.

        Raises
        ------
        StoreDown  as `purge_user`
        """
        self._renew(*STAMPS)

    def forget(self, user_id: str) -> int:
        """Remove every entry of a user from the store; how many there were. Slower than `purge_user`: it searches.

        The lists of the same shard become invalid too: a list that is being made for this user must not be served, and
        a stamp of the user's own would be a trace.
        """
        user = self._user(user_id)
        self._renew(f"{_shard_of(user)}stamp")
        self._owed.discard(f"{user}stamp")
        n = self.kv.delete_prefix(user)
        self.kv.scrub(user)
        return n

    def trace(self, user_id: str) -> list[str]:
        """Keys in the store that belong to a user; [] after `forget`."""
        return self.kv.keys(self._user(user_id))

    def _user(self, user_id):
        """What the keys of a user begin with."""
        user = hashed(user_id, self.secret)
        return f"lists:{int(user[:8], 16) % N_SHARDS:02d}:{user}:"

    def _renew(self, *stamps):
        """Give new values to stamps; what cannot be written now is owed."""
        fresh = secrets.token_hex(8).encode()
        try:
            self.kv.set_many(dict.fromkeys(stamps, fresh), STAMP_TTL)
        except StoreDown:
            with self._lock:
                self._owed.update(stamps)
                if len(self._owed) > MOST_OWED:
                    self._owed = set(STAMPS)
            raise
        with self._lock:
            self._owed.difference_update(stamps)

    def _try_to_look(self, key):
        """`look`, or nothing at all when the store is down."""
        try:
            return self.look(key)
        except StoreDown:
            return Look()

    def _make(self, key, make, flight, looked):
        """Make a list for all who wait for it, unless it is found after all."""
        try:
            if looked.stamp is not None and looked.n_landed != self._n_landed:
                looked = self._try_to_look(key)
            flight.value = looked.value
            if flight.value is None:
                flight.value = make()
                self._try_to_put(key, flight.value, looked.stamp)
            flight.made = True
        except Exception as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                self._n_landed += 1
                del self._flights[key]
            flight.over.set()
        return flight.value

    def _try_to_put(self, key, value, stamp):
        """Keep a list if there is one, and if the store was up and is."""
        if stamp is None or value is None or value.strip() in EMPTY:
            return
        try:
            self.put(key, value, stamp)
        except (StoreDown, ValueError):  # ValueError: larger than the store takes
            pass


def _joined(stamps):
    """Several stamps as one."""
    return b"|".join(stamp or b"-" for stamp in stamps)


def _shard_of(key):
    """The beginning of a key that names its shard: "lists:07:"."""
    return key[: key.index(":", key.index(":") + 1) + 1]


def _stamps_of(key):
    """The keys of the two stamps, of the shard and of the user, that decide on a list."""
    return [f"{_shard_of(key)}stamp", f"{key[: key.rindex(':')]}:stamp"]
