"""One model's answer to one test task.

{"id": "77d0...", "instruction": "Explain ...", "input": "", "output": "The heart ...",
 "generator": "student", "finish_reason": "stop", "tokens": 212, "input_left_out": 0}
"""

from typing import Literal

from pydantic import Field

from alpacare.core.jsonl import Row

FinishReason = Literal["stop", "length", "unknown"]


def known_reason(told: str) -> FinishReason:
    """Read what a server says of why an answer ended; others than ours are unknown."""
    return "stop" if told == "stop" else "length" if told == "length" else "unknown"


class Generation(Row):
    """`finish_reason`: stop (end of text), length (cut off), unknown (written elsewhere).

    `tokens` that were made, an end of text included, where they are known. `input_left_out`:
    tokens of the input that did not fit into the model's context, so that it answered a shorter
    one.
    """

    id: str
    instruction: str
    input: str
    output: str
    generator: str
    finish_reason: FinishReason
    tokens: int | None = Field(default=None, ge=0)
    input_left_out: int = Field(default=0, ge=0)
