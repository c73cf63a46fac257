"""Delimited text in, a frame out: one reader for every publisher's CSV, and one clear error for a bad file.

The reading is DuckDB's (parallel, typed, straight from gzip); what this file adds is the refusal. A web page saved as
`ratings.csv`, a download that was cut, semicolons where commas were promised, a column that is not there, letters in a
number column: each is named, counted and shown, and all problems of a file come together in one ValueError.
"""

import contextlib
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

from reco_utils.data.fetch import WEB_PAGE, check_gzip
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
        Gzip is recognised by its first bytes, not by the name, and its checksum is compared. A byte order mark is
        skipped.
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
    gzipped = _start(path, 2) == b"\x1f\x8b"
    if gzipped:
        check_gzip(path)  # DuckDB reads on where a byte is wrong
    names = list(kinds)
    if header:
        names = _match(path, _fields(first, delimiter, quote), kinds, optional, aliases or {}, first, delimiter)
    found = [name for name in kinds if name in names]
    types = {f"c{at}": TYPES[kinds.get(name, "text")] for at, name in enumerate(names)}
    wanted = ", ".join(_select(names.index(name), name, kinds[name]) for name in found)
    options = {
        "columns": types, "header": header, "delim": delimiter, "quote": quote, "escape": quote, "encoding": encoding,
        "compression": "gzip" if gzipped else "none", "auto_detect": False,
        "store_rejects": True, "rejects_limit": 0,
    }  # fmt: skip
    given = ", ".join(f"{name} = {_literal(value)}" for name, value in options.items())
    query = f"SELECT {wanted} FROM read_csv({_literal(str(path))}, {given})"
    for at, (name, values) in enumerate((only or {}).items()):
        values = ", ".join(_literal(value) for value in values)
        query += f"{' AND' if at else ' WHERE'} c{names.index(name)} IN ({values})"
    frame = _run(query, path, names, {name: kinds[name] for name in found}, encoding)
    if not len(frame) and not only:
        raise ValueError(f"{path.name} is empty: it has a header line and no rows")
    return frame


def _select(at, name, kind) -> str:
    """One column of the query; times lose their zone after they were brought to UTC."""
    value = {"time": f"timezone('UTC', c{at})", "day": f"CAST(c{at} AS TIMESTAMP)"}.get(kind, f"c{at}")
    return f'''{value} AS "{name.replace(chr(34), chr(34) * 2)}"'''


def _run(query, path, names, kinds, encoding):
    """Execute the query in batches, so that text columns of kind "category" never stand in memory as a whole."""
    problems = Problems(path.name)
    with duckdb.connect() as db, ctrl_c():
        db.execute("SET TimeZone = 'UTC'")
        try:
            found = db.sql(query)
            arrow = found.to_arrow_reader(ROWS) if hasattr(found, "to_arrow_reader") else found.fetch_arrow_reader(ROWS)
            batches = [_encode(batch, kinds) for batch in arrow]
            batches = batches or [_encode(pa.RecordBatch.from_pylist([], schema=arrow.schema), kinds)]
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            problems.add(_reason(error))
            problems.stop("download or export it again")
        if (rejected := db.execute("SELECT * FROM reject_errors").df()).shape[0]:
            _explain(rejected, names, kinds, encoding, problems)
            problems.stop()
    return pd.DataFrame({name: _column([batch[name] for batch in batches], kind) for name, kind in kinds.items()})


@contextlib.contextmanager
def ctrl_c():
    """DuckDB answers Ctrl-C with an error of its own; this makes it the KeyboardInterrupt that it was."""
    try:
        yield
    except (duckdb.InterruptException, RuntimeError) as error:
        if "interrupt" not in str(error).lower():
            raise
        raise KeyboardInterrupt from None


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
    if "invalid state" in first:
        return "its lines end in several ways (\\r\\n, \\n, \\r); save it with one of them"
    return first


_KIND = {"whole": "a whole number", "number": "a number", "time": "a time (ISO 8601)", "day": "a day (ISO 8601)"}
_REJECTED = {
    "CAST": "{name} is not {kind}",
    "MISSING COLUMNS": "rows have too few fields (there are {n} columns)",
    "TOO MANY COLUMNS": "rows have too many fields (there are {n} columns)",
    "UNQUOTED VALUE": "a quotation mark is opened and never closed",
    "LINE SIZE OVER MAXIMUM": "a line is longer than 2 MB (a quotation mark never closed?)",
    "INVALID ENCODING": "bytes that are not {encoding} text (try encoding='latin-1')",
}


def _explain(rejected, names, kinds, encoding, problems):
    """One entry per reason, and per column where that matters, for the lines that DuckDB could not read."""
    reasons = rejected["error_type"].astype(str)
    columns = rejected["column_name"].where(reasons == "CAST")
    for (reason, column), rows in rejected.groupby([reasons, columns], dropna=False, sort=False):
        name = names[int(column[1:])] if isinstance(column, str) else ""
        kind = _KIND[kinds[name]] if reason == "CAST" else ""
        said = _REJECTED.get(reason, reason.lower()).format(name=name, kind=kind, n=len(names), encoding=encoding)
        problems.add(said, rows[["line", "csv_line"]].drop_duplicates(ignore_index=True))


def _first_line(path, codec) -> str:
    """The header as text; refuses what is no delimited text at all."""
    if path.is_dir():
        raise ValueError(f"{path.name} is a folder, not a file")
    begin = _start(path, 4)
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
    line = line.rstrip("\r\n")
    _check_header(path.name, line, codec)
    return line


def _check_header(name, line, codec):
    if line.lstrip().lower().startswith(WEB_PAGE):
        raise ValueError(f"{name} is a web page, not data (a download that asked for a login?); get the file again")
    if not line.strip():
        raise ValueError(f"{name} begins with an empty line; its first line must name the columns or hold data")
    if "\0" in line:
        raise ValueError(f"{name} is no {codec.removesuffix('-sig')} text; is it encoding='utf-16', or packed twice?")
    if "\r" in line:
        raise ValueError(f"{name} ends its lines with \\r alone; save it with the line ends of Unix or Windows")


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
    """The first of `names` that is in `folder`, plain or with `.gz` added, in any case; None: optional and absent.

    Raises
    ------
    FileNotFoundError  that says which file to put where, and what the folder holds
    """
    folder = Path(folder)
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    files = {path.name.lower(): path for path in there if path.is_file()}
    for name in names:
        for spelt in (name.lower(), f"{name.lower()}.gz"):
            if spelt in files:
                return files[spelt]
    if optional:
        return None
    held = f"which holds {[path.name for path in there[:10]]}" if folder.is_dir() else "which does not exist"
    raise FileNotFoundError(f"put {' or '.join(names)} into {folder}, {held}")
