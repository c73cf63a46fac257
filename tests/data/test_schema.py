"""The gate: what it lets through, in which form, and what it says when it refuses."""

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data.schema import Problems, canonical, count_rows


def events(**changes):
    frame = pd.DataFrame(
        {
            "user_id": ["ann", "bob", "ann"],
            "item_id": ["007", "7", "7"],
            "event": ["view", "purchase", "rating"],
            "timestamp": pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-03"]),
            "rating": [np.nan, np.nan, 5],
        }
    )
    return frame.assign(**changes)


CATALOG = pd.DataFrame({"item_id": ["7", "007"], "title": ["Seven", "Bond"], "price": [1, 2]})


def load(frame=None, catalog=CATALOG, profiles=None, **options):
    return canonical("made up", events() if frame is None else frame, catalog, profiles, defaults=Defaults(), **options)


def test_events_are_sorted_by_time_and_ids_are_categorical_text():
    tables = load()
    assert tables.events["timestamp"].is_monotonic_increasing
    assert tables.events["timestamp"].dtype == "datetime64[us]"
    assert list(tables.events["item_id"]) == ["7", "007", "7"]  # zeros survive: 7 and 007 are two items
    assert list(tables.events["item_id"].cat.categories) == list(tables.catalog["item_id"])
    assert list(tables.events["user_id"].cat.categories) == list(tables.profiles["user_id"])


def test_the_arguments_are_left_as_they_are():
    frame, catalog = events(), CATALOG.copy()
    load(frame, catalog)
    pd.testing.assert_frame_equal(frame, events())
    pd.testing.assert_frame_equal(catalog, CATALOG)


def test_whole_numbers_become_text_ids():
    frame = events(item_id=[7, 8, 7], user_id=[1.0, 2.0, 1.0])
    tables = load(frame, pd.DataFrame({"item_id": [8, 7], "title": ["a", "b"]}))
    assert set(tables.events["user_id"]) == {"1", "2"}
    assert set(tables.events["item_id"]) == {"7", "8"}


def test_times_with_a_zone_become_utc():
    frame = events(timestamp=["2024-01-01T01:00:00+01:00", "2024-01-02", "2024-01-03"])
    assert load(frame).events["timestamp"][0] == pd.Timestamp("2024-01-01 00:00")


def test_without_profiles_there_is_one_row_per_user():
    assert list(load().profiles["user_id"]) == ["ann", "bob"]


def test_columns_the_schema_does_not_know_are_dropped():
    assert "colour" not in load(events(colour="red")).events


def test_two_events_at_one_time_keep_the_order_of_the_file():
    frame = events(timestamp=pd.Timestamp("2024-01-01"))
    assert list(load(frame).events["event"]) == ["view", "purchase", "rating"]
    late, early = pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-01")
    frame = events(timestamp=[late, early, early], user_id=["ann", "zoe", "bob"])
    assert list(load(frame).events["user_id"]) == ["zoe", "bob", "ann"]


def test_times_of_another_zone_are_brought_to_utc():
    noon = pd.to_datetime(["2024-07-01 12:00"] * 3).tz_localize("Europe/Berlin")
    assert set(load(events(timestamp=noon)).events["timestamp"]) == {pd.Timestamp("2024-07-01 10:00")}


