"""Prints a quote, and the command that buys what it quotes on this machine."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import click

from alpacare.core.errors import BadInput
from alpacare.display.text import wrapped
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.reservations import Reservations, Spending
from alpacare.pipeline.machine_check import training_obstacle
from alpacare.pipeline.params import read_params
from alpacare.pipeline.quoting.quote import Quote
from alpacare.pipeline.quoting.quote_text import (
    budget_for,
    quote_notes,
    quote_summary,
    quote_table,
    round_up,
    total,
)


def print_quote(quotes: Sequence[Quote]) -> None:
    """Print the table, what is wrong, and the command with the BUDGET that it takes."""
    with Ledger(default_path()) as ledger:
        spending = Reservations(ledger).spending()
    for line in quote_table(quotes):
        click.echo(line)
    for line in [*quote_notes(quotes), *quote_summary(quotes, spending)]:
        click.echo(wrapped(line))
    if any(quote.misses for quote in quotes) and total(quotes, "most") is not None:
        for line in _commands(quotes, spending):
            click.echo(line)


def _commands(quotes: Sequence[Quote], spending: Spending) -> Iterator[str]:
    """Say what to run: all of it, or where training cannot run, what comes before it."""
    obstacle = ""
    with suppress(BadInput):  # a setting that is wrong: `alpacare check` says so
        params = read_params()
        obstacle = training_obstacle(params, params.runs())
    if not obstacle:
        yield "To let it run to its end:"
        yield f"  BUDGET={budget_for(quotes, spending)} make repro"
        return
    yield wrapped(f"Training cannot run here: {obstacle}.")
    judged = [quote for quote in quotes if quote.stage == "judgments" and quote.misses]
    before = [quote for quote in quotes if quote.stage != "judgments"]
    if any(quote.misses for quote in before):
        yield "To buy here what is asked without it:"
        yield f"  BUDGET={budget_for(before, spending)} make buy"
    if judged:
        most = round_up(total(judged, "most")) or 0.0
        yield f"Judgments come after training, where it runs: at most ${most:,.2f}."
