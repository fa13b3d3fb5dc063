"""Two versions of the student on the same test items: what changed, and whether it is chance.

A version is a mapping from test item to its preference (`Items.by_id`): -0.5 lost, 0.5 won, NaN
where a verdict cannot be read. Both versions get the same draws of items, so that the difficulty of
an item cancels out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isnan, log2, nan
from statistics import NormalDist, fmean
from typing import Literal

from alpacare.evaluation.bootstrap import Resampling, difference_interval, draw, resampled_means
from alpacare.evaluation.items import Preferences

Outcome = Literal["loss", "tie", "win"]


@dataclass(frozen=True)
class Difference:
    """A difference of win rates over n items, in shares from -1 to 1, rounded to four places.

    `changed` items have another preference now. `needed` items would show a difference of this size
    with 80 % power; None if there is no difference, or one item only. `real`: more than chance, as
    the interval excludes 0 and there are enough changed items for an exact sign test.
    """

    n: int
    then: float
    now: float
    change: float
    ci_low: float
    ci_high: float
    changed: int
    needed: int | None
    real: bool


@dataclass(frozen=True)
class Comparison:
    """A difference, and the items that it leaves out; None if no item is left."""

    difference: Difference | None
    unreadable: int  # in both versions, but without readable verdicts in one or both
    only_then: int
    only_now: int


@dataclass(frozen=True)
class Flip:
    """A test item with another outcome now."""

    id: str
    then: Outcome
    now: Outcome


def average_preferences(references: Sequence[Preferences]) -> dict[str, float]:
    """Average each item's preferences over references; NaN if it lacks one of them.

    So an item with all its references is one value, and is resampled as one.
    """
    ids = dict.fromkeys(id for preferences in references for id in preferences)
    return {id: fmean(preferences.get(id, nan) for preferences in references) for id in ids}


def compare(then: Preferences, now: Preferences, how: Resampling) -> Comparison:
    """Compare two versions on the items that can be read in both.

    Swapping the versions gives exactly the negative difference and interval.
    """
    both = sorted(then.keys() & now.keys())  # the same draws whichever version is the first
    readable = [id for id in both if not isnan(then[id]) and not isnan(now[id])]
    return Comparison(
        _difference([then[id] for id in readable], [now[id] for id in readable], how),
        unreadable=len(both) - len(readable),
        only_then=len(then) - len(both),
        only_now=len(now) - len(both),
    )


def _difference(then: Sequence[float], now: Sequence[float], how: Resampling) -> Difference | None:
    import numpy as np

    n = len(then)
    if not n:
        return None
    changes = np.array(now) - np.array(then)
    means = resampled_means(changes, draw(n, how.resamples, how.seed))
    low, high = difference_interval(means, n, how.confidence)
    change, changed = float(changes.mean()), int(np.count_nonzero(changes))
    variance = float(changes.var(ddof=1)) if n > 1 else nan
    return Difference(
        n=n,
        then=round(0.5 + fmean(then), 4),
        now=round(0.5 + fmean(now), 4),
        change=round(change, 4),
        ci_low=round(low, 4),
        ci_high=round(high, 4),
        changed=changed,
        needed=items_needed(change, variance, how.confidence),
        real=(low > 0 or high < 0) and changed >= fewest_changes(how.confidence),
    )


def items_needed(change: float, variance: float, confidence: float) -> int | None:
    """Give how many items show a mean change with 80 % power.

    (z of the confidence + z of the power)^2 * variance / change^2, the variance that of the change
    from item to item: the usual sample size for paired differences, for evaluations in Miller 2024
    (arXiv 2411.00640). None for no change: no number of items shows it.
    """
    if change == 0 or isnan(variance):
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2) + NormalDist().inv_cdf(0.8)
    return max(fewest_changes(confidence), ceil(z**2 * variance / change**2))


def fewest_changes(confidence: float) -> int:
    """Give the fewest changes, all in one direction, that an exact sign test calls significant.

    6 for 95 %. Resamples of fewer items vary too little: if 3 of 3 are won, each resample is too.
    """
    return ceil(log2(2 / (1 - confidence)))


def flips(then: Preferences, now: Preferences) -> list[Flip]:
    """List the items whose outcome changed, in the order judged now."""
    outcomes = [
        Flip(id, _outcome(then[id]), _outcome(preference))
        for id, preference in now.items()
        if not isnan(preference) and not isnan(then.get(id, nan))
    ]
    return [each for each in outcomes if each.then != each.now]


def _outcome(preference: float) -> Outcome:
    return "win" if preference > 0 else "loss" if preference < 0 else "tie"
