"""Test tasks as token ids that leave room for an answer."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alpacare.core.errors import BadInput
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.task import TestTask

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CUT = "\n[...]\n"


@dataclass(frozen=True)
class Asked:
    """What the model reads for one task: its ids, and `left_out` tokens of its input that it
    does not; `input` is what it reads of it.
    """

    ids: list[int]
    input: str
    left_out: int = 0


def ask_all(
    tests: Sequence[TestTask],
    prompt: StudentPrompt,
    tokenizer: "PreTrainedTokenizerBase",
    room: int | None,
) -> list[Asked]:
    """Put every task into the prompt; `room`: the most tokens a prompt may have.

    A longer one keeps its instruction and both ends of its input: cases tell who it is about
    first, and what is asked last.

    Raises:
        BadInput: an instruction alone is too long.
    """
    return [_ask(test, prompt, tokenizer, room) for test in tests]


def _ask(
    test: TestTask, prompt: StudentPrompt, tokenizer: "PreTrainedTokenizerBase", room: int | None
) -> Asked:
    def encode(input: str) -> list[int]:
        return prompt.encode(tokenizer, test.instruction, input)

    whole = encode(test.input)
    if room is None or len(whole) <= room:
        return Asked(whole, test.input)

    def too_long(letters: int) -> bool:
        return len(encode(_shorten(test.input, letters))) > room

    letters = bisect_left(range(len(test.input)), True, key=too_long) - 1
    if letters < 0:
        raise BadInput(
            f"test task {test.id}: its prompt has {len(whole)} tokens, and the model's context "
            f"less generations.max_new_tokens leaves {room}; its instruction alone is too long: "
            "shorten it in the test set, or lower max_new_tokens"
        )
    short = _shorten(test.input, letters)
    ids = encode(short)
    return Asked(ids, short, len(whole) - len(ids))


def _shorten(text: str, letters: int) -> str:
    """Keep so many letters of a text, half from its beginning and half from its end."""
    head = (letters + 1) // 2
    return text[:head] + _CUT + text[len(text) - letters + head :]
