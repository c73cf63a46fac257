"""What grows with what: time and memory of our own steps when users, items or events become ten times as many.

    python benchmarks/growth.py [--only "user-kNN, fit" MMR] [--quick]

A log by Zipf's law: 10,000 users, 2,000 items and a million events (growing: 100,000 / 20,000 / ten million, one after
the other and then all at once), items as popular as 1 / (rank + 20), users as diligent as 1 / (rank + 100). One process
per step and size, on all cores; compiled code is loaded before the clock starts.

"x users" is the processor time with ten times the users, over that before: 10 is in proportion, below 10 is less. It is
not the time of the clock, so that a machine that is busy gives the same table. Lists are made for all users. The MB are
those that the call adds to what it was given, at its peak. The last row counts pairs of user and item: models learn
from these, and in a shop that stays as large more events are partly the same pairs again.
"""

import sys
import tempfile
from pathlib import Path

import bench
import numpy as np

BASE = {"users": 10_000, "items": 2_000, "events": 1_000_000}
K, CANDIDATES, WIDTH, TRUTHS = 10, 100, 64, 5
TYPES, RATES = ("view", "click", "add_to_cart", "purchase"), (0.7, 0.15, 0.1, 0.05)
ASOF, DAYS = "2025-07-01", 180


# ---------------------------------------------------------------------------------------------------------------- data
def zipf(n: int, size: int, shift: int, rng) -> np.ndarray:
    """`size` numbers below n, the r-th in rank as likely as 1 / (r + shift), the ranks shuffled."""
    share = np.cumsum(1 / (np.arange(n) + shift))
    return rng.permutation(n)[np.searchsorted(share, rng.random(size) * share[-1])].astype(np.int32)


def write(folder: Path, users: int, items: int, events: int) -> int:
    """The events by time, everybody's matrix, lists to measure and candidates to rerank; the number of interactions."""
    from scipy.sparse import csr_matrix, save_npz

    rng = np.random.default_rng(0)
    who, what = zipf(users, events, 100, rng), zipf(items, events, 20, rng)
    kind = rng.choice(len(TYPES), events, p=RATES).astype(np.int8)
    np.savez(folder / "events.npz", who=who, what=what, kind=kind, sizes=(users, items, events))
    weights = csr_matrix((np.array([1, 2, 3, 5], np.float32)[kind], (who, what)), (users, items))
    weights.sum_duplicates()
    save_npz(folder / "weights.npz", weights, compressed=False)
    step = items // CANDIDATES
    candidates = np.arange(CANDIDATES) * step + rng.integers(0, step, (users, CANDIDATES))  # no item twice
    candidates = rng.permuted(candidates, axis=1).astype(np.int32)
    wanted = np.unique(np.repeat(np.arange(users), TRUTHS) * np.int64(items) + zipf(items, users * TRUTHS, 20, rng))
    np.savez(folder / "lists.npz", candidates=candidates, wanted=wanted)
    return weights.nnz


# --------------------------------------------------------------------------------------------------------------- steps
def dataset(folder):
    """The weights as a Dataset; every item is in the catalogue, nothing is known of anybody."""
    import pandas as pd
    from scipy.sparse import load_npz

    from reco_utils.core import Dataset

    weights = load_npz(folder / "weights.npz")
    users, items = (pd.RangeIndex(n) for n in weights.shape)
    asof = pd.Timestamp(ASOF)
    last = np.full(weights.nnz, asof.to_datetime64())
    catalog, profiles = pd.DataFrame(index=items), pd.DataFrame(index=users)
    return Dataset(users, items, weights, last, weights.astype(bool), catalog, profiles, asof)


def weighting(folder):
    """From the table of events to a Dataset."""
    import pandas as pd

    from reco_utils.core import Defaults, Tables
    from reco_utils.data.build import build_dataset

    arrays = np.load(folder / "events.npz")
    users, items, events = arrays["sizes"].tolist()
    seconds = np.arange(events) * (DAYS * 86_400 - 1) // events
    times = np.datetime64("2025-01-02", "us") + seconds.astype("timedelta64[s]")
    codes = pd.Categorical.from_codes
    frame = pd.DataFrame(
        {
            "user_id": codes(arrays["who"], pd.Index([f"u{n}" for n in range(users)])),
            "item_id": codes(arrays["what"], pd.Index([f"i{n}" for n in range(items)])),
            "event": codes(arrays["kind"], pd.Index(TYPES)),
            "timestamp": times,
        }
    )
    catalog = pd.DataFrame({"item_id": frame["item_id"].cat.categories, "title": "thing"})
    profiles = pd.DataFrame({"user_id": frame["user_id"].cat.categories})
    defaults = Defaults(window_days=120, half_life_days=30)

    def call(events=frame):
        return build_dataset(Tables("log", events, catalog, profiles, defaults, pd.DataFrame()), asof=ASOF)

    call(frame.iloc[:1000])
    return call


def small(data):
    """A hundred users of a Dataset, to load what is compiled."""
    from dataclasses import replace

    rows = slice(0, 100)
    weights, seen = data.weights[rows], data.seen[rows]
    part = {"users": data.users[rows], "weights": weights, "seen": seen, "profiles": data.profiles.iloc[rows]}
    return replace(data, **part, last=data.last[: weights.nnz])


