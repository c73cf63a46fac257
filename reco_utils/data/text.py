"""Delimited text in, a frame out: one reader for every publisher's CSV, and one clear error for a bad file.

The reading is DuckDB's (parallel, typed, straight from gzip); what this file adds is the refusal. A web page saved as
`ratings.csv`, a download that was cut, semicolons where commas were promised, a column that is not there, letters in a
number column: each is named, counted and shown, and all problems of a file come together in one ValueError.
"""

import csv
import difflib
import gzip
import zlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from reco_utils.data.schema import Problems

TYPES = {
    "text": "VARCHAR", "category": "VARCHAR", "whole": "BIGINT", "number": "DOUBLE",
    "time": "TIMESTAMPTZ", "day": "DATE",
}  # fmt: skip
ENCODINGS = {"utf-8": "utf-8-sig", "latin-1": "latin-1", "utf-16": "utf-16"}  # DuckDB's name: Python's name
DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar", "::": "a double colon"}
ROWS = 2_000_000  # rows turned from text to codes at once; bounds the text that is in memory


def read_csv(
    path: Path | str,
    *,
    columns: Iterable[str] | Mapping[str, str],
    optional: Iterable[str] = (),
    aliases: Mapping[str, str] | None = None,
    delimiter: str = ",",
    encoding: str = "utf-8",
    header: bool = True,
    quote: str = '"',
    only: Mapping[str, Collection[str]] | None = None,
) -> pd.DataFrame:
    """The wanted columns of one delimited text file, plain or gzipped, in the order asked for.

    Parameters
    ----------
    path : path
        Gzip is recognised by its first bytes, not by the name. A byte order mark is skipped.
    columns : names, or mapping of name to kind
        Kinds: "text" (the default: leading zeros survive), "category" (text held once per distinct value, for long
        files), "whole", "number", "time" (ISO 8601, brought to UTC, without a zone), "day". A
        whole column with gaps comes back as float.
    optional : names
        Columns of `columns` that the file may lack; they are then absent from the result.
    aliases : mapping of other spelling to name
        E.g. {"InvoiceNo": "Invoice"}: accepted in the file when the name itself is absent.
    delimiter : str, up to 4 characters
    encoding : "utf-8", "latin-1" or "utf-16"
    header : bool
        False: the file has no header line and exactly these columns in this order.
    quote : str
        "" when quotation marks are ordinary characters.
    only : mapping of a text column to the values wanted, optional
        Other rows are skipped while reading, so that a few rows of a long file cost no memory.

    Returns
    -------
    DataFrame; empty fields are missing values

    Raises
    ------
    FileNotFoundError  when there is no such file
    ValueError  listing everything that is wrong with it, with counts and first rows

    Source: ours, on DuckDB's csv reader and its table of rejected lines.
    """
    path = Path(path)
    kinds = dict(columns) if isinstance(columns, Mapping) else dict.fromkeys(columns, "text")
    if strange := sorted(set(kinds.values()) - set(TYPES)):
        raise ValueError(f"kinds must be among {list(TYPES)}, got {strange}")
    first = _first_line(path, _codec(encoding))
    names = list(kinds)
    if header:
        names = _match(path, _fields(first, delimiter, quote), kinds, optional, aliases or {}, first, delimiter)
    found = [name for name in kinds if name in names]
    types = {f"c{at}": TYPES[kinds.get(name, "text")] for at, name in enumerate(names)}
    wanted = ", ".join(_select(names.index(name), name, kinds[name]) for name in found)
    options = {
        "columns": types, "header": header, "delim": delimiter, "quote": quote, "escape": quote, "encoding": encoding,
        "compression": "gzip" if _start(path, 2) == b"\x1f\x8b" else "none", "auto_detect": False,
        "store_rejects": True, "rejects_limit": 0,
    }  # fmt: skip
    given = ", ".join(f"{name} = {_literal(value)}" for name, value in options.items())
    query = f"SELECT {wanted} FROM read_csv({_literal(str(path))}, {given})"
    for at, (name, values) in enumerate((only or {}).items()):
        values = ", ".join(_literal(value) for value in values)
        query += f"{' AND' if at else ' WHERE'} c{names.index(name)} IN ({values})"
    return _run(query, path, names, {name: kinds[name] for name in found}, encoding)


