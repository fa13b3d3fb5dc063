"""Texts of others on a terminal or page: nothing in them acts on it."""

import re
from collections.abc import Sequence

# Terminals obey control characters, and marks that turn the direction of writing hide text.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Show control characters as their escapes, so that no text can act on a terminal or page."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def name_some(things: Sequence[str], most: int = 5) -> str:
    """Name the first few of many things."""
    more = f" and {len(things) - most} more" if len(things) > most else ""
    return ", ".join(things[:most]) + more
