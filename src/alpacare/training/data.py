"""From responses to a tokenizer and packed sequences of tokens."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from alpacare.core.errors import BadInput
from alpacare.core.names import public_name
from alpacare.prompting.chat_template import encode_conversation
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.dropped import Dropped
from alpacare.records.message import SEVERAL_TURNS
from alpacare.records.response import Response
from alpacare.training.packing import (
    Example,
    PackedSequence,
    best_fit_decreasing,
    build_tensors,
    encode_example,
    join_parts,
)
from alpacare.training.rows import untrainable
from alpacare.training.sequences import PackedSequences
from alpacare.training.settings import CheckpointSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class TrainingData:
    """Sequences to train on and sequences held out; and what did not fit."""

    train: PackedSequences
    validation: PackedSequences
    dropped: list[Dropped]
    teachers: list[str]  # the models that wrote the answers


def prepare_data(
    responses: Sequence[Response],
    prompt: StudentPrompt,
    tokenizer: "PreTrainedTokenizerBase",
    settings: CheckpointSettings,
    check_ids: Callable[[Sequence[int], str], None] = lambda *_: None,
) -> TrainingData:
    """Tokenise, hold out, and pack; `check_ids` takes each example's tokens and its id.

    Raises:
        BadInput: not one example is left, or what `check_ids` raises.
    """
    kept: dict[str, Example] = {}
    dropped: list[Dropped] = []
    encoder = Encoder(tokenizer, prompt, settings.max_seq_length)
    for response in responses:
        example = encoder.encode(response)
        if isinstance(example, Example) and example.truncated and settings.too_long == "drop":
            example = "too_long"
        if isinstance(example, Example):
            check_ids(example.ids, response.id)
            # four bytes a token; in a list of Python's numbers, ten times as many
            kept[response.id] = replace(example, ids=array("i", example.ids))
            continue
        drop = Dropped(id=response.id, stage="checkpoint", reason=example, witness=response.request)
        dropped.append(drop)
    held_out = set(choose_held_out(list(kept), settings.validation_ratio))
    train = [kept[id] for id in kept if id not in held_out]
    if not train:
        raise _nothing_left(dropped, settings)
    return TrainingData(
        train=PackedSequences.of(pack_examples(train, settings)),
        validation=PackedSequences.of(
            pack_examples([kept[id] for id in kept if id in held_out], settings)
        ),
        dropped=dropped,
        teachers=sorted({public_name(response.model) for response in responses}),
    )


def _nothing_left(dropped: Sequence[Dropped], settings: CheckpointSettings) -> BadInput:
    """Say why there is nothing to train on."""
    length = f"checkpoint.max_seq_length is {settings.max_seq_length} tokens; raise it"
    advice = {
        "prompt_too_long": length,
        "too_long": length,
        "no_response": "the answers are empty",
        "turns_not_in_template": "the base's chat template refuses such turns, or does not show "
        "them; take another base, or rows without system turns",
        SEVERAL_TURNS: "prompt: alpaca holds one question; take chat",
    }
    counts = Counter(row.reason for row in dropped).most_common()
    told = ", ".join(f"{count} {reason} ({advice[reason]})" for reason, count in counts)
    return BadInput(f"not one row is left to train on: {told}")


@dataclass
class Encoder:
    """Makes a row of responses an example: a question and its answer, or a conversation."""

    tokenizer: "PreTrainedTokenizerBase"
    prompt: StudentPrompt
    max_length: int

    def __post_init__(self) -> None:
        self.end = self.prompt.end_ids(self.tokenizer)

    def encode(self, row: Response) -> Example | str:
        """Give the example, or the reason why there is none."""
        complete = row.finish_reason != "length"
        if reason := untrainable(row, self.prompt.form):
            return reason
        if row.messages and self.prompt.form == "chat":
            turns = [turn.model_dump() for turn in row.messages]
            parts = encode_conversation(self.tokenizer, turns, complete)
            if parts is None:
                return "turns_not_in_template"
            return join_parts(parts, self.max_length) or "prompt_too_long"
        ids = self.prompt.encode(self.tokenizer, row.instruction, row.input)
        end = self.end if complete else []
        example = encode_example(self.tokenizer, ids, row.output, end, self.max_length)
        return example or ("prompt_too_long" if row.output else "no_response")


def choose_held_out(ids: Sequence[str], ratio: float) -> list[str]:
    """Choose examples for validation by a hash of their ids, so that most stay when data grows."""
    ranked = sorted(ids, key=lambda id: hashlib.sha256(id.encode()).digest())
    chosen = set(ranked[: round(ratio * len(ids))])
    return [id for id in ids if id in chosen]


def pack_examples(
    examples: Sequence[Example], settings: CheckpointSettings
) -> list[PackedSequence]:
    """Pack examples into sequences: many to a sequence, or with `packing: false` one."""
    if not settings.packing:
        return [[example] for example in examples]
    lengths = [len(example.ids) for example in examples]
    bins = best_fit_decreasing(lengths, settings.max_seq_length)
    return [[examples[position] for position in each] for each in bins]


def sequences_per_step(data: TrainingData, batch_size: int) -> int:
    """How many sequences hold `batch_size` examples, on average."""
    return max(1, round(batch_size * len(data.train) / len(data.train.lengths)))


def collate_padded(
    sequences: Sequence[PackedSequence], length: int | None, pad_id: int
) -> dict[str, Any]:
    """Stack sequences into a batch [sequences, length]; length None: unpacked, one example each."""
    import torch

    longest = max((sum(len(example.ids) for example in each) for each in sequences), default=1)
    built = [build_tensors(each, length or max(1, longest), pad_id) for each in sequences]
    batch = {name: torch.stack([tensors[name] for tensors in built]) for name in built[0]}
    if length is None:  # one example, padded on its right: any causal model knows its positions
        del batch["position_ids"]
    return batch


class StepSplit(NamedTuple):
    """How the sequences of one step are split over a device's forward passes."""

    micro_batch_size: int
    accumulation_steps: int


def split_step(per_step: int, processes: int, micro_batch_size: int | None) -> StepSplit:
    """Split a step's sequences into micro batches and gradient accumulation steps.

    `micro_batch_size` is the most that fits on a device. A step that does not divide evenly is
    rounded up, by less than a sequence for each micro batch and process.
    """
    each = -(-per_step // processes)
    accumulation = -(-each // (micro_batch_size or each))
    return StepSplit(-(-each // accumulation), accumulation)
