"""The ledger: every LLM answer ever received, by the content of its request.

One SQLite file in WAL mode, found through DVC_ROOT so that queued experiments share it. An answer
is committed the moment it arrives, with a digest by which a damaged one is known.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry
from alpacare.llm.reply import Answer, Call, Completion

_VERSION = 2
_NO_ROOM = 64 << 10  # bytes free; with less, SQLite calls a full disk an I/O error
_PATIENCE = 60.0  # seconds to wait for another process's lock
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
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        with self.readable():
            self._use_wal()
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
            if "full" in str(error) or shutil.disk_usage(self.path.parent).free < _NO_ROOM:
                raise BadInput(
                    f"{self.path}: the disk is full; free some space and give the same command "
                    "again: what was received before is safe"
                ) from error
            if "locked" in str(error):
                raise BadInput(
                    f"{self.path}: another process has been writing for {_PATIENCE:.0f} s; "
                    "wait for it to end, or stop it"
                ) from error
            raise BadInput(
                f"{self.path}: {error}; if it is damaged, `alpacare ledger export PACK` saves what "
                "can be read: then move the ledger away and import that pack and your others"
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
            _digest(entry.key, response),
        )
        sql = "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)"
        return self.connection.execute(sql, values).rowcount > 0

    def entries(self) -> Iterator[Entry]:
        """Every entry, in the order of keys.

        Raises:
            BadInput: an entry is damaged.
        """
        with self.readable():
            keys = [
                key for (key,) in self.connection.execute("SELECT key FROM entries ORDER BY key")
            ]
        for key in keys:
            yield self.entry(key)

    def entry(self, key: str) -> Entry:
        """Read one entry whole; errors as `get`."""
        self.get(key)
        sql = "SELECT request, response, received, price, call FROM entries WHERE key = ?"
        request, response, received, price, call = self.connection.execute(sql, (key,)).fetchone()
        return Entry(
            key=key,
            request=json.loads(request),
            response=json.loads(response),
            received=received,
            price=price,
            call=Call.model_validate_json(call) if call else None,
        )

    def check(self) -> None:
        """Compare every entry with its digest: a damaged key would be taken for a missing answer.

        Raises:
            BadInput: an entry is damaged.
        """
        sql = "SELECT key, response, digest FROM entries"
        with self.readable():
            (told,) = self.connection.execute("PRAGMA quick_check(1)").fetchone()
            if told != "ok":
                raise sqlite3.DatabaseError(told)
            for key, response, digest in self.connection.execute(sql):
                if _digest(key, response) != digest:
                    raise BadInput(
                        f"{self.path}: entry {key[:12]} is damaged; run `alpacare ledger verify`"
                    )

    def _read(
        self, key: str, response: str, price: float | None, call: str | None, digest: str
    ) -> Answer:
        try:
            if _digest(key, response) != digest:
                raise ValueError("its text is not what was received")
            known = Call.model_validate_json(call) if call else None
            return Answer.of(key, Completion.model_validate_json(response), price, known)
        except (ValueError, ValidationError) as error:
            raise BadInput(
                f"{self.path}: entry {key[:12]} is damaged; run `alpacare ledger verify`"
            ) from error

    def _use_wal(self) -> None:
        """Switch to WAL; here alone SQLite does not wait for another process that does the same."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self.connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

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
        self.connection.create_function("digest", 2, _digest)
        self.connection.execute("UPDATE entries SET digest = digest(key, response)")


def _digest(key: str, response: str) -> str:
    return hashlib.sha256(f"{key}\n{response}".encode()).hexdigest()[:16]
