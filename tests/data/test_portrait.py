"""Portraits, counted by hand on seven events, and the stored ones, drawn again where the sets are on disk."""

import os

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data.portrait import REAL_SETS, beside_real_sets, gini, portrait, portraits, write_portraits
from reco_utils.data.registry import find, load_dataset
from reco_utils.data.schema import canonical

ROWS = [  # ann views a twice, clicks and buys it, buys it again two days later; ben and cat view b
    ("ann", "a", "view", "2024-05-01"),
    ("ann", "a", "view", "2024-05-01"),
    ("ann", "a", "click", "2024-05-01"),
    ("ann", "a", "purchase", "2024-05-01"),
    ("ann", "a", "purchase", "2024-05-03"),
    ("ben", "b", "view", "2024-05-02"),
    ("cat", "b", "view", "2024-05-02"),
]


def small(rows=ROWS, **defaults):
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "event", "timestamp"])
    if (events["event"] == "rating").any():
        events["rating"] = 4.0
    catalog = pd.DataFrame({"item_id": ["a", "b", "unsold"], "title": ["tea", "pot", "cup"]})
    profiles = pd.DataFrame({"user_id": ["ann", "ben", "cat", "never here"]})
    return canonical("small", events, catalog, profiles, defaults=Defaults(**defaults))


def test_every_figure_by_hand():
    expected = {
        "users": 3, "items": 2, "events": 7, "days": 2,
        "popularity Gini": 0.5 * 3 / 7,  # 5 and 2 events: (2 - 1) * (5 - 2) / (2 * 7)
        "events per user, median": 1, "events per user, 90th percentile": 1 + 0.8 * 4,  # of 1, 1, 5
        "clicks per view": 1 / 4, "carts per view": np.nan, "purchases per view": 2 / 4,
        "repeat share": 1 / 2, "one-event users": 2 / 3, "density": 3 / 6,
    }  # fmt: skip
    pd.testing.assert_series_equal(portrait(small()), pd.Series(expected, name="small"))


def test_a_log_of_ratings_has_no_funnel():
    drawn = portrait(small([("ann", "a", "rating", "2024-05-01")], target=("rating",)))
    assert drawn[["clicks per view", "carts per view", "purchases per view"]].isna().all()
    assert drawn["density"] == 1 and drawn["popularity Gini"] == 0 and drawn["days"] == 0


def test_without_target_events_nothing_repeats():
    assert np.isnan(portrait(small(ROWS[:2]))["repeat share"])


def test_no_events_make_no_portrait():
    tables = small()
    with pytest.raises(ValueError, match="small has no events to draw a portrait of"):
        portrait(type(tables)("small", tables.events.iloc[:0], *(getattr(tables, n) for n in
                 ("catalog", "profiles", "defaults", "report"))))  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "value"), [([1], 0), ([3, 3, 3], 0), ([0, 0, 0, 8], 3 / 4), ([1, 3], 1 / 4), ([3, 1], 1 / 4)]
)
def test_gini_by_hand(counts, value):
    assert gini(counts) == pytest.approx(value)


@pytest.mark.parametrize("counts", [[], [0, 0], [-1, 2]])
def test_gini_refuses_what_has_no_share(counts):
    with pytest.raises(ValueError, match="counts must be 0 or more and at least one above 0"):
        gini(counts)


def test_beside_the_real_sets_every_figure_is_short_text():
    table = beside_real_sets(small())
    assert list(table.columns) == ["small (this run)", *REAL_SETS]
    assert table.loc["clicks per view"].tolist() == ["0.25", "-", "-", "-", "-"]
    assert table.loc["popularity Gini", "small (this run)"] == "0.214"
    assert table.loc["users", "movielens-latest-small"] == "610"


def test_a_real_set_stands_beside_the_others_once():
    tables = small()
    named = type(tables)("retailrocket", tables.events, tables.catalog, tables.profiles, tables.defaults, tables.report)
    assert list(beside_real_sets(named)) == [
        "retailrocket (this run)", "online-retail", "movielens-latest-small", "amazon-2018-gift-cards",
    ]  # fmt: skip


def test_the_stored_portraits_have_the_figures_of_portrait():
    assert portraits().index.tolist() == portrait(small()).index.tolist()
    assert list(portraits()) == list(REAL_SETS)


def test_the_film_portrait_agrees_with_its_publisher():
    """610 users rated 9,724 films 100,836 times, each film at most once: README of movielens-latest-small (9/2018)."""
    films = portraits()["movielens-latest-small"]
    assert films[["users", "items", "events", "repeat share"]].tolist() == [610, 9724, 100836, 0]
    assert films["density"] == pytest.approx(100836 / (610 * 9724), rel=1e-8)


def leave(message):
    """Skip the test, or fail it where the data must be there."""
    pytest.fail(message) if os.environ.get("RECO_REQUIRE_DATA") == "1" else pytest.skip(message)


@pytest.mark.parametrize("name", REAL_SETS)
def test_a_stored_portrait_is_that_of_the_data_on_disk(name):
    if find(name) is None:
        leave(f"{name} is not on disk; see data/README.md")
    tables = load_dataset(name, download=False)
    if len(tables.events) != portraits()[name]["events"]:
        leave(f"{name} on disk is another edition than the stored one")
    pd.testing.assert_series_equal(portrait(tables), portraits()[name], rtol=1e-8)


def test_writing_the_portraits_gives_the_stored_file(tmp_path, monkeypatch):
    monkeypatch.setattr("reco_utils.data.portrait.load_dataset", lambda name, home: small())
    write_portraits(tmp_path / "again.csv", home=tmp_path)
    lines = (tmp_path / "again.csv").read_text().splitlines()
    assert lines[0] == "figure" + ",small" * len(REAL_SETS) and lines[1].startswith("users,3,3")
