"""Rows looked up by id, in files that may be large or not here."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from alpacare.core.files import open_text, parse_json, read_json

ID = re.compile(r"[0-9a-f]{4,}(/\d+)?")


class Found(NamedTuple):
    """A row and its number in its file, from 1."""

    number: int
    row: dict[str, Any]


class Shelf:
    """Reads the pipeline's files; `not_here` are those that were wanted and are missing."""

    def __init__(self) -> None:
        self.not_here: dict[str, None] = {}

    def mention(self, path: Path, text: str) -> Iterator[Found]:
        """Yield the rows in which `text` stands anywhere; only their lines are parsed."""
        if not self.has(path):
            return
        number = 0
        with open_text(path) as file:
            for line in file:
                number += bool(line.strip())
                if text in line:
                    row = parse_json(line, f"{path}:{number}")
                    if isinstance(row, dict):
                        yield Found(number, row)

    def beginning(self, path: Path, start: str) -> list[Found]:
        """Give the rows whose id begins so."""
        return [f for f in self.mention(path, start) if str(f.row.get("id")).startswith(start)]

    def one(self, path: Path, id: str) -> Found | None:
        """Give the row with this id."""
        return next((f for f in self.mention(path, id) if f.row.get("id") == id), None)

    def all(self, path: Path, id: str) -> list[dict[str, Any]]:
        """Give every row with this id: a judge says more than one thing of a task."""
        return [found.row for found in self.mention(path, id) if found.row.get("id") == id]

    def text(self, paths: Iterable[Path], id: str) -> str | None:
        """Give the instruction of a task, from the first of the files that has it."""
        for path in paths:
            if found := self.one(path, id):
                return str(found.row.get("instruction", ""))
        return None

    def count(self, path: Path) -> int:
        """Count the rows of a file."""
        with open_text(path) as file:
            return sum(bool(line.strip()) for line in file)

    def json(self, path: Path) -> Any:
        """Read a JSON document; None if it is not here."""
        return read_json(path) if self.has(path) else None

    def has(self, path: Path) -> bool:
        """Tell whether a file is here; note it if it is not."""
        if not path.exists():
            self.not_here[str(path)] = None
            return False
        return True
