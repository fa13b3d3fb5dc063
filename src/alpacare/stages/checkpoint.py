"""Stage `checkpoint`: fine-tune the student on the responses.

The folder it writes holds everything that later stages and people need: weights (safetensors),
tokenizer, the prompt templates it was trained with, `history.jsonl` (one line a step),
`training.json` (settings and counts), `dropped.jsonl`, `versions.json`, a model card, and on a GPU
`speed.json`.
"""

import shutil
from pathlib import Path
from typing import Any

import click

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.machine import versions
from alpacare.compute.scratch import (
    fingerprint,
    folder_size,
    hash_code,
    hash_files,
    hash_model,
    other_runs,
)
from alpacare.compute.workers import worker_lock
from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock
from alpacare.core.files import atomic_folder
from alpacare.core.input_state import check_inputs
from alpacare.core.progress import quiet_libraries
from alpacare.core.settings import load
from alpacare.prompting import student_prompt, templates
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records import response
from alpacare.records.response import Response
from alpacare.training import launch
from alpacare.training.data import (
    make_tokenizer,
    prepare_data,
    sequences_per_step,
    split_step,
)
from alpacare.training.hardware import Hardware, check_machine, read_hardware
from alpacare.training.launch import launch_workers, other_machines_command
from alpacare.training.memory_check import check_memory_and_disk
from alpacare.training.prepared import Prepared, read_prepared, write_prepared
from alpacare.training.result import longest_sequence, summarise_training, write_result
from alpacare.training.settings import CheckpointSettings
from alpacare.training.trainer import TrainingJob


@click.command(cls=Stage)
@click.argument("responses", type=FILE)
@click.argument("out", type=FILE)
@click.option("--prompt", type=FILE, required=True, help="Folder with the student's templates.")
@click.option("--hardware", type=FILE, required=True, help="What accelerate runs on: YAML.")
def main(responses: Path, out: Path, prompt: Path, hardware: Path) -> None:
    """Fine-tune the student on RESPONSES and write the folder OUT.

    A run that was stopped, or killed, goes on from its last checkpoint with the same command.

    \b
    Example:
      python -m alpacare.stages.checkpoint data/responses.jsonl models/checkpoint \\
          --prompt prompts/student --hardware configs/accelerate/cpu.yaml
    """
    settings = load("checkpoint", CheckpointSettings)
    if out.is_file():  # before hours of training, not at the end
        raise BadInput(f"{out}: is a file; name a folder to write")
    template = StudentPrompt.choose(settings.prompt, prompt)
    machine = read_hardware(hardware)
    check_machine(settings, machine)
    make_deterministic(settings.student.seed, settings.threads)
    quiet_libraries()
    files = {"data": hash_files(responses), "files": hash_files(prompt, hardware)}
    base = hash_model(settings.student.base, settings.student.revision)
    folder = out.parent / ".scratch" / name_run(settings, files, base)
    ready = read_prepared(folder)
    prepared = ready or prepare(responses, template, settings)
    data = prepared.data
    per_step = sequences_per_step(data, settings.optimizer.batch_size)
    split = split_step(per_step, machine.num_processes, settings.micro_batch_size)
    micro_batch = (split.micro_batch_size, longest_sequence(settings, data))
    check_memory_and_disk(settings, machine, micro_batch, split.accumulation_steps > 1, folder)
    folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(folder / "stage.lock"):
        with hold_lock(folder / worker_lock(0)):  # a worker outlives a stage that was killed
            if not ready:
                write_prepared(folder, prepared)
            write_job(folder, settings, machine, prepared)
        report_other_runs(folder, out)
        if machine.num_machines > 1:
            command = other_machines_command(hardware, machine, folder, settings)
            click.echo(f"on each other machine, with its RANK (1, 2, ...):\n  {command}", err=True)
        launch_workers(hardware, machine, folder, settings)
        check_inputs()  # before the weights leave the scratch folder
        per_step = split.micro_batch_size * split.accumulation_steps * machine.num_processes
        training = summarise_training(settings, data, files["data"], base, per_step)
        with atomic_folder(out) as fresh:
            line = write_result(folder, fresh, settings, training, prepared.tokenizer)
            jsonl.write(fresh / "dropped.jsonl", data.dropped)
            template.save(fresh / "prompt")
        shutil.rmtree(folder)
    click.echo(line)


def prepare(responses: Path, template: StudentPrompt, settings: CheckpointSettings) -> Prepared:
    """Read, tokenise and pack the responses.

    Raises:
        BadInput: no rows, a bad row, or not one that fits.
    """
    rows = jsonl.read(responses, Response, unique="id")
    if not rows:
        raise BadInput(f"{responses}: no responses to train on")
    tokenizer = make_tokenizer(settings.student, template, rows)
    return Prepared(prepare_data(rows, template, tokenizer, settings), tokenizer)


def name_run(settings: CheckpointSettings, files: dict[str, str], base: str | None) -> str:
    """Name a run by all that shapes its weights: hashes of its inputs, and of the base model."""
    parts: dict[str, Any] = {
        "settings": settings.model_dump(exclude={"report_to", "save_steps"}),
        "base": base,
        "code": [
            hash_code(launch.__file__),
            hash_files(
                Path(student_prompt.__file__), Path(templates.__file__), Path(response.__file__)
            ),
        ],
        "versions": versions(""),
    }
    return fingerprint({**parts, **files})


def write_job(
    folder: Path,
    settings: CheckpointSettings,
    machine: Hardware,
    prepared: Prepared,
) -> None:
    """Write what the workers read beside the prepared data."""
    tokenizer = prepared.tokenizer
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    job = TrainingJob(
        settings=settings,
        sequences_per_step=sequences_per_step(prepared.data, settings.optimizer.batch_size),
        pad_id=pad,
        cpu=machine.use_cpu,
        sharded=machine.sharded,
    )
    (folder / "job.json").write_text(job.model_dump_json(indent=2))


def report_other_runs(folder: Path, out: Path) -> None:
    """Name what killed runs, and those with other settings, left: for 7B that is 80 GB each."""
    for other in [*other_runs(folder), *out.parent.glob(f".{out.name}.*")]:
        click.echo(
            f"note: {other} ({folder_size(other) / 1e9:.1f} GB) is left from a run that was "
            "killed, or had other settings or data; delete it unless you go back to them",
            err=True,
        )


if __name__ == "__main__":
    main()
