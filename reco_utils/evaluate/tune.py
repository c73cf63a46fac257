"""Which settings should a model have? Try them all on a split that is not the exam.

tried = try_settings(ItemKNNRecommender, practice, {"n_neighbors": (20, 50), "shrinkage": (0, 10)}, rng=rng)
tried.table()                       # one row per combination, with its interval
ItemKNNRecommender(**tried.best)    # the combination with the highest mean
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from reco_utils.core import Recommender, Split, check_k, recommend
from reco_utils.evaluate.compare import Comparison, compare


@dataclass(frozen=True, eq=False)
class Trials:
    """Combinations of settings and how each of them did; `try_settings` makes it.

    Parameters
    ----------
    settings : list of dict
        Keywords of the model, in the order they were tried.
    found : Comparison
        One model per combination, named after its settings, one metric.
    """

    settings: list[dict]
    found: Comparison

    def table(self) -> pd.DataFrame:
        """One row per combination: its settings, then mean, low, high and users as in `Comparison.table`."""
        scores = self.found.table(self.found.metrics[0]).reset_index(drop=True)
        return pd.DataFrame(self.settings).join(scores)

    @property
    def best(self) -> dict:
        """The combination with the highest mean, the first of several: keywords for the model."""
        return self.settings[int(np.argmax(self.table()["mean"].fillna(-np.inf)))]


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
    k = check_k(k)
    settings = [dict(zip(grid, values)) for values in product(*grid.values())]
    if not grid or not settings:
        raise ValueError(f"grid must hold at least one value for every setting, got {dict(grid)}")
    lists = {
        ", ".join(f"{name}={value}" for name, value in setting.items()): recommend(
            kind(**setting).fit(split.train), split.batch, k, keep_seen=split.keep_seen
        )
        for setting in settings
    }
    return Trials(settings, compare(lists, split, (metric,), k, rng=rng))
