"""The `alpacare` command: what is not a stage."""

from pathlib import Path

import click

from alpacare.command import FILE, Stage


@click.group()
def main() -> None:
    """Medical instruction tuning as one DVC pipeline."""


@main.command(cls=Stage)
@click.option("--scores", "folder", type=FILE, default=Path("metrics/scores"), show_default=True)
def scores(folder: Path) -> None:
    """Print the win rates in metrics/scores as a table.

    \b
    Example:
      alpacare scores
    """
    from alpacare.evaluation.table import print_scores

    print_scores(folder)


@main.command(cls=Stage)
def check() -> None:
    """Check params.yaml, the judges, seeds and test sets, and touch nothing.

    \b
    Example:
      alpacare check
    """
    from alpacare.preflight import check_all

    click.echo(check_all())


if __name__ == "__main__":
    main()
