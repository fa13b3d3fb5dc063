"""Verbs for settings and the pipeline as such: presets, `set`, and the picture of the stages."""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage


@click.command(cls=Stage)
@click.argument("name")
@click.option("--base", metavar="MODEL", help="Another base: a folder, or ID@COMMIT on the Hub.")
def preset(name: str, base: str | None) -> None:
    """Apply presets/NAME.yaml to params.yaml; `demo` restores the default.

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
    """List the presets: what each is, what its answers cost, and what training needs.

    \b
    Example:
      alpacare presets
    """
    from alpacare.pipeline.presets import describe_presets

    click.echo("\n".join(describe_presets()))


@click.command("set", cls=Stage)
@click.argument("edits", nargs=-1, required=True, metavar="[students/NAME.yaml:]KEY=VALUE...")
def set_settings(edits: tuple[str, ...]) -> None:
    """Set keys of params.yaml, or of a student's file; comments and layout stay.

    Values are YAML. All settings are checked before anything is written. A key that a student's
    file lacks is added to it.

    \b
    Examples:
      alpacare set generations.temperature=0.0 tests='[medinstruct-test, icliniq]'
      alpacare set students/all-rows.yaml:optimizer.learning_rate=1e-3
    """
    from alpacare.pipeline.edit_settings import edit_settings, read_edit

    changes = edit_settings([read_edit(text) for text in edits])
    click.echo("\n".join(changes) or "nothing to change: the files say so already")


@click.command(cls=Stage)
@click.argument("student")
def pin(student: str) -> None:
    """Ask the Hub for the commit of STUDENT's base, and write it into its file as `revision`.

    \b
    Example:
      alpacare pin qwen3-4b
    """
    from alpacare.pipeline.pin import pin_student

    click.echo("\n".join(pin_student(student)))


@click.command(cls=Stage)
@click.argument("out", type=FILE, default=Path("reports/pipeline.svg"))
def graph(out: Path) -> None:
    """Draw the stages of dvc.yaml, and how many cells each has, to OUT: reports/pipeline.svg.

    \b
    Example:
      alpacare graph
    """
    from alpacare.pipeline.graph_svg import write_graph

    click.echo(write_graph(out))
