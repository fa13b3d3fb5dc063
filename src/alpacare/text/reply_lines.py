"""What the lines of a reply are: labels, headings of tasks, rules, code fences, or text."""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from alpacare.text.label_reading import LABELS, LONG, BareNumber, Label
from alpacare.text.spellings import canonical_difficulty, canonical_type

_NAMES = "|".join(LABELS)
_BULLET = r"(?:[-*+•>]\s+)?"
_NUMBER = r"(?:task\s*)?[(\[]?(?P<{}>\d{{1,3}})[.:)\]]+\s*"
# "Type: chat", "- **Type:** chat", "### 2. Type: chat", "Task 2: Type: chat"
_LABEL = re.compile(
    rf"\s*(?:#{{1,6}}\s*)?{_BULLET}(?:{_NUMBER.format('outer')})?{_BULLET}"
    rf"(?P<mark>[*_]{{0,3}})(?:{_NUMBER.format('inner')})?(?P<name>{_NAMES})"
    r"(?P<close>[*_]{0,3})\s*[:\uff1a](?P<value>.*)",  # the colon may be full-width
    re.IGNORECASE,
)
# The same inside a line; only as written in the prompt, since prose may say "the input:".
_INLINE = re.compile(
    r"(?:(?<!\S)(?:Task\s*)?\d{1,3}[.):]\s+)?[*_]{0,3}"
    rf"\b(?P<name>{'|'.join(map(str.capitalize, LABELS))})[*_]{{0,3}}:"
)
# "### Task 3: heart failure", "## Task", "**Task 3**", "Task 3:"
_TASK = re.compile(
    r"\s*(?P<hash>#{1,6}\s*)?(?P<mark>[*_]{0,3})"
    r"task(?:\s*(?:no\.?\s*|number\s*|#\s*)?(?P<number>\d+)\b)?(?P<rest>.*)",
    re.IGNORECASE,
)
# "### 3.", "Example 4", "**3.**", "(3)", "3. Heart failure": a heading only where labels follow
_NUMBERED = re.compile(
    r"\s*(?P<named>#{1,6}\s*|(?=[*_]{0,3}(?:task|example)\s))?[*_(\[]{0,4}"
    r"(?:(?:task|example)\s*)?(?P<number>\d{1,3})(?P<end>[.:)\]*_]+|\b)(?P<title>\s+\S.*)?\s*",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*([-*_=])(?:\s*\1){2,}\s*")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})(?:\s*[\w-]+)?\s*")


def split_lines(reply: str) -> list[str]:
    """Split a reply into lines; a task that stands in one line becomes one line a field."""
    plain = reply.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return [part for line in plain.split("\n") for part in _unfold(line)]


def _unfold(line: str) -> Iterator[str]:
    """Cut a line before each label of a whole task: all six, in order, with a valid type."""
    found = list(_INLINE.finditer(line)) if line.count(":") >= len(LABELS) else []
    start = 0
    for position in range(len(found) - len(LABELS) + 1):
        run = found[position : position + len(LABELS)]
        if run[0].start() >= start and _is_task(line, run):
            for label in run:
                if line[start : label.start()].strip():
                    yield line[start : label.start()].rstrip(" |")
                start = label.start()
    yield line[start:]


def _is_task(line: str, run: Sequence[re.Match[str]]) -> bool:
    ends = [label.start() for label in run[1:]]
    values = {
        label["name"].lower(): line[label.end() : end].strip(" *_|")
        for label, end in zip(run, ends, strict=False)
    }
    return (
        (*values, run[-1]["name"].lower()) == LABELS
        and canonical_type(values["type"]) is not None
        and canonical_difficulty(values["difficulty"]) is not None
    )


def is_blank(line: str) -> bool:
    """Say whether a line holds nothing, or is a rule such as "---"."""
    return not line.strip() or bool(_RULE.fullmatch(line))


def is_fence(line: str) -> bool:
    """Say whether a line opens or closes a block of code."""
    return bool(_FENCE.fullmatch(line))


