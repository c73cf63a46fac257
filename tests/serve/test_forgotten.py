"""The list of who was forgotten: keyed, durable, of no use without its key; and who comes back is new."""

import hashlib
import json

import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data.schema import canonical
from reco_utils.serve.artifact import prune
from reco_utils.serve.forgotten import Forgotten, forgotten, remember
from reco_utils.serve.plain import ArtifactError

NOON = 1_719_748_800.0  # 2024-06-30 12:00
YEAR = 365 * 86_400.0


def test_nobody_is_on_the_list_of_a_store_that_forgot_nobody(tmp_path):
    for home in (tmp_path, str(tmp_path / "not there")):
        found = forgotten(home)
        assert found == Forgotten(b"", {}) and found.asked_at(["ann"]) == {} and not found.since(0)
    assert list(tmp_path.iterdir()) == []


def test_an_id_is_known_again_by_a_keyed_hash_and_by_nothing_else(tmp_path):
    remember(tmp_path, "ann", NOON)
    key = bytes.fromhex((tmp_path / "forgotten.key").read_text())
    assert len(key) == 32 and (tmp_path / "forgotten.key").stat().st_mode & 0o077 == 0
    digest = hashlib.blake2b(b"ann", digest_size=16, key=key).hexdigest()
    assert json.loads((tmp_path / "forgotten.json").read_text()) == {"ids": {digest: NOON}}
    assert forgotten(tmp_path).asked_at(["bob", "ann"]) == {"ann": NOON}
    assert Forgotten(bytes(32), {digest: NOON}).asked_at(["bob", "ann"]) == {}


def test_two_stores_have_two_keys(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        remember(tmp_path / name, "ann", NOON)
    assert not forgotten(tmp_path / "one").ids.keys() & forgotten(tmp_path / "two").ids.keys()


def test_the_list_has_no_end_and_the_last_request_counts(tmp_path):
    remember(tmp_path, "ann", NOON)
    remember(tmp_path, "\ud800", NOON + 1)
    remember(tmp_path, "ann", NOON + 30 * YEAR)
    prune(tmp_path, 1)
    assert forgotten(tmp_path).asked_at(["ann", "bob", "\ud800"]) == {"ann": NOON + 30 * YEAR, "\ud800": NOON + 1}
    assert forgotten(tmp_path).since(NOON + 30 * YEAR) and not forgotten(tmp_path).since(NOON + 30 * YEAR + 1)


def test_what_was_done_up_to_the_request_is_left_out_and_the_rest_is_new(tmp_path):
    noon = pd.Timestamp(NOON, unit="s")
    times = [noon - pd.Timedelta(hours=1), noon, noon + pd.Timedelta(hours=1), noon - pd.Timedelta(hours=2)]
    events = {"user_id": ["ann", "ann", "ann", "bob"], "item_id": ["mug", "cup", "pot", "mug"], "event": "view"}
    catalog = pd.DataFrame({"item_id": ["mug", "cup", "pot"], "title": ["Mug", "Cup", "Pot"]})
    profiles = pd.DataFrame({"user_id": ["ann", "bob"], "age": [30.0, 40.0]})
    tables = canonical("t", pd.DataFrame(events | {"timestamp": times}), catalog, profiles, defaults=Defaults())
    assert forgotten(tmp_path).left(tables) is tables
    remember(tmp_path, "ann", NOON)
    left = forgotten(tmp_path).left(tables)
    assert left.events[["user_id", "item_id"]].to_numpy().tolist() == [["bob", "mug"], ["ann", "pot"]]
    assert left.profiles["age"].isna().tolist() == [True, False]


@pytest.mark.parametrize("text", ["{", "[]", '{"ids": [1]}', '{"ids": {"ab": "soon"}}', "{}"])
def test_a_list_that_makes_no_sense_is_refused(tmp_path, text):
    remember(tmp_path, "ann", NOON)
    (tmp_path / "forgotten.json").write_text(text)
    for ask in (forgotten, lambda home: remember(home, "bob", NOON)):
        with pytest.raises(ArtifactError, match="makes no sense .*bring both back from a backup"):
            ask(tmp_path)


def test_a_list_without_its_key_is_refused_and_a_key_without_a_list_is_kept(tmp_path):
    remember(tmp_path, "ann", NOON)
    key = (tmp_path / "forgotten.key").read_text()
    (tmp_path / "forgotten.key").unlink()
    with pytest.raises(ArtifactError, match="forgotten.json cannot be used without forgotten.key"):
        forgotten(tmp_path)
    (tmp_path / "forgotten.key").write_text(key)
    (tmp_path / "forgotten.json").unlink()
    remember(tmp_path, "bob", NOON)
    assert (tmp_path / "forgotten.key").read_text() == key and forgotten(tmp_path).asked_at(["bob"]) == {"bob": NOON}
