"""What somebody typed: words, spelling, prices."""

import numpy as np
import pytest

from reco_utils.models.query import Speller, edit_distances, read_prices, term, tokens


# -------------------------------------------------------------------------------------------------------------- words
def test_words_lose_capitals_accents_and_glued_units():
    assert tokens("Crème brûlée, 20CM") == ["creme", "brulee", "20", "cm"]
    assert tokens("Smørrebrød ﬁne") == ["smorrebrod", "fine"]
    assert tokens("€20-50") == ["€", "20", "-", "50"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("lamps", "lamp"), ("glasses", "glass"), ("boxes", "box"), ("berries", "berry"), ("cookies", "cooky"),
        ("cookie", "cooky"), ("men's", "men"), ("glass", "glass"), ("cactus", "cactus"), ("gas", "gas"),
        ("0,75", "0.75"),
    ],
)  # fmt: skip
def test_plural_and_singular_are_the_same_term(word, expected):
    assert term(word) == expected


def edits(a, b):
    """The distance by its definition: the least over the last edit."""
    if not a or not b:
        return len(a) + len(b)
    best = min(edits(a[:-1], b) + 1, edits(a, b[:-1]) + 1, edits(a[:-1], b[:-1]) + (a[-1] != b[-1]))
    if len(a) > 1 and len(b) > 1 and a[-2:] == b[-1] + b[-2]:
        best = min(best, edits(a[:-2], b[:-2]) + 1)
    return best


def test_edit_distances_agree_with_the_definition():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abc"), rng.integers(1, 6))) for _ in range(60)]
    letters = np.zeros((60, 5), np.int32)
    for row, word in enumerate(words):
        letters[row, : len(word)] = [ord(letter) for letter in word]
    lengths = np.array([len(word) for word in words])
    for word in words[:12] + ["cabbage"]:
        assert edit_distances(word, letters, lengths).tolist() == [edits(word, other) for other in words]


def test_the_speller_forgives_one_edit_in_short_words_and_two_in_long_ones():
    speller = Speller(["kettle", "lamp", "lamb", "saucepan"], np.array([5, 3, 9, 1]))
    assert speller.nearest("ketle") == ("kettle",)
    assert speller.nearest("ketlte") == ("kettle",)  # neighbours swapped: one edit
    assert speller.nearest("lampp") == ("lamp",)
    assert speller.nearest("lamq") == ("lamb",)  # both are one edit away; more items have lamb
    assert speller.nearest("limq") == ()  # two edits in a short word
    assert speller.nearest("sausepann") == ("saucepan",)
    assert speller.nearest("sosepann") == ()
    assert speller.nearest("bamp") == ()  # the first letter is believed


def test_the_speller_finds_the_space_that_was_left_out():
    speller = Speller(["frying", "pan", "fry", "ingpan"], np.array([5, 5, 1, 1]))
    assert speller.nearest("fryingpan") == ("frying", "pan")


@pytest.mark.parametrize("odd", ["", "ab", "12345", "a" * 10_000, "مصباح", "🎉🎉🎉"])
def test_the_speller_has_no_answer_for_odd_words(odd):
    assert Speller(["lamp"], np.array([1])).nearest(odd) == ()
    assert Speller([], np.array([], int)).nearest("lamp") == ()


# -------------------------------------------------------------------------------------------------------------- prices
@pytest.mark.parametrize(
    ("query", "price", "rest"),
    [
        ("pan under 20", (0, 20), ["pan"]),
        ("under £20.50 pan", (0, 20.5), ["pan"]),
        ("less than 1,000 euros", (0, 1000), []),
        ("over €50", (50, np.inf), []),
        ("over 0", (0, np.inf), []),
        ("pan from 30", (30, np.inf), ["pan"]),
        ("20-50 lamps", (20, 50), ["lamps"]),
        ("50 to 20", (20, 50), []),
        ("between 20 and 50 euro", (20, 50), []),
        ("from $20 to $50", (20, 50), []),
        ("around 50", (40, 60), []),
        ("under 0", (0, 0), []),
        ("cheap pan", "cheap", ["pan"]),
        ("expensive", "expensive", []),
        ("under 20 under 10", (0, 10), []),
        ("20-50 cm", None, ["20", "-", "50", "cm"]),
        ("under 20 inches", None, ["under", "20", "inches"]),
        ("over-ear headphones", None, ["over", "-", "ear", "headphones"]),
        ("20 and 50", None, ["20", "and", "50"]),
        ("under", None, ["under"]),
        ("50", None, ["50"]),
        ("$50 card", None, ["$", "50", "card"]),
    ],
)
def test_prices_are_read_from_words(query, price, rest):
    found, others = read_prices(tokens(query))
    assert others == rest
    assert found == price if not isinstance(price, tuple) else found == pytest.approx(price)


def test_a_price_of_ten_thousand_digits_is_just_high():
    assert read_prices(["under", "9" * 10_000])[0] == (0, np.inf)
