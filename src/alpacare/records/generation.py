"""One model's answer to one test task.

{"id": "77d0...", "instruction": "Explain ...", "input": "", "output": "The heart ...",
 "generator": "student", "finish_reason": "stop", "tokens": 212, "input_left_out": 0}
"""

from typing import Literal

from pydantic import Field

from alpacare.core.jsonl import Row

FinishReason = Literal["stop", "length", "unknown"]


def read_finish_reason(reason: str) -> FinishReason:
    """Read a server's finish reason; an answer that a content filter cut is cut off too."""
    if reason == "content_filter":
        return "length"
    return "stop" if reason == "stop" else "length" if reason == "length" else "unknown"


class Generation(Row):
    """`finish_reason`: stop (end of text), length (cut off), unknown (written elsewhere).

    `tokens`: generated tokens with the end of text, if known. `input_left_out`: tokens of the
    input that were cut because they did not fit into the model's context.
    """

    id: str
    instruction: str
    input: str
    output: str
    generator: str
    finish_reason: FinishReason
    tokens: int | None = Field(default=None, ge=0)
    input_left_out: int = Field(default=0, ge=0)
