"""Percentiles, shares, drift and alarms by hand; and what Prometheus is told, read back by its own parser."""

import math
import threading

import numpy as np
import pytest

from reco_utils.serve.freshness import Freshness
from reco_utils.serve.monitor import Monitor, Reference, score_shares, stability_index

TRAINED = 1_700_000_000.0


@pytest.fixture
def clock(clock):
    clock.now = TRAINED + 3600
    return clock


def reference(**changes):
    """Four items of two categories; scores 1.00 to 2.00, one per percentile."""
    usual = {
        "version": "v1",
        "trained_at": "2023-11-14T22:13:20+00:00",  # TRAINED
        "n_items": 4,
        "score_quantiles": np.linspace(1, 2, 101),
        "categories": {"a": "Toys", "b": "Toys", "c": "Tools", "d": "Tools"},
        "shares": {"Toys": 0.5, "Tools": 0.5},
    }
    return Reference(**(usual | changes))


@pytest.fixture
def monitor(clock):
    made = Monitor(clock=clock)
    made.expect(reference())
    return made


def show(monitor, items, scores, times=1):
    for _ in range(times):
        monitor.observe("recommend", 1.0, items=items, scores=scores)


def test_percentiles_are_those_of_the_answers_within_five_percent(monitor):
    for ms in range(1, 101):
        monitor.observe("recommend", float(ms))
    found = monitor.snapshot()["latency_ms"]["recommend"]
    assert found["n"] == 100
    assert found["p50"] == pytest.approx(50, rel=0.05)
    assert found["p95"] == pytest.approx(95, rel=0.05)
    assert found["p99"] == pytest.approx(99, rel=0.05)


@pytest.mark.parametrize("ms", [0.02, 0.5, 3.0, 700.0, 20_000.0])
def test_short_and_long_times_are_told_as_exactly(monitor, ms):
    monitor.observe("recommend", ms)
    assert monitor.snapshot()["latency_ms"]["recommend"]["p50"] == pytest.approx(ms, rel=0.05)


def test_latency_is_that_of_the_last_minutes(monitor, clock):
    monitor.observe("recommend", 900.0)
    clock.now += 4 * 60
    monitor.observe("recommend", 1.0)
    assert monitor.snapshot()["latency_ms"]["recommend"]["n"] == 2
    clock.now += 2 * 60
    found = monitor.snapshot()["latency_ms"]["recommend"]
    assert found["n"] == 1 and found["p99"] < 1.1
    clock.now += 3600
    found = monitor.snapshot()
    assert found["latency_ms"]["recommend"]["n"] == 0 and math.isnan(found["latency_ms"]["recommend"]["p50"])
    assert found["requests"] == {"recommend": 2}  # since the start


def test_answers_of_any_length_are_counted(monitor):
    for ms in (0.0, 1e-9, 1e9, math.inf, math.nan):
        monitor.observe("search", ms)
    assert monitor.snapshot()["latency_ms"]["search"]["n"] == 5


def test_shares_of_steps_paths_and_failures(monitor):
    for step, path, degraded in (
        ("hybrid", "cached", ()),
        ("hybrid", "live", ("features",)),
        ("cohort", "stranger", ()),
        ("popular", "popular", ("features", "model")),
    ):
        monitor.observe("recommend", 1.0, step=step, path=path, degraded=degraded)
    monitor.observe_error("similar", "NotFound")
    found = monitor.snapshot()
    assert found["steps"] == {"hybrid": 0.5, "cohort": 0.25, "popular": 0.25}
    assert found["cache_hit_share"] == 0.25 and found["degraded"] == {"features": 2, "model": 1}
    assert found["errors"] == {"similar NotFound": 1}


def test_coverage_is_of_the_last_lists_and_only_of_the_catalogue(clock):
    monitor = Monitor(n_lists=2, clock=clock)
    monitor.expect(reference())
    show(monitor, ("a", "b", "c"), (1, 1, 1))
    show(monitor, ("a", "b"), (1, 1))
    show(monitor, ("a", "gone"), (1, 1))
    found = monitor.snapshot()
    assert found["coverage"] == 0.5 and found["n_lists"] == 2


def test_lists_like_those_of_the_training_have_not_drifted(monitor):
    for score in np.linspace(1.0001, 1.9999, 500):
        show(monitor, ("a", "c"), (score, score))
    found = monitor.snapshot()
    assert found["score_psi"] < 0.01 and found["category_psi"] == pytest.approx(0, abs=1e-12)
    assert found["alarms"] == []


def test_lists_unlike_those_of_the_training_ring_the_alarm(monitor):
    show(monitor, ("a", "b"), (1.05, 1.05), times=100)
    found = monitor.snapshot()
    # Toys 0.5 -> 1, Tools 0.5 -> 0 (counted as 0.0001)
    assert found["category_psi"] == pytest.approx(0.5 * math.log(2) + 0.4999 * math.log(5000))
    assert found["score_psi"] > 1
    assert len(found["alarms"]) == 2 and "scores are not those of the training" in found["alarms"][0]


@pytest.mark.parametrize("toys, alarms", [(0.7, 0), (0.78, 1)])  # an index of 0.169 and of 0.354
def test_the_alarm_rings_above_a_quarter_and_not_below(monitor, toys, alarms):
    for n in range(200):
        shown = "a" if n < 200 * toys else "c"
        score = 1.0001 + 0.9998 * (7 * n % 200) / 199  # as at the training
        show(monitor, (shown,), (score,))
    found = monitor.snapshot()
    assert found["category_psi"] == pytest.approx((toys - 0.5) * math.log(toys / (1 - toys)))
    assert found["score_psi"] < 0.05 and len(found["alarms"]) == alarms


