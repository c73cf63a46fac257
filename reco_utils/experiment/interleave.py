"""Two rankings in one list: every shopper judges both at once, so far fewer sessions decide.

    lists = team_draft(a, b, 10, rng=rng)         # note "team": who gave each place, 0 is a, 1 is b
    found = preference(clicked, lists.notes["team"])
    found.sentence

It says which of two is preferred, never by how many euros, and it needs both lists at once for the same user.

Letters: B sessions, K places.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from reco_utils.core import TopK, check_k
from reco_utils.experiment.checks import check_between


def team_draft(a: TopK, b: TopK, k: int, *, rng: np.random.Generator) -> TopK:
    """Lists drafted like teams in the school yard: in every round a coin says who picks first, then both pick.

    Each picks its best item that is not in the list yet. When one list has run out, the other one goes on.

    Parameters
    ----------
    a, b : TopK
        For the same users in the same order.
    k : int
        Places of the new lists.

    Returns
    -------
    TopK with the note "team" (B, K) int8: 0 from a, 1 from b, -1 padding. Scores are those of the list it came from.

    Source: Radlinski, Kurup and Joachims (2008), "How does clickthrough data reflect retrieval quality?".
    """
    k = check_k(k)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a np.random.Generator, got {rng!r}; np.random.default_rng(seed) makes one")
    if not a.users.equals(b.users):
        raise ValueError("a and b must be lists for the same users in the same order; cut both for the same batch")
    n, rows = len(a), np.arange(len(a))
    items, scores = np.full((n, k), -1, np.int32), np.full((n, k), np.nan, np.float32)
    team, usable = np.full((n, k), -1, np.int8), [lists.items >= 0 for lists in (a, b)]
    first = np.zeros(n, np.int8)
    for place in range(k):
        if place % 2 == 0:
            first = rng.integers(0, 2, n, dtype=np.int8)
        turn = first if place % 2 == 0 else 1 - first
        left = np.stack([mask.any(axis=1) for mask in usable], axis=1)
        turn = np.where(left[rows, turn], turn, 1 - turn)
        for side, lists in enumerate((a, b)):
            picks = np.flatnonzero((turn == side) & left[:, side])
            column = usable[side][picks].argmax(axis=1)
            items[picks, place], scores[picks, place] = lists.items[picks, column], lists.scores[picks, column]
            team[picks, place] = side
        for mask, lists in zip(usable, (a, b)):
            mask &= lists.items != items[:, place, None]
    return TopK(a.users, items, scores, {"team": team})


def credit(clicks, team) -> np.ndarray:
    """Clicks on b's places minus clicks on a's, per session: (B,) float64. Counts, units or euros may be given."""
    clicks, team = np.asarray(clicks, float), np.asarray(team)
    if clicks.ndim != 2 or clicks.shape != team.shape:
        raise ValueError(f"clicks and team must both be (sessions, places), got {clicks.shape} and {team.shape}")
    unknown = np.setdiff1d(team, (-1, 0, 1))
    if len(unknown):
        raise ValueError(f"team must be 0 for a, 1 for b and -1 for padding, got {unknown[:3].tolist()}")
    if not np.isfinite(clicks[team >= 0]).all():
        raise ValueError("clicks must be finite numbers, got NaN or infinite ones")
    return np.where(team == 1, clicks, 0.0).sum(axis=1) - np.where(team == 0, clicks, 0.0).sum(axis=1)


@dataclass(frozen=True)
class Preference:
    """Which of two rankings shoppers prefer."""

    wins_a: int  # users (or sessions, when every session is somebody else's)
    wins_b: int
    ties: int
    share_b: float  # b's share of the wins; NaN without any win
    low: float  # its exact interval (Clopper-Pearson)
    high: float
    p_value: float  # two-sided sign test of "no preference"
    level: float = 0.95

    @property
    def sentence(self) -> str:
        """The result in words."""
        decided = self.wins_a + self.wins_b
        if not decided:
            return f"Nobody preferred either list ({self.ties:,} ties)."
        clear = "" if self.p_value < 1 - self.level else ", which may be chance"
        return (
            f"b wins {self.wins_b:,} of {decided:,} ({self.share_b:.1%}, {self.level:.0%} interval {self.low:.1%} to "
            f"{self.high:.1%}), {self.ties:,} ties; p = {self.p_value:.2g}{clear}."
        )


def preference(clicks, team, *, users=None, level: float = 0.95) -> Preference:
    """Who wins more sessions, with a sign test; sessions of the same user are added up first.

    Parameters
    ----------
    clicks : (B, K) bool or number
    team : (B, K) int, the note of `team_draft`
    users : (B,), optional
        Whose session it is; by default each is somebody else's.

    Source: sign test: Fisher (1925); exact interval: Clopper and Pearson (1934).
    """
    check_between("level", level)
    score = credit(clicks, team)
    if users is not None:
        if np.shape(users) != score.shape:
            raise ValueError(f"users must be one per session ({len(score)}), got shape {np.shape(users)}")
        score = np.bincount(np.unique(users, return_inverse=True)[1], score)
    wins_a, wins_b = int((score < 0).sum()), int((score > 0).sum())
    ties = len(score) - wins_a - wins_b
    if ties == len(score):
        return Preference(0, 0, ties, np.nan, np.nan, np.nan, 1.0, level)
    found = binomtest(wins_b, wins_a + wins_b)
    low, high = map(float, found.proportion_ci(level, "exact"))
    return Preference(wins_a, wins_b, ties, found.statistic, low, high, float(found.pvalue), level)
