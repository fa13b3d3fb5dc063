"""One model's answer to one test task.

{"id": "77d0...", "instruction": "Explain ...", "input": "", "output": "The heart ...",
 "generator": "student", "finish_reason": "stop"}
"""

from typing import Literal

from alpacare.jsonl import Row


class Generation(Row):
    """`finish_reason`: stop (end of text), length (cut off), unknown (written elsewhere)."""

    id: str
    instruction: str
    input: str
    output: str
    generator: str
    finish_reason: Literal["stop", "length", "unknown"]
