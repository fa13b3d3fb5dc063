"""How many items or training seeds would show a difference; what is too little in any case."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil, log2

from alpacare.evaluation.crossed import Spread
from alpacare.evaluation.seed_variance import Seeds

_MOST = 10_000_000  # items or seeds: who needs more needs too many


def items_needed(change: float, spread: Spread, confidence: float) -> int | None:
    """Give how many items, with as many seeds, would show this change with 80 % power.

    None if no number of them would, or nobody knows.
    """
    if spread.n < 2 or (spread.items + spread.seeds == 0 and change == 0):
        return None

    def shown(n: int) -> bool:
        return _shows(spread.with_items(n), change, confidence)

    return _least(shown, fewest_changes(confidence))


def seeds_needed(change: float, spread: Spread, seeds: Seeds, confidence: float) -> int | None:
    """Give the same for training seeds of each student of the study, with as many items."""
    trained = [each for each in seeds if each.freedom]
    if not trained or change == 0:
        return None
    variance = sum(each.variance for each in trained)
    chance = sum(each.by_chance for each in trained)  # of single answers: more seeds average it out

    def shown(count: int) -> bool:
        more = replace(
            spread,
            items=spread.items - spread.by_chance + chance / count,
            seeds=variance / count,
            freedom=trained[0].students * (count - 1),
            by_chance=chance / count,
        )
        return _shows(more, change, confidence)

    return _least(shown, 2)


def _shows(spread: Spread, change: float, confidence: float) -> bool:
    """Whether a change is found in four of five cases.

    As z of the confidence + z of the power in the usual sample size of paired differences (Miller
    2024, arXiv 2411.00640). 80 % on one side are 60 % on both.
    """
    return abs(change) >= spread.half_width(confidence) + spread.half_width(0.6)


def _least(shown: Callable[[int], bool], fewest: int) -> int | None:
    """Find the least number with which a change is shown, by halving; None if there is none."""
    if not shown(_MOST):
        return None
    low, high = fewest - 1, _MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def fewest_changes(confidence: float) -> int:
    """Give the fewest changes, all in one direction, that an exact sign test calls significant.

    6 for 95 %. Resamples of fewer items vary too little: if 3 of 3 are won, each resample is too.
    """
    return ceil(log2(2 / (1 - confidence)))
