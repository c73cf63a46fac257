"""What is served changes in one step, survives a broken store, and forgets at once."""

import json
import logging
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from reco_utils.serve import live as module
from reco_utils.serve.artifact import (
    ArtifactError,
    Published,
    forget_user,
    load,
    publish,
    published,
    rollback,
    save,
    versions,
)
from reco_utils.serve.live import Live, lot

HOUR = 3600.0


@pytest.fixture
def home(light, tmp_path):
    """A store with one light version, published."""
    home = tmp_path / "store"
    publish(home, save(light, home))
    return home


def only(home) -> str:
    return versions(home)["version"].item()


def break_version(home, version):
    """Cut a file of a version short."""
    path = max((home / version).glob("*.npy"), key=lambda p: p.stat().st_size)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])


# ------------------------------------------------------------------------------------------------------------- refresh
def test_the_published_version_is_served(home):
    live = Live(home)
    assert live.published == Published(only(home))
    assert live.at("anybody").manifest.version == live.at().manifest.version == only(home)
    assert live.canary is None
    assert live.trouble == ()


def test_a_new_publication_is_noticed_and_nothing_else(light, home):
    live = Live(home)
    first = live.stable
    assert not live.refresh()
    second = save(light, home)
    assert not live.refresh()  # saved, not published
    publish(home, second)
    assert live.at("ann") is first  # until somebody looks
    assert live.refresh()
    assert live.stable.manifest.version == second
    assert not live.refresh()
    rollback(home)
    assert live.refresh()
    assert live.stable.manifest.version == first.manifest.version


def test_who_took_the_old_artifact_keeps_it(light, home):
    live = Live(home)
    mine = live.at("u001")
    publish(home, save(light, home))
    live.refresh()
    assert live.at("u001") is not mine
    assert mine.pipeline(mine.data.batch(["u001"]), 5).items.shape == (1, 5)


def test_a_canary_that_becomes_stable_is_not_loaded_again(light, home, monkeypatch):
    second = save(light, home)
    publish(home, second, canary=0.5)
    live = Live(home)
    canary = live.canary
    publish(home, second)
    monkeypatch.setattr(module, "load", None)
    assert live.refresh()
    assert live.stable is canary
    assert live.canary is None


# -------------------------------------------------------------------------------------------------------------- canary
def test_a_canary_serves_its_share_and_always_the_same_users(light, home):
    first, second = only(home), save(light, home)
    publish(home, second, canary=0.1)
    live = Live(home)
    users = [f"user {n}" for n in range(5_000)]
    tried = {user for user in users if live.at(user).manifest.version == second}
    assert abs(len(tried) / 5_000 - 0.1) < 0.02  # five standard deviations: sqrt(.1 * .9 / 5000) = 0.004
    assert all((live.at(user).manifest.version == second) == (user in tried) for user in users)
    assert live.at(None).manifest.version == first
    assert live.published == Published(first, second, 0.1)


def test_a_larger_share_keeps_those_who_had_it_and_another_canary_takes_others(light, home):
    second = save(light, home)
    users = [f"user {n}" for n in range(1_000)]
    tried = []
    for share in (0.1, 0.3):
        publish(home, second, canary=share)
        live = Live(home)
        tried.append({user for user in users if live.at(user) is live.canary})
    assert tried[0] < tried[1]
    third = save(light, home)
    publish(home, third, canary=0.1)
    live = Live(home)
    others = {user for user in users if live.at(user) is live.canary}
    assert len(others & tried[0]) < 40  # about a tenth of a tenth


def test_a_lot_is_spread_evenly_and_depends_on_both_words():
    lots = np.array([lot(f"u{n}", "v1") for n in range(10_000)])
    assert lots.min() >= 0
    assert lots.max() < 1
    assert np.histogram(lots, 10, (0, 1))[0].min() > 850  # 1,000 each, standard deviation 30
    other = np.array([lot(f"u{n}", "v2") for n in range(10_000)])
    assert abs(np.corrcoef(lots, other)[0, 1]) < 0.05
    assert lot("ab", "c") != lot("a", "bc")
    assert 0 <= lot("\ud800", "v1") < 1


# --------------------------------------------------------------------------------------------------------------- faults
def test_without_a_publication_there_is_nothing_to_serve_and_no_exception(light, tmp_path):
    live = Live(tmp_path / "nowhere")
    with pytest.raises(ArtifactError, match="nothing is published in nowhere"):
        live.at("ann")
    with pytest.raises(ArtifactError, match="nothing is published"):
        _ = live.stable
    assert live.published == Published()
    assert live.forget("ann") == 0
    publish(tmp_path / "nowhere", save(light, tmp_path / "nowhere"))
    assert live.refresh()
    assert live.at("ann")


def test_a_broken_new_version_is_refused_logged_once_and_the_old_one_stays(light, home, caplog):
    live, second = Live(home), save(light, home)
    old = live.stable
    publish(home, second)
    break_version(home, second)
    with caplog.at_level(logging.ERROR):
        assert not live.refresh()
        assert not live.refresh()
    assert live.stable is old
    assert len(live.trouble) == 1
    assert live.trouble[0].startswith(f"{second} cannot be served: {second}/")
    assert [record.getMessage() for record in caplog.records] == list(live.trouble)
    rollback(home)
    assert not live.refresh()  # the same one as before is served, now rightly
    assert live.trouble == ()


