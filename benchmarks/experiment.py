"""Does the analysis keep its promises? False alarms, power and intervals of a thousand simulated experiments each.

    python benchmarks/experiment.py [--experiments 1000] [--workers 2] [--save experiment.json]

A hundred thousand simulated shoppers of the built-in shop live through a fortnight twice, with the lists of popularity
(control) and of item-kNN (treatment), after a fortnight with popularity. Nobody but a simulator has both outcomes of
everybody, so the true effect is known exactly. An experiment then draws its users from them with replacement, some for
each arm, and is analysed by the package:

- A/A: both arms from the control's outcomes. The share with p < 0.05 should be 5 %.
- A/B: as many users per arm as theory says for a power of 80 % at the true effect, 20,000 at most. The share with
  p < 0.05 should be 80 %, and the intervals of the effect and of the relative effect should hold the truth 95 %.
- Daily looks: 14 of them at one experiment. The share of A/A tests that ever say "significant" should be 5 % or less,
  but for naive peeking.

With 1,000 experiments, chance alone moves 5 % and 95 % by 1.4 points and 80 % by 2.5 (two standard errors).
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from reco_utils.core import recommend
from reco_utils.corrections import adjust
from reco_utils.data.registry import load_dataset
from reco_utils.data.split import make_split
from reco_utils.experiment.cohorts import by_cohort
from reco_utils.experiment.effects import effect_between, effect_of_rows
from reco_utils.experiment.metrics import Coverage, Mean, Proportion, Quantile, Ratio
from reco_utils.experiment.policies import in_shop
from reco_utils.experiment.sequential import monitor
from reco_utils.experiment.shoppers import Shoppers
from reco_utils.models.knn import ItemKNNRecommender
from reco_utils.models.popularity import PopularityRecommender

ALPHA, POWER, MOST = 0.05, 0.8, 20_000
ARMS = ("control", "treatment")
METRICS = {
    "share of buyers": Proportion("orders"),
    "revenue per user": Mean("revenue"),
    "revenue per user, winsorised at 99.5 %": Mean("revenue", winsorise=0.995),
    "revenue per user, bootstrap": Mean("revenue", by="bootstrap"),
    "clicks per user": Mean("clicks"),
    "clicks per user, CUPED": Mean("clicks", cuped="before_clicks"),
    "clicks / shown": Ratio("clicks", "shown"),
    "clicks / shown, CUPED": Ratio("clicks", "shown", cuped=("before_clicks", "before_shown")),
    "bounced / sessions": Ratio("bounced", "sessions", lower_is_better=True),
}
P95, COVERED = "latency, 95th percentile of visits", "coverage of the catalogue"
LOOKS = {"daily looks at clicks / shown": "clicks / shown", "daily looks at revenue per user": "revenue per user"}
FAMILY = "any of five metrics, Holm"
INTERACTION = "effect differs by device"


# ---------------------------------------------------------------------------------------------------------- the people
@dataclass
class World:
    """Both outcomes of everybody: totals and visits by arm, where a user's visits begin, and the lists of item-kNN."""

    totals: dict[str, pd.DataFrame]
    visits: dict[str, pd.DataFrame]
    starts: dict[str, np.ndarray]
    lists: np.ndarray
    n_items: int

    @property
    def n(self) -> int:
        return len(self.lists)


WORLD: World = None  # made by `prepare`


def prepare(n: int) -> None:
    """Fits the two models and lets everybody live through both arms."""
    global WORLD
    tables = load_dataset("shop", size="medium", seed=0)
    tastes, data = tables.tastes, make_split(tables).train
    models = dict(zip(ARMS, (PopularityRecommender(), ItemKNNRecommender())))
    arms = {}
    for arm, model in models.items():
        lists = recommend(model.fit(data), data.batch(tastes.users), 10)
        arms[arm] = in_shop(lists, data.items, tastes)
    people = Shoppers(tastes, n=n)
    totals, visits, starts = {}, {}, {}
    for seed, arm in enumerate(ARMS):  # luck of its own in each arm: the arms of an experiment are other people
        everybody = np.full(n, arm, dtype=object)
        lived = people.simulate(
            arms, everybody, before_days=14, latency_ms={"control": 80, "treatment": 88}, seed=seed
        )  # fmt: skip
        totals[arm] = lived.totals().drop(columns="user_id")
        row = people.users.get_indexer(lived.visits["user_id"])
        order = np.argsort(row, kind="stable")
        visits[arm] = lived.visits.iloc[order].drop(columns=["user_id", "arm"]).reset_index(drop=True)
        starts[arm] = np.searchsorted(row[order], np.arange(n + 1))
    WORLD = World(totals, visits, starts, arms["treatment"].items[people.at], len(tastes.items))


