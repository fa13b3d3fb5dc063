"""Records in the ledger of batches under way and of what they ask.

Everything but `open` and `requests` is called within a transaction.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from alpacare.llm.cache_pack import Entry
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger
from alpacare.llm.request import Request
from alpacare.llm.reservations import Reservations, now
from alpacare.llm.unread import UnreadReply, keep, rebuild_request


@dataclass
class OpenBatch:
    """A batch under way: our name for it, and the server's id once it has answered."""

    name: str
    keys: frozenset[str]
    id: str | None


class BatchRecords:
    """The batches of one server."""

    def __init__(self, ledger: Ledger, endpoint: Endpoint) -> None:
        self._ledger = ledger
        self._sql = ledger.connection
        self._endpoint = endpoint

    def open(self) -> list[OpenBatch]:
        """List every batch that has not been imported yet."""
        rows = self._sql.execute(
            "SELECT name, id FROM batches WHERE endpoint = ?", (self._endpoint.name,)
        ).fetchall()
        sql = "SELECT key FROM items WHERE batch = ?"
        return [
            OpenBatch(name, frozenset(key for (key,) in self._sql.execute(sql, (name,))), id)
            for name, id in rows
        ]

    def requests(self, name: str) -> dict[str, Request]:
        """Give a batch's requests, by key: its answers are kept even if no stage needs them."""
        rows = self._sql.execute("SELECT key, request FROM items WHERE batch = ?", (name,))
        contents = {key: json.loads(content) for key, content in rows}
        return {
            key: rebuild_request(content, self._endpoint, content.get("price"))
            for key, content in contents.items()
        }

    def reserve(
        self, name: str, worst: Sequence[tuple[Request, float]], budget: float
    ) -> tuple[list[Request], bool]:
        """Reserve the worst-case prices of as many requests as the budget allows.

        Return them, and whether the budget excluded some. Requests that another process has sent,
        or that have a reply meanwhile, are left out too.
        """
        left = budget - Reservations(self._ledger).spending().upper_bound
        reserved, full = [], False
        for request, price in worst:
            if self._is_known(request.key()):
                continue
            if price > left:
                full = True
                continue
            left -= price
            reserved.append(request)
            own = {"price": request.price.model_dump()} if request.price else {}
            item = (request.key(), name, json.dumps(request.content() | own), price)
            self._sql.execute("INSERT INTO items VALUES (?, ?, ?, ?)", item)
        if reserved:
            values = (name, self._endpoint.name, None, now())
            self._sql.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", values)
        return reserved, full

    def _is_known(self, key: str) -> bool:
        found = self._sql.execute(
            "SELECT 1 FROM items WHERE key = :key UNION SELECT 1 FROM calls WHERE key = :key "
            "UNION SELECT 1 FROM entries WHERE key = :key "
            "UNION SELECT 1 FROM unread WHERE key = :key AND waiting",
            {"key": key},
        )
        return found.fetchone() is not None

    def set_id(self, name: str, id: str) -> None:
        """Record the server's id for a batch."""
        self._sql.execute("UPDATE batches SET id = ? WHERE name = ?", (id, name))

    def close(
        self, name: str, entries: Sequence[Entry], unread: Sequence[UnreadReply] = ()
    ) -> bool:
        """Replace a batch's record by its answers, and by its replies that cannot be read; False
        if another process has.
        """
        if not self._sql.execute("DELETE FROM batches WHERE name = ?", (name,)).rowcount:
            return False
        self._sql.execute("DELETE FROM items WHERE batch = ?", (name,))
        for entry in entries:
            self._ledger.insert(entry, paid_here=True)
        for reply in unread:
            keep(self._sql, reply)
        paid = sum(entry.price or 0.0 for entry in entries)
        self._sql.execute("UPDATE money SET spent = spent + ?", (paid,))
        return True
