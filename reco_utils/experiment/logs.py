"""What was promised and what was shown: a register of experiments and salts, with assignments and exposures.

    register = Register("experiments.db")
    register.add(test)                                      # refuses a salt that another experiment uses
    register.log_assignments(test.assignments(ids, at))     # append-only; a second arm for a user is refused
    register.assignments("hybrid-2026")                     # a frame

Tables: assignments (user_id, experiment, arm, at) has a row per user and experiment, visited or not; exposures
(user_id, experiment, arm, session_id, at) a row whenever an arm's list was really shown.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from reco_utils.experiment.assign import Experiment

ASSIGNMENT = ("user_id", "experiment", "arm", "at")
EXPOSURE = ("user_id", "experiment", "arm", "session_id", "at")


@dataclass(eq=False)
class Register:
    """Experiments, their salts and their logs in one SQLite file; several processes of a machine may write to it.

    Parameters
    ----------
    path : path of the file, made if it is not there
    timeout_s : float, seconds
        How long to wait for another process that is writing.
    """

    path: str | os.PathLike
    timeout_s: float = 30.0

    def add(self, experiment: Experiment) -> None:
        """Take an experiment; the same one again changes nothing.

        Raises
        ------
        ValueError  when its name stands for another plan already, or one of its salts belongs to another experiment
        """
        raise NotImplementedError

    def experiments(self) -> pd.DataFrame:
        """One row per experiment: experiment, salt, layer, shares (a dict), added (UTC)."""
        raise NotImplementedError

    def log_assignments(self, frame: pd.DataFrame) -> int:
        """Append assignments, all or none; rows that are there already are left alone. How many were new."""
        raise NotImplementedError

    def log_exposures(self, frame: pd.DataFrame) -> int:
        """Append exposures, all or none; the user must have been assigned to that arm. How many were new."""
        raise NotImplementedError

    def assignments(self, experiment: str | None = None) -> pd.DataFrame:
        """Assignments of one experiment, or of all, in the order in which they came."""
        raise NotImplementedError

    def exposures(self, experiment: str | None = None) -> pd.DataFrame:
        """Exposures of one experiment, or of all, in the order in which they came."""
        raise NotImplementedError


def check_assignments(frame: pd.DataFrame, arms: Mapping[str, tuple[str, ...]] | None = None) -> pd.DataFrame:
    """Users per experiment and arm, after refusing what no analysis could mend.

    Parameters
    ----------
    frame : DataFrame with user_id, experiment and arm
    arms : mapping of experiment to its arms, optional
        What was planned; without it the arms seen count as planned.

    Returns
    -------
    DataFrame (experiment, arm, users)

    Raises
    ------
    ValueError  for missing columns or values, a user in two arms of one experiment, an arm without users, an arm that
    was not planned
    """
    raise NotImplementedError
