"""Greedy answers in left-padded batches of similar length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Answered:
    """The new tokens as text, up to the end of text if there was one."""

    text: str
    finish_reason: Literal["stop", "length"]


def encode_prompts(tokenizer: "PreTrainedTokenizerBase", prompts: Sequence[str]) -> list[list[int]]:
    """Tokenise prompts just as training does: one start token, then the text."""
    start = [tokenizer.bos_token_id] if tokenizer.bos_token_id is not None else []
    return [start + tokenizer.encode(prompt, add_special_tokens=False) for prompt in prompts]


def answer_all(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    batch_size: int,
    advance: Callable[[int], None],
) -> list[Answered]:
    """Answer every prompt, in the order given; `advance` is told of each finished batch.

    Batches are cut from the prompts sorted by length, then position: little padding, and the same
    batches in every run.
    """
    order = sorted(range(len(prompts)), key=lambda p: (len(prompts[p]), p))
    answers: dict[int, Answered] = {}
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        new_tokens = _generate(model, tokenizer, [prompts[p] for p in batch], max_new_tokens)
        for position, ids in zip(batch, new_tokens, strict=True):
            answers[position] = _cut(tokenizer, ids)
        advance(len(batch))
    return [answers[position] for position in range(len(prompts))]


def _generate(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompts: Sequence[list[int]],
    max_new_tokens: int,
) -> list[list[int]]:
    import torch

    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    width = max(len(prompt) for prompt in prompts)
    ids = [[pad] * (width - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    with torch.inference_mode():
        output: Any = model.generate(  # type: ignore[operator]
            input_ids=torch.tensor(ids, device=model.device),
            attention_mask=torch.tensor(mask, device=model.device),
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=pad,
            eos_token_id=tokenizer.eos_token_id,
        )
    return [row[width:] for row in output.tolist()]


def _cut(tokenizer: "PreTrainedTokenizerBase", ids: list[int]) -> Answered:
    ended = tokenizer.eos_token_id in ids
    if ended:
        ids = ids[: ids.index(tokenizer.eos_token_id)]
    text = tokenizer.decode(ids, skip_special_tokens=True)
    return Answered(str(text), "stop" if ended else "length")
