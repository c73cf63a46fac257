"""Copy without a language model: sentences with gaps that only facts can fill. The offline default and the fallback.

A description is a plan, e.g. opening, material, size, origin, price. Each step has several sentences per tone; one
whose gaps the brief can fill is drawn, and no fact is told twice. A step without facts is skipped, so a row with
a title and a price gives two short sentences. The draw depends on name, tone and seed only.
"""

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter
from typing import NamedTuple, Self

from reco_utils.copywriting.brief import Brief, plain_name
from reco_utils.copywriting.prompts import (
    META_CHARS,
    NAME,
    SENTENCE_END,
    SUBJECT_CHARS,
    TITLE_CHARS,
    attributes,
    check_tone,
    check_words,
    count,
    kind_of,
    money,
    page_facts,
)

MATERIAL = ("material", "fabric", "upper", "upper material", "composition")
INGREDIENT = ("main ingredient", "key ingredient")
COLOUR = ("colour",)
VERSION = ("variety", "version", "flavour", "pattern", "finish")
ORIGIN = ("made in", "origin", "country of origin", "country")
MEASURES = (
    "capacity", "volume", "weight", "net weight", "length", "width", "height", "depth", "diameter", "thickness",
    "range", "blade length", "cable length", "lens width", "head size", "battery life", "brightness", "output",
    "resolution", "hopper", "comfort temperature", "power",
)  # fmt: skip
NEVER_TOLD = ("price", "sale price", "stock", "sku", "ean", "gtin", "id", "url", "rating", "reviews", "review count")
MADE_IN = re.compile(r"\bmade in ((?:the )?[A-Z][a-z]+)\b(?! [A-Z])")
WARRANTY = re.compile(r"\b(\d{1,2})-year (warranty|guarantee)\b")
CARE = re.compile(  # sentences of a description that may be repeated as they stand
    r"(?:Wash|Rinse|Wipe|Store|Keep|Reseal|Let it|Follow|Packed|Packs|Comes in|Suitable|Repair|Spare|Instructions|"
    r"Quick-start|Pairs|Hand wash)(?: [A-Za-z0-9-]+,?){1,9}\."
)
ALWAYS = {"The", "the", "This", "this", "It", "it", "is", "has", "comes", "costs", "Its", "them", "brand", "contain"}

# plans: the order in which things are told; a step that has nothing to say is skipped
PLANS = {
    "professional": (
        ("open", "made", "measure", "more", "promise", "price"),
        ("open", "measure", "made", "care", "origin", "promise", "price"),
        ("open", "version", "made", "measure", "origin", "price", "care"),
    ),
    "casual": (
        ("greet", "made", "look", "measure", "origin", "promise", "price"),
        ("greet", "look", "made", "more", "care", "price", "close"),
        ("open", "made", "measure", "version", "promise", "price", "close"),
    ),
    "luxury": (
        ("greet", "made", "look", "origin", "promise", "price"),
        ("open", "made", "measure", "promise", "price", "close"),
        ("greet", "origin", "made", "version", "measure", "price", "close"),
    ),
    "technical": (
        ("greet", "made", "measure", "look", "version", "more", "origin", "promise", "price"),
        ("listing", "origin", "promise", "price"),
        ("greet", "measure", "made", "more", "look", "version", "promise", "origin", "care", "price"),
    ),
}

