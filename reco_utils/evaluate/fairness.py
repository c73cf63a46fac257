"""Who is served worse, and what is shown less: gaps between slices, prices by user, places by brand.

    gap(found, by_profile(split.batch, "gender"), "ndcg")          # largest minus smallest mean; is it chance?
    compare(models, split, ["ndcg", AveragePrice(prices)], ...)    # then sliced(found, locations, "average_price")
    exposure(lists, by_size(train, brands), train)                 # do small brands get their share of places?
    NewcomerShare(is_small, label="small brands")                  # of `beyond`: their share of each list

A gap is a fact about lists, not yet a verdict: groups may want different things. What to do about it is for people.

Letters: B users, I items, K list length, S slices.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.special import stdtrit

from reco_utils.core import Dataset, Split, TopK
from reco_utils.evaluate.compare import LEVEL, N_RESAMPLES, Comparison, compare
from reco_utils.evaluate.listed import as_rows, checked_items, owners_of
from reco_utils.evaluate.slices import NO_SLICE, coded, only_items
from reco_utils.evaluate.stats import resampled_means

N_SHUFFLES = 1999  # p is at least 1 / 2000


# --------------------------------------------------------------------------------------------------------------- gaps
def gap(found: Comparison, labels, metric: str, *, min_users: int = 20) -> pd.DataFrame:
    """Largest minus smallest mean among slices of users, for every model.

    Slices that are alike differ by chance, and the largest minus the smallest of several means is never negative: with
    five slices of 30 users a gap of 0.4 standard deviations is what chance alone gives. So a gap stands beside the one
    that chance gives, `by_chance`, and beside p; a gap alone proves nothing.

    Parameters
    ----------
    labels : (B,) names, one per user
        As for `slices.sliced`. Users in no slice do not count.
    metric : str
        As for `Comparison.table`, a measure with one number per user.
    min_users : int, at least 2
        Slices of fewer users with a value do not count: one of three users is nearly always the best or the worst.

    Returns
    -------
    DataFrame, index `model`, columns

    - gap, low, high: with its interval, never below 0. Users are drawn with replacement within each slice; the largest
      minus the smallest of the S errors of the drawn means, at its 95th percentile, is added and taken away (in
      simulations of 2 to 5 slices it held the true gap 94 to 100 % of the time; a percentile interval of the gap
      itself 0 to 98 %). One small slice makes it wide: then p may be small though low is 0
    - by_chance, p: labels are shuffled 1,999 times; the mean gap, and p = (1 + gaps at least as large) / (1 + 1,999)
    - lowest, highest: names of the slices; slices, users: how many counted; left_out: users with a value who did not

    NaN with fewer than two slices that count.

    Raises
    ------
    KeyError  for a metric that was not compared
    ValueError  for a measure of all lists, labels that are not one per user, and min_users below 2

    Source: the interval is that of all pairs at once, Tukey (1953), by bootstrap; p: Fisher (1935).
    """
    codes, names = coded(labels, len(found.warm))
    label = found.label_of(metric)
    if label in found.of_lists:
        raise ValueError(f"a gap needs one number per user, but {label} is one number for all lists")
    _check_min_users(min_users)
    rows = {}
    for model in found.models:
        values = found.per_user[model, label].to_numpy(float)
        rows[model] = _gap(values, codes, names, min_users, found.seed)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def item_gap(found: Comparison, split: Split, labels, metric: str, *, min_users: int = 20) -> pd.DataFrame:
    """Largest minus smallest mean among slices of items: is the truth on cheap, old or well-known items found better?

    Each slice is judged by the users with truth in it (`slices.sliced_items`), and a user may be in several: users are
    drawn with replacement for all slices at once, and there is no shuffling.

    Parameters
    ----------
    split : Split
        The one `found` was made on.
    labels : (I,) names, one per item
    metric : str
        A label of `accuracy.measure`, such as "recall@10", or its name alone.
    min_users
        As for `gap`.

    Returns
    -------
    As for `gap`, without by_chance, p and left_out; users are those with truth in a slice that counts
    """
    codes, names = coded(labels, len(split.train.items), "item")
    _check_min_users(min_users)
    rng, judged = np.random.default_rng(found.seed), {}
    for at, name in enumerate(names):
        judged[name] = compare(found.lists, only_items(split, codes == at), [metric], found.k, rng=rng).per_user
    rows = {}
    for model in found.models:
        values = np.column_stack([np.empty((len(found.warm), 0)), *(judged[name][model] for name in names)])
        counted = (~np.isnan(values)).sum(axis=0) >= min_users
        values = values[:, counted]
        values = values[~np.isnan(values).all(axis=1)]
        draw = resampled_means(values, rng=np.random.default_rng([found.seed, 0]), n=N_RESAMPLES)
        kept = [name for name, enough in zip(names, counted) if enough]
        rows[model] = _gap_of(_means(values), draw, kept) | {"slices": len(kept), "users": len(values)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def _gap(values, codes, names, min_users, seed):
    """What `gap` says of one model, from values (B,) and the codes of the slices (B,)."""
    known = ~np.isnan(values)
    sizes = np.bincount(codes[known & (codes >= 0)], minlength=len(names))
    counted = known & (codes >= 0) & np.append(sizes >= min_users, False)[codes]
    values, codes = values[counted], codes[counted]
    order = np.argsort(codes, kind="stable")
    values, present = values[order], np.unique(codes)
    begins = np.searchsorted(codes[order], present)
    sizes = np.diff(np.append(begins, len(values)))
    parts = np.split(values, begins[1:])
    rng = np.random.default_rng([seed, 0])
    draws = [resampled_means(part[:, None], rng=rng, n=N_RESAMPLES) for part in parts if len(part)]
    draw = np.hstack(draws) if draws else np.empty((N_RESAMPLES, 0))
    row = _gap_of(np.array([part.mean() for part in parts if len(part)]), draw, [names[at] for at in present])
    row |= _by_chance(values, begins, sizes, row["gap"], np.random.default_rng([seed, 1]))
    return row | {"slices": len(present), "users": len(values), "left_out": int(known.sum()) - len(values)}


def _gap_of(means, draw, names):
    """The gap of means (S,), its interval from resampled means (R, S), and whose it is."""
    if len(means) < 2:
        return {"gap": np.nan, "low": np.nan, "high": np.nan, "lowest": None, "highest": None}
    found = np.ptp(means)
    reach = np.nanpercentile(np.ptp(draw - means, axis=1), 100 * LEVEL)
    lowest, highest = names[means.argmin()], names[means.argmax()]
    return {
        "gap": found, "low": max(found - reach, 0.0), "high": found + reach, "lowest": lowest, "highest": highest,
    }  # fmt: skip


def _by_chance(values, begins, sizes, found, rng):
    """The mean gap when slices of these sizes are dealt at random, and how rarely it reaches the one found."""
    if np.isnan(found):
        return {"by_chance": np.nan, "p": np.nan}
    gaps = np.empty(N_SHUFFLES)
    for at in range(N_SHUFFLES):
        gaps[at] = np.ptp(np.add.reduceat(rng.permutation(values), begins) / sizes)
    as_large = np.count_nonzero(gaps >= found - 1e-12 * np.abs(values).max())  # a tie in the last digits must count
    return {"by_chance": gaps.mean(), "p": (1 + as_large) / (1 + N_SHUFFLES)}


def _means(values):
    """Means of columns (B, S), NaN left out; every column has a value."""
    return np.nansum(values, axis=0) / (~np.isnan(values)).sum(axis=0)


def _check_min_users(n):
    if n < 2:
        raise ValueError(f"min_users must be at least 2, got {n}; one user shows no spread")


# -------------------------------------------------------------------------------------------------------------- prices
def average_price(lists: TopK, prices) -> np.ndarray:
    """Mean price of a list's items, those without a price left out.

    Parameters
    ----------
    prices : (I,) float, in the shop's currency
        NaN where unknown.

    Returns
    -------
    (B,) float64, in the same currency; NaN where no listed item has a price

    Raises
    ------
    ValueError  for prices that are not one per item, infinite or negative ones, and an item twice in a list
    """
    prices = np.asarray(prices, float)
    if prices.ndim != 1:
        raise ValueError(f"prices must be one number per item, got shape {prices.shape}")
    if np.isinf(prices).any() or (prices < 0).any():
        bad = prices[np.isinf(prices) | (prices < 0)]
        raise ValueError(f"prices must be finite and at least 0, or NaN where unknown, got {bad[:3].tolist()}")
    known = ~np.isnan(prices)
    listed = as_rows(checked_items(lists, len(prices)), known)
    counts = np.diff(listed.indptr)
    return np.divide(listed @ prices, counts, out=np.full(len(lists), np.nan), where=counts > 0)


@dataclass(frozen=True, eq=False)
class AveragePrice:
    """`average_price` by these prices (I,), to be compared by, e.g. across locations with `slices.sliced`."""

    prices: np.ndarray
    label: str = "average_price"

    def __call__(self, lists: TopK) -> np.ndarray:
        """(B,), one number per user."""
        return average_price(lists, self.prices)


# ------------------------------------------------------------------------------------------------------------ exposure
def exposure(lists: TopK, labels, train: Dataset | None = None) -> pd.DataFrame:
    """Share of all places that each group of items has, beside its share of the catalogue and of what users did.

    Parameters
    ----------
    labels : (I,) names, one per item
        E.g. `train.catalog["brand"]`, or its size, `slices.by_size`. Items in no group make the row "(no slice)".
    train : Dataset, optional
        Gives the share of interactions (user x item) before the lists were made.

    Returns
    -------
    DataFrame, index `slice`: places, catalogue and interactions are shares that each add up to 1; ratio is places /
    interactions (without `train`: places / catalogue), 1 where the group gets the places it had, with low and high: its
    95 % interval over the users who got the lists, the group's own share taken as given. NaN where there is nothing to
    divide by, and without lists; an interval needs two lists.

    Raises
    ------
    ValueError  for labels that are not one per item, and an item twice in a list

    Source: ours; the interval is that of a ratio of means, Cochran (1977), section 6.4.
    """
    n_items = len(np.asarray(labels, dtype=object))
    codes, names = coded(labels, n_items, "item")
    if train is not None and len(train.items) != n_items:
        raise ValueError(f"labels must be one name per item of train, {len(train.items)}, got {n_items}")
    items = checked_items(lists, n_items)
    if (codes < 0).any():
        codes, names = np.where(codes < 0, len(names), codes), [*names, NO_SLICE]
    groups = csr_matrix((np.ones(n_items), codes, np.arange(n_items + 1)), (n_items, len(names)))
    counts = as_rows(items, np.ones(n_items, bool)) @ groups
    places, error = _shares(counts)
    table = pd.DataFrame({"places": places, "catalogue": _shared(codes, None, len(names))})
    if train is not None:
        table["interactions"] = _shared(codes, owners_of(train), len(names))
    reference = table.iloc[:, -1].where(lambda share: share > 0)
    ends = {"low": np.maximum(places - error, 0), "high": np.minimum(places + error, 1)}
    table = table.assign(ratio=places / reference, **{end: share / reference for end, share in ends.items()})
    return table.set_axis(pd.Index(names, dtype=object, name="slice"))


def _shares(counts):
    """Share of all places per group (S,), from places by list and group csr (B, S), and the reach of its interval."""
    listed = np.asarray(counts.sum(axis=1)).ravel()
    total, n = listed.sum(), np.count_nonzero(listed)
    if not total:
        return np.full((2, counts.shape[1]), np.nan)
    share = np.asarray(counts.sum(axis=0)).ravel() / total
    squares = np.asarray(counts.multiply(counts).sum(axis=0)).ravel()
    # sum over lists of (places of the group - share * places)^2, without forming it
    spread = squares - 2 * share * (counts.T @ listed) + share**2 * (listed @ listed)
    if n < 2:
        return share, np.full(len(share), np.nan)
    return share, stdtrit(n - 1, (1 + LEVEL) / 2) * np.sqrt(np.maximum(spread, 0) * n / (n - 1)) / total


def _shared(codes, weights, n):
    """Share of the weights that each of n groups has; NaN when there are none."""
    sums = np.bincount(codes, weights, minlength=n).astype(float)
    return sums / sums.sum() if sums.sum() else np.full(n, np.nan)
