"""Breakers open, wait, try once and close; nobody waits longer than the deadline."""

import threading
import time

import pytest

from reco_utils.serve.resilience import Breaker, Workers, describe


@pytest.fixture
def breaker(clock):
    made = Breaker("redis", failures=3, seconds=10, clock=clock)
    yield made
    made.close()


def broken():
    raise ConnectionError("no route to 10.0.0.7")


def fail(breaker, times):
    return [breaker.call(broken, None, default=0).trouble for _ in range(times)]


def test_a_good_call_gives_its_answer(breaker):
    outcome = breaker.call(lambda: 42, None, default=0)
    assert outcome == (42, "") and outcome.ok
    assert breaker.call(lambda: 43, 1000).value == 43


def test_an_error_gives_the_default_and_never_an_exception(breaker):
    outcome = breaker.call(broken, None, default="popular")
    assert outcome == ("popular", "failed") and not outcome.ok
    assert breaker.call(broken, 1000, default="popular") == ("popular", "failed")


def test_failures_in_a_row_open_it_and_then_nothing_is_called(breaker):
    assert fail(breaker, 5) == ["failed", "failed", "failed", "open", "open"]
    assert breaker.state == "open"
    called = []
    assert breaker.call(lambda: called.append(1), None, default=7) == (7, "open") and not called


def test_a_good_call_in_between_starts_the_count_again(breaker):
    fail(breaker, 2)
    breaker.call(lambda: 1, None)
    assert fail(breaker, 2) == ["failed", "failed"] and breaker.state == "closed"


def test_after_the_wait_one_good_trial_closes_it(breaker, clock):
    fail(breaker, 3)
    clock.now += 9.9
    assert breaker.state == "open"
    clock.now += 0.2
    assert breaker.state == "half-open"
    assert breaker.call(lambda: 1, None).ok and breaker.state == "closed"
    assert breaker.snapshot() == {"name": "redis", "state": "closed", "in_a_row": 0, "n_opened": 1}


def test_a_bad_trial_opens_it_for_another_wait(breaker, clock):
    fail(breaker, 3)
    clock.now += 10
    assert fail(breaker, 2) == ["failed", "open"]
    clock.now += 9
    assert breaker.state == "open"
    clock.now += 1
    assert breaker.call(lambda: 1, None).ok


def test_only_one_trial_at_a_time(breaker, clock):
    fail(breaker, 3)
    clock.now += 10
    inside = []

    def trial():
        inside.append(breaker.call(lambda: 1, None, default="no").trouble)
        return 1

    assert breaker.call(trial, None).ok and inside == ["open"]


def test_a_trial_that_never_comes_back_is_given_up_after_the_wait(breaker, clock):
    fail(breaker, 3)
    clock.now += 10
    assert breaker.allows() and not breaker.allows()
    clock.now += 10
    assert breaker.allows()


def test_a_clock_that_goes_back_does_not_keep_it_open_for_ever(breaker, clock):
    fail(breaker, 3)
    clock.now -= 1_000_000
    assert breaker.state == "open"
    clock.now += 10
    assert breaker.state == "half-open" and breaker.call(lambda: 1, None).ok


def test_who_is_late_is_not_waited_for(breaker):
    release = threading.Event()
    start = time.perf_counter()
    outcome = breaker.call(lambda: release.wait(20), 20, default="popular")
    waited = time.perf_counter() - start
    release.set()
    assert outcome == ("popular", "late") and waited < 10


def test_what_could_not_begin_before_the_deadline_never_runs(clock):
    breaker, begun, release, ran = Breaker("model", n_threads=1, clock=clock), threading.Event(), threading.Event(), []

    def busy():
        begun.set()
        release.wait(20)

    other = threading.Thread(target=breaker.call, args=(busy, 20_000))
    other.start()
    begun.wait(20)
    assert breaker.call(lambda: ran.append(1), 10).trouble == "late"
    release.set()
    other.join()
    assert breaker.call(lambda: "next", 5000).value == "next" and not ran
    breaker.close()


def test_when_all_threads_hang_others_take_their_place_up_to_a_limit():
    workers, release, back = Workers(1, "model", max_stuck=2), threading.Event(), []

    def hang():
        release.wait(20)
        back.append(1)

    with pytest.raises(TimeoutError):
        workers.run(hang, 10)
    assert workers.run(lambda: "served", 5000) == "served"
    with pytest.raises(TimeoutError):
        workers.run(hang, 10)
    with pytest.raises(TimeoutError, match="2 threads hang"):
        workers.run(lambda: "no thread left", 5000)
    release.set()
    while len(back) < 2:
        time.sleep(0.001)
    for _ in range(2000):  # the threads count themselves free a moment later
        if not workers._stuck:
            break
        time.sleep(0.001)
    assert workers.run(lambda: "back", 5000) == "back"
    workers.close()


def test_the_threads_that_took_their_place_are_kept():
    workers, release = Workers(1, "model"), threading.Event()
    with pytest.raises(TimeoutError):
        workers.run(lambda: release.wait(20), 10)
    threads = {workers.run(threading.current_thread, 5000) for _ in range(3)}
    assert len(threads) == 1  # not another one for each task
    release.set()
    workers.close()


def test_a_time_limit_inside_the_dependency_is_a_failure_of_its_own(breaker):
    def own_limit():
        raise TimeoutError("the socket's")

    assert breaker.call(own_limit, 5000).trouble in ("failed", "late") and breaker.snapshot()["in_a_row"] == 1


def test_many_threads_open_it_once(clock):
    breaker = Breaker("redis", failures=5, clock=clock)
    barrier = threading.Barrier(8)

    def work():
        barrier.wait()
        for _ in range(50):
            breaker.call(broken, None)

    threads = [threading.Thread(target=work) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert breaker.state == "open" and breaker.snapshot()["n_opened"] == 1


def test_after_close_a_call_makes_new_threads(breaker):
    breaker.call(lambda: 1, 5000)
    breaker.close()
    assert breaker.call(lambda: 2, 5000).value == 2


def test_an_interrupt_is_not_swallowed(breaker):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaker.call(interrupted, None)


def test_what_is_logged_of_an_error_holds_no_values(breaker, caplog):
    fail(breaker, 3)
    assert (
        "redis failed 3 times in a row, from now on only one call in 10 s tries: ConnectionError in broken"
        in caplog.text
    )
    assert "10.0.0.7" not in caplog.text
    assert describe(ValueError("ann@example.com")) == "ValueError"


@pytest.mark.parametrize(
    "wrong", [{"failures": 0}, {"failures": True}, {"seconds": 0}, {"seconds": float("nan")}, {"n_threads": 0}]
)
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Breaker("redis", **wrong)