def fitting(kind, folder):
    """The fit of a model."""
    data = dataset(folder)
    kind().fit(small(data))
    return lambda: kind().fit(data)


def listing(kind, folder):
    """The ten best items of every user by a fitted model."""
    from reco_utils.core import recommend

    data = dataset(folder)
    model = kind().fit(data)
    recommend(model, data.batch(data.users[:100]), K)
    everybody = data.batch(data.users)
    return lambda: recommend(model, everybody, K)


def knn():
    from reco_utils.models.knn import UserKNNRecommender

    return UserKNNRecommender()


def ials():
    from reco_utils.models.ials import IALSRecommender

    return IALSRecommender()


def candidates_of(folder, width):
    import pandas as pd

    from reco_utils.core import TopK

    items = np.load(folder / "lists.npz")["candidates"][:, :width]
    scores = np.tile(-np.arange(width, dtype=np.float32), (len(items), 1))
    return TopK(pd.RangeIndex(len(items)), items, scores)


def measuring(folder):
    """Six measures of lists of ten."""
    from scipy.sparse import csr_matrix

    from reco_utils.evaluate.accuracy import measure

    lists, wanted = candidates_of(folder, K), np.load(folder / "lists.npz")["wanted"]
    n_items = int(np.load(folder / "events.npz")["sizes"][1])
    rows, columns = np.divmod(wanted, n_items)
    truth = csr_matrix((np.ones(len(rows)), (rows, columns)), (len(lists), n_items))
    measure(lists, truth)
    return lambda: measure(lists, truth)


def reranking(folder):
    """Ten of a hundred candidates by MMR, with vectors of 64 numbers."""
    from reco_utils.rerank.mmr import MMR

    data, lists = dataset(folder), candidates_of(folder, CANDIDATES)
    vectors = np.random.default_rng(1).standard_normal((len(data.items), WIDTH)).astype(np.float32)
    rerank, batch = MMR(vectors), data.batch(data.users)
    rerank(lists, batch, K)
    return lambda: rerank(lists, batch, K)


CONTENDERS = {
    "weighting to Dataset": weighting,
    "user-kNN, fit": lambda folder: fitting(knn, folder),
    "user-kNN, lists": lambda folder: listing(knn, folder),
    "iALS, fit": lambda folder: fitting(ials, folder),
    "iALS, lists": lambda folder: listing(ials, folder),
    "measure": measuring,
    "MMR": reranking,
}


# --------------------------------------------------------------------------------------------------------------- table
def sizes_of(quick: bool) -> dict[str, dict[str, int]]:
    """The sizes by what grew; when it must be quick, two of them and a twentieth as large."""
    base = {name: n // (20 if quick else 1) for name, n in BASE.items()}
    grown = {} if quick else {name: base | {name: 10 * base[name]} for name in base}
    return {"base": base, **grown, "all": {name: 10 * n for name, n in base.items()}}


def table(rounds: dict[str, list[dict]], interactions: dict[str, int]) -> str:
    """Seconds and MB at the first size, how many times the work it is when users, items, events or all grow."""
    medians = {size: bench.medians(runs) for size, runs in rounds.items()}
    grown = [size for size in rounds if size != "base"]
    head = ["step", "seconds", "seconds, all", *(f"x {size}" for size in grown), "MB", "MB, all"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for step, first in medians["base"].items():
        times = [f"{medians[size][step]['cpu'] / first['cpu']:.1f}" for size in grown]
        memory = [f"{medians[size][step]['call_mb']:.0f}" for size in ("base", "all")]
        seconds = [f"{medians[size][step]['seconds']:.3f}" for size in ("base", "all")]
        lines.append(f"| {' | '.join([step, *seconds, *times, *memory])} |")
    counts = [f"{interactions[size] / interactions['base']:.1f}" for size in grown]
    lines.append(f"| interactions | {interactions['base']:,} | {interactions['all']:,} | {' | '.join(counts)} | | |")
    return "\n".join(lines)


def main() -> None:
    """One process per step and size, a table, and the file of all runs."""
    parser = bench.parser_of(CONTENDERS)
    parser.set_defaults(rounds=1)
    parser.add_argument("--quick", action="store_true", help="two sizes, a twentieth as large")
    chosen = parser.parse_args()
    if chosen.child:
        bench.print_once(CONTENDERS[chosen.child], chosen.folder, lambda result: None)
        return
    sizes, rounds, interactions = sizes_of(chosen.quick), {}, {}
    pythons = dict.fromkeys(chosen.only, sys.executable)
    for name, size in sizes.items():
        print(f"  {name}: {size}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            interactions[name] = write(Path(folder), **size)
            rounds[name] = bench.run_rounds(__file__, pythons, folder, chosen.rounds)
        broken = {step: row["failed"] for step, row in bench.medians(rounds[name]).items() if "failed" in row}
        if broken:
            raise RuntimeError(f"at {size}: {broken}")
    print(table(rounds, interactions))
    if chosen.save:
        found = {f"{step}, {size}": row for size, runs in rounds.items() for step, row in bench.medians(runs).items()}
        bench.save(chosen.save, __file__, pythons, {"options": sizes, "rounds": rounds, "table": found})


if __name__ == "__main__":
    main()
