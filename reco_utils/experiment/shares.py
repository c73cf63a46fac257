"""Shares of users, and the buckets they come to: what an experiment, with its arms, and a layer, with its slots, share.

Letters: n users, A parts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from reco_utils.experiment.buckets import HASHES, buckets_of

HOLDOUT = "holdout"
MOST_BUCKETS = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Deal:
    """How users are dealt to parts. Take `assign.Experiment` or `assign.Layer`.

    A salt is never used twice: two experiments with one salt would give the same users the same luck, see
    `logs.Register`. Those who are given the same `holdout_salt` hold out the same users. The hash "md5" is in every
    language and warehouse; "farm" is FARM_FINGERPRINT of BigQuery and needs the package pyfarmhash.
    """

    salt: str | None = None  # default: the name, of a layer with "layer." before it
    holdout: float = 0.0  # share of users who are kept out, by a salt of its own
    holdout_salt: str | None = None  # default: the salt and ".holdout"
    hash: str = "md5"
    buckets: int = 10_000  # how finely the users are cut

    kind: ClassVar[str]  # the field that holds the parts; what one of them is called; the salt where none is given
    noun: ClassVar[str]
    default_salt: ClassVar[str]

    @property
    def parts(self) -> dict[str, float]:
        """Name -> share, in order."""
        return getattr(self, self.kind)

    @property
    def salts(self) -> dict[str, str]:
        """The salts in use: "deal" for the parts, "holdout"."""
        deal = self.default_salt.format(self.name) if self.salt is None else self.salt
        return {"deal": deal, "holdout": f"{deal}.holdout" if self.holdout_salt is None else self.holdout_salt}

    @property
    def edges(self) -> np.ndarray:
        """The bucket after the last one of every part (A,): cumulative shares, rounded."""
        return np.rint(np.cumsum(list(self.parts.values())) * self.buckets).astype(np.int64)

    @property
    def held(self) -> int:
        """Buckets that are held out: the first ones by the salt of the holdout."""
        return round(self.holdout * self.buckets)

    def _check(self):
        """Name, salts, holdout, hash and buckets."""
        check_name("name", self.name)
        for use, salt in self.salts.items():
            check_name(f"the salt for {use}", salt)
            if ":" in salt:
                raise ValueError(f"a salt must not hold ':', which parts it from the id, got {salt!r}; give another")
        if self.salts["deal"] == self.salts["holdout"]:
            raise ValueError(f"salt and holdout_salt must differ, both are {self.salts['deal']!r}")
        if not is_number(self.holdout) or not 0 <= self.holdout < 1:
            raise ValueError(f"holdout must be a share of at least 0 and below 1, got {self.holdout!r}")
        if self.hash not in HASHES:
            raise ValueError(f"hash must be one of {list(HASHES)}, got {self.hash!r}")
        if isinstance(self.buckets, bool) or not isinstance(self.buckets, int) or not 2 <= self.buckets <= MOST_BUCKETS:
            raise ValueError(f"buckets must be a whole number from 2 to {MOST_BUCKETS:,}, got {self.buckets!r}")
        if self.holdout and not self.held:
            raise ValueError(f"holdout {self.holdout} is less than one of {self.buckets:,} buckets; take more buckets")
        empty = [name for name, width in zip(self.parts, np.diff(self.edges, prepend=0)) if not width]
        if empty:
            raise ValueError(f"{self.noun}s {empty} are less than one of {self.buckets:,} buckets; take more buckets")

    def _dealt(self, texts):
        """Which part each user's bucket belongs to (n,); A where it belongs to none."""
        return np.searchsorted(self.edges, self._buckets("deal", texts), side="right")

    def _named(self, codes, owner, texts):
        """Codes (n,) as names of parts, after those whom the owner holds out were set apart."""
        names = list(self.parts)
        if owner.held:
            codes[owner._buckets("holdout", texts) < owner.held] = len(names)
            names.append(HOLDOUT)
        return pd.Categorical.from_codes(codes, names)

    def _buckets(self, use, texts):
        """Bucket of every user (n,) by one of the salts."""
        return buckets_of(self.salts[use], texts, self.hash, self.buckets)


def check_shares(what, given, allow_holdout=False):
    """Name -> share as a dict of floats; every share is positive and no name comes twice."""
    pairs = list(given.items() if isinstance(given, Mapping) else given)
    if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        raise ValueError(f"{what} must give a share to each name, such as {{'old': 0.5, 'new': 0.5}}, got {given!r}")
    shares = {}
    for name, share in pairs:
        check_name(f"a name in {what}", name)
        if name in shares:
            raise ValueError(f"{what} name {name!r} twice")
        if name == HOLDOUT and not allow_holdout:
            raise ValueError(f"{what} must not name {HOLDOUT!r}: give holdout={share!r} instead")
        if not is_number(share) or not 0 < share <= 1:
            raise ValueError(f"{what}: the share of {name!r} must be above 0 and at most 1, got {share!r}")
        shares[name] = float(share)
    return shares


def check_whole(what, given, allow_holdout=False):
    """`check_shares` of two names or more that add up to 1."""
    shares = check_shares(what, given, allow_holdout)
    if len(shares) < 2:
        raise ValueError(f"{what} must name two arms or more, got {list(shares)}")
    if abs(math.fsum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"{what} must add up to 1, got {math.fsum(shares.values()):.12g}: {shares}")
    return shares


def is_number(value):
    """Is it a number, and not true or false?"""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def check_name(what, name):
    """Refuse names that a log, a query or an eye could take for another."""
    if not isinstance(name, str):
        raise TypeError(f"{what} must be text, got {name!r}")
    if not name or name != name.strip() or not name.isprintable():
        raise ValueError(f"{what} must be printable text without spaces around it, got {name!r}")
