"""Stage `checkpoint`: fine-tune one student on its rows, with one training seed.

The folder it writes holds everything that later stages and people need: weights (safetensors),
tokenizer, the prompt templates it was trained with, `history.jsonl` (one line a step),
`training.json` (settings and counts), `dropped.jsonl`, `versions.json`, a model card, and on a GPU
`speed.json`.
"""

import shutil
from pathlib import Path

import click

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.pinned_model import PinnedModel
from alpacare.compute.scratch import folder_size, other_runs
from alpacare.compute.workers import worker_lock
from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock
from alpacare.core.files import atomic_folder
from alpacare.core.input_state import check_inputs
from alpacare.core.progress import tell_start
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.training.checkpoints import FINISHED, LOCK
from alpacare.training.data import prepare_data, sequences_per_step, split_step
from alpacare.training.hardware import check_machine
from alpacare.training.launch import other_machines_command, train_job
from alpacare.training.machines import announce, in_job, machine_rank, wait_for_first
from alpacare.training.memory_check import check_memory_and_disk
from alpacare.training.prepared import Prepared, read_prepared, write_prepared
from alpacare.training.result import (
    longest_sequence,
    move_result,
    summarise_training,
    write_result,
)
from alpacare.training.run import TrainingRun, find_finished, find_run
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student import load_base_tokenizer, make_id_check
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
@click.option(
    "--train-in",
    type=FILE,
    metavar="SCRATCH",
    help="Only train, in a scratch folder whose name begins so; one of other settings is refused. "
    "The command without it then moves the result to OUT.",
)
def main(
    student: Path,
    rows: Path,
    out: Path,
    seed: int,
    base_model: Path,
    prompt: Path,
    hardware: Path,
    train_in: Path | None,
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
    if train_in:  # a job: with DVC it is told already
        click.get_current_context().with_resource(tell_start("training"))
    if out.is_file():  # before hours of training, not at the end
        raise BadInput(f"{out}: is a file; name a folder to write")
    run = find_run(student, rows, out, seed, base_model, prompt, hardware)
    if train_in and train_in.absolute() != run.folder.absolute():
        raise BadInput(
            f"{train_in}: by what is here now this training's folder is {run.folder}: settings, "
            "rows or code are not what they were when it was submitted; submit it again, or put "
            "them back"
        )
    if train_in and machine_rank(run.machine):
        return help_train(run)
    finished = find_finished(run.folder)
    if finished and not train_in:
        click.echo(f"trained before, in {finished}: moved to {out}, nothing is trained again")
    elif not finished:
        finished = run.scratch / FINISHED
        click.echo(train_run(run, student.stem, rows, finished))
    if not train_in:
        report_other_runs(finished.parent, out)
        with hold_lock(finished.parent / LOCK):
            move_result(finished, out)
            shutil.rmtree(finished.parent)


def train_run(run: TrainingRun, name: str, rows: Path, finished: Path) -> str:
    """Train to the end in the scratch folder, and write the result to its folder `finished`.

    Raises:
        BadInput: this machine cannot train it, or training failed; the line says why.
        KeyboardInterrupt: it was stopped; the message says how to go on.
    """
    settings, machine, folder = run.settings, run.machine, run.scratch
    make_deterministic(run.seed, settings.threads)
    check_machine(settings, run.training, machine, run.base)
    ready = read_prepared(folder)
    prepared = ready or prepare(rows, run.template, settings, run.base)
    data = prepared.data
    per_step = sequences_per_step(data, settings.optimizer.batch_size)
    split = split_step(per_step, machine.num_processes, settings.micro_batch_size)
    micro_batch = (split.micro_batch_size, longest_sequence(settings, data))
    accumulating = split.accumulation_steps > 1
    check_memory_and_disk(settings, run.base, machine, micro_batch, accumulating, folder)
    job = make_job(run, prepared)
    folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(folder / LOCK):
        with hold_lock(folder / worker_lock(0)):  # a worker outlives a stage that was killed
            if not ready:
                write_prepared(folder, prepared)
            (folder / JOB).write_text(job.model_dump_json(indent=2))
        if in_job(machine):
            announce(folder)
        elif machine.num_machines > 1:
            command = other_machines_command(run.config, machine, folder, settings)
            click.echo(f"on each other machine, with its RANK (1, 2, ...):\n  {command}", err=True)
        train_job(run.config, machine, folder, settings)
        check_inputs()  # before the weights leave the scratch folder
        per_step = split.micro_batch_size * split.accumulation_steps * machine.num_processes
        summary = summarise_training(job, name, data, run.data, run.weights, per_step)
        with atomic_folder(finished) as fresh:
            line = write_result(folder, fresh, job, summary)
            jsonl.write(fresh / "dropped.jsonl", data.dropped)
            run.template.save(fresh / "prompt")
    return line


def help_train(run: TrainingRun) -> None:
    """Run this machine's workers of a training that another one prepares and writes.

    Raises:
        BadInput: training failed; the line says why.
    """
    if wait_for_first(run):
        train_job(run.config, run.machine, run.scratch, run.settings)


def prepare(
    responses: Path, template: StudentPrompt, settings: CheckpointSettings, base: PinnedModel
) -> Prepared:
    """Read, tokenise and pack the rows.

    Raises:
        BadInput: no rows, a bad row, one with a token beyond the embedding, or not one that fits.
    """
    rows = jsonl.read(responses, Response, unique="id")
    if not rows:
        raise BadInput(f"{responses}: no rows to train on")
    tokenizer = load_base_tokenizer(base)
    check_ids = make_id_check(base, tokenizer, responses)
    return Prepared(prepare_data(rows, template, tokenizer, settings, check_ids), tokenizer)


def make_job(run: TrainingRun, prepared: Prepared) -> TrainingJob:
    """Put together what the workers read beside the prepared data."""
    settings, tokenizer = run.settings, prepared.tokenizer
    return TrainingJob(
        settings=settings,
        training=run.training,
        base=run.base,
        seed=run.seed,
        sequences_per_step=sequences_per_step(prepared.data, settings.optimizer.batch_size),
        pad_id=0,  # it is masked, so any will do; a tokenizer's own may have no embedding
        end_ids=sorted({*run.template.end_ids(tokenizer), tokenizer.eos_token_id}),
        cpu=run.machine.use_cpu,
        sharded=run.machine.sharded,
    )


def report_other_runs(folder: Path, out: Path) -> None:
    """Name what killed runs, and those with other settings, left: for 7B that is 80 GB each."""
    waiting = {path.parent for path in folder.parent.glob(f"*/{FINISHED}")}  # to be moved, too
    for other in [*other_runs(folder), *out.parent.glob(f".{out.name}.*")]:
        if other in waiting:
            continue
        click.echo(
            f"note: {other} ({folder_size(other) / 1e9:.1f} GB) is left from a run that was "
            "killed, or had other settings or data; delete it unless you go back to them",
            err=True,
        )


if __name__ == "__main__":
    main()
