"""`alpacare agreement`: how far judges agree with one another, and with people."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import click

from alpacare.comparison.agreement_table import print_report, review_counts_line
from alpacare.comparison.model_runs import CellReader, read_cell
from alpacare.core import jsonl
from alpacare.core.command import check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import write_json
from alpacare.core.texts import escape_controls
from alpacare.evaluation.agreement import (
    AgreementReport,
    ComparisonKey,
    RaterKind,
    RaterPair,
    RaterVerdicts,
    compare_raters,
    compare_raters_by,
    verdict_of,
)
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.people import (
    Compared,
    ReviewVerdicts,
    correct_all,
    majority_verdicts,
    rate_people,
)
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params
from alpacare.records.generation import Generation
from alpacare.records.judgment import Verdict
from alpacare.records.review import answer_hash
from alpacare.records.task import TaskType
from alpacare.records.test_set import read_test_set
from alpacare.review.key import StudentReview
from alpacare.review.returned_reviews import ReturnedReviews, read_reviews
from alpacare.review.review_files import existing

REVIEWS = Path("data/reviews")

Rater = tuple[str, RaterVerdicts]  # name and verdicts
ByRater = Mapping[str, RaterVerdicts]
Counted = tuple[ComparisonKey, StudentReview]
Types = Mapping[tuple[str, str], TaskType | None]  # by test set and id of the test item


def report_agreement(out: Path | None) -> None:
    """Print how far the raters agree; write the same figures to `out`, as JSON.

    Raises:
        BadInput: files are missing or wrong, or there are no two raters; nothing is written.
    """
    files = sorted(REVIEWS.glob("*.jsonl"))
    check_files(files, [out])
    returned = read_reviews(files)
    for problem in returned.bad_files:
        click.echo(f"left out: {escape_controls(problem)}", err=True)
    report = measure_agreement(read_params(), returned)
    if out:
        write_json(out, report.model_dump())
    print_report(report)


def measure_agreement(
    params: Params, returned: ReturnedReviews, read: CellReader = read_cell
) -> AgreementReport:
    """Compare the judges of params.yaml with one another and with the reviews.

    `read` gives the verdicts of a comparison.
    """
    types = {
        (test, task.id): task.type
        for test in params.tests
        for task in read_test_set(existing(paths.test_set(test)))
    }
    counted, left_out = _split_current(returned.reviews, params, types)
    if returned.repeated:
        left_out["the same in two files"] = returned.repeated
    judges, people = _read_judges(params, types, read), _gather_reviews(counted)
    verdicts = {
        judge: {key: verdict_of(preference) for key, preference in preferences.items()}
        for judge, preferences in judges.items()
    }
    pairs = list(_compare_pairs(verdicts, people, types, params.scores))
    if not pairs:
        raise BadInput(
            "no two raters to compare: put a second judge into judgments.judges in params.yaml "
            f"and run `dvc repro`, or people's verdicts into {REVIEWS}/ "
            f"({review_counts_line(len(counted), left_out)})"
        )
    cells = list(dict.fromkeys(cell[:4] for cell in params.cells()))
    return AgreementReport(
        confidence=params.scores.confidence,
        reviews=len(counted),
        left_out=left_out,
        bad_files=returned.bad_files,
        pairs=pairs,
        people=list(rate_people(people, cells, params.scores)),
        corrected=list(correct_all(judges, people, cells, params.scores)),
    )


def _compare_pairs(
    judges: ByRater, criteria: Mapping[str, ByRater], types: Types, how: Resampling
) -> Iterator[RaterPair]:
    """Compare the judges; for each criterion each judge with its reviewers, and these in pairs."""
    found: list[tuple[RaterKind, str | None, Rater, Rater]]
    found = [("judges", None, *two) for two in combinations(judges.items(), 2)]
    for criterion, people in criteria.items():
        majority = "reviewers", majority_verdicts(people.values())
        found += [("judge and reviewers", criterion, judge, majority) for judge in judges.items()]
        found += [("reviewers", criterion, *two) for two in combinations(people.items(), 2)]
    for kind, by, (first, one), (second, other) in found:
        yield RaterPair(
            kind=kind,
            criterion=by,
            first=first,
            second=second,
            overall=compare_raters(one, other, how),
            by_test=compare_raters_by(lambda key: key.test, one, other, how),
            by_type=compare_raters_by(lambda key: types[key.test, key.id], one, other, how),
        )


def _read_judges(
    params: Params, types: Types, read: CellReader
) -> dict[str, dict[ComparisonKey, float]]:
    judges: dict[str, dict[ComparisonKey, float]] = {
        name: {} for name in params.judgments.all_judges
    }
    for cell in params.cells():
        path = existing(paths.judgments(cell))
        for id, preference in read(cell).items():
            if (cell.test, id) not in types:
                raise BadInput(
                    f"{path}: task {id} is judged, and test set {cell.test} lacks it; run "
                    "`dvc repro`"
                )
            judges[cell.judge][ComparisonKey(*cell[:4], id)] = preference
    return judges


def _split_current(
    reviews: Sequence[StudentReview], params: Params, types: Types
) -> tuple[list[Counted], dict[str, int]]:
    """Give the reviews of answers compared today; count the others by reason."""
    answers = lru_cache(maxsize=None)(_hash_answers)
    cells = list(dict.fromkeys(cell[:4] for cell in params.cells()))
    counted, left_out = list[Counted](), Counter[str]()
    for review in reviews:
        of_pair = [cell for cell in cells if _is_about(review, cell)]
        found = [cell for cell in of_pair if _is_current(review, cell, types, answers)]
        if not of_pair:
            left_out["not compared in params.yaml"] += 1
        elif not found:
            left_out["task or answer has changed since"] += 1
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
    """Whether its task and the answers that the person saw are still there."""
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
