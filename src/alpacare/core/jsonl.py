"""JSON Lines in and out: typed rows, errors that name file and line."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, open_text, parse_json


class Row(BaseModel):
    """A record: exactly its fields, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


R = TypeVar("R", bound=Row)


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) for each line that is not blank.

    Raises:
        BadInput: the file is missing, not UTF-8, or a line is not a JSON object.
    """
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                place = f"{path}:{number}"
                value = parse_json(line, place)
                if not isinstance(value, dict):
                    raise BadInput(f"{place}: expected a JSON object, found {type(value).__name__}")
                yield number, value


def read(path: Path, model: type[R], unique: str | None = None) -> list[R]:
    """Read every row of a file, as `stream` does."""
    return list(stream(path, model, unique))


def stream(path: Path, model: type[R], unique: str | None = None) -> Iterator[R]:
    """Yield every row of a file as `model`; with `unique`, no two rows may share that field.

    Raises:
        BadInput: an unreadable file, a bad line, a row that does not fit, a repeated key.
    """
    lines: dict[str, int] = {}
    for number, value in read_objects(path):
        row = validate(model, value, f"{path}:{number}")
        key: str = getattr(row, unique) if unique else ""
        if unique and (first := lines.setdefault(key, number)) != number:
            raise BadInput(
                f"{path}:{number}: {unique} '{key}' is already on line {first}; keep one of them"
            )
        yield row


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
    import jsonlines  # not at the top: half of what it imports is not needed to show --help

    with atomic_file(path) as file, jsonlines.Writer(file) as writer:
        writer.write_all(row.model_dump() for row in rows)
