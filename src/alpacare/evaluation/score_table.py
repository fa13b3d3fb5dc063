"""Scores as people read them: a table a test set, a line a comparison, each with its interval."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.core.jsonl import validate
from alpacare.evaluation.score import Mean, Rate, Score

if TYPE_CHECKING:
    from rich.table import Table

from alpacare.evaluation.bootstrap import share_interval

Cell = tuple[str, str, str]  # test, reference, judge
NEXT = """\
In brackets: {:g} % intervals. Equal length: what would be left if judges did
not like long answers; "-" where one side is nearly always longer. Valid: items
with readable verdicts. Consistent: % with the same one in both orders.
`overlap` and `longest` only compare words and lengths: they are smoke
detectors, and know no medicine. More of each: docs/scores.md.

  data/generations/   what the student wrote
  data/judgments/     what the judge said of it
  metrics/            the numbers, in Git; `make diff` compares commits
  docs/               change a judge, a filter or a seed and see what reruns"""


def print_scores(
    folder: Path, cells: Sequence[Cell], means: Mapping[tuple[str, str], Mean]
) -> None:
    """Print `TEST/REFERENCE/JUDGE.json` of each cell, and where to look next.

    `means`: by test set and judge, over its references.

    Raises:
        BadInput: a cell has no score, or its file is no score.
    """
    from rich.console import Console

    console = Console(highlight=False)
    scores = {cell: read_score(folder / cell[0] / cell[1] / f"{cell[2]}.json") for cell in cells}
    for test in dict.fromkeys(test for test, _, _ in cells):
        table = _table(f"Student's win rate on {test}, %")
        for judge in dict.fromkeys(judge for _, _, judge in cells):
            for cell, score in scores.items():
                if cell[::2] == (test, judge) and score.n:  # else nobody answered it
                    table.add_row(cell[1], judge, *row(score))
            if mean := means.get((test, judge)):
                name, valid = f"mean ({mean.references})", f"{mean.rate.n}/{mean.n}"
                table.add_row(name, judge, interval(mean.rate), "", valid)
            table.add_section()
        console.print(table)
    confidence = max(score.confidence for score in scores.values())
    console.print(NEXT.format(100 * confidence), soft_wrap=True)


def _table(title: str) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, box=SIMPLE_HEAD)
    table.pad_edge, table.collapse_padding = False, True  # or 80 columns do not hold it
    for column in ("against", "judge"):
        table.add_column(column, overflow="fold")  # long names take two lines, and no figure's room
    for column in ("win rate", "at equal length", "valid", "con-\nsistent"):
        table.add_column(column, justify="right", no_wrap=True)
    return table


def read_score(path: Path) -> Score:
    """Read one cell's score."""
    if not path.exists():
        raise BadInput(f"{path}: not scored yet; run `make demo` or `dvc repro`")
    return validate(Score, read_json(path), str(path))


def row(score: Score) -> list[str]:
    """Format one score: shares as percent, counts as they are."""
    whole = Rate(
        win_rate=score.win_rate, ci_low=score.ci_low, ci_high=score.ci_high, n=score.n_valid
    )
    return [
        interval(whole),
        interval(score.length_controlled),
        f"{score.n_valid}/{score.n}",
        percent(score.position_consistency),
    ]


def interval(rate: Rate) -> str:
    """Write a rate with its interval; "-" when there is none."""
    if rate.win_rate is None:
        return "-"
    return f"{percent(rate.win_rate)} ({percent(rate.ci_low)} to {percent(rate.ci_high)})"


def percent(share: float | None) -> str:
    """Write a share as percent with one decimal; "-" when there is none."""
    return "-" if share is None else f"{100 * share:.1f}"


def whole(score: Score) -> Rate:
    """Give a score's win rate with its interval."""
    return Rate(
        win_rate=score.win_rate, ci_low=score.ci_low, ci_high=score.ci_high, n=score.n_valid
    )


def consistency(score: Score) -> Rate:
    """Give the share of items with the same verdict in both orders, with Wilson's interval."""
    return share(score.position_consistency, score.n_valid, score.confidence)


def share(value: float | None, n: int, confidence: float) -> Rate:
    """Give a share of n items with Wilson's interval."""
    if value is None or not n:
        return Rate(win_rate=None, ci_low=None, ci_high=None, n=0)
    low, high = share_interval(value, n, confidence)
    return Rate(win_rate=value, ci_low=low, ci_high=high, n=n)
