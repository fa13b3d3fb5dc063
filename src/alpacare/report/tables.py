"""The files of metrics/: JSON objects, and CSV tables read with their types."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from alpacare.core.csv_files import cell_text
from alpacare.core.errors import BadInput
from alpacare.core.files import open_text, read_json
from alpacare.core.texts import counted


def read_figures(path: Path, *keys: str) -> dict[str, Any]:
    """Read a JSON object that has these keys.

    Raises:
        BadInput: it lacks one, or is no object.
    """
    figures = read_json(path)
    if not isinstance(figures, dict) or not figures.keys() >= set(keys):
        what = f"a JSON object with {', '.join(keys)}" if keys else "a JSON object"
        raise BadInput(f"{path}: expected {what}; run `dvc repro`")
    return figures


def read_table(path: Path, columns: Mapping[str, type]) -> list[tuple[Any, ...]]:
    """Read the rows of a CSV file; each column has a name and a type.

    Raises:
        BadInput: no such file, other columns, or a value of another type.
    """
    with open_text(path, newline="") as file:
        lines = csv.reader(file)
        if next(lines, []) != list(columns):
            raise BadInput(f"{path}:1: expected the columns {','.join(columns)}; run `dvc repro`")
        return [_read_row(row, columns, f"{path}:{lines.line_num}") for row in lines]


def _read_row(row: Sequence[str], columns: Mapping[str, type], place: str) -> tuple[Any, ...]:
    if len(row) != len(columns):
        cells = counted(len(row), "value")
        raise BadInput(f"{place}: {cells}, expected {len(columns)}; run `dvc repro`")
    values: list[Any] = []
    for text, (name, kind) in zip(row, columns.items(), strict=True):
        try:
            values.append(TypeAdapter(kind).validate_strings(cell_text(text)))
        except ValidationError:
            what = f"{name} '{text}' is no {kind.__name__}"
            raise BadInput(f"{place}: {what}; run `dvc repro`") from None
    return tuple(values)
