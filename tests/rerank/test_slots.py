"""A carousel by its places: by hand, against a version for one user at a time, and when a slot stays empty."""

import copy
import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils.core import Pipeline, TopK, UserBatch, recommend
from reco_utils.rerank.slots import CAROUSEL, Slot, Slots


def lists_of(items, scores=None, users=None):
    items = np.array(items, np.int32)
    users = pd.Index([f"u{b}" for b in range(len(items))] if users is None else users)
    falling = np.linspace(1, 0.1, max(items.shape[1], 1), dtype=np.float32)[: items.shape[1]]
    scores = np.tile(falling, (len(items), 1)) if scores is None else np.array(scores, np.float32)
    return TopK(users, items, np.where(items >= 0, scores, np.nan).astype(np.float32))


def batch_of(history, users=None):
    history = csr_matrix(np.array(history, np.float32))
    users = pd.Index([f"u{b}" for b in range(history.shape[0])] if users is None else users)
    at = np.arange(len(users), dtype=np.int32)
    profiles = pd.DataFrame({"user_id": users})
    return UserBatch(users, at, history, np.zeros(history.nnz, "M8[us]"), history > 0, profiles)


# items 0-4 pots, 5-9 cups, 10-14 tea, 15-18 oil, 19 has no category
LABELS = np.array(["pots"] * 5 + ["cups"] * 5 + ["tea"] * 5 + ["oil"] * 4 + [None], object)
HISTORY = np.zeros((1, 20))
HISTORY[0, [5, 6, 0]] = [3, 3, 1]  # cups 6, pots 1
BASE = [[1, 7, 15, 2, 10, 8, 3, 9, 16, 11, 4, 17]]
POOLS = {"trending": lists_of([[7, 12, 13]]), "new": lists_of([[12, 18, 14]])}


def test_the_carousel_by_hand():
    slots = Slots(LABELS, pools=POOLS)
    found = slots(lists_of(BASE), batch_of(HISTORY), 10)
    # cups: 7, 8, 9, and there is no fourth; pots: 1, 2, 3; trending: 7 is used, so 12; new: 12 is used, so 18;
    # neither cups nor pots: 15; the empty fourth place gets the best one left, 10
    assert found.items.tolist() == [[7, 8, 9, 10, 1, 2, 3, 12, 18, 15]]
    assert [slots.names[s] for s in found.notes["slot"][0]] == ["primary"] * 4 + ["secondary"] * 3 + [
        "trending",
        "new",
        "surprise",
    ]
    assert found.notes["fallback"].tolist() == [[False] * 3 + [True] + [False] * 6]
    assert found.notes["slot"].dtype == np.int8 and found.notes["fallback"].dtype == bool


def test_items_of_the_list_keep_their_score_and_items_of_a_pool_get_the_lowest_one():
    lists = lists_of(BASE, [np.arange(12, 0, -1)])
    pools = {name: lists_of(pool.items, [[900, 800, 700]]) for name, pool in POOLS.items()}
    found = Slots(LABELS, pools=pools)(lists, batch_of(HISTORY), 10)
    assert found.scores.tolist() == [[11, 7, 5, 8, 12, 9, 6, 1, 1, 10]]  # 12 and 18 are only in pools


def test_a_pools_item_that_the_list_has_too_keeps_the_score_and_notes_of_the_list():
    lists = lists_of(BASE)
    lists.notes["step"] = np.arange(12, dtype=np.int8)[None]
    found = Slots(LABELS, (Slot("new", 2),), {"new": lists_of([[16, 14]])})(lists, batch_of(HISTORY), 2)
    assert found.items.tolist() == [[16, 14]]
    assert found.scores[0, 0] == lists.scores[0, 8]
    assert found.notes["step"].tolist() == [[8, -1]]  # 14 is not in the list: blank


def test_a_fallback_does_not_take_what_a_later_slot_needs():
    layout = (Slot("primary", 2), Slot("secondary", 1))
    found = Slots(LABELS, layout)(lists_of([[1, 7, 15]]), batch_of(HISTORY), 3)
    assert found.items.tolist() == [[7, 15, 1]]  # 1 is the only one of the secondary interest
    assert found.notes["fallback"].tolist() == [[False, True, False]]


