"""Dispatch of the requests that the ledger does not answer: all servers at once, one budget."""

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress

import click

from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.llm.batch import BatchDispatcher
from alpacare.llm.in_flight_lock import InFlightLocks
from alpacare.llm.ledger import Ledger
from alpacare.llm.online import OnlineDispatcher
from alpacare.llm.prices import Prices
from alpacare.llm.rate_limits import Limiter
from alpacare.llm.request import Request
from alpacare.llm.reservations import Reservations
from alpacare.llm.run_state import RunState
from alpacare.llm.run_usage import RunUsage
from alpacare.llm.transport import Transport

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def dispatch(missing: Sequence[Request], ledger: Ledger, budget: float, hits: int) -> None:
    """Get an answer to every request into the ledger; `hits` is how many others it had.

    Raises:
        BadInput: some got no answer: no key, no price, budget, server down, rejected.
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM, after the calls in flight have ended.
    """
    prices = Prices()
    for request in missing:
        prices.worst(request, request.endpoint.mode)  # an unknown price shows before any call
    with closing(InFlightLocks(ledger.path)) as locks:
        reservations = Reservations(ledger)
        with ledger.transaction():
            lost = reservations.write_off(locks)
        spending = reservations.spending()
        usage = RunUsage(
            stage=os.environ.get("DVC_STAGE", "requests"),
            requests=hits + len(missing),
            hits=hits,
            left=budget - spending.upper_bound,
            lost=lost,
        )
        if lost:
            click.echo(
                f"an earlier run was killed with {counted(lost, 'call')} in flight: lost, and "
                f"perhaps billed (unsure in all: at most ${spending.unsure:.4f}, counted against "
                "BUDGET)",
                err=True,
            )
        state = RunState(ledger, locks, prices, budget, usage)
        with _signal_handlers_restored(), suppress(asyncio.CancelledError):
            asyncio.run(_dispatch(missing, state))
    usage.append_to(ledger.path.with_name("runs.jsonl"))
    if warning := usage.describe_warnings():
        click.secho(warning, fg="yellow", err=True)
    _raise_error(state)


async def _dispatch(missing: Sequence[Request], state: RunState) -> None:
    _stop_on_signals(state)
    by_endpoint = defaultdict(list)
    for request in missing:
        by_endpoint[request.endpoint].append(request)
    servers: list[tuple[Transport, list[Request]]] = []
    try:
        for endpoint, requests in by_endpoint.items():
            servers.append((Transport(endpoint), requests))
        with state.usage.progress(len(missing)):
            await asyncio.gather(*(_ask_server(*server, state) for server in servers))
    finally:
        for transport, _ in servers:
            await transport.client.close()
        state.close()


async def _ask_server(transport: Transport, requests: list[Request], state: RunState) -> None:
    """Ask one server: by batch where its settings say so, the rest online."""
    endpoint = transport.endpoint
    batches = BatchDispatcher(transport, state)
    online = OnlineDispatcher(transport, Limiter(endpoint), state)
    while requests and not state.stopping.is_set():
        requests = await batches.dispatch(requests)
        requests = await online.dispatch(requests, endpoint.in_flight)


@contextmanager
def _signal_handlers_restored() -> Iterator[None]:
    """Restore the signal handlers afterwards: an event loop leaves the system's defaults."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop_on_signals(state: RunState) -> None:
    """Let the calls in flight end at the first signal; cancel them at the second."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def stop() -> None:
        if state.interrupted and task:
            task.cancel()
            return
        state.stop()
        calls = state.usage.in_flight
        click.echo(
            f"stopping: waiting for {counted(calls, 'call')} in flight; stop again to abandon",
            err=True,
        )

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)


def _raise_error(state: RunState) -> None:
    """Raise what ended the run early, if anything did."""
    usage = state.usage
    progress = (
        f"{usage.hits + usage.calls} of {usage.requests} answers are in the ledger; "
        "the same command goes on from there"
    )
    if state.error:
        raise BadInput(f"{state.error}; {progress}") from state.error.__cause__
    if state.interrupted:
        raise KeyboardInterrupt(f"stopped: {progress}")
    if usage.rejected:
        first, failed = "; ".join(usage.rejected[:3]), counted(len(usage.rejected), "request")
        raise BadInput(f"{failed} got no answer: {first}; {progress}")
