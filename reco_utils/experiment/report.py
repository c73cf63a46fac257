"""What an experiment found, as a table, a figure, a file, and one plain sentence."""

import json
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reco_utils.corrections import adjust
from reco_utils.experiment.effects import Effect
from reco_utils.experiment.metrics import Metric
from reco_utils.experiment.sample_ratio import SampleRatio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = "experiments"  # under a home; the storefront reads it


@dataclass(frozen=True, eq=False)
class Report:
    """What an experiment found. `analyse` makes it."""

    name: str
    effects: tuple[Effect, ...]  # by metric, then by arm
    metrics: tuple[Metric, ...]
    users: dict[str, int]  # how many, by arm
    control: str
    alpha: float
    correction: str | None
    ratio: SampleRatio  # are the users of the arms as many as the shares say?
    notes: tuple[str, ...] = ()  # what to keep in mind, e.g. very few orders in an arm

    def table(self) -> pd.DataFrame:
        """One row per metric and arm.

        Returns
        -------
        DataFrame, index (metric, arm), columns control, treatment, effect, low, high, relative, relative_low,
        relative_high, p, p_adjusted, verdict, users. p_adjusted is NaN for guardrails. verdict is "better", "worse" or
        "no difference shown"; for guardrails "kept", "broken" or "open"; "void" when the sample ratio is broken.
        """
        rows = [
            {**vars(effect), "p_adjusted": p, "verdict": self._verdict(metric, effect, p)}
            for (metric, effect), p in zip(self._pairs, self._adjusted)
        ]
        return pd.DataFrame(rows).set_index(["metric", "arm"])[list(COLUMNS)]

    @property
    def decision(self) -> str:
        """One sentence: ship, do not ship, not enough, or that nothing may be concluded."""
        found = {arm: self._decide(arm) for arm in self.users if arm != self.control}
        order = sorted(found, key=lambda arm: (ORDER.index(found[arm][0]), -found[arm][2]))
        others = "; ".join(f"{arm}: {found[arm][0]}" for arm in order[1:] if found[arm][0] != "void")
        return found[order[0]][1] + f" ({others}.)" * bool(others)

    def plot(self, ax: "Axes") -> "Axes":
        """Relative effects with their intervals, one row per metric and arm; guardrails with their margin."""
        from reco_utils.plots import COLORS, intervals  # only who draws waits for matplotlib

        table = self.table()
        table.index = [metric if len(self.users) == 2 else f"{metric}, {arm}" for metric, arm in table.index]
        shown = 100 * table[["relative", "relative_low", "relative_high"]]
        intervals(ax, shown, value="relative", low="relative_low", high="relative_high")
        ax.axvline(0, color="black", linewidth=1)
        for n, (metric, _) in enumerate(self._pairs):
            if metric.guardrail is not None:
                margin = 100 * metric.guardrail * (1 if metric.lower_is_better else -1)
                at = len(table) - 1 - n
                ax.plot([margin] * 2, [at - 0.35, at + 0.35], color=COLORS[5])
        ax.set_xlabel(f"% of {self.control}")
        return ax

    def to_json(self, home: Path | str, *, question: str = "", source: str = "", first="", last="") -> Path:
        """Write `<home>/experiments/<name>.json`, which the storefront shows; returns its path.

        Parameters
        ----------
        question, source : str
            What was asked, and where the visits came from.
        first, last : str or date
            The days of the experiment.
        """
        if self.alpha != 0.05:
            raise ValueError(f"the file holds 95 % intervals, but alpha is {self.alpha}; analyse with alpha=0.05")
        if not self.name or Path(self.name).name != self.name or self.name.startswith("."):
            raise ValueError(f"name must do as the name of a file, got {self.name!r}")
        record = {
            "name": self.name, "question": question, "source": source, "verdict": self.decision,
            "from": str(first), "to": str(last),
            "arms": [{"arm": arm, "users": n} for arm, n in self.users.items()],
            "effects": [self._for_file(*pair) for pair in self._pairs if np.isfinite(pair[1].effect)],
            "checks": self._checks(),
        }  # fmt: skip
        path = Path(home) / FOLDER / f"{self.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")  # a reader sees the old file or the new one, never a part
        part.write_text(json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
        part.replace(path)
        return path

    def __repr__(self) -> str:
        return "\n".join([self.table().round(4).to_string(), self.decision, *self.notes])

    def _repr_html_(self) -> str:
        return f"{self.table().round(4).to_html()}<p>{escape(' '.join([self.decision, *self.notes]))}</p>"

    @cached_property
    def _pairs(self):
        """Each effect with its metric."""
        of = {metric.name: metric for metric in self.metrics}
        return [(of[effect.metric], effect) for effect in self.effects]

    @cached_property
    def _adjusted(self):
        """P-values of all metrics without guardrail and all arms, corrected together; NaN for guardrails."""
        return adjust([np.nan if m.guardrail else effect.p for m, effect in self._pairs], self.correction)

    def _verdict(self, metric, effect, p):
        """What may be said of one effect."""
        if not self.ratio.passed:
            return "void"
        if metric.guardrail is not None:
            return _guard(metric, effect)
        if not p < self.alpha:
            return "no difference shown"
        return "better" if (effect.effect < 0) == metric.lower_is_better else "worse"

    def _decide(self, arm):
        """What to do with an arm: in a word, in a sentence, and by how much its first metric gained."""
        if not self.ratio.passed:
            return "void", self.ratio.sentence, 0.0
        rows = [(m, e, self._verdict(m, e, p), p) for (m, e), p in zip(self._pairs, self._adjusted) if e.arm == arm]
        goals, guards = [row for row in rows if row[0].guardrail is None], [row for row in rows if row[0].guardrail]
        broken, open_ = ([row for row in guards if row[2] == word] for word in ("broken", "open"))
        verdict, said, gained = "better", "no metric to gain", 0.0
        if goals:
            metric, effect, verdict, p = goals[0]
            corrected = self.correction is not None and np.count_nonzero(~np.isnan(self._adjusted)) > 1
            said, gained = _said(metric, effect, p if corrected else None), effect.relative
            gained = -gained if metric.lower_is_better else gained
        if broken:
            allowed = f"the {_percent(broken[0][0].guardrail)} it may get worse by"
            word, why = "do not ship", f"{_said(*broken[0][:2])}, which is more than {allowed}"
        elif verdict == "worse":
            word, why = "do not ship", f"{said}, which is worse"
        elif verdict == "no difference shown":
            word, why = "not enough", f"{said}, so no difference is shown"
        elif open_:
            allowed = f"the {_percent(open_[0][0].guardrail)} allowed"
            word, why = "not enough", f"{said}, but {open_[0][0].name} may still be worse by more than {allowed}"
        else:
            worse = [row[0].name for row in goals[1:] if row[2] == "worse"]
            kept = f"; guardrails kept: {len(guards)} of {len(guards)}" * bool(guards)
            word, why = "ship", f"{said}{kept}" + f"; but worse: {', '.join(worse)}" * bool(worse)
        verb = "Not enough to decide on" if word == "not enough" else word.capitalize()
        return word, f"{verb} {arm}: {why}.", gained

    def _for_file(self, metric, effect):
        """An effect as the file wants it: the interval holds the effect, which a bootstrap does not promise."""
        low, high = min(effect.low, effect.effect), max(effect.high, effect.effect)
        found = {"metric": self._named(effect), "effect": effect.effect, "low": low, "high": high, "unit": metric.unit}
        return {**found, "lower_is_better": metric.lower_is_better}

    def _checks(self):
        """The sample ratio and the guardrails."""
        found = [{"check": "sample ratio", "passed": bool(self.ratio.passed), "detail": self.ratio.sentence}]
        for metric, effect in self._pairs:
            if metric.guardrail is not None:
                passed = bool(self.ratio.passed) and _guard(metric, effect) == "kept"
                detail = f"{_said(metric, effect)}; allowed to lose {_percent(metric.guardrail)}"
                found.append({"check": f"guardrail: {self._named(effect)}", "passed": passed, "detail": detail})
        return found

    def _named(self, effect):
        """The metric, and the arm where there are several."""
        return effect.metric if len(self.users) == 2 else f"{effect.metric} ({effect.arm})"


ORDER = ("ship", "not enough", "do not ship", "void")
COLUMNS = (
    "control", "treatment", "effect", "low", "high", "relative", "relative_low", "relative_high", "p", "p_adjusted",
    "verdict", "users",
)  # fmt: skip


def _guard(metric, effect):
    """Is what may be lost surely not lost ("kept"), surely lost ("broken"), or neither ("open")?"""
    low, high, allowed = effect.relative_low, effect.relative_high, metric.guardrail
    if np.isnan(low):  # an arm at or below 0 has no relative effect
        low, high, allowed = effect.low, effect.high, allowed * abs(effect.control)
    worst, best = (high, low) if metric.lower_is_better else (-low, -high)  # losses
    return "kept" if worst < allowed else "broken" if best > allowed else "open"


def _said(metric, effect, corrected=None):
    """An effect in words: name, relative effect with interval if there is one, p."""
    if np.isnan(effect.relative_low):
        span = f"{effect.effect:+.4g} ({effect.low:+.4g} to {effect.high:+.4g}) {metric.unit}".rstrip()
    else:
        ends = [f"{100 * x:+.1f} %" for x in (effect.relative, effect.relative_low, effect.relative_high)]
        span = f"{ends[0]} ({ends[1]} to {ends[2]})"
    p, word = (effect.p, "p") if corrected is None else (corrected, "corrected p")
    return f"{metric.name} {span}, {word} " + (f"= {p:.3f}" if p >= 0.0005 else "< 0.001")


def _percent(share):
    return f"{100 * share:g} %"
