"""From a teacher's reply to tasks, and to reasons for what could not be read.

A reply is a list of blocks that each begin with a heading such as `### Task 3` or `### 3.`; inside
a block, a label at the start of a line opens a field, and every following line belongs to it.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from alpacare.records.task import TaskType

LABELS = ("type", "topic", "view", "difficulty", "instruction", "input")
# Other headings are text: an input may hold "## Findings".
_HEADING = re.compile(r"^[ \t]*#{2,}[ \t]*(?:task\b|\d)[^\n]*$", re.MULTILINE | re.IGNORECASE)
_LABEL = re.compile(
    rf"^[ \t]*(?:\*\*)?({'|'.join(LABELS)})(?:\*\*)?[ \t]*:(?:\*\*)?[ \t]*",
    re.MULTILINE | re.IGNORECASE,
)
_DIFFICULTY = re.compile(r"(?:level )?([1-5])(?:\.0|\s*/\s*5|\s*[-:(\s]\s*[a-z].*)?")
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


@dataclass(frozen=True)
class Parsed:
    """One block of a reply: `fields` of a task, or the `reason` why there is none."""

    index: int
    text: str
    fields: dict[str, Any]
    reason: Literal[
        "", "no_tasks", "merged_tasks", "missing_field", "bad_type", "bad_difficulty", "cut_off"
    ]


def parse_reply(reply: str, finish_reason: str) -> list[Parsed]:
    """Split a reply into its tasks, in order.

    The last task of a reply that ended by `finish_reason` "length" is cut off and not used.
    """
    opening, *blocks = [block.strip() for block in _HEADING.split(reply)]
    if _LABEL.search(opening):  # a first task without a heading, and no mere "Here are six tasks:"
        blocks.insert(0, opening)
    if not blocks:
        return [Parsed(0, reply, {}, "no_tasks")]
    parsed = [_parse_block(index, block) for index, block in enumerate(blocks)]
    if finish_reason == "length":
        parsed[-1] = Parsed(parsed[-1].index, parsed[-1].text, {}, "cut_off")
    return parsed


def _parse_block(index: int, block: str) -> Parsed:
    found = Counter(label.lower() for label in _LABEL.findall(block))
    if all(found[label] > 1 for label in LABELS):
        return Parsed(index, block, {}, "merged_tasks")
    fields: dict[str, Any] = _split_fields(block)
    fields["input"] = without_placeholder(fields.get("input", ""))
    if not all(fields.get(label) for label in LABELS if label != "input"):
        return Parsed(index, block, {}, "missing_field")
    fields["type"] = canonical_type(fields["type"])
    if fields["type"] is None:
        return Parsed(index, block, {}, "bad_type")
    fields["difficulty"] = canonical_difficulty(fields["difficulty"])
    if fields["difficulty"] is None:
        return Parsed(index, block, {}, "bad_difficulty")
    return Parsed(index, block, fields, "")


def _split_fields(block: str) -> dict[str, str]:
    """Cut a block at its labels; a label met before is text ("View: PA" in a radiology report)."""
    opened: dict[str, re.Match[str]] = {}
    for match in _LABEL.finditer(block):
        opened.setdefault(match[1].lower(), match)
    starts = [match.start() for match in opened.values()]
    return {
        label: block[match.end() : end].strip()
        for (label, match), end in zip(opened.items(), [*starts[1:], len(block)], strict=False)
    }


def without_placeholder(text: str) -> str:
    """Turn the ways of writing "no input" into the empty string."""
    bare = text.strip().strip("\"'<>[]().").replace(" ", "").lower()
    return "" if bare in {"noinput", "n/a", "na", "none", ""} else text.strip()


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
