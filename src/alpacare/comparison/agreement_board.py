"""What people's reviews make of a leaderboard: each model's win rate, corrected (PPI++)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import hypot, isnan

from alpacare.comparison.agreement_files import Opinions, read_opinions, read_returned
from alpacare.comparison.leaderboard import Board, Entry
from alpacare.comparison.model_runs import CellReader
from alpacare.evaluation.agreement import Estimate
from alpacare.evaluation.correction import Pair, correct_win_rate, too_few, too_few_alone
from alpacare.evaluation.people import Compared, pair_up
from alpacare.pipeline.params import Params


@dataclass(frozen=True)
class CorrectedEntry:
    """A model's mean win rate over references and seeds by people, and by this judge's help.

    `reviewed` test items, of `items`. `why`: people's alone, and not the judge's beside it; or no
    win rate, where they are too few even for that.
    """

    model: str
    criterion: str
    reviewed: int
    items: int
    win_rate: Estimate | None
    why: str | None


def correct_board(params: Params, board: Board, read: CellReader) -> list[CorrectedEntry]:
    """Correct each model of a board by what people say, by criterion; empty without reviews.

    Raises:
        BadInput: a file of reviews cannot be read, or one that they are about is missing.
    """
    returned = read_returned()
    if not returned.reviews:
        return []
    ranked = {entry.model.name for entry in board.entries}
    cells = [
        cell
        for cell in params.cells()
        if (cell.test, cell.judge) == (board.test, board.judge)
        and cell.reference in board.references
        and cell.model in ranked
    ]
    said = read_opinions(params, returned, cells, read)
    compared = list(dict.fromkeys(cell[:4] for cell in cells))
    return [
        each
        for entry in board.entries
        for each in _correct(entry, said, board.judge, compared, params.scores.confidence)
    ]


def _correct(
    entry: Entry, said: Opinions, judge: str, compared: Sequence[Compared], confidence: float
) -> Iterator[CorrectedEntry]:
    cells = [cell for cell in compared if cell[1] == entry.model.name]
    for criterion, by in said.people.items():
        pairs = pair_up(cells, said.judges[judge], by, said.strata)
        reviewed = len({pair.item for pair in pairs if not isnan(pair.people)})
        if not reviewed:
            continue
        unknown, why = too_few_alone(pairs), too_few(pairs)
        rate = None if unknown else _rate(pairs, bool(why), entry.parts.training, confidence)
        items = len({pair.item for pair in pairs})
        yield CorrectedEntry(entry.model.name, criterion, reviewed, items, rate, unknown or why)


def _rate(pairs: Sequence[Pair], alone: bool, training: float, confidence: float) -> Estimate:
    """Give the win rate; its interval is widened by the luck of training, as in `crossed`."""
    used = [replace(pair, judge=0.0) for pair in pairs] if alone else pairs
    found = correct_win_rate(used, confidence)
    rate = 0.5 + found.preference
    low, high = hypot(rate - found.low, training), hypot(found.high - rate, training)
    return Estimate(
        value=0.5 + round(found.preference, 4),
        ci_low=max(0.0, rate - low),
        ci_high=min(1.0, rate + high),
    )


def describe_corrected(board: Board, found: Sequence[CorrectedEntry]) -> Iterator[str]:
    """Say of each model what people make of its win rate."""
    for each in found:
        if each.win_rate is None:
            yield f"{each.model}, {each.criterion}: no win rate by people, {each.why}"
            continue
        value, low, high = (
            f"{100 * (figure or 0.0):.1f}"
            for figure in (each.win_rate.value, each.win_rate.ci_low, each.win_rate.ci_high)
        )
        by = f"people alone, {each.why}" if each.why else f"people with {board.judge} (PPI++)"
        yield (
            f"{each.model}, {each.criterion}: {value} % ({low} to {high}) by {by}; "
            f"{each.reviewed:,} of {each.items:,} items read"
        )
