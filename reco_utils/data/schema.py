"""The three canonical tables and the gate every loader passes: one error that lists all that is wrong.

    events    user_id, item_id, event, timestamp (UTC)
              optional: session_id, value, quantity, rating, device, dwell_ms
    catalog   item_id, title
              optional: category, subcategory, brand, price, description, tags, created_at, in_stock, related
    profiles  user_id
              optional: age, gender, location, device, signup_at

Ids are text, always: leading zeros survive, and 42 and "42" cannot be two users. In `events` they are categorical, and
both tables' ids share the order of `profiles` and `catalog`. Times are datetime64[us] in UTC without a zone. Stars
(`rating`) and event weights never share a column: weights are made later, by `data.weighting`.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from reco_utils.core import EVENT, EVENT_TYPES, ITEM, TIME, USER, Defaults, Tables, Tastes

TEXT, NUMBER, WHEN, FLAG, KIND = "text", "number", "time", "flag", "kind"
COLUMNS = {
    "events": {
        USER: TEXT, ITEM: TEXT, EVENT: KIND, TIME: WHEN,
        "session_id": TEXT, "value": NUMBER, "quantity": NUMBER, "rating": NUMBER, "device": KIND, "dwell_ms": NUMBER,
    },
    "catalog": {
        ITEM: TEXT, "title": TEXT, "category": KIND, "subcategory": KIND, "brand": KIND, "price": NUMBER,
        "description": TEXT, "tags": TEXT, "created_at": WHEN, "in_stock": FLAG, "related": TEXT,
    },
    "profiles": {USER: TEXT, "age": NUMBER, "gender": KIND, "location": KIND, "device": KIND, "signup_at": WHEN},
}  # fmt: skip
REQUIRED = {"events": (USER, ITEM, EVENT, TIME), "catalog": (ITEM, "title"), "profiles": (USER,)}
NOT_NEGATIVE = ("price", "dwell_ms", "age", "value", "quantity")  # a purchase of -1 pieces is a return, not a success
STR = pd.Series(["text"]).dtype  # str in pandas 3; object before, where "str" would write a gap as the text "None"
EARLIEST = pd.Timestamp("1990-01-01")  # a time before the first web shop is a unit mistaken, e.g. seconds read as ms
LATEST = pd.Timestamp("2200-01-01")  # and so is one after this; 9999-12-31 is a placeholder


class Problems:
    """Collects what is wrong with a source, to be raised together: what, how often, and the first few rows."""

    def __init__(self, source: str):
        self.source, self.found = source, []

    def add(self, what: str, rows: pd.DataFrame | None = None) -> None:
        """Note one kind of problem; `rows` are the offending rows (their number and the first three are shown)."""
        if rows is None:
            self.found.append(what)
        elif len(rows):
            first = rows.head(3).to_string(max_colwidth=40).replace("\n", "\n      ")
            self.found.append(f"{what}: {len(rows)} row{'s' * (len(rows) > 1)}, the first:\n      {first}")

    def stop(self, advice: str = "") -> None:
        """Raise ValueError with everything found, if anything was."""
        if self.found:
            listed = "\n  - ".join(self.found)
            advice = f"\n{advice}" if advice else ""
            raise ValueError(f"{self.source}: nothing was loaded, because of\n  - {listed}{advice}")


def count_rows(rows: Iterable[tuple[str, str, int]]) -> pd.DataFrame:
    """The report of a load: (table, what happened, how many rows), empty counts left out."""
    return pd.DataFrame([r for r in rows if r[2]], columns=["table", "what", "rows"])


def canonical(
    name: str,
    events: pd.DataFrame,
    catalog: pd.DataFrame,
    profiles: pd.DataFrame | None = None,
    *,
    defaults: Defaults,
    report: pd.DataFrame | None = None,
    asof: pd.Timestamp | None = None,
    tastes: Tastes | None = None,
) -> Tables:
    """Check three tables and give them the canonical columns, types and order; the arguments are left as they are.

    Parameters
    ----------
    name : str
        The dataset's name or file, quoted in errors.
    events, catalog, profiles : DataFrame
        With canonical column names; columns the schema does not know are dropped. Without profiles, one row per user.
    asof : Timestamp, optional
        Events later than this are an error.

    Returns
    -------
    Tables; events sorted by time (stable), ids categorical, `catalog` and `profiles` one row per id

    Raises
    ------
    ValueError  listing every problem with its count and first rows; nothing is mended silently
    """
    problems = Problems(name)
    events, catalog = _typed("events", events, problems), _typed("catalog", catalog, problems)
    if profiles is not None:
        profiles = _typed("profiles", profiles, problems)
    problems.stop()  # missing columns and unreadable values first: the checks below would only repeat them
    profiles = _users_of(events) if profiles is None else profiles
    _check_events(events, asof, problems)
    for kind, frame in (("events", events), ("catalog", catalog), ("profiles", profiles)):
        for column in [c for c in NOT_NEGATIVE if c in frame]:
            problems.add(f"{kind}.{column} is negative", frame[frame[column] < 0])
    _check_ids("catalog", catalog, ITEM, events, problems)
    _check_ids("profiles", profiles, USER, events, problems)
    problems.add("catalog.title is blank", catalog[catalog["title"].str.strip() == ""])
    problems.stop()
    events[USER] = pd.Categorical(events[USER], categories=profiles[USER].to_numpy())
    events[ITEM] = pd.Categorical(events[ITEM], categories=catalog[ITEM].to_numpy())
    if not events[TIME].is_monotonic_increasing:  # sorting copies: half a gigabyte for eight million events
        events = events.sort_values(TIME, kind="stable", ignore_index=True)
    report = count_rows([]) if report is None else report.reset_index(drop=True)
    return Tables(name, events, catalog, profiles, defaults, report, tastes)


def _typed(kind, frame, problems):
    """The known columns of one table in their canonical types; what cannot be read is added to `problems`."""
    missing = [c for c in REQUIRED[kind] if c not in frame]
    if missing:
        there = f"it has {list(frame.columns)[:12]}" if len(frame.columns) else "it has no columns"
        problems.add(f"{kind} lacks the column{'s' * (len(missing) > 1)} {missing}; {there}")
    if not len(frame) and not missing:
        problems.add(f"{kind} is empty")
    known = {c: how for c, how in COLUMNS[kind].items() if c in frame}
    typed = {}
    for column, how in known.items():
        typed[column], bad = _READ[how](frame[column])
        problems.add(f"{kind}.{column} is not {_WORD[how]}", frame.loc[bad, list(known)])
        if column in REQUIRED[kind]:
            problems.add(f"{kind}.{column} is missing", frame.loc[frame[column].isna().to_numpy(), list(known)])
    return pd.DataFrame(typed).reset_index(drop=True)


def _users_of(events) -> pd.DataFrame:
    """Profiles without any knowledge: every user of the events, in the order of the ids."""
    users = np.sort(np.asarray(events[USER].unique(), dtype=object))
    return pd.DataFrame({USER: pd.Series(users, dtype=STR)})


def _all_text(values) -> bool:
    return all(isinstance(v, str) for v in values)


def read_text(column: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """The column as text (whole floats without ".0"), and which rows (n,) are bad: of another type than most are.

    Is 7 the same as "7"? Nobody knows, so ids of several types are refused.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        if _all_text(column.cat.categories):
            return column.reset_index(drop=True), np.zeros(len(column), bool)
        column = column.astype(column.cat.categories.dtype)
    nothing = column.isna().to_numpy()
    if pd.api.types.is_float_dtype(column.dtype) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    bad = np.zeros(len(column), bool)
    if column.dtype == object:
        kinds = column[~nothing].map(type)
        if kinds.nunique() > 1:
            bad = ~nothing & (column.map(type) != kinds.value_counts().index[0]).to_numpy()
    values = column.astype(str).astype(object).where(~nothing, None)
    return values.astype(STR).reset_index(drop=True), bad


