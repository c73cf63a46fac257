"""Objects as files that hold data and no code: one JSON file of structure, arrays as .npy, tables as .parquet.

    files = write(model, folder)      # {name: sha256}
    model = read(folder, files)       # nothing is run that is not ours, nothing is read that was altered

A pickle is a program: whoever can write it decides what the server runs. Here the JSON names classes and functions, and
only those of `reco_utils.core`, `models`, `rerank` and `data` are looked up; attributes are set as they were, and no
constructor is called. What is shared between objects stays shared. A file is named after its content: equal arrays are
stored once, and a folder can be rewritten without touching what has not changed. Tables are not compressed, so that a
search through the bytes finds an id if it is there.

What this does not stop: somebody who may write the store and its checksums can put other numbers into it, and other
classes and functions of those four rooms. Give that right to nobody but the training.
"""

import functools
import hashlib
import importlib
import io
import json
import math
import os
import re
import secrets
import typing
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType, NoneType

import numpy as np
import pandas as pd
from scipy.sparse import csc_matrix, csr_matrix

FORMAT = 1
OURS = re.compile(r"reco_utils\.(core|(models|rerank|data)\.[a-z_]+)")  # modules whose names are looked up
FILE = re.compile(r"[0-9a-f]{32}\.(json|npy|parquet)")
PLAIN = {NoneType, bool, int, str}  # JSON has them as they are
SEQUENCES = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
SPARSE = {"csr": csr_matrix, "csc": csc_matrix}
RECORDS = {"dict", "texts", "array", "frame", "series", "index", "time", "function", "partial", "row", "instance"}
NUMBERS = "biufcmMU"  # kinds of arrays that are bytes and nothing else


class ArtifactError(ValueError):
    """A store that cannot be read: something is missing, altered, of a newer format, or would not be safe to load."""


