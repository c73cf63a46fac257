"""No contest: off-policy estimates, interleaving and bandits against the truth that only the built-in shop knows.

    python benchmarks/offpolicy.py --logs 1000 --save offpolicy.json

Shoppers answer by the shop's own response model (`ShopTastes.respond_at`); popularity is running with a share of
explored places, and ALS, the hybrid and popularity itself are judged from its log. Prints Markdown tables:

- estimates: bias, root mean square error and width in percent of the truth, and how often the 95 % interval held it
- interleaving beside an A/B test of the same number of sessions: how often each finds the better list
- bandits: clicks lost against the best fixed arm and against an oracle that knows the best arm of every session
"""

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from reco_utils.core import Dataset, TopK, UserBatch, recommend
from reco_utils.data.registry import load_dataset
from reco_utils.data.split import make_split
from reco_utils.experiment.bandits import Always, EpsilonGreedyArms, LinUCB, ThompsonArms, play
from reco_utils.experiment.impressions import epsilon_greedy_chances, log_lists
from reco_utils.experiment.interleave import preference, team_draft
from reco_utils.experiment.offpolicy import evaluate_offline, item_means
from reco_utils.models.als import ALSRecommender
from reco_utils.models.hybrid import HybridRecommender
from reco_utils.models.popularity import PopularityRecommender
from reco_utils.rerank.explore import EpsilonGreedy

K = 10
BANNERS = 5  # items in a category's banner


class World(NamedTuple):
    """The shop with its truth, and lists of three models for all its users; items are positions in `data`."""

    tastes: object
    lists: dict[str, TopK]
    pool: TopK
    batch: UserBatch
    data: Dataset
    looks: np.ndarray  # (U, K) P(place is looked at)
    at: np.ndarray  # (I + 1,) the shop's own positions of the items of `data`, -1 of padding


def make_world(size: str, seed: int) -> World:
    """Models fitted on the training part; the pool of a user is the union of what any of them would show."""
    tables = load_dataset("shop", size=size, seed=seed)
    data, tastes = make_split(tables).train, tables.tastes
    batch = data.batch(tastes.users)
    models = {"popularity": PopularityRecommender(), "ALS": ALSRecommender(), "hybrid": HybridRecommender()}
    lists = {name: recommend(model.fit(data), batch, K) for name, model in models.items()}
    lists = {name: filled(each, lists["popularity"]) for name, each in lists.items()}
    looks = np.arange(1, K + 1) ** -np.take(tastes.model.decay, tastes.user_device)[:, None]
    at = np.append(tastes.items.get_indexer(data.items), -1)
    return World(tastes, lists, together(lists.values()), batch, data, np.round(looks, 6), at)


def filled(lists: TopK, floor: TopK) -> TopK:
    """The lists, and those of `floor` for users whose list is not full: nobody gets an empty page."""
    short = (lists.items < 0).any(axis=1, keepdims=True)
    return TopK(lists.users, np.where(short, floor.items, lists.items), np.where(short, floor.scores, lists.scores))


def together(lists) -> TopK:
    """The union of lists of the same users, as one longer list."""
    lists = list(lists)
    items = np.sort(np.concatenate([each.items for each in lists], axis=1), axis=1)
    items[:, 1:][items[:, 1:] == items[:, :-1]] = -1
    return TopK(lists[0].users, items, np.where(items >= 0, 0, np.nan).astype(np.float32))


def rows_of(lists: TopK, users: np.ndarray) -> TopK:
    """Lists of sessions: those of the users who come."""
    notes = {name: note[users] for name, note in lists.notes.items()}
    return TopK(pd.RangeIndex(len(users)), lists.items[users], lists.scores[users], notes)


def clicks_of(world: World, lists: TopK) -> np.ndarray:
    """Expected clicks (U, K) of every user on her list: the truth."""
    chances = world.tastes.chances_at(np.arange(len(world.tastes.users)), world.at[lists.items])
    return chances.examine * chances.click


# ----------------------------------------------------------------------------------------------------------- estimates
def a_log(world: World, epsilon: float, n_users: int, visits: int, rng):
    """A log of popularity with explored places, by users drawn with replacement who come `visits` times each.

    Whoever is drawn twice counts as two people: the shop's users are the population, a log is a sample of them.

    Returns
    -------
    Log, the lists of every model for its users, and P(place is looked at) (n, K)
    """
    drawn = rng.integers(0, len(world.tastes.users), n_users)
    lists = {name: rows_of(each, drawn) for name, each in world.lists.items()}
    pool, who = rows_of(world.pool, drawn), np.repeat(np.arange(n_users), visits)
    policy = EpsilonGreedy(rows_of(pool, who), epsilon, rng=rng)
    shown = policy(rows_of(lists["popularity"], who), world.batch[drawn[who]], K)
    clicked = world.tastes.respond_at(drawn[who], world.at[shown.items], rng=rng).clicked
    places = epsilon_greedy_chances(lists["popularity"], pool, epsilon, K)
    return log_lists(shown, clicked, users=who, places=places), lists, world.looks[drawn[who]]


