"""Numbers and tables that make no sense are refused here, by name, before anything is computed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


# ------------------------------------------------------------------------------------------------------------- numbers
def check_between(name: str, value: float) -> None:
    """Refuses what is not between 0 and 1, neither of them included: alpha, a level, a power, a quantile."""
    if isinstance(value, str) or not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value!r}")


def check_share(name: str, value: float) -> None:
    """Refuses what is not from 0 to 1, both included."""
    if isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {value!r}")


def check_positive(name: str, value: float) -> None:
    """Refuses what is not a finite number above 0."""
    if isinstance(value, (bool, str)) or not 0 < value < np.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")


def check_not_negative(name: str, value: float) -> None:
    """Refuses what is not a finite number of at least 0."""
    if isinstance(value, (bool, str)) or not 0 <= value < np.inf:
        raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}")


def check_count(name: str, value: int, least: int = 1) -> None:
    """Refuses what is not a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least:,}, got {value!r}")


# -------------------------------------------------------------------------------------------------------------- tables
def check_columns(table: pd.DataFrame | None, word: str, columns: Sequence[str]) -> None:
    """Refuses a table that is missing or lacks columns."""
    if table is None:
        raise ValueError(f"{word} are needed, a DataFrame with the columns {sorted(set(columns))}, got None")
    lost = sorted({column for column in columns if column not in table})
    if lost:
        raise KeyError(f"{word} lack the columns {lost}; they have {list(table.columns)}")


def check_numbers(table: pd.DataFrame, word: str, columns: Sequence[str]) -> None:
    """Refuses columns that hold anything but finite numbers, and says which users have something else."""
    for column in dict.fromkeys(columns):
        if not (pd.api.types.is_numeric_dtype(table[column]) or pd.api.types.is_bool_dtype(table[column])):
            raise TypeError(f"{word} must hold numbers in {column!r}, got {table[column].dtype}")
        bad = ~np.isfinite(table[column].to_numpy(dtype=float, na_value=np.nan))
        if bad.any():
            whose = table.loc[bad, "user_id"].unique()[:3].tolist()
            raise ValueError(
                f"{column!r} is missing or infinite in {bad.sum()} rows of {word}, such as those of users {whose}; "
                "users who never came have 0"
            )


def check_users(table: pd.DataFrame, word: str) -> None:
    """Refuses a table that has not one row per user, each with an arm; a user in two arms is named."""
    for column in ("user_id", "arm"):
        if table[column].isna().any():
            raise ValueError(f"{column} is missing in {table[column].isna().sum()} rows of {word}; leave them out")
    twice = table[table["user_id"].duplicated(keep=False)]
    if len(twice):
        arms = twice.groupby("user_id", sort=False, observed=True)["arm"].nunique()
        both = arms.index[arms > 1].tolist()
        if len(both):
            found = sorted(twice.loc[twice["user_id"] == both[0], "arm"].astype(str).unique())
            raise ValueError(f"{len(both)} users are in two arms, such as {both[0]!r} in {found}; a user has one arm")
        raise ValueError(f"{word} have a row per user, got {len(arms)} users twice, such as {arms.index.tolist()[0]!r}")


def rows_by_arm(table: pd.DataFrame, arms: Sequence[str]) -> dict[str, np.ndarray]:
    """Which rows (n,) are of each arm; refuses an arm without any."""
    column = table["arm"].astype(object).to_numpy()
    rows = {arm: column == arm for arm in arms}
    empty = [arm for arm, mask in rows.items() if not mask.any()]
    if empty:
        raise ValueError(f"arm {empty[0]!r} has no users; the arms are {sorted(set(column), key=str)}")
    return rows


def users_of_two(table: pd.DataFrame, word: str, columns: Sequence[str], arms: Sequence[str]) -> pd.DataFrame:
    """The users of two arms, a row each, with finite numbers in the columns; or a refusal."""
    check_columns(table, word, ["user_id", "arm", *columns])
    either = np.any([*rows_by_arm(table, arms).values()], axis=0)
    users = table[either].reset_index(drop=True)
    check_users(users, word)
    check_numbers(users, word, columns)
    return users