SENTENCES = {
    "professional": {
        "open": (
            "{brand} makes {this} in {origin}.",
            "{The} {is} made in {origin}.",
            "{brand} offers {this} in {colour}.",
            "{The} {comes} in {colour}.",
            "{The} {is} made of {material}.",
            "{brand} makes {this} {extra}.",
        ),
        "made": (
            "{It} {is} made of {material} and {comes} in {colour}.",
            "{It} {is} made of {material}, with {measure}.",
            "{It} {is} made of {material}.",
            "The {ingredient_name} is {ingredient}.",
            "{It} {contain} {contents}.",
            "{It} {comes} in {colour}.",
        ),
        "measure": ("{It} {has} {measure}.", "The {measured} is {size}."),
        "version": ("The {version_name} is {version}.", "{It} {comes} {extra}."),
        "more": ("The {more_name} {more_is} {more}.", "{It} {comes} in {colour}.", "The {version_name} is {version}."),
        "origin": ("{It} {is} made in {origin}.", "Made in {origin}.", "{It} {comes} from {origin}."),
        "promise": ("{It} {comes} with {warranty}.", "{Warranty} is included."),
        "care": ("{care}",),
        "price": ("The price is {price}.", "{It} {costs} {price}."),
    },
    "casual": {
        "greet": ("Meet {the}.", "Say hello to {the}.", "Here {is} {the}.", "Have a look at {the}."),
        "open": (
            "{The}, made in {origin}: take a look.",
            "Looking for something in {colour}? Meet {the}.",
            "Fancy {material}? Then have a look at {the}.",
        ),
        "made": (
            "{Its} made of {material} and {comes} in {colour}.",
            "{Its} made of {material}.",
            "What goes in? {Ingredient}, for one.",
            "The {ingredient_name} is {ingredient}.",
            "{It} {contain} {contents}.",
        ),
        "look": (
            "The colour? {Colour}.",
            "{It} {comes} in {colour}.",
            "The {version_name}? {Version}.",
            "{Its} the one {extra}.",
        ),
        "measure": ("{It} {has} {measure}.", "The {measured}? {Size}."),
        "version": ("The {version_name}? {Version}.", "The {version_name} is {version}.", "{It} {comes} {extra}."),
        "more": ("The {more_name} {more_is} {more}.",),
        "origin": ("Made in {origin}, by the way.", "{It} {comes} from {origin}."),
        "promise": ("And there's {warranty}, too.", "{Warranty} is included, too."),
        "care": ("{care}",),
        "price": ("{Its} {price}.", "That makes {price}.", "Yours for {price}."),
        "close": ("Simple as that.", "That's it, really.", "And that's the whole story."),
    },
    "luxury": {
        "greet": (
            "Here {is} {the}.",
            "May we present {the}.",
            "Some things need few words: {the}.",
        ),
        "open": (
            "From {origin} {comes} {the}.",
            "{Material}, in {colour}: {the}.",
            "In {colour}, {the}.",
        ),
        "made": (
            "{Material}, in {colour}.",
            "{It} {is} made of {material}, with {measure}.",
            "{It} {is} made of {material}.",
            "At the heart of it, {ingredient}.",
            "{It} {contain} {contents}.",
        ),
        "look": ("{It} {is} presented in {colour}.", "The colour is {colour}.", "The choice here: {version}."),
        "measure": ("{It} {has} {measure}.", "The {measured} is {size}."),
        "version": ("The choice here: {version}.", "The {version_name} is {version}.", "{It} {comes} {extra}."),
        "origin": ("Made in {origin}.", "{It} {is} made in {origin}."),
        "promise": ("{Warranty} goes with {them}.", "{It} {comes} with {warranty}."),
        "price": ("Offered at {price}.", "The price: {price}."),
        "close": ("The rest is a matter of taste.", "The rest is yours to decide.", "Take your time."),
    },
    "technical": {
        "greet": ("{The} in detail.", "{The}: the details.", "Data sheet: {the}."),
        "listing": ("{The}: {listing}.", "{The} at a glance: {listing}."),
        "made": ("Material: {material}.", "{Ingredient_name}: {ingredient}.", "Contains: {contents}."),
        "measure": ("{Measured}: {size}.",),
        "look": ("Colour: {colour}.",),
        "version": ("{Version_name}: {version}.", "{It} {comes} {extra}."),
        "more": ("{specs}",),
        "origin": ("Made in {origin}.", "Origin: {origin}."),
        "promise": ("Warranty: {years}.",),
        "care": ("{care}",),
        "price": ("Price: {price}.",),
    },
}
PLAIN = ("{The}, for {price}.",), ("{The}.",)  # what can be said when nothing else can
DETAILS = {"professional": "As listed", "casual": "The details", "luxury": "In detail", "technical": "Listed"}
STEPS = {tone: {**steps, "details": (f"{DETAILS[tone]}: {{details}}.",)} for tone, steps in SENTENCES.items()}

