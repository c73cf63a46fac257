"""All times move together, and nothing else does."""

import pandas as pd
import pytest

from reco_utils.core import TIME
from reco_utils.data.registry import load_dataset
from reco_utils.data.shift import days_until, shift

TABLES = load_dataset("shop", size="small")


def test_all_times_move_by_the_same_and_nothing_else_changes():
    moved = shift(TABLES, "14 days")
    for name in ("events", "catalog", "profiles"):
        before, after = getattr(TABLES, name), getattr(moved, name)
        for column in before:
            if pd.api.types.is_datetime64_any_dtype(before[column]):
                assert (after[column] - before[column]).dropna().eq(pd.Timedelta("14 days")).all()
                assert after[column].isna().equals(before[column].isna())
            else:
                pd.testing.assert_series_equal(after[column], before[column])
    assert moved.events[TIME].dtype == TABLES.events[TIME].dtype
    assert moved.tastes is TABLES.tastes


def test_there_and_back_is_where_it_was():
    back = shift(shift(TABLES, "52 W"), "-52 W")
    for name in ("events", "catalog", "profiles"):
        pd.testing.assert_frame_equal(getattr(back, name), getattr(TABLES, name))


@pytest.mark.parametrize("days, whole", [(0.5, 0), (6.9, 6), (7.1, 7), (400, 400), (-3, 0)])
def test_whole_days_bring_the_last_event_into_the_last_day(days, whole):
    now = TABLES.events[TIME].max() + pd.Timedelta(days=days)
    by = days_until(TABLES, now)
    assert by == pd.Timedelta(days=whole)
    if days > 0:
        assert pd.Timedelta(0) <= now - shift(TABLES, by).events[TIME].max() < pd.Timedelta(days=1)


def test_a_zone_or_none_is_the_same_moment():
    now = TABLES.events[TIME].max() + pd.Timedelta(days=30)
    plain = now.tz_localize(None) if now.tzinfo else now
    assert days_until(TABLES, plain) == days_until(TABLES, plain.tz_localize("UTC")) == pd.Timedelta(days=30)


@pytest.mark.parametrize("by", ["soon", None, "NaT", "9000000 weeks"])
def test_what_is_no_length_of_time_is_refused(by):
    with pytest.raises(ValueError, match="by must be a length of time such as '364 days'"):
        shift(TABLES, by)
