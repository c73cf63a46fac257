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
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from reco_utils.core import TopK
from reco_utils.experiment.bootstrap import resampled_sums
from reco_utils.experiment.checks import check_between, check_count, check_positive
from reco_utils.experiment.impressions import Log
from reco_utils.experiment.weighing import (
    Weighed,
    check_session,
    effective_size,
    looks_of,
    sums_by_user,
    wanted_lists,
    weigh,
)

N_RESAMPLES = 2000
RewardModel = Callable[[np.ndarray, np.ndarray], np.ndarray]  # users (n,), items (n, K) -> (n, K)


@dataclass(frozen=True)
class Estimate:
    """A policy's value per session as told by the log of another one, and how far it can be trusted."""

    estimator: str
    assume: str
    value: float  # reward per session
    low: float  # its interval, users being what varies
    high: float
    error: float  # standard error
    n: int  # sessions of the log
    users: int
    matched: int  # impressions that the other policy would have shown too: all that the weights rest on
    ess: float  # their effective sample size, (sum of weights)^2 / sum of squares: so many equal weights say as much
    max_weight: float  # the largest one, after clipping
    mean_weight: float  # over what it must be: 1 but for chance, if the propensities are those that were used
    missing: float  # share of the policy's places for which the log has no chance at all; NaN where it cannot tell
    clipped: float  # share of the matched impressions whose weight was cut
    level: float = 0.95
    notes: tuple[str, ...] = ()  # what a reader must know, in sentences

    @property
    def sentence(self) -> str:
        """The estimate in words."""
        return (
            f"{self.estimator} ({self.assume}): {self.value:.4g} per session, {self.level:.0%} interval "
            f"{self.low:.4g} to {self.high:.4g}, from {self.matched:,} matched impressions of {self.n:,} sessions, "
            f"worth {self.ess:,.0f}."
        ) + "".join(f" {note}" for note in self.notes)


@dataclass(frozen=True, eq=False)
class Terms:
    """What is assumed when a log is read, and how its interval is made: the options of all estimators.

    Parameters
    ----------
    assume : "list", "above", "place" or "examination"
        See the top of the file. With one place all are the same but the last.
    examination : (K,) or (n, K) float in (0, 1]
        P(place k is looked at): needed by assume="examination", and what the predictions of models are multiplied by.
    clip : float, optional
        No weight above this: less noise, and a value that is too low.
    missing_allowed : float in [0, 1]
        If a larger share of the target's places has no chance in the log, the estimate is refused.
    level : float, 0 to 1
    rng : Generator, optional
        With it the interval is the bootstrap's (users drawn with replacement), else the normal one with standard
        errors by user.
    """

    assume: str = "place"
    examination: np.ndarray | None = None
    clip: float | None = None
    missing_allowed: float = 0.1
    level: float = 0.95
    rng: np.random.Generator | None = None

    def __post_init__(self):
        check_between("level", self.level)


def ips(log: Log, target: TopK | np.ndarray, **terms) -> Estimate:
    """Inverse propensity scoring: mean over sessions of the sum over places of weight x reward.

    Unbiased if the assumption holds and the log could have shown everything that the target shows.

    Parameters
    ----------
    target : TopK, one row per user position; or (n, A) chances of each arm in each session of a log of one place
        The policy to judge. Only the first K places count.
    terms : assume, examination, clip, missing_allowed, level, rng
        See `Terms`.

    Raises
    ------
    ValueError  for a log that cannot answer, with what it lacks

    Source: Horvitz and Thompson (1952); lists: Li, Abbasi-Yadkori, Kveton et al. (2018), "Offline evaluation of ranking
    policies with click models"; "above": McInerney et al. (2020), "Counterfactual evaluation of slate recommendations
    with sequential reward interactions".
    """
    terms = Terms(**terms)
    return _ips(log, weigh(log, target, terms), terms)


def snips(log: Log, target: TopK | np.ndarray, **terms) -> Estimate:
    """Self-normalised IPS: per place, sum of weight x reward / sum of weights. Parameters as for `ips`.

    A little biased, usually much less noisy; never outside the range of the rewards.

    Source: Swaminathan and Joachims (2015), "The self-normalized estimator for counterfactual learning".
    """
    terms = Terms(**terms)
    return _snips(log, weigh(log, target, terms), terms)


