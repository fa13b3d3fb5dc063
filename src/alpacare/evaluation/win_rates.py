"""Win rates of items' preferences, with their intervals."""

from collections.abc import Sequence

from alpacare.evaluation.bootstrap import (
    Resampling,
    draw,
    effective_sample_size,
    resampled_means,
    share_interval,
)
from alpacare.evaluation.items import Array
from alpacare.evaluation.score import Rate

NO_RATE = Rate(win_rate=None, ci_low=None, ci_high=None, n=0)


def win_rate_of(preferences: Sequence[float], how: Resampling) -> Rate:
    """Resample items' preferences, and give their win rate."""
    import numpy as np

    draws = draw(len(preferences), how.resamples, how.seed)
    return estimate_win_rate(np.array(preferences), draws, how.confidence)


def estimate_win_rate(preferences: Array, draws: Array, confidence: float) -> Rate:
    """Give the win rate of items' preferences, shape (n,); NaN does not count."""
    return estimate_with_sample_size(preferences, draws, confidence)[0]


def estimate_with_sample_size(
    preferences: Array, draws: Array, confidence: float
) -> tuple[Rate, float]:
    """Give the win rate, and the effective sample size of its interval."""
    import numpy as np

    valid = preferences[~np.isnan(preferences)]
    if not (n := len(valid)):
        return NO_RATE, 0.0
    mean = float(valid.mean())
    size = effective_sample_size(0.5 + mean, 0.5 + resampled_means(preferences, draws), n)
    return rounded_rate(mean, *share_interval(0.5 + mean, size, confidence), n), size


def rounded_rate(preference: float, low: float, high: float, n: int) -> Rate:
    """Round every figure of a rate to four places."""
    win_rate = rounded_win_rate(preference)
    return Rate(win_rate=win_rate, ci_low=round(low, 4), ci_high=round(high, 4), n=n)


def rounded_win_rate(preference: float) -> float:
    """Round before 0.5 is added: swapped sides then give exactly 1 minus the win rate."""
    return round(0.5 + round(preference, 4), 4)
