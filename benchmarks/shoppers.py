"""No contest: how many visits of simulated shoppers a second makes, and how much memory they take.

    python benchmarks/shoppers.py [--sizes small medium large] [--shoppers 40000 100000] [--rounds 5] [--save FILE]

Shoppers of the built-in shop live through four weeks (two before the test, two in it) with lists of ten, half of them
in each arm. The figure is the visits of all four weeks by the seconds of the clock from the lists to the finished table
of visits, median and best of the rounds after one to warm up; "totals" is the table of one row per shopper. Memory is
what the process grew by at its peak.
"""

import argparse
import json
import os
import time
from pathlib import Path

import bench
import numpy as np

from reco_utils.data.shop import SIZES, make_shop
from reco_utils.experiment.shoppers import Shoppers

K = 10


def lists_of(tastes) -> dict[str, np.ndarray]:
    """One list for everybody, and lists drawn for each user: which items they hold costs nothing."""
    rng, shape = np.random.default_rng(0), (len(tastes.users), K)
    popular = np.tile(np.argsort(-tastes.item_factors[:, tastes.factor("appeal")])[:K], (shape[0], 1))
    return {"control": popular, "own": rng.integers(0, len(tastes.items), shape)}


def measure(tastes, n: int, rounds: int, *, log: bool) -> dict:
    """Visits per second and memory of `rounds` simulations of n shoppers."""
    people, arms, took = Shoppers(tastes, n), lists_of(tastes), []
    half = np.where(np.arange(n) % 2, "own", "control")
    people.simulate(arms, half, days=1)  # compiles, and makes what shoppers are like
    before_mb = bench.restart_peak()
    for seed in range(rounds):
        begin = time.perf_counter()
        found = people.simulate(arms, half, before_days=14, seed=seed, log=log)
        took.append((len(found.visits) + len(found.before)) / (time.perf_counter() - begin))
    begin = time.perf_counter()
    found.totals()
    row = {"visits": len(found.visits) + len(found.before), "visits per s": np.median(took), "best": max(took)}
    return {name: float(value) for name, value in row.items()} | {
        "totals_s": time.perf_counter() - begin, "memory_mb": bench.peak_mb() - before_mb, "load": os.getloadavg()[0],
    }  # fmt: skip


def main() -> None:
    """Parse, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["medium", "large"], choices=list(SIZES))
    parser.add_argument("--shoppers", nargs="+", type=int, default=[40_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    rows = {}
    for size in options.sizes:
        tastes = make_shop(size).tastes
        for n in options.shoppers:
            for log in (False, True):
                name = f"{size}, {n:,} shoppers{', with a log' if log else ''}"
                rows[name] = measure(tastes, n, options.rounds, log=log)
                print(f"{name}: {json.dumps({key: round(value, 2) for key, value in rows[name].items()})}", flush=True)
    if options.save:
        options.save.parent.mkdir(parents=True, exist_ok=True)
        options.save.write_text(json.dumps({"machine": bench.machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