def write(obj: object, folder: Path | str) -> dict[str, str]:
    """Write an object and all it refers to into a folder; files that are there already are kept.

    Parameters
    ----------
    obj : object
        None, numbers, text, tuples, lists, dicts, sets, numpy arrays and scalars (arrays of objects only if they hold
        text), sparse matrices, pandas frames, series, indexes and timestamps; instances of classes, named tuples and
        functions of core, models, rerank and data, and `functools.partial` of such functions.
    folder : path
        Is made if it is missing.

    Returns
    -------
    dict of file name to sha256, as `read` wants it

    Raises
    ------
    TypeError  for anything else; says where it is, e.g. "model.bands_[1].model.x"
    OSError  when the disk is full, say
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    writer = _Writer(folder)
    root = writer.node(obj, "")
    text = json.dumps(
        {"format": FORMAT, "objects": writer.objects, "root": root},
        ensure_ascii=False, allow_nan=False, separators=(",", ":"),
    )  # fmt: skip
    writer.store("json", lambda file: file.write(text.encode("utf-8", "surrogatepass")))
    sync_folder(folder)
    return writer.files


def read(folder: Path | str, files: Mapping[str, str]) -> object:
    """The object that `write` wrote, after every file was compared with its sha256.

    Arrays are mapped, so that they are read when they are needed and shared between processes; what is written to them
    stays in memory. The files must not be cut short while they are mapped.

    Parameters
    ----------
    files : mapping of name to sha256, as `write` returned it

    Raises
    ------
    ArtifactError  for a missing, altered or foreign file, a newer format, or a name that is not ours
    """
    folder = Path(folder)
    structure = _check_names(folder, files)
    with ThreadPoolExecutor(2) as pool:  # hashing releases the interpreter lock
        list(pool.map(lambda name: _check_file(folder, name, files[name]), files))
    where = _shown(folder, structure)
    try:
        stored = json.loads((folder / structure).read_bytes().decode("utf-8", "surrogatepass"))
        version = stored["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArtifactError(f"{where}: no structure of an artifact ({error})") from None
    if version != FORMAT:
        raise other_format(where, version)
    return _Reader(folder, set(files)).read(stored, where)


def other_format(what: str, found) -> ArtifactError:
    """That a file is not in our format, and what to do."""
    newer = isinstance(found, int) and found > FORMAT
    todo = "update this code (git pull, make install), or name another folder with --home" if newer else "train anew"
    return ArtifactError(f"{what} has format {found!r}, this code reads {FORMAT}: {todo}")


# ---------------------------------------------------------------------------------------------------------------- files
@contextmanager
def replacing(path: Path):
    """A new file that takes the place of `path` in one step, safe on disk, when the block ends without an error."""
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def put(path: Path, content: bytes) -> None:
    """The content of a file from now on: on the disk when this returns, or not at all."""
    with replacing(path) as file:
        file.write(content)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that names made, changed or removed in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Stream:
    """Something that can be written to and is no file: numpy would pass by Python, and lose the reason of a failure."""

    def __init__(self, write: Callable):
        self.write = write


def _check_names(folder, files) -> str:
    """The name of the one structure file, after all names were checked: none leads out of the folder."""
    for name in files:
        if not isinstance(name, str) or not FILE.fullmatch(name):
            raise ArtifactError(f"{folder.name}: {name!r} is no file name of an artifact, 32 hex digits and an ending")
    structure = [name for name in files if name.endswith(".json")]
    if len(structure) != 1:
        raise ArtifactError(f"{folder.name}: there must be 1 structure file (.json), got {len(structure)}")
    return structure[0]


def _check_file(folder, name, sha256):
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise ArtifactError(f"{_shown(folder, name)} is missing")
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        size = path.stat().st_size
        raise ArtifactError(
            f"{_shown(folder, name)}: sha256 of its {size:,} bytes is {found[:12]}..., expected {str(sha256)[:12]}...; "
            "it was cut short or altered"
        )


def _shown(folder, name) -> str:
    return f"{folder.name}/{name}"


# ------------------------------------------------------------------------------------------------------- what is ours
def _name_of(thing) -> str | None:
    """ "module:name" of a class or function of ours that this name leads back to, else None."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not (isinstance(module, str) and OURS.fullmatch(module) and isinstance(name, str) and name.isidentifier()):
        return None
    return f"{module}:{name}" if getattr(importlib.import_module(module), name, None) is thing else None


def _named(text, kind):
    """The class or function of ours with this name, defined where the name says."""
    module, _, name = str(text).partition(":")
    if not OURS.fullmatch(module) or not name.isidentifier():
        raise ArtifactError(f"{text!r} is not in reco_utils.core, models, rerank or data, so it is not loaded")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError:
        found = None
    if not isinstance(found, kind) or found.__module__ != module:
        raise ArtifactError(f"this version of the package has no {text!r}; it cannot be loaded")
    return found


def _is_simple(cls) -> bool:
    """Are all instances nothing but their attributes, and all their bases ours?"""
    bases = [base for base in cls.__mro__ if base not in (object, typing.Protocol, typing.Generic)]
    return all(_name_of(base) for base in bases) and not any(vars(base).get("__slots__") for base in bases)


