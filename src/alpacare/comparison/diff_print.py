"""A comparison of two versions as people read it in a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alpacare.comparison.diff_page import Answers, Side, count_directions
from alpacare.display.text import plain
from alpacare.evaluation.paired_comparison import Comparison, Difference, Flip
from alpacare.evaluation.score_table import percent

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 3  # flipped items of a cell; the page has all


@dataclass(frozen=True)
class Row:
    """One line of the table: against one reference, or on average over all that are named."""

    test: str
    judge: str
    references: Sequence[str]
    comparison: Comparison

    @property
    def against(self) -> str:
        """Name the reference, or say how many there are."""
        return (
            self.references[0] if len(self.references) == 1 else f"mean of {len(self.references)}"
        )


def print_rows(console: "Console", rev: str, rows: Sequence[Row]) -> None:
    """Print the table, and for each line of it what it means and what it leaves out."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=f"Student's win rate, %: {rev} and now", box=SIMPLE_HEAD)
    table.pad_edge, table.collapse_padding = False, True  # or 80 columns do not hold it
    for column in ("test", "against", "judge"):
        table.add_column(column, overflow="fold")  # long names take two lines, and no figure's room
    for column in ("then", "now", "difference (interval)", "changed"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row.test, row.against, row.judge, *_figures(row.comparison.difference))
    console.print(table)
    for row in rows:
        console.print(f"{row.test}, {row.judge}: {tell(row)}", soft_wrap=True)
        if left_out := tell_left_out(row.comparison, rev):
            console.print(f"  left out: {left_out}", soft_wrap=True)
    console.print()


def _figures(found: Difference | None) -> list[str]:
    if found is None:
        return ["-", "-", "-", "-"]
    points = f"{_points(found.change)} ({_points(found.ci_low)} to {_points(found.ci_high)})"
    return [percent(found.then), percent(found.now), points, f"{found.changed}/{found.n}"]


def tell(row: Row) -> str:
    """Say in a sentence whether the change is real at this n, and what n would show it."""
    found = row.comparison.difference
    against = row.against if len(row.references) == 1 else f"the {row.against}"
    if found is None:
        return f"No item has readable verdicts against {against} in both versions."
    interval = f"({_points(found.ci_low)} to {_points(found.ci_high)})"
    if found.real:
        verb = "gained" if found.change > 0 else "lost"
        points = f"{_points(abs(found.change))} points against {against} {interval}"
        return f"The student {verb} {points}: more than chance at {found.n:,} items."
    if not found.changed:
        return f"No change against {against}: {found.n:,} items score as before {interval}."
    if found.ci_low > 0 or found.ci_high < 0:
        return (
            f"{found.changed} items changed against {against}, {_points(found.change)} points: "
            "too few to tell a change from chance."
        )
    told = (
        f"No change that {found.n:,} items could show against {against}: "
        f"{_points(found.change)} points {interval}"
    )
    if found.needed is None or found.needed <= found.n:
        return f"{told}."
    about = float(f"{found.needed:.2g}")
    return f"{told}; to see a change of this size it would take about {about:,.0f} items."


def tell_left_out(comparison: Comparison, rev: str) -> str:
    """Count the items that are not compared, "" for none."""
    counts = {
        "without readable verdicts then or now": comparison.unreadable,
        f"only at {rev}": comparison.only_then,
        "only now": comparison.only_now,
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def print_flips(
    console: "Console", title: str, flips: Sequence[Flip], then: Side, now: Side
) -> None:
    """Count a cell's flips by direction and show the first few, a line a text."""
    if not flips:
        console.print(f"{title}: no item flipped", soft_wrap=True)
        return
    console.print(f"{title}: {len(flips)} flipped, {count_directions(flips)}", soft_wrap=True)
    for flip in flips[:SHOWN]:
        task = now.generations.get(flip.id) or then.generations.get(flip.id)
        _print_line(console, f"  {flip.then} to {flip.now}: ", task.instruction if task else "?")
        _print_line(console, "    then: ", _output(then.generations, flip.id))
        _print_line(console, "    now:  ", _output(now.generations, flip.id))


def _print_line(console: "Console", label: str, text: str) -> None:
    from rich.text import Text

    line = Text(label + (plain(" ".join(text.split())) or "(empty)"))
    line.truncate(console.width, overflow="ellipsis")
    console.print(line, soft_wrap=True)


def _output(answers: Answers, id: str) -> str:
    return answers[id].output if id in answers else "(cannot be had)"


def _points(share: float) -> str:
    """Write a difference of shares as percentage points, never -0.0."""
    return f"{round(100 * share, 1) + 0.0:.1f}"
