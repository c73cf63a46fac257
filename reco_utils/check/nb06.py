"""Graders of notebook 06: bands of a cascade, lists filled from below, and a bonus that never takes away."""

import numpy as np

from reco_utils.check import Wrong, a_function, grader

# ------------------------------------------------------------------------------------------------------- which step
_STEPS = ("crowd", "content", "neighbours", "hybrid")


@grader("06.1", hint="count different products, then ask from the largest band down; no products at all is a band too")
def step(answer):
    def ask(events, right):
        found = a_function(answer)(list(events))
        if found is not None and found not in _STEPS:
            raise Wrong(f"the function must return one of {', '.join(_STEPS)}, got {found!r}")
        return found == right

    products = ["kettle", "lamp", "rug", "tent", "mug", "vase", "scarf"]
    if not ask([], "crowd"):
        raise Wrong("somebody without any event must get the crowd's list")
    if not ask(["kettle"] * 7, "content"):
        raise Wrong("seven looks at one kettle tell as much as one: count different products, not events")
    if not ask(products[:5], "hybrid"):
        raise Wrong("five products belong to two bands, or to the wrong one: 3 and 4 are neighbours, from 5 on hybrid")
    for n, right in enumerate(
        ["crowd", "content", "content", "neighbours", "neighbours", "hybrid", "hybrid", "hybrid"]
    ):
        if not ask(products[:n] + products[: min(n, 2)], right):
            raise Wrong(f"{n} different products must be answered by {right}")
    return "Each history has exactly one band, whatever the number of clicks, and nobody falls between two."


# --------------------------------------------------------------------------------------------------- filled from below
_CASES = [  # lists from the highest step down, k, what must come out
    ([["tent", "mug"], ["mug", "lamp", "rug"], ["kettle", "lamp", "vase"]], 4, ["tent", "mug", "lamp", "rug"]),
    ([[], ["mug"], ["kettle", "mug", "vase"]], 3, ["mug", "kettle", "vase"]),
    ([["tent"], ["tent"], ["tent", "mug"]], 3, ["tent", "mug"]),
    ([["tent", "mug", "lamp"], ["rug"]], 2, ["tent", "mug"]),
    ([[], [], []], 3, []),
]


@grader(
    "06.2", hint="walk through the lists from the highest step down; skip what stands in the list already; stop at k"
)
def fill(answer):
    for lists, k, right in _CASES:
        found = a_function(answer)([list(products) for products in lists], k)
        if isinstance(found, str | set | dict) or not np.iterable(found):
            raise Wrong(f"the function must return a list of products, best first, got {found!r}")
        found = list(found)
        if found == right:
            continue
        if len(set(found)) < len(found):
            raise Wrong(f"{found} shows a product twice: what a higher step has listed, a lower one must skip")
        if len(found) > k:
            raise Wrong(f"k is {k}, got {len(found)} products: stop when the list is full")
        if not lists[0] and not found and right:
            raise Wrong("the highest step has no opinion, and the list stays empty: that is what lower steps are for")
        if sorted(found) == sorted(right):
            raise Wrong(f"{found} has the right products in another order: a lower step never outranks a higher one")
        if len(found) < len(right):
            raise Wrong(f"{found} ends early: {k} places, and lower steps still know {sorted(set(right) - set(found))}")
        raise Wrong(f"from {lists} the best {k} are not {found}: higher steps first, each in its own order")
    return "The order says how sure we are: everything the taste knows comes before anything the crowd knows."


# ---------------------------------------------------------------------------------------------------------- the bonus
_SCORES, _AGES = np.array([-2.0, 0.0, np.nan, 3.0, -1.0]), np.array([0.0, 3.5, 0.0, 100.0, np.nan])
_SCALED = np.array([0.0, 0.4, np.nan, 1.0, 0.2])


@grader(
    "06.3", hint="first (score - lowest) / (highest - lowest), NaN left out; then times 1 + bonus * max(0, 1 - age / 7)"
)
def with_bonus(answer):
    scores, ages = _SCORES.copy(), _AGES.copy()
    with np.errstate(invalid="ignore"):
        found = np.asarray(a_function(answer)(scores, ages, 0.2, 7.0), float)
    if found.shape != _SCORES.shape:
        raise Wrong(f"the function must return one score per item, ({len(_SCORES)},), got shape {found.shape}")
    if not (np.array_equal(scores, _SCORES, equal_nan=True) and np.array_equal(ages, _AGES, equal_nan=True)):
        raise Wrong("the function has changed the arrays it was given: work on copies")
    if np.isnan(found).all():
        raise Wrong("everything is NaN: take the lowest and the highest of the known scores, np.nanmin and np.nanmax")
    if not np.isnan(found[2]):
        raise Wrong(f"an item without opinion gets {found[2]:g}: a bonus on nothing is nothing, NaN stays NaN")
    if np.isnan(found[4]):
        raise Wrong("an item of unknown age has lost its score: without an age there is no bonus, and no harm either")
    if np.isclose(found[0], _SCORES[0] * 1.2) or found[0] < min(_SCORES[0], 0):
        raise Wrong("the bonus has lowered a score: -2 times 1.2 is -2.4. Bring the scores to 0 to 1 first")
    right = _SCALED * (1 + 0.2 * np.array([1, 0.5, 1, 0, 0]))
    added = _SCALED + 0.2 * np.array([1, 0.5, 1, 0, 0])
    if np.allclose(found, added, equal_nan=True):
        raise Wrong("the bonus is a share of the score: multiply by 1 + bonus, or what nobody wants gains as much")
    if found[3] < right[3] - 1e-9:
        raise Wrong(
            f"an item of 100 days has {found[3]:.3g} instead of 1: after fade_days the bonus is 0, not negative"
        )
    if np.isclose(found[1], 0.4 * 1.2) or np.isclose(found[1], 0.4):
        raise Wrong("after 3.5 of 7 days half of the bonus is left: it fades in a line, 1 - age / fade_days")
    if not np.allclose(found, right, equal_nan=True):
        raise Wrong(f"the scores {_SCORES.tolist()} with ages {_AGES.tolist()} give {np.round(found, 3).tolist()}")
    flat = np.asarray(answer(np.array([5.0, 5.0]), np.array([0.0, 9.0]), 0.2, 7.0), float)
    if not np.isfinite(flat).all():
        raise Wrong("equal scores divide 0 by 0: give all of them the same value, for example 1/2")
    return "Nothing falls, what has no opinion keeps none, and after a week an item must live on its merits."
