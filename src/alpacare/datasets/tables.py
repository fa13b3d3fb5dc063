"""Rows of a file in any common format: a JSON array, JSON Lines, CSV or Parquet."""

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from alpacare.core.errors import BadInput
from alpacare.core.files import open_text, parse_json

MOST_UNPACKED = 1_000_000_000  # bytes that may come out of packed ones
MOST_RATIO = 100  # ... of each; text packs ten to one
ENDINGS = (".json", ".jsonl", ".csv", ".parquet")


class TableRow(NamedTuple):
    """A row, its number from 1, and its place for errors."""

    number: int
    place: str
    values: dict[str, Any]


def read_table_rows(path: Path) -> Iterator[TableRow]:
    """Yield the rows of a file, whose ending names its format.

    Raises:
        BadInput: an unknown ending, an unreadable file, a row that is not an object.
    """
    readers = {
        ".csv": _csv,
        ".parquet": _parquet,
        ".json": read_json_rows,
        ".jsonl": read_json_rows,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadInput(f"{path}: '{path.suffix}' cannot be read; give {', '.join(ENDINGS)}")
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    for number, (place, values) in enumerate(reader(path), start=1):
        yield TableRow(number, place, values)


def read_json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, object) for each row of a JSON array or a JSON Lines file."""
    with open_text(path) as file:
        yield from json_rows(file, str(path))


def json_rows(file: IO[str], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, object) for each row of a JSON array or of JSON Lines, read line by line.

    Raises:
        BadInput: not JSON, or a row that is not an object.
    """
    first = next((line for line in file if line.strip()), "")
    file.seek(0)
    _refuse_html(first, name)
    if first.lstrip().startswith("["):
        items = enumerate(parse_json(file.read(), name), start=1)
        rows = ((f"{name}: row {number}", row) for number, row in items)
    else:
        lines = ((f"{name}:{number}", line) for number, line in enumerate(file, 1) if line.strip())
        rows = ((place, parse_json(line, place)) for place, line in lines)
    for place, row in rows:
        if not isinstance(row, dict):
            raise BadInput(f"{place}: expected a JSON object, found {type(row).__name__}")
        yield place, row


def is_html(text: str) -> bool:
    """Whether a text begins as a web page does."""
    return re.match(r"\s*<(!doctype\s+html|html)\b", text, re.IGNORECASE) is not None


def _refuse_html(text: str, name: str) -> None:
    if is_html(text):
        raise BadInput(f"{name}: is a web page (HTML) and not data; download the file itself")


def _csv(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    csv.field_size_limit(sys.maxsize)  # a clinical note may be longer than 128 KiB
    with open_text(path) as file:
        rows = csv.DictReader(file, strict=True)
        try:
            names = rows.fieldnames or []
            _refuse_html(",".join(names), str(path))
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


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    from pyarrow import ArrowException  # type: ignore[import-untyped]
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

    number = unpacked = 0
    most = max(MOST_UNPACKED, MOST_RATIO * path.stat().st_size)
    try:
        for batch in ParquetFile(path).iter_batches(batch_size=1000):
            unpacked += batch.nbytes
            if unpacked > most:
                raise BadInput(f"{path}: row {number}: more than {most:,} bytes come out of it")
            for row in batch.to_pylist():
                number += 1
                yield f"{path}: row {number}", row
    except (ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"{path}: not a whole Parquet file ({reason}); copy it again") from error
