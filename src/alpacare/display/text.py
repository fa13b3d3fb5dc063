"""Safe display of texts from models and files on a terminal or page."""

import textwrap
from collections.abc import Sequence

WIDTH = 80  # columns of a terminal


def name_some(things: Sequence[str], most: int = 5) -> str:
    """List the first few names and count the rest."""
    more = f" and {len(things) - most} more" if len(things) > most else ""
    return ", ".join(things[:most]) + more


def wrapped(line: str, indent: str = "") -> str:
    """Break a line at blanks, for 80 columns; `indent` begins all but the first."""
    return textwrap.fill(
        line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
