"""What all dispatchers of one run share: ledger, locks, prices, budget, usage, a stop signal."""

import asyncio
from contextlib import suppress

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry
from alpacare.llm.in_flight_lock import InFlightLocks
from alpacare.llm.ledger import Ledger
from alpacare.llm.ledger_writer import LedgerWriter
from alpacare.llm.prices import Prices
from alpacare.llm.rate_limits import Limiter, Stopping
from alpacare.llm.reservations import Reservations
from alpacare.llm.run_usage import RunUsage
from alpacare.llm.unread import UnreadReply

_POLL = 0.5  # seconds between checks of what other processes have reserved


class InBatch(Exception):
    """A batch under way has this request, or has just brought its answer."""


class RunState:
    """Budget, reservations and stop signal of one run."""

    def __init__(
        self, ledger: Ledger, locks: InFlightLocks, prices: Prices, budget: float, usage: RunUsage
    ) -> None:
        self.ledger = ledger  # for reading; the writer has its own connection
        self.locks = locks
        self.prices = prices
        self.budget = budget
        self.usage = usage
        self.stopping = asyncio.Event()
        self.limiters: list[Limiter] = []
        self.error: BadInput | None = None
        self.interrupted = False
        self.write_ledger = Ledger(ledger.path)
        self.reservations = Reservations(self.write_ledger)
        self.writer = LedgerWriter(self.write_ledger)
        self._settled = asyncio.Event()

    def close(self) -> None:
        """Finish writing."""
        self.writer.close()
        self.write_ledger.connection.close()

    def stop(self, error: BadInput | None = None) -> None:
        """Send nothing more; calls in flight may end. The first error is the one reported."""
        self.error = self.error or error
        self.interrupted |= error is None
        self.stopping.set()
        for limiter in self.limiters:
            limiter.close()

    async def sleep(self, seconds: float) -> None:
        """Sleep, but wake when the run stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def reserve(self, key: str, worst: float) -> None:
        """Reserve a call's worst-case price; wait while calls in flight may still free some.
        Raises:
            BadInput: the budget does not allow the call.
            Stopping: the run is ending.
            InBatch: a batch under way has this request.
        """
        while obstacle := await self.writer.commit(
            lambda: self.reservations.reserve(key, worst, self.budget)
        ):
            if obstacle == "batch":
                raise InBatch
            if self.stopping.is_set():
                raise Stopping
            if obstacle == "full":
                raise BadInput(
                    f"BUDGET=${self.budget:g} does not allow the next call (at most "
                    f"${worst:.4f}): {Reservations(self.ledger).spending().describe()}"
                )
            lost = await self.writer.commit(lambda: self.reservations.write_off(self.locks))
            self.usage.lost += lost
            self._settled.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), _POLL)

    async def settle(
        self,
        key: str,
        reply: Entry | UnreadReply | None,
        unsure: float = 0.0,
    ) -> None:
        """Replace a call's reservation by what came of it, as `Reservations.settle`."""
        await self.writer.commit(lambda: self.reservations.settle(key, reply, unsure))
        self._settled.set()
