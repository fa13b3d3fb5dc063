"""Scores as people read them: one line a comparison, each with its interval and n."""

import json
from pathlib import Path
from typing import Any

from alpacare.errors import BadInput

NEXT = """\
valid: items with readable verdicts; consistent: same verdict in both orders.
The overlap judge compares words. It is a smoke detector and knows no medicine.

  data/generations/   what the student wrote
  data/judgments/     what the judge said of it
  metrics/            the numbers, in Git; `dvc metrics diff` compares commits
  docs/               change a judge, a filter or a seed and see what reruns"""


def print_scores(folder: Path) -> None:
    """Print every `TEST/REFERENCE/JUDGE.json` under `folder` as a table, and where to look next.

    Raises:
        BadInput: there are no scores.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    scores = {path: json.loads(path.read_text()) for path in sorted(folder.glob("*/*/*.json"))}
    if not scores:
        raise BadInput(f"{folder}: no scores yet; run `make demo` or `dvc repro`")
    confidence = next(iter(scores.values()))["confidence"]
    title = f"Student's win rate, % of test items, with {100 * confidence:g} % interval"
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)
    for column in ("test", "against", "judge"):
        table.add_column(column, no_wrap=True)
    for column in ("win rate, %", "W/T/L", "valid", "consistent"):
        table.add_column(column, justify="right", no_wrap=True)
    for path, score in scores.items():
        table.add_row(path.parts[-3], path.parts[-2], path.stem, *cells(score))
    console = Console(highlight=False)
    console.print(table)
    console.print(NEXT, soft_wrap=True)


def cells(score: dict[str, Any]) -> list[str]:
    """Format one score: shares as percent, counts as they are."""
    interval = f"{percent(score['ci_low'])} to {percent(score['ci_high'])}"
    return [
        f"{percent(score['win_rate'])} ({interval})",
        f"{score['wins']}/{score['ties']}/{score['losses']}",
        f"{score['n_valid']}/{score['n']}",
        f"{percent(score['position_consistency'])}",
    ]


def percent(share: float | None) -> str:
    """Write a share as percent with one decimal; "-" when there is none."""
    return "-" if share is None else f"{100 * share:.1f}"
