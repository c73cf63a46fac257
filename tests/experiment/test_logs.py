"""The register: salts are used once, users have one arm, nothing is half written, and two processes may write."""

import sqlite3
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from reco_utils.experiment.assign import Experiment, Layer
from reco_utils.experiment.logs import Register

HALVES = {"control": 0.5, "hybrid": 0.5}
AT = pd.Timestamp("2026-03-01 12:00:00.000001")


@pytest.fixture
def register(tmp_path):
    return Register(tmp_path / "experiments.db")


@pytest.fixture
def test_t(register):
    test = Experiment("t", HALVES)
    register.add(test)
    return test


def rows(*arms, name="t", **columns):
    """A frame of users u0, u1, ... in these arms."""
    users = [f"u{n}" for n in range(len(arms))]
    return pd.DataFrame({"user_id": users, "experiment": name, "arm": arms, "at": AT, **columns})


# --------------------------------------------------------------------------------------------------------------- salts
def test_a_salt_belongs_to_one_experiment(register, test_t):
    with pytest.raises(ValueError, match="salt 't' is in use for experiment 't'; give experiment 'other' another one"):
        register.add(Experiment("other", HALVES, salt="t"))
    assert register.experiments()["experiment"].tolist() == ["t"]  # nothing of it stayed
    register.add(Experiment("other", HALVES))
    with pytest.raises(ValueError, match="salt 'other' is in use for experiment 'other'; give holdouts another one"):
        register.add(Experiment("third", HALVES, holdout_salt="other"))
    with pytest.raises(ValueError, match="salt 't.holdout' is in use for holdouts; give experiment 't.holdout'"):
        register.add(Experiment("t.holdout", HALVES))


def test_experiments_may_hold_out_the_same_users(register):
    for name in ("a", "b"):
        register.add(Experiment(name, HALVES, holdout=0.1, holdout_salt="everywhere"))
    assert len(register.experiments()) == 2


def test_the_same_plan_may_come_twice_and_another_may_not(register, test_t):
    register.add(test_t)
    with pytest.raises(ValueError, match="experiment 't' is registered with another plan"):
        register.add(replace(test_t, shares={"control": 0.4, "hybrid": 0.6}))
    with pytest.raises(ValueError, match="experiment 't' is registered with another plan"):
        register.add(replace(test_t, shares={"hybrid": 0.5, "control": 0.5}))  # another order is another deal
    found = register.experiments()
    assert found.loc[0, ["experiment", "salt", "layer", "shares"]].tolist() == ["t", "t", None, HALVES]
    assert abs(found.loc[0, "added"] - pd.Timestamp.now("UTC").tz_localize(None)) < pd.Timedelta(hours=1)


def test_a_layer_may_grow_at_its_end_only(register):
    def layer(**slots):
        return Layer("home", slots, holdout=0.1)

    register.add(Experiment("a", HALVES, layer=layer(a=0.3, b=0.2)))
    grown = layer(a=0.3, b=0.4, c=0.3)
    register.add(Experiment("c", HALVES, layer=grown))
    register.add(Experiment("a", HALVES, layer=grown))  # the same experiment, in the layer of today
    for moved in (layer(b=0.4, a=0.3, c=0.3), layer(a=0.4, b=0.3, c=0.3), layer(a=0.3, b=0.4), layer(a=0.3, c=0.7)):
        name = list(moved.slots)[0]
        with pytest.raises(ValueError, match="layer 'home' is registered with slots .*only a new slot at the end"):
            register.add(Experiment(name, HALVES, layer=moved))
    with pytest.raises(ValueError, match="layer 'home' is registered with holdout 0.1, got 0.2"):
        register.add(Experiment("a", HALVES, layer=replace(grown, holdout=0.2)))
    assert register.experiments()["layer"].tolist() == ["home", "home"]


def test_a_layer_and_an_experiment_do_not_share_a_salt(register):
    register.add(Experiment("layer.home", HALVES))
    with pytest.raises(ValueError, match="salt 'layer.home' is in use for experiment 'layer.home'; give layer 'home'"):
        register.add(Experiment("a", HALVES, layer=Layer("home", {"a": 1.0})))


# ---------------------------------------------------------------------------------------------------------------- logs
def test_what_was_logged_comes_back(register, test_t):
    frame = test_t.assignments(["ann", "o'neill", "😀", 7], AT)
    assert register.log_assignments(frame) == 4
    found = register.assignments("t")
    assert found["user_id"].tolist() == ["ann", "o'neill", "😀", "7"]
    assert found["arm"].tolist() == frame["arm"].tolist() and found["at"].tolist() == [AT] * 4
    pd.testing.assert_frame_equal(found, register.assignments())


def test_times_with_a_zone_are_kept_as_utc(register, test_t):
    register.log_assignments(rows("control").assign(at=pd.Timestamp("2026-03-01 12:00+02:00")))
    assert register.assignments()["at"].tolist() == [pd.Timestamp("2026-03-01 10:00")]


def test_a_user_is_assigned_once(register, test_t):
    assert register.log_assignments(rows("control", "hybrid")) == 2
    later = rows("control", "hybrid", "control").assign(at=AT + pd.Timedelta(days=1))
    assert register.log_assignments(later) == 1  # u2 is new; the others keep their first time
    assert register.assignments()["at"].tolist() == [AT, AT, AT + pd.Timedelta(days=1)]


