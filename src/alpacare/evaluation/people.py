"""Win rates by people, cell by cell, and the judges' win rates corrected by it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from statistics import fmean
from typing import Any

from alpacare.evaluation.agreement import ComparisonKey, Corrected, HumanRate, RaterVerdicts
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.correction import correct_win_rate
from alpacare.evaluation.items import PREFERENCES, Preferences
from alpacare.evaluation.score import Rate
from alpacare.evaluation.win_rates import win_rate_of
from alpacare.records.judgment import Verdict

PreferencesByJudge = Mapping[str, Mapping[ComparisonKey, float]]  # NaN: unreadable
ReviewVerdicts = Mapping[str, Mapping[str, Mapping[ComparisonKey, Verdict]]]  # criterion, reviewer
Compared = tuple[str, str, int | None, str]  # test set, model, its training seed, reference
Cells = Sequence[Compared]


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
            **_named(cell),
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
            judged = {key.id: each for key, each in preferences.items() if key[:4] == cell}
            yield Corrected(
                **_named(cell),
                judge=judge,
                criterion=criterion,
                observed=_rate(judged, how),
                **correct_win_rate(judged, said, how)._asdict(),
            )


def _by_cell(
    people: ReviewVerdicts, cells: Cells
) -> Iterator[tuple[Compared, str, dict[str, float]]]:
    """Give each cell and criterion with reviews, and each item's mean over its reviewers."""
    for cell, criterion in product(cells, people):
        said = defaultdict[str, list[float]](list)
        for verdicts in people[criterion].values():
            for key, verdict in verdicts.items():
                if key[:4] == cell:
                    said[key.id].append(PREFERENCES[verdict])
        if said:
            yield cell, criterion, {id: fmean(each) for id, each in said.items()}


def _named(cell: Compared) -> dict[str, Any]:
    return dict(zip(("test", "model", "seed", "reference"), cell, strict=True))


def _rate(preferences: Preferences, how: Resampling) -> Rate:
    return win_rate_of([preferences[id] for id in sorted(preferences)], how)
