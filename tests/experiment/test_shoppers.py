"""Simulated shoppers: nobody hears of anybody else, luck is common, and the built-in shop looks like a shop."""

import pickle
import subprocess
import sys
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import TopK
from reco_utils.data.shop_tastes import DEVICES as SHOP_DEVICES
from reco_utils.experiment import days
from reco_utils.experiment.behaviour import DEVICES, Behaviour, strongest_factor
from reco_utils.experiment.impressions import Log
from reco_utils.experiment.shoppers import Shoppers
from reco_utils.experiment.traffic import METRICS

OFTEN = Behaviour(visits_per_week=4.0)


def rows_of(traffic, ids):
    """Visits of some users, before and in the test, without the running number of sessions."""
    both = pd.concat([traffic.before, traffic.visits], ignore_index=True)
    kept = both[both["user_id"].isin(ids)].drop(columns="session").reset_index(drop=True)
    return kept.astype({"user_id": str, "arm": str})


# --------------------------------------------------------------------------------------------------- no interference
def test_the_arms_of_others_change_nothing_of_a_users_visits(shop, arms):
    people, rng = Shoppers(shop, behaviour=OFTEN), np.random.default_rng(0)
    some = np.arange(0, len(people.users), 3)
    first, second = (rng.choice(["control", "own"], len(people.users)) for _ in range(2))
    second[some] = first[some]
    assert (first != second).sum() > 100
    one, other = (people.simulate(arms, arm, before_days=7, seed=4, log=True) for arm in (first, second))
    ids = people.users[some]
    pd.testing.assert_frame_equal(rows_of(one, ids), rows_of(other, ids), check_exact=True)
    logs = [t.log[t.log["user_id"].isin(ids)].drop(columns="session").astype({"user_id": str}) for t in (one, other)]
    pd.testing.assert_frame_equal(*(log.reset_index(drop=True) for log in logs), check_exact=True)


def test_whether_others_exist_changes_nothing_either(shop, arms):
    people = Shoppers(shop, behaviour=OFTEN)
    all_in = np.full(len(people.users), "own", dtype=object)
    few = all_in.copy()
    few[50:] = None
    everybody, fewer = (people.simulate(arms, arm, before_days=7, seed=4) for arm in (all_in, few))
    assert len(fewer.users) == fewer.visits["user_id"].nunique() + (fewer.totals()["sessions"] == 0).sum() == 50
    pd.testing.assert_frame_equal(rows_of(fewer, people.users[:50]), rows_of(everybody, people.users[:50]))
    crowd = Shoppers(shop, 3 * len(people.users), behaviour=OFTEN)
    bigger = crowd.simulate(arms, np.full(len(crowd.users), "own"), before_days=7, seed=4)
    pd.testing.assert_frame_equal(rows_of(bigger, people.users), rows_of(everybody, people.users))


def test_the_same_list_in_both_arms_gives_the_same_visits(shop, arms):
    people = Shoppers(shop, behaviour=OFTEN)
    twins = {"control": arms["own"], "treatment": arms["own"].copy()}
    one, other = (people.simulate(twins, np.full(len(people.users), arm), before_days=7, seed=1) for arm in twins)
    same = [rows_of(traffic, people.users).drop(columns="arm") for traffic in (one, other)]
    pd.testing.assert_frame_equal(*same, check_exact=True)


# ------------------------------------------------------------------------------------------------------- determinism
PROGRAM = """
import hashlib, numpy as np, pandas as pd
from reco_utils.data.registry import load_dataset
from reco_utils.experiment import days
from reco_utils.experiment.impressions import Log
from reco_utils.experiment.shoppers import Shoppers
days.SPAN, days.N_THREADS = {span}, {threads}
import reco_utils.topk as topk
topk.N_THREADS = {threads}
people = Shoppers(load_dataset("shop", size="small").tastes, 2000)
lists = np.tile(np.arange(10), (len(people.tastes.users), 1))
arm = np.where(np.arange(2000) % 2, "a", "control")
found = people.simulate({{"control": lists, "a": lists + 30}}, arm, before_days=7, seed=9)
print(hashlib.sha256(found.totals().to_csv(index=False).encode()).hexdigest())
"""


def test_processes_and_numbers_of_threads_agree():
    prints = set()
    for span, threads in ((1000, 1), (37, 3)):
        program = PROGRAM.format(span=span, threads=threads)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        prints.add(done.stdout.strip())
    assert len(prints) == 1 and len(prints.pop()) == 64


