"""Who sees which arm: a hash of the user and the experiment's salt, the same in Python and in SQL, today and next year.

    test = Experiment("hybrid-2026", {"control": 0.5, "hybrid": 0.5}, holdout=0.05)
    test.assign(["ann", "bob", 7])              # Categorical of arms; 7 and "7" are the same user
    test.sql("bigquery", table="shop.users")    # the same arms, in the warehouse

A user's bucket is hash(salt + ":" + id) modulo `buckets`; arms own neighbouring buckets, as many as their shares say.
No table is kept and nothing is drawn, so a user keeps the arm for as long as salt and shares stay. Another salt deals
the users anew, independently of every other experiment.

Letters: n users, A arms.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reco_utils.experiment.buckets import DIALECTS, texts_of
from reco_utils.experiment.shares import HOLDOUT, Deal, check_shares, check_whole


@dataclass(frozen=True)
class Layer(Deal):
    """Traffic shared out among experiments that must not meet: every user is in the slot of at most one of them.

    Experiments of different layers are independent of one another: each layer deals the users by its own salt.

    Parameters
    ----------
    slots : mapping of experiment name to share, in this order
        Shares of the layer's users; what is left of 1 belongs to nobody yet. A slot added at the end, or the last one
        made larger, moves no user of the slots before it.
    salt, holdout, holdout_salt, hash, buckets : see `shares.Deal`
        Who is held out takes part in no experiment of the layer.

    Raises
    ------
    ValueError, TypeError  for slots that take more than everybody or less than a bucket, and the rest as `Experiment`
    """

    name: str
    slots: Mapping[str, float]

    kind, noun, default_salt = "slots", "slot", "layer.{}"

    def __post_init__(self):
        object.__setattr__(self, "slots", check_shares("slots", self.slots))
        self._check()
        total = math.fsum(self.slots.values())
        if not self.slots or total > 1 + 1e-9:
            raise ValueError(f"slots must take a share above 0 and at most 1 together, got {total:g}: {self.slots}")

    def slot_of(self, user_ids) -> pd.Categorical:
        """Name of the experiment that each user may take part in (n,); "holdout", or NaN where no slot is."""
        texts = texts_of(user_ids)
        codes = self._dealt(texts)
        codes[codes == len(self.slots)] = -1
        return self._named(codes, self, texts)

    def span_of(self, experiment: str) -> tuple[int, int]:
        """First bucket of an experiment's slot and the one after its last."""
        at = list(self.slots).index(experiment)
        return tuple([0, *self.edges.tolist()][at : at + 2])


@dataclass(frozen=True)
class Experiment(Deal):
    """A test of several arms: who gets which, without a table and without a draw.

    Parameters
    ----------
    shares : mapping of arm to share (or pairs), control first
        Positive shares that add up to 1 (to 1e-9); two arms or more. An arm owns the buckets from one rounded
        cumulative share to the next, see `expected` for what that comes to.
    layer : Layer, optional
        Only users in this experiment's slot take part; the layer has the holdout.
    salt, holdout, holdout_salt, hash, buckets : see `shares.Deal`

    Raises
    ------
    ValueError, TypeError  with the name, its value and what is allowed

    Source: Tang, Agarwal, O'Brien and Meyer (2010) for layers; Kohavi, Tang and Xu (2020), chapter 4.
    """

    name: str
    shares: Mapping[str, float]
    layer: Layer | None = None

    kind, noun, default_salt = "shares", "arm", "{}"

    def __post_init__(self):
        object.__setattr__(self, "shares", check_whole("shares", self.shares))
        if not isinstance(self.layer, Layer | None):
            raise TypeError(f"layer must be a Layer, got {self.layer!r}")
        self._check()
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
        return super().salts | ({"holdout": self.layer.salts["holdout"]} if self.layer else {})

    @property
    def expected(self) -> dict[str, float]:
        """Share that each arm (and the holdout, if there is one) has among those who are assigned; adds up to 1."""
        owner = self.layer or self
        held = owner.held / owner.buckets
        inside = (1 - held) * (np.ptp(self.layer.span_of(self.name)) / self.layer.buckets if self.layer else 1)
        widths = np.diff(self.edges, prepend=0) / self.buckets * inside
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
        codes = self._dealt(texts)
        if self.layer is not None:
            codes[self.layer._dealt(texts) != list(self.layer.slots).index(self.name)] = -1
        return self._named(codes, self.layer or self, texts)

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

        owner = self.layer or self
        columns = [f"{words.name(user)} AS user_id", f"{bucket(self, 'deal')} AS bucket"]
        cases = [f"WHEN bucket < {edge} THEN {words.text(arm)}" for arm, edge in zip(self.arms, self.edges.tolist())]
        if self.layer is not None:
            first, end = self.layer.span_of(self.name)
            columns.append(f"{bucket(self.layer, 'deal')} AS slot")
            cases.insert(0, f"WHEN slot < {first} OR slot >= {end} THEN NULL")
        if owner.held:
            columns.append(f"{bucket(owner, 'holdout')} AS held")
            cases.insert(0, f"WHEN held < {owner.held} THEN {words.text(HOLDOUT)}")
        inner, whens = ",\n    ".join(columns), "\n    ".join(cases)
        return (
            f"SELECT\n  user_id,\n  CASE\n    {whens}\n  END AS arm\n"
            f"FROM (\n  SELECT\n    {inner}\n  FROM {words.table(table)}\n) AS dealt"
        )
