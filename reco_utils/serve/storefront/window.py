"""Pieces of the shop's pages as HTML, and its words for what the engine does. Nothing here draws; `pages` does.

Whatever comes from a catalogue, a customer or a file of results is untrusted: it goes through `safe` into HTML and
through `label` onto buttons, whose text is Markdown.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from reco_utils.serve.storefront.pictures import as_data_uri, clean, picture

STEPS = {  # part of the cascade: what it goes by
    "hybrid": "your own choices, and those of people who choose like you",
    "content": "the words of what you looked at",
    "neighbours": "the people whose taste is nearest to yours",
    "collaborative": "what people who choose like you chose",
    "cohort": "what people like you buy most; the shop hardly knows you yet",
    "popularity": "what most people buy",
    "popular": "what most people buy",
    "similar": "what goes with this product",
    "search": "your words, and your taste where it is known",
}
MODELS = {  # what the switch says
    "": "Everything together",
    "hybrid": "You and people like you",
    "content": "Only by words",
    "neighbours": "Nearest people",
    "collaborative": "Only by people like you",
    "cohort": "Popular in your group",
    "popularity": "Bestsellers",
    "popular": "Bestsellers",
}
RESTING = {  # part that failed or was late: what that means for the list
    "cache": "lists are made anew each time",
    "features": "what you did last may not count yet",
    "model": "these are bestsellers, not your own list",
    "live": "your latest clicks are not in this list yet",
    "rerank": "the list is less varied than usual",
    "reasons": "the reasons are missing",
    "similar": "these are bestsellers",
    "search": "the search goes by words only",
    "log": "clicks are not written down",
}
FEATURES = {
    "recent_categories": "Lately in",
    "avg_price_range": "Usual price",
    "purchase_count_30d": "Bought in 30 days",
    "cold_start_flag": "New here",
    "session_click_ids": "Clicks of this visit",
    "user_embedding_64d": "Taste as numbers",
}
SOURCES = {"batch": "from the last training", "stream": "live"}

_DIRECTION = dict.fromkeys(map(ord, "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&^=])")


# ----------------------------------------------------------------------------------------------------- untrusted text
def safe(value, longest: int = 300) -> str:
    """Text for HTML: escaped, of limited length, without characters that turn the direction of their neighbours."""
    text = " ".join(clean(value).translate(_DIRECTION).split())
    return escape(text if len(text) <= longest else text[: longest - 1].rstrip() + "…")


def label(value, longest: int = 90) -> str:
    """Text for a button: nothing in it is Markdown, an icon or a colour; set apart from text of another direction."""
    text = " ".join(clean(value).translate(_DIRECTION).split()) or "(no title)"
    text = text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
    text = _MARKDOWN.sub(r"\\\1", text)
    return "\u2068" + text.replace(":", ":\u2060").replace("://", ":\u2060//\u2060") + "\u2069"


def in_words(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def counted(n: int, thing: str, things: str | None = None) -> str:
    """ "1 item", "3 items"."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def price(value, currency: str = "€") -> str:
    """A price as the shop writes it, "" where there is none."""
    return f"{currency}{value:,.2f}" if isinstance(value, (int, float)) and value == value else ""


def ago(seconds: float) -> str:
    """How long ago, in the largest unit that fits."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{counted(int(seconds // size), unit)} ago"
    return f"{counted(int(seconds), 'second')} ago" if seconds >= 1 else "just now"


def step_words(step: str) -> str:
    """What a part of the cascade goes by."""
    return STEPS.get(step, safe(step, 40))


def model_words(name: str) -> str:
    """What the switch calls a model."""
    return MODELS.get(name) or clean(name).replace("_", " ").capitalize()


# -------------------------------------------------------------------------------------------------------------- cards
def picture_of(row: Mapping[str, Any], badge: str = "", *, large: bool = False) -> str:
    """A product's picture with its alt text, and a badge in its corner."""
    title, category = str(row.get("title") or "no title"), row.get("category")
    address = as_data_uri(picture(title, str(category or ""), str(row.get("item_id", ""))))
    mark = f'<span class="badge">{safe(badge, 30)}</span>' if badge else ""
    alt = f"Drawing of {safe(title)}"
    loading = "eager" if large else "lazy"
    return (
        f'<div class="pic{" large" if large else ""}"><img src="{address}" alt="{alt}" loading="{loading}">{mark}</div>'
    )


