"""What somebody typed, read as far as code can: words without plurals and accents, spelling, prices.

Knows nothing of a catalogue but the words it is given; `search` asks the catalogue.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

AROUND = 0.2  # "around 50" is 40 to 60
SPELLABLE = 3, 24  # letters of a word that may be a misspelling

TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[-–<>€$£]")
LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i", "’": "'"})
STOPWORDS = frozenset("a an and at by for from i in is it my of on or please some the to with".split())
CURRENCIES = frozenset("€ $ £ euro eur dollar usd pound gbp buck".split())
UNITS = frozenset(
    "mm cm m km in inch inche ft ml cl l litre liter g kg mg oz lb w kw v lm mah gb tb mb hz mp x "
    "pc pcs piece pack page set star month year yr day hour minute min".split()
)  # a number before one of these is a size and no price
PRICE = {  # what the words before an amount say about the price
    "below": ("less than", "up to", "at most", "cheaper than", "no more than", "under", "below", "max", "maximum", "<"),
    "above": ("more than", "at least", "over", "above", "from", "min", "minimum", ">"),
    "around": ("around", "about", "roughly", "circa"),
}
CHEAP, DEAR = frozenset("cheap cheaper cheapest affordable inexpensive budget".split()), frozenset(["expensive"])


# -------------------------------------------------------------------------------------------------------------- words
def tokens(text: str) -> list[str]:
    """Words, numbers and price signs of a text in order: lower case, no accents, "20cm" as "20" and "cm"."""
    text = str(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text.casefold().translate(LETTERS) if not unicodedata.combining(c))
    return TOKEN.findall(text.lower())


def term(word: str) -> str:
    """A token without plural s and apostrophe: "glasses", "men's", "berries" become "glass", "men", "berry".

    Source: ours, after the rules of Harman (1991), "How effective is suffixing?".
    """
    word = word.removesuffix("'s").replace("'", "").replace(",", ".")
    if len(word) > 4 and word.endswith(("ies", "ie")):
        return word[: word.rindex("ie")] + "y"  # cookie and cookies alike
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def is_word(token: str) -> bool:
    """Is this token a word or a number, and no sign?"""
    return token[0].isalnum()


def edit_distances(word: str, letters: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Edits between a word and each of n words: a letter more, less or other, or two neighbours swapped.

    Parameters
    ----------
    letters : (n, L) int32, code points, 0 behind the end
    lengths : (n,)

    Returns
    -------
    (n,) int

    Source: Damerau (1964), in the form that edits no letter twice.
    """
    n, width = letters.shape
    steps = np.arange(width + 1)
    before, last, code = None, np.broadcast_to(steps, (n, width + 1)), 0
    for row, letter in enumerate(map(ord, word), start=1):
        now = np.empty((n, width + 1), int)
        now[:, 0] = row
        now[:, 1:] = np.minimum(last[:, 1:] + 1, last[:, :-1] + (letters != letter))
        if before is not None:
            swapped = (letters[:, 1:] == code) & (letters[:, :-1] == letter)
            now[:, 2:] = np.where(swapped, np.minimum(now[:, 2:], before[:, :-2] + 1), now[:, 2:])
        now = np.minimum.accumulate(now - steps, axis=1) + steps  # a letter more, any number of times
        before, last, code = last, now, letter
    return last[np.arange(n), lengths]


class Speller:
    """The nearest of many words: few letters wrong first, then the most frequent, then by alphabet.

    Up to 5 letters one edit is forgiven, from 6 on two; the first letter is believed, as people rarely miss it. Letters
    that only one of two words has are counted first, with one bit per letter: each edit changes at most two of them, so
    few words need a closer look.

    Parameters
    ----------
    words : sequence of str
    counts : (n,) int
        How frequent each word is.

    Source: ours; Kukich (1992), "Techniques for automatically correcting words in text", on the first letter.
    """

    def __init__(self, words: Sequence[str], counts: np.ndarray):
        inside = [n for n, word in enumerate(words) if word.isalpha() and SPELLABLE[0] <= len(word) <= SPELLABLE[1]]
        inside.sort(key=lambda n: (-counts[n], words[n]))
        self.words = [words[n] for n in inside]
        self.counts = dict(zip(self.words, np.asarray(counts)[inside]))
        self.lengths = np.array([len(word) for word in self.words], int)
        self.letters = np.zeros((len(self.words), SPELLABLE[1]), np.int32)
        for n, word in enumerate(self.words):
            self.letters[n, : len(word)] = np.frombuffer(word.encode("utf-32-le"), np.uint32)
        self.marks = np.array([_mark(word) for word in self.words], np.uint64)

    def nearest(self, word: str) -> tuple[str, ...]:
        """The word that was meant; two if a space was left out; () if nothing is near enough."""
        if not word.isalpha() or not SPELLABLE[0] <= len(word) <= SPELLABLE[1]:
            return ()
        reach = 1 if len(word) < 6 else 2
        close = np.abs(self.lengths - len(word)) <= reach
        close &= (self.letters[:, 0] == ord(word[0])) & (np.bitwise_count(self.marks ^ _mark(word)) <= 2 * reach)
        at = np.flatnonzero(close)
        edits = edit_distances(word, self.letters[at], self.lengths[at])
        best = int(edits.argmin()) if len(at) else 0  # the first of equals is the most frequent
        if len(at) and edits[best] <= 1:
            return (self.words[at[best]],)
        return self._parts(word) or ((self.words[at[best]],) if len(at) and edits[best] <= reach else ())

    def _parts(self, word):
        """Two known words that make up this one, the pair whose rarer half is the most frequent."""
        pairs = [(term(word[:cut]), term(word[cut:])) for cut in range(3, len(word) - 2)]
        pairs = [pair for pair in pairs if pair[0] in self.counts and pair[1] in self.counts]
        return max(pairs, key=lambda pair: min(self.counts[part] for part in pair), default=())


