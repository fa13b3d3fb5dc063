"""Win rates by people, cell by cell, and the judges' win rates corrected by it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import isnan, nan
from statistics import fmean
from typing import Any

from alpacare.evaluation.agreement import (
    ComparisonKey,
    Corrected,
    Estimate,
    HumanRate,
    RaterVerdicts,
)
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.correction import CorrectedRate, Pair, correct_win_rate, too_few
from alpacare.evaluation.items import PREFERENCES, Preferences
from alpacare.evaluation.rogan_gladen import take_out_errors
from alpacare.evaluation.score import Rate
from alpacare.evaluation.win_rates import win_rate_of
from alpacare.records.judgment import Verdict

PreferencesByJudge = Mapping[str, Mapping[ComparisonKey, float]]  # NaN: unreadable
ReviewVerdicts = Mapping[str, Mapping[str, Mapping[ComparisonKey, Verdict]]]  # criterion, reviewer
Compared = tuple[str, str, int | None, str]  # test set, model, its training seed, reference
Cells = Sequence[Compared]
Strata = Mapping[tuple[str, str], str]  # by test set and id of the test item


def majority_verdicts(raters: Iterable[RaterVerdicts]) -> dict[ComparisonKey, Verdict]:
    """Give each comparison the verdict of more than half of its raters; else a tie."""
    said = defaultdict[ComparisonKey, Counter[Verdict]](Counter)
    for verdicts in raters:
        for comparison, verdict in verdicts.items():
            if verdict:
                said[comparison][verdict] += 1
    return {
        comparison: most if 2 * times > counts.total() else "tie"
        for comparison, counts in said.items()
        for most, times in counts.most_common(1)
    }


def rate_people(people: ReviewVerdicts, cells: Cells, how: Resampling) -> Iterator[HumanRate]:
    """Give people's win rate in each cell that they reviewed, by criterion."""
    for cell, criterion, said in _by_cell(people, cells):
        reviewers = [any(key[:4] == cell for key in each) for each in people[criterion].values()]
        yield HumanRate(
            **name_cell(cell),
            criterion=criterion,
            reviewers=sum(reviewers),
            rate=_rate(said, how),
        )


def correct_all(
    judges: PreferencesByJudge,
    people: ReviewVerdicts,
    cells: Cells,
    strata: Strata,
    how: Resampling,
) -> Iterator[Corrected]:
    """Put each judge's win rate right in each cell that people reviewed, by criterion.

    `strata`: of which of them each test item is, so that each counts by its size.
    """
    for cell, criterion, said in _by_cell(people, cells):
        for judge, preferences in judges.items():
            judged = {key.id: each for key, each in preferences.items() if key[:4] == cell}
            pairs = pair_up([cell], preferences, people[criterion], strata)
            yield Corrected(
                **name_cell(cell),
                judge=judge,
                criterion=criterion,
                judged=len(pairs),
                reviewed=sum(not isnan(pair.people) for pair in pairs),
                observed=_rate(judged, how),
                **_correct(pairs, said, how),
                **take_out_errors(judged, said, how)._asdict(),
            )


def _correct(pairs: Sequence[Pair], said: Preferences, how: Resampling) -> dict[str, Any]:
    """Give the corrected win rate, or people's alone and why."""
    if why := too_few(pairs):
        rate = _rate(said, how)
        alone = Estimate(value=rate.win_rate, ci_low=rate.ci_low, ci_high=rate.ci_high)
        return {"win_rate": alone, "tuning": None, "why": why}
    return {"why": None, **estimate_of(correct_win_rate(pairs, how.confidence))}


def estimate_of(found: CorrectedRate) -> dict[str, Any]:
    """Give the win rate with its interval, and how far the judge counts."""
    value = 0.5 + round(found.preference, 4)
    rate = Estimate(value=value, ci_low=found.low, ci_high=found.high)
    return {"win_rate": rate, "tuning": round(found.tuning, 4)}


def pair_up(
    cells: Cells,
    judge: Mapping[ComparisonKey, float],
    people: Mapping[str, Mapping[ComparisonKey, Verdict]],
    strata: Strata,
) -> list[Pair]:
    """Give what the judge could read in these cells, with the mean of its reviewers."""
    wanted, said = set(cells), mean_preferences(people)
    return [
        Pair(key.id, key.reference, strata[key.test, key.id], preference, said.get(key, nan))
        for key, preference in sorted(judge.items())
        if key[:4] in wanted and not isnan(preference)
    ]


def mean_preferences(
    people: Mapping[str, Mapping[ComparisonKey, Verdict]],
) -> dict[ComparisonKey, float]:
    """Give what people prefer in each comparison, the mean over its reviewers."""
    said = defaultdict[ComparisonKey, list[float]](list)
    for verdicts in people.values():
        for key, verdict in verdicts.items():
            said[key].append(PREFERENCES[verdict])
    return {key: fmean(each) for key, each in said.items()}


def _by_cell(
    people: ReviewVerdicts, cells: Cells
) -> Iterator[tuple[Compared, str, dict[str, float]]]:
    """Give each cell and criterion with reviews, and each item's mean over its reviewers."""
    means = {criterion: mean_preferences(each) for criterion, each in people.items()}
    for cell, criterion in product(cells, people):
        said = {key.id: mean for key, mean in means[criterion].items() if key[:4] == cell}
        if said:
            yield cell, criterion, said


def name_cell(cell: Compared) -> dict[str, Any]:
    """Give what a cell is, by the names of the records."""
    return dict(zip(("test", "model", "seed", "reference"), cell, strict=True))


def _rate(preferences: Preferences, how: Resampling) -> Rate:
    return win_rate_of([preferences[id] for id in sorted(preferences)], how)
