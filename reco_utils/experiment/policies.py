"""From a model's lists to what the shop shows: the same items, counted in the shop's own order."""

import numpy as np
import pandas as pd

from reco_utils.core import TopK


def in_shop(lists: TopK, items: pd.Index, tastes) -> TopK:
    """Lists of a model as lists of the shop: rows in the order of `tastes.users`, positions in `tastes.items`.

    A Dataset counts its items in an order of its own and knows only those on sale at its cut; the shop's truth counts
    all it ever sold in the order of the catalogue.

    Parameters
    ----------
    lists : TopK, one row for every user of the shop, in any order
        E.g. `recommend(model, data.batch(tastes.users), 10)`: users the model does not know are strangers in it.
    items : (I,) ids that the positions of `lists` stand for: `data.items`
    tastes : ShopTastes

    Returns
    -------
    TopK with scores and notes, rows permuted

    Raises
    ------
    ValueError  for users without a list, or twice; KeyError  for items that the shop does not have
    """
    raise NotImplementedError
