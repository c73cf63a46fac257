"""Graders of notebook 08: average precision, a sampled evaluation that flatters, claims and intervals, users needed."""

import numpy as np

from reco_utils.check import Wrong, a_function, a_number, grade_choices, grader

# -------------------------------------------------------------------------------------------------- average precision
_LISTS = [  # list, truth, k, what must come out
    ("rug lamp mug kettle vase", "rug mug", 5, (1 + 2 / 3) / 2),
    ("lamp rug mug kettle vase", "rug", 5, 1 / 2),
    ("rug mug", "rug mug kettle vase tent", 2, 1.0),
    ("lamp rug kettle mug", "rug kettle tent", 2, (1 / 2) / 2),
    ("lamp vase", "rug", 2, 0.0),
]


def _precisions(items, wanted, k):
    """Precision at the rank of every hit among the first k."""
    hits = [item in wanted for item in items[:k]]
    return [sum(hits[: rank + 1]) / (rank + 1) for rank, hit in enumerate(hits) if hit]


@grader(
    "08.1", hint="add up hits so far / rank at every hit among the first k; divide by min(k, number of wanted things)"
)
def average_precision(answer):
    for items, wanted, k, right in _LISTS:
        items, wanted = items.split(), set(wanted.split())
        found = a_number(a_function(answer)(list(items), set(wanted), k))
        if np.isclose(found, right):
            continue
        precisions = _precisions(items, wanted, k)
        case = f"for the list {items}, wanted {sorted(wanted)}, k = {k}"
        if np.isnan(found) and not precisions:
            raise Wrong(f"{case} the answer is NaN: somebody wanted something and got nothing of it, and that is a 0")
        if precisions and np.isclose(found, np.mean(precisions)):
            raise Wrong(f"{case} you divide by the number of hits: a list that found one thing of ten is then perfect")
        if np.isclose(found, sum(precisions) / k):
            raise Wrong(f"{case} you divide by k: who wanted one thing could never get more than 1 / k")
        if np.isclose(found, sum(precisions) / len(wanted)):
            raise Wrong(f"{case} you divide by all that was wanted, also where k places cannot hold it: min(k, n)")
        if np.isclose(found, sum(_precisions(items, wanted, len(items))) / min(k, len(wanted))):
            raise Wrong(f"{case} a hit behind place k counts: look at the first k only")
        if np.isclose(found, len(precisions) / min(k, len(wanted))):
            raise Wrong(f"{case} every hit counts 1: it counts the precision at its rank, hits so far / rank")
        raise Wrong(f"{case} the answer is {right:.4f}, got {found:.4f}")
    if not np.isnan(a_number(answer(["rug"], set(), 1))):
        raise Wrong(
            "who wanted nothing can be given nothing right or wrong: return NaN, so that nanmean leaves them out"
        )
    return "With min(k, n) a perfect list scores 1, whoever asks, and an empty-handed one 0."


