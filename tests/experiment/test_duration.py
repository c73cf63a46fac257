"""Weeks: whole ones, two at least, along a curve of returning users, with the reason."""

import numpy as np
import pandas as pd
import pytest

from reco_utils.experiment.duration import duration
from reco_utils.experiment.power import Pilot, sample_size


def test_weeks_are_whole():
    found = duration(25_000, users_per_week=12_000)
    assert (found.weeks, found.users, found.reached) == (3, 25_000, 36_000)
    assert found.sentence == "3 weeks: 25,000 users are needed and 36,000 will have come."
    assert duration(24_000, users_per_week=12_000).weeks == 2
    assert duration(24_001, users_per_week=12_000).weeks == 3


def test_a_test_that_could_end_early_still_sees_two_weekends():
    found = duration(3000, users_per_week=12_000)
    assert (found.weeks, found.reached) == (2, 24_000)
    assert found.sentence == (
        "2 weeks: the 3,000 users are there after 1 week, but weekdays differ and what is new wears off."
    )
    assert duration(3000, users_per_week=12_000, at_least_weeks=1).sentence.startswith("1 week: 3,000 users are needed")


def test_a_plan_brings_its_users():
    plan = sample_size(Pilot.proportion(0.021), 0.05)
    assert duration(plan, users_per_week=50_000).users == plan.users == 599_758
    assert duration(plan, users_per_week=50_000).weeks == 12
    assert duration(plan, users_per_week=50_000, traffic_share=0.5).weeks == 24


def test_users_who_return_are_counted_once():
    curve = [5000, 8000, 10_000, 11_000]
    assert duration(8000, users_by_week=curve).weeks == 2
    found = duration(8001, users_by_week=curve)
    assert (found.weeks, found.reached) == (3, 10_000)
    assert duration(5000, users_by_week=curve, traffic_share=0.5).weeks == 3
    assert duration(100, users_by_week=curve, at_least_weeks=6).reached == 11_000  # nobody new after the curve's end


def test_a_log_gives_the_curve():
    # ann and bob come in the first week, cem in the second, nobody new in the third, dan in the fourth
    visits = pd.DataFrame({"user_id": ["ann", "bob", "ann", "cem", "bob", "dan"], "day": [0, 6, 7, 13, 14, 22]})
    curve = np.bincount(visits.groupby("user_id")["day"].min() // 7).cumsum()  # as the docstring says
    assert curve.tolist() == [2, 3, 3, 4]
    assert duration(4, users_by_week=curve).weeks == 4


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: duration(100), "needs either users_per_week or users_by_week"),
        (lambda: duration(100, users_per_week=5, users_by_week=[5]), "needs either users_per_week or users_by_week"),
        (lambda: duration(0, users_per_week=5), "plan must be a whole number of at least 1, got 0"),
        (lambda: duration(100, users_per_week=0), "users_per_week must be a finite number above 0, got 0"),
        (
            lambda: duration(100, users_per_week=5, traffic_share=0),
            "traffic_share must be above 0 and at most 1, got 0",
        ),
        (lambda: duration(100, users_per_week=5, at_least_weeks=0), "at_least_weeks must be a whole number"),
        (lambda: duration(100, users_by_week=[50, 40]), r"never falling, got \[50, 40\]"),
        (lambda: duration(100, users_by_week=[]), "never falling"),
        (lambda: duration(100, users_by_week=[np.nan, 4]), "never falling"),
        (
            lambda: duration(100, users_by_week=[50, 90]),
            "100 users are needed and users_by_week ends at 90 after 2 weeks",
        ),
    ],
)
def test_weeks_that_cannot_be_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
