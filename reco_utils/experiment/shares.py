"""What a plan of an experiment or a layer may say: names, salts, shares, and the buckets that shares come to.

A plan is an `assign.Experiment` or an `assign.Layer`; its parts are arms or slots, a dict of name -> share.
"""

import math
from collections.abc import Mapping

import numpy as np

from reco_utils.experiment.buckets import HASHES

HOLDOUT = "holdout"
MOST_BUCKETS = 10_000_000


def check_shares(what, given, allow_holdout=False):
    """Name -> share as a dict of floats; every share is positive and no name comes twice."""
    pairs = list(given.items() if isinstance(given, Mapping) else given)
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


def check_plan(plan):
    """Name, salts, holdout, hash and buckets of an experiment or a layer."""
    check_name("name", plan.name)
    for use, salt in plan.salts.items():
        check_name(f"the salt for {use}", salt)
        if ":" in salt:
            raise ValueError(f"a salt must not hold ':', which parts it from the id, got {salt!r}; give another salt")
    if plan.salts["deal"] == plan.salts["holdout"]:
        raise ValueError(f"salt and holdout_salt must differ, both are {plan.salts['deal']!r}")
    if not is_number(plan.holdout) or not 0 <= plan.holdout < 1:
        raise ValueError(f"holdout must be a share of at least 0 and below 1, got {plan.holdout!r}")
    if plan.hash not in HASHES:
        raise ValueError(f"hash must be one of {list(HASHES)}, got {plan.hash!r}")
    if isinstance(plan.buckets, bool) or not isinstance(plan.buckets, int) or not 2 <= plan.buckets <= MOST_BUCKETS:
        raise ValueError(f"buckets must be a whole number from 2 to {MOST_BUCKETS:,}, got {plan.buckets!r}")
    if plan.holdout and not held_buckets(plan):
        raise ValueError(f"holdout {plan.holdout} is less than one of {plan.buckets:,} buckets; take more buckets")


def salts_of(plan, default):
    """The salt that deals the users, and the one that holds some out."""
    deal = default if plan.salt is None else plan.salt
    return {"deal": deal, "holdout": f"{deal}.holdout" if plan.holdout_salt is None else plan.holdout_salt}


def edges_of(plan, parts):
    """The bucket after the last one of every part (A,): cumulative shares, rounded."""
    edges = np.rint(np.cumsum(list(parts.values())) * plan.buckets).astype(np.int64)
    widths = np.diff(edges, prepend=0)
    if not widths.all():
        empty = [name for name, width in zip(parts, widths) if not width]
        raise ValueError(f"{plan.noun}s {empty} are less than one of {plan.buckets:,} buckets; take more buckets")
    return edges


def held_buckets(plan):
    """Buckets that are held out: the first ones by the salt of the holdout."""
    return round(plan.holdout * plan.buckets)
