"""A picture for every product, drawn from its title and category alone: the same words, the same picture, no network.

    svg = picture("Fjellheim trekking tent, polyester, rust", "Outdoor", seed="p0117")
    as_data_uri(svg)                                              # for <img src=...>: images run no scripts

The category gives the ground its colour, a word of the title the shape ("tent"), another the shape's colour ("rust").
Titles that name nothing known get their initials. Catalogue text is escaped, and all that is not XML is left out.
"""

import base64
import colorsys
import hashlib
import re
from functools import lru_cache
from html import escape

from reco_utils.serve.storefront.silhouettes import CALLS, COLOURS, SHAPES

HUES = {  # degrees; other categories get one by their name
    "Kitchen": 18, "Pantry": 38, "Outdoor": 150, "Home": 275, "Fashion": 335, "Beauty": 312, "Sports": 205,
    "Electronics": 228, "Toys": 52, "Garden & Pets": 98,
}  # fmt: skip
FILMS = frozenset("action adventure animation comedy crime documentary drama fantasy film-noir horror musical mystery "
                  "romance sci-fi thriller war western imax".split())  # fmt: skip
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _pattern(names):
    """Finds the names as whole words, the longest first."""
    longest = sorted(names, key=len, reverse=True)
    return re.compile(r"\b(" + "|".join(map(re.escape, longest)) + r")\b", re.IGNORECASE)


SHAPE_OF = {word.strip().casefold(): shape for shape, words in reversed(CALLS) for word in words.split(",")}
A_SHAPE, A_COLOUR = _pattern(SHAPE_OF), _pattern(COLOURS)


@lru_cache(maxsize=4096)
def picture(title: str, category: str | None = None, seed: str = "") -> str:
    """A product's picture as SVG, 4 wide by 3 high.

    Parameters
    ----------
    title : str
        Untrusted.
    category : str, optional
        Untrusted; None is a category of its own.
    seed : str
        What else the ground depends on, e.g. the item's id: two products of one title need not look alike.
    """
    title, category, seed = clean(title), clean(category or ""), clean(seed)
    hue = hue_of(category)
    draw = int(hashlib.sha256(f"{seed}|{title}".encode()).hexdigest()[:12], 16)
    ground, dot, shift = _ground(hue, draw)
    own = hsl(hue + draw // 74_664 % 7 * 13 - 39, 0.44, 0.42 + draw // 522_648 % 4 * 0.055)
    drawing = _drawing(shape_of(title, category), colour_of(title) or own, title)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" role="img">'
        f"<title>{escape(title)}</title>{ground}{dot}"
        f'<ellipse cx="{160 + shift}" cy="208" rx="72" ry="9" fill="#000" opacity=".13"/>'
        f'<g transform="translate({70 + shift} 44) scale(1.8)">{drawing}</g></svg>'
    )


def as_data_uri(svg: str) -> str:
    """An SVG as the address of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def clean(text) -> str:
    """Text without what XML and pages cannot hold: control characters, halves of characters."""
    return NOT_XML.sub("", str(text)).strip()


def hue_of(category: str) -> int:
    """The hue of a category, 0 to 359 degrees."""
    if category in HUES:
        return HUES[category]
    return int(hashlib.sha256(category.encode()).hexdigest()[:6], 16) % 360


def shape_of(title: str, category: str = "") -> str | None:
    """The shape that a title calls for, None if no word of it does; of several the last: "honey shampoo" is shampoo.

    Words behind the first comma tell of size and colour, and count only if there is nothing before it.
    """
    head, _, rest = title.partition(",")
    for part in (head, rest):
        found = A_SHAPE.findall(part)
        if found:
            return SHAPE_OF[found[-1].casefold()]
    genres = {word.strip().casefold() for word in re.split(r"[|,/]", category)}
    return "film" if genres & FILMS else None


def colour_of(title: str) -> str | None:
    """The colour that a title names last, as #rrggbb."""
    found = A_COLOUR.findall(title)
    return COLOURS[found[-1].casefold()] if found else None


def initials(title: str) -> str:
    """Up to two letters that stand for a title, "?" if it has none."""
    words = re.findall(r"[^\W_]+", title)
    return "".join(word[0] for word in words[:2]).upper() or "?"


def hsl(hue: float, saturation: float, lightness: float) -> str:
    """#rrggbb of a hue in degrees, saturation and lightness from 0 to 1."""
    red, green, blue = colorsys.hls_to_rgb((hue % 360) / 360, lightness, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in (red, green, blue))


def mix(colour: str, other: str, share: float) -> str:
    """A colour with a share of another in it."""
    parts = [(int(colour[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def _ground(hue, draw):
    """What is behind the product: a pale wash, a large pale shape, and how far from the middle the product stands."""
    wash, pale = hsl(hue, 0.42, 0.93), hsl(hue, 0.46, 0.86)
    ground = f'<rect width="320" height="240" fill="{wash}"/><rect y="206" width="320" height="34" fill="{pale}"/>'
    at = 160 + draw % 61 - 30
    kinds = (
        f'<circle cx="{at}" cy="112" r="{84 + draw // 61 % 18}" fill="{pale}"/>',
        f'<path d="M{at - 80} 206V112a80 80 0 0 1 160 0v94z" fill="{pale}"/>',
        f'<rect x="{at - 92}" y="34" width="184" height="172" rx="28" fill="{pale}"/>',
        f'<circle cx="{at - 46}" cy="120" r="62" fill="{pale}"/><circle cx="{at + 54}" cy="94" r="48" fill="{pale}"/>',
    )
    return ground, kinds[draw // 1098 % len(kinds)], draw // 4392 % 17 - 8


def _drawing(shape, colour, title):
    """The shape in its colour, or a tag with initials."""
    tones = {
        "a": colour, "d": mix(colour, "#1d1a20", 0.28), "l": mix(colour, "#ffffff", 0.42),
        "w": mix(colour, "#ffffff", 0.86), "k": mix(colour, "#222228", 0.8),
    }  # fmt: skip
    if shape is not None:
        return re.sub(r"var\(--([adlwk])\)", lambda found: tones[found[1]], SHAPES[shape])
    return (
        f'<rect x="16" y="18" width="68" height="72" rx="12" fill="{tones["a"]}"/>'
        f'<rect x="16" y="18" width="68" height="14" rx="7" fill="{tones["d"]}"/>'
        '<text x="50" y="72" text-anchor="middle" font-family="Georgia,serif" font-size="34" '
        f'fill="{tones["w"]}">{escape(initials(title))}</text>'
    )
