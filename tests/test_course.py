"""The runner, its report and the normal form of stored notebooks, on small notebooks made here."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from reco_utils import course, report, stored
from reco_utils.__main__ import main

PARAMETERS = {"dataset": "shop", "size": "small", "seed": 3}
TAGGED = 'dataset = "shop"\nsize = "medium"\nseed = 0'
READ = "print(dataset, size, seed)"


def book(path: Path, *sources: str, parameters: str | None = TAGGED, tags=()) -> Path:
    """A notebook of a title, the parameters and code cells; sources that begin with # are prose."""
    cells = [new_markdown_cell(f"# {path.stem}")]
    if parameters is not None:
        cells.append(new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    for source in sources:
        cells.append(new_markdown_cell(source) if source.startswith("#") else new_code_cell(source))
    for cell in cells[-1:] if tags else ():
        cell.metadata["tags"] = list(tags)
    for n, cell in enumerate(cells):
        cell.id = f"cell-{n}"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A course of three, the second of which is broken: its runs, and the folder that they were written to."""
    home = tmp_path_factory.mktemp("course")
    paths = [
        book(home / "01_fine.ipynb", "## Found", READ, "import pandas as pd\npd.DataFrame({'x': [seed]})"),
        book(home / "02_broken.ipynb", READ, "# prose", "table = 1\ntable.missing", "print('never')"),
        book(home / "03_after.ipynb", READ),
    ]
    return course.run_course(paths, PARAMETERS, home / "runs" / "shop"), home / "runs" / "shop"


# ------------------------------------------------------------------------------------------------ finding
def test_notebooks_are_found_by_number_or_name_in_order(tmp_path):
    for name in ("02_b", "01_a", "10_c", "draft"):
        book(tmp_path / f"{name}.ipynb")

    def names(*only, **kwargs):
        return [p.stem for p in course.find_notebooks(only, folder=tmp_path, **kwargs)]

    assert names() == ["01_a", "02_b"]
    assert names(extension=True) == ["01_a", "02_b", "10_c"]
    assert names("2", "01_a") == ["01_a", "02_b"]
    with pytest.raises(
        ValueError, match=r"no notebook \['10'\]; there are \['01', '02'\]; 10 and later need EXTENSION=1"
    ):
        names("10")
    with pytest.raises(ValueError, match=r"no notebook \['07'\]; there are none yet"):
        course.find_notebooks(["07"], folder=tmp_path / "nowhere")


# ------------------------------------------------------------------------------------------------ parameters
def test_a_parameter_that_is_not_declared_is_refused(tmp_path):
    path = book(tmp_path / "01_a.ipynb", READ, parameters="dataset: str = 'shop'\nsize = 'small'")
    course.refuse_parameters(path, {"dataset": "hm", "size": "small"})
    with pytest.raises(ValueError, match=r"01_a.ipynb does not declare \['seed'\].*it declares \['dataset', 'size'\]"):
        course.refuse_parameters(path, PARAMETERS)
    with pytest.raises(ValueError, match=r"does not declare \['dataset', 'size', 'seed'\]"):
        course.refuse_parameters(book(tmp_path / "02_b.ipynb", READ, parameters=None), PARAMETERS)


@pytest.mark.parametrize(
    ("code", "idle"),
    [
        ("print(seed)", False),
        ("f'{seed}'", False),
        ("def f():\n    return seed", False),
        ("[x + seed for x in range(3)]", False),
        ("%time print(seed)\nseed", False),
        ("%%time\nprint(seed)", False),
        ("seed = seed + 1", False),
        ("print('seed')  # seed", True),
        ("seed = 1\nprint(seed)", True),
        ("def f(seed):\n    return seed", True),
        ("thing.seed", True),
        ("%%html\n<b>seed</b>", True),
        ("", True),
    ],
)
def test_a_parameter_that_is_never_read_is_refused(tmp_path, code, idle):
    path = book(tmp_path / "01_a.ipynb", code)
    assert course.unread(course.read(path), ["seed"]) == ({"seed"} if idle else set())
    if idle:
        with pytest.raises(ValueError, match=r"declares \['seed'\], but no later cell reads it"):
            course.refuse_parameters(path, {"seed": 1})


def test_nothing_runs_when_one_notebook_refuses_a_parameter(tmp_path):
    paths = [book(tmp_path / "01_a.ipynb", READ), book(tmp_path / "02_b.ipynb", "1")]
    with pytest.raises(ValueError, match="02_b.ipynb declares"):
        course.run_course(paths, PARAMETERS, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


# ------------------------------------------------------------------------------------------------ running
def test_a_broken_notebook_names_itself_the_cell_and_the_error_and_the_others_still_run(ran):
    (fine, broken, after), folder = ran
    assert fine.error is None and after.error is None
    assert broken.name == "02 broken"
    assert broken.error == "cell 5 (In [4]), AttributeError: 'int' object has no attribute 'missing'"
    kept = (folder / "02_broken.ipynb").read_text()
    assert "shop small 3" in kept and "AttributeError" in kept
    assert "shop small 3" in (folder / "03_after.ipynb").read_text()


def test_run_time_and_memory_are_those_of_the_kernel(ran):
    (fine, *_), _ = ran
    assert fine.seconds > 0
    assert 20 < fine.peak_mb < 1000  # a kernel with pandas: neither nothing nor gigabytes


def test_the_report_shows_results_failures_and_links_that_exist(ran):
    runs, folder = ran
    page = (folder / "index.html").read_text()
    assert "1 of 3 notebooks failed" in page and "AttributeError: &#39;int&#39;" in page
    assert "<h3>Found</h3>" in page and "<td>3</td>" in page
    for run in runs:
        for ending in ("html", "ipynb"):
            assert f'href="{run.path.stem}.{ending}"' in page
            assert (folder / f"{run.path.stem}.{ending}").exists()
    assert "http" not in page and "<script" not in page  # it needs nothing from elsewhere
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_a_kernel_that_dies_fails_its_notebook(tmp_path):
    path = book(tmp_path / "01_dead.ipynb", "import os\nos._exit(1)", parameters=None)
    run = course.execute(path, tmp_path / "out.ipynb", {})
    assert run.error.startswith("cell 2 (In [")
    assert "DeadKernelError: Kernel died" in run.error


def test_an_interrupt_stops_the_kernel_and_leaves_no_report(tmp_path):
    slow = "import os, pathlib, time\npathlib.Path('kernel').write_text(str(os.getpid()))\ntime.sleep(600)"
    book(tmp_path / "01_slow.ipynb", READ, slow)
    code = f"""
        import signal, sys
        from pathlib import Path
        from reco_utils import __main__, course
        signal.signal(signal.SIGINT, signal.default_int_handler)
        course.NOTEBOOKS = Path({str(tmp_path)!r})
        sys.exit(__main__.main(["run", "--out", {str(tmp_path / "runs")!r}]))
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "kernel").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; no report was written" in told
    assert list((tmp_path / "runs" / "shop").iterdir()) == []
    with pytest.raises(OSError):
        os.kill(int((tmp_path / "kernel").read_text()), 0)


