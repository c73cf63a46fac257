"""Yesterday's data as of today: all times of some tables moved by the same amount.

A service asks the clock how old things are. Data that ended last year is all stale to it, and nobody bought anything
within 30 days; moved up to today, it is a shop with a past.
"""

from dataclasses import replace

import pandas as pd

from reco_utils.core import TIME, Tables


def shift(tables: Tables, by) -> Tables:
    """Every time in the three tables, later by this much; nothing else changes, and the input stays as it is.

    Parameters
    ----------
    by : timedelta, or text such as "364 days"
        Whole weeks keep Mondays on Mondays. Negative: earlier.

    Raises
    ------
    ValueError  for something that is no length of time, or that leads out of the calendar
    """
    try:
        by = pd.Timedelta(by)
        if pd.isna(by):
            raise ValueError("no length of time")
        moved = {name: _moved(getattr(tables, name), by) for name in ("events", "catalog", "profiles")}
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"by must be a length of time such as '364 days', got {by!r} ({error})") from None
    return replace(tables, **moved)


def days_until(tables: Tables, now) -> pd.Timedelta:
    """Whole days by which the last event must be moved to lie within the day before `now`; 0 if it lies later."""
    now = pd.Timestamp(now)
    now = now.tz_convert("UTC").tz_localize(None) if now.tzinfo else now
    if not len(tables.events):
        return pd.Timedelta(0)
    last = tables.events[TIME].max()
    last = last.tz_convert("UTC").tz_localize(None) if last.tzinfo else last
    return pd.Timedelta(days=max((now - last) // pd.Timedelta(days=1), 0))


def _moved(table, by):
    times = [column for column in table if pd.api.types.is_datetime64_any_dtype(table[column])]
    return table.assign(**{column: table[column] + by for column in times})
