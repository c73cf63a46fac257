"""Online Retail II: what is left out and counted, what is mended, and what the real file gives."""

import gzip
import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from reco_utils.data.online_retail import YEARS, load, titles

HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
ROWS = (
    HEADER
    + """\
1000,79323P,PINK CHERRY LIGHTS,1,2009-12-01 07:30:00,13.50,,United Kingdom
1001,85048,15CM CHRISTMAS GLASS BALL ,12,2009-12-01 07:45:00,6.95,13085.0,United Kingdom
1001,79323p, PINK CHERRY LIGHTS,2,2009-12-01 07:45:00,6.75,13085.0,United Kingdom
1001,79323P,PINK CHERRY LIGHTS,3,2009-12-01 07:45:00,6.75,13085.0,United Kingdom
1001,85048,15CM CHRISTMAS GLASS BALL ,12,2009-12-01 07:45:00,6.95,13085.0,United Kingdom
1001,POST,POSTAGE,1,2009-12-01 07:45:00,18.0,13085.0,United Kingdom
1002,85048,15CM CHRISTMAS GLASS BALL ,1,2009-12-02 09:00:00,13.90,,United Kingdom
1003,21733,85123a mixed,-96,2009-12-03 10:00:00,0.0,,United Kingdom
1004,22000,,5,2009-12-03 11:00:00,0.0,13085.0,United Kingdom
1005,22111,SET/3 TINS ,4,2009-12-04 10:00:00,2.0,13086.0,Unspecified
C1006,85048,15CM CHRISTMAS GLASS BALL ,-12,2009-12-05 10:00:00,6.95,13085.0,United Kingdom
A1007,B,Adjust bad debt,1,2009-12-06 10:00:00,-100.0,,United Kingdom
1008,22112,ONLY FOR UNKNOWN,1,2009-12-07 10:00:00,4.0,,United Kingdom
1009,gift_0001_20,Voucher,1,2009-12-08 10:00:00,20.0,,United Kingdom
1010,85048,BALL,1,2009-12-09 10:00:00,9.99,13085.0,France
"""
)
REAL = Path(os.environ.get("RECO_DATA_HOME", "data")) / "online-retail"


@pytest.fixture
def small(tmp_path):
    (tmp_path / "online_retail_II.csv").write_text(ROWS)
    return tmp_path


def counts(tables):
    return tables.report.set_index("what")["rows"].to_dict()


def test_an_event_is_one_product_on_one_invoice_and_its_lines_are_added_up(small):
    events = load("online-retail", small).events
    assert events[["user_id", "item_id", "session_id"]].astype(str).values.tolist() == [
        ["13085", "85048", "1001"],
        ["13085", "79323P", "1001"],
        ["13086", "22111", "1005"],
        ["13085", "85048", "1010"],
    ]
    assert events["quantity"].tolist() == [12, 5, 4, 1]
    assert events["value"].tolist() == [83.4, 33.75, 8.0, 9.99]
    assert set(events["event"]) == {"purchase"}


def test_every_line_that_is_left_out_is_counted_under_one_reason(small):
    assert counts(load("online-retail", small)) == {
        "bad-debt adjustments (invoice A...)": 1,
        "cancellations (invoice C...)": 1,
        "no product (postage, fees, vouchers, tests ...)": 2,
        "quantity not above 0": 1,
        "price not above 0": 1,
        "no customer id": 3,
        "the same line again": 1,
        "lines of one product on one invoice, added up": 1,
        "kept, though cancelled later": 1,
        "products that no known customer bought": 1,
    }


def test_a_cancellation_before_the_purchase_is_not_its_own(tmp_path):
    before = "C2000,22111,SET/3 TINS ,-7,2009-12-10 10:00:00,2.0,13086.0,UK\n"
    after = "2001,22111,SET/3 TINS ,7,2009-12-20 10:00:00,2.0,13086.0,UK\n"
    (tmp_path / "online_retail_II.csv").write_text(ROWS + before + after)
    assert counts(load("online-retail", tmp_path))["kept, though cancelled later"] == 1


def test_the_catalogue_has_the_usual_title_and_the_first_price_of_a_known_customer(small):
    catalog = load("online-retail", small).catalog.set_index("item_id")
    assert catalog["title"].to_dict() == {
        "22111": "Set of 3 tins",
        "22112": "Only for unknown",
        "79323P": "Pink cherry lights",
        "85048": "15cm Christmas glass ball",
    }
    assert catalog["price"].to_dict() == {"22111": 2.0, "22112": 4.0, "79323P": 6.75, "85048": 6.95}


def test_a_profile_has_the_country_of_the_first_purchase_and_unspecified_is_missing(small):
    profiles = load("online-retail", small).profiles.set_index("user_id")["location"]
    assert profiles["13085"] == "United Kingdom" and pd.isna(profiles["13086"])


