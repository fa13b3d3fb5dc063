"""How many test items people have to read for a win rate with an interval of a given width.

The variance of the corrected win rate (`correction`) with n of N items read by k people each:

    (spread + disagreement / k - explained) / n + explained / N

spread: of items' true preferences; disagreement: of the reviewers of one item; explained: what of
it the judge knows. As Cochran 1977 (Sampling Techniques, chapter 12) for double sampling, with the
reviewers as second stage (chapter 10).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from statistics import fmean, variance

from alpacare.evaluation.correction import (
    FEWEST,
    Pair,
    correct_win_rate,
    interval_of,
    too_few_alone,
)

_ASSUMED = 0.25  # variance, if half of the items are won and none tied
SOME = 20  # reviewed items from which on variances are estimated


@dataclass(frozen=True)
class Variances:
    """What a corrected win rate on so many items varies by; of preferences, see above.

    `disagreement` is None where no item was read by two.
    """

    items: int
    preference: float = 0.0
    spread: float = _ASSUMED
    disagreement: float | None = None
    explained: float = 0.0

    def width(self, n: int, reviewers: int, confidence: float) -> float:
        """Give the interval's width with n items read."""
        explained = self.explained if n >= FEWEST else 0.0
        each = self.spread + (self.disagreement or 0.0) / reviewers
        found = (each - explained) / n + explained / self.items
        low, high = interval_of(self.preference, found, n, confidence)
        return high - low

    def width_of_all(self, confidence: float) -> float:
        """Give the interval's width with all items read by one person each."""
        return self.width(self.items, 1, confidence) if self.items > 2 else 1.0

    def needed(self, width: float, reviewers: int, confidence: float) -> int | None:
        """Give the least number of items for this width; None if all of them are too few."""
        fewest, most = 3, self.items
        if most < fewest or self.width(most, reviewers, confidence) > width:
            return None
        while fewest < most:
            middle = (fewest + most) // 2
            enough = self.width(middle, reviewers, confidence) <= width
            fewest, most = (fewest, middle) if enough else (middle + 1, most)
        return most


def estimate_variances(pairs: Sequence[Pair], read: Sequence[Sequence[float]]) -> Variances:
    """Estimate them from judged pairs and the preferences of each reviewer of each item read.

    With fewer than 20 items read: as if half were won, and the judge knew nothing.
    """
    items = len({pair.item for pair in pairs})
    reviewed = [pair.people for pair in pairs if not isnan(pair.people)]
    read_items = {pair.item for pair in pairs if not isnan(pair.people)}
    if len(read_items) < SOME or too_few_alone(pairs):
        return Variances(items)
    several = [each for each in read if len(each) > 1]
    freedom = sum(len(each) - 1 for each in several)
    between = sum(variance(each) * (len(each) - 1) for each in several) / max(1, freedom)
    spread = max(0.0, variance(reviewed) - between * fmean(1 / len(each) for each in read))
    found = correct_win_rate(pairs, 0.95)
    explained = min(spread, found.explained)
    return Variances(items, found.preference, spread, between if several else None, explained)
