"""What every reranker promises. A new reranker joins by one line in RERANKERS."""

import copy
import pickle
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from reco_utils import topk
from reco_utils.core import TopK, UserBatch
from reco_utils.rerank.because import Because
from reco_utils.rerank.calibrated import Calibrated
from reco_utils.rerank.dpp import DPP
from reco_utils.rerank.explore import EpsilonGreedy, Serendipity, Thompson
from reco_utils.rerank.mmr import MMR
from reco_utils.rerank.session import SessionLift
from reco_utils.rerank.slots import Slot, Slots
from reco_utils.rerank.xquad import XQuAD

RNG = np.random.default_rng(0)
N_ITEMS, WIDTH = 40, 15
VECTORS = RNG.normal(size=(N_ITEMS, 4)) * (RNG.random((N_ITEMS, 4)) < 0.6)
VECTORS[3], VECTORS[7], VECTORS[8] = 0, np.nan, VECTORS[9]  # nothing, unknown, and twins
SPARSE = csr_matrix(np.nan_to_num(VECTORS))
LABELS = np.array(["pots", "tea", "oil", "cups", None], object)[RNG.integers(0, 5, N_ITEMS)]
PRICES = np.where(RNG.random(N_ITEMS) < 0.1, np.nan, RNG.lognormal(size=N_ITEMS))
POOL = np.arange(N_ITEMS) < 10
TRIALS = RNG.integers(1, 50, N_ITEMS)
PLACES = (Slot("primary", 3), Slot("secondary", 2), Slot("surprise", 1))

