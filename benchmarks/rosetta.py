"""What seven libraries print for "the same" metric on one small example, and which of our metrics agrees.

    python benchmarks/rosetta.py --peers PYTHON --other LensKit=PYTHON --other cornac=PYTHON --other RecTools=PYTHON

prints the tables of `docs/metrics.md`. It stops with an error where a library that should agree with us does not, and
leaves out, with a note, what cannot be imported. RecTools needs an environment of its own, see
`requirements-rectools.txt`.
"""

import argparse
import json
import subprocess
import sys
import warnings

import numpy as np

K, N_ITEMS = 5, 15
USERS = ("ann", "bob", "cat", "dan")
HISTORY = {"ann": (10, 11), "bob": (5, 6, 10), "cat": (0, 10), "dan": (1, 2, 5, 11)}
LISTS = {"ann": (0, 1, 2, 3, 4), "bob": (4, 3, 2, 1, 0), "cat": (2, 5, 8, 3, 1), "dan": (6, 7, 8, 9, 10)}
GAINS = {"ann": {1: 1, 3: 3, 4: 2, 5: 2, 6: 1, 7: 1, 8: 1}, "bob": {4: 2, 9: 3}, "cat": {}, "dan": {0: 1}}


# ------------------------------------------------------------------------------------------------- forms of the example
def pairs(of):
    """User and item numbers of a mapping user -> items."""
    return np.array([(u, item) for u, user in enumerate(USERS) for item in of[user]]).T


def matrix(of, values=None):
    """A mapping user -> items as csr (users, items)."""
    from scipy.sparse import csr_matrix

    user, item = pairs(of)
    return csr_matrix((np.ones(len(user)) if values is None else values, (user, item)), (len(USERS), N_ITEMS))


def gains():
    return np.array([gain for user in USERS for gain in GAINS[user].values()], float)


def scores():
    """(users, items): 5 for the first of a list to 1 for the last, 0 for what is not listed."""
    found = np.zeros((len(USERS), N_ITEMS))
    for u, user in enumerate(USERS):
        found[u, list(LISTS[user])] = np.arange(K, 0, -1)
    return found


def frame(of, **columns):
    import pandas as pd

    user, item = pairs(of)
    return pd.DataFrame({"user_id": user, "item_id": item, **columns})


# ----------------------------------------------------------------------------------------------------------- libraries
def ranx():
    import ranx

    wanted = [user for user in USERS if GAINS[user]]  # a user without truth cannot be said
    truth = ranx.Qrels({user: {str(i): gain for i, gain in GAINS[user].items()} for user in wanted})
    lists = ranx.Run({user: {str(i): float(-r) for r, i in enumerate(LISTS[user])} for user in wanted})
    names = ["precision@5", "recall@5", "f1@5", "hit_rate@5", "mrr@5", "map@5", "ndcg@5", "ndcg_burges@5"]
    return {name: float(value) for name, value in ranx.evaluate(truth, lists, names).items()}


def rectools():
    from rectools import metrics as m

    reco = frame(LISTS, rank=np.tile(np.arange(1, K + 1), len(USERS)))
    truth, before, catalog = frame(GAINS, weight=gains()), frame(HISTORY), list(range(N_ITEMS))
    truth = truth.astype({"user_id": int, "item_id": int})
    found = {}
    for name, metric in {
        "Precision": m.Precision(K), "Precision, r_precision": m.Precision(K, r_precision=True), "Recall": m.Recall(K),
        "F1Beta": m.F1Beta(K), "HitRate": m.HitRate(K), "MRR": m.MRR(K), "MAP": m.MAP(K),
        "MAP, divide_by_k": m.MAP(K, divide_by_k=True), "NDCG": m.NDCG(K),
        "NDCG, divide_by_achievable": m.NDCG(K, divide_by_achievable=True), "PartialAUC": m.PartialAUC(K),
        "PAP": m.PAP(K),
    }.items():  # fmt: skip
        found[name] = metric.calc(reco, truth)
    found["Serendipity"] = m.Serendipity(K).calc(reco, truth, before, catalog)
    found["MeanInvUserFreq"] = m.MeanInvUserFreq(K).calc(reco, before)
    found["CatalogCoverage"] = m.CatalogCoverage(K, normalize=True).calc(reco, catalog)
    found["AvgRecPopularity"] = m.AvgRecPopularity(K, normalize=True).calc(reco, before)
    return found


