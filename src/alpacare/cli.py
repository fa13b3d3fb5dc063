"""The `alpacare` command: what is not a stage."""

from pathlib import Path

import click

from alpacare.command import FILE, Stage
from alpacare.ledger_commands import ledger


@click.group()
def main() -> None:
    """Medical instruction tuning as one DVC pipeline."""


@main.command(cls=Stage)
@click.option("--scores", "folder", type=FILE, default=Path("metrics/scores"), show_default=True)
def scores(folder: Path) -> None:
    """Print the win rates in metrics/scores as a table, a line a cell of params.yaml.

    \b
    Example:
      alpacare scores
    """
    from alpacare.evaluation.table import print_scores
    from alpacare.preflight import read_params

    print_scores(folder, read_params().cells())


@main.command(cls=Stage)
def check() -> None:
    """Check params.yaml, prompts, judges, recordings, seeds and test sets, and touch nothing.

    \b
    Example:
      alpacare check
    """
    from alpacare.preflight import check_all

    click.echo(check_all())


@main.command(cls=Stage)
def quote() -> None:
    """Say what the pipeline would ask and pay from here, and spend nothing.

    \b
    Example:
      alpacare quote
    """
    from alpacare.quote import print_quote, quote_all

    print_quote(quote_all())


main.add_command(ledger)


if __name__ == "__main__":
    main()
