"""How good are the models? Every model on every dataset, tuned on the validation split, judged once on the test split.

    python benchmarks/quality.py --out runs/quality
    python benchmarks/quality.py --datasets shop --models user-kNN item-kNN --quick

Prints a Markdown page with one table per dataset, and writes it to OUT/README.md, with the numbers behind each table as
JSON and Parquet beside it (`Comparison.export`). The split is the dataset's own, every item of the catalogue is ranked,
and a user for whom a model has no list counts as 0.

Each model gets the small grid written down here, the winner by NDCG@10 on validation. Composites are made of models
as tuned: the hybrid of content and the best neighbourhood or the best factor model of validation, whichever does it
better there, the cascade of the best popularity, content, and that hybrid on top.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from reco_utils.core import Dataset, Recommender, Tables, recommend
from reco_utils.data.clean import clean
from reco_utils.data.debias import keep_popular
from reco_utils.data.registry import load_dataset
from reco_utils.data.split import make_split
from reco_utils.evaluate.beyond import Coverage, Diversity
from reco_utils.evaluate.compare import Comparison, compare
from reco_utils.evaluate.tune import try_settings
from reco_utils.models.als import ALSRecommender
from reco_utils.models.cascade import CascadeRecommender, leaning_bands
from reco_utils.models.content import ContentRecommender
from reco_utils.models.fitted import FrozenRecommender
from reco_utils.models.hybrid import HybridRecommender
from reco_utils.models.ials import IALSRecommender
from reco_utils.models.knn import ItemKNNRecommender, UserKNNRecommender
from reco_utils.models.linear import EASERecommender, RP3betaRecommender, SLIMRecommender
from reco_utils.models.popularity import CohortRecommender, PopularityRecommender

DATASETS = ("shop", "online-retail", "online-retail, seen allowed", "movielens-latest-small", "retailrocket")
MORE = ("amazon-2018-gift-cards",)  # small: only when asked for
SEEN_ALLOWED = ", seen allowed"  # the same data, lists may repeat what a user already has
K = 10


class Contender(NamedTuple):
    """A model, what is tried of it, and the tuned parts it needs.

    `kind(parts)` returns a function of the settings that makes an unfitted model.
    """

    kind: Callable[[dict[str, FrozenRecommender]], Callable[..., Recommender]]
    grid: dict[str, tuple]
    needs: tuple[str, ...] = ()


def plain(model: type) -> Callable:
    """The kind of a model that needs no parts."""
    return lambda parts: model


@dataclass
class PopularEASE(EASERecommender):
    """EASE of the `max_items` items that most users have; it has no opinion on the others."""

    def fit(self, data: Dataset) -> "PopularEASE":
        """Fit EASE as if nobody had the others."""
        return super().fit(keep_popular(data, self.max_items))


# ----------------------------------------------------------------------- contenders, the usual value of a setting first
POPULARITY = {
    "popularity, all time": Contender(plain(PopularityRecommender), {"window_days": (None,)}),
    "popularity, 7 days": Contender(plain(PopularityRecommender), {"window_days": (7,)}),
    "popularity, cohort": Contender(plain(CohortRecommender), {"min_users": (100, 50, 200)}),
}
NEIGHBOURS = {
    "user-kNN": Contender(
        plain(UserKNNRecommender),
        {
            "weighting": ("bm25", "none", "tfidf"),
            "n_neighbors": (50, 20, 100, 200),
            "shrinkage": (1, 0, 5),
            "votes": ("log", "weight"),
        },
    ),
    "item-kNN": Contender(
        plain(ItemKNNRecommender),
        {
            "weighting": ("bm25", "none"),
            "n_neighbors": (100, 50, 200),
            "shrinkage": (10, 0, 50),
            "half_life_days": (180, None, 60),
        },
    ),
    "RP3beta": Contender(plain(RP3betaRecommender), {"alpha": (1.0, 0.8, 0.6), "beta": (0.4, 0.2, 0.6, 0.8)}),
    "EASE": Contender(plain(PopularEASE), {"regularization": (100, 10, 300, 1000, 3000)}),
    "SLIM": Contender(plain(SLIMRecommender), {"l1": (1.0, 0.1, 5.0), "l2": (10.0, 50.0, 200.0, 1000.0)}),
}
FACTORS = {
    "ALS": Contender(plain(ALSRecommender), {"n_factors": (64, 32, 128), "alpha": (3.0, 1.0, 10.0)}),
    "iALS": Contender(
        plain(IALSRecommender),
        {"n_factors": (64, 128), "unobserved_weight": (0.1, 0.3, 1.0), "regularization": (0.01, 0.001, 0.003, 0.03)},
    ),
}
CONTENT = {
    "content": Contender(
        plain(ContentRecommender), {"damping": ("log", "none", "one"), "half_life_days": (None, 90, 14)}
    )
}


def hybrid(parts: dict[str, FrozenRecommender]) -> Callable:
    """A hybrid of content and one of the two collaborative parts."""
    return lambda collab, **settings: HybridRecommender(parts[collab], parts["content"], **settings)


def cascade(parts: dict[str, FrozenRecommender]) -> Callable:
    """A cascade from the best popularity to the tuned hybrid that leans on it."""

    def make(worth):
        bands = partial(leaning_bands, personal=parts["hybrid"], crowd=parts["popularity"], worth=worth)
        return CascadeRecommender(bands)

    return make


COMPOSITES = {
    "hybrid": Contender(
        hybrid,
        {
            "collab": ("factors", "neighbours"),
            "collab_share": (0.8, 0.6, 0.7, 0.9, 0.95),
            "popularity_share": (0.05, 0.0, 0.1),
            "scale": ("minmax", "rank"),
        },
        needs=("factors", "neighbours", "content"),
    ),
    "cascade": Contender(cascade, {"worth": (1, 0.5, 3, 10)}, needs=("popularity", "hybrid")),
}
COLLABORATIVE = NEIGHBOURS | FACTORS
PARTS = {
    "neighbours": NEIGHBOURS,
    "factors": FACTORS,
    "popularity": POPULARITY,
    "content": CONTENT,
    "hybrid": ("hybrid",),
}
WORDS = {"text", "category", "brand", "price"}  # what a dataset must offer one of for content to have an opinion
CONTENDERS = POPULARITY | CONTENT | COLLABORATIVE | COMPOSITES


# ---------------------------------------------------------------------------------------------------------- one dataset
class Found(NamedTuple):
    """A contender after tuning: its settings, its mean on validation, and how many settings were tried."""

    settings: dict
    validation: float
    tried: int


def load(name: str) -> Tables:
    """The tables of a dataset, cleaned; with SEEN_ALLOWED in its name, lists may repeat what a user already has."""
    tables = clean(load_dataset(name.removesuffix(SEEN_ALLOWED)))
    if name.endswith(SEEN_ALLOWED):
        tables = replace(tables, defaults=replace(tables.defaults, keep_seen=True))
    return tables


def leaderboard(name: str, models: list[str], *, quick: bool) -> tuple[Comparison, dict[str, Found]]:
    """Tune every model on validation, fit it with the winning settings for the test, and compare the lists."""
    tables = load(name)
    practice, exam = make_split(tables, part="validation"), make_split(tables)
    found, lists, parts = {}, {}, {practice: {}, exam: {}}
    for model in models:
        begin, contender = time.perf_counter(), CONTENDERS[model]
        if missing := [name for name in contender.needs if name not in parts[exam]]:
            print(f"{name}: {model} is left out, it needs {missing}", flush=True)
            continue
        grid = {key: values[:1] for key, values in contender.grid.items()} if quick else contender.grid
        tried = try_settings(contender.kind(parts[practice]), practice, grid, rng=fixed())
        found[model] = Found(tried.best, float(tried.table()["mean"].max()), len(tried.settings))
        part = part_played(model, found)
        for split in (practice, exam) if part else (exam,):
            fitted = contender.kind(parts[split])(**tried.best).fit(split.train)
            if part:
                parts[split][part] = FrozenRecommender(fitted, split.train)
        lists[model] = recommend(fitted, exam.batch, K, keep_seen=exam.keep_seen)
        print(f"{name}: {model}, {len(tried.settings)} settings, {time.perf_counter() - begin:.0f} s", flush=True)
    words = ContentRecommender().fit(exam.train).vectors_
    measures = ("ndcg", "recall", Coverage(len(exam.train.items)), Diversity(words))
    compared = compare(lists, exam, measures, K, rng=fixed())
    chosen = {model: found[model]._asdict() for model in lists}
    facts = {"dataset": name, "chosen": chosen, "remarks": remarks(tables, exam.train)}
    return replace(compared, config=compared.config | facts), found


def remarks(tables: Tables, train: Dataset) -> list[str]:
    """What must be known to read the table."""
    found, taken, sold = [], PopularEASE().max_items, len(np.unique(train.weights.indices))
    if sold > taken:
        found.append(f"EASE sees only the {taken:,} items that most users have, of {sold:,} with a history.")
    if not WORDS & tables.offers:
        found.append(
            "Nothing is known of the items: content is silent, the hybrid is its other part, diversity unknown."
        )
    return found


def fixed() -> np.random.Generator:
    """Random numbers for intervals and tests, the same in every run."""
    return np.random.default_rng(0)


def part_played(model: str, found: dict[str, Found]) -> str | None:
    """What the model is to the composites, if it is the best of its kind so far."""
    for part, family in PARTS.items():
        if model in family and model == best_of(family, found):
            return part
    return None


def best_of(family, found: dict[str, Found]) -> str:
    """The member with the highest mean on validation."""
    return max((model for model in family if model in found), key=lambda model: found[model].validation)


# ------------------------------------------------------------------------------------------------------------- the page
def page(name: str, compared: Comparison, found: dict[str, Found]) -> str:
    """One dataset in Markdown: the table, the favourite against the rest, the hoped-for order, the settings."""
    favourite = best_of(found, found)
    parts = [f"## {name}", compared.note + ".", table(compared, found, favourite)]
    parts += compared.config["remarks"]
    if len(found) > 1:
        parts.append("\n".join(f"- {line}" for line in order(compared, found)))
    parts.append("\n".join(f"- {model}: {settings(found[model])}" for model in found))
    return "\n\n".join(parts) + "\n"


def table(compared: Comparison, found: dict[str, Found], favourite: str) -> str:
    """A row per model, its means with 95 % intervals, and its paired difference to the favourite of validation."""
    rows = ["| model | validation | NDCG@10 | warm users | recall@10 | coverage@10 | diversity@10 | to the favourite |"]
    rows.append("|---" * 8 + "|")
    warm = compared.take(compared.warm).table("ndcg")["mean"] if compared.warm.any() else None
    against = compared.versus(favourite, "ndcg") if len(found) > 1 else None
    for model in found:
        measures = ("ndcg", "recall", "coverage", "diversity")
        shown = [with_interval(compared.table(metric).loc[model]) for metric in measures]
        shown.insert(1, f"{warm[model]:.4f}" if warm is not None else "")
        gap = "**favourite**"
        if model != favourite:
            row = against.loc[model]
            gap = f"{row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}], p {row['p_holm']:.4f}"
        rows.append(f"| {model} | {found[model].validation:.4f} | {' | '.join(shown)} | {gap} |")
    return "\n".join(rows)


def with_interval(row: pd.Series) -> str:
    """0.0710 [0.0622, 0.0807]"""
    return "" if np.isnan(row["mean"]) else f"{row['mean']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"


def order(compared: Comparison, found: dict[str, Found]) -> list[str]:
    """Popularity below content, popularity and content below collaborative, all below the hybrid: does it hold?

    Each family is spoken for by its best member on validation.
    """
    families = {"popularity": POPULARITY, "content": CONTENT, "collaborative": COLLABORATIVE, "hybrid": ("hybrid",)}
    best = {name: best_of(family, found) for name, family in families.items() if found.keys() & set(family)}
    listed = compared.table("coverage")["mean"] > 0  # content is silent where nothing is known of the items
    pairs = [("content", "popularity"), ("collaborative", "popularity"), ("collaborative", "content")]
    pairs += [("hybrid", "collaborative"), ("hybrid", "content")]
    groups = {"all users": compared}
    if not compared.warm.all():
        groups["warm users"] = compared.take(compared.warm)
    return [
        f"{users}: {part.verdict(best[model], best[baseline], 'ndcg')}"
        for users, part in groups.items()
        for model, baseline in pairs
        if model in best and baseline in best and listed[best[model]] and listed[best[baseline]]
    ]


def settings(found: Found) -> str:
    """weighting=bm25, n_neighbors=100 (of 54)"""
    return ", ".join(f"{name}={value}" for name, value in found.settings.items()) + f" (of {found.tried})"


def main() -> None:
    """Read the command line, run dataset by dataset, write what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", choices=[*DATASETS, *MORE], default=list(DATASETS))
    parser.add_argument("--models", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--quick", action="store_true", help="only the first settings of every grid")
    parser.add_argument("--out", type=Path, default=Path("runs/quality"))
    chosen = parser.parse_args()
    pages = []
    for name in chosen.datasets:
        compared, found = leaderboard(name, [m for m in CONTENDERS if m in chosen.models], quick=chosen.quick)
        compared.export(chosen.out / f"{name.replace(', ', '-').replace(' ', '-')}.json")
        pages.append(page(name, compared, found))
        print(pages[-1], flush=True)
    (chosen.out / "README.md").write_text("\n".join(pages), encoding="utf-8")


if __name__ == "__main__":
    main()
