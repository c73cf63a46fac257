"""The fact checker: by hand, kind by kind; for any text; and the plainer checks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_utils.copywriting.brief import Brief, Fact
from reco_utils.copywriting.checks import (
    CLAIM_KINDS,
    OTHER_KINDS,
    Finding,
    Limits,
    check_text,
    duplicate_openings,
    marks,
)
from reco_utils.copywriting.claims import objections

BOTTLE = Brief(
    "Insulated bottle 750 ml navy",
    category="Kitchen > Bottles",
    price=24.9,
    facts=(
        Fact("capacity", "750 ml"),
        Fact("material", "stainless steel"),
        Fact("warranty", "2 years"),
        Fact("weight", "310 g"),
        Fact("lid included", "yes"),
        Fact("case included", "no"),
    ),
    description="Keeps drinks cold for 24 hours and hot for 12. Water-resistant, plastic-free packaging. Hand wash only.",  # noqa: E501
)


def kinds(text, brief=BOTTLE):
    return {finding.kind for finding in check_text(text, brief).findings}


@pytest.mark.parametrize(
    "text",
    [
        "Three quarters of a litre of cold tea.", "A steel bottle for less than 25 euros.", "Two years of warranty.",
        "Drinks stay cold for 24 hours.", "0.31 kg of navy steel.", "A little luxury for slow mornings.",
        "Wrapped without plastic.", "24 months of guarantee.", "It resists water.", "\u20ac24.90 for the navy bottle.",
    ],
)  # fmt: skip
def test_what_the_facts_say_in_other_words_passes(text):
    assert check_text(text, BOTTLE).findings == ()


@pytest.mark.parametrize(
    "text, kind",
    [
        ("A bottle of 800 ml.", "number"), ("A bottle of 750 l.", "unit"), ("Yours for 19 euros.", "price"),
        ("A titanium bottle.", "material"), ("A bottle in red.", "colour"), ("FSC certified.", "certification"),
        ("Three years of warranty.", "warranty"), ("Made in Italy.", "origin"), ("Only 3 left!", "urgency"),
        ("The best bottle in the world.", "superlative"), ("It boosts your metabolism.", "health"),
        ("Our bestselling bottle.", "social-proof"), ("Dishwasher safe.", "feature"), ("Now 20% off.", "price"),
        ("Drinks stay hot for 24 hours.", "number"), ("A waterproof bottle.", "feature"), ("BPA-free.", "feature"),
        ("It comes with a case.", "feature"), ("A bottle with a magnetic whistle.", "feature"),
        ("With free shipping.", "price"),
    ],
)  # fmt: skip
def test_an_invention_of_each_kind_is_refused(text, kind):
    assert kind in kinds(text)


def test_every_kind_is_declared():
    assert set(CLAIM_KINDS) & set(OTHER_KINDS) == set()
    assert {"number", "feature", "social-proof"} <= set(CLAIM_KINDS) and "instruction" in OTHER_KINDS


def test_findings_point_at_the_words():
    text = "Navy, 750 ml, made of titanium."
    checked = check_text(text, BOTTLE)
    assert [text[f.start : f.end] for f in checked.findings] == ["titanium"]
    assert "750 ml" in [text[s.start : s.end] for s in checked.supported]


def test_vegan_leather_is_no_leather():
    belt = Brief("Vegan leather belt, black")
    assert check_text("A belt in vegan leather.", belt).ok
    assert "material" in kinds("A belt in genuine leather.", belt)
    assert "material" in kinds("A leather belt.", belt)


def test_a_discount_needs_the_old_price():
    sale = Brief("Lipstick", price=19.0, facts=(Fact("old price", "24.00"),))
    assert check_text("Was 24 euros, now 19.", sale).ok
    assert not check_text("Was 29 euros, now 19.", sale).ok
    assert not check_text("Was 24 euros, now 19.", Brief("Lipstick", price=19.0)).ok


def test_a_number_of_another_attribute_is_an_invention():
    shoe = Brief("Trail shoe", facts=(Fact("drop", "6 mm"), Fact("lugs", "4 mm")))
    assert check_text("A drop of 6 mm and lugs of 4 mm.", shoe).ok
    assert not check_text("A drop of 4 mm.", shoe).ok


def test_a_money_amount_in_another_currency_is_an_invention():
    assert not check_text("Yours for $24.90.", BOTTLE).ok


# ---------------------------------------------------------------------------------------------------------- any text
NAMES = st.sampled_from(["capacity", "weight", "width", "height"])


@st.composite
def briefs(draw):
    values = draw(st.dictionaries(NAMES, st.integers(11, 9899), min_size=1, max_size=3))
    units = {"capacity": "ml", "weight": "g", "width": "mm", "height": "mm"}
    facts = tuple(Fact(name, f"{value} {units[name]}") for name, value in values.items())
    return Brief("Plain box", price=float(draw(st.integers(10_000, 20_000))), facts=facts)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_checked_without_a_crash_and_findings_lie_inside_it(text):
    checked = check_text(text, BOTTLE)
    assert all(0 <= f.start <= f.end <= len(text) and f.why for f in checked.findings)
    assert all(0 <= start < end <= len(text) for start, end, _, _ in marks(checked))


@settings(max_examples=100, deadline=None)
@given(
    st.text(min_size=1, max_size=80),
    st.text(max_size=200),
    st.dictionaries(st.text(max_size=10), st.text(max_size=30), max_size=4),
)
def test_any_row_with_a_title_is_checked_without_a_crash(title, description, attributes):
    try:
        brief = Brief.of({"title": title, "description": description, "attributes": attributes})
    except ValueError:
        return
    check_text("A 750 ml bottle in navy steel.", brief)
    brief.as_text()


@settings(max_examples=100, deadline=None)
@given(briefs())
def test_the_values_of_the_ledger_pass(brief):
    text = " ".join(f"The {fact.name} is {fact.value}." for fact in brief.facts)
    assert check_text(text, brief).findings == ()


@settings(max_examples=150, deadline=None)
@given(briefs(), st.data())
def test_one_digit_changed_is_refused(brief, data):
    fact = data.draw(st.sampled_from(brief.facts))
    number, unit = fact.value.split()
    at = data.draw(st.integers(0, len(number) - 1))
    digit = data.draw(st.sampled_from([d for d in "123456789" if d != number[at]]))
    changed = f"{number[:at]}{digit}{number[at + 1 :]} {unit}"
    if changed in [other.value for other in brief.facts] or abs(int(changed.split()[0]) / int(number) - 1) < 0.001:
        return  # the value of another attribute is another test; less than a thousandth is rounding
    assert not check_text(f"The {fact.name} is {changed}.", brief).ok


# ------------------------------------------------------------------------------------------------------- plainer checks
def test_length_counts_words_and_characters():
    limits = Limits(max_words=3, max_chars=10)
    assert [f.kind for f in check_text("so very good here", BOTTLE, limits=limits).findings] == ["length", "length"]
    assert check_text("so good", BOTTLE, limits=limits).ok


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_a_text_without_words_is_refused(text):
    assert kinds(text) == {"length"}


def test_a_text_too_long_to_be_checked_is_refused_unread():
    (found,) = check_text("a mug of 5 cm " * 20_000, BOTTLE).findings
    assert (found.kind, found.why) == ("length", "280000 characters, at most 4000 can be checked")


def test_banned_phrases_are_whole_words_in_any_case():
    limits = Limits(banned=("mega good", "art"))
    assert [f.kind for f in check_text("Mega GOOD.", BOTTLE, limits=limits).findings] == ["banned"]
    assert check_text("Start.", BOTTLE, limits=limits).ok


@pytest.mark.parametrize("text", ["Look!!!", "so so so good", "good and " * 30, "THIS IS THE BEST OF TIMES FOR YOU"])
def test_shouting_stammering_and_endless_sentences_are_hard_to_read(text):
    assert "readability" in kinds(text)


@pytest.mark.parametrize(
    "text",
    ["Die Flasche ist gut und das ist auch nicht zu wenig f\u00fcr dich.", "La bouteille est dans votre sac et pour vous.",  # noqa: E501
     "\u05d1\u05e7\u05d1\u05d5\u05e7 \u05d8\u05d5\u05d1 \u05de\u05d0\u05d5\u05d3"],
)  # fmt: skip
def test_another_language_is_seen(text):
    assert "language" in kinds(text)


def test_duplicate_openings_are_found_across_a_batch():
    texts = ["Meet the new bottle, it is here.", "A bottle.", "meet the NEW bottle now", "", "A bottle!"]
    found = duplicate_openings(texts)
    assert [(at, f.why) for at, f in found] == [(2, "begins like text 0"), (4, "begins like text 1")]
    assert texts[2][found[0][1].start : found[0][1].end] == "meet the NEW bottle"
    with pytest.raises(ValueError, match="n must be at least 1 word, got 0"):
        duplicate_openings(texts, n=0)


@pytest.mark.parametrize("wrong", [{"max_words": 0}, {"max_chars": True}, {"max_words": 2.5}, {"language": "de"}])
def test_limits_say_what_they_allow(wrong):
    with pytest.raises(ValueError, match="must be"):
        Limits(**wrong)


def test_a_text_that_is_none_is_refused_clearly():
    with pytest.raises(TypeError, match="text must be a str, got NoneType"):
        check_text(None, BOTTLE)


def test_a_finding_is_a_plain_tuple():
    assert Finding("price", 0, 1, "why") == ("price", 0, 1, "why")


# ------------------------------------------------------------------------------------- numbers that follow from facts
CANS = Brief(
    "Cold brew, 6 x 330 ml cans",
    price=16.5,
    facts=(Fact("serving", "110 ml"), Fact("hose", "6 m"), Fact("cable", "5 m")),
)


@pytest.mark.parametrize(
    "text",
    [
        "That is \u20ac2.75 a can.",  # 16.50 / 6
        "The six cans hold just under two litres together.",  # 6 x 330 ml = 1.98 l
        "That makes \u20ac8.33 a litre.",  # 16.50 / 1.98
        "Three portions in a can.",  # 330 / 110
        "Hose and cable are eleven metres together.",  # 6 + 5
        "Yours for under 20 euros.",
    ],
)
def test_a_number_that_follows_from_the_facts_passes(text):
    assert check_text(text, CANS).findings == ()


@pytest.mark.parametrize(
    "text",
    [
        "That is \u20ac3.75 a can.", "The six cans hold nearly three litres together.",
        "That makes \u20ac16.50 a litre.",
        "Hose and cable are twelve metres together.", "Yours for under 15 euros.", "That is $2.75 a can.",
    ],
)  # fmt: skip
def test_a_number_that_does_not_follow_is_refused(text):
    assert not check_text(text, CANS).ok


def test_a_claim_is_found_by_its_spelling_and_supported_by_its_synonyms():
    mug = Brief("Mug with a grip")
    assert check_text("A mug with a handle.", mug).ok  # grip and handle are one
    assert check_text("Get a grip on the morning.", Brief("Tea")).ok  # and yet "grip" is no word for a handle


def test_findings_in_one_place_come_in_a_fixed_order():
    found = check_text("Last chance! Only 3 left of your favourites", BOTTLE, limits=Limits(banned=("last chance",)))
    assert found.findings == tuple(sorted(found.findings, key=lambda f: (f.start, f.end, f.kind, f.why)))
    assert [f.kind for f in found.findings if f.start == 0] == ["banned", "urgency"]


@pytest.mark.parametrize(
    "text, good",
    [
        ("Two towels for 39.80 euros.", True), ("Two towels for 49.80 euros.", False),
        ("Four cups of 200 ml.", True), ("Three cups of 200 ml.", False),
        ("Full to the brim it comes to 6.1 kg.", False), ("Filled with water it weighs 1.9 kg.", True),
        ("Two hooks at 15 kg apiece add up to 30 kg.", True), ("Two hooks at 15 kg apiece add up to 45 kg.", False),
    ],
)  # fmt: skip
def test_numbers_follow_from_others_of_the_sentence(text, good):
    facts = (Fact("volume", "0.8 l"), Fact("weight", "1.1 kg"), Fact("hooks", "2"), Fact("load", "15 kg per hook"))
    assert kinds(text, Brief("Towel", price=19.9, facts=facts)).isdisjoint({"number", "price", "unit"}) is good


SHELF = Brief(
    "Socks, pack of 3, 60 x 40 cm box",
    price=18.0,
    facts=(
        Fact("contents", "4 pairs of socks"), Fact("chain", "42 cm plus 5 cm extension"), Fact("waist", "80-125 cm"),
        Fact("sleeve", "for laptops up to 15 inches"), Fact("batteries", "three of 2.0 Ah"), Fact("SPF", "30"),
        Fact("blocks", "50 blocks, half of them stained"), Fact("speed", "15 pages black, 8 pages colour"),
        Fact("care", "wash at 30 \u00b0C, iron on low"),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "text, good",
    [
        ("Eight socks.", True), ("Nine socks.", False),  # 4 pairs
        ("Six euros each.", True), ("Seven euros each.", False),  # 18 / 3; the 3 is no length
        ("It reaches 47 cm.", True), ("It reaches 48 cm.", False),  # 42 + 5
        ("A waist of a metre.", True), ("A waist of 1.30 m.", False), ("A waist of 70 cm.", False),
        ("Fits a 13-inch laptop.", True), ("Fits a 17-inch laptop.", False),
        ("Three 2.0 Ah batteries.", True), ("Three 6.0 Ah batteries.", False),  # 6.0 is all together
        ("It has SPF 30.", True), ("Of 42 cm, with SPF 42.", False),
        ("25 stained blocks.", True), ("26 stained blocks.", False),
        ("Eight colour pages.", True), ("Fifteen colour pages.", False),
    ],
)  # fmt: skip
def test_numbers_belong_to_what_the_facts_count(text, good):
    _, _, _, made = objections(text, SHELF)
    assert all(c.supported for c in made if c.kind in ("number", "price", "unit")) is good


def test_how_many_a_fact_lists_counts_nothing_else():
    panel = Brief("Curtain", facts=(Fact("care", "wash at 30 \u00b0C, iron on low"),))
    _, _, _, made = objections("Yours in a pack of two.", panel)
    assert [claim.supported for claim in made] == [False]


@pytest.mark.parametrize("text", ["No delivery costs.", "Delivered free.", "No extra charge.", "A charm thrown in."])
def test_what_costs_nothing_is_an_offer(text):
    assert kinds(text) == {"price"}
    assert "price" not in kinds(text, Brief("Bottle", description=text))


def test_bars_of_chocolate_are_no_pressure():
    bars = Brief("Oat bars, 10 x 40 g", category="Snacks")
    assert kinds("Ten bars, 400 grams.", bars) == set()
    assert kinds("A pressure of 12 bar.", Brief("Espresso machine", facts=(Fact("pressure", "15 bar"),)))


def test_what_is_not_included_is_refused_where_a_sentence_includes_it():
    (found,) = check_text("It comes with a case.", BOTTLE).findings
    assert found.why == "'case': the facts say that it is not included"
    assert check_text("It comes without a case.", BOTTLE).ok
