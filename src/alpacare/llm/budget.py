"""What the buyers of one run share: ledger, claims, prices, budget, counts, and the way to stop."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry
from alpacare.llm.in_flight_lock import Claims
from alpacare.llm.ledger import Ledger
from alpacare.llm.ledger_writer import Writer
from alpacare.llm.prices import Prices
from alpacare.llm.rate_limits import Stopping
from alpacare.llm.reservations import Accounts
from alpacare.llm.run_usage import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

_OTHERS = 0.5  # seconds between looks at what other processes have set aside


class Elsewhere(Exception):
    """Somebody else is getting this answer."""


class Purse:
    """One run's money and its brake."""

    def __init__(
        self, ledger: Ledger, claims: Claims, prices: Prices, budget: float, tally: Tally
    ) -> None:
        self.ledger = ledger  # for reading; the writer has a connection of its own
        self.claims = claims
        self.prices = prices
        self.budget = budget
        self.tally = tally
        self.stopping = asyncio.Event()
        self.on_stop: list[Callable[[], None]] = []
        self.error: BadInput | None = None
        self.interrupted = False
        self.books = Ledger(ledger.path)
        self.accounts = Accounts(self.books)
        self.writer = Writer(self.books)
        self._settled = asyncio.Event()

    def close(self) -> None:
        """Finish writing."""
        self.writer.close()
        self.books.connection.close()

    def stop(self, error: BadInput | None = None) -> None:
        """Send nothing more; what is in flight may end. The first error is the one reported."""
        self.error = self.error or error
        self.interrupted |= error is None
        self.stopping.set()
        for wake in self.on_stop:
            wake()

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not past the brake."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def reserve(self, key: str, worst: float) -> None:
        """Set a call's worst price aside.

        Waits while calls in flight may yet turn out cheaper than what was set aside for them.

        Raises:
            BadInput: the budget has no room for the call.
            Stopping: the run is ending.
            Elsewhere: a batch under way will bring the answer.
        """
        while obstacle := await self.writer.commit(
            lambda: self.accounts.reserve(key, worst, self.budget)
        ):
            if obstacle == "batch":
                raise Elsewhere
            if self.stopping.is_set():
                raise Stopping
            if obstacle == "full":
                raise BadInput(
                    f"BUDGET=${self.budget:g} has no room for the next call (at most "
                    f"${worst:.4f}): {Accounts(self.ledger).money().describe()}"
                )
            lost = await self.writer.commit(lambda: self.accounts.write_off(self.claims))
            self.tally.lost += lost
            self._settled.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), _OTHERS)

    async def settle(self, key: str, entry: Entry | None, unsure: float = 0.0) -> None:
        """End a call in the books, with its answer if there is one."""
        await self.writer.commit(lambda: self.accounts.settle(key, entry, unsure))
        self._settled.set()
