"""`alpacare train`: here by `dvc repro`, or as jobs of a cluster whose results DVC then seals."""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress

import click

from alpacare.core.command import STOPPED
from alpacare.core.errors import BadInput
from alpacare.launchers.array import (
    Submitted,
    find_submitted,
    hold_back_signals,
    hold_jobs,
    submit,
)
from alpacare.launchers.follow import follow
from alpacare.launchers.launcher import Launcher
from alpacare.launchers.study import Task, missing_tasks, seal_targets, targets_before
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
    jobs: list[Submitted] = []
    try:
        with hold_jobs(waiting):
            _submit_missing(launcher, waiting, jobs)
        if jobs and detach:
            click.echo(_later(launcher, jobs, again))
            return
        follow(launcher, jobs)
    except KeyboardInterrupt:
        if not jobs:
            raise
        later = _later(launcher, jobs, again)
        raise KeyboardInterrupt(f"detached: the jobs run on\n{later}") from None
    with hold_jobs(missing):
        _seal(runs, {job.task.run: job for job in jobs})


def _submit_missing(launcher: Launcher, tasks: Sequence[Task], jobs: list[Submitted]) -> None:
    """Submit what neither waits nor runs yet, and add all that does to `jobs`."""
    if not tasks:
        return
    running = launcher.running()
    if running is None:
        raise BadInput(f"{launcher.name}: the scheduler does not answer; try again later")
    before = find_submitted(launcher, tasks)
    jobs += [job for job in before if job.number in running]
    for job in before:
        how = "was submitted before" if job in jobs else f"had no result: {job.last_words()}"
        click.echo(f"{job.task.name}: job {job.number} {how}")
    under_way = {job.task for job in jobs}
    if new := [task for task in tasks if task not in under_way]:
        with hold_back_signals():  # stopped in between, it would leave jobs that nobody knows
            submitted = submit(launcher, new)
            jobs += submitted
        for job in submitted:
            click.echo(f"{job.task.name}: job {job.number} submitted; log: {job.log}")


def _later(launcher: Launcher, jobs: Collection[Submitted], again: str) -> str:
    """Say what to type later."""
    numbers = " ".join(dict.fromkeys(job.number.partition("_")[0] for job in jobs))
    return (
        f"see logs and states, and seal the results when the jobs are done:\n  {again}\n"
        "stop the jobs; the same command then goes on from their last checkpoints:\n"
        f"  {launcher.cancel_command(numbers)}"
    )


def _seal(runs: Sequence[Run], jobs: dict[Run, Submitted]) -> None:
    """Have DVC record what is trained, without training anything, and name what is not.

    While jobs ran, files may have been edited, and another command may have sealed results: so it
    looks anew at what is missing.

    Raises:
        BadInput: a training has no result.
    """
    missing = [task for task in missing_tasks(runs) if not task.finished]
    failed = {task.run: _why(task, jobs.get(task.run)) for task in missing}
    if trained := [run for run in runs if run not in failed]:
        _run("dvc", "repro", "--single-item", *seal_targets(trained))
    for run, why in failed.items():
        click.echo(f"failed: student '{run.student}', seed {run.seed}: {why}", err=True)
    if failed:
        raise BadInput(
            f"{len(failed)} of {len(runs)} trainings failed; the same command submits them again"
        )


def _why(task: Task, job: Submitted | None) -> str:
    """Say why a training has no result that can be sealed."""
    edited = "settings, rows or code were edited since it was"
    if not job:
        return f"{edited} trained"
    words = f"job {job.number}: {job.last_words()}"
    return words if job.task.scratch == task.scratch else f"{edited} submitted; {words}"


def _run(*words: str) -> None:
    """Run a command of this environment; if it fails, end with its status: it has said why.

    Ctrl-C, `kill` and a closed terminal stop it as Ctrl-C does: it ends when it has kept its work.
    """
    sys.stdout.flush()
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # `nohup` ignores it
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    # in a session of its own, so that each signal comes once, from here
    process = subprocess.Popen([sys.executable, "-m", *words], start_new_session=True)
    stopped = False
    while True:
        try:
            status = process.wait()
            break
        except KeyboardInterrupt:
            stopped = True
            with suppress(ProcessLookupError):  # it may have ended at this very moment
                os.killpg(process.pid, signal.SIGINT)
    if status or stopped:
        raise click.exceptions.Exit(status or STOPPED)
