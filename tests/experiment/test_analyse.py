"""The report of an experiment: corrected, guarded, void when users are missing, and readable by the storefront."""

import json

import numpy as np
import pandas as pd
import pytest

from reco_utils.corrections import adjust
from reco_utils.experiment.analyse import Coverage, Mean, Proportion, Quantile, Ratio, analyse
from reco_utils.experiment.effects import effect_between
from reco_utils.serve.storefront.results import read_results

pytest.importorskip("tea_tasting", reason="needs the extra `experiments`")


def shop(gains, *, n=4000, bounce=0.4, seed=0):
    """Users dealt evenly to the arms of `gains`; an arm's users click and spend `gains` times as much."""
    rng = np.random.default_rng(seed)
    arm = np.array(list(gains))[np.arange(n) % len(gains)]
    gain = np.array([gains[a] for a in arm])
    sessions = 1 + rng.poisson(2, n)
    totals = pd.DataFrame({"user_id": [f"u{i:05d}" for i in range(n)], "arm": arm, "sessions": sessions})
    totals["shown"] = 10 * sessions
    totals["clicks"] = rng.binomial(totals["shown"], np.minimum(0.1 * gain, 1))
    totals["orders"] = rng.binomial(sessions, np.minimum(0.1 * gain, 1))
    totals["revenue"] = totals["orders"] * rng.lognormal(3, 0.5, n)
    totals["bounced"] = rng.binomial(sessions, bounce)
    totals["device"] = rng.choice(["desktop", "mobile"], n)
    return totals


GOALS = [Mean("revenue", unit="euros"), Ratio("clicks", "shown")]
BOUNCE = Ratio("bounced", "sessions", label="bounce rate", lower_is_better=True, guardrail=0.1)


def test_a_winner_is_shipped():
    report = analyse(shop({"control": 1.0, "b": 1.4}), [*GOALS, BOUNCE])
    table = report.table()
    assert table["verdict"].tolist() == ["better", "better", "kept"]
    assert report.decision.startswith("Ship b: revenue per user +")
    assert "corrected p < 0.001; guardrails kept: 1 of 1" in report.decision


def test_a_loser_is_not_shipped():
    decision = analyse(shop({"control": 1.0, "b": 0.6}), GOALS).decision
    assert decision.startswith("Do not ship b: revenue per user -") and decision.endswith("which is worse.")


def test_no_difference_is_not_enough():
    report = analyse(shop({"control": 1.0, "b": 1.0}, n=600), GOALS)
    assert report.table()["verdict"].tolist() == ["no difference shown"] * 2
    assert report.decision.startswith("Not enough to decide on b:")


def test_less_is_better_where_it_is_said_to_be():
    totals = shop({"control": 1.0, "b": 0.6})
    assert analyse(totals, [Mean("revenue", lower_is_better=True)]).decision.startswith("Ship b")


def test_a_secondary_loss_is_named():
    totals = shop({"control": 1.0, "b": 1.4})
    totals["returns"] = totals["clicks"]
    decision = analyse(totals, [Mean("revenue"), Mean("returns", lower_is_better=True)]).decision
    assert decision.startswith("Ship b") and decision.endswith("; but worse: returns per user.")


def test_the_table_has_the_effects_and_their_corrected_p():
    totals = shop({"control": 1.0, "b": 1.1, "c": 1.2})
    table = analyse(totals, [*GOALS, BOUNCE], correction="bh").table()
    assert table.index.tolist() == [(m.name, arm) for m in (*GOALS, BOUNCE) for arm in ("b", "c")]
    found = effect_between(GOALS[1], totals, "c")
    row = table.loc[("clicks / shown", "c")]
    assert [row["effect"], row["low"], row["relative_high"]] == [found.effect, found.low, found.relative_high]
    assert table["p_adjusted"][:4].tolist() == adjust(table["p"][:4], "bh").tolist()
    assert table["p_adjusted"][4:].isna().all()  # guardrails are not asked for a gain


