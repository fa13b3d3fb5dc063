"""Below a leaderboard: what people make of it, and what would make its intervals narrower."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from alpacare.comparison.agreement_board import correct_board, describe_corrected
from alpacare.comparison.board_prices import describe_prices, price_board
from alpacare.comparison.leaderboard import Board
from alpacare.comparison.model_runs import CellReader
from alpacare.core.errors import BadInput
from alpacare.core.texts import escape_controls
from alpacare.pipeline.params import Params

SANITY_CHECKS = ("overlap", "longest")  # judges that know no medicine


@dataclass(frozen=True)
class BoardNotes:
    """A line for each model; `corrected` is empty where people reviewed nothing.

    Where their reviews cannot be read it has the one line that says why.

    `prices` is empty for a sanity check: nobody buys more of its verdicts.
    """

    corrected: list[str]
    prices: list[str]


def describe_board(params: Params, board: Board, read: CellReader) -> BoardNotes:
    """Say what people make of each win rate, and what a point of width costs."""
    prices = {} if board.judge in SANITY_CHECKS else price_board(board, read)
    return BoardNotes(_describe_people(params, board, read), list(describe_prices(prices)))


def _describe_people(params: Params, board: Board, read: CellReader) -> list[str]:
    try:
        return list(describe_corrected(board, correct_board(params, board, read)))
    except BadInput as error:  # the leaderboard itself is right without them
        return [f"not corrected: {error}"]


def print_notes(params: Params, boards: Sequence[Board], read: CellReader) -> None:
    """Print both for each board; `read` gives verdicts."""
    console = Console(markup=False, emoji=False, highlight=False)
    for board in boards:
        notes = describe_board(params, board, read)
        for title, lines in (
            ("corrected by people", notes.corrected),
            ("for an interval one point narrower", notes.prices),
        ):
            if lines:
                console.print(f"\n{board.test}, judged by {board.judge}, {title}:")
                console.print("\n".join(map(escape_controls, lines)))