def test_spans_change_nothing(shop, arms, monkeypatch):
    people, found = Shoppers(shop, behaviour=OFTEN), []
    for span in (1000, 13):
        monkeypatch.setattr(days, "SPAN", span)
        found.append(people.simulate(arms, np.full(len(people.users), "own"), seed=2))
    pd.testing.assert_frame_equal(found[0].visits, found[1].visits, check_exact=True)


def test_a_seed_is_a_world(shop, arms):
    people = Shoppers(shop, behaviour=OFTEN)
    arm = np.full(len(people.users), "control")
    first, again, other = (people.simulate(arms, arm, seed=seed).visits for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not first.drop(columns="session").equals(other.drop(columns="session"))


def test_shoppers_can_be_pickled_and_copied(shop, arms):
    people = Shoppers(shop, 300, behaviour=OFTEN)
    arm = np.full(300, "own")
    expected = people.simulate(arms, arm).visits
    for twin in (pickle.loads(pickle.dumps(people)), deepcopy(people)):
        pd.testing.assert_frame_equal(twin.simulate(arms, arm).visits, expected)


def test_nothing_of_the_caller_is_changed(shop, arms):
    arm, before = np.full(500, "own"), {name: lists.copy() for name, lists in arms.items()}
    factors = shop.user_factors.copy()
    Shoppers(shop, 500, behaviour=OFTEN).simulate(arms, arm, before_days=3)
    assert all((arms[name] == before[name]).all() for name in arms) and (shop.user_factors == factors).all()


# ------------------------------------------------------------------------------------------------------ who they are
def test_more_shoppers_are_fresh_visitors_like_the_users(shop):
    people = Shoppers(shop, 1200, taste_noise=0.1)
    n = len(shop.users) - len(shop.bots)
    assert people.users.is_unique and len(people.users) == 1200 and (people.at[n : 2 * n] == people.at[:n]).all()
    assert people.users[n] == f"{people.users[0]}~1" and people.users[2 * n] == f"{people.users[0]}~2"
    assert (people._tastes[:n] == shop.user_factors[people.at[:n]]).all()
    away = people._tastes[n:] - shop.user_factors[people.at[n:]]
    assert (away[:, -2:] == 0).all()  # appeal and price
    assert away[:, :-2].std() == pytest.approx(0.1, rel=0.05) and abs(away[:, :-2].mean()) < 0.005


def test_without_noise_a_fresh_visitor_has_the_users_taste(shop):
    people = Shoppers(shop, 1200, taste_noise=0)
    assert (people._tastes == shop.user_factors[people.at]).all()


def test_bots_are_no_shoppers(shop):
    assert len(shop.bots) and not Shoppers(shop).users.isin(shop.bots).any()


def test_activity_is_a_gamma_distribution_of_mean_one(shop):
    rates = Shoppers(shop, 50_000)._rates * 7
    assert rates.mean() == pytest.approx(1, abs=0.02) and rates.var() == pytest.approx(1 / 1.2, abs=0.03)


def test_devices_are_those_of_the_shop(shop, arms):
    assert DEVICES == SHOP_DEVICES
    users = Shoppers(shop).simulate(arms, np.full(499, "own")).users
    at = shop.users.get_indexer(users["user_id"])
    assert (users["device"] == np.take(DEVICES, shop.user_device[at])).all()


def test_the_kind_of_an_item_is_its_strongest_taste(shop):
    kinds = strongest_factor(shop)
    assert (shop.item_factors[np.arange(len(kinds)), kinds] == shop.item_factors[:, :-2].max(axis=1)).all()


# ---------------------------------------------------------------------------------------------------- policies and logs
def test_a_policy_may_change_by_day(shop, arms):
    asked = []

    def policy(users, day):
        asked.append((day, len(users)))
        return arms["own"][users] if day % 2 else arms["control"][users]

    people = Shoppers(shop, behaviour=OFTEN)
    found = people.simulate({"control": arms["control"], "new": policy}, np.full(499, "new"), before_days=2, log=True)
    assert [day for day, _ in asked] == list(range(14))
    assert dict(asked) == found.visits.groupby("day")["user_id"].nunique().to_dict()
    first = found.log[(found.log["rank"] == 1)]
    shown = np.where(first["day"] % 2, arms["own"][first["user_at"], 0], arms["control"][first["user_at"], 0])
    assert (first["item_at"] == shown).all()


def test_a_policy_of_the_day_gives_what_its_lists_give(shop, arms):
    people = Shoppers(shop, behaviour=OFTEN)
    one = people.simulate(arms, np.full(499, "own")).visits
    other = people.simulate({**arms, "own": lambda users, day: arms["own"][users]}, np.full(499, "own")).visits
    pd.testing.assert_frame_equal(one, other)


def test_the_log_adds_up_to_the_visits(shop, arms):
    lively = Behaviour(visits_per_week=4, attention=0, caution=0.5)
    people = Shoppers(shop, behaviour=lively)
    found = people.simulate(arms, np.full(499, "own"), before_days=3, log=True)
    sums = found.log.groupby("session")[["examined", "clicked", "carted"]].sum()
    visits = found.visits.set_index("session")[["examined", "clicks", "carts"]]
    assert (sums.reindex(visits.index).to_numpy() == visits.to_numpy()).all() and visits["carts"].sum() > 20
    assert len(found.log) == found.visits["shown"].sum() and (found.log["propensity"] == 1).all()
    assert (found.log["bought"] == (found.log["revenue"] > 0)).all() and found.log["bought"].any()
    quiet = people.simulate(arms, np.full(499, "own"), before_days=3)
    assert quiet.log is None
    pd.testing.assert_frame_equal(quiet.visits, found.visits)


def test_the_log_keeps_the_policys_propensities(shop, arms):
    lists = arms["own"].copy()
    lists[:, 9] = -1
    chance = np.linspace(0.1, 0.9, lists.size).reshape(lists.shape)
    policy = TopK(shop.users, lists, np.zeros(lists.shape, np.float32), {"propensity": chance})
    log = Shoppers(shop).simulate({"control": policy}, np.full(499, "control"), log=True).log
    assert (log["propensity"] == chance[log["user_at"], log["rank"] - 1]).all() and log["rank"].max() == 9


def test_the_log_feeds_off_policy_estimates(shop, arms):
    traffic = Shoppers(shop).simulate(arms, np.full(499, "own"), log=True)
    log = Log.from_frame(traffic.log, reward="clicked")
    assert (log.reward.sum(axis=1) == traffic.visits["clicks"]).all() and log.items.shape[1] == 10
    assert (log.items == arms["own"][log.users]).all() and (log.propensity == 1).all()


def test_arms_may_have_lists_of_different_length(shop, arms):
    unequal = {"control": arms["control"][:, :3], "own": arms["own"]}
    arm = np.where(np.arange(499) % 2, "own", "control")
    visits = Shoppers(shop).simulate(unequal, arm, before_days=7).visits
    assert visits.groupby("arm", observed=True)["shown"].unique().map(list).to_dict() == {"control": [3], "own": [10]}


def test_a_look_is_the_first_visit_of_a_simulation(shop, arms):
    people = Shoppers(shop, behaviour=OFTEN)
    visits = people.simulate(arms, np.full(499, "own"), days=1, seed=6).visits
    first = visits.drop_duplicates("user_id")
    rows = people.users.get_indexer(first["user_id"].astype(str))
    looks = people.look(rows, arms["own"][people.at[rows]], seed=6)
    for name in looks.visits:
        assert (looks.visits[name].to_numpy() == first[name].to_numpy()).all(), name
    assert ((looks.steps >= 2).sum(axis=1) == first["clicks"]).all()
    turned = people.look(rows[::-1], arms["own"][people.at[rows]][::-1], seed=6)
    assert (turned.steps[::-1] == looks.steps).all()


def test_nobody_in_the_test_is_no_error(shop, arms):
    found = Shoppers(shop).simulate(arms, [None] * 499, log=True)
    assert len(found.users) == len(found.visits) == len(found.totals()) == len(found.log) == 0
    assert found.log.columns[:4].tolist() == ["user_id", "arm", "day", "session"]
    assert len(Shoppers(shop).look([], np.empty((0, 5), int)).visits) == 0


# --------------------------------------------------------------------------------------------------------- true effects
def test_the_true_effect_is_the_mean_over_worlds_of_everybody_in_each_arm(shop, arms):
    people = Shoppers(shop)
    truth = people.true_effect(arms, repeats=3, seed=50, days=7).set_index(["metric", "arm"])
    assert truth.index.get_level_values("metric").unique().tolist() == list(METRICS)
    worlds = []
    for seed in (50, 51, 52):
        each = {arm: people.simulate(arms, np.full(499, arm), days=7, seed=seed).visits for arm in arms}
        worlds.append({arm: visits["orders"].sum() / len(visits) for arm, visits in each.items()})
    worlds = pd.DataFrame(worlds)
    row = truth.loc[("conversion", "own")]
    difference = worlds["own"] - worlds["control"]
    assert row["value"] == pytest.approx(worlds["own"].mean()) and row["effect"] == pytest.approx(difference.mean())
    assert row["relative"] == pytest.approx(difference.mean() / worlds["control"].mean())
    assert row["se"] == pytest.approx(difference.std() / np.sqrt(3))
    assert (truth.xs("control", level="arm")["effect"] == 0).all()


def test_a_test_of_many_shoppers_finds_the_true_effect(shop, arms):
    """20,000 shoppers per arm: the difference in clicks per place is within 4 standard errors of the truth."""
    people = Shoppers(shop, 40_000)
    arm = np.where(np.arange(40_000) // 499 % 2, "own", "control")
    found = people.simulate(arms, arm).totals()
    truth = people.true_effect(arms, repeats=2).set_index(["metric", "arm"]).loc[("click-through", "own")]
    by_arm = {name: part for name, part in found.groupby("arm", observed=True)}
    rates = {name: part["clicks"].sum() / part["shown"].sum() for name, part in by_arm.items()}
    spread = [
        ((part["clicks"] - rates[name] * part["shown"]) / part["shown"].mean()).var() / len(part)
        for name, part in by_arm.items()
    ]
    assert abs(rates["own"] - rates["control"] - truth["effect"]) < 4 * np.sqrt(sum(spread)) < 0.3 * truth["effect"]


def test_common_luck_makes_the_true_effect_sharp(shop, arms):
    """Two arms with the same lists differ by exactly nothing."""
    twins = {"control": arms["own"], "same": arms["own"].copy()}
    truth = Shoppers(shop, behaviour=OFTEN).true_effect(twins, repeats=2)
    assert (truth[["effect", "se"]] == 0).all().all()


# ------------------------------------------------------------------------------------------------------------ bad input
@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"n": 0}, "n must be a whole number of at least 1, got 0"),
        ({"n": 2.5}, "n must be a whole number of at least 1, got 2.5"),
        ({"taste_noise": -1}, "taste_noise must be a finite number of at least 0, got -1"),
        ({"kinds": np.zeros(3, int)}, r"kinds must be whole numbers \(300,\), got int64 \(3,\)"),
        ({"kinds": np.zeros(300)}, r"kinds must be whole numbers \(300,\), got float64 \(300,\)"),
    ],
)
def test_shoppers_that_make_no_sense_are_refused(shop, wrong, message):
    with pytest.raises(ValueError, match=message):
        Shoppers(shop, **wrong)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"days": 0}, "^days must be a whole number of at least 1, got 0"),
        ({"before_days": -1}, "before_days must be a whole number of at least 0, got -1"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"seed": 1.5}, "seed must be a whole number from 0"),
        ({"before_days": 7, "control": "none"}, "before the test everybody sees 'none', which is none of"),
        ({"latency_ms": {"own": 80}}, r"no latency_ms for the arms \['control'\]"),
        ({"latency_ms": -1.0}, "latency_ms must be finite numbers of at least 0"),
    ],
)
def test_simulations_that_make_no_sense_are_refused(shop, arms, wrong, message):
    with pytest.raises(ValueError, match=message):
        Shoppers(shop).simulate(arms, np.full(499, "own"), **wrong)


def test_looks_and_truths_that_make_no_sense_are_refused(shop, arms):
    people = Shoppers(shop)
    for rows, items, message in (
        ([0, 1], np.zeros((1, 3), int), "look wants shoppers"),
        ([0], np.zeros((1, 0), int), "K >= 1"),
        ([499], np.zeros((1, 3), int), "shoppers count from 0 to 498, got 499 to 499"),
        ([0], np.full((1, 3), 300), "items count from 0 to 299, got 300 to 300"),
    ):
        with pytest.raises(ValueError, match=message):
            people.look(rows, items)
    with pytest.raises(ValueError, match="control must be one of"):
        people.true_effect(arms, control="old")
    with pytest.raises(ValueError, match="repeats must be a whole number of at least 1, got 0"):
        people.true_effect(arms, repeats=0)
