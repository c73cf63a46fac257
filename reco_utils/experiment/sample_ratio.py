"""Do the arms have the users that were planned? If not, users are missing from one of them, and no effect can be read.

    sample_ratio({"control": 5104, "hybrid": 4896}, {"control": 0.5, "hybrid": 0.5}).sentence

Letters: A arms.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import chisquare, multinomial

from reco_utils.experiment.checks import check_between
from reco_utils.experiment.shares import check_whole, is_number

FEW, MOST_OUTCOMES = 5, 200_000  # users expected in the smallest arm for chi-square to be right; outcomes to add up


@dataclass(frozen=True)
class SampleRatio:
    """Do the arms have the users that their shares promise? `sample_ratio` makes it."""

    counts: dict[str, int]  # users seen, by arm
    expected: dict[str, float]
    statistic: float  # Pearson's chi-square
    p_value: float  # how often an honest assignment would be as far off
    exact: bool  # by adding up all outcomes, for few users, instead of the chi-square distribution
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

    Source: Fabijan et al. (2019); Pearson (1900).
    """
    shares = check_whole("shares", {f"{arm}": share for arm, share in dict(shares).items()}, allow_holdout=True)
    counts = {f"{arm}": n for arm, n in dict(counts).items()}
    if set(counts) != set(shares):
        raise ValueError(f"counts and shares must name the same arms, got {sorted(counts)} and {sorted(shares)}")
    wrong = {arm: n for arm, n in counts.items() if not is_number(n) or not n >= 0 or n != int(n)}
    if wrong or not sum(counts.values()):
        raise ValueError(f"counts must be whole numbers of users, and some users must be there, got {wrong or counts}")
    check_between("alpha", alpha)
    seen = np.array([int(counts[arm]) for arm in shares])
    planned = np.array(list(shares.values())) / math.fsum(shares.values())
    expected = planned * seen.sum()
    statistic, p_value = map(float, chisquare(seen, expected))
    exact = expected.min() < FEW and math.comb(int(seen.sum()) + len(seen) - 1, len(seen) - 1) <= MOST_OUTCOMES
    p_value = _exact_p(seen, planned) if exact else p_value
    return SampleRatio(
        dict(zip(shares, seen.tolist())), dict(zip(shares, expected.tolist())), statistic, p_value, exact, alpha
    )


def _exact_p(seen, planned):
    """Chance of all ways to deal the users that are no more likely than this one: the exact multinomial test."""
    n, arms = int(seen.sum()), len(seen)
    bars = np.array(list(combinations(range(n + arms - 1), arms - 1)))
    ways, honest = np.diff(bars, axis=1, prepend=-1, append=n + arms - 1) - 1, multinomial(n, planned)
    logs = honest.logpmf(ways)
    return min(float(np.exp(logs[logs <= honest.logpmf(seen) + 1e-7]).sum()), 1.0)
