"""Popularity: counts that can be read off a table of five rows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reco_utils.core import recommend
from reco_utils.models.popularity import CohortRecommender, PopularityRecommender, cohort_keys


def test_the_score_is_the_number_of_users_whatever_their_weights(five):
    scores = PopularityRecommender().fit(five).score(five.batch(["ann", "nobody"]))
    assert_array_equal(scores, [[3, 3, 2, 2, 0]] * 2)


def test_everybody_gets_the_same_list_less_what_they_have(five):
    lists = recommend(PopularityRecommender().fit(five), five.batch(["eve", "ann"]), 3)
    assert_array_equal(lists.items, [[0, 1, 2], [2, 3, 4]])  # equal counts: the lower position first


def test_the_window_counts_pairs_touched_inside_it_and_at_its_edge(make_data):
    data = make_data(np.ones((3, 2)), days_ago=[[0, 7], [6, 7.5], [8, 100]])
    scores = PopularityRecommender(window_days=7).fit(data).score(data.batch(["u0"]))
    assert_array_equal(scores, [[2, 1]])


@pytest.fixture
def towns(make_data):
    """Five people of Leeds like i0, two of York like i1, one who lives nowhere likes i2."""
    weights = [[1, 0, 0, 0]] * 5 + [[0, 1, 0, 0]] * 2 + [[0, 0, 1, 0]]
    return make_data(weights, profiles={"location": ["Leeds"] * 5 + ["York"] * 2 + [None]})


def test_a_cohort_comes_first_and_the_whole_breaks_its_ties(towns):
    model = PopularityRecommender(by=("location",), min_users=2).fit(towns)
    scores = model.score(towns.batch(["u0", "u5"]))
    assert_allclose(scores, [[5 + 5 / 9, 2 / 9, 1 / 9, 0], [5 / 9, 2 + 2 / 9, 1 / 9, 0]], rtol=1e-6)


def test_a_small_cohort_and_an_unknown_place_fall_back_to_the_whole(towns):
    model = PopularityRecommender(by=("location",), min_users=3).fit(towns)
    whole = [5, 2, 1, 0]
    assert_array_equal(model.score(towns.batch(["u5", "u7", "nobody"])), [whole] * 3)


def test_a_user_who_took_nothing_does_not_make_a_cohort_larger(make_data):
    data = make_data([[1], [0], [0]], profiles={"location": ["Leeds"] * 3})
    assert list(PopularityRecommender(by=("location",), min_users=2).fit(data).cohorts_) == []


def test_a_stranger_with_a_profile_gets_the_list_of_their_cohort(towns):
    model = PopularityRecommender(by=("location",), min_users=2).fit(towns)
    batch = towns.batch(["nobody"], profiles=pd.DataFrame({"location": ["York"]}))
    assert recommend(model, batch, 1).items[0, 0] == 1


def test_a_profile_without_the_column_gets_the_whole(towns):
    model = PopularityRecommender(by=("location",), min_users=2).fit(towns)
    batch = towns.batch(["nobody"], profiles=pd.DataFrame({"gender": ["f"]}))
    assert_array_equal(model.score(batch), [[5, 2, 1, 0]])


def test_ages_are_banded_by_tens_and_a_gap_makes_no_cohort():
    profiles = pd.DataFrame({"age": [29.0, 30, 39, np.nan], "gender": pd.Categorical(["f", "m", None, "f"])})
    assert list(cohort_keys(profiles, ("age",)))[:3] == ["20-29", "30-39", "30-39"]
    assert list(cohort_keys(profiles, ("age", "gender")).isna()) == [False, False, True, True]
    assert cohort_keys(profiles, ("age", "gender"))[1] == "30-39 | m"


def test_without_cohorts_a_large_batch_takes_no_memory(five):
    scores = PopularityRecommender().fit(five).score(five.batch(["ann"] * 1000))
    assert scores.strides[0] == 0


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"window_days": 0}, ValueError, "window_days must be above 0, or None for all time, got 0"),
        (
            {"by": "location"},
            TypeError,
            r"got 'location'; write \('location',\)",
        ),
        ({"min_users": 0}, ValueError, "min_users must be at least 1, got 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        PopularityRecommender(**options)


def test_a_column_the_profiles_lack_is_named(towns):
    with pytest.raises(ValueError, match=r"profiles lack \['age'\]; by may name \['location'\]"):
        PopularityRecommender(by=("age",)).fit(towns)


# ------------------------------------------------------------------------------------------- cohorts, column by column
def lift(in_cohort, cohort, overall, everybody=8, prior=2):
    """(users of the cohort with the item + prior * share) / ((users of the cohort + prior) * share)."""
    share = overall / everybody
    return (in_cohort + prior * share) / ((cohort + prior) * share)


def cohorts(data, *columns, **options):
    return CohortRecommender(columns, **{"prior_users": 2, "min_users": 2, **options}).fit(data)


def test_a_cohort_multiplies_popularity_by_its_lift(towns):
    scores = cohorts(towns, "location").score(towns.batch(["u0", "u5"]))
    leeds = [5 * lift(5, 5, 5), 2 * lift(0, 5, 2), 1 * lift(0, 5, 1), 0]
    york = [5 * lift(0, 2, 5), 2 * lift(2, 2, 2), 1 * lift(0, 2, 1), 0]
    assert_allclose(scores, [leeds, york], rtol=1e-6)


def test_an_item_with_one_owner_has_its_own_share(make_data):
    data = make_data([[1, 0], [0, 1], [0, 1]], profiles={"location": ["Leeds", "Leeds", "York"]})
    scores = cohorts(data, "location", min_users=1).score(data.batch(["u0"]))
    assert_allclose(scores, [[1 * lift(1, 2, 1, everybody=3), 2 * lift(1, 2, 2, everybody=3)]], rtol=1e-6)


def test_each_known_column_has_a_lift_of_its_own(towns):
    ages = [25.0, 25, 35, 35, 35, 25, 35, np.nan]
    data = towns.__class__(**{**vars(towns), "profiles": towns.profiles.assign(age=ages)})
    scores = cohorts(data, "location", "age").score(data.batch(["u0", "u5", "u7"]))[:, 0]
    twenties = lift(2, 3, 5)  # three people in their twenties, two of them took i0
    assert_allclose(scores, [5 * lift(5, 5, 5) * twenties, 5 * lift(0, 2, 5) * twenties, 5], rtol=1e-6)


@pytest.mark.parametrize("columns, options", [((), {}), (("age",), {}), (("location",), {"min_users": 6})])
def test_without_a_known_or_large_enough_cohort_it_is_plain_popularity(columns, options, towns):
    model = cohorts(towns, *columns, **options)
    assert_array_equal(model.score(towns.batch(["u0", "u7", "nobody"])), [[5, 2, 1, 0]] * 3)


def test_much_prior_evidence_makes_everybody_alike(towns):
    scores = cohorts(towns, "location", prior_users=1e9).score(towns.batch(["u0", "u5"]))
    assert_allclose(scores, [[5, 2, 1, 0]] * 2, rtol=1e-4)


def test_a_stranger_with_half_a_profile_is_served_by_that_half(towns):
    data = towns.__class__(**{**vars(towns), "profiles": towns.profiles.assign(age=40.0)})
    model = cohorts(data, "location", "age")
    profiles = pd.DataFrame({"age": [np.nan], "location": ["York"]})
    half = model.score(data.batch(["nobody"], profiles=profiles))
    assert_array_equal(half, cohorts(data, "location").score(data.batch(["u5"])))


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"columns": "age"}, TypeError, r"got 'age'; write \('age',\)"),
        ({"prior_users": 0}, ValueError, "prior_users must be a finite number above 0, got 0"),
        ({"min_users": 0}, ValueError, "min_users must be at least 1, got 0"),
    ],
)
def test_cohort_options_that_mean_nothing_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        CohortRecommender(**options)
