"""Amazon Reviews of three years, made by hand in the publisher's layouts, quirks included."""

import gzip
import json

import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data.amazon import files, find, load, names, parse, sources

NAME = {2014: "amazon-2014-toys-and-games", 2018: "amazon-2018-toys-and-games", 2023: "amazon-2023-toys-and-games"}
REVIEWS = [  # user, item, stars, unix time: the same in every year
    ("AX", "B1", 5.0, 1_400_000_000),
    ("AY", "0B2", 2.0, 1_300_000_000),
    ("AX", "0B2", 4.0, 1_350_000_000),
    ("AY", "B9", 3.0, 1_360_000_000),  # B9 has no metadata
]
FILE = {
    2014: ("reviews_Toys_and_Games_5.json", "meta_Toys_and_Games.json"),
    2018: ("Toys_and_Games_5.json", "meta_Toys_and_Games.json"),
    2023: ("Toys_and_Games.jsonl", "meta_Toys_and_Games.jsonl"),
}


def review(year, user, item, stars, when):
    if year == 2023:
        return {
            "rating": stars, "title": "Fine", "text": "", "images": [], "asin": item + "-blue", "parent_asin": item,
            "user_id": user, "timestamp": when * 1000, "helpful_vote": 0, "verified_purchase": True,
        }  # fmt: skip
    return {"overall": stars, "reviewerID": user, "asin": item, "style": {"Colour:": "blue"}, "unixReviewTime": when}


def product(year, item, title, price=None, brand=None, path=("Toys & Games", "Games", "Card Games"), text=(), near=()):
    if year == 2014:
        row = {"asin": item, "title": title, "categories": [list(path)], "related": {"also_bought": list(near)}}
        return (
            row
            | ({"price": price} if price else {})
            | ({"brand": brand} if brand else {})
            | {"description": " ".join(text)}
        )
    if year == 2018:
        return {
            "asin": item, "title": title, "price": price or "", "brand": brand or "", "category": list(path),
            "description": list(text), "feature": [], "main_cat": "Toys & Games", "also_buy": list(near),
            "also_view": [],
        }  # fmt: skip
    return {
        "parent_asin": item, "title": title, "price": price, "store": brand, "categories": list(path), "features": [],
        "description": list(text), "bought_together": None, "main_category": "Toys & Games", "details": {},
    }  # fmt: skip


def as_line(year, row, meta):
    return (repr(row) if meta and year == 2014 else json.dumps(row)) + "\n"


def write(path, lines, packed=True):
    text = "".join(lines).encode()
    path = path.with_name(path.name + ".gz") if packed else path
    path.write_bytes(gzip.compress(text) if packed else text)
    return path


def make(folder, year, reviews=REVIEWS, products=None, packed=True):
    if products is None:
        price = {2014: 12.99, 2018: "$12.99", 2023: 12.99}[year]
        products = [
            product(
                year, "B1", "Tom &amp; Jerry <b>Cards</b>", price, "Acme", text=["Two\n lines.", "More."], near=["0B2"]
            ),
            product(year, "0B2", "Ludo", near=["B1", "0B2", "B7", "B1"]),
            product(year, "B3", "Never sold"),
        ]
    write(folder / FILE[year][0], [as_line(year, review(year, *r), False) for r in reviews], packed)
    write(folder / FILE[year][1], [as_line(year, p, True) for p in products], packed)
    return folder


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("year", NAME)
def test_every_year_gives_the_same_tables(year, packed, tmp_path):
    tables = load(NAME[year], make(tmp_path, year, packed=packed))
    events, catalog = tables.events, tables.catalog
    assert events["user_id"].tolist() == ["AY", "AX", "AY", "AX"]
    assert events["item_id"].tolist() == ["0B2", "0B2", "B9", "B1"]  # ids are text, zeros kept
    assert events["rating"].tolist() == [2.0, 4.0, 3.0, 5.0]
    assert events["timestamp"].iloc[-1] == pd.Timestamp("2014-05-13 16:53:20")
    assert catalog["item_id"].tolist() == ["B1", "0B2", "B3", "B9"]  # the unsold one stays
    assert catalog["title"].tolist() == ["Tom & Jerry Cards", "Ludo", "Never sold", "item B9"]
    assert catalog["category"].tolist()[:3] == ["Games"] * 3 and catalog["subcategory"][0] == "Card Games"
    assert catalog["price"][0] == 12.99 and catalog["price"][1:].isna().all()
    assert catalog["brand"][0] == "Acme" and catalog["description"][0] == "Two lines. More."
    assert tables.profiles["user_id"].tolist() == ["AX", "AY"]
    assert tables.offers == {"text", "category", "brand", "price", "ratings"}
    assert tables.defaults == Defaults(("rating",), 4.0, None, None, "leave-last-out", False)
    assert tables.report.values.tolist() == [["catalog", "reviewed product without metadata, called item <id>", 1]]


