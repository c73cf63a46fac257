"""Amazon Reviews of 2014, 2018 and 2023: JSON lines, plain or gzipped, with or without the products' metadata.

    2014   reviews_<Category>_5.json.gz or reviews_<Category>.json.gz, meta_<Category>.json.gz (Python literals)
    2018   <Category>_5.json.gz or <Category>.json.gz, meta_<Category>.json.gz
    2023   <Category>.jsonl.gz, meta_<Category>.jsonl.gz; the item is the parent_asin, which the metadata is keyed by

Rules, each counted in the report: of several reviews of one item by one user the latest stays (of equal times the later
line); of several metadata rows of one product the first stays; a price range becomes its lower end; a price that is
no number, or a title that is a scrap of a web page, is missing; a product without a title is called "item <id>".

`related` holds the ids that the shop showed as "also bought" and "also viewed" when the page was crawled. That is later
than nearly every review: fine to show, but a backtest that learns from it sees the future.

Source: McAuley et al. (2015), SIGIR; Ni, Li and McAuley (2019), EMNLP; Hou et al. (2024), arXiv 2403.03952.
"""

import ast
import contextlib
import gzip
import html
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from reco_utils.core import EVENT, ITEM, TIME, USER, Defaults, Tables
from reco_utils.data.fetch import WEB_PAGE, Source, check_file
from reco_utils.data.schema import Problems, canonical, count_rows
from reco_utils.data.text import ctrl_c

DEFAULTS = Defaults(target=("rating",), positive_from=4.0, split="leave-last-out", keep_seen=False)
SERVERS = {  # year: servers, the publisher's first; then the folders of the reviews and of the metadata
    2014: ("https://snap.stanford.edu/data/amazon/productGraph/categoryFiles/",
           "https://mcauleylab.ucsd.edu/public_datasets/data/amazon/categoryFiles/"),
    2018: ("https://mcauleylab.ucsd.edu/public_datasets/data/amazon_v2/",
           "https://jmcauley.ucsd.edu/data/amazon_v2/",
           "https://datarepo.eng.ucsd.edu/mcauley_group/data/amazon_v2/"),
    2023: ("https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/raw/",
           "https://datarepo.eng.ucsd.edu/mcauley_group/data/amazon_2023/raw/"),
}  # fmt: skip
FOLDERS = {
    2014: ("", ""), 2018: ("categoryFilesSmall/", "metaFiles2/"), 2023: ("review_categories/", "meta_categories/"),
}  # fmt: skip
PAGES = {
    2014: "https://jmcauley.ucsd.edu/data/amazon/links.html",
    2018: "https://nijianmo.github.io/amazon/",
    2023: "https://amazon-reviews-2023.github.io/",
}
LICENCES = {
    2014: "research use; cite McAuley et al. 2015",
    2018: "research use; cite Ni, Li and McAuley 2019",
    2023: "research use; cite Hou et al. 2024",
}
_SHARED = (  # categories that all three years have, in the publisher's spelling
    "Automotive Books CDs_and_Vinyl Cell_Phones_and_Accessories Clothing_Shoes_and_Jewelry Digital_Music Electronics "
    "Grocery_and_Gourmet_Food Home_and_Kitchen Kindle_Store Movies_and_TV Musical_Instruments Office_Products "
    "Patio_Lawn_and_Garden Pet_Supplies Sports_and_Outdoors Tools_and_Home_Improvement Toys_and_Games Video_Games "
)
_LATER = (
    "All_Beauty Appliances Arts_Crafts_and_Sewing Gift_Cards Industrial_and_Scientific Magazine_Subscriptions Software "
)
CATEGORIES = {
    2014: (_SHARED + "Amazon_Instant_Video Apps_for_Android Baby Beauty Health_and_Personal_Care").split(),
    2018: (_SHARED + _LATER + "AMAZON_FASHION Luxury_Beauty Prime_Pantry").split(),
    2023: (
        _SHARED
        + _LATER
        + "Amazon_Fashion Baby_Products Beauty_and_Personal_Care Handmade_Products Health_and_Household "
        "Health_and_Personal_Care Subscription_Boxes"
    ).split(),
}

NAME = re.compile(r"amazon-(2014|2018|2023)-([a-z0-9]+(?:-[a-z0-9]+)*)")
ROWS = 500_000  # reviews turned from text to codes at once; bounds the text that is in memory


