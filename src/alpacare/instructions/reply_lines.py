"""Classifies the lines of a reply: labels, headings of tasks, rules, code fences, or text."""

import re
from collections.abc import Iterator, Sequence

from alpacare.instructions.label_reader import LABELS, Heading, Label
from alpacare.records.label_normalisation import normalise_difficulty, normalise_type

_NAMES = "|".join(LABELS)
_BULLET = r"(?:[-*+•>]\s+)?"
_NUMBER = r"(?:task\s*)?[(\[]?(?P<{}>\d{{1,3}})[.:)\]]+\s*"
# "Type: chat", "- **Type:** chat", "### 2. Type: chat", "Task 2: Type: chat", "View (who): nurse";
# without a colon "#### Type" and "**Type**"; the colon may be full-width
_LABEL = re.compile(
    rf"\s*(?P<hash>#{{1,6}}\s*)?{_BULLET}(?:{_NUMBER.format('outer')})?{_BULLET}"
    rf"(?P<mark>[*_]{{1,3}})?(?:{_NUMBER.format('inner')})?(?P<name>{_NAMES})"
    r"(?:\s(?:level|\([^()]{1,20}\)))?(?P<close>[*_]{0,3})\s*"
    r"(?:[:\uff1a](?P<value>.*)|(?(hash)$|(?(mark)$|(?!))))",
    re.IGNORECASE,
)
# The same inside a line; only as written in the prompt, since prose may say "the input:".
_INLINE = re.compile(
    r"(?:(?<!\S)(?:Task\s*)?\d{1,3}[.):]\s+)?[*_]{0,3}"
    rf"\b(?P<name>{'|'.join(map(str.capitalize, LABELS))})[*_]{{0,3}}:"
)
_SHORTEST_RUN = LABELS.index("difficulty") + 1
# "### Task 3: heart failure", "## Task", "**Task 3**", "Task 3:"
_TASK = re.compile(
    r"\s*(?P<hash>#{1,6}\s*)?(?P<mark>[*_]{0,3})"
    r"task(?:\s*(?:no\.?\s*|number\s*|#\s*)?(?P<number>\d+)\b)?(?P<rest>.*)",
    re.IGNORECASE,
)
# "### 3.", "Example 4", "**3.**", "(3)", "3. Heart failure": a heading only where labels follow
_NUMBERED = re.compile(
    r"\s*(?P<hash>#{1,6}\s*)?[*_(\[]{0,4}"
    r"(?:(?:task|example)\s*)?(?P<number>\d{1,3})(?P<end>[.:)\]*_]+|\b)(?P<title>\s+\S.*)?\s*",
    re.IGNORECASE,
)
# "### Chest pain", "**Chest pain**", "=== Task 3 ===": a heading only if the first task has one too
_TITLE = re.compile(r"\s*(?P<mark>#{1,6}(?=\s)|\*\*(?=.*\*\*\s*$)|==(?=.*==\s*$)).*")
_RULE = re.compile(r"\s*([-*_=#])(?:\s*\1){2,}\s*")  # "---", "* * *", "###"
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})(?:\s*[\w-]+)?\s*")


def split_lines(reply: str) -> list[str]:
    """Split a reply into lines; a task on one line gets one line for each field."""
    lines = reply.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [part for line in lines for part in _split_at_labels(line)]


def _split_at_labels(line: str) -> Iterator[str]:
    """Split a line before a task's labels: at least the first four, in order, and plausible."""
    found = list(_INLINE.finditer(line)) if line.count(":") >= _SHORTEST_RUN else []
    start = 0
    for position in range(len(found) - _SHORTEST_RUN + 1):
        run = found[position : position + len(LABELS)]
        named = [label["name"].lower() == name for label, name in zip(run, LABELS, strict=False)]
        run = run[: [*named, False].index(False)]
        ends = [*(label.start() for label in run[1:]), len(line)]
        values = [line[label.end() : end] for label, end in zip(run, ends, strict=False)]
        long = len(run) >= _SHORTEST_RUN and run[0].start() >= start
        if long and all(map(_is_plausible, LABELS, values)):
            for label in run:
                if line[start : label.start()].strip():
                    yield line[start : label.start()].rstrip(" |")
                start = label.start()
    yield line[start:]


