"""Numbers in text, with their units: "three quarters of a litre" and "0.75 L" are both 750 ml.

A quantity is a span of low to high in the base unit of its dimension (metre, gram, litre, hour ...). What has no
unit is a count. What a sentence says about the number ("just over", "up to") is kept as its bound.
"""

import re
from functools import lru_cache
from typing import NamedTuple

UNITS = """
length | mm millimetre millimeter | .001
length | cm centimetre centimeter | .01
length | m metre meter | 1
length | km kilometre kilometer | 1000
length | inch inches \u2033 " in | .0254
length | ft foot feet | .3048
length | yd yard | .9144
length | mile | 1609.344
mass | mcg \u00b5g \u03bcg microgram | .000001
mass | mg milligram | .001
mass | g gram gramme gr | 1
mass | kg kilo kilogram kilogramme kgs | 1000
mass | t tonne ton | 1000000
mass | oz ounce | 28.349523125
mass | lb lbs | 453.59237
volume | ml millilitre milliliter | .001
volume | cl centilitre centiliter | .01
volume | dl decilitre deciliter | .1
volume | l litre liter ltr | 1
volume | fl.oz fluid-ounce | .0295735
volume | pint | .568261
volume | gallon | 4.54609
time | ms millisecond | .000000277777778
time | s sec second | .000277777778
time | min mins minute | .016666666667
time | h hr hrs hour | 1
time | day | 24
time | night | 24
time | week wk | 168
time | month mth | 730
time | year yr yrs | 8760
time | decade | 87600
percent | % percent per-cent pct | 1
temperature | \u00b0c \u00b0 \u2103 degree celsius degrees-celsius c | 1
fahrenheit | \u00b0f fahrenheit degrees-fahrenheit \u2109 | 1
kelvin | k kelvin | 1
power | mw milliwatt | .001
power | w watt | 1
power | kw kilowatt | 1000
energy | wh watt-hour | 1
energy | kwh kilowatt-hour | 1000
efficiency | lm/w lumen-per-watt lumens-per-watt | 1
charge | mah milliamp-hour | .001
charge | ah amp-hour | 1
current | ma milliamp | .001
current | amp ampere | 1
voltage | v volt | 1
voltage | kv kilovolt | 1000
light | lm lumen | 1
lux | lux | 1
torque | nm newton-metre newton-meter | 1
pressure | bar | 1
force | n newton | 1
force | kn kilonewton | 1000
pressure | psi | .0689476
sound | db decibel | 1
frequency | hz hertz | 1
frequency | khz kilohertz | 1000
frequency | mhz megahertz | 1000000
frequency | ghz gigahertz | 1000000000
speed | mph miles-per-hour | 1.609344
speed | km/h kmh kph kilometres-per-hour kilometres-an-hour | 1
rotation | rpm revolution revolutions-per-minute revs-per-minute | 1
data | kb kilobyte | .001
data | mb megabyte | 1
data | gb gigabyte | 1000
data | tb terabyte | 1000000
rate | mbps mbit/s megabits-per-second | 1
rate | gbps gbit/s gigabits-per-second | 1000
pixels | mp megapixel | 1
dots | dpi ppi dots-per-inch | 1
grammage | gsm g/m\u00b2 g/m2 grams-per-square-metre gram-per-square-metre | 1
area | m\u00b2 m2 sqm square-metre square-meter | 1
area | cm\u00b2 cm2 square-centimetre square-centimeter | .0001
nutrition | kcal calorie cal | 1
nutrition | kj kilojoule | .239
gold | carat karat ct | 1
fineness | denier den | 1
tog | tog | 1
iu | iu | 1
money | euro eur \u20ac | 1
money | gbp pound-sterling \u00a3 quid | 1
money | dollar usd $ | 1
money | franc chf | 1
money | cent pence penny p | .01
pounds | pound | 1
"""
CURRENCIES = {
    "EUR": "euro eur \u20ac cent",
    "GBP": "gbp pound \u00a3 quid cent pence penny p",
    "USD": "dollar usd $ cent",
}
CURRENCIES |= {"CHF": "franc chf cent"}
ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
ONES = dict(zip((ONES + " eighteen nineteen").split(), range(20)))
TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10)))
GROUPS = {"dozen": 12, "pair": 2, "couple": 2, "duo": 2, "trio": 3, "quartet": 4, "score": 20, "twin": 2, "triple": 3}
PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
GLYPHS = {"\u00bd": 0.5, "\u00bc": 0.25, "\u00be": 0.75, "\u2153": 1 / 3, "\u2154": 2 / 3, "\u215b": 0.125}
BOUNDS = {  # words before a number: what it is then a bound of
    "above": "just over; a little over; a touch over; slightly over; well over; over; more than; above; beyond; "
    "upwards of; north of; in excess of; better than; longer than; a shade over; upward of",
    "below": "just under; a little under; a touch under; slightly under; well under; a shade under; less than; under; "
    "below; fewer than; not even; short of; "
    "just short of; just shy of; shy of; lighter than; change from; cheaper than",
    "near": "not far off; about; around; roughly; approximately; approx.; approx; circa; ca.; ca; some; close to; give or take; ~; \u2248; in the region of; "  # noqa: E501
    "or so; more or less",
    "almost": "nearly; almost; not quite; close on; practically; virtually; next to; all but",
    "most": "up to; maximum; max.; max; a maximum of; as much as; as many as; as long as",
    "least": "a minimum of; min.; from; starting at; from just; from only",
    "ceiling": "within; inside; at most; no more than; not more than; no longer than; no heavier than",
    "floor": "at least; no less than; not less than; no fewer than",
}
NO_UNIT_A = {"second", "minute", "hour", "day", "night", "week", "month", "year", "decade", "mile", "foot"}
NO_UNIT_A |= {"degree", "c", "bar", "cal", "score", "yard", "pound", "penny", "cent", "pint", "ton", "dollar"}


