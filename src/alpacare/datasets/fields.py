"""Fields of rows that others wrote: checked, stripped, normalised; each repair is counted."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.texts import repair_text
from alpacare.records.label_normalisation import normalise_difficulty, normalise_type


def read_field(row: Mapping[str, Any], key: str, place: str, repairs: Counter[str]) -> str:
    """Give a text without blanks at its ends and control characters; "" if it is missing.

    Raises:
        BadInput: it is not text.
    """
    text = row.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise BadInput(f"{place}: '{key}' must be text, found {type(text).__name__}")
    text = repair_text(text, repairs)
    repairs["texts with blanks at their ends"] += text != text.strip()
    return text.strip()


def normalise_kind(fields: Mapping[str, Any], repairs: Counter[str]) -> dict[str, str | int]:
    """Normalise type, topic, view and difficulty; an unknown type or difficulty is omitted."""
    kind = {
        "type": normalise_type(fields["type"]),
        "topic": fields["topic"],
        "view": fields["view"],
        "difficulty": normalise_difficulty(fields["difficulty"]),
    }
    for key in ("type", "difficulty"):
        repairs[f"{key} unknown, set to null"] += fields[key] not in ("", None) and not kind[key]
    return {key: value for key, value in kind.items() if value}