def estimates_of(world: World, log, lists, looks) -> pd.DataFrame:
    """Every policy by every estimator: index (policy, assume, estimator)."""
    model = item_means(log, len(world.data.items), examination=looks)
    tables = {
        assume: evaluate_offline(log, lists, model=model, assume=assume, examination=looks)
        for assume in ("place", "examination")
    }
    tables["place"] = tables["place"].drop("direct", level="estimator")  # the same under both
    return pd.concat(tables, names=["assume"]).swaplevel(0, 1)


def coverage(world: World, *, epsilon: float, n_users: int, visits: int, logs: int, seed: int = 0) -> pd.DataFrame:
    """Bias, error, width and coverage of each estimator over many logs, see `a_log`."""
    truth = {name: clicks_of(world, lists).sum(axis=1).mean() for name, lists in world.lists.items()}
    found = {}
    for number in range(logs):
        rng = np.random.default_rng([seed, number])
        found[number] = estimates_of(world, *a_log(world, epsilon, n_users, visits, rng))
    rows = {}
    for key, each in pd.concat(found).groupby(level=[1, 2, 3], sort=False):
        value, low, high, matched, ess = each[["value", "low", "high", "matched", "ess"]].to_numpy().T
        right = truth[key[0]]
        rows[key] = {
            "truth": right,
            "bias %": 100 * (value.mean() / right - 1),
            "bias error %": 100 * value.std() / right / np.sqrt(logs),
            "rmse %": 100 * np.sqrt(((value - right) ** 2).mean()) / right,
            "width %": 100 * (high - low).mean() / right,
            "held %": 100 * ((low <= right) & (right <= high)).mean(),
            "matched": matched.mean(),
            "ess": ess.mean(),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["policy", "assume", "estimator"])


# -------------------------------------------------------------------------------------------------------- interleaving
def sensitivity(world: World, a: str, b: str, *, sizes, tests: int, seed: int = 0) -> pd.DataFrame:
    """How often an A/B test of clicks per session and interleaving find the better list, by sessions in all."""
    better = np.sign(clicks_of(world, world.lists[b]).sum() - clicks_of(world, world.lists[a]).sum())
    rows = {}
    for n in sizes:
        found = np.zeros((tests, 2))
        for number in range(tests):
            rng = np.random.default_rng([seed, n, number])
            users = rng.permutation(np.resize(rng.permutation(len(world.tastes.users)), n))
            pair = [rows_of(world.lists[name], users) for name in (a, b)]
            found[number] = _ab_finds(world, pair, users, better, rng), _draft_finds(world, pair, users, better, rng)
        rows[n] = dict(zip(("A/B %", "interleaving %"), 100 * found.mean(axis=0)))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("sessions")


def _ab_finds(world, pair, users, better, rng) -> bool:
    """Does a two-sided z-test of clicks per session at 5 % point the right way?"""
    half = len(users) // 2
    shown = np.concatenate([pair[0].items[:half], pair[1].items[half:]])
    clicks = world.tastes.respond_at(users, world.at[shown], rng=rng).clicked.sum(axis=1)
    first, second = clicks[:half], clicks[half:]
    error = np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))
    return better * (second.mean() - first.mean()) > norm.ppf(0.975) * error


def _draft_finds(world, pair, users, better, rng) -> bool:
    """Does the sign test of interleaved lists at 5 % point the right way?"""
    lists = team_draft(*pair, K, rng=rng)
    clicked = world.tastes.respond_at(users, world.at[lists.items], rng=rng).clicked
    found = preference(clicked, lists.notes["team"])
    return found.p_value < 0.05 and better * (found.wins_b - found.wins_a) > 0


# ------------------------------------------------------------------------------------------------------------- bandits
def banners(world: World) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Arms: the bestsellers of each category, shown as a banner. Names, P(a click) (U, A), and contexts (U, A + 1).

    The context is what the shop knows: the share of each category in a user's history, and 1.
    """
    data, users = world.data, np.arange(len(world.tastes.users))
    labels = data.catalog["category"].to_numpy(object)
    names, sold = sorted(set(labels)), np.asarray(data.weights.sum(axis=0)).ravel()
    chances, shares = [], []
    for name in names:
        own = np.flatnonzero(labels == name)
        items = world.at[own[np.argsort(-sold[own], kind="stable")[:BANNERS]]]
        steps = world.tastes.chances_at(users, np.tile(items, (len(users), 1)))
        chances.append(1 - (1 - steps.examine * steps.click).prod(axis=1))
        shares.append(np.asarray(world.batch.history[:, own].sum(axis=1)).ravel())
    shares = np.stack(shares, axis=1)
    known = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
    return names, np.stack(chances, axis=1), np.column_stack([known, np.ones(len(users))])


def lists_as_arms(world: World) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Arms: the three models. Names, P(at least one click) (U, 3), and contexts: 1 and how long the history is."""
    chances = [1 - (1 - clicks_of(world, lists)).prod(axis=1) for lists in world.lists.values()]
    lengths = np.log1p(world.batch.n_items)
    context = np.column_stack([np.ones(len(lengths)), lengths, lengths == 0])
    return list(world.lists), np.stack(chances, axis=1), context