class Quantity(NamedTuple):
    """text[start:end] says low to high (one number: both alike) of a dimension, in its base unit."""

    start: int
    end: int
    low: float
    high: float
    dimension: str
    unit: str
    bound: str  # "" or a key of BOUNDS
    digits: bool  # written in digits, not in words


def _units():
    found = {}
    for line in UNITS.strip().splitlines():
        dimension, words, size = (part.strip() for part in line.split("|"))
        for word in words.split():
            found[word.replace("-", " ")] = (dimension, float(size), words.split()[0])
            if (len(word) > 3 or word in ("day", "bar", "tog", "ton", "min")) and word.replace("-", "").isalpha():
                found[word.replace("-", " ") + "s"] = (dimension, float(size), words.split()[0])
    found |= {
        "pence": ("money", 0.01, "cent"),
        "feet": found["foot"],
        "fl oz": found["fl.oz"],
        "pounds": found["pound"],
    }
    return found


UNIT = _units()
_SMALL, _LONGEST = "|".join(list(ONES)[1:10]), "|".join(sorted(ONES, key=len, reverse=True))
_TEEN = rf"(?:(?:{'|'.join(TENS)})(?:[ -](?:{_SMALL}))?|{_LONGEST})"
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?"
_PART = "|".join(sorted((p + "s?" for p in PARTS), key=len, reverse=True))
NUMBER = rf"""(?:
    (?P<glyph>\d*\s?[{"".join(GLYPHS)}])
  | (?P<slash>(?:\d+\s)?\d+/(?:2|3|4|5|8|16))(?![\d/])
  | (?P<group>(?:(?:half\sa|half-a|an?|\d+|{_TEEN})[ -])?(?:dozen|pair|couple|duo|trio|quartet)s?|(?:{_TEEN})\sscore)\b
  | (?P<digits>[-\u2212]?(?:{_DIGITS}))(?!(?:st|nd|rd|th)\b)(?:\s?(?P<scale>thousand|million)\b
      |(?P<k>k)\b(?=\s?(?:reviews|customers|users)))?
  | (?P<mixed>(?:{_TEEN})\sand\s(?:a\s(?:half|quarter)|three\squarters))\b
  | (?P<part>(?:(?:an?|{_TEEN})[ -])?(?:{_PART}))
      (?=\s(?:of\s)?an?\b(?!\s(?:hundred|thousand|dozen))|[ -]of[ -]|\s(?:l|kg|m|cm)\b
        |-(?:litre|liter|kilo|metre|meter|pint|price))
  | (?P<frac>(?:{_TEEN})[ -](?:thirds|quarters|fifths|sixths|eighths|tenths))\b
  | (?P<words>(?:minus\s)?(?:(?:half\sa|an?|{_TEEN})\s(?:hundred|thousand)(?:\sand\s{_TEEN}|\s{_TEEN})?|{_TEEN}))\b
)"""
_UNIT = "|".join(re.escape(u).replace(r"\ ", "[ -]") for u in sorted(UNIT, key=len, reverse=True))
_UNIT = _UNIT.replace("|in|", r"|in(?=\s*(?:$|[,;.)|]|x\s?\d|waist|screen|display|wide|long|high|tall|deep))|")
_NUMBER = re.compile(rf"(?<![\w.,/])(?P<sign>[\u20ac\u00a3$]|(?:eur|gbp|usd|chf)\s)?\s?{NUMBER}", re.X | re.I)
_AFTER = re.compile(
    rf"(?:\s(?:full|whole|long|short|working|business))?(?:[\s\u00a0-]*|\s?(?:of\s)?an?\s|\sof\s)(?P<unit>{_UNIT})(?![\w\u00b2])",
    re.I,
)
_AND_A_HALF = re.compile(r"\sand\sa\s(half|quarter)(?!\san?\b|-)", re.I)
_A_UNIT = re.compile(rf"\b(?:an?|the)\s(?:(?:full|whole)\s)?(?P<unit>{_UNIT})(?![\w\u00b2])", re.I)
_JOIN = re.compile(
    r"\s?(?:x|\u00d7|by|-|\u2013|\u2014|to|and|or|,|bis|/|,\sand|,\sor|but\sno\smore\sthan)\s?(?:to\s)?", re.I
)
_TIMES = re.compile(r"\s?[x\u00d7]\s?")
_AND = re.compile(r"\s(?:and\s)?")  # 3 min 40 s
_MINUS = re.compile(r",?\s(?:less|minus)\s")
_SHORT = re.compile(r"\s(?:short\sof|shy\sof|under|below|less\sthan|off)\s(?:the\s)?")  # one cent short of 55 euros
_RANGE = re.compile(r"\s?(?:-|\u2013|\u2014|to)\s?", re.I)
_BOUND = re.compile(
    "|".join(
        rf"(?P<{kind}>{'|'.join(re.escape(w.strip()) for w in words.split(';'))})" for kind, words in BOUNDS.items()
    ).join(("(?:^|(?<=[^\\w]))(?:", r")(?:\s(?:an?|the|of|just|only))*\s?$")),
    re.I,
)
_BOUND_AFTER = re.compile(
    r"(?:\sold)?\s?(?:,\s)?\(?(?:(?P<ceiling>at\s(?:the\s)?most|or\s(?:less|fewer|under)|tops|max(?:imum)?\b)|(?P<floor>at\sleast|or\s(?:more|over)|minimum\b)"
    r"|(?P<near>give\sor\stake|or\s(?:so|thereabouts)|more\sor\sless|-?ish\b|approximately|roughly|-odd\b|\sodd\b)"
    r"|(?P<above>and\s(?:a\sbit|a\slittle|change)|\+|-?plus\b(?!\s(?:an?|the|one|two)\b)))",
    re.I,
)
_SKIP = re.compile(  # numbers that say nothing about a product
    r"\b24/7\b|\b24-7\b|\b(?:no|nr)\.\s?\d+|\b\w+\so'?clock\b|\b(?:at|by|until|before|after|past)\s(?:half\spast\s)?\w+(?:\so'?clock|\s?[ap]\.?m\b)"
    r"|\b\d{1,2}(?::\d\d)?\s?[ap]\.?m\b|\b(?!1:)\d{1,2}:[0-5]\d\b|\b(?:at\s)?\w+\sin\sthe\s(?:morning|evening|afternoon)\b"
    r"|\b(?:a|one|two)\s(?:hundred|thousand|million)\s(?:and\sone\s)?(?:things|reasons|ways|times|words|stories|miles|smiles|ideas)\b"
    r"|\b(?:table|dinner|breakfast|supper|tea|coffee|lunch|room|time|enough|just|only)\sfor\s(?:one|two|three|four)\b"
    r"|\b(?:on\sall|all)\sfours\b|\b(?:zero|first|second\snature|second\sto\snone|third\stime)\b|\bten\sout\sof\sten\b"
    r"|\b(?:high|take|back\sto\ssquare)\s(?:five|one)\b|\bcloud\snine\b|\bforty\swinks\b|\btwo\sleft\sfeet\b|\bnine\sto\sfive\b"
    r"|\bfour[ -]legged\b|\b(?:in|for)\sa\s(?:couple|minute|second)\b|\bfive[ -](?:a-day|o'clock|minutes\smore)\b"
    r"|\b\w+\s(?:minutes|hours)\s(?:of|in)\s(?:the|your|my|every|a)\s(?:day|morning|evening|afternoon|weekend|night|week)\b"
    r"|\b(?:you|you've|you're|have|we've|i've)\s(?:\w+\s){0,6}?for\s\w+\s(?:days|weeks|months|years|decades)\b"
    r"|\b(?:without|not|nor)\s(?:so\smuch\sas\s)?an?\s(?:single\s)?\w+"
    r"|\bone\s(?:day|evening|morning|night|afternoon|year)\b(?!\s(?:of|warranty|guarantee))"
    r"|\b(?:one|two)\sof\s(?:a\skind|us|you)\b",
    re.I,
)