def test_secondary_interests_are_the_next_labels_by_weight():
    history = np.zeros((1, 20))
    history[0, [0, 5, 10, 15]] = [4, 3, 2, 1]
    found = [
        Slots(LABELS, (Slot("secondary", 3),), n_secondary=n)(lists_of([[16, 11, 6, 1]]), batch_of(history), 3)
        for n in (1, 2, 3)
    ]
    assert [f.items[0, : (~f.notes["fallback"]).sum()].tolist() for f in found] == [[6], [11, 6], [16, 11, 6]]


def test_equal_interests_go_by_the_order_of_the_catalogue():
    history = np.zeros((1, 20))
    history[0, [14, 0]] = 1
    found = Slots(LABELS, (Slot("primary", 1),))(lists_of([[10, 1]]), batch_of(history), 1)
    assert found.items.tolist() == [[1]]


def test_a_stranger_gets_the_list_and_the_pools():
    slots = Slots(LABELS, pools=POOLS)
    found = slots(lists_of(BASE), batch_of(np.zeros((1, 20))), 10)
    assert found.items.tolist() == [[1, 15, 2, 10, 8, 3, 9, 7, 12, 16]]  # 7 and 12 come from the pools
    assert found.notes["fallback"].tolist() == [[True] * 7 + [False, False, True]]


def test_a_surprise_has_a_known_category():
    found = Slots(LABELS, (Slot("surprise", 1),))(lists_of([[19, 1, 12]]), batch_of(HISTORY), 1)
    assert found.items.tolist() == [[12]]


def test_k_cuts_the_layout_or_goes_on_with_the_best_that_are_left():
    slots = Slots(LABELS, pools=POOLS)
    full = slots(lists_of(BASE), batch_of(HISTORY), 10)
    assert slots(lists_of(BASE), batch_of(HISTORY), 3).items.tolist() == full.items[:, :3].tolist()
    longer = slots(lists_of(BASE), batch_of(HISTORY), 15)
    assert longer.items.tolist() == [[*full.items[0], 16, 11, 4, 17, -1]]
    assert longer.notes["slot"][0, 10:].tolist() == [slots.names.index("rest")] * 4 + [-1]
    assert not longer.notes["fallback"][0, 10:].any()


def test_a_fallback_comes_before_what_follows_the_layout():
    found = Slots(LABELS, (Slot("primary", 1),))(lists_of([[10, 11]]), batch_of(HISTORY), 2)
    assert found.items.tolist() == [[10, 11]]
    assert found.notes["fallback"].tolist() == [[True, False]]


def test_a_short_list_closes_up():
    layout = (Slot("primary", 2), Slot("new", 1), Slot("surprise", 1))
    slots = Slots(LABELS, layout, {"new": lists_of([[18, -1]])})
    found = slots(lists_of([[7, -1, -1]]), batch_of(HISTORY), 4)
    assert found.items.tolist() == [[7, 18, -1, -1]]
    assert found.notes["slot"].tolist() == [[0, 1, -1, -1]]
    assert np.isnan(found.scores[0, 2:]).all() and not found.notes["fallback"].any()
    empty = slots(lists_of([[-1, -1]]), batch_of(HISTORY), 3)
    assert empty.items.tolist() == [[18, -1, -1]] and empty.scores[0, 0] == 0


def test_the_same_slot_may_stand_twice():
    layout = (Slot("primary", 1), Slot("new", 1), Slot("primary", 1))
    slots = Slots(LABELS, layout, {"new": lists_of([[18]])})
    assert slots.names == ("primary", "new", "rest")
    assert slots(lists_of(BASE), batch_of(HISTORY), 3).items.tolist() == [[7, 18, 8]]


def test_a_pool_goes_before_the_rule_of_its_name():
    found = Slots(LABELS, (Slot("surprise", 1),), {"surprise": lists_of([[6]])})(lists_of(BASE), batch_of(HISTORY), 1)
    assert found.items.tolist() == [[6]]


