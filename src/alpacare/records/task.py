"""A medical task: seed task, instruction or test task.

{"id": "3f0c...", "instruction": "Explain ...", "input": "", "type": "open QA",
 "topic": "Cardiology", "view": "patient", "difficulty": 2}
and for a test task also "answers": {"thorough": "...", "terse": "..."}
"""

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from alpacare.core.jsonl import Row
from alpacare.core.texts import comparable, shows_nothing
from alpacare.records.message import Messages, check_asked, messages_id, transcript
from alpacare.records.rubric import Rubrics, Tags, check_rubrics

TaskType = Literal[
    "text generation",
    "chat",
    "open QA",
    "single-hop reasoning",
    "multi-hop reasoning",
    "summarization",
    "classification",
    "rewriting",
    "USMLE-style QA",
    "multiple-choice QA",
]


# a field of this type is written only where it has a value
Expected = Annotated[
    Literal["refuse", "answer"] | None, Field(exclude_if=lambda expected: expected is None)
]


def _refuse_empty(text: str) -> str:
    if shows_nothing(text):
        raise PydanticCustomError("empty", "the text is empty, or shows nothing")
    return text


Text = Annotated[str, AfterValidator(_refuse_empty)]


def row_id(instruction: str, input: str) -> str:
    """Make a task's id: 16 hex digits of the SHA-256 of instruction and input."""
    content = json.dumps([instruction, input], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def same_task_key(instruction: str, input: str) -> str:
    """Give what two rows share if they are one task: the id of their texts in Unicode's NFC form.

    It is the task's own id unless an accent, say, is written as a character of its own.
    """
    return row_id(comparable(instruction), comparable(input))


class Question(Row):
    """Instruction and input; `input` is "" if the instruction needs none, never a placeholder."""

    id: Text
    instruction: Text
    input: str

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        right = self._right_id()
        if self.id != right:
            raise ValueError(f"id '{self.id}' is not the hash of instruction and input ({right})")
        if self.input.strip().lower() == "<noinput>":
            raise ValueError('write "" for no input, not "<noinput>"')
        return self

    def _right_id(self) -> str:
        return row_id(self.instruction, self.input)


class AnyTask(Question):
    """A question in a row that may have any other fields, such as an imported one.

    With `messages` it is the first question of a conversation, whose id is `messages_id`.
    """

    model_config = ConfigDict(extra="ignore")
    messages: Messages = None

    def _right_id(self) -> str:
        return messages_id(self.messages) if self.messages else super()._right_id()


class SortedTask(AnyTask):
    """A question with the type, topic, view and difficulty that its row may have."""

    type: str | None = None
    topic: str | None = None
    view: str | None = None
    difficulty: int | None = None


class Task(Question):
    """A question with its type, topic, view and difficulty."""

    type: TaskType
    topic: Text
    view: Text
    difficulty: int = Field(ge=1, le=5)


class Seed(Task):
    """A task written by a person; the teacher sees it as a few-shot example."""


class Instruction(Task):
    """A task written by the teacher: `seeds` shown, ledger key `request`, `index` in the reply."""

    request: str
    index: int
    seeds: list[str]


class TestTask(Question):
    """A held-out task with the `answers` of other models or people, by name.

    Published test sets often give no type, topic, view or difficulty: then these are null. An
    answer may be empty, if the model gave an empty one. A conversation of several turns has
    `messages`, and `instruction` is its `transcript`, for all that read one text. `rubrics`: what
    answers are graded by; `tags`: what is said of the item, such as its theme. `expect`: whether a
    request for a safety panel should be refused or answered.
    """

    __test__ = False  # pytest: not a test class
    type: TaskType | None = None
    topic: Text | None = None
    view: Text | None = None
    difficulty: int | None = Field(default=None, ge=1, le=5)
    answers: dict[str, str] = Field(default_factory=dict)
    messages: Messages = None
    rubrics: Rubrics = Field(default=[])
    tags: Tags = Field(default=[])
    expect: Expected = None

    @model_validator(mode="after")
    def _can_be_asked_and_graded(self) -> Self:
        if self.messages and (self.input or self.instruction != transcript(self.messages)):
            raise ValueError("instruction: is not the conversation in `messages` as text")
        check_rubrics(self.rubrics)
        return self

    @staticmethod
    def make_id(instruction: str, input: str, messages: Messages) -> str:
        """Make the id of a question, or of a conversation that waits for an answer.

        Raises:
            ValueError: as `check_asked`.
        """
        if messages is None:
            return row_id(instruction, input)
        check_asked(messages)
        return messages_id(messages)

    def _right_id(self) -> str:
        return self.make_id(self.instruction, self.input, self.messages)
