"""Buying answers in batches: half the price, within a day, and picked up again after any stop.

A batch stands in the ledger before the server hears of it, under a name of ours that the server
keeps with it. So whatever is killed when, the next run finds the batch or knows that there is none,
and whoever asks for one of its answers waits for it instead of paying again.
"""

import json
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click
from pydantic import BaseModel, ValidationError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from alpacare.errors import BadInput
from alpacare.files import parse_json
from alpacare.teacher.accounts import now
from alpacare.teacher.batch_book import BatchBook, Open
from alpacare.teacher.pack import Entry
from alpacare.teacher.prices import BATCH
from alpacare.teacher.purse import Purse
from alpacare.teacher.reply import Call, Completion
from alpacare.teacher.request import Request
from alpacare.teacher.transport import Fault, Rejected, Transport

if TYPE_CHECKING:
    from openai import AsyncOpenAI

T = TypeVar("T")
_MOST = 50_000  # requests in a batch, and bytes of its file: half of OpenAI's limit
_MOST_BYTES = 100_000_000
_ENDED = ("completed", "failed", "expired", "cancelled")
_SLOWEST = 60.0  # seconds between two looks at a batch


class Line(BaseModel):
    """A line of a batch's output file."""

    custom_id: str
    response: dict[str, Any] | None = None


class Batches:
    """Answers from one server's batch API into the ledger."""

    def __init__(self, transport: Transport, purse: Purse) -> None:
        self._transport = transport
        self._endpoint = transport.endpoint
        self._purse = purse
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
        while not self._purse.stopping.is_set():
            under_way = [batch for batch in self._book.open() if batch.keys & wanted.keys()]
            taken = {key for batch in under_way for key in batch.keys}
            todo = [request for key, request in wanted.items() if key not in taken | failed]
            if self._endpoint.mode == BATCH and todo:
                sent = await self._submit(todo)
                if not sent and not under_way:
                    raise BadInput(f"BUDGET=${self._purse.budget:g} has no room for a batch")
                under_way += sent
            if not under_way:
                break
            for batch in under_way:
                failed |= await self._see_through(batch)
            wanted = {k: r for k, r in wanted.items() if not self._purse.ledger.get(k)}
        return list(wanted.values())

    # ---- sending ---------------------------------------------------------------------------------

    async def _submit(self, requests: Sequence[Request]) -> list[Open]:
        """Book and send as much as the budget has room for."""
        sent = []
        for path, chunk in _chunks(requests):
            name = uuid.uuid4().hex
            worst = [(request, self._purse.prices.worst(request, BATCH)) for request in chunk]
            booked = await self._purse.writer.commit(
                partial(self._book.book, name, worst, self._purse.budget)
            )
            if booked:
                batch = Open(name, frozenset(request.key() for request in booked), None)
                await self._send(batch, path, booked)
                sent.append(batch)
        return sent

    async def _send(self, batch: Open, path: str, chunk: list[Request]) -> None:
        lines = "".join(
            json.dumps(
                {"custom_id": r.key(), "method": "POST", "url": f"/v1{path}", "body": r.body}
            )
            + "\n"
            for r in chunk
        )
        file = await self._patiently(
            lambda client: client.files.create(
                file=("batch.jsonl", lines.encode()), purpose="batch"
            )
        )
        url: Any = f"/v1{path}"
        made = await self._patiently(
            lambda client: client.batches.create(
                input_file_id=file.id,
                endpoint=url,
                completion_window="24h",
                metadata={"alpacare": batch.name},
            )
        )
        batch.id = made.id
        await self._purse.writer.commit(lambda: self._book.sent(batch.name, made.id))
        click.echo(f"batch {made.id}: {len(chunk)} requests sent", err=True)

    # ---- waiting and taking in -------------------------------------------------------------------

    async def _see_through(self, batch: Open) -> set[str]:
        """Wait until a batch has ended and take its answers in; give the keys it has none for."""
        id = batch.id or await self._find(batch)
        if id is None:  # the run that booked it was killed before it sent it
            await self._purse.writer.commit(lambda: self._book.close(batch.name, []))
            return set()
        state = await self._wait(id)
        if state is None:
            return set()
        if state.errors and state.errors.data:
            told = self._transport.redact(str(state.errors.data[0].message))
            click.echo(f"batch {id} {state.status}: {told}; its requests go online", err=True)
        entries = await self._take_in(batch, state.output_file_id)
        if await self._purse.writer.commit(lambda: self._book.close(batch.name, entries)):
            for entry in entries:
                self._purse.tally.add(entry.answer())
        return set(batch.keys) - {entry.key for entry in entries}

    async def _take_in(self, batch: Open, file: str | None) -> list[Entry]:
        """Read what a batch brought."""
        if file is None:
            return []
        items = self._book.items(batch.name)
        text = (await self._patiently(lambda client: client.files.content(file))).text
        return [entry for line in text.splitlines() if (entry := self._entry(line, items))]

    async def _find(self, batch: Open) -> str | None:
        """Find a batch that was booked by a run that did not live to write down its id."""

        async def search(client: "AsyncOpenAI") -> str | None:
            async for each in await client.batches.list():
                if (each.metadata or {}).get("alpacare") == batch.name:
                    return each.id
            return None

        return await self._patiently(search)

    async def _wait(self, id: str) -> Any:
        """Look at a batch, ever more seldom, until it has ended; None if the run stops first."""
        pause = 0.5
        called_off = self._endpoint.mode == BATCH
        while not self._purse.stopping.is_set():
            state = await self._patiently(lambda client: client.batches.retrieve(id))
            if state.status in _ENDED:
                self._purse.tally.waiting = ""
                return state
            if not called_off:
                await self._patiently(lambda client: client.batches.cancel(id))
                called_off = True
            counts = state.request_counts
            done = f"{counts.completed} of {counts.total}" if counts else "?"
            self._purse.tally.waiting = f"batch {id}: {state.status}, {done}"
            self._purse.tally.show(0)
            await self._purse.sleep(pause)
            pause = min(1.5 * pause, _SLOWEST)
        click.echo(f"batch {id} goes on at the server; the same command takes it up", err=True)
        return None

    def _entry(self, line: str, items: dict[str, Request]) -> Entry | None:
        """Read an answer from a batch's output; None for an item that failed."""
        try:
            item = Line.model_validate(parse_json(line, "batch output"))
            raw: dict[str, Any] = (item.response or {}).get("body") or {}
            completion = Completion.model_validate(raw)
        except (ValidationError, BadInput):
            return None
        request = items.get(item.custom_id)
        if request is None:
            return None
        model = str(request.body["model"])
        call = Call(seconds=0, mode=BATCH, prices=self._purse.prices.source(model))
        return Entry(
            key=item.custom_id,
            request=request.content(),
            response=raw,
            received=now(),
            price=self._purse.prices.paid(request, completion.usage, BATCH),
            call=call,
        )

    async def _patiently(self, call: Callable[["AsyncOpenAI"], Awaitable[T]]) -> T:
        """Manage the server, through faults that pass."""
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(Fault),
                wait=wait_random_exponential(multiplier=0.5, max=30),
                stop=stop_after_attempt(8),
                sleep=self._purse.sleep,
                reraise=True,
            ):
                with attempt:
                    return await self._transport.manage(call)
        except (Fault, Rejected) as error:
            raise BadInput(f"{self._endpoint.address}: batch API: {error}") from None
        raise AssertionError("tenacity returns or raises")


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
