"""Users who leave no trace, and everybody else's lists, which stay what they were."""

import os
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from reco_utils.core import TopK, recommend
from reco_utils.models.content import ContentRecommender
from reco_utils.models.ials import IALSRecommender
from reco_utils.models.knn import ItemKNNRecommender, UserKNNRecommender
from reco_utils.serve.artifact import ArtifactError, check, forget_user, load, save, train, versions

NOON = 1_750_000_000  # when the training of `trained` began


def lists_of(artifact, users, **options):
    return artifact.pipeline(artifact.data.batch(users, **options), 10)


def assert_same_lists(one: TopK, two: TopK):
    assert one.items.tobytes() == two.items.tobytes()
    assert one.scores.tobytes() == two.scores.tobytes()


def files_that_hold(home, text) -> list[str]:
    return [str(path) for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def only(home) -> str:
    return versions(home)["version"].item()


@pytest.fixture(scope="module")
def gone(trained):
    """A user who bought something."""
    return trained.data.users[np.flatnonzero(np.diff(trained.data.seen.indptr))[0]]


def assert_forgotten(artifact, user, row):
    assert not artifact.knows(user)
    assert artifact.data.users[row].startswith("forgotten-")
    assert artifact.data.weights[row].nnz == artifact.data.seen[row].nnz == 0
    assert artifact.data.profiles.drop(columns="user_id").iloc[row].isna().all()
    assert (artifact.candidates.items[row] == -1).all()
    assert artifact.candidates.users[row] == artifact.features["user_id"][row] == artifact.data.users[row]
    assert np.isnan(artifact.embeddings[row]).all()
    factors = artifact.pipeline.model.bands_[1].model.collab_.collab_
    assert np.isnan(factors.user_factors_[row]).all()
    assert factors.histories_[row] == 0


def test_a_forgotten_user_is_in_no_byte_of_the_store(trained, home, gone):
    save(trained, home)
    assert files_that_hold(home, gone)
    removed = forget_user(home, gone)
    row = trained.data.users.get_loc(gone)
    assert set(removed) == set(versions(home)["version"])
    for found in removed.values():
        assert found["weights"] == trained.data.weights[row].nnz > 0
        assert found["seen"] == trained.data.seen[row].nnz > 0
        assert found["candidates"] == 100
        assert found["profiles"] == found["features"] == found["embeddings"] == 1
    assert files_that_hold(home, gone) == []
    for version in removed:
        assert_forgotten(load(home, version), gone, row)


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_the_lists_of_all_others_are_bit_for_bit_what_they_were(trained, home, gone, where):
    if where == "disk":
        forget_user(home, gone)
    less = load(home) if where == "disk" else trained.forget([gone])
    others = [*trained.data.users.drop(gone), "a stranger"]
    assert_same_lists(lists_of(less, others), lists_of(trained, others))
    rows = trained.data.users != gone
    assert less.candidates.items[rows].tobytes() == trained.candidates.items[rows].tobytes()
    assert less.candidates.scores[rows].tobytes() == trained.candidates.scores[rows].tobytes()
    assert less.embeddings[rows].tobytes() == trained.embeddings[rows].tobytes()
    features, before = (frame[rows].drop(columns="user_id") for frame in (less.features, trained.features))
    assert features.equals(before)
    assert check(less) == []


def test_the_forgotten_user_gets_what_a_stranger_gets(trained, gone):
    less = trained.forget([gone])
    one, two = (lists_of(less, [who]) for who in (gone, "nobody ever"))
    assert_same_lists(one, two)


def test_forgetting_changes_a_copy_and_not_the_artifact(trained, gone):
    before = lists_of(trained, [gone])
    less = trained.forget([gone])
    assert less is not trained
    assert trained.knows(gone)
    assert_same_lists(lists_of(trained, [gone]), before)
    assert less.similar is trained.similar  # what knows no user is shared
    assert less.pipeline.model.bands_[0].model.data is less.data
    assert trained.forget(["nobody"]) is trained


def test_forgetting_twice_or_a_stranger_removes_nothing_more(home, gone):
    assert forget_user(home, gone)[only(home)]
    assert forget_user(home, gone) == {only(home): {}}
    assert forget_user(home, "nobody") == {only(home): {}}


def test_a_loaded_artifact_goes_on_while_its_files_are_replaced(trained, home, gone):
    mapped = load(home)
    forget_user(home, gone)
    users = trained.data.users[:50]
    assert_same_lists(lists_of(mapped, users), lists_of(trained, users))


def test_who_was_forgotten_during_a_training_is_not_in_what_it_saves(trained, home, gone):
    forget_user(home, gone, clock=lambda: NOON + 60)
    version = save(trained, home)  # its training began at NOON
    assert files_that_hold(home, gone) == []
    assert_forgotten(load(home, version), gone, trained.data.users.get_loc(gone))


def test_who_comes_back_after_being_forgotten_may_be_trained_on(trained, home, gone):
    forget_user(home, gone, clock=lambda: NOON - 60)
    assert load(home, save(trained, home)).knows(gone)


def test_a_version_that_cannot_be_read_is_named_and_all_others_are_done(trained, home, gone):
    good, bad = only(home), save(trained, home)
    (home / bad / "manifest.json").write_text("{")
    with pytest.raises(ArtifactError, match=f"forgotten in 1 versions, but these cannot be read .*{bad}"):
        forget_user(home, gone)
    assert not load(home, good).knows(gone)


def test_a_disk_that_fills_up_while_forgetting_keeps_the_version_whole(home, gone, monkeypatch):
    real, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > 6:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        forget_user(home, gone)
    monkeypatch.setattr(os, "fsync", real)
    assert load(home).knows(gone)  # not done, and not said to be
    forget_user(home, gone)
    assert files_that_hold(home, gone) == []


@pytest.mark.parametrize(
    "model",
    [UserKNNRecommender(weighting="none"), UserKNNRecommender(similarity="jaccard", min_overlap=2)],
    ids=["cosine", "jaccard"],
)
def test_a_user_knn_that_forgot_is_one_that_never_knew(trained, gone, model):
    data = trained.data
    row = data.users.get_loc(gone)
    forgetful = replace(model).fit(data)
    forgetful.forget(np.array([row]))
    less = trained.forget([gone]).data
    anew = replace(model).fit(less)
    batch = less.batch([*less.users, "a stranger"], history=[list(data.items[:3])] * 501)
    assert_same_lists(recommend(forgetful, batch, 20), recommend(anew, batch, 20))
    found, _ = forgetful.neighbors(batch)
    assert not (found == row).any()


def test_an_item_knn_forgets_who_had_what_and_scores_as_before(trained, gone):
    data = trained.data
    row = data.users.get_loc(gone)
    model = ItemKNNRecommender(weighting="none").fit(data)
    batch = data.batch(data.users)
    before = recommend(model, batch, 20)
    model.forget(np.array([row]))
    assert_same_lists(recommend(model, batch, 20), before)
    assert not (model.users_.indices == row).any()
    anew = ItemKNNRecommender(weighting="none").fit(trained.forget([gone]).data)
    for one, two in zip(model.similar_items(np.arange(300), 10), anew.similar_items(np.arange(300), 10)):
        assert_array_equal(one, two)


def test_a_factor_model_forgets_the_factors_and_folds_in_who_asks_again(trained, gone):
    data = trained.data
    row = data.users.get_loc(gone)
    model = IALSRecommender(8, n_iterations=2).fit(data)
    before, factors = model.score(data.batch(data.users)), model.user_factors_
    model.forget(np.array([row]))
    assert np.isnan(model.user_factors_[row]).all()
    assert not np.isnan(factors[row]).any()  # the old array is left as it was
    after = model.score(data.batch(data.users))
    rows = data.users != gone
    assert after[rows].tobytes() == before[rows].tobytes()
    np.testing.assert_allclose(after[row], before[row], rtol=1e-5)


def test_content_alone_is_no_reason_to_copy_anything(small_shop):
    made = train(small_shop, model=ContentRecommender(), rerankers=(), measure=False)
    assert made.forget([made.data.users[3]]).pipeline is made.pipeline
