"""Your own files: any column names and formats in, one clear error for everything that is wrong."""

import gzip

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data.files import load, load_files

EVENTS = pd.DataFrame(
    {
        "user_id": ["ann", "bob", "ann"],
        "item_id": ["007", "7", "7"],
        "event": ["view", "purchase", "purchase"],
        "timestamp": ["2025-03-01 10:00:00", "2025-03-02", "2025-03-01T12:00:00+02:00"],
    }
)
CATALOG = pd.DataFrame({"item_id": ["007", "7", "12"], "title": ["Watch", "Lamp", "Tin"], "price": [20.0, 5.0, 3.0]})


def text(frame, path, **how):
    frame.to_csv(path, index=False, **how)
    return path


def same(tables, other):
    for table in ("events", "catalog", "profiles"):
        pd.testing.assert_frame_equal(getattr(tables, table), getattr(other, table))


# ---------------------------------------------------------------------------------------------------- what is accepted
def test_frames_csv_gzip_and_parquet_give_the_same_tables(tmp_path):
    frames = load_files(EVENTS, CATALOG)
    zipped = tmp_path / "e.csv.gz"
    zipped.write_bytes(gzip.compress(EVENTS.to_csv(index=False).encode()))
    EVENTS.to_parquet(tmp_path / "e.parquet")
    for events in (text(EVENTS, tmp_path / "e.csv"), zipped, tmp_path / "e.parquet"):
        same(load_files(events, text(CATALOG, tmp_path / "c.csv")), frames)


def test_ids_stay_text_and_offsets_are_brought_to_utc(tmp_path):
    events = load_files(text(EVENTS, tmp_path / "e.csv"), text(CATALOG, tmp_path / "c.csv")).events
    assert events["item_id"].tolist() == ["007", "7", "7"] and events["user_id"].tolist() == ["ann", "ann", "bob"]
    assert events["timestamp"].tolist() == [
        pd.Timestamp(t) for t in ("2025-03-01 10:00", "2025-03-01 10:00", "2025-03-02")
    ]


def test_a_byte_order_mark_is_skipped(tmp_path):
    path = text(EVENTS, tmp_path / "e.csv", encoding="utf-8-sig")
    same(load_files(path, CATALOG), load_files(EVENTS, CATALOG))


@pytest.mark.parametrize("nested", [False, True])
def test_any_column_names_through_one_mapping_or_one_per_table(tmp_path, nested):
    theirs = {"user_id": "customer", "item_id": "sku", "event": "what", "timestamp": "when"}
    ours = {theirs: ours for ours, theirs in theirs.items()}
    shop = {"sku": "item_id", "name": "title"}
    events = text(EVENTS.rename(columns=theirs), tmp_path / "e.csv")
    catalog = CATALOG.rename(columns={"item_id": "sku", "title": "name"})
    columns = {"events": ours, "catalog": shop} if nested else ours | shop
    same(load_files(events, catalog, columns=columns), load_files(EVENTS, CATALOG))


def test_one_mapping_for_all_tables_leaves_a_table_alone_that_has_no_such_column_of_ours(tmp_path):
    catalog = text(CATALOG.assign(customer="everybody"), tmp_path / "c.csv")
    events = EVENTS.rename(columns={"user_id": "customer"})
    same(load_files(events, catalog, columns={"customer": "user_id"}), load_files(EVENTS, CATALOG))


def test_a_mapping_wins_over_a_column_that_has_the_name_already():
    events = EVENTS.assign(customer=["x", "y", "z"])
    assert set(load_files(events, CATALOG, columns={"customer": "user_id"}).profiles["user_id"]) == {"x", "y", "z"}


def test_words_for_events_are_translated_and_one_word_serves_files_without_an_event_column():
    events = EVENTS.assign(event=["wishlist", "order", "purchase"])
    tables = load_files(events, CATALOG, event_types={"wishlist": "add_to_cart", "order": "purchase"})
    assert sorted(tables.events["event"]) == ["add_to_cart", "purchase", "purchase"]
    assert set(load_files(EVENTS.drop(columns="event"), CATALOG, event_types="purchase").events["event"]) == {
        "purchase"
    }


