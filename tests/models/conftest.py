"""Tiny shops made by hand: five people and five things, or random ones of any size."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset

ASOF = pd.Timestamp("2024-06-30")
# rows are ann, bob, cat, dan, eve; columns are i0 to i4; 0 is "never had it"
FIVE_BY_FIVE = [
    [2, 1, 0, 0, 0],
    [1, 2, 3, 0, 0],
    [1, 1, 0, 4, 0],
    [0, 0, 2, 1, 0],
    [0, 0, 0, 0, 0],
]


def describe(n_items) -> dict:
    """Text, category and price of things: i0 is a red oak toy, i1 a blue elm tool, i2 a green oak toy, ..."""
    colours, woods, kinds = ("red", "blue", "green"), ("oak", "elm"), ("Toys", "Tools")
    at = range(n_items)
    return {
        "category": [kinds[i % 2] for i in at],
        "price": [5.0 + i % 4 for i in at],
        "description": [f"{colours[i % 3]} {woods[i % 2]}" for i in at],
    }


def build(weights, *, days_ago=0, seen=None, users=None, profiles=None) -> Dataset:
    """A Dataset of a dense (U, I) array; `days_ago` (U, I) or one number is the age of the pairs at ASOF."""
    dense = np.asarray(weights, np.float32)
    matrix = csr_matrix(dense)
    n_users, n_items = dense.shape
    ages = np.broadcast_to(np.asarray(days_ago, float), dense.shape)[dense > 0]
    last = ASOF.to_datetime64().astype("M8[us]") - (ages * 86_400_000_000).astype("m8[us]")
    seen = csr_matrix(dense > 0 if seen is None else np.asarray(seen, bool))
    users = pd.Index([f"u{u}" for u in range(n_users)] if users is None else users, dtype=object)
    items = pd.Index([f"i{i}" for i in range(n_items)], dtype=object)
    catalog = pd.DataFrame({"item_id": items, "title": [f"thing {i}" for i in range(n_items)], **describe(n_items)})
    profiles = pd.DataFrame({"user_id": users}).assign(**(profiles or {}))
    for array in (matrix.data, matrix.indices, matrix.indptr, seen.data, seen.indices, seen.indptr, last):
        array.flags.writeable = False
    return Dataset(users, items, matrix, last, seen, catalog, profiles, ASOF)


def at_random(n_users, n_items, *, density=0.3, seed=0) -> Dataset:
    """A random Dataset with whole weights 1 to 5; the first user and the first item have no event at all."""
    rng = np.random.default_rng(seed)
    shape = (n_users, n_items)
    weights = rng.integers(1, 6, shape) * (rng.random(shape) < density)
    weights[0], weights[:, 0] = 0, 0
    places = np.array(["north", "south", None], object)[np.arange(n_users) % 3]
    return build(weights, days_ago=rng.integers(0, 100, shape), profiles={"location": places})


@pytest.fixture
def make_data():
    """The function `build(weights, days_ago, seen, users, profiles)`."""
    return build


@pytest.fixture
def make_random():
    """The function `at_random(n_users, n_items, density, seed)`."""
    return at_random


@pytest.fixture
def five():
    """Ann, Bob, Cat, Dan and Eve (who has nothing), and i0 to i4 (i4 was never sold)."""
    return build(FIVE_BY_FIVE, users=["ann", "bob", "cat", "dan", "eve"])
