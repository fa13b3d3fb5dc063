"""A comparison of two commits, printed in the terminal: what moved, model by model."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alpacare.comparison.diff_page import ComparedCell, count_directions
from alpacare.comparison.diff_rows import DiffRow
from alpacare.comparison.sentences import (
    count,
    describe_difference,
    describe_left_out,
    describe_parts,
    describe_points,
    describe_pool,
)
from alpacare.core.texts import escape_controls
from alpacare.evaluation.paired_comparison import Flip
from alpacare.evaluation.score_table import fold_name, make_table, percent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHOWN = 3  # flipped items printed of each model, and comparisons named; the page has all
_NAME = 12  # characters of a name in one line


def print_rows(console: "Console", rev: str, rows: Sequence[DiffRow]) -> None:
    """Print a table of what moved, a sentence for each line, and what did not move."""
    moved = [row for row in rows if _moved(row)]
    if moved:
        console.print(_table(rev, moved))
    for row in rows:
        for line in _describe(row, rev):
            console.print(line, soft_wrap=True)
    if still := [row for row in rows if not _moved(row)]:
        names = dict.fromkeys(
            f"{row.model.name} against {row.against} ({row.test}, {row.judge})" for row in still
        )
        said = "No item scores otherwise than" if moved else "Every item scores as"
        console.print(f"{said} at {rev}: {', '.join(names)}.", soft_wrap=True)
    for line in filter(None, dict.fromkeys(describe_pool(row.seeds[0]) for row in moved)):
        console.print(line, soft_wrap=True)
    console.print()


def _table(rev: str, rows: Sequence[DiffRow]) -> "Table":
    names, figures = ("test", "judge", "model", "against"), ("then", "now", "difference", "changed")
    table = make_table(f"Win rates, %: {rev} and now", names, figures)
    for row in rows:
        shown = (row.test, row.judge, row.model.name, row.against)
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
    place = f"{row.test}, {row.judge}: {row.model.name} against {row.against}"
    if found is None:
        yield f"{place}: no item has readable verdicts in both versions."
    elif found.changed:
        yield f"{place}: {describe_difference(found)}"
        yield f"  uncertainty in points: {describe_parts(found.parts, found.one_seed)}"
    if left_out := describe_left_out(row.comparison, rev, "the working tree"):
        yield f"  left out: {left_out}"


def print_flips(console: "Console", compared: Sequence[ComparedCell]) -> None:
    """Count each model's flips by direction and show the first few, a line a text."""
    for name in dict.fromkeys(each.cell.model for each in compared):
        cells = [each for each in compared if each.cell.model == name]
        flips = [flip for each in cells for flip in each.flips()]
        if not flips:
            continue
        counts = f"{count(len(flips), 'verdict')} flipped, {count_directions(flips)}"
        console.print(f"{name}: {counts}", soft_wrap=True)
        shown = [(cell, flip) for cell in cells for flip in cell.flips()][:SHOWN]
        for cell, flip in shown:
            _print_flip(console, cell, flip)


def _print_flip(console: "Console", cell: ComparedCell, flip: Flip) -> None:
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
