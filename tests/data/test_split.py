"""Splits: what is in which part by hand, what holds for any log, and an audit that finds planted leaks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from reco_utils.core import Defaults, Split
from reco_utils.data.build import build_dataset
from reco_utils.data.schema import canonical
from reco_utils.data.split import audit_leakage, cut_in_time, hold_out, leave_last_out, make_split

DAY = pd.Timestamp("2025-01-01")


def day(n):
    return DAY + pd.Timedelta(days=n)


def log(rows, *, ratings=None, catalog=None, profiles=None, **defaults):
    """Canonical tables from events (user, item, event, day)."""
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "event", "day"])
    events["timestamp"] = DAY + pd.to_timedelta(events.pop("day"), unit="D")
    if ratings is not None:
        events["rating"] = np.asarray(ratings, float)
    if catalog is None:
        catalog = pd.DataFrame({"item_id": pd.unique(events["item_id"]), "title": "t"})
    return canonical("hand-made", events, catalog, profiles, defaults=Defaults(**defaults))


def stars(rows, *, positive_from=4.0):
    """Rating tables from (user, item, stars, day)."""
    events = [(user, item, "rating", when) for user, item, _, when in rows]
    rule = {"target": ("rating",), "positive_from": positive_from, "split": "leave-last-out"}
    return log(events, ratings=[row[2] for row in rows], **rule)


def truth_of(split):
    """{(user, item)} of the truth."""
    truth = split.truth.tocoo()
    return {(split.batch.users[row], split.train.items[item]) for row, item in zip(truth.row, truth.col)}


def pairs(data, matrix):
    matrix = matrix.tocoo()
    return {(data.users[user], data.items[item]) for user, item in zip(matrix.row, matrix.col)}


SHOP = [
    ("a", "x", "view", 0), ("a", "x", "purchase", 1), ("b", "y", "purchase", 2), ("c", "z", "view", 3),
    ("a", "y", "purchase", 11), ("a", "x", "purchase", 12), ("b", "new", "purchase", 12), ("c", "x", "view", 13),
    ("d", "y", "purchase", 14), ("b", "x", "purchase", 20),
]  # fmt: skip


# ----------------------------------------------------------------------------------------------------- a cut in time
def test_a_time_cut_by_hand():
    split = cut_in_time(log(SHOP), at=day(10))
    assert split.train.asof == day(10)
    assert pairs(split.train, split.train.weights) == {("a", "x"), ("b", "y"), ("c", "z")}
    # (a, x) was bought before, (b, new) is unknown at the cut, c only looked, d is a stranger
    assert truth_of(split) == {("a", "y"), ("d", "y"), ("b", "x")}
    assert split.batch.users.tolist() == ["a", "b", "d"] and split.batch.at.tolist() == [0, 1, -1]
    assert split.truth.dtype == np.float32 and (split.truth.data == 1).all()


def test_the_report_counts_what_was_left_out():
    report = cut_in_time(log(SHOP), at=day(10)).report
    expected = {
        "asof": day(10), "users": 3, "warm users": 2, "cold users": 1, "strangers among the cold": 1,
        "users left out, no truth remained": 0, "events held out": 5, "pairs held out": 5,
        "pairs left out, item unknown at asof": 1, "pairs left out, seen before": 1, "truth pairs": 3,
        "share of pairs with an unknown item": 1 / 5, "share of truth on cold items": 0.0,
    }  # fmt: skip
    assert report.to_dict() == expected


def test_lists_that_may_repeat_keep_seen_pairs_in_the_truth():
    split = cut_in_time(log(SHOP, keep_seen=True), at=day(10))
    assert truth_of(split) == {("a", "y"), ("d", "y"), ("b", "x"), ("a", "x")}
    assert split.keep_seen and split.report["pairs left out, seen before"] == 0


def test_an_event_at_the_cut_is_training_and_one_at_the_end_is_truth():
    split = cut_in_time(log(SHOP), at=day(11), until=day(14))
    assert ("a", "y") in pairs(split.train, split.train.seen)
    assert truth_of(split) == {("d", "y")}
    assert truth_of(cut_in_time(log(SHOP), at=day(11), test_days=3)) == {("d", "y")}
    repeating = cut_in_time(log(SHOP, keep_seen=True), at=day(11), until=day(14))
    assert truth_of(repeating) == {("a", "x"), ("d", "y")}


def test_a_low_rating_is_no_truth_but_counts_as_seen():
    rows = [
        ("a", "x", 2, 0),
        ("a", "y", 5, 1),
        ("b", "z", 5, 2),
        ("a", "z", 3, 11),
        ("a", "x", 5, 12),
        ("b", "y", 4, 13),
    ]
    split = cut_in_time(stars(rows), at=day(10))
    assert truth_of(split) == {("b", "y")}
    assert split.report["pairs left out, seen before"] == 1


def test_a_stranger_brings_the_profile_of_the_tables():
    profiles = pd.DataFrame({"user_id": ["d", "c", "b", "a"], "age": [14.0, 13.0, 12.0, 11.0]})
    batch = cut_in_time(log(SHOP, profiles=profiles), at=day(10)).batch
    assert dict(zip(batch.users, batch.profiles["age"])) == {"d": 14, "b": 12, "a": 11}
    assert batch.at[batch.users.get_loc("d")] == -1


def test_the_test_period_is_four_weeks_begun_at_midnight_or_a_fifth():
    long = [("a", "x", "purchase", 0), ("a", "y", "purchase", 150), ("a", "z", "purchase", 200.4)]
    assert make_split(log(long)).train.asof == day(172)
    assert make_split(log(long), part="validation").train.asof == day(144)
    short = [("a", "x", "purchase", 0), ("a", "y", "purchase", 10)]
    assert make_split(log(short)).train.asof == day(8)
    assert make_split(log(long), test_days=3).train.asof == day(197.4)


def test_cuts_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match="at must be before the end of the test period"):
        cut_in_time(log(SHOP), at=day(30))
    with pytest.raises(ValueError, match="at must leave events to learn from"):
        cut_in_time(log(SHOP), test_days=400)
    with pytest.raises(ValueError, match="hand-made has no positive purchase events to hold out"):
        make_split(log([("a", "x", "view", 0)]))
    with pytest.raises(ValueError, match="test_days must be more than 0, got -1"):
        make_split(log(SHOP), test_days=-1)
    with pytest.raises(ValueError, match="part must be 'test' or 'validation', got 'train'"):
        make_split(log(SHOP), part="train")


def test_a_period_without_target_events_has_nobody_in_it():
    split = cut_in_time(log(SHOP), at=day(15), until=day(16))
    assert len(split.batch) == 0 and split.truth.shape == (0, len(split.train.items))
    assert audit_leakage(split, log(SHOP)) == "no leak, and nothing to measure: nobody has truth"


# ----------------------------------------------------------------------------------------------------- leave-last-out
RATED = [
    ("a", "x", 5, 0), ("a", "y", 4, 1), ("a", "z", 5, 2), ("a", "w", 1, 3),
    ("b", "x", 5, 5), ("b", "y", 2, 6), ("b", "z", 4, 7), ("c", "y", 5, 9), ("c", "z", 1, 8),
]  # fmt: skip


def test_leave_last_out_by_hand():
    split = leave_last_out(stars(RATED))
    assert truth_of(split) == {("a", "z"), ("b", "z")}  # c has one positive rating only
    assert pairs(split.train, split.train.weights) == {("a", "x"), ("a", "y"), ("b", "x"), ("c", "y")}
    # what a did after the truth, the low rating of w, is in neither part
    seen = {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "y"), ("c", "z")}
    assert pairs(split.train, split.train.seen) == seen
    assert split.report["events left out, after the user's truth"] == 1
    assert split.train.asof == day(9)


def test_validation_is_one_event_earlier_and_never_sees_the_test_truth():
    split = make_split(stars(RATED), part="validation")
    assert truth_of(split) == {("a", "y")}  # b has one positive rating left
    assert pairs(split.train, split.train.weights) == {("a", "x"), ("b", "x"), ("c", "y")}
    assert not pairs(split.train, split.train.seen) & truth_of(make_split(stars(RATED)))


def test_ties_in_time_break_by_chance_and_not_by_id():
    ids = [f"i{n:02}" for n in range(20)]
    rows = [(f"u{n}", item, 5, 0) for n in range(300) for item in ids]
    held_out = {seed: truth_of(leave_last_out(stars(rows), seed=seed)) for seed in (0, 1)}
    for truth in held_out.values():
        counts = pd.Series([item for _, item in truth]).value_counts()
        assert len(truth) == 300 and len(counts) == 20 and counts.max() < 40  # 15 expected, 6 standard deviations
    assert held_out[0] != held_out[1]
    assert truth_of(leave_last_out(stars(rows[::-1]))) == held_out[0]


def test_nothing_the_user_did_with_the_item_at_that_time_teaches():
    rows = [("a", "x", "purchase", 0), ("a", "y", "view", 4), ("a", "y", "view", 5), ("a", "y", "purchase", 5),
            ("a", "x", "view", 5), ("a", "y", "view", 6)]  # fmt: skip
    split = leave_last_out(log(rows, split="leave-last-out"))
    assert truth_of(split) == {("a", "y")}
    row = split.train.weights[0].toarray().ravel()[split.train.positions(["x", "y"])]
    assert row.tolist() == [5 + 1, 1]
    assert split.report["events left out, after the user's truth"] == 2


def test_leave_last_out_knows_no_test_days():
    with pytest.raises(ValueError, match="test_days must be None, got 7"):
        make_split(stars(RATED), test_days=7)


# ----------------------------------------------------------------------------------------------------------- the audit
def many(seed=0, n=3000):
    """A log of purchases, each pair once."""
    rng = np.random.default_rng(seed)
    events = pd.DataFrame({"u": rng.integers(0, 100, n), "i": rng.integers(0, 300, n)}).drop_duplicates()
    rows = [(f"u{u}", f"i{i}", "purchase", t) for u, i, t in zip(events.u, events.i, rng.uniform(0, 100, n))]
    return log(rows)


def by_row_number(tables, keep_seen=False):
    """What a careless split does: one row in five is truth, whenever it happened."""
    held_out = np.random.default_rng(0).random(len(tables.events)) < 0.2
    train = build_dataset(replace(tables, events=tables.events[~held_out]))
    events = tables.events[held_out].astype({"user_id": str, "item_id": str})
    users = pd.unique(events["user_id"])
    at = pd.Index(users).get_indexer(events["user_id"]), train.positions(events["item_id"].tolist())
    batch = train.batch(users)
    truth = csr_matrix((np.ones(len(events), np.float32), at), batch.history.shape)
    return Split(train, batch, truth, ("purchase",), keep_seen)


def test_an_honest_cut_is_called_so():
    tables = log(SHOP)
    line = audit_leakage(cut_in_time(tables, at=day(10)), tables)
    assert line == "no leak: 3 users, last training event 2025-01-04, first truth 2025-01-12, 0 truth pairs in training"


def test_leave_last_out_is_said_to_leak_between_users():
    line = audit_leakage(leave_last_out(stars(RATED)), stars(RATED))
    assert line.startswith("no leak within a user, but between users: 2 users, last training event 2025-01-10, first")


@pytest.mark.parametrize("keep_seen", [False, True])
def test_a_split_by_row_number_is_called_a_leak(keep_seen):
    line = audit_leakage(by_row_number(many(), keep_seen), many())
    assert line == "LEAK: 100 users whose training runs past their truth"


def test_truth_left_in_training_is_called_a_leak():
    tables, split = log(SHOP), cut_in_time(log(SHOP), at=day(10))
    everything = build_dataset(tables)
    truth = np.zeros((3, 4), np.float32)
    for user, item in truth_of(split):
        truth[split.batch.users.get_loc(user), everything.items.get_loc(item)] = 1
    batch = everything.batch(split.batch.users)
    leaking = Split(everything, batch, csr_matrix(truth), ("purchase",), False)
    line = audit_leakage(leaking, tables)
    assert line.startswith("LEAK: 3 truth pairs in training; ")
    assert "truth pairs with a training event at or after the truth" in line
    repeating = audit_leakage(replace(leaking, keep_seen=True), tables)
    assert repeating.startswith("LEAK") and "truth pairs in training" not in repeating


def test_training_later_than_its_own_asof_is_called_a_leak():
    split = cut_in_time(many(), at=day(80))
    lying = replace(split, train=replace(split.train, asof=day(60)))
    assert "training later than asof 2025-03-02" in audit_leakage(lying, many())


def test_an_item_from_the_future_is_called_a_leak():
    catalog = pd.DataFrame({"item_id": ["x", "y", "z", "new"], "title": "t", "created_at": [DAY, DAY, DAY, day(11)]})
    tables = log(SHOP, catalog=catalog)
    split = cut_in_time(tables, at=day(10))
    assert audit_leakage(split, tables).startswith("no leak")
    late = log(SHOP, catalog=catalog.assign(created_at=[DAY, DAY, DAY, day(5)]))
    assert audit_leakage(cut_in_time(late, at=day(10)), tables) == "LEAK: items created after asof 2025-01-11 00:00:00"


def test_an_audit_against_other_tables_is_refused():
    with pytest.raises(ValueError, match="the split holds pairs that are no purchase event of hand-made"):
        audit_leakage(cut_in_time(log(SHOP), at=day(10)), log([*SHOP[:6], ("d", "new", "view", 3)]))


# ----------------------------------------------------------------------------------------------------- for any log
USERS, ITEMS, KINDS = st.sampled_from("abcdef"), st.sampled_from("uvwxyz"), st.sampled_from(["view", "purchase"])
EVENTS = st.lists(st.tuples(USERS, ITEMS, KINDS, st.integers(0, 30)), min_size=4, max_size=50)


@given(EVENTS, st.booleans(), st.sampled_from(["time", "leave-last-out"]))
@settings(max_examples=25, deadline=None)
def test_the_truth_of_any_log_is_what_pandas_says(rows, keep_seen, how):
    tables = log([*rows, ("a", "u", "view", -10)], split=how, keep_seen=keep_seen)
    try:
        split = make_split(tables)
    except ValueError as refusal:
        assert "at must" in str(refusal) or "to hold out" in str(refusal)
        return
    bought = tables.events[tables.events["event"] == "purchase"].astype({"user_id": str, "item_id": str})
    if how == "time":
        future = bought[bought["timestamp"] > split.train.asof]
        known = set(tables.events["item_id"][tables.events["timestamp"] <= split.train.asof])
        expected = {(user, item) for user, item in zip(future["user_id"], future["item_id"]) if item in known}
        past = bought[bought["timestamp"] <= split.train.asof]
        owned = set() if keep_seen else set(zip(past["user_id"], past["item_id"]))
        assert truth_of(split) == expected - owned
    else:
        last = bought[bought["timestamp"] == bought.groupby("user_id")["timestamp"].transform("max")]
        several = bought["user_id"].value_counts() > 1
        assert truth_of(split) <= set(zip(last["user_id"], last["item_id"]))
        assert set(split.batch.users) <= set(several.index[several])
        assert not keep_seen or len(split.batch) == several.sum()


@given(EVENTS, st.booleans(), st.sampled_from(["time", "leave-last-out"]), st.sampled_from(["test", "validation"]))
@settings(max_examples=25, deadline=None)
def test_no_split_of_any_log_leaks(rows, keep_seen, how, part):
    tables = log([*rows, ("a", "u", "view", -10)], split=how, keep_seen=keep_seen)
    try:
        split, test = make_split(tables, part=part), make_split(tables)
    except ValueError as refusal:
        assert "at must" in str(refusal) or "to hold out" in str(refusal)
        return
    assert audit_leakage(split, tables).startswith("no leak")
    assert (np.diff(split.truth.indptr) > 0).all() and split.batch.users.is_unique
    assert keep_seen or split.truth.multiply(split.batch.seen).nnz == 0
    if part == "validation":  # shares nothing with the truth of the test part, but for repeats of earlier purchases
        bought = tables.events[tables.events["event"] == "purchase"].astype({"user_id": str, "item_id": str})
        counts = bought.groupby(["user_id", "item_id"]).size()
        once = {pair for pair in truth_of(test) if counts[pair] == 1}
        assert not once & (truth_of(split) | pairs(split.train, split.train.seen))


# ------------------------------------------------------------------------------------------------ any rows held out
def test_holding_out_the_future_is_a_cut_in_time():
    tables = log(SHOP)
    cut = cut_in_time(tables, at=day(10))
    same = hold_out(tables, (tables.events["timestamp"] > day(10)).to_numpy())
    assert truth_of(cut) == {("a", "y"), ("d", "y"), ("b", "x")}
    assert truth_of(same) == truth_of(cut) | {("b", "new")}  # no date tells that it was not on sale before the cut
    assert pairs(same.train, same.train.weights) == pairs(cut.train, cut.train.weights)


def test_held_out_events_teach_nothing_and_only_targets_are_truth():
    tables = log([("a", "x", "view", 0), ("a", "x", "purchase", 1), ("b", "x", "view", 2), ("b", "y", "purchase", 3)])
    split = hold_out(tables, np.array([False, True, True, False]))
    assert truth_of(split) == {("a", "x")}
    assert pairs(split.train, split.train.weights) == {("a", "x"), ("b", "y")}  # a's view of x is still there


def test_holding_out_at_random_is_a_leak_the_audit_finds():
    tables = log([("a", "x", "purchase", 0), ("a", "y", "purchase", 1), ("b", "x", "purchase", 2)])
    assert audit_leakage(hold_out(tables, np.array([True, False, False])), tables).startswith("LEAK: 1 users whose")


@pytest.mark.parametrize("flags", [[True], np.zeros(10), np.zeros((10, 1), bool)])
def test_flags_must_be_one_bool_per_event(flags):
    with pytest.raises(ValueError, match=r"held_out must be one bool per event \(10,\), got"):
        hold_out(log(SHOP), flags)
