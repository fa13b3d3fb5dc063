"""`alpacare trace`, `funnel` and `doctor`: where a row, a count, a file came from."""

import json
from pathlib import Path

import click

from alpacare.core.command import FILE, Stage

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


@click.command(cls=Stage)
@click.argument("id")
@AS_JSON
def trace(id: str, as_json: bool) -> None:
    """Show one row's way from seed to judgment, with requests, verdicts and witnesses.

    ID names a seed, an instruction, a row that was dropped or a test task; its first digits are
    enough, four at least.

    \b
    Example:
      alpacare trace b940
    """
    from alpacare.lineage.trace import trace as follow
    from alpacare.lineage.trace_print import print_trace

    story = follow(id)
    if as_json:
        click.echo(json.dumps(story, indent=2, ensure_ascii=False))
    else:
        print_trace(story)


@click.command(cls=Stage)
@AS_JSON
def funnel(as_json: bool) -> None:
    """Count what came to each stage, what stayed, and why the rest went.

    \b
    Example:
      alpacare funnel
    """
    from alpacare.lineage.funnel import count_all, print_funnel

    counted = count_all()
    if as_json:
        click.echo(json.dumps(counted.as_json(), indent=2, ensure_ascii=False))
    else:
        print_funnel(counted)


@click.command(cls=Stage)
@click.option(
    "--freeze",
    type=FILE,
    is_flag=False,
    flag_value=Path("reports/provenance.json"),
    metavar="[FILE]",
    help="Write what made every output to FILE instead (reports/provenance.json).",
)
@click.pass_context
def doctor(context: click.Context, freeze: Path | None) -> None:
    """Check this machine, this clone and what they reach; a line a check, status 2 if one fails.

    \b
    Examples:
      alpacare doctor
      alpacare doctor --freeze
    """
    if freeze:
        from alpacare.lineage.provenance import freeze as write

        click.echo(write(freeze))
        return
    from alpacare.doctor.examine import examine

    if not examine():
        context.exit(2)