def test_a_second_arm_is_refused_by_name_and_nothing_is_logged(register, test_t):
    register.log_assignments(rows("control"))
    with pytest.raises(
        ValueError, match="user 'u0' is in arm 'control' of 't' already, got 'hybrid'; nothing was logged"
    ):
        register.log_assignments(rows("hybrid", "control"))
    with pytest.raises(ValueError, match=r"1 users are in two arms of one experiment: user 'u0' of 't' is in \['con"):
        register.log_assignments(pd.concat([rows("control", "hybrid"), rows("hybrid")]))
    with pytest.raises(ValueError, match="user '7' of 't' is in"):  # 7 and "7" are one user
        register.log_assignments(rows("control", "hybrid").assign(user_id=["7", 7]))
    assert len(register.assignments()) == 1


def test_a_user_may_be_in_two_experiments(register, test_t):
    register.add(Experiment("other", HALVES))
    register.log_assignments(pd.concat([rows("control"), rows("hybrid", name="other")]))
    assert register.assignments("other")["arm"].tolist() == ["hybrid"] and len(register.assignments()) == 2


def test_exposures_need_an_assignment_to_the_same_arm(register, test_t):
    register.log_assignments(rows("control", "hybrid"))
    shown = rows("control", "hybrid", session_id=["s1", "s2"])
    assert register.log_exposures(shown) == 2 and register.log_exposures(shown) == 0
    assert register.log_exposures(shown.assign(session_id="s3")) == 2
    assert register.exposures("t")["session_id"].tolist() == ["s1", "s2", "s3", "s3"]
    with pytest.raises(ValueError, match="user 'u0' saw arm 'hybrid' of 't' and was assigned arm 'control'; nothing"):
        register.log_exposures(rows("hybrid", session_id="s9"))
    with pytest.raises(ValueError, match="user 'u2' saw arm 'hybrid' of 't' and was assigned no arm"):
        register.log_exposures(rows("control", "hybrid", "hybrid", session_id="s9"))
    assert len(register.exposures()) == 4


def test_the_holdout_is_an_arm_of_every_experiment(register, test_t):
    assert register.log_assignments(rows("holdout", "control")) == 2


def test_an_empty_log_is_an_empty_frame(register, test_t):
    assert register.assignments().columns.tolist() == ["user_id", "experiment", "arm", "at"]
    assert register.exposures("t").columns.tolist() == ["user_id", "experiment", "arm", "session_id", "at"]
    assert len(register.exposures("t")) == 0 and register.exposures()["at"].dtype == "datetime64[us]"
    assert register.log_assignments(rows()) == 0 and len(register.experiments()) == 1


def test_a_user_can_be_forgotten(register, test_t):
    register.log_assignments(rows("control", "hybrid").assign(user_id=["forget-me-not", "ann"]))
    register.log_exposures(rows("control", session_id="s1").assign(user_id="forget-me-not"))
    assert b"forget-me-not" in register.path.read_bytes()
    assert register.forget("forget-me-not") == 2 and register.forget("forget-me-not") == 0
    assert register.assignments()["user_id"].tolist() == ["ann"] and len(register.exposures()) == 0
    assert b"forget-me-not" not in register.path.read_bytes()


@pytest.mark.parametrize(
    "frame, message",
    [
        (rows("control", name="nobody"), "experiment 'nobody' is not in the register; add it first, it has \\['t'\\]"),
        (rows("purple"), "experiment 't' has no arm 'purple'; it has \\['control', 'hybrid', 'holdout'\\]"),
        (rows("control", None), "arm is missing in 1 of 2 rows, the first is row 1"),
        (rows("control").assign(at=pd.NaT), "at is missing in 1 of 1 rows"),
    ],
)
def test_rows_that_cannot_be_are_refused(register, test_t, frame, message):
    with pytest.raises(ValueError, match=message):
        register.log_assignments(frame)
    assert len(register.assignments()) == 0


def test_an_unknown_experiment_has_no_log(register, test_t):
    with pytest.raises(KeyError, match="no experiment 'x' in the register; it has"):
        register.assignments("x")


# ---------------------------------------------------------------------------------------------------------------- file
def test_a_register_is_a_file(tmp_path):
    with pytest.raises(ValueError, match="path must be a file, got ':memory:'"):
        Register(":memory:")
    with pytest.raises(ValueError, match="path must be a file"):
        Register(tmp_path)
    (tmp_path / "notes.txt").write_text("no database at all, only text that is long enough" * 20)
    with pytest.raises(ValueError, match="notes.txt is no register of experiments: file is not a database"):
        Register(tmp_path / "notes.txt").experiments()
    with sqlite3.connect(tmp_path / "other.db") as con:
        con.execute("CREATE TABLE mine (x)")
    con.close()
    with pytest.raises(ValueError, match="other.db is no register of experiments that this version reads"):
        Register(tmp_path / "other.db").experiments()


def test_an_interrupted_write_leaves_nothing(register, test_t, monkeypatch):
    from reco_utils.experiment.logs import _append

    def interrupted(*args):
        assert _append(*args) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr("reco_utils.experiment.logs._append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        register.log_assignments(rows("control"))
    monkeypatch.undo()
    assert len(register.assignments()) == 0 and register.log_assignments(rows("control")) == 1


WRITER = """
import sys
from reco_utils.experiment.assign import Experiment
from reco_utils.experiment.logs import Register

path, first = sys.argv[1:]
register, test = Register(path), Experiment("t", {"control": 0.5, "hybrid": 0.5})
register.add(test)
for n in range(20):  # half of the users are everybody's
    users = [f"{who}-{n}-{i}" for who in (first, "all") for i in range(25)]
    register.log_assignments(test.assignments(users, "2026-03-01"))
"""


def test_two_processes_may_write_at_once(tmp_path):
    path = tmp_path / "folder" / "experiments.db"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, first]) for first in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    found = Register(path).assignments("t")
    assert len(found) == 3 * 20 * 25 and found["user_id"].is_unique
    assert found["arm"].tolist() == Experiment("t", HALVES).assign(found["user_id"]).tolist()
