"""Graders of notebook 07: one step of MMR, MMR without the bugs, a carousel filled, a rate from propensities."""

import numpy as np

from reco_utils.check import Wrong, a_function, grader


def _names(found, known):
    """A list of different names out of the known ones, or advice on what should come back."""
    if isinstance(found, str | set | dict) or not np.iterable(found):
        raise Wrong(f"the function must return a list of products, first place first, got {found!r}")
    found = list(found)
    if strange := [name for name in found if name not in known]:
        raise Wrong(f"{strange[0]!r} is none of the products {list(known)}")
    if len(set(found)) < len(found):
        raise Wrong(f"{found} shows a product twice: what has a place already cannot be chosen again")
    return found


# ------------------------------------------------------------------------------------------------------ one step of MMR
_LAMP, _TWIN, _MUG, _TENT = range(4)
_RELEVANCE = [1.0, 0.9, 0.6, 0.0]
_COSINES = [[1.0, 0.9, 0.2, 0.7], [0.9, 1.0, 0.1, 0.4], [0.2, 0.1, 1.0, 0.0], [0.7, 0.4, 0.0, 1.0]]


@grader(
    "07.1",
    hint="for each product left: lam * relevance - (1 - lam) * its largest cosine to the chosen ones; take the best",
)
def next_pick(answer):
    def ask(chosen, lam, relevance=_RELEVANCE, cosines=_COSINES):
        found = a_function(answer)(np.array(relevance), np.array(cosines), list(chosen), lam)
        if isinstance(found, bool) or not isinstance(found, int | np.integer) or not 0 <= found < len(relevance):
            raise Wrong(f"the function must return one position, 0 to {len(relevance) - 1}, got {found!r}")
        if found in chosen:
            raise Wrong(f"with {list(chosen)} chosen, yours chooses {found} again: look only at the products left")
        return int(found)

    if ask([], 0.7) != _LAMP:
        raise Wrong("nothing is chosen yet, so nothing can be repeated: the most relevant product comes first")
    if ask([_LAMP], 1.0) != _TWIN:
        raise Wrong("lam = 1 looks at relevance alone: after 0 comes 1, twin or not")
    if ask([_LAMP], 0.5) == _TENT:
        raise Wrong("yours has taken what is like the chosen, or least relevant: the cosine is taken away, not added")
    if ask([_LAMP], 0.5) != _MUG:
        raise Wrong("lam = 0.5 after 0: product 1 has 0.45 - 0.45 = 0, product 2 has 0.30 - 0.10 = 0.20, so 2 wins")
    # the one is like one of the chosen and unlike the other, the other a little like both
    relevance, cosines = [1.0, 1.0, 0.5, 0.5], np.eye(4)
    for a, b, cosine in ((0, 2, 0.9), (1, 2, 0.0), (0, 3, 0.5), (1, 3, 0.5)):
        cosines[a, b] = cosines[b, a] = cosine
    if ask([0, 1], 0.5, relevance, cosines) != 3:
        raise Wrong(
            "a twin of one chosen product stays a twin when the others are different: the largest, not the mean"
        )
    if ask([_LAMP, _MUG], 0.0) != _TENT:
        raise Wrong("lam = 0 looks at likeness alone: product 1 has 0.9 with product 0, product 3 has 0.7 at most")
    return "It is the largest cosine that counts: one twin in the window is enough to be superfluous."


# ---------------------------------------------------------------------------------------------------------- all of MMR
_SCORES = np.array([8.0, 7.6, 5.0, 2.0, 4.6])
_VECTORS = np.array([[2.0, 0.0], [0.2, 0.02], [0.0, 1.0], [-1.0, 0.0], [0.3, 3.0]])


