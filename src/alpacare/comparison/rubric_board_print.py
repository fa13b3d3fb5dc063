"""Scores by rubrics in the terminal: a board, and a table by axis and theme, in 80 columns."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alpacare.comparison.rubric_board import RubricBoard, RubricEntry
from alpacare.comparison.sentences import (
    describe_duels,
    describe_parts,
    describe_pools,
)
from alpacare.core.texts import escape_controls
from alpacare.evaluation.rubric_scores import MeanScore
from alpacare.evaluation.score_table import fold_name, make_table, percent

if TYPE_CHECKING:
    from rich.table import Table

_NAME = 14  # characters of a name in one line
_GROUP = 22
_LEGEND = """\
Rubric score, %: points of the criteria met over all points that can be had, the mean \
over items and training seeds, clipped to 0 to 100 as HealthBench does (arXiv \
2505.08775); in brackets its {:g} % interval, over test items and seeds. Items: those \
with a verdict on each criterion that counts, and of how many if not of all. Unread: \
criteria, or in the second table answers, without a verdict, in %, over all seeds. An \
axis counts the criteria with its tag, a theme the items."""


def print_rubric_boards(boards: Sequence[RubricBoard], confidence: float) -> None:
    """Print each board, what it says of the students, and what its figures mean."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    for board in boards:
        if board.entries:
            console.print(_main_table(board))
        if board.groups:
            console.print(_group_table(board))
        for line in [*describe_rubric_board(board), *board.missing]:
            console.print(escape_controls(line))
        console.print()
    if boards:
        console.print(_LEGEND.format(confidence))
    for line in describe_pools((f"{each.test} by {each.judge}", each.seeds) for each in boards):
        console.print(line)


def describe_rubric_board(board: RubricBoard) -> Iterator[str]:
    """Say of each student whether it differs from the one head to head, and what is uncertain."""
    yield from describe_duels(board.duels)
    parts = [
        f"{entry.model.name}: {describe_parts(entry.score.parts, entry.seeds.unknown)}"
        for entry in board.entries
    ]
    if parts:
        yield f"Uncertainty in points: {'; '.join(parts)}."


def score_text(score: MeanScore) -> tuple[str, str]:
    """Give a score and its interval in percent: ("31.4", "22 to 43")."""
    if score.score is None or score.ci_low is None or score.ci_high is None:
        return "-", ""
    return percent(score.score), f"{100 * score.ci_low:.0f} to {100 * score.ci_high:.0f}"


def unread_share(entry: RubricEntry) -> float:
    """Give the share of criteria without a verdict."""
    return entry.unread / entry.criteria if entry.criteria else 0.0


def _main_table(board: RubricBoard) -> "Table":
    costs = any(entry.dollars for entry in board.entries)
    figures = ["rubric score", "items", "unread", "seeds", *(["cost"] if costs else [])]
    table = make_table(f"{board.test}, graded by {board.judge}", ("rank", "model"), figures)
    for entry in board.entries:
        table.add_row(
            str(entry.rank),
            fold_name(entry.model.name, _NAME),
            _interval(entry.score),
            _items(entry.score),
            percent(unread_share(entry)),
            str(len(entry.runs)) if entry.model.seeds else "-",
            *([f"${entry.dollars:,.2f}" if entry.dollars else "-"] if costs else []),
        )
    return table


def _group_table(board: RubricBoard) -> "Table":
    title = f"{board.test}, graded by {board.judge}: by axis and theme"
    figures = ("rubric score", "items", "unread")
    table = make_table(title, ("", "model"), figures)
    for kind, name in board.groups:
        found = [(entry, entry.groups.get((kind, name))) for entry in board.entries]
        for number, (entry, score) in enumerate(found):
            if score:
                table.add_row(
                    fold_name(f"{kind} {name}", _GROUP) if number == 0 else "",
                    fold_name(entry.model.name, _NAME),
                    _interval(score),
                    _items(score),
                    percent(score.unread / score.answers if score.answers else None),
                )
    return table


def _interval(score: MeanScore) -> str:
    value, interval = score_text(score)
    return f"{value} ({interval})" if interval else value


def _items(score: MeanScore) -> str:
    return f"{score.n:,}" if score.n == score.items else f"{score.n:,}/{score.items:,}"