REFUSED = {
    "lacks the column": events().drop(columns="event"),
    "it has no columns": pd.DataFrame(),
    "events is empty": events().head(0),
    "one type throughout: 1 row": events(user_id=pd.Series([1, "1", "ann"], dtype=object)),
    "rating is not a finite number: 1 row": events(rating=[1, 2, np.inf]),
    "need a finite rating: 1 row": events(rating=[1, 2, np.nan]),
    "timestamp is not a time .*: 1 row(.*\n)*.*timestamp is missing: 1 row": events(
        timestamp=["2024-01-01", "soon", None]
    ),
    "user_id is missing: 1 row": events(user_id=["ann", None, "bob"]),
    "item_id is missing: 3 rows": events(item_id=None),
    "user_id is blank, or has a space before or after it: 1 row": events(user_id=["ann", " ann", "bob"]),
    "user_id is blank, .*: 2 rows": events(user_id=["", "  ", "bob"]),
    "timestamp after 2200-01-01 .*: 1 row": events(timestamp=["2024-01-01", "2024-01-01", "2201-12-31"]),
    "quantity is negative: 1 row": events(quantity=[1, -1, None]),
    "value is negative: 1 row": events(value=[1, -1, None]),
    "numbers need their unit": events(timestamp=[1_700_000_000, 1_700_000_001, 1_700_000_002]),
    "before 1990": events(timestamp=pd.to_datetime([1_700_000_000] * 3, unit="ms")),
    "event must be one of .* got \\['wishlist'\\]": events(event=["view", "wishlist", "rating"]),
    "events have 1 item_id that catalog lacks": events(item_id=["7", "7", "8"]),
    "dwell_ms is negative": events(dwell_ms=[1, 2, -3]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_bad_events_are_refused_with_the_reason(message):
    with pytest.raises(ValueError, match=message):
        load(REFUSED[message])


@pytest.mark.parametrize(
    "message, catalog",
    [
        ("catalog.price is negative: 1 row", CATALOG.assign(price=[-1, 2])),
        ("same item_id more than once", pd.concat([CATALOG, CATALOG])),
        ("title is missing: 1 row", CATALOG.assign(title=["Seven", None])),
        ("title is blank: 1 row", CATALOG.assign(title=["Seven", " "])),
        ("title is not text of one type throughout: 1 row", CATALOG.assign(title=["Seven", 7])),
        ("in_stock is not true or false", CATALOG.assign(in_stock=["yes", "no"])),
    ],
)
def test_bad_catalogues_are_refused_with_the_reason(message, catalog):
    with pytest.raises(ValueError, match=message):
        load(catalog=catalog)


def test_an_event_later_than_asof_is_refused():
    assert len(load(asof=pd.Timestamp("2024-01-03")).events) == 3  # exactly at asof is allowed
    with pytest.raises(ValueError, match="later than asof 2024-01-02 00:00:00: 1 row"):
        load(asof=pd.Timestamp("2024-01-02"))


def test_all_problems_come_in_one_error_with_counts_and_first_rows():
    bad = events(rating=[1, 2, np.inf], timestamp=["2024-01-01", "soon", "2024-01-02"])
    with pytest.raises(ValueError) as error:
        load(bad)
    assert "made up: nothing was loaded" in str(error.value)
    assert "rating is not a finite number: 1 row" in str(error.value)
    assert "soon" in str(error.value)


def test_only_the_first_three_bad_rows_are_shown():
    problems = Problems("x.csv")
    problems.add("odd", pd.DataFrame({"row": ["first", "second", "third", "fourth"]}))
    with pytest.raises(ValueError, match="odd: 4 rows, the first:") as error:
        problems.stop()
    assert "third" in str(error.value) and "fourth" not in str(error.value)


def test_no_problem_means_no_error():
    problems = Problems("x.csv")
    problems.add("odd", pd.DataFrame())
    problems.stop()


def test_a_report_leaves_out_what_did_not_happen():
    report = count_rows([("events", "duplicate line", 3), ("events", "no customer", 0)])
    assert report.to_dict("records") == [{"table": "events", "what": "duplicate line", "rows": 3}]


def test_offers_say_what_the_dataset_can_feed():
    assert load().offers == {"text", "price", "funnel", "ratings"}
    bare = load(catalog=pd.DataFrame({"item_id": ["7", "007"], "title": ["item 7", "item 007"]}))
    assert "text" not in bare.offers and "price" not in bare.offers


def test_a_made_up_title_is_no_text_even_when_the_id_has_a_space_in_it():
    ids = ["a 7", "b 8"]
    catalog = pd.DataFrame({"item_id": ids, "title": [f"item {i}" for i in ids]})
    assert "text" not in load(events(item_id=["a 7", "b 8", "a 7"]), catalog).offers
    assert "text" in load(events(item_id=["a 7", "b 8", "a 7"]), catalog.assign(title=["item a 7", "Lamp"])).offers


def test_users_without_profiles_are_listed_in_the_order_of_their_ids_numbers_or_text():
    assert load(events(user_id=[10, 9, 10])).profiles["user_id"].tolist() == ["10", "9"]


def test_mixed_ids_are_refused_without_a_warning(recwarn):
    with pytest.raises(ValueError, match="events.user_id is not text of one type throughout: 1 row"):
        load(events(user_id=pd.Series([1, "1"], dtype=object).reindex([0, 1, 0]).array))
    assert not len(recwarn)
