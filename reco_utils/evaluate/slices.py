"""One mean can hide two groups: the same comparison for slices of users, or judged on some of the items alone.

    labels = by_history(split.batch)                       # a name per user: "0", "1 to 4", ...
    sliced(found, labels, "ndcg")                          # one row per slice and model
    sliced_items(found, split, by_item_age(split.train), "recall")

Labels name the slice of each user (B,) or item (I,); None and NaN mean "in no slice". Nobody vanishes: whoever is in no
slice gets a row of their own, and a slice without anybody has 0 users and NaN, never 0.

Letters: B users of the split, I items, S slices.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from reco_utils.core import ITEM, USER, Dataset, Split, UserBatch
from reco_utils.evaluate.compare import ENOUGH_USERS, Comparison, compare

NO_SLICE = "(no slice)"
PERIODS = {"year": "Y", "quarter": "Q", "month": "M"}


# --------------------------------------------------------------------------------------------------- slices of users
def by_history(batch: UserBatch, edges: Sequence[int] = (0, 1, 5, 20)) -> pd.Series:
    """Users by the number of distinct items in their history.

    Parameters
    ----------
    edges : whole numbers, increasing
        Where each slice begins; the last one has no end. Below the first edge is in no slice.

    Returns
    -------
    Series (B,), index `user_id`: "0", "1 to 4", "5 to 19", "20 and more", in that order, also those nobody is in
    """
    return _bands(batch.n_items, edges, batch.users, "history")


def by_age(batch: UserBatch, edges: Sequence[int] = (0, 25, 35, 50, 65)) -> pd.Series:
    """Users by age in years, from their profiles; see `by_history`. An unknown age is in no slice."""
    return _bands(_column(batch.profiles, "age", "profiles"), edges, batch.users, "age")


def by_profile(batch: UserBatch, column: str) -> pd.Series:
    """Users by a column of their profiles, such as "gender" or "location"; unknown is in no slice.

    Returns
    -------
    Series (B,), index `user_id`; the slices are the values that occur, sorted

    Raises
    ------
    ValueError  for a column that the profiles do not have
    """
    values = _column(batch.profiles, column, "profiles")
    return _series(*coded(values, len(batch)), batch.users, column)


def by_cohort(batch: UserBatch, every: str = "year") -> pd.Series:
    """Users by when they signed up: "2024", "2024Q3" or "2024-08"; unknown is in no slice.

    Parameters
    ----------
    every : "year", "quarter" or "month"
    """
    if every not in PERIODS:
        raise ValueError(f"every must be one of {list(PERIODS)}, got {every!r}")
    when = pd.Series(pd.to_datetime(_column(batch.profiles, "signup_at", "profiles")))
    names = np.where(when.notna(), when.dt.to_period(PERIODS[every]).astype(str), None)
    return _series(*coded(names, len(batch)), batch.users, "cohort")


# --------------------------------------------------------------------------------------------------- slices of items
def by_item_age(data: Dataset, edges: Sequence[int] = (0, 7, 30, 90)) -> pd.Series:
    """Items by the whole days between their creation and `data.asof`; see `by_history`. Unknown is in no slice."""
    created = pd.to_datetime(_column(data.catalog, "created_at", "the catalogue"))
    days = (data.asof - pd.Series(created)) / pd.Timedelta(days=1)
    return _bands(days.to_numpy(), edges, data.items, "item age, days", id_name=ITEM)


def by_price(data: Dataset, n: int = 4) -> pd.Series:
    """Items by price, in at most n bands of about as many items each; unknown is in no slice.

    Returns
    -------
    Series (I,), index `item_id`: "0.99 to 9.50", "9.50 to 20.00", ...; a price on an edge belongs to the band below
    """
    if n < 1:
        raise ValueError(f"n must be at least 1 band, got {n}")
    prices = _column(data.catalog, "price", "the catalogue").astype(float)
    edges = np.unique(np.nanquantile(prices, np.linspace(0, 1, n + 1))) if not np.isnan(prices).all() else np.empty(0)
    edges = np.repeat(edges, 2) if len(edges) == 1 else edges  # all of one price
    bands = np.maximum(np.searchsorted(edges, prices, side="left") - 1, 0)
    names = [f"{low:.2f} to {high:.2f}" for low, high in zip(edges, edges[1:])]
    if len(set(names)) < len(names):  # prices of fractions of a cent
        names = [f"{low:.6g} to {high:.6g}" for low, high in zip(edges, edges[1:])]
    return _series(np.where(np.isnan(prices), -1, bands), names, data.items, "price", id_name=ITEM)


def by_size(
    data: Dataset,
    labels=None,
    *,
    shares: tuple[float, float] = (0.5, 0.8),
    names: tuple[str, str, str] = ("large", "middle", "small"),
) -> pd.Series:
    """Items by how many interactions they have, or all items of their brand (or category) together.

    Brands are ordered by their interactions in training. The first ones, which together have half of all interactions,
    are large; those up to 80 % are in the middle; the rest is small. The brand that crosses a mark still belongs above.

    Parameters
    ----------
    labels : (I,), optional
        The brand of each item, e.g. `data.catalog["brand"]`; unknown is in no slice. Without it every item stands for
        itself, and the small ones are the long tail.
    shares : two numbers, increasing, within 0 to 1
    names : of the three sizes

    Returns
    -------
    Series (I,), index `item_id`

    Source: ours.
    """
    if not 0 < shares[0] <= shares[1] < 1:
        raise ValueError(f"shares must increase within 0 to 1, such as (0.5, 0.8), got {shares}")
    n_items = len(data.items)
    codes = np.arange(n_items) if labels is None else coded(labels, n_items, "item")[0]
    interactions = np.bincount(data.weights.indices, minlength=n_items)
    totals = np.bincount(codes[codes >= 0], interactions[codes >= 0], minlength=codes.max(initial=-1) + 1)
    order = np.argsort(-totals, kind="stable")
    before = np.cumsum(totals[order]) - totals[order]
    size = np.empty(len(totals), int)
    size[order] = np.searchsorted(np.array(shares) * totals.sum(), before, side="right")
    sized = np.where(codes >= 0, np.append(size, -1)[codes], -1)
    return _series(sized, list(names), data.items, "size", id_name=ITEM)


# -------------------------------------------------------------------------------------------------------- the tables
def sliced(found: Comparison, labels, metric: str) -> pd.DataFrame:
    """A metric of every model for each slice of the users.

    Parameters
    ----------
    labels : (B,) names, one per user in the order of the comparison
        An array, a list or a Series (its index does not count). The slices of a Categorical keep their order, and those
        nobody is in are shown too; other names are sorted.
    metric : str
        As for `Comparison.table`. A measure of all lists, such as coverage, grows with the number of users in a slice:
        compare models within it, and not the slices.

    Returns
    -------
    DataFrame, one row per slice and model: slice, model, mean, low, high, users (those with a value), too_few (fewer
    than 100). Each slice is a Comparison of its own (`found.take`): same bootstrap, same seed. Users in no slice make
    the last rows, "(no slice)", if there are any.

    Raises
    ------
    KeyError  for a metric that was not compared
    ValueError  for labels that are not one per user
    """
    codes, names = coded(labels, len(found.warm))
    label = found.label_of(metric)
    found = replace(found, of_lists={label: found.of_lists[label]} if label in found.of_lists else {})
    return _stacked({name: found.take(mask).table(label) for name, mask in _masks(codes, names)})


def sliced_items(found: Comparison, split: Split, labels, metric: str) -> pd.DataFrame:
    """A metric of every model, judged on the truth in one slice of the items at a time; the lists stay as they are.

    Parameters
    ----------
    split : Split
        The one `found` was made on.
    labels : (I,) names, one per item
        As for `sliced`.
    metric : str
        A label of `accuracy.measure`, such as "recall@10", or its name alone.

    Returns
    -------
    As for `sliced`; users are those with any truth in the slice, and others in each slice

    Raises
    ------
    ValueError  for labels that are not one per item, and a metric that is not judged on truth
    """
    tables = {}
    for name, mask in _masks(*coded(labels, len(split.train.items), "item")):
        judged = compare(found.lists, only_items(split, mask), [metric], found.k, rng=np.random.default_rng(found.seed))
        tables[name] = judged.table(judged.metrics[0])
    return _stacked(tables)


def only_items(split: Split, mask) -> Split:
    """The split with its truth on flagged items alone, e.g. newcomers or the long tail.

    Requests, histories and training stay as they are, so models are asked for the same lists of the whole catalogue.
    Users who have no truth left are undefined (NaN) in every measure of accuracy; `report` and `Comparison.note` count
    them.

    Parameters
    ----------
    mask : (I,) bool

    Raises
    ------
    ValueError  for a mask that is not one bool per item
    """
    mask = np.asarray(mask)
    n_items = split.truth.shape[1]
    if mask.shape != (n_items,) or mask.dtype != bool:
        raise ValueError(f"mask must be bool of shape ({n_items},), one per item, got {mask.dtype} {mask.shape}")
    kept = mask[split.truth.indices]
    indptr = np.concatenate([[0], np.cumsum(kept)])[split.truth.indptr]
    truth = csr_matrix((split.truth.data[kept], split.truth.indices[kept], indptr), split.truth.shape)
    had, has = np.diff(split.truth.indptr) > 0, np.diff(truth.indptr) > 0
    counts = {
        "items judged on": int(mask.sum()),
        "users with truth on these items": int(has.sum()),
        "users without truth on these items": int((had & ~has).sum()),
    }
    report = pd.Series(split.report.to_dict() | counts, dtype=object, name=split.report.name)
    return replace(split, truth=truth, report=report)


# ------------------------------------------------------------------------------------------------------------- pieces
def _masks(codes, names):
    """Name and mask of every slice, and of whoever is in none."""
    masks = [(name, codes == at) for at, name in enumerate(names)]
    return masks + [(NO_SLICE, codes < 0)] * bool((codes < 0).any())


def _stacked(tables):
    """The tables (models; mean, low, high, users) of all slices as one, slice by slice."""
    rows = [table.reset_index().assign(slice=at) for at, table in enumerate(tables.values())]
    columns = ["slice", "model", "mean", "low", "high", "users", "too_few"]
    if not rows:
        return pd.DataFrame(columns=columns)
    table = pd.concat(rows, ignore_index=True)
    table["slice"] = pd.Categorical.from_codes(table["slice"], pd.Index(list(tables), dtype=object), ordered=True)
    table.loc[table["users"] == 0, ["mean", "low", "high"]] = np.nan  # coverage by nobody is not 0
    return table.assign(too_few=table["users"] < ENOUGH_USERS)[columns]


def coded(labels, n, who="user"):
    """Labels as codes (n,), -1 for none, and the names of the slices in order; refused unless one per user or item."""
    kind = getattr(labels, "dtype", None)
    if not isinstance(kind, pd.CategoricalDtype):
        labels = np.asarray(labels, dtype=object)
    if labels.shape != (n,):
        raise ValueError(f"labels must be one name per {who}, ({n},), got shape {labels.shape}")
    if isinstance(kind, pd.CategoricalDtype):
        return np.asarray(pd.Categorical(labels).codes), list(kind.categories)
    known = labels[~pd.isna(labels)]
    try:
        names = sorted(set(known))
    except TypeError:  # names of several kinds
        names = sorted(set(known), key=str)
    codes = {name: at for at, name in enumerate(names)}
    return np.array([codes.get(label, -1) for label in np.where(pd.isna(labels), None, labels)], int), names


def _bands(values, edges, ids, name, id_name=USER):
    """Values (n,) as slices that begin at the edges; NaN and what lies below the first edge is in none."""
    edges = list(edges)
    if not edges or any(float(e) != int(e) for e in edges) or any(a >= b for a, b in zip(edges, edges[1:])):
        raise ValueError(f"edges must be whole numbers that increase, such as (0, 1, 5, 20), got {edges}")
    ends = [f"{a}" if b == a + 1 else f"{a} to {b - 1}" for a, b in zip(edges, edges[1:])]
    values = np.asarray(values, float)
    codes = np.where(np.isnan(values), -1, np.searchsorted(edges, values, side="right") - 1)
    return _series(codes, [*ends, f"{edges[-1]} and more"], ids, name, id_name)


def _series(codes, names, ids, name, id_name=USER):
    slices = pd.Categorical.from_codes(np.asarray(codes, int), pd.Index(names, dtype=object), ordered=True)
    return pd.Series(slices, index=pd.Index(ids, name=id_name), name=name)


def _column(table, column, what):
    """A column of the profiles or the catalogue, by position."""
    if column not in table:
        raise ValueError(f"{what} must have a column {column!r}, got {list(table.columns)}")
    return table[column].to_numpy()
