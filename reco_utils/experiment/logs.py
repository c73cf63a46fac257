"""What was promised and what was shown: a register of experiments and salts, with assignments and exposures.

    register = Register("experiments.db")
    register.add(test)                                      # refuses a salt that another experiment uses
    register.log_assignments(test.assignments(ids, at))     # append-only; a second arm for a user is refused
    register.assignments("hybrid-2026")                     # a frame

Tables: assignments (user_id, experiment, arm, at) has a row per user and experiment, visited or not; exposures
(user_id, experiment, arm, session_id, at) a row whenever an arm's list was really shown.
"""

import json
import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from reco_utils.experiment.assign import Experiment, Layer
from reco_utils.experiment.buckets import texts_of
from reco_utils.experiment.checks import check_columns
from reco_utils.experiment.shares import HOLDOUT

ASSIGNMENT = ("user_id", "experiment", "arm", "at")
EXPOSURE = ("user_id", "experiment", "arm", "session_id", "at")
VERSION = 1

TABLES = """
CREATE TABLE experiments (name TEXT PRIMARY KEY, plan TEXT NOT NULL, added INTEGER NOT NULL);
CREATE TABLE layers (name TEXT PRIMARY KEY, plan TEXT NOT NULL);
CREATE TABLE salts (salt TEXT PRIMARY KEY, used_for TEXT NOT NULL);
CREATE TABLE assignments (
    n INTEGER PRIMARY KEY, user_id TEXT NOT NULL, experiment TEXT NOT NULL, arm TEXT NOT NULL, at INTEGER NOT NULL,
    UNIQUE (experiment, user_id)
);
CREATE TABLE exposures (
    n INTEGER PRIMARY KEY, user_id TEXT NOT NULL, experiment TEXT NOT NULL, arm TEXT NOT NULL, session_id TEXT NOT NULL,
    at INTEGER NOT NULL, UNIQUE (experiment, user_id, session_id, at)
);
"""  # times in microseconds since 1970


