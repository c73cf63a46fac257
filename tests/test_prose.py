"""What the texts claim: numbers in notebook prose stand in an output above, links lead somewhere, code in pages runs.

A number set in bold (**0.083**, **1,204**, **42 %**) is a measured one: it must be printed by a cell above it.
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("**/[0-9]*.ipynb"))
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("[a-z]*/README.md")])
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?")


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def printed(cell):
    """All text that a cell shows: streams, plain text and tables."""
    for output in cell.get("outputs", []):
        yield "".join(output.get("text", []))
        for kind, content in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield re.sub(r"<[^>]+>", " ", "".join(content))


def numbers(text):
    return {float(n.replace(",", "")) for n in NUMBER.findall(text)}


def claims(text):
    """Numbers within bold text, with the digits they are given to; per cent are also looked up as shares."""
    for bold in re.findall(r"\*\*([^*]+)\*\*", text):
        for found in NUMBER.finditer(bold):
            plain = found.group().replace(",", "")
            digits = len(plain.partition(".")[2])
            percent = bold[found.end() :].lstrip().startswith("%")
            yield found.group(), float(plain), digits, percent


def supported(value, digits, percent, shown):
    close = 0.5000001 * 10.0**-digits
    return any(abs(n - value) <= close or (percent and abs(100 * n - value) <= close) for n in shown)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_bold_numbers_in_prose_are_printed_by_a_cell_above(path):
    shown, wrong = set(), []
    for cell in cells(path):
        if cell["cell_type"] == "code":
            shown |= {n for text in printed(cell) for n in numbers(text)}
        elif shown:  # before the first output there is nothing to quote
            wrong += [said for said, *claim in claims("".join(cell["source"])) if not supported(*claim, shown)]
    assert not wrong, f"{path.name}: bold in the prose, but printed by no cell above: {wrong}"


def test_a_wrong_number_in_prose_is_found():
    said = "**0.084** of **1,204** users, **12 %** of them new, in **2024**"
    wrong = [s for s, *claim in claims(said) if not supported(*claim, {0.0835, 1204.0, 0.118, 2025.0})]
    assert wrong == ["2024"]  # 0.0835 rounds to 0.084 and the share 0.118 to 12 %


def anchors(text):
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", t.lower()).strip().replace(" ", "-") for t in titles}


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_link_is_dead(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join("".join(c["source"]) for c in cells(path) if c["cell_type"] == "markdown")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https://|mailto:", target):
            continue
        assert not target.startswith("http:"), f"plain http: {target}"
        file, _, anchor = target.partition("#")
        there = (path.parent / file) if file else path
        assert there.exists(), f"{path.name} links to {target}, which does not exist"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there.read_text(encoding="utf-8")), f"no heading for {target}"


PAGES_WITH_CODE = [p for p in PAGES if "```python" in p.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", PAGES_WITH_CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_code_of_a_page_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    for block in re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        exec(compile(block, str(path.name), "exec"), namespace)


def test_the_readme_lists_every_notebook():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [p.name for p in NOTEBOOKS if p.parent.name == "notebooks" and p.name not in readme]
    assert not missing
