"""Files that reviewers return, in data/reviews, unblinded; a bad one does not affect the others.

A page exports {"sample": "5c1e...", "reviewer": "ann", "items": 50}, then a line for each item,
{"id": "77d0...", "verdicts": {"correctness": "a", "helpfulness": "tie"}, "comment": ""}, and
finally {"end": 50, "sha256": "..."} with their number and the checksum of all lines before. Rows
that are unblinded already, `key.StudentReview`, are read as they are. A reviewer is known by
name, whatever its case, blanks and Unicode form, and shown as the first file writes it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.core.jsonl import Row, read_objects, validate
from alpacare.core.texts import comparable, counted
from alpacare.records.review import Criterion, Name, Sha256
from alpacare.review.key import Choice, SampleId, StudentReview, read_key

NumberedRow = tuple[int, dict[str, Any]]


@dataclass
class ReturnedReviews:
    """All reviews, the number of those in two files, and what is wrong with bad files."""

    reviews: list[StudentReview] = field(default_factory=list)
    repeated: int = 0
    bad_files: list[str] = field(default_factory=list)


class _Header(Row):
    sample: SampleId
    reviewer: Name
    items: int


class _ItemVerdicts(Row):
    id: str
    verdicts: dict[Criterion, Choice]
    comment: str = ""


class _End(Row):
    end: int = Field(ge=0)
    sha256: Sha256


def read_reviews(paths: Iterable[Path]) -> ReturnedReviews:
    """Read files of reviews; bad files are left out and listed.

    Raises:
        BadInput: no file is good, or a reviewer contradicts himself in two files.
    """
    returned, places = ReturnedReviews(), dict[tuple[str, ...], tuple[StudentReview, str]]()
    names: dict[str, str] = {}
    files = list(paths)
    for path in files:
        try:
            rows = list(_read_file(path))
            if not rows:
                raise BadInput(f"{path}: has no verdicts yet; get it again later, or remove it")
        except BadInput as error:
            returned.bad_files.append(str(error))
            continue
        for read, place in rows:
            name = names.setdefault(_reviewer_key(read.reviewer), " ".join(read.reviewer.split()))
            review = read.model_copy(update={"reviewer": name})
            if _is_new(review, place, places):
                returned.reviews.append(review)
            else:
                returned.repeated += 1
    if files and len(returned.bad_files) == len(files):
        more = f" (and no other file is good: {len(files) - 1} more)" if len(files) > 1 else ""
        raise BadInput(returned.bad_files[0] + more)
    return returned


def _reviewer_key(name: str) -> str:
    """Give what two ways to write one reviewer's name share: "Ann " and "ann"."""
    return comparable(comparable(" ".join(name.split())).casefold())


def _is_new(
    review: StudentReview, place: str, places: dict[tuple[str, ...], tuple[StudentReview, str]]
) -> bool:
    """Whether a review is not a repetition: a file that was exported twice counts once."""
    run = review.student or "", str(review.training_seed)
    subject = *run, review.id, review.test, review.reference, review.reviewer, review.criterion
    first, where = places.setdefault(subject, (review, place))
    if first.verdict != review.verdict or first.generation != review.generation:
        raise BadInput(
            f"{place}: {review.reviewer} has already reviewed item {review.id} against "
            f"{review.reference} for {review.criterion}, in {where}; keep one of them"
        )
    return where == place


def _read_file(path: Path) -> Iterator[tuple[StudentReview, str]]:
    lines = list(read_objects(path))
    if not lines:
        raise BadInput(f"{path}: is empty; get it again, or remove it")
    if "sample" in lines[0][1] or "end" in lines[-1][1]:
        yield from _read_export(path, lines)
        return
    for number, value in lines:
        place = f"{path}:{number}"
        yield validate(StudentReview, value, place), place


def _read_export(path: Path, lines: list[NumberedRow]) -> Iterator[tuple[StudentReview, str]]:
    _check_complete(path, lines)
    head = validate(_Header, lines[0][1], f"{path}:{lines[0][0]}")
    key = read_key(head.sample, str(path))
    if head.items != len(key.items):
        raise BadInput(
            f"{path}: says that its page has {counted(head.items, 'item')}, and sample "
            f"{key.sample} has {len(key.items)}; export it again from that page"
        )
    items, seen = key.by_id(), dict[str, int]()
    for number, value in lines[1:-1]:
        place = f"{path}:{number}"
        row = validate(_ItemVerdicts, value, place)
        if row.id not in items:
            raise BadInput(f"{place}: item {row.id} is not in sample {key.sample}; export it again")
        if seen.setdefault(row.id, number) != number:
            raise BadInput(f"{place}: item {row.id} is already on line {seen[row.id]}")
        for criterion, choice in row.verdicts.items():
            given = head.reviewer, criterion, row.comment
            yield key.unblind(items[row.id], choice, place, *given), f"{place}, {criterion}"


def _check_complete(path: Path, lines: list[NumberedRow]) -> None:
    """Compare an export with the checksum in its last line: mail and editors change files."""
    number, last = lines[-1]
    if "end" not in last:
        raise BadInput(
            f"{path}: its last line, a checksum, is missing, so it was cut off; get it again"
        )
    end = validate(_End, last, f"{path}:{number}")
    body = read_text(path).rstrip().rpartition("\n")[0] + "\n"
    if end.end != len(lines) - 2 or end.sha256 != hashlib.sha256(body.encode()).hexdigest():
        raise BadInput(
            f"{path}: its checksum does not match: lines were changed, lost or added; "
            "export it again"
        )
