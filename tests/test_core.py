"""Dataset, UserBatch, TopK, Pipeline, and what `recommend` promises for any scores, masks and list length."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from scipy.sparse import coo_matrix, csr_matrix

from reco_utils import topk
from reco_utils.core import Dataset, Defaults, Pipeline, Split, Tables, TopK, recommend, take_rows

ASOF = pd.Timestamp("2024-06-30")
SCORES = st.sampled_from([np.nan, -np.inf, np.inf, -2.0, 0.0, 0.5, 1, 2])


def build(weights, seen=None) -> Dataset:
    """A Dataset of a dense (U, I) array; every pair happened ten days before ASOF."""
    dense = np.asarray(weights, np.float32)
    matrix, seen = csr_matrix(dense), csr_matrix(dense > 0 if seen is None else np.asarray(seen, bool))
    ten_days_ago = np.full(matrix.nnz, ASOF - pd.Timedelta(days=10), "datetime64[us]")
    users, items = (pd.Index([f"{letter}{n}" for n in range(size)]) for letter, size in zip("ui", dense.shape))
    catalog = pd.DataFrame({"item_id": items, "title": [f"thing {i}" for i in range(len(items))]})
    profiles = pd.DataFrame({"user_id": users, "age": np.arange(len(users)) + 20})
    return Dataset(users, items, matrix, ten_days_ago, seen, catalog, profiles, ASOF)


@pytest.fixture
def data():
    """u0 has i0 (2) and i2 (1), u1 has i1 (3), u2 has nothing; u1 has also seen i3."""
    return build([[2, 0, 1, 0], [0, 3, 0, 0], [0, 0, 0, 0]], [[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 0]])


@dataclass
class Given:
    """A model whose scores are given: row `at` of a table, the last row for strangers."""

    table: np.ndarray

    def score(self, batch):
        return self.table[batch.at]


@dataclass
class Vectors:
    """The same by vectors."""

    queries: np.ndarray
    items: np.ndarray

    def vectors(self, batch):
        return self.queries[batch.at], self.items


# ---------------------------------------------------------------------------------------------------------- recommend
@st.composite
def requests(draw):
    """A Dataset, scores (U + 1, I), who asks (users may repeat, -1 is a stranger), masks and a list length."""
    n_users, n_items = draw(st.integers(1, 6)), draw(st.integers(1, 90))
    shape = (n_users, n_items)
    data = build(np.zeros(shape), draw(arrays(bool, shape)))
    table = draw(arrays(np.float32, (n_users + 1, n_items), elements=SCORES, fill=SCORES))
    at = draw(st.lists(st.integers(-1, n_users - 1), max_size=8))
    allow = draw(st.none() | arrays(bool, n_items))
    forbid = draw(st.none() | arrays(bool, (len(at), n_items)).map(csr_matrix))
    return data, table, at, {"allow": allow, "forbid": forbid, "keep_seen": draw(st.booleans())}


def naive(data, table, at, k, allow, forbid, keep_seen):
    """The lists that the promise asks for, row by row."""
    lists = []
    for row, user in enumerate(at):
        banned = set() if keep_seen or user < 0 else set(data.seen[user].indices)
        banned |= set() if forbid is None else set(forbid[row].indices)
        banned |= set() if allow is None else set(np.flatnonzero(~allow))
        line = table[user].astype(float)
        good = [j for j in range(len(line)) if line[j] > -np.inf and j not in banned]
        chosen = sorted(good, key=lambda j: (-line[j], j))[:k]
        lists.append(chosen + [-1] * (k - len(chosen)))
    return np.array(lists, int).reshape(len(at), k)


def ask(data, at):
    return data.batch([f"u{user}" if user >= 0 else "nobody" for user in at])


@settings(max_examples=150, deadline=None)
@given(requests(), st.integers(1, 100), st.none() | st.integers(1, 9), st.integers(1, 4))
def test_recommend_keeps_every_promise(request_, k, block, n_threads):
    data, table, at, rules = request_
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topk, "N_THREADS", n_threads)
        lists = recommend(Given(table), ask(data, at), k, block=block, **rules)
    assert_array_equal(lists.items, naive(data, table, at, k, **rules))
    row, column = np.nonzero(lists.items >= 0)
    assert_array_equal(lists.scores[row, column], table[np.array(at, int)[row], lists.items[row, column]])
    assert np.isnan(lists.scores[lists.items < 0]).all()


@settings(max_examples=60, deadline=None)
@given(requests(), st.integers(1, 100), st.integers(0, 2**32 - 1))
def test_the_road_over_vectors_keeps_them_too(request_, k, seed):
    data, table, at, rules = request_
    rng = np.random.default_rng(seed)
    queries = rng.integers(-2, 3, (len(table), 2)).astype(np.float32)
    items = rng.integers(-2, 3, (table.shape[1], 2)).astype(np.float32)
    items[rng.random(len(items)) < 0.2] = np.nan
    lists = recommend(Vectors(queries, items), ask(data, at), k, **rules)
    assert_array_equal(lists.items, naive(data, queries @ items.T, at, k, **rules))


def test_recommend_changes_no_argument_and_takes_read_only_ones(data):
    table, allow = np.arange(16, dtype=np.float32).reshape(4, 4), np.array([True, True, False, True])
    batch, forbid = data.batch(["u0", "u1"]), csr_matrix(np.eye(2, 4))
    arrays_ = [table, allow, forbid.data, forbid.indices, forbid.indptr, batch.seen.data, batch.seen.indices]
    before = [array.copy() for array in arrays_]
    writable = recommend(Given(table), batch, 3, allow=allow, forbid=forbid)
    for array in arrays_:
        array.flags.writeable = False
    frozen = recommend(Given(table), batch, 3, allow=allow, forbid=forbid)
    assert_array_equal(writable.items, frozen.items)
    assert_array_equal(frozen.items, [[3, 1, -1], [0, -1, -1]])
    for array, copy in zip(arrays_, before):
        assert_array_equal(array, copy)


@pytest.mark.parametrize("layout", ["csr", "csc", "coo"])
def test_forbid_means_the_same_in_every_sparse_layout(data, layout):
    forbid = coo_matrix(np.eye(3, 4)).asformat(layout)
    lists = recommend(Given(np.ones((4, 4))), data.batch(data.users), 4, forbid=forbid)
    assert_array_equal(lists.items, [[1, 3, -1, -1], [0, 2, -1, -1], [0, 1, 3, -1]])
    lists = recommend(Given(np.ones((4, 4))), data.batch(data.users), 4, forbid=forbid, keep_seen=True)
    assert_array_equal(lists.items, [[1, 2, 3, -1], [0, 2, 3, -1], [0, 1, 3, -1]])


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"k": 0}, ValueError, "k must be at least 1, got 0"),
        ({"k": 2.0}, TypeError, "k must be a whole number, got 2.0"),
        ({"k": True}, TypeError, "k must be a whole number, got True"),
        ({"block": 0}, ValueError, "block must be at least 1 request, got 0"),
        ({"allow": [True]}, ValueError, r"allow must be bool of shape \(4,\), got bool \(1,\)"),
        ({"allow": [0, 1, 0, 1]}, ValueError, r"allow must be bool of shape \(4,\), got int64 \(4,\)"),
        ({"forbid": csr_matrix((1, 4))}, ValueError, r"forbid must be requests x items, \(3, 4\), got \(1, 4\)"),
        ({"model": Given(np.ones((4, 5)))}, ValueError, r"score must have shape \(3, 4\), got \(3, 5\)"),
    ],
)
def test_recommend_refuses_what_it_cannot_mean(data, options, error, message):
    options = {"model": Given(np.ones((4, 4))), "k": 2} | options
    with pytest.raises(error, match=message):
        recommend(options.pop("model"), data.batch(data.users), options.pop("k"), **options)


def test_vectors_of_the_wrong_shape_are_refused(data):
    with pytest.raises(ValueError, match=r"vectors' items must have shape \(4, 2\), got \(3, 2\)"):
        recommend(Vectors(np.ones((4, 2)), np.ones((3, 2))), data.batch(data.users), 2)


# ------------------------------------------------------------------------------------------------------ who is asking
def test_a_batch_holds_strangers_and_repeats_in_the_order_asked(data):
    batch = data.batch(["u1", "nobody", "u0", "u1"])
    assert_array_equal(batch.at, [1, -1, 0, 1])
    assert_array_equal(batch.history.toarray(), [[0, 3, 0, 0], [0] * 4, [2, 0, 1, 0], [0, 3, 0, 0]])
    assert_array_equal(batch.seen.toarray(), [[0, 1, 0, 1], [0] * 4, [1, 0, 1, 0], [0, 1, 0, 1]])
    assert_array_equal(batch.n_items, [1, 0, 2, 1])
    assert len(batch.last) == batch.history.nnz
    assert list(batch.profiles["user_id"]) == ["u1", "nobody", "u0", "u1"]
    assert_array_equal(batch.profiles["age"], [21, np.nan, 20, 21])


def test_a_batch_of_nobody_is_empty(data):
    batch = data.batch([])
    assert len(batch) == 0 and batch.history.shape == (0, 4) and len(batch.profiles) == 0


@pytest.mark.parametrize("as_csr", [False, True])
def test_a_live_session_is_added_with_its_time(data, as_csr):
    history = [["i0", "i3", "i3"], ["i1"]]
    if as_csr:
        history = csr_matrix(([1, 1, 1, 1], ([0, 0, 0, 1], [0, 3, 3, 1])), (2, 4))
    batch = data.batch(["u0", "nobody"], history=history)
    assert_array_equal(batch.history.toarray(), [[3, 0, 1, 2], [0, 1, 0, 0]])
    assert_array_equal(batch.n_items, [3, 1])
    old = ASOF - pd.Timedelta(days=10)
    assert list(pd.DatetimeIndex(batch.last)) == [ASOF, old, ASOF, ASOF]  # aligned with history.data
    assert_array_equal(data.weights.toarray(), [[2, 0, 1, 0], [0, 3, 0, 0], [0] * 4])


def test_the_callers_history_keeps_its_duplicates(data):
    history = csr_matrix((np.ones(2), np.array([1, 1]), np.array([0, 2])), (1, 4))
    data.batch(["u2"], history=history)
    assert history.nnz == 2


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([3, 0, 0]), np.array([True, False, False, True]), slice(0, 0)])
def test_a_part_of_a_batch_is_the_batch_of_those_users(data, rows):
    ids = np.array(["u1", "nobody", "u0", "u1"])
    part, wanted = data.batch(ids)[rows], data.batch(ids[rows])
    assert list(part.users) == list(wanted.users)
    assert_array_equal(part.at, wanted.at)
    assert_array_equal(part.last, wanted.last)
    assert_array_equal(part.history.toarray(), wanted.history.toarray())
    assert_array_equal(part.seen.toarray(), wanted.seen.toarray())
    assert list(part.profiles["user_id"]) == list(wanted.profiles["user_id"])


@settings(max_examples=60, deadline=None)
@given(arrays(np.int8, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 3)), st.data())
def test_take_rows_is_indexing_with_empty_rows_for_minus_one(dense, draw):
    at = np.array(draw.draw(st.lists(st.integers(-1, len(dense) - 1), max_size=7)), int)
    matrix = csr_matrix(dense)
    rows, take = take_rows(matrix, at)
    wanted = np.where(at[:, None] >= 0, dense[at], 0) if len(at) else np.zeros((0, dense.shape[1]))
    assert_array_equal(rows.toarray(), wanted)
    assert_array_equal(matrix.data[take], rows.data)


def test_profiles_of_the_request_replace_the_stored_ones(data):
    batch = data.batch(["nobody"], profiles=pd.DataFrame({"age": [33]}, index=[9]))
    assert list(batch.profiles["age"]) == [33] and list(batch.profiles.index) == [0]


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"user_ids": [7]}, TypeError, "user ids are .* here, got int64"),
        ({"history": [["i0"]]}, ValueError, r"history must be requests x items, \(2, 4\), got \(1, 4\)"),
        ({"history": [["i0"], ["i9", "i8"]]}, KeyError, r"unknown item id \['i9', 'i8'\] \(2 of the 2 given; 4 items"),
        ({"history": csr_matrix([[0, -1, 0, 0]] * 2)}, ValueError, "history must hold positive weights only"),
        ({"history": csr_matrix([[0, np.inf, 0, 0]] * 2)}, ValueError, "positive weights only, and finite ones"),
        ({"profiles": pd.DataFrame({"age": [1]})}, ValueError, r"profiles must have one row per request \(2\), got 1"),
    ],
)
def test_a_batch_refuses_what_it_cannot_mean(data, options, error, message):
    options = {"user_ids": ["u0", "nobody"]} | options
    with pytest.raises(error, match=message):
        data.batch(options.pop("user_ids"), **options)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"seen": csr_matrix((3, 5))}, r"must both be users x items, \(3, 4\)"),
        ({"last": np.empty(2, "M8[us]")}, r"one time per stored weight \(3\), got 2"),
        ({"catalog": pd.DataFrame({"item_id": ["i0"]})}, r"catalog \(1 rows\) .* 4 and 3"),
        ({"users": pd.Index(["u0", "u0", "u1"])}, r"users must be unique, got \['u0'\] more than once"),
        ({"weights": csr_matrix([[2, 0, -1, 0], [0, 3, 0, 0], [0] * 4])}, "weights must be positive numbers"),
        ({"weights": csr_matrix([[2, 0, np.nan, 0], [0, 3, 0, 0], [0] * 4])}, "weights must be positive numbers"),
        ({"weights": csr_matrix([[2, 0, np.inf, 0], [0, 3, 0, 0], [0] * 4])}, "drop the zero, negative, infinite and"),
    ],
)
def test_a_dataset_that_does_not_fit_together_is_refused(data, changes, message):
    with pytest.raises(ValueError, match=message):
        replace(data, **changes)


def test_positions_are_the_row_numbers_of_item_ids(data):
    assert_array_equal(data.positions(["i3", "i0"]), [3, 0])
    assert len(data.positions([])) == 0


# --------------------------------------------------------------------------------------------------------- lists, split
@pytest.fixture
def lists():
    items = np.array([[2, 0, 1], [3, -1, -1]], np.int32)
    scores = np.array([[3, 2, 1], [9, np.nan, np.nan]], np.float32)
    notes = {"step": np.array([[0, 1, 0], [2, -1, -1]]), "new": np.array([[True, False, True], [True, False, False]])}
    return TopK(pd.Index(["u0", "nobody"]), items, scores, notes)


def test_take_moves_items_scores_and_notes_together(lists):
    moved = lists.take(np.array([[2, 0], [-1, 0]]))
    assert_array_equal(moved.items, [[1, 2], [-1, 3]])
    assert_array_equal(moved.scores, [[1, 3], [np.nan, 9]])
    assert_array_equal(moved.notes["step"], [[0, 0], [-1, 2]])
    assert_array_equal(moved.notes["new"], [[True, True], [False, True]])
    assert_array_equal(lists.items, [[2, 0, 1], [3, -1, -1]])


def test_cut_keeps_the_first_k(lists):
    short = lists.cut(1)
    assert short.k == 1 and lists.k == 3
    assert_array_equal(short.items, [[2], [3]])
    assert_array_equal(short.notes["step"], [[0], [2]])
    assert lists.cut(99).k == 3


def test_a_frame_has_one_row_per_item_and_no_padding(lists, data):
    frame = lists.to_frame(data)
    assert list(frame.columns) == ["user_id", "rank", "item_id", "title", "score", "step", "new"]
    assert list(frame["user_id"]) == ["u0", "u0", "u0", "nobody"]
    assert list(frame["rank"]) == [1, 2, 3, 1]
    assert list(frame["item_id"]) == ["i2", "i0", "i1", "i3"]
    assert list(frame["title"]) == ["thing 2", "thing 0", "thing 1", "thing 3"]


def test_lists_whose_parts_differ_in_shape_are_refused():
    users, items = pd.Index(["u0"]), np.zeros((1, 2), np.int32)
    with pytest.raises(ValueError, match=r"items must be \(requests, k\) with 1 requests, got \(2, 2\)"):
        TopK(users, np.zeros((2, 2), np.int32), np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"step must have the shape of items \(1, 2\), got \(1, 3\)"):
        TopK(users, items, np.zeros((1, 2)), {"step": np.zeros((1, 3))})


def test_a_pipeline_passes_candidates_on_and_cuts_last(data):
    asked = []

    def backwards(lists, batch, k):
        asked.append((lists.k, k))
        return lists.take(np.tile(np.arange(lists.k)[::-1][:k], (len(lists), 1)))

    model, batch = Given(np.array([[4, 3, 2, 1]] * 4, np.float32)), data.batch(["u2"])
    assert_array_equal(Pipeline(model)(batch, 2).items, [[0, 1]])
    assert_array_equal(Pipeline(model, (backwards,), 3)(batch, 2).items, [[2, 1]])
    assert_array_equal(Pipeline(model, (backwards, backwards), 3)(batch, 2).items, [[0, 1]])
    assert asked == [(3, 2), (3, 3), (3, 2)]
    assert Pipeline(model, (backwards,), 1)(batch, 4).k == 4  # at least k candidates
    banned = Pipeline(model, (backwards,), 3)(batch, 2, allow=np.array([False, True, True, True]))
    assert_array_equal(banned.items, [[3, 2]])


def test_a_split_takes_requests_with_their_truth(data):
    truth = csr_matrix([[0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0]], dtype=np.float32)
    split = Split(data, data.batch(data.users), truth, ("purchase",), False)
    warm = split.take(split.batch.n_items > 1)
    assert list(warm.batch.users) == ["u0"]
    assert_array_equal(warm.truth.toarray(), [[0, 1, 0, 0]])
    with pytest.raises(ValueError, match=r"truth \(3, 4\) must have the shape of the batch \(1, 4\)"):
        Split(data, data.batch(["u0"]), truth, ("purchase",), False)


def test_defaults_refuse_an_unknown_split():
    with pytest.raises(ValueError, match="split must be 'time' or 'leave-last-out', got 'random'"):
        Defaults(split="random")


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"window_days": 0}, "window_days must be more than 0 days, or None for no limit, got 0"),
        ({"half_life_days": -1.0}, "half_life_days must be more than 0 days"),
        ({"half_life_days": "30"}, "half_life_days must be a finite number or None, got '30'"),
        ({"positive_from": float("nan")}, "positive_from must be a finite number or None, got nan"),
    ],
)
def test_defaults_that_mean_nothing_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Defaults(**wrong)


def test_tables_say_what_they_can_feed():
    events = pd.DataFrame({"event": ["view", "purchase"], "rating": [np.nan, np.nan], "value": [np.nan, 3.0]})
    catalog = pd.DataFrame({"item_id": ["1", "2"], "title": ["item 1", "item 2"], "price": [1.0, np.nan]})
    profiles = pd.DataFrame({"user_id": ["u"], "age": [np.nan]})
    tables = Tables("t", events, catalog, profiles, Defaults(), pd.DataFrame())
    assert tables.offers == {"price", "funnel", "revenue"}  # a made-up title is no text, an empty column is nothing