# ------------------------------------------------------------------------------------------------- a sampled evaluation
@grader(
    "08.2",
    hint="draw from the positions that are neither seen nor the positive, replace=False; a tie is half a place",
)
def sampled_rank(answer):
    def ask(scores, positive, seen, m, seed=0):
        scores, seen = np.array(scores, float), set(seen)
        with np.errstate(invalid="ignore"):
            found = a_number(a_function(answer)(scores.copy(), positive, set(seen), m, np.random.default_rng(seed)))
        if not 1 <= found <= m + 1:
            raise Wrong(f"one positive among {m} negatives has a rank from 1 to {m + 1}, got {found:g}")
        return found

    if ask(np.ones(5), 2, [], 4) == 1:
        raise Wrong("a model that gives everything the same score gets rank 1: a tie must count as half a place")
    if ask(np.ones(5), 2, [], 4) == 5:
        raise Wrong("a model that gives everything the same score gets the last rank: a tie must count as half a place")
    if not np.isclose(ask(np.ones(5), 2, [], 4), 3):
        raise Wrong(
            "five equal scores put the positive in the middle, at rank 3: 1 + larger ones + half of the equal ones"
        )
    rows = [ask([9, 8, 7, 1, 0.5, 0.2], 3, [0, 1, 2], 2, seed) for seed in range(20)]
    if max(rows) > 1:
        raise Wrong("seen items came up as negatives: nobody would be shown them, draw from the others")
    rows = [ask([3, 1, 2, 0], 2, [], 3, seed) for seed in range(20)]
    if min(rows) < 2 or max(rows) > 2:
        raise Wrong("with as many negatives as there are other items the rank is not the same each time: draw without "
                    "repetition, and never the positive itself")  # fmt: skip
    if ask([5, 4, np.nan, 3], 2, [], 3) < 4:
        raise Wrong(
            "a positive on which the model has no opinion (NaN) must come last: comparing with NaN is never true"
        )
    if not np.isclose(ask([5, 4, 3, np.nan], 2, [], 3), 3):
        raise Wrong("a negative on which the model has no opinion (NaN) stands below every score")
    scores = np.arange(200.0)
    ranks = [ask(scores, 150, range(100), 20, seed) for seed in range(200)]
    if np.ptp(ranks) == 0:
        raise Wrong("every draw gives the same rank: use the rng that was handed in")
    if abs(np.mean(ranks) - (1 + 20 * 49 / 99)) > 1:  # the error of the mean is 0.14
        raise Wrong(f"49 of 99 possible negatives are better, so 20 draws have 9.9 of them on average; yours have "
                    f"{np.mean(ranks) - 1:.1f}")  # fmt: skip
    return "Three bugs, and each of them made a model look better than it is; yet a sampled rank stays a sampled rank."


# ---------------------------------------------------------------------------------------------- claims and intervals
_CLAIMS = {
    "A": ("yes", "two intervals may overlap and the models still differ, for both meet the same easy and hard users. "
                 "Does the interval of the paired difference include 0?"),
    "B": ("no", "the means look far apart, but look at the interval of the difference, and at the number of users"),
    "C": ("no", "a p of 0.03 is the smallest of five questions, and Holm multiplies the smallest by 5"),
    "D": ("no", "which data chose the settings? They were picked by the very numbers that are reported"),
}  # fmt: skip


@grader("08.3", hint="the paired difference decides, corrected for the number of questions, on data that chose nothing")
def decide(answer):
    grade_choices(answer, _CLAIMS, ("yes", "no"))
    return "Paired, corrected, and on an exam that chose nothing: three questions that cost nothing to ask."


# ------------------------------------------------------------------------------------------------------- users needed
@grader("08.4", hint="n = ((1.96 + 0.84) * standard deviation of the differences / (share * baseline))^2, rounded up")
def users_needed(answer):
    rng = np.random.default_rng(0)
    differences = rng.normal(0.001, 0.1, 400)
    differences = (differences - differences.mean()) / differences.std(ddof=1) * 0.1 + 0.001  # sd is 0.1 exactly
    found = a_number(a_function(answer)(differences.copy(), 0.08, 0.02))
    effect = 0.02 * 0.08
    right = np.ceil((2.8 * 0.1 / effect) ** 2)
    cases = {
        "you divide by the standard deviation squared only once: the whole ratio is squared": 2.8 * 0.1 / effect,
        "you look for a difference of 0.02 in NDCG: 2 % of the baseline is share * baseline": (2.8 * 0.1 / 0.02) ** 2,
        "without the 0.84 a real difference would be missed every second time": (1.96 * 0.1 / effect) ** 2,
        "you take the differences' mean as the effect: say beforehand what you want to see": (2.8 * 0.1 / 0.001) ** 2,
        "a 2 belongs there when two groups of different users are compared; here everybody sees both": 2
        * (2.8 * 0.1 / effect) ** 2,
    }
    for advice, wrong in cases.items():
        if np.isclose(found, wrong, rtol=0.005):
            raise Wrong(f"{found:,.0f} users: {advice}")
    if not np.isclose(found, right, rtol=0.005):  # 2.8 or the exact 2.8016
        raise Wrong(
            f"a standard deviation of 0.1 and a baseline of 0.08 need {right:,.0f} users for 2 %, got {found:,.0f}"
        )
    differences[:10] = np.nan
    if np.isnan(a_number(answer(differences, 0.08, 0.02))):
        raise Wrong("users without truth are NaN in the differences: leave them out, with np.nanstd")
    return "The smaller the gain you hope for, the more users: half the gain needs four times as many."
