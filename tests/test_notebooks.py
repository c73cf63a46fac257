"""Every notebook runs on every dataset that is on disk, its solutions are right, and it is built like a lesson.

With RECO_REQUIRE_DATA=1 a dataset that is missing fails instead of being skipped.
"""

import os
import re

import pytest

from reco_utils import stored
from reco_utils.course import NOTEBOOKS, execute, find_notebooks, read, refuse_parameters
from reco_utils.data import registry

DATASETS = ("shop", "movielens-latest-small", "online-retail", "retailrocket", "amazon-2018-gift-cards")
LESSONS = find_notebooks(extension=os.environ.get("RECO_EXTENSION") == "1")  # set by make test EXTENSION=1
SOLUTIONS = [path for lesson in LESSONS if (path := NOTEBOOKS / "solutions" / lesson.name).exists()]
CELL_TIMEOUT_S = 300  # a cell that hangs fails; nothing is said about speed


def need(dataset: str) -> None:
    """Skip, or fail where all data is required, when `dataset` is not on disk."""
    if dataset == "shop" or registry.find(dataset) is not None:
        return
    message = f"{dataset} is not on disk; put its files into data/{dataset}/ or set RECO_DATA_HOME"
    pytest.fail(message) if os.environ.get("RECO_REQUIRE_DATA") == "1" else pytest.skip(message)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_data_is_there(dataset):
    need(dataset)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
def test_a_notebook_runs_on_a_dataset(path, dataset, tmp_path):
    need(dataset)
    parameters = {"dataset": dataset, "size": "small", "seed": 0}
    refuse_parameters(path, parameters)
    run = execute(path, tmp_path / path.name, parameters, timeout=CELL_TIMEOUT_S)
    assert run.error is None, f"{path.name} on {dataset}: {run.error}"


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
def test_a_notebook_is_built_like_a_lesson(path):
    assert stored.problems(path) == []


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda p: p.stem)
def test_solutions_run_and_every_check_says_correct(path, tmp_path):
    assert stored.solution_problems(path) == []
    run = execute(path, tmp_path / path.name, {}, timeout=CELL_TIMEOUT_S)
    assert run.error is None, f"solutions/{path.name}: {run.error}"
    asked = set(stored.checked(read(path)))
    said = set(re.findall(r"(\d\d\.\d+): correct", run.path.read_text(encoding="utf-8")))
    assert asked and asked <= said, f"not correct: {sorted(asked - said)}"
