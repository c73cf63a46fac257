"""Graders of notebook 01: half-lives, capped weights, cold users, and a split that cuts ties apart."""

import numpy as np
import pandas as pd

from reco_utils.check import Wrong, grader
from reco_utils.core import EVENT, ITEM, TIME, USER


@grader("01.1", hint="solve exp(-rate * days) = 1/2 for the days")
def half_life(answer):
    for rate in (0.01, 0.1, 2.0):
        days, right = float(answer(rate)), np.log(2) / rate
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
    found = _as_pairs(answer(events, _WEIGHTS, {"view": 2}))
    if not events.equals(before):
        raise Wrong("the caller's table was changed; work on a copy, e.g. events.assign(...)")
    for mistake, advice in _MISTAKES:
        if all(np.isclose(found.get(pair, 0), value) for pair, value in mistake.items()):
            raise Wrong(advice)
    for pair, right in _RIGHT.items():
        if not np.isclose(found.get(pair, 0), right):
            raise Wrong(f"{pair[0]} and {pair[1]} get {found.get(pair, 0):g}; add the events up on paper")
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
    share = float(answer(events, at))
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
    train, test = answer(events, 0.4)
    if not events.equals(before):
        raise Wrong("the caller's table was changed; sort a copy, not in place")
    if not _same_rows(pd.concat([train, test]), events):
        raise Wrong(f"{len(train)} training and {len(test)} test events do not make up the 10, each in one part")
    if not len(train) or not len(test):
        raise Wrong("one of the two parts is empty")
    first, last = test[TIME].min(), train[TIME].max()
    if last > first:
        raise Wrong(f"training runs to {last.date()}, the test begins on {first.date()}: are the rows in time order?")
    if last == first:
        raise Wrong(f"events of one instant, {first.date()}, stand on both sides: a row number cuts ties apart")
    if len(test) not in (2, 5):  # the tie is three events long: with 0.4 * 10 = 4 it goes to one side or the other
        raise Wrong(f"{len(test)} of 10 events are in the test part; 0.4 asks for 4, give or take the tied ones")
    return "No instant is on both sides, so nothing in training is later than anything in the test."


def _same_rows(one, other):
    """Have two tables the same rows, in any order?"""
    one, other = (frame[[USER, TIME]].sort_values([USER, TIME], ignore_index=True) for frame in (one, other))
    return one.equals(other)


def _as_pairs(answer):
    """(user, item) -> weight, from a Series with two index levels, a table with a third column, or a mapping."""
    if isinstance(answer, pd.DataFrame) and {USER, ITEM} <= set(answer.columns):
        rest = [c for c in answer.columns if c not in (USER, ITEM)]
        answer = answer.set_index([USER, ITEM])["weight" if "weight" in rest else rest[0]]
    if isinstance(answer, pd.DataFrame):
        answer = answer.iloc[:, 0] if answer.index.nlevels == 2 else answer.stack()
    answer = answer.to_dict() if isinstance(answer, pd.Series) else dict(answer)
    return {tuple(pair): float(weight) for pair, weight in answer.items() if not pd.isna(weight)}
