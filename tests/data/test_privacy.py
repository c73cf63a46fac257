"""Forgotten users leave empty seats, pseudonyms need their key, old events go: by hand."""

import hashlib
import hmac
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Defaults
from reco_utils.data.build import build_dataset
from reco_utils.data.privacy import emptied, forget, forget_events, pseudonymise, renamed, retain, seats
from reco_utils.data.registry import load_dataset
from reco_utils.data.schema import canonical

ASOF = pd.Timestamp("2024-06-30")
KEY = b"sixteen bytes or more"


def three() -> Dataset:
    """Ann took i0 and i2, Bob i1, Cat i0 and i1; Ann and Cat bought i0."""
    weights = csr_matrix(np.array([[2, 0, 1], [0, 3, 0], [4, 5, 0]], np.float32))
    seen = csr_matrix(np.array([[1, 0, 0], [0, 0, 0], [1, 0, 0]], bool))
    last = np.array(["2024-06-01", "2024-06-02", "2024-06-03", "2024-06-04", "2024-06-05"], "M8[us]")
    users, items = pd.Index(["ann", "bob", "cat"], dtype=object), pd.Index(["i0", "i1", "i2"], dtype=object)
    catalog = pd.DataFrame({"item_id": items, "title": ["a", "b", "c"]})
    profiles = pd.DataFrame(
        {
            "user_id": users,
            "age": [30.0, 40.0, 50.0],
            "location": pd.Categorical(["Leeds", "Paris", "Leeds"]),
            "signup_at": pd.to_datetime(["2024-01-01"] * 3),
        }
    )
    return Dataset(users, items, weights, last, seen, catalog, profiles, ASOF)


@pytest.fixture
def data():
    return three()


@pytest.fixture
def tables():
    events = pd.DataFrame(
        {
            "user_id": ["ann", "bob", "ann", "cat"],
            "item_id": ["i0", "i1", "i2", "i0"],
            "event": ["view", "purchase", "purchase", "view"],
            "timestamp": pd.to_datetime(["2024-06-01", "2024-06-10", "2024-06-29", "2024-06-30"]),
        }
    )
    catalog = pd.DataFrame({"item_id": ["i0", "i1", "i2"], "title": ["a", "b", "c"]})
    profiles = pd.DataFrame({"user_id": ["ann", "bob", "cat", "dan"], "age": [30.0, 40.0, 50.0, 60.0]})
    return canonical("three", events, catalog, profiles, defaults=Defaults())


# -------------------------------------------------------------------------------------------------------------- forget
def test_a_seat_stays_empty_and_nameless_and_all_others_as_they_were(data):
    less = forget(data, ["bob"])
    assert less.weights.toarray().tolist() == [[2, 0, 1], [0, 0, 0], [4, 5, 0]]
    assert less.seen.toarray().tolist() == [[True, False, False], [False] * 3, [True, False, False]]
    assert_array_equal(less.last, data.last[[0, 1, 3, 4]])
    assert less.users[0] == "ann"
    assert less.users[2] == "cat"
    assert less.users[1].startswith("forgotten-")
    assert less.profiles["user_id"].tolist() == less.users.tolist()
    assert less.profiles.iloc[1].drop("user_id").isna().all()
    assert_frame_equal(
        less.profiles.iloc[[0, 2]].drop(columns="location"), data.profiles.iloc[[0, 2]].drop(columns="location")
    )
    assert less.catalog is data.catalog
    assert less.items is data.items
    assert less.asof == data.asof


def test_the_given_data_is_left_as_it_is(data):
    forget(data, ["ann", "cat"])
    assert data.users.tolist() == ["ann", "bob", "cat"]
    assert data.weights.nnz == 5
    assert data.profiles["age"].tolist() == [30, 40, 50]


def test_types_and_read_only_arrays_stay(data):
    less = forget(data, ["cat"])
    assert less.weights.dtype == np.float32
    assert less.seen.dtype == bool
    assert less.users.dtype == data.users.dtype
    assert less.last.dtype == data.last.dtype
    assert (less.profiles.dtypes.drop("location") == data.profiles.dtypes.drop("location")).all()
    for array in (less.weights.data, less.weights.indices, less.weights.indptr, less.seen.indices, less.last):
        assert not array.flags.writeable
    assert less.weights.has_sorted_indices


def test_a_place_that_only_the_forgotten_had_is_no_longer_named(data):
    assert forget(data, ["bob"]).profiles["location"].cat.categories.tolist() == ["Leeds"]
    assert forget(data, ["ann"]).profiles["location"].cat.categories.tolist() == ["Leeds", "Paris"]


