"""Buying answers in batches: half the price, within a day, and picked up again after any stop.

A batch stands in the ledger before the server hears of it, under a name of ours that the server
keeps with it. So whatever is killed when, the next run finds the batch or knows that there is none,
and whoever asks for one of its answers waits for it instead of paying again.
"""

import json
import uuid
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from functools import partial
from typing import Any

import click

from alpacare.core.errors import BadInput
from alpacare.llm.batch_api import BatchApi, Unclear
from alpacare.llm.batch_output import read_output
from alpacare.llm.batch_records import BatchBook, Open
from alpacare.llm.budget import Purse
from alpacare.llm.prices import BATCH
from alpacare.llm.request import Request
from alpacare.llm.transport import Transport

_MOST, _MOST_BYTES = (
    50_000,
    100_000_000,
)  # of a batch; OpenAI takes as many requests, twice the bytes
_RUNNING = ("validating", "in_progress")
_ENDED = ("completed", "failed", "expired", "cancelled")
_FIRST_LOOK, _SLOWEST = 0.5, 60.0  # seconds between two looks at a batch


class Batches:
    """Answers from one server's batch API into the ledger."""

    def __init__(self, transport: Transport, purse: Purse) -> None:
        self._transport = transport
        self._endpoint = transport.endpoint
        self._purse = purse
        self._api = BatchApi(transport, purse)
        self._book = BatchBook(purse.books, transport.endpoint)

    async def buy(self, requests: Sequence[Request]) -> list[Request]:
        """Buy what batches can; give what they could not, to be bought online.

        Batches that an earlier run left are seen to in every mode: online mode calls them off and
        takes what is done. What ends the run early stands in the purse.
        """
        try:
            return await self._buy(requests)
        except BadInput as error:
            self._purse.stop(error)
            return []

    async def _buy(self, requests: Sequence[Request]) -> list[Request]:
        wanted = {request.key(): request for request in requests}
        failed: set[str] = set()
        await self._take_in_strangers(wanted.keys())
        while not self._purse.stopping.is_set():
            taken = {key for batch in self._book.open() for key in batch.keys & wanted.keys()}
            todo = [request for key, request in wanted.items() if key not in taken | failed]
            if self._endpoint.mode == BATCH and todo:
                await self._submit(todo, last=not taken)
            under_way = [batch for batch in self._book.open() if batch.keys & wanted.keys()]
            if not under_way:
                break
            for batch in under_way:
                failed |= await self._see_through(batch)
            wanted = {k: r for k, r in wanted.items() if not self._purse.ledger.get(k)}
        return list(wanted.values())

    # ---- sending ---------------------------------------------------------------------------------

    async def _submit(self, requests: Sequence[Request], last: bool) -> None:
        """Book and send as much as the budget has room for.

        Raises:
            BadInput: it has none, and no other batch is under way (`last`) that may leave some.
        """
        sent = False
        for path, chunk in _chunks(requests):
            if self._purse.stopping.is_set():
                return
            name = uuid.uuid4().hex
            worst = [(request, self._purse.prices.worst(request, BATCH)) for request in chunk]
            self._purse.claims.take(name)
            booked, full = await self._purse.writer.commit(
                partial(self._book.book, name, worst, self._purse.budget)
            )
            if booked:
                await self._send(name, path, booked)
                sent = True
            elif full and last and not sent:
                told = self._purse.accounts.money().describe()
                raise BadInput(f"BUDGET=${self._purse.budget:g} has no room for a batch: {told}")
            self._purse.claims.drop(name)

    async def _send(self, name: str, path: str, requests: list[Request]) -> None:
        try:
            id = await self._api.make(name, path, requests)
        except Unclear:  # the next run will look for it
            raise
        except BadInput:
            await self._purse.writer.commit(partial(self._book.close, name, []))
            raise
        await self._purse.writer.commit(partial(self._book.sent, name, id))
        click.echo(f"batch {id}: {len(requests)} requests sent", err=True)

    # ---- waiting and taking in -------------------------------------------------------------------

    async def _see_through(self, batch: Open) -> set[str]:
        """Wait until a batch has ended and take its answers in; give the keys it has none for."""
        id = batch.id or await self._find(batch)
        if id is None:
            return set()
        state = await self._wait(id)
        return await self._close(batch, state) if state else set()

    async def _take_in_strangers(self, wanted: Set[str]) -> None:
        """Look once at batches that nobody asks for any more: what they brought is kept too."""
        for batch in self._book.open():
            if batch.id and not batch.keys & wanted:
                with suppress(BadInput):  # another account's, perhaps
                    state = await self._api.look(batch.id)
                    if state.status in _ENDED:
                        await self._close(batch, state, wanted=False)

    async def _close(self, batch: Open, state: Any, wanted: bool = True) -> set[str]:
        """Take a batch's answers in; give the keys it has none for, to be bought online.

        Raises:
            BadInput: the server refused the batch as a whole. Online it would cost more: the user
                decides.
        """
        file = state.output_file_id
        text = await self._api.read(batch.id or state.id, file) if file else ""
        entries, broken = read_output(text, self._book.items(batch.name), self._purse.prices)
        if await self._purse.writer.commit(partial(self._book.close, batch.name, entries, broken)):
            for entry in entries:
                self._purse.tally.add(entry.answer(), wanted)
        if state.status == "failed" and wanted:
            told = state.errors.data[0].message if state.errors and state.errors.data else "?"
            raise BadInput(
                f"batch {state.id} was refused: {self._transport.redact(str(told))}; give the same "
                "command again later, or set the endpoint's mode to online"
            )
        return set(batch.keys) - {entry.key for entry in entries}

    async def _find(self, batch: Open) -> str | None:
        """Find a batch that was booked and has no id: another process is sending it just now, or
        was killed after the server had it, or before; then it is struck out.
        """
        if not self._purse.claims.take(batch.name):
            await self._purse.sleep(_FIRST_LOOK)
            return None
        try:
            id = await self._api.find(batch.name)
            if id is None:
                await self._purse.writer.commit(lambda: self._book.close(batch.name, []))
            return id
        finally:
            self._purse.claims.drop(batch.name)

    async def _wait(self, id: str) -> Any:
        """Look at a batch, ever more seldom, until it has ended; None if the run stops first."""
        pause = _FIRST_LOOK
        called_off = self._endpoint.mode == BATCH
        while not self._purse.stopping.is_set():
            state = await self._api.look(id)
            if state.status in _ENDED:
                self._purse.tally.waiting = ""
                return state
            if not called_off and state.status in _RUNNING:
                called_off = await self._api.call_off(id)
            counts = state.request_counts
            done = f"{counts.completed} of {counts.total}" if counts else "?"
            self._purse.tally.waiting = f"batch {id}: {state.status}, {done}"
            self._purse.tally.show(0)
            await self._purse.sleep(pause)
            pause = min(1.5 * pause, _SLOWEST)
        click.echo(f"batch {id} goes on at the server; the same command takes it up", err=True)
        return None


def _chunks(requests: Sequence[Request]) -> Iterator[tuple[str, list[Request]]]:
    """Part requests into batches: one path and one model each, within the API's limits."""
    groups: dict[tuple[str, str], list[Request]] = {}
    for request in requests:
        groups.setdefault((request.path, str(request.body["model"])), []).append(request)
    for (path, _), group in groups.items():
        chunk: list[Request] = []
        size = 0
        for request in group:
            size += len(json.dumps(request.body)) + 200
            if chunk and (len(chunk) >= _MOST or size > _MOST_BYTES):
                yield path, chunk
                chunk, size = [], 0
            chunk.append(request)
        yield path, chunk