def test_a_later_sheet_changes_neither_the_price_nor_the_time_of_what_was_known(small):
    before = load("online-retail", small)
    later = "1011,79323P,PINK CHERRY LIGHTS,1,2011-01-01 10:00:00,1.00,13086.0,Spain\n"
    (small / "online_retail_II.csv").write_text(ROWS + later)
    after = load("online-retail", small)
    assert after.catalog.equals(before.catalog)
    assert after.profiles["user_id"].equals(before.profiles["user_id"])
    assert after.events.head(len(before.events)).astype(str).equals(before.events.astype(str))


def test_descriptions_become_readable_titles():
    shouted = pd.Series([" WHITE CHERRY LIGHTS", "S/4 UNION JACK  MUGS", "DOG BOWL , CHASING", "SET/3 OF TINS", None])
    assert titles(shouted).tolist()[:4] == [
        "White cherry lights",
        "Set of 4 Union Jack mugs",
        "Dog bowl, chasing",
        "Set of 3 tins",
    ]
    assert titles(shouted).isna().tolist() == [False] * 4 + [True]


def test_the_two_years_are_read_together_and_shared_lines_count_once(tmp_path):
    for year in YEARS:
        (tmp_path / f"{year}.gz").write_bytes(gzip.compress(ROWS.encode()))
    tables = load("online-retail", tmp_path)
    assert tables.events["quantity"].tolist() == [12, 5, 4, 1]
    assert counts(tables)["the same line again"] == 12 - 5  # lines by known customers; different ones


def test_the_older_file_with_its_own_spelling_and_american_dates_is_read(tmp_path):
    older = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    older += "536365,85123A,WHITE HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
    (tmp_path / "OnlineRetail.csv").write_text(older)
    events = load("online-retail", tmp_path).events
    assert events["timestamp"].tolist() == [pd.Timestamp("2010-12-01 08:26")] and events["value"].tolist() == [15.3]


def test_both_sheets_of_the_workbook_are_read(tmp_path, small):
    pytest.importorskip("openpyxl")
    rows = pd.read_csv(small / "online_retail_II.csv", parse_dates=["InvoiceDate"])
    home = tmp_path / "workbook"
    home.mkdir()
    with pd.ExcelWriter(home / "online_retail_II.xlsx") as book:
        rows.iloc[:8].to_excel(book, sheet_name="Year 2009-2010", index=False)
        rows.iloc[6:].to_excel(book, sheet_name="Year 2010-2011", index=False)
    book, text = load("online-retail", home), load("online-retail", small)
    assert book.events.astype(str).equals(text.events.astype(str))
    assert book.catalog.equals(text.catalog)


@pytest.mark.parametrize(
    "content, said", [(b"<html>", "is a web page"), (b"", "is empty"), (b"PK\x03\x04", "is no workbook, or a damaged")]
)
def test_what_is_no_workbook_is_called_that(content, said, tmp_path):
    pytest.importorskip("openpyxl")
    (tmp_path / "online_retail_II.xlsx").write_bytes(content)
    with pytest.raises(ValueError, match=f"online_retail_II.xlsx {said}"):
        load("online-retail", tmp_path)


def test_a_workbook_without_openpyxl_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "online_retail_II.xlsx").write_bytes(b"PK")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ModuleNotFoundError, match=r"reco-utils\[excel\]"):
        load("online-retail", tmp_path)


def test_unreadable_times_and_missing_codes_are_refused_together(tmp_path):
    bad = "1001,,X,1,2009-12-01 07:45:00,1.0,1,UK\n1001,22111,X,1,yesterday,1.0,1,UK\n"
    (tmp_path / "online_retail_II.csv").write_text(ROWS + bad)
    with pytest.raises(ValueError, match="StockCode is missing or cannot be read: 1 row") as error:
        load("online-retail", tmp_path)
    assert "InvoiceDate is missing or cannot be read: 1 row" in str(error.value)


def test_an_empty_folder_says_which_files_would_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="put online_retail_II.csv or online_retail_II.xlsx or"):
        load("online-retail", tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="no online-retail folder in RECO_DATA_HOME")
def test_the_real_year_adds_up():
    tables = load("online-retail", REAL)
    left_out = tables.report.query("table == 'events' and what != 'kept, though cancelled later'")["rows"].sum()
    assert len(tables.events) + left_out == 525_461
    assert not tables.events.duplicated(["user_id", "item_id", "session_id"]).any()
    assert tables.offers == {"text", "price", "sessions", "revenue", "demographics"}
    title = tables.catalog.set_index("item_id")["title"]
    assert title["85123A"] == "White hanging heart t-light holder" and title["22423"] == "Regency cakestand 3 tier"
    assert not title.str.contains("postage|manual|adjust", case=False).any()
