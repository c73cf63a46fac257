"""environment.yml, pyproject.toml and the locks describe one environment."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {  # what each must hold
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["dev"]],
    "requirements-extension.lock": [*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS["serve"], *EXTRAS["ann"]],
}
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())


def by_pip() -> list[str]:
    return next(d["pip"] for d in CONDA["dependencies"] if isinstance(d, dict))


def locked(name: str) -> dict[str, set[str]]:
    """Versions of each package in a lock; more than one where they differ between interpreters."""
    found = {}
    for package, version in re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", (ROOT / name).read_text(), re.M):
        found.setdefault(package, set()).add(version)
    return found


def test_conda_installs_what_pyproject_names_and_the_package_itself():
    assert sorted(by_pip()) == sorted(["-e .", *PROJECT["dependencies"]])


def test_conda_asks_for_the_same_python():
    assert f"python{PROJECT['requires-python']}" in CONDA["dependencies"]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_satisfies_pyproject(name):
    lock = locked(name)
    for wanted in map(Requirement, LOCKS[name]):
        assert all(wanted.specifier.contains(v) for v in lock[wanted.name]), f"{wanted}: locked are {lock[wanted.name]}"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_place_and_hashes_every_package(name):
    text = (ROOT / name).read_text()
    assert "://" not in text and "--index-url" not in text and "--find-links" not in text
    blocks = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.M)[1:]
    assert len(blocks) > 100
    assert not [b.splitlines()[0] for b in blocks if "--hash=sha256:" not in b]


def test_the_extension_adds_to_the_core_and_changes_nothing_of_it():
    core, extension = locked("requirements.lock"), locked("requirements-extension.lock")
    assert core.items() <= extension.items() and len(extension) > len(core)


def test_hosted_runs_cover_the_oldest_python_that_is_allowed():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert all(allowed.contains(v) for v in matrix) and not allowed.contains("3.10")
    assert {"3.11", "3.12", "3.13"} <= set(matrix)