def doubly_robust(
    log: Log, target: TopK | np.ndarray, model: RewardModel | np.ndarray, *, switch: float | None = None, **terms
) -> Estimate:
    """A model's prediction for the target's lists, plus the weighted error of the model on what was shown.

        sum over places of  q(target's item) + weight x (reward - q(item shown))

    Unbiased if the weights are right, whatever the model; or if the model is right, whatever the weights.

    Parameters
    ----------
    target, terms : as for `ips`
    model : callable (users (n,), items (n, K)) -> (n, K), or (n, A) array for a log of arms
        Expected reward of each item, in the place of its column, if it is looked at: with `examination` every
        prediction is multiplied by that of its place. For instance `item_means(log, n_items)`.
    switch : float, optional
        Where a weight is above this, the model alone is trusted (weight 0).

    Source: Dudik, Langford and Li (2011); switch: Wang, Agarwal and Dudik (2017).
    """
    terms = Terms(**terms)
    weighed = weigh(log, target, terms)
    if switch is not None:
        check_positive("switch", switch)
        weighed = replace(weighed, weight=np.where(weighed.weight <= switch, weighed.weight, 0.0))
    return _robust(log, weighed, _predictions(log, target, model, terms), terms)


def direct(log: Log, target: TopK | np.ndarray, model: RewardModel | np.ndarray, **terms) -> Estimate:
    """The model's prediction alone: hardly any noise, and all of the model's bias. Parameters as for `doubly_robust`.

    Its interval speaks of other users with the same model; that the model may be wrong is not in it.
    """
    check_session(log)
    terms = Terms(**terms)
    return _direct(log, _predictions(log, target, model, terms)[0], terms)


def item_means(
    log: Log, n_items: int, *, examination: np.ndarray | None = None, strength: float = 10.0, folds: int = 5
) -> RewardModel:
    """A simple reward model: the mean reward of each item per look, drawn to the mean of all items.

        (sum of rewards + strength * overall mean) / (looks + strength)

    A user's predictions come from the other users' sessions (`folds` groups), so that the model has not seen the
    rewards that its errors are measured on.

    Parameters
    ----------
    n_items : int
        Items of the catalogue; or arms.
    examination : (K,) or (n, K), optional
        P(place k is looked at): looks are counted by it. Without it every showing is a look.
    strength : float, above 0
        How many looks at an average item everything gets in advance.

    Returns
    -------
    callable (users (n,), items (n, K)) -> (n, K), 0 for padding
    """
    check_positive("strength", strength)
    check_count("folds", folds, 2)
    shown = log.items >= 0
    if log.items.max(initial=-1) >= n_items:
        raise ValueError(f"n_items is {n_items}, but the log has item {log.items.max()}")
    looks = np.broadcast_to(looks_of(log, examination), log.items.shape)[shown]
    group = np.broadcast_to((log.users % folds)[:, None], log.items.shape)[shown]
    cell, size = group * n_items + log.items[shown], folds * n_items
    of_groups = (np.bincount(cell, x, size).reshape(folds, n_items) for x in (log.reward[shown], looks))
    earned, seen = (sums.sum(axis=0) - sums for sums in of_groups)
    overall = earned.sum(axis=1, keepdims=True) / np.maximum(seen.sum(axis=1, keepdims=True), 1e-300)
    rate = (earned + strength * overall) / (seen + strength)

    def predict(users, items):
        found = rate[np.asarray(users)[:, None] % folds, np.maximum(items, 0)]
        return np.where(items >= 0, found, 0.0)

    return predict


def evaluate_offline(
    log: Log, targets: Mapping[str, TopK | np.ndarray], *, model: RewardModel | None = None, **terms
) -> pd.DataFrame:
    """Every policy by IPS and SNIPS, with a model also by doubly robust and direct. Parameters as for `doubly_robust`.

    Returns
    -------
    DataFrame, index (policy, estimator), columns value, low, high, matched, ess, max_weight, mean_weight, missing
    """
    rows, terms = {}, Terms(**terms)
    for name, target in targets.items():
        weighed = weigh(log, target, terms)
        found = [_ips(log, weighed, terms), _snips(log, weighed, terms)]
        if model is not None:
            predicted = _predictions(log, target, model, terms)
            found += [_robust(log, weighed, predicted, terms), _direct(log, predicted[0], terms)]
        rows |= {(name, each.estimator): each for each in found}
    columns = ["value", "low", "high", "matched", "ess", "max_weight", "mean_weight", "missing"]
    index = pd.MultiIndex.from_tuples(rows, names=["policy", "estimator"])
    return pd.DataFrame([[getattr(each, c) for c in columns] for each in rows.values()], index, columns)


def _ips(log, weighed, terms):
    """IPS from weights."""
    parts = (weighed.weight * log.reward).sum(axis=1)[:, None]
    return _estimate("IPS", log, weighed, parts, _mean, terms)


