"""Graders of notebook 02: Jaccard, the weighted sum, and neighbours chosen with a rule that is used."""

import numpy as np

from reco_utils.check import Wrong, a_function, grader


def _number(value, what):
    """A plain number, or advice on what should come back."""
    if isinstance(value, bool) or np.ndim(value) or not np.issubdtype(np.asarray(value).dtype, np.number):
        raise Wrong(f"the function must return one number, {what}, got {value!r}")
    return float(value)


@grader("02.1", hint="items in both, divided by items in at least one; & and | do this for Python sets")
def jaccard(answer):
    cases = [({1, 2, 3}, {2, 3, 4, 5}, 2 / 5), ({1, 2}, {1, 2}, 1.0), ({1}, {2, 3}, 0.0)]
    for a, b, right in cases:
        found = _number(a_function(answer)(set(a), set(b)), "the similarity")
        if np.isclose(found, right):
            continue
        shared = len(a & b)
        advice = {
            shared / (len(a) + len(b)): "the shared items stand twice in len(a) + len(b): count every item once",
            2 * shared / (len(a) + len(b)): "that is the Dice coefficient; Jaccard divides by the items in either set",
            shared / (len(a) * len(b)) ** 0.5: "that is the cosine of the two sets; Jaccard divides by their union",
            shared / min(len(a), len(b)): "a small set inside a large one must not look identical: divide by the union",
            shared / max(len(a), len(b)): "the union may be larger than the larger set",
            float(shared): "that is a count; divide it by the number of items in either set",
        }
        for wrong, why in advice.items():
            if np.isclose(found, wrong):
                raise Wrong(why)
        raise Wrong(f"{a} and {b} give {found:.3g}; {shared} items are in both and {len(a | b)} in at least one")
    if not np.isclose(_number(answer(set(), set()), "the similarity"), 0):
        raise Wrong("two users without any item must get 0: nothing says that they are alike")
    return "It looks at what is shared and at nothing else: stars and weights play no part."


_NEIGHBORS = [(0.9, {"lamp": 4, "rug": 1}), (0.8, {"lamp": 4}), (0.1, {"vase": 5, "rug": 2})]


@grader("02.2", hint="add similarity * weight over the neighbours who have the item; nobody has it: NaN, no opinion")
def weighted_sum(answer):
    right = {"lamp": 6.8, "rug": 1.1, "vase": 0.5}
    for item, score in right.items():
        similarity = np.array([s for s, items in _NEIGHBORS if item in items])
        weight = np.array([items[item] for _, items in _NEIGHBORS if item in items])
        found = _number(a_function(answer)(list(_NEIGHBORS), item), "the score")
        if np.isclose(found, score):
            continue
        advice = {
            score / similarity.sum(): "divided by the similarities, so one weak neighbour's 5 wins: leave it undivided",
            score / sum(s for s, _ in _NEIGHBORS): "divided by the similarities of all neighbours: no division at all",
            float(weight.sum()): "every neighbour counts the same; multiply each weight by the similarity first",
            float(similarity.sum()): "the weights are missing: similarity times weight, not similarity alone",
            score / len(weight): "that is an average over the neighbours; a sum lets many of them count for more",
        }
        for wrong, why in advice.items():
            if np.isclose(found, wrong):
                raise Wrong(why)
        if np.isnan(found):
            raise Wrong(f"{item} gets NaN, but somebody has it: leave out the neighbours without it, add up the others")
        raise Wrong(f"{item} gets {found:.3g}; add up similarity * weight of its owners on paper")
    try:
        stranger = answer(list(_NEIGHBORS), "kettle")
    except KeyError:
        raise Wrong("not every neighbour has every item; ask `if item in items` first") from None
    if not np.isnan(_number(stranger, "the score or NaN")):
        raise Wrong(f"nobody has a kettle, yet it gets {stranger:g}: no opinion is NaN, not a score")
    return "Three things raise a score: close neighbours, keen neighbours and many of them."


_HISTORIES = {
    "ann": {"lamp", "rug", "kettle"},
    "ben": {"lamp", "rug", "vase"},  # 2 shared of 4
    "cat": {"lamp"},  # 1 of 3
    "dan": {"lamp", "rug", "kettle", "vase", "desk"},  # 3 of 5
    "eve": {"desk"},
}


@grader("02.3", hint="leave out the user, then everybody with fewer than min_overlap shared items; sort; cut to n")
def neighbors(answer):
    def ask(n, min_overlap):
        histories = {user: set(items) for user, items in _HISTORIES.items()}
        found = a_function(answer)(histories, "ann", n, min_overlap)
        if isinstance(found, str | set | dict) or not np.iterable(found):
            raise Wrong(f"the function must return a list of names, the nearest first, got {found!r}")
        names = [pair[0] if isinstance(pair, tuple) else pair for pair in found]
        if unknown := set(map(str, names)) - set(_HISTORIES):
            raise Wrong(f"neighbours must be names of users, got {sorted(unknown)}")
        if "ann" in names:
            raise Wrong("ann is her own nearest neighbour: nobody may lend taste to themselves")
        return names

    if ask(5, 2) != ["dan", "ben"]:
        if "cat" in ask(5, 2):
            raise Wrong("cat shares one item with ann and min_overlap is 2: the rule is stored but not used")
        if sorted(ask(5, 2)) == ["ben", "dan"]:
            raise Wrong("the most similar neighbour comes first")
        raise Wrong(
            f"with min_overlap 2 ann's neighbours are {ask(5, 2)}; dan and ben share at least two items with her"
        )
    if "eve" in ask(5, 1):
        raise Wrong("eve shares nothing with ann; with min_overlap 1 she is no neighbour")
    if ask(5, 1) != ["dan", "ben", "cat"]:
        raise Wrong(f"with min_overlap 1 cat counts as well; got {ask(5, 1)}: is the rule `at least`, not `more than`?")
    if ask(1, 2) != ["dan"]:
        raise Wrong(f"n is 1, got {ask(1, 2)}: cut after the sort")
    if ask(2, 1) != ["dan", "ben"]:
        raise Wrong("cut to n last: first leave people out, then sort")
    return "A parameter that is stored and never used raises no error: only a test with two answers finds it."
