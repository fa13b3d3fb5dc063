"""Which batches are under way, and what they hold: the ledger's part of the batch API.

Everything but `open` and `items` is called within a transaction.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alpacare.llm.cache_pack import Entry
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger
from alpacare.llm.request import Request
from alpacare.llm.reservations import Accounts, now


@dataclass
class Open:
    """A batch under way: our name for it, and the server's once it has answered."""

    name: str
    keys: frozenset[str]
    id: str | None


class BatchBook:
    """The batches of one server."""

    def __init__(self, ledger: Ledger, endpoint: Endpoint) -> None:
        self._ledger = ledger
        self._sql = ledger.connection
        self._endpoint = endpoint

    def open(self) -> list[Open]:
        """Every batch that has not been taken in yet."""
        rows = self._sql.execute(
            "SELECT name, id FROM batches WHERE endpoint = ?", (self._endpoint.name,)
        ).fetchall()
        return [Open(name, frozenset(self._keys(name)), id) for name, id in rows]

    def items(self, name: str) -> dict[str, Request]:
        """What a batch asks, by key: its answers are kept even if nobody asks for them any more."""
        rows = self._sql.execute("SELECT key, request FROM items WHERE batch = ?", (name,))
        return {key: self._request(json.loads(content)) for key, content in rows}

    def book(
        self, name: str, worst: Sequence[tuple[Request, float]], budget: float
    ) -> tuple[list[Request], bool]:
        """Set the worst prices aside of as many requests as the budget has room for.

        Give them, and whether the budget left some out. Requests that another process has bought,
        booked or sent meanwhile are left out too.
        """
        room = budget - Accounts(self._ledger).money().bound
        booked, full = [], False
        for request, price in worst:
            if self._seen_to(request.key()):
                continue
            if price > room:
                full = True
                continue
            room -= price
            booked.append(request)
            item = (request.key(), name, json.dumps(request.content()), price)
            self._sql.execute("INSERT INTO items VALUES (?, ?, ?, ?)", item)
        if booked:
            values = (name, self._endpoint.name, None, now())
            self._sql.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", values)
        return booked, full

    def _seen_to(self, key: str) -> bool:
        found = self._sql.execute(
            "SELECT 1 FROM items WHERE key = :key UNION SELECT 1 FROM calls WHERE key = :key "
            "UNION SELECT 1 FROM entries WHERE key = :key",
            {"key": key},
        )
        return found.fetchone() is not None

    def sent(self, name: str, id: str) -> None:
        """Write down the server's name for a batch."""
        self._sql.execute("UPDATE batches SET id = ? WHERE name = ?", (id, name))

    def close(self, name: str, entries: Sequence[Entry], broken: Sequence[str] = ()) -> bool:
        """Take a batch's answers in; False if another process has.

        `broken` answers were paid for perhaps, at most at their worst price.
        """
        if not self._sql.execute("DELETE FROM batches WHERE name = ?", (name,)).rowcount:
            return False
        for key in broken:
            self._sql.execute(
                "UPDATE money SET unsure = unsure + (SELECT total(worst) FROM items WHERE key = ?)",
                (key,),
            )
        self._sql.execute("DELETE FROM items WHERE batch = ?", (name,))
        for entry in entries:
            self._ledger.insert(entry)
        paid = sum(entry.price or 0.0 for entry in entries)
        self._sql.execute("UPDATE money SET spent = spent + ?", (paid,))
        return True

    def _keys(self, name: str) -> Iterator[str]:
        for (key,) in self._sql.execute("SELECT key FROM items WHERE batch = ?", (name,)):
            yield key

    def _request(self, content: dict[str, object]) -> Request:
        body, path, sample = content["body"], content["path"], content["sample"]
        assert isinstance(body, dict)
        assert isinstance(sample, int)
        return Request(self._endpoint, body, "", str(path), sample)
