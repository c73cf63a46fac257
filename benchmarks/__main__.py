"""Every contest, one after another: a table per task, and a file with every run, the machine and the versions.

    make bench                  # builds the peers' environments, then runs this
    make bench QUICK=1          # small sizes and one round: do all contests still work?
    python benchmarks --only knn als --peers PYTHON --lenskit PYTHON2

The tables also go to `report.md` in the folder of the run.
"""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
LENSKIT = ("LensKit", "cornac")  # contenders that live in the second environment

# (title, file, rounds, options at full size, options at small size)
CONTESTS = {
    "topk": ("the 10 best dot products", "topk", 5, [], ["--users", "1024", "--items", "10000"]),
    "knn": ("user-kNN: fit and lists", "knn", 5, [], ["--users", "1500", "--items", "1000"]),
    "item-knn": (
        "item-kNN: fit and lists",
        "knn",
        5,
        ["--item", "1"],
        ["--item", "1", "--users", "1500", "--items", "1000"],
    ),
    "als": ("ALS: fit", "als", 3, [], ["--users", "1500", "--items", "1000"]),
    "als-lists": (
        "ALS: lists",
        "als",
        3,
        ["--recommend", "1", "--only", "ours iALS", "implicit", "irspack"],
        ["--recommend", "1", "--users", "1500", "--items", "1000", "--only", "ours iALS", "implicit", "irspack"],
    ),
    "ease": ("EASE: fit", "ease", 3, [], ["--users", "1500", "--items", "1000"]),
    "metrics": (
        "metrics of accuracy",
        "metrics",
        3,
        [],
        ["--users", "5000", "--only", "ours", "pandas merge", "numpy keys"],  # ranx compiles for a minute
    ),
    "mmr": ("MMR", "mmr", 3, [], ["--users", "500"]),
    "weighting": ("events to weights", "weighting", 3, [], ["--events", "300000", "--users", "20000"]),
    "content": (
        "similar products by text",
        "content",
        3,
        ["--items", "30000", "--only", "ours", "ours from text", "sparse_dot_topn", "scikit-learn", "scipy blocks"],
        ["--items", "3000", "--only", "ours", "sparse_dot_topn", "scikit-learn"],
    ),
    "growth": ("growth of time and memory", "growth", 1, [], ["--quick"]),
}


def main() -> int:
    """Run the contests that were chosen; 1 when any of them, or a peer in one of them, failed."""
    chosen = arguments()
    folder = chosen.out / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    folder.mkdir(parents=True)
    failed = []
    for name in chosen.only:
        title, _, rounds, full, quick = CONTESTS[name]
        print(f"{name}: {title}", file=sys.stderr, flush=True)
        record = folder / f"{name}.json"
        done = subprocess.run(command(name, chosen, record), stdout=subprocess.PIPE, text=True)
        text = f"## {name}: {title}\n\n{done.stdout.strip() or 'failed'}\n"
        print(text, flush=True)
        with (folder / "report.md").open("a", encoding="utf-8") as report:
            report.write(text + "\n")
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


def command(name: str, chosen: argparse.Namespace, record: Path) -> list[str]:
    """The command line of one contest."""
    _, file, rounds, full, quick = CONTESTS[name]
    rounds = chosen.rounds or (1 if chosen.quick else rounds)
    line = [sys.executable, str(HERE / f"{file}.py"), "--peers", chosen.peers, "--save", str(record)]
    line += [part for other in LENSKIT if file == "als" for part in ("--other", f"{other}={chosen.lenskit}")]
    return [*line, "--rounds", str(rounds), *(quick if chosen.quick else full)]


def failures(record: Path) -> list[str]:
    """The peers that failed in a contest, as "contest/peer"."""
    found = json.loads(record.read_text(encoding="utf-8"))["table"]
    return [f"{record.stem}/{peer}" for peer, row in found.items() if "failed" in row]


if __name__ == "__main__":
    sys.exit(main())