def facts_of(row: Mapping[str, Any], reason: str = "", currency: str = "€") -> str:
    """What stands under a product's title: price, category, and why it is here."""
    sold_out = '<span class="out">sold out</span>' if row.get("in_stock") is False else ""
    place = f'<span class="cat">{safe(row["category"], 40)}</span>' if row.get("category") else ""
    why = f'<div class="why" dir="auto">{safe(reason, 120)}</div>' if reason else ""
    line = f'<span class="price">{price(row.get("price"), currency)}</span>{sold_out}{place}'
    return f'<div class="facts"><div class="line">{line}</div>{why}</div>'


def head(title: str, words: str = "", level: int = 2) -> str:
    """The heading of a shelf, and one sentence under it; both as HTML."""
    under = f'<p class="under">{words}</p>' if words else ""
    return f'<div class="head"><h{level}>{title}</h{level}>{under}</div>'


def notice(words: str, kind: str = "quiet") -> str:
    """A line that a screen reader announces; `words` are HTML; kind "quiet", "news" or "warn"."""
    return f'<div class="notice {kind}" role="status">{words}</div>'


def listed_titles(items: Iterable[str], rows: Mapping[str, Mapping], most: int = 3) -> str:
    """Titles of items, shortened before the size and colour, as HTML."""
    items = [item for item in items if item in rows]
    names = [f"<bdi>{safe(short_title(rows[item].get('title')), 60)}</bdi>" for item in items[:most]]
    more = len(items) - most
    return in_words(names + [f"{more} more"] if more > 0 else names)


def short_title(title) -> str:
    """A title up to its first comma, where sizes and colours begin."""
    return str(title or "no title").split(",")[0]


# ------------------------------------------------------------------------------------------------------------ changes
@dataclass(frozen=True)
class Changes:
    """What is different in a list: items that came, that went, and that rose by two places or more."""

    came: tuple[str, ...]
    went: tuple[str, ...]
    rose: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.came or self.went or self.rose)


def changes(before: Sequence[str], after: Sequence[str]) -> Changes:
    """Compare two lists of item ids, best first."""
    at = {item: place for place, item in enumerate(before)}
    came = tuple(item for item in after if item not in at)
    went = tuple(item for item in before if item not in set(after))
    rose = tuple(item for place, item in enumerate(after) if item in at and at[item] - place >= 2)
    return Changes(came, went, rose)


def changes_in_words(found: Changes, rows: Mapping[str, Mapping], cause: str) -> str:
    """The note above a list that has just changed, as HTML; `cause` is HTML, "you looked at ..."."""
    parts = []
    if found.came:
        parts.append(f"{counted(len(found.came), 'new product')}: {listed_titles(found.came, rows)}")
    if found.rose:
        parts.append(f"{len(found.rose)} moved up")
    if not found.came and found.went:
        parts.append(f"{len(found.went)} left")
    why, what = f" because {cause}" if cause else "", "; ".join(parts)
    return f"<b>Your list has changed</b>{why}. {what if found.came else what.capitalize()}."


# ------------------------------------------------------------------------------------------------------------ profile
def profile(features: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str], currency: str = "€") -> str:
    """What the shop knows of a customer: each feature, where it comes from, how old it is, and whether it is stale.

    Of a default, of which nothing is known, only the value is shown.
    """
    lines = []
    for name in FEATURES:
        if name in features:
            found = features[name]
            value = _value_words(name, found.get("value"), titles, currency)
            stale = ' <span class="stale">stale</span>' if found.get("stale") else ""
            known = found.get("source") != "default"
            source = SOURCES.get(found.get("source"), safe(found.get("source"), 20))
            when = f"<small>{source}, {ago(float(found.get('age_seconds') or 0))}{stale}</small>" if known else ""
            lines.append(f"<div><dt>{FEATURES[name]}</dt><dd>{value}{when}</dd></div>")
    return f'<dl class="profile">{"".join(lines)}</dl>'


