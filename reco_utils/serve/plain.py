"""Objects as files that hold data and no code: one JSON file of structure, arrays as .npy, tables as .parquet.

    files = write(model, folder)      # {name: sha256}
    model = read(folder, files)       # nothing is run that is not ours, nothing is read that was altered

A pickle is a program: whoever can write it decides what the server runs. Here the JSON names classes and functions, and
only those of `reco_utils.core`, `models`, `rerank` and `data` are looked up; their attributes are set as they were, no
constructor is called. What is shared between objects stays shared. A file is named after its content, so equal arrays
are stored once, and a folder can be rewritten without touching what has not changed.
"""

from collections.abc import Mapping
from pathlib import Path

FORMAT = 1


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
    raise NotImplementedError


def read(folder: Path | str, files: Mapping[str, str], *, mmap: bool = True) -> object:
    """The object that `write` wrote, after every file was compared with its sha256.

    Parameters
    ----------
    files : mapping of name to sha256, as `write` returned it
    mmap : bool
        True: arrays are mapped, so that they are read when they are needed and shared between processes; what is
        written to them stays in memory. The files must not be cut short while they are mapped.

    Raises
    ------
    ArtifactError  for a missing, altered or foreign file, a newer format, or a name that is not ours
    """
    raise NotImplementedError
