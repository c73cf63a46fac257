import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reco_utils.experiment.cohorts import by_cohort
from reco_utils.experiment.effects import effect_between
from reco_utils.experiment.metrics import Mean, Proportion, Quantile

pytest.importorskip("tea_tasting", reason="needs the extra `experiments`")


def shop(gains, n=3000, seed=0):
    """Users of three devices; in arm b a device's users gain `gains[device]`."""
    rng = np.random.default_rng(seed)
    totals = pd.DataFrame({"user_id": range(n), "arm": np.where(rng.random(n) < 0.5, "control", "b")})
    totals["device"] = rng.choice(list(gains), n, p=[0.5, 0.3, 0.2])
    gain = totals["device"].map(gains).to_numpy(float) * (totals["arm"] == "b")
    return totals.assign(revenue=10 + gain + rng.normal(0, 3, n))


def test_each_cohort_is_analysed_alone():
    totals = shop({"mobile": 0.0, "desktop": 1.0, "tablet": 0.0})
    found = by_cohort(totals, Mean("revenue"), "device", arm="b").table
    assert found.index.tolist() == ["desktop", "mobile", "tablet"]
    for device in found.index:
        part = totals[totals["device"] == device]
        alone = effect_between(Mean("revenue"), part, "b")
        row = found.loc[device]
        assert [row["effect"], row["low"], row["p"]] == pytest.approx([alone.effect, alone.low, alone.p])
        assert row["control_users"] + row["treatment_users"] == len(part)
    assert found["p_adjusted"].min() == pytest.approx(3 * found["p"].min())  # Holm


def test_a_planted_interaction_is_found_and_none_is_not():
    planted = by_cohort(shop({"mobile": 0.0, "desktop": 2.0, "tablet": 0.0}), Mean("revenue"), "device", arm="b")
    assert planted.interaction_p < 0.001
    assert planted.note.startswith("The effect differs by device, p = ")
    even = by_cohort(shop({"mobile": 1.0, "desktop": 1.0, "tablet": 1.0}), Mean("revenue"), "device", arm="b")
    assert even.interaction_p > 0.05
    assert even.note.startswith("No difference of the effect by device is shown")


def test_two_cohorts_interact_as_the_difference_of_their_effects():
    totals = shop({"mobile": 0.0, "desktop": 0.5, "tablet": 0.0})
    totals = totals[totals["device"] != "tablet"]
    a, b = (effect_between(Mean("revenue"), part, "b") for _, part in totals.groupby("device"))
    z = (a.effect - b.effect) / np.hypot(a.se, b.se)
    found = by_cohort(totals, Mean("revenue"), "device", arm="b")
    assert found.interaction_p == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_the_interaction_test_raises_alarms_in_five_of_a_hundred():
    alarms = [
        by_cohort(shop(dict.fromkeys(("m", "d", "t"), 1.0), 300, seed), Mean("revenue"), "device", arm="b")
        .interaction_p < 0.05
        for seed in range(100)
    ]  # fmt: skip
    assert np.mean(alarms) == pytest.approx(0.05, abs=3.5 * np.sqrt(0.05 * 0.95 / 100))


def test_small_and_constant_cohorts_are_shown_without_an_effect():
    totals = shop({"mobile": 0.0, "desktop": 0.0, "tablet": 0.0}, n=800)
    lone = pd.DataFrame({"user_id": [-1], "arm": ["b"], "device": ["watch"], "revenue": [1.0]})
    found = by_cohort(pd.concat([totals, lone]), Mean("revenue"), "device", arm="b")
    assert np.isnan(found.table.loc["watch", "effect"])
    assert bool(found.table.loc["watch", "few"])
    assert found.note.endswith("Fewer than 100 users in an arm: tablet, watch.")
    one = by_cohort(totals.assign(device="all"), Mean("revenue"), "device", arm="b")
    assert np.isnan(one.interaction_p)
    assert one.note == "Too few users to compare effects by device."


def test_wrong_cohorts_are_refused():
    totals = shop({"mobile": 0.0, "desktop": 0.0, "tablet": 0.0}, n=100)
    with pytest.raises(KeyError, match=r"totals lack the columns \['country'\]"):
        by_cohort(totals, Mean("revenue"), "country", arm="b")
    with pytest.raises(ValueError, match=r"arm 'c' has no users; the arms are \['b', 'control'\]"):
        by_cohort(totals, Mean("revenue"), "device", arm="c")
    with pytest.raises(ValueError, match="totals have a row per user, got 1 users twice, such as 0"):
        by_cohort(pd.concat([totals, totals.head(1)]), Mean("revenue"), "device", arm="b")
    totals.loc[0, "device"] = None
    with pytest.raises(ValueError, match="'device' is missing for 1 users; name them"):
        by_cohort(totals, Proportion("revenue", above=10), "device", arm="b")
    with pytest.raises(ValueError, match="reads visits"):
        by_cohort(totals.assign(ms=1.0), Quantile("ms"), "device", arm="b")
