"""What came out, in a sentence: who leads each leaderboard, and whether that may be chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from alpacare.comparison.board_notes import SANITY_CHECKS
from alpacare.comparison.leaderboard import Board, Entry
from alpacare.evaluation.score_table import percent
from alpacare.pipeline.params import Params
from alpacare.report.formats import join_names

_MOST = 3  # names in a sentence


@dataclass(frozen=True)
class Headline:
    """The leaderboard that the page's title speaks of, what it says, and its models in order."""

    board: Board
    said: str
    figure: str
    models: list[str]

    @property
    def judge(self) -> str:
        """The judge of that leaderboard."""
        return self.board.judge


def make_headline(boards: Sequence[Board]) -> Headline | None:
    """Choose the first leaderboard whose judge is no sanity check, or else the first."""
    sound = [board for board in boards if board.judge not in SANITY_CHECKS]
    for board in [*sound, *boards]:
        models = [entry.model.name for entry in board.entries]
        return Headline(board, describe_leader(board), _figure(board), models)
    return None


def describe_outcome(params: Params, headline: Headline | None) -> str:
    """Say what came out on which test set; without verdicts, what is to be compared."""
    if headline:
        return f"{headline.said} on {headline.board.test}"
    return f"{_join([*params.students, *params.judgments.contestants])} on {_join(params.tests)}"


def describe_title(params: Params, headline: Headline | None, date: str) -> str:
    """Say what was compared, when, and what came out; `date` is "" outside Git."""
    judge = [f"judged by {headline.judge}"] if headline else []
    return ", ".join([describe_outcome(params, headline), *judge, *filter(None, [date[:10]])])


def describe_leader(board: Board) -> str:
    """Say who leads: "a leads; b and c are behind", or "a and b cannot be told apart"."""
    first = [entry for entry in board.entries if entry.rank.best == 1]
    rest = [entry for entry in board.entries if entry.rank.best > 1]
    if len(board.entries) == 1:
        return f"{_names(first)} wins {_percent(first[0])} %"
    if len(first) == 1:
        said = f"{_names(first)} leads"
    elif rest:
        said = f"{_names(first)} lead and cannot be told apart"
    else:
        return f"{_names(first)} cannot be told apart"
    return f"{said}; {_names(rest)} {'is' if len(rest) == 1 else 'are'} behind"


def _figure(board: Board) -> str:
    """Give the win rate of the best: "a wins 57.1 % (45.4 to 68.1)"."""
    best = board.entries[0]
    bounds = f"{percent(best.rate.ci_low)} to {percent(best.rate.ci_high)}"
    return f"{best.model.name} wins {_percent(best)} % ({bounds})"


def _percent(entry: Entry) -> str:
    return percent(entry.rate.win_rate)


def _names(entries: Sequence[Entry]) -> str:
    return _join([entry.model.name for entry in entries])


def _join(names: list[str]) -> str:
    if len(names) > _MOST + 1:
        names = [*names[:_MOST], f"{len(names) - _MOST} others"]
    return join_names(names)
