import numpy as np
import pytest
from scipy import stats

from reco_utils.experiment.bootstrap import _ends, _p_value, bootstrap_difference, resampled_sums
from reco_utils.experiment.metrics import winsorise


def spenders(rng, n, share=0.1, gain=1.0):
    return np.where(rng.random(n) < share, rng.lognormal(3, 1, n) * gain, 0.0)


def test_resamples_of_two_users_are_none_one_or_two_of_the_buyer():
    sums = resampled_sums(np.array([[0.0, 1.0], [10.0, 1.0]]), rng=np.random.default_rng(0), n=20_000)
    assert sums[:, 1].tolist() == [2.0] * 20_000
    shares = [np.mean(sums[:, 0] == 10.0 * buyers) for buyers in (0, 1, 2)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.015)  # 4 standard errors


def test_resampled_sums_have_the_mean_and_variance_of_drawing_with_replacement():
    rng = np.random.default_rng(1)
    spent = spenders(rng, 400)
    rows = np.column_stack([spent, spent / 20 + rng.poisson(3, 400)])
    sums = resampled_sums(rows, rng=rng, n=20_000)
    expected = 400 * np.cov(rows, rowvar=False, ddof=0)
    assert sums.mean(axis=0) == pytest.approx(rows.sum(axis=0), rel=0.01)
    assert np.cov(sums, rowvar=False) == pytest.approx(expected, rel=0.06)  # 6 standard errors of a variance


def test_all_alike_resample_to_themselves():
    rows = np.ones((5, 2))
    assert resampled_sums(rows, rng=np.random.default_rng(0), n=3).tolist() == [[5.0, 5.0]] * 3


def test_scipy_agrees_within_what_resampling_leaves_open():
    rng = np.random.default_rng(2)
    control, treatment = spenders(rng, 300), spenders(rng, 250, gain=1.5)
    found = bootstrap_difference(control, treatment, rng=rng, n=20_000)
    scipy = stats.bootstrap(
        (treatment, control), lambda t, c, axis=-1: t.mean(axis=axis) - c.mean(axis=axis),
        n_resamples=20_000, method="BCa", vectorized=True, batch=500, rng=rng,
    )  # fmt: skip
    ends = scipy.confidence_interval
    assert [found.low, found.high] == pytest.approx([ends.low, ends.high], abs=0.06 * (ends.high - ends.low))
    assert found.se == pytest.approx(scipy.standard_error, rel=0.05)


def test_bca_equals_the_usual_interval_where_there_is_neither_bias_nor_skew():
    values = np.arange(-50.0, 51.0)  # symmetric
    found = bootstrap_difference(values, values, rng=np.random.default_rng(3), n=20_000)
    reach = stats.norm.isf(0.025) * np.sqrt(2 * values.var() / len(values))
    assert [found.low, found.high] == pytest.approx([-reach, reach], abs=0.06 * reach)


@pytest.mark.parametrize("skew, low, high", [(0.0, 0.0731, 0.9932), (0.1, 0.1142, 0.9990)])
def test_bias_and_skew_move_the_ends_and_p_with_them(skew, low, high):
    """Resamples spread evenly from 0 to 1, six of ten below what was seen: z0 = 0.2533, levels by a table of Phi.

    0.2533 - 1.96 = -1.7066; without skew Phi(0.2533 - 1.7066), with 0.1 Phi(0.2533 - 1.7066 / 1.1707); so for 2.2133.
    """
    drawn = np.linspace(0, 1, 100_001)
    assert _ends(drawn, 0.6, skew, 0.05) == pytest.approx((low, high), abs=1e-4)
    p = _p_value(drawn - 0.05, 0.55, skew)
    assert _ends(drawn - 0.05, 0.55, skew, p)[0] == pytest.approx(0, abs=1e-4)


def test_p_is_below_alpha_just_where_the_interval_leaves_zero_out():
    rng = np.random.default_rng(4)
    control, treatment = spenders(rng, 400), spenders(rng, 400, gain=1.5)
    p = bootstrap_difference(control, treatment, rng=np.random.default_rng(0)).p
    for alpha, inside in ((p * 0.8, True), (min(p * 1.2, 0.99), False)):
        found = bootstrap_difference(control, treatment, rng=np.random.default_rng(0), alpha=alpha)
        assert (found.low <= 0 <= found.high) == inside


def test_a_ratio_is_resampled_by_user():
    rng = np.random.default_rng(5)
    shown = rng.poisson(10, 500) + 1.0
    rows = np.column_stack([rng.binomial(shown.astype(int), 0.2), shown])
    found = bootstrap_difference(rows[:250], rows[250:], rng=rng)
    errors = []
    for part in (rows[:250], rows[250:]):
        ratio = part[:, 0].sum() / part[:, 1].sum()
        errors.append(np.sum((part[:, 0] - ratio * part[:, 1]) ** 2) / part[:, 1].sum() ** 2)
    assert found.se == pytest.approx(np.sqrt(sum(errors)), rel=0.06)


def test_the_same_generator_state_gives_the_same_interval():
    rng = np.random.default_rng(6)
    control, treatment = spenders(rng, 200), spenders(rng, 200)
    first, second = (bootstrap_difference(control, treatment, rng=np.random.default_rng(7)) for _ in range(2))
    assert first == second


def test_no_relative_interval_where_an_arm_may_be_zero():
    control, treatment = np.r_[np.zeros(30), 1.0], np.r_[np.zeros(29), 1.0, 1.0]
    found = bootstrap_difference(control, treatment, rng=np.random.default_rng(0))
    assert np.isnan([found.relative_low, found.relative_high]).all()


@pytest.mark.parametrize(
    "control, options, words",
    [
        ([1.0], {}, "control must hold at least two users, got 1"),
        ([1.0, np.nan], {}, "control must be finite, got 1 other"),
        ([1.0, 1.0], {}, "no variance"),
        ([1.0, 2.0], {"n": 50}, "n must be a whole number of at least 100, got 50"),
        ([1.0, 2.0], {"alpha": 1.0}, "alpha must lie between 0 and 1, got 1.0"),
        (np.zeros((2, 3)), {}, r"must be \(users,\) or \(users, 2\), got shape \(2, 3\)"),
        (np.array([[1.0, 0.0], [2.0, 0.0]]), {}, "denominators of control must add up to more than 0"),
    ],
)
def test_what_cannot_be_resampled_is_refused(control, options, words):
    with pytest.raises(ValueError, match=words):
        bootstrap_difference(control, [1.0, 1.0], rng=np.random.default_rng(0), **options)


def test_winsorising_sets_the_top_to_the_quantile_and_leaves_the_caller_alone():
    values = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    assert winsorise(values, 0.8).tolist() == [1.0, 2.0, 3.0, 4.0, 4.0]  # 4 of 5 values are at or below 4
    assert values[-1] == 100.0
    assert winsorise([], 0.9).shape == (0,)
