"""Assignment: by hand, the same in DuckDB, published fingerprints, layers by chi-square, and what is refused."""

import hashlib
import pickle
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reco_utils.experiment.assign import Experiment, Layer
from reco_utils.experiment.buckets import DIALECTS, HASHES, buckets_of, register, texts_of
from reco_utils.experiment.sample_ratio import sample_ratio

HALVES = {"control": 0.5, "hybrid": 0.5}
STRANGE = [
    "", " ", "O'Neill", '"', "\\", "50%", "ö", "Ω≈ç√", "😀", "👩‍👩‍👧", "a\nb", "\u00e9", "e\u0301", "x" * 5000, "a:b",
    "7", "NULL", "\t", "\xad", "a\0b",
]  # fmt: skip
WIDE = 3.3  # standard errors: an honest hash is outside once in 1,000 tests, and this one never changes


def ids(n, prefix="user-"):
    return [f"{prefix}{i}" for i in range(n)]


@pytest.fixture(params=HASHES)
def hash_name(request):
    if request.param == "farm":
        pytest.importorskip("farmhash", reason="needs the extra experiments")
    return request.param


# ------------------------------------------------------------------------------------------------------------- by hand
def test_a_bucket_is_fifteen_hexadecimal_digits_of_md5():
    digits = hashlib.md5(b"hybrid:ann").hexdigest()[:15]
    assert buckets_of("hybrid", ["ann"], "md5", 10_000).tolist() == [int(digits, 16) % 10_000]


def test_arms_own_neighbouring_buckets_in_their_order():
    test = Experiment("t", {"a": 0.2, "b": 0.3, "c": 0.5}, buckets=10)
    users = ids(200)
    buckets = buckets_of("t", users, "md5", 10)
    assert set(buckets) == set(range(10))
    assert test.assign(users).tolist() == [("a" if b < 2 else "b" if b < 5 else "c") for b in buckets]


def test_the_published_fingerprints_come_out():
    pytest.importorskip("farmhash", reason="needs the extra experiments")
    published = {
        "1footrue": -1541654101129638711,  # BigQuery's page on FARM_FINGERPRINT has these three
        "2applefalse": 2794438866806483259,
        "3true": -4880158226897771312,
        "Amazon Redshift": 8085098817162212970,  # Redshift's page on farmFingerprint64
        "test": 8581389452482819506,  # Guava's FarmHashFingerprint64Test
        "test" * 8: -4196240717365766262,
        "test" * 64: 3500507768004279527,
    }
    with_colon = dict.fromkeys(published)  # our keys always hold salt and colon: ask the function itself
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        register(connection)
        for text in published:
            with_colon[text] = connection.execute("SELECT farm_fingerprint(?)", [text]).fetchone()[0]
    assert with_colon == published


def test_a_farm_bucket_is_the_remainder_without_its_sign():
    farmhash = pytest.importorskip("farmhash", reason="needs the extra experiments")
    for user in ids(50):
        unsigned = farmhash.fingerprint64(f"s:{user}")
        signed = unsigned - 2**64 if unsigned >= 2**63 else unsigned
        assert buckets_of("s", [user], "farm", 7).tolist() == [abs(signed) % 7]  # Python's numbers have no largest


def test_the_smallest_fingerprint_has_a_bucket(monkeypatch):
    class Smallest:
        fingerprint64 = staticmethod(lambda text: 2**63)

    monkeypatch.setattr("reco_utils.experiment.buckets._farmhash", lambda: Smallest)
    assert buckets_of("s", ["ann"], "farm", 10_000).tolist() == [2**63 % 10_000]


# ------------------------------------------------------------------------------------------------ stable and everywhere
def test_the_number_seven_is_the_text_seven(hash_name):
    test = Experiment("t", HALVES, hash=hash_name)
    numbers = list(range(-50, 50))
    arms = test.assign(numbers).tolist()
    assert arms == test.assign([str(n) for n in numbers]).tolist()
    assert arms == test.assign(np.array(numbers)).tolist() == test.assign(pd.Series(numbers, dtype="Int64")).tolist()
    assert arms == test.assign([np.int32(n) if n % 2 else str(n) for n in numbers]).tolist()


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series, pd.Index, pd.Categorical, iter])
def test_ids_may_come_in_any_sequence(kind):
    users = ["ann", "bob", "ann", "cem"]
    assert Experiment("t", HALVES).assign(kind(users)).tolist() == Experiment("t", HALVES).assign(users).tolist()


