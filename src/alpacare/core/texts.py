"""One rule for every text that comes in, from people, servers and files.

Control characters mean nothing to a model and act on terminals, so they are taken out; a text that
shows nothing is empty; two texts that Unicode calls the same (NFC) are the same. All else stays as
it came, so that a clean text keeps its bytes, and joiners inside words and emoji stay.
"""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

# A terminal's commands, such as ESC[31m, go whole. White space is text: tabs, all line breaks.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f](?:(?<=\x1b)\\[[0-?]*[ -/]*[@-~])?")
# Unicode's Default_Ignorable_Code_Point, and what has a width but no ink
_NOTHING = re.compile(
    "[\\s\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]*"
)

# What acts on a terminal, and marks of direction that can hide text
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shows_nothing(text: str) -> bool:
    """Whether a text has blanks, zero-width and other invisible characters only."""
    return _NOTHING.fullmatch(text) is not None


def repair_text(text: str, repairs: Counter[str] | None = None) -> str:
    """Take control characters out; give "" for a text of invisible characters.

    `repairs` counts what was done. A C1 control is what Windows-1252 has in its place (WHATWG
    Encoding: who says Latin-1 means that), so "patient\\x92s" keeps its apostrophe.
    """
    repaired = _CONTROL.sub(_replace, text)
    empty = bool(repaired.strip()) and shows_nothing(repaired)
    if repairs is not None:
        repairs["texts with control characters, now without"] += repaired != text
        repairs["texts of invisible characters, read as empty"] += empty
    return "" if empty else repaired


def _replace(found: re.Match[str]) -> str:
    control = found[0]
    if control < "\x80":
        return " " if control.isspace() else ""  # separators of files, groups, records and units
    return control.encode("latin-1").decode("cp1252", "ignore")


def escape_controls(text: str) -> str:
    """Escape control characters, so that no text can act on a terminal or page."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def counted(number: int, thing: str, things: str = "") -> str:
    """Write a number of things: "1 reply" (counted(1, "reply", "replies")), "2,000 rows"."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def near_names(name: str, known: Iterable[str], others: str = "there are") -> str:
    """Say which of the known names a misspelt one may be, or else which ones there are."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"{others}: {', '.join(names) or 'none'}"


def comparable(text: str) -> str:
    """Give the form in which two texts are compared: NFC, so that a decomposed e-acute is one."""
    return unicodedata.normalize("NFC", text)
