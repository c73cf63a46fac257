"""The built-in shop's users: profiles, tastes that lean on them a little, activity and the time they signed up."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reco_utils.core import USER
from reco_utils.data.shop_catalog import N_INTERESTS, N_TASTES
from reco_utils.data.shop_tastes import DEVICES

GENDERS, GENDER_SHARES = ("female", "male", "other"), (0.50, 0.47, 0.03)
LOCATIONS = ("Berlin", "Hamburg", "Amsterdam", "Paris", "Lyon", "Stockholm", "Warsaw", "Madrid")
LOCATION_SHARES = (0.20, 0.12, 0.13, 0.16, 0.08, 0.11, 0.10, 0.10)
THRIFT = (0.0, -0.05, -0.1, 0.0, 0.1, -0.15, 0.25, 0.15)  # by location, on the log of price sensitivity
AGE_BANDS = (30, 45, 60)
NO_AGE, NO_GENDER, NO_LOCATION = 0.06, 0.06, 0.02
NEW_SHARE = 0.40  # of the users sign up during the period
INTEREST, STYLE, DEMOGRAPHIC, DRIFT = 0.60, 0.42, 0.35, 0.45  # spreads; the last two as shares of the first two


@dataclass(frozen=True, eq=False)
class People:
    """The shop's users: profiles, tastes at the end and their change (U, D), activity (U,), sign-up in ms (U,)."""

    table: pd.DataFrame
    factors: np.ndarray
    drift: np.ndarray
    device: np.ndarray
    activity: np.ndarray
    signup_ms: np.ndarray


def make_people(n_users: int, start: pd.Timestamp, n_days: int, rng: np.random.Generator) -> People:
    """Draw `n_users` with demographics, tastes that correlate weakly with them, and price sensitivity."""
    age = np.clip(np.round(rng.gamma(5.0, 5.2, n_users) + 16), 18, 85)
    band = np.digitize(age, AGE_BANDS)
    gender, location = _pick(GENDER_SHARES, n_users, rng), _pick(LOCATION_SHARES, n_users, rng)
    device = np.where(rng.random(n_users) < np.array([0.75, 0.6, 0.42, 0.3])[band], 1, 0)
    device[rng.random(n_users) < 0.08] = 2
    tastes, drift = _tastes((band, gender, location), n_users, rng)
    thrift = 0.15 * (1.5 - band) + np.array(THRIFT)[location] + rng.normal(0, 0.5, n_users)
    sensitivity = 0.8 * np.exp(thrift)
    factors = np.column_stack([tastes, np.ones(n_users), -sensitivity]).round(6)
    drift = np.column_stack([drift, np.zeros((n_users, 2))]).round(6)
    signup = _signups(n_users, n_days, rng)
    hidden = rng.random((3, n_users))
    table = pd.DataFrame(
        {
            USER: [f"u{i:0{len(str(n_users))}d}" for i in range(1, n_users + 1)],
            "age": np.where(hidden[0] < NO_AGE, np.nan, age),
            "gender": _named(GENDERS, np.where(hidden[1] < NO_GENDER, -1, gender)),
            "location": _named(LOCATIONS, np.where(hidden[2] < NO_LOCATION, -1, location)),
            "device": _named(DEVICES, device),
            "signup_at": start + pd.to_timedelta((signup * 86_400).round(), unit="s"),
        }
    )
    activity = rng.gamma(1.2, 1 / 1.2, n_users).round(6)
    return People(table, factors, drift, device.astype(np.int8), activity, (signup * 86_400).round() * 1e3)


def _pick(shares, n, rng):
    edges = np.cumsum(np.round(np.array(shares) * 1e6).astype(np.int64))
    return np.searchsorted(edges, rng.random(n) * edges[-1], side="right").astype(np.int32)


def _named(names, codes):
    return pd.Categorical.from_codes(codes, categories=list(names))


def _tastes(groups, n_users, rng):
    """Tastes (U, tastes) at the end and their drift; each demographic group leans some way, a person mostly her own."""
    spread = np.where(np.arange(N_TASTES) < N_INTERESTS, INTEREST, STYLE)
    own = rng.normal(0, spread, (n_users, N_TASTES))
    for group in groups:
        own += rng.normal(0, DEMOGRAPHIC * spread, (8, N_TASTES))[group]
    own -= own.mean(axis=0)  # no category or style is everybody's favourite: that is what an item's appeal is for
    return own, rng.normal(0, DRIFT * spread, (n_users, N_TASTES))


def _signups(n_users, n_days, rng):
    """Days from the start: some before it, evenly through it for the rest."""
    signup = -rng.exponential(250.0, n_users)
    new = rng.random(n_users) < NEW_SHARE
    signup[new] = rng.random(new.sum()) * (n_days - 0.2)
    return signup
