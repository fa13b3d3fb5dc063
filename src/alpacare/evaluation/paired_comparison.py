"""Two models on the same test items, or one at two commits: what differs, and whether by chance.

A run is a mapping from test item to its preference (`Items.by_id`): -0.5 lost, 0.5 won, NaN where a
verdict cannot be read; a model has one for each training seed. They are paired by item, so that the
difficulty of an item cancels out, and not by seed: the same seed of two students has nothing in
common, unless they are the same checkpoints at two commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, nan
from statistics import fmean
from typing import Literal

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.crossed import Parts, Spread, item_means, measure_spread
from alpacare.evaluation.items import Preferences
from alpacare.evaluation.sample_size import fewest_changes, items_needed, seeds_needed
from alpacare.evaluation.seed_variance import (
    NOT_TRAINED,
    Runs,
    Seeds,
    pool_seeds,
    seed_changes,
)

Outcome = Literal["loss", "tie", "win"]


@dataclass(frozen=True)
class Difference:
    """A difference of win rates over n items, in shares from -1 to 1, rounded to four places.

    `seeds`: training runs of each side. `changed` items have another preference now. `effective`:
    so many items would be as sure if seeds made no difference. `real`: more than chance, as the
    interval excludes 0 and there are enough changed items for an exact sign test; `real_for_items`:
    it would be, if seeds made no difference. `luck`: how far trainings of each side are apart.
    `among` so many comparisons it was tested at the confidence `tested_at`.
    """

    n: int
    seeds: tuple[int, int]
    then: float
    now: float
    change: float
    ci_low: float
    ci_high: float
    changed: int
    effective: float
    real: bool
    real_for_items: bool
    one_seed: bool
    parts: Parts
    spread: Spread
    luck: Seeds
    tested_at: float
    among: int = 1

    @property
    def items_needed(self) -> int | None:
        """With so many items this difference shows with 80 % power; None: with no number."""
        return items_needed(self.change, self.spread, self.tested_at)

    @property
    def seeds_needed(self) -> int | None:
        """With so many training seeds it does."""
        return seeds_needed(self.change, self.spread, self.luck, self.tested_at)

    @property
    def real_alone(self) -> bool:
        """Whether it would be more than chance, were it the only comparison."""
        outside = self.ci_low > 0 or self.ci_high < 0
        return outside and self.real_for_items and not self.one_seed


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


def compare(
    then: Runs,
    now: Runs,
    how: Resampling,
    same_seeds: bool = False,
    seeds: Seeds | None = None,
    most: float = 1.0,
) -> Comparison:
    """Compare two models on the items that can be read of both.

    Swapping them gives exactly the negative difference and interval. `seeds`: how far trainings of
    each side are apart, as pooled over the study; None for what the runs alone show. `same_seeds`:
    these are the same trainings at two commits, in the same order, so that what a seed brings
    cancels out; then the first of `seeds` is that of the changes. `most`: no change can be larger.
    """
    means = item_means(then), item_means(now)
    both = sorted(means[0].keys() & means[1].keys())
    readable = [id for id in both if not isnan(means[0][id]) and not isnan(means[1][id])]
    counts = len(then), len(now)
    known = seeds or _own_seeds(then, now, same_seeds)
    if not same_seeds:
        known = known[0].of(then), known[1].of(now)
    return Comparison(
        _difference(counts, means, readable, how, known, most) if readable else None,
        unreadable=len(both) - len(readable),
        only_then=len(means[0]) - len(both),
        only_now=len(means[1]) - len(both),
    )


def _own_seeds(then: Runs, now: Runs, same_seeds: bool) -> Seeds:
    """Give what these runs alone show of the luck of training."""
    if same_seeds:
        return paired_seeds([(then, now)], trained=len(then) > 1)
    pooled = pool_seeds([runs for runs in (then, now) if len(runs) > 1])
    first, second = (pooled if len(runs) > 1 else NOT_TRAINED for runs in (then, now))
    return first, second


def paired_seeds(students: Sequence[Sequence[Runs]], trained: bool) -> Seeds:
    """Pool how far changes of the same trainings are apart, over students: then and now of each."""
    changes = [seed_changes(then, now) for then, now in students]
    return pool_seeds(changes) if trained else NOT_TRAINED, NOT_TRAINED


def _difference(
    counts: tuple[int, int],
    means: tuple[Preferences, Preferences],
    ids: Sequence[str],
    how: Resampling,
    seeds: Seeds,
    most: float,
) -> Difference:
    import numpy as np

    then, now = (np.array([side[id] for id in ids]) for side in means)
    changes = now - then
    spread = measure_spread(changes, list(zip(counts, seeds, strict=True)))
    change, changed = float(changes.mean()), int(np.count_nonzero(changes))
    low, high = _interval(change, spread, how.confidence, most)
    told = changed >= fewest_changes(how.confidence)
    one_seed = any(each.unknown for each in seeds)
    return Difference(
        n=len(ids),
        seeds=counts,
        then=round(0.5 + float(then.mean()), 4),
        now=round(0.5 + float(now.mean()), 4),
        change=round(change, 4),
        ci_low=round(low, 4),
        ci_high=round(high, 4),
        changed=changed,
        effective=round(spread.effective_size(), 1),
        real=(low > 0 or high < 0) and told and not one_seed,
        real_for_items=abs(change) > spread.items_alone().half_width(how.confidence) and told,
        one_seed=one_seed,
        parts=spread.parts(how.confidence).scaled((high - low) / 2),
        spread=spread,
        luck=seeds,
        tested_at=how.confidence,
    )


def holds(found: Difference, confidence: float) -> bool:
    """Whether it is more than chance at this confidence, one seed or several.

    As `Difference.real`: the interval excludes 0, and enough items changed for a sign test.
    """
    low, high = _interval(found.change, found.spread, confidence, inf)
    return (low > 0 or high < 0) and found.changed >= fewest_changes(confidence)


def _interval(middle: float, spread: Spread, confidence: float, most: float) -> tuple[float, float]:
    """Give the interval of the mean change, which is -`most` to `most` at the widest.

    Where all items change alike they have no variance; then the exact bound on the share of other
    items is used (Clopper & Pearson 1934 for none of n).
    """
    half = spread.half_width(confidence)
    if spread.items >= 1e-24:
        return max(-most, middle - half), min(most, middle + half)
    others = 1 - float(((1 - confidence) / 2) ** (1 / spread.n))
    low, high = middle - others * (1 + middle), middle + others * (1 - middle)
    return max(-most, min(low, middle - half)), min(most, max(high, middle + half))


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
