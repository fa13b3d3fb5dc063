"""A conversation: its turns in order, each with who said it."""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from alpacare.core.jsonl import Row
from alpacare.core.texts import shows_nothing

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


def transcript(messages: Sequence[Message]) -> str:
    """Write a conversation as text, each turn after its role: what a judge reads."""
    return "\n\n".join(f"{turn.role}: {turn.content}" for turn in messages)


def check_asked(messages: Sequence[Message]) -> None:
    """Check that a conversation waits for an answer.

    Raises:
        ValueError: it is empty, or has an empty turn, or its last turn is not the user's.
    """
    if not messages:
        raise ValueError("messages: the conversation is empty; give at least a user's turn")
    for turn in messages:
        if shows_nothing(turn.content):
            raise ValueError(f"messages: an empty turn of the {turn.role}")
    if messages[-1].role != "user":
        raise ValueError(
            f"messages: the last turn is the {messages[-1].role}'s; a test ends with the user's"
        )
