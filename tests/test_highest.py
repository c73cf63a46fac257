from math import comb

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import beta, norm

from reco_utils.highest import highest_chances


def chance_second_is_higher(a1, b1, a2, b2):
    """P(Beta(a2, b2) > Beta(a1, b1)) for whole numbers: an exact sum."""

    def inverse(a, b):
        return 1 / (a * comb(a + b - 1, a))

    return sum(inverse(a1 + i, b1 + b2) / ((b2 + i) * inverse(1 + i, b2) * inverse(a1, b1)) for i in range(a2))


def integrated(a, b):
    """P(highest draw) by adaptive integration: f_i times the product of the others' F_j."""
    found = []
    for i in range(len(a)):
        others = [j for j in range(len(a)) if j != i]

        def density(t, i=i, others=others):
            return beta.pdf(t, a[i], b[i]) * np.prod([beta.cdf(t, a[j], b[j]) for j in others])

        found.append(quad(density, 0, 1, points=[a[i] / (a[i] + b[i])], limit=200)[0])
    return found


def test_by_hand():
    # Beta(2, 1) has density 2t and P(the other, even on [0, 1], is lower) = t: the integral of 2 t^2 is 2/3
    assert_allclose(highest_chances([2, 1], [1, 1]), [2 / 3, 1 / 3], rtol=1e-4)
    assert_allclose(highest_chances([2] * 5, [7] * 5), [1 / 5] * 5, rtol=1e-12)
    assert highest_chances([4], [7]).tolist() == [1] and highest_chances([], []).shape == (0,)


@pytest.mark.parametrize("ones", [(1, 1, 1, 1), (3, 9, 5, 9), (40, 60, 45, 55), (2, 500, 9, 400), (1, 1, 300, 2)])
def test_chances_of_two_are_the_exact_sum(ones):
    a1, b1, a2, b2 = ones
    exact = chance_second_is_higher(a1, b1, a2, b2)
    assert_allclose(highest_chances([a1, a2], [b1, b2]), [1 - exact, exact], rtol=1e-3)


def test_a_small_chance_is_right_too_for_weights_divide_by_it():
    exact = chance_second_is_higher(80, 20, 40, 60)
    assert exact < 1e-8
    assert_allclose(highest_chances([80, 40], [20, 60])[1], exact, rtol=0.01)


@pytest.mark.parametrize(
    "successes, trials",
    [([1, 3, 0], [4, 5, 0]), ([30, 25, 1, 0], [100, 100, 2, 0]), ([0, 0, 5, 40, 2], [50, 3, 60, 500, 9])],
)
def test_chances_of_several_are_the_integral(successes, trials):
    a, b = 1 + np.array(successes), 1 + np.array(trials) - successes
    found = highest_chances(a, b)
    assert_allclose(found, integrated(a, b), rtol=5e-3)
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_chances_of_many_are_what_draws_say():
    trials = np.random.default_rng(5).integers(0, 200, 500)
    successes = np.random.default_rng(6).binomial(trials, np.random.default_rng(7).beta(2, 20, 500))
    a, b = 1 + successes, 1 + trials - successes
    drawn = np.random.default_rng(8).beta(a, b, (20_000, 500)).argmax(axis=1)
    share, found = np.bincount(drawn, minlength=500) / 20_000, highest_chances(a, b)
    assert (abs(found - share) <= 5 * np.sqrt(found / 20_000) + 1e-4).all()


def test_what_is_known_sharply_is_told_apart():
    # two rates of 0.1000 and 0.1004 after a million trials each: their difference is normal, 0.943 deviations above 0
    found = highest_chances([100_001, 100_401, 6], [900_001, 899_601, 96])
    deviation = np.sqrt(0.1 * 0.9 / 1e6 + 0.1004 * 0.8996 / 1e6)
    assert_allclose(found[1] / found[:2].sum(), norm.cdf(0.0004 / deviation), atol=0.003)
