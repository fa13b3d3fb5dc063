"""`alpacare report` and `table`: the results as a page, and as a table for a paper."""

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
    help="Folder for the same pictures as SVG and PNG.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def report(out: Path, figures: Path, show: bool) -> None:
    """Write the report: one HTML page with every result, to open from disk or to send.

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
            f"missing, so not shown: {', '.join(written.missing)}; run `dvc pull` or `make repro`",
            err=True,
        )
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB; pictures in {figures}")
    if show:
        click.launch(str(out))


@click.command(cls=Stage)
@click.option("--format", "form", type=click.Choice(["markdown", "latex"]), default="markdown")
def table(form: str) -> None:
    """Print the win rates as in the AlpaCare paper: by judge, test set and reference, with AVG.

    \b
    Examples:
      alpacare table
      alpacare table --format latex
    """
    from alpacare.comparison.paper_table import format_table

    click.echo(format_table(form))
