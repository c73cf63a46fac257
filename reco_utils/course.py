"""Runs the notebooks of the course one after the other and leaves them, executed, in `runs/<dataset>/` with a report.

A parameter that a notebook does not declare, or declares and never uses, is refused before anything runs: papermill
would only warn, and a run on the wrong data looks exactly like a run on the right data.
"""

import ast
import logging
import os
import re
import symtable
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
import psutil
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
LAST_CORE = 9  # later notebooks belong to the extension

logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it has to say is said in one line here


@dataclass(frozen=True)
class Run:
    """What came of one notebook: where it lies, what it took, and what stopped it (None: it ran to its end)."""

    path: Path
    seconds: float
    peak_mb: float
    error: str | None = None

    @property
    def name(self) -> str:
        """What the notebook is called in the report."""
        return label(self.path)


# ------------------------------------------------------------------------------------------------ which notebooks
def label(path: Path) -> str:
    """`02_user_knn.ipynb` as people say it: "02 user_knn"."""
    return path.stem.replace("_", " ", 1)


def find_notebooks(only: Iterable[str] = (), *, extension: bool = False, folder: Path = NOTEBOOKS) -> list[Path]:
    """The notebooks of the course in order.

    Parameters
    ----------
    only : numbers or names, e.g. "02" or "02_user_knn"
        Leave out the others.
    extension : bool
        10 and later too.
    Raises
    ------
    ValueError  when `only` names a notebook that is not there
    """
    every = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    found = [p for p in every if extension or int(p.name[:2]) <= LAST_CORE]
    if not (only := list(only)):
        return found
    wanted = {o: [p for p in found if o in (p.stem, p.name) or o.zfill(2) == p.name[:2]] for o in only}
    if missing := [o for o, paths in wanted.items() if not paths]:
        later = "" if extension or len(found) == len(every) else "; 10 and later need EXTENSION=1 (--extension)"
        raise ValueError(f"no notebook {missing}; there are {[p.name[:2] for p in found] or 'none yet'}{later}")
    return sorted({p for paths in wanted.values() for p in paths})


def read(path: Path) -> NotebookNode:
    """A notebook as it is on disk: nothing repaired, no cell id made up."""
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------ their parameters
def parameters_cell(notebook: NotebookNode) -> int | None:
    """Position of the code cell tagged `parameters`, None without one."""
    tagged = [n for n, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", ())]
    return tagged[0] if tagged else None


def statements(cell: NotebookNode) -> list[ast.stmt]:
    """The Python statements of a code cell, magics translated; none where it is not Python."""
    if cell.cell_type != "code":
        return []
    source = re.sub(r"\A\s*%%.*\n", "", cell.source)
    try:
        return ast.parse(TransformerManager().transform_cell(source)).body
    except SyntaxError:
        return []


def declared(notebook: NotebookNode) -> dict[str, object]:
    """Parameters and their defaults; a default that is no literal is shown as its code."""
    at = parameters_cell(notebook)
    found = {}
    for statement in statements(notebook.cells[at]) if at is not None else ():
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and statement.value is not None:
                found[target.id] = _literal(statement.value)
    return found


def unread(notebook: NotebookNode, names: Iterable[str]) -> set[str]:
    """Those of `names` that no cell after the parameters reads, or that are overwritten before they are read."""
    at, waiting, read = parameters_cell(notebook), set(names), set()
    for cell in notebook.cells[at + 1 :] if at is not None else ():
        for statement in statements(cell):
            reads, writes = _globals(statement)
            read |= waiting & reads
            waiting -= reads | writes
    return set(names) - read


def refuse_parameters(path: Path, parameters: Mapping[str, object]) -> None:
    """Raise ValueError unless the notebook declares each of `parameters` and reads it later."""
    notebook = read(path)
    known = declared(notebook)
    if strange := [p for p in parameters if p not in known]:
        raise ValueError(f"{path.name} does not declare {strange} in its parameters cell; it declares {list(known)}")
    if idle := sorted(unread(notebook, parameters)):
        raise ValueError(f"{path.name} declares {idle}, but no later cell reads it: it would change nothing")


def _literal(value: ast.expr) -> object:
    try:
        return ast.literal_eval(value)
    except ValueError:
        return ast.unparse(value)


def _globals(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Names that a statement reads from, and writes to, the notebook's own scope."""
    top = symtable.symtable(ast.unparse(statement), "cell", "exec")
    writes = {s.get_name() for s in top.get_symbols() if s.is_assigned()}
    reads, tables = set(), [top]
    for table in tables:
        reads |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (table is top or s.is_global())}
        tables += table.get_children()
    return reads, writes


# ------------------------------------------------------------------------------------------------ one notebook
def execute(path: Path, out: Path, parameters: Mapping[str, object], *, timeout: int | None = None) -> Run:
    """Run one notebook in its own folder and write it to `out`, half-executed when a cell fails.

    `out` is replaced in one step at the end; an interrupt stops the kernel and leaves `out` as it was. Memory is what
    the kernel and its children held at once, looked at ten times a second (on Linux a kernel's own peak is exact).

    Parameters
    ----------
    timeout : int, seconds, optional
        A cell that takes longer fails.
    """
    path, out = path.resolve(), out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.stem}.{os.getpid()}.ipynb")
    _calm_kernels()
    begin = time.perf_counter()
    try:
        peak, error = _papermill(path, part, dict(parameters), timeout)
        if part.exists():
            error = error and f"{_culprit(part)}{error}"
            os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return Run(out, time.perf_counter() - begin, peak / 1e6, error)


