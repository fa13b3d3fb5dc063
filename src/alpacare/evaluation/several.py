"""Several comparisons at once: which of them hold, were there no difference in any (Holm 1979).

"A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6: the
clearest of m is tested at the m-th part of the error, then the clearest of those left, until one
does not hold. So one of all is found by chance as seldom as one alone would be.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.paired_comparison import Difference, compare, holds
from alpacare.evaluation.seed_variance import Runs, SeedVariance


def correct_several(found: Sequence[Difference], confidence: float) -> list[Difference]:
    """Give the same differences; `real` are those that hold among all of them.

    The others were tested at the confidence at which the first of them did not hold.
    """
    left = {place for place, each in enumerate(found) if each.real}
    rejected: set[int] = set()
    while True:
        error = (1 - confidence) / max(1, len(found) - len(rejected))
        clear = {place for place in left if holds(found[place], 1 - error)}
        if not clear:
            break
        rejected |= clear
        left -= clear
    return [
        replace(each, real=place in rejected, among=len(found), tested_at=1 - error)
        for place, each in enumerate(found)
    ]


class Rank(NamedTuple):
    """The places that a model may have, from the best to the worst: "2", or "1-3"."""

    best: int
    worst: int

    def __str__(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}-{self.worst}"

    def shares(self, other: "Rank") -> bool:
        """Say whether there is a place that both may have."""
        return self.best <= other.worst and other.best <= self.worst


def rank(models: Sequence[Runs], seeds: Sequence[SeedVariance], how: Resampling) -> list[Rank]:
    """Give each model's rank: behind all that are better, and before all that are worse.

    A confidence set for ranks, from comparisons of all pairs (Mogstad, Romano, Shaikh and Wilhelm,
    "Inference for ranks", Review of Economic Studies 91, 2024, section 3); they bound all ranks at
    once by the bootstrap, and Holm's method does it here. With no difference in any, all share all
    places as often as two alone would. With one seed it is of these checkpoints. `seeds`: how far
    trainings of each model are apart.
    """
    pairs = combinations(range(len(models)), 2)
    compared = {
        (one, other): difference
        for one, other in pairs
        if (
            difference := compare(
                models[one], models[other], how, seeds=(seeds[one], seeds[other])
            ).difference
        )
    }
    found = [
        replace(each, real=each.real_for_items) if each.one_seed else each
        for each in compared.values()
    ]
    better, worse = [0] * len(models), [0] * len(models)
    for pair, each in zip(compared, correct_several(found, how.confidence), strict=True):
        if each.real:
            better[pair[each.change < 0]] += 1
            worse[pair[each.change > 0]] += 1
    return [Rank(1 + up, len(models) - down) for up, down in zip(better, worse, strict=True)]
