"""A dataset in a dozen figures: who buys, what sells, how full the matrix is; and those of the real sets, stored.

`portraits.csv` holds the figures of the real sets (figures only, none of their rows), so that any data can be laid
beside them offline. `write_portraits` makes the file again from the data on disk. Stored are Online Retail II, the
sheet of 2009-2010; RetailRocket, a sample of 2,174 visitors with repeats collapsed; MovieLens latest-small of September
2018; the 5-core of Amazon's gift cards of 2018.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from reco_utils.core import EVENT, ITEM, TIME, USER, Tables
from reco_utils.data.registry import load_dataset

STORED = Path(__file__).with_name("portraits.csv")
REAL_SETS = ("online-retail", "retailrocket", "movielens-latest-small", "amazon-2018-gift-cards")
STEPS = {"clicks per view": "click", "carts per view": "add_to_cart", "purchases per view": "purchase"}


def portrait(tables: Tables) -> pd.Series:
    """The figures that tell one dataset from another; only users and items with an event are counted.

    Returns
    -------
    Series named after the dataset, float64:
    users, items, events; days, from the first event to the last;
    popularity Gini, of the events per item: 0 when all items get the same, towards 1 when one gets everything;
    events per user, median and 90th percentile;
    clicks, carts and purchases per view, NaN where the log lacks one of the two event types;
    repeat share, of the target events: those that repeat one of the same user, item and type;
    one-event users, share of the users;
    density, share of the user-item pairs that have an event.

    Raises
    ------
    ValueError  without events
    """
    events = tables.events
    if not len(events):
        raise ValueError(f"{tables.name} has no events to draw a portrait of")
    per_user, per_item = (_counts(events[key]) for key in (USER, ITEM))
    kinds = events[EVENT].value_counts()
    views = kinds.get("view", 0)
    pairs = len(events[[USER, ITEM]].drop_duplicates())
    figures = {
        "users": len(per_user),
        "items": len(per_item),
        "events": len(events),
        "days": (events[TIME].max() - events[TIME].min()) / pd.Timedelta(days=1),
        "popularity Gini": gini(per_item),
        "events per user, median": np.median(per_user),
        "events per user, 90th percentile": np.percentile(per_user, 90),
    }
    figures |= {name: kinds[kind] / views if views and kinds.get(kind, 0) else np.nan for name, kind in STEPS.items()}
    figures |= {
        "repeat share": _repeat_share(events, tables.defaults.target),
        "one-event users": (per_user == 1).mean(),
        "density": pairs / (len(per_user) * len(per_item)),
    }
    return pd.Series(figures, dtype=float, name=tables.name)


def portraits() -> pd.DataFrame:
    """The stored portraits of the real sets: one row per figure of `portrait`, one column per dataset."""
    return pd.read_csv(STORED, index_col=0).rename_axis(None)


def beside_real_sets(tables: Tables) -> pd.DataFrame:
    """The portrait of `tables` beside those of the real sets, as text to read; "-" for what is unknown."""
    stored = portraits()
    mine = portrait(tables)
    others = stored.drop(columns=mine.name, errors="ignore")
    return pd.concat([mine.rename(f"{mine.name} (this run)"), others], axis=1).map(_read_aloud)


def gini(counts) -> float:
    """Gini coefficient of counts (n,): sum over i of (2 i - n - 1) c_i / (n sum c), c sorted upward, i from 1.

    Parameters
    ----------
    counts : (n,) numbers >= 0, at least one above 0

    Returns
    -------
    0 when all are equal, (n - 1) / n when one has everything

    Source: Gini (1912); this form in Damgaard and Weiner (2000).
    """
    counts = np.sort(np.asarray(counts, float))
    n = len(counts)
    if not n or not counts[-1] > 0 or counts[0] < 0:
        raise ValueError(f"counts must be 0 or more and at least one above 0, got {counts[:3].tolist()} ...")
    return float((2 * np.arange(1, n + 1) - n - 1) @ counts / (n * counts.sum()))


def write_portraits(path: Path = STORED, *, home: Path | None = None) -> pd.DataFrame:
    """Draw the portraits of `REAL_SETS` from the data in `home` (as in `load_dataset`) and store them as `path`."""
    drawn = pd.concat([portrait(load_dataset(name, home=home)) for name in REAL_SETS], axis=1)
    drawn.to_csv(path, index_label="figure", float_format="%.9g", lineterminator="\n")
    return drawn


def _counts(column):
    """Events of every id that has any, (n,)."""
    counts = column.value_counts().to_numpy()
    return counts[counts > 0]


def _repeat_share(events, target):
    """Share of the target events that repeat an earlier one of the same type; NaN without target events."""
    wanted = events.loc[events[EVENT].isin(target), [USER, ITEM, EVENT]]
    return wanted.duplicated().mean() if len(wanted) else np.nan


def _read_aloud(figure):
    """A figure with about three digits, as text."""
    if np.isnan(figure):
        return "-"
    return f"{figure:,.0f}" if abs(figure) >= 100 or figure == round(figure) else f"{figure:.3g}"