def _papermill(path: Path, part: Path, parameters: dict, timeout: int | None) -> tuple[int, str | None]:
    """Peak memory in bytes, and the error in one line. Papermill works in a thread, so that Ctrl-C arrives here."""
    ours = psutil.Process()
    others = set(ours.children(recursive=True))

    def kernels():
        return [p for p in ours.children(recursive=True) if p not in others]

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(
            papermill.execute_notebook, path, part, parameters, kernel_name="python3", language="python",
            cwd=path.parent, progress_bar=False, execution_timeout=timeout,
            extra_arguments=["--Application.log_level=50"],
        )  # fmt: skip
        try:
            peak = _watch(job, kernels)
        except BaseException:
            for kernel in kernels():
                kernel.kill()
            raise
    return peak, _first_line(job.exception())


def _watch(job: Future, kernels) -> int:
    """The most bytes that the kernels held at once until the job was done."""
    peak = 0
    while wait([job], timeout=0.1).not_done:
        sizes = [_memory(kernel) for kernel in kernels()]
        peak = max(peak, sum(now for now, _ in sizes), max((most for _, most in sizes), default=0))
    return peak


def _memory(process: psutil.Process) -> tuple[int, int]:
    """Resident bytes of a process, now and at its peak (0 where the system does not tell)."""
    try:
        now = process.memory_info().rss
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        return now, int(peak[1]) * 1024 if peak else 0
    except psutil.Error:  # gone between two looks
        return 0, 0
    except OSError:
        return now, 0


def _first_line(error: BaseException | None) -> str | None:
    if error is None:
        return None
    name, text = getattr(error, "ename", type(error).__name__), str(getattr(error, "evalue", error))
    return f"{name}: {text.strip().splitlines()[0] if text.strip() else 'no message'}"


def _culprit(executed: Path) -> str:
    """ "cell 7 (In [4]), " for the cell with the error, or the last one that was begun; cells as in the source."""
    added = {"injected-parameters", "papermill-error-cell-tag"}
    cells = [c for c in read(executed).cells if not added & set(c.metadata.get("tags", ()))]
    failed = [n for n, c in enumerate(cells) if any(o.output_type == "error" for o in c.get("outputs", ()))]
    begun = [n for n, c in enumerate(cells) if c.metadata.get("papermill", {}).get("start_time")]
    if not (at := failed or begun[-1:]):
        return ""
    return f"cell {at[0] + 1} (In [{cells[at[0]].get('execution_count') or ' '}]), "


def _calm_kernels() -> None:
    """What every kernel inherits: one BLAS thread, this environment's kernel, no warning about frozen modules."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")


# ------------------------------------------------------------------------------------------------ the whole course
def run_course(paths: Sequence[Path], parameters: Mapping[str, object], folder: Path) -> list[Run]:
    """Run `paths` with `parameters`, one line each, and write them and `index.html` to `folder`.

    A notebook that fails is kept as far as it came, and the others still run.

    Raises
    ------
    ValueError  before anything runs, when a notebook does not declare or never reads one of `parameters`
    """
    from reco_utils.report import write_report

    for path in paths:
        refuse_parameters(path, parameters)
    width = max((len(label(p)) for p in paths), default=0) + 4
    runs = []
    for path in paths:
        print(f"{label(path)} ".ljust(width, ".") + " ", end="", flush=True)
        run = execute(path, folder / path.name, parameters)
        took = f"{run.seconds:.1f} s, {run.peak_mb:,.0f} MB peak"
        print(took if run.error is None else f"FAILED after {took}: {run.error}", flush=True)
        runs.append(run)
    write_report(runs, folder, parameters)
    return runs
