"""`alpacare report` and `table`: the results for people to look at, and for a paper."""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage


@click.command(cls=Stage)
@click.option("--out", type=FILE, default=Path("reports/index.html"), show_default=True)
@click.option(
    "--figures",
    type=FILE,
    default=Path("reports/figures"),
    show_default=True,
    help="Where the same pictures go as SVG and PNG.",
)
@click.option("--open", "show", is_flag=True, help="Open the page, where there is a browser.")
def report(out: Path, figures: Path, show: bool) -> None:
    """Write the report: one page with every result, to be opened from disk or sent to somebody.

    \b
    Example:
      alpacare report --open
    """
    from alpacare.report.page import write_report

    written = write_report(out, figures)
    for note in written.notes:
        click.echo(note, err=True)
    if written.missing:
        click.echo(
            f"not here, so not shown: {', '.join(written.missing)}; `dvc pull` or `make repro` "
            "brings them",
            err=True,
        )
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB; pictures in {figures}")
    if show:
        click.launch(str(out))


@click.command(cls=Stage)
@click.option("--format", "form", type=click.Choice(["markdown", "latex"]), default="markdown")
def table(form: str) -> None:
    """Print the win rates as AlpaCare's tables are: by judge, test set and reference, with AVG.

    \b
    Examples:
      alpacare table
      alpacare table --format latex
    """
    from alpacare.comparison.paper_table import write_table

    click.echo(write_table(form))