@pytest.mark.parametrize("year", [2014, 2018])
def test_related_ids_are_distinct_in_order_and_without_the_product_itself(year, tmp_path):
    related = load(NAME[year], make(tmp_path, year)).catalog["related"]
    assert related[0] == "0B2" and related[1] == "B1 B7" and pd.isna(related[2])


@pytest.mark.parametrize("year", NAME)
def test_a_set_without_metadata_names_its_items_by_id(year, tmp_path):
    make(tmp_path, year)
    next(tmp_path.glob("meta_*")).unlink()
    tables = load(NAME[year], tmp_path)
    assert tables.catalog["title"].tolist() == ["item 0B2", "item B1", "item B9"]
    assert "text" not in tables.offers
    assert tables.report["rows"].tolist() == [3]


def test_the_latest_of_several_reviews_stays(tmp_path):
    again = [
        ("AX", "B1", 1.0, 1_500_000_000),  # the latest by time, first in the file
        ("AX", "B1", 2.0, 1_400_000_000),
        ("AY", "B1", 3.0, 1_400_000_000),
        ("AY", "B1", 4.0, 1_400_000_000),  # of equal times the later line
        ("AY", "0B2", 5.0, 1_300_000_000),
    ]
    tables = load(NAME[2018], make(tmp_path, 2018, again))
    assert tables.events[["user_id", "item_id", "rating"]].values.tolist() == [
        ["AY", "0B2", 5.0],
        ["AY", "B1", 4.0],
        ["AX", "B1", 1.0],
    ]
    assert tables.report.iloc[0].tolist() == ["events", "earlier review of an item that the user reviewed again", 2]


def test_the_first_of_several_metadata_rows_stays(tmp_path):
    rows = [product(2018, "B1", "First"), product(2018, "B1", "Second"), product(2018, "0B2", "Ludo")]
    tables = load(NAME[2018], make(tmp_path, 2018, REVIEWS[:3], rows))
    assert tables.catalog["title"].tolist() == ["First", "Ludo"]
    assert tables.report.values.tolist() == [["catalog", "repeated metadata row", 1]]


PRICES = {
    "$12.99": 12.99, "$1,250.00": 1250.0, "7": 7.0, "$3.50 - $19.99": 3.5, "from 4.25": 4.25, "": None, "None": None,
    ".a-box-inner{color:#fff}": None, '<div class="a">$3</div>': None, "-5.00": None, "$": None, "$0.00": 0.0,
}  # fmt: skip


def test_prices_are_read_and_odd_ones_counted(tmp_path):
    rows = [product(2018, f"B{n}", "x", price) for n, price in enumerate(PRICES)]
    tables = load(NAME[2018], make(tmp_path, 2018, [("AX", "B1", 5.0, 1_400_000_000)], rows))
    assert [None if pd.isna(p) else p for p in tables.catalog["price"]] == list(PRICES.values())
    assert tables.report.values.tolist() == [
        ["catalog", "price that is no number", 4],
        ["catalog", "price range, lower end kept", 1],
    ]


def test_a_2023_price_may_be_a_word(tmp_path):
    rows = [product(2023, "B1", "x", "None"), product(2023, "0B2", "y", None), product(2023, "B9", "z", 3.5)]
    tables = load(NAME[2023], make(tmp_path, 2023, products=rows))
    assert tables.catalog["price"].tolist()[2] == 3.5 and tables.catalog["price"][:2].isna().all()
    assert not len(tables.report)


