"""The loss on examples held out, with intervals: before the first step and after each epoch.

What is kept is each example's loss, and intervals are over examples, as the next ones would be
others.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from alpacare.core import jsonl

_RESAMPLES = 2000


class HeldOutLosses(jsonl.Row):
    """One measurement: after `step` steps, each example's loss in nats, summed over its tokens."""

    step: int
    losses: list[float]
    tokens: list[int]


class Estimate(NamedTuple):
    """Nats a token, with a 95 % interval over examples."""

    nats: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.nats:.4f} ({self.low:.4f} to {self.high:.4f})"


def estimate(measured: HeldOutLosses) -> Estimate:
    """Give the loss over all tokens of the examples, resampled by example (Efron 1979)."""
    return _resample(measured.losses, measured.tokens)


def estimate_change(before: HeldOutLosses, after: HeldOutLosses) -> Estimate:
    """Give how much the loss rose, over the same examples: below 0 is better."""
    rise = [last - first for first, last in zip(before.losses, after.losses, strict=True)]
    return _resample(rise, after.tokens)


def _resample(losses: Sequence[float], tokens: Sequence[int]) -> Estimate:
    import numpy as np

    sums, counts = np.array(losses), np.array(tokens)
    draw = partial(np.random.default_rng(0).integers, len(sums), size=len(sums))
    draws = (draw() for _ in range(_RESAMPLES))
    means = [sums[drawn].sum() / counts[drawn].sum() for drawn in draws]
    low, high = np.quantile(means, (0.025, 0.975))
    return Estimate(float(sums.sum() / counts.sum()), float(low), float(high))


def summarise(measured: Sequence[HeldOutLosses]) -> Mapping[str, float]:
    """Give the loss at the end and before training, and the change, each with its interval."""
    if not measured:
        return {}
    last = measured[-1]
    estimates = {"": estimate(last)}
    if measured[0].step == 0:
        estimates |= {
            "base_": estimate(measured[0]),
            "change_": estimate_change(measured[0], last),
        }
    return {
        f"{name}{part}": round(value, 4)
        for name, each in estimates.items()
        for part, value in zip(("loss", "low", "high"), each, strict=True)
    }
