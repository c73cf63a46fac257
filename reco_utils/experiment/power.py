"""How many users does a test need, what could it see, and how many weeks will it take?

    sample_size(Pilot.proportion(0.021), 0.05).sentence      # 2.1 % convert, 5 % more of it: about 299,900 per arm
    detectable_effect(Pilot.mean(4.2, 31.0), 40_000)         # revenue per user: mean 4.20, standard deviation 31
    power_of(Pilot.ratio(clicks, shown), 0.02, 40_000)       # clicks per list, from a pilot's per-user sums
    duration(plan, users_per_week=12_000).sentence           # whole weeks, at least two

All three kinds of metrics follow one formula. The difference of two arms with n_0 and n_1 users has the variance

    V = s_0^2 / n_0 + s_1^2 / n_1            s^2: variance of one user's value; p (1 - p) for a proportion

and a two-sided test at alpha finds a true effect d with power Phi(d / sqrt(V) - z) + Phi(-d / sqrt(V) - z), z the
(1 - alpha / 2) quantile of the normal distribution. With n users in each arm and without the second term, which is
next to nothing, this is n = (z_{1 - alpha/2} + z_power)^2 (s_0^2 + s_1^2) / d^2.

Letters: A arms (control is the first), n users.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pilot:
    """What is known of a metric before the test: made by `Pilot.proportion`, `Pilot.mean` or `Pilot.ratio`.

    Parameters
    ----------
    kind : "proportion", "mean" or "ratio"
    baseline : float
        The metric without the change.
    sd : float
        Standard deviation of one user's value; of a ratio: of (numerator - ratio * denominator) / mean denominator.
    """

    kind: str
    baseline: float
    sd: float

    @classmethod
    def proportion(cls, baseline: float) -> "Pilot":
        """A share of users, such as those who buy: 0 < baseline < 1."""
        raise NotImplementedError

    @classmethod
    def mean(cls, mean: float, sd: float) -> "Pilot":
        """A mean per user, such as revenue; the standard deviation is that between users, zeros of non-buyers included."""
        raise NotImplementedError

    @classmethod
    def ratio(cls, numerator, denominator) -> "Pilot":
        """sum(numerator) / sum(denominator) over users, such as clicks per list, from a pilot's sums per user (n,)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Plan:
    """Users, effect and power of a test that belong together: whichever was asked for, and the other two.

    Parameters
    ----------
    pilot : Pilot
    effect : float
        Absolute difference from the baseline.
    per_arm : (A,) int
        Users in each arm, control first.
    power : float
        Chance that the smallest treatment arm shows `effect`, if it is true.
    alpha : float
        Chance of a false alarm in any of the comparisons.
    sides : 1 or 2
    comparisons : int
        How many tests alpha is shared among (Bonferroni, and the first step of Holm).
    variance_left : float
        Share of the variance that CUPED leaves, 1 - rho^2.
    """

    pilot: Pilot
    effect: float
    per_arm: tuple[int, ...]
    power: float
    alpha: float
    sides: int
    comparisons: int
    variance_left: float

    @property
    def users(self) -> int:
        """Users in all arms together."""
        return sum(self.per_arm)

    @property
    def relative_effect(self) -> float:
        """The effect as a share of the baseline."""
        return self.effect / self.pilot.baseline

    @property
    def sentence(self) -> str:
        """One plain sentence with all the numbers."""
        raise NotImplementedError


def sample_size(
    pilot: Pilot,
    effect: float,
    *,
    relative: bool = True,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: int = 2,
    shares: Sequence[float] = (0.5, 0.5),
    comparisons: int | None = None,
    variance_left: float = 1.0,
) -> Plan:
    """Users that each arm needs so that a true effect is found with the wanted power.

    Parameters
    ----------
    effect : float, not 0
        Smallest difference worth finding, as a share of the baseline (0.05 is 5 % more), or with `relative=False` in
        the metric's own unit.
    alpha, power : float, 0 to 1
        Chance of a false alarm; chance of finding the effect.
    sides : 1 or 2
        1 looks in the direction of the effect only.
    shares : (A,) positive, sum 1
        Shares of the arms, control first. The smallest treatment arm decides.
    comparisons : int, optional
        Tests among which alpha is shared. Default: A - 1, every treatment against control.
    variance_left : float, 0 to 1
        1 - rho^2 with CUPED, rho the correlation of the metric with its covariate.

    Raises
    ------
    ValueError  with the name, its value and what is allowed
    """
    raise NotImplementedError


def detectable_effect(
    pilot: Pilot,
    users: int,
    *,
    direction: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: int = 2,
    shares: Sequence[float] = (0.5, 0.5),
    comparisons: int | None = None,
    variance_left: float = 1.0,
) -> Plan:
    """The smallest true effect that so many users (all arms together) find with the wanted power.

    Parameters
    ----------
    direction : 1 or -1
        More or less than the baseline; for a proportion the two differ.
    others : as for `sample_size`
    """
    raise NotImplementedError


def power_of(
    pilot: Pilot,
    effect: float,
    users: int,
    *,
    relative: bool = True,
    alpha: float = 0.05,
    sides: int = 2,
    shares: Sequence[float] = (0.5, 0.5),
    comparisons: int | None = None,
    variance_left: float = 1.0,
) -> Plan:
    """The chance that so many users (all arms together) show a true effect.

    Parameters
    ----------
    others : as for `sample_size`
    """
    raise NotImplementedError


@dataclass(frozen=True)
class Duration:
    """How long a test takes: `weeks` (whole), `users` needed, `reached` by then, and why in `sentence`."""

    weeks: int
    users: int
    reached: float
    sentence: str


def duration(
    plan: "Plan | int",
    *,
    users_per_week: float | None = None,
    users_by_week: Sequence[float] | None = None,
    traffic_share: float = 1.0,
    at_least_weeks: int = 2,
) -> Duration:
    """Whole weeks until a plan has its users; at least two, for weekdays differ and novelty fades.

    Parameters
    ----------
    plan : Plan, or users in all arms together
    users_per_week : float
        Users who come for the first time in each week; or
    users_by_week : (weeks,) float, never falling
        Different users who have come by the end of week 1, 2, ...: grows slower and slower as users return, see
        `weekly_reach`.
    traffic_share : float, 0 to 1
        Share of the users who take part (slot of the layer, less the holdout).

    Raises
    ------
    ValueError  when the curve ends before the users are there
    """
    raise NotImplementedError


def weekly_reach(user_ids, days) -> np.ndarray:
    """Different users who have come by the end of each week (weeks,), from a log's user ids and days (int from 0)."""
    raise NotImplementedError
