"""What a service must know of itself: how fast, how often degraded, how varied, how far from what it was trained on.

Counting costs a few microseconds per answer; percentiles and drift are worked out when somebody looks.
"""

import math
import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reco_utils.serve.freshness import Freshness

REPORTED_MS = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)  # upper ends of the buckets that Prometheus is told
FINE_MS = sorted({0.01 * 1.1**n for n in range(165)} | set(REPORTED_MS))  # 10 microseconds to a minute, 10 % wide
WINDOW_MINUTES = 5  # percentiles of the latency are of these, the present one included
ENOUGH_LISTS = 100  # below, drift is noise
SMALL_SHARE = 1e-4  # an empty bin counts so much, or its logarithm would be infinite
DRIFTED = 0.25  # the rule of thumb: below 0.1 nothing happened, above 0.25 look into it


@dataclass(frozen=True, eq=False)
class Reference:
    """What lists looked like when the model was trained: what later lists are compared with.

    Parameters
    ----------
    version : str
    trained_at : ISO text
    n_items : int
        Size of the catalogue.
    score_quantiles : (101,) float
        Percentiles of the scores in the first ten places of the lists made at the training.
    categories : mapping of item id to category, None where it is not known
        All items of the catalogue.
    shares : mapping of category to its share of those places
    """

    version: str
    trained_at: str
    n_items: int
    score_quantiles: np.ndarray
    categories: Mapping[str, str | None]
    shares: Mapping[str | None, float]


