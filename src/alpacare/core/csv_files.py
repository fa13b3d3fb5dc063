"""CSV files whose texts a spreadsheet shows, and never runs.

A cell that begins with = + - @, a tab or a line break is a formula to a spreadsheet; behind an
apostrophe it is text. Numbers stay numbers: -0.5 is none of these.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from alpacare.core.files import atomic_file

_FORMULA = re.compile("'*[=+@\\t\\r\\n\uff1d\uff0b\uff0d\uff20-]")  # full-width ones in Japanese
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows, the names of the columns first, whole or not at all."""
    with atomic_file(path) as file:
        usual = csv.writer(file, lineterminator="\n")
        quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in rows:
            cells = [_as_text(cell) for cell in row]
            # without quotes a carriage return ends the row for many readers
            (quoted if any("\r" in str(cell) for cell in cells) else usual).writerow(cells)


def _as_text(cell: object) -> object:
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def cell_text(cell: str) -> str:
    """Give what was written as a cell by `write_csv`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
