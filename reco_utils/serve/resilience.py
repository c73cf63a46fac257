"""A part that fails or hangs must not take the shop with it: circuit breakers and deadlines.

closed --failures in a row--> open --after some seconds--> half-open --one good call--> closed
                               ^                               |
                               +---------one bad call----------+
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """What came of a call: its `value` or the default, and why: "" (all well), "open", "late" or "failed"."""

    value: Any
    trouble: str = ""

    @property
    def ok(self) -> bool:
        """Did the dependency answer?"""
        return not self.trouble


@dataclass
class Breaker:
    """Calls a dependency, and stops calling it for a while when it fails again and again.

    Parameters
    ----------
    name : str
        Of the dependency, for logs and `degraded`.
    failures : int, at least 1
        So many failures in a row open the breaker.
    seconds : float, above 0
        How long an open breaker refuses calls; then one trial call decides.
    clock : function that returns seconds; only differences count
    n_threads : int, at least 1
        Calls with a deadline that run at once; a call that cannot begin before its deadline is late.
    """

    name: str
    failures: int = 5
    seconds: float = 10.0
    clock: Callable[[], float] = time.monotonic
    n_threads: int = 8
    _lock: Any = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def state(self) -> str:
        """ "closed" (calls go through), "open" (refused) or "half-open" (one trial call may go through)."""
        raise NotImplementedError

    def call(self, dependency: Callable[[], Any], deadline_ms: float | None, default: Any = None) -> Outcome:
        """The dependency's answer, or the default: never an exception, never later than the deadline.

        Parameters
        ----------
        dependency : function without arguments
        deadline_ms : float, ms, or None
            None calls on this thread and waits for as long as it takes: for parts that cannot hang.
        """
        raise NotImplementedError

    def allows(self) -> bool:
        """May a call be made now? Of an open breaker, the one trial call is handed out by this."""
        raise NotImplementedError

    def succeeded(self) -> None:
        """Report a good call that was made outside `call`."""
        raise NotImplementedError

    def failed(self) -> None:
        """Report a bad one."""
        raise NotImplementedError

    def snapshot(self) -> dict:
        """name, state, failures in a row, and how often it has opened."""
        raise NotImplementedError