def _mmr(scores, vectors, lam, k):
    """MMR in plain Python, the grader's own."""
    low, high = scores.min(), scores.max()
    relevance = (scores - low) / (high - low) if high > low else np.ones(len(scores))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(lengths > 0, lengths, 1)
    chosen = []
    while len(chosen) < min(k, len(scores)):
        left = [j for j in range(len(scores)) if j not in chosen]
        likeness = [max((unit[j] @ unit[c] for c in chosen), default=0.0) for j in left]
        chosen.append(left[int(np.argmax([lam * relevance[j] - (1 - lam) * x for j, x in zip(left, likeness)]))])
    return chosen


@grader("07.2", hint="scores to 0 to 1 first, vectors to length 1 first, and stop when nothing is left")
def mmr(answer):
    def ask(scores, vectors, lam, k):
        mine, yours = scores.copy(), vectors.copy()
        try:
            found = a_function(answer)(mine, yours, lam, k)
        except (ValueError, IndexError) as error:
            if k > len(scores):
                raise Wrong(f"{k} places, {len(scores)} products: {error}. Stop when nothing is left") from None
            raise
        if not (np.array_equal(mine, scores) and np.array_equal(yours, vectors)):
            raise Wrong("the function has changed the arrays it was given: work on copies")
        found = [int(j) for j in _names(found, range(len(scores)))]
        if len(found) != min(k, len(scores)):
            raise Wrong(f"k is {k} and there are {len(scores)} products, so {min(k, len(scores))} must come back")
        return found

    if ask(_SCORES, _VECTORS, 1.0, 3) != [0, 1, 2]:
        raise Wrong("lam = 1 must give the products in the order of their scores")
    right = _mmr(_SCORES, _VECTORS, 0.5, 3)
    if ask(_SCORES, _VECTORS, 0.5, 3) != right:
        if ask(_SCORES / 10, _VECTORS, 0.5, 3) == right or ask(_SCORES / 1000, _VECTORS, 0.5, 3) != ask(
            _SCORES * 1000, _VECTORS, 0.5, 3
        ):
            raise Wrong("scores of 8 drown a cosine of at most 1: bring the scores to 0 to 1 before anything else")
        raise Wrong(f"lam = 0.5, k = 3 gives {ask(_SCORES, _VECTORS, 0.5, 3)}: is every vector divided by its length?")
    if ask(_SCORES * 1000, _VECTORS, 0.5, 5) != ask(_SCORES, _VECTORS, 0.5, 5):
        raise Wrong("the same scores times 1000 give another list: bring them to 0 to 1 first")
    if ask(_SCORES - 20, _VECTORS, 0.5, 5) != ask(_SCORES, _VECTORS, 0.5, 5):
        raise Wrong("the same scores minus 20 give another list: take away the lowest before you divide")
    if ask(_SCORES, _VECTORS * np.array([[1], [9], [0.1], [4], [7]]), 0.5, 5) != ask(_SCORES, _VECTORS, 0.5, 5):
        raise Wrong("longer vectors give another list: a cosine does not know lengths")
    ask(_SCORES, _VECTORS, 0.5, 9)
    with np.errstate(all="ignore"):
        flat = ask(np.full(3, 4.0), _VECTORS[[0, 1, 2]], 0.5, 3)
    if flat != [0, 2, 1]:
        raise Wrong("three equal scores: highest and lowest are equal, so give all of them relevance 1, not 0 / 0")
    return "Now lam = 0.7 means the same for a model of counts, of cosines and of log-odds."


# ------------------------------------------------------------------------------------------------------- the carousel
_KINDS = {"tent": "camping", "stove": "camping", "mat": "camping", "novel": "books", "atlas": "books", "mug": "kitchen"}
_RANKED = ["tent", "stove", "novel", "mat", "mug", "atlas"]
_CASES = [  # layout, ranked, what must come out
    ([("books", 1), ("camping", 2)], _RANKED, ["novel", "tent", "stove"]),
    ([("camping", 2), ("books", 2), ("camping", 1)], _RANKED, ["tent", "stove", "novel", "atlas", "mat"]),
    ([("kitchen", 2), ("books", 1)], _RANKED, ["mug", "tent", "novel"]),
    ([("garden", 1), ("camping", 1), ("books", 1)], ["tent", "novel", "mug"], ["mug", "tent", "novel"]),
    ([("books", 2), ("kitchen", 3)], ["novel", "tent", "mug"], ["novel", "tent", "mug"]),
    ([("books", 1)], [], []),
]


