"""The CSV files of metrics/, read with their types."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from alpacare.core.errors import BadInput
from alpacare.core.files import open_text


def read_table(path: Path, columns: Sequence[tuple[str, type]]) -> list[tuple[Any, ...]]:
    """Read the rows of a CSV file; each column has a name and a type.

    Raises:
        BadInput: no such file, other columns, or a value that is none of its type.
    """
    with open_text(path) as file:
        lines = csv.reader(file)
        head, names = next(lines, []), [name for name, _ in columns]
        if head != names:
            raise BadInput(f"{path}:1: expected the columns {','.join(names)}; run `dvc repro`")
        return [_read_row(row, columns, f"{path}:{lines.line_num}") for row in lines]


def _read_row(
    row: Sequence[str], columns: Sequence[tuple[str, type]], place: str
) -> tuple[Any, ...]:
    if len(row) != len(columns):
        raise BadInput(f"{place}: {len(row)} values, expected {len(columns)}; run `dvc repro`")
    return tuple(
        _read(text, kind, name, place) for text, (name, kind) in zip(row, columns, strict=True)
    )


def _read(text: str, kind: type, name: str, place: str) -> Any:
    try:
        return TypeAdapter(kind).validate_strings(text)
    except ValidationError:
        raise BadInput(f"{place}: {name} '{text}' is no {kind.__name__}; run `dvc repro`") from None
