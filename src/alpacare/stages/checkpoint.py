"""Stage `checkpoint`: fine-tune one student on its rows, with one training seed.

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
from alpacare.compute.pinned_model import PinnedModel
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
from alpacare.training.data import prepare_data, sequences_per_step, split_step
from alpacare.training.hardware import Hardware, check_machine, read_hardware
from alpacare.training.launch import other_machines_command, train_job
from alpacare.training.memory_check import check_memory_and_disk
from alpacare.training.prepared import Prepared, read_prepared, write_prepared
from alpacare.training.result import longest_sequence, summarise_training, write_result
from alpacare.training.settings import CheckpointSettings, TrainingSettings
from alpacare.training.student import find_base, load_base_tokenizer
from alpacare.training.student_file import read_student
from alpacare.training.trainer import TrainingJob
from alpacare.training.worker import JOB


@click.command(cls=Stage)
@click.argument("student", type=FILE)
@click.argument("rows", type=FILE)
@click.argument("out", type=FILE)
@click.option("--seed", type=int, required=True, help="Training seed: order of rows, dropout.")
@click.option("--base-model", type=FILE, required=True, help="What base `random` stands for.")
@click.option("--prompt", type=FILE, required=True, help="Folder with the student's templates.")
@click.option("--hardware", type=FILE, required=True, help="Folder of what accelerate runs on.")
def main(
    student: Path, rows: Path, out: Path, seed: int, base_model: Path, prompt: Path, hardware: Path
) -> None:
    """Fine-tune the student in the file STUDENT on ROWS and write the folder OUT.

    Where it runs is section `training` of params.yaml: no weight depends on it. A run that was
    stopped, or killed, goes on from its last checkpoint with the same command.

    \b
    Example:
      python -m alpacare.stages.checkpoint students/all-rows.yaml \\
          data/student_rows/all-rows.jsonl models/checkpoint/all-rows/0 --seed 0 \\
          --base-model models/base_model --prompt prompts/student --hardware configs/accelerate
    """
    settings = read_student(student)
    training = load("training", TrainingSettings)
    if out.is_file():  # before hours of training, not at the end
        raise BadInput(f"{out}: is a file; name a folder to write")
    template = StudentPrompt.choose(settings.prompt, prompt)
    config = hardware / f"{training.hardware}.yaml"
    machine = read_hardware(config)
    base = find_base(settings, base_model)
    make_deterministic(seed, settings.threads)
    check_machine(settings, training, machine, base)
    quiet_libraries()
    files = {"data": hash_files(rows), "prompt": hash_files(prompt), "hardware": config.read_text()}
    weights = hash_model(base.model, base.revision)
    folder = out.parent / ".scratch" / name_run(settings, seed, files, weights)
    ready = read_prepared(folder)
    prepared = ready or prepare(rows, template, settings, base)
    data = prepared.data
    per_step = sequences_per_step(data, settings.optimizer.batch_size)
    split = split_step(per_step, machine.num_processes, settings.micro_batch_size)
    micro_batch = (split.micro_batch_size, longest_sequence(settings, data))
    accumulating = split.accumulation_steps > 1
    check_memory_and_disk(settings, base, machine, micro_batch, accumulating, folder)
    job = make_job(settings, training, base, seed, machine, prepared, template)
    folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(folder / "stage.lock"):
        with hold_lock(folder / worker_lock(0)):  # a worker outlives a stage that was killed
            if not ready:
                write_prepared(folder, prepared)
            (folder / JOB).write_text(job.model_dump_json(indent=2))
        report_other_runs(folder, out)
        if machine.num_machines > 1:
            command = other_machines_command(config, machine, folder, settings)
            click.echo(f"on each other machine, with its RANK (1, 2, ...):\n  {command}", err=True)
        train_job(config, machine, folder, settings)
        check_inputs()  # before the weights leave the scratch folder
        per_step = split.micro_batch_size * split.accumulation_steps * machine.num_processes
        summary = summarise_training(job, student.stem, data, files["data"], weights, per_step)
        with atomic_folder(out) as fresh:
            line = write_result(folder, fresh, job, summary)
            jsonl.write(fresh / "dropped.jsonl", data.dropped)
            template.save(fresh / "prompt")
        shutil.rmtree(folder)
    click.echo(line)


def prepare(
    responses: Path, template: StudentPrompt, settings: CheckpointSettings, base: PinnedModel
) -> Prepared:
    """Read, tokenise and pack the rows.

    Raises:
        BadInput: no rows, a bad row, or not one that fits.
    """
    rows = jsonl.read(responses, Response, unique="id")
    if not rows:
        raise BadInput(f"{responses}: no rows to train on")
    tokenizer = load_base_tokenizer(base)
    return Prepared(prepare_data(rows, template, tokenizer, settings), tokenizer)


def name_run(
    settings: CheckpointSettings, seed: int, files: dict[str, str], base: str | None
) -> str:
    """Name a run by all that shapes its weights: hashes of its inputs, and of the base model."""
    parts: dict[str, Any] = {
        "settings": settings.model_dump(exclude={"rows"}),
        "seed": seed,
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


def make_job(
    settings: CheckpointSettings,
    training: TrainingSettings,
    base: PinnedModel,
    seed: int,
    machine: Hardware,
    prepared: Prepared,
    template: StudentPrompt,
) -> TrainingJob:
    """Put together what the workers read beside the prepared data."""
    tokenizer = prepared.tokenizer
    return TrainingJob(
        settings=settings,
        training=training,
        base=base,
        seed=seed,
        sequences_per_step=sequences_per_step(prepared.data, settings.optimizer.batch_size),
        pad_id=0,  # it is masked, so any will do; a tokenizer's own may have no embedding
        end_ids=sorted({*template.end_ids(tokenizer), tokenizer.eos_token_id}),
        cpu=machine.use_cpu,
        sharded=machine.sharded,
    )


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