@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """Every quantity of a text, in order of appearance.

    Lists and ranges share the unit of their last number ("85, 95 and 105 cm"); a range is one quantity. "one" without a
    unit, times of day and idioms ("24/7") are no quantities. Ordinals are not read.
    """
    text = text.replace("\u00a0", " ").replace("\u2019", "'")
    skipped = [m.span() for m in _SKIP.finditer(text)]
    raw = [found for m in _NUMBER.finditer(text) if (found := _read(text, m))]
    raw += [_a_unit(m) for m in _A_UNIT.finditer(text) if _may_stand_alone(m, raw, text)]
    raw = [r for r in raw if not any(a <= r[0] < b for a, b in skipped)]
    raw.sort(key=lambda r: (r[0], -r[1]))
    raw = [r for i, r in enumerate(raw) if not any(r[0] < other[1] for other in raw[:i])]
    _share_units(text, raw)
    raw = _compounds(text, raw)
    return tuple(_merge(text, raw))


def _read(text, m):
    """[start, end, value, unit or None, digits] of a number and the unit behind it."""
    value = _value(m)
    if value is None:
        return None
    start, end = m.start(), m.end()
    start += len(m[0]) - len(m[0].lstrip())
    digits = m["digits"] is not None or m["slash"] is not None or m["glyph"] is not None
    sign = (m["sign"] or "").strip().lower()
    if sign:
        return [start, end, value, sign, digits]
    after = _AFTER.match(text, end)
    unit = after["unit"].lower().replace("-", " ") if after else None
    if unit in ("c", "k", "p", "t", "s", "score") and not digits:
        unit = None
    if unit in ("score", "bar", "second", "night", "foot") and digits is False and after[0][-1:] != "s":
        unit = unit if unit in ("foot", "night", "second", "bar") else None
    if unit:
        end = after.end("unit")
        if more := _AND_A_HALF.match(text, end):
            value, end = value + {"half": 0.5, "quarter": 0.25}[more[1].lower()], more.end()
        if (UNIT[unit][0] == "money" or unit in ("metre", "metres")) and (
            more := re.match(rf"\s({_TEEN})\b(?!\s(?:{_UNIT}))", text[end:], re.I)
        ):
            value, end = value + _word(more[1]) / 100, end + more.end()
    return [start, end, value, unit, digits]


