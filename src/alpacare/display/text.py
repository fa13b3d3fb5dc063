"""Safe display of texts from models and files on a terminal or page."""

from collections.abc import Sequence


def name_some(things: Sequence[str], most: int = 5) -> str:
    """List the first few names and count the rest."""
    more = f" and {len(things) - most} more" if len(things) > most else ""
    return ", ".join(things[:most]) + more
