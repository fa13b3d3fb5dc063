"""From responses to rows of tokens, on disk between the stage and its workers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.dropped import Dropped
from alpacare.records.response import Response
from alpacare.training.packing import Example, best_fit, encode_example
from alpacare.training.settings import CheckpointSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Row = list[Example]


@dataclass(frozen=True)
class TrainingData:
    """Rows to train on and rows held out, each a list of examples; and what did not fit."""

    train: list[Row]
    validation: list[Row]
    lost: list[Dropped]
    teachers: list[str]  # the models that wrote the answers

    @property
    def examples(self) -> list[Example]:
        """Every example that is trained on."""
        return [example for row in self.train for example in row]


def prepare(
    responses: Sequence[Response],
    prompt: StudentPrompt,
    tokenizer: "PreTrainedTokenizerBase",
    settings: CheckpointSettings,
) -> TrainingData:
    """Tokenise, hold out, and lay into rows.

    Raises:
        BadInput: not one example fits.
    """
    kept: dict[str, Example] = {}
    lost: list[Dropped] = []
    for response in responses:
        complete = response.finish_reason != "length"
        asked = prompt.encode(tokenizer, response.instruction, response.input)
        example = encode_example(tokenizer, asked, response.output, complete, settings.row_length)
        if example is None:
            lost.append(_drop(response, "prompt_too_long" if response.output else "no_response"))
        elif example.truncated and settings.too_long == "drop":
            lost.append(_drop(response, "too_long"))
        else:
            kept[response.id] = example
    held = held_out(list(kept), settings.validation_share)
    train = [example for id, example in kept.items() if id not in held]
    if not train:
        raise BadInput(
            f"no example fits into checkpoint.row_length, {settings.row_length} tokens; raise it"
        )
    return TrainingData(
        train=lay(train, settings),
        validation=lay([kept[id] for id in held], settings),
        lost=lost,
        teachers=sorted({response.model for response in responses}),
    )


def _drop(response: Response, reason: str) -> Dropped:
    return Dropped(id=response.id, stage="checkpoint", reason=reason, witness=response.request)


def held_out(ids: Sequence[str], share: float) -> list[str]:
    """Choose examples for validation by a hash of their ids, so that most stay when data grows."""
    ranked = sorted(ids, key=lambda id: hashlib.sha256(id.encode()).digest())
    chosen = set(ranked[: round(share * len(ids))])
    return [id for id in ids if id in chosen]


def lay(examples: Sequence[Example], settings: CheckpointSettings) -> list[Row]:
    """Lay examples into rows: many to a row, or with `packing: false` one."""
    if not settings.packing:
        return [[example] for example in examples]
    groups = best_fit([len(example.ids) for example in examples], settings.row_length)
    return [[examples[place] for place in group] for group in groups]


def rows_a_step(data: TrainingData, batch_size: int) -> int:
    """How many rows hold `batch_size` examples, on average."""
    return max(1, round(batch_size * len(data.train) / len(data.examples)))


def save_rows(rows: Sequence[Row], path: Path) -> None:
    """Write rows as arrays of numbers, to be read by every worker."""
    import numpy as np

    examples = [example for row in rows for example in row]
    np.savez(
        path,
        ids=np.array([token for example in examples for token in example.ids], dtype=np.int32),
        lengths=np.array([len(example.ids) for example in examples], dtype=np.int64),
        prompts=np.array([example.prompt_length for example in examples], dtype=np.int64),
        sizes=np.array([len(row) for row in rows], dtype=np.int64),
    )


def load_rows(path: Path) -> list[Row]:
    """Read what `save_rows` wrote."""
    import numpy as np

    with np.load(path) as arrays:
        ids, lengths, prompts, sizes = (
            arrays[name] for name in ("ids", "lengths", "prompts", "sizes")
        )
    ends = np.cumsum(lengths)
    examples = [
        Example(ids[end - length : end].tolist(), int(prompt), truncated=False)
        for end, length, prompt in zip(ends, lengths, prompts, strict=True)
    ]
    places = np.cumsum(sizes)
    return [examples[end - size : end] for end, size in zip(places, sizes, strict=True)]


def collate(rows: Sequence[Row], length: int | None, pad_id: int) -> dict[str, Any]:
    """Stack rows into a batch [rows, length]; length None: rows of one example, unpacked."""
    import torch

    from alpacare.training.packing import build_row

    longest = max((sum(len(example.ids) for example in row) for row in rows), default=1)
    built = [build_row(row, length or max(1, longest), pad_id) for row in rows]
    batch = {name: torch.stack([row[name] for row in built]) for name in built[0]}
    if length is None:  # one example a row, padded on its right: any causal model knows its places
        del batch["position_ids"]
    return batch


def shares(rows_per_step: int, processes: int, micro_rows: int | None) -> tuple[int, int]:
    """Split a step's rows: (rows at once on a device, turns of each device).

    `micro_rows` is the most that fits into a device. A step that does not divide evenly is rounded
    up, by less than a row a turn and process.
    """
    each = -(-rows_per_step // processes)
    turns = -(-each // (micro_rows or each))
    return -(-each // turns), turns