def _value(m):
    """The number that a match of NUMBER stands for."""
    kind = m.lastgroup if m.lastgroup not in ("scale", "k", "sign") else "digits"
    said = (m[kind] or "").lower().strip()
    if kind == "digits":
        said = said.replace("\u2212", "-")
        said = said.replace(",", "") if re.search(r",\d{3}(?!\d)", said) else said.replace(",", ".")
        return float(said) * {"thousand": 1e3, "million": 1e6}.get((m["scale"] or "").lower(), 1e3 if m["k"] else 1)
    if kind == "glyph":
        return float(said[:-1].strip() or 0) + GLYPHS[said[-1]]
    if kind == "slash":
        *whole, fraction = said.split()
        over, under = map(float, fraction.split("/"))
        return (float(whole[0]) if whole else 0) + over / under if under else None
    words = re.split(r"[ -]", said)
    if kind == "mixed":
        return (
            _word(" ".join(words[: words.index("and")])) + {"half": 0.5, "quarter": 0.25, "quarters": 0.75}[words[-1]]
        )
    if kind in ("part", "frac"):
        times = _word(" ".join(words[:-1])) if words[:-1] not in ([], ["a"], ["an"]) else 1
        return times / PARTS[words[-1] if words[-1] in PARTS else words[-1].rstrip("s")]
    if kind == "group":
        size = GROUPS[words[-1].rstrip("s")]
        if words[0] == "half":
            return size / 2
        if words[0].isdigit():
            return size * float(words[0])
        return size * (_word(" ".join(words[:-1])) if words[:-1] not in ([], ["a"], ["an"]) else 1)
    return _word(said)