# ---------------------------------------------------------------------------------------------------------- the oracle
def one_by_one(items, history, pools, k, n_secondary=3):
    """The carousel for one user, in plain words: (items, slots, fallback) without padding."""
    interest = {}
    for item in np.flatnonzero(history):
        if LABELS[item] is not None:
            interest[LABELS[item]] = interest.get(LABELS[item], 0) + history[item]
    order = list(dict.fromkeys(LABELS))
    ranked = sorted(interest, key=lambda label: (-interest[label], order.index(label)))
    base = [i for i in items if i >= 0]
    kinds = {
        "primary": [i for i in base if LABELS[i] in ranked[:1]],
        "secondary": [i for i in base if LABELS[i] in ranked[1 : 1 + n_secondary]],
        "surprise": [i for i in base if LABELS[i] is not None and ranked and LABELS[i] not in ranked],
    } | {name: [i for i in pool if i >= 0] for name, pool in pools.items()}
    places = ([slot.name for slot in CAROUSEL for _ in range(slot.n)] + ["rest"] * k)[:k]
    chosen = [None] * k
    for place, name in enumerate(places):
        left = [i for i in kinds.get(name, []) if i not in chosen]
        chosen[place] = left[0] if left else None
    own = [item is not None for item in chosen]
    for place in range(k):
        left = [i for i in base if i not in chosen]
        if chosen[place] is None and left:
            chosen[place] = left[0]
    return [
        (item, name, not mine and name != "rest") for item, name, mine in zip(chosen, places, own) if item is not None
    ]


def random_case(n_users=60, seed=0):
    rng = np.random.default_rng(seed)
    items = np.array([rng.permutation(20)[:12] for _ in range(n_users)])
    items[np.arange(12) >= rng.integers(0, 13, n_users)[:, None]] = -1
    history = rng.integers(1, 4, (n_users, 20)) * (
        rng.random((n_users, 20)) < rng.choice([0, 0.1, 0.3], n_users)[:, None]
    )
    pools = {}
    for name in ("trending", "new"):
        pool = np.array([rng.permutation(20)[:4] for _ in range(n_users)])
        pool[np.arange(4) >= rng.integers(0, 5, n_users)[:, None]] = -1
        pools[name] = lists_of(pool)
    return lists_of(items), batch_of(history), pools


@pytest.mark.parametrize("k", [1, 7, 10, 14])
@pytest.mark.parametrize("seed", range(3))
def test_all_users_at_once_get_what_one_by_one_they_would(k, seed):
    lists, batch, pools = random_case(seed=seed)
    slots = Slots(LABELS, pools=pools)
    found = slots(lists, batch, k)
    for b in range(len(lists)):
        mine = {name: pool.items[b] for name, pool in pools.items()}
        expected = one_by_one(lists.items[b], batch.history[[b]].toarray()[0], mine, k)
        n = len(expected)
        assert found.items[b].tolist() == [item for item, _, _ in expected] + [-1] * (k - n)
        assert [slots.names[s] for s in found.notes["slot"][b, :n]] == [name for _, name, _ in expected]
        assert found.notes["fallback"][b].tolist() == [late for _, _, late in expected] + [False] * (k - n)


def test_a_list_does_not_depend_on_the_others():
    lists, batch, pools = random_case()
    slots, some = Slots(LABELS, pools=pools), np.array([31, 4, 17])
    whole = slots(lists, batch, 10)
    part = slots(TopK(lists.users[some], lists.items[some], lists.scores[some]), batch[some], 10)
    assert_array_equal(part.items, whole.items[some])
    assert_array_equal(part.notes["slot"], whole.notes["slot"][some])


def test_a_pool_may_be_a_model_that_is_asked_for_the_batch():
    class Last:
        def score(self, batch):
            return np.tile(np.arange(20, dtype=np.float32), (len(batch), 1))

    allow = np.arange(20) != 19
    batch = batch_of(HISTORY)
    tables = [
        Slots(LABELS, (Slot("new", 2),), {"new": pool})
        for pool in (Pipeline(Last()), partial(recommend, Last(), allow=allow))
    ]
    assert [slots(lists_of(BASE), batch, 2).items.tolist() for slots in tables] == [[[19, 18]], [[18, 17]]]