def test_an_arm_does_not_depend_on_company_or_order():
    test, users = Experiment("t", {"a": 0.1, "b": 0.9}), ids(100)
    together = test.assign(users).tolist()
    assert [test.assign([user])[0] for user in users] == together
    assert test.assign(users[::-1]).tolist() == together[::-1]


def test_another_process_says_the_same():
    code = (
        "from reco_utils.experiment.assign import Experiment\n"
        "test = Experiment('t', {'control': .5, 'hybrid': .5}, holdout=.1)\n"
        "print(''.join(arm[0] for arm in test.assign(range(300))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    arms = Experiment("t", HALVES, holdout=0.1).assign(range(300))
    assert done.stdout.strip() == "".join("c" if arm == "control" else arm[0] for arm in arms)


def test_nobody_has_no_arm(hash_name):
    arms = Experiment("t", HALVES, hash=hash_name, holdout=0.2).assign([])
    assert len(arms) == 0 and arms.categories.tolist() == ["control", "hybrid", "holdout"]


def test_a_copy_assigns_the_same():
    test = Experiment("b", HALVES, layer=Layer("home", {"a": 0.2, "b": 0.5}, holdout=0.1))
    for copy in (pickle.loads(pickle.dumps(test)), deepcopy(test), replace(test)):
        assert copy == test and copy.assign(range(50)).equals(test.assign(range(50)))


def test_a_new_name_brings_a_new_salt():
    first = Experiment("first", HALVES)
    assert replace(first, name="second").salts == {"deal": "second", "holdout": "second.holdout"}


# ----------------------------------------------------------------------------------------------------------- the shares
@pytest.mark.parametrize("shares", [HALVES, {"a": 0.9, "b": 0.1}, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}], ids=len)
def test_arms_get_their_shares(hash_name, shares):
    test = Experiment("shares", shares, hash=hash_name)
    counts = pd.Series(test.assign(range(100_000))).value_counts()
    assert sample_ratio(counts, test.expected).p_value > 0.001


def test_buckets_are_used_evenly(hash_name):
    counts = np.bincount(buckets_of("even", texts_of(range(100_000)), hash_name, 100), minlength=100)
    assert stats.chisquare(counts).pvalue > 0.001


