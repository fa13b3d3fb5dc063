"""What judges and people said of the comparisons of params.yaml, as it is in files."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from alpacare.comparison.model_runs import CellReader, read_cell
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.evaluation.agreement import ComparisonKey
from alpacare.evaluation.people import Compared, PreferencesByJudge, ReviewVerdicts, Strata
from alpacare.evaluation.score import Cell
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.generation import Generation
from alpacare.records.judgment import Verdict
from alpacare.records.review import answer_hash
from alpacare.records.task import TaskType
from alpacare.records.test_set import read_test_set
from alpacare.review.key import StudentReview
from alpacare.review.returned_reviews import ReturnedReviews, read_reviews
from alpacare.review.review_files import existing
from alpacare.review.sample import strata_of

REVIEWS = Path("data/reviews")

Counted = tuple[ComparisonKey, StudentReview]
Types = Mapping[tuple[str, str], TaskType | None]  # by test set and id of the test item


@dataclass(frozen=True)
class Opinions:
    """What judges prefer and people say; how many reviews count, and are left out and why.

    `strata`: of which each test item is, when people's items are drawn.
    """

    types: Types
    strata: Strata
    judges: PreferencesByJudge
    people: ReviewVerdicts
    reviews: int
    left_out: dict[str, int]


def read_returned() -> ReturnedReviews:
    """Read all files of reviews."""
    return read_reviews(sorted(REVIEWS.glob("*.jsonl")))


def read_opinions(
    params: Params,
    returned: ReturnedReviews,
    cells: Sequence[Cell],
    read: CellReader = read_cell,
) -> Opinions:
    """Take the judges' verdicts in these comparisons; of the reviews those that are on them.

    `read` gives the verdicts of a comparison.

    Raises:
        BadInput: a file is missing, or a judged item is not in its test set.
    """
    tests = {test: read_test_set(existing(paths.test_set(test))) for test in params.tests}
    types = {(test, task.id): task.type for test, tasks in tests.items() for task in tasks}
    counted, left_out = _split_current(returned.reviews, cells, types)
    if returned.repeated:
        left_out["the same in two files"] = returned.repeated
    return Opinions(
        types=types,
        strata={
            (test, id): stratum
            for test, tasks in tests.items()
            for id, stratum in strata_of(tasks).items()
        },
        judges=_read_judges(cells, types, read),
        people=_gather_reviews(counted),
        reviews=len(counted),
        left_out=left_out,
    )


def _read_judges(
    cells: Sequence[Cell], types: Types, read: CellReader
) -> dict[str, dict[ComparisonKey, float]]:
    judges: dict[str, dict[ComparisonKey, float]] = {cell.judge: {} for cell in cells}
    for cell in cells:
        for id, preference in read(cell).items():
            if (cell.test, id) not in types:
                raise BadInput(
                    f"{paths.judgments(cell)}: item {id} is judged, and test set {cell.test} lacks "
                    "it; run `dvc repro`"
                )
            judges[cell.judge][ComparisonKey(*cell[:4], id)] = preference
    return judges


def _split_current(
    reviews: Sequence[StudentReview], judged: Sequence[Cell], types: Types
) -> tuple[list[Counted], dict[str, int]]:
    """Give the reviews of answers compared today; count the others by reason."""
    answers = lru_cache(maxsize=None)(_hash_answers)
    cells = list(dict.fromkeys(cell[:4] for cell in judged))
    counted, left_out = list[Counted](), Counter[str]()
    for review in reviews:
        of_pair = [cell for cell in cells if _is_about(review, cell)]
        found = [cell for cell in of_pair if _is_current(review, cell, types, answers)]
        if not of_pair:
            left_out["not compared in params.yaml"] += 1
        elif not found:
            left_out["item or answer has changed since"] += 1
        elif review.student is None and len(found) > 1 and review.generation is None:
            left_out["whose answer it is about is not said"] += 1
        else:
            counted.append((ComparisonKey(*found[0], review.id), review))
    return counted, dict(sorted(left_out.items()))


def _is_about(review: StudentReview, cell: Compared) -> bool:
    """Whether it may be about this comparison; rows of earlier versions name no student."""
    test, model, seed, reference = cell
    if (review.test, review.reference) != (test, reference) or seed is None:
        return False
    return review.student is None or (review.student, review.training_seed) == (model, seed)


def _is_current(
    review: StudentReview, cell: Compared, types: Types, answers: Callable[[Path], dict[str, str]]
) -> bool:
    """Whether its item and the answers that the person saw are still there."""
    test, model, seed, reference = cell
    if (test, review.id) not in types:
        return False
    ours = review.generation, paths.answers(test, model, seed)
    theirs = review.reference_answer, paths.answers(test, reference, seed)
    return all(
        saw is None or saw == answers(existing(path)).get(review.id) for saw, path in (ours, theirs)
    )


def _hash_answers(path: Path) -> dict[str, str]:
    return {row.id: answer_hash(row.output) for row in jsonl.read(path, Generation)}


def _gather_reviews(reviews: Sequence[Counted]) -> ReviewVerdicts:
    """Gather verdicts by criterion, reviewer and comparison; names in order."""
    found = defaultdict[str, dict[str, dict[ComparisonKey, Verdict]]](dict)
    for key, review in sorted(reviews, key=lambda each: (each[1].criterion, each[1].reviewer)):
        found[review.criterion].setdefault(review.reviewer, {})[key] = review.verdict
    return found
