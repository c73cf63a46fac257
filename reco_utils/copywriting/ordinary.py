"""Ordinary words as stems, by class: those of any text, those that begin a part of a product, numbers."""

from reco_utils.copywriting import lexicon
from reco_utils.copywriting.quantities import GROUPS, ONES, PARTS, TENS, UNIT
from reco_utils.copywriting.words import stem

COMMON_STEMS = frozenset(stem(w) for w in lexicon.COMMON.split())
HEADS = frozenset(stem(w) for w in lexicon.HEADS.split())
NUMBERISH = frozenset(stem(w) for w in (*ONES, *TENS, *GROUPS, *PARTS, "minus", "hundred", "thousand", *UNIT))
NUMBERISH -= {"zero", "one"} | {stem(unit) for unit in UNIT if not unit.isalpha()}
