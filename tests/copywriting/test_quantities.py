"""Numbers in text: units, words, fractions, ranges, money, and what is none."""

import pytest

from reco_utils.copywriting.quantities import agrees, quantities


def only(text):
    (found,) = quantities(text)
    return found


@pytest.mark.parametrize(
    "one, other",
    [
        ("750 ml", "0.75 L"), ("three quarters of a litre", "750 ml"), ("half a kilo", "500 g"), ("0,5 kg", "500 g"),
        ("1,000 ml", "1 litre"), ("two hundred centimetres", "2 m"), ("a dozen", "12 eggs"), ("half a dozen", "6 cups"),
        ("4 pairs", "eight socks"),
        ("two-year", "24 months"), ("\u20ac24.90", "24.90 euros"), ("seven euros fifty", "\u20ac7.50"),
        ("1\u00bd l", "1.5 l"),
        ("one and a half litres", "1500 ml"), ("2.2 kW", "2200 W"), ("a pair", "2 shoes"), ("fifty-five", "55 x"),
        ("two hundred and twelve", "212 pages"), ("minus fifteen", "-15 things"), ("10 inches", "25.4 cm"),
    ],
)  # fmt: skip
def test_the_same_quantity_in_other_words_agrees(one, other):
    assert agrees(only(one), only(other))


@pytest.mark.parametrize(
    "said, true",
    [("26 inches", "26 cm"), ("9.8 mg", "9.8 g"), ("76 ml", "75 ml"), ("7 lb", "7 kg"), ("25 euros", "24.90 euros"),
     ("over 5 l", "5 l"), ("over 5 l", "4.9 l"), ("under 7 euros", "7.50 euros"), ("11 cups", "a dozen")],
)  # fmt: skip
def test_another_quantity_does_not_agree(said, true):
    assert not agrees(only(said), only(true))


@pytest.mark.parametrize(
    "said, true",
    [("just over five litres", "5.2 l"), ("under 25 euros", "24.90 euros"), ("about a third of a metre", "33 cm"),
     ("more than two hundred reviews", "212 reviews"), ("a little over a metre", "105 cm"), ("up to 20 hours", "20 h")],
)  # fmt: skip
def test_a_bound_agrees_with_what_it_bounds(said, true):
    assert agrees(only(said), only(true))


def test_a_range_is_one_quantity():
    found = only("44-54 cm")
    assert (found.low, found.high) == (pytest.approx(0.44), pytest.approx(0.54))
    assert only("two to six players")[2:4] == (2, 6)


def test_a_list_shares_its_unit():
    assert [q.low for q in quantities("85, 95 and 105 cm")] == [pytest.approx(v) for v in (0.85, 0.95, 1.05)]
    assert [q.dimension for q in quantities("180 x 90 cm")] == ["length", "length"]


@pytest.mark.parametrize(
    "text", ["", "24/7", "at 7 in the morning", "one less thing", "IPX5", "first things first", "a day to remember"]
)
def test_idioms_and_codes_are_no_quantities(text):
    assert quantities(text) == ()


def test_spans_are_verbatim():
    text = "It holds three quarters of a litre."
    found = only(text)
    assert text[found.start : found.end] == "three quarters of a litre"
