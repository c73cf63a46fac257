"""How much more likely another policy would have shown what a log saw: the weights of off-policy estimates.

The four assumptions are explained in `offpolicy`; each is one function here, which returns the weights (n, K), what
their control must be on average, `expected` (n, G), and the share of the target's places that the log cannot show.

Letters: n sessions, K places, A arms, G groups of places that are normalised together.
"""

from dataclasses import dataclass

import numpy as np

from reco_utils.core import TopK
from reco_utils.experiment.checks import check_positive, check_share

FEW_MATCHED = 100  # fewer impressions, or unequal ones worth fewer, say little, and their interval is too narrow


@dataclass(frozen=True, eq=False)
class Weighed:
    """Weights (n, K) of the impressions, a control (n, G) with the mean of `expected` (n, G), and diagnostics."""

    assume: str
    weight: np.ndarray
    control: np.ndarray
    expected: np.ndarray
    missing: float
    clipped: float
    notes: tuple[str, ...] = ()


def weigh(log, target, terms):
    """How much more likely the target would have shown each impression, on the terms of `offpolicy`; or a refusal."""
    assume, examination, clip = terms.assume, terms.examination, terms.clip
    if assume not in _WEIGHTS:
        raise ValueError(f"assume must be one of {list(_WEIGHTS)}, got {assume!r}")
    check_session(log)
    if assume == "examination" and examination is None:
        raise ValueError("assume='examination' needs examination, the chance that each place is looked at")
    lists = isinstance(target, TopK)
    if lists and assume in ("place", "examination") and log.places is None and log.k > 1:
        raise ValueError(_NEEDS_PLACES)
    if lists:
        weight, expected, missing = _WEIGHTS[assume](log, wanted_lists(log, target), examination)
    else:
        weight, expected, missing = _arm_weights(log, np.asarray(target, float))
    check_share("missing_allowed", terms.missing_allowed)
    if missing > terms.missing_allowed:
        raise ValueError(
            f"the log could never show {missing:.1%} of the target's places, {terms.missing_allowed:.1%} are allowed; "
            "what was never shown cannot be judged: explore a larger pool, or set missing_allowed to look all the same"
        )

    def control(weight):
        pooled = assume == "examination" and lists
        return (weight * looks_of(log, examination)).sum(axis=1)[:, None] if pooled else weight

    cut, notes = 0.0, _notes(log, weight, control(weight), expected, missing)
    if clip is not None:
        check_positive("clip", clip)
        cut = float((weight > clip).sum() / max(np.count_nonzero(weight), 1))
        weight = np.minimum(weight, clip)
    return Weighed(assume, weight, control(weight), expected, missing, cut, notes)


def check_session(log):
    """Refuse an empty log."""
    if not len(log):
        raise ValueError("the log holds no session; nothing can be estimated from it")


def wanted_lists(log, target):
    """What the target would have shown in every session: (n, K), -1 pads."""
    if log.users.max() >= len(target):
        raise ValueError(f"target has lists for {len(target)} users, the log has user {log.users.max()}")
    if target.k < log.k:
        raise ValueError(f"target must have lists of at least {log.k} places like the log, got {target.k}")
    return target.items[log.users, : log.k]


def _arm_weights(log, chances):
    """Weights of a log of arms: the target's chance of the arm over that of the log."""
    if log.k != 1:
        raise ValueError(f"chances of arms need a log of one place, this one has {log.k}; give the target as TopK")
    if chances.ndim != 2 or len(chances) != len(log) or log.items.max() >= chances.shape[1]:
        raise ValueError(f"target must be ({len(log)} sessions, more than {log.items.max()} arms), got {chances.shape}")
    wrong = np.flatnonzero((np.abs(chances.sum(axis=1) - 1) > 1e-6) | ~(chances >= 0).all(axis=1))
    if len(wrong):
        raise ValueError(f"the target's chances must add up to 1, not so in {len(wrong)} sessions, e.g. {wrong[0]}")
    arm = log.items[:, 0]
    own = np.where(arm >= 0, chances[np.arange(len(log)), np.maximum(arm, 0)], 0.0)[:, None]
    return np.where(own > 0, own / np.where(own > 0, log.propensity, 1.0), 0.0), np.ones(own.shape), np.nan


def _weights_above(log, wanted, examination):
    """Product of 1 / propensity down to each place where all above agrees."""
    same = log.items == wanted
    ratio = np.where(same & (log.items >= 0), 1 / np.where(log.items >= 0, log.propensity, 1.0), same)
    weight = np.where(wanted >= 0, np.cumprod(ratio, axis=1), 0.0)
    return weight, (wanted >= 0).astype(float), _lost(_own_place(log, wanted), wanted)