@grader(
    "07.3", hint="one place per product wanted; fill each with its own kind first, then go over the empty ones again"
)
def carousel(answer):
    for layout, ranked, right in _CASES:
        found = _names(a_function(answer)(list(layout), list(ranked), dict(_KINDS)), _KINDS)
        if found == right:
            continue
        places = sum(n for _, n in layout)
        if len(found) > places:
            raise Wrong(f"the layout {layout} has {places} places, got {len(found)} products")
        if len(found) < len(right):
            left = sorted(set(ranked) - set(found))
            raise Wrong(f"{layout} leaves a place empty although {left} are left: the second round fills it")
        if layout[0][0] == "garden":
            raise Wrong(
                "nothing is for the garden: that place waits until the others have taken what suits them, then takes "
                "the best of the rest, and still stands first"
            )
        if set(found) == set(right):
            raise Wrong(f"{layout} gives {found}: the products stand in the order of the layout's places")
        raise Wrong(f"{layout} out of {ranked} gives {found}: each place takes the best unused product of its kind")
    return "The layout is data: a merchandiser can change the window without touching the code."


# --------------------------------------------------------------------------------------------------------- propensity
_EPSILON = np.array([0.1, 0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.5])
_IS_NEW = np.array([1, 0, 0, 0, 1, 1, 0, 0], bool)
_CLICKED = np.array([1, 1, 0, 0, 1, 0, 1, 0], bool)


@grader(
    "07.4",
    hint="a click on a new product that was shown with chance epsilon stands for 1 / epsilon clicks; mean of all rows",
)
def click_rate(answer):
    def ask(clicked, is_new, epsilon):
        found = a_function(answer)(clicked.copy(), is_new.copy(), epsilon.copy())
        if np.shape(found) != () or not np.isreal(found):
            raise Wrong(f"the function must return one number, got {found!r}")
        return float(found)

    n, new = len(_EPSILON), _IS_NEW
    found, right = ask(_CLICKED, _IS_NEW, _EPSILON), (1 / 0.1 + 1 / 0.5) / n
    if np.isclose(found, right):
        none = ask(_CLICKED, np.zeros(n, bool), _EPSILON)
        if not none == 0:
            raise Wrong(f"no new product was shown, so nothing was clicked on one, and yours says {none}")
        return "On 8 rows it can pass 1, for it is right on average only; thousands of rows make it steady."
    advice = [
        (_CLICKED[new].mean(), "that is the naive rate: it counts days with many new products more often than others"),
        ((1 / 0.1 + 1 / 0.5) / new.sum(), "divide by all rows: those that showed something else count with 0 clicks"),
        ((_CLICKED / _EPSILON).mean(), "clicks on usual products are in it; only those on new ones count here"),
        ((_CLICKED * new * _EPSILON).mean(), "what is rarely shown must count more, not less: divide by epsilon"),
        ((_CLICKED * new / (1 - _EPSILON)).mean(), "1 - epsilon is the chance of a usual product; these are new"),
        ((_CLICKED * new).mean() / _EPSILON.mean(), "each row has its own epsilon: divide before taking the mean"),
        (1 / 0.1 + 1 / 0.5, "that is a number of clicks; divide by the number of rows"),
    ]
    for wrong, why in advice:
        if np.isclose(found, wrong):
            raise Wrong(why)
    if np.isclose(found, (1 / 0.1 + 1 / 0.5) / (new / _EPSILON).sum()):
        raise Wrong(
            "dividing by the sum of the weights is a good estimator too, but here the task is the mean of all rows"
        )
    raise Wrong(f"yours says {found:.3g}; two clicks on new products count here, one shown with 0.1 and one with 0.5")
