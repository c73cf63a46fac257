"""What a training makes: parts that belong together, nothing from the future, and reasons not to serve it."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from reco_utils.core import Pipeline, TopK, recommend
from reco_utils.data.privacy import forget_events
from reco_utils.models.cascade import CascadeRecommender
from reco_utils.models.ials import IALSRecommender
from reco_utils.models.popularity import PopularityRecommender
from reco_utils.rerank.mmr import MMR
from reco_utils.serve.artifact import check, train


def lists_of(artifact, users, **options):
    return artifact.pipeline(artifact.data.batch(users, **options), 10)


def assert_same_lists(one: TopK, two: TopK):
    assert one.items.tobytes() == two.items.tobytes()
    assert one.scores.tobytes() == two.scores.tobytes()


def test_every_user_s_candidates_are_the_model_s_before_reranking(trained):
    model, data = trained.pipeline.model, trained.data
    wanted = recommend(model, data.batch(data.users), 100)
    assert_same_lists(trained.candidates, wanted)
    assert_array_equal(trained.candidates.notes["step"], model.steps(wanted))
    assert trained.candidates.users.equals(data.users)


def test_the_fallback_begins_with_what_most_users_have(trained):
    users = np.bincount(trained.data.weights.indices, minlength=len(trained.data.items))[trained.popular]
    assert (np.diff(users) <= 0).all()
    assert_array_equal(np.sort(trained.popular), np.arange(300))
    ties = np.diff(users) == 0
    assert (np.diff(trained.popular)[ties] > 0).all()


def test_users_without_history_have_no_embedding_and_others_their_factors(trained):
    cold = np.diff(trained.data.weights.indptr) == 0
    assert trained.embeddings.shape == (500, 64)
    assert trained.embeddings.dtype == np.float32
    assert_array_equal(np.isnan(trained.embeddings).all(axis=1), cold)
    assert_array_equal(np.isnan(trained.embeddings).any(axis=1), cold)


@pytest.mark.parametrize("n_factors", [8, 64, 80])
def test_embeddings_are_padded_with_zeros_or_cut_to_the_strongest_axes(small_shop, n_factors):
    made = train(small_shop, model=IALSRecommender(n_factors, n_iterations=2), measure=False)
    users = made.pipeline.model.user_factors_
    warm = ~np.isnan(users[:, 0])
    assert_array_equal(made.embeddings[:, : min(n_factors, 64)], users[:, -64:])
    assert (made.embeddings[warm][:, n_factors:] == 0).all()


def test_a_model_without_factors_has_no_embeddings(small_shop):
    made = train(small_shop, model=PopularityRecommender(), rerankers=(), measure=False)
    assert np.isnan(made.embeddings).all()
    assert "step" not in made.candidates.notes


def test_features_have_a_row_per_user_in_their_order(trained):
    assert trained.features["user_id"].tolist() == trained.data.users.tolist()


def test_the_manifest_says_what_was_trained(trained):
    told = trained.manifest
    assert datetime.fromisoformat(told.trained_at).timestamp() == 1_750_000_000
    assert (told.n_users, told.n_items) == (500, 300)
    assert told.asof == trained.data.asof.isoformat()
    assert told.models["steps"] == ["cohort", "hybrid"]
    assert told.models["rerankers"] == ["MMR"]
    assert told.versions["numpy"] == np.__version__
    assert 0 < told.metrics["popularity ndcg@10"] < told.metrics["ndcg@10"] < 1
    assert 0 < told.metrics["coverage@10"] <= 1
    assert told.metrics["users"] > 50


def test_the_default_is_the_cascade_as_it_is_and_mmr_on_words(trained):
    data = trained.data
    plainly = CascadeRecommender().fit(data)
    batch = data.batch([*data.users, "a stranger"])
    assert_same_lists(recommend(trained.pipeline.model, batch, 10), recommend(plainly, batch, 10))
    (mmr,) = trained.pipeline.rerankers
    assert isinstance(mmr, MMR)
    assert mmr.lam == 0.7
    assert mmr.vectors is trained.similar.vectors_
    parts = [band.model for band in trained.pipeline.model.bands_]
    assert parts[1].collab_.content_.model is trained.similar  # fitted once


def test_rerankers_can_be_a_function_of_the_data_or_none(small_shop):
    made = train(
        small_shop, model=PopularityRecommender(), rerankers=lambda d: [MMR(np.eye(len(d.items)))], measure=False
    )
    assert made.pipeline.rerankers[0].vectors.shape == (300, 300)
    assert train(small_shop, model=PopularityRecommender(), rerankers=(), measure=False).pipeline.rerankers == ()


def test_the_given_model_stays_unfitted(small_shop):
    model = PopularityRecommender()
    train(small_shop, model=model, rerankers=(), measure=False)
    assert not hasattr(model, "scores_")


def test_nothing_after_asof_is_inside(small_shop):
    asof = pd.Timestamp("2025-03-01")
    made = train(small_shop, asof=asof, model=PopularityRecommender(), rerankers=())
    assert made.data.asof == asof
    assert made.data.last.max() <= asof.to_datetime64()
    assert made.manifest.metrics  # measured on the weeks before asof
    past = replace(small_shop, events=small_shop.events[small_shop.events["timestamp"] <= asof])
    earlier = train(past, asof=asof, model=PopularityRecommender(), rerankers=())
    assert earlier.manifest.metrics == made.manifest.metrics
    assert earlier.manifest.data_hash == made.manifest.data_hash


def test_the_same_data_has_the_same_hash_and_other_data_another(small_shop, trained):
    again = train(small_shop, model=PopularityRecommender(), rerankers=(), measure=False)
    assert again.manifest.data_hash == trained.manifest.data_hash
    fewer = forget_events(small_shop, [trained.data.users[0]])
    other = train(fewer, model=PopularityRecommender(), rerankers=(), measure=False)
    assert other.manifest.data_hash != trained.manifest.data_hash


def test_words_are_taken_over_while_the_catalogue_is_the_same(small_shop, trained):
    again = train(
        small_shop, previous=replace(trained, manifest=replace(trained.manifest, version="v1")), measure=False
    )
    assert again.similar is trained.similar
    assert again.manifest.models["content"] == "taken over from v1"
    users = trained.data.users[:50]
    assert_same_lists(lists_of(again, users), lists_of(trained, users))
    catalog = small_shop.catalog.copy()
    catalog.loc[0, "title"] = "something else"
    changed = train(replace(small_shop, catalog=catalog), previous=trained, measure=False)
    assert changed.similar is not trained.similar
    assert changed.manifest.models["content"] == "fitted"


# ---------------------------------------------------------------------------------------------------------------- check
def test_a_good_artifact_has_nothing_against_it(trained):
    assert check(trained) == []
    assert check(trained, trained) == []


def with_metrics(artifact, **values):
    metrics = artifact.manifest.metrics | {f"{name}@10": value for name, value in values.items()}
    return replace(artifact, manifest=replace(artifact.manifest, metrics=metrics))


def test_a_worse_one_is_not_published(trained):
    better = with_metrics(trained, ndcg=0.1801, coverage=0.2)
    worse = with_metrics(trained, ndcg=0.162, coverage=0.2)
    assert check(worse, better) == ["ndcg@10 fell from 0.1801 to 0.1620, by more than a tenth"]
    assert check(with_metrics(trained, ndcg=0.163, coverage=0.2), better) == []
    assert check(with_metrics(trained, coverage=0.1), with_metrics(trained, coverage=0.2)) == [
        "coverage@10 fell from 0.2000 to 0.1000, by more than a tenth"
    ]
    assert check(with_metrics(trained, ndcg=float("nan")))[0].startswith("NDCG@10 is nan")
    assert check(with_metrics(trained, ndcg=0.01))[0].startswith("NDCG@10 is 0.0100, that of popularity")


def test_a_shrunken_or_older_one_is_not_published(trained):
    large = replace(trained, manifest=replace(trained.manifest, n_items=601, n_users=1000, asof="2030-01-01"))
    reasons = check(trained, large)
    assert reasons[0] == "n_items fell from 601 to 300, by more than a half"
    assert reasons[1].startswith("its data ends at 2025-06-30")
    assert len(reasons) == 2


class Silent:
    """A model that has no opinion on anything."""

    def score(self, batch):
        return np.full(batch.history.shape, np.nan, np.float32)


def test_empty_lists_and_broken_scores_are_named(trained):
    mute = replace(trained, pipeline=Pipeline(Silent()))
    assert check(mute) == ["201 of 201 lists that were tried are empty"]
    scores = trained.candidates.scores.copy()
    scores[3, :2] = np.nan
    items = trained.candidates.items.copy()
    items[5] = -1
    odd = replace(trained, candidates=TopK(trained.data.users, items, scores))
    assert check(odd) == ["2 candidates have no finite score", "1 of 500 users have no candidates"]
    assert check(replace(trained, popular=trained.popular[1:])) == ["the fallback does not hold every item once"]


def test_a_list_of_what_the_user_has_is_named(trained):
    def owned(lists, batch, k):
        items = lists.items[:, :k].copy()
        row = np.flatnonzero(np.diff(batch.seen.indptr))[0]
        items[row, 0] = batch.seen[row].indices[0]
        items[0, 1] = items[0, 0]
        return TopK(lists.users, items, lists.scores[:, :k])

    wrong = replace(trained, pipeline=replace(trained.pipeline, rerankers=(owned,)))
    assert check(wrong) == ["a list holds an item twice", "a list holds what its user already has"]