# ------------------------------------------------------------------------------------------------ the command line
def test_a_misspelt_dataset_is_refused_before_anything_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path)
    book(tmp_path / "01_a.ipynb", READ)
    assert main(["run", "--dataset", "shopp", "--out", str(tmp_path / "runs")]) == 2
    assert "unknown dataset 'shopp'; did you mean 'shop'?" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_course_without_notebooks_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path)
    assert main(["run"]) == 0
    assert "no notebooks yet" in capsys.readouterr().out


def test_a_failed_notebook_turns_the_status_red(monkeypatch, capsys, ran, tmp_path):
    monkeypatch.setattr(course, "find_notebooks", lambda *_, **__: [Path("02_broken.ipynb")])
    monkeypatch.setattr(course, "run_course", lambda *_: ran[0])
    assert main(["run", "--out", "there"]) == 1
    told = capsys.readouterr()
    assert "report: there/shop/index.html" in told.out
    assert "02_broken.ipynb failed: cell 5 (In [4]), AttributeError" in told.err


def test_problems_of_stored_notebooks_turn_the_status_red(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path)
    book(tmp_path / "01_a.ipynb", READ)
    assert main(["notebooks", "--clean"]) == 0
    assert main(["notebooks", "--check"]) == 1
    told = capsys.readouterr().out
    assert "were not executed" in told and "normal form" not in told
    assert main(["notebooks"]) == 0


