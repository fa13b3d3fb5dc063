"""Verbs for settings: presets, `set`, `pin`."""

import click

from alpacare.cli.names import PRESET, STUDENT
from alpacare.core.command import Stage


@click.command(cls=Stage)
@click.argument("name", type=PRESET)
@click.option("--base", metavar="MODEL", help="Another base: a folder, or ID@COMMIT on the Hub.")
def preset(name: str, base: str | None) -> None:
    """Write presets/NAME.yaml into params.yaml; `demo` goes back.

    A preset names its students. What makes each is in students/, which no preset touches: only
    --base is written there, for a preset of one student, and stays until you give another.

    \b
    Example:
      alpacare preset alpacare-7b --base /models/llama-7b
    """
    from alpacare.pipeline.presets import apply_preset

    changes = apply_preset(name, base)
    click.echo("\n".join(changes) or f"params.yaml: nothing to change, {name} is already applied")


@click.command(cls=Stage)
def presets() -> None:
    """List the presets, what their answers cost and training needs.

    \b
    Example:
      alpacare presets
    """
    from alpacare.pipeline.presets import describe_presets

    click.echo("\n".join(describe_presets()))


@click.command("set", cls=Stage)
@click.argument("edits", nargs=-1, required=True, metavar="[students/NAME.yaml:]KEY=VALUE...")
def set_settings(edits: tuple[str, ...]) -> None:
    """Set keys of params.yaml, or of a student's file.

    Comments and layout stay.

    Values are YAML. All settings are checked before anything is written. A key that a student's
    file lacks is added to it. It warns if a test set, a judge or another file that you name is not
    here yet.

    \b
    Examples:
      alpacare set generations.temperature=0.0 tests='[medinstruct-test, icliniq]'
      alpacare set students/all-rows.yaml:optimizer.learning_rate=1e-3
    """
    from alpacare.pipeline.edit_settings import edit_settings, read_edit
    from alpacare.pipeline.named_files import absent_files
    from alpacare.pipeline.params import read_params

    read = [read_edit(text) for text in edits]
    changes = edit_settings(read)
    click.echo("\n".join(changes) or "nothing to change: the files say so already")
    for key, line in absent_files(read_params()):
        if any(f"{key}.".startswith(f"{edit.key}.") for edit in read):
            click.secho(f"warning: {line}", fg="yellow", err=True)


@click.command(cls=Stage)
@click.argument("student", type=STUDENT)
def pin(student: str) -> None:
    """Write the commit of STUDENT's base on the Hub into its file.

    The Hub is asked for it; the file gets it as `revision`.

    \b
    Example:
      alpacare pin qwen3-4b
    """
    from alpacare.pipeline.pin import pin_student

    click.echo("\n".join(pin_student(student)))
