"""A row per user: by hand, against a plain loop over the events, and what a Dataset can still tell."""

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data.build import build_dataset
from reco_utils.data.features import is_cold, price_range, recent_categories, user_features
from reco_utils.data.schema import canonical
from reco_utils.data.shop import make_shop

ITEMS = [f"i{n}" for n in range(8)]
CATALOG = pd.DataFrame(
    {
        "item_id": ITEMS,
        "title": ITEMS,
        "category": ["a", "b", "c", "d", "e", "f", "a", None],
        "price": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, None],
    }
)
PROFILES = pd.DataFrame({"user_id": ["ann", "bob", "cat", "dan"]})


def tables_of(rows, **defaults):
    """Tables of (user, item, event, day) rows in June 2025; dan never does anything."""
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "event", "day"])
    events["timestamp"] = pd.Timestamp("2025-06-01") + pd.to_timedelta(events.pop("day"), unit="D")
    return canonical("hand", events, CATALOG, PROFILES, defaults=Defaults(**defaults))


@pytest.fixture
def tables():
    """Ann buys, looks around and comes back; bob looks twice; cat meets what has neither category nor price."""
    return tables_of(
        [
            ("ann", "i0", "purchase", -40), ("ann", "i1", "view", 1), ("ann", "i2", "view", 2),
            ("ann", "i1", "purchase", 3), ("ann", "i3", "view", 4), ("ann", "i4", "click", 5), ("ann", "i5", "view", 6),
            ("ann", "i6", "purchase", 7),
            ("bob", "i3", "view", 1), ("bob", "i3", "view", 2), ("cat", "i7", "view", 3),
        ]
    )  # fmt: skip


def row_of(frame, user):
    return frame.set_index("user_id").loc[user]


# ------------------------------------------------------------------------------------------------- by hand
def test_a_user_is_described_by_hand(tables):
    frame = user_features(tables)
    ann = row_of(frame, "ann")
    assert ann["recent_categories"] == ["a", "f", "e", "d", "b"]  # i6 is an a again; c is the sixth
    assert ann["recent_prices"] == [7.0, 6.0, 5.0, 4.0, 2.0, 3.0, 2.0, 1.0]
    assert ann["avg_price_range"] == (2.0, 5.25)  # of 1 2 2 3 4 5 6 7: places 1.75 and 5.25 from 0
    assert ann["purchase_count_30d"] == 2  # 40 days before June is too long ago
    assert ann["known_items"] == ["i6", "i5", "i4", "i3", "i1"]
    assert not ann["cold_start_flag"]
    assert frame.attrs["asof"] == "2025-06-08T00:00:00"


def test_looking_twice_at_one_thing_leaves_somebody_cold(tables):
    bob = row_of(user_features(tables), "bob")
    assert bob["cold_start_flag"] and bob["known_items"] == ["i3"]
    assert bob["recent_categories"] == ["d"] and bob["recent_prices"] == [4.0, 4.0]
    assert bob["avg_price_range"] == (4.0, 4.0) and bob["purchase_count_30d"] == 0


def test_without_category_and_price_an_item_is_still_an_item(tables):
    cat = row_of(user_features(tables), "cat")
    assert cat["known_items"] == ["i7"] and cat["recent_categories"] == [] and cat["avg_price_range"] is None


def test_somebody_who_did_nothing_has_a_row_of_defaults(tables):
    dan = row_of(user_features(tables), "dan")
    assert dan["cold_start_flag"] and dan["avg_price_range"] is None and dan["purchase_count_30d"] == 0
    assert all(dan[name] == [] for name in ("recent_categories", "recent_prices", "purchase_times", "known_items"))


def test_nothing_after_asof_is_inside(tables):
    ann = row_of(user_features(tables, "2025-06-05"), "ann")  # the event of that instant is inside
    assert ann["known_items"] == ["i3", "i1", "i2", "i0"] and ann["cold_start_flag"]
    assert row_of(user_features(tables, "2025-05-01"), "bob")["known_items"] == []


def test_a_purchase_of_exactly_30_days_ago_is_out(tables):
    assert row_of(user_features(tables, "2025-07-04"), "ann")["purchase_count_30d"] == 1  # the one of June 4 just left
    assert row_of(user_features(tables, "2025-07-03T23:59:59"), "ann")["purchase_count_30d"] == 2
    assert row_of(user_features(tables, "2025-07-08"), "ann")["purchase_count_30d"] == 0
    times = row_of(user_features(tables), "ann")["purchase_times"]
    assert times == [pd.Timestamp(f"2025-06-0{day}").timestamp() for day in (8, 4)]


def test_events_before_the_window_do_not_count():
    rows = [("ann", "i0", "view", 0), ("ann", "i1", "view", 5), ("ann", "i2", "view", 10)]
    ann = row_of(user_features(tables_of(rows, window_days=5)), "ann")
    assert ann["known_items"] == ["i2"]  # asof - 5 days is just out


def test_of_events_at_the_same_time_the_later_row_is_newer():
    ann = row_of(user_features(tables_of([("ann", f"i{n}", "view", 0) for n in (3, 1, 2)])), "ann")
    assert ann["known_items"] == ["i2", "i1", "i3"]


