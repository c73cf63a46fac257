"""How notebooks are kept in git: executed, in one normal form, and built like a lesson.

The normal form holds what a reader sees and nothing that differs between two runs: no timings, progress bars, warnings,
widget state, editor settings or interpreter versions. `problems` says what a notebook still lacks.
"""

import ast
import copy
import hashlib
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbformat import NotebookNode

from reco_utils import check
from reco_utils.course import ROOT, declared, execute, parameters_cell, read, statements, unread

MAX_BYTES = 400_000
PARAMETERS = {"dataset": "shop", "size": "medium", "seed": 0}
MIN_EXERCISES = 3
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "version": "3"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"
ABSOLUTE = re.compile(r"(?<![\w.:/<])/(?:home|root|Users|tmp|var|private|mnt|opt)/[\w.-]+|\b[A-Z]:\\\\?Users\\")
EXERCISE = re.compile(r"^#+ +Exercise +(\d\d\.\d+)\b", re.M)


# -------------------------------------------------------------------------------------------------- the normal form
def refresh(path: Path) -> str | None:
    """Execute a notebook with its own defaults and store it in normal form; on failure say why and keep the old one."""
    with TemporaryDirectory() as folder:
        run = execute(path, Path(folder) / path.name, {})
        if run.error is not None:
            return run.error
        notebook = read(run.path)
        if warned := _warnings(notebook):
            return f"a reader would see warnings; mend what they say: {warned}"
        store(notebook, path)
    return None


