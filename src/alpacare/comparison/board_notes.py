"""Below a leaderboard: what people make of it, and what would make its intervals narrower."""

from collections.abc import Sequence

from rich.console import Console

from alpacare.comparison.agreement_board import correct_board, describe_corrected
from alpacare.comparison.board_prices import describe_prices, price_board
from alpacare.comparison.leaderboard import Board
from alpacare.comparison.model_runs import make_reader
from alpacare.core.texts import escape_controls
from alpacare.pipeline.params import Params


def print_notes(params: Params, boards: Sequence[Board]) -> None:
    """Print both for each board; what people say only where they have reviewed it."""
    console, read = Console(markup=False, emoji=False, highlight=False), make_reader()
    for board in boards:
        corrected = list(describe_corrected(board, correct_board(params, board, read)))
        prices = list(describe_prices(price_board(board, read)))
        for title, lines in (
            ("corrected by people", corrected),
            ("for an interval one point narrower", prices),
        ):
            if lines:
                console.print(f"\n{board.test}, judged by {board.judge}, {title}:")
                console.print("\n".join(map(escape_controls, lines)))
