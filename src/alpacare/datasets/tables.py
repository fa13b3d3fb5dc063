"""Rows of a file in any common format: JSON, JSON Lines, CSV, TSV or Parquet, also gzipped.

A row that cannot be read is a row with a problem: whoever reads decides what becomes of it. A file
whose rows cannot be told apart is an error.
"""

import csv
import gzip
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import chain
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.files import open_text
from alpacare.core.texts import counted
from alpacare.datasets.json_tables import TableRow, read_json, refuse_html

MOST_UNPACKED = 1_000_000_000  # bytes that may come out of packed ones
MOST_RATIO = 100  # ... of each; text packs ten to one
_PIECE = 1_000_000  # bytes unpacked at once


def read_table_rows(path: Path, name: str = "") -> Iterator[TableRow]:
    """Yield the rows of a file, whose ending names its format; without one it is JSON.

    `name` is what errors call it, if not by its path.

    Raises:
        BadInput: an unknown ending, an unreadable file.
    """
    name = name or str(path)
    packed = path.suffix.lower() == ".gz"
    reader = _readers().get(Path(path.stem if packed else path.name).suffix.lower())
    if reader is None:
        known = ", ".join(filter(None, _readers()))
        raise BadInput(f"{name}: '{path.suffix}' cannot be read; give {known} or one of them .gz")
    if not path.is_file():
        raise BadInput(f"{name}: no such file")
    if not path.stat().st_size:
        raise BadInput(f"{name}: is empty; was its copy or download cut off?")
    with _unpacked(path, name) if packed else nullcontext(path) as plain:
        try:
            for number, row in enumerate(reader(plain, name), start=1):
                yield row._replace(number=number)
        except BadInput as error:  # of the opened file itself
            raise BadInput(str(error).replace(str(plain), name)) from error


def _readers() -> dict[str, Callable[[Path, str], Iterator[TableRow]]]:
    texts = {".json": read_json, ".jsonl": read_json, "": read_json, ".csv": _csv, ".tsv": _csv}
    return {**texts, ".parquet": _parquet}


@contextmanager
def _unpacked(path: Path, name: str) -> Iterator[Path]:
    """Give a file without its gzip for the time of the block."""
    most = max(MOST_UNPACKED, MOST_RATIO * path.stat().st_size)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, path.stem)
        try:
            with gzip.open(path) as packed, plain.open("wb") as file:
                while piece := packed.read(_PIECE):
                    _check_unpacked(name, file.tell(), most)
                    file.write(piece)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadInput(f"{name}: not a whole gzip file ({error}); copy it again") from error
        yield plain


def _check_unpacked(name: str, size: int, most: int) -> None:
    if size > most:
        raise BadInput(f"{name}: more than {most:,} bytes come out of it")


def _csv(path: Path, name: str) -> Iterator[TableRow]:
    csv.field_size_limit(sys.maxsize)  # a clinical note may be longer than 128 KiB
    with open_text(path) as file:
        separator = "\t" if path.suffix.lower() == ".tsv" else _separator(file.readline())
        file.seek(0)
        table = csv.reader(file, strict=True, delimiter=separator)
        try:
            rows = (row for row in table if row)
            head = next(rows, [])
            refuse_html(",".join(head), name)
            names, first = _names(head, name)
            for number, row in enumerate(chain(first, rows), start=1):
                place = f"{name}: row {number}"
                problem = "" if len(row) == len(names) else _uneven(place, len(names), len(row))
                yield TableRow(0, place, dict(zip(names, row, strict=False)), problem)
        except csv.Error as error:  # where rows end is not known from here on
            raise BadInput(f"{name}: line {table.line_num}: not CSV ({error})") from error


def _separator(head: str) -> str:
    """Give the separator of cells: a semicolon in countries that write 1,5."""
    return ";" if ";" in head and "," not in head else ","


def _names(head: list[str], name: str) -> tuple[list[str], list[list[str]]]:
    """Give the columns' names, and the first row if the first line has no names.

    That is MMLU's form: question, options, and the letter of one of them.

    Raises:
        BadInput: two columns have one name.
    """
    letters = [chr(ord("A") + place) for place in range(len(head) - 2)]
    if len(letters) > 1 and head[-1].strip() in letters:
        return ["question", *letters, "answer_idx"], [head]
    names = [each.strip() for each in head]
    if twice := next((each for each in names if each and names.count(each) > 1), None):
        raise BadInput(f"{name}: two columns are called '{twice}'; rename one")
    return names, []


def _uneven(place: str, names: int, cells: int) -> str:
    named = counted(names, "column")
    return f"{place}: {named} with a name, and it has {cells}; is a comma or quote missing?"


def _parquet(path: Path, name: str) -> Iterator[TableRow]:
    from pyarrow import ArrowException  # type: ignore[import-untyped]
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

    number = unpacked = 0
    most = max(MOST_UNPACKED, MOST_RATIO * path.stat().st_size)
    try:
        for batch in ParquetFile(path).iter_batches(batch_size=1000):
            unpacked += batch.nbytes
            _check_unpacked(name, unpacked, most)
            for row in batch.to_pylist():
                number += 1
                yield TableRow(0, f"{name}: row {number}", row)
    except (ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"{name}: not a whole Parquet file ({reason}); copy it again") from error
