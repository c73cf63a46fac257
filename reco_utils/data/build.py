"""Tables in, Dataset out: who and what was known at one instant, and the weight of every user-item pair by then.

Works on the integer codes of the categorical ids throughout; ids become text again only as `users` and `items`.
"""

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from reco_utils.core import EVENT, ITEM, TIME, USER, Dataset, Tables
from reco_utils.data.weighting import as_instant, pair_order, score_frame


def build_dataset(tables: Tables, *, asof=None, seed: int = 0, **weighting) -> Dataset:
    """Everything a model may learn from, as known at `asof`; nothing later is inside.

    Parameters
    ----------
    asof : time, optional
        Events with timestamp <= asof are inside. Default: the last event.
    seed : int
        Of the hash that puts the items in order, so that ties broken by position are broken by chance.
    weighting
        Keywords of `score_events` (window_days, half_life_days, positive_from, weights, cap, per_session); they
        override what `tables.defaults` says.

    Returns
    -------
    Dataset with read-only arrays.
    users: profiles with an event by asof or `signup_at` <= asof, in the order of the profiles.
    items: those with `created_at` <= asof or an event by then; where `created_at` is not known, also those that have
    no event at all. `seen`: target events of any age and ratings of any value, whatever the window.

    Raises
    ------
    ValueError  without events and `asof`, or for events whose ids profiles or catalogue lack
    """
    events, profiles, catalog = tables.events, tables.profiles, tables.catalog
    if asof is None and not len(events):
        raise ValueError(f"{tables.name} has no events to take the time from; give asof")
    asof = as_instant(events[TIME].max() if asof is None else asof)
    inside = events_until(events, asof)
    user_at = _places(_known_users(inside, profiles, asof))
    item_at = _places(_known_items(events, inside, catalog, asof), seeded_hash(catalog[ITEM], seed))
    shape = (user_at.max(initial=-1) + 1, item_at.max(initial=-1) + 1)
    weights, last = _weights(inside, tables, user_at, item_at, shape, asof, weighting)
    return Dataset(
        users=pd.Index(_rows(profiles, user_at)[USER]),
        items=pd.Index(_rows(catalog, item_at)[ITEM]),
        weights=weights,
        last=last,
        seen=_seen(inside, tables, user_at, item_at, shape),
        catalog=_rows(catalog, item_at),
        profiles=_rows(profiles, user_at),
        asof=asof,
    )


def star_matrix(tables: Tables, data: Dataset) -> csr_matrix:
    """The last star rating of every pair that `data` has seen: csr (U, I) float64, in stars.

    `Dataset.weights` says how strongly somebody is drawn to an item; this says what they said about it. A pair that
    was held out of `data`, by a later time or as somebody's last, is not seen, so its stars are not inside.
    """
    rated = events_until(tables.events, data.asof)
    rated = rated[rated[EVENT] == "rating"].drop_duplicates([USER, ITEM], keep="last")
    user, item = data.users.get_indexer(rated[USER]), data.items.get_indexer(rated[ITEM])
    known = (user >= 0) & (item >= 0)
    stars = csr_matrix((rated["rating"].to_numpy(float)[known], (user[known], item[known])), data.seen.shape)
    return stars.multiply(data.seen).tocsr()


def events_until(events: pd.DataFrame, asof: pd.Timestamp) -> pd.DataFrame:
    """The events with timestamp <= asof; a view when they are sorted by time, as canonical events are."""
    if events[TIME].is_monotonic_increasing:
        return events.iloc[: events[TIME].searchsorted(asof, side="right")]
    return events[events[TIME] <= asof]