# ------------------------------------------------------------------------------------------------ headlines
def shown(html="", png="", text="", name=None):
    if name:
        return new_output("stream", name=name, text=text)
    data = {"text/html": html, "image/png": png, "text/plain": text}
    return new_output("display_data", {kind: value for kind, value in data.items() if value})


def test_tagged_cells_are_the_headlines():
    tag = {"tags": ["headline"]}
    cells = [
        new_markdown_cell("# Title\n## First"),
        new_code_cell("1", outputs=[shown("<style scoped>th {}</style><table>a</table>")], metadata=tag),
        new_code_cell("2", outputs=[shown("<table>b</table>"), shown(text="x < y", name="stdout")]),
        new_code_cell("3", outputs=[shown(text="x < y", name="stdout")], metadata=tag),
    ]
    found = report.headlines(new_notebook(cells=cells))
    assert found == [("First", "<table>a</table>"), ("", "<pre>x &lt; y</pre>")]


def test_without_tags_the_last_table_and_the_last_figure_are_shown():
    outputs = [shown("<table>a</table>"), shown("<table>b</table>"), shown(png="AA"), shown(png="BB"), shown(text="c")]
    found = report.headlines(new_notebook(cells=[new_code_cell("1", outputs=outputs)]))
    assert [html for _, html in found] == [
        "<table>b</table>",
        '<img alt="figure" src="data:image/png;base64,BB">',
    ]
    assert report.headlines(new_notebook(cells=[new_code_cell("1", outputs=[shown(text="c")])])) == []


# ------------------------------------------------------------------------------------------------ the normal form
def test_the_normal_form_keeps_what_teaches_and_drops_what_changes():
    cell = new_code_cell("f()", execution_count=7, metadata={"tags": ["headline"], "papermill": {"duration": 1}})
    cell.outputs = [
        shown(text="  0%|\r100%|\n", name="stderr"),
        shown(text="1%\r99%\rdone\n", name="stdout"),
        shown(text="and more\n", name="stdout"),
        new_output("display_data", {stored.WIDGET: {}, "text/plain": "HBox()"}),
        new_output("execute_result", {"image/png": "AA"}, execution_count=7, metadata={"needs_background": "light"}),
    ]
    raw = new_notebook(
        cells=[cell], metadata={"widgets": {"state": {}}, "papermill": {}, "language_info": {"name": "x"}}
    )
    clean = stored.normalise(raw)
    assert clean.metadata == stored.METADATA
    assert clean.cells[0].metadata == {"tags": ["headline"]} and clean.cells[0].execution_count == 1
    assert [o.get("text") for o in clean.cells[0].outputs] == ["done\nand more\n", None]
    assert clean.cells[0].outputs[1].data == {"image/png": "AA"} and clean.cells[0].outputs[1].metadata == {}
    assert raw.cells[0].execution_count == 7  # the argument is left alone
    nbformat.validate(clean)


def test_the_normal_form_is_the_same_twice():
    cells = [new_code_cell("a"), new_code_cell("a"), new_markdown_cell("# Ä")]
    for cell in cells:
        del cell["id"]
    once = stored.as_text(new_notebook(cells=cells, nbformat_minor=4))
    assert once == stored.as_text(nbformat.v4.reads(once))
    assert once == stored.as_text(new_notebook(cells=cells, nbformat_minor=4))
    assert once.endswith("}\n") and "# Ä" in once
    assert len({c["id"] for c in json.loads(once)["cells"]}) == 3


def test_refreshing_stores_outputs_in_normal_form_and_keeps_the_old_ones_on_failure(tmp_path):
    path = book(tmp_path / "01_a.ipynb", READ, "import sys\nprint('care' + 'ful', file=sys.stderr)\n1")
    assert stored.refresh(path) is None
    text = path.read_text()
    assert text == stored.as_text(course.read(path))
    assert "shop medium 0" in text and "careful" not in text and "injected" not in text
    broken = path.with_name("02_b.ipynb")
    broken.write_text(text.replace("print(dataset, size, seed)", "1 / 0"))
    before = broken.read_text()
    assert "ZeroDivisionError" in stored.refresh(broken)
    assert broken.read_text() == before
    broken.write_text(text.replace("print(dataset, size, seed)", "__import__('warnings').warn('careful')"))
    assert "UserWarning: careful" in stored.refresh(broken)