# --------------------------------------------------------------------------------------------------------------- write
class _Writer:
    """Turns objects into records; each is a dict of one kind, and refers only to records before it."""

    def __init__(self, folder: Path):
        self.folder, self.files, self.objects = folder, {}, []
        self.known, self.open = {}, set()  # id -> (number, object kept alive); what is being written

    def node(self, value, path: str):
        """The value as JSON: itself, or a reference to its record."""
        if _is_atom(value):
            return _atom(value, path)
        if id(value) not in self.known:
            if id(value) in self.open:
                raise TypeError(f"{path} refers to itself, which cannot be stored")
            self.open.add(id(value))
            record = self.record(value, path)
            self.open.remove(id(value))
            self.known[id(value)] = len(self.objects), value
            self.objects.append(record)
        return {"see": self.known[id(value)][0]}

    def nodes(self, values, path: str) -> list:
        """Several values; their places are added to the path."""
        if all(type(value) in PLAIN for value in values):
            return list(values)
        return [self.node(value, f"{path}[{n}]") for n, value in enumerate(values)]

    def record(self, value, path: str) -> dict:
        """The record of anything but plain numbers and text."""
        for kind, known in SEQUENCES.items():
            if type(value) is known:
                values = self.nodes(value, path)
                return {kind: sorted(values, key=json.dumps) if isinstance(value, (set, frozenset)) else values}
        if type(value) is dict:
            inside = [self.node(v, _at(path, key)) for key, v in value.items()]
            return {"dict": [self.nodes(value.keys(), f"{path}.keys()"), inside]}
        if type(value) in (np.ndarray, np.memmap):
            return self.array(value, path)
        for kind, known in SPARSE.items():
            if type(value) is known:
                return self.sparse(kind, value, path)
        if type(value) is pd.DataFrame:
            return {"frame": self.frame(value, path)}
        if type(value) is pd.Series:
            frame = self.frame(pd.DataFrame({"values": value}), path)
            return {"series": frame | {"name": self.node(value.name, f"{path}.name")}}
        if isinstance(value, pd.Index):
            return {"index": self.index(value, path)}
        if isinstance(value, pd.Timestamp) or value is pd.NaT:
            return {"time": _time(value)}
        return self.ours(value, path)

    def ours(self, value, path: str) -> dict:
        """Functions, named tuples and instances of the package."""
        if isinstance(value, FunctionType) and _name_of(value):
            return {"function": _name_of(value)}
        if type(value) is functools.partial and _name_of(value.func) and isinstance(value.func, FunctionType):
            parts = value.func, value.args, value.keywords
            return {"partial": self.nodes(parts, path)}
        name = _name_of(type(value))
        if name and isinstance(value, tuple) and type(value).__bases__ == (tuple,) and hasattr(value, "_fields"):
            return {"row": [name, [self.node(v, f"{path}.{field}") for field, v in zip(value._fields, value)]]}
        if name and hasattr(value, "__dict__") and _is_simple(type(value)):
            state = {key: self.node(v, _at(path, key, ".")) for key, v in vars(value).items()}
            return {"instance": [name, state]}
        what = getattr(value, "__qualname__", None) or type(value).__qualname__
        raise TypeError(
            f"{path or 'the object'} cannot be stored: {what} of {type(value).__module__} is no data, and no class or "
            "function by name of reco_utils.core, models, rerank or data"
        )

    def array(self, value, path: str) -> dict:
        """An array in a file of its own; one of objects must hold text and goes into the structure."""
        writeable = bool(value.flags.writeable)
        if value.dtype == object:
            texts = value.ravel().tolist()
            if not all(type(text) in (str, NoneType) for text in texts):
                raise TypeError(f"{path or 'the array'} cannot be stored: an array of objects that are not all text")
            return {"texts": [texts, list(value.shape), writeable]}
        if value.dtype.kind not in NUMBERS:
            raise TypeError(f"{path or 'the array'} cannot be stored: arrays of {value.dtype} are not known here")
        value = np.asarray(value)
        name = self.store("npy", lambda file: np.lib.format.write_array(file, value, allow_pickle=False))
        return {"array": [name, writeable]}

    def sparse(self, kind, value, path: str) -> dict:
        """A sparse matrix by its three arrays."""
        parts = [self.node(getattr(value, name), f"{path}.{name}") for name in ("data", "indices", "indptr")]
        marks = [bool(value.has_sorted_indices), bool(value.has_canonical_format)]
        return {kind: [parts, [int(n) for n in value.shape], marks]}

    def frame(self, value, path: str) -> dict:
        """A table: numbers, times and text in a Parquet file, categories as codes, columns of objects in the JSON."""
        if not all(type(name) is str for name in value.columns) or not value.columns.is_unique:
            raise TypeError(f"{path or 'the frame'} cannot be stored: its columns must be different texts")
        cells, categories, table = {}, {}, {}
        for name in value.columns:
            column, here = value[name], f"{path}[{name!r}]"
            if isinstance(column.dtype, pd.CategoricalDtype):
                codes, kinds = column.cat.codes.to_numpy(), column.cat.categories
                categories[name] = [self.node(codes, here), self.node(kinds, here), bool(column.cat.ordered)]
            elif column.dtype == object:
                cells[name] = self.cells(column.tolist(), here)
            else:
                table[name] = column.reset_index(drop=True)
        content = _parquet(pd.DataFrame(table)) if table else None
        stored = None if content is None else self.store("parquet", lambda file: file.write(content))
        return {
            "columns": list(value.columns), "dtypes": {name: str(column.dtype) for name, column in table.items()},
            "table": stored, "categories": categories, "cells": cells, "index": self.node(value.index, f"{path}.index"),
            "attrs": self.node(dict(value.attrs), f"{path}.attrs"),
        }  # fmt: skip

    def cells(self, cells, path: str):
        """A column of objects: lists of numbers one after the other in an array, anything else cell by cell."""
        for kind in (list, tuple):
            if all(type(cell) in (kind, NoneType) for cell in cells):
                flat = [inside for cell in cells if cell is not None for inside in cell]
                for number in (float, int):
                    if flat and all(type(inside) is number for inside in flat):
                        lengths = np.array([-1 if cell is None else len(cell) for cell in cells])
                        return {kind.__name__: [self.node(lengths, path), self.node(np.array(flat), path)]}
        return [_cell(cell, path) for cell in cells]

    def index(self, value, path: str) -> dict:
        """Labels: a range, numbers and times as an array, text in the JSON."""
        named = {"name": self.node(value.name, f"{path}.name")}
        if isinstance(value, pd.RangeIndex):
            return named | {"range": [value.start, value.stop, value.step]}
        if isinstance(value.dtype, np.dtype) and value.dtype != object:
            return named | {"values": self.node(value.to_numpy(), path)}
        if isinstance(value, pd.MultiIndex) or not pd.api.types.is_string_dtype(value.dtype) and value.dtype != object:
            raise TypeError(f"{path or 'the index'} cannot be stored: an index of {value.dtype} is not known here")
        return named | {"cells": [_cell(cell, path) for cell in value], "dtype": str(value.dtype)}

    def store(self, ending: str, put: Callable) -> str:
        """Write a file named after its content, unless there is one; its name."""
        digest = hashlib.sha256()
        put(_Stream(digest.update))
        sha256 = digest.hexdigest()
        name = f"{sha256[:32]}.{ending}"
        if name not in self.files and not (self.folder / name).exists():
            with replacing(self.folder / name) as file:
                put(_Stream(file.write))
                readable = os.stat(file.name).st_mode & 0o444
                os.chmod(file.name, readable)  # nobody shall cut short what others have mapped
        self.files[name] = sha256
        return name


