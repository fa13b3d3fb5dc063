"""`alpacare doctor`: run all checks of the machine and the clone."""

from collections.abc import Callable, Iterable

import click

from alpacare.core.errors import BadInput
from alpacare.core.texts import escape_controls
from alpacare.doctor import clone, machine
from alpacare.doctor.finding import Finding, wrong

_COLOURS = {"ok": "green", "warning": "yellow", "wrong": "red"}

CHECKS: dict[str, Callable[[], Iterable[Finding]]] = {
    "python": machine.check_python,
    "packages": machine.check_packages,
    "gpu": machine.check_gpus,
    "memory": machine.check_memory,
    "disk": machine.check_disks,
    "user": machine.check_user,
    "git": clone.check_git,
    "dvc": clone.check_dvc,
    "remote": clone.check_remotes,
    "key": clone.check_keys,
    "budget": clone.check_budget,
    "ledger": clone.check_ledger,
    "settings": clone.check_settings,
}


def run_checks() -> bool:
    """Print a line for each finding as soon as it is known; False if anything is wrong."""
    healthy = True
    for name, check in CHECKS.items():
        try:
            found = list(check())
        except BadInput as error:
            found = [wrong(str(error))]
        except Exception as error:  # the other checks run whatever fails
            found = [wrong(f"{type(error).__name__}: {error}")]
        for finding in found:
            level = click.style(f"{finding.level:<8}", fg=_COLOURS[finding.level])
            click.echo(f"{level} {name:<9} {escape_controls(' '.join(finding.text.split()))}")
            healthy &= finding.level != "wrong"
    return healthy
