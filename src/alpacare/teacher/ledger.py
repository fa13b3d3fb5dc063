"""The ledger: every LLM answer ever received, by the content of its request.

One SQLite file in WAL mode, found through DVC_ROOT so that queued experiments share it. An answer
is committed the moment it arrives. Packs are its exchange format: JSON Lines, one entry a line,

    {"key": "9b1d...", "request": {"path": ..., "endpoint": ..., "body": ..., "sample": 0},
     "response": {...}, "received": "2026-01-31T12:00:00Z", "price": null}
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import Field, field_validator

from alpacare.errors import BadInput
from alpacare.jsonl import Row, read_objects, validate, write
from alpacare.teacher.request import Answer, ChatResponse, content_key

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

    @field_validator("response")
    @classmethod
    def _is_chat(cls, response: dict[str, Any]) -> dict[str, Any]:
        """Refuse what could not be read later: an answer without choices or model."""
        ChatResponse.model_validate(response)
        return response

    def answer(self) -> Answer:
        """Give the answer that this entry holds."""
        return Answer(self.key, ChatResponse.model_validate(self.response))


def default_path() -> Path:
    """`.ledger/ledger.sqlite` in the repository's top folder."""
    return Path(os.environ.get("DVC_ROOT", ".")) / ".ledger" / "ledger.sqlite"


class Ledger:
    """Answers by request key; safe for several processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        # autocommit, synced: an answer that was put is there after a power cut
        self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise BadInput(
                f"{path}: {error}; if it is damaged, move it away and import your packs again"
            ) from error

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
        return Answer(key, ChatResponse.model_validate_json(row[0])) if row else None

    def put(self, entry: Entry) -> None:
        """Commit one entry; the first answer to a request stays."""
        self._insert([entry])

    def put_all(self, entries: Sequence[Entry]) -> None:
        """Commit entries together, all or none; the first answer to a request stays."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._insert(entries)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _insert(self, entries: Sequence[Entry]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?)",
            (
                (e.key, json.dumps(e.request), json.dumps(e.response), e.received, e.price)
                for e in entries
            ),
        )


def read_pack(path: Path) -> Iterator[Entry]:
    """Read a pack and check each line.

    Raises:
        BadInput: a damaged line, a key that is not its request's hash, two answers to one request.
    """
    lines: dict[str, int] = {}
    for number, value in read_objects(path):
        entry = validate(Entry, value, f"{path}:{number}")
        if content_key(entry.request) != entry.key:
            raise BadInput(
                f"{path}:{number}: the key is not the hash of the request; the line was changed "
                "after it was recorded: take the pack again from where it came"
            )
        if lines.setdefault(entry.key, number) != number:
            raise BadInput(
                f"{path}:{number}: line {lines[entry.key]} answers the same request; keep one"
            )
        yield entry


def write_pack(path: Path, entries: Iterable[Entry]) -> None:
    """Write entries as a pack, in the order given."""
    write(path, entries)
