"""Money: what the ledger's calls have cost, what those in flight may cost, and the budget's end.

BUDGET is a ceiling in dollars on everything that this ledger ever paid. So a command given twice,
or a pipeline of several paid stages, cannot add up to more than what was allowed once.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry
from alpacare.llm.in_flight_lock import Claims
from alpacare.llm.ledger import Ledger


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
class Money:
    """Dollars of one ledger."""

    spent: float  # for answers that are in the ledger
    unsure: float  # at most, for calls whose answer never came: the vendor may have billed them
    in_flight: float  # at most, for calls under way
    in_batches: float  # at most, for batches under way
    lost: int  # calls that were in flight when their process was killed

    @property
    def bound(self) -> float:
        """What can have been spent at most once all that is under way has ended."""
        return self.spent + self.unsure + self.in_flight + self.in_batches

    def describe(self) -> str:
        """Say in a line where the money is."""
        parts = [f"this ledger has paid ${self.spent:.4f}"]
        if self.unsure:
            parts.append(f"at most ${self.unsure:.4f} for calls that broke off")
        if self.in_batches:
            parts.append(f"at most ${self.in_batches:.4f} for batches under way")
        return ", ".join(parts)


class Accounts:
    """The books of one ledger. All but `money` are called within a transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self._sql = ledger.connection
        self._ledger = ledger

    def money(self) -> Money:
        """Sum up."""
        with self._ledger.readable():
            spent, unsure, lost = self._sql.execute("SELECT * FROM money").fetchone()
            in_flight, in_batches = self._sql.execute(
                "SELECT (SELECT total(worst) FROM calls), (SELECT total(worst) FROM items)"
            ).fetchone()
        return Money(spent, unsure, in_flight, in_batches, lost)

    def reserve(
        self, key: str, worst: float, budget: float
    ) -> Literal["", "full", "wait", "batch"]:
        """Set a call's worst price aside before it is sent; or say what is in the way.

        "full": the budget has no room. "wait": nor has it now, but calls in flight may yet turn out
        cheaper than what was set aside for them. "batch": a batch under way will bring this answer.
        """
        if self._sql.execute("SELECT 1 FROM items WHERE key = ?", (key,)).fetchone():
            return "batch"
        self._write_off(key)  # the caller has the claim, so whoever asked before is dead
        money = self.money()
        if worst and money.bound + worst > budget:  # what is free needs no room
            return "wait" if money.in_flight else "full"
        values = (key, worst, now())
        self._sql.execute("INSERT INTO calls VALUES (?, ?, ?)", values)
        return ""

    def settle(self, key: str, entry: Entry | None, unsure: float = 0.0) -> None:
        """End a call: with its answer and price, or without and with what it may have cost."""
        self._sql.execute("DELETE FROM calls WHERE key = ?", (key,))
        paid = (entry.price or 0.0) if entry else 0.0
        self._sql.execute("UPDATE money SET spent = spent + ?, unsure = unsure + ?", (paid, unsure))
        if entry:
            self._ledger.insert(entry)

    def write_off(self, claims: Claims) -> int:
        """Count calls of processes that were killed as paid and lost; say how many."""
        open_calls = [key for (key,) in self._sql.execute("SELECT key FROM calls")]
        dead = [key for key in open_calls if claims.free(key)]
        for key in dead:
            self._write_off(key)
        return len(dead)

    def _write_off(self, key: str) -> None:
        found = self._sql.execute("DELETE FROM calls WHERE key = ? RETURNING worst", (key,))
        for (worst,) in found.fetchall():
            self._sql.execute("UPDATE money SET unsure = unsure + ?, lost = lost + 1", (worst,))


def now() -> str:
    """Now in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
