"""How long texts are, in words; and the bins of histograms."""

from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Any


def count_words(text: str) -> int:
    """Count the words between blanks."""
    return len(text.split())


def summarise(values: Sequence[float], places: int) -> dict[str, Any] | None:
    """Give mean, median, extremes and quantiles, rounded; None without values.

    Quantiles are interpolated linearly, as in numpy.
    """
    import numpy as np

    if not len(values):
        return None
    quantiles = np.quantile(values, (0.05, 0.25, 0.75, 0.95)).tolist()
    figures = {
        "mean": float(np.mean(values)),
        "median": float(np.median(values)),
        "min": min(values),
        **dict(zip(("p5", "p25", "p75", "p95"), quantiles, strict=True)),
        "max": max(values),
    }
    return {"rows": len(values)} | {name: round(value, places) for name, value in figures.items()}


def length_bins(values: Sequence[int]) -> list[tuple[int, int, int]]:
    """Count lengths in bins (from, to, rows) of one round width; `to` belongs to the next bin.

    The width follows the 99th percentile, so that one long text does not hide all others. Empty
    bins are left out.
    """
    import numpy as np

    if not values:
        return []
    least = float(np.quantile(values, 0.99)) / 30  # about 30 bins, whatever the lengths
    rounds = (factor * 10**power for power in count() for factor in (1, 2, 5))
    width = next(width for width in rounds if width >= least)
    counts = Counter(value // width * width for value in values)
    return [(start, start + width, counts[start]) for start in sorted(counts)]


def score_bins(scores: Sequence[float]) -> list[tuple[float, float, int]]:
    """Count scores from 0 to 1 in 20 bins (from, to, rows); only the last contains its `to`."""
    if not len(scores):
        return []
    # a score that float64 puts just under a bound is on it
    counts = Counter(min(19, int(score * 20 + 1e-9)) for score in scores)
    return [(place / 20, (place + 1) / 20, counts[place]) for place in range(20)]
