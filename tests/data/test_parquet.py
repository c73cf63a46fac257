"""Parquet copies give back what was written, type for type, and never stand in the way."""

import os
import time

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import Defaults, Tables
from reco_utils.data import parquet
from reco_utils.data.parquet import cached, code_version, fingerprint, read_tables, write_tables
from reco_utils.data.schema import canonical, count_rows

RAW, KEY, OTHER = "a" * 12, "b" * 12, "c" * 12


def everything() -> Tables:
    """Tables with every canonical column, gaps in each optional one, and ids that no event has."""
    when = pd.to_datetime(["2024-03-01 10:00:00.000001", "2024-01-01", "2024-02-01"], format="ISO8601")
    events = pd.DataFrame({
        "user_id": ["007", "u1", "007"], "item_id": ["b", "a", "a"], "event": ["purchase", "view", "rating"],
        "timestamp": when, "session_id": ["s1", None, "s2"], "value": [9.5, np.nan, np.nan],
        "quantity": [2, np.nan, np.nan], "rating": [np.nan, np.nan, 4.5], "device": ["phone", None, "desk"],
        "dwell_ms": [np.nan, 12.0, np.nan],
    })  # fmt: skip
    catalog = pd.DataFrame({
        "item_id": ["b", "a", "unsold"], "title": ["Bée 蜂", "A", "item unsold"], "category": ["x", None, "y"],
        "subcategory": [None, None, None], "brand": ["q", "q", None], "price": [1.0, np.nan, 0.1],
        "description": [None, "text", None], "tags": ["t u", None, ""], "created_at": [when[0], pd.NaT, when[1]],
        "in_stock": [True, None, False], "related": ["a unsold", None, None],
    })  # fmt: skip
    profiles = pd.DataFrame({
        "user_id": ["u1", "007", "quiet"], "age": [30.0, np.nan, 41.0], "gender": ["F", None, "M"],
        "location": ["02139", None, None], "device": [None, None, None], "signup_at": [pd.NaT, when[2], when[1]],
    })  # fmt: skip
    defaults = Defaults(("purchase", "rating"), 4.0, 90.0, 30.0, "time", True)
    report = count_rows([("events", "left out", 3), ("catalog", "called item <id>", 1)])
    return canonical("made", events, catalog, profiles, defaults=defaults, report=report)


def assert_equal(one: Tables, two: Tables) -> None:
    for name in ("events", "catalog", "profiles", "report"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)
    for column in one.events.columns[one.events.dtypes == "category"]:
        assert one.events[column].cat.categories.equals(two.events[column].cat.categories)
    assert (one.name, one.defaults, one.offers) == (two.name, two.defaults, two.offers)


def no_one():
    raise AssertionError("the raw files must not be read")


@pytest.fixture
def copies(tmp_path):
    """Loads through a copy in tmp_path/x; further keywords replace raw, key and make."""

    def load(folders=("x",), raw=RAW, key=KEY, make=everything):
        return cached([(tmp_path / f, ".parquet-made-") for f in folders], raw, key, make)

    return load


def test_what_is_written_comes_back_type_for_type(tmp_path):
    tables = everything()
    write_tables(tables, tmp_path)
    assert_equal(read_tables(tmp_path), tables)


def test_an_empty_report_and_bare_columns_come_back_too(tmp_path):
    events = pd.DataFrame(
        {"user_id": ["1"], "item_id": ["2"], "event": ["view"], "timestamp": [pd.Timestamp("2024-01-01")]}
    )
    catalog = pd.DataFrame({"item_id": ["2"], "title": ["x"]})
    tables = canonical("bare", events, catalog, defaults=Defaults())
    write_tables(tables, tmp_path)
    assert_equal(read_tables(tmp_path), tables)


