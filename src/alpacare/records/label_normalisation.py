"""Label normalisation: types, difficulties and "no input", which people write in many ways."""

import html
import re

from alpacare.records.task import TaskType

# "3", "3/5", "**Level 3**", "3 - practical advice"; but not "-3", "1.5", "2-3", "2 or 3", "3 of 10"
_DIFFICULTY = re.compile(
    r"[^a-z0-9-]*(?:level\W+)?([1-5])(?:\.0)?(?:\s*(?:/|(?:out )?of )\s*5)?"
    r"(?:\W+(?!(?:to|or|and|of|out)\b)[a-z].*)?[\W_]*"
)
# Published seeds and teachers write the ten types in dozens of ways; the first match decides.
_TYPE_WORDS: tuple[tuple[str, TaskType], ...] = (
    ("usmle", "USMLE-style QA"),
    ("multiple choice|mcq", "multiple-choice QA"),
    ("single hop", "single-hop reasoning"),
    ("multi(ple)? hop", "multi-hop reasoning"),
    ("summar", "summarization"),
    ("classif", "classification"),
    ("rewrit", "rewriting"),
    ("chat", "chat"),
    ("generation", "text generation"),
    ("open", "open QA"),
)
_WRAPPING = "\"'`*<>[](){}.\u201c\u201d\u2018\u2019"  # with curly quotes
# "<noinput>" and any text after it; "None", "N/A (no input needed)", "No additional input"; "nan"
# is what pandas writes for an empty cell
_NO_INPUT = re.compile(
    r"[^\w<]*<\s*no[\s_-]?input\b.*"
    r"|(?:n/?a|nan|none|null|empty|not applicable|no ?(?:additional |further )?input)"
    r"(?: (?:needed|required|provided|necessary))?(?: \([^()]*)?",
    re.IGNORECASE | re.DOTALL,
)


_EMPTY = re.compile(r'[\u2013\u2014-]?|""')


def normalise_input(text: str) -> str:
    """Turn every way of writing "no input" into the empty string; a dash alone is one, and "".

    Other marks alone are material: a sign to name, Morse code, a pattern to print.
    """
    text = text.strip()
    plain = html.unescape(text) if "&" in text else text  # &lt;noinput&gt;
    bare = re.sub(r"[\s_\u2013\u2014-]+", " ", plain).strip(_WRAPPING + " ")
    none = _EMPTY.fullmatch(text) or _NO_INPUT.fullmatch(plain) or _NO_INPUT.fullmatch(bare)
    return "" if none else text


def normalise_type(text: str) -> TaskType | None:
    """Map a written task type to one of the ten, or None."""
    words = re.sub(r"[^a-z]+", " ", text.lower())
    return next((name for word, name in _TYPE_WORDS if re.search(word, words)), None)


def normalise_difficulty(value: object) -> int | None:
    """Read a difficulty 1-5 given as a number or as text: 3, "3/5", "Level 3", "3 (practical)"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = _DIFFICULTY.fullmatch(str(value).strip().lower())
    return int(match[1]) if match else None
