"""Your own files: CSV, gzipped CSV, Parquet or frames with any column names, made into the canonical tables.

    load_files(events="orders.csv", catalog="items.csv", columns={"customer": "user_id", "sku": "item_id", ...})

A folder can carry the same settings, so that `load_dataset("my-shop")` and the whole course run on it:

    <home>/my-shop/events.csv      or .csv.gz or .parquet; likewise catalog and profiles, which may be absent
    <home>/my-shop/dataset.toml    optional; the keywords of `load_files`:

        event_types = {look = "view", order = "purchase"}
        time_unit = "ms"
        fill_catalog = true
        [columns]
        customer = "user_id"
        sku = "item_id"
        [defaults]
        half_life_days = 60

Nothing is mended: what is wrong is listed in one error with counts and first rows, and nothing is loaded.
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reco_utils.core import EVENT, EVENT_TYPES, ITEM, USER, Defaults, Tables
from reco_utils.data.schema import (
    COLUMNS,
    FLAG,
    KIND,
    NUMBER,
    REQUIRED,
    TEXT,
    WHEN,
    Problems,
    canonical,
    count_rows,
    read_text,
)
from reco_utils.data.text import missing_columns, other_delimiter, read_csv, read_header

FILES = ("events.csv", "events.csv.gz", "events.parquet")
SETTINGS = ("columns", "event_types", "time_unit", "delimiter", "encoding", "fill_catalog", "asof", "defaults")
TIME_UNITS = ("s", "ms", "us", "ns")
YES_NO = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}
_KINDS = {TEXT: "text", KIND: "text", NUMBER: "number", FLAG: "text", WHEN: "text"}


def load_files(
    events: Path | str | pd.DataFrame,
    catalog: Path | str | pd.DataFrame | None = None,
    profiles: Path | str | pd.DataFrame | None = None,
    *,
    columns: Mapping[str, str] | Mapping[str, Mapping[str, str]] | None = None,
    event_types: Mapping[str, str] | str | None = None,
    time_unit: str | None = None,
    delimiter: str = ",",
    encoding: str = "utf-8",
    fill_catalog: bool = False,
    asof: pd.Timestamp | str | None = None,
    defaults: Defaults | Mapping | None = None,
    name: str | None = None,
) -> Tables:
    """Tables from your own events and, if you have them, catalogue and profiles.

    Parameters
    ----------
    events, catalog, profiles : path or DataFrame
        Paths end in .csv, .csv.gz (or any text name) or .parquet. In text files every id is text: "007" is not "7".
        Columns that are not canonical and not in `columns` are ignored.
    columns : mapping of your name to ours, or {"events": {...}, "catalog": {...}, "profiles": {...}}
        E.g. {"customer": "user_id", "sku": "item_id"}. One mapping serves all tables. It wins over a column that
        already has our name.
    event_types : mapping of your word to ours, or one of ours for all rows
        E.g. {"wishlist": "add_to_cart", "order": "purchase"}; or "purchase" when there is no event column.
    time_unit : "s", "ms", "us" or "ns"
        Needed when times are numbers; it is never guessed. Text times are ISO 8601, with or without a unit for other
        columns; without an offset they are UTC.
    delimiter, encoding
        Of the text files; see `reco_utils.data.text.read_csv`.
    fill_catalog : bool
        False: every item must be in the catalogue and have a title. True: what is missing gets the title "item <id>",
        counted in the report.
    asof : Timestamp, optional
        Events later than this are an error.
    defaults : Defaults or mapping of some of its fields
        What is not said is guessed: the target is "purchase" if there is one, else ratings (split leave-last-out, any
        rating positive: set `positive_from`), else the strongest of add_to_cart, click and view. A list does not repeat
        what the user already has.
    name : str, optional
        The dataset's name; by default that of the events file.

    Raises
    ------
    FileNotFoundError  for a path that is not there
    ValueError  listing every problem of a file with its count and first rows
    """
    _check_settings(columns, event_types, time_unit, delimiter)
    sources = {"events": events, "catalog": catalog, "profiles": profiles}
    called = {kind: _called(kind, source) for kind, source in sources.items() if source is not None or kind == "events"}
    if catalog is None and not fill_catalog:
        raise ValueError("there is no catalog; give one, or say fill_catalog=True to call the items 'item <id>'")
    headers = {kind: _header(sources[kind], delimiter, encoding) for kind in called}
    renames = {kind: _rename(kind, headers[kind][0], columns) for kind in called}
    _check_mapping(columns, renames, {kind: there for kind, (there, _) in headers.items()}, called)
    tables = {}
    for kind, file in called.items():
        needed = _needed(kind, event_types, fill_catalog)
        _check_columns(file, renames[kind], headers[kind], needed, delimiter)
        frame = _read(sources[kind], renames[kind], kind, delimiter, encoding)
        tables[kind] = _converted(file, kind, frame, event_types, time_unit)
    report = []
    if fill_catalog:
        tables["catalog"], report = _filled(tables.get("catalog"), tables["events"])
    return canonical(
        name or (Path(events).name.split(".")[0] if called["events"] != "events" else "files"),
        tables["events"], tables["catalog"], tables.get("profiles"),
        defaults=_defaults(tables["events"], defaults), report=count_rows(report),
        asof=None if asof is None else _instant(asof),
    )  # fmt: skip


def load(name: str, folder: Path, **settings) -> Tables:
    """The dataset in a folder of your own: events, catalog and profiles files, and the settings in dataset.toml.

    Parameters
    ----------
    folder : Path
        Holds events.csv, events.csv.gz or events.parquet, perhaps catalog and profiles, perhaps dataset.toml.
    **settings
        Keywords of `load_files` (`SETTINGS`); they win over those of dataset.toml.

    Raises
    ------
    ValueError  for a setting that `load_files` does not have, two files for one table, or what `load_files` refuses
    """
    folder = Path(folder)
    toml = folder / "dataset.toml"
    stored = tomllib.loads(toml.read_text(encoding="utf-8-sig")) if toml.is_file() else {}
    for source, given in ((toml.name, stored), (name, settings)):
        if strange := sorted(set(given) - set(SETTINGS)):
            raise ValueError(f"{source}: unknown setting {strange}; settings are {list(SETTINGS)}")
    paths = {kind: _one_file(folder, kind) for kind in COLUMNS}
    if paths["events"] is None:
        raise FileNotFoundError(f"put {', '.join(FILES[:-1])} or {FILES[-1]} into {folder}")
    return load_files(**paths, **{**stored, **settings}, name=name)


def _one_file(folder, kind) -> Path | None:
    found = [path for ending in (".csv", ".csv.gz", ".parquet") if (path := folder / f"{kind}{ending}").is_file()]
    if len(found) > 1:
        raise ValueError(f"{folder.name}: {' and '.join(p.name for p in found)} are both there; keep one of them")
    return found[0] if found else None


# ------------------------------------------------------------------------------------------------------------ settings
def _called(kind, source) -> str:
    """What a source is called in errors."""
    if not isinstance(source, str | Path | pd.DataFrame):
        raise TypeError(f"{kind} must be a path or a DataFrame, got {source!r}")
    return kind if isinstance(source, pd.DataFrame) else Path(source).name


def _check_settings(columns, event_types, time_unit, delimiter):
    if not isinstance(columns, Mapping | None):
        raise TypeError(f"columns must map your names to ours, got {columns!r}")
    if not isinstance(event_types, Mapping | str | None):
        raise TypeError(f"event_types must map your words to ours or be one of ours, got {event_types!r}")
    if not 1 <= len(delimiter) <= 4:
        raise ValueError(f"delimiter must have 1 to 4 characters, got {delimiter!r}")
    if time_unit is not None and time_unit not in TIME_UNITS:
        raise ValueError(f"time_unit must be one of {list(TIME_UNITS)}, got {time_unit!r}")
    ours = {event_types} if isinstance(event_types, str) else set((event_types or {}).values())
    if strange := sorted(ours - set(EVENT_TYPES)):
        raise ValueError(f"event_types must lead to {list(EVENT_TYPES)}, got {strange}")
    for kind, mapping in _by_table(columns).items():
        known = set(COLUMNS[kind]) if _is_nested(columns) else {c for names in COLUMNS.values() for c in names}
        for theirs, name in mapping.items():
            if str(name) not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"columns maps {theirs!r} to {name!r}, which is no column of ours{hint}")


def _is_nested(columns) -> bool:
    return bool(columns) and set(columns) <= set(COLUMNS) and all(isinstance(m, Mapping) for m in columns.values())


def _by_table(columns) -> dict[str, Mapping[str, str]]:
    """Table -> mapping; one mapping for all tables is given to each."""
    columns = columns or {}
    return {kind: columns.get(kind, {}) for kind in COLUMNS} if _is_nested(columns) else dict.fromkeys(COLUMNS, columns)


def _rename(kind, there, columns) -> dict[str, str]:
    """Your column -> ours, for the columns of one file that will be read; the mapping wins over equal names."""
    mapped = {theirs: ours for theirs, ours in _by_table(columns)[kind].items() if theirs in there}
    mapped = {theirs: ours for theirs, ours in mapped.items() if ours in COLUMNS[kind]}
    return {**{c: c for c in there if c in COLUMNS[kind] and c not in mapped.values() and c not in mapped}, **mapped}


def _check_mapping(columns, renames, there, called):
    """Refuse a mapping of columns that no file has, or of two columns of a file to one name."""
    problems = Problems("columns")
    for kind, mapping in _by_table(columns).items():
        if not _is_nested(columns) or not mapping:
            continue
        if kind not in called:
            problems.add(f"there is no {kind} file to map {list(mapping)} in")
        elif lost := [theirs for theirs in mapping if theirs not in there[kind]]:
            problems.add(f"{called[kind]} is {missing_columns(lost, there[kind])}")
    if columns and not _is_nested(columns):
        everywhere = list(dict.fromkeys(c for names in there.values() for c in names))
        if lost := [theirs for theirs in columns if theirs not in everywhere]:
            problems.add(f"the files are {missing_columns(lost, everywhere)}")
    for kind, rename in renames.items():
        ours = list(rename.values())
        for twice in sorted({o for o in ours if ours.count(o) > 1}):
            problems.add(f"{called[kind]}: {[t for t, o in rename.items() if o == twice]} are all mapped to {twice!r}")
    problems.stop()


def _needed(kind, event_types, fill_catalog) -> list[str]:
    optional = {EVENT} if isinstance(event_types, str) else set()
    return [c for c in REQUIRED[kind] if c not in optional and not (c == "title" and fill_catalog)]


def _check_columns(file, rename, header, needed, delimiter):
    """Refuse a file with a column twice or without a needed one; say what it has and which delimiter it may use."""
    there, line = header
    problems = Problems(file)
    for column in [column for column in rename if there.count(column) > 1]:
        problems.add(f"the column {column!r} is there {there.count(column)} times")
    problems.stop()
    missing = [column for column in needed if column not in rename.values()]
    if not missing:
        return
    problems.add(missing_columns(missing, there))
    if line is not None and (probably := other_delimiter(line, delimiter)):
        problems.add(probably)
        problems.stop("say delimiter=...")
    advice = "say which column is which, e.g. columns={'your name': '" + missing[0] + "'}"
    if missing == [EVENT]:
        advice = "say event_types='purchase' (or another of ours) if all rows are of one type; or " + advice
    problems.stop(advice)


# ------------------------------------------------------------------------------------------------------------- reading
def _header(source, delimiter, encoding) -> tuple[list[str], str | None]:
    """The column names of a source, and its first line if it is text."""
    if isinstance(source, pd.DataFrame):
        return [str(column) for column in source.columns], None
    if not _is_parquet(source):
        return read_header(source, delimiter=delimiter, encoding=encoding)
    try:
        return pq.read_schema(source).names, None
    except pa.ArrowInvalid as error:
        raise ValueError(f"{Path(source).name} cannot be read as Parquet: {str(error).splitlines()[0]}") from None


def _is_parquet(path) -> bool:
    if Path(path).is_dir():
        raise ValueError(f"{Path(path).name} is a folder, not a file")
    with open(path, "rb") as file:
        return Path(path).suffix == ".parquet" or file.read(4) == b"PAR1"


def _read(source, rename, kind, delimiter, encoding) -> pd.DataFrame:
    """The columns to keep, under our names."""
    if isinstance(source, pd.DataFrame):
        frame = source.set_axis([str(column) for column in source.columns], axis=1)[list(rename)]
    elif _is_parquet(source):
        frame = pd.read_parquet(source, columns=list(rename))
    else:
        kinds = {theirs: _KINDS[COLUMNS[kind][ours]] for theirs, ours in rename.items()}
        ids = {
            theirs: "category" for theirs, ours in rename.items() if kind == "events" and ours in (USER, ITEM, EVENT)
        }
        frame = read_csv(source, columns=kinds | ids, delimiter=delimiter, encoding=encoding)
    return frame.rename(columns=rename).reset_index(drop=True)


# ---------------------------------------------------------------------------------------------------------- converting
def _converted(file, kind, frame, event_types, time_unit) -> pd.DataFrame:
    """Our words for the events, times as times, yes and no as flags; all that cannot be converted in one error."""
    problems, frame = Problems(file), frame.copy(deep=False)
    if not len(frame):
        problems.add("it is empty")
    if kind == "events":
        frame[EVENT] = _event_types(frame, event_types, problems)
    for column, how in COLUMNS[kind].items():
        if column in frame and how == WHEN:
            frame[column] = _times(frame, column, time_unit, problems)
        if column in frame and how == FLAG and frame[column].dtype != bool:
            frame[column] = _flags(frame, column, problems)
    problems.stop()
    return frame


def _event_types(frame, event_types, problems):
    if isinstance(event_types, str):
        if EVENT in frame:
            problems.add(f"it has an event column, so event_types must be a mapping, got {event_types!r}")
        return pd.Categorical.from_codes([0] * len(frame), [event_types])
    words = frame[EVENT].astype("category")
    words = words.cat.rename_categories([str(c) for c in words.cat.categories])
    kept = {word: (event_types or {}).get(word, word) for word in words.cat.categories}
    if strange := [word for word, ours in kept.items() if ours not in EVENT_TYPES]:
        advice = f"map them, e.g. event_types={{{strange[0]!r}: 'add_to_cart'}}"
        problems.add(
            f"event must be one of {list(EVENT_TYPES)}, got {strange}; {advice}", frame[words.isin(strange).to_numpy()]
        )
        return words
    return pd.Categorical(words.map(kept), categories=[ours for ours in EVENT_TYPES if ours in kept.values()])


def _times(frame, column, time_unit, problems):
    values = frame[column]
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    numbers = pd.to_numeric(values.astype(object) if values.dtype == bool else values, errors="coerce")
    there = values.notna()
    if time_unit is not None and (numbers.notna().any() or not there.any()):
        problems.add(f"{column} is not a number of {time_unit}", frame[there & numbers.isna()])
        return _since_1970(frame, column, numbers, time_unit, problems)
    if there.any() and numbers[there].notna().all():
        first = values[there].iloc[0]
        problems.add(f"{column} holds numbers, e.g. {first}; say their unit, time_unit='s', 'ms', 'us' or 'ns'")
        return values
    times = pd.to_datetime(values.astype(str).where(there), errors="coerce", utc=True, format="ISO8601")
    problems.add(f"{column} is not a time (ISO 8601)", frame[there & times.isna()])
    return times


def _since_1970(frame, column, numbers, unit, problems):
    """Numbers of a unit as times; those beyond the year 2200 mean another unit."""
    seconds = numbers / {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[unit]
    far = seconds.abs() > 7.26e9
    problems.add(f"{column} is after the year 2200, so its unit is not {unit!r}", frame[far])
    whole = (seconds.where(~far) * 1e6).round()
    return pd.to_datetime(whole.astype("Int64"), unit="us") if whole.notna().any() else whole.astype("datetime64[us]")


def _flags(frame, column, problems):
    values = frame[column]
    flags = values.astype(str).str.lower().map(YES_NO).where(values.notna())
    problems.add(f"{column} is neither yes nor no ({', '.join(YES_NO)})", frame[values.notna() & flags.isna()])
    return flags.astype("boolean")


def _instant(asof) -> pd.Timestamp:
    given, asof = asof, pd.to_datetime(asof, errors="coerce")
    if not isinstance(asof, pd.Timestamp):
        raise ValueError(f"asof must be a time (ISO 8601), got {given!r}")
    return asof.tz_convert("UTC").tz_localize(None) if asof.tz is not None else asof


# -------------------------------------------------------------------------------------------------------------- filling
def _filled(catalog, events):
    """A catalogue with every item of the events and a title for each; and what was counted."""
    bought = pd.Index(read_text(events[ITEM].dropna().drop_duplicates())[0].astype(str))
    if catalog is None:
        catalog = pd.DataFrame({ITEM: bought[:0]})
    ids, mixed = read_text(catalog[ITEM])
    if mixed.any() or ids.isna().any():
        return catalog, []  # `canonical` will say what is wrong
    added = pd.DataFrame({ITEM: bought[~bought.isin(ids)]})
    catalog = pd.concat([catalog.assign(**{ITEM: ids}), added], ignore_index=True)
    title = catalog["title"] if "title" in catalog else pd.Series(None, catalog.index, dtype=object)
    made_up = title.isna() | (title.astype(str).str.strip() == "")
    catalog = catalog.assign(title=title.astype(object).where(~made_up, "item " + catalog[ITEM].astype(str)))
    return catalog, [("catalog", "items added", len(added)), ("catalog", "titles made up", int(made_up.sum()))]


def _defaults(events, given) -> Defaults:
    """The given defaults; what they do not say is guessed from the event types."""
    if isinstance(given, Defaults):
        return given
    there = set(events[EVENT].dropna().unique())
    target = next((t for t in ("purchase", "rating", "add_to_cart", "click", "view") if t in there), "purchase")
    guess = Defaults(target=(target,), split="leave-last-out" if target == "rating" else "time")
    known = [field.name for field in fields(Defaults)]
    if strange := sorted(set(given or {}) - set(known)):
        raise ValueError(f"unknown defaults {strange}; they are {known}")
    given = dict(given or {})
    if "target" in given:
        given["target"] = (given["target"],) if isinstance(given["target"], str) else tuple(given["target"])
        if not there & set(given["target"]):
            raise ValueError(f"target must be among the events' types {sorted(there)}, got {list(given['target'])}")
    return replace(guess, **given)
