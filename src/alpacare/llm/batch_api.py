"""A server's batch API, tried again through faults that pass."""

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from alpacare.core.errors import BadInput
from alpacare.llm.budget import Purse
from alpacare.llm.request import Request
from alpacare.llm.transport import Fault, Rejected, Transport

if TYPE_CHECKING:
    from openai import AsyncOpenAI

T = TypeVar("T")
_OURS = "alpacare"  # where the server keeps our name for a batch
_TRIES = 8


class Unclear(BadInput):
    """Nothing worked, and something may have been done all the same."""


class BatchApi:
    """Make, find, look at, call off and read batches."""

    def __init__(self, transport: Transport, purse: Purse) -> None:
        self._transport = transport
        self._purse = purse

    async def make(self, name: str, path: str, requests: Sequence[Request]) -> str:
        """Send requests as a batch under our name; give the server's name for it."""
        url: Any = f"/v1{path}"
        lines = [
            {"custom_id": request.key(), "method": "POST", "url": url, "body": request.body}
            for request in requests
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines).encode()
        try:
            file = await self._patiently(
                lambda client: client.files.create(file=("batch.jsonl", text), purpose="batch")
            )
        except Unclear as error:  # a file alone costs nothing
            raise BadInput(str(error)) from None
        tries = 0

        async def make(client: "AsyncOpenAI") -> str:
            """Make the batch, unless a try whose answer was lost on the way has made it."""
            nonlocal tries
            tries += 1
            if tries > 1 and (found := await _search(client, name)):
                return found
            made = await client.batches.create(
                input_file_id=file.id,
                endpoint=url,
                completion_window="24h",
                metadata={_OURS: name},
            )
            return made.id

        return await self._patiently(make)

    async def find(self, name: str) -> str | None:
        """Give the server's name for a batch of ours, None if it has no such batch."""
        return await self._patiently(lambda client: _search(client, name))

    async def look(self, id: str) -> Any:
        """Look at a batch.

        Raises:
            BadInput: the server does not know it.
        """
        import openai

        async def look(client: "AsyncOpenAI") -> Any:
            try:
                return await client.batches.retrieve(id)
            except openai.NotFoundError:
                raise BadInput(
                    f"batch {id}: the server does not know it; is this the key that it was sent "
                    f"with? `alpacare ledger forget {id}` gives it up and counts it as paid"
                ) from None

        return await self._patiently(look)

    async def call_off(self, id: str) -> bool:
        """Cancel a batch; False if it did not work, perhaps because it ended this moment."""
        try:
            await self._transport.manage(lambda client: client.batches.cancel(id))
        except (Fault, Rejected, BadInput):
            return False
        return True

    async def read(self, id: str, file: str) -> str:
        """Read a file that a batch left.

        Raises:
            BadInput: it is gone; vendors keep it for a month.
        """
        import openai

        async def read(client: "AsyncOpenAI") -> str:
            try:
                return (await client.files.content(file)).text
            except openai.NotFoundError:
                raise BadInput(
                    f"batch {id}: its file {file} is gone; `alpacare ledger forget {id}` gives it "
                    "up and counts it as paid"
                ) from None

        return await self._patiently(read)

    async def _patiently(self, call: Callable[["AsyncOpenAI"], Awaitable[T]]) -> T:
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(Fault),
                wait=wait_random_exponential(multiplier=0.5, max=30),
                stop=stop_after_attempt(_TRIES),
                sleep=self._purse.sleep,
                reraise=True,
            ):
                with attempt:
                    return await self._transport.manage(call)
        except (Fault, Rejected) as error:
            kind = Unclear if isinstance(error, Fault) else BadInput
            raise kind(f"{self._transport.endpoint.address}: batch API: {error}") from None
        raise AssertionError("tenacity returns or raises")


async def _search(client: "AsyncOpenAI", name: str) -> str | None:
    import openai

    with suppress(openai.NotFoundError):  # a server without batches has none of ours
        async for each in await client.batches.list(limit=100):
            if (each.metadata or {}).get(_OURS) == name:
                return each.id
    return None
