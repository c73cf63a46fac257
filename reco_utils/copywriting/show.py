"""Checked copy for the eye: a text beside its ledger, every claim with its receipt; and texts laid out as an e-mail.

All of it is HTML for a notebook: everything is escaped, and it reads on light and on dark paper. Where styles are
dropped, as on some sites, supported claims keep the number of their receipt and refused ones are struck through.
"""

import re
from collections.abc import Sequence
from html import escape

from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.checks import CLAIM_KINDS, Checked, Span, marks
from reco_utils.copywriting.lexicon import COUNTRIES
from reco_utils.copywriting.prompts import kind_of
from reco_utils.copywriting.words import stems, with_implied

GREEN, RED, LINE = "#cdebc9", "#f8c9c4", "rgba(128,128,128,.45)"
NATIONS = [frozenset(stems(names)) for names in re.split(r"[;\n]", COUNTRIES) if names.strip()]  # e.g. poland, polish
CELL = f"text-align:left;vertical-align:top;padding:3px 8px;border-bottom:1px solid {LINE}"


def receipts(checked: Checked, brief: Brief) -> dict[Span, int | None]:
    """The line of the ledger, `brief.as_text()`, that backs each supported claim, counted from 1.

    None where no single line does. A claim that follows from several facts gets the first of them.
    """
    lines = [line.partition(": ") for line in brief.as_text().split("\n")]
    return {span: _line_of(span, checked.text[span.start : span.end], lines) for span in checked.supported}


def beside(checked: Checked, brief: Brief, title: str = "") -> str:
    """A text and its ledger side by side, with what was refused, and why, below the text.

    Supported claims are green and carry the number of the line that backs them, refused ones are red and struck
    through.
    """
    numbers = receipts(checked, brief)
    head = f'<div style="font-weight:600">{escape(title)}</div>' if title else ""
    left = f'<div style="margin:6px 0 8px;line-height:1.75">{_marked(checked, brief, numbers)}</div>{_reasons(checked)}'
    left = f'<div style="flex:3 1 330px;min-width:0">{head}{left}</div>'
    right = f'<div style="flex:2 1 260px;min-width:0">{_ledger(brief, set(numbers.values()))}</div>'
    style = f"display:flex;flex-wrap:wrap;gap:10px 28px;padding:10px 2px 16px;border-bottom:1px solid {LINE}"
    return f'<div style="{style}">{left}{right}</div>'


def as_email(subject: str, greeting: str, offers: Sequence[tuple[str, str, str]], sender: str = "Your shop") -> str:
    """An e-mail as a reader's inbox shows it.

    Parameters
    ----------
    subject, greeting, sender : str
    offers : sequence of (title, text, price)
        The price "" where unknown.
    """
    row = f"padding:12px 18px;border-top:1px solid {LINE}"
    parts = [
        f'<div style="{row}"><div style="display:flex;gap:18px;justify-content:space-between"><b>{escape(title)}</b>'
        f'<span style="white-space:nowrap">{escape(price)}</span></div>'
        f'<div style="margin-top:4px;line-height:1.6">{escape(text)}</div></div>'
        for title, text, price in offers
    ]
    head = (
        f'<div style="padding:12px 18px"><div style="opacity:.7">{escape(sender)}</div>'
        f'<div style="font-size:1.25em;font-weight:600">{escape(subject)}</div></div>'
        f'<div style="{row}">{escape(greeting)}</div>'
    )
    style = f"max-width:660px;border:1px solid {LINE};border-radius:8px"
    return f'<div style="{style}">{head}{"".join(parts)}</div>'


def _line_of(span, said, lines):
    """The number of the line that a supported claim rests on: the fact it names, else one with all its words."""
    wanted = span.fact.casefold()
    for number, (name, _, value) in enumerate(lines, 1):
        if wanted in (name, f"{name}: {value}".casefold()):
            return number
    told, _, rest = wanted.partition(": ")
    for words in (rest if told == "tag" else wanted, said):
        known = set(stems(words))
        for number, (name, _, value) in enumerate(lines, 1):
            if known and known <= _with_nations(with_implied(set(stems(f"{name} {value}")))):
                return number
    return None


def _with_nations(known):
    """Words, and with a country those of its people."""
    return known.union(*(nation for nation in NATIONS if nation & known))


def _marked(checked, brief, numbers):
    """The text with its claims in colour, escaped; a number beside each that has a receipt."""
    parts, at, text = [], 0, checked.text
    coloured = marks(checked)
    wholes = _wholes(text, brief, [mark for mark in coloured if not mark.supported])
    for mark in coloured:
        start, end = next((span for span in wholes if span[0] <= mark.start and mark.end <= span[1]), mark[:2])
        if start >= at:
            number = _number(numbers, mark.start, mark.end)
            parts += [escape(text[at:start]), _mark(escape(text[start:end]), mark.why, mark.supported, number)]
            at = end
    return "".join(parts).replace("\n", "<br>") + escape(text[at:]).replace("\n", "<br>")


def _wholes(text, brief, refused):
    """Where the brand, the product's noun and hyphened words of the ledger stand: no half of them is coloured."""
    names = [re.escape(name) for name in (brief.brand, kind_of(brief)) if name]
    found = re.finditer("|".join([*names, r"\w+(?:-\w+)+"]), text, re.I)
    spans = [match.span() for match in found if match[0].lower() in brief.as_text().lower()]
    return [span for span in spans if not any(span[0] < mark.end and mark.start < span[1] for mark in refused)]


def _number(numbers, start, end):
    return next((n for span, n in numbers.items() if (span.start, span.end) == (start, end) and n), None)


def _mark(shown, why, supported, number):
    colour, told = (GREEN, shown) if supported else (RED, f"<s>{shown}</s>")
    style = f"background:{colour};color:#111;padding:1px 3px;border-radius:3px"
    receipt = f'<sup style="line-height:0">{number}</sup>' if supported and number else ""
    return f'<mark style="{style}" title="{escape(why)}">{told}</mark>{receipt}'


def _reasons(checked):
    """What was refused and why, words with one reason in one line."""
    told: dict[str, dict[str, None]] = {}
    for f in _shown(checked):
        words, (said, colon, why) = checked.text[f.start : f.end], f.why.rpartition(": ")
        quoted = colon and words in said
        told.setdefault(f"{f.kind}, {why}" if quoted else f.kind, {})[words if quoted else f.why] = None
    lines = [f"<b>{escape(reason)}:</b> {escape(', '.join(words))}" for reason, words in told.items()]
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f'<ul style="margin:0;padding-left:18px;font-size:.92em;opacity:.85">{items}</ul>' if items else ""


def _shown(checked):
    """The findings whose words are marked in the text, and those about the text as a whole."""
    shown = {(mark.start, mark.end) for mark in marks(checked)}
    return [f for f in checked.findings if f.kind not in CLAIM_KINDS or (f.start, f.end) in shown]


def _ledger(brief, used):
    """The facts as a table of numbered lines; a tick at those that back a claim."""
    rows = []
    for number, line in enumerate(brief.as_text().split("\n"), 1):
        name, _, value = line.partition(": ")
        tick = "✓" if number in used else ""
        cells = [(f"{number}", "opacity:.6"), (name, "opacity:.75"), (value, ""), (tick, "color:#3a9a3a")]
        told = "".join(f'<td style="{CELL};{style}">{escape(cell)}</td>' for cell, style in cells)
        rows.append(f"<tr>{told}</tr>")
    return f'<table style="border-collapse:collapse;margin:0;font-size:.92em">{"".join(rows)}</table>'
