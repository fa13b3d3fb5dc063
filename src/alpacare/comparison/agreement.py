"""`alpacare agreement`: how far judges agree with one another, and with people."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import click

from alpacare.comparison.agreement_files import REVIEWS, Opinions, read_opinions
from alpacare.comparison.agreement_table import print_report, review_counts_line
from alpacare.comparison.agreement_width import missing_reviews
from alpacare.comparison.label_agreement import measure_labels, print_labels
from alpacare.comparison.model_runs import CellReader, read_cell
from alpacare.core.command import check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import write_json
from alpacare.core.texts import escape_controls
from alpacare.evaluation.agreement import (
    AgreementReport,
    RaterKind,
    RaterPair,
    RaterVerdicts,
    compare_raters,
    compare_raters_by,
    verdict_of,
)
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.people import correct_all, majority_verdicts, rate_people
from alpacare.pipeline.params import Params, read_params
from alpacare.review.returned_reviews import ReturnedReviews, read_reviews

__all__ = ["REVIEWS", "measure_agreement", "report_agreement"]

Rater = tuple[str, RaterVerdicts]  # name and verdicts
ByRater = Mapping[str, RaterVerdicts]


def report_agreement(out: Path | None) -> None:
    """Print how far the raters agree, also with labels; write the same figures to `out`, as JSON.

    Raises:
        BadInput: files are missing or wrong, or there are no two raters; nothing is written.
    """
    files = sorted(REVIEWS.glob("*.jsonl"))
    check_files(files, [out])
    returned = read_reviews(files)
    for problem in returned.bad_files:
        click.echo(f"left out: {escape_controls(problem)}", err=True)
    params = read_params()
    labels = measure_labels(params)
    try:
        report = measure_agreement(params, returned)
    except NoRaters:
        if not labels:
            raise
        report = None
    if out:
        found = report.model_dump() if report else {}
        write_json(out, found | {"labels": [each.model_dump() for each in labels]})
    if report:
        print_report(report)
    print_labels(labels, 100 * params.scores.confidence)


class NoRaters(BadInput):
    """There is nobody to compare with another."""


def measure_agreement(
    params: Params, returned: ReturnedReviews, read: CellReader = read_cell
) -> AgreementReport:
    """Compare the judges of params.yaml with one another and with the reviews.

    `read` gives the verdicts of a comparison.
    """
    said = read_opinions(params, returned, params.cells(), read)
    verdicts = {
        judge: {key: verdict_of(preference) for key, preference in preferences.items()}
        for judge, preferences in said.judges.items()
    }
    pairs = list(_compare_pairs(verdicts, said, params.scores))
    if not pairs:
        raise NoRaters(
            "no two raters to compare: put a second judge into judgments.judges in params.yaml "
            f"and run `dvc repro`, or people's verdicts into {REVIEWS}/ "
            f"({review_counts_line(said.reviews, said.left_out)})"
        )
    cells = list(dict.fromkeys(cell[:4] for cell in params.cells()))
    return AgreementReport(
        confidence=params.scores.confidence,
        reviews=said.reviews,
        left_out=said.left_out,
        bad_files=returned.bad_files,
        pairs=pairs,
        people=list(rate_people(said.people, cells, params.scores)),
        corrected=list(correct_all(said.judges, said.people, cells, said.strata, params.scores)),
        missing=list(missing_reviews(said, params.scores.confidence)),
    )


def _compare_pairs(judges: ByRater, said: Opinions, how: Resampling) -> Iterator[RaterPair]:
    """Compare the judges; for each criterion each judge with its reviewers, and these in pairs."""
    found: list[tuple[RaterKind, str | None, Rater, Rater]]
    found = [("judges", None, *two) for two in combinations(judges.items(), 2)]
    for criterion, people in said.people.items():
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
            by_type=compare_raters_by(lambda key: said.types[key.test, key.id], one, other, how),
        )
