"""Tasks in a reply that is JSON: an array, an object with "tasks", JSON Lines, fenced or cut off.

Each object is found by its first keys, so that a broken one does not affect the others.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from alpacare.instructions.label_reader import LABELS

# An object with a label as its first key, or after a few such as "id": 1.
_TASK = re.compile(
    r'\{\s*(?:"[^"\\\n]{0,40}"\s*:\s*(?:\d{1,9}|null|"[^"\\\n]{0,200}")\s*,\s*){0,3}'
    rf'"\s*(?:{"|".join(LABELS)})\s*"\s*:',
    re.IGNORECASE,
)


class _NotATask(ValueError):
    """JSON, but not the fields of one task."""


@dataclass(frozen=True)
class JsonObject:
    """A JSON object at [start, end) of the reply: the `fields` of a task, or why there are none."""

    start: int
    end: int
    fields: dict[str, Any]
    reason: Literal["", "bad_json"] = ""


def find_objects(reply: str) -> list[JsonObject]:
    """Find the objects that look like tasks, in order; those that cannot be read have a reason."""
    starts = [match.start() for match in _TASK.finditer(reply)]
    ends = [*starts[1:], len(reply)]
    found = [_read(reply, *span) for span in zip(starts, ends, strict=False)]
    return [*found, *_cut_off_object(reply, found[-1].end)] if found else []


def _read(reply: str, start: int, end: int) -> JsonObject:
    piece = reply[start:end]
    # strict=False: models leave line breaks inside strings unescaped
    decoder = json.JSONDecoder(strict=False, object_pairs_hook=_unique_keys)
    try:
        value, length = decoder.raw_decode(piece)
        return JsonObject(start, start + length, _fields(value))
    except (ValueError, RecursionError):  # a repeated key, a number of 5,000 digits, deep nesting
        return JsonObject(start, end, {}, "bad_json")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = {key.strip().lower(): value for key, value in pairs}
    if len(fields) < len(pairs):
        raise _NotATask("a key comes twice: two tasks in one")
    return fields


def _fields(value: dict[str, Any]) -> dict[str, Any]:
    """Give the labels' values; null is a missing value.

    Raises:
        _NotATask: a value that is not text.
        UnicodeEncodeError: half a surrogate pair, which no file can hold.
    """
    fields = {name: value[name] for name in LABELS if value.get(name) is not None}
    for name, text in fields.items():
        if name != "difficulty" and not isinstance(text, str):
            raise _NotATask(f"{name} is no text")
        if isinstance(text, str):
            text.encode()
            fields[name] = text.replace("\r\n", "\n").strip()
    return fields


def _cut_off_object(reply: str, end: int) -> Iterator[JsonObject]:
    """Give an object that was cut off before its first key could be read."""
    start = reply.rfind("{", end)
    if start >= 0 and "}" not in reply[start:]:
        yield JsonObject(start, len(reply), {}, "bad_json")
