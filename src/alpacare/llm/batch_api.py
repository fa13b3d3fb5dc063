"""A server's batch API; calls that fail for a passing reason are retried."""

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import stop_after_attempt

from alpacare.core.errors import BadInput
from alpacare.llm.request import Request
from alpacare.llm.run_state import RunState
from alpacare.llm.transport import Fault, Rejected, Transport, retry_faults

if TYPE_CHECKING:
    from openai import AsyncOpenAI

T = TypeVar("T")
_NAME_KEY = "alpacare"  # of a batch's metadata: our name for it
_TRIES = 8


class UnclearOutcome(BadInput):
    """No try was answered, and the server may have acted all the same."""


class BatchApi:
    """Create, find, retrieve, cancel and read batches."""

    def __init__(self, transport: Transport, state: RunState) -> None:
        self._transport = transport
        self._state = state

    async def create(self, name: str, path: str, requests: Sequence[Request]) -> str:
        """Send requests as a batch under our name; return the server's id for it."""
        url: Any = f"/v1{path}"
        call = {"method": "POST", "url": url}
        lines = ({"custom_id": each.key(), **call, "body": each.body} for each in requests)
        text = "".join(json.dumps(line) + "\n" for line in lines).encode()
        file = ("batch.jsonl", text)
        try:
            sent = await self._retry(
                lambda api: _having("id", api.files.create(file=file, purpose="batch"))
            )
        except UnclearOutcome as error:  # a file alone costs nothing
            raise BadInput(str(error)) from None
        tries = 0

        async def create(client: "AsyncOpenAI") -> str:
            """Create the batch, unless a try whose answer was lost has created it."""
            nonlocal tries
            tries += 1
            if tries > 1 and (found := await _search(client, name)):
                return found
            batch = await client.batches.create(
                input_file_id=sent.id,
                endpoint=url,
                completion_window="24h",
                metadata={_NAME_KEY: name},
            )
            if not isinstance(getattr(batch, "id", None), str):
                raise UnclearOutcome(
                    f"{self._transport.endpoint.address}: batch API: the reply to a new batch has "
                    "no id; the same command looks for the batch"
                )
            return batch.id

        return await self._retry(create)

    async def find(self, name: str) -> str | None:
        """Return the server's id for a batch of ours, None if it has no such batch."""
        return await self._retry(lambda client: _search(client, name))

    async def retrieve(self, id: str) -> Any:
        """Ask how far a batch is.

        Raises:
            BadInput: the server does not know it.
        """
        absent = "the server does not know it; is this the key that it was sent with?"
        return await self._retry_of(
            id, absent, lambda client: _having("status", client.batches.retrieve(id))
        )

    async def cancel(self, id: str) -> bool:
        """Cancel a batch; False if it did not work, perhaps because it ended this moment."""
        with suppress(Fault, Rejected, BadInput):
            await self._transport.call(lambda client: client.batches.cancel(id))
            return True
        return False

    async def read_file(self, id: str, file: str) -> bytes:
        """Read a batch's output file.

        Raises:
            BadInput: it is deleted; vendors keep it for a month.
        """
        absent = f"its file {file} was deleted;"
        content = await self._retry_of(id, absent, lambda client: client.files.content(file))
        return content.content

    async def _retry_of(
        self, id: str, absent: str, call: Callable[["AsyncOpenAI"], Awaitable[T]]
    ) -> T:
        """Ask about one batch; `absent` says what a 404 means."""
        import openai

        async def ask(client: "AsyncOpenAI") -> T:
            try:
                return await call(client)
            except openai.NotFoundError:
                forget = f"`alpacare ledger forget {id}` gives it up and counts it as paid"
                raise BadInput(f"batch {id}: {absent} {forget}") from None

        return await self._retry(ask)

    async def _retry(self, call: Callable[["AsyncOpenAI"], Awaitable[T]]) -> T:
        retrying = retry_faults(stop_after_attempt(_TRIES), self._state.sleep)
        try:
            return await retrying(self._transport.call, call)
        except (Fault, Rejected) as error:
            kind = UnclearOutcome if isinstance(error, Fault) else BadInput
            raise kind(f"{self._transport.endpoint.address}: batch API: {error}") from None


async def _having(name: str, call: Awaitable[T]) -> T:
    """Check that a reply has this field: the client builds its objects of whatever came."""
    reply = await call
    if not isinstance(getattr(reply, name, None), str):
        raise Fault("broken body", f"field '{name}' is missing")
    return reply


async def _search(client: "AsyncOpenAI", name: str) -> str | None:
    import openai

    with suppress(openai.NotFoundError):  # a server without a batch API has none of ours
        try:
            async for each in await client.batches.list(limit=100):
                if (each.metadata or {}).get(_NAME_KEY) == name:
                    return each.id
        except (AttributeError, TypeError):  # as `_having`
            raise Fault("broken body", "the reply is no list of batches") from None
    return None
