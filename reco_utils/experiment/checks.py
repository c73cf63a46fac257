"""Tables that cannot be analysed are refused here, by name, before anything is computed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


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