def test_scraps_of_the_web_page_are_no_titles_and_no_categories(tmp_path):
    script = "var aPageStart = (new Date()).getTime();"
    odd = ("Toys & Games", "Games", "</span></span>", "Cards")
    rows = [
        product(2018, "B1", script, brand="by\n    \n    Acme", path=odd),
        product(
            2018, "0B2", "<span>Fun</span>", brand="Visit Amazon's Jo Rowe Page", path=("Toys & Games", "It is fun.")
        ),
        product(2018, "B9", "", path=()),
    ]
    tables = load(NAME[2018], make(tmp_path, 2018, products=rows))
    assert tables.catalog["title"].tolist() == ["item B1", "Fun", "item B9"]
    assert tables.catalog["category"].tolist() == ["Games", "Toys & Games", "Toys & Games"]
    assert "subcategory" not in tables.catalog or tables.catalog["subcategory"].isna().all()
    assert tables.catalog["brand"].tolist()[:2] == ["Acme", "Jo Rowe"]
    assert ["catalog", "product without a title, called item <id>", 2] in tables.report.values.tolist()


def test_the_5_core_file_is_preferred_and_the_other_can_be_asked_for(tmp_path):
    make(tmp_path, 2018)
    line = as_line(2018, review(2018, "AZ", "B1", 1.0, 1_400_000_000), False)
    write(tmp_path / "Toys_and_Games.json", [line])
    assert len(load(NAME[2018], tmp_path).events) == 4
    assert len(load(NAME[2018], tmp_path, reviews="5-core").events) == 4
    assert load(NAME[2018], tmp_path, reviews="all").events["user_id"].tolist() == ["AZ"]
    with pytest.raises(ValueError, match="reviews must be '5-core', 'all' or None, got 'most'"):
        load(NAME[2018], tmp_path, reviews="most")


def test_a_category_is_found_however_it_is_spelt(tmp_path):
    for spelt in ("AMAZON_FASHION_5.json.gz", "meta_Amazon-Fashion.json", "meta_AMAZON_FASHION.json.gz", "notes.txt"):
        (tmp_path / spelt).touch()
    found = find("amazon-2018-amazon-fashion", tmp_path)
    assert {kind: path.name for kind, path in found.items()} == {
        "reviews_5": "AMAZON_FASHION_5.json.gz",
        "meta": "meta_AMAZON_FASHION.json.gz",
    }
    assert not find("amazon-2018-fashion", tmp_path)


def test_the_reviews_of_a_known_category_are_downloaded_last_and_of_an_unknown_one_never():
    meta, reviews = sources("amazon-2018-cds-and-vinyl")
    assert meta.urls[0].endswith("/amazon_v2/metaFiles2/meta_CDs_and_Vinyl.json.gz")
    assert reviews.urls[0].endswith("/amazon_v2/categoryFilesSmall/CDs_and_Vinyl_5.json.gz")
    assert sources("amazon-2023-baby-products")[1].urls[0].endswith("/raw/review_categories/Baby_Products.jsonl.gz")
    assert sources("amazon-2018-hats-and-caps") == () and "amazon-2018-cds-and-vinyl" in names()


def test_names_and_file_names():
    assert parse("amazon-2023-cds-and-vinyl") == (2023, "cds-and-vinyl")
    assert files("amazon-2014-baby") == ("reviews_Baby_5.json.gz", "reviews_Baby.json.gz", "meta_Baby.json.gz")
    assert files("amazon-2018-cds-and-vinyl")[0] == "CDs_and_Vinyl_5.json.gz"
    assert files("amazon-2018-hats-and-caps")[0] == "Hats_And_Caps_5.json.gz"
    assert files("amazon-2023-all-beauty") == ("All_Beauty.jsonl.gz", "meta_All_Beauty.jsonl.gz")
    with pytest.raises(ValueError, match="is named amazon-<2014"):
        parse("amazon-2019-baby")