def _at(path, key, before="") -> str:
    """The path of what an object holds under a key; on top the key alone."""
    if before or (not path and isinstance(key, str)):
        return f"{path}{before}{key}" if path else str(key)
    return f"{path}[{key!r}]"


def _is_atom(value) -> bool:
    return type(value) in PLAIN or type(value) is float or isinstance(value, np.generic)


def _atom(value, path):
    """A number or text as JSON: itself, or tagged where JSON does not have it."""
    if type(value) in PLAIN:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": str(value)}
    kind = value.dtype.kind
    if kind in "mM":
        return {"scalar": [value.dtype.str, int(value.view(np.int64))]}
    if kind == "f" and value.dtype.itemsize <= 8:
        return {"scalar": [value.dtype.str, str(float(value))]}
    if kind in "biuU":
        return {"scalar": [value.dtype.str, value.item()]}
    raise TypeError(f"{path or 'the number'} cannot be stored: numbers of type {value.dtype} are not known here")


def _cell(value, path):
    """A cell of a column of objects as JSON: a list is a list, everything that JSON does not have is tagged."""
    if _is_atom(value):
        return _atom(value, path)
    if type(value) in (list, tuple):
        cells = [_cell(inside, path) for inside in value]
        return cells if type(value) is list else {"tuple": cells}
    if isinstance(value, pd.Timestamp) or value is pd.NaT:
        return {"time": _time(value)}
    if value is pd.NA:
        return {"na": None}
    raise TypeError(f"{path} cannot be stored: a cell holds a {type(value).__qualname__}")


