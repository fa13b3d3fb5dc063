"""Two versions of the student on the same test items: what changed, and whether it is chance.

A version is a mapping from test item to its lead (`Items.item_leads`): -0.5 lost, 0.5 won, NaN
where a verdict cannot be read. Both versions meet the same draws of items, so that what makes an
item easy or hard cancels out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isnan, log2, nan
from statistics import NormalDist, fmean
from typing import Literal

from alpacare.evaluation.bootstrap import Resampling, difference_interval, draw, resampled_means

Leads = Mapping[str, float]
Outcome = Literal["loss", "tie", "win"]

POWER = 0.8


@dataclass(frozen=True)
class Difference:
    """A difference of win rates over n items, in shares from -1 to 1, rounded to four places.

    `changed` items have another lead now. `needed` items would show a difference of this size with
    80 % power; None where there is none, or one item alone. `real`: more than chance, since the
    interval leaves no change out, and an exact sign test could see so many changed items too.
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
    """A difference, and the items it leaves out; no difference where nothing is left."""

    difference: Difference | None
    unreadable: int  # in both versions, but without readable verdicts in one or both
    only_then: int
    only_now: int


@dataclass(frozen=True)
class Flip:
    """A test item whose outcome is another one now."""

    id: str
    then: Outcome
    now: Outcome


def average(references: Sequence[Leads]) -> dict[str, float]:
    """Average each item's leads over references; an item that lacks one of them is NaN.

    An item with all its references is thus one value: it is drawn as a whole or not at all.
    """
    ids = dict.fromkeys(id for leads in references for id in leads)
    return {id: fmean(leads.get(id, nan) for leads in references) for id in ids}


def compare(then: Leads, now: Leads, how: Resampling) -> Comparison:
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
    (arXiv 2411.00640). None for no change, which no number of items shows.
    """
    if change == 0 or isnan(variance):
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2) + NormalDist().inv_cdf(POWER)
    return max(fewest_changes(confidence), ceil(z**2 * variance / change**2))


def fewest_changes(confidence: float) -> int:
    """Give how many changes, all one way, an exact sign test calls more than chance: 6 for 95 %.

    Resamples of fewer items vary too little: of 3 that were all won, each resample is won.
    """
    return ceil(log2(2 / (1 - confidence)))


def flips(then: Leads, now: Leads) -> list[Flip]:
    """List the items whose outcome changed, in the order judged now."""
    outcomes = [
        Flip(id, _outcome(then[id]), _outcome(lead))
        for id, lead in now.items()
        if not isnan(lead) and not isnan(then.get(id, nan))
    ]
    return [each for each in outcomes if each.then != each.now]


def _outcome(lead: float) -> Outcome:
    return "win" if lead > 0 else "loss" if lead < 0 else "tie"
