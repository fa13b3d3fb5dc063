"""Stage `checkpoint`: fine-tune the student on the responses.

The folder it writes holds everything that later stages and people need: weights (safetensors),
tokenizer, the prompt templates it was trained with, `history.jsonl` (one line a step),
`training.json` (settings and counts), `dropped.jsonl`, `versions.json` and a model card.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alpacare import jsonl
from alpacare.command import FILE, Stage
from alpacare.determinism import make_deterministic
from alpacare.errors import BadInput
from alpacare.files import atomic_folder, write_json
from alpacare.progress import quiet_libraries
from alpacare.records.response import Response
from alpacare.settings import load
from alpacare.text.student_prompt import StudentPrompt, copy_templates
from alpacare.training import scratch
from alpacare.training.card import model_card
from alpacare.training.data import TrainingData, prepare, rows_a_step, save_rows
from alpacare.training.launch import launch
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student import RANDOM, StudentSettings, load_base
from alpacare.training.tokenizer import train_tokenizer
from alpacare.versions import versions

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@click.command(cls=Stage)
@click.argument("responses", type=FILE)
@click.argument("out", type=FILE)
@click.option("--prompt", type=FILE, required=True, help="Folder with the student's templates.")
@click.option("--hardware", type=FILE, required=True, help="What accelerate is to run on: YAML.")
def main(responses: Path, out: Path, prompt: Path, hardware: Path) -> None:
    """Fine-tune the student on RESPONSES and write the folder OUT.

    A run that was stopped, or killed, goes on from its last checkpoint with the same command.

    \b
    Example:
      python -m alpacare.stages.checkpoint data/responses.jsonl models/checkpoint \\
          --prompt prompts/student --hardware configs/accelerate/cpu.yaml
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
    name = scratch.fingerprint(
        {
            "settings": settings.model_dump(exclude={"report_to", "save_steps"}),
            "files": scratch.hash_files(responses, prompt, hardware),
            "base": _base_hash(settings.student),
            "versions": versions(""),
        }
    )
    folder = out.parent / ".scratch" / name
    write_job(folder, settings, data, tokenizer)
    launch(hardware, folder, settings.threads)
    history = json.loads((folder / "history.json").read_text())
    with atomic_folder(out) as fresh:
        collect(folder, fresh, settings, tokenizer)
        copy_templates(prompt, fresh / "prompt")
        (fresh / "history.jsonl").write_text("".join(json.dumps(h) + "\n" for h in history))
        jsonl.write(fresh / "dropped.jsonl", data.lost)
        training = summary(settings, data)
        write_json(fresh / "training.json", training)
        card = model_card(training, history, scratch.hash_files(responses))
        (fresh / "README.md").write_text(card)
        write_json(fresh / "versions.json", versions((folder / "device").read_text()))
    shutil.rmtree(folder)
    first, last = history[0]["loss"], history[-1]["loss"]
    click.echo(f"{len(data.examples)} examples, loss {first:.2f} -> {last:.2f}")


def _base_hash(student: StudentSettings) -> str:
    """A Hub model is named by its revision, a local one by its bytes."""
    folder = Path(student.base)
    return scratch.hash_files(folder) if folder.is_dir() else f"{student.base}@{student.revision}"


def make_tokenizer(
    student: StudentSettings, prompts: Sequence[str], outputs: Sequence[str]
) -> "PreTrainedTokenizerBase":
    """Train a tokenizer for a student made from nothing; a pretrained one brings its own."""
    if student.base == RANDOM:
        return train_tokenizer([*prompts, *outputs], student.architecture.vocab_size)
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(student.base, revision=student.revision)


def write_job(
    folder: Path,
    settings: CheckpointSettings,
    data: TrainingData,
    tokenizer: "PreTrainedTokenizerBase",
) -> None:
    """Write what the workers read."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder / "tokenizer")
    save_rows(data.train, folder / "train.npz")
    save_rows(data.validation, folder / "validation.npz")
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    job = {
        "settings": settings.model_dump(),
        "rows_per_step": rows_a_step(data, settings.optimizer.batch_size),
        "pad_id": pad,
    }
    write_json(folder / "job.json", job)


def collect(
    folder: Path,
    fresh: Path,
    settings: CheckpointSettings,
    tokenizer: "PreTrainedTokenizerBase",
) -> None:
    """Take the weights, and with LoRA the base with its adapters merged in, and the tokenizer."""
    result = folder / "result"
    if settings.lora is None:
        for file in result.glob("*"):
            if file.suffix in (".safetensors", ".json"):
                shutil.copyfile(file, fresh / file.name)
    else:
        from peft import PeftModel

        base = load_base(settings.student, tokenizer, frozen=True)
        PeftModel.from_pretrained(base, result).merge_and_unload().save_pretrained(fresh)
        shutil.copytree(result, fresh / "adapter")
    tokenizer.save_pretrained(fresh)


def summary(settings: CheckpointSettings, data: TrainingData) -> dict[str, Any]:
    """Count examples, rows and tokens; no times, so that the same run gives the same bytes."""
    examples = data.examples
    tokens = sum(len(example.ids) for example in examples)
    prompt_tokens = sum(example.prompt_length for example in examples)
    per_step = rows_a_step(data, settings.optimizer.batch_size)
    longest = settings.row_length if settings.packing else max(len(e.ids) for e in examples)
    return {
        "settings": settings.model_dump(),
        "examples": len(examples),
        "held_out": sum(len(row) for row in data.validation),
        "truncated": sum(example.truncated for example in examples),
        "dropped": len(data.lost),
        "tokens": tokens,
        "response_tokens": tokens - prompt_tokens,
        "rows": len(data.train),
        "row_fill": round(tokens / (len(data.train) * longest), 4),
        "rows_per_step": per_step,
        "tokens_per_step": round(tokens * per_step / len(data.train)),
    }


if __name__ == "__main__":
    main()
