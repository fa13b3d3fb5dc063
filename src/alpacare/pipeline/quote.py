"""`alpacare quote`: what the pipeline would ask and pay, before anything is spent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from statistics import mean

from rich.console import Console
from rich.table import Table

from alpacare.core.errors import BadInput
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.prices import Prices
from alpacare.llm.request import Request
from alpacare.llm.reservations import Reservations, Spending
from alpacare.pipeline.plan import Plan, make_plans

_TOKENS_A_SECOND = 50  # of one answer, until the ledger knows better


@dataclass(frozen=True)
class Quote:
    """One stage's price. Tokens and dollars are likely values, `most` is the worst case."""

    stage: str
    hits: int
    misses: int
    expected: int  # of the misses, those that follow from answers yet to come
    tokens_in: int
    tokens_out: int
    seconds: float
    online: float | None = None  # None: no price is known
    batch: float | None = None
    most: float | None = None
    trouble: str = ""
    limit: int | None = None  # as in Plan


def quote_all() -> list[Quote]:
    """Quote every paid stage, in pipeline order."""
    prices = Prices()
    return [_quote(plan, prices) for plan in make_plans()]


def _quote(plan: Plan, prices: Prices) -> Quote:
    requests = [*plan.missing, *islice(cycle(plan.model), plan.expected)]
    share = _usual_share(plan)
    tokens_in = sum(request.likely_input_tokens() for request in requests)
    tokens_out = sum(_likely_output(request, share) for request in requests)
    quote = Quote(
        stage=plan.stage,
        hits=len(plan.answered),
        misses=len(requests),
        expected=plan.expected,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        seconds=_seconds(plan, requests, tokens_in + tokens_out),
        limit=plan.limit,
    )
    return _priced(quote, requests, share, prices) if requests else quote


def _priced(quote: Quote, requests: Sequence[Request], share: float, prices: Prices) -> Quote:
    """Price each request by its own model: a stage may ask several, as judges do."""
    if any(request.endpoint.offline for request in requests):
        return replace(quote, trouble="nobody to ask: the endpoint has no server")
    try:
        most = sum(_worst(each, prices) for each in requests)
        online, batch = (
            sum(_likely(each, share, prices, mode) for each in requests)
            for mode in ("online", "batch")
        )
    except BadInput as error:
        return replace(quote, trouble=str(error))
    return replace(quote, online=online, batch=batch, most=most)


def _likely(request: Request, share: float, prices: Prices, mode: str) -> float:
    tokens_in, tokens_out = request.likely_input_tokens(), _likely_output(request, share)
    return prices.cost(request, mode)(tokens_in, tokens_out, 0)


def _likely_output(request: Request, share: float) -> int:
    return round(share * (request.most_output_tokens() or 0))


def _worst(request: Request, prices: Prices) -> float:
    """Price a call at its dearest, asked again with more room where the stage wants that."""
    longer = request.with_higher_limit()
    again = _worst(longer, prices) if longer else 0.0
    return prices.worst(request, request.endpoint.mode) + again


def _usual_share(plan: Plan) -> float:
    """How much of its limit an answer uses, by the answers so far; all of it without any."""
    limits = {request.key(): request.most_output_tokens() for request in plan.asked}
    shares = [
        answer.tokens_out / limit
        for answer in plan.answered
        if answer.tokens_out and (limit := limits.get(answer.key))
    ]
    return mean(shares) if shares else 1.0


def _seconds(plan: Plan, requests: Sequence[Request], tokens: int) -> float:
    """How long the calls take at the endpoint's limits, by the speed of the calls so far."""
    if not requests:
        return 0.0
    endpoint = requests[0].endpoint  # of several servers the first: they are asked one by one
    known = [answer.call.seconds for answer in plan.answered if answer.call and answer.call.seconds]
    limit = mean(request.most_output_tokens() or 0 for request in requests)
    a_call = mean(known) if known else limit / _TOKENS_A_SECOND
    return max(
        math.ceil(len(requests) / endpoint.in_flight) * a_call,
        60 * len(requests) / (endpoint.requests_per_minute or math.inf),
        60 * tokens / (endpoint.tokens_per_minute or math.inf),
    )


def print_quote(quotes: Sequence[Quote]) -> None:
    """Print the table, what is wrong, and the BUDGET that it takes."""
    with Ledger(default_path()) as ledger:
        spending = Reservations(ledger).spending()
    console = Console(highlight=False)
    console.print(_table(quotes))
    for quote in quotes:
        if quote.limit:
            console.print(
                f"{quote.stage}: it asks until enough tasks are kept; the number of requests is an "
                f"estimate, and {quote.limit:,} the most (instructions.max_requests)"
            )
        elif quote.stage == "judgments" and quote.misses:
            console.print(
                "judgments: replies without a readable verdict are asked for again, on top of that"
            )
        if quote.expected and not quote.limit:
            console.print(
                f"{quote.stage}: {quote.expected:,} of the missing answers are an estimate, for "
                "tasks that are not written yet"
            )
    for trouble in dict.fromkeys(quote.trouble for quote in quotes if quote.trouble):
        console.print(f"[yellow]{trouble}[/yellow]")
    console.print(_summary(quotes, spending))


def _table(quotes: Sequence[Quote]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in (
        "stage", "in ledger", "to ask", "tokens in", "tokens out",
        "online", "by batch", "at most", "time",
    ):  # fmt: skip
        table.add_column(name, justify="left" if name == "stage" else "right")
    for quote in quotes:
        table.add_row(
            quote.stage,
            *(f"{n:,}" for n in (quote.hits, quote.misses, quote.tokens_in, quote.tokens_out)),
            *(_dollars(value, quote) for value in (quote.online, quote.batch, quote.most)),
            _duration(quote.seconds),
        )
    return table


def _dollars(value: float | None, quote: Quote) -> str:
    if not quote.misses:
        return "$0.00"
    return "?" if value is None else f"${value:,.2f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _summary(quotes: Sequence[Quote], spending: Spending) -> str:
    if not any(quote.misses for quote in quotes):
        return "Everything is in the ledger: the pipeline costs nothing."
    paid = spending.describe()
    spent = f"{paid[0].upper()}{paid[1:]}; BUDGET is a ceiling on all of that."
    if any(quote.most is None for quote in quotes if quote.misses):
        return spent
    most = sum(quote.most or 0.0 for quote in quotes)
    likely = sum(quote.online or 0.0 for quote in quotes)
    enough = math.ceil(100 * (spending.upper_bound + most)) / 100
    return (
        f"{spent} Likely ${likely:.2f} online, at most ${most:.2f}. To let it run to its end:\n"
        f"  BUDGET={enough:.2f} make repro"
    )
