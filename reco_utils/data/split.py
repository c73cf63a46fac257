"""Learn from the past, be judged on the future: a cut at one instant, leave-last-out, and an audit of what leaks."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from reco_utils.core import ITEM, TIME, USER, Split, Tables
from reco_utils.data.build import build_dataset, codes_of, is_kind, seeded_hash
from reco_utils.data.weighting import as_instant

TEST_DAYS = 28  # four whole weeks, so that every weekday weighs the same
TEST_SHARE = 0.2  # but at most a fifth of the time there is


def make_split(
    tables: Tables, *, part: str = "test", seed: int = 0, test_days: float | None = None, **weighting
) -> Split:
    """The split that suits these tables (`tables.defaults.split`), or the one before it to tune on.

    Parameters
    ----------
    part : "test" or "validation"
        "validation" takes one step back: the period before the test period, or each user's held-out event before the
        test one. Neither its training nor its truth holds any event of the test part's truth.
    test_days : float, optional
        Length of the test and of the validation period, see `cut_in_time`; leave-last-out knows no period.
    weighting
        Passed on to `build_dataset`, e.g. window_days or half_life_days. What counts as truth follows
        `tables.defaults` alone, so that two weightings are judged on the same truth.
    """
    if part not in ("test", "validation"):
        raise ValueError(f"part must be 'test' or 'validation', got {part!r}")
    if tables.defaults.split == "leave-last-out":
        if test_days is not None:
            raise ValueError(f"leave-last-out holds out one event per user; test_days must be None, got {test_days}")
        if part == "validation":
            tables = replace(tables, events=_hold_out(tables, seed)[0])
        return leave_last_out(tables, seed=seed, **weighting)
    at, until, days = _last_period(tables, test_days)
    if part == "validation":
        at, until = _back(at, days), at
    return cut_in_time(tables, at=at, until=until, seed=seed, **weighting)


def cut_in_time(
    tables: Tables, *, at=None, until=None, test_days: float | None = None, seed: int = 0, **weighting
) -> Split:
    """Training: all events with timestamp <= at. Truth: the positive target events in (at, until].

    Parameters
    ----------
    at : time, optional
        Default: `test_days` before the last target event, moved back to midnight when that is a week or more.
    until : time, optional
        Default: `at` plus `test_days` if both are given, else the last target event.
    test_days : float, optional
        Default: 28, or a fifth of the target events' time where that is less.
    seed, weighting
        Passed on to `build_dataset`.

    Returns
    -------
    Split; its batch has the users with truth. Somebody first seen after the cut is a stranger (position -1), with the
    profile that the tables have.

    Raises
    ------
    ValueError  when there is no target event, or nothing to learn from before the cut
    """
    default, end, _ = _last_period(tables, None if at is not None else test_days)
    if at is not None and until is None and test_days is not None:
        until = as_instant(at) + pd.Timedelta(days=test_days)
    at, until = default if at is None else as_instant(at), end if until is None else as_instant(until)
    if not at < until:
        raise ValueError(f"at must be before the end of the test period, {until}, got {at}")
    if not len(tables.events) or not tables.events[TIME].min() <= at:
        raise ValueError(f"at must leave events to learn from, the first is of {tables.events[TIME].min()}, got {at}")
    train = build_dataset(tables, asof=at, seed=seed, **weighting)
    times = tables.events[TIME]
    return _split(tables, train, _positive(tables) & (times > at).to_numpy() & (times <= until).to_numpy())


def leave_last_out(tables: Tables, *, seed: int = 0, **weighting) -> Split:
    """Truth: every user's last positive target event. Training: everybody's events before their own truth.

    This leaks time between users: others' training events happen after this user's truth, so a model knows what became
    popular later, and `asof` is the time of the last training event of all. It does not leak within a user: what the
    user did after the held-out event is in neither part. For a shop, cut in time; this is for ratings, where few people
    are there both before and after any one instant.

    Parameters
    ----------
    seed : int
        Of the hash of user and item that picks one of several events at the same last time, never the order of ids.
    weighting
        Passed on to `build_dataset`.

    Returns
    -------
    Split; users with fewer than two positive target events are not in its batch, but teach with all they did
    """
    rest, truth, later = _hold_out(tables, seed)
    train = build_dataset(replace(tables, events=rest), seed=seed, **weighting)
    return _split(tables, train, truth, {"events left out, after the user's truth": later})


def hold_out(tables: Tables, held_out, *, seed: int = 0, **weighting) -> Split:
    """Training: all events that are not `held_out`. Truth: the positive target events among those that are.

    Any choice of rows, good or bad, e.g. drawn at random: it leaks whatever the choice leaks, so ask `audit_leakage`.
    An undated item whose events are all held out stays in the catalogue.

    Parameters
    ----------
    held_out : (n,) bool
        One per event of `tables.events`, in their order.
    seed, weighting
        Passed on to `build_dataset`.

    Raises
    ------
    ValueError  for another number of flags, or when no event is left to learn from
    """
    held_out = np.asarray(held_out)
    if held_out.dtype != bool or held_out.shape != (len(tables.events),):
        raise ValueError(
            f"held_out must be one bool per event ({len(tables.events)},), got {held_out.dtype} {held_out.shape}"
        )
    train = build_dataset(
        replace(tables, events=tables.events[~held_out].reset_index(drop=True)), seed=seed, **weighting
    )
    return _split(tables, train, held_out & _positive(tables))


def audit_leakage(split: Split, tables: Tables) -> str:
    """One line that says whether training knows the truth, from the data and not from the name of the method.

    A leak is: a truth pair seen in training (unless lists may repeat); a user whose training runs past the truth, or
    holds the truth event itself; training later than its `asof`; an item created after `asof`. Training events of
    *other* users after a truth event are said, and are no leak of this kind.

    Returns
    -------
    str that begins with "no leak" or "LEAK"
    """
    train, rows = split.train, np.repeat(np.arange(len(split.batch)), np.diff(split.truth.indptr))
    if not len(rows):
        return "no leak, and nothing to measure: nobody has truth"
    known = split.batch.at[rows] >= 0
    users, items, when = split.batch.at[rows][known], split.truth.indices[known], _truth_times(split, tables, rows)
    seen = int((_entries(train.seen, users, items) >= 0).sum())
    entry = _entries(train.weights, users, items)
    past = np.unique(users[_latest(train)[users] > when[known]])
    faults = {
        f"{seen:,} truth pairs in training": 0 if split.keep_seen else seen,
        f"{len(past):,} users whose training runs past their truth": len(past),
        "truth pairs with a training event at or after the truth": (train.last[entry] >= when[known])[entry >= 0].sum(),
        f"training later than asof {train.asof}": (train.last > train.asof.to_datetime64()).sum(),
        f"items created after asof {train.asof}": _from_the_future(train, tables),
    }
    found = [what for what, count in faults.items() if count]
    if found:
        return "LEAK: " + "; ".join(found)
    first, last = when.min(), train.last.max() if len(train.last) else train.asof.to_datetime64()
    facts = f"{len(np.unique(rows)):,} users, last training event {_day(last)}, first truth {_day(first)}, "
    facts += f"{seen:,} truth pairs in training"
    if last >= first:
        return f"no leak within a user, but between users: {facts}, nobody's training runs past their own truth"
    return f"no leak: {facts}"


# ------------------------------------------------------------------------------------------------- what is held out
def _positive(tables):
    """Which events are truth when held out: target events, ratings from `positive_from` upward."""
    positive = is_kind(tables.events, tables.defaults.target)
    if tables.defaults.positive_from is not None and "rating" in tables.events:
        low = ~(tables.events["rating"] >= tables.defaults.positive_from).to_numpy()
        positive &= ~(low & is_kind(tables.events, ("rating",)))
    if not positive.any():
        raise ValueError(f"{tables.name} has no positive {' or '.join(tables.defaults.target)} events to hold out")
    return positive


def _last_period(tables, days):
    """Begin, end and length in days of the last period of the target events."""
    if days is not None and not days > 0:
        raise ValueError(f"test_days must be more than 0, got {days}")
    times = tables.events[TIME][_positive(tables)]
    begin, end = times.min(), times.max()
    if days is None:
        days = min(TEST_DAYS, TEST_SHARE * ((end - begin) / pd.Timedelta(days=1)))
    return _back(end, days), end, days


def _back(end, days):
    """`days` before `end`, at midnight when that is a week or more: sessions are then rarely cut in two."""
    at = end - pd.Timedelta(days=days)
    return at.floor("D") if days >= 7 else at.floor("us")


def _hold_out(tables, seed):
    """Events left to learn from, which events are truth (n,) bool, and how many events are in neither."""
    events = tables.events
    users, items = codes_of(events[USER], tables.profiles[USER]), codes_of(events[ITEM], tables.catalog[ITEM])
    times = events[TIME].to_numpy().astype("datetime64[us]").view(np.int64)
    rows = np.flatnonzero(_positive(tables))
    latest = np.full(len(tables.profiles), -1)
    np.maximum.at(latest, users[rows], times[rows])
    several = np.bincount(users[rows], minlength=len(latest)) > 1
    rows = rows[several[users[rows]] & (times[rows] == latest[users[rows]])]
    luck = _mix(
        seeded_hash(tables.profiles[USER], seed)[users[rows]], seeded_hash(tables.catalog[ITEM], seed)[items[rows]]
    )
    order = np.lexsort((luck, users[rows]))
    chosen = rows[order][np.append(np.diff(users[rows][order]) != 0, True)[: len(rows)]]
    item_of = np.full(len(latest), -1)
    item_of[users[chosen]] = items[chosen]
    gone = several[users] & ((times > latest[users]) | ((times == latest[users]) & (items == item_of[users])))
    truth = np.zeros(len(events), bool)
    truth[chosen] = True
    return events[~gone].reset_index(drop=True), truth, int(gone.sum()) - len(chosen)


def _mix(user_hash, item_hash):
    """One number per pair from two hashes; source: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    x = user_hash * np.uint64(0x9E3779B97F4A7C15) ^ item_hash
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _split(tables, train, held_out, more=None):
    """The Split whose truth is the events `held_out` (n,) bool, as far as training knows their items."""
    events, profiles = tables.events[held_out], tables.profiles
    users, items = codes_of(events[USER], profiles[USER]), codes_of(events[ITEM], tables.catalog[ITEM])
    pairs = np.unique(users.astype(np.int64) * len(tables.catalog) + items)
    users, items = np.divmod(pairs, max(len(tables.catalog), 1))
    items = train.items.get_indexer(tables.catalog[ITEM])[items]
    at = train.users.get_indexer(profiles[USER])[users]
    unknown = items < 0
    seen = np.zeros(len(pairs), bool)
    both = ~unknown & (at >= 0)
    seen[both] = _entries(train.seen, at[both], items[both]) >= 0
    kept = ~unknown if tables.defaults.keep_seen else ~unknown & ~seen
    asking, rows = np.unique(users[kept], return_inverse=True)
    asking_profiles = profiles.iloc[asking].reset_index(drop=True)
    batch = train.batch(pd.Index(asking_profiles[USER]), profiles=asking_profiles)
    truth = csr_matrix((np.ones(len(rows), np.float32), (rows, items[kept])), batch.history.shape)
    truth.sort_indices()
    sold = np.bincount(train.weights.indices, minlength=len(train.items)) > 0
    counts = {
        "asof": train.asof,
        "users": len(batch),
        "warm users": int((batch.n_items > 0).sum()),
        "cold users": int((batch.n_items == 0).sum()),
        "strangers among the cold": int((batch.at < 0).sum()),
        "users left out, no truth remained": len(np.unique(users)) - len(batch),
        "events held out": len(events),
        "pairs held out": len(pairs),
        "pairs left out, item unknown at asof": int(unknown.sum()),
        "pairs left out, seen before": int((~unknown & ~kept).sum()),
        "truth pairs": int(kept.sum()),
        "share of pairs with an unknown item": float(unknown.mean()) if len(pairs) else np.nan,
        "share of truth on cold items": float((~sold[truth.indices]).mean()) if truth.nnz else np.nan,
    }
    report = pd.Series(counts | (more or {}), dtype=object, name="split")
    return Split(train, batch, truth, tables.defaults.target, tables.defaults.keep_seen, report)


