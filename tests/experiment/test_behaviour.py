"""The constants of the shoppers: each does what it says, and together they look like a shop."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reco_utils.experiment.behaviour import Behaviour
from reco_utils.experiment.shoppers import Shoppers
from reco_utils.experiment.traffic import values

OFTEN = Behaviour(visits_per_week=4.0)


def test_a_list_of_nothing_is_not_clicked(shop):
    nothing = np.full((len(shop.users), 10), -1)
    found = Shoppers(shop, behaviour=OFTEN).simulate({"control": nothing}, np.full(499, "control")).totals()
    assert found[["shown", "examined", "clicks", "carts"]].to_numpy().sum() == 0 < found["search_clicks"].sum()


def both(shop, arms, behaviour, arm="own", **options):
    """The metrics of everybody in one arm, averaged over three worlds."""
    people = Shoppers(shop, 4_000, behaviour=behaviour)
    runs = [people.simulate(arms, np.full(4_000, arm), seed=seed, **options).totals() for seed in range(3)]
    return pd.DataFrame([values(run) for run in runs]).mean()


@pytest.fixture(scope="module")
def usual(shop, arms):
    return both(shop, arms, Behaviour())


@pytest.mark.parametrize(
    "change, metric, grows",
    [
        ({"monotony": 2.0}, "click-through", False),
        ({"staleness": 0.5}, "click-through", False),
        ({"attention": 0.0}, "click-through", True),
        ({"caution": 0.0}, "conversion", True),
        ({"bored": 0.5}, "click-through", False),
        ({"errand": 0.6}, "click-through", False),
        ({"search": 0.5}, "bounce", False),
        ({"search_order": 0.3}, "buyers", True),
        ({"pleased": 1.0}, "visits per user", True),
        ({"displeased": 1.0}, "return visits", False),
        ({"hurry": 5.0}, "bounce", True),
    ],
)
def test_each_constant_does_what_it_says(shop, arms, usual, change, metric, grows):
    changed = both(shop, arms, Behaviour(**change))
    assert (changed[metric] > 1.05 * usual[metric]) if grows else (changed[metric] < 0.95 * usual[metric])


def test_days_of_the_week_have_their_visitors(shop, arms):
    people = Shoppers(shop, 20_000, behaviour=Behaviour(pleased=0, displeased=0))
    visits = people.simulate(arms, np.full(20_000, "own"), before_days=14).before
    per_day = visits["day"].value_counts().sort_index()
    assert per_day.index.tolist() == list(range(-14, 0))
    by_weekday = per_day.to_numpy().reshape(2, 7).sum(axis=0)
    expected = np.array(Behaviour().weekday) / 7 * by_weekday.sum()
    assert (np.abs(by_weekday - expected) < 4 * np.sqrt(expected)).all()


def test_a_changed_list_is_new_for_some_days_only(shop, arms):
    """Two lists of a person's best things: with the novelty effect the one not met before is clicked more."""
    fresh = Behaviour(visits_per_week=4.0, novelty=2.0, novelty_half_life_days=2.0, staleness=0)
    people = Shoppers(shop, 6_000, behaviour=fresh)
    plain = Shoppers(shop, 6_000, behaviour=replace(fresh, novelty=0))
    changed = {"control": np.roll(arms["own"], 5, axis=1)[:, :5], "new": arms["own"][:, :5]}
    assert not (changed["control"] == changed["new"]).any()

    def rate(people, days, before=14):
        visits = people.simulate(changed, np.full(6_000, "new"), before_days=before).visits
        kept = visits[visits["day"].isin(days)]
        return kept["clicks"].sum() / kept["shown"].sum()

    early, late = range(0, 2), range(12, 14)
    assert rate(people, early) > 1.3 * rate(plain, early)
    assert rate(people, late) == pytest.approx(rate(plain, late), rel=0.05)
    assert rate(people, early, before=0) == rate(plain, early, before=0)  # nobody is used to anything


def test_a_durable_thing_is_bought_once(shop):
    durable = int(np.flatnonzero(~shop.consumable)[0])
    eager = Behaviour(visits_per_week=7, attention=60.0, caution=60.0, errand=0, taste_share=0, search=0, hurry=0)
    lists = np.full((len(shop.users), 1), durable)
    found = Shoppers(shop, 200, behaviour=eager).simulate({"control": lists}, ["control"] * 200).totals()
    assert (found["sessions"] > 1).any() and found["clicks"].max() == 1
    assert (found["orders"] == (found["sessions"] > 0)).all()


def test_latency_is_by_arm_and_slow_pages_are_left(shop, arms):
    people = Shoppers(shop, 4_000, behaviour=Behaviour(hurry=0.3))
    arm = np.where(np.arange(4_000) % 2, "own", "control")
    found = people.simulate({"control": arms["own"], "own": arms["own"]}, arm, latency_ms={"control": 80, "own": 1500})
    by_arm = found.visits.groupby("arm", observed=True)
    assert by_arm["latency_ms"].median().to_dict() == pytest.approx({"control": 80, "own": 1500}, rel=0.02)
    left = by_arm["bounced"].mean()
    assert left["own"] > left["control"] + 0.1


def test_the_shop_looks_like_a_shop(shop, arms):
    """Loose limits around the levels that the constants were chosen for; the lists here are the best there can be."""
    level = both(shop, arms, Behaviour(), arm="control", before_days=14)
    assert 0.3 < level["bounce"] < 0.55 and 0.02 < level["conversion"] < 0.04 and 0.02 < level["click-through"] < 0.10
    assert 0.5 < level["return visits"] < 0.8 and 20 < level["order value"] < 60


@pytest.mark.parametrize("name", ["errand", "taste_share", "bored", "search", "search_after_click", "search_order"])
@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_a_share_outside_0_to_1_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be from 0 to 1, got {value}"):
        Behaviour(**{name: value})


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"visits_per_week": 0}, "visits_per_week must be a finite number above 0, got 0"),
        ({"half_life_days": np.inf}, "half_life_days must be a finite number above 0, got inf"),
        ({"novelty": -1}, "novelty must be a finite number of at least 0, got -1"),
        ({"attention": np.nan}, "attention must be a finite number, got nan"),
        ({"weekday": (1, 1)}, "weekday must be 7 finite numbers of at least 0, from Monday, got"),
        ({"errand": 0.9, "weekend_errand": 2}, "errand [*] weekend_errand must be from 0 to 1"),
    ],
)
def test_behaviour_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Behaviour(**wrong)
