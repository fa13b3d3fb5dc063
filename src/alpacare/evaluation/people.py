"""The student's win rate by people, cell by cell, and the judges' win rates corrected by it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from statistics import fmean

from alpacare.evaluation.agreement import ComparisonKey, Corrected, HumanRate
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.correction import correct_win_rate
from alpacare.evaluation.items import PREFERENCES, Preferences
from alpacare.evaluation.score import Rate
from alpacare.evaluation.win_rates import win_rate_of
from alpacare.records.judgment import Verdict

PreferencesByJudge = Mapping[str, Mapping[ComparisonKey, float]]  # NaN: unreadable
ReviewVerdicts = Mapping[str, Mapping[str, Mapping[ComparisonKey, Verdict]]]  # criterion, reviewer
Cells = Sequence[tuple[str, str]]  # test set and reference


def rate_people(people: ReviewVerdicts, cells: Cells, how: Resampling) -> Iterator[HumanRate]:
    """Give people's win rate in each cell that they reviewed, by criterion."""
    for cell, criterion, said in _by_cell(people, cells):
        reviewers = [any(key[:2] == cell for key in each) for each in people[criterion].values()]
        yield HumanRate(
            test=cell[0],
            reference=cell[1],
            criterion=criterion,
            reviewers=sum(reviewers),
            rate=_rate(said, how),
        )


def correct_all(
    judges: PreferencesByJudge, people: ReviewVerdicts, cells: Cells, how: Resampling
) -> Iterator[Corrected]:
    """Correct each judge's win rate in each cell that people reviewed, by criterion."""
    for cell, criterion, said in _by_cell(people, cells):
        for judge, preferences in judges.items():
            judged = {key[2]: each for key, each in preferences.items() if key[:2] == cell}
            yield Corrected(
                test=cell[0],
                reference=cell[1],
                judge=judge,
                criterion=criterion,
                observed=_rate(judged, how),
                **correct_win_rate(judged, said, how)._asdict(),
            )


def _by_cell(
    people: ReviewVerdicts, cells: Cells
) -> Iterator[tuple[tuple[str, str], str, dict[str, float]]]:
    """Give each cell and criterion with reviews, and each item's mean over its reviewers."""
    for cell, criterion in product(cells, people):
        said = defaultdict[str, list[float]](list)
        for verdicts in people[criterion].values():
            for key, verdict in verdicts.items():
                if key[:2] == cell:
                    said[key[2]].append(PREFERENCES[verdict])
        if said:
            yield cell, criterion, {id: fmean(each) for id, each in said.items()}


def _rate(preferences: Preferences, how: Resampling) -> Rate:
    return win_rate_of([preferences[id] for id in sorted(preferences)], how)
