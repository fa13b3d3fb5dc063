"""A quote as text: a table that fits into 80 columns, what it rests on, and the command to give."""

import math
from collections.abc import Iterable, Iterator, Sequence

from alpacare.display.text import WIDTH
from alpacare.llm.reservations import Spending
from alpacare.pipeline.quoting.quote import Quote
from alpacare.pipeline.quoting.usage_estimates import ENOUGH

_HEADS = (
    ("", "in", "", "tokens", "tokens", "", "", ""),
    ("stage", "ledger", "to ask", "in", "out", "likely", "at most", "time"),
)
_UNITS = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


def quote_table(quotes: Sequence[Quote]) -> list[str]:
    """Give the table, a line a stage. No figure is cut: where 80 columns are too few, long ones are
    rounded."""
    stages = list(dict.fromkeys(quote.stage for quote in quotes))
    parts = [[quote for quote in quotes if quote.stage == stage] for stage in stages]
    for short, gap in ((False, "  "), (True, "  "), (True, " ")):
        rows = [*_HEADS, *(_cells(part, short) for part in parts)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        if sum(widths) + len(gap) * (len(widths) - 1) <= WIDTH:
            break
    return [_line(row, widths, gap) for row in rows]


def _line(cells: Sequence[str], widths: Sequence[int], gap: str) -> str:
    first, *others = zip(cells, widths, strict=True)
    line = gap.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])
    return line.rstrip()


def _cells(parts: Sequence[Quote], short: bool) -> tuple[str, ...]:
    most = "<" if any(part.bounded for part in parts) else ""
    guess = "" if all(part.counted for part in parts) else "<"
    hits, misses, *tokens = (
        sum(getattr(part, name) for part in parts)
        for name in ("hits", "misses", "tokens_in", "tokens_out")
    )
    return (
        parts[0].stage,
        _count(hits, short),
        guess + _count(misses, short),
        *(most + _count(each, short) for each in tokens),
        _dollars(total(parts, "likely"), "-" if most else "?", short),
        _dollars(round_up(total(parts, "most")), "?", short),
        most + _duration(sum(part.seconds for part in parts)),
    )


def total(quotes: Iterable[Quote], kind: str) -> float | None:
    """Add up a kind of price; None where one is not known."""
    prices: list[float | None] = [getattr(quote, kind) for quote in quotes]
    known = [price for price in prices if price is not None]
    return sum(known) if len(known) == len(prices) else None


def round_up(price: float | None) -> float | None:
    """Round a price up to cents, as a bound has to be."""
    return price and math.ceil(round(100 * price, 6)) / 100


def _count(number: int, short: bool) -> str:
    for size, unit in _UNITS:
        if short and number >= 100 * size:
            return f"{number / size:,.0f}{unit}"
    return f"{number:,}"


def _dollars(price: float | None, unknown: str, short: bool) -> str:
    if price is None:
        return unknown
    return f"${price:,.0f}" if short and price >= 10**5 else f"${price:,.2f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def quote_notes(quotes: Sequence[Quote]) -> Iterator[str]:
    """Say what the figures rest on, and what is wrong."""
    for stage in dict.fromkeys(quote.stage for quote in quotes):
        if coming := sum(quote.coming for quote in quotes if quote.stage == stage):
            yield f"{stage}: {coming:,} of those to ask depend on answers that are still to come"
    yield from dict.fromkeys(quote.note for quote in quotes if quote.note)
    if any(quote.bounded for quote in quotes):
        yield (
            f"<: at most. There is no likely price before {ENOUGH} answers of a kind are known: "
            "spend a little, and quote again"
        )
    yield from dict.fromkeys(quote.trouble for quote in quotes if quote.trouble)


def quote_summary(quotes: Sequence[Quote], spending: Spending) -> Iterator[str]:
    """Say what it costs in all, and what was paid before."""
    if not any(quote.misses for quote in quotes):
        yield "Everything is in the ledger: the pipeline costs nothing."
        return
    paid = spending.describe()
    yield f"{paid[0].upper()}{paid[1:]}; BUDGET is a ceiling on all of that."
    if (most := round_up(total(quotes, "most"))) is None:
        return
    if (likely := total(quotes, "likely")) is None:
        yield f"At most ${most:,.2f}."
        return
    batch = total(quotes, "batch")
    by_batch = "" if batch is None else f" (by batch ${batch:,.2f})"
    yield f"Likely ${likely:,.2f}{by_batch}, at most ${most:,.2f}."


def budget_for(quotes: Sequence[Quote], spending: Spending) -> str:
    """Give the BUDGET with which all of it can be bought."""
    dollars = (total(quotes, "most") or 0.0) + max(quote.reserved for quote in quotes)
    return f"{round_up(spending.upper_bound + dollars):.2f}"
