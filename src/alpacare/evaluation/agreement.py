"""How far two raters agree, judges or people: the share of equal verdicts, and Cohen's kappa.

Intervals are over test items: one item, of several models against several references, is one
cluster.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import Literal, NamedTuple, get_args

from pydantic import field_validator

from alpacare.core.jsonl import Row
from alpacare.evaluation.bootstrap import Resampling, share_interval, size_of_variance
from alpacare.evaluation.items import Array
from alpacare.evaluation.kappa import estimate_kappa
from alpacare.evaluation.score import Rate
from alpacare.records.judgment import Verdict

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_DECIDED = slice(0, 2)  # of VERDICTS, all but the tie

RaterKind = Literal["judges", "judge and reviewers", "reviewers"]


class ComparisonKey(NamedTuple):
    """What a rater judges: the answers of a model and a reference to one test item.

    `seed`: the training seed of a student, None for another model.
    """

    test: str
    model: str
    seed: int | None
    reference: str
    id: str


RaterVerdicts = Mapping[ComparisonKey, Verdict | None]  # None: cannot be read


class Estimate(Row):
    """A figure in ci_low..ci_high, rounded to four places; null where there is none."""

    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None

    @field_validator("*")
    @classmethod
    def _round(cls, figure: float | None) -> float | None:
        return None if figure is None else round(figure, 4) + 0.0  # never -0.0


class Agreement(Row):
    """Two raters on the n comparisons that both judged, of `items` test items."""

    n: int
    items: int
    unreadable: int  # comparisons left out: a verdict of one or both could not be read
    accuracy: Estimate  # share of equal verdicts
    n_decided: int  # comparisons where neither says tie
    accuracy_decided: Estimate  # share of equal verdicts among those
    kappa: Estimate  # no figure if both always say one same thing
    kappa_why: str | None  # why it has no interval


class RaterPair(Row):
    """Two raters; a judge is compared with the majority of the reviewers, by `criterion`."""

    kind: RaterKind
    criterion: str | None
    first: str
    second: str
    overall: Agreement
    by_test: dict[str, Agreement]
    by_type: dict[str, Agreement]


class HumanRate(Row):
    """A model's win rate by people: an item is the mean of its reviewers, a tie half a win."""

    test: str
    model: str
    seed: int | None
    reference: str
    criterion: str
    reviewers: int
    rate: Rate


class Corrected(Row):
    """A judge's win rate on all that it judged, and that rate put right by people's verdicts.

    `judged` items have readable verdicts, `reviewed` of them also those of people. `win_rate`: by
    `correction.correct_win_rate`, or people's alone: `why`. `tuning`: how far the judge counts, 0
    not at all. `rogan_gladen`: as if people had read another mix of wins and losses than there is.
    `sensitivity`: the judge's score where people see the model win; `specificity`: 1 minus its
    score where they see it lose.
    """

    test: str
    model: str
    seed: int | None
    reference: str
    judge: str
    criterion: str
    judged: int
    reviewed: int
    observed: Rate
    win_rate: Estimate
    tuning: float | None
    why: str | None
    rogan_gladen: Estimate
    sensitivity: Estimate
    specificity: Estimate


class MissingReviews(Row):
    """What a review lacks that was drawn for an interval of so many points; null if unknown.

    `missing`: tasks that one person each has still to read; null where all are not enough.
    """

    test: str
    model: str
    seed: int | None
    reference: str
    criterion: str
    points: float
    points_now: float | None
    read: int
    missing: int | None


class AgreementReport(Row):
    """Every pair of raters, and the win rates by people.

    How many `reviews` count, how many are `left_out` and why, and what is wrong with `bad_files`.
    """

    confidence: float
    reviews: int
    left_out: dict[str, int]
    bad_files: list[str]
    pairs: list[RaterPair]
    people: list[HumanRate]
    corrected: list[Corrected]
    missing: list[MissingReviews]


def verdict_of(preference: float) -> Verdict | None:
    """Give the verdict of an item's preference, the mean of both orders; None for NaN."""
    if isnan(preference):
        return None
    return "model" if preference > 0 else "reference" if preference < 0 else "tie"


def compare_raters(first: RaterVerdicts, second: RaterVerdicts, how: Resampling) -> Agreement:
    """Compare two raters on what both have judged; their order does not matter."""
    common = sorted(first.keys() & second.keys())
    pairs = [
        (comparison, one, other)
        for comparison in common
        if (one := first[comparison]) and (other := second[comparison])
    ]
    counts = _count(pairs)
    decided = counts[:, _DECIDED, _DECIDED]
    value, low, high, why = estimate_kappa(counts, how.confidence)
    return Agreement(
        n=len(pairs),
        items=len(counts),
        unreadable=len(common) - len(pairs),
        accuracy=_accuracy(counts, how.confidence),
        n_decided=int(decided.sum()),
        accuracy_decided=_accuracy(decided, how.confidence),
        kappa=Estimate(value=value, ci_low=low, ci_high=high),
        kappa_why=why,
    )


def compare_raters_by(
    group: Callable[[ComparisonKey], str | None],
    first: RaterVerdicts,
    second: RaterVerdicts,
    how: Resampling,
) -> dict[str, Agreement]:
    """Compare two raters in each group, "unknown" last; no group if all are unknown."""
    groups: dict[str | None, dict[ComparisonKey, Verdict | None]] = defaultdict(dict)
    for comparison in first.keys() & second.keys():
        groups[group(comparison)][comparison] = first[comparison]
    if groups.keys() <= {None}:
        return {}
    names = sorted(groups, key=lambda name: (name is None, name or ""))
    return {name or "unknown": compare_raters(groups[name], second, how) for name in names}


def _count(pairs: Sequence[tuple[ComparisonKey, Verdict, Verdict]]) -> Array:
    """Count the pairs of verdicts of each test item, shape (items, 3, 3)."""
    import numpy as np

    ids = {id: place for place, id in enumerate(dict.fromkeys(key.id for key, _, _ in pairs))}
    counts = np.zeros((len(ids), len(VERDICTS), len(VERDICTS)))
    for key, one, other in pairs:
        counts[ids[key.id], VERDICTS.index(one), VERDICTS.index(other)] += 1
    return counts


def _accuracy(counts: Array, confidence: float) -> Estimate:
    """Give the share of equal verdicts; its variance is that of a ratio, of sums over items.

    Cochran 1977, Sampling Techniques, equation 6.13.
    """
    import numpy as np

    each = counts.sum(axis=(1, 2))
    items = int((each > 0).sum())
    if not items:
        return Estimate()
    equal = np.trace(counts, axis1=1, axis2=2)
    value = float(equal.sum() / each.sum())
    squares = float(((equal - value * each) ** 2).sum())
    variance = squares / float(each.sum()) ** 2 * items / max(1, items - 1)
    return estimate_share(value, size_of_variance(value, variance, items), confidence)


def estimate_share(value: float, sample_size: float, confidence: float) -> Estimate:
    """Give a share with its interval for an effective sample size."""
    low, high = share_interval(value, sample_size, confidence)
    return Estimate(value=value, ci_low=low, ci_high=high)