def regrets(arms, *, n: int, runs: int, batch: int, seed: int = 0) -> pd.DataFrame:
    """Clicks per 100 sessions, and clicks lost to the best fixed arm and to the oracle, mean of some runs."""
    names, chances, contexts = arms
    n_arms, best = len(names), int(chances.mean(axis=0).argmax())
    makers = {
        "chosen evenly": lambda: EpsilonGreedyArms(n_arms, 1.0),
        "epsilon-greedy 0.1": lambda: EpsilonGreedyArms(n_arms, 0.1),
        "Thompson": lambda: ThompsonArms(n_arms),
        "LinUCB 0.5": lambda: LinUCB(n_arms, contexts.shape[1], alpha=0.5),
        "LinUCB 1": lambda: LinUCB(n_arms, contexts.shape[1]),
        f"always {names[best]} (best fixed)": lambda: Always(n_arms, best),
    }
    rows = {}
    for name, make in makers.items():
        found = []
        for number in range(runs):
            users = np.random.default_rng([seed, number, 0]).integers(0, len(chances), n)
            run = play(make(), contexts[users], chances[users], rng=np.random.default_rng([seed, number]), batch=batch)
            ends = [run.regret_fixed[-1], run.regret_oracle[-1], run.regret_fixed[-1] - run.regret_fixed[n // 2]]
            found.append([100 * (chances[users].max(axis=1).sum() - run.regret_oracle[-1]) / n, *ends])
        columns = ("clicks per 100", "lost to best fixed", "lost to oracle", "to best fixed, 2nd half")
        rows[name] = dict(zip(columns, np.mean(found, axis=0))) | {"sd of lost to best fixed": np.std(found, axis=0)[1]}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("bandit")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="medium")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", nargs="+", default=["estimates", "interleaving", "bandits"])
    parser.add_argument("--epsilon", type=float, default=0.12)
    parser.add_argument("--users", type=int, default=5000, help="in a log")
    parser.add_argument("--visits", type=int, default=4, help="of each user in a log")
    parser.add_argument("--logs", type=int, default=1000)
    parser.add_argument("--tests", type=int, default=500)
    parser.add_argument("--tested", type=int, nargs="+", default=[50, 100, 250, 500, 1000, 2000, 4000, 8000, 16000])
    parser.add_argument("--plays", type=int, nargs=2, default=[50_000, 20], help="sessions of a bandit, runs")
    parser.add_argument("--save", type=Path, help="a JSON file")
    options = parser.parse_args()
    world, tables, began = make_world(options.size, options.seed), {}, time.perf_counter()
    if "estimates" in options.parts:
        title = f"{options.logs:,} logs of {options.users:,} users x {options.visits}, epsilon {options.epsilon}"
        sizes = {"n_users": options.users, "visits": options.visits, "logs": options.logs}
        tables[title] = coverage(world, epsilon=options.epsilon, **sizes)
    if "interleaving" in options.parts:
        for a, b in (("popularity", "hybrid"), ("ALS", "hybrid")):
            title = f"{a} against {b}: the better one found, {options.tests:,} tests each"
            tables[title] = sensitivity(world, a, b, sizes=options.tested, tests=options.tests)
    if "bandits" in options.parts:
        n, runs = options.plays
        for name, arms in (("categories as banners", banners(world)), ("models", lists_as_arms(world))):
            tables[f"Arms: {name}, {n:,} sessions, {runs} runs"] = regrets(arms, n=n, runs=runs, batch=100)
    for title, table in tables.items():
        print(f"\n{title}\n\n{table.round(3).to_markdown() if _has_tabulate() else table.round(3).to_string()}")
    print(f"\n{time.perf_counter() - began:.0f} s")
    if options.save:
        options.save.parent.mkdir(parents=True, exist_ok=True)
        found = {title: table.reset_index().to_dict("records") for title, table in tables.items()}
        options.save.write_text(json.dumps({"options": vars(options) | {"save": None}, "tables": found}, indent=1))


def _has_tabulate() -> bool:
    """Can pandas write Markdown here?"""
    from importlib.util import find_spec

    return find_spec("tabulate") is not None


if __name__ == "__main__":
    main()
