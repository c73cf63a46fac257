"""Several models, the same users, the same truth: who is better, by how much, and could it be chance?

    found = compare({"popularity": popularity, "item-kNN": knn}, split, rng=rng)
    found.table("ndcg@10")                      # mean with interval, one row per model
    found.versus("popularity", "ndcg@10")       # paired difference, p, Holm, effect size
    print(found.note)                           # how many users this rests on, warm and cold

Most measures have a value per user; some, like coverage, are one number for all lists. Their intervals are made
differently (`stats.jackknife_interval`) and stand in the same tables.

Letters: B users of the split, I items, K list length.
"""

import hashlib
import inspect
import io
import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reco_utils import __version__
from reco_utils.core import USER, ListMetric, Metric, Pipeline, Recommender, Split, TopK, check_k, recommend
from reco_utils.corrections import adjust
from reco_utils.evaluate import render
from reco_utils.evaluate.accuracy import NAMES, measure, parse_label
from reco_utils.evaluate.stats import (
    bootstrap_interval,
    effect_size,
    groups_of,
    jackknife_interval,
    paired_permutation,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENOUGH_USERS = 100  # below this the interval of a usual metric is wider than usual differences between models
N_RESAMPLES, N_PERMUTATIONS, N_GROUPS, LEVEL = 2000, 9999, 50, 0.95


@dataclass(frozen=True, eq=False)
class Comparison:
    """Per-user values of several models, and the tables made from them. `compare` makes it.

    The same users are drawn for every model and metric, and each table starts its random numbers anew from `seed`:
    asking twice, or in another order, gives the same table.

    Parameters
    ----------
    per_user : DataFrame (B, models x metrics), index `user_id`, columns (model, metric)
        NaN where a metric is undefined for the user.
    lists : dict of TopK
        What each model showed, in the same order of users.
    warm : (B,) bool
        Had the user any history at the cut?
    k : int
        Length of the lists.
    seed : int
        Drawn from the `rng` that `compare` was given.
    config : dict
        Models with their hyperparameters, the split and its report, the state of `rng`: what `export` writes down.
    of_lists : dict of functions
        The measures with one number for all lists, by label; they are taken from `lists` when a table is asked for.
    """

    per_user: pd.DataFrame
    lists: dict[str, TopK]
    warm: np.ndarray
    k: int
    seed: int
    config: dict
    of_lists: dict[str, ListMetric] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """Names of the models, in the order they were given."""
        return list(dict.fromkeys([*self.per_user.columns.get_level_values("model"), *self.lists]))

    @property
    def metrics(self) -> list[str]:
        """Labels of the metrics, in the order they were given; those of all lists come last."""
        return list(dict.fromkeys([*self.per_user.columns.get_level_values("metric"), *self.of_lists]))

    @property
    def note(self) -> str:
        """The users behind the means in a sentence: how many, warm and cold, left out, and whether they are too few."""
        values, names = self.per_user, [str(label).partition("@")[0] for _, label in self.per_user]
        if set(names) & set(NAMES):  # only these need truth
            values = values.loc[:, [name in NAMES for name in names]]
        counted = values.notna().any(axis=1).to_numpy() if len(names) else np.ones(len(values), bool)
        n, warm = int(counted.sum()), int((counted & self.warm).sum())
        few = f"; fewer than {ENOUGH_USERS} users are too few to rank models" * (n < ENOUGH_USERS)
        return f"{n:,} users ({warm:,} warm, {n - warm:,} cold); {len(counted) - n:,} without truth left out{few}"

    def label_of(self, metric: str) -> str:
        """The label of a metric that may be given by its name alone: "ndcg@10" for "ndcg"; KeyError if not compared."""
        return metric if metric in self.metrics else _known("metric", f"{metric}@{self.k}", self.metrics, metric)

    def table(self, metric: str | None = None) -> pd.DataFrame:
        """Mean of every model with its bootstrap interval; or the one number of all lists with its jackknife interval.

        Parameters
        ----------
        metric : str, optional
            A label such as "ndcg@10", or its name alone. Without it: all metrics, and more counts.

        Returns
        -------
        With a metric: index `model`, columns mean, low, high, users (those with a value). Without: index (model,
        metric), and also warm, cold, left_out. NaN where nobody has a value; an interval needs two users.
        """
        columns = self._columns(product(self.models, self.metrics))
        known = self.per_user.notna().reindex(columns=columns, fill_value=True).to_numpy()
        counts = {
            "users": known.sum(axis=0),
            "warm": known[self.warm].sum(axis=0),
            "cold": known[~self.warm].sum(axis=0),
        }
        table = self._intervals.reindex(columns).assign(**counts, left_out=len(known) - counts["users"])
        if metric is None:
            return table
        return table.xs(self.label_of(metric), level="metric")[["mean", "low", "high", "users"]]

    def versus(self, baseline: str, metric: str | None = None) -> pd.DataFrame:
        """Every other model minus the baseline, user by user: is the difference more than chance?

        A measure of all lists has no differences by user: its interval and p come from leaving the same groups of users
        out of both models' lists, and it has no effect size.

        Parameters
        ----------
        baseline : str
            Name of a model.
        metric : str, optional
            As for `table`. Without it: all metrics.

        Returns
        -------
        Index `model` (or model and metric), columns

        - difference, low, high: mean paired difference and its bootstrap interval
        - p: paired sign-flip permutation test; p_holm: corrected for the number of models, within each metric
        - effect: Cohen's d_z; users: those for whom both models have a value

        Raises
        ------
        KeyError  for a model or metric that was not compared
        """
        _known("model", baseline, self.models)
        if len(self.models) == 1:
            raise ValueError(f"versus needs a second model beside the baseline, got {self.models}")
        labels = self.metrics if metric is None else [self.label_of(metric)]
        columns = list(product([m for m in self.models if m != baseline], labels))
        table = pd.concat(
            [
                self._paired(baseline, [(m, label) for m, label in columns if label not in self.of_lists]),
                self._without_groups(baseline, [(m, label) for m, label in columns if label in self.of_lists]),
            ]
        ).reindex(self._columns(columns))
        p_holm = table.groupby(level="metric")["p"].transform(lambda p: adjust(p.to_numpy()))
        table.insert(table.columns.get_loc("p") + 1, "p_holm", p_holm)
        return table if metric is None else table.droplevel("metric")

    def verdict(self, model: str, baseline: str, metric: str | None = None, *, level: float = 0.05) -> str:
        """One sentence: is the model above or below the baseline, or can the two not be told apart?

        Parameters
        ----------
        model, baseline : names of two models
        metric : str, optional
            A label or its name. Default: the first metric.
        level : float, 0 to 1
            The corrected p (`p_holm` of `versus`) must be below it for a difference to count.

        Returns
        -------
        The sentence, with the mean paired difference, its interval and the corrected p.
        """
        _known("model", model, self.models)
        row = self.versus(baseline, metric or self.metrics[0]).loc[model]
        span = f"{row['difference']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f}), p = {row['p_holm']:.4f}"
        if not row["p_holm"] < level:
            return f"{model} cannot be told from {baseline}: {span}"
        return f"{model} is {'above' if row['difference'] > 0 else 'below'} {baseline}: {span}"

    def take(self, rows: slice | np.ndarray) -> "Comparison":
        """The comparison for some of its users (a slice, positions, or a mask (B,)), e.g. `found.take(found.warm)`."""
        at = np.arange(len(self.per_user))[rows]
        lists = {name: _rows(lists, at) for name, lists in self.lists.items()}
        return replace(self, per_user=self.per_user.iloc[at], lists=lists, warm=self.warm[at])

    def latex(
        self,
        metric: str | None = None,
        *,
        baseline: str | None = None,
        digits: int = 4,
        lower_is_better: Collection[str] = ("gini", "calibration"),
        no_best: Collection[str] = ("average_price", "popularity_percentile"),
    ) -> str:
        """The table as LaTeX in the booktabs style: means and intervals, the best model in bold.

        Parameters
        ----------
        metric : str, optional
            As for `table`: then the columns are mean, interval and users. Without it every metric has a column, with
            half the width of its interval behind the mean.
        baseline : str, optional
            Name of a model: others get a star where they differ from it, by `p_holm` below 0.05 in `versus`.
        digits : int
            Behind the point.
        lower_is_better, no_best : names or labels of metrics
            Their lowest mean is the best; none of their means is.

        Returns
        -------
        A tabular, to be put into a table of yours; it needs \\usepackage{booktabs}. NaN is "--".
        """
        marked, notes = set(), [render.escape(self.note)]
        if baseline is not None:
            against = self.versus(baseline, metric)
            marked = set(against.index[against["p_holm"] < 1 - LEVEL])
            test = f"differs from {baseline}, p < 0.05 (paired permutation test over users, Holm's correction)"
            notes.append(f"$^{{*}}$ {render.escape(test)}")
        if metric is None:
            return render.overview(self.table(), digits, lower_is_better, no_best, marked, notes)
        label = self.label_of(metric)
        return render.one_metric(self.table(label), label, digits, lower_is_better, no_best, marked, notes)

    def plot(self, ax: "Axes", metric: str | Sequence[str] | None = None) -> "Axes":
        """Dots with intervals: one metric with a row per model, or several side by side in colours; returns the Axes.

        Parameters
        ----------
        metric : str or several, optional
            Default: the first metric. Several should have a common scale, such as ndcg and recall.
        """
        from reco_utils.plots import intervals, side_by_side  # only who draws waits for matplotlib

        if metric is None or isinstance(metric, str):
            label = self.label_of(metric or self.metrics[0])
            ax = intervals(ax, self.table(label))
            ax.set_xlabel(label)
            return ax
        ax = side_by_side(ax, {self.label_of(name): self.table(name) for name in metric})
        ax.legend()
        return ax

    def export(self, path: str | os.PathLike) -> Path:
        """Write the table, the configuration and the seed as JSON, and the per-user values as Parquet beside it.

        Each file is put in place whole. The JSON comes last and holds the SHA-256 of the Parquet file, so the two are
        known to belong together.

        Parameters
        ----------
        path : path ending in .json
            The Parquet file has the same name with the ending .parquet; its columns are `model | metric`.

        Returns
        -------
        Path  of the JSON file
        """
        path = Path(path)
        if path.suffix != ".json":
            raise ValueError(f"path must end in .json, got {path.name!r}; the per-user values go beside it as .parquet")
        values = self.per_user.set_axis(
            [" | ".join(map(str, column)) for column in self.per_user.columns], axis=1
        ).reset_index()
        buffer = io.BytesIO()
        values.to_parquet(buffer, index=False)
        per_user = path.with_suffix(".parquet")
        record = {
            "reco_utils": __version__, "k": self.k, "metrics": self.metrics, **self.config, "seed": self.seed,
            "n_resamples": N_RESAMPLES, "n_permutations": N_PERMUTATIONS, "n_groups": N_GROUPS, "level": LEVEL,
            "note": self.note,
            "table": self.table().reset_index().to_dict("records"),
            "per_user": {"file": per_user.name, "sha256": hashlib.sha256(buffer.getvalue()).hexdigest()},
        }  # fmt: skip
        _put_in_place(per_user, buffer.getvalue())
        _put_in_place(path, json.dumps(_plain(record), indent=1, allow_nan=False).encode())
        return path

    def __repr__(self) -> str:
        return f"{self.table().round(4).to_string()}\n{self.note}"

    def _repr_html_(self) -> str:
        return f"{self.table().round(4).to_html()}<p>{self.note}</p>"

    @cached_property
    def _intervals(self):
        """Mean or number, low and high (models x metrics)."""
        means = _mean_and_interval(self.per_user.to_numpy(float), self.per_user.columns, self._rng(0))
        value, without = self._numbers.iloc[0], self._numbers.iloc[1:]
        low, high, _ = jackknife_interval(value, without, level=LEVEL)
        return pd.concat([means, pd.DataFrame({"mean": value, "low": low, "high": high})])

    @cached_property
    def _numbers(self):
        """Measures of all lists (1 + groups, models x of_lists): from all users, then without each group of them."""
        groups = groups_of(len(self.per_user), rng=self._rng(2), n=N_GROUPS)
        parts = [slice(None), *(groups != g for g in np.unique(groups))]
        models = self.models if self.of_lists else []
        values = np.empty((len(parts), len(models), len(self.of_lists)))
        for n, part in enumerate(parts):
            for m, model in enumerate(models):
                lists = _rows(self.lists[model], part)
                values[n, m] = [measure(lists) for measure in self.of_lists.values()]
        columns = self._columns(product(models, self.of_lists))
        return pd.DataFrame(values.reshape(len(parts), len(columns)), columns=columns)

    def _paired(self, baseline, columns):
        """What `versus` says of measures with a value per user."""
        gained = self.per_user[columns].to_numpy() - self.per_user[[(baseline, c) for _, c in columns]].to_numpy()
        table = _mean_and_interval(gained, self._columns(columns), self._rng(0)).rename(columns={"mean": "difference"})
        table["p"] = paired_permutation(gained, rng=self._rng(1), n=N_PERMUTATIONS)
        return table.assign(effect=effect_size(gained), users=(~np.isnan(gained)).sum(axis=0))

    def _without_groups(self, baseline, columns):
        """What `versus` says of measures of all lists."""
        gained = self._numbers[columns].to_numpy() - self._numbers[[(baseline, c) for _, c in columns]].to_numpy()
        low, high, p = jackknife_interval(gained[0], gained[1:], level=LEVEL)
        found = {"difference": gained[0], "low": low, "high": high, "p": p, "effect": np.nan, "users": len(self.warm)}
        return pd.DataFrame(found, index=self._columns(columns))

    def _rng(self, stream):
        """Stream 0 draws users, stream 1 signs, stream 2 groups."""
        return np.random.default_rng([self.seed, stream])

    def _columns(self, columns):
        return pd.MultiIndex.from_tuples(list(columns), names=self.per_user.columns.names)


def compare(
    pipelines: Mapping[str, Recommender | Pipeline | Callable | TopK],
    split: Split,
    metrics: Sequence[str | Metric | ListMetric] | Mapping[str, Metric | ListMetric] = ("ndcg", "recall"),
    k: int = 10,
    *,
    rng: np.random.Generator,
) -> Comparison:
    """Lists of every model for every user of the split, measured against what the users did next.

    Nothing is trained here: fit the models on `split.train` first. Whether lists may repeat what a user already has is
    the split's to say (`split.keep_seen`), for models and pipelines; a function of (batch, k) sees to it itself.

    Parameters
    ----------
    pipelines : mapping of name to model
        A fitted model, a Pipeline around one, a function (batch, k) -> TopK, or ready lists. Tables keep the order.
    split : Split
    metrics : names, labels and functions, or mapping of label to function
        "ndcg" means "ndcg@k"; see `accuracy.measure` for the names and `beyond` for functions, such as
        `Coverage(n_items)`. A function of (lists, truth) gives (B,), one number per user. A function that needs the
        lists alone gives (B,), or one number for all lists; these must grow or fall smoothly with single users, as
        coverage and Gini do and a median of all lists does not, for their intervals to hold. Both are labelled by
        their `label` or name, "coverage@k".
    k : int, at least 1
        Length of the lists.
    rng : Generator
        One seed is drawn from it, for all intervals and tests. The same generator state gives the same tables.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError, ValueError  for a model that is none, lists for other users, a metric that looks beyond k or returns
        another shape; errors inside a model say whose they are

    Source: ours.
    """
    k = check_k(k)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy Generator, such as np.random.default_rng(0), got {rng!r}")
    if not pipelines:
        raise ValueError("pipelines must hold at least one model, got none")
    wanted = _wanted(metrics, k)
    state = rng.bit_generator.state
    config = {
        "models": {name: _describe(p) for name, p in pipelines.items()},
        "split": _describe_split(split),
        "rng": state,
        "functions": {label: _describe(metric) for label, metric in wanted.items() if callable(metric)},
    }
    lists, per_user, of_lists = {}, {}, {}
    for name, pipeline in pipelines.items():
        try:
            lists[name] = _lists(pipeline, split, k)
            values = _values(wanted, lists[name], split.truth)
        except Exception as error:
            error.add_note(f"while judging {name!r}")
            raise
        per_user |= {(name, label): value for label, value in values.items() if value.ndim}
        of_lists |= {label: wanted[label] for label, value in values.items() if not value.ndim}
    columns = pd.MultiIndex.from_tuples(list(per_user), names=["model", "metric"])
    per_user = pd.DataFrame(per_user, pd.Index(split.batch.users, name=USER)).set_axis(columns, axis=1)
    warm = split.batch.n_items > 0
    return Comparison(per_user, lists, warm, k, int(rng.integers(2**63)), config, of_lists)


# ---------------------------------------------------------------------------------------------------- lists and values
def _lists(pipeline, split, k):
    """The lists of one model, pipeline, function, or the lists themselves; checked, and cut to k."""
    if isinstance(pipeline, TopK):
        lists = pipeline
    elif isinstance(pipeline, type) or not (hasattr(pipeline, "score") or callable(pipeline)):
        raise TypeError(
            f"a pipeline must be a fitted model, a Pipeline, a function (batch, k) or lists, got {pipeline!r}"
        )
    elif isinstance(pipeline, Pipeline):
        lists = pipeline(split.batch, k, keep_seen=split.keep_seen)
    elif hasattr(pipeline, "score"):
        lists = recommend(pipeline, split.batch, k, keep_seen=split.keep_seen)
    else:
        lists = pipeline(split.batch, k)
    if not isinstance(lists, TopK):
        raise TypeError(f"lists must come as a TopK, got {type(lists).__name__}")
    if not np.array_equal(lists.users, split.batch.users):
        raise ValueError(f"lists must be for the {len(split.batch)} users of the split, in their order")
    if lists.k < k:
        raise ValueError(f"lists must hold at least k={k} places, got {lists.k}; pad them with -1")
    return lists.cut(k)


def _rows(lists, at):
    """Some of the lists: a slice, positions, or a mask (B,)."""
    notes = {name: values[at] for name, values in lists.notes.items()}
    return TopK(lists.users[at], lists.items[at], lists.scores[at], notes)


def _wanted(metrics, k) -> dict[str, str | Callable]:
    """Label -> label again, for `measure`, or function; what is neither is refused here."""
    wanted = dict(metrics) if isinstance(metrics, Mapping) else {}
    single = isinstance(metrics, str) or callable(metrics)
    for metric in () if wanted else [metrics] if single else metrics:
        label = _named(metric, k)
        value = label if isinstance(metric, str) else metric
        if wanted.setdefault(label, value) != value:
            raise ValueError(f"two metrics are called {label!r}; give one of them another label")
    if not wanted:
        raise ValueError(f"metrics must hold at least one of {list(NAMES)} or a function, got none")
    for label, metric in wanted.items():
        if not (callable(metric) or isinstance(metric, str)):
            raise TypeError(f"a metric must be a label or a function, got {metric!r} for {label!r}")
        if isinstance(metric, str) and parse_label(metric)[1] > k:
            raise ValueError(f"{metric} looks beyond the lists of k={k}; pass a larger k")
    return wanted


def _named(metric, k):
    """The label of a metric that was given without one."""
    inner = metric.func if isinstance(metric, partial) else metric
    name = metric if isinstance(metric, str) else getattr(inner, "label", None) or getattr(inner, "__name__", metric)
    return name if "@" in str(name) else f"{name}@{k}"


def _values(wanted, lists, truth) -> dict[str, np.ndarray]:
    """Label -> (B,), or a single number for all lists."""
    labels = [metric for metric in wanted.values() if isinstance(metric, str)]
    known = measure(lists, truth, labels) if labels else {}
    return {
        label: known[metric].to_numpy() if isinstance(metric, str) else _called(metric, label, lists, truth)
        for label, metric in wanted.items()
    }


def _called(metric, label, lists, truth):
    """What a function makes of the lists, with the truth if it takes two arguments."""
    needed = [p for p in inspect.signature(metric).parameters.values() if p.default is p.empty]
    alone = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in needed) == 1
    found = np.asarray(metric(lists) if alone else metric(lists, truth), float)
    if found.shape != (len(lists),) and not (alone and found.ndim == 0):
        raise ValueError(
            f"metric {label!r} must return one number per list, ({len(lists)},){', or one for all' * alone}, "
            f"got {found.shape}"
        )
    return found


