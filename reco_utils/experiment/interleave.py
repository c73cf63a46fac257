"""Two rankings in one list: every shopper judges both at once, so far fewer sessions decide.

    lists = team_draft(a, b, 10, rng=rng)         # note "team": who gave each place, 0 is a, 1 is b
    found = preference(clicked, lists.notes["team"])
    found.sentence

It says which of two is preferred, never by how many euros, and it needs both lists at once for the same user.

Letters: B sessions, K places.
"""

from dataclasses import dataclass

import numpy as np

from reco_utils.core import TopK


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

    Raises
    ------
    ValueError  for lists of different users

    Source: Radlinski, Kurup and Joachims (2008), "How does clickthrough data reflect retrieval quality?".
    """
    raise NotImplementedError


def credit(clicks, team) -> np.ndarray:
    """Clicks on b's places minus clicks on a's, per session: (B,) float64. Counts, units or euros may be given."""
    raise NotImplementedError


@dataclass(frozen=True)
class Preference:
    """Which of two rankings shoppers prefer.

    Parameters
    ----------
    wins_a, wins_b, ties : int
        Of users (or of sessions, when every session is somebody else's).
    share_b, low, high : float
        b's share of the wins with its exact interval (Clopper-Pearson); NaN without any win.
    p_value : float
        Two-sided sign test of "no preference".
    """

    wins_a: int
    wins_b: int
    ties: int
    share_b: float
    low: float
    high: float
    p_value: float
    level: float = 0.95

    @property
    def sentence(self) -> str:
        """The result in words."""
        raise NotImplementedError


def preference(clicks, team, *, users=None, level: float = 0.95) -> Preference:
    """Who wins more sessions, with a sign test; sessions of the same user are added up first.

    Parameters
    ----------
    clicks : (B, K) bool or number
    team : (B, K) int, the note of `team_draft`
    users : (B,), optional
        Whose session it is; by default each is somebody else's.
    """
    raise NotImplementedError
