"""Intervals by resampling test items: all verdicts on one item are one cluster.

Efron & Tibshirani 1993, ch. 13; why prompts and not judgments: Miller 2024 (arXiv 2411.00640).
"""

from statistics import NormalDist

from pydantic import Field

from alpacare.core.settings import Settings
from alpacare.evaluation.items import Array


class Resampling(Settings):
    """Section `scores` of params.yaml: how intervals are resampled."""

    resamples: int = Field(gt=0)
    confidence: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0)


def draw(n: int, resamples: int, seed: int) -> Array:
    """Draw n of n items with replacement; give how often each came, shape (resamples, n)."""
    import numpy as np

    if not n:
        return np.zeros((resamples, 0))
    drawn = np.random.default_rng(seed).integers(0, n, size=(resamples, n))
    drawn += n * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * n)
    return counts.reshape(resamples, n).astype(np.float64)


def resampled_means(values: Array, draws: Array) -> Array:
    """Give the mean of `values` in each draw, shape (resamples,); NaN values do not count."""
    import numpy as np

    valid = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        means: Array = draws @ np.where(valid, values, 0.0) / (draws @ valid.astype(np.float64))
    return means


def effective_sample_size(estimate: float, replicates: Array, n: int) -> float:
    """Give `size_of_variance` of the replicates' unbiased variance."""
    import numpy as np

    return size_of_variance(estimate, float(np.nanvar(replicates)) * n / max(1, n - 1), n)


def size_of_variance(estimate: float, variance: float, n: int) -> float:
    """Give the effective sample size: how many won or lost items would vary as the estimate does.

    p (1 - p) / variance (Korn & Graubard 1998); n where the items do not differ at all, and three
    times n at most, as many ties are no certainty.
    """
    binary = estimate * (1 - estimate)
    if variance < 1e-12 or binary <= 0 or n < 2:
        return float(n)
    return min(binary / variance, 3.0 * n)


def share_interval(estimate: float, sample_size: float, confidence: float) -> tuple[float, float]:
    """Give the interval of a share: the bootstrap's spread in Wilson's shape (1927).

    Percentiles of the replicates cover far too little near 0 and 1 with fewer than some hundred
    items (60 % instead of 95 at a share of 0.03 of 30), and have no width once all items score
    alike. Wilson's interval, at the effective sample size, does not have this fault. It is worked
    out from the middle, 0.5, so that it swaps with the sides.
    """
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    scale, centred = 1 + z2 / sample_size, estimate - 0.5
    root = (z2 * (0.25 - centred**2) / sample_size + (z2 / (2 * sample_size)) ** 2) ** 0.5
    low, high = (centred - root) / scale, (centred + root) / scale
    return max(0.0, 0.5 + low), min(1.0, 0.5 + high)