def scikit_learn():
    from sklearn import metrics as m

    warnings.simplefilter("ignore")
    truth, graded, ranked = matrix(GAINS).toarray(), matrix(GAINS, gains()).toarray(), scores()
    listed = ranked > 0
    return {
        "precision_score, samples": m.precision_score(truth, listed, average="samples"),
        "recall_score, samples": m.recall_score(truth, listed, average="samples"),
        "f1_score, samples": m.f1_score(truth, listed, average="samples"),
        "ndcg_score, k=5": m.ndcg_score(truth, ranked, k=K),
        "ndcg_score of gains, k=5": m.ndcg_score(graded, ranked, k=K),
        "average_precision_score, samples": m.average_precision_score(truth, ranked, average="samples"),
        "label_ranking_average_precision_score": m.label_ranking_average_precision_score(truth, ranked),
        "roc_auc_score of ann": m.roc_auc_score(truth[0], ranked[0]),
    }


def lenskit():
    from lenskit.data import ItemList, ItemListCollection
    from lenskit.metrics import Hit, RunAnalysis
    from lenskit.metrics import ranking as m

    def analyse(users, metrics):
        lists, truth = (ItemListCollection.empty(["user_id"]) for _ in range(2))
        analysis = RunAnalysis()
        for user in users:
            lists.add(ItemList(item_ids=list(LISTS[user]), ordered=True), user_id=user)
            rating = np.array(list(GAINS[user].values()), float)
            truth.add(ItemList(item_ids=np.array(list(GAINS[user]), int), rating=rating), user_id=user)
        for name, metric in metrics.items():
            analysis.add_metric(metric, name)
        found = analysis.measure(lists, truth)
        return {**found.list_summary()["mean"].to_dict(), **found.global_metrics().to_dict()}

    metrics = {
        "Precision": m.Precision(K), "Recall": m.Recall(K), "Hit": Hit(K), "RecipRank": m.RecipRank(K),
        "AveragePrecision": m.AveragePrecision(K), "NDCG": m.NDCG(K), "NDCG, gain='rating'": m.NDCG(K, gain="rating"),
    }  # fmt: skip
    wanting = [user for user in USERS if GAINS[user]]  # with an empty truth most means are nan
    everybody = analyse(USERS, {"Precision, cat too": m.Precision(K), "ListGini": m.ListGini(K, items=N_ITEMS)})
    return {**analyse(wanting, metrics), **everybody}


def implicit():
    from implicit.evaluation import ranking_metrics_at_k

    class Lists:
        """A model that gives the lists of the example."""

        def recommend(self, userid, *_, **__):
            return np.array([LISTS[USERS[u]] for u in userid], np.int32), np.tile(
                np.arange(K, 0.0, -1), (len(userid), 1)
            )

    return ranking_metrics_at_k(Lists(), matrix(HISTORY), matrix(GAINS), K=K, show_progress=False)


def irspack():
    from irspack.evaluation import Evaluator

    return {
        **Evaluator(matrix(GAINS), cutoff=K).get_score_from_score_matrix(scores()),
        "recall, recall_with_cutoff": Evaluator(
            matrix(GAINS), cutoff=K, recall_with_cutoff=True
        ).get_score_from_score_matrix(scores())["recall"],
    }


def cornac():
    from cornac import metrics as m

    def mean(metric):
        values = []
        for u, user in enumerate(USERS):
            wanted, ranked = np.array(list(GAINS[user]), int), scores()[u]
            order = np.argsort(-ranked, kind="stable")
            if len(wanted):  # as in its `ranking_eval`, which leaves out who wants nothing
                values.append(
                    metric.compute(item_indices=np.arange(N_ITEMS), pd_scores=ranked, gt_pos=wanted, pd_rank=order)
                )
        return np.mean(values)

    metrics = (
        m.Precision(K),
        m.Recall(K),
        m.FMeasure(K),
        m.HitRatio(K),
        m.NDCG(K),
        m.NCRR(K),
        m.MAP(),
        m.AUC(),
        m.MRR(),
    )
    return {type(metric).__name__: mean(metric) for metric in metrics}


