"""Canonical tables on disk as Parquet: text is read once, later loads take the copy.

A copy is a folder of four tables, the categories of their categorical columns and `meta.json`. Its name holds two
fingerprints: of the raw files and the reading code, and of the dataset and its options. A changed file, option or
loader therefore never meets an old copy. Copies are written into a temporary folder that is renamed when it is
complete, so two processes may write at once and a broken one leaves no half copy.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reco_utils.core import ITEM, USER, Defaults, Tables

log = logging.getLogger(__name__)
TABLES = ("events", "catalog", "profiles", "report")
IDS = {USER: "profiles", ITEM: "catalog"}  # whose rows are the categories of the ids in events
FORMAT = 1
HOUR_S = 3600


def fingerprint(*parts) -> str:
    """12 hexadecimal digits that differ when `parts` (anything that JSON can hold) differ."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def code_version(*modules: str) -> str:
    """A fingerprint of the `modules` of this folder and of pandas: an edited loader is not served its old copies."""
    here = [Path(__file__).with_name(f"{name}.py") for name in ("parquet", "schema", "text", *modules)]
    texts = [hashlib.sha256(path.read_bytes()).hexdigest() for path in here if path.exists()]
    return fingerprint(FORMAT, pd.__version__, texts)


def cached(where: Iterable[tuple[Path, str]], raw: str, key: str, make: Callable[[], Tables]) -> Tables:
    """The tables that `make` gives, from a Parquet copy if there is one; else a copy is written for next time.

    Parameters
    ----------
    where : pairs of folder and prefix
        Places for the copy, the best first: the copy is `folder / f"{prefix}{raw}-{key}"`. One that cannot be written
        is passed over, and when none can be written the tables are made each time.
    raw, key : str
        Fingerprints of the source and of what was asked of it. Copies with the same prefix and another `raw` are stale
        and removed.
    """
    where = list(where)
    for folder, prefix in where:
        copy = folder / f"{prefix}{raw}-{key}"
        if copy.is_dir():
            try:
                return read_tables(copy)
            except Exception as error:  # whatever is wrong with a copy, the raw files are still there
                log.warning("%s cannot be read (%s); reading the raw files again", copy.name, error)
                shutil.rmtree(copy, ignore_errors=True)
    tables = make()
    for folder, prefix in where:
        try:
            _write_whole(tables, folder, f"{prefix}{raw}-{key}")
        except OSError as error:
            log.info("no Parquet copy in %s: %s", folder.name, error)
            continue
        _remove_stale(folder, prefix, raw)
        break
    return tables


def writable(folder: Path) -> bool:
    """May files be made in `folder`? A folder without any write permission counts as read-only, even for root."""
    there = next((p for p in (folder, *folder.parents) if p.exists()), None)
    return there is not None and there.is_dir() and bool(there.stat().st_mode & 0o222) and os.access(there, os.W_OK)


def _write_whole(tables, folder, name):
    if not writable(folder):
        raise OSError("the folder is read-only")
    folder.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=".half-", dir=folder))
    try:
        write_tables(tables, half)
        half.chmod(0o755)
        with contextlib.suppress(FileExistsError, OSError):  # another process was faster, its copy is as good
            os.replace(half, folder / name)
    finally:  # also after Ctrl-C
        shutil.rmtree(half, ignore_errors=True)


def _remove_stale(folder, prefix, raw):
    """Delete copies of files that have changed since, and what broken processes left an hour ago."""
    pattern = re.compile(re.escape(prefix) + r"([0-9a-f]{12})-[0-9a-f]{12}")
    for path in folder.iterdir():
        match = pattern.fullmatch(path.name)
        with contextlib.suppress(OSError):
            left = path.name.startswith(".half-") and time.time() - path.stat().st_mtime > HOUR_S
            if left or (match and match[1] != raw):
                shutil.rmtree(path, ignore_errors=True)


def write_tables(tables: Tables, folder: Path) -> None:
    """Write `tables` (but not the planted tastes) into the existing, empty `folder`."""
    columns, words = {}, []
    for name in TABLES:
        frame = getattr(tables, name)
        columns[name] = {c: str(dtype) for c, dtype in frame.dtypes.items()}
        ids = {c: _ids(tables, c) for c in frame if name == "events"}
        arrays = {c: _to_arrow(f"{name}.{c}", frame[c], ids.get(c), words) for c in frame}
        pq.write_table(pa.table(arrays), folder / f"{name}.parquet")
    pq.write_table(
        pa.table(words or {"column": [], "word": []}) if not words else _stack(words), folder / "words.parquet"
    )
    meta = {"format": FORMAT, "name": tables.name, "columns": columns, "defaults": asdict(tables.defaults)}
    (folder / "meta.json").write_text(json.dumps(meta, indent=1))


def _ids(tables, column) -> pd.Index | None:
    """The ids that are the categories of an id column of events, as a list that need not be stored again."""
    return pd.Index(getattr(tables, IDS[column])[column].to_numpy()) if column in IDS else None


def _to_arrow(name, column, ids, words):
    """One column as Arrow; a categorical one as codes, its categories going to `words` unless they are `ids`."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        if ids is None or not ids.equals(column.cat.categories):
            words.append((name, column.cat.categories))
        return pa.array(column.cat.codes.to_numpy())
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        return pa.array(column.to_numpy())  # NaN stays NaN: no bitmap to write or read
    return pa.array(column, from_pandas=True)


def _stack(words) -> pa.Table:
    columns = np.repeat([name for name, _ in words], [len(categories) for _, categories in words]).astype(str)
    texts = [str(word) for _, categories in words for word in categories]
    return pa.table({"column": pa.array(columns, pa.string()), "word": pa.array(texts, pa.string())})


def read_tables(folder: Path) -> Tables:
    """What `write_tables` wrote, with equal values, types and categories.

    Raises
    ------
    Any error of Parquet, JSON or the file system  when the copy is incomplete or damaged
    """
    meta = json.loads((folder / "meta.json").read_text())
    if meta["format"] != FORMAT:
        raise ValueError(f"the copy's format must be {FORMAT}, got {meta['format']}")
    stacked = pq.read_table(folder / "words.parquet").to_pandas()
    words = {name: part.to_numpy() for name, part in stacked.groupby("column", sort=False)["word"]}
    frames = {}
    for name in reversed(TABLES):  # events last: the categories of its ids are rows of the others
        types = meta["columns"][name]
        arrow = pq.read_table(folder / f"{name}.parquet")
        categories = {c: words.get(f"{name}.{c}", ()) for c, dtype in types.items() if dtype == "category"}
        for c in IDS if name == "events" else ():
            if f"events.{c}" not in words:
                categories[c] = frames[IDS[c]][c].to_numpy()
        frames[name] = _from_arrow(arrow, types, categories)
    defaults = Defaults(**meta["defaults"] | {"target": tuple(meta["defaults"]["target"])})
    return Tables(meta["name"], frames["events"], frames["catalog"], frames["profiles"], defaults, frames["report"])


def _from_arrow(arrow, types, categories):
    frame = arrow.to_pandas()
    columns = {}
    for name, dtype in types.items():
        column = frame[name]
        if name in categories:
            index = pd.Index(categories[name]) if len(categories[name]) else pd.Index([], dtype="str")
            column = pd.Series(pd.Categorical.from_codes(column.to_numpy(), categories=index))
        elif str(column.dtype) != dtype:
            column = column.astype(dtype)
        columns[name] = column
    return pd.DataFrame(columns)
