"""Answers one call at a time from one server, hundreds in flight.

For each request: lock it, reserve its worst-case price, wait for the rate limits, send, commit the
answer. Whatever fails in between, the ledger knows what may have been paid.
"""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress

from tenacity import RetryCallState

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry
from alpacare.llm.disk_space import check_disk
from alpacare.llm.overlong import cut_overlong
from alpacare.llm.rate_limits import Limiter, Stopping
from alpacare.llm.reply import Answer, Call
from alpacare.llm.reply_reader import Reply
from alpacare.llm.request import Request
from alpacare.llm.reservations import now
from alpacare.llm.run_state import InBatch, RunState
from alpacare.llm.transport import (
    FIRST_WAIT,
    Fault,
    Received,
    Rejected,
    Transport,
    Unread,
    retry_faults,
)
from alpacare.llm.unread import (
    KEPT,
    MOST_UNREAD,
    UnreadReply,
    count_in_a_row,
    describe_problem,
    problem_of,
)

ONLINE = "online"
_TRIES, _TRIES_AT_429 = 12, 50  # of one request while others are answered
_REJECTED = 10  # requests that a server may refuse before the run stops
_POLL = 0.2  # seconds between checks of what another process is asking


class _Kept(Rejected):
    """A reply that cannot be read is kept, and its request not asked again."""

    def __init__(self, request: Request, problem: str) -> None:
        super().__init__(f"{request.label or request.key()[:12]}: {describe_problem(problem)}")


