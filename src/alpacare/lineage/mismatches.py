"""Stages that did not get what the one before them kept: one of the two is out of date."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from alpacare.core import jsonl
from alpacare.core.texts import counted
from alpacare.lineage.funnel_lines import Count
from alpacare.training.settings import CheckpointSettings

Place = tuple[str, str]  # a stage, and the student, or ""
_STALE = "one of them is out of date; run `make repro`"


class Line(NamedTuple):
    """The stages up to training, and the files between them.

    `own`: the file that a student alone chooses from; `imported`: those that stages read.
    """

    stages: Sequence[str]
    own: Mapping[str, Path | None]
    students: Mapping[str, CheckpointSettings]
    imported: Mapping[str, Path]


def find_all(counts: Sequence[Count], line: Line) -> Iterator[str]:
    """Give a line for each."""
    yield from find_mismatches(counts, successors(line.stages, line.own))
    yield from find_old_choices(counts, line.students)
    for stage, path in line.imported.items():
        yield from find_changed_file(counts, stage, path)


def successors(
    stages: Iterable[str], own: Mapping[str, Path | None]
) -> Iterator[tuple[Place, Place]]:
    """Give each stage with the next one."""
    line = [(stage, "") for stage in stages if stage != "seeds"]
    yield from pairwise(line)
    for student, file in own.items():
        if line and file is None:
            yield line[-1], ("student_rows", student)
        yield ("student_rows", student), ("checkpoint", student)


def find_mismatches(counts: Sequence[Count], pairs: Iterable[tuple[Place, Place]]) -> Iterator[str]:
    """Say where a stage got another number of rows than the one before it kept."""
    got = {(count.stage, count.cell): count for count in counts}
    for before, after in pairs:
        if {before, after} <= got.keys() and got[before].kept != got[after].total:
            kept, total = f"{got[before].kept:,}", f"{got[after].total:,}"
            yield f"{_name(before)} kept {kept}, {_name(after)} got {total}: {_STALE}"


def find_old_choices(
    counts: Sequence[Count], students: Mapping[str, CheckpointSettings]
) -> Iterator[str]:
    """Say whether a student chose from other rows: from fewer, or now it would choose others."""
    for count in counts:
        if count.stage == "student_rows":
            rows = students[count.cell].rows
            takes_all = rows.take is None and not rows.where.model_dump(exclude_none=True)
            chosen = count.kept + sum(count.lost.values()) - count.lost.get("not chosen", 0)
            if chosen > count.total or (takes_all and chosen < count.total):
                place, total = _name((count.stage, count.cell)), f"{count.total:,}"
                yield f"{place} kept {count.kept:,}, and there are {total}: {_STALE}"


def find_changed_file(counts: Sequence[Count], stage: str, path: Path) -> Iterator[str]:
    """Say whether an imported file has another number of rows than a stage got."""
    for count in counts:
        if count.stage == stage and path.exists():
            rows = sum(1 for _ in jsonl.read_objects(path))
            if rows != count.total:
                yield f"{path} has {counted(rows, 'row')} and {stage} got {count.total:,}: {_STALE}"


def _name(place: Place) -> str:
    return ", ".join(filter(None, place))
