"""What people say of the student, cell by cell, and what that makes of the judges' win rates."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from alpacare.evaluation.agreement import Comparison, Corrected, HumanRate
from alpacare.evaluation.bootstrap import Resampling, draw
from alpacare.evaluation.correction import Leads, correct
from alpacare.evaluation.items import LEADS
from alpacare.evaluation.score import Rate
from alpacare.evaluation.statistics import rate
from alpacare.records.judgment import Verdict

Judges = Mapping[str, Mapping[Comparison, float]]  # leads; NaN cannot be read
People = Mapping[str, Mapping[str, Mapping[Comparison, Verdict]]]  # by criterion and reviewer
Cells = Sequence[tuple[str, str]]  # test set and reference


def rate_people(people: People, cells: Cells, how: Resampling) -> Iterator[HumanRate]:
    """Give people's win rate in each cell that they reviewed, by criterion."""
    for cell in cells:
        for criterion, by_reviewer in people.items():
            if said := _mean(by_reviewer, cell):
                yield HumanRate(
                    test=cell[0],
                    reference=cell[1],
                    criterion=criterion,
                    reviewers=sum(bool(_mean({"": each}, cell)) for each in by_reviewer.values()),
                    rate=_rate(said, how),
                )


def correct_all(
    judges: Judges, people: People, cells: Cells, how: Resampling
) -> Iterator[Corrected]:
    """Correct each judge's win rate in each cell that people reviewed, by criterion."""
    for cell in cells:
        for criterion, by_reviewer in people.items():
            if said := _mean(by_reviewer, cell):
                for judge, leads in judges.items():
                    judged = {id: lead for (*of, id), lead in leads.items() if tuple(of) == cell}
                    yield Corrected(
                        test=cell[0],
                        reference=cell[1],
                        judge=judge,
                        criterion=criterion,
                        observed=_rate(judged, how),
                        **correct(judged, said, how)._asdict(),
                    )


def _mean(
    by_reviewer: Mapping[str, Mapping[Comparison, Verdict]], cell: tuple[str, str]
) -> dict[str, float]:
    """Give the mean lead of each item of a cell over its reviewers."""
    said = defaultdict[str, list[float]](list)
    for opinions in by_reviewer.values():
        for (*of, id), verdict in opinions.items():
            if tuple(of) == cell:
                said[id].append(LEADS[verdict])
    return {id: fmean(leads) for id, leads in said.items()}


def _rate(leads: Leads, how: Resampling) -> Rate:
    import numpy as np

    values = np.array([leads[id] for id in sorted(leads)])
    draws = draw(max(1, len(values)), how.resamples, how.seed)[:, : len(values)]
    return rate(values, draws, how.confidence)
