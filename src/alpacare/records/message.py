"""A conversation: its turns in order, each with who said it."""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from alpacare.core.jsonl import Row

SEVERAL_TURNS = "several_turns"  # drop reason of a conversation where one question is wanted


class Message(Row):
    """One turn of a conversation: {"role": "user", "content": "How is a fever measured?"}."""

    role: Literal["system", "user", "assistant"]
    content: str


# JSON has lists; a field of this type is written only where there is a conversation
Messages = Annotated[
    tuple[Message, ...] | None,
    Field(strict=False, exclude_if=lambda messages: messages is None),
]


def messages_id(messages: Sequence[Message]) -> str:
    """Make a conversation's id: 16 hex digits of the SHA-256 of all before its last answer.

    So the question is hashed and not the answer, as for a row of instruction and input.
    """
    asked = messages[:-1] if messages[-1].role == "assistant" else messages
    content = json.dumps([[turn.role, turn.content] for turn in asked], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def count_turns(messages: Sequence[Message] | None) -> int:
    """Count the questions in a conversation; a row without one has one."""
    return sum(turn.role == "user" for turn in messages) if messages else 1
