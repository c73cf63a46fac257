"""Forget somebody, hide who everybody is, keep no longer than needed.

`forget_events` and `retain` drop rows; `pseudonymise` replaces ids by keyed hashes; `forget` empties the seats of users
in a Dataset that models were fitted on, so that every position still means what it meant.
"""

from collections.abc import Iterable

from reco_utils.core import Dataset, Tables


def forget(data: Dataset, user_ids: Iterable[str]) -> Dataset:
    """A Dataset without anything about these users, in which everybody keeps their position.

    The seat of a forgotten user stays, empty and nameless: no weights, nothing seen, no profile, and a random id that
    begins with "forgotten-". Ids that are not there are passed over; without any, `data` itself comes back.

    Raises
    ------
    TypeError  for one id instead of several, or a Dataset whose ids are no text
    """
    raise NotImplementedError


def forget_events(tables: Tables, user_ids: Iterable[str]) -> Tables:
    """The tables without the events and profiles of these users; ids that are not there are passed over.

    What a later training must never see again goes through here first.
    """
    raise NotImplementedError


def pseudonymise(tables: Tables, key: bytes) -> Tables:
    """The tables with every user id replaced by a keyed hash of it, the same id by the same hash.

    Without the key nobody can tell whose hash it is, or try out ids (HMAC-SHA256, 128 bits kept); whoever has the key can,
    so this is a pseudonym and no anonymity. Destroy the key and the link is gone. The rows keep their order.

    Parameters
    ----------
    key : bytes, at least 16
        Keep it away from the data.

    Raises
    ------
    TypeError, ValueError  for a key that is no bytes, or too short to be secret
    """
    raise NotImplementedError


def retain(tables: Tables, days: float) -> Tables:
    """The tables with events of the last `days` days only, counted back from the newest event.

    Profiles stay: whoever has no event left is a user without history. Drop those you may not keep with
    `forget_events`.
    """
    raise NotImplementedError
