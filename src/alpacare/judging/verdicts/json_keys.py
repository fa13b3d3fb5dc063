"""Keys of JSON objects in judges' replies, however they are spelled; none that says two things."""

import re
from typing import Any


def plain_key(name: str) -> str:
    """Give a key in small letters, without blanks, hyphens and underscores."""
    return re.sub(r"[\s_-]+", "", name).casefold()


def by_plain_key(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs, as the hook of a JSON decoder.

    Raises:
        ValueError: a key is repeated.
    """
    values = {plain_key(name): value for name, value in pairs}
    if len(values) < len(pairs):
        raise ValueError("a key is repeated")
    return values
