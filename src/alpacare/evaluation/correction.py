"""A judge's win rate on all items, put right by people's verdicts on some of them: PPI++.

Power-tuned prediction-powered inference, Angelopoulos, Duchi & Zrnic 2023 (arXiv 2311.01453,
section 6, for a mean); for LLM judges Chen et al. 2026 (arXiv 2601.05420):

    people's mean + lambda (the judge's mean on all items - the judge's mean on those people read)

with lambda = Cov(people, judge) / Var(judge). They write it with the judge's mean on the N unread
items: their lambda is ours / (1 + n / N), the estimate the same. A judge without information gets
lambda 0, and people's mean is left. It is the regression estimator of double sampling (Cochran
1977, Sampling Techniques, chapter 12). A tie is half a win.

Where it deviates. Variances are those of items' influences, so that several references of one item
are one cluster, and lambda is estimated on reviewed items alone, as in Cochran. These are weighted
by how many of their stratum they speak for. The published interval covers 84 to 92 % with 30 items:
a judge that made no error there seems to make none ever. So two half items on which judge and
people differ, one each way, enter lambda and the variance, not the estimate (as half an item a cell
in Agresti & Min 2005, doi 10.1002/sim.1781); the quantile is Student's, the shape Wilson's. lambda
is not held below 1, as the mean of two orders may say too little, nor may it be negative.
Simulated coverage: tests/evaluation/test_correction.py.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from statistics import NormalDist

from alpacare.core.texts import counted
from alpacare.evaluation.bootstrap import share_interval
from alpacare.evaluation.items import Array
from alpacare.evaluation.t_distribution import t_quantile

LEAST = 3  # reviewed items for an interval: Student's t needs a degree of freedom
FEWEST = 60  # reviewed items; with fewer the interval promises too much
_HALF_ITEMS = 2 * 0.5 * 0.5**2  # two half items, half a win from the middle each: their squares


@dataclass(frozen=True)
class Pair:
    """A judged pair of answers to a test item; `people` is NaN where nobody read it.

    `reference`: people must have read some of each. `stratum`: of which the reviewed items are a
    fair sample, such as a difficulty.
    """

    item: str
    reference: str
    stratum: str
    judge: float
    people: float


@dataclass(frozen=True)
class CorrectedRate:
    """A preference with the interval of its win rate.

    `tuning`: lambda; `reviewed`: items read, Kish's effective number of them if weights differ.
    `explained`: what of the variance of people's preferences the judge knows.
    """

    preference: float
    low: float
    high: float
    tuning: float
    reviewed: float
    explained: float


def correct_win_rate(pairs: Sequence[Pair], confidence: float) -> CorrectedRate:
    """Estimate the win rate by people on all pairs; each of them is readable by the judge.

    `too_few_alone` finds nothing wrong, and people read some of each reference.
    """
    import numpy as np

    item = _places(pairs)
    judge = np.array([pair.judge for pair in pairs])
    weights = _weights(pairs)
    people = np.where(weights > 0, [pair.people for pair in pairs], 0.0)
    own, mean, of_read = float(weights @ people), float(judge.mean()), float(weights @ judge)
    n = _effective(item, weights)
    left = max(0.0, 1 / n - 1 / (1 + int(item.max())))
    a = np.bincount(item, weights * (people - own))  # influences of items on each of the means
    b = np.bincount(item, weights * (judge - of_read))
    every = np.bincount(item, (judge - mean) / len(pairs))
    half = _HALF_ITEMS / n**2
    covariance = float(a @ b) - half
    tuning = max(0.0, covariance / (float(b @ b) + half))
    variance = float(((a - tuning * (b - every)) ** 2).sum())
    variance = (variance + half * (1 + tuning * n * left) ** 2) * n / (n - 1)
    preference = min(0.5, max(-0.5, own + tuning * (mean - of_read)))
    low, high = interval_of(preference, variance, n, confidence)
    return CorrectedRate(preference, low, high, tuning, n, tuning * covariance * n)


def too_few(pairs: Sequence[Pair]) -> str | None:
    """Say why a win rate cannot be corrected, if so."""
    read = [pair for pair in pairs if not isnan(pair.people)]
    if (n := len({pair.item for pair in read})) < FEWEST:
        return f"{counted(n, 'reviewed item')} that the judge could read, and {FEWEST} are needed"
    missing = {pair.reference for pair in pairs} - {pair.reference for pair in read}
    if missing:
        return f"people read nothing against {', '.join(sorted(missing))}"
    return too_few_alone(pairs)


def too_few_alone(pairs: Sequence[Pair]) -> str | None:
    """Say why not even people's own win rate has an interval, if so."""
    n = len({pair.item for pair in pairs if not isnan(pair.people)})
    if n < LEAST:
        return f"{counted(n, 'reviewed item')} that the judge could read, and {LEAST} are needed"
    effective = _effective(_places(pairs), _weights(pairs))
    if round(effective, 6) >= LEAST:
        return None
    return (
        f"{n} reviewed items are as good as {effective:.1f}, since few of them speak for most test "
        f"items, and {LEAST} are needed"
    )


def _places(pairs: Sequence[Pair]) -> Array:
    """Number the items from 0: of each pair, its item's number."""
    import numpy as np

    places = {item: place for place, item in enumerate(dict.fromkeys(p.item for p in pairs))}
    return np.array([places[pair.item] for pair in pairs])


def _effective(item: Array, weights: Array) -> float:
    """Give Kish's effective number of items (1965)."""
    import numpy as np

    return 1 / float((np.bincount(item, weights) ** 2).sum())


def _weights(pairs: Sequence[Pair]) -> Array:
    """Weigh each reviewed pair by the share of all pairs that it speaks for; 0 for the others.

    That of its stratum (post-stratification, Cochran 1977, chapter 5A), where people read some of
    each stratum of the reference; else of its reference.
    """
    import numpy as np

    read = [pair for pair in pairs if not isnan(pair.people)]
    unread = {(pair.reference, pair.stratum) for pair in pairs}
    unread -= {(pair.reference, pair.stratum) for pair in read}
    whole = {reference for reference, _ in unread}

    def part(pair: Pair) -> tuple[str, str | None]:
        return pair.reference, None if pair.reference in whole else pair.stratum

    every, seen = Counter(map(part, pairs)), Counter(map(part, read))
    found = [0.0 if isnan(p.people) else every[part(p)] / seen[part(p)] for p in pairs]
    weights: Array = np.array(found) / sum(found)
    return weights


def interval_of(
    preference: float, variance: float, n: float, confidence: float
) -> tuple[float, float]:
    """Give the win rate's interval for this variance of the preference, of n reviewed items.

    n is 3 at least. Wilson's, with Student's quantile for n - 2 degrees of freedom.
    """
    binary = 0.25 - preference**2
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    scale = (z / t_quantile(confidence, n - 2)) ** 2
    size = scale * (binary / variance if binary > 1e-9 and variance > 1e-12 else n)
    return share_interval(0.5 + preference, size, confidence)
