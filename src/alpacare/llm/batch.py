"""Answers by a server's batch API: half the price, within a day, continued after any stop.

A batch is recorded in the ledger before it is sent, under a name of ours that the server stores
with it. So whenever a run is killed, the next one finds the batch or knows that there is none, and
a run that needs one of its answers waits for the batch and does not pay again.
"""

import json
import uuid
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from functools import partial
from typing import Any

import click

from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.llm.batch_api import BatchApi, UnclearOutcome
from alpacare.llm.batch_output import read_output
from alpacare.llm.batch_records import BatchRecords, OpenBatch
from alpacare.llm.overlong import cut_overlong
from alpacare.llm.prices import BATCH
from alpacare.llm.request import Request
from alpacare.llm.run_state import RunState
from alpacare.llm.transport import Transport
from alpacare.llm.unread import KEPT, MOST_UNREAD, count_in_a_row, split_unread

# Of one batch. OpenAI accepts as many requests, and twice the bytes.
_MOST_REQUESTS, _MOST_BYTES = 50_000, 100_000_000
_RUNNING = ("validating", "in_progress")
_ENDED = ("completed", "failed", "expired", "cancelled")
_FIRST_POLL, _SLOWEST_POLL = 0.5, 60.0  # seconds between two checks of a batch


class BatchDispatcher:
    """Gets answers from one server's batch API into the ledger."""

    def __init__(self, transport: Transport, state: RunState) -> None:
        self._transport = transport
        self._endpoint = transport.endpoint
        self._state = state
        self._api = BatchApi(transport, state)
        self._records = BatchRecords(state.write_ledger, transport.endpoint)

    async def dispatch(self, requests: Sequence[Request]) -> list[Request]:
        """Get answers by batch; return the requests that are left, to be asked online.

        Batches that an earlier run left are finished in every mode: online mode cancels them and
        imports what is done. What ends it early is in the run state.
        """
        wanted = {request.key(): request for request in requests}
        failed: set[str] = set()
        try:
            await self._import_unwanted(wanted.keys())
            while not self._state.stopping.is_set():
                taken = set[str]().union(*(batch.keys for batch in self._records.open()))
                taken_or_failed = taken | failed
                todo = [request for key, request in wanted.items() if key not in taken_or_failed]
                if self._endpoint.mode == BATCH and todo:
                    await self._submit(todo, last=not taken & wanted.keys())
                under_way = [batch for batch in self._records.open() if batch.keys & wanted.keys()]
                if not under_way:
                    break
                for batch in under_way:
                    failed |= await self._finish(batch)
                wanted = {k: r for k, r in wanted.items() if not self._state.ledger.get(k)}
            to_ask, _ = split_unread(self._state.ledger, wanted.values())
            return to_ask
        except BadInput as error:
            self._state.stop(error)
            return []

    async def _submit(self, requests: Sequence[Request], last: bool) -> None:
        """Reserve and send as much as the budget allows; with `last`, none is an error."""
        if (unread := count_in_a_row(self._state.ledger, self._endpoint.name)) >= MOST_UNREAD:
            raise BadInput(
                f"{self._endpoint.address}: its last {unread} replies cannot be read, so no batch "
                f"is sent; {KEPT}; with the endpoint's mode set to online, one call shows whether "
                "the server has been mended"
            )
        sent = False
        for path, chunk in _chunks(requests):
            if self._state.stopping.is_set():
                return
            name = uuid.uuid4().hex
            worst = [(request, self._state.prices.worst(request, BATCH)) for request in chunk]
            self._state.locks.acquire(name)
            reserved, full = await self._state.writer.commit(
                partial(self._records.reserve, name, worst, self._state.budget)
            )
            if reserved:
                await self._send(name, path, reserved)
                sent = True
            elif full and last and not sent:
                spending = self._state.reservations.spending().describe()
                raise BadInput(f"BUDGET=${self._state.budget:g} does not allow a batch: {spending}")
            self._state.locks.release(name)

    async def _send(self, name: str, path: str, requests: list[Request]) -> None:
        try:
            id = await self._api.create(name, path, requests)
        except UnclearOutcome:  # the next run will look for it
            raise
        except BadInput:
            await self._state.writer.commit(partial(self._records.close, name, []))
            raise
        await self._state.writer.commit(partial(self._records.set_id, name, id))
        click.echo(f"batch {id}: {counted(len(requests), 'request')} sent", err=True)

    async def _finish(self, batch: OpenBatch) -> set[str]:
        """Wait until a batch has ended and import it; return the keys that it has no answer for."""
        id = batch.id or await self._find(batch)
        status = await self._wait(id) if id else None
        return await self._import(batch, status) if status else set()

    async def _import_unwanted(self, wanted: Set[str]) -> None:
        """Check once the batches that no request needs any more, and import those that ended."""
        for batch in self._records.open():
            if batch.id and not batch.keys & wanted:
                with suppress(BadInput):  # of another account, perhaps
                    status = await self._api.retrieve(batch.id)
                    if status.status in _ENDED:
                        await self._import(batch, status, wanted=False)

    async def _import(self, batch: OpenBatch, status: Any, wanted: bool = True) -> set[str]:
        """Import a batch's answers; return the keys that it has none for, to be asked online."""
        file = status.output_file_id
        output = await self._api.read_file(batch.id or status.id, file) if file else b""
        requests = self._records.requests(batch.name)
        entries, unread = read_output(output, requests, self._state.prices)
        close = partial(self._records.close, batch.name, entries, unread)
        if await self._state.writer.commit(close):
            for entry in entries:
                answer = cut_overlong(entry.answer(), requests[entry.key])
                self._state.usage.add_answer(answer, wanted)
            for reply in unread:
                self._state.usage.add_unread(reply, wanted)
        if status.status == "failed" and wanted:  # online it would cost more: the user decides
            errors = status.errors.data if status.errors else None
            reason = self._transport.redact(str(errors[0].message if errors else "?"))
            raise BadInput(
                f"batch {status.id} was refused: {reason}; give the same "
                "command again later, or set the endpoint's mode to online"
            )
        return set(batch.keys) - {entry.key for entry in entries}

    async def _find(self, batch: OpenBatch) -> str | None:
        """Find the id of a batch that a killed run recorded, or delete it if it was never sent."""
        if not self._state.locks.acquire(batch.name):  # another process is sending it just now
            await self._state.sleep(_FIRST_POLL)
            return None
        try:
            id = await self._api.find(batch.name)
            if id is None:
                await self._state.writer.commit(lambda: self._records.close(batch.name, []))
            return id
        finally:
            self._state.locks.release(batch.name)

    async def _wait(self, id: str) -> Any:
        """Poll a batch, ever more slowly, until it has ended; None if the run stops first."""
        pause = _FIRST_POLL
        cancelled = self._endpoint.mode == BATCH  # or need not be
        while not self._state.stopping.is_set():
            status = await self._api.retrieve(id)
            if status.status in _ENDED:
                self._state.usage.waiting = ""
                return status
            if not cancelled and status.status in _RUNNING:
                cancelled = await self._api.cancel(id)
            counts = status.request_counts
            done = f"{counts.completed} of {counts.total}" if counts else "?"
            self._state.usage.waiting = f"batch {id}: {status.status}, {done}"
            self._state.usage.update_progress(0)
            await self._state.sleep(pause)
            pause = min(1.5 * pause, _SLOWEST_POLL)
        click.echo(f"batch {id} goes on at the server; the same command continues it", err=True)
        return None


def _chunks(requests: Sequence[Request]) -> Iterator[tuple[str, list[Request]]]:
    """Split requests into batches: one path and one model each, within the API's limits."""
    groups: dict[tuple[str, str], list[Request]] = {}
    for request in requests:
        groups.setdefault((request.path, str(request.body["model"])), []).append(request)
    for (path, _), group in groups.items():
        chunk: list[Request] = []
        size = 0
        for request in group:
            size += len(json.dumps(request.body)) + 200
            if chunk and (len(chunk) >= _MOST_REQUESTS or size > _MOST_BYTES):
                yield path, chunk
                chunk, size = [], 0
            chunk.append(request)
        yield path, chunk
