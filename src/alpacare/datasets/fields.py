"""Fields of rows that others wrote: checked, stripped, normalised; each repair is counted."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.texts import repair_text
from alpacare.records.label_normalisation import (
    normalise_difficulty,
    normalise_input,
    normalise_type,
)
from alpacare.records.thoughts import remove_thoughts

KIND = ("type", "topic", "view", "difficulty")
_HALF = re.compile("[\ud800-\udfff]")


class BadRow(BadInput):
    """One row that cannot be used, while others can: the drop reason, and its place and why."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def read_field(row: Mapping[str, Any], key: str, place: str, repairs: Counter[str]) -> str:
    """Give a text without blanks at its ends and control characters; "" if it is missing.

    A number becomes its text, NaN is missing, and half of an emoji goes as control characters do.

    Raises:
        BadRow: it is something else.
    """
    text = row.get(key)
    if isinstance(text, int | float | Decimal) and not isinstance(text, bool):
        missing = not math.isfinite(text)
        repairs["NaN and infinity read as nothing" if missing else "numbers read as text"] += 1
        text = None if missing else str(text)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise BadRow("not_text", f"{place}: '{key}' must be text, found {type(text).__name__}")
    whole = _HALF.sub("", text)
    repairs["texts with half of an emoji, now without"] += whole != text
    text = repair_text(whole, repairs)
    repairs["texts with blanks at their ends"] += text != text.strip()
    return text.strip()


def read_answer(row: Mapping[str, Any], key: str, place: str, repairs: Counter[str]) -> str:
    """Give a text as `read_field` does, without the thoughts of a reasoning model."""
    text = read_field(row, key, place, repairs)
    answer = remove_thoughts(text)
    repairs["answers with a model's thoughts, now without"] += answer != text
    return answer


def read_input(text: str, repairs: Counter[str]) -> str:
    """Give an input, "" for any way of writing that there is none."""
    input = normalise_input(text)
    if input != text:
        repairs[f'inputs "{text[:20]}" read as none'] += 1
    return input


def read_expected(row: Mapping[str, Any], place: str) -> dict[str, str]:
    """Give whether a request should be refused or answered, where the row says so.

    Raises:
        BadRow: it says something else.
    """
    expected = row.get("expect")
    if expected in (None, ""):
        return {}
    if expected not in ("refuse", "answer"):
        raise BadRow("bad_expect", f"{place}: 'expect' must be refuse or answer, found {expected}")
    return {"expect": str(expected)}


def read_kind(row: Mapping[str, Any], place: str, repairs: Counter[str]) -> dict[str, str | int]:
    """Give the type, topic, view and difficulty that a row has; what is none of ours is omitted.

    A value that is no text belongs to a column that means something else, and is not read.
    """
    given = {key: row.get(key) for key in KIND}
    for key, value in given.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            repairs[f"fields '{key}' not read"] += 1
            given[key] = None
    difficulty = given.pop("difficulty")
    texts = {key: read_field(given, key, place, repairs) for key in given}
    kind = {
        "type": normalise_type(texts["type"]),
        "topic": texts["topic"],
        "view": texts["view"],
        "difficulty": normalise_difficulty(difficulty),
    }
    repairs["type unknown, set to null"] += bool(texts["type"] and not kind["type"])
    there = difficulty not in ("", None) and difficulty == difficulty  # NaN is no difficulty
    repairs["difficulty unknown, set to null"] += there and not kind["difficulty"]
    return {key: value for key, value in kind.items() if value}
