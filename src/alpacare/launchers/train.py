"""`alpacare train`: here by `dvc repro`, or as jobs of a cluster whose results DVC then seals."""

import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence

import click

from alpacare.core.command import STOPPED
from alpacare.core.errors import BadInput
from alpacare.launchers.array import Submitted, find_submitted, hold_submitting, submit
from alpacare.launchers.follow import follow
from alpacare.launchers.launcher import Launcher
from alpacare.launchers.study import Task, make_task, missing_tasks, seal_targets, targets_before
from alpacare.pipeline.params import Params, Run
from alpacare.pipeline.sources import train_targets


def train_here(params: Params, student: str | None, seed: int | None) -> None:
    """Check this machine and all settings, and train by `dvc repro`."""
    targets = train_targets(params, student, seed)
    _run("alpacare", "check", "--run", *targets)
    _run("dvc", "repro", *targets)


def train_elsewhere(launcher: Launcher, runs: Sequence[Run], detach: bool, again: str) -> None:
    """Submit those of the trainings that are missing, follow them, and have DVC seal them.

    `again`: what a user types to see them again.

    Raises:
        BadInput: the scheduler is not here or refuses the jobs; or a training has no result.
        KeyboardInterrupt: it was stopped; the jobs run on, and the message says what to type.
    """
    launcher.check()
    before = targets_before(runs)
    _run("alpacare", "check", "--run", *before)
    _run("dvc", "repro", *before)
    missing = missing_tasks(runs)
    waiting = [task for task in missing if not task.finished]
    with hold_submitting(waiting):
        jobs = _submit_missing(launcher, waiting)
    later = "\n".join(_later(launcher, jobs, again))
    if jobs and detach:
        click.echo(later)
        return
    try:
        follow(launcher, jobs)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"detached: the jobs run on\n{later}") from None
    _seal(runs, missing, {job.task.run: job for job in jobs})


def _submit_missing(launcher: Launcher, tasks: Sequence[Task]) -> list[Submitted]:
    """Submit what neither waits nor runs yet; give all that does."""
    if not tasks:
        return []
    running = launcher.running()
    if running is None:
        raise BadInput(f"{launcher.name}: the scheduler does not answer; try again later")
    before = find_submitted(launcher, tasks)
    jobs = [job for job in before if job.number in running]
    for job in before:
        how = "was submitted before" if job in jobs else f"had no result: {job.last_words()}"
        click.echo(f"{job.task.name}: job {job.number} {how}")
    under_way = {job.task for job in jobs}
    if new := [task for task in tasks if task not in under_way]:
        for job in submit(launcher, new):
            click.echo(f"{job.task.name}: job {job.number} submitted; log: {job.log}")
            jobs.append(job)
    return jobs


def _later(launcher: Launcher, jobs: Collection[Submitted], again: str) -> Iterator[str]:
    """Say what to type later."""
    numbers = " ".join(dict.fromkeys(job.number.partition("_")[0] for job in jobs))
    yield "see logs and states, and seal the results when the jobs are done:"
    yield f"  {again}"
    yield "stop the jobs; the same command then goes on from their last checkpoints:"
    yield f"  {launcher.cancel_command(numbers)}"


def _seal(runs: Sequence[Run], missing: Sequence[Task], jobs: dict[Run, Submitted]) -> None:
    """Have DVC record what is trained, without training anything, and name what is not.

    Raises:
        BadInput: a training has no result.
    """
    failed = {task.run: _why(task, jobs.get(task.run)) for task in missing if not _is_fit(task)}
    if trained := [run for run in runs if run not in failed]:
        _run("dvc", "repro", "--single-item", *seal_targets(trained))
    for run, why in failed.items():
        click.echo(f"failed: student '{run.student}', seed {run.seed}: {why}", err=True)
    if failed:
        raise BadInput(
            f"{len(failed)} of {len(runs)} trainings failed; the same command submits them again"
        )


def _is_fit(task: Task) -> bool:
    """Whether a training is finished, and of what settings, rows and code are now."""
    return task.finished and make_task(task.run).scratch == task.scratch


def _why(task: Task, job: Submitted | None) -> str:
    """Say why a training has no result that can be sealed."""
    if task.finished:
        return f"settings, rows or code were edited since it was trained in {task.scratch}"
    return f"job {job.number}: {job.last_words()}" if job else "it was not submitted"


def _run(*words: str) -> None:
    """Run a command of this environment; if it fails, end with its status: it has said why."""
    sys.stdout.flush()
    process = subprocess.Popen([sys.executable, "-m", *words])
    stopped = False
    while True:
        try:
            status = process.wait()
            break
        except KeyboardInterrupt:  # it is the command's too, which ends when it has kept its work
            stopped = True
    if status or stopped:
        raise click.exceptions.Exit(status or STOPPED)