@dataclass(frozen=True)
class Register:
    """Experiments, their salts and their logs in one SQLite file; several processes of a machine may write to it.

    A call is one transaction: all of it is on the disk when it returns, or none of it ever is.

    Parameters
    ----------
    path : path of the file, made if it is not there
    timeout_s : float, seconds
        How long to wait for another process that is writing.
    """

    path: str | os.PathLike
    timeout_s: float = 30.0

    def __post_init__(self):
        if str(self.path) in ("", ":memory:") or Path(self.path).is_dir():
            raise ValueError(f"path must be a file, got {str(self.path)!r}")

    def add(self, experiment: Experiment) -> None:
        """Take an experiment with its layer; the same one again changes nothing.

        A layer may gain slots at its end and its last slot may grow; whatever else would move users is refused.

        Raises
        ------
        ValueError  when its name stands for another plan already, or one of its salts is in use for something else
        """
        plan = _plan_of(experiment)
        with self._writing() as con:
            known = con.execute("SELECT plan FROM experiments WHERE name = ?", (experiment.name,)).fetchone()
            if known and known[0] != plan:
                raise ValueError(f"experiment {experiment.name!r} is registered with another plan: {known[0]}")
            if experiment.layer is not None:
                _take_layer(con, experiment.layer)
            _take_salts(con, experiment)
            if not known:
                con.execute("INSERT INTO experiments VALUES (?, ?, ?)", (experiment.name, plan, _now()))

    def experiments(self) -> pd.DataFrame:
        """One row per experiment: experiment, salt, layer (None without one), shares (a dict), added (UTC)."""
        rows = self._read("SELECT name, plan, added FROM experiments ORDER BY added, name")
        plans = [json.loads(plan) for _, plan, _ in rows]
        found = {key: [plan[key] for plan in plans] for key in ("salt", "layer", "shares")}
        frame = pd.DataFrame({"experiment": [name for name, _, _ in rows], **found}, dtype=object)
        return frame.assign(added=_times([added for _, _, added in rows]))

    def log_assignments(self, frame: pd.DataFrame) -> int:
        """Append assignments, all or none; users that are there already keep their row. How many were new.

        Parameters
        ----------
        frame : DataFrame with user_id, experiment, arm, at; see `Experiment.assignments`

        Raises
        ------
        ValueError, KeyError  for an experiment that was not added, an arm it does not have, missing columns or values,
        or a user who has another arm of the experiment already
        """
        return self._log(
            frame, "assignments", ASSIGNMENT, "a.arm <> i.arm", "is in {old} of {name!r} already, got {new!r}"
        )

    def log_exposures(self, frame: pd.DataFrame) -> int:
        """Append exposures, which have a session_id too; rows that are there already are left alone. How many were new.

        ValueError, KeyError as for `log_assignments`, and for a user who was not assigned to that arm.
        """
        return self._log(
            frame, "exposures", EXPOSURE, "a.arm IS NOT i.arm", "saw arm {new!r} of {name!r} and was assigned {old}"
        )

    def _log(self, frame, log, columns, stray, said):
        """Append a frame to a log, unless an arm strays from the assigned one."""
        rows = _rows(frame, columns)
        with self._writing() as con:
            _check_known(con, rows)
            if log == "assignments":
                _check_one_arm(pd.DataFrame(rows))
            _bring(con, rows, columns)
            found = _strayed(con, stray)
            if found:
                user, name, new, old = found
                old = "no arm" if old is None else f"arm {old!r}"
                raise ValueError(f"user {user!r} {said.format(name=name, new=new, old=old)}; nothing was logged")
            return _append(con, log, columns)

    def assignments(self, experiment: str | None = None) -> pd.DataFrame:
        """Assignments of one experiment, or of all, in the order in which they came; user_id is text."""
        return self._frame("assignments", ASSIGNMENT, experiment)

    def exposures(self, experiment: str | None = None) -> pd.DataFrame:
        """Exposures of one experiment, or of all, in the order in which they came, with session_id."""
        return self._frame("exposures", EXPOSURE, experiment)

    def forget(self, user_id) -> int:
        """Remove a user from both logs and write the file anew without the rows; how many rows there were."""
        (user,) = texts_of([user_id])
        logs = ("assignments", "exposures")
        with self._writing() as con:
            n = sum(con.execute(f"DELETE FROM {log} WHERE user_id = ?", (user,)).rowcount for log in logs)
        with self._open() as con:
            con.execute("VACUUM")
        return n

    def _frame(self, log, columns, experiment):
        """A log as a frame, of one experiment (which must be known) or of all."""
        where, values = "", ()
        if experiment is not None:
            names = [name for (name,) in self._read("SELECT name FROM experiments")]
            if experiment not in names:
                raise KeyError(f"no experiment {experiment!r} in the register; it has {names}")
            where, values = " WHERE experiment = ?", (experiment,)
        rows = self._read(f"SELECT {', '.join(columns)} FROM {log}{where} ORDER BY n", values)
        frame = pd.DataFrame(rows, columns=list(columns)).astype({name: "str" for name in columns if name != "at"})
        return frame.astype({name: "category" for name in ("experiment", "arm")}).assign(at=_times(frame["at"]))

    def _read(self, sql, values=()):
        with self._open() as con:
            return con.execute(sql, values).fetchall()

    @contextmanager
    def _writing(self):
        """A connection in a transaction that no other writer shares; a failure leaves everything as it was."""
        with self._open() as con:
            con.execute("BEGIN IMMEDIATE")
            try:
                yield con
                con.execute("COMMIT")
            except BaseException:
                con.execute("ROLLBACK")
                raise

    @contextmanager
    def _open(self):
        """A connection of this call's own, to a file that has the tables."""
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        con = sqlite3.connect(self.path, timeout=self.timeout_s, isolation_level=None)
        try:
            _prepare(con, self.path)
            yield con
        finally:
            con.close()


def _prepare(con, path):
    """Make the tables unless they are there; refuse a file that is something else."""
    try:
        con.execute("PRAGMA synchronous = FULL")  # a commit has reached the disk when it returns
        version = con.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:
            return
        con.execute("BEGIN IMMEDIATE")
        version = con.execute("PRAGMA user_version").fetchone()[0]  # another process may have been faster
        strange = con.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
        if version == 0 and not strange:
            for statement in TABLES.split(";")[:-1]:
                con.execute(statement)
            con.execute(f"PRAGMA user_version = {VERSION}")
        con.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise ValueError(f"{Path(path).name} is no register of experiments: {error}") from error
    if version not in (0, VERSION) or (version == 0 and strange):
        raise ValueError(f"{Path(path).name} is no register of experiments that this version reads; take another path")


# ---------------------------------------------------------------------------------------------------- plans and salts
def _plan_of(experiment):
    """What must never change about an experiment, as JSON."""
    plan = {
        "salt": experiment.salts["deal"],
        "shares": experiment.shares,
        "layer": experiment.layer.name if experiment.layer else None,
        "holdout": experiment.holdout,
        "holdout_salt": experiment.salts["holdout"],
        "hash": experiment.hash,
        "buckets": experiment.buckets,
    }
    return json.dumps(plan, ensure_ascii=False)


def _take_layer(con, layer):
    """Keep the layer, or refuse one that moves users of the slots that are known."""
    plan = {"salts": layer.salts, "holdout": layer.holdout, "hash": layer.hash, "buckets": layer.buckets}
    new = plan | {"slots": layer.slots}
    known = con.execute("SELECT plan FROM layers WHERE name = ?", (layer.name,)).fetchone()
    if known:
        old = json.loads(known[0])
        for what in plan:
            if old[what] != plan[what]:
                raise ValueError(f"layer {layer.name!r} is registered with {what} {old[what]}, got {plan[what]}")
        _check_slots(layer, old["slots"])
    con.execute("INSERT OR REPLACE INTO layers VALUES (?, ?)", (layer.name, json.dumps(new, ensure_ascii=False)))


