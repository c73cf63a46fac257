"""Times contenders against each other: in turn (A B C A B C ...), each run in a process and an interpreter of its own.

Standard library only, so that a peer's environment can import it. A benchmark file says

    CONTENDERS = {"ours": ours, "polars": polars}  # name -> function(folder): imports, loads, and returns a call
    if __name__ == "__main__":
        bench.main(__file__, CONTENDERS, prepare)  # prepare(folder, options) writes the data, in our environment

The call alone is timed; what it returns goes to `digest`, a number or text by which results can be compared. A peer
that fails is named in the table and left out of later rounds; when one of ours fails, everything stops.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

OURS = "ours"  # contenders whose name begins so run in our interpreter, the others in that of the peers


def main(
    file: str,
    contenders: Mapping[str, Callable],
    prepare: Callable[[Path, argparse.Namespace], None],
    *,
    digest: Callable = lambda result: None,
    options: Mapping[str, int] | None = None,
) -> None:
    """The command line of one benchmark: prepare the data, run the rounds, print a table.

    Parameters
    ----------
    options : mapping of name to default, whole numbers
        Sizes of the data, e.g. {"events": 10_000_000}, given as --events.
    """
    parser = parser_of(contenders)
    for name, default in (options or {}).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    if chosen.child:
        print_once(contenders[chosen.child], chosen.folder, digest)
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), chosen)
        pythons = {name: python_of(name, chosen) for name in chosen.only}
        rounds = run_rounds(file, pythons, folder, chosen.rounds)
    print(table(rounds))
    if chosen.save:
        sizes = {name: getattr(chosen, name) for name in options or {}}
        save(chosen.save, file, pythons, {"options": sizes, "rounds": rounds, "table": medians(rounds)})


def parser_of(contenders) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--peers", default=sys.executable, help="python of the peers' environment")
    parser.add_argument(
        "--other", action="append", default=[], metavar="NAME=PYTHON",
        help="python of a contender that needs an environment of its own; may be given more than once",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=contenders, default=list(contenders))
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="write every run, the machine and all versions as JSON"
    )
    parser.add_argument("--child", choices=contenders, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser


def python_of(name: str, chosen: argparse.Namespace) -> str:
    """The interpreter of a contender: ours, one of its own, or that of the peers."""
    others = dict(other.split("=", 1) for other in chosen.other)
    return sys.executable if name.startswith(OURS) else others.get(name, chosen.peers)


def run_once(contender: Callable, folder: Path, digest: Callable) -> dict:
    """Wall and processor seconds of the call, the peak memory of this process and what of it is the call's, in MB."""
    call = contender(folder)
    before = restart_peak()
    begin, busy = time.perf_counter(), time.process_time()
    result = call()
    seconds, busy, peak = time.perf_counter() - begin, time.process_time() - busy, peak_mb()
    return {"seconds": seconds, "cpu": busy, "call_mb": peak - before, "peak_mb": peak, "digest": digest(result)}


def print_once(contender: Callable, folder: Path, digest: Callable) -> None:
    """What a child does: one run, its figures as the last line."""
    found = json.dumps(run_once(contender, folder, digest))
    print(f"\n{found}")  # a library's bar may have left its line unfinished


def spawn(file: str, name: str, folder: str, python: str) -> dict:
    """One run of one contender in a fresh process; a peer that fails gives {"failed": why}."""
    command = [python, file, "--child", name, "--folder", folder]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    except FileNotFoundError:
        return {"failed": f"no interpreter {python}"}
    if done.returncode and name.startswith(OURS):
        raise RuntimeError(f"{name} failed in {python}:\n{done.stderr}")
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def run_rounds(file: str, pythons: Mapping[str, str], folder: str, n: int) -> list[dict]:
    """All contenders in turn, n times; what is running is said on the way."""
    rounds, left = [], dict(pythons)
    for at in range(n):
        runs = {}
        for name, python in left.items():
            print(f"  round {at + 1} of {n}: {name}", file=sys.stderr, flush=True)
            runs[name] = spawn(file, name, folder, python)
        left = {name: python for name, python in left.items() if "failed" not in runs[name]}
        rounds.append(runs)
    return rounds


def in_threads(n: int, work: Callable[[int], None]) -> None:
    """work(0), ..., work(n - 1), each on a thread of its own; returns when all have ended."""
    threads = [threading.Thread(target=work, args=(at,)) for at in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def peak_mb() -> float:
    """The most memory this process has had so far. (Linux counts a parent's peak in ru_maxrss, but not in VmHWM.)"""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def restart_peak() -> float:
    """The memory in use; where the system can, the peak is counted anew from here, without that of loading the data."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")
    return peak_mb()


def medians(rounds: list[dict]) -> dict[str, dict]:
    """Contender -> medians over its rounds; the ratio is that of wall seconds to the first one's in the same round."""
    first, found = next(iter(rounds[0])), {}
    for name in rounds[0]:
        runs = [each[name] for each in rounds if name in each]
        failed = [run["failed"] for run in runs if "failed" in run]
        if failed:
            found[name] = {"failed": failed[0]}
            continue
        ratios = [each[name]["seconds"] / each[first]["seconds"] for each in rounds]
        row = {key: statistics.median(run[key] for run in runs) for key in ("seconds", "cpu", "call_mb", "peak_mb")}
        found[name] = row | {
            "ratio": statistics.median(ratios),
            "digests": sorted({json.dumps(r["digest"]) for r in runs}),
        }
    return found


def table(rounds: list[dict]) -> str:
    """The medians as Markdown."""
    lines = ["| contender | seconds | times the first | cpu s | call MB | peak MB | result |", "|---" * 7 + "|"]
    for name, row in medians(rounds).items():
        if "failed" in row:
            lines.append(f"| {name} | failed: {row['failed']} |" + " |" * 5)
            continue
        figures = (f"{row['seconds']:.2f}", f"{row['ratio']:.2f}", f"{row['cpu']:.2f}", f"{row['call_mb']:.0f}")
        lines.append(f"| {name} | {' | '.join(figures)} | {row['peak_mb']:.0f} | {' or '.join(row['digests'])} |")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------------ for the record
def save(path: Path, file: str, pythons: Mapping[str, str], found: dict) -> None:
    """Write what was found with the date, the machine and the versions of everything, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    others = [python for python in dict.fromkeys(pythons.values()) if python != sys.executable]
    names = {sys.executable: "ours"} | {python: f"peers {n}" for n, python in enumerate(others, start=1)}
    record = {
        "benchmark": Path(file).stem,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "revision": revision(),
        **found,
        "environment_of": {contender: names[python] for contender, python in pythons.items()},
        "environments": {name: versions_of(python) for python, name in names.items()},
    }
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def machine() -> dict:
    """Cores that this process may use, memory, model of the processor and system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cores": cores, "memory_gb": round(memory, 1), "processor": model or platform.processor(),
        "system": platform.platform(),
    }  # fmt: skip


def revision() -> str:
    """The commit that was measured, with a + when files were changed since; empty outside of git."""
    command = ["git", "describe", "--always", "--dirty=+"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def versions_of(python: str) -> dict:
    """Python and every package of an environment; empty when there is none."""
    code = (
        "import json, sys; from importlib.metadata import distributions as all; "
        "print(json.dumps({'python': sys.version.split()[0], **{d.name: d.version for d in sorted(all(), key=lambda d: "
        "d.name.lower())}}))"
    )
    try:
        return json.loads(subprocess.run([python, "-c", code], capture_output=True, text=True).stdout or "{}")
    except FileNotFoundError:
        return {}
