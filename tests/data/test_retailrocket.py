"""RetailRocket: events, sessions, first known categories, and what the real sample gives."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reco_utils.data.retailrocket import load

MINUTE = 60_000
EVENTS = f"""\
timestamp,visitorid,event,itemid,transactionid
{1430623510000 + 60 * MINUTE},1,view,10,
1430623510000,1,view,10,
{1430623510000 + 10 * MINUTE},1,addtocart,10,
{1430623510000 + 10 * MINUTE},1,addtocart,10,
{1430623510000 + 11 * MINUTE},2,view,007,
{1430623510000 + 61 * MINUTE},1,transaction,10,5
"""
PART_1 = """\
timestamp,itemid,property,value
1431226800000,10,categoryid,99
1430622000000,10,categoryid,3
1430622000000,10,790,n1234.000
1430622000000,55,available,1
"""
PART_2 = "timestamp,itemid,property,value\n1431226800000,007,categoryid,1\n1431226800000,55,categoryid,8\n"
TREE = "categoryid,parentid\n3,2\n2,1\n1,\n99,1\n"
REAL = Path(os.environ.get("RECO_DATA_HOME", "data")) / "retailrocket"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "events.csv").write_text(EVENTS)
    return tmp_path


def test_events_get_canonical_names_utc_times_and_the_order_of_time(folder):
    events = load("retailrocket", folder).events
    assert events["event"].tolist() == ["view", "add_to_cart", "view", "view", "purchase"]
    assert events["user_id"].tolist() == ["1", "1", "2", "1", "1"]
    assert events["item_id"].tolist() == ["10", "10", "007", "10", "10"]
    assert events["timestamp"].iloc[0] == pd.Timestamp("2015-05-03 03:25:10")


def test_copies_of_a_row_are_left_out_and_counted_like_the_made_up_titles(folder):
    report = load("retailrocket", folder).report.set_index("what")["rows"].to_dict()
    assert report == {"the same row again": 1, "titles made up": 2}


@pytest.mark.parametrize("minutes, sessions", [(30, "11322"), (60, "11211"), (5, "12433")])
def test_a_session_ends_after_a_pause(folder, minutes, sessions):
    found = load("retailrocket", folder, session_minutes=minutes).events["session_id"].tolist()
    names = {session: str(n + 1) for n, session in enumerate(dict.fromkeys(found))}
    expected = {session: str(n + 1) for n, session in enumerate(dict.fromkeys(sessions))}
    assert [names[s] for s in found] == [expected[s] for s in sessions]


def test_an_item_has_its_first_known_category_and_the_root_above_it(folder):
    for file, text in zip(("item_properties_part1.csv", "item_properties_part2.csv"), (PART_1, PART_2)):
        (folder / file).write_text(text)
    leaves = load("retailrocket", folder).catalog.set_index("item_id")
    assert leaves["category"].to_dict() == {"007": "1", "10": "3", "55": "8"} and "subcategory" not in leaves
    (folder / "category_tree.csv").write_text(TREE)
    tables = load("retailrocket", folder)
    catalog = tables.catalog.set_index("item_id")
    assert catalog["category"].to_dict() == {"007": "1", "10": "1", "55": "8"}
    assert catalog["subcategory"].to_dict() == {"007": "1", "10": "3", "55": "8"}
    assert catalog.loc["55", "title"] == "item 55"  # has properties, no event
    assert tables.report.set_index("what").loc["items without a single event", "rows"] == 1


def test_properties_without_any_category_leave_the_items_without_one(folder):
    (folder / "item_properties_part1.csv").write_text("timestamp,itemid,property,value\n1,10,available,1\n")
    assert load("retailrocket", folder).offers == {"funnel", "sessions"}


def test_a_time_beyond_all_calendars_is_refused_with_its_row(folder):
    (folder / "events.csv").write_text(EVENTS + "9999999999999999,9,view,10,\n")
    with pytest.raises(ValueError, match="timestamp is missing: 1 row"):
        load("retailrocket", folder)


def test_a_category_tree_that_goes_in_circles_is_refused(folder):
    (folder / "item_properties_part1.csv").write_text(PART_1)
    (folder / "category_tree.csv").write_text("categoryid,parentid\n3,2\n2,3\n")
    with pytest.raises(ValueError, match="a circle through"):
        load("retailrocket", folder)


def test_unknown_events_and_missing_ids_are_refused_together(folder):
    (folder / "events.csv").write_text(EVENTS + "1430623510000,3,wishlist,10,\n1430623510000,,view,10,\n")
    with pytest.raises(ValueError, match=r"event must be one of .*, got \['wishlist'\]: 1 row") as error:
        load("retailrocket", folder)
    assert "visitorid is missing: 1 row" in str(error.value)


def test_seconds_in_place_of_milliseconds_are_noticed(folder):
    (folder / "events.csv").write_text("timestamp,visitorid,event,itemid,transactionid\n1430623510,1,view,10,\n")
    with pytest.raises(ValueError, match="seconds read as milliseconds"):
        load("retailrocket", folder)


@pytest.mark.skipif(not REAL.is_dir(), reason="no retailrocket folder in RECO_DATA_HOME")
def test_the_real_sample_adds_up():
    tables = load("retailrocket", REAL)
    assert tables.events["event"].value_counts().to_dict() == {"view": 75374, "add_to_cart": 12456, "purchase": 9551}
    assert len(tables.profiles) == 2174 and tables.offers == {"funnel", "sessions"}
    events = tables.events.assign(gap=tables.events.groupby("session_id")["timestamp"].diff())
    assert events["gap"].max() <= pd.Timedelta(minutes=30)
    first = events.groupby("session_id").agg(
        user=("user_id", "first"), start=("timestamp", "min"), n=("user_id", "nunique")
    )
    assert (first["n"] == 1).all()
    ends = events.groupby("session_id")["timestamp"].max()
    spans = first.assign(end=ends).sort_values(["user", "start"])
    pauses = (spans["start"].to_numpy()[1:] - spans["end"].to_numpy()[:-1])[
        spans["user"].to_numpy()[1:] == spans["user"].to_numpy()[:-1]
    ]
    assert (pauses > np.timedelta64(30, "m")).all()
