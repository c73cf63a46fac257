"""Items as vectors of words: what a catalogue says about a thing, as numbers that can be compared and read.

    vectors = TfidfVectors().fit(catalog)
    rows = vectors.transform(catalog)      # csr (I, V), every row of length 1, or empty where nothing is known
    top_words(rows[7], vectors.words_)     # the words that describe item 7 best

A word counts for much in a vector when it is frequent in the item's text and rare in the catalogue:

    count * idf,    idf = ln((1 + I) / (1 + items with the word)) + 1

Each text field (title, tags, description) becomes such a vector of length 1, is multiplied by the weight of the field,
and the sum is brought to length 1 again. So a weight says how much a field matters, however long its text is, and where
a field is missing the others stand in for it. A category or brand is a column of its own and counts

    weight * ln((1 + I) / (1 + items with it)) / ln((1 + I) / 2)

from nothing, when all items have it, to the weight of its field, when it is as rare as can be. A price is two columns.

Letters: I items, V words (single words, pairs, names of categories and brands, bands of price).
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack

from reco_utils.core import ITEM

TEXTS = ("title", "tags", "description")  # read word by word; all share their words
KINDS = ("category", "subcategory", "brand")  # taken as they are
PRICE = "price"
FIELD_WEIGHTS = {
    "title": 1.5, "tags": 1.0, "description": 1.0, "category": 2.0, "subcategory": 1.5, "brand": 1.0, "price": 0.4,
}  # fmt: skip
WORD = re.compile(r"[^\W_]+(?:['’&][^\W_]+)*")  # letters and digits, with what stands inside as in chef's or H&M
BAND = 1.25  # the middle of a price band is this many times the one below


@dataclass
class TfidfVectors:
    """Turns rows of a catalogue into vectors; `fit` decides on the words, `transform` makes vectors of any rows.

    Parameters
    ----------
    weights : mapping of field to number
        Fields are title, tags, description, category, subcategory, brand and price; those left out, at 0 or missing
        from the catalogue do not take part. The defaults were chosen on validation data of four datasets; halving or
        doubling one of them changes NDCG@10 by less than a tenth, but without the titles it falls by half.
    pairs : bool
        Also count two words in a row: "oak handle" is more than "oak" and "handle". Worth 2 to 4 % of NDCG@10.
    min_items : int, items
        Rarer words, categories and brands are left out: what one item alone has makes it similar to nothing.
    max_words : int
        The most frequent words and pairs that are kept, which bounds memory.

    Attributes
    ----------
    words_ : (V,) object, the name of every column, such as "oak", "oak handle", "category: Toys", "price: about 12"
    idf_ : (V,) float64, what one occurrence counts in its field

    Source: Salton and Buckley (1988) for tf-idf; scikit-learn's smooth idf; one vector per field as in the zone scores
    of Manning, Raghavan and Schuetze (2008), section 6.1.
    """

    weights: Mapping[str, float] = field(default_factory=FIELD_WEIGHTS.copy)
    pairs: bool = True
    min_items: int = 2
    max_words: int = 200_000

    def __post_init__(self):
        unknown = [name for name in self.weights if name not in FIELD_WEIGHTS]
        if unknown:
            raise ValueError(f"weights must name fields among {list(FIELD_WEIGHTS)}, got {unknown}")
        for name, weight in self.weights.items():
            if not (np.isfinite(weight) and weight >= 0):
                raise ValueError(f"the weight of {name} must be a finite number of at least 0, got {weight}")
        for name in ("min_items", "max_words"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")

    def fit(self, catalog: pd.DataFrame) -> "TfidfVectors":
        """Decide which words, kinds and price bands count, and how much; the frame is only read."""
        self._learn(catalog)
        return self

    def fit_transform(self, catalog: pd.DataFrame) -> csr_matrix:
        """`fit` and `transform` of one catalogue, whose texts are read only once."""
        return self._vectors(catalog, self._learn(catalog))

    def transform(self, catalog: pd.DataFrame) -> csr_matrix:
        """Vectors csr (rows, V) float32 of length 1; empty where a row has no known word, kind or price.

        Raises
        ------
        RuntimeError  when `fit` was never called
        """
        if not hasattr(self, "words_"):
            raise RuntimeError("TfidfVectors is not fitted; call fit(catalog) first")
        texts = {name: _read(catalog, name, lambda word: self.lexicon_.get(word, -1)) for name in self._texts(catalog)}
        return self._vectors(catalog, _with_pairs(texts, len(self.lexicon_), self.pairs))

    def _learn(self, catalog):
        """All that `fit` decides on; returns the texts in codes of words and pairs."""
        texts, lexicon = _read_all(catalog, self._texts(catalog), self.min_items)
        texts = _with_pairs(texts, len(lexicon), self.pairs)
        codes, df = _frequent_codes(texts, self.min_items, self.max_words)
        kinds = {name: _telling(catalog[name], self.min_items) for name in KINDS if self._takes(name, catalog)}
        bands = _bands(_prices(catalog)) if self._takes(PRICE, catalog) else np.empty(0, int)
        words = [*_names(codes, lexicon), *_kind_names(kinds), *map(_band_name, bands)]
        rarity = np.log((1 + len(catalog)) / (1 + df)) + 1
        self.lexicon_, self.codes_, self.kinds_, self.bands_ = lexicon, codes, kinds, bands
        self.words_ = np.array(words, dtype=object)
        self.idf_ = np.concatenate([rarity, *kinds.values(), np.ones(len(bands))])
        return texts

    def _takes(self, name, catalog):
        """Does this field take part?"""
        return self.weights.get(name, 0) > 0 and name in catalog

    def _texts(self, catalog):
        """The text fields that take part."""
        return [name for name in TEXTS if self._takes(name, catalog)]

    def _vectors(self, catalog, texts):
        """All fields side by side, every row of length 1."""
        parts = [self._words(len(catalog), texts), *(self._kind(catalog, name) for name in self.kinds_)]
        vectors = hstack([*parts, self._price(catalog)], format="csr")
        vectors.eliminate_zeros()  # a category that all items have
        return unit_rows(vectors).astype(np.float32)

    def _words(self, n_rows, texts):
        """Words and pairs: one vector of length 1 per field, times its weight, added up."""
        total = csr_matrix((n_rows, len(self.codes_)))
        for name, (rows, codes) in texts.items():
            columns = self.codes_.get_indexer(codes)
            known = columns >= 0
            counts = csr_matrix((np.ones(known.sum()), (rows[known], columns[known])), total.shape)
            counts.data *= self.idf_[counts.indices]
            total = total + self.weights[name] * unit_rows(counts)
        return total

    def _kind(self, catalog, name):
        """One column per category, subcategory or brand."""
        telling = self.kinds_[name]
        columns = telling.index.get_indexer(catalog[name].astype(object)) if name in catalog else np.empty(0, int)
        rows = np.flatnonzero(columns >= 0)
        values = self.weights[name] * telling.to_numpy()[columns[rows]]
        return csr_matrix((values, (rows, columns[rows])), (len(catalog), len(telling)))

    def _price(self, catalog):
        """The two bands around each price, the nearer one more: 12 and 13 are alike also across a border."""
        shape = (len(catalog), len(self.bands_))
        if not len(self.bands_) or PRICE not in catalog:
            return csr_matrix(shape)
        rows, low, share = _soft_bands(_prices(catalog))
        columns = pd.Index(self.bands_).get_indexer(np.concatenate([low, low + 1]))
        rows, values = np.concatenate([rows, rows]), np.concatenate([1 - share, share])
        inside = (columns >= 0) & (values > 0)
        return self.weights[PRICE] * unit_rows(csr_matrix((values[inside], (rows[inside], columns[inside])), shape))


def unit_rows(matrix: csr_matrix) -> csr_matrix:
    """The rows of a sparse matrix brought to length 1, in float64; empty rows stay empty."""
    values = matrix.data.astype(float)
    squares = csr_matrix((values**2, matrix.indices, matrix.indptr), matrix.shape)
    length = np.sqrt(np.asarray(squares.sum(axis=1)).ravel())
    length = np.repeat(length, np.diff(matrix.indptr))
    values = np.divide(values, length, out=np.zeros_like(values), where=length > 0)
    return csr_matrix((values, matrix.indices, matrix.indptr), matrix.shape)


def top_words(vector: csr_matrix, words: np.ndarray, n: int = 10) -> pd.Series:
    """The n strongest words of a vector csr (1, V) and their weights, the strongest first; ties by name."""
    found = pd.Series(vector.data, index=pd.Index(words[vector.indices], dtype=object))
    return found.sort_index().sort_values(ascending=False, kind="stable").head(n)


# ---------------------------------------------------------------------------------------------------- words and pairs
def _read(catalog, name, number):
    """Row and word numbers (n,) of a text column, in the order they stand; made-up titles have no words."""
    texts = catalog[name].astype(object)
    missing = texts.isna().to_numpy()
    if name == "title" and ITEM in catalog:
        missing = missing | (texts.astype(str) == "item " + catalog[ITEM].astype(str)).to_numpy()
    lengths, numbers = np.zeros(len(texts), np.int64), array("q")
    for row, (gone, text) in enumerate(zip(missing, texts)):
        words = () if gone else WORD.findall(str(text).lower())
        lengths[row] = len(words)
        numbers.extend(map(number, words))
    return np.repeat(np.arange(len(texts)), lengths), np.array(numbers)


def _read_all(catalog, names, min_items):
    """The text columns as row and word numbers, and the numbers of the words that `min_items` items have, or -1.

    Words are numbered in alphabetical order.
    """
    found = defaultdict()
    found.default_factory = found.__len__  # a new word gets the next number
    texts = {name: _read(catalog, name, found.__getitem__) for name in names}
    df = _items_per_code(*_joined(texts), len(found))
    words = sorted(word for word, number in found.items() if df[number] >= min_items)
    lexicon = {word: number for number, word in enumerate(words)}
    renumbered = np.array([lexicon.get(word, -1) for word in found], np.int64)
    return {name: (rows, renumbered[numbers]) for name, (rows, numbers) in texts.items()}, lexicon


def _with_pairs(texts, n_words, pairs):
    """Row numbers and codes of known words, and of pairs: word w has code w, "w v" has n_words + w * n_words + v."""
    coded = {}
    for name, (rows, at) in texts.items():
        known = at >= 0
        both = known[1:] & known[:-1] & (rows[1:] == rows[:-1]) if pairs else np.zeros(max(len(at) - 1, 0), bool)
        joined = n_words + at[:-1][both] * n_words + at[1:][both]
        coded[name] = np.concatenate([rows[known], rows[1:][both]]), np.concatenate([at[known], joined])
    return coded


def _joined(texts):
    """Row numbers and codes of all texts, one after the other."""
    if not texts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return tuple(np.concatenate(parts) for parts in zip(*texts.values()))


def _frequent_codes(texts, min_items, max_words):
    """The codes that enough items have, at most `max_words` of them, and in how many items each is."""
    rows, found = _joined(texts)
    at, codes = pd.factorize(found)
    df = _items_per_code(rows, at, len(codes))
    kept = np.lexsort((codes, -df))[:max_words]  # of two equally frequent ones the single word comes first
    kept = kept[df[kept] >= min_items]
    kept = kept[np.argsort(codes[kept])]
    return pd.Index(codes[kept], dtype=np.int64), df[kept]


def _items_per_code(rows, codes, n_codes):
    """In how many different rows each code stands, (n_codes,)."""
    there = csr_matrix((np.ones(len(rows), bool), (rows, codes)), (rows.max(initial=-1) + 1, n_codes))
    return there.getnnz(axis=0)


def _names(codes, lexicon):
    """Words and pairs as text."""
    codes, n, words = codes.to_numpy(), max(len(lexicon), 1), np.array(list(lexicon), dtype=object)
    pairs = codes[codes >= n] - n
    return [*words[codes[codes < n]], *(f"{a} {b}" for a, b in zip(words[pairs // n], words[pairs % n]))]


# ---------------------------------------------------------------------------------------------------- kinds and prices
def _telling(column, min_items):
    """What each category that `min_items` items have tells, 0 (all have it) to 1: a Series, categories as its index."""
    counts = column.astype(object).value_counts()
    counts = counts[counts >= min_items].sort_index(key=lambda names: names.astype(str))
    return np.log((1 + len(column)) / (1 + counts)) / np.log((1 + max(len(column), 2)) / 2)


def _kind_names(kinds):
    """Categories as text that no words can spell."""
    return [f"{name}: {value}" for name, telling in kinds.items() for value in telling.index]


def _prices(catalog):
    """Prices (I,) float64, NaN where there is none above 0."""
    prices = pd.to_numeric(catalog[PRICE], errors="coerce").to_numpy(float)
    return np.where(np.isfinite(prices) & (prices > 0), prices, np.nan)


def _soft_bands(prices):
    """Rows with a price, the band below it, and the share (0 to 1) that the band above gets."""
    rows = np.flatnonzero(~np.isnan(prices))
    at = np.log(prices[rows]) / np.log(BAND)
    low = np.floor(at).astype(int)
    return rows, low, at - low


def _bands(prices):
    """Every band that some price touches, ascending."""
    _, low, share = _soft_bands(prices)
    return np.unique(np.concatenate([low[share < 1], low[share > 0] + 1]))


def _band_name(band):
    """The middle of a band, to three digits."""
    return f"price: about {BAND**band:.3g}"
