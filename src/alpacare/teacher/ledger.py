"""The ledger: every LLM answer ever received, by the content of its request.

One SQLite file in WAL mode, found through DVC_ROOT so that queued experiments share it. An answer
is committed the moment it arrives, with a digest by which a damaged one is known.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from alpacare.errors import BadInput
from alpacare.teacher.pack import Entry
from alpacare.teacher.reply import Answer, Call, Completion

_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, request TEXT, response TEXT, received TEXT, price REAL,
    call TEXT, digest TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, worst REAL, sent TEXT);
CREATE TABLE IF NOT EXISTS money (spent REAL, unsure REAL, lost INTEGER);
CREATE TABLE IF NOT EXISTS batches (name TEXT PRIMARY KEY, endpoint TEXT, id TEXT, sent TEXT);
CREATE TABLE IF NOT EXISTS items (key TEXT PRIMARY KEY, batch TEXT, request TEXT, worst REAL);
"""


def default_path() -> Path:
    """`.ledger/ledger.sqlite` in the repository's top folder."""
    return Path(os.environ.get("DVC_ROOT", ".")) / ".ledger" / "ledger.sqlite"


class Ledger:
    """Answers by request key; safe for several processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        # autocommit, synced: an answer that was put is there after a power cut. The lock of its own
        # thread check is off because one writer thread at a time uses it, see writer.py.
        self.connection = sqlite3.connect(
            path, timeout=60, isolation_level=None, check_same_thread=False
        )
        with self.readable():
            self.connection.execute("PRAGMA journal_mode=WAL")
            self.connection.execute("PRAGMA synchronous=FULL")
            self._create()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Turn SQLite's complaints into one line that names the file."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if "full" in str(error):
                raise BadInput(
                    f"{self.path}: the disk is full; free some space and give the same command "
                    "again: what was received before is safe"
                ) from error
            raise BadInput(
                f"{self.path}: {error}; if it is damaged, `alpacare ledger verify` says where; "
                "move it away and import your packs again"
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does together, all or none."""
        with self.readable():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self.connection.in_transaction:  # a full disk has ended it already
                    self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def get(self, key: str) -> Answer | None:
        """Look up one answer.

        Raises:
            BadInput: it is there, but damaged.
        """
        with self.readable():
            row = self.connection.execute(
                "SELECT response, price, call, digest FROM entries WHERE key = ?", (key,)
            ).fetchone()
        return self._read(key, *row) if row else None

    def put(self, entry: Entry) -> None:
        """Commit one entry; the first answer to a request stays."""
        self.put_all([entry])

    def put_all(self, entries: Iterable[Entry]) -> None:
        """Commit entries together, all or none; the first answer to a request stays."""
        with self.transaction():
            for entry in entries:
                self.insert(entry)

    def take(self, entries: Iterable[Entry]) -> dict[str, Answer]:
        """Commit a pack's entries, all or none; give those that the ledger answers otherwise."""
        differ = {}
        with self.transaction():
            for entry in entries:
                if not self.insert(entry) and self.get(entry.key) != (answer := entry.answer()):
                    differ[entry.key] = answer
        return differ

    def insert(self, entry: Entry) -> bool:
        """Add one entry within a transaction; False if the request is answered already."""
        response = json.dumps(entry.response)
        values = (
            entry.key,
            json.dumps(entry.request),
            response,
            entry.received,
            entry.price,
            entry.call.model_dump_json() if entry.call else None,
            _digest(response),
        )
        sql = "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)"
        return self.connection.execute(sql, values).rowcount > 0

    def entries(self) -> Iterator[Entry]:
        """Every entry, in the order of keys."""
        sql = "SELECT key, request, response, received, price, call FROM entries ORDER BY key"
        with self.readable():
            for key, request, response, received, price, call in self.connection.execute(sql):
                yield Entry(
                    key=key,
                    request=json.loads(request),
                    response=json.loads(response),
                    received=received,
                    price=price,
                    call=Call.model_validate_json(call) if call else None,
                )

    def _read(
        self, key: str, response: str, price: float | None, call: str | None, digest: str
    ) -> Answer:
        try:
            if _digest(response) != digest:
                raise ValueError("its text is not what was received")
            known = Call.model_validate_json(call) if call else None
            return Answer.of(key, Completion.model_validate_json(response), price, known)
        except (ValueError, ValidationError) as error:
            raise BadInput(
                f"{self.path}: entry {key[:12]} is damaged; run `alpacare ledger verify`"
            ) from error

    def _create(self) -> None:
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise BadInput(f"{self.path}: written by a newer alpacare; update this one")
        if version == _VERSION:
            return
        self.connection.execute("BEGIN IMMEDIATE")
        self._upgrade()
        for statement in _SCHEMA.split(";"):
            self.connection.execute(statement)
        if not self.connection.execute("SELECT 1 FROM money").fetchone():
            self.connection.execute("INSERT INTO money VALUES (0, 0, 0)")
        self.connection.execute(f"PRAGMA user_version = {_VERSION}")
        self.connection.execute("COMMIT")

    def _upgrade(self) -> None:
        """Give a ledger of version 1 the columns that came later."""
        columns = [row[1] for row in self.connection.execute("PRAGMA table_info(entries)")]
        if not columns or "digest" in columns:
            return
        self.connection.execute("ALTER TABLE entries ADD COLUMN call TEXT")
        self.connection.execute("ALTER TABLE entries ADD COLUMN digest TEXT")
        self.connection.create_function("digest", 1, _digest)
        self.connection.execute("UPDATE entries SET digest = digest(response)")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