@dataclass(frozen=True)
class _Layout:
    """Which key holds what in one year's files; None: not published that year."""

    user: str
    item: str
    rating: str
    time: str
    unit: str
    meta: dict[str, str]  # our name -> key of the metadata
    reviews: str  # file name patterns, {} being the category
    reviews_5: str | None


_META = {
    "title": "title", "price": "price", "brand": "brand", "levels": "category", "top": "main_cat",
    "description": "description", "features": "feature", "bought": "also_buy", "viewed": "also_view",
}  # fmt: skip
_LISTS = ("levels", "description", "features", "bought", "viewed")  # the names above that hold lists, mostly
_META_2023 = _META | {
    "brand": "store", "levels": "categories", "top": "main_category", "features": "features",
    "bought": "bought_together",
}  # fmt: skip
_KEYS = ("reviewerID", "asin", "overall", "unixReviewTime")
LAYOUTS = {
    2014: _Layout(*_KEYS, "s", _META, "reviews_{}.json", "reviews_{}_5.json"),
    2018: _Layout(*_KEYS, "s", _META, "{}.json", "{}_5.json"),
    2023: _Layout("user_id", "parent_asin", "rating", "timestamp", "ms", _META_2023, "{}.jsonl", None),
}  # fmt: skip


def parse(name: str) -> tuple[int, str]:
    """(year, category) of a dataset name such as amazon-2018-gift-cards."""
    match = NAME.fullmatch(name)
    if not match:
        raise ValueError(f"an Amazon dataset is named amazon-<2014|2018|2023>-<category>, got {name!r}")
    return int(match[1]), match[2]


def slug(category: str) -> str:
    """A category as dataset names spell it: CDs_and_Vinyl is cds-and-vinyl."""
    return category.lower().replace("_", "-")


def names() -> list[str]:
    """The dataset names of all known categories."""
    return [f"amazon-{year}-{slug(category)}" for year in CATEGORIES for category in CATEGORIES[year]]


def _category(name) -> str | None:
    """The category of dataset `name` in the publisher's spelling, where we know it."""
    year, spelt = parse(name)
    return next((category for category in CATEGORIES[year] if slug(category) == spelt), None)


def sources(name: str) -> tuple[Source, ...]:
    """What to download for dataset `name`; empty when the category is none that we know the spelling of.

    The reviews come last: they alone make the set complete, so a broken download cannot pass for one.
    """
    if _category(name) is None:
        return ()
    year = parse(name)[0]
    reviews, *_, meta = files(name)
    return tuple(
        Source(file, tuple(server + folder + file for server in SERVERS[year]))
        for folder, file in zip(reversed(FOLDERS[year]), (meta, reviews))
    )


def files(name: str) -> tuple[str, ...]:
    """The publisher's file names for dataset `name`: the reviews (the small 5-core file first), then the metadata.

    A category that we do not know is spelt with capitals: Hats_And_Caps. `find` does not mind.
    """
    year, spelt = parse(name)
    layout, category = LAYOUTS[year], _category(name) or spelt.replace("-", " ").title().replace(" ", "_")
    stems = [s for s in (layout.reviews_5, layout.reviews) if s] + ["meta_" + layout.reviews.removeprefix("reviews_")]
    return tuple(stem.format(category) + ".gz" for stem in stems)


def find(name: str, folder: Path) -> dict[str, Path]:
    """Which of the files "reviews_5", "reviews" and "meta" are in `folder`, however the category is spelt.

    Case, `_`, `-` and `&` are ignored and the ending .gz may be absent; a gzip counts before its unpacked twin.
    """
    kinds = ("reviews_5", "reviews", "meta") if LAYOUTS[parse(name)[0]].reviews_5 else ("reviews", "meta")
    wanted = {_plain(file.removesuffix(".gz")): kind for file, kind in zip(files(name), kinds)}
    found = {}
    for path in sorted(Path(folder).iterdir(), key=lambda path: (path.suffix == ".gz", path.name)):
        kind = wanted.get(_plain(path.name.removesuffix(".gz")))
        if kind and path.is_file():
            found[kind] = path  # the gzips come last
    return found


def _plain(name) -> str:
    return re.sub(r"[_\-&, ]", "", name).lower()


