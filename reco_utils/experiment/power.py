"""How many users does a test need, what could it see, and how many weeks will it take?

    sample_size(Pilot.proportion(0.021), 0.05).sentence      # 2.1 % convert, 5 % more of it: about 299,900 per arm
    detectable_effect(Pilot.mean(4.2, 31.0), 40_000)         # revenue per user: mean 4.20, standard deviation 31
    power_of(Pilot.ratio(clicks, shown), 0.02, 40_000)       # clicks per list, from a pilot's sums per user

How many weeks that takes: `duration.duration`.

All kinds of metrics follow one formula. The difference of two arms with n_0 and n_1 users has the variance

    V = s_0^2 / n_0 + s_1^2 / n_1          s^2 between users; of a proportion p (1 - p), each arm with its own p

and a two-sided test at alpha finds a true effect d with the chance Phi(d / sqrt(V) - z) + Phi(-d / sqrt(V) - z), z the
1 - alpha/2 quantile of the normal distribution. Without the second term, which is next to nothing, two arms of n users
each need n = (z + z_power)^2 (s_0^2 + s_1^2) / d^2. For means Student's t takes the place of the normal distribution
(non-central, n_0 + n_1 - 2 degrees); with the thousands of users that a shop needs it is the same.

The variance is the unpooled one, which the analysis divides by too. CUPED multiplies it by `variance_left`. A guardrail
is planned with `sides=1` and its margin as the effect.

Letters: A arms (control is the first), n users.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import nctdtr, ndtr, ndtri, stdtrit

from reco_utils.experiment.checks import check_between, check_count, check_positive
from reco_utils.experiment.shares import check_whole

MOST_USERS = 1e12  # more than anybody has: an effect that needs them is none


@dataclass(frozen=True)
class Pilot:
    """What is known of a metric before the test: made by `Pilot.proportion`, `Pilot.mean` or `Pilot.ratio`.

    kind is "proportion", "mean" or "ratio".
    """

    kind: str
    baseline: float  # the metric without the change
    sd: float  # standard deviation of one user's value

    def __post_init__(self):
        if self.kind not in ("proportion", "mean", "ratio"):
            raise ValueError(f"kind must be 'proportion', 'mean' or 'ratio', got {self.kind!r}")
        if not math.isfinite(self.baseline):
            raise ValueError(f"baseline must be a finite number, got {self.baseline}")
        check_positive("sd", self.sd)

    @classmethod
    def proportion(cls, baseline: float) -> "Pilot":
        """A share of users, such as those who buy: 0 < baseline < 1, sd = sqrt(baseline (1 - baseline))."""
        check_between("baseline", baseline)
        return cls("proportion", baseline, math.sqrt(baseline * (1 - baseline)))

    @classmethod
    def mean(cls, mean: float, sd: float) -> "Pilot":
        """A mean per user, such as revenue; the standard deviation between users counts the zeros of non-buyers."""
        return cls("mean", mean, sd)

    @classmethod
    def ratio(cls, numerator, denominator) -> "Pilot":
        """R = sum(numerator) / sum(denominator), such as clicks per list, with the delta method's standard deviation.

        That is the standard deviation of (numerator - R denominator) / mean denominator.

        Parameters
        ----------
        numerator, denominator : (n,) float
            A pilot's sums, one pair per user; users, not lists, are what the arms are dealt from.

        Raises
        ------
        ValueError  for shapes that differ, fewer than two users, NaN, or denominators that are negative or all 0

        Source: Deng, Knoblich and Lu (2018).
        """
        top, bottom = np.asarray(numerator, float), np.asarray(denominator, float)
        if top.ndim != 1 or top.shape != bottom.shape or len(top) < 2:
            raise ValueError(f"a ratio needs two columns of two users or more, got shapes {top.shape}, {bottom.shape}")
        if not (np.isfinite(top).all() and np.isfinite(bottom).all()):
            raise ValueError("numerator and denominator must be finite for every user; a user without visits has 0, 0")
        if (bottom < 0).any() or not bottom.sum():
            raise ValueError(f"denominators must be 0 or more and not all 0, got {bottom.min():g} to {bottom.max():g}")
        value = top.sum() / bottom.sum()
        return cls("ratio", float(value), float((top - value * bottom).std(ddof=1) / bottom.mean()))

    def sd_after(self, effect: float) -> float:
        """Standard deviation of a user's value once the metric has moved by `effect`.

        A proportion's moves with it. That of a mean or a ratio is taken to stay, as if all values moved by as much.
        Where all values grow by a share, it grows by that share too, and the treatment arm has a little less power.
        """
        if self.kind != "proportion":
            return self.sd
        after = self.baseline + effect
        return math.sqrt(after * (1 - after))


@dataclass(frozen=True)
class Plan:
    """Users, effect and power of a test that belong together: whichever was asked for, and the other two."""

    pilot: Pilot
    effect: float  # difference from the baseline in the metric's own unit, negative for a fall
    per_arm: tuple[int, ...]  # users in each arm, control first
    power: float  # chance that the smallest treatment arm shows `effect`, if it is true
    alpha: float  # chance of a false alarm in any of the comparisons
    sides: int
    comparisons: int  # how many tests alpha is shared among
    variance_left: float  # share of the variance that CUPED leaves, 1 - rho^2

    @property
    def users(self) -> int:
        """Users in all arms together."""
        return sum(self.per_arm)

    @property
    def relative_effect(self) -> float:
        """The effect as a share of the baseline; NaN for a baseline of 0."""
        return self.effect / self.pilot.baseline if self.pilot.baseline else math.nan

    @property
    def sentence(self) -> str:
        """One plain sentence with all the numbers."""
        each = f"{self.per_arm[0]:,} users per arm"
        if len(set(self.per_arm)) > 1:
            each = f"{' / '.join(f'{n:,}' for n in self.per_arm)} users"
        shared = f" shared among {self.comparisons} comparisons" if self.comparisons > 1 else ""
        left = f", when CUPED leaves {self.variance_left:.0%} of the variance" if self.variance_left < 1 else ""
        return (
            f"{each} ({self.users:,} in all) find a change of {self._change()} with power {self.power:.2f} "
            f"at alpha {self.alpha:g}{shared}, {'two' if self.sides == 2 else 'one'}-sided{left}."
        )

    def _change(self):
        """The effect in words: +5.0 % (2.10 % to 2.21 %)."""
        before, after = self.pilot.baseline, self.pilot.baseline + self.effect
        span = f"{before:.2%} to {after:.2%}" if self.pilot.kind == "proportion" else f"{before:.4g} to {after:.4g}"
        return f"{self.relative_effect:+.1%} ({span})" if before else f"{self.effect:+.4g}"


def sample_size(
    pilot: Pilot, effect: float, *, relative: bool = True, direction: int = 1, power: float = 0.8, **test
) -> Plan:
    """Users that each arm needs so that a true effect is found with the wanted power.

    Parameters
    ----------
    effect : float above 0; below 1 for a proportion
        Smallest change worth finding, as a share of the baseline (0.05: 5 % more), or with `relative=False` in the
        metric's own unit.
    direction : 1 or -1
        A rise or a fall; the two differ for a proportion.
    power : float, 0 to 1
        Chance of finding the effect.
    test : alpha, sides, shares, comparisons, variance_left
        See `Test`.

    Returns
    -------
    Plan  whose `power` is what the whole numbers of users come to, a little above the one asked for

    Raises
    ------
    ValueError  with the name, its value and what is allowed
    """
    change, asked = _change_of(pilot, effect, relative, direction), Test(pilot, **test)
    asked.check_power(power)
    least = 3 / (asked.shares[0] + min(asked.shares[1:]))  # a t-test needs three in the two arms that are compared

    def short_of(users):
        return asked.power_with(change, [share * users for share in asked.shares]) - power

    users = _root(short_of, least, MOST_USERS, f"an effect of {change:g}")
    per_arm = tuple(math.ceil(share * users * (1 - 1e-12)) for share in asked.shares)
    return asked.plan(change, per_arm)


def detectable_effect(pilot: Pilot, users: int, *, direction: int = 1, power: float = 0.8, **test) -> Plan:
    """The smallest true effect that so many users, in all arms together, find with the wanted power.

    Parameters as for `sample_size`. ValueError also when no effect is large enough: a proportion cannot leave 0 to 1.
    """
    asked = Test(pilot, **test)
    asked.check_power(power)
    _check_direction(direction)
    per_arm = asked.deal(users)
    most = asked.most_effect(direction)
    size = _root(lambda d: asked.power_with(direction * d, per_arm) - power, most * 1e-12, most, f"{users:,} users")
    return asked.plan(direction * size, per_arm)


def power_of(pilot: Pilot, effect: float, users: int, *, relative: bool = True, direction: int = 1, **test) -> Plan:
    """The chance that so many users, in all arms together, show a true effect. Parameters as for `sample_size`."""
    change, asked = _change_of(pilot, effect, relative, direction), Test(pilot, **test)
    return asked.plan(change, asked.deal(users))


@dataclass(frozen=True)
class Test:
    """The test that is planned: everything but the effect, the users and the power.

    Parameters
    ----------
    alpha : float, 0 to 1
        Chance of a false alarm.
    sides : 1 or 2
        1 looks in the direction of the effect only.
    shares : (A,) positive, sum 1; or a mapping of arm to share
        Shares of the arms, control first. The smallest treatment arm decides.
    comparisons : int, optional
        Tests among which alpha is shared, each getting alpha / comparisons: Bonferroni, and what Holm asks of a single
        effect. Default: A - 1, every treatment against control. With m metrics: m (A - 1).
    variance_left : float above 0, at most 1
        1 - rho^2 with CUPED, rho the correlation of the metric with its covariate.
    """

    pilot: Pilot
    alpha: float = 0.05
    sides: int = 2
    shares: Sequence[float] | Mapping[str, float] = (0.5, 0.5)
    comparisons: int | None = None
    variance_left: float = 1.0

    def __post_init__(self):
        shares = self.shares.values() if isinstance(self.shares, Mapping) else self.shares
        parts = check_whole("shares", [(f"arm {n}", share) for n, share in enumerate(shares)])
        object.__setattr__(self, "shares", tuple(parts.values()))
        if self.comparisons is None:
            object.__setattr__(self, "comparisons", len(parts) - 1)
        check_between("alpha", self.alpha)
        if self.sides not in (1, 2):
            raise ValueError(f"sides must be 1 or 2, got {self.sides!r}")
        check_count("comparisons", self.comparisons)
        if not 0 < self.variance_left <= 1:
            raise ValueError(f"variance_left must be above 0 and at most 1, got {self.variance_left!r}")

    def check_power(self, power):
        """Refuse a power that a coin would have."""
        check_between("power", power)
        if power <= self.alpha / self.comparisons:
            raise ValueError(f"power must be above alpha, which chance alone gives, got {power} and {self.alpha}")

    def deal(self, users):
        """So many users dealt to the arms (A,), whole numbers."""
        check_count("users", users, 2 * len(self.shares))
        ends = np.rint(np.cumsum(self.shares) * users).astype(int)
        per_arm = tuple(np.diff(ends, prepend=0).tolist())
        if min(per_arm) < 2:
            raise ValueError(f"{users} users leave an arm with fewer than two: {per_arm}")
        return per_arm

    def power_with(self, change, per_arm):
        """Power of the smallest treatment arm against control."""
        n_0, n_1, level = per_arm[0], min(per_arm[1:]), self.alpha / self.comparisons / self.sides
        variance = self.pilot.sd**2 / n_0 + self.pilot.sd_after(change) ** 2 / n_1
        shift = abs(change) / math.sqrt(variance * self.variance_left)
        if self.pilot.kind == "mean":
            degrees = n_0 + n_1 - 2
            z = -stdtrit(degrees, level)
            missed, opposite = np.nan_to_num(nctdtr(degrees, shift, [z, -z]))  # NaN stands for less than 1e-12
            found = 1 - missed
        else:
            z = -ndtri(level)
            found, opposite = ndtr(shift - z), ndtr(-shift - z)
        return float(found + (opposite if self.sides == 2 else 0))

    def most_effect(self, direction):
        """An effect that cannot be missed, or the largest that a proportion has room for."""
        if self.pilot.kind != "proportion":
            return 1e6 * self.pilot.sd
        return (1 - self.pilot.baseline if direction > 0 else self.pilot.baseline) * (1 - 1e-9)

    def plan(self, change, per_arm):
        """The plan with these users."""
        power = self.power_with(change, per_arm)
        return Plan(self.pilot, change, per_arm, power, self.alpha, self.sides, self.comparisons, self.variance_left)


def _root(gap, low, high, what):
    """Where a rising function of a positive number is 0; the search is on the scale of logarithms."""
    if gap(low) >= 0:
        return low
    if gap(high) < 0:
        raise ValueError(f"{what} cannot reach the wanted power")
    return math.exp(brentq(lambda x: gap(math.exp(x)), math.log(low), math.log(high), xtol=1e-13, rtol=1e-14))


def _change_of(pilot, effect, relative, direction):
    """The effect in the metric's own unit, with its sign."""
    _check_direction(direction)
    if pilot.kind == "proportion":
        check_between("effect", effect)
    if not 0 < effect < math.inf:
        raise ValueError(f"effect must be above 0, got {effect}; a fall has direction=-1")
    if relative and not pilot.baseline:
        raise ValueError("a baseline of 0 has no relative effect; use relative=False")
    change = direction * effect * (abs(pilot.baseline) if relative else 1)
    if pilot.kind == "proportion" and not 0 < pilot.baseline + change < 1:
        raise ValueError(
            f"effect {effect} takes the baseline {pilot.baseline} to {pilot.baseline + change:g}; "
            "a proportion must stay between 0 and 1"
        )
    return change


def _check_direction(direction):
    if direction not in (1, -1):
        raise ValueError(f"direction must be 1 (a rise) or -1 (a fall), got {direction!r}")