def _value_words(name, value, titles, currency) -> str:
    """A feature's value for people, as HTML."""
    if name == "recent_categories":
        return "".join(f'<span class="chip">{safe(v, 40)}</span>' for v in value or ()) or "nowhere yet"
    if name == "avg_price_range":
        return f"{price(value[0], currency)} to {price(value[1], currency)}" if value else "not known yet"
    if name == "cold_start_flag":
        return "yes: fewer than 5 products so far" if value else "no"
    if name == "session_click_ids":
        newest = list(dict.fromkeys(list(value or ())[::-1]))[:3]
        shown = [safe(short_title(titles.get(item, item)), 34) for item in newest]
        return "<br>".join(f"<bdi>{title}</bdi>" for title in shown) or "none yet"
    if name == "user_embedding_64d":
        return f"{len(value)} of them" if value is not None and len(value) else "none yet"
    return safe(value, 40)


# ----------------------------------------------------------------------------------------------------------- searches
def understood_words(understood: Mapping[str, Any], currency: str = "€") -> list[str]:
    """What a search was taken to mean, one sentence each, as HTML."""
    lines = []
    for typed, taken in (understood.get("corrected") or {}).items():
        lines.append(f"Showing results for <b>{safe(taken, 60)}</b>; nothing here is called “{safe(typed, 60)}”.")
    if understood.get("unknown"):
        words = in_words([f"“{safe(word, 40)}”" for word in understood["unknown"]])
        lines.append(f"Left out {words}: no product says so.")
    only = [_filter_words(name, value, currency) for name, value in (understood.get("filters") or {}).items()]
    if only:
        lines.append(f"Only {in_words(only)}.")
    dropped = [f"the {safe(part, 20)}" for part in understood.get("relaxed") or () if part != "words"]
    if dropped:
        lines.append(f"Nothing fits all of it, so {in_words(dropped)} does not count here.")
    if "words" in (understood.get("relaxed") or ()) and understood.get("words"):
        lines.append("No product has all of these words; these have some of them.")
    return lines


def is_lost(understood: Mapping[str, Any]) -> bool:
    """Is there nothing in a query that the shop understands?"""
    return bool(understood.get("unknown")) and not any(understood.get(part) for part in ("words", "filters", "boosts"))


def _filter_words(name, value, currency) -> str:
    """A filter that was recognised in a query."""
    if name == "price" and isinstance(value, (list, tuple)) and len(value) == 2:
        low, high = value
        if not low:
            return f"up to {price(high, currency)}"
        open_end = high is None or high == float("inf")
        return f"from {price(low, currency)}" + ("" if open_end else f" to {price(high, currency)}")
    return f"<b>{safe(value, 60)}</b>"


# ------------------------------------------------------------------------------------------------------- experiments
def spans(effects) -> dict[str, tuple[float, float]]:
    """Of each unit, from where to where its intervals reach, no effect included, with a little room at both ends."""
    found = {}
    for unit in dict.fromkeys(effect.unit for effect in effects):
        low = min(0.0, *(effect.low for effect in effects if effect.unit == unit))
        high = max(0.0, *(effect.high for effect in effects if effect.unit == unit))
        room = (high - low) * 0.08 or 1.0
        found[unit] = (low - room, high + room)
    return found


def interval_bar(effect, span: tuple[float, float]) -> str:
    """An effect as a dot on its interval, with a line at no effect; effects of one unit share a span."""
    values = {"none": 0.0, "dot": effect.effect, "low": effect.low, "high": effect.high}
    at = {name: round(200 * (value - span[0]) / (span[1] - span[0]), 1) for name, value in values.items()}
    colour = {"better": "#2f8a63", "worse": "#c2553d"}.get(effect.verdict, "#857a71")
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 24">'
        f'<line x1="{at["none"]}" x2="{at["none"]}" y1="0" y2="24" stroke="#857a71"/>'
        f'<line x1="{at["low"]}" x2="{at["high"]}" y1="12" y2="12" stroke="{colour}" stroke-width="4"/>'
        f'<circle cx="{at["dot"]}" cy="12" r="6" fill="{colour}"/></svg>'
    )
    alt = f"{effect.effect:g}, from {effect.low:g} to {effect.high:g}"
    return f'<img class="bar" src="{as_data_uri(svg)}" alt="{alt}">'


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are HTML."""
    top = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