# --------------------------------------------------------------------------------------------------------- bad files
LINE = '{"overall": 5.0, "reviewerID": "AX", "asin": "B1", "unixReviewTime": 1400000000}\n'
BAD = {
    "nothing": ("", "is empty"),
    "a missing key": ('{"overall": 5.0, "asin": "B1"}\n', r"line 1 lacks \['reviewerID', 'unixReviewTime'\]"),
    "no json": ("overall,reviewerID\n5,AX\n", "line 1 is not a JSON object"),
    "a broken line": (LINE + '{"overall": 5.0, \n' + LINE, "is not a JSON object"),
    "words": (LINE.replace("5.0", '"good"') + LINE, "(?s)overall is not a number: 1 row.*good"),
    "nan": (LINE + LINE.replace("5.0", '"NaN"'), "rating is not a finite|need a finite rating"),
    "infinite": (LINE.replace("5.0", '"Infinity"'), "rating is not a finite number"),
    "a date": (LINE.replace("1400000000", '"May 13"'), "(?s)unixReviewTime is not a number: 1 row.*May 13"),
    "milliseconds read as seconds": (LINE.replace("1400000000", "1400000"), "timestamp before 1990"),
    "no user": (LINE + LINE.replace('"AX"', "null"), "user_id"),
    "a web page": ("<!DOCTYPE html><html></html>", "is a web page"),
}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("case", BAD)
def test_a_bad_review_file_is_one_clear_error_that_names_it(case, packed, tmp_path):
    text, message = BAD[case]
    path = write(tmp_path / FILE[2018][0], [text], packed)
    with pytest.raises(ValueError, match=message) as caught:
        load(NAME[2018], tmp_path)
    assert path.name in str(caught.value) or NAME[2018] in str(caught.value)


def test_html_saved_as_gzip_is_called_that(tmp_path):
    (tmp_path / "Toys_and_Games_5.json.gz").write_bytes(b"<html>moved</html>")
    with pytest.raises(ValueError, match="Toys_and_Games_5.json.gz is a web page, not data"):
        load(NAME[2018], tmp_path)


@pytest.mark.parametrize("which", ["reviews", "meta"])
@pytest.mark.parametrize("year", NAME)
def test_a_truncated_gzip_is_called_that(year, which, tmp_path):
    many = [(f"A{n:05d}", "B1", 5.0, 1_400_000_000 + n) for n in range(3000)]
    products = [product(year, "B1", "Cards", text=[f"word{n * 7919 % 9973}" for n in range(9000)])]
    make(tmp_path, year, many, products)
    path = tmp_path / (FILE[year][which == "meta"] + ".gz")
    path.write_bytes(path.read_bytes()[: -len(path.read_bytes()) // 3])
    with pytest.raises(ValueError, match=f"{path.name} was cut off"):
        load(NAME[year], tmp_path)


def test_a_gzip_with_one_wrong_byte_is_refused_though_it_can_be_read(tmp_path):
    line = b'{"overall": 5.0, "reviewerID": "A", "asin": "B", "unixReviewTime": 1400000000}\n'
    whole = gzip.compress(line, compresslevel=0)  # stored as it is: the stars can be changed
    (tmp_path / "Gift_Cards_5.json.gz").write_bytes(whole.replace(b"5.0", b"1.0"))
    with pytest.raises(ValueError, match="Gift_Cards_5.json.gz was cut off or damaged"):
        load("amazon-2018-gift-cards", tmp_path)


def test_broken_lines_are_counted_and_shown(tmp_path):
    write(tmp_path / FILE[2018][0], [LINE, "[1]\n", LINE, "{oops\n", "\n"])
    with pytest.raises(ValueError, match=r"(?s)is not a JSON object: 2 rows.*2 +\[1\].*4 +\{oops"):
        load(NAME[2018], tmp_path)


def test_a_byte_order_mark_is_named(tmp_path):
    (tmp_path / FILE[2018][0]).write_bytes(b"\xef\xbb\xbf" + LINE.encode())
    with pytest.raises(ValueError, match="begins with a byte order mark"):
        load(NAME[2018], tmp_path)


def test_2014_metadata_is_data_never_code(tmp_path):
    make(tmp_path, 2014)
    write(tmp_path / FILE[2014][1], ["{'asin': __import__('os').getcwd()}\n"])
    with pytest.raises(ValueError, match="line 1 is no product"):
        load(NAME[2014], tmp_path)


def test_no_review_file_names_the_ones_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected reviews_Toys_and_Games_5.json.gz or reviews_Toys_and"):
        load(NAME[2014], tmp_path)
