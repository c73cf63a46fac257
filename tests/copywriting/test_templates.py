import re

import pytest

from reco_utils.copywriting import prompts
from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.checks import Limits, check_text
from reco_utils.copywriting.prompts import NAME, TONES
from reco_utils.copywriting.templates import (
    OCCASION_SUBJECTS,
    PLANS,
    STEPS,
    Page,
    TemplateWriter,
    cut,
    gaps_of,
    is_plural,
    listed,
    with_article,
)
from reco_utils.data.registry import load_dataset


@pytest.fixture(scope="module")
def shop():
    """Briefs of the built-in shop."""
    return [Brief.of(row) for row in load_dataset("shop", size="small").catalog.to_dict("records")]


@pytest.mark.parametrize("tone", TONES)
def test_descriptions_of_the_shop_pass_the_check(shop, tone):
    for brief in shop[::5]:
        checked = check_text(TemplateWriter().description(brief, tone=tone), brief, limits=Limits(max_words=80))
        assert checked.ok, (checked.text, checked.findings)


def test_subjects_of_the_shop_pass_the_check_and_are_under_60_characters(shop):
    for at in range(0, 200, 4):
        line = TemplateWriter().subject(shop[at : at + 3])
        assert len(line) < 60
        checked = check_text(line.replace(f"{NAME}, ", ""), prompts.subject_facts(shop[at : at + 3]))
        assert checked.ok, (checked.text, checked.findings)


def test_pages_of_the_shop_pass_the_check_and_keep_their_lengths(shop):
    for category in sorted({brief.category.split(" > ")[0] for brief in shop}):
        briefs = [brief for brief in shop if brief.category.startswith(category)]
        page = Page.of(TemplateWriter().category_page(category, briefs))
        assert len(page.title) <= 60 and len(page.meta) <= 155
        assert 2 <= len(page.body.split("\n\n")) <= 4
        checked = check_text("\n\n".join(page), prompts.page_facts(category, briefs))
        assert checked.ok, (checked.text, checked.findings)


def test_texts_do_not_all_begin_alike(shop):
    openings = {TemplateWriter().description(brief, tone="casual").split(brief.brand)[0] for brief in shop[:60]}
    assert len(openings) >= 5


def test_the_same_brief_and_seed_give_the_same_text_and_other_seeds_others(mug):
    assert TemplateWriter(3).description(mug) == TemplateWriter(3).description(mug)
    assert len({TemplateWriter(seed).description(mug) for seed in range(20)}) > 5


def test_no_gap_is_left_in_any_sentence_of_any_tone(mug):
    for tone in TONES:
        for seed in range(30):
            assert not re.search(r"[{}]|  |\.\.|None", TemplateWriter(seed).description(mug, tone=tone))


def test_every_step_of_every_plan_has_sentences():
    for tone in TONES:
        assert {step for plan in PLANS[tone] for step in plan} <= set(STEPS[tone])


def test_gaps_stand_for_the_facts_of_the_brief(mug):
    gaps = gaps_of(mug)
    assert gaps["the"] == "the Norrland camping mug"  # the material is told elsewhere
    assert gaps["this"] == "this camping mug"
    assert gaps["measure"] == "a capacity of 350 ml"
    assert gaps["origin"] == "Sweden"
    assert gaps["warranty"] == "a 3-year warranty" and gaps["years"] == "3 years"
    assert gaps["price"] == "€14.90"
    assert gaps["care"] == "Wash before first use."


def test_a_plural_thing_takes_plural_verbs():
    row = {"title": "Velocet running tights, M", "brand": "Velocet", "tags": ["running tights"]}
    gaps = gaps_of(Brief.of(row | {"attributes": {"material": "nylon"}}))
    assert (gaps["this"], gaps["It"], gaps["is"]) == ("these running tights", "They", "are")


def test_a_title_and_a_price_give_a_short_text_that_says_no_more():
    brief = Brief.of({"title": "Toy Story (1995)", "price": 5})
    for tone in TONES:
        for seed in range(10):
            text = TemplateWriter(seed).description(brief, tone=tone)
            assert "Toy Story (1995)" in text
            assert set(re.findall(r"\d+(?:\.\d+)?", text)) <= {"1995", "5.00"}
            assert len(text.split()) <= 20


def test_a_contradictory_attribute_is_never_told():
    row = {"title": "Cup", "attributes": [("colour", "red"), ("color", "blue"), ("material", "glass")]}
    for seed in range(20):
        text = TemplateWriter(seed).description(Brief.of(row), tone="technical")
        assert "red" not in text and "blue" not in text


def test_yes_no_and_sentences_are_no_values():
    gaps = gaps_of(Brief.of({"title": "Cup", "attributes": {"dishwasher safe": "no", "colour": "Red. Buy two!"}}))
    assert not {"more", "colour"} & set(gaps)


