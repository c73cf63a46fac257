"""Event weights: by hand, against pandas, and the same bits whatever the order and the number of threads."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_utils.data.weighting import WEIGHTS, score_events, weighting_sql

NOW = pd.Timestamp("2025-03-31")


def log(*rows, **columns):
    """Events from (user, item, event, days before NOW)."""
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "event", "ago"])
    events["timestamp"] = (NOW - pd.to_timedelta(events.pop("ago"), unit="D")).astype("datetime64[us]")
    return events.assign(**columns)


def random_log(n, seed=0, n_users=40, n_items=60):
    rng = np.random.default_rng(seed)
    kinds = ["view", "click", "add_to_cart", "purchase"]
    return pd.DataFrame(
        {
            "user_id": pd.Categorical.from_codes(rng.integers(0, n_users, n), [f"u{i}" for i in range(n_users)]),
            "item_id": pd.Categorical.from_codes(rng.integers(0, n_items, n), [f"i{i}" for i in range(n_items)]),
            "event": pd.Categorical.from_codes(rng.choice(4, n, p=[0.7, 0.15, 0.1, 0.05]), kinds),
            "timestamp": NOW.as_unit("us") - pd.to_timedelta(rng.integers(0, 90 * 86_400 * 10**6, n), unit="us"),
        }
    )


def in_pandas(events, *, asof, window_days, half_life_days):
    """The formula of the module's docstring, one event after the other."""
    age = (asof - events["timestamp"]) / pd.Timedelta(days=1)
    kept = events[(age >= 0) & (age < window_days)].astype({"user_id": str, "item_id": str})
    worth = kept["event"].astype(str).map(WEIGHTS) * 0.5 ** (age[kept.index] / half_life_days)
    grouped = kept.assign(worth=worth).groupby(["user_id", "item_id"])
    return grouped.agg(weight=("worth", "sum"), last=("timestamp", "max"), n_events=("worth", "size"))


def weights_of(scored):
    return {(u, i): w for u, i, w in zip(scored["user_id"], scored["item_id"], scored["weight"])}


def test_weights_of_a_pair_add_up():
    events = log(("a", "x", "view", 1), ("a", "x", "view", 2), ("a", "x", "purchase", 3), ("b", "x", "click", 1))
    scored = score_events(events, asof=NOW)
    assert weights_of(scored) == {("a", "x"): 1 + 1 + 5, ("b", "x"): 2}
    assert scored["n_events"].tolist() == [3, 1]
    assert scored["last"].tolist() == [NOW - pd.Timedelta(days=1)] * 2
    assert scored["weight"].dtype == np.float32 and scored["last"].dtype == "datetime64[us]"


def test_every_event_decays_before_the_sum():
    events = log(("a", "x", "view", 0), ("a", "x", "purchase", 30), ("a", "y", "view", 60))
    scored = weights_of(score_events(events, asof=NOW, half_life_days=30))
    assert scored == {("a", "x"): 1 + 5 / 2, ("a", "y"): 1 / 4}


def test_age_counts_from_asof_and_later_events_are_left_out():
    events = log(("a", "x", "view", 60), ("a", "x", "purchase", 10), ("b", "x", "view", 10))
    scored = weights_of(score_events(events, asof=NOW - pd.Timedelta(days=30), half_life_days=30))
    assert scored == {("a", "x"): 0.5}


def test_the_window_is_open_at_its_begin_and_closed_at_asof():
    events = log(("a", "x", "view", 0), ("a", "y", "view", 9.999), ("a", "z", "view", 10))
    assert weights_of(score_events(events, asof=NOW, window_days=10)) == {("a", "x"): 1, ("a", "y"): 1}


def test_a_rating_counts_only_from_positive_from_upward():
    events = log(("a", "x", "rating", 1), ("a", "y", "rating", 1), ("a", "z", "purchase", 1), rating=[4.0, 3.5, np.nan])
    assert weights_of(score_events(events, asof=NOW, positive_from=4)) == {("a", "x"): 1, ("a", "z"): 5}
    assert len(score_events(events, asof=NOW)) == 3


