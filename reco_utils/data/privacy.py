"""Forget somebody, hide who everybody is, keep no longer than needed.

`forget_events` and `retain` drop rows; `pseudonymise` replaces ids by keyed hashes; `forget` empties the seats of users
in a Dataset that models were fitted on, so that every position still means what it meant.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from reco_utils.core import TIME, USER, Dataset, Tables, take_rows

FORGOTTEN = "forgotten-"  # how the id of an empty seat begins
KEY_BYTES, HASH_BYTES = 16, 16
_ALWAYS, _NEVER = np.datetime64(2**63 - 1, "us"), np.datetime64("NaT")


def forget(data: Dataset, user_ids: Iterable[str]) -> Dataset:
    """A Dataset without anything about these users, in which everybody keeps their position.

    The seat of a forgotten user stays, empty and nameless: no weights, nothing seen, no profile, and a random id that
    begins with "forgotten-". Ids that are not there are passed over; without any, `data` itself comes back.

    Raises
    ------
    TypeError  for one id instead of several, or a Dataset whose ids are no text
    """
    ids = _several(user_ids)
    if pd.api.types.is_numeric_dtype(data.users):
        raise TypeError(f"users must have ids of text to be forgotten, got {data.users.dtype}")
    rows = seats(data.users, ids)
    if not len(rows):
        return data
    at = np.arange(len(data.users))
    at[rows] = -1
    weights, entries = take_rows(data.weights, at)
    seen, last = take_rows(data.seen, at)[0], data.last[entries]
    for array in (*_frozen(weights), *_frozen(seen), last):
        array.flags.writeable = False
    users = renamed(data.users, rows)
    profiles = emptied(data.profiles, rows).assign(**{USER: np.asarray(users)})[list(data.profiles.columns)]
    profiles[USER] = profiles[USER].astype(data.profiles[USER].dtype)
    return replace(data, users=users, weights=weights, last=last, seen=seen, profiles=profiles)


def seats(users: pd.Index, ids: Iterable[str]) -> np.ndarray:
    """Positions (n,) of those ids that are among the users, ascending and once each."""
    return np.flatnonzero(users.isin(list(ids)))


def is_nameless(user: str) -> bool:
    """Is it the id of an empty seat, whose user was forgotten?"""
    return str(user).startswith(FORGOTTEN)


def renamed(users: pd.Index, rows: np.ndarray) -> pd.Index:
    """The ids with new, random ones at some rows: nothing leads from them to the old ones."""
    ids = users.to_numpy(dtype=object, copy=True)
    ids[rows] = [FORGOTTEN + secrets.token_hex(8) for _ in rows]
    return pd.Index(ids, dtype=users.dtype, name=users.name)


def emptied(frame: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """The frame with nothing known at some rows: missing, or 0 and False where a column cannot say "missing".

    A category that nobody else has leaves its column altogether, since its name alone would tell.
    """
    gone = np.zeros(len(frame), bool)
    gone[rows] = True
    return pd.DataFrame({name: _emptied(frame[name], gone) for name in frame.columns}, index=frame.index)


def _emptied(column, gone):
    if column.dtype == object:
        return pd.Series([None if out else cell for out, cell in zip(gone, column)], column.index, dtype=object)
    if isinstance(column.dtype, pd.CategoricalDtype):
        own = set(column[gone].dropna()) - set(column[~gone].dropna())
        return column.where(~gone).cat.remove_categories(list(own))
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub":
        return column.where(~gone, column.dtype.type(0))
    return column.where(~gone)


def forget_events(tables: Tables, user_ids: Iterable[str] | Mapping[str, pd.Timestamp]) -> Tables:
    """The tables without the events and profiles of these users; ids that are not there are passed over.

    What a later training must never see again goes through here first.

    Parameters
    ----------
    user_ids : several ids, or a mapping of id to an instant (UTC)
        With an instant, what was done after it stays: somebody who came back, as new as anybody. Their profile stays
        too if it says that they signed up after it, and is emptied otherwise.
    """
    until = user_ids if isinstance(user_ids, Mapping) else dict.fromkeys(_several(user_ids), _ALWAYS)
    asked = np.array([until.get(user, _NEVER) for user in tables.profiles[USER]], "M8[us]")  # (U,)
    if np.isnat(asked).all():
        return tables
    profiles, users = tables.profiles, tables.events[USER].cat
    who = pd.Index(profiles[USER]).get_indexer(users.categories)[users.codes]
    kept = ~(tables.events[TIME].to_numpy("M8[us]") <= asked[who])  # not a time: kept
    new = profiles["signup_at"].to_numpy("M8[us]") > asked if "signup_at" in profiles else np.zeros(len(asked), bool)
    stays = np.isnat(asked) | new
    blank = emptied(profiles, np.flatnonzero(~stays)).assign(**{USER: profiles[USER]})
    stays[who[kept]] = True
    profiles = blank[stays].reset_index(drop=True)
    events = tables.events[kept].reset_index(drop=True)
    events[USER] = _as_profiles(events[USER].astype(object), profiles)
    return replace(tables, events=events, profiles=profiles)


def pseudonymise(tables: Tables, key: bytes) -> Tables:
    """The tables with every user id replaced by a keyed hash of it, the same id by the same hash.

    Without the key nobody can tell whose hash it is, or try out ids (HMAC-SHA256, 128 bits kept); whoever has the key
    can, so this is a pseudonym and no anonymity. Destroy the key and that link is gone; what somebody did may still
    tell who they are. The rows keep their order. The planted tastes of a synthetic shop know the old ids only: dropped.

    Parameters
    ----------
    key : bytes, at least 16
        Keep it away from the data.

    Raises
    ------
    TypeError, ValueError  for a key that is no bytes, or too short to be secret
    """
    if not isinstance(key, bytes):
        raise TypeError(f"key must be bytes, e.g. secrets.token_bytes(32), got {type(key).__name__}")
    if len(key) < KEY_BYTES:
        raise ValueError(f"key must have at least {KEY_BYTES} bytes, got {len(key)}; secrets.token_bytes(32) makes one")
    hashed = {user: _keyed(key, user) for user in tables.profiles[USER]}
    profiles = tables.profiles.copy()
    profiles[USER] = profiles[USER].map(hashed).astype(tables.profiles[USER].dtype)
    events = tables.events.copy()
    events[USER] = _as_profiles(events[USER].astype(object).map(hashed), profiles)
    return replace(tables, events=events, profiles=profiles, tastes=None)


def retain(tables: Tables, days: float) -> Tables:
    """The tables with events of the last `days` days only, counted back from the newest event.

    Profiles stay: whoever has no event left is a user without history. Drop those you may not keep with
    `forget_events`.

    Raises
    ------
    ValueError  for a number of days that is not above 0
    """
    if isinstance(days, bool) or not days > 0:
        raise ValueError(f"days must be more than 0, got {days!r}")
    times = tables.events[TIME]
    if not len(times) or times.max() - times.min() <= pd.Timedelta(days=min(days, 100_000)):
        return tables
    kept = (times >= times.max() - pd.Timedelta(days=days)).to_numpy()
    return replace(tables, events=tables.events[kept].reset_index(drop=True))


def _several(user_ids) -> list:
    """The ids as a list; a lone text would be taken letter by letter."""
    if isinstance(user_ids, (str, bytes)):
        raise TypeError(f"user_ids must be several ids, got {user_ids!r}; write [{user_ids!r}]")
    return list(user_ids)


def _keyed(key, user) -> str:
    return hmac.new(key, str(user).encode(), hashlib.sha256).digest()[:HASH_BYTES].hex()


def _as_profiles(users, profiles):
    """User ids as categories in the order of the profiles, as canonical events have them."""
    return pd.Series(pd.Categorical(users, categories=pd.Index(profiles[USER])), users.index, name=USER)


def _frozen(matrix):
    """The arrays of a csr matrix, marked as sorted, so that nothing needs to sort them in place."""
    matrix.has_sorted_indices = matrix.has_canonical_format = True
    return matrix.data, matrix.indices, matrix.indptr
