"""Buying answers one call at a time, hundreds in flight, from one server.

For each request: claim it, wait for the limiter, set its worst price aside, send, commit the
answer. Whatever goes wrong in between, the books know what may have been paid.
"""

import asyncio
import random
import shutil
import time
from collections import Counter, deque
from collections.abc import Sequence

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_random_exponential

from alpacare.core.errors import BadInput
from alpacare.llm.budget import Elsewhere, Purse
from alpacare.llm.cache_pack import Entry
from alpacare.llm.rate_limits import Limiter, Stopping
from alpacare.llm.reply import Answer, Call
from alpacare.llm.request import Request
from alpacare.llm.reservations import now
from alpacare.llm.transport import Fault, Received, Rejected, Transport

ONLINE = "online"
_TRIES, _TRIES_AT_429 = 12, 50  # of one request while others are answered
_FIRST_WAIT = 0.25  # seconds at most before a second try
_REJECTED = 10  # requests that a server may refuse before the run stops
_OTHERS = 0.2  # seconds between looks for what another process is asking
_ROOM = 2 << 20  # bytes that must be free on the ledger's disk, and for each call in flight:
_ROOM_A_CALL, _ROOM_A_TOKEN = 16 << 10, 16


class Online:
    """Answers from one server into the ledger."""

    def __init__(self, transport: Transport, limiter: Limiter, purse: Purse) -> None:
        self._transport = transport
        self._limiter = limiter
        self._purse = purse
        self._tally = purse.tally
        self._todo: deque[Request] = deque()
        self._elsewhere: deque[Request] = deque()
        self._in_batches: list[Request] = []
        purse.on_stop.append(limiter.close)

    async def buy(self, requests: Sequence[Request], most: int) -> list[Request]:
        """Buy an answer to every request, at most so many at once; give those that a batch of
        another run will bring.

        What ends it early stands in the purse: `error` or `interrupted`.
        """
        self._todo.extend(requests)
        # some more than may be in flight: a call that waits for its next try, or for the ledger,
        # holds a worker but no place in the server's window
        workers = min(len(requests), most + most // 4 + 1)
        self._in_batches = []
        await asyncio.gather(*(self._work() for _ in range(workers)))
        return self._in_batches

    async def _work(self) -> None:
        while not self._purse.stopping.is_set():
            if self._todo:
                await self._safely(self._todo.popleft())
            elif self._elsewhere:
                request = self._elsewhere.popleft()
                await self._purse.sleep(_OTHERS)
                await self._safely(request)
            else:
                return

    async def _safely(self, request: Request) -> None:
        try:
            await self._obtain(request)
        except Stopping:
            pass
        except Rejected as error:
            self._tally.rejected.append(str(error))
            if len(self._tally.rejected) >= _REJECTED:
                self._purse.stop(BadInput(f"the server rejects the requests: {error}"))
        except BadInput as error:
            self._purse.stop(error)
        except Exception as error:  # a fault of ours must not cost the calls in flight
            stop = BadInput(f"{request.label or 'a request'}: {type(error).__name__}: {error}")
            stop.__cause__ = error
            self._purse.stop(stop)

    async def _obtain(self, request: Request) -> None:
        key = request.key()
        if not self._purse.claims.take(key):
            self._elsewhere.append(request)
            return
        try:
            if self._purse.ledger.get(key):
                self._tally.hit()
            else:
                await self._persist(key, request)
        except Elsewhere:
            self._in_batches.append(request)
        finally:
            self._purse.claims.drop(key)

    async def _persist(self, key: str, request: Request) -> None:
        """Try until there is an answer."""
        retries: Counter[str] = Counter()
        try:
            await self._try(key, request, retries)
        except Fault:  # most calls need no second try, and a retrier has its price
            await self._purse.sleep(random.uniform(0, _FIRST_WAIT))
            await self._try_again(key, request, retries)

    async def _try_again(self, key: str, request: Request, retries: Counter[str]) -> None:
        before = self._limiter.answers

        def enough(_: RetryCallState) -> bool:
            # when nobody gets an answer it is the server, and the limiter's patience decides
            others = retries.total() - retries["429"]
            too_often = others >= _TRIES or retries["429"] >= _TRIES_AT_429
            return too_often and self._limiter.answers > before

        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(Fault),
                wait=wait_random_exponential(multiplier=2 * _FIRST_WAIT, max=30),  # full jitter
                stop=enough,
                sleep=self._purse.sleep,
                reraise=True,
            ):
                with attempt:
                    await self._try(key, request, retries)
        except Fault as fault:
            tries = f"{retries.total()} tries, the last: {fault}"
            raise Rejected(f"{request.label or key[:12]}: {tries}") from None

    async def _try(self, key: str, request: Request, retries: Counter[str]) -> None:
        """Make one call, its price set aside before it waits for its turn."""
        tokens = request.likely_input_tokens() + (request.most_output_tokens() or 0)
        worst = self._purse.prices.worst(request, ONLINE)
        await self._purse.reserve(key, worst)
        try:
            sent = await self._limiter.admit(tokens)
        except Stopping:
            await self._purse.settle(key, None)
            raise
        try:
            received = await self._send(key, request, retries, worst, sent)
        finally:
            self._limiter.release()
            self._tally.in_flight = self._limiter.in_flight
        call = Call(seconds=round(time.monotonic() - sent, 3), retries=dict(retries))
        await self._keep(key, request, received, call)

    async def _send(
        self, key: str, request: Request, retries: Counter[str], worst: float, sent: float
    ) -> Received:
        self._tally.in_flight = self._limiter.in_flight
        try:
            self._check_disk(request)
            received = await self._transport.send(request)
        except Fault as fault:
            retries[fault.kind] += 1
            await self._fail(key, fault, worst, sent)
            raise
        except (Rejected, BadInput):
            await self._purse.settle(key, None)
            raise
        self._limiter.succeeded(received.headers)
        return received

    async def _keep(self, key: str, request: Request, received: Received, call: Call) -> None:
        call.prices = self._purse.prices.source(request)
        price = self._purse.prices.paid(request, received.completion.usage, ONLINE)
        # both were validated when they were read: no need to do it again
        entry = Entry.model_construct(
            key=key,
            request=request.content(),
            response=received.raw,
            received=now(),
            price=price,
            call=call,
        )
        await self._purse.settle(key, entry)
        self._tally.add(Answer.of(key, received.completion, price, call))

    async def _fail(self, key: str, fault: Fault, worst: float, sent: float) -> None:
        unsure = worst if fault.billed else 0.0
        self._tally.fault(fault.kind, unsure)
        await self._purse.settle(key, None, unsure)
        if fault.kind == "429":
            self._limiter.throttled(sent, fault.headers)
        else:
            self._limiter.pause(fault.headers)
        self._limiter.failed(str(fault), fault.reached)

    def _check_disk(self, request: Request) -> None:
        """Stop while there is room for what is in flight: an answer that can't be kept is lost."""
        folder = self._purse.ledger.path.parent
        a_call = _ROOM_A_CALL + _ROOM_A_TOKEN * (request.most_output_tokens() or 0)
        if shutil.disk_usage(folder).free < _ROOM + a_call * self._limiter.in_flight:
            raise BadInput(
                f"{folder}: the disk is almost full, so nothing more is asked; free some space"
            )
