"""Several comparisons at once: which of them hold, were there no difference in any (Holm 1979).

"A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6: the
clearest of m is tested at the m-th part of the error, then the clearest of those left, until one
does not hold. So one of all is found by chance as seldom as one alone would be.
"""

from collections.abc import Sequence
from dataclasses import replace

from alpacare.evaluation.paired_comparison import Difference


def correct_several(found: Sequence[Difference], confidence: float) -> list[Difference]:
    """Give the same differences; `real` are those that hold among all of them."""
    left = {place for place, each in enumerate(found) if each.real}
    rejected: set[int] = set()
    while left:
        error = (1 - confidence) / (len(found) - len(rejected))
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
        replace(each, real=place in rejected, among=len(found)) for place, each in enumerate(found)
    ]