def _word(said):
    """The value of number words such as "two hundred and twelve"."""
    total, last = 0.0, 0.0
    words = said.lower().replace("-", " ").split()
    sign = -1 if words[:1] == ["minus"] else 1
    if words[:2] == ["half", "a"]:
        return _word(said[4:]) / 2
    for word in words:
        if word in ("a", "an"):
            last = 1
        elif word in ("hundred", "thousand"):
            total, last = total + last * {"hundred": 100, "thousand": 1000}[word], 0
        else:
            last += ONES.get(word, TENS.get(word, 0))
    return sign * (total + last)


def _a_unit(m):
    more = _AND_A_HALF.match(m.string, m.end())
    value = 1.0 + {"half": 0.5, "quarter": 0.25}[more[1].lower()] if more else 1.0
    return [m.start(), more.end() if more else m.end(), value, m["unit"].lower().replace("-", " "), False]


def _may_stand_alone(m, raw, text):
    """Is "a litre" a quantity here: not part of one already read, and not of "a day to remember"?"""
    unit = m["unit"].lower()
    if len(unit) < 4 or m[0].lower().startswith("the ") or any(r[0] <= m.start() < r[1] for r in raw):
        return False
    if unit in NO_UNIT_A or unit.rstrip("s") in NO_UNIT_A:
        return bool(_AND_A_HALF.match(text, m.end())) or bool(
            re.match(r"'?s?(?:\sof)?\s(?:warranty|guarantee)|\sat\s(?:most|least)", text[m.end() :], re.I)
        )
    return True


def _share_units(text, raw):
    """Give the unit of the last number of a list or range to those before it."""
    for i in range(len(raw) - 2, -1, -1):
        left, right = raw[i], raw[i + 1]
        between = text[left[1] : right[0]]
        if left[3] is None and right[3] is not None and _JOIN.fullmatch(between) and right[4] == left[4]:
            if re.search(r"\b[A-Z]{2,}\s$", text[: left[0]]):  # SPF 30, 50 ml
                continue
            following = text[right[1] : raw[i + 2][0]] if i + 2 < len(raw) else ""
            if "," in between and _TIMES.fullmatch(following) and not _TIMES.fullmatch(between):
                continue  # a pack of 3, 60 x 60 cm
            if UNIT[right[3]][0] == "length" or not _TIMES.fullmatch(between):  # 3 x 350 g are three
                left[3] = right[3]
        elif right[3] is None and left[3] in ("\u20ac", "$", "\u00a3") and _RANGE.fullmatch(between):
            right[3] = left[3]
        elif right[3] is None and left[3] and UNIT[left[3]][0] == "length" and between == " by ":  # two metres by one
            right[3] = left[3]


