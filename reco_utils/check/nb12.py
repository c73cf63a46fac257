"""Graders of notebook 12: the key of a cache, a circuit breaker, a queue before several servers."""

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


@grader("12.1", hint="what changes the list changes the key; json.dumps has sort_keys")
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
    for name, one, other in (("user", "ann", "bob"), ("k", 10, 20), ("version", "v1", "v2")):
        same = {name: "an option"}
        lost = key(options=same) == key(options={})
        if lost or key(**{name: one}, options=same) == key(**{name: other}, options=same):
            raise Wrong(
                f"an option called {name!r} and the {name} of the question get mixed up: keep the options apart"
            )
    return "Whoever changes user, length, options or version asks another question."


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


@grader("12.2", hint="opened at second 2 with a rest of 10, the call at 12 is made")
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
        if all(works for _, works in calls[:at]):
            raise Wrong(f"{when}: no call is made, but nothing has failed yet: nobody knows beforehand that a "
                        "call will fail, so it is made")  # fmt: skip
        if story.startswith("two failures"):
            raise Wrong(f"{when}: no call is made, but only failures in a row count: a success starts from zero")
        if not any(found[at:]):
            raise Wrong(f"{when}: it stays open for ever: after the rest one call must try whether it works again")
        raise Wrong(f"{when}: no call is made, but the rest is over (opened at 2, a rest of 10 ends at 12), or a trial "
                    "worked and closed the breaker")  # fmt: skip
    return "Closed, open, half-open: most callers no longer wait in vain."


# ---------------------------------------------------------------------------------- a queue before several servers
_QUEUES = [  # arrived, took, servers
    ([0, 10, 20, 30], [1, 1, 1, 1], 1),
    ([0, 10, 20, 30], [25, 1, 1, 1], 1),
    ([0, 0, 0], [5, 5, 5], 2),
    ([0, 1, 2, 3, 4], [100, 5, 5, 5, 5], 2),
    ([0, 0, 0, 0], [9, 4, 6, 1], 3),
]


def _waits(arrived, took, n_servers, first=lambda n, free: free.index(min(free))):
    """From coming in until the answer is out; `first` says which server takes customer n."""
    found, free = [], [0.0] * n_servers
    for n, (came, lasts) in enumerate(zip(arrived, took)):
        at = first(n, free)
        free[at] = max(came, free[at]) + lasts
        found.append(free[at] - came)
    return np.array(found)


@grader("12.3", hint="keep when each server is free again; the next customer takes the smallest")
def waits(answer):
    for arrived, took, n_servers in _QUEUES:
        right, work = _waits(arrived, took, n_servers), np.array(took, float)
        found = a_function(answer)(list(arrived), list(took), n_servers)
        try:
            found = np.asarray(found, float)
        except (TypeError, ValueError):
            raise Wrong("the function must return one number per customer") from None
        if found.shape != right.shape:
            raise Wrong(f"{len(arrived)} customers came, so {len(arrived)} waits are wanted, got shape {found.shape}")
        if np.allclose(found, right):
            continue
        case = f"{n_servers} servers, customers at {arrived} ms, work of {took} ms"
        wrong = [
            (right - work, "you return the time in the queue; the work itself is waited for too"),
            (work, "you return how long the server worked; who stands behind a slow one waits for that too"),
            (right + arrived, "you return when each was done, counted from 0: subtract when the customer came"),
            (_waits(arrived, took, 1), "that is one server with one queue; all of them take from it"),
            (_waits(arrived, took, 1) / n_servers, "twice the servers do not halve everybody's wait: play it through"),
            (
                _waits(arrived, took, n_servers, lambda n, free: n % len(free)),
                "the servers are taken in turn, so somebody waits for a busy one while another is free",
            ),
        ]
        for mistake, advice in wrong:
            if np.allclose(found, mistake):
                raise Wrong(f"{case}: {advice}")
        raise Wrong(f"{case}: the waits are {right.tolist()}, got {found.tolist()}")
    return "One slow answer holds up one server; the queue goes on at the others."
