import numpy as np
import pytest

from reco_utils.corrections import adjust


def test_holm_multiplies_the_smallest_by_all_and_never_decreases():
    assert adjust([0.01, 0.04, 0.03], "holm") == pytest.approx([0.03, 0.06, 0.06])  # 3 * .01, 2 * .03, then 1 * .04


def test_holm_of_one_question_changes_nothing_and_of_many_stops_at_one():
    assert adjust([0.04]).tolist() == [0.04]
    assert adjust([0.9, 0.8]).tolist() == [1, 1]


def test_benjamini_hochberg_divides_by_the_rank_and_never_increases():
    assert adjust([0.01, 0.04, 0.03, 0.5], "bh") == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_none_leaves_the_values_alone():
    assert adjust([0.2, 0.04], None).tolist() == [0.2, 0.04]


@pytest.mark.parametrize("how", ["holm", "bh", None])
def test_nan_is_no_question(how):
    p, holes = np.array([0.01, 0.04, 0.03]), np.array([0.01, np.nan, 0.04, 0.03])
    found = adjust(holes, how)
    assert np.isnan(found[1])
    assert found[[0, 2, 3]].tolist() == adjust(p, how).tolist()
    assert adjust([], how).shape == (0,)


@pytest.mark.parametrize("how, theirs", [("holm", "holm"), ("bh", "fdr_bh")])
def test_statsmodels_agrees(how, theirs):
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="needs the extra `extension`")
    rng = np.random.default_rng(0)
    for m in (1, 2, 7, 30):
        p = rng.random(m) ** 3
        p[: m // 3] = p[0]  # ties
        assert adjust(p, how) == pytest.approx(multitest.multipletests(p, method=theirs)[1], abs=1e-12)


def test_wrong_values_and_ways_are_refused():
    with pytest.raises(ValueError, match=r"between 0 and 1, got \[1.5\]"):
        adjust([0.1, 1.5])
    with pytest.raises(ValueError, match="must be one of .*'holm'.* got 'bonferroni'"):
        adjust([0.1], "bonferroni")
