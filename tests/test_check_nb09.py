"""Notebook 09's graders: right answers pass, typical wrong ones get the advice that fits them."""

import html
import re

import pytest

from reco_utils.check import Wrong, check, exercises
from reco_utils.copywriting.brief import Brief, Fact
from reco_utils.copywriting.checks import Checked


def expect(exercise, answer, advice):
    with pytest.raises(Wrong, match=advice):
        check(exercise, answer)


def test_every_exercise_of_the_notebook_has_a_grader_and_a_hint(capsys):
    assert exercises("09") == ("09.1", "09.2", "09.3", "09.4")
    for exercise in exercises("09"):
        check(exercise, ...)
    assert capsys.readouterr().out.count("not answered yet. Hint: ") == 4


# -------------------------------------------------------------------------------------------------------------- 09.1
WAYS = [r"\bhurry\b", r"\blast\s+chance\b", r"\bonly\s+\w+\s+left\b", r"\bends\s+tonight\b", r"\bstocks\s+last\b",
        r"\btoday\s+only\b"]  # fmt: skip
CALM = re.compile(r"\b(?:no need to|without)\s+hurry\b", re.IGNORECASE)


def presses(text, ways=WAYS, calm=CALM, flags=re.IGNORECASE):
    return re.search("|".join(ways), calm.sub(" ", text) if calm else text, flags) is not None


def test_hurry_is_found_and_calm_is_left_alone(capsys):
    check("09.1", presses)
    assert "09.1: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda text: presses(text, flags=0), "compare without case"),
        (lambda text: presses(text, [*WAYS, "hurr"]), "inside another"),
        (lambda text: presses(text, calm=None), "no need to hurry does not press"),
        (lambda text: presses(text, [way.replace(r"\s+", " ") for way in WAYS]), "a line may break"),
        (lambda text: presses(text, [way.replace(r"\w+", r"\d+") for way in WAYS]), "also written as words"),
        (lambda text: presses(text, [way.replace(r"\w+", r"\d") for way in WAYS]), "two digits"),
        (lambda text: presses(text, [*WAYS, r"\blasts?\b"]), "last alone does not press"),
        (lambda text: presses(text, [*WAYS, r"\bonly\b"]), "only three \\*left\\* presses"),
        (lambda text: presses(text, [*WAYS, r"\bonly\s+left\b"]), "between only and left"),
        (lambda text: presses(text, [*WAYS, r"\bends\b"]), "things may end"),
        (lambda text: presses(text, [*WAYS, r"\btoday\b"]), "today alone"),
        (lambda text: presses(text, WAYS[:-1]), "the only one presses"),
        (lambda text: re.search("|".join(WAYS), text, re.IGNORECASE), "wrap it in bool"),
        (lambda text: presses(text) or not text, "an empty text"),
        (True, "must be the function itself"),
    ],
)
def test_each_slip_of_a_hurry_check_gets_its_own_advice(answer, advice):
    expect("09.1", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 09.2
def ledger(row, *, maxsplit=1, empty=("n/a", "-", ""), praise=r"\b(?:best|finest)\b", name=str.lower, of=Brief.of):
    pairs = [pair.split(":", maxsplit) for pair in (row["specs"] or "").split("|") if ":" in pair]
    facts = {name(pair[0].strip()): pair[1].strip() for pair in pairs if pair[1].strip() not in empty}
    told = [s for s in re.split(r"(?<=[.!?])\s+", row["blurb"] or "") if not (praise and re.search(praise, s))]
    text = " ".join(told)
    return of({"title": row["product"], "price": row["price"], "attributes": facts, "description": text})


def by_hand(row):
    facts = tuple(Fact(name, value) for name, value in row["attributes"].items())
    return Brief(row["title"], price=12.95, facts=facts, description=row["description"])


def with_own_price(row):
    found = re.search(r"\d+(?:[.,]\d+)?", row["price"])
    return ledger({**row, "price": found and float(found[0].replace(",", "."))})


def test_a_suppliers_row_becomes_a_ledger(capsys):
    check("09.2", ledger)
    assert "09.2: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda row: ledger(row, of=dict), "must return a Brief"),
        (lambda row: ledger(row, of=by_hand), "takes off tags"),
        (lambda row: ledger({**row, "price": float(row["price"].partition(",")[0] or 0)}), "12,95 € has become 12.0"),
        (lambda row: ledger(row, empty=("-", "")), "a value that says nothing"),
        (lambda row: ledger(row, name=str), "lower case"),
        (lambda row: ledger({**row, "specs": row["specs"].split("|")[0]}), "the facts must be"),
        (lambda row: ledger({**row, "specs": ""}), "they stand in row\\['specs'\\]"),
        (lambda row: ledger(row, praise=""), "praise is no fact"),
        (lambda row: ledger({**row, "blurb": ""}), "leave out single sentences"),
        (with_own_price, "a table for 1250"),
        (lambda row: ledger(row, empty=("n/a", "")), "a dash says nothing"),
        (lambda row: ledger(row, maxsplit=-1), "at the first colon only"),
        (lambda row: ledger(row, praise=r"\bbest\b"), "is praise too"),
        (lambda row: ledger(row, praise=r"est\b"), "not every word that ends in -est"),
        ("a brief", "must be the function itself"),
    ],
)
def test_each_slip_of_a_ledger_gets_its_own_advice(answer, advice):
    expect("09.2", answer, advice)


