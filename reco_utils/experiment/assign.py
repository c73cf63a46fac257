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

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import gammaln
from scipy.stats import chi2

from reco_utils.experiment.buckets import DIALECTS, buckets_of, texts_of
from reco_utils.experiment.shares import (
    HOLDOUT,
    check_plan,
    check_shares,
    check_whole,
    edges_of,
    held_buckets,
    is_number,
    salts_of,
)

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
    ValueError, TypeError  for slots that take more than everybody or less than a bucket, and the rest as `Experiment`
    """

    name: str
    slots: Mapping[str, float]
    salt: str | None = None
    holdout: float = 0.0
    holdout_salt: str | None = None
    hash: str = "md5"
    buckets: int = BUCKETS
    noun: ClassVar[str] = "slot"

    def __post_init__(self):
        object.__setattr__(self, "slots", check_shares("slots", self.slots))
        check_plan(self)
        total = math.fsum(self.slots.values())
        if not self.slots or total > 1 + 1e-9:
            raise ValueError(f"slots must take a share above 0 and at most 1 together, got {total:g}: {self.slots}")
        edges_of(self, self.slots)

    @property
    def salts(self) -> dict[str, str]:
        """The salts in use: "deal" for the slots, "holdout"."""
        return salts_of(self, f"layer.{self.name}")

    def slot_of(self, user_ids) -> pd.Categorical:
        """Name of the experiment that each user may take part in (n,); "holdout", or NaN where no slot is."""
        texts = texts_of(user_ids)
        codes = _dealt(self, self.slots, texts)
        codes[codes == len(self.slots)] = -1
        return _categorical(codes, self.slots, self, texts)


@dataclass(frozen=True)
class Experiment:
    """A test of several arms: who gets which, without a table and without a draw.

    Parameters
    ----------
    name : str
    shares : mapping of arm to share (or pairs), control first
        Positive shares that add up to 1 (to 1e-9); two arms or more. An arm owns the buckets from one rounded
        cumulative share to the next, see `expected` for what that comes to.
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

    Source: Tang, Agarwal, O'Brien and Meyer (2010) for layers; Kohavi, Tang and Xu (2020), chapter 4.
    """

    name: str
    shares: Mapping[str, float]
    salt: str | None = None
    layer: Layer | None = None
    holdout: float = 0.0
    holdout_salt: str | None = None
    hash: str = "md5"
    buckets: int = BUCKETS
    noun: ClassVar[str] = "arm"

    def __post_init__(self):
        object.__setattr__(self, "shares", check_whole("shares", self.shares))
        if not isinstance(self.layer, Layer | None):
            raise TypeError(f"layer must be a Layer, got {self.layer!r}")
        check_plan(self)
        edges_of(self, self.shares)
        if self.layer is None:
            return
        if self.holdout or self.holdout_salt is not None:
            raise ValueError(f"experiment {self.name!r} is in layer {self.layer.name!r}: give the layer the holdout")
        if self.name not in self.layer.slots:
            raise ValueError(f"layer {self.layer.name!r} has no slot {self.name!r}; it has {list(self.layer.slots)}")
        if self.salts["deal"] in self.layer.salts.values():
            raise ValueError(f"experiment {self.name!r} and its layer share the salt {self.salts['deal']!r}")

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, control first."""
        return tuple(self.shares)

    @property
    def salts(self) -> dict[str, str]:
        """The salts in use: "deal" for the arms, "holdout" (the layer's, if there is a layer)."""
        return salts_of(self, self.name) | ({"holdout": self.layer.salts["holdout"]} if self.layer else {})

    @property
    def expected(self) -> dict[str, float]:
        """Share that each arm (and the holdout, if there is one) has among those who are assigned; adds up to 1."""
        owner, slot = self.layer or self, self._slot()
        held = held_buckets(owner) / owner.buckets
        inside = (1 - held) * ((slot[1] - slot[0]) / self.layer.buckets if slot else 1)
        widths = np.diff(edges_of(self, self.shares), prepend=0) / self.buckets * inside
        parts = dict(zip(self.arms, widths.tolist())) | ({HOLDOUT: held} if held else {})
        return {name: part / math.fsum(parts.values()) for name, part in parts.items()}

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
        texts = texts_of(user_ids)
        codes = _dealt(self, self.shares, texts)
        if self.layer is not None:
            mine = list(self.layer.slots).index(self.name)
            codes[_dealt(self.layer, self.layer.slots, texts) != mine] = -1
        return _categorical(codes, self.shares, self.layer or self, texts)

    def assignments(self, user_ids, at) -> pd.DataFrame:
        """The table of assignments: user_id, experiment, arm, at; a row for each user who is not NaN in `assign`.

        Parameters
        ----------
        user_ids : (n,) as for `assign`
        at : timestamp, or (n,) timestamps
            When they were assigned; without a zone it is UTC.
        """
        ids = pd.Index(user_ids if hasattr(user_ids, "tolist") else list(user_ids))
        arm = self.assign(ids)
        at = pd.to_datetime(pd.Series(at, range(len(arm))) if np.ndim(at) == 0 else pd.Series(list(at)), utc=True)
        if len(at) != len(arm) or at.isna().any():
            raise ValueError(f"at must be a time, or one per user, got {len(at)} with {at.isna().sum()} missing")
        frame = pd.DataFrame({"user_id": ids, "experiment": self.name, "arm": arm})
        frame["at"] = at.dt.tz_localize(None).astype("datetime64[us]")
        return frame[frame["arm"].notna()].reset_index(drop=True)

    def sql(self, dialect: str = "duckdb", *, user: str = "user_id", table: str = "users") -> str:
        """A query that gives user_id and arm, the same arm as `assign`, for every row of a table.

        Parameters
        ----------
        dialect : "duckdb" or "bigquery"
            DuckDB knows "farm" after `buckets.register(connection)`.
        user : str
            Column with the ids, text or whole numbers.
        table : str
            Name of the table, with dots: "shop.users".

        Returns
        -------
        The text of a SELECT; arm is NULL where `assign` says NaN and for users who are NULL.
        """
        if dialect not in DIALECTS:
            raise ValueError(f"dialect must be one of {sorted(DIALECTS)}, got {dialect!r}")
        words = DIALECTS[dialect]

        def bucket(plan, use):
            return words.bucket(plan.salts[use], user, plan.hash, plan.buckets)

        owner, slot, held = self.layer or self, self._slot(), held_buckets(self.layer or self)
        columns = [f"{words.name(user)} AS user_id", f"{bucket(self, 'deal')} AS bucket"]
        cases = [
            f"WHEN bucket < {edge} THEN {words.text(arm)}"
            for arm, edge in zip(self.arms, edges_of(self, self.shares).tolist())
        ]
        if slot:
            columns.append(f"{bucket(self.layer, 'deal')} AS slot")
            cases.insert(0, f"WHEN slot < {slot[0]} OR slot >= {slot[1]} THEN NULL")
        if held:
            columns.append(f"{bucket(owner, 'holdout')} AS held")
            cases.insert(0, f"WHEN held < {held} THEN {words.text(HOLDOUT)}")
        inner, whens = ",\n    ".join(columns), "\n    ".join(cases)
        return (
            f"SELECT\n  user_id,\n  CASE\n    {whens}\n  END AS arm\n"
            f"FROM (\n  SELECT\n    {inner}\n  FROM {words.table(table)}\n) AS dealt"
        )

    def _slot(self):
        """First bucket of the experiment's slot and the one after its last; None without a layer."""
        if self.layer is None:
            return None
        edges = [0, *edges_of(self.layer, self.layer.slots).tolist()]
        at = list(self.layer.slots).index(self.name)
        return edges[at], edges[at + 1]


