"""Notebook 05's graders: right answers pass, typical wrong ones get the advice that fits them."""

import numpy as np
import pytest

from reco_utils.check import Wrong, check, exercises


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("05") == ("05.1", "05.2", "05.3")
    for exercise in exercises("05"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 3


# -------------------------------------------------------------------------------------------------------------- 05.1
def span(s):
    return np.nanmax(s) - np.nanmin(s)


def minmax_of(s):
    return np.where(np.isnan(s), s, 0.5) if span(s) == 0 else (s - np.nanmin(s)) / span(s)


def in_place(s):
    s[:] = minmax_of(s)
    return s


def test_minmax_keeps_gaps_and_gives_equal_scores_the_middle(capsys):
    check("05.1", minmax_of)
    assert "05.1: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda s: (s - s.min()) / (s.max() - s.min()), "one gap made everything NaN"),
        (lambda s: minmax_of(np.nan_to_num(s)), "a gap became a 0 before the lowest"),
        (lambda s: np.nan_to_num(minmax_of(s)), "no opinion must stay np.nan"),
        (lambda s: s / np.nanmax(s), "divides by the highest"),
        (lambda s: 1 - minmax_of(s), "the best score must get 1"),
        (lambda s: s - np.nanmin(s), "divide by the distance"),
        (lambda s: np.array([1 / 6, np.nan, 5 / 6, 0.5]), "that is the rank"),
        (lambda s: s * 7, "do it on paper"),
        (lambda s: (s - np.nanmin(s)) / span(s), "every known score gets 0.5"),
        (lambda s: np.where(np.isnan(s), s, (s - np.nanmin(s)) / max(span(s), 1e-9)), "every known score gets 0.5"),
        (lambda s: float(np.nanmax(s)), "must return 4 numbers"),
        (in_place, "the caller's scores were changed"),
        (3, "must be the function itself, got 3"),
    ],
)
def test_each_wrong_minmax_gets_its_own_advice(answer, advice):
    expect("05.1", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 05.2
def fuse(lists, *, constant=60, start=1):
    points = {}
    for names in lists:
        for place, name in enumerate(names, start=start):
            points[name] = points.get(name, 0) + 1 / (constant + place)
    return points


def overwritten(lists):
    return {name: 1 / (60 + place) for names in lists for place, name in enumerate(names, start=1)}


def averaged(lists):
    return {name: points / sum(name in names for names in lists) for name, points in fuse(lists).items()}


def everywhere(lists):
    names = {name for names in lists for name in names}
    return {n: sum(1 / (61 + (a.index(n) if n in a else len(a))) for a in lists) for n in names}


def test_fusion_adds_the_points_of_every_list(capsys):
    check("05.2", fuse)
    assert "05.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda lists: fuse(lists, start=0), "places are counted from 1"),
        (lambda lists: fuse(lists, constant=0), "the 60 is missing"),
        (lambda lists: {n: p / len(lists) for n, p in fuse(lists).items()}, "not averaged over the lists"),
        (averaged, "gets the mean of its points"),
        (overwritten, "keeps the points of one list only"),
        (lambda lists: {n: p for n, p in fuse(lists).items() if all(n in names for names in lists)}, "lamp is in one"),
        (everywhere, "what is not in a list adds nothing"),
        (lambda lists: fuse(lists) | {"sofa": 0.0}, r"\['sofa'\] stand in no list"),
        (lambda lists: sorted(fuse(lists).items()), "must return a dict of product to points, got list"),
        (lambda lists: fuse(lists) if lists else {"": 0}, "return an empty dict"),
    ],
)
def test_each_wrong_fusion_gets_its_own_advice(answer, advice):
    expect("05.2", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 05.3
def voice(mine, other, name, *, limit=min):
    if name in mine:
        return mine[name]
    return limit(other[name], sum(mine.values()) / len(mine)) if mine else other[name]


def blend_of(collab, content, share, **options):
    return {
        n: share * voice(collab, content, n, **options) + (1 - share) * voice(content, collab, n, **options)
        for n in collab | content
    }


def as_printed(collab, content, share):
    scores = {}
    for product in collab | content:
        weights = share * (product in collab) + (1 - share) * (product in content)
        scores[product] = (share * collab.get(product, 0) + (1 - share) * content.get(product, 0)) / weights
    return scores


def zero(collab, content, share):
    return {n: share * collab.get(n, 0) + (1 - share) * content.get(n, 0) for n in collab | content}


def careless(collab, content, share):
    a, b = (sum(part.values()) / max(len(part), 1) for part in (collab, content))
    return {
        n: share * collab.get(n, min(content.get(n, 0), a)) + (1 - share) * content.get(n, min(collab.get(n, 0), b))
        for n in collab | content
    }


def test_a_silent_part_votes_the_lower_of_the_others_value_and_its_mean(capsys):
    check("05.3", blend_of)
    assert "05.3: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (as_printed, "passed on unlimited"),
        (zero, "as if it were its worst"),
        (lambda a, b, s: blend_of(a, b, s, limit=lambda other, mean: mean), "the desk gains from silence"),
        (lambda a, b, s: blend_of(a, b, s) | {"vase": 0.8 * 0.55 + 0.2 * 0.9}, "you used content's mean"),
        (lambda a, b, s: blend_of(a, b, 1 - s), "the shares are swapped"),
        (lambda a, b, s: {n: v for n, v in blend_of(a, b, s).items() if n in a and n in b}, "only what neither knows"),
        (lambda a, b, s: blend_of(a, b, s) | {"rug": 0.5}, "rug gets 0.500; do it on paper"),
        (careless, "the other decides alone"),
        (lambda a, b, s: blend_of(a, b, s) if a or b else {"": 0}, "return an empty dict"),
        (lambda a, b, s: list(blend_of(a, b, s)), "must return a dict of product to score"),
    ],
)
def test_each_wrong_blend_gets_its_own_advice(answer, advice):
    expect("05.3", answer, advice)