def _select(at, name, kind) -> str:
    """One column of the query; times lose their zone after they were brought to UTC."""
    value = {"time": f"timezone('UTC', c{at})", "day": f"CAST(c{at} AS TIMESTAMP)"}.get(kind, f"c{at}")
    return f'''{value} AS "{name.replace(chr(34), chr(34) * 2)}"'''


def _run(query, path, names, kinds, encoding):
    """Execute the query in batches, so that text columns of kind "category" never stand in memory as a whole."""
    problems = Problems(path.name)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        try:
            found = db.sql(query)
            arrow = found.to_arrow_reader(ROWS) if hasattr(found, "to_arrow_reader") else found.fetch_arrow_reader(ROWS)
            batches = [_encode(batch, kinds) for batch in arrow if len(batch)]
        except duckdb.Error as error:
            problems.add(_reason(error))
            problems.stop("download or export it again")
        if (rejected := db.execute("SELECT * FROM reject_errors").df()).shape[0]:
            _explain(rejected, names, kinds, encoding, problems)
            problems.stop()
    if not batches:
        raise ValueError(f"{path.name} is empty: it has a header line and no rows")
    return pd.DataFrame({name: _column([batch[name] for batch in batches], kind) for name, kind in kinds.items()})


def _encode(batch, kinds) -> dict[str, pa.Array]:
    """The columns of one batch. Beside a category they are copied: one view would keep the batch's text in memory."""
    if "category" not in kinds.values():
        return {name: batch.column(name) for name in kinds}
    return {name: _copy(batch.column(name), kind) for name, kind in kinds.items()}


def _copy(column, kind):
    return column.dictionary_encode() if kind == "category" else pa.concat_arrays([column, column.slice(0, 0)])


def _column(parts, kind):
    """The pieces of one column below one another; categories in the order of their first appearance."""
    if kind != "category":
        return pa.chunked_array(parts).to_pandas()
    whole = pa.chunked_array(parts).unify_dictionaries()
    codes = np.concatenate([part.indices.fill_null(-1).to_numpy() for part in whole.chunks])
    return pd.Categorical.from_codes(codes, whole.chunk(0).dictionary.to_pandas())


def _reason(error) -> str:
    """DuckDB's complaint in our words where we know it, else its first line."""
    first = str(error).splitlines()[0]
    if "GZIP" in first.upper():
        return "the gzip stream ends too early: the file was cut off"
    return first


_KIND = {"whole": "a whole number", "number": "a number", "time": "a time (ISO 8601)", "day": "a day (ISO 8601)"}
_REJECTED = {
    "CAST": "{name} is not {kind}",
    "MISSING COLUMNS": "rows have too few fields (there are {n} columns)",
    "TOO MANY COLUMNS": "rows have too many fields (there are {n} columns)",
    "UNQUOTED VALUE": "a quotation mark is opened and never closed",
    "INVALID ENCODING": "bytes that are not {encoding} text (try encoding='latin-1')",
}


def _explain(rejected, names, kinds, encoding, problems):
    """One entry per reason and column for the lines that DuckDB could not read."""
    for (reason, column), rows in rejected.groupby(
        ["error_type", "column_name"], dropna=False, sort=False, observed=True
    ):
        reason = str(reason)
        name = names[int(column[1:])] if isinstance(column, str) else ""
        kind = _KIND[kinds[name]] if reason == "CAST" else ""
        said = _REJECTED.get(reason, reason.lower()).format(name=name, kind=kind, n=len(names), encoding=encoding)
        problems.add(said, rows[["line", "csv_line"]].reset_index(drop=True))


