"""`alpacare report`: the results as a page."""

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
    """Write the report: one HTML page with every result.

    Open it from disk, or send it.

    \b
    Example:
      alpacare report --open
    """
    from alpacare.display.text import name_some
    from alpacare.report.page import write_report

    written = write_report(out, figures)
    for note in written.notes:
        click.echo(note, err=True)
    if written.missing:
        click.echo(
            f"missing, so not shown: {name_some(written.missing)}; run `alpacare pull` or "
            "`make repro`",
            err=True,
        )
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB; pictures in {figures}")
    if show:
        click.launch(str(out))