def _weights_list(log, wanted, examination):
    """Product of 1 / propensity where the whole list agrees."""
    above, expected, missing = _weights_above(log, wanted, None)
    same = (log.items == wanted).all(axis=1, keepdims=True)
    weight = np.where((wanted >= 0) & same, above.max(axis=1, keepdims=True), 0.0)
    return weight, expected, missing


def _weights_place(log, wanted, examination):
    """1 / P(item in its place) where the item agrees."""
    own = _own_place(log, wanted)
    chance = log.propensity if own is None else own
    same = (log.items == wanted) & (wanted >= 0) & (chance > 0)
    weight = np.where(same, 1 / np.where(same, chance, 1.0), 0.0)
    return weight, (wanted >= 0).astype(float), _lost(own, wanted)


def _weights_examination(log, wanted, examination):
    """P(looked at in the target's place) / P(looked at in the log) of the items that both show, in whatever place."""
    looks = np.broadcast_to(looks_of(log, examination), wanted.shape)
    seen = np.column_stack([(chance * looks).sum(axis=1) for chance in _chances(log, wanted)])
    gain, weight = np.divide(looks, seen, out=np.zeros(seen.shape), where=seen > 0), np.zeros(wanted.shape)
    for place, item in enumerate(wanted.T[:, :, None]):
        weight += np.where((log.items == item) & (item >= 0), gain[:, [place]], 0.0)
    expected = np.where(wanted >= 0, looks, 0.0).sum(axis=1)[:, None]
    return weight, expected, _lost(None if log.places is None else seen, wanted)


_WEIGHTS = dict(list=_weights_list, above=_weights_above, place=_weights_place, examination=_weights_examination)
_NEEDS_PLACES = (
    "the log has no chances of places: a propensity given the places above is not the chance of an item in a place. "
    "Log(places=epsilon_greedy_chances(...)) holds them; assume='above' or 'list' needs none"
)


def _chances(log, wanted):
    """For each place of the target's list: P(its item stands in place k of the log), (n, K).

    A log of one place that holds no such chances knows that of the item shown, which is all its weight needs.
    """
    if log.places is None:
        yield np.where(log.items == wanted, log.propensity, 0.0)
        return
    users, first, who = np.unique(log.users, return_index=True, return_inverse=True)
    for place in range(log.k):
        yield log.places.of(users, wanted[first, place][:, None])[who, 0]


def _own_place(log, wanted):
    """P(the target's item in the target's place) (n, K), or None if the log cannot tell."""
    if log.places is None:
        return None
    return np.column_stack([chance[:, place] for place, chance in enumerate(_chances(log, wanted))])


def _lost(own, wanted):
    """Share of the target's places that the log could never show, by chances of places (n, K); NaN without them."""
    if own is None:
        return np.nan
    return float(np.count_nonzero((own <= 0) & (wanted >= 0)) / max(np.count_nonzero(wanted >= 0), 1))


def looks_of(log, examination):
    """P(looked at) as an array that fits (n, K); ones without an assumption about it."""
    if examination is None:
        return np.ones(log.k)
    looks = np.asarray(examination, float)
    if looks.shape not in ((log.k,), log.items.shape):
        raise ValueError(f"examination must be ({log.k},) or {log.items.shape}, got {looks.shape}")
    if not ((looks > 0) & (looks <= 1)).all():
        raise ValueError(f"examination must be above 0 and at most 1, got {looks.min()} to {looks.max()}")
    return looks


def _notes(log, weight, control, expected, missing):
    """Sentences on what a reader must know of the weights."""
    notes, matched = [], np.count_nonzero(weight)
    if matched < FEW_MATCHED:
        notes.append(f"Only {matched} impressions match; the interval is too narrow.")
    elif (ess := effective_size(weight)) < FEW_MATCHED:
        notes.append(
            f"A few weights are so large that {matched:,} impressions are worth {ess:,.0f}; the interval is too "
            "narrow. Clip the weights, or assume more."
        )
    if missing > 0:
        notes.append(f"{missing:.1%} of the places could never be seen; IPS counts them as 0.")
    gap = (control - expected).sum(axis=1)
    error = sums_by_user(log, gap[:, None])[0][:, 0].std(ddof=0) * np.sqrt(len(np.unique(log.users)))
    if not missing > 0 and matched >= FEW_MATCHED and abs(gap.sum()) > 4 * error:
        notes.append(
            f"The weights add up to {control.sum() / expected.sum():.3f} of what they must, more than chance: these "
            "are not the propensities that were used, or the log cannot show all of the target."
        )
    return tuple(notes)


def effective_size(weight):
    """(sum of weights)^2 / sum of squares; 0 without any."""
    return float(weight.sum() ** 2 / max((weight**2).sum(), 1e-300))


def sums_by_user(log, parts):
    """Sums of parts (n, M) per user: (users, M), and sessions (users,)."""
    _, who = np.unique(log.users, return_inverse=True)
    sums = np.column_stack([np.bincount(who, column) for column in parts.T])
    return sums, np.bincount(who).astype(float)
