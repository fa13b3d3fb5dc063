"""`alpacare agreement`: how far judges agree with one another, and with people."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import click

from alpacare.comparison.agreement_table import print_report, review_counts_line
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
    majority_verdicts,
    verdict_of,
)
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.items import gather, read_judgments
from alpacare.evaluation.people import ReviewVerdicts, correct_all, rate_people
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params
from alpacare.records.generation import Generation
from alpacare.records.judgment import Verdict
from alpacare.records.review import Review, answer_hash
from alpacare.records.task import TaskType
from alpacare.records.test_set import read_test_set
from alpacare.review.returned_reviews import ReturnedReviews, read_reviews
from alpacare.review.review_files import existing

REVIEWS = Path("data/reviews")

Rater = tuple[str, RaterVerdicts]  # name and verdicts
ByRater = Mapping[str, RaterVerdicts]
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


def measure_agreement(params: Params, returned: ReturnedReviews) -> AgreementReport:
    """Compare the judges of params.yaml with one another and with the reviews."""
    types = {
        (test, task.id): task.type
        for test in params.tests
        for task in read_test_set(existing(paths.test_set(test)))
    }
    counted, left_out = _split_current(returned.reviews, params, types)
    if returned.repeated:
        left_out["the same in two files"] = returned.repeated
    judges, people = _read_judges(params, types), _gather_reviews(counted)
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
    cells = list(dict.fromkeys((cell.test, cell.reference) for cell in params.cells()))
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
            by_test=compare_raters_by(lambda key: key[0], one, other, how),
            by_type=compare_raters_by(lambda key: types[key[0], key[2]], one, other, how),
        )


def _read_judges(params: Params, types: Types) -> dict[str, dict[ComparisonKey, float]]:
    judges: dict[str, dict[ComparisonKey, float]] = {
        name: {} for name in params.judgments.all_judges
    }
    for test, reference, judge in params.cells():
        path = existing(paths.judgments(test, reference, judge))
        items = gather(read_judgments(path))
        for id, preference in zip(items.ids, items.item_preferences(), strict=True):
            if (test, id) not in types:
                raise BadInput(
                    f"{path}: task {id} is judged, and test set {test} lacks it; run `dvc repro`"
                )
            judges[judge][test, reference, id] = float(preference)
    return judges


def _split_current(
    reviews: Sequence[Review], params: Params, types: Types
) -> tuple[list[Review], dict[str, int]]:
    """Give the reviews of answers compared today; count the others by reason."""
    cells = {(test, reference) for test, reference, _ in params.cells()}
    tests = {review.test for review in reviews} & set(params.tests)
    ours = {test: _hash_answers(existing(paths.generations(test))) for test in tests}
    theirs = {
        cell: _hash_answers(existing(paths.reference(*cell)))
        for cell in {(r.test, r.reference) for r in reviews if r.reference_answer} & cells
    }
    counted, left_out = [], Counter[str]()
    for review in reviews:
        cell = review.test, review.reference
        if cell not in cells:
            left_out["not compared in params.yaml"] += 1
        elif (
            (review.test, review.id) not in types
            or review.generation not in (None, ours[review.test].get(review.id))
            or review.reference_answer not in (None, theirs.get(cell, {}).get(review.id))
        ):
            left_out["task or answer has changed since"] += 1
        else:
            counted.append(review)
    return counted, dict(sorted(left_out.items()))


def _hash_answers(path: Path) -> dict[str, str]:
    return {row.id: answer_hash(row.output) for row in jsonl.read(path, Generation)}


def _gather_reviews(reviews: Sequence[Review]) -> ReviewVerdicts:
    """Gather verdicts by criterion, reviewer and comparison; names in order."""
    found = defaultdict[str, dict[str, dict[ComparisonKey, Verdict]]](dict)
    for review in sorted(reviews, key=lambda review: (review.criterion, review.reviewer)):
        key = review.test, review.reference, review.id
        found[review.criterion].setdefault(review.reviewer, {})[key] = review.verdict
    return found
