"""Merges the published files of one test set, in any form, by question into our test tasks.

Positions and ids are not used: published ids have gaps, and files have other orders.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.datasets.fields import BadRow
from alpacare.datasets.forms import FormReader
from alpacare.datasets.json_tables import TableRow
from alpacare.datasets.outcome import none_left
from alpacare.datasets.test_set_rows import PublishedRow, read_row
from alpacare.records.dropped import Dropped
from alpacare.records.task import TestTask, row_id


@dataclass(frozen=True)
class PublishedFile:
    """A file's rows, its address, who gave the answers in it that have no name; named columns."""

    place: str
    rows: Sequence[TableRow]
    answerer: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TestSet:
    """Tasks with the answers of all who answered every one of them.

    `missing`: who is left out, and how many answers they lack, `unanswered` the first question
    without one; `dropped`: the rows of all files
    that were not used; `repairs`: what was repaired or not read, and how often; `questions`: the
    number of published questions, repeated ones too.
    """

    __test__ = False  # pytest: not a test class
    tasks: list[TestTask]
    answerers: list[str]
    missing: dict[str, int]
    unanswered: dict[str, str]
    dropped: list[Dropped]
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
        BadInput: no questions, a file without a usable row, an answer without a name, or two
            answers of one name to one question.
    """
    repairs: Counter[str] = Counter()
    dropped: list[Dropped] = []
    files = _add_instructions([_read(source, dropped, repairs) for source in sources], repairs)
    questions = next((own for rows in files if (own := [r for r in rows if r.instruction])), [])
    if not questions:
        places = ", ".join(source.place for source in sources)
        raise BadInput(f"{places}: no questions; name a file that has 'instruction' too")
    tasks: dict[str, _MergedTask] = {}
    for row in questions:
        tasks.setdefault(row.text, _MergedTask(row))
    for rows in files:
        _add_answers(rows, tasks, dropped, repairs)
    names = dict.fromkeys(name for rows in files for row in rows for name in row.answers)
    whole = [_test_task(task) for task in tasks.values()]
    return make_test_set(whole, list(names), dropped, repairs, len(questions))


def make_test_set(
    tasks: Sequence[TestTask],
    names: Sequence[str],
    dropped: list[Dropped],
    repairs: Counter[str],
    questions: int,
) -> TestSet:
    """Keep the answers of those of `names` who answered every task."""
    lacking = {name: [task for task in tasks if name not in task.answers] for name in names}
    answerers = [name for name in names if not lacking[name]]
    return TestSet(
        tasks=[
            task.model_copy(update={"answers": {name: task.answers[name] for name in answerers}})
            for task in tasks
        ],
        answerers=answerers,
        missing={name: len(lacks) for name, lacks in lacking.items() if lacks},
        unanswered={name: lacks[0].instruction for name, lacks in lacking.items() if lacks},
        dropped=dropped,
        repairs=+repairs,  # without zeros
        questions=questions,
    )


def _read(
    source: PublishedFile, dropped: list[Dropped], repairs: Counter[str]
) -> list[PublishedRow]:
    """Read a file's rows; those that cannot be used are dropped.

    Raises:
        BadInput: none can.
    """
    if not source.rows:
        raise BadInput(f"{source.place}: the file has no rows")
    reader = FormReader(source.columns, repairs)
    rows = []
    bad: list[Dropped] = []
    for row in reader.start(source.rows)[1]:
        try:
            rows.append(read_row(row, reader, source.answerer, repairs))
        except BadRow as error:
            bad.append(_dropped(row.place, error.reason, str(error)))
    if bad and not rows:
        raise none_left(source.place, bad)
    dropped += bad
    if source.answerer and not any(source.answerer in row.answers for row in rows):
        raise BadInput(
            f"{source.place}: has no 'output' or 'response' of {source.answerer}; give the file "
            "without a name, or name the column: --column output=THEIRS"
        )
    return rows


def _dropped(id: str, reason: str, witness: str) -> Dropped:
    return Dropped(id=id, stage="test set", reason=reason, witness=witness)


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
    rows: list[PublishedRow],
    tasks: dict[str, _MergedTask],
    dropped: list[Dropped],
    repairs: Counter[str],
) -> None:
    """Add one file's answers to their questions; rows that answer none, or twice, are dropped."""
    prompts = [row.text for row in rows if not row.instruction]
    questions = dict(zip(prompts, _find_questions(prompts, tasks), strict=True))
    seen: dict[str, str] = {}
    for row in rows:
        question = row.text if row.instruction else questions[row.text]
        if question not in tasks:
            dropped.append(_dropped(row.place, "no_such_question", row.text))
        elif question in seen:
            dropped.append(_dropped(row.place, "same_task", seen[question]))
        else:
            seen[question] = row.place
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


def _test_task(task: _MergedTask) -> TestTask:
    fields = {
        "id": row_id(task.row.instruction, task.row.input),
        "instruction": task.row.instruction,
        "input": task.row.input,
        **task.kind,
        "answers": task.answers,
    }
    return jsonl.validate(TestTask, fields, task.row.place)