# --------------------------------------------------------------------------------------------------------- guardrails
def two_groups(bounces, n=100):
    """n users per arm with 100 visits each, of which half of the users bounce one less and half one more than given."""
    rows = [(arm, 100, bounces[arm] + (-1) ** i) for arm in bounces for i in range(n)]
    totals = pd.DataFrame(rows, columns=["arm", "sessions", "bounced"])
    return totals.assign(user_id=range(len(rows)), revenue=np.arange(len(rows)) % 7)


@pytest.mark.parametrize("bounced, verdict", [(50, "kept"), (52, "kept"), (55, "open"), (60, "broken"), (40, "kept")])
def test_a_guardrail_compares_the_interval_with_the_margin(bounced, verdict):
    """Bounce rates are 50 % and so many, known to 0.14 points each; a tenth, 5 points, may be lost."""
    totals = two_groups({"control": 50, "b": bounced})
    report = analyse(totals, [Mean("revenue"), BOUNCE])
    assert report.table().loc[("bounce rate", "b"), "verdict"] == verdict
    if verdict == "broken":
        assert report.decision.startswith("Do not ship b: bounce rate +20.0 %")
        assert report.decision.endswith("which is more than the 10 % it may get worse by.")


def test_a_winner_with_an_open_guardrail_waits():
    totals = two_groups({"control": 50, "b": 55})
    totals["revenue"] += 3.0 * (totals["arm"] == "b")
    decision = analyse(totals, [Mean("revenue"), BOUNCE]).decision
    assert decision.startswith("Not enough to decide on b: revenue per user +")
    assert decision.endswith("but bounce rate may still be worse by more than the 10 % allowed.")


def test_guardrails_alone_can_decide():
    assert analyse(two_groups({"control": 50, "b": 50}), [BOUNCE]).decision.startswith("Ship b: no metric to gain")


def test_guardrails_read_visits_and_impressions():
    totals = shop({"control": 1.0, "b": 1.0}, n=400)
    visits = totals.loc[totals.index.repeat(totals["sessions"]), ["user_id"]].reset_index(drop=True)
    visits["latency_ms"] = 50.0 + np.arange(len(visits)) % 40
    shown = pd.DataFrame({"user_id": np.repeat(totals["user_id"], 5), "item_id": np.arange(5 * len(totals)) % 297})
    metrics = [
        Mean("revenue"),
        Quantile("latency_ms", 0.95, lower_is_better=True, guardrail=0.2),
        Coverage(300, guardrail=0.2),
    ]
    rng = np.random.default_rng(0)
    table = analyse(totals, metrics, visits=visits, impressions=shown, rng=rng).table()
    assert table["verdict"][1:].tolist() == ["kept", "kept"]
    alone = visits.assign(arm=totals.set_index("user_id")["arm"][visits["user_id"]].to_numpy())
    assert table["effect"].iloc[1] == effect_between(metrics[1], alone, "b").effect


# ------------------------------------------------------------------------------------------------------- sample ratio
def test_a_broken_sample_ratio_voids_everything():
    totals = shop({"control": 1.0, "b": 1.4})
    lost = totals[(totals["arm"] == "control") | (np.arange(len(totals)) % 10 != 1)]  # 1 in 5 users of b is missing
    report = analyse(lost, [*GOALS, BOUNCE])
    assert (report.table()["verdict"] == "void").all()
    assert report.decision == report.ratio.sentence
    assert "nothing" in report.decision


def test_planned_shares_are_no_broken_ratio():
    totals = shop({"control": 1.0, "b": 1.4})
    some = totals[(totals["arm"] == "control") | (np.arange(len(totals)) % 4 == 1)]
    assert not analyse(some, GOALS).ratio.passed
    assert analyse(some, GOALS, shares={"control": 2 / 3, "b": 1 / 3}).ratio.passed


