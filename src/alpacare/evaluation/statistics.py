"""From verdicts to a win rate with its interval."""

from collections.abc import Mapping, Sequence

from alpacare.jsonl import Row
from alpacare.records.judgment import Judgment, Order, Verdict

POINTS: Mapping[Verdict, float] = {"model": 1.0, "tie": 0.5, "reference": 0.0}
Item = Mapping[Order, Verdict | None]


def by_item(judgments: Sequence[Judgment]) -> dict[str, Item]:
    """Group verdicts by test item: {id: {order: verdict}}."""
    items: dict[str, dict[Order, Verdict | None]] = {}
    for judgment in judgments:
        items.setdefault(judgment.id, {})[judgment.order] = judgment.verdict
    return dict(items)


def item_score(item: Item) -> float | None:
    """Mean points of both orders (win 1, tie 0.5, loss 0); None if either verdict is missing.

    This is AlpaCare's rule: an item counts only when both replies could be read.
    """
    points = [POINTS[verdict] for verdict in item.values() if verdict is not None]
    return sum(points) / len(points) if len(points) == len(item) else None


def bootstrap_interval(
    values: Sequence[float], resamples: int, confidence: float, seed: int
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean (Efron & Tibshirani 1993, ch. 13).

    A value is one test item with both its orders, so items and not verdicts are resampled. When
    all items score the same, resampling sees no spread at all; then the exact binomial bound on
    the share of items that may score otherwise stands in (Clopper & Pearson 1934).
    """
    import numpy as np

    data = np.asarray(values, dtype=np.float64)
    tail = (1 - confidence) / 2
    if data.min() == data.max():
        return _unanimous(float(data[0]), len(data), tail)
    draws = np.random.default_rng(seed).integers(0, len(data), size=(resamples, len(data)))
    low, high = np.quantile(data[draws].mean(axis=1), [tail, 1 - tail])
    return float(low), float(high)


def _unanimous(value: float, n: int, tail: float) -> tuple[float, float]:
    """Limits when all n items score `value`: up to 1 - tail^(1/n) of them could be 0, or be 1."""
    alike = tail ** (1 / n)
    return value * alike, 1 - (1 - value) * alike


class Score(Row):
    """One judge's verdicts on one reference; shares are rounded to four places.

    win_rate lies in ci_low..ci_high at `confidence` (null when nothing is valid). n items, n_valid
    of them; failures: verdicts that could not be read. Wins, ties and losses: items by their mean
    score. position_consistency: share of valid items with the same verdict in both orders.
    """

    win_rate: float | None
    ci_low: float | None
    ci_high: float | None
    confidence: float
    n: int
    n_valid: int
    failures: int
    wins: int
    ties: int
    losses: int
    position_consistency: float | None


def summarise(judgments: Sequence[Judgment], resamples: int, confidence: float, seed: int) -> Score:
    """Sum up one judge's verdicts on one reference."""
    items = list(by_item(judgments).values())
    scored = [(item, score) for item in items if (score := item_score(item)) is not None]
    values = [score for _, score in scored]
    low, high = bootstrap_interval(values, resamples, confidence, seed) if values else (None, None)
    consistent = sum(len(set(item.values())) == 1 for item, _ in scored)
    return Score(
        win_rate=_share(sum(values), len(values)),
        ci_low=None if low is None else round(low, 4),
        ci_high=None if high is None else round(high, 4),
        confidence=confidence,
        n=len(items),
        n_valid=len(values),
        failures=sum(judgment.verdict is None for judgment in judgments),
        wins=sum(value > 0.5 for value in values),
        ties=sum(value == 0.5 for value in values),
        losses=sum(value < 0.5 for value in values),
        position_consistency=_share(consistent, len(values)),
    )


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
