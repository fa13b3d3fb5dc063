"""Below a leaderboard: what people make of it, and what would make its intervals narrower."""

from collections.abc import Sequence

import click

from alpacare.comparison.agreement_board import correct_board, describe_corrected
from alpacare.comparison.board_prices import describe_prices, price_board
from alpacare.comparison.leaderboard import Board
from alpacare.comparison.model_runs import make_reader
from alpacare.core.texts import escape_controls
from alpacare.pipeline.params import Params


def print_notes(params: Params, boards: Sequence[Board]) -> None:
    """Print both for each board; what people say only where they have reviewed it."""
    read = make_reader()
    for board in boards:
        name = f"{board.test}, judged by {board.judge}"
        corrected = list(describe_corrected(board, correct_board(params, board, read)))
        _print(f"{name}, corrected by people:", corrected)
        _print(
            f"{name}, for an interval one point narrower:",
            list(describe_prices(price_board(board, read))),
        )


def _print(title: str, lines: Sequence[str]) -> None:
    if lines:
        click.echo("\n" + "\n".join([title, *(f"  {escape_controls(line)}" for line in lines)]))
