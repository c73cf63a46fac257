"""A part that fails or hangs must not take the shop with it: circuit breakers and deadlines.

closed --failures in a row--> open --after some seconds--> half-open --one good call--> closed
                               ^                               |
                               +---------one bad call----------+
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from typing import Any, NamedTuple

from reco_utils.serve.kv import StoreDown

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What came of a call: its `value` or the default, and why: "" (all is well), "open", "late" or "failed"."""

    value: Any
    trouble: str = ""

    @property
    def ok(self) -> bool:
        """Did the dependency answer?"""
        return not self.trouble


class Breaker:
    """Calls a dependency, and stops calling it for a while when it fails again and again.

    An open breaker costs nothing: nobody waits for a part that is known to be down, and the part is not trampled on
    while it gets up. Safe to be used by many threads.

    Parameters
    ----------
    name : str
        Of the dependency, for logs and `degraded`.
    failures : int, at least 1
        So many failures in a row open the breaker.
    seconds : float, above 0
        How long an open breaker refuses calls; then one trial call decides. A trial that does not come back within
        that time is given up, and another is allowed.
    clock : function that returns seconds; only differences count
        By default one that nobody can set. Should it go back all the same, the wait begins again.
    n_threads : int, at least 1
        Calls with a deadline that run at once; a call that cannot begin before its deadline is late.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = 5,
        seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        n_threads: int = 8,
    ):
        for what, value in (("failures", failures), ("n_threads", n_threads)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{what} must be a whole number of at least 1, got {value!r}")
        if isinstance(seconds, bool) or not 0 < seconds < math.inf:
            raise ValueError(f"seconds must be a finite number above 0, got {seconds!r}")
        self.name, self.failures, self.seconds, self.clock, self.n_threads = name, failures, seconds, clock, n_threads
        self._lock = threading.Lock()
        self._in_a_row, self._opened, self._trial, self._n_opened = 0, None, None, 0
        self._workers = Workers(n_threads, f"breaker-{name}")

    @property
    def state(self) -> str:
        """ "closed" (calls go through), "open" (refused) or "half-open" (one trial call may go through)."""
        with self._lock:
            if self._opened is None:
                return "closed"
            return "open" if self._waiting(self._opened) else "half-open"

    def call(self, dependency: Callable[[], Any], deadline_ms: float | None, default: Any = None) -> Outcome:
        """The dependency's answer, or the default: never an exception, never much later than the deadline.

        Parameters
        ----------
        dependency : function without arguments
        deadline_ms : float, ms, or None
            None calls on this thread and waits for as long as it takes: for parts that cannot hang.
        """
        if not self.allows():
            return Outcome(default, "open")
        try:
            value = dependency() if deadline_ms is None else self._workers.run(dependency, deadline_ms)
        except LateError:
            self.failed(f"late: not done in {deadline_ms:.0f} ms" if deadline_ms is not None else "late")
            return Outcome(default, "late")
        except Exception as error:
            self.failed(describe(error))
            return Outcome(default, "failed")
        self.succeeded()
        return Outcome(value)

    def allows(self) -> bool:
        """May a call be made now? Of a half-open breaker this hands out the one trial call."""
        with self._lock:
            if self._opened is None:
                return True
            if self._waiting(self._opened) or (self._trial is not None and self._waiting(self._trial)):
                return False
            self._trial = self.clock()
            return True

    def succeeded(self) -> None:
        """Report a good call that was made outside `call`."""
        if not self._in_a_row and self._opened is None:  # nothing to do, and no lock to wait for
            return
        with self._lock:
            was_open = self._opened is not None
            self._in_a_row, self._opened, self._trial = 0, None, None
        if was_open:
            log.warning("%s is back", self.name)

    def failed(self, why: str = "") -> None:
        """Report a bad one; `why` goes to the log when it opens the breaker."""
        with self._lock:
            self._in_a_row += 1
            opens = self._opened is None and self._in_a_row >= self.failures
            if opens or self._trial is not None:
                self._opened, self._trial = self.clock(), None
                self._n_opened += opens
        if opens:
            said = "%s failed %d times in a row, from now on only one call in %g s tries: %s"
            log.warning(said, self.name, self.failures, self.seconds, why)

    def snapshot(self) -> dict:
        """name, state, failures in a row, and how often it has opened."""
        return {"name": self.name, "state": self.state, "in_a_row": self._in_a_row, "n_opened": self._n_opened}

    def close(self) -> None:
        """Let the threads go; calls with a deadline make new ones."""
        self._workers.close()

    def _waiting(self, since):
        """Is it less than `seconds` since then? If the clock went back, the wait begins again. Needs the lock."""
        now = self.clock()
        if now < since:
            self._opened = now if self._opened == since else self._opened
            self._trial = now if self._trial == since else self._trial
            return True
        return now - since < self.seconds


class Workers:
    """Threads that run tasks for those who cannot wait for ever.

    What hangs keeps its thread, nothing can end it. When all threads hang, others take their place, up to a limit; then
    nothing is begun until one comes back.

    Parameters
    ----------
    n_threads : int
    name : str
        Of the threads.
    max_stuck : int
        Threads that may hang before no new ones are made.
    """

    def __init__(self, n_threads: int, name: str, *, max_stuck: int = 64):
        self.n_threads, self.name, self.max_stuck = n_threads, name, max_stuck
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._stuck_here = self._stuck = 0  # given up and still running: of the present pool, and of all

    def run(self, task: Callable[[], Any], deadline_ms: float) -> Any:
        """What the task returns or raises; who has not begun by the deadline never will.

        Raises
        ------
        TimeoutError  after `deadline_ms`
        """
        pool, future = self._begin(task)
        try:
            return future.result(timeout=max(deadline_ms, 0) / 1000)
        except LateError:
            if future.done() and not future.cancelled():  # it was the task that ran into a time limit of its own
                return future.result()
            if not future.cancel():
                self._give_up(pool, future)
            raise

    def close(self) -> None:
        """Let the threads go; the next task makes new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool:
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self, task):
        with self._lock:
            if self._stuck >= self.max_stuck:
                raise LateError(f"{self._stuck} threads hang")
            if self._pool is not None and self._stuck_here >= self.n_threads:
                self._pool.shutdown(wait=False, cancel_futures=True)  # ends by itself when its tasks do
                self._pool = None
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.n_threads, thread_name_prefix=self.name)
                self._stuck_here = 0
            return self._pool, self._pool.submit(task)

    def _give_up(self, pool, future):
        """Count a thread as stuck until its task comes to an end."""

        def freed(_):
            with self._lock:
                self._stuck -= 1
                self._stuck_here -= self._pool is pool

        with self._lock:
            self._stuck += 1
            self._stuck_here += self._pool is pool
        future.add_done_callback(freed)


def describe(error: BaseException) -> str:
    """An error in one line without its values, which may be personal: its class and where it was raised.

    A store that is down says itself which one it is, and why.
    """
    if isinstance(error, StoreDown):
        return str(error)
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f" in {at.tb_frame.f_code.co_name}, line {at.tb_lineno}" if at is not None else ""
    return f"{type(error).__name__}{place}"
