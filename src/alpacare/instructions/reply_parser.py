"""Parses a teacher's reply into tasks, and reasons for what could not be read.

A reply is JSON or text, in many forms: reply_json and reply_text find the tasks in it, and this
module checks their fields.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from alpacare.core.texts import repair_text
from alpacare.instructions.label_reader import LABELS
from alpacare.instructions.reply_json import find_objects
from alpacare.instructions.reply_text import read_blocks
from alpacare.records.label_normalisation import (
    normalise_difficulty,
    normalise_input,
    normalise_type,
)

Reason = Literal[
    "", "no_tasks", "missing_field", "bad_type", "bad_difficulty", "bad_json", "cut_off"
]
_AROUND_JSON = re.compile(r"```\w*|[\s\[\]{},]+")


@dataclass(frozen=True)
class ParsedTask:
    """One part of a reply: the `fields` of a task, or the `reason` why there are none."""

    index: int
    text: str
    fields: dict[str, Any]
    reason: Reason


@dataclass(frozen=True)
class _Piece:
    """A part before its fields are checked; `closed` if the reply's end cannot have cut it."""

    text: str
    fields: dict[str, Any]
    reason: Reason = ""
    closed: bool = False


def parse_reply(reply: str, finish_reason: str) -> list[ParsedTask]:
    """Split a reply into its tasks, in order.

    The last task of a reply that its token limit or a content filter ended is cut off and not used,
    unless it is closed JSON. Every part that looks like a task and cannot be read has a reason.
    """
    pieces = list(_pieces(reply))
    if not pieces:
        return [ParsedTask(0, reply, {}, "no_tasks")]
    if finish_reason in ("length", "content_filter") and not pieces[-1].closed:
        pieces[-1] = _Piece(pieces[-1].text, {}, "cut_off")
    return [_check(index, piece) for index, piece in enumerate(pieces)]


def _pieces(reply: str) -> Iterator[_Piece]:
    """Read JSON objects, and the text around them; after a text task JSON is text."""
    objects = find_objects(reply)
    if not objects or any(block.fields for block in read_blocks(reply[: objects[0].start])):
        yield from _text_pieces(reply)
        return
    position = 0
    for found in objects:
        yield from filter(_has_content, _text_pieces(reply[position : found.start]))
        text = reply[found.start : found.end].strip()
        yield _Piece(text, found.fields, found.reason, closed=not found.reason)
        position = found.end
    yield from filter(_has_content, _text_pieces(reply[position:]))


def _text_pieces(text: str) -> Iterator[_Piece]:
    for block in read_blocks(text):
        yield _Piece(block.text, block.fields, "cut_off" if block.unfinished else "")


def _has_content(piece: _Piece) -> bool:
    """Return whether a part between JSON objects has more than headings, brackets and fences."""
    return bool(_AROUND_JSON.sub("", piece.text))


def _check(index: int, piece: _Piece) -> ParsedTask:
    """Give the fields in canonical form, or the first reason why there are none."""
    fields = {  # escapes in JSON can hide what a reply's own text has lost
        name: repair_text(value).strip() if isinstance(value, str) else value
        for name, value in piece.fields.items()
    }
    fields["input"] = normalise_input(fields.get("input", ""))
    reason = piece.reason or _normalise(fields)
    return ParsedTask(index, piece.text, {} if reason else fields, reason)


def _normalise(fields: dict[str, Any]) -> Reason:
    if not all(fields.get(label) for label in LABELS if label != "input"):
        return "missing_field"
    fields["type"] = normalise_type(fields["type"])
    if fields["type"] is None:
        return "bad_type"
    fields["difficulty"] = normalise_difficulty(fields["difficulty"])
    return "bad_difficulty" if fields["difficulty"] is None else ""
