"""Any list of tasks, written in any of the forms that models use, is read back equal."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reply_tasks import ENCLOSED, LABELS, Task, tasks

from alpacare.instructions.reply_parser import parse_reply


@dataclass(frozen=True)
class Shape:
    """How a model writes its tasks as text."""

    heading: str
    label: str
    case: Callable[[str], str]
    between: str
    no_input: str | None
    order: tuple[str, ...]
    quote: bool
    fence: str
    before: str
    after: str
    newline: str

    def render(self, rows: list[Task]) -> str:
        texts = [self._task(number, row) for number, row in enumerate(rows, start=1)]
        if self.fence == "each":
            texts = [f"```\n{text}\n```" for text in texts]
        body = self.between.join(texts)
        if self.fence == "whole":
            body = f"```text\n{body}\n```"
        return (self.before + body + self.after).replace("\n", self.newline)

    def _task(self, number: int, row: Task) -> str:
        fields = [self._field(name, row[name]) for name in self.order]
        return self.heading.format(number) + "\n".join(filter(None, fields))

    def _field(self, name: str, value: str | int | None) -> str:
        if value is None:
            return ""
        if value == "":
            if self.no_input is None and self.order[-1] == "input":
                return ""
            value = self.no_input or ""
        elif self.quote and name in ("instruction", "input") and not set('"`') & set(str(value)):
            value = f'"{value}"'
        return self.label.format(self.case(name), value)


HEADINGS = [
    "### Task {}\n",
    "### {}.\n",
    "## {}\n\n",
    "**Task {}**\n",
    "Task {}:\n",
    "{}.\n",
    "({})\n",
]
HEADINGS += ["**{}.**\n", "{}. ", "### Example {}\n", "#### Task {}: heart\n\n", ""]
HEADINGS += ["### Chest pain {}\n", "**Case {}**\n", "=== Task {} ===\n", "Task no. {}\n"]
STYLES = [
    "{}: {}",
    "**{}:** {}",
    "**{}**: {}",
    "*{}*: {}",
    "- {}: {}",
    "* **{}:** {}",
    "__{}__: {}",
]
STYLES += ["{}:\n{}", "{} : {}", "{}\uff1a{}", "\u00a0{}:\u00a0{}", "{}:{}"]
STYLES += ["**{}**\n{}", "#### {}\n\n{}", "{} (as asked): {}", "{} level: {}"]
NO_INPUT = ["<noinput>", '"<noinput>"', "[noinput]", "(no input)", "N/A", "None", "", None]

IN_TEXT = [
    "View: PA and lateral",
    "Type: digital",
    "- Input: 500 ml",
    "Instruction: take with food",
]
IN_TEXT += ["Topic: rash", "**Difficulty:** hard", "1. View: axial", "type: 2"]

shapes = st.builds(
    Shape,
    heading=st.sampled_from(HEADINGS),
    label=st.sampled_from(STYLES),
    case=st.sampled_from([str.title, str.lower, str.upper]),
    between=st.sampled_from(["\n\n", "\n", "\n---\n", "\n\n***\n\n", "\n\n\n", "\n###\n"]),
    no_input=st.sampled_from(NO_INPUT),
    order=st.just(LABELS) | st.permutations(LABELS).map(tuple),
    quote=st.booleans(),
    fence=st.sampled_from(["", "whole", "each"]),
    before=st.sampled_from(["", "Sure! Here are six tasks, all new:\n\n"]),
    after=st.sampled_from(
        ["", "\n", "\n\nI hope these tasks help!", "\n\n---\nLet me know.", "\n###"]
    ),
    newline=st.sampled_from(["\n", "\r\n"]),
).filter(
    # "1. #### Type" is not Markdown; and a blank line that is an input cannot be distinguished
    # from one between tasks that nothing else separates
    lambda shape: (
        not (shape.heading == "{}. " and shape.label.startswith("#"))
        and not (shape.heading == "" and shape.no_input == "" and "\n" in shape.label)
    )
)


def read(reply: str) -> list[Task]:
    return [parsed.fields for parsed in parse_reply(reply, "stop")]


@settings(max_examples=200)
@given(tasks, shapes)
def test_text_of_any_shape_comes_back(rows: list[Task], shape: Shape) -> None:
    assert read(shape.render(rows)) == rows


def headed(shape: Shape) -> bool:
    return "ask" in shape.heading and "=" not in shape.heading


class Shuffled(Shape):
    """Every task has its fields in another order."""

    def _task(self, number: int, row: Task) -> str:
        order = Random(number).sample(LABELS, len(LABELS))
        return Shape._task(replace(self, order=tuple(order)), number, row)


@settings(max_examples=100)
@given(tasks, shapes.filter(lambda shape: headed(shape) and shape.no_input is not None))
def test_under_headings_every_task_may_have_its_own_order(rows: list[Task], shape: Shape) -> None:
    assert read(Shuffled(**vars(shape)).render(rows)) == rows


@settings(max_examples=100)
@given(tasks, shapes, st.data())
def test_label_lines_of_a_field_that_is_there_are_text(
    rows: list[Task], shape: Shape, data: st.DataObject
) -> None:
    shape = replace(shape, order=LABELS, no_input=shape.no_input or "")
    for row in rows:
        parts = row["input"].split("\n")
        for label_line in data.draw(st.lists(st.sampled_from(IN_TEXT), max_size=2)):
            parts.insert(data.draw(st.integers(0, len(parts))), label_line)
        row["input"] = "\n".join(parts).strip()
        assume(not ENCLOSED.fullmatch(row["input"]))
    # at the end of a reply without headings, such a line may as well begin a task that was cut off
    assume(shape.heading or not rows[-1]["input"].split("\n")[-1].startswith("Type:"))
    assert read(shape.render(rows)) == rows


@settings(max_examples=100)
@given(tasks, shapes, st.data())
def test_a_missing_field_is_reported_and_shifts_no_other(
    rows: list[Task], shape: Shape, data: st.DataObject
) -> None:
    # Nothing distinguishes the two tasks' first fields, so both readings are right.
    assume(shape.heading or shape.order == LABELS)
    bad = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(LABELS[:5]))
    before, after = rows[:bad], rows[bad + 1 :]
    parsed = parse_reply(shape.render([*before, rows[bad] | {name: None}, *after]), "stop")
    assert [task.fields for task in parsed] == [*before, {}, *after]
    assert parsed[bad].reason in ("missing_field", "cut_off")


@settings(max_examples=200)
@given(tasks, shapes, st.data())
def test_a_cut_reply_gives_whole_tasks_only(
    rows: list[Task], shape: Shape, data: st.DataObject
) -> None:
    shape = replace(shape, fence="", before="", after="", newline="\n")
    cut = data.draw(st.integers(0, len(shape.render(rows))))
    *before, last = parse_reply(shape.render(rows)[:cut], "length")
    assert [parsed.fields for parsed in before] == rows[: len(before)]
    assert last.reason in ("cut_off", "no_tasks")
    begun = sum(len(shape.render(rows[:count])) < cut for count in range(1, len(rows)))
    assert len(before) >= begun - 1
