"""Graders of notebook 01: half-lives, capped weights, cold users, and a split that cuts ties apart."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from reco_utils.check import Wrong, grader
from reco_utils.core import EVENT, ITEM, TIME, USER


@grader("01.1", hint="solve exp(-rate * days) = 1/2 for the days")
def half_life(answer):
    for rate in (0.01, 0.1, 2.0):
        days, right = _number(_function(answer)(rate), "number of days"), np.log(2) / rate
        if np.isclose(days, right, rtol=1e-3):
            continue
        if np.isclose(days, 1 / rate, rtol=1e-3):
            raise Wrong(f"after {days:g} days exp(-1) = 0.37 of the weight is left, which is less than half")
        if np.isclose(days, np.log(2) * rate, rtol=1e-3):
            raise Wrong("a larger rate forgets faster, so the half-life must become shorter; yours becomes longer")
        left = np.exp(-rate * days)
        raise Wrong(f"with rate {rate:g}, exp(-rate * days) after your {days:g} days is {left:.3g}, not 0.5")
    return "A rate of 0.01 a day sounds slow, but it halves an event's weight every 69.3 days."


# user, item, event: eleven events; asked with weights view 1, cart 3, purchase 5 and a cap of 2 on views
_LEDGER = [
    *[("ann", "tea", "view")] * 5, ("ann", "tea", "purchase"), ("ann", "pot", "view"),
    ("ben", "tea", "add_to_cart"), ("ben", "tea", "add_to_cart"), ("ben", "pot", "view"), ("ben", "pot", "view"),
]  # fmt: skip
_WEIGHTS = {"view": 1, "add_to_cart": 3, "purchase": 5}
_RIGHT = {("ann", "pot"): 1, ("ann", "tea"): 7, ("ben", "pot"): 2, ("ben", "tea"): 6}
_MISTAKES = [  # what ann's tea (5 views and a purchase), ben's tea (two carts) become, and why
    ({("ann", "tea"): 10}, "ann's five views of tea still count 5: the cap is not applied"),
    (
        {("ann", "tea"): 2},
        "ann's purchase of tea is lost: cut the sum of a pair's views, not the sum of all its events",
    ),
    ({("ben", "tea"): 2}, "ben's two carts are cut too, but only views have a cap; a type without a cap keeps its sum"),
    ({("ann", "tea"): 6}, "ann's tea is 6: did you keep one view instead of views worth 2?"),
    ({("ann", "tea"): 10 / 6}, "ann's tea is an average of its events; weights are added up"),
]


@grader("01.2", hint="sum the weights per user, item and event type; cut the capped types; then sum over the types")
def capped_weights(answer):
    events = pd.DataFrame(_LEDGER, columns=[USER, ITEM, EVENT])
    before = events.copy()
    found = _as_pairs(_function(answer)(events, _WEIGHTS, {"view": 2}))
    if not events.equals(before):
        raise Wrong("the caller's table was changed; work on a copy, e.g. events.assign(...)")
    if gone := [pair for pair in _RIGHT if pair not in found]:
        raise Wrong(f"{gone[0][0]} and {gone[0][1]} have events, but no weight in your answer")
    for mistake, advice in _MISTAKES:
        if all(np.isclose(found[pair], value) for pair, value in mistake.items()):
            raise Wrong(advice)
    for (user, item), right in _RIGHT.items():
        if not np.isclose(found[user, item], right):
            raise Wrong(f"{user} and {item} get {found[user, item]:g}; add the events up on paper")
    uncapped = _as_pairs(answer(events, _WEIGHTS, {}))
    if not np.isclose(uncapped.get(("ann", "tea"), 0), 10):
        raise Wrong("with no cap at all, five views and a purchase must be worth 10")
    return "Five views now say no more than two; the purchase says what it always said."


@grader("01.3", hint="two sets: users with an event after the cut, users with an event at or before it")
def cold_share(answer):
    at = pd.Timestamp("2024-05-10")
    events = pd.DataFrame(
        [
            ("ann", "2024-05-01"), ("ben", "2024-05-10"), ("cat", "2024-05-11"), ("ann", "2024-05-12"),
            ("ben", "2024-05-12"), ("dan", "2024-05-13"), ("dan", "2024-05-14"), ("eve", "2024-05-02"),
            ("ann", "2024-05-15"), ("fay", "2024-05-11"), ("ann", "2024-05-16"), ("gil", "2024-05-02"),
        ], columns=[USER, TIME],
    )  # fmt: skip
    events[TIME] = pd.to_datetime(events[TIME])
    share = _number(_function(answer)(events, at), "share of cold users")
    if np.isclose(share, 3 / 5):  # cat, dan, fay of ann, ben, cat, dan, fay
        return "Three of the five test users are cold: whatever learns from histories has nothing to say to them."
    advice = {
        4 / 5: "ben's event at the cut itself is training (timestamp <= at), so ben is not cold",
        2 / 5: "that is the share of warm users; the cold ones are the others",
        4 / 8: "that is a share of events; count each user once",
        6 / 9: "that is a share of events, with ben's event at the cut on the wrong side; count each user once",
        3 / 7: "eve and gil never come back, so they are no test users: divide by the users after the cut",
        60.0: "give a share between 0 and 1, not per cent",
    }
    for wrong, why in advice.items():
        if np.isclose(share, wrong):
            raise Wrong(why)
    raise Wrong(f"got {share:.3g}; after {at.date()} five users have events: which of them had one by then?")


@grader("01.4", hint="choose an instant, not a row number; then compare every timestamp with it")
def split_in_time(answer):
    days = [3, 1, 2, 7, 4, 6, 6, 8, 6, 5]  # not in order, three events at the same instant
    events = pd.DataFrame({USER: list("bacdabcdea"), TIME: pd.Timestamp("2024-05-01") + pd.to_timedelta(days, "D")})
    before = events.copy()
    train, test = _two_tables(_function(answer)(events, 0.4))
    if not events.equals(before):
        raise Wrong("the caller's table was changed; sort a copy, not in place")
    if not _same_rows(pd.concat([train, test]), events):
        raise Wrong(f"{len(train)} training and {len(test)} test events do not make up the 10, each in one part")
    if not len(train) or not len(test):
        raise Wrong("one of the two parts is empty")
    if train[TIME].min() > test[TIME].max():
        raise Wrong("the two parts are the wrong way round: training is the earlier one, and comes first")
    first, last = test[TIME].min(), train[TIME].max()
    if last > first:
        raise Wrong(f"training runs to {last.date()}, the test begins on {first.date()}: are the rows in time order?")
    if last == first:
        raise Wrong(f"events of one instant, {first.date()}, stand on both sides: a row number cuts ties apart")
    if len(test) not in (2, 5):  # the tie is three events long: with 0.4 * 10 = 4 it goes to one side or the other
        raise Wrong(f"{len(test)} of 10 events are in the test part; 0.4 asks for 4, give or take the tied ones")
    return "No instant is on both sides, so nothing in training is later than anything in the test."


# ------------------------------------------------------------------------------------------- what the answers look like
def _function(answer):
    """The answer, or advice when it is no function."""
    if not callable(answer):
        raise Wrong(f"hand in the function itself, not what it returns: got {_what(answer)}")
    return answer


def _number(found, what):
    """A number as a float, or advice when it is none."""
    if isinstance(found, (int, float, np.number)) and np.isfinite(found):
        return float(found)
    raise Wrong(f"your function must return one number, the {what}; it returned {_what(found)}")


def _two_tables(found):
    """Training and test, or advice when that is not what was returned."""
    parts = list(found) if isinstance(found, Iterable) and not isinstance(found, (str, pd.DataFrame, dict)) else []
    if len(parts) == 2 and all(isinstance(part, pd.DataFrame) and {USER, TIME} <= set(part.columns) for part in parts):
        return parts
    got = " and ".join(map(_what, parts)) if 0 < len(parts) < 4 else _what(found)
    raise Wrong(
        f"your function must return two tables with all columns of events, training and test; it returned {got}"
    )


def _same_rows(one, other):
    """Have two tables the same rows, in any order?"""
    one, other = (frame[[USER, TIME]].sort_values([USER, TIME], ignore_index=True) for frame in (one, other))
    return one.equals(other)


def _as_pairs(answer):
    """(user, item) -> weight, from a Series with two index levels, a table with a third column, a matrix or a mapping.

    Pairs without a weight are left out, and so are boxes of a matrix that hold 0.
    """
    returned = answer
    if isinstance(answer, pd.DataFrame) and {USER, ITEM} <= set(answer.columns):
        answer = answer.set_index([USER, ITEM])
        answer = answer["weight"] if "weight" in answer else answer.select_dtypes("number")
    if isinstance(answer, pd.DataFrame):
        if answer.index.nlevels == 1:
            answer = answer.stack()
        elif len(answer.columns) == 1:
            answer = answer.iloc[:, 0]
        else:
            raise Wrong(f"call the column with the weights 'weight'; there are {list(answer.columns)}")
    if isinstance(answer, pd.Series):
        if answer.index.nlevels == 3:
            raise Wrong("your weights are per user, item and event type: add them up over the types")
        answer = answer.to_dict()
    if not isinstance(answer, dict) or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in answer):
        raise Wrong(f"return a Series indexed by user and item, or a table with a 'weight'; got {_what(returned)}")
    found = {
        _user_first(pair): _number(weight, "weight of a pair") for pair, weight in answer.items() if weight == weight
    }
    return {pair: weight for pair, weight in found.items() if weight or pair in _RIGHT}


def _user_first(pair):
    """The pair as (user, item), whichever way round it came."""
    return pair if pair[0] in {user for user, _ in _RIGHT} else pair[::-1]


def _what(found):
    """What something is, in a few words."""
    if found is None or isinstance(found, (bool, int, float, str)):
        return repr(found)
    size = f" of {len(found)}" if isinstance(found, (list, tuple, dict)) else ""
    return f"a {type(found).__name__}{size}"
