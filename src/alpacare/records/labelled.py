"""An answer whose criteria people have labelled as met or not: what judges are measured against.

{"id": "9c41...", "instruction": "...", "input": "", "output": "...", "criteria":
 [{"criterion": "...", "category": "cluster:hedging_...", "labels": [true, false]}]}
A conversation has `messages`, as in a test set. One file: data/labels/NAME.jsonl.
"""

import hashlib
import json
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.jsonl import Row
from alpacare.records.generation import Generation
from alpacare.records.message import Messages
from alpacare.records.rubric import RubricItem
from alpacare.records.task import TestTask


class LabelledCriterion(Row):
    """A criterion with one label for each person: whether the answer meets it.

    `category`: the kind of criterion, "" where nobody says.
    """

    criterion: str = Field(min_length=1)
    category: str = ""
    labels: list[bool] = Field(min_length=1)


class LabelledAnswer(Row):
    """An answer to a question or a conversation, and its criteria; `id` is of both."""

    id: str
    instruction: str
    input: str = ""
    messages: Messages = None
    output: str
    criteria: list[LabelledCriterion] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_graded(self) -> Self:
        try:
            right = labelled_id(self.task().id, self.output)
        except ValidationError as error:  # of the task, whose field is named in the message
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
        if self.id != right:
            raise ValueError(f"id '{self.id}' is not the hash of question and output ({right})")
        return self

    def task(self) -> TestTask:
        """Give the test task, whose rubrics are the criteria: of one point each."""
        return TestTask(
            id=TestTask.make_id(self.instruction, self.input, self.messages),
            instruction=self.instruction,
            input=self.input,
            messages=self.messages,
            rubrics=[RubricItem(criterion=each.criterion, points=1) for each in self.criteria],
        )

    def answer(self) -> Generation:
        """Give the answer by itself."""
        return Generation(
            id=self.id,
            instruction=self.instruction,
            input=self.input,
            output=self.output,
            generator="labelled",
            finish_reason="unknown",
        )


def labelled_id(task_id: str, output: str) -> str:
    """Make the id of an answer: 16 hex digits of the SHA-256 of its task's id and its text."""
    content = json.dumps([task_id, output], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def read_labels(path: Path) -> list[LabelledAnswer]:
    """Read a file of labelled answers.

    Raises:
        BadInput: no rows, a bad row, or two of one id.
    """
    rows = jsonl.read(path, LabelledAnswer, unique="id")
    if not rows:
        raise BadInput(f"{path}: no labelled answers")
    return rows
