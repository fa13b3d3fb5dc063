"""A comparison of two commits, printed in the terminal: what moved, model by model."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alpacare.comparison.diff_page import ComparedCell, count_directions
from alpacare.comparison.diff_rows import DiffRow
from alpacare.comparison.sentences import (
    describe_difference,
    describe_left_out,
    describe_parts,
    describe_points,
    describe_pool,
)
from alpacare.core.texts import counted, escape_controls
from alpacare.display.text import wrapped
from alpacare.evaluation.paired_comparison import Flip
from alpacare.evaluation.score_table import fold_name, make_table, percent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHOWN = 3  # flipped items printed of each model, and comparisons named; the page has all
_NAME = 12  # characters of a name in one line


def print_rows(
    console: "Console", rev: str, rows: Sequence[DiffRow], what: str = "Win rates"
) -> None:
    """Print a table of what moved, a sentence for each line, and what did not move."""
    moved = [row for row in rows if _moved(row)]
    if moved:
        console.print(_table(f"{what}, %: {rev} and now", moved))
    for row in rows:
        for line in _describe(row, rev):
            print_line(console, line)
    if still := [row for row in rows if not _moved(row)]:
        names = dict.fromkeys(f"{row.name} ({row.test}, {row.judge})" for row in still)
        said = "No item scores otherwise than" if moved else "Every item scores as"
        print_line(console, f"{said} at {rev}: {', '.join(names)}.")
    for line in filter(None, dict.fromkeys(describe_pool(row.seeds[0]) for row in moved)):
        print_line(console, line)
    console.print()


def print_line(console: "Console", line: str) -> None:
    """Print a line, broken at blanks where it is too long; no path is broken."""
    indent = len(line) - len(line.lstrip()) + 2
    console.print(wrapped(line, " " * indent), soft_wrap=True)


def _table(title: str, rows: Sequence[DiffRow]) -> "Table":
    against = ["against"] if any(row.against for row in rows) else []
    names, figures = ["test", "judge", "model"], ["then", "now", "difference", "changed"]
    table = make_table(title, names + against, figures)
    for row in rows:
        shown = (row.test, row.judge, row.model.name, *([row.against] if against else []))
        table.add_row(*(fold_name(name, _NAME) for name in shown), *_figures(row))
    return table


def _figures(row: DiffRow) -> list[str]:
    found = row.comparison.difference
    if found is None:
        return ["-", "-", "-", "-"]
    change = describe_points(found).replace(" points ", "\n")
    return [percent(found.then), percent(found.now), change, f"{found.changed:,}/{found.n:,}"]


def _moved(row: DiffRow) -> bool:
    found = row.comparison.difference
    return found is None or found.changed > 0


def _describe(row: DiffRow, rev: str) -> Iterator[str]:
    """Say whether the change is more than chance, and which items are left out."""
    found = row.comparison.difference
    place = f"{row.test}, {row.judge}: {row.name}"
    wanted = "readable verdicts" if row.against else "a score"
    if found is None:
        yield f"{place}: no item has {wanted} in both versions."
    elif found.changed:
        yield f"{place}: {describe_difference(found)}"
        yield f"  uncertainty in points: {describe_parts(found.parts, found.one_seed)}"
    if left_out := describe_left_out(row.comparison, rev, "the working tree", wanted):
        yield f"  left out: {left_out}"


def print_flips(console: "Console", compared: Sequence[ComparedCell]) -> None:
    """Count each model's flips by direction and show the first few, a line a text."""
    for name in dict.fromkeys(each.cell.model for each in compared):
        cells = [each for each in compared if each.cell.model == name]
        flips = [flip for each in cells for flip in each.flips()]
        if not flips:
            continue
        counts = f"{counted(len(flips), 'verdict')} flipped, {count_directions(flips)}"
        print_line(console, f"{name}: {counts}")
        shown = [(cell, flip) for cell in cells for flip in cell.flips()][:SHOWN]
        for cell, flip in shown:
            _print_flip(console, cell, flip)


def _print_flip(console: "Console", cell: ComparedCell, flip: Flip) -> None:
    task = cell.task(flip.id)
    _print_text(console, f"  {flip.then} to {flip.now}: ", task.instruction if task else "?")
    for label, version in (("    then: ", cell.then), ("    now:  ", cell.now)):
        answer = version.generations.get(flip.id)
        _print_text(console, label, answer.output if answer else "(not available)")


def _print_text(console: "Console", label: str, text: str) -> None:
    from rich.text import Text

    line = Text(label + (escape_controls(" ".join(text.split())) or "(empty)"))
    line.truncate(console.width, overflow="ellipsis")
    console.print(line, soft_wrap=True)
