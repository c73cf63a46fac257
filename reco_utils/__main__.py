"""The command line behind the make targets: `python -m reco_utils run|data|notebooks|serve`, each with `--help`."""

import argparse
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

INTERRUPTED = 128 + signal.SIGINT


def main(argv: list[str] | None = None) -> int:
    """Do what the arguments say and return the exit status: 0 fine, 1 something failed, 2 refused, 130 interrupted."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported
    os.environ.pop("MPLBACKEND", None)  # else figures are missing from the notebooks
    options = _parser().parse_args(argv)
    with _hearing_interrupts() as heard:
        try:
            return options.command(options)
        except KeyboardInterrupt:
            heard.append(signal.SIGINT)
        except (ValueError, OSError) as refusal:
            if not heard:
                print(f"error: {refusal}", file=sys.stderr)
                return 2
        except Exception:
            if not heard:
                raise
    print("\ninterrupted; no report was written" if options.command is _run else "\ninterrupted", file=sys.stderr)
    return INTERRUPTED


@contextlib.contextmanager
def _hearing_interrupts():
    """A list that is empty until somebody presses Ctrl-C: a compiler at work makes an error of its own out of that."""
    heard, before = [], signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield heard
        return

    def hear(number, frame):
        heard.append(number)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, hear)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reco_utils", description="Run the recommendation course.")
    rooms = parser.add_subparsers(required=True, metavar="run | data | notebooks | serve")

    run = rooms.add_parser("run", help="run the notebooks and write a report")
    run.add_argument("--dataset", default="shop", help="see `python -m reco_utils data list` (default: %(default)s)")
    run.add_argument("--size", default="medium", choices=("small", "medium", "large"), help="default: %(default)s")
    run.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    run.add_argument("--only", nargs="+", default=[], metavar="NN", help="numbers of notebooks, e.g. 01 02")
    run.add_argument("--extension", action="store_true", help="also notebooks 10 and later, which have their own lock")
    run.add_argument("--out", type=Path, default=Path("runs"), help="where <dataset>/ goes (default: %(default)s)")
    run.set_defaults(command=_run)

    data = rooms.add_parser("data", help="list, download or check the datasets")
    data.add_argument("action", nargs="?", default="list", choices=("list", "download", "check"))
    data.add_argument("name", nargs="?", help="the dataset to download or check")
    data.set_defaults(command=_data)

    kept = rooms.add_parser("notebooks", help="list the notebooks, or look after the stored ones")
    kept.add_argument("only", nargs="*", metavar="NN", help="numbers of notebooks (default: all)")
    what = kept.add_mutually_exclusive_group()
    what.add_argument("--execute", action="store_true", help="run with the default parameters and store the outputs")
    what.add_argument("--clean", action="store_true", help="bring into normal form without running")
    what.add_argument("--check", action="store_true", help="say what a notebook lacks; status 1 if anything")
    kept.set_defaults(command=_notebooks)

    from reco_utils.serve.command import add_parser

    add_parser(rooms)
    return parser


def _run(options) -> int:
    from reco_utils import course
    from reco_utils.data import registry

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the kernel is stopped too
    paths = course.find_notebooks(options.only, extension=options.extension, folder=course.NOTEBOOKS)
    if registry.find(options.dataset) is None and options.dataset != "shop":
        registry.download_dataset(options.dataset)
    if not paths:
        print("there are no notebooks yet, so nothing was run")
        return 0
    parameters = {"dataset": options.dataset, "size": options.size, "seed": options.seed}
    folder = options.out / options.dataset
    runs = course.run_course(paths, parameters, folder)
    print(f"report: {folder / 'index.html'}")
    failed = [run for run in runs if run.error]
    for run in failed:
        print(f"{run.path.name} failed: {run.error}\n  {folder / run.path.name} shows how far it came", file=sys.stderr)
    return int(bool(failed))


def _data(options) -> int:
    from reco_utils.data import registry

    if options.action == "list":
        datasets = registry.list_datasets()[["name", "on_disk", "size", "what"]].astype(str)
        widths = [max(datasets[column].str.len().max(), len(column)) for column in datasets]
        for row in (datasets.columns, *datasets.itertuples(index=False)):
            print("  ".join(f"{text:{width}}" for text, width in zip(row, widths)).rstrip())
        print("licences and how to get each: data/README.md")
        return 0
    if options.name is None:
        raise ValueError(f"data {options.action} needs a name; `python -m reco_utils data list` shows them")
    if options.action == "download":
        print(registry.download_dataset(options.name))
        return 0
    tables = registry.load_dataset(options.name, download=False)
    events = tables.events
    print(f"{len(events):,} events from {events['timestamp'].min()} to {events['timestamp'].max()}")
    print(f"{len(tables.profiles):,} users, {len(tables.catalog):,} items")
    print(f"it offers {', '.join(sorted(tables.offers))}")
    print(tables.report.to_string(index=False) if len(tables.report) else "no row was rejected or mended")
    return 0


def _notebooks(options) -> int:
    from reco_utils import course, stored

    for key in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        os.environ.pop(key, None)  # what is stored comes from recordings, whoever executes it
    folder = course.NOTEBOOKS
    lessons = course.find_notebooks(options.only, extension=True, folder=folder)
    solved = [path for lesson in lessons if (path := folder / "solutions" / lesson.name).exists()]
    n_bad = 0
    for path in [*lessons, *solved]:
        bad = []
        if options.execute:
            bad = [error] if (error := stored.refresh(path)) else []
        elif options.clean:
            stored.store(course.read(path), path)
        elif options.check:
            bad = stored.solution_problems(path) if path in solved else stored.problems(path)
        print(f"{path.relative_to(folder)}{'' if bad else ': fine' if options.check else ''}")
        print("".join(f"  {problem}\n" for problem in bad), end="", flush=True)
        n_bad += bool(bad)
    return int(n_bad > 0)


if __name__ == "__main__":
    sys.exit(main())
