"""Notebook 04's graders: right answers pass, typical wrong ones get the advice that fits them."""

from math import log, log2, log10

import pytest

from reco_utils.check import Wrong, check, exercises


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("04") == ("04.1", "04.2", "04.3")
    for exercise in exercises("04"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 3


# -------------------------------------------------------------------------------------------------------------- 04.1
def texts_with(texts, word):
    return sum(word in text for text in texts)


def idf(texts, word):
    return log((1 + len(texts)) / (1 + texts_with(texts, word))) + 1


def test_idf_counts_texts(capsys):
    check("04.1", idf)
    assert "04.1: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda t, w: log((1 + len(t)) / (1 + sum(x.count(w) for x in t))) + 1, "still in one text"),
        (lambda t, w: idf(t, w) - 1, r"the \+ 1 behind the logarithm is missing"),
        (lambda t, w: log10((1 + len(t)) / (1 + texts_with(t, w))) + 1, "base 10"),
        (lambda t, w: log2((1 + len(t)) / (1 + texts_with(t, w))) + 1, "base 2"),
        (lambda t, w: log((1 + texts_with(t, w)) / (1 + len(t))) + 1, "on its head"),
        (lambda t, w: log(len(t) / texts_with(t, w)) + 1, "1 is added above and below"),
        (lambda t, w: (1 + len(t)) / (1 + texts_with(t, w)), "the logarithm is missing"),
        (lambda t, w: 42, "'red' gives 42; it is in 2 of the 4 texts"),
        (lambda t, w: [1, 2], r"must return one number, got \[1, 2\]"),
        (1.5, "must be the function itself, got 1.5"),
    ],
)
def test_each_wrong_idf_gets_its_own_advice(answer, advice):
    expect("04.1", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 04.2
def total(history, vectors):
    words = {}
    for item, strength in history.items():
        for word, weight in vectors[item].items():
            words[word] = words.get(word, 0) + strength * weight
    return words


def scaled(words, length):
    return {word: weight / length for word, weight in words.items()} if words else {}


def length(words):
    return sum(weight**2 for weight in words.values()) ** 0.5


def profile(history, vectors):
    words = total(history, vectors)
    return scaled(words, length(words))


def even(history):
    return dict.fromkeys(history, 1)


def test_a_profile_is_a_weighted_mean_of_length_1(capsys):
    check("04.2", profile)
    assert "04.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (total, "that is the sum"),
        (lambda h, v: scaled(total(h, v), sum(h.values())), "the mean is right so far"),
        (lambda h, v: scaled(total(h, v), sum(total(h, v).values())), "it is their squares that must"),
        (lambda h, v: profile(even(h), v), "multiply by the strength first"),
        (lambda h, v: total(even(h), v), "and the length is not 1"),
        (lambda h, v: {"blue": 1.0}, r"a mug and a lamp speak of blue and enamel, the profile of \['blue'\]"),
        (lambda h, v: {"blue": 5.0, "enamel": 7.0}, "blue gets 5 and enamel 7"),
        (lambda h, v: profile({i: s for i, s in h.items() if s < 9}, v) | ({"rug": 1.0} if "rug" in h else {}), "rug"),
        (lambda h, v: {w: x / length(total(h, v)) for w, x in (total(h, v) or {"x": 0}).items()}, "the length is 0"),
        (lambda h, v: list(profile(h, v)), "must return a dictionary"),
        ({"blue": 1.0}, "must be the function itself"),
    ],
)
def test_each_wrong_profile_gets_its_own_advice(answer, advice):
    expect("04.2", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 04.3
def similar(vectors, item, k, *, itself=False, zeros=False, best_first=True):
    mine = vectors[item]
    cosines = {name: sum(mine.get(w, 0) * x for w, x in words.items()) for name, words in vectors.items()}
    found = [name for name, c in cosines.items() if (itself or name != item) and (zeros or c > 0)]
    return sorted(found, key=cosines.get, reverse=best_first)[:k]


def test_neighbours_without_the_thing_itself_pass(capsys):
    check("04.3", similar)
    assert "04.3: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda v, i, k: similar(v, i, k + 1, itself=True)[1:], "its twin has the same cosine"),
        (lambda v, i, k: [n for n in similar(v, i, k) if v[n] != v[i]], "twin is missing"),
        (lambda v, i, k: similar(v, i, k - 1), "k is 3 and three things share"),
        (lambda v, i, k: similar(v, i, k, best_first=False), "the nearest comes first"),
        (lambda v, i, k: similar(v, i, k, zeros=True), "no word in common"),
        (lambda v, i, k: similar(v, i, max(k, 3)), "k is 1, got"),
        (lambda v, i, k: set(similar(v, i, k)), "must return a list of names"),
        (lambda v, i, k: 3, "must return a list of names"),
        (["twin"], "must be the function itself"),
    ],
)
def test_each_wrong_neighbour_gets_its_own_advice(answer, advice):
    expect("04.3", answer, advice)