def test_few_lists_say_nothing_about_drift(monitor):
    show(monitor, ("a",), (1.05,), times=99)
    assert math.isnan(monitor.snapshot()["score_psi"]) and monitor.snapshot()["alarms"] == []


def test_places_without_a_score_do_not_count_as_drift(monitor):
    show(monitor, ("a", "c"), (None, math.nan), times=200)
    assert math.isnan(monitor.snapshot()["score_psi"])


def test_another_version_starts_anew(monitor):
    show(monitor, ("a",), (1.05,), times=200)
    monitor.observe_events(["new"])
    monitor.expect(reference(version="v2"))
    assert math.isnan(monitor.snapshot()["unknown_item_share"])
    found = monitor.snapshot()
    assert found["version"] == "v2" and found["n_lists"] == 0 and math.isnan(found["score_psi"])


def test_events_about_unknown_items_are_drift_of_the_catalogue(monitor):
    monitor.observe_events(["a", "b", "new", "c"])
    assert monitor.snapshot()["unknown_item_share"] == 0.25


def test_an_old_model_rings_the_alarm(clock):
    monitor = Monitor(clock=clock, freshness=Freshness(36, clock))
    monitor.expect(reference())
    assert monitor.snapshot()["freshness"] == "fresh" and monitor.snapshot()["age_hours"] == 1
    clock.now += 36 * 3600
    found = monitor.snapshot()
    assert found["freshness"] == "stale" and found["alarms"] == [
        "the model was trained 37.0 hours ago, the limit is 36: is the training running?"
    ]


def test_before_any_model_serves_it_says_so(clock):
    found = Monitor(clock=clock).snapshot()
    assert found["freshness"] == "unknown" and found["version"] == "" and found["alarms"] == ["no model serves"]
    assert math.isnan(found["coverage"]) and found["latency_ms"] == {}


def test_stability_index_by_hand():
    # (0.7 - 0.5) ln(0.7 / 0.5) + (0.3 - 0.5) ln(0.3 / 0.5)
    assert stability_index([0.5, 0.5], [0.7, 0.3]) == pytest.approx(0.2 * math.log(1.4) - 0.2 * math.log(0.6))
    assert stability_index([0.5, 0.5], [0.5, 0.5]) == 0
    assert math.isnan(stability_index([0, 0], [0.5, 0.5])) and math.isnan(stability_index([0.5, 0.5], [0, 0]))


def test_scores_in_lumps_are_judged_by_their_lumps():
    lumps = np.repeat([0.0, 1.0], [40, 61])  # two values, as of a cascade of two steps
    expected, served = score_shares(lumps, np.array([0.0, 1.0, 1.0, 1.0]))
    assert expected[expected > 0].tolist() == pytest.approx([40 / 101, 61 / 101])
    assert served[expected > 0].tolist() == [0.25, 0.75]


def test_many_threads_lose_no_count(monitor):
    def work():
        for _ in range(500):
            monitor.observe(
                "recommend", 1.0, step="hybrid", path="live", degraded=("cache",), items=("a",), scores=(1,)
            )

    threads = [threading.Thread(target=work) for _ in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    found = monitor.snapshot()
    assert found["requests"]["recommend"] == found["degraded"]["cache"] == found["paths"]["live"] == 3000


def test_prometheus_reads_what_it_is_told(monitor):
    parser = pytest.importorskip("prometheus_client.parser", reason="the official parser comes with the extra serve")
    for ms in (0.5, 2.0, 2.5, 30.0, 99_999.0):
        monitor.observe("recommend", ms, step='odd "step"\\\n', path="live", degraded=("cache",))
    monitor.observe_error("search", "BadRequest")
    families = {f.name: f for f in parser.text_string_to_metric_families(monitor.prometheus())}
    bucket = {s.labels["le"]: s.value for s in families["reco_request_seconds"].samples if s.name.endswith("_bucket")}
    assert bucket["0.001"] == 1 and bucket["0.0025"] == 3 and bucket["0.05"] == 4 and bucket["+Inf"] == 5
    total = next(s.value for s in families["reco_request_seconds"].samples if s.name.endswith("_sum"))
    assert total == pytest.approx(0.0005 + 0.002 + 0.0025 + 0.03 + 99.999)
    assert families["reco_step_share"].samples[0].labels == {"step": 'odd "step"\\\n'}
    assert families["reco_errors"].samples[0].labels == {"kind": "search", "error": "BadRequest"}
    assert families["reco_degraded"].samples[0].value == 5
    assert families["reco_model"].samples[0].labels == {"version": "v1"}
    assert families["reco_stale"].samples[0].value == 0 and families["reco_age_hours"].samples[0].value == 1


def test_prometheus_can_be_told_before_anything_happened(clock):
    pytest.importorskip("prometheus_client", reason="comes with the extra serve")
    text = Monitor(clock=clock).prometheus()
    assert "reco_stale 1" in text and "reco_coverage NaN" in text


@pytest.mark.parametrize("wrong", [{"n_lists": 0}, {"n_lists": True}, {"n_lists": 1.5}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be a whole number of at least 1"):
        Monitor(**wrong)
