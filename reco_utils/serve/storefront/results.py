"""What experiments found: small files under `<home>/experiments/` that whoever analyses an experiment leaves there.

One JSON file per experiment:

    {"name": "...", "question": "...", "source": "...", "verdict": "...", "from": "...", "to": "...",
     "arms":    [{"arm": "...", "users": ...}],
     "effects": [{"metric": "...", "effect": ..., "low": ..., "high": ..., "unit": "..."}],
     "checks":  [{"check": "...", "passed": ..., "detail": "..."}]}

`effect` is treatment minus control, `low` and `high` are the ends of its 95 % interval; `source` says where the visits
came from, for instance simulated shoppers; of an effect for which less is better, `lower_is_better` is true. Only name
and effects must be there.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = "experiments"
MAX_BYTES = 2**20  # larger files hold no summary
TEXTS = ("question", "source", "verdict", "from", "to")


@dataclass(frozen=True)
class Effect:
    """What one metric gained, with its interval, all in `unit`; of some, say returns, less is better."""

    metric: str
    effect: float
    low: float
    high: float
    unit: str = ""
    lower_is_better: bool = False

    @property
    def verdict(self) -> str:
        """What the interval allows to say."""
        if self.low <= 0 <= self.high:
            return "no difference shown"
        return "better" if (self.effect < 0) == self.lower_is_better else "worse"


@dataclass(frozen=True)
class Result:
    """One experiment; `texts` has what is given of question, source, verdict, from and to."""

    name: str
    effects: tuple[Effect, ...]
    arms: tuple[tuple[str, int], ...] = ()
    checks: tuple[tuple[str, bool, str], ...] = ()
    texts: Mapping[str, str] = None


def read_results(home: Path | str | None) -> tuple[list[Result], dict[str, str]]:
    """All results under a home by name of file, and what is wrong with the files that could not be read."""
    folder = Path(home) / FOLDER if home is not None else None
    if folder is None or not folder.is_dir():
        return [], {}
    found, wrong = [], {}
    for path in sorted(folder.glob("[!.]*.json")):
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ValueError(f"larger than {MAX_BYTES:,} bytes")
            found.append(_result(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            wrong[path.name] = _why(error)
    return found, wrong


def _why(error) -> str:
    """What is wrong with a file, in a few words."""
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)[:200] or type(error).__name__


def _result(raw) -> Result:
    """A result as it was written, checked."""
    if not isinstance(raw, dict):
        raise ValueError("must be one object")
    effects = tuple(_effect(effect) for effect in raw["effects"])
    if not effects:
        raise ValueError("effects are empty")
    arms = tuple((str(arm["arm"]), int(arm["users"])) for arm in raw.get("arms", ()))
    checks = tuple((str(c["check"]), bool(c["passed"]), str(c.get("detail", ""))) for c in raw.get("checks", ()))
    texts = {name: str(raw[name]) for name in TEXTS if raw.get(name)}
    return Result(str(raw["name"]), effects, arms, checks, texts)


def _effect(raw) -> Effect:
    """One effect; an interval that does not hold its effect is a mistake somewhere."""
    effect, low, high = (float(raw[name]) for name in ("effect", "low", "high"))
    if not all(map(math.isfinite, (effect, low, high))) or not low <= effect <= high:
        raise ValueError(f"{raw['metric']}: low <= effect <= high must hold, got {low}, {effect}, {high}")
    return Effect(str(raw["metric"]), effect, low, high, _text(raw.get("unit")), raw.get("lower_is_better") is True)


def _text(value) -> str:
    """Text as such, "" for anything else."""
    return value if isinstance(value, str) else ""
