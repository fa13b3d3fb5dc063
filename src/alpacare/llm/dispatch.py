"""Buying what the ledger lacks: all servers at once, one budget, one way to stop."""

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import click

from alpacare.core.errors import BadInput
from alpacare.llm.batch import Batches
from alpacare.llm.budget import Purse
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.in_flight_lock import Claims
from alpacare.llm.ledger import Ledger
from alpacare.llm.online import Online
from alpacare.llm.prices import Prices
from alpacare.llm.rate_limits import Limiter
from alpacare.llm.request import Request
from alpacare.llm.reservations import Accounts
from alpacare.llm.run_usage import Tally
from alpacare.llm.transport import Transport

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def buy(missing: Sequence[Request], ledger: Ledger, budget: float, hits: int) -> None:
    """Buy an answer to every request; `hits` is how many others the ledger had.

    Raises:
        BadInput: some could not be bought: no key, no price, budget, server down, rejected.
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM, after the calls in flight have ended.
    """
    ledger.check()
    prices = Prices()
    for request in missing:
        prices.worst(request, request.endpoint.mode)  # an unknown price shows before any call
    with Claims(ledger.path) as claims:
        books = Accounts(ledger)
        with ledger.transaction():
            lost = books.write_off(claims)
        tally = Tally(
            stage=os.environ.get("DVC_STAGE", "teacher"),
            requests=hits + len(missing),
            hits=hits,
            left=budget - books.money().bound,
            lost=lost,
        )
        if lost:
            click.echo(_lost(lost, books.money().unsure), err=True)
        purse = Purse(ledger, claims, prices, budget, tally)
        with _signals_kept(), suppress(asyncio.CancelledError):
            asyncio.run(_buy(missing, purse))
    tally.append_to(ledger.path.with_name("runs.jsonl"))
    _report(purse)


async def _buy(missing: Sequence[Request], purse: Purse) -> None:
    _stop_on_signals(purse)
    shops: list[tuple[Transport, list[Request]]] = []
    try:
        for endpoint, requests in _by_endpoint(missing):
            shops.append((Transport(endpoint), requests))
        with purse.tally.shown(len(missing)):
            await asyncio.gather(*(_shop(transport, asked, purse) for transport, asked in shops))
    finally:
        for transport, _ in shops:
            await transport.client.close()
        purse.close()


async def _shop(transport: Transport, requests: Sequence[Request], purse: Purse) -> None:
    """Buy at one server: by batch where its settings say so, the rest online."""
    endpoint = transport.endpoint
    batches, online = Batches(transport, purse), Online(transport, Limiter(endpoint), purse)
    rest = list(requests)
    while rest and not purse.stopping.is_set():
        rest = await batches.buy(rest)
        rest = await online.buy(rest, endpoint.in_flight)


def _by_endpoint(requests: Sequence[Request]) -> list[tuple[Endpoint, list[Request]]]:
    servers: dict[Endpoint, list[Request]] = {}
    for request in requests:
        servers.setdefault(request.endpoint, []).append(request)
    return list(servers.items())


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Give the signals back to whoever had them: an event loop leaves the system's defaults."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop_on_signals(purse: Purse) -> None:
    """The first signal lets the calls in flight end; the second one does not."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def stop() -> None:
        if purse.interrupted and task:
            task.cancel()
            return
        purse.stop()
        calls = purse.tally.in_flight
        click.echo(
            f"stopping: waiting for {calls} calls in flight; once more abandons them", err=True
        )

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)


def _report(purse: Purse) -> None:
    """Raise what ended the run, if it did not end by itself."""
    tally = purse.tally
    state = (
        f"{tally.hits + tally.calls} of {tally.requests} answers are in the ledger; "
        "the same command goes on from there"
    )
    if purse.error:
        raise BadInput(f"{purse.error}; {state}") from purse.error.__cause__
    if purse.interrupted:
        raise KeyboardInterrupt(f"stopped: {state}")
    if purse.tally.rejected:
        shown = "; ".join(purse.tally.rejected[:3])
        raise BadInput(f"{len(purse.tally.rejected)} requests got no answer: {shown}; {state}")


def _lost(lost: int, dollars: float) -> str:
    return (
        f"{lost} calls were in flight when an earlier run was killed; their answers are lost and "
        f"may have been billed (unsure in all: at most ${dollars:.4f}, counted against BUDGET)"
    )
