"""Verbs for the pipeline as such: check, quote, what would run again, what to run."""

from pathlib import Path

import click

from alpacare.cli.names import STAGE, STUDENT
from alpacare.core.command import FILE, Stage


@click.command(cls=Stage)
@click.argument("targets", nargs=-1)
@click.option("--run", is_flag=True, help="Also that missing answers can be bought: key, BUDGET.")
def check(targets: tuple[str, ...], run: bool) -> None:
    """Check all settings and input files, and this machine.

    That is params.yaml, prompts, judges, recordings, seeds and test sets.

    With TARGETS the machine, and with --run what is to buy, are looked at only for these stages and
    those before them.

    It lists which file's text goes to which host. It changes nothing, except that it restores those
    of DVC's own files that a kill has cut off, and with --run removes from dvc.lock and metrics/
    what is left of students, seeds and tests that params.yaml no longer names.

    \b
    Example:
      alpacare check
    """
    from alpacare.llm.own_ledger import check_unused
    from alpacare.pipeline.check import check_all
    from alpacare.pipeline.hosts import describe_destinations
    from alpacare.pipeline.params import read_params
    from alpacare.pipeline.removed_cells import remove_left_cells
    from alpacare.pipeline.repair import repair_dvc

    for line in repair_dvc():
        click.echo(line)
    if line := check_unused():
        click.echo(line)
    click.echo(check_all(targets, run))
    for line in remove_left_cells() if run else ():
        click.echo(line)
    click.echo("\n".join(describe_destinations(read_params())))


@click.command(cls=Stage)
def quote() -> None:
    """Quote the calls and dollars still needed; spend nothing.

    It also lists which file's text goes to which host.

    \b
    Example:
      alpacare quote
    """
    from alpacare.llm.own_ledger import describe_unused
    from alpacare.pipeline.hosts import describe_destinations
    from alpacare.pipeline.params import read_params
    from alpacare.pipeline.quoting.quote import quote_all
    from alpacare.pipeline.quoting.quote_command import print_quote

    if line := describe_unused():
        click.echo(line)
    print_quote(quote_all())
    click.echo("\n".join(describe_destinations(read_params())))


@click.command(cls=Stage)
@click.option("--buy", is_flag=True, help="Only what asks for answers and needs no training.")
@click.option("--train", is_flag=True, help="Only training, of every student with every seed.")
@click.option("--student", type=STUDENT, help="Only training, of this student.")
@click.option("--seed", type=int, help="Only training, with this seed.")
def targets(buy: bool, train: bool, student: str | None, seed: int | None) -> None:
    """Print the targets for `dvc repro`; nothing means all stages.

    The stages that a file of your own in `sources` replaces are left out.

    \b
    Examples:
      dvc repro $(alpacare targets)
      dvc repro $(alpacare targets --train --student half-rows --seed 1)
    """
    from alpacare.pipeline.params import read_params
    from alpacare.pipeline.sources import buy_targets, repro_targets, train_targets

    params = read_params()
    if train or student or seed is not None:
        click.echo(" ".join(train_targets(params, student, seed)))
    else:
        click.echo(" ".join((buy_targets if buy else repro_targets)(params)))


@click.command(cls=Stage)
def changes() -> None:
    """Say which expensive stages would run again, and why.

    \b
    Example:
      alpacare changes
    """
    from alpacare.pipeline.changes import explain_rerun

    for line in explain_rerun():
        click.echo(line)


@click.command(cls=Stage)
@click.argument("stage", type=STAGE)
def accept(stage: str) -> None:
    """Accept an edit of code that changes no result of STAGE.

    Such as a comment, or the text of a message.

    It is refused unless code alone has changed since the stage ran. What was accepted is written to
    data/accepted.jsonl: commit it together with dvc.lock.

    \b
    Example:
      alpacare accept checkpoint
    """
    from alpacare.pipeline.acceptance import ACCEPTED, accept_code

    for path in accept_code(stage):
        click.echo(f"accepted for {stage}: {path}")
    click.echo(f"commit dvc.lock and {ACCEPTED}")


@click.command(cls=Stage)
@click.argument("out", type=FILE, default=Path("reports/pipeline.svg"))
def graph(out: Path) -> None:
    """Draw the stages of dvc.yaml, and how many cells each has.

    The picture goes to OUT, by default reports/pipeline.svg.

    \b
    Example:
      alpacare graph
    """
    from alpacare.pipeline.graph_svg import write_graph

    click.echo(write_graph(out))
