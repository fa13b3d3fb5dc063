"""Rows of a file that somebody brings: a JSON array, JSON Lines, CSV or Parquet."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from alpacare.core.errors import BadInput
from alpacare.core.files import open_text, parse_json

KINDS = (".json", ".jsonl", ".csv", ".parquet")


class TableRow(NamedTuple):
    """A row, its number from 1, and its place for errors."""

    number: int
    place: str
    values: dict[str, Any]


def read_table(path: Path) -> Iterator[TableRow]:
    """Yield the rows of a file, by its ending.

    Raises:
        BadInput: an unknown ending, an unreadable file, a row that is no object.
    """
    readers = {".csv": _csv, ".parquet": _parquet, ".json": _json, ".jsonl": _json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadInput(f"{path}: '{path.suffix}' is not read here; give {', '.join(KINDS)}")
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    for number, (place, values) in enumerate(reader(path), start=1):
        if not isinstance(values, dict):
            raise BadInput(f"{place}: expected an object, found {type(values).__name__}")
        yield TableRow(number, place, values)


def _json(path: Path) -> Iterator[tuple[str, Any]]:
    """Tell an array from lines by what comes first; lines are read one by one."""
    with open_text(path) as file:
        first = next((line for line in file if line.strip()), "")
        if first.lstrip().startswith("["):
            file.seek(0)
            rows = parse_json(file.read(), str(path))
            yield from ((f"{path}: row {number}", row) for number, row in enumerate(rows, start=1))
            return
        file.seek(0)
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield f"{path}:{number}", parse_json(line, f"{path}:{number}")


def _csv(path: Path) -> Iterator[tuple[str, Any]]:
    csv.field_size_limit(sys.maxsize)  # a note of a whole stay is longer than 128 KiB
    with open_text(path) as file:
        rows = csv.DictReader(file, strict=True)
        try:
            names = rows.fieldnames or []
            if twice := next((name for name in names if names.count(name) > 1), None):
                raise BadInput(f"{path}: two columns are called '{twice}'; rename one")
            for number, row in enumerate(rows, start=1):
                if None in row or None in row.values():
                    raise BadInput(
                        f"{path}: row {number}: {len(names)} columns have a name, "
                        "this row has more or fewer; is a comma or a quote missing?"
                    )
                yield f"{path}: row {number}", row
        except csv.Error as error:
            raise BadInput(f"{path}: line {rows.line_num}: not CSV ({error})") from error


def _parquet(path: Path) -> Iterator[tuple[str, Any]]:
    from pyarrow import ArrowException  # type: ignore[import-untyped]
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

    number = 0
    try:
        for batch in ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield f"{path}: row {number}", row
    except (ArrowException, OSError) as error:
        told = " ".join(str(error).split())
        raise BadInput(f"{path}: not a whole Parquet file ({told}); take it again") from error
