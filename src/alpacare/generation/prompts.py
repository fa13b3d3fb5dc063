"""Test tasks as token ids that leave space for an answer."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from alpacare.core.errors import BadInput
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.message import Message
from alpacare.records.task import TestTask

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CUT = "\n[...]\n"


@dataclass(frozen=True)
class EncodedPrompt:
    """What the model reads for one task: token ids, and the input in them, perhaps shortened.

    `turns`: of a conversation those that it reads, else None.
    """

    ids: list[int]
    input: str
    tokens_left_out: int = 0  # of the task's input or earlier turns, which the model does not read
    turns: Sequence[Message] | None = None


def encode_prompts(
    tests: Sequence[TestTask],
    prompt: StudentPrompt,
    tokenizer: "PreTrainedTokenizerBase",
    max_tokens: int | None,
) -> list[EncodedPrompt]:
    """Fill the prompt with every task and encode it, in at most `max_tokens`.

    A longer one keeps its instruction and both ends of its input: cases say who it is about
    first, and what is asked last. A conversation keeps what the system says and its last turns,
    beginning with one of the user's.

    Raises:
        BadInput: an instruction, or a conversation's last question, alone is too long.
    """
    return [
        _fit_turns(test, test.messages, partial(prompt.encode_turns, tokenizer), max_tokens)
        if test.messages
        else _fit(test, partial(prompt.encode, tokenizer, test.instruction), max_tokens)
        for test in tests
    ]


def _fit_turns(
    test: TestTask,
    turns: Sequence[Message],
    encode: Callable[[Sequence[Message]], list[int]],
    max_tokens: int | None,
) -> EncodedPrompt:
    whole = encode(turns)
    if max_tokens is None or len(whole) <= max_tokens:
        return EncodedPrompt(whole, "", turns=turns)
    told = [turn for turn in turns if turn.role == "system"]
    starts = [place for place, turn in enumerate(turns) if turn.role == "user"]
    for start in starts[1:]:
        kept = [*told, *(turn for turn in turns[start:] if turn.role != "system")]
        ids = encode(kept)
        if len(ids) <= max_tokens:
            return EncodedPrompt(ids, "", len(whole) - len(ids), kept)
    raise _too_long(test, len(whole), max_tokens, "last question")


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
        raise _too_long(test, len(whole), max_tokens, "instruction")
    short = _shorten(test.input, letters)
    ids = encode(short)
    return EncodedPrompt(ids, short, len(whole) - len(ids))


def _too_long(test: TestTask, tokens: int, max_tokens: int, part: str) -> BadInput:
    return BadInput(
        f"test task {test.id}: its prompt has {tokens} tokens, and the model's context "
        f"less generations.max_new_tokens leaves {max_tokens}; its {part} alone is too "
        "long: shorten it in the test set, or lower max_new_tokens"
    )


def _shorten(text: str, letters: int) -> str:
    """Keep so many letters of a text, half from its beginning and half from its end."""
    head = (letters + 1) // 2
    return text[:head] + _CUT + text[len(text) - letters + head :]
