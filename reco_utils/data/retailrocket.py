"""RetailRocket: four and a half months of views, carts and purchases of a web shop, 2015, all names hashed away.

`events.csv` alone is enough. The optional `item_properties_part1.csv`, `item_properties_part2.csv` and
`category_tree.csv` give each item a category. There are no titles or prices: items are called "item 355908", which the
report counts.

Source: RetailRocket recommender system dataset, Kaggle, CC BY-NC-SA 4.0.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from reco_utils.core import EVENT, ITEM, TIME, USER, Defaults, Tables
from reco_utils.data.schema import Problems, canonical, count_rows
from reco_utils.data.text import find_file, read_csv

FILES = ("events.csv",)
OPTIONAL = ("item_properties_part1.csv", "item_properties_part2.csv", "category_tree.csv")

EVENTS = {"view": "view", "addtocart": "add_to_cart", "transaction": "purchase"}
DEFAULTS = Defaults(target=("add_to_cart", "purchase"), half_life_days=30, split="time", keep_seen=False)


def load(name: str, folder: Path, *, session_minutes: float = 30) -> Tables:
    """Events, items and visitors of the RetailRocket shop.

    An item's category is the first one its properties name, and never a later one: categories changed while the log was
    written, and a catalogue must not know the future. `category` is the root of the tree and `subcategory` the leaf.
    The property `available` is left out, since one value per item cannot say when it was true.

    Defaults. A cart counts as success like a purchase, since most visitors come once: of a sample of 2,174 buyers, a
    cut four weeks before the end leaves 78 known visitors who then buy something, and 94 who put it into the cart or
    buy it (81 and 105 four weeks earlier), which is still few: compare models with care. No window and a half-life of
    30 days, which suited popularity in the four weeks before those (NDCG@10 .040 without decay, .049 at 30 days, .048
    at 7) and cost cosine item-kNN little (.030 and .027). `keep_seen` is False: the sample holds each visitor, item and
    event only once, so buying again cannot be measured.

    Parameters
    ----------
    folder : Path
        Holds `events.csv`, and perhaps the `OPTIONAL` files, each plain or as `.gz`.
    session_minutes : float, minutes
        A visitor's session ends after so long without an event; the log itself names none.

    Raises
    ------
    FileNotFoundError  when events.csv is not there
    ValueError  listing what is wrong with the files
    """
    events, report = _events(name, find_file(folder, *FILES), session_minutes)
    categories = _categories(Path(folder))
    items = pd.concat([events[ITEM].drop_duplicates().astype(str), categories[ITEM]]).drop_duplicates()
    catalog = pd.DataFrame({ITEM: np.sort(items.to_numpy(dtype=object))}).merge(categories, how="left", on=ITEM)
    catalog.insert(1, "title", "item " + catalog[ITEM].astype(str))
    report += [("catalog", "titles made up", len(catalog))]
    report += [("catalog", "items without a single event", len(catalog) - events[ITEM].nunique())]
    return canonical(name, events, catalog, defaults=DEFAULTS, report=count_rows(report))


def _events(name, path, session_minutes):
    """The log in canonical columns, sorted by time, copies of a row left out; and what was counted."""
    kinds = {"timestamp": "whole", "visitorid": "category", "event": "category", "itemid": "category"}
    rows = read_csv(path, columns=kinds)
    _check(name, rows)
    copies = rows.duplicated()
    rows = rows[~copies].sort_values("timestamp", kind="stable", ignore_index=True)
    events = pd.DataFrame({
        USER: rows["visitorid"],
        ITEM: rows["itemid"],
        EVENT: rows["event"].cat.rename_categories(EVENTS),
        TIME: pd.to_datetime(rows["timestamp"], unit="ms", errors="coerce").astype("datetime64[us]"),
    })  # fmt: skip
    events["session_id"] = sessions(events, session_minutes)
    return events, [("events", "the same row again", int(copies.sum()))]


def _check(name, rows):
    problems = Problems(name)
    strange = sorted(set(rows["event"].dropna().unique()) - set(EVENTS))
    problems.add(f"event must be one of {list(EVENTS)}, got {strange}", rows[rows["event"].isin(strange)])
    for column in rows:
        problems.add(f"{column} is missing", rows[rows[column].isna()])
    problems.stop()


def sessions(events: pd.DataFrame, minutes: float) -> pd.Series:
    """A session id per event (text, numbered in the order of the users): a new one after `minutes` without an event.

    `events` must be sorted by time.
    """
    user = events[USER].cat.codes.to_numpy()
    order = np.argsort(user, kind="stable")
    pause = np.diff(events[TIME].to_numpy()[order]) > np.timedelta64(round(minutes * 60e6), "us")
    starts = np.append(True, pause | (np.diff(user[order]) != 0))[: len(user)]
    numbers = np.empty(len(user), np.int64)
    numbers[order] = np.cumsum(starts)
    return pd.Series(numbers, index=events.index).astype(str)


def _categories(folder) -> pd.DataFrame:
    """Items with their first known category, as far as there are properties; empty without them."""
    parts = [path for name in OPTIONAL[:2] if (path := find_file(folder, name, optional=True))]
    if not parts:
        return pd.DataFrame({ITEM: pd.Series(dtype=str)})
    kinds = {"timestamp": "whole", "itemid": "text", "property": "category", "value": "text"}
    rows = pd.concat([read_csv(path, columns=kinds, only={"property": ["categoryid"]}) for path in parts])
    first = rows.sort_values("timestamp", kind="stable").drop_duplicates("itemid")
    found = pd.DataFrame({ITEM: first["itemid"], "category": first["value"]})
    tree = find_file(folder, OPTIONAL[2], optional=True)
    return found if tree is None else found.assign(category=_roots(found["category"], tree), subcategory=first["value"])


def _roots(leaves, path) -> pd.Series:
    """The topmost ancestor of each category; one that the tree does not know is its own."""
    tree = read_csv(path, columns=["categoryid", "parentid"]).dropna().drop_duplicates("categoryid")
    parent = tree.set_index("categoryid")["parentid"]
    for _ in range(len(parent) + 1):  # at most; the publisher's tree is six levels deep
        above = leaves.map(parent)
        if above.isna().all():
            return leaves
        leaves = above.fillna(leaves)
    raise ValueError(f"{path.name}: the category tree has a circle through {sorted(set(leaves[above.notna()]))[:3]}")
