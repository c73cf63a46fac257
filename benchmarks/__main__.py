"""Every contest, one after another: a table per task, and a file with every run, the machine and the versions.

    make bench                  # builds the peers' environments, then runs this
    make bench QUICK=1          # small sizes and one round: do all contests still work?
    python benchmarks --only knn als --peers PYTHON --lenskit PYTHON2

The tables also go to `report.md` in the folder of the run.
"""

import argparse
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import bench

HERE = Path(__file__).parent
LENSKIT = ("LensKit", "cornac")  # contenders that live in the second environment


@dataclass(frozen=True)
class Contest:
    """A file with its options: always, at full size, at small size (None: left out there)."""

    title: str
    file: str
    rounds: int
    always: str = ""
    full: str = ""
    quick: str | None = ""


CONTESTS = {
    "topk": Contest("the 10 best dot products", "topk", 5, quick="--users 1024 --items 10000"),
    "knn": Contest("user-kNN, fit and lists", "knn", 5, quick="--users 1500 --items 1000"),
    "item-knn": Contest("item-kNN, fit and lists", "knn", 5, "--item 1", quick="--users 1500 --items 1000"),
    "als": Contest("ALS, fit", "als", 3, quick="--users 1500 --items 1000"),
    "als-lists": Contest(
        "ALS, lists", "als", 3, "--recommend 1 --only 'ours iALS' implicit irspack", quick="--users 1500 --items 1000"
    ),
    "ease": Contest("EASE, fit", "ease", 3, quick="--users 1500 --items 1000"),
    "metrics": Contest(
        "metrics of accuracy", "metrics", 3, "--only ours 'pandas merge' 'numpy keys'", quick="--users 5000"
    ),
    "metrics-ranx": Contest(  # which compiles for a minute and takes many seconds
        "metrics that ranx knows", "metrics", 1, "--only 'ours, the eight of ranx' ranx 'ranx from frames'", quick=None
    ),
    "mmr": Contest("MMR", "mmr", 3, quick="--users 500"),
    "weighting": Contest("events to weights", "weighting", 3, quick="--events 300000 --users 20000"),
    "content": Contest(
        "similar products by text", "content", 3,
        "--only ours 'ours from text' sparse_dot_topn scikit-learn 'scipy blocks'", "--items 20000", "--items 3000",
    ),
    "ann": Contest("nearest vectors, one query at a time", "ann", 3, quick="--items 5000 --queries 50"),
    "stores": Contest("a cache of lists, 16 threads", "stores", 3, "--threads 16", quick="--calls 5000"),
    "event-log": Contest("events on the disk, 16 threads", "event_log", 3, quick="--events 500"),
    "growth": Contest("growth of time and memory", "growth", 1, quick="--quick"),
}  # fmt: skip


def main() -> int:
    """Run the contests that were chosen; 1 when any of them, or a peer in one of them, failed."""
    chosen = arguments()
    folder = chosen.out / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    folder.mkdir(parents=True)
    report, failed = folder / "report.md", []
    machine = "{cores} cores, {memory_gb} GB, {processor}, {system}".format_map(bench.machine())
    report.write_text(f"# {folder.name}, commit {bench.revision()}\n\n{machine}\n\n", encoding="utf-8")
    for name in chosen.only:
        contest = CONTESTS[name]
        if chosen.quick and contest.quick is None:
            continue
        print(f"{name}: {contest.title}", file=sys.stderr, flush=True)
        record = folder / f"{name}.json"
        done = subprocess.run(command(contest, chosen, record), stdout=subprocess.PIPE, text=True)
        text = f"## {name}: {contest.title}\n\n{done.stdout.strip() or 'failed'}\n"
        print(text, flush=True)
        with report.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
        failed += [name] if done.returncode else failures(record)
    print(f"every run, the machine and the versions are in {folder}", file=sys.stderr)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def arguments() -> argparse.Namespace:
    """What to run and where."""
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default=sys.executable, help="python of the peers' environment")
    parser.add_argument("--lenskit", default=sys.executable, help="python of the environment of LensKit and cornac")
    parser.add_argument("--only", nargs="+", choices=CONTESTS, default=list(CONTESTS), metavar="CONTEST")
    parser.add_argument("--rounds", type=int, help="instead of each contest's own number")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round")
    parser.add_argument("--out", type=Path, default=HERE.parent / "runs" / "bench")
    return parser.parse_args()


def command(contest: Contest, chosen: argparse.Namespace, record: Path) -> list[str]:
    """The command line of one contest."""
    rounds = chosen.rounds or (1 if chosen.quick else contest.rounds)
    line = [sys.executable, str(HERE / f"{contest.file}.py"), "--peers", chosen.peers, "--save", str(record)]
    if contest.file == "als":
        line += [part for other in LENSKIT for part in ("--other", f"{other}={chosen.lenskit}")]
    sizes = contest.quick if chosen.quick else contest.full
    return [*line, "--rounds", str(rounds), *shlex.split(f"{sizes} {contest.always}")]


def failures(record: Path) -> list[str]:
    """The peers that failed in a contest, as "contest/peer"."""
    found = json.loads(record.read_text(encoding="utf-8"))["table"]
    return [f"{record.stem}/{peer}" for peer, row in found.items() if "failed" in row]


if __name__ == "__main__":
    sys.exit(main())