def _check_slots(layer, old):
    """Refuse slots that were moved, cut or taken away."""
    before = Layer(layer.name, old, hash=layer.hash, buckets=layer.buckets)
    was, now = [0, *before.edges], [0, *layer.edges]
    stay = list(layer.slots)[: len(old)] == list(old) and was[:-1] == now[: len(was) - 1]
    if not (stay and was[-1] <= now[len(was) - 1]):
        raise ValueError(
            f"layer {layer.name!r} is registered with slots {old}, got {layer.slots}: only a new slot at the end, or a "
            "larger last one, leaves users where they are"
        )


def _take_salts(con, experiment):
    """Write down what each salt is for; one that is in use for something else is refused."""
    uses = {experiment.salts["deal"]: f"experiment {experiment.name!r}", experiment.salts["holdout"]: "holdouts"}
    if experiment.layer is not None:
        uses[experiment.layer.salts["deal"]] = f"layer {experiment.layer.name!r}"
    for salt, used_for in uses.items():
        con.execute("INSERT OR IGNORE INTO salts VALUES (?, ?)", (salt, used_for))
        (owner,) = con.execute("SELECT used_for FROM salts WHERE salt = ?", (salt,)).fetchone()
        if owner != used_for:
            raise ValueError(f"salt {salt!r} is in use for {owner}; give {used_for} another one")


# ---------------------------------------------------------------------------------------------------------------- rows
def _rows(frame, columns):
    """Columns of a log as lists: ids as text, times in microseconds since 1970 (UTC)."""
    _check_full(frame, columns)
    rows = {name: texts_of(frame[name]) if name.endswith("_id") else frame[name].tolist() for name in columns}
    at = pd.to_datetime(frame["at"], utc=True)
    return rows | {"at": at.dt.tz_localize(None).astype("datetime64[us]").astype("int64").tolist()}


def _check_full(frame, columns):
    """Refuse a frame that lacks columns or values."""
    check_columns(frame, "assignments or exposures", columns)
    for name in columns:
        gaps = np.flatnonzero(frame[name].isna())
        if len(gaps):
            raise ValueError(f"{name} is missing in {len(gaps):,} of {len(frame):,} rows, the first is row {gaps[0]}")


def _check_known(con, rows):
    """Refuse experiments that were not added and arms that they do not have."""
    plans = dict(con.execute("SELECT name, plan FROM experiments"))
    for name, arm in dict.fromkeys(zip(rows["experiment"], rows["arm"])):
        if name not in plans:
            raise ValueError(f"experiment {name!r} is not in the register; add it first, it has {list(plans)}")
        arms = [*json.loads(plans[name])["shares"], HOLDOUT]
        if arm not in arms:
            raise ValueError(f"experiment {name!r} has no arm {arm!r}; it has {arms}")


def _check_one_arm(frame):
    """Refuse a user in two arms of one experiment."""
    pairs = frame[["experiment", "user_id", "arm"]].drop_duplicates()
    twice = pairs[pairs.duplicated(["experiment", "user_id"])]
    if len(twice):
        name, user = twice.iloc[0][["experiment", "user_id"]]
        arms = pairs.loc[(pairs["experiment"] == name) & (pairs["user_id"] == user), "arm"].tolist()
        raise ValueError(
            f"{len(twice):,} users are in two arms of one experiment: user {user!r} of {name!r} is in {arms}"
        )


def _bring(con, rows, columns):
    """The rows as a table of this connection's own."""
    con.execute("DROP TABLE IF EXISTS temp.incoming")
    con.execute(f"CREATE TEMP TABLE incoming ({', '.join(columns)})")
    marks = ", ".join("?" * len(columns))
    con.executemany(f"INSERT INTO incoming VALUES ({marks})", zip(*(rows[name] for name in columns)))


def _strayed(con, wrong):
    """The first incoming row whose arm is wrong beside the assigned one: user, experiment, arm, assigned arm."""
    return con.execute(
        "SELECT i.user_id, i.experiment, i.arm, a.arm FROM incoming i LEFT JOIN assignments a "
        f"ON a.experiment = i.experiment AND a.user_id = i.user_id WHERE {wrong} LIMIT 1"
    ).fetchone()


def _append(con, log, columns):
    names = ", ".join(columns)
    return con.execute(f"INSERT OR IGNORE INTO {log} ({names}) SELECT {names} FROM incoming ORDER BY rowid").rowcount


def _times(microseconds):
    """Microseconds since 1970 as a column of times."""
    return pd.Series(np.array(microseconds, "datetime64[us]"))


def _now():
    return pd.Timestamp.now("UTC").value // 1000
