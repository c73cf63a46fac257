"""Graders of notebook 12: the key of a cache, a circuit breaker, latencies as visitors feel them."""

import numpy as np

from reco_utils.check import Wrong, a_function, grader

# ------------------------------------------------------------------------------------------------ the key of a cache
_FIRST = {"user": "ann", "k": 10, "options": {"price": 20, "reasons": True}, "version": "v1"}
_OTHERS = [  # what differs, and why it must
    ({"user": "bob"}, "bob is shown ann's list"),
    ({"k": 20}, "who asks for 20 items gets the 10 that somebody asked for before"),
    ({"options": {"price": 50, "reasons": True}}, "a list of things up to 20 euros answers for things up to 50"),
    ({"options": {"price": 20, "reasons": False}}, "a list with reasons answers where nobody asked for any"),
    ({"options": {}}, "a filtered list answers for an unfiltered one"),
    ({"version": "v2"}, "the new model is published and everybody goes on seeing the old one's lists"),
]


@grader("12.1", hint="everything that changes the list must change the key, and nothing else; json.dumps has sort_keys")
def cache_key(answer):
    def key(**changed):
        found = a_function(answer)(**{**_FIRST, **changed})
        if not isinstance(found, (str, bytes)):
            raise Wrong(f"a key must be text, got {found!r}")
        return found

    first = key()
    if key() != first:
        raise Wrong("the same question twice gave two keys: nothing would ever be found again")
    for changed, consequence in _OTHERS:
        if key(**changed) == first:
            name = next(iter(changed))
            raise Wrong(f"another {name} gives the same key: {consequence}")
    if key(options={"reasons": True, "price": 20}) != first:
        raise Wrong("the same options in another order give another key: half of the hits are lost, nobody notices")
    if key(user="ann1", k=0) == key(user="ann", k=10):
        raise Wrong("user 'ann1' with k = 0 and user 'ann' with k = 10 share a key: put something between the parts")
    if key(user="ann|10", version="v1") == key(user="ann", version="10|v1") or key(user="a:b", k=1) == key(user="a", k="b:1"):  # fmt: skip  # noqa: E501
        raise Wrong("a user id may hold your separator: quote the parts, as json.dumps of a list does, or hash them")
    return "User, length, options and version: whoever changes any of them asks another question."


# ------------------------------------------------------------------------------------------------- a circuit breaker
def _breaker(calls, failures, rest):
    """Which of the calls (time, would it work) are made."""
    made, in_a_row, opened = [], 0, None
    for time, works in calls:
        asks = opened is None or time - opened >= rest
        made.append(asks)
        if asks and works:
            in_a_row, opened = 0, None
        elif asks:
            in_a_row += 1
            if opened is not None or in_a_row >= failures:
                opened = time
    return made


_STORIES = {
    "all is well": [(t, True) for t in range(5)],
    "two failures, then a success, then two more": [
        (0, False), (1, False), (2, True), (3, False), (4, False), (5, True), (6, True)
    ],
    "dead for good": [(t, False) for t in range(30)],
    "dead for twelve seconds": [(t, t >= 12) for t in range(30)],
    "comes back while nobody asks": [(0, False), (1, False), (2, False), (100, True), (101, False), (102, True)],
}  # fmt: skip


@grader(
    "12.2", hint="remember how many failed in a row and when it opened; a trial that fails opens it for another rest"
)
def breaker(answer):
    for story, calls in _STORIES.items():
        right = _breaker(calls, 3, 10)
        found = a_function(answer)(list(calls), 3, 10)
        try:
            found = [bool(made) for made in found]
        except TypeError:
            raise Wrong(f"the function must return a list of True and False, got {found!r}") from None
        if len(found) != len(calls):
            raise Wrong(
                f"{len(calls)} calls were wished for, so the list must have {len(calls)} entries, got {len(found)}"
            )
        if found == right:
            continue
        at = next(i for i, (f, r) in enumerate(zip(found, right)) if f != r)
        when = f"'{story}', second {calls[at][0]}"
        if all(found):
            raise Wrong(f"{when}: every call is made, so the breaker never opens: each visitor waits for the timeout")
        if found[at]:
            raise Wrong(f"{when}: a call is made though the breaker must be open: after 3 failures in a row it rests "
                        "for 10 seconds, and after a trial that failed for 10 more")  # fmt: skip
        if story.startswith("two failures"):
            raise Wrong(f"{when}: no call is made, but only failures in a row count: a success starts from zero")
        if not any(found[at:]):
            raise Wrong(f"{when}: it stays open for ever: after the rest one call must try whether it works again")
        raise Wrong(f"{when}: no call is made, but the rest is over, or a trial worked and closed the breaker")
    return "Closed, open, half-open: thirty callers wait in vain once, not thirty times."


# ------------------------------------------------------------------------------------- latencies as visitors feel them
_QUEUES = [
    ([0, 10, 20, 30], [1, 1, 1, 1]),
    ([0, 10, 20, 30], [25, 1, 1, 1]),
    ([0, 0, 0], [5, 5, 5]),
    ([0, 100, 101], [1, 50, 1]),
]


@grader(
    "12.3", hint="a request starts when it has come in AND the one before is done; its visitor waits from coming in"
)
def waits(answer):
    for arrived, took in _QUEUES:
        right, done = [], 0.0
        for came, lasts in zip(arrived, took):
            done = max(came, done) + lasts
            right.append(done - came)
        try:
            found = np.asarray(a_function(answer)(list(arrived), list(took)), float)
        except (TypeError, ValueError):
            raise Wrong("the function must return one number per request") from None
        if found.shape != (len(arrived),):
            raise Wrong(f"{len(arrived)} requests came in, so {len(arrived)} waits are wanted, got shape {found.shape}")
        if np.allclose(found, right):
            continue
        case = f"requests at {arrived} ms that take {took} ms"
        if np.allclose(found, took):
            raise Wrong(f"{case}: you return how long the server worked. Those behind a slow request wait for it too, "
                        "and this is how load tests hide a stall")  # fmt: skip
        if np.allclose(found, np.cumsum(took)):
            raise Wrong(f"{case}: you return when each was done, counted from 0: subtract when it came in, and let the "
                        "server rest while nobody asks")  # fmt: skip
        if np.allclose(found, np.cumsum(took) - np.asarray(arrived)):
            raise Wrong(
                f"{case}: nobody can be served before coming in: it starts at max(came in, the one before done)"
            )
        raise Wrong(f"{case}: the waits are {right}, got {found.tolist()}")
    return "Measured from when the visitor came, a stall of a second is felt by everybody who came during it."
