"""The teacher's answer to one instruction: a training example."""

from typing import Annotated, Literal

from pydantic import Field

from alpacare.core.jsonl import Row
from alpacare.records.message import Messages

Checked = Literal["right", "wrong", "unreadable"]


class Response(Row):
    """The teacher's answer to one instruction: a training example.

    {"id": "3f0c...", "instruction": "Explain ...", "input": "", "output": "The heart ...",
     "finish_reason": "stop", "model": "demo-teacher", "request": "a81e...", "type": "open QA",
     "topic": "Cardiology", "view": "patient", "difficulty": 2}

    `finish_reason` is "length" for an answer cut off by the token limit. The last four fields are
    the instruction's; imported rows may lack them.

    `messages` is the whole conversation of an imported row that has a system turn or several turns;
    its instruction is then the first question, its output the last answer, its id `messages_id`.

    `checked`: what a verifier found, in rows of stage `verified` alone.
    """

    id: str
    instruction: str
    input: str
    output: str
    finish_reason: str
    model: str
    request: str
    type: str | None = None
    topic: str | None = None
    view: str | None = None
    difficulty: int | None = None
    messages: Messages = None
    checked: Annotated[Checked | None, Field(exclude_if=lambda checked: checked is None)] = None
