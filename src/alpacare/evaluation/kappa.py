"""Cohen's kappa, the agreement of two raters beyond chance, with an interval over test items.

(p - c) / (1 - c): p is the share of equal verdicts, c that of two independent raters with the same
counts of verdicts (Cohen 1960, doi 10.1177/001316446002000104, equation 1).
"""

from typing import NamedTuple

from alpacare.core.texts import counted
from alpacare.evaluation.bootstrap import share_interval
from alpacare.evaluation.items import Array

FEWEST = 40  # items for an interval
FEWEST_UNUSUAL = 15  # of them that each rater gives another verdict than its usual one
_A_QUARTER = 0.25  # of an item is added to each cell of equal verdicts


class Kappa(NamedTuple):
    """Kappa and its interval; `why` the interval is not given."""

    value: float | None
    low: float | None
    high: float | None
    why: str | None


def estimate_kappa(counts: Array, confidence: float) -> Kappa:
    """Give kappa of the pairs of verdicts of each item, shape (items, k, k).

    The variance is that of Fleiss, Cohen & Everitt 1969 (doi 10.1037/h0028106), summed
    over items, so that several references of one item are one cluster; the shape is Wilson's, for
    (1 + kappa) / 2. Where nearly all verdicts are one and the same, that covers 50 to 90 % instead
    of 95: what little is agreed on is not in the sample. So a quarter of an item is added to each
    cell of equal verdicts, and with fewer than FEWEST_UNUSUAL unusual verdicts there is no
    interval. Simulated, it then covers 93 to 97 % (tests/evaluation/test_kappa.py).
    """
    table = counts.sum(axis=0)
    value = kappa_of(table)
    if value is None:
        return Kappa(None, None, None, "both always say the same" if table.any() else None)
    if why := _too_few(counts):
        return Kappa(value, None, None, why)
    low, high = _full(counts, confidence) if value == 1 else _interval(counts, confidence)
    return Kappa(value, min(low, value), max(high, value), None)


def kappa_of(table: Array) -> float | None:
    """Give kappa of a table of counts, shape (k, k); None where it is not defined."""
    import numpy as np

    n = float(table.sum())
    chance = float(table.sum(axis=0) @ table.sum(axis=1))
    return (n * float(np.trace(table)) - chance) / (n * n - chance) if n * n > chance else None


def _too_few(counts: Array) -> str | None:
    table, items = counts.sum(axis=0), len(counts)
    usual = max(float(table.sum(axis=side).max()) for side in (0, 1))
    unusual = (1 - usual / float(table.sum())) * items
    if items < FEWEST:
        return f"{counted(items, 'test item')}, and {FEWEST} are needed for its interval"
    if unusual < FEWEST_UNUSUAL:
        return (
            f"one of them gives nearly always the same verdict, another one on "
            f"{counted(round(unusual), 'item')}: {FEWEST_UNUSUAL} are needed for its interval"
        )
    return None


def _interval(counts: Array, confidence: float) -> tuple[float, float]:
    import numpy as np

    each = counts.sum() / len(counts)  # comparisons of an item
    equal = np.eye(counts.shape[1])
    table = counts.sum(axis=0) + _A_QUARTER * each * equal
    p = table / table.sum()
    by_first, by_second = p.sum(axis=1), p.sum(axis=0)
    same, chance = float(np.trace(p)), float(by_first @ by_second)
    slopes = equal / (1 - chance)
    slopes -= (1 - same) / (1 - chance) ** 2 * (by_second[:, None] + by_first[None, :])
    slopes -= float((p * slopes).sum())
    squares = float((np.tensordot(counts, slopes, 2) ** 2).sum())
    squares += _A_QUARTER * float(((each * np.diag(slopes)) ** 2).sum())
    share = (1 + (same - chance) / (1 - chance)) / 2
    variance = squares / float(table.sum()) ** 2 / 4
    low, high = share_interval(share, share * (1 - share) / variance, confidence)
    return 2 * low - 1, 2 * high - 1


def _full(counts: Array, confidence: float) -> tuple[float, float]:
    """Give the interval if all verdicts are equal: from Wilson's for the share that is."""
    table = counts.sum(axis=0) / counts.sum()
    chance = float(table.sum(axis=0) @ table.sum(axis=1))
    low, _ = share_interval(1.0, len(counts), confidence)
    return max(-1.0, (low - chance) / (1 - chance)), 1.0