SUBJECTS = (
    "{greeting}a look at {a}",
    "{greeting}have you seen {a}?",
    "{greeting}{count} ideas for you",
    "Picked for you: {a}",
    "For you: {a}{and_more}",
    "{A}, {b}{and_more}",
    "{greeting}from {a} to {b}",
)
OCCASION_SUBJECTS = {
    "welcome": ("{greeting}welcome: a look at {a}", "Welcome! First up: {a}", "Welcome: {a}{and_more}"),
    "birthday": ("{greeting}happy birthday from all of us", "Happy birthday! A look at {a}"),
    "thank-you": ("{greeting}thank you for your order", "Thank you: you may also like {a}"),
    "weekend": ("{greeting}for your weekend: {a}", "For the weekend: {a}{and_more}"),
}
LAST_SUBJECTS = ("{greeting}a few things you may like", "A few things you may like")


class Page(NamedTuple):
    """A category's page in three parts; `str` lays it out as a provider is asked to."""

    title: str
    meta: str
    body: str

    def __str__(self) -> str:
        return f"TITLE: {self.title}\nMETA: {self.meta}\nBODY:\n{self.body}"

    @classmethod
    def of(cls, text: str) -> Self:
        """The parts of a text laid out with TITLE:, META: and BODY:; ValueError where one is missing or empty."""
        before, *found = LABELS.split(text.strip())
        parts = [part.strip().strip("*").strip() for part in found[1::2]]
        labels = [label.upper() for label in found[::2]]
        if before or labels != ["TITLE", "META", "BODY"] or not all(parts) or "\n" in parts[0] + parts[1]:
            raise ValueError("a page needs TITLE:, META: (one line each) and BODY:, in this order, none of them empty")
        return cls(*parts)


LABELS = re.compile(r"^[^\w\n]{0,4}(TITLE|META|BODY)[^\w\n:]{0,4}:", re.I | re.M)  # models write "**Title:**" too


@dataclass(frozen=True)
class TemplateWriter:
    """Writes by rule, from the facts alone. The same brief and seed give the same text.

    Parameters
    ----------
    seed : int
        Another seed draws other plans and sentences.

    Source: ours.
    """

    seed: int = 0
    name = "template"

    def description(self, brief: Brief, *, tone: str = "professional", max_words: int = 80) -> str:
        """A description in one of the tones; sentences that would go over `max_words` are left out.

        Where not even the opening fits, the text is as much of the title as does.
        """
        check_tone(tone), check_words(max_words)
        gaps, draw = gaps_of(brief), self._draw(brief.name, tone)
        sentences, told = [], set()
        opening, *steps = draw.choice(PLANS[tone])
        for step in (opening, "details", *steps):
            sentence, facts = _draw_sentence(STEPS[tone][step], gaps, told, draw)
            for plain in (SENTENCES[tone].get("greet", ()), *PLAIN) if not (sentence or sentences) else ():
                if not sentence:
                    sentence, facts = _draw_sentence(plain, gaps, told, draw)
            if sentence and _n_words([*sentences, sentence]) <= max_words:
                sentences, told = [*sentences, sentence], told | facts
        return " ".join(sentences) or " ".join(brief.name.split()[:max_words])

    def subject(self, briefs: Sequence[Brief], *, occasion: str = "recommendation") -> str:
        """A subject line under 60 characters; where it greets, `NAME` stands for the customer."""
        if not len(briefs):
            raise ValueError("a subject line needs at least one product, got none")
        draw = self._draw(briefs[0].name, occasion)
        gaps = _subject_gaps(briefs)
        known = list(OCCASION_SUBJECTS.get(plain_name(occasion).replace(" ", "-"), SUBJECTS))
        draw.shuffle(known)
        for sentence in (*known, *LAST_SUBJECTS):
            line = _fill(sentence, gaps)
            if line and len(line) <= SUBJECT_CHARS:
                return line
        return LAST_SUBJECTS[-1]

    def category_page(self, category: str, briefs: Sequence[Brief]) -> str:
        """Title, meta description and two to four paragraphs of what can be counted over the products."""
        facts = page_facts(category, briefs)
        draw = self._draw(facts.name, "page")
        told = {fact.name: fact.value for fact in facts.facts}
        paragraphs = [_counted(facts.name, told, draw), _offered(told, draw), _varied(told, draw), _ending(facts, draw)]
        body = [paragraph for paragraph in paragraphs if paragraph]
        return str(Page(_page_title(facts.name, told), _page_meta(facts.name, told), "\n\n".join(body)))

    def _draw(self, *keys):
        """A source of choices that depends on the seed and the keys only."""
        digest = hashlib.sha256("\0".join([str(self.seed), *keys]).encode("utf-8", "replace")).digest()
        return random.Random(int.from_bytes(digest[:8], "big"))


