"""Bandits: choices by hand, chances by integrals, LinUCB against a plain inverse, regret, and their logs in use."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reco_utils.experiment.bandits import Always, EpsilonGreedyArms, LinUCB, ThompsonArms, play
from reco_utils.experiment.offpolicy import ips


def rng(seed=0):
    return np.random.default_rng(seed)


def world(n, seed=0):
    """Two kinds of shoppers, three arms: arm 2 is best for nobody but good for all, 0 and 1 each for one kind."""
    kind = rng(seed).integers(0, 2, n)
    contexts = np.column_stack([np.ones(n), kind])
    return contexts, np.array([[0.6, 0.1, 0.4], [0.1, 0.6, 0.4]])[kind]


BANDITS = [Always(3, 2), EpsilonGreedyArms(3, 0.1), ThompsonArms(3), LinUCB(3, 2), LinUCB(3, 2, epsilon=0.2)]


@pytest.mark.parametrize("bandit", BANDITS, ids=lambda b: f"{type(b).__name__}-{getattr(b, 'epsilon', '')}")
class TestEveryBandit:
    def test_propensities_are_the_shares_of_what_is_chosen(self, bandit):
        # 20,000 choices of one and the same state: a share has a standard error of at most 0.0036
        bandit = copy.deepcopy(bandit)
        bandit.learn(np.ones((4, 2)), np.array([0, 1, 1, 2]), np.array([1.0, 0, 1, 0]))
        arms, propensity = bandit.choose(np.ones((20_000, 2)), rng())
        assert ((propensity > 0) & (propensity <= 1)).all()
        for arm in np.unique(arms):
            assert_allclose(propensity[arms == arm], np.mean(arms == arm), atol=0.015)

    def test_the_seed_decides(self, bandit):
        contexts, chances = world(500)
        one, again = (play(copy.deepcopy(bandit), contexts, chances, rng=rng(3)) for _ in range(2))
        assert_array_equal(one.log.items, again.log.items)
        assert_array_equal(one.rewards, again.rewards)

    def test_a_learnt_bandit_survives_pickle_and_the_callers_arrays_stay(self, bandit):
        bandit, contexts = copy.deepcopy(bandit), rng().random((6, 2))
        arms, rewards = np.array([0, 1, 2, 0, 1, 2]), np.array([1.0, 0, 0, 1, 0, 1])
        before = contexts.copy(), arms.copy(), rewards.copy()
        bandit.learn(contexts, arms, rewards)
        again = pickle.loads(pickle.dumps(bandit))
        assert_array_equal(bandit.choose(contexts, rng(1))[0], again.choose(contexts, rng(1))[0])
        for old, new in zip(before, (contexts, arms, rewards)):
            assert_array_equal(old, new)

    def test_no_session_is_no_trouble(self, bandit):
        bandit = copy.deepcopy(bandit)
        arms, propensity = bandit.choose(np.empty((0, 2)), rng())
        assert len(arms) == len(propensity) == 0
        bandit.learn(np.empty((0, 2)), np.empty(0, int), np.empty(0))
        assert len(play(bandit, np.empty((0, 2)), np.empty((0, 3)), rng=rng()).rewards) == 0

    def test_its_regret_against_the_oracle_never_falls(self, bandit):
        contexts, chances = world(300)
        run = play(copy.deepcopy(bandit), contexts, chances, rng=rng())
        assert (np.diff(run.regret_oracle) >= 0).all()
        own = chances[np.arange(300), run.log.items[:, 0]]
        assert run.regret_oracle[-1] == pytest.approx((0.6 - own).sum())
        assert run.best_fixed == 2 and run.regret_fixed[-1] == pytest.approx((0.4 - own).sum())


# ------------------------------------------------------------------------------------------------------ epsilon-greedy
def test_epsilon_greedy_by_hand():
    bandit = EpsilonGreedyArms(3, 0.3)
    bandit.learn(None, np.array([0, 0, 1, 2]), np.array([1.0, 0, 1, 0]))  # means 1/2, 1, 0
    arms, propensity = bandit.choose(np.empty((2000, 1)), rng())
    assert_allclose([propensity[arms == arm][0] for arm in range(3)], [0.1, 0.8, 0.1])


def test_equal_arms_share_and_an_untried_arm_comes_first():
    bandit = EpsilonGreedyArms(4, 0.0)
    bandit.learn(None, np.array([0, 1]), np.array([1.0, 1.0]))
    arms, propensity = bandit.choose(np.empty((200, 1)), rng())
    assert set(arms) == {2, 3} and (propensity == 0.5).all()


# -------------------------------------------------------------------------------------------------------------- LinUCB
def test_linucb_is_the_plain_inverse_one_session_at_a_time():
    n, d, a = 60, 4, 3
    contexts, arms, rewards = rng(1).normal(size=(n, d)), rng(2).integers(0, a, n), rng(3).random(n)
    bandit, new = LinUCB(a, d, alpha=0.7, ridge=0.5), rng(4).normal(size=(5, d))
    for rows in np.array_split(np.arange(n), 7):
        bandit.learn(contexts[rows], arms[rows], rewards[rows])
    expected = np.empty((5, a))
    for arm in range(a):
        inverse, moment = np.eye(d) / 0.5, np.zeros(d)
        for x, reward in zip(contexts[arms == arm], rewards[arms == arm]):
            inverse = inverse - np.outer(inverse @ x, inverse @ x) / (1 + x @ inverse @ x)  # Sherman and Morrison
            moment = moment + reward * x
        expected[:, arm] = [x @ inverse @ moment + 0.7 * np.sqrt(x @ inverse @ x) for x in new]
    assert_allclose(bandit.bounds(new), expected, rtol=1e-9)
    assert_array_equal(bandit.choose(new, rng())[0], expected.argmax(axis=1))


def test_linucb_tries_what_it_does_not_know():
    bandit = LinUCB(2, 1, alpha=1.0)
    bandit.learn(np.ones((50, 1)), np.zeros(50, int), np.full(50, 0.5))
    # arm 0: about .5 + 1/sqrt(51) = .63; arm 1: 0 + 1/sqrt(1)
    assert_allclose(bandit.bounds([[1.0]]), [[25 / 51 + 51**-0.5, 1.0]])
    assert bandit.choose([[1.0]], rng())[0] == [1]
    bandit.alpha = 0.0
    assert bandit.choose([[1.0]], rng())[0] == [0]


# ------------------------------------------------------------------------------------------------------------ at work
def test_contexts_beat_every_fixed_arm_and_counts_reach_the_best_one():
    contexts, chances = world(5000)
    runs = {
        type(bandit).__name__: play(bandit, contexts, chances, rng=rng())
        for bandit in (LinUCB(3, 2), ThompsonArms(3), EpsilonGreedyArms(3, 0.05), Always(3, 2))
    }
    assert runs["Always"].regret_fixed[-1] == 0
    assert runs["LinUCB"].regret_fixed[-1] < -700  # the oracle gains .2 per session: 1,000 in all
    even = 5000 * (0.4 - 1.1 / 3)  # what choosing evenly loses
    assert runs["ThompsonArms"].regret_fixed[-1] < even and runs["EpsilonGreedyArms"].regret_fixed[-1] < even


def test_the_log_of_a_bandit_tells_what_other_policies_would_have_earned():
    # chances change as it learns, and each weight uses those of its own session: the estimate stays right
    contexts, chances = world(20_000)
    log = play(EpsilonGreedyArms(3, 0.3), contexts, chances, rng=rng(1)).log
    for arm in range(3):
        found = ips(log, np.tile(np.eye(3)[arm], (20_000, 1)))
        assert abs(found.value - chances[:, arm].mean()) < 4 * found.error
    by_kind = np.eye(3)[contexts[:, 1].astype(int)]
    assert abs(ips(log, by_kind).value - 0.6) < 4 * ips(log, by_kind).error


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: EpsilonGreedyArms(0), ValueError, "n_arms must be a whole number of at least 1, got 0"),
        (lambda: EpsilonGreedyArms(2, 1.5), ValueError, "epsilon must be from 0 to 1, got 1.5"),
        (lambda: Always(2, 2), ValueError, "arm must be from 0 to 1, got 2"),
        (lambda: ThompsonArms(2, prior=0), ValueError, "prior must be a finite number above 0, got 0"),
        (lambda: LinUCB(2, 0), ValueError, "n_features must be a whole number of at least 1, got 0"),
        (lambda: LinUCB(2, 2, ridge=0), ValueError, "ridge must be a finite number above 0, got 0"),
        (lambda: LinUCB(2, 2, alpha=-1), ValueError, "alpha must be a finite number of at least 0, got -1"),
        (lambda: LinUCB(2, 2).choose([[1.0]], rng()), ValueError, "contexts must be finite, .sessions, 2."),
        (lambda: LinUCB(2, 1).choose([[np.nan]], rng()), ValueError, "contexts must be finite"),
        (lambda: ThompsonArms(2).learn(None, [0], [0.5]), ValueError, "rewards must be 0 or 1, got .0.5."),
        (lambda: ThompsonArms(2).learn(None, [2], [1]), ValueError, "arms must be whole numbers from 0 to 1"),
        (lambda: EpsilonGreedyArms(2).learn(None, [0], [1, 1]), ValueError, "one per session"),
        (lambda: EpsilonGreedyArms(2).learn(None, [0], [np.nan]), ValueError, "rewards must be finite"),
        (lambda: play(ThompsonArms(2), np.ones((3, 1)), np.ones((3, 3)), rng=rng()), ValueError, r"\(3, 2\), got"),
        (lambda: play(ThompsonArms(2), np.ones((3, 1)), np.full((3, 2), 2), rng=rng()), ValueError, "from 0 to 1"),
        (lambda: play(Always(1), np.ones((3, 1)), np.ones((3, 1)), rng=rng(), batch=0), ValueError, "batch must be"),
    ],
)
def test_what_makes_no_sense_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