class Monitor:
    """Counts what is served. Holds item ids, never those of users. Safe to be used by many threads.

    Parameters
    ----------
    n_lists : int, at least 1
        Coverage and drift are of the last so many lists.
    freshness : Freshness, optional
        Says when the stale alarm rings; by default one that looks at the same clock.
    clock : function that returns seconds since 1970
    """

    def __init__(
        self,
        *,
        n_lists: int = 1000,
        freshness: Freshness | None = None,
        clock: Callable[[], float] = time.time,
    ):
        if isinstance(n_lists, bool) or not isinstance(n_lists, int) or n_lists < 1:
            raise ValueError(f"n_lists must be a whole number of at least 1, got {n_lists!r}")
        self.n_lists, self.clock = n_lists, clock
        self.freshness = freshness or Freshness(clock=clock)
        self._lock = threading.Lock()
        self._latency: dict[str, _Latency] = {}
        self._steps, self._degraded, self._errors = Counter(), Counter(), Counter()
        self._paths, self._events = Counter(), Counter()
        self._lists: deque = deque(maxlen=n_lists)
        self._reference: Reference | None = None

    def expect(self, reference: Reference) -> None:
        """Compare with this from now on: called when a version begins to serve. Drift starts anew."""
        with self._lock:
            self._reference = reference
            self._lists.clear()
            self._events.clear()

    def observe(
        self,
        kind: str,
        ms: float,
        *,
        step: str = "",
        path: str = "",
        degraded: Sequence[str] = (),
        items: Sequence[str] = (),
        scores: Sequence[float | None] = (),
    ) -> None:
        """Count one answer.

        Parameters
        ----------
        kind : {"recommend", "similar", "search", "events", "features", "item", "forget"}
        ms : float
            How long it took.
        step, path : str
            See `Answer`; counted if they are not empty.
        items, scores : (k,)
            Of a list; lists without items say nothing about coverage or drift.
        """
        minute = int(self.clock() // 60)
        with self._lock:
            if kind not in self._latency:
                self._latency[kind] = _Latency()
            self._latency[kind].add(ms, minute)
            if step:
                self._steps[step] += 1
            if path:
                self._paths[path] += 1
            self._degraded.update(degraded)
            if items:
                self._lists.append((tuple(items), tuple(scores)))

    def observe_events(self, items: Sequence[str]) -> None:
        """Count the items of events that came in: those the catalogue lacks are its drift."""
        with self._lock:
            known = self._reference.categories if self._reference else ()
            unknown = sum(item not in known for item in items)
            self._events.update(all=len(items), unknown=unknown)

    def observe_error(self, kind: str, name: str) -> None:
        """Count an answer that was an error, by its name, e.g. "NotFound"."""
        with self._lock:
            self._errors[kind, name] += 1

    # ----------------------------------------------------------------------------------------------------------- looks
    def snapshot(self) -> dict:
        """All of it as plain values, for a status page; NaN where nothing can be said yet.

        Returns
        -------
        dict with

        - requests {kind: n}, errors {"kind name": n}, degraded {part: n}, paths {path: n} since the start
        - steps {step: share of the lists}, cache_hit_share (of the lists)
        - latency_ms {kind: {"p50", "p95", "p99", "n"}} within the window, exact to 5 %
        - coverage (share of the catalogue in the last lists), n_lists (how many those are)
        - score_psi, category_psi (NaN below 100 lists), unknown_item_share (of the events since this version serves)
        - version, age_hours, freshness ("fresh", "stale", "clock-went-back", "unknown"), alarms (sentences)
        """
        minute = int(self.clock() // 60)
        with self._lock:
            lists, reference = list(self._lists), self._reference
            found = {
                "requests": {kind: sum(latency.total) for kind, latency in self._latency.items()},
                "errors": {" ".join(key): n for key, n in self._errors.items()},
                "degraded": dict(self._degraded),
                "paths": dict(self._paths),
                "steps": {step: n / self._steps.total() for step, n in self._steps.most_common()},
                "cache_hit_share": _share(self._paths["cached"], self._paths.total()),
                "latency_ms": {kind: latency.percentiles(minute) for kind, latency in self._latency.items()},
                "unknown_item_share": _share(self._events["unknown"], self._events["all"]),
            }
        found |= self._drift(lists, reference) | {"n_lists": len(lists)}
        found |= self._age(reference)
        return found | {"alarms": _alarms(found)}

    def _drift(self, lists, reference):
        """Coverage and the two stability indexes of the last lists."""
        shown = [item for items, _ in lists for item in items]
        if reference is None:
            return {"coverage": math.nan, "score_psi": math.nan, "category_psi": math.nan}
        found = {"coverage": _share(len({item for item in shown if item in reference.categories}), reference.n_items)}
        if len(lists) < ENOUGH_LISTS:
            return found | {"score_psi": math.nan, "category_psi": math.nan}
        scores = np.array([score for _, scores in lists for score in scores if score is not None], float)
        expected, served = score_shares(reference.score_quantiles, scores)
        names = list({*reference.shares, *(reference.categories.get(item) for item in shown)})
        counts = Counter(reference.categories.get(item) for item in shown)
        categories = [counts[name] / len(shown) for name in names]
        usual = [reference.shares.get(name, 0.0) for name in names]
        return found | {
            "score_psi": stability_index(expected, served),
            "category_psi": stability_index(usual, categories),
        }

    def _age(self, reference):
        """How old the model is, and what is to be thought of that."""
        if reference is None:
            return {"version": "", "age_hours": math.nan, "freshness": "unknown", "sentence": "no model serves"}
        verdict = self.freshness.verdict(reference.trained_at)
        age = {"age_hours": verdict.age_hours, "freshness": verdict.state, "sentence": verdict.sentence}
        return {"version": reference.version, **age}

    def prometheus(self) -> str:
        """The same in the text format that Prometheus reads, latency as a histogram since the start."""
        from prometheus_client import generate_latest

        return generate_latest(self).decode()

    def collect(self) -> Iterator:
        """Each metric, as `prometheus_client` wants them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        now = self.snapshot()
        with self._lock:
            totals = {kind: (latency.cumulative(), latency.sum_ms) for kind, latency in self._latency.items()}
        seconds = HistogramMetricFamily("reco_request_seconds", "Time to answer.", labels=["kind"])
        for kind, (counts, sum_ms) in totals.items():
            seconds.add_metric([kind], counts, sum_ms / 1000)
        yield seconds
        errors = {tuple(key.split(" ", 1)): n for key, n in now["errors"].items()}
        lists, late = "Lists by the road they took.", "Lists made without a part that failed or was late."
        steps = "Share of lists by the step that was asked first."
        yield _filled(CounterMetricFamily, "reco_errors", "Answers that were errors.", ("kind", "error"), errors)
        yield _filled(CounterMetricFamily, "reco_lists", lists, ("path",), now["paths"])
        yield _filled(CounterMetricFamily, "reco_degraded", late, ("part",), now["degraded"])
        yield _filled(GaugeMetricFamily, "reco_step_share", steps, ("step",), now["steps"])
        for name, text in GAUGES.items():
            yield GaugeMetricFamily(f"reco_{name}", text, now[name])
        stale = "1 if the model is too old or its age unknown."
        yield GaugeMetricFamily("reco_stale", stale, now["freshness"] != "fresh")
        yield _filled(GaugeMetricFamily, "reco_model", "The version that serves.", ("version",), {now["version"]: 1})


def _filled(kind, name, text, labels, values):
    """A metric of `prometheus_client` with a value for each label, or for each tuple of several."""
    metric = kind(name, text, labels=labels)
    for key, value in values.items():
        metric.add_metric([key] if isinstance(key, str) else key, value)
    return metric


GAUGES = {
    "age_hours": "Hours since the training.",
    "coverage": "Share of the catalogue in the last lists.",
    "cache_hit_share": "Share of lists that came from the cache.",
    "score_psi": "Stability index of the scores against those at the training; above 0.25 look into it.",
    "category_psi": "Stability index of the categories shown against those at the training.",
    "unknown_item_share": "Share of events about items that the model does not know.",
}


# ----------------------------------------------------------------------------------------------------------- latency
class _Latency:
    """Counts of one kind of answer by time taken: since the start, and minute by minute for a while."""

    def __init__(self):
        self.total, self.sum_ms = [0] * (len(FINE_MS) + 1), 0.0
        self.minutes: deque = deque(maxlen=WINDOW_MINUTES)  # (minute, counts)

    def add(self, ms, minute):
        """Count one; a time that is no number counts as the longest."""
        at = bisect_left(FINE_MS, ms) if ms == ms else len(FINE_MS)
        if not self.minutes or self.minutes[-1][0] != minute:
            self.minutes.append((minute, [0] * len(self.total)))
        self.minutes[-1][1][at] += 1
        self.total[at] += 1
        self.sum_ms += ms if math.isfinite(ms) else 0.0

    def percentiles(self, minute):
        """p50, p95 and p99 within the window, in ms, and of how many."""
        inside = [counts for when, counts in self.minutes if -WINDOW_MINUTES < when - minute <= 0]
        counts = np.sum(inside, axis=0) if inside else np.zeros(len(self.total), int)
        n = int(counts.sum())
        return {f"p{p}": _percentile(counts, n, p) for p in (50, 95, 99)} | {"n": n}

    def cumulative(self):
        """How many took at most as long as each of the reported bounds, in seconds, as Prometheus names them."""
        running = np.cumsum(self.total).tolist()
        bounds = [(f"{bound / 1000:g}", running[FINE_MS.index(bound)]) for bound in REPORTED_MS]
        return [*bounds, ("+Inf", running[-1])]


def _percentile(counts, n, p):
    """The middle of the bucket that holds the answer of this rank; NaN without answers."""
    if not n:
        return math.nan
    at = int(np.searchsorted(np.cumsum(counts), math.ceil(n * p / 100)))
    high = FINE_MS[min(at, len(FINE_MS) - 1)]
    return math.sqrt(FINE_MS[at - 1] * high) if 0 < at < len(FINE_MS) else high


# ------------------------------------------------------------------------------------------------------------- drift
def stability_index(expected: Sequence[float], found: Sequence[float]) -> float:
    """Population stability index: sum over bins of (found - expected) * ln(found / expected).

    0 when nothing changed; it is never negative and the same both ways round.

    Parameters
    ----------
    expected, found : (n,) shares that add up to 1 each
        A share below 0.0001 counts as 0.0001.

    Returns
    -------
    float; NaN when one of them holds nothing

    Source: Siddiqi (2006), "Credit risk scorecards": the symmetric divergence of Jeffreys.
    """
    expected, found = np.asarray(expected, float), np.asarray(found, float)
    if not expected.sum() > 0 or not found.sum() > 0:
        return math.nan
    expected, found = np.maximum(expected, SMALL_SHARE), np.maximum(found, SMALL_SHARE)
    return float(((found - expected) * np.log(found / expected)).sum())


def score_shares(quantiles: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the scores then (by their percentiles) and now, in the bins that deciles of then make: (n,) each.

    Deciles that fall together make one bin, so that a distribution with lumps is judged by its lumps.
    """
    quantiles = np.asarray(quantiles, float)
    quantiles = quantiles[np.isfinite(quantiles)]
    edges = np.unique(quantiles[10:-1:10])
    expected = np.bincount(np.searchsorted(edges, quantiles), minlength=len(edges) + 1)
    served = np.bincount(np.searchsorted(edges, scores[np.isfinite(scores)]), minlength=len(edges) + 1)
    return expected / max(expected.sum(), 1), served / max(served.sum(), 1)


def _share(part, whole):
    return part / whole if whole else math.nan


def _alarms(found):
    """Sentences about what somebody should look at."""
    alarms = [] if found["freshness"] == "fresh" else [found["sentence"]]
    for name, what in (("score_psi", "scores"), ("category_psi", "categories shown")):
        if found[name] > DRIFTED:
            alarms.append(f"the {what} are not those of the training (stability index {found[name]:.2f})")
    return alarms
