"""Training by the clock: what is due, what is taken over, what is refused, and who stays forgotten."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import EVENT, ITEM, TIME, USER, Defaults
from reco_utils.data.clean import sample_users
from reco_utils.data.registry import load_dataset
from reco_utils.data.schema import canonical
from reco_utils.models.popularity import PopularityRecommender
from reco_utils.serve import artifact
from reco_utils.serve.event_log import EventLog
from reco_utils.serve.lock import Lock
from reco_utils.serve.schedule import LOCK, join_events, retrain


def quick_tables():
    """Little to learn and to store: 60 users, and items of which only category and price are known."""
    tables = sample_users(load_dataset("shop", size="small"), 60, seed=0)
    catalog = tables.catalog[[ITEM, "category", "price", "created_at"]].assign(title="item " + tables.catalog[ITEM])
    return replace(tables, catalog=catalog, profiles=tables.profiles[[USER]])


TABLES = quick_tables()
HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture
def clock(clock):
    clock.now = TABLES.events[TIME].max().timestamp() + HOUR
    return clock


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def log(tmp_path, clock):
    with_close = EventLog(tmp_path / "events.db", clock=clock)
    yield with_close
    with_close.close()


def fast(home, clock, tables=TABLES, log=None, **options):
    """A training of the quickest model there is."""
    return retrain(home, tables, log, model=PopularityRecommender(), rerankers=(), clock=clock, **options)


def never():
    raise AssertionError("the tables were loaded though nothing was due")


# ---------------------------------------------------------------------------------------------------------------- due
def test_the_first_training_fits_everything_and_serves_it(home, clock):
    found = fast(home, clock)
    assert found.published and found.status == 0 and found.trained == ("factors", "content") and not found.reasons
    assert artifact.published(home).version == found.version
    assert set(found.seconds) == {"tables", "train", "save", "check", "publish"}
    assert artifact.load(home).manifest.trained_at.startswith(pd.Timestamp(clock.now, unit="s").isoformat()[:19])


def test_within_the_day_nothing_is_due_and_nothing_is_loaded(home, clock):
    first = fast(home, clock)
    clock.now += 22 * HOUR
    found = fast(home, clock, never)
    assert (found.version, found.published, found.status, found.trained) == (None, False, 0, ())
    assert found.notes == (
        "nothing is due: factors 22.0 hours old (due every 24) and content 22.0 hours old (due every 168)",
    )
    assert artifact.published(home).version == first.version


def test_cron_may_be_half_an_hour_early(home, clock):
    fast(home, clock)
    clock.now += 23.5 * HOUR
    assert fast(home, clock).trained == ("factors",)


def test_factors_are_fitted_daily_and_content_when_its_days_are_over(home, clock):
    first, three_days = fast(home, clock), {"every_hours": {"factors": 24, "content": 72}}
    for _ in range(2):
        clock.now += DAY
        found = fast(home, clock, **three_days)
        assert found.published and found.trained == ("factors",)
    assert found.notes[0].startswith("the content model is that of ")
    old, new = artifact.load(home, first.version), artifact.load(home)
    assert (old.similar.vectors_ != new.similar.vectors_).nnz == 0
    for trained in (("factors", "content"), ("factors",)):
        clock.now += DAY
        assert fast(home, clock, **three_days).trained == trained


def test_other_hours_can_be_asked_for(home, clock):
    fast(home, clock)
    clock.now += 3 * HOUR
    assert fast(home, clock, every_hours={"factors": 4, "content": 4}).trained == ("factors", "content")


def test_a_changed_price_has_the_content_fitted_too(home, clock):
    fast(home, clock)
    clock.now += DAY
    catalog = TABLES.catalog.copy()
    catalog.loc[0, "price"] += 1
    found = fast(home, clock, replace(TABLES, catalog=catalog))
    assert found.trained == ("factors", "content")
    assert found.notes == ("the content model was fitted too, because the catalogue has changed",)


@pytest.mark.parametrize(
    "what, trained", [("factors", ("factors",)), ("content", ("factors", "content")), ("all", ("factors", "content"))]
)
def test_what_is_asked_for_by_name_is_done_at_once(home, clock, what, trained):
    fast(home, clock)
    clock.now += 60
    assert fast(home, clock, what=what).trained == trained


def test_a_clock_that_went_back_is_no_reason_to_wait(home, clock):
    fast(home, clock)
    clock.now -= 5 * HOUR
    assert fast(home, clock).trained == ("factors", "content")


def test_unknown_parts_are_refused(home, clock):
    with pytest.raises(ValueError, match="what must be one of factors, content, all, due, got 'prices'"):
        fast(home, clock, what="prices")
    assert not home.exists()


# ------------------------------------------------------------------------------------------------------------ refusals
def test_a_version_that_fails_its_checks_is_kept_but_not_served(home, clock):
    first = fast(home, clock)
    clock.now += DAY
    half = TABLES.events[TIME].quantile(0.5)
    found = fast(home, clock, replace(TABLES, events=TABLES.events[TABLES.events[TIME] <= half]))
    assert found.status == 1 and not found.published and "before that of what is served" in " ".join(found.reasons)
    assert artifact.published(home).version == first.version
    assert found.version in set(artifact.versions(home)["version"])
    clock.now += 60  # the served version is still a day old
    assert fast(home, clock).published


def test_a_warehouse_that_is_down_is_a_reason_and_the_old_version_serves(home, clock, caplog):
    first = fast(home, clock)
    clock.now += DAY

    def down():
        raise OSError("the warehouse does not answer")

    found = fast(home, clock, down)
    assert found.reasons == ("OSError: the warehouse does not answer",) and found.status == 1
    assert artifact.published(home).version == first.version and "the training failed" in caplog.text


def test_a_full_disk_is_a_reason_and_leaves_nothing_half(home, clock, monkeypatch):
    first = fast(home, clock)
    clock.now += DAY

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artifact.plain, "write", full)
    found = fast(home, clock)
    assert found.version is None and "No space left on device" in found.reasons[0]
    assert artifact.versions(home)["version"].tolist() == [first.version]


def test_two_trainings_never_run_at_once(home, clock):
    with Lock(home / LOCK, "a training", clock):
        found = fast(home, clock, never)
    assert found.status == 1 and found.reasons[0].startswith("a training is under way: process ")


def test_a_lock_left_by_a_killed_training_is_taken_over_and_told(home, clock):
    home.mkdir()
    (home / LOCK).write_text(json.dumps({"pid": 1, "host": "old", "since": clock.now - 7200}))
    found = fast(home, clock)
    assert found.published and found.notes == ("a training was cut off: process 1 on old, since 2.0 hours",)


def test_a_served_version_that_was_damaged_is_replaced(home, clock):
    first = fast(home, clock)
    biggest = max((home / first.version).glob("*.npy"), key=lambda file: file.stat().st_size)
    biggest.write_bytes(biggest.read_bytes()[:-1])
    found = fast(home, clock)
    assert found.published and found.trained == ("factors", "content")
    assert found.notes[0].startswith("what serves cannot be read (")


# ----------------------------------------------------------------------------------------------------------- publishing
def test_a_canary_is_tried_on_some_and_ended_by_the_next_training(home, clock):
    first = fast(home, clock, canary=0.2)  # nothing to compare it with yet: for everybody
    assert artifact.published(home).canary_version is None
    clock.now += DAY
    second = fast(home, clock, canary=0.2)
    now = artifact.published(home)
    assert (now.version, now.canary_version, now.canary_share) == (first.version, second.version, 0.2)
    clock.now += DAY
    third = fast(home, clock)
    assert artifact.published(home).version == third.version
    assert f"the trial of {second.version} has ended, the new version serves everybody" in third.notes


def test_old_versions_are_removed_and_one_can_still_go_back(home, clock):
    made = []
    for _ in range(4):
        made.append(fast(home, clock, keep=2).version)
        clock.now += DAY
    assert artifact.versions(home)["version"].tolist() == [made[3], made[2]]
    assert artifact.rollback(home).version == made[2]


# ----------------------------------------------------------------------------------------------------------- forgotten
def files_that_hold(home, user):
    return [file.name for file in home.rglob("*") if file.is_file() and user.encode() in file.read_bytes()]


@pytest.mark.parametrize("pause", [8 * DAY, 366 * DAY])
def test_the_forgotten_stay_forgotten_however_long_the_tables_hold_them(home, clock, log, pause):
    user = TABLES.events[USER].iloc[-1]
    fast(home, clock, log=log)
    artifact.forget_user(home, user, clock=clock)
    for _ in range(2):  # no training for so long, and the tables are those of then
        clock.now += pause
        artifact.forget_user(home, "somebody-else", clock=clock)
        log.append([event(f"e{clock.now}", "eve", TABLES.catalog[ITEM].iloc[3])])
        found = fast(home, clock, log=log)
        assert found.published and "1 users of the tables asked to be forgotten: all before was left out" in found.notes
        assert not artifact.load(home).knows(user) and artifact.load(home).knows("eve")
        assert files_that_hold(home, user) == []


def test_a_list_of_the_forgotten_that_is_lost_stops_the_training(home, clock):
    fast(home, clock)
    artifact.forget_user(home, TABLES.events[USER].iloc[-1], clock=clock)
    (home / "forgotten.key").unlink()
    found = fast(home, clock, what="all")
    assert not found.published and "forgotten.json cannot be used without forgotten.key" in found.reasons[0]


def test_who_signs_up_again_in_the_tables_is_a_newcomer(home, clock):
    user = str(TABLES.events[USER].iloc[-1])
    fast(home, clock)
    artifact.forget_user(home, user, clock=clock)
    clock.now += 366 * DAY
    item = TABLES.catalog[ITEM].iloc[5]
    again = TABLES.events.iloc[-1:].assign(
        item_id=item, timestamp=pd.Timestamp(clock.now - DAY, unit="s").as_unit("us")
    )
    events = pd.concat([TABLES.events, again.astype({ITEM: TABLES.events[ITEM].dtype})], ignore_index=True)
    assert fast(home, clock, replace(TABLES, events=events)).published
    data = artifact.load(home).data
    assert data.items[data.weights[data.users.get_loc(user)].indices].tolist() == [item]


def test_who_is_forgotten_during_a_training_is_not_in_what_it_saves(home, clock):
    user = TABLES.events[USER].iloc[-1]
    fast(home, clock)
    clock.now += DAY

    def load():
        clock.now += 60
        artifact.forget_user(home, user, clock=clock)
        return TABLES

    assert fast(home, clock, load).published
    assert not artifact.load(home).knows(user)


def test_who_is_forgotten_just_before_the_fit_is_not_in_what_it_saves_either(home, clock, log, monkeypatch):
    user, read = TABLES.events[USER].iloc[-1], log.to_frame

    def to_frame():  # the last that is read before the fit
        artifact.forget_user(home, user, clock=clock)
        clock.now += 60
        return read()

    monkeypatch.setattr(log, "to_frame", to_frame)
    home.mkdir()
    assert fast(home, clock, log=log).version
    assert not artifact.load(home).knows(user)


def test_who_comes_back_is_known_by_what_they_did_since(home, clock, log):
    user, item = TABLES.events[USER].iloc[-1], TABLES.catalog[ITEM].iloc[3]
    log.append([event("old", user, item)])
    fast(home, clock, log=log)
    assert artifact.load(home).knows(user)
    clock.now += 60
    artifact.forget_user(home, user, clock=clock)  # but not in the log: the training must do without it
    clock.now += DAY
    log.append([event("new", user, TABLES.catalog[ITEM].iloc[5])])
    assert fast(home, clock, log=log).published
    data = artifact.load(home).data
    row = data.weights[data.users.get_loc(user)]
    assert data.items[row.indices].tolist() == [TABLES.catalog[ITEM].iloc[5]]


def test_a_last_event_that_is_forgotten_does_not_turn_the_time_back(home, clock, log):
    log.append([event("1", "eve", TABLES.catalog[ITEM].iloc[3])])  # an hour after all others
    fast(home, clock, log=log)
    clock.now += 60
    artifact.forget_user(home, "eve", clock=clock)
    log.forget("eve")
    found = fast(home, clock, log=log, what="all")
    assert found.published and not found.reasons


# -------------------------------------------------------------------------------------------------------------- joining
def event(event_id, user, item, kind="view", **more):
    return {"event_id": event_id, "user_id": user, "item_id": item, "event": kind, **more}


def small_tables():
    """Ann saw the mug and bought it; Bob did nothing."""
    events = {
        USER: ["ann", "ann"], ITEM: ["mug", "mug"], EVENT: ["view", "purchase"],
        TIME: pd.to_datetime(["2024-06-01 10:00", "2024-06-01 10:05"]), "value": [np.nan, 9.5],
    }  # fmt: skip
    catalog = {ITEM: ["mug", "pot"], "title": ["Mug", "Pot"], "price": [9.5, 20]}
    profiles = {USER: ["ann", "bob"], "gender": ["f", "m"], "age": [30.0, 40.0]}
    return canonical("tiny", *map(pd.DataFrame, (events, catalog, profiles)), defaults=Defaults())


def test_events_of_the_log_join_the_tables_in_the_order_of_time(log):
    log.append([event("1", "bob", "pot", "purchase", value=20.0, timestamp="2024-06-01T10:02:00Z")])
    joined, counts = join_events(small_tables(), log)
    assert joined.events[USER].tolist() == ["ann", "bob", "ann"]
    assert joined.events["value"].tolist()[1:] == [20.0, 9.5]
    assert joined.events[USER].cat.categories.tolist() == ["ann", "bob"]
    assert counts["events of the log joined"] == 1 and counts["users who are new"] == 0


def test_a_new_user_has_a_profile_of_which_nothing_is_known(log):
    log.append([event("1", "eve", "mug", timestamp="2024-06-02T10:00:00Z")])
    tables = small_tables()
    joined, counts = join_events(tables, log)
    assert joined.profiles[USER].tolist() == ["ann", "bob", "eve"] and counts["users who are new"] == 1
    assert joined.profiles.loc[2, ["gender", "age"]].isna().all()
    assert joined.profiles["gender"].tolist()[:2] == ["f", "m"] and joined.profiles["age"].tolist()[:2] == [30, 40]
    assert tables.profiles[USER].tolist() == ["ann", "bob"] and len(tables.events) == 2  # as they were


def test_what_the_warehouse_has_already_counts_once(log):
    again = "2024-06-01T10:05:00Z"
    log.append([event("1", "ann", "mug", "purchase", timestamp=again), event("2", "ann", "mug", timestamp=again)])
    joined, counts = join_events(small_tables(), log)
    assert joined.events[EVENT].tolist() == ["view", "purchase", "view"]
    assert counts["events of the log that the tables had already"] == 1


def test_events_on_unknown_items_are_left_out_and_counted(log):
    log.append([event("1", "ann", "kettle", timestamp="2024-06-02T10:00:00Z")])
    tables = small_tables()
    joined, counts = join_events(tables, log)
    assert joined is tables and counts["events of the log on items that the catalogue lacks"] == 1


def test_an_empty_log_changes_nothing(log):
    tables = small_tables()
    assert join_events(tables, log)[0] is tables
