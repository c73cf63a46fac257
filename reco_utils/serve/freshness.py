"""Is a model young enough to be served, and can the clock be trusted that says so?"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

HOUR = 3600.0
LEEWAY_SECONDS = 300.0  # two machines' clocks may differ by this much before one of them counts as wrong


class Verdict(NamedTuple):
    """How old a model is: `state` is "fresh", "stale" or "clock-went-back"; `sentence` tells a person."""

    state: str
    age_hours: float
    sentence: str

    @property
    def is_fresh(self) -> bool:
        """May the model be called up to date?"""
        return self.state == "fresh"


@dataclass
class Freshness:
    """Judges the age of a model by a clock that it does not trust blindly.

    A clock that goes back makes an old model look young. So the latest reading is kept: once the clock stands behind
    it, or behind the moment of the training, by more than five minutes, the verdict is "clock-went-back", and the age
    is counted from the latest reading, which can only be too old.

    Parameters
    ----------
    max_age_hours : float, hours, above 0
        A daily training may fail once (36 h) before anybody is woken.
    clock : function without arguments that returns seconds since 1970
    """

    max_age_hours: float = 36.0
    clock: Callable[[], float] = time.time
    _latest: float = field(default=-math.inf, init=False, repr=False)

    def __post_init__(self):
        if isinstance(self.max_age_hours, bool) or not 0 < self.max_age_hours < math.inf:
            raise ValueError(f"max_age_hours must be a finite number of hours above 0, got {self.max_age_hours!r}")

    def verdict(self, trained_at) -> Verdict:
        """What is to be thought of a model trained at this time.

        Parameters
        ----------
        trained_at : ISO text (UTC if it names no zone), datetime, or seconds since 1970
            Anything that is no time is stale: nobody knows how old that model is.
        """
        trained, now = seconds_of(trained_at), self.clock()
        self._latest = max(self._latest, now)
        if math.isnan(trained):
            return Verdict("stale", math.inf, f"nobody knows when the model was trained (trained_at is {trained_at!r})")
        back = max(self._latest, trained) - now
        age = (max(self._latest, trained) - trained) / HOUR
        if back > LEEWAY_SECONDS:
            sentence = f"the clock stands {back / 60:.0f} minutes behind what it showed before; the age may be wrong"
            return Verdict("clock-went-back", age, sentence)
        limit = f"the limit is {self.max_age_hours:g}"
        if age > self.max_age_hours:
            return Verdict(
                "stale", age, f"the model was trained {age:.1f} hours ago, {limit}: is the training running?"
            )
        return Verdict("fresh", age, f"the model was trained {age:.1f} hours ago, {limit}")


def seconds_of(moment) -> float:
    """A time as seconds since 1970; ISO text or datetime without zone is UTC; NaN for what is no time."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return math.nan
    if isinstance(moment, datetime):
        try:
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):  # pandas' NaT is a datetime
            return math.nan
    if isinstance(moment, bool) or not isinstance(moment, (int, float)):
        return math.nan
    return float(moment) if math.isfinite(moment) else math.nan
