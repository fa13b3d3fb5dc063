"""`alpacare trace`, `funnel` and `doctor`: where a row, a count or a file comes from."""

import json
from pathlib import Path
from typing import Any

import click

from alpacare.core.command import FILE, Stage

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


@click.command(cls=Stage)
@click.argument("id")
@AS_JSON
def trace(id: str, as_json: bool) -> None:
    """Show one row at each stage, from seed to judgment.

    With its requests to LLMs, and the verdicts on it, or its results.

    ID is that of a seed, an instruction, a dropped row, a test task or a benchmark item; its first
    digits are enough, four at least.

    \b
    Example:
      alpacare trace b940
    """
    from alpacare.lineage.trace import trace_row
    from alpacare.lineage.trace_print import print_trace

    row = trace_row(id)
    if as_json:
        _print_json(row)
    else:
        print_trace(row)


@click.command(cls=Stage)
@AS_JSON
def funnel(as_json: bool) -> None:
    """Count the rows that each stage kept, and why others went.

    \b
    Example:
      alpacare funnel
    """
    from alpacare.lineage.funnel import count_all
    from alpacare.lineage.funnel_print import print_funnel

    counts = count_all()
    if as_json:
        _print_json(counts.as_json())
    else:
        print_funnel(counts)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


@click.command(cls=Stage)
@click.option(
    "--freeze",
    type=FILE,
    is_flag=False,
    flag_value=Path("reports/provenance.json"),
    metavar="[FILE]",
    help="Instead write the provenance of every output to FILE (reports/provenance.json).",
)
@click.pass_context
def doctor(context: click.Context, freeze: Path | None) -> None:
    """Check this machine, this clone and its remotes.

    A line for each check; the exit status is 2 if one fails.

    \b
    Examples:
      alpacare doctor
      alpacare doctor --freeze
    """
    if freeze:
        from alpacare.lineage.provenance import write_provenance

        click.echo(write_provenance(freeze))
        return
    from alpacare.doctor.examine import run_checks

    if not run_checks():
        context.exit(2)
