"""What would make the intervals of a leaderboard narrower, and at what price."""

from collections.abc import Iterator

from alpacare.comparison.leaderboard import Board, Entry
from alpacare.comparison.model_runs import CellReader
from alpacare.core.texts import counted
from alpacare.evaluation.crossed import item_means
from alpacare.evaluation.score_table import read_score
from alpacare.evaluation.width_price import Counts, Purchase, price_a_point, reference_share
from alpacare.pipeline import paths


def price_board(board: Board, read: CellReader) -> dict[str, list[Purchase]]:
    """Give by model what makes its interval a point narrower: items, samples, references, seeds."""
    return {entry.model.name: _price(board, entry, read) for entry in board.entries}


def _price(board: Board, entry: Entry, read: CellReader) -> list[Purchase]:
    names = [name for name in board.references if name != entry.model.name]
    cells = [cell for name in names for cell in entry.model.cells(board.test, name, board.judge)]
    scores = [score for cell in cells if (score := read_score(paths.score(cell))).n]
    by_reference = [
        item_means(runs)
        for name in names
        if (runs := entry.model.runs(board.test, [name], board.judge, read))
    ]
    counts = Counts(
        items=entry.n,
        samples=max((score.samples for score in scores), default=1),
        references=max(1, len(by_reference)),
        seeds=max(1, len(entry.model.seeds)),
        dollars=sum(score.dollars for score in scores),
    )
    return price_a_point(entry.parts, counts, reference_share(by_reference))


def describe_prices(prices: dict[str, list[Purchase]]) -> Iterator[str]:
    """Say of each model what a point of width costs, the fewest calls of the judge first."""
    for model, purchases in prices.items():
        useful = sorted((each for each in purchases if each.needed), key=lambda each: each.calls)
        said = [
            f"{each.needed:,} {each.what}, now {each.now:,} "
            f"({counted(each.calls, 'more call')} of the judge"
            f"{f', ${each.dollars:,.2f}' if each.dollars else ''})"
            for each in useful
        ]
        yield f"{model}: {' or '.join(said) or 'no one of them alone'}"