def load(name: str, folder: Path, *, reviews: str | None = None) -> Tables:
    """One category of Amazon Reviews from the publisher's files in `folder`.

    Parameters
    ----------
    name : str
        amazon-<year>-<category>, e.g. "amazon-2018-gift-cards".
    reviews : "5-core" or "all", optional
        Which review file, where both are there. By default the 5-core one (every user and item has five or more).

    Raises
    ------
    FileNotFoundError  when there is no review file
    ValueError  listing what is wrong with the files
    """
    if reviews not in (None, "5-core", "all"):
        raise ValueError(f"reviews must be '5-core', 'all' or None, got {reviews!r}")
    found = find(name, folder)
    wanted = {"5-core": ("reviews_5",), "all": ("reviews",), None: ("reviews_5", "reviews")}[reviews]
    path = next((found[kind] for kind in wanted if kind in found), None)
    if path is None:
        raise FileNotFoundError(f"{name}: no review file; expected {' or '.join(files(name)[:-1])}")
    layout = LAYOUTS[parse(name)[0]]
    events, earlier = _latest(_reviews(path, layout))
    catalog, notes = _catalog(found.get("meta"), layout, events[ITEM].cat.categories)
    report = count_rows([("events", "earlier review of an item that the user reviewed again", earlier), *notes])
    return canonical(name, events, catalog, defaults=DEFAULTS, report=report)


# ---------------------------------------------------------------------------------------------------------- reviews
def _reviews(path, layout):
    """user_id, item_id (categorical), event, timestamp, rating; one row per line of the file."""
    keys = (layout.user, layout.item, layout.rating, layout.time)
    _check_lines(path, keys)
    user, item, rating, time = keys
    query = (
        f'SELECT "{user}" AS {USER}, "{item}" AS {ITEM}, TRY_CAST("{rating}" AS DOUBLE) AS rating, '
        f'TRY_CAST("{time}" AS BIGINT) AS since FROM {_json(path, keys)}'
    )
    with _database() as db, ctrl_c(), _named(path):
        found = db.sql(query)
        arrow = found.to_arrow_reader(ROWS) if hasattr(found, "to_arrow_reader") else found.fetch_arrow_reader(ROWS)
        batches = [_encode(batch) for batch in arrow]
        frame = pa.Table.from_batches(batches).unify_dictionaries().to_pandas(split_blocks=True, self_destruct=True)
        if frame[["rating", "since"]].isna().any(axis=None):
            _refuse_numbers(db, path, layout)
    kind = pd.Categorical.from_codes(np.zeros(len(frame), np.int8), ["rating"])
    times = pd.to_datetime(frame["since"], unit=layout.unit, errors="coerce")
    return pd.DataFrame({USER: frame[USER], ITEM: frame[ITEM], EVENT: kind, TIME: times, "rating": frame["rating"]})


def _encode(batch):
    columns = dict(zip(batch.schema.names, batch.columns))
    return pa.RecordBatch.from_pydict(columns | {key: columns[key].dictionary_encode() for key in (USER, ITEM)})


def _refuse_numbers(db, path, layout):
    """Raise with the lines whose rating or time is no number."""
    keys = (layout.user, layout.item, layout.rating, layout.time)
    problems = Problems(path.name)
    for key, kind in ((layout.rating, "DOUBLE"), (layout.time, "BIGINT")):
        where = f'TRY_CAST("{key}" AS {kind}) IS NULL'
        problems.add(f"{key} is not a number", db.sql(f"SELECT * FROM {_json(path, keys)} WHERE {where}").df())
    problems.stop()


def _latest(events):
    """One review per user and item, the latest, and how many earlier ones were left out."""
    if events[[USER, ITEM]].isna().any(axis=None):
        return events, 0  # an id is missing: the schema will say so
    pair = events[USER].cat.codes.astype(np.int64) * len(events[ITEM].cat.categories) + events[ITEM].cat.codes
    again = pair.duplicated(keep=False).to_numpy()
    rows = events[[TIME]][again].assign(pair=pair[again]).sort_values(TIME, kind="stable")
    earlier = rows.index[rows["pair"].duplicated(keep="last")]
    return events.drop(earlier), len(earlier)


