"""Safe display of texts from models and files on a terminal or page."""

import re
from collections.abc import Sequence

# Terminals obey control characters; marks that change text direction can hide text.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def escape_controls(text: str) -> str:
    """Escape control characters, so that no text can act on a terminal or page."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def name_some(things: Sequence[str], most: int = 5) -> str:
    """List the first few names and count the rest."""
    more = f" and {len(things) - most} more" if len(things) > most else ""
    return ", ".join(things[:most]) + more
