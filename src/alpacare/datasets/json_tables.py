"""Rows of JSON Lines, or of a JSON document: an array, an object that holds rows, one row.

A row that cannot be read is a row with a problem: whoever reads decides what becomes of it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from alpacare.core.errors import BadInput
from alpacare.core.files import open_text, parse_any_json

# lists of objects that are part of one row
_NESTED = ("messages", "conversations", "conversation", "prompt", "rubrics", "options", "choices")


class TableRow(NamedTuple):
    """A row, its number from 1, its place for errors, and why it cannot be read, if so.

    `key`: what it is called in an object of rows.
    """

    number: int
    place: str
    values: Mapping[str, Any]
    problem: str = ""
    key: str = ""


def read_json(path: Path, name: str) -> Iterator[TableRow]:
    """Read a JSON document, or JSON Lines one by one."""
    with open_text(path) as file:
        lines = ((number, line) for number, line in enumerate(file, 1) if line.strip())
        start = list(islice(lines, 2))
        refuse_html(start[0][1] if start else "", name)
        lines_by_name = ".jsonl" in path.suffixes  # also of one row, which then is no document
        if start and _is_object(start[0][1]) and (len(start) == 2 or lines_by_name):
            yield from _json_lines(chain(start, lines), name)
            return
        file.seek(0)
        text = file.read()
    try:
        document = parse_any_json(text or "[]", name)
    except BadInput as error:
        yield from _lines_of_no_document(text, name, error)
        return
    yield from _document_rows(document, name)


def _is_object(line: str) -> bool:
    try:
        return isinstance(parse_any_json(line, ""), dict)
    except BadInput:
        return False


def _json_lines(lines: Iterable[tuple[int, str]], name: str) -> Iterator[TableRow]:
    for number, line in lines:
        place = f"{name}:{number}"
        try:
            yield _object_row(parse_any_json(line, place), place)
        except BadInput as error:
            yield TableRow(0, place, {}, str(error))


def _lines_of_no_document(text: str, name: str, error: BadInput) -> Iterator[TableRow]:
    """Read JSON Lines whose first line is none; if no line is, the whole is a broken document."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    rows = list(_json_lines(lines, name))
    if all(row.problem for row in rows):
        raise error
    yield from rows


def _document_rows(document: Any, name: str) -> Iterator[TableRow]:
    """Give the rows of an array, or of an object that holds rows; any other object is one row."""
    if isinstance(document, dict):
        if document and all(isinstance(value, dict) for value in document.values()):
            for key, value in document.items():
                yield TableRow(0, f'{name}: "{key}"', value, key=key)
            return
        lists = [
            value for key, value in document.items() if key not in _NESTED and are_objects(value)
        ]
        if len(lists) != 1:
            yield TableRow(0, f"{name}:1", document)
            return
        (document,) = lists
    if not isinstance(document, list):
        raise BadInput(f"{name}: holds no rows, but one {type(document).__name__}")
    for number, value in enumerate(document, start=1):
        yield _object_row(value, f"{name}: row {number}")


def are_objects(value: Any) -> bool:
    """Whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _object_row(value: Any, place: str) -> TableRow:
    if isinstance(value, dict):
        return TableRow(0, place, value)
    problem = f"{place}: expected a JSON object, found {type(value).__name__}"
    return TableRow(0, place, {}, problem)


def json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, object) for each row of a JSON file, every one of which must be readable.

    Raises:
        BadInput: not JSON, or a row that is not an object.
    """
    for row in read_json(path, str(path)):
        if row.problem:
            raise BadInput(row.problem)
        yield row.place, dict(row.values)


def is_html(text: str) -> bool:
    """Whether a text begins as a web page does."""
    return re.match(r"\s*<(!doctype\s+html|html)\b", text, re.IGNORECASE) is not None


def refuse_html(text: str, name: str) -> None:
    """Check that a file's beginning is none of a web page's.

    Raises:
        BadInput: it is.
    """
    if is_html(text):
        raise BadInput(f"{name}: is a web page (HTML) and not data; download the file itself")
