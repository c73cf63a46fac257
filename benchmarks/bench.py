"""Times contenders against each other: in turn (A B C A B C ...), each run in a process and an interpreter of its own.

Standard library only, so that a peer's environment can import it. A benchmark file says

    CONTENDERS = {"ours": ours, "polars": polars}  # name -> function(folder): imports, loads, and returns a call
    if __name__ == "__main__":
        bench.main(__file__, CONTENDERS, prepare)  # prepare(folder, options) writes the data, in our environment

The call alone is timed; what it returns goes to `digest`, a number or text by which results can be compared.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
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
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--peers", default=sys.executable, help="python of the peers' environment")
    parser.add_argument(
        "--other", action="append", default=[], metavar="NAME=PYTHON",
        help="python of a contender that needs an environment of its own; may be given more than once",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=contenders, default=list(contenders))
    parser.add_argument("--child", choices=contenders, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    for name, default in (options or {}).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    if chosen.child:
        found = json.dumps(run_once(contenders[chosen.child], chosen.folder, digest))
        print(f"\n{found}")  # a library's bar may have left its line unfinished
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), chosen)
        pythons = {name: python_of(name, chosen) for name in chosen.only}
        rounds = [{name: spawn(file, name, folder, pythons[name]) for name in pythons} for _ in range(chosen.rounds)]
    print(table(rounds))


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


def spawn(file: str, name: str, folder: str, python: str) -> dict:
    """One run of one contender in a fresh process."""
    command = [python, file, "--child", name, "--folder", folder]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    if done.returncode:
        raise RuntimeError(f"{name} failed in {python}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


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


def table(rounds: list[dict]) -> str:
    """Medians over rounds as Markdown; the ratio is that of wall seconds to the first contender's in the same round."""
    names = list(rounds[0])
    lines = ["| contender | seconds | times the first | cpu s | call MB | peak MB | result |", "|---" * 7 + "|"]
    for name in names:
        runs = [each[name] for each in rounds]
        ratio = statistics.median(each[name]["seconds"] / each[names[0]]["seconds"] for each in rounds)
        seconds, cpu, call, peak = (
            statistics.median(r[k] for r in runs) for k in ("seconds", "cpu", "call_mb", "peak_mb")
        )
        digests = " or ".join(sorted({json.dumps(r["digest"]) for r in runs}))
        lines.append(f"| {name} | {seconds:.2f} | {ratio:.2f} | {cpu:.2f} | {call:.0f} | {peak:.0f} | {digests} |")
    return "\n".join(lines)