@pytest.mark.parametrize("unit, per_second", [("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("as_text", [False, True])
def test_numbers_are_times_once_their_unit_is_said(tmp_path, unit, per_second, as_text):
    events = EVENTS.assign(
        timestamp=[1_740_823_200 * per_second, 1_740_823_201 * per_second, 1_740_823_202 * per_second]
    )
    source = text(events, tmp_path / "e.csv") if as_text else events
    times = load_files(source, CATALOG, time_unit=unit).events["timestamp"]
    assert times.tolist() == [pd.Timestamp("2025-03-01 10:00") + pd.Timedelta(seconds=n) for n in range(3)]


def test_a_unit_for_the_events_leaves_iso_times_of_the_catalogue_alone():
    seconds, catalog = EVENTS.assign(timestamp=1_740_823_200), CATALOG.assign(created_at="2025-01-01")
    tables = load_files(seconds, catalog, time_unit="s")
    assert set(tables.events["timestamp"]) == {pd.Timestamp("2025-03-01 10:00")}
    assert set(tables.catalog["created_at"]) == {pd.Timestamp("2025-01-01")}
    mixed = EVENTS.assign(timestamp=["1740823200", "2025-03-02", "1740823201"])
    with pytest.raises(ValueError, match="timestamp is not a number of s: 1 row"):
        load_files(mixed, CATALOG, time_unit="s")


def test_without_a_catalogue_items_are_named_by_their_id_only_when_asked():
    with pytest.raises(ValueError, match="there is no catalog; give one, or say fill_catalog=True"):
        load_files(EVENTS)
    tables = load_files(EVENTS, fill_catalog=True)
    assert tables.catalog.set_index("item_id")["title"].to_dict() == {"007": "item 007", "7": "item 7"}
    assert tables.report["rows"].tolist() == [2, 2] and "text" not in tables.offers


def test_filling_adds_what_a_catalogue_lacks_and_counts_it():
    events = EVENTS.assign(item_id=[7, 8, 9])
    tables = load_files(events, pd.DataFrame({"item_id": ["7", "8"], "title": ["Lamp", None]}), fill_catalog=True)
    assert tables.catalog["title"].tolist() == ["Lamp", "item 8", "item 9"]
    assert tables.report.set_index("what")["rows"].to_dict() == {"items added": 1, "titles made up": 2}


def test_profiles_flags_and_creation_times_are_read(tmp_path):
    profiles = pd.DataFrame({"user_id": ["bob", "ann", "cid"], "age": [30, 40, 50]})
    catalog = CATALOG.assign(in_stock=["yes", "no", None], created_at=["2024-01-01", None, "2024-02-01T00:00:00Z"])
    tables = load_files(EVENTS, text(catalog, tmp_path / "c.csv"), text(profiles, tmp_path / "p.csv"))
    assert tables.profiles["age"].tolist() == [30, 40, 50]
    assert tables.catalog["in_stock"].tolist()[:2] == [True, False] and tables.catalog["in_stock"].isna()[2]
    assert tables.catalog["created_at"].dt.year.tolist()[::2] == [2024, 2024]


def test_the_callers_frames_are_left_alone():
    events, catalog = EVENTS.copy(), CATALOG.copy()
    load_files(events, catalog, event_types={"view": "click"}, columns={"price": "price"})
    pd.testing.assert_frame_equal(events, EVENTS)
    pd.testing.assert_frame_equal(catalog, CATALOG)


def test_defaults_are_guessed_from_the_events_and_may_be_said_in_part():
    assert load_files(EVENTS, CATALOG).defaults == Defaults(target=("purchase",), split="time")
    views = load_files(EVENTS.assign(event="view"), CATALOG, defaults={"half_life_days": 30})
    assert views.defaults == Defaults(target=("view",), half_life_days=30)
    stars = load_files(EVENTS.assign(event="rating", rating=[1, 5, 3]), CATALOG, defaults={"positive_from": 4})
    assert stars.defaults == Defaults(target=("rating",), positive_from=4, split="leave-last-out")
    with pytest.raises(ValueError, match=r"unknown defaults \['halflife'\]"):
        load_files(EVENTS, CATALOG, defaults={"halflife": 30})


# ----------------------------------------------------------------------------------------------------- what is refused
def test_missing_columns_are_named_with_the_nearest_ones(tmp_path):
    path = text(EVENTS.rename(columns={"user_id": "userid", "event": "what"}), tmp_path / "e.csv")
    with pytest.raises(ValueError, match=r"e.csv.*\n.*missing the columns \['user_id', 'event'\]; it has") as error:
        load_files(path, CATALOG)
    assert "did you mean 'userid' for 'user_id'?" in str(error.value) and "columns={'your name':" in str(error.value)


def test_a_file_without_event_types_says_how_to_give_them_one():
    with pytest.raises(ValueError, match="say event_types='purchase'"):
        load_files(EVENTS.drop(columns="event"), CATALOG)


def test_a_mapping_of_columns_that_are_not_there_or_not_ours_is_refused():
    with pytest.raises(ValueError, match=r"missing the column \['custmer'\].*did you mean 'customer'"):
        load_files(EVENTS.rename(columns={"user_id": "customer"}), CATALOG, columns={"custmer": "user_id"})
    with pytest.raises(
        ValueError, match="maps 'customer' to 'userid', which is no column of ours; did you mean 'user_id'"
    ):
        load_files(EVENTS.rename(columns={"user_id": "customer"}), CATALOG, columns={"customer": "userid"})
    with pytest.raises(ValueError, match=r"\['a', 'b'\] are all mapped to 'user_id'"):
        load_files(EVENTS.assign(a="x", b="y"), CATALOG, columns={"a": "user_id", "b": "user_id"})
    with pytest.raises(ValueError, match="there is no profiles file to map"):
        load_files(EVENTS, CATALOG, columns={"profiles": {"a": "age"}})


@pytest.mark.parametrize("delimiter, called", [(";", "a semicolon"), ("\t", "a tab")])
def test_a_wrong_delimiter_is_recognised(tmp_path, delimiter, called):
    path = text(EVENTS, tmp_path / "e.csv", sep=delimiter)
    with pytest.raises(ValueError, match=f"the delimiter is probably {called}, not a comma"):
        load_files(path, CATALOG)
    catalog = text(CATALOG, tmp_path / "c.csv", sep=delimiter)
    assert len(load_files(path, catalog, delimiter=delimiter).events) == 3


def test_web_pages_cut_gzip_empty_files_and_broken_parquet_are_named(tmp_path):
    page, cut, empty, parquet = (tmp_path / n for n in ("page.csv", "cut.csv.gz", "empty.csv", "broken.parquet"))
    page.write_text("<!DOCTYPE html><html><body>log in</body></html>")
    cut.write_bytes(gzip.compress(EVENTS.to_csv(index=False).encode())[:-9])
    empty.write_text("")
    parquet.write_bytes(b"PAR1 and no more")
    for path, said in (
        (page, "web page"),
        (cut, "cut off"),
        (empty, "0 bytes"),
        (parquet, "cannot be read as Parquet"),
    ):
        with pytest.raises(ValueError, match=f"{path.name}.*(\n.*)?{said}"):
            load_files(path, CATALOG)
    with pytest.raises(ValueError, match="it has a header line and no rows"):
        load_files(text(EVENTS.iloc[:0], tmp_path / "header.csv"), CATALOG)
    with pytest.raises(ValueError, match="it is empty"):
        load_files(EVENTS.iloc[:0], CATALOG)
    with pytest.raises(FileNotFoundError, match="none.csv"):
        load_files(tmp_path / "none.csv", CATALOG)
    with pytest.raises(ValueError, match="is a folder, not a file"):
        load_files(EVENTS, tmp_path)


def test_a_column_that_is_there_twice_is_refused_unless_nobody_wants_it(tmp_path):
    twice = EVENTS.set_axis(["user_id", "user_id", "event", "timestamp"], axis=1)
    for source in (twice, text(twice, tmp_path / "e.csv")):
        with pytest.raises(ValueError, match="the column 'user_id' is there 2 times"):
            load_files(source, CATALOG)
    load_files(pd.concat([EVENTS, EVENTS[[]].assign(x=1), EVENTS[[]].assign(x=2)], axis=1), CATALOG)


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"columns": ["user_id"]}, r"columns must map your names to ours, got \['user_id'\]"),
        ({"event_types": ["view"]}, r"event_types must map your words to ours or be one of ours, got \['view'\]"),
        ({"delimiter": ""}, "delimiter must have 1 to 4 characters, got ''"),
        ({"asof": "soon"}, "asof must be a time .*, got 'soon'"),
        ({"asof": pd.NaT}, "asof must be a time .*, got NaT"),
        ({"columns": {"user_id": None}}, "to None, which is no column of ours"),
        ({"columns": {"events": {"a": "user_id"}, "catalog": 3}}, "no column of ours"),
        ({"defaults": {"target": "rating"}}, r"target must be among the events' types \['purchase', 'view'\]"),
        ({"events": None}, "events must be a path or a DataFrame, got None"),
        ({"catalog": {"item_id": ["7"]}}, "catalog must be a path or a DataFrame"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_named(wrong, said):
    with pytest.raises((TypeError, ValueError), match=said):
        load_files(**{"events": EVENTS, "catalog": CATALOG} | wrong)


def test_ids_with_a_space_around_them_are_refused_and_blank_titles_are_made_up_only_when_asked(tmp_path):
    path = text(EVENTS.assign(user_id=["ann", " ann", "ann "]), tmp_path / "e.csv")
    with pytest.raises(ValueError, match="user_id is blank, or has a space before or after it: 2 rows"):
        load_files(path, CATALOG)
    blank = CATALOG.assign(title=["Watch", "  ", "Tin"])
    with pytest.raises(ValueError, match="catalog.title is blank: 1 row"):
        load_files(EVENTS, blank)
    assert load_files(EVENTS, blank, fill_catalog=True).catalog["title"].tolist() == ["Watch", "item 7", "Tin"]


def test_unknown_event_types_are_listed_with_their_rows_and_a_way_out():
    events = EVENTS.assign(event=["wishlist", "purchase", "order"])
    with pytest.raises(ValueError, match=r"got \['order', 'wishlist'\]; map them, e.g. event_types=.*: 2 rows"):
        load_files(events, CATALOG)
    with pytest.raises(ValueError, match=r"event_types must lead to .*, got \['buy'\]"):
        load_files(EVENTS, CATALOG, event_types={"order": "buy"})
    with pytest.raises(ValueError, match="it has an event column, so event_types must be a mapping"):
        load_files(EVENTS, CATALOG, event_types="purchase")


def test_numbers_without_a_unit_and_a_wrong_unit_are_refused():
    seconds = EVENTS.assign(timestamp=1_740_823_200)
    for events in (seconds, seconds.astype({"timestamp": str})):
        with pytest.raises(ValueError, match="timestamp holds numbers, e.g. 1740823200; say their unit"):
            load_files(events, CATALOG)
    with pytest.raises(ValueError, match="seconds read as milliseconds"):
        load_files(seconds, CATALOG, time_unit="ms")
    with pytest.raises(ValueError, match="after the year 2200, so its unit is not 's': 3 rows"):
        load_files(seconds.assign(timestamp=1_740_823_200_000), CATALOG, time_unit="s")
    with pytest.raises(ValueError, match="time_unit must be one of"):
        load_files(seconds, CATALOG, time_unit="seconds")


def test_unparseable_times_and_times_after_asof_are_counted(tmp_path):
    path = text(EVENTS.assign(timestamp=["yesterday", "2025-03-02", "03/04/2025"]), tmp_path / "e.csv")
    with pytest.raises(ValueError, match=r"timestamp is not a time \(ISO 8601\): 2 rows") as error:
        load_files(path, CATALOG)
    assert "yesterday" in str(error.value)
    with pytest.raises(ValueError, match="later than asof 2025-03-01 11:00:00: 1 row"):
        load_files(EVENTS, CATALOG, asof="2025-03-01T12:00:00+01:00")


def test_mixed_ids_are_refused():
    with pytest.raises(ValueError, match="events.item_id is not text of one type throughout: 1 row"):
        load_files(EVENTS.assign(item_id=pd.Series(["007", "7", 7], dtype=object)), CATALOG)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_ratings_that_are_not_finite_are_refused(tmp_path, value):
    events = EVENTS.assign(event="rating", rating=[4.0, value, 5.0])
    for source in (events, text(events, tmp_path / "e.csv")):
        with pytest.raises(ValueError, match="rating.*finite.*: 1 row"):
            load_files(source, CATALOG)


def test_letters_in_a_number_column_are_shown_with_their_line(tmp_path):
    path = text(CATALOG.astype({"price": object}).replace(5.0, "five"), tmp_path / "c.csv")
    with pytest.raises(ValueError, match="c.csv.*\n.*price is not a number: 1 row") as error:
        load_files(EVENTS, path)
    assert "7,Lamp,five" in str(error.value)


def test_bad_prices_double_ids_and_unknown_items_come_in_one_error():
    catalog = pd.DataFrame({"item_id": ["7", "7"], "title": ["Lamp", "Lamp"], "price": [-1.0, 2.0]})
    with pytest.raises(ValueError, match="catalog.price is negative: 1 row") as error:
        load_files(EVENTS, catalog)
    assert "catalog has the same item_id more than once: 1 row" in str(error.value)
    assert "events have 1 item_id that catalog lacks: 1 row" in str(error.value)


def test_flags_that_are_neither_yes_nor_no_are_refused():
    with pytest.raises(ValueError, match="in_stock is neither yes nor no .*: 1 row"):
        load_files(EVENTS, CATALOG.assign(in_stock=["yes", "maybe", "no"]))


# ------------------------------------------------------------------------------------------------------ a whole folder
TOML = """\
event_types = {look = "view", order = "purchase"}
[columns]
customer = "user_id"
[defaults]
target = "purchase"
half_life_days = 60
"""


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "my-shop"
    home.mkdir()
    events = EVENTS.rename(columns={"user_id": "customer"}).replace({"event": {"view": "look", "purchase": "order"}})
    text(events, home / "events.csv")
    CATALOG.to_parquet(home / "catalog.parquet")
    (home / "dataset.toml").write_text(TOML)
    return home


def test_a_folder_with_a_dataset_toml_loads_by_name(folder):
    tables = load("my-shop", folder)
    assert tables.name == "my-shop" and tables.defaults == Defaults(target=("purchase",), half_life_days=60)
    same(tables, load_files(EVENTS, CATALOG))
    assert load("my-shop", folder, defaults={"half_life_days": 5}).defaults.half_life_days == 5


def test_the_registry_finds_the_folder(folder):
    from reco_utils.data.registry import load_dataset

    same(load_dataset("my-shop", home=folder.parent), load("my-shop", folder))


def test_unknown_settings_and_two_files_for_one_table_are_refused(folder):
    with pytest.raises(ValueError, match=r"my-shop: unknown setting \['colums'\]; settings are"):
        load("my-shop", folder, colums={})
    text(CATALOG, folder / "catalog.csv")
    with pytest.raises(ValueError, match="catalog.csv and catalog.parquet are both there"):
        load("my-shop", folder)


def test_a_folder_without_events_says_what_to_put_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="put events.csv, events.csv.gz or events.parquet into"):
        load("my-shop", tmp_path)
