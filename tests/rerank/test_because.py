"""Because you bought X: by hand, against a plain version, by likeness and by a model's own account, or not at all."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, TopK, UserBatch, recommend
from reco_utils.models.fitted import FrozenRecommender
from reco_utils.models.ials import IALSRecommender
from reco_utils.models.popularity import PopularityRecommender
from reco_utils.rerank.because import Because, sentences
from reco_utils.rerank.cosines import cosines_to_profile, nearest_owned, unit_rows

# 0 and 1 alike, 2 between 0 and 3 (cosines 0.6 and 0.8), 3 at a right angle to 0, 4 not known, 5 opposite of 0
VECTORS = np.array([[1.0, 0], [2, 0], [3, 4], [0, 5], [0, 0], [-1, 0]])


def lists_of(items):
    items = np.array(items, np.int32)
    users = pd.Index([f"u{b}" for b in range(len(items))])
    scores = np.tile(np.linspace(1, 0.1, items.shape[1]), (len(items), 1))
    return TopK(users, items, np.where(items >= 0, scores, np.nan).astype(np.float32))


def batch_of(history, seen=None):
    history = csr_matrix(np.array(history, np.float32))
    users = pd.Index([f"u{b}" for b in range(history.shape[0])])
    seen = history > 0 if seen is None else csr_matrix(np.array(seen, bool))
    profiles = pd.DataFrame({"user_id": users})
    return UserBatch(
        users, np.arange(len(users), dtype=np.int32), history, np.zeros(history.nnz, "M8[us]"), seen, profiles
    )


def because(rerank, items, history, seen=None, k=None):
    lists = lists_of(items)
    found = rerank(lists, batch_of(history, seen), k or lists.k)
    assert found.notes["because"].dtype == np.int32
    return found.notes["because"].tolist()


# ---------------------------------------------------------------------------------------------------------- by likeness
@pytest.mark.parametrize("vectors", [VECTORS, csr_matrix(VECTORS), VECTORS.astype(np.float32)])
def test_the_reason_is_the_most_similar_own_item(vectors):
    history = [[1, 0, 0, 1, 0, 0]]  # has 0 and 3
    assert because(Because(vectors), [[1, 2, 4, 5, -1]], history) == [[0, 3, -1, -1, -1]]


def test_below_the_limit_there_is_no_reason():
    history = [[1, 0, 0, 0, 0, 0]]
    assert because(Because(VECTORS, at_least=0.59), [[2, 3]], history) == [[0, -1]]
    assert because(Because(VECTORS, at_least=0.61), [[2, 3]], history) == [[-1, -1]]
    assert because(Because(VECTORS, at_least=0), [[2, 3, 5]], history) == [[0, -1, -1]]  # nothing in common, opposite


def test_equally_similar_items_go_by_position_and_no_item_explains_itself():
    assert because(Because(VECTORS), [[1, 0]], [[1, 1, 0, 0, 0, 0]]) == [[0, 1]]
    assert because(Because(VECTORS), [[2]], [[1, 1, 0, 0, 0, 0]]) == [[0]]
    assert because(Because(VECTORS), [[3]], [[0, 0, 0, 1, 0, 0]]) == [[-1]]


def test_seen_is_what_the_user_has_and_what_speaks_for_anything():
    history = [[1, 0, 0, 1, 0, 0]]
    seen = [[0, 1, 0, 1, 0, 0]]  # looked at 0, bought 3, and disliked 1, which carries no weight
    assert because(Because(VECTORS), [[2, 1, 0]], history, seen) == [[3, -1, -1]]
    assert because(Because(VECTORS, own="history"), [[2, 1, 0]], history, seen) == [[3, 0, -1]]


def test_a_stranger_gets_the_list_without_reasons():
    found = Because(VECTORS)(lists_of([[0, 1, 2]]), batch_of(np.zeros((1, 6))), 2)
    assert found.items.tolist() == [[0, 1]] and found.notes["because"].tolist() == [[-1, -1]]


def test_the_list_stays_as_it_is_and_k_cuts_or_pads():
    lists = lists_of([[1, 2, 4]])
    lists.notes["step"] = np.array([[7, 8, 9]])
    for k in (1, 3, 5):
        found = Because(VECTORS)(lists, batch_of([[1, 0, 0, 0, 0, 0]]), k)
        width = min(k, 3)
        assert found.items.shape == found.notes["because"].shape == (1, k)
        assert_array_equal(found.items[:, :width], lists.items[:, :width])
        assert_array_equal(found.scores[:, :width], lists.scores[:, :width])
        assert found.notes["step"][0, :width].tolist() == [7, 8, 9][:width]
        assert (found.items[:, width:] == -1).all() and (found.notes["because"][:, width:] == -1).all()
    assert list(lists.notes) == ["step"]


def plainly(unit, owned, items):
    """The nearest own items and their cosines, one place at a time."""
    found, best = np.full(items.shape, -1), np.full(items.shape, np.nan)
    for b, c in np.ndindex(*items.shape):
        own = [i for i in np.flatnonzero(owned[b]) if i != items[b, c]]
        cosines = [float(unit[i] @ unit[items[b, c]]) for i in own]
        if items[b, c] >= 0 and own and max(cosines) > 1e-6:
            found[b, c], best[b, c] = own[int(np.argmax(np.round(cosines, 6)))], max(cosines)
    return found, best


@pytest.mark.parametrize("width, density", [(1, 1.0), (6, 1.0), (40, 0.15)])
def test_all_users_at_once_get_what_one_by_one_they_would(width, density):
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(30, width)) * (rng.random((30, width)) < density)
    vectors[7] = np.nan
    known = ~np.isnan(vectors[:, 0]) & (np.nan_to_num(vectors) != 0).any(axis=1)
    length = np.where(known, np.linalg.norm(vectors, axis=1), 1)[:, None]
    plain = np.where(known[:, None], vectors / length, 0)
    items = np.array([rng.permutation(30)[:8] for _ in range(600)])
    items[np.arange(8) >= rng.integers(0, 9, 600)[:, None]] = -1
    owned = rng.random((600, 30)) < rng.choice([0, 0.1, 0.4], 600)[:, None]
    for made in (vectors, csr_matrix(vectors)):
        unit = unit_rows(made)
        assert_allclose(unit.toarray(), plain, atol=1e-6)
        found, cosines = nearest_owned(unit, csr_matrix(owned), items)
        expected, best = plainly(plain, owned, items)
        assert_array_equal(found, expected)
        assert_allclose(cosines, best, atol=1e-5)

        weights = owned * rng.integers(1, 4, owned.shape)
        profile = weights @ plain
        cosines = cosines_to_profile(unit, csr_matrix(weights.astype(np.float32)), items)
        norm = np.linalg.norm(profile, axis=1)
        norm = np.where(norm > 1e-9, norm, np.nan)[:, None]
        wanted = np.einsum("bd,bkd->bk", profile / norm, plain[items])
        assert_allclose(cosines, np.where((items >= 0) & known[items], wanted, np.nan), atol=1e-5)


# -------------------------------------------------------------------------------------------------------- by the model
class Told:
    """A model whose contributions are written down: item 9 is 6 parts item 0, 3 parts item 1, 1 part item 2."""

    def explain(self, batch, items, n=3):
        reasons, parts = np.full((*items.shape, n), -1, np.int32), np.full((*items.shape, n), np.nan, np.float32)
        for b, c in np.argwhere(items == 9):
            mine = batch.history[[b]].indices
            told = sorted(zip([{0: 6, 1: 3, 2: 1, 3: -4, 9: 7}[i] for i in mine], mine), reverse=True)[:n]
            for place, (part, item) in enumerate(told):
                reasons[b, c, place], parts[b, c, place] = item, part
        return reasons, parts


HISTORY = [[1, 1, 1, 1, 0, 0, 0, 0, 0, 0]]


def test_the_reason_is_the_own_item_that_adds_most():
    assert because(Because(Told()), [[9, 8, -1]], HISTORY) == [[0, -1, -1]]
    bought_1_and_2 = [[0, 1, 1, 0, 0, 0, 0, 0, 0, 0]]
    assert because(Because(Told()), [[9]], HISTORY, bought_1_and_2) == [[1]]
    assert because(Because(Told(), own="history"), [[9]], HISTORY, bought_1_and_2) == [[0]]


def test_a_listed_item_that_the_user_has_is_not_its_own_reason():
    history = [[1, 1, 0, 0, 0, 0, 0, 0, 0, 1]]
    assert because(Because(Told()), [[9]], history) == [[0]]
    assert because(Because(Told()), [[9]], [[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]) == [[-1]]


def test_a_reason_must_be_a_good_part_of_all_that_is_added():
    bought_2, bought_3 = np.eye(10)[[2]], np.eye(10)[[3]]
    assert because(Because(Told(), at_least=0.09), [[9]], HISTORY, bought_2) == [[2]]  # 1 of 10
    assert because(Because(Told(), at_least=0.11), [[9]], HISTORY, bought_2) == [[-1]]
    assert because(Because(Told(), at_least=0), [[9]], HISTORY, bought_3) == [[-1]]  # speaks against it


@pytest.fixture(scope="module")
def shop():
    rng = np.random.default_rng(0)
    weights = csr_matrix((rng.integers(1, 5, (300, 40)) * (rng.random((300, 40)) < 0.2)).astype(np.float32))
    users, items = pd.Index([f"u{u}" for u in range(300)]), pd.Index([f"i{i}" for i in range(40)])
    catalog = pd.DataFrame({"item_id": items, "title": [f"thing {i}" for i in range(40)]})
    last = np.full(weights.nnz, np.datetime64("2024-01-01", "us"))
    profiles = pd.DataFrame({"user_id": users})
    return Dataset(users, items, weights, last, weights > 0, catalog, profiles, pd.Timestamp("2024-01-02"))


def test_reasons_of_a_factor_model_are_the_largest_of_its_contributions(shop):
    model = IALSRecommender(n_factors=4, n_iterations=3).fit(shop)
    batch = shop.batch([*shop.users, "stranger"])
    lists = recommend(model, batch, 5)
    found = Because(model, at_least=0.3)(lists, batch, 5).notes["because"]
    reasons, parts = model.explain(batch, lists.items, 40)
    positive = np.where(parts > 0, parts, 0)
    share = positive[:, :, 0] / np.maximum(positive.sum(axis=2), 1e-12)
    assert_array_equal(found, np.where(share >= 0.3, reasons[:, :, 0], -1))
    assert 0.1 < (found >= 0).mean() < 0.9 and (found[-1] == -1).all()
    frozen = FrozenRecommender(model, shop)
    assert_array_equal(Because(frozen, at_least=0.3)(lists, batch, 5).notes["because"], found)


def test_every_reason_is_one_of_the_users_own_items(shop):
    batch = shop.batch(shop.users)
    lists = recommend(PopularityRecommender().fit(shop), batch, 6)
    vectors = np.random.default_rng(1).random((40, 5))
    for similar in (vectors, IALSRecommender(n_factors=4, n_iterations=3).fit(shop)):
        reasons = Because(similar, at_least=0)(lists, batch, 6).notes["because"]
        row, place = np.nonzero(reasons >= 0)
        assert len(row) > 1000
        assert np.asarray(shop.seen[row, reasons[row, place]]).all()


def test_a_list_does_not_depend_on_the_others(shop):
    batch, vectors = shop.batch(shop.users), np.random.default_rng(1).random((40, 5))
    lists = recommend(PopularityRecommender().fit(shop), batch, 6)
    some = np.array([250, 3, 77])
    part = TopK(lists.users[some], lists.items[some], lists.scores[some])
    for similar in (vectors, IALSRecommender(n_factors=4, n_iterations=3).fit(shop)):
        rerank = Because(similar)
        whole = rerank(lists, batch, 6).notes["because"]
        assert_array_equal(rerank(part, batch[some], 6).notes["because"], whole[some])
        for other in (copy.deepcopy(rerank), pickle.loads(pickle.dumps(rerank))):
            assert_array_equal(other(lists, batch, 6).notes["because"], whole)


def test_no_users_no_reasons(shop):
    batch = shop.batch(shop.users[:0])
    for similar in (np.eye(40), IALSRecommender(n_factors=4, n_iterations=3).fit(shop)):
        found = Because(similar)(lists_of(np.empty((0, 3))), batch, 2)
        assert found.notes["because"].shape == (0, 2)


# ---------------------------------------------------------------------------------------------------------- in words
def test_sentences_name_the_title_or_nothing(shop):
    lists = lists_of([[5, 6, -1], [7, 8, 9]])
    lists.notes["because"] = np.array([[3, -1, -1], [0, 3, -1]], np.int32)
    assert sentences(lists, shop).tolist() == [
        ["because you bought thing 3", "", ""],
        ["because you bought thing 0", "because you bought thing 3", ""],
    ]
    lines = sentences(lists, shop, "since {title} is yours")
    assert lines[1, 1] == "since thing 3 is yours" and lines.dtype == object


def test_a_title_that_is_missing_or_odd_does_no_harm(shop):
    lists = lists_of([[5, 6]])
    lists.notes["because"] = np.array([[0, 1]], np.int32)
    odd = shop.catalog.assign(title=["{0} {title} 100%", None] + ["x"] * 38)
    data = Dataset(shop.users, shop.items, shop.weights, shop.last, shop.seen, odd, shop.profiles, shop.asof)
    assert sentences(lists, data).tolist() == [["because you bought {0} {title} 100%", ""]]


# ---------------------------------------------------------------------------------------------------------- refusals
def test_what_cannot_explain_is_refused(shop):
    with pytest.raises(TypeError, match=r"PopularityRecommender has no explain\(batch, items, n\) and is no array"):
        Because(PopularityRecommender())
    with pytest.raises(ValueError, match=r"own must be one of \['seen', 'history'\], got 'liked'"):
        Because(VECTORS, own="liked")
    with pytest.raises(ValueError, match="at_least must be from 0 to 1, got 2"):
        Because(VECTORS, at_least=2)
    with pytest.raises(ValueError, match="vectors must describe the 40 items of the batch, got 6"):
        Because(VECTORS)(lists_of([[0]]), shop.batch(["u1"]), 1)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        Because(VECTORS)(lists_of([[0]]), batch_of([[1, 0, 0, 0, 0, 0]]), 0)
    with pytest.raises(ValueError, match=r"lists have no note 'because', only \[\]"):
        sentences(lists_of([[0]]), shop)
    lists = lists_of([[0]])
    lists.notes["because"] = np.array([[0]])
    with pytest.raises(ValueError, match=r"template must contain \{title\}, got 'because'"):
        sentences(lists, shop, "because")
