"""Commands that compare: models, commits, judges; and the tables of scores."""

from pathlib import Path

import click

from alpacare.cli.names import JUDGE, RANKED, STUDENT, TEST, TEST_OR_BENCHMARK
from alpacare.core.command import FILE, Stage

_TEST = click.option("--test", type=TEST, metavar="TEST", help="One test set; default: all.")
_TEST_OR_BENCHMARK = click.option(
    "--test",
    type=TEST_OR_BENCHMARK,
    metavar="TEST",
    help="One test set or benchmark; default: all.",
)
_JUDGE = click.option("--judge", type=JUDGE, metavar="JUDGE", help="One judge; default: all.")


@click.command(cls=Stage)
@_TEST_OR_BENCHMARK
@_JUDGE
def leaderboard(test: str | None, judge: str | None) -> None:
    """Rank all models: a table for each test and judge.

    Below each: which students differ by more than chance.

    Judges by rubrics have boards of their own: mean scores, also by axis and theme.

    \b
    Example:
      alpacare leaderboard --judge overlap
    """
    from alpacare.comparison.all_boards import print_all_boards

    print_all_boards(test, judge)


@click.command(cls=Stage)
@click.argument("base", type=STUDENT)
@click.argument("arms", nargs=-1, required=True, metavar="ARM...")
def ablate(base: str, arms: tuple[str, ...]) -> None:
    """Write student files that learn from fewer rows of BASE.

    BASE is compared with them; all are trained for as many steps.

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
@click.argument("first", type=RANKED, metavar="A")
@click.argument("second", type=RANKED, metavar="B")
@_TEST_OR_BENCHMARK
@_JUDGE
def compare(first: str, second: str, test: str | None, judge: str | None) -> None:
    """Compare two models item by item: how far B is from A.

    Also how sure that is, and what would show more.

    A and B are students or contestants of params.yaml. NAME@COMMIT is the same as it was then.
    Benchmarks that both have run come after the test sets.

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
    """Print every win rate, a line for each comparison.

    They come from metrics/, for the comparisons of params.yaml.

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
@click.option("--data", is_flag=True, help="Compare the rows of the datasets, not scores.")
@click.option("--out", type=FILE, help="The page  [default: reports/diff.md, data-diff.md]")
def diff(rev: str, data: bool, out: Path | None) -> None:
    """Compare win rates, or rows, with those of commit REV.

    And scores by rubrics and on benchmarks, where params.yaml names any.

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
    """Measure how far judges agree, with one another and people.

    What people said is in data/reviews.

    Judges by rubrics: with physicians' labels of criteria, in data/labels.

    \b
    Example:
      alpacare agreement --out agreement.json
    """
    from alpacare.comparison.agreement import report_agreement

    report_agreement(out)


@click.command(cls=Stage)
@_TEST
@click.option("--against", metavar="MODEL", help="Compare with it; default: the first contestant.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def safety(test: str | None, against: str | None, as_json: bool) -> None:
    """Count refusals of harmful and of harmless requests.

    Of test sets whose rows have `expect`, such as data/tests/safety.jsonl (docs/safety.md).

    \b
    Examples:
      alpacare safety
      alpacare safety --test safety --against base
    """
    import json

    from alpacare.comparison.safety import make_safety_boards
    from alpacare.comparison.safety_print import print_safety, safety_as_json
    from alpacare.pipeline.params import read_params

    params = read_params()
    boards = make_safety_boards(params, test, against)
    if as_json:
        click.echo(json.dumps(safety_as_json(boards), indent=2))
    else:
        print_safety(boards, 100 * params.scores.confidence)


@click.command(cls=Stage)
@click.option("--format", "form", type=click.Choice(["markdown", "latex"]), default="markdown")
@click.option("--style", type=click.Choice(["alpacare", "bioinstruct"]), default="alpacare")
def table(form: str, style: str) -> None:
    """Print a paper's tables, in Markdown or LaTeX.

    AlpaCare: win rates by judge, test set and reference; benchmarks. BioInstruct: benchmarks by
    kind of task, and gains over the untuned base.

    \b
    Examples:
      alpacare table
      alpacare table --style bioinstruct --format latex
    """
    from alpacare.comparison.paper_styles import format_style

    for text in format_style(form, style):
        click.echo(text)
