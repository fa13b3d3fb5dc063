"""What the page shows, gathered from metrics in Git and from data where it is here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alpacare.comparison.agreement import REVIEWS, measure_agreement
from alpacare.comparison.benchmark_board import BenchmarkBoard, make_benchmark_boards
from alpacare.comparison.board_notes import BoardNotes, describe_board
from alpacare.comparison.leaderboard import Board, make_boards
from alpacare.comparison.model_runs import CellReader
from alpacare.comparison.rubric_board import RubricBoard, make_rubric_boards
from alpacare.comparison.safety import SafetyBoard, find_safety_boards
from alpacare.core.errors import BadInput
from alpacare.evaluation import agreement
from alpacare.evaluation.score import Cell, Score
from alpacare.evaluation.score_table import read_score
from alpacare.lineage.funnel import count_all
from alpacare.lineage.funnel_lines import Funnel
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.pipeline.students import read_students
from alpacare.report.answers import Answers, read_answers
from alpacare.report.browser import gather_items
from alpacare.report.costs import Cost, read_costs
from alpacare.report.dataset import Dataset, read_datasets
from alpacare.report.origin import Origin, read_origin
from alpacare.report.trainings import Training, read_trainings
from alpacare.review.returned_reviews import read_reviews
from alpacare.training.settings import CheckpointSettings


@dataclass(frozen=True)
class ReportData:
    """What the page shows; what is missing is empty or None, and its file is in `missing`."""

    params: Params
    students: Mapping[str, CheckpointSettings]
    boards: Sequence[Board]
    benchmarks: Sequence[BenchmarkBoard]
    rubrics: Sequence[RubricBoard]
    safety: Sequence[SafetyBoard]
    below: Mapping[tuple[str, str], BoardNotes]  # by test set and judge
    scores: Mapping[Cell, Score]
    trainings: Sequence[Training]
    answers: Mapping[str, Sequence[Answers]]  # by test set
    funnel: Funnel
    datasets: Sequence[Dataset]
    costs: Sequence[Cost]
    people: agreement.AgreementReport | None
    origin: Origin
    tests: Sequence[Mapping[str, Any]]  # as browser.py says
    missing: Sequence[str]
    notes: Sequence[str]


def gather_report(params: Params) -> ReportData:
    """Gather everything.

    Raises:
        BadInput: a file that is here and is not what it should be.
    """
    students = read_students(params)
    files = {cell: paths.score(cell) for cell in params.cells()}
    scores = {cell: read_score(path) for cell, path in files.items() if path.exists()}
    answers = read_answers(params)
    costs = read_costs(params, answers, scores)
    browsed = gather_items(params)
    missing = [str(path) for path in files.values() if not path.exists()] + browsed.missing
    boards, unranked = _read_boards(params, browsed.read)
    people, notes = (None, []) if missing else _read_agreement(params, browsed.read)
    return ReportData(
        params=params,
        students=students,
        boards=boards,
        benchmarks=make_benchmark_boards(params, params.benchmarks),
        rubrics=[each for each in make_rubric_boards(params, None, None) if each.entries],
        safety=find_safety_boards(params),
        below={(b.test, b.judge): describe_board(params, b, browsed.read) for b in boards},
        scores={cell: score for cell, score in scores.items() if score.n},
        trainings=read_trainings(params.runs()),
        answers=answers,
        funnel=count_all(),
        datasets=read_datasets(params),
        costs=costs,
        people=people,
        origin=read_origin(params, students, costs),
        tests=browsed.tests,
        missing=missing,
        notes=unranked + notes,
    )


def _read_boards(params: Params, read: CellReader) -> tuple[list[Board], list[str]]:
    """Rank the models; or say why not."""
    if not any(paths.judgments(cell).exists() for cell in params.cells()):
        return [], []
    try:
        return make_boards(params, None, None, read), []
    except BadInput as error:  # nobody answered, or the verdicts of a reference are missing
        return [], [f"The leaderboard is not shown: {error}"]


def _read_agreement(
    params: Params, read: CellReader
) -> tuple[agreement.AgreementReport | None, list[str]]:
    """Compare judges with one another and with people; or say why not."""
    files = sorted(REVIEWS.glob("*.jsonl"))
    if not files and len(params.judgments.all_judges) < 2:
        return None, []
    try:
        return measure_agreement(params, read_reviews(files), read), []
    except BadInput as error:  # a bad review file must not stop the report
        return None, [f"Agreement of judges and people is not shown: {error}"]