def _mean_and_interval(values, columns, rng):
    """DataFrame (columns; mean, low, high) of per-user values (B, columns)."""
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    mean = np.where(n > 0, np.where(known, values, 0).sum(axis=0) / np.maximum(n, 1), np.nan)
    low, high = bootstrap_interval(values, rng=rng, n=N_RESAMPLES, level=LEVEL)
    return pd.DataFrame({"mean": mean, "low": low, "high": high}, index=columns)


def _known(word, name, names, asked=None):
    """The name, or a KeyError that suggests the nearest."""
    if name not in names:
        near = "".join(f"did you mean {n!r}? " for n in get_close_matches(name, names, n=1))
        raise KeyError(f"no {word} {asked or name!r} in this comparison; {near}it has {names}")
    return name


# ------------------------------------------------------------------------------------------------------ for the record
def _describe_split(split):
    report = split.report.to_dict()
    counts = {"users": len(split.batch), "items": len(split.train.items), "truths": int(split.truth.nnz)}
    return {"target": split.target, "keep_seen": split.keep_seen, "asof": split.train.asof, **counts, "report": report}


def _describe(thing):
    """A model as its type and hyperparameters, all the way down; arrays as their shape, functions as their name."""
    if is_dataclass(thing) and not isinstance(thing, (type, TopK)):
        found = {f.name: _describe(getattr(thing, f.name)) for f in fields(thing) if not f.name.endswith("_")}
        return {"type": f"{type(thing).__module__}.{type(thing).__qualname__}", **found}
    if isinstance(thing, partial):
        return {"type": _describe(thing.func), "args": _describe(thing.args), **_describe(thing.keywords)}
    if isinstance(thing, Mapping):
        return {str(key): _describe(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_describe(value) for value in thing]
    if isinstance(thing, (str, int, float, bool, type(None), np.generic, pd.Timestamp, Path)):
        return thing
    if hasattr(thing, "__qualname__"):
        return f"{thing.__module__}.{thing.__qualname__}"
    shape = getattr(thing, "shape", None)
    return f"{type(thing).__module__}.{type(thing).__qualname__}" + f" of shape {shape}" * (shape is not None)


def _plain(value):
    """What JSON can hold: NaN and infinity become null, numpy numbers plain ones, anything else its text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def _put_in_place(path, content: bytes):
    """Write beside the target, then rename: a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
