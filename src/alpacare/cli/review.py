"""`alpacare review` and `alpacare review-import`: blind comparisons by people."""

from pathlib import Path

import click

from alpacare.cli.names import MODEL, STUDENT, TEST
from alpacare.core.command import FILE, Stage


@click.command(cls=Stage)
@click.argument("test", type=TEST)
@click.argument("reference", type=MODEL)
@click.option(
    "--n", type=click.IntRange(min=1), default=50, show_default=True, help="Items to read."
)
@click.option(
    "--width",
    type=click.FloatRange(min=0.1, max=100),
    help="As many items, instead of --n, as an interval of so many points takes.",
)
@click.option("--student", type=STUDENT, help="Whose answers.  [default: the first of params.yaml]")
@click.option("--seed", type=int, help="Its training seed.  [default: the first of params.yaml]")
@click.option("--draw", type=int, default=0, show_default=True, help="Another number, other items.")
@click.option("--reviewer", default="", help="A name to fill in; the page asks for it anyway.")
@click.option("--out", type=FILE, help="The page.  [default: in reports/review/]")
@click.option("--label-studio", "tasks", type=FILE, help="Also write tasks for Label Studio there.")
def review(
    test: str,
    reference: str,
    n: int,
    width: float | None,
    student: str | None,
    seed: int | None,
    draw: int,
    reviewer: str,
    out: Path | None,
    tasks: Path | None,
) -> None:
    """Make a page on which people compare two models' answers.

    It has answers of a student and of REFERENCE to test set TEST, and is for reviewers. Whose
    answer is A is in data/reviews/keys/, for the team only.

    \b
    Examples:
      alpacare review demo terse --n 30
      alpacare review demo terse --width 20 --student half-rows --seed 1
    """
    from alpacare.comparison.agreement_width import plan_review
    from alpacare.core.command import check_files
    from alpacare.display.text import wrapped
    from alpacare.pipeline.params import read_params
    from alpacare.review.review_files import (
        Wish,
        describe_files,
        draw_review,
        find_run,
        write_page,
        write_tasks,
    )

    params = read_params()
    run = find_run(params, student, seed)
    page = out or Path(f"reports/review/{test}-{run.student}-{run.seed}-{reference}.html")
    check_files([], [page, tasks, tasks and tasks.with_suffix(".xml")])
    wish = Wish(n)
    if width is not None:
        plan = plan_review(params, test, run, reference, width)
        click.echo(wrapped(plan.sentence, "  "))
        if not plan.n:
            return
        wish = Wish(plan.n, plan.read, width)
    key, pairs = draw_review(params, test, run, reference, wish, draw)
    write_page(page, key, pairs, reviewer)
    config = write_tasks(tasks, key, pairs) if tasks else None
    click.echo(describe_files(key, page, tasks, config))


@click.command("review-import", cls=Stage)
@click.argument("export", type=FILE)
@click.option(
    "--reviewer",
    "names",
    multiple=True,
    metavar="NUMBER=NAME",
    help="The name of annotator NUMBER of Label Studio; without it, annotator-NUMBER.",
)
@click.option("--out", type=FILE, help="[default: data/reviews/, the name of EXPORT, .jsonl]")
def review_import(export: Path, names: tuple[str, ...], out: Path | None) -> None:
    """Read people's verdicts from an export of Label Studio.

    EXPORT is its JSON of a project that `alpacare review` made.

    \b
    Example:
      alpacare review-import project-3.json --reviewer 1=ann --reviewer 2=bob
    """
    from alpacare.core.command import check_files
    from alpacare.review.label_studio import import_export

    target = out or Path(f"data/reviews/{export.stem}.jsonl")
    check_files([export], [target])
    click.echo(import_export(export, names, target))