def test_expected_shares_count_whole_buckets():
    assert Experiment("t", {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, buckets=10).expected == {"a": 0.3, "b": 0.4, "c": 0.3}
    with_holdout = Experiment("t", HALVES, holdout=0.2).expected
    assert with_holdout == pytest.approx({"control": 0.4, "hybrid": 0.4, "holdout": 0.2})


def test_a_larger_holdout_keeps_the_users_of_the_smaller():
    small, large = (Experiment("t", HALVES, holdout=share).assign(range(5000)) for share in (0.1, 0.3))
    assert 300 < (small == "holdout").sum() < 700
    assert (large == "holdout")[small == "holdout"].all()
    kept = large != "holdout"
    assert (np.asarray(large)[kept] == np.asarray(small)[kept]).all()  # nobody else moves


# --------------------------------------------------------------------------------------------------------- independence
def table_of(first, second):
    """p of the chi-square test of independence of two assignments."""
    return stats.chi2_contingency(pd.crosstab(np.asarray(first), np.asarray(second))).pvalue


def test_two_experiments_are_independent(hash_name):
    users = ids(200_000)
    first, second = (Experiment(name, HALVES, hash=hash_name).assign(users) for name in ("one", "two"))
    assert table_of(first, second) > 0.001
    again = Experiment("other name", HALVES, salt="one", hash=hash_name).assign(users)
    assert again.equals(first)  # one salt, one fate: what the register is for


def test_arms_and_holdout_are_independent():
    users = ids(200_000)
    test = Experiment("t", HALVES, holdout=0.2)
    without = Experiment("t", HALVES).assign(users)
    assert table_of(without, test.assign(users) == "holdout") > 0.001


def test_experiments_of_a_layer_never_meet():
    layer = Layer("home", {"a": 0.3, "b": 0.5}, holdout=0.1)
    users = ids(200_000)
    arms = [np.asarray(Experiment(name, HALVES, layer=layer).assign(users), object) for name in layer.slots]
    taking_part = [np.isin(arm, ["control", "hybrid"]) for arm in arms]
    assert not (taking_part[0] & taking_part[1]).any()
    held = [arm == "holdout" for arm in arms]
    assert (held[0] == held[1]).all() and not (held[0] & (taking_part[0] | taking_part[1])).any()
    counts = {"a": taking_part[0].sum(), "b": taking_part[1].sum(), "held": held[0].sum()}
    shares = {"a": 0.9 * 0.3, "b": 0.9 * 0.5, "held": 0.1, "free": 0.9 * 0.2}
    assert sample_ratio(counts | {"free": len(users) - sum(counts.values())}, shares).passed
    slots = layer.slot_of(users)
    assert (np.asarray(slots)[taking_part[1]] == "b").all() and slots.isna().sum() == len(users) - sum(counts.values())


def test_experiments_of_two_layers_are_independent(hash_name):
    users = ids(200_000)
    home, mail = (Layer(name, {"a": 0.5, "b": 0.5}, hash=hash_name) for name in ("home", "mail"))
    assert table_of(home.slot_of(users), mail.slot_of(users)) > 0.001
    first = Experiment("a", HALVES, layer=home, hash=hash_name).assign(users)
    second = Experiment("b", HALVES, layer=mail, hash=hash_name).assign(users)
    both = first.notna() & second.notna()
    assert both.sum() == pytest.approx(50_000, abs=WIDE * np.sqrt(200_000 * 0.25 * 0.75))
    assert table_of(first[both], second[both]) > 0.001


def test_arms_within_a_slot_have_their_shares():
    test = Experiment("b", {"x": 0.2, "y": 0.8}, layer=Layer("home", {"a": 0.3, "b": 0.5}, holdout=0.1))
    assert test.expected == pytest.approx(dict(x=0.09 / 0.55, y=0.36 / 0.55, holdout=0.1 / 0.55))
    assert sample_ratio(pd.Series(test.assign(ids(100_000))).value_counts(), test.expected).passed


def test_a_slot_at_the_end_moves_nobody():
    users = ids(5000)
    before = Layer("home", {"a": 0.3, "b": 0.2}).slot_of(users)
    after = Layer("home", {"a": 0.3, "b": 0.4, "c": 0.3}).slot_of(users)
    stayed = before.notna()
    assert (np.asarray(after)[stayed] == np.asarray(before)[stayed]).all() and after.notna().all()


def test_layers_may_hold_out_the_same_users():
    home, mail = (Layer(name, {"a": 0.5}, holdout=0.1, holdout_salt="2026") for name in ("home", "mail"))
    held = np.asarray(home.slot_of(ids(2000)) == "holdout")
    assert (held == np.asarray(mail.slot_of(ids(2000)) == "holdout")).all() and held.any()


# ------------------------------------------------------------------------------------------------------------------ SQL
def experiments(hash_name):
    """Plain, with a holdout, in a layer, with odd names."""
    layer = Layer("home", {"a": 0.3, "layered": 0.5}, holdout=0.1, hash=hash_name)
    return [
        Experiment("plain", {"a": 0.25, "b": 0.75}, hash=hash_name),
        Experiment("held", HALVES, holdout=0.13, hash=hash_name, buckets=997),
        Experiment("layered", {"a": 0.1, "b": 0.2, "c": 0.7}, hash=hash_name, layer=layer),
        Experiment('it\'s \\ "odd" 😀', {"o'ne": 0.5, "t\\wo": 0.5}, hash=hash_name),
    ]


def in_duckdb(test, frame):
    """Arms of a frame's users, in its order, as DuckDB computes them."""
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        if test.hash == "farm":
            register(connection)
        connection.register("users", frame)
        return connection.execute(test.sql("duckdb")).fetchdf()


def test_duckdb_gives_every_user_the_same_arm(hash_name):
    users = [*STRANGE, *ids(99_000 if hash_name == "md5" else 20_000), *(f"ñ😀{i}" for i in range(1000))]
    frame = pd.DataFrame({"user_id": users})
    for test in experiments(hash_name):
        found = in_duckdb(test, frame)
        ours = test.assign(users)
        assert found["user_id"].tolist() == users
        assert found["arm"].isna().to_numpy().tolist() == ours.isna().tolist()
        assert found["arm"].dropna().tolist() == ours[ours.notna()].tolist()
        assert found["arm"].nunique() == len(ours.categories)


def test_duckdb_casts_whole_numbers_as_we_do(hash_name):
    numbers = np.r_[np.arange(-500, 500), np.iinfo(np.int64).max, np.iinfo(np.int64).min]
    test = experiments(hash_name)[1]
    assert in_duckdb(test, pd.DataFrame({"user_id": numbers}))["arm"].tolist() == test.assign(numbers).tolist()


def test_a_user_without_an_id_has_no_arm_in_sql(hash_name):
    for test in experiments(hash_name):
        assert in_duckdb(test, pd.DataFrame({"user_id": [None, "ann"]}))["arm"].isna()[0]


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_the_query_is_sql_of_its_dialect(hash_name, dialect):
    sqlglot = pytest.importorskip("sqlglot", reason="needs sqlglot")
    for test in experiments(hash_name):
        parsed = sqlglot.parse_one(test.sql(dialect, user="user id", table="shop.users"), dialect=dialect)
        assert parsed.named_selects == ["user_id", "arm"]
        table = parsed.find(sqlglot.exp.Table)
        assert (table.db, table.name) == ("shop", "users")
        literals = {literal.this for literal in parsed.find_all(sqlglot.exp.Literal) if literal.is_string}
        assert {*test.arms, f"{test.salts['deal']}:"} <= literals  # quoted and read again, nothing is lost


def test_bigquery_md5_read_by_sqlglot_runs_like_ours():
    # BigQuery cannot run here: its query, turned into DuckDB's dialect by a third party, must give our arms
    sqlglot, duckdb = pytest.importorskip("sqlglot"), pytest.importorskip("duckdb")
    for test in experiments("md5"):
        query = sqlglot.transpile(test.sql("bigquery"), read="bigquery", write="duckdb")[0]
        users = pd.DataFrame({"user_id": ids(2000)})
        with duckdb.connect() as connection:
            connection.register("users", users)
            found = connection.execute(query).fetchdf()["arm"]
        ours = test.assign(users["user_id"])
        assert found.isna().tolist() == ours.isna().tolist() and found.dropna().tolist() == ours.dropna().tolist()


def test_bigquery_takes_the_sign_last():
    test = Experiment("t", HALVES, hash="farm")
    assert "ABS(MOD(FARM_FINGERPRINT(CONCAT('t:', CAST(`user_id` AS STRING))), 10000))" in test.sql("bigquery")
    assert "MOD(ABS(" not in test.sql("bigquery")


@pytest.mark.parametrize("name", ["", "a`b", 'a"b', "a'b", "a\\b", "a\nb", 7])
def test_names_that_could_break_out_of_a_query_are_refused(name):
    with pytest.raises(ValueError, match="a name in a query must be printable text without quotes"):
        Experiment("t", HALVES).sql(user=name)
    with pytest.raises(ValueError, match="dialect must be one of \\['bigquery', 'duckdb'\\], got 'oracle'"):
        Experiment("t", HALVES).sql("oracle")


# ----------------------------------------------------------------------------------------------------------- the table
def test_the_table_of_assignments_has_a_row_per_user():
    test = Experiment("t", HALVES)
    frame = test.assignments([3, 1, 2], "2026-03-01 12:00")
    assert frame.columns.tolist() == ["user_id", "experiment", "arm", "at"]
    assert frame["user_id"].tolist() == [3, 1, 2] and set(frame["experiment"]) == {"t"}
    assert frame["arm"].tolist() == test.assign([3, 1, 2]).tolist()
    assert frame["at"].tolist() == [pd.Timestamp("2026-03-01 12:00")] * 3


def test_times_are_utc():
    at = ["2026-03-01T12:00+02:00", "2026-03-01T10:00Z"]
    assert Experiment("t", HALVES).assignments(["a", "b"], at)["at"].tolist() == [pd.Timestamp("2026-03-01 10:00")] * 2
    with pytest.raises(ValueError, match="at must be a time, or one per user, got 1 with 0 missing"):
        Experiment("t", HALVES).assignments(["a", "b"], at[:1])


def test_who_is_not_in_the_slot_is_not_in_the_table():
    test = Experiment("b", HALVES, layer=Layer("home", {"a": 0.5, "b": 0.2}))
    users = ids(500)
    assert test.assignments(users, "2026-01-01")["user_id"].tolist() == [
        user for user, arm in zip(users, test.assign(users)) if isinstance(arm, str)
    ]


# ------------------------------------------------------------------------------------------------------------ bad input
@pytest.mark.parametrize(
    "shares, message",
    [
        ({"a": 0.5, "b": 0.4}, "shares must add up to 1, got 0.9"),
        ({"a": 0.5, "b": 0.5 + 1e-8}, "shares must add up to 1"),
        ({"a": 1.0}, "shares must name two arms or more"),
        ({}, "shares must name two arms or more"),
        ({"a": 1.5, "b": -0.5}, "the share of 'a' must be above 0 and at most 1, got 1.5"),
        ({"a": 1.0, "b": 0.0}, "the share of 'b' must be above 0 and at most 1, got 0.0"),
        ({"a": float("nan"), "b": 0.5}, "the share of 'a' must be above 0"),
        ({"a": True, "b": 0.5}, "the share of 'a' must be above 0"),
        ({"a": "0.5", "b": 0.5}, "the share of 'a' must be above 0"),
        ([("a", 0.5), ("a", 0.5)], "shares name 'a' twice"),
        (["a", "b"], "shares must give a share to each name"),
        ([0.5, 0.5], "shares must give a share to each name"),
        ({"": 0.5, "b": 0.5}, "a name in shares must be printable text"),
        ({"a\0": 0.5, "b": 0.5}, "a name in shares must be printable text"),
        ({" a": 0.5, "b": 0.5}, "a name in shares must be printable text"),
        ({"holdout": 0.5, "b": 0.5}, "shares must not name 'holdout'"),
        ({"a": 0.99999, "b": 0.00001}, "arms \\['b'\\] are less than one of 10,000 buckets"),
    ],
)
def test_shares_that_cannot_be_are_refused(shares, message):
    with pytest.raises(ValueError, match=message):
        Experiment("t", shares)


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"name": ""}, "name must be printable text"),
        ({"name": "a\0b"}, "name must be printable text"),
        ({"name": "a:b"}, "a salt must not hold ':'"),
        ({"salt": ""}, "the salt for deal must be printable text"),
        ({"salt": "x", "holdout_salt": "x"}, "salt and holdout_salt must differ"),
        ({"holdout": 1.0}, "holdout must be a share of at least 0 and below 1, got 1.0"),
        ({"holdout": -0.1}, "holdout must be a share"),
        ({"holdout": None}, "holdout must be a share"),
        ({"holdout": 1e-5}, "holdout 1e-05 is less than one of 10,000 buckets"),
        ({"hash": "sha1"}, "hash must be one of \\['md5', 'farm'\\], got 'sha1'"),
        ({"buckets": 1}, "buckets must be a whole number from 2"),
        ({"buckets": 1e4}, "buckets must be a whole number from 2"),
    ],
)
def test_plans_that_cannot_be_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Experiment(**{"name": "t", "shares": HALVES, **fields})


