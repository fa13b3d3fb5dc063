"""Several comparisons at once: which of them hold, were there no difference in any (Holm 1979).

"A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6: the
clearest of m is tested at the m-th part of the error, then the clearest of those left, until one
does not hold. So one of all is found by chance as seldom as one alone would be.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.paired_comparison import Difference, compare
from alpacare.evaluation.seed_variance import Runs, SeedVariance


def correct_several(found: Sequence[Difference], confidence: float) -> list[Difference]:
    """Give the same differences; `real` are those that hold among all of them.

    The others were tested at the confidence at which the first of them did not hold.
    """
    left = {place for place, each in enumerate(found) if each.real}
    rejected: set[int] = set()
    while True:
        error = (1 - confidence) / max(1, len(found) - len(rejected))
        holds = {
            place
            for place in left
            if abs(found[place].change) > found[place].spread.half_width(1 - error)
        }
        if not holds:
            break
        rejected |= holds
        left -= holds
    return [
        replace(each, real=place in rejected, among=len(found), tested_at=1 - error)
        for place, each in enumerate(found)
    ]


def rank(models: Sequence[Runs], seeds: Sequence[SeedVariance], how: Resampling) -> list[int]:
    """Give each model's rank: one more than the number of models that are better.

    Better is what holds among the comparisons of all pairs; so with no difference in any, all share
    a rank as often as two alone would. With one seed it is of these checkpoints. `seeds`: how far
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
    ranks = [1] * len(models)
    for pair, each in zip(compared, correct_several(found, how.confidence), strict=True):
        if each.real:
            ranks[pair[each.change < 0]] += 1
    return ranks
