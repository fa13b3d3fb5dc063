"""How far two raters agree, judges or people: the share of equal verdicts, and Cohen's kappa.

Kappa is the agreement beyond chance, (p - c) / (1 - c): p of the verdicts are equal, c would be if
both kept their habits but saw nothing (Cohen 1960, doi 10.1177/001316446002000104). Intervals
resample test items: one item against several references is one cluster.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

from alpacare.core.jsonl import Row
from alpacare.evaluation.bootstrap import Resampling, draw, effective_items, share_interval
from alpacare.evaluation.score import Rate
from alpacare.records.judgment import Verdict

if TYPE_CHECKING:
    from alpacare.evaluation.items import Array

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_DECIDED = slice(0, 2)  # of VERDICTS, all but the tie

Comparison = tuple[str, str, str]  # test set, reference, id of the test item
Kind = Literal["judges", "judge and reviewers", "reviewers"]
Opinions = Mapping[Comparison, Verdict | None]  # None: cannot be read


class Estimate(Row):
    """A figure in ci_low..ci_high; null where there is nothing to tell."""

    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


class Agreement(Row):
    """Two raters on the n comparisons that both judged, of `items` test items."""

    n: int
    items: int
    unreadable: int  # comparisons left out: a verdict of one or both could not be read
    accuracy: Estimate  # share of equal verdicts
    n_decided: int  # comparisons where neither says tie
    accuracy_decided: Estimate  # share of equal verdicts among those
    kappa: Estimate  # no figure if both always say one same thing; 0, without interval, if one does


class Pair(Row):
    """Two raters; a judge meets the majority of the reviewers, by `criterion`."""

    kind: Kind
    criterion: str | None
    first: str
    second: str
    overall: Agreement
    by_test: dict[str, Agreement]
    by_type: dict[str, Agreement]


class HumanRate(Row):
    """The student's win rate by people: an item is the mean of its reviewers, a tie half a win."""

    test: str
    reference: str
    criterion: str
    reviewers: int
    rate: Rate


class Corrected(Row):
    """A judge's win rate on all it judged, and what it becomes with its errors taken out.

    `judged` items have readable verdicts, `reviewed` of them people's too. `sensitivity`: the
    judge's score where people see the student win; `specificity`: 1 minus it where they see it
    lose. `win_rate` has no value where `why` says so.
    """

    test: str
    reference: str
    judge: str
    criterion: str
    judged: int
    reviewed: int
    observed: Rate
    sensitivity: Estimate
    specificity: Estimate
    win_rate: Estimate
    why: str | None


class Report(Row):
    """Every pair of raters, and what people say of the student.

    How many `reviews` count, how many are `left_out` and why, and what is wrong with `bad_files`.
    """

    confidence: float
    reviews: int
    left_out: dict[str, int]
    bad_files: list[str]
    pairs: list[Pair]
    people: list[HumanRate]
    corrected: list[Corrected]


def verdict_of(lead: float) -> Verdict | None:
    """Turn an item's lead, the mean of both orders, into a verdict; None for NaN."""
    return "model" if lead > 0 else "reference" if lead < 0 else "tie" if lead == 0 else None


def pool(raters: Iterable[Opinions]) -> dict[Comparison, Verdict]:
    """Give what more than half of each comparison's raters say; else a tie."""
    said: dict[Comparison, list[Verdict]] = defaultdict(list)
    for opinions in raters:
        for comparison, verdict in opinions.items():
            if verdict:
                said[comparison].append(verdict)
    return {comparison: _majority(verdicts) for comparison, verdicts in said.items()}


def _majority(verdicts: Sequence[Verdict]) -> Verdict:
    verdict, times = Counter(verdicts).most_common(1)[0]
    return verdict if 2 * times > len(verdicts) else "tie"


