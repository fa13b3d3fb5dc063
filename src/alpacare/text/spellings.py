"""One spelling for what people and teachers write in many: types, difficulties, "no input"."""

import re

from alpacare.records.task import TaskType

_DIFFICULTY = re.compile(r"(?:level )?([1-5])(?:\.0|\s*/\s*5|(?:\s*[-:(]\s*|\s+)[a-z].*)?")
# Published seeds and teachers spell the ten types in dozens of ways; the first match decides.
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
_PLACEHOLDERS = {
    "noinput",
    "noinputneeded",
    "noinputrequired",
    "notapplicable",
    "n/a",
    "na",
    "none",
}


def without_placeholder(text: str) -> str:
    """Turn the ways of writing "no input" into the empty string."""
    bare = re.sub(r"[\s_-]+", "", text).strip(_WRAPPING).lower()
    return "" if bare in _PLACEHOLDERS or not bare else text.strip()


def canonical_type(text: str) -> TaskType | None:
    """Map any spelling of a task type to one of the ten, or None."""
    words = re.sub(r"[^a-z]+", " ", text.lower())
    return next((name for word, name in _TYPE_WORDS if re.search(word, words)), None)


def canonical_difficulty(value: object) -> int | None:
    """Read a difficulty 1-5 given as a number or as text: 3, "3/5", "Level 3", "3 (practical)"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = _DIFFICULTY.fullmatch(str(value).strip().lower())
    return int(match[1]) if match else None