# ------------------------------------------------------------------------------------------------- gaps and sentences
def gaps_of(brief: Brief) -> dict[str, str]:
    """What the gaps of a sentence stand for; a gap whose fact is missing, contradictory or odd is not there."""
    known = {name: value for name, value in attributes(brief).items() if _plain(value) and name not in NEVER_TOLD}
    gaps = _made(known) | _measured(known)
    gaps |= _grammar(brief, gaps["material"] or gaps["ingredient"])
    gaps |= {"colour": _take(known, COLOUR)} | _version(known)
    gaps |= {"origin": _take(known, ORIGIN) or _first(MADE_IN, brief.description)}
    gaps |= _promised(brief, known)
    gaps |= {"price": money(brief.price, brief.currency) if brief.price else ""}
    gaps |= {"care": next((s for s in SENTENCE_END.split(brief.description) if CARE.fullmatch(s)), "")}
    gaps |= _others(known, gaps)
    gaps |= {"details": "" if known else _head(brief)[1]}
    for name in ("colour", "material"):
        gaps[name] = listed(re.split(r", | ?/ ", gaps[name]))
    gaps |= {"listing": _listing(gaps)}
    gaps |= {name.capitalize(): value[:1].upper() + value[1:] for name, value in gaps.items() if name.islower()}
    return {name: value for name, value in gaps.items() if value}


def listed(things: Sequence[str], last: str = "and") -> str:
    """Things in a row: "a", "a and b", "a, b and c"."""
    things = [thing.strip() for thing in things if thing.strip()]
    return f" {last} ".join([", ".join(things[:-1]), things[-1]]) if len(things) > 1 else "".join(things)


def with_article(phrase: str) -> str:
    """A phrase with "a" or "an" as it is spoken: "an hour", "a unit", "an 8-year warranty", "an LED lamp"."""
    first = re.split(r"[\s-]", phrase.strip(), maxsplit=1)[0]
    low = first.lower()
    if first[:1].isdigit():
        vowel = first.startswith("8") or first in ("11", "18")
    elif first.isupper() and len(first) <= 3:  # spelled out, as in "LED"
        vowel = first[0].upper() in "AEFHILMNORSX"
    else:
        vowel = low[:1] in "aeiou" and not re.match(r"uni(?!n)|us[ea]|eu|one|once|ukulele", low)
        vowel = vowel or low.startswith(("hour", "honest", "heir", "honour"))
    return f"{'an' if vowel else 'a'} {phrase}"


def is_plural(phrase: str) -> bool:
    """Does the head of a noun phrase look like a plural? "running tights" yes, "glass", "set of cups" no."""
    head = re.split(r" (?:with|of|for|in|from|by) ", f"{phrase.lower()} ")[0].strip().split(" ")[-1]
    if head in ("lens", "gas", "canvas", "bus", "atlas", "series", "molasses"):
        return False
    return (
        head in ("people", "men", "women", "children") or head.endswith("s") and not head.endswith(("ss", "us", "is"))
    )


def _head(brief):
    """The title's part that names the thing, and the rest; all of it and nothing where the kind is not known."""
    name = brief.name.capitalize() if brief.name.isupper() and " " in brief.name else brief.name  # no shouting
    first, _, rest = name.partition(", ")
    if kind_of(brief) and kind_of(brief).lower() in first.lower():
        return first, rest if _plain(rest) else ""
    return cut(name, 120), ""


def _grammar(brief, material=""):
    """The product's name and pronouns, and verbs that agree with it; a material told elsewhere is not in the name."""
    kind, short = kind_of(brief), _head(brief)[0].rstrip(" .!?;:,")
    without = " ".join(short.replace(f" {material} ", " ").split())
    short = without if kind and kind.lower() in without.lower() else short
    branded = bool(kind and brief.brand) and short.lower().startswith(brief.brand.lower() + " ")
    many = is_plural(kind or brief.name.split(", ")[0])
    the = f"the {short}" if branded else short
    words = {
        "the": the, "The": f"The {short}" if branded else short, "brand": brief.brand,
        "this": (f"these {kind}" if many else f"this {kind}") if kind else "",
    }  # fmt: skip
    return words | (MANY if many else ONE)


