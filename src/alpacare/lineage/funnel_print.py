"""The funnel in the terminal."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, groupby, repeat

from alpacare.core.texts import counted
from alpacare.lineage.funnel_lines import Count, Funnel


def print_funnel(funnel: Funnel) -> None:
    """Print a line for each count, and the notes."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    table.pad_edge, table.collapse_padding = False, True  # to fit in 80 characters
    table.add_column("stage", no_wrap=True)
    for name in ("kept", "of"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("what", "not kept", "of those kept"):
        table.add_column(name, overflow="fold")
    for stage, counts in groupby(merge_whole(funnel.counts), lambda count: count.stage):
        for name, count in zip(chain([stage], repeat("")), counts, strict=False):
            what = f"{count.what}, {count.cell}" if count.cell else count.what
            losses = (escape(_count_lines(each)) for each in (count.lost, count.marked))
            table.add_row(name, f"{count.kept:,}", f"{count.total:,}", escape(what), *losses)
        table.add_section()
    console = Console(highlight=False)
    console.print(table)
    for note in funnel.notes:
        console.print(escape(note), soft_wrap=True)


def merge_whole(counts: Iterable[Count]) -> Iterator[Count]:
    """Give one line for all verdicts of comparisons where every verdict could be read."""
    whole: list[Count] = []
    for count in counts:
        if count.stage != "judgments" or count.lost:
            yield count
        else:
            whole.append(count)
    if whole:
        total = sum(count.total for count in whole)
        cells = counted(len(whole), "comparison")
        yield replace(whole[0], total=total, kept=total, cell=cells)


def _count_lines(counts: Mapping[str, int]) -> str:
    return "\n".join(f"{count:,} {reason}" for reason, count in counts.items())