LIBRARIES = {
    "ranx": ranx, "RecTools": rectools, "scikit-learn": scikit_learn, "LensKit": lenskit, "implicit": implicit,
    "irspack": irspack, "cornac": cornac,
}  # fmt: skip

# our label -> those who print the same number (library, its name), and those who print another (and why)
AS_ZERO = "cat counts as 0"
WHOLE = "the whole ranking, items not listed tied at its end"
ROSETTA = {
    "precision@5": (
        [("ranx", "precision@5"), ("RecTools", "Precision"), ("irspack", "precision"), ("cornac", "Precision"),
         ("LensKit", "Precision")],
        [("scikit-learn", "precision_score, samples", AS_ZERO),
         ("LensKit", "Precision, cat too", AS_ZERO + " where her empty truth is passed"),
         ("RecTools", "Precision, r_precision", "divides by min(k, n)"),
         ("implicit", "precision", "all hits over the sum of all min(k, n), not a mean over users")],
    ),
    "recall@5": (
        [("ranx", "recall@5"), ("RecTools", "Recall"), ("irspack", "recall"), ("cornac", "Recall")],
        [("scikit-learn", "recall_score, samples", AS_ZERO),
         ("LensKit", "Recall", "divides by min(k, n)"),
         ("irspack", "recall, recall_with_cutoff", "divides by min(k, n)")],
    ),
    "f1@5": (
        [("ranx", "f1@5"), ("RecTools", "F1Beta"), ("cornac", "FMeasure")],
        [("scikit-learn", "f1_score, samples", AS_ZERO)],
    ),
    "hit_rate@5": (
        [("ranx", "hit_rate@5"), ("RecTools", "HitRate"), ("LensKit", "Hit"), ("irspack", "hit"),
         ("cornac", "HitRatio")],
        [],
    ),
    "mrr@5": (
        [("ranx", "mrr@5"), ("RecTools", "MRR"), ("LensKit", "RecipRank")],
        [("cornac", "MRR", "has no k: dan's item is found at rank 6, first of those not listed")],
    ),
    "map_min_k_n@5": (
        [("LensKit", "AveragePrecision"), ("implicit", "map")],
        [],
    ),
    "map_n@5": (
        [("ranx", "map@5"), ("RecTools", "MAP"), ("irspack", "map")],
        [("scikit-learn", "average_precision_score, samples", WHOLE + "; " + AS_ZERO),
         ("scikit-learn", "label_ranking_average_precision_score", WHOLE + "; cat counts as 1"),
         ("cornac", "MAP", WHOLE + "; those take the last rank of the tie")],
    ),
    "map_k@5": ([("RecTools", "MAP, divide_by_k")], []),
    "map_hits@5": ([], []),
    "ndcg@5": (
        [("RecTools", "NDCG, divide_by_achievable"), ("implicit", "ndcg"), ("irspack", "ndcg"), ("cornac", "NDCG")],
        [("scikit-learn", "ndcg_score, k=5", AS_ZERO),
         ("RecTools", "NDCG", "the best list has k hits, also for who wants fewer"),
         ("LensKit", "NDCG", "discount max(1, log2(rank)): ranks 1 and 2 weigh the same"),
         ("cornac", "NCRR", "discount 1 / rank")],
    ),
    "ndcg_linear@5": (
        [("ranx", "ndcg@5")],
        [("scikit-learn", "ndcg_score of gains, k=5", AS_ZERO),
         ("LensKit", "NDCG, gain='rating'", "discount max(1, log2(rank))")],
    ),
    "ndcg_exponential@5": ([("ranx", "ndcg_burges@5")], []),
    "pauc@5": (
        [("RecTools", "PartialAUC")],
        [("RecTools", "PAP", "the min(k, n) first truth items only"),
         ("cornac", "AUC", "all other items are negatives, those not listed tied"),
         ("implicit", "auc", "the same, and items not listed are taken to be in a random order")],
    ),
    "coverage": (
        [("RecTools", "CatalogCoverage")],
        [("irspack", "catalog_coverage", "lists of users without truth are left out")],
    ),
    "gini": (
        [("LensKit", "ListGini")],
        [("irspack", "gini_index", "lists of users without truth are left out")],
    ),
    "novelty": (
        [],
        [("RecTools", "MeanInvUserFreq", "no added ones; an item that nobody had counts as had by one")],
    ),
    "serendipity": ([], [("RecTools", "Serendipity", AS_ZERO)]),
}  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- tables
def ours():
    """Label -> value per user, or one number for all lists; without `reco_utils` in the peers' environments."""
    import pandas as pd

    from reco_utils.core import Dataset, TopK
    from reco_utils.evaluate import accuracy, beyond, personal

    users, items = pd.Index(USERS), np.array([LISTS[user] for user in USERS], np.int32)
    lists, truth = TopK(users, items, np.zeros(items.shape, np.float32)), matrix(GAINS, gains())
    weights, rows = matrix(HISTORY).astype(np.float32), [pd.DataFrame(index=range(n)) for n in (N_ITEMS, len(USERS))]
    last = np.full(weights.nnz, np.datetime64("2024-01-01", "us"))
    train = Dataset(users, pd.RangeIndex(N_ITEMS), weights, last, weights > 0, *rows, pd.Timestamp("2024-01-02"))
    measured = accuracy.measure(lists, truth, [label for label in ROSETTA if "@" in label])
    return {
        **{label: values.to_numpy() for label, values in measured.items()},
        "coverage": beyond.coverage(lists, N_ITEMS),
        "gini": beyond.gini(lists, N_ITEMS),
        "novelty": beyond.novelty(lists, train),
        "serendipity": personal.serendipity(lists, truth, train),
    }


