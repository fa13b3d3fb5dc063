"""`alpacare leaderboard`: all models before one judge on one test set, the best first.

It is no stage: it would depend on every comparison, and is made in a moment from what is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any, Protocol

from alpacare.comparison.judged_test import JudgedTest, judge_variance, rates_against
from alpacare.comparison.model_runs import CellReader, Model, competing_references, make_reader
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.crossed import Parts, mean_win_rate
from alpacare.evaluation.paired_comparison import Difference, compare
from alpacare.evaluation.score import Cell, Rate
from alpacare.evaluation.score_table import read_score
from alpacare.evaluation.seed_variance import NOT_TRAINED, Runs, SeedVariance, pool_seeds
from alpacare.evaluation.several import Rank, correct_several, rank
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, Run

_UNRANKED = Rank(0, 0)


@dataclass(frozen=True)
class Entry:
    """One model: a row.

    `rate` is a mean over its training seeds and the averaged references, `parts` what its interval
    is made of; `n` items were judged. `seeds`: how far its trainings are apart, pooled over
    students. `against`: its win rate against each reference that competes too. `dollars`: for its
    answers and this judge's verdicts on them.
    """

    model: Model
    runs: Runs
    seeds: SeedVariance
    rate: Rate
    parts: Parts
    n: int
    length_controlled: float | None
    consistency: float | None
    dollars: float
    against: Mapping[str, Rate]
    rank: Rank = _UNRANKED


@dataclass(frozen=True)
class Duel:
    """A student beside the one that is named head to head."""

    name: str
    other: str
    difference: Difference


@dataclass(frozen=True)
class Board:
    """A test set before a judge: models, the best first, and those without verdicts.

    `seeds`: how far trainings of one student are apart, pooled over all students.
    """

    test: str
    judge: str
    references: list[str]
    competing: list[str]
    seeds: SeedVariance
    entries: list[Entry]
    duels: list[Duel]
    missing: list[str] = field(default_factory=list)


def make_boards(
    params: Params, test: str | None, judge: str | None, read: CellReader | None = None
) -> list[Board]:
    """Make a board for each test set and judge, or those named; `read` gives verdicts.

    Raises:
        BadInput: an unknown name; or no comparison has been judged.
    """
    tests = named("test", test, params.tests, "tests")
    judges = named("judge", judge, params.judgments.all_judges, "judgments")
    read = read or make_reader()
    boards = [
        _make_board(JudgedTest(params, test, judge, read)) for test in tests for judge in judges
    ]
    if not any(board.entries for board in boards):
        raise BadInput(
            "no comparison of params.yaml has been judged here; run `dvc repro`, or `alpacare pull`"
        )
    return [board for board in boards if board.entries]


def chosen_cells(params: Params, test: str | None, judge: str | None) -> list[Cell]:
    """Give the comparisons on one test set and by one judge; without a name on all."""
    tests = named("test", test, params.tests, "tests")
    judges = named("judge", judge, params.judgments.all_judges, "judgments")
    return [cell for cell in params.cells() if cell.test in tests and cell.judge in judges]


def named(what: str, name: str | None, known: Sequence[str], key: str) -> Sequence[str]:
    """Give the one that is named, of those known; without a name all.

    Raises:
        BadInput: it is not among them.
    """
    if name is None:
        return known
    if name not in known:
        raise BadInput(f"no {what} '{name}' in {key} of params.yaml: {', '.join(known)}")
    return [name]


def _make_board(judged: JudgedTest) -> Board:
    params = judged.params
    runs, missing = judged.averaged()
    seeds = pool_seeds([runs[model] for model in runs if model.seeds])
    competing = competing_references(params)
    against = {name: rates_against(judged, name) for name in competing}
    entries = [_make_entry(judged, model, runs[model], seeds, against) for model in runs]
    entries = _rank(entries, params.scores)
    duels = make_duels(params, entries)
    references = params.judgments.averaged
    return Board(judged.test, judged.judge, references, competing, seeds, entries, duels, missing)


def _make_entry(
    judged: JudgedTest,
    model: Model,
    runs: Runs,
    pooled: SeedVariance,
    against: Mapping[str, Mapping[str, Rate]],
) -> Entry:
    cells = judged.cells(model)
    scores = {cell: score for cell in cells if (score := read_score(paths.score(cell))).n}
    seeds = pooled if model.seeds else NOT_TRAINED
    sampled = any(score.samples > 1 for score in scores.values())
    judge = judge_variance(list(scores)) if sampled else 0.0
    mean = mean_win_rate(runs, judged.params.scores, seeds, judge)
    return Entry(
        model=model,
        runs=runs,
        seeds=seeds,
        rate=mean.rate,
        parts=mean.parts,
        n=len({id for run in runs for id in run}),
        length_controlled=_mean([each.length_controlled.win_rate for each in scores.values()]),
        consistency=_mean([each.position_consistency for each in scores.values()]),
        dollars=sum(each.dollars for each in scores.values()) + _answer_dollars(model, judged.test),
        against={name: rates[model.name] for name, rates in against.items() if model.name in rates},
    )


def _mean(figures: Sequence[float | None]) -> float | None:
    """Average figures; None where one is missing, as the others then are no fair sample."""
    known = [figure for figure in figures if figure is not None]
    return fmean(known) if known and len(known) == len(figures) else None


def _answer_dollars(model: Model, test: str) -> float:
    """Give what a model's answers have cost, as far as it is known."""
    if model.seeds:
        runs = [Run(model.name, seed) for seed in model.seeds]
        found = [_read(paths.answer_statistics(test, run)) for run in runs]
    else:
        found = [_read(paths.answer_statistics(test)).get(model.name, {})]
    return sum(each.get("dollars") or 0.0 for each in found)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_json(path) if path.exists() else {}
    return found


def _rank(entries: Sequence[Entry], how: Resampling) -> list[Entry]:
    """Sort by win rate; models that no paired comparison can tell apart share places."""
    ordered = sorted(entries, key=lambda entry: -(entry.rate.win_rate or 0.0))
    ranks = rank([each.runs for each in ordered], [each.seeds for each in ordered], how)
    return [replace(each, rank=rank) for each, rank in zip(ordered, ranks, strict=True)]


class Competitor(Protocol):
    """A row of any leaderboard: a model, its runs, and how far its trainings are apart."""

    @property
    def model(self) -> Model:
        """Which model."""

    @property
    def runs(self) -> Runs:
        """What it got for each item, in each training."""

    @property
    def seeds(self) -> SeedVariance:
        """How far its trainings are apart."""


def make_duels(params: Params, entries: Sequence[Competitor], most: float = 1.0) -> list[Duel]:
    """Compare each other student with the one head to head, corrected for how many there are.

    `most`: no difference can be larger.
    """
    students = {entry.model.name: entry for entry in entries if entry.model.seeds}
    first = students.pop(params.judgments.head_to_head, None)
    if first is None:
        return []
    how, name = params.scores, first.model.name
    found = {
        student: difference
        for student, each in students.items()
        if (
            difference := compare(
                first.runs, each.runs, how, seeds=(first.seeds, each.seeds), most=most
            ).difference
        )
    }
    together = correct_several(list(found.values()), how.confidence)
    return [Duel(student, name, each) for student, each in zip(found, together, strict=True)]
