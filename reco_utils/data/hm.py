"""H&M: two years of clothes bought by 1.37 million customers, 31.8 million rows, with an article catalogue.

A row of the publisher's file is one piece of clothing; an event here is one article that one customer bought on one day
by one channel, so equal rows become its `quantity`. Days are all that is known of the time. Ids are text and keep
their leading zeros ("0108775015"). Prices are shares of a currency unit that the publisher does not name: good for
comparing articles, not for adding up to money.

Source: H&M Personalized Fashion Recommendations, Kaggle 2022, competition rules: not to be passed on.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from reco_utils.core import EVENT, ITEM, TIME, USER, Defaults, Tables
from reco_utils.data.schema import Problems, canonical, count_rows
from reco_utils.data.text import find_file, read_csv

FILES = ("articles.csv", "customers.csv", "transactions_train.csv")

DEFAULTS = Defaults(target=("purchase",), window_days=90, half_life_days=30, split="time", keep_seen=False)
TAGS = ("colour_group_name", "graphical_appearance_name", "index_name", "section_name", "garment_group_name")
CHANNELS = {"1": "store", "2": "online"}


def load(name: str, folder: Path) -> Tables:
    """Purchases, articles and customers of the clothing shop.

    A title is the product's name and colour ("Strap top, black"), since colours are articles of their own. `category`
    is the product group, `subcategory` the product type, `tags` colour, pattern and department. The catalogue's `price`
    is the first one that anybody paid, so it never looks ahead; articles that were never sold have none. Customers have
    an age where they gave one; hashed postal codes are left out, for they say nothing that a reader could check and
    much that could identify. The channel becomes `device`. There are no sessions: the file knows only days.

    Defaults. Clothes follow the season: `window_days` 90 and a `half_life_days` of 30 are what this shop's own year
    suggests; tune both. `keep_seen` is False, although basics are bought again.

    The full set takes about a minute of processor time and 5.7 GB at the peak.

    Parameters
    ----------
    folder : Path
        Holds the three `FILES`, each plain or as `.gz`.

    Raises
    ------
    FileNotFoundError  when one is missing
    ValueError  listing what is wrong with the files
    """
    events, merged = _events(name, find_file(folder, FILES[2]))
    catalog = _catalog(find_file(folder, FILES[0]), _first_prices(events))
    profiles = read_csv(find_file(folder, FILES[1]), columns={"customer_id": "text", "age": "number"})
    counts = [
        ("events", "equal rows, added up as quantity", merged),
        ("catalog", "articles without a single event", len(catalog) - events[ITEM].nunique()),
        ("catalog", "articles without a description", int(catalog["description"].isna().sum())),
        ("profiles", "customers without an age", int(profiles["age"].isna().sum())),
    ]
    profiles = profiles.rename(columns={"customer_id": USER})
    return canonical(name, events, catalog, profiles, defaults=DEFAULTS, report=count_rows(counts))


def _events(name, path) -> tuple[pd.DataFrame, int]:
    """Purchases in the order of the file, equal rows added up; and how many rows that saved."""
    kinds = {
        "t_dat": "day", "customer_id": "category", "article_id": "category", "price": "number",
        "sales_channel_id": "category",
    }  # fmt: skip
    rows = read_csv(path, columns=kinds)
    problems = Problems(name)
    for column in ("t_dat", "customer_id", "article_id", "price"):
        problems.add(f"{path.name}: {column} is missing", rows[rows[column].isna()])
    problems.stop()
    rows = rows.rename(columns={"t_dat": TIME, "customer_id": USER, "article_id": ITEM, "price": "value"})
    rows["device"] = rows.pop("sales_channel_id").cat.rename_categories(lambda c: CHANNELS.get(c, c))
    first, quantity, value = _add_up(rows)
    events = rows.iloc[first].reset_index(drop=True)
    events["value"], events["quantity"] = value, quantity
    events[EVENT] = pd.Categorical.from_codes(np.zeros(len(events), np.int8), ["purchase"])
    return events, len(rows) - len(events)


def _add_up(rows):
    """Rows of one day, customer, article and channel: position of the first, how many, and the sum of their prices."""
    days = (
        rows[TIME].to_numpy().astype("datetime64[D]") - rows[TIME].min().to_datetime64().astype("datetime64[D]")
    ).astype(np.int64)
    key = days
    for column in (USER, ITEM, "device"):
        codes = rows[column].cat
        key = key * (len(codes.categories) + 1) + (codes.codes.to_numpy() + 1)  # 734 days x 1.4 m x 106 k x 3: 49 bits
    order = np.argsort(key)
    key = key[order]
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1]))[: len(key)]
    del key
    first, quantity = np.minimum.reduceat(order, starts), np.diff(np.append(starts, len(order)))
    value = np.add.reduceat(rows["value"].to_numpy()[order], starts)
    as_filed = np.argsort(first)
    return first[as_filed], quantity[as_filed], value[as_filed]


def _first_prices(events) -> pd.Series:
    """Article -> what its first piece cost; the file is ordered by day."""
    first = events[[ITEM, TIME, "value", "quantity"]].sort_values(TIME, kind="stable").drop_duplicates(ITEM)
    return (first["value"] / first["quantity"]).set_axis(first[ITEM].astype(str))


def _catalog(path, prices) -> pd.DataFrame:
    """Every article in canonical columns."""
    names = ["article_id", "prod_name", "product_group_name", "product_type_name", "detail_desc", *TAGS]
    rows = read_csv(path, columns=names)
    colour = rows["colour_group_name"].str.lower()
    return pd.DataFrame({
        ITEM: rows["article_id"],
        "title": rows["prod_name"].str.strip().str.cat(colour, sep=", ").fillna(rows["prod_name"]),
        "category": rows["product_group_name"],
        "subcategory": rows["product_type_name"],
        "price": rows["article_id"].map(prices),
        "description": rows["detail_desc"].str.strip(),
        "tags": [", ".join(dict.fromkeys(t for t in tags if isinstance(t, str))) for tags in rows[[*TAGS]].to_numpy()],
    })  # fmt: skip
