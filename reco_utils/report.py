"""The page that a run leaves behind: what each notebook found, how long it took and how much memory it needed."""

import datetime
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup, escape
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from reco_utils.course import ROOT, Run, read

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "implicit", "numba", "duckdb", "matplotlib", "papermill")

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ parameters.dataset }}: a run of the course</title>
<style>
  :root { --ink: #1b1f24; --soft: #5b6570; --line: #e3e6ea; --paper: #fff; --accent: #0072b2; --bad: #b3261e }
  body { margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 68rem; color: var(--ink); background: var(--paper);
         font: 16px/1.55 system-ui, sans-serif }
  h1 { margin: 0 0 .25rem; font-size: 1.7rem; line-height: 1.2 }
  h2 { margin: 3.5rem 0 .25rem; padding-top: 1.25rem; border-top: 1px solid var(--line); font-size: 1.3rem }
  h3 { margin: 1.75rem 0 .5rem; font-size: 1rem }
  p { margin: .25rem 0 } a { color: var(--accent) }
  .soft { color: var(--soft); font-size: .9rem }
  .failed { color: var(--bad); font-weight: 600; overflow-wrap: anywhere }
  .wide { overflow-x: auto }
  table { margin: .75rem 0; border: 0; border-collapse: collapse; font-size: .875rem }
  td { font-variant-numeric: tabular-nums }
  th, td { padding: .35rem .75rem; border: 0; border-bottom: 1px solid var(--line); text-align: right }
  th, td { white-space: nowrap }
  thead th { border-bottom: 2px solid var(--line) }
  tbody th, thead th:first-child, .runs td:first-child { text-align: left; font-weight: 500 }
  .runs { width: 100% } .runs td:first-child { white-space: normal }
  img { max-width: 100%; height: auto }
  pre { padding: .75rem 1rem; background: #f6f7f9; border-radius: 4px; font-size: .8rem; overflow-x: auto }
</style>
<h1>The course on <em>{{ parameters.dataset }}</em></h1>
<p class="soft">{{ when }}
{% for name, value in parameters.items() if name != "dataset" %} &middot; {{ name }} {{ value }}{% endfor %}</p>
{% if failed %}<p class="failed">{{ failed }} of {{ runs | length }} notebooks failed.</p>{% endif %}
<div class="wide"><table class="runs">
<thead><tr><th>notebook</th><th>run time</th><th>peak memory</th><th>executed</th></tr></thead>
<tbody>
{% for run in runs %}
<tr><td><a href="#{{ run.path.stem }}">{{ run.title }}</a></td>
<td>{% if run.error %}<span class="failed">failed</span> after {% endif %}{{ "%.1f" | format(run.seconds) }} s</td>
<td>{{ "{:,.0f}".format(run.peak_mb) }} MB</td>
<td>{% for link in run.links %}<a href="{{ link }}">{{ link.rpartition(".")[2] }}</a> {% endfor %}</td></tr>
{% endfor %}
</tbody></table></div>
{% for run in runs %}
<section id="{{ run.path.stem }}">
<h2>{{ run.title }}</h2>
{% if run.error %}<p class="failed">{{ run.error }}</p>{% endif %}
{% for heading, html in run.headlines %}
{% if heading %}<h3>{{ heading }}</h3>{% endif %}
<div class="wide">{{ html }}</div>
{% else %}<p class="soft">Nothing to show.</p>
{% endfor %}
</section>
{% endfor %}
<h2>Made with</h2>
<p class="soft">{{ versions }}</p>
</html>
"""


def write_report(runs: Sequence[Run], folder: Path, parameters: Mapping[str, object]) -> Path:
    """Write `folder/index.html`, and each executed notebook as a page beside it; each file is replaced in one step.

    A notebook's headlines are the outputs of its cells tagged `headline`; without any, its last table and last figure.
    """
    shown = [_section(run) for run in runs]
    for run in (s for s in shown if s["page"]):
        replace_text(run["path"].with_suffix(".html"), run["page"])
    html = Environment(autoescape=True, trim_blocks=True).from_string(PAGE).render(
        runs=shown, parameters=dict(parameters), failed=sum(r.error is not None for r in runs), versions=_versions(),
        when=f"{datetime.datetime.now():%d %B %Y, %H:%M}",
    )  # fmt: skip
    return replace_text(folder / "index.html", html)


def replace_text(path: Path, text: str) -> Path:
    """Write `path` in one step: whoever looks sees the old file or the whole new one."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def headlines(notebook: NotebookNode) -> list[tuple[str, Markup]]:
    """What to show of an executed notebook: (the heading above it, its HTML) of each headline."""
    shown = [(heading, cell, output) for heading, cell in _under_headings(notebook) for output in cell.outputs]
    tagged = [s for s in shown if "headline" in s[1].metadata.get("tags", ())]
    if not tagged:
        tables = [s for s in shown if _mime(s[2], "text/html").find("<table") >= 0]
        figures = [s for s in shown if _mime(s[2], "image/png")]
        last = tables[-1:] + figures[-1:]
        tagged = [s for s in shown if any(s is one for one in last)]
    found = [(heading, html) for heading, _, output in tagged if (html := output_html(output))]
    return [(heading if n == 0 or found[n - 1][0] != heading else "", html) for n, (heading, html) in enumerate(found)]


def output_html(output: NotebookNode) -> Markup:
    """One output of a cell as HTML; empty for errors, warnings and widgets."""
    if png := _mime(output, "image/png"):
        return Markup(f'<img alt="figure" src="data:image/png;base64,{"".join(png.split())}">')
    if (html := _mime(output, "text/html")) and "<script" not in html:
        return Markup(re.sub(r"<style scoped>.*?</style>", "", html, flags=re.S))  # the page has its own
    if text := _mime(output, "text/markdown"):
        return Markup(markdown2html(text))
    text = _mime(output, "text/plain") or (output.text if output.get("name") == "stdout" else "")
    return Markup(f"<pre>{escape(text)}</pre>") if text.strip() else Markup()


def _section(run: Run) -> dict:
    """What the page says about one run."""
    about = {"path": run.path, "seconds": run.seconds, "peak_mb": run.peak_mb, "error": run.error}
    if not run.path.exists():  # its kernel did not even start
        return about | {"title": run.name, "headlines": [], "links": [], "page": ""}
    notebook = read(run.path)
    page, _ = HTMLExporter().from_notebook_node(notebook, {"metadata": {"name": run.path.stem}})
    about["links"] = [run.path.with_suffix(".html").name, run.path.name]
    return about | {"title": title(notebook) or run.name, "headlines": headlines(notebook), "page": page}


def title(notebook: NotebookNode) -> str:
    """The first heading, without its number sign; empty where there is none."""
    lines = (line for c in notebook.cells if c.cell_type == "markdown" for line in c.source.splitlines())
    return next((line[2:].strip() for line in lines if line.startswith("# ")), "")


def _under_headings(notebook: NotebookNode):
    """Every code cell with the heading that it stands under."""
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            lines = [line for line in cell.source.splitlines() if line.startswith("#")]
            heading = lines[-1].lstrip("# ") if lines else heading
        elif cell.cell_type == "code":
            yield heading, cell


def _mime(output: NotebookNode, kind: str) -> str:
    return "".join(output.get("data", {}).get(kind, ""))


def _versions() -> str:
    """The interpreter, the system, the commit and the packages behind the figures."""
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    return " · ".join([f"Python {platform.python_version()}", platform.platform(), *_commit(), *packages])


def _commit() -> list[str]:
    """The commit that was run, marked when files differ from it; empty outside a clone."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty= with changes"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return []
    return [f"commit {told}"]
