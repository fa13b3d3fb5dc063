"""Stage `checkpoint`: fine-tune the student on the responses.

The folder it writes holds everything that later stages and people need: weights (safetensors),
tokenizer, the prompt templates it was trained with, `history.jsonl` (one line a step),
`training.json` (settings and counts), `dropped.jsonl`, `versions.json`, a model card, and on a GPU
`speed.json`.
"""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alpacare.compute import scratch
from alpacare.compute.determinism import make_deterministic
from alpacare.compute.versions import versions
from alpacare.compute.workers import lock_name
from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import alone
from alpacare.core.files import atomic_folder
from alpacare.core.progress import quiet_libraries
from alpacare.core.settings import load
from alpacare.prompting import student_prompt
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.training import launch as launcher
from alpacare.training.data import TrainingData, prepare, rows_a_step, save_rows, shares
from alpacare.training.hardware import Hardware, check_machine, read_hardware
from alpacare.training.launch import launch, tell_the_others
from alpacare.training.memory_check import check_room
from alpacare.training.result import longest_row, summary, write_result
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student import RANDOM, StudentSettings, load_tokenizer
from alpacare.training.tokenizer import train_tokenizer
from alpacare.training.trainer import Job

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
    template = StudentPrompt.choose(settings.prompt, prompt)
    machine = read_hardware(hardware)
    check_machine(settings, machine)
    make_deterministic(settings.student.seed, settings.threads)
    quiet_libraries()
    tokenizer = make_tokenizer(settings.student, template, rows)
    data = prepare(rows, template, tokenizer, settings)
    inputs = scratch.hash_files(responses, prompt, hardware)
    folder = out.parent / ".scratch" / name_run(settings, inputs)
    at_once, turns = share = share_out(settings, machine, data)
    check_room(settings, machine, (at_once, longest_row(settings, data)), turns > 1, folder)
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / "stage.lock"):
        with alone(folder / lock_name(0)):  # a worker outlives a stage that was killed
            write_job(folder, settings, machine, data, tokenizer)
        tell_of_leftovers(folder, out)
        if machine.num_machines > 1:
            told = tell_the_others(hardware, machine, folder, settings)
            click.echo(f"on each other machine, with its RANK (1, 2, ...):\n  {told}", err=True)
        launch(hardware, machine, folder, settings)
        per_step = math.prod(share) * machine.num_processes
        training = summary(settings, data, scratch.hash_files(responses), per_step)
        with atomic_folder(out) as fresh:
            told = write_result(folder, fresh, settings, training, tokenizer)
            jsonl.write(fresh / "dropped.jsonl", data.lost)
            template.save(fresh / "prompt")
        shutil.rmtree(folder)
    click.echo(told)


def make_tokenizer(
    student: StudentSettings, prompt: StudentPrompt, rows: Sequence[Response]
) -> "PreTrainedTokenizerBase":
    """Train a tokenizer for a student made from nothing; a pretrained one brings its own."""
    if student.base != RANDOM:
        return load_tokenizer(student)
    prompts = [prompt.fill(row.instruction, row.input) for row in rows]
    texts = [*prompts, *(row.output for row in rows)]
    return train_tokenizer(texts, student.architecture.vocab_size)


def name_run(settings: CheckpointSettings, inputs: str) -> str:
    """Name a run by all that shapes its weights."""
    student = settings.student
    return scratch.fingerprint(
        {
            "settings": settings.model_dump(exclude={"report_to", "save_steps"}),
            "files": inputs,
            "base": scratch.hash_model(student.base, student.revision),
            "code": scratch.hash_files(
                *sorted(Path(launcher.__file__).parent.glob("*.py")), Path(student_prompt.__file__)
            ),
            "versions": versions(""),
        }
    )


def share_out(
    settings: CheckpointSettings, machine: Hardware, data: TrainingData
) -> tuple[int, int]:
    """Give the rows at once on a device, and how often, for a step."""
    per_step = rows_a_step(data, settings.optimizer.batch_size)
    return shares(per_step, machine.num_processes, settings.micro_rows)


def write_job(
    folder: Path,
    settings: CheckpointSettings,
    machine: Hardware,
    data: TrainingData,
    tokenizer: "PreTrainedTokenizerBase",
) -> None:
    """Write what the workers read."""
    tokenizer.save_pretrained(folder / "tokenizer")
    save_rows(data.train, folder / "train.npz")
    save_rows(data.validation, folder / "validation.npz")
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    job = Job(
        settings=settings,
        rows_per_step=rows_a_step(data, settings.optimizer.batch_size),
        pad_id=pad,
        cpu=machine.use_cpu,
        sharded=machine.sharded,
    )
    (folder / "job.json").write_text(job.model_dump_json(indent=2))


def tell_of_leftovers(folder: Path, out: Path) -> None:
    """Name what killed runs and those with other settings left: for 7B that is 80 GB each."""
    for other in [*scratch.others(folder), *out.parent.glob(f".{out.name}.*")]:
        click.echo(
            f"note: {other} ({scratch.size(other) / 1e9:.1f} GB) is left from a run that was "
            "killed, or had other settings or data; delete it unless you go back to them",
            err=True,
        )


if __name__ == "__main__":
    main()
