"""Learn while you earn: bandits that choose among a handful of arms, such as policies, banners or categories.

    bandit = LinUCB(n_arms=5, n_features=20)
    run = play(bandit, contexts, chances, rng=rng)           # chances (n, A): the truth, which only a simulator knows
    run.regret_fixed[-1], run.regret_oracle[-1]

`rerank.explore` has EpsilonGreedy and Thompson too: those give away places of a ranked list to single items, with what
is known of them given from outside. These choose one of a few arms for a whole session and learn from what comes back.

Letters: n sessions, B sessions of a batch, A arms, D features of a context.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from reco_utils.experiment.impressions import Log


class Bandit(Protocol):
    """Chooses arms for sessions and learns from their rewards."""

    n_arms: int

    def choose(self, contexts, rng) -> tuple[np.ndarray, np.ndarray]: ...  # (B, D) -> arms (B,), propensities (B,)

    def learn(self, contexts, arms, rewards) -> None: ...


@dataclass
class Always:
    """The fixed policy: one arm for everybody, propensity 1; learns nothing."""

    n_arms: int
    arm: int = 0


@dataclass
class EpsilonGreedyArms:
    """With chance `epsilon` an arm drawn evenly, else the arm of the best mean reward so far; equal ones by chance.

    Parameters
    ----------
    n_arms : int, at least 1
    epsilon : float in [0, 1]

    Source: Sutton and Barto (2018), section 2.2.
    """

    n_arms: int
    epsilon: float = 0.1


@dataclass
class ThompsonArms:
    """The arm of the highest draw from Beta(prior + successes, prior + failures); rewards are 0 or 1.

    Source: Thompson (1933); Chapelle and Li (2011).
    """

    n_arms: int
    prior: float = 1.0


@dataclass
class LinUCB:
    """The arm of the highest x.theta_a + alpha * sqrt(x' A_a^-1 x): a ridge regression per arm, and its doubt.

        A_a = ridge * I + sum of x x',   b_a = sum of reward * x,   theta_a = A_a^-1 b_a     over arm a's sessions

    Parameters
    ----------
    n_arms, n_features : int
    alpha : float, 0 or more
        How much doubt counts for; 0 trusts the regression.
    ridge : float, above 0
    epsilon : float in [0, 1]
        This share of the sessions gets an arm drawn evenly, so that the log can be used again; 0: propensity 1.

    Source: Li, Chu, Langford and Schapire (2010), "A contextual-bandit approach to personalized news article
    recommendation", algorithm 1 (disjoint).
    """

    n_arms: int
    n_features: int
    alpha: float = 1.0
    ridge: float = 1.0
    epsilon: float = 0.0


@dataclass(frozen=True, eq=False)
class Run:
    """What a bandit did and earned, (n,) arrays in the order of the sessions.

    regret_fixed, regret_oracle : cumulative, expected reward of the best fixed arm (of the best arm of every session)
    minus that of the arm chosen.
    """

    arms: np.ndarray
    propensity: np.ndarray
    rewards: np.ndarray
    regret_fixed: np.ndarray
    regret_oracle: np.ndarray
    best_fixed: int
    log: Log = field(repr=False)


def play(bandit: Bandit, contexts, chances, *, rng: np.random.Generator, batch: int = 100, users=None) -> Run:
    """Let a bandit choose for sessions in a row, in batches, with rewards drawn from their true chances.

    Parameters
    ----------
    contexts : (n, D) float
    chances : (n, A) float in [0, 1]
        P(reward 1) of every arm in every session: the truth.
    batch : int
        Sessions between two updates: shops learn by the hour or by the day, not by the click.
    users : (n,) int, optional
        Whose sessions these are, for the log; by default each is somebody else's.
    """
    raise NotImplementedError
