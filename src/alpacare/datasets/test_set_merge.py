"""Published files of one test set, in any form, joined by question into test tasks of ours.

What positions and ids say is not trusted: published ids have gaps, and files have other orders.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.datasets.test_set_rows import Published, read_row, split_rows
from alpacare.records.task import TestTask, row_id


@dataclass(frozen=True)
class PublishedFile:
    """A file's text, where it is from, and who gave the answers that it does not sign."""

    place: str
    text: str
    who: str | None = None


@dataclass(frozen=True)
class TestSet:
    """Tasks with the answers of all who answered every one of them.

    `missing`: who is left out, and how many answers they lack; `mended`: what was repaired or not
    read, and how often; `asked`: the questions as published, repeated ones too.
    """

    __test__ = False  # pytest: not a test class
    tasks: list[TestTask]
    answerers: list[str]
    missing: dict[str, int]
    mended: Counter[str]
    asked: int


@dataclass
class _Task:
    """One question, and what the files say to it."""

    row: Published
    answers: dict[str, str] = field(default_factory=dict)
    kind: dict[str, str | int] = field(default_factory=dict)


def merge(sources: Sequence[PublishedFile]) -> TestSet:
    """Join files by question; the first file with questions says which, and in what order.

    Raises:
        BadInput: no questions, a row of unknown form, an answer that nobody signs, or two answers
            of one name to one question.
    """
    mended: Counter[str] = Counter()
    files = _fill([_read(source, mended) for source in sources], mended)
    asking = next((own for rows in files if (own := [row for row in rows if row.instruction])), [])
    if not asking:
        places = ", ".join(source.place for source in sources)
        raise BadInput(f"{places}: no questions; name a file that has 'instruction' too")
    tasks: dict[str, _Task] = {}
    for row in asking:
        tasks.setdefault(row.text, _Task(row))
    for rows in files:
        _take(rows, tasks, mended)
    return _finish(files, list(tasks.values()), mended, len(asking))


def _read(source: PublishedFile, mended: Counter[str]) -> list[Published]:
    values = split_rows(source.text, source.place)
    rows = [read_row(value, place, source.who, mended) for place, value in values]
    if source.who and not any(source.who in row.answers for row in rows):
        raise BadInput(
            f"{source.place}: has no 'output' or 'response' of {source.who}; name the file alone"
        )
    return rows


def _fill(files: list[list[Published]], mended: Counter[str]) -> list[list[Published]]:
    """Give an instruction to rows that have an input alone.

    It is what stands before that input where another file holds it inside more text, if that is
    always the same; otherwise the input is the instruction.
    """
    bare = [row for rows in files for row in rows if row.input and not row.instruction]
    if not bare:
        return files
    lead = _lead(files, {row.text for row in bare})
    mended[f"empty instructions: {lead or 'the input is the instruction'}"] = len(bare)
    return [[_filled(row, lead) for row in rows] for rows in files]


def _filled(row: Published, lead: str) -> Published:
    if row.instruction or not row.input:
        return row
    if lead:
        return replace(row, instruction=lead)
    return replace(row, instruction=row.input, input="")


def _lead(files: list[list[Published]], questions: Collection[str]) -> str:
    """Find what all texts that end in a question say before it."""
    texts = [row.text for rows in files for row in rows if row.instruction or row.prompt]
    leads = {lead for lead, question in map(partial(_split, questions), texts) if question}
    return leads.pop() if len(leads) == 1 else ""


def _split(questions: Collection[str], text: str) -> tuple[str, str]:
    """Part a prompt into what stands before the longest question that it ends in, and that."""
    text = text.removeprefix("Human:").removesuffix("Assistant:").strip()
    ends = (q for q in questions if text == q or text.endswith(f" {q}"))
    question = max(ends, key=len, default="")
    return text.removesuffix(question).strip(), question


def _held(prompts: Sequence[str], questions: Collection[str]) -> list[str | None]:
    """Give the question in each prompt; None where another holds it too, or where what stands
    before it is not what stands before most: then it is the end of a longer question.
    """
    parts = [_split(questions, prompt) for prompt in prompts]
    ((usual, _),) = Counter(lead for lead, _ in parts).most_common(1) or [("", 0)]
    times = Counter(question for lead, question in parts if lead == usual)
    return [q if lead == usual and times[q] == 1 else None for lead, q in parts]


def _take(rows: list[Published], tasks: dict[str, _Task], mended: Counter[str]) -> None:
    """Put what one file says to the questions it is about."""
    prompts = [row.text for row in rows if not row.instruction]
    held = dict(zip(prompts, _held(prompts, tasks), strict=True))
    seen: set[str] = set()
    for row in rows:
        question = row.text if row.instruction else held[row.text]
        if question not in tasks:
            mended["rows left out that answer none of the questions, or not one alone"] += 1
        elif question in seen:
            mended["rows left out whose question stood before"] += 1
        else:
            seen.add(question)
            _add(row, tasks[question], mended)


def _add(row: Published, task: _Task, mended: Counter[str]) -> None:
    for who, answer in row.answers.items():
        if who in task.answers:
            raise BadInput(f"{row.place}: '{who}' has answered this in another file; rename one")
        mended["answers that are empty, and stay so"] += not answer
        task.answers[who] = answer
    task.kind = row.kind | task.kind


def _finish(
    files: list[list[Published]], tasks: list[_Task], mended: Counter[str], asked: int
) -> TestSet:
    """Leave out who did not answer everything, and write the rest in our form."""
    names = dict.fromkeys(who for rows in files for row in rows for who in row.answers)
    lacking = {who: sum(who not in task.answers for task in tasks) for who in names}
    answerers = [who for who, lacks in lacking.items() if not lacks]
    made = [
        {
            "id": row_id(task.row.instruction, task.row.input),
            "instruction": task.row.instruction,
            "input": task.row.input,
            **task.kind,
            "answers": {who: task.answers[who] for who in answerers},
        }
        for task in tasks
    ]
    return TestSet(
        tasks=[
            jsonl.validate(TestTask, row, task.row.place)
            for row, task in zip(made, tasks, strict=True)
        ],
        answerers=answerers,
        missing={who: lacks for who, lacks in lacking.items() if lacks},
        mended=+mended,  # without what never happened
        asked=asked,
    )
