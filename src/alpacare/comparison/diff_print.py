"""A comparison of two versions, printed in the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alpacare.comparison.diff_page import ComparedCell, count_directions
from alpacare.core.texts import escape_controls
from alpacare.evaluation.paired_comparison import Comparison, Difference
from alpacare.evaluation.score_table import make_table, percent

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 3  # flipped items printed for each cell; the page has all


@dataclass(frozen=True)
class DiffRow:
    """One line of the table: against one reference, or the mean over several."""

    test: str
    judge: str
    against: str
    comparison: Comparison
    is_mean: bool = False


def print_rows(console: "Console", rev: str, rows: Sequence[DiffRow]) -> None:
    """Print the table, then what each line means and which items it leaves out."""
    names = ("test", "against", "judge")
    figures = ("then", "now", "difference (interval)", "changed")
    table = make_table(f"Student's win rate, %: {rev} and now", names, figures)
    for row in rows:
        table.add_row(row.test, row.against, row.judge, *_figures(row.comparison.difference))
    console.print(table)
    for row in rows:
        console.print(f"{row.test}, {row.judge}: {describe_change(row)}", soft_wrap=True)
        if left_out := describe_left_out(row.comparison, rev):
            console.print(f"  left out: {left_out}", soft_wrap=True)
    console.print()


def _figures(found: Difference | None) -> list[str]:
    if found is None:
        return ["-", "-", "-", "-"]
    change = f"{_points(found.change)} {_interval(found)}"
    return [percent(found.then), percent(found.now), change, f"{found.changed}/{found.n}"]


def _interval(found: Difference) -> str:
    return f"({_points(found.ci_low)} to {_points(found.ci_high)})"


def describe_change(row: DiffRow) -> str:
    """Say in a sentence whether the change is more than chance, and what n would show it."""
    found = row.comparison.difference
    against = f"the {row.against}" if row.is_mean else row.against
    if found is None:
        return f"No item has readable verdicts against {against} in both versions."
    interval = _interval(found)
    if found.real:
        verb = "gained" if found.change > 0 else "lost"
        points = f"{_points(abs(found.change))} points against {against} {interval}"
        return f"The student {verb} {points}: more than chance at {found.n:,} items."
    if not found.changed:
        return f"No change against {against}: {found.n:,} items score as before {interval}."
    if found.ci_low > 0 or found.ci_high < 0:
        return (
            f"{found.changed} items changed against {against}, {_points(found.change)} points: "
            "too few to distinguish a change from chance."
        )
    line = (
        f"No change that {found.n:,} items could show against {against}: "
        f"{_points(found.change)} points {interval}"
    )
    if found.needed is None or found.needed <= found.n:
        return f"{line}."
    about = float(f"{found.needed:.2g}")
    return f"{line}; to see a change of this size it would take about {about:,.0f} items."


def describe_left_out(comparison: Comparison, rev: str) -> str:
    """Count the items that are not compared; "" if there are none."""
    counts = {
        "without readable verdicts then or now": comparison.unreadable,
        f"only at {rev}": comparison.only_then,
        "only now": comparison.only_now,
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def print_flips(console: "Console", cell: ComparedCell) -> None:
    """Count a cell's flips by direction and show the first few, a line a text."""
    flips = cell.flips()
    counts = f"{len(flips)} flipped, {count_directions(flips)}" if flips else "no item flipped"
    console.print(f"{cell.cell}: {counts}", soft_wrap=True)
    for flip in flips[:SHOWN]:
        task = cell.task(flip.id)
        _print_line(console, f"  {flip.then} to {flip.now}: ", task.instruction if task else "?")
        for label, version in (("    then: ", cell.then), ("    now:  ", cell.now)):
            answer = version.generations.get(flip.id)
            _print_line(console, label, answer.output if answer else "(not available)")


def _print_line(console: "Console", label: str, text: str) -> None:
    from rich.text import Text

    line = Text(label + (escape_controls(" ".join(text.split())) or "(empty)"))
    line.truncate(console.width, overflow="ellipsis")
    console.print(line, soft_wrap=True)


def _points(share: float) -> str:
    """Write a difference of shares as percentage points, never -0.0."""
    return f"{round(100 * share, 1) + 0.0:.1f}"