def _first_line(path, codec) -> str:
    """The header as text; refuses what is no delimited text at all."""
    begin = _start(path, 4096)
    if not begin:
        raise ValueError(f"{path.name} is empty (0 bytes)")
    for magic, what in ((b"PK\x03\x04", "a zip archive; unpack it first"), (b"PAR1", "a Parquet file, not text")):
        if begin.startswith(magic):
            raise ValueError(f"{path.name} is {what}")
    try:
        with gzip.open(path) if begin[:2] == b"\x1f\x8b" else open(path, "rb") as file:
            if codec == "utf-16":
                line = file.read(2**16).decode(codec, "ignore").partition("\n")[0]
            else:
                line = file.readline(2**20).decode(codec, "replace")
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path.name} cannot be unpacked, the file was cut off or damaged ({error})") from None
    if line.lstrip().lower().startswith(("<!doctype", "<html", "<head", "<?xml")):
        raise ValueError(
            f"{path.name} is a web page, not data (a download that asked for a login?); get the file again"
        )
    return line.rstrip("\r\n")


def _codec(encoding) -> str:
    if encoding not in ENCODINGS:
        raise ValueError(f"encoding must be one of {list(ENCODINGS)}, got {encoding!r}")
    return ENCODINGS[encoding]


def _start(path, size) -> bytes:
    with open(path, "rb") as file:
        return file.read(size)


def _fields(line, delimiter, quote) -> list[str]:
    if len(delimiter) > 1 or not quote:
        return [name.strip() for name in line.split(delimiter)]
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter, quotechar=quote), [])]


def _match(path, there, kinds, optional, aliases, line, delimiter) -> list[str]:
    """The header with aliases replaced by our names; refuses when a wanted column is absent or there twice."""
    names = [aliases.get(name, name) if aliases.get(name) not in there else name for name in there]
    missing = [name for name in kinds if name not in names and name not in set(optional)]
    problems = Problems(path.name)
    for name in [name for name in kinds if names.count(name) > 1]:
        problems.add(f"the column {name!r} is there {names.count(name)} times")
    if missing:
        problems.add(missing_columns(missing, there))
        if probably := other_delimiter(line, delimiter):
            problems.add(probably)
    problems.stop()
    return names


def other_delimiter(line: str, delimiter: str) -> str | None:
    """A sentence that names the delimiter which cuts a header line into more pieces, if there is one."""
    pieces = {other: len(_fields(line, other, '"')) for other in (delimiter, *DELIMITERS)}
    best = max(pieces, key=pieces.get)
    if pieces[best] > pieces[delimiter]:
        return f"the delimiter is probably {DELIMITERS[best]}, not {DELIMITERS.get(delimiter, repr(delimiter))}"
    return None


def read_header(path: Path | str, *, delimiter: str = ",", encoding: str = "utf-8") -> tuple[list[str], str]:
    """The column names of a delimited text file, and its first line; refuses what is no text, as `read_csv` does."""
    line = _first_line(Path(path), _codec(encoding))
    return _fields(line, delimiter, '"'), line


def missing_columns(missing: list[str], there: list[str]) -> str:
    """Which columns are missing, which are there, and the nearest name to each missing one."""
    lower = {str(name).lower(): str(name) for name in there}
    near = {name: difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6) for name in missing}
    hints = "".join(f"; did you mean {lower[found[0]]!r} for {name!r}?" for name, found in near.items() if found)
    return f"missing the column{'s' * (len(missing) > 1)} {missing}; it has {[str(t) for t in there[:20]]}{hints}"


def _literal(value) -> str:
    """A Python value as a DuckDB literal."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'" + value.replace("'", "''") + "'"


def find_file(folder: Path, *names: str, optional: bool = False) -> Path | None:
    """The first of `names` that is in `folder`, plain or with `.gz` added; None when it is optional and absent.

    Raises
    ------
    FileNotFoundError  that says which file to put where, and what the folder holds
    """
    folder = Path(folder)
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    if optional:
        return None
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else None
    held = "which does not exist" if there is None else f"which holds {there[:10]}"
    raise FileNotFoundError(f"put {' or '.join(names)} into {folder}, {held}")
