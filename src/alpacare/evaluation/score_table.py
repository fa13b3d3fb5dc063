"""Scores in the terminal: a table for each test set and judge, a line for each comparison."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.core.jsonl import validate
from alpacare.evaluation.bootstrap import share_interval
from alpacare.evaluation.score import Cell, Rate, Score
from alpacare.evaluation.win_rates import NO_RATE

if TYPE_CHECKING:
    from rich.table import Table

_NAME = 12  # characters of a name in one line
NEXT = """\
Behind a student's name: its training seed. In brackets: {:g} % intervals, over
test items alone. Length-controlled: the win rate expected if both answers had
the same length; "-" where one side is longer in fewer than 30 items. Valid:
items with readable verdicts. Pos. cons.: position consistency, % of items with
the same verdict in both orders. `overlap` and `longest` only compare words and
lengths: they are sanity checks, and know no medicine. More: docs/scores.md.

  make leaderboard    all models, over training seeds and references
  data/generations/   what students wrote
  data/judgments/     what judges said of it
  metrics/            the numbers, in Git; `make diff` compares commits
  docs/               how to change a judge, a filter or a seed task"""


def print_scores(scores: Mapping[Cell, Score]) -> None:
    """Print a table for each test set and judge, a line for each comparison; where to look next."""
    from rich.console import Console

    console = Console(highlight=False)
    for test, judge in dict.fromkeys((cell.test, cell.judge) for cell in scores):
        figures = ("win rate", "length-\ncontrolled", "valid", "pos.\ncons.")
        names = ("model", "against")
        table = make_table(f"Win rates on {test}, judged by {judge}, %", names, figures)
        last = None
        for cell, score in scores.items():
            if (cell.test, cell.judge) == (test, judge) and score.n:  # 0 if it was not answered
                run = cell.model, cell.seed
                if last not in (None, run):
                    table.add_section()
                last = run
                table.add_row(*_names(cell), *_figures(score))
        console.print(table)
    confidence = max(score.confidence for score in scores.values())
    console.print(NEXT.format(100 * confidence), soft_wrap=True)


def _names(cell: Cell) -> tuple[str, str]:
    seed = "" if cell.seed is None else f" {cell.seed}"
    return fold_name(cell.model, _NAME) + seed, fold_name(cell.reference, _NAME)


def _figures(score: Score) -> list[str]:
    return [
        short_interval(overall_rate(score)),
        short_interval(score.length_controlled),
        f"{score.n_valid}/{score.n}",
        percent(score.position_consistency),
    ]


def short_interval(rate: Rate | None, between: str = " ") -> str:
    """Write a rate with its interval in whole percent; "-" when there is none."""
    if rate is None or rate.win_rate is None:
        return "-"
    low, high = (f"{100 * (bound or 0.0):.0f}" for bound in (rate.ci_low, rate.ci_high))
    return f"{percent(rate.win_rate)}{between}({low} to {high})"


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


def fold_name(name: str, width: int) -> str:
    """Break a long name behind its hyphens and underscores into lines of this width."""
    lines = [""]
    for part in re.findall(r"[^-_]+[-_]*|[-_]+", name):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


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
