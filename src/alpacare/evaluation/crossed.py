"""Means over test items and training seeds, which are crossed: each seed answers every item.

Such a mean varies with the choice of items and with that of seeds. Its variance has two parts: that
of item means by the number of items (Miller 2024, arXiv 2411.00640), and that between seeds by the
number of seeds, pooled over students (`seed_variance`). What single answers differ by chance is in
both, and counts once. Resampling both (Owen & Eckles 2012, doi 10.1214/12-AOAS547)
covers too little with few seeds; here each part gets Student's t at its own degrees of freedom, and
half widths add up as squares (Zou & Donner 2008, doi 10.1002/sim.3095). How often the intervals
cover: simulated in tests/evaluation/test_coverage.py.

An item is one observation, however many references, orders and samples its value is a mean of. It
counts for a training run if it is readable against all references, and for a model if it counts in
one run at least: its value is the mean of those runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot, isnan, nan
from typing import NamedTuple

from alpacare.evaluation.bootstrap import Resampling, share_interval
from alpacare.evaluation.items import Array
from alpacare.evaluation.score import Rate
from alpacare.evaluation.seed_variance import Runs, SeedVariance, own_seeds
from alpacare.evaluation.t_distribution import t_quantile
from alpacare.evaluation.win_rates import NO_RATE, rounded_rate


class Parts(NamedTuple):
    """Half widths of an interval by cause, in shares: their squares add up to that of the whole.

    `judge`: as it says otherwise when asked again; 0 where it was asked once, and this is in items.
    """

    items: float
    training: float
    judge: float

    def whole(self) -> float:
        """Give half the width of the interval."""
        return float(sum(part**2 for part in self) ** 0.5)

    def scaled(self, half: float) -> "Parts":
        """Give the same shares of another half width; all is due to items if nothing varies."""
        whole = self.whole()
        return Parts(*(part * half / whole for part in self)) if whole > 1e-9 else Parts(half, 0, 0)


@dataclass(frozen=True)
class Spread:
    """The variance of a mean over n items, by cause.

    `items`: as if seeds made no difference. `freedom`: the degrees of freedom of the part of the
    seeds; 0 where there is none, or where nobody knows it. `by_chance`: what single answers differ
    by, which is in `items` and in `seeds`. `judge`: what of `items` is due to the judge's samples.
    """

    n: int
    items: float
    seeds: float
    freedom: int
    by_chance: float = 0.0
    judge: float = 0.0

    def half_width(self, confidence: float) -> float:
        """Give half the width of the interval."""
        return self.parts(confidence).whole()

    def parts(self, confidence: float) -> Parts:
        """Give the half width that items alone would bring, and what training adds to it."""
        by_item = t_quantile(confidence, self.n - 1) ** 2 if self.n > 1 else 0.0
        by_seed = t_quantile(confidence, self.freedom) ** 2 if self.freedom else 0.0
        judge = by_item * min(self.judge, self.items)
        added = by_seed * self.seeds - by_item * self.by_chance if self.freedom else 0.0
        squares = (by_item * self.items - judge, max(0.0, added), judge)
        return Parts(*(square**0.5 for square in squares))

    def effective_size(self) -> float:
        """Give how many items, with no difference between seeds, would be as sure."""
        whole = self.items + max(0.0, self.seeds - self.by_chance)
        return self.n * self.items / whole if whole else float(self.n)

    def items_alone(self) -> "Spread":
        """Give the same as if seeds made no difference."""
        return replace(self, seeds=0.0, by_chance=0.0, freedom=0)

    def with_items(self, n: int) -> "Spread":
        """Give the same with so many items."""
        by_chance = self.by_chance * self.n / n
        seeds = max(0.0, self.seeds - self.by_chance) + by_chance
        return Spread(n, self.items * self.n / n, seeds, self.freedom, by_chance)


@dataclass(frozen=True)
class MeanRate:
    """A mean win rate, its effective sample size, and what its interval is made of."""

    rate: Rate
    size: float
    parts: Parts


def item_means(runs: Runs) -> dict[str, float]:
    """Give each item's mean over the runs in which it can be read; NaN if in none."""
    ids = dict.fromkeys(id for run in runs for id in run)
    found = {id: [run[id] for run in runs if not isnan(run.get(id, nan))] for id in ids}
    return {id: sum(values) / len(values) if values else nan for id, values in found.items()}


def count_unread(runs: Runs) -> tuple[int, int]:
    """Count the values that cannot be read, over all runs, and all values."""
    values = [value for run in runs for value in run.values()]
    return sum(map(isnan, values)), len(values)


def measure_spread(values: Array, models: Sequence[tuple[int, SeedVariance]]) -> Spread:
    """Measure what the mean of `values`, one for each item, varies with.

    `models`: for each model in it, how many runs it has and how far trainings of it are apart.
    """
    n = len(values)
    items = float(values.var(ddof=1)) / n if n > 1 else 0.0
    by_chance = sum(each.by_chance / count for count, each in models)
    return Spread(
        n=n,
        items=items,
        seeds=sum(each.variance / count for count, each in models),
        freedom=max((each.freedom for _, each in models), default=0),
        by_chance=min(items, by_chance),
    )


def mean_win_rate(
    runs: Runs, how: Resampling, seeds: SeedVariance | None = None, judge: float = 0.0
) -> MeanRate:
    """Give a model's win rate, with its interval over items and seeds.

    `seeds`: as pooled over the study; NOT_TRAINED for a model that it does not train; None for what
    the runs alone show. `judge`: the variance of the mean that is due to the judge's samples.
    """
    import numpy as np

    means = {id: value for id, value in item_means(runs).items() if not isnan(value)}
    if not means:
        return MeanRate(NO_RATE, 0.0, Parts(0, 0, 0))
    values = np.array(list(means.values()))
    known = own_seeds(runs) if seeds is None else seeds.of(runs)
    spread = measure_spread(values, [(len(runs), known)])
    mean = float(values.mean())
    size = _effective_size(values, spread.items)
    parts = replace(spread, judge=judge).parts(how.confidence)
    low, high = _interval(mean, size, parts.training, how.confidence)
    parts = parts.scaled((high - low) / 2)
    return MeanRate(rounded_rate(mean, low, high, len(values)), spread.effective_size(), parts)


def _interval(mean: float, size: float, training: float, confidence: float) -> tuple[float, float]:
    """Give Wilson's interval over items, widened to each side by the luck of training.

    The distances add up as squares (Zou & Donner 2008, for the sum of two estimates).
    """
    share = 0.5 + mean
    low, high = share_interval(share, size, confidence)
    below, above = (hypot(share - low, training), hypot(high - share, training))
    return max(0.0, share - below), min(1.0, share + above)


def _effective_size(values: Array, variance: float) -> float:
    """Give how many won or lost items would have a mean of this variance, as in `bootstrap`."""
    import numpy as np

    share, n = 0.5 + float(values.mean()), len(values)
    binary = share * (1 - share)
    if float(np.ptp(values)) < 1e-12 or binary <= 0:
        return float(n)
    size = binary / max(variance, 1e-12)
    return min(size, max(3.0 * n, size * _certainty(values)))


def _certainty(values: Array) -> float:
    """Give how far the variance can be believed, by the items that differ from the usual value.

    Where nearly all are ties, few items make up all of it. Four are added to them, as Agresti &
    Coull 1998 (The American Statistician 52) do for a share.
    """
    import numpy as np

    usual = int(np.unique(values.round(9), return_counts=True)[1].max())
    different = len(values) - usual
    return different / (different + 4)
