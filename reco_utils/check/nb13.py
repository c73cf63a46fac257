"""Graders of notebook 13: the plan of a test, what is broken in six experiments, CUPED, a weight for a log."""

from math import ceil

import numpy as np

from reco_utils.check import Wrong, a_function, a_number, grade_choices, grader


# ------------------------------------------------------------------------------------------------------ plan a test
def _per_arm(baseline, lift, z=2.8):
    """Users in each of two arms, by the unpooled variances of both."""
    better = baseline * (1 + lift)
    noise = baseline * (1 - baseline) + better * (1 - better)
    return z**2 * noise / (better - baseline) ** 2


@grader(
    "13.1",
    hint="the difference is baseline * lift; section 3 has the formula for one arm; fill both arms, in whole weeks",
)
def plan(answer):
    baseline, lift = 0.04, 0.10
    better, right = baseline * (1 + lift), _per_arm(0.04, 0.10)
    answered = a_function(answer)(baseline, lift, 20_000)
    try:
        found, weeks = answered
    except (TypeError, ValueError):
        raise Wrong("the function must return two numbers: users per arm, and weeks") from None
    found, weeks = a_number(found), a_number(weeks)
    cases = {
        "lift is relative: 10 % of a baseline of 4 % is a difference of 0.4 points": 2.8**2
        * (baseline * (1 - baseline) + (baseline + lift) * (1 - baseline - lift))
        / lift**2,
        "both arms are noisy: the variance of a difference is the sum of two variances": right / 2,
        "that is both arms together; return the users of one": 2 * right,
        "without the 0.84 a real difference of this size would be missed every second time": _per_arm(0.04, 0.1, 1.96),
        "1.96 and 0.84 are added first and squared together": right * (1.96**2 + 0.84**2) / 2.8**2,
        "1.64 is for a one-sided test; here the new list may also be worse": _per_arm(0.04, 0.1, 1.645 + 0.84),
        "the whole ratio is squared, the difference too": right * (better - baseline),
    }
    for advice, wrong in cases.items():
        if np.isclose(found, wrong, rtol=0.005):
            raise Wrong(f"{found:,.0f} users: {advice}")
    if not np.isclose(found, right, rtol=0.06):  # pooled or not, one variance twice: all of these are in use
        raise Wrong(f"from 4 % to 4.4 % takes about {right:,.0f} users per arm, got {found:,.0f}")
    for traffic in (1_000, 20_000, 24_000, 200_000, 2 * ceil(found) // 3 + 1):
        weeks = a_number(answer(baseline, lift, traffic)[1])
        case = f"{found:,.0f} users per arm, {traffic:,} a week:"
        if weeks != int(weeks):
            raise Wrong(f"{case} {weeks:.2f} weeks. Saturdays are not like Tuesdays: round up to whole weeks")
        if weeks < 2:
            raise Wrong(f"{case} {weeks:.0f} week. One week may be the odd one: run two at least")
        needed = max(2, ceil(2 * found / traffic))
        if weeks == max(2, ceil(found / traffic)) != needed:
            raise Wrong(f"{case} the traffic is shared by two arms, both must be filled")
        if weeks == max(2, int(2 * found / traffic)) != needed:
            raise Wrong(
                f"{case} {2 * found / traffic:.1f} weeks are needed, got {weeks:.0f}: round up, or users are missing"
            )
        if weeks != needed:
            raise Wrong(f"{case} {needed} weeks, got {weeks:.0f}")
    return "Written down before the first visitor, a plan is also the promise not to look earlier."


# --------------------------------------------------------------------------------------------- what is broken in these
_FLAWS = ("sample ratio", "peeking", "sessions", "many questions", "too small", "sound")
_EXPERIMENTS = {
    "A": ("sample ratio", "half and half was planned. Divide (10,000 - 9,200) by the root of 19,200: how many standard "
                          "deviations from an even split is that?"),
    "B": ("peeking", "the numbers are fine and the plan was 14 days. Who chose the day on which it ended?"),
    "C": ("sessions", "users were drawn, and 180,000 sessions were counted as if each had been drawn by itself"),
    "D": ("many questions", "twenty metrics at 5 %: how many would fall below 0.05 if nothing had changed?"),
    "E": ("sound", "an even split, a planned metric, a planned end, users as units; 60 users more in one arm are luck"),
    "F": ("too small", "p = 0.40 is no proof of no effect. How many users had the plan asked for?"),
}  # fmt: skip


@grader("13.2", hint="begin with the counts: planned half and half, is the difference more than chance allows?")
def broken(answer):
    grade_choices(answer, _EXPERIMENTS, _FLAWS)
    return "Five of six would have made a fine slide."


# -------------------------------------------------------------------------------------------------------------- CUPED
@grader(
    "13.3",
    hint="theta = covariance(y, x) / variance(x) (np.cov gives a 2 x 2 table); subtract theta * (x - mean of x)",
)
def cuped(answer):
    rng = np.random.default_rng(0)
    x = rng.gamma(2.0, 10.0, 2_000)
    y = 5 + 0.6 * x + rng.normal(0, 8, 2_000)
    theta = np.cov(y, x)[0, 1] / x.var(ddof=1)
    right = y - theta * (x - x.mean())
    given_y, given_x = y.copy(), x.copy()
    found = a_function(answer)(given_y, given_x)
    if np.shape(found) != y.shape:
        raise Wrong(f"return one adjusted number per user, an array of {len(y)}, got shape {np.shape(found)}")
    found = np.asarray(found, float)
    if (given_y != y).any() or (given_x != x).any():
        raise Wrong("the arrays that were handed in were changed: make new ones")
    slope = theta * x.var(ddof=1) / y.var(ddof=1)
    cases = {
        "the average has moved: subtract theta * (x - mean of x), so that only the noise goes": y - theta * x,
        "theta is the correlation; it must be in units of y per unit of x": y
        - np.corrcoef(y, x)[0, 1] * (x - x.mean()),
        "you divide by the variance of y; theta is the slope of y on x, divide by that of x": y
        - slope * (x - x.mean()),
        "that is plus: who spent much before is expected to spend more, and that is taken off": y
        + theta * (x - x.mean()),
        "theta is 1: the plain difference to before may be noisier than y itself": y - (x - x.mean()),
        "what a fitted line leaves has a mean of 0: only x may be centred, the average of y must stay": right
        - right.mean(),
    }

    def near(other):  # ddof 0 in one place and 1 in the other is no mistake of substance
        return np.allclose(found, other, rtol=0, atol=0.01 * y.std())

    for advice, wrong in cases.items():
        if near(wrong):
            raise Wrong(advice)
    if not near(right):
        raise Wrong(
            f"the variance should fall from {y.var():.0f} to {right.var():.0f}, yours is {found.var():.0f}; "
            f"the average should stay {y.mean():.2f}, yours is {found.mean():.2f}"
        )
    with np.errstate(all="ignore"):
        flat = np.asarray(a_function(answer)(y.copy(), np.full(len(y), 3.0)), float)
    if not np.allclose(flat, y):
        raise Wrong("where x is the same for everybody there is nothing to learn from it: return y as it is")
    return "The average stays, the noise that was there before the test goes."


# ---------------------------------------------------------------------------------------------- a weight for a log
_REWARDS = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
_LOGGED = np.array([0.5, 0.5, 0.1, 0.8, 0.2])
_NEW = np.array([0.25, 0.75, 0.3, 0.2, 0.0])


@grader("13.4", hint="each reward counts new_chance / propensity times; the mean is over all rows, clicked or not")
def ips(answer):
    def ask(rewards, propensity, new_chance):
        with np.errstate(all="ignore"):
            return a_number(a_function(answer)(rewards.copy(), propensity.copy(), new_chance.copy()))

    weights = _NEW / _LOGGED
    right = (weights * _REWARDS).mean()  # (0.5 + 0 + 3 + 0 + 0) / 5
    try:
        found = ask(_REWARDS, _LOGGED, _NEW)
    except ValueError as refused:
        advice = "a new_chance of 0 is allowed, its row counts nothing; only the log's propensity must be above 0"
        raise Wrong(f"a sound log was refused ({refused}): {advice}") from None
    cases = {
        "the fraction is upside down: what the log showed rarely must count more, not less": (
            _REWARDS[:4] * _LOGGED[:4] / _NEW[:4]
        ).sum()
        / 5,
        "the fraction is upside down: a new_chance of 0 is a row that counts nothing, and none to divide by": np.inf,
        "you divide by the sum of the weights: that is SNIPS, a good estimate too, but not this one": right
        * 5
        / weights.sum(),
        "you take the mean over clicked rows only: rows without a click are zeros, not missing": right * 5 / 3,
        "the new policy's chance is left out: a reward counts new_chance / propensity": (_REWARDS / _LOGGED).mean(),
        "the log's propensity is left out: a reward counts new_chance / propensity": (_REWARDS * _NEW).mean(),
        "that is what the log earned itself, not what the new policy would have": _REWARDS.mean(),
        "that is the sum: divide by the number of rows": right * 5,
    }
    for advice, wrong in cases.items():
        if np.isclose(found, wrong):
            raise Wrong(advice)
    if not np.isclose(found, right):
        raise Wrong(
            f"for rewards {_REWARDS}, propensities {_LOGGED}, new chances {_NEW} it is {right:.2f}, got {found:.4f}"
        )
    for bad, word in ((0.0, "0"), (np.nan, "missing")):
        logged = _LOGGED.copy()
        logged[1] = bad  # a row without a click, which hides it
        try:
            ask(_REWARDS, logged, _NEW)
        except ValueError:
            continue
        raise Wrong(f"a propensity that is {word} went through: raise ValueError, or the estimate is quietly wrong")
    return "A row that the log showed once in ten, and the new policy three times in ten, speaks for three."
