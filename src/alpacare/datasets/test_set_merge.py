"""Merges the published files of one test set, in any form, by question into our test tasks.

Positions and ids are not used: published ids have gaps, and files have other orders.
"""

import io
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.datasets.tables import json_rows
from alpacare.datasets.test_set_rows import PublishedRow, read_row
from alpacare.records.task import TestTask, row_id


@dataclass(frozen=True)
class PublishedFile:
    """A file's text, its address, and who gave the answers in it that have no name."""

    place: str
    text: str
    answerer: str | None = None


@dataclass(frozen=True)
class TestSet:
    """Tasks with the answers of all who answered every one of them.

    `missing`: who is left out, and how many answers they lack; `repairs`: what was repaired or not
    read, and how often; `questions`: the number of published questions, repeated ones too.
    """

    __test__ = False  # pytest: not a test class
    tasks: list[TestTask]
    answerers: list[str]
    missing: dict[str, int]
    repairs: Counter[str]
    questions: int


@dataclass
class _MergedTask:
    """One question, with the answers of all files."""

    row: PublishedRow
    answers: dict[str, str] = field(default_factory=dict)
    kind: dict[str, str | int] = field(default_factory=dict)


def merge(sources: Sequence[PublishedFile]) -> TestSet:
    """Join files by question; the first file with questions decides which, and their order.

    Raises:
        BadInput: no questions, a row of unknown form, an answer without a name, or two answers of
            one name to one question.
    """
    repairs: Counter[str] = Counter()
    files = _add_instructions([_read(source, repairs) for source in sources], repairs)
    questions = next((own for rows in files if (own := [r for r in rows if r.instruction])), [])
    if not questions:
        places = ", ".join(source.place for source in sources)
        raise BadInput(f"{places}: no questions; name a file that has 'instruction' too")
    tasks: dict[str, _MergedTask] = {}
    for row in questions:
        tasks.setdefault(row.text, _MergedTask(row))
    for rows in files:
        _add_answers(rows, tasks, repairs)
    return _finish(files, list(tasks.values()), repairs, len(questions))


def _read(source: PublishedFile, repairs: Counter[str]) -> list[PublishedRow]:
    values = json_rows(io.StringIO(source.text), source.place)
    rows = [read_row(value, place, source.answerer, repairs) for place, value in values]
    if source.answerer and not any(source.answerer in row.answers for row in rows):
        raise BadInput(
            f"{source.place}: has no 'output' or 'response' of {source.answerer}; give the file "
            "without a name"
        )
    return rows


def _add_instructions(
    files: list[list[PublishedRow]], repairs: Counter[str]
) -> list[list[PublishedRow]]:
    """Give an instruction to rows that only have an input.

    It is the text before that input in another file's prompts, if that is always the same;
    otherwise the input is the instruction.
    """
    bare = [row for rows in files for row in rows if row.input and not row.instruction]
    if not bare:
        return files
    prefix = _common_prefix(files, {row.text for row in bare})
    repairs[f"empty instructions: {prefix or 'the input is the instruction'}"] = len(bare)
    return [[_with_instruction(row, prefix) for row in rows] for rows in files]


def _with_instruction(row: PublishedRow, prefix: str) -> PublishedRow:
    if row.instruction or not row.input:
        return row
    if prefix:
        return replace(row, instruction=prefix)
    return replace(row, instruction=row.input, input="")


def _common_prefix(files: list[list[PublishedRow]], questions: Collection[str]) -> str:
    """Find what all texts that end in a question have before it; "" if they differ."""
    texts = [row.text for rows in files for row in rows if row.instruction or row.prompt]
    parts = map(partial(_split_prompt, questions), texts)
    prefixes = {prefix for prefix, question in parts if question}
    return prefixes.pop() if len(prefixes) == 1 else ""


def _split_prompt(questions: Collection[str], text: str) -> tuple[str, str]:
    """Split a prompt before the longest question that it ends in."""
    text = text.removeprefix("Human:").removesuffix("Assistant:").strip()
    ends = (q for q in questions if text == q or text.endswith(f" {q}"))
    question = max(ends, key=len, default="")
    return text.removesuffix(question).strip(), question


def _find_questions(prompts: Sequence[str], questions: Collection[str]) -> list[str | None]:
    """Give the question in each prompt; None if another prompt has it too, or if its prefix is not
    the usual one: then it is the end of a longer question.
    """
    parts = [_split_prompt(questions, prompt) for prompt in prompts]
    ((usual, _),) = Counter(prefix for prefix, _ in parts).most_common(1) or [("", 0)]
    times = Counter(question for prefix, question in parts if prefix == usual)
    return [q if prefix == usual and times[q] == 1 else None for prefix, q in parts]


def _add_answers(
    rows: list[PublishedRow], tasks: dict[str, _MergedTask], repairs: Counter[str]
) -> None:
    """Add one file's answers to their questions."""
    prompts = [row.text for row in rows if not row.instruction]
    questions = dict(zip(prompts, _find_questions(prompts, tasks), strict=True))
    seen: set[str] = set()
    for row in rows:
        question = row.text if row.instruction else questions[row.text]
        if question not in tasks:
            repairs["rows left out that answer none of the questions, or several"] += 1
        elif question in seen:
            repairs["rows left out that repeat a question"] += 1
        else:
            seen.add(question)
            _add_row(row, tasks[question], repairs)


def _add_row(row: PublishedRow, task: _MergedTask, repairs: Counter[str]) -> None:
    for answerer, answer in row.answers.items():
        if answerer in task.answers:
            raise BadInput(
                f"{row.place}: '{answerer}' has answered this in another file; rename one"
            )
        repairs["answers that are empty, and stay so"] += not answer
        task.answers[answerer] = answer
    task.kind = row.kind | task.kind


def _finish(
    files: list[list[PublishedRow]],
    tasks: list[_MergedTask],
    repairs: Counter[str],
    questions: int,
) -> TestSet:
    """Leave out who did not answer everything, and convert the rest to test tasks."""
    names = dict.fromkeys(name for rows in files for row in rows for name in row.answers)
    missing = {name: sum(name not in task.answers for task in tasks) for name in names}
    answerers = [name for name, lacks in missing.items() if not lacks]
    return TestSet(
        tasks=[_test_task(task, answerers) for task in tasks],
        answerers=answerers,
        missing={name: lacks for name, lacks in missing.items() if lacks},
        repairs=+repairs,  # without zeros
        questions=questions,
    )


def _test_task(task: _MergedTask, answerers: list[str]) -> TestTask:
    fields = {
        "id": row_id(task.row.instruction, task.row.input),
        "instruction": task.row.instruction,
        "input": task.row.input,
        **task.kind,
        "answers": {name: task.answers[name] for name in answerers},
    }
    return jsonl.validate(TestTask, fields, task.row.place)