# ------------------------------------------------------------------------------------------------ problems
def lesson(folder: Path, **changes: str) -> Path:
    """A notebook without problems but for the `changes`: code or prose by the name of a cell."""
    sources = {"read": READ}
    for n in (1, 2, 3):
        sources |= {f"ask{n}": f"### Exercise 98.{n}: count", f"answer{n}": f'check("98.{n}", ...)'}
    path = book(folder / "98_x.ipynb", *(sources | changes).values())
    notebook = course.read(path)
    for n, cell in enumerate(c for c in notebook.cells if c.cell_type == "code"):
        cell.execution_count = n + 1
        cell.outputs = [shown(text=changes.get("output", "fine"), name="stdout")]
    stored.store(notebook, path)
    solved = new_notebook(cells=[new_markdown_cell("# Solutions")])
    for n in (1, 2, 3):
        output = shown(text=f"98.{n}: correct.\n", name="stdout")
        solved.cells.append(new_code_cell(f'check("98.{n}", 1)', execution_count=n, outputs=[output]))
    (folder / "solutions").mkdir(exist_ok=True)
    stored.store(solved, folder / "solutions" / path.name)
    return path


@pytest.fixture
def graded(monkeypatch):
    monkeypatch.setattr(stored.check, "exercises", lambda _: ("98.1", "98.2", "98.3"))


def test_a_good_lesson_has_no_problems(tmp_path, graded):
    path = lesson(tmp_path)
    assert stored.problems(path) == []
    assert stored.solution_problems(tmp_path / "solutions" / path.name) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"read": "print(size, seed)"}, "no cell after the parameters reads ['dataset']"),
        ({"output": "saved in /home/ann/x.csv"}, "it shows absolute paths: ['/home/ann']"),
        ({"read": READ + "\nopen('/tmp/x')"}, "it shows absolute paths: ['/tmp/x']"),
        ({"output": "x" * 500_000}, "keep it under 400,000"),
        ({"ask3": "## Last"}, "it needs at least 3 exercises headed like '### Exercise 98.1: ...', got 2"),
        ({"answer3": "1"}, "exercises ['98.3'] need both a heading and a check cell"),
        ({"ask3": "### Exercise 98.4: x", "answer3": "check('98.4', 1)"}, "exercises ['98.4'] have no grader"),
        ({"ask3": "### Exercise 98.4: x", "answer3": "check('98.4', 1)"}, "exercises ['98.4'] have no solution"),
    ],
)
def test_each_problem_of_a_lesson_is_named(tmp_path, graded, changes, problem):
    assert any(problem in told for told in stored.problems(lesson(tmp_path, **changes)))


def test_cells_without_a_run_errors_titles_and_parameters_are_problems(tmp_path, graded):
    path = lesson(tmp_path)
    notebook = course.read(path)
    notebook.cells[0].source = "no title"
    notebook.cells[1].metadata = {}
    notebook.cells[2].execution_count = None
    notebook.cells[4].outputs = [new_output("error", ename="E", evalue="", traceback=[])]
    notebook.metadata["widgets"] = {}
    nbformat.write(notebook, path)
    told = " ".join(stored.problems(path))
    for problem in (
        "the first cell must be a title", "no code cell is tagged `parameters`", "cells ['cell-2'] were not executed",
        "cells ['cell-4'] hold errors", "it is not in normal form",
    ):  # fmt: skip
        assert problem in told


def test_a_solution_that_is_not_correct_is_a_problem(tmp_path, graded):
    path = tmp_path / "solutions" / lesson(tmp_path).name
    path.write_text(path.read_text().replace("98.2: correct.", "98.2: not answered yet."))
    assert stored.solution_problems(path) == ["exercise 98.2 is not answered correctly in the stored outputs"]
