"""Search the catalogue for what somebody typed, and put first what this person likes.

    query --understand--> words and filters --BM25F--> candidates --the user's scores, new items--> list

Learnt from users is only how many have an item; taste comes from any fitted model.

Letters: B queries, I items, T terms (words of the catalogue without accents and plural s), K list length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from reco_utils.core import BLOCK_BYTES, Dataset, Recommender, TopK, UserBatch, check_k
from reco_utils.models.fitted import check_fitted
from reco_utils.models.newcomers import freshness
from reco_utils.models.query import STOPWORDS, Speller, Understood, is_word, read_prices, term, tokens
from reco_utils.models.scales import minmax
from reco_utils.topk import select

FIELDS = {"title": 3.0, "category": 2.0, "subcategory": 2.0, "brand": 2.0, "tags": 2.0, "description": 1.0}
FACETS = ("brand", "category", "subcategory")  # columns whose values are recognised in a query
K1, B = 1.2, 0.75  # how fast repeats saturate, share of the length correction (the authors' usual values)
MEANT_SHARE = 0.8  # a brand's name is a filter if this share of the items that speak of it are its own, else a boost
FACET_BOOST = 0.1  # what such a boost adds to a score of 0 to 1
CHEAP_SHARE = 1 / 3  # "cheap" is the cheapest third of what else is asked for
MAX_LETTERS, MAX_WORDS = 1_000, 32  # what a query says beyond them is not read


@dataclass(frozen=True, eq=False)
class Found(TopK):
    """The lists of a search, and what each query was taken to mean.

    Notes of every place: "matched" words, "relevance" of the text and "personal" score, both 0 to 1.
    """

    understood: tuple[Understood, ...] = ()


# -------------------------------------------------------------------------------------------------------------- search
@dataclass
class CatalogSearch:
    """BM25F over the catalogue's texts, re-ranked by what the user likes and by how new an item is.

    The text score of an item is a sum over the query's terms t, with tf the count of t in field f, w_f the weight of
    the field, length_f its words and n the items that have t:

        idf = ln(1 + (I - n + 0.5) / (n + 0.5));  tf~ = sum_f w_f tf / (1 - b + b length_f / mean length_f)
        score = sum_t idf * tf~ / (k1 + tf~)

    so a word in the title counts more than one in the description, and its fifth mention hardly more than its fourth.

    Parameters
    ----------
    weights : mapping of text column to weight
        Columns that the catalogue lacks are left out.
    new_days : float, days
        How long an item is new to a search; what it gains fades linearly.
    n_candidates : int
        Items with the best text that are re-ranked.
    created_column : str
        Column of the catalogue with the time an item came in; without it nothing is new.

    Source: Robertson and Zaragoza (2009), "The probabilistic relevance framework: BM25 and beyond", section 3.5; the
    idf with the 1, which is never negative, is Lucene's.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: dict(FIELDS))
    new_days: float = 30.0
    n_candidates: int = 200
    created_column: str = "created_at"

    def __post_init__(self):
        wrong = {name: weight for name, weight in self.weights.items() if not 0 < weight < np.inf}
        if wrong:
            raise ValueError(f"weights must be above 0, got {wrong}; leave out a column that shall not count")
        if not self.new_days > 0:
            raise ValueError(f"new_days must be above 0, got {self.new_days}")
        if isinstance(self.n_candidates, bool) or not self.n_candidates >= 1:
            raise ValueError(f"n_candidates must be at least 1, got {self.n_candidates}")

    # ------------------------------------------------------------------------------------------------------- the index
    def fit(self, data: Dataset) -> "CatalogSearch":
        """Read the catalogue: count the words of every field, note brands, categories, prices and ages."""
        catalog = data.catalog
        columns = [name for name in self.weights if name in catalog]
        texts = {name: catalog[name].astype(object).where(catalog[name].notna(), "").tolist() for name in columns}
        counts, words, shown = _count_terms(texts)
        impacts = self._impacts(counts, len(data.items))
        facets = [_facet(name, texts[name]) for name in FACETS if name in columns]
        prices = pd.to_numeric(catalog["price"], errors="coerce") if "price" in catalog else [np.nan] * len(catalog)
        users = data.weights.getnnz(axis=0).astype(np.float32)
        self.words_, self.shown_, self.impacts_, self.facets_ = words, shown, impacts, facets
        self.speller_ = Speller(list(words), np.diff(impacts.indptr))
        self.prices_ = np.asarray(prices, float)
        self.freshness_ = freshness(catalog, data.asof, self.new_days, column=self.created_column)
        self.popularity_ = users / (users.max(initial=0) + 1)
        self.n_items_ = len(data.items)
        return self

    def _impacts(self, counts, n_items):
        """What each term adds to each item's score: csr (T, I) float32."""
        total = None
        for name, tf in counts.items():
            length = np.asarray(tf.sum(axis=1)).ravel()
            usual = length[length > 0].mean() if length.any() else 1.0
            scale = self.weights[name] / (1 - B + B * length / usual)
            part = csr_matrix((tf.data * np.repeat(scale, np.diff(tf.indptr)), tf.indices, tf.indptr), tf.shape)
            total = part if total is None else total + part
        if total is None:
            return csr_matrix((0, n_items), dtype=np.float32)
        total = total.T.tocsr()
        df = np.diff(total.indptr)
        idf = np.log1p((n_items - df + 0.5) / (df + 0.5))
        total.data = np.repeat(idf, df) * total.data / (K1 + total.data)
        return total.astype(np.float32)

    # --------------------------------------------------------------------------------------------------- understanding
    def understand(self, query: str) -> Understood:
        """What the query means to this catalogue: words that it has, prices, brands and categories.

        Prices are recognised if the catalogue has any. A word that no item has is read as its nearest neighbour, see
        `Speller`. The name of a brand or category is a filter if most items that speak of it are its own, else a boost.
        Common little words are left out unless there is nothing else.
        """
        check_fitted(self)
        query = "" if query is None else str(query)
        words, price = tokens(query[:MAX_LETTERS]), None
        if not np.isnan(self.prices_).all():
            price, words = read_prices(words)
        words = [word for word in words if is_word(word)]
        words = [word for word in words if word not in STOPWORDS] or words
        known, corrected, unknown = self._spell(list(dict.fromkeys(words))[:MAX_WORDS])
        filters, boosts, known = self._recognise(known)
        filters |= {"price": price} if price else {}
        return Understood(query, tuple(self.shown_[t] for t in known), corrected, unknown, filters, boosts)

    def _spell(self, words):
        """Terms of the catalogue for these words, what was corrected, and what is unknown."""
        known, corrected, unknown = [], {}, []
        for word in words:
            meant = (term(word),) if term(word) in self.words_ else self.speller_.nearest(term(word))
            known += meant
            if not meant:
                unknown.append(word)
            elif meant != (term(word),):
                corrected[word] = " ".join(self.shown_[t] for t in meant)
        return list(dict.fromkeys(known)), corrected, tuple(unknown)

    def _recognise(self, known):
        """Brands and categories among the terms: filters, boosts, and the terms that are still searched for."""
        filters, boosts, rest, at = {}, {}, [], 0
        while at < len(known):
            facet, length = self._longest_name(known[at:])
            terms = known[at : at + length]
            at += length
            if facet is None or facet.name in filters:
                rest += terms
                continue
            code = facet.codes[frozenset(terms)]
            speak = self._hits(terms) == length
            if (facet.of_item[speak] == code).sum() >= MEANT_SHARE * speak.sum():
                filters[facet.name] = facet.values[code]
            else:
                boosts[facet.name] = facet.values[code]
                rest += terms
        return filters, boosts, rest

    def _longest_name(self, known):
        """The column whose longest value these terms begin with, and of how many terms it is; None and 1 if none."""
        for length in range(len(known), 0, -1):
            for facet in self.facets_:
                if frozenset(known[:length]) in facet.codes:
                    return facet, length
        return None, 1

    # --------------------------------------------------------------------------------------------------------- search
    def search(
        self,
        query: str | Sequence[str],
        k: int,
        *,
        batch: UserBatch | None = None,
        model: Recommender | None = None,
        personal_share: float = 0.3,
        new_boost: float = 0.1,
        allow: np.ndarray | None = None,
        keep_seen: bool = False,
    ) -> Found:
        """The k best items for every query, those that have all its words first.

        Among the candidates, score = (1 - personal_share) * text + personal_share * taste + new_boost * freshness, text
        being the share of the best text score, taste the user's scores as `scales.minmax` (no opinion is 0). It is
        divided by the most it can be, and 1 is added where all words were found, so that these come first.

        A query without words (empty, or only a brand or a price) lists what the model thinks of the items that pass the
        filters, most wanted first; then, and for people it does not know, what most users have. Only the answer to an
        entirely empty query leaves out what the user already has.

        If nothing is found, these are tried in turn: without the price; without brand and category too; then the same
        with any of the words instead of all; then without the words. `understood` says what was dropped.

        Parameters
        ----------
        query : str or B of them
            A single one may be asked by many users.
        k : int
            May exceed the catalogue: lists end in padding.
        batch : UserBatch, optional
            Who is asking, one row per query.
        model : fitted model, optional
            Whose scores make the search personal; needs `batch`.
        personal_share : float, 0 to 1
            0 is the same list for everybody, 1 sorts the candidates by taste alone.
        new_boost : float, 0 or more
        allow : (I,) bool, optional
            Items that may be shown, e.g. those in stock.
        keep_seen : bool
            May the answer to an empty query repeat what the user has?

        Returns
        -------
        Found, a TopK with `understood`

        Raises
        ------
        ValueError  for a share outside 0 to 1, a negative boost, a model without a batch, or shapes that do not fit
        """
        queries = self._asked(query, batch, model, personal_share, new_boost, allow)
        k, boost = check_k(k), new_boost * self.freshness_
        matches = {q: self._match(q, allow) for q in dict.fromkeys(queries)}
        items, scores = np.full((len(queries), k), -1, np.int32), np.full((len(queries), k), np.nan, np.float32)
        notes = {"matched": items.astype(np.int16), "relevance": scores.copy(), "personal": scores.copy()}
        for row, taste in self._tastes(model, batch, len(queries)):
            match = matches[queries[row]]
            if match.is_empty and batch is not None and not keep_seen:
                match = match.without(batch.seen[row].indices)
            ranked = self._rank(match, taste, personal_share, boost) if match.words else self._wanted(match, taste)
            found, best = select(ranked["score"][None], k)
            n = int((found[0] >= 0).sum())
            items[row], scores[row] = found[0], best[0]
            for name, note in notes.items():
                note[row, :n] = ranked[name][found[0, :n]]
        users = pd.Index([None] * len(queries), dtype=object) if batch is None else batch.users
        return Found(users, items, scores, notes, tuple(matches[q].understood for q in queries))

    def _asked(self, query, batch, model, personal_share, new_boost, allow) -> list[str]:
        """One query per request, after everything was checked."""
        check_fitted(self, batch)
        queries = [query] if query is None or isinstance(query, str) else list(query)
        if batch is None and model is not None:
            raise ValueError("a model needs to know who is asking: pass batch too")
        if batch is not None and len(queries) != len(batch):
            if len(queries) != 1:
                raise ValueError(f"batch must have one request per query ({len(queries)}), got {len(batch)}")
            queries = queries * len(batch)
        if not 0 <= personal_share <= 1:
            raise ValueError(f"personal_share must be 0 to 1, got {personal_share}")
        if not 0 <= new_boost < np.inf:
            raise ValueError(f"new_boost must be 0 or more, got {new_boost}")
        if allow is not None and (np.shape(allow) != (self.n_items_,) or np.asarray(allow).dtype != bool):
            raise ValueError(f"allow must be bool of shape ({self.n_items_},), got {np.shape(allow)}")
        return ["" if q is None else str(q) for q in queries]

    def _tastes(self, model, batch, n):
        """Row and scores (I,) of every request, scored in blocks; None without a model."""
        if model is None:
            yield from ((row, None) for row in range(n))
            return
        block = max(1, BLOCK_BYTES // (4 * max(self.n_items_, 1)))
        for start in range(0, n, block):
            yield from enumerate(model.score(batch[start : start + block]), start)

    def _match(self, query, allow) -> "_Match":
        """The items that may be listed for a query, after filters and words were relaxed as far as needed."""
        understood = self.understand(query)
        words = [term(word) for word in understood.words]
        text, hits = self._text(words), self._hits(words)
        shown = np.ones(self.n_items_, bool) if allow is None else np.asarray(allow)
        names = tuple(understood.filters)
        price = tuple(name for name in names if name == "price")
        for need in sorted({len(words), min(len(words), 1), 0}, reverse=True):
            for dropped in dict.fromkeys(((), price, names)):
                filters, passing = self._passing(understood.filters, dropped, shown & (hits >= need))
                if passing.any():
                    relaxed = dropped + ("words",) * (need == 0 and bool(words or understood.unknown))
                    kept = understood.words if need else ()
                    understood = replace(understood, words=kept, filters=filters, relaxed=relaxed)
                    passing = self._passing(filters, (), shown & (hits >= min(need, 1)))[1]
                    return _Match(understood, len(kept), passing, text, hits)
        return _Match(replace(understood, words=(), filters={}), 0, shown, text, hits)  # no item may be shown

    def _passing(self, filters, dropped, among):
        """The filters that are left, prices as numbers, and which items pass them: (I,) bool."""
        filters = {name: value for name, value in filters.items() if name not in dropped}
        for facet in self.facets_:
            if facet.name in filters:
                among = among & (facet.of_item == facet.values.index(filters[facet.name]))
        if "price" in filters:
            filters["price"] = low, high = self._price_range(filters["price"], among)
            among = among & (self.prices_ >= low) & (self.prices_ <= high)
        return filters, among

    def _price_range(self, price, among):
        """(low, high) of a price filter; "cheap" and "expensive" depend on what they are said of."""
        if isinstance(price, tuple):
            return price
        known = self.prices_[among & ~np.isnan(self.prices_)]
        if not len(known):
            return 0.0, np.inf
        if price == "cheap":
            return 0.0, float(np.quantile(known, CHEAP_SHARE, method="lower"))
        return float(np.quantile(known, 1 - CHEAP_SHARE, method="higher")), np.inf

    def _text(self, terms):
        """BM25F of every item (I,) float32."""
        text = np.zeros(self.n_items_, np.float32)
        for at in map(self.words_.get, terms):
            span = slice(self.impacts_.indptr[at], self.impacts_.indptr[at + 1])
            text[self.impacts_.indices[span]] += self.impacts_.data[span]
        return text

    def _hits(self, terms):
        """How many of the terms every item has (I,) int16."""
        hits = np.zeros(self.n_items_, np.int16)
        for at in map(self.words_.get, terms):
            hits[self.impacts_.indices[self.impacts_.indptr[at] : self.impacts_.indptr[at + 1]]] += 1
        return hits

    # -------------------------------------------------------------------------------------------------------- ranking
    def _rank(self, match, taste, personal_share, boost):
        """Score and notes (I,) each for a query with words; NaN for items that are not listed."""
        whole = match.hits == match.words
        relevance = match.text / match.text[match.passing].max()
        best, _ = select(np.where(match.passing, relevance + whole, np.nan)[None], self.n_candidates)
        at = best[best >= 0]
        personal = minmax((np.full(len(at), np.nan) if taste is None else taste[at])[None])[0]
        share = personal_share if taste is not None else 0.0
        facets = sum(self._own(name, value)[at] for name, value in match.understood.boosts.items())
        mix = (1 - share) * relevance[at] + share * np.nan_to_num(personal) + boost[at] + FACET_BOOST * facets
        most = 1 + boost.max(initial=0) + FACET_BOOST * len(match.understood.boosts)
        score, liked = np.full(self.n_items_, np.nan, np.float32), np.full(self.n_items_, np.nan, np.float32)
        score[at], liked[at] = np.minimum(mix / most, 1 - 1e-6) + whole[at], personal
        return {"score": score, "matched": match.hits, "relevance": relevance, "personal": liked}

    def _wanted(self, match, taste):
        """The same for a query without words: what the user likes, then what most users have."""
        liked = minmax(np.where(match.passing, np.nan if taste is None else taste, np.nan)[None])[0]
        score = np.where(np.isnan(liked), self.popularity_, 1 + liked)
        score = np.where(match.passing, score, np.nan).astype(np.float32)
        none = np.zeros(self.n_items_, np.float32)
        return {"score": score, "matched": none, "relevance": none, "personal": liked}

    def _own(self, name, value):
        """Which items carry a value of brand, category or subcategory: (I,) bool."""
        facet = next(facet for facet in self.facets_ if facet.name == name)
        return facet.of_item == facet.values.index(value)


class _Facet(NamedTuple):
    """The values of one column: `codes` by the set of their terms, `of_item` (I,) the code of each item, or -1."""

    name: str
    values: list[str]
    codes: dict[frozenset, int]
    of_item: np.ndarray


class _Match(NamedTuple):
    """What a query found before anybody's taste: how many words count, and (I,) passing, text score, words met."""

    understood: Understood
    words: int
    passing: np.ndarray
    text: np.ndarray
    hits: np.ndarray

    @property
    def is_empty(self) -> bool:
        """Does the query ask for nothing in particular?"""
        return not self.words and not self.understood.filters

    def without(self, items) -> "_Match":
        """The match with some items left out."""
        passing = self.passing.copy()
        passing[items] = False
        return self._replace(passing=passing)


def _facet(name, texts) -> _Facet:
    """Which phrase means which value, and which item has it; a value without a word means nothing."""
    values, codes, of_text = [], {}, {}
    for text in dict.fromkeys(texts):
        phrase = _phrase(text)
        if phrase and phrase not in codes:
            codes[phrase] = len(values)
            values.append(text)
        of_text[text] = codes.get(phrase, -1)
    return _Facet(name, values, codes, np.array([of_text[text] for text in texts], np.int32))


def _phrase(text) -> frozenset:
    """The terms of a brand or category, small words left out if there are others."""
    words = [word for word in tokens(text) if is_word(word)]
    return frozenset(map(term, [word for word in words if word not in STOPWORDS] or words))


def _count_terms(texts):
    """How often each term stands in each field: csr (I, T) by field; the number of each term; how it is written."""
    numbers, fields = {}, {}
    for name, column in texts.items():
        found, ends = [], [0]
        for text in column:
            found += [numbers.setdefault(word, len(numbers)) for word in tokens(text) if is_word(word)]
            ends.append(len(found))
        fields[name] = np.array(found, np.int64), np.array(ends)
    often = sum((np.bincount(found, minlength=len(numbers)) for found, _ in fields.values()), np.zeros(len(numbers)))
    words, shown, term_of = {}, {}, np.empty(len(numbers), np.int64)
    for number, word in enumerate(numbers):
        term_of[number] = words.setdefault(term(word), len(words))
        if often[number] > often[numbers[shown.setdefault(term(word), word)]]:
            shown[term(word)] = word
    counts = {}
    for name, (found, ends) in fields.items():
        entries = (np.ones(len(found)), term_of[found], ends)
        counts[name] = csr_matrix(entries, (len(ends) - 1, len(words)))
        counts[name].sum_duplicates()
    return counts, words, shown
