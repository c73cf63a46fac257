"""Tables to Dataset: who and what is inside at one instant, by hand and against pandas."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_utils.core import Defaults
from reco_utils.data.build import build_dataset, seeded_hash, star_matrix
from reco_utils.data.schema import canonical

DAY = pd.Timestamp("2025-01-01")


def day(n):
    return DAY + pd.Timedelta(days=n)


def shop(rows, *, catalog=None, profiles=None, ratings=None, **defaults):
    """Canonical tables from events (user, item, event, day)."""
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "event", "day"])
    events["timestamp"] = DAY + pd.to_timedelta(events.pop("day"), unit="D")
    if ratings is not None:
        events["rating"] = ratings
    if catalog is None:
        catalog = pd.DataFrame({"item_id": ["x", "y", "z"], "title": ["X", "Y", "Z"]})
    return canonical("hand-made", events, catalog, profiles, defaults=Defaults(**defaults))


BASIC = [("a", "x", "view", 0), ("a", "x", "purchase", 1), ("b", "y", "view", 2), ("c", "z", "purchase", 5)]


def pairs(data, matrix=None):
    """{(user, item): weight} of what is stored."""
    matrix = (data.weights if matrix is None else matrix).tocoo()
    return {(data.users[u], data.items[i]): value for u, i, value in zip(matrix.row, matrix.col, matrix.data)}


def test_weights_seen_and_times_by_hand():
    data = build_dataset(shop(BASIC))
    assert data.asof == day(5)
    assert pairs(data) == {("a", "x"): 6, ("b", "y"): 1, ("c", "z"): 5}
    assert pairs(data, data.seen) == {("a", "x"): True, ("c", "z"): True}
    assert dict(zip(pairs(data), data.last)) == {("a", "x"): day(1), ("b", "y"): day(2), ("c", "z"): day(5)}
    assert data.weights.dtype == np.float32 and data.seen.dtype == bool


def test_nothing_later_than_asof_is_inside():
    data = build_dataset(shop(BASIC), asof=day(2))
    assert data.users.tolist() == ["a", "b"]
    assert sorted(data.items) == ["x", "y"]
    assert pairs(data) == {("a", "x"): 6, ("b", "y"): 1}
    assert pairs(data, data.seen) == {("a", "x"): True}


def test_the_stars_are_the_last_ones_by_asof_and_of_what_was_seen():
    rows = [("a", "x", 0), ("a", "x", 1), ("a", "x", 9), ("b", "y", 2), ("c", "z", 9), ("c", "y", 0)]
    rated = [(user, item, "rating", n) for user, item, n in rows] + [("b", "x", "view", 1)]
    tables = shop(rated, ratings=[2.0, 4.5, 1.0, 0.5, 5.0, 3.0, np.nan], target=("rating",), positive_from=4.0)
    stars = star_matrix(tables, build_dataset(tables, asof=day(5)))
    data = build_dataset(tables, asof=day(5))
    assert pairs(data, stars) == {("a", "x"): 4.5, ("b", "y"): 0.5, ("c", "y"): 3.0}
    hidden = replace(tables, events=tables.events[tables.events["item_id"] != "y"])
    data = build_dataset(hidden, asof=day(5))  # y was held out, say
    assert pairs(data, star_matrix(tables, data)) == {("a", "x"): 4.5}


def test_an_event_at_asof_is_inside():
    assert "c" in build_dataset(shop(BASIC), asof=day(5)).users
    assert "c" not in build_dataset(shop(BASIC), asof=day(5) - pd.Timedelta(microseconds=1)).users


def test_items_are_known_by_date_by_event_or_by_never_having_one():
    catalog = pd.DataFrame(
        {
            "item_id": ["x", "y", "z", "early", "late", "undated"],
            "title": "t",
            "created_at": [pd.NaT, day(9), pd.NaT, day(2), day(3), pd.NaT],
        }
    )
    data = build_dataset(shop(BASIC, catalog=catalog), asof=day(2))
    # y is dated after its first event, so the event counts; z has its first event later; late is not out yet
    assert sorted(data.items) == ["early", "undated", "x", "y"]


def test_users_are_known_by_event_or_signup():
    profiles = pd.DataFrame(
        {
            "user_id": ["d", "c", "b", "a", "e", "f"],
            "signup_at": [day(1), pd.NaT, pd.NaT, day(4), day(3), pd.NaT],
            "age": [1.0, 2, 3, 4, 5, 6],
        }
    )
    data = build_dataset(shop(BASIC, profiles=profiles), asof=day(2))
    assert data.users.tolist() == ["d", "b", "a"]  # the order of the profiles
    assert data.profiles["user_id"].tolist() == ["d", "b", "a"] and data.profiles["age"].tolist() == [1, 3, 4]
    assert data.weights[0].nnz == 0


def test_catalog_rows_follow_the_items():
    data = build_dataset(shop(BASIC))
    assert data.catalog["item_id"].tolist() == data.items.tolist()
    assert data.catalog["title"].str.lower().tolist() == data.items.tolist()
    assert data.catalog.index.equals(pd.RangeIndex(3)) and data.profiles.index.equals(pd.RangeIndex(3))


def test_the_window_ends_weights_but_not_what_is_seen():
    data = build_dataset(shop(BASIC, window_days=2.0))
    assert pairs(data) == {("c", "z"): 5}
    assert pairs(data, data.seen) == {("a", "x"): True, ("c", "z"): True}
    assert data.users.tolist() == ["a", "b", "c"] and len(data.items) == 3


def test_a_low_rating_is_seen_but_carries_no_weight():
    rows = [("a", "x", "rating", 0), ("a", "y", "rating", 1), ("b", "x", "rating", 2)]
    data = build_dataset(shop(rows, ratings=[2.0, 4.0, 5.0], target=("rating",), positive_from=4.0))
    assert pairs(data) == {("a", "y"): 1, ("b", "x"): 1}
    assert set(pairs(data, data.seen)) == {("a", "x"), ("a", "y"), ("b", "x")}


def test_keywords_override_the_defaults():
    tables = shop(BASIC, half_life_days=1.0)
    assert pairs(build_dataset(tables))["b", "y"] == 1 / 8  # three days
    assert pairs(build_dataset(tables, half_life_days=3))["b", "y"] == 1 / 2
    plain = build_dataset(tables, half_life_days=None, weights={"view": 7, "purchase": 7})
    assert pairs(plain) == {("a", "x"): 14, ("b", "y"): 7, ("c", "z"): 7}
    with pytest.raises(TypeError, match="half_life"):
        build_dataset(tables, half_life=3)


def test_arrays_are_read_only():
    data = build_dataset(shop(BASIC))
    arrays = [data.last] + [getattr(m, n) for m in (data.weights, data.seen) for n in ("data", "indices", "indptr")]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[:1] = array[:1]


def test_item_order_depends_on_the_seed_and_not_on_the_catalogue():
    catalog = pd.DataFrame({"item_id": [f"i{n:03}" for n in range(200)], "title": "t"})
    rows = [("a", "i003", "view", 0)]
    order = build_dataset(shop(rows, catalog=catalog)).items.tolist()
    assert order != sorted(order) and sorted(order) == catalog["item_id"].tolist()
    assert build_dataset(shop(rows, catalog=catalog[::-1])).items.tolist() == order
    assert build_dataset(shop(rows, catalog=catalog), seed=1).items.tolist() != order


def test_a_hash_depends_on_id_and_seed_alone():
    one, two = seeded_hash(["a", "é", "b"], 0), seeded_hash(["b", "a"], 0)
    assert one[[0, 2]].tolist() == two[[1, 0]].tolist()
    assert len(set(one) | set(seeded_hash(["a", "é", "b"], 1))) == 6


def test_no_events_need_an_asof():
    tables = shop(BASIC)
    empty = replace(tables, events=tables.events.iloc[:0])
    with pytest.raises(ValueError, match="hand-made has no events to take the time from; give asof"):
        build_dataset(empty)
    data = build_dataset(empty, asof=day(0))
    assert data.weights.shape == data.seen.shape == (0, 3) and len(data.last) == 0
    early = build_dataset(tables, asof=day(-1))
    assert early.weights.shape == (0, 0)


def test_ids_that_no_table_has_are_refused():
    tables = shop(BASIC)
    with pytest.raises(ValueError, match="2 events have a item_id that is in no table, e.g. 'x'"):
        build_dataset(replace(tables, catalog=tables.catalog[1:]))


def test_ids_need_not_be_categorical_nor_in_the_tables_order():
    tables = shop(BASIC)
    expected = build_dataset(tables)
    texts = tables.events.astype({"user_id": str, "item_id": str, "event": str})
    turned = replace(tables, events=texts, catalog=tables.catalog[::-1])
    data = build_dataset(turned)
    assert pairs(data) == pairs(expected) and pairs(data, data.seen) == pairs(expected, expected.seen)


def test_a_time_with_a_zone_is_utc_here():
    assert build_dataset(shop(BASIC), asof="2025-01-03T09:00+09:00").asof == day(2)


USERS, ITEMS, KINDS = st.sampled_from("abcde"), st.sampled_from("xyzuvw"), st.sampled_from(["view", "purchase"])
EVENTS = st.lists(st.tuples(USERS, ITEMS, KINDS, st.integers(0, 9)), min_size=1, max_size=40)
DATED = pd.DataFrame({"item_id": list("xyzuvw"), "title": "t", "created_at": [day(n) for n in range(6)]})


@given(EVENTS, st.integers(0, 9))
@settings(max_examples=15, deadline=None)
def test_the_future_changes_nothing(rows, asof):
    """With every item dated, a dataset of the past is the same whether or not the future is in the tables."""
    tables = shop(rows, catalog=DATED, half_life_days=3.0)
    past = replace(tables, events=tables.events[tables.events["timestamp"] <= day(asof)])
    one, two = build_dataset(tables, asof=day(asof)), build_dataset(past, asof=day(asof))
    assert one.users.equals(two.users) and one.items.equals(two.items)
    assert pairs(one) == pairs(two) and pairs(one, one.seen) == pairs(two, two.seen)
    assert (one.last == two.last).all()


@given(EVENTS)
@settings(max_examples=15, deadline=None)
def test_weights_times_and_seen_agree_with_pandas(rows):
    tables = shop(rows, catalog=DATED)
    data = build_dataset(tables)
    events = tables.events.astype({"user_id": str, "item_id": str, "event": str})
    grouped = events.assign(w=events["event"].map({"view": 1, "purchase": 5})).groupby(["user_id", "item_id"])
    assert pairs(data) == grouped["w"].sum().to_dict()
    assert dict(zip(pairs(data), data.last)) == grouped["timestamp"].max().to_dict()
    bought = events[events["event"] == "purchase"]
    assert set(pairs(data, data.seen)) == set(zip(bought["user_id"], bought["item_id"]))
    for matrix in (data.weights, data.seen):
        assert all((np.diff(matrix.indices[a:b]) > 0).all() for a, b in zip(matrix.indptr, matrix.indptr[1:]))