def test_a_layer_has_room_for_everybody_once():
    with pytest.raises(ValueError, match="slots must take a share above 0 and at most 1 together, got 1.1"):
        Layer("home", {"a": 0.6, "b": 0.5})
    with pytest.raises(ValueError, match="slots must take a share above 0"):
        Layer("home", {})
    layer = Layer("home", {"a": 0.6})
    with pytest.raises(ValueError, match="layer 'home' has no slot 'b'; it has \\['a'\\]"):
        Experiment("b", HALVES, layer=layer)
    with pytest.raises(ValueError, match="give the layer the holdout"):
        Experiment("a", HALVES, layer=layer, holdout=0.1)
    with pytest.raises(ValueError, match="experiment 'a' and its layer share the salt 'layer.home'"):
        Experiment("a", HALVES, layer=layer, salt="layer.home")
    with pytest.raises(TypeError, match="layer must be a Layer, got 'home'"):
        Experiment("a", HALVES, layer="home")
    with pytest.raises(TypeError, match="name must be text, got 7"):
        Experiment(7, HALVES)


@pytest.mark.parametrize("bad", [None, float("nan"), pd.NA, 2.0, True, np.True_, b"ann", pd.Timestamp(0), "\ud800"])
def test_what_is_no_id_is_refused_with_its_position(bad):
    with pytest.raises(TypeError, match="1 of 3 are not: .* at position 2"):
        Experiment("t", HALVES).assign(["ann", 7, bad])


def test_a_single_id_is_no_list_nor_is_a_frame():
    with pytest.raises(TypeError, match="user_ids must be a list of ids, got the single 'ann'"):
        Experiment("t", HALVES).assign("ann")
    with pytest.raises(TypeError, match=r"one column of ids, got DataFrame \(2, 1\)"):
        Experiment("t", HALVES).assign(pd.DataFrame({"user_id": ["ann", "bob"]}))


def test_farm_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "farmhash", None)
    test = Experiment("t", HALVES, hash="farm")
    with pytest.raises(ImportError, match="pip install pyfarmhash; or take hash='md5'"):
        test.assign(["ann"])
    assert "FARM_FINGERPRINT" in test.sql("bigquery")  # the text needs no package
    assert len(Experiment("t", HALVES).assign(["ann"])) == 1
