"""Notebook 12's graders: right answers pass, typical wrong ones get the advice that fits them."""

import json

import numpy as np
import pytest

from reco_utils.check import Wrong, check, exercises


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("12") == ("12.1", "12.2", "12.3")
    for exercise in exercises("12"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 3


# -------------------------------------------------------------------------------------------------------------- 12.1
def dumped(**parts):
    return json.dumps(parts, sort_keys=True)


def cache_key(user, k, options, version):
    return json.dumps([user, k, options, version], sort_keys=True)


def test_a_key_of_everything_that_changes_the_list(capsys):
    check("12.1", cache_key)
    assert "12.1: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda user, k, options, version: user, "another k gives the same key"),
        (lambda user, k, options, version: json.dumps([user, k, version]), "another options gives the same key"),
        (lambda user, k, options, version: json.dumps([user, k, options], sort_keys=True), "another version"),
        (lambda user, k, options, version: json.dumps([k, options, version], sort_keys=True), "shown ann's list"),
        (lambda user, k, options, version: json.dumps([user, k, options, version]), "in another order"),
        (lambda user, k, options, version: f"{user}{k}{sorted(options.items())}{version}", "put something between"),
        (lambda user, k, options, version: f"{user}:{k}:{sorted(options.items())}:{version}", "hold your separator"),
        (lambda user, k, options, version: dumped(**{"user": user, "k": k, **options, "version": version}), "mixed up"),
        (lambda user, k, options, version: dumped(**{**options, "user": user, "k": k, "v": version}), "mixed up"),
        (lambda user, k, options, version: dumped(a=user, b=version, **{"k": k} | options), "called 'k' and the k of"),
        (lambda user, k, options, version: object().__repr__() + str(np.random.default_rng().random()), "two keys"),
        (lambda user, k, options, version: 7, "must be text"),
        ("ann", "must be the function itself"),
    ],
)
def test_each_wrong_key_gets_its_own_advice(answer, advice):
    expect("12.1", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 12.2
def breaker(calls, failures, rest, *, resets=True, trials=True, reopens=True):
    made, in_a_row, opened = [], 0, None
    for time, works in calls:
        asks = opened is None or (trials and time - opened >= rest)
        made.append(asks)
        if asks and works:
            in_a_row = 0 if resets else in_a_row
            opened = None
        elif asks:
            in_a_row += 1
            if in_a_row >= failures and (reopens or opened is None):
                opened = time
    return made


def test_a_breaker_that_opens_rests_and_tries_again(capsys):
    check("12.2", breaker)
    assert "12.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda calls, failures, rest: [True] * len(calls), "never opens"),
        (lambda calls, failures, rest: breaker(calls, failures, rest, resets=False), "a success starts from zero"),
        (lambda calls, failures, rest: breaker(calls, failures, rest, trials=False), "stays open for ever"),
        (lambda calls, failures, rest: breaker(calls, failures, rest, reopens=False), "failed for 10 more"),
        (lambda calls, failures, rest: breaker(calls, 5, rest), "though the breaker must be open"),
        (lambda calls, failures, rest: breaker(calls, failures, 15), "the rest is over"),
        (lambda calls, failures, rest: breaker(calls, failures, rest + 1), "a rest of 10 ends at 12"),
        (lambda calls, failures, rest: [works for _, works in calls], "nothing has failed yet"),
        (lambda calls, failures, rest: [True], "must have 5 entries"),
        (lambda calls, failures, rest: True, "a list of True and False"),
        (True, "must be the function itself"),
    ],
)
def test_each_wrong_breaker_gets_its_own_advice(answer, advice):
    expect("12.2", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 12.3
def waits(arrived, took, n_servers):
    free, found = [0.0] * n_servers, []
    for came, lasts in zip(arrived, took):
        free.sort()
        free[0] = max(free[0], came) + lasts
        found.append(free[0] - came)
    return found


def in_turn(arrived, took, n_servers):
    found = np.empty(len(arrived))
    for server in range(n_servers):
        found[server::n_servers] = waits(arrived[server::n_servers], took[server::n_servers], 1)
    return found


def test_waits_from_when_the_visitor_came(capsys):
    check("12.3", waits)
    assert "12.3: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda arrived, took, n_servers: took, "who stands behind a slow one"),
        (lambda *case: np.subtract(waits(*case), case[1]), "the work itself is waited for too"),
        (lambda *case: np.add(waits(*case), case[0]), "subtract when the customer came"),
        (lambda arrived, took, n_servers: waits(arrived, took, 1), "all of them take from it"),
        (lambda arrived, took, n_servers: np.divide(waits(arrived, took, 1), n_servers), "play it through"),
        (in_turn, "another is free"),
        (lambda arrived, took, n_servers: [0.5] * len(took), "the waits are"),
        (lambda arrived, took, n_servers: 5, "4 waits are wanted"),
        (lambda arrived, took, n_servers: "soon", "one number per customer"),
        (lambda arrived, took: took, "cannot be graded, TypeError"),
        (7, "must be the function itself"),
    ],
)
def test_each_wrong_wait_gets_its_own_advice(answer, advice):
    expect("12.3", answer, advice)
