"""Versions that are whole or not there, published in one step, whatever fails or is killed on the way."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from numpy.testing import assert_array_equal

from reco_utils.core import TopK
from reco_utils.serve import artifact as store
from reco_utils.serve import lock, plain
from reco_utils.serve.artifact import (
    ArtifactError,
    Published,
    forget_user,
    load,
    prune,
    publish,
    published,
    rollback,
    save,
    versions,
)


@pytest.fixture
def light_home(light, tmp_path):
    """A store with one light version, published."""
    home = tmp_path / "light"
    publish(home, save(light, home))
    return home


def lists_of(artifact, users, **options):
    return artifact.pipeline(artifact.data.batch(users, **options), 10)


def assert_same_lists(one: TopK, two: TopK):
    assert one.items.tobytes() == two.items.tobytes()
    assert one.scores.tobytes() == two.scores.tobytes()


def leftovers(home) -> list[str]:
    known = {"published.json", "forgotten.json", "forgotten.key"}
    return [p.name for p in home.iterdir() if p.name not in known and not store.VERSION.fullmatch(p.name)]


def only(home) -> str:
    return versions(home)["version"].item()


def damage(home, version, change):
    """Change the manifest of a version by a function of its dict."""
    path = home / version / "manifest.json"
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))


# -------------------------------------------------------------------------------------------------------- save and load
def test_lists_of_the_loaded_artifact_are_those_of_the_trained_one_bit_for_bit(trained, home):
    loaded = load(home)
    users = [*trained.data.users, "a stranger", "another"]
    session = [[] for _ in users]
    session[1] = session[-1] = list(trained.data.items[:4])
    assert_same_lists(lists_of(loaded, users, history=session), lists_of(trained, users, history=session))
    assert_same_lists(loaded.candidates, trained.candidates)
    assert_array_equal(loaded.embeddings, trained.embeddings)
    assert_array_equal(loaded.popular, trained.popular)
    assert loaded.features.equals(trained.features)
    assert loaded.search.search("oak", 5).items.tolist() == trained.search.search("oak", 5).items.tolist()
    assert loaded.manifest == replace(trained.manifest, version=only(home), files=loaded.manifest.files)


def test_the_dataset_is_stored_once_and_frozen_parts_are_fitted_on_it(home):
    loaded = load(home)
    cohort = loaded.pipeline.model.bands_[0].model
    assert cohort.data is loaded.data
    assert cohort.fit(loaded.data) is cohort
    assert loaded.pipeline.rerankers[0].vectors is loaded.similar.vectors_


def test_versions_stand_side_by_side_the_newest_first(light, light_home):
    first, second = only(light_home), save(light, light_home)
    assert first[:6] == "000001"
    assert second[:6] == "000002"
    table = versions(light_home)
    assert table["version"].tolist() == [second, first]
    assert table["status"].tolist() == ["", "stable"]
    assert table["n_users"].tolist() == [500, 500]
    assert (table["bytes"] > 100_000).all()
    assert load(light_home).manifest.version == first  # the published one
    assert load(light_home, second).manifest.version == second


def test_without_a_published_version_the_newest_is_loaded(light, tmp_path):
    save(light, tmp_path)
    second = save(light, tmp_path)
    assert published(tmp_path) == Published()
    assert load(tmp_path).manifest.version == second


def test_saving_at_the_same_time_gives_different_versions(light, tmp_path):
    with ThreadPoolExecutor(3) as pool:
        names = [job.result() for job in [pool.submit(save, light, tmp_path) for _ in range(3)]]
    assert sorted(name[:6] for name in names) == ["000001", "000002", "000003"]
    assert all(load(tmp_path, name) for name in names)
    assert leftovers(tmp_path) == []


def test_a_store_that_is_none_is_refused(tmp_path, light):
    with pytest.raises(ArtifactError, match="there is no version in nowhere; save one first"):
        load(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ArtifactError, match="there is no version in"):
        load(tmp_path)
    assert versions(tmp_path).empty
    assert published(tmp_path) == Published()
    with pytest.raises(ArtifactError, match="nowhere is no store"):
        rollback(tmp_path / "nowhere")
    assert forget_user(tmp_path / "nowhere", "ann") == {}
    with pytest.raises(FileExistsError):
        save(light, tmp_path / "notes.txt")


@pytest.mark.parametrize("version", ["000009-00000000", "../store", "/etc", "", ".saving-0123456789abcdef"])
def test_an_unknown_version_is_refused_by_name(light_home, version):
    with pytest.raises(ArtifactError, match="no version"):
        publish(light_home, version)
    if version:
        with pytest.raises(ArtifactError, match="no version"):
            load(light_home, version)


def test_a_version_of_a_newer_format_is_refused(light_home):
    damage(light_home, only(light_home), lambda told: told.update(format=2))
    with pytest.raises(ArtifactError, match="has format 2, this code reads 1: update this code"):
        load(light_home)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.pop("files"), lambda told: told.pop("format"), lambda told: told.update(extra=1),
        lambda told: told.update(version="000007-00000000"), lambda told: told.update(files=[1]),
    ],
)  # fmt: skip
def test_a_manifest_that_makes_no_sense_is_refused(light_home, change):
    damage(light_home, only(light_home), change)
    with pytest.raises(ArtifactError, match=f"{only(light_home)}/manifest.json|there must be"):
        load(light_home)


def test_a_manifest_cut_short_is_refused_and_shown(light_home):
    version = only(light_home)
    path = light_home / version / "manifest.json"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ArtifactError, match="makes no sense .* cut short or altered"):
        load(light_home)
    assert "cut short or altered" in versions(light_home)["status"].item()


def test_a_model_file_cut_short_or_altered_is_refused_by_name(light_home):
    version = only(light_home)
    path = max((light_home / version).glob("*.npy"), key=lambda p: p.stat().st_size)
    path.chmod(0o644)
    whole = path.read_bytes()
    for content in (whole[:-1], b"", whole[:-1] + bytes([whole[-1] ^ 1])):
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match=f"{version}/{path.name}: sha256"):
            load(light_home)
        with pytest.raises(ArtifactError, match=path.name):
            publish(light_home, version)
    assert published(light_home).version == version


def test_something_else_in_the_form_of_a_version_is_refused(light_home):
    folder = light_home / "000002-00000000"
    files = plain.write({"pipeline": 1}, folder)
    shutil.copy(light_home / only_good(light_home) / "manifest.json", folder)
    damage(light_home, folder.name, lambda told: told.update(version=folder.name, files=files))
    with pytest.raises(ArtifactError, match="holds something else than an artifact"):
        load(light_home, folder.name)


def only_good(home) -> str:
    return published(home).version


# ------------------------------------------------------------------------------------------- publish, roll back, prune
def test_publish_canary_and_rollback_tell_what_is_served(light, light_home):
    first, second = only(light_home), save(light, light_home)
    assert publish(light_home, second, canary=0.05) == Published(first, second, 0.05)
    assert versions(light_home)["status"].tolist() == ["canary", "stable"]
    assert rollback(light_home) == Published(first)  # the canary ends, the stable one stays
    assert publish(light_home, second) == Published(second, history=(first,))
    assert published(light_home).previous == first
    assert versions(light_home)["status"].tolist() == ["stable", "previous"]
    assert publish(light_home, second) == Published(second, history=(first,))  # again changes nothing
    assert rollback(light_home) == Published(first)
    assert published(light_home) == Published(first)


def test_rolling_back_twice_goes_back_twice_and_never_forth(light, light_home):
    first, second, third = only(light_home), save(light, light_home), save(light, light_home)
    publish(light_home, second)
    publish(light_home, third)
    assert [rollback(light_home).version, rollback(light_home).version] == [second, first]
    with pytest.raises(ArtifactError, match=f"there is no version before {first} to go back to"):
        rollback(light_home)
    assert published(light_home).version == first


def test_nothing_published_means_nothing_to_roll_back_to_and_no_canary(light, tmp_path):
    version = save(light, tmp_path)
    with pytest.raises(ArtifactError, match="no version before None"):
        rollback(tmp_path)
    with pytest.raises(ArtifactError, match="cannot be a canary, nothing is served yet"):
        publish(tmp_path, version, canary=0.1)
    publish(tmp_path, version)
    with pytest.raises(ArtifactError, match="cannot be a canary, nothing else is served"):
        publish(tmp_path, version, canary=0.1)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan"), True])
def test_a_canary_for_nobody_or_everybody_is_refused(light_home, share):
    with pytest.raises(ValueError, match="canary must be a share"):
        publish(light_home, only(light_home), canary=share)


def test_publishing_to_everybody_ends_the_canary(light, light_home):
    first, second = only(light_home), save(light, light_home)
    publish(light_home, second, canary=0.5)
    assert publish(light_home, second) == Published(second, history=(first,))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "version": "../x", "canary_version": null, '
             '"canary_share": 0, "history": []}', '{"format": 1, "version": "000001-00000000", "canary_version": null, '
             '"canary_share": 0, "history": 3}', '{"format": 9}']
)  # fmt: skip
def test_a_published_file_that_makes_no_sense_is_refused(light_home, text):
    (light_home / "published.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"published.json (makes no sense|names|has format 9)"):
        published(light_home)


def test_prune_keeps_the_newest_and_what_is_served_or_would_be(light, light_home):
    names = [only(light_home), *(save(light, light_home) for _ in range(4))]
    publish(light_home, names[1])
    publish(light_home, names[2], canary=0.1)
    assert prune(light_home, keep=1) == [names[3]]
    assert versions(light_home)["version"].tolist() == [names[4], names[2], names[1], names[0]]
    rollback(light_home)  # ends the canary
    assert prune(light_home, keep=1) == [names[2]]
    assert rollback(light_home).version == names[0]
    assert prune(light_home, keep=1) == [names[1]]
    with pytest.raises(ValueError, match="keep must be at least 1"):
        prune(light_home, keep=0)


def test_two_publishers_at_once_leave_one_of_both_served_and_lose_neither(light, light_home):
    names = [only(light_home), save(light, light_home), save(light, light_home)]
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(lambda n: [publish(light_home, n) for _ in range(4)], name) for name in names[1:]]
        while not all(job.done() for job in jobs):
            assert published(light_home).version in names  # whole at every moment
        for job in jobs:
            job.result()
    now = published(light_home)
    assert {now.version, *now.history} == set(names)
    assert load(light_home).manifest.version == now.version


# ----------------------------------------------------------------------------------------------------------- what fails
def test_a_disk_that_fills_up_at_any_moment_of_saving_leaves_the_store_as_it_was(light, light_home, monkeypatch):
    before, real, calls = versions(light_home), os.fsync, []
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append(handle) or real(handle))
    shutil.rmtree(light_home / save(light, light_home))
    n = len(calls)
    for at in {*range(0, n, 7), n - 3, n - 2, n - 1}:
        calls.clear()

        def full(handle, at=at):
            calls.append(handle)
            if len(calls) == at + 1:
                raise OSError(28, "No space left on device")
            real(handle)

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            save(light, light_home)
        assert versions(light_home).equals(before)
        assert leftovers(light_home) == []
    assert load(light_home)


def test_a_disk_that_fills_up_while_publishing_leaves_the_old_version_published(light, light_home, monkeypatch):
    first, second = only(light_home), save(light, light_home)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        publish(light_home, second)
    assert published(light_home).version == first
    assert leftovers(light_home) == []


NURSERY = """
    # a child whose files may not grow; then children that are killed at some call to the disk, or after some time
    import errno, os, random, resource, signal, sys, time
    from contextlib import suppress
    from reco_utils.serve.artifact import (
        ArtifactError, forget_user, load, prune, publish, published, rollback, save, versions,
    )

    home = sys.argv[1]
    artifact, luck = load(home), random.Random(int(sys.argv[2]))

    def whole():
        now, names = published(home), versions(home)["version"].tolist()
        assert {now.version, *filter(None, [now.canary_version])} <= set(names), now
        for name in names:
            assert load(home, name).manifest.version == name
        return names

    def work(first, user):
        steps = [
            lambda: save(artifact, home), lambda: publish(home, versions(home)["version"][0]),
            lambda: rollback(home), lambda: forget_user(home, user),
            lambda: publish(home, versions(home)["version"][0], canary=0.5), lambda: prune(home, keep=2),
        ]
        while True:
            for step in steps[first:] + steps[:first]:
                with suppress(ArtifactError):  # nothing to roll back to, say
                    step()

    def deadly(count):
        left = iter(range(count))

        def counted(real):
            def call(*args, **options):
                if next(left, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **options)

            return call

        for name in ("fsync", "replace", "rename", "unlink"):
            setattr(os, name, counted(getattr(os, name)))

    def save_with_a_small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        try:
            save(artifact, home)
        except OSError as error:
            os._exit(error.errno)

    child = os.fork()
    if child == 0:
        save_with_a_small_disk()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == errno.EFBIG
    assert len(whole()) == 1 and not [name for name in os.listdir(home) if name.startswith(".")]

    forget_user(home, "u001")  # and whoever saves from now on what was trained before, saves it without
    for n in range(int(sys.argv[3])):
        by_time = n % 4 == 3
        child = os.fork()
        if child == 0:
            if not by_time:
                deadly(luck.choice([0, 1, 2, 3, 5, 10, 40, 200, 300, 350, 400, 500, 800]))
            work(n % 6, str(artifact.data.users[n + 1]))
        luck.random()
        if by_time:
            time.sleep(luck.uniform(0.0, 0.5))
            os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL  # it was still at work
        whole()
        prune(home, keep=2)
        assert not [name for name in os.listdir(home) if name.startswith(".")], os.listdir(home)
        for folder, _, names in os.walk(home):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    assert b"u001" not in file.read(), (folder, name)
    print("whole", *whole())
    """


def test_the_store_is_whole_when_files_may_not_grow_and_whenever_a_process_is_killed(light_home):
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(NURSERY), str(light_home), "1", "6"], capture_output=True, text=True
    )
    assert run.stdout.startswith("whole"), run.stderr


def test_pruning_does_not_disturb_a_saving_under_way(light, light_home, monkeypatch):
    real = plain.write

    def with_pruning(obj, folder):
        files = real(obj, folder)
        prune(light_home, keep=1)
        return files

    monkeypatch.setattr(plain, "write", with_pruning)
    assert load(light_home, save(light, light_home))


def test_what_a_crash_left_behind_is_swept(light_home):
    (light_home / ".saving-0011223344556677").mkdir()
    (light_home / ".saving-0011223344556677" / "half.npy").write_text("u001")
    (light_home / ".0011.part").write_text("{")
    (light_home / only(light_home) / "old.npy").write_text("u001")
    prune(light_home)
    assert leftovers(light_home) == []
    assert not (light_home / only(light_home) / "old.npy").exists()
    assert load(light_home)


def test_where_folders_cannot_be_locked_nothing_is_written_and_it_is_said(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)  # as on Windows
    with pytest.raises(OSError, match="locks of a Unix system; on Windows use WSL or a container"):
        save(trained, tmp_path)
    with pytest.raises(OSError, match="on Windows use WSL"), lock.Lock(tmp_path / "a.lock"):
        pass
    assert list(tmp_path.iterdir()) == []
