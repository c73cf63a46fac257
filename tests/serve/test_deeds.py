"""What a reason says: the strongest deed behind it, in every kind of data, before the training and since."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data import amazon, movielens, online_retail, retailrocket, shop
from reco_utils.data.build import build_dataset
from reco_utils.data.schema import canonical
from reco_utils.models.content import ContentRecommender
from reco_utils.serve.artifact import load, save, train
from reco_utils.serve.deeds import DEEDS, SAID, deeds_of, strongest
from reco_utils.serve.feature_store import LiveItem
from reco_utils.serve.view import View

START = pd.Timestamp("2024-06-01")


def tables_of(rows, defaults, n_items=12):
    """Tables of (user, item number, event, rating or None), an hour apart; things are toys and tools in turn."""
    users, items, kinds, ratings = zip(*rows)
    events = pd.DataFrame({
        "user_id": users, "item_id": [f"i{n}" for n in items], "event": kinds, "rating": np.array(ratings, float),
        "timestamp": START + pd.to_timedelta(np.arange(len(rows)), unit="h"),
    })  # fmt: skip
    events = events if events["rating"].notna().any() else events.drop(columns="rating")
    words = [("toy", "tool")[n % 2] for n in range(n_items)]
    ids, titles = ([f"{name}{n}" for n in range(n_items)] for name in ("i", "Thing "))
    catalog = pd.DataFrame({"item_id": ids, "title": titles, "description": words})
    profiles = pd.DataFrame({"user_id": sorted(set(users))})
    return canonical("by hand", events, catalog, profiles, defaults=defaults)


def pairs(data, deeds):
    """{(user, item): deed} of the entries of a Dataset."""
    found = data.weights.tocoo()
    return {
        (data.users[u], data.items[i]): DEEDS[d] if d >= 0 else None for u, i, d in zip(found.row, found.col, deeds)
    }


# -------------------------------------------------------------------------------------------------------------- by hand
def test_the_strongest_deed_of_a_pair_counts_whatever_came_last():
    rows = [
        ("ann", 0, "purchase", None), ("ann", 0, "view", None), ("ann", 1, "view", None), ("ann", 1, "click", None),
        ("bob", 0, "add_to_cart", None), ("bob", 0, "click", None), ("bob", 2, "rating", 5), ("bob", 3, "rating", 1),
        ("bob", 3, "view", None),
    ]  # fmt: skip
    tables = tables_of(rows, Defaults(positive_from=4.0))
    data = build_dataset(tables)
    assert pairs(data, deeds_of(tables, data)) == {
        ("ann", "i0"): "purchase", ("ann", "i1"): "click", ("bob", "i0"): "add_to_cart", ("bob", "i2"): "like",
        ("bob", "i3"): "view",  # a bad rating is no reason for anything
    }  # fmt: skip


def test_without_a_limit_a_rating_is_a_rating_and_no_more():
    tables = tables_of([("ann", 0, "rating", 1), ("ann", 1, "rating", 5)], Defaults(("rating",)))
    data = build_dataset(tables)
    assert set(pairs(data, deeds_of(tables, data)).values()) == {"rating"}


def test_what_is_not_inside_the_data_is_passed_over():
    tables = tables_of([("ann", 0, "view", None), ("bob", 1, "view", None), ("ann", 0, "purchase", None)], Defaults())
    data = build_dataset(tables, asof=START)  # the first hour alone
    assert pairs(data, deeds_of(tables, data)) == {("ann", "i0"): "view"}
    empty = build_dataset(tables, asof=START - pd.Timedelta(days=1))
    assert deeds_of(tables, empty).tolist() == []


def test_the_strongest_of_some_and_of_none():
    assert strongest(["view", "purchase", "add_to_cart"]) == "purchase" and strongest([]) is None
    assert set(SAID) == set(DEEDS) and all(sentence.format("X").count("X") == 1 for sentence in SAID.values())


# ------------------------------------------------------------------------------------------------------- every dataset
DATASETS = {
    "movielens": (movielens.DEFAULTS, [("rating", 5.0)], "because you liked Thing 0"),
    "amazon": (amazon.DEFAULTS, [("rating", 4.0)], "because you liked Thing 0"),
    "shop": (shop.DEFAULTS, [("view", None), ("purchase", None)], "because you bought Thing 0"),
    "online-retail": (online_retail.DEFAULTS, [("purchase", None)], "because you bought Thing 0"),
    "retailrocket, bought": (
        retailrocket.DEFAULTS,
        [("view", None), ("add_to_cart", None), ("purchase", None)],
        "because you bought Thing 0",
    ),
    "retailrocket, in the cart": (
        retailrocket.DEFAULTS,
        [("view", None), ("add_to_cart", None)],
        "because you added Thing 0 to your cart",
    ),
    "retailrocket, seen": (retailrocket.DEFAULTS, [("view", None)], "because you looked at Thing 0"),
}


@pytest.mark.parametrize("name", DATASETS)
def test_the_verb_is_that_of_the_event_in_every_dataset(name):
    defaults, did, said = DATASETS[name]
    rows = [("ann", 0, kind, rating) for kind, rating in did]
    rows += [(user, item, did[-1][0], did[-1][1]) for user, item in (("bob", 1), ("bob", 2), ("cat", 3))]
    tables = tables_of(rows, defaults)
    artifact = train(tables, model=ContentRecommender(), rerankers=(), measure=False)
    view, data = View(artifact), artifact.data
    assert view.why(data.users.get_loc("ann"), data.items.get_loc("i0")) == said


# ------------------------------------------------------------------------------------------ since, and after forgetting
@pytest.fixture(scope="module")
def rated():
    """Ann liked i0 and i4, Bob i1 and i2, Cat i3: films, say."""
    liked = [("ann", 0), ("ann", 4), ("bob", 1), ("bob", 2), ("cat", 3)]
    tables = tables_of([(user, item, "rating", 5.0) for user, item in liked], movielens.DEFAULTS)
    return train(tables, model=ContentRecommender(), rerankers=(), measure=False)


def test_what_was_done_since_the_training_counts_too_if_it_says_more(rated):
    view, at, item = View(rated), rated.data.users.get_loc("ann"), rated.data.items.get_loc
    live = [LiveItem("i0", "view", 1.0), LiveItem("i2", "view", 1.0), LiveItem("i2", "add_to_cart", 2.0)]
    assert view.why(at, item("i0"), live) == "because you liked Thing 0"
    assert view.why(at, item("i2"), live) == "because you added Thing 2 to your cart"
    assert view.why(at, item("i4"), [LiveItem("i4", "purchase", 1.0)]) == "because you bought Thing 4"
    assert view.why(-1, item("i2"), live[1:2]) == "because you looked at Thing 2"
    for who in (at, -1):  # clicked in this visit, and told to nobody
        assert view.why(who, item("i1")) == "because you looked at Thing 1"


def test_a_rating_since_the_training_is_a_like_or_no_sign_of_taste_at_all(rated):
    view, at = View(rated), rated.data.users.get_loc("ann")
    i1, i2 = (rated.data.items.get_loc(item) for item in ("i1", "i2"))
    live = [LiveItem("i1", "rating", 1.0, 4.0), LiveItem("i2", "rating", 2.0, 3.5)]
    batch = view.request("ann", live, target=("rating",))
    assert batch.history[0, i1] > 0 and batch.history[0, i2] == 0  # 4 stars count, 3.5 do not
    assert batch.seen[0, i1] and batch.seen[0, i2]  # but both are seen
    assert view.request("ann", live[1:], target=("rating",)).seen[0, i2]
    assert view.why(at, i1, live) == "because you liked Thing 1"
    assert view.why(at, i2, [*live, LiveItem("i2", "view", 3.0)]) == "because you looked at Thing 2"


def test_deeds_are_forgotten_with_their_user_and_everybody_else_keeps_theirs(rated, tmp_path):
    less = rated.forget(["ann"])
    bob, cat = (less.data.users.get_loc(user) for user in ("bob", "cat"))
    assert len(less.deeds) == less.data.weights.nnz == 3 and len(rated.deeds) == 5
    assert View(less).why(bob, less.data.items.get_loc("i2")) == "because you liked Thing 2"
    assert View(less).why(cat, less.data.items.get_loc("i3")) == "because you liked Thing 3"
    again = load(tmp_path, save(less, tmp_path))
    assert again.deeds.tolist() == less.deeds.tolist() and again.deeds.dtype == np.int8


def test_an_artifact_of_older_code_says_what_to_do(rated, tmp_path, monkeypatch):
    from reco_utils.serve import artifact as store

    whole = store.contents
    monkeypatch.setattr(store, "contents", lambda a: {name: v for name, v in whole(a).items() if name != "deeds"})
    version = save(replace(rated), tmp_path)
    with pytest.raises(store.ArtifactError, match="something else than an artifact of this code; train a new one"):
        load(tmp_path, version)
