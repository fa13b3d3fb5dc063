"""What comes back from reviewers: files in data/reviews, unblinded; a bad one spoils no other.

A page exports {"sample": "5c1e...", "reviewer": "ann", "items": 50}, then a line an item,
{"id": "77d0...", "verdicts": {"correctness": "a", "helpfulness": "tie"}, "comment": ""}, and at
last {"end": 50, "sha256": "..."} with their number and the checksum of all lines before. Rows that
name their verdicts themselves, `records.review.Review`, are read as they are.
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
from alpacare.records.review import Criterion, Name, Review, Sha256
from alpacare.review.key import Choice, Opinion, SampleId, read_key

Line = tuple[int, dict[str, Any]]


@dataclass
class Returned:
    """All opinions; how often one stands in two files; what is wrong with the files left out."""

    reviews: list[Review] = field(default_factory=list)
    repeated: int = 0
    bad_files: list[str] = field(default_factory=list)


class _Head(Row):
    sample: SampleId
    reviewer: Name
    items: int


class _Said(Row):
    id: str
    verdicts: dict[Criterion, Choice]
    comment: str = ""


class _End(Row):
    end: int = Field(ge=0)
    sha256: Sha256


def read_returned(paths: Iterable[Path]) -> Returned:
    """Read files of reviews; what cannot be relied on is left out, file by file, and told.

    Raises:
        BadInput: no file is good, or a reviewer says this here and that there: nobody can know
            which one holds.
    """
    returned, places = Returned(), dict[tuple[str, ...], tuple[Review, str]]()
    files = list(paths)
    for path in files:
        try:
            rows = list(_read_file(path))
        except BadInput as error:
            returned.bad_files.append(str(error))
            continue
        for review, place in rows:
            if _is_new(review, place, places):
                returned.reviews.append(review)
            else:
                returned.repeated += 1
    if files and len(returned.bad_files) == len(files):
        more = f" (and no other file is good: {len(files) - 1} more)" if len(files) > 1 else ""
        raise BadInput(returned.bad_files[0] + more)
    return returned


def _is_new(review: Review, place: str, places: dict[tuple[str, ...], tuple[Review, str]]) -> bool:
    """Whether nobody has said this before: a file that was exported twice counts once."""
    what = (review.id, review.test, review.reference, review.reviewer, review.criterion)
    first, where = places.setdefault(what, (review, place))
    if first.verdict != review.verdict or first.generation != review.generation:
        raise BadInput(
            f"{place}: {review.reviewer} has already reviewed task {review.id} against "
            f"{review.reference} for {review.criterion}, in {where}; keep one of them"
        )
    return where == place


def _read_file(path: Path) -> Iterator[tuple[Review, str]]:
    lines = list(read_objects(path))
    if not lines:
        raise BadInput(f"{path}: is empty; take it again, or remove it")
    if "sample" in lines[0][1] or "end" in lines[-1][1]:
        yield from _read_export(path, lines)
        return
    for number, value in lines:
        place = f"{path}:{number}"
        yield validate(Review, value, place), place


def _read_export(path: Path, lines: list[Line]) -> Iterator[tuple[Review, str]]:
    _check_whole(path, lines)
    head = validate(_Head, lines[0][1], f"{path}:{lines[0][0]}")
    key = read_key(head.sample, str(path))
    items, seen = key.by_id(), dict[str, int]()
    for number, value in lines[1:-1]:
        place = f"{path}:{number}"
        said = validate(_Said, value, place)
        if said.id not in items:
            raise BadInput(
                f"{place}: task {said.id} is not in sample {key.sample}; export it again"
            )
        if seen.setdefault(said.id, number) != number:
            raise BadInput(f"{place}: task {said.id} is already on line {seen[said.id]}")
        for criterion, choice in said.verdicts.items():
            opinion = Opinion(head.reviewer, criterion, choice, said.comment)
            yield key.unblind(items[said.id], opinion, place), f"{place}, {criterion}"


def _check_whole(path: Path, lines: list[Line]) -> None:
    """Compare an export with its last line: mail and editors cut and change files."""
    number, last = lines[-1]
    if "end" not in last:
        raise BadInput(
            f"{path}: its last line, a checksum, is missing: it was cut off; take it again"
        )
    end = validate(_End, last, f"{path}:{number}")
    body = read_text(path).rstrip().rpartition("\n")[0] + "\n"
    if end.end != len(lines) - 2 or end.sha256 != hashlib.sha256(body.encode()).hexdigest():
        raise BadInput(
            f"{path}: not as it was exported, by its checksum: lines were changed, lost or added; "
            "have it exported again"
        )