def is_blank(line: str) -> bool:
    """Return whether a line is empty, or a rule such as "---"."""
    return not line.strip() or bool(_RULE.fullmatch(line))


def is_fence(line: str) -> bool:
    """Return whether a line opens or closes a block of code."""
    return bool(_FENCE.fullmatch(line))


def find_labels(lines: Sequence[str]) -> list[Label]:
    """Find the lines that begin with a label."""
    found: list[Label] = []
    above = -1  # the last line with text
    for place, line in enumerate(lines):
        match = _LABEL.match(line)
        if match:
            heading = _heading_above(above, lines[above]) if above >= 0 else None
            after_blank = bool(found) and above < place - 1
            found.append(_label(match, place, lines[place + 1 : place + 3], after_blank, heading))
        if not is_blank(line) and not is_fence(line):
            above = place
    return found


def _label(
    match: re.Match[str], place: int, below: Sequence[str], after_blank: bool, above: Heading | None
) -> Label:
    name, value = match["name"].lower(), _value(match)
    number = "number" if match["outer"] or match["inner"] else ""
    return Label(
        line=place,
        name=name,
        value=value,
        after_blank=after_blank,
        plausible=_is_plausible(name, value.strip() or next(filter(str.strip, below), "")),
        column=match.start("name") - len(match["mark"] or ""),
        mark=above.kind if above else number,
        above=above,
    )


def _heading_above(place: int, line: str) -> Heading | None:
    if _LABEL.match(line):
        return None
    number = _NUMBERED.fullmatch(line)
    if number and number["hash"]:
        return Heading(place, "# number")
    if number and number["end"]:
        return Heading(place, ("title" if number["title"] else "digits") + number["end"])
    title = _TITLE.fullmatch(line)
    return Heading(place, title["mark"]) if title else None


def _is_plausible(name: str, value: str) -> bool:
    """Return whether a field's value fits its name, by the first line of its text."""
    if name == "type":
        return normalise_type(value) is not None
    return name != "difficulty" or normalise_difficulty(value) is not None


def _value(match: re.Match[str]) -> str:
    """Remove emphasis that closes after the label, as in "**Type:** chat", from the value."""
    value, mark = match["value"] or "", match["mark"]
    if not mark or match["close"]:
        return value
    if value.startswith(mark):
        return value.removeprefix(mark)
    return value.rstrip().removesuffix(mark)


def find_headings(lines: Sequence[str], labels: Sequence[Label]) -> list[int]:
    """Find the lines that are the heading of a task."""
    labelled = {label.line for label in labels}
    numbered = {
        label.above.line for label in labels if label.above and label.above.kind == "# number"
    }
    return [
        place
        for place, line in enumerate(lines)
        if place in numbered or (place not in labelled and _is_task_heading(line))
    ]


def _is_task_heading(line: str) -> bool:
    match = _TASK.fullmatch(line)
    if not match:
        return False
    rest, mark = match["rest"].rstrip(" :"), match["mark"]
    only_task = not rest.strip(" .)*_")
    if match["number"]:
        bold = mark and rest.endswith(mark) and rest.count(mark) == 1
        return bool(match["hash"] or bold or only_task)
    return bool(match["hash"] and only_task)


def heading_lines(starts: Sequence[Label]) -> dict[int, int]:
    """Choose the headings among the lines above tasks: those like the one above the first task.

    `starts` are the first labels of the tasks. Returns the heading's line by the label's.
    """
    return {
        label.line: label.above.line
        for label in starts
        if label.above and starts[0].above and label.above.kind == starts[0].above.kind
    }