# ----------------------------------------------------------------------------------------------------- for the audit
def _entries(matrix, rows, columns):
    """Where the entries at (rows, columns) stand in `matrix.data`, (n,); -1 where nothing is stored."""
    numbers = csr_matrix((np.arange(1, matrix.nnz + 1), matrix.indices, matrix.indptr), matrix.shape)
    return np.asarray(numbers[rows, columns]).ravel() - 1 if len(rows) else np.empty(0, np.int64)


def _latest(train):
    """When each user's training ends, (U,); NaT, which is later than nothing, without training."""
    latest = np.full(len(train.users), np.iinfo(np.int64).min)
    rows = np.repeat(np.arange(len(train.users)), np.diff(train.weights.indptr))
    np.maximum.at(latest, rows, train.last.astype("datetime64[us]").view(np.int64))
    return latest.view("datetime64[us]")


def _truth_times(split, tables, rows):
    """When each truth pair happened: the pair's first target event after `asof`, or else its last one."""
    target = tables.events[is_kind(tables.events, split.target)]
    n_items = len(tables.catalog)
    users = pd.Index(tables.profiles[USER]).get_indexer(split.batch.users)[rows].astype(np.int64)
    items = pd.Index(tables.catalog[ITEM]).get_indexer(split.train.items)[split.truth.indices]
    wanted, inverse = np.unique(users * n_items + items, return_inverse=True)
    keys = codes_of(target[USER], tables.profiles[USER]).astype(np.int64) * n_items
    keys += codes_of(target[ITEM], tables.catalog[ITEM])
    place = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    hit = wanted[place] == keys
    place, times = place[hit], target[TIME].to_numpy().astype("datetime64[us]").view(np.int64)[hit]
    if np.bincount(place, minlength=len(wanted)).min() == 0:
        raise ValueError(f"the split holds pairs that are no {' or '.join(split.target)} event of {tables.name}")
    asof = split.train.asof.to_datetime64().astype("datetime64[us]").astype(np.int64)
    last = np.full(len(wanted), np.iinfo(np.int64).min)
    np.maximum.at(last, place, times)
    next_ = np.full(len(wanted), np.iinfo(np.int64).max)
    np.minimum.at(next_, place[times > asof], times[times > asof])
    return np.minimum(last, next_)[inverse].view("datetime64[us]")


def _from_the_future(train, tables):
    """How many items in training were created after `asof` and had no event by then."""
    catalog, events = tables.catalog, tables.events
    if "created_at" not in catalog:
        return 0
    young = catalog[ITEM][catalog["created_at"] > train.asof]
    touched = events[ITEM][(events[TIME] <= train.asof) & events[ITEM].isin(young)]
    return int((young.isin(train.items) & ~young.isin(touched.astype(str))).sum())


def _day(when):
    return str(np.datetime64(when, "D"))