def test_a_cap_limits_what_a_type_adds_after_decay():
    events = log(*[("a", "x", "view", 30)] * 5, ("a", "x", "purchase", 0), ("b", "x", "view", 30))
    capped = score_events(events, asof=NOW, half_life_days=30, cap={"view": 2})
    assert weights_of(capped) == {("a", "x"): 2 + 5, ("b", "x"): 0.5}  # five half views are 2.5
    assert capped["n_events"].tolist() == [6, 1]


def test_one_purchase_with_its_view_click_and_cart_is_worth_11_or_5_per_session():
    funnel = [("a", "x", event, 1) for event in ("view", "click", "add_to_cart", "purchase")]
    events = log(*funnel, ("a", "x", "view", 0), session_id=["s"] * 4 + ["t"])
    assert weights_of(score_events(events, asof=NOW)) == {("a", "x"): 11 + 1}
    single = score_events(events, asof=NOW, per_session="max")
    assert weights_of(single) == {("a", "x"): 5 + 1}
    assert single["n_events"].tolist() == [5]


@pytest.mark.parametrize("road", ["frame", "categorical", "parquet"])
def test_an_event_without_a_session_is_a_session_of_its_own(road, tmp_path):
    kinds = ("view", "purchase", "view", "view", "click", "rating")
    sessions = ["s", "s", None, None, None, None]
    events = log(*[("a", "x", kind, 1) for kind in kinds], session_id=sessions, rating=[np.nan] * 5 + [5.0])
    if road == "categorical":
        events["session_id"] = events["session_id"].astype("category")
    if road == "parquet":
        events.to_parquet(tmp_path / "events.parquet")
        events = tmp_path / "events.parquet"
    single = score_events(events, asof=NOW, per_session="max")
    assert weights_of(single) == {("a", "x"): 5 + 1 + 1 + 2 + 1}  # s counts as its purchase, the others one by one
    assert single["n_events"].tolist() == [6]


def test_a_type_with_weight_zero_is_left_out():
    events = log(("a", "x", "view", 0), ("a", "x", "click", 2), ("a", "y", "view", 0))
    scored = score_events(events, asof=NOW, weights={"view": 0, "click": 2})
    assert weights_of(scored) == {("a", "x"): 2}
    assert scored["last"].tolist() == [NOW - pd.Timedelta(days=2)]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_any_scale_of_weights_is_kept(scale):
    scored = score_events(log(("a", "x", "view", 0), ("a", "x", "view", 1)), asof=NOW, weights={"view": scale / 3})
    assert scored["weight"].tolist() == [np.float32(2 * scale / 3)]


@pytest.mark.parametrize("columns", [{}, {"user_id": str, "item_id": str, "event": str}])
def test_the_sql_agrees_with_pandas(columns):
    events = random_log(20_000).astype(columns)
    rule = {"asof": NOW - pd.Timedelta(days=20, seconds=7), "window_days": 45, "half_life_days": 10.5}
    scored = score_events(events, **rule).astype({"user_id": str, "item_id": str}).set_index(["user_id", "item_id"])
    expected = in_pandas(events, **rule)
    assert set(scored.index) == set(expected.index)
    expected = expected.loc[scored.index]
    np.testing.assert_allclose(scored["weight"], expected["weight"], rtol=2**-23)
    assert (scored["last"] == expected["last"]).all() and (scored["n_events"] == expected["n_events"]).all()


def test_not_a_bit_depends_on_row_order_or_threads():
    events = random_log(400_000, n_users=20, n_items=10)  # 2,000 events a pair, in four morsels
    rule = {"asof": NOW, "half_life_days": 17.3}
    expected = score_events(events, connection=duckdb.connect(config={"threads": 1}), **rule)
    for threads, seed in ((1, 1), (2, 2), (4, 3)):
        shuffled = events.sample(frac=1, random_state=seed)
        scored = score_events(shuffled, connection=duckdb.connect(config={"threads": threads}), **rule)
        pd.testing.assert_frame_equal(scored, expected, check_exact=True)


