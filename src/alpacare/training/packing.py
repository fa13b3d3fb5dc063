"""Sequence packing: several training examples in one sequence, none of which sees another.

Prompt and response, and the turns of a conversation, are tokenised apart, so the loss mask sits
exactly on their boundary. Position ids restart at each example: with no attention mask and no
cache, transformers reads the restarts as block boundaries, and tokens attend only inside their own
example.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alpacare.prompting.chat_template import Part

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORE_INDEX = -100  # torch's cross entropy skips this label


@dataclass(frozen=True)
class Example:
    """Token ids of prompt and response; the loss counts those from `prompt_length` on.

    `gaps`: in a conversation, the later turns that are read and not written, (start, end) each.
    """

    ids: Sequence[int]
    prompt_length: int
    truncated: bool
    gaps: tuple[tuple[int, int], ...] = ()


PackedSequence = list[Example]


def encode_example(
    tokenizer: "PreTrainedTokenizerBase",
    prompt_ids: list[int],
    response: str,
    end: list[int],
    max_length: int,
) -> Example | None:
    """Append a response to its prompt's ids, cut to fit; None when none of it is left.

    `end` is what ends it, and nothing for one that the teacher's token limit cut off: from it a
    student would learn to stop in mid-sentence.
    """
    response_ids = tokenizer.encode(response, add_special_tokens=False) + end
    return join_parts([(prompt_ids, False), (response_ids, True)], max_length)


def join_parts(parts: Sequence[Part], max_length: int) -> Example | None:
    """Join parts that are read and parts that are written, cut to fit; None if none is written."""
    ids: list[int] = []
    gaps: list[tuple[int, int]] = []  # of what is read
    for part, written in parts:
        if not written:
            gaps.append((len(ids), min(len(ids) + len(part), max_length)))
        ids += part
    prompt_length = gaps[0][1] if gaps else 0
    if prompt_length >= min(len(ids), max_length):
        return None
    later = tuple(gap for gap in gaps[1:] if gap[0] < max_length)
    return Example(ids[:max_length], prompt_length, len(ids) > max_length, later)


def best_fit_decreasing(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Pack items into bins: longest first, each where the least space stays free.

    Returns positions by bin. No length may exceed `capacity`. O(n log n) comparisons.
    """
    bins: list[list[int]] = []
    free: list[tuple[int, int]] = []  # (free tokens, bin), sorted
    for position in sorted(range(len(lengths)), key=lambda p: (-lengths[p], p)):
        place = bisect_left(free, (lengths[position], -1))
        if place == len(free):
            bins.append([])
            left, chosen = capacity, len(bins) - 1
        else:
            left, chosen = free.pop(place)
        bins[chosen].append(position)
        insort(free, (left - lengths[position], chosen))
    return bins


def build_tensors(examples: Sequence[Example], length: int, pad_id: int) -> dict[str, Any]:
    """Concatenate examples: `input_ids`, `position_ids` and `labels`, each [length] int64."""
    import torch

    ids: list[int] = []
    positions: list[int] = []
    labels: list[int] = []
    for example in examples:
        ids += example.ids
        positions += range(len(example.ids))
        start = len(labels)
        labels += example.ids
        for first, last in ((0, example.prompt_length), *example.gaps):
            labels[start + first : start + last] = [IGNORE_INDEX] * (last - first)
    padding = length - len(ids)
    return {
        "input_ids": torch.tensor(ids + [pad_id] * padding),
        # padding counts from 0 too, so it is a block of its own
        "position_ids": torch.tensor(positions + list(range(padding))),
        "labels": torch.tensor(labels + [IGNORE_INDEX] * padding),
    }
