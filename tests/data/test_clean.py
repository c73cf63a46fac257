"""Cleaning: each rule by hand, the planted bots of the shop, and the k-core against its definition."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_utils.core import Defaults
from reco_utils.data.clean import (
    clean,
    drop_bots,
    drop_double_clicks,
    drop_flat_raters,
    dropped_by,
    k_core,
    sample_users,
)
from reco_utils.data.schema import canonical
from reco_utils.data.shop import make_shop

START = pd.Timestamp("2025-01-01 12:00")


def log(rows, **columns):
    """Events from (user, item, event, seconds after START), sorted by time."""
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "event", "after"])
    events["timestamp"] = (START + pd.to_timedelta(events.pop("after"), unit="s")).astype("datetime64[us]")
    return events.assign(**columns).sort_values("timestamp", kind="stable", ignore_index=True)


def tables_of(events, profiles=None):
    catalog = pd.DataFrame({"item_id": [*pd.unique(events["item_id"]), "unsold"], "title": "t"})
    return canonical("hand-made", events, catalog, profiles, defaults=Defaults())


def browse(user, n, *, every, kind="view", start=0):
    return [(user, f"i{i}", kind, start + i * every) for i in range(n)]


# -------------------------------------------------------------------------------------------------------------- bots
def test_a_bot_browses_faster_than_its_limit_on_average():
    events = log(
        browse("bot", 31, every=1) + browse("person", 30, every=1) + browse("buyer", 99, every=0, kind="purchase")
    )
    kept = drop_bots(events, per_hour=30)
    assert kept["user_id"].value_counts().to_dict() == {"buyer": 99, "person": 30}


def test_active_hours_are_averaged_and_idle_ones_do_not_count():
    slow = browse("person", 31, every=1) + browse("person", 29, every=1, start=86_400)  # 60 in two hours
    fast = browse("bot", 31, every=1) + browse("bot", 30, every=1, start=86_400)  # 61 in two hours
    assert set(drop_bots(log(slow + fast), per_hour=30)["user_id"]) == {"person"}


def test_all_that_a_bot_did_goes():
    kept = drop_bots(
        log([*browse("bot", 31, every=1), ("bot", "x", "purchase", 99), ("a", "x", "view", 1)]), per_hour=30
    )
    assert kept["user_id"].tolist() == ["a"] and kept.index.equals(pd.RangeIndex(1))


def test_the_bots_planted_in_the_shop_are_found_and_nobody_else():
    tables = make_shop("small", seed=0)
    kept = drop_bots(tables.events)
    dropped = set(tables.events["user_id"]) - set(kept["user_id"])
    assert dropped == set(tables.tastes.bots)


# ------------------------------------------------------------------------------------------------------ double clicks
def test_a_repeat_within_two_seconds_is_dropped_and_a_chain_counts_once():
    rows = [("a", "x", "view", t) for t in (0, 2, 4, 6.5, 9)]
    kept = drop_double_clicks(log(rows), seconds=2)
    assert ((kept["timestamp"] - START) / pd.Timedelta(seconds=1)).tolist() == [0, 6.5, 9]


def test_another_user_item_or_type_is_no_double_click():
    rows = [("a", "x", "view", 0), ("b", "x", "view", 0), ("a", "y", "view", 1), ("a", "x", "click", 1)]
    events = log(rows)
    assert drop_double_clicks(events) is events


def test_two_equal_lines_of_an_order_are_two_sales():
    events = log([("a", "x", "purchase", 0), ("a", "x", "purchase", 0), ("a", "x", "view", 0), ("a", "x", "view", 0)])
    assert drop_double_clicks(events)["event"].tolist() == ["purchase", "purchase", "view"]
    assert len(drop_double_clicks(events, 0)) == 3


# -------------------------------------------------------------------------------------------------------- flat raters
def test_flat_raters_lose_their_ratings_and_nothing_else():
    stars = {"flat": [5] * 10, "few": [5] * 9, "fair": [5] * 9 + [4]}
    rows = [(user, f"i{i}", "rating", i) for user, given in stars.items() for i in range(len(given))]
    events = log(rows, rating=[float(s) for given in stars.values() for s in given])  # not sorted by user any more
    events["rating"] = [
        5.0 if (user, item) != ("fair", "i9") else 4.0 for user, item in zip(events.user_id, events.item_id)
    ]
    events = pd.concat([events, log([("flat", "x", "view", 0)])], ignore_index=True)
    assert drop_flat_raters(events)["user_id"].value_counts().to_dict() == {"fair": 10, "few": 9, "flat": 1}
    assert set(drop_flat_raters(events, 9)["user_id"]) == {"fair", "flat"}


def test_without_ratings_nobody_is_flat():
    events = log([("a", "x", "view", 0)])
    assert drop_flat_raters(events) is events


# ----------------------------------------------------------------------------------------------------- what was dropped
def test_what_a_rule_drops_is_shown_as_it_was():
    events = log([("a", "x", "view", t) for t in (0, 1, 10, 11.5)] + [("b", "x", "view", 12)])
    events.index = list("vwxyz")
    assert dropped_by(drop_double_clicks, events).index.tolist() == ["w", "y"]
    assert list(dropped_by(drop_double_clicks, events)) == list(events)
    assert dropped_by(partial(drop_double_clicks, seconds=1), events).index.tolist() == ["w"]


def test_a_rule_that_drops_nothing_leaves_an_empty_table():
    assert len(dropped_by(drop_flat_raters, log([("a", "x", "view", 0)]))) == 0


# --------------------------------------------------------------------------------------------------------------- core
def test_the_two_core_of_a_chain_is_empty_and_of_a_square_is_the_square():
    chain = [("a", "w", "view", 0), ("a", "x", "view", 1), ("b", "x", "view", 2), ("b", "y", "view", 3)]
    assert len(k_core(log(chain), 2, 2)) == 0  # w goes, then a, then x, then b
    square = [(user, item, "view", 0) for user in "ab" for item in "xy"]
    kept = k_core(log([*square, ("c", "x", "view", 1), ("a", "z", "view", 1)]), 2, 2)
    assert sorted(zip(kept["user_id"], kept["item_id"])) == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]


def test_a_core_counts_different_items_and_keeps_every_event():
    loyal = [("a", "x", "view", t) for t in range(5)]
    assert len(k_core(log(loyal), 2, 1)) == 0
    assert len(k_core(log(loyal), 1, 1)) == 5


def peel(pairs, k_users, k_items):
    """The definition: take away one user or item that has too little, until there is none."""
    while True:
        users, items = {u for u, _ in pairs}, {i for _, i in pairs}
        weak = [u for u in users if len({i for v, i in pairs if v == u}) < k_users]
        poor = [i for i in items if len({u for u, j in pairs if j == i}) < k_items]
        if not weak and not poor:
            return pairs
        pairs = {(u, i) for u, i in pairs if u != (weak or [None])[0] and i != (poor if not weak else [None])[0]}


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwxyz")), min_size=1, max_size=30),
    st.integers(1, 3),
    st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_the_core_is_what_peeling_leaves(rows, k_users, k_items):
    events = log([(user, item, "view", 0) for user, item in rows])
    kept = k_core(events, k_users, k_items)
    assert set(zip(kept["user_id"], kept["item_id"])) == peel(set(rows), k_users, k_items)


# ------------------------------------------------------------------------------------------------------------- sample
def crowd(n=50):
    profiles = pd.DataFrame({"user_id": [f"u{i:02}" for i in range(n)], "age": np.arange(n, dtype=float)})
    return tables_of(log([(f"u{i:02}", f"i{i % 7}", "view", i) for i in range(n - 1)]), profiles)


def test_a_sample_keeps_users_whole_and_the_catalogue_too():
    tables = crowd()
    some = sample_users(tables, 20, seed=0)
    assert len(some.profiles) == 20 and len(some.catalog) == len(tables.catalog)
    expected = tables.events[tables.events["user_id"].isin(some.profiles["user_id"])]
    assert some.events["item_id"].tolist() == expected["item_id"].tolist()
    assert some.events["user_id"].cat.categories.tolist() == some.profiles["user_id"].tolist()
    assert some.report["rows"].tolist() == [len(tables.events) - len(expected)]
    assert len(tables.events) == 49 and tables.report.empty


def test_a_sample_depends_on_seed_and_id_and_grows():
    tables = crowd()
    chosen = [set(sample_users(tables, n, seed=seed).profiles["user_id"]) for n, seed in ((10, 0), (20, 0), (10, 1))]
    assert chosen[0] < chosen[1] and chosen[0] != chosen[2]
    assert sample_users(tables, 50, seed=0) is tables


# ------------------------------------------------------------------------------------------------------- all together
def test_clean_reports_what_each_rule_took_and_changes_nothing_else():
    rows = [*browse("bot", 101, every=1), ("a", "i0", "view", 0), ("a", "i0", "view", 1), ("a", "i0", "purchase", 9)]
    tables = tables_of(log(rows))
    tidy = clean(tables)
    assert tidy.events["event"].tolist() == ["view", "purchase"]
    assert tidy.report.values.tolist() == [["events", "bots dropped", 101], ["events", "double clicks dropped", 1]]
    assert len(tidy.profiles) == len(tables.profiles) and len(tables.events) == 104 and tables.report.empty
    assert len(clean(tables, bots_per_hour=None).events) == 103
    assert clean(tables, bots_per_hour=None, double_click_s=None, n_flat_ratings=None).events is tables.events


def test_no_events_stay_no_events():
    empty = log([("a", "x", "view", 0)]).iloc[:0]
    assert len(drop_bots(empty)) == len(drop_double_clicks(empty)) == len(k_core(empty, 2, 2)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: drop_bots(e, 0), "per_hour must be at least 1, got 0"),
        (lambda e: drop_bots(e, np.nan), "per_hour must be at least 1, got nan"),
        (lambda e: drop_double_clicks(e, -2), "seconds must be at least 0, got -2"),
        (lambda e: drop_flat_raters(e, 1), "n_ratings must be at least 2, got 1"),
        (lambda e: k_core(e, 0, 2), "k_users must be at least 1, got 0"),
        (lambda e: sample_users(tables_of(e), 0), "n must be at least 1, got 0"),
    ],
)
def test_parameters_out_of_range_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(log([("a", "x", "view", 0)]))
