"""Agreement in the terminal: one table for each pair of raters, with intervals and n."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.table import Table

from alpacare.core.texts import counted
from alpacare.display.text import wrapped
from alpacare.evaluation.agreement import (
    Agreement,
    AgreementReport,
    Corrected,
    Estimate,
    HumanRate,
    MissingReviews,
    RaterPair,
)
from alpacare.evaluation.score import too_few_items
from alpacare.evaluation.score_table import interval

_ENOUGH = 150  # test items for a kappa that can be quoted
_LEGEND = """\
same verdict: on an item, the mean of a judge's two orders; without ties: where
neither says tie; kappa: agreement beyond chance, 0 none, 1 full (Cohen 1960).
Intervals: {:g} %, over test items. Grey, with "few": fewer than
ten test items, which say nothing."""
_PEOPLE = """\
people: the mean of an item's reviewers, a tie is half a win; corrected: the win rate by
people on all items that the judge read, of both (PPI++); people's alone where a line
says why. Rogan-Gladen: the judge's with its errors taken out, for the case that people
did not read a fair sample."""


def print_report(report: AgreementReport) -> None:
    """Print a table for each pair of raters, a legend, and notes."""
    # a reviewer's name must not be read as markup
    console = Console(markup=False, emoji=False, highlight=False)
    for pair in report.pairs:
        console.print(_table(pair), "")
    if report.people:
        console.print(_people(report), "")
    console.print(_LEGEND.format(100 * report.confidence), soft_wrap=True)
    if report.people:
        console.print(_PEOPLE, soft_wrap=True)
    for note in _notes(report):
        console.print(wrapped(note, "  "), soft_wrap=True)


def _table(pair: RaterPair) -> Table:
    items = counted(pair.overall.items, "test item")
    title = f"{_title(pair)}: {counted(pair.overall.n, 'comparison')} of {items}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")  # this column wraps when all do not fit in 80 characters
    for column in ("n", "same verdict, %", "without ties, %", "kappa"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row("all", *_cells(pair.overall))
    by_test = pair.by_test if len(pair.by_test) > 1 else {}
    for groups in (by_test, pair.by_type):
        if groups:
            table.add_row()
        for name, agreement in groups.items():
            few = too_few_items(agreement.items)
            table.add_row(f"{name} (few)" if few else name, *_cells(agreement), style=few and "dim")
    return table


def _people(report: AgreementReport) -> Table:
    """Show people's win rate of each cell, and under it each judge's, as it is and corrected."""
    table = Table(
        title="Win rate, %", title_justify="left", box=None, pad_edge=False,
        padding=(0, 1, 0, 0),
    )  # fmt: skip
    for column in ("on", "model", "against", "by"):
        table.add_column(column, overflow="fold")
    for column in ("n", "win rate", "corrected"):
        table.add_column(column, justify="right", no_wrap=True)
    judges = defaultdict[tuple[object, ...], list[Corrected]](list)
    for each in report.corrected:
        judges[_compared(each)].append(each)
    for cell in report.people:
        who = f"people, {cell.criterion}"
        names = cell.test, _model(cell), cell.reference, who
        table.add_row(*names, f"{cell.rate.n:,}", interval(cell.rate), "")
        for each in judges[_compared(cell)]:
            rates = interval(each.observed), _with_interval(each.win_rate, 100, ".1f")
            table.add_row("", "", "", each.judge, f"{each.judged:,}", *rates)
            if each.rogan_gladen.value is not None:
                estimate = _with_interval(each.rogan_gladen, 100, ".1f")
                table.add_row("", "", "", "Rogan-Gladen", "", "", estimate, style="dim")
    return table


def _compared(each: HumanRate | Corrected) -> tuple[object, ...]:
    return each.test, each.model, each.seed, each.reference, each.criterion


def _model(each: HumanRate | Corrected | MissingReviews) -> str:
    return each.model if each.seed is None else f"{each.model} (seed {each.seed})"


def _title(pair: RaterPair) -> str:
    criterion = f", {pair.criterion}" if pair.criterion else ""
    return f"{pair.first} and {pair.second}{criterion}"


def _cells(agreement: Agreement) -> tuple[str, ...]:
    kappa = agreement.kappa if agreement.kappa.ci_low is not None else Estimate()
    return (
        f"{agreement.n:,}",
        _with_interval(agreement.accuracy, 100, ".0f"),
        _with_interval(agreement.accuracy_decided, 100, ".0f"),
        _with_interval(kappa, 1, ".2f"),
    )


def _with_interval(estimate: Estimate, times: int, form: str) -> str:
    """Write "0.42 (0.25 to 0.58)"; "-" for a missing figure."""
    value, low, high = (
        "-" if figure is None else f"{times * figure:z{form}}"
        for figure in (estimate.value, estimate.ci_low, estimate.ci_high)
    )
    return value if low == "-" else f"{value} ({low} to {high})"


def _notes(report: AgreementReport) -> Iterator[str]:
    """Say what was left out, and which kappas have too few test items."""
    if report.reviews or report.left_out:
        yield review_counts_line(report.reviews, report.left_out)
    for each in report.corrected:
        if each.why:
            cell = (
                f"{each.judge} on {each.test}, {_model(each)} against {each.reference}, "
                f"{each.criterion}"
            )
            yield f"{cell}: people's alone, {each.why}"
    yield from map(_missing, report.missing)
    for pair in report.pairs:
        items, kappa = pair.overall.items, pair.overall.kappa
        if pair.overall.kappa_why:
            yield f"{_title(pair)}: no kappa, {pair.overall.kappa_why}"
        if pair.overall.unreadable:
            yield f"{_title(pair)}: {pair.overall.unreadable:,} without a readable verdict left out"
        if items < _ENOUGH and kappa.ci_low is not None and kappa.ci_high is not None:
            yield (
                f"{_title(pair)}: {counted(items, 'test item')}, so that kappa's interval is "
                f"{kappa.ci_high - kappa.ci_low:.2f} wide; {_ENOUGH} or more are wanted"
            )


def _missing(each: MissingReviews) -> str:
    """Say how many items have still to be read for the interval that was wanted."""
    by = f", {each.criterion}" if each.criterion else ""
    now = "unknown" if each.points_now is None else f"{each.points_now:.0f} points"
    rest = "no number of items is enough" if each.missing is None else f"{each.missing:,} missing"
    return (
        f"review of {each.test}, {_model(each)} against {each.reference}{by}: "
        f"{counted(each.read, 'item')} read, interval {now} of {each.points:g} wanted: {rest}"
    )


def review_counts_line(reviews: int, left_out: Mapping[str, int]) -> str:
    """Say how many reviews are counted, and how many are left out and why."""
    reasons = (f"; {times:,} left out, {why}" for why, times in left_out.items())
    return f"reviews: {reviews:,} counted{''.join(reasons)}"