RERANKERS = {  # name: (clicks of the session, csr (B, I)) -> a new reranker, its randomness fixed
    "mmr": lambda clicks: MMR(VECTORS),
    "mmr of sparse vectors": lambda clicks: MMR(SPARSE),
    "mmr without relevance": lambda clicks: MMR(VECTORS, 0),
    "dpp": lambda clicks: DPP(VECTORS),
    "dpp of sparse vectors": lambda clicks: DPP(SPARSE),
    "dpp without relevance": lambda clicks: DPP(VECTORS, 0),
    "xquad": lambda clicks: XQuAD(LABELS),
    "xquad without relevance": lambda clicks: XQuAD(LABELS, 0),
    "calibrated": lambda clicks: Calibrated(LABELS),
    "calibrated without relevance": lambda clicks: Calibrated(LABELS, 0),
    "slots": lambda clicks: Slots(LABELS, PLACES),
    "session": lambda clicks: SessionLift(clicks, LABELS, PRICES),
    "session by price": lambda clicks: SessionLift(clicks, prices=PRICES),
    "serendipity": lambda clicks: Serendipity(LABELS),
    "serendipity of vectors": lambda clicks: Serendipity(VECTORS, 0.4),
    "because": lambda clicks: Because(SPARSE),
    "epsilon-greedy": lambda clicks: EpsilonGreedy(POOL, 0.3, rng=np.random.default_rng(1)),
    "thompson": lambda clicks: Thompson(TRIALS // 2, TRIALS, POOL, 0.3, rng=np.random.default_rng(1)),
}
RANDOM = {"epsilon-greedy", "thompson"}  # and so dependent on who else asks; they draw from a pool as well
IDENTITY = {  # what leaves every list as it is
    "mmr": MMR(VECTORS, 1),
    "mmr of sparse vectors": MMR(SPARSE, 1),
    "dpp": DPP(VECTORS, 1),
    "xquad": XQuAD(LABELS, 1),
    "calibrated": Calibrated(LABELS, 1),
    "calibrated with a strong prior": Calibrated(LABELS, 1, 0.5),
}


@dataclass
class World:
    """Lists, the requests they are for, and what was clicked in this session."""

    lists: TopK
    batch: UserBatch
    clicks: csr_matrix

    def take(self, rows):
        """The same for some rows."""
        lists = self.lists
        notes = {name: array[rows] for name, array in lists.notes.items()}
        lists = TopK(lists.users[rows], lists.items[rows], lists.scores[rows], notes)
        return World(lists, self.batch[rows], self.clicks[rows])


@pytest.fixture
def world(make_random, make_batch):
    """Twelve lists: u0 a stranger, u1 without and u2 with one candidate, u3 with ties, u4 unscored, u5 out of order."""
    lists, rng = make_random(12, WIDTH, N_ITEMS, seed=5), np.random.default_rng(2)
    items, scores = lists.items.copy(), lists.scores.copy()
    items[[0, 3, 4, 5, 6]] = [rng.permutation(N_ITEMS)[:WIDTH] for _ in range(5)]
    scores[[0, 3, 4, 5, 6]] = np.linspace(2, -1, WIDTH)
    items[1], scores[1] = -1, np.nan
    items[2, 1:], scores[2, 1:] = -1, np.nan
    items[2, 0], scores[2, 0] = 11, 0.5
    scores[3] = np.repeat([2, 1, -1], 5)
    scores[4, [2, 14]] = np.nan
    scores[5] = rng.permutation(scores[5])
    notes = {"item": items.copy(), "score": scores.copy(), "flag": (items >= 0) & (items % 2 == 1)}
    history = rng.integers(1, 5, (12, N_ITEMS)) * (rng.random((12, N_ITEMS)) < 0.2)
    history[0] = 0
    clicks = csr_matrix((rng.random((12, N_ITEMS)) < 0.05).astype(np.float32))
    return World(replace(lists, items=items, scores=scores, notes=notes), make_batch(history), clicks)


@pytest.fixture(params=RERANKERS)
def name(request):
    return request.param


@pytest.fixture
def rerank(name):
    """(world, k) -> lists, by a new reranker."""
    return lambda world, k: RERANKERS[name](world.clicks)(world.lists, world.batch, k)


def same(a: TopK, b: TopK):
    """Are two TopK equal to the bit, notes included?"""
    assert_array_equal(a.items, b.items)
    assert_array_equal(a.scores, b.scores)
    assert a.notes.keys() == b.notes.keys() and list(a.users) == list(b.users)
    for note in a.notes:
        assert_array_equal(a.notes[note], b.notes[note])


@pytest.mark.parametrize("k", [1, 6, WIDTH, WIDTH + 5])
def test_lists_have_k_places_with_padding_at_the_end(rerank, world, k):
    found = rerank(world, k)
    assert found.items.shape == (12, k) and found.items.dtype == np.int32 and found.scores.dtype == np.float32
    assert list(found.users) == list(world.lists.users)
    listed = found.items >= 0
    assert (listed[:, :-1] >= listed[:, 1:]).all()
    assert (found.items[~listed] == -1).all() and np.isnan(found.scores[~listed]).all()


@pytest.mark.parametrize("k", [1, 6, WIDTH + 5])
def test_no_item_twice_none_from_elsewhere_and_none_forgotten(name, rerank, world, k):
    for before, after in zip(world.lists.items, rerank(world, k).items):
        before, after = before[before >= 0], after[after >= 0]
        assert len(set(after)) == len(after)
        if name in RANDOM:
            assert set(after) <= {*before, *np.flatnonzero(POOL)} and len(after) >= min(k, len(before))
        else:
            assert set(after) <= set(before) and len(after) == min(k, len(before))


def test_scores_and_notes_stay_with_their_items(rerank, world):
    found = rerank(world, 10)
    for b in range(len(found)):
        score = dict(zip(world.lists.items[b], world.lists.scores[b]))
        for c, item in enumerate(found.items[b]):
            if item in score and item >= 0:
                assert_array_equal(found.scores[b, c], score[item])
                assert_array_equal(found.notes["score"][b, c], score[item])
                assert found.notes["item"][b, c] == item and found.notes["flag"][b, c] == item % 2


def test_the_arguments_stay_as_they_are(rerank, world):
    before = copy.deepcopy(world)
    for array in (world.lists.items, world.lists.scores, *world.lists.notes.values(), world.batch.history.data):
        array.flags.writeable = False
    rerank(world, 7)
    same(world.lists, before.lists)
    assert (world.batch.history != before.batch.history).nnz == 0


def test_nobody_asks(rerank, world):
    found = rerank(world.take(np.zeros(12, bool)), 3)
    assert found.items.shape == (0, 3) and found.notes["item"].shape == (0, 3)


def test_one_candidate_is_the_list(name, rerank, world):
    found = rerank(world, 2)
    assert name in RANDOM or found.items[2].tolist() == [11, -1]
    assert name in RANDOM or found.items[1].tolist() == [-1, -1]


@pytest.mark.parametrize("k, error", [(0, ValueError), (-1, ValueError), (2.5, TypeError), (True, TypeError)])
def test_a_list_has_at_least_one_place(rerank, world, k, error):
    with pytest.raises(error, match="k must be"):
        rerank(world, k)


def test_every_call_gives_the_same(rerank, world):
    same(rerank(world, 8), rerank(world, 8))


def test_lists_do_not_depend_on_who_else_asks(name, rerank, world):
    if name in RANDOM:
        pytest.skip("one stream of random numbers for the whole batch")
    whole = World(rerank(world, 8), world.batch, world.clicks)
    for rows in (np.arange(12)[::-1], np.array([4]), np.array([5, 0, 3, 3]), slice(6, 12)):
        same(rerank(world.take(rows), 8), whole.take(rows).lists)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_lists_do_not_depend_on_the_number_of_threads(rerank, world, n_threads, monkeypatch):
    whole = rerank(world, 8)
    monkeypatch.setattr(topk, "N_THREADS", n_threads)
    for module in [
        m for name, m in sys.modules.items() if name.startswith("reco_utils.rerank.") and hasattr(m, "CHUNK")
    ]:
        monkeypatch.setattr(module, "CHUNK", 2)
    same(rerank(world, 8), whole)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda reranker: pickle.loads(pickle.dumps(reranker))])
def test_a_copy_does_the_same(name, world, copied):
    reranker = RERANKERS[name](world.clicks)
    twin = copied(reranker)
    same(reranker(world.lists, world.batch, 8), twin(world.lists, world.batch, 8))


@pytest.mark.parametrize("who", IDENTITY)
@pytest.mark.parametrize("k", [4, WIDTH, WIDTH + 2])
def test_relevance_only_leaves_every_list_as_it_is(who, world, k):
    found, kept = IDENTITY[who](world.lists, world.batch, k), min(k, WIDTH)
    same(found.cut(kept), world.lists.cut(kept))
    assert (found.items[:, kept:] == -1).all()
