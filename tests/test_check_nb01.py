"""Notebook 01's graders: right answers pass, typical wrong ones get the advice that fits them."""

import numpy as np
import pandas as pd
import pytest

from reco_utils.check import Wrong, check, exercises


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("01") == ("01.1", "01.2", "01.3", "01.4")
    for exercise in exercises("01"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 4


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


# -------------------------------------------------------------------------------------------------------------- 01.1
def test_the_half_life_is_the_log_of_two_over_the_rate(capsys):
    check("01.1", lambda rate: np.log(2) / rate)
    assert "01.1: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda rate: 1 / rate, "0.37 of the weight is left"),
        (lambda rate: np.log(2) * rate, "the half-life must become shorter"),
        (lambda rate: 0.5 / rate, "after your 50 days is 0.607, not 0.5"),
    ],
)
def test_a_wrong_half_life_is_put_into_the_formula(answer, advice):
    expect("01.1", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 01.2
def capped(events, weights, cap):
    worth = events.assign(weight=events["event"].map(weights))
    by_type = worth.groupby(["user_id", "item_id", "event"])["weight"].sum().reset_index()
    by_type["weight"] = np.minimum(by_type["weight"], by_type["event"].map(cap).fillna(np.inf))
    return by_type.groupby(["user_id", "item_id"])["weight"].sum()


def uncapped(events, weights, cap):
    return events["event"].map(weights).groupby([events["user_id"], events["item_id"]]).sum()


@pytest.mark.parametrize(
    "shape",
    [pd.Series.copy, pd.Series.reset_index, pd.Series.to_dict, pd.Series.unstack, pd.Series.to_frame],
    ids=["series", "table", "mapping", "matrix", "indexed table"],
)
def test_capped_weights_may_come_in_any_shape(shape, capsys):
    check("01.2", lambda *args: shape(capped(*args)))
    assert "01.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (uncapped, "the cap is not applied"),
        (lambda e, w, cap: uncapped(e, w, cap).clip(upper=2), "not the sum of all its events"),
        (lambda e, w, cap: capped(e, w, {"view": 2, "add_to_cart": 2}), "a type without a cap keeps its sum"),
        (lambda e, w, cap: uncapped(e.drop_duplicates(), w, cap), "did you keep one view"),
        (
            lambda e, w, cap: e["event"].map(w).groupby([e["user_id"], e["item_id"]]).mean(),
            "is an average of its events",
        ),
        (lambda e, w, cap: capped(e, w, {"view": 2}), "with no cap at all"),
        (lambda e, w, cap: capped(e, w, cap) + 1, "ann and pot get 2"),
    ],
    ids=["uncapped", "total capped", "carts capped", "duplicates dropped", "mean", "cap built in", "something else"],
)
def test_each_way_to_cap_wrongly_gets_its_own_advice(answer, advice):
    expect("01.2", answer, advice)


def test_a_changed_ledger_is_noticed():
    def careless(events, weights, cap):
        events["weight"] = 1
        return capped(events, weights, cap)

    expect("01.2", careless, "the caller's table was changed")


# -------------------------------------------------------------------------------------------------------------- 01.3
def cold(events, at):
    after = set(events.loc[events["timestamp"] > at, "user_id"])
    return len(after - set(events.loc[events["timestamp"] <= at, "user_id"])) / len(after)


def test_the_cold_share_is_one_of_users(capsys):
    check("01.3", cold)
    assert "01.3: correct. Three of the five" in capsys.readouterr().out


def with_the_cut_in_the_test(events, at):
    before, after = events[events["timestamp"] < at], events[events["timestamp"] >= at]
    return len(set(after["user_id"]) - set(before["user_id"])) / after["user_id"].nunique()


def of_events(events, at):
    before, after = events[events["timestamp"] <= at], events[events["timestamp"] > at]
    return (~after["user_id"].isin(before["user_id"])).mean()


