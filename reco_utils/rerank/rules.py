"""What may be shown at all: masks that act before the cut, so that a list of k stays a list of k.

A filter behind the cut leaves holes: if three of ten products are sold out, seven are left. These masks go into
`recommend(model, batch, k, allow=allowed(...), forbid=forbidden(...))`, which cuts from what remains.

Letters: B requests, I items.
"""

from collections.abc import Collection, Hashable, Mapping
from difflib import get_close_matches

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from reco_utils.core import ITEM, Dataset, UserBatch
from reco_utils.rerank.interests import label_codes


def allowed(
    catalog: pd.DataFrame,
    *,
    in_stock: bool = True,
    price: tuple[float | None, float | None] = (None, None),
    categories: Collection | None = None,
    brands: Collection | None = None,
    not_categories: Collection = (),
    not_brands: Collection = (),
    blocked_items: Collection = (),
) -> np.ndarray:
    """Which items may be shown to anybody: those that pass every rule.

    What is not known fails a rule that asks for something, and passes a rule that rules something out: an item without
    a price is in no price range, one without a category is in no list of categories, and neither is sold out.

    Parameters
    ----------
    catalog : DataFrame, I rows, e.g. `data.catalog`
    in_stock : bool
        Only what is not known to be sold out. A catalogue without the column `in_stock` knows of nothing sold out.
    price : (lowest, highest), both included; None: no limit on that side
    categories, brands : names, optional
        Only these.
    not_categories, not_brands : names
        None of these.
    blocked_items : item ids
        An id that the catalogue does not have (any more) is blocked in any case.

    Returns
    -------
    (I,) bool, for `recommend(allow=...)`

    Raises
    ------
    ValueError  for a column the catalogue does not have, a price range upside down, or a name that no item has
    TypeError  for one name instead of several, or ids of another type than the catalogue's
    """
    if not isinstance(in_stock, (bool, np.bool_)):
        raise TypeError(f"in_stock must be True (only what is in stock) or False (no rule), got {in_stock!r}")
    fine = np.ones(len(catalog), bool)
    if in_stock and "in_stock" in catalog:
        fine &= ~_is_false(catalog["in_stock"])
    fine &= _within(catalog, *price)
    for column, only, never in (("category", categories, not_categories), ("brand", brands, not_brands)):
        if only is not None:
            fine &= _one_of(catalog, column, only)
        if len(_several(column, never)):
            fine &= ~_one_of(catalog, column, never)
    return fine & ~np.isin(np.arange(len(catalog)), _found(pd.Index(catalog[ITEM]), blocked_items, "blocked_items"))


def forbidden(
    batch: UserBatch,
    data: Dataset,
    *,
    items: Mapping[Hashable, Collection] | None = None,
    categories: Mapping[Hashable, Collection] | None = None,
    brands: Mapping[Hashable, Collection] | None = None,
) -> csr_matrix:
    """What must not be shown to whom: everything that a user's own blocklists name.

        forbidden(batch, data, brands={"ann": ["Acme"]}, items={"bob": [17, 23]})

    Blocklists are older than catalogues: a name or id that no item has (any more) hides nothing and is no error, nor is
    a user who is not in the batch.

    Parameters
    ----------
    items, categories, brands : dict of user id to item ids or names, optional

    Returns
    -------
    csr (B, I) bool, for `recommend(forbid=...)`; every stored entry counts

    Raises
    ------
    ValueError  for a column the catalogue does not have, or a batch of another catalogue
    TypeError  for one name instead of several, or ids of another type than the catalogue's
    """
    shape = (len(batch), len(data.items))
    if batch.history.shape != shape:
        raise ValueError(
            f"the batch has {batch.history.shape[1]} items, the catalogue {shape[1]}; make it from this data"
        )
    hidden = csr_matrix(shape, dtype=bool)
    if items:
        hidden = hidden + _rows(batch, items, data.items, "items")
    for column, lists in (("category", categories), ("brand", brands)):
        if lists:
            codes, names = label_codes(_column(data.catalog, column))
            by_name = _rows(batch, lists, pd.Index(names), column)
            known = np.flatnonzero(codes >= 0)
            members = csr_matrix((np.ones(len(known), bool), (codes[known], known)), (len(names), shape[1]))
            hidden = hidden + by_name @ members
    hidden.sort_indices()
    return hidden.astype(bool)


def _is_false(column):
    """Where a column of flags says no (I,) bool; a missing flag does not."""
    return column.astype("boolean").eq(False).fillna(False).to_numpy(bool)


def _within(catalog, low, high):
    """Items with a price from low to high (I,) bool; all of them without a limit."""
    if low is None and high is None:
        return np.ones(len(catalog), bool)
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    if not low <= high:
        raise ValueError(f"price must be (lowest, highest), got ({low}, {high})")
    return _column(catalog, "price").between(low, high).fillna(False).to_numpy(bool)


def _one_of(catalog, column, names):
    """Items whose label is one of `names` (I,) bool, every name being that of some item."""
    labels, names = _column(catalog, column), list(_several(column, names))
    there = labels.dropna().unique().tolist()
    unknown = [name for name in names if name not in there]
    if unknown:
        near = get_close_matches(str(unknown[0]), [str(name) for name in there], 1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no item has the {column} {unknown[:3]}; there are {len(there)}, e.g. {there[:5]}{hint}")
    return labels.isin(names).to_numpy(bool)


def _column(catalog, name):
    """A column of the catalogue, or a refusal that says which there are."""
    if name not in catalog:
        raise ValueError(f"catalog has no column {name!r}, so there is no rule on it; it has {list(catalog.columns)}")
    return catalog[name]


def _several(what, names):
    """Several names or ids; a lone string would be taken letter by letter."""
    if isinstance(names, str) or not np.iterable(names):
        raise TypeError(f"{what} must be a list, got {names!r}; write [{names!r}]")
    return names


def _found(index, ids, what):
    """Positions in `index` (n,) of ids (n,), -1 for those that it does not have."""
    ids = pd.Index(list(_several(what, ids)))
    if len(ids) and len(index) and pd.api.types.is_numeric_dtype(ids) != pd.api.types.is_numeric_dtype(index):
        raise TypeError(f"{what} are {index.dtype} here, got {ids.dtype} ({ids[:3].tolist()})")
    return index.get_indexer(ids)


def _rows(batch, lists, index, what):
    """The blocklists as csr (B, entries of `index`) bool; users without one have an empty row."""
    named = [_several(what, lists.get(user, ())) for user in batch.users]
    rows = np.repeat(np.arange(len(named)), np.array([len(names) for names in named], int))
    at = _found(index, [name for names in named for name in names], what)
    rows, at = rows[at >= 0], at[at >= 0]
    return csr_matrix((np.ones(len(at), bool), (rows, at)), (len(named), len(index)))
