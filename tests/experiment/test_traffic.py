"""From visits to one row per user: by hand, and against pandas."""

import numpy as np
import pandas as pd
import pytest

from reco_utils.experiment.behaviour import Behaviour
from reco_utils.experiment.shoppers import Shoppers
from reco_utils.experiment.traffic import METRICS, SUMS, totals, values

USERS = pd.DataFrame({"user_id": ["ann", "bob", "cat"], "arm": ["new", "control", "new"], "device": "mobile"})


def visits_of(*rows):
    """Visits (user, day, clicks, revenue), each of ten places shown, an order where there is revenue."""
    frame = pd.DataFrame(rows, columns=["user_id", "day", "clicks", "revenue"])
    frame = frame.assign(session=range(len(rows)), shown=10, orders=(frame["revenue"] > 0).astype(int), bounced=False)
    return frame.assign(**{name: 0 for name in SUMS if name not in frame}).assign(arm="new")


BY_HAND = visits_of(
    ("bob", 0, 1, 0.0), ("ann", 0, 2, 10.5), ("ann", 0, 0, 0.0), ("bob", 3, 0, 20.25), ("bob", 5, 3, 1.0)
)


def test_totals_by_hand():
    found = totals(BY_HAND, USERS).set_index("user_id")
    assert found.index.tolist() == ["ann", "bob", "cat"]  # cat never came
    assert found["sessions"].tolist() == [2, 3, 0] and found["clicks"].tolist() == [2, 4, 0]
    assert found["revenue"].tolist() == [10.5, 21.25, 0.0] and found["shown"].tolist() == [20, 30, 0]
    assert found["returned"].tolist() == [False, True, False]  # twice on one day is no return
    assert found["device"].eq("mobile").all() and "before_sessions" not in found


def test_what_was_before_becomes_covariates():
    before = visits_of(("cat", -3, 4, 5.0), ("ann", -1, 1, 0.0)).assign(bounced=[True, False])
    found = totals(BY_HAND, USERS, before=before).set_index("user_id")
    assert found["before_sessions"].tolist() == [1, 0, 1] and found["before_clicks"].tolist() == [1, 0, 4]
    assert found["before_bounced"].tolist() == [0, 0, 1] and found["newcomer"].tolist() == [False, True, False]
    pd.testing.assert_frame_equal(
        found[[*totals(BY_HAND, USERS).columns[1:]]], totals(BY_HAND, USERS).set_index("user_id")
    )


def test_totals_are_what_pandas_adds_up(shop, arms):
    people = Shoppers(shop, 900, behaviour=Behaviour(visits_per_week=3.0))
    traffic = people.simulate(arms, np.where(np.arange(900) % 2, "own", "control"), before_days=7)
    found = traffic.totals().set_index("user_id")
    for visits, prefix in ((traffic.visits, ""), (traffic.before, "before_")):
        expected = (
            visits.astype({"user_id": str}).groupby("user_id")[list(SUMS)].sum().reindex(found.index, fill_value=0)
        )
        ours = found[[prefix + name for name in SUMS]].set_axis(list(SUMS), axis=1)
        np.testing.assert_allclose(ours.to_numpy(float), expected.to_numpy(float), atol=1e-6)
    days = (
        traffic.visits.astype({"user_id": str}).groupby("user_id")["day"].nunique().reindex(found.index, fill_value=0)
    )
    assert (found["returned"] == (days > 1)).all() and len(found) == 900
    assert (traffic.before["day"] < 0).all() and (traffic.visits["day"] >= 0).all()


def test_metrics_by_hand():
    found = values(totals(BY_HAND, USERS))
    expected = {
        "visits per user": 5 / 3, "return visits": 1 / 2, "buyers": 2 / 3, "revenue per user": 31.75 / 3,
        "conversion": 3 / 5, "order value": 31.75 / 3, "click-through": 6 / 50, "bounce": 0.0, "search clicks": 0.0,
        "seconds": 0.0,
    }  # fmt: skip
    assert found.to_dict() == pytest.approx(expected) and list(found.index) == list(METRICS)


def test_metrics_of_nobody_are_not_defined():
    assert values(totals(BY_HAND[:0], USERS))[["conversion", "order value", "return visits"]].isna().all()
    assert values(totals(BY_HAND[:0], USERS[:0])).isna().all()


def test_users_twice_and_strangers_are_refused():
    twice = pd.concat([USERS, USERS[:1].assign(arm="control")])
    with pytest.raises(ValueError, match=r"users must have one row each, got several for \['ann'\]"):
        totals(BY_HAND, twice)
    with pytest.raises(ValueError, match=r"visits of users who are not in the experiment, like \['bob'\]"):
        totals(BY_HAND, USERS[USERS["user_id"] != "bob"])
    categories = BY_HAND.assign(user_id=BY_HAND["user_id"].astype("category"))
    with pytest.raises(ValueError, match=r"like \['bob'\]"):
        totals(categories, USERS[USERS["user_id"] != "bob"])


def test_tables_of_the_caller_stay_as_they_are():
    visits, users = BY_HAND.copy(), USERS.copy()
    totals(visits, users, before=visits.assign(day=-1))
    pd.testing.assert_frame_equal(visits, BY_HAND)
    pd.testing.assert_frame_equal(users, USERS)