# --------------------------------------------------------------------------------------------------------- metadata
_TAGS = r"(?is)<script.*?</script>|<style.*?</style>|<[^>]*>"
_PRICE = r"^\s*(?:from\s+)?\$?\s*([0-9][0-9,]*(?:\.[0-9]+)?)(\s*-\s*\$?\s*[0-9][0-9,]*(?:\.[0-9]+)?)?\s*$"
_ODD_LEVEL = r"<|\.$|.{60}"  # scraps of the page (tags, sentences) among the category levels


def _catalog(path, layout, sold):
    """The products of the metadata and the sold ones that it lacks, and what was mended for the report."""
    if path is None:
        raw = pd.DataFrame({c: pd.Series(dtype=object) for c in (ITEM, "title")})
    else:
        raw = _metadata(path, layout)
    known = raw.drop_duplicates(ITEM, keep="first", ignore_index=True)
    notes = [("catalog", "repeated metadata row", len(raw) - len(known))]
    for column, what in (("bad_price", "price that is no number"), ("price_range", "price range, lower end kept")):
        if column in known:
            notes.append(("catalog", what, int(known.pop(column).sum())))
    missing = sorted(set(sold) - set(known[ITEM]))
    untitled = int(known["title"].isna().sum())
    catalog = pd.concat([known, pd.DataFrame({ITEM: missing}, dtype=object)], ignore_index=True)
    catalog["title"] = catalog["title"].where(catalog["title"].notna(), "item " + catalog[ITEM].astype(object))
    notes += [
        ("catalog", "product without a title, called item <id>", untitled),
        ("catalog", "reviewed product without metadata, called item <id>", len(missing)),
    ]
    return catalog, notes


def _metadata(path, layout):
    """One row per line of the metadata file, columns cleaned but rows as they are."""
    keys = {ITEM: layout.item, **layout.meta}
    if layout is not LAYOUTS[2014]:
        _check_lines(path, (layout.item, "title"))
        return _run(path, path, keys)
    check_file(path)
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "meta.json"
        with open(lines, "w", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in _literals(path))
        return _run(lines, path, keys)


def _run(path, source, keys):
    raw = ", ".join(f'"{key}" AS {name}' for name, key in keys.items())
    table = _json(path, keys.values(), {keys[name] for name in _LISTS})
    query = _CLEAN.format(table=table, raw=raw, tags=_TAGS, price=_PRICE, odd=_ODD_LEVEL)
    with _database() as db, ctrl_c(), _named(source):
        frame = db.sql(query).df()
    for column in ("title", "brand", "description"):
        escaped = frame[column].str.contains("&", regex=False, na=False)
        if escaped.any():
            frame.loc[escaped, column] = frame.loc[escaped, column].map(html.unescape)
    return frame


_CLEAN = r"""
WITH raw AS (SELECT {raw} FROM {table}),
texts AS (
    SELECT item_id, price AS published, top,
        trim(regexp_replace(regexp_replace(title, '{tags}', ' ', 'g'), '\s+', ' ', 'g')) AS title,
        trim(regexp_replace(regexp_replace(brand, '{tags}', ' ', 'g'), '\s+', ' ', 'g')) AS brand,
        trim(regexp_replace(regexp_replace(concat_ws(' ',
            array_to_string(coalesce(TRY_CAST(description AS VARCHAR[]), [description->>'$']), ' '),
            array_to_string(coalesce(TRY_CAST(features AS VARCHAR[]), [features->>'$']), ' ')),
            '{tags}', ' ', 'g'), '\s+', ' ', 'g')) AS description,
        TRY_CAST(levels AS VARCHAR[]) AS levels,
        list_filter(
            list_concat(coalesce(TRY_CAST(bought AS VARCHAR[]), []), coalesce(TRY_CAST(viewed AS VARCHAR[]), [])),
            lambda other: other <> item_id) AS related,
        regexp_extract(price, '{price}', ['low', 'rest']) AS amount
    FROM raw),
paths AS (
    SELECT *, list_filter(levels, lambda word, n:
        length(list_filter(levels[1:n], lambda odd: regexp_matches(odd, '{odd}'))) = 0) AS path
    FROM texts)
SELECT item_id,
    CASE WHEN title <> '' AND NOT contains(title, 'getTime()') THEN title END AS title,
    nullif(coalesce(path[2], path[1], top), '') AS category,
    nullif(path[3], '') AS subcategory,
    nullif(regexp_replace(regexp_replace(brand, '^by ', ''), '^Visit Amazon''s (.*) Page$', '\1'), '') AS brand,
    TRY_CAST(replace(amount.low, ',', '') AS DOUBLE) AS price,
    nullif(description, '') AS description,
    nullif(array_to_string(
        list_filter(related, lambda other, n: list_position(related, other) = n), ' '), '') AS related,
    coalesce(trim(published) NOT IN ('', 'None', 'null', 'nan') AND amount.low = '', false) AS bad_price,
    coalesce(amount.rest <> '', false) AS price_range
FROM paths
"""


