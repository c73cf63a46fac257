"""Graders of notebook 04: how rare a word is, a profile in words, and neighbours that are not the thing itself."""

import numpy as np

from reco_utils.check import Wrong, a_function, grader

_TEXTS = [["red", "mug", "red"], ["red", "lamp"], ["blue", "lamp"], ["wool", "rug"]]


@grader("04.1", hint="count the texts that contain the word, not how often it stands in them; then ln, then + 1")
def idf(answer):
    for word, n_texts, n_times in (("red", 2, 3), ("wool", 1, 1), ("gong", 0, 0)):
        found = a_function(answer)([list(words) for words in _TEXTS], word)
        if isinstance(found, bool) or np.ndim(found) or not np.issubdtype(np.asarray(found).dtype, np.number):
            raise Wrong(f"the function must return one number, got {found!r}")
        right = np.log(5 / (1 + n_texts)) + 1
        if np.isclose(found, right):
            continue
        advice = {
            np.log(5 / (1 + n_times)) + 1: "a word that stands twice in a text is still in one text: count texts",
            right - 1: "the + 1 behind the logarithm is missing: a word that every text has would count nothing",
            np.log10(5 / (1 + n_texts)) + 1: "that is the logarithm to base 10; the natural one is math.log or np.log",
            np.log2(5 / (1 + n_texts)) + 1: "that is the logarithm to base 2; the natural one is math.log or np.log",
            np.log((1 + n_texts) / 5) + 1: "the fraction stands on its head: rare words must count more",
            np.log(4 / max(n_texts, 0.1))
            + 1: "1 is added above and below, so that an unknown word divides by 1, not by 0",
            5 / (1 + n_texts): "the logarithm is missing: without it a rare word drowns all the others",
        }
        for wrong, why in advice.items():
            if np.isclose(found, wrong):
                raise Wrong(why)
        raise Wrong(f"{word!r} gives {found:.3g}; it is in {n_texts} of the 4 texts")
    return "A word nobody uses gets the largest idf of all, which does no harm: it is in no vector."


_ITEMS = {"mug": {"blue": 0.6, "enamel": 0.8}, "lamp": {"blue": 1.0}, "rug": {}}


@grader(
    "04.2", hint="add strength * weight word by word, then divide every word by the length, the root of the squares"
)
def profile(answer):
    def ask(history):
        found = a_function(answer)(dict(history), {item: dict(words) for item, words in _ITEMS.items()})
        if not isinstance(found, dict):
            raise Wrong(f"the function must return a dictionary {{word: weight}}, got {found!r}")
        return {word: weight for word, weight in found.items() if weight}

    found = ask({"mug": 3, "lamp": 1})
    if set(found) != {"blue", "enamel"}:
        raise Wrong(f"a mug and a lamp speak of blue and enamel, the profile of {sorted(map(str, found))}")
    found = np.array([found["blue"], found["enamel"]], float)
    total, plain = np.array([2.8, 2.4]), np.array([1.6, 0.8])
    right = total / np.linalg.norm(total)
    if not np.allclose(found, right):
        advice = [
            (total, "that is the sum; divide it by its length, so that heavy buyers are not larger than others"),
            (total / 4, "the mean is right so far, but its length is not 1: divide by the root of the sum of squares"),
            (total / total.sum(), "the weights add up to 1; it is their squares that must"),
            (plain / np.linalg.norm(plain), "every item counts the same here: multiply by the strength first"),
            (plain, "every item counts the same here, and the length is not 1"),
        ]
        for wrong, why in advice:
            if np.allclose(found, wrong):
                raise Wrong(why)
        raise Wrong(f"blue gets {found[0]:.3g} and enamel {found[1]:.3g}; blue should be 2.8 / 2.4 times enamel")
    beside = ask({"mug": 3, "rug": 9})
    if set(beside) != {"blue", "enamel"} or not np.isclose(beside["blue"], 0.6):
        raise Wrong("the rug has no words, so it must change nothing, however strong the interest in it was")
    try:
        silent = ask({"rug": 2}), ask({})
    except ZeroDivisionError:
        raise Wrong(
            "without a single word the length is 0: return an empty profile instead of dividing by it"
        ) from None
    if any(silent):
        raise Wrong(f"without a single word the profile is empty, got {silent}")
    return "Whoever likes things without words gets an empty profile: no opinion, rather than a wrong one."


_VECTORS = {
    "twin": {"blue": 0.6, "enamel": 0.8},
    "mug": {"blue": 0.6, "enamel": 0.8},
    "sock": {"wool": 1.0},
    "cup": {"enamel": 0.8, "oat": 0.6},
    "lamp": {"blue": 1.0},
}


@grader("04.3", hint="leave out the item by its name, and what shares no word; sort by cosine; then cut to k")
def similar(answer):
    def ask(item, k):
        found = a_function(answer)({name: dict(words) for name, words in _VECTORS.items()}, item, k)
        if isinstance(found, str | set | dict) or not np.iterable(found):
            raise Wrong(f"the function must return a list of names, the nearest first, got {found!r}")
        return list(found)

    found = ask("mug", 3)
    if "mug" in found:
        raise Wrong(
            "the mug is similar to itself: its twin has the same cosine and stood first, so [1:] threw the twin out"
        )
    if "twin" not in found:
        raise Wrong("the mug's twin is missing, the most similar thing of all: drop the item by name, not by its place")
    if len(found) < 3:
        raise Wrong(f"k is 3 and three things share a word with the mug, got {found}")
    if found != ["twin", "cup", "lamp"]:
        raise Wrong(f"the nearest comes first: twin (1.00), cup (0.64), lamp (0.60), got {found}")
    if "sock" in ask("mug", 9):
        raise Wrong("a sock has no word in common with the mug: a cosine of 0 is no likeness, leave it out")
    if ask("mug", 9) != ["twin", "cup", "lamp"]:
        raise Wrong(f"k is larger than the shop: return what there is, got {ask('mug', 9)}")
    if ask("sock", 2):
        raise Wrong(f"nothing shares a word with the sock, so nothing is similar to it, got {ask('sock', 2)}")
    if ask("mug", 1) != ["twin"]:
        raise Wrong(f"k is 1, got {ask('mug', 1)}")
    return "Twins are common: one product entered twice, or one text for five colours."
