"""Who asked to be forgotten: enough to know an id again when it comes up, too little to tell whose it was.

    remember(home, "ann", now)          # `artifact.forget_user` does this
    forgotten(home).left(tables)        # what may be learned from; every training asks

The tables that a shop trains on may hold somebody for ever: in a warehouse that nobody cleans, in last year's backup.
So a store keeps, for as long as it lives, a keyed hash of each id and the moment when its deletion was asked for last.
Whatever these people did up to that moment is left out of every training; what somebody does under the same id later
is that of a newcomer. An entry never expires: tables that lack somebody today, a sample or the last 90 days, may hold
them again tomorrow.

The hashes are in `forgotten.json`, their key in `forgotten.key`, which only its owner may read. Without the key nobody
can tell whether an id is on the list; with both, ids can be tried out one by one, as every training does.
"""

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from reco_utils.core import USER, Tables
from reco_utils.data.privacy import forget_events
from reco_utils.serve.kv import hashed
from reco_utils.serve.plain import ArtifactError, put, replacing

LIST, KEY = "forgotten.json", "forgotten.key"


@dataclass(frozen=True)
class Forgotten:
    """The list as it is now.

    Parameters
    ----------
    key : bytes
    ids : mapping of `kv.hashed(id, key)` to seconds since 1970
    """

    key: bytes
    ids: Mapping[str, float]

    def asked_at(self, users: Iterable[str]) -> dict[str, float]:
        """Those of some ids that are on the list, and when they asked last, in seconds since 1970."""
        hashes = {user: hashed(str(user), self.key) for user in users} if self.ids else {}
        return {user: self.ids[digest] for user, digest in hashes.items() if digest in self.ids}

    def since(self, seconds: float) -> bool:
        """Has anybody asked since then?"""
        return any(at >= seconds for at in self.ids.values())

    def left(self, tables: Tables) -> Tables:
        """The tables without what those on the list did, and were, before they asked."""
        asked = self.asked_at(tables.profiles[USER])
        return forget_events(tables, {user: pd.Timestamp(at, unit="s") for user, at in asked.items()})


def forgotten(home: Path | str) -> Forgotten:
    """The list of a store, empty if nobody ever asked.

    Raises
    ------
    ArtifactError  for a list that cannot be read: a training must not go on without it
    """
    home = Path(home)
    try:
        ids = {str(digest): float(at) for digest, at in json.loads((home / LIST).read_bytes())["ids"].items()}
        return Forgotten(bytes.fromhex((home / KEY).read_text()), ids)
    except FileNotFoundError as missing:
        if not (home / LIST).exists():
            return Forgotten(b"", {})
        raise ArtifactError(f"{LIST} cannot be used without {Path(missing.filename).name}; {_MEND}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{LIST} or {KEY} makes no sense ({error}); {_MEND}") from None


_MEND = "bring both back from a backup; without them, all who were forgotten come back with the next training"


def remember(home: Path, user_id: str, now: float) -> None:
    """Put an id on the list of a store, for good; call it alone (under the lock of the store)."""
    known = forgotten(home)
    key = known.key or _key(home / KEY)
    ids = {**known.ids, hashed(user_id, key): now}
    put(home / LIST, json.dumps({"ids": ids}).encode())


def _key(path) -> bytes:
    """The key of a store, made if there is none yet."""
    if not path.exists():
        with replacing(path) as file:
            os.chmod(file.name, 0o600)
            file.write(secrets.token_hex(32).encode())
    return bytes.fromhex(path.read_text())
