"""load_dataset(name) and list_datasets(): the one place that knows every dataset's name, home and publisher.

    load_dataset("shop")                      built in, needs no file
    load_dataset("movielens-1m")              looks in <home>/movielens-1m/, downloads what may be downloaded
    load_dataset("amazon-2018-gift-cards")    any category: amazon-<2014|2018|2023>-<category>
    load_dataset("my-shop")                   <home>/my-shop/events.csv and so on: your own files

Homes are searched in this order: the argument `home`, or else the folder that RECO_DATA_HOME names, then `data/`.
Inside <home>/<name>/ the publisher's own file names are expected, in the folder itself, in one folder inside it, or
in the publisher's zip, which is read as it is.
"""

import contextlib
import difflib
import importlib
import inspect
import json
import logging
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from reco_utils.core import Tables
from reco_utils.data import amazon, fetch, movielens, parquet

log = logging.getLogger(__name__)
SIZES = ("small", "medium", "large")
SMALL_USERS = 600  # users of a real dataset at size="small"
OFFLINE = "The built-in shop needs no data: load_dataset('shop')."


@dataclass(frozen=True)
class Entry:
    """One dataset of the registry.

    Parameters
    ----------
    module : str
        The file of this folder with `load(name, folder, **options)`.
    needs : tuple of tuples of str
        For each needed file the names it may have: shell patterns; case and an ending .gz are ignored.
    optional : tuple of str
        Further names that are read when they are there.
    sources : tuple of Source
        What may be downloaded; empty when the publisher asks for an account.
    page : str
        Where a person finds the data.
    """

    name: str
    what: str
    licence: str
    size: str
    module: str
    needs: tuple[tuple[str, ...], ...] = ()
    optional: tuple[str, ...] = ()
    sources: tuple[fetch.Source, ...] = ()
    page: str = ""

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every file name worth taking out of a zip."""
        return tuple(name for names in self.needs for name in names) + self.optional

    def missing(self, there) -> list[str]:
        """The first name of each needed file that is not among the file names `there`."""
        there = list(there)
        return [names[0] for names in self.needs if not any(fetch.is_named(name, names) for name in there)]


_KAGGLE = "https://www.kaggle.com/"
_ENTRIES = (
    Entry("shop", "the built-in synthetic shop with known tastes", "MIT, like this project", "none", "shop"),
    *(
        Entry(
            name, what, movielens.LICENCE, size, "movielens", tuple((file,) for file in movielens.FILES[name]),
            movielens.OPTIONAL, movielens.sources(name), movielens.PAGE,
        )
        for name, (what, size, *_) in movielens.SETS.items()
    ),
    Entry(
        "hm", "H&M purchases, 31.8 million by 1.37 million customers; articles with text",
        "Kaggle competition rules, not to be passed on", "3.5 GB", "hm",
        (("articles.csv",), ("customers.csv",), ("transactions_train.csv",)),
        page=_KAGGLE + "competitions/h-and-m-personalized-fashion-recommendations/data",
    ),
    Entry(
        "retailrocket", "shop events, 2.76 million views, carts and purchases by 1.41 million visitors",
        "CC BY-NC-SA 4.0", "1 GB, of which events.csv 94 MB", "retailrocket", (("events.csv",),),
        ("item_properties*.csv", "category_tree.csv"), page=_KAGGLE + "datasets/retailrocket/ecommerce-dataset",
    ),
    Entry(
        "online-retail", "invoices of a British gift wholesaler, 1,067,371 lines of 2009 to 2011",
        "CC BY 4.0, Daqing Chen, UCI", "45 MB", "online_retail",
        (("online_retail_II.xlsx", "online_retail_II*.csv", "Online Retail.xlsx", "OnlineRetail.csv"),),
        sources=(
            fetch.Source(
                "online+retail+ii.zip", ("https://archive.ics.uci.edu/static/public/502/online+retail+ii.zip",),
                members=("online_retail_II.xlsx",),
            ),
        ),
        page="https://archive.ics.uci.edu/dataset/502/online+retail+ii",
    ),
)  # fmt: skip
ENTRIES = {entry.name: entry for entry in _ENTRIES}
_OWN = ("events.csv", "events.csv.gz", "events.parquet")  # a folder of any other name that holds one of these is yours


def _amazon(name) -> Entry | None:
    """The entry of an Amazon category; without sources when the category is not one we know the spelling of."""
    try:
        year, slug = amazon.parse(name)
    except ValueError:
        return None
    *reviews, meta = amazon.files(name)
    what = f"Amazon reviews of {year}, {slug.replace('-', ' ')}, with product metadata"
    return Entry(
        name, what, amazon.LICENCES[year], "varies", "amazon", (tuple(reviews),), (meta,), amazon.sources(name),
        amazon.PAGES[year],
    )  # fmt: skip


def names() -> list[str]:
    """Every name that can be asked for, with each known Amazon category."""
    return [*ENTRIES, *amazon.names()]


def _entry(name, home=None) -> Entry:
    """The entry called `name`; an unknown category, or a folder of your own, counts when it is there."""
    if not isinstance(name, str):
        raise TypeError(f"name must be text, got {name!r}")
    if name in ENTRIES:
        return ENTRIES[name]
    there = re.fullmatch(r"\w[\w.-]*", name) and any((h / name).is_dir() for h in _homes(home))
    entry = _amazon(name)
    if entry and (entry.sources or there):
        return entry
    own = Entry(name, "your own files", "yours", "varies", "files", (_OWN,))
    if there and _find(own, home):
        return own
    near = difflib.get_close_matches(name.lower(), names(), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"unknown dataset {name!r}{hint}\nnames are {', '.join(ENTRIES)}, amazon-<2014|2018|2023>-<category>"
    )


# ------------------------------------------------------------------------------------------------------ where data is
def local_home() -> Path:
    """`data/` of the checkout this package runs from, else of the current folder."""
    root = Path(__file__).resolve().parents[2]
    return (root if (root / "pyproject.toml").exists() else Path.cwd()) / "data"


def _homes(home) -> list[Path]:
    if home is not None:
        return [Path(home).expanduser()]
    named = os.environ.get("RECO_DATA_HOME")
    return [*([Path(named).expanduser()] if named else []), local_home()]


def _show(path: Path) -> str:
    """A path as a person reads it: relative to the current folder or RECO_DATA_HOME where it is inside."""
    for root, prefix in ((Path.cwd(), ""), (os.environ.get("RECO_DATA_HOME"), "$RECO_DATA_HOME/")):
        if root and path.resolve().is_relative_to(Path(root).resolve()):
            return prefix + str(path.resolve().relative_to(Path(root).resolve())) + "/"
    return f"{path}/"


def find(name: str, *, home: Path | str | None = None) -> Path | None:
    """The folder or zip that holds the files of dataset `name`, or None; nothing is downloaded."""
    return _find(_entry(name, home), home)


def _find(entry, home) -> Path | None:
    for base in (h / entry.name for h in _homes(home)):
        if not base.is_dir():
            continue
        inside = sorted(p for p in base.iterdir() if not p.name.startswith("."))
        publishers = [p for p in inside if p.is_dir() and entry.module != "files"]
        for folder in (base, *publishers):
            if _complete(entry, folder):
                return folder
        for archive in (p for p in inside if p.suffix == ".zip"):
            if not entry.missing(fetch.members(archive, entry.wanted)):
                return archive
    return None


def _complete(entry, folder) -> bool:
    if entry.module == "amazon":
        return bool({"reviews", "reviews_5"} & set(amazon.find(entry.name, folder)))
    return not entry.missing(p.name for p in folder.iterdir() if p.is_file())


def list_datasets(home: Path | str | None = None) -> pd.DataFrame:
    """Every dataset: name, what, licence, size, on_disk; Amazon categories and your own when they are on disk.

    Returns
    -------
    DataFrame; `on_disk` is "yes" or "no" (the shop is built in and always there)
    """
    folders = {p.name for h in _homes(home) if h.is_dir() for p in h.iterdir() if p.is_dir()}
    rows = []
    for entry in [*ENTRIES.values(), *_known(sorted(folders - set(ENTRIES)), home)]:
        rows.append((entry.name, entry.what, entry.licence, entry.size, "yes" if _there(entry, home) else "no"))
    for year, categories in amazon.CATEGORIES.items():
        what = f"Amazon reviews of {year}, {len(categories)} categories, e.g. {amazon.slug(categories[-1])}"
        rows.append((f"amazon-{year}-<category>", what, amazon.LICENCES[year], "varies", "no"))
    return pd.DataFrame(rows, columns=["name", "what", "licence", "size", "on_disk"])


def _known(folders, home) -> list[Entry]:
    """The entries of those `folders` that are a dataset: Amazon categories and your own."""
    found = []
    for name in folders:
        with contextlib.suppress(ValueError):
            found.append(_entry(name, home))
    return found


def _there(entry, home) -> bool:
    try:
        return entry.name == "shop" or _find(entry, home) is not None
    except (OSError, ValueError):  # a damaged zip: loading it will say so
        return False


# --------------------------------------------------------------------------------------------------------- download
def download_dataset(name: str, *, home: Path | str | None = None) -> Path:
    """The folder with the files of dataset `name`, downloaded first where they are missing and may be downloaded.

    Raises
    ------
    FileNotFoundError  when the publisher asks for an account; says which files to put where
    OSError, ValueError  when no server gave the right file; says the same
    """
    entry = _entry(name, home)
    if name == "shop":
        raise ValueError("the shop is built in, there is nothing to download: load_dataset('shop')")
    found = _find(entry, home) or _download(entry, home)
    return found if found.is_dir() else found.parent


def _download(entry, home) -> Path:
    """Fetch every source of `entry` into the first home that can be written; what `_find` then finds."""
    folder = _home_to_fill(home) / entry.name
    if not entry.sources:
        why = "cannot be downloaded without an account" if entry.name in ENTRIES else "its address is not known"
        _refuse_missing(entry, home, why)
    *extra, main = entry.sources
    new = [p for p in (folder, folder.parent) if not p.exists()]
    try:
        failures = [(source.file, error) for source in extra if (error := _failure(source, folder))]
        fetch.download(main, folder)
    except (OSError, ValueError) as error:
        raise type(error)(f"{entry.name} is not on disk; {error}\n{_advice(entry, home)}") from None
    finally:  # also after Ctrl-C
        for made in new:
            if made.is_dir() and not any(made.iterdir()):
                made.rmdir()
    for file, error in failures:
        log.warning("%s goes without %s: %s", entry.name, file, error)
    return _find(entry, home)


def _failure(source, folder) -> Exception | None:
    """Why a file that can be missing could not be downloaded; None when it was."""
    try:
        fetch.download(source, folder)
    except (OSError, ValueError) as error:
        return error


def _home_to_fill(home) -> Path:
    return next((h for h in _homes(home) if parquet.writable(h)), _homes(home)[0])


def _refuse_missing(entry, home, why):
    raise FileNotFoundError(f"{entry.name} is not on disk and {why}. {_advice(entry, home)}")


def _advice(entry, home) -> str:
    """Which files to put where, and what works without any."""
    folder = _home_to_fill(home) / entry.name
    here = [p.name for p in folder.iterdir() if p.is_file()] if folder.is_dir() else []
    files = " and ".join(entry.missing(here)) or "its files"
    zips = [s.file for s in entry.sources if s.file.endswith(".zip")]
    files += f" (or {zips[0]} as it is)" if zips else ""
    named = os.environ.get("RECO_DATA_HOME") if home is None else None
    lost = f" RECO_DATA_HOME is {named!r}, where there is no folder." if named and not _homes(home)[0].is_dir() else ""
    return f"Get it from {entry.page} and put {files} into {_show(folder)}.{lost} {OFFLINE}"


# ------------------------------------------------------------------------------------------------------------- load
def load_dataset(
    name: str, *, home: Path | str | None = None, size: str = "medium", seed: int = 0, download: bool = True, **options
) -> Tables:
    """One dataset as canonical tables.

    Parameters
    ----------
    name : str
        See `list_datasets()`.
    home : path, optional
        The folder that holds a folder `name`; by default $RECO_DATA_HOME, then `data/`.
    size : "small", "medium" or "large"
        The shop has three sizes. Of a real dataset small takes the events of 600 users (drawn by `seed`; the catalogue
        stays whole), medium and large take everything.
    seed : int
        Draws the shop, or the users of a small real dataset.
    download : bool
        False: never touch the network; files that are missing are an error at once.
    **options
        Passed to the dataset's loader, e.g. `user_tags=True` for MovieLens.

    Returns
    -------
    Tables; see `reco_utils.data.schema`

    Raises
    ------
    ValueError  for an unknown name (the nearest is suggested) or size, or files that are damaged or wrong
    TypeError  for an option that the loader does not have; the ones it has are named
    FileNotFoundError, OSError  when files are missing and cannot be downloaded; says which to put where
    """
    entry = _entry(name, home)
    if size not in SIZES:
        raise ValueError(f"size must be one of {list(SIZES)}, got {size!r}")
    module = importlib.import_module(f"reco_utils.data.{entry.module}")
    _check_options(name, module.make_shop if name == "shop" else module.load, options)
    if name == "shop":
        return module.make_shop(size, seed=seed, **options)
    place = _find(entry, home)
    if place is None:
        if entry.sources and not download:
            _refuse_missing(entry, home, "downloads are switched off")
        place = _download(entry, home)

    def everything():
        return _cached(entry, place, {"options": options}, lambda: _read(entry, module.load, place, options))

    if size != "small":
        return everything()
    from reco_utils.data.clean import sample_users

    asked = {"options": options, "users": SMALL_USERS, "seed": seed}
    return _cached(entry, place, asked, lambda: sample_users(everything(), SMALL_USERS, seed=seed))


def _check_options(name, load, options):
    known = inspect.signature(load).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in known):
        return
    allowed = [p.name for p in known if p.kind is p.KEYWORD_ONLY and p.name not in ("seed", "size")]
    strange = sorted(set(options) - set(allowed))
    if strange:
        has = f"its options are {allowed}" if allowed else "it has none"
        raise TypeError(f"{name} has no option {strange}; {has}")


def _read(entry, load: Callable[..., Tables], place, options) -> Tables:
    """The dataset from its raw files; those of a zip are unpacked into a temporary folder."""
    if place.is_dir():
        return load(entry.name, place, **options)
    with tempfile.TemporaryDirectory() as folder:
        fetch.unpack(place, entry.wanted, folder)
        return load(entry.name, Path(folder), **options)


def _cached(entry, place, asked, make) -> Tables:
    """`make()`, through a Parquet copy beside the raw files, or under `data/cache/` when they are read-only."""
    try:
        key = parquet.fingerprint(entry.name, json.dumps(asked, sort_keys=True))
    except TypeError:  # an option that JSON cannot hold, e.g. a function: nothing to recognise a copy by
        return make()
    beside = place if place.is_dir() else place.parent
    raw = parquet.fingerprint(_files(place), parquet.code_version(entry.module, "clean"))
    where = [(beside, f".parquet-{entry.name}-")] if parquet.writable(beside) else []
    here = parquet.fingerprint(str(beside.resolve()))[:6]
    where.append((local_home() / "cache", f"{entry.name}-{here}-"))
    return parquet.cached(where, raw, key, make)


def _files(place) -> list[tuple[str, int, int]]:
    """Name, size and time of every raw file: what a copy is recognised by."""
    paths = [place] if place.is_file() else sorted(p for p in place.iterdir() if p.is_file())
    stats = [(p.name, p.stat()) for p in paths if not p.name.startswith(".")]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