def test_a_sum_on_the_edge_of_two_floats_does_not_depend_on_row_order():
    # in floating point: ((1 + 2^-24) + 2^-53) + 2^-53 rounds to 1, and (2^-53 + 2^-53) + 2^-24 + 1 to 1 + 2^-23
    weights = {"view": 1.0, "click": 2.0**-24, "purchase": 2.0**-53}
    events = log(*[("a", "x", event, 0) for event in ("view", "click", "purchase", "purchase")])
    scores = [score_events(rows, asof=NOW, weights=weights)["weight"].tolist() for rows in (events, events[::-1])]
    assert scores[0] == scores[1]


def test_rows_are_ordered_by_user_and_item():
    events = log(("b", "y", "view", 1), ("a", "y", "view", 1), ("a", "x", "view", 2), ("b", "10", "view", 1))
    scored = score_events(events, asof=NOW)
    assert list(zip(scored["user_id"], scored["item_id"])) == [("a", "x"), ("a", "y"), ("b", "10"), ("b", "y")]
    backwards = events.assign(user_id=pd.Categorical(events["user_id"], ["c", "b", "a"]))
    assert score_events(backwards, asof=NOW)["user_id"].tolist() == ["b", "b", "a", "a"]


def test_parquet_in_and_parquet_out_give_what_frames_give(tmp_path):
    events = random_log(3_000)
    for part in (0, 1):
        events.iloc[part::2].astype({"user_id": str, "item_id": str}).to_parquet(tmp_path / f"part{part}.parquet")
    rule = {"asof": NOW, "half_life_days": 20, "window_days": 60, "cap": {"view": 2}}
    texts = events.astype({"user_id": str, "item_id": str, "event": str})
    expected = score_events(texts, **rule).astype({"user_id": "str", "item_id": "str"})
    read = score_events(tmp_path / "part*.parquet", **rule)
    pd.testing.assert_frame_equal(read.astype({"user_id": "str", "item_id": "str"}), expected, check_exact=True)
    for source in (str(tmp_path / "part*.parquet"), texts):
        out = score_events(source, out=tmp_path / "weights.parquet", **rule)
        written = pd.read_parquet(out).astype({"user_id": "str", "item_id": "str"})
        pd.testing.assert_frame_equal(written, expected, check_exact=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["part0.parquet", "part1.parquet", "weights.parquet"]


def test_a_failed_run_leaves_no_file(tmp_path):
    log(("a", "x", "wishlist", 1)).to_parquet(tmp_path / "events.parquet")
    with pytest.raises(ValueError, match="no weight for event type"):
        score_events(tmp_path / "events.parquet", asof=NOW, out=tmp_path / "out.parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["events.parquet"]


def test_times_with_a_zone_are_read_as_utc(tmp_path):
    events = log(("a", "x", "view", 1), ("a", "y", "view", 0))
    zoned = events.assign(timestamp=events["timestamp"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    expected = score_events(events, asof=NOW - pd.Timedelta(hours=1))
    pd.testing.assert_frame_equal(score_events(zoned, asof="2025-03-31T08:00+09:00"), expected)
    zoned.to_parquet(tmp_path / "zoned.parquet")
    read = score_events(tmp_path / "zoned.parquet", asof="2025-03-31T08:00+09:00")
    assert weights_of(read) == weights_of(expected) == {("a", "x"): 1}
    assert read["last"].tolist() == expected["last"].tolist()


def test_a_frame_that_is_a_view_of_another_counts_the_same():
    events = random_log(200)
    for view in (events[::-1], events[::3], events.iloc[50:150]):
        scored = weights_of(score_events(view, asof=NOW, half_life_days=9, window_days=50))
        expected = in_pandas(view, asof=NOW, half_life_days=9, window_days=50)["weight"].to_dict()
        assert scored == pytest.approx(expected, rel=1e-6)


def test_no_events_give_no_rows_of_the_right_types():
    scored = score_events(random_log(5).iloc[:0], asof=NOW, half_life_days=3)
    assert len(scored) == 0 and scored["weight"].dtype == np.float32 and scored["last"].dtype == "datetime64[us]"


def test_the_frame_passed_in_is_left_as_it_is():
    events = random_log(50)
    before = events.copy()
    score_events(events, asof=NOW, half_life_days=3)
    pd.testing.assert_frame_equal(events, before)


def test_an_event_type_without_weight_is_refused():
    message = (
        r"no weight for event type \['wishlist'\]; weights cover \['add_to_cart', 'click', 'purchase', 'rating', 'v"
    )
    with pytest.raises(ValueError, match=message):
        score_events(log(("a", "x", "wishlist", 1), ("a", "x", "view", 1)), asof=NOW)


@pytest.mark.parametrize("column", ["user_id", "item_id", "event", "timestamp"])
@pytest.mark.parametrize("source", ["frame", "parquet"])
def test_missing_values_are_counted_and_refused(column, source, tmp_path):
    events = log(("a", "x", "view", 1), ("a", "x", "view", 1), ("b", "x", "view", 1))
    events.loc[:1, column] = None
    if source == "parquet":
        events.to_parquet(tmp_path / "events.parquet")
        events = tmp_path / "events.parquet"
    with pytest.raises(ValueError, match=f"events miss {column} in 2 rows"):
        score_events(events, asof=NOW)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_rating_that_is_no_number_is_refused(bad):
    with pytest.raises(ValueError, match="events miss rating in 1 row;"):
        score_events(
            log(("a", "x", "rating", 1), ("a", "y", "rating", 1), rating=[bad, 4.0]), asof=NOW, positive_from=4
        )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"half_life_days": 0}, "half_life_days must be more than 0 days, got 0"),
        ({"half_life_days": -3}, "half_life_days must be more than 0 days, got -3"),
        ({"window_days": np.nan}, "window_days must be a finite number, got nan"),
        ({"weights": {"view": -1}}, "weights must be 0 or more"),
        ({"weights": {"view": 0}}, "one of them more than 0"),
        ({"weights": {}}, "one of them more than 0"),
        ({"weights": {"view": np.nan}}, "the weight of 'view' must be a finite number, got nan"),
        ({"cap": {"views": 3}}, r"cap for event type \['views'\]"),
        ({"cap": {"view": 0}}, "the cap of 'view' must be more than 0, got 0"),
        ({"per_session": "sum"}, "per_session must be 'max' or None, got 'sum'"),
        ({"per_session": "max", "cap": {"view": 1}}, "give one of them"),
        ({"per_session": "max"}, r"events lack the columns \['session_id'\]"),
        ({"positive_from": "4"}, "positive_from must be a finite number, got '4'"),
        ({"asof": None}, "asof must be a time, got NaT"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        score_events(log(("a", "x", "view", 1)), **({"asof": NOW} | wrong))


def test_a_path_without_files_and_times_that_are_numbers_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no Parquet file at"):
        score_events(tmp_path / "*.parquet", asof=NOW)
    events = log(("a", "x", "view", 1)).assign(timestamp=1_700_000_000)
    with pytest.raises(ValueError, match="timestamp must be datetime64, got int64"):
        score_events(events, asof=NOW)
    events.to_parquet(tmp_path / "events.parquet")
    with pytest.raises(ValueError, match="timestamp must be a time, got BIGINT"):
        score_events(tmp_path / "events.parquet", asof=NOW)


def test_a_quote_in_an_event_name_is_only_a_character():
    events = log(("a", "x", "it's", 1))
    assert weights_of(score_events(events, asof=NOW, weights={"it's": 2}, cap={"it's": 1})) == {("a", "x"): 1}


@given(st.floats(1, 400), st.floats(0.5, 400))
@settings(max_examples=15, deadline=None)
def test_a_longer_memory_never_makes_a_weight_smaller(half_life, window):
    events = random_log(300, n_users=5, n_items=5)
    short = weights_of(score_events(events, asof=NOW, half_life_days=half_life, window_days=window))
    long = weights_of(score_events(events, asof=NOW, half_life_days=2 * half_life, window_days=2 * window))
    assert all(long[pair] >= weight > 0 for pair, weight in short.items())


def test_the_definition_runs_as_plain_sql_on_any_table():
    con = duckdb.connect()
    con.register("clicks", log(("a", "x", "view", 0), ("a", "x", "view", 7)))
    rows = con.execute(weighting_sql(asof=NOW, half_life_days=7, source="clicks")).fetchall()
    assert rows == [("a", "x", 1.5, NOW.to_pydatetime(), 2)]
