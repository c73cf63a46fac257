"""Who sees which arm: a hash of the user and the experiment's salt, the same in Python and in SQL, today and next year.

    test = Experiment("hybrid-2026", {"control": 0.5, "hybrid": 0.5}, holdout=0.05)
    test.assign(["ann", "bob", 7])              # Categorical of arms; 7 and "7" are the same user
    test.sql("bigquery", table="shop.users")    # the same arms, in the warehouse
    sample_ratio({"control": 5104, "hybrid": 4896}, {"control": 0.5, "hybrid": 0.5}).sentence

A user's bucket is hash(salt + ":" + id) modulo `buckets`; arms own neighbouring buckets, as many as their shares say.
No table is kept and nothing is drawn, so a user keeps the arm for as long as salt and shares stay. Another salt deals
the users anew, independently of every other experiment.

Letters: n users, A arms.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

HOLDOUT = "holdout"
BUCKETS = 10_000


@dataclass(frozen=True)
class Layer:
    """Traffic shared out among experiments that must not meet: every user is in the slot of at most one of them.

    Experiments of different layers are independent of one another: each layer deals the users by its own salt.

    Parameters
    ----------
    name : str
    slots : mapping of experiment name to share, in this order
        Shares of the layer's users; what is left of 1 belongs to nobody yet. A slot added at the end, or the last one
        made larger, moves no user of the slots before it.
    salt : str, optional
        Default: "layer." and the name.
    holdout : float, 0 to 1
        Share of users kept out of all experiments of the layer.
    holdout_salt : str, optional
        Default: the salt and ".holdout". Layers that are given the same one hold out the same users.
    hash, buckets : as for `Experiment`

    Raises
    ------
    ValueError  for slots that take more than everybody, or less than a bucket
    """

    name: str
    slots: Mapping[str, float]
    salt: str | None = None
    holdout: float = 0.0
    holdout_salt: str | None = None
    hash: str = "md5"
    buckets: int = BUCKETS

    def slot_of(self, user_ids) -> pd.Categorical:
        """Name of the experiment that each user may take part in (n,); "holdout", or NaN where no slot is."""
        raise NotImplementedError


@dataclass(frozen=True)
class Experiment:
    """A test of several arms: who gets which, without a table and without a draw.

    Parameters
    ----------
    name : str
    shares : mapping of arm to share, control first
        Positive shares that add up to 1 (to 1e-9); two arms or more. An arm owns round(share * buckets) neighbouring
        buckets, see `expected` for what that comes to.
    salt : str, optional
        Default: the name. A salt is never used twice: two experiments with one salt would give the same users the same
        luck, see `logs.Register`.
    layer : Layer, optional
        Only users in this experiment's slot take part.
    holdout : float, 0 to 1
        Share of users who are kept out of the experiment, by a salt of its own. With a layer: give it to the layer.
    holdout_salt : str, optional
        Default: the salt and ".holdout".
    hash : "md5" or "farm"
        "md5" is in every language and warehouse. "farm" is FARM_FINGERPRINT of BigQuery (Fingerprint64 of FarmHash) and
        needs the package pyfarmhash.
    buckets : int
        How finely the users are cut.

    Raises
    ------
    ValueError, TypeError  with the name, its value and what is allowed

    Source: Kohavi, Tang and Xu (2020), chapters 4 (layers) and 14 (hashing).
    """

    name: str
    shares: Mapping[str, float]
    salt: str | None = None
    layer: Layer | None = None
    holdout: float = 0.0
    holdout_salt: str | None = None
    hash: str = "md5"
    buckets: int = BUCKETS

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, control first."""
        return tuple(self.shares)

    @property
    def expected(self) -> dict[str, float]:
        """Share that each arm (and the holdout, if there is one) has among those who are assigned; adds up to 1."""
        raise NotImplementedError

    def assign(self, user_ids) -> pd.Categorical:
        """Arm of every user.

        Parameters
        ----------
        user_ids : (n,) text or whole numbers, may repeat
            The number 7 and the text "7" are the same user, as for a warehouse that casts ids to text.

        Returns
        -------
        Categorical (n,) of the arms and "holdout"; NaN for users outside the experiment's slot of its layer

        Raises
        ------
        TypeError, ValueError  for ids that are missing, fractions, true/false or no valid text, with their positions
        """
        raise NotImplementedError

    def assignments(self, user_ids, at) -> pd.DataFrame:
        """The table of assignments: user_id, experiment, arm, at; a row for each user who is not NaN in `assign`.

        Parameters
        ----------
        user_ids : (n,) as for `assign`
        at : timestamp, or (n,) timestamps
            When they were assigned; without a zone it is UTC.
        """
        raise NotImplementedError

    def sql(self, dialect: str = "duckdb", *, user: str = "user_id", table: str = "users") -> str:
        """A query that gives user_id and arm, the same arm as `assign`, for every row of a table.

        Parameters
        ----------
        dialect : "duckdb" or "bigquery"
            DuckDB knows "farm" after `register(connection)`.
        user : str
            Column with the ids, text or whole numbers.
        table : str
            Name of the table, with dots: "shop.users".

        Returns
        -------
        The text of a SELECT; arm is NULL where `assign` says NaN and for users who are NULL.
        """
        raise NotImplementedError


def register(connection) -> None:
    """Teach a DuckDB connection `farm_fingerprint(text)`, with BigQuery's answers; asks for the package pyfarmhash."""
    raise NotImplementedError


# --------------------------------------------------------------------------------------------------------- sample ratio
@dataclass(frozen=True)
class SampleRatio:
    """Do the arms have the users that their shares promise? `sample_ratio` makes it.

    Parameters
    ----------
    counts : dict of arm to users seen
    expected : dict of arm to users expected
    statistic : float
        Pearson's chi-square.
    p_value : float
        How often an honest assignment would be as far off.
    exact : bool
        By adding up all outcomes, for few users, instead of the chi-square distribution.
    passed : bool
        p_value is at least `alpha`.
    alpha : float
    """

    counts: dict[str, int]
    expected: dict[str, float]
    statistic: float
    p_value: float
    exact: bool
    passed: bool
    alpha: float

    @property
    def sentence(self) -> str:
        """One plain sentence: the ratio is as planned, or broken and nothing may be concluded."""
        raise NotImplementedError


def sample_ratio(counts: Mapping[str, int], shares: Mapping[str, float], *, alpha: float = 0.001) -> SampleRatio:
    """Test of the sample ratio: chi-square of users per arm against their shares.

    Parameters
    ----------
    counts : mapping (or Series) of arm to users
        Every arm of `shares`, 0 included.
    shares : mapping of arm to share
        Adds up to 1; `Experiment.expected`, or its part that was analysed, made to add up to 1.
    alpha : float
        Alarm below this. 0.001: an alarm stops everything, so false ones must be rare.

    Raises
    ------
    ValueError  for arms without a share, shares without a count, counts that are negative or no users at all

    Source: Fabijan et al. (2019).
    """
    raise NotImplementedError