@pytest.mark.parametrize("limit", [5, 8, 15, 30])
def test_no_text_is_longer_than_asked(shop, limit):
    for brief in shop[:40]:
        for tone in TONES:
            text = TemplateWriter().description(brief, tone=tone, max_words=limit)
            assert 0 < len(text.split()) <= limit


@pytest.mark.parametrize(
    "title",
    ["🔥🔥🔥", "דפתר אדום", "x" * 500, "word " * 10_000, "<b>Mug</b> & cup", "{price} {0} %s {}", "it's \\ 'x' \""],
)
def test_odd_titles_give_a_text(title):
    brief = Brief.of({"title": title})
    for tone in TONES:
        assert TemplateWriter().description(brief, tone=tone)
    assert 0 < len(TemplateWriter().subject([brief])) < 60
    assert Page.of(TemplateWriter().category_page(title, [brief])).title


def test_one_product_is_not_called_products():
    page = Page.of(TemplateWriter().category_page("Mugs", [Brief("Mug", price=3.0)]))
    assert "1 product" in page.title and "1 products" not in str(page)
    assert "The price is €3.00." in page.body


@pytest.mark.parametrize("occasion", OCCASION_SUBJECTS)
def test_an_occasion_has_subjects_of_its_own(mug, occasion):
    assert TemplateWriter().subject([mug], occasion=occasion)
    assert TemplateWriter().subject([mug] * 3, occasion=occasion)


def test_a_subject_with_one_product_promises_no_more():
    for seed in range(30):
        assert " more" not in TemplateWriter(seed).subject([Brief("Red cup")])


@pytest.mark.parametrize(
    "phrase, told",
    [
        ("8-year warranty", "an 8-year warranty"), ("18 cm rule", "an 18 cm rule"), ("10 cm rule", "a 10 cm rule"),
        ("oak board", "an oak board"), ("hour", "an hour"), ("unit", "a unit"), ("LED lamp", "an LED lamp"),
        ("unusual cup", "an unusual cup"), ("USB cable", "a USB cable"), ("European oak", "a European oak"),
        ("one-pot stove", "a one-pot stove"), ("onion", "an onion"),
    ],
)  # fmt: skip
def test_articles_follow_the_sound(phrase, told):
    assert with_article(phrase) == told


@pytest.mark.parametrize(
    "things, told",
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), (["a", " "], "a")],
)
def test_lists_end_with_and(things, told):
    assert listed(things) == told


@pytest.mark.parametrize(
    "phrase, many",
    [("running tights", True), ("set of cups", False), ("glass", False), ("French press", False), ("lens", False)],
)
def test_plurals_are_told_by_the_head_of_a_phrase(phrase, many):
    assert is_plural(phrase) is many


@pytest.mark.parametrize(
    "text, limit, told",
    [("a red cup", 9, "a red cup"), ("a red cup", 8, "a red"), ("a red, cup", 8, "a red"), ("abcdef", 3, "abc")],
)
def test_a_cut_breaks_no_word_where_there_is_a_space(text, limit, told):
    assert cut(text, limit) == told


@pytest.mark.parametrize(
    "text",
    [
        "TITLE: a\nMETA: b\nBODY:\nc\n\nd",
        "**Title:** a\n\n**Meta**: b\n\n**Body:**\nc\n\nd",
        "title: a\nmeta: b\nbody: c\n\nd",
    ],
)
def test_a_page_is_read_as_models_lay_it_out(text):
    assert Page.of(text) == ("a", "b", "c\n\nd")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "TITLE: a" + "\n" * 50_000 + "x",
        "TITLE: a\nBODY: c",
        "TITLE: a\nMETA:\nBODY: c",
        "META: b\nTITLE: a\nBODY: c",
    ],
)
def test_what_is_no_page_is_refused(text):
    with pytest.raises(ValueError, match="needs TITLE:, META: .* and BODY:"):
        Page.of(text)


def test_a_page_survives_a_round_trip():
    page = Page("a", "b", "c\n\nd")
    assert Page.of(str(page)) == page


def test_a_title_in_capitals_is_not_shouted():
    brief = Brief("WHITE HANGING HEART T-LIGHT HOLDER", price=2.55)
    for tone in TONES:
        assert "White hanging heart t-light holder" in TemplateWriter().description(brief, tone=tone)
    assert "HEART" not in TemplateWriter().subject([brief])


def test_no_fact_is_told_twice(mug):
    for tone in TONES:
        for seed in range(30):
            text = TemplateWriter(seed).description(mug, tone=tone).lower()
            for fact in ("enamel", "350 ml", "forest green", "sweden", "14.90", "3-year", "wash before"):
                assert text.count(fact) <= 1, text
