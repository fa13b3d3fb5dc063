"""Stage `checkpoint`: fine-tune the student on the responses.

The folder it writes holds everything that later stages and people need: weights (safetensors),
tokenizer, the prompt templates it was trained with, `history.jsonl` (one line a step),
`training.json` (settings and counts), `dropped.jsonl` and `versions.json`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import Field

from alpacare import jsonl
from alpacare.command import FILE, Stage
from alpacare.determinism import make_deterministic
from alpacare.errors import BadInput
from alpacare.files import atomic_folder, write_json
from alpacare.progress import quiet_libraries
from alpacare.records.dropped import Dropped
from alpacare.records.response import Response
from alpacare.settings import Settings, load
from alpacare.text.student_prompt import StudentPrompt, copy_templates
from alpacare.training.packing import Example, best_fit, build_row, encode_example
from alpacare.training.student import RANDOM, StudentSettings, load_student
from alpacare.training.tokenizer import train_tokenizer
from alpacare.training.trainer import OptimizerSettings, train
from alpacare.versions import versions

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class CheckpointSettings(Settings):
    """Section `checkpoint` of params.yaml."""

    student: StudentSettings
    optimizer: OptimizerSettings
    row_length: int = Field(gt=1)
    threads: int = Field(gt=0)


@click.command(cls=Stage)
@click.argument("responses", type=FILE)
@click.argument("out", type=FILE)
@click.option("--prompt", type=FILE, required=True, help="Folder with the student's templates.")
def main(responses: Path, out: Path, prompt: Path) -> None:
    """Fine-tune the student on RESPONSES and write the folder OUT.

    \b
    Example:
      python -m alpacare.stages.checkpoint data/responses.jsonl models/checkpoint \\
          --prompt prompts/student
    """
    settings = load("checkpoint", CheckpointSettings)
    rows = jsonl.read(responses, Response, unique="id")
    if not rows:
        raise BadInput(f"{responses}: no responses to train on")
    if out.is_file():  # said before hours of training, and not by the writing after them
        raise BadInput(f"{out}: is a file; name a folder to write")
    template = StudentPrompt.read(prompt)
    make_deterministic(settings.student.seed, settings.threads)
    quiet_libraries()
    prompts = [template.fill(row.instruction, row.input) for row in rows]
    tokenizer = make_tokenizer(settings.student, prompts, [row.output for row in rows])
    data = prepare(rows, prompts, tokenizer, settings)
    model = load_student(settings.student, tokenizer)
    history = train(model, data.packed, data.rows_per_step, settings.optimizer, settings.student)
    with atomic_folder(out) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        copy_templates(prompt, folder / "prompt")
        (folder / "history.jsonl").write_text("".join(json.dumps(h) + "\n" for h in history))
        jsonl.write(folder / "dropped.jsonl", data.lost)
        write_json(folder / "training.json", summary(settings, data))
        write_json(folder / "versions.json", versions(str(model.device)))
    first, last = history[0]["loss"], history[-1]["loss"]
    click.echo(f"{len(data.examples)} examples, loss {first:.2f} -> {last:.2f}")


@dataclass(frozen=True)
class TrainingData:
    """Examples, their rows of packed tokens, and the responses that did not fit."""

    examples: list[Example]
    packed: list[dict[str, Any]]
    rows_per_step: int
    lost: list[Dropped]


def prepare(
    rows: Sequence[Response],
    prompts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    settings: CheckpointSettings,
) -> TrainingData:
    """Tokenise and pack; a step takes as many rows as hold `batch_size` examples on average.

    Raises:
        BadInput: not one prompt leaves room for a response.
    """
    examples: list[Example] = []
    lost: list[Dropped] = []
    for row, prompt in zip(rows, prompts, strict=True):
        complete = row.finish_reason != "length"
        example = encode_example(tokenizer, prompt, row.output, complete, settings.row_length)
        if example:
            examples.append(example)
        else:
            lost.append(too_long(row))
    if not examples:
        raise BadInput("no prompt is shorter than checkpoint.row_length; raise it")
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    groups = best_fit([len(example.ids) for example in examples], settings.row_length)
    packed = [build_row([examples[p] for p in g], settings.row_length, pad) for g in groups]
    per_step = max(1, round(settings.optimizer.batch_size * len(packed) / len(examples)))
    return TrainingData(examples, packed, per_step, lost)


def make_tokenizer(
    student: StudentSettings, prompts: Sequence[str], outputs: Sequence[str]
) -> "PreTrainedTokenizerBase":
    """Train a tokenizer for a student made from nothing; a pretrained one brings its own."""
    if student.base == RANDOM:
        return train_tokenizer([*prompts, *outputs], student.architecture.vocab_size)
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(student.base, revision=student.revision)


def too_long(row: Response) -> Dropped:
    """Say that a prompt leaves no room for its response."""
    return Dropped(id=row.id, stage="checkpoint", reason="prompt_too_long", witness=row.request)


def summary(settings: CheckpointSettings, data: TrainingData) -> dict[str, Any]:
    """Count examples, rows and tokens; no times, so that the same run gives the same bytes."""
    tokens = sum(len(example.ids) for example in data.examples)
    prompt_tokens = sum(example.prompt_length for example in data.examples)
    return {
        "settings": settings.model_dump(),
        "examples": len(data.examples),
        "truncated": sum(example.truncated for example in data.examples),
        "dropped": len(data.lost),
        "tokens": tokens,
        "response_tokens": tokens - prompt_tokens,
        "rows": len(data.packed),
        "row_fill": round(tokens / (len(data.packed) * settings.row_length), 4),
        "rows_per_step": data.rows_per_step,
    }


if __name__ == "__main__":
    main()
