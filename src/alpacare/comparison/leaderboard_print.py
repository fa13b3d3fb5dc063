"""The leaderboard in the terminal: at most 80 columns, where names fold and figures never do."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alpacare.comparison.leaderboard import Board, Entry
from alpacare.comparison.sentences import (
    describe_difference,
    describe_holm,
    describe_parts,
    describe_pools,
)
from alpacare.core.texts import escape_controls
from alpacare.evaluation.score import Rate
from alpacare.evaluation.score_table import fold_name, make_table, percent, short_interval

if TYPE_CHECKING:
    from rich.table import Table

_NAME = 11  # characters of a name in one line
_ROOM = 2  # columns `vs` that fit beside all others ...
_WIDE = 78  # ... on a terminal of so many columns
_EACH = 13  # columns of the terminal that one of them takes

_LEGEND = """\
Win rate, %: mean over training seeds and over {references}; in brackets its \
{confidence:g} % interval, over test items and seeds. Rank: the places it may \
have, behind all models that are better by more than chance and before all that are worse, \
corrected for the number of pairs (Holm). LC: \
length-controlled, the win rate expected if both answers had the same length; "-" \
where one side is longer in fewer than 30 items. Cons.: position consistency, % of items \
with the same verdict in both orders. Items: those with readable verdicts, and of how many \
if not of all. vs: win rate against that model. \
Uncertainty: half the width of the interval by cause; the squares add up."""


def print_boards(boards: Sequence[Board], confidence: float) -> None:
    """Print each board, what it says of the students, and what its figures mean."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    for board in boards:
        for table in _tables(board, console.width):
            console.print(table)
        for line in [*_sentences(board), _uncertainty(board), *board.missing]:
            console.print(escape_controls(line))
        console.print()
    names = _listed(list(dict.fromkeys(name for board in boards for name in board.references)))
    console.print(_LEGEND.format(references=names, confidence=confidence))
    for line in describe_luck(boards):
        console.print(line)


def describe_luck(boards: Sequence[Board]) -> Iterator[str]:
    """Say how far the luck of training is in the intervals of these leaderboards."""
    yield from describe_pools((f"{each.test} by {each.judge}", each.seeds) for each in boards)


def _tables(board: Board, width: int) -> "list[Table]":
    """Make a table, and others for the columns `vs` that it has no room for in `width` columns."""
    costs = any(entry.dollars for entry in board.entries)
    competing = [n for n in board.competing if any(n in each.against for each in board.entries)]
    room = _ROOM - costs if width >= _WIDE else 0
    main = _make_main(board, competing[:room], costs)
    most = max(1, (min(width, 80) - _EACH - 2) // _EACH)
    rest = [competing[start : start + most] for start in range(room, len(competing), most)]
    return [main, *(_make_rest(board, names) for names in rest)]


def _make_main(board: Board, competing: Sequence[str], costs: bool) -> "Table":
    figures = ["win rate", "LC", "cons.", "items", "seeds", *(["cost"] if costs else [])]
    figures += [f"vs\n{fold_name(name, _NAME)}" for name in competing]
    title = f"{board.test}, judged by {board.judge}"
    table = make_table(title, ("rank", "model"), figures)
    for entry in board.entries:
        dollars = [f"${entry.dollars:,.2f}" if entry.dollars else "-"] if costs else []
        table.add_row(
            str(entry.rank),
            fold_name(entry.model.name, _NAME),
            _two_lines(entry.rate),
            percent(entry.length_controlled),
            percent(entry.consistency),
            _items(entry),
            str(len(entry.runs)) if entry.model.seeds else "-",
            *dollars,
            *(_two_lines(entry.against.get(name)) for name in competing),
        )
    return table


def _make_rest(board: Board, competing: Sequence[str]) -> "Table":
    figures = [f"vs\n{fold_name(name, _NAME)}" for name in competing]
    table = make_table(f"{board.test}, judged by {board.judge}: one another", ("model",), figures)
    for entry in board.entries:
        rates = (_two_lines(entry.against.get(name)) for name in competing)
        table.add_row(fold_name(entry.model.name, _NAME), *rates)
    return table


def _two_lines(rate: Rate | None) -> str:
    return short_interval(rate, between="\n")


def _items(entry: Entry) -> str:
    return f"{entry.rate.n:,}" if entry.rate.n == entry.n else f"{entry.rate.n:,}/{entry.n:,}"


def _sentences(board: Board) -> list[str]:
    """Say of each student whether it differs from the one named head to head."""
    rates = {entry.model.name: entry.against for entry in board.entries}
    said = [
        f"{duel.name} against {duel.other}: {describe_difference(duel.difference)}"
        f"{_side_by_side(rates[duel.name].get(duel.other))}"
        for duel in board.duels
    ]
    holm = describe_holm(len(said), board.duels[0].other) if said else ""
    return [*said, holm] if holm else said


def _uncertainty(board: Board) -> str:
    """Say of each model what makes its interval wide."""
    parts = [
        f"{entry.model.name}: {describe_parts(entry.parts, entry.seeds.unknown)}"
        for entry in board.entries
    ]
    return f"Uncertainty in points: {'; '.join(parts)}."


def _side_by_side(rate: Rate | None) -> str:
    """Say whether one wins more than half against the other, judged side by side."""
    if rate is None or rate.ci_low is None or rate.ci_high is None:
        return ""
    chance = rate.ci_low <= 0.5 <= rate.ci_high
    verdict = "which may be chance" if chance else "more than chance"
    return f" Side by side it wins {short_interval(rate, ' % ')}: {verdict}."


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
