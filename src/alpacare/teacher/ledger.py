"""The ledger: every LLM answer ever received, by the content of its request.

One SQLite file in WAL mode, found through DVC_ROOT so that queued experiments share it. An answer
is committed the moment it arrives. Packs are its exchange format: JSON Lines, one entry a line,

    {"key": "9b1d...", "request": {"path": ..., "endpoint": ..., "body": ..., "sample": 0},
     "response": {...}, "received": "2026-01-31T12:00:00Z", "price": null}
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import Field

from alpacare.errors import BadInput
from alpacare.jsonl import Row, read_objects, validate, write
from alpacare.teacher.request import Answer, content_key

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, request TEXT, response TEXT, received TEXT, price REAL
) WITHOUT ROWID
"""


class Entry(Row):
    """One paid answer: `received` in UTC, `price` in US dollars (null where nobody paid)."""

    key: str = Field(pattern="^[0-9a-f]{64}$")
    request: dict[str, Any]
    response: dict[str, Any]
    received: str
    price: float | None


def default_path() -> Path:
    """`.ledger/ledger.sqlite` in the repository's top folder."""
    return Path(os.environ.get("DVC_ROOT", ".")) / ".ledger" / "ledger.sqlite"


class Ledger:
    """Answers by request key; safe for several processes at once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # autocommit: each insert is durable against a crash of this process at once
        self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(_SCHEMA)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def get(self, key: str) -> Answer | None:
        """Look up one answer."""
        row = self._connection.execute(
            "SELECT response FROM entries WHERE key = ?", (key,)
        ).fetchone()
        return Answer(key, json.loads(row[0])) if row else None

    def put(self, entry: Entry) -> None:
        """Commit one entry; the first answer to a request stays."""
        self._insert([entry])

    def import_pack(self, path: Path) -> int:
        """Add a pack's entries, all or none, and tell how many lines it has.

        Raises:
            BadInput: a line is damaged, or its key is not the hash of its request.
        """
        entries = list(read_pack(path))
        self._connection.execute("BEGIN IMMEDIATE")
        self._insert(entries)
        self._connection.execute("COMMIT")
        return len(entries)

    def _insert(self, entries: Iterable[Entry]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?)",
            (
                (e.key, json.dumps(e.request), json.dumps(e.response), e.received, e.price)
                for e in entries
            ),
        )


def read_pack(path: Path) -> Iterator[Entry]:
    """Read a pack and check each line's key against its request."""
    for number, value in read_objects(path):
        entry = validate(Entry, value, f"{path}:{number}")
        if content_key(entry.request) != entry.key:
            raise BadInput(
                f"{path}:{number}: the key is not the hash of the request; the line was changed "
                "after it was recorded: take the pack again from where it came"
            )
        yield entry


def write_pack(path: Path, entries: Iterable[Entry]) -> None:
    """Write entries as a pack, in the order given."""
    write(path, entries)
