"""`alpacare doctor`: is this machine fit, is this clone whole, is what they reach there?"""

from collections.abc import Callable, Iterable

import click

from alpacare.core.errors import BadInput
from alpacare.display.text import plain
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
    "remote": clone.check_remotes,
    "key": clone.check_keys,
    "budget": clone.check_budget,
    "ledger": clone.check_ledger,
    "settings": clone.check_settings,
}


def examine() -> bool:
    """Print a line for each finding, as they come; False if anything is wrong."""
    healthy = True
    for name, check in CHECKS.items():
        try:
            found = list(check())
        except BadInput as error:
            found = [wrong(str(error))]
        except Exception as error:  # a doctor looks at the rest too, whatever broke
            found = [wrong(f"{type(error).__name__}: {error}")]
        for finding in found:
            level = click.style(f"{finding.level:<8}", fg=_COLOURS[finding.level])
            click.echo(f"{level} {name:<9} {plain(' '.join(finding.text.split()))}")
            healthy &= finding.level != "wrong"
    return healthy
