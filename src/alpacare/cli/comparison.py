"""Commands that compare: models, commits, judges; and the tables of scores."""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage

_TEST = click.option(
    "--test", metavar="TEST", help="One test set, or benchmark; without: all of them."
)
_JUDGE = click.option("--judge", metavar="JUDGE", help="One judge; without: all of them.")


@click.command(cls=Stage)
@_TEST
@_JUDGE
def leaderboard(test: str | None, judge: str | None) -> None:
    """Rank all models: a table for each test set and judge, and for each benchmark.

    \b
    Example:
      alpacare leaderboard --judge overlap
    """
    from alpacare.comparison.all_boards import print_all_boards

    print_all_boards(test, judge)


@click.command(cls=Stage)
@click.argument("base")
@click.argument("arms", nargs=-1, required=True, metavar="ARM...")
def ablate(base: str, arms: tuple[str, ...]) -> None:
    """Compare the student BASE with others that learn from fewer of its rows, for as many steps.

    Each ARM is one: random:half, longest:1000, nearest:1000:imported/NAME, category:NAME,
    type:NAME and so on. It becomes a student file; `students` and `judgments.head_to_head` of
    params.yaml are set, and nothing is run.

    \b
    Examples:
      alpacare ablate all-rows random:half longest:half
      alpacare ablate all-rows 'category:question answering' random:800
    """
    from alpacare.pipeline.ablation import ablate as write_arms

    for line in write_arms(base, arms):
        click.echo(line)


@click.command(cls=Stage)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@_TEST
@_JUDGE
def compare(first: str, second: str, test: str | None, judge: str | None) -> None:
    """Compare two models item by item: how far B is from A, how sure, and what would show more.

    A and B are students or contestants of params.yaml. NAME@COMMIT is the same as it was then.
    Behind the test sets come the benchmarks that both have met.

    \b
    Examples:
      alpacare compare half-rows all-rows
      alpacare compare all-rows@HEAD~1 all-rows
      alpacare compare base all-rows --test own-mcq
    """
    from alpacare.comparison.all_boards import print_all_comparisons

    print_all_comparisons(first, second, test, judge)


@click.command(cls=Stage)
@_TEST
@_JUDGE
def scores(test: str | None, judge: str | None) -> None:
    """Print every win rate in metrics/, a line for each comparison of params.yaml.

    \b
    Example:
      alpacare scores --judge overlap
    """
    from alpacare.comparison.leaderboard import chosen_cells
    from alpacare.evaluation.score_table import print_scores, read_score
    from alpacare.pipeline import paths
    from alpacare.pipeline.params import read_params

    cells = chosen_cells(read_params(), test, judge)
    print_scores({cell: read_score(paths.score(cell)) for cell in cells})


@click.command(cls=Stage)
@click.argument("rev", default="HEAD")
@click.option("--data", is_flag=True, help="Compare the rows of the datasets, not win rates.")
@click.option("--out", type=FILE, help="The page  [default: reports/diff.md, data-diff.md]")
def diff(rev: str, data: bool, out: Path | None) -> None:
    """Compare the win rates of the working tree with those of commit REV, item by item.

    OUT gets every test item with another outcome now, such as a win that became a loss; with
    --data every row that was added, removed or changed.

    \b
    Examples:
      alpacare diff HEAD~1
      alpacare diff --data HEAD~1
    """
    if data:
        from alpacare.comparison.dataset_diff_print import print_dataset_diff

        print_dataset_diff(rev, out or Path("reports/data-diff.md"))
        return
    from alpacare.comparison.diff import print_diff

    print_diff(rev, out or Path("reports/diff.md"))


@click.command(cls=Stage)
@click.option("--out", type=FILE, help="Also write the figures to this file, as JSON.")
def agreement(out: Path | None) -> None:
    """Measure the agreement of judges, with one another and with the people in data/reviews.

    \b
    Example:
      alpacare agreement --out agreement.json
    """
    from alpacare.comparison.agreement import report_agreement

    report_agreement(out)


@click.command(cls=Stage)
@click.option("--format", "form", type=click.Choice(["markdown", "latex"]), default="markdown")
@click.option("--style", type=click.Choice(["alpacare", "bioinstruct"]), default="alpacare")
def table(form: str, style: str) -> None:
    """Print a paper's tables. AlpaCare: win rates by judge, test set and reference; benchmarks.

    BioInstruct: benchmarks by kind of task, and gains over the untuned base.

    \b
    Examples:
      alpacare table
      alpacare table --style bioinstruct --format latex
    """
    from alpacare.comparison.paper_styles import format_style

    for text in format_style(form, style):
        click.echo(text)
