"""Any list of tasks, written as JSON in any of the ways that models do, is read back equal."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reply_tasks import LABELS, Task, tasks

from alpacare.instructions.reply_parser import parse_reply


@dataclass(frozen=True)
class Shape:
    """How a model writes its tasks as JSON."""

    whole: Callable[[list[Task]], Any]  # what is written; a list for JSON Lines
    indent: int | None
    ascii: bool
    key: Callable[[str], str]
    order: tuple[str, ...]
    more: dict[str, Any]
    no_input: str | None
    difficulty: Callable[[int], object]
    raw_breaks: bool
    fence: bool
    before: str
    after: str
    newline: str

    def render(self, rows: list[Task]) -> str:
        value = self.whole([self._task(row) for row in rows])
        parts = value if isinstance(value, Lines) else [value]
        text = "\n".join(map(self._dump, parts))
        if self.fence:
            text = f"```json\n{text}\n```"
        return (self.before + text + self.after).replace("\n", self.newline)

    def _task(self, row: Task) -> Task:
        row = {**row, "input": row["input"] or self.no_input}
        row["difficulty"] = self.difficulty(row["difficulty"])
        return {**self.more, **{self.key(name): row[name] for name in self.order if name in row}}

    def _dump(self, value: Any) -> str:
        text = json.dumps(value, indent=self.indent, ensure_ascii=self.ascii)
        # an escaped backslash in front would make it no line break
        return text.replace("\\n", "\n") if self.raw_breaks and "\\\\" not in text else text


class Lines(list[Any]):
    """JSON Lines: one value a line."""


shapes = st.builds(
    Shape,
    whole=st.sampled_from(
        [
            list,
            Lines,
            lambda rows: {"tasks": rows},
            lambda rows: {f"task_{number}": row for number, row in enumerate(rows, start=1)},
            lambda rows: [{"task": row} for row in rows],
            lambda rows: {"note": "as asked", "count": len(rows), "tasks": rows},
        ]
    ),
    indent=st.sampled_from([None, 0, 2]),
    ascii=st.booleans(),
    key=st.sampled_from([str.lower, str.title, str.upper]),
    order=st.permutations(LABELS).map(tuple),
    more=st.sampled_from([{}, {"id": 7}, {"title": "Chest pain", "note": None}]),
    no_input=st.sampled_from(["", "<noinput>", "N/A", None]),
    difficulty=st.sampled_from([int, str, float, "{}/5".format]),
    raw_breaks=st.booleans(),
    fence=st.booleans(),
    before=st.sampled_from(["", "Here are the tasks:\n\n", "### Tasks\n"]),
    after=st.sampled_from(["", "\n", "\n\nLet me know if you want more."]),
    newline=st.sampled_from(["\n", "\r\n"]),
)


@settings(max_examples=200)
@given(tasks, shapes)
def test_json_of_any_shape_comes_back(rows: list[Task], shape: Shape) -> None:
    assert [parsed.fields for parsed in parse_reply(shape.render(rows), "stop")] == rows


@settings(max_examples=100)
@given(tasks, shapes, st.data())
def test_a_missing_key_costs_its_own_task_only(
    rows: list[Task], shape: Shape, data: st.DataObject
) -> None:
    bad = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(LABELS[:3]))
    less = {key: value for key, value in rows[bad].items() if key != name}
    parsed = parse_reply(shape.render([*rows[:bad], less, *rows[bad + 1 :]]), "stop")
    assert [task.fields for task in parsed] == [*rows[:bad], {}, *rows[bad + 1 :]]
    assert parsed[bad].reason == "missing_field"


@settings(max_examples=200)
@given(tasks, shapes, st.data())
def test_of_cut_json_every_closed_task_is_used(
    rows: list[Task], shape: Shape, data: st.DataObject
) -> None:
    shape = replace(shape, fence=False, before="", after="", newline="\n")
    reply = shape.render(rows)[: data.draw(st.integers(0, len(shape.render(rows))))]
    parsed = parse_reply(reply, "length")
    whole = [task.fields for task in parsed if not task.reason]
    assert whole == rows[: len(whole)]
    assert {task.reason for task in parsed[len(whole) :]} <= {"cut_off", "no_tasks"}
    assert len(parsed) <= len(whole) + 1
    assert len(whole) >= sum(
        len(shape.render(rows[: n + 1])) <= len(reply) for n in range(len(rows))
    )


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ('{"type": "chat", "topic": "x", "type": "open QA"}', "bad_json"),  # two tasks in one
        ('{"type": "chat", "topic": ["x"]}', "bad_json"),
        ('{"type": "chat" "topic": "x"}', "bad_json"),
        ('{"type": "chat", "topic": "\\ud800"}', "bad_json"),
        ('{"type": "chat", "topic": "x"}', "missing_field"),
    ],
)
def test_a_broken_object_costs_only_itself(task: str, reason: str) -> None:
    good = json.dumps(dict(zip(LABELS, ["chat", "x", "y", 2, "Why?", ""], strict=True)))
    first, second, third = parse_reply(f"[{good},\n{task},\n{good}]", "stop")
    assert (second.reason, second.text.rstrip(",\n")) == (reason, task)
    assert first.fields == third.fields != {}
