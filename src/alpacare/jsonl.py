"""JSON Lines in and out: typed rows, errors that name file and line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import jsonlines
from pydantic import BaseModel, ConfigDict, ValidationError

from alpacare.errors import BadInput
from alpacare.files import atomic_file


class Row(BaseModel):
    """A record: exactly its fields, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


R = TypeVar("R", bound=Row)


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) for each line that is not blank.

    Raises:
        BadInput: the file is missing, not UTF-8, or a line is not a JSON object.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _parse(line, f"{path}:{number}")
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8") from error


def _parse(line: str, place: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
        json.dumps(value, ensure_ascii=False).encode()  # half an emoji cannot be written again
    except UnicodeEncodeError as error:
        raise BadInput(f"{place}: half of a character ({error.reason}); mend the text") from error
    except json.JSONDecodeError as error:
        raise BadInput(
            f"{place}: not valid JSON ({error.msg.lower()}, column {error.colno}); "
            "is the line cut off? mend it or delete it"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{place}: not valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise BadInput(f"{place}: expected a JSON object, found {type(value).__name__}")
    return value


def read(path: Path, model: type[R], unique: str | None = None) -> list[R]:
    """Read every row of a file as `model`; with `unique`, no two rows may share that field.

    Raises:
        BadInput: an unreadable file, a bad line, a row that does not fit, a repeated key.
    """
    rows: list[R] = []
    lines: dict[str, int] = {}
    for number, value in read_objects(path):
        row = validate(model, value, f"{path}:{number}")
        if unique:
            first = lines.setdefault(getattr(row, unique), number)
            if first != number:
                raise BadInput(
                    f"{path}:{number}: {unique} '{getattr(row, unique)}' is already on line "
                    f"{first}; keep one of them"
                )
        rows.append(row)
    return rows


def validate(model: type[R], value: Mapping[str, Any], place: str) -> R:
    """Check one object against a record model; the error names the place and the first field."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "value_error":  # a rule of ours: its text says all
            raise BadInput(f"{place}: {first['ctx']['error']}") from error
        field = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{place}: field '{field}': {first['msg'].lower()}") from error


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write rows in the order given, whole or not at all."""
    with atomic_file(path) as file, jsonlines.Writer(file) as writer:
        writer.write_all(row.model_dump() for row in rows)
