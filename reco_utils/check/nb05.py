"""Graders of notebook 05: a scale with its edges, reciprocal rank fusion, and a blend in which silence wins nothing."""

from collections.abc import Mapping

import numpy as np

from reco_utils.check import Wrong, a_function, grader

NAN = np.nan


def _row(found, n):
    """An array (n,) of numbers, or advice on what should come back."""
    if np.shape(found) != (n,) or np.asarray(found).dtype.kind not in "fiu":
        raise Wrong(f"the function must return {n} numbers, one per score, got {found!r}")
    return np.asarray(found, float)


def _same(found, right):
    return np.allclose(found, right, atol=1e-6, equal_nan=True)


@grader("05.1", hint="(scores - lowest) / (highest - lowest), with np.nanmin and np.nanmax; then think of equal scores")
def minmax_of(answer):
    scores = np.array([2.0, NAN, 6.0, 3.0])
    given = scores.copy()
    found = _row(a_function(answer)(given), 4)
    if not _same(given, scores):
        raise Wrong("the caller's scores were changed; compute a new array")
    if not _same(found, [0, NAN, 1, 0.25]):
        advice = [
            ([NAN] * 4, "one gap made everything NaN: np.min returns NaN when it meets one, np.nanmin leaves it out"),
            ([2 / 6, 0, 1, 3 / 6], "a gap became a 0 before the lowest score was looked up, and 0 is now the worst"),
            ([0, 0, 1, 0.25], "the gap became 0, the worst score; no opinion must stay np.nan"),
            ([2 / 6, NAN, 1, 3 / 6], "that divides by the highest; take away the lowest first, so that the worst is 0"),
            ([1, NAN, 0, 0.75], "the best score must get 1, yours gets 0"),
            ([1 / 6, NAN, 5 / 6, 0.5], "that is the rank; min-max keeps the distances"),
            ([0, NAN, 4, 1], "divide by the distance between the highest and the lowest"),
        ]
        for wrong, why in advice:
            if _same(found, wrong):
                raise Wrong(why)
        raise Wrong(
            f"[2, nan, 6, 3] gives {found.round(3).tolist()}; do it on paper: the lowest is 2, the highest is 6"
        )
    for equal in ([7.0, 7.0, NAN], [4.0], [0.0, 0.0]):
        with np.errstate(all="ignore"):
            found = _row(answer(np.array(equal)), len(equal))
        if not _same(found, np.where(np.isnan(equal), NAN, 0.5)):
            raise Wrong(f"{equal} gives {found.tolist()}: highest and lowest are equal, so every known score gets 0.5")
    return "The case of equal scores looks rare, and every customer with a single opinion is one."


_LISTS = [["lamp", "rug", "vase"], ["rug", "kettle"]]
_POINTS = {"lamp": 1 / 61, "rug": 1 / 62 + 1 / 61, "vase": 1 / 63, "kettle": 1 / 62}


@grader("05.2", hint="for each list and each place in it, counted from 1, add 1 / (60 + place) to the product's points")
def fuse(answer):
    found = a_function(answer)([list(names) for names in _LISTS])
    if not isinstance(found, Mapping):
        raise Wrong(f"the function must return a dict of product to points, got {type(found).__name__}")
    if missing := [name for name in _POINTS if name not in found]:
        raise Wrong(f"{missing[0]} is in one of the lists, but has no points; every product of any list has some")
    advice = [
        ({"lamp": 1 / 60, "vase": 1 / 62}, "the first place gets 1 / 60: places are counted from 1"),
        ({"lamp": 1.0, "vase": 1 / 3}, "the 60 is missing; without it the first place counts twice the second"),
        ({"lamp": 1 / 122, "rug": (1 / 62 + 1 / 61) / 2}, "points are added up, not averaged over the lists"),
        ({"rug": (1 / 62 + 1 / 61) / 2}, "rug is in two lists and gets the mean of its points; add them up"),
        ({"rug": 1 / 61}, "rug keeps the points of one list only; it is in both"),
    ]
    for wrong, why in advice:
        if all(np.isclose(found[name], points) for name, points in wrong.items()):
            raise Wrong(why)
    if len(found) > len(_POINTS):
        raise Wrong(f"{sorted(set(found) - set(_POINTS))} stand in no list")
    for name, points in _POINTS.items():
        if not np.isclose(found[name], points):
            raise Wrong(f"{name} gets {found[name]:.5f}, on paper {points:.5f}; what is not in a list adds nothing")
    if answer([]) != {}:
        raise Wrong("no list at all has no product: return an empty dict")
    return "The rug wins, second in one list and first in the other: agreement beats a single first place."


_COLLAB, _CONTENT = {"lamp": 0.7, "rug": 0.1, "stool": 0.4}, {"lamp": 0.9, "rug": 0.3, "vase": 0.9, "desk": 0.1}
_SHARE = 0.8  # means: collab 0.4, content 0.55
_BLENDED = {
    "lamp": 0.8 * 0.7 + 0.2 * 0.9,
    "rug": 0.8 * 0.1 + 0.2 * 0.3,
    "stool": 0.8 * 0.4 + 0.2 * 0.4,  # content's mean 0.55 is above 0.4
    "vase": 0.8 * 0.4 + 0.2 * 0.9,  # collab's mean 0.4 is below 0.9
    "desk": 0.8 * 0.1 + 0.2 * 0.1,
}


@grader("05.3", hint="for a product a part does not know, use min(the other's value, the part's own mean); then weigh")
def blend_of(answer):
    found = a_function(answer)(dict(_COLLAB), dict(_CONTENT), _SHARE)
    if not isinstance(found, Mapping):
        raise Wrong(f"the function must return a dict of product to score, got {type(found).__name__}")
    if missing := [name for name in _BLENDED if name not in found]:
        raise Wrong(f"{missing[0]} is known to one part and has no score; only what neither knows has none")
    advice = [
        ({"vase": 0.9}, "the vase still gets 0.9, more than the lamp that both like: the share is passed on unlimited"),
        ({"vase": 0.2 * 0.9}, "collab's silence on the vase counts as 0, as if it were its worst product"),
        (
            {"desk": 0.8 * 0.4 + 0.2 * 0.1},
            "the desk gains from silence: use the lower of the mean and the other's value",
        ),
        ({"vase": 0.8 * 0.55 + 0.2 * 0.9}, "for the vase you used content's mean; the part that is silent is collab"),
        ({"lamp": 0.2 * 0.7 + 0.8 * 0.9}, "the shares are swapped: share is what collab counts"),
    ]
    for wrong, why in advice:
        if all(np.isclose(found[name], score) for name, score in wrong.items()):
            raise Wrong(why)
    for name, right in _BLENDED.items():
        if not np.isclose(found[name], right):
            raise Wrong(f"{name} gets {found[name]:.3f}; do it on paper: collab's mean is 0.4, content's is 0.55")
    for collab, content in (({}, _CONTENT), (_COLLAB, {})):
        alone = answer(dict(collab), dict(content), _SHARE)
        other = collab or content
        if set(alone) != set(other) or not all(np.isclose(alone[name], other[name]) for name in other):
            raise Wrong(f"one part knows nothing at all, so the other decides alone: {other}, not {alone}")
    if answer({}, {}, _SHARE) != {}:
        raise Wrong("when neither knows anything there is no opinion: return an empty dict")
    return "Silence now costs nothing against an average product, and wins nothing against a good one."
