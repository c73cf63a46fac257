"""Every dataset that is on disk passes the same checks; the ones that must be there fail when they are not.

Set RECO_DATA_HOME to the folder of the datasets, and RECO_REQUIRE_DATA=1 to turn a missing one of `REQUIRED` into a
failure instead of a skip.
"""

import os

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import EVENT, EVENT_TYPES, ITEM, TIME, USER, Tables
from reco_utils.data.registry import ENTRIES, SMALL_USERS, find, list_datasets, load_dataset
from reco_utils.data.schema import COLUMNS, FLAG, KIND, NUMBER, TEXT, WHEN
from reco_utils.data.schema import REQUIRED as NEEDED

REQUIRED = ("movielens-latest-small", "online-retail", "retailrocket", "amazon-2018-gift-cards")
HERE = [n for n in list_datasets()["name"] if n.startswith("amazon-") and "<" not in n]
NAMES = list(dict.fromkeys([*ENTRIES, *REQUIRED, *HERE]))
REAL = [name for name in NAMES if name != "shop"]
DTYPES = {KIND: "category", NUMBER: "float64", WHEN: "datetime64[us]", FLAG: "boolean"}


def require(name: str) -> None:
    """Skip, or fail where it has to be there, unless the dataset `name` is on disk."""
    if name == "shop" or find(name) is not None:
        return
    if os.environ.get("RECO_REQUIRE_DATA") == "1" and name in REQUIRED:
        pytest.fail(f"{name} must be on disk here (RECO_REQUIRE_DATA=1), in $RECO_DATA_HOME/{name}/ or data/{name}/")
    pytest.skip(f"{name} is not on disk; see data/README.md")


@pytest.fixture(scope="module", params=NAMES)
def tables(request) -> Tables:
    require(request.param)
    return load_dataset(request.param, size="small" if request.param == "shop" else "medium", download=False)


def test_the_columns_are_canonical(tables):
    for kind, known in COLUMNS.items():
        frame = getattr(tables, kind)
        assert set(NEEDED[kind]) <= set(frame) <= set(known), kind
        assert frame.index.equals(pd.RangeIndex(len(frame))) and len(frame)


def test_the_types_are_canonical(tables):
    for kind, known in COLUMNS.items():
        for column, dtype in getattr(tables, kind).dtypes.items():
            if kind == "events" and column in (USER, ITEM):
                assert dtype == "category"
            elif known[column] == TEXT:  # many rows may share few texts: then a categorical of texts
                texts = dtype.categories if dtype == "category" else getattr(tables, kind)[column].dropna()
                assert pd.api.types.is_string_dtype(texts.dtype) and texts.map(type).isin([str]).all(), (kind, column)
            else:
                assert dtype == DTYPES[known[column]], (kind, column)


def test_times_are_sorted_and_known(tables):
    times = tables.events[TIME]
    assert times.is_monotonic_increasing and times.notna().all()
    assert times.iloc[0] > pd.Timestamp("1990-01-01") and times.iloc[-1] < pd.Timestamp("2100-01-01")


def test_every_id_of_an_event_is_known(tables):
    for column, table in ((USER, tables.profiles), (ITEM, tables.catalog)):
        ids = table[column]
        assert ids.is_unique and ids.notna().all() and (ids.str.strip() != "").all()
        assert tables.events[column].cat.categories.equals(pd.Index(ids.to_numpy()))
        assert (tables.events[column].cat.codes >= 0).all()


def test_events_are_of_known_types_and_the_target_occurs(tables):
    kinds = set(tables.events[EVENT].cat.categories)
    assert kinds <= set(EVENT_TYPES)
    assert set(tables.defaults.target) & set(tables.events[EVENT].unique())
    rated = (tables.events[EVENT] == "rating").to_numpy()
    if rated.any():
        assert np.isfinite(tables.events["rating"][rated]).all() and tables.defaults.positive_from is not None


def test_titles_and_prices_make_sense(tables):
    assert tables.catalog["title"].notna().all() and (tables.catalog["title"].str.strip() != "").all()
    if "price" in tables.catalog:
        assert not (tables.catalog["price"] < 0).any()


def test_the_report_counts_rows(tables):
    assert tables.report.columns.tolist() == ["table", "what", "rows"]
    assert set(tables.report["table"]) <= set(COLUMNS)
    assert (tables.report["rows"] > 0).all() and tables.report["what"].is_unique


def test_it_carries_its_name_and_offers_something(tables):
    assert tables.name in NAMES
    assert tables.offers and tables.defaults.split in ("time", "leave-last-out")
    if tables.defaults.split == "leave-last-out":
        assert tables.defaults.window_days is None and tables.defaults.half_life_days is None


@pytest.mark.parametrize("name", REAL)
def test_a_second_load_is_equal(name):
    require(name)
    first, second = load_dataset(name, download=False), load_dataset(name, download=False)
    for table in ("events", "catalog", "profiles", "report"):
        pd.testing.assert_frame_equal(getattr(first, table), getattr(second, table), check_exact=True)
    assert first.defaults == second.defaults


@pytest.mark.parametrize("name", REAL)
def test_small_is_a_sample_of_users(name):
    require(name)
    whole, small = load_dataset(name, download=False), load_dataset(name, size="small", download=False)
    kept = set(small.profiles[USER])
    assert len(kept) <= SMALL_USERS and kept <= set(whole.profiles[USER])
    of_kept = whole.events[whole.events[USER].isin(kept)]
    assert len(small.events) == len(of_kept) > 0
    assert small.catalog[ITEM].tolist() == whole.catalog[ITEM].tolist()


def test_the_required_sets_are_names_of_the_registry():
    assert set(REQUIRED) - {"amazon-2018-gift-cards"} <= set(ENTRIES)