def codes_of(column: pd.Series, ids: pd.Series) -> np.ndarray:
    """Where each value of `column` stands in `ids`, (n,) integers; categorical ids in that order cost nothing."""
    categories = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else None
    if categories is not None and len(categories) == len(ids) and (categories == ids.to_numpy()).all():
        codes = column.array.codes
    elif categories is not None:
        codes = np.append(pd.Index(ids).get_indexer(categories), -1)[column.array.codes]
    else:
        codes = pd.Index(ids).get_indexer(column)
    if len(codes) and codes.min() < 0:
        unknown = column[codes < 0]
        raise ValueError(f"{len(unknown)} events have a {column.name} that is in no table, e.g. {unknown.iloc[0]!r}")
    return codes


def is_kind(events: pd.DataFrame, kinds) -> np.ndarray:
    """Which events are of one of these types, (n,) bool."""
    kind = events[EVENT].astype("category").array
    return np.append(kind.categories.isin(list(kinds)), False)[kind.codes]


def seeded_hash(ids, seed: int) -> np.ndarray:
    """A number per id, (n,) uint64, that depends on the id and the seed alone: the same on every machine.

    Source: SipHash-2-4 (Aumasson and Bernstein 2012), as pandas has it.
    """
    return pd.util.hash_array(np.asarray(ids, dtype=object), hash_key=f"{seed:016d}", categorize=False)


def _known_users(inside, profiles, asof):
    known = _touched(inside[USER], profiles[USER])
    return known | (profiles["signup_at"] <= asof).to_numpy() if "signup_at" in profiles else known


def _known_items(events, inside, catalog, asof):
    known = _touched(inside[ITEM], catalog[ITEM])
    created = catalog["created_at"] if "created_at" in catalog else pd.Series(pd.NaT, index=catalog.index)
    undated = created.isna().to_numpy() & ~_touched(events[ITEM], catalog[ITEM])
    return known | (created <= asof).to_numpy() | undated


def _touched(column, ids):
    """Which of `ids` occur in `column`, (len(ids),) bool."""
    touched = np.zeros(len(ids), bool)
    touched[codes_of(column, ids)] = True
    return touched


def _places(known, order_by=None):
    """Position of each known row, -1 for the others; in the order of the table or of the keys `order_by`."""
    rows = np.flatnonzero(known)
    if order_by is not None:
        rows = rows[np.argsort(order_by[rows], kind="stable")]
    places = np.full(len(known), -1, np.int32)
    places[rows] = np.arange(len(rows))
    return places


def _rows(table, places):
    """The rows of a table that have a place, in that order, numbered from 0."""
    rows = np.flatnonzero(places >= 0)
    return table.iloc[rows[np.argsort(places[rows])]].reset_index(drop=True)


def _weights(inside, tables, user_at, item_at, shape, asof, weighting):
    """csr (U, I) of weights and, aligned with it, when each pair last happened."""
    names = ("positive_from", "window_days", "half_life_days")
    scored = score_frame(inside, asof=asof, **({n: getattr(tables.defaults, n) for n in names} | weighting))
    rows = user_at[codes_of(scored[USER], tables.profiles[USER])]
    order = pair_order(rows, item_at[codes_of(scored[ITEM], tables.catalog[ITEM])], shape)
    weights = csr_matrix((scored["weight"].to_numpy()[order.data], order.indices, order.indptr), shape)
    last = scored["last"].to_numpy()[order.data]
    last.flags.writeable = False
    return _frozen(weights), last


def _seen(inside, tables, user_at, item_at, shape):
    """csr (U, I) bool: what each user already has."""
    rows = is_kind(inside, tables.defaults.target)
    users = user_at[codes_of(inside[USER], tables.profiles[USER])[rows]]
    items = item_at[codes_of(inside[ITEM], tables.catalog[ITEM])[rows]]
    seen = csr_matrix((np.ones(len(users), bool), (users, items)), shape)
    seen.sum_duplicates()
    return _frozen(seen)


def _frozen(matrix):
    """The matrix with its arrays read-only and marked as sorted, so that nothing needs to sort them in place."""
    matrix.has_sorted_indices = matrix.has_canonical_format = True
    for array in (matrix.data, matrix.indices, matrix.indptr):
        array.flags.writeable = False
    return matrix
