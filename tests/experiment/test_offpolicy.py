"""Off-policy estimates: exact expectations over every log that can be, by hand, by simulation, and refusals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from reco_utils.core import TopK
from reco_utils.experiment.impressions import Log, epsilon_greedy_chances
from reco_utils.experiment.offpolicy import direct, doubly_robust, evaluate_offline, ips, item_means, snips

LOOKS = np.array([1.0, 0.6, 0.5])
BASE, POOL, WANTED = [3, 1, 4, 0], [1, 5, 3, 2], [1, 5, 3]
EPSILON, K, N_ITEMS = 0.4, 3, 6


def lists_of(items):
    items = np.array(items, np.int32)
    return TopK(pd.RangeIndex(len(items)), items, np.where(items >= 0, 1, np.nan).astype(np.float32))


def every_list(base=BASE, pool=POOL, epsilon=EPSILON, k=K):
    """All lists of epsilon-greedy: (list, chances given the places above)."""
    found = [((), ())]
    for _ in range(k):
        longer = []
        for shown, chances in found:
            free = [item for item in pool if item not in shown]
            best = next(item for item in base if item not in shown)
            for item in {*free, best}:
                chance = epsilon * (item in free) / len(free) + (1 - epsilon) * (item == best)
                longer.append(((*shown, item), (*chances, chance)))
        found = longer
    return found


def places():
    return epsilon_greedy_chances(lists_of([BASE]), lists_of([POOL]), EPSILON, K)


WORTH = np.random.default_rng(3).random((N_ITEMS, K))  # of an item in a place
ALONE = np.random.default_rng(4).random(N_ITEMS)  # of an item that is looked at


def rewards_of(shown, assume):
    """Expected rewards (K,) of a list, as general as the assumption allows."""
    if assume == "list":
        return np.array([((1 + WORTH[list(shown), place]) * LOOKS).prod() for place in range(K)])
    if assume == "above":
        return np.array([WORTH[list(shown[: place + 1]), place].prod() for place in range(K)])
    if assume == "place":
        return WORTH[list(shown), range(K)]
    return LOOKS * ALONE[list(shown)]


def expectation(estimate, assume, target=WANTED):
    """Mean of an estimate that is linear in the rewards, over all lists, of logs of one session each."""
    total = 0.0
    for shown, chances in every_list():
        log = Log(np.array([0]), np.array([shown]), np.array([chances]), rewards_of(shown, assume)[None], places())
        looks = LOOKS if assume == "examination" else None
        found = estimate(log, lists_of([target]), assume=assume, examination=looks)
        total += np.prod(chances) * found.value
    return total


def some_model(users, items):
    """A bad model that knows places apart."""
    return 0.3 + 0.1 * items + 0.05 * np.arange(items.shape[1])


# ------------------------------------------------------------------------------------------------- exact expectations
@pytest.mark.parametrize("assume", ["list", "above", "place", "examination"])
def test_the_mean_over_every_log_is_the_truth(assume):
    assert_allclose(sum(np.prod(chances) for _, chances in every_list()), 1, rtol=1e-12)
    assert_allclose(expectation(ips, assume), rewards_of(WANTED, assume).sum(), rtol=1e-12)


@pytest.mark.parametrize("assume", ["list", "above", "place"])
def test_a_bad_model_does_not_move_the_mean_of_doubly_robust(assume):
    def estimate(log, target, **options):
        return doubly_robust(log, target, some_model, **options)

    assert_allclose(expectation(estimate, assume), rewards_of(WANTED, assume).sum(), rtol=1e-12)


def test_nor_does_a_model_of_items_under_examination():
    def estimate(log, target, **options):
        return doubly_robust(log, target, lambda users, items: 0.1 * items, **options)

    assert_allclose(expectation(estimate, "examination"), rewards_of(WANTED, "examination").sum(), rtol=1e-12)


def test_a_stronger_assumption_than_the_truth_is_wrong():
    truth = rewards_of(WANTED, "above").sum()
    assert abs(expectation(ips, "place") - truth) > 0.1 * truth


def test_chances_given_the_places_above_are_no_chances_of_places():
    # weighting each place by the chance given the places above counts only the lists in which the item was still free
    truth = rewards_of(WANTED, "place").sum()
    naive, expected = 0.0, 0.0
    for shown, chances in every_list():
        hit = np.array(shown) == WANTED
        naive += np.prod(chances) * (hit / np.array(chances) * rewards_of(shown, "place")).sum()
        free = [WANTED[place] not in shown[:place] for place in range(K)]
        expected += np.prod(chances) * (free * rewards_of(WANTED, "place")).sum()
    assert_allclose(naive, expected, rtol=1e-12)
    assert naive < 0.75 * truth


def test_a_right_model_makes_doubly_robust_right_with_wrong_weights():
    log = Log(np.array([0]), np.array([[3, 1, 5]]), np.full((1, 3), 0.01), WORTH[[3, 1, 5], range(K)][None], places())

    def model(users, items):
        return WORTH[items, np.arange(K)]

    assert_allclose(doubly_robust(log, lists_of([WANTED]), model, assume="above").value, WORTH[WANTED, range(K)].sum())


def test_what_the_log_cannot_show_is_counted_as_nothing_and_said():
    target = [1, 9, 3]
    options = {"assume": "place", "missing_allowed": 0.5}
    total = 0.0
    for shown, chances in every_list():
        log = Log(np.array([0]), np.array([shown]), np.array([chances]), rewards_of(shown, "place")[None], places())
        found = ips(log, lists_of([target]), **options)
        total += np.prod(chances) * found.value
    assert_allclose(total, WORTH[1, 0] + WORTH[3, 2], rtol=1e-12)
    assert found.missing == pytest.approx(1 / 3) and "33.3% of the places could never be seen" in found.sentence
    with pytest.raises(ValueError, match="could never show 33.3% of the target's places, 10.0% are allowed"):
        ips(log, lists_of([target]))


# ------------------------------------------------------------------------------------------------------------- by hand
def arm_log(arms, chances, rewards, users=None):
    """A log of a bandit."""
    users = np.arange(len(arms)) if users is None else users
    columns = (np.array(array)[:, None] for array in (arms, chances, rewards))
    return Log(np.array(users), *columns)


FOUR = arm_log([0, 1, 1, 0], [0.5, 0.25, 0.5, 0.8], [1.0, 2.0, 0.0, 3.0])
ALWAYS_1 = np.tile([0.0, 1.0], (4, 1))


def test_four_sessions_by_hand():
    # weights 0, 4, 2, 0: IPS (4 * 2 + 2 * 0) / 4 = 2; SNIPS 8 / 6
    found = ips(FOUR, ALWAYS_1)
    assert (found.value, found.matched, found.max_weight, found.mean_weight) == (2, 2, 4, 1.5)
    assert found.ess == pytest.approx(36 / 20)
    assert snips(FOUR, ALWAYS_1).value == pytest.approx(8 / 6)
    # the model says arm 0 earns 1 and arm 1 earns 1.5: 1.5 + (4 * 0.5 - 2 * 1.5) / 4
    model = np.tile([1.0, 1.5], (4, 1))
    assert doubly_robust(FOUR, ALWAYS_1, model).value == pytest.approx(1.25)
    assert direct(FOUR, ALWAYS_1, model).value == 1.5
    # weights above 3 are cut to 3, or left to the model
    assert ips(FOUR, ALWAYS_1, clip=3).value == 1.5
    assert ips(FOUR, ALWAYS_1, clip=3).clipped == 0.5
    assert doubly_robust(FOUR, ALWAYS_1, model, switch=3).value == pytest.approx(1.5 - 3 / 4)


def test_a_policy_may_be_chance_itself():
    # even chances: weights 1, 2, 1, .625 -> (1 + 4 + 0 + 1.875) / 4
    assert ips(FOUR, np.full((4, 2), 0.5)).value == pytest.approx(6.875 / 4)


def test_the_policy_of_the_log_is_worth_its_own_mean():
    # the log's own chances: every weight is 1, whichever estimator
    chances = np.array([[0.5, 0.5], [0.75, 0.25], [0.5, 0.5], [0.8, 0.2]])
    for estimator in (ips, snips):
        found = estimator(FOUR, chances)
        assert found.value == 1.5 and found.ess == 4 and found.mean_weight == 1
        # so the interval is that of a mean: standard deviation of 1, 2, 0, 3 over sqrt(4)
        assert found.error == pytest.approx(np.std([1, 2, 0, 3], ddof=1) / 2)


def test_sessions_of_a_user_count_as_one_person():
    # every user four times the same: as many users as sessions / 4, and the interval of those
    once = ips(FOUR, ALWAYS_1)
    often = arm_log(
        *(np.repeat(x[:, 0], 4) for x in (FOUR.items, FOUR.propensity, FOUR.reward)), np.repeat(range(4), 4)
    )
    found = ips(often, np.repeat(ALWAYS_1, 4, axis=0))
    assert (found.users, found.n) == (4, 16)
    assert_allclose([found.value, found.error, found.low], [once.value, once.error, once.low])


def test_the_error_of_snips_is_that_of_a_ratio_by_hand():
    # R = 4/3; pulls w (r - R): 0, 4 (2 - 4/3), 2 (0 - 4/3), 0 over a sum of weights of 6, times sqrt(4 / 3)
    pulls = np.array([0, 4 * (2 - 4 / 3), 2 * (0 - 4 / 3), 0]) / 6
    assert snips(FOUR, ALWAYS_1).error == pytest.approx(np.sqrt(4 / 3 * (pulls**2).sum()))


def test_one_user_has_no_interval():
    found = ips(arm_log([1, 1], [0.5, 0.5], [1, 0], users=[7, 7]), ALWAYS_1[:2])
    assert found.value == 1 and np.isnan([found.low, found.high, found.error]).all()


def test_a_target_that_is_never_seen_is_worth_nothing_and_the_sentence_says_so():
    log = arm_log([0, 0, 0], [0.5, 0.5, 0.5], [1, 1, 1])
    target = np.tile([0.0, 1.0, 0.0], (3, 1))
    for estimator in (ips, snips):
        assert estimator(log, target).value == 0 and estimator(log, target).matched == 0
    assert "Only 0 impressions match" in ips(log, target).sentence


def test_a_few_large_weights_are_noticed():
    # 200 weights of 2 and one of 1,000: worth (1,400)^2 / (800 + 1,000,000) = 1.96 equal ones
    chances = np.append(np.full(200, 0.5), 0.001)
    found = ips(arm_log(np.ones(201, int), chances, np.ones(201)), np.tile([0.0, 1.0], (201, 1)))
    assert "201 impressions are worth 2; the interval is too narrow" in found.sentence


def test_wrong_propensities_are_noticed():
    # arm 1 was shown half the time, the log says a quarter of the time: weights of 4 where 2 is right
    rng = np.random.default_rng(0)
    arms = rng.integers(0, 2, 2000)
    log = arm_log(arms, np.where(arms, 0.25, 0.5), np.ones(2000))
    assert any("not the propensities" in note for note in ips(log, np.tile([0.0, 1.0], (2000, 1))).notes)
    honest = arm_log(arms, np.full(2000, 0.5), np.ones(2000))
    assert not ips(honest, np.tile([0.0, 1.0], (2000, 1))).notes


# -------------------------------------------------------------------------------------------------------- reward models
def test_item_means_come_from_the_other_users_looks():
    # fold of user u is u % 2; arm 0 is looked at half the time, arm 1 always
    log = arm_log([0, 0, 1, 1], [1, 1, 1, 1], [1.0, 0.0, 1.0, 1.0], users=[0, 1, 2, 3])
    model = item_means(log, 3, strength=2.0, folds=2)
    # user 0 learns from users 1 and 3: overall (0 + 1) / 2; arm 0: (0 + 2 * .5) / 3, arm 1: (1 + 1) / 3, arm 2: .5
    assert_allclose(model(np.array([0]), np.array([[0, 1, 2]])), [[1 / 3, 2 / 3, 0.5]])
    # with looks of a half everything that was seen counts double: overall 1, arm 0 (0 + 2) / 2.5
    model = item_means(log, 3, strength=2.0, folds=2, examination=np.array([0.5]))
    assert_allclose(model(np.array([0]), np.array([[0, 1, -1]])), [[0.8, 1.2, 0]])


def test_doubly_robust_is_narrower_with_the_right_model():
    # without noise in the rewards the right model leaves nothing to correct; IPS still counts how often it matched
    log, target, _, _ = simulated(np.random.default_rng(1), 500)
    sure = Log(log.users, log.items, log.propensity, WORTH[log.items, np.arange(K)], log.places)
    found = doubly_robust(sure, target, lambda users, items: WORTH[items, np.arange(K)])
    assert found.value == pytest.approx(WORTH[WANTED, np.arange(K)].sum()) and found.error < 1e-12
    assert ips(sure, target).error > 0.05


# --------------------------------------------------------------------------------------------------------- simulation
def simulated(rng, n, users=None):
    """A log of n sessions of epsilon-greedy with clicks by examination; the target; its truth; looks."""
    users = np.arange(n) if users is None else users
    base, pool = lists_of(np.tile(BASE, (users.max() + 1, 1))), lists_of(np.tile(POOL, (users.max() + 1, 1)))
    lists, chances = (np.array(part) for part in zip(*every_list()))
    drawn = rng.choice(len(lists), n, p=chances.prod(axis=1))
    click = 0.2 + 0.5 * ALONE
    clicks = rng.random((n, K)) < LOOKS * click[lists[drawn]]
    log = Log(users, lists[drawn], chances[drawn], clicks, epsilon_greedy_chances(base, pool, EPSILON, K))
    return log, lists_of(np.tile(WANTED, (users.max() + 1, 1))), (LOOKS * click[WANTED]).sum(), LOOKS


def test_intervals_hold_the_truth_as_often_as_they_say():
    # 200 logs: 95 % within 4 standard errors of 1.5 %
    rng, held = np.random.default_rng(0), np.zeros(4)
    for _ in range(200):
        log, target, truth, looks = simulated(rng, 400)
        model = item_means(log, N_ITEMS, examination=looks)
        options = {"assume": "examination", "examination": looks}
        found = [ips(log, target, assume="place"), snips(log, target, **options)]
        found += [ips(log, target, **options), doubly_robust(log, target, model, **options)]
        held += [each.low < truth < each.high for each in found]
    assert ((held / 200 > 0.89) & (held / 200 <= 1)).all()


def test_the_bootstrap_agrees_with_the_formula_and_follows_its_seed():
    log, target, _, looks = simulated(np.random.default_rng(2), 3000, users=np.arange(3000) % 1000)
    for estimator in (ips, snips):
        plain = estimator(log, target, assume="examination", examination=looks)
        drawn, again = (
            estimator(log, target, assume="examination", examination=looks, rng=np.random.default_rng(5))
            for _ in range(2)
        )
        width = plain.high - plain.low
        assert_allclose([drawn.low, drawn.high], [plain.low, plain.high], atol=0.04 * width)  # 4 errors of a quantile
        assert (drawn.low, drawn.high) == (again.low, again.high)


def test_the_stronger_the_assumption_the_narrower_the_interval():
    log, target, _, looks = simulated(np.random.default_rng(3), 5000)
    errors = [ips(log, target, assume=assume, examination=looks).error for assume in ("list", "above", "place")]
    errors.append(ips(log, target, assume="examination", examination=looks).error)
    assert errors == sorted(errors, reverse=True)


def test_a_table_has_every_policy_and_estimator():
    log, target, _, looks = simulated(np.random.default_rng(3), 500)
    targets = {"new": target, "old": lists_of(np.tile(BASE, (500, 1)))}
    options = {"assume": "examination", "examination": looks}
    table = evaluate_offline(log, targets, model=item_means(log, N_ITEMS), **options)
    assert list(table.index) == [(p, e) for p in targets for e in ("IPS", "SNIPS", "doubly robust", "direct")]
    assert table.loc[("new", "SNIPS"), "value"] == snips(log, target, **options).value
    assert len(evaluate_offline(log, targets, **options)) == 4


# ------------------------------------------------------------------------------------------------------------ refusals
@pytest.mark.parametrize(
    "change, message",
    [
        ({"assume": "magic"}, "assume must be one of .'list', 'above', 'place', 'examination'., got 'magic'"),
        ({"assume": "examination"}, "needs examination"),
        ({"assume": "examination", "examination": np.array([1, 0.5])}, "examination must be .3,. or"),
        ({"assume": "examination", "examination": np.array([1, 0.5, 0])}, "above 0 and at most 1"),
        ({"clip": 0}, "clip must be a finite number above 0, got 0"),
        ({"missing_allowed": 2}, "missing_allowed must be from 0 to 1"),
        ({"level": 1.0}, "level must lie between 0 and 1, got 1.0"),
        ({"target": lists_of([[1, 2]] * 50)}, "at least 3 places like the log, got 2"),
        ({"target": lists_of([[1, 2, 3]] * 5)}, "lists for 5 users, the log has user 49"),
        ({"target": np.full((50, 2), 0.5)}, "a log of one place, this one has 3"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, message):
    log, target, _, _ = simulated(np.random.default_rng(0), 50)
    with pytest.raises(ValueError, match=message):
        ips(log, **({"target": target} | change))


def test_a_log_without_chances_of_places_is_sent_to_the_assumptions_that_need_none():
    log, target, _, looks = simulated(np.random.default_rng(0), 50)
    bare = Log(log.users, log.items, log.propensity, log.reward)
    for assume in ("place", "examination"):
        with pytest.raises(ValueError, match="no chances of places.*epsilon_greedy_chances"):
            ips(bare, target, assume=assume, examination=looks)
    assert ips(bare, target, assume="above").value == ips(log, target, assume="above").value


def test_an_empty_log_and_chances_that_are_none_are_refused():
    with pytest.raises(ValueError, match="holds no session"):
        ips(arm_log(np.empty(0, int), [], []), ALWAYS_1[:0])
    with pytest.raises(ValueError, match="add up to 1, not so in 4 sessions, e.g. 0"):
        ips(FOUR, np.full((4, 2), 0.6))
    with pytest.raises(TypeError, match="model must be callable"):
        log, target, _, _ = simulated(np.random.default_rng(0), 50)
        doubly_robust(log, target, np.zeros((50, 3)))
    with pytest.raises(ValueError, match="finite numbers"):
        doubly_robust(FOUR, ALWAYS_1, np.full((4, 2), np.nan))
    with pytest.raises(ValueError, match="n_items is 1, but the log has item 1"):
        item_means(FOUR, 1)
    with pytest.raises(ValueError, match="folds must be"):
        item_means(FOUR, 2, folds=1)