class OnlineDispatcher:
    """Gets answers from one server's completion API into the ledger."""

    def __init__(self, transport: Transport, limiter: Limiter, state: RunState) -> None:
        self._transport = transport
        self._limiter = limiter
        self._state = state
        self._usage = state.usage
        self._queue: deque[Request] = deque()
        self._locked: deque[Request] = deque()  # another process is asking
        self._in_batches: list[Request] = []
        # replies that cannot be read since the last one that could, in this run or one before
        unread = count_in_a_row(state.ledger, transport.endpoint.name)
        self._unread = min(unread, MOST_UNREAD - 1)
        if unread >= MOST_UNREAD:
            limiter.window = 1.0  # one call shows whether the server has been mended
        state.limiters.append(limiter)

    async def dispatch(self, requests: Sequence[Request], most: int) -> list[Request]:
        """Get an answer to every request, at most `most` at once; return those that are in a
        batch of another run.

        What ends it early is in the run state: `error` or `interrupted`.
        """
        self._queue.extend(requests)
        # more workers than calls in flight: a call that waits for its next try, or for the ledger,
        # holds a worker but no place in the server's window
        workers = min(len(requests), most + most // 4 + 1)
        self._in_batches = []
        await asyncio.gather(*(self._work() for _ in range(workers)))
        return self._in_batches

    async def _work(self) -> None:
        while not self._state.stopping.is_set():
            if self._queue:
                await self._process(self._queue.popleft())
            elif self._locked:
                request = self._locked.popleft()
                await self._state.sleep(_POLL)
                await self._process(request)
            else:
                return

    async def _process(self, request: Request) -> None:
        """Get one answer; an error is recorded and does not reach the other calls."""
        try:
            await self._answer(request)
        except Stopping:
            pass
        except Rejected as error:
            self._usage.rejected.append(str(error))
            if len(self._usage.rejected) >= _REJECTED:
                kept = isinstance(error, _Kept)
                what = (
                    "too many replies cannot be read" if kept else "the server rejects the requests"
                )
                self._state.stop(BadInput(f"{what}: {error}"))
        except BadInput as error:
            self._state.stop(error)
        except Exception as error:  # our own bug must not lose the calls in flight
            stop = BadInput(f"{request.label or 'a request'}: {type(error).__name__}: {error}")
            stop.__cause__ = error
            self._state.stop(stop)

    async def _answer(self, request: Request) -> None:
        key = request.key()
        if not self._state.locks.acquire(key):
            self._locked.append(request)
            return
        try:
            if self._state.ledger.get(key):
                self._usage.add_hit()
            elif problem := problem_of(self._state.ledger, key):  # another process has asked
                raise _Kept(request, problem)
            else:
                await self._call_until_answered(key, request)
        except InBatch:
            if self._state.ledger.get(key):
                self._usage.add_hit()
            else:
                self._in_batches.append(request)
        finally:
            self._state.locks.release(key)

    async def _call_until_answered(self, key: str, request: Request) -> None:
        retries: Counter[str] = Counter()
        with suppress(Fault):  # most calls need no second try, and AsyncRetrying costs time
            return await self._call(key, request, retries)
        await self._state.sleep(random.uniform(0, FIRST_WAIT))
        before = self._limiter.answers

        def enough(_: RetryCallState) -> bool:
            # when no request is answered it is the server, and its idle_timeout decides
            others = retries.total() - retries["429"]
            too_often = others >= _TRIES or retries["429"] >= _TRIES_AT_429
            return too_often and self._limiter.answers > before

        try:
            await retry_faults(enough, self._state.sleep)(self._call, key, request, retries)
        except Fault as fault:
            tries = f"{retries.total()} tries, the last: {fault}"
            raise Rejected(f"{request.label or key[:12]}: {tries}") from None

    async def _call(self, key: str, request: Request, retries: Counter[str]) -> None:
        """Make one call; its price is reserved before it waits for the rate limits."""
        tokens = request.likely_input_tokens() + (request.most_output_tokens() or 0)
        worst = self._state.prices.worst(request, ONLINE)
        await self._state.reserve(key, worst)
        try:
            sent = await self._limiter.admit(tokens)
        except Stopping:
            await self._state.settle(key, None)
            raise
        try:
            received = await self._send(key, request, retries, worst, sent)
        finally:
            self._limiter.release()
            self._usage.in_flight = self._limiter.in_flight
        await self._store(
            key, request, received.reply, worst, self._describe(request, retries, sent)
        )

    async def _store(
        self, key: str, request: Request, reply: Reply, worst: float, call: Call
    ) -> None:
        paid = self._state.prices.paid(request, reply.completion, ONLINE, worst)
        entry = Entry.of(key, request.content(), reply, now(), paid, call)
        await self._state.settle(key, entry)
        self._unread = 0
        answer = Answer.from_completion(
            key, reply.completion, entry.price, entry.call, reply.odd_fields
        )
        self._usage.add_answer(cut_overlong(answer, request))

    def _describe(self, request: Request, retries: Counter[str], sent: float) -> Call:
        seconds = round(time.monotonic() - sent, 3)
        source = self._state.prices.source(request)
        return Call(seconds=seconds, retries=dict(retries), prices=source)

    async def _send(
        self, key: str, request: Request, retries: Counter[str], worst: float, sent: float
    ) -> Received:
        self._usage.in_flight = self._limiter.in_flight
        try:
            check_disk(self._state.ledger.path.parent, request, self._limiter.in_flight)
            received = await self._transport.send(request)
        except Fault as fault:
            retries[fault.kind] += 1
            paid = worst if fault.billed else 0.0
            self._usage.add_failure(fault.kind, paid)
            if isinstance(fault, Unread):
                await self._keep(fault, key, request, worst, self._describe(request, retries, sent))
            else:
                await self._state.settle(key, None, paid)
            if fault.kind == "429":
                self._limiter.throttled(sent, fault.headers)
            else:
                self._limiter.pause(fault.headers)
            self._limiter.failed(str(fault), fault.reached)
            raise
        except (Rejected, BadInput):
            await self._state.settle(key, None)
            raise
        self._limiter.succeeded(received.headers)
        return received

    async def _keep(
        self, unread: Unread, key: str, request: Request, worst: float, call: Call
    ) -> None:
        """Keep a reply that cannot be read, and decide whether to ask on.

        Raises:
            Rejected: this request is not asked again.
            BadInput: so many such replies came one after another that something is wrong.
        """
        kept = UnreadReply.of(
            request, unread.body, unread.problem, now(), worst, call, unread.charset
        )
        await self._state.settle(key, kept)
        self._unread += 1
        if self._unread >= MOST_UNREAD:
            address = self._transport.endpoint.address
            raise BadInput(
                f"{address}: {self._unread} replies one after another cannot be read, the last as "
                f"{unread.problem}; {KEPT}"
            )
        if not unread.again or call.retries[unread.kind] >= MOST_UNREAD:
            raise _Kept(request, unread.problem)
