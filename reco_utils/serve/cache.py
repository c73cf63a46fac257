"""Finished lists, kept for an hour or a day: per user, options, model version and experiment arm.

    cache = ListCache(open_kv())
    key = cache.key("ann", 10, {"reasons": True}, version="2026-11-21", arm="b")
    body = cache.get_or_make(key, lambda: make_the_list())

A key starts with the user's shard and hashed id, so that a user's lists can be found and removed without a table of
who has which. What a purge makes invalid is decided by stamps, not by finding and deleting entries: a purge is one
write, and a list that was being made while it happened is not served afterwards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reco_utils.serve.kv import KeyValue


@dataclass(eq=False)
class ListCache:
    """Lists as bytes under a key that says for whom, of which length, with which options, by which model.

    Parameters
    ----------
    kv : KeyValue
    ttl : seconds, 3,600 to 86,400
        How long a list may be served. A purge ends it sooner.
    n_shards : int, at least 1
        Users are spread over this many shards by the hash of their id. Forgetting a user empties one shard.
    secret : bytes
        Of `kv.hashed`.
    wait_seconds : float
        How long `get_or_make` waits for another thread that is making the same list before it makes one of its own.
    """

    kv: KeyValue
    ttl: float = 3_600.0
    n_shards: int = 16
    secret: bytes = b""
    wait_seconds: float = 1.0

    def key(self, user_id: str, k: int, options: Mapping[str, object], version: str, arm: str = "") -> str:
        """The key of one list; equal options in another order are the same key. Values of options: JSON's types."""
        raise NotImplementedError

    def get(self, key: str) -> bytes | None:
        """The list under a key, or None when there is none, or when it was purged."""
        raise NotImplementedError

    def put(self, key: str, value: bytes) -> None:
        """Keep a list for `ttl` seconds. An empty one (b"", "[]", "{}", "null") is refused with ValueError."""
        raise NotImplementedError

    def get_or_make(self, key: str, make: Callable[[], bytes | None]) -> bytes | None:
        """The list under a key; if there is none, what `make()` returns, kept unless it is empty or None.

        Of several threads that ask for the same key at once, one makes and the others wait for it. When `make` raises,
        the error goes to the one who called it and another of those who wait tries. When the store is down, `make` is
        called as if nothing had been found, and nothing is kept. What `make` returns is not kept if the user was purged
        meanwhile.
        """
        raise NotImplementedError

    def purge_user(self, user_id: str) -> None:
        """From now on none of the user's lists is served (one write). For a purchase, or a change of consent.

        Raises
        ------
        StoreDown  the purge is remembered, and done before the next list of this user is served by this process
        """
        raise NotImplementedError

    def purge_all(self) -> None:
        """From now on no list made before is served (one write per shard). For a new model or catalogue."""
        raise NotImplementedError

    def forget(self, user_id: str) -> int:
        """Remove every entry of a user from the store; how many there were. Slower than `purge_user`: it searches."""
        raise NotImplementedError

    def trace(self, user_id: str) -> list[str]:
        """Keys in the store that belong to a user; [] after `forget`."""
        raise NotImplementedError
