"""Training examples laid into rows of fixed length, several to a row, none seeing another.

Prompt and response are tokenised apart, so the loss mask sits exactly on their boundary. Position
ids restart at each example: with no attention mask and no cache, transformers reads the restarts
as block boundaries, and tokens attend only inside their own example.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # torch's cross entropy skips this label


@dataclass(frozen=True)
class Example:
    """Token ids of prompt and response; the loss counts those from `prompt_length` on."""

    ids: list[int]
    prompt_length: int
    truncated: bool


def encode_example(
    tokenizer: "PreTrainedTokenizerBase",
    asked: list[int],
    response: str,
    complete: bool,
    longest: int,
) -> Example | None:
    """Put a response behind the prompt `asked`, cut to fit; None when none of it is left.

    Only a `complete` response gets an end of text: from one that the teacher's token limit cut
    off, a student would learn to stop in mid-sentence.
    """
    end = [tokenizer.eos_token_id] if complete else []
    answer = tokenizer.encode(response, add_special_tokens=False) + end
    if len(asked) >= longest or not answer:
        return None
    ids = asked + answer
    return Example(ids[:longest], len(asked), truncated=len(ids) > longest)


def best_fit(lengths: Sequence[int], row_length: int) -> list[list[int]]:
    """Put items into rows: longest first, each where the least room stays (best-fit decreasing).

    Returns positions by row. No length may exceed `row_length`. O(n log n) comparisons.
    """
    rows: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (free tokens, row), sorted
    for position in sorted(range(len(lengths)), key=lambda p: (-lengths[p], p)):
        place = bisect_left(room, (lengths[position], -1))
        if place == len(room):
            rows.append([])
            free, row = row_length, len(rows) - 1
        else:
            free, row = room.pop(place)
        rows[row].append(position)
        insort(room, (free - lengths[position], row))
    return rows


def build_row(examples: Sequence[Example], row_length: int, pad_id: int) -> dict[str, Any]:
    """Lay examples end to end: `input_ids`, `position_ids`, `labels`, each [row_length] int64."""
    import torch

    ids: list[int] = []
    positions: list[int] = []
    labels: list[int] = []
    for example in examples:
        ids += example.ids
        positions += range(len(example.ids))
        labels += [IGNORED] * example.prompt_length + example.ids[example.prompt_length :]
    padding = row_length - len(ids)
    return {
        "input_ids": torch.tensor(ids + [pad_id] * padding),
        # padding counts from 0 too, so it is a block of its own
        "position_ids": torch.tensor(positions + list(range(padding))),
        "labels": torch.tensor(labels + [IGNORED] * padding),
    }