def _warnings(notebook: NotebookNode) -> str:
    """What the cells wrote to stderr, progress bars apart."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(output.text for output in outputs if output.get("name") == "stderr")
    return "\n".join(line for line in text.split("\n") if "Warning" in line)


def store(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook in normal form, in one step."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(as_text(notebook), encoding="utf-8")
    os.replace(part, path)


def as_text(notebook: NotebookNode) -> str:
    """The normal form of a notebook as JSON: sorted, one space of indent, text as it is, one newline at the end."""
    return nbformat.writes(normalise(notebook), version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def normalise(notebook: NotebookNode) -> NotebookNode:
    """A copy without anything that differs between two runs; a cell id that is missing or repeated gets a fixed one."""
    notebook = copy.deepcopy(notebook)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(METADATA)
    taken, n_run = set(), 0
    for cell in notebook.cells:
        cell.id = _fixed_id(cell, taken)
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags" and v})
        if cell.cell_type == "code":
            if cell.execution_count is not None:
                n_run += 1
                cell.execution_count = n_run
            cell.outputs = _outputs(cell)
    return notebook


def _fixed_id(cell: NotebookNode, taken: set[str]) -> str:
    """The id of a cell, or one made from its text where it has none of its own; never the same twice."""
    wanted = cell.get("id") or hashlib.sha256(cell.source.encode()).hexdigest()[:8]
    name, n = wanted, 1
    while name in taken:
        name, n = f"{wanted[:58]}-{n}", n + 1
    taken.add(name)
    return name


def _outputs(cell: NotebookNode) -> list[NotebookNode]:
    """The outputs without warnings, widgets and metadata, neighbouring prints joined."""
    kept = []
    for output in cell.outputs:
        if output.get("name") == "stderr" or WIDGET in output.get("data", {}):
            continue
        if output.output_type == "stream":
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
                continue
            output = nbformat.v4.new_output("stream", name="stdout", text=output.text)
        elif "metadata" in output:
            output.metadata = NotebookNode()
        if "execution_count" in output:
            output.execution_count = cell.execution_count
        kept.append(output)
    for output in kept:
        if output.output_type == "stream":  # a line that was overwritten shows its last text
            output.text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in output.text.split("\n"))
    return [o for o in kept if o.output_type != "stream" or o.text]


# -------------------------------------------------------------------------------------------------- what it lacks
def problems(path: Path) -> list[str]:
    """What keeps a notebook of the course from being committed, one sentence each; empty when nothing does."""
    notebook = read(path)
    found = _form(path, notebook) + _parameters(notebook) + _exercises(path, notebook)
    return [*found, *_solutions(path, notebook)]


def solution_problems(path: Path) -> list[str]:
    """The same for a notebook of solutions, which needs no parameters: every check must say correct."""
    notebook = read(path)
    return _form(path, notebook) + [
        f"exercise {exercise} is not answered correctly in the stored outputs"
        for exercise, cell in checked(notebook).items()
        if f"{exercise}: correct" not in _printed(cell)
    ]


def checked(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The exercises that a notebook checks, with the cell that does it."""
    found = {}
    for cell in notebook.cells:
        for node in (node for statement in statements(cell) for node in ast.walk(statement)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check" and node.args:
                found[getattr(node.args[0], "value", None)] = cell
    return found


def _form(path: Path, notebook: NotebookNode) -> list[str]:
    """Problems of any stored notebook: its title, its outputs, its size, its JSON."""
    found = []
    if not notebook.cells or not re.match(r"# \S", notebook.cells[0].source):
        found.append("the first cell must be a title, '# ...'")
    code = [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]
    if bare := [c.id for c in code if c.execution_count is None]:
        found.append(f"cells {bare} were not executed")
    if code and not any(c.outputs for c in code):
        found.append("no cell has a stored output")
    if broken := [c.id for c in code if any(o.output_type == "error" for o in c.outputs)]:
        found.append(f"cells {broken} hold errors")
    if (size := path.stat().st_size) >= MAX_BYTES:
        found.append(f"it has {size:,} bytes; keep it under {MAX_BYTES:,} with fewer or smaller figures")
    if paths := sorted({p for text in _texts(notebook) for p in _absolute(text)}):
        found.append(f"it shows absolute paths: {paths[:3]}")
    if path.read_text(encoding="utf-8") != as_text(notebook):
        found.append(f"it is not in normal form: run python -m reco_utils notebooks --clean {path.stem[:2]}")
    return found


def _parameters(notebook: NotebookNode) -> list[str]:
    """Problems of the parameters cell."""
    if parameters_cell(notebook) is None:
        return ["no code cell is tagged `parameters`"]
    found = []
    if (has := declared(notebook)) != PARAMETERS:
        found.append(f"the parameters must be {PARAMETERS}, got {has}")
    if idle := sorted(unread(notebook, has)):
        found.append(f"no cell after the parameters reads {idle}")
    return found


def _exercises(path: Path, notebook: NotebookNode) -> list[str]:
    """Problems of the exercises: their number, their check cells, their graders."""
    asked, tested = _asked(notebook), set(checked(notebook))
    found = []
    if len(asked) < MIN_EXERCISES:
        heading = f"'### Exercise {path.name[:2]}.1: ...'"
        found.append(f"it needs at least {MIN_EXERCISES} exercises headed like {heading}, got {len(asked)}")
    if odd := sorted(map(str, asked ^ tested)):
        found.append(f"exercises {odd} need both a heading and a check cell")
    if ungraded := sorted(asked - set(check.exercises(path.name[:2]))):
        found.append(f"exercises {ungraded} have no grader in reco_utils/check/nb{path.name[:2]}.py")
    return found


def _solutions(path: Path, notebook: NotebookNode) -> list[str]:
    """Problems of the notebook of solutions beside it."""
    solutions = path.parent / "solutions" / path.name
    if not solutions.exists():
        return [f"there is no solutions/{path.name}"]
    if unsolved := sorted(_asked(notebook) - set(checked(read(solutions)))):
        return [f"exercises {unsolved} have no solution in solutions/{path.name}"]
    return []


def _asked(notebook: NotebookNode) -> set[str]:
    return {e for c in notebook.cells if c.cell_type == "markdown" for e in EXERCISE.findall(c.source)}


def _printed(cell: NotebookNode) -> str:
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


def _texts(notebook: NotebookNode):
    """Every text of a notebook that a reader may see."""
    for cell in notebook.cells:
        yield cell.source
        for output in cell.get("outputs", ()):
            yield output.get("text", "")
            yield from ("".join(v) for k, v in output.get("data", {}).items() if k.startswith("text/"))


def _absolute(text: str) -> list[str]:
    """The absolute paths in a text; this repository's own folder counts wherever it lies."""
    return ABSOLUTE.findall(text) + ([str(ROOT)] if str(ROOT) in text else [])