# -------------------------------------------------------------------------------------------------------- three arms
def test_of_several_arms_the_best_is_shipped_and_the_others_are_named():
    gains = {"control": 1.0, "same": 1.0, "good": 1.3, "best": 1.8, "bad": 0.5}
    decision = analyse(shop(gains, n=6000), GOALS).decision
    assert decision.startswith("Ship best: ")
    assert decision.endswith("(good: ship; same: not enough; bad: do not ship.)")


# --------------------------------------------------------------------------------------------------- false alarms
def test_an_a_a_test_raises_alarms_in_five_of_a_hundred():
    """150 experiments without a difference; the benchmark makes 1,000 of each kind of metric."""
    rng = np.random.default_rng(0)
    totals = shop({"control": 1.0, "b": 1.0}, n=1000)
    metrics = [Mean("revenue"), Proportion("orders"), Ratio("clicks", "shown")]
    alarms = []
    for _ in range(150):
        arm = np.array(["control", "b"])[rng.permutation(len(totals)) % 2]
        alarms.append([effect_between(m, totals.assign(arm=arm), "b").p < 0.05 for m in metrics])
    assert np.abs(np.mean(alarms, axis=0) - 0.05).max() < 3.5 * np.sqrt(0.05 * 0.95 / 150)


# -------------------------------------------------------------------------------------------------------- the file
def test_the_storefront_reads_the_file(tmp_path):
    report = analyse(shop({"control": 1.0, "b": 1.4}), [*GOALS, BOUNCE], name="hybrid-test")
    path = report.to_json(tmp_path, question="More sold?", source="simulated shoppers", first="2026-01-01", last="x")
    assert path == tmp_path / "experiments" / "hybrid-test.json"
    results, wrong = read_results(tmp_path)
    assert not wrong
    (result,) = results
    assert (result.name, result.arms) == ("hybrid-test", (("control", 2000), ("b", 2000)))
    assert [effect.verdict for effect in result.effects] == ["better", "better", "no difference shown"]
    assert [effect.unit for effect in result.effects] == ["euros", "", ""]
    assert [effect.lower_is_better for effect in result.effects] == [False, False, True]
    assert [(check, passed) for check, passed, _ in result.checks] == [
        ("sample ratio", True),
        ("guardrail: bounce rate", True),
    ]
    assert result.texts["verdict"] == report.decision
    assert result.texts["source"] == "simulated shoppers"
    assert list(path.parent.iterdir()) == [path]  # no part of a file is left


def test_effects_of_several_arms_have_their_own_names_in_the_file(tmp_path):
    path = analyse(shop({"control": 1.0, "b": 1.4, "c": 1.0}), GOALS).to_json(tmp_path)
    names = [effect["metric"] for effect in json.loads(path.read_text("utf-8"))["effects"]]
    assert names[:2] == ["revenue per user (b)", "revenue per user (c)"]


def test_a_file_of_other_intervals_or_a_name_with_a_folder_is_refused(tmp_path):
    totals = shop({"control": 1.0, "b": 1.0}, n=200)
    with pytest.raises(ValueError, match="95 % intervals, but alpha is 0.1"):
        analyse(totals, GOALS, alpha=0.1).to_json(tmp_path)
    for name in ("../out", ".hidden", ""):
        with pytest.raises(ValueError, match="must do as the name of a file"):
            analyse(totals, GOALS, name=name).to_json(tmp_path)


def test_the_figure_has_a_row_per_effect_and_a_mark_per_margin():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    report = analyse(shop({"control": 1.0, "b": 1.4}), [*GOALS, BOUNCE])
    assert report.plot(ax) is ax
    assert [label.get_text() for label in ax.get_yticklabels()] == ["revenue per user", "clicks / shown", "bounce rate"]
    marks = [line for line in ax.lines if list(line.get_xdata()) == [10.0, 10.0]]  # a tenth more bounces
    assert len(marks) == 1
    assert report.decision in repr(report) and "<table" in report._repr_html_()
    plt.close(figure)