def agree(first: Opinions, second: Opinions, how: Resampling) -> Agreement:
    """Compare two raters on what both have judged; who is first changes nothing."""
    common = sorted(first.keys() & second.keys())
    pairs = [
        (comparison, one, other)
        for comparison in common
        if (one := first[comparison]) and (other := second[comparison])
    ]
    counts = _count(pairs)
    draws = draw(max(1, len(counts)), how.resamples, how.seed)[:, : len(counts)]
    decided = counts[:, _DECIDED, _DECIDED]
    return Agreement(
        n=len(pairs),
        items=len(counts),
        unreadable=len(common) - len(pairs),
        accuracy=_accuracy(counts, draws, how.confidence),
        n_decided=int(decided.sum()),
        accuracy_decided=_accuracy(decided, draws, how.confidence),
        kappa=_kappa(counts, draws, how.confidence),
    )


def agree_by(
    group: Callable[[Comparison], str | None], first: Opinions, second: Opinions, how: Resampling
) -> dict[str, Agreement]:
    """Compare two raters within each group, "unknown" last; nothing where all is unknown."""
    groups: dict[str | None, dict[Comparison, Verdict | None]] = defaultdict(dict)
    for comparison in first.keys() & second.keys():
        groups[group(comparison)][comparison] = first[comparison]
    known = sorted(name for name in groups if name is not None)
    found = {name: agree(groups[name], second, how) for name in known}
    if known and None in groups:
        found["unknown"] = agree(groups[None], second, how)
    return found


def _count(pairs: Sequence[tuple[Comparison, Verdict, Verdict]]) -> "Array":
    """Count the pairs of verdicts of each test item, shape (items, 3, 3)."""
    import numpy as np

    ids = {id: place for place, id in enumerate(dict.fromkeys(id for (_, _, id), _, _ in pairs))}
    counts = np.zeros((len(ids), len(VERDICTS), len(VERDICTS)))
    for (_, _, id), one, other in pairs:
        counts[ids[id], VERDICTS.index(one), VERDICTS.index(other)] += 1
    return counts


def _accuracy(counts: "Array", draws: "Array", confidence: float) -> Estimate:
    import numpy as np

    if not counts.any():
        return Estimate()
    value = float(_equal(counts.sum(axis=0)))
    replicates = _equal(np.tensordot(draws, counts, 1))
    items = int(counts.any(axis=(1, 2)).sum())
    effective = effective_items(value, replicates, items)
    return _rounded(value, *share_interval(value, effective, confidence))


def _equal(tables: "Array") -> "Array":
    """Give the share of equal verdicts in each table, shape (..., k, k); NaN in an empty one."""
    import numpy as np

    with np.errstate(invalid="ignore"):
        shares: Array = np.trace(tables, axis1=-2, axis2=-1) / tables.sum(axis=(-2, -1))
    return shares


def kappas(tables: "Array") -> "Array":
    """Give Cohen's kappa of each table of counts, shape (..., k, k); NaN where it is undefined."""
    import numpy as np

    n = tables.sum(axis=(-2, -1))
    equal = n * np.trace(tables, axis1=-2, axis2=-1)
    chance = (tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1)
    with np.errstate(invalid="ignore"):  # sums of whole numbers: 0 / 0 is exact
        found: Array = (equal - chance) / (n * n - chance)
    return found


def _kappa(counts: "Array", draws: "Array", confidence: float) -> Estimate:
    """Kappa in the interval of a share, (1 + kappa) / 2: what ends at 1 has the same trouble there.

    Raters who always agree look certain to the resamples at any n, and percentiles cover 90 to 94 %
    of the time where 95 are promised. From 30 items on this covers 93 to 97 %, with eight about 90.
    A rater who always says the same has kappa 0 with anybody, which tells nothing: no interval.
    """
    import numpy as np

    value = float(kappas(counts.sum(axis=0)))
    if np.isnan(value):
        return Estimate()
    replicates = kappas(np.tensordot(draws, counts, 1))
    replicates = replicates[~np.isnan(replicates)]
    if not len(replicates) or (value < 1 and np.ptp(replicates) < 1e-12):
        return Estimate(value=_round(value))
    share = (1 + value) / 2  # kappa lies in -1..1
    effective = effective_items(share, (1 + replicates) / 2, len(counts))
    low, high = share_interval(share, effective, confidence)
    return _rounded(value, 2 * low - 1, 2 * high - 1)


def _rounded(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=_round(value), ci_low=_round(low), ci_high=_round(high))


def _round(figure: float) -> float:
    return round(figure, 4) + 0.0  # never -0.0
