"""A medical task and its kin: seed, instruction, test task.

{"id": "3f0c...", "instruction": "Explain ...", "input": "", "type": "open QA",
 "topic": "Cardiology", "view": "patient", "difficulty": 2}
"""

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from alpacare.core.jsonl import Row

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
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]


def row_id(instruction: str, input: str) -> str:
    """Name a task by its content: 16 hex digits of SHA-256 over instruction and input."""
    content = json.dumps([instruction, input], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


class Question(Row):
    """What is asked: `input` is "" when the instruction needs none, never a placeholder."""

    id: Text
    instruction: Text
    input: str

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.id != row_id(self.instruction, self.input):
            right = row_id(self.instruction, self.input)
            raise ValueError(f"id '{self.id}' is not the hash of instruction and input ({right})")
        if self.input.strip().lower() == "<noinput>":
            raise ValueError('write "" for no input, not "<noinput>"')
        return self


class AnyTask(Question):
    """A question in a row that may hold anything else: of an imported one less is known."""

    model_config = ConfigDict(extra="ignore")


class Task(Question):
    """A question and what kind it is of."""

    type: TaskType
    topic: Text
    view: Text
    difficulty: int = Field(ge=1, le=5)


class Seed(Task):
    """A task written by a person (here: by this project), shown to the teacher as an example."""


class Instruction(Task):
    """A task that the teacher wrote: `seeds` it was shown, `request` in the ledger, place in it."""

    request: str
    index: int
    seeds: list[str]


class TestTask(Question):
    """A held-out task with the `answers` that other models or people gave, by name.

    Published test sets say little of what kind their tasks are: what is not known is null. An
    answer may be empty: then that is what the model said.
    """

    __test__ = False  # pytest: not a test class
    type: TaskType | None = None
    topic: Text | None = None
    view: Text | None = None
    difficulty: int | None = Field(default=None, ge=1, le=5)
    answers: dict[str, str] = Field(default_factory=dict)