def _mark(word: str) -> np.uint64:
    """One bit per letter that the word has, of 64."""
    mark = 0
    for letter in word:
        mark |= 1 << (ord(letter) % 64)
    return np.uint64(mark)


# -------------------------------------------------------------------------------------------------------------- prices
def read_prices(words: Sequence[str]) -> tuple[tuple[float, float] | str | None, list[str]]:
    """What a query says about the price, and the tokens that say something else.

    Recognised are "under 20", "over £50", "20-50", "between 20 and 50", "around 50", "cheap" and the like. A number in
    front of a unit ("20-50 cm") is a size. Of several prices the last one counts.

    Parameters
    ----------
    words : tokens, as `tokens` makes them

    Returns
    -------
    (low, high), "cheap", "expensive" or None; the other tokens
    """
    price, rest, at = None, [], 0
    while at < len(words):
        found, stop = _price_at(words, at)
        if found is None:
            rest.append(words[at])
            stop = at + 1
        price, at = found or price, stop
    return price, rest


def _price_at(words, at):
    """The price that is spoken of at this token, and where it ends; None if there is none."""
    if words[at] in CHEAP | DEAR:
        return "cheap" if words[at] in CHEAP else "expensive", at + 1
    opening = at + (words[at] in ("between", "from"))
    low, stop = _amount(words, opening, unit=False)
    if low is not None and stop < len(words) and words[stop] in ("-", "–", "to", "and"):
        high, end = _amount(words, stop + 1)
        if high is not None and (words[stop] != "and" or words[at] == "between"):
            return (min(low, high), max(low, high)), end
    for kind, phrases in PRICE.items():
        for phrase in map(str.split, phrases):
            if words[at : at + len(phrase)] == phrase:
                amount, stop = _amount(words, at + len(phrase))
                if amount is not None:
                    low, high = {"below": (0, 1), "above": (1, np.inf), "around": (1 - AROUND, 1 + AROUND)}[kind]
                    return (low * amount if low else 0.0, high * amount if high < np.inf else np.inf), stop
    return None, at


def _amount(words, at, unit=True):
    """A sum of money at this token and where it ends; None if there is none, or if it is a size with its unit."""
    named = at < len(words) and words[at] in CURRENCIES
    at += named
    if at >= len(words) or not words[at][0].isdecimal():
        return None, at
    *whole, cents = re.split("[.,]", words[at])
    number = "".join([*whole, ".", cents]) if whole and len(cents) < 3 else "".join([*whole, cents])
    behind = term(words[at + 1]) if at + 1 < len(words) else ""
    if behind in CURRENCIES:
        return float(number), at + 2
    return (None if behind in UNITS and not named else float(number)), at + 1


# ------------------------------------------------------------------------------------------------------------- queries
@dataclass(frozen=True)
class Understood:
    """What a query was taken to mean, so that a page can say "showing results for ...".

    Parameters
    ----------
    query : str
        As typed.
    words : tuple of str
        What is searched for.
    corrected : dict of str to str
        Typed word to the word taken instead.
    unknown : tuple of str
        Words the catalogue does not have, left out.
    filters : dict
        "brand", "category" and "subcategory" with a value, "price" with (low, high) or with "cheap" or "expensive",
        which `search` turns into numbers.
    boosts : dict
        A brand or category that many other items speak of too: its own come first, others are not shut out.
    relaxed : tuple of str
        What had to be dropped because nothing was found: "price", "brand", "category", "subcategory", "words".
    """

    query: str
    words: tuple[str, ...] = ()
    corrected: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    filters: Mapping[str, object] = field(default_factory=dict)
    boosts: Mapping[str, str] = field(default_factory=dict)
    relaxed: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [" ".join(self.words) or "everything"]
        parts += [f"{name}: {_price_text(value)}" for name, value in self.filters.items()]
        parts += [f"{name} {value} first" for name, value in self.boosts.items()]
        parts += [f"read {new} for {old}" for old, new in self.corrected.items()]
        parts += [f"unknown: {', '.join(self.unknown)}"] * bool(self.unknown)
        parts += [f"nothing found, so dropped: {', '.join(self.relaxed)}"] * bool(self.relaxed)
        return "; ".join(parts)


def _price_text(value):
    if not isinstance(value, tuple):
        return str(value)
    low, high = value
    return f"{low:g} or more" if np.isinf(high) else f"up to {high:g}" if not low else f"{low:g} to {high:g}"
