"""Follow jobs to their end: their states and what they log, each line with the training's name."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from alpacare.launchers.array import Submitted
from alpacare.launchers.launcher import Launcher


class Log:
    """A log that grows; what was read of it is not read again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0

    def new_lines(self, ended: bool) -> Iterator[str]:
        """Give the lines since the last call; one that is not yet whole only if it has `ended`."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self.position)
            text = file.read()
        whole = text if ended else text[: text.rfind(b"\n") + 1]
        self.position += len(whole)
        yield from whole.decode(errors="replace").splitlines()


def follow(launcher: Launcher, jobs: Sequence[Submitted]) -> None:
    """Show states and logs until no job waits or runs.

    Raises:
        KeyboardInterrupt: by Ctrl-C; the jobs run on.
    """
    logs = {job.number: Log(job.log) for job in jobs}
    states: dict[str, str] = {}
    silent = False
    while len(states) < len(jobs) or any(states.values()):
        running = launcher.running()
        if running is None:  # a busy scheduler; the jobs know nothing of that
            if not silent:
                click.echo(f"{launcher.name}: the scheduler does not answer; asking again")
            silent = True
        else:
            silent = False
            for job in jobs:
                state = running.get(job.number, "")
                _show(job, logs[job.number], state, states.get(job.number))
                states[job.number] = state
        if any(states.values()) or silent:
            time.sleep(launcher.settings.poll_seconds)


def _show(job: Submitted, log: Log, state: str, before: str | None) -> None:
    for line in log.new_lines(ended=not state):
        click.echo(f"{job.task.name}: {line}")
    if state != before:
        shown = state or ("done" if job.task.finished else "ended")
        click.echo(f"{job.task.name}: job {job.number} {shown}")
