"""`python -m reco_utils serve ...` as somebody at a terminal meets it."""

import json
import shutil
import signal
import socket
from contextlib import suppress

import pandas as pd
import pytest

from reco_utils.__main__ import main
from reco_utils.serve import artifact
from reco_utils.serve.kv import open_kv
from reco_utils.serve.stock import Stock, shared

SMALL = ["--size", "small"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with two trained versions, the second published."""
    home = tmp_path_factory.mktemp("home")
    for _ in range(2):
        assert main(["serve", "train", *SMALL, "--home", str(home)]) == 0
    return home


def serve(home, *words):
    return main(["serve", *words, *SMALL, "--home", str(home)])


def names(home):
    return artifact.versions(home)["version"].tolist()


def test_training_says_how_good_it_is_and_publishes(home, capsys):
    assert serve(home, "train") == 0
    said = capsys.readouterr().out
    assert "on test data ndcg@10 0." in said
    newest = names(home)[0]
    assert f"published {newest} to everybody" in said
    assert artifact.published(home).version == newest


def test_old_data_is_moved_up_to_today_once_and_for_all(home):
    asof = pd.Timestamp(artifact.load(home).manifest.asof)
    now = pd.Timestamp.now(asof.tz)
    assert pd.Timedelta(0) <= now - asof < pd.Timedelta("1D 1h")
    assert json.loads((home / "dataset.json").read_text())["moved_days"] > 300


def test_versions_are_listed_and_published_and_taken_back(home, capsys):
    first = names(home)[-1]
    before = artifact.published(home).version
    assert serve(home, "publish", first) == 0
    assert serve(home, "versions") == 0
    said = capsys.readouterr().out
    assert all(name in said for name in names(home)) and "stable" in said
    assert serve(home, "rollback") == 0
    assert artifact.published(home).version == before
    assert f"{before} is served to everybody again" in capsys.readouterr().out


def test_a_canary_is_published_to_a_share(home, capsys):
    first = names(home)[-1]
    assert serve(home, "publish", first, "--canary", "0.05") == 0
    assert f"published {first} to 5% of the users" in capsys.readouterr().out
    assert artifact.published(home).canary_version == first
    assert serve(home, "rollback") == 0
    assert artifact.published(home).canary_version is None


def test_a_version_that_fails_its_checks_stays_unpublished(home, capsys, monkeypatch):
    served = artifact.published(home).version
    monkeypatch.setattr(artifact, "check", lambda new, against=None: ["coverage fell by half"])
    assert serve(home, "train") == 1
    assert "not published: coverage fell by half" in capsys.readouterr().err
    assert artifact.published(home).version == served


def test_lists_go_to_a_folder_and_a_forgotten_user_leaves_all_of_it(home, tmp_path, capsys):
    pytest.importorskip("fastapi", reason="the service is an optional extra")
    out = tmp_path / "lists"
    assert serve(home, "lists", "--out", str(out), "-k", "5") == 0
    lists = pd.read_parquet(out)
    assert f"{lists['user_id'].nunique():,} lists of version" in capsys.readouterr().out
    assert lists.groupby("user_id").size().max() == 5
    user = lists["user_id"].iloc[0]
    assert serve(home, "forget", user, "--out", str(out)) == 0
    assert "no trace is left" in capsys.readouterr().out
    assert user not in set(pd.read_parquet(out)["user_id"])
    assert not any(artifact.load(home, name).knows(user) for name in names(home))


@pytest.mark.parametrize("store", ["memory:", "sqlite:///{folder}/kept.db"])
def test_what_was_sold_out_since_the_training_is_in_no_list(home, tmp_path, monkeypatch, store):
    monkeypatch.setenv("RECO_STORE", store.format(folder=tmp_path))
    kv = shared(open_kv(store.format(folder=tmp_path)), home)  # as the service has it
    out = tmp_path / "lists"
    assert serve(home, "lists", "--out", str(out), "-k", "3") == 0
    item = pd.read_parquet(out)["item_id"].mode()[0]
    Stock(kv).set(item, False)
    kv.close()
    assert serve(home, "lists", "--out", str(out), "-k", "3") == 0
    assert item not in set(pd.read_parquet(out)["item_id"])


def test_old_versions_are_removed(home, capsys):
    assert serve(home, "prune", "--keep", "1") == 0
    assert "removed " in capsys.readouterr().out
    assert artifact.published(home).version in names(home)


@pytest.mark.parametrize(
    "words, says",
    [
        (["publish"], "serve publish needs a version; `serve versions` lists them"),
        (["forget"], "serve forget needs a user's id"),
        (["train", "x"], "serve train takes no name"),
        (["publish", "no-such-version"], "no-such-version"),
        (["publish", "../../etc"], "error"),
        (["train", "--dataset", "online-retail"], "name another folder with --home"),
        (["train", "--seed", "7"], "name another folder with --home"),
        (["train", "--dataset", "nothing-like-this"], "nothing-like-this"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(home, capsys, words, says):
    before = artifact.published(home)
    assert serve(home, *words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and says in error and "Traceback" not in error
    assert artifact.published(home) == before


def listen(port):
    return socket.create_server(("127.0.0.1", port))


def free_ports(first):
    """One for the API whose storefront's is free too, below those that whoever connects meanwhile is given."""
    for one in range(first, 30_000):
        with suppress(OSError), listen(one), listen(one + 501):
            return one


@pytest.mark.parametrize("above", [0, 501], ids=["api", "storefront"])
def test_a_port_that_is_taken_is_said_before_anything_is_trained(tmp_path, capsys, above):
    pytest.importorskip("fastapi", reason="the service is an optional extra")
    api = free_ports(20_000 + 2 * above)
    port = api + above
    with listen(port):
        assert serve(tmp_path / "new", "start", "--port", str(api)) == 2
    said = capsys.readouterr()
    assert f"cannot listen on 127.0.0.1, port {port}: " in said.err and "--port" in said.err and not said.out
    assert not (tmp_path / "new").exists()


def test_an_interrupt_is_told_as_one_whatever_a_library_makes_of_it(tmp_path, capsys, monkeypatch):
    def compiling(*_, **__):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise RuntimeError("no compiled object yet")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(artifact, "train", compiling)
    assert serve(tmp_path / "new", "train") == 130
    signal.signal(signal.SIGINT, before)
    said = capsys.readouterr().err
    assert said == "\ninterrupted\n"


def test_training_mends_a_home_whose_version_cannot_be_read(home, tmp_path, capsys):
    broken = tmp_path / "home"
    shutil.copytree(home, broken)
    (broken / artifact.published(broken).version / "manifest.json").write_text("{")
    assert serve(broken, "train") == 0
    assert "manifest.json makes no sense" in capsys.readouterr().out
    assert artifact.load(broken).manifest.version == names(broken)[0]


@pytest.mark.parametrize("port", ["0", "65100"])
def test_a_port_that_leaves_none_for_the_storefront_is_refused(tmp_path, capsys, port):
    pytest.importorskip("fastapi", reason="the service is an optional extra")
    assert serve(tmp_path / "new", "start", "--port", port) == 2
    assert f"--port must be from 1 to 65034, got {port}" in capsys.readouterr().err


def test_an_empty_home_says_how_to_fill_it(tmp_path, capsys):
    assert serve(tmp_path, "versions") == 0
    assert "`serve train` makes one" in capsys.readouterr().out
    assert serve(tmp_path, "rollback") == 2
    assert serve(tmp_path, "lists") == 2


def test_cron_trains_what_is_due_and_writes_the_lists(home, tmp_path, capsys):
    assert serve(home, "train") == 0
    assert serve(home, "retrain") == 0 and "nothing was due" in capsys.readouterr().out
    assert serve(home, "retrain", "--what", "factors") == 0
    said = capsys.readouterr().out
    assert f"published {names(home)[0]}" in said and "the content model is that of" in said
    assert serve(home, "lists", "--out", str(tmp_path / "lists"), "-k", "3") == 0
    assert f" lists of version {names(home)[0]}" in capsys.readouterr().out
    assert pd.read_parquet(tmp_path / "lists").groupby("user_id").size().eq(3).all()


@pytest.mark.parametrize("words", [["lists"], ["rollback"], ["publish", "000001-00000000"]], ids=" ".join)
def test_where_nothing_was_trained_the_way_out_is_named(words, tmp_path, capsys):
    assert serve(tmp_path / "nothing", *words) == 2
    assert "nothing; `serve train` makes one" in capsys.readouterr().err


def test_who_was_forgotten_does_not_come_back_with_the_next_training(home):
    user = artifact.load(home).data.users[7]
    artifact.forget_user(home, user)
    assert serve(home, "train") == 0 and not artifact.load(home).knows(user)