def test_all_may_be_forgotten_and_a_batch_of_them_is_one_of_strangers(data):
    less = forget(data, ["ann", "bob", "cat"])
    assert less.weights.nnz == less.seen.nnz == len(less.last) == 0
    assert len(set(less.users)) == 3
    batch = less.batch(["ann", "new"])
    assert batch.at.tolist() == [-1, -1]
    assert batch.n_items.tolist() == [0, 0]


def test_nobody_and_strangers_change_nothing(data):
    assert forget(data, []) is data
    assert forget(data, ["nobody", "bo"]) is data
    assert forget(data, ["bob", "nobody", "bob"]).weights.nnz == 4


def test_forgetting_twice_gives_two_names(data):
    once = forget(data, ["bob"])
    assert once.users[1] != forget(data, ["bob"]).users[1]
    again = forget(once, [once.users[1]])
    assert again.users[1] != once.users[1]


def test_a_lone_id_and_ids_that_are_numbers_are_refused(data):
    with pytest.raises(TypeError, match=r"user_ids must be several ids, got 'bob'; write \['bob'\]"):
        forget(data, "bob")
    numbers = replace(data, users=pd.Index([1, 2, 3]))
    with pytest.raises(TypeError, match="users must have ids of text to be forgotten, got int64"):
        forget(numbers, [1])


def test_an_empty_dataset_forgets_nobody(data):
    empty = replace(
        data, users=data.users[:0], weights=data.weights[:0], seen=data.seen[:0], last=data.last[:0],
        profiles=data.profiles[:0],
    )  # fmt: skip
    assert forget(empty, ["ann"]) is empty


def test_the_shop_forgets_as_if_the_user_had_never_taken_anything():
    tables = load_dataset("shop", size="small")
    data = build_dataset(tables)
    user = data.users[7]
    less = forget(data, [user])
    without = build_dataset(replace(tables, events=tables.events[tables.events["user_id"] != user]))
    others = data.users.drop(user)
    one, two = less.batch(others), without.batch(others)
    assert (one.history != two.history).nnz == 0
    assert (one.seen != two.seen).nnz == 0
    assert_array_equal(one.last, two.last)
    assert less.weights[7].nnz == 0


def test_seats_are_the_positions_of_those_who_are_there():
    assert seats(pd.Index(["ann", "bob", "cat"]), ["cat", "nobody", "ann"]).tolist() == [0, 2]
    assert seats(pd.Index(["ann"]), []).tolist() == []


def test_new_names_are_random_and_only_at_the_given_rows():
    users = pd.Index(["ann", "bob", "cat"], dtype=object, name="user_id")
    one, two = (renamed(users, np.array([0, 2])) for _ in range(2))
    assert one[1] == two[1] == "bob"
    assert len({*one, *two}) == 5
    assert one.name == "user_id"


def test_every_type_of_column_is_emptied():
    frame = pd.DataFrame(
        {
            "text": ["a", "b"], "n": np.array([1, 2], np.int16), "x": [1.5, 2.5], "flag": [True, True],
            "maybe": pd.array([True, False], dtype="boolean"), "when": pd.to_datetime(["2024-01-01"] * 2),
            "kind": pd.Categorical(["k", "l"]), "lists": pd.Series([["a"], ["b"]], dtype=object),
        },
        index=[5, 9],
    )  # fmt: skip
    less = emptied(frame, np.array([1]))
    assert less.index.tolist() == [5, 9]
    assert_frame_equal(less.iloc[:1].drop(columns="kind"), frame.iloc[:1].drop(columns="kind"))
    row = less.iloc[1]
    assert row[["n", "flag"]].tolist() == [0, False]
    assert row["lists"] is None
    assert row[["text", "x", "maybe", "when", "kind"]].isna().all()
    assert (less.dtypes.drop("kind") == frame.dtypes.drop("kind")).all()


# -------------------------------------------------------------------------------------------------------- forget_events
def test_events_and_profiles_of_the_forgotten_are_gone(tables):
    less = forget_events(tables, ["ann", "nobody"])
    assert less.events["user_id"].tolist() == ["bob", "cat"]
    assert less.profiles["user_id"].tolist() == ["bob", "cat", "dan"]
    assert less.events["user_id"].cat.categories.tolist() == ["bob", "cat", "dan"]  # not even as an unused category
    assert less.events.index.tolist() == [0, 1]
    assert tables.events["user_id"].tolist() == ["ann", "bob", "ann", "cat"]
    assert forget_events(tables, ["nobody"]) is tables
    with pytest.raises(TypeError, match="user_ids must be several"):
        forget_events(tables, "ann")