def _read_kind(column):
    values, bad = read_text(column)
    return values.astype("category"), bad


def _read_number(column):
    values = pd.to_numeric(column, errors="coerce").astype(float).reset_index(drop=True)
    bad = (values.isna() & column.notna().to_numpy()) | np.isinf(values)
    return values, bad.to_numpy()


def _read_time(column):
    values = column
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        if pd.api.types.is_numeric_dtype(column.dtype):  # 1,700,000,000 may be seconds or milliseconds: no guess
            return pd.Series(pd.NaT, index=range(len(column)), dtype="datetime64[us]"), column.notna().to_numpy()
        values = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
    if values.dt.tz is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    values = values.astype("datetime64[us]").reset_index(drop=True)
    return values, (values.isna().to_numpy() & column.notna().to_numpy())


def _read_flag(column):
    known = column.isin([True, False]) | column.isna()  # 1 and 0 count: they equal True and False
    values = column.where(known, None).astype("boolean").reset_index(drop=True)
    return values, ~known.to_numpy()


_READ = {TEXT: read_text, KIND: _read_kind, NUMBER: _read_number, WHEN: _read_time, FLAG: _read_flag}
_WORD = {
    TEXT: "text of one type throughout", KIND: "a word", NUMBER: "a finite number",
    WHEN: "a time (ISO 8601; numbers need their unit said first)", FLAG: "true or false",
}  # fmt: skip


def _check_events(events, asof, problems):
    """Note events of unknown types, ratings without stars, and times that cannot be."""
    strange = sorted(set(events[EVENT].cat.categories) - set(EVENT_TYPES))
    problems.add(f"event must be one of {list(EVENT_TYPES)}, got {strange}", events[events[EVENT].isin(strange)])
    ratings = events[(events[EVENT] == "rating").to_numpy()]
    unrated = ratings["rating"].isna() if "rating" in ratings else pd.Series(True, ratings.index)
    problems.add("events of type rating need a finite rating", ratings[unrated])
    times = events[TIME]
    problems.add(f"timestamp before {EARLIEST.date()} (seconds read as milliseconds?)", events[times < EARLIEST])
    problems.add(f"timestamp after {LATEST.date()} (milliseconds read as seconds?)", events[times >= LATEST])
    if asof is not None:
        problems.add(f"timestamp later than asof {asof}", events[times > asof])


def _check_ids(kind, frame, key, events, problems):
    """Note ids that are there twice, blank or with a space at an end, and those of events that `frame` lacks."""
    ids = frame[key]
    problems.add(f"{kind} has the same {key} more than once", frame[ids.duplicated()])
    problems.add(f"{key} is blank, or has a space before or after it", frame[(ids == "") | (ids.str.strip() != ids)])
    known = set(ids)
    strangers = [i for i in pd.unique(events[key]) if i not in known]
    if strangers:
        problems.add(f"events have {len(strangers)} {key} that {kind} lacks", events[events[key].isin(strangers)])
