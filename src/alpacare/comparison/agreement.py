"""Behind `alpacare agreement`: how far judges agree with one another, and with people."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import click

from alpacare.comparison.agreement_table import print_report, tell
from alpacare.core import jsonl
from alpacare.core.command import check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import write_json
from alpacare.evaluation.agreement import (
    Comparison,
    Kind,
    Opinions,
    Pair,
    Report,
    agree,
    agree_by,
    pool,
    verdict_of,
)
from alpacare.evaluation.items import gather, read_judgments
from alpacare.evaluation.people import Judges, correct_all, rate_people
from alpacare.pipeline.dvc_yaml import rows_path
from alpacare.pipeline.params import Params, read_params
from alpacare.records.generation import Generation
from alpacare.records.judgment import Verdict
from alpacare.records.review import Review, answer_hash
from alpacare.records.task import TaskType
from alpacare.records.test_set import read_tests
from alpacare.review.returned import Returned, read_returned

REVIEWS = Path("data/reviews")
_OUTSIDE, _CHANGED = "not compared in params.yaml", "task or answer has changed since"
_REPEATED = "the same in two files"

Types = Mapping[tuple[str, str], TaskType | None]  # by test set and id of the test item


class _Raters(NamedTuple):
    kind: Kind
    criterion: str | None
    first: str
    second: str
    opinions: tuple[Opinions, Opinions]


def report_agreement(out: Path | None) -> None:
    """Print how far the raters agree; write the same figures to `out`, as JSON.

    Raises:
        BadInput: files that are missing or wrong, or nobody to compare; nothing is written.
    """
    files = sorted(REVIEWS.glob("*.jsonl"))
    check_files(files, [out])
    returned = read_returned(files)
    for problem in returned.bad_files:
        click.echo(f"left out: {problem}", err=True)
    report = measure(read_params(), returned)
    if out:
        write_json(out, report.model_dump())
    print_report(report)


def measure(params: Params, returned: Returned) -> Report:
    """Compare the judges of params.yaml with one another and with the reviews."""
    types = _read_types(params)
    counted, left_out = _still_true(returned.reviews, params, types)
    if returned.repeated:
        left_out[_REPEATED] = returned.repeated
    judges, people = _read_judges(params, types), _gather_reviews(counted)
    raters = list(_pair_up(_verdicts(judges), people))
    if not raters:
        raise BadInput(
            "nobody to compare: put a second judge into judgments.judges in params.yaml and run "
            f"`dvc repro`, or people's verdicts into {REVIEWS}/ ({tell(len(counted), left_out)})"
        )
    cells = list(dict.fromkeys(cell[:2] for cell in params.cells()))
    return Report(
        confidence=params.scores.confidence,
        reviews=len(counted),
        left_out=left_out,
        bad_files=returned.bad_files,
        pairs=[_compare(each, params, types) for each in raters],
        people=list(rate_people(people, cells, params.scores)),
        corrected=list(correct_all(judges, people, cells, params.scores)),
    )


def _pair_up(
    judges: Mapping[str, Opinions], criteria: Mapping[str, Mapping[str, Opinions]]
) -> Iterator[_Raters]:
    """Pair all judges, and for each criterion the judges with its reviewers, and these."""
    for one, other in combinations(judges, 2):
        yield _Raters("judges", None, one, other, (judges[one], judges[other]))
    for criterion, people in criteria.items():
        majority = pool(people.values())
        for name, opinions in judges.items():
            both = opinions, majority
            yield _Raters("judge and reviewers", criterion, name, "reviewers", both)
        for one, other in combinations(people, 2):
            yield _Raters("reviewers", criterion, one, other, (people[one], people[other]))


def _compare(raters: _Raters, params: Params, types: Types) -> Pair:
    how = params.scores
    return Pair(
        kind=raters.kind,
        criterion=raters.criterion,
        first=raters.first,
        second=raters.second,
        overall=agree(*raters.opinions, how),
        by_test=agree_by(lambda what: what[0], *raters.opinions, how),
        by_type=agree_by(lambda what: types[what[0], what[2]], *raters.opinions, how),
    )


def _fill(template: str, **item: str) -> Path:
    for axis, value in item.items():
        template = template.replace(f"${{item.{axis}}}", value)
    if not Path(template).exists():
        raise BadInput(f"{template}: not there yet; run `dvc repro`, or `dvc pull` if others have")
    return Path(template)


def _read_types(params: Params) -> dict[tuple[str, str], TaskType | None]:
    template = str(rows_path("references", "data/tests/"))
    return {
        (test, task.id): task.type
        for test in params.tests
        for task in read_tests(_fill(template, test=test))
    }


def _verdicts(judges: Judges) -> dict[str, dict[Comparison, Verdict | None]]:
    return {
        judge: {comparison: verdict_of(lead) for comparison, lead in leads.items()}
        for judge, leads in judges.items()
    }


def _read_judges(params: Params, types: Types) -> dict[str, dict[Comparison, float]]:
    template = str(rows_path("scores", "data/judgments/"))
    judges: dict[str, dict[Comparison, float]] = {name: {} for name in params.judgments.judges}
    for test, reference, judge in params.cells():
        path = _fill(template, test=test, reference=reference, judge=judge)
        items = gather(read_judgments(path))
        for id, lead in zip(items.ids, items.item_leads(), strict=True):
            if (test, id) not in types:
                raise BadInput(
                    f"{path}: task {id} is judged, and test set {test} lacks it; run `dvc repro`"
                )
            judges[judge][test, reference, id] = float(lead)
    return judges


def _still_true(
    reviews: Sequence[Review], params: Params, types: Types
) -> tuple[list[Review], dict[str, int]]:
    """Part the reviews of what is compared today from others, which are counted by reason."""
    cells = {(test, reference) for test, reference, _ in params.cells()}
    template = str(rows_path("judgments", "data/generations/"))
    tests = {review.test for review in reviews} & set(params.tests)
    ours = {test: _hash_answers(_fill(template, test=test)) for test in tests}
    answers = str(rows_path("judgments", "data/references/"))
    theirs = {
        cell: _hash_answers(_fill(answers, test=cell[0], reference=cell[1]))
        for cell in {(r.test, r.reference) for r in reviews if r.reference_answer} & cells
    }
    counted, left_out = [], Counter[str]()
    for review in reviews:
        cell = review.test, review.reference
        if cell not in cells:
            left_out[_OUTSIDE] += 1
        elif (
            (review.test, review.id) not in types
            or review.generation not in (None, ours[review.test].get(review.id))
            or review.reference_answer not in (None, theirs.get(cell, {}).get(review.id))
        ):
            left_out[_CHANGED] += 1
        else:
            counted.append(review)
    return counted, dict(sorted(left_out.items()))


def _hash_answers(path: Path) -> dict[str, str]:
    return {row.id: answer_hash(row.output) for row in jsonl.read(path, Generation)}


def _gather_reviews(reviews: Sequence[Review]) -> dict[str, dict[str, dict[Comparison, Verdict]]]:
    """Gather verdicts by criterion, reviewer and comparison; names in order."""
    found: dict[str, dict[str, dict[Comparison, Verdict]]] = defaultdict(lambda: defaultdict(dict))
    for review in sorted(reviews, key=lambda review: (review.criterion, review.reviewer)):
        comparison = review.test, review.reference, review.id
        found[review.criterion][review.reviewer][comparison] = review.verdict
    return found
