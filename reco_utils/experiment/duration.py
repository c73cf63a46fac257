"""How many weeks does a test take? Whole ones, two or more.

    duration(plan, users_per_week=12_000).sentence
    duration(plan, users_by_week=[5_000, 8_000, 10_000])     # users return: so many different ones by week 1, 2, 3

A week is the rhythm of a shop: a test that ends on a Wednesday has seen two Mondays but one Saturday, and those who
shop on Mondays are other people. Two weeks also show whether an effect fades once the change is no longer new.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reco_utils.experiment.checks import check_count, check_positive
from reco_utils.experiment.power import Plan


@dataclass(frozen=True)
class Duration:
    """How long a test takes. `duration` makes it."""

    weeks: int  # whole ones
    users: int  # how many are needed
    reached: float  # users expected after so many weeks
    sentence: str  # how long, and why


def duration(
    plan: Plan | int,
    *,
    users_per_week: float | None = None,
    users_by_week: Sequence[float] | None = None,
    traffic_share: float = 1.0,
    at_least_weeks: int = 2,
) -> Duration:
    """Whole weeks until a plan has its users; at least two, for weekdays differ and what is new wears off.

    Parameters
    ----------
    plan : Plan, or users in all arms together
    users_per_week : float
        Users who come for the first time in each week. Or
    users_by_week : (weeks,) float, never falling
        Different users who have come by the end of week 1, 2, ...; it grows more slowly every week as users return.
        From a log of visits: `np.bincount(visits.groupby("user_id")["day"].min() // 7).cumsum()`.
    traffic_share : float above 0, at most 1
        Share of the users who take part: the slot of the layer, less the holdout.

    Raises
    ------
    ValueError  when the curve ends before the users are there, and for both or neither kind of traffic
    """
    users = plan.users if isinstance(plan, Plan) else plan
    check_count("plan", users)
    if not 0 < traffic_share <= 1:
        raise ValueError(f"traffic_share must be above 0 and at most 1, got {traffic_share!r}")
    check_count("at_least_weeks", at_least_weeks)
    if (users_per_week is None) == (users_by_week is None):
        raise ValueError("duration needs either users_per_week or users_by_week")
    if users_by_week is None:
        check_positive("users_per_week", users_per_week)
        weekly = users_per_week * traffic_share
        full = math.ceil(users / weekly - 1e-9)
        reached = max(full, at_least_weeks) * weekly
    else:
        full, reached = _along(users, users_by_week, traffic_share, at_least_weeks)
    weeks = max(full, at_least_weeks)
    why = f"{users:,} users are needed and {reached:,.0f} will have come"
    if full < at_least_weeks:
        first = f"{full} week{'s' * (full > 1)}"
        why = f"the {users:,} users are there after {first}, but weekdays differ and what is new wears off"
    return Duration(weeks, users, reached, f"{weeks} week{'s' * (weeks > 1)}: {why}.")


def _along(users, by_week, traffic_share, at_least):
    """Weeks until the users are there, and users after that (or `at_least` weeks); beyond its end a curve is flat."""
    curve = np.asarray(by_week, float)
    if curve.ndim != 1 or not len(curve) or not (curve >= 0).all() or (np.diff(curve) < 0).any():
        raise ValueError(f"users_by_week must be users so far, never falling, got {np.asarray(by_week).tolist()}")
    curve = curve * traffic_share
    full = int(np.searchsorted(curve, users - 1e-6)) + 1
    if full > len(curve):
        raise ValueError(
            f"{users:,} users are needed and users_by_week ends at {curve[-1]:,.0f} after {len(curve)} weeks; "
            "plan for a larger effect, or reduce the variance"
        )
    return full, float(curve[min(max(full, at_least), len(curve)) - 1])
