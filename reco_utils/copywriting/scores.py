"""How good is the checker? Precision and recall on labelled sentences it was not written against."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import pandas as pd

from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.checks import CLAIM_KINDS, check_text

HERE = Path(__file__).parent
Z = 1.959963984540054  # the 97.5 % point of the normal distribution


@dataclass(frozen=True)
class Scores:
    """What a checker refuses of what it should: invented sentences are what it looks for.

    Parameters
    ----------
    precision, recall : float in [0, 1]
        Invented among the refused; refused among the invented. NaN where there are none.
    precision_interval, recall_interval : (low, high)
        95 %, Wilson's.
    by_claim : DataFrame, one row per claim of the labels
        invented, refused, recall, and supported, wrongly_refused.
    refused : tuple of bool
        Of each sentence, in order.
    """

    precision: float
    recall: float
    precision_interval: tuple[float, float]
    recall_interval: tuple[float, float]
    by_claim: pd.DataFrame
    refused: tuple[bool, ...]


def sentences(part: str = "practice") -> list[dict]:
    """The labelled sentences: "practice" to write checks against, "exam" to judge them by, once.

    Sentences of an exam that was judged on are practice from then on. Each has a unique id.

    Raises
    ------
    ValueError  for another part
    """
    if part not in ("practice", "exam"):
        raise ValueError(f"part must be 'practice' or 'exam', got {part!r}")
    text = (HERE / f"claims_{part}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def refused(sentence: Mapping) -> bool:
    """Does the checker find a claim in this sentence that its facts do not support? Other findings do not count."""
    checked = check_text(sentence["text"], Brief.of(sentence["facts"]))
    return any(finding.kind in CLAIM_KINDS for finding in checked.findings)


def judge(sentences: Iterable[Mapping]) -> Scores:
    """Precision and recall of `check_text`, refusing being right for the label "invented".

    Parameters
    ----------
    sentences : mappings with facts (a catalogue row), text, label ("supported" or "invented") and claim
    """
    rows = [(s["claim"], s["label"] == "invented", refused(s)) for s in sentences]
    table = pd.DataFrame(rows, columns=["claim", "invented", "refused"]).astype({"invented": bool, "refused": bool})
    hits = int((table["invented"] & table["refused"]).sum())
    n_refused, n_invented = int(table["refused"].sum()), int(table["invented"].sum())
    return Scores(
        precision=hits / n_refused if n_refused else float("nan"),
        recall=hits / n_invented if n_invented else float("nan"),
        precision_interval=wilson(hits, n_refused),
        recall_interval=wilson(hits, n_invented),
        by_claim=_by_claim(table),
        refused=tuple(table["refused"].tolist()),
    )


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share: (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n); NaN for n = 0.

    Source: Wilson (1927).
    """
    if not 0 <= hits <= n:
        raise ValueError(f"hits must lie between 0 and n = {n}, got {hits}")
    if n == 0:
        return float("nan"), float("nan")
    share = hits / n
    middle, reach = share + Z**2 / (2 * n), Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return (middle - reach) / (1 + Z**2 / n), (middle + reach) / (1 + Z**2 / n)


def _by_claim(table):
    """Counts of refused and passed sentences, by the claim of their label."""
    found = pd.DataFrame(
        {
            "invented": table["invented"],
            "refused": table["invented"] & table["refused"],
            "supported": ~table["invented"],
            "wrongly_refused": ~table["invented"] & table["refused"],
        }
    )
    counts = found.groupby(table["claim"]).sum().astype(int)
    counts.insert(2, "recall", counts["refused"] / counts["invented"].where(counts["invented"] > 0))
    return counts
