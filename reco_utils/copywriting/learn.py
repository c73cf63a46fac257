"""Learns the weights of `doubt.py` from labelled sentences: `python -m reco_utils.copywriting.learn`.

A logistic regression over the traits of a sentence. An author's sentences are judged by weights learned from the
others', because a writer repeats himself; sentences that the rules were written against count half, and the rules look
too good on them. The threshold lets as many inventions pass as it refuses honest sentences; the best F1 lies on a
plateau, where chance picks the place.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.claims import objections
from reco_utils.copywriting.doubt import WEIGHTS, sentences_of
from reco_utils.copywriting.ledger import ledger_of
from reco_utils.copywriting.prompts import TONES
from reco_utils.copywriting.scores import sentences
from reco_utils.copywriting.templates import TemplateWriter
from reco_utils.copywriting.words import FULL_STOP

STRENGTH = 0.1  # inverse of the penalty
RARE = 4  # a trait of fewer sentences is left out
FAMILIAR = 0.5  # weight of sentences that the rules were written against
TOLD = 0.1  # weight of sentences of the template writer


def author(row: Mapping) -> str:
    """Who wrote a labelled sentence, by the letter of its id; "p" are two people, "template" is nobody."""
    return "p5" if "p5" < row["id"] < "q" else row["id"] if row["id"] == "template" else row["id"][0]


def is_familiar(row: Mapping) -> bool:
    """Were the rules written against this sentence?"""
    return row["id"][0] in "pq"


def read(rows: Iterable[Mapping]) -> tuple[list[list[str]], np.ndarray, np.ndarray, np.ndarray]:
    """(traits, is it invented, row, doubt that is certain, or 0) of each sentence of the rows."""
    traits, invented, at, decided = [], [], [], []
    for i, row in enumerate(rows):
        text, found, words, made = objections(row["text"], Brief.of(row["facts"]))
        ledger = ledger_of(Brief.of(row["facts"]))
        begin = row["text"].find(row["span"]) if row["span"] else -1
        for s in sentences_of(text, found, words, ledger, made):
            ends = s.marks[0].start, s.marks[-1].end
            traits.append(sorted(set(s.traits())))
            invented.append(bool(row["span"]) and begin <= ends[1] and ends[0] < begin + len(row["span"]))
            at.append(i)
            decided.append(np.inf if s.firm else 0.0 if s.weak or s.unknown else -np.inf)
    return traits, np.array(invented), np.array(at), np.array(decided)


def fit(traits: list[list[str]], invented: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """What each trait adds to the log odds that a sentence is invented."""
    table = CountVectorizer(analyzer=list, min_df=RARE)
    model = LogisticRegression(C=STRENGTH, max_iter=2000).fit(table.fit_transform(traits), invented, weight)
    found = dict(zip(table.get_feature_names_out(), model.coef_[0]))
    return found | {"always": found["always"] + model.intercept_[0]}


def written(rows: Iterable[Mapping]) -> list[dict]:
    """The facts of the rows told by the template writer, a supported sentence each."""
    briefs = {repr(row["facts"]): row["facts"] for row in rows}.values()
    return [
        {"id": "template", "facts": facts, "text": sentence, "label": "supported", "span": ""}
        for at, facts in enumerate(briefs)
        for sentence in FULL_STOP.split(
            TemplateWriter().description(Brief.of(facts), tone=list(TONES)[at % len(TONES)])
        )
    ]


def weights_of(rows: Iterable[Mapping]) -> np.ndarray:
    """How much each row counts."""
    return np.array([TOLD if row["id"] == "template" else FAMILIAR if is_familiar(row) else 1.0 for row in rows])


def judged(rows: list[Mapping]) -> np.ndarray:
    """The doubt of each row, by weights learned without its author; infinite where the rules decide alone."""
    told = written(rows)
    traits, invented, at, decided = read(rows + told)
    authors = np.array([author(row) for row in rows + told])[at]
    weight = weights_of(rows + told)[at]
    doubt = np.full(len(rows), -np.inf)
    for name in sorted(set(authors) - {"template"}):
        others = authors != name
        weights = fit([t for t, o in zip(traits, others) if o], invented[others], weight[others])
        for i in np.flatnonzero(~others):
            doubt[at[i]] = max(doubt[at[i]], decided[i] or sum(weights.get(trait, 0.0) for trait in traits[i]))
    return doubt


def even_threshold(doubt: np.ndarray, invented: np.ndarray) -> float:
    """The doubt from which on to refuse so that as many inventions are missed as honest sentences refused."""
    cuts = np.unique(doubt[np.isfinite(doubt)])
    apart = [abs(int(invented.sum()) - int((doubt >= cut).sum())) for cut in cuts]
    return float(cuts[int(np.argmin(apart))])


def main() -> None:
    """Learn from all practice sentences and write the file."""
    rows = sentences("practice")
    new = np.array([not is_familiar(row) for row in rows])
    invented = np.array([row["label"] == "invented" for row in rows])
    doubt = judged(rows)
    threshold = even_threshold(doubt[new], invented[new])
    rows = rows + written(rows)
    traits, labels, at, _ = read(rows)
    weights = fit(traits, labels, weights_of(rows)[at])
    shown = {"threshold": threshold} | {name: weights[name] for name in sorted(weights)}
    lines = [f"{round(100 * value)}\t{name}" for name, value in shown.items() if round(100 * value)]
    WEIGHTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    refused = doubt[new] >= threshold
    hits = int((refused & invented[new]).sum())
    print(f"{len(lines)} weights; authors held out: recall {hits / invented[new].sum():.3f} ({hits} of "
          f"{invented[new].sum()}), precision {hits / refused.sum():.3f} ({hits} of {refused.sum()})")  # fmt: skip


if __name__ == "__main__":
    main()
