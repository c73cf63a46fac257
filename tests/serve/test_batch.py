"""Lists at night: right, complete or invisible, resumed after a crash, and without those who asked to be forgotten."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Pipeline, recommend
from reco_utils.data.registry import load_dataset
from reco_utils.serve import batch
from reco_utils.serve.artifact import Artifact, Manifest, load, publish, save, train
from reco_utils.serve.ask import Ask
from reco_utils.serve.batch import forget_in_lists, write_lists
from reco_utils.serve.deeds import DEEDS
from reco_utils.serve.lock import Lock, Locked
from reco_utils.serve.settings import Settings
from reco_utils.serve.stock import Change

N_USERS, N_ITEMS = 7, 6
NOON = 1_719_748_800.0  # 2024-06-30 12:00 UTC


class Table:
    """Scores written down beforehand: a whole number from 0 to 1 says which step they come from."""

    names = ("floor", "personal")

    def __init__(self, scores):
        self.scores, self.n_items_ = np.asarray(scores, np.float32), np.shape(scores)[1]

    def score(self, asking):
        return self.scores[asking.at]

    def steps(self, lists):
        return np.where(lists.items >= 0, np.floor(np.nan_to_num(lists.scores)), -1).astype(np.int8)


def backwards(lists, asking, k):
    """A reranker: the k best, worst first."""
    return lists.take(np.tile(np.arange(k)[::-1], (len(lists), 1)))


def shop(*, seen=(), sold_out=(), names=None, version="v1", scores=None, n_candidates=N_ITEMS, rerankers=()):
    """An artifact for seven users, u0 to u6, and six items: user u likes item i by 0.9 - |u - i| / 10, from step 1."""
    users, items = np.arange(N_USERS)[:, None], np.arange(N_ITEMS)
    scores = 1.9 - abs(users - items) / 10 if scores is None else scores
    has = np.zeros((N_USERS, N_ITEMS), bool)
    for user, item in seen:
        has[user, item] = True
    weights = csr_matrix(has.astype(np.float32))
    catalog = pd.DataFrame({"item_id": [f"i{i}" for i in items], "title": "thing", "in_stock": True})
    catalog.loc[list(sold_out), "in_stock"] = False
    ids = pd.Index(names or [f"u{u}" for u in range(N_USERS)], dtype=object)
    asof = pd.Timestamp("2024-06-30")
    data = Dataset(
        ids, pd.Index(catalog["item_id"], dtype=object), weights, np.full(weights.nnz, asof.to_datetime64(), "M8[us]"),
        csr_matrix(has), catalog, pd.DataFrame({"user_id": ids}), asof,
    )  # fmt: skip
    model = Table(scores)
    return Artifact(
        pipeline=Pipeline(model, tuple(rerankers)), data=data, search=None, similar=None,
        candidates=recommend(model, data.batch(ids), n_candidates), popular=np.arange(N_ITEMS, dtype=np.int32)[::-1],
        features=pd.DataFrame(index=range(N_USERS)), embeddings=np.zeros((N_USERS, 64), np.float32),
        deeds=np.full(weights.nnz, DEEDS.index("purchase"), np.int8),
        score_quantiles=np.zeros(101, np.float32), keep_seen=False, positive_from=None,
        manifest=Manifest(version, "2024-06-30T03:00:00+00:00", "", "2024-06-30", N_USERS, N_ITEMS),
    )  # fmt: skip


def gone(*items):
    """Items that were sold out long after the training."""
    return {item: Change(False, 4e9) for item in items}


def lists_of(path):
    """Items of each user in the order of the ranks, as read by anybody: the folder is one table."""
    frame = pd.read_parquet(path)
    return frame.groupby("user_id", sort=False)["item_id"].agg(list).to_dict()


def parts_of(path):
    return {file.name: file.read_bytes() for file in sorted(path.glob("part-*.parquet"))}


class Stop(Exception):
    pass


def stop_after(n):
    def progress(done, total):
        if done == n:
            raise Stop

    return progress


# ---------------------------------------------------------------------------------------------------------- the lists
def test_the_folder_is_one_table_of_the_best_items_of_everybody(tmp_path):
    written = write_lists(shop(), tmp_path / "lists", k=3, block=3, clock=lambda: NOON)
    frame = pd.read_parquet(tmp_path / "lists")
    assert list(frame) == ["user_id", "rank", "item_id", "score", "step", "version", "made_at"]
    assert frame["user_id"].tolist() == [f"u{u}" for u in range(N_USERS) for _ in range(3)]
    assert frame["rank"].tolist() == [1, 2, 3] * N_USERS
    assert lists_of(tmp_path / "lists")["u2"] == ["i2", "i1", "i3"]  # 0.9; 0.8 twice, the lower position first
    np.testing.assert_allclose(frame["score"][frame["user_id"] == "u2"], [1.9, 1.8, 1.8], rtol=1e-6)
    assert set(frame["step"]) == {"personal"} and set(frame["version"]) == {"v1"}
    assert set(frame["made_at"]) == {pd.Timestamp("2024-06-30 12:00", tz="UTC")}
    assert (written.n_lists, written.n_rows, written.n_parts, written.n_kept) == (7, 21, 3, 0)
    assert sorted(parts_of(tmp_path / "lists")) == [f"part-0000{n}.parquet" for n in range(3)]
    assert [file.name for file in tmp_path.iterdir() if not file.name.endswith(".lock")] == ["lists"]


def test_what_a_user_has_and_what_is_sold_out_is_in_no_list(tmp_path):
    artifact = shop(seen=[(2, 2), (2, 1)], sold_out=[3])
    write_lists(artifact, tmp_path / "lists", k=2, changes=gone("i0"))
    assert lists_of(tmp_path / "lists")["u2"] == ["i4", "i5"]
    assert not {"i0", "i3"} & set(pd.read_parquet(tmp_path / "lists")["item_id"])


def test_what_came_back_is_listed_again_and_what_the_training_knew_is_not_believed_twice(tmp_path):
    changes = {"i2": Change(True, 4e9), "i3": Change(False, 0.0), "not an item": Change(False, 4e9)}
    write_lists(shop(sold_out=[2]), tmp_path / "lists", k=2, changes=changes)  # i3: told before the training
    assert lists_of(tmp_path / "lists")["u2"] == ["i2", "i1"] and lists_of(tmp_path / "lists")["u3"] == ["i3", "i2"]


def test_a_user_whose_candidates_are_sold_out_gets_what_comes_after_them(tmp_path):
    artifact = shop(n_candidates=2)  # u0: i0 and i1
    write_lists(artifact, tmp_path / "lists", k=2, changes=gone("i0", "i1"))
    assert lists_of(tmp_path / "lists")["u0"] == ["i2", "i3"]


def test_lists_may_be_longer_than_the_candidates_and_than_the_catalogue(tmp_path):
    write_lists(shop(n_candidates=2), tmp_path / "lists", k=9)
    assert lists_of(tmp_path / "lists")["u0"] == [f"i{i}" for i in range(6)]


def test_rerankers_have_the_last_word(tmp_path):
    write_lists(shop(rerankers=[backwards]), tmp_path / "lists", k=2)
    assert lists_of(tmp_path / "lists")["u0"] == ["i1", "i0"]


def test_users_without_any_opinion_get_what_most_people_have(tmp_path):
    scores = np.where(np.arange(N_USERS)[:, None] == 4, np.nan, np.ones((N_USERS, N_ITEMS)))
    write_lists(shop(scores=scores, seen=[(4, 5)]), tmp_path / "lists", k=2)
    assert lists_of(tmp_path / "lists")["u4"] == ["i4", "i3"]  # popular is i5, i4, i3, ...; u4 has i5
    frame = pd.read_parquet(tmp_path / "lists")
    assert set(frame["step"][frame["user_id"] == "u4"]) == {"popular"}


def test_short_lists_are_filled_up_with_what_most_people_have(tmp_path):
    scores = np.full((N_USERS, N_ITEMS), np.nan)
    scores[:, 4] = 1
    write_lists(shop(scores=scores, sold_out=[3]), tmp_path / "lists", k=4)
    frame = pd.read_parquet(tmp_path / "lists").query("user_id == 'u0'")
    assert frame["item_id"].tolist() == ["i4", "i5", "i2", "i1"]
    assert frame["step"].tolist() == ["personal", "popular", "popular", "popular"]
    assert frame["score"].iloc[0] == 1 and frame["score"].iloc[1:].isna().all()


def test_the_service_answers_the_same(tmp_path):
    pytest.importorskip("fastapi", reason="the service is an extra: pip install -e .[serve]")
    from reco_utils.serve.server import build, close

    artifact = train(load_dataset("shop", size="small"), measure=False)
    publish(tmp_path / "home", save(artifact, tmp_path / "home"))
    artifact = load(tmp_path / "home")
    some = artifact.data.items[::7].tolist()
    write_lists(artifact, tmp_path / "lists", k=10, reasons=True, changes=gone(*some))
    engine = build(Settings(home=tmp_path / "home", deadline_ms=60_000))
    try:
        for item in some:
            engine.stock(item, False)
        frame = pd.read_parquet(tmp_path / "lists")
        for user in artifact.data.users[::25]:
            answer, own = engine.recommend(Ask(user, reasons=True)), frame[frame["user_id"] == user]
            assert not answer.degraded
            assert own["item_id"].tolist() == [listed.item for listed in answer.items]
            assert own["step"].tolist() == [listed.step for listed in answer.items]
            assert [None if pd.isna(item) else item for item in own["because"]] == [i.because for i in answer.items]
            said = {item: text for item, text in zip(own["item_id"], own["reason"]) if not pd.isna(text)}
            assert said == answer.reasons
            np.testing.assert_allclose(own["score"], [listed.score for listed in answer.items], rtol=1e-6)
        assert frame["because"].notna().any()
    finally:
        close(engine)


def test_users_for_whom_nothing_is_left_are_counted(tmp_path):
    written = write_lists(shop(seen=[(3, i) for i in range(N_ITEMS)]), tmp_path / "lists", k=2)
    assert "u3" not in lists_of(tmp_path / "lists") and written.n_lists == 6
    assert written.skipped == {"nothing left to show": 1}


def test_everything_sold_out_is_an_empty_table_with_the_same_columns(tmp_path):
    everything = [f"i{i}" for i in range(N_ITEMS)]
    written = write_lists(shop(), tmp_path / "lists", k=2, changes=gone(*everything), block=3)
    frame = pd.read_parquet(tmp_path / "lists")
    assert written.n_rows == 0 and len(frame) == 0 and list(frame)[:3] == ["user_id", "rank", "item_id"]


def test_an_artifact_without_users_gives_an_empty_table(tmp_path):
    written = write_lists(shop(), tmp_path / "lists", users=[])
    assert (written.n_lists, written.n_parts) == (0, 1) and len(pd.read_parquet(tmp_path / "lists")) == 0


def test_some_users_come_in_the_order_of_the_artifact_and_unknown_ones_are_counted(tmp_path):
    written = write_lists(shop(), tmp_path / "lists", k=1, users=["u5", "stranger", "u1", "u5"])
    assert list(lists_of(tmp_path / "lists")) == ["u1", "u5"]
    assert written.skipped == {"unknown to the artifact": 1}


def test_a_reason_is_an_own_item_or_none(tmp_path):
    vectors = np.repeat(np.eye(3), 2, axis=0)  # i0 and i1 are alike, i2 and i3, i4 and i5
    artifact = replace(shop(seen=[(0, 1)]), similar=SimpleNamespace(vectors_=vectors))
    write_lists(artifact, tmp_path / "lists", k=2, reasons=True)
    frame = pd.read_parquet(tmp_path / "lists")
    his = frame[frame["user_id"] == "u0"]
    assert his["item_id"].tolist() == ["i0", "i2"]
    assert his["because"].iloc[0] == "i1" and pd.isna(his["because"].iloc[1])
    assert his["reason"].iloc[0] == "because you bought thing" and pd.isna(his["reason"].iloc[1])
    assert frame["because"][frame["user_id"] != "u0"].isna().all()


def test_the_size_of_a_part_changes_no_list(tmp_path):
    for block in (1, 4, 100):
        write_lists(shop(seen=[(2, 2)]), tmp_path / str(block), k=3, block=block, clock=lambda: NOON)
    whole = pd.read_parquet(tmp_path / "100")
    for block in (1, 4):
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / str(block)), whole)


# --------------------------------------------------------------------------------------------------------- forgetting
def test_who_asked_to_be_forgotten_gets_no_list(tmp_path):
    names = ["u0", "forgotten-93ab", *(f"u{u}" for u in range(2, N_USERS))]
    written = write_lists(shop(names=names), tmp_path / "lists", k=2)
    assert "forgotten-93ab" not in lists_of(tmp_path / "lists") and written.n_lists == 6
    assert written.skipped == {"asked to be forgotten": 1}


def test_a_part_made_before_somebody_was_forgotten_is_made_again(tmp_path):
    with pytest.raises(Stop):
        write_lists(shop(), tmp_path / "lists", k=2, block=2, progress=stop_after(3))
    names = ["u0", "forgotten-93ab", *(f"u{u}" for u in range(2, N_USERS))]
    written = write_lists(shop(names=names), tmp_path / "lists", k=2, block=2)
    assert "u1" not in lists_of(tmp_path / "lists")
    assert written.n_kept == 2 and "1 finished part(s)" in written.notes[0]


def test_forgetting_empties_written_lists_and_leaves_no_byte_of_the_id(tmp_path):
    names = ["u0", "somebody-special", *(f"u{u}" for u in range(2, N_USERS))]
    write_lists(shop(names=names), tmp_path / "lists", k=2, block=3)
    with pytest.raises(Stop):
        write_lists(shop(names=names, version="v2"), tmp_path / "lists", k=2, block=3, progress=stop_after(1))
    before = lists_of(tmp_path / "lists")
    assert forget_in_lists(tmp_path / "lists", "somebody-special") == 4  # two rows in each run
    before.pop("somebody-special")
    assert lists_of(tmp_path / "lists") == before
    files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 4 and not any(b"somebody-special" in content for content in files)
    assert forget_in_lists(tmp_path / "lists", "somebody-special") == 0


def test_parts_somebody_was_taken_from_are_whole_for_the_next_run(tmp_path):
    write_lists(shop(), tmp_path / "lists", k=2, block=3)
    forget_in_lists(tmp_path / "lists", "u1")
    names = ["u0", "forgotten-93ab", *(f"u{u}" for u in range(2, N_USERS))]
    assert write_lists(shop(names=names), tmp_path / "lists", k=2, block=3).n_kept == 3


def test_who_is_forgotten_during_the_run_is_not_in_what_is_shown(tmp_path):
    written = write_lists(shop(), tmp_path / "lists", k=2, block=3, forgotten=lambda: ["u1", "stranger"])
    assert "u1" not in lists_of(tmp_path / "lists") and written.n_lists == 6 and written.n_rows == 12
    assert written.skipped == {"asked to be forgotten": 1}


def test_forgetting_where_nothing_was_written_is_no_error(tmp_path):
    assert forget_in_lists(tmp_path / "lists", "u1") == 0
    assert forget_in_lists(tmp_path / "nowhere" / "lists", "u1") == 0 and not (tmp_path / "nowhere").exists()


# ----------------------------------------------------------------------------------------------------------- resuming
def test_an_interrupted_run_shows_nothing_and_the_next_one_goes_on_to_the_same_bytes(tmp_path):
    write_lists(shop(), tmp_path / "whole", k=2, block=2, clock=lambda: NOON)
    with pytest.raises(Stop):
        write_lists(shop(), tmp_path / "lists", k=2, block=2, clock=lambda: NOON, progress=stop_after(2))
    assert not (tmp_path / "lists").exists()
    written = write_lists(shop(), tmp_path / "lists", k=2, block=2, clock=lambda: NOON + 3600)
    assert written.n_kept == 2 and written.made_at == "2024-06-30T12:00:00+00:00"
    assert parts_of(tmp_path / "lists") == parts_of(tmp_path / "whole")


def test_last_nights_lists_stay_until_tonights_are_complete(tmp_path):
    write_lists(shop(), tmp_path / "lists", k=2, block=2)
    with pytest.raises(Stop):
        write_lists(shop(version="v2"), tmp_path / "lists", k=2, block=2, progress=stop_after(2))
    assert set(pd.read_parquet(tmp_path / "lists")["version"]) == {"v1"}
    write_lists(shop(version="v2"), tmp_path / "lists", k=2, block=2)
    assert set(pd.read_parquet(tmp_path / "lists")["version"]) == {"v2"}


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"version": "v2"}, "began afresh: the interrupted run had version 'v1', this one has 'v2'"),
        ({"k": 3}, "began afresh: the interrupted run had k 2, this one has 3"),
        ({"block": 3}, "began afresh: the interrupted run had block 2, this one has 3"),
        ({"changes": gone("i0")}, "began afresh: the interrupted run had stock"),
    ],
)
def test_another_version_or_other_options_begin_afresh_and_say_so(tmp_path, change, sentence):
    with pytest.raises(Stop):
        write_lists(shop(), tmp_path / "lists", k=2, block=2, progress=stop_after(2))
    options = {"k": 2, "block": 2, **change}
    written = write_lists(shop(version=options.pop("version", "v1")), tmp_path / "lists", **options)
    assert written.n_kept == 0 and written.notes[0].startswith(sentence)


@pytest.mark.parametrize("damage", ["cut", "altered", "gone"])
def test_a_finished_part_that_is_damaged_is_made_again(tmp_path, damage):
    write_lists(shop(), tmp_path / "whole", k=2, block=2, clock=lambda: NOON)
    with pytest.raises(Stop):
        write_lists(shop(), tmp_path / "lists", k=2, block=2, clock=lambda: NOON, progress=stop_after(2))
    part = next(tmp_path.glob(".lists.unfinished/part-00001.parquet"))
    content = part.read_bytes()
    if damage == "gone":
        part.unlink()
    else:
        part.write_bytes(content[:-9] if damage == "cut" else content[:50] + b"x" + content[51:])
    written = write_lists(shop(), tmp_path / "lists", k=2, block=2)
    assert written.n_kept == 1 and parts_of(tmp_path / "lists") == parts_of(tmp_path / "whole")


def test_a_manifest_that_makes_no_sense_begins_afresh(tmp_path):
    with pytest.raises(Stop):
        write_lists(shop(), tmp_path / "lists", k=2, block=2, progress=stop_after(2))
    next(tmp_path.glob(".lists.unfinished/_manifest.json")).write_text('{"version": ')
    assert write_lists(shop(), tmp_path / "lists", k=2, block=2).n_kept == 0


def test_the_same_call_again_has_nothing_to_do(tmp_path):
    first = write_lists(shop(), tmp_path / "lists", k=2, block=2, clock=lambda: NOON)
    again = write_lists(shop(), tmp_path / "lists", k=2, block=2, clock=lambda: NOON + 60)
    assert again.n_kept == 4 and again.made_at == first.made_at and again.notes == ("all of it was there already",)


def test_a_crash_between_the_two_renames_loses_nothing(tmp_path):
    write_lists(shop(), tmp_path / "lists", k=2, block=2)
    os.rename(tmp_path / "lists", tmp_path / ".lists.old")
    assert write_lists(shop(), tmp_path / "lists", k=2, block=2).n_kept == 4
    assert sorted(file.name for file in tmp_path.iterdir()) == [".lists.lock", "lists"]


def test_a_full_disk_leaves_the_old_lists_and_what_was_finished(tmp_path, monkeypatch):
    write_lists(shop(), tmp_path / "lists", k=2, block=2)
    whole, sync = [], os.fsync

    def full(handle):
        whole.append(handle)
        if len(whole) > 7:
            raise OSError(28, "No space left on device")
        sync(handle)

    monkeypatch.setattr(batch.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_lists(shop(version="v2"), tmp_path / "lists", k=2, block=2)
    monkeypatch.undo()
    assert set(pd.read_parquet(tmp_path / "lists")["version"]) == {"v1"}
    assert not list(tmp_path.glob(".lists.unfinished/.*.part"))
    assert write_lists(shop(version="v2"), tmp_path / "lists", k=2, block=2).n_kept >= 1


KILLED = """
    import sys, time
    from pathlib import Path
    import importlib.util
    spec = importlib.util.spec_from_file_location("tested", {here!r})
    tested = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tested)

    def progress(done, total):
        if done == 2:
            print("two", flush=True)
            time.sleep(60)

    tested.write_lists(tested.shop(), Path({path!r}), k=2, block=2, progress=progress, clock=lambda: tested.NOON)
