"""The small shop's people, and two sets of lists for them."""

import numpy as np
import pytest

from reco_utils.data.registry import load_dataset


@pytest.fixture(scope="session")
def shop():
    return load_dataset("shop", size="small").tastes


@pytest.fixture(scope="session")
def arms(shop):
    """What everybody likes on average, and what each one likes: an upper limit of personal lists."""
    likes = shop.user_factors @ shop.item_factors.T
    best = np.argsort(-likes, axis=1)[:, :10].astype(np.int32)
    popular = np.argsort(-likes.mean(axis=0))[:10].astype(np.int32)
    return {"control": np.tile(popular, (len(likes), 1)), "own": best}