def example() -> str:
    """The example as a table; the gain of a truth item behind a colon, a hit in bold."""
    lines = ["| user | had | list | truth, with gains |", "|---|---|---|---|"]
    for user in USERS:
        shown = " ".join(f"**{item}**" if item in GAINS[user] else str(item) for item in LISTS[user])
        wanted = " ".join(f"{item}:{gain}" for item, gain in GAINS[user].items()) or "nothing"
        lines.append(f"| {user} | {' '.join(map(str, HISTORY[user]))} | {shown} | {wanted} |")
    return "\n".join(lines)


def by_user(found) -> str:
    """Our value of every metric for every user, and the mean over those who have one."""
    lines = [f"| metric | {' | '.join(USERS)} | mean |", "|---" * (len(USERS) + 2) + "|"]
    for label, values in found.items():
        cells = [f"{value:.4f}" for value in values] if np.ndim(values) else [""] * len(USERS)
        lines.append(f"| `{label}` | {' | '.join(cells)} | {np.nanmean(values):.4f} |")
    return "\n".join(lines)


def rosetta(found, said) -> str:
    """Who prints our number and who another; numbers of libraries in `said`: library -> name -> value."""
    lines = ["| metric | ours | the same | another number |", "|---|---|---|---|"]
    for label, (same, others) in ROSETTA.items():
        value = float(np.nanmean(found[label]))
        for library, name in same:
            if library in said and not abs(said[library][name] - value) < 1e-9:
                raise ValueError(f"{library} says {said[library][name]} for {name}, not {value} as our {label}")
        agree = "<br>".join(f"{library} `{name}`" for library, name in same if library in said)
        differ = "<br>".join(
            f"{said[library][name]:.4f} {library} `{name}`: {why}" for library, name, why in others if library in said
        )
        lines.append(f"| `{label}` | {value:.4f} | {agree} | {differ} |")
    return "\n".join(lines)


def ask(library: str, python: str) -> dict | None:
    """What a library says in its own interpreter, or None where it cannot be imported."""
    done = subprocess.run([python, __file__, "--child", library], capture_output=True, text=True)
    if done.returncode:
        print(f"{library} is left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=sys.executable, help="python of the peers' environment")
    parser.add_argument("--other", action="append", default=[], metavar="NAME=PYTHON", help="python of one library")
    parser.add_argument("--child", choices=LIBRARIES, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps({name: float(value) for name, value in LIBRARIES[chosen.child]().items()}))
        return
    pythons = {library: chosen.peers for library in LIBRARIES} | dict(o.split("=", 1) for o in chosen.other)
    said = {library: ask(library, python) for library, python in pythons.items()}
    found = ours()
    for table in (example(), by_user(found), rosetta(found, {library: s for library, s in said.items() if s})):
        print(table, end="\n\n")


if __name__ == "__main__":
    main()