"""


def test_after_kill_9_the_next_run_goes_on(tmp_path):
    code = textwrap.dedent(KILLED.format(here=str(Path(__file__)), path=str(tmp_path / "lists")))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "two\n"
    with pytest.raises(Locked, match=f"a run of lists is under way: process {child.pid} on "):
        write_lists(shop(), tmp_path / "lists", k=2, block=2)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (tmp_path / "lists").exists()
    write_lists(shop(), tmp_path / "whole", k=2, block=2, clock=lambda: NOON)
    assert write_lists(shop(), tmp_path / "lists", k=2, block=2).n_kept == 2
    assert parts_of(tmp_path / "lists") == parts_of(tmp_path / "whole")


# ----------------------------------------------------------------------------------------------------------- refusals
def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(ValueError, match="holds other files; give a folder for the lists alone"):
        write_lists(shop(), tmp_path / "photos")
    assert (tmp_path / "photos" / "cat.jpg").exists()


@pytest.mark.parametrize(
    "options, error", [({"block": 0}, ValueError), ({"k": 0}, ValueError), ({"users": "u1"}, TypeError)]
)
def test_bad_options_are_refused(tmp_path, options, error):
    with pytest.raises(error, match="must be"):
        write_lists(shop(), tmp_path / "lists", **options)
    assert not (tmp_path / "lists").exists()


# --------------------------------------------------------------------------------------------------------------- lock
def test_a_lock_is_held_by_one_and_says_by_whom(tmp_path):
    clock = lambda: NOON
    with Lock(tmp_path / "lock", "a training", clock):
        with pytest.raises(Locked, match=f"a training is under way: process {os.getpid()} on .*, since 2.0 hours"):
            Lock(tmp_path / "lock", "a training", lambda: NOON + 7200).__enter__()
    with Lock(tmp_path / "lock", "a training", clock) as lock:
        assert lock.leftover is None


def test_a_lock_left_behind_keeps_nobody_out_and_is_recognised(tmp_path):
    (tmp_path / "lock").write_text(json.dumps({"pid": 1, "host": "old", "since": NOON - 36_000}))
    with Lock(tmp_path / "lock", "a training", lambda: NOON) as lock:
        assert lock.leftover == "a training was cut off: process 1 on old, since 10.0 hours"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 3}', "\x00\x01"])
def test_a_lock_file_that_makes_no_sense_is_no_obstacle(tmp_path, text):
    (tmp_path / "lock").write_text(text)
    with Lock(tmp_path / "lock") as lock:
        assert lock.leftover is None


def test_a_lock_is_free_after_an_error(tmp_path):
    with pytest.raises(Stop):
        with Lock(tmp_path / "lock"):
            raise Stop
    with Lock(tmp_path / "lock") as lock:
        assert lock.leftover is None


# ------------------------------------------------------------------------------------------------------- quantisation
class Factors:
    """Users and items as points: u0 looks along the first axis, u1 along the second, u2 is a stranger to the model."""

    n_items_ = 3

    def vectors(self, asking):
        queries = np.array([[1, 0], [0, 1], [np.nan, np.nan]] + [[1, 1]] * (N_USERS - 3), np.float32)
        items = np.array([[1.004, 1.27], [1.001, 0], [0.999, 1.27]], np.float32)
        return queries[asking.at], items


def test_bytes_lose_what_lies_nearer_than_half_a_step():
    # the step of i0 and i2 is 0.01, so bytes hold 1.00 for their 1.004 and 0.999, and i1 with its 1.001 passes i0 for
    # u0, who looks along that axis; along the other one, and along both, i0 is first either way (ties: lower position)
    found = batch.quantised(replace(shop(), pipeline=Pipeline(Factors())), k=1)
    assert found["stored"].tolist() == ["float32", "int8"]
    np.testing.assert_allclose(found["recall"], [1, 5 / 6])
    assert found["n_users"].tolist() == [N_USERS - 1] * 2 and found["width"].tolist() == [2, 2]
    assert found["bytes"].tolist() == [3 * 2 * 4 + 3 * 4, 3 * 2 + 3 * 4 + 3 * 4]  # vectors, steps, positions


def test_a_model_without_vectors_cannot_be_quantised():
    with pytest.raises(TypeError, match="Table holds no fitted model with `vectors`"):
        batch.quantised(shop())