def of_all_users(events, at):
    return cold(events, at) * 5 / events["user_id"].nunique()


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (with_the_cut_in_the_test, "ben's event at the cut itself is training"),
        (of_events, "count each user once"),
        (of_all_users, "eve and gil never come back"),
        (lambda events, at: 1 - cold(events, at), "share of warm users"),
        (lambda events, at: 100 * cold(events, at), "between 0 and 1"),
        (lambda events, at: 0.123, "got 0.123; after 2024-05-10 five users"),
    ],
)
def test_each_way_to_count_cold_users_wrongly_gets_its_own_advice(answer, advice):
    expect("01.3", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 01.4
def by_row(events, share):
    cut = int(len(events) * (1 - share))
    return events.iloc[:cut], events.iloc[cut:]


def in_time(events, share):
    at = events["timestamp"].sort_values().iloc[int(len(events) * (1 - share)) - 1]
    return events[events["timestamp"] <= at], events[events["timestamp"] > at]


@pytest.mark.parametrize(
    "answer",
    [
        in_time,
        lambda events, share: in_time(events.sort_values("timestamp", ignore_index=True), share),
        lambda e, share: (
            e[e["timestamp"] < e["timestamp"].quantile(1 - share)],
            e[e["timestamp"] >= e["timestamp"].quantile(1 - share)],
        ),
    ],
    ids=["ties train", "renumbered", "ties test"],
)
def test_any_cut_at_an_instant_passes(answer, capsys):
    check("01.4", answer)
    assert "01.4: correct" in capsys.readouterr().out


def drop_ties(events, share):
    train, test = by_row(events.sort_values("timestamp"), share)
    return train[train["timestamp"] < test["timestamp"].min()], test


def sort_in_place(events, share):
    events["timestamp"] = sorted(events["timestamp"])
    return in_time(events, share)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (by_row, "are the rows in time order"),
        (lambda events, share: by_row(events.sort_values("timestamp"), share), "stand on both sides"),
        (drop_ties, "do not make up the 10"),
        (sort_in_place, "sort a copy"),
        (lambda events, share: in_time(events, 0.1), "1 of 10 events are in the test part"),
        (lambda events, share: (events, events.iloc[:0]), "one of the two parts is empty"),
    ],
    ids=["unsorted", "ties", "dropped", "in place", "share ignored", "empty"],
)
def test_each_way_to_split_wrongly_gets_its_own_advice(answer, advice):
    expect("01.4", answer, advice)


def test_a_split_the_wrong_way_round_is_named():
    expect("01.4", lambda events, share: in_time(events, share)[::-1], "the wrong way round")


# ---------------------------------------------------------------------------------------------- answers of other shapes
@pytest.mark.parametrize("exercise", exercises("01"))
def test_a_value_instead_of_a_function_is_named(exercise):
    expect(exercise, 0.5, "hand in the function itself, not what it returns: got 0.5")


@pytest.mark.parametrize("exercise", exercises("01"))
def test_an_error_inside_the_function_is_shown_with_the_hint(exercise):
    expect(exercise, lambda *given: 1 / 0, "ZeroDivisionError: division by zero. Hint: ")


def numbers(*given):
    yield 1.0


@pytest.mark.parametrize(
    "found", ["hello", float("nan"), [1, 2], pd.Series([1.0])], ids=["text", "nan", "list", "series"]
)
@pytest.mark.parametrize("exercise", ["01.1", "01.3"])
def test_what_is_no_number_is_named(exercise, found):
    expect(
        exercise, lambda *given: found, "must return one number, the (number of days|share of cold users); it returned"
    )
    expect(exercise, numbers, "it returned a generator")


@pytest.mark.parametrize(
    ("shape", "advice"),
    [
        (lambda weights: "hello", "return a Series indexed by user and item, or a table with a 'weight'; got 'hello'"),
        (lambda weights: weights.tolist(), "got a list of 4"),
        (lambda weights: weights.reset_index(drop=True), "got a Series"),
        (lambda weights: weights.iloc[1:], "ann and pot have events, but no weight in your answer"),
        (lambda weights: pd.concat({"view": weights}), "add them up over the types"),
        (lambda weights: weights.rename("sum").reset_index().assign(n=1), r"there are \['sum', 'n'\]"),
        (lambda weights: weights.astype(str), "must return one number, the weight of a pair; it returned '1.0'"),
    ],
    ids=["text", "list", "no index", "a pair missing", "per type", "two columns", "text weights"],
)
def test_capped_weights_of_another_shape_are_told_what_is_wanted(shape, advice):
    expect("01.2", lambda *args: shape(capped(*args)), advice)


@pytest.mark.parametrize(
    "shape",
    [
        lambda weights: weights.reset_index()[["weight", "item_id", "user_id"]],
        lambda weights: weights.reorder_levels([1, 0]),
        lambda weights: weights.unstack().T,
        lambda weights: weights.rename("sum").reset_index().assign(note="x"),
    ],
    ids=["columns in another order", "item first", "items by users", "column of another name"],
)
def test_the_order_of_columns_and_levels_does_not_matter(shape, capsys):
    check("01.2", lambda *args: shape(capped(*args)))
    assert "01.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (
            lambda events, share: "hello",
            "two tables with all columns of events, training and test; it returned 'hello'",
        ),
        (lambda events, share: events, "it returned a DataFrame"),
        (lambda events, share: (events["timestamp"] < "2024-05-06", 0), "it returned a Series and 0"),
        (lambda events, share: [events[["timestamp"]]] * 2, "it returned a DataFrame and a DataFrame"),
    ],
    ids=["text", "one table", "a mask", "columns lost"],
)
def test_what_is_no_pair_of_tables_is_named(answer, advice):
    expect("01.4", answer, advice)


def test_two_tables_may_come_one_by_one(capsys):
    check("01.4", lambda events, share: (part for part in in_time(events, share)))
    assert "01.4: correct" in capsys.readouterr().out