def test_who_came_back_is_known_by_what_happened_since(tables):
    less = forget_events(tables, {"ann": pd.Timestamp("2024-06-10"), "cat": pd.Timestamp("2024-06-30")})
    assert less.events[["user_id", "item_id"]].to_numpy().tolist() == [["bob", "i1"], ["ann", "i2"]]
    assert less.profiles["user_id"].tolist() == ["ann", "bob", "dan"]
    assert less.profiles["age"].tolist()[1:] == [40, 60] and np.isnan(less.profiles["age"][0])  # that of before
    assert tables.profiles["age"].tolist() == [30, 40, 50, 60]


def test_a_profile_of_later_stays_with_or_without_events(tables):
    signed = pd.to_datetime(["2024-06-20", None, "2024-07-02", "2024-01-01"]).to_numpy("M8[us]")
    tables = replace(tables, profiles=tables.profiles.assign(signup_at=signed))
    less = forget_events(tables, dict.fromkeys(["ann", "cat", "dan"], pd.Timestamp("2024-07-01")))
    assert less.events["user_id"].tolist() == ["bob"]
    assert less.profiles["user_id"].tolist() == ["bob", "cat"] and less.profiles["age"].tolist() == [40, 50]


def test_a_dataset_can_be_built_without_the_forgotten(tables):
    data = build_dataset(forget_events(tables, ["ann"]))
    assert data.users.tolist() == ["bob", "cat"]
    assert data.weights.nnz == 2


def test_everybody_may_be_forgotten(tables):
    less = forget_events(tables, tables.profiles["user_id"])
    assert len(less.events) == len(less.profiles) == 0


# --------------------------------------------------------------------------------------------------------- pseudonymise
def test_the_pseudonym_is_an_hmac_of_the_id_cut_to_128_bits(tables):
    hidden = pseudonymise(tables, KEY)
    wanted = hmac.new(KEY, b"ann", hashlib.sha256).hexdigest()[:32]
    assert hidden.profiles["user_id"][0] == wanted
    assert hidden.events["user_id"].tolist()[0] == hidden.events["user_id"].tolist()[2] == wanted
    assert hidden.profiles["user_id"].is_unique


def test_nothing_but_the_names_changes(tables):
    hidden = pseudonymise(tables, KEY)
    assert_frame_equal(hidden.events.drop(columns="user_id"), tables.events.drop(columns="user_id"))
    assert_frame_equal(hidden.profiles.drop(columns="user_id"), tables.profiles.drop(columns="user_id"))
    assert hidden.events["user_id"].cat.codes.tolist() == tables.events["user_id"].cat.codes.tolist()
    assert hidden.profiles["user_id"].dtype == tables.profiles["user_id"].dtype
    one, two = build_dataset(tables), build_dataset(hidden)
    assert (one.weights != two.weights).nnz == 0
    assert not set(one.users) & set(two.users)


def test_another_key_gives_other_pseudonyms_and_the_same_key_the_same(tables):
    one, two, other = (pseudonymise(tables, key).profiles["user_id"] for key in (KEY, KEY, KEY + b"."))
    assert one.tolist() == two.tolist()
    assert not set(one) & set(other)


def test_planted_tastes_that_know_the_ids_are_dropped():
    tables = load_dataset("shop", size="small")
    assert tables.tastes is not None
    assert pseudonymise(tables, KEY).tastes is None


@pytest.mark.parametrize("key, error", [("a secret of text", TypeError), (b"short", ValueError), (b"", ValueError)])
def test_a_key_that_is_no_secret_is_refused(tables, key, error):
    with pytest.raises(error, match="key must"):
        pseudonymise(tables, key)


# --------------------------------------------------------------------------------------------------------------- retain
def test_events_older_than_the_days_are_gone_and_profiles_stay(tables):
    kept = retain(tables, 20)
    assert kept.events["timestamp"].dt.day.tolist() == [10, 29, 30]  # twenty days before the 30th is the 10th
    assert len(kept.profiles) == 4
    assert retain(tables, 19.9).events["timestamp"].dt.day.tolist() == [29, 30]
    assert retain(tables, 1_000) is tables
    assert retain(tables, float("inf")) is tables


def test_without_events_nothing_is_old(tables):
    empty = replace(tables, events=tables.events[:0])
    assert retain(empty, 1) is empty


@pytest.mark.parametrize("days", [0, -1, float("nan"), True])
def test_days_that_are_none_are_refused(tables, days):
    with pytest.raises(ValueError, match="days must be more than 0"):
        retain(tables, days)
