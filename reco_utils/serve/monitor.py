"""What a service must know of itself: how fast, how often degraded, how varied, how far from what it was trained on.

Counters cost a few microseconds per request; percentiles and drift are worked out when somebody looks.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reco_utils.serve.freshness import Freshness


@dataclass(frozen=True, eq=False)
class Reference:
    """What lists looked like when the model was trained: what later lists are compared with.

    Parameters
    ----------
    version : str
    trained_at : ISO text
    n_items : int
        Size of the catalogue.
    scores : (n,) float
        Scores of the first ten places of the lists made at the training.
    categories : dict of item id to category
    shares : dict of category to its share of those places
    """

    version: str
    trained_at: str
    n_items: int
    scores: np.ndarray
    categories: Mapping[str, str]
    shares: Mapping[str, float]


@dataclass
class Monitor:
    """Counts what is served. Holds no user ids.

    Parameters
    ----------
    n_lists : int
        Coverage and drift are of the last so many lists.
    window_minutes : int
        Latency percentiles are of the last so many minutes.
    freshness : Freshness
        Says when the stale alarm rings.
    clock : function that returns seconds since 1970
    """

    n_lists: int = 1000
    window_minutes: int = 5
    freshness: Freshness | None = None
    clock: Callable[[], float] = time.time

    def expect(self, reference: Reference) -> None:
        """Compare with this from now on: called when a version begins to serve."""
        raise NotImplementedError

    def observe(
        self,
        kind: str,
        ms: float,
        *,
        step: str = "",
        cached: bool = False,
        degraded: Sequence[str] = (),
        items: Sequence[str] = (),
        scores: Sequence[float] = (),
    ) -> None:
        """Count one answer; `kind` is "recommend", "similar", "search", "events", "features" or "forget"."""
        raise NotImplementedError

    def observe_events(self, items: Sequence[str]) -> None:
        """Count the items of events that came in: those the catalogue lacks are its drift."""
        raise NotImplementedError

    def observe_error(self, kind: str, name: str) -> None:
        """Count an answer that was an error, by its name, e.g. "NotFound"."""
        raise NotImplementedError

    def snapshot(self) -> dict:
        """All of it as plain numbers, for a status page.

        Returns
        -------
        dict with
        requests: {kind: n}; errors: {"kind name": n}; steps: {step: share}; degraded: {part: n}; cache_hit_share;
        latency_ms: {kind: {"p50", "p95", "p99", "n"}} over the window; coverage (share of the catalogue in the last
        lists), n_lists; score_psi, category_psi (NaN below 100 lists), unknown_item_share; version, age_hours,
        freshness ("fresh", "stale", "clock-went-back", "unknown"), alarms: list of sentences.
        """
        raise NotImplementedError

    def prometheus(self) -> str:
        """The same in the text format that Prometheus reads."""
        raise NotImplementedError
