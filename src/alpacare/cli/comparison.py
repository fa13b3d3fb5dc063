"""Commands that compare: models, commits, judges; and the tables of scores."""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage

_TEST = click.option("--test", metavar="TEST", help="One test set; without: all of them.")
_JUDGE = click.option("--judge", metavar="JUDGE", help="One judge; without: all of them.")


@click.command(cls=Stage)
@_TEST
@_JUDGE
def leaderboard(test: str | None, judge: str | None) -> None:
    """Rank all models: a table for each test set and judge, and what can be said of students.

    \b
    Example:
      alpacare leaderboard --judge overlap
    """
    from alpacare.comparison.board_notes import print_notes
    from alpacare.comparison.leaderboard import make_boards
    from alpacare.comparison.leaderboard_print import print_boards
    from alpacare.comparison.model_runs import make_reader
    from alpacare.pipeline.params import read_params

    params, read = read_params(), make_reader()
    boards = make_boards(params, test, judge, read)
    print_boards(boards, 100 * params.scores.confidence)
    print_notes(params, boards, read)


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

    \b
    Examples:
      alpacare compare half-rows all-rows
      alpacare compare all-rows@HEAD~1 all-rows
    """
    from alpacare.comparison.compare import print_comparison

    print_comparison(first, second, test, judge)


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
def table(form: str) -> None:
    """Print the win rates as in the AlpaCare paper: by judge, test set and reference, with AVG.

    \b
    Examples:
      alpacare table
      alpacare table --format latex
    """
    from alpacare.comparison.paper_table import format_table

    click.echo(format_table(form))
