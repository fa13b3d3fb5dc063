"""A launcher: a folder of configs/launchers with the commands of a cluster's scheduler."""

import shlex
import shutil
import subprocess
from pathlib import Path

from pydantic import Field, field_validator

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.core.settings import Settings, check, read_yaml

FOLDER = Path("configs/launchers")
LOCAL = "local"
_JOB = "job.sh"


class LauncherSettings(Settings):
    """settings.yaml of a launcher; without `submit` it trains on this machine."""

    submit: str | None
    running: str = ""
    cancel: str = ""
    poll_seconds: float = Field(default=5.0, gt=0)

    @field_validator("submit", "running", "cancel")
    @classmethod
    def _is_command(cls, command: str | None) -> str | None:
        shlex.split(command or "")  # its ValueError says what is open
        return command

    @field_validator("submit")
    @classmethod
    def _names_script(cls, command: str | None) -> str | None:
        if command and "{script}" not in command:
            raise ValueError("must have {script}, the job's script, as `sbatch {script}`")
        return command


class Launcher:
    """A launcher's settings, and what its commands answer."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = FOLDER / name
        path = self.folder / "settings.yaml"
        self.settings = check(read_yaml(path), LauncherSettings, f"{path}: ")

    @property
    def job(self) -> str:
        """The template of the job script."""
        return read_text(self.folder / _JOB)

    def check(self) -> None:
        """Look for the scheduler's commands.

        Raises:
            BadInput: one is not here.
        """
        for command in (self.settings.submit, self.settings.running):
            words = shlex.split(command or "")
            if not words or not shutil.which(words[0]):
                raise BadInput(
                    f"{words[0] if words else 'running'}: no such command here; "
                    f"{self.folder}/settings.yaml names it: log in where the cluster takes jobs, "
                    f"or give another WHERE ({', '.join(known_launchers())})"
                )

    def submit(self, script: Path) -> str:
        """Submit a script, and give the number of its array.

        Raises:
            BadInput: the scheduler refuses it, in its own words; or what it prints is no number.
        """
        done = self._run(self.settings.submit or "", script)
        if done.returncode:
            raise BadInput(f"{self.folder / _JOB} was not accepted: {_one_line(done.stderr)}")
        number = done.stdout.strip().partition(";")[0]  # sbatch adds the cluster's name
        if len(number.split()) != 1:
            raise BadInput(
                f"{self.folder}/settings.yaml: submit: printed '{_one_line(done.stdout)}', and not "
                "the array's number alone, as `sbatch --parsable` does; stop these jobs"
            )
        return number

    def running(self) -> dict[str, str] | None:
        """Give the state of each task that waits or runs, by number, as 17_0; None: no answer."""
        done = self._run(self.settings.running)
        if done.returncode:
            return None
        lines = (line.split(maxsplit=1) for line in done.stdout.splitlines() if line.strip())
        return {task: " ".join(state).removesuffix(" None") for task, *state in lines}

    def cancel_command(self, job: str) -> str:
        """Give what a user types to stop a task, or a whole array."""
        return self.settings.cancel.replace("{job}", job)

    def _run(self, command: str, script: Path = Path()) -> subprocess.CompletedProcess[str]:
        # nothing else in braces is ours: it may be awk's
        words = [word.replace("{script}", str(script)) for word in shlex.split(command)]
        # Ctrl-C in a terminal is for this process alone
        return subprocess.run(
            words, capture_output=True, text=True, check=False, start_new_session=True
        )


def read_launcher(name: str) -> Launcher:
    """Read a launcher by its name.

    Raises:
        BadInput: there is none of that name, or its settings cannot be read.
    """
    if name not in known_launchers():
        raise BadInput(
            f"WHERE={name}: no such folder in {FOLDER}; there are: {', '.join(known_launchers())}"
        )
    return Launcher(name)


def known_launchers() -> list[str]:
    """Name the launchers that are there."""
    return sorted(path.parent.name for path in FOLDER.glob("*/settings.yaml"))


def _one_line(text: str) -> str:
    return (
        "; ".join(line.strip() for line in text.splitlines() if line.strip()) or "no reason given"
    )