def test_few_users_and_few_events_are_noted():
    totals = shop({"control": 1.0, "b": 1.0}, n=150)
    totals["orders"] = (np.arange(150) < 6).astype(int)
    notes = analyse(totals, [Proportion("orders", label="conversion")]).notes
    assert any("fewer than 100 users in ['control', 'b']" in note for note in notes)
    assert any("conversion: 3 of 75 in b, too few" in note for note in notes)
    assert analyse(shop({"control": 1.0, "b": 1.0}), [Proportion("orders")]).notes == ()


# --------------------------------------------------------------------------------------------------------- bad input
def broken(change):
    totals = shop({"control": 1.0, "b": 1.0}, n=100)
    return change(totals)


def with_value(totals, column, row, value):
    totals[column] = totals[column].astype(object if isinstance(value, str) or value is None else float)
    totals.loc[row, column] = value
    return totals


@pytest.mark.parametrize(
    "change, options, error, words",
    [
        (lambda t: t[t["arm"] == "control"], {}, ValueError, r"two arms or more, got \['control'\]"),
        (lambda t: t[t["arm"] == "b"], {}, ValueError, "arm 'control' has no users; the arms are"),
        (lambda t: t, {"shares": {"control": 0.5, "b": 0.4, "c": 0.1}}, ValueError, "arm 'c' has no users"),
        (lambda t: t, {"shares": {"control": 1.0}}, ValueError, r"users of the arms \['b'\] have no share"),
        (
            lambda t: pd.concat([t, t.head(2).assign(arm="b")]), {}, ValueError,
            r"1 users are in two arms, such as 'u00000' in \['b', 'control'\]",
        ),
        (lambda t: pd.concat([t, t.head(1)]), {}, ValueError, "a row per user, got 1 users twice, such as 'u00000'"),
        (lambda t: t.drop(columns="clicks"), {}, KeyError, r"totals lack the columns \['clicks'\]"),
        (lambda t: with_value(t, "revenue", 3, np.nan), {}, ValueError, r"'revenue' is missing or .* \['u00003'\]"),
        (lambda t: with_value(t, "revenue", 3, np.inf), {}, ValueError, "'revenue' is missing or infinite in 1 rows"),
        (lambda t: with_value(t, "revenue", 3, "12"), {}, TypeError, "totals must hold numbers in 'revenue'"),
        (lambda t: with_value(t, "arm", 3, None), {}, ValueError, "arm is missing in 1 rows of totals"),
        (lambda t: t.assign(revenue=7.0), {}, ValueError, "'revenue per user' has no variance"),
        (lambda t: t.assign(shown=0), {}, ValueError, "the denominator of 'clicks / shown' is 0"),
        (lambda t: t, {"alpha": 0}, ValueError, "alpha must lie between 0 and 1, got 0"),
        (lambda t: t, {"correction": "tukey"}, ValueError, "correction must be one of .* got 'tukey'"),
        (lambda t: t, {"metrics": []}, ValueError, "at least one metric, got none"),
        (lambda t: t, {"metrics": GOALS[0]}, TypeError, "a list of metrics, got 'revenue per user' alone"),
        (lambda t: t, {"shares": [0.5, 0.5]}, TypeError, r"a share to each arm, .* got \[0.5, 0.5\]"),
        (lambda t: t, {"metrics": ["revenue"]}, TypeError, "must be a Mean, .* got 'revenue'"),
        (lambda t: t, {"metrics": [GOALS[0]] * 2}, ValueError, "two metrics are called 'revenue per user'"),
        (lambda t: t, {"metrics": [Quantile("ms")]}, ValueError, r"visits are needed, .* \['ms', 'user_id'\]"),
        (
            lambda t: t, {"metrics": [Quantile("ms")], "visits": pd.DataFrame({"user_id": ["x"], "ms": [1.0]})},
            ValueError, r"visits name users that totals do not have, such as \['x'\]",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_analysed_is_refused(change, options, error, words):
    options = {"metrics": GOALS, **options}
    with pytest.raises(error, match=words):
        analyse(broken(change), **options)