ONE = {"it": "it", "It": "It", "is": "is", "has": "has", "comes": "comes", "costs": "costs", "contain": "contains"}
ONE |= {"Its": "It's", "them": "it"}
MANY = {"it": "they", "It": "They", "is": "are", "has": "have", "comes": "come", "costs": "cost", "contain": "contain"}
MANY |= {"Its": "They're", "them": "them"}


def _plain(value):
    """Short, on one line, and no sentence: fit to stand in a gap."""
    return re.fullmatch(r"(?:[^.!?{}\n]|\.(?=\d)){1,60}", value) is not None and value.lower() not in YES_NO


YES_NO = ("yes", "no", "true", "false", "none", "n/a", "-", "unknown")


def _take(known, names):
    return next((known[name] for name in names if name in known), "")


def _first(pattern, text):
    found = pattern.search(text)
    return found[1] if found else ""


def _made(known):
    name = next((name for name in INGREDIENT if name in known), "")
    contents = listed(_take(known, ("contains", "ingredients")).split(", "))
    return {
        "material": _take(known, MATERIAL),
        "ingredient": known.get(name, ""),
        "ingredient_name": name,
        "contents": contents,
    }


def _version(known):
    """A choice such as "variety: smoky"; "with lid" is told in another sentence."""
    name = next((name for name in VERSION if name in known), "")
    value = known.get(name, "")
    told = "extra" if value.startswith("with ") else "version"
    return {"version": "", "extra": "", "version_name": name} | {told: value}


def _measured(known):
    name = next((name for name in known if name in MEASURES), "")
    size = known.get(name, "")
    phrase = f"{with_article(name)} of {size}" if re.match(r"[-\d]", size) else ""
    return {"measured": name, "size": size, "measure": phrase}


def _promised(brief, known):
    found = WARRANTY.search(brief.description)
    if found:
        years = int(found[1])
        return {"warranty": with_article(found[0]), "years": f"{years} year{'s' * (years > 1)}"}
    told = known.get("warranty", known.get("guarantee", ""))
    return {"warranty": f"a warranty of {told}" if re.match(r"\d+ (?:year|month)s?$", told) else "", "years": told}


def _others(known, gaps):
    """One attribute that no other gap tells, and all of those as "name: value" sentences."""
    told = {*MATERIAL, *INGREDIENT, *COLOUR, *VERSION, *ORIGIN, "contains", "ingredients", "warranty", "guarantee"}
    rest = [(name, value) for name, value in known.items() if name not in told | {gaps["measured"]} and len(name) < 30]
    name, value = rest[0] if rest else ("", "")
    specs = " ".join(f"{name[0].upper()}{name[1:]}: {value}." for name, value in rest[:5])
    return {"more": value, "more_name": name, "more_is": "are" if is_plural(name) else "is", "specs": specs}


def _listing(gaps):
    """Material, size, colour and version in one line, or "" if there are fewer than two."""
    pairs = [("material", "material"), (gaps["ingredient_name"], "ingredient"), (gaps["measured"], "size")]
    pairs += [("colour", "colour"), (gaps["version_name"], "version"), (gaps["more_name"], "more")]
    told = [f"{name} {gaps[key]}" for name, key in pairs if gaps[key]]
    return listed(told) if len(told) > 1 and not any(" and " in gaps[key] for _, key in pairs) else ""


SAME_FACT = {  # gaps that tell the same fact, by the name it is remembered under
    "measured": "measure", "size": "measure", "ingredient_name": "ingredient", "more_name": "more", "more_is": "more",
    "version_name": "version", "extra": "version", "specs": "more", "years": "warranty",
}  # fmt: skip
LISTED_FACTS = {"listing", "material", "ingredient", "measure", "colour", "version", "more"}


