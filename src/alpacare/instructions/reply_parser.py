"""From a teacher's reply to tasks, and to reasons for what could not be read.

A reply is JSON or text, in many shapes: reply_json and reply_text find the tasks in it, and this
module checks their fields.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from alpacare.instructions.label_reader import LABELS
from alpacare.instructions.reply_json import find_objects
from alpacare.instructions.reply_text import read_text
from alpacare.records.labels import canonical_difficulty, canonical_type, without_placeholder

Reason = Literal[
    "", "no_tasks", "missing_field", "bad_type", "bad_difficulty", "bad_json", "cut_off"
]
# What a reasoning model writes first; its server may have taken "<think>" off.
_THOUGHTS = re.compile(r"\A\s*<think>.*?(?:</think>|\Z)|\A.*?^</think>$", re.DOTALL | re.MULTILINE)
_AROUND_JSON = re.compile(r"```\w*|[\s\[\]{},]+")


@dataclass(frozen=True)
class Parsed:
    """One block of a reply: `fields` of a task, or the `reason` why there is none."""

    index: int
    text: str
    fields: dict[str, Any]
    reason: Reason


@dataclass(frozen=True)
class _Piece:
    """A block before its fields are checked; `closed` if the reply's end cannot have cut it."""

    text: str
    fields: dict[str, Any]
    reason: Reason = ""
    closed: bool = False


def parse_reply(reply: str, finish_reason: str) -> list[Parsed]:
    """Split a reply into its tasks, in order.

    The last task of a reply that ended by `finish_reason` "length" is cut off and not used, unless
    it is JSON that was closed. Every part that looks like a task and cannot be read has a reason.
    """
    pieces = list(_pieces(_THOUGHTS.sub("", reply)))
    if not pieces:
        return [Parsed(0, reply, {}, "no_tasks")]
    if finish_reason == "length" and not pieces[-1].closed:
        pieces[-1] = _Piece(pieces[-1].text, {}, "cut_off")
    return [_check(index, piece) for index, piece in enumerate(pieces)]


def _pieces(reply: str) -> Iterator[_Piece]:
    """Read JSON objects, and what stands around them as text; below a text task JSON is text."""
    objects = find_objects(reply)
    if not objects or any(block.fields for block in read_text(reply[: objects[0].start])):
        yield from _text_pieces(reply)
        return
    place = 0
    for found in objects:
        yield from filter(_says_something, _text_pieces(reply[place : found.start]))
        text = reply[found.start : found.end].strip()
        yield _Piece(text, found.fields, found.reason, closed=not found.reason)
        place = found.end
    yield from filter(_says_something, _text_pieces(reply[place:]))


def _text_pieces(text: str) -> Iterator[_Piece]:
    for block in read_text(text):
        yield _Piece(block.text, block.fields, "cut_off" if block.unfinished else "")


def _says_something(piece: _Piece) -> bool:
    """Say whether there is more between JSON objects than headings, brackets and fences."""
    return bool(_AROUND_JSON.sub("", piece.text))


def _check(index: int, piece: _Piece) -> Parsed:
    """Give the fields their canonical form, or the first reason why there are none."""
    fields = {**piece.fields, "input": without_placeholder(piece.fields.get("input", ""))}
    if piece.reason:
        return Parsed(index, piece.text, {}, piece.reason)
    if not all(fields.get(label) for label in LABELS if label != "input"):
        return Parsed(index, piece.text, {}, "missing_field")
    fields["type"] = canonical_type(fields["type"])
    if fields["type"] is None:
        return Parsed(index, piece.text, {}, "bad_type")
    fields["difficulty"] = canonical_difficulty(fields["difficulty"])
    if fields["difficulty"] is None:
        return Parsed(index, piece.text, {}, "bad_difficulty")
    return Parsed(index, piece.text, fields, "")