def _snips(log, weighed, terms):
    """SNIPS from weights."""
    rewards = weighed.weight * log.reward
    if weighed.control.shape[1] == 1:
        rewards = rewards.sum(axis=1)[:, None]
    parts = np.concatenate([rewards, weighed.control, weighed.expected], axis=1)
    return _estimate("SNIPS", log, weighed, parts, _self_normalised, terms)


def _robust(log, weighed, predicted, terms):
    """Doubly robust from weights and predictions of the target's lists (n,) and of the impressions (n, K)."""
    of_target, of_shown = predicted
    parts = (of_target + (weighed.weight * (log.reward - of_shown)).sum(axis=1))[:, None]
    return _estimate("doubly robust", log, weighed, parts, _mean, terms)


def _direct(log, of_target, terms):
    """The mean of predictions (n,); nothing is weighed."""
    none = np.zeros(log.items.shape)
    weighed = Weighed("the model", none, none, none, np.nan, 0.0)
    return _estimate("direct", log, weighed, of_target[:, None], _mean, terms)


def _predictions(log, target, model, terms):
    """The model's value of the target's lists (n,) and its prediction of the impressions (n, K)."""
    looks = looks_of(log, terms.examination)
    if isinstance(target, TopK):
        if not callable(model):
            raise TypeError("model must be callable (users, items) for lists, as two sets of lists are predicted")
        wanted = wanted_lists(log, target)
        of_target = np.where(wanted >= 0, _predicted(model, log.users, wanted), 0.0)
        of_shown = np.where(log.items >= 0, _predicted(model, log.users, log.items), 0.0)
        return (looks * of_target).sum(axis=1), looks * of_shown
    chances = np.asarray(target, float)
    arms = np.broadcast_to(np.arange(chances.shape[1]), chances.shape)
    every = _predicted(model, log.users, arms)
    return (chances * every).sum(axis=1), np.take_along_axis(every, np.maximum(log.items, 0), axis=1)


def _predicted(model, users, items):
    """What the model predicts for items (n, C), its shape and numbers checked."""
    found = model(users, items) if callable(model) else np.asarray(model, float)
    if np.shape(found) != items.shape:
        raise ValueError(f"model must predict {items.shape}, got {np.shape(found)}")
    if not np.isfinite(found[items >= 0]).all():
        raise ValueError("model must predict finite numbers, got NaN or infinite ones")
    return found


# ----------------------------------------------------------------------------------------------------------- intervals
def _mean(totals, n):
    """Value of totals (..., 1) of n sessions, and its slope."""
    return totals[..., 0] / n, 1 / np.expand_dims(n, -1)


def _self_normalised(totals, n):
    """Sum over groups of reward / control * expected, of totals (..., 3 G); and its slopes (..., 3 G).

    A group whose weights are all 0 adds nothing.
    """
    reward, control, expected = np.split(totals, 3, axis=-1)
    safe = np.where(control > 0, control, 1.0)
    ratio = np.where(control > 0, reward / safe, 0.0)
    share = np.where(control > 0, expected / safe, 0.0)
    slopes = np.concatenate([share, -ratio * share, ratio], axis=-1)
    return (ratio * expected).sum(axis=-1) / n, slopes / np.expand_dims(n, -1)


def _estimate(name, log, weighed, parts, value_of, terms):
    """The estimate whose value is a function of the totals of parts (n, M), with its interval over users."""
    sums, sessions = sums_by_user(log, parts)
    users, n, weight = len(sums), len(log), weighed.weight
    value, slopes = value_of(sums.sum(axis=0), n)
    pull = sums @ slopes - sessions * value / n  # what each user moves the value by
    error = float(np.sqrt(users / (users - 1) * (pull**2).sum())) if users > 1 else np.nan
    low = high = np.nan
    if users > 1 and terms.rng is None:
        reach = stdtrit(users - 1, (1 + terms.level) / 2) * error
        low, high = value - reach, value + reach
    elif users > 1:
        drawn = resampled_sums(np.column_stack([sums, sessions]), rng=terms.rng, n=N_RESAMPLES)
        low, high = np.quantile(
            value_of(drawn[:, :-1], drawn[:, -1])[0], [(1 - terms.level) / 2, (1 + terms.level) / 2]
        )
    mean_weight = float(weighed.control.sum() / weighed.expected.sum()) if weighed.expected.any() else np.nan
    return Estimate(
        name, weighed.assume, float(value), float(low), float(high), error, n, users, int(np.count_nonzero(weight)),
        effective_size(weight), float(weight.max(initial=0.0)), mean_weight, weighed.missing, weighed.clipped,
        terms.level, weighed.notes,
    )  # fmt: skip