def drawn_visits(arm: str, people: np.ndarray, first_id: int) -> pd.DataFrame:
    """The visits of drawn people, who count as different users each time they are drawn."""
    begin, end = WORLD.starts[arm][people], WORLD.starts[arm][people + 1]
    counts = end - begin
    at = np.repeat(begin - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    return WORLD.visits[arm].iloc[at].assign(user_id=np.repeat(first_id + np.arange(len(people)), counts))


def of_both(make, arms, n: int, rng) -> pd.DataFrame:
    """One table of n drawn people per arm, made by `make(outcomes of arm, people, first id)`."""
    parts = [
        make(source, rng.integers(0, WORLD.n, n), n * at).assign(arm=arm)
        for at, (arm, source) in enumerate(zip(ARMS, arms))
    ]
    return pd.concat(parts, ignore_index=True)


# --------------------------------------------------------------------------------------------------------- experiments
def of_rows(name: str, n_experiments: int) -> dict:
    """A metric with one row per user: drawn from the rows that the metric makes of everybody."""
    metric, rng = METRICS[name], np.random.default_rng([0, list(METRICS).index(name)])
    both = metric.rows(pd.concat([WORLD.totals[arm] for arm in ARMS], ignore_index=True))
    rows = dict(zip(ARMS, (both[: WORLD.n], both[WORLD.n :])))
    plain = METRICS[name] if metric.by == "normal" else Mean("revenue")
    truth = effect_of_rows(plain, *rows.values(), "treatment")
    bare = [part[:, 0].sum() / part[:, 1].sum() for part in rows.values()]  # CUPED moves no truth
    truths = (bare[1] - bare[0], bare[1] / bare[0] - 1)
    per_arm = users_per_arm(truths[0], truth.se**2 * WORLD.n)

    def experiment(arms):
        parts = [rows[arm][rng.integers(0, WORLD.n, per_arm)] for arm in arms]
        return effect_of_rows(metric, *parts, "treatment", rng=rng)

    return judged(name, experiment, truths, per_arm, n_experiments)


def of_latency(name: str, n_experiments: int) -> dict:
    """The 95th percentile of latency over visits of drawn people."""
    metric, rng = Quantile("latency_ms", 0.95), np.random.default_rng([1, 0])
    values = [np.quantile(WORLD.visits[arm]["latency_ms"], 0.95, method="inverted_cdf") for arm in ARMS]
    truths = (values[1] - values[0], values[1] / values[0] - 1)
    visits = pd.concat([WORLD.visits[arm].assign(arm=arm, user_id=_owners(arm)) for arm in ARMS], ignore_index=True)
    per_arm = users_per_arm(truths[0], effect_between(metric, visits, "treatment").se ** 2 * WORLD.n)

    def experiment(arms):
        return effect_between(metric, of_both(drawn_visits, arms, per_arm, rng), "treatment")

    return judged(name, experiment, truths, per_arm, n_experiments)


def _owners(arm):
    shift = WORLD.n * ARMS.index(arm)
    return np.repeat(np.arange(WORLD.n), np.diff(WORLD.starts[arm])) + shift


def of_coverage(name: str, n_experiments: int, per_arm: int = 200) -> dict:
    """Coverage by item-kNN of drawn people: an A/A test only; which share of items others would see has no formula."""
    metric, rng = Coverage(WORLD.n_items), np.random.default_rng([2, 0])

    def shown(_, people, first_id):
        items = WORLD.lists[people]
        users = np.repeat(first_id + np.arange(len(people)), items.shape[1])
        return pd.DataFrame({"user_id": users, "item_id": items.ravel()})

    found = [
        effect_between(metric, of_both(shown, ARMS, per_arm, rng), "treatment", rng=rng).p < ALPHA
        for _ in range(n_experiments)
    ]
    return {"metric": name, "users per arm": per_arm, "A/A alarms": np.mean(found)}


def of_family(name: str, n_experiments: int, per_arm: int = 2000) -> dict:
    """Five metrics of one A/A test: is any of them significant after Holm?"""
    rng = np.random.default_rng([3, 0])
    metrics = [m for m in METRICS.values() if m.by == "normal" and m.winsorise is None and m.cuped is None]
    rows = [metric.rows(WORLD.totals["control"]) for metric in metrics]

    def p_values():
        people = [rng.integers(0, WORLD.n, per_arm) for _ in ARMS]
        return [effect_of_rows(m, *(r[at] for at in people), "treatment").p for m, r in zip(metrics, rows)]

    alarms = [(adjust(p_values(), "holm") < ALPHA).any() for _ in range(n_experiments)]
    return {"metric": name, "users per arm": per_arm, "A/A alarms": np.mean(alarms)}


def of_interaction(name: str, n_experiments: int, per_arm: int = 2000) -> dict:
    """Clicks per user by device in an A/A test: is an interaction found?"""
    rng = np.random.default_rng([4, 0])
    keep = WORLD.totals["control"][["clicks", "device"]]

    def totals(_, people, first_id):
        return keep.iloc[people].assign(user_id=first_id + np.arange(len(people)))

    alarms = [
        by_cohort(of_both(totals, ARMS, per_arm, rng), Mean("clicks"), "device", arm="treatment").interaction_p < ALPHA
        for _ in range(n_experiments)
    ]
    return {"metric": name, "users per arm": per_arm, "A/A alarms": np.mean(alarms)}


def of_days(name: str, n_experiments: int, most: int = 2000) -> dict:
    """14 looks at one metric: how often each way to look raises an alarm, and how early it finds a true effect.

    A fifth as many A/B as A/A tests, at `most` users per arm: what is asked here are the false alarms.
    """
    metric, rng = METRICS[LOOKS[name]], np.random.default_rng([5, list(LOOKS).index(name)])
    rows = [metric.rows(WORLD.totals[arm]) for arm in ARMS]
    truth = effect_of_rows(metric, *rows, "treatment")
    per_arm = min(users_per_arm(truth.effect, truth.se**2 * WORLD.n), most)
    users = pd.DataFrame({"user_id": np.arange(2 * per_arm), "arm": np.repeat(ARMS, per_arm)})
    found = {"metric": name, "users per arm": per_arm}
    for kind, arms, times in (("A/A", ("control", "control"), n_experiments), ("A/B", ARMS, n_experiments // 5)):
        stops = pd.DataFrame(
            [
                monitor(of_both(drawn_visits, arms, per_arm, rng), metric, users=users, arm="treatment", days=14).stops
                for _ in range(times)
            ]
        )
        found |= {f"{kind} {way}": stops[way].notna().mean() for way in stops}
        found |= {f"{kind} days, {way}": 1 + stops[way].mean() for way in stops if kind == "A/B"}
    return found


def users_per_arm(effect: float, variances: float) -> int:
    """How many it takes for the power, from the variances of both arms together; 20,000 at most."""
    needed = (norm.isf(ALPHA / 2) + norm.ppf(POWER)) ** 2 * variances / effect**2
    return int(min(np.ceil(needed), MOST))


def judged(name, experiment, truths, per_arm, n_experiments) -> dict:
    """Counts over A/A and A/B experiments."""
    same = [experiment(("control", "control")).p < ALPHA for _ in range(n_experiments)]
    other = [experiment(ARMS) for _ in range(n_experiments)]
    return {
        "metric": name, "users per arm": per_arm, "A/A alarms": np.mean(same),
        "true effect": truths[0], "relative": truths[1],
        "power": np.mean([e.p < ALPHA for e in other]),
        "coverage": np.mean([e.low <= truths[0] <= e.high for e in other]),
        "relative coverage": np.mean([e.relative_low <= truths[1] <= e.relative_high for e in other]),
    }  # fmt: skip


JOBS = {name: of_rows for name in METRICS} | {
    P95: of_latency, COVERED: of_coverage, FAMILY: of_family, INTERACTION: of_interaction,
    **dict.fromkeys(LOOKS, of_days),
}  # fmt: skip


def run(name: str, n_experiments: int) -> dict:
    """One row of the tables."""
    begin = time.perf_counter()
    found = JOBS[name](name, n_experiments)
    found = {key: value if isinstance(value, str) else float(value) for key, value in found.items()}
    print(f"{json.dumps(found)} {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--shoppers", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS))
    parser.add_argument("--save", type=Path)
    chosen = parser.parse_args()
    prepare(chosen.shoppers)
    with ProcessPoolExecutor(chosen.workers, mp_context=get_context("fork")) as pool:  # who all know the same people
        longest_first = chosen.only[::-1]
        rows = list(pool.map(partial(run, n_experiments=chosen.experiments), longest_first))[::-1]
    days = [row for row in rows if row["metric"] in LOOKS]
    for table in ([row for row in rows if row not in days], days):
        if table:
            print(pd.DataFrame(table).set_index("metric").round(4).to_string(), "\n")
    if chosen.save:
        chosen.save.write_text(
            json.dumps({"experiments": chosen.experiments, "rows": rows}, indent=1), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
