"""Scores in the terminal: a table for each test set, a line for each comparison."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.core.jsonl import validate
from alpacare.evaluation.bootstrap import share_interval
from alpacare.evaluation.score import Cell, Mean, Rate, Score
from alpacare.evaluation.win_rates import NO_RATE

if TYPE_CHECKING:
    from rich.table import Table

NEXT = """\
In brackets: {:g} % intervals. Length-controlled: the win rate expected if both
answers had the same length; "-" where one side is nearly always longer. Valid:
items with readable verdicts. Pos. consistency: position consistency, % of items
with the same verdict in both orders. `overlap` and `longest` only compare words
and lengths: they are sanity checks, and know no medicine. More: docs/scores.md.

  data/generations/   what the student wrote
  data/judgments/     what the judge said of it
  metrics/            the numbers, in Git; `make diff` compares commits
  docs/               how to change a judge, a filter or a seed task"""


def print_scores(
    folder: Path, cells: Sequence[Cell], means: Mapping[tuple[str, str], Mean]
) -> None:
    """Print `TEST/REFERENCE/JUDGE.json` of each cell, and where to look next.

    `means`: by test set and judge, over its references.

    Raises:
        BadInput: a cell has no score, or its file is not a score.
    """
    from rich.console import Console

    console = Console(highlight=False)
    scores = {cell: read_score(folder / cell[0] / cell[1] / f"{cell[2]}.json") for cell in cells}
    for test in dict.fromkeys(test for test, _, _ in cells):
        figures = ("win rate", "length-controlled", "valid", "pos.\nconsis-\ntency")
        table = make_table(f"Student's win rate on {test}, %", ("against", "judge"), figures)
        for judge in dict.fromkeys(judge for _, _, judge in cells):
            for cell, score in scores.items():
                if cell[::2] == (test, judge) and score.n:  # n is 0 if it was not answered
                    table.add_row(cell[1], judge, *format_score(score))
            if mean := means.get((test, judge)):
                name, valid = f"mean ({mean.references})", f"{mean.rate.n}/{mean.n}"
                table.add_row(name, judge, interval(mean.rate), "", valid)
            table.add_section()
        console.print(table)
    confidence = max(score.confidence for score in scores.values())
    console.print(NEXT.format(100 * confidence), soft_wrap=True)


def make_table(title: str, names: Sequence[str], figures: Sequence[str]) -> "Table":
    """Make a table that fits in 80 characters: long names take two lines, figures never do."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in names:
        table.add_column(column, overflow="fold")
    for column in figures:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def read_score(path: Path) -> Score:
    """Read one cell's score."""
    if not path.exists():
        raise BadInput(f"{path}: not scored yet; run `make demo` or `dvc repro`")
    return validate(Score, read_json(path), str(path))


def format_score(score: Score) -> list[str]:
    """Format one score: shares as percent, counts as they are."""
    return [
        interval(overall_rate(score)),
        interval(score.length_controlled),
        f"{score.n_valid}/{score.n}",
        percent(score.position_consistency),
    ]


def interval(rate: Rate | None) -> str:
    """Write a rate with its interval; "-" when there is none."""
    if rate is None or rate.win_rate is None:
        return "-"
    return f"{percent(rate.win_rate)} ({percent(rate.ci_low)} to {percent(rate.ci_high)})"


def percent(share_rate: float | None) -> str:
    """Write a share as percent with one decimal; "-" when there is none."""
    return "-" if share_rate is None else f"{100 * share_rate:.1f}"


def overall_rate(score: Score) -> Rate:
    """Give a score's win rate with its interval."""
    return Rate(
        win_rate=score.win_rate, ci_low=score.ci_low, ci_high=score.ci_high, n=score.n_valid
    )


def consistency_rate(score: Score) -> Rate:
    """Give the share of items with the same verdict in both orders, with Wilson's interval."""
    return share_rate(score.position_consistency, score.n_valid, score.confidence)


def share_rate(value: float | None, n: int, confidence: float) -> Rate:
    """Give a share of n items with Wilson's interval."""
    if value is None or not n:
        return NO_RATE
    low, high = share_interval(value, n, confidence)
    return Rate(win_rate=value, ci_low=low, ci_high=high, n=n)
