"""Test items with rubrics: HealthBench's JSON Lines (arXiv 2505.08775), and the same in our words.

{"prompt_id": "...", "prompt": [{"role": "user", "content": "..."}, ...],
 "rubrics": [{"criterion": "...", "points": 5, "tags": ["axis:accuracy"]}],
 "example_tags": ["theme:hedging"], "ideal_completions_data": {"ideal_completion": "..."} or null}
{"messages": [...], "rubrics": [...], "tags": [...]}  {"instruction": "...", "rubrics": [...]}

An ideal answer, by a physician, is that of `physician`. An item without the key `rubrics` is
graded by no judge by rubrics.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.datasets.fields import BadRow, read_answer, read_expected, read_field, read_kind
from alpacare.datasets.json_tables import TableRow
from alpacare.datasets.outcome import none_left
from alpacare.records.dropped import Dropped
from alpacare.records.message import Message, check_asked, messages_id, transcript
from alpacare.records.rubric import RubricItem, check_rubrics
from alpacare.records.task import TestTask, row_id

PHYSICIAN = "physician"
_ROLES = ("system", "user", "assistant")
_KNOWN = {"prompt", "messages", "instruction", "input", "id", "prompt_id", "canary", "rubrics"}
_KNOWN |= {"example_tags", "tags", "ideal_completions_data", "answers"}
_KNOWN |= {"type", "topic", "view", "difficulty", "expect"}


def has_rubrics(rows: Sequence[TableRow]) -> bool:
    """Whether a file's rows have rubrics."""
    return any(isinstance(row.values.get("rubrics"), list) for row in rows)


def read_rubric_rows(
    rows: Sequence[TableRow], repairs: Counter[str]
) -> tuple[list[TestTask], list[Dropped]]:
    """Read the items; what cannot be used is dropped, with its place and what is wrong.

    Raises:
        BadInput: none can be used.
    """
    tasks: dict[str, TestTask] = {}
    places: dict[str, str] = {}
    dropped: list[Dropped] = []
    for row in rows:
        try:
            task = _read_row(row, repairs)
        except BadRow as error:
            dropped.append(_dropped(row, error.reason, str(error)))
            continue
        if task.id in tasks:
            dropped.append(_dropped(row, "same_task", places[task.id]))
        else:
            tasks[task.id], places[task.id] = task, row.place
    if dropped and not tasks:
        raise none_left(rows[0].place, dropped)
    return list(tasks.values()), dropped


def _dropped(row: TableRow, reason: str, witness: str) -> Dropped:
    return Dropped(id=row.place, stage="test set", reason=reason, witness=witness)


def _read_row(row: TableRow, repairs: Counter[str]) -> TestTask:
    if row.problem:
        raise BadRow("unreadable", row.problem)
    values, place = row.values, row.place
    rubrics = _read_rubrics(values.get("rubrics"), place, repairs)
    for name in values.keys() - _KNOWN:
        repairs[f"fields '{name}' not read"] += 1
    tags = values.get("example_tags") or values.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise BadRow("bad_rubrics", f"{place}: tags must be a list of texts")
    fields = {
        **_read_question(values, place, repairs),
        **read_kind(values, place, repairs),
        **read_expected(values, place),
        "answers": _read_answers(values, place, repairs),
        "rubrics": rubrics,
        "tags": tags,
    }
    try:
        return jsonl.validate(TestTask, fields, place)
    except BadInput as error:
        raise BadRow("bad_rubrics", str(error)) from error


def _read_question(values: Mapping[str, Any], place: str, repairs: Counter[str]) -> dict[str, Any]:
    given = (values.get(name) for name in ("prompt", "messages"))
    turns = next((each for each in given if each is not None), None)
    if turns is None:
        instruction, input = (
            read_field(values, k, place, repairs) for k in ("instruction", "input")
        )
        if not instruction:
            raise BadRow(
                "no_question", f"{place}: no question: wanted 'prompt', 'messages' or 'instruction'"
            )
        return {"id": row_id(instruction, input), "instruction": instruction, "input": input}
    return question_of(read_turns(turns, place, repairs))


def question_of(messages: Sequence[Message]) -> dict[str, Any]:
    """Give the fields of a test task for a conversation; one question alone is an instruction."""
    if len(messages) == 1:
        text = messages[0].content
        return {"id": row_id(text, ""), "instruction": text, "input": ""}
    return {
        "id": messages_id(messages),
        "instruction": transcript(messages),
        "input": "",
        "messages": tuple(messages),
    }


def read_turns(turns: Any, place: str, repairs: Counter[str]) -> list[Message]:
    """Read a conversation that waits for an answer.

    Raises:
        BadRow: it is empty, holds something else than turns, or does not end with the user.
    """
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise BadRow("no_conversation", f"{place}: a conversation is a list of role and content")
    messages = []
    for turn in turns:
        role = str(turn.get("role")).lower()
        if role not in _ROLES:
            raise BadRow("no_conversation", f"{place}: a turn by '{role}'; wanted user, assistant")
        read = read_answer if role == "assistant" else read_field
        content = read(turn, "content", place, repairs)
        messages.append(jsonl.validate(Message, {"role": role, "content": content}, place))
    try:
        check_asked(messages)
    except ValueError as error:
        raise BadRow("no_conversation", f"{place}: {error}") from error
    return messages


def _read_rubrics(given: Any, place: str, repairs: Counter[str]) -> list[RubricItem]:
    if given is None:
        return []
    if not isinstance(given, list) or not given:
        raise BadRow("no_rubrics", f"{place}: no rubrics: wanted a list of criterion, points, tags")
    items = []
    for each in given:
        if not isinstance(each, dict):
            raise BadRow(
                "bad_rubrics", f"{place}: a rubric must be an object, as {{criterion, points}}"
            )
        values = {
            "criterion": read_field(each, "criterion", place, repairs),
            "points": each.get("points"),
            "tags": each.get("tags") or [],
        }
        for name in each.keys() - values.keys():
            repairs[f"fields 'rubrics.{name}' not read"] += 1
        try:
            items.append(jsonl.validate(RubricItem, values, place))
        except BadInput as error:
            raise BadRow("bad_rubrics", str(error)) from error
    try:
        check_rubrics(items)
    except ValueError as error:
        raise BadRow("bad_rubrics", f"{place}: {error}") from error
    return items


def _read_answers(values: Mapping[str, Any], place: str, repairs: Counter[str]) -> dict[str, str]:
    answers = values.get("answers") or {}
    ideal = values.get("ideal_completions_data") or {}
    if not isinstance(answers, dict) or not isinstance(ideal, dict):
        raise BadRow("not_text", f"{place}: answers must be an object: whose, and what")
    found = {name: read_answer(answers, name, place, repairs) for name in answers}
    if ideal.get("ideal_completion"):
        found[PHYSICIAN] = read_answer(ideal, "ideal_completion", place, repairs)
    return found