def find_labels(lines: Sequence[str]) -> list[Label]:
    """Find the lines that begin with a label."""
    found: list[Label] = []
    above = -1  # the last line with text
    for place, line in enumerate(lines):
        match = _LABEL.match(line)
        if match:
            digits = match["outer"] or match["inner"]
            name, value = match["name"].lower(), _value(match)
            below = list(takewhile(_is_text, lines[place + 1 : place + 3]))
            label = Label(
                line=place,
                name=name,
                value=value,
                apart=bool(found) and above < place - 1,
                plausible=_is_plausible(name, [value, *below] if value.strip() else below),
                number=int(digits) if digits else None,
                above=_bare_number(above, lines[above]) if above >= 0 else None,
            )
            found.append(label)
        if not is_blank(line) and not is_fence(line):
            above = place
    return found


def _bare_number(place: int, line: str) -> BareNumber | None:
    match = _NUMBERED.fullmatch(line)
    if not match or match["named"] is not None or not match["end"] or _LABEL.match(line):
        return None
    return BareNumber(place, int(match["number"]), match["title"] is not None)


def _is_plausible(name: str, text: Sequence[str]) -> bool:
    """Say whether a field can be what its name promises, by the first lines of its text."""
    if name == "type":
        return canonical_type("".join(text[:1])) is not None
    if name == "difficulty":
        return canonical_difficulty("".join(text[:1]).strip(" *_`\"'")) is not None
    return name in LONG or len(text) <= 1


def _is_text(line: str) -> bool:
    mark = is_blank(line) or is_fence(line) or _is_task_heading(line) or _LABEL.match(line)
    number = _NUMBERED.fullmatch(line)
    return not mark and not (number and (number["named"] is not None or number["end"]))


def _value(match: re.Match[str]) -> str:
    """Take the emphasis that closes behind the label, "**Type:** chat", off the value."""
    value, mark = match["value"], match["mark"]
    if not mark or match["close"]:
        return value
    if value.startswith(mark):
        return value.removeprefix(mark)
    return value.rstrip().removesuffix(mark)


def find_headings(lines: Sequence[str], labels: Sequence[Label]) -> dict[int, bool]:
    """Find the lines at which a task begins; True for those that are nothing but a heading."""
    labelled = {label.line for label in labels}
    headings = {label.line: False for label in _counted(labels)}
    above = -1
    for place, line in enumerate(lines):
        if place in labelled:
            match = _NUMBERED.fullmatch(lines[above]) if above >= 0 else None
            if match and match["named"] is not None:
                headings[above] = True
        elif _is_task_heading(line):
            headings[place] = True
        if not is_blank(line) and not is_fence(line):
            above = place if place not in labelled else -1
    return headings


def _is_task_heading(line: str) -> bool:
    match = _TASK.fullmatch(line)
    if not match:
        return False
    rest, mark = match["rest"].rstrip(" :"), match["mark"]
    alone = not rest.strip(" .)*_")
    if match["number"]:
        bold = mark and rest.endswith(mark) and rest.count(mark) == 1
        return bool(match["hash"] or bold or alone)
    return bool(match["hash"] and alone)


def _counted(labels: Sequence[Label]) -> Iterator[Label]:
    """Give the labels that count the tasks: "1. Type: chat", then "2. Type: open QA"."""
    expected = labels[0].number if labels else None
    for label in labels:
        if expected is not None and (label.name, label.number) == (labels[0].name, expected):
            yield label
            expected += 1


def counting_lines(starts: Sequence[Label]) -> dict[int, int]:
    """Choose the bare numbers above tasks that count them, and are not the end of a list or a sum.

    `starts` are the first labels of the tasks. The numbers count if the first task has one, or
    if two or more follow each other (where the prompt gave the first task's number). Gives the
    number's line by that of the label.
    """
    numbered = [(label.line, label.above) for label in starts if label.above]
    if not numbered:
        return {}
    first = numbered[0][1]
    if starts[0].above:
        chosen, last = {}, first.number
        for line, above in numbered:
            if 0 <= above.number - last <= 1 and above.titled == first.titled:
                chosen[line], last = above.line, above.number
        return chosen
    alike = all(
        above == (above.line, first.number + i, False) for i, (_, above) in enumerate(numbered)
    )
    return {line: above.line for line, above in numbered} if alike and len(numbered) > 1 else {}
