"""Looking every day without fooling oneself: p-values that are always valid, and bounds that spend alpha over time.

A test that is right once is wrong when asked daily: under 14 equal looks an A/A test at 5 % says "significant" at least
once in more than 20 of 100 experiments. Two cures stand here. `always_valid` may be asked at any time and for ever, and
pays with wider intervals. `spending_bounds` divides the 5 % among planned looks and costs little. Both take what a day
adds for independent of what was; users who return make the days more alike, and both cures more cautious than 5 %.

Letters: L looks.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import lambertw, ndtr
from scipy.stats import norm

from reco_utils.experiment.checks import check_between, check_columns, check_numbers, check_positive, users_of_two
from reco_utils.experiment.effects import effect_of_rows
from reco_utils.experiment.metrics import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAR = 9.0  # standard deviations beyond which nothing is looked for
LEAST_GROWTH = 1e-4  # from look to look, as a share; less needs too fine a grid to be worth a look


def spending_bounds(information, *, times=None, alpha: float = 0.05, sides: int = 2, spend: str = "obrien-fleming"):
    """How large |z| must be at each look to stop, so that all looks together raise a false alarm with chance alpha.

    Parameters
    ----------
    information : (L,) float > 0, growing, in any unit
        How much is known at each look: the number of users or visits, or 1 / variance.
    times : (L,) float in (0, 1], optional
        Share of the plan that has passed, by which alpha is spent; default: information / its last.
    spend : "obrien-fleming" or "pocock"
        Hard at first and nearly the usual bound at the end, or about as hard at every look.

    Source: Lan and DeMets (1983); integration by Armitage, McPherson and Rowe (1969).
    """
    information = _growing(information)
    check_between("alpha", alpha)
    if sides not in (1, 2):
        raise ValueError(f"sides must be 1 or 2, got {sides!r}")
    if spend not in SPENDING:
        raise ValueError(f"spend must be one of {list(SPENDING)}, got {spend!r}")
    times = information / information[-1] if times is None else _growing(times, "times")
    if len(times) != len(information) or times[-1] > 1 + 1e-12:
        raise ValueError(f"times must be {len(information)} shares of the plan up to 1, got {times.tolist()}")
    spent = np.diff(sides * SPENDING[spend](np.minimum(times, 1.0), alpha / sides), prepend=0.0)

    def bound(look, exceeds):
        return brentq(lambda b: exceeds(b) - spent[look], 0, FAR) if exceeds(FAR) < spent[look] else np.inf

    return np.array([b for b, _ in _looks(information, sides, bound)])


def crossing_chance(bounds, information, *, sides: int = 2) -> np.ndarray:
    """Chance (L,) to have crossed the bounds by each look though nothing differs; 1.96 at every look is naive peeking.

    Source: Armitage, McPherson and Rowe (1969).
    """
    information = _growing(information)
    bounds = np.broadcast_to(np.asarray(bounds, float), information.shape)
    return np.cumsum([chance for _, chance in _looks(information, sides, lambda look, _: bounds[look])])


def always_valid(effect, se, information, *, tuned_at, alpha: float = 0.05) -> pd.DataFrame:
    """p-values and intervals that hold at all looks together, whenever one stops: mSPRT with a normal mixture.

    Parameters
    ----------
    effect, se : (L,) float
        The estimate at each look and its standard error.
    information : (L,) float > 0
        Variance of the sum so far, in any unit that stays the same: users for a mean.
    tuned_at : float > 0
        The information at which the interval is to be narrowest, fixed before looking; it is valid everywhere.

    Returns
    -------
    DataFrame of L rows: p (never growing), low, high

    Source: Robbins (1970); Johari, Koomen, Pekelis and Walsh (2017); Howard et al. (2021) for the tuning.
    """
    check_between("alpha", alpha)
    effect, se, v = (np.asarray(x, float) for x in (effect, se, information))
    if not (effect.shape == se.shape == v.shape and effect.ndim == 1):
        raise ValueError(f"effect, se and information must be (L,), got {effect.shape}, {se.shape} and {v.shape}")
    check_positive("tuned_at", tuned_at)
    if (se < 0).any() or (v <= 0).any():
        raise ValueError("se must not be negative and information must be more than 0")
    eta = tuned_at / _best_ratio(alpha)
    reach = np.sqrt((1 + eta / v) * (np.log1p(v / eta) + 2 * np.log(1 / alpha))) * se
    z = np.divide(effect, se, out=np.zeros_like(effect), where=se > 0)
    log_odds = -0.5 * np.log1p(v / eta) + 0.5 * z**2 * v / (v + eta)
    p = np.minimum(np.exp(-log_odds), 1.0)
    return pd.DataFrame({"p": np.fmin.accumulate(p) if len(p) else p, "low": effect - reach, "high": effect + reach})


@dataclass(frozen=True, eq=False)
class Monitoring:
    """A test seen day by day. `monitor` makes it; `looks` has one row per day."""

    metric: str
    arm: str
    looks: pd.DataFrame
    alpha: float

    @property
    def stops(self) -> pd.Series:
        """First day at which each way says "they differ": naive, always_valid, spending; NaN if never."""
        looks, fell = self.looks, {}
        fell["naive"] = looks["p"] < self.alpha
        fell["always_valid"] = looks["always_p"] < self.alpha
        fell["spending"] = looks["z"].abs() >= looks["bound"]
        return pd.Series({way: days.index[days][0] if days.any() else np.nan for way, days in fell.items()})

    def plot(self, ax: "Axes") -> "Axes":
        """The effect by day, with the naive and the always-valid interval."""
        from reco_utils.plots import bands  # only who draws waits for matplotlib

        spans = {"valid on one day only": ("low", "high"), "valid on all days": ("always_low", "always_high")}
        bands(ax, self.looks.reset_index(), x="day", value="effect", spans=spans)
        ax.axhline(0, color="black", linewidth=1)
        ax.set(xlabel="day", ylabel=f"{self.arm} minus control")
        return ax


def monitor(
    visits: pd.DataFrame,
    metric: Metric,
    *,
    users: pd.DataFrame,
    arm: str,
    control: str = "control",
    days: int | None = None,
    alpha: float = 0.05,
    spend: str = "obrien-fleming",
) -> Monitoring:
    """One metric of one arm, analysed at the end of each day with what is known by then.

    Parameters
    ----------
    visits : DataFrame
        One row per visit: user_id, day (int from 0), and the metric's columns, which are summed by user; "sessions"
        counts the visits. Visits of users of other arms are left out.
    metric : Mean, Proportion or Ratio
    users : DataFrame
        user_id and arm of all assigned users, and the columns from before the experiment that CUPED asks for.
    days : int, optional
        Planned number of days; default: up to the last day seen.

    Returns
    -------
    Monitoring, whose looks have the index `day` and the columns users, effect, low, high, z, p (naive), always_p,
    always_low, always_high, bound (of |z|, by alpha spending; infinite on a day that taught nothing new)
    """
    check_between("alpha", alpha)
    if metric.reads != "totals":
        raise ValueError(f"monitor reads sums per user; {metric.name!r} reads {metric.reads}")
    totals = users_of_two(users, "users", metric.covariates, (control, arm))
    metric, sums = replace(metric, by="normal"), list(metric.outcomes)
    visits = _checked(visits, sums)
    at = pd.Index(totals["user_id"]).get_indexer(visits["user_id"])
    day, last = visits["day"].to_numpy(), int(visits["day"].max())
    days = last + 1 if days is None else days
    if last >= days or day.min() < 0:
        raise ValueError(f"days must lie between 0 and {days - 1}, got {day.min()} to {last}")
    values = visits[sums].to_numpy(float)
    total, treated, found = np.zeros((len(totals), len(sums))), (totals["arm"] == arm).to_numpy(), []
    for today in range(last + 1):
        rows = (day == today) & (at >= 0)
        for n in range(len(sums)):
            total[:, n] += np.bincount(at[rows], weights=values[rows, n], minlength=len(totals))
        found.append(_look(metric, totals.assign(**dict(zip(sums, total.T))), treated, arm, alpha))
    return Monitoring(metric.name, arm, _table(found, days, alpha, spend), alpha)


def _checked(visits, sums):
    """Visits that can be summed; their number is a column too."""
    visits = visits if "sessions" in visits else visits.assign(sessions=1)
    check_columns(visits, "visits", ["user_id", "day", *sums])
    check_numbers(visits, "visits", ["day", *sums])
    if not len(visits):
        raise ValueError("visits are empty, so nothing can be looked at")
    return visits


def _look(metric, totals, treated, arm, alpha):
    """The effect so far; None while nobody differs from anybody yet."""
    try:
        rows = metric.rows(totals)
        return effect_of_rows(metric, rows[~treated], rows[treated], arm, alpha=alpha)
    except ValueError:
        return None


def _table(found, days, alpha, spend):
    """The looks as a frame; days without an effect yet are NaN and spend nothing."""
    columns = ("users", "effect", "low", "high", "p", "se", "weight")
    nothing = dict.fromkeys(columns, np.nan)
    rows = [nothing if e is None else {column: getattr(e, column) for column in columns} for e in found]
    looks = pd.DataFrame(rows, index=pd.RangeIndex(len(found), name="day"))
    looks["z"] = looks["effect"] / looks["se"]
    v = (looks["weight"] * looks["se"]) ** 2  # variance of the sum: it grows with every visit, whatever is measured
    looks[["always_p", "always_low", "always_high", "bound"]] = np.nan
    seen = v.notna()
    if seen.any():
        first = int(np.argmax(seen))
        valid = always_valid(
            looks.loc[seen, "effect"], looks.loc[seen, "se"], v[seen],
            tuned_at=v[first] * days / (first + 1), alpha=alpha,
        )  # fmt: skip
        looks.loc[seen, ["always_p", "always_low", "always_high"]] = valid[["p", "low", "high"]].to_numpy()
        fresh = seen & _grows(v)  # a day that teaches nothing new is no look
        times = (looks.index[fresh] + 1) / days
        looks["bound"] = np.where(seen, np.inf, np.nan)
        looks.loc[fresh, "bound"] = spending_bounds(v[fresh].to_numpy(), times=times, alpha=alpha, spend=spend)
    return looks[["users", "effect", "low", "high", "z", "p", "always_p", "always_low", "always_high", "bound"]]


# ------------------------------------------------------------------------------------------------- the walk of a sum
def _looks(information, sides, choose):
    """Walks through the looks: yields each look's bound, chosen by (look, chance to exceed it), and its chance.

    A sum with variance `information` walks on; what has not crossed stands on nodes with the weights of its density.
    """
    nodes, mass = np.zeros(1), np.ones(1)
    steps = np.sqrt(np.diff(information, prepend=0.0))
    for look, (root, step) in enumerate(zip(np.sqrt(information), steps)):

        def exceeds(bound, nodes=nodes, mass=mass, root=root, step=step):
            beyond = ndtr((nodes - bound * root) / step)
            if sides == 2:
                beyond = beyond + ndtr((-bound * root - nodes) / step)
            return float(mass @ beyond)

        bound = choose(look, exceeds)
        yield bound, exceeds(bound)
        if look + 1 == len(information):
            return
        high = min(bound, FAR) * root
        low = -high if sides == 2 else -FAR * root
        n_nodes = int(np.clip(3 * (high - low) / steps[look + 1], 64, 3000))
        x, w = np.polynomial.legendre.leggauss(n_nodes)
        new = (low + high) / 2 + (high - low) / 2 * x
        density = np.exp(-0.5 * ((new[:, None] - nodes) / step) ** 2) @ mass / (np.sqrt(2 * np.pi) * step)
        nodes, mass = new, density * w * (high - low) / 2


def _best_ratio(alpha):
    """The information in units of eta at which the interval is narrowest: r = log(1 + r) + 2 log(1 / alpha)."""
    return float(-lambertw(-(alpha**2) / np.e, -1).real - 1)


def _grows(values):
    """Which of the numbers (L,) are more than all before, by enough to be a look of its own; NaN is not."""
    found, most = np.zeros(len(values), bool), 0.0
    for look, value in enumerate(values):
        found[look] = value > (1 + LEAST_GROWTH) * most
        most = value if found[look] else most
    return found


def _growing(values, word="information"):
    """Numbers above 0, each more than the one before."""
    values = np.asarray(values, float)
    if values.ndim != 1 or not len(values) or not _grows(values).all():
        raise ValueError(
            f"{word} must be above 0 and grow from look to look by {LEAST_GROWTH:.2%} at least, got {values.tolist()}"
        )
    return values


SPENDING = {  # what one side has spent of its alpha by time t
    "obrien-fleming": lambda t, alpha: 2 * norm.sf(norm.isf(alpha / 2) / np.sqrt(t)),
    "pocock": lambda t, alpha: alpha * np.log1p((np.e - 1) * t),
}
