"""Learn while you earn: bandits that choose among a handful of arms, such as policies, banners or categories.

    bandit = LinUCB(n_arms=5, n_features=20)
    run = play(bandit, contexts, chances, rng=rng)           # chances (n, A): the truth, which only a simulator knows
    run.regret_fixed[-1], run.regret_oracle[-1], run.log

`learn` remembers within the object: a bandit that shall start anew is made anew. Every choice comes with its
propensity, so that the log of a bandit can be used by `offpolicy`.

`rerank.explore` has EpsilonGreedy and Thompson too: those give away places of a ranked list to single items, with what
is known of them given from outside. These choose one of a few arms for a whole session and learn from what comes back.

Letters: n sessions, B sessions of a batch, A arms, D features of a context.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from reco_utils.experiment.checks import check_count, check_not_negative, check_positive, check_share
from reco_utils.experiment.impressions import Log
from reco_utils.highest import highest_chances


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

    def __post_init__(self):
        check_count("n_arms", self.n_arms)
        if not 0 <= self.arm < self.n_arms:
            raise ValueError(f"arm must be from 0 to {self.n_arms - 1}, got {self.arm!r}")

    def choose(self, contexts, rng) -> tuple[np.ndarray, np.ndarray]:
        """The arm, for every row of contexts (B, D): arms (B,), propensities (B,)."""
        return np.full(len(contexts), self.arm), np.ones(len(contexts))

    def learn(self, contexts, arms, rewards) -> None:
        """Nothing."""


@dataclass
class EpsilonGreedyArms:
    """With chance `epsilon` an arm drawn evenly, else one of the arms of the best mean reward so far.

    An arm nobody has tried counts as better than all others, so each is tried early. `epsilon=1` is a fair draw.
    `trials_` and `earned_` (A,) are the sessions and rewards of each arm so far.

    Source: Sutton and Barto (2018), section 2.2.
    """

    n_arms: int
    epsilon: float = 0.1

    def __post_init__(self):
        check_count("n_arms", self.n_arms)
        check_share("epsilon", self.epsilon)
        self.trials_, self.earned_ = np.zeros(self.n_arms), np.zeros(self.n_arms)

    def choose(self, contexts, rng) -> tuple[np.ndarray, np.ndarray]:
        """Arms (B,) and their propensities (B,) for contexts (B, D), which are not looked at."""
        mean = np.where(self.trials_ > 0, self.earned_ / np.maximum(self.trials_, 1), np.inf)
        best = mean == mean.max()
        chances = self.epsilon / self.n_arms + (1 - self.epsilon) * best / best.sum()
        return _drawn(np.broadcast_to(chances, (len(contexts), self.n_arms)), rng)

    def learn(self, contexts, arms, rewards) -> None:
        """Count the rewards (B,) of arms (B,)."""
        arms, rewards = _check_outcome(arms, rewards, self.n_arms)
        self.trials_ = self.trials_ + np.bincount(arms, minlength=self.n_arms)
        self.earned_ = self.earned_ + np.bincount(arms, rewards, self.n_arms)


@dataclass
class ThompsonArms:
    """Each session takes the arm of the highest draw from Beta(prior + successes, prior + failures).

    propensity = P(this arm has the highest draw): no simulation, but an integral (`reco_utils.highest`).

    prior=1: every rate is as likely as any other before anything is known. `successes_` and `failures_` (A,) are those
    of each arm so far; rewards must be 0 or 1.

    Source: Thompson (1933); Chapelle and Li (2011), "An empirical evaluation of Thompson sampling".
    """

    n_arms: int
    prior: float = 1.0

    def __post_init__(self):
        check_count("n_arms", self.n_arms)
        check_positive("prior", self.prior)
        self.successes_, self.failures_ = np.zeros(self.n_arms), np.zeros(self.n_arms)

    def choose(self, contexts, rng) -> tuple[np.ndarray, np.ndarray]:
        """Arms (B,) and their propensities (B,) for contexts (B, D), which are not looked at."""
        a, b = self.prior + self.successes_, self.prior + self.failures_
        arms = rng.beta(a, b, (len(contexts), self.n_arms)).argmax(axis=1)
        return arms, np.maximum(highest_chances(a, b)[arms], np.finfo(float).tiny)

    def learn(self, contexts, arms, rewards) -> None:
        """Count the successes and failures (B,) of arms (B,)."""
        arms, rewards = _check_outcome(arms, rewards, self.n_arms)
        if not np.isin(rewards, (0.0, 1.0)).all():
            raise ValueError(f"rewards must be 0 or 1, got {rewards[~np.isin(rewards, (0.0, 1.0))][:3].tolist()}")
        self.successes_ = self.successes_ + np.bincount(arms, rewards, self.n_arms)
        self.failures_ = self.failures_ + np.bincount(arms, 1 - rewards, self.n_arms)


@dataclass
class LinUCB:
    """The arm of the highest x.theta_a + alpha * sqrt(x' A_a^-1 x): a ridge regression per arm, and its doubt.

        A_a = ridge * I + sum of x x',   b_a = sum of reward * x,   theta_a = A_a^-1 b_a     over arm a's sessions

    Parameters
    ----------
    n_arms, n_features : int, at least 1
    alpha : float, 0 or more
        How much doubt counts for; 0 trusts the regression.
    ridge : float, above 0
    epsilon : float in [0, 1]
        This share of the sessions gets an arm drawn evenly, so that its log can be used by `offpolicy`. With 0 every
        propensity is 1 (equal arms: the first) and no other policy can be judged.

    `gram_` (A, D, D) and `moment_` (A, D) are A_a and b_a.

    Source: Li, Chu, Langford and Schapire (2010), "A contextual-bandit approach to personalized news article
    recommendation", algorithm 1 (disjoint).
    """

    n_arms: int
    n_features: int
    alpha: float = 1.0
    ridge: float = 1.0
    epsilon: float = 0.0

    def __post_init__(self):
        check_count("n_arms", self.n_arms)
        check_share("epsilon", self.epsilon)
        check_count("n_features", self.n_features)
        check_not_negative("alpha", self.alpha)
        check_positive("ridge", self.ridge)
        self.gram_ = np.tile(self.ridge * np.eye(self.n_features), (self.n_arms, 1, 1))
        self.moment_ = np.zeros((self.n_arms, self.n_features))

    def bounds(self, contexts) -> np.ndarray:
        """What each arm may be worth at best for contexts (B, D): (B, A)."""
        contexts = self._checked(contexts)
        found = np.empty((len(contexts), self.n_arms))
        for arm in range(self.n_arms):
            factor = cho_factor(self.gram_[arm], lower=True)
            doubt = np.einsum("bd,db->b", contexts, cho_solve(factor, contexts.T))
            found[:, arm] = contexts @ cho_solve(factor, self.moment_[arm]) + self.alpha * np.sqrt(doubt)
        return found

    def choose(self, contexts, rng) -> tuple[np.ndarray, np.ndarray]:
        """Arms (B,) and their propensities (B,) for contexts (B, D)."""
        best = self.bounds(contexts).argmax(axis=1)
        chances = self.epsilon / self.n_arms + (1 - self.epsilon) * (best[:, None] == np.arange(self.n_arms))
        return _drawn(chances, rng)

    def learn(self, contexts, arms, rewards) -> None:
        """Take rewards (B,) of arms (B,) for contexts (B, D) into the regressions."""
        contexts = self._checked(contexts)
        arms, rewards = _check_outcome(arms, rewards, self.n_arms)
        gram, moment = self.gram_.copy(), self.moment_.copy()
        for arm in np.unique(arms):
            rows = contexts[arms == arm]
            gram[arm] += rows.T @ rows
            moment[arm] += rewards[arms == arm] @ rows
        self.gram_, self.moment_ = gram, moment

    def _checked(self, contexts):
        """The contexts, if they are (B, D) finite numbers."""
        contexts = np.asarray(contexts, float)
        if contexts.ndim != 2 or contexts.shape[1] != self.n_features or not np.isfinite(contexts).all():
            raise ValueError(f"contexts must be finite, (sessions, {self.n_features}), got shape {contexts.shape}")
        return contexts


# -------------------------------------------------------------------------------------------------- a bandit at work
@dataclass(frozen=True, eq=False)
class Run:
    """What a bandit did and earned, session by session.

    Regret is the expected reward of the best fixed arm (of the best arm of every session, which only an oracle knows),
    minus that of the arm chosen. Against the fixed arm it may fall below 0: contexts can beat every fixed policy.
    """

    rewards: np.ndarray  # (n,) 0 or 1
    regret_fixed: np.ndarray  # (n,) cumulative
    regret_oracle: np.ndarray  # (n,) cumulative
    best_fixed: int  # the arm with the highest expected reward over all sessions
    log: Log  # arms (its items), propensities, rewards and contexts, for `offpolicy`


def play(bandit: Bandit, contexts, chances, *, rng: np.random.Generator, batch: int = 100, users=None) -> Run:
    """Let a bandit choose for sessions in a row, in batches, with rewards drawn from their true chances.

    Every session has one luck, whichever arm is chosen, drawn before the bandit draws anything: bandits that play with
    the same seed meet the same shoppers.

    Parameters
    ----------
    contexts : (n, D) float
    chances : (n, A) float in [0, 1]
        P(reward 1) of every arm in every session: the truth.
    batch : int, at least 1
        Sessions between two updates: shops learn by the hour or by the day, not by the click.
    users : (n,) int, optional
        Whose sessions these are, for the log; by default each is somebody else's.

    Raises
    ------
    ValueError  for shapes that differ, or chances outside 0 to 1
    """
    contexts, chances = np.asarray(contexts, float), np.asarray(chances, float)
    n, n_arms = len(contexts), bandit.n_arms
    if contexts.ndim != 2 or chances.shape != (n, n_arms):
        raise ValueError(f"chances must be one per session and arm, ({n}, {n_arms}), got {chances.shape}")
    if not ((chances >= 0) & (chances <= 1)).all():
        raise ValueError("chances must be from 0 to 1, got others or NaN")
    check_count("batch", batch)
    luck = rng.random(n)
    arms, propensity, rewards = np.empty(n, int), np.empty(n), np.empty(n)
    for first in range(0, n, batch):
        rows = slice(first, min(first + batch, n))
        arms[rows], propensity[rows] = bandit.choose(contexts[rows], rng)
        rewards[rows] = luck[rows] < chances[rows][np.arange(len(arms[rows])), arms[rows]]
        bandit.learn(contexts[rows], arms[rows], rewards[rows])
    own, best = chances[np.arange(n), arms], int(chances.sum(axis=0).argmax())
    regret_fixed = np.cumsum(chances[:, best] - own)
    regret_oracle = np.cumsum(chances.max(axis=1) - own)
    users = np.arange(n) if users is None else users
    log = Log(users, arms[:, None], propensity[:, None], rewards[:, None], context=contexts)
    return Run(rewards, regret_fixed, regret_oracle, best, log)


def _drawn(chances, rng):
    """An arm drawn from chances (B, A) for every row, and its chance: (B,), (B,)."""
    ends = np.cumsum(chances, axis=1)
    arms = (rng.random(len(chances))[:, None] * ends[:, -1:] >= ends).sum(axis=1)
    return arms, chances[np.arange(len(chances)), arms]


def _check_outcome(arms, rewards, n_arms):
    """Arms (B,) and rewards (B,) as arrays, if they belong together."""
    arms, rewards = np.asarray(arms), np.asarray(rewards, float)
    if arms.ndim != 1 or arms.shape != rewards.shape:
        raise ValueError(f"arms and rewards must be one per session, got {arms.shape} and {rewards.shape}")
    if arms.dtype.kind not in "iu" or (len(arms) and not 0 <= arms.min() <= arms.max() < n_arms):
        raise ValueError(f"arms must be whole numbers from 0 to {n_arms - 1}, got {arms[:3].tolist()}")
    if not np.isfinite(rewards).all():
        raise ValueError("rewards must be finite numbers, got NaN or infinite ones")
    return arms, rewards
