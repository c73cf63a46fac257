"""What would another policy have earned? Answers from the log of the policy that was running, with their intervals.

    log = log_lists(shown, clicks, places=epsilon_greedy_chances(popularity, pool, 0.12, 10))
    ips(log, hybrid_lists)                                   # Estimate: value, low, high, diagnostics, sentence
    doubly_robust(log, hybrid_lists, item_means(log, n_items))
    evaluate_offline(log, {"popularity": ..., "ALS": ...})   # a table of all estimators

A session counts with the weight "how much more likely would the other policy have shown this": the value of a list is
the sum of the rewards of its places, and the estimate its mean over the sessions of the log. What must be assumed so
that a list can be judged that was never shown as a whole:

    assume="list"          nothing: only sessions that saw exactly this list count; hopeless beyond a few places
    assume="above"         a reward depends on its item, its place and the places above (RIPS)
    assume="place"         a reward depends on its item and its place, not on the other items (item-position IPS)
    assume="examination"   as "place", and reward = P(place k is looked at) x something of user and item alone: then an
                           item that was seen in another place counts too (position-based model)

Each line asks for more and gives narrower intervals. The built-in shop's own shoppers obey the last one.

Letters: n sessions, K places, U users, A arms.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reco_utils.core import TopK
from reco_utils.experiment.impressions import Log

ASSUMPTIONS = ("list", "above", "place", "examination")
RewardModel = Callable[[np.ndarray, np.ndarray], np.ndarray]  # users (n,), items (n, K) -> (n, K)


@dataclass(frozen=True)
class Estimate:
    """A policy's value per session as told by the log of another one, and how far it can be trusted.

    Parameters
    ----------
    estimator : str; assume : str
    value, low, high : float
        Reward per session with its 95 % interval (`level`), users being what varies.
    error : float
        Standard error.
    n, users : int
        Sessions and users of the log.
    matched : int
        Impressions that the other policy would have shown too: all that the weights rest on.
    ess : float
        Effective sample size of these, (sum of weights)^2 / sum of squares: as many equal weights would say as much.
    max_weight : float
        The largest one, after clipping.
    mean_weight : float
        Mean of the weights over what it must be: 1 but for chance, if the propensities are those that were used.
    missing : float in [0, 1]
        Share of the policy's places for which the log has no chance at all; NaN where the log cannot tell.
    clipped : float in [0, 1]
        Share of the matched impressions whose weight was cut.
    notes : tuple of str
        What a reader must know, in sentences; empty when there is nothing.
    """

    estimator: str
    assume: str
    value: float
    low: float
    high: float
    error: float
    n: int
    users: int
    matched: int
    ess: float
    max_weight: float
    mean_weight: float
    missing: float
    clipped: float
    level: float = 0.95
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The estimate in words."""
        raise NotImplementedError


def ips(
    log: Log,
    target: TopK | np.ndarray,
    *,
    assume: str = "place",
    examination: np.ndarray | None = None,
    clip: float | None = None,
    missing_allowed: float = 0.1,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> Estimate:
    """Inverse propensity scoring: mean over sessions of the sum over places of weight x reward.

    Unbiased if the assumption holds and the log could have shown everything that the target shows.

    Parameters
    ----------
    target : TopK, one row per user position; or (n, A) chances of each arm in each session of a log of one place
        The policy to judge. Only the first K places count.
    assume : "list", "above", "place" or "examination"
        See the top of the file. With one place all are the same but the last.
    examination : (K,) or (n, K) float in (0, 1]
        P(place k is looked at), for assume="examination".
    clip : float, optional
        No weight above this: less noise, and a value that is too low.
    missing_allowed : float in [0, 1]
        If a larger share of the target's places has no chance in the log, the estimate is refused.
    level : float, 0 to 1
    rng : Generator, optional
        With it the interval is the bootstrap's (users drawn with replacement), else the normal one with standard
        errors by user.

    Raises
    ------
    ValueError  for a log that cannot answer, with what it lacks

    Source: Horvitz and Thompson (1952); lists: Li, Abbasi-Yadkori, Kveton et al. (2018), "Offline evaluation of ranking
    policies with click models"; "above": McInerney et al. (2020), "Counterfactual evaluation of slate recommendations
    with sequential reward interactions".
    """
    raise NotImplementedError


def snips(log, target, *, assume="place", examination=None, clip=None, missing_allowed=0.1, level=0.95, rng=None):
    """Self-normalised IPS: per place, sum of weight x reward / sum of weights. Parameters as for `ips`.

    A little biased, usually much less noisy; never outside the range of the rewards.

    Source: Swaminathan and Joachims (2015), "The self-normalized estimator for counterfactual learning".
    """
    raise NotImplementedError


def doubly_robust(
    log: Log,
    target: TopK | np.ndarray,
    model: RewardModel | np.ndarray,
    *,
    assume: str = "place",
    examination: np.ndarray | None = None,
    clip: float | None = None,
    switch: float | None = None,
    missing_allowed: float = 0.1,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> Estimate:
    """A model's prediction for the target's lists, plus the weighted error of the model on what was shown.

        sum over places of  q(target's item) + weight x (reward - q(item shown))

    Unbiased if the weights are right, whatever the model; or if the model is right, whatever the weights.

    Parameters
    ----------
    model : callable (users (n,), items (n, K)) -> (n, K), or (n, A) array for a log of arms
        Expected reward of each item, in the place of its column, if it is looked at: with `examination` every
        prediction is multiplied by that of its place. For instance `item_means(log, n_items)`.
    switch : float, optional
        Where a weight is above this, the model alone is trusted (weight 0).

    Source: Dudik, Langford and Li (2011); switch: Wang, Agarwal and Dudik (2017).
    """
    raise NotImplementedError


def direct(log, target, model, *, assume="place", examination=None, level=0.95, rng=None) -> Estimate:
    """The model's prediction alone: no noise to speak of, and every bit of the model's bias. As `doubly_robust`."""
    raise NotImplementedError


def item_means(log: Log, n_items: int, *, examination=None, strength: float = 10.0, folds: int = 5) -> RewardModel:
    """A simple reward model: the mean reward of each item per look, drawn to the overall mean.

        (sum of rewards + strength * overall mean) / (looks + strength)

    A user's predictions come from the other users' sessions (`folds` groups), so that the model has not seen the
    rewards whose errors it is corrected by.
    """
    raise NotImplementedError


def evaluate_offline(
    log: Log,
    targets: Mapping[str, TopK | np.ndarray],
    *,
    model: RewardModel | None = None,
    assume: str = "place",
    examination=None,
    clip: float | None = None,
    missing_allowed: float = 0.1,
) -> pd.DataFrame:
    """Every policy by IPS and SNIPS, and with a model by doubly robust and direct: index (policy, estimator)."""
    raise NotImplementedError
