"""The lines of `alpacare funnel`, and notes on them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

CALLS = "calls"
_OF_STUDENTS = ("student_rows", "checkpoint")


@dataclass(frozen=True)
class Count:
    """One line: `kept` of `total`, `lost` by reason, and `marked` rows among those kept.

    `what` is counted. `cell`: which of a stage's many: the student, or test set and student, or
    test set, model, reference and judge.
    """

    stage: str
    what: str
    total: int
    kept: int
    file: Path
    lost: Mapping[str, int] = field(default_factory=dict)
    marked: Mapping[str, int] = field(default_factory=dict)
    cell: str = ""


@dataclass
class Funnel:
    """All lines, and notes on what could not be counted or does not agree."""

    counts: list[Count] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the funnel as JSON."""
        lines = [asdict(count) | {"file": str(count.file)} for count in self.counts]
        return {"counts": lines, "notes": self.notes}

    def row_counts(self) -> list[Count]:
        """Give the counts of rows up to training, without those of calls.

        The stages of a student are named with it: "checkpoint, all-rows".
        """
        rows = [count for count in self.counts if not count.cell and count.what != CALLS]
        students = [count for count in self.counts if count.stage in _OF_STUDENTS]
        return rows + [replace(each, stage=f"{each.stage}, {each.cell}") for each in students]

    def add(self, stage: str, counts: Iterable[Count]) -> None:
        """Add counts; a missing file becomes a note."""
        try:
            for count in counts:
                lost, marked = _nonzero(count.lost), _nonzero(count.marked)
                self.counts.append(replace(count, lost=lost, marked=marked))
        except MissingFile as error:
            self.notes.append(f"{stage}: {error}")


class MissingFile(Exception):
    """Neither the count nor the rows are here."""


def _nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in counts.items() if count}