def test_pools_cut_with_the_same_masks_let_nothing_seen_or_forbidden_in():
    class ByChance:
        def __init__(self, seed):
            self.seed = seed

        def score(self, batch):
            return np.random.default_rng(self.seed).random((len(batch), 20), np.float32)

    rng = np.random.default_rng(5)
    batch, allow = batch_of(rng.random((40, 20)) < 0.3), rng.random(20) < 0.9
    masks = {"allow": allow, "forbid": csr_matrix(rng.random((40, 20)) < 0.1)}
    pools = {name: recommend(ByChance(seed), batch, 10, **masks) for seed, name in enumerate(("trending", "new"))}
    found = Slots(LABELS, pools=pools)(recommend(ByChance(2), batch, 12, **masks), batch, 10)
    row, place = np.nonzero(found.items >= 0)
    shown = found.items[row, place]
    assert len(shown) > 300 and allow[shown].all()
    assert not np.asarray(batch.seen[row, shown]).any() and not np.asarray(masks["forbid"][row, shown]).any()


def test_nothing_of_the_callers_is_changed():
    lists, batch, pools = random_case()
    before = copy.deepcopy((lists.items, lists.scores, pools["new"].items))
    Slots(LABELS, pools=pools)(lists, batch, 10)
    for old, new in zip(before, (lists.items, lists.scores, pools["new"].items)):
        assert_array_equal(old, new)


def test_slots_can_be_copied_and_stored():
    lists, batch, pools = random_case()
    slots = Slots(LABELS, pools=pools)
    for other in (copy.deepcopy(slots), pickle.loads(pickle.dumps(slots))):
        assert_array_equal(other(lists, batch, 10).items, slots(lists, batch, 10).items)


def test_no_users_no_lists():
    found = Slots(LABELS, (Slot("primary", 3),))(lists_of(np.empty((0, 5))), batch_of(np.empty((0, 20))), 3)
    assert found.items.shape == found.notes["slot"].shape == (0, 3)


# ---------------------------------------------------------------------------------------------------------- refusals
def test_a_layout_that_cannot_be_filled_is_refused():
    with pytest.raises(ValueError, match=r"slot 'trending' has no pool; .* pools are \[\]"):
        Slots(LABELS)
    with pytest.raises(ValueError, match=r"slot 'primry' has no pool; .*did you mean 'primary'\?"):
        Slots(LABELS, (Slot("primry", 1),))
    with pytest.raises(ValueError, match="slot 'primary' must have at least 1 place, got 0"):
        Slots(LABELS, (Slot("primary", 0),))
    with pytest.raises(ValueError, match="n_secondary must be at least 1 label, got 0"):
        Slots(LABELS, (Slot("primary", 1),), n_secondary=0)
    with pytest.raises(ValueError, match="no slot may be called 'rest'"):
        Slots(LABELS, (Slot("rest", 1),), {"rest": lists_of([[1]])})
    with pytest.raises(TypeError, match="pool 'new' must be a TopK or a function"):
        Slots(LABELS, (Slot("new", 1),), {"new": [1, 2]})


def test_pools_and_labels_of_others_are_refused():
    slots = Slots(LABELS, (Slot("new", 1),), {"new": lists_of([[1]], users=["somebody else"])})
    with pytest.raises(ValueError, match=r"pool 'new' has no list of its own for user \['u0'\]"):
        slots(lists_of(BASE), batch_of(HISTORY), 1)
    with pytest.raises(ValueError, match="labels must describe the 20 items of the batch, got 3"):
        Slots(["a", "b", "c"], (Slot("primary", 1),))(lists_of(BASE), batch_of(HISTORY), 1)
    with pytest.raises(ValueError, match=r"labels must be one per item, got an array of shape \(2, 2\)"):
        Slots([["a", "b"], ["c", "d"]], (Slot("primary", 1),))


def test_k_below_one_is_refused():
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        Slots(LABELS, (Slot("primary", 1),))(lists_of(BASE), batch_of(HISTORY), 0)