def _compounds(text, raw):
    """Two measures that are one: seven kilos and two hundred grams, a metre less two centimetres."""
    made = []
    for right in raw:
        left = made[-1] if made else None
        if left and left[3] and right[3] and UNIT[left[3]][0] == UNIT[right[3]][0]:
            a, b = left[2] * UNIT[left[3]][1], right[2] * UNIT[right[3]][1]
            between, smaller = text[left[1] : right[0]], b < UNIT[left[3]][1]
            value = a + b if smaller and _AND.fullmatch(between) else a - b if _MINUS.fullmatch(between) else None
            if _SHORT.fullmatch(between):
                value, left[3] = b - a, right[3]
            if value is not None and value > 0:
                left[1:3] = right[1], value / UNIT[left[3]][1]
                continue
        made.append(right)
    return made


def _merge(text, raw):
    """Quantities, two numbers with a dash or "to" between them as one range."""
    i = 0
    while i < len(raw):
        start, end, value, unit, digits = raw[i]
        low, high = _sized(value, unit)
        if i + 1 < len(raw) and raw[i + 1][3] == unit and _RANGE.fullmatch(text[end : raw[i + 1][0]] or "."):
            high = _sized(raw[i + 1][2], unit)[1]
            if high > low:
                end, i = raw[i + 1][1], i + 1
            else:
                high = low
        i += 1
        if unit is None and low == high == 1 and not digits:
            continue
        dimension = UNIT[unit][0] if unit else "count"
        bound = _BOUND.search(text[max(0, start - 25) : start])
        said = bound.lastgroup if bound else ""
        if after := _BOUND_AFTER.match(text, end):
            said = after.lastgroup
        yield Quantity(start, end, low, high, dimension, UNIT[unit][2] if unit else "", said, digits)


def _sized(value, unit):
    size = UNIT[unit][1] if unit else 1
    return value * size, value * size


def agrees(said: Quantity, known: Quantity) -> bool:
    """Is what `said` claims true of `known`? Same dimension, and the number equal, or on the right side of its bound.

    Numbers may differ by rounding: 0.5 %, and 1.5 % for times (a month is not 30 days) and between systems of units.
    """
    if said.dimension != known.dimension:
        both = {said.dimension, known.dimension}
        if both == {"pounds", "mass"} or both == {"pounds", "money"}:
            size = 453.59237 if "mass" in both else 1.0
            said, known = (
                q._replace(low=q.low * size, high=q.high * size, dimension="") if q.dimension == "pounds" else q
                for q in (said, known)
            )
        else:
            return False
    if said.bound == known.bound != "" and said.low == known.low:
        return True
    near = 0.025 if said.dimension == "time" or said.unit != known.unit else 0.0005
    if said.dimension == "time" and not said.digits and {said.unit, known.unit} <= {"week", "month"} != {said.unit}:
        near = 0.09  # a month and a half are six weeks
    if said.dimension in ("count", "money", "percent"):
        near = 1e-6
    if said.low != said.high:
        return _close(said.low, known.low, near) and _close(said.high, known.high, near)
    return any(_holds(said.bound, said.low, value, near) for value in {known.low, known.high})


def _close(a, b, near):
    return abs(a - b) <= near * max(abs(a), abs(b)) + 1e-12


def _holds(bound, said, true, near):
    if bound == "above":
        return said < true <= 1.3 * said
    if bound == "below":
        return 0.5 * said <= true < said
    if bound == "ceiling":
        return 0.75 * said <= true <= said
    if bound == "floor":
        return said <= true <= 1.3 * said
    if bound in ("near", "almost"):
        return abs(said - true) <= 0.1 * abs(said)
    return _close(said, true, near)
