"""Rows found by id, in files that may be large or missing."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from alpacare.core.files import open_text, parse_json, read_json

JsonObject = dict[str, Any]
ID = re.compile(r"[0-9a-f]{4,}(/\d+)?")


class FoundRow(NamedTuple):
    """A row and its number in its file, from 1."""

    number: int
    row: dict[str, Any]


class RowReader:
    """Reads the pipeline's files; `not_here` lists files that were needed and are missing."""

    def __init__(self) -> None:
        self.not_here: dict[str, None] = {}

    def containing(self, path: Path, text: str) -> Iterator[FoundRow]:
        """Yield the rows that contain `text` anywhere; only their lines are parsed."""
        if not self.has(path):
            return
        number = 0
        with open_text(path) as file:
            for line in file:
                number += bool(line.strip())
                if text in line:
                    row = parse_json(line, f"{path}:{number}")
                    if isinstance(row, dict):
                        yield FoundRow(number, row)

    def with_prefix(self, path: Path, start: str) -> list[FoundRow]:
        """Give the rows whose id begins with `start`."""
        return [f for f in self.containing(path, start) if str(f.row.get("id")).startswith(start)]

    def one(self, path: Path, id: str) -> FoundRow | None:
        """Give the row with this id."""
        return next((f for f in self.containing(path, id) if f.row.get("id") == id), None)

    def all(self, path: Path, id: str) -> list[dict[str, Any]]:
        """Give every row with this id: a judge has several verdicts on a task."""
        return [found.row for found in self.containing(path, id) if found.row.get("id") == id]

    def count(self, path: Path) -> int:
        """Count the rows of a file."""
        with open_text(path) as file:
            return sum(bool(line.strip()) for line in file)

    def json(self, path: Path) -> Any:
        """Read a JSON document; None if it is not here."""
        return read_json(path) if self.has(path) else None

    def has(self, path: Path) -> bool:
        """Whether a file exists; it is noted as missing if not."""
        if not path.exists():
            self.not_here[str(path)] = None
            return False
        return True
