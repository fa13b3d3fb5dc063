"""The `alpacare` command: what is not a stage."""

from pathlib import Path

import click

from alpacare.cli.data import fetch, import_data
from alpacare.cli.ledger import ledger
from alpacare.cli.lineage import doctor, funnel, trace
from alpacare.cli.publish import publish
from alpacare.cli.remotes import pull, push, remote
from alpacare.cli.report import report, table
from alpacare.cli.review import review, review_import
from alpacare.core.command import FILE, Stage


@click.group()
def main() -> None:
    """Medical instruction tuning as one DVC pipeline."""


@main.command(cls=Stage)
@click.option("--scores", "folder", type=FILE, default=Path("metrics/scores"), show_default=True)
def scores(folder: Path) -> None:
    """Print the win rates in metrics/scores, a line a cell of params.yaml, and their means.

    \b
    Example:
      alpacare scores
    """
    from alpacare.comparison.mean_win_rates import average_all
    from alpacare.evaluation.score_table import print_scores
    from alpacare.pipeline.params import read_params

    params = read_params()
    print_scores(folder, params.cells(), average_all(params))


@main.command(cls=Stage)
@click.argument("rev", default="HEAD")
@click.option("--out", type=FILE, default=Path("reports/diff.md"), show_default=True)
def diff(rev: str, out: Path) -> None:
    """Compare the win rates of the working tree with those of commit REV, item by item.

    OUT gets every test item that was won and is lost now, or the other way round.

    \b
    Example:
      alpacare diff HEAD~1
    """
    from alpacare.comparison.diff import print_diff

    print_diff(rev, out)


@main.command(cls=Stage)
@click.option("--out", type=FILE, help="Write the same figures there too, as JSON.")
def agreement(out: Path | None) -> None:
    """Say how far the judges agree, with one another and with the people in data/reviews.

    \b
    Example:
      alpacare agreement --out agreement.json
    """
    from alpacare.comparison.agreement import report_agreement

    report_agreement(out)


@main.command(cls=Stage)
def check() -> None:
    """Check params.yaml, prompts, judges, recordings, seeds and test sets, and touch nothing.

    \b
    Example:
      alpacare check
    """
    from alpacare.pipeline.check import check_all

    click.echo(check_all())


@main.command(cls=Stage)
def quote() -> None:
    """Say what the pipeline would ask and pay from here, and spend nothing.

    \b
    Example:
      alpacare quote
    """
    from alpacare.pipeline.quote import print_quote, quote_all

    print_quote(quote_all())


@main.command(cls=Stage)
@click.argument("name")
@click.option("--base", metavar="MODEL", help="Another student: a folder, or ID@COMMIT on the Hub.")
def preset(name: str, base: str | None) -> None:
    """Lay presets/NAME.yaml over params.yaml; `demo` goes back to what is checked in.

    \b
    Example:
      alpacare preset alpacare-7b --base /models/llama-7b
    """
    from alpacare.pipeline.presets import put_in_force

    changes = put_in_force(name, base)
    click.echo("\n".join(changes) or f"params.yaml: nothing to change, {name} is in force")


@main.command(cls=Stage)
def presets() -> None:
    """List the presets: what each is, what answers it would buy, what training takes.

    \b
    Example:
      alpacare presets
    """
    from alpacare.pipeline.presets import describe_all

    click.echo("\n".join(describe_all()))


@main.command(cls=Stage)
def targets() -> None:
    """Print what `dvc repro` is to be asked for; nothing where all stages are wanted.

    With a file of your own in `sources`, the stages that it stands in for are left as they are.

    \b
    Example:
      dvc repro $(alpacare targets)
    """
    from alpacare.pipeline.params import read_params
    from alpacare.pipeline.sources import targets

    click.echo(" ".join(targets(read_params())))


@main.command("test-set", cls=Stage)
@click.argument("name")
@click.argument("files", nargs=-1, metavar="[[WHO=]FILE]...")
def test_set(name: str, files: tuple[str, ...]) -> None:
    """Bring in a test set: make data/tests/NAME.jsonl of FILES, and have DVC keep it.

    Without FILES, those that configs/datasets.yaml names are downloaded. FILES are JSON arrays or
    JSON Lines; the first with questions says what is asked. WHO gave the answers in their `output`
    or `response`.

    \b
    Examples:
      alpacare test-set medinstruct-test
      alpacare test-set ours questions.jsonl gpt-4=answers.json
    """
    from alpacare.datasets.test_set_import import bring_in

    click.echo("\n".join(bring_in(name, files)))


@main.command("served-name", cls=Stage)
@click.argument("checkpoint", type=FILE)
def name_checkpoint(checkpoint: Path) -> None:
    """Print the name under which a server must serve CHECKPOINT; it holds the checkpoint's hash.

    \b
    Example:
      vllm serve models/checkpoint \\
          --served-model-name $(alpacare served-name models/checkpoint)
    """
    from alpacare.generation.server import served_name

    click.echo(served_name(checkpoint))


_MORE = (
    *(ledger, fetch, import_data, report, table, review, review_import),
    *(trace, funnel, doctor, remote, push, pull, publish),
)
for _each in _MORE:
    main.add_command(_each)


if __name__ == "__main__":
    main()