def test_categories_that_are_not_the_tables_ids_are_kept(tmp_path):
    tables = everything()
    events = tables.events.assign(user_id=tables.events["user_id"].cat.remove_unused_categories())
    odd = Tables(tables.name, events, tables.catalog, tables.profiles, tables.defaults, tables.report)
    write_tables(odd, tmp_path)
    assert_equal(read_tables(tmp_path), odd)


def test_the_second_load_reads_the_copy(copies):
    first = copies()
    assert_equal(copies(make=no_one), first)


@pytest.mark.parametrize("change", [{"raw": OTHER}, {"key": OTHER}])
def test_other_files_or_options_never_meet_an_old_copy(copies, change):
    copies()
    with pytest.raises(AssertionError, match="must not be read"):
        copies(make=no_one, **change)


def test_copies_of_older_files_are_removed_and_other_options_kept(copies, tmp_path):
    copies()
    copies(key=OTHER)
    assert len(list((tmp_path / "x").iterdir())) == 2
    (tmp_path / "x" / ".parquet-made-of-wood-aaaaaaaaaaaa-bbbbbbbbbbbb").mkdir()  # another dataset's
    copies(raw=OTHER)
    names = sorted(p.name for p in (tmp_path / "x").iterdir())
    assert names == [".parquet-made-cccccccccccc-bbbbbbbbbbbb", ".parquet-made-of-wood-aaaaaaaaaaaa-bbbbbbbbbbbb"]


@pytest.mark.parametrize("file", ["events.parquet", "words.parquet", "meta.json"])
@pytest.mark.parametrize("how", ["cut", "gone", "junk"])
def test_a_damaged_copy_is_read_from_the_raw_files_and_mended(copies, tmp_path, file, how):
    first = copies()
    (path,) = (tmp_path / "x").glob(f"*/{file}")
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-20] if how == "cut" else b"junk")
    assert_equal(copies(), first)
    assert_equal(copies(make=no_one), first)


def test_a_folder_without_write_permission_sends_the_copy_to_the_next_place(copies, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x").chmod(0o555)  # root could write all the same
    copies(folders=("x", "y"))
    assert not list((tmp_path / "x").iterdir())
    assert len(list((tmp_path / "y").iterdir())) == 1
    copies(folders=("x", "y"), make=no_one)
    (tmp_path / "x").chmod(0o755)


def test_when_no_place_can_be_written_every_load_reads_the_raw_files(copies, tmp_path):
    tmp_path.chmod(0o555)
    first = copies(folders=("x", "y"))
    assert_equal(copies(folders=("x", "y")), first)
    tmp_path.chmod(0o755)
    assert not list(tmp_path.iterdir())


def test_a_place_that_is_a_file_is_passed_over(copies, tmp_path):
    (tmp_path / "x").write_text("not a folder")
    copies(folders=("x", "y"))
    copies(folders=("y",), make=no_one)


def test_ctrl_c_leaves_no_half_copy(copies, tmp_path, monkeypatch):
    def stop(tables, folder):
        (folder / "events.parquet").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(parquet, "write_tables", stop)
    with pytest.raises(KeyboardInterrupt):
        copies()
    assert not list((tmp_path / "x").iterdir())


def test_of_two_processes_at_once_the_slower_one_leaves_the_copy_alone(copies, tmp_path):
    def slow():
        copies()  # the other process is done first
        return everything()

    assert_equal(copies(make=slow), everything())
    assert len(list((tmp_path / "x").iterdir())) == 1
    copies(make=no_one)


def test_what_a_killed_process_left_is_removed_after_an_hour(copies, tmp_path):
    for name, age_s in (("old", 2 * 3600), ("new", 60)):
        half = tmp_path / "x" / f".half-{name}"
        half.mkdir(parents=True)
        os.utime(half, (time.time() - age_s,) * 2)
    copies()
    assert [p.name for p in (tmp_path / "x").glob(".half-*")] == [".half-new"]


def test_a_fingerprint_is_the_same_for_the_same_and_different_for_the_different():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})
    assert code_version("movielens") != code_version("amazon") == code_version("amazon")
