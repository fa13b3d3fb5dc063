"""From criteria met to scores, by HealthBench's formula (arXiv 2505.08775, section 4).

An item's score is the points of the criteria met over the sum of all points above 0: at most 1, and
below 0 where what should not be done weighs more. A model's score is the mean over items, clipped
to 0..1; single items are not clipped, as in the paper and in its code (openai/simple-evals,
healthbench_eval.py: calculate_score, _compute_clipped_stats). An axis counts in an item the
criteria with its tag, and items where it has points above 0; a theme counts the items with its tag.

The paper's grader is asked until it can be read. Here a criterion may stay unread: an item, or an
item's axis, with one such criterion has no score, is left out of the mean, and is counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isnan, nan
from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.jsonl import Row
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.crossed import Parts, count_unread, item_means, measure_spread
from alpacare.evaluation.score import JudgeRun
from alpacare.evaluation.seed_variance import NOT_TRAINED, Runs, SeedVariance
from alpacare.records.rubric import GradedItem, RubricJudgment

AXIS, THEME = "axis:", "theme:"  # how HealthBench's tags of criteria and of items begin
ItemScores = Mapping[str, float]  # by test item; NaN where a criterion that counts is unread


@dataclass(frozen=True)
class MeanScore:
    """A mean of item scores, clipped to 0..1, with its interval.

    n items were scored, of `items` that are graded; of `answers`, one an item and run, `unread`
    have no score. `mean` is not clipped. `parts`: half widths of the interval before it is clipped,
    by cause.
    """

    score: float | None
    ci_low: float | None
    ci_high: float | None
    mean: float | None
    n: int
    items: int
    unread: int
    answers: int
    parts: Parts


@dataclass(frozen=True)
class Graded:
    """Scores of one judge on one model's answers: of all items, by axis, and by theme."""

    overall: ItemScores
    by_axis: Mapping[str, ItemScores]
    by_theme: Mapping[str, ItemScores]
    criteria: int
    unread: int  # of the criteria


class RubricRate(Row):
    """A score of n items, of `items` graded; the others have a criterion without a verdict."""

    score: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    items: int


class RubricScore(RubricRate):
    """One judge's grades of one model's answers, in metrics/scores/: rounded to four places.

    `mean` is the score before it is clipped; `unread` of `criteria` have no verdict.
    """

    mean: float | None
    confidence: float
    criteria: int
    unread: int
    by_axis: dict[str, RubricRate]
    by_theme: dict[str, RubricRate]
    models: list[str]  # the versions that answered
    dollars: float
    seconds: float | None


def item_score(criteria: Sequence[GradedItem]) -> float | None:
    """Score one item; None where no points above 0 can be had; NaN where a criterion is unread."""
    most = fsum(item.points for item in criteria if item.points > 0)
    if not most:
        return None
    if any(item.met is None for item in criteria):
        return nan
    return fsum(item.points for item in criteria if item.met) / most


def grade(rows: Sequence[RubricJudgment]) -> Graded:
    """Score each row, overall, by axis and by theme; names are without "axis:" and "theme:"."""
    scores = {row.id: item_score(row.criteria) for row in rows}
    axes = _names(AXIS, (tag for row in rows for item in row.criteria for tag in item.tags))
    by_axis = {
        axis: {row.id: item_score(_tagged(row.criteria, AXIS + axis)) for row in rows}
        for axis in axes
    }
    overall = _scored(scores)
    return Graded(
        overall=overall,
        by_axis={axis: found for axis in axes if (found := _scored(by_axis[axis]))},
        by_theme={
            theme: {
                row.id: overall[row.id]
                for row in rows
                if THEME + theme in row.tags and row.id in overall
            }
            for theme in _names(THEME, (tag for row in rows for tag in row.tags))
        },
        criteria=sum(len(row.criteria) for row in rows),
        unread=sum(item.met is None for row in rows for item in row.criteria),
    )


def read_grades(path: Path) -> Graded:
    """Read what a judge by rubrics said, and score it.

    Raises:
        BadInput: a bad row, two rows of one item, or one without points above 0.
    """
    return grade(jsonl.read(path, RubricJudgment, unique="id"))


def mean_score(runs: Runs, how: Resampling, seeds: SeedVariance = NOT_TRAINED) -> MeanScore:
    """Give a model's score: one run for each training seed, over items and seeds as in `crossed`.

    `seeds`: how far trainings are apart, as pooled over the study.
    """
    import numpy as np

    means, counts = item_means(runs), count_unread(runs)
    values = np.array([value for value in means.values() if not isnan(value)])
    if not len(values):
        return MeanScore(None, None, None, None, 0, len(means), *counts, Parts(0, 0, 0))
    spread = measure_spread(values, [(len(runs), seeds.of(runs))])
    mean, parts = float(values.mean()), spread.parts(how.confidence)
    low, high = mean - parts.whole(), mean + parts.whole()
    if spread.items < 1e-24:  # all items score alike, which says little of others
        most = 1 - float(((1 - how.confidence) / 2) ** (1 / len(values)))
        low, high = min(low, mean - most * mean), max(high, mean + most * (1 - mean))
    score, ci_low, ci_high = (round(min(1.0, max(0.0, each)), 4) for each in (mean, low, high))
    sizes = (len(values), len(means), *counts)
    return MeanScore(score, ci_low, ci_high, round(mean, 4), *sizes, parts)


def score_grades(graded: Graded, how: Resampling, run: JudgeRun) -> RubricScore:
    """Sum up one judge's grades of one model's answers, with intervals over items alone."""
    overall = mean_score([graded.overall], how)
    return RubricScore(
        **_rate(overall).model_dump(),
        mean=overall.mean,
        confidence=how.confidence,
        criteria=graded.criteria,
        unread=graded.unread,
        by_axis={name: _rate(mean_score([each], how)) for name, each in graded.by_axis.items()},
        by_theme={name: _rate(mean_score([each], how)) for name, each in graded.by_theme.items()},
        models=run.models,
        dollars=run.dollars,
        seconds=run.call_seconds,
    )


def _rate(found: MeanScore) -> RubricRate:
    return RubricRate(
        score=found.score,
        ci_low=found.ci_low,
        ci_high=found.ci_high,
        n=found.n,
        items=found.items,
    )


def _tagged(criteria: Iterable[GradedItem], tag: str) -> list[GradedItem]:
    return [item for item in criteria if tag in item.tags]


def _names(kind: str, tags: Iterable[str]) -> list[str]:
    return sorted({tag.removeprefix(kind) for tag in tags if tag.startswith(kind)})


def _scored(found: Mapping[str, float | None]) -> dict[str, float]:
    return {id: score for id, score in found.items() if score is not None}
