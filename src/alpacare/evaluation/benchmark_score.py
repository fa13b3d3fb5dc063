"""One model's results on one benchmark -> its score with an interval, and what it chooses.

A score of an item is 0 to 1. Intervals are those of win rates (`crossed`): an item that is answered
rightly is one that is won. So one model's accuracy and the difference of two have the same
mathematics as everywhere else here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from math import comb, nan
from statistics import fmean
from typing import NamedTuple

from alpacare.core.jsonl import Row
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.crossed import mean_win_rate
from alpacare.evaluation.items import Preferences
from alpacare.evaluation.seed_variance import NOT_TRAINED
from alpacare.records.benchmark_item import LETTERS
from alpacare.records.benchmark_result import BenchmarkResult


class Letter(Row):
    """Of all scored items: the share for which it was chosen, and for which it is right."""

    chosen: float
    right: float


class SubjectScore(Row):
    """The mean score of the items of one subject."""

    score: float | None
    ci_low: float | None
    ci_high: float | None
    n: int


class BenchmarkScore(Row):
    """The mean score in ci_low..ci_high over n_valid of n items; shares, rounded to four places.

    `chance`: what guessing gets, the mean of 1 / choices; null for texts. `letters`: by letter of a
    choice; empty for texts. `failures`: items without a score. `too_long`, `cut_off`: items, as in
    BenchmarkResult.
    """

    metric: str
    score: float | None
    ci_low: float | None
    ci_high: float | None
    confidence: float
    n: int
    n_valid: int
    failures: int
    too_long: int
    cut_off: int
    chance: float | None
    letters: dict[str, Letter]
    by_subject: dict[str, SubjectScore]


def score_benchmark(
    rows: Sequence[BenchmarkResult], metric: str, how: Resampling
) -> BenchmarkScore:
    """Give the figures of one run."""
    rate = mean_win_rate([item_scores(rows)], how, NOT_TRAINED).rate
    return BenchmarkScore(
        metric=metric,
        score=rate.win_rate,
        ci_low=rate.ci_low,
        ci_high=rate.ci_high,
        confidence=how.confidence,
        n=len(rows),
        n_valid=rate.n,
        failures=sum(row.score is None for row in rows),
        too_long=sum(row.too_long for row in rows),
        cut_off=sum(row.cut_off for row in rows),
        chance=chance(rows),
        letters=count_letters(rows),
        by_subject=_by_subject(rows, how),
    )


def item_scores(rows: Iterable[BenchmarkResult]) -> Preferences:
    """Give each item's score less a half, as win rates have preferences; NaN where it has none."""
    return {row.id: nan if row.score is None else row.score - 0.5 for row in rows}


def chance(rows: Sequence[BenchmarkResult]) -> float | None:
    """Give what guessing gets in the mean; None for texts."""
    shares = [1 / row.choices for row in rows if row.choices]
    return round(fmean(shares), 4) if shares else None


def count_letters(rows: Iterable[BenchmarkResult]) -> dict[str, Letter]:
    """Give, by letter, how often a model took it and how often it is right."""
    known = [row for row in rows if row.chosen is not None]
    took = Counter(LETTERS[row.chosen or 0] for row in known)
    right = Counter(LETTERS[row.answer] for row in known if isinstance(row.answer, int))
    n = max(1, len(known))
    return {
        letter: Letter(chosen=round(took[letter] / n, 4), right=round(right[letter] / n, 4))
        for letter in sorted({*took, *right})
    }


def _by_subject(rows: Sequence[BenchmarkResult], how: Resampling) -> dict[str, SubjectScore]:
    named = sorted((row for row in rows if row.subject), key=lambda row: str(row.subject))
    rates = {
        str(subject): mean_win_rate([item_scores(each)], how, NOT_TRAINED).rate
        for subject, each in groupby(named, key=lambda row: row.subject)
    }
    return {
        subject: SubjectScore(
            score=each.win_rate, ci_low=each.ci_low, ci_high=each.ci_high, n=each.n
        )
        for subject, each in rates.items()
    }


class McNemar(NamedTuple):
    """How many items only the first, and only the second model has right; the exact p-value."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Preferences, second: Preferences) -> McNemar | None:
    """Give McNemar's exact test of two runs, both scored right or wrong; None for other scores.

    Two-sided binomial of the items that only one has right (McNemar 1947, Psychometrika 12; exact
    form: Agresti, Categorical Data Analysis, section 11.1). Items that one could not score are out.
    """
    pairs = [(value, second[id]) for id, value in first.items() if id in second]
    known = [pair for pair in pairs if pair[0] == pair[0] and pair[1] == pair[1]]
    if not known or any(abs(value) != 0.5 for pair in known for value in pair):
        return None
    one, other = (sum(pair == sides for pair in known) for sides in ((0.5, -0.5), (-0.5, 0.5)))
    n, fewer = one + other, min(one, other)
    tail = sum(comb(n, k) for k in range(fewer + 1)) / 2**n
    return McNemar(one, other, min(1.0, 2 * tail))
