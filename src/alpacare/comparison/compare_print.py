"""Two models compared, in the terminal: a table, and a sentence for each of its lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alpacare.comparison.sentences import (
    describe_difference,
    describe_left_out,
    describe_parts,
    describe_points,
    describe_pools,
)
from alpacare.core.texts import counted, escape_controls
from alpacare.evaluation.paired_comparison import Comparison, Difference, Flip
from alpacare.evaluation.score import Rate
from alpacare.evaluation.score_table import fold_name, make_table, percent, short_interval
from alpacare.evaluation.seed_variance import Seeds

_ORDER = {"loss": 0, "tie": 1, "win": 2}
_NAME = 12  # characters of a name in one line
_LEGEND = """\
In brackets: {:g} % intervals, over test items and training seeds. An item counts if \
both models have readable verdicts on it; its outcome is the sign of its mean over \
seeds and references. Effective: so many items would be as sure if seeds made no \
difference. Each line is looked at alone: nothing is corrected for how many there \
are. Needed: to see a difference of this size in four of five cases. \
Uncertainty: half the width of the interval by cause; the squares add up."""


@dataclass(frozen=True)
class ComparedRow:
    """Both models against one reference, or the mean over several; `flips` from A to B.

    By rubrics `against` is a group of items, and there are no flips.
    `seeds`: how far trainings of each are apart, or changes of the same trainings.
    """

    test: str
    judge: str
    against: str
    found: Comparison
    flips: list[Flip] | None
    seeds: Seeds


@dataclass(frozen=True)
class SideBySide:
    """One's win rate against the other."""

    test: str
    judge: str
    name: str
    against: str
    rate: Rate


def print_rows(
    first: str,
    second: str,
    rows: Sequence[ComparedRow],
    direct: Sequence[SideBySide],
    confidence: float,
    graded: Sequence[ComparedRow] = (),
) -> None:
    """Print what differs, how sure that is, and what it would take to see it.

    `graded`: by rubrics, scores in place of win rates, not clipped.
    """
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    figures = (
        fold_name(first, _NAME),
        fold_name(second, _NAME),
        "difference",
        "items",
        "effec-\ntive",
    )
    for what, on, shown in (("Win rate", "against", rows), ("Rubric score", "of", graded)):
        if not shown:
            continue
        table = make_table(f"{what}, %: {first} and {second}", ("test", "judge", on), figures)
        for row in shown:
            names = (fold_name(name, _NAME) for name in (row.test, row.judge, row.against))
            table.add_row(*names, *_figures(row.found))
        console.print(table)
        for row in shown:
            for line in _describe(row, first, second):
                console.print(escape_controls(line))
    for each in direct:
        console.print(escape_controls(_describe_direct(each)))
    console.print()
    console.print(_LEGEND.format(confidence))
    for line in describe_pools(
        (
            f"{row.test} by {row.judge}, {row.against}",
            max(row.seeds, key=lambda each: each.students),
        )
        for row in (*rows, *graded)
    ):
        console.print(line)


def _figures(found: Comparison) -> list[str]:
    difference = found.difference
    if difference is None:
        return ["-"] * 5
    change = describe_points(difference).replace(" points ", "\n")
    return [
        percent(difference.then), percent(difference.now), change, f"{difference.n:,}",
        _effective(difference),
    ]  # fmt: skip


def _effective(difference: Difference) -> str:
    """Write the effective sample size; where no item changed, items say nothing of it."""
    if not difference.changed:
        return "-"
    return f"{difference.effective:,.0f}" if difference.effective >= 1 else "<1"


def _describe(row: ComparedRow, first: str, second: str) -> Iterator[str]:
    place = f"{row.test}, {row.judge}, {row.against}"
    difference = row.found.difference
    if difference is None:
        yield f"{place}: no item has readable verdicts on both."
        return
    yield f"{place}: {describe_difference(difference)}"
    yield f"  Uncertainty in points: {describe_parts(difference.parts, difference.one_seed)}."
    if row.flips:
        better = sum(_ORDER[flip.now] > _ORDER[flip.then] for flip in row.flips)
        flipped = f"{counted(len(row.flips), 'item')} flipped"
        yield f"  {flipped}: {better} better with {second}, {len(row.flips) - better} worse."
    elif difference.changed and row.flips is not None:
        yield "  No item flipped."
    if left_out := describe_left_out(row.found, first, second):
        yield f"  Left out: {left_out}."


def _describe_direct(each: SideBySide) -> str:
    judged = f"{each.test}, {each.judge}, side by side: {each.name} wins"
    return f"{judged} {short_interval(each.rate, ' % ')} against {each.against}."
