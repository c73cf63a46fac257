"""The harness of the benchmarks: who runs where, what a table says, what is kept on record. Nothing is timed here."""

import importlib
import importlib.util
import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
CONTEST = '''"""A contest of sums."""
import bench

def ours(folder):
    number = int((folder / "number").read_text())
    return lambda: number + 1

def peer(folder):
    return lambda: 8

def broken(folder):
    raise ImportError("no such library")

def prepare(folder, options):
    (folder / "number").write_text(str(options.number))

contenders = {"ours": ours, "peer": peer, "broken": broken}
if __name__ == "__main__":
    bench.main(__file__, contenders, prepare, options={"number": 7}, digest=lambda result: result)
'''


sys.path.append(str(FOLDER))  # the files of benchmarks/ import each other by their names
bench = importlib.import_module("bench")
spec = importlib.util.spec_from_file_location("every_contest", FOLDER / "__main__.py")
every = importlib.util.module_from_spec(spec)
spec.loader.exec_module(every)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Two rounds of the contest, its output and its record."""
    folder = tmp_path_factory.mktemp("contest")
    (folder / "sums.py").write_text(CONTEST)
    command = [sys.executable, "sums.py", "--rounds", "2", "--save", "out/sums.json", "--peers", sys.executable]
    environment = {"PYTHONPATH": str(FOLDER), "PATH": ""}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done, json.loads((folder / "out" / "sums.json").read_text())


def test_contenders_take_turns_and_a_broken_peer_is_left_out(ran):
    done, record = ran
    assert [list(runs) for runs in record["rounds"]] == [["ours", "peer", "broken"], ["ours", "peer"]]
    assert "round 1 of 2: broken" in done.stderr and "round 2 of 2: broken" not in done.stderr
    assert "| broken | failed: ImportError: no such library |" in done.stdout
    assert record["table"]["broken"] == {"failed": "ImportError: no such library"}


def test_the_table_shows_what_came_out(ran):
    rows = [line.split(" | ") for line in ran[0].stdout.splitlines()]
    assert [row[-1] for row in rows if row[0] in ("| ours", "| peer")] == ["8 |", "8 |"]
    assert len({line.count("|") for line in ran[0].stdout.splitlines()[2:]}) == 1


def test_the_record_says_machine_date_and_versions(ran):
    record = ran[1]
    assert record["benchmark"] == "sums" and record["options"] == {"number": 7} and record["date"].endswith("+00:00")
    assert record["machine"]["cores"] >= 1 and record["machine"]["memory_gb"] > 0
    assert record["environment_of"] == {"ours": "ours", "peer": "ours", "broken": "ours"}
    versions = record["environments"]["ours"]
    assert versions["python"] == sys.version.split()[0] and versions["numpy"]
    assert sys.executable not in json.dumps(record)


def test_medians_and_ratios_by_hand():
    def run(seconds, digest=1):
        return {"seconds": seconds, "cpu": 1, "call_mb": 2, "peak_mb": 3, "digest": digest}

    rounds = [{"a": run(1), "b": run(4)}, {"a": run(10), "b": run(20, 2)}, {"a": run(3), "b": run(9)}]
    found = bench.medians(rounds)
    assert found["a"]["seconds"] == 3 and found["a"]["ratio"] == 1
    assert found["b"]["seconds"] == 9 and found["b"]["ratio"] == 3  # of 4, 2 and 3
    assert found["b"]["digests"] == ["1", "2"]
    assert bench.table(rounds).splitlines()[-1] == "| b | 9.00 | 3.00 | 1.00 | 2 | 3 | 1 or 2 |"


def test_an_interpreter_that_is_not_there_is_a_failure_of_the_peer():
    assert bench.spawn("x.py", "peer", ".", "/no/such/python") == {"failed": "no interpreter /no/such/python"}
    assert bench.versions_of("/no/such/python") == {}


def test_every_contest_of_the_suite_has_its_file():
    files = {contest.file for contest in every.CONTESTS.values()}
    assert files <= {path.stem for path in FOLDER.glob("*.py")}
    described = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{file}.py`" in described for file in files)


def test_a_command_names_interpreters_sizes_and_rounds():
    chosen = Namespace(peers="p", lenskit="l", rounds=None, quick=False)
    line = every.command(every.CONTESTS["als-lists"], chosen, Path("r.json"))[2:]
    assert line == [
        "--peers", "p", "--save", "r.json", "--other", "LensKit=l", "--other", "cornac=l", "--rounds", "3",
        "--recommend", "1", "--only", "ours iALS", "implicit", "irspack",
    ]  # fmt: skip
    quick = Namespace(peers="p", lenskit="l", rounds=None, quick=True)
    assert every.command(every.CONTESTS["topk"], quick, Path("r.json"))[6:] == [
        "--rounds", "1", "--users", "1024", "--items", "10000",
    ]  # fmt: skip