def test_a_broken_version_that_is_mended_is_served(light, home):
    live, second = Live(home), save(light, home)
    publish(home, second)
    (home / second).rename(home / "away")
    assert not live.refresh()
    (home / "away").rename(home / second)
    assert live.refresh()
    assert live.stable.manifest.version == second


def test_at_the_start_an_older_version_serves_while_the_published_one_is_broken(light, home):
    first, second, third = only(home), save(light, home), save(light, home)
    for version in (second, third):
        publish(home, version)
        break_version(home, version)
    live = Live(home)
    assert live.stable.manifest.version == first
    assert [sentence.split()[0] for sentence in live.trouble] == [third, second]


def test_a_broken_canary_leaves_everybody_on_the_stable_version(light, home):
    first, second = only(home), save(light, home)
    publish(home, second, canary=0.9)
    break_version(home, second)
    live = Live(home)
    assert {live.at(f"u{n}").manifest.version for n in range(50)} == {first}
    assert live.published == Published(first)
    assert "cannot be served" in live.trouble[0]


@pytest.mark.parametrize("text", ["", "{", '{"format": 9}'])
def test_a_published_file_that_makes_no_sense_changes_nothing_that_is_served(home, text):
    live = Live(home)
    good = (home / "published.json").read_text()
    (home / "published.json").write_text(text)
    assert not live.refresh()
    assert live.stable.manifest.version == only_loaded(live)
    assert "published.json" in live.trouble[0]
    (home / "published.json").write_text(good)
    live.refresh()
    assert live.trouble == ()


def only_loaded(live) -> str:
    return live.published.version


def test_a_store_that_is_gone_changes_nothing_that_is_served(home):
    live = Live(home)
    home.rename(home.with_name("gone"))
    assert not live.refresh()
    assert live.at("u001").pipeline is live.stable.pipeline


def test_a_disk_that_fails_is_trouble_and_no_exception(light, home, monkeypatch):
    live = Live(home)
    publish(home, save(light, home))

    def fails(*args, **options):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(module, "load", fails)
    assert not live.refresh()
    assert "Input/output error" in live.trouble[0]
    monkeypatch.setattr(module, "published", fails)
    assert not live.refresh()
    assert live.at("ann")


def test_requests_never_see_half_an_exchange(light, home):
    names = [only(home), save(light, home)]
    live, wrong, stop = Live(home), [], threading.Event()

    def ask():
        while not stop.is_set():
            artifact = live.at("u001")
            if artifact.manifest.version not in names or not len(artifact.candidates) == len(artifact.data.users):
                wrong.append(artifact.manifest.version)
            time.sleep(0.0005)

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    for n in range(4):
        publish(home, names[(n + 1) % 2])
        assert live.refresh()
        live.forget(f"u00{n + 1}")
    stop.set()
    for asker in askers:
        asker.join()
    assert wrong == []


# -------------------------------------------------------------------------------------------------------------- forget
def test_a_user_is_forgotten_at_once_in_the_stable_version_and_the_canary(light, home, clock):
    publish(home, save(light, home), canary=0.5)
    live = Live(home, clock=clock)
    before = live.stable
    assert live.forget("u001") == 2
    assert not live.stable.knows("u001")
    assert not live.canary.knows("u001")
    assert before.knows("u001")  # whoever is at it may finish
    assert live.stable.knows("u002")
    assert live.forget("u001") == 0
    assert live.forget("nobody") == 0


def test_what_is_loaded_later_is_forgotten_too_if_it_was_trained_before(light, home, clock):
    live = Live(home, clock=clock)
    clock.now += 60
    live.forget("u001")
    publish(home, save(light, home))  # trained a minute before
    assert live.refresh()
    assert not live.stable.knows("u001")
    assert live.stable.knows("u002")


def test_who_comes_back_is_known_to_a_later_training(light, home, clock):
    live = Live(home, clock=clock)
    clock.now -= 60
    live.forget("u001")  # and then a training begins that knows them
    publish(home, save(light, home))
    live.refresh()
    assert live.stable.knows("u001")


def test_what_another_process_had_forgotten_on_disk_is_forgotten_in_memory(home, clock):
    ours, theirs = Live(home, clock=clock), Live(home, clock=clock)
    clock.now += 60
    theirs.forget("u001")
    forget_user(home, "u001", clock=clock)
    assert ours.stable.knows("u001")
    assert not ours.refresh()  # the version is the same
    assert not ours.stable.knows("u001")
    mended = ours.stable
    ours.refresh()
    assert ours.stable is mended  # nothing is done twice
    assert not load(home).knows("u001")


def test_no_id_is_remembered_in_order_to_forget_it(home, clock):
    live = Live(home, clock=clock)
    live.forget("u001")
    assert "u001" not in json.dumps([repr(vars(live)[name]) for name in ("_forgotten", "_salt", "_told_to_forget")])


def test_a_list_of_the_forgotten_that_makes_no_sense_is_trouble(home, clock):
    live = Live(home, clock=clock)
    (home / "forgotten.json").write_text("{")
    assert not live.refresh()
    assert "forgotten.json or forgotten.key makes no sense" in live.trouble[0]
    assert live.at("u001")
    (home / "forgotten.json").unlink()
    live.refresh()
    assert live.trouble == ()


def test_a_home_may_be_a_text(home):
    assert Live(str(home)).at("u001").manifest.version == published(Path(home)).version
