"""Scores as people read them: one line a comparison, each with its interval and n."""

from collections.abc import Iterable
from pathlib import Path

from alpacare.errors import BadInput
from alpacare.evaluation.statistics import Score
from alpacare.files import read_json
from alpacare.jsonl import validate

NEXT = """\
interval: 95 % unless params.yaml says otherwise; valid: items with readable
verdicts; consistent: % of them with the same verdict in both orders.
The overlap judge compares words. It is a smoke detector and knows no medicine.

  data/generations/   what the student wrote
  data/judgments/     what the judge said of it
  metrics/            the numbers, in Git; `dvc metrics diff` compares commits
  docs/               change a judge, a filter or a seed and see what reruns"""


def print_scores(folder: Path, cells: Iterable[tuple[str, str, str]]) -> None:
    """Print `TEST/REFERENCE/JUDGE.json` of each cell as a table, and where to look next.

    Raises:
        BadInput: a cell has no score, or its file is no score.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Student's win rate, % of test items", box=SIMPLE_HEAD)
    table.pad_edge, table.collapse_padding = False, True  # or 80 columns do not hold it
    for column in ("test", "against", "judge"):
        table.add_column(column, no_wrap=True)
    for column in ("win rate (interval)", "W/T/L", "valid", "consistent"):
        table.add_column(column, justify="right", no_wrap=True)
    for test, reference, judge in cells:
        score = read_score(folder / test / reference / f"{judge}.json")
        if score.n:  # else the reference has not answered this test set
            table.add_row(test, reference, judge, *row(score))
    console = Console(highlight=False)
    console.print(table)
    console.print(NEXT, soft_wrap=True)


def read_score(path: Path) -> Score:
    """Read one cell's score."""
    if not path.exists():
        raise BadInput(f"{path}: not scored yet; run `make demo` or `dvc repro`")
    return validate(Score, read_json(path), str(path))


def row(score: Score) -> list[str]:
    """Format one score: shares as percent, counts as they are."""
    interval = f"{percent(score.ci_low)} to {percent(score.ci_high)}"
    return [
        f"{percent(score.win_rate)} ({interval})",
        f"{score.wins}/{score.ties}/{score.losses}",
        f"{score.n_valid}/{score.n}",
        percent(score.position_consistency),
    ]


def percent(share: float | None) -> str:
    """Write a share as percent with one decimal; "-" when there is none."""
    return "-" if share is None else f"{100 * share:.1f}"
