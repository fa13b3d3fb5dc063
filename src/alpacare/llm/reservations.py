"""Budget: what the ledger's calls have cost, and what is reserved for those in flight.

BUDGET is an upper limit in dollars on everything that this ledger ever paid. So a command given
twice, or a pipeline of several paid stages, cannot spend more than what was allowed once.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry
from alpacare.llm.in_flight_lock import InFlightLocks
from alpacare.llm.ledger import Ledger
from alpacare.llm.unread import UnreadReply, keep


def read_budget() -> float | None:
    """Read BUDGET, dollars; None if it is not set.

    Raises:
        BadInput: it is not an amount.
    """
    text = os.environ.get("BUDGET", "").strip()
    if not text:
        return None
    try:
        budget = float(text.removeprefix("$"))
    except ValueError:
        budget = -1.0
    if not 0 <= budget < float("inf"):
        raise BadInput(f"BUDGET='{text}' is not an amount of dollars; set for example BUDGET=5")
    return budget


@dataclass(frozen=True)
class Spending:
    """Dollars of one ledger."""

    spent: float  # for answers that are in the ledger, and replies that cannot be read
    unsure: float  # at most, for calls whose answer never came: the vendor may have billed them
    in_flight: float  # at most, for calls under way
    in_batches: float  # at most, for batches under way
    lost: int  # calls that were in flight when their process was killed

    @property
    def upper_bound(self) -> float:
        """The most that can have been spent once all that is under way has ended."""
        return self.spent + self.unsure + self.in_flight + self.in_batches

    def describe(self) -> str:
        """Describe the spending in one line."""
        parts = [f"this ledger has paid ${self.spent:.4f}"]
        if self.unsure:
            parts.append(f"at most ${self.unsure:.4f} for calls that broke off")
        if self.in_batches:
            parts.append(f"at most ${self.in_batches:.4f} for batches under way")
        return ", ".join(parts)


class Reservations:
    """Reserved and paid dollars of one ledger. All but `spending` run within a transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self._sql = ledger.connection
        self._ledger = ledger

    def spending(self) -> Spending:
        """Sum up."""
        with self._ledger.readable():
            spent, unsure, lost = self._sql.execute("SELECT * FROM money").fetchone()
            in_flight, in_batches = self._sql.execute(
                "SELECT (SELECT total(worst) FROM calls), (SELECT total(worst) FROM items)"
            ).fetchone()
        return Spending(spent, unsure, in_flight, in_batches, lost)

    def reserve(
        self, key: str, worst: float, budget: float
    ) -> Literal["", "full", "wait", "batch"]:
        """Reserve a call's worst-case price before it is sent, or return what prevents it.

        "full": the budget does not allow it. "wait": nor does it now, but calls in flight may still
        cost less than was reserved for them. "batch": a batch under way has this request, or has
        brought its answer since the caller looked for it.
        """
        for table in ("items", "entries"):
            if self._sql.execute(f"SELECT 1 FROM {table} WHERE key = ?", (key,)).fetchone():
                return "batch"
        self._write_off(key)  # the caller holds the lock, so whoever asked before is dead
        spending = self.spending()
        if worst and spending.upper_bound + worst > budget:  # a free call is always allowed
            return "wait" if spending.in_flight else "full"
        self._sql.execute("INSERT INTO calls VALUES (?, ?, ?)", (key, worst, now()))
        return ""

    def settle(
        self,
        key: str,
        reply: Entry | UnreadReply | None,
        unsure: float = 0.0,
    ) -> None:
        """End a call: with its answer and price, with a reply that cannot be read, or without one
        and with what it may have cost.
        """
        self._sql.execute("DELETE FROM calls WHERE key = ?", (key,))
        paid = (reply.price or 0.0) if isinstance(reply, Entry) else 0.0
        self._sql.execute("UPDATE money SET spent = spent + ?, unsure = unsure + ?", (paid, unsure))
        if isinstance(reply, Entry):
            self._ledger.insert(reply, paid_here=True)
        elif reply:
            keep(self._sql, reply)

    def write_off(self, locks: InFlightLocks) -> int:
        """Count calls of processes that were killed as paid and lost; return how many."""
        open_calls = [key for (key,) in self._sql.execute("SELECT key FROM calls")]
        dead = [key for key in open_calls if locks.is_free(key)]
        for key in dead:
            self._write_off(key)
        return len(dead)

    def _write_off(self, key: str) -> None:
        found = self._sql.execute("DELETE FROM calls WHERE key = ? RETURNING worst", (key,))
        for (worst,) in found.fetchall():
            self._sql.execute("UPDATE money SET unsure = unsure + ?, lost = lost + 1", (worst,))


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
