"""Which settings should a model have? Try them on a split that is not the exam.

    tried = try_settings(ItemKNNRecommender, practice, {"n_neighbors": (20, 50), "shrinkage": (0, 10)}, rng=rng)
    tried.table()                       # one row per combination, with its interval
    ItemKNNRecommender(**tried.best)    # the combination with the highest mean

A grid of four settings with five values each is 625 fits. `tune` draws combinations at random and judges most of them
only roughly:

    space = {"alpha": Between(1.0, 100.0, "log"), "regularization": Between(0.1, 100.0, "log"), "n_factors": (32, 64)}
    tuned = tune(ALSRecommender, practice, space, resource={"n_iterations": 15}, rng=rng)

Letters: S settings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from reco_utils.core import Recommender, Split, check_k, recommend
from reco_utils.evaluate.compare import Comparison, compare

THIRD = 3  # each rung of `tune` keeps one of so many settings and gives it so many times the resources
FEWEST = 1000  # requests: fewer say too little about settings to be worth the time they save


@dataclass(frozen=True)
class Between:
    """A range of values for a setting of `tune`: whole numbers when both ends are whole, and both ends belong to it.

    Parameters
    ----------
    low, high : numbers, low < high
    scale : {"linear", "log"}
        "log" draws as many values between 1 and 10 as between 10 and 100; for settings whose size is not known.
    """

    low: float
    high: float
    scale: str = "linear"

    def __post_init__(self):
        if self.scale not in ("linear", "log"):
            raise ValueError(f"scale must be 'linear' or 'log', got {self.scale!r}")
        if not -np.inf < self.low < self.high < np.inf:
            raise ValueError(f"low must be below high and both finite, got {self.low} and {self.high}")
        if self.scale == "log" and not self.low > 0:
            raise ValueError(f"a log scale needs low above 0, got {self.low}")

    def at(self, share: float) -> float:
        """The value at this share, 0 to 1, of the range, to three digits."""
        whole = all(isinstance(end, (int, np.integer)) for end in (self.low, self.high))
        low, high = (self.low - 0.5, self.high + 0.5) if whole else (self.low, self.high)
        value = low * (high / low) ** share if self.scale == "log" else low + share * (high - low)
        value = min(max(round(value) if whole else float(f"{value:.3g}"), self.low), self.high)
        return int(value) if whole else float(value)


@dataclass(frozen=True, eq=False)
class Trials:
    """Combinations of settings and how each of them did; `try_settings` and `tune` make it.

    Parameters
    ----------
    settings : list of dict, S
        Keywords of the model: in the order they were tried, or after `tune` the best first.
    found : Comparison
        One model per combination that was judged on everything, named after its settings; one metric.
    scores : DataFrame, S rows
        mean, low, high and users of each combination; after `tune` also `rung`.
    """

    settings: list[dict]
    found: Comparison
    scores: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """One row per combination: its settings, then mean, low, high and users as in `Comparison.table`.

        After `tune` also the rung it reached, counted from 1, and its mean there; those that reached the last rung come
        first. Means of different rungs were judged with different resources: do not compare them.
        """
        return pd.DataFrame(self.settings).join(self.scores)

    @property
    def best(self) -> dict:
        """The combination with the highest mean among those judged on everything: keywords for the model.

        ValueError when none of them has a mean, for then nobody could say which is best.
        """
        means = self.scores["mean"].fillna(-np.inf)
        if (means == -np.inf).all():
            raise ValueError(f"no setting has a mean: none of the {len(self.found.warm)} users has truth")
        if "rung" in self.scores:
            means = means[self.scores["rung"] == self.scores["rung"].max()]
        return self.settings[means.idxmax()]  # the first of several


def try_settings(
    kind: Callable[..., Recommender],
    split: Split,
    grid: Mapping[str, Sequence],
    metric: str = "ndcg",
    k: int = 10,
    *,
    rng: np.random.Generator,
) -> Trials:
    """Fit every combination in `grid` on `split.train` and judge its lists on the split; one model lives at a time.

    Parameters
    ----------
    kind : class of a model, or a function of the settings that returns an unfitted one
    split : Split
        Not the one that is reported on: the best of many settings is partly the luckiest.
    grid : mapping of setting to the values to try
    metric, k
        As for `compare`.
    rng : Generator
        As for `compare`.

    Raises
    ------
    ValueError  for a grid without any combination
    """
    settings = _combinations(_sequences(grid, "grid"))
    found = _judge(kind, split, settings, metric, k, rng)
    return Trials(settings, found, _scores(found))


def tune(
    kind: Callable[..., Recommender],
    split: Split,
    space: Mapping[str, Sequence | Between],
    *,
    n_settings: int = 27,
    n_rungs: int = 3,
    resource: Mapping[str, int] | None = None,
    metric: str = "ndcg",
    k: int = 10,
    rng: np.random.Generator,
    progress: bool = False,
) -> Trials:
    """Successive halving: judge many settings roughly, and the best third of them again with three times as much.

    `n_settings` combinations are drawn from `space`. On the first of three rungs each gets a ninth of the resources, on
    the last one the three that are left get everything: 27 settings for the price of nine. What is best only when
    judged on everything may fall off early; one rung gives everything to everybody, like `try_settings`.

    Parameters
    ----------
    kind : class of a model, or a function of the settings that returns an unfitted one
    split : Split
        Not the one that is reported on. Lower rungs judge fewer of its requests, but not below 1,000.
    space : mapping of setting to its values, or to a range, see `Between`
        Values are spread evenly: each third of a range gets a third of the combinations. When there are no more than
        `n_settings` combinations in all, each is taken once.
    n_settings : int, at least 1
    n_rungs : int, at least 1
    resource : mapping of setting to its full value, whole numbers
        Settings that only cost time, as {"n_iterations": 15}: lower rungs fit with a third, a ninth, at least 1.
    metric, k
        As for `compare`.
    rng : Generator
        Draws the combinations and the requests. The same state gives the same Trials.
    progress : bool
        Show a bar.

    Returns
    -------
    Trials; its `best` holds `resource` at its full value

    Raises
    ------
    ValueError  for a space without values, or counts below 1

    Source: Jamieson and Talwalkar (2016), with random settings as in Bergstra and Bengio (2012), drawn in strata.
    """
    resource = dict(resource or {})
    counts = {"n_settings": n_settings, "n_rungs": n_rungs, **resource}
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {count!r}")
    settings = [drawn | resource for drawn in _draw(space, n_settings, rng)]
    asked = rng.permutation(len(split.batch)) if n_rungs > 1 else np.arange(len(split.batch))
    left, scores = np.arange(len(settings)), []
    with tqdm(total=sum(_sizes(len(settings), n_rungs)), disable=not progress, unit="fit") as bar:
        for rung, size in enumerate(_sizes(len(settings), n_rungs), start=1):
            part = THIRD ** (n_rungs - rung)
            left = np.sort(left[:size])
            fewer = split.take(np.sort(asked[: max(len(asked) // part, FEWEST)])) if part > 1 else split
            budget = {name: max(value // part, 1) for name, value in resource.items()}
            found = _judge(kind, fewer, [settings[at] | budget for at in left], metric, k, rng, bar)
            scores.append(
                _scores(found).set_index(left).assign(rung=rung).sort_values("mean", ascending=False, kind="stable")
            )
            left = scores[-1].index.to_numpy()
    scores = pd.concat(scores[::-1])
    scores = scores[~scores.index.duplicated()]  # the last rung that each one reached
    return Trials([settings[at] for at in scores.index], found, scores.reset_index(drop=True))


def _sizes(n, n_rungs):
    """How many settings stand on each rung."""
    sizes = [n]
    for _ in range(n_rungs - 1):
        sizes.append(-(-sizes[-1] // THIRD))
    return sizes


def _judge(kind, split, settings, metric, k, rng, bar=None):
    """A Comparison of the models with these settings, each fitted, asked for its lists and forgotten."""
    k, lists = check_k(k), {}
    for setting in settings:
        name = ", ".join(f"{key}={value}" for key, value in setting.items())
        try:
            lists[name] = recommend(kind(**setting).fit(split.train), split.batch, k, keep_seen=split.keep_seen)
        except Exception as error:
            error.add_note(f"while trying {name}")
            raise
        if bar is not None:
            bar.update()
    return compare(lists, split, (metric,), k, rng=rng)


def _scores(found):
    return found.table(found.metrics[0]).reset_index(drop=True)


# ------------------------------------------------------------------------------------------------ what settings to try
def _sequences(space, name):
    """The space with its sequences as lists, checked."""
    found = {}
    for setting, values in space.items():
        if isinstance(values, str) or not isinstance(values, (Between, Sequence, np.ndarray, pd.Index, pd.Series)):
            raise ValueError(f"{name} must hold a sequence of values for every setting, got {values!r} for {setting!r}")
        found[setting] = values if isinstance(values, Between) else list(values)
    if not found or [] in found.values():
        raise ValueError(f"{name} must hold at least one value for every setting, got {dict(space)}")
    return found


def _combinations(grid):
    return [dict(zip(grid, values)) for values in product(*grid.values())]


def _draw(space, n, rng):
    """At most n different settings; the whole grid where it is no larger, without a random number."""
    space = _sequences(space, "space")
    ranged = any(isinstance(values, Between) for values in space.values())
    if not ranged and np.prod([len(values) for values in space.values()], dtype=float) <= n:
        return _combinations(space)
    columns = []
    for values in space.values():
        shares = (rng.permutation(n) + rng.random(n)) / n  # one in every n-th of the range
        columns.append([values.at(s) if isinstance(values, Between) else values[int(s * len(values))] for s in shares])
    drawn = [dict(zip(space, values)) for values in zip(*columns)]
    return [setting for at, setting in enumerate(drawn) if setting not in drawn[:at]]