def test_rows_come_in_the_order_asked_for(tables):
    frame = user_features(tables, users=["dan", "nobody", "ann"])
    assert frame["user_id"].tolist() == ["dan", "nobody", "ann"]
    pd.testing.assert_series_equal(row_of(frame, "ann"), row_of(user_features(tables), "ann"))
    assert row_of(frame, "nobody")["cold_start_flag"]
    assert len(user_features(tables, users=[])) == 0


def test_a_catalogue_without_category_and_price_is_enough(tables):
    bare = canonical("bare", tables.events, CATALOG[["item_id", "title"]], PROFILES, defaults=Defaults())
    ann = row_of(user_features(bare), "ann")
    assert ann["recent_categories"] == [] and ann["avg_price_range"] is None and len(ann["known_items"]) == 5


def test_the_tables_are_not_changed(tables):
    events, catalog = tables.events.copy(), tables.catalog.copy()
    user_features(tables)
    pd.testing.assert_frame_equal(tables.events, events)
    pd.testing.assert_frame_equal(tables.catalog, catalog)


def test_a_frame_can_be_kept_as_parquet(tables, tmp_path):
    frame = user_features(tables)
    frame.to_parquet(tmp_path / "features.parquet")
    again = pd.read_parquet(tmp_path / "features.parquet")
    assert again.attrs == frame.attrs
    for name in frame:
        plain = [getattr(value, "tolist", lambda v=value: v)() for value in again[name]]
        assert plain == [list(value) if isinstance(value, tuple) else value for value in frame[name]]


# ------------------------------------------------------------------------------------------------- small functions
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 49, 50])
def test_quartiles_are_numpys(n):
    prices = np.random.default_rng(n).lognormal(3, 1, n).tolist()
    np.testing.assert_allclose(price_range(prices), np.percentile(prices, [25, 75]), rtol=1e-12)


def test_no_prices_have_no_range():
    assert price_range([]) is None and price_range(()) is None
    assert price_range(np.array([3.0])) == (3.0, 3.0)


def test_five_items_are_enough_to_know_somebody():
    assert [is_cold(n) for n in (0, 4, 5, 6)] == [True, True, False, False]


def test_categories_keep_their_first_place():
    assert recent_categories(["a", None, "b", "a", "c", "d", "e", "f"]) == ["a", "b", "c", "d", "e"]


# ------------------------------------------------------------------------------------------------- a plain loop
def by_a_loop(tables, asof, user):
    """The same row, event by event."""
    events = tables.events[(tables.events["user_id"] == user) & (tables.events["timestamp"] <= asof)]
    catalog = tables.catalog.astype({"category": object}).set_index("item_id")
    row = {"recent_categories": [], "recent_prices": [], "purchase_times": [], "known_items": []}
    for event in events.iloc[::-1].itertuples():
        category, price = catalog.loc[event.item_id, ["category", "price"]]
        if category not in row["recent_categories"] and len(row["recent_categories"]) < 5:
            row["recent_categories"].append(category)
        if len(row["recent_prices"]) < 50:
            row["recent_prices"].append(price)
        if event.item_id not in row["known_items"] and len(row["known_items"]) < 5:
            row["known_items"].append(event.item_id)
        if event.event == "purchase" and event.timestamp > asof - pd.Timedelta(days=30):
            row["purchase_times"].append(event.timestamp.timestamp())
    return row


def test_a_shop_gives_what_a_loop_over_its_events_gives():
    tables = make_shop("small")
    asof = tables.events["timestamp"].iloc[len(tables.events) // 2]
    frame = user_features(tables, asof)
    assert frame["user_id"].tolist() == tables.profiles["user_id"].tolist()
    assert frame["cold_start_flag"].nunique() == 2 and frame["purchase_count_30d"].max() > 1
    for user in frame["user_id"].iloc[:: len(frame) // 40]:
        row = row_of(frame, user)
        for name, expected in by_a_loop(tables, asof, user).items():
            assert row[name] == expected, (user, name)
        assert row["purchase_count_30d"] == len(row["purchase_times"])


# ------------------------------------------------------------------------------------------------- of a Dataset
def test_a_dataset_tells_the_same_where_each_pair_is_one_event(tables):
    once = tables_of([("ann", f"i{n}", ["view", "purchase"][n % 2], n) for n in range(8)])
    data = build_dataset(once)
    columns = ["recent_categories", "recent_prices", "purchase_times", "known_items", "cold_start_flag"]
    expected = user_features(once, users=data.users)[columns]
    pd.testing.assert_frame_equal(user_features(data)[columns], expected)
    assert user_features(data).attrs["asof"] == data.asof.isoformat()


def test_a_dataset_knows_only_its_own_users_and_its_own_time(tables):
    data = build_dataset(tables)
    assert user_features(data)["user_id"].tolist() == data.users.tolist()
    assert row_of(user_features(data, "2025-06-02"), "ann")["known_items"] == ["i0"]
    with pytest.raises(ValueError, match="asof must not be after that of the Dataset"):
        user_features(data, "2026-01-01")


def test_without_events_the_time_must_be_given(tables):
    nothing = type(tables)("empty", tables.events.iloc[:0], tables.catalog, tables.profiles, Defaults(), tables.report)
    with pytest.raises(ValueError, match="empty has no events to take the time from; give asof"):
        user_features(nothing)
    frame = user_features(nothing, "2025-06-01")
    assert frame["cold_start_flag"].all() and frame["user_id"].tolist() == ["ann", "bob", "cat", "dan"]
