"""Test tasks as token ids that leave space for an answer."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from alpacare.core.errors import BadInput
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.task import TestTask

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CUT = "\n[...]\n"


@dataclass(frozen=True)
class EncodedPrompt:
    """What the model reads for one task: token ids, and the input in them, perhaps shortened."""

    ids: list[int]
    input: str
    tokens_left_out: int = 0  # of the task's input, which the model does not read


def encode_prompts(
    tests: Sequence[TestTask],
    prompt: StudentPrompt,
    tokenizer: "PreTrainedTokenizerBase",
    max_tokens: int | None,
) -> list[EncodedPrompt]:
    """Fill the prompt with every task and encode it, in at most `max_tokens`.

    A longer one keeps its instruction and both ends of its input: cases say who it is about
    first, and what is asked last.

    Raises:
        BadInput: an instruction alone is too long.
    """
    encoders = [partial(prompt.encode, tokenizer, test.instruction) for test in tests]
    return [_fit(*pair, max_tokens) for pair in zip(tests, encoders, strict=True)]


def _fit(
    test: TestTask, encode: Callable[[str], list[int]], max_tokens: int | None
) -> EncodedPrompt:
    whole = encode(test.input)
    if max_tokens is None or len(whole) <= max_tokens:
        return EncodedPrompt(whole, test.input)

    def is_too_long(letters: int) -> bool:
        return len(encode(_shorten(test.input, letters))) > max_tokens

    letters = bisect_left(range(len(test.input)), True, key=is_too_long) - 1
    if letters < 0:
        raise BadInput(
            f"test task {test.id}: its prompt has {len(whole)} tokens, and the model's context "
            f"less generations.max_new_tokens leaves {max_tokens}; its instruction alone is too "
            "long: shorten it in the test set, or lower max_new_tokens"
        )
    short = _shorten(test.input, letters)
    ids = encode(short)
    return EncodedPrompt(ids, short, len(whole) - len(ids))


def _shorten(text: str, letters: int) -> str:
    """Keep so many letters of a text, half from its beginning and half from its end."""
    head = (letters + 1) // 2
    return text[:head] + _CUT + text[len(text) - letters + head :]
