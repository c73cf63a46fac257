"""Fresh, stale, or nobody can say because the clock went back."""

import math
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from reco_utils.serve.freshness import Freshness, seconds_of

NOON = datetime(2024, 6, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now.timestamp()


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture
def fresh(clock):
    return Freshness(36, clock)


def test_a_model_of_this_morning_is_fresh(fresh):
    verdict = fresh.verdict("2024-06-30T06:00:00+00:00")
    assert verdict.state == "fresh" and verdict.is_fresh and verdict.age_hours == 6
    assert verdict.sentence == "the model was trained 6.0 hours ago, the limit is 36"


def test_on_the_limit_is_fresh_and_beyond_is_stale(fresh, clock):
    trained = NOON - 36 * HOUR
    assert fresh.verdict(trained.isoformat()).state == "fresh"
    clock.now += timedelta(seconds=1)
    verdict = fresh.verdict(trained.isoformat())
    assert verdict.state == "stale" and not verdict.is_fresh and "trained 36.0 hours ago" in verdict.sentence


def test_a_limit_below_an_hour_is_one(clock):
    assert Freshness(0.5, clock).verdict(NOON - HOUR / 4).state == "fresh"
    assert Freshness(0.5, clock).verdict(NOON - HOUR).state == "stale"


def test_a_clock_that_went_back_is_noticed_and_the_age_is_counted_from_its_latest_reading(fresh, clock):
    trained = NOON - 30 * HOUR
    assert fresh.verdict(trained).state == "fresh"
    clock.now -= 20 * HOUR
    verdict = fresh.verdict(trained)
    assert verdict.state == "clock-went-back" and not verdict.is_fresh
    assert verdict.age_hours == 30 and "1200 minutes behind" in verdict.sentence


def test_a_clock_before_the_training_is_wrong(fresh):
    verdict = fresh.verdict(NOON + 2 * HOUR)
    assert verdict.state == "clock-went-back" and verdict.age_hours == 0


def test_five_minutes_between_two_machines_are_no_jump(fresh, clock):
    assert fresh.verdict(NOON + timedelta(minutes=4)).state == "fresh"
    fresh.verdict(NOON)
    clock.now -= timedelta(minutes=4)
    assert fresh.verdict(NOON - HOUR).state == "fresh"


def test_when_the_clock_is_right_again_so_is_the_verdict(fresh, clock):
    fresh.verdict(NOON)
    clock.now -= 5 * HOUR
    assert fresh.verdict(NOON - HOUR).state == "clock-went-back"
    clock.now += 6 * HOUR
    assert fresh.verdict(NOON - HOUR).state == "fresh"


@pytest.mark.parametrize("nothing", [None, "", "yesterday", math.nan, math.inf, True, pd.NaT])
def test_a_model_without_a_date_is_stale(fresh, nothing):
    verdict = fresh.verdict(nothing)
    assert verdict.state == "stale" and verdict.age_hours == math.inf


def test_times_may_be_text_dates_or_seconds():
    assert seconds_of("1970-01-02") == 86400  # without a zone it is UTC
    assert seconds_of("1970-01-01T02:00:00+02:00") == 0
    assert seconds_of(datetime(1970, 1, 1, 1)) == 3600
    assert seconds_of(pd.Timestamp("1970-01-01 01:00", tz="UTC")) == 3600
    assert seconds_of(12) == 12.0
    assert seconds_of("1970-01-01T00:00:01Z") == 1


@pytest.mark.parametrize("hours", [0, -1, math.nan, math.inf, True])
def test_a_limit_must_be_a_number_of_hours(hours):
    with pytest.raises(ValueError, match="max_age_hours must be a finite number of hours above 0"):
        Freshness(hours)
