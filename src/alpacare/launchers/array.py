"""One array of jobs: submitted, written down beside its logs, and found again."""

import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock
from alpacare.core.files import parse_json, read_text, write_json
from alpacare.launchers.launcher import Launcher
from alpacare.launchers.study import Task

_ARRAY = "array.json"


class Submitted(NamedTuple):
    """A training that waits or runs in a cluster: the number of its task there, and its log."""

    task: Task
    number: str
    log: Path

    def last_words(self) -> str:
        """Give the last error in its log, or its last line, and where the log is."""
        if not self.log.exists():
            return f"it ended before it wrote a line to {self.log}"
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("error:")]
        last = (errors or lines or ["nothing"])[-1]
        return f"{last.removeprefix('error: ')} (log: {self.log})"


def submit(launcher: Launcher, tasks: Sequence[Task]) -> list[Submitted]:
    """Submit trainings as one array.

    Raises:
        BadInput: the scheduler refuses it; the template is none; or the disk is full.
    """
    folder = _jobs_folder(tasks) / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    text = render(launcher, tasks, folder)
    folder.mkdir(parents=True)
    script = folder / "job.sh"
    script.write_text(text, encoding="utf-8")
    job = launcher.submit(script)
    scratch = {task.name: str(task.scratch) for task in tasks}
    try:
        write_json(folder / _ARRAY, {"launcher": launcher.name, "job": job, "tasks": scratch})
    except OSError as error:
        raise BadInput(
            f"{folder / _ARRAY}: {error.strerror}; without it the jobs are not found again, and "
            f"would be submitted twice; stop them: `{launcher.cancel_command(job)}`"
        ) from error
    return [Submitted(task, f"{job}_{n}", folder / f"{n}.log") for n, task in enumerate(tasks)]


@contextmanager
def hold_back_signals() -> Iterator[None]:
    """Let Ctrl-C, `kill` and a closed terminal wait until the block has ended."""
    held: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda number, _: held.append(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])


@contextmanager
def hold_jobs(tasks: Sequence[Task]) -> Iterator[None]:
    """Let one command at a time submit or seal in this clone; another one waits."""
    if not tasks:
        yield
        return
    folder = _jobs_folder(tasks)
    folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(folder / "lock", wait=True):
        yield


def find_submitted(launcher: Launcher, tasks: Iterable[Task]) -> list[Submitted]:
    """Find those of the trainings that were submitted before, each in its last job."""
    wanted = {str(task.scratch): task for task in tasks}
    found = {}
    for path in sorted(_jobs_folder(wanted.values()).glob(f"*/{_ARRAY}")):
        array = parse_json(read_text(path), str(path))
        for place, scratch in enumerate(array["tasks"].values()):
            if array["launcher"] == launcher.name and scratch in wanted:
                log = path.parent / f"{place}.log"
                found[scratch] = Submitted(wanted[scratch], f"{array['job']}_{place}", log)
    return [*found.values()]


def render(launcher: Launcher, tasks: Sequence[Task], folder: Path) -> str:
    """Fill the job script's template in.

    Raises:
        BadInput: it is no template, or names what is not there.
    """
    from jinja2 import Environment, StrictUndefined, TemplateError

    # bash has `${#` of its own
    sandbox = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        comment_start_string="{##",
        comment_end_string="##}",
        autoescape=False,
    )
    try:
        return sandbox.from_string(launcher.job).render(tasks=tasks, folder=folder)
    except TemplateError as error:
        raise BadInput(f"{launcher.folder}/job.sh: {error}") from error


def _jobs_folder(tasks: Iterable[Task]) -> Path:
    """Give the folder of scripts and logs: beside the students' folders of checkpoints."""
    scratch = next(iter(tasks)).scratch  # models/checkpoint/STUDENT/.scratch/FINGERPRINT
    return scratch.parents[2] / ".jobs"