def test_a_ledger_that_keeps_orders_is_refused():
    def trusting(row):
        facts = {"material": "enamel", "capacity": "350 ml", "made in": "Poland"}
        title = html.unescape(re.sub("<.*?>", "", row["product"])).strip()
        return Brief(title, price=12.95, facts=tuple(map(Fact, facts, facts.values())), description=row["blurb"] or "")

    expect("09.2", trusting, "an order to the writer")


# -------------------------------------------------------------------------------------------------------------- 09.3
@pytest.mark.parametrize(
    "lie", ["It comes with a two-year warranty.", "A mug made of solid titanium.", "This mug holds 350 litres of tea."]
)
def test_a_lie_without_new_digits_fools_the_ten_lines(lie, capsys):
    check("09.3", lie)
    assert "09.3: correct" in capsys.readouterr().out


def test_who_fools_the_package_as_well_is_told_so(capsys, monkeypatch):
    monkeypatch.setattr("reco_utils.check.nb09.check_text", lambda text, brief: Checked(text, (), ()))
    check("09.3", "It floats.")
    assert "the package lets it pass, too" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        ("It holds 450 ml.", "the ten lines see 450"),
        ("A white enamel mug, made in Poland.", "every word of it stands in the ledger"),
        ("titanium", "must be a sentence"),
        (7, "must be a sentence"),
    ],
)
def test_each_failed_lie_gets_its_own_advice(answer, advice):
    expect("09.3", answer, advice)


# -------------------------------------------------------------------------------------------------------------- 09.4
ML = {"ml": 1, "cl": 10, "l": 1000, "litre": 1000, "litres": 1000}


def volumes(text, number=r"\d+(?:[.,]\d+)?", space=r"\s*", end=r"\b", flags=re.IGNORECASE, to=ML, digits=6):
    found = re.finditer(rf"({number}){space}(ml|cl|litres?|l){end}", text, flags)
    return [(m[0], round(float(m[1].replace(",", ".")) * to[m[2].lower()], digits)) for m in found]


def complain(text, ledger, **how):
    known = {size for _, size in volumes(ledger, **how)}
    return [said for said, size in volumes(text, **how) if size not in known]


def test_volumes_are_the_same_in_every_unit(capsys):
    check("09.4", complain)
    assert "09.4: correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda text, known: [], "that is not in the ledger"),
        (lambda text, known: [v for v, _ in volumes(text) if v not in known], "bring both to one unit"),
        (lambda text, known: complain(text, known, number=r"\d+(?:\.\d+)?"), "decimal comma"),
        (lambda text, known: complain(text, known, space=r"\s", flags=0), "no space before the unit"),
        (lambda text, known: complain(text, known, end=r""), "lids are no litres"),
        (lambda text, known: [v for v, _ in volumes(text)], "the same words"),
        (lambda text, known: complain(text, known, to={u: ml / 10 for u, ml in ML.items()} | {"l": 100}, digits=20),
         "round before you compare"),
        (lambda text, known: complain(text, known, digits=20), "2009.9999999999998"),
        (lambda text, known: complain(text, known) if "litres" not in text.split()[-1] else [], "in another unit"),
        (lambda text, known: {"450 ml"}, "must return a list"),
        (None.__class__, "cannot be graded"),
    ],
)  # fmt: skip
def test_each_slip_of_a_volume_check_gets_its_own_advice(answer, advice):
    expect("09.4", answer, advice)