def _time(value):
    if value is pd.NaT:
        return None
    return [int(value.asm8.view(np.int64)), value.unit, None if value.tz is None else str(value.tz)]


def _parquet(frame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file, index=False, compression=None)
    return file.getvalue()


# ---------------------------------------------------------------------------------------------------------------- read
class _Reader:
    """Turns records back into objects, one after the other."""

    def __init__(self, folder: Path, files: set[str]):
        self.folder, self.files, self.objects = folder, files, []

    def read(self, stored, where: str):
        """The root of a structure; whatever is wrong with it is said by an ArtifactError."""
        try:
            for record in stored["objects"]:
                ((kind, content),) = record.items()
                self.objects.append(self.record(kind, content))
            return self.value(stored["root"])
        except ArtifactError as error:
            raise ArtifactError(f"{where}, object {len(self.objects)}: {error}") from None
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, OSError) as error:
            name = type(error).__name__
            raise ArtifactError(f"{where}, object {len(self.objects)} cannot be read: {name}: {error}") from None

    def record(self, kind: str, content):
        """The object that a record stands for."""
        if kind in SEQUENCES:
            return SEQUENCES[kind](self.values(content))
        if kind in SPARSE:
            return self.sparse(SPARSE[kind], *content)
        if kind not in RECORDS:
            raise ArtifactError(f"{kind!r} is no kind of object")
        return getattr(self, f"_{kind}")(content)

    def value(self, node):
        """What a node stands for."""
        if type(node) is not dict:
            return node
        ((kind, content),) = node.items()
        if kind == "see":
            if not 0 <= content < len(self.objects):
                raise ValueError(f"it refers to object {content}")
            return self.objects[content]
        return ATOMS[kind](content)

    def values(self, nodes) -> list:
        """What several nodes stand for."""
        return [self.value(node) for node in nodes]

    def _dict(self, content):
        return dict(zip(*map(self.values, content), strict=True))

    def _texts(self, content):
        texts, shape, writeable = content
        array = np.empty(len(texts), object)
        array[:] = texts
        array = array.reshape(shape)
        array.flags.writeable = writeable
        return array

    def _array(self, content):
        name, writeable = content
        try:
            array = np.load(self.path(name), mmap_mode="c" if writeable else "r", allow_pickle=False)
        except ValueError as error:
            raise ArtifactError(f"{name} holds no plain array: {error}") from None
        if not isinstance(array, np.ndarray):
            raise ArtifactError(f"{name} holds no array but {type(array).__name__}")
        array = np.asarray(array)  # no memmap: what is computed from it is an array like any other
        array.flags.writeable = writeable
        return array

    def sparse(self, kind, parts, shape, marks):
        """A sparse matrix of the very arrays that were stored, after a check that they are one."""
        data, indices, indptr = self.values(parts)
        matrix = kind(tuple(shape), dtype=data.dtype)
        rows, columns = shape if kind is csr_matrix else shape[::-1]
        fits = indptr.shape == (rows + 1,) and indptr[0] == 0 and indptr[-1] == len(indices) == len(data)
        if not fits or (np.diff(indptr) < 0).any():
            raise ValueError("the arrays of a sparse matrix do not fit together")
        if len(indices) and not 0 <= indices.min() <= indices.max() < columns:
            raise ValueError(f"a sparse matrix of {columns} columns has others")
        matrix.data, matrix.indices, matrix.indptr = data, indices, indptr
        matrix.has_canonical_format, matrix.has_sorted_indices = marks[1], marks[0]
        return matrix

    def _frame(self, content):
        columns = {}
        if content["table"] is not None:
            table = pd.read_parquet(self.path(content["table"]))
            for name, dtype in content["dtypes"].items():
                same = str(table[name].dtype) == dtype or dtype == "str"  # which pandas 2 reads as objects
                columns[name] = table[name] if same else table[name].astype(dtype)
        for name, (codes, kinds, ordered) in content["categories"].items():
            dtype = pd.CategoricalDtype(self.value(kinds), ordered)
            columns[name] = pd.Series(pd.Categorical.from_codes(self.value(codes), dtype=dtype))
        for name, cells in content["cells"].items():
            columns[name] = pd.Series(self.cells(cells), dtype=object)
        index = self.value(content["index"])
        frame = pd.DataFrame({name: columns[name] for name in content["columns"]}, index=range(len(index)))
        frame = frame.set_axis(index, axis=0)
        frame.attrs.update(self.value(content["attrs"]))
        return frame

    def cells(self, cells) -> list:
        """The cells of a column of objects."""
        if type(cells) is list:
            return _read_cells(cells)
        ((kind, content),) = cells.items()
        lengths, flat = self.values(content)
        ends, flat = np.cumsum(np.maximum(lengths, 0)).tolist(), flat.tolist()
        parts = (flat[end - n : end] if n >= 0 else None for end, n in zip(ends, lengths.tolist()))
        return [None if part is None else SEQUENCES[kind](part) for part in parts]

    def _series(self, content):
        return self._frame(content)["values"].rename(self.value(content["name"]))

    def _index(self, content):
        name = self.value(content["name"])
        if "range" in content:
            return pd.RangeIndex(*content["range"], name=name)
        if "values" in content:
            return pd.Index(self.value(content["values"]), name=name)
        return pd.Index(_read_cells(content["cells"]), dtype=content["dtype"], name=name)

    def _time(self, content):
        return _read_time(content)

    def _function(self, text):
        return _named(text, FunctionType)

    def _partial(self, nodes):
        function, args, keywords = self.values(nodes)
        if not isinstance(function, FunctionType):
            raise ArtifactError(f"a partial must be of a function, got {type(function).__name__}")
        return functools.partial(function, *args, **keywords)

    def _row(self, content):
        cls = _named(content[0], type)
        if cls.__bases__ != (tuple,) or len(cls._fields) != len(content[1]):
            raise ArtifactError(f"{content[0]!r} is no named tuple of {len(content[1])}")
        return tuple.__new__(cls, self.values(content[1]))

    def _instance(self, content):
        cls = _named(content[0], type)
        if not _is_simple(cls):
            raise ArtifactError(f"{content[0]!r} is more than its attributes, so it is not loaded")
        instance = object.__new__(cls)
        vars(instance).update({name: self.value(node) for name, node in content[1].items()})
        return instance

    def path(self, name) -> Path:
        """Where a file is that was checked."""
        if name not in self.files:
            raise ArtifactError(f"file {name!r} is not one of the artifact's")
        return self.folder / name


def _read_scalar(content):
    dtype, value = np.dtype(content[0]), content[1]
    if dtype.kind in "mM":
        return np.int64(value).view(dtype)
    return dtype.type(value)


ATOMS = {"float": float, "scalar": _read_scalar}


def _read_cells(cells) -> list:
    """The cells of a column of objects."""
    return [cell if type(cell) in PLAIN else _read_cell(cell) for cell in cells]


def _read_cell(cell):
    if type(cell) is list:
        return _read_cells(cell)
    if type(cell) is not dict:
        return cell
    ((kind, content),) = cell.items()
    return CELLS[kind](content)


def _read_time(content):
    if content is None:
        return pd.NaT
    value, unit, zone = content
    time = pd.Timestamp(np.datetime64(value, unit))
    return time if zone is None else time.tz_localize("UTC").tz_convert(zone)


CELLS = {**ATOMS, "tuple": lambda cells: tuple(_read_cells(cells)), "time": _read_time, "na": lambda _: pd.NA}