def _needs(sentence):
    """Names of the gaps in a sentence."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def _facts(sentence):
    """The facts a sentence tells, by the names in SAME_FACT."""
    facts = {SAME_FACT.get(name.lower(), name.lower()) for name in _needs(sentence) - ALWAYS}
    return LISTED_FACTS if "listing" in facts else facts


def _fill(sentence, gaps):
    """The sentence with its gaps filled, None where one is missing."""
    return sentence.format_map(gaps) if _needs(sentence) <= set(gaps) else None


def _draw_sentence(options, gaps, told, draw):
    """One of the sentences that fit and repeat nothing, and its facts; one fact more makes it thrice as likely."""
    fit = [(s, _facts(s)) for s in options if _needs(s) <= set(gaps) and not _facts(s) & told]
    if not fit:
        return "", set()
    weights = [3 ** len(facts) for _, facts in fit]
    sentence, facts = draw.choices(fit, weights)[0]
    return _fill(sentence, gaps), facts


def _n_words(sentences):
    return len(" ".join(sentences).split())


# ---------------------------------------------------------------------------------------------- subjects and categories
NUMBERS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _subject_gaps(briefs):
    """The first two products by brand and kind, how many there are, and a greeting."""
    names = [_brief_name(brief) for brief in briefs[:2]]
    gaps = {"a": names[0], "A": re.sub("^the ", "The ", names[0]), "greeting": f"{NAME}, "}
    gaps |= {"and_more": " and more"} if len(briefs) > 2 else {}
    gaps |= {"b": names[1]} if len(names) > 1 and names[1] != names[0] else {}
    gaps |= {"count": NUMBERS[len(briefs)]} if 1 < len(briefs) < len(NUMBERS) else {}
    return gaps


def _brief_name(brief):
    """e.g. "the Norrland teapot" where brand and kind are known, else the name as a sentence would have it."""
    kind = kind_of(brief)
    return f"the {brief.brand} {kind}" if kind and brief.brand else _grammar(brief)["the"]


def _sample(text, draw, n=3):
    """Up to n of the values of a fact, in the shop's order."""
    values = text.split(", ")
    return listed([values[at] for at in sorted(draw.sample(range(len(values)), min(n, len(values))))])


def _page_title(name, told):
    products = count(told["number of products"], "product")
    brands = f" from {count(told['number of brands'], 'brand')}" if "number of brands" in told else ""
    for title in (f"{name}: {products}{brands}", f"{name}: {products}", name):
        if len(title) <= TITLE_CHARS:
            return title
    return cut(name, TITLE_CHARS)


def _page_meta(name, told):
    meta = f"{name}: {count(told['number of products'], 'product')}"
    if "brands" in told:
        brands = told["brands"].split(", ")
        meta += f" by {listed(brands if len(brands) < 4 else [*brands[:3], 'others'])}"
    for more in (f". {_price_range(told)}", "."):
        if len(meta + more) <= META_CHARS and more != ". ":
            return meta + more
    return cut(f"{name}: {count(told['number of products'], 'product')}", META_CHARS)


def _price_range(told):
    low, high = told.get("lowest price"), told.get("highest price")
    if not low:
        return ""
    return f"Prices go from {low} to {high}." if low != high else f"The price is {low}."


def _counted(name, told, draw):
    """The first paragraph: how many products, by whom, at which prices."""
    products = count(told["number of products"], "product")
    brands = ""
    if "brands" in told:
        n = int(told["number of brands"])
        some = _sample(told["brands"], draw) if n > 3 else listed(told["brands"].split(", "))
        brands = f" from {n} brands, such as {some}" if n > 3 else f" by {some}"
    opening = draw.choice((f"In {name} you will find {products}{brands}.", f"{name} holds {products}{brands}."))
    return f"{opening} {_price_range(told)}".strip()


def _offered(told, draw):
    """The second: what kinds of things there are."""
    if "kinds of product" not in told:
        return ""
    some = _sample(told["kinds of product"], draw, 4)
    return draw.choice((f"You will find {some} here.", f"What is here? Think of {some}."))


def _varied(told, draw):
    """The third: what they are made of, and their colours."""
    parts = [
        f"{name}s include {_sample(told[name], draw)}" for name in ("material", "colour") if "," in told.get(name, "")
    ]
    return "; ".join(parts).capitalize() + "." if parts else ""


def _ending(facts, draw):
    """The last: where to read on."""
    return draw.choice(
        (
            "What is known about each product stands beside it.",
            "Choose a product to read more about it.",
        )
    )


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words where there is a space, without a comma or dash at the end."""
    if len(text) <= limit:
        return text
    head = text[: limit + 1].rsplit(" ", 1)[0] if " " in text[: limit + 1] else text[:limit]
    return head.rstrip(" ,;:-–—&")
