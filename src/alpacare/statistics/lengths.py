"""How long texts are, in words; and the bins of histograms."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

QUANTILES = (0.05, 0.25, 0.75, 0.95)
_BINS = 30  # about so many, whatever the lengths


def words(text: str) -> int:
    """Count what stands between blanks."""
    return len(text.split())


def summarise(values: Sequence[float], places: int) -> dict[str, Any] | None:
    """Give mean, median, extremes and quantiles, rounded; None of nothing.

    Quantiles lie on straight lines between values, as numpy's do.
    """
    import numpy as np

    if not len(values):
        return None
    low, first, third, high = np.quantile(values, QUANTILES).tolist()
    figures = {
        "mean": float(np.mean(values)),
        "median": float(np.median(values)),
        "min": min(values),
        "p5": low,
        "p25": first,
        "p75": third,
        "p95": high,
        "max": max(values),
    }
    return {"rows": len(values)} | {name: round(value, places) for name, value in figures.items()}


def length_bins(values: Sequence[int]) -> list[tuple[int, int, int]]:
    """Count lengths in bins (from, to, rows) of one round width; `to` is in the next bin.

    The width follows the 99th percentile, so that one long text does not hide all others. Bins
    without rows are left out.
    """
    import numpy as np

    if not values:
        return []
    width = _round_width(float(np.quantile(values, 0.99)) / _BINS)
    counts = Counter(value // width * width for value in values)
    return [(start, start + width, counts[start]) for start in sorted(counts)]


def _round_width(least: float) -> int:
    """Give the smallest of 1, 2, 5, 10, 20, 50, ... that is not below `least`."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= least:
                return factor * power
        power *= 10


def score_bins(scores: Sequence[float]) -> list[tuple[float, float, int]]:
    """Count scores from 0 to 1 in 20 bins (from, to, rows), each without its `to` but the last."""
    if not len(scores):
        return []
    # a score that float64 puts just under a bound is on it
    counts = Counter(min(19, int(score * 20 + 1e-9)) for score in scores)
    return [(place / 20, (place + 1) / 20, counts[place]) for place in range(20)]