# ---------------------------------------------------------------------------------------------------------- the buckets
def _dealt(plan, parts, texts):
    """Which part each user's bucket belongs to (n,); len(parts) where it belongs to none."""
    return np.searchsorted(edges_of(plan, parts), _numbers(plan, "deal", texts), side="right")


def _categorical(codes, parts, owner, texts):
    """Codes (n,) as names, after those whom the owner holds out were set apart."""
    names, held = list(parts), held_buckets(owner)
    if held:
        codes[_numbers(owner, "holdout", texts) < held] = len(names)
        names.append(HOLDOUT)
    return pd.Categorical.from_codes(codes, names)


def _numbers(plan, use, texts):
    """Bucket of every user (n,) by one of the plan's salts."""
    return buckets_of(plan.salts[use], texts, plan.hash, plan.buckets)


# --------------------------------------------------------------------------------------------------------- sample ratio
FEW, MOST_OUTCOMES = 5, 200_000  # users expected in the smallest arm for chi-square to be right; outcomes to add up


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
    alpha : float
    """

    counts: dict[str, int]
    expected: dict[str, float]
    statistic: float
    p_value: float
    exact: bool
    alpha: float = 0.001

    @property
    def passed(self) -> bool:
        """p_value is at least alpha."""
        return self.p_value >= self.alpha

    @property
    def sentence(self) -> str:
        """One plain sentence: the ratio is as planned, or broken and nothing may be concluded."""
        seen = ", ".join(f"{arm} {n:,} (planned {self.expected[arm]:,.0f})" for arm, n in self.counts.items())
        chance = f"p = {self.p_value:.4f}" if self.p_value >= 0.0001 else "p < 0.0001"
        if self.passed:
            return f"The sample ratio is as planned: {seen}, {chance}."
        return f"The sample ratio is broken: {seen}, {chance}; nothing may be concluded until the cause is found."


def sample_ratio(counts: Mapping[str, int], shares: Mapping[str, float], *, alpha: float = 0.001) -> SampleRatio:
    """Test of the sample ratio: sum over arms of (users - expected)^2 / expected against chi-square, A - 1 degrees.

    Where an arm expects fewer than 5 users, and the ways to deal the users are not too many, p is exact instead: the
    chance of all outcomes that are no more likely than this one.

    Parameters
    ----------
    counts : mapping (or Series) of arm to users
        Every arm of `shares`, 0 included.
    shares : mapping of arm to share
        Adds up to 1; may name the holdout, see `Experiment.expected`.
    alpha : float
        Alarm below this. 0.001: an alarm stops everything, so false ones must be rare.

    Raises
    ------
    ValueError  for arms without a share or without a count, counts that are no whole numbers of users, or no users

    Source: Fabijan et al. (2019); Pearson (1900).
    """
    shares = check_whole("shares", {f"{arm}": share for arm, share in dict(shares).items()}, allow_holdout=True)
    counts = {f"{arm}": n for arm, n in dict(counts).items()}
    if set(counts) != set(shares):
        raise ValueError(f"counts and shares must name the same arms, got {sorted(counts)} and {sorted(shares)}")
    wrong = {arm: n for arm, n in counts.items() if not is_number(n) or not n >= 0 or n != int(n)}
    if wrong or not sum(counts.values()):
        raise ValueError(f"counts must be whole numbers of users, and some users must be there, got {wrong or counts}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha}")
    seen = np.array([int(counts[arm]) for arm in shares])
    planned = np.array(list(shares.values())) / math.fsum(shares.values())
    expected = planned * seen.sum()
    statistic = float(((seen - expected) ** 2 / expected).sum())
    exact = expected.min() < FEW and math.comb(int(seen.sum()) + len(seen) - 1, len(seen) - 1) <= MOST_OUTCOMES
    p_value = _exact_p(seen, planned) if exact else float(chi2.sf(statistic, len(seen) - 1))
    return SampleRatio(
        dict(zip(shares, seen.tolist())), dict(zip(shares, expected.tolist())), statistic, p_value, exact, alpha
    )


def _exact_p(seen, planned):
    """Chance of all ways to deal the users that are no more likely than this one: the exact multinomial test."""
    n, arms = int(seen.sum()), len(seen)
    bars = np.array(list(combinations(range(n + arms - 1), arms - 1)))
    ends = np.column_stack([np.full(len(bars), -1), bars, np.full(len(bars), n + arms - 1)])
    ways = np.diff(ends, axis=1) - 1

    def log_chance(dealt):
        return gammaln(n + 1) - gammaln(dealt + 1).sum(axis=-1) + (dealt * np.log(planned)).sum(axis=-1)

    logs = log_chance(ways)
    return min(float(np.exp(logs[logs <= log_chance(seen) + 1e-7]).sum()), 1.0)