def _literals(path) -> Iterator[dict]:
    """The rows of a 2014 metadata file, under the key names of 2018; its lines are Python literals."""
    with _open(path) as lines:
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _like_2018(_literal(path, number, line))
        except EOFError:
            raise ValueError(f"{path.name} was cut off; delete it and download it again") from None


def _literal(path, number, line):
    try:
        row = ast.literal_eval(line)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        row = None
    if not isinstance(row, dict) or "asin" not in row:
        raise ValueError(f"{path.name}: line {number} is no product (a Python dict with an asin): {line[:60]!r}")
    return row


def _like_2018(row):
    related = row.get("related") or {}
    return {
        "asin": row["asin"], "title": row.get("title"), "brand": row.get("brand"), "main_cat": None,
        "price": None if row.get("price") is None else str(row["price"]),
        "category": (row.get("categories") or [[]])[0], "description": row.get("description"), "feature": None,
        "also_buy": related.get("also_bought", []), "also_view": related.get("also_viewed", []),
    }  # fmt: skip


# --------------------------------------------------------------------------------------------------------- the files
def _database():
    """An in-memory DuckDB that keeps the lines in their order."""
    return duckdb.connect(config={"preserve_insertion_order": True})


def _json(path, keys, lists=frozenset()) -> str:
    """The table function that reads the `keys` of a JSON-lines file as text, those in `lists` as JSON."""
    columns = ", ".join(f"'{key}': '{'JSON' if key in lists else 'VARCHAR'}'" for key in keys)
    compression = "gzip" if path.suffix == ".gz" else "uncompressed"
    quoted = str(path).replace("'", "''")
    return (
        f"read_json('{quoted}', format='newline_delimited', compression='{compression}', columns={{{columns}}}, "
        f"maximum_object_size=67108864)"
    )


@contextlib.contextmanager
def _named(path):
    """Turns DuckDB's complaint about a file into a ValueError that names it and lists its bad lines."""
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        bad = pd.DataFrame(_bad_lines(path), columns=["line", "text"])
        problems = Problems(path.name)
        problems.add("is not a JSON object", bad)
        problems.stop()
        said = str(error).splitlines()[0].replace(str(path), path.name)
        raise ValueError(f"{path.name} cannot be read: {said[:200]}") from None


def _bad_lines(path) -> list[tuple[int, str]]:
    """Number (from 1) and text of the lines that are not JSON objects."""
    bad = []
    with _open(path) as lines:
        for number, line in enumerate(lines, 1):
            try:
                good = not line.strip() or isinstance(json.loads(line), dict)
            except json.JSONDecodeError:
                good = False
            if not good:
                bad.append((number, line.strip()[:80]))
    return bad


def _open(path):
    return (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", errors="replace")


def _check_lines(path, keys):
    """Refuse a damaged file, and one whose first line is no JSON object with the wanted keys."""
    check_file(path, whole=True)  # DuckDB reads on where a byte is wrong
    with _open(path) as lines:
        first = next((line for line in lines if line.strip()), "")
    if not first:
        raise ValueError(f"{path.name} is empty: it has no lines")
    if first.startswith("\ufeff"):
        raise ValueError(f"{path.name} begins with a byte order mark, which JSON forbids; save it as UTF-8 without one")
    if first.lstrip().lower().startswith(WEB_PAGE):
        raise ValueError(f"{path.name} is a web page, not data; delete it and download it again")
    try:
        row = json.loads(first)
    except json.JSONDecodeError:
        row = None
    if not isinstance(row, dict):
        raise ValueError(f"{path.name}: line 1 is not a JSON object: {first[:60]!r}")
    missing = [key for key in keys if key not in row]
    if missing:
        raise ValueError(f"{path.name}: line 1 lacks {missing}; it has {list(row)[:12]}")
